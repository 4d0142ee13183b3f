"""``leopardpop check``: what a data manager must fix before a fit, in order."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from leopardpop.cli.analysis import CAPTURES, Analysis, parse_analysis, read_analysis
from leopardpop.cli.check_record import (
    effort_lines,
    history_choices,
    history_record,
    history_shape,
    history_title,
    silent_table,
    survey_record,
)
from leopardpop.cli.expressions import evaluate
from leopardpop.cli.found import Found, toml_value
from leopardpop.cli.init import draft
from leopardpop.cli.init_package import DESCRIPTOR, is_package
from leopardpop.cli.init_records import find_records
from leopardpop.cli.occasion_length import occasion_problem
from leopardpop.cli.run import collect_warnings
from leopardpop.cli.translate import data_calls
from leopardpop.data.survey_problems import COLUMNS, SEVERITIES, problems_by_kind
from leopardpop.data.survey_problems_tables import LOOK, MUST, NOTE, Problem
from leopardpop.errors import DataError, LeopardpopError
from leopardpop.words import counted

if TYPE_CHECKING:
    import pandas as pd

    from leopardpop.data.detection_history import DetectionHistory
    from leopardpop.data.history import CaptureHistory
    from leopardpop.data.survey import Survey

__all__ = ["Checked", "check_source", "print_checked", "print_effort", "print_json", "write_tables"]

HEADINGS = {
    MUST: "MUST FIX ({}): a fit would be impossible or wrong",
    LOOK: "SHOULD LOOK ({})",
    NOTE: "NOTES ({})",
}
STYLES = {MUST: "bold red", LOOK: "bold yellow", NOTE: "bold"}
EXIT = {MUST: 2, LOOK: 1, NOTE: 1}
MOST_ALIKE = 5
"""Findings of one kind that are printed; all of them are in the table."""
SAID = {"one_flank": "identities are left out", "species_alike": " not counted as "}
"""Kind of problem -> words of the warning with which a history says the same."""
WIDTH, LABEL = 110, 24
TABLES = {"problems.csv": ",".join(COLUMNS), "silent.csv": "station,deployment,camera,start,end,days"}


@dataclass(frozen=True, kw_only=True, eq=False)
class Checked:
    """What was found in one package, or in the data of one analysis file.

    Parameters
    ----------
    source
        What was checked, as it was given.
    found
        Kind and problem, gravest first.
    survey
        The survey, if the data are one and could be read.
    history
        The history of the analysis, if it could be made.
    reading
        How the tables of a folder were read; empty for packages and analysis files.
    """

    source: str
    found: list[tuple[str, Problem]]
    survey: Survey | None = None
    history: CaptureHistory | DetectionHistory | None = None
    reading: str = ""

    @property
    def exit_code(self) -> int:
        """0: nothing was found; 1: something to look at; 2: something must be fixed."""
        return max((EXIT[problem.severity] for _, problem in self.found), default=0)

    @property
    def counts(self) -> dict[str, int]:
        """Number of problems by severity."""
        counts = Counter(problem.severity for _, problem in self.found)
        return {severity: counts[severity] for severity in SEVERITIES}

    @cached_property
    def silent(self) -> pd.DataFrame | None:
        """Cameras that recorded nothing for long, where no failures were given; None where that says nothing."""
        return None if self.survey is None else silent_table(self.survey)

    @cached_property
    def record(self) -> dict[str, str]:
        """What there is: heading -> words."""
        rows = {} if self.survey is None else survey_record(self.survey)
        rows |= {} if self.history is None else history_record(self.history)
        return rows | ({"read as": self.reading} if self.reading else {})


def check_source(path: Path) -> Checked:
    """Check a package, an export, the tables of a folder, or the data of an analysis file.

    Parameters
    ----------
    path
        A Camtrap DP package (folder, zip, datapackage.json), an export of Wildlife Insights (folder, zip), or a folder
        with tables that ``leopardpop init`` knows; or an analysis.toml.

    Returns
    -------
    Checked
        What cannot be read is a finding, too.

    Raises
    ------
    DataError
        If there is no such file, nothing in it is known, or the analysis file itself is wrong.
    """
    if not path.exists():
        raise DataError(f"there is no {path}. Give a folder with tables, the zip of an export, or an analysis.toml.")
    if path.is_dir() and not (path / DESCRIPTOR).exists() and (path / "analysis.toml").exists():
        path = path / "analysis.toml"
    if path.suffix.lower() == ".toml":
        return _check_analysis(read_analysis(path), str(path))
    found = find_records(path)
    if found is not None:
        return _check_found(found, str(path))
    return _check_package(path) if is_package(path) else _check_tables(path)


def _check_found(found: Found, source: str) -> Checked:
    """Check tables of records as ``leopardpop init`` would have them read."""
    checked = _read(source, {"survey": lambda scope: found.survey})
    doubts = [("doubt", Problem(LOOK, "dates", words, fix)) for words, fix in found.doubts]
    every = sorted([*checked.found, *doubts], key=lambda each: SEVERITIES.index(each[1].severity))
    return replace(checked, found=every, reading=found.told)


def _check_tables(path: Path) -> Checked:
    """Check tables of captures as ``leopardpop init`` would have them read."""
    if not path.is_dir():
        raise DataError(f"{path} is a single file. Give the folder that it is in, with the other tables.")
    analysis = parse_analysis(draft(path), path / "analysis.toml")
    told = [f"{key} = {toml_value(value)}" for key, value in analysis.data.items() if key != "reader"]
    reading = ", ".join([f'"{analysis.data["reader"]}"', *told])
    return replace(_check_analysis(analysis, str(path)), reading=reading)


def _check_package(path: Path) -> Checked:
    import leopardpop as lp

    return _read(str(path), {"survey": lambda scope: lp.read_camtrap_dp(path)})


def _check_analysis(analysis: Analysis, source: str) -> Checked:
    import leopardpop as lp

    def step(call: Any) -> Any:
        return lambda scope: evaluate(call, {"lp": lp} | scope)

    checked = _read(source, {name: step(call) for name, call in data_calls(analysis).items()})
    asked = analysis.data | analysis.data.get("history", {})
    severities = {"without_effort": LOOK} if asked.get("on_zero_effort", "raise") != "raise" else {}
    if all(model.get("family", "SCR") not in CAPTURES for model in analysis.models.values()):
        severities["no_identities"] = NOTE
    return replace(checked, found=_decided(checked.found, severities))


def _read(source: str, steps: dict[str, Any]) -> Checked:
    """Read the survey and make the history; an error, and each warning, becomes a finding."""
    made: dict[str, Any] = {}
    failed: list[tuple[str, Problem]] = []
    with collect_warnings() as warned:
        for name, step in steps.items():
            try:
                made[name] = step(made)
            except LeopardpopError as error:
                failed.append((f"no {name}", Problem(MUST, Path(source).name, str(error), "")))
                break
    survey = made.get("survey")
    found = [] if survey is None else problems_by_kind(survey)
    if survey is not None and any(problem.severity == MUST for _, problem in found):
        failed = []  # what stops the history has been said, with all of its cases
    kinds = {kind for kind, _ in found}
    notes = [("warning", Problem(LOOK, "data", words, "")) for words in _warnings(warned.notes, kinds)]
    history = made.get("history")
    if history is not None:
        notes += [("occasions", each) for each in occasion_problem(survey, history_shape(history))]
    every = sorted([*failed, *found, *notes], key=lambda each: SEVERITIES.index(each[1].severity))
    return Checked(source=source, found=every, survey=survey, history=history)


def _warnings(notes: list[tuple[str, str]], kinds: set[str]) -> Iterator[str]:
    """Warnings about the data, without what is among the problems, and what was only done to coordinates."""
    told = [words for kind, words in SAID.items() if kind in kinds]
    for name, sentence in notes:
        if name != "ProjectionWarning" and not any(words in sentence for words in told):
            yield sentence


def _decided(found: list[tuple[str, Problem]], severities: dict[str, str]) -> list[tuple[str, Problem]]:
    """Give kinds of problems that the analysis deals with another severity: kind -> severity."""
    told = [(kind, problem._replace(severity=severities.get(kind, problem.severity))) for kind, problem in found]
    return sorted(told, key=lambda each: SEVERITIES.index(each[1].severity))


# -- files ------------------------------------------------------------------------------------------------------------
def write_tables(checked: Checked, folder: Path) -> list[Path]:
    """Write what was found as tables.

    Parameters
    ----------
    checked
        What was found.
    folder
        Where to; made if there is none.

    Returns
    -------
    list of Path
        ``problems.csv`` if there are problems, ``silent.csv`` if cameras were silent and no failures are given.

    Raises
    ------
    DataError
        If a file of that name is there that this command did not write.
    """
    import pandas as pd

    tables = {"problems.csv": pd.DataFrame([problem for _, problem in checked.found], columns=COLUMNS)}
    if checked.silent is not None:
        tables["silent.csv"] = checked.silent
    wanted = {folder / name: table for name, table in tables.items() if len(table)}
    for path in wanted:
        _check_ours(path)
    for path, table in wanted.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        table.to_csv(path, index=False, encoding="utf-8")
    return list(wanted)


def _check_ours(path: Path) -> None:
    if not path.exists():
        return
    with path.open(encoding="utf-8", errors="replace") as file:
        header = file.readline().strip()
    if header != TABLES[path.name]:
        raise DataError(f"{path} exists and is another table. Pass --output with a folder for the tables of check.")


# -- screen -----------------------------------------------------------------------------------------------------------
def print_checked(checked: Checked, written: list[Path]) -> None:
    """Print what was found, the gravest first.

    Parameters
    ----------
    checked
        What was found.
    written
        The tables that were written.
    """
    console = _console()
    console.print(f"leopardpop check {checked.source}     {_headline(checked)}", soft_wrap=True)
    number = 1
    for severity in SEVERITIES:
        chosen = [(kind, problem) for kind, problem in checked.found if problem.severity == severity]
        if chosen:
            console.print()
            console.print(Text(HEADINGS[severity].format(len(chosen)), style=STYLES[severity]))
            console.print(_section(chosen, number))
            number += len(chosen)
    if checked.record:
        console.print("\nFOR THE RECORD")
        console.print(_record(checked.record))
    console.print()
    console.print(_foot(checked, written), soft_wrap=True)


def print_json(checked: Checked, written: list[Path]) -> None:
    """Print what was found as JSON: an object with source, counts, problems, record, tables, exit_code.

    Parameters
    ----------
    checked
        What was found.
    written
        The tables that were written.
    """
    problems = [{"kind": kind, **problem._asdict()} for kind, problem in checked.found]
    content: dict[str, Any] = {
        "source": checked.source,
        "counts": checked.counts,
        "problems": problems,
        "record": checked.record,
    }
    content |= {"tables": [str(path) for path in written], "exit_code": checked.exit_code}
    Console(highlight=False, markup=False, soft_wrap=True).print(json.dumps(content, indent=2, ensure_ascii=False))


def print_effort(checked: Checked) -> None:
    """Print who ran when.

    Parameters
    ----------
    checked
        What was found.

    Raises
    ------
    DataError
        If there is no survey to show.
    """
    if checked.survey is None:
        reason = checked.found[0][1].found if checked.found else "the data are a history, without deployments"
        raise DataError(f"{checked.source}: there is no effort to show: {reason}")
    console = _console()
    console.print("\n".join(effort_lines(checked.survey, console.width)), soft_wrap=True)


def _console() -> Console:
    """The screen; a file or a pipe gets lines of a fixed width."""
    console = Console(highlight=False, markup=False)
    return console if console.is_terminal else Console(highlight=False, markup=False, width=WIDTH)


def _headline(checked: Checked) -> str:
    survey = checked.survey
    if survey is None:
        return "could not be read" if checked.history is None else history_title(checked.history)
    title = list(survey.notes[:1]) or [counted(len(survey.deployments), "deployment")]
    parts = [re.sub(r", [^,]* used of [\d,]+$", "", title[0]), counted(len(survey.stations), "station")]
    return ", ".join([*parts, f"{counted(len(survey.records), 'record')} used of {len(survey.audit):,}"])


def _section(found: list[tuple[str, Problem]], first: int) -> Table:
    """Findings of one severity, numbered; of many alike the first few."""
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(justify="right", no_wrap=True)
    grid.add_column(max_width=LABEL, overflow="fold")
    grid.add_column(overflow="fold")
    kinds = Counter(kind for kind, _ in found)
    seen: Counter[str] = Counter()
    for number, (kind, problem) in enumerate(found, first):
        seen[kind] += 1
        if seen[kind] <= MOST_ALIKE:
            grid.add_row(str(number), Text(problem.where), Text(_sentence(problem)))
        elif seen[kind] == MOST_ALIKE + 1:
            grid.add_row("", "", Text(f"… and {counted(kinds[kind] - MOST_ALIKE, 'finding')} more like these"))
    return grid


def _sentence(problem: Problem) -> str:
    """What was found and what to do, as one or two sentences."""
    if not problem.fix:
        return problem.found
    if problem.fix.endswith("?"):
        return f"{problem.found}: {problem.fix}"
    found = problem.found if problem.found.endswith("?") else f"{problem.found.rstrip('.')}."
    return f"{found} {problem.fix[0].upper()}{problem.fix[1:].rstrip('.')}."


def _record(record: dict[str, str]) -> Table:
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for name, words in record.items():
        grid.add_row(f"   {name}", Text(words))
    return grid


def _foot(checked: Checked, written: list[Path]) -> str:
    counts = checked.counts
    words = {MUST: "to fix", LOOK: "to look at", NOTE: "to note"}
    told = ", ".join(f"{counts[severity]} {words[severity]}" for severity in SEVERITIES if counts[severity])
    tables = f" Table: {', '.join(map(str, written))}." if written else ""
    return f"{told or 'Nothing to fix, nothing to look at'}.{tables}{_next(checked)}"


def _next(checked: Checked) -> str:
    """What can be done now: see the effort, and say what a folder leaves open."""
    steps = [f"leopardpop check {checked.source} --effort shows who ran when"] if checked.survey else []
    if checked.reading:
        open_ = (
            "species, tz (zone of the clocks), dates, occasion" if checked.survey else history_choices(checked.history)
        )
        steps.append(f"leopardpop init {checked.source} writes an analysis.toml, in which you choose {open_}")
    return f"   Next: {'; '.join(steps)}" if steps else ""
