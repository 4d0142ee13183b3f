"""Maximum likelihood against secr's published fits, and what it refuses."""

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import leopardpop as lp
from leopardpop.errors import FitError, LeopardpopWarning, ModelError
from leopardpop.results.maximum import log_multinomial
from tests.golden.secr import FITS, load_survey
from tests.reference.datasets import library_history, library_masks
from tests.reference.designs import Design, make_survey
from tests.reference.scr import log_multinomial as naive_multinomial
from tests.results import made

QUICK = (
    "captdata HHN",
    "captdata HN",
    "captdata HN conditional",
    "captdata HN binomial",
    "fortdrum 2 km HN binomial",
    "fortdrum 2 km sex",
    "kruger D~water",
    "kruger sex",
    "ovenCH trend",
    "stoatCH HHN",
    "stoat-dna EX",
    "snow leopard m0",
    "snow leopard m1.2",
)
BY_NAME = {fit.name: fit for fit in FITS}
# secr's own standard errors come from differences of the likelihood; these two are known to be rough.
ROUGH_ERRORS = {"kruger sex": 0.06, "fortdrum 2 km sex": 0.02}

pytestmark = pytest.mark.filterwarnings("ignore::leopardpop.errors.DataWarning")


def maximum(shared, fit) -> lp.MaximumLikelihood:
    survey = load_survey(shared, fit.survey)
    model = lp.SCR(
        density=fit.density,
        detection=getattr(lp, fit.detection)(**fit.formulas),
        classes=fit.classes,
        distribution=fit.distribution,
    )
    history, masks = library_history(survey), library_masks(survey)
    return model.maximum_likelihood(history, masks, conditional=fit.conditional)


# -- secr's fits ------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", QUICK)
def test_the_maximum_is_secrs(shared, name):
    fit = BY_NAME[name]
    mle = maximum(shared, fit)
    assert mle.converged
    assert mle.secr_log_likelihood == pytest.approx(fit.log_likelihood(shared), abs=1e-6)
    assert mle.secr_log_likelihood >= fit.log_likelihood(shared) - 1e-8
    errors = fit.standard_errors(shared)
    for label, value in fit.coefficients(shared).items():
        assert mle.coefficients.loc[label, "estimate"] == pytest.approx(value, abs=1e-3 * errors[label])
    tolerance = ROUGH_ERRORS.get(name, 0.003 if fit.null else 0.01)
    for label, error in errors.items():
        assert mle.coefficients.loc[label, "se"] == pytest.approx(error, rel=tolerance)


def test_captdata_on_the_natural_scale(shared):
    estimates = maximum(shared, BY_NAME["captdata HN"]).estimates
    published = {"D": (547.98, 64.68), "g0": (0.27319, 0.02705), "sigma": (29.366, 1.3045)}
    for name, (estimate, se) in published.items():
        assert estimates.loc[name, "estimate"] == pytest.approx(estimate, rel=3e-4)
        assert estimates.loc[name, "se"] == pytest.approx(se, rel=2e-3)
    assert estimates["unit"].tolist() == ["1/km²", "1/occasion", "m"]


def test_intervals_and_numbers_of_animals_are_secrs(shared):
    fit = BY_NAME["fortdrum 2 km sex null"]
    record, mle = fit.record(shared), maximum(shared, fit)
    male = {row["par"]: row for row in record["estimates"]["session = 1, h2 = M"]}
    for name, row in (("sigma", male["sigma"]), ("g0", male["g0"]), ("pmix[M]", male["pmix"])):
        ours = mle.estimates.loc[name, ["estimate", "se", "lower", "upper"]].to_list()
        assert ours == pytest.approx([row[k] for k in ("estimate", "se", "lcl", "ucl")], rel=3e-3)
    expected, realised = record["regionN"][0]
    for table, row in ((mle.expected_N, expected), (mle.realised_N, realised)):
        ours = table.loc["1", ["estimate", "se", "lower", "upper"]].to_list()
        assert ours == pytest.approx([row[k] for k in ("estimate", "SE.estimate", "lcl", "ucl")], rel=3e-3)


