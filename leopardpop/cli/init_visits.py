"""``leopardpop init`` on tables of visits to sites: one row a site, one column a visit."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from leopardpop.cli.columns import Table
from leopardpop.cli.found import setting_line, toml_value
from leopardpop.data.covariates import MISSING_WORDS
from leopardpop.data.detection_export import NUMBERED

__all__ = ["Visits", "find_visits"]

LABELS = ("site", "station", "trap", "camera", "location", "plot", "grid", "cell")
EFFORT = ("effort", "usage", "days", "nights", "hours", "operation")
FAMILIES = {
    ("binary", False): "Occupancy",
    ("binary", True): "DynamicOccupancy",
    ("state", False): "MultistateOccupancy",
    ("state", True): "DynamicMultistateOccupancy",
    ("count", False): "NMixture",
    ("count", True): "NMixture",
}
"""Of a response, and whether there are several seasons."""
RESPONSES = {
    "binary": "0 not seen, 1 seen, blank: no visit",
    "state": "0 not seen, 1 seen, 2 seen with young; or is it: count",
    "count": "numbers of animals, or of records",
}

MODELS = """
[models.null]                            # one or several; several are compared
family = "{family}"
# psi = "~ forest"                       # formulas: covariates of the sites, of the visits (p); the docs name
# p = "~ effort"                         # the parameters of each family

[fit]
engine = "auto"
draws = 1000
chains = 4
seed = 1

