r"""How far the priors, and not the data, decide the number of animals.

If the prior of a coefficient is moved by a small δ, the posterior mean of a function f moves by
:math:`-\delta\,\mathrm{Cov}(f, s)`, s being the slope of the log prior density (Gustafson 1996). Here f is log E[N],
δ is the prior's own width :math:`1/\sqrt{-\overline{\partial s}}` (the standard deviation of a normal prior), and the
move is told in posterior standard deviations of f. For one coefficient with a normal prior of sd τ it is the
posterior sd over τ: at one quarter, one sixteenth of the information on it is the prior's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from leopardpop.results.tree import log_prior_terms

if TYPE_CHECKING:
    from leopardpop.models.likelihood.terms import Floats
    from leopardpop.models.problem import Problem

__all__ = ["Shift", "prior_shifts"]

STEP = 1e-3


class Shift(NamedTuple):
    """What moving a prior does."""

    size: float
    """Move of log E[N], in posterior standard deviations of it."""
    session: int
    """Session that is moved most."""


def prior_shifts(problem: Problem, theta: Floats, expected: Floats) -> dict[str, Shift]:
    """Move of log E[N] when each prior is moved by its own width, in the session that it moves most.

    Parameters
    ----------
    problem
        The model with its data.
    theta
        Draws (S, P).
    expected
        Expected number of animals by session, (S, sessions).

    Returns
    -------
    dict
        Label of the prior to the move.

    References
    ----------
    Gustafson P (1996) Local sensitivity of posterior expectations. Annals of Statistics 24, 174-195.
    doi:10.1214/aos/1033066205
    """
    outcome = np.log(expected)
    sd = outcome.std(axis=0)
    if not (sd > 0.0).any():
        return {}
    moving = np.flatnonzero(sd > 0.0)
    away = ((outcome - outcome.mean(axis=0))[:, moving] / sd[moving]).T
    together = expected.sum(axis=-1)
    here = log_prior_terms(problem, theta, together)
    above, below = (_moved(problem, theta, together, sign * STEP) for sign in (1.0, -1.0))
    result = {}
    for label, middle in here.items():
        slope = (above[label] - below[label]) / (2 * STEP)
        bend = -float(np.mean((above[label] - 2 * middle + below[label]) / STEP**2))
        if np.isfinite(slope).all() and bend > 1e-9:
            moves = np.abs(away @ slope) / len(slope) / bend**0.5
            result[label] = Shift(float(moves.max()), int(moving[moves.argmax()]))
    return result


def _moved(problem: Problem, theta: Floats, expected: Floats, step: float) -> dict[str, Floats]:
    """Log prior terms with every coefficient moved: each depends on its own alone."""
    return log_prior_terms(problem, theta + step, expected * np.exp(step))
