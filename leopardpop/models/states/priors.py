"""Priors of the coefficients of an occupancy model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from leopardpop.components.link import link
from leopardpop.errors import PriorError
from leopardpop.models.prior_terms import PriorTerms, chosen_priors, coefficient_keys, coefficient_terms
from leopardpop.priors import Prior, abundance_prior, occupancy_prior, occupancy_slope_prior

if TYPE_CHECKING:
    from leopardpop.models.layout import Layout, Parameter

__all__ = ["occupancy_priors"]


def occupancy_priors(
    layout: Layout, parts: Sequence[Parameter], given: Mapping[str, Any] | None, effort_unit: str, effort: float = 1.0
) -> PriorTerms:
    """Put the given priors and the defaults together.

    Parameters
    ----------
    layout
        The model's coefficients.
    parts
        Those of its parameters that are probabilities.
    given
        Priors by key.
    effort_unit
        Unit of effort of the data.
    effort
        Mean effort of a visit.

    Raises
    ------
    PriorError
        For an unknown key, or a prior of a probability that reaches beyond 0 and 1.
    """
    chosen = chosen_priors(given, coefficient_keys(layout), effort_unit)
    for name in chosen.keys() & {p.name for p in parts if p.link.name != "log"}:
        _check_probability(name, chosen[name])
    references: dict[str, Any] = {p.name: _reference(p, effort) for p in parts}
    for each in layout.effects:
        references |= each.references()
    return PriorTerms(layout, tuple(coefficient_terms(layout, chosen, references, _slope)))


def _reference(part: Parameter, effort: float) -> Prior:
    """Default prior at the reference; with an offset it has its middle where the mean of the offset is added."""
    log = part.link.name == "log"
    prior = abundance_prior(part.name, effort) if log else occupancy_prior(part.name)
    if part.offset is None or "mu" not in prior.parameters:
        return prior
    middle = float(part.link.inverse(part.link.forward(prior.quantile(0.5)) - part.offset.mean()))
    scale = link("log" if log else "logit")
    return Prior(prior.distribution, **(prior.parameters | {"mu": float(scale.forward(middle))}))


def _slope(parameter: Parameter, coefficient: str) -> Prior:
    n_slopes = len(parameter.design.coefficients) - 1
    return occupancy_slope_prior(n_slopes, of_state=coefficient.startswith("state["))


def _check_probability(name: str, prior: Any) -> None:
    """Refuse a prior that reaches beyond 1 (or below 0, which was most likely meant for the link)."""
    if not isinstance(prior, Prior):
        return
    ends: Sequence[float] = [float(prior.quantile(q)) for q in (0.0, 1.0)]
    if ends[0] < 0 or ends[1] > 1:
        raise PriorError(
            f"the prior of {name!r} is on its natural scale, a probability, and {prior!r} reaches beyond 0 and 1. "
            'Give Prior("Beta", alpha=..., beta=...), or Prior("LogitNormal", mu=..., sigma=...) of its logit.',
            offenders=[name],
        )
