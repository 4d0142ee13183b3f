"""Partial pooling over parks: coverage with truths from the prior, borrowing, and both engines."""

from __future__ import annotations

import warnings
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import leopardpop as lp
from tests.golden.secr import load_survey
from tests.reference.datasets import library_history, library_masks

PARKS, GAP = 6, 1500.0
PRIORS = {
    "D": lp.Prior("LogNormal", mu=np.log(0.22), sigma=0.3),
    "lambda0": lp.Prior("LogNormal", mu=np.log(0.15), sigma=0.3),
    "sigma": lp.Prior("LogNormal", mu=np.log(1000.0), sigma=0.2),
}
POOLED = lp.SCR(detection=lp.HalfNormal(sigma="~ 1 + (1 | session)"), priors=PRIORS)
REPLICATES = 40


@cache
def parks() -> tuple[lp.CaptureHistory, dict[str, lp.Mask]]:
    """Six parks far from each other, 16 cameras each, about twelve animals detected."""
    rows = [(f"P{s}", f"{i}-{j}", GAP * i, GAP * j) for s in range(PARKS) for i in range(4) for j in range(4)]
    stations = pd.DataFrame(rows, columns=["session", "station", "x", "y"])
    design = lp.CaptureHistory.from_tables(None, stations, occasions=8, effort_unit="day", crs="local")
    mask = lp.Mask.around(design["P0"], buffer=3500, spacing=700)
    return design, dict.fromkeys(design.sessions, mask)


def simulated(truth: dict[str, float], seed: int) -> lp.models.simulation.Simulation:
    design, masks = parks()
    return POOLED.simulate(design, masks, parameters=truth, seed=seed)


def fitted(history: lp.CaptureHistory, model: lp.SCR = POOLED, **options: object) -> lp.Fit:
    _, masks = parks()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", lp.errors.LeopardpopWarning)
        return model.fit(history, {s: masks[s] for s in history.sessions}, **options)


def sigma_by_park(fit: lp.Fit) -> np.ndarray:
    """Draws of log σ of every park, (draw, park)."""
    posterior = fit.posterior.stack(all=("chain", "draw"))
    return np.log(posterior["sigma"].values)[:, None] + posterior["sigma_effect"].transpose("all", ...).values


@pytest.mark.verification
@pytest.mark.timeout(600)
def test_coverage() -> None:
    """With truths from the prior 95 % intervals hold 92-98.5 % of σ of each park, of their sd and of N; none fails."""
    rng = np.random.default_rng(20_261_123)
    inside: dict[str, list[float]] = {"sigma": [], "sd": [], "N": [], "mean": []}
    animals, failed, error = [], 0, []
    for _ in range(REPLICATES):
        truth = {name: float(prior.draw(rng)) for name, prior in PRIORS.items()}
        truth["sigma_sd_session"] = abs(0.25 * rng.standard_normal())
        made = simulated(truth, int(rng.integers(2**31)))
        fit = fitted(made.history, engine="laplace", draws=250, seed=1)
        failed += not fit.trusted
        labels = [f"sigma[1|session[{s}]]" for s in made.history.sessions]
        deviations = made.truth.coefficients[labels].to_numpy()
        draws = sigma_by_park(fit)
        low, high = np.quantile(draws, [0.025, 0.975], axis=0)
        here = np.log(truth["sigma"]) + deviations
        inside["sigma"] += ((low < here) & (here < high)).tolist()
        for name, values, known in (
            ("sd", fit.posterior["sigma_sd_session"], truth["sigma_sd_session"]),
            ("mean", fit.posterior["sigma"], truth["sigma"]),
        ):
            inside[name].append(float(values.quantile(0.025)) < known < float(values.quantile(0.975)))
        ends = fit.posterior["N"].quantile([0.025, 0.975], ("chain", "draw")).values
        inside["N"] += ((ends[0] <= made.truth.N.to_numpy()) & (made.truth.N.to_numpy() <= ends[1])).tolist()
        animals.append(made.history.n_individuals / PARKS)
        error.append(np.mean(draws.mean(0) - here))
    assert 9 < np.mean(animals) < 16
    assert failed <= 1
    assert abs(np.mean(error)) < 3.5 * np.std(error) / np.sqrt(REPLICATES)
    for name, count in (
        ("sigma", PARKS * REPLICATES),
        ("N", PARKS * REPLICATES),
        ("sd", REPLICATES),
        ("mean", REPLICATES),
    ):
        assert len(inside[name]) == count
        slack = 3.0 * np.sqrt(0.95 * 0.05 / count) + 0.005
        assert 0.95 - slack < np.mean(inside[name]), name
    assert np.mean(inside["sigma"]) < 0.985


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
