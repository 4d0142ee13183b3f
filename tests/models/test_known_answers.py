"""Published fits of the R package secr: the same likelihood at its estimates, the same maximum, the same errors.

secr does not label animals and, for collapsed surveys, counts k-of-n histories: `SecrFit.constants` has the
difference. Its fits stop a little short of the maximum; ours must not be lower.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import leopardpop as lp
from leopardpop.models.likelihood.counts import BinomialN, ConditionalOnN
from leopardpop.models.problem import Problem
from tests.golden.secr import AT_FIXED_COEFFICIENTS, FITS, VARYING, SecrFit, constants, load_survey
from tests.reference.coefficients import survey_pieces
from tests.reference.datasets import PlainSurvey, library_history, library_masks
from tests.reference.varying import varying_pieces

EVERY_FIT = [*FITS, *AT_FIXED_COEFFICIENTS]


@cache
def plain(shared: Path, name: str) -> PlainSurvey:
    return load_survey(shared, name)


@cache
def library(shared: Path, name: str) -> tuple[lp.CaptureHistory, lp.Mask | dict[str, lp.Mask]]:
    survey = plain(shared, name)
    return library_history(survey), library_masks(survey)


@cache
def maximum(shared: Path, fit_name: str) -> Any:
    (fit,) = [fit for fit in FITS if fit.name == fit_name]
    return fit.model.maximum_likelihood(*library(shared, fit.survey), conditional=fit.conditional)


@cache
def naive_of(shared: Path, name: str) -> float:
    """The naive likelihood at the published estimates: seconds, and asked for twice."""
    return naive(shared, next(fit for fit in EVERY_FIT if fit.name == name))


def naive(shared: Path, fit: SecrFit) -> float:
    values = fit.coefficients(shared)
    if fit.conditional:
        values = {"D[Intercept]": 0.0, **values}
    reference = varying_pieces if fit in VARYING else survey_pieces
    pieces = reference(plain(shared, fit.survey), fit.detection, values, fit.classes)
    kind = "conditional" if fit.conditional else fit.distribution
    return sum(getattr(piece, kind)() for piece in pieces)


@pytest.mark.parametrize("fit", EVERY_FIT, ids=str)
def test_naive_likelihood_at_the_published_estimates(shared: Path, fit: SecrFit) -> None:
    """The oracle is right to the last printed digit."""
    survey = plain(shared, fit.survey)
    found = naive_of(shared, fit.name) + constants(fit, survey)
    assert found == pytest.approx(fit.log_likelihood(shared), abs=1e-9, rel=1e-12)


AT_ESTIMATES = [fit for fit in EVERY_FIT if fit.distribution == "poisson" and not fit.conditional]


@pytest.mark.parametrize("fit", AT_ESTIMATES, ids=str)
def test_log_likelihood_at_the_published_estimates(shared: Path, fit: SecrFit) -> None:
    history, masks = library(shared, fit.survey)
    ours = fit.model.log_likelihood(history, masks, parameters=pd.Series(fit.coefficients(shared)))
    published = fit.log_likelihood(shared)
    assert ours + constants(fit, plain(shared, fit.survey)) == pytest.approx(published, abs=1e-8)
    assert ours == pytest.approx(naive_of(shared, fit.name), abs=1e-9, rel=1e-11)


@pytest.mark.parametrize("fit", [f for f in FITS if f.distribution == "binomial" or f.conditional], ids=str)
def test_other_likelihoods_at_the_published_estimates(shared: Path, fit: SecrFit) -> None:
    """Binomial N, and conditional on the number detected: what maximum likelihood maximises."""
    number = ConditionalOnN() if fit.conditional else BinomialN()
    problem = Problem(fit.model, *library(shared, fit.survey), number)
    values = {"D[Intercept]": 0.0, **fit.coefficients(shared)}
    ours = problem.log_likelihood(problem.to_theta(np.array([values[label] for label in problem.labels])))
    assert ours == pytest.approx(naive_of(shared, fit.name), abs=1e-9, rel=1e-11)
    published = fit.log_likelihood(shared)
    assert ours + constants(fit, plain(shared, fit.survey)) == pytest.approx(published, abs=1e-8)


def test_log_likelihood_with_and_without_a_death(shared: Path) -> None:
    """One ovenbird died in 2009: the occasions after its death say nothing about it."""
    (fit,) = [fit for fit in AT_FIXED_COEFFICIENTS if fit.name == "ovenCH HN, fixed"]
    values = pd.Series(fit.coefficients(shared))
    for survey, published in [("ovenCH", -932.838142835), ("ovenCH, nobody died", -934.862859)]:
        ours = fit.model.log_likelihood(*library(shared, survey), parameters=values)
        assert ours + constants(fit, plain(shared, survey)) == pytest.approx(published, abs=5e-7)


def test_log_likelihood_without_secr_constants(shared: Path) -> None:
    """Five snow leopard surveys: ours labels the animals."""
    (fit,) = [fit for fit in FITS if fit.name == "snow leopard m0"]
    history, masks = library(shared, fit.survey)
    ours = fit.model.log_likelihood(history, masks, parameters=pd.Series(fit.coefficients(shared)))
    assert ours == pytest.approx(-306.998170925, abs=1e-8)
    assert maximum(shared, fit.name).log_likelihood == pytest.approx(-306.998170925, abs=1e-8)


@pytest.mark.parametrize("fit", FITS, ids=str)
def test_maximum(shared: Path, fit: SecrFit) -> None:
    """Not lower than secr's, hardly higher, and with the same standard errors."""
    ours = maximum(shared, fit.name)
    published = fit.log_likelihood(shared)
    reached = ours.log_likelihood + constants(fit, plain(shared, fit.survey))
    assert ours.converged
    assert published - 1e-8 <= reached <= published + 1e-4
    errors, estimates = fit.standard_errors(shared), fit.coefficients(shared)
    table = ours.coefficients
    assert list(table.index) == list(fit.labels)
    for label in fit.labels:
        assert table.loc[label, "estimate"] == pytest.approx(estimates[label], abs=2e-3 * errors[label]), label
        if label not in fit.rough_errors:
            assert table.loc[label, "se"] == pytest.approx(errors[label], rel=0.003 if fit.null else 0.01), label


