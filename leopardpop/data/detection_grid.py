"""Where the cells of tables of visits belong: site, season and visit of each row and column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leopardpop.data.detection_checks import check_unique, clean_label
from leopardpop.data.names import counted, did_you_mean, listed
from leopardpop.data.tables import Labels, Table, positions
from leopardpop.errors import DataError

__all__ = ["Grid", "Seasons", "column_grid", "find", "key_labels", "long_grid", "row_grid", "season_order"]

Seasons = int | Sequence[Any] | Mapping[Any, int]
"""How many seasons, their labels, or the number of visits of each by label."""

MOST_VISITS = 100_000
"""Visits of a season that are taken for a number of visits and not for a date or a mistake."""


@dataclass(frozen=True, slots=True)
class Grid:
    """Seasons, and the visits of each; the columns of a wide table are the visits of all seasons one after another."""

    seasons: tuple[str, ...]
    """Labels, in order of time."""
    blocks: tuple[int, ...]
    """Number of visits of each season; 0: nothing was surveyed."""
    by_row: bool = False
    """Whether the rows say the season, so that columns are the visits of any season."""

    @property
    def n_visits(self) -> int:
        """Number of visits of the longest season."""
        return max(self.blocks)

    @property
    def n_columns(self) -> int:
        """Number of columns that a wide table of visits has."""
        return self.n_visits if self.by_row else sum(self.blocks)

    def columns(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Return season and visit of each column of a wide table, both from 0."""
        if self.by_row:
            return np.zeros(self.n_visits, dtype=np.intp), np.arange(self.n_visits, dtype=np.intp)
        season = np.repeat(np.arange(len(self.blocks)), self.blocks).astype(np.intp)
        visit = np.concatenate([np.arange(length) for length in self.blocks]).astype(np.intp)
        return season, visit


