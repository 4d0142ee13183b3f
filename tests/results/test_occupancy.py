"""Posteriors of occupancy models: one data tree from every engine, files, and the states of the sites."""

from __future__ import annotations

import itertools
import json
import re
import warnings
from functools import cache

import arviz as az
import numpy as np
import pandas as pd
import pytest
import xarray as xr

import leopardpop as lp
from leopardpop.errors import (
    ConvergenceWarning,
    DataError,
    DataWarning,
    FitError,
    ModelError,
    PriorWarning,
    SparseDataWarning,
)
from leopardpop.models.states.problem import OccupancyProblem
from tests.models.occupancy_cases import FORMULAS as EVERY_FORMULA
from tests.models.occupancy_cases import MODELS, design
from tests.reference.occupancy import first_season, next_season, one_visit
from tests.results import made

pytestmark = pytest.mark.filterwarnings("ignore::leopardpop.errors.DataWarning")

FORMULAS = EVERY_FORMULA | {
    "DynamicMultistateOccupancy": {"psi": "~ height", "breeding_next": "~ habitat", "p1": "~ wind", "p2": "~ season"}
}
TRUTH = {"psi": 0.6, "p": 0.4, "gamma": 0.15, "epsilon": 0.2, "breeding": 0.5, "p1": 0.3, "p2": 0.5, "delta": 0.6}
TRUTH |= {"psi_next": 0.2, "psi_next[state[used]]": 2.0, "psi_next[state[breeding]]": 2.5, "breeding_next": 0.4}
SIZE = {"draws": 150, "chains": 2, "seed": 1}


@cache
def history(kind, n_sites=60):
    empty, _, _ = design(kind, n_sites=n_sites)
    known = {"Occupancy": ("psi", "p"), "DynamicOccupancy": ("psi", "gamma", "epsilon", "p")}
    keep = {k: v for k, v in TRUTH.items() if kind not in known or k in known[kind]}
    keep = {k: v for k, v in keep.items() if k.split("[")[0] in getattr(lp, kind)().structure.homes}
    return getattr(lp, kind)().simulate(empty, parameters=keep, seed=2).history


@cache
def fit(kind):
    with warnings.catch_warnings():  # many coefficients of few sites: whether they are to be trusted is not the point
        warnings.simplefilter("ignore", ConvergenceWarning)
        return getattr(lp, kind)(**FORMULAS[kind]).fit(history(kind), engine="laplace", **SIZE)


# -- the data tree ----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("kind", MODELS)
def test_groups_and_variables(kind):
    tree = fit(kind).data_tree
    groups = {"posterior", "log_likelihood", "log_prior", "sample_stats", "observed_data", "constant_data"}
    assert set(tree.children) == groups
    posterior = fit(kind).posterior
    for name in fit(kind).model.structure.homes:
        assert posterior[name].dims[:2] == ("chain", "draw")
        assert ((posterior[name] > 0) & (posterior[name] < 1)).all()
        assert posterior[f"{name}_beta"].dims == ("chain", "draw", f"{name}_coef")
    assert tree["log_likelihood"]["y"].dims == ("chain", "draw", "site")
    assert tree["observed_data"].to_dataset().identical(history(kind).dataset)


def test_a_dimension_for_each_factor():
    posterior = fit("DynamicMultistateOccupancy").posterior
    assert posterior["psi_next"].dims == ("chain", "draw", "state")
    assert posterior["state"].values.tolist() == ["absent", "used", "breeding"]
    assert posterior["breeding_next"].dims == ("chain", "draw", "habitat")
    assert posterior["p2"].dims == ("chain", "draw", "season")
    names = fit("DynamicMultistateOccupancy").summary().index
    assert {"psi_next[used]", "psi[height]", "p1[wind]", "breeding_next[river]", "p2[4]"} <= set(names)


@pytest.mark.parametrize("kind", MODELS)
def test_likelihood_and_prior_of_a_draw(kind):
    """The pieces add up to the log-likelihood and the prior of the coefficients of that draw."""
    made, tree = fit(kind), fit(kind).data_tree
    at = {"chain": 1, "draw": 7}
    coefficients = {
        f"{name}[{label}]": float(made.posterior[f"{name}_beta"].isel(at).sel({f"{name}_coef": label}))
        for name in made.model.structure.homes
        for label in made.posterior[f"{name}_coef"].values.tolist()
    }
    pieces = tree["log_likelihood"]["y"].isel(at)
    found = made.model.log_likelihood(history(kind), parameters=pd.Series(coefficients))
    assert float(pieces.sum()) == pytest.approx(found, abs=1e-8)
    prior = sum(float(values.isel(at)) for values in tree["log_prior"].to_dataset().data_vars.values())
    assert prior == pytest.approx(made.problem.priors.log_density(made.theta[1, 7])[0], abs=1e-8)


