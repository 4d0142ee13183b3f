r"""Directed comparisons: the score of an effect that the model leaves out, of the survey and of all its replicates.

The score U of an added coefficient is the slope of the log-likelihood of the *larger* model where that coefficient is
zero. What the coefficients of the fitted model could explain is taken out of it by regression on their own scores over
the rows (Neyman's C(α)), so that it does not matter to first order whether the coefficients are known, drawn from a
posterior or estimated. Terms that are the same in all rows are left out: the expected number of detected animals.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from leopardpop.checks.pooled import pooled_surveys
from leopardpop.checks.responses import responses, singletons_against
from leopardpop.components.classes import Mixture
from leopardpop.components.counts import SIZE
from leopardpop.components.density import LogLinear
from leopardpop.components.formula import formula_variables
from leopardpop.data.sexes import SEXES
from leopardpop.errors import ModelError
from leopardpop.models.problem import Problem

if TYPE_CHECKING:
    from leopardpop.checks.pooled import Pooled
    from leopardpop.checks.surveys import Surveyed
    from leopardpop.models.likelihood.terms import Floats
    from leopardpop.models.scr import SCR

__all__ = ["directed_scores"]

STEP = 1e-3
"""Of the differences, in coefficients of standardised covariates."""
APART = 0.2
"""Half the distance of the two classes of h2, on the log scale."""
SIZE_LABEL = f"{SIZE}[Intercept]"
NO_BURSTS = float(np.log(1e4))
"""Log of the size at which a negative binomial is as good as a Poisson law."""
NOTHING_LEFT = 1e-9
"""Share of the variance of a score below which the coefficients of the model explain all of it."""
SEX = "sex"


def directed_scores(
    problem: Problem, theta: Floats, sessions: Sequence[Surveyed], rng: np.random.Generator
) -> dict[str, Floats]:
    """Scores of the effects that a model leaves out, by row.

    Parameters
    ----------
    problem
        The model with its data.
    theta
        Coefficients that the replicates were made with, (P,).
    sessions
        Rows of each session.
    rng
        Source of chance.

    Returns
    -------
    dict
        By effect, (R,): the score in standard deviations over the rows; for several coefficients the sum of squares.
        Nothing of a model with random effects, whose groups are many.

    References
    ----------
    Neyman (1959) Optimal asymptotic tests of composite statistical hypotheses, in Probability and Statistics: The
    Harald Cramér Volume, 213-234
    """
    if problem.layout.effects:
        return {}
    rows = sessions[0].rows
    sums: dict[str, Floats] = {}
    for pooled in pooled_surveys(problem, sessions, rng):
        for name, values in _of_animals(problem, theta, pooled).items():
            total = sums.setdefault(name, np.zeros((rows, values.shape[1])))
            np.add.at(total, pooled.row, values)
    if not problem.model.ghosts:
        sums["ghosts"] = singletons_against(sessions)
    known = np.column_stack([np.ones(rows), sums.pop("known")])
    scores = {name: _efficient(known, values) for name, values in sums.items()}
    return {name: score for name, score in scores.items() if np.isfinite(score).all()}


def _of_animals(problem: Problem, theta: Floats, pooled: Pooled) -> dict[str, Floats]:
    """What each animal adds to the score of each effect, (n, Q) each; "known" those of the model itself."""
    wider = _wider(problem, theta, pooled)
    slopes = wider.slopes()
    found = {"known": np.column_stack([slopes[:, ~wider.is_added], pooled.class_numbers])}
    if wider.is_added.any():
        found["gradient"] = slopes[:, wider.is_added]
    if not isinstance(problem.model.classes, Mixture):
        found |= _unlike_animals(wider)
    if pooled.sexed:
        found |= _sexes(problem, theta, pooled)
    if pooled.history.detector == "count" and problem.model.counts == "poisson":
        bursts = Larger(problem, theta, pooled, replace(problem.model, counts="negbin"), {SIZE_LABEL: NO_BURSTS})
        found["bursts"] = (bursts.log_animals() - wider.log_animals())[:, None] * np.exp(NO_BURSTS)
    return found | responses(wider.problem, wider.theta, pooled)


class Larger:
    """A model with more terms, for the animals of some rows, at the coefficients of the one that it is compared with.

    Parameters
    ----------
    problem, theta
        The fitted model, and its coefficients.
    pooled
        The animals.
    model
        The larger model.
    given
        Coefficients by label that are not those of the fitted model and not zero either.
    """

    def __init__(
        self, problem: Problem, theta: Floats, pooled: Pooled, model: SCR, given: Mapping[str, float] | None = None
    ) -> None:
        self.pooled, levels = pooled, problem.levels if model.classes == problem.model.classes else None
        self.problem = Problem(model, pooled.history, problem.masks, levels=levels)
        beta = dict(zip(problem.labels, problem.to_beta(theta), strict=True)) | dict(given or {})
        self.theta = self.problem.to_theta(np.array([beta.get(label, 0.0) for label in self.problem.labels]))
        self.is_added = np.array([label not in beta for label in self.problem.labels])

    def log_animals(self, shift: Floats | float = 0.0) -> Floats:
        """Log of the expected number of animals with each history, but for a constant, (n,)."""
        return np.asarray(self._many((self.theta + shift)[None])[0])

    def slopes(self) -> Floats:
        """Slopes of these along each coefficient, (n, P)."""
        steps = STEP * np.eye(len(self.theta))
        up, down = self._many(self.theta + steps), self._many(self.theta - steps)
        return np.asarray((up - down).T / (2.0 * STEP))

    def _many(self, thetas: Floats) -> Floats:
        pieces = self.problem.pointwise(thetas)
        return np.asarray(pieces.capture + np.log(pieces.detected)[:, self.pooled.session])


def _unlike_animals(wider: Larger) -> dict[str, Floats]:
    """Score of the variance of log λ0 between animals: two classes of them, one on each side of what was fitted."""
    label = f"{_baseline(wider.problem.model)}[Intercept]"
    if label not in wider.problem.labels:
        return {}
    shift = APART * (np.array(wider.problem.labels) == label)
    middle = wider.log_animals()
    sides = [np.exp(wider.log_animals(sign * shift) - middle) for sign in (1.0, -1.0)]
    return {"unlike": ((sides[0] + sides[1] - 2.0) / APART**2)[:, None]}


def _sexes(problem: Problem, theta: Floats, pooled: Pooled) -> dict[str, Floats]:
    """Scores of a difference between the sexes in σ and in λ0."""
    model, names = problem.model, {"sex_sigma": "sigma", "sex_baseline": _baseline(problem.model)}
    free = {key: name for key, name in names.items() if SEX not in formula_variables(getattr(model.detection, name))}
    if not free:
        return {}
    formulas = {name: f"{getattr(model.detection, name)} + {SEX}" for name in free.values()}
    larger = replace(model, detection=replace(model.detection, **formulas), classes=SEX)
    split = Larger(problem, theta, pooled, larger, {f"pmix[{SEXES[1]}]": pooled.logit_males})
    slopes, labels = split.slopes(), np.array(split.problem.labels)
    of_name = {key: split.is_added & np.char.startswith(labels, f"{name}[") for key, name in free.items()}
    return {key: slopes[:, chosen] for key, chosen in of_name.items() if chosen.any()}


def _baseline(model: SCR) -> str:
    """λ0, g0, or what a user's own function has in its place."""
    return next(each.name for each in model.detection.parameters() if each.name != "sigma")


