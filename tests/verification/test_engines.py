"""Laplace with importance sampling against NUTS: the same posterior (MODELS: how a claim is tested)."""

from __future__ import annotations

import arviz as az
import numpy as np
import pytest

import leopardpop as lp
from tests.verification.surveys import small_design

SEEDS = (1, 2, 3, 4, 5)
"""Five samples together: far in a heavy tail 4,000 weighted draws are worth a few hundred."""
TRUTH = {"D": 0.08, "lambda0": 0.15, "sigma": 2_000.0}


def cases() -> dict[str, tuple[lp.SCR, lp.CaptureHistory, lp.Mask]]:
    history, mask = small_design()
    plain = lp.SCR()
    some = plain.simulate(history, mask, parameters=TRUTH, seed=3).history
    seed = 0
    while True:  # the first survey that detects one animal, and twice
        one = plain.simulate(history, mask, parameters=TRUTH | {"D": 0.002}, seed=seed).history
        if one.n_individuals == 1 and one.n_detections >= 2:
            break
        seed += 1
    sexes = lp.SCR(detection=lp.HalfNormal(lambda0="~ sex", sigma="~ sex"), classes="sex")
    by_sex = sexes.simulate(history, mask, parameters=TRUTH | {"pmix": 0.4, "sigma[sex[M]]": 0.4}, seed=4).history
    few = plain.simulate(history, mask, parameters=TRUTH | {"D": 0.03, "lambda0": 0.05}, seed=11).history
    return {
        "ordinary": (plain, some, mask),
        "no captures": (plain, history, mask),
        "one animal": (plain, one, mask),
        "few recaptures": (plain, few, mask),
        "sexes": (sexes, by_sex, mask),
        "hazard rate": (lp.SCR(detection=lp.HazardRate()), some, mask),
    }


@pytest.mark.verification
@pytest.mark.timeout(1800)
@pytest.mark.filterwarnings("ignore::leopardpop.errors.LeopardpopWarning")
@pytest.mark.parametrize("name", ["ordinary", "no captures", "one animal", "few recaptures", "sexes", "hazard rate"])
def test_laplace_and_nuts_agree(name: str) -> None:
    """Means within 0.08 sd, sds within 6 %, tail quantiles within 0.15 sd, with 4,000 effective draws each."""
    model, history, mask = cases()[name]
    quick = [model.fit(history, mask, engine="laplace", draws=5_000, seed=seed, min_ess=4_000) for seed in SEEDS]
    slow = model.fit(history, mask, engine="nuts", draws=4_000, seed=2)
    assert sum(fit.data_tree.attrs["importance_ess"] >= 4_000 for fit in quick) >= 4
    for label in [p.name for p in model.detection.parameters()] + ["E_N"]:
        a = np.concatenate([np.log(fit.posterior[label].to_numpy()).reshape(20_000, -1) for fit in quick])
        b = np.log(slow.posterior[label].to_numpy()).reshape(16_000, -1)
        effective = np.atleast_1d(az.ess(slow.posterior[label].to_dataset(name="x"))["x"].to_numpy())
        assert (effective >= 4_000).all(), f"{label}: NUTS has {effective} effective draws"
        sd = b.std(0)
        assert (np.abs(a.mean(0) - b.mean(0)) < 0.08 * sd).all(), label
        assert (np.abs(a.std(0) / sd - 1) < 0.06).all(), label
        tails = np.abs(np.quantile(a, [0.025, 0.975], axis=0) - np.quantile(b, [0.025, 0.975], axis=0))
        assert (tails < 0.15 * sd).all(), label
