"""Ocelots of Belize, photographed from two sides by one or two cameras a station (Augustine et al. 2018)."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import leopardpop as lp

LINKED = 9
"""Animals whose two flanks are known to belong together."""


@pytest.fixture(scope="module")
def ocelots(shared):
    folder = shared / "data" / "belize-ocelot-2flank"
    rows, traps = pd.read_csv(folder / "captures.csv"), pd.read_csv(folder / "traps.csv")
    side = rows["flank"].map({"L": "left", "R": "right", "B": "both"})
    linked = rows["index_in_set"] <= LINKED
    names = np.where(linked, "B", rows["flank"]) + rows["index_in_set"].astype(str).str.zfill(2)
    captures = pd.DataFrame({"individual": names, "station": rows["trap"].astype(str), "flank": side})
    captures["occasion"] = rows["occasion"]
    sexes = pd.read_csv(folder / "sex.csv")["sex"].to_numpy()
    numbers = {"B": range(1, 10), "L": range(10, 19), "R": range(10, 22)}
    labels = [f"{side}{i:02d}" for side, which in numbers.items() for i in which]
    individuals = pd.DataFrame({"individual": labels, "sex": sexes})
    individuals = individuals[individuals["individual"].isin(captures["individual"])]
    stations = traps.assign(station=traps["trap"].astype(str), x=1000 * traps["x"], y=1000 * traps["y"])
    cameras = pd.read_csv(folder / "usage.csv").set_index("trap")
    effort = (cameras > 0).astype(float).reset_index().rename(columns={"trap": "station"})
    effort["station"] = effort["station"].astype(str)
    effort.columns = ["station", *map(str, range(1, cameras.shape[1] + 1))]
    return captures, stations[["station", "x", "y"]], effort, individuals


def test_two_flanks_of_the_ocelots(ocelots):
    captures, stations, effort, individuals = ocelots
    history = lp.CaptureHistory.from_tables(
        captures, stations, effort=effort, individuals=individuals, effort_unit="day"
    )
    mask = lp.Mask.around(history, buffer=14_000, spacing=1_000)
    fit = lp.TwoFlanks().fit(history, mask, seed=1)
    lists = fit.problem.lists[0]
    assert (len(lists.whole), len(lists.left), len(lists.right)) == (9, 9, 12)
    assert fit.trusted
    compared = fit.compare(seed=1)
    told = fit.photographed().loc["1"]
    assert told["least"] == 21  # all nine left-flank identities may be among the twelve right-flank ones
    assert told["least"] <= told["mean"] <= told["most"] == 30
    two, left, right = (compared.loc[name] for name in compared.index)
    assert two["sd"] / two["mean"] < min(left["sd"] / left["mean"], right["sd"] / right["mean"])
    assert left["eti95_lb"] < two["mean"] < right["eti95_ub"]
