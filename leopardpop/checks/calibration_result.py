"""What simulation-based calibration found, as a person holds it."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from leopardpop.checks.uniformity import ecdf_p
from leopardpop.data.paths import path_of
from leopardpop.errors import DataError
from leopardpop.runs import write_json
from leopardpop.words import counted, decimal, joined, probability

if TYPE_CHECKING:
    from pathlib import Path

    from leopardpop.models.likelihood.terms import Floats
    from leopardpop.plots.style import Panels
    from leopardpop.runs import Outcome

__all__ = ["Calibration"]

LEVEL = 0.05
"""Chance that any quantity of a table is told to fail although all is well."""
MOST_FAILED = 0.02
"""Share of replicates without a posterior above which nothing is said to hold."""
SHARES = (0.5, 0.95)
WHAT = "leopardpop calibration"
OK, UNTRUSTED, FAILED, LOST = "ok", "untrusted", "failed", "lost"


@dataclass(frozen=True, eq=False, repr=False)
class Calibration:
    """Ranks of truths in their posteriors; made by :func:`leopardpop.calibrate`.

    Parameters
    ----------
    ranks
        One row a replicate, one column a quantity: where the truth stands among the draws, from 0 to 1; missing where
        there is no posterior. Uniform if all is well.
    replicates
        One row a replicate: status ("ok"; "untrusted": the certificate failed, its ranks are in; "failed": an error;
        "lost": its worker died), error, rejected (surveys that the rule left out before it), seconds of the processor.
    model
        The model in words.
    engine, draws, seed
        As asked.

    Examples
    --------
    >>> import numpy as np
    >>> import leopardpop as lp
    >>> design = lp.DetectionHistory.from_tables(np.ones((40, 5)))
    >>> found = lp.calibrate(lp.Occupancy(), design, replicates=5, draws=50)
    >>> found.table().columns.tolist()[:3]
    ['replicates', 'failed', 'coverage_50']
    """

    ranks: pd.DataFrame
    replicates: pd.DataFrame
    model: str
    engine: str
    draws: int
    seed: int

    @classmethod
    def of_outcomes(
        cls, outcomes: Mapping[str, Outcome], model: str, engine: str, draws: int, seed: int
    ) -> Calibration:
        """Put the outcomes of replicates together.

        Parameters
        ----------
        outcomes
            By the number of the replicate.
        model, engine, draws, seed
            As of the class.
        """
        rows, ranks = [], []
        for outcome in outcomes.values():
            value = outcome.value or {"ranks": {}, "trusted": False, "rejected": 0, "seconds": float("nan")}
            row = {"status": _status(outcome), "error": outcome.error}
            rows.append(row | {name: value[name] for name in ("rejected", "seconds")})
            ranks.append(value["ranks"])
        index = pd.RangeIndex(len(rows), name="replicate")
        return cls(pd.DataFrame(ranks, index, dtype=float), pd.DataFrame(rows, index), model, engine, draws, seed)

    # -- what holds ---------------------------------------------------------------------------------------------------
    @property
    def asked(self) -> int:
        """Replicates that ended: all but those that were lost with their workers."""
        return int((self.replicates["status"] != LOST).sum())

    @property
    def failed(self) -> int:
        """Replicates without a posterior."""
        return int((self.replicates["status"] == FAILED).sum())

    @property
    def untrusted(self) -> int:
        """Replicates whose certificate failed; their ranks are counted in."""
        return int((self.replicates["status"] == UNTRUSTED).sum())

    @property
    def holds(self) -> bool:
        """Whether no quantity fails, and hardly any replicate did."""
        return bool((self.table()["verdict"] != "FAILS").all())

    def of(self, quantity: str) -> Floats:
        """Ranks of a quantity, in the replicates that have a posterior.

        Parameters
        ----------
        quantity
            A column of :attr:`ranks`.
        """
        return self.ranks[quantity].dropna().to_numpy(float)

    def table(self) -> pd.DataFrame:
        """Every quantity with what its intervals held.

        Returns
        -------
        pandas.DataFrame
            Index quantity; columns replicates, failed, coverage_50 and coverage_95 with their Monte Carlo errors
            (``_mcse``; a replicate without a posterior counts as one that was missed), p (of uniform ranks: chance of
            a distribution function as far from the diagonal anywhere), and verdict: "holds", "note" (p below 0.05, as
            one quantity in twenty has) or "FAILS" (p below 0.05 over the number of quantities, or failures).
        """
        rows = {str(name): self._row(self.of(str(name))) for name in self.ranks.columns}
        table = pd.DataFrame.from_dict(rows, orient="index")
        table.index.name = "quantity"
        if not len(table):
            return pd.DataFrame(columns=["replicates", "failed", "verdict"])
        limits = [LEVEL / len(table), LEVEL]
        verdicts = np.array(["FAILS", "note", "holds"])[np.searchsorted(limits, table["p"], side="left")]
        table["verdict"] = np.where(table["failed"] > MOST_FAILED * self.asked, "FAILS", verdicts)
        return table

    def _row(self, ranks: Floats) -> dict[str, float]:
        row: dict[str, float] = {"replicates": self.asked, "failed": self.asked - len(ranks)}
        for share in SHARES:
            held = int((np.abs(ranks - 0.5) < share / 2.0).sum())
            smoothed = (held + 0.5) / (self.asked + 1.0)
            name = f"coverage_{100 * share:.0f}"
            row |= {
                name: held / max(self.asked, 1),
                f"{name}_mcse": np.sqrt(smoothed * (1 - smoothed) / max(self.asked, 1)),
            }
        return row | {"p": ecdf_p(ranks)}

    # -- for people ---------------------------------------------------------------------------------------------------
    def plot(self, ax: Any = None) -> Panels:
        """Draw for each quantity the distribution function of its ranks less the diagonal, within its 95 % band.

        Parameters
        ----------
        ax
            Axes to draw on, one a quantity; None: a new figure.

        Returns
        -------
        array of matplotlib Axes
        """
        from leopardpop.plots.calibration_plots import calibration_figure

        return calibration_figure(self, ax=ax)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write everything to a JSON file, whole or not at all; :meth:`load` reads it.

        Parameters
        ----------
        path
            File to write; one that exists is replaced.

        Returns
        -------
        pathlib.Path
        """
        target = path_of(path, "path")
        record = {name: getattr(self, name) for name in ("model", "engine", "draws", "seed")}
        tables = {name: _listed(getattr(self, name)) for name in ("ranks", "replicates")}
        write_json(target, {"what": WHAT, **record, **tables})
        return target

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Calibration:
        """Read what :meth:`save` wrote.

        Parameters
        ----------
        path
            The file.

        Raises
        ------
        DataError
            If it is not such a file.
        """
        source = path_of(path, "path")
        try:
            record = json.loads(source.read_bytes())
            ranks = pd.DataFrame(record["ranks"], dtype=float)
            replicates = pd.DataFrame(record["replicates"]).astype({"seconds": float})
            known = {name: record[name] for name in ("model", "engine", "draws", "seed")}
        except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
            raise DataError(f"{source} holds no calibration ({error}). Was it written by Calibration.save?") from error
        for table in (ranks, replicates):
            table.index = pd.RangeIndex(len(table), name="replicate")
        return cls(ranks, replicates, **known)

    def __repr__(self) -> str:
        """Say what was done and what holds."""
        table = self.table()
        width = max(map(len, table.index), default=0)
        lines = [f"   {row['verdict']:<6} {name:<{width}}   {_told(row)}" for name, row in table.iterrows()]
        return "\n".join([self._head(), "", *lines, "", self._foot(table)])

    def _repr_html_(self) -> str:
        table = self.table()
        rows = "".join(
            f"<tr><td>{row['verdict']}</td><th>{escape(str(name))}</th><td>{escape(_told(row))}</td></tr>"
            for name, row in table.iterrows()
        )
        return f"<p>{escape(self._head())}</p><table>{rows}</table><p>{escape(self._foot(table))}</p>"

    def _head(self) -> str:
        return (
            f"Calibration of {self.model} by {self.engine}: {counted(self.asked, 'survey')} of truths drawn from the "
            f"priors, {counted(self.failed, 'failure')}, {counted(self.untrusted, 'failed certificate')} (counted in)."
        )

    def _foot(self, table: pd.DataFrame) -> str:
        wrong = table.index[table["verdict"] == "FAILS"].tolist()
        rejected, lost = int(self.replicates["rejected"].sum()), len(self.replicates) - self.asked
        said = f"FAILS: {joined(wrong)}." if wrong else "Ranks are uniform as far as so many surveys can tell."
        left = f" Left out before by the rule on the data: {counted(rejected, 'survey')}." if rejected else ""
        gone = (
            f" {counted(lost, 'replicate')} lost with their workers: call again with the same folder." if lost else ""
        )
        return f"{said}{left}{gone}"


def _listed(table: pd.DataFrame) -> dict[str, list[Any]]:
    """Columns of a table as JSON has them: ranks to six decimals, None where there is nothing."""
    return {str(name): [_plain(value) for value in column] for name, column in table.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return None if np.isnan(value) else round(float(value), 6)
    return value.item() if isinstance(value, np.generic) else value


def _status(outcome: Outcome) -> str:
    if outcome.value is None:
        return LOST if outcome.lost else FAILED
    return OK if outcome.value["trusted"] else UNTRUSTED


def _told(row: pd.Series[Any]) -> str:
    held = [
        f"{share} % interval holds {decimal(100 * row[f'coverage_{share}'], 1)} % "
        f"(± {decimal(100 * row[f'coverage_{share}_mcse'], 1)})"
        for share in (95, 50)
    ]
    return f"{joined(held)}, p {probability(row['p'])}"
