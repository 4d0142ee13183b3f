r"""What other priors would make of the number of animals.

Every top-level prior p is raised to a power α (one half: weaker, as if its standard deviation were √2 times as large;
two: stronger) and moved up and down by its own standard deviation, all in the coordinates of the engine (the logarithm
of a positive parameter, the logit of a probability). The draws get weights ∝ p(θ)^{α−1} or p(θ − δ)/p(θ).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from leopardpop.checks.sensitivity_targets import expected_on_mask
from leopardpop.components.special import TINY
from leopardpop.models.prior_terms import normal_in_theta
from leopardpop.priors import Prior
from leopardpop.results.tree import log_prior_terms

if TYPE_CHECKING:
    from leopardpop.models.likelihood.terms import Floats
    from leopardpop.models.prior_terms import PriorTerm

__all__ = ["PriorChange", "power_diagnostic", "prior_changes", "prior_width"]

POWERS = {0.5: "half as strong (power ½)", 2.0: "twice as strong (power 2)"}
ONE_SD = (0.158655253931457, 0.841344746068543)
SMALL = 0.01
"""Change of the power at which its slope is taken (Kallioinen et al. 2024)."""
FARTHEST = 50.0
"""Log of the largest factor: draws without weight may be anywhere."""
SENSITIVE = 0.05
"""Slope of the distance from which a posterior counts as sensitive (ibid.)."""


@dataclass(frozen=True, eq=False)
class PriorChange:
    """Log of the ratio of another prior to the one of the fit.

    Parameters
    ----------
    problem
        The model with its data.
    label
        Label of the prior.
    power
        α; 1 leaves it.
    shift
        δ, in the engine's coordinates.
    """

    problem: Any
    label: str
    power: float = 1.0
    shift: float = 0.0

    def __call__(self, thetas: Floats) -> Floats:
        """Of many theta (B, P), (B,)."""
        number = self._expected(thetas)
        here = log_prior_terms(self.problem, thetas, number)[self.label]
        if self.shift == 0.0:
            return (self.power - 1.0) * here
        return log_prior_terms(self.problem, thetas - self.shift, number * np.exp(-self.shift))[self.label] - here

    def _expected(self, thetas: Floats) -> Floats:
        if self.label != "N":
            return np.ones(len(thetas))
        return expected_on_mask(self.problem, thetas)


class NamedChange(NamedTuple):
    """A change of a prior with its words."""

    label: str
    words: str
    ratio: PriorChange


def prior_changes(problem: Any) -> list[NamedChange]:
    """All changes of all priors of a model."""
    changes = []
    for term in problem.priors.terms:
        changes += [NamedChange(term.label, words, PriorChange(problem, term.label, a)) for a, words in POWERS.items()]
        width = prior_width(problem, term)
        if width is not None:
            up = _moved_words(problem, term, width)
            changes += [
                NamedChange(term.label, up[k], PriorChange(problem, term.label, shift=sign * width))
                for k, sign in enumerate((1.0, -1.0))
            ]
    return changes


def _moved_words(problem: Any, term: PriorTerm, width: float) -> tuple[str, str]:
    from leopardpop.words import trimmed

    if not _is_logarithm(problem, term):
        return "moved up by its sd", "moved down by its sd"
    factor = trimmed(float(np.exp(width)), 2)
    return f"moved up by its sd (× {factor})", f"moved down by its sd (÷ {factor})"


def _is_logarithm(problem: Any, term: PriorTerm) -> bool:
    """Whether the engine's coordinate is the logarithm of what the prior is of."""
    if term.parameter in ("N", "pmix"):
        return term.parameter == "N"
    return term.natural and problem.layout[term.parameter].link.name == "log"


