"""Models side by side: how much worse each foresees the data than the best, and what it says of the number."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from leopardpop.plots.style import COLUMN, INK, PAGE, PALETTE, SOFT, describe, new_axes, panels_of, plain, styled
from leopardpop.results.compare import compare, of_animals
from leopardpop.results.maximum import Maximum
from leopardpop.words import counted, decimal, median_and_interval

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from matplotlib.axes import Axes

    from leopardpop.plots.style import Panels

__all__ = ["plot_comparison"]

Z = 1.96


@styled
def plot_comparison(fits: Mapping[str, Any], *, refit: bool = False, ax: Any = None) -> Panels:
    """Draw :func:`leopardpop.compare`: differences from the best model and, of animals in one session, N by model.

    Parameters
    ----------
    fits, refit
        As of :func:`leopardpop.compare`.
    ax
        Axes to draw on: two for posteriors of animals in one session, else one; None: a new figure.

    Returns
    -------
    array of matplotlib Axes
        Difference in AICc, or in the expected log predictive density with 95 % intervals; N with 95 % intervals.

    Raises
    ------
    ModelError
        As :func:`leopardpop.compare`.

    Examples
    --------
    >>> import pandas as pd
    >>> import leopardpop as lp
    >>> stations = pd.DataFrame({"station": list("ABCD"), "x": [0, 1500, 0, 1500], "y": [0, 0, 1500, 1500]})
    >>> design = lp.CaptureHistory.from_tables(None, stations, occasions=8)
    >>> mask = lp.Mask.around(design, buffer=4_000, spacing=500)
    >>> truth = {"D": 0.4, "lambda0": 0.2, "sigma": 1_000}
    >>> history = lp.SCR().simulate(design, mask, parameters=truth, seed=2).history
    >>> models = {"half-normal": lp.SCR(), "exponential": lp.SCR(detection=lp.Exponential())}
    >>> axes = lp.plot_comparison({name: model.maximum_likelihood(history, mask) for name, model in models.items()})
    >>> axes.figure.alt_text
    'Points: 2 models by their difference from the best, half-normal.'
    """
    table = compare(fits, refit=refit)
    numbers = _numbers(fits, table)
    n_panels = 1 if numbers is None else 2
    width, height = (COLUMN, PAGE)[n_panels - 1], 22 + 6 * max(len(table), 3)
    axes = new_axes(ax, width=width, height=height, shape=(1, n_panels), sharey=n_panels > 1)
    at = np.arange(len(table))[::-1]
    by_likelihood = isinstance(next(iter(fits.values())), Maximum)
    _differences(axes[0], table, at, by_likelihood=by_likelihood)
    if numbers is not None:
        _intervals(axes[1], numbers, at)
    axes[0].set_yticks(at, [plain(name) for name in table.index])
    axes[0].set_ylim(-0.6, len(table) - 0.4)
    describe(axes, _caption(table, numbers, by_likelihood=by_likelihood), _alt(table, numbers))
    return panels_of(axes)


def _differences(ax: Axes, table: pd.DataFrame, at: Any, *, by_likelihood: bool) -> None:
    ax.axvline(0.0, color=SOFT, linewidth=0.6)
    if by_likelihood:
        ax.plot(table["delta"], at, "o", color=PALETTE[0], markersize=4)
        ax.set_xlabel("AICc − that of the best")
        return
    worse = -table["elpd_diff"].astype(float).abs()
    half = Z * table["dse"].astype(float).fillna(0.0)
    ax.errorbar(worse, at, xerr=half, fmt="o", color=PALETTE[0], markersize=4, linewidth=1.0)
    ax.set_xlabel("Log predictive density − that of the best")


def _numbers(fits: Mapping[str, Any], table: pd.DataFrame) -> list[tuple[float, float, float]] | None:
    """N of each model in the order of the table; None where there is no one number."""
    if not of_animals(fits) or any(len(fit.history.sessions) > 1 for fit in fits.values()):
        return None
    found = []
    for name in table.index:
        draws = fits[name].population().realised
        found.append(median_and_interval(draws.sum([d for d in draws.dims if d not in ("chain", "draw")])))
    return found


def _intervals(ax: Axes, numbers: list[tuple[float, float, float]], at: Any) -> None:
    middle, low, high = np.array(numbers).T
    ax.hlines(at, low, high, color=INK, linewidth=1.0)
    ax.plot(middle, at, "o", color=PALETTE[1], markersize=4, markeredgecolor=INK, markeredgewidth=0.5)
    ax.set_xlabel("Animals, N (median and 95 % interval)")
    ax.set_xlim(left=0.0)
    ax.locator_params(axis="x", nbins=6, integer=True)


def _caption(table: pd.DataFrame, numbers: Any, *, by_likelihood: bool) -> str:
    best = table.index[0]
    if by_likelihood:
        return f"{counted(len(table), 'model')} by AICc; the best is {best}."
    text = (
        f"{counted(len(table), 'model')} by how well they foresee what is left out; the best is {best}. Lines: 95 % "
        "intervals of the difference."
    )
    if numbers is not None:
        low, high = (decimal(pick([each[0] for each in numbers]), 0) for pick in (min, max))
        text += f" Right: N by each of them, medians from {low} to {high}."
    return text


def _alt(table: pd.DataFrame, numbers: Any) -> str:
    also = "" if numbers is None else " and by their number of animals"
    return f"Points: {counted(len(table), 'model')} by their difference from the best, {table.index[0]}{also}."
