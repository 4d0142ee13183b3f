"""Power to see a decline: what repeated surveys can tell apart from no change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from leopardpop.design.expectation import expected
from leopardpop.design.parameters import check_levels, check_whole
from leopardpop.errors import ModelError
from leopardpop.words import counted, equal_to, percent, trimmed

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from leopardpop.data.history import CaptureHistory
    from leopardpop.data.mask import Mask
    from leopardpop.design.parameters import Assumed
    from leopardpop.models.scr import SCR

    type Floats = NDArray[np.float64]

__all__ = ["Power", "Trend", "power"]


@dataclass(frozen=True, kw_only=True)
class Trend:
    """A decline, and the surveys that should see it.

    Parameters
    ----------
    decline
        Shares that are lost by the end; one or several: 0.3 is 30 % fewer animals.
    years
        Years over which they are lost, at a constant rate.
    every
        Years between two surveys; the first is at the beginning.
    process_sd
        Standard deviation of log N between years about the trend: what the animals do, not the survey.
    level
        Probability that must be left to no decline: a decline counts as seen if P(decline | data) > 1 − level.

    Raises
    ------
    ModelError
        For numbers outside their domain, or fewer than two surveys.

    Examples
    --------
    >>> Trend(decline=0.3, years=6, every=2).times.tolist()
    [0.0, 2.0, 4.0, 6.0]
    """

    decline: float | Sequence[float]
    years: float
    every: float = 1.0
    process_sd: float = 0.0
    level: float = 0.05

    def __post_init__(self) -> None:
        """Check the numbers."""
        for name in ("years", "every"):
            check_levels(name, getattr(self, name))
        check_levels("process_sd", self.process_sd, least=0.0)
        if any(share >= 1 for share in check_levels("decline", self.decline)):
            raise ModelError(f"decline={self.decline!r}: a share below 1, such as 0.3 for 30 %.", offenders=["decline"])
        if not 0 < self.level < 0.5:
            raise ModelError(f"level={self.level!r} must be between 0 and 0.5.", offenders=["level"])
        if len(self.times) < 2:
            raise ModelError(
                f"years={self.years:g} with a survey every {self.every:g} years is one survey: a decline needs two.",
                offenders=["every"],
            )

    @property
    def times(self) -> Floats:
        """Years of the surveys, from 0."""
        return np.arange(0.0, self.years + 1e-9, self.every)

    def power(self, rse: Floats, share: float) -> Floats:
        """Probability that a decline by a share is seen, given the first survey's relative standard error (S,)."""
        from scipy.stats import norm

        slope = np.log1p(-share) / self.years
        left = np.exp(slope * self.times)
        variance = np.asarray(rse, float)[:, None] ** 2 / left + self.process_sd**2
        weight = 1 / variance
        middle = (weight * self.times).sum(1) / weight.sum(1)
        information = (weight * (self.times - middle[:, None]) ** 2).sum(1)
        return np.asarray(norm.cdf(-slope * np.sqrt(information) - norm.ppf(1 - self.level)))


