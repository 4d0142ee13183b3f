"""Markov chains for a problem: NUTS that starts where Laplace has been, in the coordinates of the PyMC model."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from leopardpop.errors import ModelError
from leopardpop.models.density_integral import surface_of
from leopardpop.models.states.community import CommunityProblem
from leopardpop.models.states.problem import OccupancyProblem
from leopardpop.models.states.surface_integral import has_surface
from leopardpop.results.centring import community_metric, surface_metric
from leopardpop.results.density_centring import density_metric
from leopardpop.results.provenance import MADE_WITH, fingerprint_of, provenance
from leopardpop.runs import open_folder

if TYPE_CHECKING:
    import pymc as pm
    import xarray as xr

    from leopardpop.models.likelihood.terms import Floats
    from leopardpop.models.problem import Problem

    type AnyProblem = Problem | OccupancyProblem

__all__ = ["sample_problem", "seconds_of_nuts"]

STEP = 1e-3
"""Of the differences, in posterior sds."""
REPEATS = 5
LONGER_TREES = 2.5
"""Steps of a draw where deviations of groups and their sd go together, of those elsewhere (measured)."""
TUNE = 300
"""Draws in which chains of a community find their step: the metric is good from the start."""
ACCEPT = 0.9
"""Of the steps of a community: where many sds between species are near 0, longer steps leave their funnel out."""


def sample_problem(problem: AnyProblem, size: Mapping[str, int], options: Mapping[str, Any]) -> xr.DataTree:
    """Sample with NUTS from the mode, with the Laplace covariance as metric.

    PyMC's own sampler runs on the log posterior of theta in NumPy: there is next to nothing to compile, and a prior of
    many terms costs nothing beside it. Others need a graph.

    Parameters
    ----------
    problem
        The model with its data.
    size
        ``draws``, ``chains`` and ``seed``.
    options
        For :func:`leopardpop.inference.nuts.sample_nuts`; ``nuts_sampler`` is its ``sampler``.

    Returns
    -------
    xarray.DataTree
        Its posterior has ``theta``, or after another sampler the variables of the PyMC model.
    """
    from leopardpop.inference.nuts import sample_nuts
    from leopardpop.models.graph import point_of

    chosen = dict(options)
    sampler, folder = chosen.pop("nuts_sampler", chosen.pop("sampler", "pymc")), chosen.pop("folder", None)
    own = sampler == "pymc"
    if own:
        chosen.setdefault("backend", "FAST_COMPILE")
    if isinstance(problem, CommunityProblem):
        chosen.setdefault("tune", TUNE)
        if "target_accept" not in chosen.get("nuts", {}):
            chosen.setdefault("target_accept", ACCEPT)
    moved, middle, metric = _middle(problem, own=own)
    keywords: dict[str, Any] = {**size, **chosen}
    if own:
        model, start, covariance = flat_model(moved), {"theta": middle}, metric
    else:
        model, start = problem.graph(), point_of(problem, middle)
        covariance = unconstrained_covariance(problem, model, middle, metric)
    if folder is not None:
        keywords["folder"] = _folder_of(problem, folder, size, {**options, "sampler": sampler})
    tree = sample_nuts(model, start=start, covariance=covariance, sampler=sampler, **keywords)
    return tree if moved is problem or not own else _moved_back(tree, moved, problem)


def _folder_of(problem: AnyProblem, folder: Any, size: Mapping[str, int], options: Mapping[str, Any]) -> Path:
    """The folder that blocks of draws are kept in, if it is of this very run; more draws or chains go on with it."""
    if options["sampler"] != "pymc":
        raise ModelError(
            f"folder= keeps the draws of PyMC's own sampler, not those of {options['sampler']!r}: leave out one of "
            "them.",
            offenders=["folder"],
        )
    attrs = provenance(problem, engine="nuts", seed=size["seed"], library="pymc", options=options)
    asked = {name: attrs[name] for name in (*MADE_WITH, "seed", "model_json", "priors_json", "data_hash")}
    masks = getattr(problem, "masks", None)
    where = {} if masks is None else {"mask_hash": fingerprint_of(masks)}
    told = json.loads(attrs["options_json"])
    return open_folder(folder, {**asked, **where, **{f"option {name}": told[name] for name in told if name != "cores"}})


def _moved_back(tree: xr.DataTree, moved: AnyProblem, problem: AnyProblem) -> xr.DataTree:
    """Draws of theta in the coordinates of the problem that was asked for."""
    posterior = tree["posterior"].to_dataset()
    theta = problem.to_theta(moved.to_beta(posterior["theta"].values))
    tree["posterior"] = posterior.assign(theta=posterior["theta"].copy(data=theta))
    return tree


def _middle(problem: AnyProblem, *, own: bool) -> tuple[AnyProblem, Floats, Floats]:
    """The problem as the chains move in it, where they begin, (P,), and their metric, (P, P)."""
    from leopardpop.inference.mode import find_modes

    if isinstance(problem, CommunityProblem):
        return community_metric(problem, centred=own)
    if isinstance(problem, OccupancyProblem):
        if has_surface(problem):
            return problem, *surface_metric(problem)
    elif (surface := surface_of(problem)) is not None:
        return problem, *density_metric(problem, surface)
    mode = find_modes(problem).best
    return problem, mode.theta, mode.covariance


def flat_model(problem: AnyProblem) -> pm.Model:
    """A PyMC model of the engine's own coordinates: one free variable ``theta`` (P,), the log posterior its potential.

    Parameters
    ----------
    problem
        The model with its data.
    """
    import pymc as pm

    from leopardpop.models.likelihood_op import LikelihoodOp

    with pm.Model() as model:
        theta = pm.Flat("theta", shape=len(problem.names))
        pm.Potential("log_posterior", LikelihoodOp(problem, posterior=True)(theta)[0])
    return model


def seconds_of_nuts(problem: AnyProblem, theta: Floats, size: Mapping[str, int], options: Mapping[str, Any]) -> float:
    """Estimate the time of :func:`sample_problem` from that of a gradient.

    Parameters
    ----------
    problem
        The model with its data.
    theta
        Where to evaluate, (P,).
    size, options
        As there.
    """
    from leopardpop.inference.nuts import predict_seconds

    best = min(_timed(lambda: problem.gradient(theta)) for _ in range(REPEATS))
    known = {name: options[name] for name in ("tune", "cores") if options.get(name) is not None}
    seconds = predict_seconds(best, draws=size["draws"], chains=size["chains"], **{"tune": 500, **known})
    return seconds * (LONGER_TREES if problem.layout.effects else 1.0)


def _timed(call: Callable[[], Any]) -> float:
    before = time.perf_counter()
    call()
    return time.perf_counter() - before


def unconstrained_covariance(problem: AnyProblem, model: pm.Model, middle: Floats, covariance: Floats) -> Floats:
    """Covariance around the middle in the coordinates that the sampler moves in, (P, P).

    Parameters
    ----------
    problem
        The model with its data.
    model
        Its PyMC model.
    middle, covariance
        Where it is, and it, in the engine's coordinates.
    """
    from leopardpop.models.graph import point_of

    place = _unconstrained(model)
    root = np.linalg.cholesky(covariance)
    ways = [
        (place(point_of(problem, middle + STEP * axis)) - place(point_of(problem, middle - STEP * axis))) / (2 * STEP)
        for axis in root.T
    ]
    moved: Floats = np.stack(ways, axis=1)
    return moved @ moved.T


def _unconstrained(model: pm.Model) -> Callable[[Mapping[str, Any]], Floats]:
    """Function from values of the free variables to the sampler's coordinates, in its order."""
    import pytensor

    inputs, outputs = [], {}
    for variable in model.free_RVs:
        symbol, transform = variable.type(), model.rvs_to_transforms[variable]
        inputs.append(symbol)
        moved = symbol if transform is None else transform.forward(symbol, *variable.owner.inputs)
        outputs[model.rvs_to_values[variable].name] = moved.ravel()
    ordered = [outputs[value.name] for value in model.continuous_value_vars]
    function = pytensor.function(inputs, ordered, mode="FAST_COMPILE", on_unused_input="ignore")
    names = [variable.name for variable in model.free_RVs]

    def place(point: Mapping[str, Any]) -> Floats:
        return np.concatenate(function(*(np.asarray(point[name], float) for name in names)))

    return place
