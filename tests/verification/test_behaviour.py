"""Responses to capture and hidden classes over many surveys: truths drawn from the priors of the analysis.

The intervals must hold the truths as often as they say, within what this number of surveys can tell, and N must not
lean to one side: that is where a response that is misread, or classes that are, would show.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import leopardpop as lp
from tests.verification.surveys import draw_truth, fits_the_rule, informative_priors, small_design

pytestmark = [
    pytest.mark.verification,
    pytest.mark.timeout(900),
    pytest.mark.filterwarnings("ignore::leopardpop.errors.LeopardpopWarning"),
]

RESPONSE = lp.Prior("Normal", mu=0.0, sigma=1.5)
DIFFERENCE = lp.Prior("HalfNormal", sigma=1.2)
SHARE = lp.Prior("Beta", alpha=2.0, beta=2.0)


def ranks(model: lp.SCR, own: dict[str, lp.Prior], priors: dict[str, lp.Prior], number: int, seed: int) -> pd.DataFrame:
    """Share of the posterior below the truth, of E[N] and of some coefficients, survey by survey."""
    design, mask = small_design()
    rng, rows = np.random.default_rng(seed), []
    while len(rows) < number:
        truth = draw_truth(priors | own, rng)
        sim = model.simulate(design, mask, parameters=truth, seed=int(rng.integers(2**31)))
        if not fits_the_rule(sim.history):
            continue
        fit = model.fit(sim.history, mask, engine="laplace", draws=250, seed=1)
        found = {"E_N": (fit.posterior["E_N"].values < float(sim.truth.E_N.iloc[0])).mean()}
        for name in own:
            label = "pmix[2]" if name == "pmix" else name
            at = fit.problem.labels.index(label)
            found[name] = (fit.problem.to_beta(fit.theta)[..., at] < sim.truth.coefficients[label]).mean()
        rows.append(found | {"trusted": fit.trusted, "animals": sim.history.n_individuals})
    return pd.DataFrame(rows)


def check(table: pd.DataFrame, names: list[str]) -> None:
    n = len(table)
    error = 3.0 * np.sqrt(0.25 / n)
    assert table["trusted"].mean() >= 0.8, table["trusted"].tolist()
    for name in names:
        values = table[name]
        assert abs(values.between(0.25, 0.75).mean() - 0.5) <= error, (name, values.tolist())
        assert values.between(0.025, 0.975).mean() >= 0.95 - 3.0 * np.sqrt(0.95 * 0.05 / n), (name, values.tolist())
        assert abs(values.mean() - 0.5) <= 3.5 / np.sqrt(12 * n), (name, values.tolist())


@pytest.mark.parametrize("flag", ["b", "bk"])
def test_responses_to_capture(flag: str) -> None:
    label = f"lambda0[{flag}[caught]]"
    priors = informative_priors() | {"lambda0": lp.Prior("LogNormal", mu=np.log(0.05), sigma=0.4)}
    model = lp.SCR(detection=lp.HalfNormal(lambda0=f"~ {flag}"), priors=priors | {label: RESPONSE})
    table = ranks(model, {label: RESPONSE}, priors, 28, 5)
    check(table, ["E_N", label])


@pytest.mark.parametrize(("animals", "density"), [(25, 0.055), (60, 0.13)])
def test_hidden_classes(animals: int, density: float) -> None:
    label = "lambda0[h2[2]]"
    priors = informative_priors() | {
        "D": lp.Prior("LogNormal", mu=np.log(density), sigma=0.15),
        "lambda0": lp.Prior("LogNormal", mu=np.log(0.08), sigma=0.4),
    }
    own = {label: DIFFERENCE, "pmix": SHARE}
    model = lp.SCR(detection=lp.HalfNormal(lambda0="~ h2"), classes=lp.Mixture(2), priors=priors | own)
    table = ranks(model, own, priors, 24, 7)
    assert 0.75 * animals <= table["animals"].median() <= 1.35 * animals
    check(table, ["E_N", label, "pmix"])
