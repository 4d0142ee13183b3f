"""What every survey holds: its tables, brought into one form, which nothing can change."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from leopardpop.data import survey_text
from leopardpop.data.occasions import Clock
from leopardpop.data.projections import check_metres
from leopardpop.data.survey_tables import (
    clean_audit,
    clean_deployments,
    clean_failures,
    clean_records,
    clean_stations,
)

__all__ = ["SurveyTables"]


class SurveyTables:
    """The tables of a survey: base of :class:`leopardpop.Survey`, which has the documentation of the parameters."""

    def __init__(
        self,
        *,
        stations: pd.DataFrame,
        deployments: pd.DataFrame,
        records: pd.DataFrame,
        failures: pd.DataFrame | None = None,
        audit: pd.DataFrame | None = None,
        crs: Any = None,
        tz: str | None = None,
        layers: Mapping[str, Any] | None = None,
        truth: Any = None,
    ) -> None:
        clock = Clock(tz)
        places = clean_stations(stations, crs)
        cameras = clean_deployments(deployments, places["station"], clock)
        seen = clean_records(records, places["station"], cameras, clock)
        self.__dict__.update(
            _stations=places,
            _deployments=cameras,
            _records=seen,
            _failures=clean_failures(failures, cameras, clock),
            _audit=clean_audit(audit, seen),
            crs=check_metres(crs),
            clock=clock,
            layers=layers,
            truth=truth,
        )

    crs: str | None
    clock: Clock
    layers: Mapping[str, Any] | None
    truth: Any
    _stations: pd.DataFrame
    _deployments: pd.DataFrame
    _records: pd.DataFrame
    _failures: pd.DataFrame
    _audit: pd.DataFrame

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"A survey is immutable: {name!r} cannot be set. Make another Survey from its tables.")

    @property
    def stations(self) -> pd.DataFrame:
        """One row a station: station, x, y (m) and covariates; a copy."""
        return self._stations.copy()

    @property
    def deployments(self) -> pd.DataFrame:
        """One row a camera and stretch of time: deployment, station, camera, start, end; a copy."""
        return self._deployments.copy()

    @property
    def records(self) -> pd.DataFrame:
        """One row a record: timestamp, station, deployment, camera, species, individual, sex ...; a copy."""
        return self._records.copy()

    @property
    def failures(self) -> pd.DataFrame:
        """Times when cameras were not working: deployment (None: all of the station), station, start, end; a copy."""
        return self._failures.copy()

    @property
    def audit(self) -> pd.DataFrame:
        """What happened to each row that was read: source, line, action (kept, merged, dropped), reason; a copy."""
        return self._audit.copy()

    @property
    def tz(self) -> str | None:
        """Time zone of all times; None: the cameras' own clock."""
        return self.clock.tz

    @property
    def is_synthetic(self) -> bool:
        """Whether the survey was simulated: its truth is known."""
        return self.truth is not None

    def __repr__(self) -> str:
        return survey_text.text(self)

    def _repr_html_(self) -> str:
        return survey_text.html(self)
