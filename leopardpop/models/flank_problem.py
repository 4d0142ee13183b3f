r"""The likelihood of two flanks: whole animals, left and right identities, and the sum over who is who.

With A_i = Σ_x D a Pr(w_i | x) for whole animals, U_l and V_r the same for left and right identities taken as animals of
their own, and M_lr for the two taken as one,

.. math::
    L = e^{-\Lambda} \prod_B A_i \prod_l U_l \prod_r V_r \; Z / (n_B!\, n_L!\, n_R!), \qquad R_{lr} = M_{lr} / (U_l V_r)

and Z sums Π R over all partial matchings. The flank that an event shows does not depend on where the animal lives, so
the chances of left, right and both are factors of their own, alike for two identities and for their pair: they cancel
in R, tell nothing of density and are left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import lgamma
from typing import TYPE_CHECKING

import numpy as np

from leopardpop.models.flank_lists import FlankLists, flank_lists, with_pairs
from leopardpop.models.likelihood.counts import CountTerm
from leopardpop.models.likelihood.session import Evaluation, SessionLikelihood, SessionSlopes
from leopardpop.models.matching import Matchings, sum_matchings
from leopardpop.models.problem import Problem

if TYPE_CHECKING:
    from leopardpop.data.history import CaptureHistory
    from leopardpop.data.mask import Mask
    from leopardpop.models.likelihood.terms import Floats
    from leopardpop.models.scr import SCR

__all__ = ["FlankProblem", "FlankSession"]

LARGEST_LOG = 600.0


class _VoidAlone:
    """N is Poisson: f = −Λ; the arrangements are counted by flank."""

    def term(self, n: int, detected: float, expected: float) -> CountTerm:
        """Return f and its derivatives."""
        return CountTerm(-detected, -1.0, 0.0)


class FlankSession(SessionLikelihood):
    """Likelihood of one session of two flanks.

    Parameters
    ----------
    plain
        Likelihood of the larger history, pairs included.
    lists
        Who is who in it.
    """

    def __init__(self, plain: SessionLikelihood, lists: FlankLists) -> None:
        super().__init__(plain.terms, plain.form, len(plain.rows))
        self.lists = lists
        ends = np.cumsum([len(lists.whole), len(lists.left), len(lists.right)])
        self.arrangements = sum(lgamma(len(each) + 1.0) for each in (lists.whole, lists.left, lists.right))
        self.left, self.right = slice(ends[0], ends[1]), slice(ends[1], ends[2])

    def matchings(self, log_history: Floats) -> Matchings:
        """Sums over the matchings, from the log sums of the distinct histories, (h,)."""
        # The constants of a pair are those of its two identities, so that they cancel too.
        each = log_history[self.terms.history]
        weights = np.zeros((len(self.lists.left), len(self.lists.right)))
        a, b = self.lists.pair.T
        log_ratio = each[self.lists.first_pair :] - each[self.left][a] - each[self.right][b]
        weights[a, b] = np.exp(np.minimum(log_ratio, LARGEST_LOG))
        return sum_matchings(weights)

    def log_identities(self, log_history: Floats) -> float:
        """log of Π A · Π U · Π V · Z / (n_B! n_L! n_R!), constants included."""
        n = self.lists.first_pair
        if not np.isfinite(log_history).all():
            return float("-inf")
        alone = log_history[self.terms.history[:n]] + self.terms.constant[:n]
        return float(alone.sum()) + self.matchings(log_history).log_sum - self.arrangements

    def log_animals(self, evaluation: Evaluation) -> Floats:
        """Return the sum over all identities as one number, (1,): who is who ties them together."""
        return np.array([self.log_identities(evaluation.log_history)])

    def slopes(self, evaluation: Evaluation, count: CountTerm) -> SessionSlopes:
        """Derivatives of log_identities + f: each pair counts by its probability, identities by what is left."""
        paired = self.matchings(evaluation.log_history).probability()
        weights = np.ones(self.terms.n_animals)
        weights[self.left] -= paired.sum(1)
        weights[self.right] -= paired.sum(0)
        weights[self.lists.first_pair :] = paired[tuple(self.lists.pair.T)]
        by_history = np.bincount(self.terms.history, weights, self.terms.n_histories)
        weighted = SessionLikelihood(replace(self.terms, multiplicity=by_history), self.form, len(self.rows))
        return weighted.slopes(evaluation, count)


class FlankProblem(Problem):
    """Likelihood, prior and posterior of a model of two flanks.

    Parameters
    ----------
    model
        The model of one animal.
    history
        A history with flanks.
    mask
        One mask, or one a session.
    """

    def __init__(self, model: SCR, history: CaptureHistory, mask: Mask | Mapping[str, Mask]) -> None:
        self.lists = flank_lists(history)
        super().__init__(model, with_pairs(history, self.lists), mask, _VoidAlone())
        self.given = history
        plain, self.mask = self.sessions, mask
        self.flank_sessions = [FlankSession(p, part) for p, part in zip(plain, self.lists, strict=True)]
        self.sessions = list(self.flank_sessions)

    @property
    def n_animals(self) -> int:
        """Number of whole animals and of identities of the flank that has more: the fewest there can be."""
        return sum(len(p.whole) + max(len(p.left), len(p.right)) for p in self.lists)

    def starts(self) -> list[Floats]:
        """Points to start the search from: those of the identities taken as animals."""
        alone = Problem(self.model, self.given, self.mask, levels=self.levels)
        found = alone.starts()
        return sorted(found, key=lambda theta: -self.value(theta))

    def batch_value(self, thetas: Floats) -> Floats:
        """Log posterior of many theta (B, P), (B,)."""
        parts = [self._batch(thetas[i : i + self.batch]) for i in range(0, len(thetas), self.batch)]
        return np.concatenate(parts)

    def _batch(self, thetas: Floats) -> Floats:
        evaluations = self.evaluate_many(thetas)
        total = self.priors.log_densities(thetas) + self.layout.log_effects(thetas)
        for session, e in zip(self.flank_sessions, evaluations, strict=True):
            total += np.array([session.log_identities(row) for row in e.log_history])
            total -= e.detected
        if self.priors.number is not None:
            total += np.array([self.priors.log_density_number(float(n))[0] for n in evaluations[0].expected])
        return np.where(np.isnan(total), -np.inf, total)
