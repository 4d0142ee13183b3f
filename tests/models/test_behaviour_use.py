"""Using models of behaviour and occasions: simulation, fits, predictions, priors, tables and refusals."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import leopardpop as lp
from leopardpop.errors import DataError, ModelError
from leopardpop.models.behaviour import Memory, make_states
from leopardpop.models.problem import Problem

AXIS = range(0, 6_000, 1_000)
STATIONS = pd.DataFrame([(f"{x}-{y}", x, y) for x in AXIS for y in AXIS], columns=["station", "x", "y"])
TRUE = {"D": 0.8, "lambda0": 0.10, "sigma": 900.0, "lambda0[bk[caught]]": 1.5}


def design(n_occasions: int = 6, detector: str = "proximity", **tables: object) -> lp.CaptureHistory:
    given = {"occasions": n_occasions} | tables
    return lp.CaptureHistory.from_tables(None, STATIONS, detector=detector, **given)  # type: ignore[arg-type]


def mask_of(history: lp.CaptureHistory) -> lp.Mask:
    return lp.Mask.around(history, buffer=3_000, spacing=500)


def simulated(detector: str = "proximity", seed: int = 3) -> tuple[lp.CaptureHistory, lp.Mask]:
    history = design(detector=detector)
    mask = mask_of(history)
    model = lp.SCR(detection=lp.HalfNormal(lambda0="~ bk"))
    return model.simulate(history, mask, parameters=TRUE, seed=seed).history, mask


# --- states -------------------------------------------------------------------------------------------


def test_memory_of_two_stations() -> None:
    """Captured at A on the first of four occasions; A rests on the second, everything on the third."""
    states = make_states(("b", "bk", "B", "Bk"))
    memory = Memory(states, 1, 2)
    effort = np.array([[1.0, 0, 0, 1], [1, 1, 0, 1]])
    found = []
    for s in range(4):
        found.append(states.table[memory.now()[0]].astype(int).tolist())
        memory.note(np.array([[s == 0, False]]), effort[:, s])
    assert found[0] == [[0, 0, 0, 0], [0, 0, 0, 0]]
    assert found[1] == [[1, 1, 1, 1], [1, 0, 1, 0]]
    assert found[2] == [[1, 1, 0, 1], [1, 0, 0, 0]]
    assert found[3] == [[1, 1, 0, 1], [1, 0, 0, 0]]


# --- simulation and recovery --------------------------------------------------------------------------


@pytest.mark.parametrize("detector", ["proximity", "count", "multi"])
def test_simulated_numbers_are_expected(detector: str) -> None:
    """Detections of naive and of known animals number what their hazards, given the past, say."""
    history = design(detector=detector)
    model = lp.SCR(detection=lp.HalfNormal(lambda0="~ bk"))
    sim = model.simulate(history, mask_of(history), parameters=TRUE | {"D": 4.0}, seed=5)
    animals = sim.truth.population.set_index("animal")
    counts = np.zeros((len(animals), len(STATIONS), 6))
    rows = sim.history.detections
    place = [list(animals.index).index(i) for i in rows["individual"]]
    at = [list(STATIONS["station"]).index(k) for k in rows["station"]]
    counts[place, at, rows["occasion"].astype(int) - 1] = rows["count"]
    d2 = (animals["x"].to_numpy()[:, None] - STATIONS["x"].to_numpy()) ** 2
    d2 = d2 + (animals["y"].to_numpy()[:, None] - STATIONS["y"].to_numpy()) ** 2
    known = (np.cumsum(counts, axis=2) - counts) > 0
    hazard = 0.1 * np.exp(-d2 / (2 * 900.0**2))[:, :, None] * np.exp(1.5 * known)
    total = hazard.sum(1, keepdims=True)
    expected = {
        "count": hazard,
        "proximity": -np.expm1(-hazard),
        "multi": -np.expm1(-total) * hazard / total,
    }[detector]
    for which in (known, ~known):
        spread = math.sqrt(expected[which].sum())
        assert abs((counts - expected)[which].sum()) < 3.5 * spread


@pytest.mark.parametrize("detector", ["proximity", "multi"])
def test_recovery(detector: str) -> None:
    """The mean of twelve estimates lies within three of its standard errors of the truth."""
    model = lp.SCR(detection=lp.HalfNormal(lambda0="~ bk"))
    estimates = []
    for seed in range(12):
        history, mask = simulated(detector, seed)
        estimates.append(model.maximum_likelihood(history, mask).coefficients["estimate"])
    table = pd.DataFrame(estimates)
    truth = [math.log(0.8), math.log(0.1), 1.5, math.log(900.0)]
    z = (table.mean() - truth) / (table.std() / math.sqrt(len(table)))
    assert (z.abs() < 3.5).all(), z


def test_occasions_in_a_simulation() -> None:
    """Nothing is detected on an occasion of which the covariate forbids it."""
    occasions = pd.DataFrame({"occasion": range(1, 7), "rain": [0.0, 0, 0, 1, 1, 1]})
    history = design(occasions=occasions)
    model = lp.SCR(detection=lp.HalfNormal(lambda0="~ rain"))
    values = {"D": 0.8, "lambda0": 0.1, "sigma": 900.0, "lambda0[rain]": -60.0}
    sim = model.simulate(history, mask_of(history), parameters=values, seed=1)
    assert set(sim.history.detections["occasion"]) <= {"1", "2", "3"}
    assert sim.history.occasion_covariates["rain"].tolist() == occasions["rain"].tolist()
    model.log_likelihood(sim.history, mask_of(history), parameters=values)


# --- fits ---------------------------------------------------------------------------------------------


def test_fit_predict_and_tables() -> None:
    """Naive animals are the reference; both kinds are told."""
    history, mask = simulated()
    model = lp.SCR(detection=lp.HalfNormal(lambda0="~ bk"))
    fit = model.fit(history, mask, seed=1)
    assert fit.posterior["lambda0"].dims == ("chain", "draw", "bk")
    assert fit.posterior["bk"].values.tolist() == ["naive", "caught"]
    both = fit.predict("lambda0", pd.DataFrame({"bk": ["naive", "caught"]}))
    np.testing.assert_allclose(both.values, fit.posterior["lambda0"].values)
    assert {"lambda0[naive]", "lambda0[caught]"} <= set(fit.summary().index)
    ratio = float(np.log(both[..., 1] / both[..., 0]).mean())
    assert ratio == pytest.approx(1.5, abs=0.6)
    assert fit.population().expected.mean() > 0
    fit.plot.detection()


@pytest.mark.verification
def test_saved_and_reported(tmp_path: Path) -> None:
    """Covariates of occasions and behaviour survive a file; the report shows their formulas."""
    occasions = pd.DataFrame({"occasion": range(1, 7), "rain": [0.0, 1, 0, 2, 1, 0]})
    history = design(occasions=occasions)
    mask, model = mask_of(history), lp.SCR(detection=lp.HalfNormal(lambda0="~ bk + rain"))
    sim = model.simulate(history, mask, parameters=TRUE | {"lambda0[rain]": 0.3}, seed=4)
    fit = model.fit(sim.history, mask, seed=1)
    fit.save(tmp_path / "fit.nc")
    again = lp.load_fit(tmp_path / "fit.nc")
    assert again.history == sim.history
    rows = pd.DataFrame({"bk": ["caught"], "rain": [1.0]})
    np.testing.assert_allclose(again.predict("lambda0", rows), fit.predict("lambda0", rows))
    fit.report(tmp_path / "report.html")
    assert "bk + rain" in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_table_of_parameters_and_priors() -> None:
    history, mask = simulated()
    model = lp.SCR(detection=lp.HalfNormal(lambda0="~ bk + trend", sigma="~ b"))
    table = model.parameters(history, mask).set_index(["name", "coefficient"])["prior"]
    assert "sigma=1.5" in table["lambda0", "bk[caught]"]
    assert "sigma=0.35" in table["sigma", "b[caught]"]
    sd_of_trend = np.arange(6).std()
    assert f"sigma={0.7 / sd_of_trend}"[:14] in table["lambda0", "trend"]
    priors = {"lambda0[bk[caught]]": lp.Prior("Normal", mu=1, sigma=0.2)}
    given = lp.SCR(detection=model.detection, priors=priors).parameters(history, mask)
    assert "mu=1" in given.set_index("coefficient").loc["bk[caught]", "prior"]


def test_natural_scale_is_naive() -> None:
    history, mask = simulated()
    model = lp.SCR(detection=lp.HalfNormal(lambda0="~ bk"))
    link = {"D[Intercept]": math.log(0.8), "lambda0[Intercept]": math.log(0.1), "lambda0[bk[caught]]": 1.5}
    link |= {"sigma[Intercept]": math.log(900.0)}
    natural = model.log_likelihood(history, mask, parameters=TRUE)
    assert natural == pytest.approx(model.log_likelihood(history, mask, parameters=pd.Series(link)))


def test_a_column_of_the_stations_goes_first() -> None:
    """A user's own trend is the user's."""
    stations = STATIONS.assign(trend=np.linspace(0.0, 1.0, len(STATIONS)))
    history = lp.CaptureHistory.from_tables(None, stations, occasions=3)
    problem = Problem(lp.SCR(detection=lp.HalfNormal(lambda0="~ trend")), history, mask_of(history))
    assert problem.units[0].arrays is problem.data[0]


# --- refusals -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["b", "bk", "B", "Bk"])
def test_behaviour_needs_occasions(name: str) -> None:
    history = design(1, "count")
    with pytest.raises(ModelError, match=rf"'~ {name}' of 'lambda0'.*has one occasion.*leave '{name}' out"):
        lp.SCR(detection=lp.HalfNormal(lambda0=f"~ {name}")).parameters(history, mask_of(history))


@pytest.mark.parametrize(
    ("formula", "words"),
    [
        ("~ trendy", "no variable 'trendy'. Did you mean 'trend'.*Available: .*occasion, trend, b, bk, B, Bk"),
        ("~ bk + rian", "no variable 'rian'. Did you mean 'rain'"),
        ("~ Trend", "no variable 'Trend'. Did you mean 'trend'"),
    ],
)
def test_unknown_names(formula: str, words: str) -> None:
    history = design(occasions=pd.DataFrame({"occasion": [1, 2, 3], "rain": [0.0, 1, 2]}))
    with pytest.raises(ModelError, match=words):
        lp.SCR(detection=lp.HalfNormal(lambda0=formula)).parameters(history, mask_of(history))


def test_a_covariate_that_is_missing_where_a_station_worked() -> None:
    names = STATIONS["station"].to_numpy()
    effort = pd.DataFrame({"station": np.repeat(names, 2), "occasion": [1, 2] * len(names), "effort": 1.0})
    effort["bait"] = np.arange(len(effort), dtype=float)
    effort.loc[[3, 4], "bait"] = np.nan
    history = design(effort=effort, occasions=None)
    model = lp.SCR(detection=lp.HalfNormal(lambda0="~ bait"))
    with pytest.raises(DataError, match=r"'bait' is missing on 2 of 72 station-occasions \(0-1000 on 2, 0-2000 on 1\)"):
        model.parameters(history, mask_of(history))
    effort.loc[[3, 4], "effort"] = 0.0
    model.parameters(design(effort=effort, occasions=None), mask_of(history))


def test_one_occasion_has_no_trend() -> None:
    with pytest.raises(ModelError, match=r"trend has the same value on all"):
        lp.SCR(detection=lp.HalfNormal(lambda0="~ trend")).parameters(design(1), mask_of(design(1)))


def test_density_has_no_occasions() -> None:
    history = design(occasions=pd.DataFrame({"occasion": [1, 2, 3], "rain": [0.0, 1, 2]}))
    for name in ("rain", "bk", "trend"):
        with pytest.raises(ModelError, match=rf"no variable '{name}'. '{name}' .*detection"):
            lp.SCR(density=f"~ {name}").parameters(history, mask_of(history))
