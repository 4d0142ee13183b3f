"""Priors of a model's coefficients: which apply, and their density in the engine's coordinates.

A prior keyed by a parameter (``"sigma"``) is on its natural scale at the reference (continuous covariates at their
mean, factors at their first level); one keyed by a coefficient (``"sigma[sex[M]]"``) is on the link scale, for the
covariate as given. The prior of ``"N"`` is on the expected number in the mask and replaces that of ``"D"``.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

import numpy as np

from leopardpop.errors import PriorError
from leopardpop.models.behaviour import default_slope
from leopardpop.models.compiled_prior import as_density
from leopardpop.models.prior_references import default_references
from leopardpop.priors import (
    Prior,
    PriorSet,
    share_prior,
)

if TYPE_CHECKING:
    from leopardpop.data.arrays import SessionArrays
    from leopardpop.models.layout import Layout, Parameter
    from leopardpop.models.likelihood.terms import Floats

__all__ = [
    "PriorTerm",
    "PriorTerms",
    "chosen_priors",
    "coefficient_keys",
    "coefficient_terms",
    "normal_in_theta",
    "resolve_priors",
]


@dataclass(frozen=True)
class PriorTerm:
    """The prior of one free quantity."""

    label: str
    """Coefficient's label, the parameter's name for a reference value, ``"N"`` or ``"pmix"``."""
    parameter: str
    position: int
    """Index in theta (the first one for ``pmix``)."""
    prior: Any
    natural: bool
    """Whether it is stated on the natural scale."""
    from_user: bool


@dataclass(frozen=True, eq=False)
class PriorTerms:
    """All priors of a model and their joint density over theta."""

    layout: Layout
    terms: tuple[PriorTerm, ...]

    def __post_init__(self) -> None:
        """Split the terms into those that are normal in theta, sds that are half-normal, and the rest."""
        normal, half, others = [], [], []
        for term in self.terms:
            shape, sd = normal_in_theta(self.layout, term), _half_normal_sd(self.layout, term)
            if shape is not None:
                normal.append((term.position, *shape))
            elif sd is not None:
                half.append((term.position, sd))
            else:
                others.append(term)
        table, halves = np.array(normal, float).reshape(-1, 3), np.array(half, float).reshape(-1, 2)
        object.__setattr__(self, "_normal", (table[:, 0].astype(np.intp), table[:, 1], table[:, 2]))
        object.__setattr__(self, "_half", (halves[:, 0].astype(np.intp), halves[:, 1]))
        object.__setattr__(self, "_others", tuple(t for t in others if t.label != "N"))

    _normal: Any = None
    _half: Any = None
    _others: Any = None

    @property
    def number(self) -> Any | None:
        """Prior of the expected number in the mask, if there is one."""
        return next((t.prior for t in self.terms if t.label == "N"), None)

    def log_density(self, theta: Floats) -> tuple[float, Floats]:
        """Log prior density of theta without the prior of N, and its gradient (P,)."""
        at, mean, sd = self._normal
        scaled = (theta[at] - mean) / sd
        value = float(-0.5 * scaled @ scaled - np.log(sd).sum() - 0.5 * np.log(2 * np.pi) * len(sd))
        gradient = np.zeros(len(theta))
        gradient[at] = -scaled / sd
        density, gradient[self._half[0]] = self._half_normal(theta)
        value += float(density)
        for term in self._others:
            part, where, slope = self._one(term, theta)
            value += part
            gradient[where] += slope
        return value, gradient

    def log_densities(self, thetas: Floats) -> Floats:
        """Log prior density of many theta (B, P), without the prior of N, (B,)."""
        at, mean, sd = self._normal
        scaled = (thetas[:, at] - mean) / sd
        values = -0.5 * (scaled**2).sum(-1) - np.log(sd).sum() - 0.5 * np.log(2 * np.pi) * len(sd)
        values = values + self._half_normal(thetas)[0]
        for term in self._others:
            values += np.array([self._one(term, theta)[0] for theta in thetas])
        return np.asarray(values)

    def _half_normal(self, theta: Floats) -> tuple[Any, Floats]:
        """Log density of half-normal sds whose logarithms are in theta (..., P), (...), and its slopes there."""
        at, sd = self._half
        squares = np.exp(2.0 * (theta[..., at] - np.log(sd)))
        each = 0.5 * np.log(2.0 / np.pi) - np.log(sd) - 0.5 * squares + theta[..., at]
        return each.sum(-1), 1.0 - squares

    def log_density_number(self, expected: float) -> tuple[float, float]:
        """Log prior density of the density intercept through E[N], and its derivative with respect to E[N]."""
        prior = self.number
        if prior is None:
            return 0.0, 0.0
        return (
            float(prior.logpdf(expected)) + np.log(expected),
            float(prior.logpdf_derivative(expected)) + 1.0 / expected,
        )

    def by_term(self, theta: Floats, expected: float) -> dict[str, float]:
        """Log prior density of each term in theta's coordinates, by label."""
        result = {}
        for term in self.terms:
            if term.label == "N":
                result["N"] = self.log_density_number(expected)[0]
            else:
                result[term.label] = self._one(term, theta)[0]
        return result

    def _one(self, term: PriorTerm, theta: Floats) -> tuple[float, Any, Any]:
        """Log density in theta, the places it depends on, and the derivatives there."""
        if term.parameter == "pmix":
            return self._shares(term, theta)
        parameter = self.layout[term.parameter]
        j = term.position
        if not term.natural:
            scale = float(parameter.design.scale[j - parameter.place.start])
            if j - parameter.place.start == parameter.ordered:
                x = np.exp(theta[j]) / scale
                density = float(term.prior.logpdf(x)) - np.log(scale) + float(theta[j])
                return density, j, float(term.prior.logpdf_derivative(x)) * x + 1.0
            x = theta[j] / scale
            slope = float(term.prior.logpdf_derivative(x)) / scale
            return float(term.prior.logpdf(x)) - np.log(scale), j, slope
        eta = float(theta[j])
        x = float(parameter.link.inverse(eta))
        first = float(parameter.link.inverse_derivative(eta))
        step = 1e-4
        above, below = (float(parameter.link.inverse_derivative(eta + s)) for s in (step, -step))
        curvature = (np.log(above) - np.log(below)) / (2 * step)
        slope = float(term.prior.logpdf_derivative(x)) * first + curvature
        return float(term.prior.logpdf(x)) + np.log(first), j, slope

    def _shares(self, term: PriorTerm, theta: Floats) -> tuple[float, Any, Any]:
        """Prior of the shares π in log ratios: its density times Π π (the Jacobian of log ratios)."""
        shares = self.layout.shares
        if shares is None:  # pragma: no cover - a term for pmix exists only with classes
            raise PriorError("a prior for pmix needs classes")
        log_share = shares.log_shares(theta)
        share = np.exp(log_share)
        if len(share) == 2:
            x = float(share[1])
            slope = float(term.prior.logpdf_derivative(x)) * x * (1 - x) + 1 - 2 * x
            return float(term.prior.logpdf(x)) + float(log_share.sum()), shares.place, slope
        pull = share * np.asarray(term.prior.logpdf_derivative(share)) + 1.0
        density = float(term.prior.logpdf(share)) + float(log_share.sum())
        return density, shares.place, (pull - share * pull.sum())[1:]


