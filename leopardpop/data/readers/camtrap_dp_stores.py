"""Where the files of a data package are: a folder or an archive. Nothing outside is opened, unpacking is bounded."""

from __future__ import annotations

import gzip
import lzma
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Any, Protocol

from leopardpop.data.file_bounds import MOST_BYTES
from leopardpop.data.names import did_you_mean, listed
from leopardpop.errors import DataError

__all__ = ["DAMAGED", "DESCRIPTOR", "Store", "gunzipped", "open_store", "unpacked"]

DESCRIPTOR = "datapackage.json"
BLOCK = 1 << 20
FLOOR = 256 << 20
"""Bytes that anything may unpack to."""
RATIO = 300
"""Beyond that: how many times its packed size a file may have. Tables of records pack to a tenth or a thirtieth."""
DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    OSError,
    ValueError,
    NotImplementedError,
    RuntimeError,
    IndexError,
)
"""What Python's archive readers raise on damaged archives, or on passwords and methods that they do not know."""


class Store(Protocol):
    """The files of a package."""

    @property
    def name(self) -> str:
        """What messages call the package."""

    @property
    def descriptor(self) -> str:
        """Name of the file that describes it."""

    @property
    def scratch(self) -> Path:
        """Folder for what has to be unpacked."""

    def names(self) -> list[str]:
        """Files of the package."""

    def file(self, path: str) -> Path:
        """Place of a file of the package on disk."""


@contextmanager
def open_store(path: Path) -> Iterator[Store]:
    """Open a package: a folder, its datapackage.json, or a zip.

    Raises
    ------
    DataError
        If there is none, or the archive is damaged.
    """
    if re.match(r"[a-z][a-z0-9+.-]+:/", str(path), re.IGNORECASE):
        raise DataError(f"'{path}' is an address. Download the package first, and give its path.")
    with TemporaryDirectory(prefix="leopardpop-") as folder:
        scratch = Path(folder)
        if path.is_dir():
            yield _Folder(path.name or str(path), DESCRIPTOR, scratch, path)
        elif not path.is_file():
            near = [file.name for file in path.parent.iterdir()] if path.parent.is_dir() else []
            raise DataError(f"There is no package '{path}'.{did_you_mean(path.name, near)}", offenders=[str(path)])
        elif _is_zip(path):
            with _opened(path) as archive:
                yield _archive(path, archive, scratch)
        elif path.suffix.lower() == ".json":
            yield _Folder(path.parent.name or path.name, path.name, scratch, path.parent)
        else:
            advice = "Give the folder of the package, its datapackage.json, or a zip of it."
            raise DataError(f"{path.name} is no data package. {advice}", offenders=[str(path)])


def _is_zip(path: Path) -> bool:
    with path.open("rb") as file:
        return path.suffix.lower() == ".zip" or file.read(4) in (b"PK\x03\x04", b"PK\x05\x06")


@dataclass(frozen=True)
class _Folder:
    name: str
    descriptor: str
    scratch: Path
    root: Path

    def names(self) -> list[str]:
        return sorted(file.name for file in self.root.iterdir())

    def file(self, path: str) -> Path:
        inside = _inside(path)
        try:
            found = (self.root / inside).resolve()
            outside = not found.is_relative_to(self.root.resolve())
            missing = not found.is_file()
        except OSError as error:
            raise DataError(f"'{path}' cannot be opened: {error.strerror}. Correct {self.descriptor}.") from error
        if outside:
            raise DataError(f"{self.name}: '{path}' is a link that leads out of the package. Copy the file into it.")
        if missing and found.exists():
            what = "a folder" if found.is_dir() else "no ordinary file (a pipe or a device)"
            raise DataError(f"{self.name}: '{path}' is {what}. Put the table there, or correct {self.descriptor}.")
        if missing:
            raise _no_file(self, path)
        return found


