"""Random effects in capture-recapture: the joint density against a naive twin, gradients, the graph, results, words."""

from __future__ import annotations

import warnings
from functools import cache

import numpy as np
import pandas as pd
import pytest

import leopardpop as lp
from leopardpop.errors import LeopardpopWarning, ModelError, SparseDataWarning
from leopardpop.models.graph import point_of
from leopardpop.models.problem import Problem
from tests.reference.datasets import library_history, library_masks
from tests.reference.designs import Design, make_survey
from tests.reference.pooling import log_effects, pooled_pieces

FORMULAS = {
    "session": {"D": "~ (1 | session)", "sigma": "~ 1 + (1 | session)", "lambda0": "~ 1"},
    "station": {"D": "~ snow + (1 | session)", "sigma": "~ (1 | lure)", "lambda0": "~ canopy + (1 | station)"},
    "slope": {"D": "~ 1", "sigma": "~ (canopy | lure)", "lambda0": "~ (1 | lure) + (1 | session)"},
}
DETECTORS = ("count", "proximity", "multi")


class Case:
    """A model with random effects on a small survey, and coefficients to look at it."""

    def __init__(self, kind: str, detector: str) -> None:
        self.survey = make_survey(Design(detector=detector, layout="two sessions", effort="varying"))
        for number, session in enumerate(self.survey.sessions):  # stations of different places have different names
            session.stations = [f"{name}{'ab'[number]}" for name in session.stations]
        formulas = FORMULAS[kind]
        function = lp.HalfNormal(lambda0=formulas["lambda0"], sigma=formulas["sigma"])
        self.model = lp.SCR(density=formulas["D"], detection=function)
        self.history, self.masks = library_history(self.survey), library_masks(self.survey)
        self.problem = Problem(self.model, self.history, self.masks)
        rng = np.random.default_rng(7)
        self.theta = self.problem.starts()[0] + 0.3 * rng.normal(size=self.problem.layout.size)
        self.beta = pd.Series(self.problem.to_beta(self.theta), self.problem.labels)

    def naive(self) -> float:
        """Log of the joint density of captures, deviations and sds."""
        coefficients = self.beta.to_dict()
        parts = pooled_pieces(self.survey, "HalfNormal", coefficients)
        return sum(p.poisson() for p in parts) + log_effects(self.survey, coefficients)


@cache
def case(kind: str, detector: str = "proximity") -> Case:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LeopardpopWarning)
        return Case(kind, detector)


def fixed_prior(problem: Problem, theta: np.ndarray) -> float:
    """Log prior of the coefficients that are no sds."""
    sds = {each.sd for each in problem.layout.effects}
    return sum(value for label, value in problem.priors.by_term(theta, np.nan).items() if label not in sds)


@pytest.mark.parametrize("kind", FORMULAS)
@pytest.mark.parametrize("detector", DETECTORS)
def test_naive_joint_density(kind: str, detector: str) -> None:
    it = case(kind, detector)
    found = it.problem.value(it.theta) - fixed_prior(it.problem, it.theta)
    assert found == pytest.approx(it.naive(), abs=1e-8)


@pytest.mark.parametrize("kind", FORMULAS)
def test_gradient_and_batch(kind: str) -> None:
    it = case(kind)
    steps = 1e-5 * np.eye(len(it.theta))
    differences = [(it.problem.value(it.theta + s) - it.problem.value(it.theta - s)) / 2e-5 for s in steps]
    np.testing.assert_allclose(it.problem.gradient(it.theta)[1], differences, atol=1e-6)
    thetas = np.stack([it.theta, it.problem.starts()[0]])
    pieces = it.problem.pointwise(thetas)
    np.testing.assert_allclose(
        it.problem.log_posteriors(thetas, pieces), [it.problem.value(theta) for theta in thetas], atol=1e-9
    )


@pytest.mark.parametrize("kind", FORMULAS)
def test_graph(kind: str) -> None:
    """The plain PyMC model has the density of theta: its free variables are the prior terms and the deviations."""
    it = case(kind)
    model = it.problem.graph()
    inputs = [model.rvs_to_values[rv] for rv in model.free_RVs]
    function = model.compile_fn(model.logp(jacobian=True), inputs=inputs, point_fn=False)

    def at(theta: np.ndarray) -> float:
        point, values = point_of(it.problem, theta), []
        for rv in model.free_RVs:
            value, transform = np.asarray(point[rv.name], float), model.rvs_to_transforms[rv]
            values.append(value if transform is None else np.log(value))  # every transform here is the logarithm
        return float(function(*values))

    other = it.problem.starts()[0]
    # The density of slopes is per unit of their covariate there, and of the standardised one here: a constant apart.
    expected = it.problem.value(it.theta) - it.problem.value(other)
    assert at(it.theta) - at(other) == pytest.approx(expected, abs=1e-8)
    assert "sigma_effect" in model.named_vars


