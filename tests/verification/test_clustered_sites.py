"""Sites that share animals: how far the coverage of ψ falls, and what pooling restores.

Centres of home ranges are a Poisson process; a site is used if it lies within 2σ of a centre, so that one animal makes
some six neighbouring sites used at once. Visits to used sites see with one probability: nothing but independence is
wrong. The same is asked of surveys that spatial capture-recapture generates, where an animal is seen less the farther
its centre is, and of which ψ is what the model would say of sites without end.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import pytest

import leopardpop as lp
from leopardpop.models.states.problem import OccupancyProblem
from leopardpop.results.occupancy_meaning import neighbour_score

pytestmark = [
    pytest.mark.verification,
    pytest.mark.filterwarnings("ignore::leopardpop.errors.LeopardpopWarning"),
]

SIDE, SPACING, RANGE = 10, 3.0, 4.0
DENSITY = np.log(2) / (np.pi * RANGE**2)
"""Animals per km² at which half of the sites are used."""
XY = SPACING * np.array([(i, j) for i in range(SIDE) for j in range(SIDE)], float)
BLOCK = np.array([f"{i // 2}-{j // 2}" for i in range(SIDE) for j in range(SIDE)])
REPLICATES = 150


def used(rng: np.random.Generator) -> np.ndarray:
    low, high = -RANGE, SPACING * (SIDE - 1) + RANGE
    centres = rng.uniform(low, high, (rng.poisson(DENSITY * (high - low) ** 2), 2))
    return (((XY[:, None] - centres) ** 2).sum(-1) < RANGE**2).any(1)


def history(seen: np.ndarray, names: list[str], **covariates: np.ndarray) -> lp.DetectionHistory:
    sites = pd.DataFrame({"site": names, **covariates})
    return lp.DetectionHistory.from_tables(pd.DataFrame(seen.astype(float)).assign(site=names), sites, crs="EPSG:32652")


@cache
def results() -> dict[str, float]:
    """Coverage of the 95 % interval of ψ, and how often neighbours are told to be alike."""
    rng = np.random.default_rng(4)
    pooled_truth = np.mean([_pooled(used(rng)[:, None]).mean() for _ in range(4000)])
    hits: dict[str, list[float]] = {name: [] for name in ("sites", "pooled", "alike")}
    names = [f"s{i}" for i in range(len(XY))]
    for _ in range(REPLICATES):
        y = (rng.random((len(XY), 6)) < 0.4) & used(rng)[:, None]
        data = history(y, names, x=1000 * XY[:, 0], y=1000 * XY[:, 1], block=BLOCK)
        plain = lp.Occupancy().fit(data, engine="laplace", draws=250, seed=1)
        hits["sites"].append(_covers(plain.posterior["psi"].values, 0.5))
        problem = OccupancyProblem(lp.Occupancy(), data)
        hits["alike"].append(neighbour_score(problem, plain.theta.mean((0, 1))) > 3.0)
        together = history(_pooled(y), [f"b{i}" for i in range(25)])
        found = lp.Occupancy().fit(together, engine="laplace", draws=250, seed=1).posterior["psi"].values
        hits["pooled"].append(_covers(found, pooled_truth))
    return {name: float(np.mean(values)) for name, values in hits.items() if values}


def _pooled(values: np.ndarray) -> np.ndarray:
    """Whether any site of a block of 2 x 2 is used, or sees something."""
    return np.stack([values[label == BLOCK].any(0) for label in np.unique(BLOCK)])


def _covers(draws: np.ndarray, truth: float) -> bool:
    low, high = np.quantile(draws, [0.025, 0.975])
    return bool(low <= truth <= high)


@cache
def spatial_results(replicates: int = 10) -> dict[str, float]:
    """Coverage of ψ with a spatial effect: at a place that could be anywhere, and its width against the plain one."""
    rng = np.random.default_rng(11)
    hits: dict[str, list[float]] = {name: [] for name in ("level", "wider", "trusted")}
    names = [f"s{i}" for i in range(len(XY))]
    for _ in range(replicates):
        y = (rng.random((len(XY), 6)) < 0.4) & used(rng)[:, None]
        data = history(y, names, x=1000 * XY[:, 0], y=1000 * XY[:, 1])
        plain = lp.Occupancy().fit(data, engine="laplace", draws=250, seed=1).posterior["psi"]
        fit = lp.Occupancy(psi="~ gp(x, y, functions=100)").fit(data, engine="laplace", draws=250, seed=1)
        level = fit.process_level("psi")
        hits["level"].append(_covers(level.values, 0.5))
        hits["wider"].append(float(level.std() / plain.std()))
        hits["trusted"].append(fit.trusted)
    return {name: float(np.mean(values)) for name, values in hits.items()}


def test_a_spatial_effect_restores_coverage() -> None:
    """Ten surveys here; 60 of them for the table in the docs (docs/howto/spatial.md)."""
    found = spatial_results()
    assert found["trusted"] > 0.85, found
    assert found["level"] >= 0.9, found
    assert 1.5 < found["wider"] < 3.0, found


def test_coverage_falls_and_pooling_restores_part_of_it() -> None:
    found = results()
    assert found["sites"] < 0.8, found
    assert found["pooled"] > found["sites"] + 0.08, found
    assert found["alike"] > 0.9, found


@cache
def animals(surveys: int = 300) -> np.ndarray:
    """Whether any animal was seen on each visit to each of 100 sites, (surveys, sites, visits), by SCR."""
    names = [f"s{i}" for i in range(len(XY))]
    stations = pd.DataFrame({"station": names, "x": 1000 * XY[:, 0], "y": 1000 * XY[:, 1]})
    design = lp.CaptureHistory.from_tables(None, stations, occasions=6)
    mask = lp.Mask.around(design, buffer=9_000, spacing=1_000)
    truth = {"D": 0.014, "lambda0": 0.5, "sigma": 2_500}
    seen = np.zeros((surveys, len(XY), 6), bool)
    for k in range(surveys):
        rows = lp.SCR().simulate(design, mask, parameters=truth, seed=k).history.detections
        at = rows["station"].str[1:].astype(int).to_numpy()
        seen[k, at, rows["occasion"].astype(int).to_numpy() - 1] = True
    return seen


def level(seen: np.ndarray) -> float:
    """ψ of the model where sites are without end: that of all surveys together."""
    rows = seen.reshape(-1, seen.shape[-1])
    names = [str(i) for i in range(len(rows))]
    logit = lp.Occupancy().maximum_likelihood(history(rows, names)).coefficients.loc["psi[Intercept]", "estimate"]
    return float(1 / (1 + np.exp(-logit)))


def coverage(surveys: np.ndarray, truth: float) -> float:
    """Share of surveys whose 95 % interval of ψ holds a value."""
    names = [str(i) for i in range(surveys.shape[1])]
    draws = (lp.Occupancy().fit(history(y, names), engine="laplace", draws=250, seed=1) for y in surveys)
    return float(np.mean([_covers(fit.posterior["psi"].values, truth) for fit in draws]))


def test_surveys_that_capture_recapture_generates() -> None:
    """Sites of one survey share animals; as many sites, each of another survey, do not."""
    seen = animals()
    apart = np.random.default_rng(1).permutation(seen.reshape(-1, 6)).reshape(seen.shape)
    together = np.stack([_pooled(y) for y in seen])
    truth = level(seen)
    found = {
        "sites": coverage(seen[:REPLICATES], truth),
        "apart": coverage(apart[:REPLICATES], truth),
        "pooled": coverage(together[:REPLICATES], level(together)),
    }
    assert 0.3 < truth < 0.7, truth
    assert found["apart"] > 0.9, found
    assert found["sites"] < found["apart"] - 0.1, found
    assert found["pooled"] > found["sites"], found
