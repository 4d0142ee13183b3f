"""Random effects: the joint density against a naive twin, gradients, the graph, the integral over groups, recovery."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import pytest
from scipy.integrate import quad
from scipy.special import expit
from scipy.stats import halfnorm, norm

import leopardpop as lp
from leopardpop.components.random_effects import split_random
from leopardpop.errors import ModelError
from leopardpop.models.states import integrated
from leopardpop.models.states.clusters import find_clusters
from leopardpop.models.states.integrated import integrated_form
from leopardpop.models.states.problem import OccupancyProblem
from tests.models.occupancy_cases import design
from tests.reference.occupancy import site_probability

pytestmark = pytest.mark.filterwarnings("ignore::leopardpop.errors.DataWarning")

SLOPE = "~ height + (height | habitat)"
FORMULAS = {
    "Occupancy": {"psi": SLOPE, "p": "~ wind + (0 + wind | site)"},
    "DynamicOccupancy": {"psi": "~ (1 | habitat)", "gamma": SLOPE, "epsilon": "~ (1 | season)", "p": "~ (1 | season)"},
    "MultistateOccupancy": {"breeding": SLOPE, "p1": "~ (wind | habitat)", "delta": "~ (1 | site)"},
    "DynamicMultistateOccupancy": {
        "psi_next": "~ state + (1 | habitat)",
        "breeding_next": SLOPE,
        "p2": "~ (1 | season)",
    },
}
EFFECTS = {  # of each parameter: column, group
    "Occupancy": {"psi": [("1", "habitat"), ("height", "habitat")], "p": [("wind", "site")]},
    "DynamicOccupancy": {
        "psi": [("1", "habitat")],
        "gamma": [("1", "habitat"), ("height", "habitat")],
        "epsilon": [("1", "season")],
        "p": [("1", "season")],
    },
    "MultistateOccupancy": {
        "breeding": [("1", "habitat"), ("height", "habitat")],
        "p1": [("1", "habitat"), ("wind", "habitat")],
        "delta": [("1", "site")],
    },
    "DynamicMultistateOccupancy": {
        "psi_next": [("1", "habitat")],
        "breeding_next": [("1", "habitat"), ("height", "habitat")],
        "p2": [("1", "season")],
    },
}
SD_OF_PRIOR = {"p": 0.5, "p1": 0.5, "p2": 0.5, "delta": 0.5}


class Case:
    """A model with random effects, simulated data, and the naive joint density of everything."""

    def __init__(self, kind):
        self.kind = kind
        history, self.sites, self.wind = design(kind)
        self.model = getattr(lp, kind)(**FORMULAS[kind])
        empty = OccupancyProblem(self.model, history, design_only=True)
        self.theta = 0.5 * np.random.default_rng(3).normal(size=empty.layout.size)
        beta = pd.Series(empty.to_beta(self.theta), empty.labels)
        simulated = self.model.simulate(history, parameters=beta, seed=3).history
        self.problem = OccupancyProblem(self.model, simulated)
        self.beta = pd.Series(self.problem.to_beta(self.theta), self.problem.labels)
        self.visited = ~np.isnan(simulated.dataset["y"].values)

    def mean(self, parameter, column):
        """Mean and sd of a covariate over the rows of the parameter."""
        rows = self.wind[self.visited] if column == "wind" else self.sites["height"].to_numpy()
        return rows.mean(), rows.std()

    def probability(self, parameter, i, t, j, state):
        eta = 0.0
        level = {"habitat": self.sites["habitat"].iloc[i], "season": str(t + 1), "site": f"s{i}"}
        value = {"1": 1.0, "height": self.sites["height"].iloc[i], "wind": self.wind[i, t, j] if j >= 0 else np.nan}
        for label, number in self.beta.items():
            name, _, term = str(label)[:-1].partition("[")
            if name != parameter:
                continue
            if "|" not in term:
                known = {"Intercept": 1.0, "height": value["height"], "wind": value["wind"]}
                eta += number * (known[term] if term in known else float(term == f"state[{state}]"))
                continue
            column, _, group = term.partition("|")
            name_of_group, _, group_level = group[:-1].partition("[")
            if level[name_of_group] == group_level:
                centre = (
                    0.0 if column == "1" or "0 +" in FORMULAS[self.kind][parameter] else self.mean(parameter, column)[0]
                )
                eta += number * (value[column] - centre)
        return float(expit(eta))

    def naive(self):
        """Log of the joint density of data, deviations and sds, in the coordinates z = deviation/sd and log sd."""
        y = self.problem.history.dataset["y"].values
        total = sum(np.log(site_probability(self.kind, y, i, self.probability)) for i in range(len(y)))
        for parameter, effects in EFFECTS[self.kind].items():
            for column, group in effects:
                suffix = group if column == "1" else f"{group}_{column}"
                log_sd = self.beta[f"{parameter}_sd_{suffix}[Intercept]"]
                scale = 1.0 if column == "1" else self.mean(parameter, column)[1]
                total += halfnorm.logpdf(np.exp(log_sd), scale=SD_OF_PRIOR.get(parameter, 1.0) / scale) + log_sd
                start = f"{parameter}[{column}|{group}["
                deviations = [v for label, v in self.beta.items() if str(label).startswith(start)]
                assert len(deviations) > 1
                total += norm.logpdf(np.array(deviations) / np.exp(log_sd)).sum()
        return total


@cache
def case(kind):
    return Case(kind)


def fixed_prior(problem, theta):
    """Log prior of the coefficients that are no sds."""
    sds = {each.sd for each in problem.layout.effects}
    return sum(value for label, value in problem.priors.by_term(theta, np.nan).items() if label not in sds)


@pytest.mark.parametrize("kind", FORMULAS)
def test_naive_joint_density(kind):
    it = case(kind)
    found = it.problem.value(it.theta) - fixed_prior(it.problem, it.theta)
    assert found == pytest.approx(it.naive(), abs=1e-9)


@pytest.mark.parametrize("kind", FORMULAS)
def test_gradient_and_batch(kind):
    it = case(kind)
    steps = 1e-6 * np.eye(len(it.theta))
    differences = [(it.problem.value(it.theta + s) - it.problem.value(it.theta - s)) / 2e-6 for s in steps]
    np.testing.assert_allclose(it.problem.gradient(it.theta)[1], differences, atol=3e-7)
    thetas = np.stack([it.theta, -it.theta])
    pieces = it.problem.pointwise(thetas)
    expected = [it.problem.value(theta) for theta in thetas]
    np.testing.assert_allclose(it.problem.log_posteriors(thetas, pieces), expected, atol=1e-10)


@pytest.mark.parametrize("kind", FORMULAS)
def test_coefficients_there_and_back(kind):
    it = case(kind)
    np.testing.assert_allclose(it.problem.to_theta(it.problem.to_beta(it.theta)), it.theta, atol=1e-10)


def test_graph_is_the_same_density():
    """In the sampler's coordinates, which for logits and logs are ours."""
    import pytensor

    from leopardpop.models.graph import point_of
    from leopardpop.results.chains import _unconstrained

    it = case("Occupancy")
    with pytensor.config.change_flags(mode="FAST_COMPILE"):
        model = it.model.build(it.problem.history)
        function = model.logp_dlogp_function(ravel_inputs=True)
        place = _unconstrained(model)
        scale = np.concatenate([p.design.scale for p in it.problem.layout.parameters])
        values = [function([place(point_of(it.problem, theta))])[0] for theta in (it.theta, -it.theta)]
    ours = [it.problem.value(theta) - np.log(scale).sum() for theta in (it.theta, -it.theta)]
    assert np.diff(values) == pytest.approx(np.diff(ours), abs=1e-8)
    names = {variable.name for variable in model.deterministics}
    assert {f"{each.parameter}_effect" for each in it.problem.layout.effects} <= names


