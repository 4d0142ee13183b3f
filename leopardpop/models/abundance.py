"""How many animals are at each site, without telling them apart: from detections, and from counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from leopardpop.components.formula_syntax import nearest
from leopardpop.errors import ModelError
from leopardpop.models.occupancy_model import OccupancyModel
from leopardpop.models.states.structure import COUNTS, NMIXTURE, NMIXTURE_NEGBIN, ROYLE_NICHOLS, Structure

__all__ = ["CountOccupancy", "NMixture", "RoyleNichols"]

DISTRIBUTIONS = ("poisson", "negbin")


@dataclass(frozen=True, kw_only=True)
class RoyleNichols(OccupancyModel):
    r"""Occupancy where sites with more animals are seen more often: the model of Royle and Nichols.

    A site has n ~ Poisson(λ) animals (``abundance``). A visit sees each with probability r, and the species if it sees
    any of them:

    .. math::  p = 1 - (1 - r)^n, \qquad \psi = \Pr(n > 0) = 1 - e^{-\lambda}.

    That λ counts animals rests on animals being seen independently of each other, and on n being Poisson and the only
    reason for sites to differ in p. Otherwise it is an index of what makes sites differ.

    Parameters
    ----------
    abundance
        Formula of λ over covariates of sites; its link is the log.
    r
        Formula of r over covariates of visits and sites.
    link
        Link of r: ``"logit"``, ``"probit"`` or ``"cloglog"``.
    priors
        By parameter or coefficient. Defaults: log λ ~ N(0, 1.5), logit r ~ N(−1, 1.5), slopes N(0, 1).

    References
    ----------
    Royle & Nichols (2003) Estimating abundance from repeated presence-absence data or point counts. Ecology 84,
    777-790. doi:10.1890/0012-9658(2003)084[0777:EAFRPA]2.0.CO;2

    Examples
    --------
    >>> import leopardpop as lp
    >>> history = lp.DetectionHistory.from_tables([[0, 1, 1], [0, 0, 0]])
    >>> round(RoyleNichols().log_likelihood(history, parameters={"abundance": 1.0, "r": 0.3}), 4)
    -3.5003
    """

    abundance: str = "~ 1"
    r: str = "~ 1"

    @property
    def structure(self) -> Structure:
        """What is hidden and what visits tell of it."""
        return ROYLE_NICHOLS


@dataclass(frozen=True, kw_only=True)
class NMixture(OccupancyModel):
    r"""Number of animals at sites from repeated counts: the N-mixture model.

    A site has n animals, Poisson or negative binomial with mean λ (``abundance``); each visit counts each of them with
    probability p, so that y ~ Binomial(n, p).

    Use it only where an animal cannot be counted twice on a visit, and nothing else is counted for it: a few double
    counts raise λ without limit. Photographs of one animal that walks past a camera again and again are such counts.
    Often the counts tell the product λp and hardly λ: ``fit.diagnostics()`` prints both.

    Parameters
    ----------
    abundance
        Formula of λ over covariates of sites; its link is the log.
    p
        Formula of p over covariates of visits and sites.
    distribution
        Of n: ``"poisson"``, or ``"negbin"`` with variance λ + λ²/size.
    size
        Formula of the size of the negative binomial; its link is the log. The Poisson law has no size.
    link
        Link of p: ``"logit"``, ``"probit"`` or ``"cloglog"``.
    priors
        By parameter or coefficient. Defaults: log λ, log size ~ N(0, 1.5), logit p ~ N(−1, 1.5), slopes N(0, 1).

    References
    ----------
    Royle (2004) N-mixture models for estimating population size from spatially replicated counts. Biometrics 60,
    108-115. doi:10.1111/j.0006-341X.2004.00142.x

    Barker et al. (2018) On the reliability of N-mixture models for count data. Biometrics 74, 369-377.
    doi:10.1111/biom.12734

    Examples
    --------
    >>> import leopardpop as lp
    >>> history = lp.DetectionHistory.from_tables([[2, 1, 2], [0, 0, 1]], response="count")
    >>> round(NMixture().log_likelihood(history, parameters={"abundance": 2.0, "p": 0.5}), 4)
    -6.9638
    """

    abundance: str = "~ 1"
    p: str = "~ 1"
    distribution: Literal["poisson", "negbin"] = "poisson"
    size: str = "~ 1"

    def __post_init__(self) -> None:
        """Check what can be checked without data."""
        if self.distribution not in DISTRIBUTIONS:
            raise ModelError(
                f"distribution={self.distribution!r}: it is one of {', '.join(DISTRIBUTIONS)}."
                f"{nearest(str(self.distribution), DISTRIBUTIONS)}",
                offenders=[self.distribution],
            )
        super().__post_init__()
        if self.distribution == "poisson" and self.size != "~ 1":
            raise ModelError(
                f'size={self.size!r}: a Poisson law has no size. Give distribution="negbin", or leave it out.'
            )

    @property
    def structure(self) -> Structure:
        """What is hidden and what visits tell of it."""
        return NMIXTURE if self.distribution == "poisson" else NMIXTURE_NEGBIN


@dataclass(frozen=True, kw_only=True)
class CountOccupancy(OccupancyModel):
    r"""Occupancy from counts: how often the species passes where it is, beside where it is.

    A site is used with probability ψ. At a used site a visit of effort T counts y ~ Poisson(rate · T); at another, 0.
    Effort is the history's; without any it is 1 a visit. Counts are of events, such as independent photographs, and
    not of animals.

    Parameters
    ----------
    psi
        Formula of ψ over covariates of sites.
    rate
        Formula of the rate per unit of effort, over covariates of visits and sites; its link is the log.
    link
        Link of ψ: ``"logit"``, ``"probit"`` or ``"cloglog"``.
    priors
        By parameter or coefficient. Defaults: logit ψ ~ N(0, 1.5), log of the rate over a visit of mean effort
        ~ N(0, 1.5), slopes N(0, 1).

    Examples
    --------
    >>> import leopardpop as lp
    >>> history = lp.DetectionHistory.from_tables([[2, 0], [0, 0]], response="count")
    >>> round(CountOccupancy().log_likelihood(history, parameters={"psi": 0.5, "rate": 1.0}), 4)
    -3.9525
    """

    psi: str = "~ 1"
    rate: str = "~ 1"

    @property
    def structure(self) -> Structure:
        """What is hidden and what visits tell of it."""
        return COUNTS
