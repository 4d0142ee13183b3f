"""Mistakes, animals and rates at sites: intervals over many surveys, and the two engines against each other."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit

import leopardpop as lp

pytestmark = [
    pytest.mark.verification,
    pytest.mark.filterwarnings("ignore::leopardpop.errors.DataWarning"),
    pytest.mark.filterwarnings("ignore::leopardpop.errors.SparseDataWarning"),
    pytest.mark.filterwarnings("ignore::leopardpop.errors.ConvergenceWarning"),
]

SURVEYS = 200
CERTAIN = np.tile([1.0, 0.0, 0.0, 0.0, 0.0, 0.0], (80, 1))
MODELS = {
    "false positives": (lp.FalsePositiveOccupancy(certain="dna"), "binary"),
    "Royle-Nichols": (lp.RoyleNichols(), "binary"),
    "N-mixture": (lp.NMixture(), "count"),
    "negative binomial": (lp.NMixture(distribution="negbin"), "count"),
    "counts": (lp.CountOccupancy(), "count"),
}
PRIORS = {
    "psi": lambda rng: expit(rng.normal(0, 1.5)),
    "p": lambda rng: expit(rng.normal(-1, 1.5)),
    "r": lambda rng: expit(rng.normal(-1, 1.5)),
    "p10": lambda rng: expit(rng.normal(-3, 1.5)),
    "abundance": lambda rng: np.exp(rng.normal(0, 1.5)),
    "size": lambda rng: np.exp(rng.normal(0, 1.5)),
    "rate": lambda rng: np.exp(rng.normal(0, 1.5)),
}


def design(response: str) -> lp.DetectionHistory:
    return lp.DetectionHistory.from_tables(
        np.ones((80, 6)), response=response, visit_covariates={"dna": CERTAIN.copy()}
    )


@pytest.mark.parametrize("name", MODELS)
def test_coverage_over_the_prior(name: str) -> None:
    """Truth drawn from the prior, nothing thrown away: 95 % intervals of all parameters, as often as they say."""
    model, response = MODELS[name]
    rng, inside = np.random.default_rng(11), []
    for seed in range(SURVEYS):
        truth = {key: float(PRIORS[key](rng)) for key in model.structure.homes}
        history = model.simulate(design(response), parameters=truth, seed=seed).history
        table = model.fit(history, engine="laplace", draws=250, seed=seed).summary()
        inside.append([table.loc[k, "eti95_lb"] <= truth[k] <= table.loc[k, "eti95_ub"] for k in truth])
    share = np.mean(inside, axis=0)
    margin = 3.5 * (0.95 * 0.05 / SURVEYS) ** 0.5
    assert np.all(np.abs(share - 0.95) < margin), share


@pytest.mark.parametrize("name", ["false positives", "Royle-Nichols", "N-mixture"])
def test_engines_agree(name: str) -> None:
    """Modes that importance sampling would never see are looked for by NUTS."""
    model, response = MODELS[name]
    truth = {"psi": 0.4, "p": 0.4, "r": 0.3, "p10": 0.1, "abundance": 2.0}
    chosen = {key: truth[key] for key in model.structure.homes}
    history = model.simulate(design(response), parameters=chosen, seed=4).history
    fast = model.fit(history, engine="laplace", draws=10_000, seed=1, min_raw=30_000, min_ess=16_000)
    slow = model.fit(history, engine="nuts", draws=4000, seed=1)
    spread = slow.theta.reshape(-1, slow.theta.shape[-1])
    gap = (fast.theta.reshape(-1, spread.shape[1]).mean(0) - spread.mean(0)) / spread.std(0)
    ratio = fast.theta.reshape(-1, spread.shape[1]).std(0) / spread.std(0)
    assert np.abs(gap).max() < 0.08
    assert np.abs(ratio - 1).max() < 0.06
