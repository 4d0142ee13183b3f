"""Density over the land: trends, polynomials, splines and interactions of place, session and covariates."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytensor
import pytest
from numpy.typing import NDArray

import leopardpop as lp
from leopardpop.models.describe import theta_of
from leopardpop.models.problem import Problem
from leopardpop.results.predict import predict
from leopardpop.results.surface import density_surface
from tests.golden.secr import FITS, constants, load_survey
from tests.reference.coefficients import survey_pieces
from tests.reference.datasets import PlainSurvey, library_history, library_masks
from tests.reference.designs import Design, make_survey
from tests.results.standin import StandIn

DETECTION = {"lambda0[Intercept]": math.log(0.1), "sigma[Intercept]": math.log(1200.0)}

type Columns = dict[str, NDArray[np.float64]]


def polynomial(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Orthonormal polynomials of degree 1 and 2, by Gram and Schmidt."""
    powers = [np.ones_like(x)]
    for degree in (1, 2):
        rest = x**degree
        for done in powers:
            rest = rest - done * (done @ rest) / (done @ done)
        powers.append(rest / np.linalg.norm(rest))
    return np.column_stack(powers[1:])


def spline(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Cubic B-splines with one knot at the median."""
    from scipy.interpolate import BSpline

    knots = np.concatenate([[x.min()] * 4, [np.median(x)], [x.max()] * 4])
    return BSpline.design_matrix(x, knots, 3).toarray()


def by_hand(formula: str, x: NDArray[np.float64], y: NDArray[np.float64]) -> Columns:
    """Columns of a formula at x and y, km from the middle of the mask."""
    return {
        "~ x + y": {"x": x, "y": y},
        "~ x * y": {"x": x, "y": y, "x:y": x * y},
        "~ x + I(x**2)": {"x": x, "I(x ** 2)": x * x},
        "~ poly(x, 2)": {f"poly(x, 2)[{k + 1}]": column for k, column in enumerate(polynomial(x).T)},
    }[formula]


FORMULAS = ["~ x + y", "~ x * y", "~ x + I(x**2)", "~ poly(x, 2)", "~ bs(x, df=4)"]


def survey_of(layout: str = "one session", moved: float = 0.0) -> PlainSurvey:
    survey = make_survey(Design(detector="count", layout=layout))
    away = [replace(s, xy=s.xy + moved, cells=s.cells + moved) for s in survey.sessions]
    return replace(survey, sessions=away)


def problem_of(formula: str, survey: PlainSurvey) -> Problem:
    return Problem(lp.SCR(density=formula), library_history(survey), library_masks(survey))


def values_of(formula: str, problem: Problem) -> dict[str, float]:
    """Every slope a tenth or so, whatever the column."""
    names = [label for label in problem.labels if label.startswith("D[") and label != "D[Intercept]"]
    return DETECTION | {"D[Intercept]": -1.5} | {name: 0.2 - 0.1 * k for k, name in enumerate(names)}


@pytest.mark.parametrize("formula", FORMULAS[:4])
def test_agrees_with_columns_made_by_hand(formula: str) -> None:
    """Wherever on the map: six-digit coordinates must not eat the digits of a square."""
    survey = survey_of(moved=4_000_000.0)
    problem = problem_of(formula, survey)
    values = values_of(formula, problem)
    (session,) = survey.sessions
    x, y = ((session.cells - session.cells.mean(0)) / 1000.0).T
    columns = by_hand(formula, x, y)
    assert set(problem.labels) == {*DETECTION, "D[Intercept]", *(f"D[{name}]" for name in columns)}
    log_density = -1.5 + sum(values[f"D[{name}]"] * column for name, column in columns.items())
    session.cell_covariates["by_hand"] = np.asarray(log_density)
    naive = survey_pieces(survey, "HalfNormal", DETECTION | {"D[Intercept]": 0.0, "D[by_hand]": 1.0})
    ours = problem.log_likelihood(theta_of(problem, pd.Series(values)))
    assert ours == pytest.approx(sum(piece.poisson() for piece in naive), rel=1e-9)


def test_a_spline_is_one() -> None:
    """The library's basis is turned, but it is that of cubic splines with a knot at the median."""
    survey = survey_of(moved=4_000_000.0)
    problem = problem_of("~ bs(x, df=4)", survey)
    (session,) = survey.sessions
    x = (session.cells[:, 0] - session.cells[:, 0].mean()) / 1000.0
    log_density = spline(x) @ np.array([-1.0, -2.0, -1.2, -1.9, -0.8])
    matrix = problem.layout["D"].design.matrix
    beta = np.linalg.lstsq(matrix, log_density)[0]
    np.testing.assert_allclose(matrix @ beta, log_density, atol=1e-9)
    session.cell_covariates["by_hand"] = log_density
    naive = survey_pieces(survey, "HalfNormal", DETECTION | {"D[Intercept]": 0.0, "D[by_hand]": 1.0})
    ours = problem.log_likelihood(problem.to_theta(np.array([*beta, *DETECTION.values()])))
    assert ours == pytest.approx(sum(piece.poisson() for piece in naive), rel=1e-9)


@pytest.mark.parametrize("formula", [*FORMULAS, "~ x + session", "~ x * session"])
def test_gradient_and_graph(formula: str) -> None:
    problem = problem_of(formula, survey_of("two sessions"))
    theta = theta_of(problem, pd.Series(values_of(formula, problem)))
    _, gradient = problem.log_likelihood_gradient(theta)
    for j in range(len(theta)):
        step = np.zeros(len(theta))
        step[j] = 1e-5
        slope = (problem.log_likelihood(theta + step) - problem.log_likelihood(theta - step)) / 2e-5
        assert gradient[j] == pytest.approx(slope, rel=1e-5, abs=1e-5), problem.labels[j]
    model = problem.graph()
    outputs = [sum(model.potentials), *(model[f"{p.name}_beta"] for p in problem.layout.parameters)]
    graph = pytensor.function(model.value_vars, outputs, mode="FAST_COMPILE", on_unused_input="ignore")
    found, *betas = graph(**model.initial_point())
    assert found == pytest.approx(problem.log_likelihood(problem.to_theta(np.concatenate(betas))), rel=1e-9)


def test_trend_over_sessions_is_told_apart() -> None:
    """A trend of its own in each session."""
    problem = problem_of("~ x * session", survey_of("two sessions"))
    assert [label for label in problem.labels if label.startswith("D[")] == [
        "D[Intercept]", "D[x]", "D[session[2022]]", "D[x:session[2022]]",
    ]  # fmt: skip


def test_prediction_takes_metres() -> None:
    """The map of density is its prediction at the cells, whose coordinates are metres."""
    survey = survey_of(moved=500_000.0)
    problem = problem_of("~ x + I(y**2)", survey)
    theta = theta_of(problem, pd.Series(values_of("", problem)))
    fit = StandIn(problem, theta[None, None])
    mask = library_masks(survey)
    assert isinstance(mask, lp.Mask)
    predicted = predict(fit, "D", mask.table).values[0, 0]
    np.testing.assert_allclose(predicted, density_surface(fit)["D_mean"], rtol=1e-10)


def test_secrs_trend_over_the_map(shared: Path) -> None:
    """captdata D ~ x + y: secr's x and y are standardised by the mask, ours are km; the fits are one."""
    (known,) = [fit for fit in FITS if fit.name == "captdata D~x+y"]
    survey = load_survey(shared, known.survey)
    ours = lp.SCR(density="~ x + y", detection=lp.ProbabilityHalfNormal()).maximum_likelihood(
        library_history(survey), library_masks(survey)
    )
    assert ours.log_likelihood + constants(known, survey) == pytest.approx(known.log_likelihood(shared), abs=1e-4)
    sd = survey.sessions[0].cells.std(axis=0, ddof=1) / 1000.0
    published, errors = known.coefficients(shared), known.standard_errors(shared)
    for label, theirs, scale in [("D[x]", "D[east]", sd[0]), ("D[y]", "D[north]", sd[1])]:
        row = ours.coefficients.loc[label]
        assert row["estimate"] * scale == pytest.approx(published[theirs], abs=2e-3 * errors[theirs])
        assert row["se"] * scale == pytest.approx(errors[theirs], rel=0.01)


@pytest.mark.verification
def test_recovers_a_trend_and_a_hump() -> None:
    """Maximum likelihood over 40 surveys: the mean lies within three standard errors of the truth."""
    places = [(f"{x}-{y}", x, y) for x in range(0, 12_000, 1_500) for y in range(0, 12_000, 1_500)]
    design = lp.CaptureHistory.from_tables(None, pd.DataFrame(places, columns=["station", "x", "y"]), occasions=8)
    mask = lp.Mask.around(design, buffer=4_000, spacing=600)
    model = lp.SCR(density="~ x + I(x**2)")
    truth = {"D": 0.5, "D[x]": 0.1, "D[I(x ** 2)]": -0.02, "lambda0": 0.15, "sigma": 1_000.0}
    slopes = []
    for seed in range(40):
        sim = model.simulate(design, mask, parameters=truth, seed=seed)
        slopes.append(model.maximum_likelihood(sim.history, mask).coefficients["estimate"][["D[x]", "D[I(x ** 2)]"]])
    found = np.array(slopes, float)
    error = found.std(0, ddof=1) / np.sqrt(len(found))
    assert (abs(found.mean(0) - [0.1, -0.02]) < 3 * error).all()
