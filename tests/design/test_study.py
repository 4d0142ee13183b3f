"""Scenario studies: hand-made outcomes, and studies so small that they take seconds."""

from __future__ import annotations

import warnings
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np
import pandas as pd
import pytest

import leopardpop as lp
from leopardpop.design import studies
from leopardpop.design.study_result import gather
from leopardpop.errors import DataError, FitError, ModelError
from leopardpop.runs import Outcome
from tests.design.designs import TRUTH, grid_design, mask_of


def occupancy_plan(**rest) -> lp.design.Scenario:
    return lp.design.Scenario(
        **{"model": lp.Occupancy(), "design": lp.design.visits(40, 5), "parameters": {"psi": 0.6, "p": 0.4}} | rest
    )


def scr_plan(**rest) -> lp.design.Scenario:
    design = grid_design(3)
    return lp.design.Scenario(
        **{"model": lp.SCR(), "design": design, "mask": mask_of(design, 1.0), "parameters": TRUTH} | rest
    )


def outcome(truth, median, lower, upper, *, sd=1.0, trusted=True):
    estimates = {"N": [truth, median, median, sd, lower, upper]}
    return Outcome("k", {"facts": {"n_individuals": 4}, "trusted": trusted, "estimates": estimates})


def test_the_summary_by_hand():
    found = gather(
        [
            ("a", 0, outcome(10, 12, 9, 15, sd=3)),
            ("a", 1, outcome(10, 9, 8, 9.5, sd=1.8)),
            ("a", 2, outcome(10, 12, 8, 20)),
        ],
        3,
    ).summary()
    row = found.iloc[0]
    assert row["bias"] == pytest.approx(1.0)  # 2, -1, 2
    assert row["bias_mcse"] == pytest.approx(np.std([2, -1, 2], ddof=1) / 3**0.5)
    assert row["relative_bias"] == pytest.approx(0.1)
    assert row["rmse"] == pytest.approx(3**0.5)
    assert row["rmse_mcse"] == pytest.approx(np.std([4, 1, 4], ddof=1) / 3**0.5 / (2 * 3**0.5))
    assert row["coverage"] == pytest.approx(2 / 3)
    assert row["rse"] == pytest.approx(np.mean([3 / 12, 1.8 / 9, 1 / 12]))
    assert (row["replicates"], row["failed"], row["verdict"]) == (3, 0, "ok")


def test_the_error_of_a_root_mean_square():
    """The delta method against the spread of many studies."""
    rng = np.random.default_rng(1)
    several = []
    for _ in range(300):
        medians = 10 + 0.3 + rng.normal(size=60)
        rows = gather([("a", i, outcome(10, m, 8, 12)) for i, m in enumerate(medians)], 60).summary()
        several.append(rows[["rmse", "rmse_mcse"]].iloc[0].to_numpy(float))
    roots, errors = np.array(several).T
    assert errors.mean() == pytest.approx(roots.std(ddof=1), rel=0.2)


def test_a_scenario_that_mostly_fails_has_no_averages():
    bad = [("bad", i, Outcome("k", None, "FitError: no mode")) for i in range(6)]
    bad += [("bad", 6 + i, outcome(10, 10, 9, 11)) for i in range(4)]
    some = [("some", i, outcome(10, 10, 9, 11, trusted=i > 0)) for i in range(10)]
    none = [("none", i, Outcome("k", None, "DataError: dead")) for i in range(2)]
    found = gather(bad + some + none, 10)
    table = found.summary().set_index("scenario")
    assert table.loc["bad", "verdict"] == table.loc["none", "verdict"] == "mostly fails"
    assert table.loc[["bad", "none"], ["bias", "coverage", "rse", "truth"]].isna().all(axis=None)
    assert table.loc["bad", "failed"] == pytest.approx(0.6)
    assert table.loc["some", "verdict"] == "some fail"
    assert table.loc["some", ["bias", "replicates"]].tolist() == [0, 9]
    failures = found.failures().set_index("scenario")
    assert failures.loc["bad", ["ok", "failed", "error"]].tolist() == [4, 6, "FitError: no mode"]
    assert failures.loc["some", "untrusted"] == 1
    text = repr(found)
    assert "bad                     mostly fails: 60 % of the replicates gave no posterior; nothing is averaged" in text
    assert "10 % of the replicates failed" in text


