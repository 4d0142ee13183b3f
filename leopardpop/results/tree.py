"""From draws to the one data tree that every engine returns.

The groups are ``posterior``, ``log_likelihood``, ``log_prior``, ``sample_stats``, ``observed_data`` and
``constant_data``; variables, dimensions and coordinates depend on the model and the data alone, never on the engine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from leopardpop.models.describe import effort_unit_of
from leopardpop.priors import Prior

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from leopardpop.data.mask import Mask
    from leopardpop.models.likelihood.terms import Floats
    from leopardpop.models.prior_terms import PriorTerm
    from leopardpop.models.problem import Pointwise, Problem
    from leopardpop.models.states.problem import OccupancyProblem

    type AnyProblem = Problem | OccupancyProblem

    type Variable = tuple[tuple[str, ...], Any, dict[str, str]]

__all__ = [
    "canonical_tree",
    "coefficient_variables",
    "constant_dataset",
    "effect_variables",
    "log_prior_dataset",
    "log_prior_terms",
    "natural_variables",
    "pieces_by_draw",
    "posterior_dataset",
    "realised_numbers",
    "sample_coords",
    "scaling_variables",
    "tree_of",
]

SAMPLE = ("chain", "draw")


def canonical_tree(
    problem: Problem,
    theta: Floats,
    pieces: Pointwise,
    *,
    sample_stats: xr.Dataset,
    attrs: Mapping[str, Any],
    seed: int,
) -> xr.DataTree:
    """Put draws into the schema.

    Parameters
    ----------
    problem
        The model with its data.
    theta
        Draws (chain, draw, P).
    pieces
        Pieces of the likelihood of the draws in C order, see :func:`leopardpop.results.pieces.evaluate_draws`.
    sample_stats
        What the engine has to say of its draws.
    attrs
        Root attributes: text and numbers.
    seed
        Of the number of animals that were never detected.

    Returns
    -------
    xarray.DataTree
    """
    by_draw = pieces_by_draw(theta, pieces)
    return tree_of(
        problem,
        {
            "posterior": posterior_dataset(problem, theta, by_draw["expected"], by_draw["detected"], seed=seed),
            "log_likelihood": _log_likelihood(problem, by_draw),
            "log_prior": log_prior_dataset(problem, theta, by_draw["expected"]),
            "sample_stats": sample_stats,
        },
        attrs,
    )


def pieces_by_draw(theta: Floats, pieces: Pointwise) -> dict[str, Floats]:
    """Pieces of the likelihood of draws (chain, draw, P), with both axes first."""
    return {name: values.reshape(*theta.shape[:2], -1) for name, values in pieces._asdict().items()}


def tree_of(problem: Problem, groups: Mapping[str, xr.Dataset], attrs: Mapping[str, Any]) -> xr.DataTree:
    """A tree of what was drawn, with the data that it is of."""
    data = {"observed_data": problem.given.dataset, "constant_data": constant_dataset(problem)}
    tree = xr.DataTree.from_dict({**groups, **data})
    tree.attrs = dict(attrs)
    return tree


def posterior_dataset(
    problem: Problem, theta: Floats, expected: Floats, detected: Floats, *, seed: int, seen: Any = None
) -> xr.Dataset:
    """Group ``posterior``: natural parameters, coefficients, shares, and numbers of animals.

    Parameters
    ----------
    problem
        The model with its data.
    theta
        Draws (chain, draw, P).
    expected, detected
        Expected number of animals in the mask and of detected animals, (chain, draw, session).
    seed
        Of the number of undetected animals.
    seen
        Number of animals behind the identities, (chain, draw, session); None: each identity is one.
    """
    variables = _density(problem, expected) | natural_variables(problem, theta) | _shares(problem, theta)
    variables |= coefficient_variables(problem, theta) | effect_variables(problem, theta)
    numbers = realised_numbers(problem, expected, detected, seed, seen)
    variables["E_N"] = ((*SAMPLE, "session"), expected, {"units": "animals"})
    variables["N"] = ((*SAMPLE, "session"), numbers, {"units": "animals"})
    return xr.Dataset(variables, coords={**sample_coords(theta), **_posterior_coords(problem)})


def realised_numbers(problem: Problem, expected: Floats, detected: Floats, seed: int, seen: Any = None) -> Any:
    """Draw N in the mask: the animals detected and a Poisson number of others, (chain, draw, session)."""
    # One stream of random numbers a purpose: the proposal's draws must not be those of the animals.
    rng = np.random.default_rng([seed, 0x4E])
    n = np.array([len(data.individuals) for data in problem.data]) if seen is None else seen
    return n + rng.poisson(np.maximum(expected - detected, 0.0))


def log_prior_terms(problem: AnyProblem, theta: Floats, expected: Floats) -> dict[str, Floats]:
    """Log prior density of every term, in the coordinates of theta.

    Parameters
    ----------
    problem
        The model with its data.
    theta
        Draws (S, P).
    expected
        Expected number of animals in the mask, (S,); anything for a model without one.

    Returns
    -------
    dict
        Label of the term to (S,); they add up to the log prior of theta.
    """
    terms = problem.priors.terms
    with np.errstate(all="ignore"):
        return {term.label: _log_prior_term(problem, term, theta, expected) for term in terms}


def _log_prior_term(problem: AnyProblem, term: PriorTerm, theta: Floats, expected: Floats) -> Floats:
    eta = theta[:, term.position]
    if term.label == "N":
        return _logpdf(term.prior, expected) + np.log(expected)
    if term.parameter == "pmix":
        return _log_prior_shares(problem, term, theta)
    parameter = problem.layout[term.parameter]
    if term.natural:
        slope: Floats = np.log(parameter.link.inverse_derivative(eta))
        return _logpdf(term.prior, np.asarray(parameter.link.inverse(eta))) + slope
    at = term.position - parameter.place.start
    scale = float(parameter.design.scale[at])
    if at == parameter.ordered:
        ordered: Floats = _logpdf(term.prior, np.exp(eta) / scale) - np.log(scale) + eta
        return ordered
    density: Floats = _logpdf(term.prior, eta / scale) - np.log(scale)
    return density


def _log_prior_shares(problem: AnyProblem, term: PriorTerm, theta: Floats) -> Floats:
    shares = problem.layout.shares
    if shares is None or len(shares.levels) > 2:
        return np.array([problem.priors.by_term(row, np.nan)["pmix"] for row in theta])
    log_share: Floats = shares.log_shares(theta)
    result: Floats = _logpdf(term.prior, np.exp(log_share[:, 1])) + log_share.sum(-1)
    return result


def _logpdf(prior: Any, x: Floats) -> Floats:
    """Log density at many points; a prior of somebody else's takes one at a time."""
    if isinstance(prior, Prior):
        return np.asarray(prior.logpdf(x), float)
    return np.array([float(prior.logpdf(value)) for value in x])


