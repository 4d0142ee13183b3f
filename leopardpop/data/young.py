"""Evidence of breeding in the records: who was young, and who was with whom.

A species that lives alone shows that it breeds when young are photographed. A record proves it if it shows young; if
young must have an adult female beside them, only where one was recorded in the same event at the station.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leopardpop.data.names import did_you_mean, listed
from leopardpop.data.notices import notice
from leopardpop.data.vocabulary import STAGE_WORDS
from leopardpop.errors import DataError, DataWarning

__all__ = ["GROWN", "YOUNG", "Company", "breeding_records", "check_stages", "company", "is_young"]

GROWN = ("adult", "subadult")
"""Life stages of independent animals: those that a capture history counts by default."""
YOUNG = (
    *("cub", "kitten", "juvenile", "infant", "young", "newborn", "neonate"),
    *("pup", "calf", "fawn", "foal", "lamb", "kid", "piglet", "chick"),
)
"""Life stages of animals that still follow their mother; not those of yearlings, which may live alone."""


@dataclass(frozen=True)
class Company:
    """What each event shows, (E,) each."""

    group_size: NDArray[np.int64]
    """Smallest number of animals that its records allow."""
    n_young: NDArray[np.int64]
    """Smallest number of young that its records allow."""
    adult_female: NDArray[np.bool_]
    """Whether a female that is not young is in it."""


def is_young(life_stage: pd.Series[Any], young: Sequence[str]) -> NDArray[np.bool_]:
    """Which records are of young, (n,).

    Parameters
    ----------
    life_stage
        Life stages in lower case, None where unknown.
    young
        Those of young.

    Raises
    ------
    DataError
        If `young` is one word and not several.

    Examples
    --------
    >>> is_young(pd.Series(["adult", "juvenile", None]), YOUNG).tolist()
    [False, True, False]
    """
    if isinstance(young, str) or not isinstance(young, Iterable):
        raise DataError(f'young={young!r} must be several words: ("{young}",).')
    return np.asarray(life_stage.isin([word.strip().casefold() for word in young]), dtype=bool)


def check_stages(argument: str, stages: Sequence[str], found: pd.Series[Any]) -> None:
    """Warn of words of a life stage that no record has and that are none.

    Parameters
    ----------
    argument
        Name of the argument, for the message.
    stages
        Words that were asked for.
    found
        Life stages of the records, missing where unknown.

    Raises
    ------
    DataError
        If a word is no text.

    Warns
    -----
    DataWarning
        With the nearest word.
    """
    words: list[Any] = list(stages)
    if wrong := [word for word in words if not isinstance(word, str)]:
        raise DataError(f"{argument}={stages!r}: {wrong[0]!r} is no word.", offenders=wrong)
    there = set(map(str, found.dropna().unique()))
    odd = [word for word in stages if word.strip().casefold() not in {*there, *STAGE_WORDS}]
    if odd:
        hint = did_you_mean(odd[0], sorted({*there, *STAGE_WORDS}))
        notice(f"{argument}: no record has the life stage {listed(odd)}.{hint}", DataWarning)


def company(records: pd.DataFrame, event: NDArray[np.intp], young: NDArray[np.bool_]) -> Company:
    """Find how many animals, how many young, and whether an adult female are in each event.

    Animals are counted where they must be different: identities, animals in one picture (the counts of records of one
    camera at one time), and young beside one that is not.

    Parameters
    ----------
    records
        Columns timestamp, camera, individual, sex, life_stage, count.
    event
        Event of each record, (n,), from 0.
    young
        Which are of young, (n,).

    Examples
    --------
    >>> when = pd.Timestamp("2024-02-01 21:00")
    >>> seen = pd.DataFrame({"timestamp": when, "camera": "a", "individual": ["F1", None], "sex": ["F", None],
    ...     "life_stage": ["adult", "cub"], "count": [1, 2]})
    >>> company(seen, np.array([0, 0]), np.array([False, True]))
    Company(group_size=array([3]), n_young=array([2]), adult_female=array([ True]))
    """
    n = int(event.max(initial=-1)) + 1
    time, camera, animal = (pd.factorize(records[name])[0] for name in ("timestamp", "camera", "individual"))
    seen = _Seen(event, time, camera, animal, records["count"].to_numpy(np.int64))
    everyone, cubs = seen.fewest(n), seen.of(young).fewest(n)
    others = np.bincount(event[~young], minlength=n) > 0
    female = np.bincount(event[~young & (records["sex"] == "F").to_numpy(bool)], minlength=n) > 0
    return Company(np.maximum(everyone, cubs + others), cubs, female)


@dataclass(frozen=True)
class _Seen:
    """Records as codes, (m,) each; -1 is unknown."""

    event: NDArray[np.intp]
    time: NDArray[np.intp]
    camera: NDArray[np.intp]
    animal: NDArray[np.intp]
    count: NDArray[np.int64]

    def of(self, which: NDArray[np.bool_]) -> _Seen:
        """Some of the records."""
        return _Seen(*(getattr(self, each.name)[which] for each in fields(self)))

    def fewest(self, n: int) -> NDArray[np.int64]:
        """Smallest number of animals that the records of each event allow, (n,)."""
        order, first = _distinct(self.event, self.time, self.camera)
        starts = np.flatnonzero(first)
        together = np.zeros(n, dtype=np.int64)
        if len(starts):
            pictures = np.add.reduceat(self.count[order], starts)
            np.maximum.at(together, self.event[order[starts]], pictures)
        event, animal = self.event[self.animal >= 0], self.animal[self.animal >= 0]
        order, first = _distinct(event, animal)
        return np.maximum(together, np.bincount(event[order[first]], minlength=n))


def _distinct(*keys: NDArray[Any]) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Order of rows by some keys, the first the most important, and which of the ordered ones differ from the last."""
    order = np.lexsort(keys[::-1])
    first = np.ones(len(order), dtype=bool)
    first[1:] = np.logical_or.reduce([key[order[1:]] != key[order[:-1]] for key in keys])
    return order, first


def breeding_records(
    young: NDArray[np.bool_], event: NDArray[np.intp], found: Company, evidence: str, group_size: int | None
) -> NDArray[np.bool_]:
    """Which records prove breeding, (n,).

    Parameters
    ----------
    young
        Which records are of young, (n,).
    event
        Event of each record at its station, (n,).
    found
        What the events show.
    evidence
        "young": a record of young; "family": of young in an event with an adult female.
    group_size
        Events with at least so many animals count too, all of their records; None: never.

    Raises
    ------
    DataError
        If `group_size` is no whole number from 2.
    """
    if group_size is not None and (isinstance(group_size, bool) or group_size != int(group_size) or group_size < 2):
        raise DataError(f"group_size={group_size!r} must be a whole number from 2, or None.")
    proof = young & (found.adult_female[event] if evidence == "family" else True)
    return proof if group_size is None else proof | (found.group_size[event] >= group_size)