# -- the integral over groups -----------------------------------------------------------------------------------------
@cache
def survey(n_sites=60, n_blocks=6, n_visits=5, seed=1):
    rng = np.random.default_rng(seed)
    names = [f"s{i}" for i in range(n_sites)]
    blocks = [f"b{i % n_blocks}" for i in range(n_sites)]
    sites = pd.DataFrame({"site": names, "block": blocks, "snow": rng.normal(10, 3, n_sites)})
    wide = pd.DataFrame(np.ones((n_sites, n_visits))).assign(site=names)
    return lp.DetectionHistory.from_tables(wide, sites)


TRUTH = {"psi": 0.5, "p": 0.4, "psi_sd_block": 0.8}


@cache
def fitted(n_sites=60, n_blocks=6):
    model = lp.Occupancy(psi="~ (1 | block)")
    sim = model.simulate(survey(n_sites, n_blocks), parameters=TRUTH, seed=2)
    return model.fit(sim.history, seed=1)


def test_integral_over_a_group_by_quadrature(monkeypatch):
    """Both the estimate that weights rest on and the approximation that the mode rests on."""
    problem = fitted().problem
    monkeypatch.setattr(integrated, "DRAWS", 4000)
    form = integrated_form(problem)
    y = problem.history.dataset["y"].values[:, 0]
    phi = np.array([0.2, -0.4, np.log(0.7)])
    block = np.arange(60) % 6
    p = expit(phi[1])
    seen = np.where(y.any(1), (p**y * (1 - p) ** (1 - y)).prod(1), 0.0)
    missed = np.where(y.any(1), 0.0, 1.0)
    whole = fixed_prior(problem, np.pad(phi, (0, 6))) + halfnorm.logpdf(0.7) + np.log(0.7)

    def integrand(z, b):
        psi = expit(phi[0] + 0.7 * z)
        never = (1 - p) ** 5
        of_site = np.where(y.any(1), psi * seen, psi * never + (1 - psi) * missed)[block == b]
        return of_site.prod() * norm.pdf(z)

    whole += sum(np.log(quad(integrand, -8, 8, args=(b,), epsabs=0, epsrel=1e-10)[0]) for b in range(6))
    assert float(form.batch_value(phi[None])[0]) == pytest.approx(whole, abs=0.02)
    assert form.value(phi) == pytest.approx(whole, abs=0.1)
    slope = [(form.value(phi + s) - form.value(phi - s)) / 2e-3 for s in 1e-3 * np.eye(3)]
    np.testing.assert_allclose(form.gradient(phi)[1], slope, atol=1e-3)


