"""``survey.plot``: the figures of a survey."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from leopardpop.data.survey import Survey

__all__ = ["SurveyPlots"]


class SurveyPlots:
    """Figures of a survey, as ``survey.plot``.

    Parameters
    ----------
    survey
        The survey.

    Examples
    --------
    >>> import leopardpop as lp
    >>> lp.load_example("amur_leopard").plot
    Figures: calendar(), map(), activity(), accumulation()
    """

    def __init__(self, survey: Survey) -> None:
        self._survey = survey

    def calendar(self, ax: Any = None, *, species: str | Sequence[str] | None = None) -> Axes:
        """When each station was on, when it had failed, and when there were records.

        Parameters
        ----------
        ax
            Axes to draw on; None: a new figure.
        species
            Name, or several: only their records are marked; None: all records.

        Returns
        -------
        matplotlib Axes
        """
        from leopardpop.plots.calendar import calendar_figure

        return calendar_figure(self._survey, species=species, ax=ax)

    def map(
        self,
        ax: Any = None,
        *,
        species: str | Sequence[str] | None = None,
        size: Literal["effort", "records"] = "effort",
        moves: bool = True,
        border: Any = None,
        coordinates: Literal["hidden", "exact"] = "hidden",
    ) -> Axes:
        """Map of the stations, where a species was recorded, and the moves of its animals between them.

        Parameters
        ----------
        ax
            Axes to draw on; None: a new figure.
        species
            Name, or several that stand for one: stations with records of it are blue, with a ring, others grey; its
            moves are drawn. None: all.
        size
            What the area of a symbol stands for: "effort" (station-days) or "records" (independent by 30 minutes).
        moves
            Whether lines join the stations at which an animal was recorded one after the other, and diamonds mark
            animals that were at one station only.
        border
            Lines to draw: GeoDataFrame, path or shapely geometry.
        coordinates
            "hidden": no coordinates on the axes; "exact".

        Returns
        -------
        matplotlib Axes
        """
        from leopardpop.plots.survey_stations import stations_figure

        options: dict[str, Any] = {"size": size, "moves": moves, "border": border, "coordinates": coordinates}
        return stations_figure(self._survey, species=species, ax=ax, **options)

    def activity(
        self,
        ax: Any = None,
        *,
        species: str | Sequence[str] | None = None,
        kind: Literal["linear", "polar"] = "linear",
        independence: Any = "30min",
    ) -> Axes:
        """Activity by time of day, a curve a species, with the night behind it.

        Parameters
        ----------
        ax
            Axes to draw on (polar ones for "polar"); None: a new figure.
        species
            Name, or several, each its own curve; None: the four with the most records.
        kind
            "linear", or "polar": a clock of 24 hours.
        independence
            Records less than this after the one before (station, species, animal) are one event.

        Returns
        -------
        matplotlib Axes
        """
        from leopardpop.plots.activity import activity_figure

        return activity_figure(self._survey, species=species, kind=kind, independence=independence, ax=ax)

    def accumulation(
        self, ax: Any = None, *, species: str | Sequence[str] | None = None, by: Literal["date", "effort"] = "date"
    ) -> Axes:
        """Animals known by date or by effort: does the survey still find new ones?

        Parameters
        ----------
        ax
            Axes to draw on; None: a new figure.
        species
            Name, or several that stand for one; None if the records are of one.
        by
            "date", or "effort": station-days.

        Returns
        -------
        matplotlib Axes
        """
        from leopardpop.plots.accumulation import accumulation_figure

        return accumulation_figure(self._survey, species=species, by=by, ax=ax)

    def __repr__(self) -> str:
        """Name the figures."""
        return "Figures: calendar(), map(), activity(), accumulation()"
