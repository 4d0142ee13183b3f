"""Virtual surveys: each thing that happens, by itself, against what it should do on average."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest

import leopardpop as lp
from leopardpop.design import Reality
from leopardpop.errors import DataError, ModelError
from tests.design.designs import TRUTH, grid_design, mask_of

DESIGN = grid_design(5, occasions=8)
MASK = mask_of(DESIGN, 1.0)
DENSE = {**TRUTH, "D": 1.5, "lambda0": 0.3}


def made(seed: int = 1, *, model=None, design=DESIGN, truth=DENSE, **what):
    return lp.design.virtual_survey(
        model or lp.SCR(), design, MASK, parameters=truth, reality=Reality(**what), seed=seed
    )


def test_if_nothing_happens_the_model_is_simulated():
    found = made()
    stream = np.random.default_rng(1).spawn(2)[0]
    plain = lp.SCR().simulate(DESIGN, MASK, parameters=DENSE, seed=stream)
    assert found.history == plain.history
    assert found.truth.N.tolist() == plain.truth.N.tolist()
    assert (found.records["label"] == found.records["animal"]).all()
    assert (found.truth.identities["wrong"] == 0).all()
    assert found.truth.coefficients.equals(plain.truth.coefficients)


def test_the_same_seed_the_same_survey():
    what = {"ghosts": 0.1, "die": 0.2, "group_size": 1.5, "together": 0.5, "both_flanks": 0.5}
    assert made(3, **what).history == made(3, **what).history
    assert made(3, **what).history != made(4, **what).history


@pytest.mark.parametrize("detector", ["proximity", "count"])
def test_misread_records(detector):
    design = grid_design(5, occasions=8, detector=detector)
    several = [made(s, design=design, ghosts=0.15, confusions=0.1) for s in range(8)]
    records = pd.concat([each.records for each in several])
    n = len(records)
    for error, share in (("ghost", 0.15), ("confusion", 0.1)):
        found = (records["error"] == error).mean()
        assert abs(found - share) < 4 * np.sqrt(share * (1 - share) / n)
    right = records["error"] == ""
    assert (records["label"] == records["animal"])[right].all()
    assert (records["label"] != records["animal"])[~right].all()
    first = several[0]
    ghosts = first.records.query("error == 'ghost'")["label"]
    assert ghosts.is_unique
    assert set(ghosts) <= set(first.history.individuals["individual"])
    assert first.history.n_individuals > first.truth.population["detected"].sum()
    assert first.truth.identities["wrong"].sum() > 0
    confused = first.records.query("error == 'confusion'")
    assert set(confused["label"]) <= set(first.truth.population["animal"])
    total = first.history.detections["count"].sum()
    assert total == len(first.records) if detector == "count" else total <= len(first.records)


def test_groups():
    truth = {**DENSE, "D": 2.0}
    several = [made(s, truth=truth, group_size=2.5, together=0.6) for s in range(12)]
    number = np.array([each.truth.N.sum() for each in several], float)
    expected = several[0].truth.E_N.iloc[0]
    assert expected == pytest.approx(2.0 * MASK.total_area)
    assert abs(number.mean() - expected) < 4 * number.std(ddof=1) / np.sqrt(len(number))
    assert several[0].truth.coefficients["D[Intercept]"] == pytest.approx(np.log(2.0))
    one = several[0]
    places = one.truth.population.groupby("group")[["x", "y"]].nunique()
    assert (places == 1).all(axis=None)
    sizes = pd.concat([e.truth.population.groupby("group").size() for e in several])
    assert sizes.mean() == pytest.approx(2.5, abs=4 * sizes.std() / np.sqrt(len(sizes)))
    further = sum(
        (e.records["animal"].map(lambda a: a.split("-")[0]).map(e.truth.population.groupby("group").size()) - 1)[
            ~e.records["animal"].str.contains("-")
        ].sum()
        for e in several
    )
    members = sum(e.records["animal"].str.contains("-").sum() for e in several)
    assert members == pytest.approx(0.6 * further, abs=4 * np.sqrt(0.24 * further))


def test_cubs_are_beside_their_mother_and_nowhere_else():
    model = lp.SCR(detection=lp.HalfNormal(sigma="~ sex"), classes="sex")
    truth = {**DENSE, "pmix": 0.4, "sigma[sex[M]]": 0.3}
    found = made(2, model=model, truth=truth, breeding=0.7, litter=1.8, with_cubs=0.5)
    population, records = found.truth.population, found.records
    cubs = population[population["life_stage"] == "cub"]
    mothers = population[population["breeding"].astype(bool)]
    assert set(mothers["sex"]) == {"F"}
    assert set(cubs["group"]) == set(mothers["group"])
    shown = records[records["life_stage"] == "cub"]
    keys = ["mother", "station", "occasion"]
    beside = shown.assign(mother=shown["animal"].str.split(" cub").str[0])[keys].drop_duplicates()
    own = records[records["life_stage"] == "adult"].rename(columns={"animal": "mother"})[keys]
    assert len(shown) > 5
    assert beside.merge(own.drop_duplicates(), on=keys).shape == beside.shape
    assert not found.history.individuals["individual"].str.contains("cub").any()
    assert found.truth.N.sum() == (population["life_stage"] == "adult").sum()
    assert found.history.individuals["sex"].isin(["F", "M"]).all()


def test_stations_fail():
    died = []
    for seed in range(30):
        effort = made(seed, truth={**TRUTH, "D": 0.1}, die=0.3).history.arrays("1").effort
        assert (np.diff(effort, axis=1) <= 0).all()  # for good
        died.append((effort[:, -1] == 0).mean())
    assert np.mean(died) == pytest.approx(0.3, abs=4 * np.sqrt(0.21 / (30 * 25)))
    found = made(5, outage=0.25)
    effort = found.history.arrays("1").effort
    assert (effort == 0).mean() == pytest.approx(0.25, abs=4 * np.sqrt(0.1875 / effort.size))
    data = found.history.arrays("1")
    assert (effort[data.station, data.occasion] > 0).all()


def test_flanks():
    found = made(4, both_flanks=0.2)
    names = found.history.individuals["individual"]
    sides = names[names.str.endswith(("/L", "/R"))]
    assert len(sides) > 3
    assert {"left", "right", "both"} <= set(found.history.detections)
    whose = found.truth.identities.set_index("individual")["animal"]
    assert all(whose[name] == name[:-2] for name in sides)
    assert set(names) == set(whose.index)


def test_sessions():
    stations = pd.concat([grid_design(4).stations.assign(session=s) for s in ("2023", "2024")])
    design = lp.CaptureHistory.from_tables(None, stations, occasions=5)
    found = lp.design.virtual_survey(
        lp.SCR(), design, MASK, parameters=DENSE, reality=Reality(ghosts=0.1, die=0.2, group_size=1.3), seed=1
    )
    assert found.history.sessions == ("2023", "2024")
    assert found.truth.N.index.tolist() == ["2023", "2024"]
    assert found.records.groupby("session").size().min() > 10


def test_a_survey_with_ghosts_in_a_study():
    """What misread identities cost: N is told too high."""
    design = grid_design(4, occasions=6)
    mask = mask_of(design, 1.0)
    plans = {
        name: lp.design.Scenario(
            model=lp.SCR(), design=design, mask=mask, parameters={**TRUTH, "D": 1.0}, reality=Reality(ghosts=share)
        )
        for name, share in (("right", 0.0), ("ghosts", 0.2))
    }
    bias = (
        lp.design.study(plans, replicates=6).summary().query("quantity == 'E_N'").set_index("scenario")["relative_bias"]
    )
    assert bias["ghosts"] > bias["right"] + 0.15
    assert plans["right"].fingerprint() != plans["ghosts"].fingerprint()


def covariance_of(name: str, distance: np.ndarray, length: float) -> np.ndarray:
    if name == "matern32":
        r = np.sqrt(3) * distance / length
        return (1 + r) * np.exp(-r)
    return np.exp(-(distance**2) / (2 * length**2))


@pytest.mark.parametrize("name", ["matern32", "squared_exponential"])
def test_the_covariance_of_a_field(name):
    x = np.array([0.0, 500.0, 1_500.0, 4_000.0])
    values = np.array([
        lp.design.gaussian_field(1_500, mean=3.0, sd=2.0, covariance=name, seed=s)(x, np.zeros(4)) for s in range(2_000)
    ])  # fmt: skip
    error = 4 / np.sqrt(2_000)
    assert values.mean(0) == pytest.approx(np.full(4, 3.0), abs=2 * error)
    found = np.corrcoef(values.T)[0]
    assert values.std(0) == pytest.approx(np.full(4, 2.0), rel=error)
    assert found == pytest.approx(covariance_of(name, x, 1_500), abs=error)


def test_a_field_is_a_covariate():
    field = lp.design.gaussian_field(3_000, seed=5)
    mask = MASK.with_covariates(prey=pickle.loads(pickle.dumps(field)))
    assert mask.table["prey"].to_numpy() == pytest.approx(field(MASK.x, MASK.y))
    truth = {**TRUTH, "D[prey]": 0.8}
    found = lp.design.virtual_survey(lp.SCR(density="~ prey"), DESIGN, mask, parameters=truth, seed=1)
    assert found.truth.coefficients["D[prey]"] == pytest.approx(0.8)
    assert field(np.zeros((2, 3)), np.zeros((2, 3))).shape == (2, 3)


def test_bad_input():
    for wrong in ({"ghosts": 1.2}, {"die": -0.1}, {"group_size": 0.5}, {"both_flanks": 2}, {"litter": np.nan}):
        with pytest.raises(ModelError, match=next(iter(wrong))):
            Reality(**wrong)
    with pytest.raises(ModelError, match=r"ghosts \+ confusions"):
        Reality(ghosts=0.6, confusions=0.6)
    with pytest.raises(ModelError, match="cannot be at two stations"):
        made(design=grid_design(3, detector="multi"), confusions=0.1)
    with pytest.raises(ModelError, match="Occupancy models have simulate"):
        made(model=lp.Occupancy())
    with pytest.raises(DataError, match="all stations failed"):
        made(outage=1.0)
    with pytest.raises(ModelError, match="length=0"):
        lp.design.gaussian_field(0)
    with pytest.raises(ModelError, match="covariance='exponential'"):
        lp.design.gaussian_field(1_000, covariance="exponential")
    with pytest.raises(ModelError, match="the parameters have no D"):
        lp.design.virtual_survey(
            lp.SCR(), DESIGN, MASK, parameters={"lambda0": 0.1, "sigma": 1e3}, reality=Reality(group_size=2)
        )
    with pytest.raises(ModelError, match=r"reality='bad': give"):
        lp.design.virtual_survey(lp.SCR(), DESIGN, MASK, parameters=TRUTH, reality="bad")


# -- movement ---------------------------------------------------------------------------------------------------------
def distances(drift: float, seeds=range(6)) -> np.ndarray:
    """Squared distances of detections from the first centre, and their occasions, of counts on a wide dense grid."""
    line = np.arange(-12, 13) * 500.0
    x, y = (each.ravel() for each in np.meshgrid(line, line))
    stations = pd.DataFrame({"station": [f"K{i:03d}" for i in range(x.size)], "x": x, "y": y})
    design = lp.CaptureHistory.from_tables(None, stations, occasions=9, detector="count")
    cells = pd.DataFrame({"x": [0.0, 500.0], "y": [0.0, 0.0], "area": 0.25})
    parameters = {"D": 80.0, "lambda0": 0.1, "sigma": 700.0}
    rows = []
    for seed in seeds:
        found = lp.design.virtual_survey(
            lp.SCR(), design, lp.Mask(cells), parameters=parameters, reality=Reality(drift=drift), seed=seed
        )
        places = found.truth.population.set_index("animal")[["x", "y"]]
        at = stations.set_index("station")[["x", "y"]]
        apart = at.loc[found.records["station"]].to_numpy() - places.loc[found.records["animal"]].to_numpy()
        rows.append(np.column_stack([(apart**2).sum(1), found.records["occasion"].astype(int)]))
    return np.concatenate(rows)


@pytest.mark.parametrize("drift", [0.0, 300.0])
def test_centres_move_as_far_as_they_should(drift):
    """Mean squared distance at occasion o: 2 sigma² + 2 (o − 1) drift²."""
    found = distances(drift)
    for occasion in (1, 5, 9):
        squared = found[found[:, 1] == occasion, 0]
        expected = 2 * 700.0**2 + 2 * (occasion - 1) * drift**2
        assert squared.mean() == pytest.approx(expected, rel=0.15)


def test_centres_that_move_inflate_sigma():
    still, moving = (made(2, drift=drift, truth={**DENSE, "D": 3.0}).history for drift in (0.0, 600.0))
    sigma = [lp.SCR().maximum_likelihood(each, MASK).estimates.loc["sigma", "estimate"] for each in (still, moving)]
    assert sigma[1] > 1.15 * sigma[0]


def test_centres_cannot_move_along_least_cost_ways():
    ground = MASK.with_covariates(cost=lambda x, y: 1.0 + 0 * x)
    model = lp.SCR(distance=lp.LeastCost(resistance="cost"))
    with pytest.raises(ModelError, match="drift: centres that move have no least-cost distances"):
        lp.design.virtual_survey(model, DESIGN, ground, parameters=DENSE, reality=Reality(drift=10.0), seed=1)
    with pytest.raises(ModelError, match="drift=-1 must be a number of at least 0"):
        Reality(drift=-1)
