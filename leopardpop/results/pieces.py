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
        theta = np.ascontiguousarray(theta, float)
        with np.errstate(all="ignore"):
            try:
                pieces = self.problem.pointwise(theta)
            except ValueError:
                # An expected number that underflows to zero has no logarithm; the sum of the pieces may be finite.
                return self.problem.value(theta)
            total = float(pieces.capture.sum() + pieces.n_detected.sum()) + self._prior(theta, pieces)
        if not np.isfinite(total):
            return float("-inf")
        self.pieces[theta.tobytes()] = pieces
        return total

    def _prior(self, theta: Floats, pieces: Pointwise) -> float:
        priors = self.problem.priors
        number = priors.log_density_number(float(pieces.expected[0]))[0] if priors.number is not None else 0.0
        return float(priors.log_density(theta)[0]) + number

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