[output]
folder = "results"                       # must not exist, or: leopardpop fit --overwrite
"""


@dataclass(frozen=True, slots=True)
class Visits:
    """Lines of an analysis file for a table of visits.

    Parameters
    ----------
    data
        Those under ``[data]``.
    models
        All others: models, fit, output.
    """

    data: str
    models: str


@dataclass(frozen=True, slots=True)
class _Block:
    """Numbered columns of a table that hold one quantity."""

    table: Table
    stem: str
    columns: tuple[str, ...]

    @property
    def values(self) -> set[str]:
        """What stands in them, but for nothing."""
        at = [self.table.header.index(name) for name in self.columns]
        cells = {row[i].strip() for row in self.table.rows for i in at if i < len(row)}
        return cells - set(MISSING_WORDS)

    @property
    def shape(self) -> tuple[int, int]:
        """Sites, visits."""
        return len(self.table.rows), len(self.columns)


def find_visits(tables: Sequence[Table]) -> Visits | None:
    """Find a table of visits, and what belongs to it.

    Parameters
    ----------
    tables
        Those of a folder.

    Returns
    -------
    Visits or None

    Examples
    --------
    >>> find_visits([]) is None
    True
    """
    blocks = [block for table in tables for block in _blocks(table)]
    seen = [block for block in blocks if _is_seen(block)]
    if not seen:
        return None
    y = min(seen, key=lambda block: (block.stem != "y", block.table.path.stem.lower() != "y", -len(block.columns)))
    response = _response(y)
    seasons = [block for block in seen if block.table is y.table and len(block.columns) == len(y.columns)]
    lines = _unmarked(y, response) if _is_unmarked(y) else _wide(y, response, seasons, blocks, tables)
    return Visits("\n".join(lines) + "\n", MODELS.format(family=FAMILIES[response, len(seasons) > 1]))


def _blocks(table: Table) -> Iterator[_Block]:
    """Columns that differ in a number at their end only: 1, 2, 3 …"""
    found: dict[str, list[tuple[int, str]]] = {}
    for name in table.header:
        if match := re.fullmatch(r"(.*?)[._ -]?(\d{1,4})", name):
            found.setdefault(match[1], []).append((int(match[2]), name))
    for stem, numbered in found.items():
        numbers = [number for number, _ in numbered]
        if len(numbers) > 1 and numbers == list(range(numbers[0], numbers[0] + len(numbers))) and numbers[0] < 2:
            yield _Block(table, stem, tuple(name for _, name in numbered))


def _is_seen(block: _Block) -> bool:
    """Whether a block may say what was seen: whole numbers, some of them 0, in a table that has more columns."""
    bare = block.stem != "y" and set(block.table.header) == set(block.columns)  # of animals, or of sites?
    if bare or _is_effort(block) or not block.values:
        return False
    return "0" in {_whole(value) for value in block.values} and all(_whole(value) for value in block.values)


def _whole(value: str) -> str:
    """A number of nought or more without its .0, else nothing."""
    match = re.fullmatch(r"(\d{1,9})(\.0*)?", value)
    return match[1] if match else ""


def _is_effort(block: _Block) -> bool:
    names = (block.stem.lower(), block.table.path.stem.lower())
    return any(word in name for word in EFFORT for name in names)


def _label(table: Table) -> str | None:
    """The column that names the rows: each has another word there."""
    for word in LABELS:
        for at, name in enumerate(table.header):
            cells = [row[at].strip() for row in table.rows if at < len(row)]
            if name.lower() == word and cells and len(set(cells)) == len(table.rows):
                return name
    return None


def _is_unmarked(block: _Block) -> bool:
    return block.stem == "y" and all(NUMBERED.fullmatch(name) for name in block.columns)


def _response(block: _Block) -> str:
    most = max(int(_whole(value)) for value in block.values)
    return "binary" if most <= 1 else "state" if most == 2 else "count"


def _unmarked(y: _Block, response: str) -> list[str]:
    return [
        setting_line('reader = "unmarked"', "a row a site: site, y.1, y.2 …, covariates of sites and of visits"),
        setting_line(f"path = {toml_value(y.table.path.name)}", f"{y.shape[0]} sites, {y.shape[1]} visits"),
        setting_line(f"response = {toml_value(response)}", RESPONSES[response]),
        _seasons_line(1),
    ]


def _wide(
    y: _Block, response: str, seasons: Sequence[_Block], blocks: Sequence[_Block], tables: Sequence[Table]
) -> list[str]:
    sites = _sites(y, blocks, tables)
    visits = [name for block in seasons for name in block.columns]
    lines = [
        setting_line('reader = "tables"', "tables | unmarked, or a reader of surveys"),
        setting_line(f"y = {toml_value(y.table.path.name)}", f"a row a site ({y.shape[0]}), a column a visit"),
        setting_line(f"visits = {toml_value(visits)}", "its other columns are covariates of the sites"),
        setting_line(f"response = {toml_value(response)}", RESPONSES[response]),
        _seasons_line(len(seasons)),
    ]
    if sites is not None:
        lines.append(setting_line(f"sites = {toml_value(sites.path.name)}", "a row a site: covariates"))
    lines += _visit_covariates(y, [block for block in blocks if block not in seasons])
    renamed = {"y": _renamed(y.table)} | ({} if sites is None else {"sites": _renamed(sites)})
    given = {table: names for table, names in renamed.items() if names}
    return [*lines, *([setting_line(f"columns = {toml_value(given)}", "file's name = our name")] if given else [])]


def _seasons_line(number: int) -> str:
    many = number > 1
    return setting_line(f"seasons = {number}" if many else "# seasons = 3", "equal blocks of visits")


def _sites(y: _Block, blocks: Sequence[_Block], tables: Sequence[Table]) -> Table | None:
    """Another table with a row for each site, by its label."""
    visits = [block.table for block in blocks]
    others = [table for table in tables if table not in visits and _words(table) is not None]
    return next((table for table in others if _words(table) == _words(y.table)), None)


def _words(table: Table) -> set[str] | None:
    label = _label(table)
    return None if label is None else {row[table.header.index(label)].strip() for row in table.rows}


def _visit_covariates(y: _Block, blocks: Sequence[_Block]) -> list[str]:
    """Tables of their own with as many rows and columns; blocks beside y, and what may be another y, are told."""
    alike = [block for block in blocks if block.shape == y.shape]
    own = [block for block in alike if block.table is not y.table]
    used = [block for block in own if block.stem != y.stem or _is_effort(block)]
    names = {"effort" if _is_effort(block) else block.table.path.stem: block.table.path.name for block in used}
    lines = [setting_line(f"visit_covariates = {toml_value(names)}", "laid out as y")] if names else []
    others = [block.table.path.name for block in own if block not in used]
    beside = [f"{block.columns[0]} …" for block in alike if block.table is y.table]
    if beside:
        lines.append(f"# covariates of visits? {', '.join(beside)}: put each in a table of its own, with the sites")
    return [*lines, *([f"# also found: {', '.join(others)}"] if others else [])]


def _renamed(table: Table) -> dict[str, str]:
    """The label is our site; another column of that name is an area."""
    label = _label(table)
    if any(name.lower() == "species" for name in table.header):  # a row a species and site
        return {}
    others = {name: "area" for name in table.header if name.lower() == "site" and name != label}
    return others | ({} if label in (None, "site") else {str(label): "site"})
