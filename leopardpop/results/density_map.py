"""The density surface of one session as a file for a geographic information system."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from leopardpop.data.mask import Mask
from leopardpop.data.notices import notice
from leopardpop.errors import DataWarning, ModelError
from leopardpop.results.gis import columns_of, write_map
from leopardpop.results.rim import coarse_side, within_reach
from leopardpop.results.surface import density_surface

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from leopardpop.results.fit import Fit

__all__ = ["write_density"]


def write_density(
    fit: Fit,
    path: str | PathLike[str],
    *,
    session: str | None,
    exceeds: float | Sequence[float] | None,
    coordinates: str,
) -> Path:
    """Write the density surface; see :meth:`leopardpop.Fit.write_map`."""
    if coordinates not in ("hidden", "exact"):
        raise ModelError(f'coordinates={coordinates!r}: it is "hidden" or "exact".')
    label = fit.history[session].sessions[0] if session is not None else _only(fit)
    surface = density_surface(fit, exceeds=exceeds)
    at = np.flatnonzero(surface["cell_session"].to_numpy() == label)
    part = slice(int(at[0]), int(at[-1]) + 1)
    hidden = coordinates == "hidden"
    columns, mask = columns_of(surface, part, hidden=hidden), fit.masks[label]
    if not hidden:
        return write_map(path, columns, mask, points=_points(fit, label))
    side = coarse_side(mask)
    kept = _without_rim(fit, label, side)
    some = Mask.from_dataset(mask.dataset.isel(cell=np.flatnonzero(kept)))
    written = write_map(path, {name: values[kept] for name, values in columns.items()}, some)
    _tell_left_out(int((~kept).sum()), mask, side)
    return written


def _without_rim(fit: Fit, session: str, side: float) -> NDArray[np.bool_]:
    """Cells by whose edge no camera can be found."""
    stations = fit.history[session].stations[["x", "y"]].to_numpy(float)
    kept = within_reach(fit.masks[session], stations, side)
    if not kept.any():
        raise ModelError(
            f"write_map: no square of {side / 1000:.3g} km lies within the mask, whose edge would show where cameras "
            'stand. For your own use write it with coordinates="exact".'
        )
    return kept


def _tell_left_out(left: int, mask: Mask, side: float) -> None:
    if left:
        notice(
            f"write_map: {left:,} of {mask.n_cells:,} cells at the edge of the mask are left out, up to whole squares "
            f'of {side / 1000:.3g} km, since the edge shows where cameras stand. coordinates="exact" writes all, for '
            "your own use.",
            DataWarning,
        )


def _only(fit: Fit) -> str:
    sessions = fit.history.sessions
    if len(sessions) > 1:
        raise ModelError(f"write_map: there are {len(sessions)} sessions; say which with session={sessions[0]!r}.")
    return str(sessions[0])


def _points(fit: Fit, session: str) -> dict[str, pd.DataFrame]:
    """Stations, and the middle of each animal's activity centre."""
    stations = fit.history[session].stations[["station", "x", "y"]]
    if not fit.history[session].n_individuals:
        return {"stations": stations}
    centres: Any = fit.activity_centres()
    here = centres["individual_session"].to_numpy().astype(str) == session
    names = {"individual": "animal", "x": "mean_x", "y": "mean_y", "sd": "sd"}
    animals = pd.DataFrame({ours: centres[theirs].to_numpy()[here] for ours, theirs in names.items()})
    return {"stations": stations, "centres": animals}
