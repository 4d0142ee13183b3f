"""Paths that a user gave."""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import Any

from leopardpop.errors import DataError

__all__ = ["path_of"]


def path_of(source: Any, name: str, what: str = "the path of a file") -> Path:
    """Return the path that an argument is.

    Parameters
    ----------
    source
        What the user gave.
    name
        The argument.
    what
        What it should be.

    Raises
    ------
    DataError
        If it is no path.

    Examples
    --------
    >>> path_of("captures.txt", "captures").name
    'captures.txt'
    """
    if not isinstance(source, (str, PathLike)) or not str(source) or "\x00" in str(source):
        found = repr(source) if isinstance(source, str) else f"a {type(source).__name__}"
        raise DataError(f"{name}= is {found}; {what} is needed.", offenders=[name])
    return Path(source)
