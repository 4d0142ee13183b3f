"""States and responses by multinomial logits: a naive twin, gradients, unmarked's fit, and the same data by either."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import pytest
from scipy.special import logit, softmax

import leopardpop as lp
from leopardpop.errors import ModelError
from leopardpop.models.states.problem import OccupancyProblem
from tests.models.occupancy_cases import FORMULAS, N_SITES, Case, design
from tests.reference.occupancy import site_probability

pytestmark = pytest.mark.filterwarnings("ignore::leopardpop.errors.DataWarning")

MODELS = ("MultistateOccupancy", "DynamicMultistateOccupancy")
PAIRS = {"psi": "breeding", "psi_next": "breeding_next", "p2": "delta"}


class Multinomial(Case):
    """The naive likelihood of the other parametrisation, at probabilities that follow from multinomial logits."""

    def _probability(self, parameter, i, t, j, state):
        for first, second in PAIRS.items():
            if parameter in (first, second):
                logits = [logit(super(Multinomial, self)._probability(n, i, t, j, state)) for n in (first, second)]
                base, one, other = softmax([0.0, *logits])
                return 1 - base if parameter == first else other / (one + other)
        return super()._probability(parameter, i, t, j, state)


@cache
def case(kind):
    history, sites, wind = design(kind)
    formulas = FORMULAS[kind] | {"delta": "~ wind", "p2": "~ height"}
    model = getattr(lp, kind)(**formulas, parametrisation="multinomial")
    empty = OccupancyProblem(model, history, design_only=True)
    theta = 0.7 * np.random.default_rng(5).normal(size=empty.layout.size)
    beta = pd.Series(empty.to_beta(theta), empty.labels)
    simulated = model.simulate(history, parameters=beta, seed=6).history
    return Multinomial(model, OccupancyProblem(model, simulated), theta, sites, wind)


@pytest.mark.parametrize("kind", MODELS)
def test_naive_likelihood(kind):
    it = case(kind)
    y = it.problem.history.dataset["y"].values
    assert {1.0, 2.0} <= set(np.unique(y[~np.isnan(y)]))
    naive = [float(np.log(site_probability(kind, y, i, it._probability))) for i in range(N_SITES)]
    np.testing.assert_allclose(it.problem.pointwise(it.theta).y, naive, atol=1e-9)


@pytest.mark.parametrize("kind", MODELS)
def test_gradient(kind):
    it = case(kind)
    for theta in (it.theta, 3.0 * it.theta):
        steps = 1e-6 * np.eye(len(theta))
        differences = [(it.problem.value(theta + s) - it.problem.value(theta - s)) / 2e-6 for s in steps]
        np.testing.assert_allclose(it.problem.gradient(theta)[1], differences, atol=1e-6)
    value, gradient = it.problem.log_likelihood_gradient(30.0 * np.sign(it.theta))
    assert np.isfinite(value)
    assert np.isfinite(gradient).all()


def test_graph():
    import pymc as pm
    import pytensor

    from leopardpop.models.graph import point_of

    it = case("MultistateOccupancy")
    with pytensor.config.change_flags(mode="FAST_COMPILE"):
        model = it.model.build(it.problem.history)
        potential = pytensor.function(model.free_RVs, pm.math.sum(model.potentials[0]), on_unused_input="ignore")
    values = [point_of(it.problem, it.theta)[variable.name] for variable in model.free_RVs]
    assert potential(*values) == pytest.approx(it.problem.log_likelihood(it.theta), abs=1e-9)


def test_without_covariates_both_say_the_same():
    history, _, _ = design("MultistateOccupancy", n_sites=150)
    truth = {"psi": 0.6, "breeding": 0.5, "p1": 0.4, "p2": 0.6, "delta": 0.5}
    data = lp.MultistateOccupancy().simulate(history, parameters=truth, seed=3).history
    one = lp.MultistateOccupancy().maximum_likelihood(data)
    other = lp.MultistateOccupancy(parametrisation="multinomial").maximum_likelihood(data)
    assert other.log_likelihood == pytest.approx(one.log_likelihood, abs=1e-8)
    psi, breeding = (one.estimates["estimate"][name] for name in ("psi", "breeding"))
    found = other.estimates["estimate"]
    absent, used, young = 1 - psi, psi * (1 - breeding), psi * breeding
    assert found["psi"] == pytest.approx(used / (used + absent), abs=1e-5)
    assert found["breeding"] == pytest.approx(young / (young + absent), abs=1e-5)


def test_frogs_by_unmarked(shared):
    """occuMS(parameterization = "multinomial"): its log-likelihood at its estimates (p11, p12, p22 are its names)."""
    history = lp.DetectionHistory.from_tables(shared / "data" / "frogs_pcru" / "y_ms3.csv", response="state")
    names = ["psi", "breeding", "p1", "p2", "delta"]
    theirs = [-7.79245772474297, 2.96452967513638, -1.10551877182805, -1.97285817445861, -0.446602862455951]
    coefficients = pd.Series(theirs, [f"{name}[Intercept]" for name in names])
    model = lp.MultistateOccupancy(parametrisation="multinomial")
    found = model.log_likelihood(history, parameters=coefficients)
    assert found == pytest.approx(-294.19345710348, abs=1e-9)


def test_posterior_states_and_file(tmp_path):
    history, _, _ = design("DynamicMultistateOccupancy", n_sites=60, seasons=3)
    model = lp.DynamicMultistateOccupancy(parametrisation="multinomial", psi_next="~ 1", breeding_next="~ 1")
    truth = {"psi": 0.4, "breeding": 0.5, "psi_next": 0.4, "breeding_next": 0.5, "p1": 0.4, "p2": 0.5, "delta": 0.6}
    fit = model.fit(model.simulate(history, parameters=truth, seed=1).history, draws=250, seed=1)
    draws, states = fit.posterior, fit.occupancy()
    odds = [draws[name] / (1 - draws[name]) for name in ("psi", "breeding")]
    np.testing.assert_allclose(states.breeding.sel(season="1").isel(site=0), odds[1] / (1 + odds[0] + odds[1]))
    np.testing.assert_allclose(states.psi.sel(season="1").isel(site=0), 1 - 1 / (1 + odds[0] + odds[1]))
    loaded = lp.load_fit(fit.save(tmp_path / "fit.nc"))
    assert loaded.model == model
    assert "(multinomial)" in repr(loaded)


def test_refusals():
    with pytest.raises(ModelError, match=r"condbinom, multinomial\. Did you mean 'multinomial'"):
        lp.MultistateOccupancy(parametrisation="multinomal")
    with pytest.raises(ModelError, match="has no link 'probit'"):
        lp.DynamicMultistateOccupancy(parametrisation="multinomial", link="probit")
