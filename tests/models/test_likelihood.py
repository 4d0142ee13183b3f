"""The library's likelihood against the naive one, and its gradient against finite differences.

Every detector x detection function x session layout x classes, on regular and irregular masks (the separable and the
dense form), with plain and varying effort, with and without a removal.
"""

from __future__ import annotations

import itertools
import math
import zlib
from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import pytest

import leopardpop as lp
from leopardpop.models.problem import Problem
from tests.reference.coefficients import survey_pieces
from tests.reference.datasets import PlainSurvey, library_history, library_masks
from tests.reference.designs import CLASSES, EFFORTS, LAYOUTS, Design, make_large_survey, make_survey
from tests.reference.scr import PlainSession

DETECTORS = ("count", "proximity", "multi")
FUNCTIONS = (
    "HalfNormal",
    "Exponential",
    "HazardRate",
    "ProbabilityHalfNormal",
    "ProbabilityExponential",
    "ProbabilityHazardRate",
)


def near(value: float) -> object:
    """Within 1e-9, absolute or relative to the magnitude."""
    return pytest.approx(value, rel=1e-9, abs=1e-9)


def baseline(function: str) -> str:
    return "g0" if function.startswith("Probability") else "lambda0"


def coefficients(function: str, sex: str = "none") -> dict[str, float]:
    """Values that make neither certain nor hopeless detection, on the link scale."""
    name = baseline(function)
    values = {
        "D[Intercept]": math.log(0.25),
        "D[snow]": 0.012,
        f"{name}[Intercept]": math.log(0.08),
        f"{name}[lure[yes]]": 0.4,
        "sigma[Intercept]": math.log(1100.0),
    }
    if sex != "none":
        values |= {f"{name}[sex[M]]": 0.3, "sigma[sex[M]]": 0.35, "pmix[M]": -0.4}
    return values | ({"z[Intercept]": math.log(3.5)} if function.endswith("HazardRate") else {})


def make_model(function: str, sex: str = "none") -> lp.SCR:
    by_sex = sex != "none"
    formulas = {baseline(function): "~ lure + sex" if by_sex else "~ lure", "sigma": "~ sex" if by_sex else "~ 1"}
    detection = getattr(lp, function)(**formulas)
    return lp.SCR(density="~ snow", detection=detection, classes="sex" if by_sex else None)


@cache
def prepared(design: Design) -> tuple[PlainSurvey, lp.CaptureHistory, lp.Mask | dict[str, lp.Mask]]:
    survey = make_survey(design)
    return survey, library_history(survey), library_masks(survey)


def naive(survey: PlainSurvey, function: str, values: dict[str, float], classes: str | None = None) -> float:
    return sum(piece.poisson() for piece in survey_pieces(survey, function, values, classes))


def designs(detector: str, layout: str, sex: str) -> list[Design]:
    """All masks, efforts and removals that the layout allows."""
    varied = itertools.product(("lattice", "irregular"), ("one", "varying"), (False, True))
    every = [
        Design(detector=detector, layout=layout, sex=sex, mask=mask, effort=effort, removal=removal)
        for mask, effort, removal in varied
    ]
    return [design for design in every if design.possible]


LAYOUTS_AND_CLASSES = [(layout, sex) for layout in LAYOUTS for sex in CLASSES if designs("count", layout, sex)]


@pytest.mark.parametrize("layout, sex", LAYOUTS_AND_CLASSES)
@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("detector", DETECTORS)
def test_agrees_with_the_naive_likelihood(detector: str, function: str, layout: str, sex: str) -> None:
    model, values = make_model(function, sex), coefficients(function, sex)
    for design in designs(detector, layout, sex):
        if "HalfNormal" not in function and (design.mask == "lattice") ^ (design.effort == "one") ^ design.removal:
            continue  # one form for both masks: half of the designs will do
        survey, history, masks = prepared(design)
        ours = model.log_likelihood(history, masks, parameters=pd.Series(values))
        assert ours == near(naive(survey, function, values, model.classes)), str(design)


