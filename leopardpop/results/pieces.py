"""The likelihood of every draw in the pieces that the data tree holds, each distinct draw evaluated once."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

if TYPE_CHECKING:
    from leopardpop.models.likelihood.terms import Floats

__all__ = ["InPieces", "Recorder", "evaluate_draws"]

_THREADS = 2
_MOST_BYTES = 1 << 28
"""Pieces beyond that are not kept, but computed again for the draws that are returned."""


class InPieces[P: tuple[Any, ...]](Protocol):
    """A model with its data whose likelihood is a sum of pieces: named tuples of arrays, the draws first."""

    names: tuple[str, ...]
    batch: int

    def pointwise(self, theta: Floats) -> P:
        """Pieces at theta (..., P)."""

    def log_posteriors(self, thetas: Floats, pieces: P) -> Floats:
        """Log posterior of many theta (B, P), given their pieces."""

    def value(self, theta: Floats) -> float:
        """Log posterior at theta (P,)."""

    def gradient(self, theta: Floats) -> tuple[float, Floats]:
        """Log posterior and its gradient at theta (P,)."""

    def starts(self) -> list[Floats]:
        """Points to start the search for the mode from."""


class Recorder[P: tuple[Any, ...]]:
    """A problem as the target of an engine that keeps the pieces of every evaluation.

    An engine needs the value alone; the tree needs the terms that it is the sum of. Kept here, the draws need not be
    evaluated a second time.

    Parameters
    ----------
    problem
        The model with its data.
    """

    def __init__(self, problem: InPieces[P]) -> None:
        self.problem = problem
        self.pieces: dict[bytes, P] = {}
        self._bytes = 0

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
            total = self.problem.log_posteriors(thetas, pieces)
        fine = np.isfinite(total)
        self._keep(thetas, pieces, np.flatnonzero(fine))
        # An expected number that underflows to zero has no logarithm; the sum of the pieces may be finite.
        rest = [value if good else self.problem.value(t) for t, value, good in zip(thetas, total, fine, strict=True)]
        return np.array(rest)

    def _keep(self, thetas: Floats, pieces: P, rows: Any) -> None:
        if self._bytes > _MOST_BYTES:
            return
        self._bytes += sum(field.nbytes for field in pieces)
        for i in rows:
            self.pieces[thetas[i].tobytes()] = _like(pieces, (field[i] for field in pieces))

    def gradient(self, theta: Floats) -> tuple[float, Floats]:
        """Log posterior and its gradient at theta (P,)."""
        return self.problem.gradient(theta)

    def starts(self) -> list[Floats]:
        """Points to start the search for the mode from."""
        return self.problem.starts()


def _like[P: tuple[Any, ...]](pieces: P, fields: Iterable[Any]) -> P:
    """A named tuple of the same kind."""
    made: P = type(pieces)(*fields)
    return made


def evaluate_draws[P: tuple[Any, ...]](problem: InPieces[P], theta: Floats, known: dict[bytes, P] | None = None) -> P:
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
    tuple
        What ``problem.pointwise`` gives, each field with the draws as first axis: of SCR capture (S, n), n_detected,
        detected and expected (S, sessions); of occupancy y (S, sites).
    """
    keys = [row.tobytes() for row in np.ascontiguousarray(theta, float)]
    place = {key: i for i, key in enumerate(dict.fromkeys(keys))}
    pieces = _evaluate_missing(problem, list(place), known or {})
    distinct = [np.stack(column) for column in zip(*pieces, strict=True)]
    index = np.fromiter((place[key] for key in keys), np.intp, len(keys))
    return _like(pieces[0], (column[index] for column in distinct))


def _evaluate_missing[P: tuple[Any, ...]](problem: InPieces[P], keys: list[bytes], known: dict[bytes, P]) -> list[P]:
    """Pieces of each key, from ``known`` or by evaluation in threads."""
    from threadpoolctl import threadpool_limits

    missing = [key for key in keys if key not in known]
    if not missing:
        return [known[key] for key in keys]
    with threadpool_limits(1), ThreadPoolExecutor(_THREADS) as pool:
        found = pool.map(lambda key: problem.pointwise(np.frombuffer(key)), missing, chunksize=64)
        new = dict(zip(missing, found, strict=True))
    return [new[key] if key in new else known[key] for key in keys]
