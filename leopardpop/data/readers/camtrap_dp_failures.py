"""Failures beside a Camtrap DP, which has no place for them."""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leopardpop.data.names import did_you_mean, listed
from leopardpop.data.notices import notice
from leopardpop.data.readers.camtrap_dp_deployments import Deployments, sources
from leopardpop.data.readers.camtrap_dp_own import MARK
from leopardpop.data.readers.camtrap_dp_package import Package
from leopardpop.data.readers.camtrap_dp_times import read_stamps
from leopardpop.data.survey_tables import text
from leopardpop.data.tables import Table, load_table
from leopardpop.errors import DataError, DataWarning

__all__ = ["read_failures"]

NAMES = {
    "deploymentID": "deployment",
    "locationID": "station",
    "failureStart": "start",
    "failureEnd": "end",
}
KNOWN = ("deployment", "station", "start", "end")


def read_failures(
    source: pd.DataFrame | str | PathLike[str] | None, package: Package, deployments: Deployments
) -> pd.DataFrame | None:
    """Read times when cameras were not working.

    Parameters
    ----------
    source
        Table or path; None: the resource "failures" of the package, if it has one with these columns.
    package
        The package.
    deployments
        What they refer to.

    Returns
    -------
    pandas.DataFrame or None
        Columns deployment, station, start, end (missing: that of the deployment), source, line and what else there is.

    Raises
    ------
    DataError
        If a deployment or station is unknown, or a time is none; it names the line.
    """
    table = _table(source, package)
    if table is None:
        return None
    blank = pd.Series([None] * len(table), dtype=object)
    frame = table.covariates([*KNOWN, "source", "line"])
    for name in frame.select_dtypes(object).columns:  # reasons keep their line breaks
        frame[name] = text(table.frame[name])
    for name in ("deployment", "station"):
        frame[name] = text(table.frame[name]) if name in table else blank
    owner = _owners(table, frame, deployments)
    for name in ("start", "end"):
        frame[name] = deployments.clocks.times(read_stamps(table, name, missing=True), owner)
    _check_order(table, frame)
    return frame.assign(source=sources(table), line=table.lines)


def _table(source: Any, package: Package) -> Table | None:
    if source is not None:
        return _checked(_renamed(load_table(_as_text(source), "failures")))
    if "failures" not in package.resources:
        return None
    table = _renamed(package.table("failures"))
    if MARK in package.descriptor or _is_complete(table):
        return _checked(table)
    notice(
        f"The resource 'failures' of the package has the columns {listed(table.frame.columns)}, not deployment or "
        "station, start and end: it is not used. Pass a table: failures=.",
        DataWarning,
    )
    return None


def _is_complete(table: Table) -> bool:
    return "start" in table and "end" in table and ("deployment" in table or "station" in table)


def _checked(table: Table) -> Table:
    if not _is_complete(table):
        raise DataError(
            f"{table.name} has the columns {listed(table.frame.columns)}. Failures have start, end, and a deployment "
            "or a station (all of its cameras).",
            offenders=[name for name in KNOWN if name not in table],
        )
    return table


def _as_text(source: Any) -> Any:
    """A table in memory as a file would have it: times as ISO 8601."""
    if not isinstance(source, pd.DataFrame):
        return Path(source) if isinstance(source, (str, PathLike)) else source
    frame = source.copy()
    for name in frame.columns:
        if str(name) in NAMES or str(name).lower() in KNOWN:
            frame[name] = [None if pd.isna(value) else _iso(value) for value in frame[name]]
    return frame


def _iso(value: Any) -> Any:
    return value.isoformat() if hasattr(value, "isoformat") else value


def _renamed(table: Table) -> Table:
    lower = {**{name.lower(): name for name in KNOWN}, **{theirs.lower(): ours for theirs, ours in NAMES.items()}}
    names = {name: lower[str(name).lower()] for name in table.frame.columns if str(name).lower() in lower}
    frame = table.frame.rename(columns=names)
    if frame.columns.duplicated().any():
        twice = str(frame.columns[frame.columns.duplicated()][0])
        raise DataError(f"{table.name} has two columns for '{twice}': {listed(table.frame.columns)}. Remove one.")
    return Table(frame, table.lines, table.origins, table.origin)


def _owners(table: Table, frame: pd.DataFrame, deployments: Deployments) -> NDArray[np.intp]:
    """Deployment whose clock each failure is read on, (n,): its own, or the first of its station."""
    first = deployments.frame.drop_duplicates("station")
    by_deployment = deployments.positions(frame["deployment"])
    stations = pd.Index(first["station"]).get_indexer(pd.Index(frame["station"]))
    by_station = np.append(first.index.to_numpy(), -1)[stations]
    named = frame["deployment"].notna().to_numpy(bool)
    _refuse(table, frame["deployment"], named & (by_deployment < 0), "deployment", deployments.frame["deployment"])
    _refuse(table, frame["station"], ~named & (by_station < 0), "station", first["station"])
    own = deployments.frame["station"].to_numpy(object)[by_deployment]
    other = named & frame["station"].notna().to_numpy(bool) & (own != frame["station"].to_numpy(object))
    if other.any():
        row = frame.iloc[int(other.argmax())]
        found = f"deployment '{row['deployment']}' is not at station '{row['station']}'"
        raise table.fail(other, found, "Correct one, or leave the station out: the deployment says where it is.")
    return np.where(named, by_deployment, by_station).astype(np.intp)


def _refuse(table: Table, labels: pd.Series[Any], bad: NDArray[np.bool_], what: str, known: pd.Series[Any]) -> None:
    if not bad.any():
        return
    label = labels.iloc[int(bad.argmax())]
    if label is None:
        raise table.fail(bad, "neither a deployment nor a station is named", "Which cameras failed?")
    hint = did_you_mean(str(label), known)
    raise table.fail(bad, f"unknown {what} '{label}'", f"Known: {listed(known)}.{hint}")


def _check_order(table: Table, frame: pd.DataFrame) -> None:
    bad = (frame["end"] <= frame["start"]).to_numpy(bool)
    if bad.any():
        cells = table.frame.iloc[int(bad.argmax())]
        found = f"the failure ends ({cells['end']}) before it starts ({cells['start']})"
        raise table.fail(bad, found, "Correct the times; the end itself is not included.")