def test_coefficients_there_and_back() -> None:
    it = case("slope")
    np.testing.assert_allclose(it.problem.to_theta(it.problem.to_beta(it.theta)), it.theta, atol=1e-10)


def test_stations_of_two_places_are_two_groups() -> None:
    """One name at one place is one station over sessions; at two places it is told with its session."""
    stations = pd.DataFrame(
        {"session": ["A"] * 3 + ["B"] * 3, "station": ["p", "q", "r"] * 2, "x": [0, 900, 1800, 0, 900, 5000], "y": 0}
    )
    history = lp.CaptureHistory.from_tables(None, stations, occasions=3)
    model = lp.SCR(detection=lp.HalfNormal(lambda0="~ (1 | station)"))
    problem = Problem(model, history, lp.Mask.around(history["A"], buffer=2000, spacing=500))
    assert problem.layout.effects[0].design.levels == ("A/r", "B/r", "p", "q")


def test_prior_of_the_number() -> None:
    """A prior of N with groups of cells: the value and its gradient, and the graph's expected number."""
    survey = make_survey(Design(detector="count"))
    (session,) = survey.sessions
    session.cell_covariates["park"] = np.array(["east" if x > 4000 else "west" for x in session.cells[:, 0]], object)
    priors = {"N": lp.Prior("LogNormal", mu=3.0, sigma=0.5)}
    history = library_history(survey)
    problem = Problem(lp.SCR(density="~ (1 | park)", priors=priors), history, library_masks(survey))
    theta = problem.starts()[0] + 0.2
    steps = 1e-5 * np.eye(len(theta))
    differences = [(problem.value(theta + s) - problem.value(theta - s)) / 2e-5 for s in steps]
    np.testing.assert_allclose(problem.gradient(theta)[1], differences, atol=1e-6)
    model = problem.graph()
    expected = model.compile_fn(model["E_N"], inputs=model.free_RVs, point_fn=False, on_unused_input="ignore")
    point = point_of(problem, theta)
    found = expected(*(np.asarray(point[rv.name], float) for rv in model.free_RVs))
    assert float(np.sum(found)) == pytest.approx(problem.evaluate(theta)[0].expected, rel=1e-10)


# -- results ----------------------------------------------------------------------------------------------------------
GAP = 1500.0
TRUTH = {"D": 0.3, "lambda0": 0.15, "sigma": 1000.0, "sigma_sd_session": 0.3}
POOLED = lp.SCR(detection=lp.HalfNormal(sigma="~ 1 + (1 | session)"))


def parks(n: int, side: int = 4) -> lp.CaptureHistory:
    """Parks far from each other, each with a grid of cameras, without captures."""
    rows = [
        (f"P{s}", f"{i}-{j}", GAP * i + 1e6 * s, GAP * j) for s in range(n) for i in range(side) for j in range(side)
    ]
    stations = pd.DataFrame(rows, columns=["session", "station", "x", "y"])
    return lp.CaptureHistory.from_tables(None, stations, occasions=8, effort_unit="day", crs="local")


def masks_of(design: lp.CaptureHistory) -> dict[str, lp.Mask]:
    return {s: lp.Mask.around(design[s], buffer=4000, spacing=800) for s in design.sessions}


def quiet(make):  # type: ignore[no-untyped-def]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LeopardpopWarning)
        return make()


@cache
def pooled() -> lp.Fit:
    design = parks(4)
    masks = masks_of(design)
    simulated = POOLED.simulate(design, masks, parameters=TRUTH, seed=5)
    return quiet(lambda: POOLED.fit(simulated.history, masks, seed=1, draws=500))


def test_fit() -> None:
    fit = pooled()
    assert fit.trusted
    assert fit.engine == "laplace"
    rows = fit.summary().index
    assert {"sigma_sd_session", *(f"sigma_effect[1|session[P{s}]]" for s in range(4))} <= set(rows)
    table = fit.diagnostics().set_index("quantity")
    assert table.loc["groups of sigma[1|session]", "value"] == 4
    assert "mostly the prior's" in table.loc["groups of sigma[1|session]", "advice"]
    assert table.loc["groups of sigma[1|session] with detections", "verdict"] == "ok"
    assert "sigma_effect" not in repr(fit)
    assert "sigma_sd_session" in repr(fit)


