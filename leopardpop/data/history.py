"""Capture history: which animal was detected at which station on which occasion, with how much effort."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import xarray as xr

from leopardpop.data.arrays import SessionArrays
from leopardpop.data.build import BuildOptions, Sources, build_sessions, load_occasions, load_tables
from leopardpop.data.dataset import adopt_dataset, join_parts, join_sessions, session_parts
from leopardpop.data.design import AUDIT_COLUMNS
from leopardpop.data.effort_table import unit_name
from leopardpop.data.export import write_secr
from leopardpop.data.fingerprint import history_hash
from leopardpop.data.long import dense_counts, detection_table, effort_table, individual_table, station_table
from leopardpop.data.names import did_you_mean, listed
from leopardpop.data.occasion_labels import OccasionOption
from leopardpop.data.occasion_table import with_occasion_covariates
from leopardpop.data.parts import CheckedParts, SessionParts
from leopardpop.data.projections import check_metres
from leopardpop.data.reprs import history_html, history_text
from leopardpop.data.sexes import with_one_spelling
from leopardpop.data.varying import occasion_table
from leopardpop.errors import DataError

if TYPE_CHECKING:
    from leopardpop.plots.history_plots import HistoryPlots

__all__ = ["CaptureHistory", "history_from_parts"]


class CaptureHistory:
    """Which animal was detected at which station on which occasion, with how much effort.

    A history is validated when it is made and does not change: its arrays are read-only, its tables copies. Make one
    with :meth:`from_tables`, :func:`leopardpop.read_secr` or the ``capture_history`` of a survey.

    Parameters
    ----------
    dataset
        A dataset as in the property of this name.
    audit
        What happened to each record that was not simply kept: columns source, line, action, reason.

    Examples
    --------
    >>> import pandas as pd
    >>> stations = pd.DataFrame({"station": ["A", "B"], "x": [0, 2000], "y": [0, 500]})
    >>> captures = pd.DataFrame({"individual": ["F1", "F1"], "station": ["A", "B"], "occasion": [1, 3]})
    >>> history = CaptureHistory.from_tables(captures, stations, occasions=4)
    >>> history.n_individuals, history.n_detections, history.n_spatial_recaptures
    (1, 2, 1)
    """

    def __init__(self, dataset: xr.Dataset, audit: pd.DataFrame | None = None) -> None:
        self._dataset = adopt_dataset(dataset)
        self._audit = pd.DataFrame(columns=AUDIT_COLUMNS) if audit is None else audit[AUDIT_COLUMNS]
        self._audit = self._audit.reset_index(drop=True)

    @classmethod
    def from_tables(
        cls,
        captures: Sources | None,
        stations: Sources,
        effort: Sources | None = None,
        individuals: Sources | None = None,
        *,
        detector: str = "proximity",
        occasions: OccasionOption | Sources = None,
        effort_unit: str | None = None,
        columns: Mapping[str, Mapping[str, str]] | None = None,
        crs: str | None = None,
        on_zero_effort: str = "raise",
    ) -> CaptureHistory:
        """Make a history from tables: DataFrames or paths, one of each or a dict session -> table.

        Parameters
        ----------
        captures
            Columns individual, station, occasion [, session] [, count] [, died] [, flank]. ``count`` defaults to 1, and
            rows that repeat an animal, station and occasion add up. ``died`` = 1 or yes: the animal left then.
            ``flank``: left, right, both, or blank; a left and a right row of one occasion are no repeat. Or columns
            ``left``, ``right``, ``both``: numbers of records. ``None``: a design, without detections.
        stations
            Columns station, x, y [m] [, session]; every other column is a covariate. Sessions are those of this table,
            in order of appearance, whether something was detected or not.
        effort
            A wide table station [, session] x occasion, or a long one with columns station, occasion, effort, or the
            name of a column of ``stations`` (effort on each occasion; the total if there is one occasion). 0 is off.
            Default 1 everywhere. An occasion that is blank for a whole session is not one of that session. Every
            other column of a long table is a covariate by station and occasion, for formulas of detection.
        individuals
            Columns individual [, session]; every other column (sex, read as F or M; ...) is a covariate.
        detector
            "proximity" (detected or not), "count", or "multi" (at one station at most on each occasion).
        occasions
            How many, or their labels in order, or a dict session -> either. Or a table with columns occasion
            [, session], in order, of which every other column is a covariate by occasion, for formulas of detection.
            Default: the columns of ``effort``, else the largest occasion in ``captures``.
        effort_unit
            Unit of effort, such as "day". Default "occasion".
        columns
            What the files call a column: ``{"captures": {"ID": "individual"}, "stations": {...}}``.
        crs
            Reference system of x and y, projected, in metres: "EPSG:32652". "local": metres with no place on the
            earth, which keeps a tiny simulated array from being taken for degrees.
        on_zero_effort
            What to do with a detection where effort is 0: "raise", "drop" it, or "keep" it and give that station and
            occasion the smallest positive effort of the history. ``audit`` says so.

        Returns
        -------
        CaptureHistory

        Raises
        ------
        DataError
            If the tables contradict themselves or each other; ``offenders`` has the rows.

        Examples
        --------
        >>> stations = pd.DataFrame({"station": ["A", "B"], "x": [0, 2000], "y": [0, 500], "days": [30, 28]})
        >>> captures = pd.DataFrame({"ID": ["F1", "M1"], "station": ["A", "B"], "occasion": 1, "count": [2, 1]})
        >>> history = CaptureHistory.from_tables(
        ...     captures, stations, "days", detector="count", effort_unit="day",
        ...     columns={"captures": {"ID": "individual"}},
        ... )
        >>> history.n_detections, history.effort["effort"].sum().item()
        (3, 58.0)
        """
        wanted, of_occasions = load_occasions(occasions, columns or {})
        options = BuildOptions(detector=detector, occasions=wanted, crs=crs, on_zero_effort=on_zero_effort)
        tables = load_tables(captures, stations, effort, individuals, columns or {})
        parts, audit = build_sessions(tables, options)
        if of_occasions is not None:
            parts = with_occasion_covariates(parts, of_occasions)
        return history_from_parts(
            parts, detector=detector, effort_unit=unit_name(effort_unit), crs=check_metres(crs), audit=audit
        )

    @classmethod
    def from_dataset(cls, dataset: xr.Dataset, audit: pd.DataFrame | None = None) -> CaptureHistory:
        """Make a history from the dataset of another one, e.g. the ``observed_data`` of a saved fit.

        Examples
        --------
        >>> stations = pd.DataFrame({"station": ["A", "B"], "x": [0, 2000], "y": [0, 500]})
        >>> history = CaptureHistory.from_tables(None, stations, occasions=4)
        >>> CaptureHistory.from_dataset(history.dataset) == history
        True
        """
        return cls(dataset, audit)

    @property
    def dataset(self) -> xr.Dataset:
        """The data: dims individual, station, occasion, detection and session; read-only arrays.

        Detections are positions along the dims: ``detection_individual``, ``detection_station``,
        ``detection_occasion``, with ``detection_count`` and, if flanks are known, ``detection_left``, ``_right`` and
        ``_both``. ``effort (station, occasion)`` is NaN after a session's last occasion. Labels of several sessions
        are "session/label"; ``individual_session``, ``animal``, ``station_session`` and ``station_name`` their parts.
        """
        return self._dataset.copy(deep=False)

    @property
    def audit(self) -> pd.DataFrame:
        """What happened to each record that was not simply kept: source, line, action, reason."""
        return self._audit.copy()

    @property
    def detector(self) -> str:
        """Kind of data: "proximity", "count" or "multi"."""
        return str(self._dataset.attrs["detector"])

    @property
    def effort_unit(self) -> str:
        """Unit of effort; lambda0 and g0 are per this unit."""
        return str(self._dataset.attrs["effort_unit"])

    @property
    def crs(self) -> str | None:
        """Coordinate reference system of the stations, ``None`` if it was not said."""
        return self._dataset.attrs["crs"] or None

    @property
    def sessions(self) -> tuple[str, ...]:
        """Session labels, in the order of the station table."""
        return tuple(self._dataset["session"].values.tolist())

    @property
    def occasions(self) -> dict[str, tuple[str, ...]]:
        """Occasion labels of each session."""
        return {session: self._part(session).occasions for session in self.sessions}

    @property
    def n_occasions(self) -> dict[str, int]:
        """Number of occasions of each session."""
        return dict(zip(self.sessions, self._dataset["n_occasions"].values.tolist(), strict=True))

    @property
    def n_stations(self) -> int:
        """Number of stations; one that serves two sessions counts twice."""
        return self._dataset.sizes["station"]

    @property
    def n_individuals(self) -> int:
        """Number of detected animals; one that was detected in two sessions counts twice."""
        return self._dataset.sizes["individual"]

    @property
    def n_detections(self) -> int:
        """Number of detections, counts added up."""
        return int(self._dataset["detection_count"].values.sum())

    @property
    def n_recaptures(self) -> int:
        """Number of detections after the first of each animal."""
        return self.n_detections - self.n_individuals

    @property
    def n_spatial_recaptures(self) -> int:
        """Number of stations after the first of each animal, added up over animals."""
        return int((self._stations_by_animal - 1).sum())

    @property
    def n_multi_station_individuals(self) -> int:
        """Number of animals that were detected at more than one station."""
        return int((self._stations_by_animal > 1).sum())

    @cached_property
    def _stations_by_animal(self) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
        animal, station = (self._dataset[f"detection_{dim}"].values for dim in ("individual", "station"))
        pairs = np.unique(animal * self.n_stations + station)
        return np.bincount(pairs // self.n_stations, minlength=self.n_individuals)

    @cached_property
    def data_hash(self) -> str:
        """SHA-256 of the content, whatever the order of rows."""
        return history_hash(self._dataset)

    @property
    def individuals(self) -> pd.DataFrame:
        """One row an animal: session, individual and covariates."""
        return individual_table(self._dataset)

    @property
    def stations(self) -> pd.DataFrame:
        """One row a station: session, station, x, y [m] and covariates."""
        return station_table(self._dataset)

    @property
    def detections(self) -> pd.DataFrame:
        """One row an animal x station x occasion: session ... count, died; left, right, both if flanks are known."""
        return detection_table(self._dataset)

    @property
    def effort(self) -> pd.DataFrame:
        """One row a station x occasion: session, station, occasion, effort in ``effort_unit`` (0 = off), covariates."""
        return effort_table(self._dataset)

    @property
    def occasion_covariates(self) -> pd.DataFrame:
        """One row an occasion: session, occasion and covariates."""
        return occasion_table(self._dataset)

    def to_array(self, session: str | None = None) -> xr.DataArray:
        """Return the counts of one session as a dense array.

        Parameters
        ----------
        session
            Label of the session; not needed if there is one.

        Returns
        -------
        xarray.DataArray
            Number of detections (individual, station, occasion), int64.

        Examples
        --------
        >>> stations = pd.DataFrame({"station": ["A", "B"], "x": [0, 2000], "y": [0, 500]})
        >>> captures = pd.DataFrame({"individual": ["F1", "F1"], "station": ["A", "B"], "occasion": [1, 3]})
        >>> CaptureHistory.from_tables(captures, stations, occasions=4).to_array().shape
        (1, 2, 4)
        """
        if session is None and len(self.sessions) > 1:
            raise DataError(f"there are several sessions: say which, one of {listed(self.sessions)}.")
        part = self._part(self.sessions[0] if session is None else session)
        return dense_counts(part)

    def arrays(self, session: str) -> SessionArrays:
        """Return one session as plain arrays, read-only, for the mathematics.

        Parameters
        ----------
        session
            Label of the session.
        """
        part = self._part(session)
        return SessionArrays(**{each.name: getattr(part, each.name) for each in fields(SessionArrays)})

    def to_secr(self, folder: str | Path) -> Path:
        """Write captures.txt and traps.txt (one for each session) in the text format of the R package secr.

        Parameters
        ----------
        folder
            Where to write; made if it does not exist.

        Returns
        -------
        pathlib.Path
            The folder. :func:`leopardpop.read_secr` of its files gives the same history.
        """
        return write_secr(self._dataset, Path(folder))

    @property
    def plot(self) -> HistoryPlots:
        """Figures: ``history.plot.map()``, ``history.plot.counts()``."""
        from leopardpop.plots.history_plots import HistoryPlots

        return HistoryPlots(self)

    def __getitem__(self, session: str) -> CaptureHistory:
        part = self._part(session)
        return CaptureHistory(join_sessions([part], self._dataset.attrs), self._audit)

    def __iter__(self) -> Iterator[str]:
        return iter(self.sessions)

    def __contains__(self, session: object) -> bool:
        return session in self.sessions

    def __eq__(self, other: object) -> bool:
        return self._dataset.identical(other._dataset) if isinstance(other, CaptureHistory) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.data_hash)

    def __repr__(self) -> str:
        return history_text(self)

    def _repr_html_(self) -> str:
        return history_html(self)

    def _part(self, session: str) -> CheckedParts:
        if session not in self.sessions:
            hint = did_you_mean(str(session), self.sessions)
            raise DataError(f"there is no session {session!r}; sessions are {listed(self.sessions)}.{hint}")
        return session_parts(self._dataset, session)


def history_from_parts(
    parts: Sequence[SessionParts],
    *,
    detector: str,
    effort_unit: str = "occasion",
    crs: str | None = None,
    audit: pd.DataFrame | None = None,
) -> CaptureHistory:
    """Make a history from sessions as arrays, for readers of other formats.

    Parameters
    ----------
    parts
        One entry a session, in order.
    detector
        "proximity", "count" or "multi".
    effort_unit
        Unit of effort, singular: "day".
    crs
        Projected coordinate reference system of the stations, if known.
    audit
        Columns source, line, action, reason.

    Returns
    -------
    CaptureHistory

    Raises
    ------
    DataError
        If a session contradicts itself, two have the same label, or there is none.

    Examples
    --------
    >>> part = SessionParts(session="2024", individuals=["F1"], stations=["A", "B"], xy=[[0, 0], [2000, 500]],
    ...                     effort=[[7, 7], [7, 3]], individual=[0], station=[1], occasion=[0])
    >>> history_from_parts([part], detector="proximity", effort_unit="day").n_detections
    1
    """
    parts, audit = with_one_spelling(parts, audit)
    return CaptureHistory(join_parts(parts, detector, effort_unit, crs), audit)
