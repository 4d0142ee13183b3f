"""Parameters at new rows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from leopardpop.errors import DataError, ModelError
from leopardpop.results.predict import predict
from tests.results.standin import stand_in


def test_the_tables_own_rows_give_the_models_values() -> None:
    fit = stand_in("known", draws=4)
    mask = fit.problem.masks["2021"]
    found = predict(fit, "D", mask.table)
    assert found.dims == ("chain", "draw", "row")
    assert found.attrs["units"] == "1/km²"
    for chain, draw in np.ndindex(2, 4):
        np.testing.assert_allclose(found.isel(chain=chain, draw=draw), fit.problem.density(fit.theta[chain, draw])[0])


def test_levels_and_units() -> None:
    fit = stand_in("known", draws=4)
    table = pd.DataFrame({"sex": ["M", "F"]}, index=["male", "female"])
    sigma = predict(fit, "sigma", table)
    place = fit.problem.layout["sigma"].place
    eta = fit.theta[..., place]
    np.testing.assert_allclose(sigma.sel(row="female"), np.exp(eta[..., 0]))
    np.testing.assert_allclose(sigma.sel(row="male"), np.exp(eta.sum(-1)))
    assert sigma.attrs["units"] == "m"
    rate = predict(fit, "lambda0", {"anything": [1, 2, 3]})
    assert rate.sizes["row"] == 3
    assert rate.attrs["units"] == "1/day"


def test_refusals() -> None:
    fit = stand_in("known", draws=2)
    with pytest.raises(ModelError, match="no parameter 'g0'"):
        predict(fit, "g0", {"sex": ["F"]})
    with pytest.raises(ModelError, match="X"):
        predict(fit, "sigma", {"sex": ["X"]})
    with pytest.raises(ModelError, match="snow"):
        predict(fit, "D", {"ice": [1.0]})
    with pytest.raises(DataError, match="missing"):
        predict(fit, "D", {"snow": [np.nan]})
