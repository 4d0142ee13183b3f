"""Tables as they come, from files or DataFrames: names, labels and numbers, each fault with its line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leopardpop.data.covariates import GROUPED, PLAIN_NUMBER, THOUSANDS, as_covariates, as_number, with_numbers
from leopardpop.data.files import read_text_table
from leopardpop.data.names import did_you_mean, listed, nearest
from leopardpop.errors import DataError

__all__ = [
    "LABELS",
    "Origin",
    "Table",
    "TableSource",
    "concat_tables",
    "label",
    "load_table",
    "positions",
    "read_table",
]

TableSource = pd.DataFrame | str | PathLike[str]
"""A table in memory, or the path of one."""

LABELS = ("individual", "station", "occasion", "session")
"""Columns that are labels, kept as the file writes them."""


MOST_WHOLE = 10**9
"""Largest whole number that a count or an occasion may be; more does not fit where it is kept."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a table comes from, for messages."""

    name: str
    """File name, or what the table is ("captures")."""
    word: str = "row"
    """What its rows are called: "line" of a file, "row" of a DataFrame."""
    is_file: bool = False
    """Whether the cells are a file's text."""
    decimal_comma: bool = False
    """Whether "1,5" may be a number."""


@dataclass(frozen=True, slots=True)
class Labels:
    """A column of labels, factorised."""

    codes: NDArray[np.intp]
    """Position in ``names`` of each row."""
    names: NDArray[np.object_]
    """Different labels, in order of appearance."""


@dataclass(frozen=True, slots=True)
class Table:
    """One or several tables under each other, each row with the place it comes from."""

    frame: pd.DataFrame
    """Columns under our names; rows numbered from 0."""
    lines: NDArray[Any]
    """Line or row label of each row in its origin."""
    origins: tuple[Origin, ...]
    """The tables."""
    origin: NDArray[np.intp]
    """Which of ``origins`` each row comes from."""

    @property
    def name(self) -> str:
        """Name of the table, or of the first of several."""
        return self.origins[0].name

    def __len__(self) -> int:
        return len(self.frame)

    def __contains__(self, column: str) -> bool:
        return column in self.frame.columns

    def where(self, row: int) -> str:
        """Say where a row stands: "captures.csv line 12"."""
        source, line = self._places(np.array([row]))
        word = self.origins[self.origin[row]].word if self._read_before is None else "line"
        return f"{source[0]} {word} {line[0]}"

    @property
    def _read_before(self) -> pd.DataFrame | None:
        """The columns source and line that a reader gave each row of a DataFrame, or None."""
        names = ["source", "line"]
        there = set(names) <= set(self.frame.columns) and not any(origin.is_file for origin in self.origins)
        return self.frame[names] if there and self.frame[names].notna().to_numpy().all() else None

    def _places(self, rows: NDArray[np.intp]) -> tuple[NDArray[Any], NDArray[Any]]:
        """Source and line of rows."""
        read = self._read_before
        if read is not None:
            return read["source"].to_numpy(object)[rows], read["line"].to_numpy(object)[rows]
        names = np.array([origin.name for origin in self.origins], dtype=object)
        return names[self.origin[rows]], self.lines[rows]

    def offenders(self, rows: NDArray[Any]) -> pd.DataFrame:
        """Return rows (positions or a boolean array) with their source and line, for an error."""
        positions = np.flatnonzero(rows) if rows.dtype == np.bool_ else rows
        found = self.frame.iloc[positions].reset_index(drop=True)
        source, line = self._places(positions)
        places = pd.DataFrame({"source": source, "line": line})
        return pd.concat([places, found.drop(columns=["source", "line"], errors="ignore")], axis=1)

    def fail(self, rows: NDArray[Any], found: str, advice: str) -> DataError:
        """Return an error about some rows: the place of the first, how many there are, and the rows themselves."""
        positions = np.flatnonzero(rows) if rows.dtype == np.bool_ else rows
        first = self.where(int(positions[0]))
        more = f" ({len(positions)} rows in all)" if len(positions) > 1 else ""
        return DataError(f"{first}: {found}{more}. {advice}", offenders=self.offenders(positions))

    def labels(self, column: str) -> Labels:
        """Return a column of labels: str as the file has them, without blanks around; 1.0 in a DataFrame is "1"."""
        codes, values = pd.factorize(self.frame[column].astype(object))
        words = np.array([*(label(value) for value in values), ""], dtype=object)
        again, names = pd.factorize(words)  # "F1" and "F1 " are one label
        codes = again[codes]
        empty = names[codes] == "" if len(codes) else np.zeros(0, dtype=bool)
        if empty.any():
            raise self.fail(empty, f"{column} is missing", "Fill it in, or remove the row.")
        return Labels(codes.astype(np.intp), np.asarray(names[:-1] if names[-1] == "" else names, dtype=object))

    def numbers(
        self,
        column: str,
        *,
        whole: bool = False,
        least: float = -np.inf,
        blank: float | None = None,
        called: str | None = None,
    ) -> NDArray[np.float64]:
        """Return a column of finite numbers.

        Parameters
        ----------
        column
            Its name.
        whole
            Whether they must be whole numbers.
        least
            The smallest that is possible.
        blank
            What a missing value stands for; by default it is an error.
        called
            What messages call the column; by default its name.

        Returns
        -------
        numpy.ndarray
            float64, one a row.

        Raises
        ------
        DataError
            Naming the first row whose value is not such a number, and the value.
        """
        numbers, missing = self._parsed(column)
        if blank is not None:
            numbers[missing] = blank
        kind = "whole number" if whole else "number"
        bad = ~np.isfinite(numbers) & ~(missing & (blank is not None))
        bad |= np.isfinite(numbers) & ((numbers < least) | (whole & (numbers != np.round(numbers))))
        huge = whole & (np.abs(numbers) > MOST_WHOLE)
        bad |= huge & np.isfinite(numbers)
        if bad.any():
            value = self.frame[column].iloc[int(bad.argmax())]
            found = f"{called or column} is " + ("missing" if missing[bad.argmax()] else f"'{label(value)}'")
            limit = f", at least {least:g}" if np.isfinite(least) else ""
            limit += f", at most {MOST_WHOLE:,}" if huge[bad.argmax()] else ""
            hint = f" {PLAIN_NUMBER}" if GROUPED.fullmatch(label(value)) else ""
            raise self.fail(bad, found, f"A {kind} is needed{limit}.{hint}")
        return numbers

    def _parsed(self, column: str) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Return the numbers, NaN where there is none, and where nothing is written."""
        values = self.frame[column]
        values = values if pd.api.types.is_numeric_dtype(values) else values.astype(object)
        numbers = pd.to_numeric(values, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan, copy=True)
        lost = np.flatnonzero(np.isnan(numbers))
        words = [label(value) if value is not None else "" for value in values.iloc[lost].tolist()]
        missing = np.zeros(len(values), dtype=bool)
        missing[lost] = [word in ("", "nan", "NaN", "NA", "<NA>", "None") for word in words]
        comma = any(origin.decimal_comma for origin in self.origins)
        found = [as_number(word, decimal_comma=comma or not THOUSANDS.fullmatch(word)) for word in words]
        numbers[lost] = [np.nan if number is None else number for number in found]
        return numbers, missing

    def covariates(self, used: Sequence[str]) -> pd.DataFrame:
        """Return all columns but some, as covariates: numbers where a file's column has nothing else."""
        frame = self.frame.drop(columns=[name for name in used if name in self])
        table = as_covariates(frame, len(self), "row")
        if not all(origin.is_file for origin in self.origins):
            return table
        return with_numbers(table, any(origin.decimal_comma for origin in self.origins), self.name)

    def take(self, rows: NDArray[Any]) -> Table:
        """Return some of the rows."""
        frame = self.frame[rows] if rows.dtype == np.bool_ else self.frame.iloc[rows]
        return Table(frame.reset_index(drop=True), self.lines[rows], self.origins, self.origin[rows])


