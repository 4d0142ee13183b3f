"""``fit.sensitivity()``: one call that tries whatever somebody chose or saw, and says what N hangs on."""

from __future__ import annotations

import warnings
from concurrent.futures import Executor
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from leopardpop.checks.sensitivity_draws import Base, Ground, Spread, draws_of, ground_of
from leopardpop.checks.sensitivity_priors import SENSITIVE, PriorChange, power_diagnostic
from leopardpop.checks.sensitivity_refits import Outcome, Progress, Task, run_tasks
from leopardpop.checks.sensitivity_result import Effect, Sensitivity
from leopardpop.checks.sensitivity_targets import Adjusted, SharesUsed, UnitsOut
from leopardpop.checks.sensitivity_trials import Trial, seed_of, trials_of_animals, trials_of_priors
from leopardpop.checks.sensitivity_words import facts_of, no_fact, verdict_of
from leopardpop.errors import DataWarning, LeopardpopError, ModelError
from leopardpop.models.states.problem import OccupancyProblem
from leopardpop.results.regions import default_regions
from leopardpop.words import counted, decimal

if TYPE_CHECKING:
    from leopardpop.models.likelihood.terms import Floats
    from leopardpop.models.problem import Problem
    from leopardpop.results.fit_base import BaseFit

__all__ = ["sensitivity"]


