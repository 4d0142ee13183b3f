"""The events of a survey as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leopardpop.data.events import check_rule, event_numbers, independence_interval
from leopardpop.data.names import did_you_mean, listed
from leopardpop.data.occasions import Clock
from leopardpop.data.selection import records_of_several, records_of_species
from leopardpop.data.young import company, is_young
from leopardpop.errors import DataError

__all__ = ["event_codes", "make_events"]

KNOWN = ("sex", "life_stage")


def make_events(
    records: pd.DataFrame,
    clock: Clock,
    species: str | Sequence[str] | Mapping[str, str | Sequence[str]] | None,
    independence: Any,
    by: str | Sequence[str],
    rule: str,
    young: Sequence[str],
) -> pd.DataFrame:
    """Make the table of events: see :meth:`leopardpop.Survey.events`."""
    check_rule(rule)
    if species is not None:
        records = _chosen(records, species)
    columns = _columns(records, by)
    instant = clock.instants(records["timestamp"])
    interval = independence_interval(independence)
    event = event_numbers(_codes(records, columns), instant, interval, rule)
    shared = event_codes(records, instant, interval, rule)
    table, by_time = _table(records, event, columns, instant)
    rows = _describe(records, event, young, len(table))
    family = _any(is_young(records["life_stage"], young), shared, len(shared))
    rows["with_young"] = _any(family[shared], event, len(table))
    table = table.assign(**{name: values for name, values in rows.items() if name not in columns})
    table = table.iloc[by_time].reset_index(drop=True)
    table.insert(0, "event", np.arange(1, len(table) + 1))
    return table[[*table.columns.drop(["source", "line"]), "source", "line"]]


def _chosen(records: pd.DataFrame, species: str | Sequence[str] | Mapping[str, str | Sequence[str]]) -> pd.DataFrame:
    """Records of the species; those of a mapping under its labels."""
    if not isinstance(species, Mapping):
        ledger = records_of_species(records, species)
        return ledger.records[ledger.open].reset_index(drop=True)
    ledger, kind, labels = records_of_several(records, species)
    named = ledger.records.assign(species=np.array([*labels, None], dtype=object)[kind])
    return named[ledger.open].reset_index(drop=True)


def event_codes(records: pd.DataFrame, instant: NDArray[np.int64], interval: int, rule: str) -> NDArray[np.intp]:
    """Event of each record at its station, all animals of a species together, (n,)."""
    return event_numbers(_codes(records, ["station", "species"]), instant, interval, rule)


def _codes(records: pd.DataFrame, columns: Sequence[str]) -> list[NDArray[np.intp]]:
    return [pd.factorize(records[name], sort=True)[0].astype(np.intp) for name in columns]


def _columns(records: pd.DataFrame, by: str | Sequence[str]) -> list[str]:
    columns = [by] if isinstance(by, str) else list(by)
    unknown = [name for name in columns if name not in records or name == "timestamp"]
    if unknown or not columns:
        names = [str(name) for name in records.columns.drop("timestamp")]
        found = f"the records have no column {unknown[0]!r}" if unknown else "no column is named"
        hint = did_you_mean(str(unknown[0]), names) if unknown else ""
        raise DataError(f"by={by!r}: {found}. Columns: {listed(names, 20)}.{hint}", offenders=unknown)
    return list(dict.fromkeys(columns))


def _table(
    records: pd.DataFrame, event: NDArray[np.intp], columns: list[str], instant: NDArray[np.int64]
) -> tuple[pd.DataFrame, NDArray[np.intp]]:
    """Columns of the groups, start, end, and the place of the first record in its file; and the events by time."""
    order = np.lexsort((instant, event))
    starts = np.flatnonzero(np.diff(event[order], prepend=-1))
    first, last = order[starts], order[np.append(starts[1:], len(order))[: len(starts)] - 1]
    place = [name for name in ("source", "line") if name not in columns]
    table = records.iloc[first][[*columns, *place]].reset_index(drop=True)
    times = records["timestamp"]
    table.insert(len(columns), "start", times.iloc[first].array)
    table.insert(len(columns) + 1, "end", times.iloc[last].array)
    table.insert(len(columns) + 2, "n_records", np.bincount(event, minlength=len(table)))
    return table, np.lexsort((*(code[first] for code in _codes(records, columns)[::-1]), instant[first]))


def _describe(records: pd.DataFrame, event: NDArray[np.intp], young: Sequence[str], n: int) -> dict[str, Any]:
    """What the records of each event show: flank, sex, life stage, animals, young."""
    found = company(records, event, is_young(records["life_stage"], young))
    side = records["flank"]
    left, right = (_any(side.isin([name, "both"]).to_numpy(bool), event, n) for name in ("left", "right"))
    flank = np.select([left & right, left, right], ["both", "left", "right"], "").astype(object)
    flank[flank == ""] = None
    known = {name: _agreed(records[name], event, n) for name in KNOWN if name in records}
    sizes = {"group_size": found.group_size, "n_young": found.n_young}
    return {"flank": pd.Series(flank, dtype=object)} | known | sizes


def _any(which: NDArray[np.bool_], event: NDArray[np.intp], n: int) -> NDArray[np.bool_]:
    return np.asarray(np.bincount(event[which], minlength=n) > 0)


def _agreed(column: pd.Series[Any], event: NDArray[np.intp], n: int) -> pd.Series[Any]:
    """Value that all records of an event have that have any, None if they differ, (n,)."""
    codes, words = pd.factorize(column)
    known = codes >= 0
    low, high = np.full(n, len(words), dtype=np.intp), np.full(n, -1, dtype=np.intp)
    np.minimum.at(low, event[known], codes[known])
    np.maximum.at(high, event[known], codes[known])
    every = np.array([*words, None], dtype=object)
    return pd.Series(every[np.where(low == high, low, len(words))], dtype=object)
