"""Fit by maximum likelihood: the numbers to set beside those of other packages."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from math import lgamma
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from leopardpop.data.names import listed
from leopardpop.data.notices import notice
from leopardpop.errors import FitError, ModelError, SparseDataWarning
from leopardpop.inference.mode import find_modes
from leopardpop.models.latent import in_order
from leopardpop.models.likelihood.counts import ConditionalOnN
from leopardpop.models.problem import Problem
from leopardpop.results.delta import coefficient_table, estimate_table, expected_table, jacobian, realised_table
from leopardpop.results.same_data import DataOf, data_of_problem
from leopardpop.words import trimmed

if TYPE_CHECKING:
    from leopardpop.data.history import CaptureHistory
    from leopardpop.data.mask import Mask
    from leopardpop.inference.mode import Mode
    from leopardpop.models.likelihood.terms import Floats
    from leopardpop.models.scr import SCR

__all__ = [
    "LikelihoodProblem",
    "Maximum",
    "MaximumLikelihood",
    "check_mode",
    "log_multinomial",
    "maximise",
    "tell_loose",
]

LARGEST_SE = 5.0
"""Standard error on the scale of the link, of a standardised covariate: the interval covers e^10 either way."""


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class Maximum(ABC):
    """What every fit by maximum likelihood has: :class:`MaximumLikelihood` and :class:`OccupancyMaximum`."""

    log_likelihood: float
    """With every constant; animals and sites are labelled."""
    estimates: pd.DataFrame
    """Natural scale, by the levels of each factor; D is the mean over the mask. Columns estimate, se, lower, upper and
    unit; one row a parameter, and after it one for each effect of a covariate ("D[snow]"; its unit is "log scale")."""
    coefficients: pd.DataFrame
    """Link scale, covariates as given. Columns estimate, se, lower, upper; one row a coefficient."""
    covariance: pd.DataFrame
    """Covariance of the coefficients."""
    converged: bool
    """Whether the gradient vanishes there."""
    data_hash: str
    """Fingerprint of the history."""

    @property
    @abstractmethod
    def sample_size(self) -> int:
        """Number of independent units, for AICc."""

    @abstractmethod
    def _kind(self) -> str:
        """What likelihood it is, in a word or two."""

    @property
    def n_parameters(self) -> int:
        """Number of coefficients."""
        return len(self.covariance)

    @property
    def aic(self) -> float:
        """Akaike's information criterion, of :attr:`log_likelihood`."""
        return 2.0 * self.n_parameters - 2.0 * self.log_likelihood

    @property
    def aicc(self) -> float:
        """AIC with its correction for few units; infinite where there are too few for it."""
        k, spare = self.n_parameters, self.sample_size - self.n_parameters - 1
        return self.aic + 2.0 * k * (k + 1) / spare if spare > 0 else float("inf")

    def __repr__(self) -> str:
        """Show the estimates."""
        return "\n".join([*self._head(), self.estimates.to_string(float_format=_shown)])

    def _repr_html_(self) -> str:
        return f"<p>{escape(' '.join(self._head()))}</p>{self.estimates.to_html(float_format=_shown, border=0)}"

    def _head(self) -> list[str]:
        """What was maximised, and whether it was."""
        head = f"Maximum likelihood ({self._kind()}): log-likelihood {self.log_likelihood:.6f}, AICc {self.aicc:.2f}"
        return [head] if self.converged else [head, "NOT CONVERGED: the gradient does not vanish there."]


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class MaximumLikelihood(Maximum):
    """A fit by maximum likelihood; made by :meth:`SCR.maximum_likelihood`.

    Standard errors are from the exact Hessian on the link scale. That of a parameter with a log link is the standard
    deviation of the log-normal law with that error, of any other the first-order one (delta method); intervals are
    95 %, symmetric on the link scale.

    Parameters
    ----------
    log_likelihood, estimates, coefficients, covariance, converged, data_hash
        What :class:`Maximum` has: the value there with every constant; the natural scale; the link scale; covariance of
        the coefficients; whether the gradient vanishes; fingerprint of the history.

    Examples
    --------
    >>> import pandas as pd
    >>> import leopardpop as lp
    >>> stations = pd.DataFrame({"station": list("ABCD"), "x": [0, 1500, 0, 1500], "y": [0, 0, 1500, 1500]})
    >>> design = lp.CaptureHistory.from_tables(None, stations, occasions=8)
    >>> mask = lp.Mask.around(design, buffer=4_000, spacing=500)
    >>> model = lp.SCR()
    >>> sim = model.simulate(design, mask, parameters={"D": 0.4, "lambda0": 0.2, "sigma": 1_000}, seed=2)
    >>> mle = model.maximum_likelihood(sim.history, mask)
    >>> mle.converged, mle.estimates.index.tolist()
    (True, ['D', 'lambda0', 'sigma'])
    """

    secr_log_likelihood: float
    """With the constants of the R package secr: identical histories are not told apart."""
    expected_N: pd.DataFrame  # noqa: N815 - the literature's symbol
    """Expected number of animals in the mask. Columns estimate, se, lower, upper; one row a session."""
    realised_N: pd.DataFrame  # noqa: N815 - the literature's symbol
    """Animals detected and the expected number of others, as :attr:`expected_N`."""
    n_animals: int
    """Number of detected animals, the sample size of AICc."""
    n_by_session: pd.Series
    """Number of detected animals of each session."""
    conditional: bool
    """Whether the likelihood is conditional on the number of detected animals."""
    distribution: str
    """Of the number of animals: "poisson" or "binomial"."""
    data: DataOf
    """What the likelihood is of beside the history: cells, and animals whose class is known."""

    @property
    def sample_size(self) -> int:
        """Number of detected animals."""
        return self.n_animals

    @property
    def region_N(self) -> pd.DataFrame:
        """Table as secr's ``region.N``: rows E.N and R.N of each session; estimate, se, lower, upper, n detected.

        The region is the mask. For other regions, and the animals placed in them, ask a fit:
        ``fit.population(regions=...)``.
        """
        parts = {"E.N": self.expected_N, "R.N": self.realised_N}
        table = pd.concat(parts, names=["quantity"]).swaplevel().sort_index(level=0, sort_remaining=True)
        return table.assign(n=self.n_by_session.reindex(table.index.get_level_values("session")).to_numpy())

    def _kind(self) -> str:
        return "conditional on the animals detected" if self.conditional else f"{self.distribution.capitalize()} N"


