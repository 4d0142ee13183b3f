"""What every survey holds: its tables, brought into one form, which nothing can change; events and covariates."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any, Literal, Self

import pandas as pd

from leopardpop.data import survey_text
from leopardpop.data.event_table import make_events
from leopardpop.data.occasions import Clock
from leopardpop.data.offsets import offsets, shared_offset
from leopardpop.data.projections import check_metres
from leopardpop.data.station_covariates import add_covariates
from leopardpop.data.survey_tables import (
    clean_audit,
    clean_deployments,
    clean_failures,
    clean_records,
    clean_stations,
)
from leopardpop.data.tables import TableSource
from leopardpop.data.young import YOUNG

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
        notes: Sequence[str] = (),
    ) -> None:
        shared = shared_offset(_times(deployments, records, failures)) if tz is None else None
        clock = Clock(tz or shared)
        places = clean_stations(stations, crs)
        cameras = clean_deployments(deployments, places["station"], clock)
        at = dict(zip(cameras["deployment"], offsets(deployments["start"]), strict=True))
        seen = clean_records(records, places["station"], cameras, clock, at)
        self.__dict__.update(
            _stations=places,
            _deployments=cameras,
            _records=seen,
            _failures=clean_failures(failures, cameras, clock, at),
            _audit=clean_audit(audit, seen, records),
            crs=check_metres(crs),
            clock=clock,
            layers=layers,
            truth=truth,
            notes=(*notes, *([] if shared is None else [f"All times carry one offset: their clock is {shared}."])),
        )

    crs: str | None
    clock: Clock
    layers: Mapping[str, Any] | None
    truth: Any
    notes: tuple[str, ...]
    _stations: pd.DataFrame
    _deployments: pd.DataFrame
    _records: pd.DataFrame
    _failures: pd.DataFrame
    _audit: pd.DataFrame

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"A survey is immutable: {name!r} cannot be set. Make another Survey from its tables.")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"A survey is immutable: {name!r} cannot be deleted.")

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self  # nothing can change it, so it is its own copy

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

    def _with_stations(self, stations: pd.DataFrame) -> Self:
        """Return the same survey with other columns of covariates; stations are the same."""
        other = object.__new__(type(self))
        other.__dict__.update(self.__dict__ | {"_stations": stations})
        return other

    def events(
        self,
        *,
        species: str | Sequence[str] | Mapping[str, str | Sequence[str]] | None = None,
        independence: Any = "30min",
        by: str | Sequence[str] = ("station", "species", "individual"),
        rule: Literal["last_record", "last_independent"] = "last_record",
        young: Sequence[str] = YOUNG,
    ) -> pd.DataFrame:
        """Group records that are close in time into independent events.

        Parameters
        ----------
        species
            Name, or several; or label -> the names that stand for one species, which events then have as their
            species. None: all records.
        independence
            A record less than this after another one belongs to its event: "30min", "1h"; None: each on its own.
        by
            Columns of records in which the records of an event agree; what is unknown agrees with what is unknown.
        rule
            Whether `independence` is counted from the record before ("last_record": an animal that rests in front of
            a camera is one event) or from the first record of the event ("last_independent").
        young
            Life stages of young.

        Returns
        -------
        pandas.DataFrame
            One row an event, in order of time: event (from 1), the columns of `by`, start, end (times of the first and
            last record), n_records; flank ("both" if its records show both), sex and life_stage if all that are known
            agree; group_size and n_young, the smallest numbers of animals that the records allow; with_young, whether
            young of the species were recorded in the same event at the station; source and line of the first record.

        Raises
        ------
        DataError
            If a column, a length of time or a rule is unknown.

        Examples
        --------
        >>> import leopardpop as lp
        >>> survey = lp.load_example("amur_leopard", seed=1)
        >>> events = survey.events(species="Panthera pardus", by=["station"], independence="1h")
        >>> int(events["n_records"].sum()) == int((survey.records["species"] == "Panthera pardus").sum())
        True
        """
        return make_events(self._records, self.clock, species, independence, by, rule, young)

    def with_covariates(
        self, table: TableSource | None = None, *, missing: Literal["raise", "keep"] = "raise", **covariates: Any
    ) -> Self:
        """Add covariates of stations, or replace those of the same name.

        Parameters
        ----------
        table
            A table or path with a column ``station``; every other column is a covariate.
        missing
            What to do about stations without a value: "raise", or "keep" them as missing.
        **covariates
            Name = path of a raster (the pixel at the station; needs ``pip install "leopardpop[raster]"``), function of
            x and y (arrays in metres), array or Series of one value a station, or layer of polygons (path,
            GeoDataFrame: the column of that name in the first polygon over the station; a plain polygon: 1 inside, 0
            outside).

        Returns
        -------
        Survey
            Its histories have the covariates.

        Raises
        ------
        DataError
            If a value is missing, a station is unknown, or a source cannot be read.

        Examples
        --------
        >>> import leopardpop as lp
        >>> survey = lp.load_example("amur_leopard", seed=1).with_covariates(east=lambda x, y: x / 1000)
        >>> bool((survey.stations["east"] == survey.stations["x"] / 1000).all())
        True
        """
        return self._with_stations(add_covariates(self.stations, self.crs, table, covariates, missing))

    def to_camtrap_dp(self, folder: str | PathLike[str], *, metadata: Mapping[str, Any] | None = None) -> Path:
        """Write the survey as a Camtrap DP 1.0.2; :func:`leopardpop.read_camtrap_dp` gives the same survey back.

        Records are observations at event level. Failures, exact places in metres and covariates of stations, for which
        the format has no place, are the further resources "failures" and "stations"; flanks are tags (``flank:left``),
        and so is whatever fits no field (``leopardpop.score:2.5``). Layers and truth are not written. Positions are
        exact: round them before you publish the package.

        The format has no times without an offset. Those of a survey without a zone are written with ``+00:00``, as a
        warning and the description of the package say; reading it here gives times without a zone again.

        Parameters
        ----------
        folder
            Where to write; made if it does not exist, files of an earlier package are replaced.
        metadata
            Properties of ``datapackage.json`` to add or replace: title, contributors, licenses, project ...

        Returns
        -------
        pathlib.Path
            The folder.

        Raises
        ------
        DataError
            If the survey has no coordinate reference system, or a station with records has no deployment.

        Warns
        -----
        DataWarning
            If the offset of the cameras' clocks is not known.

        References
        ----------
        Bubnicki, J. W., et al. (2024) Camtrap DP: an open standard for the FAIR exchange and archiving of camera trap
        data. Remote Sensing in Ecology and Conservation 10, 283-295. https://doi.org/10.1002/rse2.374

        Examples
        --------
        >>> from tempfile import TemporaryDirectory
        >>> import leopardpop as lp
        >>> with TemporaryDirectory() as folder:
        ...     written = lp.load_example("amur_leopard", seed=1).to_camtrap_dp(folder)
        ...     sorted(file.name for file in written.iterdir())
        ['datapackage.json', 'deployments.csv', 'failures.csv', 'media.csv', 'observations.csv', 'stations.csv']
        """
        from leopardpop.data.camtrap_dp_export import write_camtrap_dp

        return write_camtrap_dp(self, Path(folder), metadata)

    def __repr__(self) -> str:
        return survey_text.text(self)

    def _repr_html_(self) -> str:
        return survey_text.html(self)


def _times(*tables: pd.DataFrame | None) -> Iterator[pd.Series[Any]]:
    """All columns of times that tables have."""
    for table in tables:
        if table is not None and len(table):
            yield from (table[name] for name in ("start", "end", "timestamp") if name in table)
