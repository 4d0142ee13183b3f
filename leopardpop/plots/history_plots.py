"""``history.plot``: the figures of a capture history."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from leopardpop.data.history import CaptureHistory
    from leopardpop.data.mask import Mask
    from leopardpop.plots.style import Panels

__all__ = ["HistoryPlots"]


class HistoryPlots:
    """Figures of a capture history, as ``history.plot``.

    Parameters
    ----------
    history
        The capture history.

    Examples
    --------
    >>> import pandas as pd
    >>> import leopardpop as lp
    >>> stations = pd.DataFrame({"station": ["A", "B", "C"], "x": [0, 2000, 4000], "y": [0, 500, 0]})
    >>> captures = pd.DataFrame({"individual": ["F1", "F1"], "station": ["A", "B"], "occasion": [1, 3]})
    >>> history = lp.CaptureHistory.from_tables(captures, stations, occasions=4)
    >>> history.plot.map().figure.alt_text
    'Map of 3 stations and the stations of 1 animal.'
    """

    def __init__(self, history: CaptureHistory) -> None:
        self._history = history

    def map(
        self,
        ax: Any = None,
        *,
        mask: Mask | Mapping[str, Mask] | None = None,
        session: str | None = None,
        border: Any = None,
        coordinates: Literal["hidden", "exact"] = "hidden",
    ) -> Axes | Panels:
        """Map of the stations and of the animals detected.

        Parameters
        ----------
        ax
            Axes to draw on, one a session; None: a new figure.
        mask
            Mask to draw under it, or one a session.
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

        masks = mask if mask is None or isinstance(mask, Mapping) else dict.fromkeys(self._history.sessions, mask)
        return survey_map(self._history, masks, session=session, border=border, coordinates=coordinates, ax=ax)

    def counts(self, ax: Any = None, *, column: str | None = None) -> Panels:
        """Stations on by occasion, and animals by the number of their stations: no position can be read from it.

        Parameters
        ----------
        ax
            Axes to draw on, two (one where no session has several occasions); None: a new figure.
        column
            Covariate of the individuals that bars are divided by, such as "sex".

        Returns
        -------
        array of matplotlib Axes
        """
        from leopardpop.plots.counts import counts_figure

        return counts_figure(self._history, column=column, ax=ax)

    def recaptures(self, ax: Any = None, *, column: str | None = None) -> Panels:
        """Capture frequencies and spatial recaptures: how often animals were detected, and how far apart.

        Parameters
        ----------
        ax
            Axes to draw on, two; None: a new figure.
        column
            Covariate of the individuals that bars are divided by, such as "sex".

        Returns
        -------
        array of matplotlib Axes
        """
        from leopardpop.plots.recaptures import recaptures_figure

        return recaptures_figure(self._history, column=column, ax=ax)

    def __repr__(self) -> str:
        """Name the figures."""
        return "Figures: map(), counts(), recaptures()"
