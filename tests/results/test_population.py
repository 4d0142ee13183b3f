"""Numbers of animals: identities that hold draw by draw, distributions against the naive reference, plain words."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace
from pathlib import Path

import geopandas
import numpy as np
import pandas as pd
import pytest
import shapely
import xarray as xr
from scipy.stats import poisson

import leopardpop as lp
from leopardpop.errors import DataError, DataWarning, ModelError
from leopardpop.models.describe import theta_of
from leopardpop.models.problem import Problem
from leopardpop.results import population_text
from leopardpop.results.population import population
from tests.golden.secr import FITS, load_survey
from tests.reference.coefficients import density, detection_values, share
from tests.reference.datasets import library_history, library_masks
from tests.reference.scr import AnimalClass, PlainSession, pieces
from tests.results.standin import StandIn, halves, model_of, plain_survey, stand_in, values_of

pytestmark = pytest.mark.filterwarnings("ignore:The mask covers only part:leopardpop.errors.DataWarning")

ONE_MASK = next(iter(stand_in().problem.masks.values()))


# --- identities ------------------------------------------------------------------------------------


@pytest.mark.parametrize("sex", ["none", "known", "partly known"])
@pytest.mark.parametrize("detector", ["count", "proximity", "multi"])
def test_parts_of_the_mask_add_up_to_the_posteriors_number(detector: str, sex: str) -> None:
    fit = stand_in(sex, detector=detector).with_numbers()
    parts = population(fit, regions=halves(ONE_MASK)).realised
    total = parts.sum([d for d in parts.dims if d not in {"chain", "draw"}])
    assert fit.posterior is not None
    assert (total.to_numpy() == fit.posterior["N"].isel(session=0).to_numpy()).all()
    whole = population(fit).realised
    assert (total.to_numpy() == whole.sum([d for d in whole.dims if d == "sex"]).to_numpy()).all()


def test_overlapping_regions_count_the_same_animals() -> None:
    part = halves(ONE_MASK, 0.6)["west"], halves(ONE_MASK, 0.35)["east"]
    regions = {"a": part[0], "b": part[1], "both": part[0] & part[1], "either": part[0] | part[1]}
    numbers = population(stand_in(), regions=regions).realised
    a, b, both, either = (numbers.sel(region=name).to_numpy() for name in regions)
    assert (a + b == both + either).all()
    assert (both <= np.minimum(a, b)).all()
    assert both.max() > 0


def test_a_centre_on_the_border_belongs_to_one_region() -> None:
    """Half of the bounds goes right through a column of centres."""
    column = np.unique(ONE_MASK.x)[3]
    at = (column - (ONE_MASK.x.min() - 500)) / (np.ptp(ONE_MASK.x) + 1000)
    parts = population(stand_in(), regions=halves(ONE_MASK, at))
    assert float(parts.area_km2.sum()) == pytest.approx(ONE_MASK.total_area)


def test_expected_is_density_times_area() -> None:
    fit = stand_in("known", draws=5)
    mask = fit.problem.masks["2021"]
    west = mask.x < 4000
    found = population(fit, regions=halves(mask)).expected
    for chain, draw in np.ndindex(2, 5):
        theta = fit.theta[chain, draw]
        animals = fit.problem.density(theta)[0] * mask.area
        shares = np.exp(fit.problem.layout.shares.log_shares(theta))  # type: ignore[union-attr]
        by_hand = np.outer([animals[west].sum(), animals[~west].sum()], shares)
        np.testing.assert_allclose(found.isel(chain=chain, draw=draw), by_hand, rtol=1e-12)


def test_dimensions() -> None:
    assert population(stand_in()).realised.dims == ("chain", "draw")
    assert population(stand_in("known", layout="two sessions"), regions=halves(ONE_MASK)).expected.dims == (
        "chain", "draw", "session", "region", "sex",
    )  # fmt: skip
    assert population(stand_in(), regions=halves(ONE_MASK)["west"]).realised.dims == ("chain", "draw")


def test_never_fewer_than_detected() -> None:
    for fit in (stand_in(), stand_in("known").with_numbers()):
        numbers = population(fit).realised
        assert int(numbers.sum([d for d in numbers.dims if d == "sex"]).min()) >= 6
        assert numbers.dtype == np.int64
    known = plain_survey("known").sessions[0].animal_covariates["sex"]
    assert int(numbers.sel(sex="F").min()) >= known.count("F")
    assert int(numbers.sel(sex="M").min()) >= known.count("M")


@pytest.mark.parametrize("layout", ["no captures", "one animal", "an empty session"])
def test_few_or_no_captures(layout: str) -> None:
    fit = stand_in(layout=layout)
    pop = population(fit, regions=halves(ONE_MASK))
    undetected = np.mean([[u.sum() for u in fit.problem.undetected(t)] for t in fit.theta.reshape(-1, 4)], axis=0)
    detected = [len(data.individuals) for data in fit.problem.data]
    mean = pop.realised.sum("region").mean(["chain", "draw"])
    np.testing.assert_allclose(np.ravel(mean), undetected + detected, atol=4 * np.sqrt(undetected.max() / 80))


def test_sessions_are_never_summed() -> None:
    fit = stand_in(layout="two sessions").with_numbers()
    numbers = population(fit).realised
    assert fit.posterior is not None
    assert (numbers.to_numpy() == fit.posterior["N"].to_numpy()).all()
    assert list(numbers["session"].to_numpy()) == ["2021", "2022"]
    assert population(fit).probability(0, np.inf).dims == ("session",)


def test_a_region_of_one_session_only() -> None:
    """Each area has its own mask, and a region lies in one of them."""
    table = ONE_MASK.table
    masks = {"2021": ONE_MASK, "2022": lp.Mask.from_table(table[table["x"] > 4000].reset_index(drop=True))}
    fit = stand_in(layout="two sessions", mask=masks)
    pop = population(fit, regions={"west": shapely.box(0, 0, 3000, 9000), "east": shapely.box(5000, 0, 9000, 9000)})
    assert bool(pop.realised.sel(session="2022", region="west").isnull().all())
    assert bool(pop.realised.sel(session="2022", region="east").notnull().all())
    assert np.isnan(pop.probability(0, 100).sel(session="2022", region="west"))
    assert float(pop.prior_probability(0, np.inf).sel(session="2021", region="west")) == 1.0
    assert float(pop.area_km2.sel(session="2022", region="west")) == 0.0
    assert "2022 · west" in repr(pop)


def test_seeds() -> None:
    fit = stand_in()
    first, again = (population(fit, regions=halves(ONE_MASK)).realised for _ in range(2))
    assert first.identical(again)
    other = population(replace(fit, seed=2), regions=halves(ONE_MASK)).realised
    assert not first.equals(other)


def test_equal_draws_are_drawn_apart() -> None:
    """Resampling repeats draws of the parameters; animals are placed anew for each."""
    numbers = population(stand_in(spread=0.0, draws=30)).realised.to_numpy()
    assert len(np.unique(numbers)) > 4


# --- distributions ---------------------------------------------------------------------------------


def naive_by_class(sex: str) -> tuple[PlainSession, list[tuple[np.ndarray, np.ndarray]]]:
    """Pr(class, cell | w_i) and expected undetected animals of each class and cell, from the naive code."""
    survey, values = plain_survey(sex), values_of(sex)
    session = survey.sessions[0]
    levels = [None] if sex == "none" else ["F", "M"]
    known = survey.known("sex")[0] if sex != "none" else [None] * len(session.animals)
    found, logs = [], []
    for level in levels:
        chance = share(values, level)
        group = AnimalClass(level, chance, detection_values(session, values, "sex" if level else None, level))
        piece = pieces(
            session, detector="count", function="HalfNormal", density=density(session, values), classes=[group]
        )
        allowed = np.array([k is None or k == level for k in known])
        logs.append(np.where(allowed, piece.log_animal, -np.inf))
        # one class alone: 1 − share·Pr(detected) is what the naive code calls undetected
        animals = density(session, values) * session.area
        found.append((piece.centres, animals * chance - (animals - piece.undetected)))
    of_class = np.exp(np.array(logs) - np.logaddexp.reduce(logs, axis=0))
    return session, [(p[:, None] * centres, missed) for p, (centres, missed) in zip(of_class, found, strict=True)]


def exact_distribution(
    session: PlainSession, west: np.ndarray, tables: list[tuple[np.ndarray, np.ndarray]]
) -> np.ndarray:
    """Pr(N = k) in the west by class, (C, 60): animals one after the other, then the Poisson number of the others."""
    result = []
    for inside, missed in tables:
        law = np.eye(60)[0]
        for p in inside[:, west].sum(1):
            law = (1 - p) * law + p * np.concatenate([[0.0], law[:-1]])
        others = poisson.pmf(np.arange(60), missed[west].sum())
        result.append(np.convolve(law, others)[:60])
    return np.array(result)


@pytest.mark.parametrize("given", [False, True])
@pytest.mark.parametrize("sex", ["none", "known", "partly known"])
def test_distribution_of_realised_numbers(sex: str, *, given: bool) -> None:
    """12,000 draws at one point against the exact law; with and without the posterior's own N."""
    session, tables = naive_by_class(sex)
    west = session.cells[:, 0] < 4000
    fit = stand_in(sex, spread=0.0, draws=1)
    fit = replace(fit, theta=np.repeat(fit.theta[:1], 12_000, axis=1))
    if given:
        fit = one_point_numbers(fit)
    numbers = population(fit, regions={"west": shapely.box(0, 0, 4000, 9000), "east": shapely.box(4000, 0, 9000, 9000)})
    west_only = numbers.realised.sel(region="west").to_numpy().reshape(12_000, -1)
    for law, found in zip(exact_distribution(session, west, tables), west_only.T, strict=True):
        observed = np.bincount(found, minlength=60) / 12_000
        # total variation of 12,000 draws of a law with about ten likely values: 0.01 on average
        assert 0.5 * np.abs(observed - law).sum() < 0.025
    east = numbers.realised.sel(region="east").to_numpy().reshape(12_000, -1).sum(1)
    joint = np.cov(west_only.sum(1), east)[0, 1]
    placed = sum(inside for inside, _ in tables)
    chance = placed[:, west].sum(1)
    assert joint == pytest.approx(-(chance * (1 - chance)).sum(), abs=0.2)  # an animal in the west is not in the east


