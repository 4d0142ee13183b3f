"""Posterior draws without a Markov chain: mode, Hessian, t proposal, importance weights, and a certificate."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cached_property, partial

import numpy as np
from numpy.typing import NDArray

from leopardpop.errors import FitError
from leopardpop.inference.mode import Mode, ModeSearch, find_modes
from leopardpop.inference.proposal import Mixture, laplace_mixture, refit
from leopardpop.inference.psis import importance_ess, k_limit, psis
from leopardpop.inference.target import Target, batch_values
from leopardpop.words import apart

__all__ = ["MIN_ESS", "MIN_RAW", "LaplaceDraws", "laplace_draws"]

Vector = NDArray[np.float64]
Progress = Callable[[int, int], None]

MIN_RAW = 2200
"""Raw draws below which k-hat is not a certificate."""
MIN_ESS = 400
"""Effective draws below which tail quantiles are noise."""

_CHUNK = 64  # draws per task: fixed, so that results do not depend on the number of threads
_ATTEMPTS = 6
_MOST_RAW = 4  # times min_raw, of one proposal
_KEPT_BYTES = 31 << 20  # malloc learns from blocks up to 32 MiB
_PROMISING_K, _PROMISING_SHARE = 0.6, 0.15  # a third of the draws as good as that: worth the other two


@dataclass(frozen=True, kw_only=True, eq=False)
class LaplaceDraws:
    """Draws from a posterior of P coordinates, with what is needed to judge and reweight them.

    ``draws`` are equally weighted, drawn from S weighted ``raw`` ones: their own effective size is
    ``importance_ess``, whatever a Markov chain diagnostic says of them.
    """

    names: tuple[str, ...]
    """Labels of the coordinates."""
    draws: Vector
    """Resampled draws (chain, draw, P)."""
    log_weight: Vector
    """Normalised log weight of the raw draw behind each draw (chain, draw)."""
    lp: Vector
    """Log posterior of each draw (chain, draw), up to a constant."""
    index: NDArray[np.intp]
    """Row of ``raw`` behind each draw (chain, draw)."""
    raw: Vector
    """Independent draws from the last proposal (S, P)."""
    raw_log_posterior: Vector
    """Log posterior of the raw draws (S,)."""
    raw_log_ratios: Vector
    """Log posterior minus log proposal density (S,), not smoothed: to reweight under another prior."""
    raw_log_weights: Vector
    """Normalised, Pareto-smoothed log weights (S,)."""
    pareto_k: float
    """Shape of the weights' tail."""
    importance_ess: float
    """Effective number of draws, from the weights."""
    mode: Vector
    """Highest mode (P,)."""
    mode_value: float
    """Log posterior there."""
    hessian: Vector
    """Second derivatives of minus the log posterior there (P, P)."""
    covariance: Vector
    """Inverse of the Hessian (P, P)."""
    modes: tuple[Mode, ...]
    """All modes that were found, the highest first."""
    n_evaluations: int
    """Evaluations of the log posterior without gradient."""
    n_gradients: int
    """Evaluations with gradient."""
    rounds: int
    """Proposals that were tried."""
    seconds: float
    """Time taken."""
    min_ess: int = MIN_ESS
    """Effective draws that were asked for."""
    problems: tuple[str, ...] = field(default=())
    """What went wrong, one sentence each; empty when the certificate holds and the mode is regular."""

    @property
    def k_limit(self) -> float:
        """Largest k-hat at which this number of raw draws can be trusted."""
        return k_limit(len(self.raw))

    @property
    def trusted(self) -> bool:
        """Whether the certificate holds: k-hat below its limit, S >= 2200 raw draws, enough effective ones."""
        return not _broken(self.pareto_k, self.importance_ess, len(self.raw), self.min_ess)


