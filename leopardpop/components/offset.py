"""Offsets of a formula: ``offset(np.log(effort))`` taken out, and its values on a table.

An offset is a term whose coefficient is 1. With the complementary log-log link, ``p="~ offset(np.log(effort))"`` says
that detections come at a constant rate while a camera runs, ``p = 1 - exp(-h effort)``, and that p of an effort of one
unit is what is estimated.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from leopardpop.components.formula_coding import Coding
from leopardpop.components.formula_columns import training_columns
from leopardpop.components.formula_syntax import parse_formula
from leopardpop.components.random_effects import brackets, without_term
from leopardpop.errors import ModelError

if TYPE_CHECKING:
    import pandas as pd

    Floats = NDArray[np.float64]
    Ints = NDArray[np.intp]

__all__ = ["Offset", "build_offset", "split_offset"]


@dataclass(frozen=True, eq=False)
class Offset:
    """What a formula adds to the linear predictor as it is."""

    values: Floats = field(repr=False)
    """On each row, (rows,)."""
    numeric: dict[str, float]
    """Its variables and their means."""
    codings: tuple[Coding, ...] = field(repr=False)

    def evaluate(self, table: pd.DataFrame) -> Floats:
        """Values at new rows, (rows,).

        Raises
        ------
        ModelError
            If a variable is not in the table.
        DataError
            If a value is missing, or not finite.
        """
        total: Floats = sum((coding.evaluate(table)[:, 0] for coding in self.codings), np.zeros(len(table)))
        return total

    def chosen(self, rows: Ints) -> Offset:
        """The offset on some of its rows."""
        return replace(self, values=self.values[rows])


def split_offset(formula: str, parameter: str | None = None) -> tuple[str, tuple[str, ...]]:
    """Take the offsets out of a formula.

    Parameters
    ----------
    formula
        For example ``"~ snow + offset(np.log(effort))"``.
    parameter
        The parameter that it describes, for messages.

    Returns
    -------
    tuple
        The formula without them, and what stands in their brackets.

    Raises
    ------
    ModelError
        If an offset is part of an interaction, or empty.

    Examples
    --------
    >>> split_offset("~ snow + offset(np.log(effort))")
    ('~ snow', ('np.log(effort)',))
    >>> split_offset("~ offset(np.log(effort))")[0]
    '~ 1'
    """
    owner = f"formula of {parameter!r}: {formula!r}" if parameter else f"formula {formula!r}"
    inside: list[str] = []
    rest = formula
    for begin, end in reversed(list(brackets(formula, "offset"))):
        text = formula[formula.index("(", begin) + 1 : end - 1].strip()
        if formula[end:].strip()[:1] not in ("", "+") or not text:
            raise ModelError(
                f"{owner}: an offset stands alone, between plus signs, with what it adds in its brackets, as in "
                "'~ snow + offset(np.log(effort))'.",
                offenders=[formula],
            )
        inside.insert(0, text)
        rest = without_term(rest, begin, end)
    return rest, tuple(inside)


def build_offset(formula: str, table: pd.DataFrame, *, parameter: str, rows: str = "row") -> tuple[str, Offset | None]:
    """Take the offsets out of a formula, and evaluate them on a table.

    Parameters
    ----------
    formula
        For example ``"~ snow + offset(np.log(effort))"``.
    table
        One row a place, with the variables of the formula.
    parameter
        The parameter that the formula describes, for messages.
    rows
        What a row of the table is, for messages.

    Returns
    -------
    tuple
        The formula without them, and their sum; None if there are none.

    Raises
    ------
    ModelError
        An offset that cannot be read, a variable that does not exist, a factor.
    DataError
        A variable is missing on some rows, or the offset is not finite there.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"effort": [1.0, 10.0]})
    >>> rest, offset = build_offset("~ 1 + offset(np.log10(effort))", table, parameter="p")
    >>> rest, offset.values, offset.evaluate(pd.DataFrame({"effort": [100.0]}))
    ('~ 1', array([0., 1.]), array([2.]))
    """
    rest, inside = split_offset(formula, parameter)
    if not inside:
        return rest, None
    owner = f"formula {formula!r} of {parameter!r}"
    codings: list[Coding] = []
    total: Floats = np.zeros(len(table))
    means: dict[str, float] = {}
    for text in inside:
        parsed = parse_formula(f"~ 0 + I({text})", parameter)
        columns = training_columns(parsed.variables, parsed.coded, table, owner, rows)
        _check_numeric(owner, [name for name, column in columns.items() if column.levels is not None])
        codings.append(Coding(owner, parsed, columns, rows))
        total = total + codings[-1].fit(table)[0][:, 0]
        means |= {name: column.mean for name, column in columns.items()}
    return rest, Offset(total, means, tuple(codings))


def _check_numeric(owner: str, factors: list[str]) -> None:
    if factors:
        raise ModelError(
            f"{owner}: an offset is a number on the scale of the link, and {factors[0]!r} is a factor. Use it as a "
            f"term, '~ {factors[0]}'.",
            offenders=factors,
        )
