"""The scalars of a group of draws by the names that tables use: ``"sigma[M]"``, ``"D[snow]"``, ``"N"``."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["NOT_TOLD", "elements", "is_effect", "units_of"]

NUMBERS = ("E_N", "N", "n_matched")
NOT_TOLD = ("_beta", "_gp_weights")
"""Ends of the names of variables that no table has: coefficients that are told otherwise, and those of surfaces."""


def elements(posterior: xr.Dataset) -> Iterator[tuple[str, Any]]:
    """Name and draws (chain, draw) of every scalar: natural parameters, effects of covariates, numbers of animals.

    A parameter has one row for each level of its factors. Of the coefficients only the effects of covariates are
    there: the intercept and the levels of a factor are told on the natural scale. The session is named where there
    are several.

    Parameters
    ----------
    posterior
        Group ``posterior`` of a fit.

    Yields
    ------
    tuple
        Name and draws.
    """
    names = [str(name) for name in posterior.data_vars if not str(name).endswith(NOT_TOLD)]
    natural = [name for name in names if name not in NUMBERS]
    for name in natural:
        yield from _of(posterior, name)
        if f"{name}_beta" in posterior:
            yield from _effects(posterior, name)
    for name in NUMBERS:
        if name in posterior:
            yield from _of(posterior, name)


def _of(posterior: xr.Dataset, name: str) -> Iterator[tuple[str, Any]]:
    array = posterior[name].transpose("chain", "draw", ...)
    dims = [str(dim) for dim in array.dims[2:]]
    alone = dims == ["session"] and name in NUMBERS and array.sizes["session"] == 1
    levels = [array[dim].values.tolist() for dim in dims]
    flat = array.values.reshape(*array.shape[:2], -1)
    for j, combination in enumerate(product(*levels)):
        label = ",".join(map(str, combination))
        yield (name if alone or not dims else f"{name}[{label}]"), flat[..., j]


def _effects(posterior: xr.Dataset, name: str) -> Iterator[tuple[str, Any]]:
    beta = posterior[f"{name}_beta"].transpose("chain", "draw", ...)
    factors = {str(dim) for dim in posterior[name].dims[2:]}
    for j, coefficient in enumerate(posterior[f"{name}_coef"].values.tolist()):
        if is_effect(coefficient, factors):
            yield f"{name}[{coefficient}]", beta.values[..., j]


def is_effect(coefficient: str, factors: set[str]) -> bool:
    """Whether a coefficient says more than the natural-scale values by level do: it is of a covariate.

    Parameters
    ----------
    coefficient
        ``"Intercept"``, ``"snow"``, ``"sex[M]"``, ``"snow:sex[M]"`` ...
    factors
        Factors by whose levels the parameter is told.

    Examples
    --------
    >>> is_effect("snow", {"sex"}), is_effect("sex[M]", {"sex"}), is_effect("habitat[forest]", set())
    (True, False, True)
    """
    if coefficient == "Intercept":
        return False
    parts = coefficient.split(":")
    return not all("[" in part and _variable(part.split("[")[0]) in factors for part in parts)


def _variable(name: str) -> str:
    """Column of a factor: ``"year"`` of ``"C(year)"``."""
    return name[2:-1] if name.startswith("C(") and name.endswith(")") else name


def units_of(posterior: xr.Dataset, element: str) -> str:
    """Unit of a named scalar; effects of covariates are on the scale of the link."""
    name = element.split("[", 1)[0]
    inner = element[len(name) + 1 : -1]
    factors = {str(dim) for dim in posterior[name].dims[2:]}
    coefficients = posterior[f"{name}_coef"].values.tolist() if f"{name}_coef" in posterior.coords else []
    if inner in coefficients and is_effect(inner, factors):
        return f"{posterior[f'{name}_beta'].attrs.get('link', 'link')} scale"
    units = str(posterior[name].attrs.get("units", ""))
    return "" if units == "1" else units
