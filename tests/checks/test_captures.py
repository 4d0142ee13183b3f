"""``fit.check()`` of spatial capture-recapture: what is replicated, what is counted, what is said."""

from __future__ import annotations

import warnings
from functools import cache

import numpy as np
import pandas as pd
import pytest

import leopardpop as lp
from leopardpop.checks.captures import capture_statistics, freeman_tukey, session_totals
from leopardpop.checks.surveys import survey_session
from leopardpop.models.problem import Problem
from tests.results import made
from tests.verification import check_power

KINDS = {
    "proximity": {"model": lp.SCR()},
    "count": {"model": lp.SCR(), "detector": "count"},
    "multi": {"model": lp.SCR(), "detector": "multi"},
    "bursts": {"model": lp.SCR(counts="negbin"), "detector": "count", "size": 0.4},
    "trend": {"model": lp.SCR(detection=lp.HalfNormal(lambda0="~ trend")), "lambda0[trend]": 0.3},
    "memory": {"model": lp.SCR(detection=lp.HalfNormal(lambda0="~ bk")), "lambda0[bk[caught]]": 1.0},
    "probability": {"model": lp.SCR(detection=lp.ProbabilityHalfNormal()), "lambda0": None, "g0": 0.2},
    "mixture": {
        "model": lp.SCR(detection=lp.HalfNormal(lambda0="~ h2"), classes=lp.Mixture(2)),
        "lambda0[h2[2]]": 1.2,
        "pmix": 0.5,
    },
    "ghosts": {"model": lp.SCR(ghosts=True)},
    "sex": {
        "model": lp.SCR(detection=lp.HalfNormal(sigma="~ sex"), classes="sex"),
        "sigma[sex[M]]": 0.4,
        "pmix": 0.4,
    },
}


@cache
def setting(kind: str):
    """Design, mask, model, truth; two sessions, and stations that were off for a time."""
    options = dict(KINDS[kind])
    model, detector = options.pop("model"), options.pop("detector", "proximity")
    stations = made.stations("2021", "2022")
    effort = stations[["session", "station"]].assign(**{str(o + 1): 1.0 + (o == 2) for o in range(5)})
    effort.loc[3, ["1", "2"]] = 0.0
    design = lp.CaptureHistory.from_tables(None, stations, effort, detector=detector, effort_unit="day")
    mask = lp.Mask.around(design, buffer=3_000, spacing=1_000)
    truth = {name: value for name, value in (made.TRUTH | options).items() if value is not None}
    return design, mask, model, truth


@cache
def fitted(kind: str) -> lp.Fit:
    design, mask, model, truth = setting(kind)
    history = model.simulate(design, mask, parameters=truth, seed=3).history
    return made.quiet(lambda: model.fit(history, mask, seed=1, draws=250, engine="laplace"))


@pytest.mark.parametrize("kind", KINDS)
def test_every_model_is_checked(kind):
    check = fitted(kind).check(replicates=99)
    table = check.table()
    assert set(table.columns[:4]) == {"statistic", "looks_at", "observed", "expected"}
    assert np.isfinite(check.values).all()
    assert ((check.p >= 0) & (check.p <= 1)).all()
    assert table["advice"].str.len().min() > 10
    assert "sessions" in table.index
    assert ("classes" in table.index) == (kind == "sex")
    assert check.residuals["station_residual"].sizes == {"station": 50}
    assert check.residuals["occasion_residual"].sizes == {"session": 2, "occasion": 5}


