"""From coefficients by label to numbers at every station and cell, spelled out.

A label is ``parameter[Intercept]``, ``parameter[covariate]`` or ``parameter[factor[level]]``. There is no formula
here: a coefficient is multiplied by its covariate, or by one where the factor has that level, and added.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from tests.reference.datasets import PlainSurvey
from tests.reference.scr import AnimalClass, Pieces, PlainSession, pieces

LABEL = re.compile(r"^(?P<parameter>\w+)\[(?P<column>[\w.]+)(\[(?P<level>.*)\])?\]$")


def survey_pieces(
    survey: PlainSurvey,
    detection: str,
    coefficients: Mapping[str, float],
    classes: str | None = None,
    *,
    singles: bool = True,
) -> list[Pieces]:
    """The naive likelihood of every session at coefficients on the link scale.

    ``classes`` names the animals' covariate (two levels, in alphabetical order; ``pmix[...]`` is the logit of
    the share of the second).
    """
    levels = [None] if classes is None else sorted({k for s in survey.known(classes) for k in s if k is not None})
    known = survey.known(classes) if classes else [None] * len(survey.sessions)
    return [
        pieces(
            session,
            detector=survey.detector,
            function=detection,
            density=density(session, coefficients),
            classes=[
                AnimalClass(level, share(coefficients, level), detection_values(session, coefficients, classes, level))
                for level in levels
            ],
            known=known[number],
            singles=singles,
        )
        for number, session in enumerate(survey.sessions)
    ]


def share(coefficients: Mapping[str, float], level: str | None) -> float:
    """Share of the population that belongs to a class."""
    logit = {label: value for label, value in coefficients.items() if label.startswith("pmix[")}
    if level is None:
        return 1.0
    ((label, value),) = logit.items()
    second = 1.0 / (1.0 + math.exp(-value))
    return second if label == f"pmix[{level}]" else 1.0 - second


def density(session: PlainSession, coefficients: Mapping[str, float]) -> NDArray[np.float64]:
    """Animals per km2 at every cell: D is the only parameter of the population, and it lives on cells."""
    here = {**session_covariates(session, len(session.cells)), **session.cell_covariates}
    return np.exp(linear_predictor("D", coefficients, here, len(session.cells)))


def detection_values(
    session: PlainSession, coefficients: Mapping[str, float], classes: str | None, level: str | None
) -> dict[str, NDArray[np.float64]]:
    """Every detection parameter at every station, (K, 1), for animals of one class."""
    n = len(session.stations)
    here: dict[str, object] = {**session_covariates(session, n), **session.station_covariates}
    if classes is not None:
        here[classes] = [level] * n
    names = {match["parameter"] for match in map(LABEL.match, coefficients) if match} - {"D", "pmix"}
    return {name: inverse_link(name, linear_predictor(name, coefficients, here, n))[:, None] for name in names}


def session_covariates(session: PlainSession, n: int) -> dict[str, object]:
    """The session's label, and what is the same at all its stations."""
    constant = {name: [v[0]] * n for name, v in session.station_covariates.items() if len(set(map(str, v))) == 1}
    return {"session": [session.label] * n, **constant}


def linear_predictor(
    parameter: str, coefficients: Mapping[str, float], covariates: Mapping[str, object], n: int
) -> NDArray[np.float64]:
    total = np.zeros(n)
    for label, value in coefficients.items():
        match = LABEL.match(label)
        if match is None or match["parameter"] != parameter:
            continue
        if match["column"] == "Intercept":
            total += value
        elif match["level"] is None:
            total += value * np.asarray(covariates[match["column"]], dtype=float)
        else:
            total += value * np.array([str(v) == match["level"] for v in covariates[match["column"]]])  # type: ignore[attr-defined]
    return total


def inverse_link(parameter: str, value: NDArray[np.float64]) -> NDArray[np.float64]:
    return 1.0 / (1.0 + np.exp(-value)) if parameter == "g0" else np.exp(value)
