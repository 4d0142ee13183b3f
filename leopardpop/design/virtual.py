"""Virtual surveys: a population and what a field team would have made of it, the truth kept beside the data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from leopardpop.data.history import CaptureHistory, history_from_parts
from leopardpop.data.parts import SessionParts
from leopardpop.design.expectation import check_design
from leopardpop.design.parameters import check_capture_model
from leopardpop.design.reality import Reality, add_cubs, add_members, fail_stations, misread
from leopardpop.design.rebuilding import empty_part
from leopardpop.errors import DataError, ModelError
from leopardpop.models.flank_simulation import with_flanks
from leopardpop.models.scr import SCR
from leopardpop.models.simulation import simulate
from leopardpop.words import counted

if TYPE_CHECKING:
    from leopardpop.data.mask import Mask
    from leopardpop.models.simulation import Simulation

__all__ = ["VirtualSurvey", "VirtualTruth", "virtual_survey"]

COLUMNS = ["animal", "station", "occasion", "count"]


@dataclass(frozen=True, eq=False)
class VirtualTruth:
    """What the field team never knows."""

    population: pd.DataFrame
    """session, animal, x, y [m], the class, detected, group, life_stage ("adult", "cub"), breeding."""
    coefficients: pd.Series
    """Coefficients by label (link scale, covariates as given); D is of animals, not of groups."""
    N: pd.Series
    """Grown animals in the mask by session."""
    E_N: pd.Series
    """Expected number of grown animals by session."""
    identities: pd.DataFrame
    """session, individual (as in the history), animal (of most of its records), records, wrong (of other animals)."""


@dataclass(frozen=True, eq=False)
class VirtualSurvey:
    """A virtual survey; made by :func:`virtual_survey`."""

    history: CaptureHistory
    """What the field team would analyse: grown animals, by the identities that it saw."""
    records: pd.DataFrame
    """session, animal (the true one), label (as it was read), station, occasion, life_stage, error ("", "ghost",
    "confusion"); one row a record."""
    truth: VirtualTruth
    mask: Mask | Mapping[str, Mask]

    def __repr__(self) -> str:
        """Say what was made up."""
        wrong = int((self.records["error"] != "").sum())
        cubs = int((self.truth.population["life_stage"] == "cub").sum())
        more = f", {counted(cubs, 'cub')}" if cubs else ""
        errors = f", {counted(wrong, 'record')} misread" if wrong else ""
        return (
            f"VirtualSurvey: {counted(int(self.truth.N.sum()), 'animal')}{more}; "
            f"{counted(self.history.n_individuals, 'identity', 'identities')} in "
            f"{counted(self.history.n_detections, 'detection')}{errors} (synthetic)"
        )


def virtual_survey(
    model: SCR,
    design: CaptureHistory,
    mask: Mask | Mapping[str, Mask],
    *,
    parameters: Mapping[str, float] | pd.Series,
    reality: Reality | None = None,
    seed: int | np.random.Generator | None = None,
) -> VirtualSurvey:
    """Simulate a survey with what happens in the field: groups, cubs, failures, misread identities, single flanks.

    Parameters
    ----------
    model
        The model that the animals (or their groups) follow.
    design
        Stations, effort, occasions and detector; captures are ignored.
    mask
        One mask, or one a session; covariates may be made up with :func:`gaussian_field`.
    parameters
        As for :meth:`SCR.simulate`. D is of animals.
    reality
        What happens; None: nothing, as :meth:`SCR.simulate`.
    seed
        Seed or generator.

    Returns
    -------
    VirtualSurvey
        ``history``, ``records``, ``truth``.

    Raises
    ------
    ModelError
        If it is no capture-recapture model, for confusions with the detector "multi", or values outside their domain.
    DataError
        If no station is ever on, or all of them failed.

    Examples
    --------
    >>> import leopardpop as lp, pandas as pd
    >>> stations = pd.DataFrame({"station": range(9), "x": [0, 2000, 4000] * 3, "y": [0] * 3 + [2000] * 3 + [4000] * 3})
    >>> design = lp.CaptureHistory.from_tables(None, stations, occasions=10)
    >>> mask = lp.Mask.around(design, buffer=4_000, spacing=500)
    >>> assumed = {"D": 0.5, "lambda0": 0.2, "sigma": 1_000}
    >>> made = virtual_survey(lp.SCR(), design, mask, parameters=assumed, reality=Reality(ghosts=0.1), seed=1)
    >>> set(made.records["error"]) == {"", "ghost"}
    True
    """
    what = Reality() if reality is None else reality
    _check(model, design, what)
    streams = np.random.default_rng(seed).spawn(2)
    field = _failed(design, what, streams[1])
    alone = simulate(model, field, mask, parameters=_of_groups(parameters, what), seed=streams[0], drift=what.drift)
    population, records = _animals(alone, what, streams[1])
    history, identities = _identified(alone.history, records, what, streams[1])
    return VirtualSurvey(history, records, _truth(alone, population, identities, what), mask)


def _check(model: Any, design: Any, reality: Any) -> None:
    check_capture_model(model, "Occupancy models have simulate().")
    if not isinstance(reality, Reality):
        raise ModelError(f"reality={reality!r}: give lp.design.Reality(...).", offenders=["reality"])
    check_design(design)
    if design.detector == "multi" and reality.confusions:
        raise ModelError('confusions: with detector="multi" an animal cannot be at two stations in an occasion.')


def _failed(design: CaptureHistory, reality: Reality, rng: np.random.Generator) -> CaptureHistory:
    """The design as it ran."""
    if not reality.die and not reality.outage:
        return design
    effort = {s: fail_stations(design.arrays(s).effort, reality, rng) for s in design.sessions}
    if dead := [s for s, values in effort.items() if not values.any()]:
        raise DataError(f"all stations failed in session {dead[0]!r}: lower die= or outage=.", offenders=dead)
    parts = [empty_part(design, s, effort=effort[s]) for s in design.sessions]
    return history_from_parts(parts, detector=design.detector, effort_unit=design.effort_unit, crs=design.crs)


def _of_groups(parameters: Any, reality: Reality) -> Any:
    """Parameters with the density of groups in place of that of animals."""
    if reality.group_size == 1:
        return parameters
    changed = dict(parameters)
    if "D" in changed:
        changed["D"] = float(changed["D"]) / reality.group_size
    elif "D[Intercept]" in changed:
        changed["D[Intercept]"] = float(changed["D[Intercept]"]) - np.log(reality.group_size)
    else:
        raise ModelError("group_size: the parameters have no D, the density that groups share.", offenders=["D"])
    return pd.Series(changed) if isinstance(parameters, pd.Series) else changed


def _animals(alone: Simulation, reality: Reality, rng: np.random.Generator) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Population and records of all sessions, each record with the animal and the label that it got."""
    populations, rows = [], []
    for session in alone.history.sessions:
        data = alone.history.arrays(session)
        names = np.array(data.individuals, object)
        found = pd.DataFrame(
            {"animal": names[data.individual], "station": data.station, "occasion": data.occasion, "count": data.count}
        )
        population = alone.truth.population.query("session == @session")
        population, found = add_members(population, found, reality, rng)
        population, found = add_cubs(population, found, reality, rng)
        grown = found["life_stage"] == "adult"
        read = misread(found[grown], reality, rng)
        cubs = found[~grown].assign(label=lambda part: part["animal"], error="")
        rows.append(pd.concat([read, cubs], ignore_index=True).assign(session=session))
        populations.append(population)
    order = ["session", "animal", "label", "station", "occasion", "life_stage", "error", "count"]
    return pd.concat(populations, ignore_index=True), pd.concat(rows, ignore_index=True)[order]


