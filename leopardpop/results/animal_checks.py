"""What a number of animals at sites rests on where nobody tells them apart: findings with plain advice."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from leopardpop.models.states.animals import LARGEST, AnimalsProblem
from leopardpop.results.findings import Finding
from leopardpop.words import decimal

if TYPE_CHECKING:
    from leopardpop.models.likelihood.terms import Floats
    from leopardpop.models.states.problem import OccupancyProblem

__all__ = ["APART", "LOOSE", "animal_findings", "apart_from_detection"]

APART = 2.0
"""Sd of log λ over that of log λp, above which the product alone is known."""
LOOSE = 0.35
"""Sd of log λ below which it is known well enough whatever the product is."""
LOOKED_AT = 50
TWICE = (
    "The model takes it that no animal is counted twice on a visit and nothing else is counted for one: a few double "
    "counts raise the number of animals without limit. Photographs of one animal passing again are double counts."
)
INDEX = (
    "Abundance counts animals only if they are seen independently of each other and nothing else makes sites differ in "
    "how often they are seen; otherwise it is an index of such differences."
)
HEAVY = (
    "A negative binomial often fits counts better and then tells more animals and a lower p: compare the number of "
    "animals with that of the Poisson law before it is believed."
)


def animal_findings(problem: OccupancyProblem, theta: Floats) -> list[Finding]:
    """Whether λ is known or only its product with p, whether the sum was long enough, and what counts must be.

    Parameters
    ----------
    problem
        The model with its data.
    theta
        Draws (S, P).
    """
    if not isinstance(problem, AnimalsProblem):
        return []
    counted = "p" in problem.structure.homes
    notes = [TWICE if counted else INDEX, *([HEAVY] if "size" in problem.structure.homes else [])]
    said = [_note(name, text) for name, text in zip(("meaning of abundance", "law of abundance"), notes, strict=False)]
    return [_product(problem, theta), _long_enough(problem, theta), *said]


def _note(name: str, advice: str) -> Finding:
    return Finding(quantity=name, value=np.nan, limit=np.nan, verdict="note", advice=advice)


def _product(problem: AnimalsProblem, theta: Floats) -> Finding:
    """Whether the data tell λ and p, or their product alone."""
    counted = "p" in problem.structure.homes
    log_mean, log_seen = _logs(problem, theta)
    spread, ratio = apart_from_detection(problem, theta)
    product, mean = (_interval(np.exp(each)) for each in (log_mean + log_seen, log_mean))
    what = "mean count of a visit, abundance times p," if counted else "mean number seen on a visit, abundance times r,"
    apart = ratio <= APART or spread <= LOOSE
    known = f"The {what} is {product}; abundance itself {mean}."
    hardly = (
        f"The visits tell the mean count of a visit ({product}) and hardly abundance itself ({mean}), which is mostly "
        "the priors'. Report the product, make more visits to a site, or give p a prior from elsewhere."
    )
    return Finding(
        quantity="abundance apart from detection",
        value=ratio,
        limit=APART,
        verdict="ok" if apart else "warn",
        advice=known if apart else hardly,
        warning="" if apart else "SparseDataWarning",
    )


def _logs(problem: AnimalsProblem, theta: Floats) -> tuple[Floats, Floats]:
    """Mean log of abundance, and of detection, at draws (S, P), (S,) each."""
    home = "p" if "p" in problem.structure.homes else "r"
    etas = problem.predictors(theta)
    return etas["abundance"].mean(-1), problem.layout[home].link.log_inverse(etas[home]).mean(-1)


def apart_from_detection(problem: AnimalsProblem, theta: Floats) -> tuple[float, float]:
    """Sd of log abundance, and how many times that of its product with detection it is.

    Parameters
    ----------
    problem
        The model with its data.
    theta
        Draws (S, P).
    """
    log_mean, log_seen = _logs(problem, theta)
    spread = float(log_mean.std())
    return spread, spread / max(float((log_mean + log_seen).std()), 1e-12)


def _interval(draws: Floats) -> str:
    median, lower, upper = np.quantile(draws, [0.5, 0.025, 0.975])
    return f"{decimal(median, 2)} ({decimal(lower, 2)} to {decimal(upper, 2)})"


def _long_enough(problem: AnimalsProblem, theta: Floats) -> Finding:
    """Whether the sums over the number of animals end where their terms have vanished."""
    rows = theta[:: max(1, len(theta) // LOOKED_AT)]
    share = float(np.mean([problem.numbers_reach(row) for row in rows]))
    cut = (
        f"At some draws a site has so many animals that the sum over them was cut at {LARGEST}: abundance has no upper "
        "end in these data. Do not report it."
    )
    return Finding(
        quantity="sums cut short",
        value=share,
        limit=0.0,
        verdict="warn" if share > 0 else "ok",
        advice=cut if share > 0 else "The sums over the number of animals are complete (last term below 1e-13).",
        warning="SparseDataWarning" if share > 0 else "",
    )
