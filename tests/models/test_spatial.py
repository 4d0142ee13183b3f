"""Spatial effects: the joint density against a naive twin, gradients, the graph, the integral, prediction, storage."""

from __future__ import annotations

import re
from functools import cache

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy.special import expit
from scipy.stats import halfnorm, invgamma, norm

import leopardpop as lp
from leopardpop.errors import DataError, ModelError
from leopardpop.models.states.at_places import AtPlaces
from leopardpop.models.states.problem import OccupancyProblem
from leopardpop.models.states.surface_integral import IntegratedSurface
from leopardpop.results.spatial_checks import spatial_findings
from tests.reference.occupancy import site_probability
from tests.reference.spatial import surface

pytestmark = pytest.mark.filterwarnings("ignore::leopardpop.errors.LeopardpopWarning")

CASES = {
    "Occupancy": {"psi": "~ snow + gp(x, y, functions=7)", "p": "~ gp(x, y, cov='matern32', functions=5)"},
    "MultistateOccupancy": {
        "psi": "~ gp(x, y, functions=6) + (1 | block)",
        "breeding": "~ snow + gp(x, y, functions=5)",
    },
    "DynamicOccupancy": {"psi": "~ 1", "gamma": "~ gp(x, y, functions=6)", "epsilon": "~ (1 | block)"},
    "DynamicMultistateOccupancy": {
        "psi": "~ gp(x, y, functions=5)",
        "breeding_next": "~ state + gp(x, y, functions=5)",
    },
}
N = 9
XY = np.random.default_rng(8).uniform(0, 20, (N, 2))
SNOW = np.random.default_rng(9).normal(size=N)
BLOCK = np.array(["a", "b", "c"] * 3)


class Case:
    """A model with surfaces, simulated data, and the naive joint density of everything."""

    def __init__(self, kind: str) -> None:
        self.kind, seasons = kind, 3 if "Dynamic" in kind else 1
        names = [f"s{i}" for i in range(N)]
        sites = pd.DataFrame({"site": names, "x": 1000 * XY[:, 0], "y": 1000 * XY[:, 1], "snow": SNOW, "block": BLOCK})
        wide = pd.DataFrame(np.ones((N, 3 * seasons))).assign(site=names)
        design = lp.DetectionHistory.from_tables(
            wide, sites, seasons=seasons, response="state" if "Multistate" in kind else "binary", crs="EPSG:32652"
        )
        self.model = getattr(lp, kind)(**CASES[kind])
        empty = OccupancyProblem(self.model, design, design_only=True)
        self.theta = 0.6 * np.random.default_rng(3).normal(size=empty.layout.size)
        for each in empty.layout.effects:
            if hasattr(each, "reach"):
                self.theta[each.reach] = np.log(6.0)
        beta = pd.Series(empty.to_beta(self.theta), empty.labels)
        self.problem = OccupancyProblem(self.model, self.model.simulate(design, parameters=beta, seed=3).history)
        self.beta = pd.Series(self.problem.to_beta(self.theta), self.problem.labels)
        self.surfaces = {
            each.parameter: self._surface(each) for each in self.problem.layout.effects if self.of_gp(each)
        }

    @staticmethod
    def of_gp(effect) -> bool:
        return effect.label.endswith("[gp(x, y)]")

    def _surface(self, effect) -> np.ndarray:
        basis, name = effect.design.basis, effect.parameter
        sd, length = (np.exp(self.beta[f"{name}_{what}_gp[Intercept]"]) for what in ("sd", "length"))
        z = [value for label, value in self.beta.items() if str(label).startswith(f"{name}[gp[")]
        low, side = basis.centre - basis.half, 2 * basis.half
        return surface(basis.covariance.name, XY, basis.order, low, side, sd, length, np.array(z))

    def probability(self, parameter, i, t, j, state):
        eta = self.surfaces[parameter][i] if parameter in self.surfaces else 0.0
        for label, number in self.beta.items():
            name, _, term = str(label)[:-1].partition("[")
            known = {"Intercept": 1.0, "snow": SNOW[i], f"state[{state}]": 1.0, f"1|block[{BLOCK[i]}]": 1.0}
            eta += number * known.get(term, 0.0) if name == parameter else 0.0
        return float(expit(eta))

    def naive(self) -> float:
        y = self.problem.history.dataset["y"].values
        total = sum(np.log(site_probability(self.kind, y, i, self.probability)) for i in range(N))
        for each in self.problem.layout.effects:
            log_sd = self.beta[f"{each.sd}[Intercept]"]
            scale = 0.5 if each.parameter == "p" else 1.0
            total += halfnorm.logpdf(np.exp(log_sd), scale=scale) + log_sd
            if self.of_gp(each):
                log_length = self.beta[f"{each.length}[Intercept]"]
                given = self.model.parameters(self.problem.history).set_index("name").loc[each.length, "prior"]
                alpha, beta = (float(part.split("=")[1].rstrip(")")) for part in given.split(", ")[1:])
                total += invgamma.logpdf(np.exp(log_length), alpha, scale=beta) + log_length
                total += norm.logpdf(
                    [v for k, v in self.beta.items() if str(k).startswith(f"{each.parameter}[gp[")]
                ).sum()
            else:
                of_groups = [v for k, v in self.beta.items() if str(k).startswith(f"{each.parameter}[1|block[")]
                total += norm.logpdf(np.array(of_groups) / np.exp(log_sd)).sum()
        return float(total)


