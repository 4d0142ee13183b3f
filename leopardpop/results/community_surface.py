"""Species of a community at new sites: one by one, and how many of them there are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd
import xarray as xr

from leopardpop.data.names import did_you_mean
from leopardpop.errors import ModelError
from leopardpop.models.states.community import SPECIES
from leopardpop.results.draws import generator
from leopardpop.results.occupancy_surface import block_surface, ground_rows, spread_theta
from leopardpop.results.predict import predict
from leopardpop.results.predictor import Predictor

if TYPE_CHECKING:
    from leopardpop.models.likelihood.terms import Floats
    from leopardpop.results.community_fit import CommunityFit
    from leopardpop.results.occupancy_surface import Ground

__all__ = ["check_species", "predict_species", "richness_surface", "species_surface"]


def check_species(fit: CommunityFit, species: str) -> str:
    """Refuse a species that the history does not have.

    Raises
    ------
    ModelError
        With the nearest name.
    """
    known = list(fit.problem.species)
    if species not in known:
        hint = did_you_mean(str(species), known)
        raise ModelError(
            f"there is no species {species!r} in the history.{hint} There are {', '.join(known)}.", offenders=[species]
        )
    return species


def predict_species(fit: CommunityFit, parameter: str, table: pd.DataFrame | Mapping[str, Any]) -> xr.DataArray:
    """Values of a parameter at new covariates; see :meth:`CommunityFit.predict`."""
    rows = table if isinstance(table, pd.DataFrame) else pd.DataFrame(dict(table))
    own: Any = fit
    if SPECIES in rows:
        return predict(own, parameter, rows)
    known = list(fit.problem.species)
    found = [predict(own, parameter, rows.assign(species=name)) for name in known]
    joined = xr.concat(found, pd.Index(known, name=SPECIES), coords="minimal", compat="override")
    return joined.transpose("chain", "draw", SPECIES, "row")


def species_surface(
    fit: CommunityFit, parameter: str, ground: Ground, *, species: str, quantiles: Sequence[float], draws: int
) -> xr.Dataset:
    """Map a parameter of one species; see :meth:`CommunityFit.surface`."""
    rows, template = ground_rows(ground, fit, parameter)
    rows = rows.assign(species=check_species(fit, species))
    predictor = Predictor(fit, parameter, rows, spread_theta(fit, draws))
    return block_surface(fit, parameter, rows, template, predictor.block, quantiles=quantiles, draws=draws)


def richness_surface(fit: CommunityFit, ground: Ground, *, quantiles: Sequence[float], draws: int) -> xr.Dataset:
    """Map the number of species; see :meth:`CommunityFit.richness_surface`."""
    rows, template = ground_rows(ground, fit, "psi")
    theta, rng = spread_theta(fit, draws), generator(fit, "species of new sites")
    known = [Predictor(fit, "psi", rows.assign(species=name), theta) for name in fit.problem.species]

    def block(part: slice) -> Floats:
        """Number of species in some cells, (S, cells)."""
        parts = (predictor.block(part) for predictor in known)
        total: Floats = sum((rng.random(psi.shape) < psi).astype(float) for psi in parts)  # type: ignore[assignment]
        return total

    made = block_surface(
        fit, "psi", rows, template, block, quantiles=quantiles, draws=draws, name="richness", units="species"
    )
    return made.assign(total=made["total"].assign_attrs(units="cells used, summed over species"))
