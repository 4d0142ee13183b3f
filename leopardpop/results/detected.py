"""How many animals were detected: the identities, or in a fit of two flanks the animals that were drawn behind them."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from leopardpop.models.flank_problem import FlankProblem

if TYPE_CHECKING:
    from leopardpop.models.likelihood.terms import Ints
    from leopardpop.results.draws import HasDraws

__all__ = ["detected_numbers", "history_times"]


def detected_numbers(fit: HasDraws) -> Ints:
    """Number of detected animals, (session,), or of every draw, (S, session)."""
    n = np.array([len(data.individuals) for data in fit.problem.data])
    if not isinstance(fit.problem, FlankProblem):
        return n
    paired = [(partner > np.arange(partner.shape[1])).sum(1) for partner in _partners(fit)]
    result: Ints = n - np.stack(paired, axis=-1)
    return result


def history_times(fit: HasDraws) -> list[Ints]:
    """How many animals each distinct history of the likelihood is of, by session: (h,), or of every draw, (S, h)."""
    problem = fit.problem
    if not isinstance(problem, FlankProblem):
        return [session.terms.multiplicity.astype(np.int64) for session in problem.sessions]
    pairs = zip(problem.flank_sessions, _partners(fit), strict=True)
    return [_times(session, partner) for session, partner in pairs]


def _partners(fit: Any) -> list[Ints]:
    """Partner of each identity within its session in every draw, −1 for none, by session, (S, n)."""
    stored = fit.data_tree["matchings"]["partner"].values
    flat = stored.reshape(-1, stored.shape[-1]).astype(np.int64)
    ends = np.cumsum([0, *(len(data.individuals) for data in fit.problem.data)])
    return [flat[:, a:b] for a, b in pairwise(ends)]


def _times(session: Any, partner: Ints) -> Ints:
    lists, history = session.lists, session.terms.history
    result = np.tile(np.bincount(history[: lists.first_pair], minlength=session.terms.n_histories), (len(partner), 1))
    place = np.empty(partner.shape[1], np.int64)
    place[lists.identity] = np.arange(lists.first_pair)
    for p, (a, b) in enumerate(lists.pair):
        left, right = lists.left[a], lists.right[b]
        rows = np.flatnonzero(partner[:, left] == right)
        for which, step in ((place[left], -1), (place[right], -1), (lists.first_pair + p, 1)):
            result[rows, history[which]] += step
    return result
