"""`fit.sensitivity()`: its weights are those of other likelihoods, its words are true, and bad input is answered."""

import pickle
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cache

import arviz as az
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import poisson

import leopardpop as lp
from leopardpop.checks.sensitivity import _grounds
from leopardpop.checks.sensitivity_draws import Base, Numbers, Spread, _poisson_quantile, evaluate, ground_of
from leopardpop.checks.sensitivity_masks import other_masks
from leopardpop.checks.sensitivity_priors import PriorChange, power_diagnostic, prior_width
from leopardpop.checks.sensitivity_refits import run_task
from leopardpop.checks.sensitivity_result import Effect, Sensitivity
from leopardpop.checks.sensitivity_stations import are_independent, without_stations
from leopardpop.checks.sensitivity_targets import Rebased
from leopardpop.checks.sensitivity_trials import trials_of_animals
from leopardpop.checks.sensitivity_words import verdict_of
from leopardpop.data.history_subset import at_stations, in_longer_occasions, without_animal
from leopardpop.errors import DataError, ModelError
from leopardpop.models.problem import Problem
from tests.results import made


def base_of(kind: str) -> Base:
    fit = made.fit(kind)
    return Base(fit, _grounds(fit.problem))


@cache
def found(kind: str = "null") -> Sensitivity:
    return made.quiet(lambda: made.fit(kind).sensitivity(refit=False))


@cache
def thin() -> lp.Fit:
    """Four animals, two recaptures in space."""
    rows = [("F1", 1, 1, 1), ("F1", 1, 2, 2), ("M1", 3, 3, 3), ("M2", 0, 4, 1), ("M2", 0, 4, 5), ("F9", 2, 2, 1)]
    history = made.with_animals([(name, f"River {i}-{j}", s) for name, i, j, s in rows])
    return made.quiet(lambda: lp.SCR().fit(history, made.mask(), seed=1, draws=500))


# -- the likelihood without something ---------------------------------------------------------------------------------
@pytest.mark.parametrize("kind", ["null", "sex", "years", "snow"])
def test_tables_of_stations_are_the_likelihood_of_the_history_without_the_station(kind):
    base = base_of(kind)
    problem, theta = base.problem, base.draws.theta[:6]
    full = evaluate(problem, base.grounds, theta)
    for s, data in enumerate(problem.data):
        tables = without_stations(problem, base.grounds, s, theta)
        for k in (0, 7, 12, 24):
            keep = {d.session: np.ones(len(d.stations), bool) for d in problem.data}
            keep[data.session][k] = False
            other = Problem(problem.model, at_stations(problem.history, keep), problem.masks, levels=problem.levels)
            target = Rebased(problem, other, theta[0])
            direct = evaluate(other, base.grounds, target.theirs(theta))
            ratio = direct.log_likelihood - full.log_likelihood
            assert np.ptp(tables.log_ratio[:, k] - ratio) < 1e-8
            for mine, theirs in zip(tables.numbers(k, s, full), direct.numbers(), strict=True):
                assert mine == pytest.approx(theirs, rel=1e-8, abs=1e-10)


def test_tables_of_stations_of_counts():
    design = lp.CaptureHistory.from_tables(None, made.stations("1"), occasions=6, effort_unit="day", detector="count")
    history = lp.SCR().simulate(design, made.mask(), parameters=made.TRUTH, seed=3).history
    problem = Problem(lp.SCR(), history, made.mask())
    theta = np.array([[-0.7, -1.4, 6.9], [-0.3, -1.0, 7.1]])
    grounds = [ground_of(np.ones(made.mask().n_cells))]
    tables = without_stations(problem, grounds, 0, theta)
    full = evaluate(problem, grounds, theta).log_likelihood
    for k in (6, 12):
        other = Problem(lp.SCR(), at_stations(history, {"1": np.arange(25) != k}), made.mask())
        direct = evaluate(other, grounds, theta).log_likelihood - full
        assert np.diff(tables.log_ratio[:, k]) == pytest.approx(np.diff(direct), rel=1e-8)


def test_where_stations_are_not_independent_the_history_is_made():
    behaviour = Problem(lp.SCR(detection=lp.HalfNormal(lambda0="~ bk")), made.history("null"), made.mask())
    assert not are_independent(behaviour)
    assert are_independent(made.problem("sex"))


