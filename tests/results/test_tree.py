"""The data tree: one schema, and numbers that agree with the model at every draw."""

from itertools import pairwise

import numpy as np
import pytest
import xarray as xr

import leopardpop as lp
from leopardpop.results.pieces import Recorder, evaluate_draws
from leopardpop.results.tree import log_prior_terms
from tests.results import made

KINDS = ("null", "sex", "snow", "years")
GROUPS = ("posterior", "log_likelihood", "log_prior", "sample_stats", "observed_data", "constant_data")


def shape(dataset: xr.Dataset) -> dict[str, tuple[str, ...]]:
    return {str(name): tuple(map(str, values.dims)) for name, values in dataset.variables.items()}


@pytest.mark.parametrize("kind", KINDS)
def test_the_groups_are_those_of_the_contract(kind):
    assert tuple(made.fit(kind).data_tree.children) == GROUPS


def test_natural_parameters_have_a_dimension_for_each_factor():
    draw, session = ("chain", "draw"), ("chain", "draw", "session")
    sex = shape(made.fit("sex").posterior)
    assert sex["D"] == sex["lambda0"] == draw
    assert sex["sigma"] == sex["pmix"] == (*draw, "sex")
    assert sex["sigma_beta"] == (*draw, "sigma_coef")
    assert sex["E_N"] == sex["N"] == session
    assert shape(made.fit("years").posterior)["D"] == session
    assert made.fit("sex").posterior["sex"].values.tolist() == ["F", "M"]
    assert made.fit("sex").posterior["sigma_coef"].values.tolist() == ["Intercept", "sex[M]"]


def test_units_travel_with_the_arrays():
    posterior = made.fit("null").posterior
    units = {name: posterior[name].attrs["units"] for name in ("D", "lambda0", "sigma", "N")}
    assert units == {"D": "1/km²", "lambda0": "1/day", "sigma": "m", "N": "animals"}


@pytest.mark.parametrize("kind", KINDS)
def test_the_log_likelihood_is_the_models_at_every_draw(kind):
    fit = made.fit(kind)
    group = fit.data_tree["log_likelihood"].to_dataset()
    total = group["capture"].sum("individual") + group["n_detected"].sum("session")
    for chain, draw in [(0, 0), (1, 17), (3, 499)]:
        own = fit.model.log_likelihood(fit.history, fit.mask, parameters=made.coefficients(fit, chain, draw))
        assert total.values[chain, draw] == pytest.approx(own, abs=1e-9)


@pytest.mark.parametrize("kind", KINDS)
def test_likelihood_and_prior_add_up_to_the_log_posterior(kind):
    tree = made.fit(kind).data_tree
    likelihood = tree["log_likelihood"].to_dataset()
    prior = sum(tree["log_prior"].to_dataset().data_vars.values())
    total = likelihood["capture"].sum("individual") + likelihood["n_detected"].sum("session") + prior
    np.testing.assert_allclose(total, tree["sample_stats"]["lp"], rtol=0, atol=1e-9)


@pytest.mark.parametrize("kind", KINDS)
def test_the_log_prior_has_every_term(kind):
    fit = made.fit(kind)
    terms = fit.data_tree["log_prior"].to_dataset()
    assert list(terms) == [term.label for term in fit.problem.priors.terms]
    theta = fit.theta[2, 5]
    alone = fit.problem.priors.by_term(theta, float(fit.posterior["E_N"][2, 5].sum()))
    for label, value in alone.items():
        assert terms[label].values[2, 5] == pytest.approx(value, abs=1e-9)


def test_log_priors_of_a_foreign_prior_and_of_a_number_are_those_of_the_model():
    priors = {"N": lp.priors.from_range(20, 80), "sigma": lp.Prior("Gamma", alpha=4, beta=0.004)}
    problem = made.Problem(lp.SCR(priors=priors), made.history("null"), made.mask())
    theta = problem.starts()[0] + np.linspace(-0.2, 0.2, 5)[:, None]
    expected = evaluate_draws(problem, theta).expected.sum(-1)
    found = log_prior_terms(problem, theta, expected)
    for row in range(5):
        for label, value in problem.priors.by_term(theta[row], expected[row]).items():
            assert found[label][row] == pytest.approx(value, abs=1e-9)


def test_density_is_the_mean_over_the_mask():
    fit = made.fit("snow")
    at = made.coefficients(fit, 1, 3)
    cells = np.exp(at["D[Intercept]"] + at["D[snow]"] * fit.mask.covariates["snow"])
    assert fit.posterior["D"].values[1, 3] == pytest.approx(np.average(cells, weights=fit.mask.area))
    assert fit.posterior["E_N"].values[1, 3, 0] == pytest.approx(cells @ fit.mask.area)