def _identified(
    alone: CaptureHistory, records: pd.DataFrame, reality: Reality, rng: np.random.Generator
) -> tuple[CaptureHistory, pd.DataFrame]:
    """The history by labels, and whose each label is; positions of stations and occasions become their labels."""
    traits = alone.individuals.set_index(["session", "individual"])
    parts = []
    for session in alone.sessions:
        grown = records.query("session == @session and life_stage == 'adult'")
        parts.append(_part(alone, session, grown, traits))
    said: dict[str, Any] = {"detector": alone.detector, "effort_unit": alone.effort_unit, "crs": alone.crs}
    history = history_from_parts(parts, **said)
    identities = _identities(records)
    if reality.both_flanks is not None:
        both = reality.both_flanks
        side = (1 - both) / 2
        arrays = [history.arrays(s) for s in history.sessions]
        shown = [with_flanks(history, d, np.tile([side, side, both], (len(d.stations), 1)), rng) for d in arrays]
        history = history_from_parts(shown, **said)
        identities = _by_flank(history, identities)
    for name in ("station", "occasion"):
        labels = {s: getattr(alone.arrays(s), f"{name}s") for s in alone.sessions}
        records[name] = [labels[s][k] for s, k in zip(records["session"], records[name], strict=True)]
    return history, identities


