"""Which identities are whole animals and which are known from one flank; and every pair that may be one animal.

The likelihood of two flanks needs the same sum over the mask for whole animals, for one-flank identities, and for each
pair of a left and a right one taken as one animal. So all of them become the animals of one larger history.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from leopardpop.data.history import CaptureHistory, history_from_parts
from leopardpop.data.parts import SessionParts
from leopardpop.errors import DataError, ModelError
from leopardpop.words import counted

if TYPE_CHECKING:
    from leopardpop.data.arrays import SessionArrays
    from leopardpop.models.likelihood.terms import Ints

__all__ = [
    "FlankLists",
    "flank_lists",
    "knows_flanks",
    "labelled",
    "most_matched",
    "one_flank",
    "sides",
    "with_pairs",
]

MOST_PAIRS = 10_000


class FlankLists(NamedTuple):
    """Positions of the identities of a session, and of the pairs behind them in the larger history."""

    whole: Ints
    """Animals known from both flanks, or whose flank is not told, (B,)."""
    left: Ints
    """Identities known from the left flank only, (L,)."""
    right: Ints
    """Identities known from the right flank only, (R,)."""
    pair: Ints
    """(P, 2) positions in ``left`` and ``right`` of the pairs that may be one animal."""

    @property
    def first_pair(self) -> int:
        """Position of the first pair in the larger history."""
        return len(self.whole) + len(self.left) + len(self.right)

    @property
    def identity(self) -> Ints:
        """Position in the history of each identity of the larger one, (n,)."""
        return np.concatenate([self.whole, self.left, self.right])


def flank_lists(history: CaptureHistory) -> list[FlankLists]:
    """Sort the identities of each session.

    Raises
    ------
    ModelError
        If the history does not know flanks, or there are too many pairs.
    """
    sessions = [history.arrays(s) for s in history.sessions]
    if not knows_flanks(history):
        raise ModelError(
            "no detection says which flank it shows. Make the history with survey.capture_history(flank='each'), or "
            "give the table of captures a column flank (left, right, both); for whole identities use lp.SCR alone."
        )
    return [_lists(data, history.detector) for data in sessions]


def knows_flanks(history: CaptureHistory) -> bool:
    """Whether any detection says which flank it shows."""
    flanks = [history.arrays(session).flanks for session in history.sessions]
    return any(each is not None and each.any() for each in flanks)


def sides(data: SessionArrays) -> tuple[Ints, Ints, Ints]:
    """Positions of the whole animals, of those known from the left flank only, and from the right only."""
    shown = np.zeros((len(data.individuals), 3), np.int64)
    if data.flanks is not None:
        np.add.at(shown, data.individual, data.flanks)
    left, right, both = (shown > 0).T
    only_left, only_right = left & ~right & ~both, right & ~left & ~both
    return np.flatnonzero(~(only_left | only_right)), np.flatnonzero(only_left), np.flatnonzero(only_right)


def labelled(history: CaptureHistory, number: int) -> str:
    """So many animals; or identities, where some are known from the left flank only and others from the right.

    Parameters
    ----------
    history
        The history.
    number
        How many of its labels.
    """
    one_sided = [sides(history.arrays(session))[1:] for session in history.sessions]
    several = any(len(left) and len(right) for left, right in one_sided)
    return counted(number, "identity", "identities") if several else counted(number, "animal")


def _lists(data: SessionArrays, detector: str) -> FlankLists:
    lists = FlankLists(*sides(data), np.empty((0, 2), np.intp))
    if len(lists.left) * len(lists.right) > MOST_PAIRS:
        raise ModelError(
            f"session '{data.session}': {len(lists.left)} left-flank and {len(lists.right)} right-flank identities "
            f"make more than {MOST_PAIRS:,} pairs. Fit one flank (flank='left'), or split the survey in sessions."
        )
    possible = [
        (a, b) for a, i in enumerate(lists.left) for b, j in enumerate(lists.right) if _may_be_one(data, i, j, detector)
    ]
    return lists._replace(pair=np.array(possible, np.intp).reshape(-1, 2))


def _may_be_one(data: SessionArrays, i: int, j: int, detector: str) -> bool:
    """Whether sex, deaths and the detector allow two identities to be one animal."""
    sex = data.individual_covariates.get("sex")
    if sex is not None and sex.iloc[[i, j]].dropna().nunique() > 1:
        return False
    a, b = np.flatnonzero(data.individual == i), np.flatnonzero(data.individual == j)
    alive = min(data.exposure[i], data.exposure[j])
    if max(data.occasion[a].max(), data.occasion[b].max()) >= alive:
        return False
    if detector == "count":
        return True
    # One record an occasion: there an animal shows left, right or both, so two identities are two animals.
    if detector == "multi":
        return not np.intersect1d(data.occasion[a], data.occasion[b]).size
    size = data.effort.shape[1]
    return not np.intersect1d(data.station[a] * size + data.occasion[a], data.station[b] * size + data.occasion[b]).size


def most_matched(lists: FlankLists) -> int:
    """Most pairs that can be one animal at once."""
    from scipy.sparse import coo_array, csr_array
    from scipy.sparse.csgraph import maximum_bipartite_matching

    a, b = lists.pair.T
    if not len(a):
        return 0
    graph = csr_array(coo_array((np.ones(len(a)), (a, b)), shape=(len(lists.left), len(lists.right))))
    return int((maximum_bipartite_matching(graph, perm_type="column") >= 0).sum())


def with_pairs(history: CaptureHistory, lists: list[FlankLists]) -> CaptureHistory:
    """Return the larger history: whole animals, left ones, right ones, pairs, in this order.

    Parameters
    ----------
    history
        The history with flanks.
    lists
        Of each session, from :func:`flank_lists`.
    """
    parts = [_larger(history, s, part) for s, part in zip(history.sessions, lists, strict=True)]
    return history_from_parts(parts, detector=history.detector, effort_unit=history.effort_unit, crs=history.crs)


def _larger(history: CaptureHistory, session: str, lists: FlankLists) -> SessionParts:
    data = history.arrays(session)
    single = [(int(i),) for i in lists.identity]
    members = [*single, *((int(lists.left[a]), int(lists.right[b])) for a, b in lists.pair)]
    names = [data.individuals[m[0]] if len(m) == 1 else f"pair {p}" for p, m in enumerate(members)]
    rows_of = [np.flatnonzero(data.individual == i) for i in range(len(data.individuals))]
    rows = [np.concatenate([rows_of[i] for i in m]) for m in members]
    owner = np.repeat(np.arange(len(members)), [len(r) for r in rows])
    at = np.concatenate([*rows, np.empty(0, np.intp)]).astype(np.intp)
    return _parts(history, data, (names, owner, at), members)


def _parts(history: CaptureHistory, data: SessionArrays, rows: Any, members: list[tuple[int, ...]]) -> SessionParts:
    names, owner, at = rows
    table = pd.DataFrame({"animal": owner, "station": data.station[at], "occasion": data.occasion[at]})
    table = table.assign(count=data.count[at]).groupby(["animal", "station", "occasion"], as_index=False).sum()
    traits = data.individual_covariates
    first = traits.iloc[[m[0] for m in members]].reset_index(drop=True)
    last = traits.iloc[[m[-1] for m in members]].reset_index(drop=True)
    return SessionParts(
        session=data.session,
        individuals=names,
        stations=data.stations,
        xy=data.xy,
        effort=data.effort,
        individual=table["animal"].to_numpy(np.intp),
        station=table["station"].to_numpy(np.intp),
        occasion=table["occasion"].to_numpy(np.intp),
        count=table["count"].to_numpy(np.int64),
        exposure=np.array([data.exposure[list(m)].min() for m in members], np.intp),
        occasions=history.occasions[data.session],
        station_covariates=data.station_covariates,
        individual_covariates=first.where(first.notna(), last),
        occasion_covariates=data.occasion_covariates,
        visit_covariates=data.visit_covariates,
    )


def one_flank(history: CaptureHistory, flank: str) -> CaptureHistory:
    """Return the history of one flank: the records of it and of both, by which every animal is counted once.

    Parameters
    ----------
    history
        The history with flanks.
    flank
        "left" or "right".

    Raises
    ------
    DataError
        If no record shows that flank.
    """
    parts = [_one_flank(history, s, 0 if flank == "left" else 1) for s in history.sessions]
    if not any(len(part.individuals) for part in parts):
        raise DataError(f"flank={flank!r}: no detection shows the {flank} flank.")
    return history_from_parts(parts, detector=history.detector, effort_unit=history.effort_unit, crs=history.crs)


def _one_flank(history: CaptureHistory, session: str, side: int) -> SessionParts:
    data = history.arrays(session)
    shown = np.zeros((len(data.count), 3), np.int64) if data.flanks is None else data.flanks
    events = shown[:, side] + shown[:, 2]
    number = np.minimum(events, data.count) if history.detector == "count" else np.minimum(events, 1)
    rows = np.flatnonzero(number)
    kept, owner = np.unique(data.individual[rows], return_inverse=True)
    part = _parts(history, data, ([data.individuals[i] for i in kept], owner, rows), [(int(i),) for i in kept])
    table = pd.DataFrame({"a": owner, "k": data.station[rows], "o": data.occasion[rows], "n": number[rows]})
    count = table.sort_values(["a", "k", "o"])["n"].to_numpy(np.int64)
    return replace(part, count=count)
