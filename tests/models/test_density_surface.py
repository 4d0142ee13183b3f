"""A surface of density: the joint density against a naive twin, slopes, the integral over it, what people get."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import pandas as pd
import pytest
from scipy.stats import halfnorm, invgamma, lognorm, norm, poisson

import leopardpop as lp
from leopardpop.errors import DataError, ModelError
from leopardpop.models.density_integral import IntegratedDensity, surface_of
from leopardpop.models.problem import Problem
from tests.reference.spatial import surface

pytestmark = pytest.mark.filterwarnings("ignore::leopardpop.errors.LeopardpopWarning")

CASES = {
    "plain": lp.SCR(density="~ gp(x, y, functions=6)"),
    "trend": lp.SCR(density="~ snow + gp(x, y, cov='matern32', functions=5)", detection=lp.Exponential()),
    "classes": lp.SCR(
        density="~ gp(x, y, functions=5)", detection=lp.HalfNormal(lambda0="~ sex + (1 | station)"), classes="sex"
    ),
    "number": lp.SCR(density="~ gp(x, y, functions=4)", priors={"N": lp.priors.from_range(4, 40)}),
}
SIDE, SPACING = 4, 1000.0


def survey(side: int = SIDE) -> tuple[lp.CaptureHistory, lp.Mask]:
    x, y = (a.ravel() * SPACING for a in np.meshgrid(np.arange(side), np.arange(side)))
    stations = pd.DataFrame({"station": [f"K{i}" for i in range(len(x))], "x": x, "y": y, "days": 5.0})
    design = lp.CaptureHistory.from_tables(
        None, stations, effort="days", effort_unit="day", detector="count", occasions=1
    )
    mask = lp.Mask.around(design, buffer=1500, spacing=500)
    return design, mask.with_covariates(snow=lambda x, y: np.sin(x / 900.0) + y / 4000.0)


class Case:
    """A model, simulated counts and a point theta."""

    def __init__(self, name: str) -> None:
        self.model = CASES[name]
        design, self.mask = survey()
        truth = {"D": 0.8, "lambda0": 0.1, "sigma": 600.0, "D_sd_gp": 0.8, "D_length_gp": 2.0}
        classes = {"pmix[M]": 0.5, "lambda0[sex[M]]": 0.3, "lambda0_sd_station": 0.3} if name == "classes" else {}
        trend = {"D[snow]": 0.3} if name == "trend" else {}
        sim = self.model.simulate(design, self.mask, parameters=truth | classes | trend, seed=4)
        self.history = sim.history
        self.problem = Problem(self.model, self.history, self.mask)
        rng = np.random.default_rng(3)
        self.theta = self.problem.starts()[0] + 0.1 * rng.normal(size=len(self.problem.names))
        self.effect = surface_of(self.problem)
        self.theta[self.effect.place] = rng.normal(size=len(self.effect.labels))
        self.form = IntegratedDensity(self.problem, self.effect)
        self.phi = self.theta[self.form.rest]
        self.beta = pd.Series(self.problem.to_beta(self.theta), self.problem.labels)

    def values_of_surface(self) -> np.ndarray:
        """On the cells, in km."""
        basis = self.effect.design.basis
        sd, length = (math.exp(self.beta[f"D_{what}_gp[Intercept]"]) for what in ("sd", "length"))
        z = np.array([value for label, value in self.beta.items() if str(label).startswith("D[gp[")])
        places = np.column_stack([self.mask.x, self.mask.y]) / 1000.0
        return surface(
            basis.covariance.name, places, basis.order, basis.centre - basis.half, 2 * basis.half, sd, length, z
        )

    def naive(self) -> float:
        """Log-likelihood of counts, animal by animal and cell by cell."""
        stations = self.history.stations[["x", "y"]].to_numpy()
        counts = self.history.to_array().sum("occasion").to_numpy()
        lambda0, sigma = (math.exp(self.beta[f"{name}[Intercept]"]) for name in ("lambda0", "sigma"))
        table = self.mask.table
        log_d = self.beta["D[Intercept]"] + self.beta.get("D[snow]", 0.0) * table["snow"] + self.values_of_surface()
        missed, likelihood = 0.0, np.zeros(len(counts))
        for x, y, area, level in zip(table["x"], table["y"], table["area"], log_d, strict=True):
            distance = np.hypot(stations[:, 0] - x, stations[:, 1] - y)
            is_normal = isinstance(self.model.detection, str) or type(self.model.detection) is lp.HalfNormal
            shape = np.exp(-0.5 * (distance / sigma) ** 2) if is_normal else np.exp(-distance / sigma)
            mean = 5.0 * lambda0 * shape
            missed += math.exp(level) * area * (1.0 - math.exp(-mean.sum()))
            likelihood += [math.exp(level) * area * poisson.pmf(row, mean).prod() for row in counts]
        return float(np.log(likelihood).sum() - missed - math.lgamma(len(counts) + 1))


@cache
def case(name: str) -> Case:
    return Case(name)


@pytest.mark.parametrize("name", ["plain", "trend"])
def test_naive_likelihood(name: str) -> None:
    it = case(name)
    assert it.problem.log_likelihood(it.theta) == pytest.approx(it.naive(), abs=1e-9)


def test_naive_prior() -> None:
    """Half-normal 0.7; inverse gamma from the scale of an animal's range to half of the mask; standard normal z."""
    it = case("plain")
    mine = 0.0
    sigma = float(it.problem.priors.terms[2].prior.quantile(0.5)) / 1000.0
    half = 0.5 * np.ptp(it.mask.x) / 1000.0
    table = it.model.parameters(it.history, it.mask).set_index("name")
    alpha, beta = (float(part.split("=")[1].rstrip(")")) for part in table.loc["D_length_gp", "prior"].split(", ")[1:])
    ends = [max(sigma, 0.5), max(half, 3 * max(sigma, 0.5))]
    assert invgamma.ppf([0.025, 0.975], alpha, scale=beta) == pytest.approx(ends, rel=1e-6)
    for term in it.problem.priors.terms[:3]:
        mu, sd = term.prior.parameters["mu"], term.prior.parameters["sigma"]
        x = math.exp(it.theta[term.position])
        mine += lognorm.logpdf(x, sd, scale=math.exp(mu)) + math.log(x)
    spread, length = (math.exp(it.theta[at]) for at in it.effect.scales)
    mine += halfnorm.logpdf(spread, scale=0.7) + math.log(spread)
    mine += invgamma.logpdf(length, alpha, scale=beta) + math.log(length)
    mine += norm.logpdf(it.theta[it.effect.place]).sum()
    assert it.problem.value(it.theta) - it.problem.log_likelihood(it.theta) == pytest.approx(mine, abs=1e-9)


