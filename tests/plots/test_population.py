"""The posterior of N as bars: probabilities of whole numbers, a claim, a floor, a truth, and the prior."""

from functools import cache

import numpy as np
import pytest
import shapely

import leopardpop as lp
from leopardpop.errors import ModelError
from leopardpop.plots.population import rows_of
from tests.results import made


def fit_of(density: float, draws: int) -> lp.Fit:
    """A fit whose mask says where animals are counted."""
    design, mask = made.design(), lp.Mask.from_table(made.mask().table)
    truth = {"D": density, "lambda0": 0.25 / density**0.5, "sigma": 1_000.0}
    history = lp.SCR().simulate(design, mask, parameters=truth, seed=3).history
    return made.quiet(lambda: lp.SCR().fit(history, mask, seed=1, draws=draws))


@cache
def chosen() -> lp.Fit:
    return fit_of(0.2, 500)


def numbers(fit: lp.Fit) -> np.ndarray:
    return fit.population().realised.values.ravel().astype(int)


def bars(ax) -> dict[float, float]:
    return {round(p.get_x() + p.get_width() / 2, 6): p.get_height() for p in ax.containers[0]}


def line(ax, style) -> np.ndarray:
    (found,) = [each for each in ax.lines if style(each)]
    return np.asarray(found.get_xdata(), float)


def test_a_bar_is_the_probability_of_a_number():
    draws, heights = numbers(chosen()), bars(chosen().plot.population())
    for n in np.unique(draws)[5:-20:10]:
        assert heights[float(n)] == pytest.approx((draws == n).mean())
    assert sum(heights.values()) == pytest.approx(1.0, abs=0.01)


def test_the_claim_has_its_probability_and_the_priors_beside_it():
    fit, claim = chosen(), (30, 40)
    ax = fit.plot.population(claim=claim)
    population = fit.population()
    posterior, prior = population.probability(*claim), population.prior_probability(*claim)
    (text,) = [t.get_text() for t in ax.texts if t.get_text().startswith("P(30 ≤ N ≤ 40)")]
    assert 0.01 < posterior < 0.99
    assert f"= {posterior:.2f}\n" in text
    assert text.endswith(f"prior {prior:.2f}")
    inside = {p.get_facecolor() for p in ax.containers[0] if 30 <= p.get_x() + p.get_width() / 2 <= 40}
    outside = {p.get_facecolor() for p in ax.containers[0] if p.get_x() + p.get_width() / 2 > 40}
    assert len(inside) == len(outside) == 1
    assert inside != outside


def test_an_open_claim_is_written_as_one():
    (text,) = [t.get_text() for t in chosen().plot.population(claim=(45, np.inf)).texts]
    assert text.startswith("P(N ≥ 45)")


def test_the_prior_is_that_of_the_population():
    fit = chosen()
    ax = fit.plot.population()
    dashes = [each for each in ax.lines if each.get_linestyle() == "--"]
    (prior,) = [each for each in dashes if len(each.get_xdata()) > 10]
    at = int(prior.get_xdata()[7])
    assert prior.get_ydata()[7] == pytest.approx(fit.population().prior_probability(at, at))


def test_n_of_the_hull_has_a_prior_too():
    ax = made.fit("null").plot.population()
    (prior,) = [each for each in ax.lines if each.get_linestyle() == "--" and len(each.get_xdata()) > 10]
    assert (np.asarray(prior.get_ydata()) > 0).all()
    with pytest.raises(ModelError, match="say where"):
        made.fit("null").plot.population(claim=(3, 5))


def test_the_floor_is_the_number_detected_where_all_of_the_mask_counts():
    fit = chosen()
    legend = [t.get_text() for t in fit.plot.population().figure.legends[0].get_texts()]
    assert f"{fit.history.n_individuals} detected" in legend
    hull = [t.get_text() for t in made.fit("null").plot.population().figure.legends[0].get_texts()]
    assert not [text for text in hull if text.endswith("detected")]
    assert numbers(fit).min() >= fit.history.n_individuals


def test_a_bar_begins_at_the_floor_however_wide_bars_are():
    fit = fit_of(2.0, 250)
    ax, n = fit.plot.population(), fit.history.n_individuals
    widths = {round(p.get_width() / 0.84) for p in ax.containers[0]}
    (width,) = widths
    assert width > 1
    starts = [p.get_x() + p.get_width() / 2 - width / 2 for p in ax.containers[0]]
    assert min(abs(start - (n - 0.5)) for start in starts) < 1e-9
    (floor,) = [each for each in ax.lines if len(set(each.get_xdata())) == 1 and each.get_linewidth() == 1.4]
    assert set(floor.get_xdata()) == {n - 0.5}


def test_a_chance_of_nearly_nothing_is_below_not_equal():
    (text,) = [t.get_text() for t in chosen().plot.population(claim=(1, 2)).texts]
    assert text.startswith("P(1 ≤ N ≤ 2) < 0.01")


def test_the_truth_is_a_line():
    ax = chosen().plot.population(truth=57)
    assert [each for each in ax.lines if list(each.get_xdata()) == [57, 57]]
    assert "truth: 57 (simulated)" in [t.get_text() for t in ax.figure.legends[0].get_texts()]


def test_each_region_has_a_row_and_its_own_numbers():
    fit = chosen()
    x, y = fit.mask.x, fit.mask.y
    south, north = y.min() - 1000, y.max() + 1000
    middle = float(np.median(x)) + 1
    halves = {
        "west": shapely.box(x.min() - 1000, south, middle, north),
        "east": shapely.box(middle, south, x.max() + 1000, north),
    }
    axes = fit.plot.population(regions=halves, claim=(10, 30), truth={"west": 20})
    assert "covers only part of west" in axes.figure.caption  # and no warning on the screen
    rows = rows_of(fit, made.quiet(lambda: fit.population(regions=halves)))
    assert [row.label for row in rows] == ["west", "east"]
    assert not any(row.whole for row in rows)
    texts = [t.get_text() for t in axes[0].texts]
    assert texts[0].startswith("P(10 ≤ N ≤ 30)")
    assert texts[1].startswith(f"west: {np.median(rows[0].draws):.0f} (")
    assert [each for each in axes[0].lines if list(each.get_xdata()) == [20, 20]]
    assert not [each for each in axes[1].lines if list(each.get_xdata()) == [20, 20]]


def test_many_animals_share_bars():
    ax = fit_of(3.0, 100).plot.population()
    assert len(ax.containers[0]) <= 80
    assert ax.get_ylabel().startswith("Probability per ")
    assert sum(bars(ax).values()) == pytest.approx(1.0, abs=0.02)
