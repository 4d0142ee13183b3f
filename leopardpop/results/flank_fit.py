"""The fit of two flanks: N over parameters and matchings, and who is who."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import xarray as xr

from leopardpop.data.notices import notice
from leopardpop.errors import ConvergenceWarning
from leopardpop.inference.laplace import laplace_draws
from leopardpop.models.flank_lists import one_flank
from leopardpop.models.flank_problem import FlankProblem
from leopardpop.results.draws import distinct_draws, in_blocks
from leopardpop.results.fitting import whole_seed
from leopardpop.results.summary import summary_table
from leopardpop.results.tree import SAMPLE, posterior_dataset

if TYPE_CHECKING:
    from leopardpop.data.history import CaptureHistory
    from leopardpop.data.mask import Mask
    from leopardpop.inference.laplace import LaplaceDraws
    from leopardpop.models.likelihood.session import Evaluations
    from leopardpop.models.likelihood.terms import Floats
    from leopardpop.models.two_flanks import TwoFlanks

__all__ = ["TwoFlankFit", "fit_two_flanks"]

COLUMNS = ["mean", "median", "sd", "eti95_lb", "eti95_ub"]
OF_MATCHINGS = 0x32


@dataclass(frozen=True, eq=False, repr=False)
class TwoFlankFit:
    """A posterior of two flanks; made by :meth:`TwoFlanks.fit`.

    Examples
    --------
    >>> import leopardpop as lp
    >>> rows = [("L1", "A", 1, "left"), ("L1", "B", 2, "left"), ("R1", "A", 2, "right"), ("R1", "B", 3, "right")]
    >>> captures = pd.DataFrame(rows, columns=["individual", "station", "occasion", "flank"])
    >>> stations = pd.DataFrame({"station": ["A", "B", "C"], "x": [0, 1500, 3000], "y": [0, 0, 0]})
    >>> history = lp.CaptureHistory.from_tables(captures, stations, occasions=5)
    >>> mask = lp.Mask.around(history, buffer=5_000, spacing=1_000)
    >>> fit = lp.TwoFlanks().fit(history, mask, draws=100, seed=1)
    >>> fit.matches[["left", "right"]].to_numpy().tolist()
    [['L1', 'R1']]
    >>> fit.photographed()[["least", "most"]].to_numpy().tolist()
    [[1, 2]]
    """

    model: TwoFlanks
    """The model."""
    problem: FlankProblem
    """The model with its data."""
    laplace: LaplaceDraws
    """Draws of the coefficients with their certificate."""
    posterior: xr.Dataset
    """Parameters, E_N and N (session), as of :class:`Fit`, and n_matched (session): animals that are in twice."""
    matches: pd.DataFrame
    """Every pair that may be one animal, the likeliest first: session, left, right, probability."""

    @property
    def trusted(self) -> bool:
        """Whether the certificate of the draws holds."""
        return self.laplace.trusted

    def summary(self) -> pd.DataFrame:
        """Mean, median, sd, 95 % interval, effective draws and unit of every quantity.

        Returns
        -------
        pandas.DataFrame
        """
        return summary_table(self.posterior, self.laplace.importance_ess)

    def probability(self, lower: float, upper: float) -> float:
        """Pr(lower ≤ N ≤ upper | data), N over all sessions.

        Parameters
        ----------
        lower, upper
            Numbers of animals, both included.

        Returns
        -------
        float
        """
        total = self.posterior["N"].sum("session")
        return float(((total >= lower) & (total <= upper)).mean())

    def photographed(self) -> pd.DataFrame:
        """Number of different animals in the photographs, by session.

        Returns
        -------
        pandas.DataFrame
            Columns least (as many matched as can be), mean, eti95_lb, eti95_ub, most (none matched).
        """
        rows = {}
        for s, (name, lists) in enumerate(zip(self.problem.given.sessions, self.problem.lists, strict=True)):
            most = lists.first_pair
            drawn = most - np.asarray(self.posterior["n_matched"].isel(session=s)).reshape(-1)
            rows[name] = [most - _most_matched(lists), drawn.mean(), *np.quantile(drawn, [0.025, 0.975]), most]
        table = pd.DataFrame.from_dict(rows, orient="index", columns=["least", "mean", "eti95_lb", "eti95_ub", "most"])
        return table.rename_axis("session")

    def compare(self, **options: Any) -> pd.DataFrame:
        """N beside what a single flank tells, and beside the bounds of who is who.

        Parameters
        ----------
        **options
            Of :meth:`SCR.fit`, such as ``draws``, ``chains`` and ``seed``.

        Returns
        -------
        pandas.DataFrame
            N over all sessions; rows "two flanks", "left flank and both", "right flank and both"; columns animals
            (identities used), mean, median, sd, eti95_lb, eti95_ub.
        """
        rows = {"two flanks": [sum(p.first_pair for p in self.problem.lists), *_told(self.posterior)]}
        for flank in ("left", "right"):
            alone = one_flank(self.problem.given, flank)
            fit = self.model.model.fit(alone, self.problem.mask, **options)
            rows[f"{flank} flank and both"] = [alone.n_individuals, *_told(fit.posterior)]
        return pd.DataFrame.from_dict(rows, orient="index", columns=["animals", *COLUMNS])

    def __repr__(self) -> str:
        """Say who was seen and how many there are."""
        whole, left, right = (sum(len(part[i]) for part in self.problem.lists) for i in range(3))
        mean, _, _, lower, upper = _told(self.posterior)
        matched = float(self.posterior["n_matched"].sum("session").mean())
        kind = "trusted" if self.trusted else "NOT trusted"
        return (
            f"TwoFlankFit ({kind}): {whole} whole animals, {left} left-flank and {right} right-flank identities\n"
            f"of which {matched:.1f} pairs are expected to be one animal. N {mean:.1f} ({lower:.0f} to {upper:.0f})"
        )


def fit_two_flanks(
    model: TwoFlanks, history: CaptureHistory, mask: Mask | Mapping[str, Mask], *, draws: int, chains: int, seed: Any
) -> TwoFlankFit:
    """Compute the posterior; see :meth:`TwoFlanks.fit`."""
    problem, number = FlankProblem(model.model, history, mask), whole_seed(seed)
    drawn = laplace_draws(problem, draws=draws, chains=chains, seed=number)
    if not drawn.trusted:
        notice(f"The draws of two flanks are not the posterior: {'; '.join(drawn.problems)}.", ConvergenceWarning)
    found = _Drawn(problem, drawn.draws, np.random.default_rng([number, OF_MATCHINGS]))
    posterior = posterior_dataset(problem, drawn.draws, found.expected, found.detected, seed=number)
    total = np.array([part.first_pair for part in problem.lists]) - found.matched
    undetected = found.rng.poisson(np.maximum(found.expected - found.detected, 0.0))
    units = {"units": "animals"}
    posterior["N"] = ((*SAMPLE, "session"), total + undetected, units)
    posterior["n_matched"] = ((*SAMPLE, "session"), found.matched, units)
    return TwoFlankFit(model, problem, drawn, posterior, _match_table(problem, found.paired))


class _Drawn:
    """What is drawn for each draw of the coefficients.

    Parameters
    ----------
    problem
        The model with its data.
    theta
        (chain, draw, P).
    rng
        Chance of the matchings.
    """

    def __init__(self, problem: FlankProblem, theta: Floats, rng: np.random.Generator) -> None:
        self.problem, self.rng = problem, rng
        flat = theta.reshape(-1, theta.shape[-1])
        shape = (len(flat), len(problem.lists))
        self.expected, self.detected = np.empty(shape), np.empty(shape)
        self.matched = np.empty(shape, np.int64)
        self.paired = [np.zeros((len(part.left), len(part.right))) for part in problem.lists]
        draws = distinct_draws(flat)
        repeats = np.split(np.argsort(draws.place, kind="stable"), np.cumsum(np.bincount(draws.place))[:-1])
        rows = iter(repeats)
        for block in in_blocks(problem.evaluate_many, draws.theta):
            for b in range(len(block[0].expected)):
                self._take(block, b, next(rows))
        by_chain = (*theta.shape[:2], -1)
        self.expected, self.detected = self.expected.reshape(by_chain), self.detected.reshape(by_chain)
        self.matched = self.matched.reshape(by_chain)
        self.paired = [table / len(flat) for table in self.paired]

    def _take(self, block: list[Evaluations], b: int, rows: Any) -> None:
        """One distinct draw, which stands for some rows."""
        for s, (session, e) in enumerate(zip(self.problem.flank_sessions, block, strict=True)):
            self.expected[rows, s], self.detected[rows, s] = e.expected[b], e.detected[b]
            matchings = session.matchings(e.log_history[b])
            self.paired[s] += len(rows) * matchings.probability()
            self.matched[rows, s] = [len(matchings.draw(self.rng)) for _ in rows]


def _match_table(problem: FlankProblem, paired: list[Floats]) -> pd.DataFrame:
    rows: list[tuple[str, str, str, float]] = []
    for session, lists, chance in zip(problem.given.sessions, problem.lists, paired, strict=True):
        names = problem.given.arrays(session).individuals
        rows += [(session, names[lists.left[a]], names[lists.right[b]], chance[a, b]) for a, b in lists.pair]
    table = pd.DataFrame(rows, columns=["session", "left", "right", "probability"])
    return table.sort_values("probability", ascending=False, kind="stable", ignore_index=True)


def _most_matched(lists: Any) -> int:
    """Most pairs that can be one animal at once."""
    from scipy.sparse import coo_array, csr_array
    from scipy.sparse.csgraph import maximum_bipartite_matching

    a, b = lists.pair.T
    graph = csr_array(coo_array((np.ones(len(a)), (a, b)), shape=(len(lists.left), len(lists.right))))
    return int((maximum_bipartite_matching(graph, perm_type="column") >= 0).sum()) if len(a) else 0


def _told(posterior: xr.Dataset) -> list[float]:
    """Mean, median, sd and 95 % interval of N over all sessions."""
    total = np.asarray(posterior["N"].sum("session")).reshape(-1)
    middle, lower, upper = np.quantile(total, [0.5, 0.025, 0.975])
    return [float(total.mean()), float(middle), float(total.std(ddof=1)), float(lower), float(upper)]