def column_grid(n_columns: int, seasons: Seasons, name: str) -> Grid:
    """Cut the columns of a wide table into seasons.

    Parameters
    ----------
    n_columns
        How many columns of visits there are.
    seasons
        How many seasons (equal blocks of columns), their labels (the same), or label -> number of columns.
    name
        What the table is called, for messages.

    Raises
    ------
    DataError
        If the columns cannot be divided so.

    Examples
    --------
    >>> column_grid(6, 2, "y").blocks, column_grid(5, {"2021": 3, "2022": 0, "2023": 2}, "y").blocks
    ((3, 3), (3, 0, 2))
    """
    if isinstance(seasons, Mapping):
        return _named_blocks(n_columns, seasons, name)
    labels = season_labels(seasons)
    if n_columns % len(labels) or n_columns == 0:
        raise DataError(
            f"{name} has {counted(n_columns, 'column')} of visits, which cannot be {len(labels)} seasons of equal "
            "length. Correct seasons=; or say how many columns each season has, seasons={'2021': 5, '2022': 4}; or, if "
            "some are no visits, which are, visits=[...]."
        )
    return Grid(labels, (n_columns // len(labels),) * len(labels))


def _named_blocks(n_columns: int, seasons: Mapping[Any, int], name: str) -> Grid:
    labels = season_labels(list(seasons))
    blocks = list(seasons.values())
    if not all(_is_whole(block) and block >= 0 for block in blocks) or sum(blocks) != n_columns or not n_columns:
        raise DataError(
            f"seasons= has {' + '.join(str(block) for block in blocks)} visits, but {name} has "
            f"{counted(n_columns, 'column')} of visits. Give the number of columns of each season."
        )
    return Grid(labels, tuple(int(block) for block in blocks))


def _is_whole(value: Any) -> bool:
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)


def season_labels(seasons: int | Sequence[Any]) -> tuple[str, ...]:
    """Return the labels of seasons: "1", "2", … of a number."""
    if _is_whole(seasons):
        number = int(cast(int, seasons))
        if not 1 <= number <= MOST_VISITS:
            raise DataError(f"seasons={number} is not possible: give the number of seasons, 1 or more.")
        return tuple(str(t + 1) for t in range(number))
    if isinstance(seasons, (str, bytes)) or not isinstance(seasons, Sequence) or not len(seasons):
        raise DataError(f"seasons={seasons!r}: give a number, a list of labels, or label -> number of visits.")
    words = [clean_label(value, "season") for value in seasons]
    check_unique(words, "season")
    return tuple(words)


def season_order(names: Sequence[str], seasons: Seasons, table: Table) -> tuple[str, ...]:
    """Return the labels of the seasons that a column names: as ``seasons`` has them, else in order.

    Raises
    ------
    DataError
        If the column has a season that ``seasons`` does not have, or another number of them.
    """
    found = sorted(names, key=int) if all(name.isdecimal() for name in names) else list(names)
    if _is_whole(seasons):
        if seasons not in (1, len(found)):
            raise DataError(f"seasons={seasons}, but {table.name} has {len(found)} in its column: {listed(found)}.")
        return tuple(found)
    labels = season_labels(list(seasons) if isinstance(seasons, Mapping) else seasons)
    unknown = [name for name in found if name not in labels]
    if unknown:
        hint = did_you_mean(unknown[0], labels)
        raise DataError(
            f"{table.name} has the season '{unknown[0]}', which seasons= does not have: {listed(labels)}.{hint}",
            offenders=unknown,
        )
    return labels


def row_grid(table: Table, n_columns: int, seasons: Seasons) -> Grid:
    """Return the grid of a wide table whose rows say the season."""
    labels = season_order(key_labels(table, "season").names.tolist(), seasons, table)
    if not n_columns:
        raise DataError(f"{table.name} has no columns of visits beside 'site' and 'season'.")
    return Grid(labels, (n_columns,) * len(labels), by_row=True)


def long_grid(table: Table, seasons: Seasons) -> Grid:
    """Return the grid of a table with a row for each visit."""
    visit = visit_numbers(table)
    if "season" not in table:
        labels = season_labels(seasons if not isinstance(seasons, Mapping) else list(seasons))
        if len(labels) > 1:
            raise DataError(f"{table.name} has no column 'season', but seasons= has {len(labels)}. Add the column.")
        return Grid(labels, (int(visit.max(initial=0)) + 1,))
    found = key_labels(table, "season")
    labels = season_order(found.names.tolist(), seasons, table)
    place = positions(found.names, labels)[found.codes]
    blocks = np.zeros(len(labels), dtype=np.intp)
    np.maximum.at(blocks, place, visit + 1)
    return Grid(labels, tuple(blocks.tolist()))


def visit_numbers(table: Table) -> NDArray[np.intp]:
    """Return the visit of each row of a long table, from 0."""
    number = table.numbers("visit", whole=True, least=1)
    if (number > MOST_VISITS).any():
        first = number[number > MOST_VISITS][0]
        raise table.fail(
            number > MOST_VISITS, f"visit is {first:.0f}", "Number the visits of each site and season 1, 2, 3, …"
        )
    return (number - 1).astype(np.intp)


def key_labels(table: Table, column: str) -> Labels:
    """Return a column of labels, each in one line."""
    found = table.labels(column)
    words = [clean_label(name, column) for name in found.names]
    codes, names = pd.factorize(np.array(words, dtype=object))
    return Labels(codes.astype(np.intp)[found.codes], np.asarray(names, dtype=object))


def find(table: Table, column: str, known: Sequence[str], where: str) -> NDArray[np.intp]:
    """Return the position of each row's label among those that exist.

    Parameters
    ----------
    table
        The table.
    column
        "site", "season" or "species".
    known
        Labels that exist.
    where
        What they are of, for messages: "the site table".

    Raises
    ------
    DataError
        If one does not exist; it offers the nearest.
    """
    labels = key_labels(table, column)
    place = positions(labels.names, known)
    if (place < 0).any():
        unknown = place[labels.codes] < 0
        name = str(labels.names[labels.codes[int(unknown.argmax())]])
        hint = did_you_mean(name, known) or f" It has {listed(known)}."
        raise table.fail(unknown, f"{column} '{name}' is not in {where}", f"Correct it.{hint}")
    return place[labels.codes]
