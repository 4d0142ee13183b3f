"""The model as a PyTensor graph: for samplers, for extra terms, and as the reference of the fast forms."""

from __future__ import annotations

from itertools import accumulate, pairwise
from math import lgamma
from typing import TYPE_CHECKING, Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt

from leopardpop.components.counts import SIZE
from leopardpop.components.special import log_expm1_ratio
from leopardpop.models.likelihood.form import history_void
from leopardpop.models.likelihood_op import IdentitiesOp, LikelihoodOp

if TYPE_CHECKING:
    from leopardpop.models.layout import Layout, Parameter
    from leopardpop.models.likelihood.session import SessionLikelihood
    from leopardpop.models.problem import Problem
    from leopardpop.models.states.problem import OccupancyProblem

    type AnyProblem = Problem | OccupancyProblem

__all__ = [
    "build_model",
    "natural_variables",
    "point_of",
    "predictor_graph",
    "report_coefficients",
    "report_effects",
    "theta_variable",
]


def build_model(problem: Problem, *, kernel: bool = False) -> pm.Model:
    """Build the PyMC model of a problem.

    Parameters
    ----------
    problem
        The model with its data.
    kernel
        Use the compiled-nowhere NumPy likelihood as one operation (quick to start, for our own engine) instead of a
        graph of elementary operations (for any sampler and any backend).

    Returns
    -------
    pymc.Model
        Free variables are the prior terms; Deterministics carry the names of the posterior.
    """
    with pm.Model(coords=_coords(problem)) as model:
        theta = theta_variable(problem)
        betas = report_coefficients(problem, theta)
        natural_variables(problem, betas)
        report_effects(problem.layout, theta)
        _report_shares(problem, theta)
        expected = [pt.exp(rows) @ areas for rows, areas in _density_rows(problem, theta)]
        _report_density(problem, expected)
        pm.Deterministic("E_N", pt.stack(expected), dims="session")
        if kernel:
            pm.Potential("log_likelihood_all", LikelihoodOp(problem)(theta)[0])
        else:
            _add_likelihood(problem, theta)
    return model


def point_of(problem: AnyProblem, theta: Any) -> dict[str, Any]:
    """Values of the free variables at theta, to start a sampler from."""
    theta = np.asarray(theta, float)
    point: dict[str, Any] = {}
    for term in problem.priors.terms:
        name = _variable_name(term.label, term.natural)
        if term.parameter == "N":
            point[name] = expected_number(problem, theta)
        elif term.parameter == "pmix":
            share = np.exp(problem.layout.shares.log_shares(theta))  # type: ignore[union-attr]
            point[name] = float(share[1]) if len(share) == 2 else share
        elif term.natural:
            value = float(problem.layout[term.parameter].link.inverse(theta[term.position]))
            if getattr(term.prior, "distribution", None) == "CLogLogNormal":
                point[f"{name}_cloglog"] = float(np.log(-np.log1p(-value)))
            else:
                point[name] = value
        else:
            parameter = problem.layout[term.parameter]
            at = term.position - parameter.place.start
            point[name] = float(parameter.coefficients(theta)[at] / parameter.design.scale[at])
    return point | {f"{each.label}_standardised": theta[each.place] for each in problem.layout.effects}


def expected_number(problem: Any, theta: Any) -> float:
    """E[N] over all sessions, of a problem that has it."""
    return float(sum(e.expected for e in problem.evaluate(theta)))


def _variable_name(label: str, natural: bool) -> str:
    return f"{label}_reference" if natural else label


def _coords(problem: Problem) -> dict[str, list[str]]:
    coords: dict[str, list[str]] = {"session": list(problem.history.sessions)}
    for parameter in problem.layout.parameters:
        coords[f"{parameter.name}_coef"] = list(parameter.design.coefficients)
        if parameter.name != "D":
            coords.update({name: list(levels) for name, levels in parameter.design.factors.items()})
    coords |= problem.layout.effect_coords()
    if problem.column:
        coords[problem.column] = list(problem.levels)
    return coords


