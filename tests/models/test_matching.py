"""Sums over matchings, against listing all of them."""

from __future__ import annotations

from itertools import combinations, permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from leopardpop.errors import ModelError
from leopardpop.models.matching import sum_matchings


def all_matchings(n_left, n_right):
    for size in range(min(n_left, n_right) + 1):
        for left in combinations(range(n_left), size):
            for right in permutations(range(n_right), size):
                yield tuple(zip(left, right, strict=True))


def brute_force(weights):
    """Z and Pr(l ~ r) by listing."""
    total, paired = 0.0, np.zeros_like(weights)
    for matching in all_matchings(*weights.shape):
        product = float(np.prod([weights[pair] for pair in matching]))
        total += product
        for pair in matching:
            paired[pair] += product
    return total, paired / total


TABLES = st.tuples(st.integers(0, 5), st.integers(0, 5)).flatmap(
    lambda shape: arrays(float, shape, elements=st.one_of(st.just(0.0), st.floats(1e-3, 1e3)))
)


@settings(max_examples=60, deadline=None)
@given(TABLES)
def test_agrees_with_listing_all_matchings(weights):
    total, paired = brute_force(weights)
    found = sum_matchings(weights)
    assert found.log_sum == pytest.approx(np.log(total), abs=1e-11)
    np.testing.assert_allclose(found.probability(), paired, atol=1e-11)


def test_probability_is_the_slope_of_log_z():
    weights = np.random.default_rng(2).lognormal(0, 2, (4, 6))
    step = np.zeros_like(weights)
    step[1, 3] = 1e-5
    up, down = (sum_matchings(weights * np.exp(sign * step)).log_sum for sign in (1, -1))
    assert sum_matchings(weights).probability()[1, 3] == pytest.approx((up - down) / 2e-5, abs=1e-8)


@pytest.mark.parametrize("shape", [(3, 2), (2, 3)])
def test_matchings_are_drawn_by_their_chances(shape):
    weights = np.random.default_rng(3).lognormal(0, 1, shape)
    total, _ = brute_force(weights)
    found, rng, n = sum_matchings(weights), np.random.default_rng(4), 4000
    drawn = [tuple(sorted(found.draw(rng))) for _ in range(n)]
    for matching in all_matchings(*shape):
        chance = float(np.prod([weights[pair] for pair in matching])) / total
        assert drawn.count(matching) / n == pytest.approx(chance, abs=4.5 * np.sqrt(chance / n) + 1e-9)


def test_blocks_are_summed_apart():
    blocks = np.zeros((60, 60))
    for i in range(0, 60, 3):
        blocks[i : i + 3, i : i + 3] = np.arange(9).reshape(3, 3) + 1.0
    assert sum_matchings(blocks).log_sum == pytest.approx(20 * np.log(brute_force(blocks[:3, :3])[0]))


def test_too_many_at_once_are_refused_in_words():
    with pytest.raises(ModelError, match=r"19 left-flank identities.*flank='left'"):
        sum_matchings(np.ones((19, 19)))


def test_weak_links_between_blocks_are_left_out():
    weak = np.full((24, 24), 2e-8)
    weak[:12, :12] = weak[12:, 12:] = 0.5
    halves = sum_matchings(weak[:12, :12]).log_sum
    assert sum_matchings(weak).log_sum == pytest.approx(2 * halves, abs=1e-5)
