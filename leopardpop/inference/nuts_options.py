"""What may be asked of NUTS, looked at before anything is computed: a wrong word is told with the nearest right one."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from leopardpop.data.names import did_you_mean
from leopardpop.errors import ModelError

__all__ = ["STEP_OPTIONS", "check_options"]

STEP_OPTIONS = ("target_accept", "max_treedepth", "early_max_treedepth", "step_scale", "adapt_step_size")
"""Options of PyMC's own NUTS that may stand beside those of `pymc.sample`."""
OURS = (
    "init",
    "initvals",
    "jitter_max_retries",
    "model",
    "n_init",
    "nuts_sampler_kwargs",
    "random_seed",
    "return_inferencedata",
    "step",
    "trace",
    "var_names",
)
"""Options of `pymc.sample` that the engine itself sets: start, metric, seed, and the form of the result."""
OF_STEP = ("blocked", "dtype", "initial_point", "is_cov", "model", "potential", "rng", "scaling", "self", "vars")
"""Arguments of PyMC's step that the engine itself sets."""
WHOLE = {"tune": 0, "cores": 1, "max_treedepth": 1, "early_max_treedepth": 1}
"""Options that are whole numbers, with the least."""


def check_options(options: Mapping[str, Any]) -> None:
    """Refuse what `pymc.sample` or its NUTS would not understand, or would take for something else.

    Parameters
    ----------
    options
        Of :func:`leopardpop.inference.nuts.sample_nuts` beside draws, chains and seed.

    Raises
    ------
    ModelError
        For an unknown name, with the nearest one; for a value out of its range.

    Examples
    --------
    >>> check_options({"tune": 500, "nuts": {"target_accept": 0.9}})
    >>> check_options({"nuts": {"target_acept": 0.9}})
    Traceback (most recent call last):
    ...
    leopardpop.errors.ModelError: nuts={...} has no option 'target_acept'. Did you mean 'target_accept'?
    """
    step = options.get("nuts", {})
    if not isinstance(step, Mapping):
        raise ModelError(f'nuts={step!r}: give a dict of options, such as nuts={{"target_accept": 0.9}}.')
    _check_names(options)
    _check_step(step, str(options.get("nuts_sampler") or options.get("sampler") or "pymc"))
    twice = sorted({*step} & {*options})
    if twice:
        raise ModelError(f"{twice[0]!r} is given twice, beside nuts={{...}} and in it: leave one out.", offenders=twice)
    _check_values({**options, **step})


def _check_names(options: Mapping[str, Any]) -> None:
    from pymc.sampling.mcmc import sample

    taken = [name for name in options if name in OURS]
    if taken:
        raise ModelError(
            f"{taken[0]}= is set by the engine itself. To sample in another way: "
            "tree = pm.sample(model=model.build(history, mask), ...), then model.from_posterior(tree, history, mask).",
            offenders=taken,
        )
    known = {*inspect.signature(sample).parameters, "nuts", "sampler", *STEP_OPTIONS} - {"kwargs", *OURS}
    unknown = [name for name in options if name not in known]
    if unknown:
        hint = did_you_mean(unknown[0], known)
        raise ModelError(f"fit() and pm.sample have no option {unknown[0]!r}.{hint}", offenders=unknown)


def _check_step(step: Mapping[str, Any], sampler: str) -> None:
    """Names in nuts={...}: those of PyMC's own step; other samplers know theirs when they run."""
    if sampler != "pymc" or not step:
        return
    from pymc.step_methods.hmc.base_hmc import BaseHMC
    from pymc.step_methods.hmc.nuts import NUTS

    known = {name for of in (NUTS, BaseHMC) for name in inspect.signature(of.__init__).parameters}
    known -= {*OF_STEP, "kwargs", "pytensor_kwargs"}
    unknown = [str(name) for name in step if name not in known]
    if unknown:
        hint = did_you_mean(unknown[0], known)
        raise ModelError(f"nuts={{...}} has no option {unknown[0]!r}.{hint}", offenders=unknown)


def _check_values(options: Mapping[str, Any]) -> None:
    for name, least in WHOLE.items():
        value = options.get(name)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < least):
            raise ModelError(f"{name}={value!r} must be a whole number of at least {least}.", offenders=[name])
    accept = options.get("target_accept")
    if accept is not None and (not isinstance(accept, int | float) or not 0 < accept < 1):
        raise ModelError(f"target_accept={accept!r} must be a number between 0 and 1, such as 0.9.")
    _check_backend(options.get("backend"))


def _check_backend(backend: Any) -> None:
    """Names of PyTensor's modes, in any case; "c" is its own."""
    if backend is None:
        return
    from pytensor.compile.mode import predefined_modes

    known = [name.lower() for name in predefined_modes]
    if not isinstance(backend, str) or backend.lower() not in known:
        hint = did_you_mean(str(backend), known)
        raise ModelError(f"backend={backend!r} is no mode of PyTensor: it is one of {', '.join(known)}.{hint}")
