"""Random effects the slow and obvious way: every deviation is looked up by the name of its group, and added.

A label is ``sigma[1|session[2021]]`` (added where the session is 2021) or ``sigma[canopy|lure[yes]]`` (times what the
canopy is above its mean). Their sds are coefficients too, ``sigma_sd_session[Intercept]``, as logarithms.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.stats import halfnorm, norm

from tests.reference.coefficients import inverse_link, linear_predictor, session_covariates
from tests.reference.datasets import PlainSurvey
from tests.reference.scr import AnimalClass, Pieces, PlainSession, pieces

DEVIATION = re.compile(r"^(?P<parameter>\w+)\[(?P<column>\w+)\|(?P<group>\w+)\[(?P<level>.*)\]\]$")
SD_OF_PRIOR = {"D": 0.5, "lambda0": 0.5, "sigma": 0.25}


def pooled_pieces(survey: PlainSurvey, detection: str, coefficients: Mapping[str, float]) -> list[Pieces]:
    """The naive likelihood of every session at coefficients on the link scale, deviations included."""
    names = sorted({label.partition("[")[0] for label in coefficients} & {"lambda0", "sigma"})
    found = []
    for session in survey.sessions:
        n = len(session.stations)
        here = {"station": session.stations, **session_covariates(session, n), **session.station_covariates}
        values = {
            name: inverse_link(name, _with_deviations(name, coefficients, here, n, survey))[:, None] for name in names
        }
        found.append(
            pieces(
                session,
                detector=survey.detector,
                function=detection,
                density=_density(session, coefficients, survey),
                classes=[AnimalClass(None, 1.0, values)],
            )
        )
    return found


def log_effects(survey: PlainSurvey, coefficients: Mapping[str, float]) -> float:
    """log Pr(deviations, sds) over the coordinates deviation / sd and log sd, with the default priors of the sds."""
    total = 0.0
    for label, value in coefficients.items():
        parameter, between, rest = label.removesuffix("[Intercept]").partition("_sd_")
        if not between:
            continue
        group, _, column = rest.partition("_")
        scale = float(np.std(_everywhere(survey, column))) if column else 1.0
        total += halfnorm.logpdf(math.exp(value), scale=SD_OF_PRIOR[parameter] / scale) + value
        start = f"{parameter}[{column or '1'}|{group}["
        for other, deviation in coefficients.items():
            if other.startswith(start):
                total += norm.logpdf(deviation / math.exp(value))
    return total


def _density(session: PlainSession, coefficients: Mapping[str, float], survey: PlainSurvey) -> NDArray[np.float64]:
    n = len(session.cells)
    here = {**session_covariates(session, n), **session.cell_covariates}
    return np.exp(_with_deviations("D", coefficients, here, n, survey))


def _with_deviations(
    parameter: str, coefficients: Mapping[str, float], here: Mapping[str, object], n: int, survey: PlainSurvey
) -> NDArray[np.float64]:
    total = linear_predictor(parameter, coefficients, here, n)
    for label, value in coefficients.items():
        match = DEVIATION.match(label)
        if match is None or match["parameter"] != parameter:
            continue
        for row in range(n):
            if str(here[match["group"]][row]) == match["level"]:  # type: ignore[index]
                total[row] += value * _times(match["column"], here, row, survey)
    return total


def _times(column: str, here: Mapping[str, object], row: int, survey: PlainSurvey) -> float:
    if column == "1":
        return 1.0
    return float(here[column][row]) - float(np.mean(_everywhere(survey, column)))  # type: ignore[index]


def _everywhere(survey: PlainSurvey, column: str) -> list[float]:
    return [float(value) for session in survey.sessions for value in session.station_covariates[column]]  # type: ignore[arg-type]
