"""Answers that can be written out by hand: surveys so small that the likelihood is a formula, posteriors by quadrature.

Nothing here uses the likelihoods of the library for what is expected: only ``math`` and sums over a grid.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from leopardpop.checks.known.answer import Answer, Question, near
from leopardpop.components.detection import HalfNormal
from leopardpop.data.detection_history import DetectionHistory
from leopardpop.data.history import CaptureHistory
from leopardpop.data.mask import Mask
from leopardpop.models.abundance import RoyleNichols
from leopardpop.models.occupancy import DynamicOccupancy, MultistateOccupancy, Occupancy
from leopardpop.models.scr import SCR
from leopardpop.priors import from_range

__all__ = ["questions"]

EXACT = 1e-9
SOURCE = "written out"
D, LAMBDA0, SIGMA = 0.4, 0.3, 1_000.0
CELLS, AREA = (0.0, 800.0, 1_600.0), 0.64
"""Distances of three cells from the one station, m, and the area of each, km²."""
COUNTS = {"F1": (2, 0, 1), "M1": (0, 1, 0)}
"""Detections of two animals on three occasions."""
ENGINES: dict[str, dict[str, Any]] = {"laplace": {"min_ess": 4_000}, "nuts": {}}
"""What each engine is asked for beside 8,000 draws."""
VISITS = ((0, 0, 0, 0),) * 9 + ((1, 0, 0, 0),) * 4 + ((0, 1, 1, 0),) * 5 + ((1, 1, 0, 1),) * 2


def questions() -> list[Question]:
    """Everything that needs no data."""
    likelihoods: list[Callable[[bool], list[Answer]]] = [_capture, _ghosts, _occupancy, _gap, _young, _royle_nichols]
    names = [
        "one station, three cells: counts, proximity, multi",
        "the same, animals seen twice or more (ghosts)",
        "occupancy, four visits",
        "three years without a survey, γ 0.1, ε 0.2",
        "states with young, two visits",
        "Royle-Nichols, two visits",
    ]
    asked = [Question(SOURCE, name, ask) for name, ask in zip(names, likelihoods, strict=True)]
    asked.append(Question(SOURCE, "a prior from a range holds the mass that was asked for", _range))
    asked.append(Question("quadrature", "posterior of occupancy, 20 sites, four visits", _posterior))
    return asked


# -- capture-recapture: one station ----------------------------------------------------------------------------------
def _survey(detector: str, seen: Mapping[str, tuple[int, ...]]) -> tuple[CaptureHistory, Mask]:
    most = max(map(max, seen.values())) if detector == "count" else 1
    rows = [(name, "A", j + 1, min(y, most)) for name, ys in seen.items() for j, y in enumerate(ys) if y]
    captures = pd.DataFrame(rows, columns=["individual", "station", "occasion", "count"])
    stations = pd.DataFrame({"station": ["A"], "x": [0.0], "y": [0.0]})
    history = CaptureHistory.from_tables(captures, stations, detector=detector, occasions=3, crs="local")
    cells = pd.DataFrame({"x": CELLS, "y": 0.0, "area": AREA})
    return history, Mask.from_table(cells)


def _hazards() -> list[float]:
    return [LAMBDA0 * math.exp(-(d**2) / (2 * SIGMA**2)) for d in CELLS]


def _chance(detector: str, counts: tuple[int, ...], hazard: float) -> float:
    """Probability of an animal's history, given the cell; one station: multi is proximity."""
    if detector == "count":
        return math.prod(math.exp(-hazard) * hazard**y / math.factorial(y) for y in counts)
    p = 1.0 - math.exp(-hazard)
    return math.prod(p if y else 1.0 - p for y in counts)


def _found(model: SCR, detector: str, seen: Mapping[str, tuple[int, ...]]) -> float:
    values = {"D": D, "lambda0": LAMBDA0, "sigma": SIGMA}
    return model.log_likelihood(*_survey(detector, seen), parameters=values)


def _capture(quick: bool) -> list[Answer]:
    """log L = Σ log Σ_x D a Pr(w | x) − D a Σ_x (1 − exp(−3 λ(x))) − log n!."""
    answers = []
    void = D * AREA * sum(1.0 - math.exp(-3.0 * h) for h in _hazards())
    for detector in ("count", "proximity", "multi"):
        animals = [sum(D * AREA * _chance(detector, ys, h) for h in _hazards()) for ys in COUNTS.values()]
        expected = sum(map(math.log, animals)) - void - math.log(math.factorial(len(animals)))
        answers.append(near(f"log-likelihood, {detector}", expected, _found(SCR(), detector, COUNTS), EXACT))
    return answers


def _ghosts(quick: bool) -> list[Answer]:
    """The void of those seen twice or more: Σ D a (1 − p0 − p1), p1 / p0 = 3 λ."""
    seen = {"F1": COUNTS["F1"]}
    void = D * AREA * sum(1.0 - math.exp(-3.0 * h) * (1.0 + 3.0 * h) for h in _hazards())
    expected = math.log(sum(D * AREA * _chance("count", COUNTS["F1"], h) for h in _hazards())) - void
    found = _found(SCR(detection=HalfNormal(), ghosts=True), "count", seen)
    return [near("log-likelihood, counts", expected, found, EXACT)]


