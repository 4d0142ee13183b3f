"""The cells of a Camtrap DP that a survey is written to; what fits no field becomes a tag of ours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leopardpop.data.occasions import Clock
from leopardpop.data.projections import project
from leopardpop.data.readers.camtrap_dp_fields import DEPLOYMENTS, OBSERVATIONS, Field, cell, ours
from leopardpop.data.readers.camtrap_dp_own import NANOSECONDS, own_tag
from leopardpop.data.readers.camtrap_dp_times import offset_words
from leopardpop.errors import DataError
from leopardpop.words import counted

if TYPE_CHECKING:
    from leopardpop.data.survey_base import SurveyTables

__all__ = ["Extras", "SurveyClock", "degrees_of", "deployments_table", "observations_table", "plain_table"]

MINUTE, SECOND = 60_000_000_000, 1_000_000_000
DIGITS = 9
"""Of degrees: a tenth of a millimetre."""
KEPT = {"float64", "int64", "bool"}
OBSERVATION_OF = {
    "species": "scientificName",
    "count": "count",
    "life_stage": "lifeStage",
    "sex": "sex",
    "behavior": "behavior",
    "individual": "individualID",
    "event": "eventID",
    "camera_setup": "cameraSetupType",
    "classified_by": "classificationMethod",
    "classification_probability": "classificationProbability",
}
"""Our column -> their field."""
SEX = {"F": "female", "M": "male"}


@dataclass
class Extras:
    """What is noted while the tables are written: dtypes of columns, by table and column."""

    types: dict[str, str] = field(default_factory=dict)

    def note(self, table: str, name: str, column: pd.Series[Any]) -> None:
        """Note the dtype of a column that is no text."""
        if str(column.dtype) in KEPT:
            self.types[f"{table}.{name}"] = str(column.dtype)


@dataclass(frozen=True)
class SurveyClock:
    """How the times of a survey are written: seconds of a wall clock, and its offset."""

    clock: Clock
    own: str | None
    """"unknown": the clock has no known offset; "each": every deployment has its own; None: the survey has a zone."""
    offset: Mapping[str, float]
    """Deployment -> minutes, where each has its own."""

    @classmethod
    def of(cls, survey: SurveyTables) -> SurveyClock:
        """Find out what is known of the offsets."""
        deployments = survey.deployments
        if survey.tz is not None:
            return cls(survey.clock, None, {})
        if "utc_offset" not in deployments or deployments["utc_offset"].isna().any():
            return cls(survey.clock, "unknown", {})
        minutes = [_minutes(str(word)) for word in deployments["utc_offset"]]
        return cls(survey.clock, "each", dict(zip(deployments["deployment"], minutes, strict=True)))

    def words(self, times: pd.Series[Any], deployment: pd.Series[Any]) -> pd.Series[Any]:
        """Write times to the second with their offset, "" where missing, (n,)."""
        missing = times.isna().to_numpy(bool)
        known = times.where(~missing, times.dropna().iloc[0]) if missing.any() and not missing.all() else times
        if missing.all():
            return pd.Series([""] * len(times), index=times.index, dtype=object)
        wall = self.clock.wall(known).to_numpy("datetime64[ns]").astype(np.int64)
        offset: NDArray[np.float64] = (wall - self.clock.instants(known)) / MINUTE
        if self.own == "each":
            offset = deployment.map(self.offset).fillna(0).to_numpy(float).astype(np.float64)
        whole = offset == np.round(offset)  # before there were zones, offsets had seconds
        wall, offset = np.where(whole, wall, self.clock.instants(known)), np.where(whole, offset, 0)
        seconds = np.datetime_as_string((wall // SECOND).view("datetime64[s]")).astype(object)
        return pd.Series(np.where(missing, "", seconds + offset_words(offset)), index=times.index, dtype=object)

    def rest(self, times: pd.Series[Any]) -> NDArray[np.int64]:
        """Nanoseconds beyond the whole second, (n,)."""
        return np.where(times.isna(), 0, self.clock.instants(times.fillna(pd.Timestamp(0, tz=times.dt.tz))) % SECOND)

    def written(self, failures: pd.DataFrame, deployments: pd.DataFrame) -> pd.DataFrame:
        """Failures with times as text, to the nanosecond."""
        first = deployments.drop_duplicates("station").set_index("station")["deployment"]
        owner = failures["deployment"].where(failures["deployment"].notna(), failures["station"].map(first))
        result = failures.drop(columns=["source", "line"], errors="ignore")
        for name in ("start", "end"):
            rest = [f".{nano:09d}" if nano else "" for nano in self.rest(failures[name]).tolist()]
            whole = self.words(failures[name], owner)
            result[name] = whole.str[:19] + pd.Series(rest, index=whole.index, dtype=object) + whole.str[19:]
        return result


def _minutes(word: str) -> float:
    hours, _, minutes = word[1:].partition(":")
    return (-1 if word.startswith("-") else 1) * (60 * int(hours) + int(minutes or 0))


def degrees_of(survey: SurveyTables) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Longitude and latitude of the stations, (K,) each."""
    return project(survey.stations["x"], survey.stations["y"], survey.crs, "EPSG:4326")


