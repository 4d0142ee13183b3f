"""A full posterior with its certificate, in yardsticks: what secr's maximum likelihood takes is in the comments."""

from __future__ import annotations

from pathlib import Path

import pytest

import leopardpop as lp
from tests.benchmarks.processor import cpu_seconds, least_seconds
from tests.benchmarks.surveys import load_dataset
from tests.benchmarks.yardstick import yardstick

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
    seconds = least_seconds(lambda: fits.append(model.fit(history, mask, engine="laplace", seed=1)), 3)
    stick = min(before, yardstick())
    assert fits[0].trusted
    assert fits[0].data_tree.attrs["importance_ess"] >= 400
    assert seconds / stick <= limit, f"{name}: {seconds:.2f} s = {seconds / stick:.1f} yardsticks"


G0 = lp.ProbabilityHalfNormal
MODELS = [
    ("captdata", lp.SCR(detection=G0(g0="~ bk")), 150),  # secr's maximum likelihood: 33 s / 0.15 = 220
    ("captdata", lp.SCR(detection=G0(g0="~ h2"), classes=lp.Mixture(2)), 60),  # 12 s / 0.15 = 80
    ("kruger_leopard", lp.SCR(detection=lp.HalfNormal(lambda0="~ sex", sigma="~ sex"), classes="sex"), 6),  # 61 s: 400
    ("ovenCH", lp.SCR(density="~ session", detection=G0(g0="~ session", sigma="~ session")), 40),  # 730 s: 4,900
]


@pytest.mark.benchmark
@pytest.mark.filterwarnings("ignore::leopardpop.errors.LeopardpopWarning")
@pytest.mark.parametrize(("name", "model", "limit"), MODELS, ids=["bk", "h2", "sex", "sessions"])
def test_posterior_against_maximum_likelihood(shared: Path, name: str, model: lp.SCR, limit: float) -> None:
    """Processor time, as secr's was told, in yardsticks of 0.15 s; secr's own is far above each limit."""
    history, mask = load_dataset(shared, name)
    fits = []
    before = yardstick()
    seconds = cpu_seconds(lambda: fits.append(model.fit(history, mask, engine="laplace", seed=1)), 2)
    stick = min(before, yardstick())
    assert fits[0].trusted
    assert fits[0].data_tree.attrs["importance_ess"] >= 400
    assert seconds / stick <= limit, f"{name}: {seconds:.2f} s = {seconds / stick:.1f} yardsticks"
