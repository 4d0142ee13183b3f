"""The detected animals of many replicates of a survey as one capture history, so that they are evaluated together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from leopardpop.components.classes import Mixture
from leopardpop.data.history import CaptureHistory, history_from_parts
from leopardpop.data.parts import SessionParts
from leopardpop.data.sexes import SEXES

if TYPE_CHECKING:
    from leopardpop.checks.surveys import Surveyed
    from leopardpop.models.likelihood.terms import Floats, Ints
    from leopardpop.models.problem import Problem

__all__ = ["Pooled", "pooled_surveys"]

TOGETHER = 3_000
"""Animals in one history."""
SEX = "sex"
FEWEST = 3
"""Animals of each sex without which they cannot be told apart."""


class Pooled(NamedTuple):
    """Detected animals of some rows as one history."""

    history: CaptureHistory
    row: Ints
    """Row of each animal, (n,)."""
    session: Ints
    """Position of its session, (n,)."""
    class_numbers: Floats
    """One in the column of its class, (n, C - 1); of its sex where the model has no classes."""
    sexed: bool
    """Whether the sexes can be compared."""
    logit_males: float
    """Of the share of males among animals whose sex is known."""


def pooled_surveys(problem: Problem, sessions: Sequence[Surveyed], rng: np.random.Generator) -> Iterator[Pooled]:
    """Put the animals of successive rows together.

    The sex of an animal of a replicate is drawn from those of the survey, missing ones included, where the model has no
    classes: it then has nothing to do with detection.

    Parameters
    ----------
    problem
        The model with its data.
    sessions
        Rows of each session.
    rng
        Source of chance.
    """
    labels = [_labels(problem, s, surveyed, rng) for s, surveyed in enumerate(sessions)]
    given = np.concatenate([_given(problem, s) for s in range(len(sessions))])
    males, sexed = [int((given == sex).sum()) for sex in reversed(SEXES)], _can_be_compared(problem, given)
    logit = float(np.log(males[0] / males[1])) if min(males) else 0.0
    detected = sum(len(np.unique(each.animal)) for each in sessions)
    step = max(1, TOGETHER * sessions[0].rows // max(detected, 1))
    for first in range(0, sessions[0].rows, step):
        block = range(first, min(first + step, sessions[0].rows))
        yield _block(problem, sessions, labels, block)._replace(sexed=sexed, logit_males=logit)


def _given(problem: Problem, s: int) -> Floats:
    """Sex of each detected animal of the survey, (n,), None where it is not known."""
    covariates = problem.data[s].individual_covariates
    n = len(problem.data[s].individuals)
    column = covariates[SEX] if SEX in covariates else pd.Series([None] * n, dtype=object)
    return np.array([value if value in SEXES else None for value in column], dtype=object)


def _can_be_compared(problem: Problem, given: Floats) -> bool:
    known = [int((given == sex).sum()) for sex in SEXES]
    return min(known) >= FEWEST and problem.model.classes in (None, SEX)


def _labels(problem: Problem, s: int, surveyed: Surveyed, rng: np.random.Generator) -> Floats:
    """Class of every animal of all rows in words, (n,); without classes the sex."""
    if isinstance(problem.model.classes, str):
        return np.array(problem.levels, dtype=object)[surveyed.code]
    given = _given(problem, s)
    drawn = rng.choice(given, len(surveyed.row)) if len(given) else np.full(len(surveyed.row), None)
    drawn[: len(given)] = given
    return np.asarray(drawn, dtype=object)


def _block(problem: Problem, sessions: Sequence[Surveyed], labels: Sequence[Floats], rows: range) -> Pooled:
    """The animals of some rows."""
    parts, row, classes = [], [], []
    for s, surveyed in enumerate(sessions):
        at = surveyed.row[surveyed.animal]
        kept = (at >= rows.start) & (at < rows.stop)
        animals, individual = np.unique(surveyed.animal[kept], return_inverse=True)
        parts.append(_session(problem, s, surveyed, kept, individual, labels[s][animals]))
        row.append(surveyed.row[animals])
        classes.append(labels[s][animals])
    history = history_from_parts(
        parts, detector=problem.history.detector, effort_unit=problem.history.effort_unit, crs=problem.history.crs
    )
    session = np.repeat(np.arange(len(row)), [len(each) for each in row])
    return Pooled(history, np.concatenate(row), session, _numbers(problem, np.concatenate(classes)), False, 0.0)


def _session(problem: Problem, s: int, surveyed: Surveyed, kept: Any, individual: Ints, label: Floats) -> SessionParts:
    data = problem.data[s]
    column = problem.model.classes if isinstance(problem.model.classes, str) else SEX
    return SessionParts(
        session=data.session,
        individuals=[f"{s}-{i}" for i in range(len(label))],
        stations=data.stations,
        xy=data.xy,
        effort=data.effort,
        individual=individual,
        station=surveyed.station[kept],
        occasion=surveyed.occasion[kept],
        count=surveyed.number[kept],
        occasions=problem.history.occasions[data.session],
        station_covariates=data.station_covariates,
        individual_covariates=pd.DataFrame({column: label}),
        occasion_covariates=data.occasion_covariates,
        visit_covariates=data.visit_covariates,
    )


def _numbers(problem: Problem, label: Floats) -> Floats:
    """One in the column of each class but the first, (n, C - 1)."""
    if isinstance(problem.model.classes, Mixture):
        return np.zeros((len(label), 0))
    levels = problem.levels if isinstance(problem.model.classes, str) else SEXES
    return np.asarray(label[:, None] == np.array(levels[1:], dtype=object), float)
