"""``leopardpop demo``: the bundled survey, analysed as if it were real; every printed number comes from the run."""

from __future__ import annotations

import math
import time
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from rich.console import Console

from leopardpop._version import __version__
from leopardpop.cli.analysis import Analysis, parse_analysis
from leopardpop.cli.fit import data_notes, progress_line
from leopardpop.cli.outputs import check_folder, clear_earlier, results_folder, write_numbers, write_pictures
from leopardpop.cli.run import Inputs, Outcome, Warned, collect_warnings, read_inputs, run_models
from leopardpop.words import (
    MEDIANS,
    area,
    change,
    decimal,
    estimate,
    length_interval,
    median_and_interval,
    probability,
    span,
    whole,
)

__all__ = ["run_demo"]

ANALYSIS = """\
# The bundled survey of Amur leopards: synthetic, no camera position and no animal is real.
# Run it again:  leopardpop fit analysis.toml --overwrite     As Python code:  leopardpop fit analysis.toml --script
leopardpop = 1
title = "How many leopards? (synthetic survey, seed {seed})"

[data]
reader = "example"
name = "amur_leopard"
seed = {seed}
species = "Panthera pardus"
start = "2024-02-01"
end = "2024-05-02"
occasion = "7D"
flank = "left"

[mask]
buffer = 60000                           # so wide that the mask is the whole habitat, for which the truth is known
spacing = 2000
habitat = "layers.habitat"
covariates = {{ snow = "layers.snow" }}

[models.snow]
family = "SCR"
density = "~ snow"
detection = {{ HalfNormal = {{ lambda0 = "~ sex", sigma = "~ sex" }} }}
classes = "sex"

[fit]
engine = "auto"
draws = 1000
chains = 4
seed = {seed}

[population]
probability = [30, 50]

[output]
folder = "results"
report = "report.html"
coordinates = "exact"                    # of cameras that do not exist
checks = false
"""
FILES = (
    "report.html",
    "population.csv",
    "summary.csv",
    "density.png",
    "population.png",
    "fit.nc",
    "analysis.toml",
    "audit.csv",
)
REASONS = {
    "before the start": "outside the dates",
    "after the end": "outside the dates",
    "flank right": "of the right flank only",
    "life stage juvenile": "cubs",
}
LABEL = 30


def run_demo(*, seed: int, folder: Path) -> None:
    """Run the demo: read, fit, write, print.

    Parameters
    ----------
    seed
        Of the survey and of the fit.
    folder
        Where the files go.

    Raises
    ------
    DataError
        If the folder exists and is not that of an earlier demo.
    """
    check_folder(folder, overwrite=True)
    analysis = parse_analysis(ANALYSIS.format(seed=seed), Path("analysis.toml"))
    with collect_warnings() as warned, progress_line() as progress, results_folder(folder) as new:
        inputs = read_inputs(analysis, progress)
        before = time.perf_counter()
        (outcome,) = run_models(analysis, inputs, progress)
        seconds = time.perf_counter() - before
        progress("Writing tables, figures and the report")
        clear_earlier(folder)
        write_numbers(analysis, inputs, [outcome], new)
        write_pictures(analysis, outcome, new, figures=("density", "population"), truth=truth_of(inputs))
    lines = [
        f"leopardpop {__version__} demo: the bundled, synthetic Amur leopard survey "
        f"(seed {seed}; no camera position is real)",
        "",
        *input_lines(analysis, inputs),
        f"4 Model     {model_text(analysis)}; priors from the design",
        f"5 Fit       {decimal(seconds, 1)} s by {outcome.fit.engine}",
        "",
        *answer_lines(analysis, inputs, outcome),
        "",
        *trust_lines(inputs, outcome, warned),
        "",
        f"Written to {folder}/: {', '.join(FILES)}",
        f"Next: open {folder / 'report.html'}, or  leopardpop init YOUR_FOLDER",
    ]
    Console(highlight=False, markup=False, soft_wrap=True).print("\n".join(lines))


def truth_of(inputs: Inputs) -> int | None:
    """Return the number of animals that the survey was simulated with.

    Parameters
    ----------
    inputs
        Of the demo.

    Returns
    -------
    int or None
        None for a survey that was not simulated.
    """
    return None if inputs.survey is None else inputs.survey.truth.N


def input_lines(analysis: Analysis, inputs: Inputs) -> list[str]:
    """Return what was read: records, history, mask.

    Parameters
    ----------
    analysis
        Of the demo.
    inputs
        Of the demo.

    Returns
    -------
    list of str
        Lines.
    """
    survey, history, mask = inputs.survey, inputs.history, inputs.mask
    if survey is None:
        return []
    effort = history.effort.groupby("station")["effort"].sum()
    failed = int((effort < effort.max() - 1e-9).sum())
    sexes = history.individuals["sex"].value_counts().sort_index()
    return [
        f"1 Records   {whole(len(survey.stations))} stations, {whole(len(survey.deployments))} cameras, "
        f"{dates_text(analysis)}. {failed} stations failed for a time: that is no effort.",
        f"            {whole(effort.sum())} station-days. {record_text(history.audit)}      audit.csv",
        f"2 History   {history.n_individuals} animals ({', '.join(f'{n} {sex}' for sex, n in sexes.items())}), "
        f"{history.n_detections} detections, {history.n_recaptures} recaptures, "
        f"{history.n_multi_station_individuals} animals at more than one station",
        f"3 Mask      {whole(mask.n_cells)} cells of {area(mask.area[0])}, {area(mask.total_area)} of habitat",
    ]