@pytest.mark.parametrize("name", CASES)
def test_gradient_and_batches(name: str) -> None:
    it = case(name)
    steps = 1e-6 * np.eye(len(it.theta))
    differences = [(it.problem.value(it.theta + s) - it.problem.value(it.theta - s)) / 2e-6 for s in steps]
    np.testing.assert_allclose(it.problem.gradient(it.theta)[1], differences, atol=1e-6)
    thetas = np.stack([it.theta, it.theta + 0.1])
    expected = [it.problem.value(theta) for theta in thetas]
    np.testing.assert_allclose(it.problem.log_posteriors(thetas, it.problem.pointwise(thetas)), expected, atol=1e-9)
    np.testing.assert_allclose(it.problem.to_theta(it.problem.to_beta(it.theta)), it.theta, atol=1e-10)


@pytest.mark.parametrize("name", CASES)
def test_any_surface_from_the_chances_without_one(name: str) -> None:
    """What the integral rests on: two products of matrices are the whole posterior density."""
    it = case(name)
    rng, chances = np.random.default_rng(5), it.form.chances(it.phi)
    scale = np.exp(it.effect.log_scale(it.theta))
    for z in rng.normal(size=(3, len(scale))):
        gain = it.form._gains(chances, (scale * z)[None])[0] - 0.5 * z @ z
        assert chances.value + gain == pytest.approx(it.problem.value(it.form.together(it.phi, z)), abs=1e-8)


