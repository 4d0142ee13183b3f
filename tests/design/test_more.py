"""Going on with a running survey: against simulation of what comes, and in simple cases."""

from __future__ import annotations

import numpy as np
import pytest

import leopardpop as lp
from leopardpop.errors import ModelError
from tests.design.designs import TRUTH, grid_design, mask_of

pytestmark = pytest.mark.filterwarnings("ignore::leopardpop.errors.LeopardpopWarning")  # it is thin as yet

DESIGN = grid_design(4, occasions=4)
MASK = mask_of(DESIGN, 1.0)


@pytest.fixture(scope="module")
def fit():
    simulated = lp.SCR().simulate(DESIGN, MASK, parameters=TRUTH, seed=11)
    return lp.SCR().fit(simulated.history, MASK, engine="laplace", seed=1)


def test_no_more_is_what_there_is(fit):
    row = lp.design.more_occasions(fit, 0, draws=20).summary().iloc[0]
    assert row["n"] == row["n_upper"] == fit.history.n_individuals
    assert row["recaptures"] == row["recaptures_lower"] == fit.history.n_recaptures


def test_more_is_better(fit):
    found = lp.design.more_occasions(fit, (2, 8, 32), rse=0.25).summary()
    for name in ("n", "recaptures", "assurance"):
        assert (found[name].diff().dropna() >= 0).all()
    assert (found["rse"].diff().dropna() < 0).all()
    assert found["n"].iloc[-1] > fit.history.n_individuals


@pytest.mark.verification
def test_the_future_as_simulated():
    """At a known truth: surveys that go on, given that the first part detected what it did."""
    long = grid_design(4, occasions=12)
    made, told = [], []
    for seed in range(60):
        whole = lp.SCR().simulate(long, MASK, parameters=TRUTH, seed=seed).history
        rows = whole.detections
        early = rows[rows["occasion"].astype(int) <= 4]
        first = lp.CaptureHistory.from_tables(
            early[["individual", "station", "occasion"]], DESIGN.stations.drop(columns="session"), occasions=4
        )
        made.append((whole.n_individuals, whole.n_recaptures))
        known = lp.SCR(priors={
            name: lp.Prior("LogNormal", mu=np.log(value), sigma=0.001) for name, value in TRUTH.items()
        }).fit(first, MASK, engine="laplace", draws=10, seed=1)  # fmt: skip
        told.append(lp.design.more_occasions(known, 8, draws=2).summary()[["n", "recaptures"]].iloc[0].to_numpy(float))
    difference = np.array(made, float) - np.array(told)
    error = difference.std(0, ddof=1) / np.sqrt(len(difference))
    assert (np.abs(difference.mean(0)) < 3.5 * error).all()
    assert (error / np.mean(told, axis=0) < 0.05).all()


def test_what_is_needed(fit):
    found = lp.design.more_occasions(fit, (1, 10, 400), rse=0.2, assurance=0.9)
    sure = found.summary().set_index("occasions")["assurance"]
    assert found.needed == min(m for m in sure.index if sure[m] >= 0.9)
    assert f"{found.needed:g} more are enough for an RSE of 20 % with probability 0.9" in repr(found)
    never = lp.design.more_occasions(fit, (1, 2), rse=0.01)
    assert never.needed is None
    assert "Not even 2 more are enough for an RSE of 1 %" in repr(never)


def test_classes_and_sessions():
    model = lp.SCR(detection=lp.HalfNormal(sigma="~ sex"), classes="sex")
    truth = {**TRUTH, "pmix": 0.5, "sigma[sex[M]]": 0.3}
    simulated = model.simulate(DESIGN, MASK, parameters=truth, seed=2)
    found = lp.design.more_occasions(model.fit(simulated.history, MASK, engine="laplace", seed=1), (0, 8), draws=30)
    row = found.summary().iloc[0]
    assert row["n"] == pytest.approx(simulated.history.n_individuals)
    assert row["recaptures"] == pytest.approx(simulated.history.n_recaptures)
    assert found.summary()["n"].iloc[1] > row["n"]


def test_bad_input(fit):
    for wrong in ({"rse": 0}, {"rse": -0.2}, {"assurance": 1.0}, {"draws": 0}, {"occasions": -3}, {"occasions": []}):
        with pytest.raises(ModelError, match=next(iter(wrong))):
            lp.design.more_occasions(fit, **wrong)
    with pytest.raises(ModelError, match="give the fit of a capture-recapture model"):
        lp.design.more_occasions(lp.SCR())
