"""When each station of a survey was on, when it had failed, and when the animals passed."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.collections import PolyCollection
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter, date2num
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from numpy.typing import NDArray

from leopardpop.data.effort import Running, running_intervals
from leopardpop.plots.style import INK, PAGE, SMALL, describe, legend_below, new_axes, plain, styled
from leopardpop.plots.survey_choice import records_of, synthetic
from leopardpop.words import counted, joined

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from leopardpop.data.survey import Survey

__all__ = ["calendar_figure"]

ON, FAILED = "#bcd3e6", "#E69F00"
HALF = 0.13
"""Half of the height of a failure that left another camera of the station on."""
MOST_NAMES = 60
"""Stations up to which their names are written."""


@styled
def calendar_figure(survey: Survey, *, species: str | Sequence[str] | None = None, ax: Any = None) -> Axes:
    """Draw a calendar of the survey, a row a station.

    Parameters
    ----------
    survey
        The survey.
    species
        Name, or several: only their records are marked. None: all records.
    ax
        Axes to draw on.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    DataError
        If there is no record of the species.

    Examples
    --------
    >>> import leopardpop as lp
    >>> ax = calendar_figure(lp.load_example("amur_leopard"), species="Panthera pardus")
    >>> ax.figure.alt_text
    'Calendar of 120 stations from 25 January 2024 to 9 May 2024 with 378 records.'
    """
    order = survey.stations["station"].tolist()
    row = {name: i for i, name in enumerate(order)}
    records = records_of(survey, species)
    tall = float(np.clip(1.1 * len(order), 25, 190)) if len(order) > MOST_NAMES else 3.1 * max(len(order), 8)
    axes: Axes = new_axes(ax, width=PAGE, height=tall + 20)[0]
    deployments, failures = survey.deployments, _failures(survey)
    _bars(axes, _days(survey, deployments, row), color=ON, zorder=1)
    dark, partly = _broken(survey, failures, row)
    _bars(axes, partly, color=FAILED, zorder=2, half=HALF)
    _bars(axes, dark, color=FAILED, zorder=2)
    off = _off(survey, records)
    for rows, marker, size in ((records[~off], "|", 2.6), (records[off], "x", 3.0)):
        times = _numbers(survey.clock.wall(rows["timestamp"]).to_numpy())
        style: dict[str, Any] = {"linestyle": "", "marker": marker, "color": INK, "markersize": size}
        axes.plot(times, rows["station"].map(row), **style, zorder=3)
    _finish(axes, survey, order, records)
    _legend(axes, failures=len(dark), partly=len(partly), records=int((~off).sum()), off=int(off.sum()))
    describe(axes, _caption(survey, failures, records, species, int(off.sum())), _alt(survey, records))
    return axes


def _running(survey: Survey) -> Running:
    """When any camera of each station was on."""
    return running_intervals(survey.deployments, survey.failures, survey.stations["station"].tolist(), survey.clock)


def _broken(survey: Survey, failures: pd.DataFrame, row: dict[str, int]) -> tuple[Any, Any]:
    """Stretches of failures in which the station was off, and those in which another camera was on, (n, 3) each."""
    on, pieces = _running(survey), []
    key = failures["station"].map(row).to_numpy(np.intp)
    spans = [survey.clock.instants(failures[name]) for name in ("start", "end")]
    for station, start, end in zip(key, *spans, strict=True):
        own = on.key == station
        edges = np.unique(np.clip(np.concatenate([[start, end], on.start[own], on.end[own]]), start, end))
        pieces += [(station, a, b) for a, b in pairwise(edges.tolist())]
    stretches = np.array(pieces, np.int64).reshape(-1, 3)
    lit = on.at(stretches[:, 0].astype(np.intp), stretches[:, 1])
    return _placed(survey, stretches[~lit]), _placed(survey, stretches[lit])


def _placed(survey: Survey, stretches: NDArray[np.int64]) -> Any:
    """Stretches of stations, from instant to instant, as days of matplotlib and the row, (n, 3)."""
    utc = [pd.Series(pd.to_datetime(stretches[:, i], utc=True)) for i in (1, 2)]
    zone = survey.deployments["start"].dt.tz
    ends = [_numbers(survey.clock.wall(each.dt.tz_convert(zone)).to_numpy()) for each in utc]
    return np.column_stack([*ends, stretches[:, 0].astype(float)])


def _off(survey: Survey, records: pd.DataFrame) -> NDArray[np.bool_]:
    """Which records were made while no camera of their station was on, (n,)."""
    names = survey.stations["station"].tolist()
    on = _running(survey)
    row = {name: i for i, name in enumerate(names)}
    station = records["station"].map(row).to_numpy(np.intp)
    return ~on.at(station, survey.clock.instants(records["timestamp"]))


def _failures(survey: Survey) -> pd.DataFrame:
    """Failures, with their station."""
    failures = survey.failures
    by_name = survey.deployments.set_index("deployment")["station"]
    return failures.assign(station=failures["station"].fillna(failures["deployment"].map(by_name)))


def _days(survey: Survey, table: pd.DataFrame, row: dict[str, int]) -> Any:
    """Start and end of each stretch on the cameras' clock, in days of matplotlib, and its row, (n, 3)."""
    if table.empty:
        return np.empty((0, 3))
    ends = [_numbers(survey.clock.wall(table[name]).to_numpy()) for name in ("start", "end")]
    return np.column_stack([*ends, table["station"].map(row).to_numpy(float)])


