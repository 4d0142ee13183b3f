"""``fit.check()``: p-values are uniform, false alarms are as rare as promised, planted faults are found."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from scipy.stats import kstest

import leopardpop as lp
from tests.verification.check_power import look, narrow_masks
from tests.verification.surveys import draw_truth, fits_the_rule, informative_priors, small_design

pytestmark = [pytest.mark.verification, pytest.mark.timeout(900)]


def test_p_values_are_uniform_with_truths_from_the_prior():
    history, mask = small_design()
    priors, rng, p = informative_priors(), np.random.default_rng(6), []
    model = lp.SCR(priors=priors)
    while len(p) < 100:
        seed = int(rng.integers(2**31))
        simulated = model.simulate(history, mask, parameters=draw_truth(priors, rng), seed=seed)
        if not fits_the_rule(simulated.history):
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", lp.errors.LeopardpopWarning)
            check = model.fit(simulated.history, mask, engine="laplace", draws=250, seed=seed).check(replicates=199)
        p.append(check.p)
    for name, column in zip(check.statistics, np.array(p).T, strict=True):
        assert kstest(column, "uniform").pvalue > 0.001, name


def test_false_alarms_under_the_true_model():
    """At one truth with the default priors: at most 14 % of 200 tables flag anything."""
    assert look("nothing", range(200)).flagged <= 0.14


@pytest.mark.parametrize("fault, least", [("one_animal", 0.8), ("weeks_as_days", 0.8), ("ghosts", 0.8)])
def test_planted_faults_are_found(fault, least):
    assert look(fault, range(40)).flagged >= least


def test_masks_that_are_too_narrow_are_told():
    """A buffer of 1.5 sigma, by the diagnostics of the fit."""
    assert narrow_masks(range(40)) >= 0.8
