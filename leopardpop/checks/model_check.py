"""What a check of a fit found, as a person holds it."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from leopardpop.words import counted, percent, probability, rounded

if TYPE_CHECKING:
    import xarray as xr

    from leopardpop.checks.statistic import Statistic
    from leopardpop.models.likelihood.terms import Floats
    from leopardpop.plots.style import Panels

__all__ = ["LEVEL", "ModelCheck"]

LEVEL = 0.10
NOUGHT = 1e-12
"""Chance that any statistic of a table is flagged although the model is right."""
FINE = "As the model expects."
WORDS = {"ok": "ok  ", "warn": "WARN"}


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class ModelCheck:
    """Statistics of a survey beside those of replicates of it; made by :meth:`Fit.check`.

    Examples
    --------
    >>> import numpy as np
    >>> import leopardpop as lp
    >>> design = lp.DetectionHistory.from_tables(np.ones((50, 4)))
    >>> sim = lp.Occupancy().simulate(design, parameters={"psi": 0.6, "p": 0.4}, seed=1)
    >>> check = lp.Occupancy().fit(sim.history, seed=1).check()
    >>> check.table().columns.tolist()[:6]
    ['statistic', 'looks_at', 'observed', 'expected', 'lower', 'upper']
    >>> check.flagged
    []
    """

    statistics: dict[str, Statistic]
    """What was looked at, by short name."""
    values: Floats
    """Every statistic of the survey (row 0) and of the replicates, (1 + replicates, statistics)."""
    p: Floats
    """Sampled posterior p-value of each statistic: uniform if the model is right."""
    family_p: Floats
    """The same, allowing for the number of statistics: the smallest is uniform if the model is right."""
    residuals: xr.Dataset
    """Randomised quantile (Dunn-Smyth) residuals in space and in time; standard normal if the model is right."""
    posterior_predictive: xr.Dataset
    """Numbers of animals and recaptures, or of sites and detections, in the replicates."""

    @property
    def replicates(self) -> int:
        """Number of replicates."""
        return len(self.values) - 1

    @property
    def flagged(self) -> list[str]:
        """Short names of the statistics with a verdict other than "ok", the gravest first."""
        names = np.array(list(self.statistics), dtype=object)
        order = np.argsort(self.p, kind="stable")
        return [str(name) for name in names[order[self.family_p[order] <= LEVEL]]]

    @property
    def c_hat(self) -> float:
        """MacKenzie and Bailey's overdispersion: χ² of the histories over its mean in the replicates; NaN if none."""
        names = list(self.statistics)
        if "histories" not in names:
            return float("nan")
        column = self.values[:, names.index("histories")]
        return float(column[0] / column[1:].mean())

    def table(self) -> pd.DataFrame:
        """Every statistic with what is expected of it.

        Returns
        -------
        pandas.DataFrame
            Columns statistic, looks_at, observed, expected (median of the replicates), lower and upper (95 % of
            them), p, family_p (allowing for all rows of the table), verdict ("ok" or "warn": family_p ≤ 0.10) and
            advice, in words; the index has short names.
        """
        lower, middle, upper = np.quantile(self.values[1:], [0.025, 0.5, 0.975], axis=0)
        named = self.statistics.values()
        table = pd.DataFrame(
            {
                "statistic": [each.name for each in named],
                "looks_at": [each.looks_at for each in named],
                "observed": self.values[0],
                "expected": middle,
                "lower": lower,
                "upper": upper,
                "p": self.p,
                "family_p": self.family_p,
                "verdict": np.where(self.family_p <= LEVEL, "warn", "ok"),
            },
            index=pd.Index(list(self.statistics), name="name"),
        )
        table["advice"] = [self._advice(j) for j in range(len(table))]
        return table

    def _advice(self, j: int) -> str:
        if self.family_p[j] > LEVEL:
            return FINE
        statistic = list(self.statistics.values())[j]
        is_low = statistic.two_sided and self.values[0, j] < np.median(self.values[1:, j])
        return statistic.low if is_low else statistic.high

    def plot(self, ax: Any = None) -> Panels:
        """Draw each statistic of the survey on the distribution of its replicates.

        Parameters
        ----------
        ax
            Axes to draw on, one a statistic; None: a new figure.

        Returns
        -------
        array of matplotlib Axes
        """
        from leopardpop.plots.check_plots import statistics_figure

        return statistics_figure(self, ax=ax)

    def plot_residuals(self, ax: Any = None) -> Panels:
        """Draw the residuals in space (where positions are known) and in time.

        Parameters
        ----------
        ax
            Two axes; None: a new figure.

        Returns
        -------
        array of matplotlib Axes
        """
        from leopardpop.plots.check_plots import residuals_figure

        return residuals_figure(self, ax=ax)

    def _head(self) -> str:
        n = len(self.flagged)
        what = "nothing stands out" if n == 0 else f"{counted(n, 'statistic')} of {len(self.statistics)} out of line"
        return f"Could the model have made these data? {what[0].upper()}{what[1:]}."

    def _foot(self) -> str:
        return (
            f"{self.replicates} replicates at one draw from the posterior. If the model is right, {percent(LEVEL)} of "
            "such tables flag something. Silence proves little with few animals or sites: see the power in the "
            "documentation."
        )

    def __repr__(self) -> str:
        """Show the table in words."""
        table = self.table()
        width = max(len(name) for name in table["statistic"])
        lines = [
            f"   {WORDS[row['verdict']]}   {row['statistic']:<{width}}   {_numbers(row)}" for _, row in table.iterrows()
        ]
        advice = [f"   {table['statistic'][name]}: {table['advice'][name]}" for name in self.flagged]
        return "\n".join([self._head(), "", *lines, *([""] if advice else []), *advice, "", self._foot()])

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{row['verdict']}</td><th>{escape(row['statistic'])}</th><td>{escape(_numbers(row))}</td>"
            f"<td>{escape(row['advice'])}</td></tr>"
            for _, row in self.table().iterrows()
        )
        return f"<p>{escape(self._head())}</p><table>{rows}</table><p>{escape(self._foot())}</p>"


def _numbers(row: Any) -> str:
    observed, expected, lower, upper = (_told(row[name]) for name in ("observed", "expected", "lower", "upper"))
    return f"{observed}, expected {expected} ({lower} to {upper}), p {probability(row['p'])}"


def _told(value: float) -> str:
    """Write a statistic; what is left of a difference that is nought is nought.

    Examples
    --------
    >>> _told(-2.7e-17), _told(0.0412)
    ('0', '0.041')
    """
    return rounded(0.0 if abs(value) < NOUGHT else value)
