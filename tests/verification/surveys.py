"""Small virtual surveys for statistical checks."""

from __future__ import annotations

import numpy as np
import pandas as pd

import leopardpop as lp

SCALE_M = 2_000.0


def small_design(detector: str = "proximity", occasions: int = 5) -> tuple[lp.CaptureHistory, lp.Mask]:
    """A 6 x 6 grid of stations 2 sigma apart, and a mask that reaches 4 sigma beyond it."""
    line = np.arange(6) * 2 * SCALE_M
    x, y = (a.ravel() for a in np.meshgrid(line, line))
    stations = pd.DataFrame({"station": [f"K{i:02d}" for i in range(36)], "x": x, "y": y})
    history = lp.CaptureHistory.from_tables(None, stations, detector=detector, occasions=occasions)
    return history, lp.Mask.around(history, buffer=4 * SCALE_M, spacing=SCALE_M / 2)


def informative_priors() -> dict[str, lp.Prior]:
    """Priors from which truths are drawn that a survey of this size can see."""
    return {
        "D": lp.Prior("LogNormal", mu=np.log(0.10), sigma=0.5),
        "lambda0": lp.Prior("LogNormal", mu=np.log(0.12), sigma=0.4),
        "sigma": lp.Prior("LogNormal", mu=np.log(SCALE_M), sigma=0.25),
    }


def draw_truth(priors: dict[str, lp.Prior], rng: np.random.Generator) -> dict[str, float]:
    """One value of each parameter from its prior."""
    return {name: float(prior.draw(rng)) for name, prior in priors.items()}


def fits_the_rule(history: lp.CaptureHistory) -> bool:
    """The rule on the data alone by which a replicate may be left out: 3 to 120 animals, at most 2,000 detections."""
    return 3 <= history.n_individuals <= 120 and history.n_detections <= 2_000
