"""Laplace on PyMC models: conjugate answers, the same tree as PyMC's, NUTS beside it."""

from __future__ import annotations

import numpy as np
import pymc as pm
import pytest
import xarray as xr

from leopardpop.errors import ConvergenceWarning, ModelError
from leopardpop.inference.convergence import nuts_findings
from leopardpop.inference.generic import PyMCTarget, laplace
from leopardpop.inference.mode import find_modes
from leopardpop.inference.nuts import predict_seconds, sample_nuts

FAST = "FAST_COMPILE"


@pytest.fixture(scope="module")
def logistic() -> pm.Model:
    """Twelve seasons at four places: coords, data, a deterministic, a constrained scale, a potential."""
    rng = np.random.default_rng(1)
    snow = rng.normal(size=(4, 12))
    seen = rng.binomial(1, 1.0 / (1.0 + np.exp(-0.5 - snow)))
    depth = 0.8 + 0.6 * rng.normal(size=12)
    coords = {"place": ["a", "b", "c", "d"], "season": range(2010, 2022)}
    with pm.Model(coords=coords) as model:
        x = pm.Data("snow", snow, dims=("place", "season"))
        scale = pm.HalfNormal("scale", 1.0)
        offset = pm.Normal("offset", 0.0, 1.0, dims="place")
        slope = pm.Normal("slope", 0.0, 2.0)
        eta = pm.Deterministic("eta", offset[:, None] + slope * x, dims=("place", "season"))
        pm.Bernoulli("seen", logit_p=eta, observed=seen, dims=("place", "season"))
        pm.Normal("depth", slope, scale, observed=depth, dims="season")
        pm.Potential("belief", -0.5 * (scale - 1.0) ** 2)
    return model


@pytest.fixture(scope="module")
def tree(logistic: pm.Model) -> xr.DataTree:
    return laplace(logistic, draws=300, chains=2, seed=1)


@pytest.fixture(scope="module")
def chains(logistic: pm.Model) -> xr.DataTree:
    """NUTS started at the mode with the Laplace metric."""
    target = PyMCTarget(logistic)
    mode = find_modes(target).best
    return sample_nuts(
        logistic, draws=300, tune=150, chains=2, seed=1, cores=1, backend=FAST,
        start=target.point(mode.theta), covariance=mode.covariance,
    )  # fmt: skip


def test_conjugate_answers() -> None:
    counts = [3, 5, 4, 0]
    with pm.Model() as model:
        rate = pm.Gamma("rate", 2.0, 1.0)
        share = pm.Beta("share", 2.0, 2.0)
        pm.Poisson("count", rate, observed=counts)
        pm.Binomial("male", n=9, p=share, observed=3)
    posterior = laplace(model, seed=3)["posterior"]
    for name, mean, sd in (("rate", 14 / 5, np.sqrt(14) / 5), ("share", 5 / 13, np.sqrt(5 * 8 / 13**2 / 14))):
        assert float(posterior[name].mean()) == pytest.approx(mean, abs=0.1 * sd)
        assert float(posterior[name].std()) == pytest.approx(sd, rel=0.06)
    assert abs(float(xr.corr(posterior["rate"], posterior["share"]))) < 0.1


def test_log_densities_are_those_of_the_draws() -> None:
    from scipy import stats

    with pm.Model(coords={"visit": ["first", "second"]}) as model:
        rate = pm.Gamma("rate", 2.0, 1.0)
        pm.Poisson("count", rate, observed=[3, 5], dims="visit")
    tree = laplace(model, draws=50, chains=2, seed=4)
    rate_draws = tree["posterior"]["rate"].to_numpy()
    expected = stats.poisson.logpmf([3, 5], rate_draws[..., None])
    np.testing.assert_allclose(tree["log_likelihood"]["count"], expected, rtol=1e-10)
    np.testing.assert_allclose(tree["log_prior"]["rate"], stats.gamma(2.0).logpdf(rate_draws), rtol=1e-10)
    # lp is on the unconstrained scale: the Jacobian of the log is the rate itself
    total = expected.sum(axis=-1) + stats.gamma(2.0).logpdf(rate_draws) + np.log(rate_draws)
    np.testing.assert_allclose(tree["sample_stats"]["lp"], total, rtol=1e-10)


def test_sample_stats_hold_the_certificate(tree: xr.DataTree) -> None:
    stats = tree["sample_stats"]
    assert stats.attrs["pareto_k"] < 0.7
    assert stats.attrs["importance_ess"] > 400
    assert stats.attrs["n_evaluations"] >= 2200
    assert stats.attrs["seconds"] > 0
    assert stats.attrs["inference_library"] == "leopardpop"
    assert stats["log_weight"].dims == stats["lp"].dims == ("chain", "draw")


