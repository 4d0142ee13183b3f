"""A scenario study in a figure: bias and coverage of each scenario."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from leopardpop.data.names import did_you_mean, listed
from leopardpop.errors import ModelError
from leopardpop.plots.style import INK, PAGE, PALETTE, SMALL, SOFT, describe, new_axes, panels_of, plain, styled
from leopardpop.words import counted, joined

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from leopardpop.design.study_result import Study
    from leopardpop.plots.style import Panels

__all__ = ["study_figure"]

HALF = 1.96
PANELS = (
    ("relative_bias", "Relative bias of the median (%)", 0.0),
    ("coverage", "Coverage of the interval (%)", 95.0),
)
"""Column, label, and where it should be."""


@styled
def study_figure(found: Study, quantity: str, *, ax: Any = None) -> Panels:
    """Draw relative bias and coverage of each scenario, with their Monte Carlo errors.

    Parameters
    ----------
    found
        Result of :func:`leopardpop.design.study`.
    quantity
        One of those in its summary.
    ax
        Two axes to draw on; None: a new figure.

    Returns
    -------
    array of matplotlib Axes

    Raises
    ------
    ModelError
        If there is no such quantity.
    """
    table = _rows(found, quantity)
    axes = new_axes(ax, width=PAGE, height=22 + 7 * max(len(table), 2), shape=(1, 2), sharey=True)
    for axis, (name, label, line) in zip(axes, PANELS, strict=True):
        _panel(axis, table, name, line)
        axis.set_xlabel(label)
    places = np.arange(len(table))[::-1]
    axes[0].set_yticks(places, [plain(name) for name in table["scenario"]])
    axes[0].set_ylim(-0.6, len(table) - 0.4)
    axes[1].set_xlim(right=100.5)  # there is no more than all
    describe(axes, _caption(found, table, quantity), _alt(table))
    return panels_of(axes)


def _rows(found: Study, quantity: str) -> pd.DataFrame:
    """A row a scenario, also of those that mostly fail."""
    summary = found.summary()
    names = [name for name in summary["quantity"].unique() if name]
    if quantity not in names and names:
        hint = did_you_mean(str(quantity), names)
        raise ModelError(f"quantity={quantity!r}: it is one of {listed(names)}.{hint}", offenders=[quantity])
    return summary[summary["quantity"].isin([quantity, ""])].reset_index(drop=True)


def _panel(axis: Axes, table: pd.DataFrame, name: str, line: float) -> None:
    axis.axvline(line, color=SOFT, linewidth=0.6, zorder=1)
    axis.tick_params(axis="y", length=0)
    for place, row in zip(np.arange(len(table))[::-1], table.to_dict("records"), strict=True):
        if not np.isfinite(row.get(name, np.nan)):
            axis.text(line, place, " mostly fails", fontsize=SMALL, color=INK, va="center")
            continue
        error = 100 * HALF * np.nan_to_num(row[f"{name}_mcse"])
        axis.errorbar(
            100 * row[name], place, xerr=error, fmt="o", markersize=3.5, color=PALETTE[0], linewidth=0.9, zorder=3
        )


def _caption(found: Study, table: pd.DataFrame, quantity: str) -> str:
    failing = table.loc[table["verdict"] == "mostly fails", "scenario"].astype(str).tolist()
    more = f"Of {joined(failing)} half of the replicates or more gave no posterior: nothing is averaged."
    asked = f"{counted(len(table), 'scenario')}, {counted(found.asked, 'replicate')} each"
    return (
        f"Posterior of {plain(quantity)} in {asked}: relative bias of the median and coverage of the 95 % interval, "
        f"with 95 % intervals of the Monte Carlo error. {more if failing else ''}"
    ).strip()


def _alt(table: pd.DataFrame) -> str:
    return f"Points with error bars for {counted(len(table), 'scenario')}: bias on the left, coverage on the right."
