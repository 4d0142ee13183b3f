"""Capture files of secr: sessions, animals, occasions, stations or coordinates, deaths, covariates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leopardpop.data.design import AUDIT_COLUMNS
from leopardpop.data.occasion_labels import MOST_OCCASIONS
from leopardpop.data.readers.secr_text import Line, SecrText, read_secr_text
from leopardpop.data.readers.secr_traps import ADVICE, lines_to_table, typed
from leopardpop.data.tables import Table
from leopardpop.errors import DataError

__all__ = ["SecrCaptures", "captures_table", "find_format", "individuals_table", "read_captures"]

TOLERANCE = 0.01
"""Metres within which the coordinates of a capture are those of a station."""

FIRST_COVARIATE = {"trapID": 4, "XY": 5}


@dataclass(frozen=True, slots=True)
class SecrCaptures:
    """One capture file."""

    text: SecrText
    """The file."""
    lines: list[Line]
    """Lines with an animal, not those that only say that a session has no captures."""
    occasion: NDArray[np.intp]
    """Occasion of each line, from 1."""
    died: NDArray[np.bool_]
    """Whether the animal died then."""
    sessions: list[str]
    """In order of appearance."""
    largest: dict[str, int]
    """Largest occasion of each session."""

    @property
    def meta(self) -> dict[str, Any]:
        """What leopardpop noted when it wrote the file."""
        return self.text.meta

    def covariate_names(self, fmt: str, covnames: Sequence[str] | None) -> list[str]:
        """Return the names of the columns after the station."""
        return list(covnames if covnames is not None else self.text.header[FIRST_COVARIATE[fmt] :])

    def audit(self, fmt: str, covnames: Sequence[str] | None) -> pd.DataFrame:
        """Say how many columns nothing names: they are not used."""
        names = self.covariate_names(fmt, covnames)
        width = max((len(line.cells) for line in self.lines), default=0)
        unnamed = width - FIRST_COVARIATE[fmt] - len(names)
        reason = f"{unnamed} columns of captures have no name and are not used; covnames= can name them"
        return pd.DataFrame([[self.text.name, pd.NA, "dropped", reason]] * (unnamed > 0), columns=AUDIT_COLUMNS)


def read_captures(path: Path) -> SecrCaptures:
    """Read the lines of a capture file, as far as that goes without the stations.

    Raises
    ------
    DataError
        If a line has fewer than four cells or an occasion that is no number.
    """
    text = read_secr_text(path, "captures", number_column=2, header_words={"session", "id", "occasion"})
    nobody = text.meta.get("noncapt", "NONE")
    signed = np.array([_occasion(text, line) for line in text.lines], dtype=np.intp)
    largest: dict[str, int] = {}
    for line, occasion in zip(text.lines, np.abs(signed).tolist(), strict=True):
        largest[line.cells[0]] = max(occasion, largest.get(line.cells[0], 0))
    animal = np.array([line.cells[1] != nobody for line in text.lines], dtype=bool)
    return SecrCaptures(
        text=text,
        lines=[line for line, seen in zip(text.lines, animal, strict=True) if seen],
        occasion=np.abs(signed[animal]),
        died=signed[animal] < 0,
        sessions=list(largest),
        largest=largest,
    )


def _occasion(text: SecrText, line: Line) -> int:
    if len(line.cells) < 4:
        raise DataError(
            f"{text.place(line)}: session, animal, occasion and station are needed; found '{' '.join(line.cells)}'. "
            "Comments begin with #."
        )
    try:
        number = int(line.cells[2])
    except ValueError:
        number = 0
    if number == 0 or abs(number) > MOST_OCCASIONS:
        raise DataError(
            f"{text.place(line)}: occasion is '{line.cells[2]}'. A number from 1 to {MOST_OCCASIONS} is needed, or its "
            "minus."
        )
    return number


def find_format(found: SecrCaptures, stations: Mapping[str, Table]) -> str:
    """Return "trapID" if every capture names a station, "XY" if it has coordinates instead."""
    labels = {session: set(table.frame["station"]) for session, table in stations.items()}
    every = set().union(*labels.values())
    if all(line.cells[3] in labels.get(line.cells[0], every) for line in found.lines):
        return "trapID"
    return "XY" if all(_are_coordinates(line.cells[3:5]) for line in found.lines) else "trapID"


def _are_coordinates(cells: list[str]) -> bool:
    return len(cells) == 2 and bool(pd.to_numeric(pd.Series(cells), errors="coerce").notna().all())


def captures_table(
    found: SecrCaptures, stations: Mapping[str, Table], occasions: Mapping[str, tuple[str, ...]], fmt: str
) -> Table:
    """Return captures as a table: session, individual, station, occasion, died."""
    sessions = [line.cells[0] for line in found.lines]
    numbers = zip(sessions, found.occasion.tolist(), strict=True)
    labels = [_label(occasions.get(session, ()), number) for session, number in numbers]
    columns: dict[str, Any] = {
        "session": sessions,
        "individual": [line.cells[1] for line in found.lines],
        "station": [line.cells[3] for line in found.lines] if fmt == "trapID" else _at_coordinates(found, stations),
        "occasion": labels,
        "died": found.died.astype(np.float64),
    }
    return lines_to_table(columns, found.text, found.lines)


def _label(occasions: tuple[str, ...], number: int) -> str:
    return occasions[number - 1] if number <= len(occasions) else str(number)


def _at_coordinates(found: SecrCaptures, stations: Mapping[str, Table]) -> list[str]:
    """Return the station at the coordinates of each capture."""
    from scipy.spatial import cKDTree

    xy = np.array([[float(cell) for cell in line.cells[3:5]] for line in found.lines])
    sessions = np.array([line.cells[0] for line in found.lines], dtype=object)
    result = np.full(len(sessions), "", dtype=object)
    for session in found.largest:
        rows = np.flatnonzero(sessions == session)
        if session not in stations or not rows.size:
            continue
        table = stations[session]
        places = np.stack([table.numbers("x"), table.numbers("y")], axis=1)
        distance, nearest = cKDTree(places).query(xy[rows])
        far = np.flatnonzero(distance > TOLERANCE)
        labels = table.frame["station"].to_numpy(dtype=object)[nearest]
        if far.size:
            line = found.lines[rows[far[0]]]
            raise DataError(
                f"{found.text.place(line)}: no station is at x = {line.cells[3]}, y = {line.cells[4]}; "
                f"'{labels[far[0]]}' is {distance[far[0]]:.3g} m away ({far.size} such lines). {ADVICE}",
                offenders=[found.lines[rows[k]].number for k in far],
            )
        result[rows] = labels
    return result.tolist()


def individuals_table(found: SecrCaptures, fmt: str, covnames: Sequence[str] | None) -> Table | None:
    """Return the covariates of each animal: the first value that is not missing.

    Raises
    ------
    DataError
        If a covariate differs between the lines of an animal.
    """
    names = found.covariate_names(fmt, covnames)
    if not names:
        return None
    first = FIRST_COVARIATE[fmt]
    keys = pd.Series([(line.cells[0], line.cells[1]) for line in found.lines], dtype=object)
    animal, animals = pd.factorize(keys)
    starts = np.unique(animal, return_index=True)[1]
    columns: dict[str, Any] = {"session": [key[0] for key in animals], "individual": [key[1] for key in animals]}
    words = {
        name: _constant(found, animal, [_cell(line, first + i) for line in found.lines], name)
        for i, name in enumerate(names)
    }
    return lines_to_table(columns | typed(words, found.meta), found.text, [found.lines[row] for row in starts])


def _cell(line: Line, column: int) -> str:
    return line.cells[column] if column < len(line.cells) else "NA"


def _constant(found: SecrCaptures, animal: NDArray[np.intp], cells: list[str], name: str) -> list[str]:
    words = pd.Series(cells, dtype=object)
    known = words[words != "NA"]
    value = known.groupby(animal[known.index]).first().reindex(range(int(animal.max(initial=-1)) + 1), fill_value="NA")
    differs = known[known.to_numpy() != value.to_numpy()[animal[known.index]]]
    if len(differs):
        line, before = found.lines[differs.index[0]], value[animal[differs.index[0]]]
        raise DataError(
            f"{found.text.place(line)}: {name} of animal '{line.cells[1]}' is '{differs.iloc[0]}', before it was "
            f"'{before}' ({len(differs)} such lines). Correct them, or pass covnames=[] to use none.",
            offenders=[found.lines[row].number for row in differs.index],
        )
    return value.tolist()
