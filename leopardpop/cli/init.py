"""``leopardpop init``: a commented ``analysis.toml`` for the tables in a folder, or for a Camtrap DP package."""

from __future__ import annotations

import math
import re
from pathlib import Path

from leopardpop.cli.columns import Table, find_tables, typical_distances
from leopardpop.cli.found import Found, setting_line, toml_value
from leopardpop.cli.init_package import is_package, package_data, read_package, survey_data
from leopardpop.cli.init_plain import tables_in
from leopardpop.cli.init_records import find_records
from leopardpop.cli.init_texts import find_texts
from leopardpop.cli.init_visits import find_visits
from leopardpop.cli.run import collect_warnings
from leopardpop.errors import DataError

__all__ = ["analysis_text", "draft", "write_analysis"]

HEAD = """\
# What to analyse and how. Run it:          leopardpop fit analysis.toml
# The same analysis as Python code:         leopardpop fit analysis.toml --script
# A section is an object of the library, a key is its keyword; paths are relative to this file.
leopardpop = 1                           # version of this file format
title = {title}

[data]
"""

TAIL = """
[models.null]                            # one or several; several are compared
family = "SCR"
density = "~ 1"                          # or a covariate of the mask: "~ elevation"
detection = { HalfNormal = { lambda0 = "~ 1", sigma = "~ 1" } }
# classes = "sex"                        # a column of the individuals; then also sigma = "~ sex"

[priors]
preset = "default"                       # from the layout of the stations alone; or "big_cats" (effort in days)
# "D[elevation]" = { Normal = { mu = 0, sigma = 1 } }

[fit]
engine = "auto"
draws = 1000
chains = 4
seed = 1
maximum_likelihood = true                # adds the estimates to set beside those of secr

[population]
# Which N? Without regions, that of the hull of the stations if the mask is only a buffer around them, and that of the
# whole mask if it was cut to a habitat or read from a file. Name the place that the question is about:
# regions = "reserves.gpkg"
# by = "name"
# probability = [30, 50]                 # the chance that N is in this range

[output]
folder = "results"                       # must not exist, or: leopardpop fit --overwrite
report = "report.html"
coordinates = "hidden"                   # in the report; "exact" shows where the cameras are
"""


PER_OCCASION = "a column of the stations: effort on EACH occasion; 0 = off"
OWN_MASK = """
# The mask is the state space above. Another one, instead of it: a section [mask] with buffer and spacing.
"""


def write_analysis(path: Path) -> Path:
    """Write ``analysis.toml`` beside the data it describes.

    Parameters
    ----------
    path
        The folder with the tables (captures and stations, or those of camtrapR); or a Camtrap DP package (folder,
        datapackage.json, zip), or an export of Wildlife Insights (folder, zip).

    Returns
    -------
    Path
        The new file.

    Raises
    ------
    DataError
        If there is no such folder, if the file exists, or if the folder has no table of captures or of stations.

    Examples
    --------
    >>> write_analysis(Path("no-such-folder"))
    Traceback (most recent call last):
    leopardpop.errors.DataError: there is no folder no-such-folder.
    """
    folder = path if path.is_dir() else path.parent
    if not path.exists():
        raise DataError(f"there is no folder {path}.")
    target = folder / "analysis.toml"
    if target.exists():
        raise DataError(f"{target} exists and is left as it is. Remove or rename it, then run init again.")
    text = draft(path)
    with target.open("x", encoding="utf-8") as file:  # "x": never over a file that appeared meanwhile
        file.write(text)
    return target


def draft(path: Path) -> str:
    """Return the text of an analysis file for whatever is at a path, which exists.

    Raises
    ------
    DataError
        If nothing that is known is there, or it cannot be read.
    """
    found = find_records(path)
    if found is not None:
        return _records_text(path, found)
    return _package_text(path) if is_package(path) else analysis_text(path if path.is_dir() else path.parent)


def _records_text(path: Path, found: Found) -> str:
    """The text of an analysis file for tables of records."""
    with collect_warnings():  # what there is to say, `leopardpop check` says
        survey = found.survey
    x, y = (survey.stations[axis].astype(str).tolist() for axis in ("x", "y"))
    data = survey_data(survey, found.head)
    return HEAD.format(title=toml_value(path.resolve().stem)) + data + _mask_guess(x, y) + TAIL