@pytest.mark.parametrize("layout, sex", [("one session", "none"), ("two sessions", "none")])
@pytest.mark.parametrize("detector", DETECTORS)
def test_a_binomial_number_has_its_own_likelihood(detector: str, layout: str, sex: str) -> None:
    """The value of the model that was asked, not of the Poisson one."""
    model, values = make_model("HalfNormal", sex), coefficients("HalfNormal", sex)
    binomial = replace(model, distribution="binomial")
    survey, history, masks = prepared(designs(detector, layout, sex)[0])
    found = binomial.log_likelihood(history, masks, parameters=pd.Series(values))
    expected = sum(piece.binomial() for piece in survey_pieces(survey, "HalfNormal", values, model.classes))
    assert found == near(expected)
    assert found != near(model.log_likelihood(history, masks, parameters=pd.Series(values)))
    fewer = values | {"D[Intercept]": -20.0}
    assert binomial.log_likelihood(history, masks, parameters=pd.Series(fewer)) == -math.inf


FORMULAS = [
    ("~ session", {}, {"D[session[2022]]": 0.5}),
    ("~ year", {}, {"D[year]": -0.3}),
    ("~ snow + session", {}, {"D[snow]": 0.01, "D[session[2022]]": 0.5}),
    ("~ 1", {"lambda0": "~ session"}, {"lambda0[session[2022]]": -0.6}),
    ("~ 1", {"sigma": "~ canopy"}, {"sigma[canopy]": 0.004}),
    ("~ 1", {"sigma": "~ session", "lambda0": "~ canopy + lure"}, {
        "sigma[session[2022]]": 0.2, "lambda0[canopy]": -0.01, "lambda0[lure[yes]]": 0.3,
    }),
]  # fmt: skip


@pytest.mark.parametrize("density, formulas, slopes", FORMULAS)
@pytest.mark.parametrize("mask", ["lattice", "irregular"])
@pytest.mark.parametrize("detector", DETECTORS)
def test_formulas(detector: str, mask: str, density: str, formulas: dict[str, str], slopes: dict[str, float]) -> None:
    survey, history, masks = prepared(Design(detector=detector, layout="two sessions", mask=mask, effort="varying"))
    values = {"D[Intercept]": math.log(0.3), "lambda0[Intercept]": math.log(0.1), "sigma[Intercept]": math.log(1200.0)}
    model = lp.SCR(density=density, detection=lp.HalfNormal(**formulas))
    ours = model.log_likelihood(history, masks, parameters=pd.Series(values | slopes))
    assert ours == near(naive(survey, "HalfNormal", values | slopes))


def test_natural_scale_is_the_link_scale_at_the_reference() -> None:
    survey, history, masks = prepared(Design(detector="proximity", layout="two sessions", sex="partly known"))
    model = lp.SCR(detection=lp.ProbabilityHalfNormal(g0="~ sex", sigma="~ sex"), classes="sex")
    values = {"D": 0.3, "g0": 0.1, "sigma": 1200.0, "g0[sex[M]]": 0.2, "sigma[sex[M]]": 0.4, "pmix[M]": -0.3}
    link = {
        "D[Intercept]": math.log(0.3),
        "g0[Intercept]": math.log(0.1 / 0.9),
        "sigma[Intercept]": math.log(1200.0),
        "g0[sex[M]]": 0.2,
        "sigma[sex[M]]": 0.4,
        "pmix[M]": -0.3,
    }
    expected = near(naive(survey, "ProbabilityHalfNormal", link, "sex"))
    assert model.log_likelihood(history, masks, parameters=values) == expected
    assert model.log_likelihood(history, masks, parameters=pd.Series(link)) == expected


def test_reference_of_a_covariate_is_its_mean() -> None:
    """D on the natural scale is the density where snow is average over the cells of all sessions."""
    survey, history, masks = prepared(Design(detector="count", layout="two sessions"))
    snow = np.concatenate([session.cell_covariates["snow"] for session in survey.sessions])
    natural = {"D": 0.3, "D[snow]": 0.02, "lambda0": 0.1, "sigma": 1200.0}
    link = {
        "D[Intercept]": math.log(0.3) - 0.02 * snow.mean(),
        "D[snow]": 0.02,
        "lambda0[Intercept]": math.log(0.1),
        "sigma[Intercept]": math.log(1200.0),
    }
    ours = lp.SCR(density="~ snow").log_likelihood(history, masks, parameters=natural)
    assert ours == near(naive(survey, "HalfNormal", link))


