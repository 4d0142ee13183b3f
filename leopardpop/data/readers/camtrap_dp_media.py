"""Media of a Camtrap DP, as far as records are of single images: how they were taken, and which are there twice."""

from __future__ import annotations

from typing import Any

import pandas as pd

from leopardpop.data.notices import notice
from leopardpop.data.readers.camtrap_dp_package import Package
from leopardpop.data.survey_tables import text
from leopardpop.data.tables import Table
from leopardpop.errors import DataWarning
from leopardpop.words import counted

__all__ = ["add_media"]

COLUMNS = ("mediaID", "deploymentID", "captureMethod", "timestamp", "filePath", "fileName")


def add_media(records: pd.DataFrame, package: Package) -> pd.DataFrame:
    """Say of records of images how they were taken, and of which earlier image theirs is a copy.

    Parameters
    ----------
    records
        Records; those of images have ``media``.
    package
        The package; its media are only looked at if there are such records.

    Returns
    -------
    pandas.DataFrame
        With ``capture_method`` ("activityDetection", "timeLapse") and ``media_copy_of``, where anything is known.

    Warns
    -----
    DataWarning
        If two images that differ have one name.
    """
    if "media" not in records or "media" not in package.resources:
        return records
    table = package.table("media", COLUMNS)
    if "mediaID" not in table or not len(table):
        return records
    frame = pd.DataFrame({name: text(table.frame[name]) for name in table.frame.columns})
    named = frame.dropna(subset=["mediaID"])
    _say_one_name(named, table)
    media = named.drop_duplicates("mediaID").set_index("mediaID")
    found = {"capture_method": media.get("captureMethod"), "media_copy_of": _copies(media)}
    columns = {name: records["media"].map(column) for name, column in found.items() if column is not None}
    return records.assign(**{name: _none(column) for name, column in columns.items() if column.notna().any()})


def _say_one_name(named: pd.DataFrame, table: Table) -> None:
    """Warn of images that differ, but have one mediaID."""
    different = named.drop_duplicates()
    again = different.index[different["mediaID"].duplicated().to_numpy(bool)]
    if again.size:
        name = named["mediaID"].loc[again[0]]
        first = named.index[(named["mediaID"] == name).to_numpy(bool)][0]
        here, there = (table.where(int(row)) for row in (again[0], first))
        notice(
            f"{here}: mediaID '{name}' is that of {there} already, but they say different things "
            f"({counted(len(again), 'row')} of this kind): the first is used. Give each image its own name, or remove "
            "the wrong row.",
            DataWarning,
        )


def _none(column: pd.Series[Any]) -> pd.Series[Any]:
    return column.astype(object).where(column.notna(), None)


def _copies(media: pd.DataFrame) -> pd.Series[Any] | None:
    """First image with the same file, or else the same name and time in the same deployment."""
    keys = [["filePath"], ["deploymentID", "timestamp", "fileName"]]
    copies = [_first_alike(media, key) for key in keys if set(key) <= set(media.columns)]
    return copies[0].fillna(copies[1]) if len(copies) == 2 else next(iter(copies), None)


def _first_alike(media: pd.DataFrame, key: list[str]) -> pd.Series[Any]:
    """First image with the same key, missing for that one and where the key is not complete."""
    known = media[key].dropna().reset_index()
    first = known.groupby(key, sort=False)["mediaID"].transform("first").astype(object)
    same = first.where(first != known["mediaID"], None)
    return pd.Series(same.to_numpy(object), index=known["mediaID"], dtype=object).reindex(media.index)
