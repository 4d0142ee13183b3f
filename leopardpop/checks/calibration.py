"""Simulation-based calibration: are intervals what they say, over all that the priors think possible?"""

from __future__ import annotations

import hashlib
import os
import time
import warnings
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from leopardpop.checks.calibration_result import Calibration
from leopardpop.data.detection_history import DetectionHistory
from leopardpop.data.history import CaptureHistory
from leopardpop.errors import DataError, FitError, LeopardpopWarning, ModelError
from leopardpop.models.occupancy_model import OccupancyModel
from leopardpop.models.prior_draws import draw_coefficients
from leopardpop.models.problem import Problem
from leopardpop.models.scr import SCR
from leopardpop.models.states.kinds import occupancy_problem
from leopardpop.models.two_flanks import TwoFlanks
from leopardpop.results.community_fit import CommunityFit
from leopardpop.results.fitting import whole_seed
from leopardpop.results.model_json import describe_model, model_to_json
from leopardpop.results.occupancy_fit import OccupancyFit
from leopardpop.results.provenance import code_hash
from leopardpop.runs import run_tasks, seed_of

if TYPE_CHECKING:
    from leopardpop.data.mask import Mask
    from leopardpop.models.likelihood.terms import Floats
    from leopardpop.runs import Progress

    type Masks = Mask | Mapping[str, Mask]
    type Rule = Callable[[Any], bool]

__all__ = ["calibrate", "calibration_rule", "replicate"]

ENGINES = ("laplace", "nuts", "auto")
MOST_ATTEMPTS = 1_000
"""Surveys that are simulated until one is kept."""
ANIMALS, DETECTIONS = (3, 120), 2_000


def calibration_rule(history: CaptureHistory | DetectionHistory) -> bool:
    """Whether a simulated survey is kept: a rule on the data alone, so that it leaves ranks uniform.

    Parameters
    ----------
    history
        Capture histories need 3 to 120 animals and at most 2,000 detections; histories of sites are all kept.
    """
    if isinstance(history, DetectionHistory):
        return True
    return ANIMALS[0] <= history.n_individuals <= ANIMALS[1] and history.n_detections <= DETECTIONS


def calibrate(
    model: SCR | TwoFlanks | OccupancyModel,
    history: CaptureHistory | DetectionHistory,
    mask: Masks | None = None,
    *,
    replicates: int = 200,
    seed: int = 1,
    engine: str = "laplace",
    draws: int = 250,
    executor: Executor | None = None,
    folder: str | os.PathLike[str] | None = None,
    rule: Rule = calibration_rule,
    simulate: Mapping[str, Any] | None = None,
    progress: Progress = False,
) -> Calibration:
    """Draw truths from the priors, simulate surveys, fit them with these priors, rank each truth in its posterior.

    If likelihood, priors, simulation and engine belong together the ranks are uniform, whatever the model and however
    thin the data: 95 % intervals hold 95 % of the truths.

    Parameters
    ----------
    model
        The model, with the priors that truths are drawn from.
    history
        The design: stations or sites with their effort. What was seen in it is ignored.
    mask
        For capture-recapture: one mask, or one a session.
    replicates
        Number of surveys.
    seed
        Each replicate's seed follows from it and its number: results do not depend on the number of workers, and more
        replicates leave the first ones as they are.
    engine
        ``"laplace"``, ``"nuts"`` or ``"auto"``.
    draws
        Draws per chain, of four chains.
    executor
        Anything with ``submit`` as in :mod:`concurrent.futures`, such as ``ProcessPoolExecutor(4)``; None: here.
    folder
        Where each replicate is written when it is finished. Called again with the same folder, those that are
        there are not done again: after the process was killed, or for more replicates.
    rule
        Function of a simulated history that says whether it is kept, by what was seen in it alone; it must be
        importable by name where other processes work.
    simulate
        Further arguments of the model's ``simulate``, such as ``{"both": 0.3}`` of :class:`TwoFlanks`.
    progress
        True: a bar on standard error; or a function of the replicates done and all of them.

    Returns
    -------
    Calibration
        ``table()``, ``plot()``, ``ranks``, ``replicates``; printed it says what holds. A replicate that could not be
        fitted is counted as a failure, never replaced.

    Raises
    ------
    ModelError
        For another model, engine or number.
    DataError
        If history and mask do not go with the model, or the folder belongs to something else.

    Warns
    -----
    ConvergenceWarning
        If workers died; what was finished is kept.

    References
    ----------
    Talts, Betancourt, Simpson, Vehtari & Gelman (2018) Validating Bayesian inference algorithms with simulation-based
    calibration, arXiv:1804.06788; Modrák et al. (2023) doi:10.1214/23-BA1404 (the log-likelihood as a quantity)

    Examples
    --------
    >>> import numpy as np
    >>> import leopardpop as lp
    >>> design = lp.DetectionHistory.from_tables(np.ones((40, 5)))
    >>> found = lp.calibrate(lp.Occupancy(), design, replicates=5, draws=50)
    >>> found.ranks.columns.tolist()
    ['psi[Intercept]', 'p[Intercept]', 'log-likelihood', 'used sites']
    """
    _check(model, history, mask, engine, replicates, draws)
    where = (history,) if mask is None else (history, mask)
    work = (model, where, engine, int(draws), rule, dict(simulate or {}))
    own = whole_seed(seed)
    tasks = {f"{r:06d}": (work, seed_of(own, r)) for r in range(int(replicates))}
    _ = draw_coefficients(_design(model, where), np.random.default_rng(0))  # or say why not, before anything runs
    about = _about(model, history, mask, {"engine": engine, "draws": int(draws), "seed": own}, rule, simulate)
    outcomes = run_tasks(
        replicate,
        tasks,
        executor=executor,
        folder=None if folder is None else os.fspath(folder),
        about=about,
        progress=progress,
    )
    return Calibration.of_outcomes(outcomes, describe_model(model_to_json(model)), engine, int(draws), own)


