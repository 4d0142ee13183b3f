"""Animals and rates that were put into simulated surveys of sites come out, over many surveys."""

from __future__ import annotations

import numpy as np
import pytest

import leopardpop as lp
from tests.models.test_abundance import MODELS, TRUTH, design

pytestmark = pytest.mark.filterwarnings("ignore::leopardpop.errors.DataWarning")


@pytest.mark.parametrize("kind", MODELS)
def test_recovery_over_seeds(kind):
    history, *_ = design(kind, n=120, visits=6)
    model, truth = type(MODELS[kind])(), TRUTH[kind]
    if kind == "negbin":
        model = lp.NMixture(distribution="negbin")
    scores = []
    for seed in range(12):
        sim = model.simulate(history, parameters=truth, seed=seed)
        found = model.maximum_likelihood(sim.history).coefficients
        scores.append((found["estimate"] - sim.truth.coefficients) / found["se"])
    scores = np.array(scores)
    assert np.abs(scores.mean(0)).max() < 3.9 / 12**0.5
    assert 0.55 < np.sqrt((scores**2).mean()) < 1.4