@cache
def case(kind):
    return Case(kind)


@pytest.mark.parametrize("kind", CASES)
def test_naive_joint_density(kind):
    it = case(kind)
    scales = {at for each in it.problem.layout.effects for at in each.scales}
    terms = {term.label: term.position for term in it.problem.priors.terms}
    fixed = sum(v for k, v in it.problem.priors.by_term(it.theta, np.nan).items() if terms[k] not in scales)
    assert it.problem.value(it.theta) - fixed == pytest.approx(it.naive(), abs=1e-8)


@pytest.mark.parametrize("kind", CASES)
def test_gradient_batch_and_back(kind):
    it = case(kind)
    steps = 1e-6 * np.eye(len(it.theta))
    differences = [(it.problem.value(it.theta + s) - it.problem.value(it.theta - s)) / 2e-6 for s in steps]
    np.testing.assert_allclose(it.problem.gradient(it.theta)[1], differences, atol=5e-7)
    thetas = np.stack([it.theta, -0.5 * it.theta])
    expected = [it.problem.value(theta) for theta in thetas]
    np.testing.assert_allclose(it.problem.log_posteriors(thetas, it.problem.pointwise(thetas)), expected, atol=1e-10)
    np.testing.assert_allclose(it.problem.to_theta(it.problem.to_beta(it.theta)), it.theta, atol=1e-10)


def test_graph_is_the_same_density():
    import pytensor

    from leopardpop.models.graph import point_of
    from leopardpop.results.chains import _unconstrained

    it = case("Occupancy")
    with pytensor.config.change_flags(mode="FAST_COMPILE"):
        model = it.model.build(it.problem.history)
        function = model.logp_dlogp_function(ravel_inputs=True)
        place = _unconstrained(model)
        # PyMC moves in ψ and p themselves, which at opposite logits makes no difference.
        other = -it.theta
        for each in it.problem.layout.effects:
            other[each.reach] = np.log(4.0)
        values = [function([place(point_of(it.problem, theta))])[0] for theta in (it.theta, other)]
    ours = [it.problem.value(theta) for theta in (it.theta, other)]
    assert np.diff(values) == pytest.approx(np.diff(ours), abs=1e-8)
    assert {"psi_gp_weights", "p_gp_weights"} <= {variable.name for variable in model.deterministics}


@pytest.mark.parametrize("kind", ["Occupancy", "MultistateOccupancy", "DynamicOccupancy"])
def test_integral_over_the_surface_by_plain_monte_carlo(kind):
    """The unbiased estimate against the mean of the likelihood over 200,000 draws of the prior of the coefficients."""
    it = case(kind)
    form = IntegratedSurface(it.problem)
    phi = it.theta[: form.size]
    rng = np.random.default_rng(1)
    logs = []
    for _ in range(40):
        z = rng.standard_normal((5000, len(it.theta) - form.size))
        theta = np.concatenate([np.broadcast_to(phi, (5000, form.size)), z], axis=1)
        for each in it.problem.layout.effects:  # groups of the prior have their sd: z in these coordinates
            theta[:, each.place] = each.standardised(theta, each.reported(theta))
        logs.append(it.problem.pointwise(theta).y.sum(-1))
    logs = np.concatenate(logs)
    prior = it.problem.priors.log_density(it.theta)[0]
    expected = prior + logs.max() + np.log(np.exp(logs - logs.max()).mean())
    found = form.batch_value(phi + 1e-9 * np.arange(60)[:, None])
    assert np.log(np.exp(found - expected).mean()) == pytest.approx(0.0, abs=0.04)
    assert form.value(phi) == pytest.approx(expected, abs=0.3)
    assert form.value(phi) < expected + 0.1  # a lower bound where a site has one effect


