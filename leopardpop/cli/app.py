"""The commands; each is a few lines around a module of this package, imported when it is called."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Annotated

import typer

from leopardpop._version import __version__
from leopardpop.errors import LeopardpopError

__all__ = ["app"]

FAILED = 1
NOT_TRUSTED = 3
NOT_CHECKED = 4
"""Of `check`, whose 1 and 2 are findings."""
UNFORESEEN = (
    "error: this should not have happened ({}: {}). Please report it with what the same command prints with --debug "
    "behind its first word: leopardpop --debug ..."
)

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="How many animals? Spatial capture-recapture for camera traps, with a certificate.",
)


_debugged = ContextVar("debugged", default=False)


def _say(text: str) -> None:
    typer.echo(text, err=True)


@contextmanager
def _plain_errors(code: int = FAILED) -> Iterator[None]:
    """Print an error as its sentence and stop; one that nobody foresaw says how to report it."""
    try:
        yield
    except (typer.Exit, typer.Abort):
        raise
    except Exception as error:
        if _debugged.get():
            raise
        foreseen = isinstance(error, (LeopardpopError, OSError))
        _say(f"error: {error}" if foreseen else UNFORESEEN.format(type(error).__name__, error))
        raise typer.Exit(code) from error


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"leopardpop {__version__}")
        raise typer.Exit


@app.callback()
def leopardpop(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show where in the code an error came from.")] = False,
) -> None:
    """How many animals? Spatial capture-recapture for camera traps, with a certificate."""
    _debugged.set(debug)


@app.command()
def demo(
    seed: Annotated[int, typer.Option(min=0, help="Another seed, another survey.")] = 1,
    folder: Annotated[Path, typer.Option(help="Where the files go; must not exist.")] = Path("leopardpop-demo"),
) -> None:
    """Simulate a survey of Amur leopards, analyse it, and set the answer beside the truth."""
    from leopardpop.cli.demo import run_demo

    with _plain_errors():
        run_demo(seed=seed, folder=folder)


@app.command()
def init(
    path: Annotated[
        Path,
        typer.Argument(
            help="A Camtrap DP package or an export of Wildlife Insights (folder, zip), or a folder with tables."
        ),
    ],
) -> None:
    """Write an analysis.toml for a package, an export, or the tables of a folder."""
    from leopardpop.cli.init import write_analysis

    with _plain_errors():
        target = write_analysis(path)
        commands = f"leopardpop check {target}  and  leopardpop fit {target}"
        typer.echo(f"Written: {target}\nNext: read it, correct the guesses, then  {commands}")


@app.command()
def check(
    source: Annotated[Path, typer.Argument(help="A folder with tables, an export (folder, zip), or an analysis.toml.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON; tables are written with --output only.")] = False,
    effort: Annotated[bool, typer.Option("--effort", help="Show who ran when instead.")] = False,
    output: Annotated[Path | None, typer.Option(help="Folder for the tables; default: here.")] = None,
) -> None:
    """List what a data manager must fix, in order: 0 nothing, 1 something to look at, 2 something to fix, 4 failed."""
    from leopardpop.cli.check import check_source, print_checked, print_effort, print_json, write_tables

    with _plain_errors(NOT_CHECKED):
        checked = check_source(source)
        if effort:
            print_effort(checked)
        else:
            tables = as_json and output is None
            written = [] if tables else write_tables(checked, output or Path())
            (print_json if as_json else print_checked)(checked, written)
    raise typer.Exit(checked.exit_code)


@app.command()
def fit(
    analysis: Annotated[Path, typer.Argument(help="The analysis file.")],
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the files of an earlier run.")] = False,
    script: Annotated[bool, typer.Option("--script", help="Print the same analysis as Python code instead.")] = False,
) -> None:
    """Run an analysis file: fit its models and write tables, figures and a report."""
    from leopardpop.cli.analysis import read_analysis
    from leopardpop.cli.fit import print_script, run_analysis

    with _plain_errors():
        checked = read_analysis(analysis)
        if script:
            print_script(checked, sys.stdout)
            return
        if not run_analysis(checked, overwrite=overwrite):
            raise typer.Exit(NOT_TRUSTED)


@app.command()
def report(
    fit: Annotated[Path, typer.Argument(help="A saved fit, such as results/fit.nc.")],
    output: Annotated[Path | None, typer.Option(help=".html or .md; default: report.html beside the fit.")] = None,
    exact: Annotated[bool, typer.Option("--exact", help="Show positions of cameras: for your own use.")] = False,
    checks: Annotated[bool, typer.Option("--checks", help="Check the model against replicates of the survey.")] = False,
    title: Annotated[str | None, typer.Option(help="Title; default: the question that is answered.")] = None,
) -> None:
    """Write the report of a saved fit."""
    from leopardpop.results.storage import load_fit

    with _plain_errors():
        target = fit.with_name("report.html") if output is None else output
        coordinates = "exact" if exact else "hidden"
        written = load_fit(fit).report(target, coordinates=coordinates, checks=checks, title=title)
    typer.echo(f"Written: {written}")


@app.command()
def study(
    scenarios: Annotated[Path, typer.Argument(help="The file of scenarios, such as scenarios.toml.")],
    workers: Annotated[int | None, typer.Option(min=1, help="Processes; default: as the file says, or one.")] = None,
) -> None:
    """Simulate and fit scenarios of a survey before it is made; goes on where an earlier run ended."""
    from leopardpop.cli.study import read_study, run_study, write_study

    with _plain_errors():
        checked = read_study(scenarios)
        found = run_study(checked, workers=workers)
        written = write_study(found, checked.folder)
    typer.echo(f"{found}\nWritten to {checked.folder}: {', '.join(path.name for path in written)}")
    if (found.failures()["verdict"] == "mostly fails").any():
        raise typer.Exit(NOT_TRUSTED)


@app.command()
def verify(
    quick: Annotated[bool, typer.Option("--quick", help="Without searches and chains: a few seconds.")] = False,
    shared: Annotated[
        str | None, typer.Option(help="Folder of published data; default: LEOPARDPOP_SHARED, or ../shared.")
    ] = None,
    as_csv: Annotated[Path | None, typer.Option("--csv", help="Write the table to a file, too.")] = None,
) -> None:
    """Ask for the known answers again, and compare: 0 all hold, 1 some differ."""
    from leopardpop.checks.verify import verify as asked

    with _plain_errors():
        found = asked(quick=quick, shared=shared, progress=_counter())
        if as_csv is not None:
            found.table().to_csv(as_csv, index=False)
        typer.echo(str(found))
    if not found.holds:
        raise typer.Exit(FAILED)


def _counter() -> Callable[[int, int], None] | None:
    """Show how far things are, where somebody looks on."""
    if not sys.stderr.isatty():
        return None
    return lambda done, total: typer.echo(f"\r{done} of {total}" + ("\n" if done == total else ""), nl=False, err=True)
