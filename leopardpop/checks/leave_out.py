r"""Leave-one-out: how well the rest of the data predict an animal, the number detected, a station, a site.

With unit i of the data left out, the predictive density is

.. math:: \log p(y_i \mid y_{-i}) = \log \frac{\sum_s w_s\, p(y_i \mid \theta_s, y_{-i})}{\sum_s w_s}, \qquad
          w_s \propto 1 / p(y_i \mid \theta_s, y_{-i}),

by weights that are smoothed (Vehtari, Simpson, Gelman, Yao & Gabry 2024, JMLR 25(72)). Where Pareto k says that they
cannot be trusted, the posterior without the unit is drawn from instead: then no weights are needed but those of its own
certificate.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import xarray as xr

from leopardpop.checks.sensitivity_draws import ground_of
from leopardpop.checks.sensitivity_stations import are_independent, without_stations
from leopardpop.checks.sensitivity_targets import Adjusted, UnitsOut, all_but, stations_out
from leopardpop.data.names import listed
from leopardpop.data.notices import notice
from leopardpop.errors import ConvergenceWarning, LeopardpopError, ModelError
from leopardpop.inference.laplace import laplace_draws
from leopardpop.runs import seed_of
from leopardpop.words import counted

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from leopardpop.models.likelihood.terms import Floats
    from leopardpop.models.problem import Problem

__all__ = ["Refit", "drawn_without", "leave_out", "stations_refit"]

AT_STATION = "at_station"
"""Variable of what a station adds: that of its own name is its label."""
NOUNS = {"capture": "animal", "n_detected": "session", "station": "station", "y": "site"}
"""What is left out, by the name of its part of the log-likelihood."""
TABLE_DRAWS, MADE_DRAWS = 1_000, 200
"""Draws at which stations are left out: by one table of hazards, and where each takes a likelihood of its own."""
SURE_OF_NUMBERS = 0.4
"""Pareto k up to which weights are believed to leave out a number detected.