@pytest.mark.parametrize("kind", ["Occupancy", "MultistateOccupancy", "DynamicOccupancy"])
def test_slopes_of_the_bound(kind):
    """To five digits where the law was found; elsewhere the bound is not quite the largest in the middle of z."""
    it = case(kind)
    form = IntegratedSurface(it.problem)
    phi = it.theta[: form.size]
    steps = 1e-4 * np.eye(form.size)
    for close in (0.01, 2e-5):
        differences = [(form.value(phi + s) - form.value(phi - s)) / 2e-4 for s in steps]
        np.testing.assert_allclose(form.gradient(phi)[1], differences, atol=close)
        form.centre(phi)


@pytest.mark.parametrize("kind", CASES)
def test_slopes_at_places(kind):
    """By differences of all values at once, against the gradient of the likelihood; also where sites share a group."""
    it = case(kind)
    places = AtPlaces(it.problem)
    phi = it.theta[: places.first]
    f = 0.5 * np.random.default_rng(3).normal(size=(2, places.problem.layout.effects[-1].place.stop - places.first))
    whole = [np.concatenate([phi, row]) for row in f]
    expected = [places.problem.log_likelihood_gradient(theta)[1][places.first :] for theta in whole]
    log_site = places.at(phi)
    np.testing.assert_allclose(places.slopes(phi, log_site, f), expected, atol=1e-6)
    np.testing.assert_allclose(log_site(f), [places.problem.pointwise(theta).y for theta in whole], atol=1e-11)


@pytest.mark.parametrize(("at", "value"), [("spread", 30.0), ("spread", -30.0), ("reach", 30.0), ("reach", -30.0)])
def test_far_proposals_are_no_accident(at, value):
    """What a t law proposes now and then: an impossible sd is refused, an invisible surface is none."""
    it = case("Occupancy")
    form = IntegratedSurface(it.problem)
    phi = it.theta[: form.size].copy()
    phi[getattr(it.problem.layout.effects[0], at)] = value
    found = float(form.batch_value(phi[None])[0])
    assert np.isneginf(found) if (at, value) == ("spread", 30.0) else found < form.value(it.theta[: form.size])
    assert form.complete(phi[None]).shape == (1, it.problem.layout.size)


# -- what people see --------------------------------------------------------------------------------------------------
@cache
def survey(side=8, seed=1):
    xy = 3000.0 * np.array([(i, j) for i in range(side) for j in range(side)], float) + [500_000, 4_800_000]
    names = [f"s{i}" for i in range(len(xy))]
    snow = np.random.default_rng(seed).normal(size=len(xy))
    sites = pd.DataFrame({"site": names, "x": xy[:, 0], "y": xy[:, 1], "snow": snow})
    wide = pd.DataFrame(np.ones((len(xy), 5))).assign(site=names)
    return lp.DetectionHistory.from_tables(wide, sites, crs="EPSG:32652")


TRUTH = {"psi": 0.5, "p": 0.5, "psi[snow]": 0.5, "psi_sd_gp": 2.0, "psi_length_gp": 6.0}


@cache
def fitted():
    model = lp.Occupancy(psi="~ snow + gp(x, y, functions=60)")
    return model.fit(model.simulate(survey(), parameters=TRUTH, seed=2).history, engine="laplace", draws=500, seed=1)


