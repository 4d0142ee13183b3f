"""Priors of a model by the name of their parameter, and the unit of effort that they are meant in."""

from __future__ import annotations

import math
from collections.abc import Container, Iterable, Iterator, Mapping
from typing import Any

from leopardpop.errors import PriorError
from leopardpop.priors.prior import Prior, is_prior

__all__ = ["PriorSet"]

_RATES = ("lambda0", "g0")
"""Parameters that are per unit of effort."""

_ALTERNATIVES = {"N": "D", "D": "N"}
"""E[N] on the mask stands instead of the density."""

_HOURS = {"hour": 1.0, "day": 24.0, "night": 24.0, "week": 168.0}


class PriorSet(Mapping[str, Any]):
    """Immutable mapping from a parameter or coefficient to its prior.

    ``left | right`` joins two sets, or a set and a dict; the right one wins. Priors of a plain dict are taken to be in
    the unit of effort of the history.

    Parameters
    ----------
    priors
        ``"sigma"`` (natural scale at the reference), ``"sigma[sex[M]]"`` (link scale), ``"N"`` (expected number on the
        mask, instead of ``"D"``) ... to a :class:`Prior` or anything with ``create_variable(name)``.
    effort_unit
        Unit of effort of its ``"lambda0"`` and ``"g0"``; None: that of the history.
    optional
        Keys that a model may lack; all others must belong to the model.

    Raises
    ------
    PriorError
        If a value is no prior.

    Examples
    --------
    >>> weekly = PriorSet({"lambda0": Prior("LogNormal", mu=0, sigma=1)}, effort_unit="week")
    >>> round(weekly.in_unit("day")["lambda0"].parameters["mu"], 3)
    -1.946
    """

    def __init__(
        self, priors: Mapping[Any, Any], *, effort_unit: str | None = None, optional: Iterable[str] = ()
    ) -> None:
        for key, prior in priors.items():
            if not isinstance(key, str):
                raise PriorError(
                    f"the prior of {key!r} is no prior of a parameter: name one, such as 'sigma'.", offenders=[key]
                )
            if not is_prior(prior):
                raise PriorError(
                    f'prior of {key!r}: {prior!r} is no prior. Write lp.Prior("Normal", mu=0, sigma=1), '
                    "lp.priors.from_range(30, 50), or an object with create_variable(name).",
                    offenders=[key],
                )
        self._priors = dict(priors)
        self._effort_unit = effort_unit
        self._optional = frozenset(self._priors.keys() & optional)
        self._rates = frozenset(self._priors.keys() & _RATES) if effort_unit else frozenset()

    @property
    def effort_unit(self) -> str | None:
        """Unit of effort of the rates that came with it; None if there are none."""
        return self._effort_unit if self._rates else None

    @property
    def optional(self) -> frozenset[str]:
        """Keys that are ignored when the model has no such coefficient."""
        return self._optional

    def __getitem__(self, key: str) -> Any:
        return self._priors[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._priors)

    def __len__(self) -> int:
        return len(self._priors)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PriorSet) and self._state() == other._state()

    def __hash__(self) -> int:
        return hash((frozenset(self._priors), self._optional, self._rates, self.effort_unit))

    def _state(self) -> tuple[Any, ...]:
        return self._priors, self._optional, self._rates, self.effort_unit

    def __repr__(self) -> str:
        lines = "".join(f"\n    {key!r}: {prior!r}," for key, prior in self.items())
        unit = f", effort_unit={self.effort_unit!r}" if self.effort_unit else ""
        return f"PriorSet({{{lines}\n}}{unit})"

    def __or__(self, other: Any) -> PriorSet:
        if not isinstance(other, Mapping):
            return NotImplemented
        right = other if isinstance(other, PriorSet) else PriorSet(other)
        left = self._without(right)
        if right.effort_unit:
            left = left.in_unit(right.effort_unit)
        joined = PriorSet({**left, **right}, optional=left.optional | right.optional)
        joined._rates = left._rates | right._rates
        joined._effort_unit = right.effort_unit or left.effort_unit
        return joined

    def __ror__(self, other: Any) -> PriorSet:
        return PriorSet(other) | self if isinstance(other, Mapping) else NotImplemented

    def _without(self, right: Mapping[str, Any]) -> PriorSet:
        """Return what the right-hand side leaves: a prior of N also replaces an optional one of D."""
        replaced = {*right, *(self._optional & {_ALTERNATIVES[key] for key in right if key in _ALTERNATIVES})}
        return self._with({key: prior for key, prior in self.items() if key not in replaced}, self._effort_unit)

    def _with(self, priors: dict[str, Any], effort_unit: str | None) -> PriorSet:
        made = PriorSet(priors, optional=self._optional)
        made._rates = frozenset(priors.keys() & self._rates)
        made._effort_unit = effort_unit
        return made

    def of_model(self, keys: Container[str]) -> PriorSet:
        """Leave out the optional priors that a model has no use for.

        Parameters
        ----------
        keys
            Everything that the model can have a prior for.

        Returns
        -------
        PriorSet
            Priors that are not optional stay, whether the model knows them or not.
        """
        kept = {key: prior for key, prior in self.items() if key in keys or key not in self._optional}
        return self._with(kept, self._effort_unit)

    def in_unit(self, effort_unit: str) -> PriorSet:
        """Convert the rates to another unit of effort.

        Parameters
        ----------
        effort_unit
            Unit of the history: "hour", "day" (or "night"), "week"; any unit if it is the one that the set has.

        Returns
        -------
        PriorSet
            Priors that came without a unit are as they were.

        Raises
        ------
        PriorError
            If one of the units is no length of time, or a rate is of a distribution that cannot be converted.
        """
        if not self.effort_unit or _same(self.effort_unit, effort_unit):
            return self._with(self._priors, effort_unit)
        shift = self._log_ratio(effort_unit)
        return self._with({key: self._convert(key, shift) for key in self}, effort_unit)

    def _convert(self, key: str, shift: float) -> Any:
        prior = self[key]
        if key not in self._rates:
            return prior
        if not (isinstance(prior, Prior) and prior.distribution in ("LogNormal", "CLogLogNormal")):
            raise PriorError(
                f"the prior of {key!r} is per {self.effort_unit} and {prior!r} cannot be converted: only LogNormal "
                "(g0: CLogLogNormal) can. Give it in the unit of the history's effort.",
                offenders=[key],
            )
        return prior.shift_log(shift)

    def _log_ratio(self, unit: str) -> float:
        """Return the log of the length of a unit in units of this set."""
        here, there = _hours(str(self.effort_unit)), _hours(unit)
        if here is None or there is None:
            keys = " and ".join(repr(key) for key in _RATES if key in self._rates)
            raise PriorError(
                f"the prior of {keys} is per {self.effort_unit}, the effort of the history is in {unit!r}, and one is "
                "not a known multiple of the other (a week taken for a day is 2.4 prior sds). Give the effort in "
                f"{self.effort_unit}s with effort_unit={self.effort_unit!r}, or give these priors per {unit}: "
                f'priors | {{"{next(iter(sorted(self._rates)))}": lp.Prior(...)}}.',
                offenders=sorted(self._rates),
            )
        return math.log(there / here)

    def to_dict(self) -> dict[str, Any]:
        """Return a form for JSON.

        Raises
        ------
        PriorError
            If a prior is not a :class:`Prior` and so cannot be saved.
        """
        foreign = [key for key, prior in self.items() if not isinstance(prior, Prior)]
        if foreign:
            raise PriorError(
                f"the prior of {foreign[0]!r} is a {type(self[foreign[0]]).__name__}; only lp.Prior can be saved.",
                offenders=foreign,
            )
        return {
            "priors": {key: prior.to_dict() for key, prior in self.items()},
            "optional": sorted(self._optional),
            "effort_unit": self.effort_unit,
            "per_effort": sorted(self._rates),
        }

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> PriorSet:
        """Make a set of what :meth:`to_dict` gave."""
        made = cls(
            {key: Prior.from_dict(prior) for key, prior in record["priors"].items()}, optional=record["optional"]
        )
        made._rates = frozenset(record["per_effort"])
        made._effort_unit = record["effort_unit"]
        return made


def _word(unit: str) -> str:
    """Return a unit in the singular, without what it was that ran for so long."""
    return unit.strip().lower().removeprefix("station-").removeprefix("trap-").removesuffix("s")


def _hours(unit: str) -> float | None:
    return _HOURS.get(_word(unit))


def _same(one: str, other: str) -> bool:
    return _word(one) == _word(other)
