"""What came of many surveys: tidy tables, the fits behind them, and all their draws in one store."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from leopardpop.data.names import did_you_mean
from leopardpop.data.paths import path_of
from leopardpop.errors import DataError
from leopardpop.results.elements import elements
from leopardpop.words import counted, trimmed

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["FAILED", "LOST", "OK", "UNTRUSTED", "ManyFits"]

OK, UNTRUSTED, FAILED, LOST = "ok", "untrusted", "failed", "lost"
SHOWN = 12
"""Surveys that are printed."""
TOLD = ("N", "psi_fs", "psi")
"""What is printed of each survey: the first of these that it has."""


@dataclass(frozen=True, eq=False, repr=False)
class ManyFits:
    """Fits of many surveys; made by :func:`leopardpop.fit_many`.

    Examples
    --------
    >>> import leopardpop as lp
    >>> design = lp.design.visits(30, 5)
    >>> history = lp.Occupancy().simulate(design, parameters={"psi": 0.6, "p": 0.4}, seed=1).history
    >>> found = lp.fit_many({"tiger": (lp.Occupancy(), history), "empty": (lp.NMixture(), history)}, draws=100)
    >>> found.surveys["status"].tolist(), found.failures()["survey"].tolist()
    (['ok', 'failed'], ['empty'])
    """

    surveys: pd.DataFrame
    """A row a survey: survey, status ("ok", "untrusted": the certificate failed, "failed": an error, "lost": its worker
    died), engine, what it found (n_individuals, n_detections, n_spatial_recaptures, n_sites), error, advice."""
    estimates: pd.DataFrame
    """A row a survey and quantity: survey, quantity, mean, median, sd, eti95_lb, eti95_ub, unit; also of fits that
    cannot be trusted: look at the status."""
    files: Mapping[str, Path] = field(default_factory=dict)
    """File of each fit, if there was a folder."""

    def failures(self) -> pd.DataFrame:
        """Surveys without a posterior that can be trusted: survey, status, error, advice."""
        bad = self.surveys["status"] != OK
        return self.surveys.loc[bad, ["survey", "status", "error", "advice"]].reset_index(drop=True)

    def __len__(self) -> int:
        """Number of surveys."""
        return len(self.surveys)

    def __iter__(self) -> Iterator[str]:
        """Names of the surveys."""
        return iter(self.surveys["survey"].tolist())

    def __getitem__(self, name: str) -> Any:
        """Return the fit of a survey, read from its file.

        Raises
        ------
        DataError
            If there is no such survey, it has no fit, or the fits were not kept.
        """
        from leopardpop.results.storage import load_fit

        names = list(self)
        if name not in names:
            raise DataError(f"there is no survey '{name}'.{did_you_mean(str(name), names)}", offenders=[name])
        if name not in self.files:
            row = self.surveys.loc[self.surveys["survey"] == name].iloc[0]
            kept = row["error"] or 'the fits were not kept: give fit_many(..., folder="fits")'
            raise DataError(f"survey '{name}' has no fit here: {kept}", offenders=[name])
        return load_fit(self.files[name])

    def to_zarr(self, path: str | os.PathLike[str]) -> Path:
        """Write the draws of all surveys into one Zarr store, a survey at a time.

        Its array ``draws`` has dimensions survey, quantity (those of ``estimates``), chain and draw; where a survey has
        no such quantity, or no fit, it is NaN.

        Parameters
        ----------
        path
            Folder of the store; it must not exist.

        Returns
        -------
        pathlib.Path
            The store. ``xarray.open_zarr`` reads it, a part at a time.

        Raises
        ------
        DataError
            If zarr is not installed, the fits were not kept, they are of different numbers of draws, or there is
            something at the path.
        """
        target = path_of(path, "path", "the path of a new folder")
        if target.exists():
            raise DataError(f"'{target}' exists. Give the path of a new store.", offenders=[str(target)])
        if not self.files:
            raise DataError('no fit was kept: give fit_many(..., folder="fits").')
        _write(self, target)
        return target

    def __repr__(self) -> str:
        """Say how many were fitted, and what came out of the first of them."""
        counts = self.surveys["status"].value_counts()
        parts = [f"{counts[status]} {status}" for status in (OK, UNTRUSTED, FAILED, LOST) if counts.get(status)]
        lines = [f"Fits of {counted(len(self), 'survey')}: {', '.join(parts)}"]
        lines += [f"  {self._told(name)}" for name in list(self)[:SHOWN]]
        lines += [f"  … and {len(self) - SHOWN} more"] if len(self) > SHOWN else []
        return "\n".join([*lines, "Next: .estimates, .failures()" + (', ["name"], .to_zarr()' if self.files else "")])

    def _repr_html_(self) -> str:
        return f"<pre>{escape(repr(self))}</pre>"

    def _told(self, name: str) -> str:
        row = self.surveys.loc[self.surveys["survey"] == name].iloc[0]
        if row["status"] in (FAILED, LOST):
            return f"{name}: {row['status']}, {row['error']}"
        own = self.estimates[self.estimates["survey"] == name].set_index("quantity")
        first = next((each for each in TOLD if each in own.index), str(own.index[0]))
        median, lower, upper = (trimmed(float(own[name].loc[first]), 3) for name in ("median", "eti95_lb", "eti95_ub"))
        return f"{name}: {first} {median} ({lower} to {upper}){'' if row['status'] == OK else ', NOT to be trusted'}"


def _write(found: ManyFits, target: Path) -> None:
    try:
        import zarr
    except ImportError as error:
        raise DataError('to_zarr needs the package zarr: pip install "leopardpop[zarr]".') from error
    names, quantities = list(found), list(dict.fromkeys(found.estimates["quantity"]))
    root: Any = None
    for at, name in enumerate(names):
        if name not in found.files:
            continue
        posterior = found[name].posterior
        if root is None:
            root = _begun(zarr, target, {"survey": names, "quantity": quantities}, posterior)
        if (posterior.sizes["chain"], posterior.sizes["draw"]) != root["draws"].shape[2:]:
            raise DataError(f"survey '{name}' has another number of draws than those before it.", offenders=[name])
        own = {quantity: np.asarray(values, float) for quantity, values in elements(posterior)}
        missing = np.full(root["draws"].shape[2:], np.nan)
        root["draws"][at] = np.stack([own.get(quantity, missing) for quantity in quantities])


def _begun(zarr: Any, target: Path, labels: Mapping[str, list[str]], posterior: xr.Dataset) -> Any:
    """The store with its coordinates, and NaN for all draws."""
    root = zarr.open_group(str(target), mode="w")
    known = {name: np.array(each, dtype=np.str_) for name, each in labels.items()}
    known |= {name: posterior[name].values for name in ("chain", "draw")}
    for name, values in known.items():
        array = root.create_array(name, shape=values.shape, dtype=values.dtype, dimension_names=(name,))
        array[:] = values
    shape = tuple(len(values) for values in known.values())
    root.create_array(
        "draws", shape=shape, chunks=(1, *shape[1:]), dtype="f8", fill_value=np.nan, dimension_names=tuple(known)
    )
    return root
