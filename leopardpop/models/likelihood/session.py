"""The likelihood of one session over classes of animals."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from leopardpop.components.counts import SIZE
from leopardpop.models.likelihood.counts import CountTerm
from leopardpop.models.likelihood.form import Form, Forward, Parameters
from leopardpop.models.likelihood.placing import share_by_set
from leopardpop.models.likelihood.terms import Floats, Ints, SessionTerms
from leopardpop.models.likelihood.together import Sets, Together, one_set

__all__ = ["Evaluation", "Evaluations", "SessionLikelihood", "SessionSlopes"]


class Evaluation(NamedTuple):
    """One session at one set of parameters."""

    log_history: Floats
    """log Σ_c π_c Σ_x D a Pr(w | x, c) of each history, (h,)."""
    detected: float
    """Expected number of detected animals."""
    expected: float
    """Expected number of animals in the mask."""
    intensity: Floats
    """D a, (J,)."""
    log_share: Floats
    """log π, (C,)."""
    forwards: list[Forward]
    size: Floats | None = None
    """Sizes of negative-binomial counts by station, (K,)."""


class Evaluations(NamedTuple):
    """One session at B draws."""

    log_place: Floats
    """log of π_c Σ_x D a Pr(w | x, c) over the cells of each set, (B, h, C, A)."""
    detected: Floats
    """Expected number of detected animals, (B,)."""
    expected: Floats
    """Expected number of animals in the mask, (B,)."""
    undetected: Floats
    """Expected number of animals never detected by class and set of cells, (B, C, A)."""
    size: Floats | None = None
    """Sizes of negative-binomial counts by station, (B, K)."""

    @property
    def log_history(self) -> Floats:
        """log Σ_c π_c Σ_x D a Pr(w | x, c) of each history, (B, h)."""
        if self.log_place.shape[2:] == (1, 1):
            return self.log_place[:, :, 0, 0]
        result: Floats = np.logaddexp.reduce(self.log_place, axis=(2, 3))
        return result

    @property
    def chances(self) -> Floats:
        """Pr(class and set | history), (B, h, C, A)."""
        result: Floats = np.exp(self.log_place - self.log_history[:, :, None, None])
        return result


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
        """Evaluate at log D (J,), natural parameters (K,) by class, and log π (C,)."""
        intensity = np.exp(log_density) * self.terms.area
        by_class = np.full((len(parameters), self.terms.n_histories), -np.inf)
        forwards, seen = [], np.zeros_like(intensity)
        for c, values in enumerate(parameters):
            forward = self.form.forward(log_density, values, self.rows[c])
            by_class[c, self.rows[c]] = log_share[c] + forward.log_total
            seen -= np.exp(log_share[c]) * np.expm1(-forward.total_hazard)
            forwards.append(forward)
        log_history = by_class[0] if len(parameters) == 1 else np.logaddexp.reduce(by_class, axis=0)
        detected, expected = float((intensity * seen).sum()), float(intensity.sum())
        return Evaluation(log_history, detected, expected, intensity, log_share, forwards, self._size(parameters))

    def evaluate_many(
        self,
        log_density: Floats,
        parameters: list[Parameters],
        log_share: Floats,
        sets: Sets | None = None,
        *,
        animals: bool = True,
    ) -> Evaluations:
        """Evaluate at B draws: everything has a leading axis.

        Parameters
        ----------
        log_density, parameters, log_share
            log D (B, J), natural parameters (B, K) by class, log π (B, C).
        sets
            Sets of cells over which animals are summed; all cells in one unless told.
        animals
            Whether the histories are wanted, not the void alone.
        """
        sets, n = sets or one_set(len(self.terms.area)), len(log_density)
        log_place = np.full((n, self.terms.n_histories, len(parameters), sets.number), -np.inf)
        detected, expected = np.zeros(n), np.zeros(n)
        undetected = np.empty((n, len(parameters), sets.number))
        for c, values in enumerate(parameters):
            rows = self.rows[c] if animals else self.rows[c][:0]
            found = self._of_class(log_density, values, rows, sets)
            log_place[:, rows, c] = log_share[:, c, None, None] + found.log_total
            share = np.exp(log_share[:, c])
            detected += share * found.detected
            undetected[:, c] = share[:, None] * found.undetected
            expected = found.expected
        return Evaluations(log_place, detected, expected, undetected, self._size(parameters))

    def _size(self, parameters: list[Parameters]) -> Floats | None:
        """Sizes of negative-binomial counts, which all classes share."""
        return None if self.terms.bursts is None else parameters[0][SIZE]

    def _of_class(self, log_density: Floats, parameters: Parameters, rows: Ints, sets: Sets) -> Together:
        """All draws in one call where that is possible, one by one where it is not."""
        found = self.form.together(log_density, parameters, rows, sets)
        left = np.arange(len(log_density)) if found is None else found.failed
        each = [self._alone(log_density[b], {k: v[b] for k, v in parameters.items()}, rows, sets) for b in left]
        if found is None:
            return Together(*(np.stack(column) for column in zip(*each, strict=True)))
        for b, one in zip(left, each, strict=True):
            found.log_total[b], found.expected[b], found.detected[b], found.undetected[b] = one
        return found

    def _alone(self, log_density: Floats, parameters: Parameters, rows: Ints, sets: Sets) -> tuple[Any, ...]:
        """One draw: log totals by set (h, A), expected and detected number, undetected ones by set (A,)."""
        forward = self.form.forward(log_density, parameters, rows)
        intensity = np.exp(log_density) * self.terms.area
        void = np.exp(-forward.total_hazard) * intensity
        log_total = forward.log_total[:, None] + np.log(share_by_set(self.form, forward, sets))
        detected = -(intensity * np.expm1(-forward.total_hazard)).sum()
        return log_total, intensity.sum(), detected, np.bincount(sets.of_cell, void, sets.number)

    def log_animals(self, evaluation: Evaluation) -> Floats:
        """log Σ_x D a Pr(w_i | x) of each animal, constants included, (n,)."""
        result: Floats = evaluation.log_history[self.terms.history] + self.terms.constants(evaluation.size)
        return result

    def times(self, evaluation: Evaluation) -> Floats:
        """How many animals each history is of, (h,)."""
        return self.terms.multiplicity

    def slopes(self, evaluation: Evaluation, count: CountTerm) -> SessionSlopes:
        """Derivatives of Σ log_animals + f."""
        times = self.times(evaluation)
        share = np.exp(evaluation.log_share)
        log_density = np.full(len(evaluation.intensity), count.by_expected) * evaluation.intensity
        by_class, log_share = [], np.empty(len(share))
        for c, forward in enumerate(evaluation.forwards):
            known = evaluation.log_share[c] + forward.log_total - evaluation.log_history[forward.rows]
            weights = np.exp(known) * times[forward.rows]
            void = np.exp(-forward.total_hazard)
            reach = count.by_detected * share[c] * evaluation.intensity
            slopes = self.form.backward(forward, weights, reach * void)
            log_density += slopes.log_density + reach * (1.0 - void)
            by_class.append(slopes.parameters)
            log_share[c] = weights.sum() + (reach * (1.0 - void)).sum()
        if self.terms.bursts is not None and evaluation.size is not None:
            by_class[0][SIZE] = by_class[0][SIZE] + self.terms.bursts.slopes(evaluation.size)
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
