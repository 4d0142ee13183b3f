"""Where the detected animals of a session can be: Pr(cell | history), summed over sets of cells or over animals.

Maps and counts by region need sums, not the table of animals by cells. On a lattice the sums of a hazard half-normal
are again matrix products; anything else forms the table of one draw and adds up.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from leopardpop.models.likelihood.form import Form, Forward
from leopardpop.models.likelihood.separable import SeparableForm, State
from leopardpop.models.likelihood.session import Evaluation, SessionLikelihood
from leopardpop.models.likelihood.terms import Floats, Ints

__all__ = ["Placing", "by_cell", "class_given_history"]


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
        self.order = np.argsort(atom, kind="stable")
        self.start = np.searchsorted(atom[self.order], np.arange(n_atoms))
        self.windows = _windows(session.form, atom, n_atoms) if isinstance(session.form, SeparableForm) else []

    def table(self, evaluation: Evaluation) -> Floats:
        """Pr(class and set | history) of each distinct history, (h, C, A)."""
        result = np.zeros((self.session.terms.n_histories, len(evaluation.forwards), self.n_atoms))
        for c, forward in enumerate(evaluation.forwards):
            share = class_given_history(evaluation, c)
            result[forward.rows, c] = share[:, None] * self._by_atom(self.session.form, forward)
        return result

    def by_atom(self, cells: Floats) -> Floats:
        """Sums over the sets of numbers by cell, (..., J) to (..., A)."""
        result: Floats = np.add.reduceat(cells[..., self.order], self.start, axis=-1)
        return result

    def _by_atom(self, form: Form, forward: Forward) -> Floats:
        """Pr(set | history, class) of the histories asked for, (h, A)."""
        if self.n_atoms == 1 or not len(forward.rows):
            return np.ones((len(forward.rows), self.n_atoms))
        if isinstance(form, SeparableForm) and forward.state.ratio is None and forward.state.fallback is None:
            sums = np.stack([_window_sums(form, forward, window) for window in self.windows], axis=1)
        else:
            sums = self.by_atom(form.centres(forward))
        result: Floats = sums / sums.sum(1, keepdims=True)
        return result


def by_cell(session: SessionLikelihood, evaluation: Evaluation) -> Floats:
    """Expected number of detected animals centred in each cell given their histories, (J,)."""
    result = np.zeros(len(evaluation.intensity))
    for c, forward in enumerate(evaluation.forwards):
        if len(forward.rows):
            weight = class_given_history(evaluation, c) * session.terms.multiplicity[forward.rows]
            # The slope of a history's log total with respect to the log density of a cell is Pr(cell | history).
            result += session.form.backward(forward, weight, np.zeros_like(result)).log_density
    return result


def class_given_history(evaluation: Evaluation, c: int) -> Floats:
    """Pr(class c | history) of the histories that can be of the class."""
    forward = evaluation.forwards[c]
    result: Floats = np.exp(evaluation.log_share[c] + forward.log_total - evaluation.log_history[forward.rows])
    return result


def _windows(form: SeparableForm, atom: Ints, n_atoms: int) -> list[_Window]:
    """Smallest window of the lattice around each set."""
    table = np.full(form.shape[0] * form.shape[1], -1)
    table[form.lattice.place] = atom
    table = table.reshape(form.shape)
    result = []
    for a in range(n_atoms):
        inside = table == a
        x, y = (np.flatnonzero(inside.any(axis)) for axis in (1, 0))
        at = slice(x[0], x[-1] + 1), slice(y[0], y[-1] + 1)
        result.append(_Window(*at, inside[at].astype(float)))
    return result


def _window_sums(form: SeparableForm, forward: Forward, window: _Window) -> Floats:
    """Σ over the cells of a window of the weights of each history, (h,)."""
    state: State = forward.state
    group = form.void.group[forward.rows]
    factor_x, factor_y = state.marginals[0][:, window.x], state.marginals[1][:, window.y]
    along = np.empty_like(factor_y)
    for g, weight in enumerate(state.weight):
        here = group == g
        along[here] = factor_x[here] @ (weight.reshape(form.shape)[window.x, window.y] * window.inside)
    result: Floats = (along * factor_y).sum(1)
    return result
