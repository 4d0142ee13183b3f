"""Fits by the R package secr, and the same models in our words.

The published numbers stay with their data, whose licences differ from ours; here is only how to read them: which
survey, which model, and what secr calls a coefficient. Its density is per hectare, ours per km2, so ours is log 100
larger on the link scale.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leopardpop.components.detection import DetectionFunction, Exponential, HalfNormal
from leopardpop.components.detection_probability import (
    ProbabilityExponential,
    ProbabilityHalfNormal,
    ProbabilityHazardRate,
)
from leopardpop.models.scr import SCR

__all__ = ["LOG_HA_PER_KM2", "SecrFit"]

LOG_HA_PER_KM2 = math.log(100.0)

SHIPPED = (Exponential, HalfNormal, ProbabilityExponential, ProbabilityHalfNormal, ProbabilityHazardRate)
DETECTIONS: dict[str, type[DetectionFunction]] = {kind.__name__: kind for kind in SHIPPED}

type Matrix = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class SecrFit:
    """One published fit."""

    name: str
    source: str
    """A file of reference/, or a folder of data/ that has a reference_fits.json."""
    key: str
    survey: str
    """Name of the survey, as of :func:`load_survey`."""
    detection: str
    labels: tuple[str, ...]
    """Our label of each of secr's coefficients, in its order."""
    density: str = "~ 1"
    formulas: dict[str, str] = field(default_factory=dict)
    """Formulas of the detection parameters that are not ``~ 1``."""
    classes: str | None = None
    distribution: str = "poisson"
    conditional: bool = False
    collapsed: bool = False
    """secr added up the occasions first: k-of-n data, with their binomial coefficient ("fastproximity")."""
    reparametrise: Matrix | None = None
    """Ours = this matrix times secr's, where the levels of a factor have another reference."""
    rough_errors: tuple[str, ...] = ()
    """Coefficients whose published standard error is not that of the exact Hessian of the naive likelihood."""

    @property
    def null(self) -> bool:
        """Whether nothing has a covariate."""
        return all(label.endswith("[Intercept]") for label in self.labels)

    @property
    def model(self) -> SCR:
        """The same model in our words."""
        detection = DETECTIONS[self.detection](**self.formulas)
        distribution: Any = self.distribution
        return SCR(density=self.density, detection=detection, classes=self.classes, distribution=distribution)

    def __str__(self) -> str:
        return self.name

    # -- the numbers --------------------------------------------------------------------------------------------------
    def record(self, shared: Path) -> dict[str, Any]:
        """What was published, as it stands in the shared folder."""
        if self.source == "secr.json":
            rows = json.loads((shared / "reference" / self.source).read_text())
            data, label = self.key.split(": ", 1)
            (row,) = [row for row in rows if row["data"] == data and row["label"] == label and row["valid"] is True]
            return dict(row)
        if self.source.endswith(".json"):
            return dict(json.loads((shared / "reference" / self.source).read_text())[self.key])
        return dict(json.loads((shared / "data" / self.source / "reference_fits.json").read_text())[self.key])

    def log_likelihood(self, shared: Path) -> float:
        """secr's, with secr's constants."""
        record = self.record(shared)
        for name, sign in {"logLik": 1.0, "LL": 1.0, "neg_loglik": -1.0}.items():
            if name in record:
                return sign * float(record[name])
        raise KeyError(self.key)

    def coefficients(self, shared: Path) -> dict[str, float]:
        """secr's estimates under our labels, D per km2."""
        beta = self._to_ours() @ self._column(shared, "beta")
        return {
            label: value + LOG_HA_PER_KM2 * (label == "D[Intercept]")
            for label, value in zip(self.labels, beta, strict=True)
        }

    def standard_errors(self, shared: Path) -> dict[str, float]:
        """secr's standard errors under our labels."""
        if self.reparametrise is not None:
            variances = self._to_ours() @ np.array(self.record(shared)["beta_vcv"]) @ self._to_ours().T
            return dict(zip(self.labels, np.sqrt(np.diag(variances)), strict=True))
        return dict(zip(self.labels, self._column(shared, "se"), strict=True))

    def region_numbers(self, shared: Path, which: str) -> list[dict[str, float]]:
        """Rows ``E.N`` (expected) or ``R.N`` (realised) of secr's region.N over the mask, one a session."""
        sessions: Any = self.record(shared)["regionN"]
        if isinstance(sessions, dict):
            sessions = sessions.values()
        return [row for session in sessions for row in session if row["par"] == which]

    def _to_ours(self) -> Matrix:
        return np.eye(len(self.labels)) if self.reparametrise is None else self.reparametrise

    def _column(self, shared: Path, name: str) -> Matrix:
        record = self.record(shared)
        if "beta_se" in record:
            return np.array(record["beta_se" if name == "se" else name])
        column = record["beta"]
        if isinstance(column[0], dict):
            return np.array([row["SE.beta" if name == "se" and "SE.beta" in row else name] for row in column])
        return np.array(column)
