"""Calibration in a figure: the distribution function of each quantity's ranks less the diagonal, within its band."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, Any

import numpy as np

from leopardpop.checks.uniformity import ecdf_band, grid_of
from leopardpop.plots.style import (
    ACCENT,
    FAINT,
    INK,
    PAGE,
    PALETTE,
    SMALL,
    SOFT,
    describe,
    new_axes,
    panels_of,
    plain,
    styled,
)
from leopardpop.words import counted, joined

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from leopardpop.checks.calibration_result import Calibration
    from leopardpop.models.likelihood.terms import Floats
    from leopardpop.plots.style import Panels

__all__ = ["calibration_figure"]

COLUMNS = 4
LEAST = 2
"""Ranks that a distribution function is drawn of."""


@styled
def calibration_figure(found: Calibration, *, ax: Any = None) -> Panels:
    """Draw one panel a quantity.

    Parameters
    ----------
    found
        Result of :func:`leopardpop.calibrate`.
    ax
        Axes to draw on, one a quantity; None: a new figure.

    Returns
    -------
    array of matplotlib Axes
    """
    table = found.table()
    names = [str(name) for name in table.index]
    columns = min(COLUMNS, max(len(names), 1))
    shape = (max(1, ceil(len(names) / columns)), columns) if ax is None else (1, len(names))
    options = {"sharex": True, "sharey": True} if ax is None else {}
    axes = new_axes(ax, width=PAGE, height=10 + 34 * shape[0], shape=shape, **options)
    for axis, name in zip(axes, names, strict=False):
        _panel(axis, found.of(name), warned=str(table["verdict"][name]) == "FAILS")
        axis.set_title(plain(name, 30), fontsize=SMALL, color=INK)
    for spare in axes[len(names) :]:
        spare.set_visible(False)
    axes[0].set_ylabel("ECDF less the diagonal")
    axes[(shape[0] - 1) * shape[1]].set_xlabel("Rank of the truth")
    describe(axes, _caption(found, table), _alt(table))
    return panels_of(axes[: max(len(names), 1)])


def _panel(axis: Axes, ranks: Floats, *, warned: bool) -> None:
    axis.axhline(0.0, color=SOFT, linewidth=0.6, zorder=2)
    axis.set_xlim(0.0, 1.0)
    axis.set_xticks([0.0, 0.5, 1.0], ["0", "½", "1"])
    if len(ranks) < LEAST:
        return
    grid = grid_of(len(ranks))
    lower, upper = ecdf_band(len(ranks))
    axis.fill_between(grid, lower - grid, upper - grid, color=FAINT, linewidth=0, step="mid", zorder=1)
    share = np.searchsorted(np.sort(ranks), grid, side="right") / len(ranks)
    style: Any = (0, (4, 1.6)) if warned else "-"
    axis.step(
        grid,
        share - grid,
        where="mid",
        color=ACCENT if warned else PALETTE[0],
        linestyle=style,
        zorder=3,
        linewidth=1.0,
    )


def _caption(found: Calibration, table: Any) -> str:
    wrong = table.index[table["verdict"] == "FAILS"].tolist()
    told = f"Outside of it: {joined(wrong)}." if wrong else "None leaves it by more than chance."
    return (
        f"Simulation-based calibration of {found.model}, by {found.engine}: {counted(found.asked, 'survey')} of truths "
        "from the priors. Distribution function of the rank of the truth in its posterior, less the diagonal; the band "
        f"holds all of one function in 95 % of cases if the ranks are uniform. {told}"
    )


def _alt(table: Any) -> str:
    many = counted(len(table), "quantity", "quantities")
    return f"Panels with a step line within a grey band around zero, one for each of {many}."
