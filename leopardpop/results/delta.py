"""From the covariance of coefficients to estimates, standard errors and intervals of what is derived from them."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from leopardpop.components.link import link
from leopardpop.models.describe import effort_unit_of
from leopardpop.results.elements import is_effect

if TYPE_CHECKING:
    from leopardpop.models.layout import Parameter
    from leopardpop.models.likelihood.terms import Floats
    from leopardpop.models.problem import Problem
    from leopardpop.models.states.problem import OccupancyProblem

    type AnyProblem = Problem | OccupancyProblem

__all__ = [
    "coefficient_table",
    "estimate_table",
    "expected_table",
    "jacobian",
    "parameter_rows",
    "realised_table",
    "row_names",
]

Z = 1.959963984540054
"""97.5 % quantile of the normal law."""

STEP = 1e-4
"""Of the differences, in standard errors."""


def coefficient_table(problem: AnyProblem, theta: Floats, covariance: Floats) -> pd.DataFrame:
    """Coefficients on the link scale for covariates as given: estimate, se, lower, upper."""
    matrix = problem.to_beta(np.eye(problem.layout.size))
    se = np.sqrt(np.diag(matrix.T @ covariance @ matrix))
    beta = problem.to_beta(theta)
    columns = {"estimate": beta, "se": se, "lower": beta - Z * se, "upper": beta + Z * se}
    return pd.DataFrame(columns, index=problem.labels)


def estimate_table(problem: Problem, theta: Floats, covariance: Floats) -> pd.DataFrame:
    """Natural-scale parameters, and after each its effects of covariates: estimate, se, lower, upper, unit."""
    parts = [_density_rows(problem, theta, covariance)]
    parts += [parameter_rows(problem, p, theta, covariance) for p in problem.layout.parameters if p.name != "D"]
    if problem.layout.shares is not None:
        parts.append(_share_rows(problem, theta, covariance))
    return pd.concat(parts)


def expected_table(problem: Problem, theta: Floats, covariance: Floats) -> pd.DataFrame:
    """E[N] in the mask by session: estimate, se, lower, upper."""

    def log_number(at: Floats) -> Floats:
        return np.log(_numbers(problem, at))

    table = _derived(log_number, theta, covariance, "log")
    return table.set_index(pd.Index(problem.history.sessions, name="session"))


def realised_table(problem: Problem, theta: Floats, covariance: Floats, expected: pd.DataFrame) -> pd.DataFrame:
    """Animals detected and the expected number of others, by session.

    With one session the variance is that of the expected number without the Poisson variance of N, as in secr. With
    several that would be wrong, for what they share is estimated from all of them: there it is the mean squared error
    of prediction, u + J V Jᵀ with u the expected number of undetected animals, J its slopes and V the covariance of the
    coefficients (with one session both agree to about 1 %). Intervals are log-normal in the number of undetected
    animals (Efford & Fewster 2013, doi:10.1111/j.1600-0706.2012.20440.x). Under a binomial N the number is a
    parameter: it is the expected one.
    """
    if problem.model.distribution == "binomial":
        return expected.copy()
    log_missed = _log_missed(problem)
    missed = np.exp(log_missed(theta))
    seen = np.array([len(data.individuals) for data in problem.data])
    if len(problem.data) == 1:
        variance = np.maximum(expected["se"].to_numpy() ** 2 - expected["estimate"].to_numpy(), 0.0)
    else:
        slopes = jacobian(log_missed, theta, np.sqrt(np.diagonal(covariance))) * missed[:, None]
        variance = missed + np.einsum("sp,pq,sq->s", slopes, covariance, slopes)
    factor = np.exp(Z * np.sqrt(np.log1p(variance / missed**2)))
    columns = {
        "estimate": seen + missed,
        "se": np.sqrt(variance),
        "lower": seen + missed / factor,
        "upper": seen + missed * factor,
    }
    return pd.DataFrame(columns, index=expected.index)


def _log_missed(problem: Problem) -> Callable[[Floats], Floats]:
    """Log of the expected number of undetected animals by session, (S,)."""
    return lambda at: np.log(np.array([e.expected - e.detected for e in problem.evaluate(at)]))


def row_names(name: str, factors: dict[str, tuple[str, ...]]) -> list[str]:
    """Names of the rows of a parameter: ``"sigma"``, or ``"sigma[F]"`` ... for the levels of its factors."""
    if not factors:
        return [name]
    return [f"{name}[{','.join(levels)}]" for levels in product(*factors.values())]


def _numbers(problem: Problem, theta: Floats) -> Floats:
    """E[N] in the mask by session, (S,)."""
    rows = problem.layout["D"].predictor(theta)
    return np.array([np.exp(row) @ session.terms.area for row, session in zip(rows, problem.sessions, strict=True)])


def _density_rows(problem: Problem, theta: Floats, covariance: Floats) -> pd.DataFrame:
    """Mean density over the mask, by session where it differs."""
    area = np.array([session.terms.area.sum() for session in problem.sessions])
    by_session = problem.density_by_session

    def log_mean(at: Floats) -> Floats:
        number = _numbers(problem, at)
        return np.log(number / area) if by_session else np.log([number.sum() / area.sum()])

    table = _derived(log_mean, theta, covariance, "log")
    names = [f"D[{label}]" for label in problem.history.sessions] if by_session else ["D"]
    own = table.set_index(pd.Index(names)).assign(unit=problem.layout["D"].unit)
    factors = {"session"} if by_session else set()
    return pd.concat([own, *_effect_rows(problem, problem.layout["D"], theta, covariance, factors)])


def parameter_rows(problem: AnyProblem, parameter: Parameter, theta: Floats, covariance: Floats) -> pd.DataFrame:
    """Rows of one parameter on its natural scale, and of its effects of covariates on that of the link.

    Columns estimate, se, lower, upper and unit: "m", "log scale" ...
    """
    factors, rows = parameter.reference_grid()
    table = _derived(lambda at: rows @ problem.to_beta(at)[parameter.place], theta, covariance, parameter.link.name)
    unit = effort_unit_of(parameter.unit, problem.history.effort_unit)
    own = table.set_index(pd.Index(row_names(parameter.name, factors))).assign(unit=unit)
    return pd.concat([own, *_effect_rows(problem, parameter, theta, covariance, set(factors))])


def _effect_rows(
    problem: AnyProblem, parameter: Parameter, theta: Floats, covariance: Floats, factors: set[str]
) -> list[pd.DataFrame]:
    """A table of the coefficients that the natural scale by level does not tell: of covariates as given."""
    names = [name for name in parameter.design.coefficients if is_effect(name, factors)]
    table = coefficient_table(problem, theta, covariance).loc[[f"{parameter.name}[{name}]" for name in names]]
    return [table.assign(unit=f"{parameter.link.name} scale")] if names else []


def _share_rows(problem: Problem, theta: Floats, covariance: Floats) -> pd.DataFrame:
    shares = problem.layout.shares
    names = [f"pmix[{level}]" for level in problem.levels]

    def logits(at: Floats) -> Floats:
        log_share = shares.log_shares(at)  # type: ignore[union-attr]
        result: Floats = log_share - np.log(-np.expm1(log_share))
        return result

    return _derived(logits, theta, covariance, "logit").set_index(pd.Index(names)).assign(unit="")


def _derived(predictor: Callable[[Floats], Floats], theta: Floats, covariance: Floats, link_name: str) -> pd.DataFrame:
    """Table of quantities whose linear predictors (Q,) are a function of theta."""
    scale, eta = link(link_name), np.asarray(predictor(theta), float)
    slopes = jacobian(predictor, theta, np.sqrt(np.diag(covariance)))
    variance = np.einsum("qi,ij,qj->q", slopes, covariance, slopes)
    estimate, half = np.asarray(scale.inverse(eta)), Z * np.sqrt(variance)
    se = np.abs(scale.inverse_derivative(eta)) * np.sqrt(variance)
    if link_name == "log":
        with np.errstate(over="ignore"):  # of a likelihood that is all but flat: infinite
            se = estimate * np.sqrt(np.expm1(variance))
    columns = {"estimate": estimate, "se": se, "lower": scale.inverse(eta - half), "upper": scale.inverse(eta + half)}
    return pd.DataFrame(columns)


def jacobian(function: Callable[[Floats], Floats], at: Floats, sd: Floats) -> Floats:
    """Slopes (Q, P) of a function of P coordinates by central differences.

    Parameters
    ----------
    function
        (P,) to (Q,).
    at
        Where, (P,).
    sd
        Standard errors (P,), to which the steps are scaled.
    """
    columns = []
    for j, width in enumerate(STEP * sd):
        shift = np.zeros(len(at))
        shift[j] = width
        columns.append((np.asarray(function(at + shift)) - np.asarray(function(at - shift))) / (2 * width))
    return np.stack(columns, axis=1)
