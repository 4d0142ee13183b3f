"""One population on both sides of a border, counted in five ways, of which two are right."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from leopardpop.data.history_subset import at_stations
from leopardpop.data.mask import Mask
from leopardpop.data.space import cells_in, regions
from leopardpop.errors import DataError, LeopardpopWarning, ModelError
from leopardpop.models.tables import masks_by_session

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from leopardpop.data.history import CaptureHistory
    from leopardpop.models.scr import SCR

    type Masks = Mask | Mapping[str, Mask]

__all__ = ["transboundary"]

ROWS = {
    "joint": "joint fit",
    "own": "one-sided fits, mask across the border, own side",
    "raw": "animals photographed, added up",
    "clipped": "one-sided fits, mask clipped at the border",
    "whole": "one-sided fits, mask across the border, all of it",
}


def transboundary(
    model: SCR, history: CaptureHistory, mask: Masks, *, regions: Any, by: str | None = None, seed: int | None = None
) -> pd.DataFrame:
    """Count a population that lives across a border in five ways.

    Each side knows its own cameras alone. What both sides photographed is counted twice when lists are added up. Masks
    that end at the border force the centres of animals that live beyond it inside, and are counted twice as well; so
    is all land, when each side reports N of the whole mask. Two ways are right: all cameras are fitted at once, or each
    side fits its own with a mask that goes on beyond the border, and reports the animals *centred* on its side.

    Parameters
    ----------
    model
        The model, used for every fit.
    history
        Cameras of all sides.
    mask
        Habitat of all sides.
    regions
        The sides: mapping from name to polygon, GeoDataFrame or path. A camera belongs to the side that it is on.
    by
        Column of the names of the sides, for a GeoDataFrame or path.
    seed
        Seed of the fits.

    Returns
    -------
    pandas.DataFrame
        One row a way of counting; a column for each side (posterior mean of N, or animals photographed), ``sum``, and
        ``excess``, the sum over that of the joint fit less 1 (for the photographed: over the number of different ones).

    Raises
    ------
    DataError
        If the history has several sessions, there is one side only, or a side has no camera.
    ModelError
        If a side's own cameras cannot bear the model (one class only).

    Examples
    --------
    >>> import shapely
    >>> import leopardpop as lp
    >>> axis = range(0, 9_000, 1_500)
    >>> stations = pd.DataFrame([(f"{x}-{y}", x, y) for x in axis for y in axis], columns=["station", "x", "y"])
    >>> design = lp.CaptureHistory.from_tables(None, stations, occasions=10)
    >>> mask = lp.Mask.around(design, buffer=4_500, spacing=500, habitat=shapely.box(-3e3, -3e3, 1.05e4, 1.05e4))
    >>> sim = lp.SCR().simulate(design, mask, parameters={"D": 0.3, "lambda0": 0.2, "sigma": 1_000}, seed=2)
    >>> sides = {"west": shapely.box(-3e3, -3e3, 3_750, 1.05e4), "east": shapely.box(3_750, -3e3, 1.05e4, 1.05e4)}
    >>> table = transboundary(lp.SCR(), sim.history, mask, regions=sides, seed=1)
    >>> table.columns.tolist()
    ['west', 'east', 'sum', 'excess']
    """
    if len(history.sessions) > 1:
        raise DataError("transboundary compares sides within one session: give history[session].")
    (whole,) = masks_by_session(history, mask).values()
    sides = _sides(history, whole, regions, by)
    joint = model.fit(history, whole, seed=seed).population(regions=sides)
    counts = {"joint": _means(joint.realised, sides)}
    of_sides = {name: _found(model, history, whole, sides, name, seed) for name in sides}
    for way in tuple(ROWS)[1:]:
        counts[way] = {name: found[way] for name, found in of_sides.items()}
    table = pd.DataFrame(counts).T
    total = table.sum(axis=1).to_numpy(float)
    against = np.where(table.index == "raw", max(history.n_individuals, 1), total[0])
    table = table.assign(sum=total, excess=total / against - 1.0).rename(index=ROWS)
    return table.rename_axis("way")


def _sides(history: CaptureHistory, mask: Mask, source: Any, by: str | None) -> dict[str, Any]:
    sides = regions(source, by=by, to_crs=mask.crs)
    if len(sides) < 2:
        raise DataError("regions= has one side only: name two at least, with by= or as a dict of polygons.")
    for name, outline in sides.items():
        if not _cameras(history, outline).any():
            raise DataError(f"No camera is in {name!r}: it has nothing to count by itself.", offenders=[name])
    return sides


def _cameras(history: CaptureHistory, outline: Any) -> NDArray[np.bool_]:
    xy = history.arrays(history.sessions[0]).xy
    return np.asarray(cells_in(outline, xy[:, 0], xy[:, 1]))


def _found(
    model: SCR, history: CaptureHistory, mask: Mask, sides: dict[str, Any], name: str, seed: int | None
) -> dict[str, float]:
    try:
        return _one_side(model, history, mask, sides, name, seed)
    except ModelError as error:
        raise ModelError(f"The cameras of {name!r} alone cannot bear this model: {error}", offenders=[name]) from error


def _one_side(
    model: SCR, history: CaptureHistory, mask: Mask, sides: dict[str, Any], name: str, seed: int | None
) -> dict[str, float]:
    """What a side finds with its own cameras: photographed, and N of the clipped mask, of its side, of all land."""
    own = at_stations(history, {history.sessions[0]: _cameras(history, sides[name])})
    inside = cells_in(sides[name], mask.x, mask.y)
    clipped = Mask(mask.table[inside].reset_index(drop=True), crs=mask.crs)
    with warnings.catch_warnings():
        # Half of a survey is sparse, and a mask that ends at the border is too narrow: that is the lesson.
        warnings.simplefilter("ignore", LeopardpopWarning)
        across = model.fit(own, mask, seed=seed)
        return {
            "raw": float(own.n_individuals),
            "clipped": float(model.fit(own, clipped, seed=seed).posterior["N"].mean()),
            "own": _means(across.population(regions=sides).realised, sides)[name],
            "whole": float(across.posterior["N"].mean()),
        }


def _means(numbers: Any, sides: dict[str, Any]) -> dict[str, float]:
    """Posterior mean of the number on each side."""
    total = numbers.sum([dim for dim in numbers.dims if dim not in {"chain", "draw", "region"}])
    return {name: float(total.sel(region=name).mean()) for name in sides}