def test_names_units_and_priors():
    table = lp.Occupancy(psi="~ snow + gp(x, y)").parameters(survey()).set_index("name")
    assert table.index.tolist() == ["psi", "psi", "p", "psi_sd_gp", "psi_length_gp"]
    assert table.loc["psi_length_gp", "unit"] == "km"
    assert table.loc["psi_sd_gp", "prior"] == 'Prior("HalfNormal", sigma=1)'
    alpha, beta = (
        float(part.split("=")[1].rstrip(")")) for part in table.loc["psi_length_gp", "prior"].split(", ")[1:]
    )
    assert invgamma.ppf([0.025, 0.975], alpha, scale=beta) == pytest.approx([3.0, 10.5], rel=1e-6)


def test_results(tmp_path):
    fit = fitted()
    assert fit.trusted
    assert fit.summary().index.tolist() == ["psi", "psi[snow]", "p", "psi_sd_gp", "psi_length_gp"]
    assert fit.summary().loc["psi_length_gp", "unit"] == "km"
    assert fit.posterior["psi_gp_weights"].sizes["psi_gp_wave"] == 60
    assert "is a sum of 60 waves" in repr(fit)
    assert "engine='laplace' integrates it out" in repr(fit)
    total = fit.data_tree["log_likelihood"]["y"].sum("site").values.ravel()
    np.testing.assert_allclose(total[:3], [fit.problem.log_likelihood(t) for t in fit.theta.reshape(-1, 65)[:3]])
    loaded = lp.load_fit(fit.save(tmp_path / "fit.nc"))
    assert loaded == fit
    np.testing.assert_allclose(loaded.theta, fit.theta, atol=1e-12)
    shared = lp.load_fit(fit.save(tmp_path / "shared.nc", coordinates="hidden"))
    assert "psi_gp_weights" not in shared.posterior
    again = fit.model.from_posterior(fit.data_tree, fit.history)
    np.testing.assert_allclose(again.theta, fit.theta, atol=1e-12)


def test_the_surface_follows_the_truth():
    """The same seed gives the same truth: used sites lie where the surface is high."""
    fit = fitted()
    truth = fit.model.simulate(survey(), parameters=TRUTH, seed=2).truth
    effect = fit.problem.layout.effects[0]
    expected = effect.natural(fit.problem.to_theta(truth.coefficients.to_numpy()))
    found = effect.natural(fit.theta.reshape(-1, fit.theta.shape[-1])).mean(0)
    assert abs(expected.mean()) < 1e-9
    assert np.corrcoef(expected, found)[0, 1] > 0.7


def test_prediction_at_sites_and_elsewhere():
    fit = fitted()
    sites = survey().arrays()
    table = pd.DataFrame({"x": sites.xy[:, 0], "y": sites.xy[:, 1], "snow": sites.site_covariates["snow"]})
    found = fit.predict("psi", table)
    np.testing.assert_allclose(found.mean(("chain", "draw")), fit.occupancy().psi.mean(("chain", "draw")), atol=1e-9)
    assert not found["extrapolated"].any()
    away = fit.predict("psi", table.iloc[:2].assign(x=lambda t: t["x"] - [0.0, 900.0]))
    assert away["extrapolated"].values.tolist() == [False, True]
    with pytest.raises(DataError, match="1 of 2 places lie outside of the rectangle"):
        fit.predict("psi", table.iloc[:2].assign(x=lambda t: t["x"] - [0.0, 90_000.0]))
    with pytest.raises(ModelError, match="needs columns x and y"):
        fit.predict("psi", table[["snow"]])
    effect = fit.effect("psi", "snow", points=3)
    eta = fit.posterior["psi_beta"].values @ [1.0, effect["snow"].iloc[1]]
    assert effect["mean"].iloc[1] == pytest.approx(expit(eta).mean())


def test_maps_in_blocks(monkeypatch):
    from leopardpop.results import occupancy_surface

    fit = fitted()
    axes = {"y": 4_800_000 + np.arange(-3000.0, 24_001, 3000), "x": 500_000 + np.arange(0.0, 21_001, 3000)}
    snow = xr.DataArray(np.zeros((10, 8)), axes, ["y", "x"])
    whole = fit.surface("psi", xr.Dataset({"snow": snow}), draws=50)
    monkeypatch.setattr(occupancy_surface, "ENTRIES", 400)
    np.testing.assert_allclose(fit.surface("psi", xr.Dataset({"snow": snow}), draws=50)["psi_mean"], whole["psi_mean"])
    assert whole["extrapolated"].values[:, 0].tolist() == [True, *[False] * 8, True]
    rows = fit.predict("psi", pd.DataFrame({"x": axes["x"], "y": axes["y"][2], "snow": 0.0}))
    np.testing.assert_allclose(rows.mean(("chain", "draw")).values, whole["psi_mean"].values[2], atol=0.1)


