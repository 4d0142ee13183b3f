"""From a model and its data to a fit, by one of the engines."""

from __future__ import annotations

import logging
import zlib
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from leopardpop.data.mask_fit import check_mask
from leopardpop.data.notices import notice
from leopardpop.errors import ConvergenceWarning, ModelError
from leopardpop.inference.laplace import MIN_RAW
from leopardpop.inference.nuts_options import check_options
from leopardpop.models.flank_problem import problem_of
from leopardpop.models.scr import SCR, need_poisson
from leopardpop.models.states.kinds import occupancy_problem
from leopardpop.results.chains import sample_problem, seconds_of_nuts
from leopardpop.results.coefficients import theta_of_posterior
from leopardpop.results.diagnostics import chain_findings, laplace_findings, weight_findings
from leopardpop.results.families import family_of, in_pieces
from leopardpop.results.findings import Finding, findings_to_json, warn_of
from leopardpop.results.pieces import evaluate_draws
from leopardpop.results.provenance import provenance
from leopardpop.results.tree import SAMPLE
from leopardpop.words import whole

if TYPE_CHECKING:
    from leopardpop.data.detection_history import DetectionHistory
    from leopardpop.data.history import CaptureHistory
    from leopardpop.data.mask import Mask
    from leopardpop.inference.laplace import LaplaceDraws
    from leopardpop.models.likelihood.terms import Floats
    from leopardpop.models.occupancy_model import OccupancyModel
    from leopardpop.models.problem import Problem
    from leopardpop.models.states.problem import OccupancyProblem
    from leopardpop.models.two_flanks import TwoFlanks
    from leopardpop.results.fit import Fit
    from leopardpop.results.fit_base import BaseFit
    from leopardpop.results.occupancy_fit import OccupancyFit

    type Masks = Mask | Mapping[str, Mask]
    type AnyProblem = Problem | OccupancyProblem

__all__ = ["fit_from_tree", "fit_model", "fit_occupancy", "occupancy_from_tree"]

ENGINES = ("auto", "laplace", "nuts")
LAPLACE_OPTIONS = ("min_ess", "min_raw", "progress", "threads")
LOG = logging.getLogger("leopardpop")


def fit_model(
    model: SCR | TwoFlanks,
    history: CaptureHistory,
    mask: Masks,
    *,
    engine: str = "auto",
    draws: int = 1000,
    chains: int = 4,
    seed: int | np.random.Generator | None = None,
    **options: Any,
) -> Fit:
    """Compute the posterior; see :meth:`SCR.fit` and :meth:`TwoFlanks.fit`.

    Raises
    ------
    ModelError
        For a binomial N, an unknown engine or an option that the engine does not have.

    Warns
    -----
    ConvergenceWarning, SparseDataWarning, PriorWarning, BufferWarning, SpacingWarning, DataWarning
        Where :meth:`Fit.diagnostics` says "warn" or "fail".
    """
    if isinstance(model, SCR):
        need_poisson(model)
    fit: Fit = _run(lambda: prepared(model, history, mask), engine, draws, chains, seed, options)
    return fit


def fit_occupancy(
    model: OccupancyModel,
    history: DetectionHistory,
    *,
    engine: str = "auto",
    draws: int = 1000,
    chains: int = 4,
    seed: int | np.random.Generator | None = None,
    **options: Any,
) -> OccupancyFit:
    """Compute the posterior; see :meth:`OccupancyModel.fit`.

    Raises
    ------
    ModelError
        For an unknown engine or an option that the engine does not have.

    Warns
    -----
    ConvergenceWarning, SparseDataWarning
        Where :meth:`OccupancyFit.diagnostics` says "warn" or "fail".
    """
    fit: OccupancyFit = _run(lambda: occupancy_problem(model, history), engine, draws, chains, seed, options)
    return fit


