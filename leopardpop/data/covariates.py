"""Covariates of stations and animals: float64, or text with ``None`` where it is missing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leopardpop.data.notices import notice
from leopardpop.errors import DataError, DataWarning
from leopardpop.words import counted

__all__ = [
    "GROUPED",
    "MISSING_WORDS",
    "PLAIN_NUMBER",
    "THOUSANDS",
    "as_covariates",
    "as_number",
    "covariate_table",
    "from_coordinate",
    "numbers_if_all_are",
    "to_coordinate",
    "with_numbers",
]

MISSING_WORDS = frozenset({"", "NA", "N/A", "NaN", "nan", "<NA>"})
"""What a table may write where a covariate is missing."""

THOUSANDS = re.compile(r"-?[1-9]\d{0,2}(,\d{3})+")
"""What may be a number with a decimal comma or one with separated thousands."""
GROUPED = re.compile(r"-?\d{1,3}([,.'\u2019 \u00a0\u202f]\d{3})+([.,]\d+)?")
"""A number with separated thousands."""
PLAIN_NUMBER = "Write numbers without separators of thousands, and with a point for decimals: 512345.7."

LINE_BREAKS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
"""Characters that no text file of rows can hold in a cell."""


def as_covariates(frame: pd.DataFrame | None, n_rows: int, of: str) -> pd.DataFrame:
    """Return covariates in one of two types: float64, or objects that are str or ``None``.

    Parameters
    ----------
    frame
        One row a station or animal; ``None`` is no covariates.
    n_rows
        Number of rows that it must have.
    of
        "station" or "individual", for the message.

    Returns
    -------
    pandas.DataFrame
        A copy, rows numbered from 0. Whole numbers and true/false become floats, categories and dates text.

    Raises
    ------
    DataError
        If the number of rows is wrong.
    """
    if frame is None:
        return pd.DataFrame(index=pd.RangeIndex(n_rows))
    if len(frame) != n_rows:
        raise DataError(
            f"{of} covariates have {counted(len(frame), 'row')}, but there are {n_rows} {of}s. Give one row each."
        )
    return covariate_table({str(name): _clean(column) for name, column in frame.items()}, n_rows)


def covariate_table(columns: Mapping[str, NDArray[Any]], n_rows: int) -> pd.DataFrame:
    """Return a table of float64 and object columns, whatever pandas would make of the objects."""
    series = {name: pd.Series(values, dtype=values.dtype) for name, values in columns.items()}
    return pd.DataFrame(series, index=pd.RangeIndex(n_rows))


def _clean(column: pd.Series[Any]) -> NDArray[Any]:
    if pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column):
        return column.to_numpy(dtype=np.float64, na_value=np.nan)
    return _clean_text(column)


def _clean_text(column: pd.Series[Any]) -> NDArray[np.object_]:
    codes, values = pd.factorize(column.astype(object))
    words = np.array([*(_word(value) for value in values), None], dtype=object)
    return words[codes]  # a missing value has code -1: the None at the end


def _word(value: Any) -> str | None:
    word = LINE_BREAKS.sub(" ", str(value)).strip()
    return None if word in MISSING_WORDS else word


def numbers_if_all_are(words: Iterable[str | None], decimal_comma: bool) -> list[float] | None:
    """Return the words of a file as numbers if every one that is not missing is a number, else ``None``."""
    numbers = [np.nan if word is None else as_number(word, decimal_comma) for word in words]
    return (
        None
        if any(number is None for number in numbers)
        else [float(number) for number in numbers if number is not None]
    )


def with_numbers(table: pd.DataFrame, decimal_comma: bool, file: str) -> pd.DataFrame:
    """Return covariates of a file with numbers where a column has nothing else.

    Parameters
    ----------
    table
        Columns of text, with None where it is missing.
    decimal_comma
        Whether the columns of the file are separated by something else than commas.
    file
        Its name, for the warning.

    Warns
    -----
    DataWarning
        If a column stays text because of commas or points that may separate thousands.
    """
    for name in table.columns:
        words = [word for word in table[name] if word is not None]
        comma = decimal_comma or not any(THOUSANDS.fullmatch(word) for word in words)
        numbers = numbers_if_all_are(table[name], comma) if words else None
        if numbers is not None:
            table[name] = numbers
        elif words and all(GROUPED.fullmatch(word) or as_number(word, True) is not None for word in words):
            first = next(word for word in words if GROUPED.fullmatch(word))
            notice(f"{file}: column '{name}' is text, for it has '{first}'. {PLAIN_NUMBER}", DataWarning)
    return table


def as_number(word: str, decimal_comma: bool) -> float | None:
    """Return a word as a number, "1,5" being 1.5 where commas do not separate columns; ``None`` if it is none."""
    if decimal_comma and word.count(",") == 1 and "." not in word:
        word = word.replace(",", ".")
    if "_" in word:  # Python reads 1_000 as a number; nobody else does
        return None
    try:
        return float(word)
    except ValueError:
        return None


def to_coordinate(column: pd.Series[Any]) -> NDArray[Any]:
    """Return a covariate as NetCDF can hold it: missing text is the empty string."""
    if column.dtype == np.float64:
        return column.to_numpy(copy=True)
    return np.array([value if value is not None else "" for value in column], dtype=np.str_)


def from_coordinate(values: NDArray[Any]) -> NDArray[Any]:
    """Return what :func:`to_coordinate` was given."""
    if np.issubdtype(values.dtype, np.number):
        return values.astype(np.float64)
    words = values.astype(object)
    words[words == ""] = None
    return words