def label(value: Any) -> str:
    """Return a label as text: "007" stays, 1.0 is "1", nothing is "".

    Examples
    --------
    >>> label(" 007"), label(1.0), label(2.5), label(None)
    ('007', '1', '2.5', '')
    """
    if isinstance(value, str):
        return value.strip()
    if value is None or value is pd.NA or value is pd.NaT:
        return ""
    if isinstance(value, (float, np.floating)):
        return "" if np.isnan(value) else str(int(value)) if float(value).is_integer() else repr(float(value))
    if isinstance(value, datetime):
        return str(value.date() if value.time() == time() else value)
    return str(value)


def positions(wanted: Sequence[Any] | NDArray[Any], values: Sequence[Any] | NDArray[Any]) -> NDArray[np.intp]:
    """Return where each wanted value stands among unique values, -1 where it does not."""
    index: pd.Index[Any] = pd.Index(np.asarray(values))
    return np.asarray(index.get_indexer(pd.Index(np.asarray(wanted))), dtype=np.intp)


def load_table(
    source: TableSource,
    role: str,
    *,
    columns: Mapping[str, str] | None = None,
    known: Sequence[str] = (),
    required: Sequence[str] = (),
) -> Table:
    """Read a table and bring its columns under our names.

    Parameters
    ----------
    source
        DataFrame or path.
    role
        What the table is: "captures".
    columns
        The file's name -> ours.
    known
        Our names, which are found in whatever case they are written.
    required
        Those that must be there.

    Returns
    -------
    Table

    Raises
    ------
    DataError
        If the file cannot be read, a column is missing or one in ``columns`` does not exist.
    """
    if isinstance(source, pd.DataFrame):
        frame, lines, origin, separator = source, source.index.to_numpy(), Origin(role), ""
    elif isinstance(source, (str, PathLike)):
        text = read_text_table(Path(source), role)
        frame, lines, separator = text.frame, text.lines, f", separated by {text.separator_name}"
        origin = Origin(Path(source).name, "line", is_file=True, decimal_comma=text.decimal_comma)
    else:
        raise DataError(f"{role} is a {type(source).__name__}; a DataFrame or the path of a file is needed.")
    frame = frame.set_axis([label(name) for name in frame.columns], axis=1).reset_index(drop=True)
    frame = _renamed(frame, dict(columns or {}), known, origin.name)
    _check_columns(list(frame.columns), required, role, origin.name, separator)
    return Table(frame, lines, (origin,), np.zeros(len(frame), dtype=np.intp))


