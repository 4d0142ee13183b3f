"""Formulas: columns and names known by hand, both scales of coefficients, new rows, and every fault with its fix."""

from __future__ import annotations

import pickle
import subprocess
import sys
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leopardpop.components.formula import Design, build_design, formula_variables
from leopardpop.components.formula_syntax import parse_formula
from leopardpop.errors import DataError, ModelError

SIX = pd.DataFrame(
    {
        "snow": [10.0, 20.0, 30.0, 40.0, 50.0, 60.0],
        "elev": [900, 400, 700, 500, 800, 650],
        "sex": ["M", "F", "M", "F", "F", "M"],
        "year": [2021, 2022, 2023, 2021, 2022, 2023],
        "road": [True, False, False, True, True, False],
        "forest": pd.Categorical(
            ["oak", "pine", "oak", "fir", "fir", "pine"], categories=["pine", "oak", "fir", "palm"]
        ),
        "dist.to.water": [1.0, 3.0, 2.0, 5.0, 4.0, 6.0],
        "dist to road": [3.0, 1.0, 4.0, 1.5, 5.0, 9.0],
        "class": ["a", "b", "a", "a", "b", "b"],
    },
    index=["CT-1", "CT-2", "CT-3", "CT-4", "CT-5", "CT-6"],
)


def design(formula: str, table: pd.DataFrame = SIX) -> Design:
    return build_design(formula, table, parameter="D", rows="station")


def many_rows(seed: int, rows: int = 60) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "snow": rng.normal(30, 5, rows),
            "elev": rng.gamma(4, 200, rows),
            "sex": np.resize(["F", "M"], rows),
            "zone": rng.permutation(np.resize(["a", "b", "c"], rows)),
        }
    )


COLUMNS = {
    "~ snow + sex": {"snow": SIX.snow, "sex[M]": SIX.sex == "M"},
    "~ snow * sex": {"snow": SIX.snow, "sex[M]": SIX.sex == "M", "snow:sex[M]": SIX.snow * (SIX.sex == "M")},
    "~ sex / snow": {
        "sex[M]": SIX.sex == "M",
        "sex[F]:snow": SIX.snow * (SIX.sex == "F"),
        "sex[M]:snow": SIX.snow * (SIX.sex == "M"),
    },
    "~ I(snow**2) + {elev / 100}": {"I(snow ** 2)": SIX.snow**2, "I(elev / 100)": SIX.elev / 100},
    "~ I((snow + elev) * 2)": {"I((snow + elev) * 2)": 2 * (SIX.snow + SIX.elev)},
    "~ np.log(snow)": {"np.log(snow)": np.log(SIX.snow)},
    "~ I(snow > 25)": {"I(snow > 25)": SIX.snow > 25},
    "~ C(year)": {"C(year)[2022]": SIX.year == 2022, "C(year)[2023]": SIX.year == 2023},
    "~ T(sex, ref='M')": {"T(sex, ref='M')[F]": SIX.sex == "F"},
    "~ forest": {"forest[oak]": SIX.forest == "oak", "forest[fir]": SIX.forest == "fir"},
    "~ road": {"road[True]": SIX.road},
    "~ class": {"class[b]": SIX["class"] == "b"},
    "~ dist.to.water + `dist to road`": {
        "dist.to.water": SIX["dist.to.water"],
        "dist to road": SIX["dist to road"],
    },
    "~ center(snow)": {"center(snow)": SIX.snow - 35},
    "~ scale(snow)": {"scale(snow)": (SIX.snow - 35) / SIX.snow.std(ddof=0)},
    "~ 0 + snow + 1": {"snow": SIX.snow},
}


@pytest.mark.parametrize("formula", COLUMNS)
def test_columns_and_names_known_by_hand(formula: str) -> None:
    expected = {"Intercept": np.ones(6), **COLUMNS[formula]}
    got = design(formula)
    assert got.coefficients == tuple(expected)
    np.testing.assert_allclose(got.matrix, np.column_stack([np.asarray(v, float) for v in expected.values()]))


WITHOUT_INTERCEPT = {
    "~ 0 + sex": ("sex[F]", "sex[M]"),
    "~ snow - 1": ("snow",),
    "~ sex + snow - 1": ("sex[F]", "sex[M]", "snow"),
}


