"""What was put into a simulated survey of sites comes out, over many surveys."""

from __future__ import annotations

import numpy as np
import pytest

import leopardpop as lp
from tests.models.occupancy_cases import FORMULAS, MODELS, design
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
        found = model.maximum_likelihood(sim.history).coefficients
        scores.append((found["estimate"] - sim.truth.coefficients) / found["se"])
    scores = np.array(scores)
    assert np.abs(scores.mean(0)).max() < 3.9 / 20**0.5
    assert 0.6 < np.sqrt((scores**2).mean()) < 1.35
