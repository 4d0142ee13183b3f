"""Whether two likelihoods are of the same data: of the same history, cells and known classes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from leopardpop.errors import ModelError
from leopardpop.models.tables import class_codes
from leopardpop.words import counted, joined

if TYPE_CHECKING:
    import xarray as xr

    from leopardpop.models.problem import Problem

__all__ = ["DataOf", "check_same_data", "data_of_problem", "data_of_tree"]


@dataclass(frozen=True, kw_only=True)
class DataOf:
    """What a capture-recapture likelihood is of, beside the history.

    Examples
    --------
    >>> DataOf(cells=("a1",), n_cells=(322,), classes="sex", n_known=12).classes
    'sex'
    """

    cells: tuple[str, ...]
    """Fingerprint of position and area of the cells, by session; empty where positions were removed from the file."""
    n_cells: tuple[int, ...]
    """Number of cells, by session."""
    classes: str | None
    """Column of the classes; None without classes, or if no animal's class is known."""
    n_known: int
    """Number of animals whose class is known, and is data therefore."""


def data_of_problem(problem: Problem) -> DataOf:
    """Return what the likelihood of a problem is of.

    Parameters
    ----------
    problem
        The model with its data.
    """
    masks = [problem.masks[data.session] for data in problem.data]
    known = sum(int((class_codes(data, problem.column, problem.levels) >= 0).sum()) for data in problem.data)
    return DataOf(
        cells=tuple(_fingerprint(mask.x, mask.y, mask.area) for mask in masks),
        n_cells=tuple(mask.n_cells for mask in masks),
        **_classes(problem.column, known),
    )


def data_of_tree(tree: xr.DataTree) -> DataOf:
    """Return what the likelihood of a stored fit is of.

    Parameters
    ----------
    tree
        The fit's data tree.
    """
    constant, column = tree["constant_data"].to_dataset(), json.loads(str(tree.attrs["model_json"])).get("classes")
    session = constant["cell_session"].values
    rows = [np.flatnonzero(session == label) for label in constant["session"].values]
    x, y, area = (constant[name].values for name in ("x", "y", "area"))
    hidden = tree.attrs.get("coordinates") == "hidden"
    return DataOf(
        cells=() if hidden else tuple(_fingerprint(x[own], y[own], area[own]) for own in rows),
        n_cells=tuple(map(len, rows)),
        **_classes(column, _known(tree["observed_data"].to_dataset(), column)),
    )


def _known(observed: xr.Dataset, column: str | None) -> int:
    if column is None or column not in observed:
        return 0
    return sum(str(value) not in ("", "nan") for value in observed[column].values)


def _classes(column: str | None, known: int) -> dict[str, Any]:
    return {"classes": column if known else None, "n_known": known if column else 0}


def _fingerprint(*columns: Any) -> str:
    values = np.column_stack(columns).astype("<f8")
    return hashlib.sha256(values[np.lexsort(values.T)].tobytes()).hexdigest()


def check_same_data(data: Mapping[str, DataOf]) -> None:
    """Refuse fits whose likelihoods are of different cells or of different known classes.

    Parameters
    ----------
    data
        What each fit is of, by its name.

    Raises
    ------
    ModelError
        If two of them differ.
    """
    _check_cells(data)
    _check_classes(data)


def _check_cells(data: Mapping[str, DataOf]) -> None:
    (first, known), *others = data.items()
    other = [name for name, each in others if each.n_cells != known.n_cells or _differ(each.cells, known.cells)]
    if other:
        counts = f"{_cells(data[other[0]])} and {_cells(known)}"
        raise ModelError(
            f"{_quoted([*other, first])} are fits on different masks ({counts}). The mask says where animals can live: "
            "N grows with it, and a likelihood does not choose it. Fit all models on one mask (covariates may be added "
            "to it); whether it reaches far enough is told by fit.diagnostics().",
            offenders=other,
        )


def _differ(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    return bool(one) and bool(other) and one != other  # without positions, numbers of cells are all that is known


def _cells(data: DataOf) -> str:
    return counted(sum(data.n_cells), "cell")


def _check_classes(data: Mapping[str, DataOf]) -> None:
    columns = {each.classes for each in data.values()}
    if len(columns) < 2:
        return
    column = sorted(c for c in columns if c is not None)[0]
    without = [name for name, each in data.items() if each.classes != column]
    having = [name for name, each in data.items() if each.classes == column]
    animals = counted(data[having[0]].n_known, "animal")
    raise ModelError(
        f"{_quoted(having)} {_has(having)} classes={column!r} and {_quoted(without)} {_has(without)} not: the known "
        f"{column} of {animals} is data in the one likelihood and no data in the other, so that they cannot be "
        f"compared. Fit {_quoted(without)} with classes={column!r}, too, and without {column} in the formulas: density "
        "and detection come out the same, and the likelihood is of the same data.",
        offenders=without,
    )


def _has(names: list[str]) -> str:
    return "has" if len(names) == 1 else "have"


def _quoted(names: Iterable[str]) -> str:
    return joined([repr(name) for name in names])
