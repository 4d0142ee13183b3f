"""A data package: what its descriptor says, and its tables as text."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from leopardpop.data.files import read_text_table
from leopardpop.data.names import did_you_mean, listed
from leopardpop.data.readers.camtrap_dp_stores import Store, gunzipped, open_store
from leopardpop.data.tables import Origin, Table, concat_tables, label
from leopardpop.errors import DataError

__all__ = ["MISSING", "Package", "open_package"]

MOST_JSON = 256 << 20
"""The largest descriptor that is read, in bytes: it may hold tables."""
MISSING = ("", "NA", "NaN", "nan")
"""What Camtrap DP writes where there is nothing."""
VERSION = re.compile(r"(\d+\.\d+(?:\.\d+)*(?:-[a-z0-9.]+)?)/(?:camtrap-dp-profile|\w+-table-schema)", re.IGNORECASE)
OTHER_VERSION = re.compile(r"camtrap-?dp/v?(\d+\.\d+(?:\.\d+)*(?:-[a-z0-9.]+)?)", re.IGNORECASE)


@dataclass(frozen=True)
class Package:
    """A package that is open."""

    store: Store
    descriptor: Mapping[str, Any]
    resources: Mapping[str, Mapping[str, Any]]
    version: str | None
    """Version of Camtrap DP, None if nothing says it."""

    def table(self, name: str, columns: Collection[str] | None = None) -> Table:
        """Read a table.

        Parameters
        ----------
        name
            Name of the resource.
        columns
            The columns that are wanted, if they are there; None: all.

        Raises
        ------
        DataError
            If it is missing, lies outside the package, or is no table.
        """
        if name not in self.resources:
            has = f"it has {listed(self.resources)}.{did_you_mean(name, self.resources)}"
            raise DataError(f"{self.store.descriptor} has no resource '{name}'; {has}", offenders=[name])
        resource = self.resources[name]
        read = self._files if "path" in resource else self._inline
        table = read(name, resource, columns)
        return _with_missing(table, resource.get("schema"))

    def _files(self, name: str, resource: Mapping[str, Any], columns: Collection[str] | None) -> Table:
        tables: list[Table] = []
        header: Sequence[str] | None = None
        for path in _paths(name, resource["path"]):
            file = self.store.file(path)
            if path.endswith(".gz") or resource.get("compression") == "gz":
                file = gunzipped(file, self.store.scratch, path)
            text = read_text_table(
                file,
                name,
                columns=columns,
                header=header,
                encoding=_word(resource, "encoding"),
                separator=_separator(name, resource.get("dialect")),
            )
            header = header or text.header
            origin = Origin(file.name, "line", is_file=True, decimal_comma=text.decimal_comma)
            tables.append(Table(text.frame, text.lines, (origin,), np.zeros(len(text.frame), dtype=np.intp)))
        return concat_tables(tables)

    def _inline(self, name: str, resource: Mapping[str, Any], columns: Collection[str] | None) -> Table:
        if "data" not in resource:
            raise DataError(f"{self.store.descriptor}: resource '{name}' has neither a path nor data. Add one.")
        frame = _inline_frame(name, resource["data"])
        wanted = [column for column in frame if columns is None or column in columns]
        origin = Origin(f"{self.store.descriptor} '{name}'", "row", is_file=True)
        return Table(frame[wanted], np.arange(1, len(frame) + 1), (origin,), np.zeros(len(frame), dtype=np.intp))


@contextmanager
def open_package(path: Path) -> Iterator[Package]:
    """Open a Camtrap DP 1.0 and read its descriptor.

    Parameters
    ----------
    path
        Folder, datapackage.json, or zip.

    Raises
    ------
    DataError
        If it is none, or one of another version.
    """
    with open_store(path) as store:
        descriptor = _descriptor(store)
        resources = _resources(store, descriptor)
        version = _version(descriptor, resources)
        _check_version(version, store.descriptor)
        yield Package(store, descriptor, resources, version)


def _descriptor(store: Store) -> dict[str, Any]:
    if store.descriptor not in store.names():
        raise DataError(
            f"{store.name} has no {store.descriptor}; it has {listed(store.names())}. A Camtrap DP needs it beside its "
            "tables: export the package again."
        )
    file = store.file(store.descriptor)
    if file.stat().st_size > MOST_JSON:
        raise DataError(f"{store.descriptor} has {file.stat().st_size / 1e6:,.0f} MB: put the tables into files.")
    try:
        found = json.loads(file.read_bytes())
    except (ValueError, RecursionError) as error:
        raise DataError(f"{store.descriptor} is no JSON: {str(error)[:200]}. Export the package again.") from error
    if not isinstance(found, dict):
        raise DataError(f"{store.descriptor} holds a {type(found).__name__}, not the description of a package.")
    return found


def _resources(store: Store, descriptor: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    found = descriptor.get("resources")
    if not isinstance(found, list) or not all(isinstance(each, dict) and "name" in each for each in found):
        raise DataError(f"{store.descriptor} has no list of resources, each with a name. Export the package again.")
    names = [str(each["name"]) for each in found]
    twice = next((name for name, times in Counter(names).items() if times > 1), None)
    if twice is not None:
        raise DataError(f"{store.descriptor} has two resources '{twice}'. Remove one.", offenders=[twice])
    return dict(zip(names, found, strict=True))


def _version(descriptor: Mapping[str, Any], resources: Mapping[str, Mapping[str, Any]]) -> str | None:
    """Version by the profile, else by the schemas of the tables."""
    said = [descriptor.get("profile"), descriptor.get("$schema")]
    said += [each.get("schema") for name, each in resources.items() if name in ("deployments", "media", "observations")]
    words = [word for word in said if isinstance(word, str)]
    found = (pattern.search(word) for word in words for pattern in (VERSION, OTHER_VERSION))
    return next((match[1] for match in found if match), None)


def _check_version(version: str | None, descriptor: str) -> None:
    if version is None or re.fullmatch(r"1\.0(\.\d+)?", version):
        return
    old = re.match(r"0\.|1\.0-", version)
    advice = "Export it again as Camtrap DP 1.0, which Agouti and TRAPPER write" if old else "Versions 1.0.x are read"
    raise DataError(f"{descriptor}: this is Camtrap DP {version}. {advice}.", offenders=[version])


def _paths(name: str, path: Any) -> list[str]:
    paths = path if isinstance(path, list) else [path]
    if not paths or not all(isinstance(each, str) and each for each in paths):
        raise DataError(f"datapackage.json: the path of resource '{name}' is {str(path)[:100]!r}. Give a file's name.")
    return paths


def _word(resource: Mapping[str, Any], key: str) -> str | None:
    value = resource.get(key)
    return value if isinstance(value, str) else None


def _separator(name: str, dialect: Any) -> str | None:
    found = dialect.get("delimiter") if isinstance(dialect, dict) else None
    if found is None:
        return None
    if not isinstance(found, str) or len(found) != 1 or found.isalnum() or found in "\"' \r\n":
        raise DataError(f"datapackage.json: the delimiter of resource '{name}' is {found!r}. One mark is needed.")
    return found


def _inline_frame(name: str, data: Any) -> pd.DataFrame:
    """Rows that stand in the descriptor: objects, or lists of which the first is the header."""
    if isinstance(data, list) and all(isinstance(row, dict) for row in data):
        names = list(dict.fromkeys(str(key) for row in data for key in row))
        rows = [[_cell(row.get(key)) for key in names] for row in data]
    elif isinstance(data, list) and all(isinstance(row, list) for row in data):
        names = [_cell(value) for value in data[0]]
        rows = [[_cell(value) for value in row] for row in data[1:]]
    else:
        raise DataError(f"datapackage.json: the data of resource '{name}' are no list of rows. Put them into a file.")
    bad = next((i for i, row in enumerate(rows) if len(row) != len(names)), None)
    if bad is not None or len(set(names)) < len(names):
        what = "two columns of one name" if bad is None else f"{len(rows[bad])} cells in row {bad + 1}"
        raise DataError(f"datapackage.json: resource '{name}' has {what}; its columns are {listed(names)}.")
    cells = np.array(rows, dtype=object).reshape(len(rows), len(names))
    return pd.DataFrame({column: pd.Series(cells[:, i], dtype=object) for i, column in enumerate(names)})


def _cell(value: Any) -> str:
    if isinstance(value, (bool, dict, list)):
        return json.dumps(value)
    return label(value)


def _with_missing(table: Table, schema: Any) -> Table:
    """Empty the cells that the schema says are missing."""
    words = schema.get("missingValues") if isinstance(schema, dict) else None
    more = {str(word) for word in words} - set(MISSING) if isinstance(words, list) else set()
    if not more:
        return table
    frame = table.frame.mask(table.frame.isin(sorted(more)), "")
    return Table(frame, table.lines, table.origins, table.origin)
