"""Answers that other software published, asked of the data that it published them for."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from leopardpop.checks.known.answer import Answer, Question, near
from leopardpop.checks.known.occupancy import FITS as SITE_FITS
from leopardpop.checks.known.occupancy import OccupancyAnswer
from leopardpop.checks.known.plain import library_history, library_masks
from leopardpop.checks.known.secr import SecrFit
from leopardpop.checks.known.secr_fits import FITS as SECR_FITS
from leopardpop.checks.known.surveys import folder_of, load_survey
from leopardpop.data.detection_history import DetectionHistory
from leopardpop.models.abundance import RoyleNichols
from leopardpop.results.maximum import log_multinomial

__all__ = ["questions"]

NATURAL: dict[str, dict[str, tuple[float, float]]] = {
    "snow leopard m0": {"D": (0.00348, 5e-6), "lambda0": (0.01173, 5e-6), "sigma": (6_292.0, 0.5)},
    "secrdemo HN": {"D": (547.98, 0.02), "g0": (0.27319, 1e-5), "sigma": (29.366, 1e-3)},
}
"""Estimates as they were printed, in our units, and how much the last digit may differ."""
AICC = "example_results_abundance_AIC.csv"
BELOW, ABOVE = 1e-8, 1e-4
"""Our maximum is no lower than the published one, and hardly higher."""


def questions(shared: Path) -> list[Question]:
    """Everything that needs published data.

    Parameters
    ----------
    shared
        The folder that holds ``data/`` and ``reference/``; what is not in it is not asked.
    """
    asked = [_of_secr(shared, fit) for fit in SECR_FITS if fit.distribution == "poisson" and not fit.conditional]
    asked += [_of_sites(shared, fit) for fit in SITE_FITS]
    salamanders, leopards = shared / "data" / "salamanders", shared / "data" / folder_of("snow leopard")
    asked.append(Question("unmarked", "salamanders, Royle-Nichols", partial(_salamanders, salamanders), salamanders))
    asked.append(Question("secr", "snow leopards, order by AICc", partial(_order, shared), leopards, in_quick=False))
    return asked


# -- secr -------------------------------------------------------------------------------------------------------------
def _of_secr(shared: Path, fit: SecrFit) -> Question:
    folder = shared / "data" / folder_of(fit.survey)
    return Question("secr", fit.name, partial(_secr_answers, shared, fit), folder, in_quick=not fit.collapsed)


def _secr_answers(shared: Path, fit: SecrFit, quick: bool) -> list[Answer]:
    history, masks = _library(shared, fit.survey)
    estimates = fit.coefficients(shared)
    answers = []
    published = fit.log_likelihood(shared) - log_multinomial(history)
    if not fit.collapsed:  # secr's constant of k-of-n data is not ours
        found = fit.model.log_likelihood(history, masks, parameters=pd.Series(estimates))
        answers.append(near("log-likelihood at the published estimates", published, found, 1e-6))
    if quick:
        return answers
    ours = fit.model.maximum_likelihood(history, masks)
    if not fit.collapsed:
        answers.append(Answer("maximum of the log-likelihood", published, ours.log_likelihood, BELOW, ABOVE))
    errors = pd.Series(fit.standard_errors(shared))
    answers += _of_table(ours.coefficients, pd.Series(estimates), errors, 0.003 if fit.null else 0.01, fit.rough_errors)
    natural = NATURAL.get(fit.name, {}).items()
    return answers + [near(name, value, ours.estimates["estimate"][name], step) for name, (value, step) in natural]


def _of_table(table: pd.DataFrame, estimates: Any, errors: Any, rel: float, rough: tuple[str, ...]) -> list[Answer]:
    """The estimate and the standard error that differ most: by how many of the errors, and by which share."""
    ours = table.loc[list(estimates.index)]
    moved = ((ours["estimate"] - estimates).abs() / errors).max()
    ratio = (ours["se"] / errors).drop(list(rough))
    return [
        near("largest difference of an estimate, in standard errors", 0.0, float(moved), 2e-3),
        near("standard error that differs most, ours over theirs", 1.0, _worst(ratio), rel),
    ]


def _worst(ratio: Any) -> float:
    """The ratio that is furthest from one."""
    values = np.asarray(ratio, float)
    return float(values[np.abs(values - 1.0).argmax()])


def _library(shared: Path, name: str) -> tuple[Any, Any]:
    survey = load_survey(shared, name)
    return library_history(survey), library_masks(survey)


def _order(shared: Path, quick: bool) -> list[Answer]:
    """AICc of the models that were published for the snow leopards, with secr's constants."""
    fits = [fit for fit in SECR_FITS if fit.survey == "snow leopard"]
    history, masks = _library(shared, "snow leopard")
    table = pd.read_csv(shared / "data" / folder_of("snow leopard") / AICC).set_index("modelname")
    ours = {fit.key: fit.model.maximum_likelihood(history, masks) for fit in fits}
    aicc = {key: each.aicc - 2.0 * (each.secr_log_likelihood - each.log_likelihood) for key, each in ours.items()}
    published = table["AICc"].loc[list(aicc)]
    answers = [near(f"AICc of {key}", value, aicc[str(key)], 6e-4) for key, value in published.items()]
    wrong = int((pd.Series(aicc).rank() != published.rank()).sum())
    return [*answers, near("models out of their order", 0.0, wrong, 0.0)]


# -- sites ------------------------------------------------------------------------------------------------------------
def _of_sites(shared: Path, fit: OccupancyAnswer) -> Question:
    return Question("unmarked, wiqid", str(fit), partial(_site_answers, shared, fit), shared / "data" / fit.data)


def _site_answers(shared: Path, fit: OccupancyAnswer, quick: bool) -> list[Answer]:
    history, published = fit.history(shared / "data"), fit.coefficients(shared)
    known = float(fit.record(shared)["logLik"])
    if quick:
        found = fit.model.log_likelihood(history, parameters=published["estimate"])
        return [near("log-likelihood at the published estimates", known, found, max(1e-5, fit.log_likelihood))]
    ours = fit.model.maximum_likelihood(history)
    table = ours.coefficients.loc[list(fit.names)]
    moved = float(np.abs(table["estimate"] - published["estimate"]).max())
    ratio = table["se"] / published["se"]
    return [
        Answer("maximum of the log-likelihood", known, ours.log_likelihood, BELOW, fit.log_likelihood),
        near("largest difference of an estimate", 0.0, moved, fit.estimate),
        near("standard error that differs most", 1.0, _worst(ratio), fit.error),
    ]


def _salamanders(folder: Path, quick: bool) -> list[Answer]:
    history = DetectionHistory.from_tables(folder / "y.csv")
    at = {"abundance": 1.1425, "r": 0.1475}
    if quick:
        found = RoyleNichols().log_likelihood(history, parameters=at)
        return [near("log-likelihood at the published estimates", 2.0 - 164.0016 / 2, found, 1e-4)]
    ours = RoyleNichols().maximum_likelihood(history)
    estimates = ours.estimates["estimate"]
    answers = [near(name, value, estimates[name], 1e-4) for name, value in at.items()]
    return [near("AIC", 164.0016, ours.aic, 1e-4), *answers]