def laplace_draws(
    target: Target,
    *,
    draws: int = 1000,
    chains: int = 4,
    seed: int | np.random.Generator | None = None,
    min_raw: int = MIN_RAW,
    min_ess: int = MIN_ESS,
    threads: int | None = None,
    progress: Progress | None = None,
) -> LaplaceDraws:
    """Draw from a log posterior by importance sampling around its modes.

    The proposal is a mixture of multivariate t laws at the modes, half of them skewed as the log posterior is. Where
    the weights are uneven it is refitted to the weighted draws, a few times, and judged by new draws. The result says
    whether it can be trusted.

    Parameters
    ----------
    target
        Log posterior with gradient; called from several threads.
    draws, chains
        Size of the sample that is returned.
    seed
        Seed or generator; the same seed gives the same draws on any number of threads.
    min_raw, min_ess
        Least number of raw and of effective draws.
    threads
        Threads that evaluate draws, by default one per processor up to two.
    progress
        Called with the raw draws done and expected.

    Returns
    -------
    LaplaceDraws

    Raises
    ------
    FitError
        If no starting point or hardly any draw has a finite log posterior.

    References
    ----------
    Vehtari et al. (2024), Journal of Machine Learning Research 25(72), for the weights and their limits;
    Cappé et al. (2008), https://doi.org/10.1007/s11222-008-9059-x, for refitted mixtures.

    Examples
    --------
    >>> import numpy as np
    >>> from leopardpop.inference.target import FunctionTarget
    >>> def f(x):
    ...     return -0.5 * float(x @ x), -x
    >>> target = FunctionTarget(names=("a", "b"), function=lambda x: f(x)[0], function_and_gradient=f)
    >>> fit = laplace_draws(target, seed=1)
    >>> fit.draws.shape, fit.trusted, bool(fit.importance_ess > 1500)
    ((4, 1000, 2), True, True)
    """
    began = time.perf_counter()
    rng = np.random.default_rng(seed)
    with ExitStack() as stack:
        evaluate = _evaluator(target, threads, stack)
        search = find_modes(target)
        sampler = _Sampler(target, evaluate, rng, min_raw, min_ess, progress)
        sample = sampler.run(search)
    index = _resample(np.exp(sample.log_weights), draws * chains, rng).reshape(chains, draws)
    return _packed(search, sampler, sample, index, time.perf_counter() - began, tuple(target.names))


def _packed(
    search: ModeSearch,
    sampler: _Sampler,
    sample: _Sample,
    index: NDArray[np.intp],
    seconds: float,
    names: tuple[str, ...],
) -> LaplaceDraws:
    best = search.best
    return LaplaceDraws(
        names=names,
        draws=sample.draws[index],
        log_weight=sample.log_weights[index],
        lp=sample.log_posterior[index],
        index=index,
        raw=sample.draws,
        raw_log_posterior=sample.log_posterior,
        raw_log_ratios=sample.log_ratios,
        raw_log_weights=sample.log_weights,
        pareto_k=sample.pareto_k,
        importance_ess=sample.ess,
        mode=best.theta,
        mode_value=best.value,
        hessian=best.hessian,
        covariance=best.covariance,
        modes=search.modes,
        n_evaluations=search.n_values + sampler.n_evaluations,
        n_gradients=search.n_gradients,
        rounds=len(sampler.trials),
        seconds=seconds,
        min_ess=sampler.min_ess,
        problems=(*best.problems, *sample.broken(sampler.min_ess)),
    )


def _broken(k: float, ess: float, n_raw: int, min_ess: float) -> tuple[str, ...]:
    """Clauses of the certificate that fail, in words."""
    found = []
    if not k < k_limit(n_raw):
        shown, limit = apart(k, k_limit(n_raw))
        found.append(f"Pareto k is {shown}, not below {limit}: the proposal misses part of the posterior")
    if n_raw < MIN_RAW:
        found.append(f"{n_raw} raw draws are too few for a certificate, which needs {MIN_RAW}")
    if not ess >= min_ess:
        found.append(f"the weights are worth {ess:.0f} independent draws, fewer than {min_ess:.0f}")
    return tuple(found)


@dataclass(frozen=True, eq=False)
class _Sample:
    """Independent draws from one proposal, and their weights."""

    proposal: Mixture
    draws: Vector
    log_posterior: Vector

    @cached_property
    def log_ratios(self) -> Vector:
        return self.log_posterior - self.proposal.log_density(self.draws)

    @cached_property
    def weights_and_k(self) -> tuple[Vector, float]:
        if np.isfinite(self.log_posterior).sum() < 25:
            raise FitError("The log posterior is finite at hardly any draw around its mode; check the priors and data.")
        return psis(self.log_ratios)

    @property
    def log_weights(self) -> Vector:
        return self.weights_and_k[0]

    @property
    def pareto_k(self) -> float:
        return self.weights_and_k[1]

    @cached_property
    def ess(self) -> float:
        return importance_ess(self.log_weights)

    def broken(self, min_ess: float) -> tuple[str, ...]:
        return _broken(self.pareto_k, self.ess, len(self.draws), min_ess)


