"""Spatial effects over many surveys: calibration with truths drawn from the priors, and the two engines."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import leopardpop as lp
from leopardpop.priors import length_scale_prior, length_scale_range

pytestmark = [
    pytest.mark.verification,
    pytest.mark.filterwarnings("ignore::leopardpop.errors.LeopardpopWarning"),
]

SIDE, REPLICATES = 6, 24
XY = 2.0 * np.array([(i, j) for i in range(SIDE) for j in range(SIDE)], float)
FORMULA = "~ snow + gp(x, y, functions=40)"


def design(seed: int) -> lp.DetectionHistory:
    names = [f"s{i}" for i in range(len(XY))]
    snow = np.random.default_rng(seed).normal(size=len(XY))
    sites = pd.DataFrame({"site": names, "x": 1000 * XY[:, 0], "y": 1000 * XY[:, 1], "snow": snow})
    wide = pd.DataFrame(np.ones((len(XY), 6))).assign(site=names)
    return lp.DetectionHistory.from_tables(wide, sites, crs="EPSG:32652")


@pytest.mark.timeout(600)
def test_calibration() -> None:
    """Truth and analysis share the prior: intervals cover what they say, within what 24 surveys can tell."""
    rng = np.random.default_rng(2)
    prior = length_scale_prior(*length_scale_range(XY))
    model, ranks, trusted = lp.Occupancy(psi=FORMULA), [], []
    for r in range(REPLICATES):
        truth = {
            "psi": 1 / (1 + np.exp(-1.5 * rng.normal())),
            "p": 1 / (1 + np.exp(1.0 - 1.5 * rng.normal())),
            "psi_sd_gp": abs(rng.normal()),
            "psi_length_gp": float(prior.draw(rng)),
        }
        slope = rng.normal()
        given = design(r)
        # The prior of the slope is for the standardised covariate.
        truth["psi[snow]"] = slope / given.arrays().site_covariates["snow"].std(ddof=0)
        sim = model.simulate(given, parameters=truth, seed=int(rng.integers(2**31)))
        fit = model.fit(sim.history, engine="laplace", draws=250, seed=1)
        trusted.append(fit.trusted)
        draws = {"psi[snow]": fit.posterior["psi_beta"].values[..., 1]}
        draws |= {name: fit.posterior[name].values for name in truth if name != "psi[snow]"}
        ranks.append({name: float((draws[name] < value).mean()) for name, value in truth.items()})
    table = pd.DataFrame(ranks)
    assert np.mean(trusted) > 0.8
    for name, values in table.items():
        assert 0.2 <= values.between(0.25, 0.75).mean() <= 0.8, (name, values.tolist())
        assert values.between(0.025, 0.975).mean() >= 0.83, (name, values.tolist())
        assert abs(values.mean() - 0.5) < 3.5 / (12 * len(values)) ** 0.5, name


def test_integrated_draws_against_nuts() -> None:
    """Means within 0.08 sd, sds within 6 %, both widened by the Monte Carlo error."""
    truth = {"psi": 0.5, "p": 0.4, "psi[snow]": 0.5, "psi_sd_gp": 1.5, "psi_length_gp": 4.0}
    model = lp.Occupancy(psi=FORMULA)
    history = model.simulate(design(1), parameters=truth, seed=1).history
    laplace = model.fit(history, engine="laplace", draws=1000, seed=1, min_ess=1000)
    nuts = model.fit(history, engine="nuts", draws=500, chains=2, seed=1)
    assert laplace.trusted
    one, other = laplace.summary(), nuts.summary()
    error = np.sqrt(1 / one["ess"] + 1 / other["ess"])
    assert (other["r_hat"] < 1.02).all()
    assert ((one["mean"] - other["mean"]).abs() / other["sd"] < 0.08 + 3.5 * error).all()
    assert ((one["sd"] / other["sd"] - 1).abs() < 0.06 + 3.5 * error).all()
