"""Files from elsewhere: what they declare is looked at before it is read, and what was read is compared with its seal.

A seal is a hash of every group of a tree, written with it: not one digit of a file that was damaged on its way passes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from leopardpop.errors import DataError
from leopardpop.words import decimal, whole

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["SEAL", "check_seal", "look_into", "seal_of"]

SEAL = "seal_json"
"""Attribute of the root that holds the hashes."""
RATIO, FREE = 200, 100_000_000
"""What a file declares may take this many times its own size in memory, and these bytes more."""
DEEPEST, MOST = 8, 5_000
"""Groups within groups, and objects in all, that are looked at."""


def look_into(path: Path) -> None:
    """Refuse a file that points elsewhere, or that declares far more than is in it.

    Parameters
    ----------
    path
        A file in HDF5.

    Raises
    ------
    DataError
        Naming the object.
    OSError, RuntimeError, KeyError
        If it cannot be read.
    """
    import h5py

    declared = 0
    with h5py.File(path, "r") as file:
        for number, (name, found) in enumerate(_objects(file, "", DEEPEST)):
            if number >= MOST:
                raise DataError(f"{path} holds more than {whole(MOST)} objects: it is no fit of leopardpop.")
            if isinstance(found, str):
                raise DataError(f"{path}: {name!r} points to {found}: such a file is not read.", offenders=[name])
            if not isinstance(found, h5py.Dataset):
                continue
            if found.is_virtual or found.external:
                raise DataError(f"{path}: {name!r} is kept in other files: such a file is not read.", offenders=[name])
            declared += int(np.prod(found.shape or (1,), dtype=object)) * found.dtype.itemsize
    size = path.stat().st_size
    if declared > RATIO * size + FREE:
        raise DataError(
            f"{path} declares {whole(declared / 1e9)} GB in {decimal(size / 1e6, 1)} MB: it is damaged, or made to "
            "fill the memory. It is not read."
        )


def _objects(group: Any, path: str, depth: int) -> Iterator[tuple[str, Any]]:
    """Groups, arrays and types in a group and in those in it, and links of other kinds than hard ones as text."""
    import h5py

    for name in group:
        link, where = group.get(name, getlink=True), f"{path}/{name}"
        if not isinstance(link, h5py.HardLink):
            yield where, f"{link.filename if isinstance(link, h5py.ExternalLink) else ''}:{link.path}"
            continue
        found = group[name]
        yield where, found
        if isinstance(found, h5py.Group):
            if not depth:  # what is not looked at must not be opened either; a group that holds itself ends here
                raise DataError(f"{where!r} lies deeper than any group of a fit: such a file is not read.")
            yield from _objects(found, where, depth - 1)


def seal_of(tree: xr.DataTree) -> str:
    """Hash of the attributes of a tree and of each of its groups, as text.

    Parameters
    ----------
    tree
        As it is written, without the seal itself.
    """
    groups = {node.path: _hash(node.to_dataset(inherit=False)) for node in tree.subtree}
    given = {name: value for name, value in tree.attrs.items() if name != SEAL}
    return json.dumps({"attributes": hashlib.sha256(_text(given)).hexdigest(), **groups}, sort_keys=True)


def check_seal(tree: xr.DataTree, path: Path) -> None:
    """Refuse a tree that is not what was sealed; groups that were added since are nobody's concern.

    Parameters
    ----------
    tree
        As it was read; the seal is taken out of its attributes.
    path
        For the message.

    Raises
    ------
    DataError
        Naming what differs.
    """
    seal = tree.attrs.pop(SEAL, None)
    if seal is None:
        raise DataError(f"{path} has no seal: it was not written by fit.save(...), or by a version that had none.")
    known, found = json.loads(str(seal)), json.loads(seal_of(tree))
    wrong = sorted(name for name, digest in known.items() if found.get(name) != digest)
    if wrong:
        raise DataError(
            f"{path} is damaged, or was changed since it was saved: {', '.join(wrong)} differs from what fit.save(...) "
            "wrote. Take a copy of the file, or make the fit again.",
            offenders=wrong,
        )


def _hash(dataset: xr.Dataset) -> str:
    content = hashlib.sha256()
    for name in sorted(map(str, dataset.variables)):
        variable = dataset.variables[name]
        content.update(f"|{name}|{variable.dims}|{variable.shape}|".encode() + _text(variable.attrs))
        content.update(_bytes(variable.to_numpy()))
    return content.hexdigest()


def _bytes(values: np.ndarray[Any, Any]) -> bytes:
    """What is in an array, whatever kind of text, time or number it came as."""
    if values.dtype.kind == "M":
        values = values.astype("datetime64[ns]").astype(np.int64)
    if values.dtype.kind in "biuf":
        return values.astype(np.float64 if values.dtype.kind == "f" else np.int64).tobytes()
    return json.dumps(values.tolist(), default=str).encode()


def _text(attrs: Mapping[Any, Any]) -> bytes:
    """Attributes with numbers of Python, whichever way a file gave them."""
    plain = {str(name): value.tolist() if hasattr(value, "tolist") else value for name, value in attrs.items()}
    return json.dumps(plain, sort_keys=True).encode()
