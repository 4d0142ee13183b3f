"""Whether the draws are the posterior: the engines' verdicts among the other findings, in words."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING

import xarray as xr

from leopardpop.inference.convergence import certificate_findings, nuts_findings
from leopardpop.results.findings import Finding
from leopardpop.words import below, decimal, trimmed, whole

if TYPE_CHECKING:
    from leopardpop.inference.convergence import Finding as EngineFinding
    from leopardpop.inference.laplace import LaplaceDraws

__all__ = ["chain_findings", "is_trusted", "laplace_findings", "weight_findings"]

MODE_ROWS = {
    "search for the mode": ("stopped", "The search for the mode arrived."),
    "mode at a bound": ("bound", "The mode is within the range of the parameters."),
    "singular Hessian": ("singular", "The coefficients can be told apart."),
}

GOOD_CHAINS = {
    "R-hat, largest": "R-hat is {} at most: the chains agree.",
    "ESS of the bulk, smallest": "The chains are worth at least {} independent draws for means.",
    "ESS of the tails, smallest": "The chains are worth at least {} independent draws for intervals.",
    "divergences": "No draw diverged.",
    "draws at the largest tree": "No draw was cut short at the largest tree.",
    "BFMI, smallest": "BFMI is {} at least: the tails were explored.",
}
"""What is said of a chain diagnostic that is as it should be, with its value."""


def is_trusted(findings: Iterable[Finding]) -> bool:
    """Whether these draws are the posterior, by the word of their engine."""
    return not any(f.warning == "ConvergenceWarning" and f.verdict in ("warn", "fail") for f in findings)


def _of_engine(found: EngineFinding, good: str) -> Finding:
    told = f": {trimmed(found.value)} (limit {trimmed(found.limit)})" if math.isfinite(found.value) else ""
    bad = f"{_sentence(found.quantity)}{told}. {_sentence(found.advice)}."
    return Finding(
        quantity=found.quantity,
        value=found.value,
        limit=found.limit,
        verdict=found.verdict,
        advice=good if found.verdict == "ok" else bad,
        warning="" if found.verdict in ("ok", "note") else "ConvergenceWarning",
    )


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:]


# -- importance sampling ----------------------------------------------------------------------------------------------
def laplace_findings(draws: LaplaceDraws, sd: float | None) -> list[Finding]:
    """Verdicts on importance sampling: the certificate, and the modes that it rests on.

    Parameters
    ----------
    draws
        Result of the engine.
    sd
        Posterior sd of the number of animals, to tell its Monte Carlo error; None where there is none.
    """
    weights = weight_findings(draws.pareto_k, draws.importance_ess, len(draws.raw), draws.min_ess, sd=sd)
    return [*weights, *(_mode_row(draws, quantity) for quantity in MODE_ROWS), _modes(draws)]


def weight_findings(
    k: float, ess: float, n_raw: int, wanted: float = 400.0, *, sd: float | None = None
) -> list[Finding]:
    """Verdicts on importance weights.

    Parameters
    ----------
    k
        Shape of the weights' tail.
    ess
        Independent draws that the weights are worth.
    n_raw
        Raw draws behind them.
    wanted
        Independent draws that were asked for.
    sd
        Posterior sd of the number of animals, if it is known.
    """
    rows = certificate_findings(pareto_k=k, importance_ess=ess, n_raw=n_raw, min_ess=wanted)
    error = "" if sd is None else f", N to ± {decimal(sd / ess**0.5, 1)}"
    good = {
        "Pareto k": f"Pareto k {below(k, rows[0].limit)}: these draws are the posterior{error}.",
        "importance ESS": f"The weights are worth {whole(ess)} independent draws.",
        "raw draws": f"{whole(n_raw)} raw draws: enough for a certificate.",
    }
    return [_of_engine(row, good[row.quantity]) for row in rows]


def _mode_row(draws: LaplaceDraws, quantity: str) -> Finding:
    """One of the things that can be wrong with a mode; value 1 if it is. The certificate has the last word."""
    word, good = MODE_ROWS[quantity]
    found = [problem for problem in draws.modes[0].problems if word in problem]
    advice = f"At the mode: {'; '.join(found)}. Leave that term out, or give it a prior that says more."
    return Finding(
        quantity=quantity,
        value=float(bool(found)),
        limit=0.0,
        verdict="note" if found else "ok",
        advice=advice if found else good,
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
        limit=1,
        verdict="note" if n > 1 else "ok",
        advice=advice if n > 1 else "One mode was found from all starting points.",
    )


# -- Markov chains ----------------------------------------------------------------------------------------------------
def chain_findings(tree: xr.DataTree) -> list[Finding]:
    """Verdicts on Markov chains: do they agree, are they long enough, did the sampler stumble.

    Parameters
    ----------
    tree
        Group ``posterior`` and, if the sampler left one, ``sample_stats``.
    """
    groups = {name: tree[name].to_dataset() for name in ("posterior", "sample_stats") if name in tree.children}
    rows = nuts_findings(xr.DataTree.from_dict({"sample_stats": xr.Dataset(), **groups}))
    return [_of_engine(row, GOOD_CHAINS[row.quantity].format(trimmed(row.value, 4))) for row in rows]
