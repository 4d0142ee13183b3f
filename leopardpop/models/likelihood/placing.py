"""Where animals of a session can be: Pr(cell | history), summed over sets of cells or over animals, and the void.

Maps and counts by region need sums, not the table of animals by cells. On a lattice they are the likelihood's own sums
with the weight of all other cells set to zero; elsewhere the table of one draw is formed and added up.
"""

from __future__ import annotations

import numpy as np

from leopardpop.models.likelihood.form import Form, Forward, Parameters
from leopardpop.models.likelihood.histories import PlainHistories, Summation
from leopardpop.models.likelihood.separable import SeparableForm, State
from leopardpop.models.likelihood.session import Evaluation, SessionLikelihood
from leopardpop.models.likelihood.terms import Floats, Ints

__all__ = ["Placing", "by_cell", "class_given_history", "total_hazard"]

FEW = 12
"""Sets up to which summing again is cheaper than forming the table, where histories have ratios."""


class Placing:
    """Sums of Pr(cell, class | history) over sets of cells that do not overlap.

    Parameters
    ----------
    session
        The session's likelihood.
    atom
        Set of each cell, (J,), from 0; none is empty.
    n_atoms
        Number of sets A.
    """

    def __init__(self, session: SessionLikelihood, atom: Ints, n_atoms: int) -> None:
        self.session, self.n_atoms = session, n_atoms
        self.order = np.argsort(atom, kind="stable")
        self.start = np.searchsorted(atom[self.order], np.arange(n_atoms))
        self.largest = int(np.argmax(np.bincount(atom, minlength=n_atoms)))
        self.inside = np.empty((n_atoms, 0))
        if isinstance(session.form, SeparableForm):
            self.inside = np.zeros((n_atoms, session.form.shape[0] * session.form.shape[1]))
            self.inside[atom, session.form.lattice.place] = 1.0

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
        state = forward.state
        if not isinstance(form, SeparableForm) or not isinstance(state, State):
            result = self.by_atom(form.centres(forward))
        elif self.n_atoms <= FEW or isinstance(form.summation, PlainHistories):
            result = self._summed_again(form.summation, state)
        else:
            result = np.stack([self.inside @ form.summation.joint(state.job, i) for i in range(len(forward.rows))])
        chances: Floats = result / result.sum(1, keepdims=True)
        return chances

    def _summed_again(self, summation: Summation, state: State) -> Floats:
        """Sums over each set of cells; the largest one is what the others leave."""
        result = np.zeros((len(state.summed), self.n_atoms))
        for a in range(self.n_atoms):
            if a != self.largest:
                result[:, a] = summation.sums(state.job._replace(weight=state.job.weight * self.inside[a]))
        result[:, self.largest] = np.maximum(state.summed - result.sum(1), 0.0)
        return result


def by_cell(session: SessionLikelihood, evaluation: Evaluation) -> Floats:
    """Expected number of detected animals centred in each cell given their histories, (J,)."""
    result = np.zeros(len(evaluation.intensity))
    for c, forward in enumerate(evaluation.forwards):
        weight = class_given_history(evaluation, c) * session.terms.multiplicity[forward.rows]
        if not len(weight):
            continue
        if isinstance(session.form, SeparableForm):
            # The slope of a history's log total with respect to the log density of a cell is Pr(cell | history).
            result += session.form.backward(forward, weight, np.zeros_like(result)).log_density
        else:
            result += weight @ session.form.centres(forward)
    return result


def total_hazard(session: SessionLikelihood, parameters: Parameters) -> Floats:
    """H(x) over all stations and occasions for one class of animals, without a look at histories, (J,)."""
    form, terms = session.form, session.terms
    if isinstance(form, SeparableForm):
        log_base, precision = np.log(parameters[form.baseline]), 0.5 / parameters["sigma"] ** 2
        hazards = terms.vectors(form.tables.hazards(log_base, precision, form.place))
        return np.asarray((terms.times @ hazards)[form.lattice.place])
    return form.forward(np.zeros(len(terms.area)), parameters, np.empty(0, np.intp)).total_hazard


def class_given_history(evaluation: Evaluation, c: int) -> Floats:
    """Pr(class c | history) of the histories that can be of the class."""
    forward = evaluation.forwards[c]
    result: Floats = np.exp(evaluation.log_share[c] + forward.log_total - evaluation.log_history[forward.rows])
    return result
