"""Detection that varies by occasion and with an animal's past, against the naive likelihood."""

from __future__ import annotations

import itertools
import math
import zlib
from functools import cache

import numpy as np
import pandas as pd
import pytest

import leopardpop as lp
from leopardpop.models.problem import Problem
from tests.models.test_likelihood import DETECTORS, baseline, finite_differences, hard_working_stations, near
from tests.reference.datasets import PlainSurvey, library_history, library_masks
from tests.reference.designs import Design, make_survey
from tests.reference.scr import PlainSession
from tests.reference.varying import varying_pieces

FUNCTIONS = ("HalfNormal", "ProbabilityHalfNormal", "Exponential")


@cache
def survey_with_past(
    detector: str, mask: str = "lattice", sex: str = "none", layout: str = "one session"
) -> PlainSurvey:
    """A small survey with removals, off-days and covariates of occasions, whose animals come back to stations."""
    survey = make_survey(Design(detector=detector, layout=layout, mask=mask, effort="varying", removal=True, sex=sex))
    rng = np.random.default_rng(zlib.crc32(f"{detector} {mask} {sex} {layout}".encode()))
    for session in survey.sessions:
        lengthen(rng, session, detector)
    return survey


def lengthen(rng: np.random.Generator, session: PlainSession, detector: str) -> None:
    """Four more occasions, on which animals are mostly seen where they were before."""
    n_stations, n_occasions = session.effort.shape
    more = np.round(rng.uniform(0.5, 3.0, (n_stations, 4)), 1) * (session.effort.max(1, keepdims=True) > 0)
    more[:2, 1] = 0.0
    session.effort = np.hstack([session.effort, more])
    for i in range(len(session.animals)):
        if session.exposure[i] < n_occasions:
            continue
        session.exposure[i] = n_occasions + 4
        known = sorted({k for k, _ in session.history(i)})
        for s in range(n_occasions, session.exposure[i]):
            chosen = [k for k in known if session.effort[k, s] > 0 and rng.random() < 0.6]
            chosen = chosen[:1] if detector == "multi" else chosen
            session.detections += [(i, k, s, 1 + (detector == "count") * int(rng.integers(3))) for k in chosen]
    shape = session.effort.shape
    session.occasion_covariates = {
        "rain": list(rng.normal(size=shape[1])),
        "moon": [("new", "full")[s % 2] for s in range(shape[1])],
    }
    bait = np.where(session.effort > 0, rng.normal(size=shape), np.nan)
    session.visit_covariates = {"bait": bait.tolist()}


FORMULAS: dict[str, tuple[str, str, dict[str, float], dict[str, float]]] = {
    "bk": ("~ bk", "~ 1", {"bk[caught]": 1.1}, {}),
    "b": ("~ b", "~ 1", {"b[caught]": -0.7}, {}),
    "B + Bk": ("~ B + Bk", "~ 1", {"B[caught]": 0.5, "Bk[caught]": 0.8}, {}),
    "b + bk, sigma bk": ("~ b + bk", "~ bk", {"b[caught]": -0.4, "bk[caught]": 1.3}, {"bk[caught]": -0.3}),
    "trend": ("~ trend", "~ 1", {"trend": 0.15}, {}),
    "occasion": ("~ moon", "~ rain", {"moon[new]": 0.4}, {"rain": 0.2}),
    "bait": ("~ bait + lure", "~ canopy", {"bait": 0.5, "lure[yes]": 0.4}, {"canopy": 0.004}),
    "everything": (
        "~ lure + bait + bk * trend", "~ rain + B",
        {"lure[yes]": 0.4, "bait": 0.3, "bk[caught]": 0.9, "trend": -0.1, "bk[caught]:trend": 0.05},
        {"rain": 0.1, "B[caught]": 0.2},
    ),
}  # fmt: skip


def make_model(function: str, formulas: str, sex: str) -> tuple[lp.SCR, dict[str, float]]:
    """A model, and coefficients that make neither certain nor hopeless detection."""
    first, second, slopes, of_sigma = FORMULAS[formulas]
    name, by_sex = baseline(function), sex != "none"
    values = {"D[Intercept]": math.log(0.25), "D[snow]": 0.012, f"{name}[Intercept]": math.log(0.08)}
    values |= {f"{name}[{label}]": value for label, value in slopes.items()}
    values |= {"sigma[Intercept]": math.log(1100.0)}
    values |= {f"sigma[{label}]": value for label, value in of_sigma.items()}
    if by_sex:
        values |= {f"{name}[sex[M]]": 0.3, "pmix[M]": -0.4}
    detection = getattr(lp, function)(**{name: f"{first} + sex" if by_sex else first, "sigma": second})
    return lp.SCR(density="~ snow", detection=detection, classes="sex" if by_sex else None), values


