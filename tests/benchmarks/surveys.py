"""Real surveys as library objects, and generated ones of any size."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

import leopardpop as lp
from tests.reference.datasets import library_history, library_masks, read_layout_a

SPACING, SIGMA = 2000.0, 4000.0
"""Of the stations of a generated survey, and scale of its animals, m."""


def load_dataset(shared: Path, name: str) -> tuple[lp.CaptureHistory, lp.Mask | dict[str, lp.Mask]]:
    """History and mask of a survey in the shared folder."""
    survey = read_layout_a(shared / "data" / name)
    return library_history(survey), library_masks(survey)


def generated(
    *, stations: int, cells: int, animals: float, lambda0: float = 0.01, detection: lp.DetectionFunction | None = None
) -> tuple[lp.CaptureHistory, lp.Mask]:
    """Counts over ten days at a square of stations, on a mask of about so many cells, with so many animals in it."""
    side = round(np.sqrt(stations))
    x, y = (a.ravel() * SPACING for a in np.meshgrid(np.arange(side), np.arange(side)))
    table = pd.DataFrame({"station": [f"K{i}" for i in range(len(x))], "x": x, "y": y, "effort": 10.0})
    design = lp.CaptureHistory.from_tables(
        None, table, effort="effort", detector="count", effort_unit="day", occasions=1
    )
    width = (side - 1) * SPACING + 6 * SIGMA
    mask = lp.Mask.around(design, buffer=3 * SIGMA, spacing=width / np.sqrt(cells))
    truth = {"D": animals / float(mask.area.sum()), "lambda0": lambda0, "sigma": SIGMA}
    model = lp.SCR(detection=detection or lp.HalfNormal())
    return model.simulate(design, mask, parameters=truth, seed=1).history, mask
