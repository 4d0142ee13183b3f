"""From a flat vector of coefficients to parameters on the ground, and back.

A *parameter* (D, lambda0, sigma ...) has a formula, a link and a unit; its linear predictor lives on rows: cells for
density, class x station for detection. The engine's vector ``theta`` holds the coefficients of standardised columns;
``beta`` the coefficients of the columns as the user gave them, which is what is reported.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import accumulate, pairwise, product
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from leopardpop.components.formula import build_design
from leopardpop.components.link import link
from leopardpop.components.spatial import SpatialDesign
from leopardpop.errors import ModelError
from leopardpop.models.effects import Effects
from leopardpop.models.spatial_effects import LENGTH, SpatialEffect
from leopardpop.models.states.rows import EffectRows

if TYPE_CHECKING:
    from leopardpop.components.formula import Design
    from leopardpop.components.link import Link
    from leopardpop.components.random_effects import RandomDesign
    from leopardpop.models.likelihood.terms import Floats, Ints

    type Effect = Effects | SpatialEffect
    type AnyRandomDesign = RandomDesign | SpatialDesign

__all__ = ["AnyRandomDesign", "Effect", "Layout", "Parameter", "Shares", "make_layout", "pieces_of_effects"]


@dataclass(frozen=True, eq=False, kw_only=True)
class Parameter:
    """One parameter of the model with its design."""

    name: str
    link: Link
    unit: str
    design: Design
    place: slice
    """Where its coefficients are in theta."""
    splits: tuple[int, ...]
    """Number of rows of each session."""
    ordered: int | None = None
    """Coefficient that is positive, because it puts latent classes in order; theta holds its logarithm."""
    random: tuple[EffectRows, ...] = ()
    """Random effects on its rows."""

    @property
    def labels(self) -> list[str]:
        """Labels of the coefficients: ``"sigma[Intercept]"``."""
        return [f"{self.name}[{c}]" for c in self.design.coefficients]

    @property
    def has_intercept(self) -> bool:
        """Whether the first coefficient is an intercept."""
        return self.design.coefficients[0] == "Intercept"

    def predictor(self, theta: Floats) -> list[Floats]:
        """Linear predictor on the rows of each session, (..., rows)."""
        values = self.predictor_of_rows(theta)
        return [values[..., a:b] for a, b in self._bounds]

    def predictor_of_rows(self, theta: Floats) -> Floats:
        """Linear predictor on all rows, (..., rows)."""
        values: Floats = self.coefficients(theta) @ self.standardised.T
        for each in self.random:
            values = values + each.predictor(theta)
        return values if self.offset is None else values + self.offset

    def mean_predictor(self, theta: Floats, rows: Ints) -> Floats:
        """Linear predictor averaged over some rows, (...)."""
        value: Floats = self.coefficients(theta) @ self.standardised[rows].mean(0)
        for each in self.random:
            value = value + each.mean(theta, rows)
        return value if self.offset is None else value + self.offset[rows].mean()

    @property
    def is_constant(self) -> bool:
        """Whether it is the same everywhere."""
        return self.design.coefficients == ("Intercept",) and not self.random and self.offset is None

    @property
    def offset(self) -> Floats | None:
        """What is added to the linear predictor as it is, (rows,); None without."""
        return None if self.design.offset is None else self.design.offset.values

    def chosen(self, rows: Ints) -> Parameter:
        """The parameter on some of its rows."""
        design = self.design.chosen(rows)
        random = tuple(each.chosen(rows) for each in self.random)
        return replace(self, design=design, random=random, splits=(len(rows),))

    def distinct(self, begin: int = 0, end: int | None = None) -> tuple[Parameter, Ints]:
        """The parameter on its distinct rows from ``begin`` to ``end``, and which of them each of those rows is."""
        columns = [np.column_stack([each.level, each.value]) for each in self.random]
        columns += [] if self.offset is None else [self.offset[:, None]]
        keys = np.column_stack([self.standardised, *columns])[begin:end]
        _, first, at = np.unique(keys, axis=0, return_index=True, return_inverse=True)
        return self.chosen(begin + first), at.reshape(-1)

    def coefficients(self, theta: Floats) -> Floats:
        """Coefficients of the standardised columns, (..., P)."""
        result: Floats = theta[..., self.place]
        if self.ordered is not None:
            result = result.copy()
            result[..., self.ordered] = np.exp(result[..., self.ordered])
        return result

    def pull(self, theta: Floats, by_row: Floats, gradient: Floats) -> None:
        """Add to the gradient over theta what comes of slopes with respect to the linear predictor on all rows."""
        own: Floats = self.standardised.T @ by_row
        if self.ordered is not None:
            own[self.ordered] *= np.exp(theta[self.place][self.ordered])
        gradient[self.place] += own
        for each in self.random:
            each.pull(theta, by_row, gradient)

    def to_beta(self, theta: Floats) -> Floats:
        """Coefficients of the covariates as given, (..., P)."""
        result: Floats = self.design.to_beta(self.coefficients(theta))
        return result

    def to_theta(self, beta: Floats) -> Floats:
        """What theta holds, from coefficients of the covariates as given, (..., P) of this parameter.

        Raises
        ------
        ModelError
            If classes are not in order.
        """
        result: Floats = self.design.to_theta(beta)
        if self.ordered is not None:
            if not (result[..., self.ordered] > 0).all():
                raise ModelError(
                    f"{self.labels[self.ordered]} is not positive: class 2 of a mixture is the one with the greater "
                    f"{self.name}. Swap the classes, or draw from model.build(...), which keeps them in order.",
                    offenders=[self.labels[self.ordered]],
                )
            result[..., self.ordered] = np.log(result[..., self.ordered])
        return result

    @property
    def standardised(self) -> Floats:
        """Design matrix of standardised columns, (rows, P)."""
        columns: Floats = self._standardised
        return columns

    def __post_init__(self) -> None:
        bounds = [0, *accumulate(self.splits)]
        object.__setattr__(self, "_bounds", list(pairwise(bounds)))
        object.__setattr__(self, "_standardised", np.ascontiguousarray(self.design.standardised))

    _bounds: Any = None
    _standardised: Any = None

    def reference_grid(self) -> tuple[dict[str, tuple[str, ...]], Floats]:
        """Factors with their levels, and the design rows of all their combinations; other covariates at the mean."""
        factors = self.design.factors
        if not factors:
            row = self.design.evaluate(pd.DataFrame([self.design.numeric or {"_": 0.0}]))
            return {}, row
        combinations = list(product(*factors.values()))
        table = pd.DataFrame(combinations, columns=list(factors))
        for name, mean in self.design.numeric.items():
            table[name] = mean
        return dict(factors), self.design.evaluate(table)


@dataclass(frozen=True, eq=False, kw_only=True)
class Shares:
    """The shares of the classes of animals, as log ratios to the first class."""

    column: str
    levels: tuple[str, ...]
    place: slice

    @property
    def labels(self) -> list[str]:
        """Labels of the log ratios: ``"pmix[M]"``; with two classes the logit of the last one's share."""
        return [f"pmix[{level}]" for level in self.levels[1:]]

    def log_shares(self, theta: Floats) -> Floats:
        """log π, (..., C)."""
        ratios = theta[..., self.place]
        padded = np.concatenate([np.zeros((*ratios.shape[:-1], 1)), ratios], axis=-1)
        result: Floats = padded - np.logaddexp.reduce(padded, axis=-1)[..., None]
        return result


