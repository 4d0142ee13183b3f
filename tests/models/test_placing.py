"""Sums of where animals can be, against the full tables: every detector and form, few and many sets of cells."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import leopardpop as lp
from leopardpop.models.describe import theta_of
from leopardpop.models.likelihood.placing import Placing, by_cell, total_hazard
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


@pytest.mark.parametrize("n_atoms", [1, 2, 20])
@pytest.mark.parametrize("mask", ["lattice", "irregular"])
@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("detector", ["count", "proximity", "multi"])
def test_sums_over_sets_of_cells(detector: str, function: str, mask: str, n_atoms: int) -> None:
    problem, theta = make_problem(detector, function, mask)
    (session,), (evaluation,) = problem.sessions, problem.evaluate(theta)
    n_cells = len(session.terms.area)
    atom = np.random.default_rng(1).permutation(np.arange(n_cells) % n_atoms)
    placing = Placing(session, atom, n_atoms)
    table = placing.table(evaluation)[session.terms.history]
    np.testing.assert_allclose(table.sum(2), session.classes(evaluation), rtol=1e-9)
    centres = session.centres(evaluation)
    by_set = np.stack([centres[:, atom == a].sum(1) for a in range(n_atoms)], axis=1)
    np.testing.assert_allclose(table.sum(1), by_set, rtol=1e-9, atol=1e-14)
    np.testing.assert_allclose(placing.by_atom(centres), by_set, rtol=1e-12)


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


def test_where_the_separable_form_underflows() -> None:
    """Sigma so small that the sums of the lattice vanish: the dense form answers."""
    problem, theta = make_problem("count", "HalfNormal", "lattice", sigma=25.0)
    (session,), (evaluation,) = problem.sessions, problem.evaluate(theta)
    atom = (session.terms.cells[:, 0] > 4000).astype(np.intp)
    table = Placing(session, atom, 2).table(evaluation)
    assert np.isfinite(table).all()
    np.testing.assert_allclose(table.sum((1, 2)), 1.0)
    np.testing.assert_allclose(by_cell(session, evaluation).sum(), session.terms.n_animals)


def test_several_sessions_and_cells_in_one_set() -> None:
    survey = make_survey(Design(detector="count", layout="an empty session"))
    problem = Problem(lp.SCR(), library_history(survey), library_masks(survey))
    theta = theta_of(problem, pd.Series(np.log([0.3, 0.1, 1000.0]), problem.labels))
    for session, evaluation in zip(problem.sessions, problem.evaluate(theta), strict=True):
        placing = Placing(session, np.zeros(len(session.terms.area), np.intp), 1)
        assert placing.table(evaluation).shape == (session.terms.n_histories, 1, 1)
        assert by_cell(session, evaluation).sum() == pytest.approx(session.terms.n_animals)
