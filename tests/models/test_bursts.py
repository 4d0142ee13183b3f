"""Negative-binomial counts: likelihood, gradient, simulation, engines, words."""

from __future__ import annotations

import math
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import leopardpop as lp
from leopardpop.errors import ModelError
from leopardpop.models.likelihood.bursts import damped
from tests.reference.coefficients import survey_pieces
from tests.reference.datasets import library_history, library_masks
from tests.reference.designs import CLASSES, Design, make_survey
from tests.verification.surveys import informative_priors, small_design

TRUTH = {"D": 0.1, "lambda0": 0.4, "sigma": 2000.0, "size": 0.3}
DESIGNS = [
    Design(detector="count", layout=layout, mask=mask, effort="varying", sex=sex, removal=removal)
    for layout, mask, sex, removal in [
        ("one session", "lattice", "none", False),
        ("one session", "irregular", CLASSES[-1], True),
        ("two sessions", "lattice", CLASSES[-1], False),
    ]
]


def values_of(function: str, sex: str) -> dict[str, float]:
    """Values on the link scale; λ0 is of the order of the size, so that neither limit holds."""
    baseline = "g0" if function.startswith("Probability") else "lambda0"
    values = {
        "D[Intercept]": math.log(0.25),
        f"{baseline}[Intercept]": math.log(0.2),
        f"{baseline}[lure[yes]]": 0.4,
        "sigma[Intercept]": math.log(1100.0),
        "size[Intercept]": math.log(0.15),
        "size[lure[yes]]": -0.6,
    }
    if sex != "none":
        values |= {f"{baseline}[sex[M]]": 0.3, "sigma[sex[M]]": 0.35, "pmix[M]": -0.4}
    return values | ({"z[Intercept]": math.log(3.5)} if function == "HazardRate" else {})


def model_of(function: str, sex: str) -> lp.SCR:
    by_sex = sex != "none"
    baseline = "g0" if function.startswith("Probability") else "lambda0"
    formulas = {baseline: "~ lure + sex" if by_sex else "~ lure", "sigma": "~ sex" if by_sex else "~ 1"}
    detection = getattr(lp, function)(**formulas)
    return lp.SCR(detection=detection, classes="sex" if by_sex else None, counts="negbin", size="~ lure")


@cache
def simulated() -> tuple[lp.CaptureHistory, lp.Mask]:
    history, _ = small_design("count")
    mask = lp.Mask.around(history, buffer=7_000, spacing=2_000)
    return lp.SCR(counts="negbin").simulate(history, mask, parameters=TRUTH, seed=3).history, mask


