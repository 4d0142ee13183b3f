"""Where the posterior of a model with a surface of density lies: what both engines begin with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from leopardpop.inference.mode import find_modes
from leopardpop.models.density_integral import IntegratedDensity

if TYPE_CHECKING:
    from leopardpop.models.likelihood.terms import Floats
    from leopardpop.models.problem import Problem
    from leopardpop.models.spatial_effects import SpatialEffect

__all__ = ["centred_density", "density_metric"]

STEP = 1e-2
ROUGHLY = 12
"""Steps towards the mode, at which the curvature is found that all else goes by."""


def centred_density(problem: Problem, surface: SpatialEffect) -> IntegratedDensity:
    """A problem without its surface, with the curvature found near the mode of all else."""
    integrated = IntegratedDensity(problem, surface)
    integrated.centre(find_modes(integrated, max_iterations=ROUGHLY).best.theta)
    return integrated


def density_metric(problem: Problem, surface: SpatialEffect) -> tuple[Floats, Floats]:
    """Middle (P,) and covariance (P, P) of theta: of all else at its mode, and of the coefficients given it."""
    integrated = centred_density(problem, surface)
    mode, of_z = find_modes(integrated).best, surface.place
    law = integrated.law(mode.theta)
    steps = STEP * np.eye(integrated.size)
    slopes = [(integrated.law(mode.theta + s).mean - integrated.law(mode.theta - s).mean) / (2 * STEP) for s in steps]
    tilt = np.zeros((len(problem.names), integrated.size))
    tilt[integrated.rest], tilt[of_z] = np.eye(integrated.size), np.stack(slopes, axis=1)
    covariance = tilt @ mode.covariance @ tilt.T
    covariance[of_z, of_z] += np.linalg.inv(law.root @ law.root.T)
    return integrated.together(mode.theta, law.mean), covariance