def test_an_animals_weight_is_one_over_its_likelihood():
    base = base_of("sex")
    problem, theta = base.problem, base.draws.theta[:20]
    full = evaluate(problem, base.grounds, theta)
    other = Problem(problem.model, without_animal(problem.history, "1", 3), problem.masks, levels=problem.levels)
    direct = evaluate(other, base.grounds, theta).log_likelihood - full.log_likelihood
    assert -full.log_animal[0][:, 3] == pytest.approx(direct, abs=1e-8)
    for mine, theirs in zip(full.numbers((0, 3)), evaluate(other, base.grounds, theta).numbers(), strict=True):
        assert mine == pytest.approx(theirs)


def test_another_posterior_in_other_coordinates_has_an_exact_gradient():
    """Without a station density's covariate stays, but a coarser mask standardises it otherwise."""
    base = base_of("snow")
    coarse = other_masks(base.problem, base.grounds)[-1]
    other = Problem(base.problem.model, base.problem.history, coarse.masks)
    target = Rebased(base.problem, other, base.draws.theta[0])
    theta = base.draws.theta[1]
    value, slope = target.gradient(theta)
    assert value == pytest.approx(target.value(theta))
    assert target.batch_value(theta[None])[0] == pytest.approx(value)
    step = 1e-5 * np.eye(len(theta))
    direct = [(target.value(theta + e) - target.value(theta - e)) / 2e-5 for e in step]
    assert slope == pytest.approx(direct, rel=1e-5, abs=1e-5)
    assert not np.allclose(target.theirs(theta), theta)


# -- the law of N -----------------------------------------------------------------------------------------------------
@given(st.floats(0.01, 200.0), st.integers(0, 30))
def test_smooth_numbers_have_the_poisson_law(rate, sure):
    values = Numbers(np.full((2000, 1), float(sure)), np.full((2000, 1), rate)).values()[:, 0]
    whole = np.round(values - 1e-9) - sure
    assert whole.min() >= 0
    for k in (np.floor(rate), np.floor(rate + 2 * rate**0.5)):
        assert (whole <= k).mean() == pytest.approx(poisson(rate).cdf(k), abs=2e-3)


def test_the_baseline_is_the_population_of_the_fit():
    (ends,) = found().before.values()
    drawn = made.fit("null").population().summary().loc["realised"]
    assert ends == pytest.approx(drawn[["eti95_lb", "median", "eti95_ub"]].astype(float).tolist(), abs=1.3)


def test_weighted_values_without_weights_are_quantiles():
    values = np.random.default_rng(1).normal(size=(4000, 1))
    spread = Spread(values, np.full(4000, -np.log(4000)))
    assert spread.quantiles()[:, 0] == pytest.approx(np.quantile(values, [0.025, 0.5, 0.975]), abs=0.01)
    assert spread.sd()[0] == pytest.approx(values.std())


# -- priors -----------------------------------------------------------------------------------------------------------
def test_power_scaling_is_the_one_of_arviz():
    """Of the same draws and with the same power: ArviZ smooths the weights, which hardly matters so near to one."""
    fit = thin()
    tree = fit.data_tree
    values = fit.posterior["E_N"].values.reshape(-1)
    equal = np.full(len(values), -np.log(len(values)))
    for label in ("D", "sigma"):
        log_prior = tree["log_prior"][label].values.reshape(-1)
        theirs = az.psense(tree, var_names=["E_N"], group="prior", group_var_names=[label])["E_N"]
        assert power_diagnostic(values, equal, log_prior).distance == pytest.approx(float(theirs.squeeze()), rel=0.03)


def test_the_slope_is_the_one_of_normal_laws():
    r"""Prior N(0, τ²) and one observation y of variance v: the mean is y·w, w = τ²/(τ² + v)."""
    tau2, v, y = 2.0, 1.0, 1.5
    mean, sd = y * tau2 / (tau2 + v), np.sqrt(tau2 * v / (tau2 + v))
    draws = mean + sd * np.random.default_rng(1).normal(size=400_000)
    power = power_diagnostic(draws, np.full(len(draws), -np.log(len(draws))), -(draws**2) / (2 * tau2))
    step = 1e-4
    means = [y * (tau2 / a) / (tau2 / a + v) for a in (2.0**step, 2.0**-step)]
    assert power.slope == pytest.approx((means[0] - means[1]) / (2 * step) / sd, rel=0.02)


