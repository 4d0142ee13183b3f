"""How many more nights? What a running survey would know after going on, from its posterior so far."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from leopardpop.design.exposure import check_naive_design, exposure_of
from leopardpop.design.parameters import check_levels, check_whole
from leopardpop.errors import ModelError
from leopardpop.results.fit import Fit
from leopardpop.words import counted, equal_to, estimate, median_and_interval, percent, trimmed, whole, whole_interval

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from leopardpop.models.problem import Problem

    type Floats = NDArray[np.float64]

__all__ = ["More", "more_occasions"]


def more_occasions(
    fit: Fit,
    occasions: float | Sequence[float] = (5, 10, 20, 40),
    *,
    rse: float = 0.2,
    assurance: float = 0.8,
    draws: int = 200,
) -> More:
    r"""What a running survey would know after so many more occasions, and how many it needs.

    For every draw from the posterior so far, with :math:`U(x)` the animals not yet detected, and animal i of the n
    detected centred at x with probability :math:`\pi_i(x)`: f times as many occasions as there were will detect
    :math:`\sum_x U(x) \{1 - e^{-f H(x)}\}` new animals, and all animals
    :math:`f \sum_x \{U(x) + \sum_i \pi_i(x)\} d(x)` times, H and d being minus the log probability of being missed and
    the expected detections in the occasions so far. The relative standard error is then about
    :math:`1/\sqrt{\min(n, r)}` (:func:`expected` has its limits), and the *assurance* the share of draws in which it
    is small enough.

    Parameters
    ----------
    fit
        Fit of the survey so far, of one session or several.
    occasions
        Further occasions, of the kind there were; a number or several, 0 or more.
    rse
        Relative standard error that is good enough: 0.2 is 20 %.
    assurance
        Probability of getting there that is good enough.
    draws
        Draws from the posterior.

    Returns
    -------
    More
        ``table``, ``summary()``, ``needed``.

    Raises
    ------
    ModelError
        If it is no fit of capture-recapture, for behavioural responses, or numbers outside their domain.

    Notes
    -----
    Where there are classes, an animal's class and centre are taken for independent given its captures.

    Examples
    --------
    >>> import leopardpop as lp, pandas as pd
    >>> stations = pd.DataFrame({"station": range(9), "x": [0, 1500, 3000] * 3, "y": [0] * 3 + [1500] * 3 + [3000] * 3})
    >>> design = lp.CaptureHistory.from_tables(None, stations, occasions=5)
    >>> mask = lp.Mask.around(design, buffer=4_000, spacing=500)
    >>> sim = lp.SCR().simulate(design, mask, parameters={"D": 1.5, "lambda0": 0.3, "sigma": 1_000}, seed=2)
    >>> fit = lp.SCR().fit(sim.history, mask, engine="laplace", seed=1)
    >>> more_occasions(fit, (5, 20), rse=0.3).table.columns.tolist()
    ['occasions', 'draw', 'n', 'recaptures', 'rse']
    """
    if not isinstance(fit, Fit):
        raise ModelError(f"fit={type(fit).__name__}: give the fit of a capture-recapture model.", offenders=["fit"])
    further = check_levels("occasions", occasions, least=0.0)
    (limit,), (sure,) = check_levels("rse", rse), check_levels("assurance", assurance)
    if sure >= 1:
        raise ModelError(f"assurance={assurance!r} must be below 1: nothing is certain.", offenders=["assurance"])
    check_whole("draws", draws)
    problem = fit.problem
    check_naive_design(problem)
    thetas = fit.theta.reshape(-1, fit.theta.shape[-1])
    chosen = np.linspace(0, len(thetas) - 1, min(draws, len(thetas))).round().astype(np.intp)
    so_far = float(np.mean([data.effort.shape[1] for data in problem.data]))
    rows = []
    for draw, theta in enumerate(thetas[chosen]):
        numbers = _after(problem, theta, np.array(further) / so_far)
        rows += [(m, draw, *each) for m, each in zip(further, numbers, strict=True)]
    table = pd.DataFrame(rows, columns=["occasions", "draw", "n", "recaptures"])
    least = table[["n", "recaptures"]].min(axis=1)
    table["rse"] = np.where(least > 0, 1 / np.sqrt(least.where(least > 0, 1.0)), np.inf)
    return More(table, limit, sure, fit.history.n_individuals, fit.history.n_recaptures)


def _after(problem: Problem, theta: Floats, times: Floats) -> Floats:
    """Animals and recaptures after each of some times as many occasions more, (F, 2)."""
    n, detections = np.zeros(len(times)), np.zeros(len(times))
    places, classes, missed = problem.centres(theta), problem.classes(theta), problem.undetected(theta)
    for s, data in enumerate(problem.data):
        n += len(data.individuals)
        detections += data.count.sum()
        for c in range(missed[s].shape[0]):
            exposure = exposure_of(problem, theta, s, c)
            n += [missed[s][c] @ exposure.pdot(f) for f in times]
            known = classes[s][:, c] @ places[s] if len(data.individuals) else 0.0
            detections += times * float((missed[s][c] + known) @ exposure.detections)
    return np.column_stack([n, np.maximum(detections - n, 0.0)])


@dataclass(frozen=True, eq=False)
class More:
    """What more occasions would bring; made by :func:`more_occasions`."""

    table: pd.DataFrame
    """occasions, draw, n, recaptures, rse: expected after them."""
    rse: float
    """What is good enough."""
    assurance: float
    """Probability of getting there that is good enough."""
    n_now: int
    """Animals so far."""
    recaptures_now: int
    """Recaptures so far."""

    def summary(self) -> pd.DataFrame:
        """Median and 95 % interval over the draws, and the assurance.

        Returns
        -------
        pandas.DataFrame
            A row a number of occasions: ``n``, ``n_lower``, ``n_upper``, the same of recaptures and rse, assurance.
        """
        rows = []
        for occasions, part in self.table.groupby("occasions"):
            row: dict[str, Any] = {"occasions": occasions}
            for name in ("n", "recaptures", "rse"):
                row[name], row[f"{name}_lower"], row[f"{name}_upper"] = median_and_interval(part[name])
            rows.append(row | {"assurance": float((part["rse"] <= self.rse).mean())})
        return pd.DataFrame(rows)

    @property
    def needed(self) -> float | None:
        """Fewest of the occasions asked with the wanted assurance; None if none has it."""
        enough = self.summary().query("assurance >= @self.assurance")
        return float(enough["occasions"].min()) if len(enough) else None

    def __repr__(self) -> str:
        """Say what each number of occasions buys."""
        now = f"{counted(self.n_now, 'animal')} and {counted(self.recaptures_now, 'recapture')} so far"
        lines = [f"More occasions: {now}"]
        for occasions in sorted(self.table["occasions"].unique().tolist()):
            part = self.table[self.table["occasions"] == occasions]
            sure = equal_to(float((part["rse"] <= self.rse).mean()))
            lines.append(f"{trimmed(occasions):>6} more: {_about(part)}, P(RSE ≤ {percent(self.rse)}) {sure}")
        return "\n".join([*lines, f"  {self._advice()}"])

    def _advice(self) -> str:
        wanted = f"an RSE of {percent(self.rse)} with probability {self.assurance:g}"
        if self.needed is None:
            most = trimmed(float(self.table["occasions"].max()))
            return f"Not even {most} more are enough for {wanted}."
        return (
            f"{whole(self.needed)} more are enough for {wanted}." if self.needed else f"It is enough now for {wanted}."
        )


def _about(part: pd.DataFrame) -> str:
    n, r = (whole_interval(*median_and_interval(part[name])) for name in ("n", "recaptures"))
    return f"{n} animals, {r} recaptures, RSE about {estimate(100 * part['rse'].to_numpy())} %"
