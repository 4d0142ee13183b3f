"""What can be chosen from: places with their exposure, cost and what excludes what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from leopardpop.data.names import did_you_mean, listed
from leopardpop.design.parameters import check_whole
from leopardpop.errors import DataError, ModelError
from leopardpop.words import counted, trimmed

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    type Floats = NDArray[np.float64]

__all__ = ["Choice", "Limits", "choice_of"]


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What a layout may cost and must keep.

    Parameters
    ----------
    stations
        Most stations; None: as many as the budget allows.
    budget
        Most that all of them may cost; None: no limit.
    cost
        Column of the places with the cost of a station there (its road, its walk), or one number for all.
    camera
        Cost of one camera, on top of that of the station.
    paired
        How many times as often an animal is recorded by two cameras as by one: stations may then have either, and the
        search decides. The parameters are those of one camera. None: one camera everywhere.
    cluster
        Column of the places that names clusters, which are set out as a whole or not at all.
    apart
        Least distance between two stations of different clusters, m.

    Examples
    --------
    >>> Limits(stations=60, apart=1_000)
    Limits(stations=60, budget=None, cost=0.0, camera=0.0, paired=None, cluster=None, apart=1000)
    """

    stations: int | None = None
    budget: float | None = None
    cost: str | float = 0.0
    camera: float = 0.0
    paired: float | None = None
    cluster: str | None = None
    apart: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what allows no layout."""
        if self.stations is None and self.budget is None:
            raise ModelError("Limits: give stations=, budget=, or both.", offenders=["stations", "budget"])
        if self.stations is not None:
            check_whole("stations", self.stations)
        _check_number("budget", self.budget, above=0.0)
        _check_number("paired", self.paired, above=1.0)
        for name in ("camera", "apart", *(() if isinstance(self.cost, str) else ("cost",))):
            _check_number(name, getattr(self, name), least=0.0)
        if self.budget is not None and self.stations is None and not isinstance(self.cost, str):
            _check_number("cost and camera", self.cost + self.camera, above=0.0)


def _check_number(name: str, value: Any, *, above: float = -np.inf, least: float = -np.inf) -> None:
    if value is None and name in ("budget", "paired"):
        return
    fine = isinstance(value, int | float | np.number) and not isinstance(value, bool)
    if not fine or not np.isfinite(value) or not value > above or not value >= least:
        bound = f"above {trimmed(above)}" if np.isfinite(above) else f"of at least {trimmed(least)}"
        raise ModelError(f"{name}={value!r} must be a number {bound}.", offenders=[name])


@dataclass(frozen=True, eq=False)
class Choice:
    """Units that are chosen as a whole: a place with one camera or two, or a cluster of places."""

    members: list[NDArray[np.intp]]
    """Places of each unit."""
    cameras: NDArray[np.intp]
    """Cameras at each of its places, (U,)."""
    cost: Floats
    """Of the whole unit, (U,)."""
    size: NDArray[np.intp]
    """Places of each unit, (U,)."""
    excludes: NDArray[np.bool_]
    """Whether two units cannot both be chosen, (U, U)."""
    most: int
    """Stations at most."""
    budget: float

    @property
    def n(self) -> int:
        """Number of units."""
        return len(self.members)

    def open(self, chosen: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Units that can be added to those chosen, (U,)."""
        within = self.cost <= self.budget - self.cost[chosen].sum() + 1e-9 * max(1.0, abs(self.budget))
        fits = self.size <= self.most - self.size[chosen].sum()
        found: NDArray[np.bool_] = ~chosen & within & fits & ~self.excludes[:, chosen].any(1)
        return found


def choice_of(stations: pd.DataFrame, limits: Limits) -> Choice:
    """Units of a table of places.

    Raises
    ------
    DataError
        If there are fewer places than stations, a column is missing, or nothing can be afforded.
    """
    groups, cost = _groups(stations, limits.cluster), _costs(stations, limits)
    if limits.stations is not None and limits.stations > len(stations):
        raise DataError(
            f"stations={limits.stations}, and there are {counted(len(stations), 'place')} to put them. Give more "
            "places, or fewer stations.",
            offenders=["stations"],
        )
    kinds = (1,) if limits.paired is None else (1, 2)
    units = [(place, cameras) for cameras in kinds for place in groups]
    size = np.array([len(place) for place, _ in units])
    price = np.array([cost[place].sum() + limits.camera * cameras * len(place) for place, cameras in units])
    made = Choice(
        members=[place for place, _ in units],
        cameras=np.array([cameras for _, cameras in units]),
        cost=price,
        size=size,
        excludes=_exclusions(stations[["x", "y"]].to_numpy(float), groups, len(kinds), limits.apart),
        most=limits.stations or len(stations),
        budget=np.inf if limits.budget is None else float(limits.budget),
    )
    if not made.open(np.zeros(made.n, bool)).any():
        raise DataError(
            f"not one station can be set out: the cheapest costs {trimmed(price.min())}, the smallest has "
            f"{counted(int(size.min()), 'place')}; budget {limits.budget}, stations {limits.stations}."
        )
    return made


def _groups(stations: pd.DataFrame, cluster: str | None) -> list[NDArray[np.intp]]:
    if cluster is None:
        return [np.array([k]) for k in range(len(stations))]
    codes = _column(stations, cluster, "cluster").astype(str)
    return [np.flatnonzero(codes == label) for label in dict.fromkeys(codes)]


def _costs(stations: pd.DataFrame, limits: Limits) -> Floats:
    if not isinstance(limits.cost, str):
        return np.full(len(stations), float(limits.cost))
    column = _column(stations, limits.cost, "cost")
    values = column.astype(float) if column.dtype.kind in "biuf" else np.full(len(column), np.nan)
    if not (np.isfinite(values) & (values >= 0)).all():
        wrong = stations["station"][~(np.isfinite(values) & (values >= 0))].tolist()
        raise DataError(f"cost: place {wrong[0]!r} has no cost of 0 or more in {limits.cost!r}.", offenders=wrong)
    return values


def _column(stations: pd.DataFrame, name: str, option: str) -> Any:
    if name not in stations:
        columns = [str(c) for c in stations.columns if c not in ("session", "station", "x", "y")]
        raise DataError(
            f"{option}={name!r}: the places have no such column; they have {listed(columns)}."
            f"{did_you_mean(name, columns)}",
            offenders=[name],
        )
    return stations[name].to_numpy()


def _exclusions(xy: Floats, groups: list[NDArray[np.intp]], kinds: int, apart: float) -> NDArray[np.bool_]:
    """A place has one or two cameras, not both; two units too near each other exclude each other."""
    near = np.eye(len(groups), dtype=bool)
    if apart > 0:
        close = ((xy[:, None, :] - xy) ** 2).sum(-1) < apart**2
        member = np.zeros((len(groups), len(xy)))
        for u, group in enumerate(groups):
            member[u, group] = 1.0
        near |= (member @ close @ member.T) > 0
    return np.tile(near, (kinds, kinds))