EXACT = [
    pytest.param(fit, marks=pytest.mark.verification)  # seconds each
    for fit in FITS
    if fit.rough_errors or fit.name in ("snow leopard m1.3", "captdata HN binomial", "ovenCH trend")
]


@pytest.mark.parametrize("fit", EXACT, ids=str)
def test_standard_errors_are_those_of_the_exact_hessian(shared: Path, fit: SecrFit) -> None:
    """Where secr's are rough the naive likelihood decides, and it decides for ours."""
    ours = maximum(shared, fit.name)
    centre = ours.coefficients.loc[list(fit.labels), "estimate"].to_numpy()

    def value(beta: np.ndarray) -> float:
        values = dict(zip(fit.labels, beta, strict=True))
        pieces = survey_pieces(plain(shared, fit.survey), fit.detection, values, fit.classes)
        return sum(getattr(piece, fit.distribution)() for piece in pieces)

    covariance = ours.covariance.loc[list(fit.labels), list(fit.labels)].to_numpy()
    steps = 0.1 / np.sqrt(np.diag(np.linalg.inv(covariance)))  # of the errors with all others known
    coarse, fine = hessian(value, centre, 2.0 * steps), hessian(value, centre, steps)
    exact = np.linalg.inv((coarse - 4.0 * fine) / 3.0)  # Richardson: what is left is of fourth order
    assert np.sqrt(np.diag(covariance)) == pytest.approx(np.sqrt(np.diag(exact)), rel=1e-5)
    assert covariance == pytest.approx(exact, rel=1e-5, abs=1e-6 * np.abs(exact).max())


