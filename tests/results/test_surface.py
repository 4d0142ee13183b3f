"""The map of density against tables of all draws and cells, which it never makes itself."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pandas as pd
import pytest

import leopardpop as lp
from leopardpop.errors import ModelError
from leopardpop.models.describe import theta_of
from leopardpop.models.problem import Problem
from leopardpop.results.population import population
from leopardpop.results.surface import density_surface
from tests.reference.datasets import library_history
from tests.results.standin import StandIn, model_of, plain_survey, stand_in, values_of


def test_summaries_of_density() -> None:
    fit = stand_in("known", layout="two sessions")
    table = np.array([np.concatenate(fit.problem.density(row)) for row in fit.theta.reshape(-1, fit.theta.shape[-1])])
    surface = density_surface(fit, quantiles=(0.1, 0.9), exceeds=(0.2, 0.4))
    np.testing.assert_allclose(surface["D_mean"], table.mean(0))
    np.testing.assert_allclose(surface["D_sd"], table.std(0, ddof=1))
    np.testing.assert_allclose(surface["D_cv"], table.std(0, ddof=1) / table.mean(0))
    np.testing.assert_allclose(surface["D_quantile"], np.quantile(table, [0.1, 0.9], axis=0))
    np.testing.assert_allclose(surface["exceedance"], [(table > t).mean(0) for t in (0.2, 0.4)])
    assert surface["D_mean"].attrs["units"] == "1/km²"


def test_fields_are_means_over_draws() -> None:
    fit = stand_in("partly known", draws=10)
    rows = fit.theta.reshape(-1, fit.theta.shape[-1])
    placed = np.mean([fit.problem.centres(row)[0].sum(0) for row in rows], axis=0)
    missed = np.mean([fit.problem.undetected(row)[0].sum(0) for row in rows], axis=0)
    surface = density_surface(fit)
    np.testing.assert_allclose(surface["undetected"], missed)
    np.testing.assert_allclose(surface["realised"], placed + missed, rtol=1e-9)
    np.testing.assert_allclose(surface["pdot"], np.mean([fit.problem.pdot(row)[0] for row in rows], axis=0))
    assert float(surface["realised"].sum()) == pytest.approx(float(population(fit).sources.sum(axis=1).iloc[0]))


def test_cells_of_all_sessions() -> None:
    fit = stand_in(layout="two sessions")
    surface = density_surface(fit)
    masks = fit.problem.masks
    assert surface.sizes["cell"] == sum(m.n_cells for m in masks.values())
    second = surface.where(surface["cell_session"] == "2022", drop=True)
    np.testing.assert_array_equal(second["x"], masks["2022"].x)
    np.testing.assert_array_equal(second["mask_cell"], np.arange(masks["2022"].n_cells))
    np.testing.assert_array_equal(second["area"], masks["2022"].area)


def test_fewer_draws_are_nearly_the_same() -> None:
    fit = stand_in(draws=300, spread=0.1)
    some, every = density_surface(fit, draws=100), density_surface(fit, draws=600)
    assert some["D_mean"].equals(every["D_mean"])
    assert float(abs(some["realised"] - every["realised"]).max()) < 0.04


def test_refusals() -> None:
    with pytest.raises(ModelError, match="quantiles"):
        density_surface(stand_in(draws=3), quantiles=(2.5, 97.5))
    with pytest.raises(ModelError, match="per km²"):
        density_surface(stand_in(draws=3), exceeds=-1)


def test_memory() -> None:
    """2,000 draws x 4,900 cells would be 78 MB."""
    side = np.arange(50.0, 7050.0, 100.0)
    x, y = (axis.ravel() for axis in np.meshgrid(side, side))
    table = pd.DataFrame({"x": x, "y": y, "area": 0.01, "snow": (x + y) / 200})
    problem = Problem(model_of(), library_history(plain_survey()), lp.Mask.from_table(table))
    centre = theta_of(problem, pd.Series(values_of()))
    fit = StandIn(problem, centre + 0.05 * np.random.default_rng(1).normal(size=(2, 1000, len(centre))))
    tracemalloc.start()
    density_surface(fit, draws=50)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 50e6