@dataclass(frozen=True, eq=False)
class Layout:
    """All parameters in the order of theta; density first, shares of the classes last."""

    parameters: tuple[Parameter, ...]
    shares: Shares | None
    effects: tuple[Effect, ...] = ()
    """Random and spatial effects, behind everything else; their sds and length scales are parameters."""

    @property
    def labels(self) -> list[str]:
        """Labels of all coefficients."""
        tail = self.shares.labels if self.shares else []
        return [label for p in self.parameters for label in p.labels] + tail + self.effect_labels

    @property
    def effect_labels(self) -> list[str]:
        """Labels of the deviations of groups."""
        return [label for each in self.effects for label in each.labels]

    def effects_by_variable(self) -> dict[tuple[str, str], list[Effect]]:
        """Random and spatial effects by the variable of the posterior that has them, and its dimension."""
        result: dict[tuple[str, str], list[Effect]] = {}
        for each in self.effects:
            result.setdefault((each.variable, each.dim), []).append(each)
        return result

    def effect_coords(self) -> dict[str, list[str]]:
        """Names of the groups by the dimension of their deviations."""
        items = self.effects_by_variable().items()
        return {dim: [group for each in effects for group in each.groups] for (_, dim), effects in items}

    @cached_property
    def parts(self) -> tuple[Parameter, ...]:
        """Parameters of the model itself: all but the sds of random effects."""
        brought = {name for each in self.effects for name in each.references()}
        return tuple(p for p in self.parameters if p.name not in brought)

    def log_effects(self, theta: Floats) -> Any:
        """log Pr(random effects | their sds) at theta (..., P); 0 without any."""
        return sum((each.log_density(theta) for each in self.effects), 0.0)

    def add_effect_slopes(self, theta: Floats, gradient: Floats) -> float:
        """log Pr(random effects | their sds); its slopes are added to a gradient (P,)."""
        return float(sum(each.add_slopes(theta, gradient) for each in self.effects))

    def refuse_effects(self) -> None:
        """Refuse random and spatial effects where there are no priors.

        Raises
        ------
        ModelError
            Naming the first.
        """
        for each in self.effects:
            raise ModelError(
                "maximum_likelihood has no random or spatial effects, and the formula of "
                f"{each.parameter!r} has ({each.design.label}): their likelihood is an integral over all of them, "
                "which the posterior of model.fit(...) does not need. Use that, or covariates and factors instead.",
                offenders=[each.label],
            )

    def draw_effects(self, theta: Floats, given: Collection[str], rng: np.random.Generator) -> Floats:
        """Draw the deviations of groups from their law, but those of a random effect of which labels were given."""
        for each in self.effects:
            if not set(given) & set(each.labels):
                each.draw(theta, rng)
        return theta

    @cached_property
    def size(self) -> int:
        """Number of coefficients."""
        return len(self.labels)

    def __getitem__(self, name: str) -> Parameter:
        """Return the parameter of that name."""
        for parameter in self.parameters:
            if parameter.name == name:
                return parameter
        raise ModelError(f"the model has no parameter {name!r}: it has {', '.join(p.name for p in self.parameters)}")

    def to_beta(self, theta: Floats) -> Floats:
        """Coefficients of unscaled covariates from those of standardised ones, (..., P)."""
        return self._convert(theta, "to_beta")

    def to_theta(self, beta: Floats) -> Floats:
        """Coefficients of standardised covariates from those of unscaled ones, (..., P)."""
        return self._convert(beta, "to_theta")

    def _convert(self, values: Floats, way: str) -> Floats:
        result = np.array(values, float)
        for p in self.parameters:
            result[..., p.place] = p.to_beta(result) if way == "to_beta" else p.to_theta(result[..., p.place])
        for each in self.effects:  # their log sd is the same in both
            given = result[..., each.place]
            result[..., each.place] = each.reported(result) if way == "to_beta" else each.standardised(result, given)
        return result

    def names_of_reference(self) -> list[str]:
        """Labels of theta with intercepts under the parameter's own name: what a prior is given for."""
        intercepts = {f"{p.name}[Intercept]": p.name for p in self.parameters}
        return [intercepts.get(label, label) for label in self.labels]


