"""Activity centres: where each detected animal may live."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from leopardpop.results.draws import in_blocks, spread_draws
from leopardpop.results.surface import cell_coordinates

if TYPE_CHECKING:
    from leopardpop.models.likelihood.terms import Floats
    from leopardpop.models.problem import Problem
    from leopardpop.results.draws import HasDraws

__all__ = ["activity_centres"]


def activity_centres(fit: HasDraws, *, draws: int = 200) -> xr.Dataset:
    """Posterior of the activity centre of every detected animal.

    Parameters
    ----------
    fit
        The fit.
    draws
        Draws, evenly spread, that the probabilities are averaged over; they vary little from draw to draw.

    Returns
    -------
    xarray.Dataset
        ``probability (individual, cell)``, which sums to one over the cells of the animal's session and is NaN on
        those of others; posterior mean location ``mean_x``, ``mean_y`` and root mean squared distance from it ``sd``,
        in metres (individual); with classes ``class_probability (individual, sex)``. Coordinates of cells as in the
        density surface, of individuals ``individual_session`` and ``animal``.

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
    >>> centres = fit.activity_centres()
    >>> bool((abs(centres["probability"].sum("cell") - 1) < 1e-9).all())
    True
    """
    problem, chosen = fit.problem, spread_draws(fit, draws)
    weighted = np.column_stack([chosen.weight, chosen.theta])
    total: list[Floats] | None = None
    for part in in_blocks(partial(_block, problem), weighted):
        total = part if total is None else [a + b for a, b in zip(total, part, strict=True)]
    tables = total or []
    return _dataset(problem, tables[: len(problem.data)], np.concatenate(tables[len(problem.data) :]))


def _block(problem: Problem, weighted: Floats) -> list[Floats]:
    """Weighted sums over draws: Pr(cell | history) (n, J) of each session, then Pr(class | history) (n, C)."""
    sizes = [(len(d.individuals), len(s.terms.area)) for d, s in zip(problem.data, problem.sessions, strict=True)]
    places = [np.zeros(size) for size in sizes]
    classes = [np.zeros((n, len(problem.levels))) for n, _ in sizes]
    for row in weighted:
        for s, evaluation in enumerate(problem.evaluate(row[1:])):
            places[s] += row[0] * problem.sessions[s].centres(evaluation)
            classes[s] += row[0] * problem.sessions[s].classes(evaluation)
    return [*places, *classes]


def _dataset(problem: Problem, places: list[Floats], classes: Floats) -> xr.Dataset:
    masks = [problem.masks[data.session] for data in problem.data]
    probability = np.full((len(classes), sum(m.n_cells for m in masks)), np.nan)
    moments, row, column = [], 0, 0
    for table, mask in zip(places, masks, strict=True):
        probability[row : row + len(table), column : column + mask.n_cells] = table
        moments.append(_moments(table, mask.x, mask.y))
        row, column = row + len(table), column + mask.n_cells
    mean_x, mean_y, sd = np.concatenate(moments, axis=1)
    metres = {"units": "m"}
    variables: dict[str, Any] = {
        "probability": (("individual", "cell"), probability, {"units": "1"}),
        "mean_x": ("individual", mean_x, metres),
        "mean_y": ("individual", mean_y, metres),
        "sd": ("individual", sd, metres),
    }
    coordinates: dict[str, Any] = {**cell_coordinates(problem), **_individuals(problem)}
    if problem.column is not None:
        variables["class_probability"] = (("individual", problem.column), classes, {"units": "1"})
        coordinates[problem.column] = list(problem.levels)
    return xr.Dataset(variables, coordinates, {"crs": problem.history.crs or ""})


def _moments(table: Floats, x: Floats, y: Floats) -> Floats:
    """Mean location and root mean squared distance from it, (3, n)."""
    mean_x, mean_y = table @ x, table @ y
    # About the mean itself: differences of large squared coordinates would lose their digits.
    squares = [row @ ((x - at_x) ** 2 + (y - at_y) ** 2) for row, at_x, at_y in zip(table, mean_x, mean_y, strict=True)]
    return np.stack([mean_x, mean_y, np.sqrt(np.array(squares))])


def _individuals(problem: Problem) -> dict[str, Any]:
    dataset = problem.history.dataset
    return {name: ("individual", dataset[name].to_numpy()) for name in ("individual", "individual_session", "animal")}
