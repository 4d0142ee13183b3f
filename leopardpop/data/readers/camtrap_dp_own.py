"""What a package says beyond the format, if we wrote it: exact places, the clock, and columns that have no field."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, unquote

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leopardpop.data.covariates import as_number, covariate_table
from leopardpop.data.names import listed
from leopardpop.data.notices import notice
from leopardpop.data.readers.camtrap_dp_deployments import Deployments
from leopardpop.data.readers.camtrap_dp_package import Package
from leopardpop.data.readers.camtrap_dp_tags import parse_tags
from leopardpop.data.survey_tables import text
from leopardpop.data.tables import Table
from leopardpop.errors import DataWarning

__all__ = ["MARK", "PREFIX", "OwnNotes", "own_tag"]

MARK = "leopardpop"
"""Property of the descriptor."""
PREFIX = "leopardpop."
"""Of the keys of tags that hold a column."""
NEAR = 1.0
"""Metres between a place in degrees and the same in metres, beyond which somebody has changed one of them."""
PRINTABLE = "".join(chr(i) for i in range(33, 127) if chr(i) not in "%|")
NANOSECONDS = {"timestamp": "timestamp_ns", "start": "start_ns", "end": "end_ns", "event_end": "event_end_ns"}
"""Column of times -> key of what is left of a second."""
NEVER = frozenset({"", "timestamp", "event_end", "start", "end", "station", "count", "source", "line"})
"""Columns that tags must not change: the fields of the format say them."""


def own_tag(name: str, value: Any) -> str:
    """Write a value as a tag that :class:`OwnNotes` reads; None as a tag without a value.

    Examples
    --------
    >>> own_tag("score", 2.5), own_tag("camera", None), own_tag("note", "a | b")
    ('leopardpop.score:2.5', 'leopardpop.camera:', 'leopardpop.note:a%20%7C%20b')
    """
    return f"{PREFIX}{name}:{'' if value is None else quote(str(value), safe=PRINTABLE)}"


@dataclass(frozen=True)
class OwnNotes:
    """What we wrote into a package; nothing if somebody else made it."""

    present: bool = False
    crs: str | None = None
    tz: str | None = None
    own_clock: str | None = None
    """"unknown": offsets in the file mean nothing; "each": every deployment has a clock of its own."""
    types: Mapping[str, str] = field(default_factory=dict)
    """Columns that hold numbers or truth values -> dtype."""

    @classmethod
    def of(cls, package: Package) -> OwnNotes:
        """Look for our notes in a descriptor."""
        found = package.descriptor.get(MARK)
        if not isinstance(found, dict):
            return cls()
        words = {name: found.get(name) for name in ("crs", "tz", "own_clock")}
        types = found.get("types")
        known = {str(key): str(value) for key, value in types.items()} if isinstance(types, dict) else {}
        return cls(True, types=known, **{name: word if isinstance(word, str) else None for name, word in words.items()})

    def stations(self, package: Package, deployments: Deployments, crs: Any) -> pd.DataFrame:
        """Stations with their exact places and covariates, if we wrote them and nobody has moved them since."""
        if not self.present or crs is not None or "stations" not in package.resources:
            return deployments.stations
        table = package.table("stations")
        if not {"station", "x", "y"} <= set(table.frame.columns):
            return deployments.stations
        exact = self._exact(table)
        moved = _moved(exact, deployments.stations)
        if moved:
            notice(
                f"{table.name} does not agree with the deployments about {listed(moved)}: the deployments are taken. "
                "Remove the resource 'stations' from datapackage.json if they are right.",
                DataWarning,
            )
            return deployments.stations
        return exact

    def _exact(self, table: Table) -> pd.DataFrame:
        columns: dict[str, NDArray[Any]] = {}
        for name in table.frame.columns:
            words = text(table.frame[name])
            number = name in ("x", "y") or self.types.get(f"stations.{name}") == "float64"
            columns[str(name)] = _floats(words) if number else words.to_numpy(object)
        return covariate_table(columns, len(table))

    def with_extras(self, frame: pd.DataFrame, tags: str, table: str) -> pd.DataFrame:
        """Give columns back that have no field: they stand in tags.

        Parameters
        ----------
        frame
            Deployments or records.
        tags
            Its column of tags.
        table
            "deployments" or "records".
        """
        if not self.present or tags not in frame:
            return frame
        codes, values = pd.factorize(frame[tags].astype(object))
        parsed = [_own(value) for value in values]
        result = frame.copy()
        for name in dict.fromkeys(key for own, _ in parsed for key in own if key not in NEVER):
            result[name] = self._column(result, name, codes, [own for own, _ in parsed], table)
        left = np.array([*(rest for _, rest in parsed), None], dtype=object)[codes]
        result[tags] = left
        for column in (name for name in NANOSECONDS if name in result and NANOSECONDS[name] in result):
            result[column] += _rest_of_second(result.pop(NANOSECONDS[column]))
        return result.drop(columns=tags) if pd.isna(left).all() else result

    def _column(
        self, frame: pd.DataFrame, name: str, codes: NDArray[np.intp], own: list[dict[str, str]], table: str
    ) -> Any:
        said = np.array([*(name in each for each in own), False])[codes]
        words = np.array([*(each.get(name) or None for each in own), None], dtype=object)[codes]
        if name in frame:
            return pd.Series(np.where(said, words, frame[name].astype(object)), index=frame.index, dtype=object)
        dtype = self.types.get(f"{table}.{name}")
        if dtype not in ("float64", "int64", "bool"):
            return pd.Series(words, index=frame.index, dtype=object)
        numbers = _floats(pd.Series(words, dtype=object))
        return numbers if dtype == "float64" or np.isnan(numbers).any() else numbers.astype(dtype)


def _own(tags: Any) -> tuple[dict[str, str], str | None]:
    """Our columns among the tags of a cell, and the other tags."""
    own = {
        key.removeprefix(PREFIX): unquote(values[0])
        for key, values in parse_tags(tags).items()
        if key.startswith(PREFIX)
    }
    rest = [tag for tag in str(tags).split("|") if not tag.strip().startswith(PREFIX)]
    return own, "|".join(rest).strip() or None


def _floats(words: pd.Series[Any]) -> NDArray[np.float64]:
    """Numbers, exactly; NaN where there is none."""
    truth = {"True": 1.0, "False": 0.0}
    found = [truth.get(word, as_number(word, decimal_comma=False)) if isinstance(word, str) else None for word in words]
    return np.array([np.nan if number is None else number for number in found], dtype=np.float64)


def _rest_of_second(words: pd.Series[Any]) -> pd.Series[Any]:
    """Nanoseconds beyond a whole second, none where there is no such number."""
    numbers = np.nan_to_num(_floats(words))
    rest = np.where((numbers >= 0) & (numbers < 1e9), numbers, 0).astype(np.int64)
    return pd.Series(pd.to_timedelta(rest, unit="ns"), index=words.index)


def _moved(exact: pd.DataFrame, projected: pd.DataFrame) -> list[str]:
    """Stations of the deployments that have no exact place, or one that is not where they are."""
    places = exact.drop_duplicates("station").set_index("station")[["x", "y"]].reindex(projected["station"])
    apart = np.hypot(*(places.to_numpy() - projected[["x", "y"]].to_numpy()).T)
    return [str(name) for name in projected["station"][~(apart <= NEAR)]]
