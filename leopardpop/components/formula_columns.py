"""The variables of a formula: found in a table, checked, and brought to one type each."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from leopardpop.components.formula_syntax import nearest
from leopardpop.errors import DataError, ModelError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Column", "level_codes", "read_columns", "training_columns"]


@dataclass(frozen=True)
class Column:
    """What a variable was in the table of the design."""

    levels: tuple[str, ...] | None
    """Levels of a factor; None if numeric."""
    mean: float
    """Mean of a numeric variable, NaN otherwise."""


def training_columns(
    names: Sequence[str], coded: Collection[str], table: pd.DataFrame, owner: str, rows: str
) -> dict[str, Column]:
    """Look at the variables of a formula in the table of the design.

    Parameters
    ----------
    names
        The variables.
    coded
        Those that the formula makes factors of, whatever their type.
    table
        One row a place.
    owner, rows
        Whose formula it is and what a row is, for messages.

    Raises
    ------
    ModelError
        If a variable is not there, is of no usable type, or is a factor of one level.
    DataError
        If values are missing.
    """
    if not len(table):
        raise ModelError(f"{owner}: the table has no {rows}s.")
    _check_present(names, table, owner)
    _check_complete(names, table, owner, rows)
    return {name: _column(name, table[name], name in coded, owner, rows) for name in names}


def read_columns(
    columns: Mapping[str, Column], table: pd.DataFrame, owner: str, rows: str, *, new: bool = False
) -> pd.DataFrame:
    """Variables of a table: numbers as float, factors as categories with the levels of the design's table.

    Parameters
    ----------
    columns
        What the variables were in the design's table.
    table
        One row a place.
    owner, rows
        Whose formula it is and what a row is, for messages.
    new
        Whether these are other rows than the design's.

    Raises
    ------
    ModelError
        If a variable is not there or a level is unknown.
    DataError
        If values are missing.
    """
    import pandas as pd

    _check_present(list(columns), table, owner)
    _check_complete(list(columns), table, owner, rows)
    read = {name: _read(name, column, table[name], owner, new) for name, column in columns.items()}
    return pd.DataFrame(read, index=pd.RangeIndex(len(table)))


def level_codes(name: str, column: Column, table: pd.DataFrame, owner: str) -> NDArray[np.intp]:
    """Number of the level of each row; levels that the design does not have are numbered behind its own.

    Parameters
    ----------
    name
        The variable.
    column
        What it was in the design's table.
    table
        One row a place.
    owner
        Whose formula it is, for messages.

    Raises
    ------
    ModelError
        If it is not there.
    """
    _check_present([name], table, owner)
    place = {level: i for i, level in enumerate(column.levels or ())}
    return np.array([place.setdefault(_text(value), len(place)) for value in table[name]], np.intp)


def _check_present(names: Sequence[str], table: pd.DataFrame, owner: str) -> None:
    known = [str(column) for column in table.columns]
    unknown = [name for name in names if name not in known]
    if unknown:
        elsewhere = table.attrs.get("elsewhere", {}).get(unknown[0])  # whoever made the table may know better
        known += table.attrs.get("also", [])
        hint = f" {elsewhere}" if elsewhere else nearest(unknown[0], known)
        raise ModelError(
            f"{owner}: there is no variable {unknown[0]!r}.{hint} Available: {', '.join(known) or 'none'}.",
            offenders=unknown,
        )
    double = [name for name in names if known.count(name) > 1]
    if double:
        raise ModelError(f"{owner}: the table has {double[0]!r} more than once.", offenders=double)


def _check_complete(names: Sequence[str], table: pd.DataFrame, owner: str, rows: str) -> None:
    for name in names:
        missing = _missing(table[name])
        if missing.any():
            labels = list(dict.fromkeys(table.index[missing]))  # a station stands there once a class
            some = ", ".join(str(label) for label in labels[:5]) + (", ..." if len(labels) > 5 else "")
            out = f"leave these {rows}s out"
            out += f": history.complete_visits({name!r})" if rows == "visit" else ""
            raise DataError(
                f"{owner}: {name!r} is missing on {len(labels)} of {table.index.nunique()} {rows}s ({some}). "
                f"Fill it in, or {out}.",
                offenders=labels,
            )


def _missing(values: pd.Series[Any]) -> np.ndarray[Any, np.dtype[np.bool_]]:
    from pandas.api.types import is_float_dtype

    missing = values.isna().to_numpy(bool)
    if is_float_dtype(values):
        missing = missing | np.isinf(values.to_numpy(float, na_value=np.nan))
    return missing


def _is_numeric(values: pd.Series[Any]) -> bool:
    from pandas.api.types import is_bool_dtype, is_numeric_dtype

    return is_numeric_dtype(values) and not is_bool_dtype(values)


def _column(name: str, values: pd.Series[Any], coded: bool, owner: str, rows: str) -> Column:
    if _is_numeric(values) and not coded:
        return Column(None, float(values.astype(float).mean()))
    levels = _levels(name, values, owner)
    if len(levels) == 1:
        raise ModelError(
            f"{owner}: {name!r} is {levels[0]!r} on all {len(values)} {rows}s, so there is no difference to "
            "estimate. Leave it out of the formula.",
            offenders=[name],
        )
    return Column(levels, float("nan"))


def _levels(name: str, values: pd.Series[Any], owner: str) -> tuple[str, ...]:
    from pandas import CategoricalDtype
    from pandas.api.types import is_bool_dtype, is_object_dtype, is_string_dtype

    if _is_numeric(values):
        return tuple(_text(value) for value in sorted(values.unique()))
    present = {_text(value) for value in values.unique()}
    if isinstance(values.dtype, CategoricalDtype):
        return tuple(level for level in map(_text, values.dtype.categories) if level in present)
    if not (is_object_dtype(values) or is_string_dtype(values) or is_bool_dtype(values)):
        raise ModelError(
            f"{owner}: {name!r} is of type {values.dtype}, neither numbers nor categories. Convert it to one of them.",
            offenders=[name],
        )
    return tuple(sorted(present))


def _text(value: Any) -> str:
    """Label of a level: a year is '2024' even where a table has made it 2024.0."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _read(name: str, column: Column, values: pd.Series[Any], owner: str, new: bool) -> Any:
    import pandas as pd

    if column.levels is None:
        if not _is_numeric(values):
            raise ModelError(f"{owner}: {name!r} must be numeric, as in the fit.", offenders=[name])
        return values.to_numpy(float)
    texts = [_text(value) for value in values]
    _check_levels(name, texts, owner, column.levels)
    # An order is what fixes the levels in the fit; at new rows the library wants every level of an ordered factor.
    return pd.Categorical(texts, categories=list(column.levels), ordered=not new)


def _check_levels(name: str, texts: Sequence[str], owner: str, levels: Sequence[str]) -> None:
    unknown = sorted(set(texts) - set(levels))
    if unknown:
        raise ModelError(
            f"{owner}: {name!r} has no level {unknown[0]!r}.{nearest(unknown[0], levels)} "
            f"The levels are {', '.join(levels)}.",
            offenders=unknown,
        )
