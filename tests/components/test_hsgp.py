"""The sum of sines against the exact covariance, over the length scales that it was made for."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import multivariate_normal

from leopardpop.components.hsgp import COVARIANCES, LOST, MOST, make_basis
from leopardpop.components.spatial import split_spatial
from leopardpop.errors import ModelError
from leopardpop.priors import length_scale_prior, length_scale_range
from tests.reference.spatial import kernel, spectral_density, wave

SQUARE = np.array([(i, j) for i in range(8) for j in range(8)], float) * 3.0
STRIP = np.array([(i, j) for i in range(20) for j in range(3)], float) * 2.0
ERROR = 0.13
"""Largest error of a covariance, as a share of the variance: LOST at each of two edges that are near, and a little."""


def covariances(places, name, length, basis):
    waves = basis.evaluate(places)
    found = (waves * np.exp(COVARIANCES[name].log_spectrum(basis.square, np.log(length)))) @ waves.T
    exact = np.array([[kernel(name, a, b, length) for b in places] for a in places])
    return found, exact


@pytest.mark.parametrize("name", COVARIANCES)
@pytest.mark.parametrize("places", [SQUARE, STRIP], ids=["square", "strip"])
def test_covariance_over_the_prior_of_the_length_scale(name, places):
    """From the 2.5 % to the 97.5 % quantile; where the number of functions is capped, from what it resolves."""
    prior = length_scale_prior(*length_scale_range(places))
    low, high = prior.quantile([0.025, 0.975])
    basis = make_basis(places, shortest=low, longest=high, covariance=COVARIANCES[name])
    assert basis.longest == pytest.approx(high)
    assert basis.shortest == pytest.approx(low, rel=0.05) or len(basis.order) == MOST
    for length in np.geomspace(max(low, basis.shortest), high, 7):
        found, exact = covariances(places, name, length, basis)
        assert np.abs(found - exact).max() < ERROR, length
    middle = np.abs(np.subtract(*covariances(places, name, float(np.sqrt(max(low, basis.shortest) * high)), basis)))
    assert middle.max() < 0.04


@pytest.mark.parametrize("name", COVARIANCES)
def test_more_functions_in_a_larger_rectangle_are_exact(name):
    basis = make_basis(SQUARE, shortest=1, longest=1, covariance=COVARIANCES[name], functions=2000, boundary=2.0)
    found, exact = covariances(SQUARE, name, 4.0, basis)
    assert np.abs(found - exact).max() < (1e-4 if name == "exp_quad" else 0.01)
    rng = np.random.default_rng(1)
    away = np.diag(np.full(len(SQUARE), 0.1))
    y = rng.multivariate_normal(np.zeros(len(SQUARE)), exact + away)
    ours, theirs = (multivariate_normal(cov=cov + away).logpdf(y) for cov in (found, exact))
    assert ours == pytest.approx(theirs, abs=0.01 if name == "exp_quad" else 1.0)


@pytest.mark.parametrize("name", COVARIANCES)
def test_waves_spectra_and_what_is_lost(name):
    covariance = COVARIANCES[name]
    basis = make_basis(STRIP, shortest=2.0, longest=8.0, covariance=covariance)
    low, side = basis.centre - basis.half, 2 * basis.half
    naive = [[wave(place, order, low, side) for order in basis.order] for place in STRIP[:5]]
    np.testing.assert_allclose(basis.evaluate(STRIP[:5]), naive, atol=1e-12)
    for square, length in [(0.3, 2.0), (4.0, 0.7)]:
        expected = np.log(spectral_density(name, square**0.5, length))
        assert covariance.log_spectrum(square, np.log(length)) == pytest.approx(expected, abs=1e-12)
        above, below = (covariance.log_spectrum(square, np.log(length) + s) for s in (1e-6, -1e-6))
        assert covariance.spectrum_slope(square, np.log(length)) == pytest.approx((above - below) / 2e-6, abs=1e-7)
    radius = np.linspace(0, covariance.reach, 200_001)
    inside = np.trapezoid([spectral_density(name, r, 1.0) * r / (2 * np.pi) for r in radius[::10]], radius[::10])
    assert inside == pytest.approx(1 - LOST, abs=1e-5)
    assert covariance.correlation(covariance.width, 1.0) == pytest.approx(LOST, abs=1e-8)


@settings(max_examples=30, deadline=None)
@given(st.floats(0.3, 30), st.floats(-500, 500), st.floats(0.2, 5))
def test_moving_and_stretching_the_map_changes_nothing(factor, shift, stretch):
    places = STRIP * [1.0, stretch]
    one = make_basis(places, shortest=2.0, longest=9.0)
    other = make_basis(factor * places + shift, shortest=2.0 * factor, longest=9.0 * factor)
    np.testing.assert_array_equal(one.order, other.order)
    np.testing.assert_allclose(one.evaluate(places), factor * other.evaluate(factor * places + shift), atol=1e-8)


def test_outside_and_beyond():
    basis = make_basis(SQUARE, shortest=3.0, longest=10.0)
    edge = basis.centre + basis.half
    assert basis.outside(np.stack([edge * 1.001, edge * 0.999, SQUARE[0]])).tolist() == [True, False, False]
    assert basis.beyond(np.array([[-0.1, 5], [21.1, 5], [5, 5], [0, 21]])).tolist() == [True, True, False, False]


@pytest.mark.parametrize(
    ("formula", "rest", "part"),
    [
        ("~ gp(x, y)", "~ 1", ("exp_quad", None, None)),
        ("~ snow + gp( x,y , cov='matern32')", "~ snow", ("matern32", None, None)),
        ("~ gp(easting, northing, boundary=2) + (1 | b)", "~ (1 | b)", ("exp_quad", None, 2)),
        ("~ gp + I(x + y)", "~ gp + I(x + y)", None),
    ],
)
def test_formulas_are_taken_apart(formula, rest, part):
    found = split_spatial(formula)
    assert found[0] == rest
    assert (found[1] and (found[1].cov, found[1].functions, found[1].boundary)) == part


@pytest.mark.parametrize(
    ("formula", "message"),
    [
        ("~ gp(x)", r"written gp\(x, y\)"),
        ("~ gp(snow, y)", r"written gp\(x, y\)"),
        ("~ gp(x, y) + gp(x, y)", "there twice"),
        ("~ gp(x, y) * snow", "no interaction"),
        ("~ gp(x, y, kov='a')", "no argument 'kov'. Did you mean 'cov'"),
        ("~ gp(x, y, cov='matern23')", "Did you mean 'matern32'"),
        ("~ gp(x, y, functions=2)", "whole number from 4"),
        ("~ gp(x, y, functions=True)", "whole number from 4"),
        ("~ gp(x, y, boundary=1)", "at least 1.05"),
    ],
)
def test_terms_that_cannot_be_read(formula, message):
    with pytest.raises(ModelError, match=message):
        split_spatial(formula, "psi")