@pytest.mark.parametrize("formula", WITHOUT_INTERCEPT)
def test_without_an_intercept_nothing_is_centred(formula: str) -> None:
    got = design(formula)
    assert got.coefficients == WITHOUT_INTERCEPT[formula]
    assert not got.center.any()
    np.testing.assert_allclose(got.standardised, got.matrix / got.scale)


def test_centre_and_scale_are_mean_and_sd_of_numbers_only() -> None:
    got = design("~ snow + sex + elev")
    np.testing.assert_allclose(got.center, [0, 35, 0, SIX.elev.mean()])
    np.testing.assert_allclose(got.scale, [1, SIX.snow.std(ddof=0), 1, SIX.elev.std(ddof=0)])
    np.testing.assert_allclose(got.standardised, (got.matrix - got.center) / got.scale, atol=1e-13)
    assert got.factors == {"sex": ("F", "M")}
    assert got.numeric == pytest.approx({"snow": 35, "elev": SIX.elev.mean()})


def test_levels_keep_the_order_of_categories_and_drop_the_unused() -> None:
    assert design("~ forest").factors == {"forest": ("pine", "oak", "fir")}
    assert design("~ T(sex, ref='M')").factors == {"sex": ("M", "F")}
    assert design("~ road").factors == {"road": ("False", "True")}


def test_an_interaction_is_the_product_of_standardised_variables() -> None:
    table = many_rows(1)
    got = design("~ snow * elev * sex", table)
    snow, elev = ((table[c] - table[c].mean()) / table[c].std(ddof=0) for c in ("snow", "elev"))
    male = (table.sex == "M").astype(float)
    expected = {
        "Intercept": 1.0 + 0 * snow, "snow": snow, "elev": elev, "snow:elev": snow * elev, "sex[M]": male,
        "snow:sex[M]": snow * male, "elev:sex[M]": elev * male, "snow:elev:sex[M]": snow * elev * male,
    }  # fmt: skip
    assert got.coefficients == tuple(expected)
    np.testing.assert_allclose(got.standardised, np.column_stack(list(expected.values())), atol=1e-10)


FORMULAS = [
    "~ 1",
    "~ snow + sex",
    "~ snow * sex",
    "~ snow * elev * zone",
    "~ snow + snow:sex",
    "~ sex:snow",
    "~ snow:elev",
    "~ sex / snow",
    "~ (snow + elev + sex)**2",
    "~ zone + poly(snow, 2) * sex",
    "~ bs(snow, df=4) + elev",
    "~ I(snow**2) + snow + np.log(elev)",
    "~ center(snow) * scale(elev)",
    "~ C(zone) * snow",
    "~ I(sex == 'M') + snow",
]
NO_REFERENCE = ["~ 0 + sex", "~ snow + zone - 1", "~ 0 + sex * snow", "~ S(zone) * snow"]


@pytest.mark.parametrize("formula", FORMULAS + NO_REFERENCE)
@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_both_scales_tell_the_same_predictor(formula: str, seed: int) -> None:
    got = design(formula, many_rows(seed))
    theta = np.random.default_rng(seed).normal(size=(2, 3, len(got.coefficients)))
    beta = got.to_beta(theta)
    assert beta.shape == theta.shape
    np.testing.assert_allclose(got.to_theta(beta), theta, atol=1e-7)
    np.testing.assert_allclose(beta @ got.matrix.T, theta @ got.standardised.T, atol=1e-7)


@pytest.mark.parametrize("formula", FORMULAS)
@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_the_first_coefficient_is_the_predictor_at_the_reference(formula: str, seed: int) -> None:
    got = design(formula, many_rows(seed))
    theta = np.random.default_rng(seed).normal(size=len(got.coefficients))
    beta = got.to_beta(theta)
    reference = {name: levels[0] for name, levels in got.factors.items()} | got.numeric
    row = got.evaluate(pd.DataFrame([reference or {"none": 0}]))
    assert (row @ beta)[0] == pytest.approx(theta[0], abs=1e-8)
    assert beta[0] == pytest.approx(theta[0] - got.center[1:] @ beta[1:], abs=1e-8)


@pytest.mark.parametrize("formula", FORMULAS + NO_REFERENCE)
def test_new_rows_are_coded_as_the_old_ones(formula: str) -> None:
    table = many_rows(3)
    got = design(formula, table)
    np.testing.assert_allclose(got.evaluate(table), got.matrix, atol=1e-12)
    some = table.iloc[[17, 4]]
    np.testing.assert_allclose(got.evaluate(some), got.matrix[[17, 4]], atol=1e-12)
    again = pickle.loads(pickle.dumps(got))
    np.testing.assert_array_equal(again.evaluate(some), got.evaluate(some))


