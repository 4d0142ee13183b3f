"""What a data manager should look at before a survey is analysed.

Each finder is a small function from the tables of a survey to problems; this module asks them all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from leopardpop.data import (
    survey_problems_animals,
    survey_problems_clock,
    survey_problems_effort,
    survey_problems_places,
)
from leopardpop.data.survey_problems_tables import LOOK, MUST, NOTE, Finder, Problem, Tables, tables_of
from leopardpop.errors import shortened

if TYPE_CHECKING:
    from leopardpop.data.survey import Survey

__all__ = ["COLUMNS", "SEVERITIES", "find_problems", "problems_by_kind"]

COLUMNS = list(Problem._fields)
SEVERITIES = (MUST, LOOK, NOTE)
FINDERS = (
    *survey_problems_animals.FINDERS[:1],  # without identities most of the rest does not matter
    *survey_problems_effort.FINDERS,
    *survey_problems_clock.FINDERS,
    *survey_problems_places.FINDERS,
    *survey_problems_animals.FINDERS[1:],
)


def problems_by_kind(survey: Survey, today: Any = None) -> list[tuple[str, Problem]]:
    """List problems, gravest first, each with the name of its finder.

    Parameters
    ----------
    survey
        The survey.
    today
        Time after which nothing can have been recorded; None: now.

    Returns
    -------
    list of tuple
        Kind and problem.
    """
    tables = tables_of(survey, today)
    found = [
        (find.__name__, _located(_of_a_page(problem), find, tables)) for find in FINDERS for problem in find(tables)
    ]
    return sorted(found, key=lambda each: SEVERITIES.index(each[1].severity))


def _of_a_page(problem: Problem) -> Problem:
    """Shorten what a cell without end was quoted in; `where` is a name that is looked up."""
    return problem._replace(found=shortened(problem.found), fix=shortened(problem.fix))


def _located(problem: Problem, find: Finder, tables: Tables) -> Problem:
    """Add the file and line of the deployment, or of that of a station whose place is wrong."""
    if problem.where.startswith("station ") and find not in survey_problems_places.FINDERS:
        return problem  # its records are the problem: they are named
    line = tables.lines.get(problem.where)
    return problem if line is None else problem._replace(where=f"{problem.where} ({line})")


def find_problems(survey: Survey, today: Any = None) -> pd.DataFrame:
    """List problems, gravest first: severity ("must fix", "should look", "note"), where, found, fix."""
    return pd.DataFrame([problem for _, problem in problems_by_kind(survey, today)], columns=COLUMNS)
