"""What a plan assumes: one point, draws from priors, or the posterior of a pilot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from leopardpop.errors import ModelError
from leopardpop.models.scr import SCR
from leopardpop.models.two_flanks import TwoFlanks
from leopardpop.priors import Prior
from leopardpop.results.fit_base import BaseFit

if TYPE_CHECKING:
    type Point = Mapping[str, float] | pd.Series
    type Assumed = Mapping[str, float | Prior] | pd.Series | pd.DataFrame | BaseFit

__all__ = ["check_capture_model", "check_levels", "check_whole", "parameter_points"]


def parameter_points(assumed: Assumed, *, draws: int = 200, seed: int | None = 1) -> list[Point]:
    """Points in the space of the parameters that a plan is judged at.

    Parameters
    ----------
    assumed
        A mapping or Series as for :meth:`SCR.simulate` is one point; values of a mapping may be a :class:`Prior`, which
        is then drawn from. A DataFrame has one point a row, a column a parameter. A fit (of a pilot survey, with the
        same formulas) gives draws of its posterior.
    draws
        Number of points drawn from priors, or taken from a posterior at even distances.
    seed
        Of draws from priors.

    Returns
    -------
    list
        Each as for :meth:`SCR.simulate`.

    Raises
    ------
    ModelError
        If it is none of these, empty, or not finite.

    Examples
    --------
    >>> parameter_points({"sigma": 2000.0, "lambda0": 0.1})
    [{'sigma': 2000.0, 'lambda0': 0.1}]
    >>> len(parameter_points({"sigma": Prior("LogNormal", mu=7.6, sigma=0.2), "lambda0": 0.1}, draws=50))
    50
    """
    check_whole("draws", draws)
    if isinstance(assumed, BaseFit):
        return _of_posterior(assumed, draws)
    if isinstance(assumed, pd.DataFrame):
        return _of_table(assumed)
    if isinstance(assumed, pd.Series):
        return [assumed]
    given: Any = assumed
    if not isinstance(given, Mapping) or not given:
        raise ModelError(
            f"parameters={assumed!r}: give a dict from parameter to value or lp.Prior, a table with a row a draw, or a "
            "fit of a pilot survey."
        )
    return _of_mapping(assumed, draws, np.random.default_rng(seed))


def _of_posterior(fit: BaseFit, draws: int) -> list[Point]:
    beta = fit.problem.to_beta(fit.theta.reshape(-1, fit.theta.shape[-1]))
    chosen = np.linspace(0, len(beta) - 1, min(draws, len(beta))).round().astype(np.intp)
    return [pd.Series(row, index=fit.problem.labels) for row in beta[chosen]]


def _of_table(table: pd.DataFrame) -> list[Point]:
    if table.empty:
        raise ModelError("parameters: the table has no row or no column. One row is one draw, one column a parameter.")
    return [{str(name): value for name, value in row.items()} for row in table.to_dict("records")]


def _of_mapping(assumed: Mapping[str, Any], draws: int, rng: np.random.Generator) -> list[Point]:
    priors = {name: value for name, value in assumed.items() if isinstance(value, Prior)}
    if not priors:
        return [dict(assumed)]
    drawn = {name: np.asarray(prior.draw(rng, draws), float) for name, prior in priors.items()}
    return [{name: float(drawn[name][i]) if name in drawn else assumed[name] for name in assumed} for i in range(draws)]


def check_whole(name: str, value: Any, least: int = 1) -> None:
    """Refuse what is no whole number, or too small a one.

    Raises
    ------
    ModelError
        Naming the argument.
    """
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        raise ModelError(f"{name}={value!r} must be a whole number of at least {least}.", offenders=[name])


def check_capture_model(model: Any, instead: str = "") -> None:
    """Refuse what is no model of capture-recapture.

    Parameters
    ----------
    model
        What was given.
    instead
        A sentence about what else there is.

    Raises
    ------
    ModelError
        Naming what was given.
    """
    if isinstance(model, TwoFlanks):
        raise ModelError(
            "model=TwoFlanks: these numbers are of whole animals. Give the model of one animal, TwoFlanks(...).model, "
            "and see by lp.design.study what two flanks lose."
        )
    if not isinstance(model, SCR):
        raise ModelError(f"model={type(model).__name__}: give an lp.SCR. {instead}".rstrip(), offenders=["model"])


def check_levels(name: str, values: Any, *, above: float = 0.0, least: float | None = None) -> list[float]:
    """One or several numbers, all finite and above a bound, or at least as large as one.

    Raises
    ------
    ModelError
        Naming the argument and what was found.
    """
    given = list(values) if isinstance(values, Sequence | np.ndarray) else [values]
    fine = [isinstance(v, int | float | np.number) and not isinstance(v, bool) for v in given]
    bound = f"above {above:g}" if least is None else f"of at least {least:g}"
    if not len(given) or not all(fine) or not all(np.isfinite(v) and _is_in(v, above, least) for v in given):
        raise ModelError(f"{name}={values!r}: give one or several numbers {bound}.", offenders=[name])
    return [float(v) for v in given]


def _is_in(value: float, above: float, least: float | None) -> bool:
    return value > above if least is None else value >= least
