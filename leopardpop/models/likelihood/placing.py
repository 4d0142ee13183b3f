"""Where the detected animals of a session can be: Pr(cell | history), summed over sets of cells or over animals.

Maps and counts by region need sums, not the table of animals by cells. On a lattice such sums are again matrix
products; anything else forms the table of one draw and adds up.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from leopardpop.models.likelihood.dense import DenseForm
from leopardpop.models.likelihood.form import Forward
from leopardpop.models.likelihood.separable import SeparableForm, State
from leopardpop.models.likelihood.session import Evaluation, SessionLikelihood
from leopardpop.models.likelihood.terms import Floats, Ints

__all__ = ["Placing"]


class _Window(NamedTuple):
    """The part of the lattice that holds one set of cells."""

    x: slice
    y: slice
    inside: Floats
    """1 on the cells of the set, 0 elsewhere, (x, y) of the window."""


class Placing:
    """Sums of Pr(cell, class | history) over sets of cells that do not overlap.

    Parameters
    ----------
    session
        The session's likelihood.
    atom
        Set of each cell, (J,), from 0.
    n_atoms
        Number of sets A.
    """

    def __init__(self, session: SessionLikelihood, atom: Ints, n_atoms: int) -> None:
        self.session, self.atom, self.n_atoms = session, atom, n_atoms
        self._windows = _windows(session.form, atom, n_atoms) if isinstance(session.form, SeparableForm) else []

    def table(self, evaluation: Evaluation) -> Floats:
        """Pr(class and set | history) of each distinct history, (h, C, A)."""
        terms = self.session.terms
        result = np.zeros((terms.n_histories, len(evaluation.forwards), self.n_atoms))
        for c, forward in enumerate(evaluation.forwards):
            share = class_given_history(evaluation, c)
            result[forward.rows, c] = share[:, None] * self._by_atom(forward)
        return result

    def _by_atom(self, forward: Forward) -> Floats:
        """Pr(set | history, class) of the histories asked for, (h, A)."""
        if self.n_atoms == 1 or not len(forward.rows):
            return np.ones((len(forward.rows), self.n_atoms))
        form = self.session.form
        if isinstance(form, SeparableForm) and forward.state.fallback is None:
            result = np.stack([_window_sum(form, forward, window) for window in self._windows], axis=1)
        else:
            cells = form.centres(forward)
            result = np.stack([np.bincount(self.atom, row, self.n_atoms) for row in cells])
        total: Floats = result / result.sum(1, keepdims=True)
        return total


def by_cell(session: SessionLikelihood, evaluation: Evaluation) -> Floats:
    """Expected number of detected animals centred in each cell given their histories, (J,)."""
    result = np.zeros(len(evaluation.intensity))
    for c, forward in enumerate(evaluation.forwards):
        weight = class_given_history(evaluation, c) * session.terms.multiplicity[forward.rows]
        result += _cells_of(session.form, forward, weight)
    return result


def class_given_history(evaluation: Evaluation, c: int) -> Floats:
    """Pr(class c | history) of the histories that can be of the class."""
    forward = evaluation.forwards[c]
    return np.exp(evaluation.log_share[c] + forward.log_total - evaluation.log_history[forward.rows])


def _cells_of(form: DenseForm | SeparableForm, forward: Forward, weight: Floats) -> Floats:
    """Σ over histories of weight · Pr(cell | history), (J,)."""
    if not isinstance(form, SeparableForm) or forward.state.fallback is not None:
        return weight @ form.centres(forward)
    state: State = forward.state
    factor_x, factor_y = state.marginals
    left = factor_x * (weight / state.summed)[:, None]
    posterior = state.posterior.reshape(-1, *form.shape)
    if form.has_ratio:
        table = np.einsum("hxy,hx,hy->xy", posterior, left, factor_y)
    else:
        group = form.void.group[forward.rows]
        table = sum(
            (posterior[g] * (left[group == g].T @ factor_y[group == g]) for g in range(len(posterior))),
            np.zeros(form.shape),
        )
    return table.reshape(-1)[form.lattice.place]


def _windows(form: SeparableForm, atom: Ints, n_atoms: int) -> list[_Window]:
    """Smallest window of the lattice around each set."""
    on_lattice = np.full(form.shape[0] * form.shape[1], -1)
    on_lattice[form.lattice.place] = atom
    table = on_lattice.reshape(form.shape)
    result = []
    for a in range(n_atoms):
        inside = table == a
        x, y = (np.flatnonzero(inside.any(axis)) for axis in (1, 0))
        at = slice(x[0], x[-1] + 1), slice(y[0], y[-1] + 1)
        result.append(_Window(*at, inside[at].astype(float)))
    return result


def _window_sum(form: SeparableForm, forward: Forward, window: _Window) -> Floats:
    """Σ over the cells of the window of Pr(cell | history), times what all histories share, (h,)."""
    state: State = forward.state
    factor_x, factor_y = state.marginals[0][:, window.x], state.marginals[1][:, window.y]
    posterior = state.posterior.reshape(-1, *form.shape)[:, window.x, window.y] * window.inside
    if form.has_ratio:
        along = np.matmul(factor_x[:, None, :], posterior)[:, 0]
    else:
        group = form.void.group[forward.rows]
        along = np.empty((len(factor_x), posterior.shape[2]))
        for g in range(len(posterior)):
            along[group == g] = factor_x[group == g] @ posterior[g]
    result: Floats = (along * factor_y).sum(1) / state.summed
    return result
