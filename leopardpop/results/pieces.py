"""The likelihood of every draw in the pieces that the data tree holds, each distinct draw evaluated once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np

from leopardpop.models.problem import Pointwise

if TYPE_CHECKING:
    from leopardpop.models.likelihood.terms import Floats
    from leopardpop.models.problem import Problem

__all__ = ["Recorder", "evaluate_draws"]

_THREADS = 2


class Recorder:
    """A problem as the target of an engine that keeps the pieces of every evaluation.

    An engine needs the value alone; the tree needs the terms that it is the sum of. Kept here, the draws need not be
    evaluated a second time.

    Parameters
    ----------
    problem
        The model with its data.
    """

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.pieces: dict[bytes, Pointwise] = {}

    @property
    def names(self) -> tuple[str, ...]:
        """Labels of the coefficients."""
        return self.problem.names

    def value(self, theta: Floats) -> float:
        """Log posterior at theta (P,); the pieces are kept."""
        return float(self.batch_value(np.ascontiguousarray(theta, float)[None])[0])

    def batch_value(self, thetas: Floats) -> Floats:
        """Log posterior at many theta (S, P); the pieces are kept. A few are evaluated together."""
        thetas = np.ascontiguousarray(thetas, float)
        step = self.problem.batch
        parts = [self._together(thetas[i : i + step]) for i in range(0, len(thetas), step)]
        return np.concatenate(parts)

    def _together(self, thetas: Floats) -> Floats:
        with np.errstate(all="ignore"):
            pieces = self.problem.pointwise(thetas)
            total = pieces.capture.sum(-1) + pieces.n_detected.sum(-1) + self._priors(thetas, pieces)
        fine = np.isfinite(total)
        for i in np.flatnonzero(fine):
            self.pieces[thetas[i].tobytes()] = Pointwise(*(field[i] for field in pieces))
        # An expected number that underflows to zero has no logarithm; the sum of the pieces may be finite.
        rest = [value if good else self.problem.value(t) for t, value, good in zip(thetas, total, fine, strict=True)]
        return np.array(rest)

    def _priors(self, thetas: Floats, pieces: Pointwise) -> Floats:
        priors = self.problem.priors
        values = priors.log_densities(thetas)
        if priors.number is not None:
            values += np.array([priors.log_density_number(float(e))[0] for e in pieces.expected[:, 0]])
        return values

    def gradient(self, theta: Floats) -> tuple[float, Floats]:
        """Log posterior and its gradient at theta (P,)."""
        return self.problem.gradient(theta)

    def starts(self) -> list[Floats]:
        """Points to start the search for the mode from."""
        return self.problem.starts()


def evaluate_draws(problem: Problem, theta: Floats, known: dict[bytes, Pointwise] | None = None) -> Pointwise:
    """Pieces of the likelihood of many draws.

    Parameters
    ----------
    problem
        The model with its data.
    theta
        Draws (S, P); a draw that occurs several times is evaluated once.
    known
        Pieces that a :class:`Recorder` has already.

    Returns
    -------
    Pointwise
        Each field with the draws as first axis: capture (S, n), n_detected, detected and expected (S, sessions).
    """
    keys = [row.tobytes() for row in np.ascontiguousarray(theta, float)]
    place = {key: i for i, key in enumerate(dict.fromkeys(keys))}
    pieces = _evaluate_missing(problem, list(place), known or {})
    distinct = [np.stack(column) for column in zip(*pieces, strict=True)]
    index = np.fromiter((place[key] for key in keys), np.intp, len(keys))
    return Pointwise(*(column[index] for column in distinct))


def _evaluate_missing(problem: Problem, keys: list[bytes], known: dict[bytes, Pointwise]) -> list[Pointwise]:
    """Pieces of each key, from ``known`` or by evaluation in threads."""
    from threadpoolctl import threadpool_limits

    missing = [key for key in keys if key not in known]
    if not missing:
        return [known[key] for key in keys]
    with threadpool_limits(1), ThreadPoolExecutor(_THREADS) as pool:
        found = pool.map(lambda key: problem.pointwise(np.frombuffer(key)), missing, chunksize=64)
        new = dict(zip(missing, found, strict=True))
    return [new[key] if key in new else known[key] for key in keys]
