"""Figures that every fit has: effects, chains, leave-one-out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from leopardpop.plots.style import Panels

__all__ = ["SHARED", "SharedPlots"]

SHARED = "effect(parameter, variable), effects(), trace(), ranks(), khat()"


class SharedPlots:
    """Figures that need only parameters and draws.

    Parameters
    ----------
    fit
        A fit.
    """

    def __init__(self, fit: Any) -> None:
        self._fit = fit

    def effect(
        self,
        parameter: str,
        variable: str,
        ax: Any = None,
        *,
        at: Mapping[str, Any] | None = None,
        span: tuple[float, float] | None = None,
    ) -> Axes:
        """Draw a parameter along one covariate: median and 95 % band, dashed outside of what the data have.

        Parameters
        ----------
        parameter, variable, at, span
            As for ``fit.effect``.
        ax
            Axes to draw on; None: a new figure.

        Returns
        -------
        matplotlib Axes
        """
        from leopardpop.plots.effects import effect_figure

        return effect_figure(self._fit, parameter, variable, at=at, span=span, ax=ax)

    def effects(self, ax: Any = None) -> Axes:
        """Draw the coefficients of all covariates and factors beside their priors.

        Parameters
        ----------
        ax
            Axes to draw on; None: a new figure.

        Returns
        -------
        matplotlib Axes
        """
        from leopardpop.plots.effects import effects_figure

        return effects_figure(self._fit, ax=ax)

    def trace(self, parameters: str | Sequence[str] | None = None) -> Panels:
        """Draw the chains of NUTS and their densities, by arviz-plots.

        Parameters
        ----------
        parameters
            Names in the posterior; None: the first eight.

        Returns
        -------
        array of matplotlib Axes

        Raises
        ------
        ModelError
            If the engine has no chains, or a name is unknown.
        """
        from leopardpop.plots.chains import trace_figure

        return trace_figure(self._fit, parameters)

    def ranks(self, parameters: str | Sequence[str] | None = None) -> Panels:
        """Draw the ranks of each chain of NUTS, by arviz-plots: uniform if the chains agree.

        Parameters
        ----------
        parameters
            Names in the posterior; None: the first eight.

        Returns
        -------
        array of matplotlib Axes

        Raises
        ------
        ModelError
            If the engine has no chains, or a name is unknown.
        """
        from leopardpop.plots.chains import ranks_figure

        return ranks_figure(self._fit, parameters)

    def khat(self) -> Panels:
        """Draw Pareto k of each animal or site left out, by arviz-plots.

        Returns
        -------
        array of matplotlib Axes
        """
        from leopardpop.plots.chains import khat_figure

        return khat_figure(self._fit)
