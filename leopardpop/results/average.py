"""The number of animals averaged over models: draws of each, in proportion to its weight."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import xarray as xr

from leopardpop.data.names import did_you_mean
from leopardpop.errors import ModelError
from leopardpop.results.compare import METHODS, check_comparable, predictive_table
from leopardpop.results.draws import generator
from leopardpop.results.fit import Fit
from leopardpop.results.population import Population, population
from leopardpop.results.tree import SAMPLE
from leopardpop.words import decimal, joined

if TYPE_CHECKING:
    from leopardpop.models.likelihood.terms import Floats, Ints
    from leopardpop.results.regions import Regions

__all__ = ["AveragedPopulation", "average"]


def average(
    fits: Mapping[str, Fit],
    *,
    regions: Any = None,
    by: str | None = None,
    weights: str | Mapping[str, float] = "stacking",
) -> AveragedPopulation:
    """Average the number of animals over models of the same data.

    Which model made the data is not known; the average says how many animals there are without choosing one. Its draws
    are those of the fits, as many of each as its weight is of all, so that its interval holds the uncertainty within
    models and that between them.

    Parameters
    ----------
    fits
        Name to posterior of a capture-recapture model: of one history, on one mask, with the same known classes.
    regions, by
        As for :meth:`Fit.population`.
    weights
        "stacking": the mixture of models that predicts best an animal that is left out, given that it is detected
        (the weights of :func:`compare`); "pseudo-bma+": by the predictive density of each model for itself, with its
        uncertainty. Both judge models by *where* animals are detected, not by how many. Or a mapping from name to
        weight.

    Returns
    -------
    AveragedPopulation
        A :class:`Population`, with ``weights``. It has a dimension of classes if all models have the same ones.

    Raises
    ------
    ModelError
        If there are fewer than two fits, one is no posterior of a capture-recapture model, they are of different data,
        or weights are no weights.

    References
    ----------
    Yao Y, Vehtari A, Simpson D, Gelman A (2018) Using stacking to average Bayesian predictive distributions. Bayesian
    Analysis 13, 917-1007. doi:10.1214/17-BA1091

    Examples
    --------
    >>> import pandas as pd
    >>> import leopardpop as lp
    >>> axis = range(0, 6_000, 1_500)
    >>> stations = pd.DataFrame([(f"{x}-{y}", x, y) for x in axis for y in axis], columns=["station", "x", "y"])
    >>> design = lp.CaptureHistory.from_tables(None, stations, occasions=10)
    >>> mask = lp.Mask.around(design, buffer=4_500, spacing=600).with_covariates(north=lambda x, y: y / 1000)
    >>> sim = lp.SCR().simulate(design, mask, parameters={"D": 0.4, "lambda0": 0.2, "sigma": 1_000}, seed=2)
    >>> models = {"constant": lp.SCR(), "north": lp.SCR(density="~ north")}
    >>> fits = {name: model.fit(sim.history, mask, seed=1) for name, model in models.items()}
    >>> pop = lp.average(fits)
    >>> round(float(pop.weights.sum()), 9), pop.realised.dims
    (1.0, ('chain', 'draw'))
    """
    _check_fits(fits)
    chosen = _weights(fits, weights)
    parts = {name: population(fit, regions=regions, by=by) for name, fit in fits.items()}
    return AveragedPopulation(fits, parts, chosen, weights if isinstance(weights, str) else "given")


def _check_fits(fits: Any) -> None:
    """Refuse what cannot be averaged: too few, of another family, of different data."""
    if not isinstance(fits, Mapping) or len(fits) < 2:
        found = len(fits) if isinstance(fits, Mapping) else f"a {type(fits).__name__}"
        raise ModelError(f'an average needs at least two fits, as in {{"null": fit0, "sex": fit1}}; found {found}.')
    other = [name for name, fit in fits.items() if not isinstance(fit, Fit)]
    if other:
        kind = type(fits[other[0]]).__name__
        raise ModelError(
            f"{joined([repr(name) for name in other])}: an average is of numbers of animals, which posteriors of "
            f"capture-recapture models have; found a {kind}. Use model.fit(...).",
            offenders=other,
        )
    check_comparable(fits)


def _weights(fits: Mapping[str, Fit], weights: Any) -> pd.Series[float]:
    if isinstance(weights, Mapping):
        return _given_weights(list(fits), weights)
    if weights not in METHODS:
        raise ModelError(
            f"weights={weights!r}: it is {' or '.join(map(repr, METHODS))}, or a mapping from name to weight."
            f"{did_you_mean(str(weights), METHODS)}"
        )
    table = predictive_table(fits, weights)
    found: pd.Series[float] = table["weight"].reindex(list(fits)).clip(lower=0.0)
    return found / found.sum()


def _given_weights(names: list[str], weights: Mapping[str, float]) -> pd.Series[float]:
    odd = [name for name in weights if name not in names] + [name for name in names if name not in weights]
    if odd:
        raise ModelError(
            f"weights: {joined([repr(name) for name in odd])} {'is' if len(odd) == 1 else 'are'} not in both weights "
            f"and fits. Give a weight to each of {joined([repr(name) for name in names])}.",
            offenders=odd,
        )
    values = np.array([weights[name] for name in names], float)
    if not (np.isfinite(values).all() and (values >= 0).all() and values.sum() > 0):
        raise ModelError(f"weights={dict(weights)!r} must be numbers that are not negative, and not all zero.")
    return pd.Series(values / values.sum(), index=names, name="weight")


class AveragedPopulation(Population):
    """The posterior of the number of animals over several models; made by :func:`average`.

    Everything that a :class:`Population` says is said of draws of all models together. Areas are those that all models
    share.

    Parameters
    ----------
    fits
        Name to fit.
    parts
        Name to the population of that fit, in the same regions.
    weights
        Weight of each, adding up to one.
    method
        Where the weights come from.

    Examples
    --------
    >>> import pandas as pd
    >>> import leopardpop as lp
    >>> axis = range(0, 6_000, 1_500)
    >>> stations = pd.DataFrame([(f"{x}-{y}", x, y) for x in axis for y in axis], columns=["station", "x", "y"])
    >>> design = lp.CaptureHistory.from_tables(None, stations, occasions=10)
    >>> mask = lp.Mask.around(design, buffer=4_500, spacing=600)
    >>> sim = lp.SCR().simulate(design, mask, parameters={"D": 0.4, "lambda0": 0.2, "sigma": 1_000}, seed=2)
    >>> fits = {f"seed {seed}": lp.SCR().fit(sim.history, mask, seed=seed) for seed in (1, 2)}
    >>> pop = lp.average(fits, weights={"seed 1": 3, "seed 2": 1})
    >>> pop.made
    'Averaged over 2 models (weights as given): seed 1 0.75 and seed 2 0.25.'
    >>> float((pop.origin == "seed 1").mean())
    0.75
    """

    def __init__(
        self, fits: Mapping[str, Fit], parts: Mapping[str, Population], weights: pd.Series[float], method: str
    ) -> None:
        first = next(iter(parts))
        super().__init__(fits[first], _regions_of(parts[first]))
        self.parts: dict[str, Population] = dict(parts)
        self.weights = weights
        self.method = method
        self._fits = dict(fits)

    @cached_property
    def _column(self) -> str | None:
        """Classes, where all models have the same ones."""
        kinds = {(fit.problem.column, fit.problem.levels) for fit in self._fits.values()}
        return next(iter(kinds))[0] if len(kinds) == 1 else None

    @cached_property
    def origin(self) -> xr.DataArray:
        """Name of the model that each draw is of, (chain, draw)."""
        shape = np.shape(self._fit.theta)[:2]
        names = np.array(list(self.parts), object)[self._rows[0]].reshape(shape)
        return xr.DataArray(names.astype(str), dims=SAMPLE, name="origin")

    @cached_property
    def _rows(self) -> tuple[Ints, Ints]:
        """Model and draw of it for each draw of the average, (S,) each: the same at every call."""
        rng = generator(self._fit, "average")
        size = int(np.prod(np.shape(self._fit.theta)[:2]))
        model = np.repeat(np.arange(len(self.parts)), _shared_out(size, np.asarray(self.weights, np.float64)))
        draw = np.empty(size, np.intp)
        for m, fit in enumerate(self._fits.values()):
            own = np.flatnonzero(model == m)
            draw[own] = _some_of(int(np.prod(np.shape(fit.theta)[:2])), len(own), rng)
        order = rng.permutation(size)
        return model[order], draw[order]

    def _mixed(self, name: str) -> xr.DataArray:
        """Draws of all models, in the order of :attr:`origin`."""
        arrays = [getattr(part, name) for part in self.parts.values()]
        arrays = [a if self._column is not None else _without_classes(a) for a in arrays]
        flat = [a.transpose(*SAMPLE, ...).to_numpy().reshape(-1, *a.shape[2:]) for a in arrays]
        model, draw = self._rows
        result = np.empty((len(model), *flat[0].shape[1:]), np.result_type(*flat))
        for m, values in enumerate(flat):
            own = model == m
            result[own] = values[draw[own]]
        first: xr.DataArray = arrays[0]
        return first.copy(data=result.reshape(first.shape)).assign_attrs(first.attrs)

    @cached_property
    def expected(self) -> xr.DataArray:
        """E[N] (chain, draw [, session] [, region] [, sex])."""
        return self._mixed("expected")

    @cached_property
    def realised(self) -> xr.DataArray:
        """N (chain, draw [, session] [, region] [, sex])."""
        return self._mixed("realised")

    @cached_property
    def prior_expected(self) -> xr.DataArray:
        """E[N] before the data (draw [, session] [, region]): draws of all priors, by the weights of the models."""
        arrays = [part.prior_expected for part in self.parts.values()]
        counts = _shared_out(arrays[0].sizes["draw"], np.asarray(self.weights, np.float64))
        joined_draws = np.concatenate([a.to_numpy()[:n] for a, n in zip(arrays, counts, strict=True)])
        return arrays[0].copy(data=joined_draws)

    def _sums(self, name: str, *, near: bool) -> Floats:
        """Mean over the models, by their weights."""
        each = [part._sums(name, near=near) for part in self.parts.values()]  # noqa: SLF001 - populations as this one
        return np.asarray(np.average(each, axis=0, weights=np.asarray(self.weights, np.float64)))

    @property
    def made(self) -> str:
        """The models and their weights."""
        told = [f"{name} {decimal(weight)}" for name, weight in self.weights.items()]
        words = {"given": "weights as given"}.get(self.method, f"weights by {self.method} of leave-one-out")
        return f"Averaged over {len(told)} models ({words}): {joined(told)}."


def _regions_of(part: Population) -> Regions:
    return part._regions  # noqa: SLF001 - of a population as this one


def _without_classes(array: xr.DataArray) -> xr.DataArray:
    classes = [dim for dim in array.dims if dim not in (*SAMPLE, "session", "region")]
    return array.sum(classes, skipna=False, keep_attrs=True) if classes else array


def _shared_out(size: int, weights: Floats) -> Ints:
    """Whole numbers in proportion to the weights that add up to ``size``: the largest remainders are rounded up.

    Examples
    --------
    >>> _shared_out(10, np.array([0.55, 0.25, 0.2])).tolist()
    [6, 2, 2]
    """
    exact = size * weights / weights.sum()
    counts = np.floor(exact).astype(np.intp)
    for m in np.argsort(counts - exact, kind="stable")[: size - int(counts.sum())]:
        counts[m] += 1
    return counts


def _some_of(n: int, size: int, rng: np.random.Generator) -> Ints:
    """Rows of n draws: every one as often as the others, but for the remainder."""
    again, rest = divmod(size, n)
    return np.concatenate([np.tile(np.arange(n), again), rng.permutation(n)[:rest]]).astype(np.intp)
