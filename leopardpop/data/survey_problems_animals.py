"""Problems of who was seen: identities, species, sexes, young, flanks, and records that are there twice."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from difflib import SequenceMatcher
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from leopardpop.data.names import counted, listed
from leopardpop.data.survey_problems_tables import LOOK, MUST, NOTE, Problem, Tables, line_of, sightings, spelling, when
from leopardpop.data.vocabulary import animals_in, seems_nothing
from leopardpop.data.young import GROWN, YOUNG

__all__ = ["FINDERS"]

MEDIA = ("media", "mediaID", "media_id")
MOST_SPECIES = 1_000
"""Names of species that are compared: those with most records."""
"""What people write between two names."""
IDS = frozenset({"source", "line", "observation", "observationID", "observation_id", "media", "mediaID", "media_id"})
ALIKE = 0.9
MOST_ON_A_PICTURE, MOST_TOLD = 1_000, 3
HOUR = 3_600_000_000_000
NEAR = 1_000.0
"""Metres: an animal at two stations that are nearer in a short time is no surprise."""
FAST, IMPOSSIBLE = 10.0, 60.0
"""km/h in a straight line: faster than a cat travels, and than it can run for long."""


def no_identities(tables: Tables) -> Iterator[Problem]:
    """No record has an identity."""
    n = int(tables.animal.sum())
    if n and tables.records["individual"].isna().all():
        sources = listed(tables.records["source"].unique(), 2).replace("'", "")
        found = f"no individual in any of {counted(n, 'record')}: occupancy is possible, capture-recapture is not"
        yield Problem(MUST, sources, found, "identify the animals and fill in the individual")


def too_many(tables: Tables) -> Iterator[Problem]:
    """Counts that no photograph shows."""
    records = tables.records
    if "count" not in records:
        return
    many = records[records["count"] > MOST_ON_A_PICTURE].head(MOST_TOLD)
    for row, number in zip(many.itertuples(), many["count"].to_numpy(np.int64), strict=True):
        found = f"{number:,} animals in one record"
        yield Problem(LOOK, line_of(row), found, "correct the count, if it is a slip")


def two_sexes(tables: Tables) -> Iterator[Problem]:
    """Animals recorded as female and as male."""
    known = tables.records.dropna(subset=["individual", "sex"]).drop_duplicates(["individual", "sex"])
    both = known[known["individual"].duplicated(keep=False)]
    for name, rows in both.groupby("individual", sort=False):
        told = " and as ".join(f"{row.sex} ({line_of(row)})" for row in rows.itertuples())
        yield Problem(MUST, f"individual {name}", f"recorded as {told}", "correct one, or leave it empty")


def too_fast(tables: Tables) -> Iterator[Problem]:
    """Animals at two far stations within too short a time: the fastest case of each."""
    moves = _moves(tables)
    fast = moves[(moves["km"] * 1000 > NEAR) & (moves["speed"] > FAST)]
    for name, rows in fast.groupby("individual", sort=False):
        worst = rows.iloc[int(rows["speed"].to_numpy().argmax())]
        more = f"; {len(rows)} such moves" if len(rows) > 1 else ""
        speed = f"{worst['speed']:,.0f} km/h" if worst["hours"] >= 1 / 60 else "at once"
        found = f"at {worst['from']} and {worst['to']}, {worst['km']:.1f} km apart, within {_time(worst['hours'])} "
        found += f"({speed}; {when(worst['timestamp'])}, {line_of(worst)}{more})"
        severity = MUST if worst["speed"] > IMPOSSIBLE else LOOK
        yield Problem(severity, f"individual {name}", found, "identity or clock?")


def _moves(tables: Tables) -> pd.DataFrame:
    """From each record of an animal to its next one at another station: km, hours, km/h."""
    rows = np.flatnonzero(tables.records["individual"].notna().to_numpy(bool))
    animal = pd.factorize(tables.records["individual"].iloc[rows])[0]
    order = np.lexsort((tables.instants[rows], animal))
    rows, animal = rows[order], animal[order]
    station, time = tables.station[rows], tables.instants[rows]
    moved = np.flatnonzero((animal[1:] == animal[:-1]) & (station[1:] != station[:-1]))
    km = np.hypot(*(tables.xy[station[moved + 1]] - tables.xy[station[moved]]).T) / 1000
    hours = (time[moved + 1] - time[moved]) / HOUR
    later = tables.records.iloc[rows[moved + 1]][["individual", "timestamp", "source", "line"]].reset_index(drop=True)
    speed = km / np.maximum(hours, 1 / 3600)
    names = np.array(tables.names, dtype=object)
    ends = {"from": names[station[moved]], "to": names[station[moved + 1]]}
    return later.assign(**ends, km=km, hours=hours, speed=speed)


def _time(hours: float) -> str:
    """Write a time: ``2 h 10 min``."""
    minutes = round(60 * hours)
    if minutes < 1:
        return f"{round(3600 * hours)} s"
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def together(tables: Tables) -> Iterator[Problem]:
    """Two grown animals of one species in one image, or at one camera in the same second."""
    for names, events in _pairs(_doubles(tables)).items():
        first, times = events[0][0], f"{len(events)} times, first" if len(events) > 1 else "once,"
        found = f"in one image {times} {when(first.timestamp)} at {first.station} ({line_of(first)})"
        fix = "a pair? Else one identity is wrong; of a young one, fill in the life stage"
        if all({row.flank for row in event} == {"left", "right"} for event in events):
            found = found.replace("in one image", "left flank of one and right flank of the other")
            fix = "the same animal? Then give it one identity"
        yield Problem(LOOK, f"individuals {' and '.join(names)}", found, fix)


def _doubles(tables: Tables) -> pd.DataFrame:
    """Records of grown animals with a name at whose station and second there is another record."""
    columns = ["station", "camera", "species", "timestamp", "individual", "flank", "source", "line"]
    grown = tables.records["individual"].notna() & ~tables.records["life_stage"].isin(YOUNG)
    media = tables.column("records", *MEDIA)
    rows = tables.records.loc[grown, columns]
    rows["image"] = "" if media is None else media[grown].fillna("")
    return rows[rows.duplicated(["station", "timestamp"], keep=False)]


def _pairs(rows: pd.DataFrame) -> dict[tuple[str, ...], list[list[Any]]]:
    """Animals that are in one image -> their records, image by image."""
    keys = ["station", "camera", "species", "timestamp", "image"]
    firsts = rows.drop_duplicates([*keys, "individual"])
    cases: dict[tuple[str, ...], list[list[Any]]] = defaultdict(list)
    for _, group in firsts[firsts.duplicated(keys, keep=False)].groupby(keys, dropna=False, sort=False):
        cases[tuple(sorted(group["individual"]))].append(list(group.itertuples()))
    return cases


def twice(tables: Tables) -> Iterator[Problem]:
    """Records of identified animals that are there twice, and images that are."""
    columns = [name for name in tables.records.columns if name not in IDS]
    named = tables.records[tables.records["individual"].notna()]
    maybe = named[named.duplicated(["station", "timestamp", "individual"], keep=False)]
    again = maybe[maybe[columns].astype(str).duplicated().to_numpy(bool)]
    if len(again):
        fix = "remove the copies; a history counts them once, numbers of records do not"
        yield Problem(LOOK, _sources(again), f"{sightings(again)} there twice", fix)


def _sources(rows: pd.DataFrame) -> str:
    return listed(rows["source"].unique(), 2).replace("'", "")


def species_alike(tables: Tables) -> Iterator[Problem]:
    """Species under several names: misspelt, or with the subspecies."""
    counts = tables.records["species"].value_counts().head(MOST_SPECIES)
    for group in _alike_groups([str(name) for name in counts.index]):
        names = sorted(group, key=lambda name: (-counts[name], name))
        found = f"{', '.join(f"'{name}' {counts[name]:,}" for name in names)}. The same species?"
        mapped = dict.fromkeys(names[1:], names[0])
        pooled = {names[0]: names}
        fix = f"then say so: species = {pooled}, or, of Camtrap DP, species_map = {mapped}".replace("'", '"')
        yield Problem(LOOK, "species", found, fix)


def _alike_groups(names: list[str]) -> list[set[str]]:
    """Names that are alike, directly or through another one."""
    groups: dict[str, set[str]] = {name: {name} for name in names}
    for one, other in _candidates(names):
        if groups[one] is not groups[other] and _alike(one.casefold(), other.casefold()):
            groups[one] |= groups[other]
            groups.update(dict.fromkeys(groups[one], groups[one]))
    distinct = {id(group): group for group in groups.values()}
    return [group for group in distinct.values() if len(group) > 1]


def _candidates(names: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Pairs that begin or end alike: comparing all of a thousand names would take minutes."""
    blocks: dict[str, list[str]] = defaultdict(list)
    for name in names:
        plain = name.casefold().strip()
        blocks[f"^{plain[:3]}"].append(name)
        blocks[f"{plain[-4:]}$"].append(name)
    for block in blocks.values():
        yield from combinations(block, 2)


