"""The data tree of two flanks: a matching drawn for every draw of the parameters, and the chance of every pair."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from leopardpop.results.draws import distinct_draws, in_blocks
from leopardpop.results.tree import (
    SAMPLE,
    log_prior_dataset,
    pieces_by_draw,
    posterior_dataset,
    sample_coords,
    tree_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from leopardpop.models.flank_problem import FlankProblem
    from leopardpop.models.likelihood.session import Evaluations
    from leopardpop.models.likelihood.terms import Floats, Ints
    from leopardpop.models.problem import Pointwise

__all__ = ["flank_tree"]

OF_MATCHINGS = 0x32


def flank_tree(
    problem: FlankProblem,
    theta: Floats,
    pieces: Pointwise,
    *,
    sample_stats: xr.Dataset,
    attrs: Mapping[str, Any],
    seed: int,
) -> xr.DataTree:
    """Put draws into the schema; see :func:`leopardpop.results.tree.canonical_tree`.

    Returns
    -------
    xarray.DataTree
        With two more groups: ``matchings``, the ``partner`` of every identity among those of its session (chain, draw,
        individual), −1 for none; and ``matches``, every pair that may be one animal with its ``probability``.
    """
    by_draw = pieces_by_draw(theta, pieces)
    drawn = _Drawn(problem, theta, np.random.default_rng([seed, OF_MATCHINGS]))
    posterior = posterior_dataset(
        problem, theta, by_draw["expected"], by_draw["detected"], seed=seed, seen=drawn.n_identities - drawn.matched
    )
    posterior["n_matched"] = ((*SAMPLE, "session"), drawn.matched, {"units": "animals"})
    partner = np.concatenate(drawn.partner, axis=-1).reshape(*theta.shape[:2], -1)
    groups = {
        "posterior": posterior,
        "log_likelihood": _log_likelihood(problem, by_draw),
        "log_prior": log_prior_dataset(problem, theta, by_draw["expected"]),
        "sample_stats": sample_stats,
        "matchings": xr.Dataset({"partner": ((*SAMPLE, "individual"), partner)}, sample_coords(theta)),
        "matches": _matches(problem, drawn.paired),
    }
    return tree_of(problem, groups, attrs)


def _log_likelihood(problem: FlankProblem, pieces: Mapping[str, Floats]) -> xr.Dataset:
    dims = (*SAMPLE, "session")
    variables = {"identities": (dims, pieces["capture"]), "void": (dims, pieces["n_detected"])}
    return xr.Dataset(variables, {**sample_coords(pieces["capture"]), "session": list(problem.history.sessions)})


def _matches(problem: FlankProblem, paired: list[Floats]) -> xr.Dataset:
    """Every pair that may be one animal: its session, its identities within it, and its probability."""
    rows = [
        (s, lists.left[a], lists.right[b], chance[a, b])
        for s, (lists, chance) in enumerate(zip(problem.lists, paired, strict=True))
        for a, b in lists.pair
    ]
    table = np.array(rows, float).reshape(-1, 4)
    places = {name: ("pair", table[:, i].astype(np.int64)) for i, name in enumerate(("of_session", "left", "right"))}
    return xr.Dataset({**places, "probability": ("pair", table[:, 3], {"units": "1"})})


class _Drawn:
    """What is drawn for each draw of the coefficients.

    Parameters
    ----------
    problem
        The model with its data.
    theta
        (chain, draw, P).
    rng
        Chance of the matchings.
    """

    def __init__(self, problem: FlankProblem, theta: Floats, rng: np.random.Generator) -> None:
        self.problem, self.rng = problem, rng
        flat = theta.reshape(-1, theta.shape[-1])
        self.n_identities = np.array([part.first_pair for part in problem.lists])
        self.partner = [np.full((len(flat), n), -1, np.int32) for n in self.n_identities]
        self.paired = [np.zeros((len(part.left), len(part.right))) for part in problem.lists]
        for rows, evaluations, b in self._distinct(flat):
            for s, e in enumerate(evaluations):
                self._take(s, rows, e.log_history[b])
        self.paired = [table / len(flat) for table in self.paired]
        self.matched = np.stack([(each >= 0).sum(1) // 2 for each in self.partner], axis=-1)
        self.matched = self.matched.reshape(*theta.shape[:2], -1)

    def _distinct(self, flat: Floats) -> Iterator[tuple[Ints, list[Evaluations], int]]:
        """Rows of each distinct draw, the evaluations that it is among, and where."""
        draws = distinct_draws(flat)
        rows = iter(np.split(np.argsort(draws.place, kind="stable"), np.cumsum(np.bincount(draws.place))[:-1]))
        for block in in_blocks(self.problem.evaluate_many, draws.theta):
            for b in range(len(block[0].expected)):
                yield next(rows), block, b

    def _take(self, s: int, rows: Ints, log_history: Floats) -> None:
        """One distinct draw in one session, which stands for some rows."""
        lists = self.problem.lists[s]
        matchings = self.problem.flank_sessions[s].matchings(log_history)
        self.paired[s] += len(rows) * matchings.probability()
        for row in rows:
            for a, b in matchings.draw(self.rng):
                left, right = lists.left[a], lists.right[b]
                self.partner[s][row, left], self.partner[s][row, right] = right, left
