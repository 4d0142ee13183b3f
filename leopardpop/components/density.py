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
        Formula over the covariates of the mask, its coordinates ``x`` and ``y`` (km east and north of the middle of the
        mask), the label ``session`` and the covariates of a session (columns of the stations table that are constant
        within each session). Polynomials are ``x + I(x**2)`` or ``poly(x, 2)``, splines ``bs(x, df=4)``.
        Random effects are ``(1 | session)`` or ``(1 | valley)``, of a covariate of the mask that names groups;
        ``gp(x, y)`` is a smooth surface over the mask, the same in all sessions.

    Examples
    --------
    >>> LogLinear(D="~ snow")
    LogLinear(D='~ snow')
    """

    D: str = "~ 1"
