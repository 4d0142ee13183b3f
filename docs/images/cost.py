"""Measure what value and gradient of the likelihood cost as surveys grow, and draw it: ``cost.png``."""

from __future__ import annotations

import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

import leopardpop as lp
from leopardpop.models.problem import Problem

SPACING, SIGMA, STATIONS = 2000.0, 4000.0, 20
FORMS = {"half-normal": lp.HalfNormal(), "exponential": lp.Exponential()}


def main() -> None:
    """Write ``cost.png`` beside this file."""
    warnings.simplefilter("ignore", lp.errors.LeopardpopWarning)
    figure = Figure(figsize=(7.5, 3.2), layout="constrained", dpi=110)
    left, right = figure.subplots(1, 2, sharey=True)
    draw(left, "cells of the mask", [(cells, 400) for cells in (1_500, 3_000, 6_000, 12_000, 24_000)], 0)
    draw(right, "animals in the mask", [(3_000, animals) for animals in (200, 400, 800, 1_600, 3_200)], 1)
    left.set_ylabel("value and gradient, ms")
    left.legend(frameon=False)
    figure.savefig(Path(__file__).with_name("cost.png"))


def draw(axes, label, sizes, which) -> None:
    for marker, (name, detection) in zip("os", FORMS.items(), strict=True):
        cost = [milliseconds(detection, *size) for size in sizes]
        x = [size[which] for size in sizes]
        axes.plot(x, cost, marker, label=name, color="black" if marker == "o" else "0.5")
        slope, level = np.polyfit(x, cost, 1)
        axes.plot(x, level + slope * np.array(x), "-", color="0.7", zorder=0)
    axes.set(xlabel=label, xlim=(0, None), ylim=(0, None))
    axes.spines[["top", "right"]].set_visible(False)


def milliseconds(detection, cells: int, animals: int) -> float:
    x, y = (a.ravel() * SPACING for a in np.meshgrid(np.arange(STATIONS), np.arange(STATIONS)))
    table = pd.DataFrame({"station": [f"K{i}" for i in range(len(x))], "x": x, "y": y, "effort": 10.0})
    design = lp.CaptureHistory.from_tables(
        None, table, effort="effort", detector="count", effort_unit="day", occasions=1
    )
    spacing = ((STATIONS - 1) * SPACING + 6 * SIGMA) / np.sqrt(cells)
    mask = lp.Mask.around(design, buffer=3 * SIGMA, spacing=spacing)
    model = lp.SCR(detection=detection)
    truth = {"D": animals / float(mask.area.sum()), "lambda0": 0.01, "sigma": SIGMA}
    problem = Problem(model, model.simulate(design, mask, parameters=truth, seed=1).history, mask)
    theta = problem.starts()[0]
    times = []
    for _ in range(7):
        start = time.process_time()
        problem.gradient(theta)
        times.append(time.process_time() - start)
    return 1e3 * min(times)


if __name__ == "__main__":
    main()