def _check(model: Any, history: Any, mask: Any, engine: str, replicates: Any, draws: Any) -> None:
    of_sites = isinstance(model, OccupancyModel)
    if not isinstance(model, SCR | TwoFlanks | OccupancyModel):
        raise ModelError(f"model={model!r}: give a model, such as lp.SCR() or lp.Occupancy().", offenders=["model"])
    if engine not in ENGINES:
        raise ModelError(f"engine={engine!r}: it is one of {', '.join(map(repr, ENGINES))}.", offenders=[engine])
    for name, value, least in (("replicates", replicates, 1), ("draws", draws, 25)):
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
            raise ModelError(f"{name}={value!r} must be a whole number of at least {least}.", offenders=[name])
    kind: type = DetectionHistory if of_sites else CaptureHistory
    if not isinstance(history, kind):
        raise DataError(f"history: {type(model).__name__} needs a {kind.__name__}, not a {type(history).__name__}.")
    if (mask is None) is not of_sites:
        told = "has no mask: leave it out" if of_sites else "needs a mask: lp.Mask.around(history, ...)"
        raise DataError(f"mask: {type(model).__name__} {told}.")


def _design(model: Any, where: tuple[Any, ...]) -> Any:
    """The model with the design, for its priors."""
    if isinstance(model, OccupancyModel):
        return occupancy_problem(model, where[0], design_only=True)
    return Problem(model.model if isinstance(model, TwoFlanks) else model, *where)


def _about(
    model: Any, history: Any, mask: Any, asked: Mapping[str, Any], rule: Rule, simulate: Mapping[str, Any] | None
) -> dict[str, Any]:
    """What the replicates in a folder are of: another request, or another version of the code, is refused."""
    masks = mask if isinstance(mask, Mapping) else {"": mask}
    ground = sorted(f"{label} {each.mask_hash}" for label, each in masks.items() if each is not None)
    return {
        "what": "leopardpop calibration",
        **asked,
        "model": hashlib.sha256(model_to_json(model).encode()).hexdigest(),
        "design": history.data_hash,
        "mask": ground,
        "rule": f"{rule.__module__}.{rule.__qualname__}",
        "simulate": repr(sorted((simulate or {}).items())),
        "code": code_hash(),
    }


