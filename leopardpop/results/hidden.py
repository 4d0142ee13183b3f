"""A data tree to share: without anything from which the place of a station or an animal could be worked out.

Moving or turning the map would not do: the outline of the habitat, or the snow on its cells, can be laid over a map
again. So coordinates and the covariates of cells and stations are removed, cells lose their order and stations their
names.
"""

from __future__ import annotations

import re

import numpy as np
import xarray as xr

from leopardpop.results.hidden_sites import without_groups
from leopardpop.results.model_json import without_places

__all__ = ["NOTE", "hide_positions"]

HIDDEN = "hidden"
NOTE = (
    "Coordinates and covariates of stations and cells, names of stations, the region, the coordinate reference system "
    "and the audit were removed; cells are in random order. Posterior, summary, diagnostics, leave-one-out and "
    "comparison work; maps, activity centres, regions and new fits need the exact file."
)


def hide_positions(tree: xr.DataTree) -> xr.DataTree:
    """Copy a tree without positions.

    Parameters
    ----------
    tree
        A fit's data tree; it is not changed.

    Returns
    -------
    xarray.DataTree
        With the attributes ``coordinates="hidden"`` and ``coordinates_note``.
    """
    groups = {str(name): node.to_dataset() for name, node in tree.children.items()}
    groups["posterior"] = _posterior(groups["posterior"])
    groups["observed_data"] = _observed(groups["observed_data"])
    groups["constant_data"] = _constant(groups["constant_data"])
    copy = xr.DataTree.from_dict(groups)
    hidden = {"coordinates": "hidden", "coordinates_note": NOTE, "crs": "", "audit_json": "[]"}
    copy.attrs = {**tree.attrs, **hidden, "model_json": without_places(str(tree.attrs["model_json"]))}
    return copy


def _observed(data: xr.Dataset) -> xr.Dataset:
    known = {"station", "station_session", "station_name", "x", "y"}
    covariates = [n for n, v in data.coords.items() if v.dims == ("station",) and n not in known]
    data = data.drop_vars(covariates)
    names = _anonymous(data.sizes["station"])
    coords = {
        "station": names,
        "station_name": ("station", names),
        "x": ("station", np.full(len(names), np.nan), {"units": "m"}),
        "y": ("station", np.full(len(names), np.nan), {"units": "m"}),
    }
    return data.assign_coords(coords).assign_attrs(crs="")


def _anonymous(n: int) -> list[str]:
    width = len(str(n))
    return [f"S{k + 1:0{width}d}" for k in range(n)]


def _constant(data: xr.Dataset) -> xr.Dataset:
    covariates = [n for n, v in data.data_vars.items() if v.dims == ("cell",) and n not in ("x", "y", "area")]
    data = _shuffled(data.drop_vars(covariates))
    hidden = {n: data[n].copy(data=np.full(data[n].shape, np.nan)) for n in ("x", "y", "station_x", "station_y")}
    hidden |= {n: data[n].copy(data=np.full(data[n].shape, "")) for n in ("mask_crs", "mask_covariates")}
    regions = np.where(data["mask_region"].values == "", "", HIDDEN)  # that there was one says what N is of
    hidden |= {"mask_region": data["mask_region"].copy(data=regions)}
    hidden |= {"D_center": data["D_center"].where(~_of_place(data))}
    return data.assign(hidden).assign_coords(station=_anonymous(data.sizes["station"]))


def _of_place(data: xr.Dataset) -> xr.DataArray:
    """Which coefficients of density are of coordinates."""
    labels = data["D_coef"].values.astype(str).tolist()
    return xr.DataArray([bool(re.search(r"\b[xy]\b", label)) for label in labels], dims="D_coef")


def _posterior(data: xr.Dataset) -> xr.Dataset:
    """Where density follows the coordinates, its intercept moves with the slopes as the centre of the map does."""
    data = without_groups(data)
    if not _of_place(data).any():
        return data
    return data.assign(D_beta=data["D_beta"].where(data["D_coef"] != "Intercept"))


def _shuffled(data: xr.Dataset) -> xr.Dataset:
    """Cells of each session in random order, so that the lattice cannot be rebuilt."""
    rng = np.random.default_rng()  # not from the seed of the fit: the order must not be repeatable
    order = rng.permutation(data.sizes["cell"])
    order = order[np.argsort(_codes(data["cell_session"].values)[order], kind="stable")]
    return data.isel(cell=order).assign_coords(cell=data["cell"].values)


def _codes(labels: np.ndarray[tuple[int], np.dtype[np.str_]]) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    place = {label: i for i, label in enumerate(dict.fromkeys(labels.tolist()))}
    return np.array([place[label] for label in labels.tolist()], np.intp)
