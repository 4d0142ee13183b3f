"""What the media level of a Camtrap DP says of an event that is read at event level: taken over, or told."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leopardpop.data.covariates import MISSING_WORDS
from leopardpop.data.names import counted
from leopardpop.data.notices import notice
from leopardpop.data.readers.camtrap_dp_tags import tag_values
from leopardpop.data.tables import Table
from leopardpop.errors import DataWarning

__all__ = ["FACTS", "take_from_media", "warn_of_lost"]

FACTS = ("scientificName", "individualID", "sex", "lifeStage")
Booleans = NDArray[np.bool_]


def take_from_media(
    table: Table, event: Booleans, media: Booleans, key: NDArray[np.int64], flank: str | None
) -> tuple[Table, NDArray[np.object_]]:
    """Fill what rows at event level leave open from the media of their event, where these agree.

    Parameters
    ----------
    table
        Observations.
    event, media
        Rows of animals at either level, (n,).
    key
        Event of each row, (n,).
    flank
        Where flanks stand, as in :func:`leopardpop.read_camtrap_dp`.

    Returns
    -------
    table
        With cells filled in.
    lost
        What each row says that could not be taken over, "" if nothing, (n,).
    """
    lost = np.full(len(key), "", dtype=object)
    rows = np.flatnonzero((event | media) & np.isin(key, key[media]))  # most packages name each animal at one level
    if rows.size:
        part, lost[rows] = _of_events(table.take(rows), event[rows], media[rows], key[rows], flank)
        table = _put_back(table, rows, part)
    return table, lost


def _put_back(table: Table, rows: NDArray[np.intp], part: pd.DataFrame) -> Table:
    """A table with the columns of some of its rows replaced."""
    frame = table.frame.copy()
    for name in part:
        cells = frame[name].to_numpy(object, copy=True)
        cells[rows] = part[name]
        frame[name] = cells
    return replace(table, frame=frame)


def _of_events(
    table: Table, event: Booleans, media: Booleans, key: NDArray[np.int64], flank: str | None
) -> tuple[pd.DataFrame, NDArray[np.object_]]:
    """Columns with cells filled in, and what was lost, of the rows of events that both levels have."""
    column, _, tag = (flank or "").partition(":")
    names = [name for name in (*FACTS, column) if name in table and (name != column or not tag)]
    facts = {name: _known(table.frame[name]) for name in names}
    if tag and column in table:
        facts[flank or ""] = pd.Series(tag_values(table.frame[column], tag), dtype=object)
    alone = event & ~pd.Series(key).where(event).duplicated(keep=False).to_numpy(bool)
    mixed = _of_several(facts, key, event | media)
    frame, lost = table.frame.reset_index(drop=True), np.full(len(key), "", dtype=object)
    for name, values in facts.items():
        taken, left = _settle(values, key, event, media, alone & ~(mixed & (name != "scientificName")))
        if taken.any():
            _write(frame, name, values, taken, tag)
        left = left & _counts(name, values, key, event).astype(bool)
        lost[left] = lost[left] + np.array([f", {name} '{value}'" for value in values[left]], dtype=object)
    return frame[[name for name in dict.fromkeys((*names, column)) if name in frame]], lost


def _known(column: pd.Series) -> pd.Series:
    words = column.astype(object).reset_index(drop=True)
    return words.mask(words.isin([*MISSING_WORDS]), None)


def _of_several(facts: dict[str, pd.Series], key: NDArray[np.int64], rows: Booleans) -> Booleans:
    """Rows of events in which several animals are named: nobody can say whose sex it is."""
    if "individualID" not in facts:
        return np.zeros(len(key), dtype=bool)
    named = facts["individualID"].where(rows)
    return np.asarray(named.groupby(key).transform("nunique") > 1)


def _settle(
    values: pd.Series,
    key: NDArray[np.int64],
    event: Booleans,
    media: Booleans,
    open_rows: Booleans,
) -> tuple[pd.Series, Booleans]:
    """What each row at event level takes over (n,), and the media rows that say something no row then has, (n,)."""
    said = values.where(media)
    one = said.groupby(key).transform("first").where(said.groupby(key).transform("nunique") == 1)
    finer = np.array([_finer(new, old) for new, old in zip(one, values, strict=True)], dtype=bool)
    taken = one.where(open_rows & finer)
    now = taken.where(taken.notna(), values)
    there = set(zip(key[event], now[event], strict=True))
    there |= {(k, word.split(" ")[0]) for k, word in there if isinstance(word, str)}
    left = np.array([isinstance(w, str) and (k, w) not in there for k, w in zip(key, said, strict=True)], dtype=bool)
    return taken.where(taken.notna(), None), left


def _counts(name: str, values: pd.Series, key: NDArray[np.int64], event: Booleans) -> Booleans:
    """Whether a word at media level is a loss: other animals are; of the rest, the word at event level stands."""
    if name == "individualID":
        return np.ones(len(key), dtype=bool)
    if name == "lifeStage":
        open_stage = ~np.isin(key, key[event & values.notna().to_numpy(bool)])
        return open_stage | (values.str.lower() != "adult").to_numpy(bool)
    if name == "scientificName":
        words = set(zip(key[event], values[event], strict=True))
        return np.array(
            [isinstance(w, str) and (k, w.split(" ")[0]) in words for k, w in zip(key, values, strict=True)]
        )
    return ~np.isin(key, key[event & values.notna().to_numpy(bool)])


def _finer(new: object, old: object) -> bool:
    return isinstance(new, str) and (not isinstance(old, str) or new.startswith(f"{old} "))


def _write(frame: pd.DataFrame, name: str, values: pd.Series, taken: pd.Series, tag: str) -> None:
    rows = np.flatnonzero(taken.notna())
    column = name.partition(":")[0]
    cells = frame[column].to_numpy(object, copy=True)
    for row in rows:
        tags = "|".join(f"{tag}:{word}" for word in taken[row].split("|"))
        old = "" if pd.isna(cells[row]) or cells[row] in MISSING_WORDS else f"{cells[row]} | "
        cells[row] = old + tags if column != name else taken[row]
    frame[column] = cells


def warn_of_lost(table: Table, lost: NDArray[np.object_]) -> None:
    """Warn of rows at media level that say what no record has."""
    bad = lost != ""
    if bad.any():
        row = int(bad.argmax())
        notice(
            f"{table.where(row)} says{lost[row][1:]} at media level, which no row of its event says at event level "
            f'({counted(int(bad.sum()), "row")} in all): left out. level="media" reads the media; or write it at '
            "event level.",
            DataWarning,
        )
