"""A table of occasions: their labels in order, and what is known of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from os import PathLike
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from leopardpop.data.design import session_codes
from leopardpop.data.names import listed
from leopardpop.data.parts import SessionParts
from leopardpop.errors import DataError
from leopardpop.words import counted

if TYPE_CHECKING:
    from leopardpop.data.occasion_labels import OccasionOption
    from leopardpop.data.tables import Table

__all__ = ["is_occasion_table", "occasion_option", "with_occasion_covariates"]


def is_occasion_table(occasions: Any) -> bool:
    """Whether ``occasions=`` is a table, or one for each session, and not a number or labels."""
    each = list(occasions.values()) if isinstance(occasions, Mapping) else [occasions]
    return any(isinstance(one, pd.DataFrame | PathLike) or (isinstance(one, str) and "." in one) for one in each)


def occasion_option(table: Table) -> OccasionOption:
    """Return the labels of the occasions as ``occasions=`` takes them: for all sessions, or by session.

    Raises
    ------
    DataError
        If an occasion of a session is there twice.
    """
    occasions = table.labels("occasion")
    labels = occasions.names[occasions.codes]
    sessions = table.labels("session") if "session" in table else None
    session = sessions.names[sessions.codes] if sessions else np.full(len(labels), "", object)
    twice = pd.DataFrame({"session": session, "occasion": labels}).duplicated(keep=False).to_numpy()
    if twice.any():
        raise table.fail(twice, f"occasion '{labels[twice.argmax()]}' is given more than once", "Keep one row.")
    if sessions is None:
        return list(labels)
    return {name: list(labels[session == name]) for name in sessions.names}


def with_occasion_covariates(parts: Sequence[SessionParts], table: Table) -> list[SessionParts]:
    """Add the covariates of a table to its sessions: by label, or in order where the effort table has other labels.

    Raises
    ------
    DataError
        If a session has another number of occasions than rows.
    """
    sessions = [part.session for part in parts]
    codes = session_codes(table, sessions) if "session" in table else None
    covariates = table.covariates(["occasion", "session"])
    occasions = table.labels("occasion")
    labels = occasions.names[occasions.codes]
    result = []
    for code, part in enumerate(parts):
        rows = np.arange(len(table)) if codes is None else np.flatnonzero(codes == code)
        order = _order(labels[rows].tolist(), list(part.occasions or ()), part.session, table.name)
        result.append(replace(part, occasion_covariates=covariates.iloc[rows[order]].reset_index(drop=True)))
    return result


def _order(labels: list[str], occasions: list[str], session: str, name: str) -> list[int]:
    if set(labels) == set(occasions):
        return [labels.index(occasion) for occasion in occasions]
    if len(labels) == len(occasions):
        return list(range(len(labels)))
    raise DataError(
        f"{name} has {counted(len(labels), 'occasion')} ({listed(labels)}) and session '{session}' {len(occasions)} "
        f"({listed(occasions)}). Give each of them one row, and a column 'session' if they differ."
    )
