"""How long occasions should be: short ones make a large table, which costs time and says hardly more."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

from leopardpop.data.survey_problems_tables import NOTE, Problem
from leopardpop.words import whole

if TYPE_CHECKING:
    from leopardpop.data.survey import Survey

__all__ = ["occasion_note", "occasion_problem", "suggested_occasion"]

LENGTHS = (7, 14, 28)
"""Days of an occasion that are suggested, the shortest that will do."""
MOST_CELLS = 50_000
"""Stations × occasions from which a table is large."""


def suggested_occasion(n_stations: int, days: float) -> int:
    """Suggest the days of an occasion: a week, or more where that makes a large table.

    Examples
    --------
    >>> suggested_occasion(120, 90), suggested_occasion(2_000, 300), suggested_occasion(9_000, 900)
    (7, 14, 28)
    """
    return next((each for each in LENGTHS if n_stations * days / each <= MOST_CELLS), LENGTHS[-1])


def occasion_note(survey: Survey) -> str:
    """Say how large the table of a survey becomes by the length of its occasions; nothing if it is small by days."""
    n, days = len(survey.stations), _days(survey)
    if n * days <= MOST_CELLS:
        return ""
    long = suggested_occasion(n, days)
    sizes = f"{whole(n)} stations × {whole(days)} days are {whole(n * days)} cells"
    return f'{sizes}: with occasion = "{long}D" {whole(n * days / long)}'


def occasion_problem(survey: Survey | None, shape: tuple[int, ...]) -> list[Problem]:
    """Say that a history has needlessly short occasions.

    Parameters
    ----------
    survey
        That it was made from; None says nothing, since the tables then have the occasions.
    shape
        Of the effort: stations (of all sessions) or sites [, seasons], then occasions.

    Returns
    -------
    list of Problem
        One note, or none.
    """
    cells = prod(shape)
    if survey is None or cells <= MOST_CELLS:
        return []
    n, days = len(survey.stations), _days(survey)
    long = suggested_occasion(n, days)
    better = n * days / long
    if cells <= 2 * better:
        return []
    found = f"{whole(cells // shape[-1])} × {whole(shape[-1])} occasions are a table of {whole(cells)} cells"
    fix = f'occasion = "{long}D" makes about {whole(better)}: every fit is faster, and hardly less is known'
    return [Problem(NOTE, "occasion", found, fix)]


def _days(survey: Survey) -> float:
    """From the first start to the last end."""
    start, end = survey.deployments["start"], survey.deployments["end"]
    return float((end.max() - start.min()).total_seconds() / 86_400) if len(start) else 0.0
