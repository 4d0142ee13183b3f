"""Sums of where animals can be, against the full tables: every detector and form, few and many sets of cells."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import leopardpop as lp
from leopardpop.models.describe import theta_of
from leopardpop.models.likelihood.placing import by_cell, share_by_set, total_hazard
from leopardpop.models.likelihood.separable import SeparableForm
from leopardpop.models.likelihood.together import Sets
from leopardpop.models.problem import Problem
from tests.reference.datasets import library_history, library_masks
from tests.reference.designs import Design, make_survey

FUNCTIONS = ("HalfNormal", "ProbabilityHalfNormal", "HazardRate")


def make_problem(detector: str, function: str, mask: str, *, sigma: float = 1100.0) -> tuple[Problem, np.ndarray]:
    survey = make_survey(Design(detector=detector, mask=mask, effort="varying", removal=True, sex="partly known"))
    detection = getattr(lp, function)(sigma="~ sex")
    problem = Problem(lp.SCR(detection=detection, classes="sex"), library_history(survey), library_masks(survey))
    baseline = "g0" if function.startswith("Probability") else "lambda0"
    values = {"D": 0.3, baseline: 0.08, "sigma": sigma, "sigma[sex[M]]": 0.3, "pmix": 0.4}
    if function == "HazardRate":
        values["z"] = 4.0
    return problem, theta_of(problem, values)


@pytest.mark.parametrize("n_sets", [1, 2, 20])
@pytest.mark.parametrize("mask", ["lattice", "irregular"])
@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("detector", ["count", "proximity", "multi"])
def test_sums_over_sets_of_cells(detector: str, function: str, mask: str, n_sets: int) -> None:
    """One draw at a time, and many in one call, are the sums of the full tables of centres."""
    problem, theta = make_problem(detector, function, mask)
    (session,), thetas = problem.sessions, theta + np.linspace(-0.1, 0.1, 3)[:, None]
    n_cells = len(session.terms.area)
    sets = Sets(np.random.default_rng(1).permutation(np.arange(n_cells) % n_sets), n_sets)
    (together,) = problem.evaluate_many(thetas, [sets])
    chances = together.chances[:, session.terms.history]
    for b, at in enumerate(thetas):
        (evaluation,) = problem.evaluate(at)
        np.testing.assert_allclose(chances[b].sum(2), session.classes(evaluation), rtol=1e-9)
        centres = session.centres(evaluation)
        by_set = np.stack([centres[:, sets.of_cell == a].sum(1) for a in range(n_sets)], axis=1)
        np.testing.assert_allclose(chances[b].sum(1), by_set, rtol=1e-9, atol=1e-14)
        np.testing.assert_allclose(together.log_history[b], evaluation.log_history, rtol=1e-12)
        missed = np.exp(evaluation.log_share)[:, None] * session.missed(evaluation) * evaluation.intensity
        by_set = np.stack([missed[:, sets.of_cell == a].sum(1) for a in range(n_sets)], axis=1)
        np.testing.assert_allclose(together.undetected[b], by_set, rtol=1e-12)
        np.testing.assert_allclose(together.detected[b], evaluation.detected, rtol=1e-12)
        np.testing.assert_allclose(together.expected[b], evaluation.expected, rtol=1e-12)
        for forward in evaluation.forwards:
            centres = session.form.centres(forward)
            by_set = np.stack([centres[:, sets.of_cell == a].sum(1) for a in range(n_sets)], axis=1)
            np.testing.assert_allclose(share_by_set(session.form, forward, sets), by_set, rtol=1e-9, atol=1e-14)


@pytest.mark.parametrize("function", ["HalfNormal", "ProbabilityHalfNormal"])
@pytest.mark.parametrize("detector", ["count", "proximity", "multi"])
def test_the_compiled_loops_serve_the_half_normals(detector: str, function: str) -> None:
    problem, _ = make_problem(detector, function, "lattice")
    form = problem.sessions[0].form
    assert isinstance(form, SeparableForm)
    assert form.plan is not None


@pytest.mark.parametrize("mask", ["lattice", "irregular"])
@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("detector", ["count", "proximity", "multi"])
def test_sums_over_animals_and_the_void(detector: str, function: str, mask: str) -> None:
    problem, theta = make_problem(detector, function, mask)
    (session,), (evaluation,) = problem.sessions, problem.evaluate(theta)
    np.testing.assert_allclose(by_cell(session, evaluation), session.centres(evaluation).sum(0), rtol=1e-9, atol=1e-14)
    natural = {name: rows[0].reshape(2, -1) for name, rows in problem.natural(theta).items() if name != "D"}
    for c, forward in enumerate(evaluation.forwards):
        hazard = total_hazard(session, {name: table[c] for name, table in natural.items()})
        np.testing.assert_allclose(hazard, forward.total_hazard, rtol=1e-12)


@pytest.mark.parametrize("animals", [True, False])
def test_probabilities_above_one_half_are_done_otherwise(animals: bool) -> None:
    """The polynomials end at one half: also where there is no history to show it."""
    survey = make_survey(Design(detector="count"))
    history = library_history(survey)
    problem = Problem(lp.SCR(detection=lp.ProbabilityHalfNormal()), history, library_masks(survey))
    thetas = np.stack([theta_of(problem, {"D": 0.3, "g0": g0, "sigma": 1000.0}) for g0 in (0.2, 0.97, 0.45, 0.6)])
    (together,) = problem.evaluate_many(thetas, animals=animals)
    for b, theta in enumerate(thetas):
        (evaluation,) = problem.evaluate(theta)
        assert together.detected[b] == pytest.approx(evaluation.detected, rel=1e-12)
        assert together.undetected[b].sum() == pytest.approx(evaluation.expected - evaluation.detected, rel=1e-9)


def test_where_the_separable_form_underflows() -> None:
    """Sigma so small that the sums of the lattice vanish: the dense form answers."""
    problem, theta = make_problem("count", "HalfNormal", "lattice", sigma=25.0)
    (session,), (evaluation,) = problem.sessions, problem.evaluate(theta)
    sets = Sets((session.terms.cells[:, 0] > 4000).astype(np.intp), 2)
    (together,) = problem.evaluate_many(theta[None], [sets])
    assert np.isfinite(together.chances).all()
    np.testing.assert_allclose(together.chances.sum((2, 3)), 1.0)
    np.testing.assert_allclose(together.log_history[0], evaluation.log_history, rtol=1e-12)
    np.testing.assert_allclose(by_cell(session, evaluation).sum(), session.terms.n_animals)


def test_several_sessions_and_cells_in_one_set() -> None:
    survey = make_survey(Design(detector="count", layout="an empty session"))
    problem = Problem(lp.SCR(), library_history(survey), library_masks(survey))
    theta = theta_of(problem, pd.Series(np.log([0.3, 0.1, 1000.0]), problem.labels))
    together = problem.evaluate_many(theta[None])
    for session, evaluation, many in zip(problem.sessions, problem.evaluate(theta), together, strict=True):
        assert many.chances.shape == (1, session.terms.n_histories, 1, 1)
        assert by_cell(session, evaluation).sum() == pytest.approx(session.terms.n_animals)