def test_integrated_and_joint_draws_agree(monkeypatch):
    """Two ways through the same machinery, both certified: with the groups summed over, and with all coordinates."""
    from leopardpop.results import families

    one = fitted()
    monkeypatch.setattr(families, "integrated_form", lambda problem: None)
    other = one.model.fit(one.history, engine="laplace", seed=2, min_ess=800)
    assert one.trusted
    assert other.trusted
    assert len(one.laplace.mode) == 3
    assert len(other.laplace.mode) == 9
    for name in ("psi", "p", "psi_sd_block", "psi_effect"):
        a, b = one.posterior[name], other.posterior[name]
        error = 4.5 * float(b.std(("chain", "draw")).max()) * (1 / one.importance_ess + 1 / other.importance_ess) ** 0.5
        np.testing.assert_allclose(a.mean(("chain", "draw")), b.mean(("chain", "draw")), atol=error)
        np.testing.assert_allclose(a.std(("chain", "draw")), b.std(("chain", "draw")), rtol=0.25)


def test_clusters():
    """Groups of one variable are clusters; groups that cross are one, too large to be integrated."""
    clusters = find_clusters(fitted().problem)
    assert clusters.place.tolist() == [[3], [4], [5], [6], [7], [8]]
    assert clusters.order.tolist() == sorted(range(60), key=lambda i: i % 6)
    crossed = OccupancyProblem(lp.Occupancy(psi="~ (1 | block)", p="~ (1 | visit)"), survey(), design_only=True)
    assert find_clusters(crossed) is None
    shared = OccupancyProblem(lp.Occupancy(psi="~ (1 | block)", p="~ (1 | block)"), survey(), design_only=True)
    assert find_clusters(shared).place.tolist() == [[4 + b, 10 + b] for b in range(6)]


# -- what people see --------------------------------------------------------------------------------------------------
def test_names_and_priors():
    model = lp.Occupancy(psi="~ snow + (snow | block)", p="~ (1 | block)")
    table = model.parameters(survey()).set_index("name")
    assert table.index.tolist() == ["psi", "psi", "p", "psi_sd_block", "psi_sd_block_snow", "p_sd_block"]
    sd = survey().arrays().site_covariates["snow"].std(ddof=0)
    assert table.loc["psi_sd_block", "prior"] == 'Prior("HalfNormal", sigma=1)'
    assert table.loc["p_sd_block", "prior"] == 'Prior("HalfNormal", sigma=0.5)'
    assert float(table.loc["psi_sd_block_snow", "prior"].split("sigma=")[1][:-1]) == pytest.approx(1 / sd)
    chosen = lp.Occupancy(psi="~ (1 | block)", priors={"psi_sd_block": lp.Prior("Exponential", lam=2)})
    assert "Exponential" in chosen.parameters(survey()).set_index("name").loc["psi_sd_block", "prior"]