def one_point_numbers(fit: StandIn) -> StandIn:
    rate = fit.problem.undetected(fit.theta[0, 0])[0].sum()
    numbers = np.random.default_rng(3).poisson(rate, (1, fit.theta.shape[1], 1)) + 6
    return replace(fit, posterior=xr.Dataset({"N": (("chain", "draw", "session"), numbers)}))


def test_place_of_the_parts_follows_pdot() -> None:
    """The three numbers: they add up to the mean of N, and are split where detection is 0.1."""
    fit = stand_in(draws=1, spread=0.0)
    theta = fit.theta[0, 0]
    pdot, missed = fit.problem.pdot(theta)[0], fit.problem.undetected(theta)[0].sum(0)
    (row,) = population(fit).sources.to_dict("records")
    assert row["photographed"] == pytest.approx(6.0)
    assert row["near_cameras"] == pytest.approx(missed[pdot >= 0.1].sum())
    assert row["extrapolated"] == pytest.approx(missed[pdot < 0.1].sum())
    animals = fit.problem.density(theta)[0] * ONE_MASK.area
    assert population(fit).share_extrapolated == pytest.approx(animals[pdot < 0.1].sum() / animals.sum())
    by_region = population(fit, regions=halves(ONE_MASK)).sources
    assert by_region.sum().to_dict() == pytest.approx(row)


