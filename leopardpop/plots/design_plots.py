"""Maps for planning: where a design would see animals, and where its stations are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from leopardpop.errors import ModelError
from leopardpop.plots.ground import cells_of, draw_edge, draw_values
from leopardpop.plots.style import COLUMN, INK, describe, figure_of, new_axes, styled
from leopardpop.words import counted, decimal, trimmed

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from leopardpop.design.expectation import Expected
    from leopardpop.plots.ground import Cells, Coordinates, Frame

__all__ = ["map_axes", "pdot_map"]


def map_axes(cells: Cells, ax: Any, coordinates: Coordinates) -> tuple[Axes, Frame]:
    """Axes for a map of cells with a colour bar, and their frame.

    Raises
    ------
    ModelError
        For a wrong ``coordinates``.
    """
    if coordinates not in ("hidden", "exact"):
        raise ModelError(f'coordinates={coordinates!r}: it is "hidden" or "exact".')
    frame = cells.frame
    labels = 12 if coordinates == "exact" else 0
    (axes,) = new_axes(ax, width=COLUMN, height=min((COLUMN - labels) * frame.ratio, 120) + labels + 14)
    frame.apply(axes, coordinates, north=False)
    return axes, frame


def colour_bar(axes: Axes, image: Any, label: str) -> None:
    """A colour bar under a map."""
    bar = figure_of(axes).colorbar(image, ax=axes, orientation="horizontal", shrink=0.8, pad=0.02, aspect=30)
    bar.set_label(label)
    bar.outline.set_visible(False)


def dots(axes: Axes, frame: Frame, xy: Any, **style: Any) -> None:
    """Stations as dots that can be seen on dark and on light ground."""
    given: dict[str, Any] = {"s": 7, "c": "white", "edgecolors": INK, "linewidths": 0.6, "zorder": 4} | style
    axes.scatter(*frame.place(xy[:, 0], xy[:, 1]).T, **given)


@styled
def pdot_map(found: Expected, name: str, effort: float, *, coordinates: Coordinates = "hidden", ax: Any = None) -> Axes:
    """Map the probability of being detected of one design and effort.

    Parameters
    ----------
    found
        Result of :func:`leopardpop.design.expected`.
    name, effort
        The design and the effort.
    coordinates
        "hidden": a scale bar and no coordinates on the axes; "exact".
    ax
        Axes to draw on; None: a new figure.

    Returns
    -------
    matplotlib Axes
    """
    history = found.designs[name]
    session = history.sessions[0]
    mask: Any = found.mask[session] if isinstance(found.mask, dict) else found.mask
    cells, values = cells_of(mask), found.maps[name, effort][0]
    axes, frame = map_axes(cells, ax, coordinates)
    image = draw_values(axes, cells, values, frame, cmap="viridis", vmin=0, vmax=1, zorder=1)
    draw_edge(axes, cells, frame, colors=INK, linewidths=0.5, zorder=3)
    dots(axes, frame, history.arrays(session).xy)
    colour_bar(axes, image, "Probability of being detected")
    esa = float(np.asarray(mask.area) @ values)
    describe(axes, _caption(found, name, effort, esa), _alt(values))
    return axes


def _caption(found: Expected, name: str, effort: float, esa: float) -> str:
    history = found.designs[name]
    session = history.sessions[0]
    occasions = effort * history.n_occasions[session]
    what = f"{counted(history[session].n_stations, 'station')} (dots), {counted(occasions, 'occasion')}"
    over = f", averaged over {counted(found.n_draws, 'draw')} of what is assumed" if found.n_draws > 1 else ""
    return (
        f"Probability that an animal is detected at least once, by the place of its activity centre: {what}{over}. "
        f"Its sum over the mask is the effective sampling area, {trimmed(esa, 3)} km²."
    )


def _alt(values: Any) -> str:
    return f"Map of the probability of being detected, {decimal(values.min())} to {decimal(values.max())}."
