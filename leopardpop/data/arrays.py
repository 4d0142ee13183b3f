"""What the mathematics sees of one session: plain arrays, no labels to look up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

__all__ = ["SessionArrays"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SessionArrays:
    """One session of a capture history as arrays.

    Indices count from 0 within the session; ``n`` animals, ``K`` stations, ``S`` occasions and
    ``m`` rows of detections (animal x station x occasion, no row twice).
    """

    session: str
    """Label of the session."""
    individuals: tuple[str, ...]
    """Animal labels, length n."""
    stations: tuple[str, ...]
    """Station labels, length K."""
    xy: NDArray[np.float64]
    """Station coordinates in metres, (K, 2)."""
    effort: NDArray[np.float64]
    """Effort in the history's ``effort_unit``, 0 = off, (K, S)."""
    individual: NDArray[np.intp]
    """Animal of each detection, (m,)."""
    station: NDArray[np.intp]
    """Station of each detection, (m,)."""
    occasion: NDArray[np.intp]
    """Occasion of each detection, (m,)."""
    count: NDArray[np.int64]
    """Number of detections in the row, (m,); 1 unless the detector counts."""
    exposure: NDArray[np.intp]
    """Occasions that each animal lived through, (n,): S, or the (1-based) occasion of its death or removal."""
    station_covariates: pd.DataFrame
    """One row a station, in the order of ``stations``."""
    individual_covariates: pd.DataFrame
    """One row an animal, in the order of ``individuals``."""
    occasions: tuple[str, ...] = ()
    """Occasion labels, length S."""
    occasion_covariates: pd.DataFrame = field(default_factory=pd.DataFrame)
    """One row an occasion, in the order of ``occasions``."""
    visit_covariates: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    """Covariates by station x occasion, (K, S) each: float64, or str and ``None``."""
    flanks: NDArray[np.int64] | None = None
    """Records of each detection that show the left flank, the right one, and both, (m, 3); None: unknown."""
