"""From the coefficients that a posterior reports to the engine's vector."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from leopardpop.errors import ModelError

if TYPE_CHECKING:
    import xarray as xr

    from leopardpop.models.layout import Effect
    from leopardpop.models.likelihood.terms import Floats
    from leopardpop.models.problem import Problem
    from leopardpop.models.states.problem import OccupancyProblem

__all__ = ["theta_of_posterior"]


def theta_of_posterior(problem: Problem | OccupancyProblem, posterior: xr.Dataset) -> Floats:
    """Draws of the engine's coefficients.

    Parameters
    ----------
    problem
        The model with its data.
    posterior
        Draws with ``{parameter}_beta`` of every parameter, and ``pmix`` if there are classes.

    Returns
    -------
    ndarray
        (chain, draw, P); equal draws stay equal to the last bit.

    Raises
    ------
    ModelError
        If a variable or a coefficient is missing: it is not a posterior of this model.
    """
    parts = [_beta(posterior, p.name, list(p.design.coefficients)) for p in problem.layout.parameters]
    if problem.layout.shares is not None:
        parts.append(_log_ratios(posterior, problem.layout.shares.column, list(problem.layout.shares.levels)))
    parts += [_deviations(posterior, each) for each in problem.layout.effects]
    beta = np.concatenate(parts, axis=-1)
    # A solver may round equal rows differently by where they stand, so each distinct one is converted once.
    distinct, place = np.unique(beta.reshape(-1, beta.shape[-1]), axis=0, return_inverse=True)
    theta: Floats = problem.to_theta(distinct)[place.reshape(-1)].reshape(beta.shape)
    return theta


def _deviations(posterior: xr.Dataset, effects: Effect) -> Floats:
    """Deviations of the groups of one random effect, (chain, draw, G)."""
    variable, dim = effects.variable, effects.dim
    known = posterior[dim].values.astype(str).tolist() if variable in posterior and dim in posterior.coords else []
    missing = [group for group in effects.groups if group not in known]
    if missing:
        raise ModelError(
            f"the posterior has no {variable!r} of {missing[0]}: it is not of this model with this history.",
            offenders=missing,
        )
    array = posterior[variable].transpose("chain", "draw", ...).sel({dim: effects.groups})
    return np.asarray(array.values, float)


def _beta(posterior: xr.Dataset, name: str, coefficients: list[str]) -> Floats:
    variable, dim = f"{name}_beta", f"{name}_coef"
    if variable not in posterior:
        raise ModelError(
            f"the posterior has no {variable!r}: it is not of this model. It has {', '.join(map(str, posterior))}.",
            offenders=[variable],
        )
    array = posterior[variable].transpose("chain", "draw", ...)
    if dim not in array.dims or array.sizes[dim] != len(coefficients):
        raise ModelError(f"{variable!r} has the dimensions {array.dims}; this model has {dim} = {coefficients}.")
    if dim in array.coords:
        found = array[dim].values.astype(str).tolist()
        if set(found) != set(coefficients):
            raise ModelError(
                f"{variable!r} has the coefficients {found}; this model has {coefficients}.", offenders=found
            )
        array = array.sel({dim: coefficients})
    return np.asarray(array.values, float)


def _log_ratios(posterior: xr.Dataset, column: str, levels: list[str]) -> Floats:
    if "pmix" not in posterior:
        raise ModelError("the posterior has no 'pmix', but the model has classes", offenders=["pmix"])
    array = posterior["pmix"].transpose("chain", "draw", ...)
    share = np.asarray((array.sel({column: levels}) if column in array.coords else array).values, float)
    result: Floats = np.log(share[..., 1:]) - np.log(share[..., :1])
    return result
