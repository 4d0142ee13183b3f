"""Animals detected once left out, because some may be misread identities: likelihood, gradient, results, words."""

from __future__ import annotations

import math
import warnings
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import leopardpop as lp
from leopardpop.errors import DataError, LeopardpopError, ModelError
from leopardpop.models.ghosts import expected_singles
from leopardpop.models.likelihood.dense import DenseForm
from leopardpop.models.likelihood.session import SessionLikelihood
from tests.reference.coefficients import survey_pieces
from tests.reference.datasets import PlainSurvey, library_history, library_masks
from tests.reference.designs import CLASSES, Design, make_survey
from tests.reference.scr import without_singles
from tests.verification.surveys import draw_truth, fits_the_rule, informative_priors, small_design

TRUTH = {"D": 0.1, "lambda0": 0.12, "sigma": 2000.0}
DESIGNS = [
    Design(detector=detector, layout=layout, mask=mask, effort=effort, sex=sex, removal=False)
    for detector in ("count", "proximity", "multi")
    for layout, mask, effort, sex in [
        ("one session", "lattice", "varying", "none"),
        ("two sessions", "lattice", "one", CLASSES[-1]),
        ("one session", "irregular", "varying", CLASSES[1]),
    ]
]
FUNCTIONS = ["HalfNormal", "ProbabilityHalfNormal", "HazardRate"]


def values_of(function: str, sex: str, height: float = 0.06) -> dict[str, float]:
    """Values on the link scale."""
    baseline = "g0" if function.startswith("Probability") else "lambda0"
    level = math.log(height / (1 - height)) if baseline == "g0" else math.log(height)
    values = {"D[Intercept]": math.log(0.25), f"{baseline}[Intercept]": level, "sigma[Intercept]": math.log(1100.0)}
    if sex != "none":
        values |= {f"{baseline}[sex[M]]": 0.3, "sigma[sex[M]]": 0.35, "pmix[M]": -0.4}
    return values | ({"z[Intercept]": math.log(3.5)} if function == "HazardRate" else {})


def model_of(function: str, sex: str) -> lp.SCR:
    formula = "~ 1" if sex == "none" else "~ sex"
    baseline = "g0" if function.startswith("Probability") else "lambda0"
    detection = getattr(lp, function)(**{baseline: formula, "sigma": formula})
    return lp.SCR(detection=detection, classes=None if sex == "none" else "sex", ghosts=True)


def survey_of(design: Design) -> PlainSurvey:
    """The survey of a design, of which the first animal of each session was detected once."""
    sessions = []
    for session in make_survey(design).sessions:
        first, *_ = (d for d in session.detections if d[0] == 0)
        rest = [d for d in session.detections if d[0] != 0]
        sessions.append(replace(session, detections=[(*first[:3], 1), *rest]))
    return replace(make_survey(design), sessions=sessions)


def quiet_fit(model: lp.SCR, history: lp.CaptureHistory, mask: lp.Mask, **options: Any) -> lp.Fit:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", lp.errors.LeopardpopWarning)
        return model.fit(history, mask, seed=1, **options)


def naive(survey: PlainSurvey, function: str, values: dict[str, float], sex: str) -> float:
    reduced = replace(survey, sessions=[without_singles(session) for session in survey.sessions])
    pieces = survey_pieces(reduced, function, values, None if sex == "none" else "sex", singles=False)
    return sum(piece.poisson() for piece in pieces)


@cache
def simulated(detector: str = "proximity") -> tuple[lp.CaptureHistory, lp.Mask]:
    design, mask = small_design(detector)
    return lp.SCR().simulate(design, mask, parameters=TRUTH, seed=4).history, mask


def misread(history: lp.CaptureHistory, share: float, seed: int) -> lp.CaptureHistory:
    """A share of all detections get an identity of their own."""
    rows = history.detections[["individual", "station", "occasion"]].copy()
    ghost = np.random.default_rng(seed).random(len(rows)) < share
    rows.loc[ghost, "individual"] = [f"ghost {i}" for i in range(ghost.sum())]
    return lp.CaptureHistory.from_tables(rows, history.stations, occasions=5, detector="proximity")


@cache
def fitted() -> lp.Fit:
    history, mask = simulated()
    return quiet_fit(lp.SCR(ghosts=True), misread(history, 0.35, 1), mask)