def test_a_conditional_fit_derives_the_density_of_the_full_one(shared):
    full, part = (maximum(shared, BY_NAME[name]) for name in ("captdata HN", "captdata HN conditional"))
    np.testing.assert_allclose(*(each.estimates.loc["D"].iloc[:4].astype(float) for each in (part, full)), rtol=1e-4)
    assert "D[Intercept]" not in part.coefficients.index
    assert (part.n_parameters, full.n_parameters) == (2, 3)
    pd.testing.assert_frame_equal(part.realised_N, full.realised_N, rtol=1e-4)


# -- what it is made of -----------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", ["captdata", "stoatCH", "ovenCH", "snow leopard", "kruger_leopard"])
def test_identical_histories_are_counted(shared, name):
    survey = load_survey(shared, name)
    expected = sum(naive_multinomial(session) for session in survey.sessions)
    assert log_multinomial(library_history(survey)) == pytest.approx(expected, abs=1e-9)


def test_identical_histories_by_hand():
    same, other = [("River 0-0", 1)], [("River 0-0", 2)]
    rows = [(animal, *at) for animal, places in (("A", same), ("B", same), ("C", other)) for at in places]
    assert log_multinomial(made.with_animals(rows)) == pytest.approx(math.log(3))


@pytest.mark.parametrize("kind", ["null", "sex", "snow", "years"])
def test_it_is_a_maximum_of_the_models_own_likelihood(kind):
    model, history = made.model(kind), made.history(kind)
    mle = model.maximum_likelihood(history, made.mask())
    beta = mle.coefficients["estimate"]
    assert model.log_likelihood(history, made.mask(), parameters=beta) == pytest.approx(mle.log_likelihood, abs=1e-9)
    for label, se in mle.coefficients["se"].items():
        for step in (-0.1 * se, 0.1 * se):
            moved = beta.copy()
            moved[label] += step
            assert model.log_likelihood(history, made.mask(), parameters=moved) < mle.log_likelihood


def test_effects_of_covariates_are_told_with_their_scale():
    fit = made.model("snow").maximum_likelihood(made.history("snow"), made.mask())
    assert fit.estimates.index.tolist() == ["D", "D[snow]", "lambda0", "sigma"]
    assert fit.estimates["unit"].tolist() == ["1/km²", "log scale", "1/day", "m"]
    columns = ["estimate", "se", "lower", "upper"]
    own = fit.estimates.loc["D[snow]", columns].astype(float)
    np.testing.assert_allclose(own, fit.coefficients.loc["D[snow]", columns].astype(float), rtol=1e-12)
    assert own["lower"] < own["estimate"] < own["upper"]
    assert "D[snow]" in repr(fit)


def test_every_coefficient_is_told_by_level_or_as_an_effect():
    model = lp.SCR(detection=lp.HalfNormal(lambda0="~ river_km * sex", sigma="~ sex"), classes="sex")
    table = model.maximum_likelihood(made.history("sex"), made.mask()).estimates
    assert table.index.tolist() == [
        *("D", "lambda0[F]", "lambda0[M]", "lambda0[river_km]", "lambda0[river_km:sex[M]]"),
        *("sigma[F]", "sigma[M]", "pmix[F]", "pmix[M]"),
    ]


def test_estimates_are_told_by_level_and_session():
    sex = made.model("sex").maximum_likelihood(made.history("sex"), made.mask())
    assert sex.estimates.index.tolist() == ["D", "lambda0", "sigma[F]", "sigma[M]", "pmix[F]", "pmix[M]"]
    assert sex.coefficients.index.tolist()[-2:] == ["sigma[sex[M]]", "pmix[M]"]
    male = sex.coefficients.loc[["sigma[Intercept]", "sigma[sex[M]]"], "estimate"].sum()
    assert sex.estimates.loc["sigma[M]", "estimate"] == pytest.approx(math.exp(male))
    assert sex.estimates.loc[["pmix[F]", "pmix[M]"], "estimate"].sum() == pytest.approx(1.0)
    years = made.model("years").maximum_likelihood(made.history("years"), made.mask())
    assert years.estimates.index.tolist()[:2] == ["D[2021]", "D[2022]"]
    assert years.expected_N.index.tolist() == ["2021", "2022"]