def theta_variable(problem: AnyProblem) -> Any:
    """Create the free variables and return theta, (P,); of any problem with a layout and priors."""
    entries: list[Any] = [None] * problem.layout.size
    number = None
    for term in problem.priors.terms:
        name = _variable_name(term.label, term.natural)
        if term.parameter == "pmix":
            _share_entries(problem.layout.shares, term, name, entries)
            continue
        variable = term.prior.create_variable(name)
        if term.parameter == "N":
            number = (term.position, variable)
            continue
        parameter = problem.layout[term.parameter]
        if term.natural:
            entries[term.position] = parameter.link.forward(variable)
        else:
            at = term.position - parameter.place.start
            scaled = variable * float(parameter.design.scale[at])
            entries[term.position] = pt.log(scaled) if at == parameter.ordered else scaled
    for each in problem.layout.effects:
        log_sd = (1.0 - each.weight) * (entries[each.spread] + np.log(each.design.scale))
        deviations = pm.Normal(f"{each.label}_standardised", 0.0, pt.exp(log_sd), shape=len(each.weight))
        entries[each.place] = [deviations[j] for j in range(len(each.weight))]
    if number is not None:
        entries[number[0]] = 0.0
        without = _density_rows(problem, pt.stack([pt.as_tensor(e) for e in entries]))
        entries[number[0]] = pt.log(number[1]) - pt.log(pt.stack([pt.exp(r) @ a for r, a in without]).sum())
    return pt.stack([pt.as_tensor(e) for e in entries])


def _share_entries(layout_shares: Any, term: Any, name: str, entries: list[Any]) -> None:
    if len(layout_shares.levels) == 2:
        share = term.prior.create_variable(name)
        entries[term.position] = pt.log(share) - pt.log1p(-share)
        return
    shares = term.prior.create_variable(name)
    for j in range(1, len(layout_shares.levels)):
        entries[term.position + j - 1] = pt.log(shares[j]) - pt.log(shares[0])


def _density_rows(problem: Any, theta: Any) -> list[tuple[Any, Any]]:
    """Log density and areas of the cells of each session."""
    parameter = problem.layout["D"]
    rows = _split(parameter, predictor_graph(parameter, theta))
    return [(r, s.terms.area) for r, s in zip(rows, problem.sessions, strict=True)]


def predictor_graph(parameter: Parameter, theta: Any) -> Any:
    """Linear predictor on all rows."""
    eta = pt.as_tensor(parameter.standardised) @ _coefficients(parameter, theta)
    for each in parameter.random:
        eta = eta + each.predictor(theta)
    return eta if parameter.offset is None else eta + parameter.offset


def _coefficients(parameter: Parameter, theta: Any) -> Any:
    values = theta[parameter.place]
    return (
        values
        if parameter.ordered is None
        else pt.set_subtensor(values[parameter.ordered], pt.exp(values[parameter.ordered]))
    )


def _split(parameter: Parameter, rows: Any) -> list[Any]:
    return [rows[a:b] for a, b in pairwise(accumulate((0, *parameter.splits)))]


def report_coefficients(problem: AnyProblem, theta: Any) -> dict[str, Any]:
    """Create the Deterministics of the coefficients of covariates as given, and return them by parameter."""
    betas = {}
    for parameter in problem.layout.parameters:
        beta = pt.as_tensor(parameter.design.transform) @ _coefficients(parameter, theta)
        betas[parameter.name] = pm.Deterministic(f"{parameter.name}_beta", beta, dims=f"{parameter.name}_coef")
    return betas


def report_effects(layout: Layout, theta: Any) -> None:
    """Create the Deterministics of the deviations of groups, and of the coefficients of surfaces."""
    for (name, dim), effects in layout.effects_by_variable().items():
        pm.Deterministic(name, pt.concatenate([each.reported(theta) for each in effects]), dims=dim)


def natural_variables(problem: AnyProblem, betas: dict[str, Any]) -> None:
    """Create the Deterministics of the parameters on their natural scale, at the reference of their covariates."""
    for parameter in problem.layout.parameters:
        if parameter.name == "D":
            continue
        factors, rows = parameter.reference_grid()
        value = parameter.link.inverse(pt.as_tensor(rows) @ betas[parameter.name])
        shape = tuple(len(levels) for levels in factors.values())
        pm.Deterministic(parameter.name, value.reshape(shape) if shape else value[0], dims=tuple(factors) or None)


def _report_density(problem: Problem, expected: list[Any]) -> None:
    areas = [s.terms.area.sum() for s in problem.sessions]
    if problem.density_by_session:
        pm.Deterministic("D", pt.stack(expected) / np.array(areas), dims="session")
    else:
        pm.Deterministic("D", pt.stack(expected).sum() / sum(areas))


def _report_shares(problem: Problem, theta: Any) -> None:
    if problem.layout.shares is not None:
        pm.Deterministic("pmix", pt.exp(_log_shares(problem, theta)), dims=problem.column)


def _log_shares(problem: Problem, theta: Any) -> Any:
    if problem.layout.shares is None:
        return pt.zeros(1)
    ratios = pt.concatenate([pt.zeros(1), theta[problem.layout.shares.place]])
    return ratios - pt.logsumexp(ratios)


