"""Masks of every shape give one likelihood: with lakes, in parts, of unequal cells, by session, coarse and fine."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
import shapely

import leopardpop as lp
from leopardpop.models.likelihood.separable import SeparableForm
from leopardpop.models.problem import Problem
from tests.reference.coefficients import survey_pieces
from tests.reference.datasets import library_history
from tests.reference.designs import Design, make_survey

VALUES = {"D[Intercept]": -1.0, "lambda0[Intercept]": math.log(0.1), "sigma[Intercept]": math.log(1200.0)}
LAKES = shapely.MultiPolygon([shapely.Point(1_500, 1_000).buffer(700), shapely.Point(-1_500, 2_500).buffer(900)])


def naive(layout: str, masks: dict[str, lp.Mask]) -> tuple[float, lp.CaptureHistory]:
    survey = make_survey(Design(detector="count", layout=layout))
    for session in survey.sessions:
        mask = masks[session.label]
        session.cells, session.area = np.column_stack([mask.x, mask.y]), mask.area
        session.cell_covariates = {}
    pieces = survey_pieces(survey, "HalfNormal", VALUES)
    return sum(piece.poisson() for piece in pieces), library_history(survey)


def around(layout: str = "one session", spacing: float = 450.0, habitat: shapely.Geometry | None = None) -> lp.Mask:
    survey = make_survey(Design(detector="count", layout=layout))
    return lp.Mask.around(library_history(survey), buffer=4_000, spacing=spacing, habitat=habitat)


def check(layout: str, masks: dict[str, lp.Mask], form: type) -> None:
    expected, history = naive(layout, masks)
    problem = Problem(lp.SCR(), history, masks)
    assert all(isinstance(session.form, form) for session in problem.sessions)
    found = lp.SCR().log_likelihood(history, masks, parameters=pd.Series(VALUES))
    assert found == pytest.approx(expected, rel=1e-9)


def label() -> str:
    return make_survey(Design(detector="count")).sessions[0].label


def test_lakes_and_parts() -> None:
    """Holes in the lattice, and land in two parts: still the quick form."""
    land = shapely.box(-9e3, -9e3, 2e4, 2e4).difference(LAKES).difference(shapely.box(2_600, -9e3, 3_000, 2e4))
    mask = around(habitat=land)
    assert mask.n_cells < around().n_cells
    assert not shapely.intersects_xy(LAKES, mask.x, mask.y).any()
    check("one session", {label(): mask}, SeparableForm)


def test_cells_of_unequal_size() -> None:
    """Coarse land far away, fine land near the stations: a quarter of each coarse cell is a fine one."""
    coarse = around(spacing=900.0)
    middle = np.hypot(coarse.x - coarse.x.mean(), coarse.y - coarse.y.mean()) < 2_500
    inner = coarse.table[middle]
    quarters = [inner.assign(x=inner["x"] + a, y=inner["y"] + b) for a in (-225, 225) for b in (-225, 225)]
    fine = pd.concat(quarters, ignore_index=True).assign(area=0.81 / 4)
    mixed = lp.Mask(pd.concat([fine, coarse.table[~middle]], ignore_index=True))
    assert mixed.total_area == pytest.approx(coarse.total_area)
    check("one session", {label(): mixed}, SeparableForm)


def test_a_mask_for_each_session() -> None:
    """One with lakes and fine, one coarse."""
    labels = [session.label for session in make_survey(Design(detector="count", layout="two sessions")).sessions]
    land = shapely.box(-9e3, -9e3, 2e4, 2e4).difference(LAKES)
    masks = dict(zip(labels, [around("two sessions", 400.0, land), around("two sessions", 700.0)], strict=True))
    check("two sessions", masks, SeparableForm)


def test_coarse_to_fine_converges() -> None:
    """Halving the cells moves the likelihood ever less: below 0.6 sigma hardly at all."""
    _, history = naive("one session", {label(): around()})
    values = pd.Series(VALUES)
    found = [
        lp.SCR().log_likelihood(history, around(spacing=spacing), parameters=values) for spacing in (2e3, 700, 350, 175)
    ]
    steps = np.abs(np.diff(found))
    assert steps[1] < 0.05 * abs(found[-1]) / 100
    assert steps[2] < steps[0]
