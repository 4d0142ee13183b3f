"""Six parks that share a law of σ, and their fits."""

from __future__ import annotations

import warnings
from functools import cache

import numpy as np
import pandas as pd

import leopardpop as lp

PARKS, GAP = 6, 1500.0
PRIORS = {
    "D": lp.Prior("LogNormal", mu=np.log(0.22), sigma=0.3),
    "lambda0": lp.Prior("LogNormal", mu=np.log(0.15), sigma=0.3),
    "sigma": lp.Prior("LogNormal", mu=np.log(1000.0), sigma=0.2),
}
POOLED = lp.SCR(detection=lp.HalfNormal(sigma="~ 1 + (1 | session)"), priors=PRIORS)


@cache
def parks() -> tuple[lp.CaptureHistory, dict[str, lp.Mask]]:
    """Six parks far from each other, 16 cameras each, about twelve animals detected."""
    rows = [(f"P{s}", f"{i}-{j}", GAP * i, GAP * j) for s in range(PARKS) for i in range(4) for j in range(4)]
    stations = pd.DataFrame(rows, columns=["session", "station", "x", "y"])
    design = lp.CaptureHistory.from_tables(None, stations, occasions=8, effort_unit="day", crs="local")
    mask = lp.Mask.around(design["P0"], buffer=3500, spacing=700)
    return design, dict.fromkeys(design.sessions, mask)


def simulated(truth: dict[str, float], seed: int) -> lp.models.simulation.Simulation:
    design, masks = parks()
    return POOLED.simulate(design, masks, parameters=truth, seed=seed)


def fitted(history: lp.CaptureHistory, model: lp.SCR = POOLED, **options: object) -> lp.Fit:
    _, masks = parks()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", lp.errors.LeopardpopWarning)
        return model.fit(history, {s: masks[s] for s in history.sessions}, **options)


def sigma_by_park(fit: lp.Fit) -> np.ndarray:
    """Draws of log σ of every park, (draw, park)."""
    posterior = fit.posterior.stack(all=("chain", "draw"))
    return np.log(posterior["sigma"].values)[:, None] + posterior["sigma_effect"].transpose("all", ...).values