def _package_text(path: Path) -> str:
    """The text of an analysis file for a Camtrap DP package."""
    survey = read_package(path)
    inside = path.is_dir() or path.name == "datapackage.json"
    name = (path if path.is_dir() else path.parent if inside else path).resolve()
    x, y = (survey.stations[axis].astype(str).tolist() for axis in ("x", "y"))
    data = package_data(survey, "." if inside else name.name)
    return HEAD.format(title=toml_value(name.stem)) + data + _mask_guess(x, y) + TAIL


def analysis_text(folder: Path) -> str:
    r"""Return the text of an analysis file for the tables of a folder.

    Parameters
    ----------
    folder
        Where the tables are.

    Returns
    -------
    str
        TOML with comments.

    Raises
    ------
    DataError
        If the folder has no table of captures or of stations; says which columns were looked for.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = Path(folder, "captures.csv").write_text("individual,station,occasion\nF1,a,1\n")
    ...     _ = Path(folder, "stations.csv").write_text("station,x,y\na,0,0\nb,0,2000\n")
    ...     "buffer = " in analysis_text(Path(folder))
    True
    """
    head = HEAD.format(title=toml_value(folder.resolve().name))
    tables = find_tables(folder)
    if (texts := find_texts(tables_in(folder))) is not None:
        return head + texts.data + (OWN_MASK if texts.has_mask else _mask_guess(*texts.places)) + TAIL
    secr = _secr_files(folder)
    if secr and not (tables["captures"] and tables["stations"]):
        return head + _secr_text(*secr) + _mask_guess(*_secr_places(folder / secr[1])) + TAIL
    visits = None if tables["captures"] else find_visits(tables_in(folder))
    if visits is not None:
        return head + visits.data + visits.models
    captures = _first(tables["captures"], folder, "captures (individual, station, occasion)")
    stations = _first(tables["stations"], folder, "stations (station, x, y)")
    masks = tables["mask"]
    mask = _mask_files(stations, masks) if masks else _mask_guess(stations.column("x"), stations.column("y"))
    return head + _data_text(captures, stations, tables) + mask + TAIL


def _secr_files(folder: Path) -> tuple[str, str] | None:
    """Names of the text files of captures and of traps, if there is one of each."""
    names = [path.name for path in sorted(folder.glob("*.txt"))]
    captures, traps = ([name for name in names if word in name.lower()] for word in ("capt", "trap"))
    return (captures[0], traps[0]) if len(captures) == 1 and len(traps) == 1 else None


def _secr_places(traps: Path) -> tuple[list[str], list[str]]:
    lines = traps.read_text(encoding="utf-8", errors="replace").splitlines()
    fields = [line.split("/")[0].split() for line in lines if not line.startswith("#")]
    places = [row[1:3] for row in fields if len(row) >= 3]
    return [x for x, _ in places], [y for _, y in places]


def _secr_text(captures: str, traps: str) -> str:
    lines = [
        setting_line('reader = "secr"', "tables | secr | example"),
        setting_line(f"captures = {toml_value(captures)}", "session, animal, occasion, station"),
        setting_line(f"traps = {toml_value(traps)}", "station, x, y in metres, and usage"),
        setting_line('detector = "proximity"', "proximity | count | multi: it is not in the files; check it"),
    ]
    return "\n".join(lines) + "\n"


def _first(tables: list[Table], folder: Path, what: str) -> Table:
    if not tables:
        names = ", ".join(sorted(path.name for path in folder.iterdir() if path.is_file())) or "no file"
        raise DataError(
            f"{folder} has no table of {what}. It has: {names}. Known are, by their columns: a Camtrap DP, an export "
            "of Wildlife Insights, tables of camtrapR, records with deployments (station, start, end) and stations, "
            "captures with stations, the text files of secr, SPACECAP and oSCR, and visits (a row a site, a column a "
            "visit: v1, v2 …). The docs' page 'analysis.toml' shows what they look like."
        )
    return tables[0]


def _data_text(captures: Table, stations: Table, tables: dict[str, list[Table]]) -> str:
    lines = [
        setting_line('reader = "tables"', "tables | secr | example"),
        setting_line(
            f"captures = {toml_value(captures.path.name)}", "one row a detection: individual, station, occasion"
        ),
        setting_line(f"stations = {_of_sessions(captures, stations)}", "one row a station: station, x, y in metres"),
        *(f"individuals = {toml_value(table.path.name)}" for table in tables["individuals"][:1]),
        _detector_line(captures),
        *_effort_lines(stations),
    ]
    renamed = {"captures": captures.renamed, "stations": stations.renamed | _of_all(captures, stations)}
    renamed["individuals"] = next((table.renamed for table in tables["individuals"]), {})
    if any(renamed.values()):
        lines += ["", setting_line("[data.columns]", "file's name = our name; check the guesses")]
        lines += [f"{table} = {{ {_pairs(names)} }}" for table, names in renamed.items() if names]
    return "\n".join(lines) + "\n"


