"""Behaviour: what an animal's earlier captures make of it, occasion by occasion.

An animal is in one *state* at each station and occasion. State 0 is naive: never captured in what the formulas look
at. Animals that are never detected are naive throughout.

=====  ==============================================================
flag   the animal was captured ...
=====  ==============================================================
b      on any earlier occasion of the session
bk     at this station on any earlier occasion of the session
B      on the occasion before, of those on which any station worked
Bk     at this station on the occasion before on which it worked
=====  ==============================================================
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from leopardpop.priors import Prior, response_prior, slope_prior

if TYPE_CHECKING:
    from leopardpop.models.likelihood.terms import Floats, Ints

__all__ = ["FLAGS", "LEVELS", "Memory", "States", "default_slope", "make_states"]

FLAGS = ("b", "bk", "B", "Bk")
"""Names of the behaviour covariates in formulas."""
LEVELS = ("naive", "caught")
"""Their levels; the first is the reference."""
RESPONSES = frozenset(f"{flag}[{LEVELS[1]}]" for flag in FLAGS)
"""Coefficients that say what an earlier capture changes."""
IMPLIED = {"bk": ("b",), "B": ("b",), "Bk": ("b", "bk")}
"""What follows from a flag."""


@dataclass(frozen=True)
class States:
    """The states that the formulas of a model tell apart."""

    flags: tuple[str, ...]
    """The flags that occur in formulas, (F,)."""
    table: Any
    """Flags of each state, (Q, F) bool; the first is naive."""

    @property
    def number(self) -> int:
        """Number of states; one without behaviour."""
        return len(self.table)

    def code(self, flags: Mapping[str, Any]) -> Ints:
        """State of animals with these flags (boolean arrays of one shape), of that shape."""
        number = np.full(1 << len(self.flags), -1, np.intp)
        powers = 1 << np.arange(len(self.flags))
        number[self.table.astype(np.intp) @ powers] = np.arange(self.number)
        bits = sum((np.asarray(flags[name]) << j for j, name in enumerate(self.flags)), start=np.intp(0))
        states: Ints = number[np.asarray(bits, np.intp)]
        return states


def make_states(flags: tuple[str, ...]) -> States:
    """Return all states of these flags that there can be.

    Examples
    --------
    >>> make_states(("b", "bk")).table.tolist()
    [[False, False], [True, False], [True, True]]
    """
    rows = [
        row
        for row in product((False, True), repeat=len(flags))
        if all(_is_possible(name, dict(zip(flags, row, strict=True))) for name in flags)
    ]
    return States(flags, np.array(rows, bool).reshape(len(rows), len(flags)))


def _is_possible(name: str, state: Mapping[str, bool]) -> bool:
    return not state[name] or all(state.get(other, True) for other in IMPLIED.get(name, ()))


class Memory:
    """Captures of some animals so far, to be read before and written after each occasion.

    Parameters
    ----------
    states
        The states.
    n_animals, n_stations
        Numbers of animals n and stations K.
    """

    def __init__(self, states: States, n_animals: int, n_stations: int) -> None:
        self.states = states
        self.ever_at = np.zeros((n_animals, n_stations), bool)
        self.last_at = np.zeros((n_animals, n_stations), bool)
        self.ever = np.zeros((n_animals, 1), bool)
        self.last = np.zeros((n_animals, 1), bool)

    def now(self) -> Ints:
        """State of each animal at each station, (n, K)."""
        found = {"b": self.ever, "bk": self.ever_at, "B": self.last, "Bk": self.last_at}
        shape = self.ever_at.shape
        return self.states.code({name: np.broadcast_to(found[name], shape) for name in self.states.flags})

    def note(self, caught: Any, effort: Floats) -> None:
        """Take down an occasion: who was caught where, (n, K) bool, and the effort of the stations, (K,)."""
        on = effort > 0
        self.ever_at |= caught
        self.last_at[:, on] = caught[:, on]
        anywhere = caught.any(1, keepdims=True)
        self.ever |= anywhere
        if on.any():
            self.last = anywhere


def default_slope(parameter: str, coefficient: str) -> Prior:
    """Default prior of a slope of a parameter, or of its response to an earlier capture."""
    return response_prior(parameter) if coefficient in RESPONSES else slope_prior(parameter)
