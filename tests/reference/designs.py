"""Small surveys of every shape: random, but the same each time."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tests.reference.datasets import PlainSurvey
from tests.reference.scr import PlainSession

LAYOUTS = ("one session", "two sessions", "an empty session", "one animal", "no captures")
CLASSES = ("none", "known", "partly known")


@dataclass(frozen=True, kw_only=True)
class Design:
    """What varies between the small surveys."""

    detector: str
    layout: str = "one session"
    mask: str = "lattice"
    """``lattice`` (regular, with holes) or ``irregular`` (random points, unequal areas)."""
    effort: str = "one"
    """``one`` or ``varying`` (by station and occasion; some off, a station never on)."""
    removal: bool = False
    sex: str = "none"
    """``none``, ``known`` or ``partly known``."""

    @property
    def possible(self) -> bool:
        """Two classes need two animals, a removal one; a list of sexes needs both."""
        few = self.layout in ("one animal", "no captures")
        return not (few and self.sex != "none") and not (self.layout == "no captures" and self.removal)

    def __str__(self) -> str:
        removal = "removal" if self.removal else "no removal"
        return f"{self.detector}, {self.layout}, {self.mask}, effort {self.effort}, {removal}, sex {self.sex}"


def make_survey(design: Design) -> PlainSurvey:
    """Draw the survey that belongs to a design."""
    rng = np.random.default_rng(zlib.crc32(str(design).encode()))
    shapes = {
        "one session": [(5, 3, 6)],
        "two sessions": [(5, 3, 6), (4, 2, 5)],
        "an empty session": [(5, 3, 6), (4, 2, 0)],
        "one animal": [(5, 3, 1)],
        "no captures": [(5, 3, 0)],
    }[design.layout]
    sessions = [_session(rng, design, str(2021 + i), *shape) for i, shape in enumerate(shapes)]
    return PlainSurvey(sessions, design.detector, "day")


def _session(
    rng: np.random.Generator, design: Design, label: str, n_stations: int, n_occasions: int, n_animals: int
) -> PlainSession:
    xy = rng.uniform(1500.0, 6500.0, size=(n_stations, 2))
    effort = _effort(rng, design, n_stations, n_occasions)
    cells, area = _mask(rng, design)
    session = PlainSession(
        label=label,
        animals=[f"A{i + 1}" for i in range(n_animals)],
        stations=[f"S{k + 1}" for k in range(n_stations)],
        xy=xy,
        effort=effort,
        detections=_detections(rng, design.detector, effort, n_animals),
        cells=cells,
        area=area,
        animal_covariates=_sexes(design.sex, n_animals),
        station_covariates={
            "lure": [("no", "yes")[k % 2] for k in range(n_stations)],
            "canopy": list(rng.uniform(0.0, 90.0, n_stations)),
            "year": [int(label) - 2021] * n_stations,
        },
        cell_covariates={"snow": rng.gamma(2.0, 10.0, len(cells))},
    )
    if design.removal and n_animals:
        _remove_one(session)
    return session


def _effort(rng: np.random.Generator, design: Design, n_stations: int, n_occasions: int) -> NDArray[np.float64]:
    if design.effort == "one":
        return np.ones((n_stations, n_occasions))
    effort = np.round(rng.uniform(0.5, 7.0, size=(n_stations, n_occasions)), 1)
    effort[rng.integers(n_stations), rng.integers(n_occasions)] = 0.0
    effort[n_stations - 1] = 0.0  # never on
    return effort


def _mask(rng: np.random.Generator, design: Design) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    if design.mask == "irregular":
        return rng.uniform(0.0, 8000.0, size=(40, 2)), rng.uniform(0.5, 1.5, 40)
    x, y = np.meshgrid(np.arange(500.0, 8000.0, 1000.0), np.arange(500.0, 7000.0, 1000.0))
    cells = np.column_stack([x.ravel(), y.ravel()])
    kept = np.sort(rng.choice(len(cells), size=len(cells) - 6, replace=False))
    return cells[kept], np.ones(len(kept))


def _detections(
    rng: np.random.Generator, detector: str, effort: NDArray[np.float64], n_animals: int
) -> list[tuple[int, int, int, int]]:
    """Every animal at least once, mostly at two stations; never where a station is off."""
    on = [(k, s) for s in range(effort.shape[1]) for k in range(effort.shape[0]) if effort[k, s] > 0]
    rows: list[tuple[int, int, int, int]] = []
    for animal in range(n_animals):
        number = 1 if animal == 1 else int(rng.integers(2, 5))
        chosen = [on[int(j)] for j in sorted(rng.choice(len(on), size=min(number, len(on)), replace=False))]
        if detector == "multi":  # one station an occasion
            chosen = [(k, s) for s, k in {s: k for k, s in chosen}.items()]
        rows += [(animal, k, s, int(rng.integers(1, 4)) if detector == "count" else 1) for k, s in chosen]
    return rows


def _sexes(sex: str, n_animals: int) -> dict[str, list[object]]:
    if sex == "none":
        return {}
    values: list[object] = [("F", "M", "M")[i % 3] for i in range(n_animals)]
    if sex == "partly known":
        values[2::3] = [None] * len(values[2::3])
    return {"sex": values}


def _remove_one(session: PlainSession) -> None:
    """The first animal dies on the last occasion but one."""
    last = session.effort.shape[1] - 2
    on = next(k for k, effort in enumerate(session.effort[:, last]) if effort > 0)
    own = [row for row in session.detections if row[0] == 0 and row[2] < last]
    session.detections = [*own, (0, on, last, 1), *(row for row in session.detections if row[0] != 0)]
    session.exposure[0] = last + 1


# --- larger ones --------------------------------------------------------------------------------------

EFFORTS = ("one", "days", "large", "fraction", "by station")


def make_large_survey(rng: np.random.Generator, detector: str, effort: str, sex: str, removal: bool) -> PlainSurvey:
    """Twelve stations, eight occasions, up to fourteen animals that keep to their neighbourhood, 180 cells."""
    n_stations, n_occasions, n_animals = 12, 8, 14
    xy = rng.uniform(3000.0, 12_000.0, (n_stations, 2))
    lines = np.arange(500.0, 15_000.0, 1000.0)
    cells = np.array([(x, y) for y in lines for x in lines if rng.random() < 0.8])
    worked = _large_effort(rng, effort, n_stations, n_occasions)
    rows: list[tuple[int, int, int, int]] = []
    for animal in range(n_animals):
        near = np.argsort(((xy - cells[rng.integers(len(cells))]) ** 2).sum(axis=1))[:4]
        for s in range(n_occasions):
            chosen = rng.permutation(near)[: rng.integers(0, 2 if detector == "multi" else 3)]
            rows += [
                (animal, int(k), s, int(rng.integers(1, 5)) if detector == "count" else 1)
                for k in chosen
                if worked[k, s] > 0
            ]
    seen = sorted({row[0] for row in rows})
    session = PlainSession(
        label="1",
        animals=[f"A{i}" for i in seen],
        stations=[f"S{k}" for k in range(n_stations)],
        xy=xy,
        effort=worked,
        detections=[(seen.index(i), k, s, y) for i, k, s, y in rows],
        cells=cells,
        area=np.ones(len(cells)),
        animal_covariates=_sexes(sex, len(seen)),
        station_covariates={"lure": ["no", "yes"] * (n_stations // 2), "canopy": list(rng.uniform(0, 90, n_stations))},
        cell_covariates={"snow": rng.normal(size=len(cells))},
    )
    if removal:
        session.exposure[0] = 1 + max(s for i, _, s, _ in session.detections if i == 0)
    return PlainSurvey([session], detector, "day")


def _large_effort(rng: np.random.Generator, effort: str, n_stations: int, n_occasions: int) -> NDArray[np.float64]:
    shape = (n_stations, n_occasions)
    return {
        "one": lambda: np.ones(shape),
        "days": lambda: rng.integers(0, 31, shape).astype(float),
        "large": lambda: rng.uniform(200.0, 1000.0, shape),
        "fraction": lambda: rng.uniform(0.01, 1.0, shape),
        "by station": lambda: np.repeat(rng.uniform(1.0, 14.0, (n_stations, 1)), n_occasions, axis=1),
    }[effort]()
