"""A fit reduced to what derived quantities need: a problem, draws, a seed; made without an engine."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import shapely
import xarray as xr
from numpy.typing import NDArray

import leopardpop as lp
from leopardpop.models.describe import theta_of
from leopardpop.models.problem import Problem
from tests.reference.datasets import PlainSurvey, library_history, library_masks
from tests.reference.designs import Design, make_survey

VALUES = {
    "D[Intercept]": np.log(0.25),
    "D[snow]": 0.012,
    "lambda0[Intercept]": np.log(0.08),
    "sigma[Intercept]": np.log(1100.0),
}
BY_SEX = {"sigma[sex[M]]": 0.35, "pmix[M]": -0.4}


@dataclass(frozen=True)
class StandIn:
    """Draws without an engine."""

    problem: Problem
    theta: NDArray[np.float64]
    seed: int | None = 1
    posterior: xr.Dataset | None = None

    def with_numbers(self) -> StandIn:
        """Add the N that a fit would have in its posterior."""
        rng, problem = np.random.default_rng(99), self.problem
        rows = self.theta.reshape(-1, self.theta.shape[-1])
        rates = np.array([[u.sum() for u in problem.undetected(row)] for row in rows])
        detected = [len(data.individuals) for data in problem.data]
        numbers = (rng.poisson(rates) + detected).reshape(*self.theta.shape[:2], -1)
        sessions = list(problem.history.sessions)
        array = xr.DataArray(numbers, {"session": sessions}, ["chain", "draw", "session"])
        return replace(self, posterior=xr.Dataset({"N": array}))


def plain_survey(sex: str = "none", layout: str = "one session", detector: str = "count") -> PlainSurvey:
    return make_survey(Design(detector=detector, layout=layout, sex=sex))


def model_of(sex: str = "none") -> lp.SCR:
    by_sex = sex != "none"
    return lp.SCR(
        density="~ snow",
        detection=lp.HalfNormal(sigma="~ sex" if by_sex else "~ 1"),
        classes="sex" if by_sex else None,
    )


def values_of(sex: str = "none") -> dict[str, float]:
    return VALUES | (BY_SEX if sex != "none" else {})


def stand_in(
    sex: str = "none",
    *,
    layout: str = "one session",
    detector: str = "count",
    draws: int = 40,
    spread: float = 0.1,
    seed: int | None = 1,
    mask: lp.Mask | dict[str, lp.Mask] | None = None,
) -> StandIn:
    """Two chains of draws about known values, every third one a repetition; equal ones if spread is 0."""
    survey = plain_survey(sex, layout, detector)
    masks = library_masks(survey) if mask is None else mask
    problem = Problem(model_of(sex), library_history(survey), masks)
    centre = theta_of(problem, pd.Series(values_of(sex)))
    theta = centre + spread * np.random.default_rng(5).normal(size=(2, draws, len(centre)))
    theta[:, 2::3] = theta[:, 1 : draws - 1 : 3][:, : theta[:, 2::3].shape[1]]
    return StandIn(problem, theta, seed)


def halves(mask: lp.Mask, at: float = 0.5) -> dict[str, shapely.Polygon]:
    """The mask's bounds cut in a western and an eastern part, between two columns of cells or through one."""
    west, east = mask.x.min() - 500, mask.x.max() + 500
    south, north = mask.y.min() - 500, mask.y.max() + 500
    middle = west + at * (east - west)
    return {"west": shapely.box(west, south, middle, north), "east": shapely.box(middle, south, east, north)}
