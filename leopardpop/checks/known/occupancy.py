"""Published fits of occupancy models by unmarked and wiqid, as the same models in our words."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from leopardpop.data.detection_history import DetectionHistory
from leopardpop.models.occupancy import DynamicOccupancy, Occupancy

__all__ = ["FITS", "OccupancyAnswer"]


def _weta(data: Path) -> DetectionHistory:
    table = pd.read_csv(data / "weta" / "weta.csv")
    observer = table[["site", *(f"ObsD{j}" for j in range(1, 6))]]
    visits = table[["site", *(f"D{j}" for j in range(1, 6))]]
    return DetectionHistory.from_tables(visits, table[["site", "Browsed"]], visit_covariates={"ObsD": observer})


def _salamanders(data: Path) -> DetectionHistory:
    return DetectionHistory.from_tables(data / "salamanders" / "y.csv")


def _grandskinks(data: Path) -> DetectionHistory:
    table = pd.read_csv(data / "grandskinks" / "grandskinks.csv")
    return DetectionHistory.from_tables(table.drop(columns="habitat"), table[["site", "habitat"]], seasons=5)


def _woodthrush(data: Path) -> DetectionHistory:
    return DetectionHistory.from_tables(data / "woodthrush" / "y.csv")


def _frogs(data: Path) -> DetectionHistory:
    return DetectionHistory.from_tables(data / "frogs_pcru" / "y.csv")


@dataclass(frozen=True)
class OccupancyAnswer:
    """One fit, and what of ours it is."""

    data: str
    """A folder of ``data/``."""
    label: str
    """Of the fit in reference/occupancy.json."""
    history: Callable[[Path], DetectionHistory]
    """Reads the survey from the folder ``data/``."""
    model: Occupancy | DynamicOccupancy
    names: tuple[str, ...]
    """Our coefficients in the order of theirs."""
    estimate: float = 5e-4
    """Tolerance of the estimates, link scale."""
    error: float = 0.003
    """Relative tolerance of the standard errors."""
    log_likelihood: float = 1e-6
    """How far their search may have stopped below the maximum."""

    def __str__(self) -> str:
        return f"{self.data} {self.label}"

    def record(self, shared: Path) -> dict[str, Any]:
        """What was published, as it stands in the shared folder."""
        fits = json.loads((shared / "reference" / "occupancy.json").read_text())
        return dict(next(fit for fit in fits if (fit["data"], fit["label"]) == (self.data, self.label)))

    def coefficients(self, shared: Path) -> pd.DataFrame:
        """Published estimates and standard errors (``estimate``, ``se``) under our names."""
        record = self.record(shared)
        rows = record.get("beta") or record["estimates"]
        values = [(row["est"], row.get("SE", row.get("se"))) for row in rows]
        return pd.DataFrame(values, index=list(self.names), columns=["estimate", "se"])


HABITAT, DYNAMIC = "~ habitat", ("psi", "gamma", "epsilon", "p")
BROWSED = Occupancy(psi="~ Browsed")
PLAIN = ("psi[Intercept]", "p[Intercept]")
FITS: list[OccupancyAnswer] = [
    OccupancyAnswer("weta", "occSS null", _weta, Occupancy(), PLAIN),
    OccupancyAnswer("weta", "occSS psi~Browsed", _weta, BROWSED, (PLAIN[0], "psi[Browsed]", PLAIN[1])),
    OccupancyAnswer(
        "weta",
        "occSS psi~Browsed p~ObsD(obs covs)",
        _weta,
        Occupancy(psi="~ Browsed", p="~ ObsD"),
        (PLAIN[0], "psi[Browsed]", PLAIN[1], "p[ObsD[B]]", "p[ObsD[C]]"),
    ),
    OccupancyAnswer("salamanders", "occSS psi~1 p~1", _salamanders, Occupancy(), PLAIN),
    OccupancyAnswer(
        "salamanders",
        "occSS p~.time (p(t))",
        _salamanders,
        Occupancy(p="~ C(visit)"),
        (*PLAIN, *(f"p[C(visit)[{j}]]" for j in range(2, 6))),
        error=0.01,
    ),
    OccupancyAnswer(
        "grandskinks",
        "occMS0 5 seasons x3",
        _grandskinks,
        DynamicOccupancy(),
        ("psi[Intercept]", "gamma[Intercept]", "epsilon[Intercept]", "p[Intercept]"),
    ),
    OccupancyAnswer(
        "grandskinks",
        "occMScovSite psi1~habitat",
        _grandskinks,
        DynamicOccupancy(psi=HABITAT, gamma=HABITAT, epsilon=HABITAT, p=HABITAT),
        tuple(f"{name}[{term}]" for name in DYNAMIC for term in ("Intercept", "habitat[Pasture]")),
        error=0.01,
    ),
    OccupancyAnswer("woodthrush", "occu(~1 ~1)", _woodthrush, Occupancy(), PLAIN),
    OccupancyAnswer(
        "frogs_pcru", "occu(~1 ~1)", _frogs, Occupancy(), PLAIN, estimate=0.006, error=0.01, log_likelihood=1e-5
    ),
]
