"""What ``fit.check()`` finds: false alarms under the true model, and the power against planted faults.

``python -m tests.verification.check_power 200`` prints the table of the docs page: surveys, animals, share flagged.
Effects that a model leaves out are named with a number of animals: ``check_power 200 trap_happy:20``.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd

import leopardpop as lp

SCALE_M, SIDE, OCCASIONS = 2_000.0, 6, 13
TRUTH = {"D": 0.032, "lambda0": 0.22, "sigma": SCALE_M}
LINE = np.arange(SIDE) * 2 * SCALE_M
X, Y = (each.ravel() for each in np.meshgrid(LINE, LINE))
STATIONS = pd.DataFrame({"station": [f"K{i:02d}" for i in range(len(X))], "x": X, "y": Y})
COLUMNS = ["individual", "station", "occasion"]


class Found(NamedTuple):
    """What was found in some surveys."""

    animals: float
    p: pd.DataFrame
    """By survey, (surveys, statistics); statistics that a survey has not are missing."""
    family_p: pd.DataFrame

    @property
    def flagged(self) -> float:
        return float((self.family_p.min(axis=1) <= 0.10).mean())


def history_of(captures: pd.DataFrame | None, effort: pd.DataFrame | None = None) -> lp.CaptureHistory:
    return lp.CaptureHistory.from_tables(captures, STATIONS, effort=effort, occasions=OCCASIONS)


def captures_of(history: lp.CaptureHistory) -> pd.DataFrame:
    return history.detections[COLUMNS].astype(str)


def nothing(history: lp.CaptureHistory, rng: np.random.Generator) -> lp.CaptureHistory:
    """The true model."""
    return history


def ghosts(history: lp.CaptureHistory, rng: np.random.Generator) -> lp.CaptureHistory:
    """Each capture has a new identity with probability 1/4."""
    table = captures_of(history)
    wrong = rng.random(len(table)) < 0.25
    names = np.where(wrong, [f"ghost{i}" for i in range(len(table))], table["individual"].to_numpy(str))
    return history_of(table.assign(individual=names))


def one_animal(history: lp.CaptureHistory, rng: np.random.Generator) -> lp.CaptureHistory:
    """One animal is detected five times as often as the average animal, at the stations around its own."""
    table = captures_of(history)
    number = table.groupby("individual").size()
    chosen = number.index[rng.integers(len(number))]
    own = table[table["individual"] == chosen]
    centre = STATIONS.set_index("station").loc[own["station"], ["x", "y"]].to_numpy().mean(0)
    weight = np.exp(-((STATIONS[["x", "y"]].to_numpy() - centre) ** 2).sum(1) / (2 * SCALE_M**2))
    free = np.ones((len(STATIONS), OCCASIONS)) * weight[:, None]
    free[own["station"].str[1:].astype(int), own["occasion"].astype(int) - 1] = 0.0
    more = max(0, round(5 * number.mean()) - len(own))
    station, occasion = np.divmod(rng.choice(free.size, more, replace=False, p=free.ravel() / free.sum()), OCCASIONS)
    added = {"individual": chosen, "station": STATIONS["station"].to_numpy()[station], "occasion": occasion + 1}
    return history_of(pd.concat([table, pd.DataFrame(added).astype(str)]))


def weeks_as_days(history: lp.CaptureHistory, rng: np.random.Generator) -> lp.CaptureHistory:
    """At a third of the stations the effort of an occasion is written down as 7, and was 1."""
    effort = np.ones((len(STATIONS), OCCASIONS))
    effort[rng.choice(len(STATIONS), len(STATIONS) // 3, replace=False)] = 7.0
    wide = pd.DataFrame(effort, columns=[str(o + 1) for o in range(OCCASIONS)]).assign(station=STATIONS["station"])
    return history_of(captures_of(history), wide)


def never_on(history: lp.CaptureHistory, rng: np.random.Generator) -> lp.CaptureHistory:
    """A third of the stations never worked, and are written down as on."""
    off = rng.choice(STATIONS["station"].to_numpy(), len(STATIONS) // 3, replace=False)
    table = captures_of(history)
    return history_of(table[~table["station"].isin(off)])


def failed_halfway(history: lp.CaptureHistory, rng: np.random.Generator) -> lp.CaptureHistory:
    """Half of the stations failed after half of the survey, and are written down as on."""
    off = rng.choice(STATIONS["station"].to_numpy(), len(STATIONS) // 2, replace=False)
    table = captures_of(history)
    lost = table["station"].isin(off) & (table["occasion"].astype(int) > OCCASIONS // 2)
    return history_of(table[~lost])


def surveyed_by(model: lp.SCR, truth: dict[str, float], animals: int, seed: int) -> lp.CaptureHistory:
    """A survey of another model, of which about so many animals are detected."""
    kind = "count" if model.counts == "negbin" else "proximity"
    design = lp.CaptureHistory.from_tables(None, STATIONS, occasions=OCCASIONS, detector=kind)
    mask = lp.Mask.around(design, buffer=4 * SCALE_M, spacing=SCALE_M / 2)
    parameters = TRUTH | truth | {"D": TRUTH["D"] * animals / 25}
    return model.simulate(design, mask, parameters=parameters, seed=seed).history


EFFECTS: dict[str, tuple[lp.SCR, dict[str, float]]] = {
    "no_effect": (lp.SCR(), {}),
    "sex_in_sigma": (
        lp.SCR(detection=lp.HalfNormal(sigma="~ sex"), classes="sex"),
        {"sigma": SCALE_M / 1.3, "sigma[sex[M]]": float(np.log(1.69)), "pmix": 0.5},
    ),
    "trap_happy": (
        lp.SCR(detection=lp.HalfNormal(lambda0="~ bk")),
        {"lambda0": 0.12, "lambda0[bk[caught]]": float(np.log(3.0))},
    ),
    "gradient": (lp.SCR(density="~ x"), {"D[x]": 0.1}),
    "overdispersion": (lp.SCR(counts="negbin"), {"size": 0.3}),
}
"""Effects that the fitted model leaves out: σ of males 1.69 times that of females; λ0 three times after a capture at
the station; density that doubles over 7 km, a third of the side; counts in bursts, their variance 1 + mean/0.3 times
that of Poisson counts."""


FAULTS: dict[str, Callable[[lp.CaptureHistory, np.random.Generator], lp.CaptureHistory]] = {
    each.__name__: each for each in (nothing, ghosts, one_animal, weeks_as_days, never_on, failed_halfway)
}


def look(fault: str, seeds: range, number: int = 25) -> Found:
    """Simulate, plant the fault, fit the null model and check, once a seed; ``number`` animals if it is an effect."""
    design = history_of(None)
    mask = lp.Mask.around(design, buffer=4 * SCALE_M, spacing=SCALE_M / 2)
    animals, p, family_p = [], [], []
    for seed in seeds:
        if fault in EFFECTS:
            simulated = planted = surveyed_by(*EFFECTS[fault], number, seed)
        else:
            simulated = lp.SCR().simulate(design, mask, parameters=TRUTH, seed=seed).history
            planted = FAULTS[fault](simulated, np.random.default_rng([seed, 1]))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", lp.errors.LeopardpopWarning)
            check = lp.SCR().fit(planted, mask, engine="laplace", draws=250, seed=seed).check()
        animals.append(simulated.n_individuals)
        p.append(dict(zip(check.statistics, check.p, strict=True)))
        family_p.append(dict(zip(check.statistics, check.family_p, strict=True)))
    return Found(float(np.mean(animals)), pd.DataFrame(p), pd.DataFrame(family_p))


def narrow_masks(seeds: range) -> float:
    """Share of surveys of which a mask with a buffer of 1.5 sigma is said to be too narrow."""
    design = history_of(None)
    wide, narrow = (lp.Mask.around(design, buffer=k * SCALE_M, spacing=SCALE_M / 2) for k in (4.0, 1.5))
    told = []
    for seed in seeds:
        history = lp.SCR().simulate(design, wide, parameters=TRUTH, seed=seed).history
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", lp.errors.LeopardpopWarning)
            fit = lp.SCR().fit(history, narrow, engine="laplace", draws=250, seed=seed)
        row = fit.diagnostics().set_index("quantity").loc["effect of the buffer on D"]
        told.append(row["verdict"] != "ok")
    return float(np.mean(told))


def main(number: int, faults: list[str]) -> None:
    for name in faults or [*FAULTS, "narrow_mask", *(f"{effect}:{n}" for effect in EFFECTS for n in (10, 20, 40))]:
        fault, _, animals = name.partition(":")
        if fault == "narrow_mask":
            sys.stdout.write(f"{name}: {number} surveys, flagged {narrow_masks(range(number)):.1%}\n")
            continue
        found = look(fault, range(number), int(animals or 25))
        by = ", ".join(
            f"{statistic} {share:.0%}" for statistic, share in (found.family_p <= 0.10).mean().items() if share >= 0.1
        )
        sys.stdout.write(f"{name}: {number} surveys, {found.animals:.1f} animals, flagged {found.flagged:.1%} ({by})\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
