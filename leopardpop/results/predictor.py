"""A parameter at many new rows, block by block: what predictions, curves and maps are made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from leopardpop.components.spatial import place_columns
from leopardpop.models.spatial_effects import SpatialEffect
from leopardpop.models.states.problem import OccupancyProblem
from leopardpop.models.states.tables import table_of
from leopardpop.models.tables import METRES, density_origin, density_table
from leopardpop.results.draws import generator

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from leopardpop.components.spatial import SpatialDesign
    from leopardpop.data.arrays import SessionArrays
    from leopardpop.models.effects import Effects
    from leopardpop.models.layout import Effect
    from leopardpop.models.likelihood.terms import Floats, Ints
    from leopardpop.models.problem import Problem

__all__ = ["Predictor", "extrapolated", "sampled_ranges"]

ROUNDING = 1e-9
"""Share of a range by which a covariate may lie outside of it."""


class Deviations(NamedTuple):
    """Deviations of known and of new groups, and which of them each row has."""

    table: Floats
    """(S, G)."""
    group: Ints
    value: Floats

    def block(self, part: slice) -> Floats:
        """Share of the linear predictor of some rows, (S, rows)."""
        shares: Floats = self.table[:, self.group[part]] * self.value[part]
        return shares


class Surface(NamedTuple):
    """Coefficients of a spatial effect, and the rows that lie on it."""

    design: SpatialDesign
    coefficients: Floats
    """(S, M)."""
    rows: pd.DataFrame

    def block(self, part: slice) -> Floats:
        """Share of the linear predictor of some rows, (S, rows)."""
        return self.coefficients @ self.design.evaluate(self.rows.iloc[part]).T


class Predictor:
    """A parameter on its natural scale at new rows.

    A group that the history does not have is a new one: its deviation is drawn from the law of all groups, the same
    for all its rows.

    Parameters
    ----------
    fit
        The fit.
    parameter
        Name of the parameter.
    rows
        One row a prediction, with the variables of the parameter's formula.
    theta
        Draws (S, P).
    groups
        Whether rows have the deviations of their groups and places; without them they are of a group in the middle,
        and where the surface is 0.
    offset
        Whether the offset of the formula is added; without it, values are those at an offset of 0.
    """

    def __init__(
        self, fit: Any, parameter: str, rows: pd.DataFrame, theta: Floats, *, groups: bool = True, offset: bool = True
    ) -> None:
        self.parameter = fit.problem.layout[parameter]
        self._offset = self.parameter.design.offset if offset else None
        self.rows = _from_the_middle(fit.problem, rows) if parameter == "D" else rows
        self._beta = self.parameter.to_beta(theta)
        effects = [each for each in fit.problem.layout.effects if each.parameter == parameter and groups]
        self._deviations = [_share(fit, each, self.rows, rows, theta) for each in effects]

    def block(self, part: slice) -> Floats:
        """Values of some rows, (S, rows)."""
        eta = self._beta @ self.parameter.design.evaluate(self.rows.iloc[part]).T
        if self._offset is not None:
            eta = eta + self._offset.evaluate(self.rows.iloc[part])
        for each in self._deviations:
            eta = eta + each.block(part)
        with np.errstate(over="ignore"):  # far outside the data a density may be infinite, which says enough
            values: Floats = np.asarray(self.parameter.link.inverse(eta))
        return values


def _from_the_middle(problem: Problem, rows: pd.DataFrame) -> pd.DataFrame:
    """Coordinates of new rows, m, as a formula of density has them."""
    origin = zip("xy", density_origin(problem.masks), strict=True)
    return rows.assign(**{axis: (rows[axis] - at) / METRES for axis, at in origin if axis in rows})


def _share(fit: Any, effects: Effect, rows: pd.DataFrame, placed: pd.DataFrame, theta: Floats) -> Deviations | Surface:
    """Share of the rows as formulas have them, which of a surface is that of their positions in metres."""
    if isinstance(effects, SpatialEffect):
        return Surface(effects.design, effects.coefficients(theta), placed)
    return _deviations(fit, effects, rows, theta)


def _deviations(fit: Any, effects: Effects, rows: pd.DataFrame, theta: Floats) -> Deviations:
    group, value = effects.design.evaluate(rows)
    n_new = max(0, int(group.max(initial=-1)) + 1 - len(effects.groups))
    rng = generator(fit, f"new groups of {effects.label}")
    new = np.exp(theta[:, effects.spread, None]) * rng.standard_normal((len(theta), n_new))
    return Deviations(np.concatenate([effects.natural(theta), new], axis=1), group, value)


def sampled_ranges(problem: Any, parameter: str) -> dict[str, tuple[float, float]]:
    """Smallest and largest value of the numeric covariates of a parameter, on the rows that it was fitted on.

    Parameters
    ----------
    problem
        The model with its data.
    parameter
        Name of the parameter.
    """
    design = problem.layout[parameter].design
    names = list(design.numeric | ({} if design.offset is None else design.offset.numeric))
    if not isinstance(problem, OccupancyProblem):
        return {name: captured_range(problem, parameter, name) for name in names}
    table, _ = table_of(problem.structure.homes[parameter], problem.arrays, problem.structure.states)
    return {name: (float(table[name].min()), float(table[name].max())) for name in names}


def captured_range(problem: Problem, parameter: str, name: str) -> tuple[float, float]:
    """Smallest and largest value of a covariate of capture-recapture, on cells (D; ``x`` and ``y`` in m) or stations.

    Parameters
    ----------
    problem
        The model with its data.
    parameter
        Whose formula has it.
    name
        The covariate.
    """
    if parameter == "D":
        values = density_table(problem.data, problem.masks)[name].to_numpy(float)
        at = dict(zip("xy", density_origin(problem.masks), strict=True)).get(name)
        values = values if at is None else METRES * values + at
    else:
        values = np.concatenate([_of_session(data, name) for data in problem.data])
    return float(np.nanmin(values)), float(np.nanmax(values))


def _of_session(data: SessionArrays, name: str) -> Floats:
    """Values of a covariate of detection in one session, wherever it is kept."""
    for table in (data.station_covariates, data.occasion_covariates, data.visit_covariates):
        if name in table:
            return np.ravel(np.asarray(table[name], float))
    return np.arange(data.effort.shape[1], dtype=float)  # trend


def _covered(problem: Problem) -> list[str]:
    """Parameters of capture-recapture whose covariates have a range: not the sds of random effects."""
    return [parameter.name for parameter in problem.layout.parts]


def extrapolated(problem: Any, parameter: str, rows: pd.DataFrame) -> NDArray[np.bool_] | None:
    """Whether a covariate of each row, or its place, lies outside of what the history has; None if not known.

    A place does where it is east, west, north or south of all sites, and the parameter has a spatial effect.

    Parameters
    ----------
    problem
        The model with its data.
    parameter
        Name of the parameter.
    rows
        New rows.
    """
    if parameter not in (problem.structure.homes if isinstance(problem, OccupancyProblem) else _covered(problem)):
        return None
    outside = np.zeros(len(rows), bool)
    for name, (low, high) in sampled_ranges(problem, parameter).items():
        values, slack = rows[name].to_numpy(float), ROUNDING * (high - low)
        outside |= (values < low - slack) | (values > high + slack)
    for each in problem.effects_of(parameter) if isinstance(problem, OccupancyProblem) else ():
        if isinstance(each, SpatialEffect) and place_columns(rows):
            outside |= each.design.beyond(rows)
    return outside
