"""The parameters of a capture-recapture model in the order of the engine's vector."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from leopardpop.components.classes import Mixture
from leopardpop.components.counts import parameters_of
from leopardpop.components.density import LogLinear
from leopardpop.components.formula import build_design
from leopardpop.components.random_effects import build_random
from leopardpop.components.spatial import KM, SpatialDesign, split_spatial
from leopardpop.errors import ModelError
from leopardpop.models.grouping import check_groups
from leopardpop.models.latent import ordering
from leopardpop.models.layout import make_layout, pieces_of_effects
from leopardpop.models.prior_references import default_references
from leopardpop.models.spatial_effects import build_effects
from leopardpop.models.tables import density_table
from leopardpop.priors import Prior

if TYPE_CHECKING:
    import pandas as pd

    from leopardpop.components.formula import Design
    from leopardpop.models.layout import AnyRandomDesign, Layout
    from leopardpop.models.problem import Problem

    type Piece = tuple[str, str, str, Design, tuple[int, ...]]

__all__ = ["scr_layout"]

FEWEST_CELLS = 50
"""Of a mask, for a surface of density."""


def scr_layout(problem: Problem, *, ordered: bool) -> Layout:
    """Density, detection, sds of random effects, shares of classes, deviations of groups.

    Parameters
    ----------
    problem
        The model with its data, of which the stations are known in their units.
    ordered
        Whether latent classes are kept in order.
    """
    model, n_classes = problem.model, len(problem.levels)
    units = tuple(n_classes * len(u.station) for u in problem.units)
    piece, random = _density(problem)
    pieces, effects = [piece], _named("D", random)
    for p in parameters_of(model):
        design, random = problem.detection.of_units(p.name)
        pieces.append((p.name, p.link, p.unit, design, units))
        effects += _named(p.name, random)
    for name, link, *_ in list(pieces):
        pieces += pieces_of_effects([each for each in effects if each[0] == name], link)
    mixture = isinstance(model.classes, Mixture)
    by = ordering(model.detection.parameters(), problem.detection) if mixture else None
    shares = (problem.column, problem.levels) if problem.column else None
    return make_layout(pieces, shares, effects, ordered=by if ordered else None)


def _density(problem: Problem) -> tuple[Piece, tuple[AnyRandomDesign, ...]]:
    """Log density over the cells of all sessions."""
    given = problem.model.density
    density = LogLinear(D=given) if isinstance(given, str) else given
    table = density_table(problem.data, problem.masks)
    fixed, random = _density_effects(problem, density.D, table)
    design = build_design(fixed, table, parameter="D", rows="cell")
    check_groups("D", design, (each for each in random if not isinstance(each, SpatialDesign)))
    cells = tuple(problem.masks[data.session].n_cells for data in problem.data)
    return ("D", "log", "1/km²", design, cells), random


def _density_effects(problem: Problem, formula: str, table: pd.DataFrame) -> tuple[str, tuple[AnyRandomDesign, ...]]:
    """Random effects and the surface of density; the formula without them."""
    if split_spatial(formula, "D")[1] is None:
        return build_random(formula, table, parameter="D", rows="cell")
    masks = [problem.masks[data.session] for data in problem.data]
    _check_cells(formula, sum(mask.n_cells for mask in masks))
    east, north = (np.concatenate([getattr(mask, axis) for mask in masks]) for axis in "xy")
    placed = table.assign(easting=east, northing=north)
    priors = problem.model.priors
    scale = default_references(problem.data, ["sigma"], priors or {})["sigma"]
    known = float(scale.quantile(0.5)) / KM if isinstance(scale, Prior) else 0.0
    return build_effects(formula, placed, "D", "cell", priors=priors, resolution=known)


def _check_cells(formula: str, n_cells: int) -> None:
    if n_cells < FEWEST_CELLS:
        raise ModelError(
            f"formula {formula!r} of 'D': gp(x, y) on {n_cells} cells. A surface needs {FEWEST_CELLS} at least to bend "
            "between them: make the mask finer, as in lp.Mask.around(..., spacing=...), or fit a trend, '~ x + y'.",
            offenders=["gp(x, y)"],
        )


def _named(parameter: str, random: Sequence[AnyRandomDesign]) -> list[tuple[str, str, AnyRandomDesign]]:
    """Random effects of a formula with the names of their sds."""
    return [(parameter, f"{parameter}_sd_{each.suffix}", each) for each in random]
