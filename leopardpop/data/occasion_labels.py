"""How many occasions a session has, and which of them a record means."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leopardpop.data.names import did_you_mean, listed
from leopardpop.data.tables import Table, label
from leopardpop.errors import DataError
from leopardpop.words import counted

if TYPE_CHECKING:
    from leopardpop.data.design import Design
    from leopardpop.data.effort_table import EffortTable

__all__ = [
    "MOST_OCCASIONS",
    "OccasionOption",
    "largest_occasion",
    "occasion_positions",
    "occasions_from_effort",
    "wanted_occasions",
]

OccasionOption = int | Sequence[Any] | Mapping[str, Any] | None
"""How many, labels in order, or a dict session -> either."""
MOST_OCCASIONS = 100_000
"""Occasions that a session may have: more is a slip, and would fill the memory."""


def wanted_occasions(option: OccasionOption, sessions: Sequence[str]) -> list[tuple[str, ...]] | None:
    """Return the occasion labels of each session that the user asks for; ``None`` if nothing is asked for.

    Raises
    ------
    DataError
        If a number is not a whole number from 1 up, labels repeat, or a session is unknown or missing.
    """
    if option is None:
        return None
    if not isinstance(option, Mapping):
        return [_labels(option)] * len(sessions)
    by_session = {label(session): value for session, value in option.items()}
    for session in by_session:
        if session not in sessions:
            hint = did_you_mean(session, sessions)
            raise DataError(f"occasions= has session '{session}'; sessions are {listed(sessions)}.{hint}")
    missing = [session for session in sessions if session not in by_session]
    if missing:
        raise DataError(f"occasions= has no entry for session {listed(missing)}.", offenders=missing)
    return [_labels(by_session[session]) for session in sessions]


def _labels(option: Any) -> tuple[str, ...]:
    if isinstance(option, (int, np.integer)) and not isinstance(option, bool) and option >= 1:
        if option > MOST_OCCASIONS:
            raise DataError(f"occasions={option} are more than {MOST_OCCASIONS}, the most that a session may have.")
        return tuple(str(s + 1) for s in range(int(option)))
    if isinstance(option, Sequence | np.ndarray | pd.Index) and not isinstance(option, str) and len(option):
        labels = tuple(label(value) for value in option)
        if len(set(labels)) == len(labels) and all(labels):
            return labels
    raise DataError(f"occasions={option!r}: a whole number from 1 up is needed, or different labels in order.")


def occasions_from_effort(
    effort: EffortTable, design: Design, wanted: list[tuple[str, ...]] | None
) -> list[tuple[str, ...]]:
    """Return the occasion labels of each session: the columns of the effort table in which it has an entry."""
    return [_session_labels(effort, design, code, wanted) for code in range(len(design.sessions))]


def _session_labels(
    effort: EffortTable, design: Design, code: int, wanted: list[tuple[str, ...]] | None
) -> tuple[str, ...]:
    found = tuple(effort.labels[column] for column in effort.used(design.rows(code)))
    session = f" of session '{design.sessions[code]}'" if len(design.sessions) > 1 else ""
    if not found:
        raise DataError(f"{effort.table.name} has no effort{session} on any occasion. Write 0 where a station was off.")
    if wanted is None:
        return found
    if set(wanted[code]) == set(found):
        return wanted[code]
    numbered = wanted[code] == tuple(str(s + 1) for s in range(len(wanted[code])))
    if numbered and len(wanted[code]) == len(found):
        return found
    raise DataError(
        f"{effort.table.name} has {counted(len(found), 'occasion')}{session} ({listed(found)}), but occasions= says "
        f"{len(wanted[code])} ({listed(wanted[code])}). Correct one of them."
    )


def largest_occasion(captures: Table | None) -> int:
    """Return the largest occasion number in the captures.

    Raises
    ------
    DataError
        If there are no captures, or an occasion is not a whole number from 1 up.
    """
    if captures is None or not len(captures):
        raise DataError(
            "the number of occasions is unknown: there are no captures and no effort table. Pass occasions=."
        )
    labels = captures.labels("occasion")
    numbers = np.array([_number(name) for name in labels.names])
    bad = (numbers < 1)[labels.codes]
    if bad.any():
        raise captures.fail(
            bad,
            f"occasion '{labels.names[labels.codes[bad.argmax()]]}' is not a number from 1 up",
            "Number the occasions, or pass their labels in order: occasions=[…].",
        )
    many = (numbers > MOST_OCCASIONS)[labels.codes]
    if many.any():
        found = f"occasion {labels.names[labels.codes[many.argmax()]]} would make as many occasions"
        raise captures.fail(many, found, f"At most {MOST_OCCASIONS} are read. Correct it, or pass occasions=.")
    return int(numbers.max())


def _number(name: str) -> int:
    """Return the number that a label writes ("3", "03", "3.0"), or -1."""
    try:
        value = float(name)
    except ValueError:
        return -1
    return int(value) if value.is_integer() else -1


def occasion_positions(captures: Table, session: NDArray[np.intp], design: Design) -> NDArray[np.intp]:
    """Return the occasion of each row, counted from 0 within its session.

    A label of the occasions is looked up; where no label is a number, a number counts the occasions.

    Raises
    ------
    DataError
        If a row names an occasion that its session does not have.
    """
    labels = captures.labels("occasion")
    pairs, inverse = np.unique(session * len(labels.names) + labels.codes, return_inverse=True)
    of_pair = [divmod(int(pair), len(labels.names)) for pair in pairs]
    found = [_position(labels.names[name], design.occasions[code]) for code, name in of_pair]
    positions = np.array(found, dtype=np.intp)[inverse]
    unknown = positions < 0
    if unknown.any():
        first = int(unknown.argmax())
        name, code = labels.names[labels.codes[first]], session[first]
        where = f" of session '{design.sessions[code]}'" if len(design.sessions) > 1 else ""
        raise captures.fail(
            unknown,
            f"occasion '{name}' is not one of the {len(design.occasions[code])} occasions{where}",
            f"They are {listed(design.occasions[code])}. Correct the record, or pass occasions=.",
        )
    return positions


def _position(name: str, occasions: tuple[str, ...]) -> int:
    if name in occasions:
        return occasions.index(name)
    number = _number(name)
    if str(number) in occasions:
        return occasions.index(str(number))
    any_number = any(_number(occasion) >= 0 for occasion in occasions)
    return number - 1 if 1 <= number <= len(occasions) and not any_number else -1
