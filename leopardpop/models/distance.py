"""How far it is from an animal's centre to a station, where that is not the straight line."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from leopardpop.data.mask import Mask
from leopardpop.data.names import did_you_mean
from leopardpop.data.notices import notice
from leopardpop.data.projections import crs_text, same_crs
from leopardpop.data.space import open_layer, read_layer
from leopardpop.errors import DataError, DataWarning, ModelError
from leopardpop.models.paths import UNREACHABLE, Ground
from leopardpop.words import counted

if TYPE_CHECKING:
    from leopardpop.data.arrays import SessionArrays
    from leopardpop.models.likelihood.terms import Floats

__all__ = ["Barriers", "LeastCost"]

FARTHEST_FROM_LAND = 1.5
"""Spacings that a station or a cell may lie away from the nearest cell that animals walk over."""


@dataclass(frozen=True)
class Barriers:
    """Lines or polygons that no animal crosses, as text: what a model can be compared and saved with.

    Parameters
    ----------
    wkt
        The geometry.
    crs
        Its coordinate reference system; None: that of the mask.
    """

    wkt: str
    crs: str | None = None

    @classmethod
    def of(cls, source: Any) -> Barriers:
        """Read barriers from a path, a GeoDataFrame or a geometry of shapely."""
        import shapely

        layer = open_layer(source)
        geometry = shapely.union_all(layer.geometry.dropna().to_numpy())
        if geometry.is_empty:
            raise DataError("barriers= holds no geometry. Give lines or polygons, or leave it out.")
        own = None if layer.crs is None else crs_text(layer.crs)
        return cls(str(shapely.to_wkt(geometry, rounding_precision=-1)), own)

    def geometry(self, crs: str | None) -> Any:
        """The geometry in the system of a mask."""
        import geopandas
        import shapely

        layer = geopandas.GeoDataFrame(geometry=[shapely.from_wkt(self.wkt)], crs=self.crs)
        return read_layer(layer, crs, name="barrier").geometry.iloc[0]


@dataclass(frozen=True, kw_only=True)
class LeastCost:
    r"""Distance along the cheapest way over land that resists and around barriers.

    The distance between an animal's centre x and a station is

    .. math:: d(x, k) = \min_{\text{path from } x \text{ to } k} \int r(s)\,\mathrm{d}s

    with r the given resistance: what a metre costs, 1 on ground where sigma is to be read in metres. It takes the place
    of the straight line in every detection function. Paths run over the cells of the landscape: a lake that is no part
    of it is walked around. Distances are worked out once for each mask and its stations.

    Parameters
    ----------
    resistance
        Covariate of the landscape's cells, above 0; None: 1 everywhere, so that only barriers and gaps count.
    barriers
        Path of a vector file, GeoDataFrame or geometry of shapely: lines or polygons that no animal crosses.
    landscape
        Cells that animals walk over, where that is more than the mask (a town that is crossed, not lived in) or finer;
        on a square lattice.

    Raises
    ------
    ModelError
        If there is neither a resistance nor a barrier nor a landscape, or an argument is of the wrong kind.

    Notes
    -----
    Distances are exact along straight lines. Around obstacles the way has 16 directions, and is up to 2.8 % too long
    (more over a few cells). A path of width zero between two cells that touch at a corner is none.

    References
    ----------
    Royle JA, Chandler RB, Gazenski KD, Graves TA (2013) Spatial capture-recapture models for jointly estimating
    population density and landscape connectivity. Ecology 94, 287-294. doi:10.1890/12-0413.1

    Examples
    --------
    >>> import shapely
    >>> LeastCost(resistance="ruggedness", barriers=shapely.LineString([(0, 0), (0, 5000)])).barriers.wkt
    'LINESTRING (0 0, 0 5000)'
    """

    resistance: str | None = None
    barriers: Any = None
    landscape: Mask | None = None
    _kept: dict[Any, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Check the parts; read the barriers."""
        if self.resistance is not None and not isinstance(self.resistance, str):
            raise ModelError(
                f"resistance={type(self.resistance).__name__}: name a covariate of the mask, such as "
                'LeastCost(resistance="ruggedness") after mask.with_covariates(ruggedness="ruggedness.tif").'
            )
        if self.landscape is not None and not isinstance(self.landscape, Mask):
            raise ModelError(f"landscape is a {type(self.landscape).__name__}: give an lp.Mask.")
        if self.resistance is None and self.barriers is None and self.landscape is None:
            raise ModelError("LeastCost() needs a resistance, barriers or a landscape: without them it is Euclid's.")
        if self.barriers is not None and not isinstance(self.barriers, Barriers):
            object.__setattr__(self, "barriers", Barriers.of(self.barriers))

    def table(self, mask: Mask, data: SessionArrays) -> Floats:
        """Distance from each station to each cell, m, (K, J); 1e9 where no way leads.

        Parameters
        ----------
        mask
            The mask of the session.
        data
            The session, for its stations and animals.

        Raises
        ------
        DataError
            If a resistance is missing or not above 0, a station or cell lies off the landscape, a station is cut off
            from all cells, or an animal was detected at stations that no way joins.

        Warns
        -----
        DataWarning
            If cells cannot be reached from any station.
        """
        key = mask.mask_hash, data.xy.tobytes()
        if key not in self._kept:
            self._kept[key] = self._table(mask, data)
        found: Floats = self._kept[key]
        _check_animals(found, data)
        return found

    def _table(self, mask: Mask, data: SessionArrays) -> Floats:
        ground, cells = self._ground(mask), np.column_stack([mask.x, mask.y])
        _check_near(ground, data.xy, [f"station {name!r}" for name in data.stations])
        _check_near(ground, cells, [f"cell {j} of the mask" for j in range(len(cells))])
        found = ground.distances(np.asarray(data.xy, float), cells)
        found.flags.writeable = False
        alone = [name for name, row in zip(data.stations, found, strict=True) if row.min() >= UNREACHABLE]
        if alone:
            raise DataError(
                f"No way leads from station {alone[0]!r} to any cell of the mask"
                f"{f' (nor from {counted(len(alone) - 1, "other")})' if len(alone) > 1 else ''}: check its coordinates "
                "and the barriers.",
                offenders=alone,
            )
        _say_cut_off(int((found.min(0) >= UNREACHABLE).sum()), mask.n_cells)
        return found

    def _ground(self, mask: Mask) -> Ground:
        land = self.landscape or mask
        if land.spacing is None:
            raise ModelError(
                f"LeastCost needs a {'landscape' if self.landscape else 'mask'} on a square lattice, and these "
                f"{land.n_cells} cells are on none: give landscape=, such as lp.Mask.around(history, spacing=...)."
            )
        if land.crs is not None and mask.crs is not None and not same_crs(land.crs, mask.crs):
            raise DataError(f"The landscape is in {land.crs}, the mask in {mask.crs}. Make both in one system.")
        barrier = None if self.barriers is None else self.barriers.geometry(mask.crs)
        return Ground(land.x, land.y, land.spacing, _resistance(land, self.resistance), barrier)


