"""Calibrate every model and write what came out: ``docs/calibration.md`` and its figures.

``python docs/images/calibration.py [REPLICATES] [FOLDER] [WORD ...]``; with a folder it goes on where it was stopped,
with words only models are asked whose titles have one of them. What came out is kept in ``calibration.json``, of which
the page is made, with the version and the day; a model that was not asked again stays as it was.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pandas as pd

import leopardpop as lp
from leopardpop.plots.style import figure_of

DOCS = Path(__file__).resolve().parents[1]
KEPT = Path(__file__).with_suffix(".json")
SIGMA = 2_000.0
LINE = np.arange(6) * 2 * SIGMA
X, Y = (each.ravel() for each in np.meshgrid(LINE, LINE))
STATIONS = pd.DataFrame({"station": [f"K{i:02d}" for i in range(36)], "x": X, "y": Y})
PARKS = pd.concat([STATIONS.assign(session=f"park {i}") for i in range(4)])
PRIORS = {
    "D": lp.Prior("LogNormal", mu=np.log(0.10), sigma=0.5),
    "lambda0": lp.Prior("LogNormal", mu=np.log(0.12), sigma=0.4),
    "sigma": lp.Prior("LogNormal", mu=np.log(SIGMA), sigma=0.25),
}
FEW = PRIORS | {"D": lp.Prior("LogNormal", mu=np.log(0.03), sigma=0.4)}
G0 = {"D": PRIORS["D"], "g0": lp.Prior("Beta", alpha=4, beta=26), "sigma": PRIORS["sigma"]}
SEX = lp.HalfNormal(lambda0="~ sex", sigma="~ sex")
AGAIN = 5
BY_NUTS = ("SCR, half-normal", "SCR, about 10 animals detected", "Occupancy", "DynamicMultistateOccupancy")
HEAD = """# Calibration

Truths are drawn from the priors, surveys are simulated and fitted with these priors, and the rank of each truth in its
posterior is noted: uniform ranks mean that likelihood, priors, simulation and engine belong together (Talts et al.
2018). A replicate that could not be fitted counts as one that the interval missed; those whose certificate failed
("uncertified") are counted in. This page is written by `docs/images/calibration.py`; `lp.calibrate` does the same for
a model and a design of yours ([how](howto/calibrate.md)).

The column of 95 % intervals has the lowest and the highest share that held the truth, over the quantities of a model.

| model | engine | verdict | 95 % intervals hold, % | replicates | failed | uncertified |
|---|---|---|---|---:|---:|---:|
"""
FOOT = """
An interval holds its truth 95 ± {error} % of the time if all is well (one standard error, {replicates} replicates).
The verdict is of all quantities of a model together; one that is right fails with a chance of 5 %, so that of {models}
about {chance} may. Where one fails, five times as many replicates with other seeds follow: what is wrong fails there,
too. Fits have 1,000 draws; by NUTS these are often fewer than the 400 effective ones that its certificate asks for.
Asked {days}.

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
    } | others()


def others() -> dict[str, tuple[object, tuple[object, ...], str]]:
    """What is on the page after the plain models."""
    stations, small = "36 stations, 5 occasions", "60 sites, 5 visits"
    counts, parks = grid(detector="count"), lp.CaptureHistory.from_tables(None, PARKS, occasions=5)
    slow = counts[1].with_covariates(cost=lambda x, y: 1.0 + (x > LINE.mean()))
    either = lp.HalfNormal(lambda0="~ h2")
    mixture = PRIORS | {"lambda0[h2[2]]": lp.Prior("HalfNormal", sigma=2.0)}
    species = {f"s{k}": np.ones((50, 4)) for k in range(8)}
    looked = np.ones((80, 5))
    certain = lp.DetectionHistory.from_tables(looked, visit_covariates={"dna": looked * [1, 1, 0, 0, 0]})
    return {
        "SCR, exponential": (lp.SCR(detection=lp.Exponential(), priors=PRIORS), grid(), stations),
        "SCR, hazard rate": (lp.SCR(detection=lp.HazardRate(), priors=PRIORS), grid(), stations),
        "SCR, counts": (lp.SCR(priors=PRIORS), counts, stations),
        "SCR, counts in bursts (negative binomial)": (lp.SCR(counts="negbin", priors=PRIORS), counts, stations),
        "SCR, two hidden classes": (
            lp.SCR(detection=either, classes=lp.Mixture(2), priors=mixture),
            grid(10),
            "36 stations, 10 occasions",
        ),
        "SCR, misread identities left out (SCR-2)": (lp.SCR(ghosts=True, priors=PRIORS), grid(), stations),
        "SCR, least-cost distance": (
            lp.SCR(distance=lp.LeastCost(resistance="cost"), priors=PRIORS),
            (counts[0], slow),
            f"{stations}, counts, two grounds",
        ),
        "SCR, sigma pooled over four parks": (
            lp.SCR(detection=lp.HalfNormal(sigma="~ (1 | session)"), priors=PRIORS),
            (parks, counts[1]),
            f"4 times {stations}",
        ),
        "TwoFlanks": (lp.TwoFlanks(model=lp.SCR(priors=FEW)), grid(), stations),
        "NMixture, negative binomial": (
            lp.NMixture(distribution="negbin"),
            sites(response="count"),
            small,
        ),
        "FalsePositiveOccupancy": (
            lp.FalsePositiveOccupancy(certain="dna"),
            (certain,),
            "80 sites, 5 visits, 2 of them certain",
        ),
        "CommunityOccupancy": (
            lp.CommunityOccupancy(),
            (lp.DetectionHistory.from_tables(species),),
            "8 species, 50 sites, 4 visits",
        ),
    }