def normal_in_theta(layout: Layout, term: PriorTerm) -> tuple[float, float] | None:
    """Mean and sd if the prior is a normal one of theta, else None.

    Parameters
    ----------
    layout
        The model's coefficients.
    term
        The prior.
    """
    prior = term.prior
    if term.parameter in {"pmix", "N"} or not isinstance(prior, Prior):
        return None
    parameter = layout[term.parameter]
    if term.natural and prior.distribution == "LogNormal" and parameter.link.name == "log":
        return float(prior.parameters["mu"]), float(prior.parameters["sigma"])
    if term.natural and prior.distribution == "LogitNormal" and parameter.link.name == "logit":
        return float(prior.parameters["mu"]), float(prior.parameters["sigma"])
    if (
        not term.natural
        and prior.distribution == "Normal"
        and term.position - parameter.place.start != (parameter.ordered)
    ):
        scale = float(parameter.design.scale[term.position - parameter.place.start])
        return float(prior.parameters["mu"]) * scale, float(prior.parameters["sigma"]) * scale
    return None


def _half_normal_sd(layout: Layout, term: PriorTerm) -> float | None:
    """Scale of a half-normal prior of what theta has the logarithm of, else None."""
    prior = term.prior
    if term.parameter in {"pmix", "N"} or not isinstance(prior, Prior) or prior.distribution != "HalfNormal":
        return None
    is_log = term.natural and layout[term.parameter].link.name == "log"
    return float(prior.parameters["sigma"]) if is_log else None


