"""The readers of ``[data]``: which function each one is, which keys it takes, which of them are files."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from leopardpop.cli.expressions import Call, FilePath, Name

__all__ = ["TEXTS", "all_readers", "keywords", "reader_keys", "survey_calls", "survey_readers"]

SURVEYS = ("camtrap_dp", "camtrapr", "wildlife_insights", "records")
"""Readers that return a survey, from which a history is then made."""
HISTORIES = ("tables", "secr", "spacecap", "oscr", "example")
TEXTS = ("secr", "spacecap", "oscr")
"""Readers of capture histories from the files of other programs."""
VISITS = ("tables", "unmarked", "example")
"""Readers of detection histories, beside those of surveys."""
FILES = frozenset(
    {"path", "records", "cameras", "deployments", "stations", "failures", "images", "individuals", "time_shifts"}
)
OF_HISTORY = {"cameras": ("union", "sum"), "flank": ("left", "right", "each")}
"""Keys that readers have too, and the values by which they are those of :meth:`leopardpop.Survey.capture_history`."""


@cache
def survey_readers() -> tuple[str, ...]:
    """Return the readers of surveys: those with a function ``lp.read_NAME``.

    Examples
    --------
    >>> set(survey_readers()) <= set(SURVEYS)
    True
    """
    import leopardpop as lp

    return tuple(name for name in SURVEYS if f"read_{name}" in lp.__all__)


def all_readers(*, occupancy: bool = False) -> tuple[str, ...]:
    """Return every value that `reader` may have, for capture-recapture or for occupancy.

    Examples
    --------
    >>> "tables" in all_readers()
    True
    """
    return (*survey_readers(), *(VISITS if occupancy else HISTORIES))


@cache
def keywords(function: Callable[..., Any]) -> tuple[str, ...]:
    """Return the names of a function's parameters; those of a file's section.

    Parameters
    ----------
    function
        A function of the library.

    Returns
    -------
    tuple of str
        The names, without ``self``, ``*args`` and ``**kwargs``.

    Examples
    --------
    >>> keywords(survey_calls)
    ('reader', 'given', 'base', 'method')
    """
    kinds = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    parameters = inspect.signature(function).parameters.values()
    return tuple(p.name for p in parameters if p.kind in kinds and p.name != "self")


def _function(reader: str) -> tuple[Name, Callable[..., Any]]:
    """The function that makes a survey, by name and itself."""
    import leopardpop as lp

    name = "load_example" if reader == "example" else f"read_{reader}"
    return Name("lp", (name,)), getattr(lp, name)


def reader_keys(reader: str, *, occupancy: bool = False) -> tuple[str, ...]:
    """Return the keys that ``[data]`` may have with a reader.

    Parameters
    ----------
    reader
        Its name, one of :func:`all_readers`.
    occupancy
        Whether a detection history is wanted.

    Returns
    -------
    tuple of str
        Of a reader of surveys also the keywords of :meth:`leopardpop.Survey.capture_history`, or of
        :meth:`leopardpop.Survey.detection_history`.

    Examples
    --------
    >>> reader_keys("secr")[:3]
    ('reader', 'captures', 'traps')
    """
    import leopardpop as lp

    if reader == "tables":
        return ("reader", *keywords((lp.DetectionHistory if occupancy else lp.CaptureHistory).from_tables))
    if reader == "unmarked":
        return ("reader", *keywords(lp.read_unmarked))
    if reader in TEXTS:
        return ("reader", *keywords(getattr(lp, f"read_{reader}")))
    method = lp.Survey.detection_history if occupancy else lp.Survey.capture_history
    return ("reader", *keywords(_function(reader)[1]), *keywords(method), "history")


def survey_calls(reader: str, given: dict[str, Any], base: Path, method: str = "capture_history") -> dict[str, Call]:
    """Translate ``[data]`` of a reader of surveys: the reader first, then the history.

    Parameters
    ----------
    reader
        Its name.
    given
        The other keys. Those of ``history``, a table, are for :meth:`leopardpop.Survey.capture_history`; so are those
        that the reader does not know.
    base
        Folder that paths are relative to.
    method
        Method of the survey that makes the history.

    Returns
    -------
    dict
        ``survey`` and ``history``.

    Examples
    --------
    >>> from leopardpop.cli.expressions import source
    >>> calls = survey_calls("example", {"name": "amur_leopard", "occasion": "7D"}, Path())
    >>> [source(call) for call in calls.values()]
    ['lp.load_example(name="amur_leopard")', 'survey.capture_history(occasion="7D")']
    """
    name, function = _function(reader)
    given = dict(given)
    history = given.pop("history", {})
    loading = {key: value for key, value in given.items() if _loads(key, value, keywords(function))}
    history = {key: value for key, value in given.items() if key not in loading} | history
    if "covariates" in history:
        history["covariates"] = _tables(history["covariates"], base)
    files = {key: _file(value, base) if key in FILES else value for key, value in loading.items()}
    return {
        "survey": Call(name, keywords=files),
        "history": Call(Name("survey", (method,)), keywords=history),
    }


def _loads(key: str, value: Any, known: tuple[str, ...]) -> bool:
    return key in known and value not in OF_HISTORY.get(key, ())


def _tables(value: Any, base: Path) -> Any:
    """Names of covariates as they are, tables as paths: they have a dot."""
    if isinstance(value, list):
        return [_tables(each, base) for each in value]
    return FilePath(value, base) if isinstance(value, str) and "." in value else value


def _file(value: Any, base: Path) -> Any:
    """A path, or several in a list or by name."""
    if isinstance(value, dict):
        return {key: _file(path, base) for key, path in value.items()}
    if isinstance(value, list):
        return [_file(path, base) for path in value]
    return FilePath(value, base) if isinstance(value, str) else value
