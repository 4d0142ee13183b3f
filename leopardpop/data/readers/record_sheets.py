"""Tables of field teams: whatever a column is called, found under our name; each row with its file and line."""

from __future__ import annotations

import re
from collections.abc import Collection, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leopardpop.data.column_roles import column_notes, plain, warn_of_unused
from leopardpop.data.covariates import MISSING_WORDS
from leopardpop.data.files import read_text_table
from leopardpop.data.names import did_you_mean, listed, nearest
from leopardpop.data.survey_tables import text
from leopardpop.data.tables import Origin, Table, TableSource, label
from leopardpop.errors import DataError

__all__ = ["ColumnNames", "Columns", "Sheet", "check_roles", "concat_sheets", "read_sheet"]

Columns = Mapping[str, Mapping[str, str]] | None
"""Role of a table -> (the file's name of a column -> ours)."""


MEANT = {"station": ("site", "siteid", "sitename", "camerasite", "location", "locality", "place", "point", "trap")}
"""Columns that may be a role and may be something else: they are asked for, not taken."""


@dataclass(frozen=True, slots=True)
class ColumnNames:
    """What a format calls its columns."""

    names: Mapping[str, Sequence[str]]
    """Our name -> theirs, the best first; case, blanks, dots and underscores do not matter."""
    required: Sequence[str] = ()
    """Ours, that must be there."""
    rest: bool = False
    """Whether all other columns are kept, too."""
    pattern: str = r"(?!)"
    """Other columns that are kept: a regular expression for their plain form."""
    told: Sequence[str] = ()
    """Ours, of which it is told if they seem to be there under a name that is not known."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table under our names that remembers theirs."""

    table: Table
    """The rows."""
    called: Mapping[str, str]
    """Our name -> the file's."""
    notes: tuple[str, ...] = ()
    """Which columns were read as what, where that is not plain."""

    def __len__(self) -> int:
        return len(self.table)

    def __contains__(self, column: str) -> bool:
        return column in self.table

    @property
    def columns(self) -> list[str]:
        """Our names of the columns, or the file's where we have none."""
        return [str(name) for name in self.table.frame.columns]

    def name(self, column: str) -> str:
        """What the file calls a column."""
        return self.called.get(column, column)

    def fail(self, rows: NDArray[Any], found: str, advice: str) -> DataError:
        """Return an error that names file and line of the first of some rows."""
        return self.table.fail(rows, found, advice)

    def words(self, column: str) -> pd.Series[Any]:
        """Labels of a column as text, None where there is none or no such column, (n,)."""
        if column not in self:
            return pd.Series([None] * len(self), dtype=object)
        return text(self.table.frame[column])

    def needed(self, column: str) -> pd.Series[Any]:
        """Labels of a column that must not be missing, (n,)."""
        words = self.words(column)
        missing = words.isna().to_numpy(bool)
        if missing.any():
            raise self.fail(missing, f"{self.name(column)} is missing", "Fill it in, or remove the row.")
        return words

    def known(self, column: str, names: Collection[str], where: str) -> pd.Series[Any]:
        """Labels of a column that must be among some names, (n,)."""
        words = self.needed(column)
        unknown = ~words.isin(list(names)).to_numpy(bool)
        if unknown.any():
            value = str(words[int(unknown.argmax())])
            place = f"T{where[1:]}" if where.startswith("the ") else where
            advice = f"{place} has {listed(dict.fromkeys(names))}.{did_you_mean(value, names)}"
            raise self.fail(unknown, f"{self.name(column)} '{value}' is not in {where}", advice)
        return words

    def numbers(self, column: str, **options: Any) -> NDArray[np.float64]:
        """Numbers of a column, as :meth:`leopardpop.data.tables.Table.numbers`, (n,)."""
        return self.table.numbers(column, called=self.name(column), **options)

    def take(self, rows: NDArray[np.bool_]) -> Sheet:
        """Return some of the rows."""
        return replace(self, table=self.table.take(rows))

    def with_column(self, column: str, values: pd.Series[Any]) -> Sheet:
        """Return the sheet with a column added or replaced."""
        table = self.table
        frame = table.frame.assign(**{column: values})
        return replace(self, table=Table(frame, table.lines, table.origins, table.origin))

    def places(self) -> pd.DataFrame:
        """Source and line of each row, (n,)."""
        names = np.array([origin.name for origin in self.table.origins], dtype=object)
        return pd.DataFrame({"source": names[self.table.origin], "line": self.table.lines})