# -- one replicate ----------------------------------------------------------------------------------------------------
def replicate(work: tuple[Any, ...], seed: int) -> dict[str, Any]:
    """One survey of a truth from the prior, and the rank of the truth in the posterior.

    Parameters
    ----------
    work
        Model, design with its mask, engine, draws per chain, rule, further arguments of ``simulate``.
    seed
        Of this replicate.

    Returns
    -------
    dict
        ``ranks`` by quantity, whether the fit is ``trusted``, surveys that the rule ``rejected``, ``seconds`` of the
        processor.
    """
    model, where, engine, draws, rule, options = work
    began = time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LeopardpopWarning)
        simulated, rejected = _survey(model, where, rule, options, seed)
        threads = {"threads": 1} if engine == "laplace" else {}
        data = (simulated.history, *where[1:])
        fit = model.fit(*data, engine=engine, draws=draws, seed=seed_of(seed, 1), **threads)
        ranks = _ranks(fit, simulated.truth, np.random.default_rng(seed_of(seed, 2)))
    seconds = time.process_time() - began
    return {"ranks": ranks, "trusted": bool(fit.trusted), "rejected": rejected, "seconds": round(seconds, 3)}


def _survey(model: Any, where: tuple[Any, ...], rule: Rule, options: Mapping[str, Any], seed: int) -> tuple[Any, int]:
    """A survey that the rule keeps, and how many it rejected before."""
    problem = _design(model, where)
    for attempt in range(MOST_ATTEMPTS):
        truth = draw_coefficients(problem, np.random.default_rng(seed_of(seed, 0, attempt)))
        simulated = model.simulate(*where, parameters=truth, seed=seed_of(seed, 3, attempt), **options)
        if rule(simulated.history):
            return simulated, attempt
    raise FitError(f"the rule kept none of {MOST_ATTEMPTS:,} simulated surveys: priors and design do not go together.")


def _ranks(fit: Any, truth: Any, rng: np.random.Generator) -> dict[str, float]:
    """Rank of each true quantity in its posterior."""
    problem, theta = fit.problem, fit.theta.reshape(-1, fit.theta.shape[-1])
    labels = list(problem.labels)
    beta, true = problem.to_beta(theta), truth.coefficients.reindex(labels).to_numpy(float)
    effects = problem.layout.effects
    looked_at = set(labels) - {label for each in effects for label in each.labels[1:]}  # groups are alike: one of each
    found = {name: (beta[:, i], true[i]) for i, name in enumerate(labels) if name in looked_at}
    found["log-likelihood"] = (_log_likelihoods(fit), float(problem.log_likelihood(problem.to_theta(true))))
    found |= _numbers(fit, truth)
    return {name: _rank(drawn, value, rng) for name, (drawn, value) in found.items()}


def _rank(drawn: Floats, truth: float, rng: np.random.Generator) -> float:
    """Share of draws below the truth, at random among those that equal it, and within one draw: uniform."""
    drawn = np.asarray(drawn).ravel()
    if not np.isfinite(drawn).all() or not np.isfinite(truth):
        raise FitError("a draw or a truth is not finite, so that it has no rank.")
    below, equal = int((drawn < truth).sum()), int((drawn == truth).sum())
    return float((below + rng.random() * (equal + 1)) / (len(drawn) + 1))


def _log_likelihoods(fit: Any) -> Floats:
    """Log-likelihood of each draw, (S,)."""
    parts: xr.Dataset = fit.data_tree["log_likelihood"].to_dataset()
    total = sum(each.sum([dim for dim in each.dims if dim not in ("chain", "draw")]) for each in parts.values())
    return np.asarray(total).ravel()


def _numbers(fit: Any, truth: Any) -> dict[str, tuple[Any, float]]:
    """Draws and truth of numbers of animals, or of sites in the last season."""
    if hasattr(truth, "E_N"):
        posterior = fit.posterior
        return {
            name: (posterior[name].sum("session").values, float(getattr(truth, name).sum())) for name in ("E_N", "N")
        }
    if isinstance(fit, CommunityFit) or not isinstance(fit, OccupancyFit):
        return {}
    states, z = fit.occupancy(), np.asarray(truth.z)[:, -1]
    found: dict[str, tuple[Any, float]] = {"used sites": (_last(states.used_sites), float((z > 0).sum()))}
    if "breeding" in fit.model.structure.homes:
        found["breeding sites"] = (_last(states.breeding_sites), float((z > 1).sum()))
    if fit.model.structure.kind in ("detected animals", "counted animals"):
        found["animals"] = (_last(states.animals), float(z.sum()))
    return found


def _last(number: xr.DataArray) -> Floats:
    """Draws of a number in the last season."""
    return (number.isel(season=-1) if "season" in number.dims else number).values.ravel()
