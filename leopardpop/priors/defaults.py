"""Default priors, from the design of the survey alone: never from captures, never from the area of the mask.

The constants were checked on sixteen surveys from mice to snow leopards: all estimates lie within two prior sds.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from leopardpop.errors import PriorError
from leopardpop.priors.prior import Prior

__all__ = [
    "abundance_prior",
    "baseline_prior",
    "density_prior",
    "occupancy_prior",
    "occupancy_slope_prior",
    "random_sd_prior",
    "scale_prior",
    "shape_prior",
    "share_prior",
    "size_prior",
    "slope_prior",
]

_SLOPE_SD = {"D": 1.0, "lambda0": 0.7, "g0": 0.7, "sigma": 0.35, "z": 0.35}
_RANDOM_SD = {"D": 0.5, "lambda0": 0.5, "g0": 0.5, "sigma": 0.25, "z": 0.25, "size": 0.5}
_RARELY_SEEN = ("p", "p1", "p2", "r")
_OF_VISITS = ("p", "p1", "p2", "delta", "p10", "b", "r", "rate")
_SHARES_OF_THE_SEEN = ("breeding", "breeding_next", "delta", "b")


def scale_prior(xy: Sequence[ArrayLike]) -> Prior:
    """Prior of σ from where the stations are.

    With a a quarter of the median distance to the nearest station and b half the largest distance between two
    stations, log σ ~ N(½ log ab, max(0.75, log(b/a) / 3.92)): a survey can tell σ apart between a and b.

    Parameters
    ----------
    xy
        Station coordinates of each session in metres, (K, 2) each. Stations at the same place count once. Nearest
        distances of all sessions are pooled; the largest distance is within a session.

    Returns
    -------
    Prior
        LogNormal, metres.

    Raises
    ------
    PriorError
        If no session has three stations at different places.

    Examples
    --------
    >>> grid = np.stack(np.meshgrid([0, 1000, 2000], [0, 1000, 2000]), axis=-1).reshape(-1, 2)
    >>> round(scale_prior([grid]).quantile(0.5))
    595
    """
    sessions = [np.unique(np.asarray(places, float).reshape(-1, 2), axis=0) for places in xy]
    most = max((len(places) for places in sessions), default=0)
    if most < 3:
        raise PriorError(
            f"{most} station{'' if most == 1 else 's'} at different places say nothing about the scale of movement: "
            'three are needed for a default prior. Give one, such as priors={"sigma": lp.priors.from_range(2_000, '
            "8_000)} (metres)."
        )
    sessions = [places for places in sessions if len(places) > 1]
    a = float(np.median(np.concatenate([_nearest(places) for places in sessions]))) / 4
    b = max(_largest_distance(places) for places in sessions) / 2
    return Prior("LogNormal", mu=0.5 * math.log(a * b), sigma=max(0.75, math.log(b / a) / 3.92))


def _nearest(places: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the distance of each place to its nearest neighbour."""
    from scipy.spatial import KDTree

    distances, _ = KDTree(places).query(places, k=2)
    nearest: NDArray[np.float64] = distances[:, 1]
    return nearest


def _largest_distance(places: NDArray[np.float64]) -> float:
    """Return the largest distance between two places; both are corners of the convex hull."""
    from scipy.spatial import ConvexHull
    from scipy.spatial.distance import pdist

    centred = places - places.mean(axis=0)
    _, widths, axes = np.linalg.svd(centred, full_matrices=False)
    # Places on a line have no hull; the line's own coordinate is as good.
    if len(places) < 4 or widths[1] <= 1e-7 * widths[0]:
        corners = np.array([np.argmin(centred @ axes[0]), np.argmax(centred @ axes[0])])
        corners = corners if len(places) > 3 else np.arange(len(places))
    else:
        corners = ConvexHull(centred).vertices
    return float(pdist(centred[corners]).max())


def baseline_prior(mean_effort: float, *, probability: bool) -> Prior:
    """Prior of λ0 or g0 from the effort: an animal that lives at a station is seen there about once a survey.

    log(λ0 T̄) ~ N(0, 1.5) with T̄ the mean effort of a station that was ever on; for g0 the same of -log(1 - g0).

    Parameters
    ----------
    mean_effort
        T̄, in the unit of effort of the history, over the survey.
    probability
        Whether it is of g0.

    Returns
    -------
    Prior
        LogNormal of λ0 or CLogLogNormal of g0, per unit of effort.

    Raises
    ------
    PriorError
        Unless the mean effort is above 0.

    Examples
    --------
    >>> baseline_prior(80.0, probability=False).quantile(0.5).round(4)
    np.float64(0.0125)
    """
    if not 0 < mean_effort < math.inf:
        raise PriorError(f"the mean effort of a station is {mean_effort}: no station was ever on. Check the effort.")
    return Prior("CLogLogNormal" if probability else "LogNormal", mu=-math.log(mean_effort), sigma=1.5)


