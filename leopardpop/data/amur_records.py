"""Images of the synthetic Amur leopard survey: flanks, labels, cubs, and other species."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

__all__ = ["Passes", "leopard_records", "other_records"]

Rows = NDArray[np.intp]

LEOPARD = "Panthera pardus"
BOTH_FLANKS = 0.72
"""Share of passes in front of two cameras that show both flanks."""
WITH_CUBS = 0.40
"""Share of passes of a breeding female in which her cubs are seen."""
UNKNOWN_STAGE = 0.08
OTHER_SPECIES: Mapping[str, int] = MappingProxyType(
    {
        "Cervus nippon": 260,
        "Capreolus pygargus": 150,
        "Sus scrofa": 90,
        "Panthera tigris": 60,
        "Prionailurus bengalensis": 45,
        "Meles leucurus": 40,
    }
)
"""Expected number of images of the other species."""


@dataclass(frozen=True)
class Passes:
    """Passes of leopards in order of time: animal, station, seconds since the start, each (m,)."""

    animal: Rows
    station: Rows
    seconds: NDArray[np.int64]


class Running(Protocol):
    """When stations were on."""

    @property
    def start(self) -> NDArray[np.int64]:
        """Seconds, (K,)."""

    @property
    def end(self) -> NDArray[np.int64]:
        """Seconds, (K,)."""

    @property
    def pair(self) -> NDArray[np.bool_]:
        """Whether there are two cameras, (K,)."""

    def on(self, station: Rows, seconds: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Whether each station was on at a time."""


def leopard_records(
    rng: np.random.Generator,
    animals: pd.DataFrame,
    passes: Passes,
    names: NDArray[np.object_],
    pair: NDArray[np.bool_],
) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, tuple[str, ...]]]:
    """Photograph the passes.

    Parameters
    ----------
    rng
        Source of chance; the same draws are made whether a station has one camera or two.
    animals
        One row an animal: animal, sex, breeding.
    passes
        The passes in front of cameras that were on.
    names
        Station labels, (K,).
    pair
        Whether a station has two cameras, (K,).

    Returns
    -------
    records, animals, families
        Images in order of time (timestamp in seconds); animals with their labels; breeding female -> labels of cubs.
    """
    flank = _flanks(rng, pair[passes.station])
    animals = _labels(animals, passes, flank)
    label = _label_of_pass(animals, passes, flank)
    sex = animals["sex"].to_numpy()[passes.animal]
    stage = np.array(["adult", None], dtype=object)[(rng.random(len(flank)) < UNKNOWN_STAGE).astype(int)]
    image, camera, delay = _images(rng, flank)
    side = np.where(pair[passes.station[image]], camera, 0)
    adults = pd.DataFrame(
        {
            "timestamp": passes.seconds[image] + delay,
            "station": names[passes.station[image]],
            "camera": _camera(names, passes.station[image], side),
            "species": LEOPARD,
            "individual": label[image],
            "sex": sex[image],
            "life_stage": stage[image],
            "flank": flank[image],
        }
    )
    cubs, families = _cubs(rng, animals, passes, names)
    return pd.concat([adults, cubs], ignore_index=True), animals, families


def _flanks(rng: np.random.Generator, pair: NDArray[np.bool_]) -> NDArray[np.object_]:
    """Which flanks each pass shows."""
    both = (rng.random(len(pair)) < BOTH_FLANKS) & pair
    one = np.where(rng.random(len(pair)) < 0.5, "left", "right")
    return np.where(both, "both", one).astype(object)


def _labels(animals: pd.DataFrame, passes: Passes, flank: NDArray[np.object_]) -> pd.DataFrame:
    """Name animals as a field team does: F01, M01 ... where both flanks are known; else L01 and R01, never linked."""
    seen = pd.DataFrame({"animal": passes.animal, "flank": flank})
    whole = seen.loc[seen["flank"] == "both", "animal"].unique()
    names = {column: np.full(len(animals), None, dtype=object) for column in ("label", "left_label", "right_label")}
    first = seen["animal"].drop_duplicates().to_numpy()
    counts = dict.fromkeys("FMLR", 0)

    def name(letter: str) -> str:
        counts[letter] += 1
        return f"{letter}{counts[letter]:02d}"

    for animal in first[np.isin(first, whole)]:
        names["label"][animal] = name(str(animals["sex"][animal]))
    for animal, side in seen[~seen["animal"].isin(whole)].drop_duplicates().to_numpy():
        names[f"{side}_label"][animal] = name(side[0].upper())
    return animals.assign(**{column: pd.Series(values, dtype=object) for column, values in names.items()})


