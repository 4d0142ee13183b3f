"""Write histories in the formats of other programs."""

from __future__ import annotations

import json
import re
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from leopardpop.data.dataset import session_parts
from leopardpop.data.flanks import listed_flanks
from leopardpop.data.names import listed
from leopardpop.data.readers.secr_meta import META
from leopardpop.data.readers.secr_text import quote
from leopardpop.errors import DataError, DataWarning

if TYPE_CHECKING:
    import xarray as xr

    from leopardpop.data.parts import CheckedParts

__all__ = ["write_secr"]


def write_secr(dataset: xr.Dataset, folder: Path) -> Path:
    """Write the dataset of a history as text files of secr: captures.txt, and traps.txt or one for each session.

    A comment line of JSON carries what the format has no place for; secr skips it.

    Parameters
    ----------
    dataset
        See :attr:`leopardpop.CaptureHistory.dataset`.
    folder
        Where to write; made if it does not exist.

    Returns
    -------
    pathlib.Path
        The folder.

    Raises
    ------
    DataError
        If an animal died on an occasion without a detection of it, which the format cannot say.
    """
    sessions = [session_parts(dataset, session) for session in dataset["session"].values.tolist()]
    for part in sessions:
        _check_deaths(part)
    _say_varying(sessions)
    folder.mkdir(parents=True, exist_ok=True)
    files = _file_names([part.session for part in sessions])
    for part in sessions:
        (folder / files[part.session]).write_text("\n".join(_trap_lines(part)) + "\n", encoding="utf-8")
    lines = _capture_lines(sessions, dict(dataset.attrs), files)
    (folder / "captures.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def _check_deaths(part: CheckedParts) -> None:
    last = np.zeros(len(part.individuals), dtype=np.intp)
    np.maximum.at(last, part.individual, part.occasion + 1)
    unseen = part.removed & (last < part.exposure)
    if unseen.any():
        label = part.individuals[int(unseen.argmax())]
        raise DataError(
            f"animal '{label}' of session '{part.session}' was removed on an occasion without a detection of it, which "
            "secr's text files cannot say."
        )


def _file_names(sessions: list[str]) -> dict[str, str]:
    """Return a file name for each session: its label where that can be a file's name, else its number."""
    if len(sessions) == 1:
        return {sessions[0]: "traps.txt"}
    plain = all(re.fullmatch(r"[A-Za-z0-9_.+-]{1,60}", session) for session in sessions)
    different = len({session.lower() for session in sessions}) == len(sessions)
    labels = sessions if plain and different else [str(i + 1) for i in range(len(sessions))]
    return {session: f"traps_{label}.txt" for session, label in zip(sessions, labels, strict=True)}


def _trap_lines(part: CheckedParts) -> list[str]:
    covariates = part.station_covariates
    meta: dict[str, Any] = {"occasions": list(part.occasions), "text": _text_names(covariates)}
    if part.occasion_start is not None:
        meta["occasion_start"] = np.datetime_as_string(part.occasion_start).tolist()
    varying = part.occasion_covariates.to_dict("list") | {n: v.tolist() for n, v in part.visit_covariates.items()}
    if varying:
        meta["varying"] = {str(name): _without_nan(values) for name, values in varying.items()}
    names = ["/", *map(_quoted, covariates.columns)] if len(covariates.columns) else []
    lines = [META + json.dumps(meta), " ".join(["# Detector x y", *names])]
    cells = _cells(covariates)
    for k, label in enumerate(part.stations):
        words = [quote(label), *map(_number, part.xy[k]), *map(_number, part.effort[k])]
        lines.append(" ".join([*words, "/", *cells[k]] if cells[k] else words))
    return lines


def _without_nan(values: Any) -> Any:
    """Lists of values as JSON has them: null where one is missing."""
    if isinstance(values, list):
        return [_without_nan(value) for value in values]
    return None if isinstance(values, float) and np.isnan(values) else values


def _say_varying(sessions: list[CheckedParts]) -> None:
    """Warn that secr does not see covariates that vary by occasion."""
    found = [name for part in sessions for name in (*part.occasion_covariates, *part.visit_covariates)]
    names = list(dict.fromkeys(map(str, found)))
    if names:
        warnings.warn(
            f"secr's text files have no place for covariates that vary by occasion ({listed(names)}): they are in a "
            "comment, which read_secr reads and secr skips. In R give them to secr.fit(timecov=) or timevaryingcov().",
            DataWarning,
            stacklevel=4,
        )


def _capture_lines(sessions: list[CheckedParts], attributes: dict[str, str], files: dict[str, str]) -> list[str]:
    nobody = _nobody(sessions)
    covariates = pd.concat([part.individual_covariates for part in sessions])
    meta: dict[str, Any] = attributes | {"traps": files, "noncapt": nobody, "text": _text_names(covariates)}
    flanks = {part.session: listed_flanks(part) for part in sessions if part.flanks is not None}
    meta |= {"flanks": flanks} if flanks else {}
    header = ["# Session ID Occasion Detector", *map(_quoted, covariates.columns)]
    lines = [META + json.dumps(meta), " ".join(header)]
    for part in sessions:
        lines.extend(_session_lines(part, nobody))
    return lines


def _nobody(sessions: list[CheckedParts]) -> str:
    """Return the animal that stands for a session without captures, one that does not exist."""
    label = "NONE"
    while any(label in part.individuals for part in sessions):
        label += "_"
    return label


def _session_lines(part: CheckedParts, nobody: str) -> list[str]:
    session, cells = quote(part.session), _cells(part.individual_covariates)
    if not part.individuals:
        return [f"{session} {nobody} {len(part.occasions)} {quote(part.stations[0])}"]
    lines = []
    died = part.removed[part.individual] & (part.occasion + 1 == part.exposure[part.individual])
    rows = zip(part.individual, part.station, part.occasion, part.count, died, strict=True)
    for animal, station, occasion, count, dead in rows:
        where = f"{-(occasion + 1) if dead else occasion + 1} {quote(part.stations[station])}"
        line = " ".join([session, quote(part.individuals[animal]), where, *cells[animal]])
        lines.extend([line] * int(count))
    return lines


def _text_names(covariates: pd.DataFrame) -> list[str]:
    return [str(name) for name in covariates.columns if covariates[name].dtype != np.float64]


def _quoted(name: Any) -> str:
    return quote(str(name))


def _number(value: float) -> str:
    """Write a number so that reading gives exactly it back; whole numbers without a point."""
    return repr(int(value)) if float(value).is_integer() and abs(value) < 1e15 else repr(float(value))


def _cells(covariates: pd.DataFrame) -> list[list[str]]:
    """Return the words of each row, NA where a covariate is missing."""
    return [[_word(value) for value in row] for row in covariates.itertuples(index=False, name=None)]


def _word(value: Any) -> str:
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return "NA"
    return quote(value) if isinstance(value, str) else _number(value)