def power(
    model: SCR,
    designs: CaptureHistory | Mapping[str, CaptureHistory],
    mask: Mask | Mapping[str, Mask],
    *,
    parameters: Assumed,
    trend: Trend,
    effort: float | Sequence[float] = 1.0,
    draws: int = 200,
    seed: int | None = 1,
) -> Power:
    r"""Probability that a decline is seen by surveys of one design, repeated.

    The estimates of log N, with variance :math:`\mathrm{RSE}_t^2 + \tau^2` where the RSE grows as animals get fewer
    (:math:`\mathrm{RSE}_t^2 = \mathrm{RSE}_0^2 / (1 - x)^{t/k}`, :func:`expected`), are fitted by a line. With I the
    information on its slope β the power is :math:`\Phi(|\beta| \sqrt{I} - z_{1-\alpha})`.

    Parameters
    ----------
    model, designs, mask, parameters, effort, draws, seed
        As for :func:`expected`, of the first survey.
    trend
        The decline and the years of the surveys.

    Returns
    -------
    Power
        ``table``, ``summary()``.

    Raises
    ------
    DataError, ModelError
        As :func:`expected`.

    Notes
    -----
    Each survey is analysed by itself. One model for all years in which detection is the same says more: errors of λ0
    and σ that all years share do not look like a trend. Surveys so thin that the rule for the RSE breaks (fewer than
    about ten animals or recaptures at the end) are told with too much power: see ``least``.

    References
    ----------
    Gerrodette T (1987) A power analysis for detecting trends. Ecology 68, 1364-1372. doi:10.2307/1939220

    Examples
    --------
    >>> import leopardpop as lp, pandas as pd
    >>> stations = pd.DataFrame({"station": range(9), "x": [0, 2000, 4000] * 3, "y": [0] * 3 + [2000] * 3 + [4000] * 3})
    >>> design = lp.CaptureHistory.from_tables(None, stations, occasions=30)
    >>> mask = lp.Mask.around(design, buffer=4_000, spacing=500)
    >>> trend = lp.design.Trend(decline=(0.3, 0.6), years=5)
    >>> lp.design.power(lp.SCR(), design, mask, parameters={"D": 1.0, "lambda0": 0.1, "sigma": 1_000}, trend=trend)
    Power to see a decline over 5 years by 6 surveys (P(decline | data) > 0.95)
      design                  by 30 %: 0.65   by 60 %: > 0.99
    """
    if not isinstance(trend, Trend):
        raise ModelError(f"trend={trend!r}: give lp.design.Trend(decline=, years=).", offenders=["trend"])
    check_whole("draws", draws)
    first = expected(model, designs, mask, parameters=parameters, effort=effort, draws=draws, seed=seed).table
    parts = []
    for share in check_levels("decline", trend.decline):
        least = first[["n", "recaptures"]].min(axis=1) * (1 - share)
        found = trend.power(first["rse"].to_numpy(), share)
        parts.append(first[["design", "effort", "draw", "rse"]].assign(decline=share, least=least, power=found))
    return Power(pd.concat(parts, ignore_index=True), trend)


@dataclass(frozen=True, eq=False)
class Power:
    """Power of repeated surveys; made by :func:`power`."""

    table: pd.DataFrame
    """design, effort, draw, rse (of the first survey), decline, least (animals or recaptures, the fewer, expected in
    the last survey), power."""
    trend: Trend
    """What was asked."""

    def summary(self) -> pd.DataFrame:
        """Power averaged over what is assumed (the assurance), with the 95 % range over draws.

        Returns
        -------
        pandas.DataFrame
            design, effort, decline, power, power_lower, power_upper, least (median).
        """
        rows = []
        for (name, effort, share), part in self.table.groupby(["design", "effort", "decline"], sort=False):
            low, high = np.quantile(part["power"], [0.025, 0.975])
            row = {"design": name, "effort": effort, "decline": share, "power": float(part["power"].mean())}
            ends = {"power_lower": float(low), "power_upper": float(high), "least": float(part["least"].median())}
            rows.append(row | ends)
        return pd.DataFrame(rows)

    def __repr__(self) -> str:
        """Say what is seen."""
        years, surveys = counted(self.trend.years, "year"), counted(len(self.trend.times), "survey")
        sure = f"P(decline | data) > {1 - self.trend.level:g}"
        lines = [f"Power to see a decline over {years} by {surveys} ({sure})"]
        several = self.table["effort"].nunique() > 1
        told: dict[str, list[str]] = {}
        for row in self.summary().to_dict("records"):
            title = f"{row['design']}, effort × {trimmed(row['effort'])}" if several else str(row["design"])
            seen = equal_to(row["power"]).removeprefix("= ")
            told.setdefault(title, []).append(f"by {percent(row['decline'])}: {seen}")
        return "\n".join([*lines, *(f"  {title:<24}{'   '.join(words)}" for title, words in told.items())])