def _alike(one: str, other: str) -> bool:
    short, long = sorted((one, other), key=len)
    if long.startswith(f"{short} ") and " " in short:
        return True
    matcher = SequenceMatcher(None, one, other)
    return abs(len(one) - len(other)) <= 3 and matcher.quick_ratio() > ALIKE and matcher.ratio() > ALIKE


def labels_alike(tables: Tables) -> Iterator[Problem]:
    """Individuals, and stations, whose labels differ in case, signs or zeros only."""
    labels = [str(name) for name in tables.records["individual"].dropna().unique()]
    individuals = [name for name in labels if len(animals_in(name)) == 1]  # of two animals, that is another finding
    for what, names in (("individuals", individuals), ("stations", tables.names)):
        written: dict[str, list[str]] = defaultdict(list)
        for name in names:
            written[spelling(name)].append(name)
        for group in written.values():
            if len(group) > 1:
                yield Problem(LOOK, what, f"{listed(group)} look like one", "write it in one way, if it is one")


def two_in_a_label(tables: Tables) -> Iterator[Problem]:
    """Labels of individuals that hold the label of another one: "F1, M2"."""
    names = {str(name) for name in tables.records["individual"].dropna().unique()}
    for name in sorted(names):
        parts = animals_in(name)
        if len(parts) > 1 and any(part in names for part in parts):
            found = f"reads like {counted(len(parts), 'animal')}, {listed(parts)}, and counts as one more"
            severity = MUST if all(part in names for part in parts) else LOOK
            yield Problem(
                severity, f"individual {name}", found, "give each animal a row of its own, with the same time"
            )


