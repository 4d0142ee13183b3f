"""Asking for a fit: what is refused, what is warned of, and that a seed is a seed."""

import logging
import warnings

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import leopardpop as lp
from leopardpop.errors import (
    BufferWarning,
    ConvergenceWarning,
    DataWarning,
    LeopardpopWarning,
    ModelError,
    PriorWarning,
    SpacingWarning,
    SparseDataWarning,
)
from leopardpop.results import fitting
from tests.results import made


def fit(model=None, history=None, mask=None, **options):
    model, history, mask = model or lp.SCR(), history or made.history("null"), mask or made.mask()
    return model.fit(history, mask, **{"seed": 1, "draws": 100, "chains": 2} | options)


# -- refusals ---------------------------------------------------------------------------------------------------------
def test_a_binomial_number_is_refused_in_a_sentence():
    with pytest.raises(ModelError, match="already the finite-population posterior"):
        fit(lp.SCR(distribution="binomial"))


@pytest.mark.parametrize(
    "options,message",
    [
        ({"engine": "stan"}, "'auto', 'laplace', 'nuts'"),
        ({"engine": "laplace", "tune": 500}, "no option 'tune'"),
        ({"engine": "nuts", "min_raw": 500}, "no option 'min_raw'"),
        ({"random_seed": 1}, "use seed="),
        ({"engine": "laplace", "min_raw": 500}, "min_raw=500: .* from 2,200 raw draws on"),
        ({"min_raw": 2_199}, "could never be trusted"),
        ({"min_raw": "many"}, "min_raw='many'"),
        ({"min_ess": 0}, "min_ess=0 must be a number"),
        ({"threads": 0.5}, r"threads=0\.5"),
        ({"engine": "nuts", "tunes": 500}, "no option 'tunes'. Did you mean 'tune'"),
        ({"engine": "nuts", "nuts": {"target_acept": 0.9}}, "no option 'target_acept'. Did you mean 'target_accept'"),
        ({"nuts": {"max_tree_depth": 5}}, "Did you mean 'max_treedepth'"),
        ({"engine": "nuts", "nuts": 0.9}, r"nuts=0\.9: give a dict"),
        ({"engine": "nuts", "nuts": {"scaling": 1}}, "no option 'scaling'"),
        ({"engine": "nuts", "nuts": {"target_accept": 0.9}, "target_accept": 0.8}, "given twice"),
        ({"engine": "nuts", "target_accept": 2}, "target_accept=2 must be a number between 0 and 1"),
        ({"engine": "nuts", "max_treedepth": 0}, "max_treedepth=0 must be"),
        ({"engine": "nuts", "tune": -3}, "tune=-3 must be a whole number of at least 0"),
        ({"engine": "nuts", "cores": 0}, "cores=0"),
        ({"engine": "nuts", "backend": "nunba"}, "no mode of PyTensor.* Did you mean 'numba'"),
        ({"engine": "nuts", "step": 3}, "step= is set by the engine itself.*from_posterior"),
        ({"engine": "nuts", "initvals": {"D": 3}}, "initvals= is set by the engine itself"),
        ({"draws": 0}, "draws=0"),
        ({"chains": 2.5}, r"chains=2\.5"),
        ({"seed": -1}, "seed=-1"),
        ({"seed": "one"}, "seed='one'"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_a_wrong_request_is_refused_before_anything_is_computed(options, message):
    with pytest.raises(ModelError, match=message):
        fit(**options)


# -- seeds ------------------------------------------------------------------------------------------------------------
def test_the_same_seed_gives_the_same_draws():
    one, other, third = fit(), fit(), fit(seed=2)
    xr.testing.assert_identical(one.posterior, other.posterior)
    assert not np.array_equal(one.posterior["D"], third.posterior["D"])
    assert not np.array_equal(one.posterior["N"], third.posterior["N"])


def test_the_seed_is_written_down_however_it_was_given():
    assert fit(seed=np.int64(7)).seed == 7
    drawn = fit(seed=np.random.default_rng(5))
    again = fit(seed=drawn.seed)
    xr.testing.assert_identical(drawn.posterior, again.posterior)
    assert fitting.whole_seed(None) != fitting.whole_seed(None)


# -- warnings ---------------------------------------------------------------------------------------------------------
def warned(**request) -> dict[type, list[str]]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        fit(**request)
    found = {}
    for warning in caught:
        assert issubclass(warning.category, LeopardpopWarning)
        assert warning.filename == __file__, "a warning points at the line that asked for the fit"
        found.setdefault(warning.category, []).append(str(warning.message))
    return found


def test_a_good_survey_is_fitted_without_a_word():
    assert warned(history=made.history("null")) == {}


def test_few_recaptures_are_said_once_with_all_that_is_few():
    few = made.with_animals([("A", "River 1-1", 1), ("A", "River 1-2", 2), ("B", "River 3-3", 4)])
    (message,) = warned(history=few)[SparseDataWarning]
    assert "1 recapture, fewer than 20" in message
    assert "1 animal was at two stations or more, fewer than 5" in message


def test_no_captures_have_a_posterior_and_a_warning():
    found = warned(history=made.without_captures())
    assert "No animal was detected" in found[SparseDataWarning][0]
    assert PriorWarning in found
    none = made.quiet(lambda: fit(history=made.without_captures()))
    assert none.trusted
    assert none.posterior["N"].min() == 0
    with pytest.raises(ModelError, match="no animal was detected"):
        none.loo()


def test_one_animal_has_a_posterior_and_a_warning():
    one = made.with_animals([("A", "River 1-1", 1)])
    assert "One animal" in warned(history=one)[SparseDataWarning][0]


def test_what_cannot_be_left_out_is_said_in_our_words():
    one = made.quiet(lambda: fit(history=made.with_animals([("A", "River 1-1", 1), ("A", "River 3-3", 4)])))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = one.loo()
    assert (result.pareto_k > result.good_k).all()
    assert [w.category for w in caught] == [ConvergenceWarning]
    assert "for 1 of 1 animal: without it the posterior would be another" in str(caught[0].message)
    assert caught[0].filename == __file__


def test_a_narrow_mask_and_coarse_cells_are_said():
    assert "too high" in warned(mask=made.mask(buffer=1_500.0))[BufferWarning][0]
    assert "too coarse" in warned(mask=made.mask(spacing=1_600.0))[SpacingWarning][0]


def test_a_prior_that_decides_is_said():
    strong = lp.SCR(priors={"D": lp.Prior("LogNormal", mu=0.0, sigma=0.05)})
    assert "'D'" in warned(model=strong)[PriorWarning][0]


def test_an_animal_of_two_sessions_is_said():
    captures = pd.DataFrame(
        [(s, a, f"River 1-{j}", j) for s in ("1", "2") for a in "ABCDEF" for j in (1, 2, 3)],
        columns=["session", "individual", "station", "occasion"],
    )
    both = lp.CaptureHistory.from_tables(captures, made.stations("1", "2"), occasions=6)
    (message,) = warned(history=both)[DataWarning]
    assert "6 animals are in several sessions (A, B, C ...)" in message


def test_stations_outside_of_the_mask_are_said():
    west = lp.Mask.from_table(made.mask().table.query("x < 517000"))
    assert "outside the mask" in warned(mask=west)[DataWarning][0]


# -- auto -------------------------------------------------------------------------------------------------------------
@pytest.fixture
def stumbling(monkeypatch):
    """Make importance sampling fail, and NUTS a call that is recorded."""
    calls = {}

    def sample(problem, size, options):
        calls.update(size, options=options)
        return "by nuts"

    real = fitting.laplace_findings
    monkeypatch.setattr(fitting, "_fit_by_nuts", sample)
    monkeypatch.setattr(fitting, "laplace_findings", lambda draws, sd: _with_k(real(draws, sd)))
    monkeypatch.setattr(fitting, "seconds_of_nuts", lambda problem, theta, size, options: 180.0)
    return calls


def _with_k(findings):
    from leopardpop.results.diagnostics import weight_findings

    return [*weight_findings(1.3, 500.0, 2200), *findings[3:]]


def test_auto_says_what_failed_and_how_long_nuts_takes_and_then_runs_it(stumbling, caplog):
    said = pytest.warns(ConvergenceWarning, match=r"Pareto k: 1\.3 \(limit 0\.7\)\. .* NUTS takes over: about 3 min")
    with said, caplog.at_level(logging.INFO):
        assert fit(engine="auto", tune=700, threads=1) == "by nuts"
    assert "NUTS takes over" in caplog.text
    assert stumbling == {"draws": 100, "chains": 2, "seed": 1, "options": {"tune": 700}}


def test_laplace_alone_says_that_it_failed_and_stays(stumbling):
    with pytest.warns(ConvergenceWarning, match=r"Pareto k: 1\.3"):
        found = fit(engine="laplace")
    assert found.engine == "laplace"
    assert not found.trusted


# -- draws from elsewhere ---------------------------------------------------------------------------------------------
def test_a_posterior_of_another_model_is_refused():
    tree = made.fit("sex").data_tree
    with pytest.raises(ModelError, match=r"'sigma_beta' has the dimensions|has the coefficients"):
        lp.SCR().from_posterior(tree, made.history("sex"), made.mask())
    with pytest.raises(ModelError, match="has no 'D_beta'"):
        lp.SCR().from_posterior(xr.DataTree.from_dict({"posterior": xr.Dataset()}), made.history("null"), made.mask())
    with pytest.raises(ModelError, match="group 'posterior'"):
        lp.SCR().from_posterior(xr.DataTree(), made.history("null"), made.mask())


def test_importance_weights_of_draws_from_elsewhere_are_believed():
    tree = made.fit("null").data_tree
    other = made.quiet(lambda: lp.SCR().from_posterior(tree, made.history("null"), made.mask()))
    assert other.diagnostics()["quantity"].tolist()[:2] == ["Pareto k", "importance ESS"]
    assert other.summary()["ess"].iloc[0] == made.fit("null").summary()["ess"].iloc[0]
