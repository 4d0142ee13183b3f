"""Read ``scenarios.toml``, run the study, and write its tables."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from leopardpop.cli.analysis import FAMILIES, NAME, Where, check_keys, keywords, nearest
from leopardpop.cli.expressions import Call, FilePath, Name, evaluate
from leopardpop.cli.translate import model_call, prior_calls
from leopardpop.errors import DataError, LeopardpopError

if TYPE_CHECKING:
    from leopardpop.design.scenario import Scenario
    from leopardpop.design.study_result import Study

__all__ = ["StudyFile", "read_study", "run_study", "write_study"]

PARTS = ("design", "mask", "model", "parameters", "generator", "reality")
STUDY = ("replicates", "seed", "engine", "draws", "workers", "folder")
STATIONS = ("stations", "grid", "occasions", "effort", "detector", "effort_unit", "crs")
SITES = ("sites", "visits", "seasons", "effort_unit")
GRID = ("rows", "columns", "spacing")
MASK = ("buffer", "spacing", "habitat")


@dataclass(frozen=True)
class StudyFile:
    """A checked file of scenarios.

    Parameters
    ----------
    path
        The file.
    options
        The section ``[study]``.
    scenarios
        The scenarios by name.
    """

    path: Path
    options: dict[str, Any]
    scenarios: dict[str, Scenario]

    @property
    def folder(self) -> Path:
        """Where tables and finished replicates go."""
        return self.path.parent / str(self.options.get("folder", "study"))


def read_study(path: str | Path) -> StudyFile:
    r"""Read a file of scenarios.

    Parameters
    ----------
    path
        TOML with ``[design]``, ``[mask]``, ``[model]``, ``[parameters]``, and if they are wanted ``[generator]`` and
        ``[reality]``, which every scenario shares, and ``[scenarios.NAME]`` with what is different in it.

    Returns
    -------
    StudyFile

    Raises
    ------
    DataError
        If the file is not TOML, a key is unknown, or something is missing.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "scenarios.toml")
    ...     _ = path.write_text("[study]\nreplicate = 5\n")
    ...     read_study(path)
    Traceback (most recent call last):
    leopardpop.errors.DataError: scenarios.toml, line 2, [study]: unknown key 'replicate'. ...
    """
    path = Path(path)
    text, table = _read(path)
    where = Where(path.name, text)
    check_keys(table, ("study", *PARTS, "scenarios"), where)
    for name in table:
        if not isinstance(table[name], dict):
            raise DataError(f"{where.key('', name)}: {name} must be a section, [{name}], not a value.")
    options = table.get("study", {})
    check_keys(options, STUDY, where, "study")
    shared = {part: table.get(part, {}) for part in PARTS}
    named = table.get("scenarios") or {"scenario": {}}
    scenarios = {name: _scenario(name, own, shared, where, path.parent) for name, own in named.items()}
    return StudyFile(path, options, scenarios)


def _read(path: Path) -> tuple[str, dict[str, Any]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
        return text, tomllib.loads(text)
    except FileNotFoundError as error:
        raise DataError(f"there is no file {path}. The page “Plan a survey” of the documentation has one.") from error
    except (IsADirectoryError, UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise DataError(f"{path.name} is not TOML: {error}. Text needs quotes, a list needs [ ].") from error


def _scenario(name: str, own: Any, shared: Mapping[str, Any], where: Where, base: Path) -> Scenario:
    """One scenario: what all share, and what is its own."""
    from leopardpop.design import Scenario

    section = f"scenarios.{name}"
    if not isinstance(own, dict) or not NAME.fullmatch(name):
        raise DataError(f"{where.key('scenarios', name)}: a scenario is a section, [scenarios.NAME], of a plain name.")
    check_keys(own, PARTS, where, section)
    parts = {part: {**shared[part], **own.get(part, {})} for part in PARTS}
    try:
        return Scenario(**_parts_of(parts, where, base))
    except LeopardpopError as error:
        told = str(error)
        if told.startswith(where.file):
            raise
        raise type(error)(f"{where.file}, [{section}]: {told}", offenders=error.offenders) from error


def _parts_of(parts: Mapping[str, dict[str, Any]], where: Where, base: Path) -> dict[str, Any]:
    """Arguments of a scenario."""
    model = _model(parts["model"], where, base)
    of_sites = parts["model"].get("family", "SCR") != "SCR"
    design = _sites(parts["design"], model, where) if of_sites else _stations(parts["design"], where, base)
    mask = None if of_sites else _mask(parts["mask"], design, where, base)
    if not parts["parameters"]:
        raise DataError(f"{where.file}: [parameters] is missing. It has a value, or a prior, of each parameter.")
    made = {"model": model, "design": design, "mask": mask, "parameters": _assumed(parts["parameters"])}
    if parts["generator"]:
        made["generator"] = _model(parts["generator"], where, base, "generator")
    if parts["reality"]:
        made["reality"] = _reality(parts["reality"], where)
    return made


def _reality(given: dict[str, Any], where: Where) -> Any:
    from leopardpop.design import Reality

    check_keys(given, keywords(Reality), where, "reality")
    return Reality(**given)


def _model(given: dict[str, Any], where: Where, base: Path, section: str = "model") -> Any:
    import leopardpop as lp

    family = given.get("family", "SCR")
    if family not in FAMILIES:
        raise DataError(f"{where.key(section, 'family')}: unknown family {family!r}. {nearest(str(family), FAMILIES)}")
    check_keys(given, ("family", *keywords(getattr(lp, family))), where, section)
    _, priors = prior_calls(given.get("priors", {}))
    return evaluate(model_call(given, priors or None, base), {"lp": lp})


def _stations(given: dict[str, Any], where: Where, base: Path) -> Any:
    import leopardpop as lp

    check_keys(given, STATIONS, where, "design")
    rest = dict(given)
    grid, stations = rest.pop("grid", None), rest.pop("stations", None)
    if (grid is None) == (stations is None):
        raise DataError(f'{where.file}, [design]: give stations = "stations.csv", or grid = {{ rows = 8, … }}.')
    rest["stations"] = FilePath(stations, base) if grid is None else _grid(grid, where)
    if isinstance(rest.get("effort"), str) and rest["effort"].lower().endswith((".csv", ".txt")):
        rest["effort"] = FilePath(rest["effort"], base)
    call = Call(Name("lp", ("CaptureHistory", "from_tables")), (None,), rest)
    return evaluate(call, {"lp": lp})


def _grid(given: dict[str, Any], where: Where) -> pd.DataFrame:
    """Stations on a square grid, ``spacing`` in metres."""
    check_keys(given, GRID, where, "design")
    values = [given.get(name) for name in GRID]
    if not all(isinstance(v, int | float) and not isinstance(v, bool) and v > 0 for v in values):
        raise DataError(f"{where.key('design', 'grid')}: it needs {', '.join(GRID)} (m), each above 0; found {given}.")
    rows, columns, spacing = int(values[0] or 0), int(values[1] or 0), float(values[2] or 0)
    x, y = (a.ravel() for a in np.meshgrid(np.arange(columns) * spacing, np.arange(rows) * spacing))
    return pd.DataFrame({"station": [f"G{i + 1:03d}" for i in range(len(x))], "x": x, "y": y})


def _sites(given: dict[str, Any], model: Any, where: Where) -> Any:
    from leopardpop.design import visits

    check_keys(given, SITES, where, "design")
    if missing := [name for name in SITES[:2] if name not in given]:
        raise DataError(f"{where.file}, [design]: {missing[0]} is missing. Occupancy has sites = 60, visits = 5.")
    rest = {name: given[name] for name in SITES[2:] if name in given}
    return visits(given["sites"], given["visits"], response=model.structure.response, **rest)


def _mask(given: dict[str, Any], design: Any, where: Where, base: Path) -> Any:
    import leopardpop as lp

    check_keys(given, MASK, where, "mask")
    if missing := [name for name in MASK[:2] if name not in given]:
        raise DataError(f"{where.file}, [mask]: {missing[0]} is missing, in metres. A buffer is 4 sigma.")
    arguments = {**given, "habitat": base / given["habitat"]} if "habitat" in given else given
    return lp.Mask.around(design, **arguments)


def _assumed(given: dict[str, Any]) -> dict[str, Any]:
    """Values as they are, and priors."""
    import leopardpop as lp

    _, priors = prior_calls({name: value for name, value in given.items() if isinstance(value, dict)})
    return {n: evaluate(priors[n], {"lp": lp}) if n in priors else value for n, value in given.items()}


def run_study(file: StudyFile, *, workers: int | None = None, progress: bool = True) -> Study:
    """Run the scenarios; what is finished already is read from the folder.

    Parameters
    ----------
    file
        The checked file.
    workers
        Processes; None: as the file says, or one.
    progress
        Whether to show a bar.

    Returns
    -------
    Study
    """
    from leopardpop.design import study
    from leopardpop.design.parameters import check_whole

    options = {name: value for name, value in file.options.items() if name not in ("workers", "folder")}
    number = file.options.get("workers", 1) if workers is None else workers
    check_whole("workers", number)
    with _pool(number) as pool:
        return study(
            file.scenarios, **options, executor=pool, folder=file.folder / "replicates", progress=progress
        )  # fmt: skip


def _pool(workers: int) -> AbstractContextManager[ProcessPoolExecutor | None]:
    from multiprocessing import get_context

    return nullcontext() if workers == 1 else ProcessPoolExecutor(workers, mp_context=get_context("spawn"))


def write_study(found: Study, folder: Path) -> list[Path]:
    """Write the tables of a study.

    Parameters
    ----------
    found
        The study.
    folder
        Where they go; made if it does not exist, files of the same names are replaced.

    Returns
    -------
    list of Path
        summary.csv, failures.csv, replicates.csv, estimates.csv.
    """
    folder.mkdir(parents=True, exist_ok=True)
    tables = {
        "summary": found.summary(),
        "failures": found.failures(),
        "replicates": found.replicates,
        "estimates": found.estimates,
    }
    paths = []
    for name, table in tables.items():
        paths.append(folder / f"{name}.csv")
        table.to_csv(paths[-1], index=False)
    return paths