# -- likelihood -------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("design", DESIGNS, ids=str)
def test_agrees_with_the_naive_likelihood(design: Design, function: str) -> None:
    survey = survey_of(design)
    values = values_of(function, design.sex)
    ours = model_of(function, design.sex).log_likelihood(
        library_history(survey), library_masks(survey), parameters=pd.Series(values)
    )
    assert ours == pytest.approx(naive(survey, function, values, design.sex), rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("design", DESIGNS, ids=str)
def test_gradient(design: Design, function: str) -> None:
    survey = survey_of(design)
    values = values_of(function, design.sex)
    problem = model_of(function, design.sex)._problem(library_history(survey), library_masks(survey))
    theta = problem.to_theta(np.array([values[label] for label in problem.labels]))
    for gradient in (problem.log_likelihood_gradient, problem.gradient):
        steps = 1e-5 * np.eye(len(theta))
        differences = [(gradient(theta + e)[0] - gradient(theta - e)[0]) / 2e-5 for e in steps]
        assert gradient(theta)[1] == pytest.approx(np.array(differences), rel=2e-6, abs=1e-6)


@pytest.mark.parametrize("height", [1e-4, 0.05, 0.4, 0.49, 3.0])
@pytest.mark.parametrize("function", FUNCTIONS[:2])
@pytest.mark.parametrize("detector", ["count", "proximity", "multi"])
def test_series_on_a_lattice_and_many_draws_agree_with_every_pair(detector: str, function: str, height: float) -> None:
    """From baselines at which one term is enough to those at which the series gives way to the dense form."""
    if function == "ProbabilityHalfNormal" and height > 1:
        return
    history, mask = simulated(detector)
    problem = model_of(function, "none")._problem(history, mask)
    values = values_of(function, "none", height)
    theta = problem.to_theta(np.array([values[label] for label in problem.labels]))
    (session,) = problem.sessions
    dense = SessionLikelihood(session.terms, DenseForm(session.terms, problem.model.detection), 1)
    (slow,) = problem._of_sessions(theta, lambda s, *at: dense.evaluate(*at))
    (quick,), (many,) = problem.evaluate(theta), problem.evaluate_many(theta[None])
    assert quick.detected == pytest.approx(slow.detected, rel=1e-11)
    assert quick.log_history == pytest.approx(slow.log_history, rel=1e-10)
    assert many.detected[0] == pytest.approx(slow.detected, rel=1e-10)
    assert many.undetected.sum() == pytest.approx(slow.expected - slow.detected, rel=1e-10)


def test_by_hand() -> None:
    """One station, one cell on it, λ = 0.5, three occasions of effort 1; one animal detected twice, one once.

    p = 1 − exp(−0.5); Pr(twice) = 3 p² (1 − p), of this history p² (1 − p); fewer than two (1 − p)³ + 3 p (1 − p)².
    """
    stations = pd.DataFrame({"station": ["A"], "x": [0.0], "y": [0.0]})
    captures = pd.DataFrame({"individual": ["i", "i", "j"], "station": "A", "occasion": [1, 3, 2]})
    history = lp.CaptureHistory.from_tables(captures, stations, occasions=3)
    mask = lp.Mask.from_table(pd.DataFrame({"x": [0.0], "y": [0.0]}), cell_area=4.0)
    p = 1 - math.exp(-0.5)
    expected = math.log(2.0 * p**2 * (1 - p)) - 2.0 * (1 - (1 - p) ** 3 - 3 * p * (1 - p) ** 2)
    values = {"D": 0.5, "lambda0": 0.5, "sigma": 1000.0}
    assert lp.SCR(ghosts=True).log_likelihood(history, mask, parameters=values) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("detector", ["count", "proximity", "multi"])
def test_graph_agrees(detector: str) -> None:
    history, mask = simulated(detector)
    model = lp.SCR(ghosts=True)
    problem = model._problem(history, mask)
    built = model.build(history, mask)
    point = built.initial_point()
    theta = np.array([float(point[f"{name}_reference_log__"]) for name in ("D", "lambda0", "sigma")])
    assert float(built.compile_logp()(point)) == pytest.approx(problem.value(theta), abs=1e-8)
    many = np.stack([theta, theta + 0.1])
    assert problem.log_posteriors(many, problem.pointwise(many)) == pytest.approx(
        [problem.value(each) for each in many], abs=1e-8
    )


# -- results ----------------------------------------------------------------------------------------------------------
def test_results_are_of_all_animals_and_the_data_keep_the_singles(tmp_path: Path) -> None:
    fit, plain = fitted(), simulated()[0]
    n_twice = int((fit.history.detections.groupby("individual").size() > 1).sum())
    assert fit.history.n_individuals > plain.n_individuals
    assert fit.data_tree["log_likelihood"].sizes["individual"] == n_twice
    assert fit.activity_centres().sizes["individual"] == n_twice
    assert fit.posterior["N"].min() >= n_twice
    expected = fit.posterior["E_N"]
    assert float((fit.posterior["N"] - expected).mean()) == pytest.approx(0.0, abs=0.05 * float(expected.mean()))
    again = lp.load_fit(fit.save(tmp_path / "fit.nc"))
    assert again.model == fit.model
    assert again.history == fit.history
    pd.testing.assert_frame_equal(again.singletons(), fit.singletons())


def test_singles_observed_against_expected() -> None:
    """A third of the detections misread: more animals were detected once than the others lead one to expect."""
    table = fitted().singletons()
    history = fitted().history
    assert table.loc["1", "observed"] == (history.detections.groupby("individual").size() == 1).sum()
    row = table.loc["1"]
    assert row["probability"] < 0.025
    assert row["observed"] > row["upper"]
    assert row["ghosts"] == pytest.approx(row["observed"] - row["expected"])
    diagnostics = fitted().diagnostics().set_index("quantity").loc["animals detected once"]
    assert diagnostics["verdict"] == "note"
    assert "too many" in diagnostics["advice"]
    assert "ghost 0" in diagnostics["advice"]


def test_without_ghosts_there_are_no_more_singles_than_expected() -> None:
    history, mask = simulated()
    fit = quiet_fit(lp.SCR(ghosts=True), history, mask)
    row = fit.singletons().loc["1"]
    assert row["lower"] <= row["observed"] <= row["upper"]
    assert fit.diagnostics().set_index("quantity").loc["animals detected once", "verdict"] == "ok"
    truth = {name: math.log(value) for name, value in TRUTH.items()}
    (found,) = expected_singles(fit.problem, np.array([truth[p] for p in ("D", "lambda0", "sigma")]))
    many = [lp.SCR().simulate(history, mask, parameters=TRUTH, seed=s).history.detections for s in range(60)]
    singles = [(each.groupby("individual").size() == 1).sum() for each in many]
    assert found == pytest.approx(np.mean(singles), abs=4 * np.sqrt(found / 60))


def test_the_report_says_what_was_left_out(tmp_path: Path) -> None:
    text = fitted().report(tmp_path / "report.md").read_text()
    assert "detected once are left out (Kodi et al. 2024)" in text
    assert "fewer than twice" in text
    assert "e^{T_{ks}\\,\\lambda_k(x)} - 1" in text
    assert "kodi2024" in fitted().cite()


# -- bad input --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "arguments,message",
    [
        ({"ghosts": "yes"}, "True .* or False"),
        ({"ghosts": True, "counts": "negbin"}, "one burst"),
        ({"ghosts": True, "detection": lp.HalfNormal(lambda0="~ bk")}, "response to capture"),
    ],
)
def test_what_is_refused(arguments: dict[str, object], message: str) -> None:
    history, mask = simulated()
    with pytest.raises(ModelError, match=message):
        lp.SCR(**arguments).log_likelihood(history, mask, parameters=TRUTH)