def make_layout(
    pieces: Sequence[tuple[str, str, str, Design, tuple[int, ...]]],
    shares: tuple[str, tuple[str, ...]] | None,
    random: Sequence[tuple[str, str, AnyRandomDesign]] = (),
    ordered: tuple[str, str] | None = None,
) -> Layout:
    """Lay parameters out one after the other.

    Parameters
    ----------
    pieces
        (name, link, unit, design, rows of each session) of each parameter.
    shares
        Column and levels of the classes, if there are any.
    random
        (parameter, name of the sd among the pieces, design) of each random effect.
    ordered
        Parameter and coefficient that put latent classes in order.
    """
    parameters, at = [], 0
    for name, link_name, unit, design, splits in pieces:
        place = slice(at, at + len(design.coefficients))
        positive = design.coefficients.index(ordered[1]) if ordered and ordered[0] == name else None
        parameters.append(
            Parameter(
                name=name,
                link=link(link_name),
                unit=unit,
                design=design,
                place=place,
                splits=splits,
                ordered=positive,
            )
        )
        at = place.stop
    last = None
    if shares is not None:
        last = Shares(column=shares[0], levels=shares[1], place=slice(at, at + len(shares[1]) - 1))
        at = last.place.stop
    places = {p.name: p.place.start for p in parameters}
    effects = _laid_out(random, places, at)
    return Layout(tuple(_with_effects(each, effects) for each in parameters), last, effects)


def _with_effects(parameter: Parameter, effects: Sequence[Effect]) -> Parameter:
    """The parameter with its random effects on its rows."""
    own = (each for each in effects if each.parameter == parameter.name)
    return replace(parameter, random=tuple(EffectRows(each, each.design.level, each.design.value) for each in own))


def pieces_of_effects(
    random: Sequence[tuple[str, str, AnyRandomDesign]], link_name: str
) -> list[tuple[str, str, str, Design, tuple[int, ...]]]:
    """Parameters that random and spatial effects bring: sds on the scale of a link, and length scales in km.

    Raises
    ------
    ModelError
        If two would have one name.
    """
    constant = build_design("~ 1", pd.DataFrame(index=[0]), parameter="sd")
    pieces: list[tuple[str, str, str, Design, tuple[int, ...]]]
    pieces = [(sd, "log", link_name, constant, (1,)) for _, sd, _ in random]
    surfaces = [parameter for parameter, _, design in random if isinstance(design, SpatialDesign)]
    pieces += [(f"{parameter}_{LENGTH}", "log", "km", constant, (1,)) for parameter in surfaces]
    names = [piece[0] for piece in pieces]
    if len(set(names)) < len(names):
        raise ModelError("a group of a random effect is called 'gp', as the spatial effect is: rename the column.")
    return pieces


def _laid_out(
    random: Sequence[tuple[str, str, AnyRandomDesign]], places: dict[str, int], at: int
) -> tuple[Effect, ...]:
    effects: list[Effect] = []
    for parameter, sd, design in random:
        common: dict[str, Any] = {"parameter": parameter, "sd": sd, "spread": places[sd], "design": design}
        if isinstance(design, SpatialDesign):
            length = f"{parameter}_{LENGTH}"
            place = slice(at, at + len(design.mean))
            ones = np.ones(len(design.mean))
            effects.append(SpatialEffect(**common, length=length, reach=places[length], place=place, weight=ones))
        else:
            place = slice(at, at + len(design.levels))
            effects.append(Effects(**common, place=place, weight=np.ones(len(design.levels))))
        at = place.stop
    return tuple(effects)
