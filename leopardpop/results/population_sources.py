"""What a number of animals rests on: animals photographed, near cameras, and far from any."""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from leopardpop.results.draws import spread_draws
from leopardpop.results.fields import cell_means
from leopardpop.results.statistics import table_of

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from leopardpop.models.likelihood.terms import Floats
    from leopardpop.results.draws import HasDraws
    from leopardpop.results.regions import Regions

__all__ = ["RestsOn"]

NEAR = 0.1
"""Detection probability from which a cell counts as near cameras."""
DRAWS_OF_CELLS = 200
"""Draws that averages over cells are taken from: their Monte Carlo error is far below a tenth of an animal."""


class RestsOn(ABC):
    """The part of a :class:`Population` that takes its number apart."""

    _fit: HasDraws
    _regions: Regions

    @property
    @abstractmethod
    def region_name(self) -> str:
        """Name of the region, or of all of them in one line."""

    @abstractmethod
    def _by_place(self, values: list[Floats], name: str, units: str) -> float | xr.DataArray:
        """Label one number a session and region."""

    @cached_property
    def sources(self) -> pd.DataFrame:
        """What N rests on, posterior mean numbers of animals.

        One row a session and region; columns ``photographed`` (detected animals centred there), ``near_cameras`` (never
        detected, in cells where detection is likelier than 0.1) and ``extrapolated`` (never detected, elsewhere).
        """
        near, far = (self._sums("undetected", near=near) for near in (True, False))
        columns = {"photographed": self._photographed(), "near_cameras": near, "extrapolated": far}
        labelled = {name: self._by_place(list(values), name, "animals") for name, values in columns.items()}
        return table_of(labelled, self.region_name)

    @cached_property
    def share_extrapolated(self) -> float | xr.DataArray:
        """Share of E[N] in cells where an animal is detected with probability below 0.1 ([session] [, region])."""
        far, near = (self._sums("expected", near=near) for near in (False, True))
        return self._by_place(list(far / (far + near)), "share_extrapolated", "1")

    def _photographed(self) -> Floats:
        """Detected animals of each region, (session, R)."""
        if not self._places_detected:
            return np.array([[len(data.individuals)] for data in self._fit.problem.data], float)
        near, far = (self._sums("detected", near=near) for near in (True, False))
        return near + far

    @property
    def _places_detected(self) -> bool:
        """Whether the detected animals are to be placed: in part of a mask, or where their number is not known."""
        whole = all(part.whole for part in self._regions.sessions)
        return not whole or not self._fit.problem.knows_animals

    def _sums(self, name: str, *, near: bool) -> Floats:
        """Sum one of the cell means over the cells of each region that are near cameras or not, (session, R)."""
        result = []
        for means, part in zip(self._cells, self._regions.sessions, strict=True):
            values = np.where((means.pdot >= NEAR) == near, getattr(means, name), 0.0)
            sums = np.bincount(part.atom, values, len(part.members)) @ part.members
            result.append(np.where(part.empty, np.nan, sums))
        return np.stack(result)

    @cached_property
    def _cells(self) -> Any:
        return cell_means(self._fit.problem, spread_draws(self._fit, DRAWS_OF_CELLS), detected=self._places_detected)
