"""The files of a run."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from leopardpop.cli.analysis import Analysis
from leopardpop.cli.expressions import evaluate
from leopardpop.cli.run import Inputs, Outcome, comparison
from leopardpop.cli.translate import population_keywords
from leopardpop.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

__all__ = ["WRITTEN", "check_folder", "clear_earlier", "folder_of", "results_folder", "write_numbers", "write_pictures"]

MARK = "analysis.toml"
SYNTHETIC = (
    "The survey is synthetic: no animal and no position of a camera is real. It judges the method, nothing else."
)
FIGURES = ("survey", "detection", "density", "population")
OF_OCCUPANCY = ("states",)
TABLES = (
    *("summary", "population", "occupancy", "diagnostics", "checks", "estimates", "comparison", "audit"),
    *("matches", "species"),
)
OF_COMMUNITIES = ("species",)
PICTURES = (*FIGURES, *OF_OCCUPANCY, *OF_COMMUNITIES)
WRITTEN = (MARK, "fit.nc", "report.html", *(f"{name}.csv" for name in TABLES), *(f"{name}.png" for name in PICTURES))


def check_folder(folder: Path, *, overwrite: bool) -> None:
    """Refuse to write over anything but the files of an earlier run, and that only when asked to.

    Parameters
    ----------
    folder
        Where the results go.
    overwrite
        Whether the files of an earlier run may be replaced.

    Raises
    ------
    DataError
        If the folder exists and may not be used.
    """
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return
    if not folder.is_dir():
        raise DataError(f"{folder} is a file. Name another folder for the results.")
    if not (folder / MARK).exists():
        raise DataError(f"{folder} exists and was not written by leopardpop. Name another folder for the results.")
    if not overwrite:
        raise DataError(f"{folder} exists. Remove it, name another folder, or pass --overwrite.")


def clear_earlier(folder: Path) -> None:
    """Remove the files of an earlier run, so that none of them is taken for a result of this one; other files stay.

    Parameters
    ----------
    folder
        Where the results go.
    """
    models = [path.parent for path in folder.glob("*/fit.nc")]
    for place in (*models, folder):
        for name in WRITTEN:
            (place / name).unlink(missing_ok=True)
    for place in models:
        if not any(place.iterdir()):
            place.rmdir()


@contextmanager
def results_folder(folder: Path) -> Iterator[Path]:
    """Give a new folder to write to; when all went well its files move to `folder`, so a failed run leaves no half.

    Parameters
    ----------
    folder
        Where the files end up. Files of other names in it stay.

    Yields
    ------
    Path
        The folder to write to.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as name:
        yield Path(name)
        for path in sorted(Path(name).rglob("*")):
            target = folder / path.relative_to(name)
            if path.is_dir():
                target.mkdir(parents=True, exist_ok=True)
            else:
                target.parent.mkdir(parents=True, exist_ok=True)
                path.replace(target)


def write_numbers(analysis: Analysis, inputs: Inputs, outcomes: list[Outcome], folder: Path) -> None:
    """Write all that is not a picture: the analysis itself, the audit, the tables and the posteriors.

    Parameters
    ----------
    analysis
        The checked file.
    inputs
        Data and mask.
    outcomes
        The fitted models.
    folder
        Where to.
    """
    (folder / MARK).write_text(analysis.text, encoding="utf-8")
    inputs.history.audit.to_csv(folder / "audit.csv", index=False)
    _write({o.name: o.fit.summary() for o in outcomes}, folder / "summary.csv", "parameter")
    found = "occupancy" if analysis.is_occupancy else "population"
    _write({o.name: o.population.summary() for o in outcomes}, folder / f"{found}.csv", "quantity")
    if analysis.output.get("checks", True):
        _write({o.name: o.fit.diagnostics() for o in outcomes}, folder / "diagnostics.csv", "quantity")
    estimates = {o.name: o.estimates.estimates for o in outcomes if o.estimates is not None}
    if estimates:
        _write(estimates, folder / "estimates.csv", "parameter")
    for outcome in outcomes:
        place = folder_of(outcome, outcomes, folder)
        place.mkdir(exist_ok=True)
        outcome.fit.save(place / "fit.nc")
    compared = comparison(outcomes)
    if compared.table is not None:
        compared.table.to_csv(folder / "comparison.csv", index_label="model")
    unchecked = ("matches", "species")  # two flanks and communities have no replicates to be checked against
    _write_checks(analysis, [o for o in outcomes if not any(hasattr(o.fit, name) for name in unchecked)], folder)
    species = {o.name: o.fit.species() for o in outcomes if hasattr(o.fit, "species")}
    if species:
        _write(species, folder / "species.csv", "species")
    matches = {o.name: o.fit.matches for o in outcomes if hasattr(o.fit, "matches")}
    if matches:
        _write(matches, folder / "matches.csv", "pair")


