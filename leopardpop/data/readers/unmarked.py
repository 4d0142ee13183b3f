"""Read the wide CSV of the R package unmarked: site, y.1 … y.J, covariates of sites, covariates of visits."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from leopardpop.data.covariates import MISSING_WORDS
from leopardpop.data.detection_checks import check_covariate_name
from leopardpop.data.detection_covariates import POSITIONS, Frame, stored
from leopardpop.data.detection_export import NUMBERED, facts_path
from leopardpop.data.detection_grid import Seasons, column_grid, key_labels
from leopardpop.data.detection_history import DetectionHistory
from leopardpop.data.detection_tables import warn_of_gaps
from leopardpop.data.detection_values import response_columns, typed_column
from leopardpop.data.names import listed
from leopardpop.data.paths import path_of
from leopardpop.data.tables import Table, load_table
from leopardpop.errors import DataError

__all__ = ["read_unmarked"]

ATTRIBUTES = ("response", "effort_unit", "crs")
OWN_FACTS: dict[str, type[str] | type[list[str]]] = {
    **dict.fromkeys(ATTRIBUTES, str),
    **dict.fromkeys(("seasons", "text", "by_season"), list),
}


def read_unmarked(
    path: str | PathLike[str],
    *,
    seasons: Seasons | None = None,
    response: str | None = None,
    effort_unit: str | None = None,
    crs: str | None = None,
) -> DetectionHistory:
    r"""Read a detection history from the wide CSV that ``csvToUMF`` of the R package unmarked reads.

    Parameters
    ----------
    path
        Columns site (may lack), y.1 … y.J, covariates of sites, and name.1 … name.J for each covariate of visits, of
        which "effort" is one; x and y (or easting and northing) are the position in metres. A file that
        :meth:`leopardpop.DetectionHistory.to_unmarked` wrote beside it, ``path`` + ".json", says the rest.
    seasons
        Number of seasons (unmarked: numPrimary), equal blocks of y; their labels; or label -> number of columns.
        name.1 … name.T is then a covariate by season. Default: what the file beside it says, else 1.
    response
        "binary", "count" or "state". Default: what the file beside it says, else "binary".
    effort_unit
        Unit of effort. Default: what the file beside it says, else "occasion".
    crs
        Reference system of x and y. Default: what the file beside it says.

    Returns
    -------
    DetectionHistory

    Raises
    ------
    DataError
        If the table cannot be read so, naming line and column.

    Warns
    -----
    DataWarning
        If nothing was detected, or a covariate is missing.

    References
    ----------
    Fiske & Chandler (2011) Journal of Statistical Software 43(10), doi:10.18637/jss.v043.i10 (the package).

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import mkdtemp
    >>> path = Path(mkdtemp()) / "frogs.csv"
    >>> _ = path.write_text("site,y.1,y.2,forest,wind.1,wind.2\nA,0,1,0.3,2,4\nB,0,0,0.9,3,1\n")
    >>> history = read_unmarked(path)
    >>> history.visits["wind"].tolist(), history.sites["forest"].tolist()
    ([2.0, 4.0, 3.0, 1.0], [0.3, 0.9])
    """
    path = path_of(path, "path")
    table = load_table(path, "the table")
    facts = _facts(path)
    facts |= _given(response=response, effort_unit=effort_unit, crs=crs, seasons=seasons)
    columns = _y_columns(table)
    grid = column_grid(len(columns), facts.get("seasons", 1), table.name)
    if not len(table):
        raise DataError(f"{table.name} has no rows. A row for each site is needed.")
    sheet = _Sheet(table, Frame(_sites(table), grid), frozenset(facts.get("text", ())))
    y = sheet.laid_out(response_columns(table, columns, facts.get("response")))
    data = {"y": (("site", "season", "visit"), y)} | _covariates(sheet, columns, facts.get("by_season", ()))
    dataset = xr.Dataset(data, coords=_coords(sheet, facts), attrs={name: facts.get(name) for name in ATTRIBUTES})
    history = DetectionHistory(dataset)
    warn_of_gaps(history.dataset)
    return history


@dataclass(frozen=True, slots=True)
class _Sheet:
    """A table with what is known of its layout."""

    table: Table
    frame: Frame
    text: frozenset[str]
    """Covariates that are text, even if it looks like numbers."""

    def values(self, columns: Sequence[str], name: str) -> NDArray[Any]:
        """Return columns of one covariate, (row, column)."""
        check_covariate_name(
            name, "visit" if len(columns) > 1 else "site", own=name in ("effort", "easting", "northing")
        )
        if name in ("effort", "easting", "northing"):
            return np.stack([self.table.numbers(column, blank=np.nan) for column in columns], axis=1)
        if name not in self.text:
            return typed_column(self.table, columns, name)
        words = self.table.frame[list(columns)].to_numpy(dtype=object, copy=True)
        words[np.isin(words.astype(str), sorted(MISSING_WORDS))] = None
        return words

    def laid_out(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return values (row, column) by site, season and visit."""
        season, visit = self.frame.grid.columns()
        result = self.frame.empty(values, 3)
        result[:, season, visit] = values
        return stored(result) if values.dtype != np.float64 else result