def test_what_was_lost_is_no_success():
    lost = Outcome("k", None, "BrokenProcessPool: gone", lost=True)
    fine = [("a", i, outcome(10, 11, 9, 12)) for i in range(9)]
    found = gather([*fine, ("a", 9, lost)], 10)
    assert found.failures().iloc[0][["ok", "lost", "share", "verdict"]].tolist() == [
        9,
        1,
        pytest.approx(0.1),
        "some fail",
    ]
    assert "10 % of the replicates failed (1 replicate lost with their workers)" in repr(found)
    most = gather([*fine[:2], *(("a", i, lost) for i in range(2, 100))], 100)
    assert most.failures()["verdict"].item() == "mostly fails"
    assert np.isnan(most.summary()["bias"]).all()
    assert "98 % of the replicates gave no posterior (98 replicates lost with their workers)" in repr(most)


def test_an_error_of_one_replicate_is_not_fatal(monkeypatch):
    def some(work, point, seed):
        if seed % 3 == 0:
            raise FitError("no mode")
        return {"facts": {}, "trusted": True, "estimates": {"psi": [0.6, 0.6, 0.6, 0.1, 0.5, 0.7]}}

    monkeypatch.setattr(studies, "replicate", some)
    found = lp.design.study(occupancy_plan(), replicates=30)
    counts = found.replicates["status"].value_counts()
    assert counts["ok"] + counts["failed"] == 30
    assert counts["failed"] > 2
    assert found.failures()["error"].iloc[0] == "FitError: no mode"


def test_the_same_whatever_the_number_of_workers(tmp_path):
    plans = {"scr": scr_plan(), "sites": occupancy_plan()}
    here = lp.design.study(plans, replicates=2, seed=7)
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as two:
        there = lp.design.study(plans, replicates=2, seed=7, executor=two)
    pd.testing.assert_frame_equal(here.estimates, there.estimates, check_exact=True)
    pd.testing.assert_frame_equal(here.replicates, there.replicates)
    assert set(here.estimates["quantity"]) == {"D", "lambda0", "sigma", "E_N", "N", "psi", "p"}
    assert {"n_individuals", "n_recaptures", "n_spatial_recaptures"} <= set(here.replicates)


def test_it_goes_on_from_its_folder(tmp_path):
    told = []
    keep = {"folder": tmp_path / "study", "seed": 3}
    two = lp.design.study(occupancy_plan(), replicates=2, **keep)
    four = lp.design.study(occupancy_plan(), replicates=4, **keep, progress=lambda d, t: told.append((d, t)))
    assert told == [(2, 4), (3, 4), (4, 4)]
    pd.testing.assert_frame_equal(four.estimates[four.estimates["replicate"] < 2].reset_index(drop=True), two.estimates)
    told.clear()
    beside = {"old": occupancy_plan(), "scenario": occupancy_plan()}
    both = lp.design.study(beside, replicates=2, **keep, progress=lambda d, t: told.append((d, t)))
    assert told[0] == (2, 4)  # the scenario of that name is known, whatever stands beside it
    mine = both.estimates[both.estimates["scenario"] == "scenario"].reset_index(drop=True)
    pd.testing.assert_frame_equal(mine, two.estimates)
    assert not both.estimates["median"].iloc[:2].equals(mine["median"].iloc[:2])  # another name, other surveys


@pytest.mark.parametrize(
    "change",
    [
        {"parameters": {"psi": 0.6, "p": 0.5}},
        {"design": lp.design.visits(41, 5)},
        {"model": lp.Occupancy(link="probit")},
    ],
    ids=["parameters", "design", "model"],
)
def test_another_scenario_of_the_same_name_is_another(tmp_path, change):
    told = []
    lp.design.study(occupancy_plan(), replicates=1, folder=tmp_path / "s")
    lp.design.study(occupancy_plan(**change), replicates=1, folder=tmp_path / "s", progress=lambda d, t: told.append(d))
    assert told[0] == 0


def test_each_replicate_has_a_truth_of_its_own_from_priors():
    plan = occupancy_plan(parameters={"psi": lp.Prior("Beta", alpha=6, beta=4), "p": 0.4})
    truths = lp.design.study(plan, replicates=4).estimates.query("quantity == 'psi'")["truth"]
    assert truths.nunique() == 4
    assert truths.between(0, 1).all()


def test_a_table_and_the_posterior_of_a_pilot():
    table = pd.DataFrame({"psi": [0.5, 0.7], "p": [0.3, 0.4]})
    found = lp.design.study(occupancy_plan(parameters=table), replicates=6).estimates
    pairs = found.pivot(index="replicate", columns="quantity", values="truth")
    assert set(map(tuple, pairs[["psi", "p"]].round(9).to_numpy())) == {(0.5, 0.3), (0.7, 0.4)}
    model = lp.Occupancy()
    pilot = model.fit(
        model.simulate(lp.design.visits(40, 5), parameters={"psi": 0.6, "p": 0.4}, seed=1).history, seed=1
    )
    plan = occupancy_plan(parameters=pilot)
    assert plan.point(5).index.tolist() == ["psi[Intercept]", "p[Intercept]"]
    assert lp.design.study(plan, replicates=1).replicates["status"].tolist() == ["ok"]


