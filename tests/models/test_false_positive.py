"""Occupancy with mistakes: a naive twin, gradients, the graph, identities, unmarked's fit, refusals, files."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, logit

import leopardpop as lp
from leopardpop.errors import DataError, ModelError
from leopardpop.models.graph import point_of
from leopardpop.models.states.problem import OccupancyProblem
from tests.models.test_occupancy import differences
from tests.reference.false_positive import site_probability
from tests.reference.occupancy import INVERSE_LINKS

pytestmark = pytest.mark.filterwarnings("ignore::leopardpop.errors.DataWarning")

KINDS = [(None, None), (None, "dna"), ("~ wind", None), ("~ wind", "dna")]
TRUTH = {"psi": 0.5, "p": 0.5, "p10": 0.1}


def design(n=9, visits=4, response="binary", seed=1):
    rng = np.random.default_rng(seed)
    y = np.zeros((n, visits))
    y[rng.random(y.shape) < 0.15] = np.nan
    y[2] = np.nan
    labels = [f"s{i}" for i in range(n)]
    sites = pd.DataFrame({"site": labels, "height": rng.normal(size=n)})
    wind, dna = rng.normal(size=y.shape), (rng.random(y.shape) < 0.4).astype(float)
    table = pd.DataFrame(y).assign(site=labels)
    made = lp.DetectionHistory.from_tables(table, sites, visit_covariates={"wind": wind, "dna": dna}, response=response)
    return made, sites["height"].to_numpy(), wind, dna


def make(b, certain, link="logit", seed=3):
    history, *covariates = design(response="binary" if b is None else "state")
    model = lp.FalsePositiveOccupancy(psi="~ height", p="~ wind", p10="~ height", b=b, certain=certain, link=link)
    empty = OccupancyProblem(model, history, design_only=True)
    theta = 0.6 * np.random.default_rng(seed).normal(size=empty.layout.size)
    beta = pd.Series(empty.to_beta(theta), empty.labels)
    simulated = model.simulate(history, parameters=beta, seed=seed).history
    return model, OccupancyProblem(model, simulated), theta, beta, covariates


@pytest.mark.parametrize("link", ["logit", "cloglog"])
@pytest.mark.parametrize(("b", "certain"), KINDS)
def test_naive_likelihood(b, certain, link):
    model, problem, theta, beta, (height, wind, dna) = make(b, certain, link)
    inverse = INVERSE_LINKS[link]
    y = problem.history.dataset["y"].values[:, 0]
    naive = []
    for i in range(len(y)):
        psi = inverse(beta["psi[Intercept]"] + beta["psi[height]"] * height[i])
        p = inverse(beta["p[Intercept]"] + beta["p[wind]"] * wind[i])
        p10 = np.repeat(inverse(beta["p10[Intercept]"] + beta["p10[height]"] * height[i]), len(p))
        confirmed = None if b is None else inverse(beta["b[Intercept]"] + beta["b[wind]"] * wind[i])
        naive.append(np.log(site_probability(y[i], psi, p, p10, confirmed, dna[i] if certain else None)))
    np.testing.assert_allclose(problem.pointwise(theta).y, naive, atol=1e-10)
    assert model.log_likelihood(problem.history, parameters=beta) == pytest.approx(sum(naive), abs=1e-10)


@pytest.mark.parametrize(("b", "certain"), KINDS)
def test_gradient(b, certain):
    _, problem, theta, _, _ = make(b, certain)
    np.testing.assert_allclose(problem.gradient(theta)[1], differences(problem.value, theta), atol=1e-6)
    value, gradient = problem.log_likelihood_gradient(25.0 * np.sign(theta))
    assert np.isfinite(value)
    assert np.isfinite(gradient).all()


@pytest.mark.parametrize(("b", "certain"), [KINDS[1], KINDS[3]])
def test_graph(b, certain):
    import pymc as pm
    import pytensor

    model, problem, theta, _, _ = make(b, certain)
    with pytensor.config.change_flags(mode="FAST_COMPILE"):
        built = model.build(problem.history)
        potential = pytensor.function(built.free_RVs, pm.math.sum(built.potentials[0]), on_unused_input="ignore")
    natural = point_of(problem, theta)
    values = [natural[variable.name] for variable in built.free_RVs]
    assert potential(*values) == pytest.approx(problem.log_likelihood(theta), abs=1e-9)


def test_by_hand():
    history = lp.DetectionHistory.from_tables([[1, 0]])
    found = lp.FalsePositiveOccupancy().log_likelihood(history, parameters={"psi": 0.6, "p": 0.5, "p10": 0.2})
    used = (0.5 + 0.5 * 0.2) * 0.5 * 0.8
    assert found == pytest.approx(np.log(0.6 * used + 0.4 * 0.2 * 0.8), abs=1e-13)


def test_without_mistakes_it_is_plain_occupancy():
    history = lp.DetectionHistory.from_tables([[1, 0, 1], [0, 0, 0], [0, np.nan, 1]])
    plain = lp.Occupancy().log_likelihood(history, parameters={"psi": 0.6, "p": 0.3})
    found = lp.FalsePositiveOccupancy().log_likelihood(history, parameters={"psi": 0.6, "p": 0.3, "p10": 1e-13})
    assert found == pytest.approx(plain, abs=1e-10)


def test_unmarked(shared):
    """occuFP has p11 itself: its p[METH] follows from our p and p10 by p11 = p + (1 − p) p10."""
    folder = shared / "data" / "occufp_sim"
    method = pd.read_csv(folder / "obscov_METH.csv")
    certain = method.copy()
    certain.iloc[:, 1:] = 1 - certain.iloc[:, 1:]
    history = lp.DetectionHistory.from_tables(
        folder / "y.csv", folder / "sitecovs.csv", visit_covariates={"METH": method, "certain": certain}
    )
    fits = json.loads((shared / "reference" / "occupancy.json").read_text())
    record = next(fit for fit in fits if fit["data"] == "occufp_sim")
    theirs = {row["par"]: row for row in record["estimates"]}
    model = lp.FalsePositiveOccupancy(psi="~ habitat", p="~ METH", certain="certain")
    mle = model.maximum_likelihood(history)
    assert mle.log_likelihood == pytest.approx(record["logLik"], abs=1e-6)
    assert mle.log_likelihood > record["logLik"] - 1e-8
    ours = mle.coefficients
    for own, name in {
        "psi[Intercept]": "psi(Int)",
        "psi[habitat]": "psi(habitat)",
        "p[Intercept]": "p(Int)",
        "p10[Intercept]": "fp(Int)",
    }.items():
        assert ours.loc[own, "estimate"] == pytest.approx(theirs[name]["est"], abs=5e-4)
        assert ours.loc[own, "se"] == pytest.approx(theirs[name]["se"], rel=0.01)
    p, p10 = expit(ours["estimate"][["p[Intercept]", "p[METH]"]].sum()), expit(ours.loc["p10[Intercept]", "estimate"])
    known = theirs["p(Int)"]["est"] + theirs["p(METH)"]["est"]
    assert logit(p + (1 - p) * p10) == pytest.approx(known, abs=5e-4)


@pytest.mark.parametrize(("b", "certain"), [(None, "dna"), ("~ 1", None)])
def test_recovery_over_seeds(b, certain):
    history, *_ = design(n=250, visits=6, response="binary" if b is None else "state")
    model = lp.FalsePositiveOccupancy(b=b, certain=certain)
    truth = TRUTH | ({} if b is None else {"b": 0.4})
    scores = []
    for seed in range(20):
        sim = model.simulate(history, parameters=truth, seed=seed)
        found = model.maximum_likelihood(sim.history).coefficients
        scores.append((found["estimate"] - sim.truth.coefficients) / found["se"])
    scores = np.array(scores)
    assert np.abs(scores.mean(0)).max() < 3.9 / 20**0.5
    assert 0.6 < np.sqrt((scores**2).mean()) < 1.35


def test_posterior_states_and_file(tmp_path):
    history, *_ = design(n=80, visits=6, response="state")
    model = lp.FalsePositiveOccupancy(b="~ 1", certain="dna")
    data = model.simulate(history, parameters=TRUTH | {"b": 0.5}, seed=2).history
    fit = model.fit(data, draws=250, seed=1)
    assert fit.trusted
    states, sure = fit.occupancy(), (data.dataset["y"].values == 2).any((1, 2))
    assert (states.z.values[..., sure] == 1).all()
    assert (states.z.values[..., ~sure] == 0).any()
    loaded = lp.load_fit(fit.save(tmp_path / "fit.nc"))
    assert loaded.model == model
    assert "certain: dna" in repr(loaded)
    pd.testing.assert_frame_equal(loaded.summary(), fit.summary())


def test_certain_detections_are_asked_for():
    history, *_ = design(n=80, visits=6)
    data = lp.FalsePositiveOccupancy().simulate(history, parameters=TRUTH, seed=1).history
    with pytest.warns(lp.errors.SparseDataWarning, match=r"0 certain detections: .*prior of p10"):
        lp.FalsePositiveOccupancy().fit(data, draws=250, seed=1)


def test_refusals():
    history, *_ = design()
    with pytest.raises(ModelError, match=r"certain='dan'.*Did you mean 'dna'"):
        lp.FalsePositiveOccupancy(certain="dan").parameters(history)
    with pytest.raises(DataError, match=r"certain='wind' is .* at visit .* to site 's0'"):
        lp.FalsePositiveOccupancy(certain="wind").parameters(history)
    with pytest.raises(ModelError, match="name of a covariate of visits"):
        lp.FalsePositiveOccupancy(certain=[1, 0])
    with pytest.raises(DataError, match=r"needs 'state'"):
        lp.FalsePositiveOccupancy(b="~ 1").log_likelihood(history, parameters=TRUTH | {"b": 0.5})
