"""Responses of visits as the rows of the table of outcomes; visits that make no mistakes have their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from leopardpop.data.names import did_you_mean
from leopardpop.errors import DataError, ModelError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from leopardpop.data.occupancy_arrays import OccupancyArrays
    from leopardpop.models.occupancy_model import OccupancyModel

    type Ints = NDArray[np.intp]

__all__ = ["certain_visits", "coded", "decoded", "possible"]


def coded(model: OccupancyModel, arrays: OccupancyArrays, *, nothing: bool = False) -> Ints:
    """Row of the outcomes of each visit, (V,).

    Parameters
    ----------
    model
        The model.
    arrays
        The history.
    nothing
        Whether to take it that nothing was seen on any visit.
    """
    value = np.zeros(len(arrays.site), np.intp) if nothing else arrays.value.astype(np.intp)
    certain = certain_visits(model, arrays)
    if certain is None:
        return value
    return np.where(certain, _plain(model) + (value > 0), value)


def decoded(model: OccupancyModel, code: NDArray[np.integer]) -> NDArray[np.integer]:
    """Responses of rows of the outcomes: the way back from :func:`coded`."""
    if not hasattr(model, "certain"):
        return code
    plain = _plain(model)
    return np.where(code < plain, code, (code - plain) * (plain - 1))


def possible(model: OccupancyModel, arrays: OccupancyArrays) -> NDArray[np.bool_] | None:
    """Which rows of the outcomes each visit can have, (Y, V); None if all."""
    if not hasattr(model, "certain"):
        return None
    certain = certain_visits(model, arrays)
    if certain is None:
        certain = np.zeros(len(arrays.site), bool)
    special = np.arange(len(model.structure.outcomes)) >= _plain(model)
    return np.asarray(special[:, None] == certain)


def _plain(model: OccupancyModel) -> int:
    """Number of responses that a visit can have; those of certain visits come behind."""
    return len(model.structure.outcomes) - 2


def certain_visits(model: OccupancyModel, arrays: OccupancyArrays) -> NDArray[np.bool_] | None:
    """Whether each visit was by a method without false positives, (V,); None if there is no such method.

    Raises
    ------
    ModelError
        If the history has no such covariate.
    DataError
        If it is something else than 0 or 1.
    """
    name = getattr(model, "certain", None)
    if name is None:
        return None
    table = arrays.visit_covariates
    if name not in table:
        known = [str(each) for each in table.columns if each not in ("site", "season", "visit")]
        raise ModelError(
            f"certain={name!r}: the history has no such covariate of visits.{did_you_mean(str(name), known)} It has "
            f"{', '.join(known) or 'none'}. It says of each visit whether its detections are certain (1) or not (0).",
            offenders=[name],
        )
    values = table[name]
    wrong = values[~values.isin([0, 1])]
    if len(wrong):
        row = table.loc[wrong.index[0]]
        raise DataError(
            f"certain={name!r} is {wrong.iloc[0]!r} at visit {row['visit']} to site {row['site']!r}: give 1 where a "
            "detection is certain and 0 where it may be another species.",
            offenders=[row["site"]],
        )
    return np.asarray(values.to_numpy(float) == 1.0)
