"""Scenario studies: the survey is made and analysed many times, and what comes out is set beside the truth."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Executor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from leopardpop.components.link import link
from leopardpop.design.parameters import check_whole
from leopardpop.design.scenario import Scenario
from leopardpop.design.study_result import Study, gather
from leopardpop.errors import ModelError
from leopardpop.results.fitting import whole_seed
from leopardpop.runs import run_tasks, seed_of

if TYPE_CHECKING:
    from leopardpop.design.parameters import Point
    from leopardpop.runs import Progress

__all__ = ["replicate", "study"]

ABOUT = {"what": "leopardpop study"}
ENGINES = ("laplace", "auto", "nuts")
FACTS = ("n_individuals", "n_detections", "n_recaptures", "n_spatial_recaptures")


def study(
    scenarios: Scenario | Mapping[str, Scenario],
    *,
    replicates: int = 100,
    seed: int = 1,
    engine: str = "laplace",
    draws: int = 250,
    executor: Executor | None = None,
    folder: str | Path | None = None,
    progress: Progress = False,
) -> Study:
    """Simulate and fit each scenario many times: bias, RMSE, coverage, RSE and failures, with Monte Carlo errors.

    Parameters
    ----------
    scenarios
        One scenario, or several by name.
    replicates
        Surveys of each scenario.
    seed
        Each replicate's seed follows from it, the scenario's name and the replicate's number: results do not depend on
        the number of workers or on what other scenarios there are, and more replicates leave the first ones as they
        are.
    engine
        ``"laplace"``: a replicate whose certificate fails counts as failed; ``"auto"``: NUTS then takes over, which
        takes long; ``"nuts"``.
    draws
        Draws per chain, of four chains.
    executor
        Anything with ``submit`` as in :mod:`concurrent.futures`, also a ``dask.distributed`` client; None: here, one
        after the other.
    folder
        Where each replicate is written when it is finished. Called again with the same folder, the study goes on from
        there: after an interruption, with more replicates, or with other scenarios beside the old ones.
    progress
        True: a bar on standard error; or a function of the replicates done and all of them.

    Returns
    -------
    Study
        ``summary()``, ``replicates``, ``estimates``, ``failures()``.

    Raises
    ------
    ModelError
        If there is no scenario, or parameters are outside their domain.
    DataError
        If the folder belongs to something else.

    Warns
    -----
    ConvergenceWarning
        If workers died; what was finished is kept.

    Examples
    --------
    >>> import leopardpop as lp
    >>> visits = lp.design.visits(40, 5)
    >>> plan = lp.design.Scenario(model=lp.Occupancy(), design=visits, parameters={"psi": 0.6, "p": 0.4})
    >>> found = lp.design.study(plan, replicates=3, seed=1)
    >>> found.summary()["quantity"].tolist()
    ['psi', 'p']
    """
    named = scenarios if isinstance(scenarios, Mapping) else {"scenario": scenarios}
    _check(named, replicates, engine, draws)
    tasks: dict[str, tuple[Any, ...]] = {}
    places: dict[str, tuple[str, int]] = {}
    for name, scenario in named.items():
        work = (scenario, scenario.constants(), engine, int(draws))
        label = seed_of(whole_seed(seed), *str(name).encode())
        scenario.source.simulate(
            *scenario.where, parameters=scenario.point(seed_of(label, 0)), seed=0
        )  # or say why not
        mark = f"{scenario.fingerprint()[:20]}-{engine}{draws}-{label:x}"
        for r in range(replicates):
            own = seed_of(label, r)
            tasks[f"{mark}-{r:06d}"] = (_without_assumptions(work), scenario.point(own), own)
            places[f"{mark}-{r:06d}"] = (str(name), r)
    outcomes = run_tasks(replicate, tasks, executor=executor, folder=folder, about=ABOUT, progress=progress)
    return gather([(*places[key], outcome) for key, outcome in outcomes.items()], int(replicates))


def _check(named: Mapping[str, Any], replicates: Any, engine: str, draws: Any) -> None:
    wrong = [name for name, each in named.items() if not isinstance(each, Scenario)]
    if not named or wrong:
        found = f"{wrong[0]!r} is a {type(named[wrong[0]]).__name__}" if wrong else "there is none"
        raise ModelError(f"scenarios: {found}. Give lp.design.Scenario(...), or a dict of them.", offenders=wrong)
    check_whole("replicates", replicates)
    check_whole("draws", draws, 25)
    if engine not in ENGINES:
        raise ModelError(f"engine={engine!r}: it is one of {', '.join(map(repr, ENGINES))}.", offenders=[engine])


def _without_assumptions(work: tuple[Any, ...]) -> tuple[Any, ...]:
    """What travels to the worker: not the pilot's fit, which may be large."""
    scenario, *rest = work
    return (scenario.model, scenario.source, scenario.where, *rest)


def replicate(work: tuple[Any, ...], point: Point, seed: int) -> dict[str, Any]:
    """One survey, simulated and analysed.

    Parameters
    ----------
    work
        Model, generator, design and mask, constant parameters of the generator with their links, engine, draws.
    point
        The truth.
    seed
        Of this replicate.

    Returns
    -------
    dict
        ``facts`` of the data, ``trusted``, and ``estimates``: truth, mean, median, sd and 95 % interval by quantity.
    """
    model, source, where, constants, engine, draws = work
    simulated = source.simulate(*where, parameters=point, seed=seed_of(seed, 0))
    options = {} if engine == "nuts" else {"threads": 1}
    fit = model.fit(simulated.history, *where[1:], engine=engine, draws=draws, seed=seed_of(seed, 1), **options)
    truth = _truths(simulated.truth, constants)
    rows = fit.summary()
    columns = rows[["mean", "median", "sd", "eti95_lb", "eti95_ub"]].to_numpy(float)
    estimates = {
        name: [truth[name], *map(float, row)] for name, row in zip(rows.index, columns, strict=True) if name in truth
    }
    facts = {name: int(getattr(simulated.history, name)) for name in FACTS if hasattr(simulated.history, name)}
    return {"facts": facts, "trusted": bool(fit.trusted), "estimates": estimates}


def _truths(truth: Any, constants: Mapping[str, str]) -> dict[str, float]:
    """True values by the names of the posterior's table."""
    values = {str(label): float(value) for label, value in truth.coefficients.items()}
    for name, linked in constants.items():
        values[name] = float(link(linked).inverse(np.asarray(values[f"{name}[Intercept]"])))
    for name in ("E_N", "N"):
        if (counts := getattr(truth, name, None)) is not None:
            several = len(counts) > 1
            values |= {f"{name}[{s}]" if several else name: float(v) for s, v in counts.items()}
    return values
