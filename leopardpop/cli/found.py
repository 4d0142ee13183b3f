"""A survey found in a folder: the reader that knows its tables, the settings that read it, and what was guessed."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from leopardpop.cli.columns import Table
from leopardpop.cli.expressions import evaluate
from leopardpop.cli.readers import survey_calls
from leopardpop.data.column_roles import plain
from leopardpop.data.readers.record_sheets import ColumnNames
from leopardpop.data.readers.record_times import fitting_formats
from leopardpop.words import counted

if TYPE_CHECKING:
    from leopardpop.data.survey import Survey

__all__ = [
    "READERS",
    "Found",
    "Setting",
    "also_found",
    "format_settings",
    "forms_of",
    "has_columns",
    "setting_line",
    "toml_value",
    "values_of",
]

COMMENT = 40
READERS = "camtrap_dp | camtrapr | wildlife_insights | records | tables | secr | spacecap | oscr"


def setting_line(setting: str, comment: str) -> str:
    """Write a setting of an analysis file with its comment."""
    return f"{setting:<{COMMENT}} # {comment}"


def toml_value(value: Any) -> str:
    """Write a text, or a table of texts, as a TOML value.

    Examples
    --------
    >>> toml_value({"records": {"ID": "individual"}})
    '{ "records" = { "ID" = "individual" } }'
    """
    if isinstance(value, Mapping):
        return f"{{ {', '.join(f'{toml_value(key)} = {toml_value(each)}' for key, each in value.items())} }}"
    if isinstance(value, list):
        return f"[{', '.join(map(toml_value, value))}]"
    return json.dumps(value, ensure_ascii=False)  # a JSON string is a TOML string


class Setting(NamedTuple):
    """A key of ``[data]``, its value and what the file says of it."""

    key: str
    value: Any
    comment: str


@dataclass(frozen=True, kw_only=True, eq=False)
class Found:
    """Tables of a survey that a reader knows.

    Parameters
    ----------
    reader
        Its name.
    settings
        What it is told.
    base
        Folder that paths are relative to.
    others
        Further tables of the kind, that are not read.
    doubts
        What was guessed and could be otherwise, and what to do: pairs of sentences.
    """

    reader: str
    settings: Sequence[Setting]
    base: Path
    others: Sequence[str] = ()
    doubts: Sequence[tuple[str, str]] = ()

    @cached_property
    def survey(self) -> Survey:
        """The survey, read when it is first asked for."""
        import leopardpop as lp

        given = {setting.key: setting.value for setting in self.settings}
        made: Survey = evaluate(survey_calls(self.reader, given, self.base)["survey"], {"lp": lp})
        return made

    @property
    def head(self) -> list[str]:
        """The lines of an analysis file that say how to read it."""
        lines = [setting_line(f"reader = {toml_value(self.reader)}", READERS)]
        lines += [setting_line(f"{each.key} = {toml_value(each.value)}", each.comment) for each in self.settings]
        if self.survey.crs is None:
            system = "system of the coordinates; masks of rasters and polygons need it"
            lines.append(setting_line('# crs = "EPSG:32650"', system))
        return [*lines, *([f"# also found: {', '.join(self.others)}"] if self.others else [])]

    @property
    def told(self) -> str:
        """How it is read, in a line."""
        return ", ".join([f'"{self.reader}"', *(f"{each.key} = {toml_value(each.value)}" for each in self.settings)])


def forms_of(names: Collection[str]) -> set[str]:
    """Names of columns in their plain form."""
    return {plain(name) for name in names}


def has_columns(header: Sequence[str], known: ColumnNames, names: Sequence[str]) -> bool:
    """Whether all of some columns are there, as a format calls them."""
    forms = forms_of(header)
    return all(forms & forms_of(known.names[name]) for name in names)


def values_of(table: Table, known: ColumnNames, *names: str) -> list[str]:
    """What stands in some columns."""
    forms = {plain(theirs) for name in names for theirs in (name, *known.names[name])}
    at = [i for i, column in enumerate(table.header) if plain(column) in forms]
    return [row[i].strip() for row in table.rows for i in at if i < len(row) and row[i].strip()]


def also_found(tables: Sequence[Table], used: Sequence[Table]) -> list[str]:
    """Names of the tables that are not used."""
    return [table.path.name for table in tables if table not in used]


def format_settings(*columns: Sequence[str]) -> tuple[list[Setting], list[tuple[str, str]]]:
    """Find how dates are written, of the first columns that are not ISO 8601: the setting, and the doubt if two fit.

    Examples
    --------
    >>> format_settings(["14/05/2009"])[0][0].value, format_settings(["2009-05-14"])[0]
    ('%d/%m/%Y', [])
    """
    formats = next((found for found in map(fitting_formats, columns) if found), [])
    if not formats:
        return [], []
    first, others = formats[0], " and ".join(formats[1:])
    comment = f"a guess; {others} would fit, too: check" if others else "a guess, which fits all dates"
    found = f"fit {counted(len(formats), 'format')}, {' and '.join(formats)}: {first} was taken"
    fix = f'say which in an analysis.toml: date_format = "{first}", or "{formats[-1]}"'
    return [Setting("date_format", first, comment)], [(found, fix)] if others else []