class _Wanted(Collection[str]):
    """The columns that a reader looks for; it remembers all that it was asked about, for messages."""

    def __init__(self, names: ColumnNames, columns: Mapping[str, str]) -> None:
        self._forms = {plain(name) for ours, theirs in names.names.items() for name in (ours, *theirs)}
        self._columns, self._names = columns, names
        self.seen: list[str] = []

    def __contains__(self, name: object) -> bool:
        word = str(name)
        self.seen.append(word)
        return self.takes(word)

    def takes(self, name: str) -> bool:
        """Whether a column is read."""
        form = plain(name)
        named = form in self._forms or name in self._columns
        return bool(name) and (named or self._names.rest or re.fullmatch(self._names.pattern, form) is not None)

    def __iter__(self) -> Iterator[str]:
        return iter(self._forms)

    def __len__(self) -> int:
        return len(self._forms)


def check_roles(columns: Columns, roles: Sequence[str]) -> None:
    """Check that columns= is a map of maps, of tables that there are."""
    for role, names in (columns or {}).items():
        if role not in roles or not isinstance(names, Mapping):
            example = {roles[0]: {"their name": "our name"}}
            hint = did_you_mean(str(role), roles) if role not in roles else ""
            raise DataError(f"columns= has {role!r}: {names!r}. Write it as {example}.{hint}", offenders=[role])


def read_sheet(source: TableSource, role: str, names: ColumnNames, columns: Columns = None) -> Sheet:
    """Read a table and bring its columns under our names.

    Parameters
    ----------
    source
        DataFrame, or path of a text file.
    role
        What the table is, for messages and in `columns`.
    names
        What its columns may be called.
    columns
        The user's map, which goes first.

    Returns
    -------
    Sheet

    Raises
    ------
    DataError
        If the file cannot be read, a column is missing, or the map names one that does not exist.
    """
    given = dict((columns or {}).get(role, {}))
    wanted = _Wanted(names, given)
    table = _load(source, role, wanted)
    for theirs in given:
        if theirs not in wanted.seen:
            hint = did_you_mean(theirs, wanted.seen)
            has = f"{table.name} does not have; it has {listed(wanted.seen)}.{hint}"
            raise DataError(f"columns= names '{theirs}', which {has}", offenders=[theirs])
    found = _found(list(table.frame.columns), names, given)
    _check_required(found, names, role, table.name, wanted.seen)
    rest = [name for name in table.frame.columns if name not in found.values()]
    kept = [name for name in rest if names.rest or re.fullmatch(names.pattern, plain(name))]
    frame = table.frame[[*found.values(), *(name for name in kept if name not in found)]]
    frame = frame.set_axis([*found, *(name for name in kept if name not in found)], axis=1)
    notes = _tell(table, role, names, found, [name for name in dict.fromkeys(wanted.seen) if name])
    return Sheet(Table(frame, table.lines, table.origins, table.origin), found, notes)


def _tell(
    table: Table, role: str, names: ColumnNames, found: Mapping[str, str], present: Sequence[str]
) -> tuple[str, ...]:
    """Warn of columns that may be a role nobody has, and note which are read as what."""
    if not names.told:
        return ()
    unused = [name for name in present if name not in found.values() and not re.fullmatch(names.pattern, plain(name))]
    forms = {plain(theirs): ours for ours in reversed(list(found)) for theirs in (ours, *names.names.get(ours, ()))}
    doubles = {name: forms[plain(name)] for name in unused if plain(name) in forms}
    strange = [name for name in unused if name not in doubles]
    missing = [ours for ours in names.told if ours not in found]
    warn_of_unused(table.name, role, missing, strange, table.frame, names.rest)
    return tuple(column_notes(table.name, found, unused, doubles))