def test_draws_without_weight_do_not_count():
    """Log-likelihoods far below all others, as raw draws have, change nothing and overflow nowhere."""
    rng = np.random.default_rng(3)
    draws, factor = rng.normal(size=1000), -2_000.0 + rng.normal(size=1000)
    weights = np.full(1000, -np.log(1000))
    plain = power_diagnostic(draws, weights, factor)
    more = power_diagnostic(
        np.append(draws, [9.0, -9.0]), np.append(weights, [-1e4, -1e4]), np.append(factor, [-1e6, -np.inf])
    )
    assert more.slope == pytest.approx(plain.slope, rel=1e-6, abs=1e-9)
    assert more.distance == pytest.approx(plain.distance, rel=0.02)


@pytest.mark.parametrize("power", [0.5, 2.0])
def test_a_scaled_prior_is_that_of_a_direct_fit(power):
    """The prior of sigma as a log-normal whose sd is divided by the root of the power, fitted by the model itself."""
    fit = thin()
    term = next(t for t in fit.problem.priors.terms if t.label == "sigma")
    mu, sigma = term.prior.parameters["mu"], term.prior.parameters["sigma"]
    other = replace(fit.model, priors={"sigma": lp.Prior("LogNormal", mu=mu, sigma=sigma / power**0.5)})
    check_against(fit, other, "sigma", f"{'half' if power < 1 else 'twice'} as strong")


@pytest.mark.parametrize(("label", "way"), [("sigma", 1), ("lambda0", -1), ("D", 1)])
def test_a_moved_prior_is_that_of_a_direct_fit(label, way):
    fit = thin()
    term = next(t for t in fit.problem.priors.terms if t.label == label)
    given = term.prior.parameters
    assert prior_width(fit.problem, term) == given["sigma"]
    moved = lp.Prior("LogNormal", mu=given["mu"] + way * given["sigma"], sigma=given["sigma"])
    check_against(fit, replace(fit.model, priors={label: moved}), label, f"moved {'up' if way > 0 else 'down'}")


def check_against(fit, model, label, words):
    table = answered_thin().table()
    row = table[(table["subject"] == label) & table["change"].str.startswith(words)].iloc[0]
    direct = made.quiet(lambda: model.fit(fit.history, fit.masks, seed=7))
    values, before = (each.population().realised.values.reshape(-1) for each in (direct, fit))
    error = 1.25 * values.std() * (1 / direct.importance_ess + 1 / fit.importance_ess) ** 0.5 + 0.3  # whole numbers
    assert row["how"] == "reweighted"
    assert row["median"] == pytest.approx(np.median(values), abs=4 * error)
    middle = next(iter(answered_thin().before.values()))[1]
    assert row["sds"] == pytest.approx((row["median"] - middle) / before.std(), rel=0.2)


@cache
def answered_thin() -> Sensitivity:
    return made.quiet(lambda: thin().sensitivity())


def test_widths_of_priors_of_any_law():
    """A gamma prior of sigma, one of N, a beta of the share: half the middle 68 % on the engine's scale."""
    priors = {"N": lp.priors.from_range(20, 60), "sigma": lp.Prior("Gamma", alpha=4, beta=0.004)}
    model = replace(made.model("sex"), priors=priors)
    problem = Problem(model, made.history("sex"), made.mask())
    widths = {term.label: prior_width(problem, term) for term in problem.priors.terms}
    assert widths["N"] == pytest.approx(np.log(3) / (2 * 1.6448536), rel=1e-6)
    assert widths["sigma"] == pytest.approx(
        np.log(lp.Prior("Gamma", alpha=4, beta=1).draw(np.random.default_rng(1), 200_000)).std(), rel=0.05
    )
    assert widths["pmix"] == pytest.approx(1.0, abs=0.15)
    theta = np.array([[0.0, -1.4, 6.9, 0.3, -0.4]] * 2)
    shift = PriorChange(problem, "N", shift=0.1)(theta)
    expected = np.exp(0.0) * made.mask().total_area
    law = priors["N"].logpdf
    assert shift[0] == pytest.approx(law(expected * np.exp(-0.1)) - 0.1 - law(expected))


# -- influence -------------------------------------------------------------------------------------------------------
def test_influence_is_not_leaving_out_given_detected():
    """A record that was never there lowers N, as a rule by its own share of it."""
    animals = found().table().query("kind == 'animal'")
    assert len(animals) == made.history("null").n_individuals
    share = 100 / len(animals)  # of the animals of the mask, which are more than those of the hull
    assert animals["percent"].median() == pytest.approx(-share, abs=0.7 * share)


