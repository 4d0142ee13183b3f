"""Where animals of a session can be: Pr(cell | history), summed over sets of cells or over animals, and the void.

Maps and counts by region need sums, not the table of animals by cells. On a lattice they are the likelihood's own sums
with the weight of all other cells set to zero; elsewhere the table of one draw is formed and added up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from leopardpop.models.likelihood.form import Form, Forward, Parameters
from leopardpop.models.likelihood.histories import PlainHistories, Summation
from leopardpop.models.likelihood.separable import SeparableForm, State
from leopardpop.models.likelihood.terms import Floats
from leopardpop.models.likelihood.together import Sets

if TYPE_CHECKING:
    from leopardpop.models.likelihood.session import Evaluation, SessionLikelihood

__all__ = ["by_cell", "class_given_history", "share_by_set", "total_hazard"]

FEW = 12
"""Sets up to which summing again is cheaper than forming the table, where histories have ratios."""


def share_by_set(form: Form, forward: Forward, sets: Sets) -> Floats:
    """Pr(set | history, class) of the histories asked for, (h, A)."""
    if sets.number == 1 or not len(forward.rows):
        return np.ones((len(forward.rows), sets.number))
    inside = np.zeros((sets.number, len(sets.of_cell)))
    inside[sets.of_cell, np.arange(len(sets.of_cell))] = 1.0
    state = forward.state
    if not isinstance(form, SeparableForm) or not isinstance(state, State):
        return np.asarray(form.centres(forward) @ inside.T)
    on_lattice = np.zeros((sets.number, form.shape[0] * form.shape[1]))
    on_lattice[:, form.lattice.place] = inside
    if sets.number <= FEW or isinstance(form.summation, PlainHistories):
        result = _summed_again(form.summation, state, on_lattice)
    else:
        result = np.stack([on_lattice @ joint for joint in form.summation.joints(state.job)])
    chances: Floats = result / result.sum(1, keepdims=True)
    return chances


def _summed_again(summation: Summation, state: State, inside: Floats) -> Floats:
    """Sums over each set of places (A, L); the largest one is what the others leave."""
    result, largest = np.zeros((len(state.summed), len(inside))), int(np.argmax(inside.sum(1)))
    for a, places in enumerate(inside):
        if a != largest:
            result[:, a] = summation.sums(state.job._replace(weight=state.job.weight * places))
    result[:, largest] = np.maximum(state.summed - result.sum(1), 0.0)
    return result


def by_cell(session: SessionLikelihood, evaluation: Evaluation) -> Floats:
    """Expected number of detected animals centred in each cell given their histories, (J,)."""
    result, times = np.zeros(len(evaluation.intensity)), session.times(evaluation)
    for c, forward in enumerate(evaluation.forwards):
        weight = class_given_history(evaluation, c) * times[forward.rows]
        if not len(weight):
            continue
        if isinstance(session.form, SeparableForm):
            # The slope of a history's log total with respect to the log density of a cell is Pr(cell | history).
            result += session.form.backward(forward, weight, np.zeros_like(result)).log_density
        else:
            result += weight @ session.form.centres(forward)
    return result


def total_hazard(session: SessionLikelihood, parameters: Parameters) -> Floats:
    """:attr:`.Forward.total_hazard` for one class of animals, without a look at histories, (J,)."""
    form, terms = session.form, session.terms
    if isinstance(form, SeparableForm) and form.counts_singles(np.log(parameters[form.baseline])):
        log_base, precision = np.log(parameters[form.baseline]), 0.5 / parameters["sigma"] ** 2
        hazards = terms.vectors(form.tables.hazards(log_base, precision, form.place))
        odds = form.odds(hazards, log_base, precision)
        return np.asarray((terms.times @ hazards - np.log1p(odds))[form.lattice.place])
    return form.forward(np.zeros(len(terms.area)), parameters, np.empty(0, np.intp)).total_hazard


def class_given_history(evaluation: Evaluation, c: int) -> Floats:
    """Pr(class c | history) of the histories that can be of the class."""
    forward = evaluation.forwards[c]
    result: Floats = np.exp(evaluation.log_share[c] + forward.log_total - evaluation.log_history[forward.rows])
    return result
