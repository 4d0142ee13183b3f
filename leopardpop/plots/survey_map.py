"""Figure 1: where the stations were, how long they ran, and which animals they met."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.colors import ListedColormap
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from leopardpop.errors import ModelError
from leopardpop.models.flank_lists import labelled
from leopardpop.plots.derived import captioned
from leopardpop.plots.ground import Frame, cells_of, draw_edge, draw_lines, draw_values, frame_of
from leopardpop.plots.style import (
    COLUMN,
    INK,
    PAGE,
    PALETTE,
    SOFT,
    describe,
    legend_under,
    new_axes,
    panels_of,
    plain,
    styled,
)
from leopardpop.plots.trees import animal_stations, shortest_tree
from leopardpop.words import counted, trimmed, whole

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from leopardpop.data.arrays import SessionArrays
    from leopardpop.data.history import CaptureHistory
    from leopardpop.data.mask import Mask
    from leopardpop.plots.ground import Coordinates, Floats
    from leopardpop.plots.style import Panels

__all__ = ["MOST_PANELS", "alike", "survey_map"]

HABITAT, HABITAT_EDGE = "#eef1e6", "#9aa58a"
BORDER = (0, (5, 1.5, 1, 1.5))
MOST_PANELS = 12
LARGEST, SMALLEST = 34.0, 8.0
"""Area of a station's symbol, points²."""


@dataclass(frozen=True, eq=False)
class Site:
    """One session's stations and animals on the axes of a map."""

    data: SessionArrays
    frame: Frame

    @cached_property
    def xy(self) -> Floats:
        """Stations, (K, 2)."""
        return self.frame.place(self.data.xy[:, 0], self.data.xy[:, 1])

    @cached_property
    def effort(self) -> Floats:
        """Effort of each station, (K,)."""
        return self.data.effort.sum(1)

    def symbol(self, ax: Axes) -> float:
        """Area of the largest symbol, points²: stations hardly overlap."""
        xy = np.unique(self.xy, axis=0)
        if len(xy) < 2:
            return LARGEST
        from scipy.spatial import cKDTree

        nearest = float(np.median(cKDTree(xy).query(xy, k=2)[0][:, 1]))
        return float(np.clip((0.5 * nearest * self.frame.points(ax)) ** 2, SMALLEST, LARGEST))


@styled
def survey_map(
    history: CaptureHistory,
    masks: Mapping[str, Mask] | None = None,
    *,
    session: str | None = None,
    border: Any = None,
    coordinates: Coordinates = "hidden",
    ax: Any = None,
) -> Axes | Panels:
    """Map stations, their effort, and the animals detected, over the habitat.

    Parameters
    ----------
    history
        The capture history.
    masks
        Mask of each session, or None.
    session
        Label of one session; None: a panel each, at most 12.
    border
        Lines to draw: GeoDataFrame, path or shapely geometry.
    coordinates
        "hidden": a scale bar and no coordinates on the axes; "exact".
    ax
        Axes to draw on; as many as there are sessions.

    Returns
    -------
    matplotlib Axes or array of Axes

    Examples
    --------
    >>> import leopardpop as lp
    >>> history = lp.load_example("amur_leopard").capture_history(
    ...     species="Panthera pardus", start="2024-02-01", end="2024-05-02", flank="left"
    ... )
    >>> ax = survey_map(history)
    >>> ax.figure.caption[:33]
    'Survey: 120 stations and 23 anima'
    """
    if coordinates not in ("hidden", "exact"):
        raise ModelError(f'coordinates={coordinates!r}: it is "hidden" or "exact".')
    shown = [history[session].sessions[0]] if session is not None else list(history.sessions[:MOST_PANELS])
    frames = alike([_frame(history.arrays(s), (masks or {}).get(s)) for s in shown])
    axes, strip = _axes(ax, frames, coordinates, strip=len(shown) == 1 and history.n_occasions[shown[0]] > 1)
    for each, label, frame in zip(axes, shown, frames, strict=True):
        frame.apply(each, coordinates, north=history.crs is not None)
        _ground(each, (masks or {}).get(label), border, frame, history.crs)
        site = Site(history.arrays(label), frame)
        _stations(each, site)
        _animals(each, site)
        if len(shown) > 1:
            each.set_title(plain(label), pad=2)
    if strip is not None:
        _effort_strip(strip, history, shown[0])
    handles = _handles(history, shown, has_mask=bool(masks), has_border=border is not None)
    legend_under(axes, handles, own=ax is None, gap=2.6 if coordinates == "exact" else 0.0)
    describe(axes, _caption(history, shown, masks), _alt(history, shown))
    return axes[0] if len(axes) == 1 else panels_of(axes)


