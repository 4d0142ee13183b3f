"""How many animals were known when: does the survey still find new ones?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter, date2num
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from leopardpop.data.effort import Running, running_intervals
from leopardpop.data.occasions import DAY
from leopardpop.errors import ModelError
from leopardpop.plots.style import COLUMN, INK, PALETTE, describe, new_axes, styled
from leopardpop.plots.survey_choice import animals_of, synthetic
from leopardpop.words import counted

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from leopardpop.data.survey import Survey

__all__ = ["accumulation_figure", "effort_until"]


@styled
def accumulation_figure(
    survey: Survey,
    *,
    species: str | Sequence[str] | None = None,
    by: Literal["date", "effort"] = "date",
    ax: Any = None,
) -> Axes:
    """Draw the number of animals known by date or by effort.

    Parameters
    ----------
    survey
        The survey.
    species
        Name, or several that stand for one; None if the records are of one.
    by
        "date", or "effort": station-days until then.
    ax
        Axes to draw on.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    DataError
        If no record of the species has an identity.
    ModelError
        If `by` is unknown.

    Examples
    --------
    >>> import leopardpop as lp
    >>> ax = accumulation_figure(lp.load_example("amur_leopard"), species="Panthera pardus", by="effort")
    >>> ax.get_xlabel()
    'Effort (station-days)'
    """
    if by not in ("date", "effort"):
        raise ModelError(f'by={by!r}: it is "date" or "effort".')
    records = animals_of(survey, species)
    first = records.drop_duplicates("individual")
    at, every, start, end = (_position(survey, times, by) for times in _times(survey, first, records))
    axes: Axes = new_axes(ax, width=COLUMN, height=58)[0]
    n = np.arange(len(at) + 1)
    axes.step([start[0], *at, max(end[0], at.max(initial=start[0]))], [*n, n[-1]], where="post", color=PALETTE[0])
    axes.plot(every, np.full(len(every), -0.03 * n[-1]), linestyle="", marker="|", color=INK, markersize=3)
    _finish(axes, by)
    describe(axes, _caption(survey, records, first, by), _alt(first, by))
    return axes


# -- what is drawn ----------------------------------------------------------------------------------------------------
def _times(survey: Survey, first: pd.DataFrame, records: pd.DataFrame) -> tuple[pd.Series[Any], ...]:
    """First records, all records, the start and the end of the survey."""
    deployments = survey.deployments
    ends = (deployments["start"].nsmallest(1), deployments["end"].nlargest(1))
    return (first["timestamp"], records["timestamp"], *ends)


def _position(survey: Survey, times: pd.Series[Any], by: str) -> NDArray[np.float64]:
    """Where times are on the axis: days of matplotlib, or station-days."""
    if by == "date":
        wall: NDArray[np.float64] = date2num(survey.clock.wall(times).to_numpy())  # type: ignore[no-untyped-call]
        return wall
    names = survey.stations["station"].tolist()
    on = running_intervals(survey.deployments, survey.failures, names, survey.clock)
    return effort_until(on, survey.clock.instants(times))


def effort_until(on: Running, instants: NDArray[np.int64]) -> NDArray[np.float64]:
    """Station-days of effort before each instant, (n,).

    Examples
    --------
    >>> on = Running(np.array([0, 1]), np.array([0, 2 * DAY]), np.array([4 * DAY, 4 * DAY]))
    >>> effort_until(on, np.array([0, DAY, 3 * DAY, 9 * DAY])).tolist()
    [0.0, 1.0, 4.0, 6.0]
    """
    edges = np.concatenate([on.start, on.end])
    order = np.argsort(edges, kind="stable")
    times = edges[order] / DAY
    running = np.cumsum(np.repeat([1.0, -1.0], len(on.start))[order])
    total = np.concatenate([[0.0], np.cumsum(np.diff(times) * running[:-1])])
    effort: NDArray[np.float64] = np.interp(np.asarray(instants) / DAY, times, total)
    return effort


# -- drawing ----------------------------------------------------------------------------------------------------------
def _finish(ax: Axes, by: str) -> None:
    ax.set_ylim(bottom=-0.07 * ax.get_ylim()[1])
    ax.yaxis.set_major_locator(MaxNLocator(integer=True, prune=None))
    ax.set_ylabel("Animals known")
    if by == "effort":
        ax.set_xlabel("Effort (station-days)")
        return
    locator = AutoDateLocator(minticks=4, maxticks=7)  # type: ignore[no-untyped-call]
    ax.xaxis.set_major_locator(locator)
    ax.xaxis.set_major_formatter(ConciseDateFormatter(locator, show_offset=False))  # type: ignore[no-untyped-call]
    ax.set_xlabel("Date")


# -- words ------------------------------------------------------------------------------------------------------------
def _caption(survey: Survey, records: pd.DataFrame, first: pd.DataFrame, by: str) -> str:
    once = int((records.drop_duplicates(["individual", "station"])["individual"].value_counts() == 1).sum())
    unit = "date" if by == "date" else "effort of all stations"
    text = f"Animals known by {unit}: {counted(len(first), 'identity', 'identities')} in "
    text += f"{counted(len(records), 'record')} (marks), {once} at one station only; cubs are left out. "
    return f"{text}{synthetic(survey)}".strip()


def _alt(first: pd.DataFrame, by: str) -> str:
    half = len(first) // 2
    text = f"Steps from 0 to {counted(len(first), 'animal')} by {by}"
    return f"{text}; half of them were known on {first['timestamp'].iloc[half]:%Y-%m-%d}." if half else f"{text}."