def _shown(value: float) -> str:
    return trimmed(value, 4)


class LikelihoodProblem(Problem):
    """A problem whose value is the likelihood alone."""

    def value(self, theta: Floats) -> float:
        """Log-likelihood; −inf where there is none."""
        total = self.log_likelihood(theta)
        return total if np.isfinite(total) else float("-inf")

    def gradient(self, theta: Floats) -> tuple[float, Floats]:
        """Log-likelihood and its gradient (P,)."""
        return self.log_likelihood_gradient(theta)


class Tail:
    """A problem without its first coefficients, which stay at zero.

    Parameters
    ----------
    problem
        The likelihood.
    fixed
        Number of coefficients at the front that are fixed.
    """

    def __init__(self, problem: LikelihoodProblem, fixed: int) -> None:
        self.problem, self.fixed = problem, fixed
        self.names = problem.names[fixed:]

    def whole(self, tail: Floats) -> Floats:
        """All coefficients."""
        return np.concatenate([np.zeros(self.fixed), tail])

    def value(self, tail: Floats) -> float:
        """Log-likelihood."""
        return self.problem.value(self.whole(tail))

    def gradient(self, tail: Floats) -> tuple[float, Floats]:
        """Log-likelihood and its gradient."""
        value, gradient = self.problem.gradient(self.whole(tail))
        return value, gradient[self.fixed :]

    def starts(self) -> list[Floats]:
        """Where the search begins."""
        return [start[self.fixed :] for start in self.problem.starts()]


def maximise(
    model: SCR, history: CaptureHistory, mask: Mask | Mapping[str, Mask], *, conditional: bool = False
) -> MaximumLikelihood:
    """Maximise the likelihood; see :meth:`SCR.maximum_likelihood`.

    The conditional likelihood is Σ log Pr(w_i | detected): nothing is added for the number of animals, so that secr's
    differs from it by the same term for identical histories as the full one does.

    Raises
    ------
    FitError
        If the likelihood has no maximum: no animals, no recaptures, a parameter at a bound.
    ModelError
        For random effects, or if ``conditional`` is asked for with a formula of density.
    """
    _check_data(history)
    problem = LikelihoodProblem(model, history, mask, ConditionalOnN() if conditional else None, ordered=False)
    problem.layout.refuse_effects()
    if conditional and not problem.layout["D"].is_constant:
        raise ModelError(
            f'conditional=True knows no density, so its formula must be "~ 1" and not {model.density!r}. '
            "Fit the full likelihood for a formula of density."
        )
    target = Tail(problem, fixed=1 if conditional else 0)
    mode = find_modes(target).best
    check_mode(mode)
    tell_loose(mode, target.names)
    theta, covariance = in_order(problem, mode.theta, mode.covariance, fixed=target.fixed)
    if conditional:
        theta, covariance = _with_density(target, theta, covariance)
    return _packed(problem, mode, theta, covariance, conditional=conditional)


def _check_data(history: CaptureHistory) -> None:
    if not history.n_individuals:
        raise FitError(
            "No animal was detected: the likelihood grows as density falls to zero and has no maximum. "
            "model.fit(...) has a posterior all the same, from the priors and the effort."
        )
    if history.n_detections == history.n_individuals:
        raise FitError(
            f"None of the {history.n_individuals} animals was detected twice: density and detection cannot be told "
            "apart by the likelihood. model.fit(...) has a posterior, which rests on the priors."
        )


