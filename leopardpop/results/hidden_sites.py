"""A data tree of an occupancy fit to share: without anything from which the place of a site could be worked out."""

from __future__ import annotations

import json
import re

import numpy as np
import xarray as xr

from leopardpop.data.detection_checks import site_covariates, visit_covariates

__all__ = ["NOTE", "hide_sites", "is_occupancy"]

NOTE = (
    "Names, positions and covariates of the sites, covariates and dates of the visits, the coordinate reference "
    "system and the audit were removed. Posterior, summary, diagnostics, leave-one-out and comparison work; states of "
    "sites and new fits need the exact file."
)


def is_occupancy(tree: xr.DataTree) -> bool:
    """Whether a data tree is of an occupancy model."""
    return "formulas" in json.loads(str(tree.attrs["model_json"]))


def hide_sites(tree: xr.DataTree) -> xr.DataTree:
    """Copy a tree without positions.

    Parameters
    ----------
    tree
        A fit's data tree; it is not changed.

    Returns
    -------
    xarray.DataTree
        With the attributes ``coordinates="hidden"`` and ``coordinates_note``; sites are in another order.
    """
    groups = {str(name): node.to_dataset() for name, node in tree.children.items()}
    n_sites = groups["observed_data"].sizes["site"]
    order = np.random.default_rng().permutation(n_sites)  # not from the seed: the order must not be repeatable
    names = [f"S{i + 1:0{len(str(n_sites))}d}" for i in range(n_sites)]
    groups["observed_data"] = _observed(groups["observed_data"])
    groups["posterior"] = _blank(without_groups(groups["posterior"]), "beta", "Intercept")
    groups["constant_data"] = _blank(groups["constant_data"], "center", None)
    for group in ("observed_data", "log_likelihood"):
        groups[group] = groups[group].isel(site=order).assign_coords(site=names)
    copy = xr.DataTree.from_dict(groups)
    copy.attrs = {**tree.attrs, "coordinates": "hidden", "coordinates_note": NOTE, "crs": "", "audit_json": "[]"}
    return copy


def _observed(data: xr.Dataset) -> xr.Dataset:
    known = ("easting", "northing", "visit_start", "effort")
    gone = [*site_covariates(data), *visit_covariates(data), *(name for name in known if name in data.variables)]
    return data.drop_vars(list(dict.fromkeys(gone))).assign_attrs(crs="")


def without_groups(data: xr.Dataset) -> xr.Dataset:
    """Leave the deviations of groups out (the groups may be valleys, and are named), and surfaces over places."""
    known = (str(name) for name in data.data_vars if str(name).endswith(("_effect", "_gp_weights")))
    gone = [name for name in known if not _of_species(data, name)]
    return data.drop_dims({str(data[name].dims[-1]) for name in gone})


def _of_species(data: xr.Dataset, name: str) -> bool:
    """Whether the groups of deviations are the species of a community, which are no places."""
    return all("|species[" in level for level in data[data[name].dims[-1]].values.astype(str))


def _blank(data: xr.Dataset, suffix: str, label: str | None) -> xr.Dataset:
    """Blank what moves with the map: intercepts and centres of parameters that follow the coordinates."""
    for name in [str(each) for each in data.data_vars if str(each).endswith(f"_{suffix}")]:
        dim = f"{name.removesuffix(f'_{suffix}')}_coef"
        of_place = [bool(re.search(r"\b(easting|northing)\b", each)) for each in data[dim].values.astype(str)]
        if any(of_place):
            gone = (data[dim] == label) if label else xr.DataArray(of_place, dims=dim)
            data = data.assign({name: data[name].where(~gone)})
    return data
