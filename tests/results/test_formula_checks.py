"""Terms that go together, that sessions alone tell, or that no station told, are said."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import leopardpop as lp
from leopardpop.components.formula import build_design
from leopardpop.models.problem import Problem
from leopardpop.results.formula_checks import formula_findings, inflation
from tests.results.made import WEST, design, history, mask, quiet, stations


def problem(
    density: str = "~ 1", lambda0: str = "~ 1", *, of: lp.CaptureHistory | None = None, **covariates
) -> Problem:
    on = mask().with_covariates(**covariates) if covariates else mask()
    return Problem(lp.SCR(density=density, detection=lp.HalfNormal(lambda0=lambda0)), of or history("null"), on)


def findings(*args, **kwargs):
    return {each.quantity: each for each in formula_findings(problem(*args, **kwargs))}


def two_years(**columns) -> lp.CaptureHistory:
    places = stations("2021", "2022").assign(**columns)
    return lp.CaptureHistory.from_tables(None, places, occasions=6, effort_unit="day")


def test_inflation_is_that_of_a_regression():
    rng = np.random.default_rng(1)
    table = pd.DataFrame(rng.normal(size=(60, 3)), columns=list("abc"))
    table["c"] += 2 * table["a"] - table["b"]
    found = inflation(build_design("~ a + b + c", table, parameter="D"))
    for name in "abc":
        others = np.column_stack([np.ones(60), table.drop(columns=name)])
        left = table[name] - others @ np.linalg.lstsq(others, table[name])[0]
        assert found[name] == pytest.approx(table[name].var(ddof=0) / left.var(ddof=0))


def test_the_choice_of_a_reference_level_does_not_matter():
    rng = np.random.default_rng(2)
    table = pd.DataFrame({"snow": rng.normal(size=60), "kind": rng.choice(list("abc"), 60)})
    table["snow"] += 3.0 * (table["kind"] == "c")
    other = table.assign(kind=pd.Categorical(table["kind"], ["c", "b", "a"]))
    one, two = (inflation(build_design("~ snow + kind", each, parameter="D")) for each in (table, other))
    assert one == pytest.approx(two)
    assert one["snow"] > 1.5


def test_terms_that_nearly_say_the_same_are_named():
    rough = np.random.default_rng(3)
    found = findings("~ snow + cold", cold=lambda x, y: (x - WEST) / 1000 + rough.normal(0, 0.2, len(x)))
    said = found["collinearity of D"]
    assert said.verdict == "warn"
    assert said.warning == "DataWarning"
    assert "cold and snow of D nearly say the same" in said.advice


def test_terms_of_their_own_are_none():
    assert findings("~ snow + unused")["collinearity of D"].verdict == "ok"
    assert findings("~ poly(snow, 3)") == {}
    assert findings("~ bs(snow, df=4) + unused")["collinearity of D"].verdict == "ok"
    assert findings("~ snow * unused")["collinearity of D"].verdict == "ok"


def test_a_square_far_from_zero_gets_advice():
    said = findings("~ east + I(east**2)", east=lambda x, y: x / 1000)["collinearity of D"]
    assert said.verdict == "warn"
    assert "poly(...)" in said.advice


def test_the_fit_warns():
    rough = np.random.default_rng(3)
    on = mask().with_covariates(cold=lambda x, y: (x - WEST) / 1000 + rough.normal(0, 0.2, len(x)))
    with pytest.warns(lp.errors.DataWarning, match="nearly say the same"):
        lp.SCR(density="~ snow + cold").fit(history("null"), on, draws=100, seed=1)


def test_occupancy_warns_too():
    rng = np.random.default_rng(4)
    sites = pd.DataFrame({"wood": rng.normal(size=80)})
    sites["cover"] = sites["wood"] + rng.normal(0, 0.05, 80)
    visits = lp.DetectionHistory.from_tables((rng.random((80, 4)) < 0.3).astype(float), sites=sites)
    fit = quiet(lambda: lp.Occupancy(psi="~ wood + cover").fit(visits, draws=100, seed=1))
    assert fit.diagnostics().set_index("quantity").loc["collinearity of psi", "verdict"] == "warn"


def test_a_covariate_with_one_value_a_session():
    of = two_years(moon=np.repeat([0.2, 0.9], 25))
    said = findings(lambda0="~ moon", of=of)["covariates of lambda0 that vary between sessions only"]
    assert said.verdict == "note"
    assert "moon has one value in each session: the effect on lambda0 rests on 2 values" in said.advice
    assert findings(lambda0="~ river_km", of=of) == {}


def test_a_level_that_some_sessions_lack():
    road = [*["path"] * 25, *["path", "road"] * 12, "path"]
    said = findings(lambda0="~ kind", of=two_years(kind=road))["levels of lambda0 in some sessions only"]
    assert "kind 'road' is in '2022' only" in said.advice
    assert findings(lambda0="~ kind", of=two_years(kind=["path", "road"] * 25)) == {}
    assert findings("~ session", of=design("2021", "2022")) == {}


def test_a_level_where_no_station_was_on():
    places = stations("1").assign(kind=["road", *["path"] * 24])
    nights = pd.DataFrame({"session": "1", "station": places["station"], "effort": [0.0, *[6.0] * 24], "occasion": "1"})
    of = quiet(lambda: lp.CaptureHistory.from_tables(None, places, nights, effort_unit="day"))
    said = findings(lambda0="~ kind", of=of)["terms of lambda0 without effort"]
    assert said.verdict == "warn"
    assert "kind[road] of lambda0: only stations that were never on" in said.advice