def nameless(tables: Tables) -> Iterator[Problem]:
    """Labels of individuals that say that nobody knows who it was: "unknown 3"."""
    named = tables.records.dropna(subset=["individual"])
    for name, group in named.groupby("individual", sort=True):
        if seems_nothing(str(name)):
            found = f"{sightings(group)} under a label for not knowing: they count as one animal"
            yield Problem(LOOK, f"individual {name}", found, "leave individual empty where the animal is not known")


def unidentified(tables: Tables) -> Iterator[Problem]:
    """Species with identities, of which some records have none."""
    records = tables.records
    counts = records["individual"].notna().groupby(records["species"]).agg(["sum", "size"])
    for species, (named, total) in counts.iterrows():
        if 0 < named < total:
            found = f"{total - named:,} of {total:,} records without an identity"
            yield Problem(NOTE, f"species {species}", found, "identify them; capture-recapture leaves them out")


def young(tables: Tables) -> Iterator[Problem]:
    """Dependent young that carry an identity, and animals that were both young and grown."""
    named = tables.records.dropna(subset=["individual"])
    small = named["life_stage"].isin(YOUNG)
    cubs, grown = set(named["individual"][small]), set(named["individual"][~small & named["life_stage"].notna()])
    if cubs - grown:
        found = f"{counted(len(cubs - grown), 'animal')} known as young only: {listed(sorted(cubs - grown), 4)}"
        yield Problem(
            NOTE, "individuals", found, "they are left out of a capture history: N counts independent animals"
        )
    yield from _other_stages(named, cubs)
    if cubs & grown:
        found = f"{listed(sorted(cubs & grown), 4)}: young in some records, grown in others"
        fix = "right if they grew up meanwhile; their records as young are left out"
        yield Problem(NOTE, "individuals", found, fix)


def _other_stages(named: pd.DataFrame, cubs: set[str]) -> Iterator[Problem]:
    """Animals of stages that are neither young nor those that are counted, such as yearlings."""
    known = named.dropna(subset=["life_stage"])
    independent = set(known["individual"][known["life_stage"].isin(GROWN)])
    others = known[~known["individual"].isin(independent | cubs)]
    if len(others):
        names, words = (list(dict.fromkeys(others[column])) for column in ("individual", "life_stage"))
        found = f"{counted(len(names), 'animal')} known as {listed(words)} only: {listed(names, 4)}"
        fix = f"they are left out of a capture history; life_stage = {[*GROWN, *words]} counts them".replace("'", '"')
        yield Problem(NOTE, "individuals", found, fix)


def one_flank(tables: Tables) -> Iterator[Problem]:
    """Identities from one flank only, of either side."""
    rows = tables.records.dropna(subset=["individual", "flank"]).drop_duplicates(["individual", "flank"])
    sides = rows.groupby("individual")["flank"].agg(frozenset)
    left, right = (int((sides == frozenset({side})).sum()) for side in ("left", "right"))
    if left and right:
        found = f"{counted(left, 'animal')} known from the left flank only, {right} from the right only"
        fix = 'they are left out of a capture history; flank = "left" counts every animal once'
        yield Problem(NOTE, "flanks", found, fix)


FINDERS = (
    no_identities,
    too_many,
    two_sexes,
    too_fast,
    species_alike,
    labels_alike,
    two_in_a_label,
    nameless,
    together,
    twice,
    unidentified,
    young,
    one_flank,
)