def test_the_covariance_is_of_the_reported_coefficients():
    mle = made.model("snow").maximum_likelihood(made.history("snow"), made.mask())
    np.testing.assert_allclose(np.sqrt(np.diag(mle.covariance)), mle.coefficients["se"])
    snow = made.mask().covariates["snow"]
    numbers = np.exp(
        mle.coefficients.loc["D[Intercept]", "estimate"] + mle.coefficients.loc["D[snow]", "estimate"] * snow
    )
    assert mle.expected_N.loc["1", "estimate"] == pytest.approx(numbers @ made.mask().area)
    assert mle.estimates.loc["D", "estimate"] == pytest.approx(numbers.mean())


def test_information_criteria():
    mle = lp.SCR().maximum_likelihood(made.history("null"), made.mask())
    n = made.history("null").n_individuals
    assert mle.aic == pytest.approx(6 - 2 * mle.log_likelihood)
    assert mle.aicc == pytest.approx(mle.aic + 24 / (n - 4))
    few = made.with_animals([("A", f"River 1-{j}", j + 1) for j in range(4)] + [("B", "River 2-2", 1)])
    assert lp.SCR().maximum_likelihood(few, made.mask()).aicc == math.inf


def test_it_needs_no_prior():
    two = pd.DataFrame({"station": ["A", "B"], "x": [0.0, 1500.0], "y": 0.0})
    seen = {"P": "AAA", "Q": "AA", "R": "BBB", "S": "BB", "T": "AB", "U": "A", "V": "B", "W": "B"}
    rows = [(animal, at, o + 1) for animal, places in seen.items() for o, at in enumerate(places)]
    captures = pd.DataFrame(rows, columns=["individual", "station", "occasion"])
    history = lp.CaptureHistory.from_tables(captures, two, occasions=5)
    mask = lp.Mask.around(history, buffer=5_000, spacing=500)
    assert lp.SCR().maximum_likelihood(history, mask).converged


# -- refusals ---------------------------------------------------------------------------------------------------------
def test_data_without_a_maximum_are_refused_with_advice():
    with pytest.raises(FitError, match=r"No animal was detected.*model\.fit"):
        lp.SCR().maximum_likelihood(made.without_captures(), made.mask())
    once = made.with_animals([("A", "River 1-1", 1), ("B", "River 3-3", 2)])
    with pytest.raises(FitError, match=r"None of the 2 animals was detected twice.*priors"):
        lp.SCR().maximum_likelihood(once, made.mask())


def test_a_parameter_at_a_bound_is_refused_by_name():
    """One animal, at one station: sigma runs to zero."""
    one = made.with_animals([("A", "River 1-1", o) for o in range(1, 7)])
    with pytest.raises(FitError, match=r"no proper maximum.*'(sigma|lambda0)\[Intercept\]'.*priors"):
        lp.SCR().maximum_likelihood(one, made.mask())


def test_a_conditional_fit_knows_no_density():
    with pytest.raises(ModelError, match="its formula must be"):
        made.model("snow").maximum_likelihood(made.history("snow"), made.mask(), conditional=True)


# -- comparison -------------------------------------------------------------------------------------------------------
def test_models_are_ordered_by_aicc_as_published(shared):
    names = ["m0", "m1", "m1.2", "m1.3", "m2", "m3"]
    table = lp.compare({name: maximum(shared, BY_NAME[f"snow leopard {name}"]) for name in names})
    file = shared / "data" / "snow-leopard-workflow-example" / "example_results_abundance_AIC.csv"
    published = pd.read_csv(file).set_index("modelname").drop("m1.1")
    assert table.index.tolist() == published.index.tolist()
    np.testing.assert_allclose(table["delta"], published["dAICc"], atol=2e-3)
    assert table["weight"].sum() == pytest.approx(1.0)


def test_fits_that_have_no_common_measure_are_refused():
    null = lp.SCR().maximum_likelihood(made.history("null"), made.mask())
    part = lp.SCR().maximum_likelihood(made.history("null"), made.mask(), conditional=True)
    other = lp.SCR().maximum_likelihood(made.history("snow"), made.mask())
    for fits, message in [
        ({"null": null}, "at least two"),
        ({"null": null, "other": other}, "'other' and 'null' are fits of different capture histories"),
        ({"null": null, "part": part}, "conditional likelihood"),
        ({"null": null, "fit": made.fit("null")}, "no common measure"),
    ]:
        with pytest.raises(ModelError, match=message):
            lp.compare(fits)


