"""Activity by hour of the day, with the night behind it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.projections.polar import PolarAxes
from numpy.typing import NDArray

from leopardpop.errors import DataError, ModelError
from leopardpop.plots.circular import day_density
from leopardpop.plots.daylight import sun_hours
from leopardpop.plots.style import (
    COLUMN,
    DPI,
    INK,
    MM,
    SMALL,
    SOFT,
    TICKS,
    FigureAxes,
    describe,
    legend_below,
    line_styles,
    new_axes,
    plain,
    styled,
)
from leopardpop.plots.survey_choice import events_of, records_of, synthetic
from leopardpop.words import counted, joined

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from leopardpop.data.survey import Survey

__all__ = ["activity_figure", "night_of"]

NIGHT, TWILIGHT = "#c9ced8", "#e6e9ef"
GRID = np.linspace(0, 24, 289)
LEAST = 10
"""Independent records from which a curve is drawn."""
MARKS = "o^sD"
"""Of records of which there are too few for a curve."""
LONGEST = 15
"""Letters of a name up to which two stand beside each other in the legend."""
MOST_SPECIES = 4


class PolarFigureAxes(PolarAxes, FigureAxes):
    """Polar axes that a notebook shows as their figure."""


@styled
def activity_figure(
    survey: Survey,
    *,
    species: str | Sequence[str] | None = None,
    kind: Literal["linear", "polar"] = "linear",
    independence: Any = "30min",
    ax: Any = None,
) -> Axes:
    """Draw the density of activity over the day, a curve a species.

    Parameters
    ----------
    survey
        The survey.
    species
        Name, or several, each its own curve. None: the four with the most records.
    kind
        "linear": midnight at both ends; "polar": a clock of 24 hours, midnight above.
    independence
        Records less than this after the one before (station, species, animal) are one event.
    ax
        Axes to draw on: plain ones, or polar ones for "polar".

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    DataError
        If there is no record of the species.
    ModelError
        If `kind` is unknown, or the axes are of the other kind.

    Examples
    --------
    >>> import leopardpop as lp
    >>> ax = activity_figure(lp.load_example("amur_leopard"), species="Panthera pardus")
    >>> ax.get_xlabel()
    'Time of day (UTC+10:00)'
    """
    hours = _hours(survey, species, independence)
    night = night_of(survey)
    columns = 2 if max(map(len, hours), default=0) <= LONGEST or len(hours) < 2 else 1
    axes: Any = _axes(ax, kind, rows=-(-(len(hours) + 2 * (night is not None)) // columns))
    turn = 2 * np.pi / 24 if kind == "polar" else 1.0
    top = 1.08 * _draw(axes, hours, turn)
    _shade(axes, night, turn, top)
    (_finish_polar if kind == "polar" else _finish)(axes, survey, top)
    handles = [*axes.lines[: len(hours)], *_night_handles(night)]
    named = [line for line in handles if not str(line.get_label()).startswith("_")]
    legend_below(axes, named, columns=columns, gap=3.4 if kind == "polar" else 2.6)
    describe(axes, _caption(survey, hours, night, independence), _alt(hours))
    result: Axes = axes
    return result


# -- what is drawn ----------------------------------------------------------------------------------------------------
def _hours(survey: Survey, species: str | Sequence[str] | None, independence: Any) -> dict[str, NDArray[np.float64]]:
    """Times of day of the independent records of each species, hours."""
    records = records_of(survey, species)
    if species is None and records["species"].notna().any():
        records = records[records["species"].isin(records["species"].value_counts().index[:MOST_SPECIES])]
    events = events_of(survey, records, independence)
    if events.empty:
        raise DataError("the survey has no record, so there is no activity to draw.")
    wall = survey.clock.wall(events["timestamp"])
    hours = ((wall - wall.dt.normalize()).dt.total_seconds() / 3600).to_numpy(float)
    names = events["species"].fillna("records").to_numpy(object)
    order = [species] if isinstance(species, str) else list(species or dict.fromkeys(_by_number(names)))
    return {str(name): hours[names == name] for name in order if (names == name).any()}


def _by_number(names: NDArray[np.object_]) -> list[str]:
    found, counts = np.unique(names.astype(str), return_counts=True)
    return [str(name) for name in found[np.argsort(-counts, kind="stable")]]


def night_of(survey: Survey) -> tuple[float, float, float, float] | None:
    """Latest and earliest sunrise, earliest and latest sunset while cameras ran; None if the clock is of no known zone.

    Returns
    -------
    tuple of float or None
        Hours: earliest sunrise, latest sunrise, earliest sunset, latest sunset.
    """
    if survey.tz is None or survey.crs is None or survey.deployments.empty:
        return None
    from pyproj import Transformer

    x, y = survey.stations[["x", "y"]].median()
    longitude, latitude = Transformer.from_crs(survey.crs, "EPSG:4326", always_xy=True).transform(x, y)
    day, offset = _days(survey)
    rise, sets = sun_hours(longitude, latitude, day, offset)
    if np.isnan(rise).any():
        return None
    return float(rise.min()), float(rise.max()), float(sets.min()), float(sets.max())


def _days(survey: Survey) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Days of the year on which cameras ran, and the clock's hours ahead of UTC on each."""
    import pandas as pd

    ends = (survey.deployments["start"].min(), survey.deployments["end"].max())
    days: pd.Series[Any] = pd.Series(pd.date_range(*ends, periods=min(366, max(2, (ends[1] - ends[0]).days + 1))))
    ahead = days.dt.tz_localize(None) - days.dt.tz_convert("UTC").dt.tz_localize(None)
    return days.dt.day_of_year.to_numpy(float), (ahead.dt.total_seconds() / 3600).to_numpy(float)


