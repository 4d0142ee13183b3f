"""What the rows of a formula say of its terms: covariates that go together, or that hardly vary where they should."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from leopardpop.data.names import listed
from leopardpop.results.findings import Finding
from leopardpop.words import decimal, joined

if TYPE_CHECKING:
    from collections.abc import Sequence

    from leopardpop.components.formula import Design
    from leopardpop.models.layout import Parameter
    from leopardpop.models.likelihood.terms import Floats
    from leopardpop.models.problem import Problem

__all__ = ["collinear_findings", "formula_findings", "inflation"]

LARGEST_INFLATION = 10.0
"""Of the variance of a coefficient: two covariates with a correlation of 0.95."""
SAME = 1e-9


def formula_findings(problem: Problem) -> list[Finding]:
    """Covariates that go together, effects that sessions alone tell, and levels where nothing was looked at.

    Parameters
    ----------
    problem
        The model with its data.
    """
    return [*collinear_findings(problem.layout.parts), *_between_sessions(problem), *_unseen_levels(problem)]


def collinear_findings(parameters: Sequence[Parameter]) -> list[Finding]:
    """Terms of a formula whose columns nearly are combinations of those of the others.

    Parameters
    ----------
    parameters
        Of the model; those with two terms or more are looked at.
    """
    return [found for each in parameters if (found := _collinear(each)) is not None]


def inflation(design: Design) -> dict[str, float]:
    """Generalised variance inflation factor of each term that is no interaction, to the power 1/df.

    With R the correlation of all columns, and R₁, R₂ those of the columns of a term and of the others, it is
    (|R₁||R₂|/|R|)^(1/df): 1 where a term goes with no other, 1/(1 − R²) of a term with one column.

    Parameters
    ----------
    design
        Of a formula.

    Returns
    -------
    dict
        Empty with fewer than two such terms, or without an intercept.

    References
    ----------
    Fox & Monette (1992) Generalized collinearity diagnostics. JASA 87, 178-183, doi:10.1080/01621459.1992.10475190

    Examples
    --------
    >>> import pandas as pd
    >>> from leopardpop.components.formula import build_design
    >>> table = pd.DataFrame({"snow": [1.0, 1, -1, -1], "slope": [1.4, -0.2, 0.2, -1.4]})  # correlation 0.6
    >>> design = build_design("~ snow + slope", table, parameter="D")
    >>> {name: round(value, 4) for name, value in inflation(design).items()}
    {'snow': 1.5625, 'slope': 1.5625}
    """
    columns = _columns_by_term(design)
    if len(columns) < 2 or design.coefficients[0] != "Intercept":
        return {}
    every = [j for each in columns.values() for j in each]
    correlation = np.atleast_2d(np.corrcoef(design.standardised[:, every].T))
    place = {j: i for i, j in enumerate(every)}
    found = {}
    for term, own in columns.items():
        mine = np.isin(np.arange(len(every)), [place[j] for j in own])
        parts = [correlation[np.ix_(rows, rows)] for rows in (mine, ~mine)]
        logs = [np.linalg.slogdet(part)[1] for part in (*parts, correlation)]
        found[term] = float(np.exp((logs[0] + logs[1] - logs[2]) / len(own)))
    return found


def _columns_by_term(design: Design) -> dict[str, list[int]]:
    """Columns of each term that is no interaction and varies."""
    terms: dict[str, list[int]] = {}
    for j, (label, values) in enumerate(zip(design.coefficients, design.standardised.T, strict=True)):
        if label != "Intercept" and ":" not in label and np.ptp(values) > SAME:
            terms.setdefault(re.sub(r"\[[^\]]*\]$", "", label), []).append(j)
    return terms


def _collinear(parameter: Parameter) -> Finding | None:
    factors = inflation(parameter.design)
    if not factors:
        return None
    worst = max(factors.values())
    together = sorted(term for term, value in factors.items() if value > LARGEST_INFLATION)
    known = f"Terms of {parameter.name} can be told apart (variance inflated by {decimal(worst, 1)} at most)."
    advice = (
        f"{joined(together)} of {parameter.name} nearly say the same (variance inflated {decimal(worst)}-fold): the "
        "data tell their sum and hardly either, and the prior shares it out. Keep one of them; of a square, "
        "write poly(...)."
    )
    return Finding(
        quantity=f"collinearity of {parameter.name}",
        value=worst,
        limit=LARGEST_INFLATION,
        verdict="warn" if together else "ok",
        advice=advice if together else known,
        warning="DataWarning" if together else "",
    )


def _between_sessions(problem: Problem) -> Iterator[Finding]:
    """Covariates with one value in each session, and levels of factors that are in some sessions only."""
    sessions = problem.history.sessions
    for parameter in problem.layout.parts:
        parts = np.split(parameter.design.matrix, np.cumsum(parameter.splits)[:-1])
        if len(parts) < 2:
            continue
        spread = np.array([np.ptp(part, axis=0) if len(part) else np.zeros(part.shape[1]) for part in parts])
        labels = parameter.design.coefficients
        fixed = [
            name
            for name in parameter.design.numeric
            if name in labels and not (spread[:, labels.index(name)] > SAME).any()
        ]
        if fixed:
            yield _told_by_sessions(parameter.name, fixed, len(sessions))
        found = [each for name in parameter.design.factors for each in _partial_levels(parameter, name, parts)]
        if found:
            yield _in_some_sessions(parameter.name, found, sessions)


def _told_by_sessions(parameter: str, names: list[str], n_sessions: int) -> Finding:
    advice = (
        f"{joined(names)} {'has' if len(names) == 1 else 'have'} one value in each session: the effect on {parameter} "
        f"rests on {n_sessions} values, one a session, however many rows there are, and on nothing else making "
        "sessions differ. (1 | session) beside it makes its interval honest, if there are sessions enough."
    )
    return Finding(
        quantity=f"covariates of {parameter} that vary between sessions only",
        value=len(names), limit=1, verdict="note", advice=advice,
    )  # fmt: skip


def _partial_levels(parameter: Parameter, name: str, parts: list[Floats]) -> Iterator[tuple[str, Sequence[bool]]]:
    """Levels of a factor with the sessions that have them, where some have not and others vary."""
    labels, levels = parameter.design.coefficients, parameter.design.factors[name]
    columns = [labels.index(label) for level in levels[1:] if (label := f"{name}[{level}]") in labels]
    if len(columns) != len(levels) - 1:
        return
    own = [np.column_stack([1.0 - part[:, columns].sum(1), part[:, columns]]) > 0.5 for part in parts]
    has = np.array([part.any(0) for part in own])
    if (has.sum(1) <= 1).all():  # one level a session: that is what the factor is for
        return
    for level, where in zip(levels, has.T, strict=True):
        if not where.all():
            yield f"{name} {level!r}", where.tolist()


def _in_some_sessions(parameter: str, found: list[tuple[str, Sequence[bool]]], sessions: Sequence[str]) -> Finding:
    said = [
        f"{level} is in {listed([s for s, has in zip(sessions, where, strict=True) if has], 3)} only"
        for level, where in found
    ]
    advice = (
        f"Of {parameter}: {'; '.join(said[:4])}. There the effect of the level and what is special of the session "
        "are told by the same animals."
    )
    return Finding(
        quantity=f"levels of {parameter} in some sessions only",
        value=len(found), limit=1, verdict="note", advice=advice,
    )  # fmt: skip


def _unseen_levels(problem: Problem) -> Iterator[Finding]:
    """Terms of detection that vary, but not over the stations and occasions that were on."""
    classes = len(problem.levels)
    worked = [
        np.tile(data.effort.sum(1)[unit.station] > 0, classes)
        for data, unit in zip(problem.data, problem.units, strict=True)
    ]
    on_rows = np.concatenate(worked)
    for parameter in problem.layout.parts:
        rows = problem.detection.by_parameter.get(parameter.name)
        if rows is None or not on_rows.any():
            continue
        everywhere, on = np.ptp(rows.design.matrix, axis=0), np.ptp(parameter.design.matrix[on_rows], axis=0)
        silent = [
            label
            for label, varies, seen in zip(rows.design.coefficients, everywhere, on, strict=True)
            if varies > SAME and seen <= SAME
        ]
        if silent:
            yield _never_on(parameter.name, silent)


def _never_on(parameter: str, labels: list[str]) -> Finding:
    advice = (
        f"{joined(labels)} of {parameter}: only stations that were never on differ in it. The data say nothing of it, "
        "its posterior is its prior. Leave it out, or see whether effort is right."
    )
    return Finding(
        quantity=f"terms of {parameter} without effort",
        value=len(labels), limit=1, verdict="warn", advice=advice, warning="DataWarning",
    )  # fmt: skip
