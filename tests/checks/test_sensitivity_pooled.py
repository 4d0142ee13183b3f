"""What is reweighted where groups share a law: the density of their deviations is part of the posterior."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

import leopardpop as lp
from leopardpop.checks.sensitivity_targets import Plain, Rebased


@pytest.fixture(scope="module")
def pooled() -> lp.Fit:
    axis = range(0, 6_000, 1_500)
    rows = [(f"park {p}", f"{x}-{y}", x, y) for p in range(4) for x in axis for y in axis]
    stations = pd.DataFrame(rows, columns=["session", "station", "x", "y"])
    design = lp.CaptureHistory.from_tables(None, stations, occasions=8, effort_unit="day")
    mask = lp.Mask.around(design["park 0"], buffer=4_000, spacing=1_200)
    model = lp.SCR(detection=lp.HalfNormal(sigma="~ 1 + (1 | session)"))
    truth = {"D": 0.3, "lambda0": 0.15, "sigma": 1_000, "sigma_sd_session": 0.2}
    history = model.simulate(design, mask, parameters=truth, seed=1).history
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", lp.errors.LeopardpopWarning)
        return model.fit(history, mask, engine="laplace", draws=150, seed=1)


def test_the_posterior_on_the_same_data_is_that_of_the_fit(pooled: lp.Fit) -> None:
    thetas = pooled.theta.reshape(-1, pooled.theta.shape[-1])[:5]
    same, plain = Rebased(pooled.problem, pooled.problem, thetas[0]), Plain(pooled.problem)
    np.testing.assert_allclose(same.batch_value(thetas), plain.batch_value(thetas), rtol=1e-12)
    assert same.value(thetas[1]) == pytest.approx(plain.value(thetas[1]), rel=1e-12)
    np.testing.assert_allclose(same.gradient(thetas[2])[1], plain.gradient(thetas[2])[1], rtol=1e-6, atol=1e-6)


def test_the_table_has_the_prior_of_the_sd(pooled: lp.Fit) -> None:
    table = pooled.sensitivity(refit=False).table()
    rows = table[table["subject"].astype(str).str.contains("sigma_sd_session")]
    assert (rows["pareto_k"] < 0.7).any()
