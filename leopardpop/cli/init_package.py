"""``leopardpop init`` on a Camtrap DP package: a commented ``[data]`` from what is in it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from leopardpop.cli.found import READERS, setting_line, toml_value
from leopardpop.cli.occasion_length import suggested_occasion
from leopardpop.cli.run import collect_warnings
from leopardpop.words import counted

if TYPE_CHECKING:
    from leopardpop.data.survey import Survey

__all__ = ["DESCRIPTOR", "is_package", "package_data", "read_package", "survey_data"]

LONG = 120
"""Days from which a survey is too long for a closed population."""
MOST_SPECIES = 12
SHORTEST = 7
"""Days of an occasion, unless the table would be large."""
DESCRIPTOR = "datapackage.json"


def is_package(path: Path) -> bool:
    """Whether a path is a Camtrap DP package: a folder with a datapackage.json, that file itself, or a zip.

    Parameters
    ----------
    path
        Path that exists.

    Returns
    -------
    bool

    Examples
    --------
    >>> is_package(Path("export.zip")), is_package(Path("tables"))
    (True, False)
    """
    return path.suffix.lower() == ".zip" or path.name == DESCRIPTOR or (path / DESCRIPTOR).exists()


def read_package(path: Path) -> Survey:
    """Read the package; what there is to say about it, ``leopardpop check`` says.

    Parameters
    ----------
    path
        Of the package.

    Returns
    -------
    Survey
    """
    import leopardpop as lp

    with collect_warnings():
        return lp.read_camtrap_dp(path)


def package_data(survey: Survey, path: str) -> str:
    """Write the section ``[data]`` of an analysis file for a package.

    Parameters
    ----------
    survey
        What is in the package.
    path
        The package, relative to the analysis file.

    Returns
    -------
    str
        The lines under ``[data]``.

    Examples
    --------
    >>> import leopardpop as lp
    >>> print(package_data(lp.load_example("amur_leopard", seed=1), ".").splitlines()[2])
    # in it: Panthera pardus 378 (31 animals), Cervus nippon 214, Capreolus pygargus 140, Sus scrofa 95, ...
    """
    head = [
        setting_line('reader = "camtrap_dp"', READERS),
        setting_line(f"path = {toml_value(path)}", "the package: folder, datapackage.json or zip"),
    ]
    return survey_data(survey, head)


def survey_data(survey: Survey, head: list[str]) -> str:
    """Write the section ``[data]`` of an analysis file for a survey.

    Parameters
    ----------
    survey
        What was read.
    head
        The lines that say how to read it.

    Returns
    -------
    str
        The lines under ``[data]``.

    Examples
    --------
    >>> import leopardpop as lp
    >>> survey_data(lp.load_example("amur_leopard", seed=1), ['reader = "example"']).splitlines()[0]
    'reader = "example"'
    """
    table = _species(survey)
    species = str(table.index[0]) if len(table) else ""
    lines = [
        *head,
        f"# in it: {_listed(table)}",
        _species_line(species, table),
        *(_sessions(survey) or _dates(survey)),
        _occasion(survey),
        *_flank(survey, species),
        _failures(survey),
        setting_line('on_zero_effort = "raise"', 'records while no camera was on: "raise", "drop" or "keep"'),
    ]
    return "\n".join(lines) + "\n"


def _species(survey: Survey) -> pd.DataFrame:
    """Species -> number of records and of animals: those with the most animals first, then the most records."""
    grouped = survey.records.groupby("species")["individual"]
    table = pd.DataFrame({"records": grouped.size(), "animals": grouped.nunique()})
    return table.sort_values(["animals", "records"], ascending=False, kind="stable")


def _listed(table: pd.DataFrame) -> str:
    def words(name: object, records: int, animals: int) -> str:
        return f"{name} {records:,}" + (f" ({counted(animals, 'animal')})" if animals else "")

    shown = [words(*row) for row in table.head(MOST_SPECIES).itertuples(name=None)]
    more = f", {len(table) - MOST_SPECIES} more species" if len(table) > MOST_SPECIES else ""
    return (", ".join(shown) or "no record of an animal") + more


def _species_line(species: str, table: pd.DataFrame) -> str:
    if not species:
        return setting_line("# species: no record names one", "all records count as one species")
    return setting_line(f"species = {toml_value(species)}", _identities(table))


def _identities(table: pd.DataFrame) -> str:
    if len(table) and table["animals"].iloc[0]:
        return "the species with the most identified animals"
    return "no animal is identified: capture-recapture needs identities, occupancy does not"


def _sessions(survey: Survey) -> list[str]:
    """Sessions of a column of deployments, if there are several: their dates are those of their deployments."""
    if "session" not in survey.deployments or survey.deployments["session"].isna().any():
        return []
    labels = survey.deployments["session"].unique().tolist()
    return [setting_line('sessions = "session"', f"of the deployments: {', '.join(labels)}")] if len(labels) > 1 else []


def _dates(survey: Survey) -> list[str]:
    noon = pd.Timedelta(hours=12)  # dates begin at noon, see occasion_start: no record is left outside
    first = (survey.clock.wall(survey.deployments["start"]).min() - noon).floor("D")
    last = (survey.clock.wall(survey.deployments["end"]).max() - noon).ceil("D")
    days = (last - first).days
    advice = f"{days} days: choose two to four months, in which few are born, die or leave" if days > LONG else ""
    return [
        setting_line(f"start = {first:%Y-%m-%d}", advice or "from noon; the first day with a camera"),
        setting_line(f"end = {last:%Y-%m-%d}", "until noon"),
    ]


def _occasion(survey: Survey) -> str:
    days = (survey.deployments["end"].max() - survey.deployments["start"].min()).days
    long = suggested_occasion(len(survey.stations), days)
    why = 'or "1D"' if long == SHORTEST else "shorter ones would make a large table"
    return setting_line(f'occasion = "{long}D"', f'{why}; each begins at occasion_start = "12:00"')


def _flank(survey: Survey, species: str) -> list[str]:
    """The flank that shows more animals, where some are known from one flank only."""
    rows = survey.records[survey.records["species"] == species].dropna(subset=["individual", "flank"])
    sides = rows.groupby("individual")["flank"].agg(frozenset)
    only = {side: int((sides == frozenset({side})).sum()) for side in ("left", "right")}
    comment = f"{counted(only['left'], 'animal')} known from the left flank only, {only['right']} from the right only"
    if not sum(only.values()):
        return [setting_line('# flank = "left"', "left | right; without it, whole identities")]
    side = "left" if only["left"] >= only["right"] else "right"
    return [setting_line(f'{"" if all(only.values()) else "# "}flank = "{side}"', comment)]


def _failures(survey: Survey) -> str:
    if len(survey.failures):
        return f"# {counted(len(survey.failures), 'failure')} of cameras: read with the other tables"
    return setting_line(
        '# failures = "failures.csv"', "deployment (or station), start, end: the format has no place for them"
    )
