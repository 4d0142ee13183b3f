"""``lp.design.report``: a plan as a page."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

__all__ = ["report"]


def report(
    path: str | os.PathLike[str],
    *results: Any,
    assumed: Mapping[str, Any] | None = None,
    coordinates: Literal["hidden", "exact"] = "hidden",
    title: str | None = None,
    note: str | None = None,
) -> Path:
    """Write a report of a plan, for those who decide about it.

    Parameters
    ----------
    path
        File to write: ``.html`` (one page that needs nothing else) or ``.md`` (figures in a folder beside it). One that
        exists is replaced.
    *results
        What :func:`expected`, :func:`layout`, :func:`study`, :func:`power`, :func:`site_precision` and
        :func:`more_occasions` returned, as many of each as there are; the order does not matter.
    assumed
        What they were asked with, to be told first.
    coordinates
        "hidden": no maps, for stations can be found by them; "exact".
    title
        Title; None: the question that a plan answers.
    note
        Text at the beginning.

    Returns
    -------
    pathlib.Path
        The file.

    Raises
    ------
    ModelError
        If there is no result of planning, one is something else, or the ending of the file is another.

    Examples
    --------
    >>> import tempfile
    >>> import leopardpop as lp
    >>> plan = lp.design.site_precision(
    ...     lp.Occupancy(), sites=(60, 120), visits_per_season=(4, 8), parameters={"psi": 0.6, "p": 0.3}
    ... )
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     lp.design.report(f"{folder}/plan.html", plan, assumed={"psi": 0.6, "p": 0.3}).name
    'plan.html'
    """
    from leopardpop.report.plan import write_plan

    return write_plan(path, *results, assumed=assumed, coordinates=coordinates, title=title, note=note)