def density_prior(sigma_median_m: float) -> Prior:
    """Prior of the density from the prior of σ, since σ√D is close to universal.

    log D ~ N(log(0.4 / σ²), 1.5), with σ in km and D per km².

    Parameters
    ----------
    sigma_median_m
        Prior median of σ in metres.

    Returns
    -------
    Prior
        LogNormal, animals per km².

    Raises
    ------
    PriorError
        Unless σ is above 0.

    Examples
    --------
    >>> density_prior(5_000.0).quantile(0.5).round(4)
    np.float64(0.016)
    """
    if not 0 < sigma_median_m < math.inf:
        raise PriorError(f"the prior median of sigma is {sigma_median_m} m; it must be above 0.")
    return Prior("LogNormal", mu=math.log(0.4 / (sigma_median_m / 1000) ** 2), sigma=1.5)


def slope_prior(parameter: str) -> Prior:
    """Prior of a slope on the link scale: of a standardised covariate, or of a level against the reference.

    Parameters
    ----------
    parameter
        Parameter that the slope belongs to.

    Returns
    -------
    Prior
        Normal with sd 1 for D, 0.7 for lambda0 and g0, 0.35 for sigma and z, 0.5 for any other parameter.

    Examples
    --------
    >>> slope_prior("sigma")
    Prior("Normal", mu=0, sigma=0.35)
    """
    return Prior("Normal", mu=0.0, sigma=_SLOPE_SD.get(parameter, 0.5))


def response_prior(parameter: str) -> Prior:
    """Prior of what an earlier capture changes on the link scale, against naive animals.

    It is no covariate of the design: bait or fear may change the rate of detection tenfold (bears at hair traps:
    2.3 and 2.4 on the logit scale), where slopes of covariates hardly reach twofold.

    Parameters
    ----------
    parameter
        Parameter that the response belongs to.

    Returns
    -------
    Prior
        Normal with sd 1.5 for lambda0 and g0; that of slopes for the others.

    Examples
    --------
    >>> response_prior("g0")
    Prior("Normal", mu=0, sigma=1.5)
    """
    return Prior("Normal", mu=0.0, sigma=1.5) if parameter in {"lambda0", "g0"} else slope_prior(parameter)


def shape_prior() -> Prior:
    """Prior of z, the shape of the hazard rate λ0 (1 - exp(-(d/σ)^-z)).

    Far away the hazard falls like d^-z: with z below 2 an animal is detected from any distance and its density has no
    meaning. The median is 5, and 97 % lies above 2; published estimates lie between 3 and 10.

    Returns
    -------
    Prior

    Examples
    --------
    >>> shape_prior().quantile([0.025, 0.5, 0.975]).round(1)
    array([ 1.9,  5. , 13.3])
    """
    return Prior("LogNormal", mu=math.log(5.0), sigma=0.5)


def size_prior(mean_effort: float) -> Prior:
    """Prior of the size of negative-binomial counts of animals that are told apart, from the effort.

    log(size · T̄) ~ N(0, 1.5) with T̄ the mean effort of a station that was ever on: over the survey, an animal that is
    expected m times at a station is counted with variance m + m²; with the quantiles 0.05 and 19 for 1, m + 19 m² and
    m + 0.05 m², hardly more than a Poisson law's.

    Parameters
    ----------
    mean_effort
        T̄, in the unit of effort of the history, over the survey.

    Returns
    -------
    Prior
        LogNormal, per unit of effort.

    Raises
    ------
    PriorError
        Unless the mean effort is above 0.

    Examples
    --------
    >>> size_prior(80.0).quantile(0.5).round(4)
    np.float64(0.0125)
    """
    return baseline_prior(mean_effort, probability=False)


