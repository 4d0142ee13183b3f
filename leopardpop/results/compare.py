"""Several fits of the same data side by side."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from leopardpop.errors import ConvergenceWarning, ModelError
from leopardpop.results.maximum import Maximum, MaximumLikelihood
from leopardpop.results.same_data import DataOf, check_same_data, data_of_tree

if TYPE_CHECKING:
    from leopardpop.results.fit import Fit
    from leopardpop.results.occupancy_fit import OccupancyFit

    type AnyFit = Fit | OccupancyFit

__all__ = ["check_comparable", "compare", "predictive_table"]

METHODS = {"stacking": "stacking", "pseudo-bma+": "BB-pseudo-BMA"}
"""Weights of models by our name, and by that of ArviZ."""


def compare(fits: Mapping[str, Maximum] | Mapping[str, AnyFit], *, refit: bool = False) -> pd.DataFrame:
    """Compare fits of the same data.

    The data are the history, the cells of the mask and, with ``classes``, the classes of animals where they are known.
    The partner of a model in which a parameter differs by sex is therefore the one with ``classes="sex"`` and without
    sex in its formulas: it estimates the same density and detection as a model without classes.

    Parameters
    ----------
    fits
        Name to fit: fits by maximum likelihood, or posteriors.
    refit
        Of posteriors: whether the models are fitted again without the animals or sites that importance weights cannot
        leave out; see :meth:`Fit.loo`.

    Returns
    -------
    pandas.DataFrame
        The best first. Of fits by maximum likelihood: n_parameters, log_likelihood, aic, aicc, delta (of AICc) and
        weight. Of posteriors: the table of :func:`arviz.compare`, from the predictive density of what is left out:
        an animal, given that it is detected, or the visits to a site. Of models of animals it ends with
        ``elpd_n_detected``, the other part: how well the number detected in a session is foreseen without it, and
        ``elpd_both``, the sum. That part tells models apart whose densities differ by session; with one session
        nothing but the prior of density foresees the number, and models with one prior differ little in it.

    Raises
    ------
    ModelError
        If there are fewer than two fits, they are of both kinds, or not of the same data: other histories, other
        cells, classes known in one and not used in the other.

    References
    ----------
    Burnham & Anderson (2002), Model Selection and Multimodel Inference, https://doi.org/10.1007/b97636;
    Vehtari, Gelman & Gabry (2017), https://doi.org/10.1007/s11222-016-9696-4

    Examples
    --------
    >>> import pandas as pd
    >>> import leopardpop as lp
    >>> stations = pd.DataFrame({"station": list("ABCD"), "x": [0, 1500, 0, 1500], "y": [0, 0, 1500, 1500]})
    >>> design = lp.CaptureHistory.from_tables(None, stations, occasions=8)
    >>> mask = lp.Mask.around(design, buffer=4_000, spacing=500)
    >>> truth = {"D": 0.4, "lambda0": 0.2, "sigma": 1_000}
    >>> history = lp.SCR().simulate(design, mask, parameters=truth, seed=2).history
    >>> models = {"half-normal": lp.SCR(), "exponential": lp.SCR(detection=lp.Exponential())}
    >>> fits = {name: model.maximum_likelihood(history, mask) for name, model in models.items()}
    >>> lp.compare(fits).columns.tolist()
    ['n_parameters', 'log_likelihood', 'aic', 'aicc', 'delta', 'weight']
    """
    if len(fits) < 2:
        raise ModelError(
            f'a comparison needs at least two fits, as in {{"null": fit0, "sex": fit1}}; found {len(fits)}'
        )
    check_comparable(fits)
    maxima = {name: fit for name, fit in fits.items() if isinstance(fit, Maximum)}
    if maxima:
        return _information_table(maxima)
    table = predictive_table(fits, refit=refit)  # type: ignore[arg-type]
    return _with_numbers(table, fits) if of_animals(fits) else table


def check_comparable(fits: Mapping[str, Maximum] | Mapping[str, AnyFit]) -> None:
    """Refuse fits of both kinds, and fits of different data.

    Parameters
    ----------
    fits
        Name to fit.

    Raises
    ------
    ModelError
        Naming those that differ.
    """
    if sum(isinstance(fit, Maximum) for fit in fits.values()) not in (0, len(fits)):
        raise ModelError(
            "a fit by maximum likelihood and a posterior have no common measure: compare those of one kind"
        )
    names, data = list(fits), [fit.data_hash for fit in fits.values()]
    other = [name for name, fingerprint in zip(names, data, strict=True) if fingerprint != data[0]]
    if other:
        raise ModelError(
            f"{', '.join(map(repr, other))} and {names[0]!r} are fits of different {_kind(fits)} histories; only fits "
            "of the same data can be compared: fit each model to one history",
            offenders=other,
        )
    if len({getattr(fit, "conditional", None) for fit in fits.values()}) > 1:
        raise ModelError("a conditional likelihood is of other data than a full one: compare fits of one kind")
    of_animals = {name: own for name, fit in fits.items() if (own := _data_of(fit)) is not None}
    if of_animals:
        check_same_data(of_animals)


def _data_of(fit: Any) -> DataOf | None:
    """What the likelihood of a fit of animals is of; None of sites, where the history is all there is."""
    from leopardpop.results.fit import Fit

    if isinstance(fit, MaximumLikelihood):
        return fit.data
    return data_of_tree(fit.data_tree) if isinstance(fit, Fit) else None


def _kind(fits: Mapping[str, Any]) -> str:
    from leopardpop.results.occupancy_fit import OccupancyFit
    from leopardpop.results.occupancy_maximum import OccupancyMaximum

    of_sites = any(isinstance(fit, OccupancyFit | OccupancyMaximum) for fit in fits.values())
    return "detection" if of_sites else "capture"


def _information_table(fits: Mapping[str, Maximum]) -> pd.DataFrame:
    columns = ["n_parameters", "log_likelihood", "aic", "aicc"]
    table = pd.DataFrame([[getattr(fit, c) for c in columns] for fit in fits.values()], list(fits), columns)
    table = table.sort_values("aicc", kind="stable")
    best = table["aicc"].iloc[0]
    table["delta"] = table["aicc"] - best if np.isfinite(best) else np.nan
    relative = np.exp(-0.5 * table["delta"])
    table["weight"] = relative / relative.sum()
    return table


def predictive_table(fits: Mapping[str, AnyFit], weights: str = "stacking", *, refit: bool = False) -> pd.DataFrame:
    """Table of :func:`arviz.compare`, with weights of either kind.

    Parameters
    ----------
    fits
        Name to posterior.
    weights
        "stacking", or "pseudo-bma+".
    refit
        As of :func:`compare`.
    """
    import arviz as az

    left_out = {name: fit.loo(refit=refit) for name, fit in fits.items()}
    table: pd.DataFrame = az.compare(left_out, method=METHODS[weights], round_to="none")
    return table


def of_animals(fits: Mapping[str, Any]) -> bool:
    """Whether the likelihood of every fit has a part for the number detected."""
    from leopardpop.results.fit import Fit

    return all(isinstance(fit, Fit) for fit in fits.values())


def _with_numbers(table: pd.DataFrame, fits: Mapping[str, Any]) -> pd.DataFrame:
    """Add what the number detected in each session tells."""
    column = pd.Series({name: _number(fit) for name, fit in fits.items()}).reindex(table.index)
    return table.assign(elpd_n_detected=column, elpd_both=table["elpd"] + column)


def _number(fit: Any) -> float:
    """Predictive density of the numbers detected: by refits, nearly always; NaN where a shared file allows none."""
    if fit.data_tree.attrs.get("coordinates") != "hidden":
        kept = vars(fit)  # a fit never changes, and a refit takes as long as the fit did
        if "_elpd_of_numbers" not in kept:
            kept["_elpd_of_numbers"] = float(fit.loo("n_detected", refit=True).elpd)
        return float(kept["_elpd_of_numbers"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        result = fit.loo("n_detected")
    return float(result.elpd) if (result.pareto_k <= result.good_k).all() else float("nan")
