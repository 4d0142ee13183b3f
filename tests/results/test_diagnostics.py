"""Verdicts: each limit of the models' page, from both sides; and the numbers behind them against the long way."""

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

import leopardpop as lp
from leopardpop.results import data_checks
from leopardpop.results.data_checks import history_findings, mask_findings, prior_findings
from leopardpop.results.diagnostics import chain_findings, is_trusted, laplace_findings, weight_findings
from leopardpop.results.findings import Finding, findings_from_json, findings_table, findings_to_json
from leopardpop.results.mask_reach import buffer_effect
from leopardpop.results.pieces import evaluate_draws
from leopardpop.results.prior_shift import prior_shifts
from tests.results import made


def verdicts(findings) -> dict[str, str]:
    return {finding.quantity: finding.verdict for finding in findings}


# -- engines ----------------------------------------------------------------------------------------------------------
def test_the_certificate_needs_a_small_k_and_enough_weights():
    good = weight_findings(0.69, 400.0, 2200)
    assert is_trusted(good)
    assert not is_trusted(weight_findings(0.71, 400.0, 2200))
    assert not is_trusted(weight_findings(0.2, 399.0, 2200))
    assert not is_trusted(weight_findings(0.2, 1000.0, 1000))
    assert "N to ± 0.5" in weight_findings(0.2, 400.0, 2200, sd=10.0)[0].advice


def test_what_is_wrong_with_a_mode_has_a_row_each():
    draws = made.fit("null").laplace
    assert set(verdicts(laplace_findings(draws, 1.0)).values()) == {"ok"}
    problems = ("the log posterior is flat along 'D[snow]': it is at a bound, or ...", "the Hessian is singular: ...")
    spoilt = replace(draws, modes=(replace(draws.modes[0], problems=problems), draws.modes[0]))
    found = verdicts(laplace_findings(spoilt, 1.0))
    assert found["mode at a bound"] == found["singular Hessian"] == found["modes"] == "note"
    assert found["search for the mode"] == "ok"


def chains(*means: float, diverging: int = 0) -> xr.DataTree:
    rng = np.random.default_rng(1)
    draws = np.stack([rng.normal(mean, 1.0, 1000) for mean in means])
    posterior = xr.Dataset({"D": (("chain", "draw"), draws)})
    stats = xr.Dataset({"diverging": (("chain", "draw"), np.arange(draws.size).reshape(draws.shape) < diverging)})
    return xr.DataTree.from_dict({"posterior": posterior, "sample_stats": stats})


def test_chains_are_trusted_when_they_agree():
    assert is_trusted(chain_findings(chains(0, 0, 0, 0)))
    assert not is_trusted(chain_findings(chains(0, 0, 0, 3)))
    assert not is_trusted(chain_findings(chains(0, 0, 0, 0, diverging=100)))


# -- data -------------------------------------------------------------------------------------------------------------
def caught(n_animals: int, stations: int, times: int = 1) -> lp.CaptureHistory:
    """Every animal at so many stations, at each on so many occasions."""
    rows = [
        (f"A{i}", f"River {i % 5}-{k}", 1 + (k * times + s) % 6)
        for i in range(n_animals)
        for k in range(stations)
        for s in range(times)
    ]
    return made.with_animals(rows)


