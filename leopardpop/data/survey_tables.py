"""The tables of a survey, brought into one form: labels as text, times on the survey's clock, every name known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leopardpop.data.covariates import MISSING_WORDS
from leopardpop.data.names import counted, did_you_mean, listed
from leopardpop.data.notices import notice
from leopardpop.data.occasions import OFFSET, Clock
from leopardpop.data.offsets import check_offsets, say_skipped
from leopardpop.data.projections import check_place
from leopardpop.data.tables import LABELS, Table, label, load_table
from leopardpop.data.vocabulary import nobody, read_words
from leopardpop.errors import DataError, DataWarning

__all__ = ["AUDIT", "clean_audit", "clean_deployments", "clean_failures", "clean_records", "clean_stations"]

AUDIT = ["source", "line", "action", "reason"]
RECORD_LABELS = ("deployment", "camera", "species", "individual")
WORDS = {"sex": "sex", "flank": "flank", "life_stage": "life stage"}
"""Columns of records that have a vocabulary."""


def _load(frame: pd.DataFrame, role: str, required: tuple[str, ...]) -> Table:
    return load_table(frame.reset_index(drop=True), role, known=LABELS, required=required)


def clean_stations(frame: pd.DataFrame, crs: Any) -> pd.DataFrame:
    """Check stations: a label of its own and a place in metres for each; other columns are covariates.

    Returns
    -------
    pandas.DataFrame
        Columns station, x, y [m], covariates.
    """
    _refuse_degrees(frame)
    table = _load(frame, "stations", ("station", "x", "y"))
    if not len(table):
        raise DataError("The survey has no stations.")
    labels = table.labels("station")
    names = pd.Series(labels.names[labels.codes], dtype=object)
    twice = names.duplicated().to_numpy()
    if twice.any():
        raise table.fail(twice, f"station '{names[twice.argmax()]}' is there already", "Each station has one row.")
    x, y = table.numbers("x"), table.numbers("y")
    degrees_known = "longitude" in table and "latitude" in table  # then x and y come from them, however far they lie
    check_place(x, y, None if degrees_known else crs, "station")
    places = pd.DataFrame({"station": names, "x": x, "y": y})
    return pd.concat([places, table.covariates(("station", "x", "y"))], axis=1)


def _refuse_degrees(frame: pd.DataFrame) -> None:
    """Say who projects longitude and latitude: a survey has metres."""
    lower = {str(name).lower() for name in frame.columns}
    if {"longitude", "latitude"} <= lower and not {"x", "y"} & lower:
        raise DataError(
            "The stations have longitude and latitude, and a Survey has x and y in metres. lp.read_records(records, "
            "deployments=..., stations=...) takes the same tables and projects them.",
            offenders=["longitude", "latitude"],
        )


def clean_deployments(frame: pd.DataFrame, stations: pd.Series[Any], clock: Clock) -> pd.DataFrame:
    """Check deployments: a known station, and an end after the start.

    Returns
    -------
    pandas.DataFrame
        Columns deployment, station, camera, start, end, and whatever else there is.
    """
    table = _load(frame, "deployments", ("station", "start", "end"))
    result = table.frame.copy()
    result["station"] = _known(table, "station", stations)
    numbers = (result.groupby("station").cumcount() + 1).astype(str)
    for name in ("deployment", "camera"):
        result[name] = text(result[name]) if name in result else None
        result[name] = result[name].where(result[name].notna(), result["station"] + "-" + numbers)
    twice = result["deployment"].duplicated().to_numpy()
    if twice.any():
        raise table.fail(twice, "its name is that of an earlier deployment", "Each deployment has a name of its own.")
    for name in ("start", "end"):
        result[name] = times(table, name, clock)
    _check_order(table, result)
    _check_offsets(table, clock)
    first = ["deployment", "station", "camera", "start", "end"]
    return result[[*first, *result.columns.drop(first)]]


def clean_failures(
    frame: pd.DataFrame | None,
    deployments: pd.DataFrame,
    clock: Clock,
    of_deployments: dict[str, str | None] | None = None,
) -> pd.DataFrame:
    """Check failures: of a known deployment, or of all cameras of a known station.

    A missing start is the start of the deployment, a missing end its end.

    Returns
    -------
    pandas.DataFrame
        Columns deployment (None: all of the station), station, start, end, and whatever else there is.
    """
    frame = pd.DataFrame({name: [] for name in ("station", "start", "end")}) if frame is None else frame
    table = _load(frame, "failures", ("start", "end"))
    if "station" not in table and "deployment" not in table:
        raise DataError("The failures have neither a column 'station' nor 'deployment': which cameras failed?")
    result = table.frame.copy()
    blank = pd.Series([None] * len(table), dtype=object)
    result["deployment"] = text(result["deployment"]) if "deployment" in table else blank
    station = text(result["station"]) if "station" in table else blank
    owner = pd.Series(deployments["station"].array, index=deployments["deployment"])
    _refuse_unknown(table, result["deployment"], owner.index, "deployment")
    result["station"] = station.where(result["deployment"].isna(), result["deployment"].map(owner))
    _refuse_unknown(table, result["station"], deployments["station"], "station", missing=True)
    if clock.tz is None:
        for name in ("start", "end"):
            check_offsets(table, name, result, deployments, of_deployments or {})
    _fill_times(table, result, deployments, clock)
    _check_order(table, result)
    first = ["deployment", "station", "start", "end"]
    return result[[*first, *result.columns.drop(first)]]


def _fill_times(table: Table, result: pd.DataFrame, deployments: pd.DataFrame, clock: Clock) -> None:
    for name, how in (("start", "min"), ("end", "max")):
        given = times(table, name, clock, missing=True)
        by_name = dict(zip(deployments["deployment"], deployments[name], strict=True))
        by_station = deployments.groupby("station")[name].agg(how).to_dict()
        owners = zip(given, result["deployment"], result["station"], strict=True)
        filled = [by_name.get(d, by_station.get(s)) if pd.isna(time) else time for time, d, s in owners]
        result[name] = clock.local(pd.Series(filled, dtype=given.dtype))


def clean_records(
    frame: pd.DataFrame,
    stations: pd.Series[Any],
    deployments: pd.DataFrame,
    clock: Clock,
    of_deployments: dict[str, str | None] | None = None,
) -> pd.DataFrame:
    """Check records: a time and a known station (or deployment) for each, at the offset of its camera if it has one.

    Returns
    -------
    pandas.DataFrame
        Columns timestamp, station, deployment, camera, species, individual, sex ("F", "M"), life_stage, flank ("left",
        "right", "both"), count, source, line, and whatever else there is, such as event and
        classification_probability (0 to 1). What is unknown is None.
    """
    table = _load(frame, "records", ("timestamp",))
    result = table.frame.copy()
    for name in RECORD_LABELS:
        result[name] = text(result[name]) if name in table else None
    result["individual"] = result["individual"].mask(nobody(result["individual"]) != "", None)
    for name, what in WORDS.items():
        result[name] = read_words(result[name], what, lambda row: _place(table, row)) if name in table else None
    result["station"] = _stations(table, result["deployment"], stations, deployments)
    if clock.tz is None:
        check_offsets(table, "timestamp", result, deployments, of_deployments or {})
    result["timestamp"] = times(table, "timestamp", clock)
    result["count"] = table.numbers("count", whole=True, least=1, blank=1).astype(np.int64) if "count" in table else 1
    if "event" in table:
        result["event"] = text(result["event"])
    if "classification_probability" in table:
        result["classification_probability"] = _shares(table, "classification_probability")
    result["source"] = text(result["source"]) if "source" in table else "records"
    result["line"] = result["line"] if "line" in table else np.arange(1, len(result) + 1)
    first = ["timestamp", "station", "deployment", "camera", "species", "individual", "sex", "life_stage", "flank"]
    first += ["count", "source", "line"]
    return result[[*first, *result.columns.drop(first)]]


def _shares(table: Table, name: str) -> NDArray[np.float64]:
    """Numbers from 0 to 1, NaN where nothing is written, (n,)."""
    values = table.numbers(name, least=0, blank=np.nan)
    if (values > 1).any():
        raise table.fail(values > 1, f"{name} is {values[int((values > 1).argmax())]:g}", "It lies from 0 to 1.")
    return values


def _stations(
    table: Table, deployment: pd.Series[Any], stations: pd.Series[Any], deployments: pd.DataFrame
) -> pd.Series[Any]:
    """Station of each record, by its own column or by its deployment."""
    owner = pd.Series(deployments["station"].array, index=deployments["deployment"])
    _refuse_unknown(table, deployment, owner.index, "deployment")
    by_deployment = deployment.map(owner)
    station = text(table.frame["station"]) if "station" in table else by_deployment
    station = station.where(station.notna(), by_deployment)
    _refuse_unknown(table, station, stations, "station", missing=True)
    differ = (by_deployment.notna() & (by_deployment != station)).to_numpy(bool)
    if differ.any():
        row = int(differ.argmax())
        found = f"station '{station[row]}', but its deployment '{deployment[row]}' is at '{by_deployment[row]}'"
        raise table.fail(differ, found, "Correct one of the two.")
    return station


def clean_audit(audit: pd.DataFrame | None, records: pd.DataFrame, given: pd.DataFrame) -> pd.DataFrame:
    """Return the audit of a reader, or one that says that every record was kept, without an animal if nobody is named.

    `given` are the records as they were, before they were brought into form.
    """
    if audit is not None:
        return audit[AUDIT].reset_index(drop=True)
    reason = nobody(given["individual"]) if "individual" in given else ""
    return records[["source", "line"]].assign(action="kept", reason=reason)


def text(column: pd.Series[Any]) -> pd.Series[Any]:
    """Labels as text without blanks around, None where there is none, (n,)."""
    codes, values = pd.factorize(column.astype(object))
    words = [value.strip() if type(value) is str else label(value) for value in values]
    known = np.array([*(None if word in MISSING_WORDS else word for word in words), None], dtype=object)
    return pd.Series(known[codes], index=column.index, dtype=object)


def _place(table: Table, row: int) -> str:
    """Say where a record stands: in the file that a reader found it in, or in the table."""
    if "source" in table and "line" in table:
        source = str(table.frame["source"].iloc[row])
        return f"{source} {'line' if '.' in source else 'row'} {table.frame['line'].iloc[row]}"
    return table.where(row)


def times(table: Table, name: str, clock: Clock, *, missing: bool = False) -> pd.Series[Any]:
    """Read the times of a column on the survey's clock, (n,)."""
    column = table.frame[name]
    bad = (pd.Series(False, index=column.index) if missing else column.isna()).to_numpy(bool)
    if bad.any():
        raise table.fail(bad, f"{name} is missing", "Fill it in.")
    try:
        return clock.local(column, lambda rows: _say_skipped(table, name, rows, clock))
    except (ValueError, TypeError):
        bad = np.array([not _is_time(value) for value in column.tolist()])
    found = f"{name} is {column[int(bad.argmax())]!r}" if bad.any() else f"{name} mixes times with and without a zone"
    raise table.fail(bad if bad.any() else ~bad, found, 'Times are written "2024-02-01 18:30:00".')