def _inside(path: str) -> PurePosixPath:
    """Check that a path stays in the package."""
    advice = "Only files of the package itself are read: put the table into the package and name it by a relative path."
    if re.match(r"[a-z][a-z0-9+.-]*:", path, re.IGNORECASE):
        where = "the network" if "://" in path else "outside the package"
        raise DataError(f"datapackage.json: the path '{path[:200]}' points to {where}. {advice}", offenders=[path])
    parts = PurePosixPath(path).parts
    if not parts or path.startswith(("/", "~")) or ".." in parts or re.search(r"[\\\x00-\x1f]", path):
        raise DataError(f"datapackage.json: the path '{path[:200]}' points outside the package. {advice}")
    return PurePosixPath(path)


def _no_file(store: Store, path: str) -> DataError:
    names = store.names()
    message = f"{store.name} has no file '{path}', which {store.descriptor} names; it has {listed(names)}."
    return DataError(f"{message}{did_you_mean(path, names)}", offenders=[path])


@contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    try:
        archive = zipfile.ZipFile(path)
    except DAMAGED as error:
        raise DataError(
            f"{path.name} is no complete zip archive ({str(error)[:100]}). Was the download cut off? Fetch it again."
        ) from error
    with archive:
        yield archive


@dataclass(frozen=True)
class _Archive:
    name: str
    descriptor: str
    scratch: Path
    archive: zipfile.ZipFile
    prefix: str

    def names(self) -> list[str]:
        members = (name for name in self.archive.namelist() if name.startswith(self.prefix) and not name.endswith("/"))
        return sorted(name.removeprefix(self.prefix) for name in members)

    def file(self, path: str) -> Path:
        name = self.prefix + str(_inside(path))
        if name not in self.archive.NameToInfo:
            raise _no_file(self, path)
        info = self.archive.getinfo(name)
        if info.flag_bits & 1:
            raise DataError(f"{self.name}: '{path}' needs a password. Unpack the archive, and give the folder.")
        sizes = {"packed": info.compress_size, "claimed": info.file_size}
        return unpacked(partial(self.archive.open, info), self.scratch, path, self.name, **sizes)


def _archive(path: Path, archive: zipfile.ZipFile, scratch: Path) -> _Archive:
    """Find the package in an archive: at its top, or in a folder of it."""
    members = [name for name in archive.namelist() if PurePosixPath(name).name == DESCRIPTOR and "__MACOSX" not in name]
    if not members:
        message = f"{path.name} has no {DESCRIPTOR}; it has {listed(sorted(archive.namelist()))}."
        raise DataError(f"{message} Is it a Camtrap DP?")
    least = min(name.count("/") for name in members)
    top = [name for name in members if name.count("/") == least]
    if len(set(top)) > 1:
        raise DataError(f"{path.name} holds several packages: {listed(sorted(set(top)))}. Unpack it, and give one.")
    return _Archive(path.name, DESCRIPTOR, scratch, archive, top[0].removesuffix(DESCRIPTOR))


def unpacked(
    opened: Callable[[], Any], scratch: Path, path: str, archive: str, *, packed: int, claimed: int = 0
) -> Path:
    """Unpack a file into a folder of its own: `packed` bytes, of which the header claims that they become `claimed`."""
    most = min(MOST_BYTES, max(FLOOR, RATIO * packed))
    if claimed > most:
        raise _too_large(archive, path, most)
    folder = scratch / str(sum(1 for _ in scratch.iterdir()))
    folder.mkdir()
    target = folder / PurePosixPath(path).name
    try:
        with opened() as source, target.open("wb") as file:
            while block := source.read(BLOCK):
                if file.tell() + len(block) > most:
                    raise _too_large(archive, path, most)
                file.write(block)
    except DataError:
        raise
    except DAMAGED as error:
        raise DataError(
            f"{archive}: '{path}' cannot be unpacked ({str(error)[:100]}). Was the download cut off? Fetch it again."
        ) from error
    return target


def _too_large(archive: str, path: str, most: int) -> DataError:
    return DataError(
        f"{archive}: '{path}' unpacks to more than {most / 1e9:.1f} GB, which no table of records does. It was not "
        "read. If it is one, unpack it yourself, and give the folder."
    )


def gunzipped(path: Path, scratch: Path, name: str) -> Path:
    """Unpack a gzip file."""
    size = path.stat().st_size
    return unpacked(partial(gzip.open, path), scratch, name.removesuffix(".gz"), path.name, packed=size)
