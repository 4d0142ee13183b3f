"""Cells of tables of visits as numbers or text, each fault with its line and column."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leopardpop.data.covariates import LINE_BREAKS, MISSING_WORDS, as_number
from leopardpop.data.detection_checks import LARGEST, RESPONSES
from leopardpop.data.tables import Table, label
from leopardpop.errors import DataError

__all__ = ["response_columns", "typed_cells", "typed_column"]

LOGICAL = {"TRUE": 1.0, "FALSE": 0.0, "True": 1.0, "False": 0.0}
"""How R and Python write what is true: covariates and detections of 1 and 0."""

NO_VISIT = frozenset({".", "-"})
"""What MARK and PRESENCE write where there was no visit."""


def response_columns(table: Table, columns: Sequence[str], response: str | None, hint: str = "") -> NDArray[np.float64]:
    """Return columns of responses, (row, column); NaN where there was no visit.

    Parameters
    ----------
    table
        The table.
    columns
        Their names.
    response
        Kind of response; ``None`` if it was not said.
    hint
        What to add to an error.

    Raises
    ------
    DataError
        If a cell is no whole number from 0, or more than the response can be.
    """
    words = table.frame[list(columns)].apply(_plain_response)
    plain = Table(words, table.lines, table.origins, table.origin)
    try:
        values = [
            plain.numbers(name, whole=True, least=0, blank=np.nan, called=f"y in column '{name}'") for name in columns
        ]
    except DataError as error:
        raise DataError(f"{error}{hint}", offenders=error.offenders) from error
    y = np.stack(values, axis=1)
    for j, name in enumerate(columns) if response in LARGEST else ():
        high = y[:, j] > LARGEST[str(response)]
        if high.any():
            advice = f"A {response} response can be {RESPONSES[str(response)]}: correct it, or pass another response."
            raise table.fail(high, f"y in column '{name}' is {y[high, j][0]:g}", f"{advice}{hint}")
    return y


def _plain_response(column: pd.Series[Any]) -> pd.Series[Any]:
    """Return a column with what stands for true, false and no visit as numbers."""
    if pd.api.types.is_numeric_dtype(column):
        return column.astype(np.float64)
    codes, values = pd.factorize(column.astype(object))
    meaning: dict[str, Any] = LOGICAL | dict.fromkeys(NO_VISIT)
    plain = [meaning.get(label(value), value) for value in values]
    return pd.Series(np.array([*plain, None], dtype=object)[codes], dtype=object)


@dataclass(frozen=True, slots=True)
class _Kinds:
    """Different values of some cells, and what each can be."""

    codes: NDArray[np.intp]
    words: list[str | None]
    numbers: list[float | None]

    def wrong(self) -> NDArray[np.bool_]:
        """Return the cells of text, where most are numbers."""
        is_number = np.array([*(number is not None for number in self.numbers), False])[self.codes]
        is_text = np.array([*(word is not None for word in self.words), False])[self.codes] & ~is_number
        return is_text if is_number.sum() > is_text.sum() else np.zeros(len(self.codes), dtype=np.bool_)


def typed_cells(cells: pd.Series[Any], *, is_file: bool, decimal_comma: bool) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Return cells as numbers, or as text with ``None`` where it is missing.

    Parameters
    ----------
    cells
        Any values.
    is_file
        Whether they are a file's text, which may be numbers.
    decimal_comma
        Whether "1,5" may be a number.

    Returns
    -------
    values : numpy.ndarray
        float64 if all are numbers or all are true or false; else str or ``None``.
    wrong : numpy.ndarray
        Where there is text although most are numbers.

    Examples
    --------
    >>> import pandas as pd
    >>> typed_cells(pd.Series(["1,5", "NA", "x", "2"]), is_file=True, decimal_comma=True)[1]
    array([False, False,  True, False])
    """
    if pd.api.types.is_numeric_dtype(cells) or pd.api.types.is_bool_dtype(cells):
        return cells.to_numpy(dtype=np.float64, na_value=np.nan), np.zeros(len(cells), dtype=np.bool_)
    kinds = _kinds(cells, is_file, decimal_comma)
    real = [i for i, word in enumerate(kinds.words) if word is not None]
    if real and all(kinds.words[i] in LOGICAL for i in real):
        return _numbers(kinds.codes, [None if word is None else LOGICAL[word] for word in kinds.words]), kinds.wrong()
    if all(kinds.numbers[i] is not None for i in real):
        return _numbers(kinds.codes, kinds.numbers), kinds.wrong()
    return np.array([*kinds.words, None], dtype=object)[kinds.codes], kinds.wrong()


def _numbers(codes: NDArray[np.intp], numbers: Sequence[float | None]) -> NDArray[np.float64]:
    every = [np.nan if number is None else number for number in numbers]
    return np.array([*every, np.nan], dtype=np.float64)[codes]


def _kinds(cells: pd.Series[Any], is_file: bool, decimal_comma: bool) -> _Kinds:
    is_category = isinstance(cells.dtype, pd.CategoricalDtype)
    codes, values = pd.factorize(cells.astype(object))
    words = [_word(value) for value in values]
    numbers: list[float | None] = []
    for value, word in zip(values, words, strict=True):
        is_number = isinstance(value, (int, float, np.number)) and not isinstance(value, bool) and not is_category
        parsed = as_number(word, decimal_comma) if is_file and word is not None else None
        numbers.append(float(value) if is_number else parsed)
    return _Kinds(codes.astype(np.intp), words, numbers)


def _word(value: Any) -> str | None:
    word = LINE_BREAKS.sub(" ", label(value)).strip()
    return None if word in MISSING_WORDS else word


def typed_column(table: Table, columns: Sequence[str], name: str) -> NDArray[Any]:
    """Return columns of one covariate in one type, (row, column).

    Parameters
    ----------
    table
        The table.
    columns
        Columns that have the covariate.
    name
        What it is called.

    Returns
    -------
    numpy.ndarray
        float64, or str with ``None`` where it is missing.

    Raises
    ------
    DataError
        If there is text although most cells are numbers.
    """
    frame = table.frame[list(columns)]
    numeric = all(pd.api.types.is_numeric_dtype(frame[column]) for column in columns)
    cells = pd.Series(frame.to_numpy(dtype=np.float64 if numeric else object, na_value=np.nan).ravel(order="F"))
    cells = frame[columns[0]] if len(columns) == 1 else cells  # may be categories
    is_file = all(origin.is_file for origin in table.origins)
    comma = any(origin.decimal_comma for origin in table.origins)
    values, wrong = typed_cells(cells, is_file=is_file, decimal_comma=comma)
    if wrong.any():
        column, row = divmod(int(wrong.argmax()), len(table))
        found = f"{name} is '{label(table.frame[columns[column]].iloc[row])}'"
        found += f" in column '{columns[column]}'" if columns[column] != name else ""
        raise table.fail(
            np.unique(np.flatnonzero(wrong) % len(table)),
            f"{found}, but most of its values are numbers",
            "Correct it, or leave it blank; if it is a label, make it one everywhere, such as 'a1'.",
        )
    return values.reshape(len(table), len(columns), order="F")
