"""Detections where the station was off: refused, dropped or kept, and always on record."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leopardpop.data.design import AUDIT_COLUMNS, Design
from leopardpop.data.detections import Detections
from leopardpop.data.names import counted
from leopardpop.errors import DataError, DataWarning

__all__ = ["ZERO_EFFORT", "settle_zero_effort"]

ZERO_EFFORT = ("raise", "drop", "keep")
"""What can be done with a detection where effort is 0."""


def settle_zero_effort(found: Detections, design: Design, choice: str) -> tuple[Detections, Design, pd.DataFrame]:
    """Deal with the detections where effort is 0.

    Parameters
    ----------
    found, design
        Detections and effort.
    choice
        "raise"; "drop" the detections; or "keep" them, with the smallest positive effort of the history as the effort
        of that station and occasion.

    Returns
    -------
    found, design
        Without a contradiction.
    audit : pandas.DataFrame
        The rows concerned.

    Raises
    ------
    DataError
        If there are any and the choice is "raise", or no effort is positive.
    """
    off = np.zeros(len(found.row), dtype=bool)
    for code in range(len(design.sessions)):
        rows = np.flatnonzero(found.session == code)
        first = design.rows(code)[0]
        off[rows] = design.effort[code][found.station[rows] - first, found.occasion[rows]] == 0
    if not off.any():
        return found, design, pd.DataFrame(columns=AUDIT_COLUMNS)
    if choice == "raise":
        raise _error(found, design, off)
    return _drop(found, design, off) if choice == "drop" else _keep(found, design, off)


def _error(found: Detections, design: Design, off: NDArray[np.bool_]) -> DataError:
    first = int(off.argmax())
    station, session = found.station[first], found.session[first]
    count = counted(int(found.count[off & (found.station == station)].sum()), "detection")
    label = design.station_label(session, station - design.rows(session)[0])
    others = np.unique(found.station[off]).size - 1
    more = f" and {counted(others, 'more station')}" if others else ""
    return DataError(
        f"station '{label}' has {count} on occasions with no effort (first: "
        f"{design.occasions[session][found.occasion[first]]}, {found.table.where(int(found.row[first]))}){more}. "
        'Correct the effort, or pass on_zero_effort="drop".',
        offenders=found.offenders(off),
    )


def _drop(found: Detections, design: Design, off: NDArray[np.bool_]) -> tuple[Detections, Design, pd.DataFrame]:
    audit = _audit(found, off, "dropped", "effort is 0 at this station on this occasion")
    names = ["row", "animal", "station", "occasion", "count", "session"]
    names += ["flanks"] if found.flanks is not None else []
    kept = replace(found, **{name: getattr(found, name)[~off] for name in names})
    lost = np.setdiff1d(found.animal, kept.animal).size
    animals = f", and with them {counted(lost, 'animal')} that nothing else shows" if lost else ""
    number = counted(int(found.count[off].sum()), "detection")
    _warn(f"{number} where effort is 0 dropped{animals}; history.audit has the rows.")
    return kept, design, audit


def _keep(found: Detections, design: Design, off: NDArray[np.bool_]) -> tuple[Detections, Design, pd.DataFrame]:
    positive = [effort[effort > 0].min() for effort in design.effort if (effort > 0).any()]
    if not positive:
        raise DataError("effort is 0 at every station on every occasion. Correct the effort.")
    least = float(min(positive))
    effort = [array.copy() for array in design.effort]
    for row in np.flatnonzero(off):
        code = found.session[row]
        effort[code][found.station[row] - design.rows(code)[0], found.occasion[row]] = least
    reason = f"effort is 0 at this station on this occasion; set to {least:g}, the smallest of the history"
    number = counted(int(found.count[off].sum()), "detection")
    _warn(f"{number} where effort is 0 kept, with effort {least:g} there; history.audit has the rows.")
    return found, replace(design, effort=effort), _audit(found, off, "kept", reason)


def _audit(found: Detections, off: NDArray[np.bool_], action: str, reason: str) -> pd.DataFrame:
    places = found.offenders(off)
    return pd.DataFrame({"source": places["source"], "line": places["line"], "action": action, "reason": reason})


def _warn(message: str) -> None:
    warnings.warn(message, DataWarning, stacklevel=6)