def prepare(
    detector: str, function: str, formulas: str, mask: str, sex: str, layout: str = "one session"
) -> tuple[Problem, PlainSurvey, dict[str, float], np.ndarray]:
    survey = survey_with_past(detector, mask, sex, layout)
    model, values = make_model(function, formulas, sex)
    problem = Problem(model, library_history(survey), library_masks(survey))
    return problem, survey, values, problem.to_theta(np.array([values[label] for label in problem.labels]))


@pytest.mark.parametrize("formulas", FORMULAS)
@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("detector", DETECTORS)
def test_agrees_with_the_naive_likelihood(detector: str, function: str, formulas: str) -> None:
    for mask, sex in itertools.product(("lattice", "irregular"), ("none", "partly known")):
        if function == "Exponential" and (mask == "lattice") == (sex == "none"):
            continue  # one form for both masks
        problem, survey, values, theta = prepare(detector, function, formulas, mask, sex)
        expected = varying_pieces(survey, function, values, None if sex == "none" else "sex")
        assert problem.log_likelihood(theta) == near(sum(piece.poisson() for piece in expected)), (mask, sex)


@pytest.mark.parametrize("formulas", ["b + bk, sigma bk", "everything"])
@pytest.mark.parametrize("detector", DETECTORS)
def test_several_sessions(detector: str, formulas: str) -> None:
    problem, survey, values, theta = prepare(
        detector, "ProbabilityHalfNormal", formulas, "lattice", "known", "two sessions"
    )
    expected = varying_pieces(survey, "ProbabilityHalfNormal", values, "sex")
    assert problem.log_likelihood(theta) == near(sum(piece.poisson() for piece in expected))


@pytest.mark.parametrize("formulas", ["bk", "b + bk, sigma bk", "bait", "everything"])
@pytest.mark.parametrize("mask", ["lattice", "irregular"])
@pytest.mark.parametrize("function", ["HalfNormal", "ProbabilityHalfNormal"])
@pytest.mark.parametrize("detector", DETECTORS)
def test_gradient(detector: str, function: str, mask: str, formulas: str) -> None:
    problem, _, _, theta = prepare(detector, function, formulas, mask, "partly known")
    expected = finite_differences(problem.log_likelihood, theta)
    value, gradient = problem.log_likelihood_gradient(theta)
    assert value == pytest.approx(problem.log_likelihood(theta), rel=1e-12)
    assert gradient == pytest.approx(expected, rel=1e-6, abs=1e-6 * np.abs(expected).max())


@pytest.mark.parametrize("mask", ["lattice", "irregular"])
@pytest.mark.parametrize("detector", DETECTORS)
def test_where_animals_live(detector: str, mask: str) -> None:
    """Animals that were never detected are naive: the void, and all that is derived from it."""
    problem, survey, values, theta = prepare(detector, "HalfNormal", "everything", mask, "partly known")
    (piece,) = varying_pieces(survey, "HalfNormal", values, "sex")
    assert problem.pdot(theta)[0] == pytest.approx(piece.detectable, rel=1e-9, abs=1e-14)
    assert problem.undetected(theta)[0].sum(0) == pytest.approx(piece.undetected, rel=1e-9)
    assert problem.centres(theta)[0] == pytest.approx(piece.centres, rel=1e-8, abs=1e-14)
    assert problem.classes(theta)[0] == pytest.approx(piece.class_shares, rel=1e-8, abs=1e-14)
    pointwise = problem.pointwise(np.stack([theta, theta + 0.01]))
    assert pointwise.capture[0] == near(piece.capture())
    again = problem.pointwise(theta + 0.01)
    assert pointwise.capture[1] == near(again.capture)


@pytest.mark.parametrize("formulas", ["b", "everything"])
@pytest.mark.parametrize("detector", DETECTORS)
def test_graph_agrees(detector: str, formulas: str) -> None:
    """The PyTensor form, at the coefficients that it reports itself."""
    pytensor = pytest.importorskip("pytensor")
    problem, survey, _, _ = prepare(detector, "HalfNormal", formulas, "irregular", "none")
    model = problem.model.build(problem.history, library_masks(survey))
    betas = [v for v in model.deterministics if v.name.endswith("_beta")]
    outputs = model.replace_rvs_by_values([model.logp(vars=model.potentials), *betas])
    graph = pytensor.function(model.value_vars, outputs, mode="FAST_COMPILE", on_unused_input="ignore")
    value, *found = graph(**model.initial_point())
    coefficients = [
        (f"{v.name.removesuffix('_beta')}[{label}]", float(b))
        for v, beta in zip(betas, found, strict=True)
        for label, b in zip(model.coords[f"{v.name.removesuffix('_beta')}_coef"], beta, strict=True)
    ]
    expected = varying_pieces(survey, "HalfNormal", dict(coefficients))
    assert float(value) == near(sum(piece.poisson() for piece in expected))