def _add_likelihood(problem: Problem, theta: Any) -> None:
    log_share = _log_shares(problem, theta)
    natural = {}
    for parameter in problem.layout.parts:
        if parameter.name != "D":
            natural[parameter.name] = _split(parameter, parameter.link.inverse(predictor_graph(parameter, theta)))
    for s, (session, (log_density, _)) in enumerate(zip(problem.sessions, _density_rows(problem, theta), strict=True)):
        by_class = [
            {name: rows[s].reshape((len(problem.levels), -1))[c] for name, rows in natural.items()}
            for c in range(len(problem.levels))
        ]
        label = problem.history.sessions[s]
        animals, detected = session_graph(session, problem, log_density, by_class, log_share)
        if not problem.knows_animals:
            pm.Potential(f"identities[{label}]", animals)
            pm.Potential(f"void[{label}]", -detected)
            continue
        n = session.terms.n_animals
        pm.Potential(f"captures[{label}]", animals - n * pt.log(detected) if n else animals)
        count = n * pt.log(detected) - lgamma(n + 1.0) if n else 0.0
        pm.Potential(f"n_detected[{label}]", count - detected)


def session_graph(
    session: SessionLikelihood, problem: Problem, log_density: Any, by_class: list[dict[str, Any]], log_share: Any
) -> tuple[Any, Any]:
    """Σ_i log Σ_x D a Pr(w_i | x) (of two flanks, summed over who is who), and the expected number detected."""
    terms = session.terms
    intensity = pt.exp(log_density) * terms.area
    totals, seen = [], pt.zeros(len(terms.area))
    for c, parameters in enumerate(by_class):
        log_total, hazard = _class_graph(terms, problem.model.detection, log_density, dict(parameters))
        known = np.where(np.isin(np.arange(terms.n_histories), session.rows[c]), 0.0, -np.inf)
        totals.append(log_share[c] + log_total + known)
        seen = seen - pt.exp(log_share[c]) * pt.expm1(-hazard)
    log_history = pt.logsumexp(pt.stack(totals), axis=0) if len(totals) > 1 else totals[0]
    if not problem.knows_animals:
        return IdentitiesOp(session)(log_history)[0], (intensity * seen).sum()
    animals = (log_history * terms.multiplicity).sum() + terms.constant.sum()
    if terms.bursts is not None:
        each = terms.bursts
        animals = animals + pt.log(each.effort + each.before / by_class[0][SIZE][each.station]).sum()
    return animals, (intensity * seen).sum()


def _class_graph(terms: Any, detection: Any, log_density: Any, parameters: dict[str, Any]) -> tuple[Any, Any]:
    """Log totals of all histories, and the total hazard of each cell, for one class."""
    d2 = pt.as_tensor(terms.squared_distances())
    size = None if terms.bursts is None else parameters.pop(SIZE)[:, None]
    log_hazard = detection.log_hazard(d2, **{name: value[:, None] for name, value in parameters.items()})
    hazard = pt.exp(log_hazard)
    void_hazard = hazard if size is None else size * pt.log1p(hazard / size)
    hazards = pt.as_tensor(_dense(terms.vectors(_dense(terms.weights)))) @ void_hazard
    total = terms.times @ hazards
    at = terms.slot_station
    log_slot = log_hazard[at]
    if terms.detector == "proximity":
        log_slot = log_slot + log_expm1_ratio(terms.slot_effort[:, None] * hazard[at])
    if size is not None:
        log_slot = log_slot - pt.log1p(hazard / size)[at]
    counts = np.zeros((terms.n_histories, len(at)))
    np.add.at(counts, (terms.entry_history, terms.entry_slot), terms.entry_count)
    void = history_void(terms)
    extra = pt.as_tensor(_dense(void.given_back)) @ hazards
    if void.visits.shape[1]:
        extra = extra + pt.as_tensor(_dense(void.visits)) @ log_expm1_ratio(hazards[void.visited])
    base = extra + (log_density + np.log(terms.area) - total)
    log_weight = pt.as_tensor(counts) @ log_slot + base[void.group]
    return pt.logsumexp(log_weight, axis=1), total - _log_one_or_fewer(terms, hazard, hazards)


def _log_one_or_fewer(terms: Any, hazard: Any, hazards: Any) -> Any:
    """log(1 + S) of each cell where animals detected once are left out, else zero."""
    singles = terms.singles
    if singles is None:
        return 0.0
    if singles.detector == "count":
        return pt.log1p(terms.times @ hazards)
    if singles.detector == "multi":
        return pt.log1p(terms.times @ pt.expm1(hazards))
    return pt.log1p(singles.number @ pt.expm1(singles.effort[:, None] * hazard[singles.station]))


def _dense(matrix: Any) -> Any:
    """A matrix that may be sparse as an array."""
    return matrix if isinstance(matrix, np.ndarray) else matrix.toarray()
