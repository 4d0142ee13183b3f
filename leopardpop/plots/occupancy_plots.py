"""``fit.plot`` of an occupancy model: effects of covariates, maps, and the states of the sites by season."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from leopardpop.data.mask import Mask
from leopardpop.errors import ModelError
from leopardpop.plots.derived import captioned
from leopardpop.plots.effects import is_probability, worded
from leopardpop.plots.ground import cells_of, draw_edge, draw_values, hatch
from leopardpop.plots.shared import SHARED, SharedPlots
from leopardpop.plots.style import COLUMN, INK, PALETTE, SMALL, SOFT, describe, figure_of, new_axes, plain, styled
from leopardpop.words import counted, rounded

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from leopardpop.results.occupancy_fit import OccupancyFit

__all__ = ["OccupancyPlots"]

LIGHT = 0.6
"""Of a probability, from which the colour of its square is light."""


class OccupancyPlots(SharedPlots):
    """Figures of an occupancy fit, as ``fit.plot``.

    Each returns the axes that it drew on; ``axes.figure`` has ``savefig``, ``caption`` and ``alt_text``.

    Parameters
    ----------
    fit
        The fit.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> import leopardpop as lp
    >>> sites = pd.DataFrame({"site": [str(i) for i in range(50)], "snow": np.linspace(0, 30, 50)})
    >>> looked = pd.DataFrame(np.ones((50, 4))).assign(site=sites["site"])
    >>> model = lp.Occupancy(psi="~ snow")
    >>> design = lp.DetectionHistory.from_tables(looked, sites)
    >>> sim = model.simulate(design, parameters={"psi": 0.5, "psi[snow]": -0.1, "p": 0.4}, seed=1)
    >>> model.fit(sim.history, seed=1).plot.effect("psi", "snow").get_ylabel()
    'Pr(used), ψ'
    """

    def __init__(self, fit: OccupancyFit) -> None:
        super().__init__(fit)

    def surface(
        self, parameter: str, mask: Mask, ax: Any = None, *, coordinates: Literal["hidden", "exact"] = "hidden"
    ) -> Axes:
        """Map the posterior mean of a parameter over a mask, hatched where covariates are outside of the sites'.

        Parameters
        ----------
        parameter
            ``"psi"``, ``"breeding"`` ...
        mask
            Mask with the covariates of its formula.
        ax
            Axes to draw on; None: a new figure.
        coordinates
            "hidden": no coordinates on the axes; "exact".

        Returns
        -------
        matplotlib Axes
        """
        return surface_figure(self._fit, parameter, mask, coordinates=coordinates, ax=ax)

    def states(self, ax: Any = None) -> Axes:
        """Draw the number of sites that are used, and used for breeding, by season, with 95 % intervals.

        Parameters
        ----------
        ax
            Axes to draw on; None: a new figure.

        Returns
        -------
        matplotlib Axes
        """
        return states_figure(self._fit, ax=ax)

    def transitions(self, ax: Any = None) -> Axes:
        """Draw the probabilities of each state a season later, with 95 % intervals: a row for each state before.

        Parameters
        ----------
        ax
            Axes to draw on; None: a new figure.

        Returns
        -------
        matplotlib Axes

        Raises
        ------
        ModelError
            If the model has one season.
        """
        return transitions_figure(self._fit, ax=ax)

    def __repr__(self) -> str:
        """Name the figures."""
        seasons = "transitions(), " if self._fit.problem.structure.is_dynamic else ""
        return f"Figures: surface(parameter, mask), states(), {seasons}{SHARED}"


@styled
def surface_figure(fit: Any, parameter: str, mask: Any, *, coordinates: Any, ax: Any) -> Axes:
    """Map the posterior mean of a parameter; see :meth:`OccupancyPlots.surface`."""
    if coordinates not in ("hidden", "exact"):
        raise ModelError(f'coordinates={coordinates!r}: it is "hidden" or "exact".')
    if not isinstance(mask, Mask):
        raise ModelError(
            f"plot.surface draws over a Mask, and {type(mask).__name__} is none: lp.Mask.from_table(table, "
            "cell_area=...) makes one of cells with x and y. fit.surface(...) takes tables and layers as they are.",
            offenders=["mask"],
        )
    surface, cells = fit.surface(parameter, mask), cells_of(mask)
    frame = cells.frame
    axes: Axes = new_axes(ax, width=COLUMN, height=min(COLUMN * frame.ratio, 140) + 14)[0]
    frame.apply(axes, coordinates, north=mask.crs is not None)
    mean, outside = surface[f"{parameter}_mean"].values, surface["extrapolated"].values
    words, top = worded(fit, parameter), 1.0 if is_probability(fit, parameter) else float(mean.max())
    image = draw_values(axes, cells, mean, frame, cmap="viridis", vmin=0.0, vmax=top, zorder=1)
    hatch(axes, cells, frame, outside, color="white")
    draw_edge(axes, cells, frame, colors=INK, linewidths=0.5, zorder=3)
    bar = figure_of(axes).colorbar(image, ax=axes, location="bottom", fraction=0.05, pad=0.01, shrink=0.75)
    bar.ax.tick_params(width=0.5, length=2, labelsize=SMALL)
    bar.set_label(words)
    text = f"{words}: posterior mean over {counted(len(mean), 'cell')}. "
    if outside.any():
        text += f"Hatched: {counted(int(outside.sum()), 'cell')} with covariates outside of what the sites have."
    low, high = rounded(float(mean.min())), rounded(float(mean.max()))
    describe(axes, captioned(fit.history, text), f"Map of {parameter}, {low} to {high}.")
    return axes


@styled
def states_figure(fit: Any, *, ax: Any) -> Axes:
    """Draw the number of sites by state and season; see :meth:`OccupancyPlots.states`."""
    states = fit.occupancy()
    found = {"used": states.used_sites}
    if "breeding" in fit.problem.structure.states:
        found["used for breeding"] = states.breeding_sites
    axes: Axes = new_axes(ax, width=COLUMN, height=60)[0]
    seasons = list(fit.problem.arrays.seasons)
    for (label, draws), color, marker, shift in zip(found.items(), PALETTE, "os", (-0.08, 0.08), strict=False):
        median, lower, upper = np.quantile(
            draws.values.reshape(draws.shape[0] * draws.shape[1], -1), [0.5, 0.025, 0.975], axis=0
        )
        place = np.arange(len(seasons)) + (shift if len(found) > 1 else 0.0)
        axes.vlines(place, lower, upper, color=color)
        axes.plot(place, median, marker=marker, color=color, markersize=4, linewidth=0.7, label=label)
    n = fit.problem.n_sites
    axes.axhline(n, color=SOFT, linewidth=0.6, linestyle=(0, (1, 2)))
    axes.set(xlim=(-0.5, len(seasons) - 0.5), ylim=(0, 1.05 * n), ylabel="Sites")
    axes.set_xticks(range(len(seasons)), [plain(label) for label in seasons])
    axes.legend(loc="best")
    text = f"Sites by state, of {n} (dotted line): median and 95 % interval, given everything that was seen. "
    text += "A breeding site is not a breeding female. " if len(found) > 1 else ""
    describe(axes, captioned(fit.history, text), f"Number of sites by state in {counted(len(seasons), 'season')}.")
    return axes


@styled
def transitions_figure(fit: Any, *, ax: Any) -> Axes:
    """Draw the matrix of transition probabilities; see :meth:`OccupancyPlots.transitions`."""
    found = fit.occupancy().transitions.mean("season")
    states = [plain(str(name)) for name in found["before"].values]
    draws = found.values.reshape(-1, len(states), len(states))
    median, lower, upper = np.quantile(draws, [0.5, 0.025, 0.975], axis=0)
    axes: Axes = new_axes(ax, width=COLUMN, height=22 * len(states) + 16)[0]
    axes.imshow(median, cmap="viridis", vmin=0.0, vmax=1.0, aspect="auto")
    for j, k in np.ndindex(median.shape):
        told = f"{median[j, k]:.2f}\n{lower[j, k]:.2f} to {upper[j, k]:.2f}"
        color = INK if median[j, k] > LIGHT else "white"
        axes.text(k, j, told, ha="center", va="center", color=color, linespacing=1.4)
    axes.set_xticks(range(len(states)), states)
    axes.set_yticks(range(len(states)), states)
    axes.set(xlabel="State a season later", ylabel="State")
    axes.tick_params(length=0)
    axes.grid(visible=False)
    steps = len(fit.problem.arrays.seasons) - 1
    text = "Probability of each state a season later (columns) given the state (rows), by the model: median and 95 % "
    text += f"interval of its mean over {counted(fit.problem.n_sites, 'site')}"
    text += f" and {counted(steps, 'change')} of season. " if steps > 1 else ". "
    stay = ", ".join(f"{name} {median[i, i]:.2f}" for i, name in enumerate(states))
    describe(axes, captioned(fit.history, text), f"Matrix of transition probabilities; of staying: {stay}.")
    return axes
