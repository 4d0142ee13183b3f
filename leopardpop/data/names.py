"""Help with a name that does not exist: the nearest one that does."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from leopardpop.words import counted

__all__ = ["counted", "did_you_mean", "listed", "nearest"]

LONGEST = 200
"""Letters of a name that are told."""


def nearest(name: str, names: Iterable[str]) -> str | None:
    """Return the name most like another, ignoring case; ``None`` if none is alike."""
    by_lower = {candidate.lower(): candidate for candidate in names}
    found = get_close_matches(name.lower(), by_lower, n=1, cutoff=0.5)
    return by_lower[found[0]] if found else None


def did_you_mean(name: str, names: Iterable[str]) -> str:
    """Return " Did you mean 'x'?", or nothing if no name is alike."""
    found = nearest(name, names)
    return f" Did you mean '{found}'?" if found is not None else ""


def listed(names: Iterable[str], most: int = 8) -> str:
    """Return names in quotes, separated by commas, cut after some."""
    every = list(names)
    told = [name if len(name) <= LONGEST else f"{name[:LONGEST]}…" for name in map(str, every[:most])]
    words = ", ".join(f"'{name}'" for name in told)
    return f"{words}, … ({len(every)} in all)" if len(every) > most else words or "none"
