"""Spatial effects in formulas: ``gp(x, y)`` is taken out, and its surface evaluated at the places of a table."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from leopardpop.components.formula_syntax import nearest
from leopardpop.components.hsgp import COVARIANCES
from leopardpop.components.random_effects import brackets, without_term
from leopardpop.errors import DataError, ModelError

if TYPE_CHECKING:
    import pandas as pd

    from leopardpop.components.hsgp import Basis

    Floats = NDArray[np.float64]

__all__ = ["KM", "POSITIONS", "SpatialDesign", "SpatialPart", "place_columns", "split_spatial"]

KM = 1000.0
"""Metres in the unit of distances of a surface."""
POSITIONS = (("easting", "northing"), ("x", "y"))
"""Columns of a table, in metres, that say where its rows are."""
LARGEST = 2000
"""Functions that may be asked for."""


@dataclass(frozen=True)
class SpatialPart:
    """What a formula says of a spatial effect."""

    cov: str = "exp_quad"
    functions: int | None = None
    boundary: float | None = None


@dataclass(frozen=True, eq=False)
class SpatialDesign:
    """A surface and the rows of a table that lie on it; the mean of the surface over the rows' places is 0."""

    part: SpatialPart
    basis: Basis
    places: Floats = field(repr=False)
    """Distinct places, km, (G, 2)."""
    level: NDArray[np.intp] = field(repr=False)
    """Place of each row, (rows,)."""
    resolution: float = 0.0
    """Distance within which the data tell nothing apart, km."""

    scale = 1.0
    label = "gp(x, y)"
    suffix = "gp"

    @cached_property
    def mean(self) -> Floats:
        """Mean of each function over the places, (M,)."""
        result: Floats = self.basis.evaluate(self.places).mean(0)
        return result

    @cached_property
    def matrix(self) -> Floats:
        """Values of the functions at the places less their means, (G, M)."""
        return np.ascontiguousarray(self.basis.evaluate(self.places) - self.mean)

    @property
    def value(self) -> Floats:
        """How much of the surface each row has: all of it, (rows,)."""
        return np.ones(len(self.level))

    @property
    def levels(self) -> range:
        """Number of each place, G."""
        return range(len(self.places))

    def evaluate(self, table: pd.DataFrame) -> Floats:
        """Values of the functions at new rows, less their means over the places of the design.

        Parameters
        ----------
        table
            With columns x and y, or easting and northing, m.

        Returns
        -------
        ndarray, (rows, M)

        Raises
        ------
        ModelError
            If the table does not say where its rows are.
        DataError
            If a place is missing, or beyond the rectangle of the basis.
        """
        xy = _places(table)
        outside = self.basis.outside(xy)
        if outside.any():
            away = (np.abs(xy - self.basis.centre) - self.basis.half).max()
            raise DataError(
                f"gp(x, y): {int(outside.sum())} of {len(xy)} places lie outside of the rectangle on which the surface "
                f"is defined ({_span(self.basis, 0)} km east, {_span(self.basis, 1)} km north), the farthest by "
                f"{away:.3g} km. Nothing is known of the surface there: cut them off, or make the rectangle larger, "
                "as in gp(x, y, boundary=3).",
                offenders=table.index[outside].tolist(),
            )
        return self.basis.evaluate(xy) - self.mean

    def beyond(self, table: pd.DataFrame) -> NDArray[np.bool_]:
        """Whether rows lie east, west, north or south of all places of the design, (rows,)."""
        return self.basis.beyond(_places(table))


def _span(basis: Basis, axis: int) -> str:
    low, high = (basis.centre[axis] + sign * basis.half[axis] for sign in (-1, 1))
    return f"{low:.1f} to {high:.1f}"


def place_columns(table: pd.DataFrame) -> tuple[str, str] | None:
    """Names of the columns that say where the rows of a table are; None if there are none."""
    return next((pair for pair in POSITIONS if set(pair) <= set(table.columns)), None)