HARD = {
    "sigma 60 m": {"sigma": math.log(60.0)},
    "hardly ever detected": {"lambda0": math.log(1e-9), "g0": math.log(1e-9)},
    "always detected": {"lambda0": math.log(30.0), "g0": 12.0},
}
BOLD = {"far bolder": 25.0, "far shyer": -25.0}


@pytest.mark.parametrize("mask", ["lattice", "irregular"])
@pytest.mark.parametrize("function", ["HalfNormal", "ProbabilityHalfNormal"])
@pytest.mark.parametrize("detector", DETECTORS)
def test_extreme_values(detector: str, function: str, mask: str) -> None:
    """Where experience changes the hazard by ten orders of magnitude, nothing cancels that matters."""
    problem, survey, values, _ = prepare(detector, function, "bk", mask, "none")
    name = baseline(function)
    changes = [{f"{k}[Intercept]": v for k, v in each.items()} for each in HARD.values()]
    changes += [{f"{name}[bk[caught]]": shift} for shift in BOLD.values()]
    for change in changes:
        here = values | {label: value for label, value in change.items() if label in values}
        theta = problem.to_theta(np.array([here[label] for label in problem.labels]))
        expected = sum(piece.poisson() for piece in varying_pieces(survey, function, here))
        value, gradient = problem.log_likelihood_gradient(theta)
        assert value == near(expected), change
        assert np.isfinite(gradient).all()


@pytest.mark.parametrize("mask", ["lattice", "irregular"])
@pytest.mark.parametrize("formulas", ["b + bk, sigma bk", "occasion", "trend"])
@pytest.mark.parametrize("detector", DETECTORS)
def test_without_an_effect_it_is_the_plain_model(detector: str, formulas: str, mask: str) -> None:
    """Uncollapsed equals collapsed: with all effects zero the stations' units are alike."""
    problem, survey, values, _ = prepare(detector, "HalfNormal", formulas, mask, "none")
    zero = {label: value if "Intercept" in label or label.startswith("D[") else 0.0 for label, value in values.items()}
    plain = {label: zero[label] for label in ("D[Intercept]", "D[snow]", "lambda0[Intercept]", "sigma[Intercept]")}
    expected = lp.SCR(density="~ snow").log_likelihood(
        problem.history, library_masks(survey), parameters=pd.Series(plain)
    )
    found = problem.log_likelihood(problem.to_theta(np.array([zero[label] for label in problem.labels])))
    assert found == near(expected)


def test_a_model_without_such_terms_has_its_stations() -> None:
    survey = survey_with_past("multi")
    history, masks = library_history(survey), library_masks(survey)
    plain = Problem(lp.SCR(detection=lp.HalfNormal(lambda0="~ lure")), history, masks)
    assert plain.units[0].arrays is plain.data[0]
    assert plain.sessions[0].terms.combine is None


@pytest.mark.parametrize("n_occasions, effort", [(300, 3.0), (3, 600.0), (3, 1050.0)])
@pytest.mark.parametrize("function", ["HalfNormal", "ProbabilityHalfNormal"])
@pytest.mark.parametrize("detector", DETECTORS)
def test_total_hazards_of_hundreds(detector: str, function: str, n_occasions: int, effort: float) -> None:
    """Hazards that are small for naive animals and hundreds for known ones."""
    survey = hard_working_stations(detector, n_occasions, effort)
    name = baseline(function)
    model = lp.SCR(detection=getattr(lp, function)(**{name: "~ bk"}))
    problem = Problem(model, library_history(survey), library_masks(survey))
    values = {"D[Intercept]": 0.0, f"{name}[Intercept]": math.log(1e-3), f"{name}[bk[caught]]": 6.8}
    values["sigma[Intercept]"] = math.log(1500.0)
    theta = problem.to_theta(np.array([values[label] for label in problem.labels]))
    value, gradient = problem.log_likelihood_gradient(theta)
    assert value == near(sum(piece.poisson() for piece in varying_pieces(survey, function, values)))
    assert np.isfinite(gradient).all()