# --- which region ----------------------------------------------------------------------------------


def around(*, habitat: shapely.Polygon | None = None, buffer: float = 3000) -> StandIn:
    history = library_history(plain_survey())
    mask = lp.Mask.around(history, buffer=buffer, spacing=500, habitat=habitat).with_covariates(
        snow=lambda x, _: x / 100
    )
    problem = Problem(model_of(), history, mask)
    theta = theta_of(problem, pd.Series(values_of()))
    return StandIn(problem, np.tile(theta, (1, 20, 1)))


def test_a_mask_from_a_table_is_its_own_region() -> None:
    pop = population(stand_in())
    assert pop.region_name == "the mask"
    assert pop.area_km2 == pytest.approx(ONE_MASK.total_area)
    assert 0 <= pop.probability(0, 20) <= 1


def test_a_clipped_mask_has_the_habitat_as_region() -> None:
    habitat = shapely.box(1000, 1000, 7000, 7000)
    pop = population(around(habitat=habitat, buffer=9000))
    assert pop.region_name == "the habitat"
    assert pop.area_km2 == pytest.approx(36.0)
    assert pop.covered == 1.0


def test_a_habitat_beyond_the_buffer_is_said() -> None:
    fit = around(habitat=shapely.box(1000, 1000, 17000, 7000))
    with pytest.warns(DataWarning, match="covers .*% of the polygon") as caught:
        pop = population(fit)
    assert len(caught) == 1
    mask = fit.problem.masks["2021"]
    assert pop.covered == pytest.approx(mask.total_area / 96.0, rel=0.01)


