"""What lives in each cell, averaged over draws and never stored by draw."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from leopardpop.models.likelihood.placing import by_cell
from leopardpop.results.draws import DistinctDraws, in_blocks
from leopardpop.results.voids import Void, void_of, voids

if TYPE_CHECKING:
    from leopardpop.models.likelihood.terms import Floats
    from leopardpop.models.problem import Problem

__all__ = ["CellMeans", "cell_means"]


class CellMeans(NamedTuple):
    """Posterior means over the cells of one session, (J,) each."""

    expected: Floats
    """Expected number of animals, D a."""
    detected: Floats
    """Number of detected animals centred there, given their histories; NaN if it was not asked for."""
    undetected: Floats
    """Number of animals never detected, p0 D a."""
    pdot: Floats
    """Probability that an animal centred there is detected at least once."""


def cell_means(problem: Problem, draws: DistinctDraws, *, detected: bool = True) -> list[CellMeans]:
    """Posterior means by cell, by session.

    Parameters
    ----------
    problem
        The model with its data.
    draws
        Draws with their weights.
    detected
        Whether to place the detected animals, which takes most of the time.
    """
    weighted = np.column_stack([draws.weight, draws.theta])
    total: list[Floats] | None = None
    for part in in_blocks(partial(_block, problem, detected), weighted):
        total = part if total is None else [a + b for a, b in zip(total, part, strict=True)]
    return [CellMeans(*rows) for rows in total or []]


def _block(problem: Problem, detected: bool, weighted: Floats) -> list[Floats]:
    """Weighted sums over a block of draws: (4, J) of each session."""
    total = [np.zeros((4, len(s.terms.area))) for s in problem.sessions]
    for row in weighted:
        for sums, fields in zip(total, _fields(problem, detected, row[1:]), strict=True):
            sums += row[0] * fields
    return total


def _fields(problem: Problem, detected: bool, theta: Floats) -> list[Floats]:
    """Fields of each session at one draw."""
    if not detected:
        return [_stack(void, np.full(len(void.intensity), np.nan)) for void in voids(problem, theta)]
    pairs = zip(problem.sessions, problem.evaluate(theta), strict=True)
    return [_stack(void_of(session, evaluation), by_cell(session, evaluation)) for session, evaluation in pairs]


def _stack(void: Void, detected: Floats) -> Floats:
    return np.stack([void.intensity, detected, void.undetected.sum(0), void.pdot])
