"""Deployments of a Camtrap DP: stations with places in metres, and when their cameras were set up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leopardpop.data.names import counted, did_you_mean, listed
from leopardpop.data.notices import notice
from leopardpop.data.readers.camtrap_dp_fields import DEPLOYMENTS, ours
from leopardpop.data.readers.camtrap_dp_places import name_stations, place_stations
from leopardpop.data.readers.camtrap_dp_times import CameraClocks, Stamps, offset_words, read_stamps, refuse_naive
from leopardpop.data.readers.degrees import check_within, project_rows, read_degrees
from leopardpop.data.survey_tables import text
from leopardpop.data.tables import Table
from leopardpop.errors import DataError, DataWarning

__all__ = ["Deployments", "read_deployments", "require", "sources"]

REQUIRED = ("deploymentID", "latitude", "longitude", "deploymentStart", "deploymentEnd")
OLD = {"start", "timestamp", "sequenceID", "timestampStart"}
"""Columns of versions before 1.0."""


@dataclass(frozen=True)
class Deployments:
    """What the table of deployments says."""

    stations: pd.DataFrame
    frame: pd.DataFrame
    """One row a deployment: deployment, station, camera, start, end and all the rest."""
    clocks: CameraClocks
    crs: str
    notes: tuple[str, ...]

    def positions(self, labels: pd.Series[Any]) -> NDArray[np.intp]:
        """Row of each deployment label, (n,); -1 if there is none."""
        return np.asarray(pd.Index(self.frame["deployment"]).get_indexer(pd.Index(labels)), dtype=np.intp)


def require(table: Table, columns: Sequence[str]) -> None:
    """Check that columns of Camtrap DP 1.0 are there.

    Raises
    ------
    DataError
        If one is missing, with advice for a package of an older version.
    """
    missing = [name for name in columns if name not in table]
    if not missing:
        return
    found = [str(name) for name in table.frame.columns]
    old = " Is it Camtrap DP 0.1? Export it again as 1.0." if OLD & set(found) else did_you_mean(missing[0], found)
    raise DataError(f"{table.name} has no column {listed(missing)}; it has {listed(found)}.{old}", offenders=missing)


def read_deployments(
    table: Table, *, station: str, tz: str | None, crs: Any, own_clock: str | None = None, spatial: Any = None
) -> Deployments:
    """Read the table of deployments.

    Parameters
    ----------
    table
        Cells as text.
    station
        Column that names the station.
    tz
        Zone of times without an offset, and of the survey; None: the cameras' own clocks.
    crs
        System that places are projected to; None: the UTM zone of their middle.
    own_clock
        "unknown": the offsets in the file mean nothing; "each": every camera has a clock of its own, whatever they say.
    spatial
        The area of the package as its descriptor states it.

    Raises
    ------
    DataError
        If a row cannot be understood; it names the line.
    """
    require(table, REQUIRED)
    if not len(table):
        raise DataError(f"{table.name} has no rows: a survey has at least one deployment.")
    start, end = (read_stamps(table, name) for name in ("deploymentStart", "deploymentEnd"))
    clocks = CameraClocks.of(table, start, tz, own_clock=own_clock)
    _check_times(table, start, end, tz)
    if tz is None:
        _say_change(table, start, end)
    frame = _frame(table, clocks, start, end)
    places = read_degrees(table, "longitude", 180), read_degrees(table, "latitude", 90)
    check_within(table, *places, spatial, "datapackage.json")
    frame["longitude"], frame["latitude"] = places
    frame["station"], notes = name_stations(table, station, np.column_stack(places))
    x, y, metres = project_rows(table, *places, crs)
    stations = place_stations(frame, x, y)
    return Deployments(stations, frame, clocks, metres, (*notes, *_clock_notes(start, end, clocks)))


def _frame(table: Table, clocks: CameraClocks, start: Stamps, end: Stamps) -> pd.DataFrame:
    own = np.arange(len(table))
    labels = table.labels("deploymentID")
    names = pd.Series(labels.names[labels.codes], dtype=object)
    twice = names.duplicated().to_numpy()
    if twice.any():
        row = int(twice.argmax())
        first = table.where(int((names == names[row]).argmax()))
        raise table.fail(twice, f"deployment '{names[row]}' is there already ({first})", "Give each a name of its own.")
    frame = pd.DataFrame({"deployment": names, "station": None})
    frame["camera"] = text(table.frame["cameraID"]) if "cameraID" in table else None
    frame["start"], frame["end"] = clocks.times(start, own), clocks.times(end, own)
    if not clocks.unknown:
        frame["utc_offset"] = offset_words(start.offset)
    for name, column in _other_columns(table).items():
        if name not in frame and name not in ("source", "line") and column.notna().any():
            frame[name] = column
    frame["source"], frame["line"] = sources(table), table.lines
    return frame


def _other_columns(table: Table) -> dict[str, pd.Series[Any]]:
    """Whatever else is known, under our names: text, but numbers in fields of numbers."""
    numbers = table.covariates([*REQUIRED, "cameraID"])
    columns: dict[str, pd.Series[Any]] = {}
    for name in numbers.columns:
        kind = DEPLOYMENTS[name].kind if name in DEPLOYMENTS else "number"
        words = text(table.frame[name])
        words = words.str.lower() if kind == "boolean" and words.notna().any() else words
        columns.setdefault(ours(name), numbers[name] if kind in ("integer", "number") else words)
    return columns


def sources(table: Table) -> NDArray[np.object_]:
    """File that each row comes from, (n,)."""
    return np.array([origin.name for origin in table.origins], dtype=object)[table.origin]


def _check_times(table: Table, start: Stamps, end: Stamps, tz: str | None) -> None:
    refuse_naive(table, "deploymentEnd", end, tz)
    bad = end.instants <= start.instants
    bad &= np.isnan(start.offset) == np.isnan(end.offset)
    if bad.any():
        row = int(bad.argmax())
        cells = table.frame.iloc[row]
        found = f"the deployment ends ({cells['deploymentEnd']}) before it starts ({cells['deploymentStart']})"
        raise table.fail(bad, found, "Correct the times; the end itself is not included.")


def _say_change(table: Table, start: Stamps, end: Stamps) -> None:
    differ = start.offset != end.offset
    if differ.any():
        row = int(differ.argmax())
        was, then = (offset_words(stamps.offset)[row] for stamps in (start, end))
        notice(
            f"{table.where(row)}: the offset is {was} at the start and {then} at the end "
            f"({counted(int(differ.sum()), 'deployment')} in all). That of the start is taken, as of a clock that "
            "nobody changed. If the clocks followed summer time, give the zone of the place: tz=.",
            DataWarning,
        )


def _clock_notes(start: Stamps, end: Stamps, clocks: CameraClocks) -> list[str]:
    """Say what clock times are read on."""
    if clocks.tz is not None:
        return [f"clock: {clocks.tz}"]
    if clocks.unknown:
        return ["clock: of the cameras, of no known zone"]
    words, counts = np.unique(offset_words(start.offset).astype(str), return_counts=True)
    found = ", ".join(f"{word} in {counted(int(n), 'deployment')}" for word, n in zip(words, counts, strict=True))
    return [f"clock: of each camera, the offset in the file ({found})"]
