"""Designs of occupancy surveys: the published formula, and simulation."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import leopardpop as lp
from leopardpop.design import site_widths
from leopardpop.errors import FitError, ModelError

PSI, P = 0.6, 0.35


def published_sd(psi: float, p: float, k: int, sites: int) -> float:
    """MacKenzie and Royle (2005), equation of the asymptotic variance of ψ."""
    star = 1 - (1 - p) ** k
    return np.sqrt(psi / sites * (1 - psi + (1 - star) / (star - k * p * (1 - p) ** (k - 1))))


@pytest.mark.parametrize("k", [2, 3, 6, 12])
def test_the_published_formula(k):
    table = lp.design.site_precision(
        lp.Occupancy(), sites=1, visits_per_season=k, parameters={"psi": PSI, "p": P}
    ).table.set_index("quantity")
    sd = table.loc["psi", "link_sd"] * PSI * (1 - PSI)  # delta method through the logit
    assert sd == pytest.approx(published_sd(PSI, P, k, 1), rel=1e-5)


def test_the_link_does_not_matter_much():
    widths = [
        lp.design.site_precision(
            lp.Occupancy(link=name), sites=400, visits_per_season=5, parameters={"psi": PSI, "p": P}
        ).summary().set_index("quantity").loc["psi", "width"]
        for name in ("logit", "probit", "cloglog")
    ]  # fmt: skip
    assert np.ptp(widths) < 0.05 * np.mean(widths)
    assert np.mean(widths) == pytest.approx(2 * 1.96 * published_sd(PSI, P, 5, 400), rel=0.05)


@pytest.mark.verification
def test_simulation_agrees_for_breeding():
    """The spread of posterior medians of a study, beside the width that was told."""
    model = lp.MultistateOccupancy()
    truth = {"psi": 0.7, "breeding": 0.5, "p1": 0.5, "p2": 0.6, "delta": 0.7}
    told = lp.design.site_precision(model, sites=250, visits_per_season=5, parameters=truth)
    plan = lp.design.Scenario(model=model, design=lp.design.visits(250, 5, response="state"), parameters=truth)
    found = lp.design.study(plan, replicates=40).estimates
    widths = told.summary().set_index("quantity")["width"]
    for name in ("psi", "breeding"):
        spread = found.loc[found["quantity"] == name, "median"].std()
        assert widths[name] == pytest.approx(2 * 1.96 * spread, rel=4 / np.sqrt(2 * 40))
        posterior = (found["upper"] - found["lower"])[found["quantity"] == name].mean()
        assert widths[name] == pytest.approx(posterior, rel=0.06)


def test_sites_needed_are_the_fewest():
    found = lp.design.site_precision(
        lp.Occupancy(), sites=(10, 20), visits_per_season=(3, 6), parameters={"psi": PSI, "p": P}
    )
    for row in found.needed(0.2).itertuples():
        near = lp.design.site_precision(
            lp.Occupancy(), sites=(row.sites - 1, row.sites), visits_per_season=row.visits,
            parameters={"psi": PSI, "p": P},
        ).table.query("quantity == 'psi'")["width"].tolist()  # fmt: skip
        assert near[1] <= 0.2 < near[0]
    assert found.needed(0.2)["sites"].is_monotonic_decreasing
    assert (found.needed(0.2, "p")["sites"] < found.needed(0.1, "p")["sites"]).all()


def test_all_histories_and_simulated_ones_agree(monkeypatch):
    truth = {"psi": 0.5, "gamma": 0.2, "epsilon": 0.2, "p": 0.5}

    def ask():
        return lp.design.site_precision(
            lp.DynamicOccupancy(), sites=1, visits_per_season=4, seasons=3, parameters=truth
        ).table["link_sd"].to_numpy()  # fmt: skip

    exact = ask()
    monkeypatch.setattr(site_widths, "comb", lambda n, k: site_widths.MOST + 1)
    assert ask() == pytest.approx(exact, rel=0.04)
    assert (ask() != exact).all()


def test_counts_are_simulated():
    table = lp.design.site_precision(
        lp.NMixture(), sites=100, visits_per_season=4, parameters={"abundance": 3.0, "p": 0.4}
    ).table
    assert (table["width"] > 0).all()


def test_priors_ask_for_more():
    assumed = {"psi": PSI, "p": lp.Prior("Beta", alpha=6, beta=12)}
    found = lp.design.site_precision(lp.Occupancy(), sites=100, visits_per_season=4, parameters=assumed, draws=10)
    sure = [int(found.needed(0.25, assurance=a)["sites"].iloc[0]) for a in (0.2, 0.5, 0.9)]
    assert sure == sorted(sure)
    assert sure[0] < sure[2]
    row = found.summary().iloc[0]
    assert row["width_lower"] < row["width"] < row["width_upper"]


def test_several_seasons():
    truth = {"psi": 0.5, "gamma": 0.2, "epsilon": 0.2, "p": 0.4}
    found = lp.design.site_precision(lp.DynamicOccupancy(), sites=100, visits_per_season=4, seasons=3, parameters=truth)
    widths = found.summary().set_index("quantity")["width"]
    assert set(widths.index) == set(truth)
    longer = lp.design.site_precision(
        lp.DynamicOccupancy(), sites=100, visits_per_season=4, seasons=8, parameters=truth
    ).summary().set_index("quantity")["width"]  # fmt: skip
    assert longer["gamma"] < 0.75 * widths["gamma"]


def test_visits_lays_out_a_survey():
    history = lp.design.visits(pd.DataFrame({"site": ["a", "b"], "snow": [1.0, 2.0]}), 3, seasons=2, effort_unit="day")
    assert (history.n_sites, history.n_visits, history.n_detections) == (2, 12, 0)
    assert history.effort_unit == "day"


def test_bad_input():
    ask = lp.design.site_precision
    with pytest.raises(FitError, match="1 visit to a site cannot tell all the parameters apart"):
        ask(lp.Occupancy(), sites=50, visits_per_season=1, parameters={"psi": PSI, "p": P})
    with pytest.raises(ModelError, match="sites=0 must be"):
        ask(lp.Occupancy(), sites=0, visits_per_season=3, parameters={"psi": PSI, "p": P})
    with pytest.raises(ModelError, match="visits_per_season=0 must be"):
        ask(lp.Occupancy(), sites=5, visits_per_season=0, parameters={"psi": PSI, "p": P})
    with pytest.raises(ModelError, match=r"psi = 1\.2 is outside its range"):
        ask(lp.Occupancy(), sites=5, visits_per_season=3, parameters={"psi": 1.2, "p": P})
    with pytest.raises(ModelError, match="give a model of occupancy"):
        ask(lp.SCR(), sites=5, visits_per_season=3, parameters={"psi": 1.2, "p": P})
    found = ask(lp.Occupancy(), sites=5, visits_per_season=3, parameters={"psi": PSI, "p": P})
    with pytest.raises(ModelError, match=r"quantity='psy'.* Did you mean 'psi'"):
        found.needed(0.2, "psy")
    with pytest.raises(ModelError, match="width=0: give"):
        found.needed(0)
    with pytest.raises(ModelError, match="seasons=0"):
        lp.design.visits(5, 3, seasons=0)