def sample_coords(theta: Floats) -> dict[str, Any]:
    """Coordinates of draws (chain, draw, ...)."""
    return {"chain": np.arange(theta.shape[0]), "draw": np.arange(theta.shape[1])}


def _posterior_coords(problem: Problem) -> dict[str, list[str]]:
    coords = {"session": list(problem.history.sessions)}
    for parameter in problem.layout.parameters:
        coords[f"{parameter.name}_coef"] = list(parameter.design.coefficients)
        if parameter.name != "D":
            coords |= {name: list(levels) for name, levels in parameter.design.factors.items()}
    coords |= problem.layout.effect_coords()
    if problem.column is not None:
        coords[problem.column] = list(problem.levels)
    return coords


def _density(problem: Problem, expected: Floats) -> dict[str, Variable]:
    area = np.array([session.terms.area.sum() for session in problem.sessions])
    units = {"units": problem.layout["D"].unit}
    if problem.density_by_session:
        return {"D": ((*SAMPLE, "session"), expected / area, units)}
    return {"D": (SAMPLE, expected.sum(-1) / area.sum(), units)}


def natural_variables(problem: AnyProblem, theta: Floats) -> dict[str, Variable]:
    """Parameters on their natural scale, a dimension for each factor; all but density."""
    beta, variables = problem.to_beta(theta), {}
    for parameter in problem.layout.parameters:
        if parameter.name == "D":
            continue
        factors, rows = parameter.reference_grid()
        value = np.asarray(parameter.link.inverse(beta[..., parameter.place] @ rows.T))
        shape = (*theta.shape[:2], *(len(levels) for levels in factors.values()))
        units = effort_unit_of(parameter.unit, problem.history.effort_unit)
        variables[parameter.name] = ((*SAMPLE, *factors), value.reshape(shape), {"units": units or "1"})
    return variables


def _shares(problem: Problem, theta: Floats) -> dict[str, Variable]:
    shares = problem.layout.shares
    if shares is None:
        return {}
    return {"pmix": ((*SAMPLE, shares.column), np.exp(shares.log_shares(theta)), {"units": "1"})}


def coefficient_variables(problem: AnyProblem, theta: Floats) -> dict[str, Variable]:
    """Coefficients of covariates as given, on the link scale."""
    beta = problem.to_beta(theta)
    return {
        f"{p.name}_beta": ((*SAMPLE, f"{p.name}_coef"), beta[..., p.place], {"link": p.link.name})
        for p in problem.layout.parameters
    }


