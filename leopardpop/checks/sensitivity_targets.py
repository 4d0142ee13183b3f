"""Posteriors that differ from that of a fit in one thing, in the coordinates of the fit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from leopardpop.checks.sensitivity_draws import Numbers, evaluate
from leopardpop.data.history_subset import at_stations
from leopardpop.errors import ModelError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from leopardpop.checks.sensitivity_draws import Ground
    from leopardpop.data.history import CaptureHistory
    from leopardpop.models.likelihood.terms import Floats
    from leopardpop.models.problem import Problem

__all__ = [
    "Adjusted",
    "Counter",
    "Plain",
    "Rebased",
    "SharesUsed",
    "UnitsOut",
    "all_but",
    "expected_on_mask",
    "rebased",
    "stations_out",
]

STEP = 1e-4
"""Of differences of a smooth function, in the engine's coordinates."""


@dataclass(frozen=True, eq=False)
class Plain:
    """A problem as it is, many draws in one call.

    Parameters
    ----------
    problem
        The model with its data.
    """

    problem: Any

    @property
    def names(self) -> tuple[str, ...]:
        """Labels of the coefficients."""
        names: tuple[str, ...] = self.problem.names
        return names

    def batch_value(self, thetas: Floats) -> Floats:
        """Log posterior at many theta (B, P)."""
        with np.errstate(all="ignore"):
            total: Floats = self.problem.log_posteriors(thetas, self.problem.pointwise(thetas))
        return total

    def value(self, theta: Floats) -> float:
        """Log posterior at theta (P,)."""
        return float(self.problem.value(theta))

    def gradient(self, theta: Floats) -> tuple[float, Floats]:
        """Log posterior and its gradient at theta (P,)."""
        value, slope = self.problem.gradient(theta)
        return float(value), slope

    def starts(self) -> list[Floats]:
        """Points to start the search for the mode from."""
        starts: list[Floats] = self.problem.starts()
        return starts


@dataclass(frozen=True, eq=False)
class Adjusted(Plain):
    """A posterior times a smooth function of the coefficients: another prior, or a site left out.

    Parameters
    ----------
    problem
        The model with its data.
    adjust
        Log of the function, of many theta (B, P) to (B,).
    start
        Where the search for the mode begins.
    """

    adjust: Callable[[Floats], Floats]
    start: Floats

    def batch_value(self, thetas: Floats) -> Floats:
        """Log posterior at many theta (B, P)."""
        total: Floats = super().batch_value(thetas) + self.adjust(thetas)
        return total

    def value(self, theta: Floats) -> float:
        """Log posterior at theta (P,)."""
        return super().value(theta) + float(self.adjust(theta[None])[0])

    def gradient(self, theta: Floats) -> tuple[float, Floats]:
        """Log posterior and its gradient; that of the function by central differences."""
        value, slope = super().gradient(theta)
        steps = STEP * np.eye(len(theta))
        around = self.adjust(np.concatenate([theta[None], theta + steps, theta - steps]))
        above, below = around[1:].reshape(2, -1)
        return value + float(around[0]), slope + (above - below) / (2 * STEP)

    def starts(self) -> list[Floats]:
        """The mode of the fit."""
        return [self.start]


@dataclass(frozen=True, eq=False)
class Rebased(Plain):
    """The posterior of a model's coefficients given other data or other cells; the priors stay those of the fit.

    Parameters
    ----------
    problem
        The model with the data of the fit.
    other
        The same model with other data or cells; its coefficients have the same labels.
    start
        Where the search for the mode begins.
    """

    other: Problem
    start: Floats

    def theirs(self, theta: Floats) -> Floats:
        """Coordinates of the other problem, which may standardise covariates otherwise, (..., P)."""
        return self.other.to_theta(self.problem.to_beta(theta))

    def log_likelihoods(self, thetas: Floats) -> Floats:
        """Log-likelihood of the other data at many theta (B, P)."""
        with np.errstate(all="ignore"):
            pieces = self.other.pointwise(self.theirs(thetas))
            return np.asarray(pieces.capture.sum(-1) + pieces.n_detected.sum(-1))

    def batch_value(self, thetas: Floats) -> Floats:
        """Log posterior at many theta (B, P)."""
        return self.log_likelihoods(thetas) + self._log_priors(thetas)

    def value(self, theta: Floats) -> float:
        """Log posterior at theta (P,)."""
        total = self.other.log_likelihood(self.theirs(theta)) + float(self._log_priors(theta[None])[0])
        return float(total) if np.isfinite(total) else float("-inf")

    def gradient(self, theta: Floats) -> tuple[float, Floats]:
        """Log posterior and its gradient at theta (P,)."""
        value, slope = self.other.log_likelihood_gradient(self.theirs(theta))
        steps = STEP * np.eye(len(theta))
        bent = (self.theirs(theta + steps) - self.theirs(theta - steps)) / (2 * STEP)
        prior, by_prior = self.problem.priors.log_density(theta)
        by_effects = np.zeros(len(theta))
        prior += self.problem.layout.add_effect_slopes(theta, by_effects)
        total = float(value + prior), bent @ slope + by_prior + by_effects
        return total if self.problem.priors.number is None else self._with_number(theta, *total)

    def _with_number(self, theta: Floats, value: float, slope: Floats) -> tuple[float, Floats]:
        """Add the prior of the expected number in the mask of the fit."""
        steps = STEP * np.eye(len(theta))
        around = self._log_number(np.concatenate([theta[None], theta + steps, theta - steps]))
        above, below = around[1:].reshape(2, -1)
        return value + float(around[0]), slope + (above - below) / (2 * STEP)

    def _log_priors(self, thetas: Floats) -> Floats:
        densities: Floats = self.problem.priors.log_densities(thetas) + self.problem.layout.log_effects(thetas)
        return densities if self.problem.priors.number is None else densities + self._log_number(thetas)

    def _log_number(self, thetas: Floats) -> Floats:
        numbers = expected_on_mask(self.problem, thetas)
        return np.array([self.problem.priors.log_density_number(float(n))[0] for n in numbers])

    def starts(self) -> list[Floats]:
        """The mode of the fit."""
        return [self.start]


