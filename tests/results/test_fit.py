"""What a person holds after a fit: tables, words, and what it leads to."""

import inspect
import re

import numpy as np
import pytest
import shapely

import leopardpop as lp
from leopardpop.errors import ModelError
from leopardpop.results import centres, surface
from leopardpop.results.elements import elements, units_of
from tests.results import made

SUMMARY = ["mean", "median", "sd", "eti95_lb", "eti95_ub", "ess", "r_hat", "unit"]


def test_the_summary_has_a_row_for_each_scalar_on_its_natural_scale():
    table = made.fit("sex").summary()
    assert list(table.columns) == SUMMARY
    rows = ["D", "lambda0", "sigma[F]", "sigma[M]", "pmix[F]", "pmix[M]", "E_N", "N"]
    assert table.index.tolist() == rows
    assert table.loc[["D", "lambda0", "sigma[F]", "pmix[M]", "N"], "unit"].tolist() == [
        "1/km²",
        "1/day",
        "m",
        "",
        "animals",
    ]


def test_a_row_of_the_summary_is_of_its_draws():
    fit = made.fit("sex")
    draws = fit.posterior["sigma"].sel(sex="M").values.ravel()
    row = fit.summary().loc["sigma[M]"]
    assert row["mean"] == pytest.approx(draws.mean())
    assert row["median"] == pytest.approx(np.median(draws))
    assert (row["eti95_lb"], row["eti95_ub"]) == pytest.approx(tuple(np.quantile(draws, [0.025, 0.975])))
    assert row["sd"] == pytest.approx(draws.std(ddof=1))


def test_effective_draws_after_laplace_are_those_of_the_weights():
    fit = made.fit("null")
    table = fit.summary()
    assert (table["ess"] == fit.laplace.importance_ess).all()
    assert table["r_hat"].isna().all()


def test_sessions_and_covariates_have_rows_of_their_own():
    years = made.fit("years").summary()
    assert {"D[2021]", "D[2022]", "E_N[2021]", "N[2022]"} <= set(years.index)
    assert not {"D", "D[session[2022]]"} & set(years.index)
    snow = made.fit("snow").summary()
    assert snow.loc["D[snow]", "unit"] == "log scale"
    assert snow.loc["D[snow]", "mean"] == pytest.approx(float(made.fit("snow").posterior["D_beta"][..., 1].mean()))


def test_elements_and_units_agree_on_names():
    for kind in ("sex", "snow", "years"):
        posterior = made.fit(kind).posterior
        assert all(isinstance(units_of(posterior, name), str) for name, _ in elements(posterior))


def test_chains_are_judged_where_there_are_chains():
    fit = made.fit("null")
    fit = made.quiet(lambda: lp.SCR().from_posterior(_without_weights(fit), fit.history, fit.mask))
    table = fit.summary()
    assert table["r_hat"].between(0.99, 1.02).all()
    assert not np.allclose(table["ess"], table["ess"].iloc[0])


def _without_weights(fit):
    tree = fit.data_tree.copy()
    tree.attrs = {}
    del tree["sample_stats"]
    return tree


def test_the_diagnostics_are_one_table():
    table = made.fit("null").diagnostics()
    assert list(table.columns) == ["quantity", "value", "limit", "verdict", "advice"]
    wanted = {
        "Pareto k",
        "importance ESS",
        "mode at a bound",
        "singular Hessian",
        "modes",
        "animals",
        "recaptures",
        "spatial recaptures",
        "prior shift",
        "effect of the buffer on D",
        "spacing of the mask / sigma",
    }
    assert wanted <= set(table["quantity"])
    assert set(table["verdict"]) <= {"ok", "note", "warn", "fail"}
    assert made.fit("null").trusted


@pytest.mark.parametrize("kind", ["null", "sex", "snow", "years"])
def test_the_repr_says_how_many_and_whether_to_trust_it(kind):
    fit = made.fit(kind)
    text, page = repr(fit), fit._repr_html_()
    median = int(fit.posterior["N"].isel(session=0).median())
    assert f"{median}   (95 %:" in text
    assert "Medians with 95 % intervals." in text
    for shown in (text, page):
        assert "Can it be trusted?" in shown
        assert "these draws are the posterior, N to ±" in shown
    assert page.startswith("<p>Fit of density ~")


def test_the_repr_is_in_the_units_of_people():
    text = repr(made.fit("sex"))
    sigma = made.fit("sex").posterior["sigma"].sel(sex="M")
    assert f"{float(sigma.median()) / 1000:.1f} km" in text
    density = 100 * float(made.fit("sex").posterior["D"].median())
    assert re.search(rf"Density per 100 km² +{density:.0f} \(", text)
    change = 100 * np.expm1(np.median(made.fit("snow").posterior["D_beta"].sel(D_coef="snow")))
    assert re.search(rf"snow, \+1 +\{change:+.0f} % density", repr(made.fit("snow")).replace("−", "-"))


def test_a_fit_and_its_population_say_the_same_density():
    fit = made.fit("sex")
    mask = fit.mask.table
    box = shapely.box(mask["x"].min() - 1, mask["y"].min() - 1, mask["x"].max() + 1, mask["y"].max() + 1)
    (density,) = re.findall(r"Density per 100 km² +(.*)", repr(fit))
    text = repr(made.quiet(lambda: fit.population(regions=box)))
    assert density in re.findall(r"all .*", text)[0], "both are medians with the same interval"
    assert "Medians with 95 % intervals." in text


