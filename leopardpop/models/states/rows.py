"""Rows of a design that are worth computing once, and the way from them to the places that use them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

__all__ = ["Rows", "distinct_rows", "make_rows"]

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]

WORTH = 0.5
"""Share of distinct rows above which looking them up costs more than it saves."""


@dataclass(frozen=True, eq=False)
class Rows:
    """Distinct rows of a design, and which of them each place has.

    Parameters
    ----------
    matrix
        Distinct rows, (U, P).
    index
        Row of each place; None if there is one row for all, or each place has its own.
    shape
        Shape of the places.
    """

    matrix: Floats
    index: Ints | None
    shape: tuple[int, ...]

    def predictor(self, theta: Floats) -> Floats:
        """Linear predictor of the distinct rows, (..., U)."""
        return theta @ self.matrix.T

    def spread(self, values: Floats) -> Floats:
        """From distinct rows (..., U) to places (..., *shape), or to ones in its stead if all places are alike."""
        if self.index is not None:
            values = values[..., self.index]
        shape = self.shape if values.shape[-1] > 1 or self.index is not None else (1,) * len(self.shape)
        return values.reshape(*values.shape[:-1], *shape)

    def gather(self, places: Floats) -> Floats:
        """From places (*shape) to sums over the distinct rows, (U,): the transpose of :meth:`spread`."""
        flat = places.reshape(-1)
        if self.index is not None:
            return np.bincount(self.index, flat, len(self.matrix))
        return np.array([flat.sum()]) if len(self.matrix) == 1 else flat


def make_rows(matrix: Floats, shape: tuple[int, ...]) -> Rows:
    """Find the distinct rows of a design whose places have a shape."""
    index, first = distinct_rows(matrix)
    if len(first) == 1:
        return Rows(matrix[first], None, shape)
    if len(first) > WORTH * len(matrix):
        return Rows(matrix, None, shape)
    return Rows(matrix[first], index, shape)


def distinct_rows(matrix: Floats) -> tuple[Ints, Ints]:
    """Number of the distinct row of each row, (R,), and the place where each occurs first, (U,).

    Examples
    --------
    >>> [found.tolist() for found in distinct_rows(np.array([[1.0, 2.0], [0.0, 1.0], [1.0, 2.0]]))]
    [[0, 1, 0], [0, 1]]
    """
    code = np.zeros(len(matrix), np.int64)
    for column in matrix.T:
        values, levels = pd.factorize(column)
        code = pd.factorize(code * len(levels) + values)[0].astype(np.int64)
    index = code.astype(np.intp)
    first = np.full(int(index.max()) + 1 if len(index) else 0, len(index), np.intp)
    np.minimum.at(first, index, np.arange(len(index)))
    return index, first
