"""Published fits of occupancy models by unmarked and wiqid: the same maximum, the same errors.

Their searches stop a little short of the maximum; ours must not be lower, and where errors differ the exact Hessian
decides (the frogs: ψ near its bound, where unmarked stopped 0.005 short on the logit scale).
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import leopardpop as lp
from leopardpop.checks.known.occupancy import FITS, OccupancyAnswer
from leopardpop.inference.mode import find_modes
from leopardpop.models.states.problem import OccupancyProblem
from leopardpop.results.occupancy_maximum import Likelihood


@cache
def maximum(shared: Path, fit: OccupancyAnswer) -> Any:
    return fit.model.maximum_likelihood(fit.history(shared / "data"))


@pytest.mark.parametrize("fit", FITS, ids=str)
def test_published_maximum(shared: Path, fit: OccupancyAnswer) -> None:
    """No lower, and the same to 1e-6: their last digits are those of their searches."""
    ours, theirs = maximum(shared, fit).log_likelihood, fit.record(shared)["logLik"]
    assert ours > theirs - 1e-8
    assert ours == pytest.approx(theirs, abs=fit.log_likelihood)


@pytest.mark.parametrize("fit", FITS, ids=str)
def test_published_estimates_and_errors(shared: Path, fit: OccupancyAnswer) -> None:
    published = fit.coefficients(shared)
    ours = maximum(shared, fit).coefficients.loc[list(fit.names)]
    np.testing.assert_allclose(ours["estimate"], published["estimate"], atol=fit.estimate)
    np.testing.assert_allclose(ours["se"], published["se"], rtol=fit.error)


@pytest.mark.parametrize("fit", [fit for fit in FITS if fit.data in ("weta", "grandskinks")], ids=str)
def test_published_aic(shared: Path, fit: OccupancyAnswer) -> None:
    published = {
        "occSS null": 265.7872,
        "occSS psi~Browsed": 264.2643,
        "occSS psi~Browsed p~ObsD(obs covs)": 262.0421,
        "occMS0 5 seasons x3": 1775.0155,
    }
    if fit.label in published:
        assert maximum(shared, fit).aic == pytest.approx(published[fit.label], abs=5e-5)


def test_frogs_with_breeding_states_at_the_bound(shared: Path) -> None:
    """The maximum lies at R = 1, p1 = 0: only the log-likelihood is comparable, to 1e-3; no table is returned."""
    history = lp.DetectionHistory.from_tables(shared / "data" / "frogs_pcru" / "y_ms3.csv", response="state")
    best = find_modes(Likelihood(OccupancyProblem(lp.MultistateOccupancy(), history))).best
    assert best.value == pytest.approx(-294.193870797664, abs=1e-3)
    assert best.value > -294.193870797664
    with pytest.raises(lp.errors.FitError, match=r"flat along 'p1\[Intercept\]': it is at a bound"):
        lp.MultistateOccupancy().maximum_likelihood(history)


def test_natural_scale(shared: Path) -> None:
    skinks = maximum(shared, next(fit for fit in FITS if fit.label.startswith("occMS0"))).estimates["estimate"]
    assert skinks.round(4).to_dict() == {"psi": 0.3945, "gamma": 0.0683, "epsilon": 0.1, "p": 0.6892}
