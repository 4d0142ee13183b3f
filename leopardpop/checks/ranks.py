"""Where the survey stands among its replicates: p-values of many statistics at once, and of the worst of them.

Row 0 is the survey, the others are replicates of it at the same coefficients. Under the model all rows have the same
law, so that the rank of row 0 in any statistic is uniform, and so is its rank in the smallest p-value of a row. Ties
are broken by chance, which keeps the p-values uniform where a statistic is a small whole number.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from leopardpop.models.likelihood.terms import Floats

__all__ = ["family_p", "p_values", "uniform_ranks"]


def uniform_ranks(values: Floats, rng: np.random.Generator) -> Floats:
    """Share of the rows below each row, by column, ties and the place within the share by chance.

    Parameters
    ----------
    values
        (R, J).
    rng
        Source of chance.

    Returns
    -------
    ndarray
        (R, J), between 0 and 1; uniform if the rows have the same law.

    Examples
    --------
    >>> ranks = uniform_ranks(np.array([[3.0], [1.0], [2.0], [9.0]]), np.random.default_rng(1))
    >>> np.floor(4 * ranks[:, 0]).tolist()
    [2.0, 0.0, 1.0, 3.0]
    """
    rows, columns = values.shape
    place = np.empty(values.shape)
    for j in range(columns):
        order = np.lexsort(np.stack([rng.random(rows), values[:, j]]))
        place[order, j] = np.arange(rows)
    ranks: Floats = (place + rng.random(values.shape)) / rows
    return ranks


def p_values(values: Floats, two_sided: Sequence[bool], rng: np.random.Generator) -> Floats:
    """P-value of each row in each statistic against all rows.

    Parameters
    ----------
    values
        Statistics by row, (R, J).
    two_sided
        Whether small values speak against the model too, (J,).
    rng
        Source of chance.

    Returns
    -------
    ndarray
        (R, J).
    """
    upper = 1.0 - uniform_ranks(values, rng)
    return np.where(np.asarray(two_sided), 2.0 * np.minimum(upper, 1.0 - upper), upper)


def family_p(p: Floats) -> Floats:
    """P-values of row 0 that allow for all columns being looked at: Westfall and Young's, by the smallest of a row.

    Parameters
    ----------
    p
        P-values of all rows, (R, J).

    Returns
    -------
    ndarray
        (J,): share of the rows whose smallest p-value is no larger. The smallest of them is uniform under the model,
        however the statistics hang together.

    References
    ----------
    Westfall & Young (1993) Resampling-Based Multiple Testing, ISBN 0-471-55761-7

    Examples
    --------
    >>> family_p(np.array([[0.1, 0.6], [0.05, 0.9], [0.5, 0.3], [0.7, 0.4]])).tolist()
    [0.5, 1.0]
    """
    smallest = np.sort(p.min(axis=1))
    return np.asarray(np.searchsorted(smallest, p[0], side="right") / len(p))
