"""Map of a survey: stations by effort or by records, where a species was, and the moves of the animals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
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

__all__ = ["moves_of", "residents_of", "station_days", "stations_figure", "stations_with"]

GREY, BLUE = "#8a8a8a", "#56B4E9"
DOT = 9.0
"""Area of the mark of an animal that was at one station only, points²."""
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
        Name, or several: at which stations it was, and its moves. None: all; moves only if the species is one.
    size
        What the area of a symbol stands for: "effort" (station-days) or "records" (independent by 30 minutes).
    moves
        Whether lines join the stations at which an animal was recorded one after the other, and dots mark animals that
        were at one station only.
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
    'Map of 120 stations, Panthera pardus at 65 of them, with 93 moves of 18 animals between them.'
    """
    _check(size, coordinates)
    xy = survey.stations[["x", "y"]].to_numpy(float)
    frame = frame_of(xy[:, 0], xy[:, 1], 0.05 * max(float(np.ptp(xy, axis=0).max()), 1000.0))
    values = station_days(survey) if size == "effort" else _station_records(survey, species)
    drawn = _Drawn(
        values=values,
        size=size,
        seen=stations_with(survey, species),
        moves=moves_of(survey, species) if moves else {},
        single=residents_of(survey, species) if moves else {},
    )
    labels = 12 if coordinates == "exact" else 0
    below = 11 + 4 * -(-(drawn.n_kinds + (border is not None)) // 2)  # mm, of the rows of the legend
    axes: Axes = new_axes(ax, width=COLUMN, height=min((COLUMN - 3 - labels) * frame.ratio, 125) + labels + below)[0]
    frame.apply(axes, coordinates, north=survey.crs is not None)
    if border is not None:
        draw_lines(axes, border, survey.crs, frame, colors=SOFT, linewidths=0.9, linestyles=[BORDER], zorder=1)
    largest = _largest(axes, frame, xy)
    _draw_stations(axes, frame.place(*xy.T), drawn, largest)
    _draw_moves(axes, drawn.moves, xy, frame)
    _draw_residents(axes, drawn, xy / frame.scale, 0.62 * np.sqrt(largest) / frame.points(axes))
    gap = 2.6 if coordinates == "exact" else 0.0
    legend_below(axes, _handles(drawn, largest, border is not None), columns=2, gap=gap)
    describe(axes, _caption(survey, species, drawn), _alt(survey, species, drawn))
    return axes


def _check(size: str, coordinates: str) -> None:
    if size not in ("effort", "records"):
        raise ModelError(f'size={size!r}: it is "effort" or "records".')
    if coordinates not in ("hidden", "exact"):
        raise ModelError(f'coordinates={coordinates!r}: it is "hidden" or "exact".')


@dataclass(frozen=True, kw_only=True, eq=False)
class _Drawn:
    """What the figure shows of each station and animal."""

    values: NDArray[np.float64]
    """Effort or records of each station, (K,)."""
    size: str
    seen: NDArray[np.bool_]
    """Stations with records of the species, (K,)."""
    moves: dict[str, NDArray[np.intp]]
    single: dict[str, int]
    """Animals that were at one station only, and that station."""

    @property
    def n_kinds(self) -> int:
        """Entries of the legend, without the border."""
        known = [self.seen.any(), bool(self.moves), bool(self.single), self.values.any(), not self.values.all()]
        return sum(map(bool, known))


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
    animals = _animals(survey, species)
    row = {name: i for i, name in enumerate(survey.stations["station"])}
    found = {name: _pairs(rows["station"].map(row)) for name, rows in animals.groupby("individual", sort=True)}
    return {str(name): pairs for name, pairs in found.items() if len(pairs)}


def residents_of(survey: Survey, species: str | Sequence[str] | None = None) -> dict[str, int]:
    """Animals that were at one station only -> that station, a row of the table of stations.

    Parameters
    ----------
    survey
        The survey.
    species
        As in :func:`moves_of`.

    Returns
    -------
    dict
        Label -> row.
    """
    row = {name: i for i, name in enumerate(survey.stations["station"])}
    at = _animals(survey, species).groupby("individual", sort=True)["station"].unique()
    return {str(name): row[stations[0]] for name, stations in at.items() if len(stations) == 1}


def _animals(survey: Survey, species: str | Sequence[str] | None) -> pd.DataFrame:
    """Records of identified animals; none where they are of several species and none was named."""
    named = survey.records["individual"].notna()
    if not named.any() or (species is None and survey.records["species"][named].nunique() > 1):
        return survey.records.iloc[:0]
    chosen = survey.records["species"][named].dropna().unique().tolist() if species is None else species
    return animals_of(survey, chosen or None)


def stations_with(survey: Survey, species: str | Sequence[str] | None = None) -> NDArray[np.bool_]:
    """Whether a species was recorded at each station, (K,); None: any animal."""
    records = records_of(survey, species)
    named = records["species"].notna()
    there = records["station"][named] if named.any() else records["station"]
    return np.asarray(survey.stations["station"].isin(there), dtype=bool)


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


def _draw_stations(ax: Axes, places: NDArray[np.float64], drawn: _Drawn, largest: float) -> None:
    """Circles whose area is proportional to the values; blue with a ring where the species was, hollow without any."""
    values, seen = drawn.values, drawn.seen
    area = np.maximum(largest * values / max(float(values.max(initial=0)), 1e-12), LEAST)
    x, y = places.T
    styles: list[tuple[NDArray[np.bool_], dict[str, Any]]] = [
        ((values > 0) & ~seen, {"color": GREY, "edgecolors": "white", "linewidths": 0.3}),
        ((values > 0) & seen, {"color": BLUE, "edgecolors": INK, "linewidths": 0.5}),
        ((values == 0) & seen, {"s": 8, "color": BLUE, "edgecolors": INK, "linewidths": 0.6}),
        ((values == 0) & ~seen, {"s": 8, "facecolors": "white", "edgecolors": INK, "linewidths": 0.6}),
    ]
    for at, style in styles:
        if at.any():
            options: dict[str, Any] = {"s": area[at], "zorder": 2} | style
            ax.scatter(x[at], y[at], **options)


def _draw_moves(ax: Axes, moves: dict[str, NDArray[np.intp]], xy: NDArray[np.float64], frame: Frame) -> None:
    for number, pairs in enumerate(moves.values()):
        segments = xy[pairs] / frame.scale
        color = PALETTE[number % len(PALETTE)]
        ax.add_collection(LineCollection(list(segments), colors=color, linewidths=1.0, zorder=3), autolim=False)


def _draw_residents(ax: Axes, drawn: _Drawn, xy: NDArray[np.float64], radius: float) -> None:
    """A dot for each animal that was at one station only: beside each other around the middle of the station."""
    if not drawn.single:
        return
    at = np.array(list(drawn.single.values()), dtype=np.intp)
    total = np.bincount(at)[at]
    order = np.array([int((at[:i] == k).sum()) for i, k in enumerate(at)])
    angle = 2 * np.pi * order / total + np.pi / 2
    out = np.where(total > 1, radius, 0.0)
    x, y = xy[at].T + out * np.stack([np.cos(angle), np.sin(angle)])
    colors = [PALETTE[(len(drawn.moves) + i) % len(PALETTE)] for i in range(len(at))]
    ax.scatter(x, y, s=DOT, marker="D", c=colors, edgecolors="white", linewidths=0.4, zorder=4)


def _handles(drawn: _Drawn, largest: float, border: bool) -> list[Any]:
    def circle(**style: Any) -> Line2D:
        return Line2D([], [], linestyle="", marker="o", **style)

    handles: list[Any] = []
    values = drawn.values
    if values.any():
        most = trimmed(float(values.max()))
        unit = "station-days" if drawn.size == "effort" else "records"
        color = GREY if drawn.size == "effort" else BLUE
        handles.append(circle(color=color, markersize=np.sqrt(largest), label=f"{most} {unit} (largest)"))
    if drawn.seen.any() and drawn.size == "effort":
        style: dict[str, Any] = {"color": BLUE, "markeredgecolor": INK, "markeredgewidth": 0.5}
        handles.append(circle(markersize=5, label=f"recorded: {counted(int(drawn.seen.sum()), 'station')}", **style))
    if not values.all():
        label = "never on" if drawn.size == "effort" else "no record"
        handles.append(circle(markersize=3, markerfacecolor="white", markeredgecolor=INK, label=label))
    if drawn.moves:
        handles.append(Line2D([], [], color=PALETTE[0], linewidth=1.0, label="moves of one animal"))
    if drawn.single:
        one = Line2D([], [], linestyle="", marker="D", color=PALETTE[0], markersize=3, label="animal at one station")
        handles.append(one)
    if border:
        handles.append(Line2D([], [], color=SOFT, linewidth=0.9, linestyle=BORDER, label="border"))
    return handles


# -- words ------------------------------------------------------------------------------------------------------------
def _names(species: Any) -> str:
    return joined([] if species is None else [species] if isinstance(species, str) else list(species))


def _caption(survey: Survey, species: Any, drawn: _Drawn) -> str:
    values, size, moves = drawn.values, drawn.size, drawn.moves
    of = f" of {_names(species)}" if species is not None else ""
    total = f"{whole(float(values.sum()))} "
    total += "station-days of effort" if size == "effort" else f"records{of}, independent by 30 minutes"
    text = f"Stations of the survey (n = {len(values)}), sized by their part of {total}. "
    n = int(drawn.seen.sum())
    text += f"Blue with a ring: {counted(n, 'station')} with records{of}; grey: none. " if size == "effort" else ""
    if moves:
        n = sum(len(pairs) for pairs in moves.values())
        text += f"Lines join stations at which an animal was recorded one after the other: {counted(n, 'pair')} of "
        text += f"stations, {counted(len(moves), 'animal')}{of}; colours repeat. "
    if drawn.single:
        verb = "was" if len(drawn.single) == 1 else "were"
        text += f"Diamonds: {counted(len(drawn.single), 'animal')} that {verb} at one station only. "
    return f"{text}{synthetic(survey)}".strip()


def _alt(survey: Survey, species: Any, drawn: _Drawn) -> str:
    n = sum(len(pairs) for pairs in drawn.moves.values())
    there = f", {_names(species) or 'animals'} at {drawn.seen.sum()} of them" if drawn.seen.any() else ""
    moved = f", with {counted(n, 'move')} of {counted(len(drawn.moves), 'animal')} between them" if drawn.moves else ""
    return f"Map of {counted(len(survey.stations), 'station')}{there}{moved}."