@pytest.mark.filterwarnings("ignore::leopardpop.errors.ConvergenceWarning")
@pytest.mark.parametrize("kind", MODELS)
def test_draws_made_elsewhere_give_the_same_tree(kind):
    """As from pm.sample of build(): nothing but the coefficients is taken."""
    mine = fit(kind)
    betas = mine.posterior[[name for name in mine.posterior.data_vars if str(name).endswith("_beta")]]
    tree = xr.DataTree.from_dict({"posterior": betas})
    other = mine.model.from_posterior(tree, history(kind))
    assert other.engine == "external"
    for group in ("posterior", "log_likelihood", "log_prior", "observed_data", "constant_data"):
        xr.testing.assert_allclose(other.data_tree[group].to_dataset(), mine.data_tree[group].to_dataset(), atol=1e-9)


def test_same_seed_same_draws_and_certificate():
    again = lp.Occupancy(**FORMULAS["Occupancy"]).fit(history("Occupancy"), **SIZE)
    assert again.posterior.identical(fit("Occupancy").posterior)
    assert again.engine == "laplace"
    assert again.trusted
    table = again.diagnostics().set_index("quantity")
    assert table.loc["Pareto k", "verdict"] == "ok"
    assert "N to" not in table.loc["Pareto k", "advice"]
    assert table.loc["share visited repeatedly", "value"] > 0.5


@pytest.mark.parametrize("kind", MODELS)
def test_save_and_load(kind, tmp_path):
    loaded = lp.load_fit(fit(kind).save(tmp_path / "fit.nc"))
    assert loaded.data_tree.identical(fit(kind).data_tree)
    assert loaded == fit(kind)
    assert loaded.model == fit(kind).model
    assert loaded.history == history(kind)
    assert repr(loaded) == repr(fit(kind))
    assert loaded.problem.value(loaded.theta[0, 0]) == pytest.approx(fit(kind).problem.value(loaded.theta[0, 0]))


def test_a_file_to_share_says_nothing_of_places(tmp_path):
    sites = pd.DataFrame({"site": ["lair7", "ford9"], "x": [5e5, 5.1e5], "y": [4.8e6, 4.81e6], "snow": [12.5, 3.5]})
    wide = pd.DataFrame({"site": ["lair7", "ford9"], "v1": [0, 1], "v2": [1, 1], "v3": [0, 1]})
    with pytest.warns(SparseDataWarning, match="Seen at 2 of 2 sites"):
        made = lp.Occupancy(p="~ easting").fit(lp.DetectionHistory.from_tables(wide, sites, crs="EPSG:32652"), **SIZE)
    path = made.save(tmp_path / "shared.nc", coordinates="hidden")
    shared = lp.load_fit(path)
    text = path.read_bytes() + repr(shared.data_tree).encode()
    for secret in (b"lair7", b"ford9", b"snow", b"32652"):
        assert secret not in text.replace(b"p_center", b"")
    assert np.isnan(shared.posterior["p_beta"].sel(p_coef="Intercept")).all()
    assert np.isnan(shared.data_tree["constant_data"]["p_center"].sel(p_coef="easting"))
    assert shared.summary().loc[["psi", "p"]].equals(made.summary().loc[["psi", "p"]])
    with pytest.raises(ModelError, match="positions were removed"):
        shared.occupancy()


def test_text():
    text = repr(fit("Occupancy"))
    assert text.startswith("Fit of Occupancy, psi ~ height, p ~ wind: ")
    assert "Can it be trusted?" in text
    assert "p: wind, +1" in text
    assert "<table>" in fit("Occupancy")._repr_html_()
    assert "A breeding site is not a breeding female" in repr(fit("MultistateOccupancy"))
    assert repr(lp.Occupancy().maximum_likelihood(history("Occupancy"))).startswith("Maximum likelihood (occupancy)")


