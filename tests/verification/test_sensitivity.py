"""Weights of `fit.sensitivity()` give the answers of refits, and a mask that is too narrow is found out."""

import pytest

import leopardpop as lp
from leopardpop.checks.sensitivity_refits import run_task
from leopardpop.checks.sensitivity_trials import trials_of_animals
from tests.checks.test_sensitivity import base_of
from tests.results import made

pytestmark = pytest.mark.verification


@pytest.mark.parametrize("kind", ["animal", "station", "occasions", "mesh"])
def test_refits_agree_with_weights(kind):
    """Of a good survey, where k allows both: the two largest of each kind, within four Monte Carlo errors."""
    base = base_of("null")
    before = base.draws.spread(base.pieces.numbers())
    trials = [t for t in trials_of_animals(base, 1) if t.kind == kind and t.after is not None and t.after.trusted]
    moved = sorted(trials, key=lambda t: -abs(t.after.mean()[0] - (t.before or before).mean()[0]))
    for trial in moved[:2]:
        again = run_task(trial.task()).spread
        by_weights = trial.after.mean()[0] - (trial.before or before).mean()[0]
        by_refit = again.mean()[0] - before.mean()[0]
        error = before.sd()[0] * (1 / again.ess + 1 / before.ess) ** 0.5
        assert by_weights == pytest.approx(by_refit, abs=4 * error), trial.subject


def test_a_narrow_buffer_makes_density_too_high_and_a_wider_one_repairs_it():
    narrow = made.quiet(lambda: lp.SCR().fit(made.history("null"), made.mask(buffer=1_200.0), seed=1))
    rows = made.quiet(lambda: narrow.sensitivity()).table().query("kind == 'buffer'").set_index("change")
    assert rows.loc["1.8 km in place of 1.2 km", "percent"] < -2
    assert rows.loc["800 m in place of 1.2 km", "percent"] > 2
    assert rows.loc["1.8 km in place of 1.2 km", "verdict"] in ("note", "warn")
