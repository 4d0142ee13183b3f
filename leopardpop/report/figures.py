"""The figures of a report, with positions hidden or not."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np

from leopardpop.plots.counts import counts_figure
from leopardpop.plots.density import density_figure
from leopardpop.plots.detection import detection_figure
from leopardpop.plots.population import population_figure
from leopardpop.plots.style import figure_of
from leopardpop.plots.survey_map import survey_map
from leopardpop.report.blocks import Paragraph, Picture

if TYPE_CHECKING:
    from leopardpop.report.blocks import Block
    from leopardpop.report.context import Context

__all__ = ["Album", "Pictures"]

DPI = 200


class Pictures:
    """Figures as pictures, numbered in the order in which they are made."""

    def __init__(self) -> None:
        self._n = 0

    def picture(self, axes: Any, name: str) -> Picture:
        """Picture of the figure of some axes."""
        figure: Any = figure_of(np.ravel(np.asarray(axes, object))[0])
        buffer = BytesIO()
        figure.savefig(buffer, format="png", dpi=DPI, metadata={"Software": None})
        self._n += 1
        caption = f"Figure {self._n}. {figure.caption}".replace(r"\$", "$")
        return Picture(buffer.getvalue(), caption, figure.alt_text, name, 25.4 * figure.get_figwidth())


class Album(Pictures):
    """Pictures of a report, numbered in the order in which they are asked for.

    Parameters
    ----------
    context
        What the report is about.
    """

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context

    def population(self) -> list[Block]:
        """Posterior of N."""
        context = self._context
        claim = None if context.put_in else context.claim
        axes = population_figure(context.fit, claim=claim, truth=context.truth, regions=context.regions, by=context.by)
        return [self.picture(axes, "population")]

    def survey(self) -> list[Block]:
        """Map of the survey, or its effort and detections where positions are hidden."""
        context = self._context
        if context.hidden:
            column = context.problem.column
            return [self.picture(counts_figure(context.history, column=column), "survey")]
        return [self.picture(survey_map(context.history, context.problem.masks, coordinates="exact"), "survey")]

    def detection(self) -> list[Block]:
        """Detection function."""
        return [self.picture(detection_figure(self._context.fit), "detection")]

    def density(self) -> list[Block]:
        """Map of density; coarse and without stations where positions are hidden."""
        context = self._context
        if not context.hidden:
            return [self.picture(density_figure(context.fit, coordinates="exact"), "density")]
        if context.problem.layout["D"].is_constant:
            return [
                Paragraph("Density is the same in all cells by the model, so that a map of it would show one colour.")
            ]
        return [self.picture(density_figure(context.fit, block=block_of(context)), "density")]


def block_of(context: Context) -> float:
    """Side in metres of the squares of a coarse map: so large that no station can be found by it."""
    from leopardpop.plots.ground import nice_length
    from leopardpop.results.rim import coarse_side

    least = coarse_side(*context.problem.masks.values())
    below = nice_length(least)
    return next(side for side in (below, 2.0 * below, 2.5 * below) if side >= least * (1 - 1e-9))