def test_sigma_of_a_class_is_that_of_its_coefficients():
    fit = made.fit("sex")
    beta = fit.posterior["sigma_beta"]
    males = np.exp(beta.sel(sigma_coef="Intercept") + beta.sel(sigma_coef="sex[M]"))
    np.testing.assert_allclose(fit.posterior["sigma"].sel(sex="M"), males)
    np.testing.assert_allclose(fit.posterior["pmix"].sum("sex"), 1.0)


@pytest.mark.parametrize("kind", KINDS)
def test_n_is_the_animals_detected_and_a_poisson_number_of_others(kind):
    fit = made.fit(kind)
    numbers, expected = fit.posterior["N"], fit.posterior["E_N"]
    detected = np.array([len(data.individuals) for data in fit.problem.data])
    assert numbers.dtype.kind == "i"
    assert (numbers.values >= detected).all()
    pieces = evaluate_draws(fit.problem, fit.theta.reshape(-1, fit.theta.shape[-1]))
    rate = (pieces.expected - pieces.detected).reshape(expected.shape)
    error = 4 * np.sqrt(rate.mean((0, 1)) / numbers[..., 0].size)
    assert (np.abs((numbers - detected).values.mean((0, 1)) - rate.mean((0, 1))) < error).all()


def test_observed_and_constant_data_are_those_of_the_fit():
    fit = made.fit("years")
    xr.testing.assert_identical(fit.data_tree["observed_data"].to_dataset(), fit.history.dataset)
    constant = fit.data_tree["constant_data"].to_dataset()
    assert (constant["cell_session"].to_series().value_counts() == made.mask().n_cells).all()
    one = constant.isel(cell=constant["cell_session"].values == "2022")
    np.testing.assert_array_equal(one["snow"], made.mask().covariates["snow"])
    assert made.fit("snow").data_tree["constant_data"]["D_scale"].values[1] == pytest.approx(
        made.mask().covariates["snow"].std(ddof=0)
    )


def test_individuals_carry_session_and_animal():
    group = made.fit("years").data_tree["log_likelihood"].to_dataset()
    assert group["individual"].values[0].startswith("2021/")
    assert set(group["individual_session"].values) == {"2021", "2022"}
    assert "animal" in group.coords


@pytest.mark.parametrize("kind", KINDS)
def test_draws_from_elsewhere_give_the_same_schema(kind):
    fit = made.fit(kind)
    kept = [name for name in fit.posterior if name.endswith("_beta") or name == "pmix"]
    tree = xr.DataTree.from_dict({"posterior": fit.posterior[kept]})
    other = made.quiet(lambda: fit.model.from_posterior(tree, fit.history, fit.mask))
    assert other.engine == "external"
    for group in set(GROUPS) - {"sample_stats"}:
        ours, theirs = (each.data_tree[group].to_dataset() for each in (fit, other))
        assert shape(ours) == shape(theirs)
        assert all(ours[name].equals(theirs[name]) for name in ours.coords)
    for name in set(fit.posterior) - {"N"}:
        np.testing.assert_allclose(fit.posterior[name], other.posterior[name], rtol=1e-10)


def test_the_recorder_gives_the_value_of_the_problem_and_keeps_its_pieces():
    problem = made.problem("sex")
    recorder = Recorder(problem)
    start = problem.starts()[0]
    assert recorder.value(start) == pytest.approx(problem.value(start), abs=1e-10)
    assert recorder.value(start + 1e6) == -np.inf
    np.testing.assert_array_equal(recorder.pieces[start.tobytes()].capture, problem.pointwise(start).capture)
    assert recorder.names == problem.names


def test_a_draw_is_evaluated_once_however_often_it_occurs():
    problem, seen = made.problem("null"), []

    class Counting:
        def pointwise(self, theta):
            seen.append(theta.tobytes())
            return problem.pointwise(theta)

    centre = problem.starts()[0]
    theta = np.stack([centre, centre + 0.1, centre, centre + 0.1, centre])
    known = {theta[0].tobytes(): problem.pointwise(centre)}
    pieces = evaluate_draws(Counting(), theta, known)
    assert seen == [theta[1].tobytes()]
    assert pieces.capture.shape == (5, made.history("null").n_individuals)
    np.testing.assert_array_equal(pieces.expected[1], problem.pointwise(centre + 0.1).expected)
    assert all((a == b).all() for a, b in pairwise([pieces.capture[0], pieces.capture[2], pieces.capture[4]]))
