"""What the number of animals hangs on: the table of :meth:`Fit.sensitivity`, in words and as a figure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from leopardpop.checks.sensitivity_words import sentence
from leopardpop.words import counted, decimal, interval, joined, whole_interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Effect", "Sensitivity"]

GRAVITY = {"warn": 3, "note": 2, "open": 1, "ok": 0}
LIGHTS = {"ok": "ok  ", "note": "note", "warn": "WARN", "open": "open"}
COLORS = {"ok": "#009E73", "note": "#E69F00", "warn": "#D55E00", "open": "#999999"}
TITLES = {
    "buffer": "Buffer",
    "mesh": "Cells of the mask",
    "prior": "Prior of",
    "detection": "Detection function",
    "occasions": "Length of occasions",
    "station": "Stations, each left out",
    "animal": "Animals, each record left out",
    "site": "Sites, each left out",
}
COLUMNS = [
    "kind", "subject", "change", "place", "median", "eti95_lb", "eti95_ub", "percent", "sds", "error", "pareto_k",
    "how", "verdict", "about", "reason",
]  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Effect:
    """What one change does to the number of animals."""

    kind: str
    """buffer, mesh, prior, detection, occasions, station, animal or site."""
    subject: str
    """Which prior, animal, station ..."""
    change: str
    """What was changed, in words."""
    place: str = ""
    """Session or season, where there are several."""
    median: float = np.nan
    """Of N after the change."""
    eti95_lb: float = np.nan
    eti95_ub: float = np.nan
    percent: float = np.nan
    """Change of the median, in per cent of it."""
    sds: float = np.nan
    """The same in posterior sds of N."""
    error: float = np.nan
    """Monte Carlo error of it, posterior sds."""
    pareto_k: float = np.nan
    """Of the weights: below 0.7 (fewer draws: less) they can be trusted."""
    how: str = "none"
    """"reweighted", "refit", "exact", or "none": not answered."""
    verdict: str = "open"
    """"ok", "note", "warn", or "open": not answered."""
    about: str = ""
    """What there is on the subject in the data."""
    reason: str = ""
    """Why there is no answer."""


class Sensitivity:
    """What the answer of a fit hangs on; made by ``fit.sensitivity()``.

    Parameters
    ----------
    effects
        What each change does.
    quantity
        What is moved: "N", or the share of sites used.
    before
        Lower end, median and upper end of the 95 % interval without any change, by place.
    priors
        Table of the power-scaling diagnostic.
    facts
        What little there is in the data on a prior, by its label.

    Examples
    --------
    >>> import pandas as pd
    >>> import leopardpop as lp
    >>> axis = range(0, 6_000, 1_500)
    >>> stations = pd.DataFrame([(f"{x}-{y}", x, y) for x in axis for y in axis], columns=["station", "x", "y"])
    >>> design = lp.CaptureHistory.from_tables(None, stations, occasions=10)
    >>> mask = lp.Mask.around(design, buffer=4_500, spacing=600)
    >>> sim = lp.SCR().simulate(design, mask, parameters={"D": 0.4, "lambda0": 0.2, "sigma": 1_000}, seed=2)
    >>> found = lp.SCR().fit(sim.history, mask, seed=1).sensitivity(refit=False)
    >>> found.summary()["kind"].tolist()
    ['detection', 'prior', 'prior', 'prior', 'buffer', 'mesh', 'occasions', 'animal', 'station']
    >>> "detection" in set(found.unanswered["kind"])
    True
    """

    def __init__(
        self,
        effects: Sequence[Effect],
        *,
        quantity: str,
        before: dict[str, tuple[float, float, float]],
        priors: pd.DataFrame,
        facts: Callable[[str], str],
    ) -> None:
        self.effects, self.quantity, self.before = tuple(effects), quantity, dict(before)
        self._priors, self._facts = priors, facts

    def table(self) -> pd.DataFrame:
        """Every change that was tried, one row each (a row a session where there are several).

        Returns
        -------
        pandas.DataFrame
            Columns kind, subject, change, place, median, eti95_lb, eti95_ub (of N), percent, sds, error (Monte Carlo,
            sds), pareto_k, how ("reweighted", "refit", "exact", "none"), verdict ("ok", "note", "warn", "open"),
            about, reason.
        """
        return pd.DataFrame([asdict(effect) for effect in self.effects], columns=COLUMNS)

    def summary(self) -> pd.DataFrame:
        """The largest effect of each assumption, of the animals and of the stations.

        Returns
        -------
        pandas.DataFrame
            Columns kind, subject, verdict, percent, sds, tried, open (numbers of changes) and words.
        """
        return pd.DataFrame([self._line(group) for group in self._groups()])

    @property
    def priors(self) -> pd.DataFrame:
        """Power-scaling diagnostic of each prior and of the likelihood; see :func:`power_diagnostic`.

        Returns
        -------
        pandas.DataFrame
            Index: label of the prior, and "likelihood"; columns slope (move of the posterior mean of N per doubling of
            the power, sds), distance (slope of the cumulative Jensen-Shannon distance; from 0.05 on it is sensitive)
            and diagnosis; by place where there are several.
        """
        return self._priors.copy()

    @property
    def unanswered(self) -> pd.DataFrame:
        """Rows of :meth:`table` without an answer, with the reason."""
        table = self.table()
        return table[table["verdict"] == "open"].reset_index(drop=True)

    def plot(self, ax: Any = None, *, most: int = 20) -> Axes:
        """Draw a tornado: what moves N, the strongest on top.

        Parameters
        ----------
        ax
            Axes to draw on; None: a new figure.
        most
            Most bars.

        Returns
        -------
        matplotlib Axes
        """
        from leopardpop.plots.sensitivity import sensitivity_figure

        return sensitivity_figure(self, most=most, ax=ax)

    # -- in words -----------------------------------------------------------------------------------------------------
    def _groups(self) -> list[list[Effect]]:
        groups: dict[tuple[str, str], list[Effect]] = {}
        for effect in self.effects:
            subject = effect.subject if effect.kind == "prior" else ""
            groups.setdefault((effect.kind, subject), []).append(effect)
        return list(groups.values())

    def _line(self, group: list[Effect]) -> dict[str, Any]:
        worst = max(group, key=_gravity)
        largest = max((e for e in group if np.isfinite(e.sds)), key=lambda e: abs(e.sds), default=worst)
        changes = {(e.subject, e.change) for e in group}
        missing = {(e.subject, e.change) for e in group if e.verdict == "open"}
        chosen = largest if GRAVITY[largest.verdict] else worst
        return {
            "kind": chosen.kind,
            "subject": chosen.subject,
            "verdict": chosen.verdict,
            "percent": largest.percent,
            "sds": largest.sds,
            "tried": len(changes),
            "open": len(missing),
            "words": self.words(largest if np.isfinite(largest.sds) else worst),
        }

    def words(self, effect: Effect) -> str:
        """One effect in a sentence.

        Parameters
        ----------
        effect
            One of :attr:`effects`.
        """
        return sentence(effect, self.quantity, self._facts)

    @property
    def matters(self) -> list[str]:
        """Sentences on what moves the answer, the strongest first."""
        lines = self.summary()
        told = lines[lines["verdict"].isin(["warn", "note"])]
        order = told.assign(size=told["sds"].abs()).sort_values("size", ascending=False, kind="stable")
        return [str(words) for words in order["words"]]

    def _title(self) -> str:
        shown = [f"{place + ': ' if place else ''}{self._number(*ends)}" for place, ends in self.before.items()]
        return f"What moves {self.quantity} = {'; '.join(shown)}"

    def _number(self, low: float, middle: float, high: float) -> str:
        return whole_interval(middle, low, high) if self.quantity == "N" else interval(middle, low, high)

    def _rows(self) -> list[tuple[str, str, str, str]]:
        """Light, heading, size and words of each line."""
        rows = []
        for _, line in self.summary().iterrows():
            heading = TITLES[line["kind"]] + (f" {line['subject']}" if line["kind"] == "prior" else "")
            size = "" if not np.isfinite(line["sds"]) else f"{decimal(abs(line['sds']), 2)} sd"
            missing = f" [{line['open']} of {line['tried']} open]" if line["open"] and np.isfinite(line["sds"]) else ""
            rows.append((str(line["verdict"]), heading, size, f"{line['words']}{missing}"))
        return rows

    def _verdict(self) -> str:
        matters = self.matters
        if not matters:
            return "Nothing that was tried moves it by much."
        return f"What matters most: {matters[0]}."

    def _notes(self) -> list[str]:
        said = []
        hard = [effect for effect in self.effects if effect.verdict == "open"]
        kinds = list(dict.fromkeys(TITLES[effect.kind].removesuffix(" of").lower() for effect in hard))
        if hard:
            said.append(f"{counted(len(hard), 'change')} without an answer ({joined(kinds)}): see .unanswered.")
        if any(effect.kind == "animal" for effect in self.effects):
            said.append(
                "Leaving out a record makes as if nobody had photographed the animal; fit.loo() asks another thing."
            )
        return said

    def __repr__(self) -> str:
        """Show the traffic lights."""
        rows = self._rows()
        width = max((len(row[1]) for row in rows), default=0)
        lines = [
            f"   {LIGHTS[light]}   {heading:<{width}}   {size:>7}   {words}" for light, heading, size, words in rows
        ]
        return "\n".join([self._title(), "", *lines, "", self._verdict(), *self._notes()])

    def _repr_html_(self) -> str:
        cells = "".join(
            f"<tr><td style='color:{COLORS[light]}'><b>{light}</b></td>"
            f"<th style='text-align:left'>{escape(heading)}</th><td>{escape(size)}</td>"
            f"<td style='text-align:left'>{escape(words)}</td></tr>"
            for light, heading, size, words in self._rows()
        )
        notes = escape(" ".join([self._verdict(), *self._notes()]))
        return f"<table><caption>{escape(self._title())}</caption><tbody>{cells}</tbody></table><p>{notes}</p>"


def _gravity(effect: Effect) -> tuple[int, float]:
    return GRAVITY[effect.verdict], abs(effect.sds) if np.isfinite(effect.sds) else 0.0


def short(effect: Effect) -> str:
    """Name of an effect on an axis.

    Parameters
    ----------
    effect
        The effect.
    """
    if effect.kind in ("animal", "station", "site"):
        name = f"without {effect.kind} {effect.subject}"
    elif effect.kind == "prior":
        name = f"prior of {effect.subject}: {effect.change.partition(' (')[0]}"
    elif effect.kind in ("buffer", "occasions"):
        name = f"{effect.kind}: {effect.change}"
    else:
        name = effect.change
    return f"{name} · {effect.place}" if effect.place else name
