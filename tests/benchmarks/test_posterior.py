"""A full posterior with its certificate, in yardsticks: what secr's maximum likelihood takes is in the comments."""

from __future__ import annotations

from pathlib import Path

import pytest

import leopardpop as lp
from tests.benchmarks.surveys import load_dataset
from tests.benchmarks.yardstick import best, yardstick

CASES = [
    ("captdata", lp.HalfNormal(), 4),  # secr: 8-10
    ("captdata", lp.ProbabilityHalfNormal(), 12),  # secr: 8-10
    ("kruger_leopard", lp.HalfNormal(), 2),  # secr: 30-40
    ("blackbearCH", lp.ProbabilityHalfNormal(), 6),  # secr: 55-70
    ("stoatCH", lp.ProbabilityHalfNormal(), 6),  # secr: 6-8
    ("ovenCH", lp.ProbabilityHalfNormal(), 20),  # secr: 170
]


@pytest.mark.benchmark
@pytest.mark.filterwarnings("ignore::leopardpop.errors.LeopardpopWarning")  # thin surveys say so
@pytest.mark.parametrize(("name", "detection", "limit"), CASES, ids=[f"{n}-{type(d).__name__}" for n, d, _ in CASES])
def test_posterior_in_yardsticks(shared: Path, name: str, detection: lp.DetectionFunction, limit: float) -> None:
    history, mask = load_dataset(shared, name)
    model = lp.SCR(detection=detection)
    fits = []
    model.fit(history, mask, engine="laplace", seed=0)
    before = yardstick()
    seconds = best(lambda: fits.append(model.fit(history, mask, engine="laplace", seed=1)), 3)
    stick = min(before, yardstick())
    assert fits[0].trusted
    assert fits[0].data_tree.attrs["importance_ess"] >= 400
    assert seconds / stick <= limit, f"{name}: {seconds:.2f} s = {seconds / stick:.1f} yardsticks"
