"""How a parameter follows one covariate, everything else held still."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from leopardpop.data.names import did_you_mean
from leopardpop.errors import ModelError
from leopardpop.models.tables import density_origin
from leopardpop.results.predictor import Predictor, extrapolated, sampled_ranges

if TYPE_CHECKING:
    from leopardpop.results.draws import HasDraws
    from leopardpop.results.occupancy_fit import OccupancyFit

__all__ = ["effect_table"]


def effect_table(
    fit: HasDraws | OccupancyFit,
    parameter: str,
    variable: str,
    *,
    at: Mapping[str, Any] | None = None,
    span: tuple[float, float] | None = None,
    points: int = 60,
    group: Mapping[str, str] | None = None,
) -> pd.DataFrame:
    """Posterior of a parameter along one covariate.

    Other numeric covariates are at their means, other factors at their first level, and groups of random effects in
    the middle (deviation 0), unless ``at`` says otherwise.

    Parameters
    ----------
    fit
        The fit.
    parameter
        ``"psi"``, ``"p"``, ``"psi_next"``; ``"D"``, ``"lambda0"``, ``"sigma"`` ...
    variable
        Covariate of the parameter's formula, numeric or a factor.
    at
        Values of other covariates, such as ``{"state": "used"}``.
    span
        First and last value of a numeric covariate; None: the range that the history has.
    points
        Number of values of a numeric covariate.
    group
        Group of the random effects; None: one in the middle.

    Returns
    -------
    pandas.DataFrame
        One row a value: the variable, mean, median, eti95_lb, eti95_ub (95 %, equal tails), and extrapolated, whether
        the value lies outside of what the history has.

    Raises
    ------
    ModelError
        If the formula has no such covariate.

    Examples
    --------
    >>> import leopardpop as lp
    >>> sites = pd.DataFrame({"site": [str(i) for i in range(50)], "snow": np.linspace(0, 30, 50)})
    >>> looked = pd.DataFrame(np.ones((50, 4))).assign(site=sites["site"])
    >>> model = lp.Occupancy(psi="~ snow")
    >>> design = lp.DetectionHistory.from_tables(looked, sites)
    >>> sim = model.simulate(design, parameters={"psi": 0.5, "psi[snow]": -0.1, "p": 0.4}, seed=1)
    >>> table = model.fit(sim.history, seed=1).effect("psi", "snow", span=(0, 40), points=5)
    >>> table["snow"].tolist(), table["extrapolated"].tolist()
    ([0.0, 10.0, 20.0, 30.0, 40.0], [False, False, False, False, True])
    """
    problem: Any = fit.problem
    known = [each.name for each in problem.layout.parts]
    if parameter not in known:
        hint = did_you_mean(parameter, known)
        raise ModelError(f"effect: there is no parameter {parameter!r}.{hint} There are {', '.join(known)}.")
    design = problem.layout[parameter].design
    middle = dict(zip("xy", density_origin(problem.masks), strict=True)) if parameter == "D" else {}  # they are in m
    means = design.numeric | ({} if design.offset is None else design.offset.numeric)
    numeric = {name: middle.get(name, mean) for name, mean in means.items()}
    reference = {**numeric, **{name: levels[0] for name, levels in design.factors.items()}}
    _check_known(parameter, [variable, *(at or {})], reference)
    values = _values(problem, parameter, variable, span, points)
    rows = pd.DataFrame({**reference, **(at or {}), **(group or {}), variable: values})
    theta = np.asarray(fit.theta, float).reshape(-1, fit.theta.shape[-1])
    draws = Predictor(fit, parameter, rows, theta, groups=group is not None).block(slice(None))
    median, lower, upper = np.quantile(draws, [0.5, 0.025, 0.975], axis=0)
    columns = {variable: values, "mean": draws.mean(0), "median": median, "eti95_lb": lower, "eti95_ub": upper}
    return pd.DataFrame({**columns, "extrapolated": extrapolated(problem, parameter, rows)})


def _check_known(parameter: str, names: list[str], known: Mapping[str, Any]) -> None:
    for name in names:
        if name not in known:
            there = f"It has {', '.join(known)}." if known else "It is constant."
            raise ModelError(
                f"the formula of {parameter!r} has no covariate {name!r}.{did_you_mean(name, list(known))} {there}",
                offenders=[name],
            )


def _values(problem: Any, parameter: str, variable: str, span: tuple[float, float] | None, points: int) -> Any:
    """Values of the covariate: all levels of a factor, or evenly spaced numbers."""
    factors = problem.layout[parameter].design.factors
    if variable in factors:
        return list(factors[variable])
    low, high = sampled_ranges(problem, parameter)[variable] if span is None else span
    return np.linspace(low, high, points)