def plain_table(frame: pd.DataFrame, name: str, extras: Extras) -> pd.DataFrame:
    """Write a table of ours as it is: numbers so that they are read back exactly."""
    result = {}
    for column in frame.columns:
        extras.note(name, str(column), frame[column])
        result[str(column)] = [_exact(value) for value in frame[column].tolist()]
    return pd.DataFrame(result, index=frame.index)


def _exact(value: Any) -> str:
    if value is None or value is pd.NaT or (isinstance(value, float) and np.isnan(value)):
        return ""
    return repr(value) if isinstance(value, float) else str(value)


# -- deployments ------------------------------------------------------------------------------------------------------
def deployments_table(survey: SurveyTables, clock: SurveyClock, extras: Extras) -> pd.DataFrame:
    """Deployments in the fields of Camtrap DP."""
    frame = survey.deployments
    lon, lat = (pd.Series(np.round(each, DIGITS), index=survey.stations["station"]) for each in degrees_of(survey))
    result = {
        "deploymentID": frame["deployment"],
        "locationID": frame["station"],
        "longitude": frame["station"].map(lon),
        "latitude": frame["station"].map(lat),
        "deploymentStart": clock.words(frame["start"], frame["deployment"]),
        "deploymentEnd": clock.words(frame["end"], frame["deployment"]),
        "cameraID": frame["camera"],
    }
    done = {"deployment", "station", "camera", "start", "end", "longitude", "latitude", "utc_offset", "source", "line"}
    fields = {ours(name): name for name in DEPLOYMENTS if name not in (*result, "deploymentTags")}
    tags = _Tags(frame.get("deployment_tags"), len(frame))
    for name in (column for column in frame.columns if column not in done | {"deployment_tags", "location_id"}):
        if name in fields:
            result[fields[name]] = _cells(frame[name], DEPLOYMENTS[fields[name]], str(name), tags)
        else:
            tags.column(str(name), frame[name], extras, "deployments")
    for name in ("start", "end"):
        tags.rest(name, clock.rest(frame[name]))
    result["deploymentTags"] = pd.Series(tags.cells(), index=frame.index, dtype=object)
    return pd.DataFrame(result, index=frame.index).reindex(columns=list(DEPLOYMENTS))


class _Tags:
    """Tags of each row, as they are put together."""

    def __init__(self, given: pd.Series[Any] | None, n: int) -> None:
        self._cells = np.full(n, "", dtype=object)
        if given is not None:
            self._cells = given.astype(object).where(given.notna(), "").to_numpy(object, copy=True)

    def add(self, rows: NDArray[np.bool_], tags: NDArray[np.object_]) -> None:
        """Add a tag to some rows: `tags` has one for each of them."""
        old = self._cells[rows]
        self._cells[rows] = np.where(old == "", tags, old + " | " + tags) if len(old) else old

    def values(self, name: str, rows: NDArray[np.bool_], column: pd.Series[Any]) -> None:
        """Add values of a column under a key of ours; missing ones as a key without a value."""
        codes, values = pd.factorize(column[rows].astype(object))
        self.add(
            rows, np.array([*(own_tag(name, value) for value in values), own_tag(name, None)], dtype=object)[codes]
        )

    def column(self, name: str, column: pd.Series[Any], extras: Extras, table: str) -> None:
        """Add all values of a column that are known."""
        extras.note(table, name, column)
        self.values(name, column.notna().to_numpy(bool), column)

    def rest(self, name: str, nanoseconds: NDArray[np.int64]) -> None:
        """Add what is left of a second, where anything is."""
        rows = nanoseconds != 0
        self.values(NANOSECONDS[name], rows, pd.Series(nanoseconds, dtype=object))

    def cells(self) -> NDArray[np.object_]:
        """Tags of each row, (n,)."""
        return self._cells


