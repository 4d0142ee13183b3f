"""The posterior in a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from leopardpop.results.elements import elements, units_of
from leopardpop.words import median_and_interval

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["summary_table"]

COLUMNS = ["mean", "median", "sd", "eti95_lb", "eti95_ub", "ess", "r_hat", "unit"]


def summary_table(posterior: xr.Dataset, importance_ess: float | None) -> pd.DataFrame:
    """Mean, median, sd, interval, effective draws and R-hat of every scalar.

    Parameters
    ----------
    posterior
        Group ``posterior``.
    importance_ess
        Independent draws that the importance weights are worth; None for Markov chains, which are then judged.
    """
    ess = chain_table(posterior, "ess") if importance_ess is None else {}
    r_hat = chain_table(posterior, "r_hat") if importance_ess is None and posterior.sizes["chain"] > 1 else {}
    rows = {}
    for name, draws in elements(posterior):
        median, lower, upper = median_and_interval(draws)
        own = importance_ess if importance_ess is not None else ess.get(name, np.nan)
        spread = float(draws.std(ddof=1)) if draws.size > 1 else 0.0
        unit = units_of(posterior, name)
        rows[name] = [float(draws.mean()), median, spread, lower, upper, own, r_hat.get(name, np.nan), unit]
    return pd.DataFrame.from_dict(rows, orient="index", columns=COLUMNS)


def chain_table(posterior: xr.Dataset, measure: str) -> dict[str, float]:
    """R-hat or effective draws (the smaller of bulk and tail) of every scalar.

    Parameters
    ----------
    posterior
        Variables (chain, draw, ...).
    measure
        ``"r_hat"`` or ``"ess"``.

    Returns
    -------
    dict
        Name of the scalar to its value; one that never changes is left out.
    """
    values = {name: draws for name, draws in elements(posterior) if np.ptp(draws) > 0}
    if not values:
        return {}
    stacked = np.stack(list(values.values()), axis=-1)
    result = _r_hat(stacked) if measure == "r_hat" else np.minimum(_ess(stacked, "bulk"), _ess(stacked, "tail"))
    return dict(zip(values, map(float, result), strict=True))


def _r_hat(draws: Any) -> Any:
    import arviz as az

    return az.rhat(draws, chain_axis=0, draw_axis=1)


def _ess(draws: Any, method: str) -> Any:
    import arviz as az

    return az.ess(draws, chain_axis=0, draw_axis=1, method=method, prob=0.95 if method == "tail" else None)