@pytest.mark.parametrize("kind", ["null", "years"])
def test_of_a_buffer_the_density_comes_first_and_n_is_said_to_grow(kind):
    text, page = repr(made.fit(kind)), made.fit(kind)._repr_html_()
    for shown in (text, page):
        assert shown.index("Density") < shown.index("Animals")
        assert "grows with the buffer" in shown
        assert "Animals (mask" not in shown
    if kind == "null":
        assert "Animals (within 4 km of a station, " in text


def test_the_animals_of_a_habitat_or_of_given_cells_come_first():
    bare = made.mask().table[["x", "y", "area"]]
    given = made.quiet(lambda: lp.SCR().fit(made.history("null"), lp.Mask.from_table(bare), seed=1, draws=100))
    text = repr(given)
    assert re.search(r"\n   Animals \(mask, [\d.]+ km²\) ", text)
    assert text.index("Animals") < text.index("Density")
    assert "buffer" not in text


def test_every_diagnostic_has_a_sentence():
    for kind in ("null", "years"):
        advice = made.fit(kind).diagnostics()["advice"]
        assert advice.str.endswith(".").all(), advice.tolist()


def test_loo_is_arviz_s_with_the_worth_of_the_weights():
    fit = made.fit("null")
    result = fit.loo()
    assert result.n_data_points == fit.history.n_individuals
    plain = float(fit.data_tree["log_likelihood"]["capture"].mean(("chain", "draw")).sum())
    assert result.elpd == pytest.approx(plain, abs=5)


def test_theta_gives_the_coefficients_back():
    fit = made.fit("sex")
    beta = fit.problem.to_beta(fit.theta)
    np.testing.assert_allclose(beta[..., 0], fit.posterior["D_beta"][..., 0], rtol=1e-12)
    np.testing.assert_allclose(fit.theta, fit.laplace.draws, rtol=0, atol=1e-9)
    distinct = {row.tobytes() for row in fit.theta.reshape(-1, fit.theta.shape[-1])}
    assert len(distinct) == len(np.unique(fit.laplace.index))


def test_the_mask_is_the_one_that_was_given():
    fit = made.fit("null")
    assert fit.mask == made.mask()
    assert fit.masks == {"1": made.mask()}
    assert fit.history == made.history("null")
    assert fit.model == made.model("null")


def test_different_masks_by_session_stay_different():
    narrow = lp.Mask.from_table(made.mask().table.query("snow < 8"))
    masks = {"2021": made.mask(), "2022": narrow}
    fit = made.quiet(lambda: lp.SCR().fit(made.history("years"), masks, seed=1, draws=50))
    assert fit.mask == masks
    area = np.array([made.mask().total_area, narrow.total_area])
    np.testing.assert_allclose(fit.posterior["E_N"].sum("session") / area.sum(), fit.posterior["D"])


def test_a_fit_without_animals_says_what_it_rests_on():
    fit = made.quiet(lambda: lp.SCR().fit(made.design(), made.mask(), seed=1, draws=250))
    assert fit.trusted  # of the computation alone
    for text in (repr(fit), fit._repr_html_()):
        assert "No animal was detected, so the data say nothing of movement" in text
    assert "No animal was detected: N is the priors" in repr(fit.population())
    assert "No animal was detected" not in repr(made.fit("null"))


def test_a_fit_is_equal_to_itself_and_to_no_other():
    assert made.fit("null") == lp.Fit(made.fit("null").data_tree)
    assert made.fit("null") != made.fit("snow")
    assert made.fit("null") != "a fit"


def test_fits_are_compared_by_what_they_predict():
    plain = made.quiet(lambda: lp.SCR().fit(made.history("sex"), made.mask(), seed=1, draws=250))
    other = made.quiet(
        lambda: lp.SCR(detection=lp.Exponential()).fit(made.history("sex"), made.mask(), seed=1, draws=250)
    )
    table = lp.compare({"half-normal": plain, "exponential": other})
    assert set(table.index) == {"half-normal", "exponential"}
    assert {"elpd", "weight"} <= set(table.columns)
    with pytest.raises(ModelError, match="different capture histories"):
        lp.compare({"sex": plain, "null": made.fit("null")})
    with pytest.raises(ModelError, match="'sex' has classes='sex' and 'half-normal' has not"):
        lp.compare({"half-normal": plain, "sex": made.fit("sex")})


def test_a_fit_whose_positions_were_removed_is_still_compared(tmp_path):
    path = made.fit("null").save(tmp_path / "shared.nc", coordinates="hidden")
    table = lp.compare({"own": made.fit("null"), "shared": lp.load_fit(path)})
    assert set(table.index) == {"own", "shared"}


@pytest.mark.parametrize("name", ["density_surface", "activity_centres"])
def test_methods_take_the_options_of_their_functions(name):
    module = surface if name == "density_surface" else centres
    function, method = (inspect.signature(getattr(of, name)).parameters for of in (module, lp.Fit))
    assert {n: p.default for n, p in function.items() if n != "fit"} == {
        n: p.default for n, p in method.items() if n != "self"
    }


def test_options_of_the_surface_and_of_the_centres_reach_them():
    fit = made.fit("null")
    found = fit.density_surface(quantiles=[0.1], exceeds=[0.3, 0.6], draws=20)
    assert found["quantile"].values.tolist() == [0.1]
    assert found["exceedance"].dims == ("threshold", "cell")
    few, many = (fit.activity_centres(draws=n)["probability"] for n in (3, 50))
    assert not np.array_equal(few, many)
