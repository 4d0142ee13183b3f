"""Planning: a known answer of simulation, and where the rule for the RSE holds."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom

import leopardpop as lp

SIGMA = 2_000.0
ASSUMED = {"D": 0.5 / (SIGMA / 1000) ** 2, "lambda0": 0.1, "sigma": SIGMA}


def grid(side: int, gap: float, occasions: int = 10) -> tuple[lp.CaptureHistory, lp.Mask]:
    line = np.arange(side) * gap * SIGMA
    x, y = (a.ravel() for a in np.meshgrid(line, line))
    stations = pd.DataFrame({"station": [f"S{i:03d}" for i in range(side**2)], "x": x, "y": y})
    design = lp.CaptureHistory.from_tables(None, stations, occasions=occasions)
    return design, lp.Mask.around(design, buffer=4 * SIGMA, spacing=0.6 * SIGMA)


@pytest.mark.verification
@pytest.mark.timeout(900)
def test_sixty_four_stations_two_sigma_apart():
    """64 stations, λ0 0.1, 10 occasions, D 0.5/σ²: bias of E[N] below 2 %, coverage 93-97 %, RSE as the rule says.

    1,000 replicates gave a bias of −0.5 % (± 0.3) and a coverage of 96.5 % (± 0.6); here are 120 of them.
    """
    design, mask = grid(8, 2.0)
    plan = lp.design.Scenario(model=lp.SCR(), design=design, mask=mask, parameters=ASSUMED)
    found = lp.design.study(plan, replicates=120)
    row = found.summary().set_index("quantity").loc["E_N"]
    assert row["verdict"] == "ok"
    assert row["replicates"] >= 118
    assert abs(row["relative_bias"]) < 0.02 + 3 * row["relative_bias_mcse"]
    low, high = binom.ppf(0.001, row["replicates"], 0.93), binom.ppf(0.999, row["replicates"], 0.97)
    assert low <= row["coverage"] * row["replicates"] <= high
    told = lp.design.expected(lp.SCR(), design, mask, parameters=ASSUMED).table.iloc[0]
    assert row["rse"] == pytest.approx(told["rse"], rel=0.15)
    assert row["relative_rmse"] == pytest.approx(told["rse"], rel=0.3)
    facts = found.replicates
    for name, column in (
        ("n", "n_individuals"), ("recaptures", "n_recaptures"), ("spatial_recaptures", "n_spatial_recaptures"),
    ):  # fmt: skip
        error = facts[column].std() / np.sqrt(len(facts))
        assert abs(facts[column].mean() - told[name]) < 4 * error


@pytest.mark.verification
@pytest.mark.timeout(900)
def test_the_limit_of_the_rule():
    """Stations 5 sigma apart see animals again and again, but at one place: the rule is much too hopeful."""
    design, mask = grid(5, 5.0, occasions=20)
    told = lp.design.expected(lp.SCR(), design, mask, parameters=ASSUMED).table.iloc[0]
    assert told["recaptures"] > 40
    assert told["spatial_recaptures"] < 0.05 * told["n"]
    plan = lp.design.Scenario(model=lp.SCR(), design=design, mask=mask, parameters=ASSUMED)
    row = lp.design.study(plan, replicates=15).summary().set_index("quantity").loc["E_N"]
    assert row["rse"] > 1.3 * told["rse"]