# -- known directions -------------------------------------------------------------------------------------------------
def test_a_wide_buffer_is_wide_enough():
    rows = found().table().query("kind == 'buffer'").set_index("change")
    assert abs(rows.loc["6 km in place of 4 km", "percent"]) < 0.5


def test_meshes_keep_the_ground():
    base = base_of("snow")
    for other in other_masks(base.problem, base.grounds)[-2:]:
        (mask,) = other.masks.values()
        (old,) = base.problem.masks.values()
        (ground,), (own,) = other.theirs, base.grounds
        assert mask.total_area == pytest.approx(old.total_area)
        assert ground.of_cell @ mask.area == pytest.approx(own.of_cell @ old.area)
        assert mask.table["snow"].to_numpy() @ mask.area == pytest.approx(old.table["snow"].to_numpy() @ old.area)
        assert mask.spacing == pytest.approx(old.spacing * (0.5 if mask.n_cells > old.n_cells else 2.0))


def test_covariates_end_at_the_mask():
    rows = found("snow").table().query("kind == 'buffer'")
    assert rows["how"].tolist() == ["none", "reweighted"]
    assert "covariates" in rows["reason"].iloc[0]


def test_longer_occasions_of_counts_change_nothing():
    design = lp.CaptureHistory.from_tables(None, made.stations("1"), occasions=6, effort_unit="day", detector="count")
    history = lp.SCR().simulate(design, made.mask(), parameters=made.TRUTH, seed=3).history
    longer = in_longer_occasions(history, 4)
    assert longer.n_occasions == {"1": 2}
    assert (longer.n_detections, longer.n_spatial_recaptures) == (history.n_detections, history.n_spatial_recaptures)
    theta = np.array([[-0.7, -1.4, 6.9], [-0.3, -1.0, 7.1]])
    each = [[Problem(lp.SCR(), h, made.mask()).log_likelihood(t) for t in theta] for h in (history, longer)]
    assert np.diff(each[0]) == pytest.approx(np.diff(each[1]))
    fit = made.quiet(lambda: lp.SCR().fit(history, made.mask(), seed=1))
    rows = made.quiet(lambda: fit.sensitivity(refit=False)).table().query("kind == 'occasions'")
    assert rows["how"].tolist() == ["exact", "exact"]
    assert (rows["percent"] == 0).all()


# -- one result, whoever computes it ----------------------------------------------------------------------------------
def test_workers_do_not_change_the_result():
    with ThreadPoolExecutor(3) as executor:
        by_three = made.quiet(lambda: thin().sensitivity(executor=executor))
    pd.testing.assert_frame_equal(by_three.table(), answered_thin().table())


def test_tasks_travel_between_processes():
    base = base_of("null")
    trial = next(t for t in trials_of_animals(base, 1) if t.kind == "animal")
    one, other = (run_task(task) for task in (trial.task(), pickle.loads(pickle.dumps(trial.task()))))
    assert np.array_equal(one.spread.values, other.spread.values)


def test_progress_is_told_and_time_is_kept():
    told = []
    fit = thin()
    result = made.quiet(lambda: fit.sensitivity(seconds=0, progress=lambda done, total: told.append((done, total))))
    assert told
    assert told[-1][0] == told[-1][1]
    assert result.unanswered["reason"].str.contains("seconds=").all()
    with pytest.raises(ModelError, match="seconds=-1"):
        fit.sensitivity(seconds=-1)


def test_without_refits_it_says_what_is_missing():
    result = made.quiet(lambda: thin().sensitivity(refit=False))
    missing = result.unanswered
    assert set(missing["kind"]) >= {"detection"}
    assert (missing["reason"] != "").all()
    assert missing["median"].isna().all()
    assert f"{len(missing)} changes without an answer" in repr(result)


# -- words ------------------------------------------------------------------------------------------------------------
def test_words_say_why():
    text = repr(answered_thin())
    assert "the prior of lambda0, moved down by its sd" in text
    assert "only 2 recaptures" in text
    assert "What matters most: " in text
    assert answered_thin().matters[0] in text


@pytest.mark.parametrize(
    ("kind", "sds", "light"),
    [
        ("prior", 0.05, "ok"),
        ("prior", -0.2, "note"),
        ("mesh", 0.3, "warn"),
        ("animal", 0.3, "ok"),
        ("station", -0.7, "note"),
        ("animal", 1.2, "warn"),
        ("prior", np.nan, "open"),
    ],
)
def test_lights(kind, sds, light):
    assert verdict_of(kind, sds) == light


