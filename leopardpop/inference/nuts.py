"""NUTS for any PyMC model, by a sampler that is named, from starts and with a metric that Laplace has found."""

from __future__ import annotations

import contextlib
import os
import sys
import time
import warnings
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from leopardpop.data.names import did_you_mean
from leopardpop.errors import FitError
from leopardpop.inference.nuts_options import STEP_OPTIONS, check_options

if TYPE_CHECKING:
    import pymc as pm
    import xarray as xr

__all__ = ["SAMPLERS", "predict_seconds", "sample_nuts"]

Point = dict[str, NDArray[Any]]

SAMPLERS = {"pymc": (), "nutpie": ("nutpie",), "numpyro": ("jax", "numpyro"), "blackjax": ("jax", "blackjax")}
"""Samplers by name, with the packages that each needs beside PyMC."""

_GRADIENTS_PER_DRAW = 8.0  # trees of depth three: usual for a step size tuned to a good metric
_SECONDS_PER_GRADIENT, _SECONDS_PER_DRAW = 6e-5, 2e-4  # PyMC's own work in Python, measured
_SEED_LIMIT = 2**31


def sample_nuts(
    pm_model: pm.Model,
    *,
    draws: int = 1000,
    chains: int = 4,
    seed: int | np.random.Generator | None = None,
    start: Mapping[str, Any] | None = None,
    covariance: NDArray[np.float64] | None = None,
    sampler: str = "pymc",
    progressbar: bool = False,
    folder: Path | None = None,
    **sample_kwargs: Any,
) -> xr.DataTree:
    """Sample a PyMC model with NUTS.

    Parameters
    ----------
    pm_model
        A `pymc.Model` with continuous free variables.
    draws, chains
        Draws per chain after tuning, and chains.
    seed
        Seed or generator; the same seed gives the same draws on any number of cores.
    start
        Values by name of the free variables (natural scale) or of their transforms; the others start where the model
        says. With a covariance, each chain begins at its own draw around it.
    covariance
        Covariance (P, P) of the unconstrained variables in the order of ``pm_model.continuous_value_vars``: the
        metric of PyMC's own sampler, which then tunes its step size only. Ignored by other samplers.
    sampler
        "pymc", "nutpie", "numpyro" or "blackjax". Nothing is chosen silently.
    progressbar
        Whether to show progress; without it nothing is printed or logged.
    folder
        Where blocks of draws are kept as they are finished; those that are there are not drawn again. PyMC's own
        sampler only, with a covariance, of a model with one free variable. Its draws are others than those without.
    **sample_kwargs
        For `pymc.sample`: ``tune``, ``cores``, ``target_accept``, ``nuts={...}``, ``backend`` (a PyTensor mode such
        as "numba" or "FAST_COMPILE"), ….

    Returns
    -------
    xarray.DataTree
        As `pymc.sample` gives it; ``sample_stats`` has an attribute ``sampler``.

    Raises
    ------
    FitError
        If the sampler is unknown, is not installed or cannot run this model, or ``random_seed`` is given.
    ModelError
        For an option that there is not, or a value out of its range.

    References
    ----------
    Hoffman & Gelman (2014), Journal of Machine Learning Research 15(47)

    Examples
    --------
    >>> import pymc as pm
    >>> with pm.Model() as model:
    ...     x = pm.Normal("x")
    >>> sample_nuts(model, sampler="stan")
    Traceback (most recent call last):
    ...
    leopardpop.errors.FitError: There is no sampler 'stan'; choose from pymc, nutpie, numpyro, blackjax.
    """
    _check(sampler, sample_kwargs)
    rng = np.random.default_rng(seed)
    options: dict[str, Any] = {"draws": draws, "chains": chains, "nuts_sampler": sampler, "model": pm_model}
    options |= {"progressbar": progressbar, "quiet": not progressbar, "compute_convergence_checks": False}
    options["random_seed"] = int(rng.integers(_SEED_LIMIT))
    mode = sample_kwargs.pop("backend", None)
    with _compiling(mode), _no_fork_warning():
        if sampler == "pymc":
            options |= _own_options(pm_model, chains, rng, start, covariance, sample_kwargs)
            if folder is not None:
                return _in_blocks(folder, options | sample_kwargs)
        else:
            sample_kwargs["nuts"] = _step_options(sample_kwargs)
            options |= {} if start is None else {"initvals": dict(start)}
        tree = _sample(sampler, options | sample_kwargs)
    tree["sample_stats"].attrs["sampler"] = sampler
    return tree


