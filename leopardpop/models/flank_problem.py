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
from math import lgamma
from typing import TYPE_CHECKING

import numpy as np

from leopardpop.errors import ModelError
from leopardpop.models.density_integral import surface_of
from leopardpop.models.flank_lists import FlankLists, flank_lists, most_matched, with_pairs
from leopardpop.models.likelihood.counts import CountTerm
from leopardpop.models.likelihood.session import Evaluation, SessionLikelihood
from leopardpop.models.matching import Matchings, sum_matchings
from leopardpop.models.problem import Pointwise, Problem
from leopardpop.models.scr import SCR

if TYPE_CHECKING:
    from leopardpop.data.history import CaptureHistory
    from leopardpop.data.mask import Mask
    from leopardpop.models.likelihood.terms import Floats
    from leopardpop.models.two_flanks import TwoFlanks

__all__ = ["FlankProblem", "FlankSession", "problem_of"]

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

    def times(self, evaluation: Evaluation) -> Floats:
        """How many animals each history is of: a pair counts by its probability, identities by what is left, (h,)."""
        return self.times_of(evaluation.log_history)

    def times_of(self, log_history: Floats) -> Floats:
        """The same, of the log sums of the histories: the slopes of :meth:`log_identities`."""
        paired = self.matchings(log_history).probability()
        weights = np.ones(self.terms.n_animals)
        weights[self.left] -= paired.sum(1)
        weights[self.right] -= paired.sum(0)
        weights[self.lists.first_pair :] = paired[tuple(self.lists.pair.T)]
        return np.bincount(self.terms.history, weights, self.terms.n_histories)

    def centres(self, evaluation: Evaluation) -> Floats:
        """Pr(cell | data) of the animal of each identity, over who is who, (n, J)."""
        result: Floats = self._shares(evaluation) @ super().centres(evaluation)
        return result

    def classes(self, evaluation: Evaluation) -> Floats:
        """Pr(class | data) of the animal of each identity, over who is who, (n, C)."""
        result: Floats = self._shares(evaluation) @ super().classes(evaluation)
        return result

    def _shares(self, evaluation: Evaluation) -> Floats:
        """Pr(identity is this one of the larger history), (n, n with pairs); each row adds up to 1."""
        paired = self.matchings(evaluation.log_history).probability()
        alone = np.ones(self.lists.first_pair)
        alone[self.left] -= paired.sum(1)
        alone[self.right] -= paired.sum(0)
        shares = np.zeros((len(alone), self.terms.n_animals))
        shares[self.lists.identity, np.arange(len(alone))] = alone
        a, b = self.lists.pair.T
        pairs = np.arange(self.lists.first_pair, self.terms.n_animals)
        shares[self.lists.left[a], pairs] = paired[a, b]
        shares[self.lists.right[b], pairs] = paired[a, b]
        return shares


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

    knows_animals = False

    def __init__(self, model: SCR, history: CaptureHistory, mask: Mask | Mapping[str, Mask]) -> None:
        self.lists = flank_lists(history)
        super().__init__(model, with_pairs(history, self.lists), mask, _VoidAlone())
        if surface_of(self) is not None:
            raise ModelError(
                "a smooth surface of density with two flanks: its coefficients are integrated out given where each "
                "animal lives, and nobody knows which identities are one animal. Use covariates, or one flank."
            )
        plain, self.mask = self.sessions, mask
        self.given = self.history = history
        self.data = [history.arrays(session) for session in history.sessions]
        self.flank_sessions = [FlankSession(p, part) for p, part in zip(plain, self.lists, strict=True)]
        self.sessions = list(self.flank_sessions)

    @property
    def stated(self) -> TwoFlanks:
        """The model as its user wrote it."""
        from leopardpop.models.two_flanks import TwoFlanks

        return TwoFlanks(model=self.model)

    @property
    def fewest(self) -> list[int]:
        """Fewest animals that can be behind the identities of each session: as many paired as can be."""
        return [part.first_pair - most_matched(part) for part in self.lists]

    @property
    def n_animals(self) -> int:
        """Fewest animals that can be behind the identities, over all sessions."""
        return sum(self.fewest)

    def paired(self, theta: Floats) -> list[Floats]:
        """Pr(left identity = right identity) at theta (P,) by session, (L, R)."""
        pairs = zip(self.flank_sessions, self.evaluate(theta), strict=True)
        return [session.matchings(e.log_history).probability() for session, e in pairs]

    def starts(self) -> list[Floats]:
        """Points to start the search from: those of the identities taken as animals."""
        alone = Problem(self.model, self.given, self.mask, levels=self.levels)
        found = alone.starts()
        return sorted(found, key=lambda theta: -self.value(theta))

    def pointwise(self, theta: Floats) -> Pointwise:
        """The likelihood at theta (..., P) by session: of the identities with who is who, and of the void.

        The identities of a session are tied together, so that ``capture`` has one value a session, log Π A Π U Π V Z /
        (n_B! n_L! n_R!), and ``n_detected`` is −Λ.
        """
        theta = np.asarray(theta, float)
        if theta.ndim == 1:
            return Pointwise(*(field[0] for field in self.pointwise(theta[None])))
        evaluations = self.evaluate_many(theta)
        pairs = zip(self.flank_sessions, evaluations, strict=True)
        identities = [[session.log_identities(row) for row in e.log_history] for session, e in pairs]
        detected = np.stack([e.detected for e in evaluations], axis=-1)
        expected = np.stack([e.expected for e in evaluations], axis=-1)
        return Pointwise(np.array(identities).T, -detected, detected, expected)


def problem_of(model: SCR | TwoFlanks, history: CaptureHistory, mask: Mask | Mapping[str, Mask]) -> Problem:
    """A model of whole identities or of two flanks with its data."""
    return Problem(model, history, mask) if isinstance(model, SCR) else FlankProblem(model.model, history, mask)