def test_html_is_escaped():
    effect = Effect(
        kind="animal", subject="<b>F1</b>", change="its record left out", percent=-9.0, sds=-1.3, verdict="warn"
    )
    result = Sensitivity([effect], quantity="N", before={"": (20.0, 30.0, 40.0)}, priors=pd.DataFrame(), facts=str)
    assert "<b>F1" not in result._repr_html_()
    assert "&lt;b&gt;F1" in result._repr_html_()


def test_the_summary_has_a_line_an_assumption():
    lines = found().summary()
    assert lines["kind"].tolist() == [
        "detection",
        "prior",
        "prior",
        "prior",
        "buffer",
        "mesh",
        "occasions",
        "animal",
        "station",
    ]
    assert lines.loc[lines["kind"] == "station", "tried"].item() == 25


def test_shares_of_classes_have_a_prior():
    table = found("sex").table()
    assert table.query("subject == 'pmix'")["change"].tolist()[2:] == ["moved up by its sd", "moved down by its sd"]
    assert found("sex").priors.index.tolist() == ["D", "lambda0", "sigma", "sigma[sex[M]]", "pmix", "likelihood"]


# -- any survey -------------------------------------------------------------------------------------------------------
def test_several_sessions_each_have_their_number():
    result = found("years")
    assert list(result.before) == ["2021", "2022"]
    rows = result.table().query("kind == 'animal'")
    other = rows[rows["subject"].str.startswith("2021") & (rows["place"] == "2022")]
    own = rows[rows["subject"].str.startswith("2021") & (rows["place"] == "2021")]
    assert own["percent"].abs().mean() > 3 * other["percent"].abs().mean()
    assert "2021: " in repr(result)


def test_nobody_was_seen():
    fit = made.quiet(lambda: lp.SCR().fit(made.without_captures(), made.mask(), seed=1, engine="laplace"))
    result = made.quiet(lambda: fit.sensitivity(refit=False))
    assert "animal" not in set(result.table()["kind"])
    assert result.table().query("kind == 'station'")["percent"].notna().all()
    assert "no animal" in repr(result)


def test_one_animal():
    history = made.with_animals([("F1", "River 1-1", 1), ("F1", "River 1-2", 2), ("F1", "River 1-1", 4)])
    fit = made.quiet(lambda: lp.SCR().fit(history, made.mask(), seed=1, engine="laplace"))
    rows = made.quiet(lambda: fit.sensitivity()).table()
    assert rows.query("kind == 'animal'")["verdict"].item() != "open"
    assert "only 1 animal" in repr(made.quiet(lambda: fit.sensitivity(refit=False)))


def test_one_station():
    stations = pd.DataFrame({"station": ["A"], "x": [0.0], "y": [0.0]})
    captures = pd.DataFrame({"individual": ["F1", "F1", "M1"], "station": "A", "occasion": [1, 2, 2]})
    history = lp.CaptureHistory.from_tables(captures, stations, occasions=4, crs="local")
    mask = lp.Mask.around(history, buffer=4_000, spacing=500)
    model = lp.SCR(
        priors={"sigma": lp.Prior("LogNormal", mu=6.9, sigma=0.3), "D": lp.Prior("LogNormal", mu=0, sigma=1)}
    )
    fit = made.quiet(lambda: model.fit(history, mask, seed=1, engine="laplace"))
    rows = made.quiet(lambda: fit.sensitivity(refit=False)).table()
    station = rows.query("kind == 'station'")
    assert station["reason"].item() == "it is the only station of its session"
    assert rows.query("kind == 'prior'")["verdict"].ne("open").any()


def test_fits_from_files(tmp_path):
    fit = made.fit("null")
    again = lp.load_fit(fit.save(tmp_path / "fit.nc"))
    rows = made.quiet(lambda: again.sensitivity(refit=False)).table()
    ours = found().table()
    known = rows["sds"].notna() & ours["sds"].notna()
    assert known[ours["kind"].isin(["prior", "animal"])].all()
    assert rows["sds"][known].to_numpy() == pytest.approx(ours["sds"][known].to_numpy(), abs=0.12)
    shared = lp.load_fit(fit.save(tmp_path / "shared.nc", coordinates="hidden"))
    with pytest.raises(ModelError, match="positions were removed"):
        shared.sensitivity()


