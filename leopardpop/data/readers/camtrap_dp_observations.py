"""Observations of a Camtrap DP: which rows are records of animals, and what becomes of the others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leopardpop.data.covariates import MISSING_WORDS
from leopardpop.data.names import counted, did_you_mean, listed
from leopardpop.data.notices import notice
from leopardpop.data.readers.camtrap_dp_deployments import Deployments, require, sources
from leopardpop.data.readers.camtrap_dp_events import take_from_media, warn_of_lost
from leopardpop.data.readers.camtrap_dp_fields import OBSERVATIONS
from leopardpop.data.readers.camtrap_dp_tags import tag_values, without_key
from leopardpop.data.readers.camtrap_dp_times import read_stamps, refuse_naive
from leopardpop.data.selection import Ledger
from leopardpop.data.survey_tables import text
from leopardpop.data.tables import Table
from leopardpop.data.vocabulary import nobody, read_words
from leopardpop.errors import DataError, DataWarning

__all__ = ["COLUMNS", "ObservationOptions", "Observations", "read_observations"]

REQUIRED = ("deploymentID", "eventStart", "observationLevel", "observationType")
LABELS = {
    "species": "scientificName",
    "individual": "individualID",
    "sex": "sex",
    "life_stage": "lifeStage",
    "observation": "observationID",
    "event": "eventID",
    "media": "mediaID",
    "behavior": "behavior",
    "camera_setup": "cameraSetupType",
    "classified_by": "classificationMethod",
    "tags": "observationTags",
}
"""Our name -> theirs, of text."""
ALWAYS = ("species", "individual", "sex", "life_stage", "observation", "event")
COLUMNS = frozenset({*REQUIRED, *LABELS.values(), "eventEnd", "count", "classificationProbability"})
"""What is read of the table."""


@dataclass(frozen=True)
class ObservationOptions:
    """Keywords of :func:`leopardpop.read_camtrap_dp` that concern observations."""

    level: str | None
    flank: str | None
    species_map: Mapping[str, str]
    tz: str | None


@dataclass(frozen=True)
class Observations:
    """What the table of observations says."""

    records: pd.DataFrame
    audit: pd.DataFrame
    notes: tuple[str, ...]


def read_observations(table: Table, deployments: Deployments, options: ObservationOptions) -> Observations:
    """Read the table of observations.

    Parameters
    ----------
    table
        Cells as text.
    deployments
        What they refer to.
    options
        What the user asked for.

    Returns
    -------
    Observations
        The records of animals, and an audit with every row of the table.

    Raises
    ------
    DataError
        If a row that counts cannot be understood; it names the line.
    """
    require(table, REQUIRED)
    ledger = Ledger(pd.DataFrame({"source": sources(table), "line": table.lines}))
    owner = deployments.positions(text(table.frame["deploymentID"]))
    kind = _lower(table, "observationType")
    table, notes = _choose_level(ledger, table, owner, kind, options)
    _drop_unknown_deployments(ledger, table, owner, deployments)
    _drop_without_animal(ledger, table, kind)
    _merge_repeated(ledger, table)
    rows = np.flatnonzero(ledger.open)
    ledger.keep(ledger.open, nobody(table.frame["individualID"]) if "individualID" in table else "")
    records = _records(table.take(rows), owner[rows], deployments, options)
    return Observations(records, ledger.audit(), (notes,))


def _lower(table: Table, column: str) -> NDArray[np.object_]:
    """Words of a column in lower case, "" where there is none, (n,)."""
    codes, values = pd.factorize(table.frame[column].astype(object))
    words = (str(value).strip() for value in values)
    known = np.array([*("" if word in MISSING_WORDS else word.lower() for word in words), ""], dtype=object)
    return np.asarray(known[codes])


def _choose_level(
    ledger: Ledger, table: Table, owner: NDArray[np.intp], kind: NDArray[np.object_], options: ObservationOptions
) -> tuple[Table, str]:
    """Take one level in each deployment: events where there are any that somebody looked at, else media."""
    levels = _lower(table, "observationLevel")
    bad = ~np.isin(levels, ["event", "media"])
    if bad.any():
        value = levels[int(bad.argmax())]
        found = f"observationLevel is '{value}'" if value else "observationLevel is missing"
        raise table.fail(bad, found, 'It is "event" or "media".')
    event = levels == "event"
    by_event = np.zeros(int(owner.max(initial=-1)) + 2, dtype=bool)
    by_event[owner[event & (kind != "unclassified")]] = True
    by_event[:] = options.level == "event" if options.level is not None else by_event
    ours = event == by_event[owner]
    same, key = _of_known_event(table, owner, event)
    animal = (kind == "animal") & (owner >= 0)
    table, lost = take_from_media(table, event & ours & animal, ~event & ~ours & animal, key, options.flank)
    if options.level is None:
        warn_of_lost(table, lost)
    also = np.where(lost == "", "", np.char.add("; left out", lost.astype(str))).astype(object)
    ledger.merge(~ours & ~event & same, "media level: its event is there at event level" + also)
    ledger.drop(~ours & ~event, "media level, in a deployment that is read at event level" + also)
    ledger.drop(~ours & event, "event level, in a deployment that is read at media level")
    return table, _level_note(event, ours)


def _of_known_event(
    table: Table, owner: NDArray[np.intp], event: NDArray[np.bool_]
) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """Whether the event of each row has a row at event level, and a number of the event, below 0 if unnamed, (n,)."""
    if "eventID" not in table:
        return np.zeros(len(owner), dtype=bool), -1 - np.arange(len(owner), dtype=np.int64)
    codes, values = pd.factorize(table.frame["eventID"])
    named = ~values.isin([*MISSING_WORDS])
    key = (owner.astype(np.int64) + 1) * (len(values) + 1) + codes
    same = np.asarray(named[codes] & pd.Series(key).isin(np.unique(key[event])).to_numpy())
    return same, np.where(named[codes], key, -1 - np.arange(len(key), dtype=np.int64))


def _level_note(event: NDArray[np.bool_], ours: NDArray[np.bool_]) -> str:
    used = [f"{int((ours & rows).sum()):,} at {name} level" for name, rows in (("event", event), ("media", ~event))]
    used = [words for words in used if not words.startswith("0 ")] or ["none"]
    return f"{counted(len(event), 'observation')}, {' and '.join(used)} are used"


def _drop_unknown_deployments(ledger: Ledger, table: Table, owner: NDArray[np.intp], deployments: Deployments) -> None:
    unknown = ledger.open & (owner < 0)
    if not unknown.any():
        return
    labels = text(table.frame["deploymentID"])
    names = deployments.frame["deployment"].tolist()
    reasons = {None: "no deployment"} | {
        label: f"unknown deployment '{label}'" for label in labels[unknown].dropna().unique()
    }
    ledger.drop(unknown, labels.map(reasons, na_action=None).fillna(reasons[None]).to_numpy(object))
    row = int(unknown.argmax())
    first = labels[row]
    what = "without a deployment" if first is None else f"of the unknown deployment '{first}'"
    notice(
        f"{table.where(row)} is {what} ({counted(int(unknown.sum()), 'row')} without a known one in all): left out. "
        f"Add it to deployments.csv, or correct deploymentID.{did_you_mean(str(first), names) if first else ''}",
        DataWarning,
    )


def _drop_without_animal(ledger: Ledger, table: Table, kind: NDArray[np.object_]) -> None:
    codes, words = pd.factorize(kind)
    _say_strange_types(ledger, table, kind)
    reasons = np.array([f"no animal: observationType {word or 'is missing'}" for word in words], dtype=object)
    if len(words):
        ledger.drop(kind != "animal", reasons[codes])


def _say_strange_types(ledger: Ledger, table: Table, kind: NDArray[np.object_]) -> None:
    strange = ledger.open & ~np.isin(kind, ["", *OBSERVATIONS["observationType"].words])
    if strange.any():
        row = int(strange.argmax())
        known = OBSERVATIONS["observationType"].words
        notice(
            f"{table.where(row)}: observationType is '{kind[row]}', taken for no animal "
            f"({counted(int(strange.sum()), 'row')} with such words). Camtrap DP knows {', '.join(known)}."
            f"{did_you_mean(str(kind[row]), known)}",
            DataWarning,
        )


def _merge_repeated(ledger: Ledger, table: Table) -> None:
    """Merge rows that are there twice, identifier and all."""
    if "observationID" not in table:
        return
    labels = table.frame["observationID"]
    repeated = ledger.open & (labels.duplicated(keep=False) & ~labels.isin([*MISSING_WORDS])).to_numpy(bool)
    if not repeated.any():
        return
    rows = np.flatnonzero(repeated)
    some = table.frame.iloc[rows].reset_index(drop=True)
    first = some.groupby(list(some.columns), dropna=False, sort=False)[some.columns[0]].transform(lambda g: g.index[0])
    _say_one_name(table, rows, labels, first.to_numpy(int))
    again = np.zeros(len(repeated), dtype=bool)
    again[rows[first.to_numpy() != np.arange(len(rows))]] = True
    reasons = np.full(len(repeated), "", dtype=object)
    reasons[rows] = [f"the same row as {table.where(int(rows[i]))}" for i in first.to_numpy(int)]
    ledger.merge(again, reasons)


def _say_one_name(table: Table, rows: NDArray[np.intp], labels: pd.Series[Any], first: NDArray[np.intp]) -> None:
    """Warn of different rows with one observationID."""
    own = rows[first == np.arange(len(rows))]
    again = own[labels.iloc[own].duplicated().to_numpy(bool)]
    if again.size:
        row = int(again[0])
        other = int(own[(labels.iloc[own] == labels.iloc[row]).to_numpy(bool)][0])
        notice(
            f"{table.where(row)}: observationID '{labels.iloc[row]}' is that of {table.where(other)} already, but they "
            f"say different things ({counted(len(again), 'row')} of this kind): each is a record. If one is a "
            "correction of the other, remove the old one; else give each its own name.",
            DataWarning,
        )


# -- records ----------------------------------------------------------------------------------------------------------
def _records(
    table: Table, owner: NDArray[np.intp], deployments: Deployments, options: ObservationOptions
) -> pd.DataFrame:
    start = read_stamps(table, "eventStart")
    refuse_naive(table, "eventStart", start, options.tz)
    result = pd.DataFrame({"timestamp": deployments.clocks.times(start, owner)})
    for name in ("deployment", "station", "camera"):
        result[name] = deployments.frame[name].to_numpy(object)[owner]
    for name, theirs in LABELS.items():
        column = text(table.frame[theirs]) if theirs in table else None
        if name in ALWAYS or (column is not None and column.notna().any()):
            result[name] = column
    result["species"] = _species(result["species"], options.species_map)
    result["flank"] = _flank(table, options.flank)
    if "tags" in result and options.flank is not None and options.flank.startswith("observationTags:"):
        result["tags"] = without_key(result["tags"], options.flank.partition(":")[2], result["flank"])
    if "eventEnd" in table:
        end = read_stamps(table, "eventEnd", missing=True)
        refuse_naive(table, "eventEnd", end, options.tz)
        result["event_end"] = deployments.clocks.times(end, owner)
        _tell_reversed(table, result)
    _add_numbers(table, result)
    result["source"], result["line"] = sources(table), table.lines
    return result


def _tell_reversed(table: Table, result: pd.DataFrame) -> None:
    """Tell of events that end before they start; they count from their start."""
    bad = (result["event_end"] < result["timestamp"]).to_numpy(bool)
    if bad.any():
        at = int(bad.argmax())
        cells = table.frame.iloc[at]
        notice(
            f"{table.where(at)}: eventEnd ({cells['eventEnd']}) is before eventStart ({cells['eventStart']}), in "
            f"{counted(int(bad.sum()), 'row')}. Their time is eventStart; correct the clock or the row.",
            DataWarning,
        )


def _add_numbers(table: Table, result: pd.DataFrame) -> None:
    if "count" in table:
        result["count"] = table.numbers("count", whole=True, least=1, blank=1).astype(np.int64)
    if "classificationProbability" in table:
        probability = table.numbers("classificationProbability", least=0, blank=np.nan)
        if not np.isnan(probability).all():
            result["classification_probability"] = probability


def _species(species: pd.Series[Any], species_map: Mapping[str, str]) -> pd.Series[Any]:
    """Replace names as the user says."""
    found = species.dropna().unique()
    for name in species_map:
        if name not in found:
            hint = did_you_mean(name, found)
            message = f"species_map names '{name}', which does not occur; species: {listed(found)}.{hint}"
            raise DataError(message, offenders=[name])
    return species.replace(dict(species_map)) if species_map else species


def _flank(table: Table, spec: str | None) -> pd.Series[Any] | None:
    """Flanks that a column says, or a key of its tags: "observationTags:flank"."""
    if spec is None:
        return None
    column, _, key = spec.partition(":")
    if column not in table:
        if column == "observationTags":
            return None  # optional in the format
        hint = did_you_mean(column, table.frame.columns)
        raise DataError(f"flank='{spec}': {table.name} has no column '{column}'.{hint}", offenders=[spec])
    values = tag_values(table.frame[column], key) if key else text(table.frame[column]).to_numpy(object)
    return read_words(pd.Series(values, dtype=object), "flank", table.where, f"flank ({spec})")