def test_results(tmp_path):
    fit = fitted()
    assert fit.posterior["psi_effect"].dims == ("chain", "draw", "psi_level")
    assert fit.posterior["psi_level"].values.tolist() == [f"1|block[b{b}]" for b in range(6)]
    assert "psi_effect[1|block[b0]]" in fit.summary().index
    assert "(1 | block) of psi has 6 groups; by engine='laplace' it is integrated out" in repr(fit)
    loaded = lp.load_fit(fit.save(tmp_path / "fit.nc"))
    assert loaded == fit
    np.testing.assert_allclose(loaded.theta, fit.theta, atol=1e-9)
    shared = lp.load_fit(fit.save(tmp_path / "shared.nc", coordinates="hidden"))
    assert "psi_effect" not in shared.posterior
    assert b"|block[b0]" not in (tmp_path / "shared.nc").read_bytes()
    again = fit.model.from_posterior(fit.data_tree, fit.history)
    np.testing.assert_allclose(again.posterior["psi_effect"], fit.posterior["psi_effect"], atol=1e-9)
    assert fit.occupancy().pao.attrs["denominator"] == 60


def test_prediction_for_known_and_new_groups():
    fit = fitted()
    found = fit.predict("psi", pd.DataFrame({"block": ["b2", "new", "new", "other"]}))
    beta = fit.posterior["psi_beta"].values[..., 0]
    known = expit(beta + fit.posterior["psi_effect"].values[..., 2])
    np.testing.assert_allclose(found.values[..., 0], known)
    np.testing.assert_array_equal(found.values[..., 1], found.values[..., 2])
    z = (np.log(found / (1 - found)).values[..., 3] - beta) / fit.posterior["psi_sd_block"].values
    assert abs(z.mean()) < 5 / 4000**0.5
    assert z.std() == pytest.approx(1, abs=0.06)


def test_simulated_deviations_have_their_sd():
    model = lp.Occupancy(psi="~ (snow | block)")
    wide = survey(2000, 1000, 1)
    sim = model.simulate(wide, parameters={"psi": 0.5, "p": 0.4, "psi_sd_block": 0.8, "psi_sd_block_snow": 0.1}, seed=1)
    truth = sim.truth.coefficients
    deviations = truth[[label for label in truth.index if label.startswith("psi[1|block")]]
    slopes = truth[[label for label in truth.index if label.startswith("psi[snow|block")]]
    assert deviations.std() == pytest.approx(0.8, rel=0.1)
    assert slopes.std() == pytest.approx(0.1, rel=0.1)
    given = {**TRUTH, **{f"psi[1|block[b{b}]]": 0.1 * b for b in range(6)}}
    kept = lp.Occupancy(psi="~ (1 | block)").simulate(survey(), parameters=given, seed=1).truth.coefficients
    assert kept["psi[1|block[b3]]"] == pytest.approx(0.3)


@pytest.mark.parametrize(
    ("formula", "fixed", "parts"),
    [
        ("~ snow + (1 | block)", "~ snow", [("~ 1", "block")]),
        ("~ (snow | block) + I((snow + 1) * 2)", "~ I((snow + 1) * 2)", [("~ snow", "block")]),
        (
            "~ 0 + snow + (0 + snow | `my block`) + (1|year)",
            "~ 0 + snow",
            [("~ 0 + snow", "my block"), ("~ 1", "year")],
        ),
        ("~ (1 | a.b)", "~ 1", [("~ 1", "a.b")]),
    ],
)
def test_formulas_are_taken_apart(formula, fixed, parts):
    found = split_random(formula)
    assert found[0] == fixed
    assert [(part.columns, part.group) for part in found[1]] == parts


@pytest.mark.parametrize(
    ("formula", "message"),
    [
        ("~ (1 | block/site)", r"one variable right of the bar, and this one is \(1 \| block/site\)"),
        ("~ (1 || block)", "one bar is enough"),
        ("~ (1 | )", "one variable right"),
        ("~ (1 | blck)", "there is no variable 'blck'. Did you mean 'block'"),
        ("~ (1 | block) + (snow | block)", r"\(1\|block\) is there twice"),
        ("~ snow * (1 | block)", "a random effect such as"),
        ("~ (1 | 2)", "one variable right"),
    ],
)
def test_formulas_that_cannot_be_read(formula, message):
    with pytest.raises(ModelError, match=message):
        lp.Occupancy(psi=formula).parameters(survey())


def test_maximum_likelihood_refuses():
    with pytest.raises(ModelError, match=r"has \(1\|block\): their likelihood is an integral"):
        lp.Occupancy(psi="~ (1 | block)").maximum_likelihood(survey())
