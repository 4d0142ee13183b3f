"""A survey: what a field team brings home, before it is cut into occasions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from leopardpop.data.detection_history import DetectionHistory
from leopardpop.data.history import CaptureHistory
from leopardpop.data.occasion_covariates import CovariateOption
from leopardpop.data.sessions import Split
from leopardpop.data.survey_base import SurveyTables
from leopardpop.data.survey_detections import DetectionOptions, make_detections
from leopardpop.data.survey_history import HistoryOptions, make_history
from leopardpop.data.survey_problems import find_problems
from leopardpop.data.tables import TableSource
from leopardpop.data.young import GROWN, YOUNG

if TYPE_CHECKING:
    from leopardpop.plots.survey_plots import SurveyPlots

__all__ = ["Survey"]


class Survey(SurveyTables):
    """Stations, deployments of cameras, and records of animals; immutable.

    Parameters
    ----------
    stations
        One row a station: station, x, y (metres); every other column is a covariate.
    deployments
        One row a camera and stretch of time: station, start, end [, deployment] [, camera]. The end is not included.
    records
        One row a record (an image, a sequence): timestamp, station or deployment [, camera] [, species] [, individual]
        [, sex] [, life_stage] [, flank] [, count] [, source] [, line].
    failures
        Times when cameras were not working: start, end, and deployment, or station (all of its cameras).
    audit
        What a reader did with each row of its files: source, line, action, reason. None: every record was kept.
    crs
        Coordinate reference system of x and y, in metres.
    tz
        None: times are the cameras' own clock. "UTC+10:00" or "Asia/Vladivostok": times are of that zone.
    layers
        Layers by name (polygons, functions of x and y), or None.
    truth
        What a synthetic survey was made from, or None.
    notes
        What a reader chose, in sentences.

    Raises
    ------
    DataError
        If a name is unknown, a time impossible or a coordinate no number of metres.

    Examples
    --------
    >>> import pandas as pd
    >>> survey = Survey(
    ...     stations=pd.DataFrame({"station": ["A", "B"], "x": [0, 3000], "y": [0, 500]}),
    ...     deployments=pd.DataFrame({"station": ["A", "B"], "start": "2024-02-01", "end": "2024-03-02"}),
    ...     records=pd.DataFrame({"timestamp": ["2024-02-03 21:14"], "station": ["B"], "individual": ["F01"]}),
    ... )
    >>> survey.capture_history(occasion="10D", occasion_start="00:00").effort["effort"].tolist()
    [10.0, 10.0, 10.0, 10.0, 10.0, 10.0]
    """

    def capture_history(
        self,
        *,
        species: str | Sequence[str] | Mapping[str, str | Sequence[str]] | None = None,
        occasion: Any = "7D",
        start: Any = None,
        end: Any = None,
        detector: Literal["proximity", "count", "multi"] = "proximity",
        occasion_start: str = "12:00",
        cameras: Literal["union", "sum"] = "union",
        effort_unit: Literal["day", "hour"] = "day",
        independence: Any = "30min",
        rule: Literal["last_record", "last_independent"] = "last_record",
        life_stage: Sequence[str] | None = GROWN,
        flank: Literal["left", "right", "each"] | None = None,
        sessions: Split = None,
        covariates: CovariateOption = None,
        on_zero_effort: Literal["raise", "drop", "keep"] = "raise",
    ) -> CaptureHistory:
        """Make the capture history of one species.

        The time from `start` to `end` is cut into occasions on the survey's clock; effort is exact, without failures.
        Each record of the species is in ``history.audit``: kept, merged with an earlier one, or dropped.

        Parameters
        ----------
        species
            Name, or several that stand for one species; None if the records are of one species.
        occasion
            Length of an occasion: "7D", "1D", "12h". The last one is shorter if `end` comes first.
        start, end
            First date, and the date after the last; a date begins at `occasion_start`, a time is taken as it is. None:
            the first start of a deployment, the last end.
        detector
            "proximity": detected or not in an occasion; "count": number of independent detections; "multi": at most at
            one station in an occasion.
        occasion_start
            Time of day at which occasions begin, local; noon suits animals of the night.
        cameras
            Effort of several cameras at a station: "union" (days on which any was on) or "sum" (camera-days).
        effort_unit
            Unit of effort: "day" or "hour".
        independence
            For counts: a record less than this after the one before (same animal and station) belongs to it. A left
            and a right flank in one such event are "both", whatever the detector.
        rule
            Whether `independence` is counted from the record before ("last_record") or from the first record of the
            event ("last_independent").
        life_stage
            Stages of animals that count; an unknown stage is kept, others (cubs) are dropped. None: all.
        flank
            None: whole identities. Identities known from one flank only are left out where left ones and right ones
            occur, since one animal may then be in twice. "left" or "right": records of that flank and of both. "each":
            all identities, some animals twice: for :class:`TwoFlanks` only. What each detection shows is kept:
            ``history.detections`` has the columns left, right and both.
        sessions
            Label -> (start, end); the name of a column of stations, or of deployments (each session then counts its own
            only, from their first start to their last end); "year", "quarter" or "month"; a function of the day (a
            Timestamp) that returns its label, or None for a day in no session. None: one session.
        covariates
            One or several, for formulas of detection. Of occasions: "day" (days from the first occasion of the history
            to the middle of each), "day_of_year", "month", "effort_fraction" (share of the stations' time that was
            effort). Names of columns of deployments, which may change in time (a lure, a camera model): of the cameras
            that were on at the station in the occasion, mean by their time, or the word of the longest. Tables or
            paths: columns ``station``, ``session``, ``occasion`` (from 1) or ``date`` say what a row is about, numbers
            of several rows are averaged.
        on_zero_effort
            A record while no camera of the station was on: "raise", "drop", or "keep" (an occasion without effort then
            gets the smallest effort that occurs in the session).

        Returns
        -------
        CaptureHistory
            With covariate ``sex`` of individuals if the records have it, the stations' covariates, and those asked for.

        Raises
        ------
        DataError
            If a record lies outside the effort, no animal is identified, or an argument makes no sense.

        Warns
        -----
        DataWarning
            If identities known from one flank are left out, or a species name looks misspelt.

        Examples
        --------
        >>> import leopardpop as lp
        >>> survey = lp.load_example("amur_leopard", seed=1)
        >>> history = survey.capture_history(
        ...     species="Panthera pardus", start="2024-02-01", end="2024-05-02", flank="left"
        ... )
        >>> history.n_occasions
        {'1': 13}
        """
        options = HistoryOptions(
            species=species,
            occasion=occasion,
            start=start,
            end=end,
            detector=detector,
            occasion_start=occasion_start,
            cameras=cameras,
            effort_unit=effort_unit,
            independence=independence,
            rule=rule,
            life_stage=life_stage,
            flank=flank,
            sessions=sessions,
            covariates=covariates,
            on_zero_effort=on_zero_effort,
        )
        return make_history(self, options)

    def detection_history(
        self,
        *,
        species: str | Sequence[str] | Mapping[str, str | Sequence[str]] | None = None,
        occasion: Any = "7D",
        start: Any = None,
        end: Any = None,
        seasons: Split = None,
        sites: str = "station",
        response: Literal["binary", "count", "state"] = "binary",
        occasion_start: str = "12:00",
        cameras: Literal["union", "sum"] = "union",
        effort_unit: Literal["day", "hour"] = "day",
        independence: Any = "30min",
        rule: Literal["last_record", "last_independent"] = "last_record",
        life_stage: Sequence[str] | None = None,
        young: Sequence[str] = YOUNG,
        evidence: Literal["young", "family"] = "young",
        group_size: int | None = None,
        covariates: TableSource | Sequence[TableSource] | None = None,
        on_zero_effort: Literal["raise", "drop", "keep"] = "raise",
    ) -> DetectionHistory:
        """Make the detection history of one species, or of several at once, for occupancy models.

        Each record of the species is in ``history.audit``: kept, merged with another one, or dropped.

        Parameters
        ----------
        species
            Name; several names, each a species of its own; or label -> the names that stand for one species. None if
            the records are of one species.
        occasion, start, end, occasion_start
            How time is cut into visits: see :meth:`capture_history`.
        seasons
            Label -> (start, end); the name of a column of deployments; "year", "quarter" or "month"; a function of the
            day (a Timestamp) that returns its label, or None for a day in no season. None: one season. A season in
            which no camera ran has no visits.
        sites
            "station", or the name of a column of stations that pools them: a site is then visited while any of its
            stations is, its effort is their sum, its place and numeric covariates are their means.
        response
            "binary": seen or not; "count": number of independent events; "state": 0 not seen, 1 seen, 2 seen to breed.
        cameras
            Effort of several cameras at a station: "union" (time during which any was on) or "sum".
        effort_unit
            Unit of effort: "day" or "hour".
        independence, rule
            For counts, and for which animals were together: when records at a station are one event, see
            :meth:`events`.
        life_stage
            Stages of animals that count; an unknown stage is kept. None: all, since cubs show the species too.
        young
            Life stages that show breeding.
        evidence
            State 2 is a record of "young", or only of a "family": young in one event with an adult female.
        group_size
            For species that live alone: events with at least so many animals show breeding too. None: never.
        covariates
            Tables or paths to join: columns ``station`` or ``site``, ``season``, ``visit`` (from 1) or ``date`` say
            what a row is about, other columns are covariates. Numbers of several rows (the days of a visit, the
            stations of a site) are averaged.
        on_zero_effort
            A record while no camera of the station was on: "raise", "drop", or "keep" (a visit without effort then
            gets the smallest effort that occurs).

        Returns
        -------
        DetectionHistory
            Dims [species,] site, season, visit; NaN where there was no effort; with effort and covariates.

        Raises
        ------
        DataError
            If a record lies outside the effort, or an argument makes no sense.

        Warns
        -----
        DataWarning
            If a species name looks misspelt, or a covariate is missing where there was effort.

        Examples
        --------
        >>> import leopardpop as lp
        >>> survey = lp.load_example("amur_leopard", seed=1)
        >>> visits = survey.detection_history(species="Panthera pardus", occasion="14D", response="state")
        >>> visits.dataset["y"].shape
        (120, 1, 8)
        """
        options = DetectionOptions(
            species=species,
            occasion=occasion,
            start=start,
            end=end,
            seasons=seasons,
            sites=sites,
            response=response,
            occasion_start=occasion_start,
            cameras=cameras,
            effort_unit=effort_unit,
            independence=independence,
            rule=rule,
            life_stage=life_stage,
            young=young,
            evidence=evidence,
            group_size=group_size,
            covariates=covariates,
            on_zero_effort=on_zero_effort,
        )
        return make_detections(self, options)

    @property
    def plot(self) -> SurveyPlots:
        """Figures: ``survey.plot.calendar()``."""
        from leopardpop.plots.survey_plots import SurveyPlots

        return SurveyPlots(self)

    def problems(self) -> pd.DataFrame:
        """List what a data manager should look at, gravest first.

        It looks at effort (records while nothing was on, silent cameras, overlaps), clocks (reset, in the future,
        summer time), places (swapped, rounded, shared, far away) and animals (no identity, two sexes, impossible moves,
        names that look alike). ``leopardpop check`` prints the same.

        Returns
        -------
        pandas.DataFrame
            Columns severity ("must fix", "should look", "note"), where, found, fix; no rows if nothing was found.

        Examples
        --------
        >>> import leopardpop as lp
        >>> lp.load_example("amur_leopard", seed=1).problems()["severity"].tolist()
        ['note']
        """
        return find_problems(self)
