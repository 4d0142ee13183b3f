r"""Sites that pass through hidden states: the forward algorithm, and the way back from it.

With :math:`\pi_k` the law of the first state, :math:`P_{jk}` the transitions and :math:`e_{tk} = \log\Pr(\text{visits
of season } t \mid k)`,

.. math::
    a_{1k} = \log\pi_k + e_{1k}, \qquad
    a_{tk} = e_{tk} + \log\sum_j \exp(a_{t-1,j} + \log P_{jk}), \qquad
    \log L = \log\sum_k \exp a_{Tk}.

Everything is an array over sites; loops go over seasons and states. A season without a visit has e = 0: a gap between
seasons is a season in which nobody looked.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Forward", "Smoothed", "draw_states", "forward", "log_sum", "smooth", "stationary_law"]

Floats = NDArray[np.float64]
type Transition = Callable[[int, int, int], Floats]
"""log Pr(after | before) of a transition (0 is from the first season to the second): (t, before, after) -> (..., N)."""


class Forward(NamedTuple):
    """Log probabilities of the visits so far together with the state, lists by season of lists by state."""

    log_site: Floats
    """log Pr(all visits of a site), (..., N)."""
    filtered: list[list[Floats]]
    """a, with the visits of the season; (..., N) each."""
    predicted: list[list[Floats]]
    """a − e, without them, from the second season on; (..., N) each."""


class Smoothed(NamedTuple):
    """Probabilities of states given all visits of the site."""

    states: list[list[Floats]]
    """Pr(state), by season and state, (N,) each."""
    pairs: list[list[list[Floats]]]
    """Pr(state before, state after), by transition, before and after, (N,) each."""


def log_sum(values: Sequence[Floats]) -> Floats:
    """Log of the sum of exponentials of several arrays."""
    top = reduce(np.maximum, values)
    total = np.exp(values[0] - top)
    for value in values[1:]:
        total = total + np.exp(value - top)
    result: Floats = top + np.log(total)
    return result


def forward(initial: Sequence[Floats], transition: Transition, emission: Sequence[Floats]) -> Forward:
    """Go forward through the seasons.

    Parameters
    ----------
    initial
        log Pr(state) in the first season, by state, (..., N) or (..., 1).
    transition
        Log probabilities of transitions; not asked for in a single season.
    emission
        log Pr(visits | state), by state, (..., T, N).
    """
    states = range(len(initial))
    filtered = [[initial[k] + emission[k][..., 0, :] for k in states]]
    predicted: list[list[Floats]] = []
    for t in range(emission[0].shape[-2] - 1):
        before = filtered[-1]
        step = [log_sum([before[j] + transition(t, j, k) for j in states]) for k in states]
        predicted.append(step)
        filtered.append([step[k] + emission[k][..., t + 1, :] for k in states])
    return Forward(log_sum(filtered[-1]), filtered, predicted)


def smooth(run: Forward, transition: Transition) -> Smoothed:
    """Go back through the seasons: probabilities of the states, and of pairs of them, given all visits."""
    states = range(len(run.filtered[0]))
    smoothed = [[np.exp(a - run.log_site) for a in run.filtered[-1]]]
    pairs: list[list[list[Floats]]] = []
    for t in reversed(range(len(run.predicted))):
        after = smoothed[0]
        pair = [
            [after[k] * np.exp(run.filtered[t][j] + transition(t, j, k) - run.predicted[t][k]) for k in states]
            for j in states
        ]
        pairs.insert(0, pair)
        smoothed.insert(0, [sum(row[1:], row[0]) for row in pair])
    return Smoothed(smoothed, pairs)


def draw_states(run: Forward, transition: Transition, rng: np.random.Generator) -> NDArray[np.int8]:
    """Draw the states of all seasons together, given all visits: forward filtering, backward sampling.

    Parameters
    ----------
    run
        Result of :func:`forward`, (..., N).
    transition
        As there.
    rng
        Source of chance.

    Returns
    -------
    ndarray
        States, (..., T, N), int8.
    """
    states = range(len(run.filtered[0]))
    drawn = [_draw([np.exp(a - run.log_site) for a in run.filtered[-1]], rng)]
    for t in reversed(range(len(run.predicted))):
        after = drawn[0]
        weights = [
            np.exp(
                run.filtered[t][j]
                + _chosen([transition(t, j, k) for k in states], after)
                - _chosen(run.predicted[t], after)
            )
            for j in states
        ]
        drawn.insert(0, _draw(weights, rng))
    return np.stack(drawn, axis=-2)


def stationary_law(moves: Floats) -> Floats:
    """Law (..., K, N) that transitions (..., K before, K after, N) leave as it is.

    Examples
    --------
    >>> moves = np.array([[0.9, 0.1], [0.3, 0.7]])[..., None]
    >>> stationary_law(moves)[..., 0].round(6).tolist()
    [0.75, 0.25]
    """
    n_states = moves.shape[-3]
    equations = np.moveaxis(moves, -1, -3).swapaxes(-1, -2) - np.eye(n_states)
    equations[..., -1, :] = 1.0  # one of the equations follows from the others: in its place, that the law sums to one
    right = np.zeros((*equations.shape[:-1], 1))
    right[..., -1, 0] = 1.0
    law: Floats = np.moveaxis(np.linalg.solve(equations, right)[..., 0], -1, -2)
    return law


def _chosen(values: Sequence[Floats], state: NDArray[np.int8]) -> Floats:
    """Value of the state that each site is in."""
    result = np.broadcast_to(values[0], state.shape)
    for k, value in enumerate(values[1:], start=1):
        result = np.where(state == k, value, result)
    return result


def _draw(weights: Sequence[Floats], rng: np.random.Generator) -> NDArray[np.int8]:
    """One state of each site; the weights sum to one but for rounding."""
    level = rng.random(weights[0].shape) * sum(weights[1:], weights[0])
    state = np.zeros(level.shape, np.int8)
    passed = np.zeros(level.shape)
    for weight in weights[:-1]:
        passed = passed + weight
        state += level >= passed
    return state
