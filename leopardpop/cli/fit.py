"""``leopardpop fit``: run an analysis file, write its results and print what matters."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from rich.console import Console

from leopardpop.cli.analysis import Analysis
from leopardpop.cli.outputs import (
    WRITTEN,
    check_folder,
    clear_earlier,
    coordinates_of,
    folder_of,
    results_folder,
    write_numbers,
    write_pictures,
)
from leopardpop.cli.run import Inputs, Outcome, Warned, collect_warnings, comparison, read_inputs, run_models
from leopardpop.cli.script import script_text
from leopardpop.cli.translate import of_keywords
from leopardpop.words import counted, interval, percent, probability, whole

if TYPE_CHECKING:
    import pandas as pd

    from leopardpop.results.maximum import MaximumLikelihood

__all__ = ["Run", "print_script", "progress_line", "run_analysis", "written_files"]

INDENT = "   "
KEPT = (
    "fit.nc keeps where the cameras stood, for maps and regions later; to share it: "
    'fit.save("shared.nc", coordinates="hidden")'
)


class Run:
    """A finished run: what was read, what came out, what was said on the way.

    Parameters
    ----------
    inputs
        Data and mask.
    outcomes
        The fitted models.
    warned
        The library's warnings.
    """

    def __init__(self, inputs: Inputs, outcomes: list[Outcome], warned: Warned) -> None:
        self.inputs, self.outcomes, self.warned = inputs, outcomes, warned

    @property
    def trusted(self) -> bool:
        """Whether every fit is."""
        return all(outcome.fit.trusted for outcome in self.outcomes)


@contextmanager
def progress_line() -> Iterator[Callable[[str], None]]:
    """Show what is being done, and what the library has to say meanwhile.

    The line is shown on a terminal only. Messages of the library (that NUTS takes over, and for how long) are shown
    everywhere, on the standard error.

    Yields
    ------
    callable
        Takes the next step's name.
    """
    console = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)
    started = time.perf_counter()
    with console.status("Starting") as status, messages_to(console):
        yield lambda step: status.update(f"{step} … ({whole(time.perf_counter() - started)} s)")


@contextmanager
def messages_to(console: Console) -> Iterator[None]:
    """Print what the library logs.

    Parameters
    ----------
    console
        Where to.
    """
    logger, handler = logging.getLogger("leopardpop"), logging.Handler()
    handler.emit = lambda record: console.print(record.getMessage())  # type: ignore[method-assign]
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)


def carry_out(analysis: Analysis, folder: Path) -> Run:
    """Run an analysis and write its files.

    Parameters
    ----------
    analysis
        The checked file.
    folder
        Where the files go.

    Returns
    -------
    Run
        The results.
    """
    with collect_warnings() as warned, progress_line() as progress:
        inputs = read_inputs(analysis, progress)
        outcomes = run_models(analysis, inputs, progress)
        progress("Writing tables and posteriors")
        clear_earlier(folder)
        with results_folder(folder) as new:  # numbers first: whatever a figure does, they are not lost
            write_numbers(analysis, inputs, outcomes, new)
        with results_folder(folder) as new:
            for outcome in outcomes:
                progress(f"Drawing and writing {outcome.name}")
                write_pictures(analysis, outcome, folder_of(outcome, outcomes, new))
    return Run(inputs, outcomes, warned)


def run_analysis(analysis: Analysis, *, overwrite: bool) -> bool:
    """Run an analysis, write its files, print what matters.

    Parameters
    ----------
    analysis
        The checked file.
    overwrite
        Whether the files of an earlier run may be replaced.

    Returns
    -------
    bool
        Whether every fit is to be trusted.
    """
    check_folder(analysis.folder, overwrite=overwrite)
    run = carry_out(analysis, analysis.folder)
    console = Console(highlight=False, markup=False, soft_wrap=True)
    console.print(f"{analysis.title}\n\n{run.inputs.history!r}\n")
    for outcome in run.outcomes:
        console.print("\n".join(outcome_lines(analysis, outcome)) + "\n")
    compared = comparison(run.outcomes)
    if compared.table is not None:
        console.print("\n".join(comparison_lines(compared.table)) + "\n")
    elif compared.refused:
        console.print(compared.refused + "\n")
    for line in data_notes(run.warned):
        console.print(line)
    console.print(f"\nWritten to {analysis.folder}/: {written_files(analysis)}")
    if coordinates_of(analysis) == "hidden":
        console.print(KEPT)
    return run.trusted


def outcome_lines(analysis: Analysis, outcome: Outcome) -> list[str]:
    """Return what is printed of one model.

    Parameters
    ----------
    analysis
        The checked file.
    outcome
        The fitted model.

    Returns
    -------
    list of str
        Lines.
    """
    lines = [f"Model {outcome.name}, by {outcome.fit.engine}"]
    lines += [INDENT + line for line in repr(outcome.population).splitlines()]
    if "probability" in analysis.population:
        low, high = analysis.population["probability"]
        table = outcome.population.probability_table(low, high)
        lines += [INDENT + line for line in probability_lines(table)]
    if "decline" in analysis.occupancy:
        lines.append(INDENT + decline_line(analysis, outcome))
    if outcome.estimates is not None:
        lines += ["", *(INDENT + line for line in estimate_lines(outcome.estimates))]
    elif outcome.no_estimates:
        lines += ["", INDENT + outcome.no_estimates]
    return [
        *lines,
        "",
        f"{INDENT}Can it be trusted?",
        *(INDENT + line for line in verdict_lines(outcome.fit.diagnostics())),
    ]


def decline_line(analysis: Analysis, outcome: Outcome) -> str:
    """Return the chance of a decline.

    Parameters
    ----------
    analysis
        The checked file.
    outcome
        The fitted model.

    Returns
    -------
    str
        A line.
    """
    share: float = analysis.occupancy["decline"]
    states: Any = outcome.population
    chance = states.decline(share, **of_keywords(analysis))
    what = "used" if analysis.occupancy.get("of", "used") == "used" else "breeding"
    return f"P({what} sites fell by more than {percent(share)}, first season to last): {probability(chance)}"


def estimate_lines(estimates: MaximumLikelihood) -> list[str]:
    """Return the maximum-likelihood estimates, to be set beside those of other software.

    Parameters
    ----------
    estimates
        The fit.

    Returns
    -------
    list of str
        Lines.
    """
    table = estimates.estimates
    width = max(map(len, table.index))
    lines = ["By maximum likelihood, with 95 % intervals"]
    for name, row in table.iterrows():
        scale, unit = (100, "per 100 km²") if row["unit"] == "1/km²" else (1, row["unit"])
        middle, low, high = (scale * row[column] for column in ("estimate", "lower", "upper"))
        text = interval(middle, low, high, digits=4)
        lines.append(f"  {name:<{width}}  {text} {unit}".rstrip())
    return lines


def probability_lines(table: pd.DataFrame) -> list[str]:
    """Return the chance of the range by session and region, the prior's beside it.

    Parameters
    ----------
    table
        Of ``Population.probability_table``.

    Returns
    -------
    list of str
        Lines.
    """
    lines = []
    for label, row in table.iterrows():
        who = f"{' · '.join(label) if isinstance(label, tuple) else label}: " if len(table) > 1 else ""
        chance, prior = probability(row["probability"]), probability(row["prior_probability"])
        lines.append(f"{who}P({row['lower']:g} ≤ N ≤ {row['upper']:g}): {chance}, by the prior alone {prior}")
    return lines


def verdict_lines(diagnostics: pd.DataFrame) -> list[str]:
    """Return the diagnostics as sentences, the gravest first, those that are well in one line.

    Parameters
    ----------
    diagnostics
        Of ``Fit.diagnostics``.

    Returns
    -------
    list of str
        Lines.
    """
    order = ["fail", "warn", "note"]
    found = diagnostics[diagnostics["verdict"].isin(order)]
    found = found.sort_values("verdict", key=lambda column: column.map(order.index), kind="stable")
    lines = [f"{verdict:<6} {advice}" for verdict, advice in zip(found["verdict"], found["advice"], strict=True)]
    well = diagnostics.loc[diagnostics["verdict"] == "ok", "quantity"]
    passed = f"{'ok':<6} {counted(len(well), 'check')} passed: {', '.join(well)}"
    return [*lines, *([passed] if len(well) else [])]


def data_notes(warned: Warned) -> list[str]:
    """Return what was said of the data; what was said of the fit stands in its diagnostics.

    Parameters
    ----------
    warned
        The library's warnings.

    Returns
    -------
    list of str
        Lines.
    """
    return [f"note   {sentence}" for name, sentence in warned.notes if name in ("DataWarning", "ProjectionWarning")]


def comparison_lines(table: pd.DataFrame) -> list[str]:
    """Return the models by AICc, the best first.

    Parameters
    ----------
    table
        What :func:`leopardpop.compare` returns of maximum-likelihood fits.

    Returns
    -------
    list of str
        Lines.
    """
    width = max(map(len, table.index))
    lines = ["Models by AICc of their maximum-likelihood fits"]
    for name, row in table.iterrows():
        aicc, delta, weight = (f"{row[column]:.2f}" for column in ("aicc", "delta", "weight"))
        lines.append(f"{INDENT}{name:<{width}}  AICc {aicc}  Δ {delta}  weight {weight}")
    return lines


def written_files(analysis: Analysis) -> str:
    """Return the names of the files of a run.

    Parameters
    ----------
    analysis
        The checked file.

    Returns
    -------
    str
        Names, those in a folder after its name.
    """
    ours = {*WRITTEN, analysis.output.get("report")}
    paths = [path.relative_to(analysis.folder) for path in sorted(analysis.folder.rglob("*")) if path.name in ours]
    return ", ".join(map(str, paths))


def print_script(analysis: Analysis, out: TextIO) -> None:
    """Write the analysis as Python code.

    Parameters
    ----------
    analysis
        The checked file.
    out
        Where to.
    """
    with collect_warnings():
        inputs = read_inputs(analysis, lambda step: None)
        out.write(script_text(analysis, inputs))
