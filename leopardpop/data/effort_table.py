"""Effort of each station on each occasion, from a table, from a column of stations, or 1."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leopardpop.data.names import listed
from leopardpop.data.tables import Table
from leopardpop.errors import DataError

if TYPE_CHECKING:
    from leopardpop.data.design import Design

__all__ = ["EffortTable", "constant_effort", "read_effort", "unit_name"]

UNITS = ("occasion", "minute", "hour", "day", "night", "week", "month", "year")


@dataclass(frozen=True, slots=True)
class EffortTable:
    """An effort table in the order of the stations."""

    table: Table
    """The table as it came."""
    row: NDArray[np.intp]
    """Row of the table of each station."""
    labels: list[str]
    """Occasion labels: the columns of the table."""
    values: NDArray[np.float64]
    """(station, column); NaN where nothing is written."""
    covariates: dict[str, NDArray[Any]] = field(default_factory=dict)
    """What else a long table has, (station, column) each."""

    def used(self, stations: NDArray[np.intp]) -> NDArray[np.intp]:
        """Return the columns in which any of some stations has an entry: the occasions of a session."""
        return np.flatnonzero(~np.isnan(self.values[stations]).all(axis=0))

    def of_session(self, design: Design, code: int, occasions: tuple[str, ...]) -> NDArray[np.float64]:
        """Return the effort of one session, (station, occasion).

        Raises
        ------
        DataError
            If a cell is blank.
        """
        stations = design.rows(code)
        effort: NDArray[np.float64] = self.values[np.ix_(stations, [self.labels.index(label) for label in occasions])]
        blank = np.argwhere(np.isnan(effort))
        if len(blank):
            k, s = blank[0]
            raise self.table.fail(
                self.row[stations[blank[:, 0]]],
                f"effort of station '{design.station_label(code, int(k))}' on occasion '{occasions[s]}' is missing",
                "Write 0 where the station was off.",
            )
        return effort

    def covariates_of(self, stations: NDArray[np.intp], occasions: tuple[str, ...]) -> dict[str, NDArray[Any]]:
        """Return the covariates of some stations on some occasions, (station, occasion) each."""
        columns = [self.labels.index(label) for label in occasions]
        return {name: values[np.ix_(stations, columns)] for name, values in self.covariates.items()}


def read_effort(table: Table, design: Design, session: NDArray[np.intp]) -> EffortTable:
    """Bring an effort table, wide or long, into the order of the stations.

    Parameters
    ----------
    table
        Columns station [, session] and either one for each occasion, or occasion, effort and covariates.
    design
        The stations.
    session
        Session of each row of the table.

    Returns
    -------
    EffortTable

    Raises
    ------
    DataError
        If a station is unknown, missing or occurs twice, or a cell is no number from 0 up.
    """
    station = design.require(table, session)
    is_long = "occasion" in table and "effort" in table
    labels, column, values = _long(table) if is_long else _wide(table)
    _check_repeats(table, station * len(labels) + column if is_long else station)
    _check_all_stations(table, design, station)
    row = np.zeros(len(design.labels), dtype=np.intp)
    row[station] = np.arange(len(station))
    filled = np.full((len(design.labels), len(labels)), np.nan)
    if not is_long:
        filled[station] = values
        return EffortTable(table, row, labels, filled)
    filled[station, column] = values
    return EffortTable(table, row, labels, filled, _long_covariates(table, station, column, filled.shape))


def _long_covariates(
    table: Table, station: NDArray[np.intp], column: NDArray[np.intp], shape: tuple[int, int]
) -> dict[str, NDArray[Any]]:
    """Columns of a long table beside the effort, (station, column) each; missing where there is no row."""
    covariates = table.covariates(["station", "session", "occasion", "effort"])
    result = {}
    for name, values in covariates.items():
        is_number = values.dtype == np.float64
        result[str(name)] = np.full(shape, np.nan if is_number else None, dtype=np.float64 if is_number else object)
        result[str(name)][station, column] = values.to_numpy()
    return result


def _wide(table: Table) -> tuple[list[str], NDArray[np.intp], NDArray[np.float64]]:
    labels = [str(name) for name in table.frame.columns if name not in ("station", "session")]
    if not labels:
        raise DataError(f"{table.name} has no occasions: a column for each is needed beside 'station'.")
    columns = [table.numbers(label, least=0, blank=np.nan, called=f"effort on occasion '{label}'") for label in labels]
    return labels, np.zeros(len(table), dtype=np.intp), np.stack(columns, axis=1)


def _long(table: Table) -> tuple[list[str], NDArray[np.intp], NDArray[np.float64]]:
    occasions = table.labels("occasion")
    names = occasions.names.tolist()
    if all(name.isdigit() for name in names):  # numbered occasions go by number, others by their first row
        names = sorted(names, key=int)
    place = {name: position for position, name in enumerate(names)}
    position = np.array([place[name] for name in occasions.names], dtype=np.intp)
    return names, position[occasions.codes], table.numbers("effort", least=0)


def _check_repeats(table: Table, keys: NDArray[np.intp]) -> None:
    twice = pd.Series(keys).duplicated(keep=False).to_numpy()
    if twice.any():
        labels = table.labels("station")
        label = labels.names[labels.codes[twice.argmax()]]
        raise table.fail(twice, f"effort of station '{label}' is given more than once", "Keep one row.")


def _check_all_stations(table: Table, design: Design, station: NDArray[np.intp]) -> None:
    missing = np.setdiff1d(np.arange(len(design.labels)), station)
    if missing.size:
        names = [str(design.labels[k]) for k in missing]
        raise DataError(
            f"{table.name} has no row for station {listed(names)}. Add it, with 0 where it was off.", offenders=names
        )


def constant_effort(value: NDArray[np.float64], n_occasions: int) -> NDArray[np.float64]:
    """Return the same effort on each occasion, (station, occasion)."""
    return np.repeat(value[:, None], n_occasions, axis=1)


def unit_name(unit: str | None) -> str:
    """Return the unit of effort in the singular: "days" is "day", and without a unit it is the occasion.

    Examples
    --------
    >>> unit_name(" Days"), unit_name("trap-night"), unit_name(None)
    ('day', 'trap-night', 'occasion')
    """
    if unit is None:
        return "occasion"
    word = str(unit).strip()
    if not word:
        raise DataError("effort_unit='': a word is needed, such as 'day'.")
    singular = word.lower().removesuffix("s")
    return singular if singular in UNITS else word
