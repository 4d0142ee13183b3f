"""The files of a run."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from leopardpop.cli.analysis import Analysis
from leopardpop.cli.run import Inputs, Outcome, comparison
from leopardpop.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

__all__ = ["check_folder", "results_folder", "write_pictures", "write_tables"]

MARK = "analysis.toml"
FIGURES = ("density", "population", "detection")


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


def write_tables(analysis: Analysis, inputs: Inputs, outcomes: list[Outcome], folder: Path) -> None:
    """Write what all models have in common: the tables, the audit and the analysis itself.

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
    import leopardpop as lp

    (folder / MARK).write_text(analysis.text, encoding="utf-8")
    inputs.history.audit.to_csv(folder / "audit.csv", index=False)
    _write({o.name: o.fit.summary() for o in outcomes}, folder / "summary.csv", "parameter")
    _write({o.name: o.population.summary() for o in outcomes}, folder / "population.csv", "quantity")
    if analysis.output.get("checks", True):
        _write({o.name: o.fit.diagnostics() for o in outcomes}, folder / "diagnostics.csv", "quantity")
    estimates = {o.name: o.estimates.estimates for o in outcomes if o.estimates is not None}
    if estimates:
        _write(estimates, folder / "estimates.csv", "parameter")
    compared = comparison(outcomes)
    if compared:
        lp.compare(compared).to_csv(folder / "comparison.csv", index_label="model")


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


def write_pictures(analysis: Analysis, outcome: Outcome, folder: Path, figures: tuple[str, ...] = FIGURES) -> None:
    """Write the posterior, the figures and the report of one model.

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
    """
    import matplotlib

    matplotlib.use("agg")
    folder.mkdir(exist_ok=True)
    outcome.fit.save(folder / "fit.nc")
    for name in figures:
        axes = getattr(outcome.fit.plot, name)()
        axes.figure.savefig(folder / f"{name}.png", dpi=150)
    report = analysis.output.get("report", "report.html")
    if report:
        outcome.fit.report(folder / report, coordinates=analysis.output.get("coordinates", "hidden"))
