"""Power analysis: 60, 90 or 120 stations, and how many weeks, to know leopards to 20 % and to see a decline.

No survey is needed, only what is thought of density and movement beforehand, as ranges. The numbers come from formulas;
``lp.design.study`` checks them by simulating and analysing the surveys.
"""

import numpy as np
import pandas as pd

import leopardpop as lp

WEEKS = (6, 13, 26)
BELIEVED = {  # each with probability 0.9
    "D": lp.priors.from_range(0.003, 0.010),  # animals per km²
    "lambda0": lp.priors.from_range(0.05, 0.20),  # detections a week at a station in the middle of a range
    "sigma": lp.priors.from_range(3_500, 6_000),  # m
}
MIDDLE = {"D": 0.0055, "lambda0": 0.10, "sigma": 4_600}
DECLINE = lp.design.Trend(decline=(0.2, 0.3, 0.5), years=6, every=2)


def grid(rows: int, columns: int, spacing: float = 5_000.0) -> lp.CaptureHistory:
    """A design: stations on a grid, one occasion a week, no captures."""
    x, y = (axis.ravel() for axis in np.meshgrid(np.arange(columns) * spacing, np.arange(rows) * spacing))
    table = pd.DataFrame({"station": [f"S{i:03d}" for i in range(x.size)], "x": x, "y": y})
    return lp.CaptureHistory.from_tables(None, table, occasions=1, effort_unit="week")


if __name__ == "__main__":
    model = lp.SCR()
    for rows, columns in ((6, 10), (9, 10), (10, 12)):
        design = grid(rows, columns)
        mask = lp.Mask.around(design, buffer=18_000, spacing=2_500)
        found = lp.design.expected(model, design, mask, parameters=BELIEVED, effort=WEEKS, seed=1)
        good = ", ".join(f"{weeks} weeks {p:.2f}" for weeks, p in zip(WEEKS, found.probability(rse=0.2), strict=True))
        print(f"{rows * columns} stations: P(RSE of N at most 20 %) after {good}")

    print(lp.design.power(model, design, mask, parameters=MIDDLE, trend=DECLINE, effort=WEEKS))
