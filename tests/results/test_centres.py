"""Activity centres: probabilities by animal and cell, against the naive code and by hand."""

from __future__ import annotations

import numpy as np
import pytest

from leopardpop.results.centres import activity_centres
from tests.reference.coefficients import survey_pieces
from tests.results.standin import plain_survey, stand_in, values_of


@pytest.mark.parametrize("sex", ["none", "partly known"])
def test_at_one_point_against_the_naive_code(sex: str) -> None:
    fit = stand_in(sex, draws=1, spread=0.0)
    (piece,) = survey_pieces(plain_survey(sex), "HalfNormal", values_of(sex), None if sex == "none" else "sex")
    found = activity_centres(fit)["probability"]
    np.testing.assert_allclose(found, piece.centres, atol=1e-12)


def test_average_over_draws() -> None:
    fit = stand_in("partly known", draws=9)
    rows = fit.theta.reshape(-1, fit.theta.shape[-1])
    found = activity_centres(fit)
    by_hand = np.mean([fit.problem.centres(row)[0] for row in rows], axis=0)
    np.testing.assert_allclose(found["probability"], by_hand, rtol=1e-10)
    np.testing.assert_allclose(
        found["class_probability"], np.mean([fit.problem.classes(row)[0] for row in rows], axis=0)
    )
    mask = fit.problem.masks["2021"]
    np.testing.assert_allclose(found["mean_x"], by_hand @ mask.x)
    variance = by_hand @ (mask.x**2 + mask.y**2) - (by_hand @ mask.x) ** 2 - (by_hand @ mask.y) ** 2
    np.testing.assert_allclose(found["sd"], np.sqrt(variance))


def test_sessions_have_their_own_cells() -> None:
    fit = stand_in(layout="two sessions", draws=4)
    found = activity_centres(fit)
    probability, own = found["probability"], found["individual_session"] == found["cell_session"]
    assert (probability.isnull() == ~own).all()
    np.testing.assert_allclose(probability.sum("cell"), 1.0)
    assert list(found["individual"].to_numpy()[:1]) == ["2021/A1"]
    assert set(found["animal"].to_numpy()) >= {"A1", "A2"}


@pytest.mark.parametrize("layout", ["no captures", "one animal", "an empty session"])
def test_few_or_no_animals(layout: str) -> None:
    fit = stand_in(layout=layout, draws=3)
    found = activity_centres(fit)
    assert found.sizes["individual"] == sum(len(data.individuals) for data in fit.problem.data)
    np.testing.assert_allclose(found["probability"].sum("cell"), 1.0)


def test_an_animal_is_near_its_stations() -> None:
    """The posterior mean lies within the stations' spread of the animal, and its sd is about sigma or less."""
    fit = stand_in(draws=20)
    found = activity_centres(fit)
    for i, (x, y) in enumerate(zip(found["mean_x"], found["mean_y"], strict=True)):
        data = fit.problem.data[0]
        seen = data.xy[data.station[data.individual == i]]
        assert np.hypot(*(seen.mean(0) - [float(x), float(y)])) < 1500
    assert float(found["sd"].max()) < 2 * 1100