@pytest.mark.parametrize(
    "kind",
    [
        "multi",
        *(pytest.param(k, marks=pytest.mark.verification) for k in ("proximity", "bursts", "trend", "memory", "sex")),
    ],
)
def test_replicates_are_surveys_of_the_model(kind):
    """Means over 400 replicates agree with those of 60 surveys by `simulate`, detections by occasion included."""
    design, mask, model, truth = setting(kind)
    simulated = [model.simulate(design, mask, parameters=truth, seed=seed) for seed in range(60)]
    theta = Problem(model, simulated[0].history, mask, ordered=False).layout.to_theta(
        simulated[0].truth.coefficients.to_numpy()
    )
    problem = Problem(model, simulated[0].history, mask, ordered=False)
    rng = np.random.default_rng(1)
    surveyed = survey_session(problem, theta, 0, problem.evaluate(theta)[0], 400, rng)
    totals = session_totals(surveyed, problem.data[0].effort, len(problem.levels))
    ours = np.column_stack([totals.by_occasion, totals.statistics["detected"], totals.statistics["moves"]])[1:]
    theirs = np.array([_numbers(each.history["2021"]) for each in simulated])
    error = np.sqrt(ours.var(0) / len(ours) + theirs.var(0) / len(theirs))
    assert (abs(ours.mean(0) - theirs.mean(0)) < 4.5 * error).all()


def _numbers(history: lp.CaptureHistory) -> list[float]:
    by_occasion = history.to_array("2021").values.sum((0, 1))
    return [*by_occasion, history.n_individuals, history.n_spatial_recaptures]


@pytest.mark.parametrize("kind", ["proximity", "multi", "memory", "bursts"])
def test_what_is_expected_of_an_animal_is_what_it_gets(kind):
    """Given where the animals live, detections less expected ones average to nothing, station by station."""
    problem, theta = fitted(kind).problem, fitted(kind).theta[0, 0]
    surveyed = survey_session(problem, theta, 1, problem.evaluate(theta)[1], 600, np.random.default_rng(2))
    animals = np.flatnonzero(surveyed.row > 0)
    seen = np.zeros((len(surveyed.row), surveyed.by_station.shape[1]))
    np.add.at(seen, (surveyed.animal, surveyed.station), surveyed.number)
    apart = (seen - surveyed.by_station[surveyed.unit])[animals]
    assert (abs(apart.mean(0)) < 4.5 * apart.std(0) / np.sqrt(len(animals))).all()


def test_the_survey_is_row_zero():
    fit = made.fit("null")
    history, check = fit.history, fit.check(replicates=99)
    seen = history.detections.groupby("individual").size()
    observed = check.table()["observed"]
    assert observed["detected"] == history.n_individuals
    assert observed["recaptures"] == history.n_recaptures
    assert observed["moves"] == history.n_spatial_recaptures
    assert observed["once"] == (seen == 1).sum()
    assert observed["most"] == seen.max()
    assert observed["silent"] == history.n_stations - history.detections["station"].nunique()
    cells = history.detections[["station", "occasion"]].drop_duplicates()
    assert observed["zeros"] == history.n_stations * 6 - len(cells)
    predictive = check.posterior_predictive
    assert predictive["n"].sizes == {"replicate": 99, "session": 1}
    assert (predictive["frequencies"].sum("detections") == predictive["n"]).all()


def test_freeman_tukey_and_deviance_of_a_session_by_hand():
    fit = made.fit("null")
    problem, theta = fit.problem, fit.theta[0, 0]
    surveyed = survey_session(problem, theta, 0, problem.evaluate(theta)[0], 99, np.random.default_rng(1))
    totals = session_totals(surveyed, problem.data[0].effort, 1)
    n = fit.history.n_individuals
    y, expected = fit.history.to_array("1").values.sum(2), surveyed.by_station[surveyed.unit[:n]]
    assert totals.statistics["cells"][0] == pytest.approx(((np.sqrt(y) - np.sqrt(expected)) ** 2).sum())
    logs = np.where(y > 0, y * np.log(np.maximum(y, 1) / expected), 0.0)
    assert totals.statistics["deviance"][0] == pytest.approx(2 * (logs - y + expected).sum())
    assert totals.statistics["animals"][0] == pytest.approx(freeman_tukey(y.sum(1), expected.sum(1)))
    assert "frequencies" in capture_statistics(problem, [totals])


