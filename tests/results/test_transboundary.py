"""One population, two countries: which ways of counting count animals twice."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
import shapely

import leopardpop as lp
from leopardpop.data.history_subset import at_stations

JOINT = "joint fit"
OWN = "one-sided fits, mask across the border, own side"
RAW = "animals photographed, added up"
CLIPPED = "one-sided fits, mask clipped at the border"
WHOLE = "one-sided fits, mask across the border, all of it"
WEST, EAST = shapely.box(-4e3, -4e3, 5_250, 1.45e4), shapely.box(5_250, -4e3, 1.45e4, 1.45e4)


@cache
def small() -> tuple[lp.CaptureHistory, lp.Mask]:
    axis = range(0, 12_000, 1_500)
    stations = pd.DataFrame([(f"{x}-{y}", x, y) for x in axis for y in axis], columns=["station", "x", "y"])
    design = lp.CaptureHistory.from_tables(None, stations, occasions=8)
    mask = lp.Mask.around(design, buffer=6_500, spacing=750, habitat=shapely.box(-4e3, -4e3, 1.45e4, 1.45e4))
    truth = {"D": 0.3, "lambda0": 0.2, "sigma": 1_300}
    return lp.SCR().simulate(design, mask, parameters=truth, seed=4).history, mask


@cache
def table() -> pd.DataFrame:
    history, mask = small()
    return lp.transboundary(lp.SCR(), history, mask, regions={"west": WEST, "east": EAST}, seed=1)


def test_photographed_animals_are_counted_by_hand() -> None:
    history, _ = small()
    seen = history.detections.merge(history.stations[["station", "x"]])
    west = seen[seen["x"] < 5_250]["individual"].nunique()
    east = seen[seen["x"] > 5_250]["individual"].nunique()
    row = table().loc[RAW]
    assert (row["west"], row["east"], row["sum"]) == (west, east, west + east)
    assert row["excess"] == pytest.approx((west + east) / history.n_individuals - 1)
    assert row["excess"] > 0


def test_ways_that_count_twice() -> None:
    ways = table()
    assert ways.loc[JOINT, "excess"] == 0
    assert ways.loc[CLIPPED, "sum"] > ways.loc[OWN, "sum"] * 1.05
    assert ways.loc[WHOLE, "sum"] > 1.6 * ways.loc[JOINT, "sum"]
    assert abs(ways.loc[OWN, "excess"]) < 0.15
    history, mask = small()
    alone = lp.SCR().fit(history, mask, seed=1).posterior["N"].mean()
    assert ways.loc[JOINT, "sum"] == pytest.approx(float(alone), abs=0.5)


def test_part_of_a_history() -> None:
    """What some stations recorded, with their effort, is what a survey of them alone would have been."""
    history, _ = small()
    keep = (history.stations["x"] > 5_250).to_numpy()
    part = at_stations(history, {history.sessions[0]: keep})
    names = set(history.stations.loc[keep, "station"])
    kept = history.detections[history.detections["station"].isin(names)]
    assert set(part.stations["station"]) == names
    assert set(part.individuals["individual"]) == set(kept["individual"])
    pair = ["individual", "station", "occasion"]
    pd.testing.assert_frame_equal(
        part.detections[pair].sort_values(pair, ignore_index=True), kept[pair].sort_values(pair, ignore_index=True)
    )
    everything = at_stations(history, {history.sessions[0]: np.ones(len(keep), bool)})
    assert everything.data_hash == history.data_hash


def test_bad_sides() -> None:
    history, mask = small()
    for regions, words in [
        ({"west": WEST}, "one side only"),
        ({"west": WEST, "sea": shapely.box(13e3, -4e3, 14.4e3, 1e4)}, "No camera is in 'sea'"),
    ]:
        with pytest.raises(lp.errors.DataError, match=words):
            lp.transboundary(lp.SCR(), history, mask, regions=regions)


def test_a_side_that_cannot_bear_the_model_is_named() -> None:
    """One coat alone in the east: no classes to tell apart there."""
    history, mask = small()
    seen = history.detections.merge(history.stations[["station", "x"]])
    east = seen.loc[seen["x"] > 5_250, "individual"].unique()
    coats = [("dark" if name in east else "pale") for name in history.individuals["individual"]]
    animals = history.individuals[["individual"]].assign(coat=coats)
    captures = history.detections[["individual", "station", "occasion"]]
    stations = history.stations[["station", "x", "y"]]
    coated = lp.CaptureHistory.from_tables(captures, stations, individuals=animals, occasions=8)
    with pytest.raises(lp.errors.ModelError, match="The cameras of 'east' alone cannot bear this model: classes="):
        lp.transboundary(lp.SCR(classes="coat"), coated, mask, regions={"west": WEST, "east": EAST}, seed=1)


# --- the bundled survey -------------------------------------------------------------------------------


def amur(seed: int) -> pd.DataFrame:
    survey = lp.load_example("amur_leopard", seed=seed)
    dates: dict[str, Any] = {"start": "2024-02-01", "end": "2024-05-02", "occasion": "7D"}
    history = survey.capture_history(species="Panthera pardus", **dates)
    layers = survey.layers
    mask = lp.Mask.around(history, buffer=60_000, spacing=4_000, habitat=layers["habitat"])
    mask = mask.with_covariates(snow=layers["snow"])
    return lp.transboundary(lp.SCR(density="~ snow"), history, mask, regions=countries(mask, layers), seed=1)


def countries(mask: lp.Mask, layers: Any) -> dict[str, Any]:
    """Cells of the mask on either side of the border."""
    squares = np.array([shapely.box(x - 2e3, y - 2e3, x + 2e3, y + 2e3) for x, y in zip(mask.x, mask.y, strict=True)])
    china = np.asarray(layers["china"](mask.x, mask.y)) == 1
    return {"Russia": shapely.union_all(squares[~china]), "China": shapely.union_all(squares[china])}


@pytest.mark.verification
@pytest.mark.filterwarnings("ignore::leopardpop.errors.LeopardpopWarning")  # 12 surveys: some are sparse
def test_the_lesson_of_the_amur_leopard() -> None:
    """Over 12 surveys of 45 animals: added lists and clipped masks count too many, own sides do not."""
    tables = [amur(seed) for seed in range(1, 13)]
    mean = sum(tables[1:], tables[0]) / len(tables)
    assert 0.05 < mean.loc[RAW, "excess"] < 0.25
    assert mean.loc[CLIPPED, "excess"] > 0.10
    assert mean.loc[WHOLE, "excess"] > 0.8
    assert abs(mean.loc[OWN, "excess"]) < 0.08
