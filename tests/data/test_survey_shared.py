"""A real export: the effort worked out by hand, the detections counted from the file by other means."""

from __future__ import annotations

import csv
import datetime as dt
from pathlib import Path

import numpy as np
import pytest

import leopardpop as lp

MALLARD = "Anas platyrhynchos"
# 32 d 6:44:04, 9 d 22:50:59, 9 d 2:33:22 and 22 d 0:46:42, from deploymentStart and deploymentEnd
SECONDS = {
    "e254a13c": 32 * 86_400 + 6 * 3600 + 44 * 60 + 4,
    "2df5259b": 9 * 86_400 + 22 * 3600 + 50 * 60 + 59,
    "ff1535c0": 9 * 86_400 + 2 * 3600 + 33 * 60 + 22,
    "ce943ced": 22 * 86_400 + 46 * 60 + 42,
}


@pytest.fixture
def folder(shared: Path) -> Path:
    return shared / "data" / "camtrapdp-example"


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def days_of(folder: Path, species: str) -> set[tuple[str, dt.date]]:
    """Station and day (midnight to midnight on the camera's clock) of each event of a species."""
    deployments = {row["deploymentID"]: row for row in rows(folder / "deployments.csv")}
    found = set()
    for row in rows(folder / "observations.csv"):
        if row["observationLevel"] == "event" and row["scientificName"] == species:
            deployment = deployments[row["deploymentID"]]
            clock = dt.datetime.fromisoformat(deployment["deploymentStart"]).tzinfo
            day = dt.datetime.fromisoformat(row["eventStart"]).astimezone(clock).date()
            found.add((deployment["locationID"], day))
    return found


@pytest.mark.parametrize("occasion", ["1D", "5h", "7D"])
def test_effort_is_exact(folder, occasion):
    visits = lp.read_camtrap_dp(folder).detection_history(species=MALLARD, occasion=occasion, effort_unit="hour")
    effort = visits.dataset["effort"].sum(["season", "visit"]).to_series()
    assert (effort * 3600).to_dict() == pytest.approx(SECONDS, rel=1e-12)


@pytest.mark.parametrize("species", [MALLARD, "Mustela putorius", "Rattus norvegicus", "Vulpes vulpes"])
def test_daily_history(folder, species):
    visits = lp.read_camtrap_dp(folder).detection_history(species=species, occasion="1D", occasion_start="00:00")
    dataset = visits.dataset
    starts = dataset["visit_start"].values[0].astype("datetime64[D]").astype(object)
    at = np.argwhere(dataset["y"].values[:, 0] == 1)
    expected = days_of(folder, species)
    assert {(str(dataset["site"].values[i]), starts[j]) for i, j in at} == expected
    assert len(at) == len(expected) > 0


def test_all_species_at_once(folder):
    survey = lp.read_camtrap_dp(folder)
    names = sorted(survey.records["species"].dropna().unique())
    visits = survey.detection_history(species=names, occasion="1D", occasion_start="00:00")
    assert visits.species == tuple(names)
    found = (visits.dataset["y"] == 1).sum(["site", "season", "visit"]).to_series()
    assert found.to_dict() == {name: len(days_of(folder, name)) for name in names}
    assert len(visits.audit) == survey.records["species"].notna().sum()
