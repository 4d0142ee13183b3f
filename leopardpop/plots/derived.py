"""What several figures of a fit need, worked out once."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from leopardpop.errors import DataWarning
from leopardpop.results.population import population
from leopardpop.results.surface import density_surface

if TYPE_CHECKING:
    from collections.abc import Callable

    import xarray as xr

    from leopardpop.results.population import Population

__all__ = ["captioned", "counted_population", "is_synthetic", "surface_of"]

DRAWS = 80
"""Draws that the probability of detection is averaged over."""
SYNTHETIC = frozenset({"amur_leopard"})
"""Sources of records that nobody took: the bundled example."""


def counted_population(fit: Any, regions: Any = None, by: str | None = None) -> tuple[Population, list[str]]:
    """The population of a fit, and what the library had to say of its regions.

    Parameters
    ----------
    fit
        The fit.
    regions, by
        As for :meth:`Fit.population`.

    Returns
    -------
    tuple
        Population and sentences, which belong under a figure instead of on the screen.
    """

    def make() -> tuple[Population, list[str]]:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            found = population(fit, regions=regions, by=by)
        notes = [str(w.message) for w in caught if issubclass(w.category, DataWarning)]
        for other in (w for w in caught if not issubclass(w.category, DataWarning)):
            warnings.warn_explicit(other.message, other.category, other.filename, other.lineno)
        return found, notes

    return make() if regions is not None or by is not None else _once(fit, "population", make)


def surface_of(fit: Any) -> xr.Dataset:
    """The density surface of a fit, with few draws for the probability of detection."""
    return _once(fit, "surface", lambda: density_surface(fit, draws=DRAWS))


def _once[T](fit: Any, name: str, make: Callable[[], T]) -> T:
    """A fit never changes, so what is derived from it is kept with it."""
    kept: dict[str, Any] = vars(fit).setdefault("_derived_for_figures", {})
    if name not in kept:
        kept[name] = make()
    result: T = kept[name]
    return result


def is_synthetic(history: Any) -> bool:
    """Whether the records are those of the bundled example, which nobody took."""
    return bool(set(history.audit["source"].astype(str)) & SYNTHETIC)


def captioned(history: Any, *sentences: str) -> str:
    """Sentences of a caption; of the bundled example it says that it is synthetic."""
    told = [sentence.strip() for sentence in sentences if sentence.strip()]
    return " ".join([*told, "Synthetic survey: no animal and no position is real."] if is_synthetic(history) else told)