# -- frame ------------------------------------------------------------------------------------------------------------
def _frame(data: SessionArrays, mask: Mask | None) -> Frame:
    xy = data.xy
    if mask is None:
        extent = float(np.ptp(xy, axis=0).max()) if len(xy) > 1 else 1000.0
        return frame_of(xy[:, 0], xy[:, 1], 0.06 * extent)
    cells = cells_of(mask)
    frame, half = cells.frame, float(cells.side.max()) / 2
    return frame_of(
        np.concatenate([xy[:, 0], [frame.west + half, frame.east - half]]),
        np.concatenate([xy[:, 1], [frame.south + half, frame.north - half]]),
        half,
    )


def alike(frames: Sequence[Frame]) -> list[Frame]:
    """Frames of one size, so that all panels have one scale."""
    width, height = max(f.width for f in frames), max(f.height for f in frames)
    return [f.grown(width, height) for f in frames]


def _axes(ax: Any, frames: Sequence[Frame], coordinates: str, *, strip: bool) -> tuple[list[Any], Any]:
    """Axes of the maps, and those of the strip of effort."""
    n, labels = len(frames), 12 if coordinates == "exact" else 0
    if ax is not None:
        return new_axes(ax, width=COLUMN, height=COLUMN, shape=(1, n)), None
    columns = min(n, 3)
    rows, width = -(-n // columns), COLUMN if n == 1 else PAGE
    height = min((width / columns - 3 - labels) * frames[0].ratio, 125 if n == 1 else 90)
    if strip:
        ratios = [height, 10]
        one, two = new_axes(None, width=width, height=height + labels + 33, shape=(2, 1), height_ratios=ratios)
        return [one], two
    total = rows * (height + labels + (5 if n > 1 else 0)) + 11
    axes = new_axes(None, width=width, height=total, shape=(rows, columns))
    for spare in axes[n:]:
        spare.set_axis_off()
    return axes[:n], None


# -- drawing ----------------------------------------------------------------------------------------------------------
def _ground(ax: Axes, mask: Mask | None, border: Any, frame: Frame, crs: str | None) -> None:
    if mask is not None:
        cells = cells_of(mask)
        draw_values(ax, cells, np.ones(mask.n_cells), frame, cmap=ListedColormap([HABITAT]), zorder=0)
        draw_edge(ax, cells, frame, colors=HABITAT_EDGE, linewidths=0.5, zorder=0.5)
    if border is not None:
        draw_lines(ax, border, crs, frame, colors=SOFT, linewidths=0.9, linestyles=[BORDER], zorder=1)


def _stations(ax: Axes, site: Site) -> None:
    on = site.effort > 0
    area = site.symbol(ax)
    size = np.maximum(area * site.effort / max(float(site.effort.max()), 1e-12), 0.12 * area)
    ax.scatter(site.xy[on, 0], site.xy[on, 1], s=size[on], color="#8a8a8a", linewidths=0, zorder=2)
    ax.scatter(
        site.xy[~on, 0], site.xy[~on, 1], s=0.6 * area, facecolors="white", edgecolors=INK, linewidths=0.7, zorder=2
    )


def _animals(ax: Axes, site: Site) -> None:
    """One dot an animal and station, beside each other around the station; lines join those of an animal."""
    stations = animal_stations(site.data)
    if not stations:
        return
    area = site.symbol(ax)
    places = _petals(site, stations, 0.62 * np.sqrt(area) / site.frame.points(ax))
    colors = _colors([site.xy[at] for at in stations])
    for at, place, color in zip(stations, places, colors, strict=True):
        tree = shortest_tree(site.xy[at])
        lines = [place[list(pair)] for pair in tree]
        ax.add_collection(LineCollection(lines, colors=color, linewidths=0.9, zorder=3), autolim=False)
    dots, paint = np.concatenate(places), np.repeat(colors, [len(place) for place in places])
    ax.scatter(dots[:, 0], dots[:, 1], s=0.3 * area + 1.5, c=paint, edgecolors="white", linewidths=0.3, zorder=4)


def _petals(site: Site, stations: list[Any], radius: float) -> list[Floats]:
    """Where the dots of each animal are: in the middle of its station, or around it where there are several."""
    total = np.bincount(np.concatenate(stations), minlength=len(site.xy))
    used = np.zeros(len(site.xy))
    places = []
    for at in stations:
        angle = 2 * np.pi * used[at] / total[at] + np.pi / 2
        out = np.where(total[at] > 1, radius, 0.0)
        places.append(site.xy[at] + out[:, None] * np.column_stack([np.cos(angle), np.sin(angle)]))
        used[at] += 1
    return places


def _colors(places: list[Floats]) -> list[str]:
    """Colour of each animal: that whose nearest bearer is farthest away."""
    centres = np.array([place.mean(0) for place in places])
    chosen = np.full(len(places), -1)
    for i in range(len(places)):
        distance = np.hypot(*(centres[:i] - centres[i]).T)
        nearest = [float(distance[chosen[:i] == c].min(initial=np.inf)) for c in range(6)]
        chosen[i] = int(np.argmax(nearest))
    return [PALETTE[c] for c in chosen]


def _effort_strip(ax: Axes, history: CaptureHistory, session: str) -> None:
    """How many stations were on in each occasion."""
    on = (history.arrays(session).effort > 0).sum(0)
    ax.bar(np.arange(1, len(on) + 1), on, width=0.86 if len(on) < 60 else 1.0, color="#b0b0b0")
    ax.set_xlim(0.4, len(on) + 0.6)
    ax.set_ylim(0, max(1, len(history.arrays(session).stations)))
    ax.locator_params(axis="y", nbins=2, integer=True)
    ax.locator_params(axis="x", nbins=8, integer=True)
    ax.set_ylabel("Stations on")
    ax.set_xlabel("Occasion")


def _handles(history: CaptureHistory, shown: Sequence[str], *, has_mask: bool, has_border: bool) -> list[Any]:
    effort = np.concatenate([history.arrays(s).effort.sum(1) for s in shown])
    handles: list[Any] = []
    if effort.any():
        most = float(effort.max())
        largest = "" if np.allclose(effort[effort > 0], most) else " (largest)"
        label = f"station, {trimmed(most)} {_units(history, most)}{largest}"
        handles.append(Line2D([], [], linestyle="", marker="o", color="#8a8a8a", markersize=5, label=label))
    if not effort.all():
        style: dict[str, Any] = {"markerfacecolor": "white", "markeredgecolor": INK, "markeredgewidth": 0.7}
        handles.append(Line2D([], [], linestyle="", marker="o", markersize=4.5, label="station, never on", **style))
    if any(len(history.arrays(s).individuals) for s in shown):
        style = {"marker": "o", "markersize": 3.2, "color": PALETTE[0], "linewidth": 0.9}
        handles.append(Line2D([], [], label="one animal, one colour", **style))
    if has_mask:
        handles.append(Patch(facecolor=HABITAT, edgecolor=HABITAT_EDGE, linewidth=0.5, label="mask"))
    if has_border:
        handles.append(Line2D([], [], label="border", color=SOFT, linewidth=0.9, linestyle=BORDER))
    return handles


def _units(history: CaptureHistory, n: float) -> str:
    return history.effort_unit + ("s" if n != 1 and not history.effort_unit.endswith("s") else "")


# -- words ------------------------------------------------------------------------------------------------------------
def _caption(history: CaptureHistory, shown: Sequence[str], masks: Any) -> str:
    parts = [history[s] for s in shown]
    n, detections = sum(p.n_individuals for p in parts), sum(p.n_detections for p in parts)
    stations = sum(p.n_stations for p in parts)
    never = sum(int((history.arrays(s).effort.sum(1) == 0).sum()) for s in shown)
    total = float(sum(history.arrays(s).effort.sum() for s in shown))
    text = f"Survey: {counted(stations, 'station')} and {labelled(history, n)} in {counted(detections, 'detection')}"
    text += f" ({counted(sum(p.n_spatial_recaptures for p in parts), 'spatial recapture')}); effort {whole(total)} "
    text += f"station-{_units(history, total)}. Symbols of stations are sized by effort"
    text += f"; {never} never on are hollow. " if never else ". "
    if n:
        text += "Each animal has one dot at every station that detected it, joined by the shortest tree; "
        text += "colours repeat. "
    if masks:
        text += "Shaded: the mask, where activity centres may lie. "
    if len(shown) < len(history.sessions) and len(shown) == MOST_PANELS:
        text += f"The first {len(shown)} of {len(history.sessions)} sessions. "
    return captioned(history, text)


def _alt(history: CaptureHistory, shown: Sequence[str]) -> str:
    parts = [history[s] for s in shown]
    what = f"{counted(sum(p.n_stations for p in parts), 'station')} and the stations of "
    what += counted(sum(p.n_individuals for p in parts), "animal")
    return f"Map of {what}{f' in {len(shown)} sessions' if len(shown) > 1 else ''}."