# -- drawing ----------------------------------------------------------------------------------------------------------
def _axes(ax: Any, kind: str, rows: int) -> Any:
    """Axes of the kind, with room for some rows of a legend."""
    if kind not in ("linear", "polar"):
        raise ModelError(f'kind={kind!r}: it is "linear" or "polar".')
    if ax is not None and (getattr(ax, "name", "") == "polar") != (kind == "polar"):
        raise ModelError(
            f'kind="{kind}" needs {"polar" if kind == "polar" else "plain"} axes, ax is of the other kind.'
        )
    if kind == "linear":
        return new_axes(ax, width=COLUMN, height=58 + 4 * rows)[0]
    if ax is None:
        figure = Figure(figsize=(COLUMN * MM, (86 + 4 * rows) * MM), dpi=DPI, layout="constrained", facecolor="white")
        ax = figure.add_subplot(axes_class=PolarFigureAxes)
    ax.tick_params(which="both", **TICKS)
    ax.set_theta_zero_location("N")
    ax.set_theta_direction(-1)
    return ax


def _draw(ax: Any, hours: dict[str, NDArray[np.float64]], turn: float) -> float:
    """Curves, or marks alone of species with few records; return the height of the highest."""
    top = 0.0
    few: list[tuple[NDArray[np.float64], str, str]] = []
    for (name, times), (color, dashes) in zip(hours.items(), _styles(len(hours)), strict=True):
        label = f"{plain(name)} (n = {len(times)})"
        if len(times) < LEAST:
            few.append((times, color, label))
            continue
        density = day_density(times, GRID)
        ax.plot(GRID * turn, density, color=color, linestyle=dashes, label=label, zorder=3)
        top = max(top, float(density.max()))
    top = top or 1 / 24
    for i, (times, color, label) in enumerate(few):
        height = np.full(len(times), top * (0.04 + 0.06 * i))
        ax.plot(times * turn, height, color=color, linestyle="none", marker=MARKS[i % len(MARKS)], label=label, ms=3.5)
    if len(hours) == 1:
        times = next(iter(hours.values()))
        heights = np.histogram(times, bins=24, range=(0, 24))[0] / len(times)
        bars = (np.arange(24) + 0.5) * turn
        ax.bar(bars, heights, width=turn, color="none", edgecolor=SOFT, linewidth=0.5, zorder=2)
        top = max(top, float(heights.max()))
    return top


def _styles(n: int) -> list[tuple[str, Any]]:
    styles = line_styles(max(n, 1))
    return [styles[i % len(styles)] for i in range(n)]


def _shade(ax: Any, night: tuple[float, float, float, float] | None, turn: float, top: float) -> None:
    """Night: dark where it was night all through the survey, light where it was for a part of it."""
    if night is None:
        return
    first, last, early, late = night
    spans = [(0, first, NIGHT), (late, 24, NIGHT), (first, last, TWILIGHT), (early, late, TWILIGHT)]
    for start, end, color in spans:
        ax.bar(start * turn, top, width=(end - start) * turn, align="edge", color=color, linewidth=0, zorder=0)


def _finish(ax: Any, survey: Survey, top: float) -> None:
    ax.set_xlim(0, 24)
    ax.set_ylim(0, top)
    ax.set_xticks(range(0, 25, 6), [f"{hour:02d}:00" for hour in range(0, 25, 6)])
    ax.set_xticks(range(25), minor=True)
    ax.set_xlabel(f"Time of day ({survey.tz or 'clock of the cameras'})")
    ax.set_ylabel("Share of records per hour")


def _finish_polar(ax: Any, survey: Survey, top: float) -> None:
    ax.set_ylim(0, top)
    angles = np.arange(0, 24, 3)
    ax.set_xticks(angles * 2 * np.pi / 24, [f"{hour:02d}:00" for hour in angles])
    ax.yaxis.set_major_locator(_few_rings())
    ax.set_rlabel_position(100)
    ax.grid(color="white", linewidth=0.6)
    ax.spines["polar"].set(linewidth=0.6, edgecolor=INK)
    ax.set_xlabel(f"Rings: share of records per hour; {survey.tz or 'clock of the cameras'}", fontsize=SMALL)


def _few_rings() -> Any:
    from matplotlib.ticker import MaxNLocator

    return MaxNLocator(3, prune="lower")


def _night_handles(night: tuple[float, float, float, float] | None) -> list[Any]:
    if night is None:
        return []
    return [Patch(color=NIGHT, label="night"), Patch(color=TWILIGHT, label="night at times")]


# -- words ------------------------------------------------------------------------------------------------------------
def _caption(survey: Survey, hours: dict[str, NDArray[np.float64]], night: Any, independence: Any) -> str:
    n = [f"{name} (n = {len(times)})" for name, times in hours.items()]
    text = f"Activity by time of day of {joined(n)}: kernel density on the circle (von Mises kernel, Ridout & Linkie "
    text += f"2009) of records that are independent by {independence}. "
    few = [name for name, times in hours.items() if len(times) < LEAST]
    if few:
        text += f"No curve of {joined(few)}: fewer than {LEAST} records. "
    if night is None:
        text += "The night is not shaded: the zone of the clocks or the place is not known. "
    else:
        text += "Shaded: night, from sunset to sunrise at the middle of the stations. "
    return f"{text}{synthetic(survey)}".strip()


def _alt(hours: dict[str, NDArray[np.float64]]) -> str:
    peaks = [
        f"{name} peaks at {GRID[int(day_density(times, GRID).argmax())]:.0f} h"
        for name, times in hours.items()
        if len(times) >= LEAST
    ]
    return f"Curve of activity over 24 hours of {counted(len(hours), 'species', 'species')}; {', '.join(peaks)}."
