"""The posterior in a few lines, for people: the animals, the parameters, and whether it can be trusted."""

from __future__ import annotations

from html import escape
from itertools import product
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from leopardpop.results.elements import NOT_TOLD, elements, units_of
from leopardpop.results.model_json import describe_model
from leopardpop.words import (
    MEDIANS,
    area,
    change,
    decimal,
    estimate,
    length,
    length_interval,
    median_and_interval,
    span,
    whole,
)

if TYPE_CHECKING:
    import xarray as xr

    from leopardpop.results.fit import Fit
    from leopardpop.results.fit_base import BaseFit

__all__ = ["fit_html", "fit_text", "posterior_html", "posterior_text"]

WORDS = {"ok": "ok  ", "note": "note", "warn": "WARN", "fail": "FAIL"}
SYMBOLS = {"sigma": "σ", "lambda0": "λ0", "pmix": "Share"}
ALWAYS_TOLD = ("Pareto k", "R-hat, largest", "identities", "pairs", "spatial recaptures")
OF_ANIMALS = ("D", "E_N", "N", "n_matched")
NO_ANIMALS = (
    "No animal was detected, so the data say nothing of movement and detection, and of density only that it is not so "
    "high that effort would have found some: the rest of these numbers is the priors'."
)
OF_BUFFER = (
    "The mask is only a buffer around the stations, and N grows with the buffer: report the density, or the N of a "
    "place, fit.population(regions=...)."
)


class _Ground(NamedTuple):
    """The ground that N is of."""

    name: str
    is_place: bool
    """False for a buffer around the stations, whose size somebody chose."""


def fit_text(fit: Fit) -> str:
    """Return the result as text."""
    ground = _ground(fit)
    lines = _lines(fit, ground)
    width = max(len(label) for label, _ in lines)
    body = [f"   {label:<{width}}   {value}" for label, value in lines]
    trust = [f"   {WORDS[verdict]}   {advice}" for verdict, advice in _trust(fit)]
    notes = [f"   {note}" for note in _notes(fit, ground)]
    return "\n".join([_head(fit), "", *body, *notes, *_question(), *trust])


def fit_html(fit: Fit) -> str:
    """Return the same as a table for notebooks."""
    ground = _ground(fit)
    rows = "".join(f"<tr><th>{escape(a)}</th><td>{escape(b)}</td></tr>" for a, b in _lines(fit, ground))
    items = "".join(f"<li><b>{escape(verdict)}</b> {escape(advice)}</li>" for verdict, advice in _trust(fit))
    notes = escape(" ".join(_notes(fit, ground)))
    return f"<p>{escape(_head(fit))}</p><table>{rows}</table><p>{notes}</p><p>Can it be trusted?</p><ul>{items}</ul>"


def posterior_text(fit: BaseFit) -> str:
    """Return the result of a model without animals, such as occupancy, as text."""
    lines = _parameters(fit.posterior)
    width = max(len(label) for label, _ in lines)
    body = [f"   {label:<{width}}   {value}" for label, value in lines]
    trust = [f"   {WORDS[verdict]}   {advice}" for verdict, advice in _trust(fit)]
    return "\n".join([_head(fit), "", *body, f"   {MEDIANS}", *_question(), *trust])


def posterior_html(fit: BaseFit) -> str:
    """Return the same as a table for notebooks."""
    lines = _parameters(fit.posterior)
    rows = "".join(f"<tr><th>{escape(a)}</th><td>{escape(b)}</td></tr>" for a, b in lines)
    items = "".join(f"<li><b>{escape(verdict)}</b> {escape(advice)}</li>" for verdict, advice in _trust(fit))
    head, notes = escape(_head(fit)), escape(MEDIANS)
    return f"<p>{head}</p><table>{rows}</table><p>{notes}</p><p>Can it be trusted?</p><ul>{items}</ul>"


def _parameters(posterior: xr.Dataset) -> list[tuple[str, str]]:
    """Label and value of every parameter and of every effect of a covariate."""
    natural = [str(name) for name in posterior.data_vars if not str(name).endswith((*NOT_TOLD, "_effect"))]
    effects = [_effect(posterior, *each) for each in elements(posterior) if _is_effect(posterior, each[0])]
    return [*(_parameter(posterior, name) for name in natural), *effects]


def _question() -> list[str]:
    return ["", "   Can it be trusted?"]


def _notes(fit: Fit, ground: _Ground) -> list[str]:
    empty = not fit.data_tree["observed_data"].sizes["individual"]
    return [MEDIANS, *([NO_ANIMALS] if empty else []), *([] if ground.is_place else [OF_BUFFER])]


