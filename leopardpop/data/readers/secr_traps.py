"""Station files of secr: coordinates, usage, covariates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leopardpop.data.covariates import covariate_table
from leopardpop.data.readers.secr_text import Line, SecrText, read_secr_text
from leopardpop.data.tables import Origin, Table
from leopardpop.errors import DataError

__all__ = ["ADVICE", "SecrTraps", "lines_to_table", "read_traps", "typed", "usage_table"]

ADVICE = "Polygon, transect and telemetry data of secr cannot be read: leopardpop has stations with coordinates."


@dataclass(frozen=True, slots=True)
class SecrTraps:
    """One station file."""

    table: Table
    """Columns station, x, y and covariates."""
    usage: list[list[str]]
    """Usage of each station, one word for each occasion; empty if the file gives none."""
    meta: dict[str, Any]
    """What leopardpop noted when it wrote the file."""

    @property
    def n_occasions(self) -> int | None:
        """Number of occasions, if usage says it."""
        return len(self.usage[0]) if self.usage else None


def read_traps(path: Path, covnames: Sequence[str] | None, binary_usage: bool | None) -> SecrTraps:
    """Read a station file: label, x, y [, usage] [/ covariates].

    Parameters
    ----------
    path
        The file.
    covnames
        Names of the covariates, if the header does not give them.
    binary_usage
        Whether usage is a string of 0 and 1 like "1101"; ``None`` to see for itself.

    Returns
    -------
    SecrTraps

    Raises
    ------
    DataError
        If a row has no label and coordinates, usage differs in length, or the file has polygons.
    """
    text = read_secr_text(path, "traps", number_column=1, header_words={"x", "y"})
    for line in text.lines:
        if len(line.cells) < 3:
            raise DataError(
                f"{text.place(line)}: a label, x and y are needed; found '{' '.join(line.cells)}'. {ADVICE}"
            )
    _refuse_polygons(text)
    names = _covariate_names(text, covnames)
    columns: dict[str, Any] = {
        "station": [line.cells[0] for line in text.lines],
        "x": [line.cells[1] for line in text.lines],
        "y": [line.cells[2] for line in text.lines],
    }
    columns |= typed({name: [line.after_slash[i] for line in text.lines] for i, name in enumerate(names)}, text.meta)
    return SecrTraps(lines_to_table(columns, text, text.lines), _usage(text, binary_usage), text.meta)


def lines_to_table(columns: dict[str, Any], text: SecrText, lines: list[Line]) -> Table:
    """Return columns as a table that knows its lines."""
    frame = covariate_table(
        {name: np.asarray(values, dtype=_dtype(values)) for name, values in columns.items()}, len(lines)
    )
    numbers = np.array([line.number for line in lines], dtype=np.int64)
    return Table(frame, numbers, (Origin(text.name, "line"),), np.zeros(len(lines), dtype=np.intp))


def _dtype(values: Any) -> Any:
    return np.float64 if isinstance(values, np.ndarray) and values.dtype == np.float64 else object


def typed(columns: dict[str, list[str]], meta: dict[str, Any]) -> dict[str, Any]:
    """Return covariates as numbers where all are, except those noted as text."""
    return {name: words if name in meta.get("text", ()) else _numbers(words) for name, words in columns.items()}


def _numbers(words: list[str]) -> Any:
    try:
        return np.array([np.nan if word == "NA" else float(word) for word in words], dtype=np.float64)
    except ValueError:
        return words


def _refuse_polygons(text: SecrText) -> None:
    labels = pd.Series([line.cells[0] for line in text.lines])
    named = any("poly" in word.lower() or "transect" in word.lower() for word in text.header[:1])
    if named or (len(labels) > 2 and labels.value_counts().iloc[0] > 2):
        raise DataError(f"{text.name} lists the corners of polygons or transects, not stations. {ADVICE}")


def _covariate_names(text: SecrText, covnames: Sequence[str] | None) -> list[str]:
    n = len(text.lines[0].after_slash)
    for line in text.lines:
        if len(line.after_slash) != n:
            raise DataError(
                f"{text.place(line)} has {len(line.after_slash)} covariates after the slash, line "
                f"{text.lines[0].number} has {n}. Write NA where one is missing, and quotes around words with blanks."
            )
    names = covnames if covnames is not None else text.header_after_slash
    if not names and n:
        return [f"covariate{i + 1}" for i in range(n)]
    if len(names) != n:
        raise DataError(f"{text.name} has {n} covariates after the slash, but {len(names)} names: {', '.join(names)}.")
    return list(names)


def _usage(text: SecrText, binary_usage: bool | None) -> list[list[str]]:
    usage = [line.cells[3:] for line in text.lines]
    if not any(usage):
        return []
    if binary_usage is None:
        binary_usage = "occasions" not in text.meta and _all_binary(usage)
    if binary_usage:
        usage = [list("".join(words)) for words in usage]
    n = len(usage[0])
    for line, words in zip(text.lines, usage, strict=True):
        if len(words) != n:
            raise DataError(
                f"{text.place(line)} has usage for {len(words)} occasions, line {text.lines[0].number} for {n}. "
                "Give each station as many, 0 where it was off; covariates follow a slash."
            )
    return usage


def _all_binary(usage: list[list[str]]) -> bool:
    """Whether each station has one word of zeros and ones, longer than one, such as "1101"."""
    return all(len(words) == 1 and len(words[0]) > 1 and set(words[0]) <= {"0", "1"} for words in usage)


def usage_table(traps: SecrTraps, occasions: tuple[str, ...]) -> pd.DataFrame:
    """Return usage as a wide table station x occasion; 1 everywhere if the file gives none."""
    usage: NDArray[np.object_] = np.array(
        traps.usage or [["1"] * len(occasions)] * len(traps.table), dtype=object
    ).reshape(len(traps.table), -1)
    frame = pd.DataFrame(usage, columns=list(occasions))
    frame.insert(0, "station", traps.table.frame["station"])
    return frame
