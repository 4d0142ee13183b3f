"""What happens between a model and the data: moving centres, groups, cubs, failures, misread identities, flanks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from leopardpop.errors import ModelError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Reality", "add_cubs", "add_members", "fail_stations", "misread"]

SHARES = ("together", "breeding", "with_cubs", "die", "outage", "ghosts", "confusions")
FEMALE = "F"


@dataclass(frozen=True, kw_only=True)
class Reality:
    """What happens between a model and the data; by default nothing.

    Parameters
    ----------
    drift
        How far an activity centre moves between occasions: sd of its step along each axis, m. It starts where the
        population says, and nothing holds it in the mask. 0: centres stay.
    group_size
        Mean size of groups that go together (1 + Poisson), with one activity centre. Density counts animals.
    together
        Chance that a member is recorded where its group is.
    breeding
        Share of females (of all animals where the model has no sexes) with cubs.
    litter
        Mean number of cubs (1 + Poisson).
    with_cubs
        Chance that a cub is recorded where its mother is. Cubs are in the records, not in the history or in N.
    die
        Share of stations that fail for good at some time.
    outage
        Chance that a station is off for an occasion.
    ghosts
        Chance that a record is taken for an animal that does not exist.
    confusions
        Chance that a record is taken for another detected animal.
    both_flanks
        Chance that a record shows both flanks; animals never recorded so have one identity for each flank. None: each
        record tells the animal.

    Raises
    ------
    ModelError
        For a number outside its domain.

    Examples
    --------
    >>> Reality(ghosts=0.05, die=0.1).ghosts
    0.05
    """

    drift: float = 0.0
    group_size: float = 1.0
    together: float = 1.0
    breeding: float = 0.0
    litter: float = 2.0
    with_cubs: float = 0.4
    die: float = 0.0
    outage: float = 0.0
    ghosts: float = 0.0
    confusions: float = 0.0
    both_flanks: float | None = None

    def __post_init__(self) -> None:
        """Check the numbers."""
        for name in (*SHARES, *(() if self.both_flanks is None else ("both_flanks",))):
            _check(name, getattr(self, name), 0.0, 1.0)
        for name in ("group_size", "litter"):
            _check(name, getattr(self, name), 1.0, np.inf)
        _check("drift", self.drift, 0.0, np.inf)
        if self.ghosts + self.confusions > 1:
            raise ModelError("ghosts + confusions must be at most 1: each record is misread one way or the other.")


def _check(name: str, value: Any, low: float, high: float) -> None:
    fine = isinstance(value, int | float | np.number) and not isinstance(value, bool) and np.isfinite(value)
    if not fine or not low <= value <= high:
        bound = f"a share, from {low:g} to {high:g}" if np.isfinite(high) else f"a number of at least {low:g}"
        raise ModelError(f"{name}={value!r} must be {bound}.", offenders=[name])


# -- steps ------------------------------------------------------------------------------------------------------------
def fail_stations(effort: NDArray[np.float64], reality: Reality, rng: np.random.Generator) -> NDArray[np.float64]:
    """Effort (K, S) without the occasions after a station failed, and without outages."""
    stations, occasions = effort.shape
    end = np.where(rng.random(stations) < reality.die, rng.integers(0, occasions, stations), occasions)
    on = (np.arange(occasions) < end[:, None]) & (rng.random(effort.shape) >= reality.outage)
    return np.asarray(effort * on)


def add_members(
    population: pd.DataFrame, records: pd.DataFrame, reality: Reality, rng: np.random.Generator
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Groups in place of single animals: members have the centre of the first one and are recorded with it."""
    population = population.assign(group=population["animal"], life_stage="adult")
    if reality.group_size == 1:
        return population, records
    further = rng.poisson(reality.group_size - 1, len(population))
    members, seen = _followers(population, records, further, reality.together, rng, "{}-{}")
    return pd.concat([population, members], ignore_index=True), pd.concat([records, seen], ignore_index=True)


def add_cubs(
    population: pd.DataFrame, records: pd.DataFrame, reality: Reality, rng: np.random.Generator
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Cubs beside their mothers."""
    records = records.assign(life_stage="adult")
    may = (population["sex"] == FEMALE).to_numpy() if "sex" in population else np.ones(len(population), bool)
    breeds = may & (rng.random(len(population)) < reality.breeding)
    population = population.assign(breeding=breeds)
    if not breeds.any():
        return population, records
    litter = np.where(breeds, 1 + rng.poisson(reality.litter - 1, len(population)), 0)
    cubs, seen = _followers(population, records, litter, reality.with_cubs, rng, "{} cub {}")
    cubs = cubs.assign(life_stage="cub", breeding=False, **({"sex": None} if "sex" in cubs else {}))
    return (
        pd.concat([population, cubs], ignore_index=True),
        pd.concat([records, seen.assign(life_stage="cub")], ignore_index=True),
    )


def _followers(
    population: pd.DataFrame,
    records: pd.DataFrame,
    number: NDArray[np.int64],
    chance: float,
    rng: np.random.Generator,
    name: str,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Animals that go with others: their rows of the population, and records where those were recorded."""
    row = np.arange(len(population)).repeat(number)
    place = pd.Series(row).groupby(row).cumcount().to_numpy() + 1
    leaders = population.iloc[row]
    names = [name.format(leader, k) for leader, k in zip(leaders["animal"], place, strict=True)]
    pairs = pd.DataFrame({"animal": leaders["animal"].to_numpy(), "name": names})
    seen = records.merge(pairs, on="animal").drop(columns="animal").rename(columns={"name": "animal"})
    seen["count"] = rng.binomial(seen["count"], chance)
    seen = seen[seen["count"] > 0]
    recorded = np.isin(names, seen["animal"].to_numpy())
    return leaders.assign(animal=names, detected=recorded), seen


def misread(records: pd.DataFrame, reality: Reality, rng: np.random.Generator) -> pd.DataFrame:
    """One row a record of grown animals, with the label that it got, and the error in it."""
    single = records.loc[records.index.repeat(records["count"])].assign(count=1).reset_index(drop=True)
    single["label"], single["error"] = single["animal"], ""
    dice = rng.random(len(single))
    ghost = np.flatnonzero(dice < reality.ghosts)
    single.loc[ghost, "label"] = [f"ghost {i + 1:03d}" for i in range(len(ghost))]
    single.loc[ghost, "error"] = "ghost"
    known = single["animal"].unique()
    taken = np.flatnonzero((dice >= reality.ghosts) & (dice < reality.ghosts + reality.confusions))
    if len(taken) and len(known) > 1:
        at = np.searchsorted(np.sort(known), single["animal"].to_numpy()[taken].astype(str))
        other = (at + rng.integers(1, len(known), len(taken))) % len(known)
        single.loc[taken, "label"] = np.sort(known)[other]
        single.loc[taken, "error"] = "confusion"
    return single
