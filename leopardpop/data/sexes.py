"""One spelling of each sex in a capture history: a class of animals must not be split by how somebody wrote it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from leopardpop.data.design import AUDIT_COLUMNS
from leopardpop.data.notices import notice
from leopardpop.data.vocabulary import is_nothing, sex_of
from leopardpop.errors import DataWarning
from leopardpop.words import counted

if TYPE_CHECKING:
    from leopardpop.data.parts import SessionParts

__all__ = ["SEXES", "is_sex", "with_one_spelling"]

SEXES = ("F", "M")
"""The classes by sex, as they are spelled."""
NAMES = ("female", "male")
NOT_KNOWN = frozenset({"u", "un", "n", "nk", "ni", "indet", "ind"})
"""Short for unknown where a sex is asked for."""


def is_sex(column: str) -> bool:
    """Whether a column of individuals is their sex, by its name.

    Examples
    --------
    >>> is_sex("Sex"), is_sex("sex_ratio")
    (True, False)
    """
    return column.strip().lower() == "sex"


def with_one_spelling(
    parts: Sequence[SessionParts], audit: pd.DataFrame | None
) -> tuple[list[SessionParts], pd.DataFrame | None]:
    """Write sexes F and M in every session, unknown ones as missing; other words and numbers are kept.

    Parameters
    ----------
    parts
        The sessions.
    audit
        Columns source, line, action, reason.

    Returns
    -------
    parts : list of SessionParts
    audit : pandas.DataFrame or None
        With a row for each word that was changed.

    Warns
    -----
    DataWarning
        If a word is nearly a sex, such as "femal".
    """
    words = [word for each in parts for column in _columns(each) for word in _words(column)]
    read = {word: _spelled(word) for word in dict.fromkeys(words)}
    _warn_of_near_ones([word for word, new in read.items() if new == word and word not in SEXES])
    changed = {word: new for word, new in read.items() if new != word}
    if not changed:
        return list(parts), audit
    rows = [["individuals", pd.NA, "kept", _reason(word, new, words.count(word))] for word, new in changed.items()]
    told = pd.DataFrame(rows, columns=AUDIT_COLUMNS)
    before = [] if audit is None else [audit]
    return [_respelled(each, changed) for each in parts], pd.concat([*before, told], ignore_index=True)


def _columns(parts: SessionParts) -> list[pd.Series[Any]]:
    table = parts.individual_covariates
    if table is None:
        return []
    return [table[name] for name in table if is_sex(str(name)) and not pd.api.types.is_numeric_dtype(table[name])]


def _words(column: pd.Series[Any]) -> list[str]:
    return [str(value).strip() for value in column if pd.notna(value)]


def _spelled(word: str) -> str | None:
    doubtful = word.endswith("?") or word.lower().rstrip(".") in NOT_KNOWN
    return None if is_nothing(word) or doubtful else sex_of(word) or word


def _reason(word: str, new: str | None, n: int) -> str:
    return f"sex '{word}' of {counted(n, 'animal')}: {'not known' if new is None else f'read as {new}'}"


def _respelled(parts: SessionParts, changed: dict[str, str | None]) -> SessionParts:
    columns = {str(column.name): _new(column, changed) for column in _columns(parts)}
    if not columns or parts.individual_covariates is None:
        return parts
    return replace(parts, individual_covariates=parts.individual_covariates.assign(**columns))


def _new(column: pd.Series[Any], changed: dict[str, str | None]) -> pd.Series[Any]:
    plain = [None if pd.isna(value) else str(value).strip() for value in column]
    new = [None if word is None else changed.get(word, word) for word in plain]
    return pd.Series(np.array([*new, None], dtype=object)[:-1], index=column.index, dtype=object)


def _warn_of_near_ones(words: list[str]) -> None:
    near = {word: found[0] for word in words if (found := get_close_matches(word.lower(), NAMES, 1, cutoff=0.75))}
    for word, name in near.items():
        notice(f"sex '{word}' is kept as a class of its own. Did you mean '{name}'? Correct it.", DataWarning)
