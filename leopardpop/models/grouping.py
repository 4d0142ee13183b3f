"""Groups of random effects in capture-recapture: what stations are called, and which groups say nothing."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from leopardpop.errors import ModelError

if TYPE_CHECKING:
    from leopardpop.components.formula import Design
    from leopardpop.components.random_effects import RandomDesign
    from leopardpop.data.arrays import SessionArrays

__all__ = ["check_groups", "station_names"]

MOST_OF_CELLS = 0.5
"""Groups of density over cells: more of them are cells by another name."""


def station_names(sessions: list[SessionArrays]) -> list[list[str]]:
    """Names by which formulas know the stations of each session, in the variable ``station``.

    Stations of one name in several sessions are one if they stand at the same place, to the metre. Where they do not,
    the session is part of the name.
    """
    places: dict[str, set[tuple[int, ...]]] = {}
    for data in sessions:
        for name, xy in zip(data.stations, np.rint(data.xy).astype(int).tolist(), strict=True):
            places.setdefault(str(name), set()).add(tuple(xy))
    return [[str(n) if len(places[str(n)]) == 1 else f"{d.session}/{n}" for n in d.stations] for d in sessions]


def check_groups(parameter: str, design: Design, random: Iterable[RandomDesign]) -> None:
    """Refuse random effects that the formula says already, and of density those with a group for nearly every cell.

    Parameters
    ----------
    parameter
        Whose formula it is.
    design
        The formula without its random effects.
    random
        The random effects.

    Raises
    ------
    ModelError
        Naming the group.
    """
    for each in random:
        owner = f"formula of {parameter!r}, ({each.label.replace('|', ' | ')}): {each.group!r}"
        if each.column == "Intercept" and any(_is_level(name, each.group) for name in design.coefficients):
            raise ModelError(
                f"{owner} is a factor of the formula too, which leaves nothing to differ between its groups. Write "
                f"'~ {each.group}' for values that are separate, or '~ (1 | {each.group})' for values that lend to "
                "each other.",
                offenders=[each.group],
            )
        if parameter == "D" and len(each.levels) > MOST_OF_CELLS * len(design.matrix):
            raise ModelError(
                f"{owner} has {len(each.levels)} groups on {len(design.matrix)} cells, and a group of one cell says "
                "nothing of density that the cell's animals do not. Give a column with fewer groups, such as a park, "
                "or a trend, '~ poly(x, 2) + poly(y, 2)'.",
                offenders=[each.group],
            )


def _is_level(coefficient: str, group: str) -> bool:
    """Whether a coefficient is of a level of the group, by itself."""
    return ":" not in coefficient and coefficient.startswith((f"{group}[", f"C({group})["))