@cache
def varying(lambda0: str) -> lp.Fit:
    model = lp.SCR(detection=lp.HalfNormal(lambda0=lambda0))
    return made.quiet(lambda: model.fit(made.history("null"), made.mask(2_500, 1_500), seed=1, engine="laplace"))


@pytest.mark.parametrize("lambda0", [pytest.param("~ bk", marks=pytest.mark.verification), "~ trend"])
def test_what_cannot_be_changed_is_said(lambda0):
    fit = varying(lambda0)
    rows = made.quiet(lambda: fit.sensitivity(refit=False)).table()
    assert rows.query("kind == 'occasions'")["reason"].str.contains("varies by occasion").all()
    stations = rows.query("kind == 'station'")
    known = stations["percent"].notna().sum()
    assert known > 20 if are_independent(fit.problem) else stations["reason"].str.contains("of its own").all()


@pytest.mark.verification
def test_a_station_of_a_model_with_behaviour_is_left_out_by_its_history():
    fit = varying("~ bk")
    base = Base(fit, _grounds(fit.problem))
    trials = (t for t in trials_of_animals(base, 1) if t.kind == "station")
    trial = next(trials)
    assert trial.subject == "River 0-0"
    assert trial.after.trusted
    middle = trial.after.quantiles()[1, 0]
    assert 0 < abs(middle - trial.before.quantiles()[1, 0]) < 0.5 * trial.before.sd()[0]


def test_occupancy_has_priors_and_sites():
    design = lp.DetectionHistory.from_tables(np.ones((40, 4)))
    history = lp.Occupancy().simulate(design, parameters={"psi": 0.6, "p": 0.4}, seed=1).history
    fit = lp.Occupancy().fit(history, seed=1)
    result = fit.sensitivity()
    assert set(result.table()["kind"]) == {"prior", "site"}
    assert len(result.table().query("kind == 'site'")) == 40
    assert (result.table()["verdict"] != "open").all()
    (ends,) = result.before.values()
    assert ends[1] == pytest.approx(100 * float(fit.posterior["psi"].median()), abs=1.0)
    moved = result.table().query("subject == 'psi' and change.str.startswith('moved up')").iloc[0]
    other = lp.Occupancy(priors={"psi": lp.Prior("LogitNormal", mu=1.5, sigma=1.5)}).fit(history, seed=2)
    assert moved["median"] == pytest.approx(100 * float(other.posterior["psi"].median()), abs=1.0)


def test_histories_without_an_animal_or_in_longer_occasions():
    history = made.history("years")
    fewer = without_animal(history, "2022", 0)
    assert fewer.n_individuals == history.n_individuals - 1
    assert fewer["2021"] == history["2021"]
    longer = in_longer_occasions(history, 4)
    assert set(longer.n_occasions.values()) == {2}
    assert longer.effort["effort"].sum() == history.effort["effort"].sum()
    cells = history.detections.assign(occasion=lambda d: (d["occasion"].astype(int) - 1) // 4)
    assert longer.n_detections == len(cells.drop_duplicates(["session", "individual", "station", "occasion"]))
    multi = lp.CaptureHistory.from_tables(
        pd.DataFrame({"individual": ["F1", "F1"], "station": ["River 0-0", "River 0-1"], "occasion": [1, 2]}),
        made.stations("1"), occasions=2, detector="multi",
    )  # fmt: skip
    with pytest.raises(DataError, match="second station"):
        in_longer_occasions(multi, 2)


# -- figure -----------------------------------------------------------------------------------------------------------
def test_the_tornado():
    axes = answered_thin().plot(most=12)
    labels = [label.get_text() for label in axes.get_yticklabels()]
    assert len(labels) == 12
    assert labels[0].startswith("without station")
    widths = [bar.get_width() for bar in axes.patches]
    table = answered_thin().table()
    assert max(map(abs, widths)) == pytest.approx(table["percent"].abs().max())
    assert "moves N by" in axes.figure.alt_text
    assert axes.get_xlabel() == "Change of the median of N, %"


@pytest.mark.parametrize("mean", [0.0, 1e-6, 0.3, 4.0, 60.0, 5_000.0])
def test_quantiles_of_poisson_numbers(mean):
    u = np.random.default_rng(1).random((500, 2))
    rate = np.full(u.shape, mean)
    number, below, upto = _poisson_quantile(u, rate)
    np.testing.assert_array_equal(number, np.maximum(poisson.ppf(u, rate), 0.0))
    assert ((below < u) & (u <= upto)).all()
