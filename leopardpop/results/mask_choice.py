"""How wide and how fine a mask should be: from a fit, or from the history alone before there is one."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from leopardpop.data.history import CaptureHistory
from leopardpop.errors import DataError
from leopardpop.models.starts import recapture_spread
from leopardpop.priors import scale_prior
from leopardpop.results.data_checks import SAFE_SPACING
from leopardpop.results.draws import flat_draws
from leopardpop.results.mask_reach import posterior_scales, sufficient_buffer, two_figures_up

if TYPE_CHECKING:
    from leopardpop.models.problem import Problem
    from leopardpop.results.draws import HasDraws

__all__ = ["suggest_buffer", "suggest_spacing"]

SIGMAS = 4.0
"""Of a half-normal, beyond which nothing is detected."""
UPPER = 0.975
LARGEST_EFFECT = 0.01


def suggest_buffer(source: HasDraws | CaptureHistory, *, effect: float = LARGEST_EFFECT) -> float:
    """Buffer that is wide enough.

    Parameters
    ----------
    source
        A fit: the smallest buffer at which ground beyond it would change density by no more than ``effect``, with
        sigma of the widest class at its 97.5 % quantile, the detection function of the model and habitat everywhere.
        Or a capture history, before any fit: four times the upper 97.5 % limit of the sigma of a half-normal that the
        spread of recaptures gives (that of its prior where no animal was seen at two stations).
    effect
        Largest relative effect on density; for a fit.

    Returns
    -------
    float
        Metres, rounded up to two figures.

    Raises
    ------
    DataError
        If ``effect`` is not between 0 and 1, or ``source`` is neither.

    Examples
    --------
    >>> import pandas as pd
    >>> import leopardpop as lp
    >>> stations = pd.DataFrame({"station": list("ABC"), "x": [0, 2000, 4000], "y": [0, 0, 1000]})
    >>> seen = pd.DataFrame({"individual": ["F1"] * 6, "station": list("AABBAB"), "occasion": range(1, 7)})
    >>> lp.suggest_buffer(lp.CaptureHistory.from_tables(seen, stations))
    5500.0
    """
    if not 0 < effect < 1:
        raise DataError(f"effect={effect!r} must lie between 0 and 1: 0.01 is one per cent of density.")
    if isinstance(source, CaptureHistory):
        return two_figures_up(SIGMAS * _sigma(source, upper=True))
    problem = _problem_of(source)
    return two_figures_up(sufficient_buffer(problem, flat_draws(source), effect))


def suggest_spacing(source: HasDraws | CaptureHistory) -> float:
    """Spacing of cells that is fine enough: 0.6 sigma.

    Parameters
    ----------
    source
        A fit: sigma is the posterior median of the smallest class. Or a capture history: that of the spread of
        recaptures (the median of its prior where no animal was seen at two stations).

    Returns
    -------
    float
        Metres, rounded down to two figures.

    Raises
    ------
    DataError
        If ``source`` is neither.

    Examples
    --------
    >>> import pandas as pd
    >>> import leopardpop as lp
    >>> stations = pd.DataFrame({"station": list("ABC"), "x": [0, 2000, 4000], "y": [0, 0, 1000]})
    >>> seen = pd.DataFrame({"individual": ["F1"] * 6, "station": list("AABBAB"), "occasion": range(1, 7)})
    >>> lp.suggest_spacing(lp.CaptureHistory.from_tables(seen, stations))
    460.0
    """
    if isinstance(source, CaptureHistory):
        return -two_figures_up(-SAFE_SPACING * _sigma(source, upper=False))
    problem = _problem_of(source)
    eta = np.median(posterior_scales(problem, flat_draws(source)).smallest())
    return -two_figures_up(-SAFE_SPACING * float(problem.layout["sigma"].link.inverse(eta)) / problem.stretch)


def _problem_of(source: Any) -> Problem:
    if not hasattr(source, "problem") or not hasattr(source, "theta"):
        raise DataError(f"give a fit or a capture history, not a {type(source).__name__}.")
    problem: Problem = source.problem
    return problem


def _sigma(history: CaptureHistory, *, upper: bool) -> float:
    """Sigma of a half-normal from the spread of recaptures or, without any, from the stations."""
    from scipy.stats import chi2

    data = [history.arrays(session) for session in history.sessions]
    square, freedom = recapture_spread(data)
    if square <= 0:
        return float(scale_prior([each.xy for each in data]).quantile(UPPER if upper else 0.5))
    return math.sqrt(square / (chi2.ppf(1 - UPPER, freedom) if upper else freedom))