def test_main_effect_slopes_are_divided_by_their_sd() -> None:
    got = design("~ snow + elev")
    np.testing.assert_allclose(got.to_beta([0.0, 1.0, 2.0])[1:], [1 / got.scale[1], 2 / got.scale[2]])


def test_a_year_is_the_same_level_as_integer_float_and_text() -> None:
    got = design("~ C(year)")
    for value in (2022, 2022.0, "2022"):
        np.testing.assert_array_equal(got.evaluate(pd.DataFrame({"year": [value]})), [[1, 1, 0]])
    assert design("~ C(year)", SIX.astype({"year": float})).coefficients == got.coefficients


def test_small_integers_of_a_raster_do_not_overflow() -> None:
    table = SIX.assign(cover=np.array([200, 250, 16, 20, 100, 3], np.uint8))
    assert design("~ I(cover**2)", table).matrix[1, 1] == 62_500


@pytest.mark.parametrize("dtype", ["Int64", "Float64", "int8"])
def test_numeric_types_of_pandas_are_numbers(dtype: str) -> None:
    got = design("~ snow", SIX.astype({"snow": dtype}))
    np.testing.assert_array_equal(got.matrix[:, 1], SIX.snow)


def test_text_types_of_pandas_are_factors() -> None:
    assert design("~ sex", SIX.astype({"sex": "string"})).factors == {"sex": ("F", "M")}


def test_formula_variables() -> None:
    formula = "~ 0 + sex * np.log(snow) + bs(x, df=4) + `dist to road`:dist.to.water + T(class, ref='a:b') + {y / 2}"
    assert formula_variables(formula) == {"sex", "snow", "x", "dist to road", "dist.to.water", "class", "y"}
    assert formula_variables("~ 1") == set()


def test_calls_are_printed_in_one_way() -> None:
    calls = parse_formula('~ poly( snow,2 ) + {a+b} + np.log(`dist to road`) + T(sex, ref="M")').calls
    assert list(calls.values()) == ["poly(snow, 2)", "I(a + b)", "np.log(`dist to road`)", "T(sex, ref='M')"]


MISTAKES = {
    "~ sno": r"formula '~ sno' of 'D': there is no variable 'sno'\. Did you mean 'snow'\? Available: snow, elev",
    "D ~ snow": r"nothing may stand left of '~'.*write \"~ snow\"",
    "snow": 'write "~ snow"|Write "~ snow"',
    "~": 'For a constant write "~ 1"',
    "~ 0": "has no coefficient",
    "~ snow + (sex": r"position 10: cannot be read here: '\(' was never closed\n    ~ snow \+ \(sex\n             \^$",
    "~ snow elev": r"position 8: cannot be read here\n    ~ snow elev\n           \^$",
    "~ snow +": "something is missing behind the last operator",
    "~ snow @ elev": "cannot be read here",
    "~ `snow": "cannot be read here",
    "~ snow = 3": "cannot be read here",
    "~ (1 | sex)": r"position 4: a random effect such as \(1 \| group\) is a term of its own of an occupancy model",
    "~ snow + (snow | sex)": "a random effect",
    "~ snow**2": r"for a square write I\(snow\*\*2\)",
    "~ 2 * snow": "only the numbers 0 and 1",
    "~ snow > 3": r"a comparison is written as I\(x > 3\)",
    "~ snow % 2": "this operator is not allowed outside",
    "~ I(snow // 2)": "this operator is not allowed here",
    "~ sex[M]": "a level cannot be picked in a formula; write sex",
    "~ log(snow)": r"unknown function 'log'\. Did you mean 'np\.log'\?",
    "~ factor(sex)": r"unknown function 'factor'\. Did you mean 'C'\?",
    "~ np.load('x')": "unknown function 'np.load'",
    "~ np.mean(snow)": "unknown function 'np.mean'",
    "~ offset(snow)": "takes effort from the history by itself",
    "~ [snow]": "not part of the language",
    "~ 'snow'": "only the numbers 0 and 1",
    "~ _snow": "needs backquotes: `_snow`",
    "~ I((snow + elev) * 2) + I(snow + elev * 2)": "differ in brackets only",
    "~ year + C(year)": "both as it is and as a factor",
    "~ T(year, ref=2022)": "write the level as text: '2022'",
    "~ T(sex, ref='X')": "cannot be evaluated: reference not in levels",
    "~ bs(snow, df=2)": "cannot be evaluated: df=2 is too small",
    "~ bs()": "needs plain arguments",
    "~ snow:sex:1": "cannot be evaluated",
}  # fmt: skip


