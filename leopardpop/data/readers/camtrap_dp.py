"""Camtrap DP 1.0, the exchange format of camera trap data: what Agouti and TRAPPER export and GBIF publishes."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from leopardpop.data.names import did_you_mean, listed
from leopardpop.data.occasions import Clock
from leopardpop.data.readers.camtrap_dp_deployments import Deployments, read_deployments
from leopardpop.data.readers.camtrap_dp_failures import read_failures
from leopardpop.data.readers.camtrap_dp_media import add_media
from leopardpop.data.readers.camtrap_dp_observations import COLUMNS, ObservationOptions, read_observations
from leopardpop.data.readers.camtrap_dp_own import OwnNotes
from leopardpop.data.readers.camtrap_dp_package import Package, open_package
from leopardpop.data.survey import Survey
from leopardpop.errors import DataError

__all__ = ["read_camtrap_dp"]

LEVELS = (None, "event", "media")


def read_camtrap_dp(
    path: str | PathLike[str],
    *,
    tz: str | None = None,
    failures: pd.DataFrame | str | PathLike[str] | None = None,
    station: str = "locationID",
    flank: str | None = "observationTags:flank",
    crs: Any = None,
    species_map: Mapping[str, str] | None = None,
    level: Literal["event", "media"] | None = None,
) -> Survey:
    """Read a survey from a Camtrap DP 1.0.x.

    Records are the rows about animals, of one level in each deployment. Every other row of the observations is in
    ``survey.audit`` with the reason why it is none; what was chosen is in ``survey.notes``. Only the package itself is
    opened: a path that leads out of it, or to the network, is refused.

    Parameters
    ----------
    path
        Folder, its ``datapackage.json``, or a zip of it.
    tz
        None: the cameras' own clock, with the offset that stands in the deployments and that never changes; where
        deployments have different offsets, each is read on its own, and ``survey.tz`` is None. ``"Asia/Vladivostok"``
        or ``"UTC+10:00"``: all times are converted to that zone, and those without an offset are its wall clock.
    failures
        Times when cameras were not working, for which the format has no place: a table or its path, with the columns
        ``deployment`` (or ``deploymentID``) or ``station`` (or ``locationID``), ``start`` and ``end``. A missing start
        or end is that of the deployment; times without an offset are the cameras' clock. None: the resource
        "failures" of the package, if it has one, as :meth:`Survey.to_camtrap_dp` writes it.
    station
        Column of the deployments that names the station. Where ``locationID`` is empty, ``locationName`` or the
        coordinates take its place, with a warning.
    flank
        Where the flank of an animal is written: a column of the observations, or a key of its tags as in
        ``flank:left | flank:right``. None: nowhere.
    crs
        System in metres to project to. None: the UTM zone of the stations' middle; ``survey.crs`` says which.
    species_map
        Name in the file -> name wanted, to join synonyms and to mend spelling.
    level
        "event" or "media": take rows of this level only. None: in each deployment the rows at event level if there are
        any that are classified, else those at media level; never both.

    Returns
    -------
    Survey
        Deployments with ``utc_offset``, ``timestamp_issues``, ``latitude``, ``longitude`` and whatever else the file
        has, under names such as ``camera_model``; records with ``observation``, ``event``, ``event_end`` and, where
        they are filled in, ``media``, ``behavior``, ``classification_probability``, ``tags``; stations with
        ``longitude`` and ``latitude`` and, where they are the same in all deployments of a station, with ``habitat``,
        ``feature_type``, ``bait_use`` and the keys of groups and tags as covariates.

    Raises
    ------
    DataError
        If the package is damaged, of another version, or leads out of itself; if a time has no offset and `tz` is
        None, a deployment ends before it starts, or a place is no latitude and longitude. It names file and line.

    Warns
    -----
    DataWarning
        If stations are named by something else than `station`, observations belong to no known deployment, an offset
        changes within a deployment, or a word is not of the format.

    References
    ----------
    Bubnicki, J. W., et al. (2024) Camtrap DP: an open standard for the FAIR exchange and archiving of camera trap data.
    Remote Sensing in Ecology and Conservation 10, 283-295. https://doi.org/10.1002/rse2.374

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> import leopardpop as lp
    >>> survey = lp.load_example("amur_leopard", seed=1)
    >>> with TemporaryDirectory() as folder:
    ...     again = lp.read_camtrap_dp(survey.to_camtrap_dp(folder))
    >>> len(again.records) == len(survey.records), again.crs, again.tz
    (True, 'EPSG:32652', 'UTC+10:00')
    """
    _check_options(tz, level)
    with open_package(_path(path)) as package:
        own = OwnNotes.of(package)
        table = package.table("deployments")
        deployments = read_deployments(
            table,
            station=station,
            tz=tz or own.tz,
            crs=crs or own.crs,
            own_clock=own.own_clock,
            spatial=package.descriptor.get("spatial"),
        )
        options = ObservationOptions(level, flank, dict(species_map or {}), tz or own.tz)
        wanted = COLUMNS | {str(flank).partition(":")[0]}
        seen = read_observations(package.table("observations", wanted), deployments, options)
        records = add_media(seen.records, package)
        broken = read_failures(failures, package, deployments)
        return Survey(
            stations=own.stations(package, deployments, crs),
            deployments=own.with_extras(deployments.frame, "deployment_tags", "deployments"),
            records=own.with_extras(records, "tags", "records"),
            failures=broken,
            audit=seen.audit,
            crs=deployments.crs,
            tz=deployments.clocks.tz,
            notes=(_title(package, deployments), *seen.notes, *deployments.notes, *_without_media(package)),
        )


def _without_media(package: Package) -> tuple[str, ...]:
    missing = "media" not in package.resources
    return ("The package has no table of media: nothing is known of single images.",) if missing else ()


def _path(path: Any) -> Path:
    if not isinstance(path, (str, PathLike)) or not str(path) or "\x00" in str(path):
        raise DataError(f"path={path!r:.100} must be the path of a folder, a datapackage.json or a zip.")
    return Path(path)


def _check_options(tz: Any, level: Any) -> None:
    if level not in LEVELS:
        hint = did_you_mean(str(level), ("event", "media"))
        raise DataError(
            f"level={level!r} must be None or one of {listed(('event', 'media'))}.{hint}", offenders=[level]
        )
    Clock(tz)


def _title(package: Package, deployments: Deployments) -> str:
    version = package.version or "of no stated version, read as 1.0"
    return f"Camtrap DP {version}: {len(deployments.frame):,} deployments, projected to {deployments.crs}"
