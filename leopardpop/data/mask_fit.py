"""Whether a mask fits the stations of a capture history."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from leopardpop.data.mask_checks import span
from leopardpop.data.notices import notice
from leopardpop.data.projections import same_crs
from leopardpop.data.space import nearest_point
from leopardpop.errors import DataError, DataWarning
from leopardpop.words import counted

if TYPE_CHECKING:
    from leopardpop.data.mask import Mask

__all__ = ["HasStations", "check_mask", "stations_outside"]


class HasStations(Protocol):
    """What a mask is laid around: a capture history, or anything else with stations and a CRS."""

    @property
    def stations(self) -> pd.DataFrame:
        """One row a station (and session), with columns x and y in metres."""

    @property
    def crs(self) -> str | None:
        """Coordinate reference system of x and y."""


def stations_outside(mask: Mask, xy: ArrayLike) -> NDArray[np.bool_]:
    """Which stations lie farther than one cell spacing from the centre of every cell.

    Parameters
    ----------
    mask
        The mask.
    xy
        Station coordinates in metres, (K, 2).

    Returns
    -------
    (K,) bool array

    Examples
    --------
    >>> import pandas as pd
    >>> from leopardpop.data.mask import Mask
    >>> mask = Mask.from_table(pd.DataFrame({"x": [1000, 3000], "y": [0, 0]}), cell_area=4)
    >>> stations_outside(mask, [[1500, 300], [9000, 0]]).tolist()
    [False, True]
    """
    distance, cell = nearest_point(mask.x, mask.y, xy)
    reach = mask.spacing or 1000 * np.sqrt(mask.area[cell])
    return np.asarray(distance > reach)


def check_mask(history: HasStations, mask: Mask, session: str | None = None) -> None:
    """Warn if stations lie outside the mask; refuse a mask in another coordinate reference system.

    Parameters
    ----------
    history
        Capture history.
    mask
        The mask that a model is going to use with it.
    session
        Label of the session that the mask is for, if there are several masks.

    Raises
    ------
    DataError
        If the two coordinate reference systems are known and differ, or every station is outside.

    Warns
    -----
    DataWarning
        If stations lie farther than one cell spacing from any cell.
    """
    if history.crs and mask.crs and not same_crs(history.crs, mask.crs):
        raise DataError(f"The stations are in {history.crs}, the mask in {mask.crs}. Make both in one system.")
    stations = history.stations
    xy = stations[["x", "y"]].to_numpy(float)
    outside = stations_outside(mask, xy)
    names = _names(stations[outside], stations, session)
    if names and len(names) == len(stations):
        of = "" if session is None else f" of session '{session}'"
        raise DataError(
            f"All {len(names)} stations lie outside the mask{of}: {span('stations', *xy.T)}; "
            f"{span('mask', mask.x, mask.y)}. The coordinates must be metres in the same system.",
            offenders=names,
        )
    if names:
        notice(_outside_message(names), DataWarning)


def _names(outside: pd.DataFrame, stations: pd.DataFrame, session: str | None) -> list[str]:
    """Names of stations, with the session where there are several."""
    names = outside["station"].astype(str).tolist()
    if session is not None:
        return [f"{session}/{name}" for name in names]
    if "session" not in stations or stations["session"].nunique() < 2:
        return names
    return [f"{label}/{name}" for label, name in zip(outside["session"], names, strict=True)]


def _outside_message(names: list[str]) -> str:
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return (
        f"{counted(len(names), 'station')} {'lies' if len(names) == 1 else 'lie'} outside the mask: "
        f"{', '.join(names[:5])}{more}. No animal can live there, so that "
        "density is biased: check their coordinates, the habitat and the buffer."
    )
