"""The figures of a report of an occupancy model, with positions hidden or not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from leopardpop.plots.site_map import site_map
from leopardpop.plots.visit_raster import visit_raster
from leopardpop.report.figures import Pictures

if TYPE_CHECKING:
    from leopardpop.report.blocks import Block
    from leopardpop.report.site_context import SiteContext

__all__ = ["SiteAlbum"]

MOST_EFFECTS = 6
PLACES = ("easting", "northing", "x", "y")
"""Covariates whose axis would tell where the sites are."""


class SiteAlbum(Pictures):
    """Pictures of a report, numbered in the order in which they are asked for.

    Parameters
    ----------
    context
        What the report is about.
    """

    def __init__(self, context: SiteContext) -> None:
        super().__init__()
        self._context = context

    def states(self) -> list[Block]:
        """Number of sites by state and season, and how states follow each other."""
        plot = self._context.fit.plot
        found: list[Block] = [self.picture(plot.states(), "states")]
        if self._context.structure.is_dynamic:
            found.append(self.picture(plot.transitions(), "transitions"))
        return found

    def survey(self) -> list[Block]:
        """What every visit saw; and where, if positions may be shown."""
        context = self._context
        axes = visit_raster(context.history, order="detections")
        if context.hidden:
            for each in np.ravel(np.asarray(axes, object)):
                each.set_yticks([])
        found: list[Block] = [self.picture(axes, "visits")]
        if not context.hidden and context.arrays.xy is not None:
            found.append(self.picture(site_map(context.history, coordinates="exact"), "survey"))
        return found

    def effects(self) -> list[Block]:
        """Parameters along their covariates, at most six."""
        plot = self._context.fit.plot
        return [self.picture(plot.effect(*pair), "effect_" + "_".join(pair)) for pair in self._pairs()[:MOST_EFFECTS]]

    def _pairs(self) -> list[tuple[str, str]]:
        """Parameters and the covariates of their formulas; categories of a multinomial logit have no curve alone."""
        context = self._context
        chosen = {name for pair in context.structure.choices for name in pair}
        secret = {"site", *(PLACES if context.hidden else ())}
        pairs = []
        for name in context.structure.homes:
            design = context.problem.layout[name].design
            pairs += [(name, variable) for variable in (*design.numeric, *design.factors) if variable not in secret]
        return [pair for pair in pairs if pair[0] not in chosen]
