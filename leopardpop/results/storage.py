"""A fit in one NetCDF file: written in one go, read without running anything that is in it."""

from __future__ import annotations

import glob
import json
import os
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import xarray as xr

from leopardpop.errors import DataError, LeopardpopError, ModelError
from leopardpop.results.content import check_content
from leopardpop.results.hidden import hide_positions
from leopardpop.results.hidden_sites import hide_sites, is_occupancy
from leopardpop.results.sealed import SEAL, check_seal, look_into, seal_of

if TYPE_CHECKING:
    from leopardpop.results.fit_base import BaseFit

__all__ = ["load_fit", "save_fit"]

LONGEST = 30_000
"""Characters of an attribute in a file: HDF5 holds at most 64 kB in one, and a character takes up to two or more."""
MARK = "__part"
STALE = 3600.0
"""Seconds after which a half-written file is not of a save that still runs."""
LONGEST_TOLD = 200
"""Characters of what a damaged file says of itself that are shown."""
IN_FILE = {"coordinates": "coordinates_are"}
"""An attribute called coordinates means something else in the conventions of NetCDF, and readers take it away."""


def save_fit(fit: BaseFit, path: str | os.PathLike[str], *, coordinates: str = "exact") -> Path:
    """Write a fit; see :meth:`Fit.save`."""
    if coordinates not in ("exact", "hidden"):
        raise DataError(f'coordinates={coordinates!r} must be "exact" or "hidden".', offenders=[coordinates])
    hide = hide_sites if is_occupancy(fit.data_tree) else hide_positions
    tree = fit.data_tree if coordinates == "exact" else hide(fit.data_tree)
    target = Path(path)
    if not target.parent.is_dir():
        raise DataError(f"there is no folder {target.parent} to save a fit in.", offenders=[str(target.parent)])
    _write(_for_file(tree), target)
    return target


def load_fit(path: str | os.PathLike[str], *, components: Iterable[Any] = ()) -> Any:
    """Read a fit that :meth:`Fit.save` wrote.

    Parameters
    ----------
    path
        The file.
    components
        Classes of one's own, such as a detection function, that the model was made of. Without them everything that
        was drawn is there (posterior, summary, diagnostics); what needs the model again asks for them.

    Returns
    -------
    Fit, OccupancyFit or CommunityFit

    Raises
    ------
    DataError
        If there is no such file, or it does not hold a fit.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import pandas as pd
    >>> import leopardpop as lp
    >>> axis = range(0, 6_000, 1_500)
    >>> stations = pd.DataFrame([(f"{x}-{y}", x, y) for x in axis for y in axis], columns=["station", "x", "y"])
    >>> design = lp.CaptureHistory.from_tables(None, stations, occasions=10)
    >>> mask = lp.Mask.around(design, buffer=4_500, spacing=600)
    >>> sim = lp.SCR().simulate(design, mask, parameters={"D": 0.4, "lambda0": 0.2, "sigma": 1_000}, seed=2)
    >>> fit = lp.SCR().fit(sim.history, mask, seed=1)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = fit.save(Path(folder) / "fit.nc")
    ...     again = lp.load_fit(path)
    >>> again.data_tree.identical(fit.data_tree)
    True
    """
    kinds = (components,) if isinstance(components, type) else tuple(components)
    if wrong := [kind for kind in kinds if not isinstance(kind, type)]:
        raise ModelError(f"components={wrong!r}: give classes, as in components=[Plateau].", offenders=wrong)
    return _checked(_read(Path(path)), path, kinds)


def _checked(tree: xr.DataTree, path: str | os.PathLike[str], kinds: tuple[type, ...]) -> Any:
    """Fit of a tree that has been looked into."""
    try:
        fit = _fit_of(tree, kinds)
        check_content(fit, kinds)
    except LeopardpopError:
        raise
    except Exception as error:  # whatever the content of a stranger's file makes the code stumble over
        told = f"{type(error).__name__}: {error}"[:LONGEST_TOLD]
        raise DataError(f"{path} is damaged ({told}). Make the fit again, or take a copy of the file.") from error
    return fit


def _fit_of(tree: xr.DataTree, kinds: tuple[type, ...]) -> Any:
    """Fit of the kind that the tree is of."""
    from leopardpop.results.community_fit import CommunityFit
    from leopardpop.results.fit import Fit
    from leopardpop.results.flank_fit import TwoFlankFit
    from leopardpop.results.occupancy_fit import OccupancyFit

    family = json.loads(str(tree.attrs["model_json"]))["family"]
    made: dict[str, Any] = {"CommunityOccupancy": CommunityFit, "TwoFlanks": TwoFlankFit}
    return made.get(family, OccupancyFit if is_occupancy(tree) else Fit)(tree, components=kinds)


def _write(tree: xr.DataTree, target: Path) -> None:
    """Write beside the target and move: a reader sees the old file or the new one, never a half."""
    for left in target.parent.glob(f".{glob.escape(target.name)}.*.part"):  # of a save that was killed
        if time.time() - left.stat().st_mtime > STALE:
            left.unlink(missing_ok=True)
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=".part")
    os.close(handle)
    try:
        tree.to_netcdf(name, engine="h5netcdf")
        Path(name).chmod(0o666 & ~_umask())
        Path(name).replace(target)
    finally:
        Path(name).unlink(missing_ok=True)


def _umask() -> int:
    """The rights that new files do not get; a temporary file starts with fewer than a plain one."""
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _read(path: Path) -> xr.DataTree:
    if not path.is_file():
        raise DataError(f"there is no file {path}.", offenders=[str(path)])
    try:
        look_into(path)
        with xr.open_datatree(path, engine="h5netcdf") as opened:
            tree = opened.load()
    except DataError:
        raise
    except Exception as error:  # whatever the libraries stumble over in a damaged file
        raise DataError(f"{path} cannot be read as NetCDF ({error}). Was it saved by fit.save(...)?") from error
    if "leopardpop_version" not in tree.attrs or "posterior" not in tree.children:
        raise DataError(f"{path} does not hold a fit of leopardpop: it has no posterior or no leopardpop_version.")
    read = _from_file(tree)
    check_seal(read, path)
    return read


def _for_file(tree: xr.DataTree) -> xr.DataTree:
    copy = tree.copy()
    attrs = {**tree.attrs, SEAL: seal_of(tree)}
    copy.attrs = {key: value for name, given in attrs.items() for key, value in _split(str(name), given)}
    return copy


def _split(name: str, value: Any) -> list[tuple[str, Any]]:
    """A long text in numbered parts."""
    name = IN_FILE.get(name, name)
    if not isinstance(value, str) or len(value) <= LONGEST:
        return [(name, value)]
    parts = [value[i : i + LONGEST] for i in range(0, len(value), LONGEST)]
    return [(f"{name}{MARK}{k}", part) for k, part in enumerate(parts)]


def _from_file(tree: xr.DataTree) -> xr.DataTree:
    attrs: dict[str, Any] = {}
    ours = {stored: name for name, stored in IN_FILE.items()}
    for name, value in tree.attrs.items():
        whole, mark, _ = ours.get(str(name), str(name)).partition(MARK)
        attrs[whole] = attrs.get(whole, "") + value if mark else _plain(value)
    tree.attrs = attrs
    return tree


def _plain(value: Any) -> Any:
    """A number of Python where the file gave one of NumPy."""
    return value.item() if hasattr(value, "item") else value