def hessian(value: Callable[[np.ndarray], float], centre: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """Second derivatives by central differences."""
    shifts = np.diag(steps)
    table = np.zeros((len(centre), len(centre)))
    for i, j in itertools.combinations_with_replacement(range(len(centre)), 2):
        a, b = shifts[i], shifts[j]
        corners = value(centre + a + b) - value(centre + a - b) - value(centre - a + b) + value(centre - a - b)
        table[i, j] = table[j, i] = corners / (4.0 * steps[i] * steps[j])
    return table


@pytest.mark.parametrize("fit", [f for f in FITS if not f.collapsed], ids=str)
def test_secr_log_likelihood_of_a_fit(shared: Path, fit: SecrFit) -> None:
    """What to set beside secr's printout, constants and all."""
    ours = maximum(shared, fit.name)
    expected = ours.log_likelihood + constants(fit, plain(shared, fit.survey))
    assert ours.secr_log_likelihood == pytest.approx(expected, abs=1e-9)


WITH_REGION = [
    fit
    for fit in FITS
    if fit.source == "secr.json" and fit.distribution == "poisson" and not (fit.conditional or fit.rough_errors)
]


@pytest.mark.parametrize("fit", [f for f in WITH_REGION if f.density == "~ 1"], ids=str)
def test_numbers_in_the_region(shared: Path, fit: SecrFit) -> None:
    """secr's region.N over its mask: expected and realised N by session, with errors and intervals.

    Its error of realised N in several sessions is that of one alone, which takes the Poisson variance of one session
    from what all have told: too small. Ours is another there, and told (`realised_table`).
    """
    ours = maximum(shared, fit.name)
    for which, table in (("E.N", ours.expected_N), ("R.N", ours.realised_N)):
        published = fit.region_numbers(shared, which)
        assert len(published) == len(table)
        for row, (_, mine) in zip(published, table.iterrows(), strict=True):
            assert mine["estimate"] == pytest.approx(row["estimate"], rel=1e-4)
            if which == "R.N" and len(table) > 1:
                assert mine["se"] > row["SE.estimate"]
                continue
            for column, name in (("se", "SE.estimate"), ("lower", "lcl"), ("upper", "ucl")):
                assert mine[column] == pytest.approx(row[name], rel=0.003), (which, column)


def test_errors_of_realised_numbers_in_several_sessions_are_the_posteriors(shared: Path) -> None:
    """Five years of ovenbirds: secr's formula of one session gives less than half of what the posterior has."""
    fit = next(f for f in WITH_REGION if f.name == "ovenCH HN")
    with pytest.warns(lp.errors.DataWarning, match="24 animals are in several sessions"):
        population = fit.model.fit(*library(shared, fit.survey), draws=1000, chains=2, seed=1).population()
    posterior = population.realised.std(("chain", "draw"))
    np.testing.assert_allclose(maximum(shared, fit.name).realised_N["se"], posterior, rtol=0.1)


@pytest.mark.parametrize("fit", [f for f in WITH_REGION if f.density != "~ 1"], ids=str)
def test_numbers_in_the_region_where_density_varies(shared: Path, fit: SecrFit) -> None:
    """There secr's errors are first-order ones (with constant density, like ours, those of the log-normal law)."""
    ours = maximum(shared, fit.name)
    expected, realised = (fit.region_numbers(shared, which) for which in ("E.N", "R.N"))
    assert len(expected) == len(realised) == len(ours.expected_N)
    for s in range(len(expected)):
        number, error = ours.expected_N.iloc[s][["estimate", "se"]]
        first_order = number * math.sqrt(math.log1p((error / number) ** 2))
        assert number == pytest.approx(expected[s]["estimate"], rel=1e-4)
        assert first_order == pytest.approx(expected[s]["SE.estimate"], rel=0.01)
        assert ours.realised_N["estimate"].iloc[s] == pytest.approx(realised[s]["estimate"], rel=1e-4)
        assert math.sqrt(first_order**2 - number) == pytest.approx(realised[s]["SE.estimate"], rel=0.01)


def test_natural_scale_estimates(shared: Path) -> None:
    """Density, g0 and sigma of the demonstration survey, per km2 here and per hectare there."""
    estimates = maximum(shared, "secrdemo HN").estimates
    for name, estimate, error in [("D", 547.98, 64.68), ("g0", 0.27319, 0.02705), ("sigma", 29.366, 1.3045)]:
        assert estimates.loc[name, "estimate"] == pytest.approx(estimate, rel=2e-5)
        assert estimates.loc[name, "se"] == pytest.approx(error, rel=3e-3)


def test_snow_leopard_models_in_their_published_order(shared: Path) -> None:
    """AICc of six models, to the three decimals of the published table."""
    folder = shared / "data" / "snow-leopard-workflow-example"
    table = pd.read_csv(folder / "example_results_abundance_AIC.csv").set_index("modelname")
    fits = [fit for fit in FITS if fit.survey == "snow leopard"]
    for fit in fits:
        ours = maximum(shared, fit.name)
        gap = ours.aicc - ours.aic
        published = table.loc[fit.key, "AICc"]
        assert -2.0 * ours.secr_log_likelihood + 2 * len(fit.labels) + gap == pytest.approx(published, abs=6e-4)
    ranked = sorted(fits, key=lambda fit: maximum(shared, fit.name).aicc)
    assert [fit.key for fit in ranked] == ["m1", "m1.2", "m1.3", "m0", "m2", "m3"]


def test_conditional_and_full_maximum_agree(shared: Path) -> None:
    """With constant density the conditional likelihood has the same detection estimates, and D = n / esa."""
    full, conditional = maximum(shared, "captdata HN"), maximum(shared, "captdata HN conditional")
    for label in ("g0[Intercept]", "sigma[Intercept]"):
        assert conditional.coefficients.loc[label, "estimate"] == pytest.approx(
            full.coefficients.loc[label, "estimate"], abs=1e-5
        )
    n = len(plain(shared, "captdata").sessions[0].animals)
    (piece,) = survey_pieces(
        plain(shared, "captdata"), "ProbabilityHalfNormal", dict(full.coefficients["estimate"]), None
    )
    assert piece.expected_detected == pytest.approx(n, rel=1e-6)
    assert math.isfinite(conditional.log_likelihood)
    assert not np.isnan(full.coefficients["se"]).any()
