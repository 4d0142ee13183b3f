"""Any parameter of the model at new rows of its covariates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import xarray as xr

from leopardpop.models.describe import effort_unit_of
from leopardpop.results.draws import generator

if TYPE_CHECKING:
    from leopardpop.results.draws import HasDraws

__all__ = ["predict"]


def predict(fit: HasDraws, parameter: str, table: pd.DataFrame | Mapping[str, Any]) -> xr.DataArray:
    """Posterior of a parameter at new values of its covariates.

    Parameters
    ----------
    fit
        The fit.
    parameter
        Name: ``"D"``, ``"sigma"``, ``"lambda0"``, ``"g0"`` ...
    table
        One row a place or animal, with the variables of the parameter's formula (any table, for a constant one).

    Returns
    -------
    xarray.DataArray
        Natural scale (chain, draw, row), rows labelled by the index of the table; ``attrs["units"]`` says the unit.

    With random effects each row has the deviation of its group; a group that the history does not have is a new one,
    whose deviation is drawn from the law of all groups, the same for all its rows.

    Raises
    ------
    ModelError
        If the model has no such parameter, a variable is not in the table, or a factor has a level that the model has
        not seen.
    DataError
        If a value is missing.

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
    >>> fit.predict("sigma", pd.DataFrame({"snow": [0.0, 20.0]})).sizes["row"]
    2
    """
    problem = fit.problem
    known = problem.layout[parameter]
    rows = table if isinstance(table, pd.DataFrame) else pd.DataFrame(dict(table))
    theta = np.asarray(fit.theta, float)
    beta = known.design.to_beta(theta[..., known.place])
    with np.errstate(over="ignore"):  # far outside the data a density may be infinite, which says enough
        eta = beta @ known.design.evaluate(rows).T + _deviations(fit, parameter, rows)
        values = np.asarray(known.link.inverse(eta))
    coordinates = {"chain": np.arange(theta.shape[0]), "draw": np.arange(theta.shape[1]), "row": rows.index.to_numpy()}
    units = effort_unit_of(known.unit, problem.history.effort_unit)
    return xr.DataArray(values, coordinates, ["chain", "draw", "row"], name=parameter, attrs={"units": units})


def _deviations(fit: HasDraws, parameter: str, rows: pd.DataFrame) -> Any:
    """Sum of the random effects of a parameter at new rows, (chain, draw, row); 0 without any."""
    total: Any = 0.0
    theta = np.asarray(fit.theta, float)
    for each in fit.problem.layout.effects:
        if each.parameter == parameter:
            group, value = each.design.evaluate(rows)
            n_new = int(group.max(initial=-1)) + 1 - len(each.groups)
            rng = generator(fit, f"new groups of {each.label}")
            sd = np.exp(theta[..., each.spread, None])
            new = sd * rng.standard_normal((*theta.shape[:2], max(n_new, 0)))
            total = total + np.concatenate([each.natural(theta), new], axis=-1)[..., group] * value
    return total
