"""Numbers of animals at sites, and counts: naive twins, gradients, truncation, unmarked's fits, refusals, files."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

import leopardpop as lp
from leopardpop.errors import DataError, ModelError
from leopardpop.models.states import animals
from leopardpop.models.states.kinds import occupancy_problem
from tests.models.test_occupancy import differences
from tests.reference.abundance import count_occupancy, n_mixture, royle_nichols

pytestmark = pytest.mark.filterwarnings("ignore::leopardpop.errors.DataWarning")

MODELS = {
    "nichols": lp.RoyleNichols(abundance="~ height", r="~ wind"),
    "poisson": lp.NMixture(abundance="~ height", p="~ wind"),
    "negbin": lp.NMixture(abundance="~ height", p="~ wind", distribution="negbin"),
    "counts": lp.CountOccupancy(psi="~ height", rate="~ wind"),
}
TRUTH = {
    "nichols": {"abundance": 1.5, "r": 0.3},
    "poisson": {"abundance": 3.0, "p": 0.4},
    "negbin": {"abundance": 3.0, "p": 0.5, "size": 1.5},
    "counts": {"psi": 0.6, "rate": 0.3},
}


def design(kind, n=9, visits=4, seed=1):
    rng = np.random.default_rng(seed)
    y = np.zeros((n, visits))
    y[rng.random(y.shape) < 0.15] = np.nan
    y[2] = np.nan
    labels = [f"s{i}" for i in range(n)]
    sites = pd.DataFrame({"site": labels, "height": rng.normal(size=n)})
    wind, effort = rng.normal(size=y.shape), rng.uniform(1, 7, size=y.shape)
    response = "binary" if kind == "nichols" else "count"
    made = lp.DetectionHistory.from_tables(
        pd.DataFrame(y).assign(site=labels), sites, visit_covariates={"wind": wind, "effort": effort}, response=response
    )
    return made, sites["height"].to_numpy(), wind, effort


def make(kind, **size):
    history, *covariates = design(kind, **size)
    model, truth = MODELS[kind], TRUTH[kind]
    slopes = {f"{name}[{x}]": s for name, x, s in zip(truth, ("height", "wind"), (0.5, -0.4), strict=False)}
    if kind == "negbin":
        slopes = {"abundance[height]": 0.5, "p[wind]": -0.4}
    data = model.simulate(history, parameters=truth | slopes, seed=3).history
    problem = occupancy_problem(model, data)
    theta = 0.6 * np.random.default_rng(5).normal(size=problem.layout.size)
    return problem, theta, covariates


@pytest.mark.parametrize("kind", MODELS)
def test_naive_likelihood(kind):
    problem, theta, (height, wind, effort) = make(kind)
    beta = pd.Series(problem.to_beta(theta), problem.labels)
    y = problem.history.dataset["y"].values[:, 0]
    assert np.nansum(y) > 0
    naive = []
    for i in range(len(y)):
        first, second = ("psi", "rate") if kind == "counts" else ("abundance", "r" if kind == "nichols" else "p")
        at_site = beta[f"{first}[Intercept]"] + beta[f"{first}[height]"] * height[i]
        at_visit = beta[f"{second}[Intercept]"] + beta[f"{second}[wind]"] * wind[i]
        if kind == "counts":
            naive.append(count_occupancy(y[i], expit(at_site), np.exp(at_visit), effort[i]))
        elif kind == "nichols":
            naive.append(royle_nichols(y[i], np.exp(at_site), expit(at_visit)))
        else:
            size = np.exp(beta["size[Intercept]"]) if kind == "negbin" else None
            naive.append(n_mixture(y[i], np.exp(at_site), expit(at_visit), size))
    np.testing.assert_allclose(problem.pointwise(theta).y, np.log(naive), atol=1e-9)
    assert problem.model.log_likelihood(problem.history, parameters=beta) == pytest.approx(
        np.log(naive).sum(), abs=1e-9
    )
    thetas = np.stack([theta, -theta, 0 * theta])
    expected = [problem.pointwise(each).y for each in thetas]
    np.testing.assert_allclose(problem.pointwise(thetas).y, expected, atol=1e-11)


@pytest.mark.parametrize("kind", MODELS)
def test_gradient(kind):
    problem, theta, _ = make(kind)
    for at in (theta, -2 * theta):
        np.testing.assert_allclose(problem.gradient(at)[1], differences(problem.value, at), rtol=1e-6, atol=2e-6)
    for size in (6.0, 20.0):
        value, gradient = problem.log_likelihood_gradient(size * np.sign(theta))
        assert np.isfinite(value)
        assert np.isfinite(gradient).all()


@pytest.mark.parametrize("kind", MODELS)
def test_graph_has_the_likelihood_and_its_gradient(kind):
    problem, theta, _ = make(kind)
    import pytensor
    from pytensor import tensor as pt

    from leopardpop.models.likelihood_op import LikelihoodOp

    x = pt.dvector()
    with pytensor.config.change_flags(mode="FAST_COMPILE"):
        value = LikelihoodOp(problem)(x)[0]
        function = pytensor.function([x], [value, pytensor.grad(value, x)])
    found = function(theta)
    assert float(found[0]) == pytest.approx(problem.log_likelihood(theta), abs=1e-10)
    np.testing.assert_allclose(found[1], problem.log_likelihood_gradient(theta)[1])
    assert "log_likelihood_all" in {each.name for each in problem.model.build(problem.history).potentials}


def test_by_hand():
    """One animal at most matters at λ → 0; a site without a visit says nothing."""
    history = lp.DetectionHistory.from_tables([[1, 0], [np.nan, np.nan]])
    found = lp.RoyleNichols().log_likelihood(history, parameters={"abundance": 1e-9, "r": 0.3})
    assert found == pytest.approx(np.log(1e-9 * 0.3 * 0.7), abs=1e-6)


def test_one_visit_tells_the_product_alone():
    """Binomial thinning of a Poisson number is Poisson: with one visit only λp is in the likelihood."""
    history = lp.DetectionHistory.from_tables([[3], [0], [2]], response="count")
    values = [lp.NMixture().log_likelihood(history, parameters={"abundance": a, "p": 1.2 / a}) for a in (2, 8, 300)]
    np.testing.assert_allclose(values, values[0], atol=1e-10)


def test_a_negative_binomial_of_great_size_is_poisson():
    history = lp.DetectionHistory.from_tables([[3, 1], [0, 0], [2, np.nan]], response="count")
    plain = lp.NMixture().log_likelihood(history, parameters={"abundance": 3, "p": 0.4})
    model = lp.NMixture(distribution="negbin")
    found = model.log_likelihood(history, parameters={"abundance": 3, "p": 0.4, "size": 1e8})
    assert found == pytest.approx(plain, abs=1e-6)


def test_the_sum_is_long_enough():
    """Few counted of many: n reaches far beyond the counts; the sum ends where its terms have vanished."""
    history = lp.DetectionHistory.from_tables([[3, 5], [4, 4]], response="count")
    model = lp.NMixture(distribution="negbin")
    truth = {"abundance": 60.0, "p": 0.05, "size": 0.3}
    found = model.log_likelihood(history, parameters=truth)
    naive = [np.log(sum_naive(row, truth)) for row in ((3, 5), (4, 4))]
    assert found == pytest.approx(sum(naive), abs=1e-9)
    problem = occupancy_problem(model, history)
    assert not problem.numbers_reach(np.log([60.0, 0.3, 0.05 / 0.95]))
    assert problem.numbers_reach(np.log([2 * animals.LARGEST, 1.0, 1e-4]))


def sum_naive(y, truth):
    from scipy.stats import binom, nbinom

    n = np.arange(3000)
    size = truth["size"]
    terms = nbinom.pmf(n, size, size / (size + truth["abundance"]))
    return (terms * np.prod([binom.pmf(v, n, truth["p"]) for v in y], axis=0)).sum()


FITS = [
    ("occuRN(~1 ~1) K=50", "y.csv", lp.RoyleNichols(), ["abundance", "r"]),
    ("pcount(~1 ~1) P K=50", "counts.csv", lp.NMixture(), ["abundance", "p"]),
    ("pcount(~1 ~1) NB K=50", "counts.csv", lp.NMixture(distribution="negbin"), ["abundance", "p", "size"]),
    ("occuRN(~obsNum ~1) K=25", "y.csv", lp.RoyleNichols(r="~ C(visit)"), None),
]


@pytest.mark.parametrize(("label", "file", "model", "names"), FITS, ids=[fit[0] for fit in FITS])
def test_unmarked(shared, label, file, model, names):
    history = lp.DetectionHistory.from_tables(
        shared / "data" / "woodthrush" / file, response="binary" if file == "y.csv" else "count"
    )
    fits = json.loads((shared / "reference" / "occupancy.json").read_text())
    record = next(fit for fit in fits if (fit["data"], fit["label"]) == ("woodthrush", label))
    mle = model.maximum_likelihood(history)
    theirs = pd.Series(
        [row["est"] for row in record["estimates"]],
        mle.coefficients.index if names is None else [f"{n}[Intercept]" for n in names],
    )
    at_theirs = model.log_likelihood(history, parameters=theirs)
    assert at_theirs == pytest.approx(record["logLik"], abs=1e-6)
    assert mle.log_likelihood == pytest.approx(record["logLik"], abs=1e-5)  # some of their searches stop 5e-6 short
    assert mle.log_likelihood > record["logLik"] - 1e-8
    ours = mle.coefficients if names is None else mle.coefficients.loc[[f"{name}[Intercept]" for name in names]]
    np.testing.assert_allclose(ours["estimate"], [row["est"] for row in record["estimates"]], atol=5e-4 if names else 1e-3)
    np.testing.assert_allclose(ours["se"], [row["se"] for row in record["estimates"]], rtol=0.01)


def test_salamanders(shared):
    history = lp.DetectionHistory.from_tables(shared / "data" / "salamanders" / "y.csv")
    mle = lp.RoyleNichols().maximum_likelihood(history)
    assert mle.log_likelihood == pytest.approx(-80.0007762986349, abs=1e-6)
    assert mle.aic == pytest.approx(164.0016, abs=1e-4)
    assert mle.estimates["estimate"].to_dict() == pytest.approx({"abundance": 1.1425, "r": 0.1475}, abs=1e-4)


@pytest.mark.filterwarnings("ignore::leopardpop.errors.SparseDataWarning")
@pytest.mark.parametrize("kind", MODELS)
def test_posterior_states_and_file(kind, tmp_path):
    history, *_ = design(kind, n=80, visits=5)
    model = lp.NMixture(distribution="negbin") if kind == "negbin" else type(MODELS[kind])()
    sim = model.simulate(history, parameters=TRUTH[kind], seed=2)
    fit = model.fit(sim.history, draws=250, seed=1)
    assert fit.trusted
    states, counts = fit.occupancy(), np.nan_to_num(sim.history.dataset["y"].values).max((1, 2))
    assert (states.z.values[..., counts > 0] >= 1).all()
    if kind in ("poisson", "negbin"):
        assert (states.z.values >= counts).all()
    if kind != "counts":
        assert states.animals.quantile(0.001) <= sim.truth.z.sum() <= states.animals.quantile(0.999)
        assert "animals" in states.summary().index
        none = 1 - states.psi.isel(site=0)
        if kind != "negbin":
            np.testing.assert_allclose(none, np.exp(-fit.posterior["abundance"]), rtol=1e-9)
    else:
        with pytest.raises(ModelError, match=r"CountOccupancy counts no animals"):
            states.animals  # noqa: B018
    loaded = lp.load_fit(fit.save(tmp_path / "fit.nc"))
    assert loaded.model == model
    pd.testing.assert_frame_equal(loaded.summary(), fit.summary())


def test_what_is_said():
    """Where λ and p are not told apart, it is said; double counts always."""
    history = lp.DetectionHistory.from_tables(np.ones((30, 1)), response="count")
    data = lp.NMixture().simulate(history, parameters={"abundance": 4.0, "p": 0.3}, seed=1).history
    with pytest.warns(lp.errors.SparseDataWarning, match=r"tell the mean count .* and hardly"):
        fit = lp.NMixture().fit(data, draws=250, seed=1)
    advice = " ".join(fit.diagnostics()["advice"])
    assert "counted twice" in advice
    assert "index" not in advice


def test_refusals():
    binary, counts = design("nichols")[0], design("poisson")[0]
    with pytest.raises(DataError, match=r"response 'count' and RoyleNichols needs 'binary'"):
        lp.RoyleNichols().log_likelihood(counts, parameters=TRUTH["nichols"])
    with pytest.raises(DataError, match=r"response 'binary' and NMixture needs 'count'. Counts need"):
        lp.NMixture().log_likelihood(binary, parameters=TRUTH["poisson"])
    with pytest.raises(ModelError, match=r"poisson, negbin\. Did you mean 'negbin'"):
        lp.NMixture(distribution="negbinom")
    with pytest.raises(ModelError, match="Poisson law has no size"):
        lp.NMixture(size="~ height")
    with pytest.raises(ModelError, match="takes no mask"):
        lp.NMixture().parameters(counts, "mask")
    effort = np.array([[2.0, np.nan]])
    bad = lp.DetectionHistory.from_tables([[1, 0]], response="count", visit_covariates={"effort": effort})
    with pytest.raises(DataError, match=r"effort of visit 2 to site '1' is nan: a count needs"):
        lp.CountOccupancy().log_likelihood(bad, parameters=TRUTH["counts"])
