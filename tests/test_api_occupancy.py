"""The public interface of occupancy line by line: names and order of arguments as the documentation writes them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import leopardpop as lp

SITES = pd.DataFrame({"site": [f"S{i:02d}" for i in range(50)], "elevation": np.linspace(200, 900, 50)})
DAYS = np.tile([14.0, 14.0, 7.0, 14.0], (50, 1))


def visits(seasons: int = 1, response: str = "binary") -> lp.DetectionHistory:
    """A design: what was seen is ignored by a simulation."""
    return lp.DetectionHistory.from_tables(
        y=np.ones((50, 4 * seasons)),
        sites=SITES,
        visit_covariates={"effort": np.tile(DAYS, (1, seasons))},
        seasons=seasons,
        response=response,
        effort_unit="day",
    )


def test_occupancy() -> None:
    model = lp.Occupancy(psi="~ elevation", p="~ effort", link="logit")
    design = visits()
    assert list(model.parameters(design).columns)[:5] == ["name", "coefficient", "link", "unit", "prior"]
    history = model.simulate(design, parameters={"psi": 0.6, "p": 0.4}, seed=1).history
    assert model.log_likelihood(history, parameters={"psi": 0.6, "p": 0.4}) < 0
    fit = model.fit(history, engine="auto", draws=250, chains=4, seed=1)
    assert (fit.engine, fit.trusted) == ("laplace", True)
    assert list(fit.summary().columns) == ["mean", "median", "sd", "eti95_lb", "eti95_ub", "ess", "r_hat", "unit"]
    assert list(fit.diagnostics().columns) == ["quantity", "value", "limit", "verdict", "advice"]
    assert fit.data_tree["log_likelihood"]["y"].dims == ("chain", "draw", "site")
    states = fit.occupancy()
    assert states.psi.dims == states.z.dims == ("chain", "draw", "site")
    assert states.pao.dims == ("chain", "draw")
    assert fit.predict("psi", pd.DataFrame({"elevation": [300.0]})).dims == ("chain", "draw", "row")
    mle = model.maximum_likelihood(history)
    assert list(mle.estimates.index) == ["psi", "psi[elevation]", "p", "p[effort]"]
    assert {"psi[Intercept]", "psi[elevation]", "p[Intercept]", "p[effort]"} == set(mle.coefficients.index)
    assert mle.converged
    assert mle.aicc > mle.aic == 8 - 2 * mle.log_likelihood
    with pytest.raises(lp.errors.ModelError, match="takes no mask"):
        model.fit(history, "mask")


def test_multistate() -> None:
    model = lp.MultistateOccupancy(psi="~ 1", breeding="~ elevation", p1="~ 1", p2="~ 1", delta="~ 1")
    truth = {"psi": 0.7, "breeding": 0.5, "p1": 0.4, "p2": 0.5, "delta": 0.6}
    history = model.simulate(visits(response="state"), parameters=truth, seed=1).history
    fit = model.fit(history, engine="laplace", draws=250, seed=1)
    assert fit.occupancy().breeding_sites.dims == ("chain", "draw")


def test_dynamic() -> None:
    model = lp.DynamicOccupancy(psi="~ 1", gamma="~ 1", epsilon="~ elevation", p="~ 1")
    truth = {"psi": 0.5, "gamma": 0.2, "epsilon": 0.2, "p": 0.5}
    history = model.simulate(visits(3), parameters=truth, seed=1).history
    states = model.fit(history, engine="laplace", draws=250, seed=1).occupancy()
    assert states.z.dims == ("chain", "draw", "site", "season")
    assert states.turnover.dims == ("chain", "draw", "season")


def test_dynamic_multistate() -> None:
    model = lp.DynamicMultistateOccupancy(
        psi="~ 1", breeding="~ 1", psi_next="~ state", breeding_next="~ state", p1="~ 1", p2="~ 1", delta="~ 1"
    )
    table = model.parameters(visits(3, "state"))
    assert table.loc[table["name"] == "breeding_next", "coefficient"].tolist() == [
        "Intercept",
        "state[used]",
        "state[breeding]",
    ]


def test_random_effects_effects_and_maps() -> None:
    blocks = SITES.assign(block=[f"B{i % 8}" for i in range(50)])
    design = lp.DetectionHistory.from_tables(y=np.ones((50, 4)), sites=blocks, seasons=1)
    model = lp.Occupancy(psi="~ elevation + (1 | block)", p="~ 1", link="logit")
    history = model.simulate(design, parameters={"psi": 0.6, "p": 0.4, "psi_sd_block": 0.7}, seed=1).history
    fit = model.fit(history, draws=100, seed=1)
    assert fit.posterior["psi_effect"].dims == ("chain", "draw", "psi_level")
    assert "psi_sd_block" in fit.summary().index
    ground = pd.DataFrame({"elevation": [300.0, 2000.0], "block": ["B1", "new"]})
    surface = fit.surface("psi", ground, quantiles=(0.025, 0.5, 0.975), draws=200)
    assert {"psi_mean", "psi_sd", "psi_quantile", "extrapolated", "total"} == set(surface.data_vars)
    curve = fit.effect("psi", "elevation", at=None, span=None, points=5)
    assert list(curve.columns) == ["elevation", "mean", "median", "eti95_lb", "eti95_ub", "extrapolated"]
    assert fit.predict("psi", ground)["extrapolated"].values.tolist() == [False, True]


def test_decline_and_equilibrium() -> None:
    model = lp.DynamicMultistateOccupancy(psi_next="~ 1", breeding_next="~ 1", parametrisation="condbinom")
    truth = {"psi": 0.7, "breeding": 0.5, "psi_next": 0.5, "breeding_next": 0.5, "p1": 0.4, "p2": 0.5, "delta": 0.6}
    history = model.simulate(visits(3, "state"), parameters=truth, seed=1).history
    states = model.fit(history, draws=100, seed=1).occupancy()
    assert 0 <= states.decline(0.2, of="breeding", first="1", last="3") <= 1
    assert states.equilibrium.dims == states.equilibrium_breeding.dims == ("chain", "draw", "site")