def test_predict_at_known_and_new_groups() -> None:
    fit = pooled()
    found = fit.predict("sigma", {"session": ["P1", "another", "another"]})
    deviation = fit.posterior["sigma_effect"].sel(sigma_level="1|session[P1]")
    np.testing.assert_allclose(found[..., 0], fit.posterior["sigma"] * np.exp(deviation), rtol=1e-10)
    np.testing.assert_array_equal(found[..., 1], found[..., 2])
    spread = np.log(found[..., 1] / fit.posterior["sigma"]) / fit.posterior["sigma_sd_session"]
    assert float(np.abs(spread.mean())) < 0.1
    assert float(spread.std()) == pytest.approx(1.0, abs=0.1)


def test_saved_and_read(tmp_path) -> None:  # type: ignore[no-untyped-def]
    fit = pooled()
    fit.save(tmp_path / "fit.nc")
    again = lp.load_fit(tmp_path / "fit.nc")
    np.testing.assert_allclose(again.theta, fit.theta, atol=1e-12)
    pd.testing.assert_frame_equal(again.summary(), fit.summary())
    fit.save(tmp_path / "hidden.nc", coordinates="hidden")
    assert "sigma_effect" not in lp.load_fit(tmp_path / "hidden.nc").posterior


def test_draws_made_elsewhere() -> None:
    fit = pooled()
    again = quiet(lambda: POOLED.from_posterior(fit.data_tree, fit.problem.history, fit.problem.masks))
    np.testing.assert_allclose(again.theta, fit.theta, atol=1e-10)
    without = fit.data_tree.copy()
    without["posterior"] = without["posterior"].to_dataset().drop_vars("sigma_effect")
    with pytest.raises(ModelError, match="sigma_effect"):
        POOLED.from_posterior(without, fit.problem.history, fit.problem.masks)


def test_report(tmp_path) -> None:  # type: ignore[no-untyped-def]
    text = pooled().report(tmp_path / "report.html").read_text(encoding="utf-8")
    assert "sd of σ between groups of session" in text
    assert "(1 | session)" in text


def test_density_by_group_is_told_everywhere_alike() -> None:
    """Density of a session: the posterior, the map, the population of the whole mask and `predict` agree."""
    design = parks(3)
    masks = masks_of(design)
    model = lp.SCR(density="~ 1 + (1 | session)")
    truth = {"D": 0.3, "lambda0": 0.15, "sigma": 1000.0, "D_sd_session": 0.5}
    history = model.simulate(design, masks, parameters=truth, seed=2).history
    fit = quiet(lambda: model.fit(history, masks, seed=1, draws=300))
    by_session = fit.posterior["D"].mean(("chain", "draw")).values
    assert len(set(by_session)) == 3
    mapped = fit.density_surface(draws=10)["D_mean"].groupby("cell_session").mean().values
    np.testing.assert_allclose(mapped, by_session, rtol=1e-9)
    predicted = fit.predict("D", {"session": list(design.sessions)}).mean(("chain", "draw")).values
    np.testing.assert_allclose(predicted, by_session, rtol=1e-9)
    population = fit.population(regions=None)
    area = np.array([masks[s].area.sum() for s in design.sessions])
    np.testing.assert_allclose(fit.posterior["E_N"].mean(("chain", "draw")).values, by_session * area, rtol=1e-9)
    assert np.isfinite(population.prior_expected).all()
    np.testing.assert_allclose(fit.problem.density(fit.theta[0, 0])[1][0], fit.posterior["D"].values[0, 0, 1])


def test_simulated_deviations() -> None:
    """Deviations are drawn from their law, or are those that were given."""
    design = parks(20, side=3)
    mask = lp.Mask.around(design["P0"], buffer=3000, spacing=1500)
    masks = {s: lp.Mask.around(design[s], buffer=3000, spacing=1500) for s in design.sessions}
    assert mask.n_cells
    coefficients = POOLED.simulate(design, masks, parameters=TRUTH, seed=1).truth.coefficients
    drawn = coefficients[[label for label in coefficients.index if "|" in label]]
    assert 0.15 < drawn.std() < 0.45
    given = TRUTH | {"sigma[1|session[P1]]": 0.5}
    again = POOLED.simulate(design, masks, parameters=given, seed=1).truth.coefficients
    assert again["sigma[1|session[P1]]"] == pytest.approx(0.5)
    assert again["sigma[1|session[P0]]"] == 0.0


