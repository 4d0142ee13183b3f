"""A figure of the survey without any position: effort over time, and how often animals were met."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from leopardpop.models.flank_lists import labelled
from leopardpop.plots.derived import captioned
from leopardpop.plots.style import COLUMN, PAGE, PALETTE, describe, new_axes, panels_of, plain, styled
from leopardpop.plots.trees import animal_stations
from leopardpop.words import counted

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from leopardpop.data.history import CaptureHistory
    from leopardpop.plots.derived import captioned
from leopardpop.plots.style import Panels

__all__ = ["classes_of", "counts_figure", "stacked"]

HATCHES = ("", "////", "....", "xxxx", "----")
MOST_CLASSES = 5
UNKNOWN = "unknown"


@styled
def counts_figure(history: CaptureHistory, *, column: str | None = None, ax: Any = None) -> Panels:
    """Draw how many stations were on, and at how many stations animals were detected; no position can be read from it.

    Parameters
    ----------
    history
        The capture history.
    column
        Covariate of the individuals that bars are divided by, such as "sex".
    ax
        Axes to draw on: two, or one where no session has several occasions.

    Returns
    -------
    array of matplotlib Axes
        Stations on by occasion (where there are several), animals by number of stations.

    Examples
    --------
    >>> import pandas as pd
    >>> from leopardpop import CaptureHistory
    >>> stations = pd.DataFrame({"station": ["A", "B"], "x": [0, 2000], "y": [0, 500]})
    >>> captures = pd.DataFrame({"individual": ["F1", "F1"], "station": ["A", "B"], "occasion": [1, 3]})
    >>> axes = counts_figure(CaptureHistory.from_tables(captures, stations, occasions=4))
    >>> len(axes), axes.figure.alt_text
    (2, 'Bars: 2 stations on at most; 1 animal by the number of stations that detected it.')
    """
    several = max(history.n_occasions.values()) > 1
    width = PAGE if several else COLUMN
    axes = new_axes(ax, width=width, height=52, shape=(1, 1 + several))
    if several:
        _effort(axes[0], history)
    _animals(axes[-1], history, column)
    describe(axes, _caption(history, several=several), _alt(history, several=several))
    return panels_of(axes)


def _effort(ax: Axes, history: CaptureHistory) -> None:
    """Lines of stations on by occasion; sessions one over the other where there are several."""
    most = 0
    for s, session in enumerate(history.sessions):
        on = (history.arrays(session).effort > 0).sum(0)
        most = max(most, int(on.max(initial=0)))
        edges = np.arange(len(on) + 1) + 0.5
        if len(history.sessions) == 1:
            ax.stairs(on, edges, fill=True, color="#b0b0b0")
        else:
            ax.stairs(on, edges, color=PALETTE[s % len(PALETTE)], linewidth=1.0, baseline=None)
    ax.set_xlim(0.5, max(history.n_occasions.values()) + 0.5)
    ax.set_ylim(0, 1.08 * max(most, 1))
    ax.locator_params(axis="both", nbins=6, integer=True)
    ax.set_xlabel("Occasion")
    ax.set_ylabel("Stations on")


def _animals(ax: Axes, history: CaptureHistory, column: str | None) -> None:
    """Animals by the number of stations that detected them."""
    numbers = np.array([len(at) for s in history.sessions for at in animal_stations(history.arrays(s))], int)
    stacked(ax, numbers, classes_of(history, column, len(numbers)), column)
    ax.set_xlabel("Stations that detected the animal")


def stacked(ax: Axes, numbers: Any, classes: Any, column: str | None) -> None:
    """Draw animals by a whole number of each, a colour and a hatching a class.

    Parameters
    ----------
    ax
        Axes to draw on.
    numbers
        Of each animal, from 1, (n,).
    classes
        Class of each animal as text, (n,).
    column
        Covariate that the classes are of, for the legend; None: no legend.
    """
    most = int(numbers.max(initial=1))
    bottom = np.zeros(most)
    for c, name in enumerate(dict.fromkeys(sorted(classes))):
        tally = np.bincount(numbers[classes == name], minlength=most + 1)[1:]
        label = f"{plain(column)} {plain(name)}" if column else ""
        look: dict[str, Any] = {
            "color": PALETTE[c % 7],
            "hatch": HATCHES[c % 5],
            "edgecolor": "white",
            "linewidth": 0.4,
        }
        ax.bar(np.arange(1, most + 1), tally, 0.8, bottom=bottom, label=label, **look)
        bottom += tally
    ax.set_xlim(0.4, most + 0.6)
    ax.set_ylim(0, 1.15 * max(float(bottom.max()), 1.0))
    ax.locator_params(axis="both", nbins=8, integer=True)
    ax.set_ylabel("Animals")
    if column and len(numbers):
        ax.legend(loc="upper right", borderaxespad=0.2)


def classes_of(history: CaptureHistory, column: str | None, n: int) -> Any:
    """Class of each animal as text; all the same without a column, or where there are too many classes.

    Parameters
    ----------
    history
        The capture history.
    column
        Covariate of the individuals.
    n
        Number of animals.
    """
    if column is None or column not in history.individuals:
        return np.full(n, "", dtype=object)
    values = history.individuals[column]
    named = values.astype(object).where(values.notna() & (values.astype(str) != ""), UNKNOWN).astype(str).to_numpy()
    return named if len(set(named)) <= MOST_CLASSES else np.full(n, "", dtype=object)


def _caption(history: CaptureHistory, *, several: bool) -> str:
    effort = "Stations on by occasion; a" if several else "A"
    text = f"{effort}nimals by the number of stations that detected them: {labelled(history, history.n_individuals)}, "
    text += f"{counted(history.n_detections, 'detection')} at {counted(history.n_stations, 'station')}"
    n = len(history.sessions)
    text += f" in {n} sessions" if n > 1 else ""
    return captioned(history, f"{text}; {history.n_multi_station_individuals} at two stations or more.")


def _alt(history: CaptureHistory, *, several: bool) -> str:
    on = max(int((history.arrays(s).effort > 0).sum(0).max(initial=0)) for s in history.sessions)
    first = f"{counted(on, 'station')} on at most; " if several else ""
    n = history.n_individuals
    return f"Bars: {first}{labelled(history, n)} by the number of stations that detected {'it' if n == 1 else 'them'}."
