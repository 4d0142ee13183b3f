"""A million rows of images: how long the readers of exports take; in fresh processes."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.benchmarks.test_process import REFERENCE_YARDSTICK, fresh
from tests.benchmarks.yardstick import yardstick

ROWS, DEPLOYMENTS = 1_000_000, 1_000
MEBIBYTES = 2048
SECONDS = {"wildlife_insights": 8.0, "camtrap_dp, events": 12.0, "camtrap_dp, media": 16.0, "camtrapr": 8.0}
"""Of the 20 that reading, events and daily histories may take together."""
READ = {
    "wildlife_insights": "lp.read_wildlife_insights({folder!r})",
    "camtrap_dp, events": "lp.read_camtrap_dp({folder!r})",
    "camtrap_dp, media": "lp.read_camtrap_dp({folder!r})",
    "camtrapr": "lp.read_camtrapr({folder!r} + '/records.csv', {folder!r} + '/cameras.csv')",
}
SCRIPT = "import leopardpop as lp\nsurvey = {read}\nassert len(survey.audit) == {rows}\n"


def write_wildlife_insights(folder: Path, at: np.ndarray, times: np.ndarray) -> None:
    """Four files of 28 columns, a third of the images blank."""
    places = {"longitude": 131 + 0.001 * np.arange(DEPLOYMENTS), "latitude": 43.0}
    dates = {"start_date": "2023-01-01 00:00:00", "end_date": "2023-12-31 00:00:00"}
    names = [f"d{i}" for i in range(DEPLOYMENTS)]
    deployments = pd.DataFrame({"deployment_id": names, "placename": names, **places, **dates, "camera_id": names})
    deployments.to_csv(folder / "deployments.csv", index=False)
    blank = np.arange(ROWS) % 3 == 0
    ids = np.char.add("0123456789abcdef-", np.arange(ROWS).astype(str))
    ranks = {"class": "Mammalia", "order": "Carnivora", "family": "Felidae", "genus": "Panthera", "species": "pardus"}
    others = ("uncertainty", "age", "sex", "animal_recognizable", "individual_animal_notes", "behavior", "markings")
    images = pd.DataFrame(
        {
            "deployment_id": np.array(names)[at],
            "image_id": ids,
            "filename": ids,
            "location": np.char.add("gs://a_bucket__main/deployment/", ids),
            "is_blank": blank.astype(int),
            **{name: np.where(blank, "", word) for name, word in ranks.items()},
            "common_name": np.where(blank, "Blank", "Leopard"),
            "timestamp": times,
            "individual_id": np.where(np.arange(ROWS) % 50 == 1, "F1", ""),
            "number_of_objects": 1,
            "cv_confidence": 0.98,
            **dict.fromkeys(others, ""),
        }
    )
    for i in range(4):
        images.iloc[i::4].to_csv(folder / f"images_{i + 1}.csv", index=False)


def write_camtrapr(folder: Path, at: np.ndarray, times: np.ndarray) -> None:
    """A record table with the columns of differences in time, which are not read."""
    names = np.array([f"S{i}" for i in range(DEPLOYMENTS)])
    dates = {"Setup_date": "2022-12-31", "Retrieval_date": "2024-01-01"}
    cameras = pd.DataFrame({"Station": names, "utm_x": 1000 * np.arange(DEPLOYMENTS), "utm_y": 4_700_000, **dates})
    cameras.to_csv(folder / "cameras.csv", index=False)
    files = np.char.add("IMG_", np.arange(ROWS).astype(str))
    deltas = dict.fromkeys((f"delta.time.{unit}" for unit in ("secs", "mins", "hours", "days")), 0)
    frame = {"Station": names[at], "Species": "leopard", "DateTimeOriginal": times, **deltas, "FileName": files}
    pd.DataFrame(frame).to_csv(folder / "records.csv", index=False)


def write_camtrap_dp(folder: Path, at: np.ndarray, times: np.ndarray, level: str) -> None:
    """An observation for each event, or for each image; a quarter are leopards with a name."""
    names, zone = np.char.add("d", np.arange(DEPLOYMENTS).astype(str)), "+10:00"
    places = {"longitude": 131 + 0.001 * np.arange(DEPLOYMENTS), "latitude": 43.0}
    dates = {"deploymentStart": "2022-12-31T12:00:00+10:00", "deploymentEnd": "2024-01-01T12:00:00+10:00"}
    pd.DataFrame({"deploymentID": names, "locationID": names, **places, **dates, "cameraID": names}).to_csv(
        folder / "deployments.csv", index=False
    )
    ids, stamps = np.arange(ROWS).astype(str), pd.Series(times).str.replace(" ", "T") + zone
    leopard = np.arange(ROWS) % 4 == 0
    images = np.char.add("m", ids) if level == "media" else ""
    observations = {
        "observationID": np.char.add("o", ids),
        "deploymentID": names[at],
        "mediaID": images,
        "eventID": np.char.add("e", ids),
        "eventStart": stamps,
        "eventEnd": stamps,
        "observationLevel": level,
        "observationType": "animal",
        "scientificName": np.where(leopard, "Panthera pardus", "Sus scrofa"),
        "count": 1,
        "lifeStage": "adult",
        "individualID": np.where(leopard, np.char.add("I", (at % 200).astype(str)), ""),
    }
    pd.DataFrame(observations).to_csv(folder / "observations.csv", index=False)
    media = {"mediaID": images, "deploymentID": names[at], "timestamp": stamps, "filePath": np.char.add(ids, ".jpg")}
    frame = pd.DataFrame(media | {"filePublic": "false", "fileMediatype": "image/jpeg"})
    frame[: ROWS if level == "media" else 0].to_csv(folder / "media.csv", index=False)
    resources = [{"name": name, "path": f"{name}.csv"} for name in ("deployments", "media", "observations")]
    (folder / "datapackage.json").write_text(json.dumps({"name": "generated", "resources": resources}))


WRITE = {
    "wildlife_insights": write_wildlife_insights,
    "camtrap_dp, events": partial(write_camtrap_dp, level="event"),
    "camtrap_dp, media": partial(write_camtrap_dp, level="media"),
    "camtrapr": write_camtrapr,
}


@pytest.mark.benchmark
@pytest.mark.timeout(900)
@pytest.mark.parametrize("reader", READ)
def test_a_million_images(tmp_path: Path, reader: str) -> None:
    """Seconds of a quiet machine, carried to this one by the yardstick."""
    rng = np.random.default_rng(1)
    seconds = rng.integers(0, 364 * 86_400, ROWS).astype("timedelta64[s]")
    times = pd.Series(np.datetime64("2023-01-01") + seconds).dt.strftime("%Y-%m-%d %H:%M:%S").to_numpy(object)
    WRITE[reader](tmp_path, rng.integers(0, DEPLOYMENTS, ROWS), times)
    read = READ[reader].format(folder=str(tmp_path))
    runs = [fresh(SCRIPT.format(read=read, rows=ROWS)) for _ in range(2)]
    allowed = SECONDS[reader] * max(1.0, yardstick() / REFERENCE_YARDSTICK)
    best = min(run["seconds"] for run in runs)
    assert best <= allowed, f"{best:.1f} s, {allowed:.1f} s allowed"
    assert min(run["mib"] for run in runs) <= MEBIBYTES
