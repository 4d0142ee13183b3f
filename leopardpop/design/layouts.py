"""Where the stations should be: greedy start, then exchanges until none helps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from leopardpop.data.history import CaptureHistory, history_from_parts
from leopardpop.data.notices import notice
from leopardpop.design.expectation import about_rse, check_design
from leopardpop.design.exposure import check_naive_design, exposure_of
from leopardpop.design.layout_choice import Choice, Limits, choice_of
from leopardpop.design.parameters import check_capture_model, check_whole, parameter_points
from leopardpop.design.rebuilding import empty_part
from leopardpop.errors import DataError, DataWarning, ModelError
from leopardpop.models.describe import theta_of
from leopardpop.models.problem import Problem
from leopardpop.models.simulation import levels_of
from leopardpop.words import counted, joined, trimmed

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from leopardpop.data.mask import Mask
    from leopardpop.design.parameters import Assumed
    from leopardpop.models.scr import SCR

    type Floats = NDArray[np.float64]

__all__ = ["Layout", "layout"]

BETTER = 1e-9
"""Relative gain below which an exchange is no improvement."""


def layout(
    model: SCR,
    places: CaptureHistory,
    mask: Mask,
    *,
    parameters: Assumed,
    limits: Limits | int,
    draws: int = 10,
    starts: int = 3,
    seed: int = 1,
) -> Layout:
    r"""Choose stations among feasible places, so that density is told as well as can be.

    The first start adds the best place, one after the other; the others are random. Then each station is exchanged for
    the place that gains most, until no exchange gains anything. The measure is the mean of
    :math:`1/\sqrt{\min(E[n], E[r])}` over what is assumed (see :func:`expected`): few stations far apart see many
    animals once, many in one place see few animals often, and the smaller of the two counts.

    Parameters
    ----------
    model
        The model; classes and covariates count.
    places
        All feasible places as one design, with the effort that a station there would have; one session.
    mask
        The mask.
    parameters
        As for :func:`expected`.
    limits
        Number of stations, or :class:`Limits` with budget, costs, pairs of cameras, clusters, distances.
    draws
        Points drawn from priors or a posterior.
    starts
        Searches; the best is returned.
    seed
        Of draws and starts.

    Returns
    -------
    Layout
        ``stations``, ``design`` (a history without captures), ``numbers``, ``plot()``.

    Raises
    ------
    DataError
        If there are fewer places than stations, or nothing can be afforded.
    ModelError
        For the detector "multi" (animals held by one station cannot be added up), behavioural responses, or parameters
        outside their domain.

    Warns
    -----
    DataWarning
        If distances, clusters or the budget leave room for fewer stations than were asked for.

    References
    ----------
    Dupont G, Royle JA, Nawaz MA, Sutherland C (2021) Optimal sampling design for spatial capture-recapture. Ecology
    102, e03262. doi:10.1002/ecy.3262

    Examples
    --------
    >>> import leopardpop as lp, numpy as np, pandas as pd
    >>> x, y = (a.ravel() for a in np.meshgrid(np.arange(8) * 1_000, np.arange(8) * 1_000))
    >>> places = lp.CaptureHistory.from_tables(None, pd.DataFrame({"station": range(64), "x": x, "y": y}), occasions=10)
    >>> mask = lp.Mask.around(places, buffer=4_000, spacing=1_000)
    >>> assumed = {"D": 0.5, "lambda0": 0.1, "sigma": 1_000}
    >>> found = lp.design.layout(lp.SCR(), places, mask, parameters=assumed, limits=12)
    >>> len(found.stations), found.numbers["rse"] < 0.4
    (12, True)
    """
    chosen_limits = Limits(stations=limits) if isinstance(limits, int | np.integer) else limits
    if not isinstance(chosen_limits, Limits):
        raise ModelError(f"limits={limits!r}: give a number of stations, or lp.design.Limits(...).")
    check_whole("starts", starts)
    check_capture_model(model)
    _check_places(places)
    choice = choice_of(places.stations, chosen_limits)
    goal = _goal(model, places, mask, parameter_points(parameters, draws=draws, seed=seed), choice, chosen_limits)
    rng = np.random.default_rng(seed)
    found = [_search(goal, choice, None if i == 0 else rng) for i in range(starts)]
    best = min(found, key=goal.value)
    _tell_fewer(chosen_limits, int(choice.size[best].sum()))
    return _packed(places, mask, choice, goal, best, chosen_limits.paired)


def _tell_fewer(limits: Limits, n: int) -> None:
    """Warn where not all of the stations that were asked for have a place."""
    if limits.stations is None or n >= limits.stations:
        return
    guilty = [
        f"{name}={value:g}" if isinstance(value, float) else f"{name}={value!r}"
        for name, value, none in (
            ("apart", limits.apart, 0.0),
            ("cluster", limits.cluster, None),
            ("budget", limits.budget, None),
        )
        if value != none
    ]
    notice(
        f"{counted(n, 'station')} of the {limits.stations} that were asked for: {joined(guilty)} "
        f"{'leaves' if len(guilty) == 1 else 'leave'} no room for more.",
        DataWarning,
    )


def _check_places(places: Any) -> None:
    check_design(places, "places")
    if len(places.sessions) > 1:
        raise DataError("places: a layout is of one session, and these have several. Give places[session].")
    if places.detector == "multi":
        raise ModelError(
            'detector="multi": an animal held at one station cannot be at another, so that stations cannot be added '
            'up. Search with detector="proximity".'
        )


def _check_constant(problem: Problem) -> None:
    check_naive_design(problem)
    if problem.detection.varies or problem.model.counts == "negbin":
        found = "differs from one occasion to the next" if problem.detection.varies else "comes in bursts"
        raise ModelError(
            f"detection {found}: the search adds up constant rates. Leave that out of the model for the search, and "
            "judge the layout that it finds with lp.design.expected."
        )


# -- the measure ------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, eq=False)
class Goal:
    """Mean relative standard error of a set of units, and that of all sets one unit larger."""

    weights: Floats
    """Expected animals in the cells of each point and class, (G, J)."""
    missed: Floats
    """exp(−H) of each unit, (G, J, U)."""
    exposure: Floats
    """H of each unit, (G, J, U)."""
    detections: Floats
    """Expected detections at each unit, (G, U)."""
    point: NDArray[np.intp]
    """Point that each row G belongs to."""

    def numbers(self, chosen: NDArray[np.bool_]) -> tuple[Floats, Floats]:
        """E[n] and E[r] of each point."""
        seen = -np.expm1(-self.exposure[:, :, chosen].sum(2))
        return self._by_point((self.weights * seen).sum(1), self.detections[:, chosen].sum(1))

    def value(self, chosen: NDArray[np.bool_]) -> float:
        """Mean relative standard error of a set of units, (U,) bool."""
        return float(_errors(*self.numbers(chosen)).mean())

    def with_each(self, chosen: NDArray[np.bool_]) -> Floats:
        """Mean relative standard error with each unit added to those chosen, (U,)."""
        left = self.weights * np.exp(-self.exposure[:, :, chosen].sum(2))
        total = self.weights.sum(1)[:, None]
        seen = total - np.einsum("gj,gju->gu", left, self.missed)
        n, r = self._by_point(seen, self.detections[:, chosen].sum(1)[:, None] + self.detections)
        return np.asarray(_errors(n, r).mean(0))

    def _by_point(self, seen: Floats, detections: Floats) -> tuple[Floats, Floats]:
        """Sums over the classes of each point."""
        n, d = (np.zeros((self.point.max() + 1, *values.shape[1:])) for values in (seen, detections))
        np.add.at(n, self.point, seen)
        np.add.at(d, self.point, detections)
        return n, d - n


def _errors(n: Floats, r: Floats) -> Floats:
    least = np.maximum(np.minimum(n, r), 1e-12)
    return np.asarray(1 / np.sqrt(least))


def _goal(model: SCR, places: CaptureHistory, mask: Mask, points: list[Any], choice: Choice, limits: Limits) -> Goal:
    problem = Problem(model, places, mask, levels=levels_of(model, points[0], places), ordered=False)
    _check_constant(problem)
    weights, exposure, detections, point = [], [], [], []
    times = np.where(choice.cameras == 2, limits.paired or 1.0, 1.0)
    for i, each in enumerate(points):
        theta = theta_of(problem, each)
        shares = problem.layout.shares
        share = np.exp(shares.log_shares(theta)) if shares is not None else np.ones(1)
        animals = problem.density(theta)[0] * problem.masks[problem.data[0].session].area
        for c, part in enumerate(share):
            at = exposure_of(problem, theta, 0, c).stations
            unit = np.column_stack([at[:, m].sum(1) for m in choice.members]) * times
            weights.append(part * animals)
            exposure.append(unit)
            detections.append(weights[-1] @ _found(problem, at, choice, times))
            point.append(i)
    together = np.stack(exposure)
    return Goal(np.stack(weights), np.exp(-together), together, np.stack(detections), np.array(point))


def _found(problem: Problem, stations: Floats, choice: Choice, times: Floats) -> Floats:
    """Expected detections of an animal at each unit, (J, U); ``stations`` is its exposure to each place."""
    effort = problem.data[0].effort
    share = effort / np.maximum(effort.sum(1), 1e-300)[:, None]
    found = np.zeros((len(stations), choice.n))
    for u, (members, f) in enumerate(zip(choice.members, times, strict=True)):
        mean = f * stations[:, members, None] * share[members]
        found[:, u] = (mean if problem.history.detector == "count" else -np.expm1(-mean)).sum((1, 2))
    return found


# -- the search -------------------------------------------------------------------------------------------------------
def _search(goal: Goal, choice: Choice, rng: np.random.Generator | None) -> NDArray[np.bool_]:
    """Fill, then exchange, until neither gains anything."""
    chosen = np.zeros(choice.n, bool)
    if rng is not None:
        _fill_at_random(choice, chosen, rng)
    while True:
        before = goal.value(chosen) if chosen.any() else np.inf
        _fill(goal, choice, chosen)
        _exchange(goal, choice, chosen)
        if not goal.value(chosen) < before * (1 - BETTER):
            return chosen


def _fill_at_random(choice: Choice, chosen: NDArray[np.bool_], rng: np.random.Generator) -> None:
    for u in rng.permutation(choice.n):
        if choice.open(chosen)[u]:
            chosen[u] = True


def _fill(goal: Goal, choice: Choice, chosen: NDArray[np.bool_]) -> None:
    """Add what gains most, by its cost where there is a budget, as long as there is room."""
    while (room := choice.open(chosen)).any():
        values = goal.with_each(chosen)
        gain = -np.log(values) if not np.isfinite(choice.budget) else _by_cost(goal, chosen, values, choice.cost)
        chosen[int(np.argmax(np.where(room, gain, -np.inf)))] = True


def _by_cost(goal: Goal, chosen: NDArray[np.bool_], values: Floats, cost: Floats) -> Floats:
    before = goal.value(chosen) if chosen.any() else 1e6
    return np.asarray((before - values) / np.maximum(cost, 1e-9 * cost.max(initial=1.0)))


def _exchange(goal: Goal, choice: Choice, chosen: NDArray[np.bool_]) -> None:
    """Move each unit to where it gains most, again and again until none moves."""
    best, moved = goal.value(chosen), True
    while moved:
        moved = False
        for u in np.flatnonzero(chosen):
            chosen[u] = False
            values = np.where(choice.open(chosen), goal.with_each(chosen), np.inf)
            values[u] = best  # staying where it is
            to = int(np.argmin(values))
            if not values[to] < best * (1 - BETTER):
                to = int(u)
            chosen[to] = True
            if to != u:
                best, moved = float(values[to]), True


# -- the answer -------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, eq=False)
class Layout:
    """Stations chosen among feasible places; made by :func:`layout`."""

    stations: pd.DataFrame
    """The chosen places: station, x, y [m], their columns, and cameras (1 or 2)."""
    design: CaptureHistory
    """The chosen places with their effort, that of two cameras as ``Limits.paired`` has it; without captures."""
    numbers: Mapping[str, float]
    """n, recaptures, rse (means over what is assumed), cost."""
    places: pd.DataFrame
    """All feasible places."""
    mask: Mask

    def plot(self, *, coordinates: Literal["hidden", "exact"] = "hidden", ax: Any = None) -> Axes:
        """Map the chosen stations among all feasible places.

        Parameters
        ----------
        coordinates
            "hidden": a scale bar and no coordinates on the axes; "exact".
        ax
            Axes to draw on; None: a new figure.

        Returns
        -------
        matplotlib Axes
            With ``caption`` and ``alt_text``.
        """
        from leopardpop.plots.design_plots import layout_map

        return layout_map(self, coordinates=coordinates, ax=ax)

    def __repr__(self) -> str:
        """Say what it buys."""
        n, r, rse = (self.numbers[name] for name in ("n", "recaptures", "rse"))
        pairs = int((self.stations["cameras"] == 2).sum())
        two = f", {pairs} of them with two cameras" if pairs else ""
        spent = f"; cost {trimmed(self.numbers['cost'], 4)}" if self.numbers["cost"] > 0 else ""
        words = f"{trimmed(n, 2)} animals, {trimmed(r, 2)} recaptures, {about_rse(rse)}"
        of = f"{counted(len(self.stations), 'station')} of {counted(len(self.places), 'place')}"
        return f"Layout: {of}{two}: {words}{spent}"


def _packed(
    places: CaptureHistory, mask: Mask, choice: Choice, goal: Goal, chosen: NDArray[np.bool_], paired: float | None
) -> Layout:
    units = np.flatnonzero(chosen)
    rows = np.concatenate([choice.members[u] for u in units])
    cameras = np.concatenate([np.full(len(choice.members[u]), choice.cameras[u]) for u in units])
    order = np.argsort(rows)
    rows, cameras = rows[order], cameras[order]
    table = places.stations
    stations = table.iloc[rows].drop(columns="session").assign(cameras=cameras).reset_index(drop=True)
    n, r = goal.numbers(chosen)
    numbers = {
        "n": float(n.mean()),
        "recaptures": float(r.mean()),
        "rse": goal.value(chosen),
        "cost": float(choice.cost[chosen].sum()),
    }
    times = np.where(cameras == 2, paired or 1.0, 1.0)
    return Layout(stations, _design(places, rows, times), numbers, table, mask)


def _design(places: CaptureHistory, rows: NDArray[np.intp], times: Floats) -> CaptureHistory:
    """Some of the places of a design, with their covariates and so many times their effort."""
    effort = places.arrays(places.sessions[0]).effort.copy()
    effort[rows] *= times[:, None]
    part = empty_part(places, places.sessions[0], rows=rows, effort=effort)
    return history_from_parts([part], detector=places.detector, effort_unit=places.effort_unit, crs=places.crs)
