"""Occupancy: which sites are used, where there is breeding, and how that changes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from leopardpop.components.formula_syntax import nearest
from leopardpop.errors import ModelError
from leopardpop.models.occupancy_model import OccupancyModel
from leopardpop.models.states.structure import (
    DYNAMIC,
    DYNAMIC_MULTINOMIAL,
    DYNAMIC_MULTISTATE,
    MULTINOMIAL,
    MULTISTATE,
    SINGLE,
    Structure,
)

__all__ = ["DynamicMultistateOccupancy", "DynamicOccupancy", "MultistateOccupancy", "Occupancy"]


PARAMETRISATIONS = ("condbinom", "multinomial")


def check_parametrisation(chosen: str, link: str) -> None:
    """Refuse a parametrisation that there is not, or a link that it does not have.

    Raises
    ------
    ModelError
        With the nearest name.
    """
    if chosen not in PARAMETRISATIONS:
        raise ModelError(
            f"parametrisation={chosen!r}: it is one of {', '.join(PARAMETRISATIONS)}."
            f"{nearest(str(chosen), PARAMETRISATIONS)}",
            offenders=[chosen],
        )
    if chosen == "multinomial" and link != "logit":
        raise ModelError(f'parametrisation="multinomial" is a multinomial logit: it has no link {link!r}.')


@dataclass(frozen=True, kw_only=True)
class Occupancy(OccupancyModel):
    r"""Occupancy of sites in one closed season.

    A site is used with probability ψ; a visit to a used site sees the species with probability p. With y the visits
    made to a site,

    .. math::
        L = \prod_i \Big\{ \psi_i \prod_j p_{ij}^{y_{ij}} (1 - p_{ij})^{1 - y_{ij}}
            + (1 - \psi_i)\,[\text{nothing was seen}] \Big\}.

    Sites are independent, their state does not change within the season, and there are no false detections. With
    camera traps "used" is the word: an animal passed within the season. A site without a visit counts as a site.

    Parameters
    ----------
    psi
        Formula of ψ over covariates of sites.
    p
        Formula of p over covariates of visits and sites; ``visit`` and ``effort`` are two of them.
    link
        Link of both: ``"logit"``, ``"probit"`` or ``"cloglog"``.
    priors
        By parameter or coefficient. Defaults: logit ψ ~ N(0, 1.5), logit p ~ N(−1, 1.5), slopes of standardised
        covariates N(0, 1), less wide if there are more than four.

    References
    ----------
    MacKenzie et al. (2002) Estimating site occupancy rates when detection probabilities are less than one. Ecology
    83, 2248-2255. doi:10.1890/0012-9658(2002)083[2248:ESORWD]2.0.CO;2

    Examples
    --------
    >>> import numpy as np
    >>> import leopardpop as lp
    >>> design = lp.DetectionHistory.from_tables(np.ones((60, 5)))
    >>> model = Occupancy(psi="~ 1", p="~ visit")
    >>> sim = model.simulate(design, parameters={"psi": 0.6, "p": 0.3, "p[visit]": 0.2}, seed=1)
    >>> fit = model.fit(sim.history, seed=1)
    >>> fit.engine, fit.trusted, fit.summary().index.tolist()
    ('laplace', True, ['psi', 'p', 'p[visit]'])
    """

    psi: str = "~ 1"
    p: str = "~ 1"

    @property
    def structure(self) -> Structure:
        """Which probabilities multiply where."""
        return SINGLE


@dataclass(frozen=True, kw_only=True)
class DynamicOccupancy(OccupancyModel):
    r"""Occupancy of the same sites over several seasons, with colonisation and extinction.

    In the first season a site is used with probability ψ. A site that is not used becomes used by the next season with
    probability γ, one that is used falls empty with probability ε. Within a season the state is closed, and a visit to
    a used site sees the species with probability p.

    Seasons follow each other at equal steps. A year in which nobody looked must be there as a season without visits
    (``seasons={"2019": 3, "2020": 0, "2021": 3}``): changes add up over it as they should.

    Parameters
    ----------
    psi
        Formula of ψ in the first season, over covariates of sites (of that season, where they differ).
    gamma, epsilon
        Formulas of γ and ε over covariates of sites in the season *before* the change; ``season`` is that season.
    p
        Formula of p over covariates of visits, seasons and sites.
    link
        Link of all of them: ``"logit"``, ``"probit"`` or ``"cloglog"``.
    priors
        By parameter or coefficient. Defaults: logit ψ, γ, ε ~ N(0, 1.5), logit p ~ N(−1, 1.5), slopes N(0, 1).

    References
    ----------
    MacKenzie et al. (2003) Estimating site occupancy, colonization, and local extinction when a species is detected
    imperfectly. Ecology 84, 2200-2207. doi:10.1890/02-3090

    Examples
    --------
    >>> import numpy as np
    >>> import leopardpop as lp
    >>> design = lp.DetectionHistory.from_tables(np.ones((20, 12)), seasons=4)
    >>> DynamicOccupancy(gamma="~ season").parameters(design)[["name", "coefficient"]].agg(" ".join, axis=1).tolist()
    ['psi Intercept', 'gamma Intercept', 'gamma season[2]', 'gamma season[3]', 'epsilon Intercept', 'p Intercept']
    """

    psi: str = "~ 1"
    gamma: str = "~ 1"
    epsilon: str = "~ 1"
    p: str = "~ 1"

    @property
    def structure(self) -> Structure:
        """Which probabilities multiply where."""
        return DYNAMIC


@dataclass(frozen=True, kw_only=True)
class MultistateOccupancy(OccupancyModel):
    r"""Use and breeding of sites in one closed season.

    A site is used with probability ψ, and a used one is used for breeding with probability R (``breeding``): its state
    is absent, used or breeding. A visit to a site that is used sees the species with probability p1; to one that is
    used for breeding with probability p2, and then sees young with probability δ (``delta``).

    .. math::
        \pi = (1 - \psi,\ \psi(1 - R),\ \psi R), \quad
        \Pr(y \mid 1) = (1 - p_1,\ p_1,\ 0), \quad
        \Pr(y \mid 2) = (1 - p_2,\ p_2(1 - \delta),\ p_2\delta).

    Young are never mistaken for adults' absence nor adults for young. A breeding site is not a breeding female: one
    family walks past several cameras. Cubs stay hidden for their first months, so that the state is closed over a
    season shorter than a year at best.

    Parameters
    ----------
    psi, breeding
        Formulas of ψ and R over covariates of sites.
    p1, p2, delta
        Formulas of p1, p2 and δ over covariates of visits and sites.
    link
        Link of all of them: ``"logit"``, ``"probit"`` or ``"cloglog"``.
    parametrisation
        ``"condbinom"``, as above; or ``"multinomial"``: multinomial logits against the first category. Then
        Pr(state) ∝ (1, exp η_psi, exp η_breeding) and Pr(y | 2) ∝ (1, exp η_p2, exp η_delta). On the natural scale
        each of these parameters is the probability of its category against the first alone, such as Pr(breeding |
        breeding or absent), and so are their priors. Without covariates both say the same of the data.
    priors
        By parameter or coefficient. Defaults: logit ψ ~ N(0, 1.5), logit p1, p2 ~ N(−1, 1.5), R and δ Beta(2, 2),
        slopes N(0, 1).

    References
    ----------
    Nichols et al. (2007) Occupancy estimation and modeling with multiple states and state uncertainty. Ecology 88,
    1395-1400. doi:10.1890/06-1474

    Examples
    --------
    >>> import numpy as np
    >>> import leopardpop as lp
    >>> design = lp.DetectionHistory.from_tables(np.ones((20, 6)), response="state")
    >>> truth = {"psi": 0.6, "breeding": 0.4, "p1": 0.3, "p2": 0.4, "delta": 0.5}
    >>> sim = MultistateOccupancy().simulate(design, parameters=truth, seed=1)
    >>> sim.history.response, sim.truth.z.sizes["site"]
    ('state', 20)
    """

    psi: str = "~ 1"
    breeding: str = "~ 1"
    p1: str = "~ 1"
    p2: str = "~ 1"
    delta: str = "~ 1"
    parametrisation: Literal["condbinom", "multinomial"] = "condbinom"

    def __post_init__(self) -> None:
        """Check what can be checked without data."""
        super().__post_init__()
        check_parametrisation(self.parametrisation, self.link)

    @property
    def structure(self) -> Structure:
        """Which probabilities multiply where."""
        return MULTINOMIAL if self.parametrisation == "multinomial" else MULTISTATE


@dataclass(frozen=True, kw_only=True)
class DynamicMultistateOccupancy(OccupancyModel):
    r"""Use and breeding of the same sites over several seasons.

    The first season and the visits are those of :class:`MultistateOccupancy`. From one season to the next a site
    becomes or stays used with probability ψ' (``psi_next``), and if used is used for breeding with probability R'
    (``breeding_next``); both may depend on its ``state`` the season before (absent, used, breeding), so that
    ``psi_next="~ state"`` holds colonisation and the persistence of both kinds of used sites.

    Seasons follow each other at equal steps; see :class:`DynamicOccupancy` for years in which nobody looked.

    Parameters
    ----------
    psi, breeding
        Formulas of ψ and R in the first season.
    psi_next, breeding_next
        Formulas of ψ' and R' over ``state`` and covariates of sites in the season before; ``season`` is that season.
    p1, p2, delta
        Formulas of p1, p2 and δ over covariates of visits, seasons and sites.
    link
        Link of all of them: ``"logit"``, ``"probit"`` or ``"cloglog"``.
    parametrisation
        ``"condbinom"``, as above; or ``"multinomial"``: multinomial logits against the first category. Then
        Pr(state) ∝ (1, exp η_psi, exp η_breeding), a season later the same of psi_next and breeding_next, and
        Pr(y | 2) ∝ (1, exp η_p2, exp η_delta). On the natural scale each of these parameters is the probability of its
        category against the first alone, such as Pr(breeding | breeding or absent), and so are their priors. Without
        covariates both say the same of the data.
    priors
        By parameter or coefficient. Defaults as for :class:`MultistateOccupancy`; logit ψ' of sites that were absent
        ~ N(0, 1.5), R' of them Beta(2, 2), differences between states N(0, 2), other slopes N(0, 1).

    References
    ----------
    MacKenzie et al. (2009) Modeling species occurrence dynamics with multiple states and imperfect detection. Ecology
    90, 823-835. doi:10.1890/08-0141.1

    Examples
    --------
    >>> import numpy as np
    >>> import leopardpop as lp
    >>> design = lp.DetectionHistory.from_tables(np.ones((20, 12)), seasons=3, response="state")
    >>> table = DynamicMultistateOccupancy().parameters(design)
    >>> table.loc[table["name"] == "psi_next", "coefficient"].tolist()
    ['Intercept', 'state[used]', 'state[breeding]']
    """

    psi: str = "~ 1"
    breeding: str = "~ 1"
    psi_next: str = "~ state"
    breeding_next: str = "~ state"
    p1: str = "~ 1"
    p2: str = "~ 1"
    delta: str = "~ 1"
    parametrisation: Literal["condbinom", "multinomial"] = "condbinom"

    def __post_init__(self) -> None:
        """Check what can be checked without data."""
        super().__post_init__()
        check_parametrisation(self.parametrisation, self.link)

    @property
    def structure(self) -> Structure:
        """Which probabilities multiply where."""
        return DYNAMIC_MULTINOMIAL if self.parametrisation == "multinomial" else DYNAMIC_MULTISTATE
