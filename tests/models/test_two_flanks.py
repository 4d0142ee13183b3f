"""Two flanks: the likelihood against its written-out form, its gradient, and what it reduces to."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

import leopardpop as lp
from leopardpop.errors import LeopardpopWarning, ModelError
from leopardpop.models.flank_problem import FlankProblem
from tests.reference.flanks import likelihood

STATIONS = pd.DataFrame(
    {
        "station": ["A", "B", "C", "D"],
        "x": [0, 2000, 0, 2000],
        "y": [0, 0, 2000, 2000],
        "pair": [True, True, False, True],
    }
)
CAPTURES = pd.DataFrame(
    [
        ("W", "A", 1, "both"),
        ("W", "B", 2, "left"),
        ("L1", "A", 1, "left"),
        ("L1", "B", 2, "left"),
        ("L2", "D", 3, "left"),
        ("R1", "A", 2, "right"),
        ("R1", "C", 3, "right"),
        ("R2", "D", 3, "right"),
        ("R3", "C", 1, "right"),
    ],
    columns=["individual", "station", "occasion", "flank"],
)
AT = {"D": 0.5, "lambda0": 0.3, "sigma": 1500.0}


@pytest.fixture(params=["proximity", "count"])
def history(request):
    return lp.CaptureHistory.from_tables(CAPTURES, STATIONS, occasions=3, detector=request.param)


def mask_of(history):
    return lp.Mask.around(history, buffer=4000, spacing=1000)


def naive(history, mask, at, chances):
    data = history.arrays("1")
    sides = {"W": "B", "L1": "L", "L2": "L", "R1": "R", "R2": "R", "R3": "R"}
    rows = [
        (
            sides[name],
            [(data.station[r], data.occasion[r], *data.flanks[r]) for r in np.flatnonzero(data.individual == i)],
        )
        for i, name in enumerate(data.individuals)
    ]
    cells = np.column_stack([mask.x, mask.y])
    at = (at["D"], at["lambda0"], at["sigma"])
    return likelihood(rows, data.xy, data.effort, cells, mask.area, at, chances, detector=history.detector)


def flank_factor(chances):
    """log of the chances of the flanks that the records show: what the library leaves out."""
    place = {name: k for k, name in enumerate(STATIONS["station"])}
    column = {"left": 0, "right": 1, "both": 2}
    rows = CAPTURES.itertuples()
    return sum(np.log(chances[place[row.station]][column[row.flank]]) for row in rows)


def test_agrees_with_the_written_out_likelihood(history):
    mask = mask_of(history)
    chances = np.array([[0.15, 0.15, 0.7], [0.3, 0.2, 0.5], [0.5, 0.5, 0.0], [0.1, 0.1, 0.8]])
    ours = lp.TwoFlanks().log_likelihood(history, mask, parameters=AT)
    assert ours + flank_factor(chances) == pytest.approx(naive(history, mask, AT, chances), abs=1e-9)


@pytest.mark.parametrize(
    "model",
    [lp.SCR(), lp.SCR(detection=lp.Exponential()), lp.SCR(classes="sex", detection=lp.HalfNormal(sigma="~ sex"))],
    ids=["half-normal", "exponential", "sexes"],
)
def test_gradient_agrees_with_differences(history, model):
    if model.classes:
        sexes = pd.DataFrame({"individual": ["W", "L1", "R1", "L2"], "sex": ["F", "M", "F", None]})
        history = lp.CaptureHistory.from_tables(
            CAPTURES, STATIONS, occasions=3, detector=history.detector, individuals=sexes
        )
    problem = FlankProblem(model, history, mask_of(history))
    theta = problem.starts()[0] + 0.1
    value, gradient = problem.gradient(theta)
    steps = 1e-5 * np.eye(len(theta))
    differences = [(problem.value(theta + step) - problem.value(theta - step)) / 2e-5 for step in steps]
    np.testing.assert_allclose(gradient, differences, rtol=1e-5, atol=1e-6)
    assert problem.value(theta) == pytest.approx(value, abs=1e-9)
    both = np.stack([theta, theta])
    np.testing.assert_allclose(problem.log_posteriors(both, problem.pointwise(both)), value, atol=1e-8)


def test_without_right_identities_it_is_the_plain_model():
    history = lp.CaptureHistory.from_tables(CAPTURES[:5], STATIONS, occasions=3)
    mask = mask_of(history)
    plain = lp.SCR().log_likelihood(history, mask, parameters=AT)
    two = lp.TwoFlanks().log_likelihood(history, mask, parameters=AT)
    assert plain - two == pytest.approx(-np.log(6) + np.log(2), abs=1e-9)  # 3! animals, 1! · 2! identities


def test_mirrored_flanks_change_nothing(history):
    swapped = CAPTURES.replace({"flank": {"left": "right", "right": "left"}})
    other = lp.CaptureHistory.from_tables(swapped, STATIONS, occasions=3, detector=history.detector)
    mask, model = mask_of(history), lp.TwoFlanks()
    here, there = (model.log_likelihood(h, mask, parameters=AT) for h in (history, other))
    assert here == pytest.approx(there, abs=1e-9)


def test_sexes_and_occasions_keep_pairs_apart():
    sexes = pd.DataFrame({"individual": ["L1", "R1"], "sex": ["F", "M"]})
    for detector, never in (("proximity", {("L1", "R1"), ("L2", "R2")}), ("count", {("L1", "R1")})):
        history = lp.CaptureHistory.from_tables(CAPTURES, STATIONS, occasions=3, detector=detector, individuals=sexes)
        data, problem = history.arrays("1"), FlankProblem(lp.SCR(), history, mask_of(history))
        lists, names = problem.lists[0], data.individuals
        pairs = {(names[lists.left[a]], names[lists.right[b]]) for a, b in lists.pair}
        assert pairs == {(a, b) for a in ("L1", "L2") for b in ("R1", "R2", "R3")} - never


def test_fit_reports_pairs_numbers_and_bounds(history):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LeopardpopWarning)  # six identities at four stations: thin data
        fit = lp.TwoFlanks().fit(history, mask_of(history), engine="laplace", seed=1, draws=500)
    told = fit.photographed().loc["1"]
    assert (told["least"], told["most"]) == (4, 6)
    assert told["mean"] == pytest.approx(6 - fit.matches["probability"].sum(), abs=0.06)
    assert fit.matches["probability"].is_monotonic_decreasing
    assert fit.matches["probability"].between(0, 1).all()
    assert (fit.posterior["N"] >= 6 - fit.posterior["n_matched"]).all()
    assert fit.probability(0, 10_000) == 1.0
    assert "1 whole animal" in repr(fit)


def test_a_history_without_flanks_is_refused():
    plain = lp.CaptureHistory.from_tables(CAPTURES.drop(columns="flank"), STATIONS, occasions=3)
    with pytest.raises(ModelError, match="flank='each'"):
        lp.TwoFlanks().fit(plain, mask_of(plain))


def test_what_is_no_model_is_refused():
    with pytest.raises(ModelError, match=r"lp\.TwoFlanks\(model=lp\.SCR\(\)\)"):
        lp.TwoFlanks(model="sex")
    with pytest.raises(ModelError, match="binomial"):
        lp.TwoFlanks(model=lp.SCR(distribution="binomial"))
    with pytest.raises(ModelError, match="ghosts=True with two flanks"):
        lp.TwoFlanks(model=lp.SCR(ghosts=True))


def test_simulated_flanks_split_animals(history):
    sim = lp.TwoFlanks().simulate(
        history, mask_of(history), parameters=AT | {"D": 2.0}, both=0.5, paired="pair", seed=3
    )
    rows = sim.history.detections
    assert set(rows.columns) >= {"left", "right", "both"}
    assert not rows.loc[rows["station"] == "C", "both"].any()
    assert {name[-2:] for name in sim.history.individuals["individual"]} >= {"/L", "/R"}
    truth = set(sim.truth.population.query("detected")["animal"])
    assert {name.split("/")[0] for name in sim.history.individuals["individual"]} == truth
    with pytest.raises(ModelError, match="no such column"):
        lp.TwoFlanks().simulate(history, mask_of(history), parameters=AT, paired="pairs")


def test_records_of_a_survey_keep_both_lists():
    survey = lp.load_example("amur_leopard", seed=1, variant="single_cameras")
    options = {"species": "Panthera pardus", "start": "2024-02-01", "end": "2024-05-02", "occasion": "1D"}
    history = survey.capture_history(**options, flank="each")
    mask = lp.Mask.around(history, buffer=20_000, spacing=4_000)
    lists = FlankProblem(lp.SCR(), history, mask).lists[0]
    names = history.arrays("1").individuals
    assert {names[i][0] for i in lists.left} == {"L"}
    assert {names[i][0] for i in lists.right} == {"R"}
    left = survey.capture_history(**options, flank="left")
    assert left.n_individuals == len(lists.whole) + len(lists.left)
