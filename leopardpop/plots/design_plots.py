"""Maps for planning: where a design would see animals, and where its stations are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from leopardpop.errors import ModelError
from leopardpop.plots.ground import cells_of, draw_edge, draw_values
from leopardpop.plots.style import (
    COLUMN,
    FAINT,
    INK,
    PALETTE,
    SOFT,
    describe,
    figure_of,
    legend_below,
    new_axes,
    styled,
)
from leopardpop.words import counted, decimal, trimmed

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from leopardpop.design.expectation import Expected
    from leopardpop.design.layouts import Layout
    from leopardpop.plots.ground import Cells, Coordinates, Frame

__all__ = ["layout_map", "map_axes", "pdot_map"]


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


@styled
def layout_map(found: Layout, *, coordinates: Coordinates = "hidden", ax: Any = None) -> Axes:
    """Map the chosen stations among all feasible places.

    Parameters
    ----------
    found
        Result of :func:`leopardpop.design.layout`.
    coordinates
        "hidden": a scale bar and no coordinates on the axes; "exact".
    ax
        Axes to draw on; None: a new figure.

    Returns
    -------
    matplotlib Axes
    """
    cells = cells_of(found.mask)
    axes, frame = map_axes(cells, ax, coordinates)
    draw_edge(axes, cells, frame, colors=SOFT, linewidths=0.5, zorder=1)
    dots(axes, frame, found.places[["x", "y"]].to_numpy(float), s=3, c=FAINT, edgecolors="none", label="feasible place")
    kinds = {1: ("station", "o", PALETTE[0]), 2: ("station with two cameras", "s", PALETTE[5])}
    for cameras, (label, marker, color) in kinds.items():
        xy = found.stations.loc[found.stations["cameras"] == cameras, ["x", "y"]].to_numpy(float)
        if len(xy):
            dots(axes, frame, xy, s=14, c=color, marker=marker, label=label)
    gap = 2.6 if coordinates == "exact" else 0.0  # the room of ticks and their label
    legend_below(axes, axes.get_legend_handles_labels()[0], columns=3, gap=gap)
    caption = f"{found!r}. Grey: feasible places; outline: the mask."
    describe(axes, caption, f"Map of {counted(len(found.stations), 'station')} chosen among feasible places.")
    return axes
