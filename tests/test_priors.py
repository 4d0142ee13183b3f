"""Priors: densities against SciPy and PyMC, sets and their units, the literature's values, defaults on real surveys."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from leopardpop.errors import ModelError, PriorError
from leopardpop.priors import (
    Prior,
    PriorSet,
    baseline_prior,
    big_cats,
    density_prior,
    from_range,
    is_prior,
    scale_prior,
    shape_prior,
    share_prior,
    slope_prior,
)

# --- densities

PAIRS = {
    "Normal": (Prior("Normal", mu=-0.3, sigma=2.0), stats.norm(-0.3, 2.0)),
    "LogNormal": (Prior("LogNormal", mu=0.5, sigma=0.8), stats.lognorm(0.8, scale=math.exp(0.5))),
    "HalfNormal": (Prior("HalfNormal", sigma=0.7), stats.halfnorm(scale=0.7)),
    "StudentT": (Prior("StudentT", nu=4, mu=1.0, sigma=0.5), stats.t(4, 1.0, 0.5)),
    "Gamma": (Prior("Gamma", alpha=2.5, beta=4.0), stats.gamma(2.5, scale=1 / 4.0)),
    "Gamma below 1": (Prior("Gamma", alpha=0.4, beta=0.5), stats.gamma(0.4, scale=2.0)),
    "InverseGamma": (Prior("InverseGamma", alpha=5.0, beta=2.0), stats.invgamma(5.0, scale=2.0)),
    "Beta": (Prior("Beta", alpha=6, beta=5), stats.beta(6, 5)),
    "Exponential": (Prior("Exponential", lam=3.0), stats.expon(scale=1 / 3.0)),
    "Uniform": (Prior("Uniform", lower=-2, upper=5), stats.uniform(-2, 7)),
    "TruncatedNormal": (
        Prior("TruncatedNormal", mu=1.0, sigma=2.0, lower=0.5, upper=4.0),
        stats.truncnorm(-0.25, 1.5, 1.0, 2.0),
    ),
    "TruncatedNormal above": (Prior("TruncatedNormal", mu=1, sigma=2, lower=0), stats.truncnorm(-0.5, np.inf, 1, 2)),
    "TruncatedNormal below": (Prior("TruncatedNormal", mu=1, sigma=2, upper=0), stats.truncnorm(-np.inf, -0.5, 1, 2)),
    "TruncatedNormal tail": (
        Prior("TruncatedNormal", mu=0, sigma=1, lower=9, upper=11),
        stats.truncnorm(9, 11, 0, 1),
    ),
}  # fmt: skip
QUANTILES = np.array([0.001, 0.05, 0.3, 0.5, 0.77, 0.99])
BEYOND = np.array([-1e6, -3.0, -1e-9, 0.3, 1 + 1e-9, 7.0, 1e6, np.nan])
pairs = pytest.mark.parametrize("name", PAIRS)


@pairs
def test_log_density_is_scipys_inside_and_outside_of_the_support(name: str) -> None:
    prior, reference = PAIRS[name]
    x = reference.ppf(QUANTILES)
    np.testing.assert_allclose(prior.logpdf(x), reference.logpdf(x), rtol=1e-10, atol=1e-10)
    known = ~np.isnan(BEYOND)
    np.testing.assert_allclose(prior.logpdf(BEYOND[known]), reference.logpdf(BEYOND[known]), rtol=1e-8)
    assert prior.logpdf(np.nan) == -np.inf


@pairs
def test_quantiles_and_moments_are_scipys(name: str) -> None:
    prior, reference = PAIRS[name]
    np.testing.assert_allclose(prior.quantile(QUANTILES), reference.ppf(QUANTILES), rtol=1e-7, atol=1e-12)
    assert prior.mean == pytest.approx(reference.mean(), rel=1e-6)
    assert prior.sd == pytest.approx(reference.std(), rel=1e-5)


CLOGLOG = Prior("CLogLogNormal", mu=-2.5, sigma=0.9)


def test_cloglog_normal_is_a_log_normal_hazard() -> None:
    """Change of variables: p(x) dx = p(h) dh with h = -log(1 - x), dh/dx = 1 / (1 - x)."""
    hazard, x = stats.lognorm(0.9, scale=math.exp(-2.5)), np.array([1e-6, 0.01, 0.3, 0.8, 0.999])
    np.testing.assert_allclose(CLOGLOG.logpdf(x), hazard.logpdf(-np.log1p(-x)) - np.log1p(-x), rtol=1e-12)
    np.testing.assert_allclose(CLOGLOG.quantile(QUANTILES), -np.expm1(-hazard.ppf(QUANTILES)), rtol=1e-12)
    draws = -np.expm1(-hazard.rvs(400_000, random_state=1))
    assert CLOGLOG.mean == pytest.approx(draws.mean(), abs=4 * draws.std() / math.sqrt(4e5))
    assert CLOGLOG.sd == pytest.approx(draws.std(), rel=0.01)
    assert list(CLOGLOG.logpdf([0.0, 1.0, -0.1])) == [-np.inf] * 3


LOGIT = Prior("LogitNormal", mu=-1, sigma=1.5)


def test_logit_normal_is_a_normal_logit() -> None:
    """Change of variables: p(x) dx = p(l) dl with l = log(x / (1 - x)), dl/dx = 1 / (x (1 - x))."""
    normal, x = stats.norm(-1, 1.5), np.array([1e-6, 0.01, 0.3, 0.8, 0.999])
    np.testing.assert_allclose(LOGIT.logpdf(x), normal.logpdf(np.log(x / (1 - x))) - np.log(x * (1 - x)), rtol=1e-12)
    np.testing.assert_allclose(LOGIT.quantile(QUANTILES), 1 / (1 + np.exp(-normal.ppf(QUANTILES))), rtol=1e-12)
    draws = 1 / (1 + np.exp(-normal.rvs(400_000, random_state=1)))
    assert LOGIT.mean == pytest.approx(draws.mean(), abs=4 * draws.std() / math.sqrt(4e5))
    assert LOGIT.sd == pytest.approx(draws.std(), rel=0.01)
    assert list(LOGIT.logpdf([0.0, 1.0, -0.1])) == [-np.inf] * 3


@pytest.mark.parametrize("prior", [*(pair[0] for pair in PAIRS.values()), CLOGLOG, LOGIT], ids=str)
def test_derivative_is_that_of_the_log_density(prior: Prior) -> None:
    x = prior.quantile(QUANTILES)
    h = 1e-6 * np.minimum(np.abs(x), np.ptp(x)) + 1e-12
    numeric = (prior.logpdf(x + h) - prior.logpdf(x - h)) / (2 * h)
    np.testing.assert_allclose(prior.logpdf_derivative(x), numeric, rtol=1e-5, atol=1e-6)
    outside = BEYOND[prior.logpdf(BEYOND) == -np.inf]
    assert (prior.logpdf_derivative(outside) == 0).all()


@pytest.mark.parametrize("prior", [*(pair[0] for pair in PAIRS.values()), CLOGLOG, LOGIT], ids=str)
def test_draws_follow_the_density(prior: Prior) -> None:
    draws = prior.draw(np.random.default_rng(3), (2000,))
    for q in (0.1, 0.5, 0.9):
        assert (draws < prior.quantile(q)).mean() == pytest.approx(q, abs=4 * math.sqrt(q * (1 - q) / 2000))
    assert np.isscalar(prior.draw(np.random.default_rng(3)))


def test_student_and_inverse_gamma_without_moments_say_so() -> None:
    assert Prior("StudentT", nu=2, mu=0, sigma=1).sd == math.inf
    assert math.isnan(Prior("StudentT", nu=1, mu=0, sigma=1).mean)
    assert Prior("InverseGamma", alpha=1.0, beta=1).mean == math.inf


def test_dirichlet_is_scipys_with_beta_marginals() -> None:
    prior, shares = Prior("Dirichlet", a=(2, 3, 4)), np.array([[0.2, 0.3, 0.5], [0.6, 0.3, 0.1]])
    np.testing.assert_allclose(prior.logpdf(shares), [stats.dirichlet([2, 3, 4]).logpdf(row) for row in shares])
    assert prior.logpdf([0.5, 0.6, 0.1]) == -np.inf
    np.testing.assert_allclose(prior.logpdf_derivative(shares), np.array([1, 2, 3]) / shares)
    np.testing.assert_allclose(prior.quantile(0.3), [stats.beta(a, 9 - a).ppf(0.3) for a in (2, 3, 4)])
    np.testing.assert_allclose(prior.mean, np.array([2, 3, 4]) / 9)
    np.testing.assert_allclose(prior.draw(np.random.default_rng(1), 5).sum(axis=-1), 1)
    with pytest.raises(PriorError, match="Dirichlet of 3 classes"):
        prior.logpdf([0.5, 0.5])


@pytest.mark.parametrize("prior", [*(pair[0] for pair in PAIRS.values()), Prior("Dirichlet", a=(2, 3, 4))], ids=str)
def test_the_pymc_variable_has_the_same_density(prior: Prior) -> None:
    import pymc as pm

    x = np.array([0.2, 0.3, 0.5]) if prior.distribution == "Dirichlet" else np.array(prior.quantile(0.4))
    with pm.Model() as model:
        variable = prior.create_variable("a")
        assert model["a"] is variable
        # PyMC takes the log of a truncated mass with constants in single precision.
        precision = 1e-5 if prior.distribution == "TruncatedNormal" else 1e-10
        assert pm.logp(variable, x).eval(mode="FAST_COMPILE") == pytest.approx(prior.logpdf(x), rel=precision)


def test_the_pymc_variable_of_a_probability_is_a_transformed_normal() -> None:
    import pymc as pm

    with pm.Model() as model:
        CLOGLOG.create_variable("g0")
        assert [v.name for v in model.free_RVs] == ["g0_cloglog"]
        g0 = model.replace_rvs_by_values([model["g0"]])[0]
        value = g0.eval({model.rvs_to_values[model["g0_cloglog"]]: -2.5}, mode="FAST_COMPILE")
    assert value == pytest.approx(CLOGLOG.quantile(0.5))


# --- the record


def test_equal_records_are_equal_hashable_and_print_as_they_are_written() -> None:
    one, other = Prior("Normal", mu=0, sigma=1), Prior("Normal", sigma=1.0, mu=0.0)
    assert one == other
    assert {one: "a"}[other] == "a"
    assert one != Prior("Normal", mu=0, sigma=2)
    assert one != Prior("LogNormal", mu=0, sigma=1)
    assert repr(one) == 'Prior("Normal", mu=0, sigma=1)'
    assert str(Prior("LogNormal", mu=math.log(4500), sigma=0.5)) == "LogNormal(mu=8.412, sigma=0.5)"
    with pytest.raises(AttributeError):
        one.density = other.density  # type: ignore[misc]


@pytest.mark.parametrize(
    "prior", [*(p for p, _ in PAIRS.values()), CLOGLOG, LOGIT, Prior("Dirichlet", a=(2, 3))], ids=str
)
def test_repr_and_json_come_back(prior: Prior) -> None:
    assert eval(repr(prior)) == prior
    assert Prior.from_dict(json.loads(json.dumps(prior.to_dict(), allow_nan=False))) == prior


WRONG: list[tuple[str, dict[str, Any], str]] = [
    ("Nromal", {"mu": 0}, r"unknown distribution 'Nromal'\. Did you mean 'Normal'\?"),
    ("lognormal", {}, "Did you mean 'LogNormal'"),
    ("Normal", {"mu": 0, "sd": 1}, r"no parameter 'sd'\. .*Write Prior\(\"Normal\", mu=\.\.\., sigma=\.\.\.\)"),
    ("Normal", {"mu": 0, "sigm": 1}, r"no parameter 'sigm'\. Did you mean 'sigma'\?"),
    ("Normal", {"mu": 0}, "Normal needs sigma"),
    ("Beta", {}, "Beta needs alpha and beta"),
    ("Normal", {"mu": 0, "sigma": 0}, "sigma=0 must be above 0"),
    ("LogNormal", {"mu": 0, "sigma": -1}, "sigma=-1 must be above 0"),
    ("Normal", {"mu": math.nan, "sigma": 1}, "mu=nan is not a number"),
    ("Normal", {"mu": math.inf, "sigma": 1}, "mu=inf is not a number"),
    ("Normal", {"mu": "low", "sigma": 1}, "mu='low' is not a number"),
    ("Normal", {"mu": [0, 1], "sigma": 1}, "is not a number"),
    ("Uniform", {"lower": 2, "upper": 1}, "lower=2 must be below upper=1"),
    ("Uniform", {"lower": 2, "upper": math.inf}, "must be finite"),
    ("TruncatedNormal", {"mu": 0, "sigma": 1, "lower": 1, "upper": 1}, "must be below"),
    ("Dirichlet", {"a": [1]}, "two or more"),
    ("Dirichlet", {"a": [1, -1]}, "above 0"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "parameters", "message"), WRONG)
def test_an_impossible_prior_says_what_is_wrong(name: str, parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(PriorError, match=message):
        Prior(name, **parameters)


@pytest.mark.parametrize("record", [{}, 3, {"Normal": 3}, {"Normal": {}, "Beta": {}}, {"Normal": {"mu": 0}}])
def test_an_impossible_record_is_refused(record: Any) -> None:
    with pytest.raises(PriorError):
        Prior.from_dict(record)


def test_a_prior_error_is_a_model_error_and_a_value_error() -> None:
    assert {ModelError, ValueError} <= set(PriorError.__mro__)


class Foreign:
    def create_variable(self, name: str) -> str:
        return name


def test_anything_that_creates_a_variable_is_a_prior() -> None:
    assert all(is_prior(each) for each in (Foreign(), CLOGLOG))
    assert not any(is_prior(each) for each in (0.5, None, "Normal", Foreign, {"Normal": {}}))


@settings(deadline=None)
@given(lower=st.floats(1e-3, 1e3), ratio=st.floats(1.01, 1e3), mass=st.floats(0.05, 0.999))
def test_a_range_holds_its_mass_with_equal_tails(lower: float, ratio: float, mass: float) -> None:
    prior = from_range(lower, lower * ratio, mass=mass)
    tail = (1 - mass) / 2
    assert prior.quantile([tail, 1 - tail]) == pytest.approx([lower, lower * ratio], rel=1e-6)


@pytest.mark.parametrize("wrong", [(0, 5, 0.9), (5, 5, 0.9), (7, 5, 0.9), (1, 5, 1.0), (1, math.inf, 0.9)])
def test_an_impossible_range_is_refused(wrong: tuple[float, float, float]) -> None:
    with pytest.raises(PriorError, match="from_range"):
        from_range(wrong[0], wrong[1], mass=wrong[2])


# --- sets


def test_the_literature_of_big_cats() -> None:
    priors = big_cats()
    assert priors.effort_unit == "day"
    assert priors.optional == set(priors)
    medians = {"sigma": 4500, "lambda0": 0.02, "D": 0.015, "sigma[sex[M]]": 0.35, "lambda0[sex[M]]": 0.2}
    spreads = {"sigma": 0.5, "lambda0": 0.8, "D": 1.2, "sigma[sex[M]]": 0.3, "lambda0[sex[M]]": 0.4}
    for key, median in medians.items():
        assert priors[key].quantile(0.5) == pytest.approx(median)
        assert priors[key].parameters["sigma"] == spreads[key]
    assert priors["g0"].quantile(0.5) == pytest.approx(-math.expm1(-0.02))
    assert 1 - priors["pmix"].mean == pytest.approx(6 / 11), "pmix is the males' share, six females to five males"


@pytest.mark.parametrize(
    ("unit", "factor"), [("day", 1), ("days", 1), ("night", 1), ("week", 7), ("Weeks", 7), ("hour", 1 / 24)]
)
def test_rates_follow_the_unit_of_effort(unit: str, factor: float) -> None:
    converted = big_cats().in_unit(unit)
    assert converted.effort_unit == unit
    assert converted["lambda0"].quantile(0.5) == pytest.approx(0.02 * factor)
    assert -math.log1p(-converted["g0"].quantile(0.5)) == pytest.approx(0.02 * factor)
    assert {k: converted[k] for k in ("sigma", "D", "pmix")} == {k: big_cats()[k] for k in ("sigma", "D", "pmix")}
    back = converted.in_unit("day")["lambda0"].parameters
    assert back == pytest.approx(big_cats()["lambda0"].parameters)


def test_a_week_taken_for_a_day_is_2_4_sds() -> None:
    assert math.log(7) / big_cats()["lambda0"].parameters["sigma"] == pytest.approx(2.4, abs=0.05)


def test_a_unit_that_is_no_time_is_refused_with_both_names_and_the_fix() -> None:
    message = r"per day.*in 'occasion'.*2\.4 prior sds.*effort_unit='day'.*priors \| "
    with pytest.raises(PriorError, match=message) as caught:
        big_cats().in_unit("occasion")
    assert caught.value.offenders == ["g0", "lambda0"]


def test_ones_own_rate_is_in_the_unit_of_the_history() -> None:
    mine = Prior("Gamma", alpha=2, beta=4)
    joined = big_cats() | {"lambda0": mine, "D[snow]": Prior("Normal", mu=0, sigma=0.5)}
    assert joined.in_unit("week")["lambda0"] is mine
    assert joined.optional == set(big_cats()) - {"lambda0"}
    without = joined | {"g0": CLOGLOG}
    assert without.effort_unit is None
    assert without.in_unit("occasion")["lambda0"] is mine


def test_the_right_hand_side_wins_and_units_meet() -> None:
    weekly = PriorSet({"g0": CLOGLOG}, effort_unit="week")
    joined = big_cats() | weekly
    assert joined.effort_unit == "week"
    assert joined["g0"] == CLOGLOG
    assert joined["lambda0"].quantile(0.5) == pytest.approx(0.14)
    assert joined.in_unit("day")["lambda0"].parameters == pytest.approx(big_cats()["lambda0"].parameters)
    mine = {"sigma": Prior("HalfNormal", sigma=1), "w": Foreign()}
    assert (mine | big_cats())["sigma"] == big_cats()["sigma"]
    assert (big_cats() | mine)["sigma"] == mine["sigma"]
    assert "w" not in (mine | big_cats()).optional
    with pytest.raises(TypeError):
        big_cats() | 3


def test_a_prior_of_n_replaces_the_presets_density_and_the_other_way_round() -> None:
    with_number = big_cats() | {"N": from_range(30, 50)}
    assert set(with_number) == set(big_cats()) - {"D"} | {"N"}
    both = PriorSet({"D": density_prior(5000)}) | {"N": from_range(30, 50)}
    assert {"D", "N"} == set(both), "what a person asked for is for the model to judge"


def test_only_log_normal_rates_can_be_converted() -> None:
    priors = PriorSet({"lambda0": Prior("Gamma", alpha=1, beta=1)}, effort_unit="day")
    assert priors.in_unit("day") == priors
    with pytest.raises(PriorError, match=r"'lambda0' is per day and .* cannot be converted"):
        priors.in_unit("week")
    with pytest.raises(PriorError, match="only a LogNormal or CLogLogNormal"):
        priors["lambda0"].shift_log(1.0)


def test_a_set_is_an_immutable_mapping() -> None:
    priors = big_cats()
    assert dict(priors)["sigma"] == priors["sigma"]
    assert len(priors) == 8
    assert priors == big_cats()
    assert hash(priors) == hash(big_cats())
    assert priors != priors.in_unit("week")
    assert priors != dict(priors)
    assert "effort_unit='day'" in repr(priors)
    assert "'sigma': Prior(" in repr(priors)
    with pytest.raises(TypeError):
        priors["sigma"] = CLOGLOG  # type: ignore[index]
    with pytest.raises(AttributeError):
        priors.effort_unit = "week"  # type: ignore[misc]


@pytest.mark.parametrize("wrong", [{"D": 0.5}, {"D": {"Normal": {"mu": 0, "sigma": 1}}}, {3: CLOGLOG}])
def test_what_is_no_prior_is_refused(wrong: Any) -> None:
    with pytest.raises(PriorError, match="is no prior"):
        PriorSet(wrong)
    with pytest.raises(PriorError, match="is no prior"):
        big_cats() | wrong


@pytest.mark.parametrize("unit", ["day", "week"])
def test_a_set_comes_back_from_json(unit: str) -> None:
    priors = big_cats().in_unit(unit) | {"g0": CLOGLOG}
    again = PriorSet.from_dict(json.loads(json.dumps(priors.to_dict())))
    assert again == priors
    assert again.in_unit("hour") == priors.in_unit("hour")
    with pytest.raises(PriorError, match="prior of 'w' is a Foreign"):
        (priors | {"w": Foreign()}).to_dict()


# --- defaults

SQUARE = np.array([[0.0, 0.0], [0.0, 1000.0], [1000.0, 0.0], [1000.0, 1000.0]])


def test_scale_from_a_square_by_hand() -> None:
    a, b = 250, 1000 * math.sqrt(2) / 2
    prior = scale_prior([SQUARE])
    assert prior == Prior("LogNormal", mu=pytest.approx(0.5 * math.log(a * b)).expected, sigma=0.75)


def test_a_wide_array_widens_the_prior() -> None:
    grid = np.stack(np.meshgrid(np.arange(40.0), np.arange(40.0)), axis=-1).reshape(-1, 2)
    a, b = 0.25, 39 * math.sqrt(2) / 2
    assert scale_prior([grid]).parameters["sigma"] == pytest.approx(math.log(b / a) / 3.92)


@settings(deadline=None)
@given(
    scale=st.floats(1e-2, 1e4), east=st.floats(-1e6, 1e6), turn=st.floats(0, 6.3), seed=st.integers(0, 1000),
)  # fmt: skip
def test_scale_moves_turns_and_grows_with_the_map(scale: float, east: float, turn: float, seed: int) -> None:
    places = np.random.default_rng(seed).uniform(0, 1000, (30, 2))
    rotation = np.array([[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]])
    moved = scale_prior([scale * places @ rotation + [east, -east]]).parameters
    plain = scale_prior([places]).parameters
    assert moved["mu"] == pytest.approx(plain["mu"] + math.log(scale), abs=1e-4)
    assert moved["sigma"] == pytest.approx(plain["sigma"], abs=1e-4)


@pytest.mark.parametrize("seed", range(5))
def test_the_largest_distance_is_that_of_all_pairs(seed: int) -> None:
    places = np.random.default_rng(seed).normal(size=(200, 2)) * [3000, 900]
    distances = np.linalg.norm(places[:, None] - places[None], axis=-1)
    b = distances.max() / 2
    a = np.median(np.where(distances > 0, distances, np.inf).min(axis=1)) / 4
    assert scale_prior([places]).parameters["mu"] == pytest.approx(0.5 * math.log(a * b))


@pytest.mark.parametrize("count", [3, 4, 50])
@pytest.mark.parametrize("slope", [0.0, 0.37])
def test_stations_on_a_line(count: int, slope: float) -> None:
    x = 1000.0 * np.arange(count)
    step = 1000 * math.hypot(1, slope)
    prior = scale_prior([np.column_stack([5e5 + x, 4e6 + slope * x])])
    assert prior.parameters["mu"] == pytest.approx(0.5 * math.log(step / 4 * step * (count - 1) / 2))


def test_stations_at_one_place_count_once_and_sessions_are_pooled() -> None:
    doubled = np.concatenate([SQUARE, SQUARE[:2]])
    assert scale_prior([doubled]) == scale_prior([SQUARE])
    far = SQUARE + 1e6
    assert scale_prior([SQUARE, far]) == scale_prior([SQUARE]), "the largest distance is within a session"
    assert scale_prior([SQUARE, SQUARE[:1]]) == scale_prior([SQUARE])
    coarse = 2 * SQUARE
    mixed = scale_prior([SQUARE, coarse]).parameters["mu"]
    assert mixed == pytest.approx(0.5 * math.log(1500 / 4 * 2000 * math.sqrt(2) / 2))


@pytest.mark.parametrize("places", [[], [SQUARE[:2]], [SQUARE[:1], SQUARE[:2]], [np.repeat(SQUARE[:2], 5, axis=0)]])
def test_fewer_than_three_places_ask_for_a_prior(places: list[Any]) -> None:
    with pytest.raises(PriorError, match=r"different places.*priors=\{\"sigma\": lp\.priors\.from_range"):
        scale_prior(places)


def test_many_stations_take_no_square_of_memory() -> None:
    import tracemalloc

    places = np.random.default_rng(1).uniform(0, 1e6, (20_000, 2))
    tracemalloc.start()
    scale_prior([places])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 50e6


def test_baseline_density_slopes_shape_shares() -> None:
    assert baseline_prior(80, probability=False).quantile(0.5) == pytest.approx(1 / 80)
    assert baseline_prior(80, probability=True).quantile(0.5) == pytest.approx(-math.expm1(-1 / 80))
    assert baseline_prior(80, probability=True).parameters["sigma"] == 1.5
    # sigma sqrt(D) = sqrt(0.4): with sigma = 2 km one animal in ten km2.
    assert density_prior(2000).quantile(0.5) == pytest.approx(0.1)
    assert density_prior(2000).parameters["sigma"] == 1.5
    sds = {name: slope_prior(name).parameters["sigma"] for name in ("D", "lambda0", "g0", "sigma")}
    assert sds == {"D": 1.0, "lambda0": 0.7, "g0": 0.7, "sigma": 0.35}
    assert share_prior(2) == Prior("Beta", alpha=2, beta=2)
    z = shape_prior()
    assert stats.norm.cdf((math.log(2) - z.parameters["mu"]) / z.parameters["sigma"]) < 0.04


@pytest.mark.parametrize(
    "call",
    [
        lambda: baseline_prior(0.0, probability=False),
        lambda: baseline_prior(math.nan, probability=True),
        lambda: density_prior(0.0),
        lambda: share_prior(1),
    ],
)
def test_a_default_without_a_design_is_refused(call: Any) -> None:
    with pytest.raises(PriorError):
        call()


def distance_in_sds(prior: Prior, value: float) -> float:
    x = math.log(-math.log1p(-value)) if prior.distribution == "CLogLogNormal" else math.log(value)
    return abs(x - prior.parameters["mu"]) / prior.parameters["sigma"]


def stations(folder: Path, columns: tuple[str, str] = ("x", "y"), session: str | None = None) -> list[Any]:
    table = pd.read_csv(folder)
    groups = [table] if session is None else [group for _, group in table.groupby(session)]
    return [group[list(columns)].to_numpy() for group in groups]


R_FITS = ["captdata", "stoatCH", "ovenCH", "blackbearCH", "fortdrum_bears", "deermouse_ESG", "kruger_leopard"]


@pytest.mark.parametrize("name", R_FITS)
def test_defaults_hold_the_estimates_of_real_surveys(shared: Path, name: str) -> None:
    folder = shared / "data" / name
    sigma = scale_prior(stations(folder / "traps.csv", session="session"))
    effort = float(np.mean(json.loads((folder / "meta.json").read_text())["n_occasions"]))
    fits = [
        next(iter(fit["estimates"].values()))
        for fit in json.loads((shared / "reference" / "secr.json").read_text())
        if fit["data"] == name
        and fit["valid"] is True
        and fit["model"] in ("D~1 g0~1 sigma~1", "D~1 lambda0~1 sigma~1")
    ]
    assert fits
    for fit in fits:
        estimates = {row["par"]: row["estimate"] for row in fit}
        assert distance_in_sds(sigma, estimates["sigma"]) < 2
        if "D" in estimates:  # per hectare there
            assert distance_in_sds(density_prior(sigma.quantile(0.5)), 100 * estimates["D"]) < 2
        for baseline in {"g0", "lambda0"} & set(estimates):
            prior = baseline_prior(effort, probability=baseline == "g0")
            assert distance_in_sds(prior, estimates[baseline]) < 2


def test_defaults_hold_the_estimates_of_snow_leopards(shared: Path) -> None:
    path = shared / "data" / "snow-leopard-workflow-example" / "traps.csv"
    sigma = scale_prior(stations(path, session="Session"))
    assert distance_in_sds(sigma, 6292) < 2
    assert distance_in_sds(density_prior(sigma.quantile(0.5)), 0.00348) < 2
    assert distance_in_sds(baseline_prior(pd.read_csv(path).Effort.mean(), probability=False), 0.01173) < 2


def test_defaults_hold_the_truth_of_the_synthetic_survey(shared: Path) -> None:
    places = [1000 * xy for xy in stations(shared / "data" / "synthetic-amur-spec" / "stations.csv", ("x_km", "y_km"))]
    sigma = scale_prior(places)
    assert max(distance_in_sds(sigma, truth) for truth in (4000, 6500)) < 2
    assert distance_in_sds(density_prior(sigma.quantile(0.5)), 45 / 9605) < 2
    assert max(distance_in_sds(baseline_prior(13, probability=False), truth) for truth in (0.10, 0.15)) < 2


@pytest.mark.parametrize(
    ("name", "fit", "occasions"), [("stoat-dna", "stoat.model.HN", 7.0), ("gsm-blackbear", "blackbear.0", 10.0)]
)
def test_defaults_hold_the_shipped_fits(shared: Path, name: str, fit: str, occasions: float) -> None:
    folder = shared / "data" / name
    beta = json.loads((folder / "reference_fits.json").read_text())[fit]["beta"]
    sigma = scale_prior(stations(folder / "traps.csv"))
    assert distance_in_sds(sigma, math.exp(beta[2])) < 2
    assert distance_in_sds(density_prior(sigma.quantile(0.5)), 100 * math.exp(beta[0])) < 2
    assert distance_in_sds(baseline_prior(occasions, probability=True), 1 / (1 + math.exp(-beta[1]))) < 2


# --- weight


def test_priors_import_neither_scipy_nor_pymc() -> None:
    code = (
        "import sys\n"
        "from leopardpop.priors import Prior, big_cats, from_range\n"
        "big_cats().in_unit('week'); from_range(30, 50)\n"
        "Prior('Normal', mu=0, sigma=1).logpdf(0.3); Prior('Beta', alpha=2, beta=2).logpdf_derivative(0.3)\n"
        "heavy = {'scipy', 'pymc', 'pytensor', 'pandas'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
