r"""Blocked cross-validation: how well a survey foresees what is met in another part of the land.

Neighbours are alike for more reasons than a model has, so that leaving out one station or site asks an easy question:
those around it tell the answer. Leaving out a block asks whether the model would hold where nobody looked,

.. math:: \log p(y_b \mid y_{-b}) = \log \int p(y_b \mid \theta, y_{-b})\, p(\theta \mid y_{-b})\, \mathrm{d}\theta,

each block from the posterior that does not know it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from leopardpop.checks.leave_out import Refit, drawn_without, stations_refit
from leopardpop.checks.sensitivity_targets import Adjusted, UnitsOut
from leopardpop.components.spatial import place_columns
from leopardpop.data.names import did_you_mean, listed
from leopardpop.data.notices import notice
from leopardpop.errors import ConvergenceWarning, DataError, LeopardpopError, ModelError
from leopardpop.models.states.problem import OccupancyProblem
from leopardpop.runs import seed_of
from leopardpop.words import counted

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from leopardpop.models.likelihood.terms import Floats

    type Ints = NDArray[np.intp]

__all__ = ["blocks_of", "kfold"]

GOOD_K = 0.7


def kfold(fit: Any, folds: int, blocks: str | None) -> Any:
    """Leave out blocks of stations or sites; see :meth:`leopardpop.Fit.kfold`.

    Parameters
    ----------
    fit
        A fit of a capture-recapture or an occupancy model.
    folds
        Number of blocks that are made by place.
    blocks
        Column that has them instead.
    """
    of_sites = isinstance(fit.problem, OccupancyProblem)
    table, noun = (fit.history.sites, "site") if of_sites else (fit.history.stations, "station")
    code, labels = _chosen(table, folds, blocks, noun)
    start = fit.theta.reshape(-1, fit.theta.shape[-1]).mean(0)
    refit = _without_sites if of_sites else _without_stations
    found = []
    for b in range(len(labels)):
        try:
            found.append(drawn_without(refit(fit, table, code == b, start), seed_of(fit.seed, b)))
        except LeopardpopError as error:
            raise type(error)(f"without block {labels[b]!r}: {error}", offenders=[labels[b]]) from error
    elpd, k = np.array(found).T
    _tell(k, labels)
    return _result(fit, elpd, k, labels)


# -- blocks -----------------------------------------------------------------------------------------------------------
def blocks_of(xy: Floats, number: int) -> Ints:
    """Cut places into compact blocks of nearly equal numbers, each time across the longer side.

    Parameters
    ----------
    xy
        Coordinates (n, 2), metres.
    number
        Number of blocks, n at most.

    Returns
    -------
    ndarray
        Block of each place, (n,), from 0.

    Examples
    --------
    >>> import numpy as np
    >>> blocks_of(np.array([[0, 0], [0, 9], [5000, 0], [5000, 9.0]]), 2).tolist()
    [0, 0, 1, 1]
    """
    code = np.zeros(len(xy), np.intp)
    todo = [(np.arange(len(xy)), 0, number)]
    while todo:
        rows, first, count = todo.pop()
        if count == 1:
            code[rows] = first
            continue
        axis = int(np.ptp(xy[rows], axis=0).argmax())
        ordered = rows[np.lexsort((xy[rows, 1 - axis], xy[rows, axis]))]
        left = count // 2
        cut = round(len(rows) * left / count)
        todo += [(ordered[:cut], first, left), (ordered[cut:], first + left, count - left)]
    return code


def _chosen(table: pd.DataFrame, folds: int, blocks: str | None, noun: str) -> tuple[Ints, list[str]]:
    """Block of each row of the stations or sites, and the names of the blocks."""
    if blocks is not None:
        return _of_column(table, blocks, noun)
    if isinstance(folds, bool) or folds != int(folds) or folds < 2:
        raise ModelError(f"folds={folds!r} must be a whole number of at least 2.", offenders=["folds"])
    axes = list(place_columns(table) or ())
    if not axes or not np.isfinite(table[axes].to_numpy(float)).all():
        raise DataError(
            f"blocks are made by place, and {noun}s have no x and y: give them, or the column that has blocks, such as "
            'blocks="valley".'
        )
    places, at = np.unique(table[axes].to_numpy(float), axis=0, return_inverse=True)
    if folds > len(places):
        raise ModelError(f"folds={folds}: there are {counted(len(places), noun)} only.", offenders=["folds"])
    return blocks_of(places, folds)[at.reshape(-1)], [str(b + 1) for b in range(folds)]


def _of_column(table: pd.DataFrame, name: str, noun: str) -> tuple[Ints, list[str]]:
    if name not in table:
        raise ModelError(
            f"blocks={name!r}: {noun}s have no such column.{did_you_mean(name, map(str, table.columns))}",
            offenders=[name],
        )
    if table[name].isna().any():
        raise DataError(f"blocks={name!r}: {int(table[name].isna().sum())} {noun}s have none.", offenders=[name])
    labels, code = np.unique(table[name].astype(str).to_numpy(object), return_inverse=True)
    if len(labels) < 2:
        raise ModelError(f"blocks={name!r}: all {noun}s are in {labels[0]!r}; nothing would be left.", offenders=[name])
    return code.reshape(-1), [str(label) for label in labels]


# -- without one of them ----------------------------------------------------------------------------------------------
def _without_stations(fit: Any, table: pd.DataFrame, out: NDArray[np.bool_], start: Floats) -> Refit:
    session = table["session"].astype(str).to_numpy(object)
    keep = {data.session: ~out[session == str(data.session)] for data in fit.problem.data}
    return stations_refit(fit.problem, keep, start)


def _without_sites(fit: Any, table: pd.DataFrame, out: NDArray[np.bool_], start: Floats) -> Refit:
    names = set(table["site"][out].astype(str))
    units = np.flatnonzero([str(site) in names for site in fit.problem.arrays.sites])
    adjust = UnitsOut(fit.problem, "y", tuple(units.tolist()))
    return Refit(Adjusted(fit.problem, adjust, start), lambda thetas: -adjust(thetas))


# -- what came out ----------------------------------------------------------------------------------------------------
def _tell(k: Floats, labels: list[str]) -> None:
    high = [label for label, value in zip(labels, k, strict=True) if not value <= GOOD_K]
    if high:
        notice(
            f"The posterior without block {listed(high)} could not be drawn from (k-hat above {GOOD_K}): its part of "
            "the sum is not to be relied on. Make more and smaller blocks.",
            ConvergenceWarning,
        )


def _result(fit: Any, elpd: Floats, k: Floats, labels: list[str]) -> Any:
    from arviz_stats.utils import ELPDDataLOOKFold

    sizes, n = fit.posterior.sizes, len(elpd)
    coords = {"fold": labels}
    return ELPDDataLOOKFold(
        elpd=float(elpd.sum()),
        se=float(np.sqrt(n * elpd.var())),
        p=float("nan"),
        n_samples=sizes["chain"] * sizes["draw"],
        n_data_points=n,
        scale="log",
        warning=bool((~(k <= GOOD_K)).any()),
        good_k=GOOD_K,
        elpd_i=xr.DataArray(elpd, coords, ("fold",), "elpd_i"),
        pareto_k=xr.DataArray(k, coords, ("fold",), "pareto_k"),
        n_folds=n,
    )
