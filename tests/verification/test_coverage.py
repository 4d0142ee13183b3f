"""Coverage of intervals: truths drawn from the prior, and one fixed truth (MODELS: how a claim is tested)."""

from __future__ import annotations

import warnings
from typing import NamedTuple

import numpy as np
import pytest

import leopardpop as lp
from tests.verification.surveys import draw_truth, fits_the_rule, informative_priors, small_design

REPLICATES = 500


class Cover(NamedTuple):
    """Whether the 95 % and 50 % intervals hold the truth."""

    wide: bool
    half: bool


def cover(draws: np.ndarray, truth: float) -> Cover:
    low, first, third, high = np.quantile(draws, [0.025, 0.25, 0.75, 0.975])
    return Cover(bool(low <= truth <= high), bool(first <= truth <= third))


def replicate(
    model: lp.SCR, history: lp.CaptureHistory, mask: lp.Mask, truth: dict[str, float], seed: int
) -> tuple[lp.CaptureHistory, dict[str, Cover], bool] | None:
    """Simulate and fit once; None if the data do not fulfil the rule."""
    simulated = model.simulate(history, mask, parameters=truth, seed=seed)
    if not fits_the_rule(simulated.history):
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", lp.errors.LeopardpopWarning)
        fit = model.fit(simulated.history, mask, engine="laplace", draws=500, seed=seed)
    posterior = fit.posterior
    found = {
        "E_N": cover(posterior["E_N"].to_numpy().ravel(), float(simulated.truth.E_N.iloc[0])),
        "N": cover(posterior["N"].to_numpy().ravel(), float(simulated.truth.N.iloc[0])),
        "sigma": cover(posterior["sigma"].to_numpy().ravel(), truth["sigma"]),
    }
    return simulated.history, found, fit.trusted


@pytest.mark.verification
@pytest.mark.timeout(1800)
def test_prior_averaged_coverage() -> None:
    """With truths from the prior, 95 % intervals hold 92-98 % of them and 50 % intervals 43-57 %."""
    history, mask = small_design()
    priors = informative_priors()
    model = lp.SCR(priors=priors)
    rng = np.random.default_rng(20_261_122)
    kept = []
    failed = 0
    while len(kept) < REPLICATES:
        result = replicate(model, history, mask, draw_truth(priors, rng), int(rng.integers(2**31)))
        if result is not None:
            kept.append(result[1])
            failed += not result[2]
    assert failed <= REPLICATES * 0.01, f"{failed} of {REPLICATES} certificates failed"
    for name in ("E_N", "N", "sigma"):
        wide = np.mean([c[name].wide for c in kept])
        half = np.mean([c[name].half for c in kept])
        assert 0.92 <= wide <= 0.985, f"{name}: 95 % interval holds {wide:.3f}"
        assert 0.43 <= half <= (0.57 if name != "N" else 0.62), f"{name}: 50 % interval holds {half:.3f}"


@pytest.mark.verification
@pytest.mark.timeout(1800)
def test_coverage_at_a_fixed_truth() -> None:
    """At one truth and with the default priors, E[N] and realised N are held 91.5-98.5 % of the time."""
    history, mask = small_design()
    model = lp.SCR()
    truth = {"D": 0.08, "lambda0": 0.15, "sigma": 2_000.0}
    kept = []
    for seed in range(REPLICATES + 20):
        result = replicate(model, history, mask, truth, seed)
        if result is not None:
            kept.append(result[1])
    assert len(kept) >= REPLICATES
    for name in ("E_N", "N"):
        wide = np.mean([c[name].wide for c in kept])
        assert 0.915 <= wide <= 0.985, f"{name}: 95 % interval holds {wide:.3f}"
