"""Published fits of occupancy models by unmarked and wiqid: the same maximum, the same errors.

Their searches stop a little short of the maximum; ours must not be lower, and where errors differ the exact Hessian
decides (the frogs: ψ near its bound, where unmarked stopped 0.005 short on the logit scale).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import leopardpop as lp
from leopardpop.inference.mode import find_modes
from leopardpop.models.states.problem import OccupancyProblem
from leopardpop.results.occupancy_maximum import Likelihood


def weta(data: Path) -> lp.DetectionHistory:
    table = pd.read_csv(data / "weta" / "weta.csv")
    observer = table[["site", *(f"ObsD{j}" for j in range(1, 6))]]
    visits = table[["site", *(f"D{j}" for j in range(1, 6))]]
    return lp.DetectionHistory.from_tables(visits, table[["site", "Browsed"]], visit_covariates={"ObsD": observer})


def salamanders(data: Path) -> lp.DetectionHistory:
    return lp.DetectionHistory.from_tables(data / "salamanders" / "y.csv")


def grandskinks(data: Path) -> lp.DetectionHistory:
    table = pd.read_csv(data / "grandskinks" / "grandskinks.csv")
    return lp.DetectionHistory.from_tables(table.drop(columns="habitat"), table[["site", "habitat"]], seasons=5)


def woodthrush(data: Path) -> lp.DetectionHistory:
    return lp.DetectionHistory.from_tables(data / "woodthrush" / "y.csv")


def frogs(data: Path) -> lp.DetectionHistory:
    return lp.DetectionHistory.from_tables(data / "frogs_pcru" / "y.csv")


@dataclass(frozen=True)
class Published:
    """One fit, and what of ours it is."""

    data: str
    label: str
    history: Any
    model: lp.Occupancy | lp.DynamicOccupancy
    names: tuple[str, ...]
    """Our coefficients in the order of theirs."""
    estimate: float = 5e-4
    error: float = 0.003
    log_likelihood: float = 1e-6

    def __str__(self) -> str:
        return f"{self.data} {self.label}"

    def record(self, shared: Path) -> dict[str, Any]:
        fits = json.loads((shared / "reference" / "occupancy.json").read_text())
        return next(fit for fit in fits if (fit["data"], fit["label"]) == (self.data, self.label))


HABITAT = {"psi": "~ habitat", "gamma": "~ habitat", "epsilon": "~ habitat", "p": "~ habitat"}
PLAIN = ("psi[Intercept]", "p[Intercept]")
FITS = [
    Published("weta", "occSS null", weta, lp.Occupancy(), PLAIN),
    Published("weta", "occSS psi~Browsed", weta, lp.Occupancy(psi="~ Browsed"), (PLAIN[0], "psi[Browsed]", PLAIN[1])),
    Published(
        "weta",
        "occSS psi~Browsed p~ObsD(obs covs)",
        weta,
        lp.Occupancy(psi="~ Browsed", p="~ ObsD"),
        (PLAIN[0], "psi[Browsed]", PLAIN[1], "p[ObsD[B]]", "p[ObsD[C]]"),
    ),
    Published("salamanders", "occSS psi~1 p~1", salamanders, lp.Occupancy(), PLAIN),
    Published(
        "salamanders",
        "occSS p~.time (p(t))",
        salamanders,
        lp.Occupancy(p="~ C(visit)"),
        (*PLAIN, *(f"p[C(visit)[{j}]]" for j in range(2, 6))),
        error=0.01,
    ),
    Published(
        "grandskinks",
        "occMS0 5 seasons x3",
        grandskinks,
        lp.DynamicOccupancy(),
        ("psi[Intercept]", "gamma[Intercept]", "epsilon[Intercept]", "p[Intercept]"),
    ),
    Published(
        "grandskinks",
        "occMScovSite psi1~habitat",
        grandskinks,
        lp.DynamicOccupancy(**HABITAT),
        tuple(f"{name}[{term}]" for name in HABITAT for term in ("Intercept", "habitat[Pasture]")),
        error=0.01,
    ),
    Published("woodthrush", "occu(~1 ~1)", woodthrush, lp.Occupancy(), PLAIN),
    Published(
        "frogs_pcru", "occu(~1 ~1)", frogs, lp.Occupancy(), PLAIN, estimate=0.006, error=0.01, log_likelihood=1e-5
    ),
]


@cache
def maximum(shared: Path, fit: Published) -> Any:
    return fit.model.maximum_likelihood(fit.history(shared / "data"))


@pytest.mark.parametrize("fit", FITS, ids=str)
def test_published_maximum(shared: Path, fit: Published) -> None:
    """No lower, and the same to 1e-6: their last digits are those of their searches."""
    ours, theirs = maximum(shared, fit).log_likelihood, fit.record(shared)["logLik"]
    assert ours > theirs - 1e-8
    assert ours == pytest.approx(theirs, abs=fit.log_likelihood)


@pytest.mark.parametrize("fit", FITS, ids=str)
def test_published_estimates_and_errors(shared: Path, fit: Published) -> None:
    record = fit.record(shared)
    rows = record.get("beta") or record["estimates"]
    ours = maximum(shared, fit).coefficients.loc[list(fit.names)]
    np.testing.assert_allclose(ours["estimate"], [row["est"] for row in rows], atol=fit.estimate)
    np.testing.assert_allclose(ours["se"], [row.get("SE", row.get("se")) for row in rows], rtol=fit.error)


@pytest.mark.parametrize("fit", [fit for fit in FITS if fit.data in ("weta", "grandskinks")], ids=str)
def test_published_aic(shared: Path, fit: Published) -> None:
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