def test_a_buffer_alone_asks_for_a_region() -> None:
    fit = around()
    pop = population(fit)
    stations = fit.problem.data[0].xy
    area = shapely.MultiPoint(stations).convex_hull.area / 1e6
    assert pop.region_name == "the hull of the stations"
    assert pop.area_km2 == pytest.approx(area, rel=0.15)
    for question in (pop.probability, pop.prior_probability, pop.probability_table):
        with pytest.raises(ModelError, match="only a buffer"):
            question(1, 10)
    named = population(fit, regions=shapely.box(2000, 2000, 6000, 6000))
    assert 0.0 <= named.probability(1, 10) <= 1.0
    assert "only a buffer" in repr(pop)
    assert "only a buffer" not in repr(named)


def test_stations_on_a_line_have_no_hull() -> None:
    stations = pd.DataFrame({"station": ["a", "b", "c"], "x": [1000.0, 3000.0, 5000.0], "y": 2000.0})
    history = lp.CaptureHistory.from_tables(None, stations, occasions=3, crs="local")
    mask = lp.Mask.around(history, buffer=3000, spacing=500)
    problem = Problem(lp.SCR(), history, mask)
    pop = population(StandIn(problem, np.tile(np.log([0.1, 0.1, 800.0]), (1, 5, 1))))
    assert pop.region_name == "the cells with stations"
    assert pop.area_km2 == pytest.approx(0.75)


# --- tables and words ------------------------------------------------------------------------------


def test_density() -> None:
    pop = population(stand_in("known"), regions=halves(ONE_MASK))
    per_100 = pop.density()
    assert per_100.dims == ("chain", "draw", "region")
    np.testing.assert_allclose(per_100, pop.expected.sum("sex") / pop.area_km2 * 100)
    np.testing.assert_allclose(pop.density(1.0) * 100, per_100)
    with pytest.raises(DataError, match="per_km2"):
        pop.density(0)