@pytest.fixture(scope="module")
def by_class():
    history = made.history("sex")
    models = {"null": lp.SCR(), "classes": lp.SCR(classes="sex"), "sex": made.model("sex")}
    return {name: model.maximum_likelihood(history, made.mask()) for name, model in models.items()}


def test_known_classes_are_data_so_fits_without_them_are_not_compared(by_class):
    with pytest.raises(ModelError, match=r"'sex' has classes='sex' and 'null' has not: .* of 51 animals .* Fit 'null'"):
        lp.compare({"null": by_class["null"], "sex": by_class["sex"]})
    table = lp.compare({"classes": by_class["classes"], "sex": by_class["sex"]})
    assert set(table.index) == {"classes", "sex"}


def test_the_partner_that_the_error_names_has_the_estimates_of_the_model_without_classes(by_class):
    null, classes = by_class["null"], by_class["classes"]
    own = classes.estimates.loc[null.estimates.index, "estimate"]
    np.testing.assert_allclose(own, null.estimates["estimate"], rtol=1e-4)
    n = np.array([(made.history("sex").individuals["sex"] == sex).sum() for sex in "FM"])
    assert classes.log_likelihood - null.log_likelihood == pytest.approx(n @ np.log(n / n.sum()), abs=1e-6)


def test_fits_on_different_masks_are_refused_but_covariates_may_be_added():
    history, model = made.history("null"), lp.SCR()
    one, wide = made.mask(), made.mask(buffer=5_000.0)
    more = one.with_covariates(other=lambda x, y: x - y)
    fits = {name: model.maximum_likelihood(history, mask) for name, mask in [("a", one), ("b", wide), ("c", more)]}
    with pytest.raises(ModelError, match=r"'b' and 'a' are fits on different masks \(\d+ cells and 322 cells\)"):
        lp.compare({name: fits[name] for name in "ab"})
    assert set(lp.compare({name: fits[name] for name in "ac"}).index) == {"a", "c"}


def test_the_repr_says_what_it_is():
    null = lp.SCR().maximum_likelihood(made.history("null"), made.mask())
    assert f"{null.log_likelihood:.6f}" in repr(null)
    assert "sigma" in repr(null)
    assert "<table" in null._repr_html_()
    assert issubclass(LeopardpopWarning, UserWarning)


def test_a_binomial_maximum_is_that_of_the_models_own_likelihood():
    model = lp.SCR(distribution="binomial")
    mle = model.maximum_likelihood(made.history("null"), made.mask())
    own = model.log_likelihood(made.history("null"), made.mask(), parameters=mle.coefficients["estimate"])
    assert own == pytest.approx(mle.log_likelihood, abs=1e-9)
    assert repr(mle).startswith("Maximum likelihood (Binomial N): ")


def test_html_says_that_it_did_not_converge_too():
    mle = lp.SCR().maximum_likelihood(made.history("null"), made.mask())
    stuck = replace(mle, converged=False)
    assert "NOT CONVERGED" in repr(stuck)
    assert "NOT CONVERGED" in stuck._repr_html_()
    assert "NOT CONVERGED" not in mle._repr_html_()
    assert 'border="1"' not in mle._repr_html_()


def test_numbers_in_one_table_as_secrs() -> None:
    """Rows E.N and R.N of each session, with the animals detected."""
    survey = make_survey(Design(detector="count", layout="two sessions"))
    mle = lp.SCR().maximum_likelihood(library_history(survey), library_masks(survey))
    table = mle.region_N
    labels = [session.label for session in survey.sessions]
    assert table.index.tolist() == [(label, row) for label in labels for row in ("E.N", "R.N")]
    assert table.columns.tolist() == ["estimate", "se", "lower", "upper", "n"]
    for session in survey.sessions:
        assert (table.loc[session.label, "n"] == len(session.animals)).all()
        assert table.loc[(session.label, "E.N"), "se"] == mle.expected_N.loc[session.label, "se"]
        assert table.loc[(session.label, "R.N"), "lower"] == mle.realised_N.loc[session.label, "lower"]
