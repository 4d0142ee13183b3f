"""What is to be said of a spatial effect: its basis, and whether the data or the prior decide its length scale."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from leopardpop.components.hsgp import make_basis
from leopardpop.components.spatial import LARGEST
from leopardpop.models.spatial_effects import SpatialEffect
from leopardpop.models.states.problem import OccupancyProblem
from leopardpop.results.findings import Finding
from leopardpop.words import counted, percent, trimmed

if TYPE_CHECKING:
    from leopardpop.models.likelihood.terms import Floats
    from leopardpop.models.problem import Problem

__all__ = ["spatial_findings"]

FEWEST_PLACES = 40
"""Below, a field of zeros and ones says next to nothing of a length scale."""
FEWEST_ANIMALS = 30
"""The same of density: a surface that fewer animals tell is a trend, or none."""
PRIORS_SHARE = 0.8
"""Posterior over prior interquartile range of the log of a length scale, above which it is mostly the prior's."""
OUTSIDE = 0.1
"""Probability of a length scale that the functions do not serve."""
QUARTILES = (0.25, 0.75)
ENDS = (0.05, 0.995)
"""Quantiles of the length scale that a better basis would be made for."""


def spatial_findings(problem: Problem | OccupancyProblem, theta: Floats) -> list[Finding]:
    """Basis, number of places, length scale against its prior and against what the basis can show.

    Parameters
    ----------
    problem
        The model with its data.
    theta
        Draws (S, P).
    """
    surfaces = [each for each in problem.layout.effects if isinstance(each, SpatialEffect)]
    return [found for each in surfaces for found in _of_one(problem, each, theta)]


def _of_one(problem: Problem | OccupancyProblem, effect: SpatialEffect, theta: Floats) -> list[Finding]:
    length = np.exp(theta[:, effect.reach])
    rests_on = _places(effect) if isinstance(problem, OccupancyProblem) else _animals(effect, problem.n_animals)
    return [_basis(effect), rests_on, _prior(problem, effect, length), *_served(effect, length)]


def _basis(effect: SpatialEffect) -> Finding:
    basis = effect.design.basis
    n = len(basis.order)
    advice = (
        f"The surface gp(x, y) of {effect.parameter} is a sum of {counted(n, 'wave')} over "
        f"{trimmed(2 * basis.half[0])} x {trimmed(2 * basis.half[1])} km ({basis.covariance.name}), good for length "
        f"scales of {trimmed(basis.shortest)} to {trimmed(basis.longest)} km; engine='laplace' integrates it out, "
        "'nuts' samples it."
    )
    return Finding(quantity=f"waves of {effect.label}", value=n, limit=np.nan, verdict="note", advice=advice)


def _places(effect: SpatialEffect) -> Finding:
    n = len(effect.design.places)
    known = f"The surface of {effect.parameter} rests on {counted(n, 'place')}"
    few = (
        f"{known}: used and unused sites so few tell little of a surface, and its sd and length scale are mostly the "
        "priors'. Compare with the model without it (lp.compare)."
    )
    return Finding(
        quantity=f"places of {effect.label}",
        value=n,
        limit=FEWEST_PLACES,
        verdict="ok" if n >= FEWEST_PLACES else "note",
        advice=f"{known}." if n >= FEWEST_PLACES else few,
    )


def _animals(effect: SpatialEffect, n: int) -> Finding:
    known = f"The surface of {effect.parameter} rests on {counted(n, 'animal')}"
    few = (
        f"{known}: so few tell a trend at best, and its sd and length scale are mostly the priors'. Compare with the "
        "model without it, and with '~ x + y' (lp.compare)."
    )
    return Finding(
        quantity=f"animals of {effect.label}",
        value=n,
        limit=FEWEST_ANIMALS,
        verdict="ok" if n >= FEWEST_ANIMALS else "note",
        advice=f"{known}." if n >= FEWEST_ANIMALS else few,
    )


def _prior(problem: Problem | OccupancyProblem, effect: SpatialEffect, length: Floats) -> Finding:
    """Whether the length scale is known any better than before the survey."""
    prior = next(term.prior for term in problem.priors.terms if term.parameter == effect.length)
    before = [float(prior.quantile(q)) for q in QUARTILES] if hasattr(prior, "quantile") else [np.nan, np.nan]
    after = np.quantile(length, QUARTILES)
    share = float(np.log(after[1] / after[0]) / np.log(before[1] / before[0]))
    known = f"The length scale of the surface of {effect.parameter} is {trimmed(float(np.median(length)))} km"
    decided = (
        f"{known}, and hardly better known than before the survey: its prior decides it. What is said of "
        f"{'density' if effect.parameter == 'D' else 'ψ'} changes little with it; do not report it as a finding."
    )
    much = share > PRIORS_SHARE
    return Finding(
        quantity=f"length scale of {effect.label} against its prior",
        value=share,
        limit=PRIORS_SHARE,
        verdict="note" if much else "ok",
        advice=decided if much else f"{known}: the data say more of it than the prior.",
    )


def _served(effect: SpatialEffect, length: Floats) -> list[Finding]:
    """Length scales that the functions cannot show, at either end."""
    basis = effect.design.basis
    short, long = float((length < basis.shortest).mean()), float((length > basis.longest).mean())
    low = (
        f"With probability {percent(short)} the surface of {effect.parameter} varies within less than "
        f"{trimmed(basis.shortest)} km, which its {len(basis.order)} waves show too smooth: {_better(effect, length)}."
    )
    wide = float((basis.half / np.maximum(basis.extent.max(), 1e-9)).max())
    high = (
        f"With probability {percent(long)} the surface of {effect.parameter} varies over more than "
        f"{trimmed(basis.longest)} km, and the edge of its rectangle then holds it down: a trend "
        f"({'x, y' if effect.parameter == 'D' else 'easting, northing'}) "
        f"serves as well, or gp(x, y, boundary={trimmed(1.5 * wide, 2)})."
    )
    return [
        _end(effect, "shorter than its waves", short, low, "Its waves are short enough."),
        _end(effect, "longer than its rectangle", long, high, "Its rectangle is large enough."),
    ]


def _better(effect: SpatialEffect, length: Floats) -> str:
    """Term whose waves serve the length scales of the posterior, and whose rectangle is no larger than they need."""
    shortest, longest = np.quantile(length, ENDS)
    covariance, places = effect.design.basis.covariance, effect.design.places
    better = make_basis(places, shortest=shortest, longest=longest, covariance=covariance, most=LARGEST)
    waves = min(10 * int(np.ceil(len(better.order) / 10)), LARGEST)
    boundary = np.ceil(20 * float((better.half / better.extent)[np.argmax(better.extent)])) / 20
    return f"gp(x, y, functions={waves}, boundary={boundary:.2f})"


def _end(effect: SpatialEffect, what: str, share: float, advice: str, good: str) -> Finding:
    bad = share > OUTSIDE
    return Finding(
        quantity=f"{effect.label} {what}",
        value=share,
        limit=OUTSIDE,
        verdict="warn" if bad else "ok",
        advice=advice if bad else f"The surface of {effect.parameter}: {good[0].lower()}{good[1:]}",
        warning="PriorWarning" if bad else "",
    )
