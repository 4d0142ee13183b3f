"""The posterior in a few lines, for people: the animals, the parameters, and whether it can be trusted."""

from __future__ import annotations

import html
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from leopardpop.results.elements import elements, median_and_interval, units_of
from leopardpop.results.model_json import describe_model

if TYPE_CHECKING:
    import xarray as xr

    from leopardpop.results.fit import Fit

__all__ = ["fit_html", "fit_text"]

WORDS = {"ok": "ok  ", "note": "note", "warn": "WARN", "fail": "FAIL"}
SYMBOLS = {"sigma": "σ", "lambda0": "λ0", "pmix": "Share"}
ALWAYS_TOLD = ("Pareto k", "R-hat, largest", "spatial recaptures")
OF_ANIMALS = ("D", "E_N", "N")


def fit_text(fit: Fit) -> str:
    """Return the result as text."""
    lines = _lines(fit)
    width = max(len(label) for label, _ in lines)
    body = [f"   {label:<{width}}   {value}" for label, value in lines]
    trust = [f"   {WORDS[verdict]}   {advice}" for verdict, advice in _trust(fit)]
    return "\n".join([_head(fit), "", *body, "", "   Can it be trusted?", *trust])


def fit_html(fit: Fit) -> str:
    """Return the same as a table for notebooks."""
    rows = "".join(f"<tr><th>{html.escape(a)}</th><td>{html.escape(b)}</td></tr>" for a, b in _lines(fit))
    items = "".join(f"<li><b>{verdict}</b> {html.escape(advice)}</li>" for verdict, advice in _trust(fit))
    return f"<p>{html.escape(_head(fit))}</p><table>{rows}</table><p>Can it be trusted?</p><ul>{items}</ul>"


def _trust(fit: Fit) -> list[tuple[str, str]]:
    """Verdict and advice: the first word on the engine and on the data, and what is not as it should be."""
    told = [f for f in fit.findings if f.verdict != "ok" or f.quantity in ALWAYS_TOLD]
    return [(finding.verdict, finding.advice) for finding in told]


def _head(fit: Fit) -> str:
    attrs = fit.data_tree.attrs
    seconds = fit.data_tree["sample_stats"].attrs.get("seconds")
    took = "" if seconds is None else f"{seconds:.1f} s "
    return f"Fit of {describe_model(attrs['model_json'])}: {took}by {fit.engine}"


def _lines(fit: Fit) -> list[tuple[str, str]]:
    """Label and value of every line."""
    posterior = fit.posterior
    lines = [_animals(posterior, label, _place(fit)) for label in posterior["session"].values.tolist()]
    lines.append(_parameter(posterior, "D"))
    natural = [str(name) for name in posterior.data_vars if not str(name).endswith("_beta")]
    lines += [_parameter(posterior, name) for name in natural if name not in OF_ANIMALS]
    effects = [(name, draws) for name, draws in elements(posterior) if _is_effect(posterior, name)]
    return lines + [_effect(posterior, name, draws) for name, draws in effects]


def _place(fit: Fit) -> str:
    """Name of the ground that N is of: habitat where the mask was clipped to one."""
    constant = fit.data_tree["constant_data"].to_dataset()
    clipped = any(str(outline) for outline in constant["mask_region"].values.tolist())
    area = float(constant["area"].sum()) / constant.sizes["session"]
    return f"{'habitat' if clipped else 'mask'}, {area:,.0f} km²"


def _animals(posterior: xr.Dataset, session: str, where: str) -> tuple[str, str]:
    median, lower, upper = median_and_interval(posterior["N"].sel(session=session))
    label = f"Animals ({where})" if posterior.sizes["session"] == 1 else f"Animals, {session}"
    return label, f"{median:.0f}   (95 %: {lower:.0f} to {upper:.0f})"


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
    if name == "D":
        return _range(100.0 * draws)
    if unit != "m":
        return _range(draws)
    return _range(draws / 1000.0, " km") if np.median(draws) >= 1000.0 else _range(draws, " m")


def _is_effect(posterior: xr.Dataset, name: str) -> bool:
    return "[" in name and units_of(posterior, name).endswith("scale")


def _effect(posterior: xr.Dataset, name: str, draws: Any) -> tuple[str, str]:
    """Percentage change for one more unit of a covariate; the coefficient itself where the link is no logarithm."""
    parameter, _, inside = name.partition("[")
    label = f"{'' if parameter == 'D' else SYMBOLS.get(parameter, parameter) + ': '}{inside[:-1]}, +1"
    if posterior[f"{parameter}_beta"].attrs.get("link") != "log":
        return label, f"{_range(draws)} on the {units_of(posterior, name)}"
    middle, lower, upper = (100.0 * np.expm1(v) for v in median_and_interval(draws))
    what = "density" if parameter == "D" else SYMBOLS.get(parameter, parameter)
    return label, f"{_signed(middle)} % {what} ({_signed(lower)} to {_signed(upper)})"


def _signed(value: float) -> str:
    """A percentage: whole from 10 on."""
    text = f"{value:+,.0f}" if abs(value) >= 10 else f"{value:+.1f}"
    return text.replace("-", "−")


def _range(draws: Any, unit: str = "") -> str:
    values = median_and_interval(draws)
    median, lower, upper = (f"{value:,.{_digits(values[0])}f}".replace("-", "−") for value in values)
    return f"{median}{unit} ({lower} to {upper})"


def _digits(value: float) -> int:
    """Decimals that show about two digits."""
    size = abs(value)
    return 0 if size >= 100 else 1 if size >= 10 else 2 if size >= 0.1 else 3 if size >= 0.01 else 5
