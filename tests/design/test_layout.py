"""Layout search against all layouts there are, against expected numbers, and within its limits."""

from __future__ import annotations

import time
import warnings
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import leopardpop as lp
from leopardpop.design import Limits
from leopardpop.errors import DataError, DataWarning, ModelError
from tests.design.designs import SIGMA, TRUTH, mask_of

RNG = np.random.default_rng(7)


def places_of(
    n: int, *, detector: str = "proximity", occasions: int = 5, seed: int = 3, **columns
) -> lp.CaptureHistory:
    rng = np.random.default_rng(seed)
    table = pd.DataFrame({"station": [f"P{i:03d}" for i in range(n)], "x": rng.uniform(0, 8, n) * SIGMA})
    table = table.assign(y=rng.uniform(0, 8, n) * SIGMA, **columns)
    return lp.CaptureHistory.from_tables(None, table, occasions=occasions, detector=detector)


def rse_of(places: lp.CaptureHistory, mask: lp.Mask, rows) -> float:
    """Of some places, by the expected numbers of a design that has no others."""
    table = places.stations.iloc[list(rows)].drop(columns="session")
    design = lp.CaptureHistory.from_tables(None, table, occasions=5, detector=places.detector)
    return float(lp.design.expected(lp.SCR(), design, mask, parameters=TRUTH).table["rse"].iloc[0])


@pytest.mark.parametrize("detector", ["proximity", "count"])
def test_no_layout_is_better(detector):
    places = places_of(9, detector=detector)
    mask = mask_of(places, 1.0)
    found = lp.design.layout(lp.SCR(), places, mask, parameters=TRUTH, limits=4)
    best = min(rse_of(places, mask, rows) for rows in combinations(range(9), 4))
    assert found.numbers["rse"] == pytest.approx(best, rel=1e-9)


def test_its_numbers_are_the_expected_ones():
    places = places_of(40)
    mask = mask_of(places, 1.0)
    model = lp.SCR(detection=lp.HalfNormal(sigma="~ sex"), classes="sex")
    truth = {**TRUTH, "pmix": 0.4, "sigma[sex[M]]": 0.4}
    found = lp.design.layout(model, places, mask, parameters=truth, limits=12)
    row = lp.design.expected(model, found.design, mask, parameters=truth).table.iloc[0]
    for name in ("n", "recaptures", "rse"):
        assert found.numbers[name] == pytest.approx(row[name], rel=1e-9)
    assert found.stations["station"].tolist() == found.design.stations["station"].tolist()
    assert len(set(found.stations["station"])) == 12


def test_it_beats_chance():
    places = places_of(60)
    mask = mask_of(places, 1.0)
    found = lp.design.layout(lp.SCR(), places, mask, parameters=TRUTH, limits=15, starts=1)
    chance = [rse_of(places, mask, RNG.choice(60, 15, replace=False)) for _ in range(40)]
    assert found.numbers["rse"] < min(chance)


def test_what_is_assumed_is_averaged():
    places = places_of(12)
    mask = mask_of(places, 1.0)
    table = pd.DataFrame([TRUTH, {**TRUTH, "sigma": 600.0, "D": 1.0}])
    found = lp.design.layout(lp.SCR(), places, mask, parameters=table, limits=5)
    each = lp.design.expected(lp.SCR(), found.design, mask, parameters=table).table
    assert found.numbers["rse"] == pytest.approx(each["rse"].mean())
    assert found.numbers["n"] == pytest.approx(each["n"].mean())


