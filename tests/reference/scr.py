"""Spatial capture-recapture, written twice: this is the slow and obvious time.

Everything here follows the table of the likelihood (count, proximity and multi detectors) animal by
animal, station by station and occasion by occasion. Nothing is collapsed, grouped, sorted, cut off or
shared with the library. The only liberty: one number per cell is a vector over the cells, so that a
real survey takes seconds.

Units are those of the library: metres, square kilometres, animals per square kilometre.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln, logsumexp
from scipy.stats import nbinom, poisson

from leopardpop.checks.known.plain import PlainSession

Array = NDArray[np.float64]


@dataclass(frozen=True)
class AnimalClass:
    """One class of animals (a sex): its share of the population and its detection parameters."""

    label: str | None
    share: float
    values: Mapping[str, object]
    """Natural scale; each value broadcasts to (K, 1) or (K, J). ``size`` makes counts negative binomial."""


@dataclass(frozen=True)
class Pieces:
    """What one session contributes, before any assumption on the distribution of N."""

    log_animal: Array
    """log of the sum over cells of D a Pr(w_i), (n,)."""
    expected_detected: float
    """Expected number of animals detected at least once."""
    expected: float
    """Expected number of animals on the mask."""
    centres: Array
    """Pr(activity centre in the cell | w_i), (n, J)."""
    undetected: Array
    """Expected number of animals by cell that were never detected, (J,)."""
    detectable: Array
    """Pr(detected at least once | cell), averaged over the classes, (J,)."""
    class_shares: Array
    """Pr(class | w_i), (n, C)."""

    @property
    def n(self) -> int:
        return len(self.log_animal)

    def capture(self) -> Array:
        """log Pr(w_i | detected), (n,)."""
        return self.log_animal - math.log(self.expected_detected) if self.n else np.zeros(0)

    def n_detected(self) -> float:
        """log Pr(n) when N is Poisson."""
        return float(poisson.logpmf(self.n, self.expected_detected))

    def poisson(self) -> float:
        return float(self.log_animal.sum()) - self.expected_detected - math.lgamma(self.n + 1)

    def binomial(self) -> float:
        """N = D x area of the mask, a real number, and n ~ Binomial(N, share detected)."""
        size, p = self.expected, self.expected_detected / self.expected
        log_n = (
            math.lgamma(size + 1)
            - math.lgamma(self.n + 1)
            - math.lgamma(size - self.n + 1)
            + self.n * math.log(p)
            + (size - self.n) * math.log1p(-p)
        )
        return float(self.capture().sum()) + log_n

    def conditional(self) -> float:
        """Conditional on n: D drops out."""
        return float(self.capture().sum())


# --- detection functions: log hazard per unit of effort at a distance -------------------------------


def half_normal(d: Array, lambda0: Array, sigma: Array) -> Array:
    return np.log(lambda0) - d**2 / (2 * sigma**2)


def exponential(d: Array, lambda0: Array, sigma: Array) -> Array:
    return np.log(lambda0) - d / sigma


def hazard_rate(d: Array, lambda0: Array, sigma: Array, z: Array) -> Array:
    with np.errstate(divide="ignore"):
        log_u = -z * (np.log(d) - np.log(sigma))
    return np.log(lambda0) + log_one_minus_exp_minus(log_u)


def probability_half_normal(d: Array, g0: Array, sigma: Array) -> Array:
    return log_hazard_of_log_probability(np.log(g0) - d**2 / (2 * sigma**2))


def probability_exponential(d: Array, g0: Array, sigma: Array) -> Array:
    return log_hazard_of_log_probability(np.log(g0) - d / sigma)


def probability_hazard_rate(d: Array, g0: Array, sigma: Array, z: Array) -> Array:
    with np.errstate(divide="ignore"):
        log_u = -z * (np.log(d) - np.log(sigma))
    return log_hazard_of_log_probability(np.log(g0) + log_one_minus_exp_minus(log_u))


DETECTION: dict[str, Callable[..., Array]] = {
    "HalfNormal": half_normal,
    "Exponential": exponential,
    "HazardRate": hazard_rate,
    "ProbabilityHalfNormal": probability_half_normal,
    "ProbabilityExponential": probability_exponential,
    "ProbabilityHazardRate": probability_hazard_rate,
}


def log_one_minus_exp_minus(log_x: Array) -> Array:
    """log(1 - exp(-x)) given log x; for tiny x this is log x - x/2."""
    log_x = np.asarray(log_x, dtype=float)
    x = np.exp(np.minimum(log_x, 700.0))
    with np.errstate(divide="ignore"):
        usual = np.log(-np.expm1(-x))
    return np.where(log_x < -30.0, log_x, usual)


def log_hazard_of_log_probability(log_g: Array) -> Array:
    """log(-log(1 - g)) given log g; for tiny g this is log g."""
    with np.errstate(divide="ignore"):
        usual = np.log(-np.log1p(-np.exp(log_g)))
    return np.where(log_g < -40.0, log_g, usual)


def log_hazards(session: PlainSession, function: str, values: Mapping[str, object]) -> Array:
    """Log hazard per unit of effort at (station, cell), (K, J)."""
    shape = (len(session.stations), len(session.cells))
    parameters = {name: np.broadcast_to(np.asarray(value, dtype=float), shape) for name, value in values.items()}
    table = np.empty(shape)
    for k, (x, y) in enumerate(session.xy):
        distance = np.sqrt((session.cells[:, 0] - x) ** 2 + (session.cells[:, 1] - y) ** 2)
        if session.distances is not None:
            distance = session.distances[k]
        table[k] = DETECTION[function](distance, **{name: value[k] for name, value in parameters.items()})
    return table


# --- probability of a history, given the cell -------------------------------------------------------


def log_count(log_rate: Array, y: int) -> Array:
    """Poisson, from the log of its mean."""
    return y * log_rate - np.exp(log_rate) - gammaln(y + 1)


def log_proximity(log_rate: Array, y: int) -> Array:
    """Bernoulli(1 - exp(-rate)), from the log of the rate."""
    return log_one_minus_exp_minus(log_rate) if y == 1 else -np.exp(log_rate)


class SessionProbabilities:
    """Probabilities of single observations at every cell, each worked out when first asked for."""

    def __init__(self, session: PlainSession, detector: str, eta: Array, size: object = None) -> None:
        self.session, self.detector, self.eta = session, detector, eta
        self.size = None if size is None else np.broadcast_to(np.asarray(size, dtype=float), (len(eta), 1))[:, 0]
        self.cache: dict[tuple[int, int, int], Array] = {}
        self.totals: dict[int, Array] = {}

    def log_rate(self, k: int, s: int) -> Array:
        return np.log(self.session.effort[k, s]) + self.eta[k]

    def station(self, k: int, s: int, y: int) -> Array:
        """log Pr(y at station k on occasion s), for detectors that do not hold the animal."""
        if (k, s, y) not in self.cache:
            rule = {"count": log_count, "proximity": log_proximity}[self.detector]
            self.cache[k, s, y] = rule(self.log_rate(k, s), y) if self.size is None else self.in_bursts(k, s, y)
        return self.cache[k, s, y]

    def in_bursts(self, k: int, s: int, y: int) -> Array:
        """Negative binomial: mean T times the hazard, size T times that of the station."""
        assert self.size is not None
        size = self.size[k]
        return nbinom.logpmf(y, self.session.effort[k, s] * size, size / (size + np.exp(self.eta[k])))

    def log_total(self, s: int) -> Array:
        """log of the hazard summed over the stations that are on."""
        if s not in self.totals:
            on = [k for k in range(len(self.session.stations)) if self.session.effort[k, s] > 0]
            rates = [self.log_rate(k, s) for k in on]
            self.totals[s] = logsumexp(rates, axis=0) if on else np.full(len(self.session.cells), -np.inf)
        return self.totals[s]

    def occasion(self, s: int, seen: Mapping[int, int]) -> Array:
        """log Pr(all that happened to one animal on occasion s); seen: station -> count."""
        if self.detector == "multi":
            return self.occasion_multi(s, seen)
        total = np.zeros(len(self.session.cells))
        for k in range(len(self.session.stations)):
            if self.session.effort[k, s] > 0:
                total = total + self.station(k, s, seen.get(k, 0))
        return total

    def occasion_multi(self, s: int, seen: Mapping[int, int]) -> Array:
        log_total = self.log_total(s)
        if not seen:
            return -np.exp(log_total)
        (k,) = seen
        return log_one_minus_exp_minus(log_total) + self.log_rate(k, s) - log_total

    def history(self, animal: int) -> Array:
        """log Pr(w_i | cell): occasions after a death or removal say nothing."""
        seen = self.session.history(animal)
        total = np.zeros(len(self.session.cells))
        for s in range(self.session.exposure[animal]):
            total = total + self.occasion(s, {k: y for (k, when), y in seen.items() if when == s})
        return total

    def void(self) -> Array:
        """log Pr(never detected | cell): no death can spare an animal that was never caught."""
        total = np.zeros(len(self.session.cells))
        for s in range(self.session.effort.shape[1]):
            total = total + self.occasion(s, {})
        return total

    def once(self) -> Array:
        """log Pr(detected exactly once | cell): one station on one occasion, nothing else ever."""
        silent = [self.occasion(s, {}) for s in range(self.session.effort.shape[1])]
        total = np.sum(silent, axis=0)
        ways = [
            total - silent[s] + self.occasion(s, {k: 1})
            for s in range(self.session.effort.shape[1])
            for k in range(len(self.session.stations))
            if self.session.effort[k, s] > 0
        ]
        return logsumexp(ways, axis=0)


# --- one session, all classes -----------------------------------------------------------------------


def pieces(
    session: PlainSession,
    *,
    detector: str,
    function: str,
    density: object,
    classes: Sequence[AnimalClass],
    known: Sequence[str | None] | None = None,
    singles: bool = True,
) -> Pieces:
    """Likelihood of one session in its pieces.

    Without ``singles`` an animal is in the data if it was detected twice or more; the session has no other.

    ``density`` is per km2, a number or one per cell. ``known`` is the class of each animal, None where
    nobody knows.
    """
    animals_in_cell = np.broadcast_to(np.asarray(density, dtype=float), session.area.shape) * session.area
    known = known if known is not None else [None] * len(session.animals)
    terms: list[list[Array]] = [[] for _ in session.animals]
    by_class = np.full((len(session.animals), len(classes)), -np.inf)
    detected = np.zeros(len(session.cells))
    for c, group in enumerate(classes):
        values = {name: value for name, value in group.values.items() if name != "size"}
        eta = log_hazards(session, function, values)
        chance = SessionProbabilities(session, detector, eta, group.values.get("size"))
        detected = detected + group.share * -np.expm1(chance.void())
        if not singles:
            detected = detected - group.share * np.exp(chance.once())
        for i in range(len(session.animals)):
            if known[i] is None or known[i] == group.label:
                terms[i].append(math.log(group.share) + np.log(animals_in_cell) + chance.history(i))
                by_class[i, c] = logsumexp(terms[i][-1])
    by_cell = [logsumexp(animal, axis=0) for animal in terms]
    return Pieces(
        log_animal=np.array([logsumexp(animal) for animal in by_cell]),
        expected_detected=float(np.sum(animals_in_cell * detected)),
        expected=float(np.sum(animals_in_cell)),
        centres=np.array([np.exp(a - logsumexp(a)) for a in by_cell]).reshape(-1, len(session.cells)),
        undetected=animals_in_cell * (1.0 - detected),
        detectable=detected,
        class_shares=np.exp(by_class - logsumexp(by_class, axis=1, keepdims=True)) if len(by_class) else by_class,
    )


def without_singles(session: PlainSession) -> PlainSession:
    """The session of the animals that were detected twice or more."""
    kept = [i for i in range(len(session.animals)) if sum(session.history(i).values()) > 1]
    return replace(
        session,
        animals=[session.animals[i] for i in kept],
        detections=[(kept.index(i), k, s, y) for i, k, s, y in session.detections if i in kept],
        exposure=[session.exposure[i] for i in kept],
        animal_covariates={name: [values[i] for i in kept] for name, values in session.animal_covariates.items()},
    )


# --- constants ---------------------------------------------------------------------------------------


def log_multinomial(session: PlainSession, *, collapsed: bool = False) -> float:
    """log n! less the log factorials of the numbers of identical histories."""
    return math.lgamma(len(session.animals) + 1) - sum(
        math.lgamma(count + 1) for count in Counter(_keys(session, collapsed)).values()
    )


def _keys(session: PlainSession, collapsed: bool) -> list[tuple[object, ...]]:
    """What makes two animals alike: the same detections, and both or neither removed."""
    keys: list[tuple[object, ...]] = []
    for i in range(len(session.animals)):
        removed = session.exposure[i] < session.effort.shape[1]
        if collapsed:
            keys.append((*sorted(_times_seen(session, i).items()), removed))
        else:
            keys.append((*sorted(session.history(i).items()), removed))
    return keys


def _times_seen(session: PlainSession, animal: int) -> Counter[int]:
    """Station -> detections of one animal over all occasions."""
    by_station: Counter[int] = Counter()
    for (k, _), y in session.history(animal).items():
        by_station[k] += y
    return by_station


def log_binomial_coefficients(session: PlainSession) -> float:
    """The constant of k-of-n data: sum of log C(occasions, times seen) over animals and stations."""
    n_occasions = session.effort.shape[1]
    return sum(
        math.log(math.comb(n_occasions, seen))
        for i in range(len(session.animals))
        for seen in _times_seen(session, i).values()
    )
