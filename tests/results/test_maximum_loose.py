"""A maximum that is found where the data say nothing is told to be worth nothing."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import leopardpop as lp
from leopardpop.errors import FitError, SparseDataWarning


def counts(sites, visits, seed):
    """Counts of a Poisson law without any animals behind them."""
    y = np.random.default_rng(seed).poisson(1.5, (sites, visits)).astype(float)
    return lp.DetectionHistory.from_tables(y, response="count")


def told(history) -> bool:
    """Whether a maximum is refused, or warned of."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", SparseDataWarning)
        try:
            lp.NMixture().maximum_likelihood(history)
        except FitError:
            return True
    return any("hardly tell" in str(each.message) or "tell the product" in str(each.message) for each in caught)


@pytest.mark.parametrize("seed", range(8))
def test_counts_of_one_visit_tell_no_number_of_animals(seed):
    assert told(counts(60, 1, seed))


def test_counts_without_animals_tell_the_product_alone():
    assert told(counts(40, 3, 1))


def test_counts_that_tell_both_are_not_warned_of():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        design = lp.DetectionHistory.from_tables(np.zeros((100, 3)), response="count")
    history = lp.NMixture().simulate(design, parameters={"abundance": 4.0, "p": 0.4}, seed=1).history
    assert lp.NMixture().maximum_likelihood(history).converged
