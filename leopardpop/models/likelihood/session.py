"""The likelihood of one session over classes of animals."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from leopardpop.models.likelihood.counts import CountTerm
from leopardpop.models.likelihood.form import Form, Forward, Parameters
from leopardpop.models.likelihood.terms import Floats, SessionTerms

__all__ = ["Evaluation", "SessionLikelihood", "SessionSlopes"]


class Evaluation(NamedTuple):
    """One session at one set of parameters, or at a batch of them (with a leading axis everywhere)."""

    log_history: Floats
    """log Σ_c π_c Σ_x D a Pr(w | x, c) of each history, (h,)."""
    detected: Any
    """Expected number of detected animals."""
    expected: Any
    """Expected number of animals in the mask."""
    intensity: Floats
    """D a, (J,)."""
    log_share: Floats
    """log π, (C,)."""
    forwards: list[Forward]


class SessionSlopes(NamedTuple):
    """Derivatives of a session's log-likelihood."""

    log_density: Floats
    """(J,)."""
    parameters: list[Parameters]
    """By class: with respect to the log of each natural parameter at each station."""
    log_share: Floats
    """With respect to log π, (C,)."""


class SessionLikelihood:
    """Likelihood of one session.

    Parameters
    ----------
    terms
        The session's data.
    form
        How its likelihood is computed.
    n_classes
        Number of classes of animals.
    """

    def __init__(self, terms: SessionTerms, form: Form, n_classes: int) -> None:
        self.terms = terms
        self.form = form
        codes = terms.class_code
        self.rows = [np.flatnonzero((codes == c) | (codes < 0)) for c in range(n_classes)]

    def evaluate(self, log_density: Floats, parameters: list[Parameters], log_share: Floats) -> Evaluation:
        """Evaluate at log D (J,), natural parameters (K,) by class, and log π (C,); or at a batch of them."""
        intensity = np.exp(log_density) * self.terms.area
        by_class = np.full((len(parameters), *intensity.shape[:-1], self.terms.n_histories), -np.inf)
        forwards, seen = [], np.zeros_like(intensity)
        for c, values in enumerate(parameters):
            forward = self.form.forward(log_density, values, self.rows[c])
            by_class[c][..., self.rows[c]] = log_share[..., c, None] + forward.log_total
            seen -= np.exp(log_share[..., c, None]) * np.expm1(-forward.total_hazard)
            forwards.append(forward)
        log_history = by_class[0] if len(parameters) == 1 else np.logaddexp.reduce(by_class, axis=0)
        detected, expected = (intensity * seen).sum(-1), intensity.sum(-1)
        return Evaluation(log_history, detected, expected, intensity, log_share, forwards)

    def log_animals(self, evaluation: Evaluation) -> Floats:
        """log Σ_x D a Pr(w_i | x) of each animal, constants included, (..., n)."""
        result: Floats = evaluation.log_history[..., self.terms.history] + self.terms.constant
        return result

    def slopes(self, evaluation: Evaluation, count: CountTerm) -> SessionSlopes:
        """Derivatives of Σ log_animals + f."""
        share = np.exp(evaluation.log_share)
        log_density = np.full(len(evaluation.intensity), count.by_expected) * evaluation.intensity
        by_class, log_share = [], np.empty(len(share))
        for c, forward in enumerate(evaluation.forwards):
            known = evaluation.log_share[c] + forward.log_total - evaluation.log_history[forward.rows]
            weights = np.exp(known) * self.terms.multiplicity[forward.rows]
            void = np.exp(-forward.total_hazard)
            reach = count.by_detected * share[c] * evaluation.intensity
            slopes = self.form.backward(forward, weights, reach * void)
            log_density += slopes.log_density + reach * (1.0 - void)
            by_class.append(slopes.parameters)
            log_share[c] = weights.sum() + (reach * (1.0 - void)).sum()
        return SessionSlopes(log_density, by_class, log_share)

    def centres(self, evaluation: Evaluation) -> Floats:
        """Pr(cell | history of animal i), summed over classes, (n, J)."""
        result = np.zeros((self.terms.n_histories, len(evaluation.intensity)))
        for c, forward in enumerate(evaluation.forwards):
            known = evaluation.log_share[c] + forward.log_total - evaluation.log_history[forward.rows]
            result[forward.rows] += np.exp(known)[:, None] * self.form.centres(forward)
        return result[self.terms.history]

    def classes(self, evaluation: Evaluation) -> Floats:
        """Pr(class | history of animal i), (n, C)."""
        result = np.zeros((self.terms.n_histories, len(evaluation.forwards)))
        for c, forward in enumerate(evaluation.forwards):
            known = evaluation.log_share[c] + forward.log_total - evaluation.log_history[forward.rows]
            result[forward.rows, c] = np.exp(known)
        return result[self.terms.history]

    def missed(self, evaluation: Evaluation) -> Floats:
        """Pr(never detected | centre in the cell) by class, (C, J)."""
        return np.stack([np.exp(-forward.total_hazard) for forward in evaluation.forwards])