def test_tree_has_the_form_of_pymcs(tree: xr.DataTree, chains: xr.DataTree) -> None:
    assert set(tree.children) == set(chains.children) | {"log_likelihood", "log_prior"}
    for group in ("posterior", "observed_data", "constant_data"):
        ours, theirs = tree[group].to_dataset(), chains[group].to_dataset()
        assert set(ours.data_vars) == set(theirs.data_vars)
        for name in theirs.data_vars:
            assert ours[name].dims == theirs[name].dims
            assert ours[name].shape == theirs[name].shape
            assert ours[name].dtype == theirs[name].dtype
        assert set(ours.coords) == set(theirs.coords)
        for name in theirs.coords:
            xr.testing.assert_equal(ours[name].variable, theirs[name].variable)
    xr.testing.assert_equal(tree["observed_data"].to_dataset(), chains["observed_data"].to_dataset())


def test_deterministics_follow_their_parents(tree: xr.DataTree) -> None:
    posterior = tree["posterior"].to_dataset()
    eta = posterior["offset"] + posterior["slope"] * tree["constant_data"]["snow"]
    xr.testing.assert_allclose(posterior["eta"], eta.transpose("chain", "draw", "place", "season"))
    assert (posterior["scale"] > 0).all()


def test_laplace_and_nuts_agree(tree: xr.DataTree, chains: xr.DataTree) -> None:
    ours, theirs = tree["posterior"].to_dataset(), chains["posterior"].to_dataset()
    for name in ("slope", "offset", "scale"):
        sd = theirs[name].std(("chain", "draw"))
        assert float((abs(ours[name].mean(("chain", "draw")) - theirs[name].mean(("chain", "draw"))) / sd).max()) < 0.25
        assert float(abs(np.log(ours[name].std(("chain", "draw")) / sd)).max()) < 0.25


def test_chains_are_judged(chains: xr.DataTree) -> None:
    found = {row.quantity: row for row in nuts_findings(chains)}
    assert found["R-hat, largest"].value < 1.05
    assert found["ESS of the bulk, smallest"].value > 50
    assert set(found) >= {"divergences", "draws at the largest tree", "BFMI, smallest"}
    assert chains["sample_stats"].attrs["sampler"] == "pymc"


def test_nuts_repeats_with_its_seed_on_any_number_of_cores(logistic: pm.Model) -> None:
    def draw(seed: int, cores: int) -> np.ndarray:
        options = {"draws": 5, "tune": 5, "chains": 2, "backend": FAST, "nuts": {"target_accept": 0.9}}
        covariance = 0.05 * np.eye(6)
        tree = sample_nuts(logistic, seed=seed, cores=cores, covariance=covariance, start={"slope": 1.0}, **options)
        return tree["posterior"]["slope"].to_numpy()

    first = draw(2, 1)
    np.testing.assert_array_equal(first, draw(2, 2))
    assert not np.array_equal(first, draw(3, 1))
    assert not np.array_equal(first[0], first[1])


def test_seed_repeats(logistic: pm.Model, tree: xr.DataTree) -> None:
    again = laplace(logistic, draws=300, chains=2, seed=1)
    xr.testing.assert_equal(again["posterior"].to_dataset(), tree["posterior"].to_dataset())


def test_gradient_is_the_derivative(logistic: pm.Model) -> None:
    target = PyMCTarget(logistic)
    theta = target.starts()[2]
    value, slope = target.gradient(theta)
    assert value == pytest.approx(target.value(theta), rel=1e-12)
    step = 1e-5 * np.eye(len(theta))
    numeric = [(target.value(theta + h) - target.value(theta - h)) / 2e-5 for h in step]
    np.testing.assert_allclose(slope, numeric, rtol=1e-5, atol=1e-7)
    assert target.names == ("scale", "offset[0]", "offset[1]", "offset[2]", "offset[3]", "slope")


def test_discrete_unknowns_are_refused() -> None:
    with pm.Model() as model:
        alive = pm.Bernoulli("alive", 0.5)
        pm.Normal("x", alive, 1.0, observed=0.2)
    with pytest.raises(ModelError, match="'alive' takes whole numbers: sum over it") as error:
        laplace(model)
    assert error.value.offenders == ["alive"]


def test_model_without_unknowns_is_refused() -> None:
    with pm.Model() as model:
        pm.Normal("x", 0.0, 1.0, observed=0.2)
    with pytest.raises(ModelError, match="no free variable"):
        laplace(model)


def test_failed_certificate_warns() -> None:
    with pm.Model() as model:
        x = pm.Flat("x")  # improper: the likelihood rises to a plateau
        pm.Bernoulli("y", logit_p=x, observed=[1])
    with pytest.warns(ConvergenceWarning, match="Sample this model with NUTS"):
        laplace(model, draws=10, chains=1, seed=5)


def test_time_is_predicted(logistic: pm.Model) -> None:
    assert predict_seconds(0.01, draws=1000, tune=1000, chains=4, cores=4) == pytest.approx(160, rel=0.2)
    assert predict_seconds(0.01, cores=1) == pytest.approx(4 * predict_seconds(0.01, cores=4))
    assert 0.05 < predict_seconds(logistic, draws=100, tune=100, cores=1, backend=FAST) < 60