def _trust(fit: BaseFit) -> list[tuple[str, str]]:
    """Verdict and advice: the first word on the engine and on the data, and what is not as it should be."""
    told = [f for f in fit.findings if f.verdict != "ok" or f.quantity in ALWAYS_TOLD]
    return [(finding.verdict, finding.advice) for finding in told]


def _head(fit: BaseFit) -> str:
    attrs = fit.data_tree.attrs
    seconds = fit.data_tree["sample_stats"].attrs.get("seconds")
    took = "" if seconds is None else f"{decimal(seconds, 1)} s "
    return f"Fit of {describe_model(attrs['model_json'])}: {took}by {fit.engine}"


def _lines(fit: Fit, ground: _Ground) -> list[tuple[str, str]]:
    """Label and value of every line; of a buffer the density first, for its number of animals says little."""
    posterior = fit.posterior
    animals = [_animals(posterior, label, ground.name) for label in posterior["session"].values.tolist()]
    density = [_parameter(posterior, "D")]
    natural = [str(name) for name in posterior.data_vars if not str(name).endswith((*NOT_TOLD, "_effect"))]
    others = [_parameter(posterior, name) for name in natural if name not in OF_ANIMALS]
    effects = [_effect(posterior, *each) for each in elements(posterior) if _is_effect(posterior, each[0])]
    if ground.is_place:
        return [*animals, *density, *others, *effects]
    return [*density, *others, *effects, *animals]


def _ground(fit: Fit) -> _Ground:
    """Habitat where the mask was clipped to one; a buffer where that is all that the mask is; else the mask."""
    constant = fit.data_tree["constant_data"].to_dataset()
    clipped = any(str(outline) for outline in constant["mask_region"].values.tolist())
    buffers = constant["mask_buffer"].values
    size = area(float(constant["area"].sum()) / constant.sizes["session"])
    if clipped or not np.isfinite(buffers).any():
        return _Ground(f"{'habitat' if clipped else 'mask'}, {size}", is_place=True)
    return _Ground(f"within {length(float(np.nanmax(buffers)))} of a station, {size}", is_place=False)


def _animals(posterior: xr.Dataset, session: str, where: str) -> tuple[str, str]:
    median, lower, upper = median_and_interval(posterior["N"].sel(session=session))
    label = f"Animals ({where})" if posterior.sizes["session"] == 1 else f"Animals, {session}"
    return label, f"{whole(median)}   (95 %: {span(lower, upper)})"


def _parameter(posterior: xr.Dataset, name: str) -> tuple[str, str]:
    """One line of a parameter: ``σ, F | M`` and ``2.4 km (1.8 to 3.4) | 3.6 km (3.2 to 4.2)``."""
    array = posterior[name].transpose("chain", "draw", ...)
    dims = [str(dim) for dim in array.dims[2:]]
    levels = [" ".join(map(str, each)) for each in product(*(array[dim].values.tolist() for dim in dims))]
    flat = array.values.reshape(array.sizes["chain"] * array.sizes["draw"], -1)
    unit = units_of(posterior, name)
    values = [_value(name, unit, column) for column in flat.T]
    return _label(name, unit) + (f", {' | '.join(levels)}" if dims else ""), " | ".join(values)


def _label(name: str, unit: str) -> str:
    if name == "D":
        return "Density per 100 km²"
    return SYMBOLS.get(name, name) + (f" per {unit[2:]}" if unit.startswith("1/") else "")


def _value(name: str, unit: str, draws: Any) -> str:
    if unit == "m":
        return length_interval(*median_and_interval(draws))
    return estimate(100.0 * draws if name == "D" else draws)


def _is_effect(posterior: xr.Dataset, name: str) -> bool:
    return "[" in name and units_of(posterior, name).endswith("scale")


def _effect(posterior: xr.Dataset, name: str, draws: Any) -> tuple[str, str]:
    """Percentage change for one more unit of a covariate; the coefficient itself where the link is no logarithm."""
    parameter, _, inside = name.partition("[")
    symbol = SYMBOLS.get(parameter, parameter)
    label = f"{'' if parameter == 'D' else symbol + ': '}{inside[:-1]}, +1"
    if posterior[f"{parameter}_beta"].attrs.get("link") != "log":
        return label, f"{estimate(draws)} on the {units_of(posterior, name)}"
    middle, lower, upper = map(np.expm1, median_and_interval(draws))
    return label, change(middle, lower, upper, of="density" if parameter == "D" else symbol)
