"""What both forms of the likelihood share: the void of the histories, and the shape of their answers."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

import numpy as np

from leopardpop.components.special import TINY, log_expm1_ratio
from leopardpop.models.likelihood.terms import Floats, Ints, SessionTerms
from leopardpop.models.likelihood.together import Sets, Together

__all__ = [
    "Form",
    "Forward",
    "HistoryVoid",
    "Slopes",
    "group_weights",
    "history_terms",
    "history_void",
    "multi_slope",
    "void_cotangent",
]

type Parameters = dict[str, Floats]

DENSE_ENTRIES = 256
"""Up to so many entries a matrix is never made sparse."""


class Forward(NamedTuple):
    """The likelihood of one class: what was asked for, and what the way back needs."""

    log_total: Floats
    """log Σ_x D a Pr(w | x) of each history asked for, constants left out, (h,)."""
    total_hazard: Floats
    """H(x) over all stations and occasions, less log(1 + S) where animals detected once are left out, (J,)."""
    rows: Ints
    """Histories asked for, (h,)."""
    state: Any
    """Whatever the form keeps for the way back."""


class Slopes(NamedTuple):
    """Derivatives of a weighted sum of log totals and of a function of the void."""

    log_density: Floats
    """With respect to log D of each cell, (J,)."""
    parameters: Parameters
    """With respect to the log of each natural parameter at each station, (K,)."""


class Form(Protocol):
    """One way to compute the likelihood of a session for one class of animals."""

    def forward(self, log_density: Floats, parameters: Parameters, rows: Ints) -> Forward:
        """Log totals of the histories ``rows``."""

    def together(self, log_density: Floats, parameters: Parameters, rows: Ints, sets: Sets) -> Together | None:
        """Many draws, with a leading axis of log_density and parameters; None if they are better done one by one."""

    def backward(self, forward: Forward, weights: Floats, rate: Floats) -> Slopes:
        """Derivatives of Σ weights·log_total + F, given rate = ∂F/∂H(x), H as in :attr:`Forward.total_hazard`."""

    def centres(self, forward: Forward) -> Floats:
        """Pr(cell | history) of the histories asked for, (h, J)."""

    def once(self, forward: Forward) -> Floats:
        """Probability of one detection where such animals are left out, (J,)."""


class HistoryVoid(NamedTuple):
    """Histories that share what is given back and visited."""

    given_back: Any
    """r, (groups, V), dense or sparse."""
    visits: Any
    """c at the vectors that are visited, (groups, v), dense or sparse."""
    visited: Any
    """Which vectors any history visits, (v,) positions or a slice."""
    silent: Any
    """t − r − c, (groups, V), dense or sparse."""
    gains: bool
    """Whether any of them is negative: what is given back is part of another vector."""
    group: Ints
    """Row of each history."""

    @property
    def number(self) -> int:
        """Number of groups."""
        return int(self.silent.shape[0])


def history_void(terms: SessionTerms) -> HistoryVoid:
    """Group the histories by their (r, c)."""
    traits = np.column_stack([terms.given_back, terms.visits])
    distinct, group = np.unique(traits, axis=0, return_inverse=True)
    given_back, visits = np.split(distinct, 2, axis=1)
    silent = terms.times - given_back - visits
    visited = np.flatnonzero(visits.any(0))
    everything = len(visited) == len(terms.times)
    return HistoryVoid(
        _operator(given_back),
        _operator(visits[:, visited]),
        slice(None) if everything else visited,
        _operator(silent),
        bool((silent < 0).any()),
        group.reshape(-1),
    )


def _operator(matrix: Floats) -> Any:
    """Return the matrix, sparse if it is large and mostly zero."""
    if matrix.size < DENSE_ENTRIES or np.count_nonzero(matrix) > 0.2 * matrix.size:
        return matrix
    from scipy.sparse import csr_array

    return csr_array(matrix)


def void_cotangent(terms: SessionTerms, void: HistoryVoid, hazards: Floats, by_group: Floats, rate: Floats) -> Floats:
    """Derivative with respect to each H_v(x), (V, J).

    Parameters
    ----------
    hazards
        H_v(x), (V, J).
    by_group
        Σ weights·Pr(cell | history) over the histories of each group, (groups, J).
    rate
        ∂F/∂H(x), (J,).
    """
    result: Floats = void.given_back.T @ by_group
    naive = np.flatnonzero(terms.times)
    result[naive] += terms.times[naive, None] * (rate - by_group.sum(0))
    if void.visits.shape[1]:
        visited = hazards[void.visited]
        slope = multi_slope(visited) if isinstance(void.visits, np.ndarray) else _many_slopes(visited)
        result[void.visited] += slope * (void.visits.T @ by_group)
    return result


def _many_slopes(hazards: Floats) -> Floats:
    """What :func:`multi_slope` returns, compiled."""
    from leopardpop.models.likelihood.compiled import ratio_slopes

    slopes = np.empty_like(hazards)
    ratio_slopes(hazards, np.exp(-hazards), slopes)
    return slopes


def history_terms(void: HistoryVoid, hazards: Floats) -> Floats:
    """r·H + c·V(H) of each group, (groups, J)."""
    result: Floats = void.given_back @ hazards
    if void.visits.shape[1]:
        result += void.visits @ log_expm1_ratio(hazards[void.visited])
    return result


def group_weights(void: HistoryVoid, hazards: Floats) -> Floats:
    r"""exp(−t·H + r·H + c·V(H)) of each group, (groups, L), as a product of what never exceeds one.

    With S = exp(−H) and Q = (1 − S)/H it is Π_v S_v^(t_v − r_v − c_v) Q_v^(c_v).
    """
    result: Floats = np.exp(-(void.silent @ hazards))
    if void.visits.shape[1]:
        visited = hazards[void.visited]
        if isinstance(void.visits, np.ndarray):
            result *= np.exp(void.visits @ np.log(-np.expm1(-visited - TINY) / (visited + TINY)))
        else:
            _multiply_many(result, visited, void.visits)
    return result


def _multiply_many(result: Floats, hazards: Floats, visits: Any) -> None:
    """Multiply by ((1 − exp(−H))/H)^c, compiled: where there are many vectors and each is visited by few groups."""
    from leopardpop.models.likelihood.compiled import multiply_ratios

    silent = np.negative(hazards)
    multiply_ratios(result, hazards, np.exp(silent, out=silent), visits.indptr, visits.indices, visits.data)


def multi_slope(hazard: Floats) -> Floats:
    """Derivative of V(H) = log((exp(H) − 1)/H): 1/2 at zero."""
    safe = np.maximum(hazard, 1e-4)
    slope: Floats = np.where(hazard < 1e-4, 0.5 + hazard / 12.0, -1.0 / np.expm1(-safe) - 1.0 / safe)
    return slope
