"""``leopardpop init`` on the tables of the programs SPACECAP and oSCR."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from leopardpop.cli.columns import Table
from leopardpop.cli.found import READERS, has_columns, setting_line, toml_value
from leopardpop.data.column_roles import plain
from leopardpop.data.readers.oscr import ENCOUNTERS
from leopardpop.data.readers.spacecap import CELLS

__all__ = ["Texts", "find_texts"]

PLACE = {"x", "xcoord", "easting", "utmx"}, {"y", "ycoord", "northing", "utmy"}


@dataclass(frozen=True, kw_only=True)
class Texts:
    """Tables of captures and traps of another program.

    Parameters
    ----------
    data
        The lines under ``[data]``.
    traps
        The first table of traps, whose second and third columns are x and y.
    has_mask
        Whether the program's own state space is among them.
    """

    data: str
    traps: Table
    has_mask: bool = False

    @property
    def places(self) -> tuple[list[str], list[str]]:
        """Coordinates of the traps, as text."""
        rows = [row for row in self.traps.rows if len(row) >= 3]
        return [row[1] for row in rows], [row[2] for row in rows]


def find_texts(tables: Sequence[Table]) -> Texts | None:
    """Find the tables of SPACECAP, or of oSCR.

    Parameters
    ----------
    tables
        Those of a folder.

    Returns
    -------
    Texts or None

    Examples
    --------
    >>> find_texts([]) is None
    True
    """
    traps = [table for table in tables if _is_traps(table)]
    if not traps:
        return None
    return _spacecap(tables, traps) or _oscr(tables, traps)


def _is_traps(table: Table) -> bool:
    """Whether the columns are a label, x, y, then one for each occasion."""
    forms = [plain(name) for name in table.header[:3]]
    usage = [name for name in table.header[3:] if re.fullmatch(r"\D*\d+", name.strip())]
    return len(forms) == 3 and forms[1] in PLACE[0] and forms[2] in PLACE[1] and bool(usage)


def _spacecap(tables: Sequence[Table], traps: Sequence[Table]) -> Texts | None:
    captures = [table for table in tables if _are_spacecap(table)]
    if len(captures) != 1 or len(traps) != 1:
        return None
    cells = [table for table in tables if has_columns(table.header, CELLS, CELLS.required)]
    lines = [
        setting_line('reader = "spacecap"', READERS),
        setting_line(f"captures = {toml_value(captures[0].path.name)}", "LOC_ID, ANIMAL_ID, SO"),
        setting_line(f"traps = {toml_value(traps[0].path.name)}", "LOC_ID, x, y in metres, 1 or 0 on each occasion"),
        *(
            setting_line(f"statespace = {toml_value(table.path.name)}", "X_COORD, Y_COORD, HABITAT: the mask")
            for table in cells[:1]
        ),
        setting_line('# effort_unit = "day"', "what an occasion is"),
    ]
    return Texts(data="\n".join(lines) + "\n", traps=traps[0], has_mask=bool(cells))


def _are_spacecap(table: Table) -> bool:
    forms = {plain(name) for name in table.header}
    return {"locid", "animalid"} <= forms and bool({"so", "occasion", "samplingoccasion"} & forms)


def _oscr(tables: Sequence[Table], traps: Sequence[Table]) -> Texts | None:
    captures = [
        table for table in tables if table not in traps and has_columns(table.header, ENCOUNTERS, ENCOUNTERS.required)
    ]
    if len(captures) != 1 or not captures[0].path.stem.lower().startswith(("edf", "encounter")):
        return None
    names = [table.path.name for table in traps]
    value = toml_value(names[0]) if len(names) == 1 else f"[{', '.join(map(toml_value, names))}]"
    lines = [
        setting_line('reader = "oscr"', READERS),
        setting_line(f"edf = {toml_value(captures[0].path.name)}", "session, ID, occasion, trap [, sex]"),
        setting_line(f"tdf = {value}", "trap, x, y, usage on each occasion; one table a session"),
        setting_line('# coordinate_unit = "km"', "m, unless oSCR was given kilometres"),
        setting_line('detector = "proximity"', "or: count, multi"),
    ]
    return Texts(data="\n".join(lines) + "\n", traps=traps[0])
