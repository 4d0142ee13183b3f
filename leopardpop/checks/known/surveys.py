"""Readers of the published surveys: each folder has its own layout, worked out once."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from leopardpop.checks.known.plain import PlainSession, PlainSurvey

__all__ = ["folder_of", "fort_drum_2km", "load_survey", "read_layout_a", "read_layout_b", "read_snow_leopard"]

KM2_PER_HA = 0.01


def read_layout_a(folder: Path, *, detector: str | None = None) -> PlainSurvey:
    """captures, traps, individuals and mask with a column ``session`` (``*`` = every session)."""
    meta = json.loads((folder / "meta.json").read_text())
    text = {"individual": str, "trap": str, "session": str}
    tables = {
        name: pd.read_csv(folder / f"{name}.csv", dtype=text) for name in ("captures", "traps", "individuals", "mask")
    }
    labels = [meta["sessions"]] if isinstance(meta["sessions"], str) else meta["sessions"]
    sessions = [
        _session_a(label, int(n), {name: _of(table, label) for name, table in tables.items()})
        for label, n in zip(labels, np.broadcast_to(meta["n_occasions"], len(labels)), strict=True)
    ]
    return PlainSurvey(sessions, detector or meta["detector"])


def _of(table: pd.DataFrame, session: str) -> pd.DataFrame:
    return table[table["session"].isin([session, "*"])].reset_index(drop=True)


def _session_a(label: str, n_occasions: int, tables: dict[str, pd.DataFrame]) -> PlainSession:
    captures, traps, animals, mask = tables["captures"], tables["traps"], tables["individuals"], tables["mask"]
    died = captures[captures["died"] == 1]
    last = dict(zip(died["individual"], died["occasion"], strict=True))
    return PlainSession(
        label=label,
        animals=list(animals["individual"]),
        stations=list(traps["trap"]),
        xy=traps[["x", "y"]].to_numpy(dtype=float),
        effort=np.ones((len(traps), n_occasions)),
        detections=_detections(captures, list(animals["individual"]), list(traps["trap"])),
        cells=mask[["x", "y"]].to_numpy(dtype=float),
        area=mask["area_ha"].to_numpy(dtype=float) * KM2_PER_HA,
        exposure=[int(last.get(name, n_occasions)) for name in animals["individual"]],
        animal_covariates={name: list(animals[name]) for name in animals.columns[2:]},
        station_covariates={name.removeprefix("cov_"): list(traps[name]) for name in traps.columns[4:]},
        cell_covariates={name.removeprefix("cov_"): mask[name].to_numpy() for name in mask.columns[4:]},
    )


def _detections(captures: pd.DataFrame, animals: list[str], stations: list[str]) -> list[tuple[int, int, int, int]]:
    columns = zip(captures["individual"], captures["trap"], captures["occasion"], captures["count"], strict=True)
    return [(animals.index(i), stations.index(k), int(s) - 1, int(y)) for i, k, s, y in columns]


def read_layout_b(
    folder: Path, *, detector: str, n_occasions: int, cell_area_ha: float, mask: str = "mask.csv"
) -> PlainSurvey:
    """captures id, occasion, trap, count; traps and mask without sessions; one session, effort 1."""
    captures = pd.read_csv(folder / "captures.csv", dtype={"id": str, "trap": str}).rename(columns={"id": "individual"})
    traps = pd.read_csv(folder / "traps.csv", dtype={"trap": str})
    animals = pd.read_csv(folder / "individuals.csv", dtype={"id": str}).rename(columns={"id": "individual"})
    cells = pd.read_csv(folder / mask)
    names, stations = list(animals["individual"]), list(traps["trap"])
    session = PlainSession(
        label="1",
        animals=names,
        stations=stations,
        xy=traps[["x", "y"]].to_numpy(dtype=float),
        effort=np.ones((len(stations), n_occasions)),
        detections=_detections(captures, names, stations),
        cells=cells[["x", "y"]].to_numpy(dtype=float),
        area=np.full(len(cells), cell_area_ha * KM2_PER_HA),
        animal_covariates={name: list(animals[name]) for name in animals.columns[1:]},
    )
    return PlainSurvey([session], detector)


def read_snow_leopard(folder: Path) -> PlainSurvey:
    """Five surveys, counts, effort in days, one occasion each, 4 km2 cells; the fifth caught nothing."""
    text = {"Session": str, "ID": str, "trapID": str}
    captures = pd.read_csv(folder / "captures.csv", dtype=text)
    traps = pd.read_csv(folder / "traps.csv", dtype=text)
    sessions = [
        _snow_leopard_session(
            label,
            captures[captures["Session"] == label],
            traps[traps["Session"] == label],
            pd.read_csv(folder / f"mask_mask_ms_altrange_{label}.csv"),
        )
        for label in dict.fromkeys(traps["Session"])
    ]
    return PlainSurvey(sessions, "count", "day")


def _snow_leopard_session(label: str, captures: pd.DataFrame, traps: pd.DataFrame, mask: pd.DataFrame) -> PlainSession:
    animals, stations = list(dict.fromkeys(captures["ID"])), list(traps["ID"])
    seen = Counter(zip(captures["ID"], captures["trapID"], strict=True))  # one row a detection: they add up
    return PlainSession(
        label=label,
        animals=animals,
        stations=stations,
        xy=traps[["x", "y"]].to_numpy(dtype=float),
        effort=traps[["Effort"]].to_numpy(dtype=float),
        detections=[(animals.index(i), stations.index(k), 0, y) for (i, k), y in sorted(seen.items())],
        cells=mask[["x", "y"]].to_numpy(dtype=float),
        area=np.full(len(mask), 4.0),
        station_covariates={name: list(traps[name]) for name in ("lure_01", "habitat", "terrain")},
        cell_covariates={name: mask[name].to_numpy() for name in mask.columns[2:]},
    )


def fort_drum_2km(folder: Path) -> PlainSurvey:
    """Fort Drum on the 2 km mask that ships with oSCR (kilometres there)."""
    survey = read_layout_a(folder)
    cells = pd.read_csv(folder / "oscr_ssdf_res2km.csv")[["X", "Y"]].to_numpy(dtype=float) * 1000.0
    sessions = [replace(s, cells=cells, area=np.full(len(cells), 4.0), cell_covariates={}) for s in survey.sessions]
    return replace(survey, sessions=sessions)


def load_survey(shared: Path, name: str) -> PlainSurvey:
    """Read a published survey by name, with the covariates of the published models.

    Parameters
    ----------
    shared
        The folder that holds ``data/``.
    name
        A folder of ``data/``, or one of the variants here: ``"ovenCH, nobody died"`` ...
    """
    return _with_covariates(name, READERS[name][1](shared / "data" / folder_of(name)))


def folder_of(name: str) -> str:
    """Folder of ``data/`` that a survey of :func:`load_survey` is read from."""
    return READERS[name][0]


def _nobody_died(folder: Path) -> PlainSurvey:
    survey = read_layout_a(folder)
    return replace(
        survey, sessions=[replace(s, exposure=[s.effort.shape[1]] * len(s.animals)) for s in survey.sessions]
    )


AS_IT_IS = ("captdata", "stoatCH", "ovenCH", "kruger_leopard", "blackbearCH", "fortdrum_bears", "deermouse_ESG")
READERS: dict[str, tuple[str, Callable[[Path], PlainSurvey]]] = {
    **{name: (name, read_layout_a) for name in AS_IT_IS},
    "stoatCH as proximity": ("stoatCH", partial(read_layout_a, detector="proximity")),
    "ovenCH, nobody died": ("ovenCH", _nobody_died),
    "fortdrum_bears, 2 km": ("fortdrum_bears", fort_drum_2km),
    "snow leopard": ("snow-leopard-workflow-example", read_snow_leopard),
    "secrdemo": (
        "secrdemo",
        partial(read_layout_b, detector="multi", n_occasions=5, cell_area_ha=0.00539306640625),
    ),
    "stoat-dna": ("stoat-dna", partial(read_layout_b, detector="multi", n_occasions=7, cell_area_ha=0.6103515625)),
    "gsm-blackbear": ("gsm-blackbear", partial(read_layout_b, detector="proximity", n_occasions=10, cell_area_ha=25.0)),
}
"""Of each survey its folder, and what reads it."""


def _with_covariates(name: str, survey: PlainSurvey) -> PlainSurvey:
    """The covariates of the published models, worked out as secr does."""
    for number, session in enumerate(survey.sessions):
        if name == "ovenCH":
            session.station_covariates["year"] = [number] * len(session.stations)
        if name == "captdata":
            centred = (session.cells - session.cells.mean(axis=0)) / session.cells.std(axis=0, ddof=1)
            session.cell_covariates.update(east=centred[:, 0], north=centred[:, 1])
        if name == "kruger_leopard":
            session.cell_covariates = {
                "habitat": session.cell_covariates["habitat.cov"],
                "water_km": session.cell_covariates["dist.to.water"] / 1000.0,
            }
            session.station_covariates = {}
    return survey
