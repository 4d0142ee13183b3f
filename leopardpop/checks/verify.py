"""Known answers, asked again: is this installation the one that was tested?"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from pathlib import Path

from leopardpop.checks.known.answer import Answer, Question
from leopardpop.checks.known.published import questions as published
from leopardpop.checks.known.written import questions as written
from leopardpop.checks.verification import Checked, Verification
from leopardpop.data.paths import path_of
from leopardpop.errors import DataError, LeopardpopError, LeopardpopWarning

__all__ = ["shared_folder", "verify"]

VARIABLE = "LEOPARDPOP_SHARED"
BESIDE = Path("..") / "shared"
FORESEEN = (LeopardpopError, OSError, LookupError, ValueError, ArithmeticError)


def verify(
    *,
    quick: bool = False,
    shared: str | os.PathLike[str] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Verification:
    """Ask for every known answer again, and set what comes out beside it.

    Some answers can be written out by hand: surveys so small that the likelihood is a formula, and posteriors by
    quadrature. Others were published with data whose licences do not let us ship them: they are read where they are,
    and told as not asked where they are not. Nothing is fetched.

    Parameters
    ----------
    quick
        Leave out everything that searches a maximum or runs chains.
    shared
        Folder with ``data/`` and ``reference/``; None: the one that the environment's ``LEOPARDPOP_SHARED`` names, or
        ``../shared`` if there is one.
    progress
        Called with the questions done and all of them.

    Returns
    -------
    Verification
        ``table()``, ``holds``; printed it says what differs.

    Raises
    ------
    DataError
        If a folder is named and does not hold ``data/``.

    Examples
    --------
    >>> import leopardpop as lp
    >>> found = lp.verify(quick=True, shared="")
    >>> found.holds, found.table()["verdict"].unique().tolist()
    (True, ['holds'])
    """
    folder = shared_folder(shared)
    asked = [*written(), *([] if folder is None else published(folder))]
    asked = [each for each in asked if each.in_quick or not quick]
    checked = []
    for done, question in enumerate(asked, start=1):
        checked.append(_answered(question, quick))
        if progress is not None:
            progress(done, len(asked))
    return Verification(tuple(checked), quick=quick, shared=folder is not None)


def shared_folder(given: str | os.PathLike[str] | None = None) -> Path | None:
    """Folder of published data: the one given, that of the environment, or ``../shared``; None if there is none.

    Parameters
    ----------
    given
        A folder; ``""``: none; None: look for it.

    Raises
    ------
    DataError
        If a folder is named and does not hold ``data/``.
    """
    if given == "":
        return None
    named = given if given is not None else os.environ.get(VARIABLE)
    folder = BESIDE if named is None else path_of(named, "shared", "the path of a folder")
    if (folder / "data").is_dir() and (folder / "reference").is_dir():
        return folder
    if named is not None:
        raise DataError(
            f"{folder} has no data/ and reference/ with published surveys: give the folder that has, or unset "
            f"{VARIABLE} to go without.",
            offenders=[str(folder)],
        )
    return None


def _answered(question: Question, quick: bool) -> Checked:
    """Answers of a question, or why there are none."""
    if question.needs is not None and not question.needs.exists():
        return Checked(question.source, question.name, (), f"not asked: {question.needs.name} is not there")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", LeopardpopWarning)  # of surveys that are known
            answers: tuple[Answer, ...] = tuple(question.ask(quick))
    except FORESEEN as error:
        return Checked(question.source, question.name, (), f"{type(error).__name__}: {error}", failed=True)
    return Checked(question.source, question.name, answers)