def _part(alone: CaptureHistory, session: str, grown: pd.DataFrame, traits: pd.DataFrame) -> SessionParts:
    """One session by the labels that were read."""
    rows = grown.groupby(["label", "station", "occasion"], as_index=False)["count"].sum()
    names = sorted(rows["label"].unique())
    count = rows["count"].to_numpy()
    empty = empty_part(alone, session)
    table = None
    if len(traits.columns):
        owner = grown.drop_duplicates("label").set_index("label")["animal"].reindex(names)
        first = [str(animal).split("-")[0] for animal in owner]
        table = traits.loc[[(session, animal) for animal in first]].reset_index(drop=True)
    return SessionParts(
        session=empty.session,
        individuals=names,
        stations=empty.stations,
        xy=empty.xy,
        effort=empty.effort,
        individual=np.searchsorted(names, rows["label"].to_numpy(str)) if names else [],
        station=rows["station"].to_numpy(np.intp),
        occasion=rows["occasion"].to_numpy(np.intp),
        count=count if alone.detector == "count" else np.ones_like(count),
        occasions=empty.occasions,
        station_covariates=empty.station_covariates,
        individual_covariates=table,
        occasion_covariates=empty.occasion_covariates,
        visit_covariates=empty.visit_covariates,
    )


def _identities(records: pd.DataFrame) -> pd.DataFrame:
    """Whose records each label has."""
    rows = []
    for (session, label), part in records.query("life_stage == 'adult'").groupby(["session", "label"]):
        owners = part.groupby("animal")["count"].sum()
        total = int(owners.sum())
        row = {"session": session, "individual": label, "animal": owners.idxmax(), "records": total}
        rows.append(row | {"wrong": total - int(owners.max())})
    return pd.DataFrame(rows, columns=["session", "individual", "animal", "records", "wrong"])


def _by_flank(history: CaptureHistory, identities: pd.DataFrame) -> pd.DataFrame:
    """The same for the identities of whole animals and of single flanks."""
    known = identities.set_index(["session", "individual"])["animal"]
    seen = history.detections.groupby(["session", "individual"])["count"].sum()
    rows = []
    for (session, name), records in zip(seen.index.tolist(), seen.tolist(), strict=True):
        whole = str(name).removesuffix("/L").removesuffix("/R")
        row = {"session": session, "individual": name, "animal": known[session, whole], "records": int(records)}
        rows.append(row | {"wrong": 0})
    return pd.DataFrame(rows, columns=identities.columns)


def _truth(alone: Simulation, population: pd.DataFrame, identities: pd.DataFrame, reality: Reality) -> VirtualTruth:
    grown = population[population["life_stage"] == "adult"]
    number = grown.groupby("session").size().reindex(list(alone.truth.N.index), fill_value=0).rename("N")
    coefficients = alone.truth.coefficients.copy()
    if reality.group_size > 1:
        coefficients["D[Intercept]"] += np.log(reality.group_size)
    expected = alone.truth.E_N * reality.group_size
    return VirtualTruth(population, coefficients, number, expected, identities)
