"""What a scenario study found: tidy tables, each number with its Monte Carlo error."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from leopardpop.words import counted, decimal, percent, trimmed

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from leopardpop.plots.style import Panels
    from leopardpop.runs import Outcome

__all__ = ["Study", "gather"]

COLUMNS = ["scenario", "replicate", "quantity", "truth", "mean", "median", "sd", "lower", "upper"]
MEASURES = ("bias", "relative_bias", "rmse", "relative_rmse", "coverage", "rse")
NUMBERS = ("truth", "median", *(name for each in MEASURES for name in (each, f"{each}_mcse")))
MOSTLY, SOME = 0.5, 0.05
"""Shares of failed replicates from which a scenario has no averages, and from which they are to be read with care."""
OK, UNTRUSTED, FAILED, LOST = "ok", "untrusted", "failed", "lost"


def gather(outcomes: Sequence[tuple[str, int, Outcome]], asked: int) -> Study:
    """Tables from the outcomes of single replicates.

    Parameters
    ----------
    outcomes
        Scenario, number and outcome of each.
    asked
        Replicates of each scenario that were asked for.
    """
    rows, estimates = [], []
    for scenario, number, outcome in outcomes:
        value = outcome.value or {"facts": {}, "estimates": {}, "trusted": False}
        status = _status(outcome)
        row = {"scenario": scenario, "replicate": number, "status": status, "error": outcome.error}
        rows.append(row | value["facts"])
        if status == OK:
            estimates += [(scenario, number, name, *numbers) for name, numbers in value["estimates"].items()]
    return Study(pd.DataFrame(rows), pd.DataFrame(estimates, columns=COLUMNS), asked)


def _status(outcome: Outcome) -> str:
    if outcome.value is None:
        return LOST if outcome.lost else FAILED
    return OK if outcome.value["trusted"] else UNTRUSTED


@dataclass(frozen=True, eq=False)
class Study:
    """What a scenario study found; made by :func:`study`."""

    replicates: pd.DataFrame
    """scenario, replicate, status ("ok", "untrusted": the certificate failed, "failed": an error, "lost": its worker
    died), error, and what the survey found: n_individuals, n_detections, n_recaptures, n_spatial_recaptures."""
    estimates: pd.DataFrame
    """scenario, replicate, quantity, truth; of the posterior mean, median, sd, lower, upper (95 %); of status ok."""
    asked: int
    """Replicates of each scenario."""

    def failures(self) -> pd.DataFrame:
        """How many replicates of each scenario gave no posterior that can be trusted, and why.

        Returns
        -------
        pandas.DataFrame
            A row a scenario: ok, untrusted, failed, lost, share (not ok), verdict, and error, the commonest one. What
            was lost counts as not ok: a worker dies of some surveys more often than of others.
        """
        rows = []
        for scenario, part in self.replicates.groupby("scenario", sort=False):
            counts = {name: int((part["status"] == name).sum()) for name in (OK, UNTRUSTED, FAILED, LOST)}
            share = 1 - counts[OK] / len(part)
            errors = part.loc[part["status"] == FAILED, "error"]
            error = str(errors.mode().iloc[0]) if len(errors) else ""
            rows.append({"scenario": scenario, **counts, "share": share, "verdict": _verdict(share), "error": error})
        return pd.DataFrame(rows)

    def summary(self) -> pd.DataFrame:
        """How good the estimates are: the posterior median and the 95 % interval, beside the truth.

        Returns
        -------
        pandas.DataFrame
            A row a scenario and quantity: truth (mean), median (mean), bias, relative_bias, rmse, relative_rmse,
            coverage (of the 95 % interval), rse (posterior sd / median, mean), each with its Monte Carlo standard error
            (``bias_mcse`` ...), replicates (that it is over), failed (share), verdict and lost (number). Where half of
            the replicates or more failed the numbers are missing: the mean over those that did not would be of another
            kind of survey.
        """
        found = dict(iter(self.estimates.groupby("scenario", sort=False)))
        rows: list[dict[str, Any]] = []
        for record in self.failures().to_dict("records"):
            known = record["share"] < MOSTLY
            part = found.get(record["scenario"], self.estimates.iloc[:0])
            groups = [(str(name), each) for name, each in part.groupby("quantity", sort=False)] or [("", part)]
            for quantity, each in groups:
                ends = {"replicates": len(each), "failed": record["share"], "verdict": record["verdict"]}
                ends["lost"] = record["lost"]
                names = {"scenario": record["scenario"], "quantity": quantity}
                rows.append(names | _numbers(each, known=known and len(each) > 0) | ends)
        return pd.DataFrame(rows)

    def plot(self, quantity: str | None = None, *, ax: Any = None) -> Axes | Panels:
        """Draw bias and coverage of each scenario, with their Monte Carlo errors.

        Parameters
        ----------
        quantity
            One of those in the summary; None: E_N, or the first.
        ax
            Two axes to draw on; None: a new figure.

        Returns
        -------
        array of matplotlib Axes
            Relative bias, and coverage of the 95 % interval; with ``caption`` and ``alt_text``.
        """
        from leopardpop.plots.study_plots import study_figure

        return study_figure(self, self.main if quantity is None else quantity, ax=ax)

    @property
    def main(self) -> str:
        """The quantity that is told where none is named: E_N, or the first."""
        names = self.summary()["quantity"].unique().tolist()
        return "E_N" if "E_N" in names else next(filter(None, names), "")

    def __repr__(self) -> str:
        """Say what was found of E[N], or of the first quantity."""
        table, first = self.summary(), self.main
        lines = [f"Study: {counted(len(self.failures()), 'scenario')} × {counted(self.asked, 'replicate')}"]
        for scenario, part in table.groupby("scenario", sort=False):
            chosen = part[part["quantity"] == first]
            row = (chosen if len(chosen) else part).iloc[0]
            lines.append(f"  {scenario!s:<24}{_told(row, first)}")
        return "\n".join(lines)


def _verdict(share: float) -> str:
    if not share < MOSTLY:
        return "mostly fails"
    return "some fail" if share > SOME else "ok"


def _told(row: Any, quantity: str) -> str:
    lost = f" ({counted(row['lost'], 'replicate')} lost with their workers)" if row["lost"] else ""
    if row["verdict"] == "mostly fails":
        return f"mostly fails: {percent(row['failed'])} of the replicates gave no posterior{lost}; nothing is averaged"
    bias, coverage = 100 * row["relative_bias"], 100 * row["coverage"]
    words = f"{quantity}: bias {decimal(bias, 1)} % (± {decimal(100 * row['relative_bias_mcse'], 1)})"
    words += f", 95 % interval holds {decimal(coverage, 1)} % (± {decimal(100 * row['coverage_mcse'], 1)})"
    words += f", RSE {trimmed(100 * row['rse'], 2)} %"
    return words if row["verdict"] == "ok" else f"{words}; {percent(row['failed'])} of the replicates failed{lost}"


def _numbers(part: pd.DataFrame, *, known: bool) -> dict[str, float]:
    """Bias, RMSE, coverage and RSE, each with its Monte Carlo error; all missing unless they are known."""
    if not known:
        return dict.fromkeys(NUMBERS, float("nan"))
    truth, median = part["truth"].to_numpy(float), part["median"].to_numpy(float)
    inside = (part["lower"].to_numpy() <= truth) & (truth <= part["upper"].to_numpy())
    with np.errstate(all="ignore"):
        relative = (median - truth) / truth
        rse = part["sd"].to_numpy(float) / np.abs(median)
    found = {"truth": float(truth.mean()), "median": float(median.mean())}
    found |= _mean("bias", median - truth) | _mean("relative_bias", relative)
    found |= _root_mean_square("rmse", median - truth) | _root_mean_square("relative_rmse", relative)
    found |= _share("coverage", inside) | _mean("rse", rse)
    return found


def _mean(name: str, values: NDArray[np.float64]) -> dict[str, float]:
    fine = bool(np.isfinite(values).all())
    error = float(values.std(ddof=1) / np.sqrt(len(values))) if fine and len(values) > 1 else float("nan")
    return {name: float(values.mean()) if fine else float("nan"), f"{name}_mcse": error}


def _root_mean_square(name: str, errors: NDArray[np.float64]) -> dict[str, float]:
    """Its error by the delta method: that of the mean square over twice the root."""
    square = _mean(name, errors**2)
    root = float(np.sqrt(square[name]))
    return {name: root, f"{name}_mcse": square[f"{name}_mcse"] / (2 * root) if root > 0 else float("nan")}


def _share(name: str, inside: NDArray[np.bool_]) -> dict[str, float]:
    """Its error with half a success and half a failure more: that of 100 of 100 is not none."""
    n, smoothed = len(inside), (inside.sum() + 0.5) / (len(inside) + 1)
    return {name: float(inside.mean()), f"{name}_mcse": float(np.sqrt(smoothed * (1 - smoothed) / n))}
