"""Between names that people use and the vector that engines use."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from leopardpop.components.counts import parameters_of
from leopardpop.errors import ModelError

if TYPE_CHECKING:
    from leopardpop.models.likelihood.terms import Floats
    from leopardpop.models.occupancy_model import OccupancyModel
    from leopardpop.models.problem import Problem
    from leopardpop.models.scr import SCR
    from leopardpop.models.states.problem import OccupancyProblem

    type AnyProblem = Problem | OccupancyProblem

__all__ = ["beta_series", "model_html", "occupancy_html", "parameter_table", "theta_of"]


def model_html(model: SCR) -> str:
    """A model as a table for notebooks: its parts in words, its formulas as they were given."""
    detection = {p.name: p.formula for p in parameters_of(model)}
    chosen = ", ".join(map(str, model.priors or ()))
    facts = {
        "log density, D": getattr(model.density, "D", model.density),
        "detection": type(model.detection).__name__,
        **detection,
        "classes": str(model.classes or "none"),
        "distance": "straight line" if model.distance is None else type(model.distance).__name__,
        **({"counts": "negative binomial"} if model.counts == "negbin" else {}),
        **({"animals detected once": "left out"} if model.ghosts else {}),
        "number of animals": model.distribution.capitalize(),
        "priors": f"chosen: {chosen}; others from the design" if chosen else "from the design",
    }
    return _table("Spatial capture-recapture", facts)


def _table(caption: str, facts: Mapping[str, Any]) -> str:
    rows = "".join(
        f"<tr><th style='text-align:left'>{escape(name)}</th><td style='text-align:left'>{escape(str(text))}</td></tr>"
        for name, text in facts.items()
    )
    return f"<table><caption>{escape(caption)}</caption><tbody>{rows}</tbody></table>"


def occupancy_html(model: OccupancyModel) -> str:
    """An occupancy model as a table for notebooks: its formulas as they were given."""
    chosen = ", ".join(map(str, model.priors or ()))
    facts = {
        **{name: getattr(model, name) for name in model.structure.homes},
        "link": model.link,
        "priors": f"chosen: {chosen}; others by default" if chosen else "by default",
    }
    if getattr(model, "certain", None):
        facts["certain visits"] = model.certain  # type: ignore[attr-defined]
    if getattr(model, "parametrisation", "condbinom") != "condbinom":
        facts["parametrisation"] = model.parametrisation  # type: ignore[attr-defined]
    return _table(type(model).__name__, facts)


def parameter_table(problem: AnyProblem) -> pd.DataFrame:
    """Name, coefficient, link, unit and prior of every coefficient, one row each."""
    by_position = {term.position: term for term in problem.priors.terms}
    rows = []
    for parameter in problem.layout.parameters:
        unit = effort_unit_of(parameter.unit, problem.history.effort_unit)
        for j, coefficient in enumerate(parameter.design.coefficients):
            term = by_position[parameter.place.start + j]
            scale = {True: "natural scale, at the reference", False: "link scale"}[term.natural]
            on = "E[N] in the mask" if term.label == "N" else scale
            rows.append((parameter.name, coefficient, parameter.link.name, unit, repr(term.prior), on))
    if problem.layout.shares is not None:
        term = by_position[problem.layout.shares.place.start]
        prior = repr(term.prior)
        rows.extend(("pmix", level, "logit", "", prior, "natural scale") for level in problem.layout.shares.levels[1:])
    return pd.DataFrame(rows, columns=["name", "coefficient", "link", "unit", "prior", "prior_on"])


def effort_unit_of(unit: str, effort_unit: str) -> str:
    """Unit of a parameter for people: ``"1/effort"`` becomes ``"1/day"``."""
    return unit.replace("effort", effort_unit)


def beta_series(problem: AnyProblem, theta: Floats) -> pd.Series:
    """Coefficients of the covariates as given, by label."""
    return pd.Series(problem.to_beta(theta), index=problem.labels, name="coefficient")


def theta_of(problem: AnyProblem, parameters: Mapping[str, float] | pd.Series) -> Floats:
    """Engine's vector from named values.

    Parameters
    ----------
    problem
        The model with its data.
    parameters
        A Series of link-scale coefficients with all labels; or a mapping of natural-scale values at the reference by
        parameter, and link-scale values by coefficient (0 where left out).

    Raises
    ------
    ModelError
        For an unknown or missing name, or a value outside the parameter's range.
    """
    if isinstance(parameters, pd.Series):
        _check_names(set(map(str, parameters.index)), problem.labels)
        missing = [label for label in problem.labels if label not in parameters.index]
        if missing:
            raise ModelError(f"parameters: no value for {missing}", offenders=missing)
        return problem.to_theta(np.array([_number(label, parameters[label]) for label in problem.labels]))
    if not isinstance(parameters, Mapping):
        raise ModelError(
            f"parameters={parameters!r}: give a dict from parameter to value, or a Series of coefficients."
        )
    return _from_mapping(problem, {str(k): _number(str(k), v) for k, v in parameters.items()})


def _number(name: str, value: Any) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = float("nan")
    if not np.isfinite(number):
        raise ModelError(f"parameters: {name} = {value!r} is no finite number", offenders=[name])
    return number


def _from_mapping(problem: AnyProblem, values: dict[str, float]) -> Floats:
    layout = problem.layout
    names = [p.name for p in layout.parameters] + (["pmix"] if layout.shares else [])
    sds = {each.sd for each in layout.effects}
    _check_names(set(values), [*names, *layout.labels])
    missing = [
        p.name for p in layout.parameters if p.has_intercept and not {p.name, f"{p.name}[Intercept]"} & set(values)
    ]
    if missing:
        raise ModelError(f"parameters: no value for {', '.join(missing)}", offenders=missing)
    slopes = np.array([values.get(label, 0.0) for label in layout.labels])
    for p in layout.parameters:  # deviations of groups are told by their sd, which comes first
        if p.name in sds and p.name in values:
            slopes[p.place.start] = _linked(p, values[p.name])
    theta = problem.to_theta(slopes)
    for p in layout.parameters:
        if p.has_intercept and p.name in values:
            theta[p.place.start] = _linked(p, values[p.name])
    if layout.shares is not None and "pmix" in values:
        theta[layout.shares.place] = _share_ratio(values["pmix"])
    return theta


def _linked(parameter: Any, value: float) -> float:
    with np.errstate(all="ignore"):
        eta = float(parameter.link.forward(value))
    if not np.isfinite(eta):
        raise ModelError(f"parameters: {parameter.name} = {value!r} is outside its range (link {parameter.link.name})")
    return eta


def _share_ratio(share: float) -> float:
    if not 0.0 < share < 1.0:
        raise ModelError(f"parameters: pmix = {share!r} is a share, between 0 and 1")
    return float(np.log(share) - np.log1p(-share))


def _check_names(given: set[str], known: list[str]) -> None:
    for name in sorted(given - set(known)):
        near = get_close_matches(name, known, n=1, cutoff=0.0)
        raise ModelError(
            f"parameters: there is no {name!r}; did you mean {near[0]!r}? There are {', '.join(known)}.",
            offenders=[name],
        )
