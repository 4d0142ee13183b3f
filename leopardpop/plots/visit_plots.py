"""``history.plot`` of a detection history: the figures of raw data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from leopardpop.data.detection_history import DetectionHistory
    from leopardpop.plots.style import Panels

__all__ = ["VisitPlots"]


class VisitPlots:
    """Figures of a detection history, as ``history.plot``.

    Parameters
    ----------
    history
        The detection history.

    Examples
    --------
    >>> import leopardpop as lp
    >>> history = lp.DetectionHistory.from_tables([[0, 1, float("nan")], [0, 0, 0]])
    >>> history.plot.history().figure.caption
    'Raw detection history: 5 visits to 2 sites, 1 detection. A row is a site, a column a visit.'
    """

    def __init__(self, history: DetectionHistory) -> None:
        self._history = history

    def history(
        self, ax: Any = None, *, order: Literal["site", "detections"] = "site", species: str | None = None
    ) -> Axes | Panels:
        """Draw every visit to every site, in the colour of what was seen; hatched where there was no visit.

        Parameters
        ----------
        ax
            Axes to draw on, one a species; None: a new figure.
        order
            "site": as in the history; "detections": sites with most of them on top.
        species
            Label of one species; None: a panel each, at most 12.

        Returns
        -------
        matplotlib Axes or array of Axes
        """
        from leopardpop.plots.visit_raster import visit_raster

        return visit_raster(self._history, order=order, species=species, ax=ax)

    def map(
        self,
        ax: Any = None,
        *,
        species: str | None = None,
        border: Any = None,
        coordinates: Literal["hidden", "exact"] = "hidden",
    ) -> Axes | Panels:
        """Map of the sites by what was seen there, a panel a season and species.

        Parameters
        ----------
        ax
            Axes to draw on, one a panel; None: a new figure.
        species
            Label of one species; None: all, at most 12 panels.
        border
            Lines to draw: GeoDataFrame, path or shapely geometry.
        coordinates
            "hidden": no coordinates on the axes; "exact".

        Returns
        -------
        matplotlib Axes or array of Axes
        """
        from leopardpop.plots.site_map import site_map

        return site_map(self._history, species=species, border=border, coordinates=coordinates, ax=ax)

    def __repr__(self) -> str:
        """Name the figures."""
        return "Figures: history(), map()"
