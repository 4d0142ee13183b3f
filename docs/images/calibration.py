"""Calibrate every model and write what came out: ``docs/calibration.md`` and its figures.

``python docs/images/calibration.py [REPLICATES] [FOLDER]``; with a folder it goes on where it was stopped.
"""

from __future__ import annotations

import os
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pandas as pd

import leopardpop as lp
from leopardpop.plots.style import figure_of

DOCS = Path(__file__).resolve().parents[1]
SIGMA = 2_000.0
LINE = np.arange(6) * 2 * SIGMA
X, Y = (each.ravel() for each in np.meshgrid(LINE, LINE))
STATIONS = pd.DataFrame({"station": [f"K{i:02d}" for i in range(36)], "x": X, "y": Y})
PRIORS = {
    "D": lp.Prior("LogNormal", mu=np.log(0.10), sigma=0.5),
    "lambda0": lp.Prior("LogNormal", mu=np.log(0.12), sigma=0.4),
    "sigma": lp.Prior("LogNormal", mu=np.log(SIGMA), sigma=0.25),
}
FEW = PRIORS | {"D": lp.Prior("LogNormal", mu=np.log(0.03), sigma=0.4)}
G0 = {"D": PRIORS["D"], "g0": lp.Prior("Beta", alpha=4, beta=26), "sigma": PRIORS["sigma"]}
SEX = lp.HalfNormal(lambda0="~ sex", sigma="~ sex")
HEAD = """# Calibration

Truths are drawn from the priors, surveys are simulated and fitted with these priors, and the rank of each truth in its
posterior is noted: uniform ranks mean that likelihood, priors, simulation and engine belong together (Talts et al.
2018). A replicate that could not be fitted counts as one that the interval missed; those whose certificate failed are
counted in. This page is written by `docs/images/calibration.py`, {replicates} replicates of each model by
`engine="laplace"`; `lp.calibrate` does the same for a model and a design of yours ([how](howto/calibrate.md)).

The column of 95 % intervals has the lowest and the highest share that held the truth, over the quantities of a model.

| model | design | replicates | failed | certificate failed | 95 % intervals | verdict |
|---|---|---:|---:|---:|---|---|
"""
FOOT = """
An interval holds its truth 95 ± {error} % of the time if all is well (one standard error). The verdict is of all
quantities of a model together; one that is right fails with a chance of 5 %.

"""


def grid(occasions: int = 5, detector: str = "proximity") -> tuple[lp.CaptureHistory, lp.Mask]:
    """36 stations 2σ apart."""
    design = lp.CaptureHistory.from_tables(None, STATIONS, occasions=occasions, detector=detector)
    return design, lp.Mask.around(design, buffer=4 * SIGMA, spacing=SIGMA / 2)


def sites(n: int = 60, visits: int = 5, **options: object) -> tuple[lp.DetectionHistory]:
    """Sites that are all visited equally often."""
    return (lp.DetectionHistory.from_tables(np.ones((n, visits)), **options),)


def cases() -> dict[str, tuple[object, tuple[object, ...], str]]:
    """Title -> model, where, design in words."""
    blocks = sites(sites=pd.DataFrame({"block": list("abcdefghij") * 6}))
    stations, small = "36 stations, 5 occasions", "60 sites, 5 visits"
    states, years = {"response": "state"}, {"seasons": 4}
    return {
        "SCR, half-normal": (lp.SCR(priors=PRIORS), grid(), stations),
        "SCR, about 10 animals detected": (lp.SCR(priors=FEW), grid(), stations),
        "SCR, half-normal of the probability, one trap a night": (
            lp.SCR(detection=lp.ProbabilityHalfNormal(), priors=G0),
            grid(detector="multi"),
            stations,
        ),
        "SCR, sexes": (lp.SCR(detection=SEX, classes="sex", priors=PRIORS), grid(), stations),
        "SCR, response to capture (bk)": (
            lp.SCR(detection=lp.HalfNormal(lambda0="~ bk"), priors=PRIORS),
            grid(),
            stations,
        ),
        "SCR, density by x": (lp.SCR(density="~ x", priors=PRIORS), grid(), stations),
        "Occupancy": (lp.Occupancy(), sites(), small),
        "Occupancy, random blocks": (lp.Occupancy(psi="~ (1 | block)"), blocks, f"{small}, 10 blocks"),
        "RoyleNichols": (lp.RoyleNichols(), sites(), small),
        "NMixture": (lp.NMixture(), sites(response="count"), small),
        "CountOccupancy": (lp.CountOccupancy(), sites(response="count"), small),
        "DynamicOccupancy": (lp.DynamicOccupancy(), sites(80, 12, **years), "80 sites, 4 seasons of 3 visits"),
        "MultistateOccupancy": (lp.MultistateOccupancy(), sites(80, 8, **states), "80 sites, 8 visits"),
        "DynamicMultistateOccupancy": (
            lp.DynamicMultistateOccupancy(),
            sites(80, 20, **states, **years),
            "80 sites, 4 seasons of 5 visits",
        ),
    }


def main(replicates: int = 200, folder: str | None = None) -> None:
    """Calibrate all and write the page."""
    root = Path(folder or tempfile.mkdtemp())
    rows, figures = [], []
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as pool:
        for i, (title, (model, where, design)) in enumerate(cases().items()):
            given = {"replicates": replicates, "seed": 1, "executor": pool, "folder": root / f"{i:02d}"}
            found = lp.calibrate(model, *where, **given)  # type: ignore[arg-type]
            table = found.table()
            low, high = (100 * float(table["coverage_95"].agg(each)) for each in ("min", "max"))
            verdict = "holds" if found.holds else "FAILS"
            numbers = f"{found.asked} | {found.failed} | {found.untrusted} | {low:.1f} to {high:.1f}"
            rows.append(f"| {title} | {design} | {numbers} | {verdict} |\n")
            figures.append(picture(found, i, title))
            sys.stdout.write(f"{rows[-1]}{found!r}\n")
            sys.stdout.flush()
    error = 100 * (0.95 * 0.05 / replicates) ** 0.5
    text = HEAD.format(replicates=replicates) + "".join(rows) + FOOT.format(error=f"{error:.1f}") + "".join(figures)
    (DOCS / "calibration.md").write_text(text, encoding="utf-8")


def picture(found: lp.Calibration, number: int, title: str) -> str:
    """Write the figure of a model, and what the page says of it."""
    figure = figure_of(np.ravel(np.asarray(found.plot(), object))[0])
    name = f"calibration_{number:02d}.png"
    figure.savefig(DOCS / "images" / name, dpi=90, metadata={"Software": None})
    caption = figure.caption.split(". The band")[0].split(". Distribution")[0]
    return f"## {title}\n\n![{figure.alt_text}](images/{name})\n\n{caption}.\n\n"


if __name__ == "__main__":
    main(*(kind(text) for kind, text in zip((int, str), sys.argv[1:], strict=False)))
