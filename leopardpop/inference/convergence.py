"""Verdicts on draws, one row each: what was found, the limit, whether it holds, what to do if not."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from leopardpop.inference.laplace import MIN_ESS, MIN_RAW, LaplaceDraws
from leopardpop.inference.psis import k_limit

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

__all__ = ["Finding", "Verdict", "certificate_findings", "laplace_findings", "nuts_findings", "table", "worst"]

Verdict = Literal["ok", "note", "warn", "fail"]

_GRAVITY: tuple[Verdict, ...] = ("ok", "note", "warn", "fail")
_R_HAT, _R_HAT_USELESS = 1.01, 1.05
_ESS_USELESS = 100
_DIVERGENT_SHARE_USELESS = 0.01
_BFMI = 0.3


class Finding(NamedTuple):
    """One row of the table of diagnostics."""

    quantity: str
    """What was looked at, with its unit."""
    value: float
    """What was found."""
    limit: float
    """What would be good; NaN where there is no limit."""
    verdict: Verdict
    """ok, note (worth knowing), warn (a result may be off) or fail (do not use the draws)."""
    advice: str = ""
    """What to do; empty when nothing is."""


def table(findings: Iterable[Finding]) -> pd.DataFrame:
    """Put findings in a table.

    Parameters
    ----------
    findings
        In the order in which they are to be read.

    Returns
    -------
    pandas.DataFrame
        Columns quantity, value, limit, verdict, advice.

    Examples
    --------
    >>> table([Finding("Pareto k", 0.21, 0.7, "ok")])
       quantity  value  limit verdict advice
    0  Pareto k   0.21    0.7      ok
    """
    import pandas as pd

    return pd.DataFrame(list(findings), columns=list(Finding._fields))


def worst(findings: Iterable[Finding]) -> Verdict:
    """Return the gravest verdict, "ok" when there are no findings.

    Examples
    --------
    >>> worst([Finding("a", 1.0, 2.0, "note"), Finding("b", 1.0, 2.0, "ok")])
    'note'
    """
    return max((finding.verdict for finding in findings), key=_GRAVITY.index, default="ok")


def laplace_findings(fit: LaplaceDraws) -> list[Finding]:
    """Judge Laplace draws: the certificate, and whether the mode is a regular one.

    Parameters
    ----------
    fit
        Result of `leopardpop.inference.laplace.laplace_draws`.

    Returns
    -------
    list of Finding
    """
    rows = certificate_findings(
        pareto_k=fit.pareto_k, importance_ess=fit.importance_ess, n_raw=len(fit.raw), min_ess=fit.min_ess
    )
    problems = fit.modes[0].problems
    rows.append(_row("irregularities of the mode", len(problems), 0, "warn" if problems else "ok", _joined(problems)))
    several = len(fit.modes) > 1
    advice = "the posterior has several peaks, and all that were found are sampled; compare with engine='nuts'"
    rows.append(_row("modes", len(fit.modes), 1, "note" if several else "ok", advice if several else ""))
    return rows


def certificate_findings(
    *, pareto_k: float, importance_ess: float, n_raw: int, min_ess: float = MIN_ESS
) -> list[Finding]:
    """Judge importance weights by the three clauses of the certificate.

    Parameters
    ----------
    pareto_k
        Shape of the weights' tail.
    importance_ess
        Effective number of draws.
    n_raw
        Raw draws behind them.
    min_ess
        Effective draws that were asked for.

    Returns
    -------
    list of Finding

    References
    ----------
    Vehtari et al. (2024), Journal of Machine Learning Research 25(72)

    Examples
    --------
    >>> [row.verdict for row in certificate_findings(pareto_k=0.9, importance_ess=150.0, n_raw=2200)]
    ['fail', 'warn', 'ok']
    """
    limit = k_limit(max(n_raw, MIN_RAW))
    tail: Verdict = "ok" if pareto_k < limit else "fail"
    size = _enough(importance_ess, min_ess)
    raw: Verdict = "ok" if n_raw >= MIN_RAW else "warn"
    return [
        _row("Pareto k", pareto_k, limit, tail, "the draws miss part of the posterior: use engine='nuts'"),
        _row("importance ESS", importance_ess, min_ess, size, "tail quantiles are noisy: use engine='nuts'"),
        _row("raw draws", n_raw, MIN_RAW, raw, "too few for a certificate: draw more"),
    ]


def nuts_findings(tree: xr.DataTree) -> list[Finding]:
    """Judge Markov chains: mixing, effective draws, divergences, tree depth, energy.

    Parameters
    ----------
    tree
        A tree with groups ``posterior`` and ``sample_stats``, from any NUTS sampler.

    Returns
    -------
    list of Finding
        Statistics that the sampler did not record are left out.

    References
    ----------
    Vehtari et al. (2021), https://doi.org/10.1214/20-BA1221; Betancourt (2016), https://arxiv.org/abs/1604.00695
    """
    stats = tree["sample_stats"].to_dataset()
    return [*_mixing(tree["posterior"].to_dataset()), *_divergences(stats), *_depth(stats), *_energy(stats)]


def _mixing(posterior: xr.Dataset) -> list[Finding]:
    stats: Any = import_module("arviz_stats")  # takes a second: not before it is needed
    varying = posterior[[name for name, data in posterior.items() if (data.max() > data.min()).item()]]
    r_hat = _extreme(stats.rhat(varying), np.nanmax) if posterior.sizes["chain"] > 1 else np.nan
    mixed: Verdict = "ok" if r_hat < _R_HAT else "warn" if r_hat < _R_HAT_USELESS else "fail"
    apart = "the chains disagree: draw longer (draws=, tune=), or look for a second mode"
    if np.isnan(r_hat):
        mixed, apart = "warn", "one chain cannot be compared with itself: use chains=4"
    rows = [_row("R-hat, largest", r_hat, _R_HAT, mixed, apart)]
    for method, name in (("bulk", "ESS of the bulk, smallest"), ("tail", "ESS of the tails, smallest")):
        smallest = _extreme(stats.ess(varying, method=method), np.nanmin)
        rows.append(_row(name, smallest, MIN_ESS, _enough(smallest, MIN_ESS), "draw longer (draws=)"))
    return rows


def _divergences(stats: xr.Dataset) -> list[Finding]:
    if "diverging" not in stats:
        return []
    count = int(stats["diverging"].sum())
    many = count > _DIVERGENT_SHARE_USELESS * stats["diverging"].size
    verdict: Verdict = "fail" if many else "warn" if count else "ok"
    return [_row("divergences", count, 0, verdict, "part of the posterior is not reached: raise target_accept")]


def _depth(stats: xr.Dataset) -> list[Finding]:
    name = next((name for name in ("reached_max_treedepth", "maxdepth_reached") if name in stats), None)
    if name is None:
        return []
    count = int(stats[name].sum())
    advice = "slow rather than wrong: raise max_treedepth, or check for coefficients that cannot be told apart"
    return [_row("draws at the largest tree", count, 0, "note" if count else "ok", advice)]


def _energy(stats: xr.Dataset) -> list[Finding]:
    if "energy" not in stats:
        return []
    energy = stats["energy"].transpose("chain", "draw").to_numpy()
    smallest = float((np.square(np.diff(energy, axis=1)).mean(axis=1) / energy.var(axis=1, ddof=1)).min())
    verdict: Verdict = "ok" if smallest >= _BFMI else "warn"
    return [_row("BFMI, smallest", smallest, _BFMI, verdict, "heavy tails are explored slowly: draw longer")]


def _enough(ess: float, wanted: float) -> Verdict:
    return "ok" if ess >= wanted else "warn" if ess >= min(_ESS_USELESS, wanted) else "fail"


def _row(quantity: str, value: float, limit: float, verdict: Verdict, advice: str) -> Finding:
    return Finding(quantity, float(value), float(limit), verdict, "" if verdict == "ok" else advice)


def _joined(problems: Iterable[str]) -> str:
    return "; ".join(problems)


def _extreme(data: xr.Dataset, pick: Callable[[NDArray[np.float64]], Any]) -> float:
    """Extreme over all elements of all variables; constant elements, which have no diagnostic, are left out."""
    values = np.concatenate([np.ravel(array.to_numpy()) for array in data.values()])
    return float(pick(values)) if np.isfinite(values).any() else np.nan
