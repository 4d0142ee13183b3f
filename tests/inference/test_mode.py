"""The search for modes on targets whose modes are known."""

from __future__ import annotations

import numpy as np
import pytest

from leopardpop.errors import FitError
from leopardpop.inference.mode import difference_hessian, find_modes, inverse_root
from leopardpop.inference.target import FunctionTarget
from tests.inference import targets


@pytest.mark.parametrize(("size", "condition"), [(1, 1.0), (3, 100.0), (8, 1e8), (25, 1e4)])
def test_gaussian_mode_and_hessian_are_exact(size: int, condition: float) -> None:
    target, mean, precision = targets.gaussian(size, condition)
    found = find_modes(target)
    mode = found.best
    assert len(found.modes) == 1
    assert mode.converged
    assert mode.problems == ()
    np.testing.assert_allclose(mode.theta, mean, atol=1e-6)
    # relative to the curvature in every direction, also the flattest
    root = inverse_root(precision)
    np.testing.assert_allclose(root.T @ mode.hessian @ root, np.eye(size), atol=1e-7)
    np.testing.assert_allclose(mode.covariance, np.linalg.inv(precision), rtol=1e-6, atol=1e-7)


def test_gradients_are_few() -> None:
    target, _, _ = targets.gaussian(3)
    found = find_modes(target)
    assert found.n_values == 5
    assert found.n_gradients <= 30


@pytest.mark.parametrize("shapes", [(0.5, 3.0, 20.0), (0.2, 0.2), (100.0,)])
def test_skewed_mode(shapes: tuple[float, ...]) -> None:
    mix = np.random.default_rng(3).normal(size=(len(shapes), len(shapes)))
    mode = find_modes(targets.log_gamma(shapes, mix)).best
    np.testing.assert_allclose(mode.theta, mix @ np.log(shapes), atol=1e-8)
    inverse = np.linalg.inv(mix)
    np.testing.assert_allclose(mode.hessian, inverse.T @ np.diag(shapes) @ inverse, rtol=1e-6)
    assert np.abs(mode.gradient).max() < 1e-8


def test_rosenbrock_valley() -> None:
    def f(x: np.ndarray) -> tuple[float, np.ndarray]:
        a, b = x
        slope = [2.0 * (1.0 - a) + 400.0 * a * (b - a * a), -200.0 * (b - a * a)]
        return -float((1.0 - a) ** 2 + 100.0 * (b - a * a) ** 2), np.array(slope)

    mode = find_modes(targets.target(f, 2, [[-1.2, 1.0]])).best
    np.testing.assert_allclose(mode.theta, [1.0, 1.0], atol=1e-9)
    np.testing.assert_allclose(mode.hessian, [[802.0, -400.0], [-400.0, 200.0]], rtol=1e-6)


def test_both_modes_are_found_and_ranked() -> None:
    found = find_modes(targets.bimodal(apart=6.0, share=0.3))
    assert len(found.modes) == 2
    assert found.modes[0].value > found.modes[1].value
    places = sorted(round(float(mode.theta[0]), 3) for mode in found.modes)
    assert places == [0.0, 6.0]
    # 0.3 of the mass is in the narrow peak
    assert found.modes[0].log_mass - found.modes[1].log_mass == pytest.approx(np.log(3.0 / 7.0), abs=1e-3)


def test_points_outside_the_support_are_avoided() -> None:
    found = find_modes(targets.half_line())
    assert len(found.modes) == 1
    np.testing.assert_allclose(found.best.theta, [4.0], atol=1e-8)
    np.testing.assert_allclose(found.best.hessian, [[0.25]], rtol=1e-7)


def test_large_scales_need_no_scaling_by_hand() -> None:
    def f(x: np.ndarray) -> tuple[float, np.ndarray]:
        z = (x - [5000.0, -3.0]) / [800.0, 0.01]
        return -0.5 * float(z @ z), -z / [800.0, 0.01]

    mode = find_modes(targets.target(f, 2)).best
    assert mode.converged
    np.testing.assert_allclose(mode.theta, [5000.0, -3.0], rtol=1e-8)


def test_plateau_is_named() -> None:
    mode = find_modes(targets.plateau()).best
    assert "flat along 'x[0]'" in mode.problems[-1]


def test_singular_hessian_is_named() -> None:
    mode = find_modes(targets.ridge()).best
    assert any("'x[0]'" in text for text in mode.problems)
    assert np.isfinite(mode.covariance).all()


def test_vanishing_hessian_gives_finite_covariance() -> None:
    mode = find_modes(targets.quartic()).best
    np.testing.assert_allclose(mode.theta, 0.0, atol=1e-2)
    assert np.isfinite(mode.covariance).all()
    assert np.isfinite(mode.log_mass)


def test_start_on_a_saddle_leaves_it() -> None:
    def f(x: np.ndarray) -> tuple[float, np.ndarray]:  # maxima at (±1, 0), saddle at 0
        return float(0.5 * x[0] ** 2 - 0.25 * x[0] ** 4 - x[1] ** 2), np.array([x[0] - x[0] ** 3, -2.0 * x[1]])

    mode = find_modes(targets.target(f, 2, [[0.0, 0.0]])).best
    assert mode.converged
    np.testing.assert_allclose(np.abs(mode.theta), [1.0, 0.0], atol=1e-6)


def test_search_that_is_cut_short_says_so() -> None:
    target = targets.target(lambda x: (-float(np.cosh(x[0] - 20.0)), -np.sinh(x - 20.0)), 1, [[0.0]])
    mode = find_modes(target, max_iterations=2).best
    assert not mode.converged or mode.theta[0] == pytest.approx(20.0, abs=1e-4)
    mode = find_modes(target).best
    assert mode.converged
    assert mode.theta[0] == pytest.approx(20.0, abs=1e-8)


def test_no_finite_start_is_an_error() -> None:
    target = targets.target(lambda x: (np.nan, x), 2)
    with pytest.raises(FitError, match="not finite at any of 5 starting points") as error:
        find_modes(target)
    assert error.value.offenders.shape == (5, 2)


def test_one_sided_differences_at_an_edge() -> None:
    def f(x: np.ndarray) -> tuple[float, np.ndarray]:
        if x[0] < 0.0:
            return -np.inf, np.zeros(1)
        return float(-x[0] - x[0] ** 2), -1.0 - 2.0 * x

    hessian = difference_hessian(f, np.zeros(1), np.eye(1))
    np.testing.assert_allclose(hessian, [[2.0]], rtol=1e-6)


def test_function_target_starts_at_zero_by_default() -> None:
    target = FunctionTarget(names=("a",), function=lambda x: 0.0, function_and_gradient=lambda x: (0.0, x))
    np.testing.assert_array_equal(target.starts(), [[0.0]])


def test_no_scale_to_take_differences_on():
    """A search that ended where curvature is infinite has a singular root: no Hessian, and no crash."""
    root = inverse_root(np.diag([1.0, np.finfo(float).max]))
    assert np.isfinite(difference_hessian(quadratic, np.zeros(2), root)).all()
    assert np.isnan(difference_hessian(quadratic, np.zeros(2), np.diag([1.0, 0.0]))).all()


def quadratic(theta):
    return -0.5 * float(theta @ theta), -theta
