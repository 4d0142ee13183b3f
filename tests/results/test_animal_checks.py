"""Counts that do not tell abundance from detection are told so, and those that do are not."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import leopardpop as lp
from leopardpop.errors import SparseDataWarning

APART = "abundance apart from detection"


def counts(sites, visits, abundance, p, seed):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        design = lp.DetectionHistory.from_tables(np.zeros((sites, visits)), response="count")
    return lp.NMixture().simulate(design, parameters={"abundance": abundance, "p": p}, seed=seed).history


@pytest.mark.parametrize("seed", range(6))
def test_thirty_sites_of_two_visits_tell_the_product_alone(seed):
    with pytest.warns(
        SparseDataWarning, match="hardly abundance itself .* make more visits to a site, or give p a prior"
    ):
        fit = lp.NMixture().fit(counts(30, 2, 5.0, 0.2, seed), engine="laplace", draws=250, seed=1)
    assert fit.diagnostics().set_index("quantity").loc[APART, "verdict"] == "warn"


@pytest.mark.parametrize("seed", range(6))
def test_a_hundred_sites_of_three_visits_tell_both(seed):
    fit = lp.NMixture().fit(counts(100, 3, 4.0, 0.4, seed), engine="laplace", draws=250, seed=1)
    assert fit.diagnostics().set_index("quantity").loc[APART, "verdict"] == "ok"
