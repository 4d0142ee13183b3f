"""The fit of two flanks: who is who in numbers, regions, centres and files, and what is refused."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
import shapely

import leopardpop as lp
from leopardpop.errors import DataWarning, LeopardpopWarning, ModelError
from leopardpop.models.flank_problem import FlankProblem
from leopardpop.models.problem import Problem
from leopardpop.results.detected import detected_numbers, history_times
from leopardpop.results.flank_checks import label_findings, twice_findings

AT = {"D": 0.5, "lambda0": 0.3, "sigma": 1500.0}
STATIONS = pd.DataFrame(
    [(f"{s}{i}{j}", s, 1500.0 * i, 1500.0 * j) for s in ("one", "two") for i in range(3) for j in range(3)],
    columns=["station", "session", "x", "y"],
)


def rows_of(*rows):
    return pd.DataFrame(rows, columns=["individual", "station", "occasion", "flank"])


PAIR = rows_of(("L1", "A", 1, "left"), ("L1", "B", 2, "left"), ("R1", "A", 2, "right"), ("R1", "C", 3, "right"))
FOUR = pd.DataFrame({"station": list("ABCD"), "x": [0, 2000, 0, 2000], "y": [0, 0, 2000, 2000]})


def fitted(model, history, mask, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LeopardpopWarning)  # small surveys are thin, and say so
        return model.fit(history, mask, seed=1, **options)


def regions_of(fit, regions):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)  # boxes wider than the mask
        return fit.population(regions=regions).realised


@pytest.fixture(scope="module")
def survey():
    design = lp.CaptureHistory.from_tables(None, STATIONS, occasions=12)
    mask = lp.Mask.around(design["one"], buffer=3_000, spacing=750)
    sim = lp.TwoFlanks().simulate(design, mask, parameters=AT | {"D": 0.2, "lambda0": 0.12}, both=0.3, seed=4)
    return sim.history, mask


@pytest.fixture(scope="module")
def fit(survey):
    return fitted(lp.TwoFlanks(), *survey, engine="laplace", draws=200, chains=2)


def test_is_a_fit_with_certificate_and_numbers(fit):
    assert isinstance(fit, lp.Fit)
    assert fit.trusted
    assert fit.summary().index.tolist()[-2:] == ["n_matched[one]", "n_matched[two]"]
    least = fit.photographed()["least"].to_numpy()
    assert (fit.posterior["N"] >= least).all()
    assert "pairs" in fit.diagnostics()["quantity"].tolist()
    assert "two flanks" in repr(fit)


def test_partners_are_mutual_and_counted(fit):
    partner = fit.data_tree["matchings"]["partner"].values
    lists = fit.problem.lists
    at = np.cumsum([0, *(part.first_pair for part in lists)])
    for s, part in enumerate(lists):
        own = partner[..., at[s] : at[s + 1]]
        assert (own[..., part.whole] == -1).all()
        left = own[..., part.left]
        back = np.take_along_axis(own, np.maximum(left, 0), axis=-1)
        assert (back == part.left)[left >= 0].all()
        assert set(left[left >= 0].tolist()) <= set(part.right.tolist())
        np.testing.assert_array_equal((left >= 0).sum(-1), fit.posterior["n_matched"].isel(session=s))
    drawn = fit.matches.groupby("session")["probability"].sum()
    np.testing.assert_allclose(fit.posterior["n_matched"].mean(("chain", "draw")), drawn, atol=0.35)


def test_numbers_of_histories_are_those_of_the_matching(fit):
    n = np.array([part.first_pair for part in fit.problem.lists])
    matched = fit.posterior["n_matched"].values.reshape(-1, 2)
    np.testing.assert_array_equal(detected_numbers(fit), n - matched)
    for s, times in enumerate(history_times(fit)):
        assert (times >= 0).all()
        np.testing.assert_array_equal(times.sum(1), n[s] - matched[:, s])


def test_regions_of_a_partition_add_up(fit):
    found = regions_of(fit, {"west": shapely.box(-1e5, -1e5, 1_600, 1e5), "east": shapely.box(1_600, -1e5, 1e5, 1e5)})
    np.testing.assert_array_equal(found.sum("region"), fit.posterior["N"])
    # The map and the regions tell the same animals, averaged over matchings and drawn with them.
    surface = fit.density_surface()
    west_cells = (surface["x"] < 1_600) & (surface["cell_session"] == "one")
    drawn = float(found.sel(session="one", region="west").mean())
    assert float(surface["realised"].where(west_cells).sum()) == pytest.approx(drawn, rel=0.1)


def test_file_holds_all(fit, tmp_path):
    again = lp.load_fit(fit.save(tmp_path / "flanks.nc"))
    assert type(again) is lp.TwoFlankFit
    assert again == fit
    assert again.model == fit.model
    pd.testing.assert_frame_equal(again.matches, fit.matches)
    pd.testing.assert_frame_equal(again.photographed(), fit.photographed())
    np.testing.assert_array_equal(detected_numbers(again), detected_numbers(fit))
    shared = lp.load_fit(fit.save(tmp_path / "shared.nc", coordinates="hidden"))
    pd.testing.assert_frame_equal(shared.matches, fit.matches)


def test_one_pair_against_plain_models():
    """Chance, centre and number of a pair, from the plain models of one animal and of two."""
    history = lp.CaptureHistory.from_tables(PAIR, FOUR, occasions=4)
    mask = lp.Mask.around(history, buffer=4_000, spacing=1_000)
    one = lp.CaptureHistory.from_tables(PAIR.assign(individual="X").drop(columns="flank"), FOUR, occasions=4)
    two = lp.CaptureHistory.from_tables(PAIR.drop(columns="flank"), FOUR, occasions=4)
    as_one, as_two = (lp.SCR().log_likelihood(h, mask, parameters=AT) for h in (one, two))
    ratio = np.exp(as_one - as_two - np.log(2))  # each is −Λ + Σ log A − log n!
    chance = ratio / (1 + ratio)
    problem = FlankProblem(lp.SCR(), history, mask)
    theta = np.log(list(AT.values()))
    assert problem.paired(theta)[0].item() == pytest.approx(chance, abs=1e-9)
    (alone,), (together,) = (Problem(lp.SCR(), h, mask).centres(theta) for h in (two, one))
    expected = chance * together + (1 - chance) * alone
    np.testing.assert_allclose(problem.centres(theta)[0], expected, atol=1e-9)
    np.testing.assert_allclose(problem.sessions[0].times(problem.evaluate(theta)[0]).sum(), 2 - chance, atol=1e-9)


def test_graph_agrees_with_the_fast_form(survey):
    import pymc as pm
    import pytensor

    from leopardpop.models.graph import point_of

    history, mask = survey[0]["one"], survey[1]
    problem, model = FlankProblem(lp.SCR(), history, mask), lp.TwoFlanks().build(history, mask)
    theta = problem.starts()[0] + 0.05
    total = pm.math.sum(model.potentials)
    point = point_of(problem, theta)
    with model, pytensor.config.change_flags(mode="FAST_COMPILE"):
        value = model.compile_fn(total, inputs=model.free_RVs, on_unused_input="ignore")(point)
        slopes = model.compile_fn(pytensor.grad(total, model["sigma_reference"]), inputs=model.free_RVs)(point)
    assert float(value) == pytest.approx(problem.log_likelihood(theta), abs=1e-8)
    by_log = problem.log_likelihood_gradient(theta)[1][problem.labels.index("sigma[Intercept]")]
    assert float(slopes) * np.exp(theta[problem.labels.index("sigma[Intercept]")]) == pytest.approx(by_log, rel=1e-6)


def test_nuts_gives_the_same_schema(survey, fit):
    history, mask = survey
    chains = fitted(lp.TwoFlanks(), history, mask, engine="nuts", draws=40, tune=40, chains=1, progressbar=False)
    assert chains.engine == "nuts"
    assert set(chains.data_tree.children) == set(fit.data_tree.children)
    assert set(chains.posterior) == set(fit.posterior)
    assert float(chains.posterior["N"].mean()) == pytest.approx(float(fit.posterior["N"].mean()), rel=0.3)


def test_sexes_are_classes(survey):
    history, mask = survey
    individuals = history.individuals
    named = individuals[individuals["session"] == "one"].assign(sex=None)
    rows = history["one"].detections.drop(columns=["session"], errors="ignore")
    named.loc[named.index[0], "sex"] = "F"
    given = lp.CaptureHistory.from_tables(
        rows, STATIONS[STATIONS["session"] == "one"].drop(columns="session"), individuals=named[["individual", "sex"]],
        occasions=12,
    )  # fmt: skip
    fit = fitted(lp.TwoFlanks(model=lp.SCR(classes="sex")), given, mask, engine="laplace", draws=50, chains=2)
    found = regions_of(fit, {"all": shapely.box(-1e5, -1e5, 1e5, 1e5)})
    np.testing.assert_array_equal(found.sum("sex").values.squeeze(), fit.posterior["N"].values.squeeze())


@pytest.mark.parametrize("method", ["loo", "check", "sensitivity"])
def test_what_needs_the_animals_is_refused(fit, method):
    with pytest.raises(ModelError, match=rf"one_flank\('left'\).{method}\(\)"):
        getattr(fit, method)()


def test_fits_are_not_compared_by_loo(fit):
    with pytest.raises(ModelError, match="who is who"):
        lp.compare({"a": fit, "b": fit})


def test_one_flank_counts_each_animal_once(fit):
    with pytest.raises(ModelError, match="left"):
        fit.one_flank("top")
    alone = fitted_one(fit)
    lists = fit.problem.lists
    assert alone.history.n_individuals <= sum(len(part.whole) + len(part.left) for part in lists)
    assert "animals counted twice" not in alone.diagnostics()["quantity"].tolist()


def fitted_one(fit):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LeopardpopWarning)
        return fit.one_flank("left", engine="laplace", draws=50, seed=1)


# -- a plain model of such a history -----------------------------------------------------------------------------------
def test_a_plain_model_says_that_it_counts_twice():
    history = lp.CaptureHistory.from_tables(PAIR, FOUR, occasions=4)
    mask = lp.Mask.around(history, buffer=4_000, spacing=1_000)
    with pytest.warns(LeopardpopWarning) as caught:
        lp.SCR().fit(history, mask, engine="laplace", draws=50, seed=1)
    said = [str(each.message) for each in caught if each.category is DataWarning]
    assert any("counts twice" in text and "lp.TwoFlanks" in text and "flank='left'" in text for text in said)


def test_identities_that_cannot_be_one_are_not_counted_twice():
    sexes = pd.DataFrame({"individual": ["L1", "R1"], "sex": ["F", "M"]})
    apart = lp.CaptureHistory.from_tables(PAIR, FOUR, occasions=4, individuals=sexes)
    assert [each.verdict for each in twice_findings(apart)] == ["ok"]
    plain = lp.CaptureHistory.from_tables(PAIR.drop(columns="flank"), FOUR, occasions=4)
    assert twice_findings(plain) == []


def test_flanks_that_contradict_labels_are_named():
    more = rows_of(("L2", "D", 1, "left"), ("L2", "D", 3, "right"), ("R2", "C", 1, "right"))
    wrong = lp.CaptureHistory.from_tables(pd.concat([PAIR, more]), FOUR, occasions=4)
    (found,) = label_findings(wrong)
    assert found.verdict == "warn"
    assert "('L2')" in found.advice
    (fine,) = label_findings(lp.CaptureHistory.from_tables(PAIR, FOUR, occasions=4))
    assert fine.verdict == "ok"
    leopards = PAIR.replace({"individual": {"R1": "L7"}})  # L for leopard, of both flanks
    assert label_findings(lp.CaptureHistory.from_tables(leopards, FOUR, occasions=4)) == []


def test_flanks_that_contradict_most_labels_are_named_with_a_reserve():
    wrong = PAIR.replace({"individual": {"L1": "R1", "R1": "L1"}})
    (found,) = label_findings(lp.CaptureHistory.from_tables(wrong, FOUR, occasions=4))
    assert found.verdict == "warn"
    assert "('R1', 'L1')" in found.advice
    assert "If L and R in these labels are no flanks, nothing is wrong." in found.advice


def test_a_word_names_a_side_without_another():
    wrong = PAIR[PAIR["individual"] == "L1"].assign(individual="left 1", flank="right")
    (found,) = label_findings(lp.CaptureHistory.from_tables(wrong, FOUR, occasions=4))
    assert (found.verdict, "('left 1')" in found.advice) == ("warn", True)
    assert "no flanks" not in found.advice


def test_a_surface_of_density_is_refused(survey):
    with pytest.raises(ModelError, match="smooth surface of density with two flanks"):
        FlankProblem(lp.SCR(density="~ gp(x, y, functions=5)"), *survey)


def test_figures_speak_of_identities(fit):
    """Where left and right identities may be one animal, nobody knows how many were detected."""
    caption = fit.plot.population()[0].figure.caption
    number = sum(len(data.individuals) for data in fit.problem.data)
    assert f"({number} identities detected" in caption
    assert "animals detected" not in caption
    assert f"{number} identities" in fit.history.plot.recaptures()[0].figure.caption
