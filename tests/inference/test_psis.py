"""Pareto-smoothed importance sampling against ArviZ's implementation and against known tails."""

from __future__ import annotations

import numpy as np
import pytest

from leopardpop.inference.psis import importance_ess, k_limit, psis


def arviz_psis(log_ratios: np.ndarray) -> tuple[np.ndarray, float]:
    from arviz_stats.base import array_stats

    log_weights, khat = array_stats.psislw(-log_ratios)  # it wants the negative
    return np.asarray(log_weights), float(khat)


@pytest.mark.parametrize("size", [100, 225, 226, 1000, 2200, 5003])
@pytest.mark.parametrize("scale", [0.05, 0.3, 0.8, 1.5])
def test_agrees_with_arviz(size: int, scale: float) -> None:
    log_ratios = np.random.default_rng(size).exponential(scale, size) - 700.0
    ours, k = psis(log_ratios)
    theirs, k_theirs = arviz_psis(log_ratios)
    np.testing.assert_allclose(ours, theirs, atol=1e-12, rtol=0)
    assert k == pytest.approx(k_theirs, abs=1e-12)


@pytest.mark.parametrize("draw", ["standard_normal", "standard_cauchy", "random"])
def test_agrees_with_arviz_on_other_laws(draw: str) -> None:
    log_ratios = np.clip(getattr(np.random.default_rng(5), draw)(3000), -50, 50)
    ours, k = psis(log_ratios)
    theirs, k_theirs = arviz_psis(log_ratios)
    if np.isfinite(k_theirs):
        np.testing.assert_allclose(ours, theirs, atol=1e-12, rtol=0)
        assert k == pytest.approx(k_theirs, abs=1e-12)
    else:
        assert not np.isfinite(k)


def test_the_sign_is_right() -> None:
    """Weights exp(Exponential(0.8)) are Pareto with shape 0.8; read from the other end they look harmless."""
    samples = np.random.default_rng(11).exponential(0.8, (20, 10_000))
    assert np.mean([psis(sample)[1] for sample in samples]) == pytest.approx(0.78, abs=0.05)
    assert max(psis(-sample)[1] for sample in samples) < -0.5


def test_weights_are_normalised_and_bounded_by_the_largest_ratio() -> None:
    log_ratios = np.random.default_rng(2).exponential(1.2, 2200)
    log_weights, _ = psis(log_ratios)
    assert np.exp(log_weights).sum() == pytest.approx(1.0)
    assert np.array_equal(np.argsort(log_weights, kind="stable")[:-141], np.argsort(log_ratios, kind="stable")[:-141])


def test_equal_weights_have_no_tail() -> None:
    log_weights, k = psis(np.full(500, -3.0))
    assert k == -np.inf
    assert importance_ess(log_weights) == pytest.approx(500)


def test_draws_outside_the_support_get_no_weight() -> None:
    log_ratios = np.random.default_rng(3).normal(size=1000)
    log_ratios[:300] = -np.inf
    log_weights, k = psis(log_ratios)
    assert np.isfinite(k)
    assert np.exp(log_weights[:300]).sum() == 0.0


def test_one_dominating_draw_is_not_certified() -> None:
    log_ratios = np.zeros(2200)
    log_ratios[7] = 50.0
    assert psis(log_ratios)[1] == np.inf
    assert psis(np.arange(20.0))[1] == np.inf  # four tail draws: too few for a fit


@pytest.mark.parametrize("bad", [[np.nan, 0.0], [np.inf, 0.0], [-np.inf, -np.inf], []])
def test_unusable_ratios_are_refused(bad: list[float]) -> None:
    with pytest.raises(ValueError, match="finite"):
        psis(bad)


def test_input_is_left_alone() -> None:
    log_ratios = np.random.default_rng(4).normal(size=300)
    before = log_ratios.copy()
    psis(log_ratios)
    np.testing.assert_array_equal(log_ratios, before)


def test_limit_grows_with_draws_up_to_seven_tenths() -> None:
    assert k_limit(100) == pytest.approx(0.5)
    assert k_limit(10_000) == 0.7
