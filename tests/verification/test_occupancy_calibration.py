"""Occupancy at camera-trap sizes: truths from the prior, simulated surveys, and how often intervals hold them.

``LEOPARDPOP_REPLICATES=500`` runs as many as MODELS asks; by default there are fewer, and the bounds are as wide as
that needs. A replicate counts whatever was seen in it, also where nothing was.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np
import pytest

import leopardpop as lp
from leopardpop.priors import Prior

pytestmark = [pytest.mark.verification, pytest.mark.timeout(7200)]

FEWER = {"Occupancy": 160, "MultistateOccupancy": 100, "DynamicMultistateOccupancy": 40}
SIZES = {
    "Occupancy": {"n_sites": 60, "visits": 13, "seasons": 1},
    "MultistateOccupancy": {"n_sites": 80, "visits": 13, "seasons": 1},
    "DynamicMultistateOccupancy": {"n_sites": 100, "visits": 13, "seasons": 3},
}


def replicates(kind: str) -> int:
    """Number of surveys."""
    return int(os.environ.get("LEOPARDPOP_REPLICATES", FEWER[kind]))


def surveys(kind: str) -> Iterator[tuple[lp.OccupancyFit, Any]]:
    """Fits of surveys whose truths are drawn from the priors that they are fitted with."""
    size = SIZES[kind]
    model = getattr(lp, kind)()
    design = lp.DetectionHistory.from_tables(
        np.ones((size["n_sites"], size["visits"] * size["seasons"])),
        seasons=size["seasons"],
        response="state" if "Multistate" in kind else "binary",
    )
    terms = _priors(model, design)
    rng = np.random.default_rng(20_261_123)
    for _ in range(replicates(kind)):
        truth = {name: float(prior.quantile(rng.random())) for name, prior in terms.items()}
        seed = int(rng.integers(2**31))
        sim = model.simulate(design, parameters=truth, seed=seed)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", lp.errors.LeopardpopWarning)
            yield model.fit(sim.history, engine="laplace", draws=500, seed=seed), sim.truth


def _priors(model: Any, design: lp.DetectionHistory) -> dict[str, Prior]:
    from leopardpop.models.states.problem import OccupancyProblem

    problem = OccupancyProblem(model, design, design_only=True)
    return {term.label: term.prior for term in problem.priors.terms}


def ranked(draws: np.ndarray, truth: float, rng: np.random.Generator) -> float:
    """Share of draws below the truth; where a number equals it, at random among those that do."""
    below, equal = float((draws < truth).mean()), float((draws == truth).mean())
    return below + rng.random() * equal


@cache
def ranks(kind: str) -> tuple[dict[str, np.ndarray], int]:
    """Rank of the truth in every coefficient and in the numbers of sites, and how many certificates failed."""
    rng = np.random.default_rng(1)
    found: list[dict[str, float]] = []
    failed = 0
    for fit, truth in surveys(kind):
        failed += not fit.trusted
        theta = fit.problem.to_beta(fit.theta.reshape(-1, fit.theta.shape[-1]))
        beta = truth.coefficients.to_numpy()
        one = {label: ranked(theta[:, i], beta[i], rng) for i, label in enumerate(fit.problem.labels)}
        states, z = fit.occupancy(), truth.z.values.reshape(fit.problem.n_sites, -1)[:, -1]
        one["used sites"] = ranked(_last(states.used_sites), int((z > 0).sum()), rng)
        if "Multistate" in kind:
            one["breeding sites"] = ranked(_last(states.breeding_sites), int((z > 1).sum()), rng)
        found.append(one)
    return {name: np.array([one[name] for one in found]) for name in found[0]}, failed


def _last(number: Any) -> np.ndarray:
    """Draws of a number of sites in the last season."""
    return (number.isel(season=-1) if "season" in number.dims else number).values.ravel()


def bounds(n: int, share: float, low: float, high: float) -> tuple[float, float]:
    """Bounds of MODELS at 500 replicates; with fewer, as much wider as chance asks of many checks."""
    if n >= 500:
        return low, high
    slack = 3.5 * (share * (1 - share) / n) ** 0.5
    return min(low, share - slack), max(high, share + slack)


@pytest.mark.parametrize("kind", SIZES)
def test_intervals_hold_what_they_say(kind: str) -> None:
    """95 % intervals hold 92-98 % of truths from the prior, 50 % intervals 43-57 %; of numbers of sites too."""
    found, failed = ranks(kind)
    n = replicates(kind)
    assert failed <= max(2, 0.02 * n), f"{failed} of {n} certificates failed"
    for name, rank in found.items():
        for share, limits in ((0.95, (0.92, 0.98)), (0.5, (0.43, 0.57))):
            low, high = bounds(n, share, *limits)
            held = float((np.abs(rank - 0.5) < share / 2).mean())
            assert low <= held <= high, f"{name}: {100 * share:.0f} % interval holds {held:.3f} of {n}"
