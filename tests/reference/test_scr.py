"""The oracle is tested too: against scipy.stats, by counting all possible histories, and at extremes."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy.stats import bernoulli, multinomial, poisson

from tests.reference.scr import (
    DETECTION,
    AnimalClass,
    PlainSession,
    SessionProbabilities,
    log_binomial_coefficients,
    log_count,
    log_hazards,
    log_multinomial,
    log_proximity,
    pieces,
)

VALUES = {
    "HalfNormal": {"lambda0": 0.4, "sigma": 900.0},
    "Exponential": {"lambda0": 0.4, "sigma": 700.0},
    "HazardRate": {"lambda0": 0.4, "sigma": 800.0, "z": 3.0},
    "ProbabilityHalfNormal": {"g0": 0.3, "sigma": 900.0},
    "ProbabilityExponential": {"g0": 0.3, "sigma": 700.0},
    "ProbabilityHazardRate": {"g0": 0.3, "sigma": 800.0, "z": 3.0},
}


def tiny(detections: list[tuple[int, int, int, int]] | None = None, animals: int = 1) -> PlainSession:
    return PlainSession(
        label="1",
        animals=[str(i) for i in range(animals)],
        stations=["a", "b"],
        xy=np.array([[0.0, 0.0], [1000.0, 0.0]]),
        effort=np.array([[1.0, 2.5], [0.0, 1.5]]),
        detections=detections or [],
        cells=np.array([[0.0, 0.0], [300.0, 400.0], [5000.0, 0.0]]),
        area=np.array([0.25, 0.5, 0.25]),
    )


def chances(detector: str, function: str, detections: list[tuple[int, int, int, int]]) -> SessionProbabilities:
    session = tiny(detections)
    return SessionProbabilities(session, detector, log_hazards(session, function, VALUES[function]))


@pytest.mark.parametrize("function", DETECTION)
@pytest.mark.parametrize("detector", ["proximity", "multi"])
def test_probabilities_of_all_histories_add_up_to_one(detector: str, function: str) -> None:
    """Three station-occasions are on; list everything that can happen there."""
    on = [(0, 0), (0, 1), (1, 1)]
    total = np.zeros(3)
    for seen in itertools.product([0, 1], repeat=3):
        detections = [(0, k, s, 1) for (k, s), y in zip(on, seen, strict=True) if y]
        if detector == "multi" and len({s for _, _, s, _ in detections}) < len(detections):
            continue
        total += np.exp(chances(detector, function, detections).history(0))
    assert total == pytest.approx(np.ones(3), abs=1e-14)


@pytest.mark.parametrize("function", DETECTION)
@pytest.mark.parametrize("detector", ["count", "proximity", "multi"])
def test_void_is_one_minus_all_detected(detector: str, function: str) -> None:
    chance = chances(detector, function, [])
    hazard = np.exp(chance.eta)
    assert chance.void() == pytest.approx(-(3.5 * hazard[0] + 1.5 * hazard[1]), rel=1e-13)


def test_single_observations_follow_scipy() -> None:
    rate = np.array([0.01, 0.7, 3.0])
    for y in range(4):
        assert log_count(np.log(rate), y) == pytest.approx(poisson.logpmf(y, rate), rel=1e-12)
    for y in range(2):
        assert log_proximity(np.log(rate), y) == pytest.approx(bernoulli.logpmf(y, 1 - np.exp(-rate)), rel=1e-12)


def test_multi_follows_scipy() -> None:
    """Competing hazards: caught at k with (1 - exp(-sum)) times its part of the sum."""
    chance = chances("multi", "HalfNormal", [(0, 1, 1, 1)])
    rates = np.array([2.5, 1.5])[:, None] * np.exp(chance.eta)
    total = rates.sum(axis=0)
    for cell in range(3):
        p = [*(-np.expm1(-total[cell]) * rates[:, cell] / total[cell]), np.exp(-total[cell])]
        expected = multinomial.logpmf([0, 1, 0], 1, p) - np.exp(chance.eta[0, cell])
        assert chance.history(0)[cell] == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize(
    "function, by_hand",
    [
        ("HalfNormal", lambda d: 0.4 * math.exp(-(d**2) / (2 * 900.0**2))),
        ("Exponential", lambda d: 0.4 * math.exp(-d / 700.0)),
        ("HazardRate", lambda d: 0.4 * (1 - math.exp(-((d / 800.0) ** -3.0))) if d else 0.4),
        ("ProbabilityHalfNormal", lambda d: -math.log(1 - 0.3 * math.exp(-(d**2) / (2 * 900.0**2)))),
        ("ProbabilityExponential", lambda d: -math.log(1 - 0.3 * math.exp(-d / 700.0))),
        (
            "ProbabilityHazardRate",
            lambda d: -math.log(1 - 0.3 * (1 - math.exp(-((d / 800.0) ** -3.0)))) if d else -math.log(0.7),
        ),
    ],
)
def test_detection_functions_by_hand(function: str, by_hand: object) -> None:
    distances = np.array([0.0, 1.0, 500.0, 2000.0])
    values = DETECTION[function](distances, **{k: np.full(4, v) for k, v in VALUES[function].items()})
    assert np.exp(values) == pytest.approx([by_hand(d) for d in distances], rel=1e-9)  # type: ignore[operator]


@pytest.mark.parametrize("function", DETECTION)
@pytest.mark.parametrize("detector", ["count", "proximity", "multi"])
def test_far_animals_have_a_finite_logarithm(detector: str, function: str) -> None:
    """A thousand times sigma away the hazard itself underflows; its logarithm must not."""
    values = dict(VALUES[function], sigma=1.0)
    session = tiny([(0, 0, 0, 1)])
    session.cells = session.cells + 40.0
    history = SessionProbabilities(session, detector, log_hazards(session, function, values)).history(0)
    assert np.isfinite(history).all()


def test_removal_forgets_what_follows() -> None:
    session = tiny([(0, 0, 0, 1)])
    eta = log_hazards(session, "HalfNormal", VALUES["HalfNormal"])
    whole = SessionProbabilities(session, "proximity", eta).history(0)
    session.exposure = [1]
    removed = SessionProbabilities(session, "proximity", eta)
    later = 2.5 * np.exp(eta[0]) + 1.5 * np.exp(eta[1])
    assert removed.history(0) == pytest.approx(whole + later, rel=1e-13)
    assert removed.void() == pytest.approx(-(np.exp(eta[0]) + later), rel=1e-13)


def test_pieces_of_two_classes_by_hand() -> None:
    session = tiny([(0, 0, 0, 1), (1, 0, 1, 1)], animals=2)
    females = AnimalClass("F", 0.6, {"lambda0": 0.4, "sigma": 900.0})
    males = AnimalClass("M", 0.4, {"lambda0": 0.2, "sigma": 1500.0})
    options = {"detector": "proximity", "function": "HalfNormal", "density": 2.0}
    both = pieces(session, **options, classes=[females, males], known=["M", None])  # type: ignore[arg-type]
    alone = [
        pieces(session, **options, classes=[AnimalClass(None, 1.0, c.values)])  # type: ignore[arg-type]
        for c in (females, males)
    ]
    assert both.expected == pytest.approx(2.0)
    assert both.expected_detected == pytest.approx(0.6 * alone[0].expected_detected + 0.4 * alone[1].expected_detected)
    assert both.log_animal[0] == pytest.approx(math.log(0.4) + alone[1].log_animal[0])
    mixed = 0.6 * math.exp(alone[0].log_animal[1]) + 0.4 * math.exp(alone[1].log_animal[1])
    assert both.log_animal[1] == pytest.approx(math.log(mixed))
    assert both.capture().sum() + both.n_detected() == pytest.approx(both.poisson())


def test_binomial_tends_to_poisson_on_a_vast_mask() -> None:
    """Cells that no station can see hold almost all animals: N is then as good as Poisson."""
    session = tiny([(0, 0, 0, 1)])
    session.cells = np.vstack([session.cells, [[1e6, 0.0]]])
    session.area = np.append(session.area, 1e7)
    group = [AnimalClass(None, 1.0, VALUES["HalfNormal"])]
    result = pieces(session, detector="proximity", function="HalfNormal", density=2.0, classes=group)
    assert result.binomial() == pytest.approx(result.poisson(), abs=1e-6)


def test_constants_by_hand() -> None:
    """Three animals, two with the same history; each seen at one station, once or twice in two occasions."""
    detections = [(0, 0, 0, 1), (1, 0, 0, 1), (2, 0, 0, 1), (2, 0, 1, 1)]
    session = tiny(detections, animals=3)
    assert log_multinomial(session) == pytest.approx(math.log(6) - math.log(2))
    assert log_binomial_coefficients(session) == pytest.approx(math.log(2) + math.log(2) + math.log(1))