def test_an_animal_removed_at_its_only_detection() -> None:
    stations = pd.DataFrame({"station": list("AB"), "x": [0.0, 1000.0], "y": [0.0, 0.0]})
    captures = pd.DataFrame(
        {"individual": ["i", "i", "j"], "station": list("ABA"), "occasion": [1, 2, 1], "died": [0, 0, 1]}
    )
    history = lp.CaptureHistory.from_tables(captures, stations, occasions=3)
    mask = lp.Mask.around(history, buffer=3000, spacing=500)
    with pytest.raises(DataError, match="animal 'j' was removed at its only detection"):
        lp.SCR(ghosts=True).log_likelihood(history, mask, parameters=TRUTH)


def test_singletons_of_a_plain_fit_are_refused() -> None:
    history, mask = simulated()
    fit = quiet_fit(lp.SCR(), history, mask)
    with pytest.raises(LeopardpopError, match="ghosts=True"):
        fit.singletons()


def test_only_singles_leave_a_posterior_of_the_priors() -> None:
    history, mask = simulated()
    once = history.detections.drop_duplicates("individual")[["individual", "station", "occasion"]]
    alone = lp.CaptureHistory.from_tables(once, history.stations, occasions=5, detector="proximity")
    fit = quiet_fit(lp.SCR(ghosts=True), alone, mask)
    assert fit.trusted
    assert "No animal" in fit.diagnostics().set_index("quantity").loc["animals", "advice"]
    assert fit.singletons().loc["1", "observed"] == history.n_individuals


# -- does it help -----------------------------------------------------------------------------------------------------
@pytest.mark.verification
@pytest.mark.timeout(900)
def test_coverage_over_the_prior_with_a_quarter_of_detections_misread() -> None:
    """Truths from the prior: with ghosts left out 95 % intervals of N hold; with ghosts taken for animals they fail."""
    design, mask = small_design()
    priors, rng = informative_priors(), np.random.default_rng(11)
    held: dict[bool, list[bool]] = {True: [], False: []}
    ratio: dict[bool, list[float]] = {True: [], False: []}
    while len(held[True]) < 120:
        sim = lp.SCR().simulate(design, mask, parameters=draw_truth(priors, rng), seed=int(rng.integers(2**31)))
        if not fits_the_rule(sim.history):
            continue
        history = misread(sim.history, 0.25, int(rng.integers(2**31)))
        truth = float(sim.truth.N.iloc[0])
        for ghosts in (True, False):
            fit = quiet_fit(lp.SCR(ghosts=ghosts, priors=priors), history, mask, engine="laplace", draws=500)
            low, middle, high = np.quantile(fit.posterior["N"], [0.025, 0.5, 0.975])
            held[ghosts].append(bool(low <= truth <= high))
            ratio[ghosts].append(middle / truth)
    assert np.mean(held[True]) > 0.88
    assert np.mean(held[False]) < 0.7
    assert np.median(ratio[True]) == pytest.approx(1.0, abs=0.12)
    assert np.median(ratio[False]) > 1.25
