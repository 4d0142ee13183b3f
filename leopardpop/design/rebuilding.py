"""Designs from designs: some of the stations, or another effort, and no captures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from leopardpop.data.parts import SessionParts

if TYPE_CHECKING:
    from leopardpop.data.arrays import SessionArrays
    from leopardpop.data.history import CaptureHistory

__all__ = ["empty_part"]


def empty_part(history: CaptureHistory, session: str, *, rows: Any = None, effort: Any = None) -> SessionParts:
    """One session of a design without captures.

    Parameters
    ----------
    history
        The design.
    session
        Label of the session.
    rows
        Positions of the stations to keep; None: all.
    effort
        Effort in place of what there was, (K, S) of all stations; None: as it was.
    """
    data: SessionArrays = history.arrays(session)
    kept = np.arange(len(data.stations)) if rows is None else np.asarray(rows)
    return SessionParts(
        session=data.session,
        individuals=[],
        stations=[data.stations[k] for k in kept],
        xy=data.xy[kept],
        effort=(data.effort if effort is None else effort)[kept],
        individual=[],
        station=[],
        occasion=[],
        occasions=data.occasions,
        station_covariates=data.station_covariates.iloc[kept].reset_index(drop=True),
        occasion_covariates=data.occasion_covariates,
        visit_covariates={name: values[kept] for name, values in data.visit_covariates.items()},
    )
