"""Where the posterior of a model with a surface lies: what importance sampling and Markov chains begin with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from leopardpop.inference.mode import find_modes
from leopardpop.models.states.surface_integral import IntegratedSurface

if TYPE_CHECKING:
    from leopardpop.models.likelihood.terms import Floats
    from leopardpop.models.states.problem import OccupancyProblem

__all__ = ["centred_surface", "surface_metric"]

STEP = 1e-2


def centred_surface(problem: OccupancyProblem) -> IntegratedSurface:
    """A problem without its surfaces, with their law found at the mode of all else."""
    integrated = IntegratedSurface(problem)
    integrated.centre(find_modes(integrated, max_iterations=12).best.theta)
    return integrated


def surface_metric(problem: OccupancyProblem) -> tuple[Floats, Floats]:
    """Middle (P,) and covariance (P, P) of theta: of all else at its mode, and of the coefficients given it.

    The joint mode of coefficients and their sd lies far from where the posterior is; this does not.
    """
    integrated = centred_surface(problem)
    mode = find_modes(integrated).best
    law = integrated.law(mode.theta)
    steps = STEP * np.eye(integrated.size)
    slopes = [(integrated.law(mode.theta + s).mean - integrated.law(mode.theta - s).mean) / (2 * STEP) for s in steps]
    tilt = np.vstack([np.eye(integrated.size), np.stack(slopes, axis=1)])
    covariance = tilt @ mode.covariance @ tilt.T
    covariance[integrated.size :, integrated.size :] += np.linalg.inv(law.root @ law.root.T)
    return np.concatenate([mode.theta, law.mean]), covariance
