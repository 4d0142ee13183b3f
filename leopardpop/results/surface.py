"""The map of density: what lives where, cell by cell, without ever holding draws x cells."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from leopardpop.errors import ModelError
from leopardpop.results.draws import flat_draws, spread_draws
from leopardpop.results.fields import CellMeans, cell_means

if TYPE_CHECKING:
    from leopardpop.models.likelihood.terms import Floats
    from leopardpop.models.problem import Problem
    from leopardpop.results.draws import HasDraws

__all__ = ["cell_coordinates", "density_surface"]

ENTRIES = 1_000_000
"""Numbers in a table of draws x cells that are held at a time."""


def density_surface(
    fit: HasDraws,
    *,
    quantiles: Sequence[float] = (0.025, 0.5, 0.975),
    exceeds: float | Sequence[float] | None = None,
    draws: int = 400,
) -> xr.Dataset:
    """Map the posterior of density.

    Parameters
    ----------
    fit
        The fit.
    quantiles
        Quantiles of D.
    exceeds
        Densities, animals per km², that D is compared with; None for none.
    draws
        Draws, evenly spread, that ``realised``, ``undetected`` and ``pdot`` are averaged over; those of D use all.

    Returns
    -------
    xarray.Dataset
        Over ``cell`` (the cells of all sessions one after the other, coordinates x, y, area, ``cell_session`` and
        ``mask_cell``): ``D_mean``, ``D_sd`` (per km²), ``D_cv``, ``D_quantile (quantile, cell)``; ``realised``, the
        expected number of activity centres given the data, of which ``undetected``; ``pdot``, the probability of being
        detected at least once; and ``exceedance (threshold, cell)``, the probability that D is larger.

    Raises
    ------
    ModelError
        If a quantile is not between 0 and 1, or a threshold is negative.

    Examples
    --------
    >>> import pandas as pd
    >>> import leopardpop as lp
    >>> axis = range(0, 6_000, 1_500)
    >>> stations = pd.DataFrame([(f"{x}-{y}", x, y) for x in axis for y in axis], columns=["station", "x", "y"])
    >>> design = lp.CaptureHistory.from_tables(None, stations, occasions=10)
    >>> mask = lp.Mask.around(design, buffer=4_500, spacing=600)
    >>> sim = lp.SCR().simulate(design, mask, parameters={"D": 0.4, "lambda0": 0.2, "sigma": 1_000}, seed=2)
    >>> fit = lp.SCR().fit(sim.history, mask, seed=1)
    >>> surface = fit.density_surface()
    >>> bool(abs(surface["D_mean"] - fit.posterior["D"].mean()).max() < 1e-12)
    True
    """
    levels, thresholds = np.asarray(quantiles, float), np.ravel([] if exceeds is None else exceeds).astype(float)
    if not ((levels >= 0) & (levels <= 1)).all():
        raise ModelError(f"quantiles={list(quantiles)!r} must lie between 0 and 1.")
    if not (thresholds >= 0).all():
        raise ModelError(f"exceeds={exceeds!r} must be densities, animals per km² (0.01 is 1 per 100 km²).")
    problem = fit.problem
    density = _density(problem, flat_draws(fit), levels, thresholds)
    means = [np.concatenate(rows) for rows in zip(*cell_means(problem, spread_draws(fit, draws)), strict=True)]
    variables = _variables(density, CellMeans(*means), has_thresholds=len(thresholds) > 0)
    coordinates = {**cell_coordinates(problem), "quantile": levels}
    if len(thresholds):
        coordinates["threshold"] = thresholds
    return xr.Dataset(variables, coordinates, {"crs": problem.history.crs or ""})


def _variables(density: list[Floats], means: CellMeans, *, has_thresholds: bool) -> dict[str, tuple[Any, ...]]:
    mean, sd, quantile, exceedance = density
    per_km2, animals, none = {"units": "1/km²"}, {"units": "animals"}, {"units": "1"}
    variables: dict[str, tuple[Any, ...]] = {
        "D_mean": ("cell", mean, per_km2),
        "D_sd": ("cell", sd, per_km2),
        "D_cv": ("cell", sd / mean, none),
        "D_quantile": (("quantile", "cell"), quantile, per_km2),
        "realised": ("cell", means.detected + means.undetected, animals),
        "undetected": ("cell", means.undetected, animals),
        "pdot": ("cell", means.pdot, none),
    }
    if has_thresholds:
        variables["exceedance"] = (("threshold", "cell"), exceedance, none)
    return variables


def _density(problem: Problem, theta: Floats, levels: Floats, thresholds: Floats) -> list[Floats]:
    """Mean, sd, quantiles and exceedance of D over the cells; cells with the same covariates are worked out once."""
    parameter = problem.layout["D"]
    distinct, at = parameter.distinct()
    step = max(1, ENTRIES // len(theta))
    rows = np.arange(distinct.splits[0])
    blocks = [distinct.chosen(rows[i : i + step]) for i in rows[::step]]
    parts = [_density_block(block.predictor_of_rows(theta).T, levels, thresholds) for block in blocks]
    return [np.concatenate(piece, axis=-1)[..., at] for piece in zip(*parts, strict=True)]


def _density_block(log_density: Floats, levels: Floats, thresholds: Floats) -> tuple[Floats, ...]:
    density = np.exp(log_density)
    exceedance = np.array([(density > t).mean(1) for t in thresholds]).reshape(len(thresholds), len(density))
    sd = density.std(1, ddof=1) if density.shape[1] > 1 else np.full(len(density), np.nan)
    return density.mean(1), sd, np.quantile(density, levels, axis=1), exceedance


def cell_coordinates(problem: Problem) -> dict[str, Any]:
    """Coordinates of the cells of all sessions in turn: x, y [m], area [km²], session, index in its mask."""
    sessions = [data.session for data in problem.data]
    masks = [problem.masks[session] for session in sessions]
    columns: dict[str, tuple[Any, dict[str, str]]] = {
        "cell": (np.arange(sum(m.n_cells for m in masks)), {}),
        "x": (np.concatenate([m.x for m in masks]), {"units": "m"}),
        "y": (np.concatenate([m.y for m in masks]), {"units": "m"}),
        "area": (np.concatenate([m.area for m in masks]), {"units": "km²"}),
        "cell_session": (np.repeat(sessions, [m.n_cells for m in masks]), {}),
        "mask_cell": (np.concatenate([np.arange(m.n_cells) for m in masks]), {}),
    }
    return {name: ("cell", values, attrs) for name, (values, attrs) in columns.items()}