def _load(source: TableSource, role: str, wanted: _Wanted) -> Table:
    if isinstance(source, pd.DataFrame):
        frame = source.set_axis([label(name) for name in source.columns], axis=1).reset_index(drop=True)
        twice = frame.columns[frame.columns.duplicated()].tolist()
        if twice:
            raise DataError(f"{role} has two columns '{twice[0]}'. Rename one.", offenders=twice)
        frame = pd.DataFrame({name: _hashable(frame[name]) for name in frame.columns if name in wanted})
        return Table(frame, source.index.to_numpy(), (Origin(role),), np.zeros(len(frame), dtype=np.intp))
    if not isinstance(source, (str, PathLike)):
        raise DataError(f"{role} is a {type(source).__name__}; a DataFrame or the path of a file is needed.")
    content = read_text_table(Path(source), role, columns=wanted)
    origin = Origin(Path(source).name, "line", is_file=True, decimal_comma=content.decimal_comma)
    return Table(content.frame, content.lines, (origin,), np.zeros(len(content.frame), dtype=np.intp))


def _hashable(column: pd.Series[Any]) -> pd.Series[Any]:
    """Lists and the like (boxes in an image) as text: they are no labels, but may be kept."""
    first = column.dropna().iloc[:1].tolist()
    return column.map(str, na_action="ignore") if first and not isinstance(first[0], Hashable) else column


def _found(present: list[str], names: ColumnNames, given: Mapping[str, str]) -> dict[str, str]:
    """Our name -> theirs: the user's map first, then what the format calls it."""
    found: dict[str, str] = {}
    for theirs, ours in given.items():
        if ours in found:
            raise DataError(f"columns= gives two names for '{ours}': '{found[ours]}' and '{theirs}'. Leave one out.")
        found[ours] = theirs
    free = {plain(name): name for name in reversed(present) if name not in given}
    for ours, several in names.names.items():
        match = next((free[plain(name)] for name in (*several, ours) if plain(name) in free), None)
        if ours not in found and match is not None:
            found[ours] = match
    return found


def _check_required(found: Collection[str], names: ColumnNames, role: str, file: str, present: Sequence[str]) -> None:
    missing = next((ours for ours in names.required if ours not in found), None)
    if missing is None:
        return
    theirs = [*names.names.get(missing, ()), missing]
    free = [name for name in present if plain(name) not in {plain(each) for each in found}]
    meant = next((name for name in free if plain(name) in MEANT.get(missing, ())), None)
    alike = meant or next((name for name in (nearest(word, free) for word in theirs) if name is not None), None)
    hint = f" Is it '{alike}'? Then pass columns={{'{role}': {{'{alike}': '{missing}'}}}}." if alike else ""
    raise DataError(
        f"{file} has no column '{theirs[0]}' (our name: {missing}); its columns are {listed(present)}.{hint}",
        offenders=[missing],
    )


def concat_sheets(sheets: Sequence[Sheet]) -> Sheet:
    """Put sheets under each other; a column that one lacks is missing there."""
    if len(sheets) == 1:
        return sheets[0]
    called = {ours: theirs for sheet in reversed(sheets) for ours, theirs in sheet.called.items()}
    tables = [sheet.table for sheet in sheets]
    starts = np.cumsum([0, *(len(table.origins) for table in tables)])
    table = Table(
        pd.concat([table.frame for table in tables], ignore_index=True),
        np.concatenate([table.lines for table in tables]),
        tuple(origin for table in tables for origin in table.origins),
        np.concatenate([table.origin + start for table, start in zip(tables, starts[:-1], strict=True)]),
    )
    return Sheet(table, called, tuple(dict.fromkeys(note for sheet in sheets for note in sheet.notes)))


def is_missing(words: Sequence[str]) -> NDArray[np.bool_]:
    """Which words mean that nothing is known, (n,)."""
    return np.fromiter((word in MISSING_WORDS for word in words), dtype=bool, count=len(words))
