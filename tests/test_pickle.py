"""Everything public that is a value can be copied, pickled, and sent to another process."""

from __future__ import annotations

import copy
import inspect
import pickle
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np
import pandas as pd
import pytest

import leopardpop as lp
from leopardpop.checks.known.answer import Answer
from leopardpop.checks.verification import Checked
from leopardpop.errors import DataError

ABSTRACT = {"DetectionFunction"}
FEW = {"draws": 60, "chains": 1, "seed": 1}
AT = {"D": 0.005, "lambda0": 0.02, "sigma": 5000.0}

pytestmark = pytest.mark.filterwarnings("ignore::leopardpop.errors.LeopardpopWarning")


def whole(survey):
    return survey.capture_history(species="Panthera pardus", flank="left", start="2024-02-01", end="2024-05-02")


def captured():
    stations = pd.DataFrame({"station": ["A", "B", "C", "D"], "x": [0, 2000, 0, 2000], "y": [0, 0, 2000, 2000.0]})
    rows = [("W", "A", 1, "both"), ("W", "B", 2, "left"), ("L1", "A", 1, "left"), ("L1", "C", 3, "left")]
    rows += [("R1", "D", 2, "right"), ("R1", "C", 3, "right"), ("W", "D", 3, "both"), ("W", "A", 2, "right")]
    captures = pd.DataFrame(rows, columns=["individual", "station", "occasion", "flank"])
    return lp.CaptureHistory.from_tables(captures, stations, occasions=3)


def components():
    functions = (lp.HalfNormal, lp.Exponential, lp.HazardRate)
    functions += (lp.ProbabilityHalfNormal, lp.ProbabilityExponential, lp.ProbabilityHazardRate)
    families = (lp.Occupancy, lp.DynamicOccupancy, lp.MultistateOccupancy, lp.DynamicMultistateOccupancy)
    families += (
        lp.FalsePositiveOccupancy,
        lp.RoyleNichols,
        lp.NMixture,
        lp.CountOccupancy,
        lp.CommunityOccupancy,
        lp.TwoFlanks,
    )
    made = [*(one() for one in functions), *(one() for one in families), lp.Mixture(2), lp.LogLinear(D="~ 1")]
    made += [lp.LeastCost(resistance="slope"), lp.Prior("Normal", mu=0, sigma=1)]
    made += [lp.priors.from_range(30, 50, mass=0.9), lp.priors.big_cats()]
    return {f"{type(one).__name__} {i}": one for i, one in enumerate(made)}


def verification():
    """A verification of one question: all of them take longer than a copy."""
    asked = Checked("written out", "a survey", (Answer("N", 45.0, 45.0, 0.1, 0.1),))
    return lp.Verification((asked,), quick=True, shared=False)


@pytest.fixture(scope="module")
def values():
    """Name -> value; each class among the public names is there."""
    survey, pair = lp.load_example("amur_leopard", seed=1), captured()
    history = whole(survey)
    mask = lp.Mask.around(history, buffer=25_000, spacing=6_000)
    visits = survey.detection_history(species="Panthera pardus", occasion="28D")
    model, flanks = lp.SCR(detection=lp.HalfNormal()), lp.TwoFlanks()
    fit = model.fit(history, mask, **FEW)
    occupancy = lp.Occupancy(psi="~ 1", p="~ 1")
    occupied = occupancy.fit(visits, **FEW)
    species = lp.DetectionHistory.from_tables({f"s{k}": np.ones((12, 4)) for k in range(5)})
    truth = {"psi": 0.5, "p": 0.5, "psi_sd_species": 0.8, "p_sd_species": 0.4}
    community = lp.CommunityOccupancy()
    together = community.fit(community.simulate(species, parameters=truth, seed=1).history, **FEW)
    found = {
        "survey": survey,
        "layers": survey.layers,
        "truth": survey.truth,
        "history": history,
        "visits": visits,
        "mask": mask,
        "model": model,
        "maximum": model.maximum_likelihood(history, mask),
        "fit": fit,
        "population": fit.population(),
        "average": lp.average({"a": fit, "b": lp.SCR(detection=lp.Exponential()).fit(history, mask, **FEW)}),
        "check": fit.check(),
        "sensitivity": fit.sensitivity(refit=False),
        "reproduction": lp.reproduce(fit),
        "verification": verification(),
        "calibration": lp.calibrate(occupancy, visits, replicates=2, draws=25),
        "many fits": lp.fit_many({"one": (occupancy, visits)}, **FEW),
        "simulation": model.simulate(history, mask, parameters=AT, seed=1),
        "flank fit": flanks.fit(pair, lp.Mask.around(pair, buffer=4000, spacing=1000), **FEW),
        "occupancy": occupied,
        "states": occupied.occupancy(),
        "community": together,
        "species at sites": together.richness(),
        "occupancy maximum": occupancy.maximum_likelihood(visits),
    }
    return found | components()


def same(one, other):
    """Whether two values say the same; fits also by their draws."""
    assert type(one) is type(other)
    assert repr(one) == repr(other)
    if hasattr(one, "posterior"):
        assert one.posterior.identical(other.posterior)


def test_nothing_public_is_left_out(values):
    classes = {name for name in lp.__all__ if inspect.isclass(getattr(lp, name))} - ABSTRACT
    assert classes <= {type(value).__name__ for value in values.values()}


@pytest.mark.parametrize("how", [lambda value: pickle.loads(pickle.dumps(value)), copy.deepcopy])
def test_copies_are_the_same(values, how):
    for value in values.values():
        same(value, how(value))


def test_a_copied_fit_goes_on_working(values):
    again = pickle.loads(pickle.dumps(values["fit"]))
    assert again.population().realised.equals(values["fit"].population().realised)
    ours, theirs = (fit.model.log_likelihood(fit.history, fit.mask, parameters=AT) for fit in (again, values["fit"]))
    assert ours == theirs


def test_the_layers_of_the_example_work_in_a_copy(values):
    survey = pickle.loads(pickle.dumps(values["survey"]))
    x, y = (survey.stations[axis].to_numpy() for axis in ("x", "y"))
    for name in ("snow", "elevation", "border_distance", "china"):
        np.testing.assert_array_equal(survey.layers[name](x, y), values["survey"].layers[name](x, y))
    with pytest.raises(TypeError):
        survey.truth.sigma["F"] = 1.0  # still nothing that can be changed


def test_errors_keep_their_offenders():
    again = pickle.loads(pickle.dumps(DataError("wrong", offenders=["A"])))
    assert (str(again), again.offenders) == ("wrong", ["A"])


def n_animals(survey, mask):
    return whole(survey).n_individuals, mask.n_cells


def test_another_process_takes_them(values):
    survey, mask = values["survey"], values["mask"]
    with ProcessPoolExecutor(1, mp_context=get_context("forkserver")) as pool:
        assert pool.submit(n_animals, survey, mask).result(timeout=120) == n_animals(survey, mask)