def sensitivity(
    fit: BaseFit,
    *,
    refit: bool = True,
    seconds: float | None = 60.0,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> Sensitivity:
    """Try other assumptions and leave out animals and stations; see :meth:`Fit.sensitivity`.

    Parameters
    ----------
    fit
        A fit of a capture-recapture or an occupancy model.
    refit
        Whether to fit again where the weights of the draws cannot answer.
    seconds
        Time for refits; None: no limit.
    executor
        As of :mod:`concurrent.futures`: runs refits side by side. The results are the same.
    progress
        Called with the refits done and all of them.

    Returns
    -------
    Sensitivity
    """
    if seconds is not None and not seconds >= 0:
        raise ModelError(f"seconds={seconds!r} must be a number of seconds, or None for no limit.")
    of_sites = isinstance(fit.problem, OccupancyProblem)
    return (
        _of_sites(fit, refit, seconds, executor, progress)
        if of_sites
        else _of_animals(fit, refit, seconds, executor, progress)
    )


def _of_animals(fit: Any, *options: Any) -> Sensitivity:
    grounds = _grounds(fit.problem)
    base = Base(fit, grounds)
    numbers = base.pieces.numbers()
    before = base.draws.spread(numbers)
    refit, seconds = options[:2]
    trials = list(trials_of_animals(base, fit.seed, 0.0 if not refit else np.inf if seconds is None else seconds))
    places = list(fit.problem.history.sessions) if len(fit.problem.data) > 1 else [""]
    log_likelihood = base.pieces.log_likelihood
    return _packed(
        trials, before, places, options, quantity="N", facts=facts_of(fit.history),
        priors=_powers(fit.problem, base.draws, before, places, log_likelihood),
    )  # fmt: skip


def _grounds(problem: Problem) -> list[Ground]:
    """The region that N is of where nobody says where."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)  # fit.population() tells it
        regions = default_regions(problem)
    return [ground_of(part.members[part.atom, 0].astype(float)) for part in regions.sessions]


def _of_sites(fit: Any, *options: Any) -> Sensitivity:
    problem, draws, counter = fit.problem, draws_of(fit), SharesUsed(fit.problem)
    numbers = counter(draws.theta)
    before = draws.spread(numbers)
    start = np.exp(before.log_weights) @ draws.theta
    log_site = problem.pointwise(draws.theta).y
    base = SimpleNamespace(problem=problem, draws=draws)
    trials = list(trials_of_priors(base, numbers, counter, start, fit.seed))
    for i, label in enumerate(problem.arrays.sites):
        target = Adjusted(problem, UnitsOut(problem, "y", (i,)), start)
        seed = seed_of(fit.seed, "site", str(label))
        after = draws.spread(numbers, -log_site[:, i])
        trials.append(
            Trial(kind="site", subject=str(label), words="left out", after=after, task=_task(target, counter, seed))
        )
    seasons = [f"season {label}" for label in problem.arrays.seasons]
    return _packed(
        trials, before, seasons if len(seasons) > 1 else [""], options,
        quantity="the share of sites used (%)", facts=no_fact,
        priors=_powers(problem, draws, before, seasons, log_site.sum(1)),
    )  # fmt: skip


def _task(target: Any, counter: Any, seed: int) -> Any:
    return lambda: Task(target, counter, seed)


# -- from trials to effects -------------------------------------------------------------------------------------------
def _packed(
    trials: list[Trial], before: Spread, places: list[str], options: tuple[Any, ...], **rest: Any
) -> Sensitivity:
    refit, seconds, executor, progress = options
    outcomes = _refits(trials, executor, seconds, progress) if refit else {}
    effects = [effect for i, trial in enumerate(trials) for effect in _effects(trial, outcomes.get(i), before, places)]
    ends = before.quantiles()
    shown = {place: (float(low), float(mid), float(up)) for place, (low, mid, up) in zip(places, ends.T, strict=True)}
    return Sensitivity(effects, before=shown, **rest)


def _refits(
    trials: list[Trial], executor: Executor | None, seconds: float | None, progress: Progress | None
) -> dict[int, Outcome]:
    """Outcome of every trial that weights could not answer."""
    tasks, outcomes = {}, {}
    for i, trial in enumerate(trials):
        if trial.task is None or (trial.after is not None and trial.after.trusted):
            continue
        made = _made(trial)
        if isinstance(made, Outcome):
            outcomes[i] = made
        else:
            tasks[i] = made
    found = run_tasks(list(tasks.values()), executor=executor, seconds=seconds, progress=progress)
    return outcomes | dict(zip(tasks, found, strict=True))


def _made(trial: Trial) -> Task | Outcome:
    try:
        return trial.task()  # type: ignore[misc]
    except LeopardpopError as error:
        return Outcome(reason=str(error))


def _effects(trial: Trial, outcome: Outcome | None, before: Spread, places: list[str]) -> list[Effect]:
    """One effect a place, or one that says why there is none."""
    named: dict[str, Any] = {"kind": trial.kind, "subject": trial.subject, "change": trial.words, "about": trial.about}
    if trial.exact:
        return _told(named, before, before, before, places, how="exact")
    if trial.after is not None and trial.after.trusted:
        return _told(named, before, trial.before or before, trial.after, places, how="reweighted")
    if outcome is not None and outcome.spread is not None:
        return _told(named, before, _whole(trial, before), outcome.spread, places, how="refit")
    return [Effect(**named, reason=outcome.reason if outcome else trial.reason or _why(trial), pareto_k=_k(trial))]


def _whole(trial: Trial, before: Spread) -> Spread:
    return trial.before if trial.kind == "buffer" and trial.before is not None else before


def _k(trial: Trial) -> float:
    return float("nan") if trial.after is None else trial.after.pareto_k


def _why(trial: Trial) -> str:
    k = _k(trial)
    told = f"Pareto k is {decimal(k)}" if np.isfinite(k) else "the draws do not reach there"
    ess = 0.0 if trial.after is None else trial.after.ess
    return f"{told} and the weights are worth {counted(round(ess), 'draw')}: that takes a refit (refit=True)"


def _told(
    named: dict[str, Any], all_draws: Spread, before: Spread, after: Spread, places: list[str], *, how: str
) -> list[Effect]:
    ends, old, new = all_draws.quantiles(), before.quantiles(), after.quantiles()
    sd, error = all_draws.sd(), _error(before, after, how)
    effects = []
    for p, place in enumerate(places):
        ratio = new[:, p] / np.where(old[:, p] > 0, old[:, p], np.nan)
        scaled = ends[:, p] * ratio if before is not all_draws else new[:, p]
        size = (scaled[1] - ends[1, p]) / sd[p] if sd[p] > 0 else 0.0
        low, middle, high = (float(end) for end in scaled)
        effects.append(
            Effect(
                **named,
                place=place,
                median=middle,
                eti95_lb=low,
                eti95_ub=high,
                percent=100.0 * (middle / float(ends[1, p]) - 1.0) if ends[1, p] > 0 else float("nan"),
                sds=float(size),
                error=float(error[p] / sd[p]) if sd[p] > 0 else 0.0,
                pareto_k=after.pareto_k,
                how=how,
                verdict=verdict_of(str(named["kind"]), float(size)),
            )
        )
    return effects


def _error(before: Spread, after: Spread, how: str) -> Floats:
    """Monte Carlo error of the change of the mean, by place."""
    if how == "refit":
        return np.asarray(1.25 * after.sd() * np.sqrt(1.0 / after.ess + 1.0 / max(before.ess, 1.0)))
    if how == "exact":
        return np.zeros(before.values.shape[1])
    one = after.weights[:, None] * (after.values - after.mean())
    other = before.weights[:, None] * (before.values - before.mean())
    each = len(after.values) // len(after.log_weights)
    by_draw = (one - other).reshape(len(after.log_weights), each, -1).sum(1)
    return np.asarray(np.sqrt((by_draw**2).sum(0)))


# -- power-scaling ----------------------------------------------------------------------------------------------------
def _powers(problem: Any, draws: Any, before: Spread, places: list[str], log_likelihood: Floats) -> pd.DataFrame:
    """Table of the diagnostic of each prior and of the likelihood, by place."""
    each = len(before.values) // len(before.log_weights)
    means = before.values.reshape(len(before.log_weights), each, -1).mean(1)
    factors = {term.label: PriorChange(problem, term.label, 2.0)(draws.theta) for term in problem.priors.terms}
    rows = []
    for p, place in enumerate(places):
        data = power_diagnostic(means[:, p], before.log_weights, log_likelihood)
        for label, factor in factors.items():
            power = power_diagnostic(means[:, p], before.log_weights, factor)
            rows.append((label, place, *power, _diagnosis(power.distance, data.distance)))
        rows.append(("likelihood", place, *data, ""))
    table = pd.DataFrame(rows, columns=["factor", "place", "slope", "distance", "diagnosis"]).set_index("factor")
    return table if len(places) > 1 else table.drop(columns="place")


def _diagnosis(prior: float, likelihood: float) -> str:
    if prior < SENSITIVE:
        return "the prior hardly counts"
    return "prior and data pull apart" if likelihood >= SENSITIVE else "the prior is strong, or the data weak"
