"""Masks out of the group ``constant_data`` of a data tree."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from leopardpop.data.covariates import from_coordinate
from leopardpop.data.mask import Mask

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["masks_of"]


def masks_of(constant: xr.Dataset) -> dict[str, Mask]:
    """Mask of each session; sessions with the same mask share one.

    Parameters
    ----------
    constant
        Group ``constant_data``.
    """
    made: dict[str, Mask] = {}
    result = {}
    for label in constant["session"].values.tolist():
        fingerprint = str(constant["mask_hash"].sel(session=label).item())
        if fingerprint not in made:
            made[fingerprint] = _mask(constant, label)
        result[str(label)] = made[fingerprint]
    return result


def _mask(constant: xr.Dataset, label: str) -> Mask:
    own = {
        name: constant[f"mask_{name}"].sel(session=label).item() for name in ("buffer", "crs", "region", "covariates")
    }
    cells = np.flatnonzero(constant["cell_session"].values == label)
    names = ["x", "y", "area", *(name for name in str(own["covariates"]).split("\t") if name)]
    table = pd.DataFrame({name: pd.Series(from_coordinate(constant[name].values[cells])) for name in names})
    return Mask(
        table,
        crs=str(own["crs"]) or None,
        region=_region(str(own["region"])),
        buffer=None if np.isnan(own["buffer"]) else float(own["buffer"]),
    )


def _region(outline: str) -> Any:
    if not outline:
        return None
    import shapely

    return shapely.from_wkt(outline)
