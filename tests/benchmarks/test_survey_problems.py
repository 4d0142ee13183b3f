"""Looking for problems in a million records, as a multiple of the yardstick."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from leopardpop.data.survey import Survey
from tests.benchmarks.yardstick import best, yardstick

RECORDS, STATIONS = 1_000_000, 500


def survey() -> Survey:
    """Two cameras at each of 500 stations for a year, 300 species, 500 animals that are seen anywhere at once."""
    rng = np.random.default_rng(1)
    names = [f"S{i:03d}" for i in range(STATIONS)]
    x, y = rng.uniform(0, 100_000, (2, STATIONS))
    cameras = pd.DataFrame({"deployment": [f"D{i}" for i in range(2 * STATIONS)], "station": np.repeat(names, 2)})
    seconds = rng.integers(0, 360 * 86_400, RECORDS)
    animals = np.array([f"I{i}" for i in range(500)], dtype=object)[rng.integers(0, 500, RECORDS)]
    species = np.array([f"Genus{i} species{i % 37}" for i in range(300)], dtype=object)
    records = {
        "timestamp": pd.Timestamp("2023-01-01") + pd.to_timedelta(seconds, unit="s"),
        "deployment": cameras["deployment"].to_numpy(object)[rng.integers(0, 2 * STATIONS, RECORDS)],
        "species": species[rng.integers(0, 300, RECORDS)],
        "individual": np.where(rng.random(RECORDS) < 0.3, animals, None),
        "sex": np.array(["F", "M", None], dtype=object)[rng.integers(0, 3, RECORDS)],
    }
    return Survey(
        stations=pd.DataFrame({"station": names, "x": x, "y": y}),
        deployments=cameras.assign(start="2023-01-01", end="2023-12-31"),
        records=pd.DataFrame(records),
    )


@pytest.mark.benchmark
def test_problems_of_a_million_records(capsys):
    made = survey()
    ratio = best(made.problems, 2) / yardstick()
    with capsys.disabled():
        print(f"\nproblems of {RECORDS:,} records: {ratio:.0f} yardsticks")  # noqa: T201
    assert ratio < 60
