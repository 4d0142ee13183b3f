"""One number that is known beforehand, and what this library says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Answer", "Question", "near"]


@dataclass(frozen=True)
class Answer:
    """A number that is known, beside the one that was found.

    Parameters
    ----------
    what
        What the number is.
    expected, found
        The known number, and this library's.
    below, above
        How much less and more may be found.
    """

    what: str
    expected: float
    found: float
    below: float
    above: float

    @property
    def difference(self) -> float:
        """Found less expected."""
        return self.found - self.expected

    @property
    def holds(self) -> bool:
        """Whether the difference is within the tolerance; never where a number is missing."""
        return bool(-self.below <= self.difference <= self.above)


def near(what: str, expected: float, found: float, tolerance: float) -> Answer:
    """An answer with the same tolerance on both sides.

    Parameters
    ----------
    what, expected, found
        As of :class:`Answer`.
    tolerance
        Greatest difference.

    Examples
    --------
    >>> near("one", 1.0, 1.001, 0.01).holds, near("one", 1.0, float("nan"), 0.01).holds
    (True, False)
    """
    return Answer(what, float(expected), float(found), tolerance, tolerance)


@dataclass(frozen=True)
class Question:
    """Something that has known answers.

    Parameters
    ----------
    source
        Where the answers come from: ``"written out"``, ``"secr"`` ...
    name
        Which survey and which model.
    ask
        Computes the answers; ``quick``: those that take no search.
    needs
        What must be there to compute them; None: nothing.
    in_quick
        Whether it is asked in a quick run.
    """

    source: str
    name: str
    ask: Callable[[bool], list[Answer]]
    needs: Path | None = None
    in_quick: bool = True
