"""What NUTS refuses, and starts near the mode; the sampling itself is in test_generic."""

from __future__ import annotations

from typing import Any

import numpy as np
import pymc as pm
import pytest

from leopardpop.errors import FitError, LeopardpopError
from leopardpop.inference import nuts
from leopardpop.inference.nuts import sample_nuts


@pytest.fixture
def model() -> pm.Model:
    with pm.Model() as model:
        pm.HalfNormal("scale", 1.0)
        pm.Normal("slope", 0.0, 1.0, shape=2)
    return model


def test_random_seed_is_refused(model: pm.Model) -> None:
    with pytest.raises(FitError, match="use seed="):
        sample_nuts(model, random_seed=1)


def test_unknown_sampler_is_refused(model: pm.Model) -> None:
    with pytest.raises(FitError, match="no sampler 'stan'; choose from pymc, nutpie, numpyro, blackjax"):
        sample_nuts(model, sampler="stan")


def test_missing_package_is_named(model: pm.Model, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nuts, "find_spec", lambda name: None)
    with pytest.raises(FitError, match="'numpyro' needs jax and numpyro, which are not installed") as error:
        sample_nuts(model, sampler="numpyro")
    assert error.value.offenders == ["jax", "numpyro"]
    with pytest.raises(FitError, match="'nutpie' needs nutpie, which is not installed"):
        sample_nuts(model, sampler="nutpie")


def test_missing_jax_form_is_a_sentence(model: pm.Model, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_jax(**options: Any) -> None:
        raise NotImplementedError("No JAX conversion for the given `Op`: Kernel")

    monkeypatch.setattr(nuts, "find_spec", lambda name: name)
    monkeypatch.setattr(pm, "sample", no_jax)
    with pytest.raises(FitError, match=r"without a JAX form .*Kernel.*: use sampler='pymc' or 'nutpie'"):
        sample_nuts(model, sampler="blackjax")
    with pytest.raises(NotImplementedError):  # PyMC's own says what it means
        sample_nuts(model, sampler="pymc")


@pytest.mark.parametrize("sampler", ["pymc", "nutpie"])
def test_a_wrong_option_of_the_step_is_named(model: pm.Model, sampler: str) -> None:
    if sampler == "nutpie":
        pytest.importorskip("nutpie")
    with pytest.raises(LeopardpopError, match=r"no option 'target_acept'\. Did you mean 'target_accept'") as error:
        sample_nuts(model, sampler=sampler, nuts={"target_acept": 0.9}, draws=5, tune=5, chains=1)
    assert error.value.offenders == ["target_acept"]


def test_options_of_the_step_reach_every_sampler(model: pm.Model, monkeypatch: pytest.MonkeyPatch) -> None:
    """PyMC takes them beside its own only for its own sampler."""
    seen: dict[str, Any] = {}

    def spy(**options: Any) -> None:
        seen.update(options)
        raise InterruptedError

    monkeypatch.setattr(nuts, "find_spec", lambda name: name)
    monkeypatch.setattr(pm, "sample", spy)
    with pytest.raises(InterruptedError):
        sample_nuts(model, sampler="nutpie", max_treedepth=7, nuts={"target_accept": 0.9})
    assert seen["nuts"] == {"target_accept": 0.9, "max_treedepth": 7}
    assert "max_treedepth" not in seen


def test_sampler_is_always_named(model: pm.Model, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[str, Any] = {}

    def spy(**options: Any) -> None:
        seen.update(options)
        raise InterruptedError

    monkeypatch.setattr(nuts, "find_spec", lambda name: name)  # nutpie is optional
    monkeypatch.setattr(pm, "sample", spy)
    for sampler in ("pymc", "nutpie"):
        with pytest.raises(InterruptedError):
            sample_nuts(model, sampler=sampler, seed=1, start={"scale": 0.3}, tune=77)
        assert seen["nuts_sampler"] == sampler
        assert seen["tune"] == 77
        assert isinstance(seen["random_seed"], int)
    assert seen["initvals"] == {"scale": 0.3}  # nutpie takes one start for all chains


def test_chains_start_around_the_given_point(model: pm.Model) -> None:
    covariance = np.diag([1e-6, 0.04, 0.04])
    start = {"scale": 2.0, "slope": np.array([1.0, -1.0])}
    points = nuts._initial_points(model, 200, np.random.default_rng(1), start, covariance)
    scale = np.array([point["scale_log__"] for point in points])
    slope = np.array([point["slope"] for point in points])
    np.testing.assert_allclose(scale, np.log(2.0), atol=0.005)
    np.testing.assert_allclose(slope.mean(axis=0), [1.0, -1.0], atol=0.06)
    np.testing.assert_allclose(slope.std(axis=0), 0.2, rtol=0.2)
    exact = nuts._initial_points(model, 2, np.random.default_rng(1), start, None)
    np.testing.assert_array_equal(exact[1]["slope"], [1.0, -1.0])


def test_options_of_the_step_are_moved_to_it(model: pm.Model) -> None:
    options = {"target_accept": 0.95, "nuts": {"max_treedepth": 7}, "tune": 3}
    point = model.initial_point(random_seed=0)
    with nuts._compiling("FAST_COMPILE"):
        step = nuts._step(model, np.diag([4.0, 1.0, 1.0]), point, options)
    assert options == {"tune": 3}
    assert (step.target_accept, step.max_treedepth) == (0.95, 7)
    np.testing.assert_allclose(step.potential.velocity(np.ones(3)), [4.0, 1.0, 1.0])
