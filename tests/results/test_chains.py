"""NUTS on a problem: the metric in its own coordinates, and the same schema and posterior as importance sampling."""

import numpy as np
import pytest

import leopardpop as lp
from leopardpop.errors import FitError
from leopardpop.inference.mode import find_modes
from leopardpop.models.graph import build_model
from leopardpop.results.chains import seconds_of_nuts, unconstrained_covariance
from tests.results import made

SIZE = {"draws": 150, "chains": 2, "seed": 1, "tune": 50, "cores": 1}


@pytest.fixture(scope="module")
def sampled():
    return made.quiet(lambda: made.model("sex").fit(made.history("sex"), made.mask(), engine="nuts", **SIZE))


def test_the_schema_is_that_of_laplace(sampled):
    other = made.fit("sex")
    for group in ("posterior", "log_likelihood", "log_prior", "observed_data", "constant_data"):
        ours, theirs = (each.data_tree[group].to_dataset() for each in (sampled, other))
        assert {n: v.dims for n, v in ours.variables.items()} == {n: v.dims for n, v in theirs.variables.items()}
        assert {n: v.attrs for n, v in ours.variables.items()} == {n: v.attrs for n, v in theirs.variables.items()}
    assert sampled.engine == "nuts"
    assert sampled.data_tree.attrs["inference_library"] == "pymc"
    assert {"diverging", "energy"} <= set(sampled.data_tree["sample_stats"])


def test_the_posterior_is_that_of_laplace(sampled):
    """A few draws: their means lie within four Monte Carlo errors, their sds within a third."""
    ours, theirs = sampled.summary(), made.fit("sex").summary()
    error = ours["sd"] / np.sqrt(ours["ess"])
    assert ((ours["mean"] - theirs["mean"]).abs() < 4 * error).all()
    assert (ours["sd"] / theirs["sd"]).between(0.67, 1.5).all()


def test_the_numbers_of_each_draw_are_the_models(sampled):
    group = sampled.data_tree["log_likelihood"].to_dataset()
    own = sampled.model.log_likelihood(sampled.history, sampled.mask, parameters=made.coefficients(sampled, 1, 7))
    assert float(group["capture"][1, 7].sum() + group["n_detected"][1, 7].sum()) == pytest.approx(own, abs=1e-9)


def test_it_is_judged_by_its_chains_and_comes_back_from_a_file(sampled, tmp_path):
    quantities = sampled.diagnostics()["quantity"].tolist()
    assert quantities[0] == "R-hat, largest"
    assert "divergences" in quantities
    assert "Pareto k" not in quantities
    assert lp.load_fit(sampled.save(tmp_path / "fit.nc")) == sampled


def test_the_metric_is_in_the_coordinates_of_the_sampler():
    """log sigma and log D are theta's own; a slope is divided by its scale; a share is a logit."""
    model = lp.SCR(density="~ snow", detection=lp.HalfNormal(sigma="~ sex"), classes="sex")
    problem = made.Problem(model, made.history("sex"), made.mask())
    mode = find_modes(problem).best
    pm_model = build_model(problem, kernel=True)
    found = unconstrained_covariance(problem, pm_model, mode.theta, mode.covariance)
    names = [value.name for value in pm_model.continuous_value_vars]
    scale = {"D[snow]": 1 / made.mask().covariates["snow"].std(ddof=0)}
    label = {"D[Intercept]": "D_reference_log__", "lambda0[Intercept]": "lambda0_reference_log__"}
    label |= {"sigma[Intercept]": "sigma_reference_log__", "pmix[M]": "pmix_reference_logodds__"}
    order = [names.index(label.get(each, each)) for each in problem.labels]
    factor = np.array([scale.get(each, 1.0) for each in problem.labels])
    expected = mode.covariance * np.outer(factor, factor)
    np.testing.assert_allclose(found[np.ix_(order, order)], expected, rtol=1e-4, atol=1e-6 * expected.max())


@pytest.mark.parametrize(
    "model",
    [
        lp.SCR(detection=lp.ProbabilityHalfNormal()),
        lp.SCR(density="~ snow", priors={"N": lp.priors.from_range(30, 150)}),
        lp.SCR(priors={"sigma": lp.Prior("Gamma", alpha=4, beta=0.004)}),
    ],
    ids=["g0", "N", "Gamma"],
)
def test_any_prior_has_a_metric(model):
    problem = made.Problem(model, made.history("null"), made.mask())
    mode = find_modes(problem).best
    found = unconstrained_covariance(problem, build_model(problem, kernel=True), mode.theta, mode.covariance)
    assert found.shape == (problem.layout.size,) * 2
    assert np.linalg.eigvalsh(found)[0] > 0


def test_the_time_is_that_of_the_gradients():
    problem = made.problem("null")
    size = {"draws": 1000, "chains": 4, "seed": 1}
    short = seconds_of_nuts(problem, problem.starts()[0], size, {"cores": 1})
    assert 0 < short < 600
    assert seconds_of_nuts(problem, problem.starts()[0], {**size, "draws": 20_000}, {"cores": 1}) > 3 * short


def test_a_sampler_that_does_not_exist_is_refused():
    with pytest.raises(FitError, match="no sampler 'stan'"):
        lp.SCR().fit(made.history("null"), made.mask(), engine="nuts", nuts_sampler="stan")
