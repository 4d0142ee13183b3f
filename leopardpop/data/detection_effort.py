"""Visits without effort: no visits if nothing was seen, else refused, dropped or kept, and always on record."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leopardpop.data.design import AUDIT_COLUMNS
from leopardpop.data.detection_covariates import Variable
from leopardpop.data.detection_rows import Rows
from leopardpop.data.names import counted
from leopardpop.data.notices import notice
from leopardpop.errors import DataError, DataWarning

__all__ = ["settle_effort"]


def settle_effort(
    y: NDArray[np.float64], variables: dict[str, Variable], rows: Rows, action: str
) -> tuple[NDArray[np.float64], pd.DataFrame]:
    """Settle visits without effort: nothing seen is no visit, something seen is for the user to decide.

    Parameters
    ----------
    y
        Responses (species, site, season, visit).
    variables
        Covariates; ``effort`` is replaced if visits without it are kept.
    rows
        Where y comes from.
    action
        "raise", "drop", or "keep" with the smallest positive effort.

    Returns
    -------
    y : numpy.ndarray
        With NaN where there was no visit.
    audit : pandas.DataFrame
        Visits that were dropped or kept.

    Raises
    ------
    DataError
        If something was seen without effort, and nothing is said of that.

    Warns
    -----
    DataWarning
        If a visit was dropped or kept.
    """
    if "effort" not in variables:
        return y, pd.DataFrame(columns=AUDIT_COLUMNS)
    effort = variables["effort"][1]
    off = (effort == 0) & ~np.isnan(y)
    seen = off & (y > 0)
    if seen.any() and action == "raise":
        raise _seen_without_effort(seen, y, rows)
    if action == "keep" and seen.any():
        kept = effort.copy()
        kept[seen.any(axis=0)] = _least(effort, rows)
        variables["effort"] = (variables["effort"][0], kept)
        off = off & (kept == 0)
    audit = pd.concat(
        [
            _audit(off & ~seen, rows, "dropped", "nothing seen and effort 0: no visit"),
            _audit(seen, rows, "dropped" if action == "drop" else "kept", "seen, but effort is 0"),
        ],
        ignore_index=True,
    )
    if len(audit):
        notice(f"{counted(len(audit), 'visit')} with effort 0 and a value of y: see history.audit.", DataWarning)
    return np.where(off, np.nan, y), audit


def _least(effort: NDArray[np.float64], rows: Rows) -> float:
    positive = effort[effort > 0]
    if not positive.size:
        raise DataError(f"effort is 0 at all visits of {rows.table.name}: nothing can be kept. Correct the effort.")
    return float(positive.min())


def _places(cells: NDArray[np.bool_], rows: Rows) -> pd.DataFrame:
    species, site, season, visit = np.nonzero(cells)
    names = np.array(rows.species or ("",), dtype=object)
    sites, seasons = (np.array(labels, dtype=object) for labels in (rows.frame.sites, rows.frame.grid.seasons))
    return pd.DataFrame({"species": names[species], "site": sites[site], "season": seasons[season], "visit": visit + 1})


def _audit(cells: NDArray[np.bool_], rows: Rows, action: str, reason: str) -> pd.DataFrame:
    places = _places(cells, rows)
    lines = [
        f"{f'species {species}, ' if species else ''}site {site}, season {season}, visit {visit}"
        for species, site, season, visit in zip(*(places[name] for name in places), strict=True)
    ]
    return pd.DataFrame({"source": rows.table.name, "line": lines, "action": action, "reason": reason})[AUDIT_COLUMNS]


def _seen_without_effort(seen: NDArray[np.bool_], y: NDArray[np.float64], rows: Rows) -> DataError:
    places = _places(seen, rows)
    first = places.iloc[0]
    more = f" ({len(places):,} visits in all)" if len(places) > 1 else ""
    return DataError(
        f"site '{first['site']}' has y = {y[seen][0]:g} on visit {first['visit']} of season '{first['season']}', where "
        f'effort is 0{more}. Correct the effort, or pass on_zero_effort="drop" or "keep".',
        offenders=places,
    )
