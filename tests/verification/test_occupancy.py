"""Occupancy: Laplace with importance sampling against NUTS, the same posterior (MODELS: how a claim is tested)."""

from __future__ import annotations

import arviz as az
import numpy as np
import pytest

import leopardpop as lp

VALUES = {
    "Occupancy": {"psi": 0.6, "p": 0.25},
    "DynamicOccupancy": {"psi": 0.5, "gamma": 0.15, "epsilon": 0.2, "p": 0.35},
    "MultistateOccupancy": {"psi": 0.6, "breeding": 0.4, "p1": 0.3, "p2": 0.45, "delta": 0.5},
}


@pytest.mark.verification
@pytest.mark.timeout(1800)
@pytest.mark.filterwarnings("ignore::leopardpop.errors.LeopardpopWarning")
@pytest.mark.parametrize("kind", VALUES)
def test_laplace_and_nuts_agree(kind: str) -> None:
    """Means within 0.08 sd, sds within 6 %, tail quantiles within 0.15 sd, with 4,000 effective draws and more."""
    seasons = 4 if kind.startswith("Dynamic") else 1
    response = "state" if "Multistate" in kind else "binary"
    design = lp.DetectionHistory.from_tables(np.zeros((80, 5 * seasons)), seasons=seasons, response=response)
    model = getattr(lp, kind)()
    history = model.simulate(design, parameters=VALUES[kind], seed=6).history
    quick = model.fit(history, engine="laplace", draws=10_000, seed=1, min_raw=30_000, min_ess=16_000)
    slow = model.fit(history, engine="nuts", draws=6_000, seed=2)
    assert quick.data_tree.attrs["importance_ess"] >= 4_000
    assert set(quick.posterior) == set(slow.posterior)
    for name in VALUES[kind]:
        a, b = (np.log(f.posterior[name].values / (1 - f.posterior[name].values)) for f in (quick, slow))
        assert float(az.ess(b, chain_axis=0, draw_axis=1)) >= 4_000
        sd = b.std()
        assert abs(a.mean() - b.mean()) < 0.08 * sd, name
        assert abs(a.std() / sd - 1) < 0.06, name
        tails = np.abs(np.quantile(a, [0.025, 0.975]) - np.quantile(b, [0.025, 0.975]))
        assert (tails < 0.15 * sd).all(), name
