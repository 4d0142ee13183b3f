"""Run a checked analysis: read, build, fit, compare."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from leopardpop.cli.analysis import Analysis, nearest
from leopardpop.cli.expressions import Call, evaluate
from leopardpop.cli.translate import (
    combine,
    data_calls,
    fit_keywords,
    mask_call,
    model_call,
    population_keywords,
    prior_calls,
)
from leopardpop.errors import DataError, FitError, LeopardpopWarning, ModelError
from leopardpop.words import joined

if TYPE_CHECKING:
    import pandas as pd

    from leopardpop.data.history import CaptureHistory
    from leopardpop.data.survey import Survey
    from leopardpop.results.fit import Fit
    from leopardpop.results.maximum import MaximumLikelihood
    from leopardpop.results.population import Population

__all__ = [
    "Comparison",
    "Inputs",
    "Outcome",
    "collect_warnings",
    "comparison",
    "model_calls",
    "read_inputs",
    "run_models",
]

Progress = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Inputs:
    """What `[data]` and `[mask]` stand for.

    Parameters
    ----------
    history
        The capture history, or the detection history.
    mask
        One mask, or session -> mask; None for occupancy.
    survey
        The survey that the history was made from, if there is one.
    """

    history: CaptureHistory
    mask: Any
    survey: Survey | None = None

    @property
    def scope(self) -> dict[str, Any]:
        """The names that the calls of this analysis may use."""
        import leopardpop as lp

        return {"lp": lp, "history": self.history, "mask": self.mask, "survey": self.survey}


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """One model of the analysis, fitted.

    Parameters
    ----------
    name
        Its name in the file.
    fit
        The posterior.
    population
        Animals in the region; of occupancy the states of the sites.
    estimates
        The maximum-likelihood fit, where it was asked for or several models are compared, and there is one.
    no_estimates
        Why there is none, in words.
    """

    name: str
    fit: Fit
    population: Population
    estimates: MaximumLikelihood | None = None
    no_estimates: str = ""


def read_inputs(analysis: Analysis, progress: Progress) -> Inputs:
    """Read the data and make the mask.

    Parameters
    ----------
    analysis
        The checked file.
    progress
        Is told what happens next.

    Returns
    -------
    Inputs
        History, mask and survey.
    """
    import leopardpop as lp

    scope: dict[str, Any] = {"lp": lp, "survey": None}
    progress("Reading the data")
    for name, call in data_calls(analysis).items():
        scope[name] = evaluate(call, scope)
    if analysis.is_occupancy:
        return Inputs(history=scope["history"], mask=None, survey=scope["survey"])
    progress("Making the mask")
    return Inputs(history=scope["history"], mask=evaluate(mask_call(analysis), scope), survey=scope["survey"])


def model_calls(analysis: Analysis, inputs: Inputs) -> dict[str, Call]:
    """Return the constructor of each model, with the priors that concern it.

    Parameters
    ----------
    analysis
        The checked file.
    inputs
        Data and mask: they decide which coefficients a model has.

    Returns
    -------
    dict
        Name -> call.

    Raises
    ------
    DataError
        If a prior concerns no model at all.
    """
    preset, given = prior_calls(analysis.priors)
    base = analysis.path.parent
    known = {
        name: _prior_names(model_call(model, base=base), inputs) if given else set()
        for name, model in analysis.models.items()
    }
    everywhere = sorted(set().union(*known.values()))
    unknown = [key for key in given if key not in everywhere]
    if unknown:
        raise DataError(
            f"[priors] {unknown[0]!r}: no model has it. {nearest(unknown[0], everywhere)}", offenders=unknown
        )
    return {name: _with_priors(analysis.models[name], preset, given, known[name], base) for name in analysis.models}


def _prior_names(call: Call, inputs: Inputs) -> set[str]:
    table = evaluate(call, inputs.scope).parameters(inputs.history, inputs.mask)
    coefficients = {
        f"{name}[{coefficient}]" for name, coefficient in zip(table["name"], table["coefficient"], strict=True)
    }
    return {*table["name"], *coefficients, "N"}


def _with_priors(
    model: dict[str, Any], preset: Call | None, given: dict[str, Call], known: set[str], base: Path
) -> Call:
    own_preset, own = prior_calls(model.get("priors", {}))
    chosen = {key: prior for key, prior in given.items() if key in known} | own
    return model_call(model, combine(own_preset or preset, chosen), base)


def run_models(analysis: Analysis, inputs: Inputs, progress: Progress) -> list[Outcome]:
    """Fit every model of the analysis.

    Parameters
    ----------
    analysis
        The checked file.
    inputs
        Data and mask.
    progress
        Is told what happens next.

    Returns
    -------
    list of Outcome
        In the order of the file.
    """
    calls = model_calls(analysis, inputs)
    keywords = fit_keywords(analysis)
    regions = evaluate(population_keywords(analysis), inputs.scope)
    outcomes = []
    for name, call in calls.items():
        model = evaluate(call, inputs.scope)
        progress(f"Fitting {name}")
        fit = model.fit(inputs.history, inputs.mask, **keywords)
        estimates, reason = None, ""
        if wants_estimates(analysis):
            progress(f"Maximum likelihood of {name}")
            estimates, reason = _estimates(model, inputs)
        found = fit.occupancy() if analysis.is_occupancy else fit.population(**regions)
        outcomes.append(Outcome(name=name, fit=fit, population=found, estimates=estimates, no_estimates=reason))
    return outcomes


def _estimates(model: Any, inputs: Inputs) -> tuple[Any, str]:
    """Maximum-likelihood fit, or why there is none: the posterior stands without it."""
    if not hasattr(model, "maximum_likelihood"):
        return None, f"{type(model).__name__} has no estimates by maximum likelihood."
    try:
        return model.maximum_likelihood(inputs.history, inputs.mask), ""
    except FitError as error:
        return None, f"No estimates by maximum likelihood: {error}"


def _has(names: list[str]) -> str:
    return "has" if len(names) == 1 else "have"


def wants_estimates(analysis: Analysis) -> bool:
    """Return whether maximum-likelihood fits are needed: asked for, or to compare models without integrals.

    Random and spatial effects make the likelihood an integral, of which there is no maximum here.

    Parameters
    ----------
    analysis
        The checked file.

    Returns
    -------
    bool
        True if they are.
    """
    formulas = [str(value).replace(" ", "") for model in analysis.models.values() for value in model.values()]
    integrals = any("|" in formula or "gp(" in formula or formula == "CommunityOccupancy" for formula in formulas)
    return bool(analysis.fit.get("maximum_likelihood", False)) or (len(analysis.models) > 1 and not integrals)


@dataclass
class Warned:
    """The library's warnings of a run, each once, in their order."""

    notes: list[tuple[str, str]] = field(default_factory=list)