def _label_of_pass(animals: pd.DataFrame, passes: Passes, flank: NDArray[np.object_]) -> NDArray[np.object_]:
    table = animals.iloc[passes.animal]
    one = np.where(flank == "left", table["left_label"], table["right_label"])
    return np.where(table["label"].notna(), table["label"], one).astype(object)


def _images(rng: np.random.Generator, flank: NDArray[np.object_]) -> tuple[Rows, Rows, NDArray[np.int64]]:
    """Images of the passes: which pass, which camera (0 or 1), how many seconds after the animal came."""
    n = len(flank)
    per_camera = 1 + rng.poisson(0.5, (n, 2))
    only = rng.integers(0, 2, n)
    single = flank != "both"
    per_camera[single, 1 - only[single]] = 0
    number, camera = np.indices(per_camera.shape)
    image = number.ravel().repeat(per_camera.ravel())
    side = camera.ravel().repeat(per_camera.ravel())
    order = pd.Series(image).groupby(image).cumcount().to_numpy()
    return image.astype(np.intp), side.astype(np.intp), 2 * order.astype(np.int64)


def _camera(names: NDArray[np.object_], station: Rows, side: Rows) -> NDArray[np.object_]:
    letters = np.array(["A", "B"], dtype=object)[side]
    return np.asarray(names[station] + letters, dtype=object)


def _cubs(
    rng: np.random.Generator, animals: pd.DataFrame, passes: Passes, names: NDArray[np.object_]
) -> tuple[pd.DataFrame, dict[str, tuple[str, ...]]]:
    """Cubs beside their mother: one image of each cub that is in the picture."""
    litter = rng.integers(1, 4, len(animals))
    mother = animals["breeding"].to_numpy()[passes.animal]
    seen = np.flatnonzero(mother & (rng.random(len(mother)) < WITH_CUBS))
    shown = np.minimum(litter[passes.animal[seen]], rng.integers(1, 4, len(seen)))
    row = seen.repeat(shown)
    number = pd.Series(row).groupby(row).cumcount().to_numpy() + 1
    name = animals["animal"].to_numpy()[passes.animal[row]]
    cub = np.array([f"C{mother[1:]}-{k}" for mother, k in zip(name, number, strict=True)], dtype=object)
    table = pd.DataFrame(
        {
            "timestamp": passes.seconds[row] + 3 + number,
            "station": names[passes.station[row]],
            "camera": _camera(names, passes.station[row], np.zeros(len(row), dtype=np.intp)),
            "species": LEOPARD,
            "individual": cub,
            "sex": None,
            "life_stage": "juvenile",
            "flank": None,
        }
    )
    families = {mother: tuple(sorted(set(cub[name == mother]))) for mother in dict.fromkeys(name)}
    return table, families


def other_records(rng: np.random.Generator, names: NDArray[np.object_], cameras: Running) -> pd.DataFrame:
    """Images of other species at random places and times."""
    species = np.array(list(OTHER_SPECIES), dtype=object)
    kind = np.arange(len(species)).repeat(rng.poisson(list(OTHER_SPECIES.values())))
    station = rng.integers(0, len(names), len(kind))
    share = rng.random(len(kind))
    seconds = cameras.start[station] + (share * (cameras.end - cameras.start)[station]).astype(np.int64)
    side = np.where(cameras.pair[station], rng.integers(0, 2, len(kind)), 0)
    table = pd.DataFrame(
        {
            "timestamp": seconds,
            "station": names[station],
            "camera": _camera(names, station, side),
            "species": species[kind],
            "individual": None,
            "sex": None,
            "life_stage": None,
            "flank": None,
        }
    )
    return table[cameras.on(station, seconds)]