def _run(
    prepare: Callable[[], AnyProblem], engine: str, draws: int, chains: int, seed: Any, options: Mapping[str, Any]
) -> Any:
    """Check the request, put model and data together, and let an engine do it."""
    _check_request(engine, draws, chains, options)
    problem = prepare()
    size = {"draws": draws, "chains": chains, "seed": whole_seed(seed)}
    rest = {k: v for k, v in options.items() if k not in LAPLACE_OPTIONS}
    if engine == "nuts" or (engine == "auto" and family_of(problem).by_chains(problem)):
        return _fit_by_nuts(problem, size, rest)
    fit = _fit_by_laplace(problem, size, {k: v for k, v in options.items() if k in LAPLACE_OPTIONS})
    if engine == "auto" and not fit.trusted:
        _say_what_next(fit, size, rest)
        return _fit_by_nuts(problem, size, rest)
    warn_of(fit.findings)
    return fit


def prepared(model: SCR | TwoFlanks, history: CaptureHistory, mask: Masks) -> Problem:
    """The model with its data, after a look at whether the masks fit the stations."""
    problem = problem_of(model, history, mask)
    if len({id(each) for each in problem.masks.values()}) == 1:
        check_mask(history, next(iter(problem.masks.values())))
    else:
        for session, each in problem.masks.items():
            check_mask(history[session], each, session)
    return problem


def whole_seed(seed: int | np.random.Generator | None) -> int:
    """One whole number from whatever was given as a seed, so that it can be written down.

    Raises
    ------
    ModelError
        If it is no seed.

    Examples
    --------
    >>> whole_seed(7)
    7
    """
    if isinstance(seed, np.random.Generator):
        return int(seed.integers(2**31))
    if seed is None:
        return int(np.random.default_rng().integers(2**31))
    given: Any = seed
    if isinstance(given, bool) or not isinstance(given, int | np.integer) or not 0 <= int(given) < 2**63:
        raise ModelError(f"seed={seed!r}: give a whole number that is not negative, a numpy Generator, or None.")
    return int(given)


# -- requests ---------------------------------------------------------------------------------------------------------
def _check_request(engine: str, draws: Any, chains: Any, options: Mapping[str, Any]) -> None:
    if engine not in ENGINES:
        raise ModelError(f"engine={engine!r}: it is one of {', '.join(map(repr, ENGINES))}.", offenders=[engine])
    for name, value in (("draws", draws), ("chains", chains)):
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
            raise ModelError(f"{name}={value!r} must be a whole number of at least 1.")
    if "random_seed" in options:
        raise ModelError("random_seed: use seed=.", offenders=["random_seed"])
    unknown = [name for name in options if name not in LAPLACE_OPTIONS]
    if engine == "laplace" and unknown:
        raise ModelError(
            f"fit(engine='laplace') has no option {unknown[0]!r}; it has {', '.join(LAPLACE_OPTIONS)}. "
            "Options of pm.sample need engine='nuts'.",
            offenders=unknown,
        )
    foreign = [name for name in options if name in LAPLACE_OPTIONS]
    if engine == "nuts" and foreign:
        raise ModelError(f"fit(engine='nuts') has no option {foreign[0]!r}: it is of 'laplace'.", offenders=foreign)
    if unknown:
        check_options({name: options[name] for name in unknown if name != "folder"})
    _check_laplace(options)


def _check_laplace(options: Mapping[str, Any]) -> None:
    """Refuse numbers with which the certificate can never hold, or that are no numbers."""
    raw = options.get("min_raw", MIN_RAW)
    if isinstance(raw, bool) or not isinstance(raw, int | np.integer) or raw < MIN_RAW:
        raise ModelError(
            f"min_raw={raw!r}: Pareto k is a certificate from {whole(MIN_RAW)} raw draws on, so that a fit with fewer "
            "could never be trusted. Leave min_raw out, or give a larger whole number.",
            offenders=["min_raw"],
        )
    ess, threads = options.get("min_ess", 1), options.get("threads")
    if isinstance(ess, bool) or not isinstance(ess, int | float | np.number) or not ess >= 1:
        raise ModelError(f"min_ess={ess!r} must be a number of effective draws, at least 1.", offenders=["min_ess"])
    if threads is not None and (isinstance(threads, bool) or not isinstance(threads, int) or threads < 1):
        raise ModelError(f"threads={threads!r} must be a whole number of at least 1, or None.", offenders=["threads"])


