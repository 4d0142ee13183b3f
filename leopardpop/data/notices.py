"""Warnings that point at the line of the user's code which caused them."""

from __future__ import annotations

import warnings
from pathlib import Path

from leopardpop.errors import LeopardpopWarning, shortened

__all__ = ["notice"]

_PACKAGE = (str(Path(__file__).resolve().parents[1]),)


def notice(message: str, category: type[LeopardpopWarning]) -> None:
    """Warn, as if from the first line outside the package.

    Parameters
    ----------
    message
        What the user should know.
    category
        Class of the warning.
    """
    warnings.warn(shortened(message), category, stacklevel=2, skip_file_prefixes=_PACKAGE)
