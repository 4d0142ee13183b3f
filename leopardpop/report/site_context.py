"""What a report of an occupancy model is about: the sites, their states, and what may be shown."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, override

import numpy as np

from leopardpop.errors import ModelError
from leopardpop.report.context import FitContext
from leopardpop.words import counted

if TYPE_CHECKING:
    from leopardpop.models.states.structure import Structure
    from leopardpop.results.site_states import SiteStates

__all__ = ["SiteContext"]


@dataclass(frozen=True, kw_only=True, eq=False)
class SiteContext(FitContext):
    """A fit of an occupancy model and what is asked of its report."""

    looked_at: ClassVar[tuple[str, ...]] = ("the data", "what the states mean", "the priors")

    decline: float | None = None

    def __post_init__(self) -> None:
        """Check the options."""
        super().__post_init__()
        if self.decline is not None and not self.structure.is_dynamic:
            raise ModelError(f"decline={self.decline!r}: {self.family} is of one season, and tells no decline.")

    @property
    def structure(self) -> Structure:
        """Which probabilities multiply where."""
        found: Structure = self.fit.model.structure
        return found

    @property
    def family(self) -> str:
        """Name of the model's class."""
        return type(self.fit.model).__name__

    @property
    def breeds(self) -> bool:
        """Whether breeding is one of the states."""
        return "breeding" in self.structure.states

    @property
    def animals(self) -> bool:
        """Whether the hidden state is a number of animals."""
        return "abundance" in self.structure.homes

    @property
    def mistakes(self) -> bool:
        """Whether a detection may be a mistake."""
        return "p10" in self.structure.homes

    @property
    def multinomial(self) -> bool:
        """Whether states are told by multinomial logits."""
        return bool(self.structure.choices)

    @cached_property
    def states(self) -> SiteStates:
        """States of the sites, drawn given what was seen."""
        found: SiteStates = self.fit.occupancy()
        return found

    @property
    def arrays(self) -> Any:
        """The history as arrays."""
        return self.problem.arrays

    @property
    def n_sites(self) -> int:
        """Number of sites, visited or not."""
        return int(self.problem.n_sites)

    @property
    def sites(self) -> str:
        """Their number in words."""
        return counted(self.n_sites, "site")

    @property
    def seasons(self) -> list[str]:
        """Labels of the seasons."""
        return [str(label) for label in self.arrays.seasons]

    def by_season(self, array: Any) -> dict[str, Any]:
        """Draws of a quantity by season, those without a value left out; one entry, "", in a single season."""
        if "season" not in array.dims:
            return {"": array.values.ravel()}
        draws = {str(label): array.sel(season=label).values.ravel() for label in array["season"].values}
        return {label: values[np.isfinite(values)] for label, values in draws.items()}

    def formula(self, parameter: str) -> str:
        """Formula of a parameter."""
        return str(getattr(self.fit.model, parameter))

    @override
    def unit_of(self, parameter: str) -> str:
        """Unit of a parameter on its natural scale."""
        unit = super().unit_of(parameter)
        return "animals per site" if unit == "animals" else unit
