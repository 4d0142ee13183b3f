"""The figure of a comparison has the numbers of its table."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import leopardpop as lp
from leopardpop.plots.comparison import _numbers
from tests.results import made


def fits():
    other = lp.SCR(detection=lp.Exponential())
    return {
        "half-normal": made.fit("null"),
        "exponential": made.quiet(lambda: other.fit(made.history("null"), made.mask(), seed=1, draws=500)),
    }


def test_points_are_those_of_the_table():
    both = made.quiet(fits)
    left, right = made.quiet(lambda: lp.plot_comparison(both))
    table = made.quiet(lambda: lp.compare(both))
    assert [label.get_text() for label in left.get_yticklabels()] == table.index.tolist()
    np.testing.assert_allclose(np.asarray(left.lines[1].get_xdata(), float), -table["elpd_diff"].astype(float).abs())
    medians = [float(both[name].population().realised.median()) for name in table.index]
    np.testing.assert_allclose(right.lines[0].get_xdata(), medians)
    assert f"the best is {table.index[0]}" in left.figure.caption
    assert "N by each of them, medians from" in left.figure.caption


def test_maxima_are_compared_by_aicc():
    models = {"a": lp.SCR(), "b": lp.SCR(density="~ snow")}
    maxima = {name: model.maximum_likelihood(made.history("null"), made.mask()) for name, model in models.items()}
    (only,) = lp.plot_comparison(maxima)
    np.testing.assert_allclose(np.sort(only.lines[1].get_xdata()), np.sort(lp.compare(maxima)["delta"]))
    assert only.get_xlabel() == "AICc − that of the best"


def test_several_sessions_have_no_one_number():
    both = {"a": made.fit("years"), "b": made.fit("years")}
    assert _numbers(both, pd.DataFrame(index=["a", "b"])) is None


def test_one_fit_is_no_comparison():
    with pytest.raises(lp.errors.ModelError, match="at least two fits"):
        lp.plot_comparison({"a": made.fit("null")})
