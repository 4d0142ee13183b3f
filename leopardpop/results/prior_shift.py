r"""How far the priors, and not the data, decide the number of animals.

If the prior of a coefficient is moved by a small δ, the posterior mean of a function f moves by
:math:`-\delta\,\mathrm{Cov}(f, s)`, s being the slope of the log prior density (Gustafson 1996). Here f is log E[N],
δ is the prior's own width :math:`1/\sqrt{-\overline{\partial s}}` (the standard deviation of a normal prior), and the
move is told in posterior standard deviations of f. For one coefficient with a normal prior of sd τ it is the
posterior sd over τ: at one quarter, one sixteenth of the information on it is the prior's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from leopardpop.results.tree import log_prior_terms

if TYPE_CHECKING:
    from leopardpop.models.likelihood.terms import Floats
    from leopardpop.models.problem import Problem

__all__ = ["prior_shifts"]

STEP = 1e-3


def prior_shifts(problem: Problem, theta: Floats, expected: Floats) -> dict[str, float]:
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
        Label of the prior to the size of the move, in posterior standard deviations of log E[N].

    References
    ----------
    Gustafson P (1996) Local sensitivity of posterior expectations. Annals of Statistics 24, 174-195.
    doi:10.1214/aos/1033066205
    """
    outcome = np.log(expected)
    sd = outcome.std(axis=0)
    if not (sd > 0.0).any():
        return {}
    away = ((outcome - outcome.mean(axis=0))[:, sd > 0.0] / sd[sd > 0.0]).T
    together = expected.sum(axis=-1)
    here = log_prior_terms(problem, theta, together)
    above, below = (_moved(problem, theta, together, sign * STEP) for sign in (1.0, -1.0))
    result = {}
    for label, middle in here.items():
        slope = (above[label] - below[label]) / (2 * STEP)
        bend = -float(np.mean((above[label] - 2 * middle + below[label]) / STEP**2))
        if np.isfinite(slope).all() and bend > 1e-9:
            result[label] = float(np.abs(away @ slope).max()) / len(slope) / bend**0.5
    return result


def _moved(problem: Problem, theta: Floats, expected: Floats, step: float) -> dict[str, Floats]:
    """Log prior terms with every coefficient moved: each depends on its own alone."""
    return log_prior_terms(problem, theta + step, expected * np.exp(step))
