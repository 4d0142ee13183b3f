"""Figure 2: how detection falls with distance, and what the data say of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.lines import Line2D

from leopardpop.models.flank_lists import labelled
from leopardpop.models.tables import class_codes
from leopardpop.plots.derived import captioned
from leopardpop.plots.detection_rates import raw_rates
from leopardpop.plots.style import COLUMN, INK, PALETTE, describe, line_styles, new_axes, plain, styled
from leopardpop.plots.trees import spatial_recaptures
from leopardpop.results.draws import flat_draws
from leopardpop.words import counted, estimate, length, median_and_interval, whole

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from leopardpop.models.problem import Problem
    from leopardpop.plots.detection_rates import Rates
    from leopardpop.results.draws import HasDraws

    type Floats = NDArray[np.float64]

__all__ = ["Curve", "detection_curves", "detection_figure"]

DRAWS, POINTS, BINS = 400, 81, 8
FAR = 0.02
"""Share of the detection at distance zero at which the figure ends."""


@dataclass(frozen=True, eq=False)
class Curve:
    """Detection of one group of animals against distance, averaged over the stations by their effort."""

    label: str
    """Class, or "" for all animals."""
    distance: Floats
    """Metres, (M,)."""
    draws: Floats
    """Rate, or probability, per unit of effort in some of the draws, (s, M)."""
    sigma: Floats
    """Scale of each draw, metres, (S,)."""

    @property
    def median(self) -> Floats:
        """Median curve, (M,)."""
        return np.asarray(np.median(self.draws, axis=0))

    @property
    def band(self) -> Floats:
        """Limits of the 95 % band, (2, M)."""
        return np.asarray(np.quantile(self.draws, [0.025, 0.975], axis=0))


# -- curves -----------------------------------------------------------------------------------------------------------
def detection_curves(fit: HasDraws, sessions: list[str], farthest: float | None = None) -> list[Curve]:
    """Posterior of the detection function.

    Parameters
    ----------
    fit
        The fit.
    sessions
        Labels of the sessions whose stations count.
    farthest
        Distance at which the curves end, metres; None: where little is left.

    Returns
    -------
    list of Curve
        One a class of animals if detection depends on it, else one.
    """
    problem, theta = fit.problem, flat_draws(fit)
    groups = list(range(len(problem.levels))) if depends_on_class(problem) else [0]
    tables = [_parameters(problem, theta, sessions, c) for c in groups]
    end = farthest or max(_reach(problem, *table) for table in tables)
    distance = np.linspace(0.0, end, POINTS)
    labels = [problem.levels[c] for c in groups] if len(groups) > 1 else [""]
    return [
        Curve(label, distance, _curves(problem, table, weight, distance), table["sigma"] @ weight)
        for label, (table, weight) in zip(labels, tables, strict=True)
    ]


def depends_on_class(problem: Problem) -> bool:
    """Whether detection differs between classes of animals."""
    theta = np.linspace(0.1, 0.2, problem.layout.size)
    rows = [v.reshape(len(problem.levels), -1) for name, r in problem.natural(theta).items() if name != "D" for v in r]
    return any(not np.allclose(row, row[0]) for row in rows)


def _parameters(problem: Problem, theta: Floats, sessions: list[str], c: int) -> tuple[dict[str, Floats], Floats]:
    """Natural parameters of naive animals by draw at kinds of stations (S, U), and the share of effort of each (U,)."""
    chosen = [s for s, data in enumerate(problem.data) if data.session in sessions]
    effort = np.concatenate([problem.units[s].arrays.effort.sum(1) for s in chosen])
    table = {}
    for each in problem.model.detection.parameters():
        parameter = problem.layout[each.name]
        rows = parameter.predictor(theta)
        of_class = [rows[s].reshape(len(theta), len(problem.levels), -1)[:, c] for s in chosen]
        table[each.name] = np.asarray(parameter.link.inverse(np.concatenate(of_class, axis=1)))
    first_draw = np.stack([values[0] for values in table.values()])
    kinds, which = np.unique(first_draw.T, axis=0, return_inverse=True)
    first = np.unique(which.reshape(-1), return_index=True)[1]
    weight = np.bincount(which.reshape(-1), effort + 1e-12, len(kinds))
    return {name: values[:, first] for name, values in table.items()}, weight / weight.sum()


def _curves(problem: Problem, table: dict[str, Floats], weight: Floats, distance: Floats) -> Floats:
    """Mean detection over kinds of stations in some of the draws, (S, M)."""
    step = max(1, len(table["sigma"]) // DRAWS)
    columns = {name: values[::step, :, None] for name, values in table.items()}
    with np.errstate(all="ignore"):
        hazard = np.exp(problem.model.detection.log_hazard(distance**2, **columns))
    values = -np.expm1(-hazard) if is_probability(problem) else hazard
    return np.asarray(np.einsum("sum,u->sm", np.broadcast_to(values, (*values.shape[:2], len(distance))), weight))


def is_probability(problem: Problem) -> bool:
    """Whether the model speaks of the probability of detection in a unit of effort, and not of the rate."""
    return any(p.name == "g0" for p in problem.model.detection.parameters())


def _reach(problem: Problem, table: dict[str, Floats], weight: Floats) -> float:
    """Distance at which the median detection has fallen to a fiftieth, at most eight sigma."""
    sigma = float(np.median(table["sigma"] @ weight))
    distance = np.linspace(0.0, 8.0 * sigma, 161)
    median = np.median(_curves(problem, table, weight, distance), axis=0)
    return float(distance[np.flatnonzero(median > FAR * median[0])[-1]])


# -- drawing ----------------------------------------------------------------------------------------------------------
@styled
def detection_figure(fit: Any, *, session: str | None = None, ax: Any = None) -> Axes:
    """Draw the detection function with the rates that the data show.

    Parameters
    ----------
    fit
        The fit.
    session
        Label of one session; None: all together.
    ax
        Axes to draw on.

    Returns
    -------
    matplotlib Axes
    """
    history = fit.problem.history
    sessions = list(history.sessions) if session is None else list(history[session].sessions)
    recaptures = [_recaptures(fit.problem, sessions, level) for level in _levels(fit.problem)]
    longest = max((float(r.max()) for r in recaptures if len(r)), default=0.0)
    curves = detection_curves(fit, sessions)
    end = float(curves[0].distance[-1])
    if longest > end:
        curves = detection_curves(fit, sessions, min(1.02 * longest, 1.6 * end))
    edges = np.linspace(0.0, float(curves[0].distance[-1]), BINS + 1)
    rates = raw_rates(fit, edges, sessions=sessions, by_class=len(curves) > 1)
    axes: Axes = new_axes(ax, width=COLUMN, height=70)[0]
    unit = 1000.0 if edges[-1] >= 3000.0 else 1.0
    for j, (curve, rate) in enumerate(zip(curves, rates, strict=True)):
        _draw_curve(axes, curve, unit, j)
        _draw_rates(axes, rate, edges / unit, j, len(curves), probability=is_probability(fit.problem))
    _finish(axes, fit, curves, rates, recaptures, unit)
    describe(axes, _caption(fit, curves, rates, recaptures, session), _alt(fit, curves))
    return axes


def _levels(problem: Problem) -> list[str]:
    return list(problem.levels) if depends_on_class(problem) else [""]


def _recaptures(problem: Problem, sessions: list[str], level: str) -> Floats:
    """Lengths of the spatial recaptures of a class, metres; animals of unknown class have none of their own."""
    found = []
    for data in problem.data:
        if data.session in sessions:
            lengths = spatial_recaptures(data)
            known = class_codes(data, problem.column if level else None, problem.levels)
            code = problem.levels.index(level) if level else 0
            found += [part for part, own in zip(lengths, known, strict=True) if own == code]
    return np.concatenate([*found, np.empty(0)])


def _draw_curve(ax: Axes, curve: Curve, unit: float, j: int) -> None:
    (color, dashes), x = line_styles(j + 1)[-1], curve.distance / unit
    ax.fill_between(x, *curve.band, color=color, alpha=0.22, linewidth=0, zorder=1)
    ax.plot(x, curve.median, color=color, linestyle=dashes, zorder=3)
    sigma = float(np.median(curve.sigma))
    if sigma <= curve.distance[-1]:
        height = float(np.interp(sigma, curve.distance, curve.median))
        ax.plot([sigma / unit] * 2, [0, height], color=color, linewidth=0.8, linestyle=(0, (1, 1)), zorder=2)
        offset: dict[str, Any] = {"textcoords": "offset points", "xytext": (2.5, 1.5)}
        ax.annotate("σ", (sigma / unit, height), color=color, fontsize=8, zorder=5, **offset)


MARKS = ("o", "s", "^", "D", "v")


def _draw_rates(ax: Axes, rates: Rates, edges: Floats, j: int, n: int, *, probability: bool) -> None:
    """Raw rates with their intervals, beside each other where there are several classes."""
    width = edges[1] - edges[0]
    x = edges[:-1] + width * (0.5 + (0.22 * (j - (n - 1) / 2) if n > 1 else 0.0))
    keep = rates.effort > 0
    low, high = rates.interval()
    values = [rates.rate, low, high]
    middle, low, high = (-np.expm1(-v[keep]) if probability else v[keep] for v in values)
    color = line_styles(j + 1)[-1][0]
    bars = np.stack([np.maximum(middle - low, 0.0), np.maximum(high - middle, 0.0)])
    style: dict[str, Any] = {"color": color, "markeredgecolor": "white", "markeredgewidth": 0.4, "elinewidth": 0.8}
    ax.errorbar(x[keep], middle, bars, fmt=MARKS[j % len(MARKS)], markersize=3.6, zorder=4, **style)


def _finish(ax: Axes, fit: Any, curves: list[Curve], rates: list[Rates], recaptures: list[Floats], unit: float) -> None:
    top = max(float(curve.band[1].max()) for curve in curves)
    highest = [float(np.nanmax(np.where(rate.effort > 0, rate.rate, 0.0), initial=0.0)) for rate in rates]
    top = 1.06 * max([top, *(min(1.1 * h, 1.8 * top) for h in highest)])
    ax.set_xlim(0, curves[0].distance[-1] / unit)
    ax.set_ylim(-(0.065 if len(curves) < 3 else 0.022 * (len(curves) + 1)) * top, top)
    ax.spines["left"].set_bounds(0, top)
    ax.set_yticks([t for t in ax.get_yticks() if 0 <= t <= top])
    for j, lengths in enumerate(recaptures):
        size, y = 4.5 if len(curves) == 1 else 3.0, -0.035 * top if len(curves) == 1 else -0.022 * top * (1 + j)
        ticks = spread_ties(lengths, 0.004 * float(curves[0].distance[-1])) / unit
        color = line_styles(j + 1)[-1][0]
        ax.plot(ticks, np.full(len(lengths), y), "|", color=color, markersize=size, markeredgewidth=0.6)
    per = fit.problem.history.effort_unit
    kind = "probability" if is_probability(fit.problem) else "rate"
    ax.set_xlabel(f"Distance from activity centre ({'km' if unit > 1 else 'm'})")
    ax.set_ylabel(f"Detection {kind} per {plain(per)}")
    _legend(ax, fit, curves)


def spread_ties(values: Floats, step: float) -> Floats:
    """Sort values, and move equal ones apart by steps so small that they stay together, so that each can be seen.

    Examples
    --------
    >>> spread_ties(np.array([5.0, 5.0, 9.0]), 0.1).tolist()
    [4.95, 5.05, 9.0]
    """
    ordered = np.sort(values)
    _, first, count = np.unique(ordered.round(6), return_index=True, return_counts=True)
    rank = np.arange(len(ordered)) - np.repeat(first, count)
    among = np.repeat(count, count)
    return np.asarray(ordered + step * np.minimum(1.0, 8.0 / among) * (rank - (among - 1) / 2))


def _legend(ax: Axes, fit: Any, curves: list[Curve]) -> None:
    handles = []
    for j, curve in enumerate(curves):
        color, dashes = line_styles(j + 1)[-1]
        name = f"{plain(fit.problem.column)} {plain(curve.label)}, " if curve.label else ""
        sigma = interval_of(curve.sigma)
        handles.append(Line2D([], [], color=color, linestyle=dashes, label=f"{name}σ {sigma}"))
    mark: dict[str, Any] = {
        "marker": "o",
        "markersize": 3.6,
        "linewidth": 0.8,
        "color": INK if len(curves) > 1 else PALETTE[0],
    }
    handles.append(Line2D([], [], label="in the data, 95 %", **mark))
    ax.legend(handles=handles, loc="upper right", borderaxespad=0.2)


def interval_of(sigma: Floats) -> str:
    """Median and interval of a length."""
    kilometres = float(np.median(sigma)) >= 1000.0
    low_to_high = estimate(sigma / 1000.0 if kilometres else sigma)
    return low_to_high.replace(" (", " km (" if kilometres else " m (")


# -- words ------------------------------------------------------------------------------------------------------------
def _caption(fit: Any, curves: list[Curve], rates: list[Rates], recaptures: list[Floats], session: str | None) -> str:
    problem, n = fit.problem, sum(len(r) for r in recaptures)
    history = problem.history if session is None else problem.history[session]
    kind = "probability" if is_probability(problem) else "rate"
    unit = history.effort_unit
    band = "Poisson" if not rates[0].binary else "binomial"
    text = f"Detection {kind} per {unit} against the distance from the activity centre: median and 95 % band"
    text += f" by {problem.column}" if len(curves) > 1 else ""
    text += "" if _constant(problem) else f", averaged over the {_places(problem)} by their effort"
    text += f". Points: {counted(history.n_detections, 'detection')} of {labelled(history, history.n_individuals)} "
    effort = [whole(value) for value in np.sum([rate.effort for rate in rates], axis=0)]
    text += f"in bins of distance with {', '.join(effort)} animal × station-{unit}s; each animal's centre is weighted "
    text += f"by its posterior, undetected animals are included ({band} 95 % intervals). "
    text += f"Ticks below: {counted(n, 'spatial recapture')}, as distances between an animal's stations. " if n else ""
    scales = [(f"{c.label} " if c.label else "") + length(median_and_interval(c.sigma)[0]) for c in curves]
    return captioned(history, f"{text}σ: {'; '.join(scales)} (median).")


def _places(problem: Problem) -> str:
    """Over what detection is averaged; animals that have not been captured before stand for all."""
    varies = problem.detection.varies
    naive = " (animals not captured before)" if problem.detection.states.number > 1 else ""
    return f"stations{' and occasions' if varies else ''}{naive}"


def _constant(problem: Problem) -> bool:
    """Whether detection is the same at all stations, for animals of one class."""
    theta = np.linspace(0.1, 0.2, problem.layout.size)
    tables = {name: v for name, v in problem.natural(theta).items() if name != "D"}
    n = len(problem.levels)
    joined = {name: np.concatenate([row.reshape(n, -1) for row in rows], axis=1) for name, rows in tables.items()}
    return all(np.allclose(rows, rows[:, :1]) for rows in joined.values())


def _alt(fit: Any, curves: list[Curve]) -> str:
    zero = "; ".join(f"{c.label + ': ' if c.label else ''}{estimate(c.draws[:, 0])}" for c in curves)
    kind = "probability" if is_probability(fit.problem) else "rate"
    return f"Curve of the detection {kind} falling with distance. At distance zero: {zero}."