def test_loo_and_comparison():
    loo = fit("Occupancy").loo()
    assert isinstance(loo, az.ELPDData)
    assert loo.n_data_points == 60
    plain = lp.Occupancy().fit(history("Occupancy"), **SIZE)
    table = lp.compare({"plain": plain, "height": fit("Occupancy")})
    assert {"elpd", "weight"} <= set(table.columns)
    maxima = {k: lp.Occupancy(p=k).maximum_likelihood(history("Occupancy")) for k in ("~ 1", "~ wind")}
    assert lp.compare(maxima)["n_parameters"].to_dict() == {"~ 1": 2, "~ wind": 3}
    with pytest.raises(ModelError, match="different detection histories"):
        lp.compare({"a": plain, "b": fit("MultistateOccupancy")})


def test_predict():
    table = pd.DataFrame({"height": [0.0, 1.0]}, index=["low", "high"])
    found = fit("Occupancy").predict("psi", table)
    beta = fit("Occupancy").posterior["psi_beta"]
    by_hand = 1 / (1 + np.exp(-(beta.sel(psi_coef="Intercept") + beta.sel(psi_coef="height"))))
    np.testing.assert_allclose(found.sel(row="high"), by_hand)


def test_few_data_are_said():
    thin = lp.DetectionHistory.from_tables(np.r_[np.ones((3, 1)), np.zeros((7, 1))])
    with pytest.warns(SparseDataWarning) as caught:
        lp.Occupancy().fit(thin, **SIZE)
    assert "Seen at 3 of 10 sites" in str(caught[0].message)
    assert "cannot be told apart without repeated visits" in str(caught[0].message)
    with pytest.raises(FitError, match="Nothing was seen on any visit"):
        lp.Occupancy().maximum_likelihood(design("Occupancy")[0])


def test_separation_is_noted_and_the_prior_keeps_it_finite():
    """Every high site is used and no low one: the likelihood has no maximum, the posterior is a posterior."""
    y = np.repeat([[1, 1, 0, 1], [0, 0, 0, 0]], 15, axis=0)
    sites = pd.DataFrame({"site": [str(i) for i in range(30)], "valley": ["a_no"] * 15 + ["yes"] * 15})
    data = lp.DetectionHistory.from_tables(pd.DataFrame(y).assign(site=sites["site"]), sites)
    with pytest.raises(FitError, match="flat along"):
        lp.Occupancy(psi="~ valley").maximum_likelihood(data)
    wide = {"psi[valley[yes]]": lp.Prior("Normal", mu=0, sigma=10)}
    with pytest.warns(PriorWarning, match="perfectly"):
        made = lp.Occupancy(psi="~ valley", priors=wide).fit(data, engine="laplace", seed=1)
    table = made.diagnostics().set_index("quantity")
    assert table.loc["largest effect", "verdict"] == "note"
    assert "psi[valley[yes]]" in table.loc["largest effect", "advice"]


# -- states of the sites ----------------------------------------------------------------------------------------------
def paths_of(kind, y, values):
    """Pr(path of states | visits of a site), by enumeration, of a model without covariates; y (season, visit)."""
    n_states = 3 if "Multistate" in kind else 2
    found = {}
    for path in itertools.product(range(n_states), repeat=len(y)):
        chance = first_season(kind, values)[path[0]]
        for t, state in enumerate(path):
            if t:
                chance *= next_season(kind, path[t - 1], lambda name, b=path[t - 1]: values[name][b])[state]
            for seen in y[t][~np.isnan(y[t])]:
                chance *= one_visit(kind, int(seen), state, values.get)
        found[path] = chance
    total = sum(found.values())
    return {path: chance / total for path, chance in found.items()}


