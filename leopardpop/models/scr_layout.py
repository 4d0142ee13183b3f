"""The parameters of a capture-recapture model in the order of the engine's vector."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from leopardpop.components.classes import Mixture
from leopardpop.components.counts import parameters_of
from leopardpop.components.density import LogLinear
from leopardpop.components.formula import build_design
from leopardpop.components.random_effects import build_random
from leopardpop.models.grouping import check_groups
from leopardpop.models.latent import ordering
from leopardpop.models.layout import make_layout, pieces_of_effects
from leopardpop.models.tables import density_table

if TYPE_CHECKING:
    from leopardpop.components.formula import Design
    from leopardpop.components.random_effects import RandomDesign
    from leopardpop.models.layout import AnyRandomDesign, Layout
    from leopardpop.models.problem import Problem

    type Piece = tuple[str, str, str, Design, tuple[int, ...]]

__all__ = ["scr_layout"]


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


def _density(problem: Problem) -> tuple[Piece, tuple[RandomDesign, ...]]:
    """Log density over the cells of all sessions."""
    given = problem.model.density
    density = LogLinear(D=given) if isinstance(given, str) else given
    table = density_table(problem.data, problem.masks)
    fixed, random = build_random(density.D, table, parameter="D", rows="cell")
    design = build_design(fixed, table, parameter="D", rows="cell")
    check_groups("D", design, random)
    cells = tuple(problem.masks[data.session].n_cells for data in problem.data)
    return ("D", "log", "1/km²", design, cells), random


def _named(parameter: str, random: Sequence[RandomDesign]) -> list[tuple[str, str, AnyRandomDesign]]:
    """Random effects of a formula with the names of their sds."""
    return [(parameter, f"{parameter}_sd_{each.suffix}", each) for each in random]