# -- importance sampling ----------------------------------------------------------------------------------------------
def _fit_by_laplace(problem: AnyProblem, size: dict[str, int], options: Mapping[str, Any]) -> BaseFit:
    family = family_of(problem)
    keywords: dict[str, Any] = {**size, **options}
    drawn, pieces = family.draw(problem, keywords)
    findings = laplace_findings(drawn, family.spread(pieces)) + _common_findings(problem, drawn.draws, pieces)
    attrs = provenance(problem, engine="laplace", seed=size["seed"], library="leopardpop", options=options)
    attrs |= {"pareto_k": drawn.pareto_k, "importance_ess": drawn.importance_ess}
    tree = _tree(problem, drawn.draws, pieces, _weights(drawn), attrs, findings)
    fit: BaseFit = family.fit(tree, problem=problem, laplace=drawn)
    return fit


def _weights(drawn: LaplaceDraws) -> xr.Dataset:
    """Group ``sample_stats`` of the engine "laplace"."""
    coords = {"chain": np.arange(drawn.lp.shape[0]), "draw": np.arange(drawn.lp.shape[1])}
    attrs = {
        "pareto_k": drawn.pareto_k,
        "importance_ess": drawn.importance_ess,
        "n_evaluations": drawn.n_evaluations,
        "n_gradients": drawn.n_gradients,
        "n_raw": len(drawn.raw),
        "seconds": drawn.seconds,
    }
    return xr.Dataset({"log_weight": (SAMPLE, drawn.log_weight), "lp": (SAMPLE, drawn.lp)}, coords, attrs)


def _common_findings(problem: AnyProblem, theta: Floats, pieces: Any) -> list[Finding]:
    """What does not depend on the engine."""
    return family_of(problem).findings(problem, theta.reshape(-1, theta.shape[-1]), pieces)


def _tree(
    problem: AnyProblem,
    theta: Floats,
    pieces: Any,
    sample_stats: xr.Dataset,
    attrs: dict[str, Any],
    findings: list[Finding],
) -> xr.DataTree:
    family = family_of(problem)
    attrs = {**attrs, **family.origin(problem), "diagnostics_json": findings_to_json(findings)}
    return family.tree(problem, theta, pieces, sample_stats=sample_stats, attrs=attrs, seed=attrs["seed"])


# -- Markov chains ----------------------------------------------------------------------------------------------------
def _say_what_next(fit: BaseFit, size: Mapping[str, int], options: Mapping[str, Any]) -> None:
    """Tell that importance sampling failed, and how long NUTS will take, before it starts."""
    minutes = max(1, round(_seconds_of_nuts(fit, size, options) / 60))
    failed = " ".join(f.advice for f in fit.findings if f.warning == "ConvergenceWarning")
    message = f"{failed} NUTS takes over: about {minutes} min."
    LOG.info(message)
    notice(message, ConvergenceWarning)


def _seconds_of_nuts(fit: BaseFit, size: Mapping[str, int], options: Mapping[str, Any]) -> float:
    return seconds_of_nuts(fit.problem, fit.theta[0, 0], size, options)


def _fit_by_nuts(problem: AnyProblem, size: dict[str, int], options: Mapping[str, Any]) -> BaseFit:
    drawn = sample_problem(problem, size, options)
    fit: BaseFit = from_tree(problem, drawn, engine="nuts", seed=size["seed"], options=options)
    warn_of(fit.findings)
    return fit


