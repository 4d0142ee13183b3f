"""What a report is about: the fit, the region, the question asked of it, and what may be shown."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from leopardpop.errors import ModelError
from leopardpop.models.describe import effort_unit_of
from leopardpop.plots.derived import counted_population, is_synthetic
from leopardpop.plots.population import rows_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from leopardpop.data.history import CaptureHistory
    from leopardpop.models.problem import Problem
    from leopardpop.plots.population import Row
    from leopardpop.results.population import Population

__all__ = ["Context", "FitContext"]

MOST_PRIOR = 0.5
"""Prior probability of a range above which the answer was put in."""


@dataclass(frozen=True, kw_only=True, eq=False)
class FitContext:
    """What every report is about: a fit, and what may be shown of it."""

    looked_at: ClassVar[tuple[str, ...]] = ("the data", "the mask", "the priors")
    """What the diagnostics are about, beside the computation."""

    fit: Any
    coordinates: Literal["hidden", "exact"] = "hidden"
    title: str | None = None
    note: str | None = None
    checks: bool = False
    sensitivity: bool = False

    def __post_init__(self) -> None:
        """Check the options."""
        if self.coordinates not in ("hidden", "exact"):
            raise ModelError(f'coordinates={self.coordinates!r}: it is "hidden" or "exact".')

    @property
    def problem(self) -> Any:
        """The model with its data."""
        return self.fit.problem

    @property
    def history(self) -> Any:
        """The history."""
        return self.problem.given

    @property
    def hidden(self) -> bool:
        """Whether no position may be read from the report."""
        return self.coordinates == "hidden"

    @property
    def synthetic(self) -> bool:
        """Whether the records are the bundled example's, which nobody took."""
        return is_synthetic(self.history)

    def unit_of(self, parameter: str) -> str:
        """Unit of a parameter on its natural scale."""
        return effort_unit_of(self.problem.layout[parameter].unit, self.history.effort_unit)


@dataclass(frozen=True, kw_only=True, eq=False)
class Context(FitContext):
    """A fit of a capture-recapture model and what is asked of its report."""

    claim: tuple[float, float] | None = None
    truth: float | Mapping[str, float] | None = None
    regions: Any = None
    by: str | None = None

    def __post_init__(self) -> None:
        """Check the options."""
        super().__post_init__()
        if self.claim is not None and len(tuple(self.claim)) != 2:
            raise ModelError(f"claim={self.claim!r}: give the two ends of a range, such as (30, 50).")

    @property
    def problem(self) -> Problem:
        """The model with its data."""
        found: Problem = self.fit.problem
        return found

    @property
    def history(self) -> CaptureHistory:
        """The capture history."""
        return self.problem.given

    @cached_property
    def _counted(self) -> tuple[Population, list[str]]:
        return counted_population(self.fit, self.regions, self.by)

    @property
    def population(self) -> Population:
        """The population of the region."""
        return self._counted[0]

    @property
    def region_notes(self) -> list[str]:
        """What the library said of the regions."""
        return self._counted[1]

    @cached_property
    def rows(self) -> list[Row]:
        """N by session and region."""
        return rows_of(self.fit, self.population)

    @cached_property
    def chances(self) -> list[tuple[float, float]]:
        """Posterior and prior probability of the claim, by row."""
        if self.claim is None:
            return []
        both = [self.population.probability(*self.claim), self.population.prior_probability(*self.claim)]
        return [(float(row.of(both[0])), float(row.of(both[1]))) for row in self.rows]

    @property
    def put_in(self) -> bool:
        """Whether the prior alone gives the claimed range more than one half, anywhere."""
        return any(prior > MOST_PRIOR for _, prior in self.chances)

    @property
    def claim_text(self) -> str:
        """The claimed range in words."""
        if self.claim is None:
            return ""
        low, high = self.claim
        return f"{low:g} to {high:g}" if high < float("inf") else f"{low:g} or more"

    @property
    def where(self) -> str:
        """Name of the region or regions."""
        names = self.population.region_names
        return names[0] if len(names) == 1 else f"{len(names)} regions"