def prior_width(problem: Any, term: PriorTerm) -> float | None:
    """Standard deviation of a prior in the engine's coordinates: half the width of its middle 68 %.

    None for the shares of three and more classes, and for priors that are known by a PyMC variable alone.
    """
    normal = normal_in_theta(problem.layout, term)
    if normal is not None:
        return normal[1]
    if not isinstance(term.prior, Prior) or (term.parameter == "pmix" and len(problem.levels) > 2):
        return None
    low, high = np.asarray(_to_theta(problem, term, np.asarray(term.prior.quantile(ONE_SD), float)))
    width = 0.5 * float(high - low)
    return width if np.isfinite(width) and width > 0 else None


def _to_theta(problem: Any, term: PriorTerm, values: Floats) -> Floats:
    """From the scale that a prior is stated on to the engine's."""
    if term.label == "N":
        return np.asarray(np.log(values))
    if term.parameter == "pmix":
        return np.asarray(np.log(values) - np.log1p(-values))
    parameter = problem.layout[term.parameter]
    if term.natural:
        return np.asarray(parameter.link.forward(values))
    at = term.position - parameter.place.start
    scaled = values * float(parameter.design.scale[at])
    return np.asarray(np.log(scaled)) if at == parameter.ordered else scaled


# -- the diagnostic of Kallioinen et al. ------------------------------------------------------------------------------
class Power(NamedTuple):
    """What a small change of the power of one factor of the posterior does."""

    slope: float
    """Change of the posterior mean per doubling of the power, posterior sds."""
    distance: float
    """Slope of the cumulative Jensen-Shannon distance."""


def power_diagnostic(values: Floats, log_weights: Floats, log_factor: Floats) -> Power:
    r"""Slopes of the posterior with respect to log2 of the power of a factor, at power one.

    Parameters
    ----------
    values
        The quantity at each draw, (S,).
    log_weights
        Normalised log weights of the draws, (S,).
    log_factor
        Log of the prior, or of the likelihood, at each draw, (S,).

    References
    ----------
    Kallioinen N, Paananen T, Bürkner PC, Vehtari A (2024) Detecting and diagnosing prior and likelihood sensitivity
    with power-scaling. Statistics and Computing 34, 57. doi:10.1007/s11222-023-10366-5
    """
    weights = np.exp(log_weights)
    mean = weights @ values
    sd = float(np.sqrt(weights @ (values - mean) ** 2))
    known = np.where(np.isfinite(log_factor), log_factor, log_factor[np.isfinite(log_factor)].min())
    centred = known - weights @ known
    slope = np.log(2.0) * float(weights @ ((values - mean) * centred))
    # The distance is relative to the range of the values, which draws without weight must not stretch.
    kept = np.searchsorted(np.cumsum(weights), (np.arange(len(weights)) + 0.5) / len(weights))
    rows = np.minimum(kept, len(weights) - 1)
    equal = np.full(len(rows), 1.0 / len(rows))
    distances = [
        _distance(values[rows], equal, _scaled(equal, centred[rows], alpha)) / abs(np.log2(alpha))
        for alpha in (1.0 - SMALL, 1.0 + SMALL)
    ]
    return Power(slope / sd if sd > 0 else 0.0, float(np.mean(distances)))


def _scaled(weights: Floats, centred: Floats, alpha: float) -> Floats:
    other = weights * np.exp(np.clip((alpha - 1.0) * centred, -FARTHEST, FARTHEST))
    return np.asarray(other / other.sum())


def _distance(values: Floats, one: Floats, other: Floats) -> float:
    """Cumulative Jensen-Shannon distance of two weightings of the same values, the larger of both directions."""
    return max(_one_way(values, one, other), _one_way(-values, one, other))


def _one_way(values: Floats, one: Floats, other: Floats) -> float:
    order = np.argsort(values, kind="stable")
    width = np.diff(values[order])
    p, q = (np.cumsum(w[order])[:-1] for w in (one, other))
    both = float(width @ (p + q))
    if not both > 0:
        return 0.0
    middle = np.maximum(0.5 * (p + q), TINY)
    shares = (np.maximum(each, TINY) for each in (p, q))
    apart = sum(share * np.log2(share / middle) for share in shares)  # the linear terms of both directions cancel
    return float(np.sqrt(max(float(width @ apart), 0.0) / both))
