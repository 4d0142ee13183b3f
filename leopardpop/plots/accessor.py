"""``fit.plot``: the figures of a fit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from leopardpop.plots.shared import SHARED, SharedPlots

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from leopardpop.plots.style import Panels
    from leopardpop.results.fit import Fit

__all__ = ["FitPlots"]


class FitPlots(SharedPlots):
    """Figures of a fit, as ``fit.plot``.

    Each returns the axes that it drew on; ``axes.figure`` has ``savefig``, ``caption`` and ``alt_text``. A notebook
    shows the figure of the axes that are a cell's value.

    Parameters
    ----------
    fit
        The fit.

    Examples
    --------
    >>> import pandas as pd
    >>> import leopardpop as lp
    >>> axis = range(0, 6_000, 1_500)
    >>> stations = pd.DataFrame([(f"{x}-{y}", x, y) for x in axis for y in axis], columns=["station", "x", "y"])
    >>> design = lp.CaptureHistory.from_tables(None, stations, occasions=10)
    >>> mask = lp.Mask.around(design, buffer=4_500, spacing=600)
    >>> sim = lp.SCR().simulate(design, mask, parameters={"D": 0.4, "lambda0": 0.2, "sigma": 1_000}, seed=2)
    >>> fit = lp.SCR().fit(sim.history, mask, seed=1)
    >>> fit.plot.population().get_xlabel()
    'Animals in the hull of the stations, N'
    >>> fit.plot.detection().figure.alt_text[:54]
    'Curve of the detection rate falling with distance. At '
    """

    def __init__(self, fit: Fit) -> None:
        super().__init__(fit)

    def population(
        self,
        ax: Any = None,
        *,
        claim: tuple[float, float] | None = None,
        truth: float | Mapping[str, float] | None = None,
        regions: Any = None,
        by: str | None = None,
    ) -> Axes | Panels:
        """Posterior of the number of animals, with the prior, the number detected, and a claimed range.

        Parameters
        ----------
        ax
            Axes to draw on, one a session and region; None: a new figure.
        claim
            Range to shade, ends included, such as ``(30, 50)``; its posterior and prior probability are written.
        truth
            True number, where the survey was simulated; a mapping from session or region if there are several.
        regions, by
            As for :meth:`Fit.population`.

        Returns
        -------
        matplotlib Axes or array of Axes
        """
        from leopardpop.plots.population import population_figure

        return population_figure(self._fit, claim=claim, truth=truth, regions=regions, by=by, ax=ax)

    def density(
        self,
        ax: Any = None,
        *,
        session: str | None = None,
        exceeds: float | None = None,
        coordinates: Literal["hidden", "exact"] = "hidden",
        block: float | None = None,
    ) -> Axes | Panels:
        """Maps of the posterior mean of density and of its coefficient of variation.

        Parameters
        ----------
        ax
            Axes to draw on, one a map, or a single one for the mean alone; None: a new figure.
        session
            Label of one session; None: a row each, or one row where they share mask and density.
        exceeds
            Animals per km²: adds a map of the probability that density is larger.
        coordinates
            "hidden": no coordinates on the axes; "exact".
        block
            Side in metres of squares to average over, without stations: for publishing where positions are secret.

        Returns
        -------
        array of matplotlib Axes, or the Axes that was given
        """
        from leopardpop.plots.density import density_figure

        return density_figure(self._fit, session=session, exceeds=exceeds, coordinates=coordinates, block=block, ax=ax)

    def detection(self, ax: Any = None, *, session: str | None = None) -> Axes:
        """Detection function by class with its 95 % band, and the rates in the data.

        Parameters
        ----------
        ax
            Axes to draw on; None: a new figure.
        session
            Label of one session; None: all together.

        Returns
        -------
        matplotlib Axes
        """
        from leopardpop.plots.detection import detection_figure

        return detection_figure(self._fit, session=session, ax=ax)

    def centres(
        self,
        ax: Any = None,
        *,
        individuals: Sequence[str] | str | None = None,
        session: str | None = None,
        coordinates: Literal["hidden", "exact"] = "hidden",
    ) -> Axes | Panels:
        """Map of where the activity centre of each detected animal is likely to be.

        Parameters
        ----------
        ax
            Axes to draw on, one a session; None: a new figure.
        individuals
            Names of the animals to draw; None: all.
        session
            Label of one session; None: a panel each.
        coordinates
            "hidden": no coordinates on the axes; "exact".

        Returns
        -------
        matplotlib Axes or array of Axes
        """
        from leopardpop.plots.centres import centres_figure

        return centres_figure(self._fit, individuals=individuals, session=session, coordinates=coordinates, ax=ax)

    def survey(
        self,
        ax: Any = None,
        *,
        session: str | None = None,
        border: Any = None,
        coordinates: Literal["hidden", "exact"] = "hidden",
    ) -> Axes | Panels:
        """Map of the stations and of the animals detected, over the mask.

        Parameters
        ----------
        ax
            Axes to draw on, one a session; None: a new figure.
        session
            Label of one session; None: a panel each.
        border
            Lines to draw: GeoDataFrame, path or shapely geometry.
        coordinates
            "hidden": no coordinates on the axes; "exact".

        Returns
        -------
        matplotlib Axes or array of Axes
        """
        from leopardpop.plots.survey_map import survey_map

        masks = self._fit.masks
        return survey_map(self._fit.history, masks, session=session, border=border, coordinates=coordinates, ax=ax)

    def __repr__(self) -> str:
        """Name the figures."""
        return f"Figures: population(), density(), detection(), survey(), centres(), {SHARED}"