@pytest.mark.parametrize("formula", MISTAKES)
def test_a_wrong_formula_says_what_is_wrong(formula: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ModelError, match=MISTAKES[formula]):
        design(formula)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("formula", [None, 3, ["~ 1"]])
def test_a_formula_is_a_text(formula: Any) -> None:
    with pytest.raises(ModelError, match="a formula is a text"):
        build_design(formula, SIX, parameter="D")


SPOILED = {
    "~ same": (ModelError, r"same has the same value on all 6 stations", ["same"]),
    "~ one": (ModelError, r"'one' is 'a' on all 6 stations", ["one"]),
    "~ snow + twice": (ModelError, r"on these 6 stations snow, twice cannot be told apart", ["snow", "twice"]),
    "~ snow * year * sex": (ModelError, "cannot be told apart", None),
    "~ holes": (DataError, r"'holes' is missing on 2 of 6 stations \(CT-2, CT-5\)", ["CT-2", "CT-5"]),
    "~ unknown": (DataError, r"'unknown' is missing on 1 of 6 stations \(CT-4\)", ["CT-4"]),
    "~ np.log(zero)": (DataError, r"not a finite number on 1 of 6 stations", ["CT-3"]),
    "~ endless": (DataError, r"'endless' is missing on 1 of 6", ["CT-1"]),
    "~ day": (ModelError, "'day' is of type datetime64", ["day"]),
}


@pytest.mark.parametrize("formula", SPOILED)
def test_a_covariate_that_cannot_be_used_is_named(formula: str) -> None:
    table = SIX.assign(
        same=3.0, one="a", twice=2 * SIX.snow + 1, holes=[1, np.nan, 2, 3, np.nan, 4], zero=[1.0, 2, 0, 3, 4, 5],
        unknown=["a", "b", "a", None, "b", "b"], endless=[np.inf, 1, 2, 3, 4, 5], day=pd.Timestamp("2024-02-01"),
    )  # fmt: skip
    error, message, offenders = SPOILED[formula]
    with pytest.raises(error, match=message) as caught:
        design(formula, table)
    if offenders is not None:
        assert caught.value.offenders == offenders


def test_new_rows_with_faults_are_refused() -> None:
    got = design("~ sex + snow")
    with pytest.raises(ModelError, match=r"'sex' has no level 'm'\. Did you mean 'M'\? The levels are F, M"):
        got.evaluate(pd.DataFrame({"sex": ["F", "m"], "snow": [1.0, 2.0]}))
    with pytest.raises(ModelError, match="there is no variable 'snow'"):
        got.evaluate(pd.DataFrame({"sex": ["F"]}))
    with pytest.raises(DataError, match="'snow' is missing on 1 of 2"):
        got.evaluate(pd.DataFrame({"sex": ["F", "M"], "snow": [1.0, np.nan]}))
    with pytest.raises(ModelError, match="'snow' must be numeric"):
        got.evaluate(pd.DataFrame({"sex": ["F"], "snow": ["deep"]}))


def test_a_table_without_rows_or_with_a_column_twice_is_refused() -> None:
    with pytest.raises(ModelError, match="the table has no stations"):
        design("~ snow", SIX.iloc[:0])
    with pytest.raises(ModelError, match="'snow' more than once"):
        design("~ snow", pd.concat([SIX, SIX[["snow"]]], axis=1))


def test_a_constant_needs_no_formula_library() -> None:
    code = (
        "import sys, pandas as pd\n"
        "from leopardpop.components.formula import build_design\n"
        "d = build_design('~ 1', pd.DataFrame(index=range(4)), parameter='D')\n"
        "assert d.coefficients == ('Intercept',) and d.standardised.shape == (4, 1)\n"
        "assert d.evaluate(pd.DataFrame(index=range(2))).shape == (2, 1) and d.to_beta([2.0]) == [2.0]\n"
        "assert 'formulae' not in sys.modules, 'formulae was imported'\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
