"""Two flanks: chances of pairs come true as often as they say, and intervals of N hold the truth."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom

import leopardpop as lp
from leopardpop.errors import LeopardpopWarning

REPLICATES = 100
TRUTH = {"D": 0.07, "lambda0": 0.04, "sigma": 2000.0}


def survey():
    grid = [(f"S{i}{j}", 2500.0 * i, 2500.0 * j) for i in range(6) for j in range(4)]
    stations = pd.DataFrame(grid, columns=["station", "x", "y"]).assign(pair=[k % 2 == 0 for k in range(24)])
    design = lp.CaptureHistory.from_tables(None, stations, occasions=60)
    return design, lp.Mask.around(design, buffer=8_000, spacing=1_250)


def one(seed):
    """Chances of pairs, which of them are true, N and its intervals."""
    design, mask = survey()
    model = lp.TwoFlanks()
    sim = model.simulate(design, mask, parameters=TRUTH, both=0.6, paired="pair", seed=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LeopardpopWarning)
        fit = model.fit(sim.history, mask, engine="laplace", seed=seed, draws=100)
    true = fit.matches["left"].str.split("/").str[0] == fit.matches["right"].str.split("/").str[0]
    drawn = fit.posterior["N"].values.ravel()
    limits = np.quantile(drawn, [0.025, 0.25, 0.75, 0.975])
    seen = int(sim.truth.population["detected"].sum())
    return fit.matches["probability"].to_numpy(), true.to_numpy(), int(sim.truth.N.sum()), limits, fit.trusted, seen


@pytest.mark.verification
@pytest.mark.timeout(1800)
def test_chances_of_pairs_and_numbers_are_calibrated():
    chance, true, truth, limits, trusted, seen = zip(*map(one, range(REPLICATES)), strict=True)
    chances, came = np.concatenate(chance), np.concatenate(true)
    for low, high in ((0.0, 0.05), (0.05, 0.2), (0.2, 0.5), (0.5, 0.8), (0.8, 1.0)):
        inside = (chances > low) & (chances <= high)
        # Pairs of one survey exclude each other, so that their number varies less than that of free ones.
        spread = np.sqrt((chances[inside] * (1 - chances[inside])).sum())
        assert abs(came[inside].sum() - chances[inside].sum()) < 3.5 * spread + 1, (low, high)
    n, ends = np.array(truth), np.array(limits)
    wide = ((ends[:, 0] <= n) & (n <= ends[:, 3])).mean()
    narrow = ((ends[:, 1] <= n) & (n <= ends[:, 2])).mean()
    assert 15 <= np.mean(seen) <= 25
    assert np.mean(trusted) > 0.97
    # What happens once in a thousand such tests if the intervals are right; N is whole, so they are a little wide.
    least, most = binom.ppf([0.0005, 0.9995], REPLICATES, [[0.95], [0.5]]).T
    assert least[0] <= REPLICATES * wide
    assert least[1] <= REPLICATES * narrow <= most[1] + 5
