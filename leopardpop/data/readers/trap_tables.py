"""Tables of traps whose columns are known by their position: label, x, y, usage, separator, covariates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leopardpop.data.design import AUDIT_COLUMNS
from leopardpop.data.names import listed
from leopardpop.data.tables import Table, TableSource, label, load_table
from leopardpop.errors import DataError

__all__ = ["TrapTable", "as_table", "merge_repeats", "read_traps_by_position"]


@dataclass(frozen=True, slots=True)
class TrapTable:
    """Traps of one session."""

    table: Table
    """Columns station, x, y [m] and covariates."""
    usage: NDArray[np.object_] | None
    """Usage as the file has it, (trap, occasion); None if it has none."""

    def stations(self, session: str) -> Table:
        """Return the table of stations of a session."""
        return as_table(self.table.frame.assign(session=session), self.table)

    def effort(self, session: str, n_occasions: int) -> Table:
        """Return usage as a wide table, occasions "1", "2", ...; 1 everywhere if the file has none."""
        usage = self.usage
        if usage is None:
            if not n_occasions:
                raise DataError(
                    f"{self.table.name}: session '{session}' has neither usage nor encounters to count occasions by. "
                    "Pass occasions=."
                )
            usage = np.full((len(self.table), n_occasions), "1", dtype=object)
        frame = pd.DataFrame(usage, columns=[str(s + 1) for s in range(usage.shape[1])])
        frame.insert(0, "station", self.table.frame["station"].to_numpy())
        frame.insert(0, "session", session)
        return as_table(frame, self.table)


def as_table(frame: pd.DataFrame, like: Table) -> Table:
    """Return another frame of the same rows as a table."""
    return Table(frame.reset_index(drop=True), like.lines, like.origins, like.origin)


def merge_repeats(captures: Table, detector: str) -> tuple[Table, pd.DataFrame]:
    """Merge rows of an animal, trap and occasion, which these formats repeat, where a detection is yes or no.

    Parameters
    ----------
    captures
        Columns session, individual, station, occasion.
    detector
        Rows are merged for "proximity" only.

    Returns
    -------
    captures : Table
        The rows that are left.
    audit : DataFrame
        Source, line, action and reason of the others.
    """
    keys = captures.frame[["session", "individual", "station", "occasion"]]
    words = keys.apply(lambda column: column.map(label))
    again = words.duplicated().to_numpy(bool) & (detector == "proximity")
    source = [captures.origins[i].name for i in captures.origin[again]]
    audit = pd.DataFrame({"source": source, "line": captures.lines[again]}, columns=AUDIT_COLUMNS)
    audit = audit.assign(action="merged", reason="same animal, trap and occasion as an earlier row")
    return captures.take(~again), audit


def read_traps_by_position(source: TableSource, role: str, separator: str | None, metres: float = 1.0) -> TrapTable:
    """Read a table of traps: label, x, y, usage, a column of separators, covariates.

    Parameters
    ----------
    source
        DataFrame or path.
    role
        What messages call it.
    separator
        What stands between usage and covariates; None: there are no covariates.
    metres
        Unit of the coordinates in metres.

    Raises
    ------
    DataError
        If there are fewer than three columns, no rows, or a coordinate is no number.
    """
    table = load_table(source, role)
    names = [str(name) for name in table.frame.columns]
    if len(names) < 3:
        raise DataError(f"{table.name} has columns {listed(names)}; a label, x and y are needed at least.")
    if not len(table):
        raise DataError(f"{table.name} has no rows: there are no traps.")
    marks = [i for i, name in enumerate(names) if i >= 3 and _is_mark(table, name, separator)]
    end = marks[0] if marks else len(names)
    covariates = table.frame[names[end + 1 :]]
    taken = [name for name in covariates if str(name).lower() in ("station", "x", "y", "session")]
    if taken:
        raise DataError(f"{table.name} has a covariate '{taken[0]}', which is what we call something else. Rename it.")
    places = {
        "station": table.frame[names[0]],
        "x": _scaled(table, names[1], metres),
        "y": _scaled(table, names[2], metres),
    }
    usage = table.frame[names[3:end]].to_numpy(object) if end > 3 else None
    return TrapTable(as_table(pd.concat([pd.DataFrame(places), covariates], axis=1), table), usage)


def _is_mark(table: Table, name: str, separator: str | None) -> bool:
    return separator is not None and all(label(cell) == separator for cell in table.frame[name].tolist())


def _scaled(table: Table, name: str, metres: float) -> NDArray[np.float64]:
    return table.numbers(name) * metres