@pytest.mark.parametrize("kind", ["Occupancy", "DynamicOccupancy", "DynamicMultistateOccupancy"])
def test_paths_of_states_are_drawn_from_their_law(kind):
    """Backward sampling: 20,000 paths of one site, against the enumeration of all of them."""
    values = {"psi": 0.6, "breeding": 0.4, "p": 0.35, "p1": 0.3, "p2": 0.4, "delta": 0.6}
    y = np.array([[0, 0], [np.nan, np.nan], [0, 1]]) if kind.startswith("Dynamic") else np.array([[0, 0]])
    if kind == "DynamicMultistateOccupancy":
        by_state = {"psi_next": [0.2, 0.7, 0.9], "breeding_next": [0.3, 0.4, 0.6]}
        given = {
            f"{n}[state[{s}]]": np.log(v / (1 - v))
            for n, vs in by_state.items()
            for s, v in zip(("absent", "used", "breeding"), vs, strict=True)
        }
        model = lp.DynamicMultistateOccupancy(psi_next="~ 0 + state", breeding_next="~ 0 + state")
        given |= {name: values[name] for name in ("psi", "breeding", "p1", "p2", "delta")}
    else:
        by_state = {"gamma": [0.2, 0.2], "epsilon": [0.3, 0.3]}
        model = getattr(lp, kind)()
        given = {"psi": 0.6, "p": 0.35} | ({"gamma": 0.2, "epsilon": 0.3} if kind == "DynamicOccupancy" else {})
    response = "state" if "Multistate" in kind else "binary"
    data = lp.DetectionHistory.from_tables(y[None], response=response, seasons=len(y))
    problem = OccupancyProblem(model, data)
    from leopardpop.models.describe import theta_of

    theta = np.tile(theta_of(problem, given), (20_000, 1))
    drawn = problem.draw_states(theta, np.random.default_rng(4))[..., 0]
    expected = paths_of(kind, y, values | by_state)
    for path, share in expected.items():
        found = (drawn == np.array(path)).all(1).mean()
        assert abs(found - share) < 4.5 * np.sqrt(share * (1 - share) / 20_000) + 1e-12, path


def test_a_site_where_nothing_was_seen():
    """Pr(z = 1 | all zero) = ψΠ(1−p)/(1 − ψ + ψΠ(1−p)), on average over the draws; a site not visited has ψ."""
    made = fit("Occupancy")
    states = made.occupancy()
    y = history("Occupancy").dataset["y"].values[:, 0]
    seen = np.nansum(y, axis=1) > 0
    assert (states.z.values[..., seen] == 1).all()
    psi = states.psi.values
    log_site = made.data_tree["log_likelihood"]["y"].values
    expected = 1 - (1 - psi) / np.exp(log_site)
    error = 5 * np.sqrt(0.25 / psi[..., 0].size)
    assert np.abs(states.z.values.mean((0, 1)) - expected.mean((0, 1)))[~seen].max() < error
    never = np.isnan(y).all(1)
    np.testing.assert_allclose(expected[..., never], psi[..., never], atol=1e-12)


def test_pao_and_its_denominator():
    states = fit("Occupancy").occupancy()
    assert states.pao.attrs["denominator"] == 60
    np.testing.assert_allclose(states.pao, (states.z > 0).mean("site"))
    assert states.z.dims == ("chain", "draw", "site")
    assert states.z.equals(fit("Occupancy").occupancy().z)
    assert states.summary().index.tolist() == ["psi", "pao", "used_sites"]


def test_changes_between_seasons():
    states = fit("DynamicMultistateOccupancy").occupancy()
    used = states.z > 0
    assert states.z.dims == ("chain", "draw", "site", "season")
    number = states.used_sites
    change = number.isel(season=slice(1, None)).values - number.isel(season=slice(None, -1)).values
    np.testing.assert_array_equal((states.gains - states.losses).values, change)
    assert states.gains["season"].values.tolist() == ["2", "3", "4"]
    by_hand = (~used.values[..., 0] & used.values[..., 1]).sum(2) / used.values[..., 1].sum(2)
    np.testing.assert_allclose(states.turnover.sel(season="2"), by_hand)
    np.testing.assert_allclose(states.growth.sel(season="3"), used.values[..., 2].sum(2) / used.values[..., 1].sum(2))
    np.testing.assert_array_equal(states.breeding_sites, (states.z == 2).sum("site"))
    assert (states.breeding <= states.psi).all()
    assert {"turnover[2]", "breeding_sites[4]", "psi[1]"} <= set(states.summary().index)
    assert "denominator" in repr(states)


