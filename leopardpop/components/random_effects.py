"""Random effects of a formula: ``(1 | block)`` and ``(snow | block)`` taken out, and their rows on a table.

``(1 | block)`` gives each block a deviation of its own from the intercept, drawn from a normal law whose sd is
estimated; ``(snow | block)`` a deviation from the intercept and one from the slope, independent of each other at the
mean of snow; ``(0 + snow | block)`` the latter alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from leopardpop.components.formula import Design, build_design
from leopardpop.components.formula_columns import level_codes, training_columns
from leopardpop.components.formula_syntax import parse_formula
from leopardpop.errors import ModelError

if TYPE_CHECKING:
    import pandas as pd

    from leopardpop.components.formula_columns import Column

    Floats = NDArray[np.float64]
    Ints = NDArray[np.intp]

__all__ = ["RandomDesign", "RandomPart", "brackets", "build_random", "formula_names", "split_random", "without_term"]

_NAME = re.compile(r"[^\W\d][\w.]*|`[^`]+`")


@dataclass(frozen=True)
class RandomPart:
    """What a formula says of one bracket with a bar."""

    columns: str
    """Formula of what differs between groups: ``"~ 1"``, ``"~ snow"``."""
    group: str
    """Variable that names the group."""


@dataclass(frozen=True, eq=False)
class RandomDesign:
    """One column whose coefficient differs between groups."""

    column: str
    """Name of the column, ``"Intercept"`` or such as ``"snow"``."""
    group: str
    """Variable that names the group."""
    levels: tuple[str, ...]
    """Groups, G."""
    level: Ints = field(repr=False)
    """Group of each row, (rows,)."""
    value: Floats = field(repr=False)
    """Value of the column less its value at the reference, (rows,)."""
    scale: float
    """Standard deviation of a numeric column, otherwise 1."""
    owner: Design = field(repr=False)
    coding: Column = field(repr=False)

    @property
    def label(self) -> str:
        """``"1|block"`` or ``"snow|block"``."""
        return f"{'1' if self.column == 'Intercept' else self.column}|{self.group}"

    def chosen(self, rows: Ints) -> RandomDesign:
        """The effect on some of its rows."""
        return replace(self, level=self.level[rows], value=self.value[rows])

    @property
    def suffix(self) -> str:
        """What stands behind ``psi_sd_`` in the name of the sd: ``"block"`` or ``"block_snow"``."""
        return self.group if self.column == "Intercept" else f"{self.group}_{self.column}"

    def evaluate(self, table: pd.DataFrame) -> tuple[Ints, Floats]:
        """Group of new rows, those that the design does not have behind its own, and the value of the column.

        Raises
        ------
        ModelError
            If the table has no column of that name.
        """
        place = self.owner.coefficients.index(self.column)
        value = self.owner.evaluate(table)[:, place] - self.owner.center[place]
        return level_codes(self.group, self.coding, table, f"random effect ({self.label})"), value


def split_random(formula: str, parameter: str | None = None) -> tuple[str, tuple[RandomPart, ...]]:
    """Take the random effects out of a formula.

    Parameters
    ----------
    formula
        For example ``"~ snow + (1 | block)"``.
    parameter
        The parameter that it describes, for messages.

    Returns
    -------
    tuple
        The formula without them, and the random effects.

    Raises
    ------
    ModelError
        If what stands right of the bar is no variable.

    Examples
    --------
    >>> split_random("~ snow + (1 | block)")
    ('~ snow', (RandomPart(columns='~ 1', group='block'),))
    >>> split_random("~ (snow | block)")[0]
    '~ 1'
    """
    parts: list[RandomPart] = []
    rest = formula
    for begin, end in reversed(list(brackets(formula))):
        inside = formula[begin + 1 : end - 1]
        if "|" in inside:
            parts.insert(0, _part(formula, inside, parameter))
            rest = without_term(rest, begin, end)
    return rest, tuple(parts)


def brackets(formula: str, name: str = "") -> Iterator[tuple[int, int]]:
    """Begin and end of every outermost bracket that is a term, behind ``~`` or ``+``; or of every call of a name."""
    depth, begin, before = 0, 0, ""
    for i, character in enumerate(formula):
        if character == "(":
            depth += 1
            if depth == 1:
                head = formula[:i].rstrip()
                begin = len(head) - len(name) if name and head.endswith(name) else i
                before = formula[:begin].rstrip()[-1:] if formula[begin:i].strip() == name else ""
        elif character == ")":
            depth -= 1
            if depth == 0 and before in ("~", "+"):
                yield begin, i + 1


def formula_names(formula: str, parameter: str | None = None) -> set[str]:
    """Variables of a formula, those of its random effects included.

    Parameters
    ----------
    formula
        For example ``"~ snow + (1 | block)"``.
    parameter
        The parameter that it describes, for messages.

    Returns
    -------
    set of str

    Raises
    ------
    ModelError
        If it cannot be read.

    Examples
    --------
    >>> sorted(formula_names("~ snow + (wind | block)"))
    ['block', 'snow', 'wind']
    """
    fixed, parts = split_random(formula, parameter)
    formulas = [fixed, *(part.columns for part in parts)]
    return {part.group for part in parts}.union(*(parse_formula(each, parameter).variables for each in formulas))


def _part(formula: str, inside: str, parameter: str | None) -> RandomPart:
    columns, _, group = (piece.strip() for piece in inside.partition("|"))
    owner = f"formula of {parameter!r}" if parameter else "formula"
    if not columns or not _NAME.fullmatch(group):
        raise ModelError(
            f"{owner}: {formula!r}: a random effect is written (1 | block) or (snow | block), with one variable right "
            f"of the bar, and this one is ({inside}). Groups within groups need a column of their own; intercepts and "
            "slopes are independent, so that one bar is enough.",
            offenders=[formula],
        )
    return RandomPart(f"~ {columns}", group.strip("`"))


def without_term(formula: str, begin: int, end: int) -> str:
    """Take out a term with the plus before it; an empty right-hand side is a constant."""
    head, tail = formula[:begin].rstrip(), formula[end:]
    if head.endswith("+"):
        rest = head[:-1].rstrip() + tail
    else:
        tail = tail.strip()
        rest = f"{head} {tail.removeprefix('+').strip()}"
    return f"{rest.rstrip()} 1" if rest.rstrip().endswith("~") else rest.rstrip()


def build_random(
    formula: str, table: pd.DataFrame, *, parameter: str, rows: str = "row"
) -> tuple[str, tuple[RandomDesign, ...]]:
    """Build the random effects of a formula on a table.

    Parameters
    ----------
    formula
        For example ``"~ snow + (1 | block)"``.
    table
        One row a place, with the variables of the formula.
    parameter
        The parameter that the formula describes, for messages.
    rows
        What a row of the table is, for messages.

    Returns
    -------
    tuple
        The formula without them, and one design for each column that differs between groups.

    Raises
    ------
    ModelError
        For a group that is no variable or has one level only, or an effect that is there twice.
    DataError
        If a value is missing.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"block": ["a", "b", "b"], "snow": [1.0, 2.0, 6.0]})
    >>> fixed, random = build_random("~ (snow | block)", table, parameter="psi")
    >>> fixed, [each.label for each in random], random[1].value.tolist()
    ('~ 1', ['1|block', 'snow|block'], [-2.0, -1.0, 3.0])
    """
    fixed, parts = split_random(formula, parameter)
    designs = tuple(each for part in parts for each in _designs(part, table, parameter, rows))
    labels = [each.label for each in designs]
    double = sorted({label for label in labels if labels.count(label) > 1})
    if double:
        raise ModelError(
            f"formula {formula!r} of {parameter!r}: ({double[0]}) is there twice. (snow | block) has an intercept by "
            "itself; for the slope alone write (0 + snow | block).",
            offenders=double,
        )
    return fixed, designs


def _check_group(name: str, values: pd.Series[Any], owner: str) -> None:
    """Refuse a measurement as a group."""
    if values.dtype.kind == "f" and (values % 1 != 0).any():
        raise ModelError(
            f"{owner}: {name!r} is a measurement (such as {values[values % 1 != 0].iloc[0]:g}) and no name of a group. "
            f"Make classes of it in a column of its own, or use it as a covariate, '~ {name}'.",
            offenders=[name],
        )


def _designs(part: RandomPart, table: pd.DataFrame, parameter: str, rows: str) -> Iterator[RandomDesign]:
    owner = f"formula of {parameter!r}, ({part.columns[2:]} | {part.group})"
    column = training_columns([part.group], {part.group}, table, owner, rows)[part.group]
    _check_group(part.group, table[part.group], owner)
    design = build_design(part.columns, table, parameter=parameter, rows=rows)
    level = level_codes(part.group, column, table, owner)
    for j, name in enumerate(design.coefficients):
        value = np.asarray(design.matrix[:, j] - design.center[j], float)
        levels = column.levels or ()
        yield RandomDesign(name, part.group, levels, level, value, float(design.scale[j]), design, column)