@pytest.mark.parametrize("name", CASES)
def test_integral_by_plain_monte_carlo(name: str) -> None:
    """The unbiased estimate against the mean of the likelihood over 200,000 draws of the prior of the coefficients."""
    it = case(name)
    chances, scale = it.form.chances(it.phi), np.exp(it.effect.log_scale(it.theta))
    z = np.random.default_rng(1).standard_normal((200_000, len(scale)))
    gains = np.concatenate([it.form._gains(chances, part * scale) for part in np.array_split(z, 100)])
    top = gains.max()
    constant = 0.5 * len(scale) * math.log(2 * math.pi)  # of p(0), which is in the value
    expected = chances.value + constant + top + math.log(np.exp(gains - top).mean())
    found = it.form.batch_value(it.phi + 1e-9 * np.arange(40)[:, None])
    assert math.log(np.exp(found - expected).mean()) == pytest.approx(0.0, abs=0.03)
    assert it.form.value(it.phi) == pytest.approx(expected, abs=0.4)


@pytest.mark.parametrize("name", ["plain", "trend", "classes"])
def test_slopes_of_the_approximation(name: str) -> None:
    """B is kept while φ moves, and the rest of the value is at a maximum in z."""
    it = case(name)
    steps = 1e-4 * np.eye(it.form.size)
    differences = [(it.form.value(it.phi + s) - it.form.value(it.phi - s)) / 2e-4 for s in steps]
    np.testing.assert_allclose(it.form.gradient(it.phi)[1], differences, atol=1e-4)


@pytest.mark.parametrize(("at", "value"), [(0, 30.0), (0, -30.0), (1, 30.0), (1, -30.0)])
def test_far_proposals_are_no_accident(at: int, value: float) -> None:
    it = case("plain")
    phi = it.phi.copy()
    phi[it.form._at(it.effect.scales[at])] = value
    found = float(it.form.batch_value(phi[None])[0])
    assert np.isneginf(found) if (at, value) == (0, 30.0) else found < it.form.value(it.phi)
    assert it.form.complete(phi[None]).shape == (1, len(it.problem.names))


def test_graph_is_the_same_density() -> None:
    import pytensor

    from leopardpop.models.graph import point_of
    from leopardpop.results.chains import _unconstrained

    it = case("plain")
    with pytensor.config.change_flags(mode="FAST_COMPILE"):
        model = it.model.build(it.history, it.mask)
        function, place = model.logp_dlogp_function(ravel_inputs=True), _unconstrained(model)
        other = it.theta + 0.2
        values = [function([place(point_of(it.problem, theta))])[0] for theta in (it.theta, other)]
    assert np.diff(values) == pytest.approx(np.diff([it.problem.value(t) for t in (it.theta, other)]), abs=1e-8)
    assert "D_gp_weights" in {variable.name for variable in model.deterministics}


# -- what people see --------------------------------------------------------------------------------------------------
TRUTH = {"D": 2.0, "lambda0": 0.1, "sigma": 500.0, "D_sd_gp": 1.2, "D_length_gp": 2.0}


@cache
def fitted() -> lp.Fit:
    model, (design, mask) = lp.SCR(density="~ gp(x, y, functions=20)"), survey(8)
    history = model.simulate(design, mask, parameters=TRUTH, seed=3).history
    return model.fit(history, mask, engine="laplace", draws=500, seed=1)


def test_results(tmp_path) -> None:
    fit = fitted()
    assert fit.trusted
    assert fit.summary().index.tolist() == ["D", "lambda0", "sigma", "D_sd_gp", "D_length_gp", "E_N", "N"]
    assert fit.summary().loc["D_length_gp", "unit"] == "km"
    assert "is a sum of 20 waves" in repr(fit)
    assert "gp_weights" not in repr(fit)
    pieces = fit.data_tree["log_likelihood"]
    total = pieces["capture"].sum("individual").values.ravel() + pieces["n_detected"].sum("session").values.ravel()
    np.testing.assert_allclose(total[:3], [fit.problem.log_likelihood(t) for t in fit.theta.reshape(-1, 25)[:3]])
    loaded = lp.load_fit(fit.save(tmp_path / "fit.nc"))
    assert loaded == fit
    np.testing.assert_allclose(loaded.theta, fit.theta, atol=1e-12)
    shared = lp.load_fit(fit.save(tmp_path / "shared.nc", coordinates="hidden"))
    assert "D_gp_weights" not in shared.posterior
    assert shared.summary().equals(fit.summary())
    again = fit.model.from_posterior(fit.data_tree, fit.history, fit.problem.masks)
    np.testing.assert_allclose(again.theta, fit.theta, atol=1e-12)


