"""Animals that were never detected: the part of the likelihood that needs no history."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from leopardpop.models.likelihood.placing import total_hazard

if TYPE_CHECKING:
    from leopardpop.models.likelihood.session import Evaluation, SessionLikelihood
    from leopardpop.models.likelihood.terms import Floats
    from leopardpop.models.problem import Problem

__all__ = ["Void", "void_of", "voids"]


class Void(NamedTuple):
    """One session at one draw."""

    missed: Floats
    """Probability of never being detected by class and cell, (C, J)."""
    share: Floats
    """Shares of the classes, (C,)."""
    intensity: Floats
    """Expected number of animals by cell, (J,)."""

    @property
    def undetected(self) -> Floats:
        """Expected number of animals never detected by class and cell, (C, J)."""
        return self.share[:, None] * self.missed * self.intensity

    @property
    def pdot(self) -> Floats:
        """Probability of being detected at least once, whatever the class, (J,)."""
        return np.asarray(1.0 - self.share @ self.missed)


def void_of(session: SessionLikelihood, evaluation: Evaluation) -> Void:
    """The void of a session that has been evaluated."""
    return Void(session.missed(evaluation), np.exp(evaluation.log_share), evaluation.intensity)


def voids(problem: Problem, theta: Floats) -> list[Void]:
    """The void of every session at theta (P,), without its histories: a fraction of the work."""
    shares, n_classes = problem.layout.shares, len(problem.levels)
    share = np.ones(1) if shares is None else np.exp(shares.log_shares(theta))
    natural = problem.natural(theta)
    result = []
    for s, session in enumerate(problem.sessions):
        tables = {name: rows[s].reshape(n_classes, -1) for name, rows in natural.items() if name != "D"}
        by_class = [{name: table[c] for name, table in tables.items()} for c in range(n_classes)]
        missed = np.stack([np.exp(-total_hazard(session, values)) for values in by_class])
        result.append(Void(missed, share, np.exp(natural["D"][s]) * session.terms.area))
    return result
