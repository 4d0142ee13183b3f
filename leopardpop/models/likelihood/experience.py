"""What behaviour adds to the void vectors: effort given back at naive units and met at experienced ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from leopardpop.models.likelihood.terms import Floats, Ints

__all__ = ["Experience", "Vectors", "with_experience"]


class Experience(NamedTuple):
    """How detected animals differ from naive ones."""

    effort: Floats
    """Effort at the station and occasion of each row of detections, (m,)."""
    given_back: Any
    """Distinct rows of naive less own effort over the occasions that an animal lived through, sparse (D, U)."""
    of_animal: Ints
    """Row of each animal, -1 for none, (n,)."""
    mixes: Any
    """Distinct rows of own less naive effort on one occasion, sparse (M, U); empty unless multi-catch."""
    of_row: Ints
    """Row of the occasion of each row of detections, -1 for none, (m,)."""


class Vectors(NamedTuple):
    """Void vectors: W, t, r and c, and of which sums of rows of W they are made."""

    weights: Any
    """(P, U), dense or sparse."""
    times: Floats
    """(V,)."""
    given_back: Floats
    """(n, V)."""
    visits: Floats
    """(n, V)."""
    combine: Any = None
    """Sparse (V, P); None: the identity."""


def with_experience(naive: Vectors, pattern: Ints, individual: Ints, experience: Experience) -> Vectors:
    """Add what the animals' experience makes of the void.

    An animal with history gets a vector of its own that is given back: naive less own effort. With multi-catch
    detectors an occasion with a detection has its own mix of units, a naive vector and what is changed in it.

    Parameters
    ----------
    naive
        The vectors of naive animals; every row of detections is among the visits.
    pattern
        Naive vector of the occasion of each row of detections, (m,); used with multi-catch only.
    individual
        Animal of each row, (m,).
    experience
        How the animals differ.
    """
    from scipy.sparse import csr_array, vstack

    n_naive, n_back = len(naive.times), experience.given_back.shape[0]
    changed = np.flatnonzero(experience.of_row >= 0)
    keys = np.column_stack([pattern, experience.of_row])[changed].reshape(-1, 2)
    pairs, mix = np.unique(keys, axis=0, return_inverse=True)
    visits = naive.visits.copy()
    np.subtract.at(visits, (individual[changed], pattern[changed]), 1.0)
    n = len(visits)
    own = _indicator(experience.of_animal, np.arange(n), (n, n_back))
    mixed = _indicator(mix.reshape(-1), individual[changed], (n, len(pairs)))
    return Vectors(
        vstack([csr_array(naive.weights), experience.given_back, experience.mixes], format="csr"),
        np.concatenate([naive.times, np.zeros(n_back + len(pairs))]),
        np.hstack([naive.given_back, own, np.zeros_like(mixed)]),
        np.hstack([visits, np.zeros_like(own), mixed]),
        _combination(pairs, n_naive + n_back, experience.mixes.shape[0]) if len(pairs) else None,
    )


def _indicator(column: Ints, row: Ints, shape: tuple[int, int]) -> Floats:
    """Table of counts of (row, column), rows without a column (-1) left out."""
    table = np.zeros(shape)
    known = column >= 0
    np.add.at(table, (row[known], column[known]), 1.0)
    return table


def _combination(pairs: Any, n_plain: int, n_changes: int) -> Any:
    """The first vectors as they are; then sums of a naive one (pairs[:, 0]) and a change (pairs[:, 1])."""
    from scipy.sparse import csr_array, eye_array, vstack

    row = np.repeat(np.arange(len(pairs)), 2)
    column = (pairs + np.array([0, n_plain])).reshape(-1)
    width = n_plain + n_changes
    sums = csr_array((np.ones(len(row)), (row, column)), shape=(len(pairs), width))
    return vstack([eye_array(n_plain, width), sums], format="csr")