def test_summary_of_one_region() -> None:
    pop = population(stand_in())
    table = pop.summary()
    assert list(table.index) == ["expected", "realised", "density"]
    assert list(table.columns) == [
        "mean", "median", "sd", "eti95_lb", "eti95_ub", "unit", "area_km2", "region",
    ]  # fmt: skip
    draws = pop.realised.to_numpy().ravel()
    row = table.loc["realised"]
    assert row["mean"] == pytest.approx(draws.mean())
    assert row["sd"] == pytest.approx(draws.std(ddof=1))
    assert [row["eti95_lb"], row["median"], row["eti95_ub"]] == pytest.approx(np.quantile(draws, [0.025, 0.5, 0.975]))
    assert table["unit"].to_list() == ["animals", "animals", "1/km²"]


def test_summary_by_everything() -> None:
    pop = population(stand_in("known", layout="two sessions"), regions=halves(ONE_MASK))
    table = pop.summary()
    assert table.index.names == ["quantity", "session", "region", "sex"]
    assert len(table) == 2 * (2 * 2 * 3) + 4
    together = table.loc[("realised", "2022", "east", "all")]
    draws = pop.realised.sel(session="2022", region="east").sum("sex")
    assert together["mean"] == pytest.approx(float(draws.mean()))
    assert table.loc[("realised", "2022", "east", "F"), "mean"] < together["mean"]


def test_probability_counts_both_ends() -> None:
    pop = population(stand_in("known"))
    numbers = pop.realised.sum("sex").to_numpy()
    low, high = np.quantile(numbers, [0.2, 0.7], method="nearest")
    assert pop.probability(low, high) == ((numbers >= low) & (numbers <= high)).mean()
    assert pop.probability(0, np.inf) == 1.0
    assert isinstance(pop.probability(low, high), float)
    with pytest.raises(DataError, match="smaller"):
        pop.probability(50, 30)


def test_prior_probability_against_simulation() -> None:
    """Prior of D and its slope by hand: E[N], then Poisson."""
    fit = stand_in("known")
    problem, rng = fit.problem, np.random.default_rng(8)
    by_label = {term.label: term.prior for term in problem.priors.terms}
    log_density = np.log(by_label["D"].draw(rng, 4000))
    slope = by_label["D[snow]"].draw(rng, 4000)
    mask = problem.masks["2021"]
    snow = mask.table["snow"].to_numpy()
    animals = np.exp(log_density[:, None] + slope[:, None] * (snow - snow.mean())) @ mask.area
    numbers = rng.poisson(animals)
    pop = population(fit)
    for low, high in [(0, 5), (10, 30), (12.5, 60)]:
        simulated = ((numbers >= low) & (numbers <= high)).mean()
        assert pop.prior_probability(low, high) == pytest.approx(simulated, abs=0.03)
    table = pop.probability_table(10, 30)
    assert table.loc["the mask", "prior_probability"] == pop.prior_probability(10, 30)
    assert table.loc["the mask", "probability"] == pop.probability(10, 30)


def test_prior_on_the_number_of_animals() -> None:
    survey = plain_survey()
    prior = lp.priors.from_range(20, 40, mass=0.9)
    model = replace(model_of(), priors={"N": prior})
    problem = Problem(model, library_history(survey), library_masks(survey))
    fit = StandIn(problem, np.tile(theta_of(problem, pd.Series(values_of())), (1, 10, 1)))
    whole = population(fit)
    draws = np.random.default_rng(4).poisson(prior.draw(np.random.default_rng(1), 20_000))
    assert whole.prior_probability(20, 40) == pytest.approx(((draws >= 20) & (draws <= 40)).mean(), abs=0.02)
    half = population(fit, regions=halves(ONE_MASK)).prior_probability(20, 40)
    assert float(half.max()) < whole.prior_probability(20, 40)


