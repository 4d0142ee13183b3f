"""A model meets its data: everything the engines ask for, as functions of one flat vector."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from math import lgamma
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from leopardpop.components.classes import Mixture, class_column
from leopardpop.components.counts import check_size, parameters_of
from leopardpop.models.detection_rows import DetectionRows
from leopardpop.models.ghosts import check_naive, without_singles
from leopardpop.models.latent import latent_levels
from leopardpop.models.likelihood.counts import BinomialN, NumberOfAnimals, PoissonN
from leopardpop.models.likelihood.separable import make_forms
from leopardpop.models.likelihood.session import Evaluation, Evaluations, SessionLikelihood
from leopardpop.models.likelihood.terms import Squares, session_terms
from leopardpop.models.paths import UNREACHABLE
from leopardpop.models.prior_terms import PriorTerms, resolve_priors
from leopardpop.models.scr_layout import scr_layout
from leopardpop.models.starts import starting_points
from leopardpop.models.tables import (
    class_codes,
    class_levels,
    masks_by_session,
)

if TYPE_CHECKING:
    from leopardpop.data.arrays import SessionArrays
    from leopardpop.data.history import CaptureHistory
    from leopardpop.data.mask import Mask
    from leopardpop.models.likelihood.terms import Floats, Ints, SessionTerms
    from leopardpop.models.likelihood.together import Sets
    from leopardpop.models.scr import SCR

__all__ = ["Pointwise", "Problem"]

DRAWS_TIMES_CELLS = 1_000_000


class Pointwise(NamedTuple):
    """The log-likelihood in the pieces that leave-one-out needs, and the expected numbers."""

    capture: Floats
    """log Pr(w_i | detected) of each animal, all sessions, (n,)."""
    n_detected: Floats
    """log Pr(n) by session, (S,)."""
    detected: Floats
    """Expected number of detected animals by session, (S,)."""
    expected: Floats
    """Expected number of animals in the mask by session, (S,)."""


class Problem:
    """Likelihood, prior and posterior of a model for a history on a mask.

    Parameters
    ----------
    model
        The model.
    history
        The capture history.
    mask
        One mask, or one a session.
    number
        Distribution of the number of animals; that of the model unless told.
    levels
        Levels of the classes; those of the detected animals unless told.
    ordered
        Whether latent classes are kept in order, as a posterior needs it; theta then holds the logarithm of the
        coefficient that orders them.
    """

    knows_animals = True
    """Whether each identity is an animal of its own."""

    def __init__(
        self,
        model: SCR,
        history: CaptureHistory,
        mask: Mask | Mapping[str, Mask],
        number: NumberOfAnimals | None = None,
        *,
        levels: tuple[str, ...] | None = None,
        ordered: bool = True,
    ) -> None:
        self.model, self.given = model, history
        self.history = history if not model.ghosts else without_singles(model, history)
        self.masks = masks_by_session(history, mask)
        self.data: list[SessionArrays] = [self.history.arrays(s) for s in history.sessions]
        self.number = number or (BinomialN() if model.distribution == "binomial" else PoissonN())
        self.column = class_column(model.classes)
        self.levels = levels or _levels(model.classes, self.data)
        check_size(model, history.detector, self.column)
        self.detection = DetectionRows(parameters_of(model), self.data, self.column, self.levels, history.detector)
        self.units = self.detection.units
        check_naive(model, self.units)
        self.layout = scr_layout(self, ordered=ordered)
        self.distances = self._distances()
        terms = [self._terms_of_session(s) for s in range(len(self.data))]
        forms = make_forms(terms, model.detection)
        self.sessions = [SessionLikelihood(t, f, len(self.levels)) for t, f in zip(terms, forms, strict=True)]

    def _distances(self) -> list[Floats] | None:
        """Distance from each station to each cell by session, m, (K, J); None where they are straight lines."""
        if self.model.distance is None:
            return None
        return [self.model.distance.table(self.masks[data.session], data) for data in self.data]

    @cached_property
    def stretch(self) -> float:
        """Median of the distances from stations to cells over those of straight lines."""
        if self.distances is None:
            return 1.0
        ratios = []
        for data, table in zip(self.data, self.distances, strict=True):
            mask = self.masks[data.session]
            straight = np.hypot(data.xy[:, :1] - mask.x, data.xy[:, 1:] - mask.y)
            ratios.append((table / np.maximum(straight, 1.0))[(table < UNREACHABLE) & (straight > 0)])
        return float(np.median(np.concatenate(ratios)))

    def squared_distances(self, s: int, cell: Ints) -> Floats:
        """Squared distances from some cells of a session (n,) to its stations, m², (n, K)."""
        data, mask = self.data[s], self.masks[self.data[s].session]
        if self.distances is not None:
            return np.asarray(self.distances[s][:, cell].T ** 2)
        difference = np.column_stack([mask.x, mask.y])[cell][:, None, :] - data.xy
        return np.asarray((difference**2).sum(-1))

    def _terms_of_session(self, s: int) -> SessionTerms:
        units, mask = self.units[s], self.masks[self.data[s].session]
        cells = np.column_stack([mask.x, mask.y])
        codes = class_codes(self.data[s], self.column, self.levels)
        squares = None if self.distances is None else Squares(self.distances[s] ** 2, units.station)
        return session_terms(
            units.arrays, self.history.detector, cells, mask.area, codes, units.experience, squares,
            in_bursts=self.model.counts == "negbin", without_singles=self.model.ghosts,
        )  # fmt: skip

    @cached_property
    def priors(self) -> PriorTerms:
        """Priors of all coefficients."""
        return resolve_priors(self.layout, self.model.priors, self.data, self.history.effort_unit, stretch=self.stretch)

    @property
    def stated(self) -> Any:
        """The model as its user wrote it."""
        return self.model

    @property
    def fewest(self) -> list[int]:
        """Fewest animals that can be behind the identities of each session."""
        return [len(data.individuals) for data in self.data]

    @property
    def labels(self) -> list[str]:
        """Labels of the coefficients."""
        return self.layout.labels

    @property
    def names(self) -> tuple[str, ...]:
        """Labels of the coefficients, for the engines."""
        return tuple(self.layout.labels)

    @property
    def n_animals(self) -> int:
        """Number of detected animals over all sessions."""
        return sum(len(d.individuals) for d in self.data)

    @property
    def density_by_session(self) -> bool:
        """Whether D is told by session: several of them, and a formula that is not constant."""
        return len(self.data) > 1 and not self.layout["D"].is_constant

    def __getstate__(self) -> dict[str, Any]:
        """Leave out what is made again on demand (compiled priors do not travel between processes)."""
        return {k: v for k, v in self.__dict__.items() if k != "priors"}

    # -- evaluation ---------------------------------------------------------------------------------------------------
    def natural(self, theta: Floats) -> dict[str, list[Floats]]:
        """Natural-scale value of every parameter on its rows, by session; D stays on the log scale."""
        result = {}
        for p in self.layout.parts:
            rows = p.predictor(theta)
            result[p.name] = rows if p.name == "D" else [np.asarray(p.link.inverse(r)) for r in rows]
        return result

    def evaluate(self, theta: Floats) -> list[Evaluation]:
        """Evaluate all sessions at theta (P,)."""
        return self._of_sessions(theta, lambda s, *at: self.sessions[s].evaluate(*at))

    def evaluate_many(
        self, thetas: Floats, sets: Sequence[Sets] | None = None, *, animals: bool = True
    ) -> list[Evaluations]:
        """Evaluate all sessions at many theta (B, P); see :meth:`SessionLikelihood.evaluate_many`."""
        chosen: Sequence[Sets | None] = sets or [None] * len(self.sessions)
        return self._of_sessions(thetas, lambda s, *at: self.sessions[s].evaluate_many(*at, chosen[s], animals=animals))

    def _of_sessions[T](self, theta: Floats, function: Callable[..., T]) -> list[T]:
        """Results of ``function(session, log D, natural parameters by class, log π)``."""
        theta = np.asarray(theta, float)
        with np.errstate(all="ignore"):
            values = self.natural(theta)
            log_share = self.layout.shares.log_shares(theta) if self.layout.shares else np.zeros((*theta.shape[:-1], 1))
            return [
                function(s, values["D"][s], self._by_class(values, s), log_share) for s in range(len(self.sessions))
            ]

    def _by_class(self, values: dict[str, list[Floats]], s: int) -> list[dict[str, Floats]]:
        tables = {
            name: v[s].reshape(*v[s].shape[:-1], len(self.levels), -1) for name, v in values.items() if name != "D"
        }
        return [{name: table[..., c, :] for name, table in tables.items()} for c in range(len(self.levels))]

    def _terms(self, evaluations: list[Evaluation]) -> list[Any]:
        return [
            self.number.term(session.terms.n_animals, e.detected, e.expected)
            for session, e in zip(self.sessions, evaluations, strict=True)
        ]

    def log_likelihood(self, theta: Floats) -> float:
        """Log-likelihood with every constant; −inf or nan outside."""
        evaluations = self.evaluate(theta)
        pairs = zip(self.sessions, evaluations, strict=True)
        animals = sum(float(session.log_animals(e).sum()) for session, e in pairs)
        return float(animals + sum(t.value for t in self._terms(evaluations)))

    def log_likelihood_gradient(self, theta: Floats) -> tuple[float, Floats]:
        """Log-likelihood and its gradient (P,)."""
        value, gradient, _ = self._value_and_gradient(np.asarray(theta, float), with_number_prior=False)
        return value, gradient

    def _value_and_gradient(self, theta: Floats, *, with_number_prior: bool) -> tuple[float, Floats, float]:
        evaluations = self.evaluate(theta)
        value, number_prior = 0.0, 0.0
        cotangents: dict[str, list[Floats]] = {p.name: [] for p in self.layout.parts}
        by_share = np.zeros(len(self.levels))
        with np.errstate(all="ignore"):
            for session, e in zip(self.sessions, evaluations, strict=True):
                term = self.number.term(session.terms.n_animals, e.detected, e.expected)
                value += float(session.log_animals(e).sum()) + term.value
                if with_number_prior:
                    number_prior, slope = self.priors.log_density_number(e.expected)
                    term = term._replace(by_expected=term.by_expected + slope)
                slopes = session.slopes(e, term)
                cotangents["D"].append(slopes.log_density)
                for name in cotangents:
                    if name != "D":
                        cotangents[name].append(np.concatenate([c[name] for c in slopes.parameters]))
                by_share += slopes.log_share
            return value, self._pull(theta, cotangents, by_share), number_prior

    def _pull(self, theta: Floats, cotangents: dict[str, list[Floats]], by_share: Floats) -> Floats:
        """From slopes on the rows (with respect to log parameters) to the gradient over theta."""
        gradient = np.zeros(self.layout.size)
        for p in self.layout.parts:
            rows = np.concatenate(cotangents[p.name])
            if p.name != "D":
                eta = p.predictor_of_rows(theta)
                rows = rows * p.link.inverse_derivative(eta) / p.link.inverse(eta)
            p.pull(theta, rows, gradient)
        if self.layout.shares is not None:
            share = np.exp(self.layout.shares.log_shares(theta))
            gradient[self.layout.shares.place] = (by_share - share * by_share.sum())[1:]
        return gradient

    # -- posterior: what an engine calls ------------------------------------------------------------------------------
    def value(self, theta: Floats) -> float:
        """Unnormalised log posterior density of theta."""
        return self.posterior_of(theta, self.evaluate(theta))

    def posterior_of(self, theta: Floats, evaluations: list[Evaluation]) -> float:
        """Unnormalised log posterior density of theta, at which all sessions were evaluated."""
        pairs = zip(self.sessions, evaluations, strict=True)
        likelihood = sum(float(session.log_animals(e).sum()) for session, e in pairs)
        likelihood += sum(t.value for t in self._terms(evaluations))
        theta = np.asarray(theta, float)
        prior = self.priors.log_density(theta)[0] + self.layout.log_effects(theta)
        if self.priors.number is not None:
            prior += self.priors.log_density_number(evaluations[0].expected)[0]
        total = likelihood + prior
        return float(total) if np.isfinite(total) else float("-inf")

    def gradient(self, theta: Floats) -> tuple[float, Floats]:
        """Unnormalised log posterior density and its gradient (P,)."""
        theta = np.asarray(theta, float)
        has_number = self.priors.number is not None
        value, gradient, number_prior = self._value_and_gradient(theta, with_number_prior=has_number)
        prior, slope = self.priors.log_density(theta)
        gradient += slope
        prior += self.layout.add_effect_slopes(theta, gradient)
        return value + prior + number_prior, gradient

    log_posterior = value
    log_posterior_gradient = gradient

    def starts(self) -> list[Floats]:
        """Points to start the search for the mode from, the best first."""
        return starting_points(self)

    def graph(self, *, kernel: bool = False) -> Any:
        """Build the PyMC model; with ``kernel`` around the likelihood in NumPy, else of elementary operations."""
        from leopardpop.models.graph import build_model

        return build_model(self, kernel=kernel)

    # -- what is derived from draws -----------------------------------------------------------------------------------
    def to_beta(self, theta: Floats) -> Floats:
        """Coefficients of the covariates as given, (..., P)."""
        return self.layout.to_beta(theta)

    def to_theta(self, beta: Floats) -> Floats:
        """Coefficients of the standardised covariates, (..., P)."""
        return self.layout.to_theta(beta)

    def pointwise(self, theta: Floats) -> Pointwise:
        """Pointwise log-likelihood of the Poisson model at theta (..., P), with the leading axes first in each field.

        Σ capture + Σ n_detected is the log-likelihood.
        """
        theta = np.asarray(theta, float)
        if theta.ndim == 1:
            return Pointwise(*(field[0] for field in self.pointwise(theta[None])))
        evaluations = self.evaluate_many(theta)
        captures, counts = [], []
        with np.errstate(all="ignore"):
            for session, e in zip(self.sessions, evaluations, strict=True):
                n, terms, log_detected = session.terms.n_animals, session.terms, np.log(e.detected)
                captures.append(e.log_history[:, terms.history] + terms.constants(e.size) - log_detected[:, None])
                counts.append((n * log_detected if n else 0.0) - e.detected - lgamma(n + 1.0))
        detected = np.stack([e.detected for e in evaluations], axis=-1)
        expected = np.stack([e.expected for e in evaluations], axis=-1)
        return Pointwise(np.concatenate(captures, axis=-1), np.stack(counts, axis=-1), detected, expected)

    def log_posteriors(self, thetas: Floats, pieces: Pointwise) -> Floats:
        """Log posterior of many theta (B, P), of which the likelihood is known in pieces, (B,)."""
        prior = self.priors.log_densities(thetas) + self.layout.log_effects(thetas)
        if self.priors.number is not None:
            prior += np.array([self.priors.log_density_number(float(e))[0] for e in pieces.expected[:, 0]])
        total: Floats = pieces.capture.sum(-1) + pieces.n_detected.sum(-1) + prior
        return total

    @cached_property
    def batch(self) -> int:
        """Number of draws that are evaluated together: all that one thread takes, unless their tables are large."""
        largest = max(len(s.terms.area) for s in self.sessions)
        return int(np.clip(DRAWS_TIMES_CELLS // largest, 1, 64))

    def centres(self, theta: Floats) -> list[Floats]:
        """Pr(cell | w_i) by session, (n, J)."""
        return [s.centres(e) for s, e in zip(self.sessions, self.evaluate(theta), strict=True)]

    def classes(self, theta: Floats) -> list[Floats]:
        """Pr(class | w_i) by session, (n, C)."""
        return [s.classes(e) for s, e in zip(self.sessions, self.evaluate(theta), strict=True)]

    def density(self, theta: Floats) -> list[Floats]:
        """D of each cell by session, per km², (J,)."""
        return [np.exp(rows) for rows in self.layout["D"].predictor(np.asarray(theta, float))]

    def undetected(self, theta: Floats) -> list[Floats]:
        """Expected number of undetected animals of each class and cell by session, (C, J)."""
        return [
            np.exp(e.log_share)[:, None] * s.missed(e) * e.intensity
            for s, e in zip(self.sessions, self.evaluate(theta), strict=True)
        ]

    def pdot(self, theta: Floats) -> list[Floats]:
        """Pr(detected at least once | centre in the cell) by session, averaged over classes, (J,)."""
        return [
            1.0 - np.exp(e.log_share) @ s.missed(e) for s, e in zip(self.sessions, self.evaluate(theta), strict=True)
        ]


def _levels(classes: str | Mixture | None, data: list[SessionArrays]) -> tuple[str, ...]:
    if isinstance(classes, Mixture):
        return latent_levels(classes, data)
    return class_levels(data, classes) if classes else ("all",)
