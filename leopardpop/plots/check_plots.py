"""Figures of a check: each statistic of the survey on its replicates, and the residuals in space and in time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from leopardpop.plots.ground import frame_of
from leopardpop.plots.style import (
    ACCENT,
    COLUMN,
    FAINT,
    INK,
    PAGE,
    PALETTE,
    SMALL,
    SOFT,
    describe,
    legend_below,
    legend_under,
    line_styles,
    new_axes,
    panels_of,
    plain,
    styled,
)
from leopardpop.words import counted, joined

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes

    from leopardpop.checks.model_check import ModelCheck
    from leopardpop.plots.style import Panels

__all__ = ["residuals_figure", "statistics_figure"]

ACROSS = 4
BINS = 24
MOST_LINES = 4
LIMIT = 2.0
"""Residuals beyond which one of twenty lies."""
BAR = "#b0b0b0"


@styled
def statistics_figure(check: ModelCheck, *, ax: Any = None) -> Panels:
    """Draw each statistic of the survey as a line on the histogram of its replicates.

    Parameters
    ----------
    check
        What ``fit.check()`` found.
    ax
        Axes to draw on, one a statistic; None: a new figure.

    Returns
    -------
    array of matplotlib Axes
    """
    table = check.table()
    n = len(table)
    rows = -(-n // ACROSS)
    if ax is None:
        axes = new_axes(None, width=PAGE, height=27 * rows + 8, shape=(rows, ACROSS))
    else:
        axes = new_axes(ax, width=PAGE, height=PAGE, shape=(1, n))
    for j, (name, row) in enumerate(table.iterrows()):
        _one(axes[j], check.values[:, list(check.statistics).index(str(name))], row)
    for spare in axes[n:]:
        spare.set_axis_off()
    handles = [
        Patch(color=BAR, label="replicates"),
        Line2D([], [], color=INK, label="survey"),
        Line2D([], [], color=ACCENT, linestyle=(0, (4, 1.6)), label="survey, out of line"),
    ]
    legend_under(axes[:n], handles, own=ax is None, gap=1.4)
    describe(axes[:n], _caption(check), _alt(check))
    return panels_of(axes[:n])


def _one(ax: Axes, values: Any, row: Any) -> None:
    warned = row["verdict"] != "ok"
    whole = bool((values == np.round(values)).all())
    low, high = float(values.min()), float(values.max())
    step = max(1.0, np.ceil((high - low + 1) / BINS)) if whole else max((high - low) / BINS, 1e-9)
    start = low - 0.5 if whole else low
    edges = np.arange(start, high + 1.01 * step, step).tolist()
    ax.hist(values[1:], edges, color=BAR, edgecolor="white", linewidth=0.3)
    ax.axvline(values[0], color=ACCENT if warned else INK, linestyle=(0, (4, 1.6)) if warned else "-", linewidth=1.4)
    ax.set_title(plain(row["statistic"], 34), fontsize=SMALL, color=INK)
    ax.set_yticks([])
    ax.spines["left"].set_visible(False)
    ax.locator_params(axis="x", nbins=4, integer=whole)


def _caption(check: ModelCheck) -> str:
    text = (
        f"Statistics of the survey (lines) on those of {counted(check.replicates, 'replicate')} at one draw from the "
        "posterior (bars)."
    )
    flagged = [check.statistics[name].name for name in check.flagged]
    return f"{text} Out of line: {joined(flagged)}." if flagged else f"{text} None is out of line."


def _alt(check: ModelCheck) -> str:
    n = len(check.flagged)
    return (
        f"Histograms of {counted(len(check.statistics), 'statistic')} in replicates of the survey, with the survey's "
        f"own value as a line; {n or 'none'} of them {'is' if n == 1 else 'are'} marked as out of line."
    )


# -- residuals --------------------------------------------------------------------------------------------------------
@styled
def residuals_figure(check: ModelCheck, *, ax: Any = None) -> Panels:
    """Draw the residuals on a map (without coordinates) and over time.

    Parameters
    ----------
    check
        What ``fit.check()`` found.
    ax
        Two axes, or one where no positions are known; None: a new figure.

    Returns
    -------
    array of matplotlib Axes
    """
    residuals = check.residuals
    mapped = "x" in residuals.coords
    axes = new_axes(ax, width=PAGE if mapped else COLUMN, height=72 if mapped else 55, shape=(1, 1 + mapped))
    if mapped:
        _map(axes[0], residuals)
    _time(axes[-1], residuals)
    places, times = _names(residuals)
    values = residuals[places].to_numpy()
    many = int((np.abs(values[np.isfinite(values)]) > LIMIT).sum())
    where = "station" if places.startswith("station") else "site"
    caption = (
        f"Residuals (standard normal if the model is right): {counted(int(np.isfinite(values).sum()), where)}, "
        f"{many} beyond ±{LIMIT:.0f}, where one in twenty is expected."
    )
    describe(axes, caption, f"Map and time series of residuals by {where} and by {times.partition('_')[0]}.")
    return panels_of(axes)


def _names(residuals: xr.Dataset) -> tuple[str, str]:
    """Names of the residuals in space and in time."""
    of_stations = "station_residual" in residuals
    return ("station_residual", "occasion_residual") if of_stations else ("site_residual", "visit_residual")


def _map(ax: Axes, residuals: xr.Dataset) -> None:
    """Symbols sized by how far a place is from what is expected: up for more detections, down for fewer."""
    x, y = residuals["x"].to_numpy(), residuals["y"].to_numpy()
    values = residuals[_names(residuals)[0]].to_numpy()
    if values.ndim > 1:  # over seasons, of the same spread as that of one
        values = np.nansum(values, axis=1) / np.sqrt(np.maximum(np.isfinite(values).sum(1), 1))
    frame = frame_of(x, y, 0.06 * (float(max(np.ptp(x), np.ptp(y))) or 1000.0))
    frame.apply(ax, "hidden", north=False)
    at = frame.place(x, y)
    size = 4.0 + 14.0 * np.minimum(np.abs(values), 3.5)
    for kind, marker, color in ((values > 0, "^", PALETTE[5]), (values < 0, "v", PALETTE[0])):
        ax.scatter(at[kind, 0], at[kind, 1], s=size[kind], marker=marker, color=color, linewidths=0.0, alpha=0.85)
    beyond = np.abs(values) > LIMIT
    ax.scatter(at[beyond, 0], at[beyond, 1], s=size[beyond] + 40, facecolors="none", edgecolors=INK, linewidths=0.7)
    style: dict[str, Any] = {"linestyle": "", "markersize": 4.5}
    handles = [
        Line2D([], [], color=PALETTE[5], marker="^", label="more than expected", **style),
        Line2D([], [], color=PALETTE[0], marker="v", label="fewer", **style),
        Line2D([], [], color=INK, marker="o", markerfacecolor="none", label=f"beyond ±{LIMIT:.0f}", **style),
    ]
    legend_below(ax, handles, columns=3)


def _time(ax: Axes, residuals: xr.Dataset) -> None:
    table = residuals[_names(residuals)[1]]
    series, time = table.dims
    ax.axhspan(-LIMIT, LIMIT, color=FAINT, linewidth=0)
    ax.axhline(0.0, color=SOFT, linewidth=0.6)
    names = [str(name) for name in table[series].values]
    for (color, dashes), name, row in zip(line_styles(len(names)), names, table.to_numpy(), strict=True):
        few = len(names) <= MOST_LINES
        ax.plot(
            table[time].values, row, marker="o", markersize=3.0, color=color, linestyle=dashes if few else "",
            linewidth=0.9, label=plain(name),
        )  # fmt: skip
    reach = float(np.nanmax(np.abs(table.to_numpy()), initial=3.0))
    ax.set_ylim(-1.1 * reach, 1.1 * reach)
    ax.locator_params(axis="x", nbins=8, integer=True)
    ax.set_xlabel(str(time).capitalize())
    ax.set_ylabel("Residual, sd")
    if 1 < len(names) <= MOST_LINES:
        legend_below(ax, ax.get_legend_handles_labels()[0], columns=len(names), gap=2.6)