class _Sampler:
    """Proposals tried in turn: each is refitted to the draws of all before it, and judged on its own draws alone.

    Draws that a proposal was fitted to would be weighted by a density that knows them, which biases the tails.
    """

    def __init__(
        self,
        target: Target,
        evaluate: Callable[[Vector, Callable[[int], None]], Vector],
        rng: np.random.Generator,
        min_raw: int,
        min_ess: int,
        progress: Progress | None,
    ) -> None:
        self.size, self.evaluate, self.rng = len(target.names), evaluate, rng
        self.min_raw, self.min_ess = min_raw, min_ess
        self.progress = progress or _silent
        self.trials: list[_Sample] = []
        self.n_evaluations = 0

    def run(self, search: ModeSearch) -> _Sample:
        """Try proposals until the certificate holds; the best sample if it never does."""
        first = proposal = laplace_mixture(search.modes, self._values)
        for attempt in range(_ATTEMPTS):
            sample = self._try(proposal, last=attempt == _ATTEMPTS - 1)
            self.trials.append(sample)
            if len(sample.draws) >= self.min_raw and not _weak(sample, self.min_ess):
                return sample
            proposal = refit(*self._pooled(), first, self.rng)
        return min((s for s in self.trials if len(s.draws) >= self.min_raw), key=lambda s: s.pareto_k)

    def _try(self, proposal: Mixture, *, last: bool) -> _Sample:
        """A third of the draws, then the rest if they promise well, then more if the weights are uneven."""
        empty = _Sample(proposal, np.empty((0, self.size)), np.empty(0))
        sample = self._extended(empty, -(-self.min_raw // 3))
        if last or (sample.pareto_k < _PROMISING_K and sample.ess > _PROMISING_SHARE * len(sample.draws)):
            sample = self._extended(sample, self.min_raw - len(sample.draws))
            wanted = 1.2 * self.min_ess * len(sample.draws) / sample.ess
            if sample.ess < self.min_ess and wanted < _MOST_RAW * self.min_raw:
                sample = self._extended(sample, int(wanted) - len(sample.draws))
        return sample

    def _extended(self, sample: _Sample, size: int) -> _Sample:
        before = self.n_evaluations
        new = sample.proposal.draw(self.rng, size)
        expected = before + max(size, self.min_raw - len(sample.draws))
        values = self.evaluate(new, lambda done: self.progress(before + done, expected))
        self.n_evaluations += size
        draws = np.concatenate([sample.draws, new])
        return _Sample(sample.proposal, draws, np.concatenate([sample.log_posterior, values]))

    def _pooled(self) -> tuple[Vector, Vector]:
        """All draws so far with log weights under the mixture of all proposals: good enough to fit the next one."""
        draws = np.concatenate([sample.draws for sample in self.trials])
        logs = [np.log(len(s.draws) / len(draws)) + s.proposal.log_density(draws) for s in self.trials]
        values = np.concatenate([sample.log_posterior for sample in self.trials])
        return draws, psis(values - np.logaddexp.reduce(logs, axis=0))[0]

    def _values(self, thetas: Vector) -> Vector:
        self.n_evaluations += len(thetas)
        return self.evaluate(thetas, _ignore)


def _weak(sample: _Sample, min_ess: float) -> bool:
    """Whether another proposal is worth a try: fewer raw draws than a certificate needs are the caller's wish."""
    return not (sample.pareto_k < k_limit(len(sample.draws)) and sample.ess >= min_ess)


def _evaluator(
    target: Target, threads: int | None, stack: ExitStack
) -> Callable[[Vector, Callable[[int], None]], Vector]:
    """Return a function that evaluates points in chunks, on a pool of threads with one BLAS thread each."""
    from threadpoolctl import threadpool_limits

    workers = threads or min(2, _processors())
    _keep_freed_memory()
    stack.enter_context(threadpool_limits(1))
    pool = stack.enter_context(ThreadPoolExecutor(workers)) if workers > 1 else None

    def evaluate(thetas: Vector, report: Callable[[int], None]) -> Vector:
        chunks = [thetas[i : i + _CHUNK] for i in range(0, len(thetas), _CHUNK)]
        found, done = [], 0
        for values in (pool.map if pool else map)(partial(batch_values, target), chunks):
            found.append(values)
            done += len(values)
            report(done)
        return np.concatenate(found)

    return evaluate


def _keep_freed_memory() -> None:
    """Free one large block: glibc's malloc then keeps blocks up to that size instead of returning them at once.

    The tables of a draw are freed and asked for again thousands of times; fresh pages cost more than filling them.
    """
    np.empty(_KEPT_BYTES // 8)


def _processors() -> int:
    usable = getattr(os, "sched_getaffinity", None)
    return len(usable(0)) if usable else os.cpu_count() or 1


def _silent(done: int, expected: int) -> None:
    return None


def _ignore(done: int) -> None:
    return None


def _resample(weights: Vector, size: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """Rows in proportion to their weights by systematic resampling, shuffled so that chains are exchangeable."""
    ladder = np.cumsum(weights)
    positions = (rng.random() + np.arange(size)) * (ladder[-1] / size)
    return rng.permutation(np.minimum(np.searchsorted(ladder, positions), len(weights) - 1))
