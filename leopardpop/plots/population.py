"""Figure 4: the posterior of the number of animals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from leopardpop.models.flank_lists import labelled
from leopardpop.plots.derived import captioned, counted_population
from leopardpop.plots.style import (
    ACCENT,
    COLUMN,
    INK,
    PALETTE,
    SMALL,
    SOFT,
    describe,
    figure_of,
    legend_below,
    new_axes,
    panels_of,
    plain,
    styled,
)
from leopardpop.words import area, equal_to, median_and_interval, number, probability, whole

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from leopardpop.plots.style import Panels
    from leopardpop.results.population import Population

    type Floats = NDArray[np.float64]

__all__ = ["Row", "population_figure", "rows_of"]

MOST_ROWS, MOST_BARS = 12, 80
BAR, CLAIMED, BAND = "#a6cbe3", PALETTE[0], "#f3e6d3"


@dataclass(frozen=True, eq=False)
class Row:
    """N of one session and region."""

    label: str
    """What tells it from the other rows, or ""."""
    place: dict[str, str]
    """Session and region, where there are several."""
    draws: NDArray[np.int64]
    detected: int
    """Number of animals detected in the session."""
    whole: bool
    """Whether the region is the whole mask, so that N cannot be below the number detected."""

    def of(self, values: Any) -> Any:
        """Pick the value of this row out of an array by session and region, or a plain number."""
        return values.sel(self.place) if self.place else values


@dataclass(frozen=True)
class Bins:
    """Whole numbers in bins of equal width."""

    first: int
    width: int
    n: int

    @property
    def low(self) -> NDArray[np.int64]:
        """Smallest number of each bin."""
        return np.asarray(self.first + self.width * np.arange(self.n))

    @property
    def middle(self) -> NDArray[Any]:
        """Middle of each bin."""
        return self.low + (self.width - 1) / 2

    def share(self, draws: NDArray[np.int64]) -> NDArray[Any]:
        """Share of draws in each bin."""
        at = (draws - self.first) // self.width
        return np.asarray(np.bincount(at[(at >= 0) & (at < self.n)], minlength=self.n) / len(draws), float)


# -- what is shown ----------------------------------------------------------------------------------------------------
def rows_of(fit: Any, population: Population) -> list[Row]:
    """One row a session and region that has cells.

    Parameters
    ----------
    fit
        The fit.
    population
        Its population.
    """
    numbers = population.realised
    numbers = numbers.sum([d for d in numbers.dims if d not in ("chain", "draw", "session", "region")], skipna=False)
    dims = [str(d) for d in numbers.dims if d in ("session", "region")]
    stacked = numbers.expand_dims("row") if not dims else numbers.stack(row=dims, create_index=True)
    keys = [()] if not dims else stacked["row"].to_index().tolist()
    rows = []
    for draws, key in zip(stacked.transpose("row", ...).values.reshape(len(keys), -1), keys, strict=True):
        place = dict(zip(dims, key, strict=True))
        if np.isfinite(draws).all():
            detected, whole = _detected(fit, population, place)
            label = " · ".join(place.values())
            rows.append(Row(label, place, draws.astype(np.int64), detected, whole))
    return rows


def _detected(fit: Any, population: Population, place: dict[str, str]) -> tuple[int, bool]:
    pairs = zip(fit.problem.data, fit.problem.fewest, strict=True)
    ((data, fewest), *_) = [each for each in pairs if each[0].session == place.get("session", each[0].session)]
    km2: Any = population.area_km2
    km2 = km2 if isinstance(km2, float) else float(km2.sel(place))
    return fewest, bool(np.isclose(km2, fit.problem.masks[data.session].total_area))


def _bins(rows: list[Row], claim: tuple[float, float] | None, truth: list[float]) -> Bins:
    """Bins for all rows, from where the first posterior begins to where the last one ends."""
    last = max(float(np.quantile(row.draws, 0.9985)) for row in rows)
    first = min(float(np.quantile(row.draws, 0.0005)) for row in rows)
    first = min([first, *truth, *(row.detected for row in rows if row.whole)])
    if claim is not None:
        first, last = min(first, claim[0]), max(last, min(claim[1], 2 * last))
    last = max([last, *truth])
    pad = 0.04 * (last - first)
    first, last = max(0, int(first - pad) - 1), int(last + pad) + 1
    width = ceil((last - first + 1) / (MOST_BARS - 1))
    first -= (first - next((row.detected for row in rows if row.whole), first)) % width  # a bar begins at the floor
    return Bins(first, width, ceil((last - first + 1) / width))


def _prior(population: Population, bins: Bins, row: Row) -> Floats:
    """Prior probability of each bin."""
    from scipy.special import pdtr

    expected = row.of(population.prior_expected).to_numpy()[:, None]
    below = np.where(bins.low > 0, pdtr(np.maximum(bins.low - 1, 0), expected), 0.0)
    return np.asarray((pdtr(bins.low + bins.width - 1, expected) - below).mean(0))


# -- drawing ----------------------------------------------------------------------------------------------------------
@styled
def population_figure(
    fit: Any,
    *,
    claim: tuple[float, float] | None = None,
    truth: float | Mapping[str, float] | None = None,
    regions: Any = None,
    by: str | None = None,
    population: Population | None = None,
    ax: Any = None,
) -> Axes | Panels:
    """Draw the posterior of the realised number of animals.

    Parameters
    ----------
    fit
        The fit.
    claim
        Range to shade, both ends included; its probability is written in it, and the prior's beside it.
    truth
        Number that a synthetic survey was made with; by session or region if there are several.
    regions, by
        As for :meth:`Fit.population`.
    population
        A population that is at hand already; ``regions`` and ``by`` are not looked at then.
    ax
        Axes to draw on, one a session and region.

    Returns
    -------
    matplotlib Axes or array of Axes
        One row a session and region, at most 12.

    Raises
    ------
    ModelError
        If a claim is made of a mask that is only a buffer: N needs a region then.
    """
    population, notes = counted_population(fit, regions, by) if population is None else (population, [population.made])
    rows = rows_of(fit, population)[:MOST_ROWS]
    truths = [_truth(truth, row) for row in rows]
    bins = _bins(rows, claim, [t for t in truths if t is not None])
    chances = [_chances(population, claim, row) for row in rows]
    height = 62 if len(rows) == 1 else 16 + (24 if claim is None else 32) * len(rows)
    axes = new_axes(ax, width=COLUMN, height=height, shape=(len(rows), 1), **({"sharex": True} if ax is None else {}))
    for each, row, true, chance in zip(axes, rows, truths, chances, strict=True):
        prior = _prior(population, bins, row)
        _draw(each, row, bins, prior, claim)
        _marks(each, row, bins, true)
        if claim is not None and chance is not None:
            _claim(each, claim, bins, chance, small=len(rows) > 1)
    _labels(axes, rows, bins, population)
    _legend(axes[-1], rows, truths, own=ax is None, known=fit.problem.knows_animals)
    describe(axes, _caption(fit, population, rows, claim, chances, notes), _alt(rows))
    return axes[0] if len(axes) == 1 else panels_of(axes)


def _truth(truth: float | Mapping[str, float] | None, row: Row) -> float | None:
    if isinstance(truth, Mapping):
        found = truth.get(row.label)
        return None if found is None else float(found)
    return None if truth is None else float(truth)


def _chances(population: Population, claim: tuple[float, float] | None, row: Row) -> tuple[float, float] | None:
    """Posterior and prior probability of the claimed range."""
    if claim is None:
        return None
    return tuple(float(row.of(f(*claim))) for f in (population.probability, population.prior_probability))  # type: ignore[return-value]


def _draw(ax: Axes, row: Row, bins: Bins, prior: Floats, claim: tuple[float, float] | None) -> None:
    share = bins.share(row.draws)
    inside = np.zeros(bins.n, bool)
    if claim is not None:
        inside = (bins.low >= claim[0]) & (bins.low + bins.width - 1 <= claim[1])
        left, right = max(claim[0] - 0.5, bins.low[0] - 0.5), min(claim[1] + 0.5, bins.low[-1] + bins.width - 0.5)
        ax.axvspan(left, right, color=BAND, linewidth=0, zorder=0)
    colors = np.where(inside, CLAIMED, BAR if claim is not None else "#5b9bc8")
    ax.bar(bins.middle, share, width=0.84 * bins.width, color=colors, linewidth=0, zorder=2)
    ax.plot(bins.middle, prior, color=INK, linewidth=1.0, linestyle=(0, (3, 1.5)), zorder=3)
    ax.set_xlim(bins.low[0] - 0.5 - 0.02 * bins.width * bins.n, bins.low[-1] + bins.width - 0.5)
    ax.set_ylim(0, 1.42 * float(share.max()))


def _marks(ax: Axes, row: Row, bins: Bins, true: float | None) -> None:
    """The interval above the bars, the number detected, the truth."""
    top = ax.get_ylim()[1]
    middle, low, high = median_and_interval(row.draws)
    ax.plot([low, high], [0.765 * top] * 2, color=INK, linewidth=1.0, zorder=5, solid_capstyle="butt")
    ax.plot([middle], [0.765 * top], "o", color=INK, markersize=3.2, zorder=5)
    if row.whole and row.detected:
        ax.plot([row.detected - 0.5] * 2, [0, 0.74 * top], color=SOFT, linewidth=1.4, zorder=4)
    if true is not None:
        ax.plot([true, true], [0, 0.74 * top], color=ACCENT, linewidth=1.2, linestyle=(0, (1, 1)), zorder=4)


def _claim(ax: Axes, claim: tuple[float, float], bins: Bins, chance: tuple[float, float], *, small: bool) -> None:
    """Write the probability of the claim over its band, or at the right where rows are low."""
    asked = f"{claim[0]:g} ≤ N ≤ {claim[1]:g}" if np.isfinite(claim[1]) else f"N ≥ {claim[0]:g}"
    text = f"P({asked}) {equal_to(chance[0])}\nprior {_value(chance[1])}"
    low, high = max(claim[0], bins.low[0]), min(claim[1], bins.low[-1] + bins.width - 1)
    middle = float(np.clip(((low + high) / 2 - bins.low[0]) / (bins.width * bins.n), 0.22, 0.78))
    x, side = (0.995, "right") if small else (middle, "center")
    style: dict[str, Any] = {"transform": ax.transAxes, "ha": side, "va": "top", "fontsize": SMALL}
    ax.text(x, 0.985, text, zorder=6, **style)


def _value(chance: float) -> str:
    return probability(chance).replace(" ", "\u2009")


def _labels(axes: list[Any], rows: list[Row], bins: Bins, population: Population) -> None:
    per = "" if bins.width == 1 else f" per {bins.width} animals"
    for ax, row in zip(axes, rows, strict=True):
        ax.locator_params(axis="y", nbins=3)
        ax.locator_params(axis="x", nbins=7, integer=True)
        if row.label:
            label = f"{plain(row.label, 22)}: {number(row.draws)}"
            ax.text(0.008, 0.985, label, transform=ax.transAxes, ha="left", va="top", fontsize=SMALL, zorder=6)
    axes[len(axes) // 2].set_ylabel(f"Probability{per}")
    where = "each region" if len({row.place.get("region") for row in rows}) > 1 else population.region_names[0]
    axes[-1].set_xlabel(f"Animals in {plain(where)}, N")


def _legend(ax: Axes, rows: list[Row], truths: list[float | None], *, own: bool, known: bool) -> None:
    single = len(rows) == 1
    handles: list[Any] = [Patch(facecolor=BAR if not single else "#5b9bc8", label="posterior")]
    interval = f"median, 95 %: {number(rows[0].draws)}" if single else "median, 95 %"
    handles.append(Line2D([], [], color=INK, marker="o", markersize=3.2, linewidth=1.0, label=interval))
    handles.append(Line2D([], [], color=INK, linewidth=1.0, linestyle=(0, (3, 1.5)), label="prior"))
    if any(row.whole and row.detected for row in rows):
        label = f"{rows[0].detected} detected" if single and known else "detected" if known else "fewest photographed"
        handles.append(Line2D([], [], color=SOFT, linewidth=1.4, label=label))
    if any(true is not None for true in truths):
        label = f"truth: {truths[0]:g} (simulated)" if single else "truth (simulated)"
        handles.append(Line2D([], [], color=ACCENT, linewidth=1.2, linestyle=(0, (1, 1)), label=label))
    if own:
        figure_of(ax).legend(handles=handles, loc="outside lower center", ncols=2)
    else:
        legend_below(ax, handles, columns=2, gap=2.6)


# -- words ------------------------------------------------------------------------------------------------------------
def _caption(
    fit: Any,
    population: Population,
    rows: list[Row],
    claim: tuple[float, float] | None,
    chances: list[tuple[float, float] | None],
    notes: list[str],
) -> str:
    km2 = population.area_km2
    size = f", {area(km2)}" if isinstance(km2, float) else ""
    n = sum(len(d.individuals) for d in fit.problem.data)
    where = plain(population.region_name, 80)
    text = f"Posterior of the number of animals N whose activity centre lies in {where}{size} "
    text += f"({labelled(fit.problem.history, n)} detected; {whole(len(rows[0].draws))} draws by {fit.engine}). "
    text += "Bars: realised N; dot and line: median and 95 % interval; dashes: prior. "
    if claim is not None:
        known = [(row.label, c) for row, c in zip(rows, chances, strict=True) if c is not None]
        said = "; ".join(f"{label + ': ' if label else ''}{_value(c[0])} (prior {_value(c[1])})" for label, c in known)
        text += f"Shaded: {claim[0]:g} to {claim[1]:g}, probability {said}. "
    if any(row.whole and row.detected for row in rows):
        least = f"{rows[0].detected} animals at least" if not fit.problem.knows_animals else "animals detected"
        text += f"Solid line: {least}, below which N cannot be. "
    return captioned(fit.problem.history, text, *notes)


def _alt(rows: list[Row]) -> str:
    said = "; ".join(f"{row.label + ': ' if row.label else ''}{number(row.draws)}" for row in rows)
    return f"Histogram of the posterior number of animals, median and 95 % interval {said}."
