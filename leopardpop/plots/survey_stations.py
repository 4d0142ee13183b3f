"""Map of a survey: stations by effort or by records, and the moves of the animals between them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from leopardpop.data.effort import running_intervals
from leopardpop.data.occasions import DAY
from leopardpop.data.survey_problems_places import nearest_distances
from leopardpop.errors import ModelError
from leopardpop.plots.ground import Frame, draw_lines, frame_of
from leopardpop.plots.style import COLUMN, INK, PALETTE, SOFT, describe, legend_below, new_axes, styled
from leopardpop.plots.survey_choice import animals_of, events_of, records_of, synthetic
from leopardpop.words import counted, joined, trimmed, whole

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from leopardpop.data.survey import Survey
    from leopardpop.plots.ground import Coordinates

__all__ = ["moves_of", "station_days", "stations_figure"]

GREY, BLUE = "#8a8a8a", "#56B4E9"
LARGEST, SMALLEST, LEAST = 60.0, 16.0, 3.0
"""Limits for the area of the largest symbol, and the least area of any, points²."""
BORDER = (0, (5, 1.5, 1, 1.5))


@styled
def stations_figure(
    survey: Survey,
    *,
    species: str | Sequence[str] | None = None,
    size: Literal["effort", "records"] = "effort",
    moves: bool = True,
    border: Any = None,
    coordinates: Coordinates = "hidden",
    ax: Any = None,
) -> Axes:
    """Map the stations of a survey.

    Parameters
    ----------
    survey
        The survey.
    species
        Name, or several: whose records and moves are drawn. None: all; moves only if the species is one.
    size
        What the area of a symbol stands for: "effort" (station-days) or "records" (independent by 30 minutes).
    moves
        Whether lines join the stations at which an animal was recorded one after the other.
    border
        Lines to draw: GeoDataFrame, path or shapely geometry.
    coordinates
        "hidden": a scale bar and no coordinates on the axes; "exact".
    ax
        Axes to draw on.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ModelError
        If an option is unknown.

    Examples
    --------
    >>> import leopardpop as lp
    >>> ax = stations_figure(lp.load_example("amur_leopard"), species="Panthera pardus")
    >>> ax.figure.alt_text
    'Map of 120 stations with 93 moves of 18 animals between them.'
    """
    _check(size, coordinates)
    xy = survey.stations[["x", "y"]].to_numpy(float)
    frame = frame_of(xy[:, 0], xy[:, 1], 0.05 * max(float(np.ptp(xy, axis=0).max()), 1000.0))
    values = station_days(survey) if size == "effort" else _station_records(survey, species)
    lines = moves_of(survey, species) if moves else {}
    labels = 12 if coordinates == "exact" else 0
    axes: Axes = new_axes(ax, width=COLUMN, height=min((COLUMN - 3 - labels) * frame.ratio, 125) + labels + 12)[0]
    frame.apply(axes, coordinates, north=survey.crs is not None)
    if border is not None:
        draw_lines(axes, border, survey.crs, frame, colors=SOFT, linewidths=0.9, linestyles=[BORDER], zorder=1)
    largest = _largest(axes, frame, xy)
    _draw_stations(axes, frame.place(*xy.T), values, GREY if size == "effort" else BLUE, largest)
    _draw_moves(axes, lines, xy, frame)
    gap = 2.6 if coordinates == "exact" else 0.0
    legend_below(axes, _handles(values, size, largest, bool(lines), border is not None), columns=2, gap=gap)
    describe(axes, _caption(survey, species, values, size, lines), _alt(survey, lines))
    return axes


def _check(size: str, coordinates: str) -> None:
    if size not in ("effort", "records"):
        raise ModelError(f'size={size!r}: it is "effort" or "records".')
    if coordinates not in ("hidden", "exact"):
        raise ModelError(f'coordinates={coordinates!r}: it is "hidden" or "exact".')


# -- what is drawn ----------------------------------------------------------------------------------------------------
def station_days(survey: Survey) -> NDArray[np.float64]:
    """Days that each station was on, in the order of the stations, (K,)."""
    names = survey.stations["station"].tolist()
    on = running_intervals(survey.deployments, survey.failures, names, survey.clock)
    days: NDArray[np.float64] = np.zeros(len(names), dtype=np.float64)
    np.add.at(days, on.key, (on.end - on.start) / DAY)
    return days


def _station_records(survey: Survey, species: str | Sequence[str] | None) -> NDArray[np.float64]:
    """Independent records at each station, (K,)."""
    events = events_of(survey, records_of(survey, species), "30min")
    counts = events["station"].value_counts().reindex(survey.stations["station"], fill_value=0)
    return np.asarray(counts, dtype=np.float64)


def moves_of(survey: Survey, species: str | Sequence[str] | None = None) -> dict[str, NDArray[np.intp]]:
    """Stations between which each animal moved: pairs of rows of the table of stations, each pair once, (m, 2).

    Parameters
    ----------
    survey
        The survey.
    species
        Name, or several that stand for one; None if the identified records are of one species.

    Returns
    -------
    dict
        Label -> pairs; animals at one station only have none and are left out.
    """
    named = survey.records["individual"].notna()
    if not named.any() or (species is None and survey.records["species"][named].nunique() > 1):
        return {}
    chosen = survey.records["species"][named].dropna().unique().tolist() if species is None else species
    animals = animals_of(survey, chosen or None)
    row = {name: i for i, name in enumerate(survey.stations["station"])}
    found = {name: _pairs(rows["station"].map(row)) for name, rows in animals.groupby("individual", sort=True)}
    return {str(name): pairs for name, pairs in found.items() if len(pairs)}


def _pairs(stations: pd.Series[Any]) -> NDArray[np.intp]:
    """Pairs of stations that come one after the other, each once whatever its direction."""
    at = stations.to_numpy(np.intp)
    pairs = np.sort(np.column_stack([at[:-1], at[1:]]), axis=1)
    return np.unique(pairs[pairs[:, 0] != pairs[:, 1]], axis=0)


# -- drawing ----------------------------------------------------------------------------------------------------------
def _largest(ax: Axes, frame: Frame, xy: NDArray[np.float64]) -> float:
    """Area of the largest symbol, points²: stations at the usual distance hardly overlap."""
    apart = nearest_distances(np.unique(xy, axis=0))
    if not np.isfinite(apart).any():
        return LARGEST
    return float(np.clip((0.6 * np.median(apart) / frame.scale * frame.points(ax)) ** 2, SMALLEST, LARGEST))


def _draw_stations(
    ax: Axes, places: NDArray[np.float64], values: NDArray[np.float64], color: str, largest: float
) -> None:
    """Circles whose area is proportional to the values; hollow where there is nothing."""
    some = values > 0
    area = np.maximum(largest * values / max(float(values.max(initial=0)), 1e-12), LEAST)
    x, y = places.T
    ax.scatter(x[some], y[some], s=area[some], color=color, linewidths=0.3, edgecolors="white", zorder=2)
    ax.scatter(x[~some], y[~some], s=8, facecolors="white", edgecolors=INK, linewidths=0.6, zorder=2)


def _draw_moves(ax: Axes, moves: dict[str, NDArray[np.intp]], xy: NDArray[np.float64], frame: Frame) -> None:
    for number, pairs in enumerate(moves.values()):
        segments = xy[pairs] / frame.scale
        color = PALETTE[number % len(PALETTE)]
        ax.add_collection(LineCollection(list(segments), colors=color, linewidths=1.0, zorder=3), autolim=False)


def _handles(values: NDArray[np.float64], size: str, largest: float, moves: bool, border: bool) -> list[Any]:
    def circle(**style: Any) -> Line2D:
        return Line2D([], [], linestyle="", marker="o", **style)

    handles: list[Any] = []
    if values.any():
        most = trimmed(float(values.max()))
        unit = "station-days" if size == "effort" else "records"
        color = GREY if size == "effort" else BLUE
        handles.append(circle(color=color, markersize=np.sqrt(largest), label=f"{most} {unit} (largest)"))
    if not values.all():
        label = "never on" if size == "effort" else "no record"
        handles.append(circle(markersize=3, markerfacecolor="white", markeredgecolor=INK, label=label))
    if moves:
        handles.append(Line2D([], [], color=PALETTE[0], linewidth=1.0, label="moves of one animal"))
    if border:
        handles.append(Line2D([], [], color=SOFT, linewidth=0.9, linestyle=BORDER, label="border"))
    return handles


# -- words ------------------------------------------------------------------------------------------------------------
def _caption(survey: Survey, species: Any, values: NDArray[np.float64], size: str, moves: Any) -> str:
    names = [] if species is None else [species] if isinstance(species, str) else list(species)
    of = f" of {joined(names)}" if names else ""
    total = f"{whole(float(values.sum()))} "
    total += "station-days of effort" if size == "effort" else f"records{of}, independent by 30 minutes"
    text = f"Stations of the survey (n = {len(values)}), sized by their part of {total}. "
    if moves:
        n = sum(len(pairs) for pairs in moves.values())
        text += f"Lines join stations at which an animal was recorded one after the other: {counted(n, 'pair')} of "
        text += f"stations, {counted(len(moves), 'animal')}{of}; colours repeat. "
    return f"{text}{synthetic(survey)}".strip()


def _alt(survey: Survey, moves: dict[str, NDArray[np.intp]]) -> str:
    n = sum(len(pairs) for pairs in moves.values())
    seen = f" with {counted(n, 'move')} of {counted(len(moves), 'animal')} between them" if moves else ""
    return f"Map of {counted(len(survey.stations), 'station')}{seen}."
