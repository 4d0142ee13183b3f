"""Detection that varies by occasion and with what happened to the animal before: the slow and obvious way.

Every station, occasion and animal has a linear predictor of its own, read off from coefficients by label; an animal's
past is looked up in the list of its detections each time. Animals that were never detected have no past.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

import numpy as np
from scipy.special import logsumexp

from tests.reference.coefficients import density, inverse_link, session_covariates, share
from tests.reference.datasets import PlainSurvey
from tests.reference.scr import (
    DETECTION,
    Array,
    Pieces,
    PlainSession,
    log_count,
    log_one_minus_exp_minus,
    log_proximity,
)

LABEL = re.compile(r"^(?P<parameter>\w+)\[(?P<columns>.*)\]$")
FACTOR = re.compile(r"^(?P<name>\w+)\[(?P<level>.*)\]$")


def varying_pieces(
    survey: PlainSurvey, detection: str, coefficients: Mapping[str, float], classes: str | None = None
) -> list[Pieces]:
    """The naive likelihood of every session at coefficients on the link scale."""
    known = survey.known(classes) if classes else [[None] * len(s.animals) for s in survey.sessions]
    levels = [None] if classes is None else sorted({k for s in known for k in s if k is not None})
    return [
        _pieces(session, survey.detector, detection, coefficients, classes, levels, of)
        for session, of in zip(survey.sessions, known, strict=True)
    ]


def _pieces(session, detector, detection, coefficients, classes, levels, known) -> Pieces:  # type: ignore[no-untyped-def]
    animals_in_cell = density(session, coefficients) * session.area
    by_class = np.full((len(session.animals), len(levels), len(session.cells)), -np.inf)
    detected = np.zeros(len(session.cells))
    for c, level in enumerate(levels):
        one = OneClass(session, detector, detection, coefficients, {} if classes is None else {classes: level})
        part = share(coefficients, level)
        detected = detected - part * np.expm1(one.void())
        for i in range(len(session.animals)):
            if known[i] in (None, level):
                by_class[i, c] = math.log(part) + np.log(animals_in_cell) + one.history(i)
    totals = logsumexp(by_class, axis=(1, 2)) if len(by_class) else np.zeros(0)
    return Pieces(
        log_animal=totals,
        expected_detected=float(animals_in_cell @ detected),
        expected=float(animals_in_cell.sum()),
        centres=np.exp(logsumexp(by_class, axis=1) - totals[:, None]) if len(by_class) else np.zeros((0, 1)),
        undetected=animals_in_cell * (1.0 - detected),
        detectable=detected,
        class_shares=np.exp(logsumexp(by_class, axis=2) - totals[:, None]) if len(by_class) else np.zeros((0, 1)),
    )


class OneClass:
    """Probabilities for animals of one class."""

    def __init__(
        self,
        session: PlainSession,
        detector: str,
        detection: str,
        coefficients: Mapping[str, float],
        trait: Mapping[str, object],
    ) -> None:
        self.session, self.detector, self.detection = session, detector, detection
        self.coefficients, self.trait = coefficients, trait
        self.names = {m["parameter"] for m in map(LABEL.match, coefficients) if m} - {"D", "pmix"}
        self.constant = {name: v[0] for name, v in session_covariates(session, 1).items()}  # type: ignore[index]
        self.cache: dict[tuple[object, ...], Array] = {}

    def void(self) -> Array:
        """log Pr(never detected | cell)."""
        occasions = range(self.session.effort.shape[1])
        return np.sum([self.occasion(None, s) for s in occasions], axis=0)

    def history(self, animal: int) -> Array:
        """log Pr(w_i | cell)."""
        return np.sum([self.occasion(animal, s) for s in range(self.session.exposure[animal])], axis=0)

    def occasion(self, animal: int | None, s: int) -> Array:
        """log Pr(what happened to the animal on the occasion); None: one that is never detected."""
        session = self.session
        seen = {} if animal is None else {k: y for (k, when), y in session.history(animal).items() if when == s}
        on = [k for k in range(len(session.stations)) if session.effort[k, s] > 0]
        rates = {k: math.log(session.effort[k, s]) + self.log_hazard(animal, k, s) for k in on}
        if not on:
            return np.zeros(len(session.cells))
        if self.detector == "multi":
            total = logsumexp(list(rates.values()), axis=0)
            if not seen:
                return -np.exp(total)
            (k,) = seen
            return log_one_minus_exp_minus(total) + rates[k] - total
        rule = {"count": log_count, "proximity": log_proximity}[self.detector]
        return np.sum([rule(rates[k], seen.get(k, 0)) for k in on], axis=0)

    def log_hazard(self, animal: int | None, k: int, s: int) -> Array:
        """Log hazard per unit of effort of the animal at a station on an occasion, by cell."""
        here = self.covariates(animal, k, s)
        values = {
            name: inverse_link(name, np.array(predictor(name, self.coefficients, here))) for name in sorted(self.names)
        }
        key = (k, *(float(v) for v in values.values()))
        if key not in self.cache:
            distance = np.hypot(*(self.session.cells - self.session.xy[k]).T)
            self.cache[key] = DETECTION[self.detection](distance, **values)
        return self.cache[key]

    def covariates(self, animal: int | None, k: int, s: int) -> dict[str, object]:
        session = self.session
        here: dict[str, object] = dict(self.constant)
        here |= {name: values[k] for name, values in session.station_covariates.items()}
        here |= {"occasion": str(s + 1), "trend": float(s)}
        here |= {name: values[s] for name, values in session.occasion_covariates.items()}
        here |= {name: values[k][s] for name, values in session.visit_covariates.items()}
        past = [] if animal is None else [(kk, ss) for kk, ss in session.history(animal) if ss < s]
        worked = [ss for ss in range(s) if session.effort[:, ss].any()]
        worked_here = [ss for ss in range(s) if session.effort[k, ss] > 0]
        flags = {
            "b": bool(past),
            "bk": any(kk == k for kk, _ in past),
            "B": bool(worked) and any(ss == worked[-1] for _, ss in past),
            "Bk": bool(worked_here) and (k, worked_here[-1]) in past,
        }
        return here | {name: "caught" if flag else "naive" for name, flag in flags.items()} | dict(self.trait)


def predictor(parameter: str, coefficients: Mapping[str, float], here: Mapping[str, object]) -> float:
    """Sum of coefficients times the product of their columns."""
    total = 0.0
    for label, value in coefficients.items():
        match = LABEL.match(label)
        if match and match["parameter"] == parameter:
            total += value * math.prod(_column(column, here) for column in match["columns"].split(":"))
    return total


def _column(column: str, here: Mapping[str, object]) -> float:
    factor = FACTOR.match(column)
    if factor:
        return float(str(here[factor["name"]]) == factor["level"])
    return 1.0 if column == "Intercept" else float(here[column])  # type: ignore[arg-type]
