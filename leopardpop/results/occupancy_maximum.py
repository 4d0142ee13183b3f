"""Occupancy models by maximum likelihood: the numbers to set beside those of other packages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from leopardpop.data.notices import notice
from leopardpop.errors import FitError, SparseDataWarning
from leopardpop.inference.mode import find_modes
from leopardpop.models.states.animals import AnimalsProblem
from leopardpop.results.animal_checks import APART, LOOSE, apart_from_detection
from leopardpop.results.delta import coefficient_table, parameter_rows
from leopardpop.results.maximum import Maximum, check_mode, tell_loose
from leopardpop.words import trimmed

if TYPE_CHECKING:
    from leopardpop.inference.mode import Mode
    from leopardpop.models.likelihood.terms import Floats
    from leopardpop.models.states.problem import OccupancyProblem

__all__ = ["OccupancyMaximum", "maximise_occupancy"]

DRAWS = 400
"""From the normal law around a maximum."""


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class OccupancyMaximum(Maximum):
    """An occupancy model fitted by maximum likelihood; made by its ``maximum_likelihood``.

    Standard errors are from the exact Hessian on the link scale, on the natural scale of first order (delta method);
    intervals are 95 %, symmetric on the link scale.

    Parameters
    ----------
    log_likelihood, estimates, coefficients, covariance, converged, data_hash
        What :class:`Maximum` has: the value there with every constant; the natural scale; the link scale; covariance of
        the coefficients; whether the gradient vanishes; fingerprint of the history.

    Examples
    --------
    >>> import numpy as np
    >>> import leopardpop as lp
    >>> design = lp.DetectionHistory.from_tables(np.ones((50, 4)))
    >>> sim = lp.Occupancy().simulate(design, parameters={"psi": 0.6, "p": 0.4}, seed=1)
    >>> mle = lp.Occupancy().maximum_likelihood(sim.history)
    >>> mle.converged, mle.estimates.index.tolist()
    (True, ['psi', 'p'])
    """

    n_sites: int
    """Number of sites with a visit, the sample size of AICc."""

    @property
    def sample_size(self) -> int:
        """Number of sites with a visit."""
        return self.n_sites

    def _kind(self) -> str:
        return "occupancy"


class Likelihood:
    """The likelihood of a problem as the target of a search.

    Parameters
    ----------
    problem
        The model with its data.
    """

    def __init__(self, problem: OccupancyProblem) -> None:
        self.problem = problem

    @property
    def names(self) -> tuple[str, ...]:
        """Labels of the coefficients."""
        return self.problem.names

    def value(self, theta: Floats) -> float:
        """Log-likelihood; −inf where there is none."""
        total = self.problem.log_likelihood(theta)
        return total if np.isfinite(total) else float("-inf")

    def gradient(self, theta: Floats) -> tuple[float, Floats]:
        """Log-likelihood and its gradient (P,)."""
        return self.problem.log_likelihood_gradient(theta)

    def starts(self) -> list[Floats]:
        """Where the search begins."""
        return self.problem.starts()


def maximise_occupancy(problem: OccupancyProblem) -> OccupancyMaximum:
    """Maximise the likelihood; see :meth:`OccupancyModel.maximum_likelihood`.

    Raises
    ------
    ModelError
        For random effects.
    FitError
        If nothing was seen, or the likelihood has no maximum inside of the range of the parameters.
    """
    problem.layout.refuse_effects()
    if not (problem.arrays.value > 0).any():
        raise FitError(
            "Nothing was seen on any visit: the likelihood is the same for sites that are not used and for animals "
            "that are never seen. model.fit(...) has a posterior, which rests on the priors."
        )
    mode = find_modes(Likelihood(problem)).best
    check_mode(mode)
    if not tell_loose(mode, problem.names):
        _tell_product(problem, mode)
    matrix = problem.to_beta(np.eye(problem.layout.size))
    covariance = pd.DataFrame(matrix.T @ mode.covariance @ matrix, index=problem.labels, columns=problem.labels)
    parts = [parameter_rows(problem, p, mode.theta, mode.covariance) for p in problem.layout.parameters]
    return OccupancyMaximum(
        log_likelihood=mode.value,
        estimates=pd.concat(parts),
        coefficients=coefficient_table(problem, mode.theta, mode.covariance),
        covariance=covariance,
        converged=mode.converged,
        data_hash=problem.history.data_hash,
        n_sites=int(problem.arrays.surveyed.any(1).sum()),
    )


def _tell_product(problem: OccupancyProblem, mode: Mode) -> None:
    """Warn where the data tell the product of abundance and detection, and hardly either."""
    if not isinstance(problem, AnimalsProblem):
        return
    rng = np.random.default_rng(1)
    around = rng.multivariate_normal(mode.theta, mode.covariance, DRAWS)
    spread, ratio = apart_from_detection(problem, around)
    if ratio > APART and spread > LOOSE:
        notice(
            f"The data tell the product of abundance and detection {trimmed(ratio, 2)} times as closely as abundance "
            "itself, whose interval is hardly bounded. Report the product, make more visits to a site, or use "
            "model.fit(...) with a prior of detection from elsewhere.",
            SparseDataWarning,
        )