def share_prior(classes: int) -> Prior:
    """Prior of the shares of the classes.

    Parameters
    ----------
    classes
        Number of classes.

    Returns
    -------
    Prior
        Beta(2, 2) of the last of two classes; Dirichlet(2, 2, ...) of all of more than two.

    Raises
    ------
    PriorError
        With fewer than two classes.

    Examples
    --------
    >>> share_prior(3)
    Prior("Dirichlet", a=(2, 2, 2))
    """
    if classes < 2:
        raise PriorError(f"{classes} class has no share to estimate; there must be two at least.")
    return Prior("Beta", alpha=2, beta=2) if classes == 2 else Prior("Dirichlet", a=[2.0] * classes)


def occupancy_prior(parameter: str) -> Prior:
    """Prior of a probability of an occupancy model at the reference of its covariates, whatever the link.

    Parameters
    ----------
    parameter
        ``"psi"``, ``"gamma"``, ``"epsilon"``, ``"psi_next"``: logit ~ N(0, 1.5). ``"p"``, ``"p1"``, ``"p2"``,
        ``"r"``: logit ~ N(-1, 1.5). ``"p10"``: logit ~ N(-3, 1.5), since mistakes are rare.
        ``"breeding"``, ``"breeding_next"``, ``"delta"``, ``"b"``: Beta(2, 2).

    Returns
    -------
    Prior

    Examples
    --------
    >>> occupancy_prior("p")
    Prior("LogitNormal", mu=-1, sigma=1.5)
    """
    if parameter in _SHARES_OF_THE_SEEN:
        return Prior("Beta", alpha=2, beta=2)
    centre = -3.0 if parameter == "p10" else -1.0 if parameter in _RARELY_SEEN else 0.0
    return Prior("LogitNormal", mu=centre, sigma=1.5)


def abundance_prior(parameter: str, effort: float = 1.0) -> Prior:
    """Prior of a mean of a model of sites at the reference of its covariates.

    Parameters
    ----------
    parameter
        ``"abundance"`` (animals at a site): log ~ N(0, 1.5). ``"size"`` of a negative binomial: log ~ N(0, 1.5).
        ``"rate"``: log of the rate over a visit of mean effort ~ N(0, 1.5).
    effort
        Mean effort of a visit.

    Returns
    -------
    Prior
        LogNormal.

    Examples
    --------
    >>> abundance_prior("abundance")
    Prior("LogNormal", mu=0, sigma=1.5)
    """
    return Prior("LogNormal", mu=-math.log(effort) if parameter == "rate" else 0.0, sigma=1.5)


def occupancy_slope_prior(slopes: int, *, of_state: bool = False) -> Prior:
    """Prior of a slope of an occupancy model on the link scale: of a standardised covariate, or of a level.

    Parameters
    ----------
    slopes
        Number of slopes of the same parameter: with many, each is taken to be smaller.
    of_state
        Whether it is the difference between two states of a site the season before. Persistence is nothing like
        colonisation, so that this one is wider.

    Returns
    -------
    Prior
        Normal with sd 1 up to four slopes, 2/√slopes beyond; sd 2 for a state.

    Examples
    --------
    >>> occupancy_slope_prior(2), occupancy_slope_prior(16)
    (Prior("Normal", mu=0, sigma=1), Prior("Normal", mu=0, sigma=0.5))
    """
    if of_state:
        return Prior("Normal", mu=0.0, sigma=2.0)
    return Prior("Normal", mu=0.0, sigma=1.0 if slopes <= 4 else 2.0 / math.sqrt(slopes))


def random_sd_prior(parameter: str, scale: float = 1.0) -> Prior:
    """Prior of the sd of a random effect, on the link scale.

    Parameters
    ----------
    parameter
        What the effect acts on: 0.25 for ``"sigma"``; 0.5 for ``"D"`` and what is said of the visits of sites or of
        detection, ``"lambda0"``, ``"g0"``, ``"p"``, ``"delta"``; 1 for what sites are used for.
    scale
        Standard deviation of the covariate whose slope differs between groups: the sd is then per unit of it.

    Returns
    -------
    Prior
        HalfNormal.

    Examples
    --------
    >>> random_sd_prior("psi"), random_sd_prior("p", scale=10.0), random_sd_prior("sigma")
    (Prior("HalfNormal", sigma=1), Prior("HalfNormal", sigma=0.05), Prior("HalfNormal", sigma=0.25))
    """
    usual = _RANDOM_SD.get(parameter, 0.5 if parameter in _OF_VISITS else 1.0)
    return Prior("HalfNormal", sigma=usual / scale)