def _wider(problem: Problem, theta: Floats, pooled: Pooled) -> Larger:
    """The model with a plane in log D, or a slope along one axis where its own covariates lie along the other."""
    for axes in ("xy", "x", "y"):
        try:
            return Larger(problem, theta, pooled, _with_place(problem.model, axes))
        except ModelError:  # a covariate that is itself a plane: its coefficient cannot be told from the axis's
            continue
    return Larger(problem, theta, pooled, problem.model)


def _with_place(model: SCR, axes: str) -> SCR:
    """The model with places along some axes in log D, unless its formula has places already."""
    density: Any = model.density  # a component, whatever was given
    formula: str = density.D
    has_place = bool({"x", "y"} & set(formula_variables(formula)))
    return model if has_place else replace(model, density=LogLinear(D=" + ".join([formula, *axes])))


def _efficient(known: Floats, scores: Floats) -> Floats:
    """What the model cannot explain of the scores (R, Q), in standard deviations; of several the sum of squares."""
    rest = scores - known @ np.linalg.lstsq(known, scores, rcond=None)[0]
    variance = np.atleast_2d(np.cov(rest, rowvar=False))
    if not (np.diag(variance) > NOTHING_LEFT * scores.var(0)).all():
        return np.full(len(rest), np.nan)
    sds = np.sqrt(np.diag(variance))
    rest = rest / sds
    if rest.shape[1] == 1:
        return np.asarray(rest[:, 0])
    values, vectors = np.linalg.eigh(variance / np.outer(sds, sds))
    told = values > NOTHING_LEFT  # with hardly any animals, east and north may be one direction
    return np.asarray(((rest @ vectors[:, told]) ** 2 / values[told]).sum(1))