def predict_seconds(
    cost: pm.Model | float,
    *,
    draws: int = 1000,
    tune: int = 1000,
    chains: int = 4,
    cores: int | None = None,
    backend: str | None = None,
) -> float:
    """Estimate how long NUTS will take, from the cost of one gradient.

    Parameters
    ----------
    cost
        Seconds of one evaluation of the log posterior with its gradient; or a `pymc.Model`, which is then compiled and
        evaluated a few times: its compilation is part of the answer.
    draws, tune, chains
        As for `sample_nuts`.
    cores
        Chains that run at once; by default as many as `sample_nuts` would use.
    backend
        PyTensor mode of a model.

    Returns
    -------
    float
        Seconds; right to a factor of two or so where the posterior is regular.

    Examples
    --------
    >>> round(predict_seconds(0.003, chains=4, cores=2))
    99
    """
    compiling, gradient = (0.0, float(cost)) if isinstance(cost, int | float) else _timed(cost, backend)
    at_once = min(chains, cores or _cores(chains))
    per_draw = _GRADIENTS_PER_DRAW * (gradient + _SECONDS_PER_GRADIENT) + _SECONDS_PER_DRAW
    return compiling + (draws + tune) * per_draw * -(-chains // at_once)


def _check(sampler: str, sample_kwargs: Mapping[str, Any]) -> None:
    if "random_seed" in sample_kwargs:
        raise FitError("random_seed is PyMC's word; use seed=.", offenders=["random_seed"])
    if sampler not in SAMPLERS:
        raise FitError(f"There is no sampler {sampler!r}; choose from {', '.join(SAMPLERS)}.", offenders=[sampler])
    missing = [package for package in SAMPLERS[sampler] if find_spec(package) is None]
    if missing:
        raise FitError(
            f"The sampler {sampler!r} needs {' and '.join(missing)}, which {'are' if missing[1:] else 'is'} not "
            f"installed: pip install {' '.join(missing)}, or use sampler='pymc'.",
            offenders=missing,
        )
    check_options({**sample_kwargs, "sampler": sampler})


def _sample(sampler: str, options: dict[str, Any]) -> xr.DataTree:
    import pymc as pm

    try:
        tree: xr.DataTree = pm.sample(**options)
    except NotImplementedError as error:
        if sampler not in ("numpyro", "blackjax"):
            raise
        raise FitError(
            f"The sampler {sampler!r} runs on JAX, and this model has a part without a JAX form ({error}): "
            "use sampler='pymc' or 'nutpie'."
        ) from error
    except AttributeError as error:
        name = str(error).rpartition("settings attribute: ")[2]  # nutpie's word for an option that it does not have
        if sampler != "nutpie" or name == str(error):
            raise
        hint = did_you_mean(name, STEP_OPTIONS)
        raise FitError(f"nuts={{...}}: the sampler 'nutpie' has no option {name!r}.{hint}", offenders=[name]) from error
    return tree


def _in_blocks(folder: Path, options: Mapping[str, Any]) -> xr.DataTree:
    """Sample block by block, with the step, the starts and the seed that `pymc.sample` would get."""
    from leopardpop.inference.blocks import BlockPlan, sample_blocks

    named = {name: options[name] for name in ("draws", "tune", "cores")}
    plan = BlockPlan(seed=options["random_seed"], folder=folder, **named)
    tree = sample_blocks(options["step"], options["initvals"], plan)
    tree["sample_stats"].attrs["sampler"] = "pymc"
    return tree


def _own_options(
    model: pm.Model,
    chains: int,
    rng: np.random.Generator,
    start: Mapping[str, Any] | None,
    covariance: NDArray[np.float64] | None,
    sample_kwargs: dict[str, Any],
) -> dict[str, Any]:
    """Options of PyMC's own sampler: cores, starts, and a step with the given metric."""
    cores = sample_kwargs.pop("cores", None) or _cores(chains)
    options: dict[str, Any] = {"cores": cores}
    if cores > 1 and sys.platform == "linux":
        options["mp_ctx"] = "fork"  # children inherit the compiled functions; elsewhere they would compile anew
    if start is not None or covariance is not None:
        options["initvals"] = _initial_points(model, chains, rng, start, covariance)
        options["init"] = "adapt_diag"
    if covariance is not None:
        options["step"] = _step(model, covariance, options["initvals"][0], sample_kwargs)
        options.setdefault("tune", 500)  # only the step size is left to tune
    return options


def _step(model: pm.Model, covariance: NDArray[np.float64], start: Point, sample_kwargs: dict[str, Any]) -> Any:
    """PyMC's NUTS with a fixed metric; options of the sampler move from `pymc.sample` to it."""
    import pymc as pm

    settings = _step_options(sample_kwargs)
    return pm.NUTS(scaling=np.asarray(covariance), is_cov=True, model=model, initial_point=start, **settings)


def _step_options(sample_kwargs: dict[str, Any]) -> dict[str, Any]:
    """Options of NUTS, taken out of those of `pymc.sample`."""
    settings = dict(sample_kwargs.pop("nuts", {}))
    return settings | {name: sample_kwargs.pop(name) for name in STEP_OPTIONS if name in sample_kwargs}


def _initial_points(
    model: pm.Model,
    chains: int,
    rng: np.random.Generator,
    start: Mapping[str, Any] | None,
    covariance: NDArray[np.float64] | None,
) -> list[Point]:
    """One unconstrained point a chain: around ``start`` as far as the covariance says."""
    from pymc.initial_point import make_initial_point_fn

    centre = make_initial_point_fn(model=model, overrides=dict(start or {}))(0)
    names = [var.name for var in model.continuous_value_vars]
    shapes = [np.shape(centre[name]) for name in names]
    flat = np.concatenate([np.ravel(centre[name]) for name in names])
    root = np.zeros((len(flat), len(flat))) if covariance is None else np.linalg.cholesky(covariance)
    ends = np.cumsum([int(np.prod(shape)) for shape in shapes])[:-1]
    points = []
    for _ in range(chains):
        parts = np.split(flat + root @ rng.standard_normal(len(flat)), ends)
        moved = {name: part.reshape(shape) for name, part, shape in zip(names, parts, shapes, strict=True)}
        points.append({name: np.asarray(value) for name, value in centre.items()} | moved)
    return points


def _cores(chains: int) -> int:
    """Chains at once: up to four, where a process can be forked; a spawned one would compile everything again."""
    if sys.platform != "linux":
        return 1
    return max(1, min(chains, 4, len(os.sched_getaffinity(0))))


@contextlib.contextmanager
def _compiling(mode: str | None) -> Iterator[None]:
    """Let PyTensor compile everything in one mode: the step, and what is stored of each draw."""
    if mode is None:
        yield
        return
    import pytensor

    with pytensor.config.change_flags(mode=_mode_name(mode)):
        yield


def _mode_name(mode: str) -> str:
    return {"c": "CVM"}.get(mode.lower(), mode.upper())


@contextlib.contextmanager
def _no_fork_warning() -> Iterator[None]:
    """Hide Python's warning about fork in a process with threads: ours have ended, those of BLAS survive a fork."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*use of fork.*may lead to deadlocks", category=DeprecationWarning)
        yield


def _timed(model: pm.Model, backend: str | None) -> tuple[float, float]:
    """Seconds of compilation, and of one gradient at the model's initial point (the fastest of a few)."""
    began = time.perf_counter()
    with _compiling(backend):
        function = model.logp_dlogp_function(ravel_inputs=True)
        function.trust_input = True
        point = model.initial_point(random_seed=0)
        theta = np.concatenate([np.ravel(point[var.name]) for var in model.continuous_value_vars]).astype(float)
        function([theta])
    compiled, best = time.perf_counter() - began, np.inf
    for _ in range(7):
        before = time.perf_counter()
        function([theta])
        best = min(best, time.perf_counter() - before)
    return compiled, best