def _numbers(times: Any) -> Any:
    """Days of matplotlib."""
    return date2num(times)  # type: ignore[no-untyped-call]


def _bars(ax: Axes, stretches: Any, *, color: str, zorder: int, half: float = 0.38) -> None:
    start, end, row = stretches.T
    low, high = row - half, row + half
    corners = np.stack([(start, low), (end, low), (end, high), (start, high)]).transpose(2, 0, 1)
    ax.add_collection(PolyCollection(list(corners), facecolors=color, linewidths=0, zorder=zorder), autolim=False)


def _span(survey: Survey, records: pd.DataFrame) -> tuple[float, float]:
    """Days of matplotlib from the first to the last deployment, or record that is not far away from them."""
    wall = survey.clock.wall
    first, last = _numbers([wall(survey.deployments["start"]).min(), wall(survey.deployments["end"]).max()])
    times = _numbers(wall(records["timestamp"]).to_numpy())
    near = times[np.abs(times - (first + last) / 2) < last - first]
    return float(np.min(near, initial=first)), float(np.max(near, initial=last))


def _finish(ax: Axes, survey: Survey, order: list[str], records: pd.DataFrame) -> None:
    wall = survey.clock.wall
    first, last = _span(survey, records)
    ax.set_xlim(first - 0.01 * (last - first), last + 0.01 * (last - first))
    ax.set_ylim(len(order) - 0.4, -0.6)
    locator = AutoDateLocator(minticks=4, maxticks=9)  # type: ignore[no-untyped-call]
    ax.xaxis.set_major_locator(locator)
    ax.xaxis.set_major_formatter(ConciseDateFormatter(locator, show_offset=False))  # type: ignore[no-untyped-call]
    years = {int(wall(survey.deployments[name]).dt.year.iloc[i]) for name in ("start", "end") for i in (0, -1)}
    ax.set_xlabel(f"Date, {years.pop()}" if len(years) == 1 else "Date")
    if len(order) <= MOST_NAMES:
        ax.set_yticks(range(len(order)), [plain(name, 18) for name in order], fontsize=SMALL)
    else:
        ax.set_yticks([])
    ax.set_ylabel(f"{len(order)} stations" if len(order) > MOST_NAMES else "Station")


def _legend(ax: Axes, *, failures: int, partly: int, records: int, off: int) -> None:
    handles: list[Any] = [Patch(facecolor=ON, label="camera deployed")]
    if failures:
        handles.append(Patch(facecolor=FAILED, label="failure: no effort"))
    if partly:
        handles.append(Line2D([], [], color=FAILED, linewidth=1.6, label="failure of one camera: another was on"))
    if records:
        handles.append(Line2D([], [], linestyle="", marker="|", color=INK, markersize=4, label="record"))
    if off:
        label = "record while no camera was on"
        handles.append(Line2D([], [], linestyle="", marker="x", color=INK, markersize=3.5, label=label))
    legend_below(ax, handles, columns=4, gap=2.6)


# -- words ------------------------------------------------------------------------------------------------------------
def _caption(survey: Survey, failures: pd.DataFrame, records: pd.DataFrame, species: Any, off: int) -> str:
    names = [] if species is None else [species] if isinstance(species, str) else list(species)
    of = f" of {joined(names)}" if names else ""
    text = f"Calendar of the survey: {counted(len(survey.stations), 'station')}, "
    text += f"{counted(len(survey.deployments), 'deployment')}, {counted(len(failures), 'failure')} at "
    text += f"{counted(failures['station'].nunique(), 'station')}, {counted(len(records), 'record')}{of}. "
    text += f"{off:,} of them while no camera of the station was on. " if off else ""
    return f"{text}{synthetic(survey)}".strip()


def _alt(survey: Survey, records: pd.DataFrame) -> str:
    wall = survey.clock.wall
    first, last = wall(survey.deployments["start"]).min(), wall(survey.deployments["end"]).max()
    dates = " to ".join(f"{day.day} {day:%B %Y}" for day in (first, last))
    stations = counted(len(survey.stations), "station")
    return f"Calendar of {stations} from {dates} with {counted(len(records), 'record')}."
