"""How wide and how fine a mask is suggested."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

import leopardpop as lp
from leopardpop.models.describe import theta_of
from leopardpop.models.problem import Problem
from leopardpop.results.mask_reach import buffer_effect
from tests.results.standin import StandIn, stand_in

CLOSE = pd.DataFrame({"station": list("ABC"), "x": [0.0, 1.0, 0.0], "y": [0.0, 0.0, 1.0]})


def fit_of(detection: lp.DetectionFunction, sigma: float, **values: float) -> StandIn:
    design = lp.CaptureHistory.from_tables(None, CLOSE, occasions=3, crs="local")
    mask = lp.Mask.around(design, buffer=5_000, spacing=500)
    problem = Problem(lp.SCR(detection=detection), design, mask)
    theta = theta_of(problem, {"D": 0.1, "lambda0": 1e-4, "sigma": sigma} | values)
    return StandIn(problem, np.tile(theta, (2, 50, 1)))


def test_the_tail_of_a_half_normal_at_one_place() -> None:
    """A rare animal's sampling area beyond w is a share exp(−w²/2σ²): one part in a hundred and one at 3.04 σ."""
    found = lp.suggest_buffer(fit_of(lp.HalfNormal(), 1_000.0))  # type: ignore[arg-type]
    exact = 1_000 * math.sqrt(2 * math.log(101))
    assert found == pytest.approx(exact, abs=130)
    wider = lp.suggest_buffer(fit_of(lp.HalfNormal(), 1_000.0), effect=0.1)  # type: ignore[arg-type]
    assert wider == pytest.approx(1_000 * math.sqrt(2 * math.log(11)), abs=130)


def test_an_exponential_needs_more() -> None:
    """Beyond w a share (1 + w/σ) exp(−w/σ) is left: 1/101 at 6.65 σ."""
    found = lp.suggest_buffer(fit_of(lp.Exponential(), 1_000.0, lambda0=0.01))  # type: ignore[arg-type]
    assert found == pytest.approx(6_650, abs=200)


def test_a_mask_as_wide_as_suggested_is_wide_enough() -> None:
    """The widest class counts, at the upper end of its sigma; the diagnostic of a fit agrees."""
    fit = stand_in("all known")
    buffer = lp.suggest_buffer(fit)  # type: ignore[arg-type]
    theta = fit.theta.reshape(-1, fit.theta.shape[-1])
    for width, enough in [(buffer * 1.05, True), (buffer * 0.7, False)]:
        around = lp.Mask.around(fit.problem.history, buffer=width, spacing=500)
        wide = Problem(fit.problem.model, fit.problem.history, around.with_covariates(snow=lambda x, y: x / 1000))
        assert (buffer_effect(wide, theta) < 0.0102) == enough


def test_spacing_of_a_fit() -> None:
    assert lp.suggest_spacing(fit_of(lp.HalfNormal(), 1_000.0)) == 600.0  # type: ignore[arg-type]
    assert lp.suggest_spacing(fit_of(lp.HalfNormal(), 999.0)) == 590.0  # type: ignore[arg-type]


def test_from_a_history_alone() -> None:
    """One animal, twice, 2 km apart: σ² = 2·1 km²/2 by two coordinates, and a χ² of two degrees of freedom."""
    stations = pd.DataFrame({"station": list("ABC"), "x": [0, 2_000, 4_000], "y": [0, 0, 1_000]})
    seen = pd.DataFrame({"individual": ["F1", "F1"], "station": ["A", "B"], "occasion": [1, 2]})
    history = lp.CaptureHistory.from_tables(seen, stations)
    assert lp.suggest_spacing(history) == 600.0
    upper = math.sqrt(2e6 / (-2 * math.log(0.975)))
    assert 4 * upper <= lp.suggest_buffer(history) <= 4 * upper * 1.05


def test_without_recaptures_the_stations_decide() -> None:
    stations = pd.DataFrame({"station": list("ABC"), "x": [0, 2_000, 4_000], "y": [0, 0, 1_000]})
    design = lp.CaptureHistory.from_tables(None, stations, occasions=2)
    prior = lp.priors.scale_prior([stations[["x", "y"]].to_numpy(float)])
    assert lp.suggest_buffer(design) == pytest.approx(4 * prior.quantile(0.975), rel=0.05)
    assert lp.suggest_spacing(design) == pytest.approx(0.6 * prior.quantile(0.5), rel=0.05)


def test_wrong_arguments() -> None:
    design = lp.CaptureHistory.from_tables(None, CLOSE, occasions=2, crs="local")
    with pytest.raises(lp.errors.DataError, match="between 0 and 1"):
        lp.suggest_buffer(design, effect=1.0)
    with pytest.raises(lp.errors.DataError, match="not a Mask"):
        lp.suggest_buffer(lp.Mask.around(design, buffer=2_000, spacing=500))  # type: ignore[arg-type]
