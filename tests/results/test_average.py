"""`lp.average`: a population over several models, with weights, that refuses what is not of the same data."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import shapely

import leopardpop as lp
from leopardpop.errors import ModelError
from tests.results import made


@cache
def fits(kind: str = "null") -> dict[str, lp.Fit]:
    models = {"half": made.model(kind), "exponential": replace(made.model(kind), detection=lp.Exponential())}
    return {
        name: made.quiet(lambda m=m: m.fit(made.history(kind), made.mask(), seed=1, draws=500))
        for name, m in models.items()
    }


@cache
def averaged(kind: str = "null") -> lp.AveragedPopulation:
    return made.quiet(lambda: lp.average(fits(kind), weights={"half": 3, "exponential": 1}))


def halves() -> dict[str, shapely.Polygon]:
    mask = made.mask()
    west, south, east, north = mask.x.min() - 500, mask.y.min() - 500, mask.x.max() + 500, mask.y.max() + 500
    middle = (west + east) / 2
    return {"west": shapely.box(west, south, middle, north), "east": shapely.box(middle, south, east, north)}


def test_draws_are_those_of_the_models_by_their_weights():
    pop = averaged()
    origin = pop.origin.values.reshape(-1)
    assert (origin == "half").mean() == pytest.approx(0.75, abs=1 / len(origin))
    drawn = pop.realised.values.reshape(-1)
    for name, fit in fits().items():
        own = fit.population().realised.values.reshape(-1)
        mine = drawn[origin == name]
        assert np.isin(mine, own).all()
        assert mine.mean() == pytest.approx(own.mean(), abs=4 * own.std() / len(mine) ** 0.5)
    parts = [fit.population().expected.mean() for fit in fits().values()]
    assert float(pop.expected.mean()) == pytest.approx(0.75 * float(parts[0]) + 0.25 * float(parts[1]), rel=0.02)


def test_all_the_weight_on_one_model_is_that_model():
    pop = made.quiet(lambda: lp.average(fits(), weights={"half": 1, "exponential": 0}))
    own = fits()["half"].population()
    assert sorted(pop.realised.values.ravel()) == sorted(own.realised.values.ravel())
    columns = ["mean", "median", "sd", "eti95_lb", "eti95_ub", "area_km2"]
    tables = [each.summary()[columns].astype(float).to_numpy() for each in (pop, own)]
    assert tables[0] == pytest.approx(tables[1])
    assert pop.sources.to_numpy() == pytest.approx(own.sources.to_numpy())
    assert set(pop.origin.values.ravel()) == {"half"}


def test_it_does_all_that_a_population_does():
    pop = made.quiet(lambda: lp.average(fits(), regions=halves()))
    assert pop.realised.dims == ("chain", "draw", "region")
    assert pop.summary().loc["realised"].index.tolist() == ["west", "east"]
    table = pop.probability_table(5, 40)
    assert table["probability"].between(0, 1).all()
    assert pop.prior_probability(0, np.inf).values == pytest.approx(1.0)
    joint = pop.realised.sum("region").values.reshape(-1)
    whole = {name: fit.posterior["N"].values.reshape(-1) for name, fit in fits().items()}
    for name, numbers in whole.items():
        assert np.isin(joint[pop.origin.values.reshape(-1) == name], numbers).all(), "regions are of one draw"
    assert "Averaged over 2 models (weights by stacking of leave-one-out): half" in repr(pop)
    axes = pop.plot()
    assert len(axes) == 2
    assert "Averaged over 2 models" in axes.figure.caption
    assert pop.density().mean() > 0


def test_a_population_of_one_fit_draws_itself_as_the_fit_does():
    fit = fits()["half"]
    regions = halves()
    mine = made.quiet(lambda: fit.population(regions=regions)).plot()
    theirs = fit.plot.population(regions=regions)
    heights = [[bar.get_height() for bar in axes[0].patches] for axes in (mine, theirs)]
    assert heights[0] == heights[1]


@pytest.mark.verification
@pytest.mark.parametrize("method", ["stacking", "pseudo-bma+"])
def test_weights_are_those_of_the_comparison(method):
    pop = made.quiet(lambda: lp.average(fits(), weights=method))
    assert pop.weights.sum() == pytest.approx(1.0)
    if method == "stacking":
        table = made.quiet(lambda: lp.compare(fits()))
        assert pop.weights.to_dict() == pytest.approx(table["weight"].to_dict())


def test_the_same_call_gives_the_same_draws():
    again = made.quiet(lambda: lp.average(fits(), weights={"half": 3, "exponential": 1}))
    assert again.realised.identical(averaged().realised)


def test_classes_stay_where_all_models_have_them():
    pair = fits("sex")
    assert averaged("sex").realised.dims == ("chain", "draw", "sex")
    with_classes = averaged("sex").summary()
    assert with_classes.loc["realised"].index.tolist() == ["all", "F", "M"]
    assert set(pair) == {"half", "exponential"}


def test_sessions_stay():
    assert averaged("years").realised.dims == ("chain", "draw", "session")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda pair: {"half": pair["half"]}, "at least two fits"),
        (lambda pair: list(pair.values()), "found a list"),
        (lambda pair: pair | {"other": fits("snow")["half"]}, "different capture histories"),
        (lambda pair: pair | {"mle": lp.SCR().maximum_likelihood(made.history("null"), made.mask())}, "'mle'"),
        (lambda pair: pair | {"wide": other_mask()}, "different masks"),
    ],
)
def test_what_cannot_be_averaged_is_refused(change, message):
    with pytest.raises(ModelError, match=message):
        lp.average(change(fits()))


@cache
def other_mask() -> lp.Fit:
    return made.quiet(lambda: lp.SCR().fit(made.history("null"), made.mask(buffer=5_000.0), seed=1, draws=300))


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ("staking", "Did you mean 'stacking'"),
        ({"half": 1.0}, "'exponential' is not in both"),
        ({"half": 1.0, "exponential": 1.0, "snow": 1.0}, "'snow' is not in both"),
        ({"half": -1.0, "exponential": 2.0}, "not negative"),
        ({"half": 0.0, "exponential": 0.0}, "not all zero"),
    ],
)
def test_weights_that_are_none(weights, message):
    with pytest.raises(ModelError, match=message):
        lp.average(fits(), weights=weights)
