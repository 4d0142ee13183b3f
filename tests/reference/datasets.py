"""Real surveys from the shared folder, as plain records for the naive code and as library objects.

The data stay where they are: only the tests read them.
"""

from __future__ import annotations

import json
import warnings
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from tests.reference.scr import PlainSession

if TYPE_CHECKING:
    import leopardpop as lp

KM2_PER_HA = 0.01


@dataclass
class PlainSurvey:
    """Sessions of one survey, and what kind of detector made them."""

    sessions: list[PlainSession]
    detector: str
    effort_unit: str = "occasion"

    def known(self, covariate: str) -> list[list[str | None]]:
        """Class of every animal by session; None where it is missing."""
        return [
            [None if pd.isna(value) else str(value) for value in session.animal_covariates[covariate]]
            for session in self.sessions
        ]


# --- to the library ----------------------------------------------------------------------------------


def library_history(survey: PlainSurvey) -> lp.CaptureHistory:
    """The same survey as the library takes it: four tables."""
    import leopardpop as lp
    from leopardpop.errors import DataWarning

    captures = captures_table(survey)
    with warnings.catch_warnings():
        # The small surveys have such a station on purpose; that the library says so is tested with the data.
        warnings.filterwarnings("ignore", message=".*never on", category=DataWarning)
        return lp.CaptureHistory.from_tables(
            captures if len(captures) else None,
            stations_table(survey),
            effort_table(survey),
            individuals_table(survey) if len(captures) else None,
            detector=survey.detector,
            occasions=occasions_table(survey),
            effort_unit=survey.effort_unit,
            crs="local",
        )


def captures_table(survey: PlainSurvey) -> pd.DataFrame:
    rows = [
        (session.label, session.animals[i], str(s + 1), session.stations[k], y, int(died(session, i, s)))
        for session in survey.sessions
        for i, k, s, y in session.detections
    ]
    return pd.DataFrame(rows, columns=["session", "individual", "occasion", "station", "count", "died"])


def died(session: PlainSession, animal: int, occasion: int) -> bool:
    return occasion == session.exposure[animal] - 1 < session.effort.shape[1] - 1


def stations_table(survey: PlainSurvey) -> pd.DataFrame:
    tables = []
    for session in survey.sessions:
        table = pd.DataFrame({"session": session.label, "station": session.stations})
        table["x"], table["y"] = session.xy[:, 0], session.xy[:, 1]
        tables.append(table.assign(**session.station_covariates))
    return pd.concat(tables, ignore_index=True)


def effort_table(survey: PlainSurvey) -> pd.DataFrame:
    """Wide, or long where something varies by station and occasion."""
    if any(session.visit_covariates for session in survey.sessions):
        return long_effort_table(survey)
    tables = []
    for session in survey.sessions:
        by_occasion = {str(s + 1): session.effort[:, s] for s in range(session.effort.shape[1])}
        tables.append(pd.DataFrame({"session": session.label, "station": session.stations, **by_occasion}))
    return pd.concat(tables, ignore_index=True)


def long_effort_table(survey: PlainSurvey) -> pd.DataFrame:
    rows = [
        {"session": session.label, "station": station, "occasion": s + 1, "effort": session.effort[k, s]}
        | {name: values[k][s] for name, values in session.visit_covariates.items()}
        for session in survey.sessions
        for k, station in enumerate(session.stations)
        for s in range(session.effort.shape[1])
    ]
    return pd.DataFrame(rows)


def occasions_table(survey: PlainSurvey) -> pd.DataFrame | None:
    """Covariates of the occasions, if there are any."""
    if not any(session.occasion_covariates for session in survey.sessions):
        return None
    tables = [
        pd.DataFrame({"session": session.label, "occasion": range(1, session.effort.shape[1] + 1)}).assign(
            **session.occasion_covariates
        )
        for session in survey.sessions
    ]
    return pd.concat(tables, ignore_index=True)


def individuals_table(survey: PlainSurvey) -> pd.DataFrame:
    tables = []
    for session in survey.sessions:
        table = pd.DataFrame({"session": session.label, "individual": session.animals})
        tables.append(table.assign(**session.animal_covariates))
    return pd.concat(tables, ignore_index=True)


def library_masks(survey: PlainSurvey) -> lp.Mask | dict[str, lp.Mask]:
    """One mask if all sessions share it, else one by session."""
    import leopardpop as lp

    first, *rest = [mask_table(session) for session in survey.sessions]
    if all(first.equals(table) for table in rest):
        return lp.Mask.from_table(first)
    return {session.label: lp.Mask.from_table(mask_table(session)) for session in survey.sessions}


def mask_table(session: PlainSession) -> pd.DataFrame:
    table = pd.DataFrame({"x": session.cells[:, 0], "y": session.cells[:, 1], "area": session.area})
    return table.assign(**session.cell_covariates)


# --- from the shared folder --------------------------------------------------------------------------


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
    seen = captures.groupby(["ID", "trapID"]).size()  # one row a detection: they add up
    return PlainSession(
        label=label,
        animals=animals,
        stations=stations,
        xy=traps[["x", "y"]].to_numpy(dtype=float),
        effort=traps[["Effort"]].to_numpy(dtype=float),
        detections=[(animals.index(i), stations.index(k), 0, int(y)) for (i, k), y in seen.items()],
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
