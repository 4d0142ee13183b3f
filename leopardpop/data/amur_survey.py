"""The synthetic Amur leopard survey: animals, cameras, and the records that they make.

Every animal passes every station as a Poisson process in continuous time, at rate λ0 exp(−d²/2σ²); a pass is recorded
if the station is on. So a history of any occasion length comes from one and the same survey.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leopardpop.data.amur import (
    CELL,
    CHINA_EFFECT,
    SNOW_EFFECT,
    mask_cells,
    relative_density,
    station_lattice,
    to_metres,
)
from leopardpop.data.amur_records import Passes, leopard_records, other_records
from leopardpop.words import area, trimmed

__all__ = ["TZ", "AmurSurvey", "AmurTruth", "simulate_amur"]

Floats = NDArray[np.float64]

TZ = "UTC+10:00"
START = np.datetime64("2024-02-01T12:00", "s")
WEEK = 7 * 86_400
WEEKS = 13

N_ANIMALS = 45
SHARE_FEMALE = 0.545
LAMBDA0_WEEK = MappingProxyType({"F": 0.10, "M": 0.15})
SIGMA_KM = MappingProxyType({"F": 4.0, "M": 6.5})
FAIL = 0.18
"""Share of stations that fail for good."""
OUTAGE = 0.02
"""Outages per station and week, of a week each."""
BREEDING = 0.45
SINGLE_CAMERAS = 50


@dataclass(frozen=True)
class AmurTruth:
    """What the synthetic survey was made from.

    Lengths are metres, densities per km², rates per day.
    """

    N: int
    """Number of animals that live in the habitat (cubs not counted)."""
    individuals: pd.DataFrame
    """One row an animal: animal, sex, x, y (activity centre, m), breeding, and the labels under which it was recorded:
    label (both flanks known), left_label, right_label (one flank only, never linked)."""
    lambda0: MappingProxyType[str, float]
    """Hazard at distance 0 per station-day, by sex."""
    lambda0_week: MappingProxyType[str, float]
    """The same per week."""
    sigma: MappingProxyType[str, float]
    """Scale of the half-normal in metres, by sex."""
    pmix: MappingProxyType[str, float]
    """Share of each sex in the population."""
    density: MappingProxyType[str, float]
    """Coefficients of log D: per cm of snow, per km into China (border_distance where positive)."""
    area: float
    """Area in km² of the cells in which the animals live."""
    families: MappingProxyType[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))
    """Breeding female (animal) -> labels of her cubs that were recorded."""

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle mappings as dicts: proxies cannot be."""
        return _thawed, ({each.name: _plain(getattr(self, each.name)) for each in fields(self)},)

    def __repr__(self) -> str:
        """Show the values in a few lines."""
        sexes = [(sex, self.individuals["sex"].eq(sex).sum()) for sex in self.lambda0]
        lines = [
            f"Truth of a synthetic survey: {self.N} animals ({', '.join(f'{n} {sex}' for sex, n in sexes)}) on "
            f"{area(self.area)}",
            f"  lambda0  {_by_sex(self.lambda0)} per day",
            f"  sigma    {_by_sex(self.sigma)} m",
            f"  pmix     {_by_sex(self.pmix)}",
            f"  log D    {', '.join(f'{trimmed(value)} {name}' for name, value in self.density.items())}",
            f"  .individuals: {', '.join(self.individuals.columns)}",
        ]
        return "\n".join(lines)


def _plain(value: Any) -> Any:
    return dict(value) if isinstance(value, MappingProxyType) else value


def _thawed(values: dict[str, Any]) -> AmurTruth:
    frozen: dict[str, Any] = {k: MappingProxyType(v) if isinstance(v, dict) else v for k, v in values.items()}
    return AmurTruth(**frozen)


def _by_sex(values: Mapping[str, float]) -> str:
    return ", ".join(f"{trimmed(value)} {sex}" for sex, value in values.items())