def _say_skipped(table: Table, name: str, rows: NDArray[np.bool_], clock: Clock) -> None:
    row = int(rows.argmax())
    say_skipped(f"{table.where(row)}: {name} is '{table.frame[name].iloc[row]}'", int(rows.sum()), clock.tz)


def _is_time(value: Any) -> bool:
    try:
        pd.to_datetime([value], format="ISO8601")
    except (ValueError, TypeError):
        return False
    return True


def _check_order(table: Table, result: pd.DataFrame) -> None:
    bad = (result["end"] <= result["start"]).to_numpy(bool)
    if bad.any():
        row = int(bad.argmax())
        found = f"it ends ({result['end'][row]}) before it starts ({result['start'][row]})"
        raise table.fail(bad, found, "Correct the times; the end itself is not included.")


def _check_offsets(table: Table, clock: Clock) -> None:
    """Warn about cameras' clocks that would have changed their offset: effort would be wrong by the difference."""
    if clock.tz is not None:
        return
    start, end = (table.frame[name].astype(str).str.extract(f"({OFFSET})")[0] for name in ("start", "end"))
    differ = (start.notna() & end.notna() & (start != end)).to_numpy(bool)
    if differ.any():
        row = int(differ.argmax())
        found = f"{table.where(row)}: the offset is {start[row]} at the start and {end[row]} at the end "
        found += f"({counted(int(differ.sum()), 'deployment')}). A camera's own clock does not change. "
        notice(f'{found}If the clocks are those of a place: tz="Europe/Madrid", for example.', DataWarning)


def _known(table: Table, name: str, known: pd.Series[Any]) -> pd.Series[Any]:
    labels = text(table.frame[name])
    _refuse_unknown(table, labels, known, name, missing=True)
    return labels


def _refuse_unknown(table: Table, labels: pd.Series[Any], known: Any, what: str, *, missing: bool = False) -> None:
    bad: NDArray[np.bool_] = (~labels.isin(list(known)) & (missing | labels.notna())).to_numpy(bool)
    if not bad.any():
        return
    value = labels[int(bad.argmax())]
    if value is None or pd.isna(value):
        raise table.fail(bad, f"the {what} is missing", "Fill it in.")
    names = [str(name) for name in known]
    advice = f"Known: {listed(dict.fromkeys(names))}.{did_you_mean(str(value), names)}"
    raise table.fail(bad, f"unknown {what} '{value}'", advice)
