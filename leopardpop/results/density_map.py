"""The density surface of one session as a file for a geographic information system."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from leopardpop.errors import ModelError
from leopardpop.results.gis import columns_of, write_map
from leopardpop.results.surface import density_surface

if TYPE_CHECKING:
    from pathlib import Path

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
    columns = columns_of(surface, part, hidden=hidden)
    return write_map(path, columns, fit.masks[label], points=None if hidden else _points(fit, label))


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
