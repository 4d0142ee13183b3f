"""The events of a survey as a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leopardpop.data.events import check_rule, event_numbers, independence_interval
from leopardpop.data.names import did_you_mean, listed
from leopardpop.data.selection import records_of_species
from leopardpop.data.young import company, is_young
from leopardpop.errors import DataError

if TYPE_CHECKING:
    from leopardpop.data.survey_base import SurveyTables

__all__ = ["event_codes", "make_events"]

KNOWN = ("sex", "life_stage")


def make_events(
    survey: SurveyTables,
    species: str | Sequence[str] | None,
    independence: Any,
    by: str | Sequence[str],
    rule: str,
    young: Sequence[str],
) -> pd.DataFrame:
    """Make the table of events: see :meth:`leopardpop.Survey.events`."""
    check_rule(rule)
    records = survey.records
    if species is not None:
        ledger = records_of_species(records, species)
        records = ledger.records[ledger.open].reset_index(drop=True)
    columns = _columns(records, by)
    instant = survey.clock.instants(records["timestamp"])
    interval = independence_interval(independence)
    event = event_numbers(_codes(records, columns), instant, interval, rule)
    shared = event_codes(records, instant, interval, rule)
    table = _table(records, event, columns, instant)
    with_young = company(records, shared, is_young(records["life_stage"], young))
    rows = _describe(records, event, young, len(table))
    rows["with_young"] = _any(with_young.n_young[shared] > 0, event, len(table))
    table = table.assign(**{name: values for name, values in rows.items() if name not in columns})
    table = table.sort_values(["start", *columns], kind="stable", ignore_index=True)
    table.insert(0, "event", np.arange(1, len(table) + 1))
    return table[[*table.columns.drop(["source", "line"]), "source", "line"]]


def event_codes(records: pd.DataFrame, instant: NDArray[np.int64], interval: int, rule: str) -> NDArray[np.intp]:
    """Event of each record at its station, all animals of a species together, (n,)."""
    return event_numbers(_codes(records, ["station", "species"]), instant, interval, rule)


def _codes(records: pd.DataFrame, columns: Sequence[str]) -> list[NDArray[np.intp]]:
    return [pd.factorize(records[name])[0].astype(np.intp) for name in columns]


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
) -> pd.DataFrame:
    """Columns of the groups, start, end, and the place of the first record in its file; one row an event."""
    order = np.lexsort((instant, event))
    ends = np.append(np.flatnonzero(np.diff(event[order])), len(order) - 1) if len(order) else order
    starts = np.append(0, ends[:-1] + 1) if len(order) else order
    first, last = records.iloc[order[starts]], records.iloc[order[ends]]
    table = first[[*columns, *(name for name in ("source", "line") if name not in columns)]].reset_index(drop=True)
    table.insert(len(columns), "start", first["timestamp"].array)
    table.insert(len(columns) + 1, "end", last["timestamp"].array)
    table.insert(len(columns) + 2, "n_records", np.bincount(event, minlength=len(table)))
    return table


def _describe(records: pd.DataFrame, event: NDArray[np.intp], young: Sequence[str], n: int) -> dict[str, Any]:
    """What the records of each event show: flank, sex, life stage, animals, young."""
    found = company(records, event, is_young(records["life_stage"], young))
    side = records["flank"]
    left, right = (_any(side.isin([name, "both"]).to_numpy(bool), event, n) for name in ("left", "right"))
    flank = np.select([left & right, left, right], ["both", "left", "right"], "").astype(object)
    flank[flank == ""] = None
    known = {name: _agreed(records[name], event, n) for name in KNOWN if name in records}
    return {"flank": flank} | known | {"group_size": found.group_size, "n_young": found.n_young}


def _any(which: NDArray[np.bool_], event: NDArray[np.intp], n: int) -> NDArray[np.bool_]:
    return np.asarray(np.bincount(event[which], minlength=n) > 0)


def _agreed(column: pd.Series[Any], event: NDArray[np.intp], n: int) -> NDArray[np.object_]:
    """Value that all records of an event have that have any, None if they differ, (n,)."""
    pairs = pd.DataFrame({"event": event, "value": column.to_numpy(object)}).dropna().drop_duplicates()
    alone = pairs[~pairs["event"].duplicated(keep=False)]
    values = np.full(n, None, dtype=object)
    values[alone["event"].to_numpy(np.intp)] = alone["value"].to_numpy(object)
    return values