def fit_from_tree(model: SCR | TwoFlanks, tree: xr.DataTree, history: CaptureHistory, mask: Masks) -> Fit:
    """Make a fit of draws that were made elsewhere; see :meth:`SCR.from_posterior`."""
    if isinstance(model, SCR):
        need_poisson(model)
    fit: Fit = from_tree(prepared(model, history, mask), tree, engine="external")
    warn_of(fit.findings)
    return fit


def occupancy_from_tree(model: OccupancyModel, tree: xr.DataTree, history: DetectionHistory) -> OccupancyFit:
    """Make a fit of draws that were made elsewhere; see :meth:`OccupancyModel.from_posterior`."""
    fit: OccupancyFit = from_tree(occupancy_problem(model, history), tree, engine="external")
    warn_of(fit.findings)
    return fit


def from_tree(
    problem: AnyProblem,
    tree: xr.DataTree,
    *,
    engine: str,
    seed: int | None = None,
    options: Mapping[str, Any] | None = None,
) -> Any:
    """Put draws of a PyMC model of this problem into the schema.

    Parameters
    ----------
    problem
        The model with its data.
    tree
        DataTree with ``posterior`` and, if there is one, ``sample_stats``.
    engine
        Name of the engine.
    seed
        Seed of the draws; None makes one from the draws, for the animals that were not detected.
    options
        What was asked of the engine.
    """
    given: Any = tree
    if not isinstance(given, xr.DataTree) or "posterior" not in given.children:
        raise ModelError("from_posterior needs a DataTree with a group 'posterior', such as pm.sample gives.")
    posterior = tree["posterior"].to_dataset()
    own = engine == "nuts" and "theta" in posterior
    theta = posterior["theta"].values if own else theta_of_posterior(problem, posterior)
    pieces: Any = evaluate_draws(in_pieces(problem), theta.reshape(-1, theta.shape[-1]))
    known_seed = zlib.crc32(np.ascontiguousarray(theta).tobytes()) if seed is None else seed
    weighted = _importance_of(tree)
    findings = _engine_findings(tree, weighted) + _common_findings(problem, theta, pieces)
    library = _library_of(tree)
    attrs = provenance(problem, engine=engine, seed=known_seed, library=library, options=options)
    made = _tree(problem, theta, pieces, _stats(tree), attrs | weighted, findings)
    return family_of(problem).fit(made, problem=problem)


def _library_of(tree: xr.DataTree) -> str:
    """Package that made the draws, as far as they say."""
    groups = [tree[name].attrs for name in ("sample_stats", "posterior") if name in tree.children]
    named = [attrs["inference_library"] for attrs in groups if "inference_library" in attrs]
    return str(named[0]) if named else "unknown"


def _importance_of(tree: xr.DataTree) -> dict[str, float]:
    """pareto_k and importance_ess of draws by :func:`leopardpop.laplace`; nothing for Markov chains."""
    attrs = dict(tree["sample_stats"].attrs if "sample_stats" in tree.children else {}) | dict(tree.attrs)
    names = ("pareto_k", "importance_ess")
    return {name: float(attrs[name]) for name in names} if all(name in attrs for name in names) else {}


def _engine_findings(tree: xr.DataTree, weighted: Mapping[str, float]) -> list[Finding]:
    if not weighted:
        return chain_findings(tree)
    n_raw = int(tree["sample_stats"].attrs.get("n_raw", MIN_RAW))
    return weight_findings(weighted["pareto_k"], weighted["importance_ess"], n_raw)


def _stats(tree: xr.DataTree) -> xr.Dataset:
    """Group ``sample_stats`` without what NetCDF cannot hold."""
    if "sample_stats" not in tree.children:
        return xr.Dataset()
    stats = tree["sample_stats"].to_dataset()
    kept = [name for name, values in stats.data_vars.items() if values.dtype.kind in "biuf"]
    attrs = {str(k): v for k, v in stats.attrs.items() if isinstance(v, str | int | float) and not isinstance(v, bool)}
    return stats[kept].assign_attrs().drop_attrs().assign_attrs(attrs)
