"""Tables of visits and sites as they come: DataFrames, files, arrays, one for each species."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from os import PathLike
from typing import Any

import numpy as np
import pandas as pd

from leopardpop.data.detection_checks import clean_label
from leopardpop.data.detection_dataset import MOST_CELLS
from leopardpop.data.names import did_you_mean, listed
from leopardpop.data.tables import Table, TableSource, concat_tables, load_table
from leopardpop.errors import DataError

__all__ = ["ArraySource", "Responses", "VisitSource", "as_table", "load_responses"]

ArraySource = np.ndarray[Any, Any] | Sequence[Any]
"""Values (site, visit), the visits of all seasons one after another, or (site, season, visit)."""

VisitSource = TableSource | ArraySource
"""A table, wide or long, or an array."""

KNOWN = ("species", "site", "season", "visit", "x", "y", "easting", "northing")
KEYS = ("species", "site", "season", "visit")


@dataclass(frozen=True, slots=True)
class Responses:
    """The table of responses under our names."""

    table: Table
    is_long: bool
    """Whether there is a row for each visit."""
    has_sites: bool
    """Whether rows have a label of their site."""
    columns: tuple[str, ...]
    """Columns of responses: one a visit, or "y"."""
    others: tuple[str, ...]
    """Columns that are neither labels nor responses."""


def as_table(source: Any, role: str, columns: Mapping[str, str] | None = None) -> Table:
    """Read one table; an array gets columns "1", "2", …, the index of a DataFrame with labels a column "site".

    Parameters
    ----------
    source
        DataFrame, path or array.
    role
        What it is, for messages: "y".
    columns
        The file's name -> ours.

    Raises
    ------
    DataError
        If it cannot be read.
    """
    frame = source if isinstance(source, (pd.DataFrame, str, PathLike)) else _frame(source, role)
    table = load_table(frame, role, columns=columns, known=KNOWN)
    if not len(table):
        raise DataError(f"{table.name} has no rows. A table needs a row for each site.")
    if "site" not in table and isinstance(source, pd.DataFrame) and _has_labels(source.index):
        table.frame.insert(0, "site", np.asarray(source.index, dtype=object))
    return table


def _has_labels(index: pd.Index[Any]) -> bool:
    return not isinstance(index, (pd.RangeIndex, pd.MultiIndex)) and index.name not in ("row", "line")


def _frame(source: Any, role: str) -> pd.DataFrame:
    if isinstance(source, Mapping) or np.ndim(source) == 0 if not isinstance(source, (list, tuple)) else False:
        raise DataError(f"{role} is a {type(source).__name__}; a DataFrame, the path of a file or an array is needed.")
    try:
        values = np.asarray(source)
    except ValueError as error:
        raise DataError(f"{role} has rows of different lengths. Fill up with NaN where there was no visit.") from error
    if values.ndim not in (2, 3) or not values.size or values.size > MOST_CELLS:
        raise DataError(f"{role} has the shape {values.shape}; (site, visit) or (site, season, visit) is needed.")
    flat = values.reshape(len(values), -1)
    return pd.DataFrame(flat, columns=[str(j + 1) for j in range(flat.shape[1])])


def load_responses(
    y: VisitSource | Mapping[str, VisitSource], visits: Sequence[str] | None, columns: Mapping[str, str] | None
) -> Responses:
    """Read the table of responses, or one for each species.

    Parameters
    ----------
    y
        A table or an array, or a dict species -> either.
    visits
        Columns of visits of a wide table; ``None``: all that are no labels.
    columns
        The file's name -> ours.

    Raises
    ------
    DataError
        If a table cannot be read, or those of the species do not fit each other.
    """
    if not isinstance(y, Mapping):
        return _responses(as_table(y, "y", columns), visits)
    if not y:
        raise DataError("y={} has no species. Give species -> table.")
    found = {str(name): _responses(as_table(one, f"y['{name}']", columns), visits) for name, one in y.items()}
    first = next(iter(found.values()))
    for name, one in found.items():
        if (one.is_long, one.has_sites, one.columns) != (first.is_long, first.has_sites, first.columns):
            raise DataError(
                f"the tables of '{next(iter(found))}' and '{name}' differ in their columns of visits, "
                f"{listed(first.columns)} and {listed(one.columns)}, or in their form. Give them alike.",
                offenders=[name],
            )
        if "species" in one.table:
            raise DataError(f"y['{name}'] has a column 'species', too. Give the table itself, or leave the column out.")
    tables = [_with_species(one.table, name) for name, one in found.items()]
    return replace(first, table=concat_tables(tables))


def _with_species(table: Table, name: str) -> Table:
    frame = table.frame.copy()
    frame.insert(0, "species", clean_label(name, "species"))
    return replace(table, frame=frame)


def _responses(table: Table, visits: Sequence[str] | None) -> Responses:
    has_sites = "site" in table
    if visits is None and "visit" in table and "y" in table:
        if not has_sites:
            raise DataError(f"{table.name} has a row for each visit, but no column 'site'. Add it.")
        others = [name for name in table.frame.columns if name not in (*KEYS, "y")]
        return Responses(table, True, True, ("y",), tuple(others))
    rest = [name for name in table.frame.columns if name not in ("species", "site", "season")]
    chosen = rest if visits is None else _chosen(table, visits, rest)
    if not chosen:
        raise DataError(f"{table.name} has no columns of visits; its columns are {listed(table.frame.columns)}.")
    return Responses(table, False, has_sites, tuple(chosen), tuple(name for name in rest if name not in chosen))


def _chosen(table: Table, visits: Sequence[str], rest: Sequence[str]) -> list[str]:
    if isinstance(visits, str) or not isinstance(visits, Sequence):
        raise DataError(f"visits={visits!r}: give a list of columns.")
    names = [str(name) for name in visits]
    unknown = [name for name in names if name not in rest]
    if unknown or len(set(names)) < len(names):
        name = unknown[0] if unknown else next(name for name in names if names.count(name) > 1)
        fault = "which does not exist" if unknown else "twice"
        raise DataError(
            f"visits= names the column '{name}' of {table.name}, {fault}; its columns are {listed(rest)}."
            f"{did_you_mean(name, rest) if unknown else ''}",
            offenders=[name],
        )
    return names
