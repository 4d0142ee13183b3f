"""Small surveys that the model itself made, and their fits, each computed once."""

from __future__ import annotations

import warnings
from functools import cache

import numpy as np
import pandas as pd

import leopardpop as lp
from leopardpop.errors import LeopardpopWarning
from leopardpop.models.problem import Problem

# Far from zero and uneven, so that a coordinate in a file cannot be there by chance.
WEST, SOUTH = 512_345.678, 4_812_345.432
GAP = 1_500.0
TRUTH = {"D": 0.5, "lambda0": 0.25, "sigma": 1_000.0}
BY_SEX = TRUTH | {"sigma[sex[M]]": 0.3, "pmix": 0.4}


@cache
def stations(*sessions: str) -> pd.DataFrame:
    """Five by five stations, in every session."""
    rows = [
        (session, f"River {i}-{j}", WEST + GAP * i, SOUTH + GAP * j, 31.2537 * i + j + 0.137)
        for session in sessions
        for i in range(5)
        for j in range(5)
    ]
    return pd.DataFrame(rows, columns=["session", "station", "x", "y", "river_km"])


@cache
def design(*sessions: str) -> lp.CaptureHistory:
    return lp.CaptureHistory.from_tables(None, stations(*(sessions or ("1",))), occasions=6, effort_unit="day")


@cache
def mask(buffer: float = 4_000.0, spacing: float = 750.0) -> lp.Mask:
    bare = lp.Mask.around(design(), buffer=buffer, spacing=spacing)
    return bare.with_covariates(snow=lambda x, y: (x - WEST) / 1000, unused=lambda x, y: (y - SOUTH) / 1000 + 0.123)


def model(kind: str) -> lp.SCR:
    return {
        "null": lp.SCR(),
        "sex": lp.SCR(detection=lp.HalfNormal(sigma="~ sex"), classes="sex"),
        "snow": lp.SCR(density="~ snow"),
        "years": lp.SCR(density="~ session"),
    }[kind]


@cache
def history(kind: str) -> lp.CaptureHistory:
    """Captures that a model of the kind makes."""
    seed = {"null": 1, "sex": 2, "snow": 3, "years": 4}[kind]
    values = {"sex": BY_SEX, "snow": TRUTH | {"D[snow]": 0.1}}.get(kind, TRUTH)
    over = design("2021", "2022") if kind == "years" else design()
    return model(kind).simulate(over, mask(), parameters=values, seed=seed).history


@cache
def problem(kind: str) -> Problem:
    return Problem(model(kind), history(kind), mask())


@cache
def fit(kind: str) -> lp.Fit:
    """Fit of a kind; what the library warns of is tested elsewhere."""
    return quiet(lambda: model(kind).fit(history(kind), mask(), seed=1, draws=500))


def quiet(make):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LeopardpopWarning)
        return make()


def without_captures(kind: str = "null") -> lp.CaptureHistory:
    return lp.CaptureHistory.from_tables(None, stations("1"), occasions=6, effort_unit="day")


def with_animals(rows: list[tuple[str, str, int]]) -> lp.CaptureHistory:
    """A history of captures (individual, station, occasion)."""
    captures = pd.DataFrame(rows, columns=["individual", "station", "occasion"])
    return lp.CaptureHistory.from_tables(captures, stations("1"), occasions=6, effort_unit="day")


def coefficients(of: lp.Fit, chain: int, draw: int) -> pd.Series:
    """One draw as `model.log_likelihood` takes it, from what the posterior reports."""
    posterior = of.posterior
    labels, values = [], []
    for parameter in of.problem.layout.parameters:
        labels += parameter.labels
        values += posterior[f"{parameter.name}_beta"].values[chain, draw].tolist()
    if "pmix" in posterior:
        share = posterior["pmix"].values[chain, draw]
        labels += of.problem.layout.shares.labels
        values += np.log(share[1:] / share[0]).tolist()
    return pd.Series(values, index=labels)
