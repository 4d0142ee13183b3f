"""Latent classes of animals: what tells them apart, what puts them in order, and where to look for them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, pairwise, product
from typing import TYPE_CHECKING, Any

import numpy as np

from leopardpop.components.classes import COLUMN, Mixture
from leopardpop.errors import ModelError

if TYPE_CHECKING:
    from leopardpop.components.detection import DetectionParameter
    from leopardpop.data.arrays import SessionArrays
    from leopardpop.models.detection_rows import DetectionRows
    from leopardpop.models.layout import Layout, Parameter
    from leopardpop.models.likelihood.terms import Floats
    from leopardpop.models.problem import Problem

__all__ = ["in_order", "latent_levels", "latent_starts", "ordering", "swap_of_classes"]

CONTRAST = f"{COLUMN}[2]"
"""Coefficient of class 2 against class 1."""


def latent_levels(classes: Mixture, data: list[SessionArrays]) -> tuple[str, ...]:
    """Levels of the classes of a mixture.

    Raises
    ------
    ModelError
        If a table has a column of its own by the name of the classes.
    """
    for session in data:
        tables = {"individuals": session.individual_covariates, "stations": session.station_covariates}
        tables |= {"occasions": session.occasion_covariates}
        taken = [name for name, table in tables.items() if COLUMN in table]
        taken += ["covariates by station and occasion"] * (COLUMN in session.visit_covariates)
        if taken:
            raise ModelError(
                f"the {taken[0]} have a column {COLUMN!r}, and formulas name the classes of lp.Mixture(2) so. Rename "
                f"the column, or name it in SCR(classes={COLUMN!r}) if it is the class of the animals.",
                offenders=[COLUMN],
            )
    return classes.levels


def ordering(parameters: Sequence[DetectionParameter], rows: DetectionRows) -> tuple[str, str]:
    """Parameter and coefficient that put the classes in order: the baseline before any other.

    Raises
    ------
    ModelError
        If the classes differ in nothing, or only within an interaction.
    """
    names = sorted((p.name for p in parameters), key=lambda name: name in {"sigma", "z"})
    for name in names:
        coefficients = rows.by_parameter[name].design.coefficients
        if CONTRAST in coefficients and "Intercept" in coefficients:
            return name, CONTRAST
    formulas = ", ".join(f"{p.name} {p.formula!r}" for p in parameters)
    raise ModelError(
        f"classes=lp.Mixture(2), and no formula of detection has {COLUMN!r} as a term beside an intercept "
        f"({formulas}): nothing puts the classes in order, or tells them apart. Give "
        f'{names[0]}="~ {COLUMN}", or leave classes out.',
        offenders=[COLUMN],
    )


def swap_of_classes(layout: Layout) -> Floats:
    """Linear map of unordered theta that gives the two classes each other's names, (P, P)."""
    result = np.eye(layout.size)
    for p in layout.parameters:
        if p.name != "D":
            swapped = np.concatenate([_other_class(p, a, b) for a, b in pairwise(accumulate((0, *p.splits)))])
            result[p.place, p.place] = np.linalg.lstsq(p.standardised, swapped, rcond=None)[0]
    if layout.shares is not None:
        result[layout.shares.place, layout.shares.place] *= -1.0
    return result


def _other_class(p: Parameter, a: int, b: int) -> Floats:
    """Design rows of one session with those of the other class in their place."""
    by_class = p.standardised[a:b].reshape(2, -1, p.standardised.shape[1])
    return by_class[::-1].reshape(b - a, -1)


def in_order(problem: Problem, theta: Floats, covariance: Floats, *, fixed: int = 0) -> tuple[Floats, Floats]:
    """A maximum with its classes in order; as it is without latent classes.

    Parameters
    ----------
    problem
        The model with its data, not ordered.
    theta, covariance
        The maximum without its first ``fixed`` coefficients.
    fixed
        Number of coefficients at the front that are left out.
    """
    if not isinstance(problem.model.classes, Mixture):
        return theta, covariance
    name, coefficient = ordering(problem.model.detection.parameters(), problem.detection)
    if theta[problem.labels.index(f"{name}[{coefficient}]") - fixed] >= 0:
        return theta, covariance
    swap = swap_of_classes(problem.layout)[fixed:, fixed:]
    return swap @ theta, swap @ covariance @ swap.T


def latent_starts(problem: Problem, thetas: list[Floats]) -> list[Floats]:
    """Starting points with classes that differ, by several amounts and in several shares."""
    best = [
        _parted(problem, thetas[0], contrast, ratio, sigma)
        for contrast, ratio, sigma in product((0.6, 1.6), (-1.0, 1.0), (-0.3, 0.3))
    ]
    return best + [_parted(problem, theta, 1.0, 0.0, 0.1) for theta in thetas[1:]]


def _parted(problem: Problem, theta: Floats, contrast: float, ratio: float, sigma: float) -> Floats:
    """A point with classes apart, the mean over both as it was."""
    layout, result = problem.layout, theta.copy()
    main, _ = ordering(problem.model.detection.parameters(), problem.detection)
    shares: Any = layout.shares
    result[shares.place] = ratio
    second = float(np.exp(shares.log_shares(result)[1]))
    for p in layout.parts:
        if CONTRAST in p.design.coefficients and p.has_intercept:
            size, at = (contrast if p.name == main else sigma), p.design.coefficients.index(CONTRAST)
            result[p.place.start] -= size * second
            result[p.place.start + at] = np.log(size) if p.ordered == at else size
    return result