def test_the_prior_expectation_is_labelled_and_what_the_probability_is_of() -> None:
    pop = population(stand_in("known", layout="two sessions"), regions=halves(ONE_MASK))
    before = pop.prior_expected
    assert before.dims == ("draw", "session", "region")
    assert before.sizes["draw"] == 2_000
    assert before.attrs["units"] == "animals"
    west = before.sel(session="2022", region="west").to_numpy()
    chance = (poisson.cdf(20, west) - poisson.cdf(4, west)).mean()
    assert float(pop.prior_probability(5, 20).sel(session="2022", region="west")) == pytest.approx(chance, abs=1e-12)
    assert population(stand_in()).prior_expected.dims == ("draw",)
    assert population(around()).prior_expected.dims == ("draw",), "of the hull too, where no range can be asked for"


class OnlyPyMC:
    """A prior that is known by the variable that it makes."""

    def create_variable(self, name: str) -> object:
        import pymc as pm

        return pm.Gamma(name, alpha=4.0, beta=10.0)


def test_a_prior_that_only_pymc_knows() -> None:
    survey = plain_survey()
    problem = Problem(lp.SCR(priors={"D": OnlyPyMC()}), library_history(survey), library_masks(survey))
    pop = population(StandIn(problem, np.tile(np.log([0.3, 0.1, 1000.0]), (1, 10, 1))))
    numbers = np.random.default_rng(2).poisson(np.random.default_rng(1).gamma(4.0, 0.1, 20_000) * ONE_MASK.total_area)
    assert pop.prior_probability(0, 20) == pytest.approx((numbers <= 20).mean(), abs=0.04)
    assert pop.prior_probability(0, 20) == population(pop._fit).prior_probability(0, 20)


def test_words() -> None:
    text = repr(population(stand_in("partly known"), regions=halves(ONE_MASK)))
    assert text.splitlines()[0].endswith("Medians with 95 % intervals.")
    for words in ("2 regions", "west · all", "east · M", "photographed", "extrapolated", "dependent young"):
        assert words in text
    assert max(map(len, text.splitlines())) <= 132
    html = population(stand_in(layout="two sessions"))._repr_html_()
    assert html.startswith("<table>")
    assert "residents twice" in html
    assert "2022" in html


def test_large_numbers_are_written_out() -> None:
    """1,234 animals on 123,456 km² have no exponent."""
    pop = population(stand_in())
    summary = pop.summary().assign(area_km2=123_456.7)
    for column in ("mean", "median", "eti95_lb", "eti95_ub"):
        summary[column] = 1234.4
    row = population_text._row("all", summary.loc["realised"], summary.loc["expected"])
    assert row == ("all", "1,234", "1,234 to 1,234", "1,234 (1,234 to 1,234)", "1.0 (1.0 to 1.0)", "123,457")


# --- size ------------------------------------------------------------------------------------------


def test_memory_does_not_grow_with_draws_times_cells() -> None:
    """2,000 draws x 4,900 cells would be 78 MB."""
    history = library_history(plain_survey())
    side = np.arange(50.0, 7050.0, 100.0)
    x, y = (axis.ravel() for axis in np.meshgrid(side, side))
    table = pd.DataFrame({"x": x, "y": y, "area": 0.01, "snow": (x + y) / 200})
    problem = Problem(model_of(), history, lp.Mask.from_table(table))
    centre = theta_of(problem, pd.Series(values_of()))
    theta = centre + 0.05 * np.random.default_rng(1).normal(size=(2, 1000, len(centre)))
    pop = population(StandIn(problem, theta), regions={"west": shapely.box(0, 0, 3500, 7000)})
    tracemalloc.start()
    _ = pop.expected, pop.realised, pop.sources
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 40e6


# --- density ----------------------------------------------------------------------------------------