def _renamed(frame: pd.DataFrame, columns: dict[str, str], known: Sequence[str], name: str) -> pd.DataFrame:
    for theirs in columns:
        if theirs not in frame.columns:
            hint = did_you_mean(theirs, frame.columns)
            raise DataError(
                f"columns= names '{theirs}', which {name} does not have; it has {listed(frame.columns)}.{hint}",
                offenders=[theirs],
            )
    for ours in known:  # "Station" is our "station" unless the table has both
        alike = [column for column in frame.columns if column.lower() == ours and column not in columns]
        if ours not in frame.columns and ours not in columns.values() and len(alike) == 1:
            columns[alike[0]] = ours
    frame = frame.rename(columns=columns)
    twice = frame.columns[frame.columns.duplicated()].tolist()
    if twice:
        raise DataError(f"{name} has two columns '{twice[0]}' after columns= is applied. Rename one.", offenders=twice)
    return frame


def _check_columns(found: list[str], required: Sequence[str], role: str, name: str, separator: str) -> None:
    missing = [column for column in required if column not in found]
    if not missing:
        return
    few = " Columns can be separated by commas, semicolons, tabs or blanks." if len(found) == 1 and separator else ""
    alike = None if few else nearest(missing[0], found)
    asked = f" Is it '{alike}'? Then pass" if alike else " Say which it is: pass"
    hint = "" if few else f"{asked} columns={{'{role}': {{'{alike or '<yours>'}': '{missing[0]}'}}}}."
    raise DataError(
        f"{name} has no column {listed(missing)}; its columns are {listed(found)}{separator}.{hint}{few}",
        offenders=missing,
    )


def concat_tables(tables: Sequence[Table]) -> Table:
    """Put tables under each other; a column that one lacks is missing there."""
    if len(tables) == 1:
        return tables[0]
    starts = np.cumsum([0, *(len(table.origins) for table in tables)])
    names = dict.fromkeys(name for table in tables for name in table.frame.columns)
    columns = {name: _stacked([table.frame.get(name) for table in tables], tables) for name in names}
    return Table(
        pd.DataFrame(columns),
        np.concatenate([table.lines.astype(object) for table in tables]),
        tuple(origin for table in tables for origin in table.origins),
        np.concatenate([table.origin + start for table, start in zip(tables, starts[:-1], strict=True)]),
    )


def _stacked(columns: Sequence[pd.Series[Any] | None], tables: Sequence[Table]) -> pd.Series[Any]:
    """Stack one column: numbers if all are, else objects, missing where a table does not have it."""
    numeric = all(column is None or pd.api.types.is_numeric_dtype(column) for column in columns)
    dtype: type[Any] = np.float64 if numeric else object
    values = [
        np.full(len(table), np.nan, dtype=dtype) if column is None else column.to_numpy(dtype=dtype, na_value=np.nan)
        for column, table in zip(columns, tables, strict=True)
    ]
    return pd.Series(np.concatenate(values), dtype=dtype)


def read_table(
    source: TableSource,
    *,
    columns: Mapping[str, str] | None = None,
    required: Sequence[str] = (),
    name: str = "captures",
    text_columns: Sequence[str] = LABELS,
) -> pd.DataFrame:
    """Read a table from a file of any usual form, or take a DataFrame.

    Parameters
    ----------
    source
        DataFrame, or path of a text file: commas, semicolons, tabs or blanks; UTF-8, UTF-16 or Latin-1; decimal points
        or decimal commas ("4,000" is refused where commas separate columns: it may be either number).
    columns
        The file's name of a column -> ours.
    required
        Columns that must be there. Those that are not text must hold finite numbers.
    name
        What the table is, for messages.
    text_columns
        Columns that are labels: str as the file writes them ("007" stays "007").

    Returns
    -------
    pandas.DataFrame
        Labels as str; other columns as float64, or as str with ``None`` where missing. The index is the line of the
        file (named "line") or the index of the DataFrame (named "row").

    Raises
    ------
    DataError
        If the file cannot be read, a column is missing, or a value is not what it must be; it names the line.

    Examples
    --------
    >>> import pandas as pd
    >>> read_table(pd.DataFrame({"ID": [1.0, 2.0], "x": [0, 1]}), columns={"ID": "station"}, name="stations")
        station    x
    row
    0         1  0.0
    1         2  1.0
    """
    table = load_table(source, name, columns=columns, known=text_columns, required=required)
    result = table.covariates([*text_columns, *required])
    for column in table.frame.columns:
        if column in text_columns:
            labels = table.labels(column)
            result[column] = pd.Series(labels.names[labels.codes], dtype=object)
        elif column in required:
            result[column] = table.numbers(column)
    return result[list(table.frame.columns)].set_axis(pd.Index(table.lines, name=table.origins[0].word), axis=0)
