"""Figures that every fit has: centres, effects, chains."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import LineCollection, PolyCollection

import leopardpop as lp
from leopardpop.errors import ModelError
from leopardpop.plots.centres import smallest_region
from tests.results import made


@pytest.fixture(scope="module")
def chains():
    return made.quiet(
        lambda: lp.SCR().fit(made.history("null"), made.mask(), engine="nuts", draws=60, chains=2, seed=1)
    )


@pytest.fixture(scope="module")
def occupancy():
    sites = pd.DataFrame({"site": [str(i) for i in range(60)], "snow": np.linspace(0, 30, 60), "kind": ["a", "b"] * 30})
    looked = pd.DataFrame(np.ones((60, 4))).assign(site=sites["site"])
    model = lp.Occupancy(psi="~ snow + kind")
    truth = {"psi": 0.5, "psi[snow]": -0.1, "psi[kind[b]]": 0.5, "p": 0.4}
    sim = model.simulate(lp.DetectionHistory.from_tables(looked, sites), parameters=truth, seed=1)
    return model.fit(sim.history, seed=1)


class TestCentres:
    def test_a_region_holds_its_share_in_the_fewest_cells(self):
        rng = np.random.default_rng(1)
        probability = rng.dirichlet(np.full(40, 0.3))
        chosen = smallest_region(probability, 0.8)
        held = probability[chosen]
        assert held.sum() >= 0.8
        assert held.sum() - held.min() < 0.8
        assert held.min() >= probability[~chosen].max()

    def test_each_animal_has_a_cloud(self):
        fit = made.fit("null")
        ax = fit.plot.centres()
        clouds = [c for c in ax.collections if isinstance(c, PolyCollection)]
        assert len(clouds) == fit.history.n_individuals
        cells = sum(len(cloud.get_paths()) for cloud in clouds)
        inner = sum(smallest_region(row, 0.5).sum() for row in fit.activity_centres()["probability"].to_numpy())
        assert cells == inner

    def test_some_of_the_animals(self):
        fit = made.fit("sex")
        names = fit.history.individuals["individual"].tolist()[:2]
        ax = fit.plot.centres(individuals=names)
        assert sum(isinstance(c, PolyCollection) for c in ax.collections) == 2
        assert sum(isinstance(c, LineCollection) for c in ax.collections) == 3  # the mask's edge too
        assert "2 animals" in ax.figure.caption
        with pytest.raises(ModelError, match=r"there is no 'S999'; there are"):
            fit.plot.centres(individuals="S999")


class TestEffects:
    def test_density_along_a_covariate(self):
        fit = made.fit("snow")
        low, high = (float(f(made.mask().covariates["snow"])) for f in (min, max))
        table = fit.effect("D", "snow", span=(low - 5.0, high), points=11)
        assert table["extrapolated"].tolist() == [v < low for v in table["snow"]]
        again = fit.predict("D", table[["snow"]])
        assert table["median"].to_numpy() == pytest.approx(again.median(("chain", "draw")).to_numpy())
        assert again["extrapolated"].to_numpy().tolist() == table["extrapolated"].tolist()
        ax = fit.plot.effect("D", "snow", span=(low - 5.0, high))
        assert ax.get_ylabel() == "Animals per 100 km²"
        assert "Dashed: outside of what the cells of the mask have." in ax.figure.caption
        assert ax.lines[0].get_ydata()[-1] == pytest.approx(100 * float(table["median"].iloc[-1]), rel=1e-6)

    def test_levels_of_a_factor(self):
        ax = made.fit("sex").plot.effect("sigma", "sex")
        assert [label.get_text() for label in ax.get_xticklabels()] == ["F", "M"]
        assert ax.get_ylabel() == "σ (km)"
        medians = made.fit("sex").posterior["sigma"].median(("chain", "draw")).to_numpy()
        assert ax.lines[-1].get_ydata() == pytest.approx(medians / 1000)

    def test_places_are_in_metres(self):
        fit = made.quiet(lambda: lp.SCR(density="~ x").fit(made.history("null"), made.mask(), seed=1))
        table = fit.effect("D", "x", points=3)
        assert table["x"].to_numpy()[[0, -1]] == pytest.approx([made.mask().x.min(), made.mask().x.max()])
        assert not table["extrapolated"].any()
        middle = float(fit.predict("D", {"x": [made.mask().x.mean()]}).median())
        assert table["median"].iloc[1] == pytest.approx(middle, rel=0.02)

    def test_unknown_ones_are_named(self):
        with pytest.raises(ModelError, match=r"effect: there is no parameter 'sgima'. Did you mean 'sigma'"):
            made.fit("snow").effect("sgima", "snow")
        with pytest.raises(ModelError, match=r"the formula of 'sigma' has no covariate 'snow'"):
            made.fit("snow").effect("sigma", "snow")

    @pytest.mark.parametrize("kind, names", [("sex", ["sigma: sex[M]"]), ("snow", ["D: snow (sd "])])
    def test_all_coefficients(self, kind, names):
        ax = made.fit(kind).plot.effects()
        labels = [label.get_text() for label in ax.get_yticklabels()]
        assert all(label.startswith(name) for label, name in zip(labels, names, strict=True))
        theta = made.fit(kind).theta.reshape(-1, made.fit(kind).theta.shape[-1])
        (term,) = (term for term in made.problem(kind).priors.terms if not term.natural)
        points = [line for line in ax.lines if line.get_marker() == "o"]
        assert points[0].get_xdata()[0] == pytest.approx(np.median(theta[:, term.position]))
        with pytest.raises(ModelError, match="no covariates and no factors"):
            made.fit("null").plot.effects()

    def test_of_occupancy(self, occupancy):
        ax = occupancy.plot.effects()
        labels = [label.get_text() for label in ax.get_yticklabels()]
        assert [label.split(" (")[0] for label in labels] == ["psi: snow", "psi: kind[b]"]


class TestChains:
    def test_traces_ranks_and_khat(self, chains):
        import matplotlib.pyplot as plt

        assert "D, lambda0, sigma" in chains.plot.trace().figure.caption
        assert chains.plot.ranks("sigma").figure.caption.endswith("they are not: sigma.")
        n = chains.history.n_individuals
        assert f"for {n} units" in chains.plot.khat().figure.caption
        assert plt.get_fignums() == []
        with pytest.raises(ModelError, match=r"the posterior has no 'sgima'"):
            chains.plot.trace("sgima")

    def test_independent_draws_have_no_chains(self, occupancy):
        with pytest.raises(ModelError, match="there is no chain to look at"):
            occupancy.plot.trace()
        assert "for 60 units" in occupancy.plot.khat().figure.caption
