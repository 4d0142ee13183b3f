"""The same analysis as Python code."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from leopardpop.cli.analysis import Analysis
from leopardpop.cli.expressions import Call, Name, source
from leopardpop.cli.run import Inputs, model_calls, wants_estimates
from leopardpop.cli.translate import data_calls, fit_keywords, mask_call, of_keywords, population_keywords

__all__ = ["script_text"]


def script_text(analysis: Analysis, inputs: Inputs) -> str:
    """Return Python code that does what the analysis file does.

    Parameters
    ----------
    analysis
        The checked file.
    inputs
        Data and mask: they decide which priors concern which model.

    Returns
    -------
    str
        A script, to be run in the folder of the analysis file.
    """
    calls = model_calls(analysis, inputs)
    parts = [
        [f"# {analysis.title}", f"# The analysis of {analysis.path.name}; run it in the same folder."],
        ["import leopardpop as lp"],
        [*_assignments(data_calls(analysis)), *_mask_lines(analysis)],
        [f"models = {source(calls, column=9)}"],
        _fit_lines(analysis),
        _print_lines(analysis),
    ]
    return "\n\n".join("\n".join(lines) for lines in parts) + "\n"


def _assignments(calls: Mapping[str, Call | Name]) -> list[str]:
    return [f"{name} = {source(call, column=len(name) + 3)}" for name, call in calls.items()]


def _mask_lines(analysis: Analysis) -> list[str]:
    return [] if analysis.is_occupancy else [f"mask = {source(mask_call(analysis), column=7)}"]


def _fit_lines(analysis: Analysis) -> list[str]:
    names = ("history",) if analysis.is_occupancy else ("history", "mask")
    lines = [_for_each("fits", "fit", names, fit_keywords(analysis))]
    if wants_estimates(analysis):
        lines.append(_for_each("estimates", "maximum_likelihood", names, {}))
    if analysis.is_occupancy:
        return [*lines, "states = {name: fit.occupancy() for name, fit in fits.items()}"]
    call = Call(Name("fit", ("population",)), keywords=population_keywords(analysis))
    return [*lines, f"populations = {{name: {source(call)} for name, fit in fits.items()}}"]


def _for_each(variable: str, method: str, names: tuple[str, ...], keywords: dict[str, Any]) -> str:
    call = Call(Name("model", (method,)), tuple(map(Name, names)), keywords)
    return f"{variable} = {{name: {source(call)} for name, model in models.items()}}"


def _print_lines(analysis: Analysis) -> list[str]:
    found = "states" if analysis.is_occupancy else "populations"
    lines = [f'print(name, fit.diagnostics(), fit.summary(), {found}[name].summary(), sep="\\n")']
    if wants_estimates(analysis):
        lines.append("print(estimates[name].aicc, estimates[name].estimates)")
    if "decline" in analysis.occupancy:
        call = Call(Name("states[name]", ("decline",)), (analysis.occupancy["decline"],), of_keywords(analysis))
        lines.append(f"print({source(call)})")
    if "probability" in analysis.population:
        low, high = analysis.population["probability"]
        lines.append(f"print(populations[name].probability({low!r}, {high!r}))")
    return ["for name, fit in fits.items():", *(f"    {line}" for line in lines)]
