"""What was put into a simulated survey of sites comes out, over many surveys."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from scipy.special import expit

import leopardpop as lp
from tests.models.occupancy_cases import FORMULAS, MODELS, design
from tests.models.test_random_effects import survey
from tests.results.test_occupancy import TRUTH

pytestmark = pytest.mark.filterwarnings("ignore::leopardpop.errors.DataWarning")


@pytest.mark.parametrize("kind", MODELS)
def test_recovery_over_seeds(kind):
    """Estimates over 20 surveys of 250 sites: off by chance alone, and their errors are of the right size."""
    empty, _, _ = design(kind, n_sites=250, seasons=5)
    formulas = {"psi": "~ height"} | ({"p": "~ wind"} if "p" in FORMULAS[kind] else {"p1": "~ wind"})
    if kind == "DynamicMultistateOccupancy":
        formulas |= {"breeding_next": "~ 1"}
    model = getattr(lp, kind)(**formulas)
    truth = {k: v for k, v in TRUTH.items() if k.split("[")[0] in model.structure.homes}
    truth |= {name: value for name, value in {"p1": 0.5, "p2": 0.7}.items() if name in truth}
    truth |= {"psi[height]": 0.6, ("p" if "p" in formulas else "p1") + "[wind]": -0.5}
    scores = []
    for seed in range(20):
        sim = model.simulate(empty, parameters=truth, seed=seed)
        with warnings.catch_warnings():  # a small survey may not tell p1
            warnings.simplefilter("ignore", lp.errors.SparseDataWarning)
            found = model.maximum_likelihood(sim.history).coefficients
        scores.append((found["estimate"] - sim.truth.coefficients) / found["se"])
    scores = np.array(scores)
    assert np.abs(scores.mean(0)).max() < 3.9 / 20**0.5
    assert 0.6 < np.sqrt((scores**2).mean()) < 1.35


@pytest.mark.verification
@pytest.mark.filterwarnings("ignore::leopardpop.errors.SparseDataWarning")
@pytest.mark.filterwarnings("ignore::leopardpop.errors.ConvergenceWarning")
def test_random_effects_over_seeds():
    """Truth drawn from the prior, 14 surveys of 60 sites: a posterior is off by its own sd."""
    model, rng = lp.Occupancy(psi="~ (1 | block)"), np.random.default_rng(8)
    scores = []
    for seed in range(14):
        truth = {"psi": expit(rng.normal(0, 1.5)), "p": expit(rng.normal(-1, 1.5)), "psi_sd_block": abs(rng.normal())}
        sim = model.simulate(survey(), parameters=truth, seed=seed)
        fit = model.fit(sim.history, engine="laplace", draws=250, seed=seed)
        drawn = np.concatenate([np.log(fit.posterior["psi_sd_block"].values)[..., None], fit.theta[..., :2]], axis=-1)
        known = [np.log(truth["psi_sd_block"]), *(np.log(truth[n] / (1 - truth[n])) for n in ("psi", "p"))]
        scores.append((drawn.reshape(-1, 3).mean(0) - known) / drawn.reshape(-1, 3).std(0))
    assert np.abs(np.mean(scores, axis=0)).max() < 3.5 / 14**0.5
    assert 0.6 < np.sqrt(np.mean(np.square(scores))) < 1.4
