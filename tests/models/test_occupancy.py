"""The likelihood of the occupancy family: against its naive twin, its own gradient, its graph, and by identities."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import leopardpop as lp
from leopardpop.errors import DataError, ModelError, PriorError
from leopardpop.models.graph import point_of
from leopardpop.models.states.problem import OccupancyProblem
from tests.models.occupancy_cases import LINKS, MODELS, N_SITES, case, design

pytestmark = pytest.mark.filterwarnings("ignore::leopardpop.errors.DataWarning")  # designs in which nothing was seen


def differences(function, theta, step=1e-6):
    return np.array(
        [(function(theta + step * e) - function(theta - step * e)) / (2 * step) for e in np.eye(len(theta))]
    )


@pytest.mark.parametrize("link", LINKS)
@pytest.mark.parametrize("kind", MODELS)
def test_naive_likelihood(kind, link):
    """All sequences of states of every site, visit by visit."""
    it = case(kind, link)
    naive = [it.naive(i) for i in range(N_SITES)]
    np.testing.assert_allclose(it.problem.pointwise(it.theta).y, naive, atol=1e-9, rtol=0)
    assert it.model.log_likelihood(it.problem.history, parameters=it.beta) == pytest.approx(sum(naive), abs=1e-9)


@pytest.mark.parametrize("link", LINKS)
@pytest.mark.parametrize("kind", MODELS)
def test_gradient(kind, link):
    it = case(kind, link)
    value, gradient = it.problem.gradient(it.theta)
    assert value == pytest.approx(it.problem.value(it.theta), abs=1e-12)
    np.testing.assert_allclose(gradient, differences(it.problem.value, it.theta), atol=3e-7)
    np.testing.assert_allclose(
        it.problem.log_likelihood_gradient(it.theta)[1], differences(it.problem.log_likelihood, it.theta), atol=3e-7
    )


@pytest.mark.parametrize("link", LINKS)
@pytest.mark.parametrize("kind", MODELS)
def test_far_out_value_and_gradient_are_finite(kind, link):
    it = case(kind, link)
    for size in (6.0, 20.0) if link == "cloglog" else (20.0, 35.0):
        theta = size * np.sign(it.theta)
        value, gradient = it.problem.log_likelihood_gradient(theta)
        assert np.isfinite(value)
        assert np.isfinite(gradient).all()


@pytest.mark.parametrize("kind", MODELS)
def test_a_batch_is_its_rows(kind):
    it = case(kind)
    thetas = np.stack([it.theta, -it.theta, 0.0 * it.theta])
    expected = [it.problem.pointwise(theta).y for theta in thetas]
    np.testing.assert_allclose(it.problem.pointwise(thetas).y, expected, atol=1e-12)


@pytest.mark.parametrize(("kind", "link"), [*[(kind, "logit") for kind in MODELS], *[("Occupancy", k) for k in LINKS]])
def test_graph(kind, link):
    """build() is a plain PyMC model with our log density, prior and Jacobian included."""
    import pymc as pm
    import pytensor

    it = case(kind, link)
    with pytensor.config.change_flags(mode="FAST_COMPILE"):
        model = it.model.build(it.problem.history)
        potential = pytensor.function(model.free_RVs, pm.math.sum(model.potentials[0]), on_unused_input="ignore")
        natural = point_of(it.problem, it.theta)
        values = [natural[variable.name] for variable in model.free_RVs]
        assert potential(*values) == pytest.approx(it.problem.log_likelihood(it.theta), abs=1e-10)
        prior = model.compile_logp(vars=model.free_RVs, jacobian=False)
        transformed = {}
        for variable, value in zip(model.free_RVs, values, strict=True):
            move = model.rvs_to_transforms[variable]
            name = model.rvs_to_values[variable].name
            moved = value if move is None else move.forward(np.float64(value), *variable.owner.inputs).eval()
            transformed[name] = np.asarray(moved, float)
        # On the natural scale: take our Jacobian out of our density.
        ours = it.problem.priors.log_density(it.theta)[0]
        for term in it.problem.priors.terms:
            parameter = it.problem.layout[term.parameter]
            eta = it.theta[term.position]
            scale = parameter.design.scale[term.position - parameter.place.start]
            ours -= float(np.log(parameter.link.inverse_derivative(eta))) if term.natural else -np.log(scale)
        assert float(prior(transformed)) == pytest.approx(ours, abs=1e-10)


# -- identities -------------------------------------------------------------------------------------------------------
def test_one_season_by_hand():
    history = lp.DetectionHistory.from_tables([[0, 1, np.nan], [0, 0, 0]])
    found = lp.Occupancy().log_likelihood(history, parameters={"psi": 0.6, "p": 0.25})
    assert found == pytest.approx(np.log(0.6 * 0.75 * 0.25) + np.log(0.6 * 0.75**3 + 0.4), abs=1e-13)


def test_states_by_hand():
    history = lp.DetectionHistory.from_tables([[0, 1], [2, 0], [0, 0]], response="state")
    values = {"psi": 0.7, "breeding": 0.4, "p1": 0.3, "p2": 0.5, "delta": 0.8}
    used, young = 0.7 * 0.6, 0.7 * 0.4
    sites = [
        used * 0.7 * 0.3 + young * 0.5 * (0.5 * 0.2),
        young * (0.5 * 0.8) * 0.5,
        0.3 + used * 0.7**2 + young * 0.5**2,
    ]
    found = lp.MultistateOccupancy().log_likelihood(history, parameters=values)
    assert found == pytest.approx(np.log(sites).sum(), abs=1e-13)


def test_a_gap_is_seasons_in_which_nobody_looked():
    """γ = 0.1, ε = 0.2 over three years: 0.219 and 0.438, and not 1 − (1 − γ)³ = 0.271."""
    y = [[0, 1], [1, 0]]
    gap = lp.DetectionHistory.from_tables(y, seasons={"2018": 1, "2019": 0, "2020": 0, "2021": 1})
    values = {"psi": 0.5, "p": 0.5, "gamma": 0.1, "epsilon": 0.2}
    found = lp.DynamicOccupancy().log_likelihood(gap, parameters=values)
    gamma, epsilon = 0.219, 0.438
    sites = [
        0.5 * gamma * 0.5 + 0.5 * 0.5 * (1 - epsilon) * 0.5,
        0.5 * 0.5 * ((1 - epsilon) * 0.5 + epsilon),
    ]
    assert found == pytest.approx(np.log(sites).sum(), abs=1e-13)


def test_a_site_never_visited_says_nothing():
    both = lp.DetectionHistory.from_tables([[0, 1, 0], [np.nan] * 3])
    one = lp.DetectionHistory.from_tables([[0, 1, 0]])
    values = {"psi": 0.3, "p": 0.2}
    together = lp.Occupancy().log_likelihood(both, parameters=values)
    assert together == lp.Occupancy().log_likelihood(one, parameters=values)


@given(seed=st.integers(0, 1000), kind=st.sampled_from(MODELS))
@settings(max_examples=15, deadline=None)
def test_order_of_sites_and_of_visits_does_not_matter(seed, kind):
    it = case(kind)
    rng = np.random.default_rng(seed)
    data = it.problem.history.dataset
    turned = data.isel(site=rng.permutation(data.sizes["site"]), visit=rng.permutation(data.sizes["visit"]))
    turned = turned.assign_coords(visit=data["visit"].values)
    moved = lp.DetectionHistory.from_dataset(turned)
    assert it.model.log_likelihood(moved, parameters=it.beta) == pytest.approx(
        it.problem.log_likelihood(it.theta), abs=1e-10
    )


def test_states_without_young_are_plain_occupancy():
    """R = 0 leaves occupancy with p1; and states that are the same in all but name leave it too."""
    it = case("MultistateOccupancy")
    y = np.minimum(it.problem.history.dataset["y"].values[:, 0], 1)
    seen = lp.DetectionHistory.from_tables(y)
    states = lp.DetectionHistory.from_tables(y, response="state")
    values = {"psi": 0.6, "breeding": 1e-300, "p1": 0.3, "p2": 0.9, "delta": 0.5}
    plain = lp.Occupancy().log_likelihood(seen, parameters={"psi": 0.6, "p": 0.3})
    assert lp.MultistateOccupancy().log_likelihood(states, parameters=values) == pytest.approx(plain, abs=1e-12)


def test_dynamic_states_without_young_are_dynamic_occupancy():
    y = case("DynamicOccupancy").problem.history.dataset["y"].values.reshape(N_SITES, -1)
    seasons = 4
    plain = lp.DynamicOccupancy().log_likelihood(
        lp.DetectionHistory.from_tables(y, seasons=seasons),
        parameters={"psi": 0.6, "gamma": 0.2, "epsilon": 0.3, "p": 0.4},
    )
    logit = lp.DynamicMultistateOccupancy(breeding_next="~ 1").log_likelihood(
        lp.DetectionHistory.from_tables(y, seasons=seasons, response="state"),
        parameters={
            "psi": 0.6,
            "breeding": 1e-300,
            "psi_next": 0.2,
            "psi_next[state[used]]": np.log(0.7 / 0.3) - np.log(0.2 / 0.8),
            "breeding_next": 1e-300,
            "p1": 0.4,
            "p2": 0.9,
            "delta": 0.5,
        },
    )
    assert logit == pytest.approx(plain, abs=1e-10)


# -- simulation -------------------------------------------------------------------------------------------------------
def test_simulated_frequencies():
    """Shares of states and of responses over 4,000 sites lie within four standard errors of what they should be."""
    n = 4_000
    history = lp.DetectionHistory.from_tables(np.zeros((n, 4)), seasons=2, response="state")
    values = {"psi": 0.6, "breeding": 0.3, "psi_next": 0.2, "psi_next[state[used]]": 2.0, "breeding_next": 0.4}
    values |= {"p1": 0.3, "p2": 0.6, "delta": 0.7}
    sim = lp.DynamicMultistateOccupancy(psi_next="~ state", breeding_next="~ 1").simulate(
        history, parameters=values, seed=5
    )
    z = sim.truth.z.values
    y = sim.history.dataset["y"].values

    def close(found, share, of):
        assert abs(found - share) < 4 * np.sqrt(share * (1 - share) / of)

    close((z[:, 0] > 0).mean(), 0.6, n)
    close((z[:, 0] == 2).mean(), 0.18, n)
    empty, used = z[:, 0] == 0, z[:, 0] == 1
    stays = 1 / (1 + np.exp(-(np.log(0.25) + 2.0)))
    close((z[empty, 1] > 0).mean(), 0.2, empty.sum())
    close((z[used, 1] > 0).mean(), stays, used.sum())
    close((y[z[:, 0] == 1, 0] == 1).mean(), 0.3, 2 * used.sum())
    close((y[z[:, 0] == 2, 0] == 2).mean(), 0.42, 2 * (z[:, 0] == 2).sum())
    assert (y[z == 0] == 0).all()
    assert not (y[z == 1] == 2).any()


def test_a_simulation_keeps_the_design():
    history, _, _ = design("MultistateOccupancy")
    values = {"psi": 0.6, "breeding": 0.3, "p1": 0.3, "p2": 0.6, "delta": 0.7}
    sim = lp.MultistateOccupancy().simulate(history, parameters=values, seed=1)
    assert (np.isnan(sim.history.dataset["y"]) == np.isnan(history.dataset["y"])).all()
    assert sim.history.response == "state"
    again = lp.MultistateOccupancy().simulate(history, parameters=values, seed=1)
    assert again.history == sim.history
    assert sim.truth.coefficients["psi[Intercept]"] == pytest.approx(np.log(1.5))


# -- defaults and refusals --------------------------------------------------------------------------------------------
def test_default_priors():
    history, _, _ = design("DynamicMultistateOccupancy")
    table = lp.DynamicMultistateOccupancy(p1="~ wind").parameters(history).set_index(["name", "coefficient"])["prior"]
    assert table["psi", "Intercept"] == 'Prior("LogitNormal", mu=0, sigma=1.5)'
    assert table["p1", "Intercept"] == 'Prior("LogitNormal", mu=-1, sigma=1.5)'
    assert table["breeding", "Intercept"] == table["delta", "Intercept"] == 'Prior("Beta", alpha=2, beta=2)'
    assert table["psi_next", "state[used]"] == 'Prior("Normal", mu=0, sigma=2)'
    sd = history.arrays().visit_covariates["wind"].std(ddof=0)
    assert table["p1", "wind"].startswith('Prior("Normal", mu=0, sigma=')
    assert float(table["p1", "wind"].split("sigma=")[1][:-1]) == pytest.approx(1 / sd)


BINARY = lp.DetectionHistory.from_tables([[0, 1], [1, 0]], pd.DataFrame({"site": ["1", "2"], "snow": [1.0, 2.0]}))
SEASONS = lp.DetectionHistory.from_tables([[0, 1], [1, 0]], seasons=2)
VALUES = {"psi": 0.5, "p": 0.5}


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: lp.Occupancy(link="log"), ModelError, "logit, probit, cloglog"),
        (lambda: lp.Occupancy(psi=1), ModelError, 'psi=1: give a formula such as "~ 1"'),
        (lambda: lp.Occupancy().fit(BINARY, "mask"), ModelError, "takes no mask"),
        (lambda: lp.Occupancy().parameters("y.csv"), DataError, "needs an lp.DetectionHistory"),
        (lambda: lp.MultistateOccupancy().build(BINARY), DataError, "needs 'state'. Breeding needs"),
        (lambda: lp.Occupancy().parameters(SEASONS), ModelError, "Use lp.DynamicOccupancy"),
        (lambda: lp.DynamicOccupancy().parameters(BINARY), ModelError, "Use lp.Occupancy"),
        (lambda: lp.Occupancy(psi="~ slope").parameters(BINARY), ModelError, "no variable 'slope'"),
        (lambda: lp.Occupancy(psi="~ visit").parameters(BINARY), ModelError, "covariate of visits"),
        (
            lambda: lp.Occupancy(priors={"psi": lp.Prior("Normal", mu=0, sigma=1)}).fit(BINARY),
            PriorError,
            "reaches beyond 0 and 1",
        ),
        (
            lambda: lp.Occupancy(priors={"phi": lp.Prior("Beta", alpha=1, beta=1)}).fit(BINARY),
            PriorError,
            "did you mean 'psi'",
        ),
        (lambda: lp.Occupancy().log_likelihood(BINARY, parameters={"psi": 1.5, "p": 0.5}), ModelError, "outside"),
        (lambda: lp.Occupancy().log_likelihood(BINARY, parameters={"psi": 0.5}), ModelError, "no value for p"),
        (lambda: lp.Occupancy().fit(BINARY, engine="gibbs"), ModelError, "'auto', 'laplace', 'nuts'"),
    ],
)
def test_refusals(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_one_of_several_species_must_be_chosen():
    history = lp.DetectionHistory.from_tables({"lynx": [[0, 1]], "leopard": [[1, 0]]})
    with pytest.raises(DataError, match=r"of one\. Choose it: history\.select\(species="):
        lp.Occupancy().parameters(history)
    one = history.select(species="lynx")
    assert np.isfinite(lp.Occupancy().log_likelihood(one, parameters=VALUES))


def test_a_missing_covariate_is_named():
    wind = [[1.0, np.nan], [2.0, 3.0]]
    with pytest.warns(lp.errors.DataWarning, match="wind"):
        history = lp.DetectionHistory.from_tables([[0, 1], [1, 0]], visit_covariates={"wind": wind})
    with pytest.raises(DataError, match="'wind' is missing on 1 of 4 visits"):
        lp.Occupancy(p="~ wind").parameters(history)


def test_positions_are_covariates():
    sites = pd.DataFrame({"site": ["a", "b", "c"], "x": [0.0, 10.0, 30.0], "y": [5.0, 7.0, 6.0]})
    wide = pd.DataFrame({"site": ["a", "b", "c"], "v1": [0, 1, 0], "v2": [1, 0, 0]})
    history = lp.DetectionHistory.from_tables(wide, sites)
    table = lp.Occupancy(psi="~ easting", p="~ northing").parameters(history)
    assert table["coefficient"].tolist() == ["Intercept", "easting", "Intercept", "northing"]


def test_distinct_rows_are_found_once():
    """Many visits of few kinds: the likelihood does not grow with them."""
    y = np.tile([[0, 1, 0, 0, 1], [0, 0, 0, 0, 0]], (50, 1))
    problem = OccupancyProblem(lp.Occupancy(), lp.DetectionHistory.from_tables(y))
    assert problem.visits.n_kinds == 1
    assert len(problem.visits.slot) == 50 * 2 + 50
