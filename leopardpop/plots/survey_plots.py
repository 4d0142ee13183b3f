"""``survey.plot``: the figures of a survey."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

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
    Figures: calendar()
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

    def __repr__(self) -> str:
        """Name the figures."""
        return "Figures: calendar()"