def test_changes_of_breeding():
    states = fit("DynamicMultistateOccupancy").occupancy()
    breeds, found = (states.z == 2).values, states.changes("breeding")
    np.testing.assert_array_equal(found["gains"].sel(season="2"), (~breeds[..., 0] & breeds[..., 1]).sum(2))
    np.testing.assert_array_equal(found["losses"].sel(season="4"), (breeds[..., 2] & ~breeds[..., 3]).sum(2))
    with np.errstate(all="ignore"):
        growth = breeds[..., 2].sum(2) / breeds[..., 1].sum(2)
        turnover = (~breeds[..., 1] & breeds[..., 2]).sum(2) / breeds[..., 2].sum(2)
    np.testing.assert_allclose(found["growth"].sel(season="3"), np.where(np.isfinite(growth), growth, np.nan))
    np.testing.assert_allclose(found["turnover"].sel(season="3"), turnover)
    assert states.changes()["gains"].equals(states.gains)
    with pytest.raises(ModelError, match="knows no breeding, so there is no changes of breeding"):
        fit("DynamicOccupancy").occupancy().changes("breeding")
    with pytest.raises(ModelError, match=r"changes\(of='cubs'\): it is"):
        states.changes("cubs")


def test_law_of_later_seasons():
    """ψ of the second season is ψ(1 − ε) + (1 − ψ)γ."""
    made = lp.DynamicOccupancy().fit(history("DynamicOccupancy"), **SIZE)
    psi, draws = made.occupancy().psi, made.posterior
    second = draws["psi"] * (1 - draws["epsilon"]) + (1 - draws["psi"]) * draws["gamma"]
    np.testing.assert_allclose(psi.sel(season="2").isel(site=3), second)


def test_turnover_where_no_site_is_used_has_no_value():
    data = lp.DetectionHistory.from_tables(np.zeros((4, 12)), seasons=2)
    with pytest.warns(SparseDataWarning):
        states = lp.DynamicOccupancy().fit(data, **SIZE).occupancy()
    none = states.used_sites.sel(season="2") == 0
    assert none.any()
    assert np.isnan(states.turnover.sel(season="2").values[none.values]).all()
    assert np.isfinite(states.summary().loc["turnover[2]", "mean"])


@pytest.mark.parametrize(
    ("kind", "name", "message"),
    [
        ("Occupancy", "turnover", "use lp.DynamicOccupancy"),
        ("DynamicOccupancy", "breeding_sites", "use lp.MultistateOccupancy"),
    ],
)
def test_what_a_model_does_not_know(kind, name, message):
    states = fit(kind).occupancy()
    with pytest.raises(ModelError, match=message):
        getattr(states, name)


# -- against other software, and against the truth --------------------------------------------------------------------
def test_posterior_of_spoccupancy(shared):
    """PGOcc of the ovenbird at Hubbard Brook under its priors, N(0, 2.72) on the logit: means within 0.15 sd."""
    folder = shared / "data" / "hbef2015"

    def wide(name):
        return pd.read_csv(folder / name)

    def scaled(table):
        values = table.to_numpy(float)
        return (values - np.nanmean(values)) / np.nanstd(values, ddof=1)

    y = wide("y_all_species.csv").query("species == 'OVEN'").drop(columns="species")
    sites = wide("sites.csv")[["site", "elevation"]]
    sites["elevation"] = scaled(sites[["elevation"]])[:, 0]
    covariates = {name: scaled(wide(f"detcov_{name}.csv").drop(columns="site")) for name in ("day", "tod")}
    data = lp.DetectionHistory.from_tables(y, sites, visit_covariates=covariates)
    sd = 2.72**0.5
    names = ["psi[elevation]", "psi[I(elevation ** 2)]", "p[day]", "p[tod]", "p[I(day ** 2)]"]
    priors = {name: lp.Prior("LogitNormal", mu=0, sigma=sd) for name in ("psi", "p")}
    priors |= {name: lp.Prior("Normal", mu=0, sigma=sd) for name in names}
    model = lp.Occupancy(psi="~ elevation + I(elevation**2)", p="~ day + tod + I(day**2)", priors=priors)
    posterior = model.fit(data, engine="laplace", draws=2_000, seed=1, min_ess=2_000).posterior
    fits = json.loads((shared / "reference" / "spoccupancy_hbef2015.json").read_text())
    published = next(each for each in fits if each["label"] == "PGOcc OVEN")["posterior"]
    for name, key in (("psi", "beta.samples"), ("p", "alpha.samples")):
        ours = posterior[f"{name}_beta"]
        for j, row in enumerate(published[key]):
            assert float(ours[..., j].mean()) == pytest.approx(row["mean"], abs=0.15 * row["sd"]), row["par"]
            assert float(ours[..., j].std()) == pytest.approx(row["sd"], rel=0.1), row["par"]


