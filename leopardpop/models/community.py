"""Several species at the same sites, each with coefficients of its own that come from a community's."""

from __future__ import annotations

from dataclasses import dataclass

from leopardpop.models.occupancy_model import OccupancyModel
from leopardpop.models.states.community import community_formula
from leopardpop.models.states.structure import COMMUNITY, Structure

__all__ = ["CommunityOccupancy"]


@dataclass(frozen=True, kw_only=True)
class CommunityOccupancy(OccupancyModel):
    r"""Occupancy of several species at the same sites in one closed season, each lending to the others.

    Species k uses a site with probability ψ_k and is seen on a visit to a site that it uses with probability p_k, as in
    :class:`Occupancy`. Its coefficients are drawn from those of the community,

    .. math::
        \operatorname{logit} \psi_{ki} = \sum_j x_{ij} \beta_{kj}, \qquad
        \beta_{kj} \sim N(\mu_j,\ \sigma_j^2), \qquad \text{independent over } j,

    and so for p. A species that was hardly seen leans on the others, one that was never seen is the community's. The
    community is the species of the history: how many others live there and were never recorded is not asked.

    A formula holds the coefficients that differ between species: ``psi="~ snow"`` is ``"~ snow + (snow | species)"``.
    Write the bracket to say that fewer do, ``"~ snow + (1 | species)"``. Means are reported under the names of the
    parameters, ``psi`` and ``psi[snow]``, sds between species as ``psi_sd_species`` and ``psi_sd_species_snow``.

    Parameters
    ----------
    psi
        Formula of ψ over covariates of sites.
    p
        Formula of p over covariates of visits and sites; ``visit`` and ``effort`` are two of them.
    link
        Link of both: ``"logit"``, ``"probit"`` or ``"cloglog"``.
    priors
        By parameter or coefficient. Defaults: of the means as for :class:`Occupancy`, logit ψ ~ N(0, 1.5), logit p ~
        N(−1, 1.5), slopes of standardised covariates N(0, 1); sds between species half-normal, 1 for ψ and 0.5 for p.

    References
    ----------
    Dorazio & Royle (2005) Estimating size and composition of biological communities by modeling the occurrence of
    species. Journal of the American Statistical Association 100, 389-398. doi:10.1198/016214505000000015

    Examples
    --------
    >>> import numpy as np
    >>> import leopardpop as lp
    >>> design = lp.DetectionHistory.from_tables({name: np.ones((40, 5)) for name in ("dhole", "leopard", "tiger")})
    >>> model = CommunityOccupancy(p="~ visit + (1 | species)")
    >>> model.parameters(design)["name"].tolist()
    ['psi', 'p', 'p', 'psi_sd_species', 'p_sd_species']
    >>> truth = {"psi": 0.5, "p": 0.3, "psi_sd_species": 1.0, "p_sd_species": 0.5}
    >>> sim = CommunityOccupancy().simulate(design, parameters=truth, seed=1)
    >>> sim.history.species, sim.truth.z.dims
    (('dhole', 'leopard', 'tiger'), ('species', 'site', 'season'))
    """

    psi: str = "~ 1"
    p: str = "~ 1"

    def __post_init__(self) -> None:
        """Check what can be checked without data."""
        super().__post_init__()
        for name in self.structure.homes:
            community_formula(getattr(self, name), name)

    @property
    def structure(self) -> Structure:
        """Which probabilities multiply where."""
        return COMMUNITY
