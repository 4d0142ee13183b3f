"""Visits whose covariates nobody wrote down, left out on demand and told."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr

from leopardpop.data.detection_checks import missing_covariates
from leopardpop.data.detection_long import visits_made
from leopardpop.data.names import did_you_mean, listed
from leopardpop.data.notices import notice
from leopardpop.errors import DataError, DataWarning
from leopardpop.words import counted

__all__ = ["complete_visits"]


def complete_visits(dataset: xr.Dataset, names: Sequence[str]) -> xr.Dataset:
    """Leave out the visits on which covariates are missing; see :meth:`DetectionHistory.complete_visits`.

    A visit that is left out counts as not made. That is right where what is missing has nothing to do with what was
    seen; so the number of visits with a detection among them is told.

    Parameters
    ----------
    dataset
        The dataset of a history.
    names
        Covariates of visits, of sites, or effort; none: all.
    """
    made = visits_made(dataset)
    known = [str(name) for name, values in dataset.variables.items() if values.dims[:1] == ("site",) and name != "site"]
    unknown = [name for name in names if name not in known]
    if unknown:
        raise DataError(f"there is no covariate {unknown[0]!r}.{did_you_mean(unknown[0], known)}", offenders=unknown)
    missing = missing_covariates(dataset, made)
    out = np.zeros(made.shape, dtype=bool)
    for name in names or missing:
        if name in missing:
            at = missing[name]
            out |= made & at.reshape(at.shape + (1,) * (3 - at.ndim))
    if not out.any():
        return dataset
    _tell(dataset, out, int(made.sum()), [name for name in names or missing if name in missing])
    y = dataset["y"]
    return dataset.assign(y=y.where(~xr.DataArray(out, dims=("site", "season", "visit"))).transpose(*y.dims))


def _tell(dataset: xr.Dataset, out: np.ndarray, n_made: int, names: list[str]) -> None:
    y = dataset["y"].values
    seen = (y > 0) & out  # of any species
    n, with_detection = int(out.sum()), int(seen.any(axis=tuple(range(seen.ndim - 3))).sum())
    notice(
        f"{counted(n, 'visit')} of {n_made:,} {'is' if n == 1 else 'are'} left out, {with_detection:,} of them with a "
        f"detection: {listed(names)} {'is' if len(names) == 1 else 'are'} missing there.",
        DataWarning,
    )
