"""Tables of the R package oSCR: encounters of animals (edf), and for each session the deployment of traps (tdf)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from leopardpop.data.build import BuildOptions, Tables, build_sessions
from leopardpop.data.effort_table import unit_name
from leopardpop.data.history import CaptureHistory, history_from_parts
from leopardpop.data.names import counted, listed
from leopardpop.data.occasion_labels import MOST_OCCASIONS, OccasionOption, wanted_occasions
from leopardpop.data.projections import check_metres
from leopardpop.data.readers.record_sheets import ColumnNames, Columns, Sheet, check_roles, read_sheet
from leopardpop.data.readers.trap_tables import TrapTable, as_table, merge_repeats, read_traps_by_position
from leopardpop.data.tables import Table, TableSource, concat_tables
from leopardpop.errors import DataError

__all__ = ["read_oscr"]

ENCOUNTERS = ColumnNames(
    {
        "session": ("session", "sess", "season"),
        "individual": ("ID", "individual", "ind", "animal", "indID"),
        "occasion": ("occasion", "occ", "SO", "sample"),
        "station": ("trap", "trapID", "detector", "station", "TrapNumber"),
        "sex": ("sex", "gender"),
    },
    required=("individual", "occasion", "station"),
    told=("session", "sex"),
)
UNITS = {"m": 1.0, "km": 1000.0}


def read_oscr(
    edf: TableSource,
    tdf: TableSource | Sequence[TableSource] | Mapping[str, TableSource],
    *,
    detector: str = "proximity",
    occasions: OccasionOption = None,
    effort_unit: str | None = None,
    separator: str = "/",
    coordinate_unit: str = "m",
    columns: Columns = None,
    crs: str | None = None,
    on_zero_effort: str = "raise",
) -> CaptureHistory:
    """Read an encounter data frame and trap deployment files as the R package oSCR takes them.

    Parameters
    ----------
    edf
        One row an encounter: session, ID, occasion (1, 2, ...), trap [, sex]; other columns are not used.
    tdf
        For each session a table: label of the trap, x, y [, usage on each occasion] [, a column of separators, then
        covariates of traps]. One table for all sessions; several, in the order of oSCR (numbers ascending, names
        sorted); or a dict session -> table, which also has sessions without encounters.
    detector
        "proximity" merges encounters of an animal, trap and occasion, as oSCR does by default; "count", "multi".
    occasions
        How many, where no usage says it: a number, or a dict session -> number. Default: the largest in `edf`.
    effort_unit
        Unit of usage, such as "day". Default "occasion".
    separator
        What stands in the column between usage and covariates.
    coordinate_unit
        "m" or "km", which oSCR is often given.
    columns
        What the file calls a column: ``{"edf": {"bear": "individual"}}``.
    crs
        Coordinate reference system of the traps, as in :meth:`CaptureHistory.from_tables`.
    on_zero_effort
        What to do with an encounter where usage is 0: "raise", "drop" or "keep".

    Returns
    -------
    CaptureHistory

    Raises
    ------
    DataError
        Naming file and line, if a trap is unknown, an occasion is beyond the usage, or a sex changes.

    References
    ----------
    Sutherland, C., Royle, J. A. & Linden, D. W. (2019) oSCR: a spatial capture-recapture R package for inference about
    spatial ecological processes. Ecography 42: 1459-1469. https://doi.org/10.1111/ecog.04551

    Examples
    --------
    >>> import pandas as pd
    >>> edf = pd.DataFrame({"session": 1, "ID": ["F1", "F1"], "occ": [1, 3], "trap": ["A", "B"], "sex": "F"})
    >>> tdf = pd.DataFrame({
    ...     "trap": ["A", "B"], "X": [0, 2.0], "Y": [0, 0.5], "1": 1, "2": 1, "3": [0, 1], "sep": "/", "road": [0, 1],
    ... })
    >>> history = read_oscr(edf, tdf, coordinate_unit="km")
    >>> history.n_detections, history.effort["effort"].sum().item(), history.stations["road"].tolist()
    (2, 5.0, [0.0, 1.0])
    """
    check_roles(columns, ("edf",))
    if coordinate_unit not in UNITS:
        raise DataError(f"coordinate_unit={coordinate_unit!r} is not known; it is 'm' or 'km'.")
    options = BuildOptions(detector=detector, crs=crs, on_zero_effort=on_zero_effort)
    sheet = read_sheet(edf, "edf", ENCOUNTERS, columns)
    sheet = sheet if "session" in sheet else sheet.with_column("session", pd.Series(["1"] * len(sheet), dtype=object))
    sheet = sheet.with_column("session", sheet.needed("session"))
    sources = _by_session(tdf, sheet)
    traps = {
        session: read_traps_by_position(source, "tdf", separator, UNITS[coordinate_unit])
        for session, source in sources.items()
    }
    sheet.known("session", list(traps), "tdf=")
    captures, merged = merge_repeats(sheet.table, detector)
    tables = _tables(sheet, captures, traps, wanted_occasions(occasions, list(traps)))
    parts, audit = build_sessions(tables, options)
    audit = pd.concat([merged, audit], ignore_index=True)
    unit = unit_name(effort_unit)
    return history_from_parts(parts, detector=detector, effort_unit=unit, crs=check_metres(crs), audit=audit)


def _by_session(tdf: Any, sheet: Sheet) -> dict[str, TableSource]:
    """Trap table of each session."""
    if isinstance(tdf, Mapping):
        return {str(session): table for session, table in tdf.items()}
    sessions = _sorted(sheet.words("session").unique().tolist()) or ["1"]
    if not isinstance(tdf, (list, tuple)):
        return dict.fromkeys(sessions, tdf)
    if len(tdf) != len(sessions):
        raise DataError(
            f"{counted(len(tdf), 'table')} of traps for {counted(len(sessions), 'session')} in {sheet.table.name}: "
            f"{listed(sessions)}. Give one for each, in this order, or a dict session -> table."
        )
    return dict(zip(sessions, tdf, strict=True))


def _sorted(sessions: list[str]) -> list[str]:
    """Sort as oSCR does: as numbers if all are, else as text."""
    numbers = pd.to_numeric(pd.Series(sessions, dtype=object), errors="coerce")
    return [sessions[i] for i in np.argsort(numbers)] if numbers.notna().all() else sorted(sessions)


def _tables(
    sheet: Sheet, captures: Table, traps: Mapping[str, TrapTable], wanted: list[tuple[str, ...]] | None
) -> Tables:
    largest = _largest(sheet)
    efforts = []
    for i, (session, one) in enumerate(traps.items()):
        n = len(wanted[i]) if wanted else None
        if n is not None and one.usage is not None and one.usage.shape[1] != n:
            raise DataError(f"{one.table.name} has usage for {one.usage.shape[1]} occasions, but occasions= says {n}.")
        efforts.append(one.effort(session, n or largest.get(session, 0)))
    return Tables(
        captures=as_table(captures.frame[["session", "individual", "station", "occasion"]], captures),
        stations=concat_tables([one.stations(session) for session, one in traps.items()]),
        effort=concat_tables(efforts),
        individuals=_individuals(sheet),
    )


def _largest(sheet: Sheet) -> dict[str, int]:
    numbers = pd.Series(sheet.numbers("occasion", whole=True, least=1))
    many = (numbers > MOST_OCCASIONS).to_numpy(bool)
    if many.any():
        found = f"occasion is {numbers[int(many.argmax())]:g}"
        raise sheet.fail(many, found, f"At most {MOST_OCCASIONS} are read. Correct it.")
    return {str(name): int(number) for name, number in numbers.groupby(sheet.words("session")).max().items()}


def _individuals(sheet: Sheet) -> Table | None:
    """Sex of each animal: the first that is known; a second one is an error."""
    if "sex" not in sheet:
        return None
    frame = pd.DataFrame({name: sheet.words(name) for name in ("session", "individual", "sex")})
    animal = frame["session"] + "\0" + frame["individual"].astype(str)
    first = frame["sex"].groupby(animal).transform("first")
    differ = (frame["sex"].notna() & (frame["sex"] != first)).to_numpy(bool)
    if differ.any():
        row = int(differ.argmax())
        found = f"the sex of '{frame['individual'][row]}' is '{frame['sex'][row]}', in an earlier row '{first[row]}'"
        raise sheet.fail(differ, found, "Correct one of them, or leave it blank.")
    rows = (~animal.duplicated()).to_numpy(bool)
    return as_table(frame.assign(sex=first.fillna("")), sheet.table).take(rows)