def _cells(column: pd.Series[Any], field: Field, name: str, tags: _Tags) -> pd.Series[Any]:
    """Cells of a field; what does not fit is a tag."""
    codes, values = pd.factorize(column.astype(object))
    words = np.array([*(cell(value, field) for value in values), ""], dtype=object)[codes]
    strange = np.array([word is None for word in words.tolist()], dtype=bool)
    tags.values(name, strange, column.reset_index(drop=True))
    return pd.Series(np.where(strange, "", words), index=column.index, dtype=object)


# -- observations -----------------------------------------------------------------------------------------------------
def observations_table(survey: SurveyTables, clock: SurveyClock, extras: Extras) -> pd.DataFrame:
    """Records in the fields of Camtrap DP, all at event level."""
    records = survey.records
    records["sex"] = records["sex"].map(SEX)
    tags = _Tags(records.get("tags"), len(records))
    deployment = _deployments(survey, records, tags)
    end = records["event_end"] if "event_end" in records else records["timestamp"]
    end = end.where(end.notna(), records["timestamp"])
    result: dict[str, Any] = {
        "observationID": _identifiers(records, tags),
        "deploymentID": deployment,
        "eventStart": clock.words(records["timestamp"], deployment),
        "eventEnd": clock.words(end, deployment),
        "observationLevel": "event",
        "observationType": "animal",
    }
    for name, theirs in OBSERVATION_OF.items():
        if name in records:
            result[theirs] = _cells(records[name], OBSERVATIONS[theirs], name, tags)
    flank = records["flank"].notna().to_numpy(bool)
    tags.add(flank, ("flank:" + records.loc[flank, "flank"].astype(object)).to_numpy(object))
    done = {*OBSERVATION_OF, "timestamp", "station", "deployment", "camera", "flank", "source", "line", "observation"}
    for name in records.columns.difference([*done, "event_end", "tags"], sort=False):
        tags.column(str(name), records[name], extras, "records")
    tags.rest("timestamp", clock.rest(records["timestamp"]))
    tags.rest("event_end", clock.rest(end))
    result["observationTags"] = tags.cells()
    table = pd.DataFrame(result, index=records.index)
    return table.reindex(columns=list(OBSERVATIONS))


def _identifiers(records: pd.DataFrame, tags: _Tags) -> pd.Series[Any]:
    """Identifiers that are unique, as the format wants; where ours are not, they are tags."""
    numbers = pd.Series([f"o{i + 1}" for i in range(len(records))], index=records.index, dtype=object)
    if "observation" not in records:
        return numbers
    given = records["observation"]
    bad = given.isna() | given.duplicated(keep=False) | given.isin(numbers)
    tags.values("observation", bad.to_numpy(bool), given)
    return given.where(~bad, numbers)


def _deployments(survey: SurveyTables, records: pd.DataFrame, tags: _Tags) -> pd.Series[Any]:
    """Deployment of each record: its own, or the one of its camera at the time; if that is a guess, a tag says so."""
    found = records["deployment"].copy()
    open_ = records[found.isna()]
    certain = np.ones(len(records), dtype=bool)
    for station, rows in open_.groupby("station", sort=False):
        cameras = survey.deployments[survey.deployments["station"] == station]
        if cameras.empty:
            first = rows.iloc[0]
            raise DataError(
                f"station '{station}' has {counted(len(rows), 'record')} ({first['source']} line {first['line']}) but "
                "no deployment, which Camtrap DP needs. Add the deployment, or leave the records out."
            )
        best, sure = _most_likely(rows, cameras)
        found[rows.index] = cameras["deployment"].to_numpy(object)[best]
        certain[rows.index] = sure
    tags.values("deployment", ~certain, pd.Series([None] * len(records), dtype=object))
    camera = found.map(survey.deployments.set_index("deployment")["camera"])
    differ = ((camera != records["camera"]) & ~(camera.isna() & records["camera"].isna())).to_numpy(bool)
    tags.values("camera", differ, records["camera"])
    return found


def _most_likely(rows: pd.DataFrame, cameras: pd.DataFrame) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Position of the deployment that made each record most likely, and whether no other can have."""
    time = rows["timestamp"].to_numpy()[:, None]
    on = (cameras["start"].to_numpy() <= time) & (time < cameras["end"].to_numpy())
    same = rows["camera"].to_numpy(object)[:, None] == cameras["camera"].to_numpy(object)
    return (2 * same + on).argmax(axis=1), (same & on).sum(axis=1) == 1
