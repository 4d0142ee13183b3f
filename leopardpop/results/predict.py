"""Any parameter of the model at new rows of its covariates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import xarray as xr

from leopardpop.models.describe import effort_unit_of
from leopardpop.results.predictor import Predictor, extrapolated

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
        One row a place or animal, with the variables of the parameter's formula (any table, for a constant one);
        ``x`` and ``y`` of a formula of density in metres, as in the mask's table.

    Returns
    -------
    xarray.DataArray
        Natural scale (chain, draw, row), rows labelled by the index of the table; ``attrs["units"]`` says the unit. Of
        an occupancy model the coordinate ``extrapolated`` says whether a covariate of a row lies outside of what the
        history has.

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
    values = Predictor(fit, parameter, rows, theta.reshape(-1, theta.shape[-1])).block(slice(None))
    values = values.reshape(*theta.shape[:2], len(rows))
    coordinates: dict[str, Any] = {name: np.arange(n) for name, n in zip(("chain", "draw"), theta.shape, strict=False)}
    coordinates["row"] = rows.index.to_numpy()
    outside = extrapolated(problem, parameter, rows)
    if outside is not None:
        coordinates["extrapolated"] = ("row", outside)
    units = effort_unit_of(known.unit, problem.history.effort_unit)
    return xr.DataArray(values, coordinates, ["chain", "draw", "row"], name=parameter, attrs={"units": units})
