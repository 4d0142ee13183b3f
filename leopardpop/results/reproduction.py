"""A fit beside the one that was made again from its record."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from leopardpop.results.elements import elements
from leopardpop.results.provenance import MADE_WITH
from leopardpop.results.summary import summary_table
from leopardpop.words import counted, decimal, joined, rounded

if TYPE_CHECKING:
    import xarray as xr

    from leopardpop.results.fit_base import BaseFit

__all__ = ["Reproduction", "compared"]

BY_CHANCE = 0.001
"""Chance that any estimate of two honest runs differs by more than is allowed."""
SHORT = 12
"""Characters of a fingerprint that are shown."""


@dataclass(frozen=True, eq=False, repr=False)
class Reproduction:
    """A fit made again; from :func:`leopardpop.reproduce`.

    Parameters
    ----------
    recorded, again
        The fit that was saved, and the one that was made now.
    identical
        Whether every draw is the same to the last digit.
    estimates
        Mean and sd of every quantity in both, with the Monte Carlo error of the difference.
    changed
        What was different when it was made: attribute to (then, now).

    Examples
    --------
    >>> import numpy as np
    >>> import leopardpop as lp
    >>> design = lp.DetectionHistory.from_tables(np.ones((50, 4)))
    >>> sim = lp.Occupancy().simulate(design, parameters={"psi": 0.6, "p": 0.4}, seed=1)
    >>> fit = lp.Occupancy().fit(sim.history, draws=200, seed=1)
    >>> lp.reproduce(fit)
    Made again from its record: the same draws to the last digit (800 draws of 4 variables).
    """

    recorded: BaseFit
    again: BaseFit
    identical: bool
    estimates: pd.DataFrame
    changed: dict[str, tuple[str, str]]

    @property
    def limit(self) -> float:
        """Most Monte Carlo errors that a mean or an sd may differ by: one pair of runs in a thousand exceeds it."""
        return NormalDist().inv_cdf(1.0 - BY_CHANCE / (4.0 * max(len(self.estimates), 1)))

    @property
    def agrees(self) -> bool:
        """Whether both are the same, or differ by no more than chance in the draws explains."""
        return self.identical or bool((self._worst() <= self.limit).all())

    def _worst(self) -> pd.Series[float]:
        return self.estimates[["z_mean", "z_sd"]].abs().max(axis=1).fillna(np.inf)

    def table(self) -> pd.DataFrame:
        """Every quantity then and now.

        Returns
        -------
        pandas.DataFrame
            Columns mean, mean_again, sd, sd_again, z_mean and z_sd (the differences in Monte Carlo errors) and
            verdict: "same", "within chance" or "DIFFERS".
        """
        same = (self.estimates["mean"] == self.estimates["mean_again"]) & self.identical
        beyond = np.where(self._worst() > self.limit, "DIFFERS", "within chance")
        return self.estimates.assign(verdict=np.where(same, "same", beyond))

    def __repr__(self) -> str:
        """Say whether it is the same fit."""
        return " ".join([self._said(), *self._surroundings()])

    def _repr_html_(self) -> str:
        return f"<p>{escape(repr(self))}</p>{self.table().to_html(border=0, float_format='{:.4g}'.format)}"

    def _said(self) -> str:
        sizes, head = self.recorded.posterior.sizes, "Made again from its record"
        draws = counted(sizes["chain"] * sizes["draw"], "draw")
        if self.identical:
            variables = counted(len(self.recorded.posterior.data_vars), "variable")
            return f"{head}: the same draws to the last digit ({draws} of {variables})."
        worst = self._worst()
        name = str(worst.idxmax())
        if self.agrees:
            return (
                f"{head}: not the same draws, but the same estimates within Monte Carlo error. The largest difference "
                f"is {decimal(float(worst[name]), 1)} standard errors ({name}; {decimal(self.limit, 1)} are allowed)."
            )
        row = self.estimates.loc[name].astype(float).to_dict()
        then, now = (f"{rounded(row['mean' + k], 4)} (sd {rounded(row['sd' + k], 3)})" for k in ("", "_again"))
        return (
            f"NOT REPRODUCED: the estimates differ by more than Monte Carlo error explains. {name} was {then} and is "
            f"now {now}, {decimal(float(worst[name]), 1)} standard errors apart ({decimal(self.limit, 1)} are allowed)."
        )

    def _surroundings(self) -> list[str]:
        if self.changed:
            pairs = [f"{name} {then} then, {now} now" for name, (then, now) in self.changed.items()]
            return [f"Made with something else: {joined(pairs)}."]
        return [] if self.identical else ["All versions are the same: another processor, or the file was changed."]


def compared(recorded: BaseFit, again: BaseFit) -> Reproduction:
    """Set two fits side by side.

    Parameters
    ----------
    recorded, again
        The fit that was saved, and the one that was made now.
    """
    one, other = recorded.posterior, again.posterior
    known = [str(name) for name in one.data_vars if name in other and not one[name].isnull().any()]  # some are hidden
    whole = set(known) == set(map(str, one.data_vars)) or recorded.data_tree.attrs.get("coordinates") == "hidden"
    identical = bool(known) and whole and all(np.array_equal(one[n].values, other[n].values) for n in known)
    ess = (recorded.importance_ess, again.importance_ess)
    estimates = _estimates(one[known], other[known], ess)
    return Reproduction(recorded, again, identical, estimates, _changed(recorded, again))


def _changed(recorded: BaseFit, again: BaseFit) -> dict[str, tuple[str, str]]:
    """What the fits were made with, where it differs."""
    then, now = recorded.data_tree.attrs, again.data_tree.attrs
    pairs = {name: (str(then.get(name, "unknown"))[:SHORT], str(now[name])[:SHORT]) for name in MADE_WITH}
    return {name.removesuffix("_version"): pair for name, pair in pairs.items() if pair[0] != pair[1]}


def _estimates(one: xr.Dataset, other: xr.Dataset, ess: tuple[float | None, float | None]) -> pd.DataFrame:
    """Summaries of both, and their differences in Monte Carlo errors."""
    then, now = (summary_table(each, known) for each, known in zip((one, other), ess, strict=True))
    n = one.sizes["chain"] * one.sizes["draw"]
    share = 1.0 / then["ess"] + 1.0 / now["ess"] + (0.0 if ess[0] is None else 2.0 / n)  # draws of weighted ones
    table = pd.DataFrame({"mean": then["mean"], "mean_again": now["mean"], "sd": then["sd"], "sd_again": now["sd"]})
    spread = (table["sd"] ** 2 + table["sd_again"] ** 2) / 2.0
    kurtosis = pd.Series({name: _kurtosis(draws) for name, draws in elements(one)})
    table["z_mean"] = _ratio(table["mean_again"] - table["mean"], np.sqrt(spread * share))
    table["z_sd"] = _ratio(table["sd_again"] - table["sd"], np.sqrt(spread * share * (kurtosis - 1.0) / 4.0))
    return table


def _kurtosis(draws: Any) -> float:
    """Fourth moment over the squared second, 3 of a normal law: how much the sd of draws varies."""
    apart = np.asarray(draws, float).ravel() - float(np.mean(draws))
    square = float((apart**2).mean())
    return float((apart**4).mean()) / square**2 if square > 0 else 3.0


def _ratio(difference: Any, error: Any) -> Any:
    """Difference in errors; 0 where there is none, for what does not vary."""
    with np.errstate(all="ignore"):
        return pd.Series(np.where(difference == 0.0, 0.0, difference / error), difference.index)
