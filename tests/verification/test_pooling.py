"""Partial pooling over parks: borrowing, both engines, and five years of ovenbirds."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest

import leopardpop as lp
from tests.golden.secr import load_survey
from tests.reference.datasets import library_history, library_masks
from tests.verification.parks import PARKS, POOLED, PRIORS, fitted, parks, sigma_by_park, simulated


@pytest.mark.verification
def test_a_poor_park_borrows() -> None:
    """A park of two occasions, with about two recaptures: its σ is narrower than alone, and nearer to the truth."""
    design, masks = parks()
    stations = design.stations.reset_index()[["session", "station", "x", "y"]]
    occasions = {"P0": 2} | {f"P{s}": 8 for s in range(1, PARKS)}
    short = lp.CaptureHistory.from_tables(None, stations, occasions=occasions, effort_unit="day", crs="local")
    truth = {"D": 0.22, "lambda0": 0.15, "sigma": 1000.0, "sigma_sd_session": 0.1}
    single = lp.SCR(priors={name: prior for name, prior in PRIORS.items() if name != "sigma"})
    widths, errors, recaptures = [], [], []
    for seed in range(4):
        made = POOLED.simulate(short, masks, parameters=truth, seed=seed)
        known = np.log(1000.0) + made.truth.coefficients["sigma[1|session[P0]]"]
        together = sigma_by_park(fitted(made.history, seed=1))[:, 0]
        alone = np.log(fitted(made.history["P0"], single, seed=1).posterior["sigma"].values.ravel())
        widths.append((together.std(), alone.std()))
        errors.append((abs(together.mean() - known), abs(alone.mean() - known)))
        recaptures.append(made.history["P0"].n_detections - made.history["P0"].n_individuals)
    assert np.mean(recaptures) < 5
    assert all(one < other for one, other in widths)
    assert np.mean([one for one, _ in widths]) < 0.6 * np.mean([other for _, other in widths])
    assert np.mean([one for one, _ in errors]) < np.mean([other for _, other in errors])


@pytest.mark.verification
@pytest.mark.timeout(600)
def test_engines_agree() -> None:
    """Means within 0.08 sd, sds within 6 %, both widened by the Monte Carlo error."""
    truth = {"D": 0.22, "lambda0": 0.15, "sigma": 1000.0, "sigma_sd_session": 0.25}
    history = simulated(truth, 11).history
    laplace = fitted(history, engine="laplace", draws=1500, seed=1, min_ess=1500)
    nuts = fitted(history, engine="nuts", draws=1000, chains=2, seed=1)
    assert laplace.trusted
    assert nuts.trusted
    one, other = laplace.summary(), nuts.summary()
    error = np.sqrt(1 / one["ess"] + 1 / other["ess"])
    assert ((one["mean"] - other["mean"]).abs() / other["sd"] < 0.08 + 3.5 * error).all()
    assert ((one["sd"] / other["sd"] - 1).abs() < 0.06 + 3.5 * error).all()


@pytest.mark.verification
def test_oven_birds(shared: Path) -> None:
    """ovenCH, five years: densities of years, and their σ, are nearer to each other than where years are separate."""
    survey = load_survey(shared, "ovenCH")
    history, masks = library_history(survey), library_masks(survey)
    sessions = {"session": list(history.sessions)}
    for name, pooled, separate in (
        ("D", lp.SCR(density="~ (1 | session)"), lp.SCR(density="~ session")),
        ("sigma", *(lp.SCR(detection=lp.HalfNormal(sigma=s)) for s in ("~ (1 | session)", "~ session"))),
    ):
        spreads = []
        for model in (pooled, separate):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", lp.errors.LeopardpopWarning)
                fit = model.fit(history, masks, engine="laplace", draws=500, seed=1)
            assert fit.trusted
            spreads.append(np.log(fit.predict(name, sessions)).mean(("chain", "draw")).values)
        assert spreads[0].std() < 0.8 * spreads[1].std()
        assert np.corrcoef(spreads[0], spreads[1])[0, 1] > 0.8
