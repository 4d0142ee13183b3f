"""Which flank of an animal each detection shows: how many of its records show the left one, the right one, or both.

A detection is a row animal x station x occasion, which may stand for several records. Its flanks are three numbers. A
record that shows both flanks ties them to one animal; a left one and a right one in the same occasion do not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leopardpop.data.names import counted
from leopardpop.data.vocabulary import read_words
from leopardpop.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable

    import xarray as xr

    from leopardpop.data.parts import CheckedParts, SessionParts
    from leopardpop.data.tables import Table

__all__ = [
    "FLANKS",
    "VARIABLES",
    "capture_flanks",
    "check_flanks",
    "dataset_flanks",
    "event_flanks",
    "flank_columns",
    "flank_words",
    "join_flanks",
    "known_flanks",
    "listed_flanks",
    "with_listed_flanks",
]

FLANKS = ("left", "right", "both")
"""What a record may show, in the order of the numbers of a detection."""
VARIABLES = tuple(f"detection_{flank}" for flank in FLANKS)
"""Variables of the dataset of a history, each (detection,)."""

Flanks = NDArray[np.int64]
"""Records of each detection that show the left flank, the right one, and both, (m, 3)."""


def known_flanks(flank: pd.Series[Any]) -> Flanks:
    """Return which flank each record shows, (n, 3): no number where it is unknown.

    Examples
    --------
    >>> known_flanks(pd.Series(["both", None, "left"])).tolist()
    [[0, 0, 1], [0, 0, 0], [1, 0, 0]]
    """
    return np.column_stack([(flank == name).to_numpy(bool) for name in FLANKS]).astype(np.int64)


def event_flanks(flank: pd.Series[Any], event: NDArray[np.intp], row: NDArray[np.intp], n_rows: int) -> Flanks:
    """Return the flanks of detections: of each event one number, both if its records show both.

    Parameters
    ----------
    flank
        Of each record, (n,).
    event
        Event of each record, (n,).
    row
        Detection that each record belongs to, (n,); the same for all records of an event.
    n_rows
        Number of detections.

    Returns
    -------
    (n_rows, 3) int array

    Examples
    --------
    >>> flank = pd.Series(["left", "right", "left"])
    >>> event_flanks(flank, np.array([0, 0, 1]), np.zeros(3, dtype=int), 1).tolist()  # both in one event, and left
    [[1, 0, 1]]
    """
    shown = np.zeros((int(event.max(initial=-1)) + 1, 3), dtype=bool)
    np.logical_or.at(shown, event, known_flanks(flank).astype(bool))
    both = shown[:, 2] | (shown[:, 0] & shown[:, 1])
    kinds = np.column_stack([shown[:, 0] & ~both, shown[:, 1] & ~both, both]).astype(np.int64)
    owner = np.zeros(len(shown), dtype=np.intp)
    owner[event] = row
    total = np.zeros((n_rows, 3), dtype=np.int64)
    np.add.at(total, owner, kinds)
    return total


def capture_flanks(captures: Table, count: NDArray[np.float64]) -> Flanks | None:
    """Return the flanks of the rows of a table of captures, (n, 3); None if it does not say any.

    Raises
    ------
    DataError
        If a row shows more flanks than it has records.
    """
    if "flank" in captures:
        words = read_words(captures.frame["flank"], "flank", captures.where)
        return known_flanks(words) * count.astype(np.int64)[:, None]
    if not any(name in captures for name in FLANKS):
        return None
    numbers = [
        captures.numbers(name, whole=True, least=0, blank=0) if name in captures else np.zeros(len(captures))
        for name in FLANKS
    ]
    return np.column_stack(numbers).astype(np.int64)


def check_flanks(flanks: Flanks, count: NDArray[np.int64], where: Callable[[int], str]) -> None:
    """Refuse flanks that are negative, or of more records of a kind than there are.

    Raises
    ------
    DataError
        Naming the first detection.
    """
    bad = (flanks < 0).any(axis=1) | (flanks > count[:, None]).any(axis=1)
    if bad.any():
        row = int(bad.argmax())
        left, right, both = flanks[row].tolist()
        raise DataError(
            f"{where(row)}: flanks are {left} left, {right} right, {both} both, but there "
            f"{'is' if count[row] == 1 else 'are'} {counted(int(count[row]), 'detection')}. Correct them.",
            offenders=np.flatnonzero(bad).tolist(),
        )


def join_flanks(sessions: Sequence[CheckedParts]) -> dict[str, Flanks]:
    """Return the variables of all sessions; none if no session knows any flank."""
    if all(part.flanks is None for part in sessions):
        return {}
    each = [np.zeros((len(part.count), 3), dtype=np.int64) if part.flanks is None else part.flanks for part in sessions]
    joined = np.concatenate(each)
    return {name: joined[:, i].copy() for i, name in enumerate(VARIABLES)}


def listed_flanks(part: CheckedParts) -> list[list[Any]]:
    """Return animal, station, occasion (from 1), left, right and both of the detections that show any, for a file."""
    if part.flanks is None:
        return []
    rows = zip(part.individual, part.station, part.occasion, part.flanks.tolist(), strict=True)
    return [[part.individuals[i], part.stations[k], int(s) + 1, *shown] for i, k, s, shown in rows if any(shown)]


def with_listed_flanks(part: SessionParts, listed: Mapping[str, Sequence[Sequence[Any]]]) -> SessionParts:
    """Add what :func:`listed_flanks` wrote, to the detections that are still there."""
    if not listed:
        return part
    known = {(animal, station, occasion): shown for animal, station, occasion, *shown in listed.get(part.session, ())}
    animals, stations = list(part.individuals), list(part.stations)
    rows = zip(np.asarray(part.individual), np.asarray(part.station), np.asarray(part.occasion), strict=True)
    flanks = [known.get((animals[i], stations[k], int(s) + 1), [0, 0, 0]) for i, k, s in rows]
    return replace(part, flanks=np.array(flanks, dtype=np.int64).reshape(-1, 3))


def dataset_flanks(dataset: xr.Dataset, rows: NDArray[np.intp] | slice = slice(None)) -> Flanks | None:
    """Return the flanks of some detections of a dataset, (m, 3), or None if it has none."""
    if not set(VARIABLES) <= set(dataset.variables):
        return None
    return np.column_stack([dataset[name].values[rows] for name in VARIABLES]).astype(np.int64)


def flank_columns(dataset: xr.Dataset) -> dict[str, NDArray[np.int64]]:
    """Return the columns left, right and both of the table of detections, if flanks are known."""
    flanks = dataset_flanks(dataset)
    return {} if flanks is None else {name: flanks[:, i].copy() for i, name in enumerate(FLANKS)}


def flank_words(dataset: xr.Dataset) -> str:
    """Say what the detections show, each counted once: "12 left, 9 right, 20 both, 3 detections of unknown flank".

    A detection may stand for several records: one with both flanks says more than one with the left alone. Nothing if
    no flank is known.
    """
    flanks = dataset_flanks(dataset)
    if flanks is None or not flanks.any():
        return ""
    count = dataset["detection_count"].values.astype(np.int64)
    total, tied = flanks.sum(axis=1), flanks[:, 2] > 0
    several = total > count
    shown = flanks[~several].sum(axis=0)
    shown[2] += count[several & tied].sum()
    apart = int(count[several & ~tied].sum())
    numbers = zip(FLANKS, shown.tolist(), strict=True)
    words = [f"{n:,} {name}" for name, n in numbers if n]
    unknown = int((count - total)[~several].sum())
    return ", ".join(
        [
            *words,
            *([f"{apart:,} left and right on different records"] if apart else []),
            *([f"{counted(unknown, 'detection')} of unknown flank"] if unknown else []),
        ]
    )
