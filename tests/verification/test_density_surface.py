"""A surface of density over many surveys: calibration with truths drawn from the priors, and the two engines."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import leopardpop as lp
from leopardpop.models.problem import Problem

pytestmark = [
    pytest.mark.verification,
    pytest.mark.filterwarnings("ignore::leopardpop.errors.LeopardpopWarning"),
]

SIDE, SPACING, REPLICATES = 8, 1000.0, 20
MODEL = lp.SCR(
    density="~ gp(x, y, functions=30)",
    priors={
        "D": lp.Prior("LogNormal", mu=0.0, sigma=0.5),
        "lambda0": lp.Prior("LogNormal", mu=np.log(0.05), sigma=0.4),
        "sigma": lp.Prior("LogNormal", mu=np.log(600.0), sigma=0.2),
    },
)


def survey() -> tuple[lp.CaptureHistory, lp.Mask]:
    x, y = (a.ravel() * SPACING for a in np.meshgrid(np.arange(SIDE), np.arange(SIDE)))
    stations = pd.DataFrame({"station": [f"K{i}" for i in range(len(x))], "x": x, "y": y, "days": 10.0})
    design = lp.CaptureHistory.from_tables(
        None, stations, effort="days", effort_unit="day", detector="count", occasions=1
    )
    return design, lp.Mask.around(design, buffer=2000, spacing=500)


@pytest.mark.timeout(900)
def test_calibration() -> None:
    """Truth and analysis share the prior: intervals cover what they say, within what 20 surveys can tell."""
    rng, (design, mask) = np.random.default_rng(2), survey()
    terms = Problem(MODEL, design, mask).priors.terms
    ranks, trusted = [], []
    for _ in range(REPLICATES):
        truth = {term.parameter: float(term.prior.draw(rng, 1)[0]) for term in terms}
        sim = MODEL.simulate(design, mask, parameters=truth, seed=int(rng.integers(2**31)))
        fit = MODEL.fit(sim.history, mask, engine="laplace", draws=250, seed=1)
        trusted.append(fit.trusted)
        theta = fit.problem.to_theta(sim.truth.coefficients.to_numpy())
        expected = sum(e.expected for e in fit.problem.evaluate(theta))
        draws = {name: fit.posterior[name].values for name in truth if name != "D"}
        draws["E_N"] = fit.posterior["E_N"].values
        known = {**truth, "E_N": expected}
        ranks.append({name: float((values < known[name]).mean()) for name, values in draws.items()})
    table = pd.DataFrame(ranks)
    assert np.mean(trusted) > 0.8
    for name, values in table.items():
        assert 0.25 <= values.between(0.25, 0.75).mean() <= 0.75, (name, values.tolist())
        assert values.between(0.025, 0.975).mean() >= 0.83, (name, values.tolist())
        assert abs(values.mean() - 0.5) < 3.5 / (12 * len(values)) ** 0.5, name


@pytest.mark.timeout(900)
def test_integrated_draws_against_nuts() -> None:
    """Means within 0.08 sd, sds within 6 %, both widened by the Monte Carlo error."""
    design, mask = survey()
    truth = {"D": 1.0, "lambda0": 0.05, "sigma": 600.0, "D_sd_gp": 1.0, "D_length_gp": 2.5}
    history = MODEL.simulate(design, mask, parameters=truth, seed=1).history
    laplace = MODEL.fit(history, mask, engine="laplace", draws=1000, seed=1, min_ess=1000)
    nuts = MODEL.fit(history, mask, engine="nuts", draws=400, chains=2, seed=1)
    assert laplace.trusted
    one, other = laplace.summary(), nuts.summary()
    error = np.sqrt(1 / one["ess"] + 1 / other["ess"])
    assert (other["r_hat"] < 1.03).all()
    assert ((one["mean"] - other["mean"]).abs() / other["sd"] < 0.08 + 3.5 * error).all()
    assert ((one["sd"] / other["sd"] - 1).abs() < 0.06 + 3.5 * error).all()
    maps = [np.log(fit.density_surface()["D_mean"]) for fit in (laplace, nuts)]
    assert float(abs(maps[0] - maps[1]).max()) < 0.15
