"""Captures: rows of a table become detections of animals, checked against the design."""

from __future__ import annotations

import sys
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leopardpop.data.covariates import covariate_table
from leopardpop.data.design import AUDIT_COLUMNS, Design, session_codes
from leopardpop.data.flanks import FLANKS, capture_flanks
from leopardpop.data.occasion_labels import occasion_positions
from leopardpop.data.tables import Origin, Table, label, positions
from leopardpop.data.vocabulary import is_no_label
from leopardpop.errors import DataError
from leopardpop.words import counted

__all__ = ["ALIVE", "Detections", "read_detections"]

ALIVE = sys.maxsize
"""Exposure of an animal that was not removed."""

YES = frozenset({"1", "1.0", "yes", "y", "true", "t"})
NO = frozenset({"0", "0.0", "no", "n", "false", "f", "", "na", "n/a", "nan", "none", "<na>"})
"""What may be written in the column ``died``."""

USED = ("individual", "station", "occasion", "session", "count", "died", "flank", *FLANKS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Detections:
    """Detections, one row for each animal x station x occasion, and the animals."""

    table: Table
    """The captures."""
    row: NDArray[np.intp]
    """Row of the table that each detection comes from, the first of several."""
    animal: NDArray[np.intp]
    """Animal of each detection; animals are numbered by first appearance."""
    station: NDArray[np.intp]
    """Station of each detection, a position in the design."""
    occasion: NDArray[np.intp]
    """Occasion of each detection, from 0 within its session."""
    count: NDArray[np.int64]
    """Number of detections."""
    session: NDArray[np.intp]
    """Session of each detection."""
    labels: NDArray[np.object_]
    """Label of each animal."""
    exposure: NDArray[np.intp]
    """1-based occasion on which each animal was removed; ``ALIVE`` if it was not."""
    covariates: pd.DataFrame
    """One row an animal."""
    audit: pd.DataFrame
    """What was not used."""
    flanks: NDArray[np.int64] | None = None
    """Records of each detection that show the left flank, the right one, and both, (m, 3); None: unknown."""

    def offenders(self, rows: NDArray[np.bool_]) -> pd.DataFrame:
        """Return the records behind some detections."""
        return self.table.offenders(self.row[rows])


def read_detections(captures: Table | None, individuals: Table | None, design: Design, detector: str) -> Detections:
    """Read captures and animals.

    Parameters
    ----------
    captures, individuals
        Tables; ``None`` if there are none.
    design
        The stations, sessions and occasions.
    detector
        "proximity", "count" or "multi".

    Returns
    -------
    Detections

    Raises
    ------
    DataError
        If a record names what does not exist, or contradicts the detector or another record.
    """
    captures = _no_captures() if captures is None else captures
    session = session_codes(captures, design.sessions)
    animal, labels, of_session = _animals(captures, session)
    station = design.require(captures, session)
    occasion = occasion_positions(captures, session, design)
    count = captures.numbers("count", whole=True, least=1) if "count" in captures else np.ones(len(captures))
    order, starts = _groups(animal, occasion, station, design)
    row = order[starts]
    shown = capture_flanks(captures, count)
    total = np.add.reduceat(count[order], starts).astype(np.int64) if len(row) else np.zeros(0, dtype=np.int64)
    flanks = None if shown is None else np.add.reduceat(shown[order], starts) if len(row) else shown[:0]
    if flanks is not None and detector != "count":  # one detection, of which several records show different flanks
        several = (flanks.max(axis=1, initial=0) <= 1) & (flanks.sum(axis=1) == total)
        total = np.where(several, np.minimum(total, 1), total)
    found = Detections(
        table=captures,
        row=row,
        animal=animal[row],
        station=station[row],
        occasion=occasion[row],
        count=total,
        session=session[row],
        labels=labels,
        exposure=_exposure(captures, animal, occasion, labels),
        covariates=_covariates(individuals, design, labels, of_session),
        audit=_unused_columns(captures),
        flanks=flanks,
    )
    if detector != "count":
        _check_no_repeats(found, detector, np.diff(np.append(starts, len(order))))
    if detector == "multi":
        _check_one_station(found, design)
    return found


def _no_captures() -> Table:
    frame = pd.DataFrame({name: pd.Series(dtype=object) for name in ("individual", "station", "occasion")})
    return Table(frame, np.zeros(0, dtype=np.int64), (Origin("captures"),), np.zeros(0, dtype=np.intp))


def _animals(
    captures: Table, session: NDArray[np.intp]
) -> tuple[NDArray[np.intp], NDArray[np.object_], NDArray[np.intp]]:
    """Return the animal of each row, and label and session of each animal, by first appearance."""
    individual = captures.labels("individual")
    nobody = np.array([is_no_label(name) for name in individual.names], dtype=bool)[individual.codes]
    if nobody.any():
        word = individual.names[individual.codes[int(nobody.argmax())]]
        raise captures.fail(nobody, f"individual is '{word}', which stands for nobody", "Name it, or remove the row.")
    n = max(len(individual.names), 1)
    animal, keys = pd.factorize(session * n + individual.codes)
    return animal.astype(np.intp), individual.names[keys % n], np.asarray(keys // n, dtype=np.intp)


def _groups(
    animal: NDArray[np.intp], occasion: NDArray[np.intp], station: NDArray[np.intp], design: Design
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the order that brings equal animal x occasion x station together, and where each group starts."""
    S = max(len(labels) for labels in design.occasions)
    key = (animal * S + occasion) * len(design.labels) + station
    order = np.argsort(key, kind="stable")
    return order, np.flatnonzero(np.diff(key[order], prepend=-1))


def _exposure(
    captures: Table, animal: NDArray[np.intp], occasion: NDArray[np.intp], labels: NDArray[np.object_]
) -> NDArray[np.intp]:
    """Return the occasion of each animal's death, and check that it was not seen later."""
    exposure = np.full(len(labels), ALIVE, dtype=np.intp)
    if "died" not in captures:
        return exposure
    rows = np.flatnonzero(_died(captures))
    np.minimum.at(exposure, animal[rows], occasion[rows] + 1)
    later = occasion + 1 > exposure[animal]
    if later.any():
        name = labels[animal[later.argmax()]]
        raise captures.fail(later, f"animal '{name}' was detected after it died", "Correct 'died' or the label.")
    return exposure


def _died(captures: Table) -> NDArray[np.bool_]:
    """Whether each row is an animal's last, by number or word."""
    words = [label(value).lower() for value in captures.frame["died"]]
    strange = np.array([word not in YES and word not in NO for word in words], dtype=bool)
    if strange.any():
        advice = "Write 1 or yes where the animal left the population, and else 0, no or nothing."
        raise captures.fail(strange, f"died is '{words[int(strange.argmax())]}', neither 0 nor 1", advice)
    return np.array([word in YES for word in words], dtype=bool)


def _covariates(
    individuals: Table | None, design: Design, labels: NDArray[np.object_], session: NDArray[np.intp]
) -> pd.DataFrame:
    """Return the covariates of each animal, missing where the table does not have it."""
    if individuals is None:
        return pd.DataFrame(index=pd.RangeIndex(len(labels)))
    own = individuals.labels("individual")
    by_session = "session" in individuals
    codes = session_codes(individuals, design.sessions) if by_session else np.zeros(len(individuals), dtype=np.intp)
    n = max(len(own.names), 1)
    keys = codes * n + own.codes
    twice = pd.Series(keys).duplicated(keep=False).to_numpy()
    if twice.any():
        label = own.names[own.codes[twice.argmax()]]
        raise individuals.fail(twice, f"animal '{label}' occurs more than once", "Keep one row.")
    name = positions(labels, own.names)
    rows = positions(np.where(name < 0, -1, (session if by_session else 0) * n + name), keys)
    _check_all_seen(individuals, own.names[own.codes], rows)
    return _rows_or_missing(individuals.covariates(["individual", "session"]), rows)


def _rows_or_missing(table: pd.DataFrame, rows: NDArray[np.intp]) -> pd.DataFrame:
    columns = {}
    for name, column in table.items():
        values = column.to_numpy()
        missing = np.array([np.nan if values.dtype == np.float64 else None], dtype=values.dtype)
        columns[str(name)] = np.concatenate([values, missing])[rows]  # row -1 is the one added at the end
    return covariate_table(columns, len(rows))


def _check_all_seen(individuals: Table, labels: NDArray[np.object_], rows: NDArray[np.intp]) -> None:
    never = np.setdiff1d(np.arange(len(individuals)), rows)
    if never.size:
        raise individuals.fail(
            never,
            f"animal '{labels[never[0]]}' has no captures",
            "A history has detected animals only: remove the row, or correct the label here or in the captures.",
        )


def _unused_columns(captures: Table) -> pd.DataFrame:
    unused = [name for name in captures.frame.columns if name not in USED]
    reasons = [[captures.name, pd.NA, "dropped", f"column '{name}' of captures is not used"] for name in unused]
    return pd.DataFrame(reasons, columns=AUDIT_COLUMNS)


def _check_no_repeats(found: Detections, detector: str, size: NDArray[np.intp]) -> None:
    repeated = found.count > 1
    if not repeated.any():
        return
    rows = int(size[repeated].sum() - repeated.sum())
    what = f"{counted(rows, 'repeated row')}" if rows else f"count is {found.count[repeated.argmax()]}"
    first = found.row[repeated.argmax()]
    raise DataError(
        f"{what} (first: {found.table.where(int(first))}, animal '{found.labels[found.animal[repeated.argmax()]]}'): "
        f"on a {detector} detector an animal is detected at most once at a station on an occasion. "
        "detector='count'? Or remove the repeats.",
        offenders=found.offenders(repeated),
    )


def _check_one_station(found: Detections, design: Design) -> None:
    again = (np.diff(found.animal, prepend=-1) == 0) & (np.diff(found.occasion, prepend=-1) == 0)
    if not again.any():
        return
    row = int(again.argmax())
    one, other = design.labels[found.station[row - 1]], design.labels[found.station[row]]
    raise DataError(
        f"{found.table.where(int(found.row[row]))}: animal '{found.labels[found.animal[row]]}' is at station '{one}' "
        f"and at '{other}' on one occasion ({counted(int(again.sum()), 'such row')}). On a multi detector it "
        "is held at one: correct the rows, or use detector='proximity'.",
        offenders=found.offenders(again),
    )