@pytest.mark.parametrize("function", ["HalfNormal", "HazardRate", "ProbabilityExponential"])
@pytest.mark.parametrize("design", DESIGNS, ids=str)
def test_agrees_with_the_naive_likelihood(design: Design, function: str) -> None:
    survey = make_survey(design)
    values = values_of(function, design.sex)
    classes = "sex" if design.sex != "none" else None
    naive = sum(piece.poisson() for piece in survey_pieces(survey, function, values, classes))
    model = model_of(function, design.sex)
    ours = model.log_likelihood(library_history(survey), library_masks(survey), parameters=pd.Series(values))
    assert ours == pytest.approx(naive, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("design", DESIGNS, ids=str)
def test_gradient(design: Design) -> None:
    survey = make_survey(design)
    values = values_of("HalfNormal", design.sex)
    problem = model_of("HalfNormal", design.sex)._problem(library_history(survey), library_masks(survey))
    theta = problem.to_theta(np.array([values[label] for label in problem.labels]))
    for function in (problem.log_likelihood_gradient, problem.gradient):
        steps = 1e-5 * np.eye(len(theta))
        differences = [(function(theta + e)[0] - function(theta - e)[0]) / 2e-5 for e in steps]
        assert function(theta)[1] == pytest.approx(np.array(differences), rel=2e-6, abs=1e-6)


def test_by_hand() -> None:
    """One station with effort 2, one cell on it, counts 3 and 0 by two animals of which one was never seen.

    λ = 0.5, r = 0.25: size 0.5, Pr(0) = (1/3)^0.5, Pr(3) = Γ(3.5)/(Γ(0.5) 3!) · (1/3)^0.5 (2/3)^3.
    """
    stations = pd.DataFrame({"station": ["A"], "x": [0.0], "y": [0.0], "effort": [2.0]})
    captures = pd.DataFrame({"individual": ["i"], "station": ["A"], "occasion": [1], "count": [3]})
    history = lp.CaptureHistory.from_tables(captures, stations, effort="effort", detector="count", occasions=1)
    mask = lp.Mask.from_table(pd.DataFrame({"x": [0.0], "y": [0.0]}), cell_area=4.0)
    values = {"D": 0.5, "lambda0": 0.5, "sigma": 1000.0, "size": 0.25}
    none = math.sqrt(1 / 3)
    three = 2.5 * 1.5 * 0.5 / 6 * none * (2 / 3) ** 3
    expected = math.log(2.0 * three) - 2.0 * (1 - none)
    ours = lp.SCR(counts="negbin").log_likelihood(history, mask, parameters=values)
    assert ours == pytest.approx(expected, abs=1e-12)


@given(st.floats(-8, 4), st.floats(-6, 6))
def test_damped_hazards(log_hazard: float, log_size: float) -> None:
    """h is at most λ, grows with r, and its slope is that of log(λ/(1 + λ/r))."""
    hazard, size = np.exp([[log_hazard]]), np.exp([[log_size]])
    found = damped(hazard, size)
    assert 0 < found.void[0, 0] <= hazard[0, 0] * (1 + 1e-12)
    assert found.void[0, 0] <= damped(hazard, 1.1 * size).void[0, 0] * (1 + 1e-12)
    up, down = (log_hazard + e - damped(np.exp([[log_hazard + e]]), size).log_excess[0, 0] for e in (1e-4, -1e-4))
    assert found.slope[0, 0] == pytest.approx((up - down) / 2e-4, rel=1e-5, abs=1e-9)


def test_a_large_size_is_poisson() -> None:
    history, mask = simulated()
    values = {name: value for name, value in TRUTH.items() if name != "size"}
    poisson = lp.SCR().log_likelihood(history, mask, parameters=values)
    large = lp.SCR(counts="negbin").log_likelihood(history, mask, parameters={**values, "size": 1e9})
    assert large == pytest.approx(poisson, abs=1e-4)


def test_effort_may_be_split_over_occasions_without_counts() -> None:
    """A gamma process: all that is counted on one occasion of effort 3, and effort 2 in one or two more."""
    history, mask = simulated()
    counts = history.detections.groupby(["individual", "station"], as_index=False)["count"].sum()

    def value(effort: dict[str, float], occasion: str) -> float:
        table = history.stations[["station"]].assign(**effort)
        captures = counts.assign(occasion=occasion)
        split = lp.CaptureHistory.from_tables(captures, history.stations, effort=table, detector="count")
        return lp.SCR(counts="negbin").log_likelihood(split, mask, parameters=TRUTH)

    assert value({"1": 1.0, "2": 3.0, "3": 1.0}, "2") == pytest.approx(value({"1": 3.0, "2": 2.0}, "1"), abs=1e-9)


def test_simulated_counts_have_the_moments() -> None:
    """All centres at the station: mean Tλ = 1.2, variance 1.2 (1 + 0.6/0.3) = 3.6, none (1/3)^0.6."""
    stations = pd.DataFrame({"station": ["A"], "x": [0.0], "y": [0.0], "effort": [2.0]})
    history = lp.CaptureHistory.from_tables(None, stations, effort="effort", detector="count", occasions=1)
    mask = lp.Mask.from_table(pd.DataFrame({"x": [0.0], "y": [0.0]}), cell_area=4.0)
    values = {"D": 5_000.0, "lambda0": 0.6, "sigma": 1000.0, "size": 0.3}
    sim = lp.SCR(counts="negbin").simulate(history, mask, parameters=values, seed=7)
    n = int(sim.truth.N.sum())
    counts = sim.history.detections["count"].to_numpy()
    assert counts.sum() / n == pytest.approx(1.2, abs=4 * math.sqrt(3.6 / n))
    assert (counts**2).sum() / n - (counts.sum() / n) ** 2 == pytest.approx(3.6, rel=0.08)
    assert len(counts) / n == pytest.approx(1 - (1 / 3) ** 0.6, abs=4 * math.sqrt(0.25 / n))


def test_graph_and_both_forms_of_the_posterior_agree() -> None:
    history, mask = simulated()
    model = lp.SCR(counts="negbin")
    problem = model._problem(history, mask)
    built = model.build(history, mask)
    point = built.initial_point()
    theta = np.array([float(point[f"{name}_reference_log__"]) for name in ("D", "lambda0", "sigma", "size")])
    assert float(built.compile_logp()(point)) == pytest.approx(problem.value(theta), abs=1e-8)
    many = np.stack([theta, theta + 0.1])
    together = problem.log_posteriors(many, problem.pointwise(many))
    assert together == pytest.approx([problem.value(each) for each in many], abs=1e-8)


def test_maximum_beside_that_of_poisson() -> None:
    """The Poisson law is its limit: the maximum cannot be lower; these counts have variance 1.2 + 1.2²/0.3."""
    history, mask = simulated()
    bursts = lp.SCR(counts="negbin").maximum_likelihood(history, mask)
    poisson = lp.SCR().maximum_likelihood(history, mask)
    assert bursts.converged
    assert bursts.log_likelihood > poisson.log_likelihood + 3
    assert bursts.estimates.loc["size", "lower"] < 0.3 < bursts.estimates.loc["size", "upper"]
    assert bursts.estimates.loc["size", "unit"] == "1/occasion"
    assert lp.compare({"bursts": bursts, "poisson": poisson}).index[0] == "bursts"


def test_a_fit_from_end_to_end(tmp_path: Path) -> None:
    history, mask = simulated()
    model = lp.SCR(counts="negbin")
    table = model.parameters(history, mask).set_index("name")
    assert table.loc["size", "prior"].startswith('Prior("LogNormal", mu=-1.60943')  # five occasions: log(1/5)
    fit = model.fit(history, mask, engine="laplace", seed=1, draws=250)
    assert fit.trusted
    assert fit.posterior["size"].attrs["units"] == "1/occasion"
    low, high = fit.summary().loc["size", ["eti95_lb", "eti95_ub"]]
    assert low < 0.3 < high
    likelihood = fit.data_tree["log_likelihood"]
    total = likelihood["capture"].sum("individual") + likelihood["n_detected"].sum("session")
    assert np.isfinite(total.to_numpy()).all()
    fit.save(tmp_path / "fit.nc")
    back = lp.load_fit(tmp_path / "fit.nc")
    assert back.model == model
    assert back.summary().to_string() == fit.summary().to_string()
    text = fit.report(tmp_path / "report.html").read_text(encoding="utf-8")
    assert "negative binomial" in text
    assert "negative binomial" in model._repr_html_()
    assert len(fit.plot.detection().lines) >= 1


def test_what_cannot_be_is_said() -> None:
    history, mask = small_design("proximity")
    with pytest.raises(ModelError, match=r"counts='negbinom'.*Did you mean 'negbin'"):
        lp.SCR(counts="negbinom")  # type: ignore[arg-type]
    with pytest.raises(ModelError, match='Give counts="negbin"'):
        lp.SCR(size="~ lure")
    with pytest.raises(ModelError, match="for the detector \"count\", and this history has 'proximity'"):
        lp.SCR(counts="negbin").parameters(history, mask)
    with pytest.raises(ModelError, match=r"negbin.* with two flanks: in a burst"):
        lp.TwoFlanks(model=lp.SCR(counts="negbin"))
    counted, mask = small_design("count")
    model = lp.SCR(detection=lp.HalfNormal(lambda0="~ sex"), classes="sex", counts="negbin", size="~ sex")
    with pytest.raises(ModelError, match="names the classes, 'sex'"):
        model.parameters(counted, mask)


@pytest.mark.verification
@pytest.mark.filterwarnings("ignore::leopardpop.errors.LeopardpopWarning")
def test_recovery_and_what_poisson_would_say() -> None:
    """60 surveys: intervals of log N cover; those of the Poisson law of the same counts are too narrow."""
    design, mask = small_design("count")
    model, other = lp.SCR(counts="negbin"), lp.SCR()
    errors, covered, poisson = [], dict.fromkeys(TRUTH, 0), 0
    for seed in range(60):
        history = model.simulate(design, mask, parameters=TRUTH, seed=seed).history
        table = model.maximum_likelihood(history, mask).estimates
        errors.append(np.log(table["estimate"] / pd.Series(TRUTH)))
        for name, truth in TRUTH.items():
            covered[name] += bool(table.loc[name, "lower"] < truth < table.loc[name, "upper"])
        plain = other.maximum_likelihood(history, mask).estimates.loc["sigma"]
        poisson += bool(plain["lower"] < TRUTH["sigma"] < plain["upper"])
    mean, sd = pd.DataFrame(errors).mean(), pd.DataFrame(errors).std()
    assert (mean.abs() < 0.08 + 3 * sd / math.sqrt(60)).all(), mean
    assert min(covered.values()) >= 51, covered  # 95 % less four standard errors of a share of 60
    assert poisson < covered["sigma"]


@pytest.mark.verification
@pytest.mark.timeout(900)
@pytest.mark.filterwarnings("ignore::leopardpop.errors.LeopardpopWarning")
def test_laplace_and_nuts_agree() -> None:
    history, mask = simulated()
    model = lp.SCR(counts="negbin", priors=informative_priors())
    quick = model.fit(history, mask, engine="laplace", draws=1000, seed=1, min_ess=2000)
    slow = model.fit(history, mask, engine="nuts", draws=600, chains=2, seed=2, tune=400, progressbar=False)
    for name in ("lambda0", "sigma", "E_N", "size"):
        a, b = (np.log(fit.posterior[name].to_numpy().ravel()) for fit in (quick, slow))
        assert abs(a.mean() - b.mean()) < 0.2 * b.std(), name
        assert abs(a.std() / b.std() - 1) < 0.15, name
