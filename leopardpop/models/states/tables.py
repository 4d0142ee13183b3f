"""The tables on which the formulas of occupancy models are evaluated, and the checks that data and model fit."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from leopardpop.components.formula import build_design
from leopardpop.components.offset import build_offset
from leopardpop.data.names import listed
from leopardpop.errors import DataError, ModelError
from leopardpop.models.spatial_effects import build_effects
from leopardpop.models.states.structure import Home, Structure

if TYPE_CHECKING:
    from collections.abc import Mapping

    from leopardpop.components.formula import Design
    from leopardpop.data.detection_history import DetectionHistory
    from leopardpop.data.occupancy_arrays import OccupancyArrays
    from leopardpop.models.layout import AnyRandomDesign

__all__ = ["check_history", "check_mask_absent", "designs_of", "table_of"]

ADVICE = {
    "count": "For counts there are lp.CountOccupancy (of events) and lp.NMixture (of animals); for occupancy make a "
    "history with response='binary'.",
    "state": "Make the history with response='binary', or use lp.MultistateOccupancy, which says where they breed too.",
    "binary": "Breeding needs a history with response='state' (0 not seen, 1 seen, 2 seen with young); for the use of "
    "sites alone there is lp.Occupancy.",
}
OF_COUNTS = "Counts need a history made with response='count'; without them there are lp.Occupancy and lp.RoyleNichols."
WITH_SEASONS = ("Occupancy", "MultistateOccupancy")


def check_mask_absent(mask: object) -> None:
    """Refuse a mask, which spatial capture-recapture needs and occupancy does not."""
    if mask is not None:
        raise ModelError(
            "an occupancy model takes no mask: it speaks of the sites of its history, not of the ground between them. "
            "Leave the mask out; for the number of animals on a mask use lp.SCR with a capture history."
        )


def check_history(
    history: DetectionHistory, structure: Structure, name: str, *, any_response: bool = False, several: bool = False
) -> None:
    """Refuse data that the model is not for.

    Parameters
    ----------
    history
        The data.
    structure
        The model.
    name
        Name of the model, for messages.
    any_response
        Whether the responses will not be looked at.
    several
        Whether the model is of several species.

    Raises
    ------
    DataError
        If it is no detection history, of the wrong number of species, or of another kind of response.
    ModelError
        If the number of seasons does not fit.
    """
    from leopardpop.data.detection_history import DetectionHistory

    if not isinstance(history, DetectionHistory):
        raise DataError(
            f"history is a {type(history).__name__}: {name} needs an lp.DetectionHistory, such as "
            "survey.detection_history(...) or lp.DetectionHistory.from_tables(...)."
        )
    (_check_several if several else _check_one)(history, name)
    if not any_response and history.response != structure.response:
        raise DataError(
            f"the history has response {history.response!r} and {name} needs {structure.response!r}. "
            f"{OF_COUNTS if structure.response == 'count' else ADVICE[history.response]}"
        )
    _check_seasons(history.seasons, structure, name)


def _check_one(history: DetectionHistory, name: str) -> None:
    if len(history.species) > 1 and "species" in history.dataset.dims:
        raise DataError(
            f"the history has {len(history.species)} species ({listed(list(history.species))}) and {name} is of one. "
            f"Choose it: history.select(species={history.species[0]!r}).",
            offenders=list(history.species),
        )


def _check_several(history: DetectionHistory, name: str) -> None:
    if len(history.species) < 2:
        which = f" ({history.species[0]})" if history.species else ""
        raise DataError(
            f"the history has one species{which} and {name} is of several, whose differences it estimates. For one "
            "species use lp.Occupancy; several go into a history as a dict from species to table, "
            "lp.DetectionHistory.from_tables({'tiger': ..., 'leopard': ...}).",
            offenders=list(history.species),
        )


def _check_seasons(seasons: tuple[str, ...], structure: Structure, name: str) -> None:
    if structure.is_dynamic and len(seasons) < 2:
        raise ModelError(
            f"{name} is about changes between seasons and the history has one. Use lp.{name.removeprefix('Dynamic')}, "
            "or give seasons= when you make the history."
        )
    if not structure.is_dynamic and len(seasons) > 1:
        dynamic = f"Use lp.Dynamic{name}, or c" if name in WITH_SEASONS else "C"
        raise ModelError(
            f"{name} is of one closed season and the history has {len(seasons)} ({listed(list(seasons))}). "
            f"{dynamic}hoose a season: history.select(season={seasons[0]!r}).",
            offenders=list(seasons),
        )


def designs_of(
    formula: str, table: pd.DataFrame, parameter: str, rows: str, *, priors: Mapping[str, Any] | None
) -> tuple[Design, tuple[AnyRandomDesign, ...]]:
    """Design of a formula on its table, with its offset; and its random and spatial effects.

    Parameters
    ----------
    formula
        For example ``"~ snow + (1 | block) + offset(np.log(effort))"``.
    table
        One row a place.
    parameter
        The parameter that it describes.
    rows
        What a row is, for messages.
    priors
        Priors that were given: that of a length scale chooses the basis of a surface.
    """
    free, offset = build_offset(formula, table, parameter=parameter, rows=rows)
    fixed, effects = build_effects(free, table, parameter, rows, priors=priors)
    return replace(build_design(fixed, table, parameter=parameter, rows=rows), offset=offset), effects


def table_of(home: Home, arrays: OccupancyArrays, states: tuple[str, ...]) -> tuple[pd.DataFrame, str]:
    """Table of the rows of a parameter, and what a row is.

    Parameters
    ----------
    home
        Where the parameter lives: "site" (first season), "transition" (season before, sites within), "state" (state
        before, then as transitions) or "visit" (visits made, by site, season and visit).
    arrays
        The history.
    states
        Labels of the states.
    """
    if home == "visit":
        return _visit_table(arrays), "visit"
    n_seasons = len(arrays.seasons)
    table = _with_positions(arrays.season_covariates, arrays)
    table["season"] = pd.Categorical(table["season"], categories=list(arrays.seasons), ordered=True)
    if home == "site":
        return _with_hints(table.iloc[::n_seasons].set_index("site", drop=False), arrays), "site"
    order = np.arange(len(table)).reshape(-1, n_seasons).T[:-1].ravel()
    table = table.iloc[order]
    table = table.set_index((table["site"] + "/" + table["season"].astype(str)).to_numpy(object))
    if home == "state":
        parts = [table.assign(state=state) for state in states]
        table = pd.concat(parts)
        table["state"] = pd.Categorical(table["state"], categories=list(states), ordered=True)
    return _with_hints(table, arrays), "transition"


def _with_positions(table: pd.DataFrame, arrays: OccupancyArrays) -> pd.DataFrame:
    table = table.copy()
    if arrays.xy is not None:
        repeat = len(table) // len(arrays.sites)
        for name, values in zip(("easting", "northing"), arrays.xy.T, strict=True):
            if name not in table:
                table[name] = np.repeat(values, repeat)
    return table


def _visit_table(arrays: OccupancyArrays) -> pd.DataFrame:
    table = arrays.visit_covariates.copy()
    if arrays.xy is not None:
        for name, values in zip(("easting", "northing"), arrays.xy.T, strict=True):
            if name not in table:
                table[name] = values[arrays.site]
    table["season"] = pd.Categorical(table["season"], categories=list(arrays.seasons), ordered=True)
    label = table["site"].astype(str) + "/" + table["season"].astype(str) + "/" + table["visit"].astype(str)
    return table.set_index(label.to_numpy(object))


def _with_hints(table: pd.DataFrame, arrays: OccupancyArrays) -> pd.DataFrame:
    """Note what to say of a covariate that only visits have, for the formula's error."""
    of_visits = [str(name) for name in arrays.visit_covariates.columns if name not in table]
    table.attrs["elsewhere"] = {
        name: f"{name!r} is a covariate of visits; the state of a site needs one of sites." for name in of_visits
    }
    return table
