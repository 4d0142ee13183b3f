"""Map of the sites of a detection history, and of what was seen there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.lines import Line2D

from leopardpop.errors import DataError, ModelError
from leopardpop.plots.ground import Frame, draw_lines, frame_of
from leopardpop.plots.style import COLUMN, INK, PAGE, SOFT, describe, legend_under, new_axes, panels_of, plain, styled
from leopardpop.plots.visit_colors import classes, color_map, labels
from leopardpop.words import counted

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from leopardpop.data.detection_history import DetectionHistory
    from leopardpop.plots.ground import Coordinates
    from leopardpop.plots.style import Panels

__all__ = ["site_map"]

MOST_PANELS = 12
MARKERS = ("o", "o", "^", "^", "s", "s", "s")
"""Of what was seen at most: not seen, seen, more."""
BORDER = (0, (5, 1.5, 1, 1.5))


@styled
def site_map(
    history: DetectionHistory,
    *,
    species: str | None = None,
    border: Any = None,
    coordinates: Coordinates = "hidden",
    ax: Any = None,
) -> Axes | Panels:
    """Draw the sites, by the most that was seen there on any visit of a season.

    Parameters
    ----------
    history
        The detection history.
    species
        Label of one species; None: that of the history, or a panel each.
    border
        Lines to draw: GeoDataFrame, path or shapely geometry.
    coordinates
        "hidden": a scale bar and no coordinates on the axes; "exact".
    ax
        Axes to draw on, one a season or species.

    Returns
    -------
    matplotlib Axes or array of Axes

    Raises
    ------
    DataError
        If the sites have no positions.
    ModelError
        If ``coordinates`` is neither.
    """
    if coordinates not in ("hidden", "exact"):
        raise ModelError(f'coordinates={coordinates!r}: it is "hidden" or "exact".')
    xy = history.arrays().xy
    if xy is None:
        raise DataError("the sites have no positions. Give x and y (metres) in the table of sites.")
    chosen = history.select(species=species)
    panels = _panels(chosen)
    extent = float(np.ptp(xy, axis=0).max()) or 1000.0
    frame = frame_of(xy[:, 0], xy[:, 1], 0.06 * extent)
    axes = _axes(ax, len(panels), frame, coordinates)
    for each, (title, one) in zip(axes, panels, strict=False):
        frame.apply(each, coordinates, north=history.crs is not None)
        if border is not None:
            draw_lines(each, border, history.crs, frame, colors=SOFT, linewidths=0.9, linestyles=[BORDER], zorder=1)
        _sites(each, one, frame)
        each.set_title(plain(title))
    axes = axes[: len(panels)]
    legend_under(axes, _handles(chosen), own=ax is None, gap=2.6 if coordinates == "exact" else 0.0)
    describe(axes, _caption(chosen, len(panels)), f"Map of {counted(history.n_sites, 'site')} and what was seen there.")
    return axes[0] if len(axes) == 1 else panels_of(axes)


def _panels(history: DetectionHistory) -> list[tuple[str, DetectionHistory]]:
    """Return a panel a species, or a season, or both."""
    several = "species" in history.dataset.dims
    panels = []
    for name in history.species if several else [None]:
        for season in history.seasons:
            title = [name or "", season if len(history.seasons) > 1 else ""]
            panels.append((" ".join(filter(None, title)), history.select(species=name, season=season)))
    return panels[:MOST_PANELS]


def _axes(ax: Any, n: int, frame: Frame, coordinates: Coordinates) -> list[Any]:
    if ax is not None:
        return new_axes(ax, width=PAGE, height=PAGE, shape=(1, n))
    columns = min(n, 3)
    rows, width = -(-n // columns), COLUMN if n == 1 else PAGE
    labels = 12 if coordinates == "exact" else 0
    height = min((width / columns - 3 - labels) * frame.ratio, 125 if n == 1 else 80)
    axes = new_axes(
        None, width=width, height=rows * (height + labels + (5 if n > 1 else 0)) + 13, shape=(rows, columns)
    )
    for spare in axes[n:]:
        spare.set_axis_off()
    return axes


def _sites(ax: Axes, history: DetectionHistory, frame: Frame) -> None:
    """One symbol a site: its shape and colour for the most that was seen, its area for the number of visits."""
    arrays = history.arrays()
    xy = frame.place(arrays.xy[:, 0], arrays.xy[:, 1]) if arrays.xy is not None else np.empty((0, 2))
    made = arrays.n_visits[:, 0]
    most = np.fmax.reduce(history.dataset["y"].values[:, 0], axis=1)
    colors, area = color_map(history), _area(len(xy))
    size = area * (0.35 + 0.65 * made / max(1, int(made.max())))
    for level in range(colors.N):
        at = _level(history, most) == level
        edge = SOFT if level == 0 else INK
        ax.scatter(
            xy[at, 0], xy[at, 1], s=size[at], color=colors(level), edgecolors=edge, linewidths=0.4,
            marker=MARKERS[min(level, len(MARKERS) - 1)], zorder=2 + level,
        )  # fmt: skip
    ax.scatter(xy[made == 0, 0], xy[made == 0, 1], s=0.5 * area, color=SOFT, marker="x", linewidths=0.7, zorder=2)


def _level(history: DetectionHistory, most: Any) -> Any:
    return np.nan_to_num(classes(history, most), nan=-1.0)


def _area(n: int) -> float:
    return float(np.clip(3_000 / max(n, 1), 7, 34))


def _handles(history: DetectionHistory) -> list[Any]:
    colors = color_map(history)
    style: dict[str, Any] = {"linestyle": "", "markersize": 4.5, "markeredgewidth": 0.4}
    found = [
        Line2D([], [], color=colors(i), marker=MARKERS[min(i, len(MARKERS) - 1)], label=word,
               markeredgecolor=SOFT if i == 0 else INK, **style)
        for i, word in enumerate(labels(history))
    ]  # fmt: skip
    if not history.arrays().surveyed.all():
        style["markeredgewidth"] = 0.8
        found.append(Line2D([], [], color=SOFT, marker="x", label="no visit", **style))
    return found


def _caption(history: DetectionHistory, n_panels: int) -> str:
    text = f"Sites: {counted(history.n_sites, 'site')} by the most that was seen on any visit"
    text += " of a season" if len(history.seasons) > 1 else ""
    text += f", in {counted(history.n_visits, 'visit')} with {counted(history.n_detections, 'detection')}. "
    text += "Symbols are sized by the number of visits; a site without a detection may still be used. "
    whole = max(1, len(history.species)) * len(history.seasons)
    return (text + (f"The first {n_panels} of {whole} panels." if n_panels < whole else "")).strip()
