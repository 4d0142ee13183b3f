"""What a survey will find, before it is made: expected animals, recaptures and precision, without simulation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from leopardpop.data.history import CaptureHistory
from leopardpop.data.names import did_you_mean, listed
from leopardpop.design.exposure import Exposure, Numbers, check_naive_design, exposure_of
from leopardpop.design.parameters import check_capture_model, check_levels, parameter_points
from leopardpop.errors import DataError, ModelError
from leopardpop.models.describe import theta_of
from leopardpop.models.problem import Problem
from leopardpop.models.simulation import levels_of
from leopardpop.words import counted, equal_to, estimate, median_and_interval, percent, trimmed, whole_interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from leopardpop.data.mask import Mask
    from leopardpop.design.parameters import Assumed, Point
    from leopardpop.models.likelihood.terms import Floats
    from leopardpop.models.scr import SCR

    type Masks = Mask | Mapping[str, Mask]

__all__ = ["Expected", "check_design", "expected"]

NOTHING = 1e-9
"""Animals or recaptures: what is left of none by rounding."""
NUMBERS = ("E_N", "n", "recaptures", "spatial_recaptures", "esa", "rse")


def expected(
    model: SCR,
    designs: CaptureHistory | Mapping[str, CaptureHistory],
    mask: Masks,
    *,
    parameters: Assumed,
    effort: float | Sequence[float] = 1.0,
    draws: int = 200,
    seed: int | None = 1,
) -> Expected:
    r"""Expected numbers of a survey, for designs, efforts and what is assumed of the population.

    With D(x) the density, a(x) the area of a cell, :math:`p_\cdot(x)` the probability of being detected at all and
    :math:`p_{ko}(x)` that by station k in occasion o,

    .. math::
        E[n] = \sum_x D a\, p_\cdot, \qquad
        E[r] = \sum_x D a \sum_{ko} p_{ko} - E[n], \qquad
        \mathrm{RSE}(\hat D) \approx 1/\sqrt{\min(E[n], E[r])}.

    Parameters
    ----------
    model
        The model; classes and covariates count, behavioural responses have no formula.
    designs
        Stations, effort, occasions and detector of one survey, or of several by name; captures are ignored.
    mask
        One mask, or one a session.
    parameters
        One point, as for :meth:`SCR.simulate`; or a mapping with :class:`Prior` values, a table with a draw a row, or
        the fit of a pilot survey with the same formulas.
    effort
        How many times as many occasions, of the same length: 1, or several such as ``(0.5, 1, 2)``.
    draws
        Points drawn from priors or a posterior.
    seed
        Of draws from priors.

    Returns
    -------
    Expected
        ``table`` (a row a design, effort and draw), ``summary()``, ``pdot()``, ``plot()``.

    Raises
    ------
    DataError
        For a design in which no station is ever on.
    ModelError
        For parameters outside their domain, or a model without such formulas.

    Notes
    -----
    The rule for the RSE is of a survey with one class and constant density, where stations are neither all in one
    cluster nor farther apart than about 3 sigma. It knows nothing of priors, so that a thin survey's posterior may be
    narrower; where the recaptures are in few places (few *spatial* ones) the survey cannot tell sigma, and it will be
    wider. :func:`study` tells by simulation.

    References
    ----------
    Efford MG, Boulanger J (2019) Fast evaluation of study designs for spatially explicit capture-recapture. Methods in
    Ecology and Evolution 10, 1529-1535. doi:10.1111/2041-210X.13239

    Examples
    --------
    >>> import leopardpop as lp, pandas as pd
    >>> stations = pd.DataFrame({"station": range(9), "x": [0, 2000, 4000] * 3, "y": [0] * 3 + [2000] * 3 + [4000] * 3})
    >>> design = lp.CaptureHistory.from_tables(None, stations, occasions=10)
    >>> mask = lp.Mask.around(design, buffer=4_000, spacing=500)
    >>> lp.design.expected(lp.SCR(), design, mask, parameters={"D": 0.2, "lambda0": 0.1, "sigma": 1_000})
    Expected numbers of a survey
      9 stations × 10 occasions     7 animals, 4.1 recaptures (2 spatial): RSE about 50 %
    """
    named = designs if isinstance(designs, Mapping) else {"design": designs}
    check_capture_model(model, "lp.design.site_precision is for models of sites.")
    if not named:
        raise DataError("designs is empty: give a capture history, or a dict from name to capture history.")
    points, times = parameter_points(parameters, draws=draws, seed=seed), check_levels("effort", effort)
    maps: dict[tuple[str, float], list[Floats]] = {}
    rows: list[dict[str, Any]] = []
    for name, history in named.items():
        check_design(history, str(name))
        rows += _rows(model, history, mask, points, times, str(name), maps)
    return Expected(pd.DataFrame(rows), maps, dict(named), mask)


def check_design(history: Any, name: str = "design") -> None:
    """Refuse a design that can find nothing.

    Raises
    ------
    DataError
        If it is no capture history, or no station is on in any occasion.
    """
    if not isinstance(history, CaptureHistory):
        raise DataError(f"{name}: {type(history).__name__} is no capture history. Make one with from_tables(None, …).")
    dead = [s for s in history.sessions if not history.arrays(s).effort.any()]
    if dead:
        where = "" if len(history.sessions) == 1 else f" of session {dead[0]!r}"
        raise DataError(
            f"{name}: no station is on in any occasion{where}, so that nothing can be found. Give effort= above 0.",
            offenders=dead,
        )


def _rows(
    model: SCR,
    history: CaptureHistory,
    mask: Masks,
    points: list[Point],
    times: list[float],
    name: str,
    maps: dict[tuple[str, float], list[Floats]],
) -> list[dict[str, Any]]:
    """A row a draw and effort; the maps of pdot are averaged over draws on the way."""
    problem = Problem(model, history, mask, levels=levels_of(model, points[0], history), ordered=False)
    check_naive_design(problem)
    rows = []
    for draw, point in enumerate(points):
        theta = theta_of(problem, point)
        exposures = [_of_session(problem, theta, s) for s in range(len(problem.data))]
        for f in times:
            pdot = [sum(share * e.pdot(f) for share, e in each) for each in exposures]
            before = maps.setdefault((name, f), [np.zeros_like(p) for p in pdot])
            for into, p in zip(before, pdot, strict=True):
                into += p / len(points)
            rows.append({"design": name, "effort": f, "draw": draw, **_told(_numbers(problem, theta, exposures, f))})
    return rows


type ByClass = list[tuple[float, Exposure]]


def _of_session(problem: Problem, theta: Floats, s: int) -> ByClass:
    """Share and exposure of each class."""
    shares = problem.layout.shares
    share = np.exp(shares.log_shares(theta)) if shares is not None else np.ones(1)
    return [(float(share[c]), exposure_of(problem, theta, s, c)) for c in range(len(share))]


def _numbers(problem: Problem, theta: Floats, exposures: list[ByClass], times: float) -> Numbers:
    """Expected numbers of all sessions together."""
    total = np.zeros(len(Numbers._fields))
    for s, (density, classes) in enumerate(zip(problem.density(theta), exposures, strict=True)):
        area = problem.masks[problem.data[s].session].area
        animals = density * area
        total[0] += animals.sum()
        for share, e in classes:
            pdot = e.pdot(times)
            total[1:] += share * np.array(
                [animals @ pdot, times * (animals @ e.detections), animals @ e.visited(times), area @ pdot]
            )
    return Numbers(*map(float, total))


def _told(numbers: Numbers) -> dict[str, float]:
    recaptures = max(numbers.detections - numbers.n, 0.0)
    least = min(numbers.n, recaptures)
    return {
        "E_N": numbers.E_N,
        "n": numbers.n,
        "recaptures": recaptures,
        "spatial_recaptures": max(numbers.stations - numbers.n, 0.0),
        "esa": numbers.esa,
        "rse": float(1 / np.sqrt(least)) if least > NOTHING else float("inf"),
    }


@dataclass(frozen=True, eq=False)
class Expected:
    """Expected numbers of designs; made by :func:`expected`."""

    table: pd.DataFrame
    """design, effort, draw, E_N, n, recaptures, spatial_recaptures, esa [km², summed over sessions], rse."""
    maps: Mapping[tuple[str, float], list[Floats]]
    """Probability of being detected, averaged over draws and classes, (J,) by session, of each design and effort."""
    designs: Mapping[str, CaptureHistory]
    """The designs by name."""
    mask: Masks

    @cached_property
    def n_draws(self) -> int:
        """Number of points that were assumed."""
        return int(self.table["draw"].max()) + 1

    def summary(self) -> pd.DataFrame:
        """Median and 95 % interval over the draws of what was assumed.

        Returns
        -------
        pandas.DataFrame
            A row a design and effort; columns ``n``, ``n_lower``, ``n_upper``, and so on for every number.
        """
        rows = []
        for (name, f), part in self.groups():
            row: dict[str, Any] = {"design": name, "effort": f}
            for number in NUMBERS:
                row[number], row[f"{number}_lower"], row[f"{number}_upper"] = median_and_interval(part[number])
            rows.append(row)
        return pd.DataFrame(rows)

    def probability(self, rse: float) -> pd.Series:
        """Share of the draws with which the relative standard error is at most so much.

        Parameters
        ----------
        rse
            A share: 0.2 is 20 %.

        Returns
        -------
        pandas.Series
            By design and effort. With a single point it is 0 or 1.
        """
        (limit,) = check_levels("rse", rse)
        return (self.table["rse"] <= limit).groupby([self.table["design"], self.table["effort"]], sort=False).mean()

    def pdot(self, design: str | None = None, *, effort: float | None = None) -> pd.DataFrame:
        """Map of the probability that an animal centred in a cell is detected at all.

        Parameters
        ----------
        design, effort
            One of those that were asked; not needed if there is one.

        Returns
        -------
        pandas.DataFrame
            session, x, y [m], area [km²], pdot: the sum of area × pdot is the effective sampling area.
        """
        name, f = self.chosen(design, effort)
        sessions = self.designs[name].sessions
        parts = []
        for session, values in zip(sessions, self.maps[name, f], strict=True):
            mask = self.mask[session] if isinstance(self.mask, Mapping) else self.mask
            cells = {"x": mask.x, "y": mask.y, "area": mask.area, "pdot": values}
            parts.append(pd.DataFrame({"session": session, **cells}))
        return pd.concat(parts, ignore_index=True)

    def chosen(self, design: str | None, effort: float | None) -> tuple[str, float]:
        """The design and effort that are meant.

        Raises
        ------
        ModelError
            If there is none such, or several and none was named.
        """
        names, times = list(self.designs), sorted({f for _, f in self.maps})
        if (design is None and len(names) > 1) or (design is not None and design not in names):
            hint = did_you_mean(str(design), names) if design is not None else ""
            raise ModelError(f"design={design!r}: it is one of {listed(names)}.{hint}", offenders=[design])
        if (effort is None and len(times) > 1) or (effort is not None and effort not in times):
            raise ModelError(f"effort={effort!r}: it is one of {', '.join(map(trimmed, times))}.", offenders=[effort])
        return design if design is not None else names[0], effort if effort is not None else times[0]

    def plot(self, design: str | None = None, *, effort: float | None = None, ax: Any = None) -> Axes:
        """Map where the design would see animals: the probability of being detected, with the stations.

        Parameters
        ----------
        design, effort
            As for :meth:`pdot`.
        ax
            Axes to draw on; None: a new figure.

        Returns
        -------
        matplotlib Axes
            With ``caption`` and ``alt_text``. Of several sessions the first is drawn.
        """
        from leopardpop.plots.design_plots import pdot_map

        return pdot_map(self, *self.chosen(design, effort), ax=ax)

    def __repr__(self) -> str:
        """Say what each design buys."""
        several = f", {counted(self.n_draws, 'draw')} of what is assumed" if self.n_draws > 1 else ""
        titles = [self._title(name, times) for (name, times), _ in self.groups()]
        width = max(30, *(len(title) + 2 for title in titles))
        lines = [f"{t:<{width}}{self._words(part)}" for t, (_, part) in zip(titles, self.groups(), strict=True)]
        return "\n  ".join([f"Expected numbers of a survey{several}", *lines])

    def groups(self) -> Any:
        """Rows of the table by design and effort."""
        return self.table.groupby(["design", "effort"], sort=False)

    def _title(self, name: str, times: float) -> str:
        history = self.designs[name]
        occasions = times * float(np.mean(list(history.n_occasions.values())))
        title = f"{counted(history.n_stations, 'station')} × {counted(occasions, 'occasion')}"
        return title if len(self.designs) == 1 else f"{name}: {title}"

    def _words(self, part: pd.DataFrame) -> str:
        return _words_of_point(part.iloc[0]) if self.n_draws == 1 else _words_of_draws(part)


def _words_of_point(row: pd.Series) -> str:
    n, r, spatial = (trimmed(row[number], 2) for number in ("n", "recaptures", "spatial_recaptures"))
    precision = about_rse(row["rse"]) if np.isfinite(row["rse"]) else "no estimate"
    return f"{n} {'animal' if n == '1' else 'animals'}, {r} recaptures ({spatial} spatial): {precision}"


def _words_of_draws(part: pd.DataFrame) -> str:
    n, r = (whole_interval(*median_and_interval(part[number])) for number in ("n", "recaptures"))
    finite = 100 * part["rse"].to_numpy()[np.isfinite(part["rse"])]
    precision = f"RSE about {estimate(finite)} %" if len(finite) else "no estimate"
    return f"{n} animals, {r} recaptures: {precision}, P(RSE ≤ 20 %) {equal_to((part['rse'] <= 0.2).mean())}"


def about_rse(rse: float) -> str:
    """Say how large a relative standard error is.

    Examples
    --------
    >>> about_rse(0.314), about_rse(0.004)
    ('RSE about 31 %', 'RSE below 1 %')
    """
    return f"RSE about {percent(rse)}" if rse >= 0.01 else "RSE below 1 %"
