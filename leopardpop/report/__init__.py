"""Reports: a fit in words that are true of it, as one page, and the references of what it used."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Literal

__all__ = ["cite", "write_report"]


def write_report(
    fit: Any, path: str | os.PathLike[str], coordinates: Literal["hidden", "exact"] = "hidden", **options: Any
) -> Path:
    """Write a report of a fit.

    Parameters
    ----------
    fit
        The fit.
    path
        File to write, ``.html`` or ``.md``.
    coordinates
        "hidden": no position of a camera or an animal can be read from it; "exact".
    **options
        title, note, claim, truth, regions, by, decline, checks and sensitivity, as for
        :func:`leopardpop.report.write.write_report`.

    Returns
    -------
    pathlib.Path
        The file.
    """
    from leopardpop.report.write import write_report as write

    return write(fit, path, coordinates, **options)


def cite(fit: Any) -> str:
    """References of the software and methods that made a fit, as BibTeX.

    Parameters
    ----------
    fit
        The fit.

    Returns
    -------
    str
        Entries: PyMC and NUTS only where they were used.
    """
    from leopardpop.report.citations import bibtex

    return bibtex(fit)