# --- the pieces --------------------------------------------------------------------------------------


def problem_and_survey(design: Design, function: str) -> tuple[Problem, PlainSurvey, np.ndarray]:
    """The prepared problem, and its coordinates at the coefficients of these tests."""
    survey, history, masks = prepared(design)
    problem = Problem(make_model(function, design.sex), history, masks)
    values = coefficients(function, design.sex)
    return problem, survey, problem.to_theta(np.array([values[label] for label in problem.labels]))


SEVERAL = [
    Design(detector=detector, layout=layout, mask=mask, effort="varying", removal=True, sex=sex)
    for detector, (layout, sex), mask in itertools.product(
        DETECTORS,
        [("two sessions", "none"), ("two sessions", "partly known"), ("an empty session", "known")],
        ("lattice", "irregular"),
    )
]


@pytest.mark.parametrize("function", ["HalfNormal", "ProbabilityExponential"])
@pytest.mark.parametrize("design", SEVERAL, ids=str)
def test_pointwise_pieces(design: Design, function: str) -> None:
    """One value an animal and one a session, and together they are the log-likelihood."""
    problem, survey, theta = problem_and_survey(design, function)
    classes = None if design.sex == "none" else "sex"
    expected = survey_pieces(survey, function, coefficients(function, design.sex), classes)
    pointwise = problem.pointwise(theta)
    assert pointwise.capture == near(np.concatenate([piece.capture() for piece in expected]))
    assert pointwise.n_detected == near([piece.n_detected() for piece in expected])
    total = float(np.sum(pointwise.capture) + np.sum(pointwise.n_detected))
    assert total == pytest.approx(problem.log_likelihood(theta), rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("design", SEVERAL, ids=str)
def test_where_animals_live(design: Design) -> None:
    """Activity centres, undetected animals (by class) and density, by cell."""
    problem, survey, theta = problem_and_survey(design, "HalfNormal")
    classes = None if design.sex == "none" else "sex"
    expected = survey_pieces(survey, "HalfNormal", coefficients("HalfNormal", design.sex), classes)
    for session, piece, centres, classes_of, undetected, pdot, density in zip(
        survey.sessions,
        expected,
        problem.centres(theta),
        problem.classes(theta),
        problem.undetected(theta),
        problem.pdot(theta),
        problem.density(theta),
        strict=True,
    ):
        assert centres == pytest.approx(piece.centres, rel=1e-8, abs=1e-14)
        assert classes_of == pytest.approx(piece.class_shares, rel=1e-8, abs=1e-14)
        assert undetected.sum(axis=0) == pytest.approx(piece.undetected, rel=1e-9)
        assert pdot == pytest.approx(piece.detectable, rel=1e-9, abs=1e-14)
        assert density @ session.area == near(piece.expected)
        assert len(session.animals) == len(centres)


# --- the graph ---------------------------------------------------------------------------------------


GRAPHS = [
    pytest.param(function, marks=[pytest.mark.verification] * function.endswith("Exponential"))  # each is compiled
    for function in FUNCTIONS
]


@pytest.mark.parametrize("function", GRAPHS)
@pytest.mark.parametrize("detector", DETECTORS)
def test_graph_agrees_with_the_naive_likelihood(detector: str, function: str) -> None:
    """The PyTensor form that samplers and users extend, at the coefficients that it reports itself."""
    pytensor = pytest.importorskip("pytensor")
    design = Design(detector=detector, layout="two sessions", effort="varying", removal=True, sex="partly known")
    survey, history, masks = prepared(design)
    model = make_model(function, design.sex).build(history, masks)
    coefficients_of = [v for v in model.deterministics if v.name.endswith("_beta")]
    outputs = [model.logp(vars=model.potentials), model["pmix"], *coefficients_of]
    graph = pytensor.function(
        model.value_vars, model.replace_rvs_by_values(outputs), mode="FAST_COMPILE", on_unused_input="ignore"
    )
    rng = np.random.default_rng(7)
    point = {name: value + rng.normal(0.0, 0.1, np.shape(value)) for name, value in model.initial_point().items()}
    value, pmix, *betas = graph(**point)
    values = {"pmix[M]": math.log(pmix[1] / pmix[0])}
    for variable, beta in zip(coefficients_of, betas, strict=True):
        name = variable.name.removesuffix("_beta")
        labels = model.coords[f"{name}_coef"]
        values |= {f"{name}[{label}]": float(b) for label, b in zip(labels, beta, strict=True)}
    assert float(value) == near(naive(survey, function, values, "sex"))


# --- gradients ---------------------------------------------------------------------------------------


def finite_differences(function: object, theta: np.ndarray, step: float = 2e-3) -> np.ndarray:
    """Central differences of sixth order: the error is of the order of step**6."""
    weights = {1: 3 / 4, 2: -3 / 20, 3: 1 / 60}
    gradient = np.zeros_like(theta)
    for j in range(len(theta)):
        for k, weight in weights.items():
            shift = np.zeros_like(theta)
            shift[j] = k * step
            gradient[j] += weight * (function(theta + shift) - function(theta - shift)) / step  # type: ignore[operator]
    return gradient


@pytest.mark.parametrize("sex", ["none", "partly known"])
@pytest.mark.parametrize("mask", ["lattice", "irregular"])
@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("detector", DETECTORS)
def test_gradient(detector: str, function: str, mask: str, sex: str) -> None:
    design = Design(detector=detector, layout="two sessions", mask=mask, effort="varying", removal=True, sex=sex)
    problem, _, theta = problem_and_survey(design, function)
    for value, with_gradient in [
        (problem.log_likelihood, problem.log_likelihood_gradient),
        (problem.log_posterior, problem.log_posterior_gradient),
    ]:
        expected = finite_differences(value, theta)
        ours, gradient = with_gradient(theta)
        assert ours == pytest.approx(value(theta), rel=1e-12)
        assert gradient == pytest.approx(expected, rel=1e-6, abs=1e-6 * np.abs(expected).max())


@pytest.mark.parametrize("layout", ["one animal", "no captures", "an empty session"])
@pytest.mark.parametrize("function", ["HalfNormal", "HazardRate", "ProbabilityHalfNormal"])
@pytest.mark.parametrize("detector", DETECTORS)
def test_gradient_with_few_animals(detector: str, function: str, layout: str) -> None:
    problem, _, theta = problem_and_survey(Design(detector=detector, layout=layout, effort="varying"), function)
    expected = finite_differences(problem.log_likelihood, theta)
    _, gradient = problem.log_likelihood_gradient(theta)
    assert gradient == pytest.approx(expected, rel=1e-6, abs=1e-6 * np.abs(expected).max())


# --- where numbers get hard --------------------------------------------------------------------------


HARD = {
    "sigma 15 m": {"sigma": math.log(15.0)},
    "sigma 60 m": {"sigma": math.log(60.0)},
    "sigma 30 km": {"sigma": math.log(30_000.0)},
    "hardly ever detected": {"lambda0": math.log(1e-9), "g0": math.log(1e-9)},
    "always detected": {"lambda0": math.log(30.0), "g0": 12.0},
    "always detected at 60 m": {"lambda0": math.log(30.0), "g0": 12.0, "sigma": math.log(60.0)},
    "hardly any animals": {"D": math.log(1e-6)},
}


@pytest.mark.parametrize("sex", ["none", "partly known"])
@pytest.mark.parametrize("mask", ["lattice", "irregular"])
@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("detector", DETECTORS)
def test_extreme_values(detector: str, function: str, mask: str, sex: str) -> None:
    """Stations kilometres apart at sigma = 15 m: the hazard underflows, the likelihood must not."""
    survey, history, masks = prepared(Design(detector=detector, mask=mask, effort="varying", sex=sex))
    problem = Problem(make_model(function, sex), history, masks)
    for name, changes in HARD.items():
        values = coefficients(function, sex)
        values |= {f"{key}[Intercept]": v for key, v in changes.items() if f"{key}[Intercept]" in values}
        theta = problem.to_theta(np.array([values[label] for label in problem.labels]))
        expected = naive(survey, function, values, None if sex == "none" else "sex")
        assert math.isfinite(expected)
        value, gradient = problem.log_likelihood_gradient(theta)
        assert value == near(expected), name
        slopes = finite_differences(problem.log_likelihood, theta, step=5e-4)
        assert gradient == pytest.approx(slopes, rel=1e-5, abs=1e-6 * np.abs(slopes).max()), name


def hard_working_stations(detector: str, n_occasions: int, effort: float) -> PlainSurvey:
    """Three stations and two animals, one of them at its station on nearly every occasion."""
    x, y = np.meshgrid(np.arange(0.0, 8000.0, 1000.0), np.arange(0.0, 8000.0, 1000.0))
    busy = n_occasions - max(1, n_occasions // 9)
    rows = [(0, 0, s, 1) for s in range(busy)] + [(0, 1, s, 1) for s in range(busy, n_occasions)] + [(1, 1, 0, 1)]
    session = PlainSession(
        label="1",
        animals=["a", "b"],
        stations=["A", "B", "C"],
        xy=np.array([[3000.0, 3000.0], [5000.0, 3000.0], [3000.0, 6000.0]]),
        effort=np.full((3, n_occasions), effort),
        detections=rows,
        cells=np.column_stack([x.ravel(), y.ravel()]),
        area=np.ones(x.size),
    )
    return PlainSurvey([session], detector, "day")


@pytest.mark.parametrize("n_occasions, effort", [(900, 1.0), (2, 600.0), (2, 1050.0), (2, 5000.0)])
@pytest.mark.parametrize("function", ["HalfNormal", "ProbabilityHalfNormal"])
@pytest.mark.parametrize("detector", DETECTORS)
def test_total_hazards_of_hundreds(detector: str, function: str, n_occasions: int, effort: float) -> None:
    """exp(-hazard) underflows on the linear scale in cells where a busy animal most probably lives."""
    survey = hard_working_stations(detector, n_occasions, effort)
    problem = Problem(lp.SCR(detection=getattr(lp, function)()), library_history(survey), library_masks(survey))
    name = baseline(function)
    for probability, sigma in itertools.product((0.3, 0.49), (300.0, 2000.0)):
        values = {"D[Intercept]": 0.0, "sigma[Intercept]": math.log(sigma)}
        values[f"{name}[Intercept]"] = math.log(probability) - (name == "g0") * math.log1p(-probability)
        theta = problem.to_theta(np.array([values[label] for label in problem.labels]))
        value, gradient = problem.log_likelihood_gradient(theta)
        assert value == near(naive(survey, function, values)), (probability, sigma)
        assert np.isfinite(gradient).all()


@pytest.mark.verification
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("removal", [False, True])
@pytest.mark.parametrize("sex", ["none", "partly known"])
@pytest.mark.parametrize("effort", EFFORTS)
@pytest.mark.parametrize("function", ["HalfNormal", "ProbabilityHalfNormal"])
@pytest.mark.parametrize("detector", DETECTORS)
def test_random_values(detector: str, function: str, effort: str, sex: str, removal: bool, seed: int) -> None:
    """Wherever an optimiser or a sampler may go, each shortcut answers as the naive likelihood does."""
    rng = np.random.default_rng([seed, zlib.crc32(f"{detector} {function} {effort} {sex} {removal}".encode())])
    survey = make_large_survey(rng, detector, effort, sex, removal)
    name, by_sex = baseline(function), sex != "none"
    detection = getattr(lp, function)(**{name: "~ lure + sex" if by_sex else "~ lure", "sigma": "~ canopy"})
    model = lp.SCR(density="~ snow", detection=detection, classes="sex" if by_sex else None)
    problem = Problem(model, library_history(survey), library_masks(survey))
    for _ in range(8):
        values = {
            "D[Intercept]": rng.uniform(-5.0, 2.0),
            "D[snow]": rng.normal(0.0, 0.5),
            f"{name}[Intercept]": rng.uniform(-9.0, 2.0 if name == "lambda0" else 4.0),
            f"{name}[lure[yes]]": rng.normal(0.0, 0.7),
            "sigma[Intercept]": math.log(rng.uniform(300.0, 9000.0)),
            "sigma[canopy]": rng.normal(0.0, 0.005),
        }
        if by_sex:
            values |= {f"{name}[sex[M]]": rng.normal(0.0, 0.5), "pmix[M]": rng.normal()}
        theta = problem.to_theta(np.array([values[label] for label in problem.labels]))
        value, gradient = problem.log_likelihood_gradient(theta)
        assert value == near(naive(survey, function, values, model.classes)), values
        slopes = finite_differences(problem.log_likelihood, theta, step=3e-5)
        assert gradient == pytest.approx(slopes, rel=1e-5, abs=1e-5 * np.abs(slopes).max()), values


def test_both_forms_are_met() -> None:
    """What these tests are for: a lattice takes the separable form, scattered cells the dense one."""
    forms = {}
    for mask, function in itertools.product(("lattice", "irregular"), ("HalfNormal", "HazardRate")):
        problem, _, _ = problem_and_survey(Design(detector="proximity", mask=mask), function)
        forms[mask, function] = type(problem.sessions[0].form).__name__
    assert forms.pop(("lattice", "HalfNormal")) == "SeparableForm"
    assert set(forms.values()) == {"DenseForm"}


# --- collapsing occasions ----------------------------------------------------------------------------


@pytest.mark.parametrize("sex", ["none", "partly known"])
@pytest.mark.parametrize("mask", ["lattice", "irregular"])
@pytest.mark.parametrize("function", ["HalfNormal", "ProbabilityHalfNormal", "HazardRate"])
@pytest.mark.parametrize("detector", DETECTORS)
def test_collapsed_equals_uncollapsed(detector: str, function: str, mask: str, sex: str) -> None:
    """Effort that differs by a trillionth from one occasion to the next cannot be collapsed, yet means the same."""
    survey, history, masks = prepared(Design(detector=detector, mask=mask, sex=sex))
    jitter = 1.0 + 1e-13 * np.arange(1.0, survey.sessions[0].effort.size + 1.0).reshape(survey.sessions[0].effort.shape)
    uneven = replace(survey, sessions=[replace(survey.sessions[0], effort=survey.sessions[0].effort * jitter)])
    model, values = make_model(function, sex), pd.Series(coefficients(function, sex))
    collapsed = model.log_likelihood(history, masks, parameters=values)
    assert model.log_likelihood(library_history(uneven), masks, parameters=values) == near(collapsed)


@pytest.mark.parametrize("mask", ["lattice", "irregular"])
@pytest.mark.parametrize("function", FUNCTIONS)
def test_counts_of_a_split_occasion(function: str, mask: str) -> None:
    """Splitting each occasion's effort and counts adds a multinomial constant, free of all parameters."""
    survey, history, masks = prepared(Design(detector="count", mask=mask, effort="varying"))
    session = survey.sessions[0]
    share = 0.3
    n_occasions = session.effort.shape[1]
    detections, constant = [], 0.0
    for i, k, s, y in session.detections:
        first = y // 2
        parts = [(s, first, share), (s + n_occasions, y - first, 1.0 - share)]
        detections += [(i, k, when, part) for when, part, _ in parts if part]
        constant += math.log(math.comb(y, first)) + sum(part * math.log(p) for _, part, p in parts)
    effort = np.hstack([share * session.effort, (1.0 - share) * session.effort])
    split = replace(survey, sessions=[replace(session, effort=effort, detections=detections, exposure=[])])
    model = make_model(function)
    for shift in (0.0, 0.2):
        values = {label: value + shift for label, value in coefficients(function).items()}
        whole = model.log_likelihood(history, masks, parameters=pd.Series(values))
        ours = model.log_likelihood(library_history(split), masks, parameters=pd.Series(values))
        assert ours == near(whole + constant)


@pytest.mark.parametrize("detector", DETECTORS)
def test_many_equal_occasions(detector: str) -> None:
    """Forty occasions of one animal: no binomial coefficient, whatever is collapsed on the way."""
    survey = make_survey(Design(detector=detector))
    session = survey.sessions[0]
    effort = np.ones((len(session.stations), 40))
    detections = [(i, k, s + 3 * copy, y) for i, k, s, y in session.detections for copy in range(12)]
    long = replace(survey, sessions=[replace(session, effort=effort, detections=detections, exposure=[])])
    values = coefficients("HalfNormal")
    ours = make_model("HalfNormal").log_likelihood(
        library_history(long), library_masks(long), parameters=pd.Series(values)
    )
    assert ours == near(naive(long, "HalfNormal", values))
