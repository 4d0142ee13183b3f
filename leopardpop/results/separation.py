"""Covariates that separate used from unused sites, or visits with from visits without a detection, perfectly."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from leopardpop.models.likelihood.terms import Floats
    from leopardpop.models.states.problem import OccupancyProblem

__all__ = ["separating_effects"]


def separating_effects(problem: OccupancyProblem) -> list[str]:
    """Effects along which the likelihood rises without end, one covariate at a time.

    It does where no value of the covariate at a place with a detection is below (or none above) any at a place without:
    ψ goes to 1 on one side and to 0 on the other. Places are sites for ψ and visits for p. Models with other states,
    with mistakes or counts are not looked at.

    Parameters
    ----------
    problem
        The model with its data.

    Returns
    -------
    list of str
        Labels of coefficients.
    """
    structure, data = problem.structure, problem.arrays
    if structure.kind != "states" or "p10" in structure.homes or structure.choices:
        return []
    found = []
    if structure.homes["psi"] == "site" and not structure.is_dynamic:
        seen = np.bincount(data.site[data.value > 0], minlength=problem.n_sites) > 0
        found += _of(problem, "psi", seen, data.surveyed.any(1))
    if "p" in structure.homes:
        found += _of(problem, "p", data.value > 0, np.ones(len(data.value), bool))
    return found


def _of(problem: OccupancyProblem, name: str, seen: NDArray[np.bool_], looked: NDArray[np.bool_]) -> list[str]:
    """Slopes of one parameter that separate what was looked at."""
    part = problem.layout[name]
    rows = part.standardised[looked]
    labels = problem.labels[part.place]
    return [
        label
        for label, column in zip(labels, rows.T, strict=True)
        if not label.endswith("[Intercept]") and _separates(column, seen[looked])
    ]


def _separates(values: Floats, seen: NDArray[np.bool_]) -> bool:
    """Whether values with and without a detection do not overlap, ends apart.

    Examples
    --------
    >>> seen = np.array([True, True, False, False])
    >>> [_separates(np.array(x, float), seen) for x in ([2, 1, 1, 0], [2, 1, 3, 0], [1, 1, 1, 1])]
    [True, False, False]
    """
    if not seen.any() or seen.all() or np.ptp(values) == 0.0:
        return False
    with_it, without = values[seen], values[~seen]
    return bool(with_it.min() >= without.max() or with_it.max() <= without.min())
