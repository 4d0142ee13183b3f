"""``fit.check()`` of the models of sites."""

from __future__ import annotations

from functools import cache
from itertools import product

import numpy as np
import pandas as pd
import pytest
from scipy.stats import kstest

import leopardpop as lp
from leopardpop.checks.sites import mackenzie_bailey, site_statistics, survey_sites
from tests.results import made

SITES = pd.DataFrame(
    {"site": [f"s{i:02d}" for i in range(40)], "x": np.arange(40) % 8 * 500.0, "y": np.arange(40) // 8 * 500.0}
)
MANY = {"psi": 0.7, "breeding": 0.4, "p1": 0.4, "p2": 0.6, "delta": 0.5}
KINDS = {
    "occupancy": (lp.Occupancy(), 5, 1, "binary", {"psi": 0.6, "p": 0.4}),
    "long": (lp.Occupancy(), 13, 1, "binary", {"psi": 0.6, "p": 0.2}),
    "seasons": (lp.DynamicOccupancy(), 12, 3, "binary", {"psi": 0.6, "p": 0.4, "gamma": 0.2, "epsilon": 0.2}),
    "breeding": (lp.MultistateOccupancy(), 5, 1, "state", MANY),
    "choice": (lp.MultistateOccupancy(parametrisation="multinomial"), 5, 1, "state", MANY | {"p2": 0.3}),
    "both": (
        lp.DynamicMultistateOccupancy(),
        8,
        2,
        "state",
        MANY | {"psi_next": 0.6, "breeding_next": 0.4},
    ),
    "nichols": (lp.RoyleNichols(), 5, 1, "binary", {"abundance": 1.2, "r": 0.3}),
    "animals": (lp.NMixture(), 5, 1, "count", {"abundance": 3.0, "p": 0.4}),
    "bursts": (lp.NMixture(distribution="negbin"), 5, 1, "count", {"abundance": 3.0, "p": 0.4, "size": 1.0}),
    "counts": (lp.CountOccupancy(), 5, 1, "count", {"psi": 0.6, "rate": 1.2}),
    "mistakes": (lp.FalsePositiveOccupancy(), 6, 1, "binary", {"psi": 0.5, "p": 0.6, "p10": 0.05}),
}


def simulated(kind: str, seed: int):
    """Model and survey; a site that nobody visited and visits that were not made."""
    model, visits, seasons, response, truth = KINDS[kind]
    y = np.ones((40, visits))
    y[3], y[5:9, 1] = np.nan, np.nan
    design = lp.DetectionHistory.from_tables(
        pd.DataFrame(y).assign(site=SITES["site"]), SITES, seasons=seasons, response=response
    )
    return model, model.simulate(design, parameters=truth, seed=seed)


@cache
def fitted(kind: str):
    model, sim = simulated(kind, 3)
    return made.quiet(lambda: model.fit(sim.history, seed=1, draws=250, engine="laplace"))


@pytest.mark.parametrize("kind", KINDS)
def test_every_model_is_checked(kind):
    fit = fitted(kind)
    check = fit.check(replicates=99)
    table = check.table()
    assert np.isfinite(check.values).all()
    response, seasons = KINDS[kind][3], KINDS[kind][2]
    assert ("histories" in table.index) == (response != "count") == np.isfinite(check.c_hat)
    assert ("counts" in table.index) == (response == "count")
    assert ("young" in table.index) == (response == "state")
    assert ("gained" in table.index) == (seasons > 1)
    data = fit.problem.arrays
    assert table["observed"]["seen"] == ((data.y > 0).any(-1)).sum()
    assert table["observed"]["once"] == ((data.y > 0).sum(-1) == 1).sum()
    assert np.isnan(check.residuals["site_residual"].sel(site="s03")).all()
    assert np.isfinite(check.residuals["site_residual"].sel(site="s00")).all()
    assert len(check.plot()) == len(table)
    assert "sites" in check.plot_residuals().figure.caption


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_expected_given_the_state_is_what_is_seen(kind):
    """Over replicates responses less expected ones average to nothing, visit by visit."""
    fit = fitted(kind)
    surveys = survey_sites(fit.problem, fit.theta[0, 0], 800, np.random.default_rng(1))
    apart = (surveys.seen - surveys.expected)[1:]
    assert (abs(apart.mean(0)) < 5 * apart.std(0) / np.sqrt(800) + 1e-9).all()
    assert abs(apart.mean()) < 4 * apart.std() / np.sqrt(apart.size)


def test_histories_are_as_frequent_as_the_likelihood_says():
    design = lp.DetectionHistory.from_tables(np.ones((200, 3)))
    sim = lp.Occupancy().simulate(design, parameters={"psi": 0.6, "p": 0.4}, seed=1)
    fit = made.quiet(lambda: lp.Occupancy().fit(sim.history, seed=1))
    theta = fit.problem.to_theta(np.array([np.log(0.6 / 0.4), np.log(0.4 / 0.6)]))
    surveys = survey_sites(fit.problem, theta, 400, np.random.default_rng(1))
    seen = surveys.values[1:].reshape(400, 200, 3)
    for history in product((0, 1), repeat=3):
        share = (seen == history).all(-1).mean()
        expected = 0.6 * 0.4 ** sum(history) * 0.6 ** (3 - sum(history)) + 0.4 * (sum(history) == 0)
        assert share == pytest.approx(expected, abs=4.5 * np.sqrt(expected / 80_000))


def test_mackenzie_baileys_statistic_by_hand():
    history = np.array([[0] * 6 + [1] * 4, [0] * 4 + [1] * 6])
    assert mackenzie_bailey(history).tolist() == pytest.approx([0.4, 0.4])  # 5 and 5 expected


def test_rare_histories_are_one():
    history = np.zeros((10, 6), int)
    history[:5, 0] = np.arange(1, 6)  # five that occur once each
    # In a row with one of them 5 and 1, else 6 and 0; 5.5 and 0.5 are expected of them together.
    assert mackenzie_bailey(history) == pytest.approx([0.25 / 5.5 + 0.25 / 0.5] * 10)


def test_visits_that_were_not_made_tell_histories_apart():
    fit = fitted("occupancy")
    surveys = survey_sites(fit.problem, fit.theta[0, 0], 99, np.random.default_rng(1))
    found = site_statistics(surveys, fit.problem.arrays)
    assert set(found) >= {"histories", "neighbours", "in_a_row"}
    after = surveys.values[0].astype(bool)
    cell, visit = fit.problem.arrays.site, fit.problem.arrays.visit
    pairs = [(i, i + 1) for i in range(len(cell) - 1) if cell[i] == cell[i + 1] and visit[i] + 1 == visit[i + 1]]
    assert found["in_a_row"][0] == sum(after[i] and after[j] for i, j in pairs)


@pytest.mark.verification
def test_p_values_are_uniform_and_few_tables_flag_anything():
    """Sixty surveys with the truth drawn from the prior."""
    rng, p, flagged = np.random.default_rng(5), [], 0
    model = lp.Occupancy(priors={"psi": lp.Prior("Beta", alpha=4, beta=3), "p": lp.Prior("Beta", alpha=4, beta=6)})
    design = lp.DetectionHistory.from_tables(np.ones((40, 5)))
    for seed in range(60):
        truth = {"psi": rng.beta(4, 3), "p": rng.beta(4, 6)}
        sim = model.simulate(design, parameters=truth, seed=seed)
        fit = made.quiet(lambda sim=sim, seed=seed: model.fit(sim.history, seed=seed, draws=250, engine="laplace"))
        check = fit.check(replicates=99)
        p.append(check.p)
        flagged += bool(check.flagged)
    for column in np.array(p).T:
        assert kstest(column, "uniform").pvalue > 0.001
    assert flagged <= 14  # six are expected; more than 14 once in a thousand


def test_sites_that_differ_in_detection_are_found():
    rng = np.random.default_rng(1)
    p = np.where(np.arange(80) % 2 == 0, 0.85, 0.12)[:, None]
    y = (rng.random((80, 1)) < 0.7) & (rng.random((80, 6)) < p)
    fit = made.quiet(lambda: lp.Occupancy().fit(lp.DetectionHistory.from_tables(y.astype(float)), seed=1))
    check = fit.check()
    assert {"histories", "sites"} & set(check.flagged)
    assert check.c_hat > 1.5
    assert "RoyleNichols" in check.table()["advice"]["sites"] or "c-hat" in check.table()["advice"]["histories"]
