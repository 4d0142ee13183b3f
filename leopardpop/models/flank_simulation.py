"""Virtual surveys in which events show the left flank, the right one, or both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from leopardpop.data.history import CaptureHistory, history_from_parts
from leopardpop.data.names import did_you_mean
from leopardpop.data.parts import SessionParts
from leopardpop.errors import ModelError

if TYPE_CHECKING:
    from leopardpop.data.arrays import SessionArrays
    from leopardpop.data.mask import Mask
    from leopardpop.models.likelihood.terms import Floats
    from leopardpop.models.scr import SCR
    from leopardpop.models.simulation import Simulation

__all__ = ["simulate_flanks", "with_flanks"]


def simulate_flanks(
    model: SCR,
    history: CaptureHistory,
    mask: Mask | Mapping[str, Mask],
    *,
    parameters: Mapping[str, float] | pd.Series,
    both: float,
    paired: str | None,
    seed: int | np.random.Generator | None,
) -> Simulation:
    """Draw a survey with flanks; see :meth:`TwoFlanks.simulate`.

    Raises
    ------
    ModelError
        If ``both`` is no probability, or ``paired`` no column of the stations.
    """
    if not 0.0 <= both <= 1.0:
        raise ModelError(f"both={both!r} must be a probability, from 0 to 1.")
    rng = np.random.default_rng(seed)
    made = model.simulate(history, mask, parameters=parameters, seed=rng)
    sessions = [made.history.arrays(s) for s in made.history.sessions]
    parts = [with_flanks(made.history, d, _chances(d, both, paired), rng) for d in sessions]
    shown = history_from_parts(parts, detector=history.detector, effort_unit=history.effort_unit, crs=history.crs)
    return replace(made, history=shown)


def _chances(data: SessionArrays, both: float, paired: str | None) -> Floats:
    """Chances of left, right and both at each station, (K, 3)."""
    columns = data.station_covariates
    if paired is not None and paired not in columns:
        hint = did_you_mean(paired, [str(name) for name in columns])
        raise ModelError(f"paired={paired!r}: the stations have no such column.{hint}", offenders=[paired])
    two = np.ones(len(data.stations), bool) if paired is None else columns[paired].to_numpy(bool)
    shared = np.where(two, both, 0.0)
    return np.column_stack([(1.0 - shared) / 2.0, (1.0 - shared) / 2.0, shared])


def with_flanks(
    history: CaptureHistory, data: SessionArrays, chances: Floats, rng: np.random.Generator
) -> SessionParts:
    """Split the animals that never showed both flanks in one event.

    Parameters
    ----------
    history
        The survey with whole identities.
    data
        One of its sessions.
    chances
        Chances of left, right and both at each station, (K, 3).
    rng
        Source of chance.
    """
    shown = rng.multinomial(data.count, chances[data.station])
    n = len(data.individuals)
    whole = np.bincount(data.individual, shown[:, 2], n) > 0
    tables = []
    for side, suffix in ((slice(None), ""), (0, "/L"), (1, "/R")):
        rows = np.flatnonzero(
            whole[data.individual] if suffix == "" else ~whole[data.individual] & (shown[:, side] > 0)
        )
        kept = np.zeros_like(shown[rows])
        kept[:, side] = shown[rows][:, side]
        name = [data.individuals[i] + suffix for i in data.individual[rows]]
        tables.append(pd.DataFrame(kept, columns=["left", "right", "both"]).assign(row=rows, name=name))
    table = pd.concat(tables, ignore_index=True)
    code, names = pd.factorize(table["name"], sort=True)
    row = table["row"].to_numpy(np.intp)
    animal = data.individual[row][np.unique(code, return_index=True)[1]] if len(row) else np.empty(0, np.intp)
    flanks = table[["left", "right", "both"]].to_numpy(np.int64)
    return SessionParts(
        session=data.session,
        individuals=list(names),
        stations=data.stations,
        xy=data.xy,
        effort=data.effort,
        individual=code,
        station=data.station[row],
        occasion=data.occasion[row],
        count=flanks.sum(1),
        occasions=history.occasions[data.session],
        station_covariates=data.station_covariates,
        individual_covariates=data.individual_covariates.iloc[animal].reset_index(drop=True),
        occasion_covariates=data.occasion_covariates,
        visit_covariates=data.visit_covariates,
        flanks=flanks,
    )
