"""From a formula and a table to a design matrix with named columns and a scale on which its priors make sense."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, reduce
from itertools import combinations
from math import prod
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from leopardpop.components.formula_coding import Atom, Coding
from leopardpop.components.formula_columns import training_columns
from leopardpop.components.formula_syntax import formula_variables, parse_formula
from leopardpop.errors import ModelError

if TYPE_CHECKING:
    import pandas as pd

    from leopardpop.components.offset import Offset

    Floats = NDArray[np.float64]

__all__ = ["Design", "build_design", "formula_variables"]

_NO_SPREAD = 1e-12
_NO_RANK = 1e-9


@dataclass(frozen=True, eq=False)
class Design:
    r"""A design matrix, and the two scales on which its coefficients are told.

    With ``beta`` the coefficients of the columns as the table has them, and ``theta`` those of the standardised
    columns, ``matrix @ beta == standardised @ theta``. A standardised column is :math:`(x - c)/s` for a numeric
    variable, untouched for a factor, and the product of the standardised variables for an interaction. So
    ``theta[0]`` is the linear predictor at the *reference*: numeric variables at their means, factors at their first
    level. Without an intercept nothing is centred.

    For every column that is in no interaction :math:`\beta_j = \theta_j / s_j`, and always
    :math:`\beta_0 = \theta_0 - \sum_j c_j \beta_j`.
    """

    formula: str
    """The formula as written."""
    coefficients: tuple[str, ...]
    """Names of the P columns: ``"Intercept"`` first, then such as ``"snow"``, ``"sex[M]"``, ``"snow:sex[M]"``."""
    matrix: Floats = field(repr=False)
    """Columns as the table has them, (rows, P)."""
    center: Floats = field(repr=False)
    """Value of each column at the reference, (P,): the mean of a numeric variable; 0 for the intercept, for columns
    of factors, and everywhere without an intercept."""
    scale: Floats = field(repr=False)
    """Standard deviation (ddof=0) of each numeric column, (P,); 1 for the intercept and for factors."""
    factors: dict[str, tuple[str, ...]]
    """Categorical variables of the formula and their levels, the reference first."""
    numeric: dict[str, float]
    """Numeric variables of the formula and their means, the reference."""
    transform: Floats = field(repr=False)
    """``beta = transform @ theta``, (P, P)."""
    coding: Coding | None = field(repr=False)
    """How a new row becomes columns; None for a constant."""
    offset: Offset | None = field(default=None, repr=False)
    """What is added to the linear predictor as it is; the reference is where it is 0."""

    def evaluate(self, table: pd.DataFrame) -> Floats:
        """Return the columns at new rows, coded as in the table of the design.

        Parameters
        ----------
        table
            One row a place, with the variables of the formula.

        Returns
        -------
        ndarray, (rows, P)

        Raises
        ------
        ModelError
            If a variable is not in the table, or a level was not in the table of the design.
        DataError
            If a value is missing.

        Examples
        --------
        >>> import pandas as pd
        >>> design = build_design("~ sex", pd.DataFrame({"sex": ["F", "M"]}), parameter="sigma")
        >>> design.evaluate(pd.DataFrame({"sex": ["M"]}))
        array([[1., 1.]])
        """
        return np.ones((len(table), 1)) if self.coding is None else self.coding.evaluate(table)

    def chosen(self, rows: NDArray[np.intp]) -> Design:
        """Return the design on some of its rows."""
        offset = None if self.offset is None else self.offset.chosen(rows)
        return replace(self, matrix=self.matrix[rows], offset=offset)

    @cached_property
    def standardised(self) -> Floats:
        """Columns of which ``theta`` holds the coefficients, (rows, P)."""
        columns: Floats = self.matrix @ self.transform
        return columns

    def to_beta(self, theta: Floats) -> Floats:
        """Return the coefficients of the columns as the table has them.

        Parameters
        ----------
        theta
            Coefficients of the standardised columns, (..., P).

        Returns
        -------
        ndarray, (..., P)
        """
        return np.asarray(theta, float) @ self.transform.T

    def to_theta(self, beta: Floats) -> Floats:
        """Return the coefficients of the standardised columns: the inverse of :meth:`to_beta`.

        Parameters
        ----------
        beta
            Coefficients of the columns as the table has them, (..., P).

        Returns
        -------
        ndarray, (..., P)
        """
        values = np.asarray(beta, float)
        solved: Floats = np.linalg.solve(self.transform, values.reshape(-1, values.shape[-1]).T).T
        return solved.reshape(values.shape)


def build_design(formula: str, table: pd.DataFrame, *, parameter: str, rows: str = "row") -> Design:
    """Build the design matrix of a formula.

    Columns of text, categories or booleans are factors (levels sorted, or in the order of the categories); the first
    level is the reference.

    Parameters
    ----------
    formula
        One-sided, for example ``"~ snow * sex"``, ``"~ poly(snow, 2)"``, ``"~ bs(elevation, df=4)"``, ``"~ C(year)"``.
    table
        One row a place, with the variables of the formula.
    parameter
        The parameter that the formula describes, for messages.
    rows
        What a row of the table is ("cell", "station"), for messages.

    Returns
    -------
    Design

    Raises
    ------
    ModelError
        A formula that cannot be read, a variable that does not exist, a column without a slope of its own.
    DataError
        A covariate is missing on some rows (the ``offenders``: their labels).

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"snow": [10.0, 20.0, 30.0, 40.0], "sex": ["F", "M", "F", "M"]})
    >>> design = build_design("~ snow + sex", table, parameter="D")
    >>> design.coefficients
    ('Intercept', 'snow', 'sex[M]')
    >>> design.to_beta([0.0, 1.0, 0.5]).round(3)
    array([-2.236,  0.089,  0.5  ])
    """
    parsed = parse_formula(formula, parameter)
    if parsed.is_constant:
        return _constant(formula, len(table))
    owner = f"formula {formula!r} of {parameter!r}"
    columns = training_columns(parsed.variables, parsed.coded, table, owner, rows)
    coding = Coding(owner, parsed, columns, rows)
    matrix, atoms = coding.fit(table)
    names = tuple(":".join(atom.label for atom in column) or "Intercept" for column in atoms)
    _check_columns(owner, names, atoms, matrix, rows)
    transform, center, scale = _standardisation(atoms, matrix)
    _check_rank(owner, names, matrix @ transform, rows)
    numeric = {name: column.mean for name, column in columns.items() if name not in coding.factors}
    return Design(formula, names, matrix, center, scale, coding.factors, numeric, transform, coding)


def _constant(formula: str, rows: int) -> Design:
    one = np.ones(1)
    return Design(formula, ("Intercept",), np.ones((rows, 1)), 0 * one, one, {}, {}, np.eye(1), None)


def _standardisation(atoms: Sequence[tuple[Atom, ...]], matrix: Floats) -> tuple[Floats, Floats, Floats]:
    """Return the transform (beta from theta), the centre and the scale of the columns."""
    place = {frozenset(atom.label for atom in column): j for j, column in enumerate(atoms)}
    transform, center, scale = np.zeros((len(atoms),) * 2), np.zeros(len(atoms)), np.ones(len(atoms))
    centred = frozenset() in place
    for j, column in enumerate(atoms):
        numeric = [atom for atom in column if atom.is_numeric]
        if not numeric:
            transform[j, j] = 1.0
            continue
        expansion = _expand(column, place) if centred else None
        if expansion is None:
            # Without the terms that its expansion needs, a product can only be shifted as a whole.
            center[j] = prod(atom.reference for atom in column) if centred else 0.0
            scale[j] = matrix[:, j].std()
            expansion = {j: 1.0} if not centred else {0: -center[j], j: 1.0}
        else:
            center[j] = prod(atom.reference for atom in column) if len(numeric) == len(column) else 0.0
            scale[j] = prod(atom.scale for atom in numeric)
        for k, value in expansion.items():
            transform[k, j] = value / scale[j]
    return transform, center, scale


def _expand(column: Sequence[Atom], place: dict[frozenset[str], int]) -> dict[int, float] | None:
    """Write the product of (x - reference) as a sum over columns; None if it needs one that is not in the design."""
    numeric = [atom for atom in column if atom.is_numeric]
    fixed = frozenset(atom.label for atom in column if not atom.is_numeric)
    expansion: dict[int, float] = {}
    for size in range(len(numeric) + 1):
        for kept in combinations(numeric, size):
            key = fixed | {atom.label for atom in kept}
            if key not in place:
                return None
            expansion[place[key]] = prod(-atom.reference for atom in numeric if atom not in kept)
    return expansion


def _check_columns(
    owner: str, names: Sequence[str], atoms: Sequence[tuple[Atom, ...]], matrix: Floats, rows: str
) -> None:
    """Refuse names that occur twice and numeric columns that do not vary."""
    double = sorted({name for name in names if names.count(name) > 1})
    if double:
        raise ModelError(f"{owner}: the columns {', '.join(double)} occur twice.", offenders=double)
    same = [
        name
        for name, column, values in zip(names, atoms, matrix.T, strict=True)
        if any(atom.is_numeric for atom in column) and np.ptp(values) <= _NO_SPREAD * np.abs(values).max()
    ]
    if same:
        raise ModelError(
            f"{owner}: {', '.join(same)} {'has' if len(same) == 1 else 'have'} the same value on all "
            f"{len(matrix)} {rows}s, so there is no slope to estimate. Leave it out of the formula.",
            offenders=same,
        )


def _check_rank(owner: str, names: Sequence[str], standardised: Floats, rows: str) -> None:
    """Refuse columns that are combinations of others, naming them."""
    scaled = standardised / np.maximum(np.linalg.norm(standardised, axis=0), np.finfo(float).tiny)
    triangle = np.linalg.qr(scaled, mode="r")
    _, values, vectors = np.linalg.svd(triangle)
    values = np.concatenate([values, np.zeros(len(names) - len(values))])
    null = vectors[values <= _NO_RANK * max(values[0], 1.0)]
    if len(null):
        weights = reduce(np.maximum, np.abs(null))
        guilty = [name for name, weight in zip(names, weights, strict=True) if weight > 1e-6]
        some = ", ".join(guilty[:6]) + (", ..." if len(guilty) > 6 else "")
        raise ModelError(
            f"{owner}: on these {len(standardised)} {rows}s {some} cannot be told apart "
            "(each is a combination of the others). Leave one of them out.",
            offenders=guilty,
        )
