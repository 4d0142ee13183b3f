"""Tags of a Camtrap DP: ``flank:left | position:above stream``, parsed once for each different text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

__all__ = ["parse_tags", "tag_columns", "tag_values", "without_key"]

MOST_KEYS = 50
"""Keys that become columns; more are no properties of places."""


def parse_tags(tags: Any) -> dict[str, list[str]]:
    """Read the tags of one cell: key -> values; those without a key have the key "".

    Examples
    --------
    >>> parse_tags("flank:left | flank:right|good one")
    {'flank': ['left', 'right'], '': ['good one']}
    """
    found: dict[str, list[str]] = {}
    if not isinstance(tags, str):
        return found
    for tag in filter(None, (part.strip() for part in tags.split("|"))):
        key, _, value = tag.partition(":") if ":" in tag else ("", "", tag)
        found.setdefault(key.strip(), []).append(value.strip())
    return found


def tag_values(column: pd.Series[Any], key: str) -> NDArray[np.object_]:
    """Values of a key in each row, in any case, None where it is not, (n,); several are joined by a bar.

    Examples
    --------
    >>> tag_values(pd.Series(["flank:left", "sharp | Flank:right", None]), "flank").tolist()
    ['left', 'right', None]
    """
    codes, values = pd.factorize(column.astype(object))
    words = ("|".join(_of_key(value, key.casefold())) or None for value in values)
    return np.array([*words, None], dtype=object)[codes]


def _of_key(tags: Any, key: str) -> list[str]:
    return [value for name, several in parse_tags(tags).items() if name.casefold() == key for value in several]


def tag_columns(column: pd.Series[Any]) -> dict[str, pd.Series[Any]]:
    """Make a column of each key: key -> values, (n,)."""
    keys = dict.fromkeys(key for value in column.unique() for key in parse_tags(value) if key)
    wanted: Sequence[str] = list(keys) if len(keys) <= MOST_KEYS else []
    return {key: pd.Series(_exact_values(column, key), index=column.index, dtype=object) for key in wanted}


def _exact_values(column: pd.Series[Any], key: str) -> NDArray[np.object_]:
    codes, values = pd.factorize(column.astype(object))
    words = ("|".join(parse_tags(value).get(key, ())) or None for value in values)
    return np.array([*words, None], dtype=object)[codes]


def without_key(column: pd.Series[Any], key: str, read: pd.Series[Any]) -> pd.Series[Any]:
    """Tags without those of a key that has been read, None where none is left, (n,).

    Parameters
    ----------
    column
        Tags.
    key
        The key.
    read
        What was read of it; where nothing was, the tags stay.

    Examples
    --------
    >>> without_key(pd.Series(["flank:left | sharp", "flank:?"]), "flank", pd.Series(["left", None])).tolist()
    ['sharp', 'flank:?']
    """
    known = (column.notna() & read.notna()).to_numpy(bool)
    codes, values = pd.factorize(column[known])
    left = (
        " | ".join(tag for part in value.split("|") if _key(tag := part.strip()) != key.casefold()) for value in values
    )
    result = column.to_numpy(object, copy=True)
    result[known] = np.array([*(word or None for word in left), None], dtype=object)[codes]
    return pd.Series(result, index=column.index, dtype=object)


def _key(tag: str) -> str:
    return tag.partition(":")[0].strip().casefold() if ":" in tag else ""
