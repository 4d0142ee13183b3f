"""How density varies over the mask."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["LogLinear"]


@dataclass(frozen=True, kw_only=True)
class LogLinear:
    r"""Log-linear density of activity centres.

    .. math:: \log D(x) = X(x) \beta

    with D in animals per km².

    Parameters
    ----------
    D
        Formula over the covariates of the mask, its coordinates ``x`` and ``y`` (metres), the label ``session`` and
        the covariates of a session (columns of the stations table that are constant within each session).

    Examples
    --------
    >>> LogLinear(D="~ snow")
    LogLinear(D='~ snow')
    """

    D: str = "~ 1"
