"""Priors from the literature."""

from __future__ import annotations

import math

from leopardpop.priors.prior import Prior
from leopardpop.priors.prior_set import PriorSet

__all__ = ["big_cats"]


def big_cats() -> PriorSet:
    """Priors for leopards, tigers, jaguars, snow leopards and pumas at camera stations.

    Medians and spreads of published spatial capture-recapture studies: σ 4.5 km (log sd 0.5), λ0 0.02 per day (0.8),
    density 1.5 per 100 km² (1.2), males' σ e^0.35 and λ0 e^0.2 times the females'. The share of the last class,
    males where the classes are F and M, is Beta(5, 6): about six females to five males. λ0 and g0 are per day and
    are converted to the unit of effort of the history. What a model does not have is ignored.

    Returns
    -------
    PriorSet
        Keys sigma [m], lambda0 and g0 [per day], D [per km²], sigma[sex[M]], lambda0[sex[M]], g0[sex[M]], pmix.

    Examples
    --------
    >>> big_cats()["sigma"].quantile(0.5).round()
    np.float64(4500.0)
    """
    per_day = {"mu": math.log(0.02), "sigma": 0.8}
    males_detected = Prior("Normal", mu=0.2, sigma=0.4)
    priors = {
        "sigma": Prior("LogNormal", mu=math.log(4500), sigma=0.5),
        "lambda0": Prior("LogNormal", **per_day),
        "g0": Prior("CLogLogNormal", **per_day),
        "D": Prior("LogNormal", mu=math.log(1.5 / 100), sigma=1.2),
        "sigma[sex[M]]": Prior("Normal", mu=0.35, sigma=0.3),
        "lambda0[sex[M]]": males_detected,
        "g0[sex[M]]": males_detected,
        # Beta(6, 5) is of the females' share; pmix is that of the last class, in alphabetical order the males.
        "pmix": Prior("Beta", alpha=5, beta=6),
    }
    return PriorSet(priors, effort_unit="day", optional=priors)
