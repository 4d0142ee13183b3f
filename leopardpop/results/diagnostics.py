"""Whether the draws are the posterior: the verdicts on the engines, as findings with plain advice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from leopardpop.results.findings import Finding

if TYPE_CHECKING:
    import xarray as xr

    from leopardpop.inference.laplace import LaplaceDraws

__all__ = ["LARGEST_R_HAT", "SMALLEST_ESS", "chain_findings", "is_trusted", "laplace_findings", "weight_findings"]

LARGEST_R_HAT = 1.01
SMALLEST_ESS = 400
INSTEAD = "Fit with engine='nuts', or with a simpler model."


def is_trusted(findings: list[Finding] | tuple[Finding, ...]) -> bool:
    """Whether nothing failed."""
    return all(finding.verdict != "fail" for finding in findings)


# -- importance sampling ----------------------------------------------------------------------------------------------
def laplace_findings(draws: LaplaceDraws, sd: float) -> list[Finding]:
    """Verdicts on importance sampling: the tail and the worth of its weights, and the mode.

    Parameters
    ----------
    draws
        Result of the engine.
    sd
        Posterior sd of the number of animals, to tell its Monte Carlo error.
    """
    error = sd / draws.importance_ess**0.5
    weights = weight_findings(draws.pareto_k, draws.k_limit, draws.importance_ess, draws.min_ess, error)
    return [*weights, *_mode(draws), _modes(draws)]


def weight_findings(
    k: float, limit: float, ess: float, enough: float = SMALLEST_ESS, error: float | None = None
) -> list[Finding]:
    """Verdicts on importance weights.

    Parameters
    ----------
    k, limit
        Shape of the weights' tail and what it must be below.
    ess, enough
        Independent draws that the weights are worth, and how many are wanted.
    error
        Monte Carlo error of the posterior mean of N, if it is known.
    """
    return [_pareto(k, limit, "" if error is None else f", N to ± {error:.1f}"), _importance(ess, enough)]


def _pareto(k: float, limit: float, error: str) -> Finding:
    holds = k < limit
    good = f"Pareto k {k:.2f} < {limit:.2f}: these draws are the posterior{error}."
    bad = f"Pareto k {k:.2f} is not below {limit:.2f}: the draws miss a part of the posterior. {INSTEAD}"
    return Finding(
        quantity="Pareto k",
        value=k,
        limit=limit,
        verdict="ok" if holds else "fail",
        advice=good if holds else bad,
        warning="" if holds else "ConvergenceWarning",
    )


def _importance(ess: float, wanted: float) -> Finding:
    enough = ess >= wanted
    bad = f"The weights are worth {ess:.0f} independent draws, fewer than {wanted:.0f}: intervals are noise. {INSTEAD}"
    return Finding(
        quantity="importance ESS",
        value=ess,
        limit=wanted,
        verdict="ok" if enough else "fail",
        advice=f"The weights are worth {ess:.0f} independent draws." if enough else bad,
        warning="" if enough else "ConvergenceWarning",
    )


MODE_ROWS = {
    "search for the mode": ("stopped", "The search for the mode arrived."),
    "mode at a bound": ("bound", "The mode is inside of the parameters' range."),
    "singular Hessian": ("singular", "The coefficients can be told apart."),
}


def _mode(draws: LaplaceDraws) -> list[Finding]:
    """One row for each thing that can be wrong with a mode; value 1 if it is."""
    return [_mode_row(draws, quantity, word, good) for quantity, (word, good) in MODE_ROWS.items()]


def _mode_row(draws: LaplaceDraws, quantity: str, word: str, good: str) -> Finding:
    found = [problem for problem in draws.modes[0].problems if word in problem]
    advice = f"At the mode: {'; '.join(found)}. Leave that term out, or give it a prior that says more."
    return Finding(
        quantity=quantity,
        value=float(bool(found)),
        limit=1.0,
        verdict="warn" if found else "ok",
        advice=advice if found else good,
        warning="ConvergenceWarning" if found else "",
    )


def _modes(draws: LaplaceDraws) -> Finding:
    n = len(draws.modes)
    advice = (
        f"The posterior has {n} modes; the draws cover those that were found. Pareto k does not see others: compare "
        "with engine='nuts'."
    )
    return Finding(
        quantity="modes",
        value=n,
        limit=2,
        verdict="note" if n > 1 else "ok",
        advice=advice if n > 1 else "One mode was found from all starting points.",
    )


# -- Markov chains ----------------------------------------------------------------------------------------------------
def chain_findings(tree: xr.DataTree) -> list[Finding]:
    """Verdicts on Markov chains: do they agree, are they long enough, did the sampler stumble."""
    posterior = tree["posterior"].to_dataset()
    stats = tree["sample_stats"].to_dataset() if "sample_stats" in tree.children else None
    findings = [] if posterior.sizes["chain"] < 2 else [_r_hat(posterior)]
    findings.append(_chain_ess(posterior))
    if stats is not None and "diverging" in stats:
        findings.append(_divergences(int(stats["diverging"].sum()), int(stats["diverging"].size)))
    return findings


def _r_hat(posterior: xr.Dataset) -> Finding:
    name, value = worst(chain_table(posterior, "r_hat"), largest=True)
    agree = value <= LARGEST_R_HAT
    bad = (
        f"R-hat of {name} is {value:.3f}, above {LARGEST_R_HAT}: the chains disagree. Draw more or simplify the model."
    )
    return Finding(
        quantity="R-hat",
        value=value,
        limit=LARGEST_R_HAT,
        verdict="ok" if agree else "fail",
        advice=f"The chains agree: R-hat at most {value:.3f}." if agree else bad,
        warning="" if agree else "ConvergenceWarning",
    )


def _chain_ess(posterior: xr.Dataset) -> Finding:
    name, value = worst(chain_table(posterior, "ess"), largest=False)
    enough = value >= SMALLEST_ESS
    bad = f"{name} has {value:.0f} effective draws, fewer than {SMALLEST_ESS}: intervals are noise. Draw more."
    return Finding(
        quantity="effective draws",
        value=value,
        limit=SMALLEST_ESS,
        verdict="ok" if enough else "fail",
        advice=f"At least {value:.0f} effective draws." if enough else bad,
        warning="" if enough else "ConvergenceWarning",
    )


def _divergences(n: int, total: int) -> Finding:
    advice = (
        f"{n} of {total} draws diverged: the sampler may miss a part of the posterior. Fit with "
        'nuts={"target_accept": 0.95}.'
    )
    return Finding(
        quantity="divergences",
        value=n,
        limit=1,
        verdict="warn" if n else "ok",
        advice=advice if n else "No draw diverged.",
        warning="ConvergenceWarning" if n else "",
    )


def chain_table(posterior: xr.Dataset, measure: str) -> dict[str, float]:
    """R-hat or effective draws (the smaller of bulk and tail) of every element of a group of draws.

    Parameters
    ----------
    posterior
        Variables (chain, draw, ...).
    measure
        ``"r_hat"`` or ``"ess"``.

    Returns
    -------
    dict
        Name of the element, as in :meth:`Fit.summary`; an element that never changes is left out.
    """
    from leopardpop.results.elements import elements

    values = {name: draws for name, draws in elements(posterior) if np.ptp(draws) > 0}
    if not values:
        return {}
    stacked = np.stack(list(values.values()), axis=-1)
    result = _rhat(stacked) if measure == "r_hat" else np.minimum(_ess(stacked, "bulk"), _ess(stacked, "tail"))
    return dict(zip(values, map(float, result), strict=True))


def _rhat(draws: Any) -> Any:
    import arviz as az

    return az.rhat(draws, chain_axis=0, draw_axis=1)


def _ess(draws: Any, method: str) -> Any:
    import arviz as az

    return az.ess(draws, chain_axis=0, draw_axis=1, method=method, prob=0.95 if method == "tail" else None)


def worst(table: dict[str, float], *, largest: bool) -> tuple[str, float]:
    """Element with the largest (or smallest) value; NaN without elements."""
    if not table:
        return "nothing", float("nan")
    name = (max if largest else min)(table, key=lambda key: table[key])
    return name, table[name]
