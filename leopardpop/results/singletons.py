"""Animals detected once: how many there are, and how many those that were detected twice or more lead one to expect."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from leopardpop.errors import ModelError
from leopardpop.models.ghosts import expected_singles, singles
from leopardpop.results.data_checks import finding
from leopardpop.words import counted, joined

if TYPE_CHECKING:
    from leopardpop.models.likelihood.terms import Floats
    from leopardpop.models.problem import Problem
    from leopardpop.results.findings import Finding, Verdict

__all__ = ["singleton_findings", "singletons"]

DRAWS = 200
"""Draws that the expectation is taken from."""
REPEATS = 20
"""Numbers drawn for each of them."""
MANY = 0.025
"""Chance of as many or more, below which there are too many."""
NAMED = 6


def singletons(problem: Problem, theta: Floats) -> pd.DataFrame:
    """Compare the animals detected once with what the model expects, by session.

    Parameters
    ----------
    problem
        Of a model with ``ghosts=True``.
    theta
        Draws (S, P).

    Returns
    -------
    pandas.DataFrame
        Index session; columns observed, expected (mean), lower, upper (95 % of what such surveys show), probability
        (of as many or more), ghosts (observed less expected, not below zero).

    Raises
    ------
    ModelError
        If animals detected once are part of the data: they are then what is fitted.
    """
    if not problem.model.ghosts:
        raise ModelError(
            "animals detected once are part of these data, so the model was fitted to their number: "
            "lp.SCR(..., ghosts=True) leaves them out and tells how many to expect."
        )
    chosen = theta[np.linspace(0, len(theta) - 1, min(DRAWS, len(theta))).astype(int)]
    expected = np.stack([expected_singles(problem, at) for at in chosen])
    drawn = np.random.default_rng(0).poisson(expected, (REPEATS, *expected.shape)).reshape(-1, expected.shape[1])
    sessions = problem.given.sessions
    observed = np.array([int(singles(problem.given.arrays(session)).sum()) for session in sessions])
    low, high = np.quantile(drawn, [0.025, 0.975], axis=0)
    columns = {
        "observed": observed,
        "expected": expected.mean(0),
        "lower": low.astype(int),
        "upper": high.astype(int),
        "probability": (drawn >= observed).mean(0),
        "ghosts": np.maximum(observed - expected.mean(0), 0.0),
    }
    return pd.DataFrame(columns, index=pd.Index(sessions, name="session"))


def singleton_findings(problem: Problem, theta: Floats) -> list[Finding]:
    """Whether more animals were detected once than the others lead one to expect; nothing if they are in the data.

    Parameters
    ----------
    problem
        The model with its data.
    theta
        Draws (S, P).
    """
    if not problem.model.ghosts:
        return []
    table = singletons(problem, theta)
    worst = str(table.index[int(table["probability"].to_numpy().argmin())])
    row = {name: float(values[worst]) for name, values in table.items()}
    where = f" in session {worst}" if len(table) > 1 else ""
    counts = (
        f"{counted(int(row['observed']), 'animal')} detected once{where}, left out; {row['expected']:.1f} expected "
        f"(95 %: {int(row['lower'])} to {int(row['upper'])})"
    )
    said: dict[Verdict, str] = {
        "ok": f"{counts}: no more than there should be.",
        "note": f"{counts}: {row['ghosts']:.0f} too many. They may be misread identities, or animals that pass "
        f"through: look again at {_names(problem, worst)}. N does not rest on them.",
    }
    verdict: Verdict = "note" if row["probability"] < MANY else "ok"
    return [finding("animals detected once", row["observed"], row["upper"], verdict, said)]


def _names(problem: Problem, session: str) -> str:
    data = problem.given.arrays(session)
    names = [name for name, once in zip(data.individuals, singles(data), strict=True) if once]
    rest = len(names) - NAMED
    return joined(names) if rest <= 0 else f"{', '.join(names[:NAMED])} and {rest:,} more"