def resolve_priors(
    layout: Layout,
    given: Mapping[str, Any] | None,
    sessions: list[SessionArrays],
    effort_unit: str,
    stretch: float = 1.0,
) -> PriorTerms:
    """Put the given priors and the defaults together.

    Parameters
    ----------
    layout
        The model's coefficients.
    given
        Priors by key; those of a :class:`PriorSet` are converted to the unit of effort of the data.
    sessions
        The design.
    effort_unit
        Unit of effort of the data.
    stretch
        How much longer distances are than straight lines.

    Raises
    ------
    PriorError
        For an unknown key (with the nearest one), a prior in another unit that cannot be converted, or a missing one.
    """
    known = coefficient_keys(layout) | {"N"} | ({"pmix"} if layout.shares else set())
    chosen = chosen_priors(given, known, effort_unit)
    _check_number(chosen, n_sessions=len(sessions))
    references = default_references(sessions, [p.name for p in layout.parts], chosen, stretch)
    for each in layout.effects:
        references |= each.references()
    terms = coefficient_terms(layout, chosen, references, lambda parameter, name: default_slope(parameter.name, name))
    if layout.shares is not None:
        at = layout.shares.place.start
        prior = chosen.get("pmix", share_prior(len(layout.shares.levels)))
        terms.append(PriorTerm("pmix", "pmix", at, as_density(prior), True, "pmix" in chosen))
    return PriorTerms(layout, tuple(terms))


def chosen_priors(given: Mapping[str, Any] | None, known: Collection[str], effort_unit: str) -> PriorSet:
    """Priors that were given, after a look at their keys, in the unit of effort of the data.

    Parameters
    ----------
    given
        Priors by key.
    known
        Everything that a prior can be given for.
    effort_unit
        Unit of effort of the data.

    Raises
    ------
    PriorError
        If it is no mapping, a key is unknown (with the nearest one), or a unit cannot be converted.
    """
    if not isinstance(given, Mapping | None):
        raise PriorError(f"priors={given!r}: give a dict from parameter to prior, or lp.priors.big_cats().")
    priors = given if isinstance(given, PriorSet) else PriorSet(given or {})
    chosen = priors.of_model(set(known)).in_unit(effort_unit)
    _check_keys(known, chosen)
    return chosen


def coefficient_terms(
    layout: Layout, chosen: Mapping[str, Any], references: Mapping[str, Any], slope: Callable[[Parameter, str], Prior]
) -> list[PriorTerm]:
    """Priors of all coefficients: those that were chosen, else the defaults.

    Parameters
    ----------
    layout
        The model's coefficients.
    chosen
        Priors by key.
    references
        Default prior of each parameter at its reference, natural scale.
    slope
        Of a parameter and a coefficient: the default prior of the slope of the standardised covariate.
    """
    return [term for parameter in layout.parameters for term in _terms_of(parameter, chosen, references, slope)]


