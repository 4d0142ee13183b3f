"""Proposal laws: densities that integrate to one and fit their own draws."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from leopardpop.inference.laplace import laplace_draws
from leopardpop.inference.mode import find_modes
from leopardpop.inference.proposal import Mixture, SplitT, laplace_mixture, refit
from leopardpop.inference.psis import psis
from leopardpop.inference.target import batch_values
from tests.inference import targets

ROOT = np.array([[1.0, 0.0], [0.8, 0.5]])


def split(df: float = 5.0) -> SplitT:
    return SplitT(np.array([1.0, -2.0]), ROOT, np.array([1.0, 3.0]), np.array([2.0, 0.8]), df)


def test_symmetric_law_is_scipys() -> None:
    points = np.random.default_rng(1).normal(size=(50, 2)) * 3.0
    law = SplitT.symmetric(np.array([1.0, -2.0]), ROOT, df=5.0)
    expected = stats.multivariate_t([1.0, -2.0], ROOT @ ROOT.T, df=5.0).logpdf(points)
    np.testing.assert_allclose(law.log_density(points), expected, rtol=1e-12)


@pytest.mark.parametrize("df", [5.0, 30.0])
def test_density_integrates_to_one(df: float) -> None:
    law = split(df)
    wide = stats.multivariate_t(law.centre, 6.0 * ROOT @ ROOT.T, df=3.0, seed=2)
    points = wide.rvs(200_000)
    ratio = np.exp(law.log_density(points) - wide.logpdf(points))
    assert ratio.mean() == pytest.approx(1.0, abs=5.0 * ratio.std() / np.sqrt(len(points)))


def test_draws_follow_the_density() -> None:
    law = split()
    drawn = law.draw(np.random.default_rng(3), 100_000)
    z = np.linalg.solve(ROOT, (drawn - law.centre).T).T
    np.testing.assert_allclose((z > 0).mean(axis=0), [1.0 / 3.0, 3.0 / 3.8], atol=0.006)
    above = z[z[:, 1] > 0, 1] / 3.0
    assert stats.kstest(above, lambda x: 2.0 * stats.t(5.0).cdf(x) - 1.0).pvalue > 1e-3


def test_density_is_continuous_at_the_axes() -> None:
    law = split()
    axis = law.centre + 2.0 * ROOT[:, 1]
    nudge = 1e-9 * ROOT[:, 0]
    up, down = law.log_density(np.stack([axis + nudge, axis - nudge]))
    assert up == pytest.approx(down, abs=1e-7)


def test_mixture_weighs_its_parts() -> None:
    near, far = SplitT.symmetric(np.zeros(1), np.eye(1), df=5.0), SplitT.symmetric(np.full(1, 50.0), np.eye(1), df=5.0)
    mixture = Mixture(np.array([0.7, 0.3]), (near, far))
    drawn = mixture.draw(np.random.default_rng(4), 20_000)
    assert (drawn > 25.0).mean() == pytest.approx(0.3, abs=0.015)
    points = np.array([[0.3], [49.0]])
    expected = np.log(0.7 * stats.t(5).pdf(points[:, 0]) + 0.3 * stats.t(5).pdf(points[:, 0] - 50.0))
    np.testing.assert_allclose(mixture.log_density(points), expected, rtol=1e-12)


def test_first_proposal_follows_the_skewness() -> None:
    target = targets.log_gamma((0.5, 4.0))
    mixture = laplace_mixture(find_modes(target).modes, lambda thetas: batch_values(target, thetas))
    plain, skewed = mixture.parts
    assert mixture.shares.tolist() == [0.5, 0.5]
    np.testing.assert_array_equal(plain.up, 1.0)
    longer = np.maximum(skewed.up, skewed.down)
    assert longer.max() > 1.5  # log gamma(0.5) has a long lower tail
    assert min(skewed.up.min(), skewed.down.min()) >= 0.8


def test_every_mode_gets_a_part() -> None:
    target = targets.bimodal(apart=8.0, share=0.01)
    modes = find_modes(target).modes
    mixture = laplace_mixture(modes, lambda thetas: batch_values(target, thetas))
    assert len(mixture.parts) == 4
    assert mixture.shares.sum() == pytest.approx(1.0)
    assert mixture.shares.min() > 0.05  # a mode's mass is only guessed


def test_useless_axes_are_rescaled() -> None:
    target = targets.quartic()
    mixture = laplace_mixture(find_modes(target).modes, lambda thetas: batch_values(target, thetas))
    lengths = np.linalg.norm(mixture.parts[0].root, axis=0)
    assert ((lengths > 0.2) & (lengths < 3.0)).all()  # the posterior sd is 0.58; the Hessian says some hundreds


@pytest.mark.parametrize("weight", [1.0, 1e-6])
def test_refit_survives_few_useful_draws(weight: float) -> None:
    """Weights that leave one draw standing are flattened until a covariance can be had."""
    rng = np.random.default_rng(5)
    first = Mixture(np.ones(1), (SplitT.symmetric(np.zeros(4), np.eye(4), df=5.0),))
    drawn = first.draw(rng, 500)
    log_weights = np.log(np.where(np.arange(500) == 3, 1.0, weight))
    log_weights -= np.log(np.exp(log_weights).sum())
    fitted = refit(drawn, log_weights, first, rng)
    assert fitted.shares.sum() == pytest.approx(1.0)
    assert np.isfinite(fitted.log_density(drawn)).all()


def test_refit_reaches_the_arms_of_a_banana() -> None:
    target = targets.banana(2.0)
    rng = np.random.default_rng(6)
    first = laplace_mixture(find_modes(target).modes, lambda thetas: batch_values(target, thetas))
    proposal, before = first, 0.0
    for attempt in range(4):
        drawn = proposal.draw(rng, 2200)
        log_weights, _ = psis(batch_values(target, drawn) - proposal.log_density(drawn))
        ess = 1.0 / np.exp(2.0 * log_weights).sum()
        before = before or ess
        proposal = refit(drawn, log_weights, first, rng) if attempt < 3 else proposal
    assert ess > 2.0 * before


def test_skewed_half_saves_evaluations() -> None:
    """The reason why the first proposal is split: a plain t law leaves a fifth to a half of the effective draws."""
    target = targets.log_gamma((0.5, 3.0, 20.0))
    fit = laplace_draws(target, seed=7)
    plain = SplitT.symmetric(fit.mode, np.linalg.cholesky(fit.covariance), df=5.0)
    drawn = plain.draw(np.random.default_rng(7), len(fit.raw))
    log_weights, _ = psis(batch_values(target, drawn) - plain.log_density(drawn))
    assert fit.importance_ess > 1.2 / np.exp(2.0 * log_weights).sum()
