"""A community of species: the joint density against a naive twin, gradients, coordinates, stacking, refusals."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit, logsumexp
from scipy.stats import halfnorm, norm

import leopardpop as lp
from leopardpop.errors import DataError, ModelError
from leopardpop.models.states.community import SpeciesRows
from leopardpop.models.states.kinds import occupancy_problem
from leopardpop.models.states.species_integral import SpeciesIntegral, with_centring
from leopardpop.results.centring import centred_community, community_metric
from tests.reference.community import log_effects, log_site

pytestmark = pytest.mark.filterwarnings("ignore::leopardpop.errors.DataWarning")  # the tiger was never seen

SPECIES = ("tiger", "dhole", "leopard")
N_SITES, N_VISITS = 9, 4
SD_OF_PRIOR = {"psi": 1.0, "p": 0.5}


@cache
def history(n_sites: int = N_SITES, names: tuple[str, ...] = SPECIES) -> lp.DetectionHistory:
    """Sites with a covariate, visits with another, gaps that differ between species, a species that was never seen."""
    rng = np.random.default_rng(4)
    labels = [f"s{i}" for i in range(n_sites)]
    sites = pd.DataFrame({"site": labels, "x": np.arange(n_sites) * 1e3, "y": 0.0, "snow": rng.normal(20, 8, n_sites)})
    tables = {}
    for k, name in enumerate(names):
        seen = (rng.random((n_sites, N_VISITS)) < 0.35 * (k > 0)).astype(float)
        seen[k, -1] = np.nan  # nobody looked for this species on that visit
        seen[-1] = np.nan  # nobody looked at all
        tables[name] = pd.DataFrame(seen).assign(site=labels)
    wind = rng.normal(5, 2, (n_sites, N_VISITS))
    return lp.DetectionHistory.from_tables(tables, sites, visit_covariates={"wind": wind}, crs="EPSG:32644")


MODEL = lp.CommunityOccupancy(psi="~ snow", p="~ wind")


def problem(model: lp.CommunityOccupancy = MODEL, **design):
    return occupancy_problem(model, history(**design))


def some_theta(of, seed: int = 1) -> np.ndarray:
    return 0.4 * np.random.default_rng(seed).normal(size=of.layout.size)


def naive(of, theta: np.ndarray) -> tuple[np.ndarray, float]:
    """log Pr(visits) by site, and the log density of everything else."""
    value = pd.Series(of.to_beta(theta), of.labels)
    data = of.history.dataset
    snow, wind = data["snow"].values, data["wind"].values[:, 0]
    x = np.column_stack([np.ones(len(snow)), snow - snow.mean()])
    made = np.isfinite(data["y"].values[:, :, 0])
    mean_wind = float(np.concatenate([wind[one] for one in made]).mean())  # a visit counts once for every species
    w = np.stack([np.ones_like(wind), wind - mean_wind], axis=-1)
    centre = {"snow": snow.mean(), "wind": mean_wind}
    species, deviations = {}, {}
    for name in of.species:
        own = []
        for parameter, slope in (("psi", "snow"), ("p", "wind")):
            b0, b1 = value[f"{parameter}[1|species[{name}]]"], value[f"{parameter}[{slope}|species[{name}]]"]
            deviations.setdefault(parameter, []).append(b0)
            deviations.setdefault(f"{parameter}_{slope}", []).append(b1)
            middle = value[f"{parameter}[Intercept]"] + value[f"{parameter}[{slope}]"] * centre[slope]
            own.append(np.array([middle + b0, value[f"{parameter}[{slope}]"] + b1]))
        species[name] = tuple(own)
    y = {name: data["y"].sel(species=name).values[:, 0] for name in of.species}
    sds = {n: np.exp(value[f"{n.split('_')[0]}_sd_species{n[len(n.split('_')[0]) :]}[Intercept]"]) for n in deviations}
    rest = log_effects({n: np.array(v) for n, v in deviations.items()}, sds)
    return log_site(y, x, w, species), rest + log_prior(of, value, sds)


def log_prior(of, value: pd.Series, sds: dict[str, float]) -> float:
    """Priors of theta: means at the reference and slopes, half-normal sds times their Jacobian."""
    total = 0.0
    for parameter, slope, mean in (("psi", "snow", 0.0), ("p", "wind", -1.0)):
        design = of.layout[parameter].design
        total += norm.logpdf(
            value[f"{parameter}[Intercept]"] + value[f"{parameter}[{slope}]"] * design.center[1], mean, 1.5
        )
        total += norm.logpdf(value[f"{parameter}[{slope}]"] * design.scale[1], 0.0, 1.0)
        for name, scale in ((parameter, 1.0), (f"{parameter}_{slope}", design.scale[1])):
            prior = halfnorm.logpdf(sds[name], scale=SD_OF_PRIOR[parameter] / scale)
            total += prior + np.log(sds[name])
    return float(total)


def joint_of_theta(of, theta: np.ndarray) -> float:
    """The naive joint density in the coordinates of theta: deviations are in units of their sds."""
    by_site, rest = naive(of, theta)
    jacobian = sum(theta[each.spread] * len(of.species) for each in of.layout.effects)
    return float(by_site.sum()) + rest + jacobian


def differences(function, theta, step=1e-6):
    return np.array(
        [(function(theta + step * e) - function(theta - step * e)) / (2 * step) for e in np.eye(len(theta))]
    )


@pytest.mark.parametrize("seed", range(3))
def test_naive_joint_density(seed):
    """Species, sites and visits one by one."""
    of = problem()
    theta = some_theta(of, seed)
    by_site, _ = naive(of, theta)
    np.testing.assert_allclose(of.pointwise(theta).y, by_site, atol=1e-9)
    assert by_site[-1] == 0.0
    assert of.value(theta) == pytest.approx(joint_of_theta(of, theta), abs=1e-8)


def test_gradient():
    of = problem()
    theta = some_theta(of)
    value, gradient = of.gradient(theta)
    assert value == pytest.approx(of.value(theta), abs=1e-10)
    np.testing.assert_allclose(gradient, differences(of.value, theta), atol=5e-7)


def test_a_batch_is_its_rows():
    of = problem()
    thetas = np.stack([some_theta(of, seed) for seed in range(4)])
    np.testing.assert_allclose(of.pointwise(thetas).y, [of.pointwise(theta).y for theta in thetas], atol=1e-12)


def test_other_coordinates_are_the_same_density():
    """With any centring the density of coefficients is the same: that of theta differs by the Jacobian."""
    of = problem()
    weight = np.random.default_rng(3).random((3, len(of.layout.effects)))
    moved = with_centring(of, weight)
    theta = some_theta(of)
    there = moved.to_theta(of.to_beta(theta))
    log_r = np.array([theta[e.spread] + np.log(e.design.scale) for e in of.layout.effects])
    jacobian = float(((1.0 - weight) * log_r).sum())
    assert moved.value(there) == pytest.approx(of.value(theta) - jacobian, abs=1e-9)
    np.testing.assert_allclose(moved.gradient(there)[1], differences(moved.value, there), atol=1e-6)


def test_one_species_at_a_time():
    """The likelihood is the product of those of the species, each a plain occupancy model."""
    of = problem()
    theta = some_theta(of)
    beta = of.to_beta(theta)
    value, total = pd.Series(beta, of.labels), np.zeros(N_SITES)
    for name in SPECIES:
        single = occupancy_problem(lp.Occupancy(psi="~ snow", p="~ wind"), history().select(species=name))
        own = {}
        for parameter, slope in (("psi", "snow"), ("p", "wind")):
            b0, b1 = value[f"{parameter}[1|species[{name}]]"], value[f"{parameter}[{slope}|species[{name}]]"]
            centre = of.layout[parameter].design.center[1]
            own[f"{parameter}[Intercept]"] = value[f"{parameter}[Intercept]"] + b0 - centre * b1
            own[f"{parameter}[{slope}]"] = value[f"{parameter}[{slope}]"] + b1
        total += single.pointwise(single.to_theta(np.array([own[label] for label in single.labels]))).y
    np.testing.assert_allclose(of.pointwise(theta).y, total, atol=1e-10)


@settings(max_examples=10, deadline=None)
@given(st.permutations(range(3)), st.permutations(range(N_SITES)))
def test_order_of_species_and_sites_does_not_matter(species, sites):
    of = problem()
    data = history().dataset.isel(species=list(species), site=list(sites))
    other = occupancy_problem(MODEL, lp.DetectionHistory.from_dataset(data))
    theta = some_theta(of)
    beta = pd.Series(of.to_beta(theta), of.labels)
    there = other.to_theta(beta[other.labels].to_numpy())
    assert other.value(there) == pytest.approx(of.value(theta), abs=1e-9)


def test_rows_of_species_are_those_of_groups():
    """The fast sums over rows are those of any random effect."""
    of = problem()
    theta, rows = some_theta(of), of._detection["p"]
    assert isinstance(rows.random[0], SpeciesRows)
    effects = of.effects_of("p")
    full = of.layout["p"].predictor_of_rows(theta)
    np.testing.assert_allclose(of.predictors(theta)["p"][of.kind], full, atol=1e-12)
    assert len(effects) == 2


def test_the_integral_over_a_species_is_that_by_quadrature():
    """One coefficient a species: the mean of the estimates against a sum over a fine grid."""
    model = lp.CommunityOccupancy(psi="~ 1", p="~ wind + (0 + wind | species)")
    of = occupancy_problem(model, history())
    integral = SpeciesIntegral(of)
    phi = integral.starts()[0]
    grid = np.linspace(-9, 9, 181)
    joint = np.zeros((3,))
    for k in range(3):
        theta = np.tile(np.concatenate([phi, np.zeros(6)]), (len(grid) ** 2, 1))
        a, b = np.meshgrid(grid, grid)
        theta[:, integral.clusters.place[k]] = np.column_stack([a.ravel(), b.ravel()])
        own = of.by_species(of.evaluate(theta).forward.log_site)[:, k].sum(-1)
        joint[k] = logsumexp(own + norm.logpdf(a).ravel() + norm.logpdf(b).ravel()) + 2 * np.log(grid[1] - grid[0])
    prior = of.priors.log_densities(np.concatenate([phi, np.zeros(6)])[None])[0]
    estimates = integral.batch_value(phi + 1e-9 * np.arange(400)[:, None])
    spread = np.exp(estimates - joint.sum() - prior)
    assert abs(spread.mean() - 1.0) < 4.0 * spread.std() / 20
    assert spread.std() < 0.5
    assert integral.value(phi) == pytest.approx(joint.sum() + prior, abs=0.4)


def test_slopes_of_the_integral():
    integral = centred_community(problem())
    phi = integral.starts()[0] + 0.1
    value, slope = integral.gradient(phi)
    assert value == integral.value(phi)
    np.testing.assert_allclose(slope, differences(integral.value, phi, 1e-5), atol=1e-4)


def test_metric_of_the_chains():
    """Positive, of the size of the problem; the more was seen, the less is a species in units of the sd."""
    moved, middle, metric = community_metric(problem())
    assert np.linalg.eigvalsh(metric).min() > 0
    assert np.isfinite(moved.value(middle))
    weight = np.stack([each.weight for each in moved.layout.effects])
    assert weight.min() >= 0.0
    assert weight.max() <= 1.0
    large = community_metric(problem(n_sites=60))[0]
    assert large.layout.effects[0].weight.mean() < weight[0].mean()


def test_simulated_frequencies():
    """Sds between species, sites used and detections come out as they were put in."""
    design = lp.DetectionHistory.from_tables({f"s{k:03d}": np.ones((60, 5)) for k in range(150)})
    model = lp.CommunityOccupancy()
    truth = {"psi": 0.5, "p": 0.4, "psi_sd_species": 1.2, "p_sd_species": 0.5}
    sim = model.simulate(design, parameters=truth, seed=2)
    known = sim.truth.coefficients
    deviations = known[[label for label in known.index if label.startswith("psi[1|species")]]
    assert deviations.std() == pytest.approx(1.2, abs=0.25)
    used = sim.truth.z.isel(season=0).mean("site").values
    expected = expit(known["psi[Intercept]"] + deviations.to_numpy())
    assert np.abs(used - expected).max() < 5 * 0.5 / 60**0.5
    seen = sim.history.dataset["y"].isel(season=0)
    assert float(seen.where(sim.truth.z.isel(season=0) == 0).sum()) == 0.0
    again = model.simulate(design, parameters=known, seed=5)
    pd.testing.assert_series_equal(again.truth.coefficients, known)
    assert "of 150 species use any of 60 sites" in repr(sim)


def test_a_simulation_keeps_gaps_and_covariates():
    truth = {"psi": 0.5, "p": 0.4, "psi_sd_species": 1.0, "p_sd_species": 0.5}
    truth |= {"psi_sd_species_snow": 0.1, "p_sd_species_wind": 0.1}
    made = MODEL.simulate(history(), parameters=truth, seed=1).history
    assert made.species == SPECIES
    np.testing.assert_array_equal(np.isnan(made.to_array()), np.isnan(history().to_array()))
    np.testing.assert_array_equal(made.dataset["snow"], history().dataset["snow"])


def test_default_priors_and_names():
    table = MODEL.parameters(history())
    assert table["name"].tolist() == [
        "psi", "psi", "p", "p", "psi_sd_species", "psi_sd_species_snow", "p_sd_species", "p_sd_species_wind",
    ]  # fmt: skip
    assert table.loc[4, "prior"] == 'Prior("HalfNormal", sigma=1)'
    assert table.loc[6, "prior"] == 'Prior("HalfNormal", sigma=0.5)'
    fewer = lp.CommunityOccupancy(psi="~ snow + (1 | species)", p="~ wind").parameters(history())
    assert "psi_sd_species_snow" not in fewer["name"].tolist()


def test_positions_are_covariates():
    assert "easting" in lp.CommunityOccupancy(psi="~ easting").parameters(history())["coefficient"].tolist()


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: MODEL.parameters(history().select(species="tiger")),
            DataError,
            r"the history has one species \(tiger\) and CommunityOccupancy is of several.*use lp.Occupancy",
        ),
        (
            lambda: MODEL.parameters(lp.DetectionHistory.from_tables([[0, 1], [1, 1]])),
            DataError,
            r"has one species and CommunityOccupancy is of several",
        ),
        (
            lambda: lp.CommunityOccupancy().fit(
                lp.DetectionHistory.from_tables({"a": [[0, 2]], "b": [[1, 0]]}, response="state")
            ),
            DataError,
            r"response 'state' and CommunityOccupancy needs 'binary'",
        ),
        (lambda: MODEL.fit([[0, 1]]), DataError, r"CommunityOccupancy needs an lp.DetectionHistory"),
        (
            lambda: lp.CommunityOccupancy().parameters(
                lp.DetectionHistory.from_tables({"a": [[0, 1]], "b": [[1, 0]]}, seasons=2)
            ),
            ModelError,
            r"one closed season and the history has 2",
        ),
        (lambda: lp.CommunityOccupancy(psi="~ snow + gp(x, y)"), ModelError, r"no spatial effect gp\(x, y\)"),
        (lambda: lp.CommunityOccupancy(psi="~ snow + (1 | valley)"), ModelError, r"\(valley\) is another"),
        (lambda: lp.CommunityOccupancy(p="~ species"), ModelError, r"species is no covariate of a community"),
        (lambda: lp.CommunityOccupancy(link="logti"), ModelError, r"logit"),
        (lambda: lp.CommunityOccupancy().maximum_likelihood(history()), ModelError, r"no random or spatial effects"),
        (lambda: lp.CommunityOccupancy(psi="~ snwo").parameters(history()), ModelError, r"no variable 'snwo'.*snow"),
        (lambda: lp.Occupancy().parameters(history()), DataError, r"3 species.*Occupancy is of one"),
    ],
)
def test_refusals(call, error, message):
    with pytest.raises(error, match=message):
        call()