@dataclass(frozen=True)
class AmurSurvey:
    """Tables of the survey, and its truth."""

    stations: pd.DataFrame
    deployments: pd.DataFrame
    failures: pd.DataFrame
    records: pd.DataFrame
    truth: AmurTruth


@dataclass(frozen=True)
class Cameras:
    """When stations were on: seconds since :data:`START`."""

    start: NDArray[np.int64]
    end: NDArray[np.int64]
    pair: NDArray[np.bool_]
    """Whether there are two cameras."""
    off_station: NDArray[np.intp]
    off_start: NDArray[np.int64]
    off_end: NDArray[np.int64]

    def on(self, station: NDArray[np.intp], seconds: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Whether each station was on at a time, (n,)."""
        found = (seconds >= self.start[station]) & (seconds < self.end[station])
        for k, start, end in zip(self.off_station, self.off_start, self.off_end, strict=True):
            found &= ~((station == k) & (seconds >= start) & (seconds < end))
        return np.asarray(found)


def simulate_amur(rng: np.random.Generator, *, single_cameras: bool = False) -> AmurSurvey:
    """Simulate the survey.

    Parameters
    ----------
    rng
        Source of chance.
    single_cameras
        Whether 50 of the stations have one camera; animals, passes and failures are those of the main survey.

    Returns
    -------
    AmurSurvey
    """
    chance_cameras, chance_passes, chance_records, chance_others, chance_single = rng.spawn(5)
    animals = _animals(rng)
    places, blocks = station_lattice()
    names = np.array([f"{block[0]}{i + 1:03d}" for i, block in enumerate(blocks)], dtype=object)
    cameras = _cameras(chance_cameras, len(places))
    if single_cameras:
        cameras.pair[chance_single.choice(len(places), SINGLE_CAMERAS, replace=False)] = False
    passes = _passes(chance_passes, animals, places, cameras)
    records, animals, families = leopard_records(chance_records, animals, passes, names, cameras.pair)
    others = other_records(chance_others, names, cameras)
    records = pd.concat([records, others]).sort_values("timestamp", kind="stable", ignore_index=True)
    records["timestamp"] = START + records["timestamp"].to_numpy("timedelta64[s]")
    records["source"], records["line"] = "amur_leopard", np.arange(1, len(records) + 1)
    xy = to_metres(places)
    stations = pd.DataFrame({"station": names, "x": xy[:, 0], "y": xy[:, 1], "block": blocks})
    stations["cameras"] = np.where(cameras.pair, 2, 1)
    return AmurSurvey(
        stations, _deployments(names, cameras), _failures(names, cameras), records, _truth(animals, families)
    )


def _animals(rng: np.random.Generator) -> pd.DataFrame:
    """Activity centres in local kilometres, sex and breeding of each animal."""
    cells = mask_cells()
    density = relative_density(cells)
    home = rng.choice(len(cells), N_ANIMALS, p=density / density.sum())
    centre = cells[home] + rng.uniform(-CELL / 2, CELL / 2, (N_ANIMALS, 2))
    sex = np.where(rng.random(N_ANIMALS) < SHARE_FEMALE, "F", "M").astype(object)
    breeding = (sex == "F") & (rng.random(N_ANIMALS) < BREEDING)
    name = [f"A{i + 1:02d}" for i in range(N_ANIMALS)]
    return pd.DataFrame({"animal": name, "sex": sex, "x": centre[:, 0], "y": centre[:, 1], "breeding": breeding})


def _cameras(rng: np.random.Generator, n: int) -> Cameras:
    """Set up in the week before the start, taken down in the week after the end; some fail, some have a bad week."""
    end = WEEKS * WEEK
    failed = np.flatnonzero(rng.random(n) < FAIL)
    from_time = rng.uniform(0.5 * WEEK, (WEEKS - 0.5) * WEEK, len(failed)).astype(np.int64)
    bad, week = np.nonzero(rng.random((n, WEEKS)) < OUTAGE)
    length = rng.uniform(0.5, 1.5, len(bad)) * WEEK
    middle = (week + rng.random(len(bad))) * WEEK
    set_up = -rng.integers(0, WEEK // 60, n) * 60
    taken_down = end + rng.integers(1, WEEK // 60, n) * 60
    bad_start = np.maximum((middle - length / 2).astype(np.int64), set_up[bad])
    bad_end = np.minimum((middle + length / 2).astype(np.int64), taken_down[bad])
    return Cameras(
        start=set_up,
        end=taken_down,
        pair=np.ones(n, dtype=bool),
        off_station=np.concatenate([failed, bad]),
        off_start=np.concatenate([from_time, bad_start]) // 60 * 60,
        off_end=np.concatenate([taken_down[failed], bad_end]) // 60 * 60,
    )


def _passes(rng: np.random.Generator, animals: pd.DataFrame, places: Floats, cameras: Cameras) -> Passes:
    """Every pass of an animal in front of a station that was on, in order of time."""
    sex = animals["sex"].to_numpy()
    lambda0 = np.array([LAMBDA0_WEEK[s] for s in sex]) / WEEK
    sigma = np.array([SIGMA_KM[s] for s in sex])
    d2 = ((animals[["x", "y"]].to_numpy()[:, None] - places) ** 2).sum(axis=-1)
    rate = lambda0[:, None] * np.exp(-d2 / (2 * sigma[:, None] ** 2))
    count = rng.poisson(rate * (cameras.end - cameras.start))
    animal, station = (index.repeat(count[count > 0]) for index in np.nonzero(count))
    span = (cameras.end - cameras.start)[station]
    seconds = cameras.start[station] + (rng.random(len(animal)) * span).astype(np.int64)
    keep = cameras.on(station, seconds)
    order = np.argsort(seconds[keep], kind="stable")
    return Passes(animal[keep][order], station[keep][order], seconds[keep][order])


def _deployments(names: NDArray[np.object_], cameras: Cameras) -> pd.DataFrame:
    station = np.arange(len(names)).repeat(1 + cameras.pair)
    letter = np.where(np.append(True, station[1:] != station[:-1]), "A", "B")
    return pd.DataFrame(
        {
            "deployment": [f"{names[k]}{side}-2024" for k, side in zip(station, letter, strict=True)],
            "station": names[station],
            "camera": [f"{names[k]}{side}" for k, side in zip(station, letter, strict=True)],
            "start": START + cameras.start[station].astype("timedelta64[s]"),
            "end": START + cameras.end[station].astype("timedelta64[s]"),
        }
    )


def _failures(names: NDArray[np.object_], cameras: Cameras) -> pd.DataFrame:
    for_good = cameras.off_end == cameras.end[cameras.off_station] // 60 * 60
    return pd.DataFrame(
        {
            "station": names[cameras.off_station],
            "start": START + cameras.off_start.astype("timedelta64[s]"),
            "end": START + cameras.off_end.astype("timedelta64[s]"),
            "reason": np.where(for_good, "found dead when it was taken down", "under snow"),
        }
    ).sort_values(["station", "start"], ignore_index=True)


def _truth(animals: pd.DataFrame, families: dict[str, tuple[str, ...]]) -> AmurTruth:
    centre = to_metres(animals[["x", "y"]].to_numpy())
    return AmurTruth(
        N=N_ANIMALS,
        individuals=animals.assign(x=centre[:, 0], y=centre[:, 1]),
        lambda0=MappingProxyType({sex: rate / 7 for sex, rate in LAMBDA0_WEEK.items()}),
        lambda0_week=LAMBDA0_WEEK,
        sigma=MappingProxyType({sex: 1000 * sigma for sex, sigma in SIGMA_KM.items()}),
        pmix=MappingProxyType({"F": SHARE_FEMALE, "M": 1 - SHARE_FEMALE}),
        density=MappingProxyType({"snow": SNOW_EFFECT / 6, "border_distance": CHINA_EFFECT}),
        area=len(mask_cells()) * CELL**2,
        families=MappingProxyType(families),
    )