def _write_checks(analysis: Analysis, outcomes: list[Outcome], folder: Path) -> None:
    """Write what needs to know which animal a record is of; of two flanks that cannot be had."""
    if outcomes and analysis.output.get("checks", True):
        _write({o.name: o.fit.check().table() for o in outcomes}, folder / "checks.csv", "name")
    if outcomes and analysis.output.get("sensitivity", False):
        _write({o.name: o.fit.sensitivity().table() for o in outcomes}, folder / "sensitivity.csv", "change")


def folder_of(outcome: Outcome, outcomes: list[Outcome], folder: Path) -> Path:
    """Return where the files of one model go: a folder of its own where there are several.

    Parameters
    ----------
    outcome
        The model.
    outcomes
        All models.
    folder
        Where the files of the run go.

    Returns
    -------
    Path
        The folder.
    """
    return folder if len(outcomes) == 1 else folder / outcome.name


def _write(tables: Mapping[str, pd.DataFrame], path: Path, index: str) -> None:
    """One table with a column `model`; a meaningful index becomes a column."""
    import pandas as pd

    named = {name: _with_columns(table, index) for name, table in tables.items()}
    pd.concat(named, names=["model"]).reset_index(level=0).to_csv(path, index=False)


def _with_columns(table: pd.DataFrame, index: str) -> pd.DataFrame:
    import pandas as pd

    if isinstance(table.index, pd.RangeIndex):
        return table
    names = [str(name or index) for name in table.index.names]
    return table.rename_axis(index=names).reset_index()


def write_pictures(
    analysis: Analysis, outcome: Outcome, folder: Path, *, figures: tuple[str, ...] = FIGURES, truth: int | None = None
) -> None:
    """Write the figures and the report of one model.

    Parameters
    ----------
    analysis
        The checked file.
    outcome
        The fitted model.
    folder
        Where to.
    figures
        Which figures.
    truth
        Number of animals in the habitat that a survey was simulated with.
    """
    import matplotlib

    matplotlib.use("agg")
    folder.mkdir(exist_ok=True)
    options = figure_options(analysis, truth)
    community = hasattr(outcome.fit, "species")
    for name in OF_COMMUNITIES if community else OF_OCCUPANCY if analysis.is_occupancy else figures:
        axes = getattr(outcome.fit.plot, name)(**options.get(name, {}))
        axes.figure.savefig(folder / f"{name}.png", dpi=150)
    report = analysis.output.get("report", "report.html")
    asked = {"decline": analysis.occupancy.get("decline")} if analysis.is_occupancy else options["population"]
    if report:
        note = SYNTHETIC if analysis.data["reader"] == "example" else None
        outcome.fit.report(
            folder / report,
            coordinates=coordinates_of(analysis),
            title=analysis.title,
            note=note,
            checks=analysis.output.get("checks", True),
            **asked,
        )


def coordinates_of(analysis: Analysis) -> Literal["hidden", "exact"]:
    """Return whether positions are ``"hidden"`` or ``"exact"`` in what is made for others.

    Parameters
    ----------
    analysis
        The checked file.

    Returns
    -------
    "hidden" or "exact"
        The one that the file asks for, by default hidden.
    """
    return "exact" if analysis.output.get("coordinates") == "exact" else "hidden"


def figure_options(analysis: Analysis, truth: int | None) -> dict[str, dict[str, Any]]:
    """Return the keywords of each figure.

    Parameters
    ----------
    analysis
        The checked file.
    truth
        Number of animals that a survey was simulated with.

    Returns
    -------
    dict
        Figure -> keywords.
    """
    claim = analysis.population.get("probability")
    regions = evaluate(population_keywords(analysis), {})
    coordinates = {"coordinates": coordinates_of(analysis)}
    return {
        "survey": coordinates,
        "density": coordinates,
        "population": {"claim": tuple(claim) if claim else None, "truth": truth, **regions},
    }