def test_two_flanks() -> None:
    """The sum over matchings has the priors of the deviations too: batches agree with the value."""
    from leopardpop.models.flank_problem import FlankProblem
    from leopardpop.results.families import in_pieces
    from leopardpop.results.pieces import Recorder

    rows = [("P0", "L1", "0-0", 1, "left"), ("P0", "R1", "0-0", 2, "right"), ("P0", "B1", "1-1", 3, "both")]
    rows += [("P1", "B2", "1-1", 1, "both"), ("P1", "B2", "1-2", 2, "both")]
    captures = pd.DataFrame(rows, columns=["session", "individual", "station", "occasion", "flank"])
    stations = parks(2).stations.reset_index()[["session", "station", "x", "y"]]
    history = quiet(lambda: lp.CaptureHistory.from_tables(captures, stations, occasions=8, crs="local"))
    problem = FlankProblem(POOLED, history, masks_of(history))
    thetas = np.stack([problem.starts()[0], problem.starts()[0] + 0.1])
    np.testing.assert_allclose(
        Recorder(in_pieces(problem)).batch_value(thetas), [problem.value(t) for t in thetas], rtol=1e-10
    )


# -- bad input --------------------------------------------------------------------------------------------------------
def cells_with(**columns) -> lp.Mask:  # type: ignore[no-untyped-def]
    return lp.Mask.around(parks(1), buffer=2000, spacing=1000).with_covariates(**columns)


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (lp.SCR(density="~ (1 | sesion)"), "no variable 'sesion'.*Did you mean 'session'"),
        (lp.SCR(detection=lp.HalfNormal(lambda0="~ (1 | sation)")), "Did you mean 'station'"),
        (lp.SCR(detection=lp.HalfNormal(sigma="~ (1 | session)")), "'P0' on all 16 stations"),
        (lp.SCR(detection=lp.HalfNormal(sigma="~ (1 | sex)"), classes=None), "no variable 'sex'"),
        (lp.SCR(density="~ (1 | plot)"), "groups on .* cells"),
        (lp.SCR(density="~ (1 | snow)"), "is a measurement"),
        (lp.SCR(density="~ park + (1 | park)"), "factor of the formula too"),
        (lp.SCR(density="~ (1 | park) + (1 | park)"), "there twice"),
        (lp.SCR(density="~ (1 | park/plot)"), "one variable right of the bar"),
        (lp.SCR(density="~ (1 | station)"), "no variable 'station'"),
    ],
)
def test_refused(model: lp.SCR, words: str) -> None:
    mask = cells_with(
        snow=lambda x, y: x / 777.7,
        park=lambda x, y: np.where(x > 2000, "east", "west"),
        plot=lambda x, y: np.array([f"c{i}" for i in range(len(x))]),
    )
    with pytest.raises(ModelError, match=words):
        model.parameters(parks(1), mask)


def test_maximum_likelihood_refuses() -> None:
    fit = pooled()
    with pytest.raises(ModelError, match=r"no random or spatial effects.*sigma"):
        POOLED.maximum_likelihood(fit.problem.history, fit.problem.masks)


def test_groups_without_detections_are_warned_of() -> None:
    """A station effect where one station alone detects: the sd of it is the prior's."""
    design = parks(1)
    rows = [("A", "0-0", 1), ("A", "0-0", 3), ("B", "0-0", 2)]
    captures = pd.DataFrame(rows, columns=["individual", "station", "occasion"]).assign(session="P0")
    stations = design.stations.reset_index()[["session", "station", "x", "y"]]
    history = quiet(lambda: lp.CaptureHistory.from_tables(captures, stations, occasions=8, crs="local"))
    model = lp.SCR(detection=lp.HalfNormal(lambda0="~ (1 | station)"))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        fit = model.fit(history, masks_of(history)["P0"], engine="laplace", draws=100, seed=1)
    told = [str(w.message) for w in caught if issubclass(w.category, SparseDataWarning)]
    assert any("1 of the 16 groups of (1 | station) of lambda0 have detections" in text for text in told)
    assert fit.summary().loc["lambda0_sd_station", "mean"] == pytest.approx(0.4, abs=0.15)