@contextmanager
def collect_warnings() -> Iterator[Warned]:
    """Collect the library's own warnings instead of printing each where it arose.

    Yields
    ------
    Warned
        Filled when the block ends. Warnings of other libraries are issued again.
    """
    warned = Warned()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        warnings.simplefilter("always", LeopardpopWarning)
        yield warned
    for warning in caught:
        if issubclass(warning.category, LeopardpopWarning):
            note = (warning.category.__name__, str(warning.message))
            if note not in warned.notes:
                warned.notes.append(note)
        else:
            warnings.warn_explicit(warning.message, warning.category, warning.filename, warning.lineno)


@dataclass(frozen=True)
class Comparison:
    """Models side by side, or why they cannot be."""

    table: pd.DataFrame | None
    """By AICc, the best first; None for a single model, or if they are of different data."""
    refused: str = ""
    """Why there is no table, in words."""


def comparison(outcomes: list[Outcome]) -> Comparison:
    """Compare the models by their maximum-likelihood fits.

    Parameters
    ----------
    outcomes
        The fitted models.

    Returns
    -------
    Comparison
        Without a table for a single model, and with the reason where the likelihoods are of different data.
    """
    import leopardpop as lp

    fits = {outcome.name: outcome.estimates for outcome in outcomes if outcome.estimates is not None}
    without = [outcome.name for outcome in outcomes if outcome.no_estimates]
    if len(outcomes) > 1 and without:
        return Comparison(None, f"The models are not compared by AICc: {joined(without)} {_has(without)} no maximum.")
    if len(fits) < 2:
        return Comparison(None)
    try:
        return Comparison(lp.compare(fits))
    except ModelError as error:  # the fits took long and stand without it
        return Comparison(None, f"The models are not compared by AICc: {error}")