def dates_text(analysis: Analysis) -> str:
    """Return the first and the last day.

    Parameters
    ----------
    analysis
        Of the demo.

    Returns
    -------
    str
        Such as ``1 Feb to 1 May 2024``.
    """
    first = date.fromisoformat(analysis.data["start"])
    last = date.fromisoformat(analysis.data["end"]) - timedelta(days=1)
    return f"{first.day} {first:%b} to {last.day} {last:%b %Y}"


def record_text(audit: Any) -> str:
    """Return what became of the records of leopards: a sum that must come out.

    Parameters
    ----------
    audit
        Of the history.

    Returns
    -------
    str
        Such as ``378 leopard records = 117 kept + 212 merged + 49 dropped (…)``.
    """
    numbers = audit["action"].value_counts()
    dropped = audit.loc[audit["action"] == "dropped", "reason"].replace(REASONS).value_counts()
    reasons = ", ".join(f"{number} {reason}" for reason, number in dropped.items())
    parts = [f"{whole(numbers[action])} {action}" for action in ("kept", "merged", "dropped") if action in numbers]
    return f"{whole(len(audit))} leopard records = {' + '.join(parts)}" + (f" ({reasons})" if reasons else "")


def model_text(analysis: Analysis) -> str:
    """Return the model in one line.

    Parameters
    ----------
    analysis
        Of the demo.

    Returns
    -------
    str
        Such as ``density ~ snow; half-normal detection, λ0 ~ sex, σ ~ sex``.
    """
    (model,) = analysis.models.values()
    formulas = model["detection"]["HalfNormal"]
    return f"density {model['density']}; half-normal detection, λ0 {formulas['lambda0']}, σ {formulas['sigma']}"


def answer_lines(analysis: Analysis, inputs: Inputs, outcome: Outcome) -> list[str]:
    """Return the answer: animals, the chance of the range, density, and what they depend on.

    Parameters
    ----------
    analysis
        Of the demo.
    inputs
        Data and mask; the survey knows the truth.
    outcome
        The fitted model.

    Returns
    -------
    list of str
        Lines.
    """
    population, posterior = outcome.population, outcome.fit.posterior
    low, high = analysis.population["probability"]
    number, lower, upper = median_and_interval(population.realised.sum("sex"))
    truth = f"     the survey was simulated with {truth_of(inputs)}"
    chance, prior = (probability(float(f(low, high))) for f in (population.probability, population.prior_probability))
    sexes = [posterior.sel(sex=sex) for sex in ("F", "M")]
    snow = posterior["D_beta"].sel(D_coef="snow")
    rows = {
        "Leopards in the habitat": f"{whole(number)}   (95 %: {span(lower, upper)}){truth}",
        f"P({low} ≤ N ≤ {high})": f"{chance}   (by the prior alone {prior})",
        "Density per 100 km²": estimate(population.density(100)),
        "σ, female | male": " | ".join(length_interval(*median_and_interval(s["sigma"])) for s in sexes),
        "λ0 per day, female | male": " | ".join(estimate(s["lambda0"]) for s in sexes),
        "Snow, +1 cm": _effect(snow),
    }
    return [*(f"   {label:<{LABEL}}{text}" for label, text in rows.items()), f"   {MEDIANS}"]


def _effect(slope: Any) -> str:
    """Relative change of density for one unit of a covariate."""
    middle, lower, upper = map(math.expm1, median_and_interval(slope))
    return change(middle, lower, upper, of="density")


def trust_lines(inputs: Inputs, outcome: Outcome, warned: Warned) -> list[str]:
    """Return the certificate and the notes.

    Parameters
    ----------
    inputs
        Data and mask.
    outcome
        The fitted model.
    warned
        The library's warnings.

    Returns
    -------
    list of str
        Lines.
    """
    diagnostics = outcome.fit.diagnostics()
    shown = (diagnostics["verdict"] != "ok") | diagnostics["quantity"].isin(["Pareto k", "spatial recaptures"])
    rows = zip(diagnostics.loc[shown, "verdict"], diagnostics.loc[shown, "advice"], strict=True)
    lines = ["Can it be trusted?", *(f"{verdict:<6} {advice}" for verdict, advice in rows)]
    single = int(inputs.history.audit["reason"].str.startswith("flank").sum())
    if single:
        lines.append(f"note   {single} records show the right flank only and are left out; see `flank` in the docs")
    return [f"   {line}" for line in [*lines, *data_notes(warned)]]