def effect_variables(problem: AnyProblem, theta: Floats) -> dict[str, Variable]:
    """Deviations of groups, ``psi_effect (psi_level)``, on the scale of the link and per unit of the covariate."""
    variables: dict[str, Variable] = {}
    for (name, dim), effects in problem.layout.effects_by_variable().items():
        link = {"units": problem.layout[effects[0].parameter].link.name if name.endswith("_effect") else "1"}
        variables[name] = ((*SAMPLE, dim), np.concatenate([each.reported(theta) for each in effects], axis=-1), link)
    return variables


def _log_likelihood(problem: Problem, pieces: Mapping[str, Floats]) -> xr.Dataset:
    history = problem.history.dataset
    animals = [str(name) for name, values in history.coords.items() if values.dims == ("individual",)]
    variables = {
        "capture": ((*SAMPLE, "individual"), pieces["capture"]),
        "n_detected": ((*SAMPLE, "session"), pieces["n_detected"]),
    }
    coords = {name: ("individual", history[name].values) for name in animals}
    return xr.Dataset(
        variables, coords={**sample_coords(pieces["capture"]), **coords, "session": list(problem.history.sessions)}
    )


def log_prior_dataset(problem: AnyProblem, theta: Floats, expected: Floats) -> xr.Dataset:
    """Group ``log_prior``: one variable a term, of draws (chain, draw, P) with E[N] by session if there is one."""
    flat = theta.reshape(-1, theta.shape[-1])
    terms = log_prior_terms(problem, flat, expected.reshape(len(flat), -1).sum(-1))
    variables = {label: (SAMPLE, values.reshape(theta.shape[:2])) for label, values in terms.items()}
    return xr.Dataset(variables, coords=sample_coords(theta))


# -- constants --------------------------------------------------------------------------------------------------------
def constant_dataset(problem: Problem) -> xr.Dataset:
    """Group ``constant_data``: cells and their session, the masks' properties, stations, scaling of the covariates."""
    masks = [problem.masks[data.session] for data in problem.data]
    return xr.Dataset(
        {**_cells(masks), **_mask_properties(masks), **_stations(problem), **scaling_variables(problem)},
        coords={
            "cell": np.arange(sum(mask.n_cells for mask in masks)),
            "cell_session": ("cell", np.repeat(problem.history.sessions, [mask.n_cells for mask in masks])),
            "session": list(problem.history.sessions),
            "station": problem.history.dataset["station"].values,
            **{f"{p.name}_coef": list(p.design.coefficients) for p in problem.layout.parameters},
        },
    )


def _cells(masks: list[Mask]) -> dict[str, Variable]:
    import pandas as pd

    from leopardpop.data.covariates import to_coordinate

    units = {"x": "m", "y": "m", "area": "km²"}
    table = pd.concat([mask.table for mask in masks], ignore_index=True)
    return {
        str(name): (("cell",), to_coordinate(_one_type(column)), {"units": units[str(name)]} if name in units else {})
        for name, column in table.items()
    }


def _one_type(column: pd.Series[Any]) -> pd.Series[Any]:
    """Text with None where a session's mask has no such covariate."""
    if column.dtype == np.float64:
        return column
    return column.astype(object).where(column.notna(), None)


def _mask_properties(masks: list[Mask]) -> dict[str, Variable]:
    def lengths(name: str) -> Floats:
        return np.array([np.nan if (v := getattr(mask, name)) is None else v for mask in masks], float)

    return {
        "mask_buffer": (("session",), lengths("buffer"), {"units": "m"}),
        "mask_spacing": (("session",), lengths("spacing"), {"units": "m"}),
        "mask_crs": (("session",), np.array([mask.crs or "" for mask in masks]), {}),
        "mask_region": (("session",), np.array([_outline(mask) for mask in masks]), {}),
        "mask_hash": (("session",), np.array([mask.mask_hash for mask in masks]), {}),
        "mask_covariates": (("session",), np.array(["\t".join(map(str, m.covariates.columns)) for m in masks]), {}),
    }


def _outline(mask: Mask) -> str:
    """Return the region as text with every digit, "" if there is none."""
    if mask.region is None:
        return ""
    import shapely

    return str(shapely.to_wkt(mask.region, rounding_precision=-1))


def _stations(problem: Problem) -> dict[str, Variable]:
    dataset = problem.history.dataset
    return {f"station_{axis}": (("station",), dataset[axis].values, {"units": "m"}) for axis in ("x", "y")}


def scaling_variables(problem: AnyProblem) -> dict[str, Variable]:
    """Centre and scale of the columns that the engine's coefficients belong to."""
    return {
        f"{p.name}_{name}": ((f"{p.name}_coef",), np.array(getattr(p.design, name), float), {})
        for p in problem.layout.parameters
        for name in ("center", "scale")
    }
