"""Small designs for the tests of planning."""

from __future__ import annotations

import numpy as np
import pandas as pd

import leopardpop as lp

SIGMA = 1_000.0
TRUTH = {"D": 0.5, "lambda0": 0.15, "sigma": SIGMA}


def grid_design(side: int = 4, *, occasions: int = 5, detector: str = "proximity", gap: float = 1.5, **tables):
    """A square of stations, 1.5 sigma apart."""
    line = np.arange(side) * gap * SIGMA
    x, y = (a.ravel() for a in np.meshgrid(line, line))
    stations = pd.DataFrame({"station": [f"K{i:02d}" for i in range(side**2)], "x": x, "y": y})
    return lp.CaptureHistory.from_tables(None, stations, detector=detector, occasions=occasions, **tables)


def mask_of(history: lp.CaptureHistory, spacing: float = 0.5) -> lp.Mask:
    return lp.Mask.around(history, buffer=4 * SIGMA, spacing=spacing * SIGMA)
