"""Everything that leopardpop raises or warns about, as one tree.

An error says what is wrong, where, what was found and what to do; the offending rows are its
``offenders``. A warning never changes a result: turn any class into an error with
:func:`warnings.simplefilter`.

For example:

>>> import leopardpop as lp
>>> try:
...     lp.SCR(density=1)
... except lp.errors.ModelError as error:
...     print(error)
density=1: give a formula such as "~ snow", or lp.LogLinear(D=...)
"""

from __future__ import annotations

from typing import Any

__all__ = [
    "BufferWarning",
    "ConvergenceWarning",
    "DataError",
    "DataWarning",
    "FitError",
    "LeopardpopError",
    "LeopardpopWarning",
    "ModelError",
    "PriorError",
    "PriorWarning",
    "ProjectionWarning",
    "SpacingWarning",
    "SparseDataWarning",
]


LONGEST, KEPT = 6_000, 2_000
"""Letters of a message, and of its beginning and end if it is longer: a cell of a file may have millions."""


def shortened(text: str) -> str:
    """Leave the middle out of a text that no one would read to its end."""
    return text if len(text) <= LONGEST else f"{text[:KEPT]} … {text[-KEPT:]}"


class LeopardpopError(Exception):
    """Base of every error raised by leopardpop.

    Parameters
    ----------
    message
        What is wrong, where, what was found, what to do.
    offenders
        The rows or labels at fault (a list or a DataFrame), for a script to look at.
    """

    def __init__(self, message: str, *, offenders: Any = None) -> None:
        super().__init__(shortened(message))
        self.offenders = offenders


class DataError(LeopardpopError, ValueError):
    """The data contradict themselves or cannot be read."""


class ModelError(LeopardpopError, ValueError):
    """The model cannot be built: a formula, a component or a combination of them is wrong."""


class PriorError(ModelError):
    """A prior is wrong: an unknown name, a wrong unit of effort, an impossible parameter."""


class FitError(LeopardpopError, RuntimeError):
    """The computation failed: no mode, no valid draw, a certificate that cannot be had."""


class LeopardpopWarning(UserWarning):
    """Base of every warning issued by leopardpop."""


class DataWarning(LeopardpopWarning):
    """Records were merged, dropped or look wrong; the audit has the rows."""


class ProjectionWarning(LeopardpopWarning):
    """Coordinates were projected to another coordinate reference system."""


class BufferWarning(LeopardpopWarning):
    """The mask ends too close to the stations: density is biased."""


class SpacingWarning(LeopardpopWarning):
    """The cells of the mask are too coarse for the scale of movement."""


class SparseDataWarning(LeopardpopWarning):
    """Too few animals or spatial recaptures to learn much from the data."""


class PriorWarning(LeopardpopWarning):
    """The prior, not the data, decides a result."""


class ConvergenceWarning(LeopardpopWarning):
    """The posterior was not computed well enough to be trusted."""