# -- sites ------------------------------------------------------------------------------------------------------------
def _occupancy(quick: bool) -> list[Answer]:
    history = DetectionHistory.from_tables(np.array(VISITS, float))
    expected = math.fsum(math.log(_site(visits, 0.7, 0.4)) for visits in VISITS)
    found = Occupancy().log_likelihood(history, parameters={"psi": 0.7, "p": 0.4})
    return [near("log-likelihood", expected, found, EXACT)]


def _site(visits: tuple[int, ...], psi: float, p: float) -> float:
    seen = math.prod(p if y else 1.0 - p for y in visits)
    return psi * seen + (0.0 if any(visits) else 1.0 - psi)


def _gap(quick: bool) -> list[Answer]:
    """A site empty in the first year and used in the fourth, with certain detection: two unsurveyed years between."""
    step = np.array([[0.9, 0.1], [0.2, 0.8]])
    used = float(np.linalg.matrix_power(step, 3)[0, 1])
    visits = np.array([[0.0, np.nan, np.nan, 1.0]])
    values = {"psi": 0.5, "gamma": 0.1, "epsilon": 0.2, "p": 1.0 - 1e-12}
    history = DetectionHistory.from_tables(np.vstack([visits, visits]), seasons=4)
    found = math.exp(DynamicOccupancy().log_likelihood(history, parameters=values) / 2.0) / 0.5
    return [near("Pr(used after three years | empty)", used, found, 1e-9)]


def _young(quick: bool) -> list[Answer]:
    """π = (1 − ψ, ψ(1 − R), ψR); state 2 shows young with p2 δ."""
    psi, breeding, p1, p2, delta = 0.6, 0.3, 0.2, 0.5, 0.4
    used, young = psi * (1 - breeding), psi * breeding
    site = {
        (0, 0): 1 - psi + used * (1 - p1) ** 2 + young * (1 - p2) ** 2,
        (1, 0): used * p1 * (1 - p1) + young * p2 * (1 - delta) * (1 - p2),
        (1, 2): young * p2 * (1 - delta) * p2 * delta,
    }
    history = DetectionHistory.from_tables(np.array(list(site), float), response="state")
    values = {"psi": psi, "breeding": breeding, "p1": p1, "p2": p2, "delta": delta}
    found = MultistateOccupancy().log_likelihood(history, parameters=values)
    return [near("log-likelihood", math.fsum(map(math.log, site.values())), found, EXACT)]


def _royle_nichols(quick: bool) -> list[Answer]:
    """Σ_N Poisson(N; λ)(1 − r)^{kN} = exp(−λ(1 − (1 − r)^k)): the chance that k visits of a site see nothing."""
    rate, r = 1.7, 0.3
    nothing = [math.exp(-rate * (1.0 - (1.0 - r) ** k)) for k in range(3)]
    expected = math.log(nothing[2]) + math.log(nothing[1] - nothing[2]) + math.log(1.0 - 2 * nothing[1] + nothing[2])
    history = DetectionHistory.from_tables(np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]]))
    found = RoyleNichols().log_likelihood(history, parameters={"abundance": rate, "r": r})
    return [near("log-likelihood", expected, found, 1e-8)]


# -- priors and posteriors -------------------------------------------------------------------------------------------
def _range(quick: bool) -> list[Answer]:
    prior = from_range(30, 50, mass=0.9)
    values = np.exp(np.linspace(math.log(30.0), math.log(50.0), 20_001))
    density = np.exp(prior.logpdf(values))
    return [near("mass from 30 to 50", 0.9, float(np.trapezoid(density, values)), 1e-4)]


def _posterior(quick: bool) -> list[Answer]:
    """Mean and sd of ψ and p under the default priors, by sums over a grid of their logits."""
    history = DetectionHistory.from_tables(np.array(VISITS, float))
    expected = _by_quadrature()
    answers: list[Answer] = []
    for engine, options in list(ENGINES.items())[: 1 if quick else None]:
        fit = Occupancy().fit(history, engine=engine, draws=2_000, seed=1, **options)  # type: ignore[arg-type]
        for name, (mean, sd) in expected.items():
            draws = fit.posterior[name].values.ravel()
            answers.append(near(f"{engine}: mean of {name}", mean, float(draws.mean()), 0.08 * sd))
            answers.append(near(f"{engine}: sd of {name}", sd, float(draws.std()), 0.06 * sd))
    return answers


def _by_quadrature() -> dict[str, tuple[float, float]]:
    psi_eta, p_eta = np.meshgrid(np.linspace(-6.0, 9.0, 601), np.linspace(-7.0, 5.0, 601), indexing="ij")
    psi, p = 1.0 / (1.0 + np.exp(-psi_eta)), 1.0 / (1.0 + np.exp(-p_eta))
    log_density = -0.5 * (psi_eta / 1.5) ** 2 - 0.5 * ((p_eta + 1.0) / 1.5) ** 2
    for visits in VISITS:
        k = sum(visits)
        log_density += np.log(psi * p**k * (1.0 - p) ** (4 - k) + (0.0 if k else 1.0) * (1.0 - psi))
    weight = np.exp(log_density - log_density.max())
    weight /= weight.sum()
    means = {"psi": float((weight * psi).sum()), "p": float((weight * p).sum())}
    return {
        name: (means[name], math.sqrt(float((weight * (values - means[name]) ** 2).sum())))
        for name, values in (("psi", psi), ("p", p))
    }
