"""Text files of the R package secr and of the program DENSITY."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from leopardpop.data.build import BuildOptions, Tables, build_sessions
from leopardpop.data.effort_table import unit_name
from leopardpop.data.flanks import with_listed_flanks
from leopardpop.data.history import CaptureHistory, history_from_parts
from leopardpop.data.names import counted, did_you_mean, listed
from leopardpop.data.occasion_labels import OccasionOption, wanted_occasions
from leopardpop.data.parts import DETECTORS, SessionParts
from leopardpop.data.paths import path_of
from leopardpop.data.projections import LOCAL, check_metres
from leopardpop.data.readers.secr_captures import (
    SecrCaptures,
    captures_table,
    find_format,
    individuals_table,
    read_captures,
)
from leopardpop.data.readers.secr_meta import META, check_lengths
from leopardpop.data.readers.secr_traps import ADVICE, SecrTraps, read_traps, usage_table
from leopardpop.data.tables import Table, concat_tables
from leopardpop.errors import DataError

__all__ = ["read_secr"]

FilePath = str | PathLike[str]
TrapFiles = FilePath | Sequence[FilePath] | Mapping[str, FilePath] | None

NOT_READ = (
    "polygon",
    "polygonX",
    "transect",
    "transectX",
    "telemetry",
    "telemetryonly",
    "signal",
    "capped",
    "nonspatial",
)


def read_secr(
    captures: FilePath,
    traps: TrapFiles = None,
    *,
    detector: str | None = None,
    effort_unit: str | None = None,
    occasions: OccasionOption = None,
    fmt: str | None = None,
    covnames: Sequence[str] | None = None,
    trapcovnames: Sequence[str] | None = None,
    binary_usage: bool | None = None,
    crs: str | None = None,
    on_zero_effort: str = "raise",
) -> CaptureHistory:
    r"""Read captures and stations from text files as the R package secr and DENSITY write them.

    Parameters
    ----------
    captures
        Rows of session, animal, occasion and station ("trapID"), or session, animal, occasion, x and y ("XY"), then
        covariates of the animal; separated by blanks, tabs or commas. ``#`` starts a comment. Repeated rows are counts.
        A negative occasion says that the animal died or was removed then; animal ``NONE`` that a session has no
        captures and this many occasions.
    traps
        Rows of label, x and y [m], then usage (effort: "1101", or a number for each occasion), then ``/`` and
        covariates. One file for all sessions; or one for each, in order of their appearance in the captures or as a
        dict session -> file. Default: the files that :meth:`CaptureHistory.to_secr` wrote beside the captures.
    detector
        "proximity", "count" or "multi". Default: what ``to_secr`` noted in the file, else "proximity".
    effort_unit
        Unit of usage. Default: as noted in the file, else "occasion".
    occasions
        How many, if neither usage nor the captures of the last occasion say it.
    fmt
        "trapID" or "XY"; found out by default.
    covnames, trapcovnames
        Names of the covariates of animals and of stations, if no header gives them. Columns of captures that nothing
        names are not used.
    binary_usage
        Whether a usage like "1101" means four occasions. Default: if every station has zeros and ones only.
    crs
        Coordinate reference system of the stations, as in :meth:`CaptureHistory.from_tables`.
    on_zero_effort
        What to do with a detection where usage is 0: "raise", "drop" or "keep".

    Returns
    -------
    CaptureHistory

    Raises
    ------
    DataError
        If a line cannot be understood or contradicts another, or the files hold polygons, transects or telemetry.

    References
    ----------
    Efford, M. G. (2012) DENSITY 5.0: software for spatially explicit capture-recapture. University of Otago.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     captures, traps = Path(folder, "captures.txt"), Path(folder, "traps.txt")
    ...     _ = captures.write_text("# Session ID Occasion Detector sex\n1 F1 1 A F\n1 F1 3 B F\n")
    ...     _ = traps.write_text("A 0 0 111\nB 2000 500 011\n")
    ...     history = read_secr(captures, traps)
    >>> history.n_detections, history.effort["effort"].sum().item()
    (2, 5.0)
    """
    _check_options(detector, fmt)
    file = path_of(captures, "captures")
    found = read_captures(file)
    files = _trap_files(file, traps, found)
    loaded = {file: read_traps(file, trapcovnames, binary_usage) for file in set(files.values())}
    stations = {session: loaded[file] for session, file in files.items()}
    labels = _occasion_labels(stations, found, wanted_occasions(occasions, list(stations)))
    options = BuildOptions(
        detector=detector or found.meta.get("detector", "proximity"),
        occasions=labels,
        crs=crs or (LOCAL if found.meta else None),  # what leopardpop wrote was checked when the history was made
        on_zero_effort=on_zero_effort,
    )
    fmt = fmt or find_format(found, {session: one.table for session, one in stations.items()})
    parts, audit = build_sessions(_tables(found, stations, labels, fmt, covnames), options)
    parts = [_with_starts(part, stations[part.session]) for part in parts]
    return history_from_parts(
        [with_listed_flanks(part, found.meta.get("flanks", {})) for part in parts],
        detector=options.detector,
        effort_unit=unit_name(effort_unit or found.meta.get("effort_unit")),
        crs=check_metres(crs) or found.meta.get("crs") or None,
        audit=pd.concat([found.audit(fmt, covnames), audit], ignore_index=True),
    )


def _check_options(detector: str | None, fmt: str | None) -> None:
    if detector == "single":
        raise DataError(
            "secr's detector 'single' has no likelihood of its own there either: use detector='multi', as secr does."
        )
    if detector in NOT_READ:
        raise DataError(f"detector='{detector}' cannot be read; detectors are {listed(DETECTORS)}. {ADVICE}")
    if fmt not in (None, "trapID", "XY"):
        raise DataError(f"fmt={fmt!r} is not known; it is 'trapID' or 'XY'.{did_you_mean(str(fmt), ('trapID', 'XY'))}")


def _trap_files(captures: Path, traps: TrapFiles, found: SecrCaptures) -> dict[str, Path]:
    """Return the station file of each session, in the order of sessions."""
    sessions = found.sessions
    if traps is None:
        noted = found.meta.get("traps")
        if noted is None:
            raise DataError(f"{captures.name} does not say where its stations are: pass traps=.")
        return {session: captures.parent / file for session, file in noted.items()}
    if isinstance(traps, Mapping):
        return {str(session): path_of(file, f"traps['{session}']") for session, file in traps.items()}
    if not isinstance(traps, (list, tuple)):
        return dict.fromkeys(sessions, path_of(traps, "traps"))
    if len(traps) != len(sessions):
        files = counted(len(traps), "file")
        raise DataError(
            f"{files} of stations for {counted(len(sessions), 'session')} in {captures.name}: {listed(sessions)}. "
            "Give one for each, in this order, or a dict session -> file."
        )
    return {session: path_of(file, "traps") for session, file in zip(sessions, traps, strict=True)}


def _occasion_labels(
    stations: dict[str, SecrTraps], found: SecrCaptures, wanted: list[tuple[str, ...]] | None
) -> dict[str, tuple[str, ...]]:
    """Return the occasions of each session: as noted, as usage says, as asked for, or up to the largest."""
    labels = {}
    for i, (session, traps) in enumerate(stations.items()):
        noted, n = traps.meta.get("occasions"), traps.n_occasions
        asked = wanted[i] if wanted else None
        if n is not None and asked is not None and len(asked) != n:
            raise DataError(f"{traps.table.name} has usage for {n} occasions, but occasions= says {len(asked)}.")
        _check_noted(traps, noted, n)
        largest = n or found.largest.get(session, 0)
        if not (asked or noted or largest):
            raise DataError(
                f"session '{session}' has neither usage nor captures to count occasions by. Pass occasions=."
            )
        labels[session] = asked or tuple(noted or (str(s + 1) for s in range(largest)))
    return labels


def _check_noted(traps: SecrTraps, noted: list[str] | None, n: int | None) -> None:
    if noted is not None and n is not None and len(noted) != n:
        raise DataError(
            f"{traps.table.name} has usage for {counted(n, 'occasion')}, but its comment '{META}…' names {len(noted)}. "
            "Correct one of the two, or write the files again with to_secr."
        )


def _tables(
    found: SecrCaptures,
    stations: dict[str, SecrTraps],
    labels: dict[str, tuple[str, ...]],
    fmt: str,
    covnames: Sequence[str] | None,
) -> Tables:
    tables = {session: traps.table for session, traps in stations.items()}
    usage = [
        _of_session(tables[session], usage_table(stations[session], labels[session]), session) for session in tables
    ]
    return Tables(
        captures=captures_table(found, tables, labels, fmt),
        stations=concat_tables([_of_session(table, table.frame, session) for session, table in tables.items()]),
        effort=concat_tables(usage),
        individuals=individuals_table(found, fmt, covnames),
    )


def _of_session(table: Table, frame: pd.DataFrame, session: str) -> Table:
    return replace(table, frame=frame.assign(session=session))


def _with_starts(part: SessionParts, traps: SecrTraps) -> SessionParts:
    """Add what only a comment of ours says of the occasions: their starts and covariates."""
    check_lengths(traps.table.name, traps.meta, *np.shape(part.effort))
    starts, varying = traps.meta.get("occasion_start"), traps.meta.get("varying", {})
    by_visit = {name: np.array(values) for name, values in varying.items() if isinstance(values[0], list)}
    by_occasion = {name: values for name, values in varying.items() if name not in by_visit}
    return replace(
        part,
        occasion_start=None if starts is None else np.array(starts, dtype="datetime64[ns]"),
        occasion_covariates=pd.DataFrame(by_occasion) if by_occasion else None,
        visit_covariates={name: _numbers_or_words(values) for name, values in by_visit.items()},
    )


def _numbers_or_words(values: Any) -> Any:
    """A table of numbers as floats; null is NaN there, and stays None among words."""
    known = [value for value in values.ravel() if value is not None]
    return values.astype(float) if not any(isinstance(value, str) for value in known) else values.astype(object)
