"""Evidence of breeding in the records: who was young, and who was with whom.

A species that lives alone shows that it breeds when young are photographed. A record proves it if it shows young; if
young must have an adult female beside them, only where one was recorded in the same event at the station.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leopardpop.errors import DataError

__all__ = ["YOUNG", "Company", "breeding_records", "company", "is_young"]

YOUNG = ("cub", "infant", "juvenile", "kitten", "young")
"""Life stages of animals that still follow their mother."""


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
    if isinstance(young, str):
        raise DataError(f'young={young!r} must be several words: ("{young}",).')
    return np.asarray(life_stage.isin([word.strip().casefold() for word in young]), dtype=bool)


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
    everyone = _fewest(records, event, np.ones(len(event), dtype=bool), n)
    cubs = _fewest(records, event, young, n)
    others = np.bincount(event[~young], minlength=n) > 0
    female = np.bincount(event[~young & (records["sex"] == "F").to_numpy(bool)], minlength=n) > 0
    return Company(np.maximum(everyone, cubs + others), cubs, female)


def _fewest(records: pd.DataFrame, event: NDArray[np.intp], which: NDArray[np.bool_], n: int) -> NDArray[np.int64]:
    """Smallest number of animals that some records of each event allow, (n,)."""
    rows = records.loc[which, ["timestamp", "camera", "individual", "count"]].assign(event=event[which])
    picture = rows.groupby(["event", "timestamp", "camera"], sort=False, dropna=False)["count"].sum()
    together = np.zeros(n, dtype=np.int64)
    np.maximum.at(together, picture.index.get_level_values("event").to_numpy(), picture.to_numpy())
    named = rows.dropna(subset=["individual"]).drop_duplicates(["event", "individual"])["event"].to_numpy()
    return np.maximum(together, np.bincount(named, minlength=n))


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
