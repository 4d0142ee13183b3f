"""Power: against simulated series of estimates, and in cases that can be reckoned by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

import leopardpop as lp
from leopardpop.design import Trend
from leopardpop.errors import ModelError
from tests.design.designs import TRUTH, grid_design, mask_of


@pytest.mark.parametrize("process", [0.0, 0.15])
@pytest.mark.parametrize("share, years, every, rse", [(0.3, 5, 1, 0.15), (0.5, 6, 2, 0.2), (0.2, 10, 1, 0.25)])
def test_as_simulated(share, years, every, rse, process):
    """Log estimates about the trend, a weighted line through them, and how often its slope is below 0 for sure."""
    trend = Trend(decline=share, years=years, every=every, process_sd=process)
    rng = np.random.default_rng(5)
    t = np.arange(0, years + 1, every)
    left = (1 - share) ** (t / years)
    sd = np.sqrt(rse**2 / left + process**2)
    y = np.log(left) + sd * rng.normal(size=(20_000, len(t)))
    design = np.column_stack([np.ones(len(t)), t]) / sd[:, None]
    covariance = np.linalg.inv(design.T @ design)
    slope = (covariance @ design.T @ (y / sd).T)[1]
    seen = (slope + norm.ppf(0.95) * np.sqrt(covariance[1, 1]) < 0).mean()
    assert trend.power(np.array([rse]), share)[0] == pytest.approx(seen, abs=4 * np.sqrt(0.25 / 20_000))


def test_two_surveys_by_hand():
    """The difference of two log estimates has variance 0.1² + 0.1²/0.64."""
    found = Trend(decline=0.36, years=1).power(np.array([0.1]), 0.36)[0]
    z = -np.log(0.64) / np.sqrt(0.01 + 0.01 / 0.64)
    assert found == pytest.approx(norm.cdf(z - 1.6448536269514722))


def test_designs_and_efforts():
    designs = {"small": grid_design(3, occasions=10), "large": grid_design(6, occasions=10)}
    found = lp.design.power(
        lp.SCR(), designs, mask_of(designs["large"], 1.0), parameters=TRUTH, effort=(1, 3),
        trend=Trend(decline=(0.2, 0.5), years=4),
    )  # fmt: skip
    table = found.summary().set_index(["design", "effort", "decline"])["power"].unstack()
    assert (table[0.5] > table[0.2]).all()
    assert (table.loc["large"] > table.loc["small"]).all(axis=None)
    assert (table.loc[("large", 3.0)] > table.loc[("large", 1.0)]).all()
    last = found.table.set_index(["design", "effort", "decline"])["least"]
    first = lp.design.expected(lp.SCR(), designs, mask_of(designs["large"], 1.0), parameters=TRUTH).table
    small = first.query("design == 'small'").iloc[0]
    assert last["small", 1.0, 0.5] == pytest.approx(0.5 * min(small["n"], small["recaptures"]))
    assert "small, effort × 3" in repr(found)


def test_power_is_averaged_over_priors():
    design = grid_design(4, occasions=10)
    assumed = {**TRUTH, "D": lp.Prior("LogNormal", mu=np.log(0.5), sigma=0.6)}
    trend = Trend(decline=0.4, years=5)
    found = lp.design.power(lp.SCR(), design, mask_of(design, 1.0), parameters=assumed, trend=trend, draws=100)
    row = found.summary().iloc[0]
    assert row["power_lower"] < row["power"] < row["power_upper"]
    assert row["power"] == pytest.approx(found.table["power"].mean())


def test_bad_input():
    for wrong, message in (
        ({"decline": 1.0, "years": 5}, r"decline=1\.0: a share below 1"),
        ({"decline": 0, "years": 5}, "decline=0: give one or several numbers above 0"),
        ({"decline": 0.3, "years": 0}, "years=0"),
        ({"decline": 0.3, "years": 3, "every": 4}, "is one survey"),
        ({"decline": 0.3, "years": 3, "level": 0.7}, "level=0.7"),
        ({"decline": 0.3, "years": 3, "process_sd": -1}, "process_sd=-1"),
    ):
        with pytest.raises(ModelError, match=message):
            Trend(**wrong)
    design = grid_design(2)
    with pytest.raises(ModelError, match=r"give lp\.design\.Trend"):
        lp.design.power(lp.SCR(), design, mask_of(design), parameters=TRUTH, trend=0.3)