def test_the_map_follows_the_truth() -> None:
    """The same seed gives the same truth: animals live where the surface is high."""
    fit, (design, mask) = fitted(), survey(8)
    truth = fit.model.simulate(design, mask, parameters=TRUTH, seed=3).truth
    theta = fit.problem.to_theta(truth.coefficients.to_numpy())
    expected = np.exp(fit.problem.layout["D"].predictor_of_rows(theta))
    found = fit.density_surface()
    assert np.corrcoef(np.log(expected), np.log(found["D_mean"]))[0, 1] > 0.6
    assert float((found["D_mean"] * found["area"]).sum()) == pytest.approx(float(fit.posterior["E_N"].mean()), rel=1e-9)
    assert found["D_mean"].max() > 2 * found["D_mean"].min()


def test_prediction_on_cells_and_elsewhere() -> None:
    fit, (_, mask) = fitted(), survey(8)
    cells = mask.table[["x", "y"]]
    theta = fit.theta.reshape(-1, fit.theta.shape[-1])
    expected = np.exp(fit.problem.layout["D"].predictor_of_rows(theta)).mean(0)
    np.testing.assert_allclose(fit.predict("D", cells).mean(("chain", "draw")), expected, rtol=1e-9)
    between = fit.predict("D", cells.iloc[[0]] + 40.0)
    assert float(between.mean()) == pytest.approx(expected[0], rel=0.1)
    with pytest.raises(DataError, match="outside of the rectangle"):
        fit.predict("D", cells + 1e6)


def test_population_and_regions() -> None:
    import shapely

    fit, (_, mask) = fitted(), survey(8)
    west = shapely.box(mask.x.min() - 500, mask.y.min() - 500, float(np.median(mask.x)), mask.y.max() + 500)
    east = shapely.box(float(np.median(mask.x)), mask.y.min() - 500, mask.x.max() + 500, mask.y.max() + 500)
    import geopandas as gpd

    regions = gpd.GeoDataFrame({"side": ["west", "east"]}, geometry=[west, east])
    population = fit.population(regions=regions, by="side")
    sides = population.expected.sum("region") if "region" in population.expected.dims else population.expected
    np.testing.assert_allclose(sides.values.ravel(), fit.posterior["E_N"].values.ravel(), rtol=1e-9)
    assert len(population.summary()) >= 2


def test_few_cells_are_refused() -> None:
    design, _ = survey()
    mask = lp.Mask.around(design, buffer=1000, spacing=1000)
    assert mask.n_cells < 50
    with pytest.raises(ModelError, match=rf"gp\(x, y\) on {mask.n_cells} cells.*spacing=.*~ x \+ y"):
        lp.SCR(density="~ gp(x, y)").parameters(design, mask)


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (lp.SCR(density="~ gp(x, y) + gp(x, y)"), "twice"),
        (lp.SCR(density="~ gp(snow)"), r"gp\(x, y\)"),
        (lp.SCR(density="~ gp(x, y, functions=2)"), "whole number from 4"),
        (lp.SCR(detection=lp.HalfNormal(sigma="~ gp(x, y)")), r"sigma.*gp\(x, y\)"),
        (lp.SCR(density="~ gp(x, y)", priors={"D_length_gp": lp.Prior("LogNormal", mu=9.0, sigma=1.0)}), "in km"),
    ],
)
def test_what_is_refused(model: lp.SCR, words: str) -> None:
    with pytest.raises(ModelError, match=words):
        model.parameters(*survey())


def test_maximum_likelihood_refuses() -> None:
    it = case("plain")
    with pytest.raises(ModelError, match=r"gp\(x, y\)"):
        it.model.maximum_likelihood(it.history, it.mask)


def test_sessions_share_one_surface() -> None:
    design, mask = survey()
    stations = design.stations.drop(columns="session", errors="ignore")
    both = pd.concat([stations.assign(session=label, days=5.0) for label in ("2021", "2022")])
    history = lp.CaptureHistory.from_tables(
        None, both[["station", "x", "y", "session", "days"]], effort="days", detector="count", occasions=1
    )
    model = lp.SCR(density="~ session + gp(x, y, functions=8)")
    problem = Problem(model, history, mask)
    assert len(problem.layout.effects[0].design.places) == mask.n_cells
    theta = problem.starts()[0]
    theta[problem.layout.effects[0].place] = 1.0
    one, other = problem.layout["D"].predictor(theta)
    assert np.ptp(one) > 0.01
    np.testing.assert_allclose(one - other, (one - other)[0], atol=1e-12)
