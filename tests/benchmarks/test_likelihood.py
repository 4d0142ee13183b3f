"""What a value with its gradient costs: against the exponentials that it is made of, in memory, and as surveys grow.

A unit is what as many scalar exponentials take, in the same run, as the non-separable form must work out: one for each
cell and station in reach, and one for each cell and animal.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

import leopardpop as lp
from leopardpop.inference.mode import find_modes
from leopardpop.models.problem import Problem
from tests.benchmarks.processor import cpu_seconds
from tests.benchmarks.surveys import generated, load_dataset
from tests.benchmarks.yardstick import _exponentials

pytestmark = [pytest.mark.benchmark, pytest.mark.filterwarnings("ignore::leopardpop.errors.LeopardpopWarning")]

SEPARABLE, DENSE = 1.5, 4.0
HARDER = 7.0
"""These work out three elementary functions a pair, not one: λ = −log(1 − g), or u = (d/σ)^−z."""
SURVEYS = ("captdata", "kruger_leopard", "stoatCH", "ovenCH", "blackbearCH")
CASES = [
    *((name, lp.HalfNormal(), SEPARABLE) for name in SURVEYS[:4]),
    *((name, lp.ProbabilityHalfNormal(), SEPARABLE) for name in ("captdata", "stoatCH", "ovenCH")),
    *((name, lp.Exponential(), DENSE) for name in SURVEYS),
    *((name, lp.ProbabilityExponential(), HARDER) for name in SURVEYS),
    *((name, lp.HazardRate(), HARDER) for name in ("captdata", "kruger_leopard")),
    ("blackbearCH", lp.HalfNormal(), DENSE),
    ("blackbearCH", lp.ProbabilityHalfNormal(), DENSE),
]


def exponentials(problem: Problem) -> int:
    """Cells x stations + cells x animals, over all sessions."""
    return sum(len(s.terms.area) * (len(s.terms.stations) + s.terms.n_animals) for s in problem.sessions)


def in_exponentials(problem: Problem, theta: np.ndarray, repeats: int = 15) -> float:
    """Value with gradient at theta, in exponentials' time each."""
    x = np.random.default_rng(0).uniform(0, 20, 20_000)
    _exponentials(x, 1)
    problem.gradient(theta)
    unit = cpu_seconds(lambda: _exponentials(x, 50), 9) / (50 * len(x))
    seconds = cpu_seconds(lambda: problem.gradient(theta), repeats)
    return seconds / (unit * exponentials(problem))


def mode_of(problem: Problem) -> np.ndarray:
    theta: np.ndarray = find_modes(problem, starts=problem.starts()[:1]).best.theta
    return theta


@pytest.mark.parametrize(("name", "detection", "limit"), CASES, ids=[f"{n}-{type(d).__name__}" for n, d, _ in CASES])
def test_value_and_gradient(shared: Path, name: str, detection: lp.DetectionFunction, limit: float) -> None:
    problem = Problem(lp.SCR(detection=detection), *load_dataset(shared, name))
    found = in_exponentials(problem, mode_of(problem))
    assert found <= limit, f"{found:.2f} times the exponentials"


@pytest.mark.parametrize("detection", [lp.HalfNormal(), lp.ProbabilityHalfNormal(), lp.HazardRate()])
@pytest.mark.parametrize("name", ["captdata", "blackbearCH"])
def test_no_array_of_animals_stations_and_cells(shared: Path, name: str, detection: lp.DetectionFunction) -> None:
    """At its peak: a few arrays of (animals + stations) x cells, and far less than animals x stations x cells."""
    problem = Problem(lp.SCR(detection=detection), *load_dataset(shared, name))
    theta = mode_of(problem)
    tracemalloc.start()
    problem.gradient(theta)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    terms = problem.sessions[0].terms
    whole = 8 * terms.n_animals * len(terms.stations) * len(terms.area)
    assert peak <= min(0.25 * whole, 8 * 8 * exponentials(problem)), f"{peak / 2**20:.0f} MiB of {whole / 2**20:.0f}"


@pytest.mark.parametrize("detection", [lp.HalfNormal(), lp.Exponential()], ids=["separable", "dense"])
@pytest.mark.parametrize("grows", ["cells", "animals"])
def test_cost_is_linear(detection: lp.DetectionFunction, grows: str) -> None:
    """An exponential costs the same in a survey eight times as large, but for caches, which hold only the small one."""
    costs = []
    for factor in (1, 8):
        size = {"cells": 3_000, "animals": 400.0} | {grows: factor * (3_000 if grows == "cells" else 400.0)}
        history, mask = generated(stations=400, **size, detection=detection)
        problem = Problem(lp.SCR(detection=detection), history, mask)
        theta = problem.starts()[0]
        problem.gradient(theta)
        costs.append(cpu_seconds(lambda p=problem, t=theta: p.gradient(t), 12) / exponentials(problem))
    assert costs[1] <= 1.5 * costs[0], f"{costs[0] * 1e9:.1f} ns and {costs[1] * 1e9:.1f} ns"


NATION = """
import json, time, warnings
warnings.simplefilter("ignore")
import leopardpop as lp
from tests.benchmarks.processor import peak_mebibytes
from tests.benchmarks.surveys import generated
history, mask = generated(stations=17_000, cells=15_000, animals=265)
wall, cpu = time.perf_counter(), time.process_time()
fit = lp.SCR().fit(history, mask, engine="laplace", seed=1)
wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
found = dict(animals=history.n_individuals, stations=len(history.stations), cells=mask.n_cells, trusted=fit.trusted,
    wall=wall, cpu=cpu, ess=fit.data_tree.attrs["importance_ess"],
    mib=peak_mebibytes())
print(json.dumps(found))
"""


def test_a_national_survey() -> None:
    """200 animals, 17,000 stations, 15,000 cells: 20 s on two cores, which is 40 s of processors' time, and 1 GB."""
    done = subprocess.run([sys.executable, "-c", NATION], capture_output=True, text=True, check=True)
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["animals"] >= 190, found
    assert found["stations"] >= 16_800, found
    assert found["cells"] >= 14_500, found
    assert found["trusted"], found
    assert min(found["wall"], found["cpu"] / 2) <= 20, found
    assert found["ess"] / found["wall"] >= 20, found
    assert found["mib"] <= 1000, found
