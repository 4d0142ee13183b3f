"""Priors: records of distributions, sets of them by parameter, the literature's, and defaults from the design.

For example:

>>> import leopardpop as lp
>>> priors = lp.priors.big_cats() | {"sigma[sex[M]]": lp.Prior("Normal", mu=0.3, sigma=0.2)}
>>> model = lp.SCR(detection=lp.HalfNormal(sigma="~ sex"), classes="sex", priors=priors)
"""

from leopardpop.priors.defaults import (
    abundance_prior,
    baseline_prior,
    density_prior,
    occupancy_prior,
    occupancy_slope_prior,
    random_sd_prior,
    response_prior,
    scale_prior,
    shape_prior,
    share_prior,
    size_prior,
    slope_prior,
)
from leopardpop.priors.presets import big_cats
from leopardpop.priors.prior import Prior, from_range, is_prior
from leopardpop.priors.prior_set import PriorSet
from leopardpop.priors.spatial import length_scale_prior, length_scale_range, surface_sd_prior

__all__ = [
    "Prior",
    "PriorSet",
    "abundance_prior",
    "baseline_prior",
    "big_cats",
    "density_prior",
    "from_range",
    "is_prior",
    "length_scale_prior",
    "length_scale_range",
    "occupancy_prior",
    "occupancy_slope_prior",
    "random_sd_prior",
    "response_prior",
    "scale_prior",
    "shape_prior",
    "share_prior",
    "size_prior",
    "slope_prior",
    "surface_sd_prior",
]