def test_without_singletons_no_row_has_one():
    fit = fitted("ghosts")
    check = fit.check(replicates=99)
    assert not {"once", "inside"} & set(check.statistics)
    assert (check.posterior_predictive["frequencies"].sel(detections=1) == 0).all()
    assert check.table()["observed"]["detected"] == fit.problem.history.n_individuals < fit.history.n_individuals
    assert check.posterior_predictive["n"].sum("session").mean() == pytest.approx(fit.problem.n_animals, rel=0.3)


def test_no_animal_and_one_animal_are_checked():
    for history in (made.without_captures(), made.with_animals([("A", "River 1-1", 1), ("A", "River 1-2", 3)])):
        fit = made.quiet(lambda history=history: lp.SCR().fit(history, made.mask(), seed=1, draws=250))
        check = fit.check(replicates=99)
        assert np.isfinite(check.values).all()
        assert check.table()["observed"]["detected"] == history.n_individuals


def test_what_a_removed_animal_would_have_done_is_drawn():
    rows = [("A", "River 1-1", 1), ("A", "River 1-2", 2), ("B", "River 3-3", 2)]
    captures = pd.DataFrame(rows, columns=["individual", "station", "occasion"]).assign(died=[0, 1, 0])
    history = lp.CaptureHistory.from_tables(captures, made.stations("1"), occasions=6, effort_unit="day")
    assert history.arrays("1").exposure.tolist() == [2, 6]
    fit = made.quiet(lambda: lp.SCR().fit(history, made.mask(), seed=1, draws=250))
    theta = fit.theta[0, 0]
    later = []
    for seed in range(30):
        surveyed = survey_session(
            fit.problem, theta, 0, fit.problem.evaluate(theta)[0], 99, np.random.default_rng(seed)
        )
        mine = surveyed.row[surveyed.animal] == 0
        assert (surveyed.animal[mine & (surveyed.occasion < 2)] < 2).all()
        later.append(((surveyed.animal == 0) & (surveyed.occasion >= 2)).sum())
        assert ((surveyed.animal == 1).sum()) == 1
    assert max(later) > 0


def test_a_loaded_fit_says_the_same_and_a_hidden_one_says_why_not(tmp_path):
    fit = made.fit("sex")
    again = lp.load_fit(fit.save(tmp_path / "fit.nc"))
    pd.testing.assert_frame_equal(fit.check(replicates=99).table(), again.check(replicates=99).table())
    hidden = lp.load_fit(fit.save(tmp_path / "hidden.nc", coordinates="hidden"))
    with pytest.raises(lp.errors.ModelError, match="positions were removed"):
        hidden.check()


@pytest.mark.parametrize("wrong", [0, 98, -1, 1.5, "many"])
def test_too_few_replicates_are_refused(wrong):
    with pytest.raises(lp.errors.ModelError, match="Give 99 or more"):
        made.fit("null").check(replicates=wrong)


def test_the_seed_decides():
    fit = made.fit("null")
    first, second = (fit.check(replicates=99, seed=seed).table()["p"] for seed in (1, 2))
    assert not first.equals(second)
    assert first.equals(fit.check(replicates=99, seed=1).table()["p"])


@pytest.mark.verification
def test_one_animal_with_five_times_the_detections_is_flagged():
    found = check_power.look("one_animal", range(4))
    assert found.flagged >= 0.75
    assert (found.p["most"] < 0.05).sum() >= 3


def test_it_shows_itself_in_words_and_figures():
    check = fitted("sex").check(replicates=99)
    text = repr(check)
    assert "Could the model have made these data?" in text
    assert "animals detected once" in text
    assert "<table>" in check._repr_html_()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        axes = check.plot()
        assert len(axes) == len(check.statistics)
        assert f"{len(check.statistics)} statistics" in axes.figure.alt_text
        panels = check.plot_residuals()
    assert len(panels) == 2
    assert "50 stations" in panels.figure.caption
