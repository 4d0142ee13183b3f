"""Read and check ``analysis.toml``: a section is an object, a key is the Python keyword."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from leopardpop.cli.readers import all_readers, keywords, reader_keys
from leopardpop.errors import DataError

__all__ = ["FORMAT", "Analysis", "check_keys", "keywords", "parse_analysis", "read_analysis"]

FORMAT = 1
SECTIONS = ("leopardpop", "title", "data", "mask", "models", "priors", "fit", "population", "occupancy", "output")
CAPTURES = ("SCR", "TwoFlanks")
FAMILIES = (
    *CAPTURES,
    "Occupancy",
    "DynamicOccupancy",
    "MultistateOccupancy",
    "DynamicMultistateOccupancy",
    "FalsePositiveOccupancy",
    "RoyleNichols",
    "NMixture",
    "CountOccupancy",
    "CommunityOccupancy",
)
OF_OCCUPANCY = ("decline", "of")
OUTPUT = ("folder", "report", "coordinates", "checks", "sensitivity")
FIT_OPTIONS = ("min_ess", "min_raw", "threads", "sampler", "tune", "target_accept", "cores")
POPULATION = ("regions", "by", "probability")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")


@dataclass(frozen=True, kw_only=True)
class Analysis:
    """One analysis file, checked: every key in it is a known one.

    Parameters
    ----------
    path
        The file.
    text
        What it says, as it was read.
    title
        The title, for the report.
    data, mask, priors, fit, population, occupancy, output
        The sections.
    models
        The sections ``[models.NAME]``, by name.
    """

    path: Path
    text: str
    title: str
    data: dict[str, Any]
    mask: dict[str, Any]
    models: dict[str, dict[str, Any]]
    priors: dict[str, Any] = field(default_factory=dict)
    fit: dict[str, Any] = field(default_factory=dict)
    population: dict[str, Any] = field(default_factory=dict)
    occupancy: dict[str, Any] = field(default_factory=dict)
    output: dict[str, Any] = field(default_factory=dict)

    @property
    def is_occupancy(self) -> bool:
        """Whether its models are of occupancy."""
        models: list[Any] = list(self.models.values())  # not checked yet
        return any(
            isinstance(model, dict) and model.get("family", "SCR") in FAMILIES[len(CAPTURES) :] for model in models
        )

    @property
    def folder(self) -> Path:
        """Where the results go."""
        return self.path.parent / str(self.output.get("folder", "results"))


def read_analysis(path: str | Path) -> Analysis:
    r"""Read an analysis file.

    Parameters
    ----------
    path
        The file, TOML in UTF-8.

    Returns
    -------
    Analysis
        The checked sections.

    Raises
    ------
    DataError
        If the file is not TOML, if a required section is missing, or if a key is unknown.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "analysis.toml")
    ...     _ = path.write_text("[data]\nreader = 'tables'\n[mask]\nbufer = 1\n")
    ...     read_analysis(path)
    Traceback (most recent call last):
    leopardpop.errors.DataError: analysis.toml, line 4, [mask]: unknown key 'bufer'. Did you mean 'buffer'? ...
    """
    path = Path(path)
    return parse_analysis(_read_text(path), path)


def parse_analysis(text: str, path: Path) -> Analysis:
    """Check the text of an analysis file.

    Parameters
    ----------
    text
        TOML.
    path
        Where it stands, or would stand: paths in it are relative to that folder.

    Returns
    -------
    Analysis
        The checked sections.

    Raises
    ------
    DataError
        If the text is not TOML, if a required section is missing, or if a key is unknown.

    Examples
    --------
    >>> parse_analysis("[data", Path("analysis.toml"))
    Traceback (most recent call last):
    leopardpop.errors.DataError: analysis.toml is not TOML: ...
    """
    try:
        table = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise DataError(f"{path.name} is not TOML: {error}. Text needs quotes, a list needs [ ].") from error
    where = Where(path.name, text)
    check_keys(table, SECTIONS, where)
    _check_sections(table, where)
    analysis = Analysis(
        path=path,
        text=text,
        title=str(table.get("title", path.stem)),
        data=table["data"],
        mask=table.get("mask", {}),
        models=table.get("models") or {"null": {"family": "SCR"}},
        **{name: table.get(name, {}) for name in ("priors", "fit", "population", "occupancy", "output")},
    )
    _check_analysis(analysis, where)
    return analysis


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise DataError(f"there is no file {path}. `leopardpop init FOLDER` writes one.") from error
    except IsADirectoryError as error:
        raise DataError(f"{path} is a folder. Give the analysis file: {path / 'analysis.toml'}") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path.name} is not UTF-8 (byte {error.start}). Save it as UTF-8.") from error


@dataclass(frozen=True)
class Where:
    """Says where in the file a key stands."""

    file: str
    text: str

    def key(self, section: str, key: str) -> str:
        """Return ``file, line, [section]`` of a key."""
        lines = self.text.splitlines()
        head = re.compile(rf"\s*\[\s*{re.escape(section)}\s*\]")
        first = next((number for number, line in enumerate(lines) if head.match(line)), 0) if section else 0
        token = re.compile(rf"""(?:^|[\s{{,\[.])["']?{re.escape(key)}["']?\s*(?:=|\]|\.)""")
        number = next((n + 1 for n in range(first, len(lines)) if token.search(lines[n])), None)
        place = self.file if number is None else f"{self.file}, line {number}"
        return f"{place}, [{section}]" if section else place


def check_keys(table: dict[str, Any], known: Iterable[str], where: Where, section: str = "") -> None:
    """Refuse an unknown key and offer the nearest known one.

    Parameters
    ----------
    table
        The section as it was read.
    known
        The keys it may have.
    where
        Finds the line of the key.
    section
        Name of the section, for the message.

    Raises
    ------
    DataError
        If a key is unknown; ``offenders`` are all the unknown keys.

    Examples
    --------
    >>> check_keys({"seed": 1}, ["seed"], Where("analysis.toml", "[fit]"), "fit")
    """
    known = list(known)
    unknown = [key for key in table if key not in known]
    if unknown:
        raise DataError(
            f"{where.key(section, unknown[0])}: unknown key {unknown[0]!r}. {nearest(unknown[0], known)}",
            offenders=unknown,
        )


def nearest(word: str, known: Iterable[str]) -> str:
    """Return a sentence that offers the nearest known words.

    Parameters
    ----------
    word
        What was written.
    known
        What it could have been.

    Returns
    -------
    str
        The sentence.

    Examples
    --------
    >>> nearest("bufer", ["buffer", "spacing"])
    "Did you mean 'buffer'? Known: buffer, spacing."
    """
    known = list(known)
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.5)
    offer = f"Did you mean {close[0]!r}? " if close else ""
    return f"{offer}Known: {', '.join(known)}."


def _check_sections(table: dict[str, Any], where: Where) -> None:
    version = table.get("leopardpop", FORMAT)
    if version != FORMAT:
        raise DataError(f"{where.key('', 'leopardpop')}: format {version!r}; this version reads format {FORMAT}.")
    if "data" not in table:
        raise DataError(f"{where.file}: the section [data] is missing. `leopardpop init FOLDER` shows one.")
    for name in SECTIONS[2:]:
        if not isinstance(table.get(name, {}), dict):
            raise DataError(f"{where.key('', name)}: {name} must be a section, [{name}], not a value.")


def _check_analysis(analysis: Analysis, where: Where) -> None:
    import leopardpop as lp

    occupancy = analysis.is_occupancy
    for name, model in analysis.models.items():
        _check_model(name, model, where, occupancy=occupancy)
    check_reader(analysis.data, where, occupancy=occupancy)
    check_keys(analysis.data, reader_keys(analysis.data["reader"], occupancy=occupancy), where, "data")
    method = lp.Survey.detection_history if occupancy else lp.Survey.capture_history
    check_keys(_history_of(analysis, where, method.__name__), keywords(method), where, "data.history")
    _check_ground(analysis, where)
    check_keys(analysis.fit, _fit_keys(), where, "fit")
    check_keys(analysis.population, POPULATION, where, "population")
    check_keys(analysis.occupancy, OF_OCCUPANCY, where, "occupancy")
    check_keys(analysis.output, OUTPUT, where, "output")
    _check_values(analysis, where)


def _check_ground(analysis: Analysis, where: Where) -> None:
    """Capture-recapture needs a mask; occupancy has neither a mask nor a population."""
    other = {"mask": analysis.mask, "population": analysis.population} if analysis.is_occupancy else {}
    other = other or {"occupancy": analysis.occupancy}
    for name in (name for name, section in other.items() if section):
        family = "an occupancy model" if analysis.is_occupancy else "SCR"
        raise DataError(f"{where.key('', name)}: {family} has no section [{name}]. Remove it.", offenders=[name])
    if not analysis.is_occupancy and not analysis.mask and "statespace" not in analysis.data:
        raise DataError(f"{where.file}: the section [mask] is missing. `leopardpop init FOLDER` shows one.")
    check_keys(analysis.mask, _mask_keys(analysis.mask), where, "mask")


def check_reader(data: dict[str, Any], where: Where, *, occupancy: bool = False) -> None:
    """Refuse a reader that does not exist.

    Parameters
    ----------
    data
        The section ``[data]``.
    where
        Finds the line of the key.
    occupancy
        Whether the models are of occupancy.

    Raises
    ------
    DataError
        If the reader is missing or unknown.

    Examples
    --------
    >>> check_reader({"reader": "tables"}, Where("analysis.toml", "[data]"))
    """
    reader, known = data.get("reader"), all_readers(occupancy=occupancy)
    if reader is None:
        raise DataError(f"{where.file}, [data]: the key 'reader' is missing. One of {', '.join(known)}.")
    if reader not in known:
        raise DataError(f"{where.key('data', 'reader')}: unknown reader {reader!r}. {nearest(str(reader), known)}")


def _history_of(analysis: Analysis, where: Where, method: str) -> dict[str, Any]:
    """The table ``[data.history]``, if there is one."""
    history = analysis.data.get("history", {})
    if not isinstance(history, dict):
        raise DataError(f"{where.key('data', 'history')}: a table of keywords of Survey.{method}, not a value.")
    return history


def _mask_keys(mask: dict[str, Any]) -> tuple[str, ...]:
    import leopardpop as lp

    if "file" in mask or "files" in mask:
        return ("file", "files", *keywords(lp.Mask.from_table)[1:])
    return (*keywords(lp.Mask.around)[1:], "covariates")


def _fit_keys() -> tuple[str, ...]:
    import leopardpop as lp

    return (*keywords(lp.SCR.fit)[2:], "maximum_likelihood", *FIT_OPTIONS)


def _check_model(name: str, model: Any, where: Where, *, occupancy: bool) -> None:
    import leopardpop as lp

    section = f"models.{name}"
    if not isinstance(model, dict):
        raise DataError(f"{where.key('models', name)}: a model is a section: [models.{name}].")
    if not NAME.fullmatch(name):
        raise DataError(f"{where.file}, [{section}]: a model's name names its folder: letters, digits, - and _.")
    family = model.get("family", "SCR")
    if family not in FAMILIES:
        raise DataError(f"{where.key(section, 'family')}: unknown family {family!r}. {nearest(str(family), FAMILIES)}")
    if occupancy == (family in CAPTURES):
        raise DataError(
            f"{where.file}, [{section}]: SCR and occupancy are of different data; each needs a file of its own."
        )
    options = keywords(lp.SCR if family in CAPTURES else getattr(lp, family))  # two flanks: those of one animal
    check_keys(model, ("family", *options), where, section)


def _check_values(analysis: Analysis, where: Where) -> None:
    probability = analysis.population.get("probability", [0, 0])
    numbers = isinstance(probability, list) and all(
        isinstance(each, int | float) and not isinstance(each, bool) for each in probability
    )
    if not (numbers and len(probability) == 2 and 0 <= probability[0] <= probability[1]):
        raise DataError(
            f"{where.key('population', 'probability')}: give two numbers from the smaller to the larger, such as "
            f"[30, 50]; found {probability!r}."
        )
    coordinates = analysis.output.get("coordinates", "hidden")
    if coordinates not in ("hidden", "exact"):
        raise DataError(f'{where.key("output", "coordinates")}: {coordinates!r} is not "hidden" or "exact".')
    decline = analysis.occupancy.get("decline", 0.0)
    if isinstance(decline, bool) or not isinstance(decline, int | float) or not 0 <= decline < 1:
        raise DataError(f"{where.key('occupancy', 'decline')}: give a share, such as 0.2 for more than 20 %.")
