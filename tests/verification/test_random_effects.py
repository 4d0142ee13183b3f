"""Random effects: deviations that were integrated out against NUTS on all coordinates, by the rule of the engines."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import leopardpop as lp


@pytest.mark.verification
@pytest.mark.parametrize("formula", ["~ snow + (1 | block)", "~ snow + (snow | block)"])
def test_integrated_draws_against_nuts(formula: str) -> None:
    """Means within 0.08 sd, sds within 6 %, both widened by the Monte Carlo error of about 1,500 effective draws."""
    rng = np.random.default_rng(3)
    names = [f"s{i}" for i in range(80)]
    sites = pd.DataFrame({"site": names, "block": [f"b{i % 8}" for i in range(80)], "snow": rng.normal(size=80)})
    design = lp.DetectionHistory.from_tables(pd.DataFrame(np.ones((80, 5))).assign(site=names), sites)
    model = lp.Occupancy(psi=formula)
    truth = {"psi": 0.5, "p": 0.4, "psi_sd_block": 0.8} | ({"psi_sd_block_snow": 0.5} if "(snow" in formula else {})
    history = model.simulate(design, parameters=truth, seed=1).history
    laplace = model.fit(history, engine="laplace", draws=2000, seed=1, min_ess=1500)
    nuts = model.fit(history, engine="nuts", draws=2000, seed=1)
    assert laplace.trusted
    assert nuts.trusted
    one, other = laplace.summary(), nuts.summary()
    error = np.sqrt(1 / one["ess"] + 1 / other["ess"])
    assert ((one["mean"] - other["mean"]).abs() / other["sd"] < 0.08 + 3.5 * error).all()
    assert ((one["sd"] / other["sd"] - 1).abs() < 0.06 + 3.5 * error).all()
    for bound in ("eti95_lb", "eti95_ub"):
        assert ((one[bound] - other[bound]).abs() / other["sd"] < 0.15 + 8 * error).all()
