"""Many surveys at once: species, parks and years, each fitted by itself, in whatever order and place.

A survey that cannot be fitted is told in a row of the table and stops none of the others. Each has a seed that follows
from its name, so that its draws are the same whoever computes them and whatever else is fitted.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from concurrent.futures import Executor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from leopardpop._version import __version__
from leopardpop.data.paths import path_of
from leopardpop.errors import ModelError
from leopardpop.models.occupancy_model import OccupancyModel
from leopardpop.results.fitting import whole_seed
from leopardpop.results.many_fits import FAILED, LOST, OK, UNTRUSTED, ManyFits
from leopardpop.results.model_json import model_to_json
from leopardpop.runs import Outcome, run_tasks, seed_of

if TYPE_CHECKING:
    from leopardpop.runs import Progress

__all__ = ["fit_many", "fit_one"]

ABOUT = {"what": "leopardpop fit_many"}
FITS = "fits"
"""Folder of the files, beside what is told of each."""
FACTS = ("n_individuals", "n_detections", "n_spatial_recaptures", "n_sites")
SUMMARY = ["mean", "median", "sd", "eti95_lb", "eti95_ub", "unit"]


def fit_many(
    surveys: Mapping[str, tuple[Any, ...]],
    *,
    engine: str = "auto",
    draws: int = 1000,
    chains: int = 4,
    seed: int = 1,
    executor: Executor | None = None,
    folder: str | Path | None = None,
    progress: Progress = False,
    **options: Any,
) -> ManyFits:
    """Fit many surveys, side by side if an executor is given; errors are collected.

    Parameters
    ----------
    surveys
        Name to what is fitted: ``(model, history, mask)`` of animals, ``(model, history)`` of sites.
    engine, draws, chains
        As of ``model.fit``.
    seed
        The seed of each survey follows from it and the survey's name.
    executor
        Anything with ``submit`` as in :mod:`concurrent.futures`, also a ``dask.distributed`` client; None: here, one
        after the other. A worker compiles once, for all surveys that it fits.
    folder
        Where each fit is written when it is finished, as a file that :func:`leopardpop.load_fit` reads. Called again
        with the same folder, only what is new or has changed (data, model, options) is fitted. Workers on other
        machines must reach it by the same path. None: the tables only.
    progress
        True: a bar on standard error; or a function of the surveys done and all of them.
    **options
        For ``model.fit``.

    Returns
    -------
    ManyFits
        ``surveys`` and ``estimates``, tables; ``failures()``; with a folder ``result["name"]``, the fit, and
        ``to_zarr()``.

    Raises
    ------
    ModelError
        If there is no survey, or one is no tuple of a model and its data.
    DataError
        If the folder belongs to something else.

    Warns
    -----
    ConvergenceWarning
        If workers died; what was finished is kept.

    Examples
    --------
    >>> import leopardpop as lp
    >>> design = lp.design.visits(30, 5)
    >>> truth = {"psi": 0.6, "p": 0.4}
    >>> seen = {f"block {k}": lp.Occupancy().simulate(design, parameters=truth, seed=k).history for k in range(3)}
    >>> found = lp.fit_many({name: (lp.Occupancy(), history) for name, history in seen.items()}, draws=100)
    >>> found.surveys["status"].tolist()
    ['ok', 'ok', 'ok']
    """
    _check(surveys)
    keywords = {"engine": engine, "draws": draws, "chains": chains, **options}
    files = None if folder is None else path_of(folder, "folder", "the path of a folder").absolute() / FITS
    tasks, keys = {}, {}
    for name, given in surveys.items():
        own = {**keywords, "seed": seed_of(whole_seed(seed), *str(name).encode())}
        key = f"{_slug(str(name))}-{_fingerprint(given, own)[:20]}"
        file = None if files is None else str(files / f"{key}.nc")
        tasks[key], keys[str(name)] = (given, own, file), key
    if folder is not None:
        _forget_lost_files(Path(folder), {key: task[2] for key, task in tasks.items()})
    outcomes = run_tasks(fit_one, tasks, executor=executor, folder=folder, about=ABOUT, progress=progress)
    places = {} if files is None else {name: files / f"{key}.nc" for name, key in keys.items()}
    return _gathered({name: outcomes[key] for name, key in keys.items()}, places)


def _forget_lost_files(folder: Path, files: Mapping[str, str | None]) -> None:
    """Let surveys be fitted again of which the record is there and the fit is not."""
    for key, file in files.items():
        record = folder / f"{key}.json"
        if file is not None and record.exists() and not Path(file).exists() and _was_fitted(record):
            record.unlink()


def _was_fitted(record: Path) -> bool:
    try:
        return json.loads(record.read_bytes())["value"] is not None
    except (ValueError, KeyError, TypeError):
        return False


def _check(surveys: Mapping[str, tuple[Any, ...]]) -> None:
    if not isinstance(surveys, Mapping):
        raise ModelError(f"surveys is a {type(surveys).__name__}: give a dict from name to (model, history, mask).")
    wrong = [name for name, each in surveys.items() if not _is_survey(each)]
    if not surveys or wrong:
        found = f"{wrong[0]!r} is none" if wrong else "there is none"
        raise ModelError(
            f'surveys: {found}. Give a dict of (model, history, mask), or (model, history) of sites: {{"2022": (model, '
            "history, mask), ...}.",
            offenders=wrong,
        )


def _is_survey(given: Any) -> bool:
    if not isinstance(given, tuple) or not given or not hasattr(given[0], "fit"):
        return False
    return len(given) == 2 if isinstance(given[0], OccupancyModel) else len(given) == 3


def fit_one(given: tuple[Any, ...], options: Mapping[str, Any], file: str | None) -> dict[str, Any]:
    """Fit one survey; at the worker.

    Parameters
    ----------
    given
        Model and data.
    options
        For its ``fit``.
    file
        Where the fit is written; None: nowhere.

    Returns
    -------
    dict
        ``facts``, ``trusted``, ``engine``, ``advice`` and ``estimates``, for JSON.
    """
    model, *data = given
    fit = model.fit(*data, **options)
    if file is not None:
        Path(file).parent.mkdir(exist_ok=True)
        fit.save(file)
    table = fit.summary()
    rows = [[name, *map(_plain, row)] for name, row in zip(table.index, table[SUMMARY].to_numpy(object), strict=True)]
    told = fit.diagnostics()
    advice = told.loc[told["verdict"].isin(["warn", "fail"]), "advice"].tolist()
    facts = {name: int(getattr(data[0], name)) for name in FACTS if hasattr(data[0], name)}
    return {"facts": facts, "trusted": bool(fit.trusted), "engine": fit.engine, "advice": advice, "estimates": rows}


def _plain(value: Any) -> Any:
    return value if isinstance(value, str) else float(value)


# -- names ------------------------------------------------------------------------------------------------------------
def _slug(name: str) -> str:
    """A name that a file may have."""
    return re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-")[:40] or "survey"


def _fingerprint(given: tuple[Any, ...], options: Mapping[str, Any]) -> str:
    """SHA-256 of all that the draws hang on; of the name by its seed."""
    model, history, *rest = given
    parts = [__version__, model_to_json(model), history.data_hash, json.dumps(options, sort_keys=True, default=repr)]
    masks = rest[0] if rest else {}
    by_session = masks if isinstance(masks, Mapping) else {"": masks}
    parts += [f"{session}:{mask.mask_hash}" for session, mask in by_session.items()]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


# -- tables -----------------------------------------------------------------------------------------------------------
def _gathered(outcomes: Mapping[str, Outcome], places: Mapping[str, Path]) -> ManyFits:
    surveys, estimates = [], []
    for name, outcome in outcomes.items():
        value = outcome.value or {"facts": {}, "trusted": False, "engine": "", "advice": [], "estimates": []}
        row = {"survey": name, "status": _status(outcome), "engine": value["engine"], **value["facts"]}
        surveys.append(row | {"error": outcome.error, "advice": " ".join(value["advice"])})
        estimates += [[name, *each] for each in value["estimates"]]
    made = {name: file for name, file in places.items() if outcomes[name].value is not None}
    return ManyFits(pd.DataFrame(surveys), pd.DataFrame(estimates, columns=["survey", "quantity", *SUMMARY]), made)


def _status(outcome: Outcome) -> str:
    if outcome.value is None:
        return LOST if outcome.lost else FAILED
    return OK if outcome.value["trusted"] else UNTRUSTED