def check_mode(mode: Mode) -> None:
    """Refuse a maximum that is none.

    Raises
    ------
    FitError
        If the likelihood is flat in some direction there.
    """
    flat = [problem for problem in mode.problems if "stopped" not in problem]
    if flat:
        words = (
            "; ".join(flat)
            .replace("log posterior", "log-likelihood")
            .replace("neither data nor prior sets", "no data set")
        )
        raise FitError(
            f"The likelihood has no proper maximum: {words}. Leave that term out, pool levels of the factor, "
            "or use model.fit(...), where the priors keep it finite.",
            offenders=list(mode.problems),
        )


def tell_loose(mode: Mode, names: Sequence[str]) -> list[str]:
    """Warn of coefficients that the data hardly tell: a maximum is found for them all the same.

    Parameters
    ----------
    mode
        The maximum.
    names
        Labels of the coefficients.

    Returns
    -------
    list of str
        Those that were told.
    """
    se = np.sqrt(np.diagonal(mode.covariance))
    loose = [name for name, each in zip(names, se, strict=True) if not each < LARGEST_SE]
    if loose:
        most = trimmed(float(np.max(se[~(se < LARGEST_SE)])), 2)
        notice(
            f"The data hardly tell {listed(loose, 4)}: standard errors up to {most} on the scale of the link, where 5 "
            "is anything from next to nothing to all. Do not report them. model.fit(...) has a posterior, and says "
            "what of it is the prior's.",
            SparseDataWarning,
        )
    return loose


def _with_density(target: Tail, tail: Floats, covariance: Floats) -> tuple[Floats, Floats]:
    """Add log D = log n − log(sampling area), whose variance is 1/n beside that of the area."""
    problem = target.problem

    def log_area(at: Floats) -> Floats:
        return np.log([sum(e.detected for e in problem.evaluate(target.whole(at)))])

    slopes = np.vstack([-jacobian(log_area, tail, np.sqrt(np.diag(covariance))), np.eye(len(tail))])
    whole = slopes @ covariance @ slopes.T
    whole[0, 0] += 1.0 / problem.n_animals
    density = np.log(problem.n_animals) - log_area(tail)
    return np.concatenate([density, tail]), whole


def _packed(
    problem: LikelihoodProblem, mode: Mode, theta: Floats, covariance: Floats, *, conditional: bool
) -> MaximumLikelihood:
    """Tables of a maximum."""
    history = problem.history
    coefficients = coefficient_table(problem, theta, covariance)
    matrix = problem.to_beta(np.eye(problem.layout.size))
    on_beta = pd.DataFrame(matrix.T @ covariance @ matrix, index=problem.labels, columns=problem.labels)
    if conditional:
        coefficients, on_beta = coefficients.iloc[1:], on_beta.iloc[1:, 1:]
    expected = expected_table(problem, theta, covariance)
    return MaximumLikelihood(
        log_likelihood=mode.value,
        secr_log_likelihood=mode.value + log_multinomial(history),
        estimates=estimate_table(problem, theta, covariance),
        coefficients=coefficients,
        covariance=on_beta,
        expected_N=expected,
        realised_N=realised_table(problem, theta, covariance, expected),
        n_animals=problem.n_animals,
        n_by_session=pd.Series({data.session: len(data.individuals) for data in problem.data}, name="n"),
        converged=mode.converged,
        conditional=conditional,
        distribution=problem.model.distribution,
        data_hash=history.data_hash,
        data=data_of_problem(problem),
    )


def log_multinomial(history: CaptureHistory) -> float:
    """Σ over sessions of log n! − Σ log n_c!, n_c being the multiplicities of identical histories as supplied.

    Parameters
    ----------
    history
        Capture history; covariates of the animals are not part of their histories, a death is.

    Returns
    -------
    float
        What secr adds to the log-likelihood.

    Examples
    --------
    >>> import pandas as pd
    >>> from leopardpop.data.history import CaptureHistory
    >>> stations = pd.DataFrame({"station": ["A", "B"], "x": [0, 2000], "y": [0, 500]})
    >>> captures = pd.DataFrame({"individual": ["F1", "M1", "M2"], "station": list("AAB"), "occasion": 1})
    >>> float(np.exp(log_multinomial(CaptureHistory.from_tables(captures, stations))).round(9))
    3.0
    """
    data = history.dataset
    rows = np.column_stack([data[f"detection_{name}"].values for name in ("station", "occasion", "count")])
    order = np.lexsort(rows.T[::-1])
    animal, rows = data["detection_individual"].values[order], rows[order]
    removed = data["removed"].values
    keys = [(rows[animal == i].tobytes(), bool(removed[i])) for i in range(data.sizes["individual"])]
    session = data["individual_session"].values
    return sum(
        _log_arrangements([k for k, s in zip(keys, session, strict=True) if s == label]) for label in history.sessions
    )


def _log_arrangements(keys: list[Any]) -> float:
    multiplicity = pd.Series(keys, dtype=object).value_counts()
    return lgamma(len(keys) + 1.0) - sum(lgamma(n + 1.0) for n in multiplicity)