def test_hidden_needs_a_word_that_is_known(tmp_path):
    with pytest.raises(DataError, match="must be"):
        fit("Occupancy").save(tmp_path / "fit.nc", coordinates="some")


@pytest.mark.filterwarnings("ignore::leopardpop.errors.LeopardpopWarning")
def test_separation_and_boundaries_are_told():
    """A covariate that tells used sites from others, one of visits, levels that are all used or unused, and neither."""
    from leopardpop.models.states.problem import OccupancyProblem
    from leopardpop.results.separation import separating_effects

    rng = np.random.default_rng(4)
    y = (rng.random((24, 4)) < 0.5).astype(float)
    y[::3] = 0.0
    seen = (y > 0).any(1)
    names = [f"s{i}" for i in range(24)]
    level = np.where(seen, np.array(["river", "slope"])[np.arange(24) % 2], "rock")
    sites = pd.DataFrame({"site": names, "cover": seen + 0.1 * rng.random(24), "snow": rng.random(24), "ground": level})
    visits = {"wind": 1.0 - y, "rain": rng.random(y.shape)}
    history = lp.DetectionHistory.from_tables(pd.DataFrame(y).assign(site=names), sites, visit_covariates=visits)

    def found(**formulas):
        return separating_effects(OccupancyProblem(lp.Occupancy(**formulas), history))

    assert found(psi="~ snow + cover", p="~ rain") == ["psi[cover]"]
    assert found(p="~ rain + wind") == ["p[wind]"]
    assert found(psi="~ ground") == ["psi[ground[rock]]", "psi[ground[slope]]"]
    assert found(psi="~ snow", p="~ rain") == []
    for formula in ("~ cover", "~ snow"):
        table = lp.Occupancy(psi=formula).fit(history, engine="laplace", draws=100, seed=1).diagnostics()
        assert ("perfect separation" in set(table["quantity"])) == (formula == "~ cover")
    everywhere = lp.DetectionHistory.from_tables(np.ones((20, 3)))
    table = lp.Occupancy().fit(everywhere, engine="laplace", draws=100, seed=1).diagnostics().set_index("quantity")
    assert "ψ may be 1" in table.loc["sites with a detection", "advice"]


def test_a_year_that_is_no_season_is_told():
    rng = np.random.default_rng(2)
    y = (rng.random((40, 9)) < 0.4).astype(float)
    data = lp.DetectionHistory.from_tables(y, seasons={"2021": 3, "2022": 3, "2024": 3})
    with pytest.warns(DataWarning, match="There is no season 2023: the step over it counts as one"):
        fit = lp.DynamicOccupancy().fit(data, draws=100, seed=1, engine="laplace")
    row = fit.diagnostics().set_index("quantity").loc["seasons without visits"]
    assert (row["verdict"], row["value"]) == ("warn", 1)
    whole = lp.DetectionHistory.from_tables(y, seasons={"2021": 3, "2022": 3, "2023": 0, "2024": 3})
    told = lp.DynamicOccupancy().fit(whole, draws=100, seed=1, engine="laplace").diagnostics()
    assert told.set_index("quantity").loc["seasons without visits", "verdict"] == "note"


def test_a_figure_needs_a_mask():
    data = lp.DetectionHistory.from_tables((np.random.default_rng(3).random((30, 4)) < 0.4).astype(float))
    fit = lp.Occupancy().fit(data, draws=100, seed=1, engine="laplace")
    with pytest.raises(ModelError, match=r"draws over a Mask, and DataFrame is none: lp.Mask.from_table"):
        fit.plot.surface("psi", pd.DataFrame({"x": [0.0], "y": [0.0]}))


def test_what_other_fits_have_is_told():
    """A method of another kind of fit names what to ask instead, and is not among the names."""
    of_sites = fit("Occupancy")
    for name, told in (("population", "fit.occupancy()"), ("activity_centres", "no single animals")):
        with pytest.raises(AttributeError, match=re.escape(told)):
            getattr(of_sites, name)
        assert name not in dir(of_sites)
        assert not hasattr(of_sites, name)
    with pytest.raises(AttributeError, match=r"fit.population\(\)"):
        made.fit("null").occupancy()
    with pytest.raises(AttributeError, match="'OccupancyFit' object has no attribute 'popluation'"):
        of_sites.popluation()
