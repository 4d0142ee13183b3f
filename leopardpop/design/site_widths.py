"""Sites × visits × detection: how narrow the interval of ψ, and of breeding, will be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement, product
from math import comb, factorial, prod
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from leopardpop.components.link import link
from leopardpop.data.detection_history import DetectionHistory
from leopardpop.data.names import did_you_mean, listed
from leopardpop.design.parameters import check_levels, check_whole, parameter_points
from leopardpop.design.sites import visits
from leopardpop.errors import FitError, ModelError
from leopardpop.models.describe import theta_of
from leopardpop.models.occupancy_model import OccupancyModel
from leopardpop.models.states.kinds import occupancy_problem
from leopardpop.runs import seed_of
from leopardpop.words import counted, decimal, median_and_interval, whole

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from leopardpop.design.parameters import Assumed, Point

    type Floats = NDArray[np.float64]

__all__ = ["SitePrecision", "site_precision"]

MOST = 20_000
"""Histories of a site that are all reckoned with; where there are more, as many sites are simulated."""
STEP = 1e-4
LEVELS = {"binary": 2, "state": 3}
HALF = 1.959963984540054


def site_precision(
    model: OccupancyModel,
    *,
    sites: int | Sequence[int],
    visits_per_season: int | Sequence[int],
    parameters: Assumed,
    seasons: int = 1,
    draws: int = 20,
    seed: int = 1,
) -> SitePrecision:
    r"""Width of the 95 % interval of ψ and of the other parameters, for numbers of sites and visits.

    The expected information of one site is :math:`I = \sum_h \Pr(h)\, s_h s_h^T`, over all histories h that a site can
    have, with the score :math:`s_h` (where there are more than 20,000, as for counts, over as many simulated sites).
    With S sites the linked parameters have covariance :math:`(S I)^{-1}`, and the interval goes back through the link.
    For constant ψ and p that is MacKenzie and Royle's formula.

    Parameters
    ----------
    model
        A model of occupancy whose parameters are constant (``"~ 1"``): one season or several, states or not.
    sites
        Numbers of sites.
    visits_per_season
        Numbers of visits to each site in each season.
    parameters
        As for :func:`expected`.
    seasons
        Number of seasons.
    draws
        Points drawn from priors or a posterior.
    seed
        Of draws and of simulated sites.

    Returns
    -------
    SitePrecision
        ``table``, ``summary()``, ``needed(width)``.

    Raises
    ------
    ModelError
        If the model has covariates, or numbers are outside their domain.
    FitError
        If a parameter cannot be told from such a survey at all (one visit tells ψ p, not ψ).

    References
    ----------
    MacKenzie DI, Royle JA (2005) Designing occupancy studies: general advice and allocating survey effort. Journal of
    Applied Ecology 42, 1105-1114. doi:10.1111/j.1365-2664.2005.01098.x

    Examples
    --------
    >>> import leopardpop as lp
    >>> assumed = {"psi": 0.6, "p": 0.3}
    >>> found = lp.design.site_precision(lp.Occupancy(), sites=(60, 120), visits_per_season=(3, 8), parameters=assumed)
    >>> found.needed(0.25)[["visits", "sites"]].to_numpy().tolist()
    [[3, 282], [8, 68]]
    """
    if not isinstance(model, OccupancyModel):
        raise ModelError(f"model={model!r}: give a model of occupancy.", offenders=["model"])
    numbers = [_whole("sites", each, 1) for each in _several(sites)]
    points = parameter_points(parameters, draws=draws, seed=seed)
    rows = []
    for k in [_whole("visits_per_season", each, 1) for each in _several(visits_per_season)]:
        for draw, point in enumerate(points):
            for name, (value, linked, sd) in _of_one_site(model, k, seasons, point, seed_of(seed, k, draw)).items():
                rows += [(s, k, draw, name, value, *_interval(value, linked, sd / np.sqrt(s)), sd) for s in numbers]
    columns = ["sites", "visits", "draw", "quantity", "value", "lower", "upper", "width", "link_sd"]
    links = {p.name: p.link.name for p in _problem(model, 1, seasons, 1).layout.parts}
    return SitePrecision(pd.DataFrame(rows, columns=columns), links)


def _several(values: Any) -> list[Any]:
    return list(values) if isinstance(values, Sequence | np.ndarray) else [values]


def _whole(name: str, value: Any, least: int) -> int:
    check_whole(name, value, least)
    return int(value)


def _problem(model: OccupancyModel, k: int, seasons: int, sites: int) -> Any:
    return occupancy_problem(model, visits(sites, k, seasons=seasons, response=model.structure.response))  # type: ignore[arg-type]


def _of_one_site(
    model: OccupancyModel, k: int, seasons: int, point: Point, seed: int
) -> dict[str, tuple[float, str, float]]:
    """Value, link and sd on the link scale of every parameter, from one site."""
    problem, weight = _histories(model, k, seasons, point, seed)
    if wrong := [p.name for p in problem.layout.parts if not p.is_constant]:
        raise ModelError(
            f"{wrong[0]} is not constant: the width of its interval hangs on the covariates of the sites. "
            "Use lp.design.study with a design that has them.",
            offenders=wrong,
        )
    theta = theta_of(problem, point)
    covariance = _inverse(_information(problem, theta, weight), k)
    found = {}
    for p in problem.layout.parts:
        at = p.place.start
        value = float(p.link.inverse(np.asarray(theta[at])))
        found[p.name] = (value, p.link.name, float(np.sqrt(covariance[at, at])))
    return found


def _histories(model: OccupancyModel, k: int, seasons: int, point: Point, seed: int) -> tuple[Any, Floats | None]:
    """The model with every history that a site can have, and in how many orders each occurs; or simulated sites."""
    response = model.structure.response
    levels = LEVELS.get(response)
    if levels is None or comb(k + levels - 1, levels - 1) ** seasons > MOST:
        design = visits(MOST, k, seasons=seasons, response=response)  # type: ignore[arg-type]
        return occupancy_problem(model, model.simulate(design, parameters=point, seed=seed).history), None
    kinds = list(combinations_with_replacement(range(levels), k))
    orders = np.array([factorial(k) / prod(factorial(kind.count(v)) for v in range(levels)) for kind in kinds])
    every = np.array(list(product(range(len(kinds)), repeat=seasons)))
    y = np.array(kinds, float)[every]
    history = DetectionHistory.from_tables(y.reshape(len(every), -1), seasons=seasons, response=response)
    return occupancy_problem(model, history), orders[every].prod(1)


def _information(problem: Any, theta: Floats, orders: Floats | None) -> Floats:
    """Expected information of one site, from the scores of all histories, (P, P)."""
    slopes = []
    for j in range(len(theta)):
        step = np.zeros_like(theta)
        step[j] = STEP
        up, down = (problem.pointwise(theta + sign * step).y for sign in (1, -1))
        slopes.append((up - down) / (2 * STEP))
    scores = np.array(slopes)
    weight = np.full(scores.shape[1], 1 / scores.shape[1])
    if orders is not None:
        weight = orders * np.exp(problem.pointwise(theta).y)
    return np.asarray((scores * weight) @ scores.T)


def _inverse(information: Floats, k: int) -> Floats:
    """Covariance of the estimates of one site."""
    values = np.linalg.eigvalsh(information)
    if not values.min() > 1e-6 * values.max():
        raise FitError(
            f"{counted(k, 'visit')} to a site cannot tell all the parameters apart, whatever the number of sites: "
            "without a second visit a site that is not used looks like one where the species was missed."
        )
    return np.asarray(np.linalg.inv(information))


def _interval(value: float, linked: str, sd: float) -> tuple[float, float, float]:
    """Lower and upper end and width of the 95 % interval on the natural scale."""
    of = link(linked)
    eta = float(of.forward(np.asarray(value)))
    low, high = (float(of.inverse(np.asarray(eta + sign * HALF * sd))) for sign in (-1, 1))
    return low, high, high - low


@dataclass(frozen=True, eq=False)
class SitePrecision:
    """How narrow intervals will be; made by :func:`site_precision`."""

    table: pd.DataFrame
    """sites, visits, draw, quantity, value, lower, upper, width (95 %, natural scale), link_sd (of one site)."""
    links: dict[str, str]
    """Link of each parameter."""

    def summary(self) -> pd.DataFrame:
        """Median and 95 % range of the widths, over what is assumed.

        Returns
        -------
        pandas.DataFrame
            sites, visits, quantity, value (median), width, width_lower, width_upper.
        """
        rows = []
        for (sites, k, name), part in self.table.groupby(["sites", "visits", "quantity"], sort=False):
            width, low, high = median_and_interval(part["width"])
            row = {"sites": sites, "visits": k, "quantity": name, "value": float(part["value"].median())}
            rows.append(row | {"width": width, "width_lower": low, "width_upper": high})
        return pd.DataFrame(rows)

    def needed(self, width: float, quantity: str = "psi", *, assurance: float = 0.5) -> pd.DataFrame:
        """Fewest sites whose interval is as narrow as wanted, by number of visits.

        Parameters
        ----------
        width
            Of the 95 % interval, natural scale: 0.2 is ± 0.1.
        quantity
            "psi", "breeding", "p" ...
        assurance
            Share of what is assumed for which it must be reached.

        Returns
        -------
        pandas.DataFrame
            visits, sites, total (sites × visits in a season).

        Raises
        ------
        ModelError
            For a width that is not above 0, or a quantity that there is not.
        """
        (target,), (sure,) = check_levels("width", width), check_levels("assurance", assurance)
        names = self.table["quantity"].unique().tolist()
        if quantity not in names:
            hint = did_you_mean(str(quantity), names)
            raise ModelError(f"quantity={quantity!r}: it is one of {listed(names)}.{hint}", offenders=[quantity])
        rows = self.table[(self.table["quantity"] == quantity) & (self.table["sites"] == self.table["sites"].iloc[0])]
        found = []
        for k, part in rows.groupby("visits"):
            pairs = zip(part["value"], part["link_sd"], strict=True)
            fewest = [_fewest(value, self.links[quantity], sd, target) for value, sd in pairs]
            sites = int(np.quantile(fewest, min(sure, 1.0), method="inverted_cdf"))
            found.append({"visits": int(str(k)), "sites": sites, "total": sites * int(str(k))})
        return pd.DataFrame(found)

    def __repr__(self) -> str:
        """Say how wide the intervals of ψ, or of the first quantity, are."""
        table = self.summary()
        lines = ["Precision of occupancy: 95 % intervals"]
        for (sites, k), part in table.groupby(["sites", "visits"], sort=False):
            told = [f"{q} ± {decimal(w / 2)}" for q, w in zip(part["quantity"], part["width"], strict=True)]
            title = f"{whole(int(str(sites)))} sites × {counted(int(str(k)), 'visit')}"
            lines.append(f"  {title:<24}{', '.join(told)}")
        return "\n".join(lines)


def _fewest(value: float, linked: str, sd: float, width: float) -> int:
    """Fewest sites with which the interval is as narrow."""
    low, high = 1, 2
    while _interval(value, linked, sd / np.sqrt(high))[2] > width:
        low, high = high, 2 * high
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if _interval(value, linked, sd / np.sqrt(middle))[2] <= width else (middle + 1, high)
    return high