def _places(table: pd.DataFrame) -> Floats:
    names = place_columns(table)
    if names is None:
        columns = ", ".join(map(str, table.columns))
        raise ModelError(f"gp(x, y) needs columns x and y, in metres, and the table has {columns or 'none'}.")
    xy: Floats = table[list(names)].to_numpy(float) / KM
    missing = ~np.isfinite(xy).all(1)
    if missing.any():
        raise DataError(
            f"gp(x, y): {int(missing.sum())} rows have no place (first: {table.index[missing][0]}).",
            offenders=table.index[missing].tolist(),
        )
    return xy


def split_spatial(formula: str, parameter: str | None = None) -> tuple[str, SpatialPart | None]:
    """Take a spatial effect out of a formula.

    Parameters
    ----------
    formula
        For example ``"~ forest + gp(x, y)"``; inside of the brackets also ``cov="matern32"`` (default
        ``"exp_quad"``), ``functions=400`` and ``boundary=2``.
    parameter
        The parameter that it describes, for messages.

    Returns
    -------
    tuple
        The formula without it, and what it says; None if there is none.

    Raises
    ------
    ModelError
        If it is there twice, is not of x and y, or has an argument that there is not.

    Examples
    --------
    >>> split_spatial("~ forest + gp(x, y, functions=300)")
    ('~ forest', SpatialPart(cov='exp_quad', functions=300, boundary=None))
    >>> split_spatial("~ gp(x, y)")[0]
    '~ 1'
    """
    owner = f"formula of {parameter!r}: {formula!r}" if parameter else f"formula {formula!r}"
    found = list(brackets(formula, "gp"))
    if not found:
        return formula, None
    if len(found) > 1:
        raise ModelError(f"{owner}: gp(x, y) is there twice, and one surface is as good.", offenders=[formula])
    begin, end = found[0]
    if formula[end:].strip()[:1] not in ("", "+"):
        raise ModelError(
            f"{owner}: gp(x, y) stands alone, between plus signs: it has no interaction.", offenders=[formula]
        )
    return without_term(formula, begin, end), _part(formula[begin:end], owner)


def _part(text: str, owner: str) -> SpatialPart:
    """Read the arguments of ``gp(...)``."""
    given: dict[str, Any]
    try:
        call: Any = ast.parse(text, mode="eval").body
        names = [argument.id for argument in call.args]
        given = {str(each.arg): ast.literal_eval(each.value) for each in call.keywords}
    except (SyntaxError, ValueError, AttributeError):
        names, given = [], {}
    if names not in (["x", "y"], ["easting", "northing"]):
        raise ModelError(
            f"{owner}: a spatial effect is written gp(x, y), of the positions of the sites, and this one is {text}.",
            offenders=[text],
        )
    known = ("cov", "functions", "boundary")
    for name in given:
        if name not in known:
            raise ModelError(
                f"{owner}: gp(x, y) has no argument {name!r}.{nearest(name, known)} It has {', '.join(known)}.",
                offenders=[name],
            )
    return _checked(SpatialPart(**given), owner)


def _checked(part: SpatialPart, owner: str) -> SpatialPart:
    if part.cov not in COVARIANCES:
        hint = nearest(str(part.cov), COVARIANCES)
        raise ModelError(f"{owner}: cov={part.cov!r} is one of {', '.join(COVARIANCES)}.{hint}", offenders=[part.cov])
    number: Any = part.functions
    if number is not None and (isinstance(number, bool) or not isinstance(number, int) or not 4 <= number <= LARGEST):
        raise ModelError(f"{owner}: functions={number!r} is a whole number from 4 to {LARGEST}.", offenders=[number])
    factor: Any = part.boundary
    if factor is not None and (isinstance(factor, bool) or not isinstance(factor, int | float) or not factor >= 1.05):
        raise ModelError(
            f"{owner}: boundary={factor!r} is the size of the rectangle over that of what the sites fill, a number of "
            "at least 1.05.",
            offenders=[factor],
        )
    return part