@pytest.mark.parametrize(
    "history,quantity,verdict",
    [
        (caught(5, 1, 5), "recaptures", "ok"),
        (caught(4, 1, 5), "recaptures", "warn"),
        (caught(5, 2), "animals at two or more stations", "ok"),
        (caught(4, 2), "animals at two or more stations", "warn"),
        (caught(3, 2), "spatial recaptures", "ok"),
        (caught(2, 2), "spatial recaptures", "note"),
        (caught(2, 1), "animals", "ok"),
        (caught(1, 1), "animals", "warn"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_sparse_data_are_said_at_the_limit(history, quantity, verdict):
    assert verdicts(history_findings(history))[quantity] == verdict


# -- mask -------------------------------------------------------------------------------------------------------------
def draws_about(problem, sigma: float, n: int = 400) -> np.ndarray:
    """Draws with log sigma about a value, everything else fixed."""
    theta = np.tile([-1.0, -1.5, 0.0, *[0.0] * (problem.layout.size - 3)], (n, 1))
    theta[:, problem.labels.index("sigma[Intercept]")] = np.log(sigma) + 0.05 * np.linspace(-2, 2, n)
    return theta


@pytest.mark.parametrize("buffer", [2_000.0, 3_000.0])
@pytest.mark.parametrize("detection", [lp.HalfNormal(), lp.Exponential()], ids=lambda d: type(d).__name__)
@pytest.mark.parametrize("knows", [True, False], ids=["known buffer", "buffer worked out"])
def test_the_buffers_effect_is_the_sampling_area_that_is_missing(buffer, detection, knows):
    narrow, wide = made.mask(buffer, 250.0), made.mask(12_000.0, 250.0)
    if not knows:
        narrow = lp.Mask.from_table(narrow.table)
    problem, full = (made.Problem(lp.SCR(detection=detection), made.history("null"), each) for each in (narrow, wide))
    theta = draws_about(problem, 700.0)
    at = theta[np.argsort(theta[:, 2])[389]]
    at[0] = 0.0
    area, all_of_it = (each.evaluate(at)[0].detected for each in (problem, full))
    assert buffer_effect(problem, theta) == pytest.approx((all_of_it - area) / area, rel=0.15, abs=2e-4)


def test_ground_that_the_habitat_leaves_out_is_not_missed():
    from shapely.geometry import box

    half = box(made.WEST - 20_000, made.SOUTH - 20_000, made.WEST + 3_000, made.SOUTH + 30_000)
    clipped = lp.Mask.around(made.design(), buffer=2_500, spacing=500, habitat=half)
    whole = made.mask(2_500.0, 500.0)
    effects = []
    for mask in (clipped, whole):
        problem = made.Problem(lp.SCR(), made.history("null"), mask)
        effects.append(buffer_effect(problem, draws_about(problem, 800.0)))
    assert effects[0] == pytest.approx(effects[1], rel=0.35)


def test_the_mask_is_judged_at_both_limits():
    problem = made.Problem(lp.SCR(), made.history("null"), made.mask(3_000.0, 600.0))

    def found(sigma):
        return verdicts(mask_findings(problem, draws_about(problem, sigma)))

    assert found(700.0) == {"effect of the buffer on D": "ok", "spacing of the mask / sigma": "note"}
    assert found(590.0)["spacing of the mask / sigma"] == "warn"
    assert found(1_300.0) == {"effect of the buffer on D": "warn", "spacing of the mask / sigma": "ok"}


def test_the_widest_class_is_judged():
    problem = made.Problem(made.model("sex"), made.history("sex"), made.mask(3_000.0, 500.0))
    theta = draws_about(problem, 700.0)
    alike = buffer_effect(problem, theta)
    theta[:, problem.labels.index("sigma[sex[M]]")] = 0.5
    assert buffer_effect(problem, theta) > 5 * alike


# -- priors -----------------------------------------------------------------------------------------------------------
def test_the_prior_shift_is_what_another_prior_does():
    """Reweight the draws to a prior of D whose mean is a twentieth of its sd away, and scale the move up."""
    fit = made.fit("null")
    problem, flat = fit.problem, fit.theta.reshape(-1, 3)
    expected = evaluate_draws(problem, flat).expected.sum(-1)
    prior = next(term.prior for term in problem.priors.terms if term.label == "D")
    step = 0.05 * prior.parameters["sigma"]
    moved = lp.Prior("LogNormal", mu=prior.parameters["mu"] + step, sigma=prior.parameters["sigma"])
    natural = np.exp(flat[:, 0])
    weight = np.exp(moved.logpdf(natural) - prior.logpdf(natural))
    outcome = np.log(expected)
    move = np.average(outcome, weights=weight) - outcome.mean()
    assert prior_shifts(problem, flat, expected[:, None])["D"].size == pytest.approx(
        20 * abs(move) / outcome.std(), rel=0.05
    )


def test_moves_of_sessions_against_each_other_do_not_cancel():
    fit = made.fit("null")
    problem, flat = fit.problem, fit.theta.reshape(-1, 3)
    one = evaluate_draws(problem, flat).expected
    noise = np.random.default_rng(1).normal(0, 0.1 * np.log(one).std(), one.shape)
    other = np.exp(2 * np.log(one).mean() - np.log(one) + noise)  # the other way, and not quite as far
    alone = prior_shifts(problem, flat, one)["D"].size
    assert prior_shifts(problem, flat, np.hstack([other, one]))["D"] == (pytest.approx(alone), 1)


def test_priors_of_every_kind_have_a_shift():
    problem, theta = made.fit("sex").problem, made.fit("sex").theta.reshape(-1, 5)
    shifts = prior_shifts(problem, theta, evaluate_draws(problem, theta).expected)
    assert set(shifts) == {"D", "lambda0", "sigma", "sigma[sex[M]]", "pmix"}
    assert all(0 <= value.size < 1 for value in shifts.values())


def test_the_prior_that_moves_n_most_is_named():
    fit = made.fit("null")
    flat = fit.theta.reshape(-1, 3)
    (weak,) = prior_findings(fit.problem, flat, fit.posterior["E_N"].values.reshape(-1, 1))
    assert weak.verdict == "ok"
    sharp = made.Problem(lp.SCR(priors={"sigma": lp.Prior("LogNormal", mu=6.9, sigma=0.02)}), fit.history, fit.mask)
    (strong,) = prior_findings(sharp, flat, fit.posterior["E_N"].values.reshape(-1, 1))
    assert strong.verdict == "warn"
    assert "'sigma'" in strong.advice


# -- the table --------------------------------------------------------------------------------------------------------
def test_findings_survive_as_text():
    rows = (Finding(quantity="a", value=1.5, limit=float("nan"), verdict="warn", advice="do", warning="PriorWarning"),)
    (again,) = findings_from_json(findings_to_json(rows))
    assert replace(again, limit=0.0) == replace(rows[0], limit=0.0)
    assert np.isnan(again.limit)
    assert findings_table(()).columns.tolist() == ["quantity", "value", "limit", "verdict", "advice"]


# -- words ------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "effect,enough,words",
    [
        (0.034, 5_800.0, "3.4 % too high"),
        (0.42, 5_800.0, "42 % too high"),
        (3.0, 5_800.0, "more than 100 % too high"),
        (53.0, None, "hardly bound sigma"),
    ],
)
def test_a_narrow_mask_is_told_without_absurd_numbers(effect, enough, words):
    """With hardly any data sigma may be anything: 5,300 % would say nothing."""
    found = data_checks._buffer(effect, enough)
    assert words in found.advice
    assert (found.verdict, found.warning) == ("warn", "BufferWarning")
    assert ("Use a buffer of 5,800 m." in found.advice) == (enough is not None)
    assert data_checks._buffer(0.001, None).advice == "The mask is wide enough."


def test_the_buffer_advised_is_enough_though_density_was_twice_too_high():
    """Sigma is well known and the mask ends at the stations: a wider mask mends it, and the advice is which."""
    fit = made.fit("null")
    narrow = made.quiet(lambda: lp.SCR().fit(fit.history, made.mask(buffer=800.0), seed=1))
    problem, theta = narrow.problem, narrow.theta.reshape(-1, 3)
    advice = mask_findings(problem, theta)[0].advice
    assert "too high" in advice
    metres = float(advice.rsplit("buffer of ", 1)[1].split(" m")[0].replace(",", ""))
    wider = made.quiet(lambda: lp.SCR().fit(fit.history, made.mask(buffer=metres), seed=1))
    assert mask_findings(wider.problem, wider.theta.reshape(-1, 3))[0].value < 0.02


@pytest.mark.parametrize("k,ess,n_raw", [(0.2, 900.0, 2_200), (0.9, 30.0, 2_200), (float("nan"), 150.0, 500)])
def test_every_row_on_weights_has_a_sentence(k, ess, n_raw):
    for row in weight_findings(k, ess, n_raw):
        assert not row.advice[:1].islower()
        assert row.advice.endswith(".")
        assert "nan" not in row.advice or row.verdict == "ok"


@pytest.mark.parametrize("chains", [1, 4])
def test_every_row_on_chains_has_a_sentence(chains):
    draws = np.random.default_rng(1).normal(size=(chains, 300))
    shape = (("chain", "draw"), np.zeros((chains, 300)))
    stats = xr.Dataset({"diverging": shape, "reached_max_treedepth": shape, "energy": (("chain", "draw"), draws)})
    tree = xr.DataTree.from_dict({"posterior": xr.Dataset({"x": (("chain", "draw"), draws)}), "sample_stats": stats})
    rows = chain_findings(tree)
    assert len(rows) == 6
    for row in rows:
        assert not row.advice[:1].islower()
        assert row.advice.endswith(".")
        assert "nan" not in row.advice


def test_a_third_sex_is_asked_about():
    history = made.history("sex")
    odd = history.individuals.assign(sex=["X", *history.individuals["sex"][1:]])
    again = lp.CaptureHistory.from_tables(
        history.detections[["individual", "station", "occasion"]], history.stations, individuals=odd, occasions=8
    )
    problem = made.Problem(lp.SCR(classes="sex"), again, made.mask())
    (found,) = data_checks.class_findings(problem)
    assert found.verdict == "warn"
    assert "Beside F and M there is X: if it means that nobody knows, leave these cells empty." in found.advice
