"""The tables of an export: in a folder, or in a zip, which is unpacked within bounds."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import IO

from leopardpop.data.names import did_you_mean
from leopardpop.data.readers.camtrap_dp_stores import DAMAGED, unpacked
from leopardpop.errors import DataError

__all__ = ["ExportFiles", "open_export"]

TABLES = (".csv", ".tsv", ".txt")


@dataclass(frozen=True, slots=True)
class ExportFiles:
    """Text tables of an export."""

    name: str
    """What messages call the export."""
    names: list[str]
    """Paths of its tables, sorted."""
    file: Callable[[str], Path]
    """Place of one of them on disk."""


def _is_table(path: str) -> bool:
    parts = PurePosixPath(path).parts
    hidden = any(part.startswith((".", "__MACOSX")) for part in parts)
    return bool(parts) and not hidden and path.lower().endswith(TABLES)


@contextmanager
def open_export(path: Path) -> Iterator[ExportFiles]:
    """Open an export.

    Parameters
    ----------
    path
        Folder, whose tables may lie in folders of it, or zip.

    Raises
    ------
    DataError
        If it is neither, or the archive is damaged.
    """
    if path.is_dir():
        files = {file.relative_to(path).as_posix(): file for file in path.rglob("*") if file.is_file()}
        yield ExportFiles(path.name or str(path), sorted(filter(_is_table, files)), files.__getitem__)
        return
    if not path.is_file():
        near = [file.name for file in path.parent.iterdir()] if path.parent.is_dir() else []
        raise DataError(f"There is no export '{path}'.{did_you_mean(path.name, near)}", offenders=[str(path)])
    if path.suffix.lower() in TABLES:
        raise DataError(f"{path.name} is one table; give the folder of the export, or a dict of its tables.")
    with TemporaryDirectory(prefix="leopardpop-") as folder, _archive(path) as archive:
        members = {info.filename: info for info in archive.infolist() if _is_table(info.filename)}

        def file(name: str) -> Path:
            info = members[name]
            if info.flag_bits & 1:
                raise DataError(f"{path.name}: '{name}' needs a password. Unpack the archive, and give the folder.")
            return unpacked(
                lambda: _opened(archive, info),
                Path(folder),
                PurePosixPath(name).name,
                path.name,
                packed=info.compress_size,
                claimed=info.file_size,
            )

        yield ExportFiles(path.name, sorted(members), file)


def _opened(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> IO[bytes]:
    return archive.open(info)


@contextmanager
def _archive(path: Path) -> Iterator[zipfile.ZipFile]:
    try:
        archive = zipfile.ZipFile(path)
    except DAMAGED as error:
        raise DataError(
            f"{path.name} is no complete zip archive ({str(error)[:100]}). Was the download cut off? Fetch it again."
        ) from error
    with archive:
        yield archive