@settings(max_examples=12, deadline=None)
@given(
    st.integers(1, 12),
    st.floats(3.0, 30.0),
    st.floats(0.0, 2.0),
    st.sampled_from([None, 2.0]),
    st.sampled_from([None, "valley"]),
    st.integers(0, 1000),
)
def test_limits_are_kept(stations, budget, apart, paired, cluster, seed):
    rng = np.random.default_rng(seed)
    places = places_of(20, seed=seed, cost=rng.uniform(0.5, 3.0, 20), valley=rng.integers(0, 8, 20).astype(str))
    limits = Limits(
        stations=stations, budget=budget, cost="cost", camera=0.2, paired=paired, cluster=cluster, apart=apart * SIGMA
    )
    found = reason = None
    try:
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always", DataWarning)
            found = lp.design.layout(
                lp.SCR(), places, mask_of(places, 1.0), parameters=TRUTH, limits=limits, starts=2, seed=seed
            )
    except DataError as error:
        reason = str(error)
    if found is None:  # the smallest cluster may be too large
        assert reason.startswith("not one station can be set out")
        return
    chosen = found.stations
    assert 1 <= len(chosen) <= stations
    fewer = [str(each.message) for each in told if "that were asked for" in str(each.message)]
    assert len(fewer) == (len(chosen) < stations)
    assert chosen["station"].is_unique
    spent = (chosen["cost"] + 0.2 * chosen["cameras"]).sum()
    assert spent == pytest.approx(found.numbers["cost"])
    assert spent <= budget * (1 + 1e-9)
    assert set(chosen["cameras"]) <= ({1, 2} if paired else {1})
    if cluster:
        sizes = places.stations.groupby("valley").size()
        assert (chosen.groupby("valley").size() == sizes[chosen["valley"].unique()].sort_index()).all()
    xy, groups = chosen[["x", "y"]].to_numpy(), chosen["valley"].to_numpy()
    for i, j in combinations(range(len(xy)), 2):
        if not cluster or groups[i] != groups[j]:
            assert np.hypot(*(xy[i] - xy[j])) >= apart * SIGMA - 1e-9


def test_a_second_camera_is_bought_where_walking_is_dear():
    """Stations that cost ten cameras each: the second camera is cheap."""
    places = places_of(30, cost=np.full(30, 10.0))
    mask = mask_of(places, 1.0)

    def ask(camera, cost):
        limits = Limits(budget=60.0, cost=cost, camera=camera, paired=2.0)
        return lp.design.layout(lp.SCR(), places, mask, parameters=TRUTH, limits=limits, starts=1).stations

    assert (ask(0.5, "cost")["cameras"] == 2).mean() > 0.5
    assert (ask(6.0, 0.0)["cameras"] == 2).mean() < 0.5


def test_more_budget_is_never_worse():
    places = places_of(20, cost=np.linspace(1, 3, 20))
    mask = mask_of(places, 1.0)
    asked = [
        lp.design.layout(lp.SCR(), places, mask, parameters=TRUTH, limits=Limits(budget=b, cost="cost")).numbers["rse"]
        for b in (6, 12, 24)
    ]
    assert asked == sorted(asked, reverse=True)


def test_the_same_seed_gives_the_same_layout():
    places = places_of(25)
    mask = mask_of(places, 1.0)
    one, other = (
        lp.design.layout(lp.SCR(), places, mask, parameters=TRUTH, limits=6, seed=5).stations for _ in range(2)
    )
    pd.testing.assert_frame_equal(one, other)


def test_effort_and_columns_travel_with_the_place():
    effort = pd.DataFrame({"station": [f"P{i:03d}" for i in range(10)], 1: np.arange(1, 11), 2: np.arange(1, 11)})
    rng = np.random.default_rng(3)
    table = pd.DataFrame({"station": effort["station"], "x": rng.uniform(0, 8e3, 10), "y": rng.uniform(0, 8e3, 10)})
    places = lp.CaptureHistory.from_tables(None, table.assign(road=range(10)), effort=effort, effort_unit="day")
    found = lp.design.layout(lp.SCR(), places, mask_of(places, 1.0), parameters=TRUTH, limits=3)
    rows = [int(name[1:]) for name in found.stations["station"]]
    assert found.stations["road"].tolist() == rows
    assert found.design.arrays("1").effort[:, 0].tolist() == [r + 1 for r in rows]
    assert found.design.effort_unit == "day"


def test_sixty_of_four_hundred_places_in_no_time():
    """At most 30 s are allowed; it takes about one."""
    x, y = (a.ravel() for a in np.meshgrid(np.arange(20) * 1_000.0, np.arange(20) * 1_000.0))
    places = lp.CaptureHistory.from_tables(None, pd.DataFrame({"station": range(400), "x": x, "y": y}), occasions=10)
    start = time.perf_counter()
    found = lp.design.layout(lp.SCR(), places, mask_of(places, 1.0), parameters=TRUTH, limits=60)
    assert time.perf_counter() - start < 30
    assert len(found.stations) == 60


