"""Plain options: a word out of a few, checked in one place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from leopardpop.data.names import did_you_mean, listed
from leopardpop.errors import DataError

__all__ = ["check_choices"]


def check_choices(options: Any, choices: Mapping[str, tuple[str | None, ...]]) -> None:
    """Check that options have values that they can have.

    Parameters
    ----------
    options
        An object with an attribute for each option.
    choices
        Name of an option -> its values; None among them is a default.

    Raises
    ------
    DataError
        Naming the option, what was found, and the nearest word.
    """
    for name, allowed in choices.items():
        value = getattr(options, name)
        if not isinstance(value, str | None) or value not in allowed:
            words = [choice for choice in allowed if choice is not None]
            default = "None or " if None in allowed else ""
            hint = did_you_mean(str(value), words)
            raise DataError(f"{name}={value!r} must be {default}one of {listed(words)}.{hint}", offenders=[value])


def one_or_several(given: Any) -> list[Any]:
    """What an argument holds that is one thing, a list or tuple of them, or None for nothing.

    Examples
    --------
    >>> one_or_several("a.csv"), one_or_several(("a.csv", "b.csv")), one_or_several(None)
    (['a.csv'], ['a.csv', 'b.csv'], [])
    """
    return [] if given is None else list(given) if isinstance(given, list | tuple) else [given]
