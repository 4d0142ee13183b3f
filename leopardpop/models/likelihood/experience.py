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
    """Naive less own effort over the occasions that each animal lived through, sparse (n, U)."""
    mixes: Any
    """Own less naive effort on the occasion of each row of detections, sparse (m, U); None unless multi-catch."""


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
    from scipy.sparse import csr_array, eye_array, vstack

    n_naive = len(naive.times)
    back, of_animal = _distinct(experience.given_back)
    blocks, n_rows = [csr_array(naive.weights), back], n_naive + back.shape[0]
    combine = [eye_array(n_rows, format="csr")]
    columns = [_indicator(of_animal, np.arange(len(of_animal)), (len(naive.given_back), back.shape[0]))]
    visits = naive.visits
    if experience.mixes is not None:
        delta, of_row = _distinct(experience.mixes)
        changed = np.flatnonzero(of_row >= 0)
        pairs, mix = np.unique(np.column_stack([pattern, of_row])[changed], axis=0, return_inverse=True)
        blocks.append(delta)
        combine.append(_mix_rows(pairs, n_rows, n_rows + delta.shape[0]))
        visits = visits.copy()
        np.subtract.at(visits, (individual[changed], pattern[changed]), 1.0)
        columns.append(_indicator(mix.reshape(-1), individual[changed], (len(visits), len(pairs))))
    n_vectors = sum(block.shape[0] for block in combine)
    n_sums = sum(block.shape[0] for block in blocks)
    padded = [csr_array((b.data, b.indices, b.indptr), shape=(b.shape[0], n_sums)) for b in combine]
    nothing = [np.zeros_like(column) for column in columns]
    return Vectors(
        vstack(blocks, format="csr"),
        np.concatenate([naive.times, np.zeros(n_vectors - n_naive)]),
        np.hstack([naive.given_back, columns[0], *nothing[1:]]),
        np.hstack([visits, nothing[0], *columns[1:]]),
        vstack(padded, format="csr") if len(combine) > 1 else None,
    )


def _distinct(table: Any) -> tuple[Any, Ints]:
    """Distinct rows of a sparse table that are not zero, and which of them each row is; -1 where it is zero."""
    seen: dict[tuple[bytes, bytes], int] = {}
    code, first = np.full(table.shape[0], -1, np.intp), []
    for row in range(table.shape[0]):
        part = slice(table.indptr[row], table.indptr[row + 1])
        if part.start == part.stop:
            continue
        key = table.indices[part].tobytes(), table.data[part].tobytes()
        if key not in seen:
            seen[key] = len(seen)
            first.append(row)
        code[row] = seen[key]
    return table[np.array(first, np.intp)], code


def _indicator(column: Ints, row: Ints, shape: tuple[int, int]) -> Floats:
    """Table of counts of (row, column), rows without a column (-1) left out."""
    table = np.zeros(shape)
    known = column >= 0
    np.add.at(table, (row[known], column[known]), 1.0)
    return table


def _mix_rows(pairs: Any, first: int, width: int) -> Any:
    """Rows that add a naive vector (pairs[:, 0]) and a change (pairs[:, 1], counted from ``first``)."""
    from scipy.sparse import csr_array

    row = np.repeat(np.arange(len(pairs)), 2)
    column = (pairs + np.array([0, first])).reshape(-1)
    return csr_array((np.ones(len(row)), (row, column)), shape=(len(pairs), width))
