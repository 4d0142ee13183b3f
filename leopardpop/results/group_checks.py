"""What the data say of random effects: how many groups there are, and in how many of them anything was detected."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from leopardpop.models.spatial_effects import SpatialEffect
from leopardpop.results.findings import Finding
from leopardpop.words import counted

if TYPE_CHECKING:
    from leopardpop.models.layout import Effect, Parameter
    from leopardpop.models.likelihood.terms import Ints
    from leopardpop.models.problem import Problem

__all__ = ["ALL_TOGETHER", "group_finding", "group_findings"]

FEWEST_GROUPS = 6
ALL_TOGETHER = "sampled together with everything else"


def group_finding(effects: Effect, how: str) -> Finding:
    """How many groups tell the sd of a random effect, and how the engine "laplace" treats them."""
    n = len(effects.groups)
    known = f"{_name(effects)} has {counted(n, 'group')}; by engine='laplace' it is {how}, by 'nuts' it is sampled"
    few = f"{known}. So few groups say little of the sd between them: it is mostly the prior's."
    return Finding(
        quantity=f"groups of {effects.label}",
        value=n,
        limit=FEWEST_GROUPS,
        verdict="note",
        advice=f"{known}." if n >= FEWEST_GROUPS else few,
    )


def group_findings(problem: Problem) -> list[Finding]:
    """Of every random effect of a capture-recapture model: its groups, and those with detections.

    Parameters
    ----------
    problem
        The model with its data.
    """
    found = []
    for parameter in problem.layout.parts:
        for each in parameter.random:
            if isinstance(each.effects, SpatialEffect):
                continue
            found.append(group_finding(each.effects, ALL_TOGETHER))
            seen = _detected_levels(problem, parameter, each.level)
            if seen is not None:
                found.append(_with_detections(each.effects, len(seen)))
    return found


def _name(effects: Effect) -> str:
    return f"({effects.design.label.replace('|', ' | ')}) of {effects.parameter}"


def _with_detections(effects: Effect, n: int) -> Finding:
    known = f"{n} of the {counted(len(effects.groups), 'group')} of {_name(effects)} have detections"
    few = (
        f"{known}: nothing is seen of differences between groups, so that their sd is the prior's alone. Leave the "
        "random effect out, or say that it is an assumption."
    )
    return Finding(
        quantity=f"groups of {effects.label} with detections",
        value=n,
        limit=2,
        verdict="warn" if n < 2 else "ok",
        advice=few if n < 2 else f"{known}.",
        warning="SparseDataWarning" if n < 2 else "",
    )


def _detected_levels(problem: Problem, parameter: Parameter, level: Ints) -> Ints | None:
    """Groups with detections; None where a group is some of the cells, and an animal may be in any."""
    sessions = np.split(level, np.cumsum(parameter.splits)[:-1])
    if parameter.name != "D":
        pairs = zip(sessions, problem.units, strict=True)
        return np.unique(np.concatenate([of_units[units.arrays.station] for of_units, units in pairs]))
    if any((of_cells != of_cells[0]).any() for of_cells in sessions):
        return None
    return np.unique([s[0] for s, data in zip(sessions, problem.data, strict=True) if len(data.individuals)])