def _terms_of(
    parameter: Parameter,
    chosen: Mapping[str, Any],
    references: Mapping[str, Any],
    slope: Callable[[Parameter, str], Prior],
) -> list[PriorTerm]:
    terms = []
    for j, coefficient in enumerate(parameter.design.coefficients):
        at, label = parameter.place.start + j, f"{parameter.name}[{coefficient}]"
        scale = float(parameter.design.scale[j])
        is_reference = coefficient == "Intercept" or not parameter.has_intercept
        if label in chosen and coefficient != "Intercept":
            density = _positive(label, chosen[label]) if j == parameter.ordered else as_density(chosen[label])
            terms.append(PriorTerm(label, parameter.name, at, density, False, True))
        elif is_reference and parameter.name == "D" and "N" in chosen:
            terms.append(PriorTerm("N", "N", at, _natural("N", chosen["N"], parameter), True, True))
        elif is_reference:
            prior = chosen.get(parameter.name, references.get(parameter.name))
            if prior is None:
                raise PriorError(
                    f"parameter {parameter.name!r} has no default prior: give one, "
                    f"priors={{{parameter.name!r}: lp.Prior(...)}}"
                )
            name = parameter.name if coefficient == "Intercept" else label
            density = _natural(parameter.name, prior, parameter)
            terms.append(PriorTerm(name, parameter.name, at, density, True, parameter.name in chosen))
        else:
            sd = float(slope(parameter, coefficient).parameters["sigma"]) / scale
            default = Prior("HalfNormal", sigma=sd) if j == parameter.ordered else Prior("Normal", mu=0.0, sigma=sd)
            terms.append(PriorTerm(label, parameter.name, at, default, False, False))
    return terms


def _positive(label: str, prior: Any) -> Any:
    """A prior of the coefficient that puts latent classes in order, which is positive."""
    if isinstance(prior, Prior) and float(prior.quantile(0.0)) < 0:
        raise PriorError(
            f"the prior of {label!r} reaches below 0, and the classes of a mixture are ordered by that coefficient: it "
            f'is positive. Give one that is too, such as lp.Prior("HalfNormal", sigma=0.7), and not {prior!r}.',
            offenders=[label],
        )
    return as_density(prior)


def _natural(key: str, prior: Any, parameter: Parameter) -> Any:
    """A prior on the natural scale, if that is where it lives: one below 0 was most likely meant for the logarithm."""
    if isinstance(prior, Prior) and parameter.link.name != "identity" and float(prior.quantile(0.0)) < 0:
        raise PriorError(
            f"the prior of {key!r} is on its natural scale, where it is positive, and {prior!r} reaches below 0. Give "
            'one that does not: Prior("LogNormal", mu=..., sigma=...) of its logarithm, Gamma, or TruncatedNormal.',
            offenders=[key],
        )
    return as_density(prior)


def coefficient_keys(layout: Layout) -> set[str]:
    """Parameters, and coefficients other than intercepts: what a prior can be given for."""
    labels = {label for label in layout.labels if not label.endswith("[Intercept]") and not label.startswith("pmix")}
    labels -= set(layout.effect_labels)
    return {p.name for p in layout.parameters} | labels


def _check_keys(known: Collection[str], chosen: PriorSet) -> None:
    for key in chosen:
        if key not in known:
            near = get_close_matches(key, known, n=1, cutoff=0.0)
            raise PriorError(
                f"there is no coefficient {key!r} to give a prior to; did you mean {near[0]!r}? "
                f"The model has {', '.join(sorted(known))}.",
                offenders=[key],
            )


def _check_number(chosen: PriorSet, n_sessions: int) -> None:
    if "N" in chosen and "D" in chosen and "D" not in chosen.optional:
        raise PriorError('priors on both "N" and "D": the prior of N replaces that of D, give one of them')
    if "N" in chosen and n_sessions > 1:
        raise PriorError(f'a prior on "N" needs one session and there are {n_sessions}: give a prior on "D"')
