"""Rows of a design that are worth computing once, and the way from them to the places that use them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

if TYPE_CHECKING:
    from leopardpop.models.layout import Effect, Parameter

__all__ = ["EffectRows", "Rows", "chosen_rows", "distinct_rows", "key_columns", "make_rows"]

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]

WORTH = 0.5
"""Share of distinct rows above which looking them up costs more than it saves."""


@dataclass(frozen=True, eq=False)
class EffectRows:
    """Which group's deviation each distinct row has, and how often over."""

    effects: Effect
    level: Ints
    """(U,)."""
    value: Floats
    """(U,)."""

    def predictor(self, theta: Floats) -> Floats:
        """Share of the linear predictor, (..., U)."""
        natural: Floats = self.effects.natural(theta)
        return natural[..., self.level] * self.value

    def pull(self, theta: Floats, slopes: Floats, gradient: Floats) -> None:
        """Add to the gradient (P,) what comes of slopes with respect to the linear predictor, (U,)."""
        by_natural = np.bincount(self.level, slopes * self.value, len(self.effects.design.levels))
        self.effects.pull(theta, by_natural, gradient)

    def chosen(self, rows: Ints) -> EffectRows:
        """Some of the rows."""
        return EffectRows(self.effects, self.level[rows], self.value[rows])

    def mean(self, theta: Floats, rows: Ints) -> Floats:
        """Share of the linear predictor, averaged over some rows, (...)."""
        weight = np.bincount(self.level[rows], self.value[rows], len(self.effects.design.levels)) / len(rows)
        share: Floats = self.effects.natural(theta) @ weight
        return share


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
    random
        Random effects of the distinct rows.
    offset
        What is added to the linear predictor of the distinct rows as it is, (U,).
    """

    matrix: Floats
    index: Ints | None
    shape: tuple[int, ...]
    random: tuple[Any, ...] = field(default=())
    offset: Floats | None = None

    def predictor(self, theta: Floats, place: slice) -> Floats:
        """Linear predictor of the distinct rows, (..., U), of theta with the coefficients at a place."""
        eta: Floats = theta[..., place] @ self.matrix.T
        for each in self.random:
            eta = eta + each.predictor(theta)
        return eta if self.offset is None else eta + self.offset

    def pull(self, theta: Floats, place: slice, slopes: Floats, gradient: Floats) -> None:
        """Add to the gradient (P,) what comes of slopes with respect to the linear predictor, (U,)."""
        gradient[place] += slopes @ self.matrix
        for each in self.random:
            each.pull(theta, slopes, gradient)

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


def make_rows(part: Parameter, shape: tuple[int, ...], effects: Sequence[Effect], keys: Floats) -> Rows:
    """Find the distinct rows, by their keys, of a parameter whose places have a shape."""
    index, first = distinct_rows(keys)
    if len(first) == 1:
        return chosen_rows(part, first, effects, shape=shape)
    if len(first) > WORTH * len(keys):
        return chosen_rows(part, np.arange(len(keys)), effects, shape=shape)
    return chosen_rows(part, first, effects, index, shape)


def chosen_rows(
    part: Parameter,
    first: Ints,
    effects: Sequence[Effect],
    index: Ints | None = None,
    shape: tuple[int, ...] = (-1,),
) -> Rows:
    """Some rows of a parameter and of its random effects."""
    random = tuple(EffectRows(each, each.design.level[first], each.design.value[first]) for each in effects)
    offset = None if part.offset is None else part.offset[first]
    return Rows(np.ascontiguousarray(part.standardised[first]), index, shape, random, offset)


def key_columns(part: Parameter, effects: Sequence[Effect]) -> list[Floats]:
    """Columns by which rows of a parameter differ: its design, its offset, and two a random effect."""
    offset = [] if part.offset is None else [part.offset[:, None]]
    random = [np.column_stack([each.design.level, each.design.value]) for each in effects]
    return [part.standardised, *offset, *random]


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