def _of_all(captures: Table, stations: Table) -> dict[str, str]:
    """A column of sessions in which the stations have one word, that of no capture, such as "*": it is of all."""
    words = set(stations.column("session"))
    if len(words) != 1 or words & set(captures.column("session")) or not captures.column("session"):
        return {}
    return {theirs: "stations_of" for theirs, ours in stations.names.items() if ours == "session"}


def _of_sessions(captures: Table, stations: Table) -> str:
    """The table of stations; for each session, if there are several and it names none."""
    sessions = list(dict.fromkeys(captures.column("session")))
    if len(sessions) < 2 or not _of_all(captures, stations):
        return toml_value(stations.path.name)
    return toml_value(dict.fromkeys(sessions, stations.path.name))


def _effort_lines(stations: Table) -> list[str]:
    if stations.effort:
        return [
            setting_line(f"effort = {toml_value(stations.effort)}", PER_OCCASION),
            setting_line('effort_unit = "day"', "what one unit of effort is; check it"),
        ]
    return [
        setting_line('# effort = "effort"', "a column of the stations, or a table station × occasion; none: always on")
    ]


def _detector_line(captures: Table) -> str:
    cells = list(
        zip(*(c for c in map(captures.column, ("session", "individual", "station", "occasion")) if c), strict=True)
    )
    if len(set(cells)) < len(cells) or any(count not in ("0", "1") for count in captures.column("count")):
        return setting_line('detector = "count"', "an animal is there more than once at a station on an occasion")
    return setting_line('detector = "proximity"', "seen or not at a station on an occasion; or: multi, count")


def _pairs(names: dict[str, str]) -> str:
    return ", ".join(f"{_key(theirs)} = {toml_value(ours)}" for theirs, ours in names.items())


def _key(text: str) -> str:
    return text if re.fullmatch(r"[A-Za-z0-9_-]+", text) else toml_value(text)


def _mask_guess(x: list[str], y: list[str]) -> str:
    nearest, widest = typical_distances(x, y) or (4_000.0, 40_000.0)
    sigma = math.sqrt(nearest / 4 * widest / 2)  # the middle of the default prior, see the docs' page on priors
    lines = [
        setting_line("[mask]", "guessed from the layout of the stations: better from the σ of your species"),
        setting_line(f"buffer = {_round(4 * sigma)}", "metres around the stations: 4 σ or more"),
        setting_line(f"spacing = {_round(0.4 * sigma)}", "metres between cells: 0.6 σ or less"),
        setting_line('# habitat = "habitat.gpkg"', "cells outside it are removed; N is that of the habitat"),
        setting_line('# covariates = { snow = "snow.tif" }', "what density depends on"),
    ]
    return "\n".join(["", *lines, ""])


def _mask_files(stations: Table, masks: list[Table]) -> str:
    """One mask for all sessions, or one for each where the file names end in the session's label."""
    sessions = list(dict.fromkeys(stations.column("session")))
    of_session = {label: [t for t in masks if re.split(r"[_-]", t.path.stem)[-1] == label] for label in sessions}
    if len(sessions) > 1 and all(of_session.values()):
        used = {label: tables[0].path.name for label, tables in of_session.items()}
        setting = f"files = {{ {', '.join(f'{_key(label)} = {toml_value(name)}' for label, name in used.items())} }}\n"
    else:
        used = {"": masks[0].path.name}
        setting = setting_line(f"file = {toml_value(used[''])}", "x and y of the cell centres, in metres") + "\n"
    others = [table.path.name for table in masks if table.path.name not in used.values()]
    rest = f"# also found: {', '.join(others)}\n" if others else ""
    return (
        "\n[mask]\n"
        + setting
        + rest
        + setting_line("# cell_area = 4.0", "km²; needed where the cells form no regular grid")
        + "\n"
    )


def _round(metres: float) -> int:
    """Two significant digits, upwards."""
    step = int(10 ** max(0, math.floor(math.log10(metres)) - 1))
    return math.ceil(metres / step) * step