def _say_cut_off(number: int, n_cells: int) -> None:
    if number:
        notice(
            f"{counted(number, 'cell')} of the {n_cells} of the mask cannot be reached from any station: of "
            "animals there only the formula of density says anything. Leave these cells out, or put stations there.",
            DataWarning,
        )


def _resistance(land: Mask, name: str | None) -> Floats:
    """What a metre costs in each cell of the landscape."""
    if name is None:
        return np.ones(land.n_cells)
    known = [str(column) for column in land.covariates.columns]
    if name not in known:
        raise ModelError(
            f"resistance={name!r}: the cells have no such covariate, they have {', '.join(known) or 'none'}."
            f"{did_you_mean(name, known)} Add it with mask.with_covariates({name}=...).",
            offenders=[name],
        )
    values = land.covariates[name]
    if values.dtype.kind not in "fiub":
        raise ModelError(f"resistance={name!r} must be numbers, what a metre costs; it is text.", offenders=[name])
    numbers = values.to_numpy(float)
    wrong = np.flatnonzero(~(np.isfinite(numbers) & (numbers > 0)))
    if len(wrong):
        at = wrong[0]
        raise DataError(
            f"resistance={name!r} must be above 0 and finite, and {counted(len(wrong), 'cell')} of {land.n_cells} "
            f"{'has' if len(wrong) == 1 else 'have'} another value (cell {at} at x {land.x[at]:.0f}, y "
            f"{land.y[at]:.0f}: {numbers[at]:g}). Fill holes; leave cells that no animal enters out of the landscape.",
            offenders=wrong.tolist(),
        )
    return numbers


def _check_near(ground: Ground, points: Floats, names: list[str]) -> None:
    far = np.flatnonzero(ground.nearest(points)[0] > FARTHEST_FROM_LAND * ground.spacing)
    if len(far):
        more = f" and {len(far) - 1} more" if len(far) > 1 else ""
        raise DataError(
            f"{names[far[0]]}{more} {'lie' if more else 'lies'} off the land that LeastCost walks over: its nearest "
            f"cell is more than {FARTHEST_FROM_LAND * ground.spacing:.0f} m away. Extend the landscape, or check the "
            "coordinates.",
            offenders=[names[each] for each in far],
        )


def _check_animals(table: Floats, data: SessionArrays) -> None:
    """Refuse an animal that was on both sides of a barrier that nothing crosses."""
    for i, name in enumerate(data.individuals):
        at = np.unique(data.station[data.individual == i])
        if len(at) and table[at].max(0).min() >= UNREACHABLE:
            places = ", ".join(data.stations[k] for k in at)
            raise DataError(
                f"{name!r} was detected at {places}, and no cell of the mask has a way to all of them: the barriers "
                "are not what this animal found. Check its identity, or open the barriers where they can be crossed.",
                offenders=[name],
            )