def test_density_of_classes_adds_up() -> None:
    fit = stand_in("all known").with_numbers()
    pop = population(fit, regions=halves(fit.problem.masks[fit.problem.data[0].session]))
    by_sex = pop.density(100, by_class=True)
    assert by_sex.dims == ("chain", "draw", "region", "sex")
    np.testing.assert_allclose(by_sex.sum("sex"), pop.density(100), rtol=1e-12)
    np.testing.assert_allclose(by_sex.sel(sex="F") * pop.area_km2 / 100, pop.expected.sel(sex="F"), rtol=1e-12)


def test_exceedance_is_the_share_of_draws_above() -> None:
    fit = stand_in().with_numbers()
    pop = population(fit, regions=halves(fit.problem.masks[fit.problem.data[0].session]))
    draws = pop.density(100)
    threshold = float(draws.sel(region="west").median())
    found = pop.exceedance(threshold)
    expected = [(draws.sel(region=name).values > threshold).mean() for name in ("west", "east")]
    np.testing.assert_allclose(found, expected)
    np.testing.assert_array_equal(pop.exceedance(0), 1.0)
    assert "units" not in found.attrs  # a probability has none
    np.testing.assert_allclose(pop.exceedance(threshold / 100, per_km2=1), found)
    with pytest.raises(lp.errors.DataError, match="0 or more"):
        pop.exceedance(-1)


# --- real surveys ----------------------------------------------------------------------------------

PUBLISHED = (
    "captdata HN",
    "captdata HHN",
    "captdata D~x+y",
    "deermouse HN",
    "kruger D~water",
    "fortdrum 2 km sex null",
)


@pytest.mark.parametrize("name", PUBLISHED)
def test_numbers_at_secrs_estimates(shared: Path, name: str) -> None:
    """At secr's coefficients E[N] is its E.N; detected and undetected animals together are its R.N."""
    (known,) = [fit for fit in FITS if fit.name == name]
    survey = load_survey(shared, known.survey)
    model = lp.SCR(
        density=known.density, detection=getattr(lp, known.detection)(**known.formulas), classes=known.classes
    )
    problem = Problem(model, library_history(survey), library_masks(survey))
    theta = theta_of(problem, pd.Series(known.coefficients(shared)))
    pop = population(StandIn(problem, theta[None, None]))
    (expected,), (realised,) = (known.region_numbers(shared, which) for which in ("E.N", "R.N"))
    assert float(pop.expected.sum()) == pytest.approx(expected["estimate"], rel=1e-6)
    assert float(pop.sources.sum(axis=1).iloc[0]) == pytest.approx(realised["estimate"], rel=1e-4)


@pytest.mark.parametrize("name", ["kruger_leopard", "captdata"])
def test_a_real_fit(shared: Path, tmp_path: Path, name: str) -> None:
    """From data to numbers: the mask's N is the posterior's, halves add up to it, and E[N] lies near secr's."""
    survey = load_survey(shared, name)
    history, mask = library_history(survey), library_masks(survey)
    assert isinstance(mask, lp.Mask)
    fit = lp.SCR().fit(history, mask, engine="laplace", seed=1, draws=300, chains=2)
    whole, parts = fit.population(), fit.population(regions=_cut(mask), by="name")
    assert (whole.realised == fit.posterior["N"].isel(session=0)).all()
    assert (parts.realised.sum("region") == whole.realised).all()
    np.testing.assert_allclose(whole.expected, fit.posterior["E_N"].isel(session=0), rtol=1e-9)
    again = lp.load_fit(fit.save(tmp_path / "fit.nc")).population(regions=_cut(mask), by="name")
    assert again.realised.equals(parts.realised)
    (published,) = [f for f in FITS if f.survey == name and f.detection == "HalfNormal" and f.null]
    beta = published.coefficients(shared)["D[Intercept]"]
    assert float(whole.expected.median()) == pytest.approx(np.exp(beta) * mask.total_area, rel=0.05)


def _cut(mask: lp.Mask) -> geopandas.GeoDataFrame:
    parts = halves(mask)
    return geopandas.GeoDataFrame({"name": list(parts)}, geometry=list(parts.values()))