def test_bad_input():
    places = places_of(6, cost=np.arange(6.0))
    mask = mask_of(places, 1.0)

    def ask(limits, model=None, at=places):
        return lp.design.layout(model or lp.SCR(), at, mask, parameters=TRUTH, limits=limits)

    with pytest.raises(DataError, match=r"stations=7, and there are 6 places to put them"):
        ask(7)
    with pytest.raises(ModelError, match="stations=0 must be a whole number of at least 1"):
        ask(0)
    with pytest.raises(ModelError, match="budget=0 must be a number above 0"):
        ask(Limits(budget=0))
    with pytest.raises(ModelError, match="give stations=, budget=, or both"):
        Limits()
    with pytest.raises(ModelError, match=r"cost and camera=0\.0 must be a number above 0"):
        Limits(budget=3)
    with pytest.raises(DataError, match=r"not one station can be set out: the cheapest costs 2"):
        ask(Limits(budget=1, camera=2))
    with pytest.raises(DataError, match=r"no such column.* Did you mean 'cost'"):
        ask(Limits(budget=1, cost="costs"))
    with pytest.raises(DataError, match="place 'P000' has no cost of 0 or more in 'cost'"):
        ask(Limits(budget=9, cost="cost"), at=places_of(6, cost=[-1.0, 1, 1, 1, 1, 1]))
    with pytest.raises(ModelError, match="paired=1 must be a number above 1"):
        Limits(stations=3, paired=1)
    with pytest.raises(ModelError, match="limits='many': give a number of stations"):
        ask("many")
    with pytest.raises(ModelError, match="held at one station"):
        ask(3, at=places_of(6, detector="multi"))
    with pytest.raises(ModelError, match="from one occasion to the next"):
        ask(3, lp.SCR(detection=lp.HalfNormal(lambda0="~ trend")))
    with pytest.raises(ModelError, match="comes in bursts"):
        ask(3, lp.SCR(counts="negbin"), at=places_of(6, detector="count"))
    with pytest.raises(ModelError, match="starts=0"):
        lp.design.layout(lp.SCR(), places, mask, parameters=TRUTH, limits=3, starts=0)


def test_the_map():
    places = places_of(20)
    limits = Limits(budget=10, cost=1.0, camera=0.5, paired=2.0)
    found = lp.design.layout(lp.SCR(), places, mask_of(places, 1.0), parameters=TRUTH, limits=limits)
    ax = found.plot()
    assert "of 20 places" in ax.caption
    drawn = {c.get_label(): len(c.get_offsets()) for c in ax.collections}
    assert drawn["feasible place"] == 20
    assert sum(n for label, n in drawn.items() if label.startswith("station")) == len(found.stations)
    ax.figure.canvas.draw()


def test_what_leaves_no_room_is_told():
    places = places_of(20, seed=1)
    with pytest.warns(DataWarning, match=r"1 station of the 5 that were asked for: apart=1e\+09 leaves no room"):
        found = lp.design.layout(
            lp.SCR(), places, mask_of(places, 1.0), parameters=TRUTH, limits=Limits(stations=5, apart=1e9), starts=1
        )
    assert len(found.stations) == 1


def test_two_flanks_are_no_whole_animals():
    places = places_of(20, seed=1)
    for ask in (
        lambda: lp.design.layout(lp.TwoFlanks(), places, mask_of(places, 1.0), parameters=TRUTH, limits=5),
        lambda: lp.design.expected(lp.TwoFlanks(), places, mask_of(places, 1.0), parameters=TRUTH),
    ):
        with pytest.raises(ModelError, match="model=TwoFlanks: these numbers are of whole animals"):
            ask()


def test_two_cameras_are_in_the_design():
    """What is said of the layout is what its design is expected to find."""
    places = places_of(16, seed=1)
    limits = Limits(budget=12.0, cost=1.0, camera=0.1, paired=1.8)
    found = lp.design.layout(lp.SCR(), places, mask_of(places, 1.0), parameters=TRUTH, limits=limits, starts=1)
    assert (found.stations["cameras"] == 2).any()
    again = lp.design.expected(lp.SCR(), found.design, mask_of(places, 1.0), parameters=TRUTH).table.iloc[0]
    assert again["n"] == pytest.approx(found.numbers["n"], rel=1e-6)
    assert again["recaptures"] == pytest.approx(found.numbers["recaptures"], rel=1e-6)