def test_data_may_come_from_another_model():
    sex = lp.SCR(detection=lp.HalfNormal(sigma="~ sex"), classes="sex")
    truth = {**TRUTH, "pmix": 0.5, "sigma[sex[M]]": 0.7}
    found = lp.design.study(scr_plan(generator=sex, parameters=truth), replicates=1)
    assert set(found.estimates["quantity"]) == {"D", "lambda0", "E_N", "N"}  # there is no one sigma
    assert "data from SCR" in repr(scr_plan(generator=sex, parameters=truth))


def test_no_warning_rains():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        lp.design.study(scr_plan(parameters={**TRUTH, "D": 0.02}), replicates=2)


def test_bad_input():
    with pytest.raises(ModelError, match="scenarios: there is none"):
        lp.design.study({})
    with pytest.raises(ModelError, match="'a' is a SCR"):
        lp.design.study({"a": lp.SCR()})
    with pytest.raises(ModelError, match="replicates=0 must be"):
        lp.design.study(occupancy_plan(), replicates=0)
    with pytest.raises(ModelError, match="engine='laplac'"):
        lp.design.study(occupancy_plan(), engine="laplac")
    with pytest.raises(ModelError, match=r"psi = 1\.5 is outside its range"):
        lp.design.study(occupancy_plan(parameters={"psi": 1.5, "p": 0.4}), replicates=1)
    with pytest.raises(ModelError, match=r"give an lp\.SCR, an lp\.TwoFlanks or a model of occupancy"):
        occupancy_plan(model="SCR")
    with pytest.raises(ModelError, match="both are of capture-recapture"):
        occupancy_plan(generator=lp.SCR())
    with pytest.raises(DataError, match="mask: capture-recapture needs one"):
        scr_plan(mask=None)
    with pytest.raises(DataError, match="occupancy needs a DetectionHistory"):
        occupancy_plan(design=grid_design(2))
    with pytest.raises(DataError, match="is no capture history"):
        scr_plan(design=lp.design.visits(40, 5))


@pytest.mark.parametrize(
    ("name", "prior", "told"),
    [
        ("psi", lp.Prior("Normal", mu=0.5, sigma=0.4), "psi is a probability"),
        ("p", lp.Prior("LogNormal", mu=0, sigma=1), "p is"),
    ],
)
def test_priors_that_draw_what_cannot_be(name, prior, told):
    assumed = {"psi": 0.5, "p": 0.3} | {name: prior}
    with pytest.raises(ModelError, match=told):
        lp.design.Scenario(model=lp.Occupancy(), design=lp.design.visits(10, 3), parameters=assumed)


def test_the_figure():
    rows = [("fine", i, outcome(10, 10 + 0.1 * i, 9, 11)) for i in range(6)]
    rows += [("bad", i, Outcome("k", None, "FitError: no mode")) for i in range(6)]
    found = gather(rows, 6)
    axes = found.plot()
    assert [text.get_text() for text in axes[0].get_yticklabels()] == ["fine", "bad"]
    assert [text.get_text() for text in axes[0].texts] == [" mostly fails"]
    drawn = axes[0].containers[0].lines[0].get_xdata()
    assert drawn == pytest.approx([100 * found.summary()["relative_bias"].iloc[0]])
    assert "Of bad half of the replicates or more gave no posterior" in axes.figure.caption
    axes.figure.canvas.draw()
    with pytest.raises(ModelError, match=r"quantity='M': it is one of 'N'"):
        found.plot("M")


def test_two_flanks_need_data_that_show_flanks():
    plain = scr_plan()
    given = {"design": plain.design, "mask": plain.mask, "parameters": plain.parameters, "model": lp.TwoFlanks()}
    with pytest.raises(ModelError, match=r"TwoFlanks needs data that show flanks: give reality=.*both_flanks=0.7"):
        lp.design.Scenario(**given, reality=lp.design.Reality(die=0.1))
    with pytest.raises(ModelError, match="needs data that show flanks"):
        lp.design.Scenario(**given, generator=lp.SCR())
    plan = lp.design.Scenario(**given, reality=lp.design.Reality(both_flanks=0.5))
    found = lp.design.study({"flanks": plan, "model's own": lp.design.Scenario(**given)}, replicates=1, seed=2)
    assert set(found.replicates["status"]) <= {"ok", "untrusted"}
    assert {"N", "E_N", "sigma"} <= set(found.estimates["quantity"])
