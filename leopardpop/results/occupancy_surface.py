"""A parameter of an occupancy model over a map: cell by cell, without ever holding draws x cells."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import xarray as xr

from leopardpop.components.spatial import POSITIONS
from leopardpop.data.mask import Mask
from leopardpop.errors import DataError, ModelError
from leopardpop.models.effects import Effects
from leopardpop.models.spatial_effects import SpatialEffect
from leopardpop.results.predictor import Predictor, extrapolated

if TYPE_CHECKING:
    from leopardpop.models.likelihood.terms import Floats
    from leopardpop.results.occupancy_fit import OccupancyFit

    type Ground = Mask | xr.Dataset | pd.DataFrame

__all__ = ["block_surface", "ground_rows", "occupancy_surface", "spread_theta"]

ENTRIES = 2_000_000
"""Draws x cells that are held at a time: some 16 MB an array, of which a block needs a handful."""


def occupancy_surface(
    fit: OccupancyFit,
    parameter: str,
    ground: Ground,
    *,
    quantiles: Sequence[float] = (0.025, 0.5, 0.975),
    draws: int = 1000,
) -> xr.Dataset:
    """Map the posterior of a parameter.

    The cells are worked out in blocks, so that memory does not grow with draws times cells: a million cells need some
    40 MB for each table that is returned, and the covariates.

    Parameters
    ----------
    fit
        The fit.
    parameter
        ``"psi"``, ``"breeding"``, ``"p"`` ...
    ground
        Cells with the variables of the parameter's formula: a :class:`Mask` with covariates (its ``x`` and ``y`` are
        also ``easting`` and ``northing``), a Dataset of layers over the same dimensions, such as y and x (cells where
        a layer is NaN stay NaN), or a table with one row a cell. With a spatial effect they have x and y, in metres,
        in the coordinate system of the sites.
    quantiles
        Quantiles of the posterior, between 0 and 1.
    draws
        Draws, evenly spread, that are used.

    Returns
    -------
    xarray.Dataset
        ``{parameter}_mean``, ``{parameter}_sd``, ``{parameter}_quantile (quantile, ...)`` and ``extrapolated``, whether
        a covariate lies outside of what the sites have, over ``cell`` or the dimensions of the layers; and ``total
        (sample)``, the sum over the cells by draw: of psi the expected number of cells used.

    Raises
    ------
    ModelError
        If the model has no such parameter, a quantile is not between 0 and 1, or a variable is not there.
    DataError
        If a covariate is missing in a cell of a mask or table.

    Examples
    --------
    >>> import leopardpop as lp
    >>> sites = pd.DataFrame({"site": [str(i) for i in range(50)], "snow": np.linspace(0, 30, 50)})
    >>> looked = pd.DataFrame(np.ones((50, 4))).assign(site=sites["site"])
    >>> model = lp.Occupancy(psi="~ snow")
    >>> design = lp.DetectionHistory.from_tables(looked, sites)
    >>> sim = model.simulate(design, parameters={"psi": 0.5, "psi[snow]": -0.1, "p": 0.4}, seed=1)
    >>> surface = model.fit(sim.history, seed=1).surface("psi", pd.DataFrame({"snow": [5.0, 15.0, 45.0]}))
    >>> surface["extrapolated"].values.tolist()
    [False, False, True]
    """
    rows, template = ground_rows(ground, fit, parameter)
    predictor = Predictor(fit, parameter, rows, spread_theta(fit, draws))
    return block_surface(fit, parameter, rows, template, predictor.block, quantiles=quantiles, draws=draws)


def block_surface(
    fit: OccupancyFit,
    parameter: str,
    rows: pd.DataFrame,
    template: xr.DataArray,
    block: Callable[[slice], Floats],
    *,
    quantiles: Sequence[float],
    draws: int,
    name: str = "",
    units: str = "1",
) -> xr.Dataset:
    """Summarise values of cells that are worked out in blocks.

    Parameters
    ----------
    fit
        The fit.
    parameter
        The parameter whose covariates the cells have.
    rows, template
        Of :func:`ground_rows`.
    block
        Values of some rows, (draws, rows).
    quantiles, draws
        As of :func:`occupancy_surface`.
    name, units
        What the values are; by default the parameter.
    """
    levels = np.asarray(quantiles, float)
    if not ((levels >= 0) & (levels <= 1)).all():
        raise ModelError(f"quantiles={list(quantiles)!r} must lie between 0 and 1.")
    found = _summaries(block, len(rows), len(spread_theta(fit, draws)), levels)
    outside = extrapolated(fit.problem, parameter, rows)
    return _labelled(name or parameter, found, outside, template, levels, units)


def spread_theta(fit: OccupancyFit, draws: int) -> Floats:
    """Some of the draws, evenly spread, (S, P)."""
    theta = np.asarray(fit.theta, float).reshape(-1, fit.theta.shape[-1])
    count = min(int(draws), len(theta))
    return theta[((np.arange(count) + 0.5) * len(theta) / count).astype(np.intp)]


def ground_rows(ground: Any, fit: OccupancyFit, parameter: str) -> tuple[pd.DataFrame, xr.DataArray]:
    """Table of the cells, and an array over their dimensions with the number of the row of each (-1: none)."""
    if isinstance(ground, Mask):
        table = ground.table.reset_index(drop=True)
        table = table.assign(**{n: table[c] for n, c in (("easting", "x"), ("northing", "y")) if n not in table})
        at = {"x": ("cell", ground.x, {"units": "m"}), "y": ("cell", ground.y, {"units": "m"})}
        return table, xr.DataArray(np.arange(len(table)), {"cell": np.arange(len(table)), **at}, ["cell"])
    if isinstance(ground, xr.Dataset):
        return _of_layers(ground, fit, parameter)
    if isinstance(ground, pd.DataFrame):
        return ground, xr.DataArray(np.arange(len(ground)), {"cell": ground.index.to_numpy()}, ["cell"])
    raise DataError(
        f"ground is a {type(ground).__name__}: give an lp.Mask with covariates, an xarray Dataset of layers or a table."
    )


def _of_layers(layers: xr.Dataset, fit: OccupancyFit, parameter: str) -> tuple[pd.DataFrame, xr.DataArray]:
    problem = fit.problem
    design = problem.layout[parameter].design
    groups = {each.design.group for each in problem.effects_of(parameter) if isinstance(each, Effects)}
    added = () if design.offset is None else design.offset.numeric
    wanted = (*design.numeric, *added, *design.factors, *sorted(groups), *_positions(layers, problem, parameter))
    names = [name for name in dict.fromkeys(wanted) if name in layers.variables]
    template = xr.broadcast(*(layers[name].reset_coords(drop=True) for name in names))[0] if names else None
    if template is None:
        raise ModelError(f"{parameter} has no covariate among the layers ({', '.join(map(str, layers.data_vars))}).")
    columns = {name: np.ravel(layers[name].broadcast_like(template).transpose(*template.dims).values) for name in names}
    table = pd.DataFrame(columns)
    known = table.notna().all(axis=1).to_numpy()
    number = np.where(known, np.cumsum(known) - 1, -1).reshape(template.shape)
    return table[known].reset_index(drop=True), template.copy(data=number)


def _positions(layers: xr.Dataset, problem: Any, parameter: str) -> tuple[str, ...]:
    """Names of the layers or coordinates, in metres, that say where the cells are, if the parameter has a surface."""
    if not any(isinstance(each, SpatialEffect) for each in problem.effects_of(parameter)):
        return ()
    return next((pair for pair in POSITIONS if set(pair) <= set(layers.variables)), ())


def _blocks(n_rows: int, n_draws: int) -> Iterator[slice]:
    step = max(1, ENTRIES // n_draws)
    for begin in range(0, n_rows, step):
        yield slice(begin, min(begin + step, n_rows))


def _summaries(
    block: Callable[[slice], Floats], n_rows: int, n_draws: int, levels: Floats
) -> tuple[Floats, Floats, Floats, Floats]:
    """Mean (J,), sd (J,), quantiles (Q, J) and the sum over the rows (S,)."""
    mean, sd, quantile = np.empty(n_rows), np.empty(n_rows), np.empty((len(levels), n_rows))
    total = np.zeros(n_draws)
    for part in _blocks(n_rows, n_draws):
        values = block(part)
        mean[part], sd[part] = values.mean(0), values.std(0, ddof=1 if n_draws > 1 else 0)
        total += values.sum(1)
        quantile[:, part] = np.quantile(values, levels, axis=0, overwrite_input=True)
    return mean, sd, quantile, total


def _labelled(
    parameter: str, found: tuple[Floats, ...], outside: Any, template: xr.DataArray, levels: Floats, unit: str
) -> xr.Dataset:
    """Put results by row where the cells are."""
    mean, sd, quantile, total = found
    place, dims = template.values, template.dims

    def spread(values: Floats) -> Floats:
        padded = np.concatenate([values, np.full((*values.shape[:-1], 1), np.nan)], axis=-1)  # row -1: no value
        return padded[..., place]

    units = {"units": unit}
    variables = {
        f"{parameter}_mean": (dims, spread(mean), units),
        f"{parameter}_sd": (dims, spread(sd), units),
        f"{parameter}_quantile": (("quantile", *dims), spread(quantile), units),
        "extrapolated": (dims, np.append(outside, False)[place]),
        "total": ("sample", total, {"units": "cells"}),
    }
    return xr.Dataset(variables, {**template.coords, "quantile": levels})
