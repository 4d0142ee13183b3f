"""Where the detected animals live: a cloud each, as wide as the data leave it open."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.collections import PolyCollection
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from leopardpop.data.names import did_you_mean, listed
from leopardpop.errors import ModelError
from leopardpop.models.flank_lists import labelled
from leopardpop.plots.derived import captioned
from leopardpop.plots.ground import cells_of, draw_edge
from leopardpop.plots.style import (
    INK,
    PAGE,
    PALETTE,
    SMALL,
    SOFT,
    describe,
    legend_under,
    new_axes,
    panels_of,
    plain,
    styled,
)
from leopardpop.plots.survey_map import MOST_PANELS, alike
from leopardpop.words import percent

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from leopardpop.plots.ground import Cells, Coordinates, Frame
    from leopardpop.plots.style import Panels

    type Floats = NDArray[np.float64]

__all__ = ["centres_figure", "smallest_region"]

INNER, OUTER = 0.5, 0.95
"""Probability of the filled region and of the outlined one."""
MOST_NAMED = 15


def smallest_region(probability: Floats, share: float) -> NDArray[np.bool_]:
    """Fewest cells that hold a share of the probability, (J,).

    Examples
    --------
    >>> smallest_region(np.array([0.1, 0.6, 0.3]), 0.8)
    array([False,  True,  True])
    """
    order = np.argsort(-probability, kind="stable")
    needed = int(np.searchsorted(np.cumsum(probability[order]), share * probability.sum())) + 1
    chosen = np.zeros(len(probability), dtype=bool)
    chosen[order[:needed]] = True
    return chosen


@styled
def centres_figure(
    fit: Any,
    *,
    individuals: Sequence[str] | str | None = None,
    session: str | None = None,
    coordinates: Coordinates = "hidden",
    ax: Any = None,
) -> Axes | Panels:
    """Map where the activity centre of each detected animal is likely to be.

    Parameters
    ----------
    fit
        The fit.
    individuals
        Names of the animals to draw; None: all.
    session
        Label of one session; None: a panel each, at most 12.
    coordinates
        "hidden": a scale bar and no coordinates on the axes; "exact".
    ax
        Axes to draw on, one a session.

    Returns
    -------
    matplotlib Axes or array of Axes

    Raises
    ------
    ModelError
        If an animal or an option is unknown.
    """
    if coordinates not in ("hidden", "exact"):
        raise ModelError(f'coordinates={coordinates!r}: it is "hidden" or "exact".')
    problem = fit.problem
    data = [d for d in problem.data if session is None or d.session in problem.history[session].sessions][:MOST_PANELS]
    wanted = _wanted([str(name) for d in data for name in d.individuals], individuals)
    centres = fit.activity_centres() if wanted else None
    cells = [cells_of(problem.masks[d.session]) for d in data]
    frames = alike([each.frame for each in cells])
    columns = min(len(data), 3)
    rows = -(-len(data) // columns)
    height = rows * min(PAGE / columns * frames[0].ratio, 150 / min(rows, 2)) + 8
    axes = new_axes(ax, width=PAGE, height=height, shape=(rows, columns))[: len(data)]
    for panel, d, frame, ground in zip(axes, data, frames, cells, strict=True):
        frame.apply(panel, coordinates, north=problem.history.crs is not None)
        draw_edge(panel, ground, frame, colors=SOFT, linewidths=0.5)
        stations = frame.place(d.xy[:, 0], d.xy[:, 1])
        panel.scatter(stations[:, 0], stations[:, 1], s=4, color=INK, linewidths=0, zorder=3)
        if centres is not None:
            _clouds(panel, centres, d.session, wanted, ground, frame)
        if len(data) > 1:
            panel.set_title(plain(d.session), loc="left", pad=3)
    legend_under(axes, _handles(), own=ax is None)
    describe(
        axes,
        _caption(fit, wanted),
        f"Map of where {labelled(fit.problem.history, len(wanted))} live, with stations.",
    )
    return axes[0] if len(axes) == 1 else panels_of(axes)


def _wanted(known: list[str], individuals: Sequence[str] | str | None) -> list[str]:
    """Animals to draw, in the order of the history."""
    asked = known if individuals is None else [individuals] if isinstance(individuals, str) else list(individuals)
    unknown = [name for name in asked if name not in known]
    if unknown:
        hint = did_you_mean(unknown[0], known)
        raise ModelError(
            f"individuals: there is no '{unknown[0]}'; there are {listed(known)}.{hint}", offenders=unknown
        )
    return list(dict.fromkeys(asked))


def _clouds(ax: Axes, centres: xr.Dataset, session: str, wanted: list[str], cells: Cells, frame: Frame) -> None:
    """Region of each animal of a session, filled where half of its probability is."""
    names = centres["animal"].to_numpy().astype(str)
    here = (centres["individual_session"].to_numpy().astype(str) == str(session)) & np.isin(names, wanted)
    at = centres["cell_session"].to_numpy().astype(str) == str(session)
    for i in np.flatnonzero(here):
        color = PALETTE[wanted.index(names[i]) % len(PALETTE)]
        probability = centres["probability"].to_numpy()[i, at]
        squares = cells.squares(frame, smallest_region(probability, INNER))
        filled = PolyCollection(list(squares), facecolors=color, edgecolors="none", alpha=0.45, zorder=1)
        ax.add_collection(filled, autolim=False)
        draw_edge(ax, cells, frame, smallest_region(probability, OUTER), colors=color, linewidths=0.8, zorder=2)
        if here.sum() <= MOST_NAMED:
            x, y = frame.place(centres["mean_x"][i], centres["mean_y"][i])[0]
            ax.text(x, y, plain(names[i], 12), fontsize=SMALL, ha="center", va="center", color=INK, zorder=4)


def _handles() -> list[Any]:
    return [
        Patch(facecolor=PALETTE[0], alpha=0.45, label=f"{percent(INNER)} of an animal"),
        Patch(facecolor="none", edgecolor=PALETTE[0], label=percent(OUTER)),
        Line2D([], [], color=INK, marker="o", markersize=2, linestyle="none", label="station"),
    ]


def _caption(fit: Any, wanted: list[str]) -> str:
    who = labelled(fit.problem.history, len(wanted))
    text = f"Activity centres of {who} that were detected: the smallest areas that hold an "
    text += f"animal's centre with probability {INNER:g} (filled) and {OUTER:g} (outlined), given where it was seen "
    text += "and where it was not. An area is where the middle of a home range may be, not the home range."
    return captioned(fit.problem.history, text)
