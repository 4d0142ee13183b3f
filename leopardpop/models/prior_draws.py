"""Draws from the priors of a model, in the engine's coordinates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

    from leopardpop.models.likelihood.terms import Floats
    from leopardpop.models.prior_terms import PriorTerm
    from leopardpop.models.problem import Problem
    from leopardpop.models.states.problem import OccupancyProblem

    type AnyProblem = Problem | OccupancyProblem

__all__ = ["draw_coefficients", "draw_term", "in_theta"]


def draw_coefficients(problem: AnyProblem, rng: np.random.Generator) -> pd.Series[float]:
    """One truth from the priors: all coefficients, random effects included.

    Parameters
    ----------
    problem
        The model with a design; what was seen is not looked at.
    rng
        Source of chance.

    Returns
    -------
    pandas.Series
        Link scale, covariates as given, by label: as ``model.simulate`` takes it.
    """
    import pandas as pd

    theta = np.zeros(len(problem.labels))
    number = None
    for term in problem.priors.terms:
        drawn = draw_term(term, rng)
        if term.label == "N":
            number = (term, float(drawn))
        else:
            _place(problem, term, drawn, theta)
    for each in problem.layout.effects:
        each.draw(theta, rng)
    if number is not None:
        term, value = number
        theta[term.position] = np.log(value / _expected(problem, theta))
    return pd.Series(problem.to_beta(theta), index=list(problem.labels))


def _place(problem: AnyProblem, term: PriorTerm, drawn: Any, theta: Floats) -> None:
    """Put a draw of one prior into theta."""
    if term.parameter == "pmix":
        share = np.atleast_1d(drawn)
        share = np.array([1.0 - share[0], share[0]]) if len(share) == 1 else share
        theta[term.position : term.position + len(share) - 1] = np.log(share[1:] / share[0])
    else:
        theta[term.position] = in_theta(problem, term, drawn)


def in_theta(problem: AnyProblem, term: PriorTerm, drawn: Any) -> Any:
    """Values of one coefficient in the engine's coordinates, from draws of its prior; any shape.

    Parameters
    ----------
    problem
        The model with its data.
    term
        The prior of a coefficient.
    drawn
        Draws of it.
    """
    parameter = problem.layout[term.parameter]
    if term.natural:
        return parameter.link.forward(drawn)
    at = term.position - parameter.place.start
    scaled = drawn * float(parameter.design.scale[at])
    return np.log(scaled) if at == parameter.ordered else scaled


def _expected(problem: Any, theta: Floats) -> float:
    """Expected number of animals in the masks at theta."""
    return float(sum(each.expected for each in problem.evaluate(theta)))


def draw_term(term: PriorTerm, rng: np.random.Generator, size: int | None = None) -> Any:
    """Draw one prior; one that is known only by its PyMC variable is drawn by PyMC.

    Parameters
    ----------
    term
        The prior.
    rng
        Source of chance.
    size
        Number of draws; None: one.
    """
    prior: Any = term.prior
    if hasattr(prior, "draw"):
        return np.asarray(prior.draw(rng, size), float)
    import pymc as pm

    with pm.Model():
        variable = prior.create_variable("x")
    return np.asarray(pm.draw(variable, 1 if size is None else size, random_seed=rng), float)
