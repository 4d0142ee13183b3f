"""Surveys as plain lists, and the library's objects of them.

Published data come in other people's tables. They are read into what a field worker would write down; from there the
library's history is made, and in the tests a second, slow likelihood.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leopardpop.data.history import CaptureHistory
from leopardpop.data.mask import Mask
from leopardpop.errors import DataWarning

__all__ = ["PlainSession", "PlainSurvey", "library_history", "library_masks"]

type Floats = NDArray[np.float64]


@dataclass
class PlainSession:
    """One session as a field worker would write it down; indices count from 0."""

    label: str
    animals: list[str]
    stations: list[str]
    xy: Floats
    """Stations in metres, (K, 2)."""
    effort: Floats
    """(K, S); 0 = off."""
    detections: list[tuple[int, int, int, int]]
    """(animal, station, occasion, count)."""
    cells: Floats
    """Cell centres in metres, (J, 2)."""
    area: Floats
    """Area of each cell in km2, (J,)."""
    exposure: list[int] = field(default_factory=list)
    """Occasions that each animal lived through; empty means all."""
    animal_covariates: dict[str, list[Any]] = field(default_factory=dict)
    station_covariates: dict[str, list[Any]] = field(default_factory=dict)
    cell_covariates: dict[str, Floats] = field(default_factory=dict)
    occasion_covariates: dict[str, list[Any]] = field(default_factory=dict)
    """By occasion, S each."""
    visit_covariates: dict[str, list[list[Any]]] = field(default_factory=dict)
    """By station and occasion, K lists of S; None where nobody knows."""
    distances: Floats | None = None
    """Metres between stations and cells, (K, J), where they are not those of straight lines."""

    def __post_init__(self) -> None:
        if not self.exposure:
            self.exposure = [self.effort.shape[1]] * len(self.animals)

    def history(self, animal: int) -> dict[tuple[int, int], int]:
        """Detections of one animal: (station, occasion) -> count."""
        return {(k, s): y for i, k, s, y in self.detections if i == animal}


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


def library_history(survey: PlainSurvey) -> CaptureHistory:
    """The same survey as the library takes it: four tables."""
    captures = _captures(survey)
    with warnings.catch_warnings():
        # The small surveys have such a station on purpose; that the library says so is tested with the data.
        warnings.filterwarnings("ignore", message=".*never on", category=DataWarning)
        return CaptureHistory.from_tables(
            captures if len(captures) else None,
            _stations(survey),
            _effort(survey),
            _individuals(survey) if len(captures) else None,
            detector=survey.detector,
            occasions=_occasions(survey),
            effort_unit=survey.effort_unit,
            crs="local",
        )


def _captures(survey: PlainSurvey) -> pd.DataFrame:
    rows = [
        (session.label, session.animals[i], str(s + 1), session.stations[k], y, int(_died(session, i, s)))
        for session in survey.sessions
        for i, k, s, y in session.detections
    ]
    return pd.DataFrame(rows, columns=["session", "individual", "occasion", "station", "count", "died"])


def _died(session: PlainSession, animal: int, occasion: int) -> bool:
    return bool(occasion == session.exposure[animal] - 1 < session.effort.shape[1] - 1)


def _stations(survey: PlainSurvey) -> pd.DataFrame:
    tables = []
    for session in survey.sessions:
        table = pd.DataFrame({"session": session.label, "station": session.stations})
        table["x"], table["y"] = session.xy[:, 0], session.xy[:, 1]
        tables.append(table.assign(**session.station_covariates))
    return pd.concat(tables, ignore_index=True)


def _effort(survey: PlainSurvey) -> pd.DataFrame:
    """Wide, or long where something varies by station and occasion."""
    if any(session.visit_covariates for session in survey.sessions):
        return _long_effort(survey)
    tables = []
    for session in survey.sessions:
        by_occasion = {str(s + 1): session.effort[:, s] for s in range(session.effort.shape[1])}
        tables.append(pd.DataFrame({"session": session.label, "station": session.stations, **by_occasion}))
    return pd.concat(tables, ignore_index=True)


def _long_effort(survey: PlainSurvey) -> pd.DataFrame:
    rows = [
        {"session": session.label, "station": station, "occasion": s + 1, "effort": session.effort[k, s]}
        | {name: values[k][s] for name, values in session.visit_covariates.items()}
        for session in survey.sessions
        for k, station in enumerate(session.stations)
        for s in range(session.effort.shape[1])
    ]
    return pd.DataFrame(rows)


def _occasions(survey: PlainSurvey) -> pd.DataFrame | None:
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


def _individuals(survey: PlainSurvey) -> pd.DataFrame:
    tables = []
    for session in survey.sessions:
        table = pd.DataFrame({"session": session.label, "individual": session.animals})
        tables.append(table.assign(**session.animal_covariates))
    return pd.concat(tables, ignore_index=True)


def library_masks(survey: PlainSurvey) -> Mask | dict[str, Mask]:
    """One mask if all sessions share it, else one by session."""
    first, *rest = [_cells(session) for session in survey.sessions]
    if all(first.equals(table) for table in rest):
        return Mask.from_table(first)
    return {session.label: Mask.from_table(_cells(session)) for session in survey.sessions}


def _cells(session: PlainSession) -> pd.DataFrame:
    table = pd.DataFrame({"x": session.cells[:, 0], "y": session.cells[:, 1], "area": session.area})
    return table.assign(**session.cell_covariates)
