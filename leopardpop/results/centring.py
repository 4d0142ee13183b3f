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
FAR = 1e10
NEAR = (0.5, 0.02)
"""Slopes at which a search for the middle ends: before and after the law was found where the first ended."""


def centred_surface(problem: OccupancyProblem) -> IntegratedSurface:
    """A problem without its surfaces, with their law found at the mode of all else."""
    from scipy.optimize import minimize

    def fall(phi: Floats) -> tuple[float, Floats]:
        value, slope = integrated.gradient(phi)
        return (-value, -slope) if np.isfinite(value) else (FAR, np.zeros_like(phi))

    integrated = IntegratedSurface(problem)
    for enough in NEAR:
        options = {"maxiter": 30, "gtol": enough}
        integrated.centre(minimize(fall, integrated.starts()[0], jac=True, method="BFGS", options=options).x)
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
