"""Occupancy where another species may be taken for the one that is looked for."""

from __future__ import annotations

from dataclasses import dataclass

from leopardpop.errors import ModelError
from leopardpop.models.occupancy_model import OccupancyModel
from leopardpop.models.states.structure import FALSE_POSITIVE, FALSE_POSITIVE_CONFIRMED, Structure

__all__ = ["FalsePositiveOccupancy"]


@dataclass(frozen=True, kw_only=True)
class FalsePositiveOccupancy(OccupancyModel):
    r"""Occupancy of sites in one closed season, where some detections are mistakes.

    A visit to a used site sees the species truly with probability p. Whether or not the site is used, a visit that has
    not seen it takes something else for it with probability p10. So a detection has probability

    .. math::  p_{10} \text{ at a site that is not used}, \qquad p_{11} = p + (1 - p)\,p_{10} \text{ at a used one},

    and p10 < p11 by construction. Without that, the likelihood is the same with used and unused sites exchanged.

    Certain detections tell p and p10 apart far better than that inequality. They come in two ways, or in both: as
    visits by a method that makes no mistakes (``certain``), or as detections that were confirmed afterwards (``b``).

    Parameters
    ----------
    psi
        Formula of ψ over covariates of sites.
    p
        Formula of p, the probability of a true detection.
    p10
        Formula of p10.
    b
        Formula of the probability that a true detection is confirmed; the history then has ``response="state"``: 0
        nothing, 1 an unconfirmed detection, 2 a confirmed one, which is never a mistake. None: ``response="binary"``.
    certain
        Covariate of visits, 1 where the method makes no mistakes (and every detection is confirmed), 0 elsewhere.
    link
        Link of all of them: ``"logit"``, ``"probit"`` or ``"cloglog"``.
    priors
        By parameter or coefficient. Defaults: logit ψ ~ N(0, 1.5), logit p ~ N(−1, 1.5), logit p10 ~ N(−3, 1.5),
        b Beta(2, 2), slopes N(0, 1).

    References
    ----------
    Royle & Link (2006) Generalized site occupancy models allowing for false positive and false negative errors. Ecology
    87, 835-841. doi:10.1890/0012-9658(2006)87[835:GSOMAF]2.0.CO;2

    Miller et al. (2011) Improving occupancy estimation when two types of observational error occur: non-detection and
    species misidentification. Ecology 92, 1422-1428. doi:10.1890/10-1396.1

    Examples
    --------
    >>> import numpy as np
    >>> import leopardpop as lp
    >>> looked = np.ones((80, 6))
    >>> design = lp.DetectionHistory.from_tables(looked, visit_covariates={"dna": looked * [1, 0, 0, 0, 0, 0]})
    >>> model = FalsePositiveOccupancy(certain="dna")
    >>> truth = {"psi": 0.4, "p": 0.5, "p10": 0.05}
    >>> model.log_likelihood(model.simulate(design, parameters=truth, seed=1).history, parameters=truth) < 0
    True
    """

    psi: str = "~ 1"
    p: str = "~ 1"
    p10: str = "~ 1"
    b: str | None = None
    certain: str | None = None

    def __post_init__(self) -> None:
        """Check what can be checked without data."""
        super().__post_init__()
        if self.certain is not None and not isinstance(self.certain, str):
            raise ModelError(f'certain={self.certain!r}: give the name of a covariate of visits, such as "dna".')

    @property
    def structure(self) -> Structure:
        """Which probabilities multiply where."""
        return FALSE_POSITIVE if self.b is None else FALSE_POSITIVE_CONFIRMED
