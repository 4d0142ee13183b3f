"""Tables of what posterior draws say: means, medians and intervals by session, region and class."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

__all__ = ["INTERVAL", "summarise", "table_of"]

INTERVAL = (0.025, 0.975)
"""Ends of the 95 % interval with equal tails."""
TOGETHER = "all"
"""Level of the class that is the sum over classes."""


def summarise(
    quantities: dict[str, xr.DataArray], *, area: float | xr.DataArray, column: str | None, region: str | None
) -> pd.DataFrame:
    """Summarise draws of several quantities.

    Parameters
    ----------
    quantities
        Name to draws (chain, draw, ...), with ``attrs["units"]``.
    area
        Area of the regions, km².
    column
        Dimension of the classes, if there are any; a sum over them is added.
    region
        Name of the one region, a column of its own; None if regions are a dimension.

    Returns
    -------
    pandas.DataFrame
        Indexed by quantity and whatever other dimensions there are.
    """
    parts = {name: _rows(_with_sum(draws, column), area) for name, draws in quantities.items()}
    table = pd.concat(parts, names=["quantity"])
    if table.index.names[-1] is None:  # one row a quantity
        table = table.set_axis(pd.Index(list(parts), name="quantity"))
    return table if region is None else table.assign(region=region)


def _with_sum(draws: xr.DataArray, column: str | None) -> xr.DataArray:
    """Add the sum over classes; give a dimension of classes to what has none."""
    if column is None:
        return draws
    if column not in draws.dims:
        return draws.expand_dims({column: [TOGETHER]}, axis=-1)
    total = draws.sum(column, skipna=False, keep_attrs=True).expand_dims({column: [TOGETHER]}, axis=-1)
    return xr.concat([total, draws], column)


def _rows(draws: xr.DataArray, area: float | xr.DataArray) -> pd.DataFrame:
    places = [str(dim) for dim in draws.dims if dim not in {"chain", "draw"}]
    values = draws.transpose("chain", "draw", *places).to_numpy()
    flat = values.reshape(values.shape[0] * values.shape[1], -1).astype(float)
    low, median, high = np.quantile(flat, (INTERVAL[0], 0.5, INTERVAL[1]), axis=0)
    one = draws.isel(chain=0, draw=0)
    columns = {
        "mean": flat.mean(0),
        "median": median,
        "sd": flat.std(0, ddof=1) if len(flat) > 1 else np.full(flat.shape[1], np.nan),
        "eti95_lb": low,
        "eti95_ub": high,
        "unit": draws.attrs["units"],
        "area_km2": (xr.zeros_like(one, dtype=float) + area).transpose(*one.dims).to_numpy().reshape(-1),
    }
    index = pd.MultiIndex.from_product([draws[dim].to_numpy() for dim in places], names=places) if places else None
    return pd.DataFrame(columns, index=index)


def table_of(columns: dict[str, Any], region: str) -> pd.DataFrame:
    """Put numbers, or arrays by session and region, side by side; one row is labelled with the region's name."""
    arrays = {name: value for name, value in columns.items() if isinstance(value, xr.DataArray)}
    if not arrays:
        return pd.DataFrame(columns, index=pd.Index([region], name="region"))
    table = xr.Dataset(arrays).to_dataframe()
    return table.assign(**{name: value for name, value in columns.items() if name not in arrays})[list(columns)]
