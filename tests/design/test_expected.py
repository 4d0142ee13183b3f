"""Expected numbers against loops, against simulation, and against themselves."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import leopardpop as lp
from leopardpop.errors import DataError, DataWarning, ModelError
from tests.design.designs import SIGMA, TRUTH, grid_design, mask_of


def by_loops(history, mask, detector, truth):
    """n, detections and stations of a half-normal survey, with loops."""
    data = history.arrays(history.sessions[0])
    n = detections = stations = 0.0
    for x, y, area in zip(mask.x, mask.y, mask.area, strict=True):
        never, at_station, total = 1.0, np.ones(len(data.xy)), 0.0
        for o in range(data.effort.shape[1]):
            rates = [
                truth["lambda0"]
                * np.exp(-((x - u) ** 2 + (y - v) ** 2) / (2 * truth["sigma"] ** 2))
                * data.effort[k, o]
                for k, (u, v) in enumerate(data.xy)
            ]
            never *= np.exp(-sum(rates))
            for k, rate in enumerate(rates):
                p = 1 - np.exp(-rate)
                if detector == "multi":
                    p = rate / sum(rates) * (1 - np.exp(-sum(rates))) if sum(rates) else 0.0
                at_station[k] *= 1 - p
                total += rate if detector == "count" else p
        n += truth["D"] * area * (1 - never)
        detections += truth["D"] * area * total
        stations += truth["D"] * area * (1 - at_station).sum()
    return n, detections, stations


@pytest.mark.parametrize("detector", ["proximity", "count", "multi"])
def test_against_loops(detector):
    effort = pd.DataFrame(
        {"station": [f"K{i:02d}" for i in range(4)], 1: [1, 2, 0, 3], 2: [1, 2, 0, 3], 3: [0, 1, 1, 5]}
    )
    design = grid_design(2, detector=detector, occasions=None, effort=effort)
    mask = mask_of(design, 1.0)
    row = lp.design.expected(lp.SCR(), design, mask, parameters=TRUTH).table.iloc[0]
    n, detections, stations = by_loops(design, mask, detector, TRUTH)
    assert row["n"] == pytest.approx(n, rel=1e-10)
    assert row["recaptures"] == pytest.approx(detections - n, rel=1e-10)
    assert row["spatial_recaptures"] == pytest.approx(stations - n, rel=1e-10)
    assert row["esa"] == pytest.approx(n / TRUTH["D"], rel=1e-10)
    assert row["E_N"] == pytest.approx(TRUTH["D"] * mask.total_area)
    assert row["rse"] == pytest.approx(1 / np.sqrt(min(n, detections - n)))


def simulated_numbers(model, design, mask, truth, replicates=100):
    rows = []
    for seed in range(replicates):
        found = model.simulate(design, mask, parameters=truth, seed=seed).history
        rows.append((found.n_individuals, found.n_recaptures, found.n_spatial_recaptures))
    return np.array(rows, float)


@pytest.mark.parametrize(
    "model, detector, truth",
    [
        (lp.SCR(), "proximity", TRUTH),
        (lp.SCR(), "multi", TRUTH),
        (lp.SCR(counts="negbin"), "count", {**TRUTH, "size": 0.3}),
        (
            lp.SCR(detection=lp.HalfNormal(lambda0="~ sex", sigma="~ sex"), classes="sex"),
            "proximity",
            {**TRUTH, "pmix": 0.3, "sigma[sex[M]]": 0.5, "lambda0[sex[M]]": -0.7},
        ),
        (
            lp.SCR(density="~ snow", detection=lp.Exponential(lambda0="~ occasion")),
            "proximity",
            {**TRUTH, "D[snow]": 4e-4},
        ),
    ],
    ids=["proximity", "multi", "bursts", "sex", "covariates"],
)
def test_simulation_gives_the_same_within_its_error(model, detector, truth):
    design = grid_design(4, detector=detector, occasions=4)
    mask = mask_of(design)
    mask = mask.with_covariates(snow=mask.x - mask.x.mean()) if "snow" in model.density.D else mask
    row = lp.design.expected(model, design, mask, parameters=truth).table.iloc[0]
    found = simulated_numbers(model, design, mask, truth)
    error = found.std(0, ddof=1) / np.sqrt(len(found))
    told = row[["n", "recaptures", "spatial_recaptures"]].to_numpy(float)
    assert (np.abs(found.mean(0) - told) < 4 * error).all(), (found.mean(0), told, error)
    assert (error < 0.15 * told).all()


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 4), st.floats(0.01, 1.0), st.sampled_from(["proximity", "count", "multi"]))
def test_effort_is_as_many_occasions(times, lambda0, detector):
    truth = {**TRUTH, "lambda0": lambda0}
    short, long = grid_design(2, occasions=2, detector=detector), grid_design(2, occasions=2 * times, detector=detector)
    mask = mask_of(short, 1.0)
    one = lp.design.expected(lp.SCR(), short, mask, parameters=truth, effort=times).table.iloc[0]
    other = lp.design.expected(lp.SCR(), long, mask, parameters=truth).table.iloc[0]
    for name in ("n", "recaptures", "spatial_recaptures", "esa"):
        assert one[name] == pytest.approx(other[name], rel=1e-9)


def test_more_stations_and_more_effort_buy_more():
    designs = {"few": grid_design(3), "many": grid_design(5)}
    mask = mask_of(designs["many"])
    found = lp.design.expected(lp.SCR(), designs, mask, parameters=TRUTH, effort=(1, 2, 4))
    table = found.table.set_index(["design", "effort"])
    assert (table["n"].unstack().diff(axis=1).iloc[:, 1:] > 0).all(axis=None)
    assert (table.loc["many", "rse"] < table.loc["few", "rse"]).all()
    assert found.summary()["n"].tolist() == pytest.approx(found.table["n"].tolist())
    assert "many: 25 stations × 20 occasions" in repr(found)


def test_pdot_adds_up_to_the_effective_area():
    design = grid_design(3)
    found = lp.design.expected(lp.SCR(), design, mask_of(design), parameters=TRUTH, effort=(1, 3))
    for f in (1.0, 3.0):
        cells = found.pdot(effort=f)
        row = found.table[found.table["effort"] == f].iloc[0]
        assert (cells["pdot"] * cells["area"]).sum() == pytest.approx(row["esa"])
        assert cells["pdot"].between(0, 1).all()
    with pytest.raises(ModelError, match=r"effort=None: it is one of 1, 3"):
        found.pdot()
    with pytest.raises(ModelError, match=r"Did you mean 'design'"):
        found.pdot("desing", effort=1)


def test_priors_are_drawn_from():
    design, mask = grid_design(3), mask_of(grid_design(3))
    assumed = {**TRUTH, "D": lp.Prior("LogNormal", mu=np.log(0.5), sigma=0.4)}
    found = lp.design.expected(lp.SCR(), design, mask, parameters=assumed, draws=400, seed=3)
    exact = lp.design.expected(lp.SCR(), design, mask, parameters=TRUTH).table["n"].iloc[0]
    logs = np.log(found.table["n"] / exact)  # n is in proportion to D
    assert abs(logs.mean()) < 4 * 0.4 / 20
    assert logs.std() == pytest.approx(0.4, rel=0.15)
    assert "400 draws" in repr(found)
    share = found.probability(0.25).iloc[0]
    assert share == (found.table["rse"] <= 0.25).mean()
    assert 0 < share < 1


def test_the_posterior_of_a_pilot():
    pilot = grid_design(4, occasions=6)
    mask, model = mask_of(pilot), lp.SCR()
    fit = model.fit(model.simulate(pilot, mask, parameters=TRUTH, seed=4).history, mask, seed=1, engine="laplace")
    found = lp.design.expected(model, grid_design(5), mask, parameters=fit, draws=100)
    assert len(found.table) == 100
    expected_N = fit.posterior["E_N"].to_numpy().ravel()
    assert found.table["E_N"].median() == pytest.approx(np.median(expected_N), rel=0.08)


def test_a_table_of_draws():
    design = grid_design(2)
    table = pd.DataFrame({"D": [0.1, 0.2], "lambda0": 0.1, "sigma": SIGMA})
    n = lp.design.expected(lp.SCR(), design, mask_of(design), parameters=table).table["n"]
    assert n[1] == pytest.approx(2 * n[0])


def test_sessions_are_added_up():
    one = grid_design(2)
    stations = pd.concat([one.stations.assign(session=s) for s in ("a", "b")])
    two = lp.CaptureHistory.from_tables(None, stations, occasions=5)
    numbers = [lp.design.expected(lp.SCR(), h, mask_of(one), parameters=TRUTH).table.iloc[0] for h in (one, two)]
    for name in ("E_N", "n", "recaptures", "esa"):
        assert numbers[1][name] == pytest.approx(2 * numbers[0][name])


def test_nothing_to_learn_from_is_said():
    design = grid_design(2, occasions=1, detector="multi")  # one catch at most: never a recapture
    found = lp.design.expected(lp.SCR(), design, mask_of(design), parameters=TRUTH)
    assert found.table["rse"].iloc[0] > 1e6
    assert found.table["recaptures"].iloc[0] == pytest.approx(0, abs=1e-9)


def test_bad_input():
    design = grid_design(2)
    mask, model = mask_of(design), lp.SCR()
    ask = lp.design.expected
    with pytest.raises(ModelError, match=r"sigma = -5.* outside its range"):
        ask(model, design, mask, parameters={**TRUTH, "sigma": -5.0})
    with pytest.raises(ModelError, match="did you mean 'lambda0'"):
        ask(model, design, mask, parameters={"D": 1.0, "lambda": 0.1, "sigma": 1e3})
    with pytest.raises(ModelError, match=r"effort=0: give one or several numbers above 0"):
        ask(model, design, mask, parameters=TRUTH, effort=0)
    with pytest.raises(ModelError, match="draws=0 must be a whole number of at least 1"):
        ask(model, design, mask, parameters=TRUTH, draws=0)
    with pytest.raises(ModelError, match="no row or no column"):
        ask(model, design, mask, parameters=pd.DataFrame())
    with pytest.raises(ModelError, match=r"give a dict"):
        ask(model, design, mask, parameters=3)
    with pytest.raises(ModelError, match=r"Use lp\.design\.study"):
        ask(lp.SCR(detection=lp.HalfNormal(lambda0="~ b")), design, mask, parameters=TRUTH)
    with pytest.raises(DataError, match="designs is empty"):
        ask(model, {}, mask, parameters=TRUTH)
    with pytest.raises(DataError, match="first: DataFrame is no capture history"):
        ask(model, {"first": design.stations}, mask, parameters=TRUTH)
    effort = pd.DataFrame({"station": [f"K{i:02d}" for i in range(4)], 1: 0.0})
    with pytest.warns(DataWarning, match="4 stations never on"):
        dead = grid_design(2, occasions=None, effort=effort)
    with pytest.raises(DataError, match="no station is on in any occasion"):
        ask(model, dead, mask, parameters=TRUTH)


def test_the_map():
    design = grid_design(3)
    ax = lp.design.expected(lp.SCR(), design, mask_of(design), parameters=TRUTH).plot()
    assert "9 stations (dots), 5 occasions" in ax.caption
    assert "km²" in ax.caption
    assert ax.alt_text.startswith("Map of the probability of being detected")
    image = ax.images[0].get_array()
    assert np.nanmax(image) <= 1
    ax.figure.canvas.draw()
