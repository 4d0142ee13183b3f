"""The table of diagnostics: every limit has both sides tested."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from leopardpop.inference.convergence import (
    Finding,
    certificate_findings,
    laplace_findings,
    nuts_findings,
    table,
    worst,
)
from leopardpop.inference.laplace import laplace_draws
from tests.inference import targets


def verdicts(findings: list[Finding]) -> dict[str, str]:
    return {row.quantity: row.verdict for row in findings}


def chains(shift: float = 0.0, size: int = 1000, n_chains: int = 4, **stats: np.ndarray) -> xr.DataTree:
    rng = np.random.default_rng(1)
    x = rng.normal(size=(n_chains, size))
    x[0] += shift
    posterior = xr.Dataset({"x": (("chain", "draw"), x), "fixed": (("chain", "draw"), np.ones_like(x))})
    sample_stats = xr.Dataset({name: (("chain", "draw"), values) for name, values in stats.items()})
    return xr.DataTree.from_dict({"posterior": posterior, "sample_stats": sample_stats})


@pytest.mark.parametrize(
    ("k", "ess", "raw", "expected"),
    [
        (0.2, 900.0, 2200, ["ok", "ok", "ok"]),
        (0.7, 900.0, 2200, ["fail", "ok", "ok"]),
        (np.inf, 1.0, 2200, ["fail", "fail", "ok"]),
        (-np.inf, 399.0, 2199, ["ok", "warn", "warn"]),
    ],
)
def test_certificate(k: float, ess: float, raw: int, expected: list[str]) -> None:
    rows = certificate_findings(pareto_k=k, importance_ess=ess, n_raw=raw)
    assert [row.verdict for row in rows] == expected
    assert all(bool(row.advice) == (row.verdict != "ok") for row in rows)


def test_good_laplace_draws_pass() -> None:
    assert worst(laplace_findings(laplace_draws(targets.gaussian(2)[0], seed=1))) == "ok"


def test_several_modes_are_worth_a_note() -> None:
    rows = laplace_findings(laplace_draws(targets.bimodal(), seed=1))
    assert verdicts(rows)["modes"] == "note"


def test_improper_posterior_fails_and_names_the_coordinate() -> None:
    rows = laplace_findings(laplace_draws(targets.plateau(), seed=1))
    assert worst(rows) == "fail"
    assert "x[0]" in next(row.advice for row in rows if row.quantity == "irregularities of the mode")


def test_good_chains_pass() -> None:
    energy = np.random.default_rng(2).normal(size=(4, 1000))
    none = np.zeros((4, 1000), dtype=bool)
    rows = nuts_findings(chains(diverging=none, reached_max_treedepth=none, energy=energy))
    assert len(rows) == 6
    assert worst(rows) == "ok"


@pytest.mark.parametrize(("shift", "expected"), [(0.0, "ok"), (0.5, "warn"), (2.0, "fail")])
def test_chains_that_disagree(shift: float, expected: str) -> None:
    assert verdicts(nuts_findings(chains(shift)))["R-hat, largest"] == expected


@pytest.mark.parametrize(("count", "expected"), [(0, "ok"), (3, "warn"), (100, "fail")])
def test_divergences(count: int, expected: str) -> None:
    diverging = np.arange(4000).reshape(4, 1000) < count
    row = next(row for row in nuts_findings(chains(diverging=diverging)) if row.quantity == "divergences")
    assert (row.value, row.verdict) == (count, expected)


@pytest.mark.parametrize("name", ["reached_max_treedepth", "maxdepth_reached"])
def test_deep_trees_of_either_sampler(name: str) -> None:
    rows = nuts_findings(chains(**{name: np.ones((4, 1000), dtype=bool)}))
    assert verdicts(rows)["draws at the largest tree"] == "note"


def test_slow_energy() -> None:
    energy = np.cumsum(np.random.default_rng(3).normal(size=(4, 1000)), axis=1)
    assert verdicts(nuts_findings(chains(energy=energy)))["BFMI, smallest"] == "warn"


def test_short_and_single_chains() -> None:
    rows = verdicts(nuts_findings(chains(size=100, n_chains=1)))
    assert rows["R-hat, largest"] == "warn"
    assert rows["ESS of the bulk, smallest"] in ("warn", "fail")


def test_table_has_the_columns_of_the_interface() -> None:
    frame = table(certificate_findings(pareto_k=0.9, importance_ess=150.0, n_raw=2200))
    assert list(frame.columns) == ["quantity", "value", "limit", "verdict", "advice"]
    assert frame["verdict"].tolist() == ["fail", "warn", "ok"]
    assert table([]).empty
    assert worst([]) == "ok"
