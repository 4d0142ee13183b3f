"""Translate an analysis file into Python calls, section by section."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from leopardpop.cli.analysis import Analysis, nearest
from leopardpop.cli.expressions import Call, FilePath, Name, Union
from leopardpop.cli.readers import TEXTS, keywords, survey_calls, survey_readers
from leopardpop.errors import DataError

__all__ = ["data_calls", "fit_keywords", "mask_call", "model_call", "of_keywords", "population_keywords", "prior_calls"]

TABLES = (
    *("captures", "stations", "individuals", "effort", "traps", "statespace", "edf", "tdf"),
    *("y", "sites", "visit_covariates"),
)
TABLE_SUFFIXES = (".csv", ".tsv", ".txt")
LAYER = "layers."


def data_calls(analysis: Analysis) -> Mapping[str, Call | Name]:
    """Translate ``[data]``.

    Parameters
    ----------
    analysis
        The checked file.

    Returns
    -------
    dict
        Variable name -> call: ``history``, and before it ``survey``, or ``spacecap``, where there is one.

    Examples
    --------
    >>> from leopardpop.cli.expressions import source
    >>> data = {"reader": "tables", "captures": "captures.csv", "stations": "stations.csv"}
    >>> analysis = Analysis(path=Path("analysis.toml"), text="", title="", data=data, mask={}, models={})
    >>> print(source(data_calls(analysis)["history"]))
    lp.CaptureHistory.from_tables(captures="captures.csv", stations="stations.csv")
    """
    given = {key: value for key, value in analysis.data.items() if key != "reader"}
    method = "detection_history" if analysis.is_occupancy else "capture_history"
    if analysis.data["reader"] in ("example", *survey_readers()):
        return survey_calls(analysis.data["reader"], given, analysis.path.parent, method)
    if analysis.data["reader"] == "unmarked":
        path = {key: FilePath(value, analysis.path.parent) if key == "path" else value for key, value in given.items()}
        return {"history": Call(Name("lp", ("read_unmarked",)), keywords=path)}
    arguments = {key: _table(key, value, analysis.path.parent) for key, value in given.items()}
    if analysis.data["reader"] in TEXTS:
        reader = analysis.data["reader"]
        call = Call(Name("lp", (f"read_{reader}",)), keywords=arguments)
        return (
            {"spacecap": call, "history": Name("spacecap", ("history",))} if reader == "spacecap" else {"history": call}
        )
    history = "DetectionHistory" if analysis.is_occupancy else "CaptureHistory"
    return {"history": Call(Name("lp", (history, "from_tables")), keywords=arguments)}


def _table(key: str, value: Any, base: Path) -> Any:
    """Return a path for a key that takes a table; `effort` may be a column of the station table instead."""
    if key not in TABLES:
        return value
    if isinstance(value, dict):
        return {session: _table(key, path, base) for session, path in value.items()}
    if isinstance(value, list):
        return [_table(key, path, base) for path in value]
    if key == "effort" and not str(value).lower().endswith(TABLE_SUFFIXES):
        return value
    return FilePath(value, base) if isinstance(value, str) else value


def mask_call(analysis: Analysis) -> Any:
    """Translate ``[mask]``.

    Parameters
    ----------
    analysis
        The checked file.

    Returns
    -------
    Call or dict of Call
        One mask, or session -> mask.

    Examples
    --------
    >>> from leopardpop.cli.expressions import source
    >>> mask = {"files": {"1": "one.csv", "2": "two.csv"}, "cell_area": 4.0}
    >>> analysis = Analysis(path=Path("analysis.toml"), text="", title="", data={}, mask=mask, models={})
    >>> print(source(mask_call(analysis)["1"]))
    lp.Mask.from_table("one.csv", cell_area=4.0)
    """
    given, base = dict(analysis.mask), analysis.path.parent
    if not given and "statespace" in analysis.data:
        return Name("spacecap", ("mask",))
    from_table = Name("lp", ("Mask", "from_table"))
    if "files" in given:
        files = given.pop("files")
        return {session: Call(from_table, (FilePath(path, base),), given) for session, path in files.items()}
    if "file" in given:
        return Call(from_table, (FilePath(given.pop("file"), base),), given)
    covariates = given.pop("covariates", {})
    arguments = {key: _layer(value, base) if key == "habitat" else value for key, value in given.items()}
    mask = Call(Name("lp", ("Mask", "around")), (Name("history"),), arguments)
    if not covariates:
        return mask
    return Call(Name("with_covariates"), keywords={k: _layer(v, base) for k, v in covariates.items()}, of=mask)


def _layer(value: Any, base: Path) -> Any:
    if isinstance(value, str) and value.startswith(LAYER):
        return Name("survey", ("layers",), value.removeprefix(LAYER))
    return FilePath(value, base) if isinstance(value, str) else value


def model_call(model: dict[str, Any], priors: Any = None, base: Path | None = None) -> Call:
    """Translate one ``[models.NAME]``.

    Parameters
    ----------
    model
        The section.
    priors
        The expression of its priors, or None for the defaults.
    base
        Folder that paths are relative to.

    Returns
    -------
    Call
        The constructor of the family.

    Examples
    --------
    >>> from leopardpop.cli.expressions import source
    >>> print(source(model_call({"density": "~ snow", "detection": {"Exponential": {"sigma": "~ sex"}}})))
    lp.SCR(density="~ snow", detection=lp.Exponential(sigma="~ sex"))
    """
    slots = {key: component(key, value, base) for key, value in model.items() if key not in ("family", "priors")}
    if priors is not None:
        slots["priors"] = priors
    family = model.get("family", "SCR")
    if family == "TwoFlanks":
        slots = {"model": Call(Name("lp", ("SCR",)), keywords=slots)}
    return Call(Name("lp", (family,)), keywords=slots)


def component(slot: str, value: Any, base: Path | None = None) -> Any:
    """Translate ``{ HalfNormal = { sigma = "~ sex" } }`` into a call; leave a plain value as it is.

    Parameters
    ----------
    slot
        The key, for the message.
    value
        The value.
    base
        Folder that paths are relative to.

    Returns
    -------
    Any
        A call or the value.

    Raises
    ------
    DataError
        If the component does not exist.

    Examples
    --------
    >>> component("density", "~ snow")
    '~ snow'
    """
    import leopardpop as lp

    if slot == "detection" and isinstance(value, str):
        raise DataError(f'detection = "{value}": a detection function is an object: detection = {{ {value} = {{}} }}')
    if slot == "distance" and isinstance(value, str):
        raise DataError('distance is an object: distance = { LeastCost = { resistance = "ruggedness" } }')
    if not isinstance(value, dict):
        return value
    name, arguments = _only(slot, value)
    components = _components(slot)
    if name not in components:
        raise DataError(f"{slot} = {{ {name} = … }}: there is no {name}. {nearest(name, components)}")
    known = [key for key in keywords(getattr(lp, name)) if key != "landscape"]  # a mask has no text
    unknown = [key for key in arguments if key not in known]
    if unknown:
        raise DataError(
            f"{slot} = {{ {name} = … }}: unknown key {unknown[0]!r}. {nearest(unknown[0], known)}",
            offenders=unknown,
        )
    if base is not None and isinstance(arguments.get("barriers"), str):
        arguments = {**arguments, "barriers": FilePath(arguments["barriers"], base)}
    return Call(Name("lp", (name,)), keywords=arguments)


def _components(slot: str) -> list[str]:
    from leopardpop.components import detection

    if slot != "detection":
        return {"density": ["LogLinear"], "distance": ["LeastCost"]}.get(slot, [])
    base = detection.DetectionFunction
    found = {name: getattr(detection, name) for name in detection.__all__}
    return [
        n for n, value in found.items() if isinstance(value, type) and issubclass(value, base) and value is not base
    ]


def _only(slot: str, value: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    if len(value) != 1 or not isinstance(next(iter(value.values())), dict):
        raise DataError(f'{slot}: expected one object, such as {{ HalfNormal = {{ sigma = "~ 1" }} }}; found {value}')
    return next(iter(value.items()))


def prior_calls(priors: dict[str, Any]) -> tuple[Call | None, dict[str, Call]]:
    """Translate ``[priors]``.

    Parameters
    ----------
    priors
        The section.

    Returns
    -------
    tuple
        The preset (None for the defaults) and parameter -> prior.

    Raises
    ------
    DataError
        If the preset does not exist or a value is not a prior.

    Examples
    --------
    >>> from leopardpop.cli.expressions import source
    >>> preset, given = prior_calls({"D[snow]": {"Normal": {"mu": 0, "sigma": 1}}})
    >>> print(preset, source(given["D[snow]"]))
    None lp.Prior("Normal", mu=0, sigma=1)
    """
    given = dict(priors)
    name = given.pop("preset", "default")
    if name not in ("default", "big_cats"):
        raise DataError(f"[priors]: unknown preset {name!r}. {nearest(str(name), ('default', 'big_cats'))}")
    preset = None if name == "default" else Call(Name("lp", ("priors", name)))
    return preset, {key: _prior(key, value) for key, value in given.items()}


def _prior(key: str, value: Any) -> Call:
    if not (isinstance(value, dict) and len(value) == 1):
        raise DataError(
            f"[priors] {key}: expected a prior, such as {{ Normal = {{ mu = 0, sigma = 1 }} }}; found {value}"
        )
    name, arguments = next(iter(value.items()))
    if name == "from_range":
        positional = tuple(arguments) if isinstance(arguments, list) else ()
        return Call(Name("lp", ("priors", name)), positional, {} if positional else arguments)
    return Call(Name("lp", ("Prior",)), (name,), arguments)


def combine(preset: Call | None, given: dict[str, Call]) -> Any:
    """Return the expression of a preset with some priors replaced.

    Parameters
    ----------
    preset
        The preset, None for the defaults.
    given
        Parameter -> prior.

    Returns
    -------
    Any
        An expression, or None when there is nothing to pass.

    Examples
    --------
    >>> combine(None, {}) is None
    True
    """
    if preset is None:
        return given or None
    return Union(preset, given) if given else preset


def fit_keywords(analysis: Analysis) -> dict[str, Any]:
    """Translate ``[fit]``.

    Parameters
    ----------
    analysis
        The checked file.

    Returns
    -------
    dict
        Keywords of ``model.fit``.

    Examples
    --------
    >>> analysis = Analysis(path=Path("a"), text="", title="", data={}, mask={}, models={}, fit={"seed": 1})
    >>> fit_keywords(analysis)
    {'seed': 1}
    """
    return {key: value for key, value in analysis.fit.items() if key != "maximum_likelihood"}


def population_keywords(analysis: Analysis) -> dict[str, Any]:
    """Translate ``[population]``.

    Parameters
    ----------
    analysis
        The checked file.

    Returns
    -------
    dict
        Keywords of ``fit.population``.

    Examples
    --------
    >>> analysis = Analysis(path=Path("a"), text="", title="", data={}, mask={}, models={})
    >>> population_keywords(analysis)
    {}
    """
    given = {key: value for key, value in analysis.population.items() if key != "probability"}
    return {key: FilePath(v, analysis.path.parent) if key == "regions" else v for key, v in given.items()}


def of_keywords(analysis: Analysis) -> dict[str, Any]:
    """Translate ``[occupancy]`` but for the share.

    Parameters
    ----------
    analysis
        The checked file.

    Returns
    -------
    dict
        Keywords of ``SiteStates.decline``.

    Examples
    --------
    >>> analysis = Analysis(path=Path("a"), text="", title="", data={}, mask={}, models={}, occupancy={"decline": 0.2})
    >>> of_keywords(analysis)
    {}
    """
    return {key: value for key, value in analysis.occupancy.items() if key != "decline"}
