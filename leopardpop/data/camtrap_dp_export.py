"""Write a survey as a Camtrap DP 1.0: the four tables, the descriptor, and what the format has no field for."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from leopardpop._version import __version__
from leopardpop.data.camtrap_dp_cells import (
    Extras,
    SurveyClock,
    degrees_of,
    deployments_table,
    observations_table,
    plain_table,
)
from leopardpop.data.notices import notice
from leopardpop.data.readers.camtrap_dp_fields import DEPLOYMENTS, MEDIA, OBSERVATIONS
from leopardpop.data.readers.camtrap_dp_own import MARK
from leopardpop.errors import DataError, DataWarning

if TYPE_CHECKING:
    from leopardpop.data.survey_base import SurveyTables

__all__ = ["write_camtrap_dp"]

VERSION = "1.0.2"
HOME = f"https://raw.githubusercontent.com/tdwg/camtrap-dp/{VERSION}/"
STANDARD = {"deployments": DEPLOYMENTS, "media": MEDIA, "observations": OBSERVATIONS}
NO_OFFSET = (
    "Times are the cameras' own clocks, whose offset from UTC is not known: +00:00 stands in its place, as the format "
    "needs one, and is no UTC."
)
JSON_TYPES = {"float64": "number", "int64": "integer", "bool": "boolean"}


def write_camtrap_dp(survey: SurveyTables, folder: Path, metadata: Mapping[str, Any] | None) -> Path:
    """Write a survey: see :meth:`leopardpop.Survey.to_camtrap_dp`."""
    if survey.crs is None:
        raise DataError(
            "The survey has no coordinate reference system, and Camtrap DP needs longitude and latitude. Make the "
            'Survey with crs=, for example crs="EPSG:32652".'
        )
    clock, extras = SurveyClock.of(survey), Extras()
    if clock.own == "unknown":
        notice(f"{NO_OFFSET} Give tz= where the survey is read if other programs shall know the time.", DataWarning)
    deployments = deployments_table(survey, clock, extras)
    tables = {
        "deployments": deployments,
        "media": pd.DataFrame({name: pd.Series(dtype=object) for name in MEDIA}),
        "observations": observations_table(survey, clock, extras),
        "stations": plain_table(survey.stations, "stations", extras),
        "failures": plain_table(clock.written(survey.failures, survey.deployments), "failures", extras),
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in tables.items():
        table.to_csv(folder / f"{name}.csv", index=False, encoding="utf-8", lineterminator="\n")
    mark = {"version": __version__, "crs": survey.crs, "tz": survey.tz, "own_clock": clock.own, "types": extras.types}
    said = {"description": NO_OFFSET} if clock.own == "unknown" else {}
    descriptor = _descriptor(survey, tables, clock) | said | dict(metadata or {}) | {MARK: mark}
    text = json.dumps(descriptor, indent=2, ensure_ascii=False, default=str)
    (folder / "datapackage.json").write_text(text + "\n", encoding="utf-8")
    return folder


def _descriptor(survey: SurveyTables, tables: Mapping[str, pd.DataFrame], clock: SurveyClock) -> dict[str, Any]:
    title = f"Camera trap survey{' (synthetic)' if survey.is_synthetic else ''}"
    wall = [clock.clock.wall(survey.deployments[name]) for name in ("start", "end")]
    species = sorted(survey.records["species"].dropna().unique())
    return {
        "resources": [_resource(name, table) for name, table in tables.items()],
        "profile": f"{HOME}camtrap-dp-profile.json",
        "created": dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "title": title,
        "contributors": [{"title": "Not stated", "role": "contributor"}],
        "project": {
            "title": title,
            "samplingDesign": "targeted",
            "captureMethod": ["activityDetection"],
            "individualAnimals": bool(survey.records["individual"].notna().any()),
            "observationLevel": ["event"],
        },
        "spatial": _outline(survey),
        "temporal": {"start": f"{wall[0].min():%Y-%m-%d}", "end": f"{wall[1].max():%Y-%m-%d}"},
        "taxonomic": [{"scientificName": name} for name in species],
    }


def _resource(name: str, table: pd.DataFrame) -> dict[str, Any]:
    common = {"name": name, "path": f"{name}.csv", "profile": "tabular-data-resource", "format": "csv"}
    common |= {"mediatype": "text/csv", "encoding": "utf-8"}
    if name in STANDARD:
        return common | {"schema": f"{HOME}{name}-table-schema.json"}
    fields = [{"name": column, "type": "number" if column in ("x", "y") else "string"} for column in table.columns]
    return common | {"schema": {"fields": fields}}


def _outline(survey: SurveyTables) -> dict[str, Any]:
    """Rectangle around the stations as GeoJSON."""
    lon, lat = degrees_of(survey)
    west, south, east, north = (float(np.round(edge, 6)) for edge in (lon.min(), lat.min(), lon.max(), lat.max()))
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"type": "Polygon", "coordinates": [ring]}