def _given(**facts: Any) -> dict[str, Any]:
    return {name: value for name, value in facts.items() if value is not None}


def _facts(path: Path) -> dict[str, Any]:
    """Return what the file beside the table says."""
    beside = facts_path(path)
    if not beside.is_file():
        return {}
    try:
        facts = json.loads(beside.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise DataError(f"{beside.name} cannot be read as JSON: {error}. Correct it, or remove it.") from error
    wrong = [name for name, kind in OWN_FACTS.items() if not _is_fact(facts, name, kind)]
    if wrong:
        raise DataError(f"{beside.name} was not written by to_unmarked: '{wrong[0]}' is missing or wrong. Remove it.")
    return dict(facts)


def _is_fact(facts: Any, name: str, kind: type[str] | type[list[str]]) -> bool:
    value: Any = facts.get(name) if isinstance(facts, dict) else None
    return isinstance(value, kind) and all(isinstance(each, str) for each in list(value))


def _y_columns(table: Table) -> list[str]:
    """Return the columns y.1 … y.J in order."""
    found = _groups(table).get("y", {})
    if not found or sorted(found) != list(range(1, len(found) + 1)):
        raise DataError(
            f"{table.name} has no columns y.1, y.2, …, one for each visit; its columns are "
            f"{listed(table.frame.columns)}. For another table use DetectionHistory.from_tables.",
        )
    return [found[number] for number in sorted(found)]


def _groups(table: Table) -> dict[str, dict[int, str]]:
    """Return the numbered columns by name: name -> number -> column."""
    groups: dict[str, dict[int, str]] = {}
    for column in table.frame.columns:
        if match := NUMBERED.fullmatch(str(column)):
            groups.setdefault(match[1], {})[int(match[2])] = str(column)
    return groups


def _site_column(table: Table) -> str | None:
    return next((str(name) for name in table.frame.columns if str(name).lower() == "site"), None)


def _sites(table: Table) -> tuple[str, ...]:
    column = _site_column(table)
    if column is None:
        return tuple(str(i + 1) for i in range(len(table)))
    labels = key_labels(table, column)
    if len(labels.names) < len(table):
        first = int(np.flatnonzero(np.bincount(labels.codes) > 1)[0])
        raise table.fail(labels.codes == first, f"site '{labels.names[first]}' occurs more than once", "Keep one row.")
    return tuple(labels.names.tolist())


def _covariates(sheet: _Sheet, y: Sequence[str], by_season: Sequence[str]) -> dict[str, Any]:
    """Return the covariates of visits, of sites and seasons, and of sites."""
    variables: dict[str, Any] = {}
    n_columns, T = len(y), len(sheet.frame.grid.seasons)
    used = {*y, _site_column(sheet.table)}
    for name, found in _groups(sheet.table).items():
        columns = [found[number] for number in sorted(found)]
        if name == "y" or sorted(found) not in (list(range(1, n_columns + 1)), list(range(1, T + 1)) if T > 1 else []):
            continue
        used |= set(columns)
        variables[name] = _numbered(sheet, columns, name, by_season=len(columns) != n_columns, first=name in by_season)
    for column in sheet.table.frame.columns:
        if column not in used:
            name = POSITIONS.get(str(column), str(column))
            variables[name] = ("site", stored(sheet.values([str(column)], name)[:, 0]))
    return variables


def _numbered(sheet: _Sheet, columns: Sequence[str], name: str, *, by_season: bool, first: bool) -> tuple[Any, Any]:
    """Return a covariate of visits; one of seasons has a column a season, or is the same on all visits of each."""
    values = sheet.values(columns, name)
    if by_season:
        return ("site", "season"), stored(values)
    result = sheet.laid_out(values)
    return (("site", "season"), result[:, :, 0]) if first else (("site", "season", "visit"), result)


def _coords(sheet: _Sheet, facts: Mapping[str, Any]) -> dict[str, Any]:
    coords: dict[str, Any] = {"site": list(sheet.frame.sites), "season": list(sheet.frame.grid.seasons)}
    if "species" in facts:
        coords["species"] = str(facts["species"])
    if "visit_start" in facts:
        coords["visit_start"] = (("season", "visit"), _times(facts["visit_start"], sheet.frame.shape[1:]))
    return coords


def _times(words: Any, shape: tuple[int, ...]) -> NDArray[np.datetime64]:
    try:
        times = np.array(words, dtype="datetime64[ns]")
    except (TypeError, ValueError) as error:
        raise DataError(
            f"visit_start in the file beside the table has no times: {error}. Correct or remove it."
        ) from error
    if times.shape != shape:
        raise DataError(
            f"visit_start in the file beside the table has the shape {times.shape}, not {shape}. Remove it."
        )
    return times
