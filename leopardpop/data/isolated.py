"""Stations so far from all others that a coordinate is probably mistyped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leopardpop.data.notices import notice
from leopardpop.data.survey_problems_places import nearest_distances, outliers
from leopardpop.errors import DataWarning
from leopardpop.words import counted, length

if TYPE_CHECKING:
    from leopardpop.data.design import Design
    from leopardpop.data.tables import Table

__all__ = ["warn_of_isolated"]

SHOWN = 3


def warn_of_isolated(design: Design, stations: Table) -> None:
    """Warn of stations far from all others of their session, with the place in the file.

    Parameters
    ----------
    design
        Sessions and places of the stations.
    stations
        The table that they come from, in the same order.

    Warns
    -----
    DataWarning
        If a station's nearest one is farther than 25 km and than 20 times the median of these distances.
    """
    told = []
    for code in range(len(design.sessions)):
        rows = design.rows(code)
        own = nearest_distances(design.xy[rows])
        far = outliers(design.xy[rows])
        told += [f"'{design.station_label(code, i)}' ({stations.where(int(rows[i]))}: {length(own[i])})" for i in far]
    if told:
        more = f" and {len(told) - SHOWN} more" if len(told) > SHOWN else ""
        notice(
            f"{counted(len(told), 'station')} far from all others, with the distance to the nearest: "
            f"{', '.join(told[:SHOWN])}{more}. A mistyped coordinate? Correct it, or make a survey of its own.",
            DataWarning,
        )
