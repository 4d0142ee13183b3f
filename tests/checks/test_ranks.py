"""Ranks among replicates."""

import numpy as np
import pytest
from scipy.stats import kstest

from leopardpop.checks.ranks import family_p, p_values, uniform_ranks


def rng(seed: int = 1) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.mark.parametrize("two_sided", [False, True])
def test_p_values_are_uniform_even_where_most_values_are_tied(two_sided):
    values = rng().poisson(0.4, (4_000, 1)).astype(float)
    assert kstest(p_values(values, [two_sided], rng(2))[:, 0], "uniform").pvalue > 0.01


def test_the_largest_value_has_the_smallest_upper_p():
    values = np.arange(100.0)[::-1, None]
    assert 0 <= p_values(values, [False], rng())[0, 0] < 0.01
    assert 0.99 < p_values(values, [False], rng())[-1, 0] <= 1


def test_both_ends_speak_against_the_model_where_asked():
    values = np.arange(100.0)[:, None]
    p = p_values(values, [True], rng())[:, 0]
    assert p[0] < 0.02
    assert p[-1] < 0.02
    assert p[50] > 0.9


def test_the_smallest_of_a_family_is_uniform_however_its_members_hang_together():
    smallest = []
    for seed in range(400):
        common = rng(seed).normal(size=(100, 1))
        values = common + 0.3 * rng(seed + 10_000).normal(size=(100, 6))
        smallest.append(family_p(p_values(values, [False] * 6, rng(seed)))[0:6].min())
    share = np.mean(np.array(smallest) <= 0.10)
    assert 0.06 <= share <= 0.14  # without looking at the family it would be 0.2 or more


def test_ranks_lie_between_none_and_all():
    ranks = uniform_ranks(rng().normal(size=(50, 3)), rng(2))
    assert ranks.min() >= 0
    assert ranks.max() <= 1
