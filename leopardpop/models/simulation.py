"""Virtual surveys: a population drawn from the model, and what the design would have recorded of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from leopardpop.components.counts import SIZE
from leopardpop.data.history import CaptureHistory, history_from_parts
from leopardpop.data.parts import SessionParts
from leopardpop.data.tables import label
from leopardpop.errors import ModelError
from leopardpop.models.behaviour import Memory
from leopardpop.models.describe import beta_series, theta_of

if TYPE_CHECKING:
    from leopardpop.data.arrays import SessionArrays
    from leopardpop.data.mask import Mask
    from leopardpop.models.likelihood.terms import Floats
    from leopardpop.models.problem import Problem
    from leopardpop.models.scr import SCR

__all__ = ["Encounters", "Simulation", "Truth", "draw_counts", "levels_of", "place_animals", "simulate"]


@dataclass(frozen=True, eq=False)
class Truth:
    """What a survey never knows."""

    population: pd.DataFrame
    """All animals: session, animal, x, y [m], the class if there are classes, and whether it was detected."""
    coefficients: pd.Series
    """Coefficients by label (link scale, covariates as given)."""
    N: pd.Series
    """Number of animals in the mask by session."""
    E_N: pd.Series
    """Expected number of animals in the mask by session."""


@dataclass(frozen=True, eq=False)
class Simulation:
    """A simulated survey with its truth."""

    history: CaptureHistory
    mask: Mask | Mapping[str, Mask]
    truth: Truth

    def __repr__(self) -> str:
        """Say what was simulated."""
        return f"Simulation: {int(self.truth.N.sum())} animals, {self.history.n_individuals} detected (synthetic)"


def simulate(
    model: SCR,
    history: CaptureHistory,
    mask: Mask | Mapping[str, Mask],
    *,
    parameters: Mapping[str, float] | pd.Series,
    seed: int | np.random.Generator | None = None,
    drift: float = 0.0,
) -> Simulation:
    """Draw a population and a survey; see :meth:`SCR.simulate`.

    The number of animals is Poisson (or, for a binomial model, the expected number rounded); centres are uniform
    within cells only through the cell's centre, as in the likelihood. With ``drift`` every centre takes a step between
    occasions, normal along each axis with this sd (m).
    """
    from leopardpop.models.problem import Problem

    rng = np.random.default_rng(seed)
    problem = Problem(model, history, mask, levels=levels_of(model, parameters, history), ordered=False)
    theta = problem.layout.draw_effects(theta_of(problem, parameters), set(map(str, parameters.keys())), rng)
    drawn: list[tuple[SessionParts, pd.DataFrame]] = []
    for s in range(len(problem.data)):  # no animal has a namesake in another session: it would be taken for it
        others = sum(len(animals) for _, animals in drawn)
        drawn.append(_session(problem, theta, s, rng, others=others, drift=drift))
    simulated = history_from_parts(
        [parts for parts, _ in drawn], detector=history.detector, effort_unit=history.effort_unit, crs=history.crs
    )
    population = pd.concat([animals for _, animals in drawn], ignore_index=True)
    sessions = list(history.sessions)
    expected = [e.expected for e in problem.evaluate(theta)]
    counts = population.groupby("session").size().reindex(sessions, fill_value=0)
    truth = Truth(
        population, beta_series(problem, theta), counts.rename("N"), pd.Series(expected, sessions, name="E_N")
    )
    return Simulation(simulated, mask, truth)


def levels_of(model: SCR, parameters: Any, history: CaptureHistory) -> tuple[str, ...] | None:
    """Levels of the classes: those of the history, else F and M where the column is sex."""
    if not isinstance(model.classes, str):
        return None
    column = history.individuals.get(model.classes)
    found = tuple(sorted({label(v) for v in column.dropna()})) if column is not None else ()
    named = {str(k).split("[")[-1].rstrip("]") for k in getattr(parameters, "index", parameters) if "pmix[" in str(k)}
    together = tuple(sorted({*found, *named}))
    return together if len(together) > 1 else ("F", "M")


def _session(
    problem: Problem, theta: Floats, s: int, rng: np.random.Generator, *, others: int, drift: float
) -> tuple[SessionParts, pd.DataFrame]:
    """Detections and population of one session; animals are numbered on from the others."""
    data = problem.data[s]
    cell, code = _population(problem, theta, s, rng)
    walk = None if drift == 0 else _walk(len(cell), data.effort.shape[1], drift, rng)
    i, k, o, count = _detect(problem, Encounters(problem, theta, s, cell, code, walk), data, rng)
    n, mask = len(cell), problem.masks[data.session]
    digits = max(len(str(others + n)), 2)
    names = np.array([f"S{others + a + 1:0{digits}d}" for a in range(n)], dtype=object)
    animals = pd.DataFrame({"session": data.session, "animal": names, "x": mask.x[cell], "y": mask.y[cell]})
    if problem.column:
        animals[problem.column] = np.array(problem.levels, dtype=object)[code]
    animals["detected"] = np.isin(np.arange(n), i)
    seen = np.flatnonzero(animals["detected"])
    named = isinstance(problem.model.classes, str)  # a latent class is in the truth only
    traits = animals.loc[seen, [problem.column]].reset_index(drop=True) if named else None
    parts = SessionParts(
        session=data.session,
        individuals=list(names[seen]),
        stations=data.stations,
        xy=data.xy,
        effort=data.effort,
        individual=np.searchsorted(seen, i),
        station=k,
        occasion=o,
        count=count,
        occasions=problem.history.occasions[data.session],
        station_covariates=data.station_covariates,
        individual_covariates=traits,
        occasion_covariates=data.occasion_covariates,
        visit_covariates=data.visit_covariates,
    )
    return parts, animals


def _walk(n: int, occasions: int, drift: float, rng: np.random.Generator) -> Floats:
    """Random walks from the centres, which stand there at the first occasion, m, (n, S, 2)."""
    steps = rng.normal(0.0, drift, (n, occasions, 2))
    steps[:, :1] = 0.0
    return np.asarray(steps.cumsum(1))


def _population(problem: Problem, theta: Floats, s: int, rng: np.random.Generator) -> tuple[Any, Any]:
    """Cells (n,) of the centres and classes (n,) of all animals of a session."""
    intensity = _intensity(problem, theta, s)
    expected = intensity.sum()
    n = round(expected) if problem.model.distribution == "binomial" else int(rng.poisson(expected))
    return place_animals(problem, theta, s, n, rng)


def _intensity(problem: Problem, theta: Floats, s: int) -> Floats:
    """Expected number of animals in each cell of a session, (J,)."""
    area: Floats = problem.masks[problem.data[s].session].area
    return problem.density(theta)[s] * area


def place_animals(problem: Problem, theta: Floats, s: int, n: int, rng: np.random.Generator) -> tuple[Any, Any]:
    """Cells (n,) of the centres and classes (n,) of so many animals of a session."""
    intensity = _intensity(problem, theta, s)
    cell = rng.choice(len(intensity), size=n, p=intensity / intensity.sum())
    code = np.zeros(n, np.intp)
    if problem.layout.shares is not None:
        code = rng.choice(len(problem.levels), n, p=np.exp(problem.layout.shares.log_shares(theta)))
    return cell, code


class Encounters:
    """Hazards of all animals of a session, occasion by occasion.

    Parameters
    ----------
    problem, theta, s
        The model, its coefficients and the position of the session.
    cell, code
        Cells of the centres (n,) and classes (n,) of the animals.
    walk
        How far each is from there at each occasion, m, (n, S, 2); None: centres stay.

    Raises
    ------
    ModelError
        If centres move and distances are no straight lines.
    """

    def __init__(self, problem: Problem, theta: Floats, s: int, cell: Any, code: Any, walk: Any = None) -> None:
        if walk is not None and problem.distances is not None:
            raise ModelError("drift: centres that move have no least-cost distances. Leave out drift, or distance.")
        self.problem, self.session, self.code, self.cell, self.walk = problem, s, code[:, None], cell, walk
        self.d2 = problem.squared_distances(s, cell)
        self.memory = Memory(problem.detection.states, *self.d2.shape)
        self.by_row = {p.name: problem.detection.natural(p, theta) for p in problem.layout.parts if p.name != "D"}
        self._kept: tuple[Floats, Any] | None = None

    def hazard(self, occasion: int) -> tuple[Floats, Any]:
        """Hazard of each animal at each station per unit of effort, (n, K), 0 where the station is off.

        With it the sizes of negative-binomial counts, which broadcast against it; None without them.
        """
        if self._kept is not None:
            return self._kept
        if self.walk is not None:
            self.d2 = self._squared(occasion)
        detection, on = self.problem.detection, self.problem.data[self.session].effort[:, occasion] > 0
        state, station = self.memory.now(), np.arange(self.d2.shape[1])
        natural = {}
        for name, values in self.by_row.items():
            rows = detection.by_parameter[name].at(self.session, self.code, station, occasion, state)
            natural[name] = values[np.where(on | (not detection.varies), rows, 0)]
        size = natural.pop(SIZE) if self.problem.model.counts == "negbin" else None
        hazard: Floats = np.exp(self.problem.model.detection.log_hazard(self.d2, **natural))
        if not detection.varies and self.walk is None:
            self._kept = hazard, size
            return self._kept
        return hazard * on, size

    def _squared(self, occasion: int) -> Floats:
        """Squared distances (n, K) from where the centres are at an occasion, m²."""
        data = self.problem.data[self.session]
        mask = self.problem.masks[data.session]
        centre = np.column_stack([mask.x, mask.y])[self.cell] + self.walk[:, occasion]
        return np.asarray(((centre[:, None, :] - data.xy) ** 2).sum(-1))

    def note(self, caught: Any, effort: Floats) -> None:
        """Remember the captures of an occasion, (n, K) bool, with the effort of the stations."""
        if self.memory.states.number > 1:
            self.memory.note(caught, effort)


def _detect(
    problem: Problem, encounters: Encounters, data: SessionArrays, rng: np.random.Generator
) -> tuple[Any, Any, Any, Any]:
    """Animal, station, occasion and count of every detection, occasion by occasion."""
    found = []
    for o in range(data.effort.shape[1]):
        hazard, size = encounters.hazard(o)
        counts = draw_counts(problem.history.detector, hazard, size, data.effort[:, o], rng)
        encounters.note(counts > 0, data.effort[:, o])
        i, k = np.nonzero(counts)
        found.append((i, k, np.full(len(i), o), counts[i, k]))
    return tuple(np.concatenate(column) for column in zip(*found, strict=True))  # type: ignore[return-value]


def draw_counts(detector: str, hazard: Floats, size: Any, effort: Floats, rng: np.random.Generator) -> Any:
    """Counts (n, K) of one occasion, from hazards (n, K) and effort (K,); ``size`` of negative-binomial counts."""
    mean = hazard * effort
    if detector == "count":
        return rng.poisson(mean if size is None else _in_bursts(mean, size * effort, rng))
    if detector == "proximity":
        return (rng.random(mean.shape) < -np.expm1(-mean)).astype(np.int64)
    return _one_station(mean, rng)


def _in_bursts(mean: Floats, shape: Any, rng: np.random.Generator) -> Any:
    """Gamma means of counts; 0 where the station is off."""
    shape = np.broadcast_to(shape, mean.shape)
    return rng.standard_gamma(shape) * mean / np.where(shape > 0, shape, 1.0)


def _one_station(mean: Floats, rng: np.random.Generator) -> Any:
    """Multi-catch: at most one station an animal, with probability 1 − exp(−Λ), in proportion to its hazard."""
    counts = np.zeros(mean.shape, np.int64)
    total = mean.sum(1)
    caught = np.flatnonzero(rng.random(len(total)) < -np.expm1(-total))
    cumulative = mean[caught].cumsum(1)
    at = (rng.random(len(caught)) * total[caught])[:, None] < cumulative
    counts[caught, at.argmax(1)] = 1
    return counts