def expected_on_mask(problem: Problem, thetas: Floats) -> Floats:
    """Expected number of animals in the masks of all sessions, (B,)."""
    rows = problem.layout["D"].predictor(thetas)
    sums = [np.exp(eta) @ session.terms.area for eta, session in zip(rows, problem.sessions, strict=True)]
    return np.asarray(sum(sums[1:], sums[0]))


@dataclass(frozen=True, eq=False)
class Counter:
    """Counts animals at draws of a target: by the cells of its own problem.

    Parameters
    ----------
    problem
        Model and data that animals are counted by.
    grounds
        Region on each session's mask.
    rebased
        The target, if its draws are in the coordinates of another problem.
    """

    problem: Problem
    grounds: list[Ground]
    rebased: Rebased | None = None

    def __call__(self, thetas: Floats) -> Numbers:
        """Law of N at draws (S, P)."""
        at = thetas if self.rebased is None else self.rebased.theirs(thetas)
        return evaluate(self.problem, self.grounds, at).numbers()


@dataclass(frozen=True, eq=False)
class SharesUsed:
    """Share of the sites that are used, by season, from the covariates.

    Parameters
    ----------
    problem
        An occupancy model with its data.
    """

    problem: Any

    def __call__(self, thetas: Floats) -> Numbers:
        """Percent of the sites at draws (S, P)."""
        step = max(1, self.problem.batch)
        parts = [
            self.problem.state_probabilities(thetas[i : i + step])[..., 0, :, :].mean(-1)
            for i in range(0, len(thetas), step)
        ]
        return Numbers(100.0 * (1.0 - np.concatenate(parts)))


@dataclass(frozen=True, eq=False)
class UnitsOut:
    """Log of what takes some units out of the likelihood.

    Parameters
    ----------
    problem
        A model with its data.
    part
        Part of the log-likelihood by the names of the problem's pieces: "capture", "n_detected", "y".
    units
        Positions of the animals, sessions or sites.
    """

    problem: Any
    part: str
    units: tuple[int, ...]

    def __call__(self, thetas: Floats) -> Floats:
        """−log Pr of the units at many theta (B, P)."""
        with np.errstate(all="ignore"):
            log_units: Floats = getattr(self.problem.pointwise(thetas), self.part)[:, list(self.units)]
        return -log_units.sum(-1)


def rebased(problem: Problem, start: Floats, history: CaptureHistory | None = None, masks: Any = None) -> Rebased:
    """The posterior with other data or cells.

    Parameters
    ----------
    problem
        The model with the data of the fit.
    start
        Where the search for the mode begins.
    history, masks
        What is other.

    Raises
    ------
    ModelError
        If the model would have other coefficients then.
    """
    from leopardpop.models.problem import Problem

    given = problem.history if history is None else history
    theirs = Problem(problem.model, given, problem.masks if masks is None else masks, levels=problem.levels)
    if theirs.labels != problem.labels:
        raise ModelError("a coefficient would have no data left")
    return Rebased(problem, theirs, start)


def all_but(problem: Problem, s: int, k: int) -> dict[str, NDArray[np.bool_]]:
    """Every station of every session but one, (K,) each.

    Parameters
    ----------
    problem
        The model with its data.
    s, k
        Position of the session, and of the station in it.
    """
    keep = {data.session: np.ones(len(data.stations), bool) for data in problem.data}
    keep[problem.data[s].session][k] = False
    return keep


def stations_out(problem: Problem, keep: Mapping[str, NDArray[np.bool_]], start: Floats) -> Rebased:
    """The posterior without some of the stations.

    Parameters
    ----------
    problem
        The model with the data of the fit.
    keep
        Which stations are kept, by session, (K,) each.
    start
        Where the search for the mode begins.
    """
    return rebased(problem, start, history=at_stations(problem.history, keep))
