"""Capture frequencies and spatial recaptures: what σ and detection rest on, in one figure without any position."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from leopardpop.models.flank_lists import labelled
from leopardpop.plots.counts import classes_of, stacked
from leopardpop.plots.derived import captioned
from leopardpop.plots.style import PAGE, PALETTE, SOFT, describe, new_axes, panels_of, styled
from leopardpop.plots.trees import spatial_recaptures
from leopardpop.words import counted, length

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from leopardpop.data.history import CaptureHistory
    from leopardpop.models.likelihood.terms import Floats
    from leopardpop.plots.style import Panels

__all__ = ["recaptures_figure"]

KM = 1_000.0
BARS = 12


@styled
def recaptures_figure(history: CaptureHistory, *, column: str | None = None, ax: Any = None) -> Panels:
    """Draw how often animals were detected, and how far apart the stations of an animal are.

    Parameters
    ----------
    history
        The capture history.
    column
        Covariate of the individuals that bars are divided by, such as "sex".
    ax
        Two axes to draw on.

    Returns
    -------
    array of matplotlib Axes
        Animals by number of detections; spatial recaptures by distance.

    Examples
    --------
    >>> import pandas as pd
    >>> from leopardpop import CaptureHistory
    >>> stations = pd.DataFrame({"station": ["A", "B"], "x": [0, 2000], "y": [0, 500]})
    >>> captures = pd.DataFrame({"individual": ["F1", "F1"], "station": ["A", "B"], "occasion": [1, 3]})
    >>> axes = recaptures_figure(CaptureHistory.from_tables(captures, stations, occasions=4))
    >>> axes.figure.alt_text
    'Bars: 1 animal by the number of its detections; 1 spatial recapture by distance.'
    """
    axes = new_axes(ax, width=PAGE, height=52, shape=(1, 2))
    times = _times(history)
    stacked(axes[0], times, classes_of(history, column, len(times)), column)
    axes[0].set_xlabel("Detections of the animal")
    apart = np.concatenate([_distances(history, session) for session in history.sessions])
    _by_distance(axes[1], apart)
    describe(axes, _caption(history, times, apart), _alt(history, apart))
    return panels_of(axes)


def _times(history: CaptureHistory) -> Any:
    """Detections of each animal, (n,); of counts, all that were counted."""
    parts = []
    for session in history.sessions:
        data = history.arrays(session)
        parts.append(np.bincount(data.individual, data.count, minlength=len(data.individuals)))
    return np.concatenate(parts).astype(int)


def _distances(history: CaptureHistory, session: str) -> Floats:
    """Lengths of the shortest trees that join the stations of each animal, m: one a spatial recapture."""
    return np.concatenate([np.zeros(0), *spatial_recaptures(history.arrays(session))])


def _by_distance(ax: Axes, apart: Floats) -> None:
    if len(apart):
        far = max(float(apart.max()), 1.0) / KM
        ax.hist(
            apart / KM,
            bins=np.linspace(0.0, far, BARS + 1).tolist(),
            color=PALETTE[0],
            edgecolor="white",
            linewidth=0.4,
        )
        ax.axvline(float(np.median(apart)) / KM, color=SOFT, linewidth=0.8, linestyle="--")
    else:
        ax.text(0.5, 0.5, "no animal was at two stations", transform=ax.transAxes, ha="center", color=SOFT)
        ax.set_xlim(0.0, 1.0)
    top = ax.get_ylim()[1]
    ax.set_ylim(0, max(1.1 * top, 1.0))
    ax.locator_params(axis="y", nbins=6, integer=True)
    ax.set_xlabel("Distance, km")
    ax.set_ylabel("Spatial recaptures")


def _caption(history: CaptureHistory, times: Any, apart: Floats) -> str:
    once = int((times == 1).sum())
    text = (
        f"Capture frequencies: {labelled(history, history.n_individuals)}, "
        f"{counted(history.n_detections, 'detection')}, {once} detected once. "
        f"{counted(len(apart), 'spatial recapture')}"
    )
    if len(apart):
        text += f", half of them within {length(float(np.median(apart)))} (dashed)"
    return captioned(history, f"{text}.")


def _alt(history: CaptureHistory, apart: Floats) -> str:
    n = history.n_individuals
    whose = "its" if n == 1 else "their"
    return (
        f"Bars: {labelled(history, n)} by the number of {whose} detections; "
        f"{counted(len(apart), 'spatial recapture')} by distance."
    )