def test_level_of_the_process_is_wider_than_that_of_the_sites():
    fit = fitted()
    assert fit.process_level("psi").std() > fit.posterior["psi"].std()
    with pytest.raises(ModelError, match="'p' has no spatial effect; psi has"):
        fit.process_level("p")


def test_simulated_surfaces_have_their_sd_and_length_scale():
    model = lp.Occupancy(psi="~ gp(x, y)")
    problem = OccupancyProblem(model, survey(), design_only=True)
    effect = problem.layout.effects[0]
    rng, values = np.random.default_rng(1), []
    theta = np.zeros(problem.layout.size)
    theta[effect.spread], theta[effect.reach] = np.log(1.5), np.log(4.0)
    for _ in range(800):
        effect.draw(theta, rng)
        values.append(effect.natural(theta))
    between = np.var(np.array(values)[:, 0] - np.array(values)[:, 1])  # neighbours 3 km apart
    assert between == pytest.approx(2 * 1.5**2 * (1 - np.exp(-0.5 * (3 / 4) ** 2)), rel=0.2)


def test_findings_in_words():
    problem = fitted().problem
    effect = problem.layout.effects[0]
    rng = np.random.default_rng(1)
    draws = rng.normal(size=(400, problem.layout.size))
    draws[:, effect.reach] = np.log(1.5 * rng.lognormal(sigma=0.3, size=400))
    words = " ".join(f.advice for f in spatial_findings(problem, draws))
    found = re.search(r"functions=(\d+), boundary=([\d.]+)", words)
    assert found
    term = f"~ gp(x, y, functions={found[1]}, boundary={found[2]})"  # what it says is good enough
    better = OccupancyProblem(lp.Occupancy(psi=term), survey()).layout.effects[0].design.basis
    length = np.exp(draws[:, effect.reach])
    assert (length < better.shortest).mean() < 0.1
    assert length.max() < 1.1 * better.longest
    draws[:, effect.reach] = np.log(100 * rng.lognormal(size=400))
    words = " ".join(f.advice for f in spatial_findings(problem, draws))
    assert "boundary=" in words
    assert "its prior decides it" in words


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (lp.Occupancy(psi="~ snow:gp(x, y)"), "term of its own"),
        (lp.Occupancy(psi="~ gp(x, y)", priors={"psi_length_gp": lp.Prior("LogNormal", mu=8, sigma=1)}), "are in km"),
    ],
)
def test_bad_models(model, message):
    with pytest.raises(ModelError, match=message):
        model.parameters(survey())


def test_bad_places():
    plain = lp.DetectionHistory.from_tables(np.ones((9, 3)))
    with pytest.raises(ModelError, match=r"the history has none\. Give the table of sites columns x and y"):
        lp.Occupancy(psi="~ gp(x, y)").parameters(plain)
    with pytest.raises(ModelError, match=r"gp\(x, y\).*integral"):
        lp.Occupancy(psi="~ gp(x, y)").maximum_likelihood(survey())
    names = list("abc")
    few = pd.DataFrame({"site": names, "x": [0.0, 1000, 2000], "y": 0.0})
    three = lp.DetectionHistory.from_tables(pd.DataFrame(np.ones((3, 3))).assign(site=names), few, crs="EPSG:32652")
    with pytest.raises(ModelError, match="3 different places"):
        lp.Occupancy(psi="~ gp(x, y)").parameters(three)
    stations = pd.DataFrame([(f"{i}", 1000.0 * i, 0.0) for i in range(4)], columns=["station", "x", "y"])
    design = lp.CaptureHistory.from_tables(None, stations, occasions=3)
    mask = lp.Mask.around(design, buffer=3000, spacing=500)
    with pytest.raises(ModelError, match="term of its own"):
        lp.SCR(detection=lp.HalfNormal(lambda0="~ gp(x, y)")).parameters(design, mask)