def each_of(given: dict[str, tuple[object, ...]]) -> list[tuple[object, ...]]:
    """Cases with their titles."""
    return [(title, *case) for title, case in given.items()]


def main(replicates: int = 200, folder: str | None = None, *words: str) -> None:
    """Calibrate all, or what the words say, and write the page."""
    root = Path(folder or tempfile.mkdtemp())
    wanted = [(*case, "laplace", replicates) for case in each_of(cases())]
    wanted += [(*case, "nuts", replicates // 4) for case in each_of(cases()) if case[0] in BY_NUTS]
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as pool:
        for i, (title, model, where, design, engine, number) in enumerate(wanted):
            heading = title if engine == "laplace" else f"{title}, by NUTS"
            if words and not any(word in heading for word in words):
                continue
            given = {"replicates": number, "seed": 1, "engine": engine, "executor": pool, "folder": root / f"{i:02d}"}
            found = lp.calibrate(model, *where, **given)  # type: ignore[arg-type]
            rows, figure = [row(found, title, engine)], picture(found, i, heading, design)
            if not found.holds:  # by chance, or not: asked again, five times as many
                more = {"replicates": AGAIN * number, "seed": 2, "folder": root / f"{i:02d}_again"}
                found = lp.calibrate(model, *where, **given | more)  # type: ignore[arg-type]
                rows.append(row(found, f"{title}: the same with other seeds", engine))
            keep(heading, {"rows": rows, "picture": figure, "when": f"{datetime.now(UTC):%Y-%m-%d}"})
            sys.stdout.write(f"{rows[-1]}{found!r}\n")
            sys.stdout.flush()
    write([case[0] for case in wanted if case[-2] == "laplace"] + [f"{title}, by NUTS" for title in BY_NUTS])


def keep(heading: str, entry: dict[str, object]) -> None:
    """Put what came out of a model into the file."""
    kept = json.loads(KEPT.read_text(encoding="utf-8")) if KEPT.exists() else {}
    text = json.dumps(kept | {heading: entry | {"version": lp.__version__}}, indent=1, ensure_ascii=False)
    KEPT.write_text(text + "\n", encoding="utf-8")


def write(headings: list[str]) -> None:
    """Write the page of everything that is in the file, in the order of the models."""
    kept = json.loads(KEPT.read_text(encoding="utf-8"))
    entries = [kept[heading] for heading in headings if heading in kept]
    rows = [line for entry in entries for line in entry["rows"]]
    asked = min(int(line.split("|")[5]) for line in rows if "| laplace |" in line)
    when = sorted(entry["when"] for entry in entries)
    days = when[0] if when[0] == when[-1] else f"{when[0]} to {when[-1]}"
    text = HEAD + "".join(rows) + foot(asked, len(entries), days) + "".join(entry["picture"] for entry in entries)
    (DOCS / "calibration.md").write_text(text, encoding="utf-8")


def row(found: lp.Calibration, title: str, engine: str) -> str:
    """A row of the table."""
    table = found.table()
    low, high = (100 * float(table["coverage_95"].agg(each)) for each in ("min", "max"))
    numbers = f"{low:.1f} to {high:.1f} | {found.asked} | {found.failed} | {found.untrusted}"
    return f"| {title} | {engine} | {'holds' if found.holds else 'FAILS'} | {numbers} |\n"


def foot(replicates: int, models: int, days: str) -> str:
    """How the table is to be read."""
    error = 100 * (0.95 * 0.05 / replicates) ** 0.5
    return FOOT.format(
        error=f"{error:.1f}", replicates=replicates, models=models, chance=round(0.05 * models) or "none", days=days
    )


def picture(found: lp.Calibration, number: int, title: str, design: str) -> str:
    """Write the figure of a model, and what the page says of it."""
    figure = figure_of(np.ravel(np.asarray(found.plot(), object))[0])
    name = f"calibration_{number:02d}.png"
    figure.savefig(DOCS / "images" / name, dpi=90, metadata={"Software": None})
    caption = figure.caption.split(". The band")[0].split(". Distribution")[0]
    return f"## {title}\n\n![{figure.alt_text}](images/{name})\n\n{caption}; {design}.\n\n"


if __name__ == "__main__":
    main(*(int(text) if i == 0 else text for i, text in enumerate(sys.argv[1:])))  # type: ignore[arg-type]
