"""The three tables of SPACECAP: captures, traps with the occasions on which they were on, and the state space."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leopardpop.data.build import BuildOptions, Tables, build_sessions
from leopardpop.data.effort_table import unit_name
from leopardpop.data.history import CaptureHistory, history_from_parts
from leopardpop.data.mask import Mask
from leopardpop.data.projections import check_metres
from leopardpop.data.readers.record_sheets import ColumnNames, Sheet, read_sheet
from leopardpop.data.readers.trap_tables import as_table, merge_repeats, read_traps_by_position
from leopardpop.data.tables import TableSource
from leopardpop.errors import DataError

__all__ = ["SpacecapData", "read_spacecap"]

CAPTURES = ColumnNames(
    {"station": ("LOC_ID",), "individual": ("ANIMAL_ID",), "occasion": ("SO", "occasion")},
    required=("station", "individual", "occasion"),
)
CELLS = ColumnNames(
    {"x": ("X_COORD",), "y": ("Y_COORD",), "habitat": ("HABITAT",)}, required=("x", "y", "habitat"), rest=True
)
ON_LATTICE = 0.01
"""Part of the spacing by which centres of cells may be off the lattice."""
ROUNDED = 1.0
"""Metres by which they may be off beyond that: files have whole metres."""


class SpacecapData(NamedTuple):
    """What the tables of SPACECAP hold."""

    history: CaptureHistory
    """The captures."""
    mask: Mask | None
    """The state space, where it is habitat; None if it was not read."""


def read_spacecap(
    captures: TableSource,
    traps: TableSource,
    statespace: TableSource | None = None,
    *,
    cell_area: float | None = None,
    detector: str = "proximity",
    effort_unit: str | None = None,
    crs: str | None = None,
    on_zero_effort: str = "raise",
) -> SpacecapData:
    """Read the three tables that the program SPACECAP takes.

    Parameters
    ----------
    captures
        Animal capture details: LOC_ID, ANIMAL_ID, SO (the sampling occasion, from 1).
    traps
        Trap deployment details: LOC_ID, x, y (m), then a column for each occasion: 1 on, 0 off. Columns go by position.
    statespace
        Potential home-range centres: X_COORD, Y_COORD, HABITAT (1 or 0); other columns are covariates.
    cell_area
        Area of a cell in km², which SPACECAP asks for. None: the square of the spacing, if cells lie on a lattice.
    detector
        "proximity", as SPACECAP has it: repeated captures of an animal at a trap on an occasion are one; or "count".
    effort_unit
        What an occasion is, such as "day". Default "occasion".
    crs
        Coordinate reference system of all coordinates.
    on_zero_effort
        What to do with a capture where the trap was off: "raise", "drop" or "keep".

    Returns
    -------
    SpacecapData
        A pair: history, mask.

    Raises
    ------
    DataError
        Naming file and line.

    References
    ----------
    Gopalaswamy, A. M. et al. (2012) Program SPACECAP: software for estimating animal density using spatially explicit
    capture-recapture models. Methods in Ecology and Evolution 3: 1067-1072.
    https://doi.org/10.1111/j.2041-210X.2012.00241.x

    Examples
    --------
    >>> import pandas as pd
    >>> captures = pd.DataFrame({"LOC_ID": [1, 2], "ANIMAL_ID": [1, 1], "SO": [1, 3]})
    >>> traps = pd.DataFrame({"LOC_ID": [1, 2], "X_Coord": [0, 2000], "Y_Coord": [0, 500], "1": 1, "2": 1, "3": [0, 1]})
    >>> cells = pd.DataFrame({"X_COORD": [0, 1000, 2000], "Y_COORD": [0, 0, 1000], "HABITAT": [1, 1, 0]})
    >>> history, mask = read_spacecap(captures, traps, cells)
    >>> history.n_detections, history.effort["effort"].sum().item(), mask.area.tolist()
    (2, 5.0, [1.0, 1.0])
    """
    options = BuildOptions(detector=detector, crs=crs, on_zero_effort=on_zero_effort)
    sheet = read_sheet(captures, "captures", CAPTURES)
    sheet.numbers("occasion", whole=True, least=1)
    table = read_traps_by_position(traps, "traps", None)
    if table.usage is None:
        raise DataError(f"{table.table.name} has no columns of occasions after label, x and y (1 on, 0 off).")
    rows, merged = merge_repeats(as_table(sheet.table.frame.assign(session="1"), sheet.table), detector)
    tables = Tables(
        captures=rows,
        stations=table.stations("1"),
        effort=table.effort("1", 0),
        individuals=None,
    )
    parts, audit = build_sessions(tables, options)
    audit = pd.concat([merged, audit], ignore_index=True)
    unit = unit_name(effort_unit)
    history = history_from_parts(parts, detector=detector, effort_unit=unit, crs=check_metres(crs), audit=audit)
    return SpacecapData(history, None if statespace is None else _mask(statespace, cell_area, crs))


def _mask(source: TableSource, cell_area: float | None, crs: str | None) -> Mask:
    sheet = read_sheet(source, "statespace", CELLS)
    habitat = sheet.numbers("habitat")
    strange = ~np.isin(habitat, (0, 1))
    if strange.any():
        found = f"{sheet.name('habitat')} is {habitat[int(strange.argmax())]:g}"
        raise sheet.fail(strange, found, "1 is habitat, 0 is not.")
    if not (habitat == 1).any():
        raise DataError(f"{sheet.table.name} has no cell that is habitat.")
    area = cell_area if cell_area is not None else _lattice_area(sheet)
    covariates = sheet.table.covariates(("x", "y", "habitat", "area"))
    cells = pd.DataFrame({"x": sheet.numbers("x"), "y": sheet.numbers("y")})
    table = pd.concat([cells, covariates], axis=1)[habitat == 1].reset_index(drop=True)
    return Mask.from_table(table, cell_area=area, crs=crs)


def _lattice_area(sheet: Sheet) -> float:
    """Area of a cell, km², if the centres lie on a lattice."""
    sides = [_side(sheet.numbers(name)) for name in ("x", "y")]
    known = [side for side in sides if side is not None]
    if len(known) < 2:
        raise DataError(
            f"The cells of {sheet.table.name} lie on no lattice, so their area is not known. Pass cell_area= in km²: "
            "what SPACECAP was told."
        )
    return known[0] * known[1] / 1e6


def _side(values: NDArray[np.float64]) -> float | None:
    """Distance of the lines of a lattice, m; None if the values are on none."""
    lines = np.unique(values)
    steps = np.diff(lines)
    steps = steps[steps > ON_LATTICE * steps.max(initial=0)]
    if not steps.size:
        return None
    extent = float(lines[-1] - lines[0])
    side = extent / max(round(extent / float(np.median(steps))), 1)  # exact, though single steps are rounded
    off = (values - lines[0]) / side
    return side if (np.abs(off - np.round(off)) <= ON_LATTICE + ROUNDED / side).all() else None