Without it density is what its prior says, far beyond all draws, and the tail of the weights need not show it.
"""
MIN_RAW, MIN_ESS = 4_000, 400
"""Of a posterior without a unit: the number detected is foreseen by few of the draws that do not know it."""


class Refit(NamedTuple):
    """The posterior without a unit, and what it says of the unit."""

    target: Any
    log_density: Callable[[Floats], Floats]
    """log p(y_i | θ, the rest) at draws (S, P), (S,)."""


def leave_out(fit: Any, part: str, *, refit: bool) -> Any:
    """Leave out each unit of a part of the log-likelihood; see :meth:`leopardpop.Fit.loo`.

    Parameters
    ----------
    fit
        A fit of a capture-recapture or an occupancy model.
    part
        "capture", "n_detected", "station", or "y" of sites.
    refit
        Whether the posterior without a unit is drawn from where weights cannot tell.

    Returns
    -------
    arviz.ELPDData
        Where it was fitted again, ``pareto_k`` is that of the refit, and ``influence_pareto_k`` has those before.
    """
    tree = _tree_of_stations(fit) if part == "station" else fit.data_tree
    result = _weighed(fit, tree, part)
    doubtful = _high(result, SURE_OF_NUMBERS if part == "n_detected" else result.good_k)
    if refit and doubtful.size:
        result = _with_refits(fit, part, result, doubtful)
    high = _high(result, result.good_k)
    if high.size:
        _tell(result, part, high, refit)
    return result


def _weighed(fit: Any, tree: xr.DataTree, part: str) -> Any:
    import arviz as az

    posterior = tree["posterior"]
    ess, draws = fit.importance_ess, posterior.sizes["chain"] * posterior.sizes["draw"]
    reff = None if ess is None else min(1.0, ess / draws)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of high k: told by _tell, in the words of the field
        return az.loo(tree, var_name=AT_STATION if part == "station" else part, pointwise=True, reff=reff)


def _high(result: Any, limit: float) -> Any:
    """Positions of units that weights cannot leave out; k of one that adds nothing (a site never visited) is NaN."""
    bad = (result.pareto_k.values > limit) | ~np.isfinite(result.elpd_i.values)
    return np.flatnonzero(bad)


def _tell(result: Any, part: str, high: Any, refit: bool) -> None:
    n, one = high.size, high.size == 1
    which = f"{n} of {counted(result.n_data_points, NOUNS[part])}"
    if refit:
        text = f"The posterior without {which} could not be drawn from either (k-hat above {result.good_k:.2g})"
        advice = "their part of the sum is not to be relied on"
    else:
        text = (
            f"Leave-one-out cannot be had from these draws for {which}: without {'it' if one else 'each of them'} the "
            f"posterior would be another (k-hat above {result.good_k:.2g})"
        )
        advice = f"refit=True draws from {'that' if one else 'those'}, without it the sum is too favourable"
    notice(f"{text}; {advice}.", ConvergenceWarning)


# -- stations ---------------------------------------------------------------------------------------------------------
def _tree_of_stations(fit: Any) -> xr.DataTree:
    """Some of the draws, with what each station adds to the log-likelihood of the others."""
    problem = fit.problem
    alone = [data.session for data in problem.data if len(data.stations) < 2]
    if alone:
        raise ModelError(f"session {listed(alone)} has one station: without it there is no survey left.")
    most = TABLE_DRAWS if are_independent(problem) else MADE_DRAWS
    theta = fit.theta
    step = max(1, -(-theta.shape[0] * theta.shape[1] // most))
    theta = theta[:, ::step]
    flat = theta.reshape(-1, theta.shape[-1])
    added = np.concatenate([_added(problem, s, flat) for s in range(len(problem.data))], axis=1)
    labels = [_station_label(problem, s, k) for s, k in _stations(problem)]
    posterior = fit.posterior.isel(draw=slice(None, None, step))
    at = {"chain": posterior["chain"], "draw": posterior["draw"], "station": labels}
    values = (("chain", "draw", "station"), added.reshape(*theta.shape[:2], -1))
    density = xr.Dataset({AT_STATION: values}, coords=at)
    return xr.DataTree.from_dict({"posterior": posterior, "log_likelihood": density})


def _stations(problem: Problem) -> list[tuple[int, int]]:
    """Session and position of every station that was ever on."""
    return [(s, int(k)) for s, data in enumerate(problem.data) for k in np.flatnonzero(data.effort.sum(1) > 0)]


def _station_label(problem: Problem, s: int, k: int) -> str:
    data = problem.data[s]
    return f"{data.session}/{data.stations[k]}" if len(problem.data) > 1 else str(data.stations[k])


def _added(problem: Problem, s: int, theta: Floats) -> Floats:
    """log L(all) − log L(without k) at draws (S, P), by station that was on, (S, K)."""
    kept = [k for session, k in _stations(problem) if session == s]
    grounds = [ground_of(np.ones(mask.n_cells)) for mask in (problem.masks[d.session] for d in problem.data)]
    found = without_stations(problem, grounds, s, theta) if are_independent(problem) else None
    if found is not None:
        return _labels(problem, s)[kept] - found.log_ratio[:, kept]
    return np.column_stack([_station_refit(problem, s, k, theta.mean(0)).log_density(theta) for k in kept])


def _labels(problem: Problem, s: int) -> Floats:
    """log n'! − log n! of the n animals detected, of whom n' were met elsewhere than at each station, (K,)."""
    from scipy.special import gammaln

    data = problem.data[s]
    met = np.zeros((len(data.individuals), len(data.stations)), bool)
    met[data.individual, data.station] = True
    elsewhere = len(met) - (met & (met.sum(1, keepdims=True) == 1)).sum(0)
    return np.asarray(gammaln(elsewhere + 1) - gammaln(len(met) + 1))


def _station_refit(problem: Problem, s: int, k: int, start: Floats) -> Refit:
    try:
        return stations_refit(problem, all_but(problem, s, k), start)
    except LeopardpopError as error:
        raise type(error)(f"without station '{problem.data[s].stations[k]}': {error}") from error


def stations_refit(problem: Problem, keep: Mapping[str, NDArray[np.bool_]], start: Floats) -> Refit:
    """The posterior without some of the stations, and what it says of them.

    Parameters
    ----------
    problem
        The model with its data.
    keep
        Which stations are kept, by session, (K,) each.
    start
        Where the search for the mode begins.
    """
    target = stations_out(problem, keep, start)

    def log_density(thetas: Floats) -> Floats:
        pieces = problem.pointwise(thetas)
        return np.asarray(pieces.capture.sum(-1) + pieces.n_detected.sum(-1) - target.log_likelihoods(thetas))

    return Refit(target, log_density)


# -- fitting again ----------------------------------------------------------------------------------------------------
def _with_refits(fit: Any, part: str, result: Any, high: Any) -> Any:
    """Replace what weights could not tell by what the posterior without the unit tells."""
    elpd, k = result.elpd_i.copy(deep=True), result.pareto_k.copy(deep=True)
    flat_elpd, flat_k = elpd.values.reshape(-1), k.values.reshape(-1)
    theta = fit.theta
    start = theta.reshape(-1, theta.shape[-1]).mean(0)
    for i in map(int, high):
        try:
            flat_elpd[i], flat_k[i] = drawn_without(_refit(fit.problem, part, i, start), seed_of(fit.seed, i))
        except LeopardpopError:
            continue  # its k stays high, and is told
    elpd.values, k.values = flat_elpd.reshape(elpd.shape), flat_k.reshape(k.shape)
    total, n = float(flat_elpd.sum()), flat_elpd.size
    return replace(
        result,
        elpd=total,
        se=float(np.sqrt(n * flat_elpd.var())),
        p=float(result.p + result.elpd - total),
        elpd_i=elpd,
        pareto_k=k,
        influence_pareto_k=result.pareto_k,
        warning=bool((flat_k > result.good_k).any()),
    )


def _refit(problem: Any, part: str, i: int, start: Floats) -> Refit:
    if part == "station":
        return _station_refit(problem, *_stations(problem)[i], start)
    out = UnitsOut(problem, part, (i,))
    return Refit(Adjusted(problem, out, start), lambda thetas: -out(thetas))


def drawn_without(refit: Refit, seed: int) -> tuple[float, float]:
    """log p(y_i | the rest), and Pareto k of the draws that it comes from.

    Parameters
    ----------
    refit
        The posterior without the unit, and what it says of it.
    seed
        Seed of the draws.
    """
    drawn = laplace_draws(refit.target, draws=1, chains=1, seed=seed, min_raw=MIN_RAW, min_ess=MIN_ESS, threads=1)
    fine = np.isfinite(drawn.raw_log_ratios)
    log_weights = drawn.raw_log_weights[fine]
    density = log_weights + refit.log_density(drawn.raw[fine])
    value = np.logaddexp.reduce(density[np.isfinite(density)]) - np.logaddexp.reduce(log_weights)
    return float(value), float(drawn.pareto_k)
