"""What makes one occupancy model differ from another, as data: which probabilities multiply where.

Each law of a state model is a product of probabilities and of their complements: that a site is used, Pr = ψ; that it
is used but not for breeding, Pr = ψ (1 − R); that a visit sees an animal and no cub, Pr = p2 (1 − δ). So a model is a
table of such products, and one likelihood with one gradient serves all of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, NamedTuple

__all__ = [
    "COMMUNITY",
    "COUNTS",
    "DYNAMIC",
    "DYNAMIC_MULTINOMIAL",
    "DYNAMIC_MULTISTATE",
    "FALSE_POSITIVE",
    "FALSE_POSITIVE_CONFIRMED",
    "IMPOSSIBLE",
    "MULTINOMIAL",
    "MULTISTATE",
    "NMIXTURE",
    "NMIXTURE_NEGBIN",
    "ROYLE_NICHOLS",
    "SINGLE",
    "Either",
    "Factors",
    "Home",
    "Structure",
]

type Factors = tuple[tuple[str, bool], ...]
"""A product: parameters, each as it is (True) or as its complement (False). An empty one is 1."""


class Either(NamedTuple):
    """A sum of products: ways that exclude each other."""

    ways: tuple[Factors, ...]


type Outcome = Factors | Either | None
"""Pr(response | state): a product, a sum of them, or None for what cannot be."""

type Home = Literal["site", "transition", "state", "visit"]
"""Rows of a parameter: sites in the first season; sites and transitions; those by state before; visits made."""

IMPOSSIBLE = -1e30
"""Log probability of what cannot be: finite, so that no difference of two is NaN, and its exponential is 0."""


@dataclass(frozen=True, kw_only=True)
class Structure:
    """One family of state models."""

    states: tuple[str, ...]
    """Labels, K."""
    homes: Mapping[str, Home]
    """Parameter to its rows, in the order of theta."""
    initial: tuple[Factors, ...]
    """Pr(state) in the first season, by state."""
    outcomes: tuple[tuple[Outcome, ...], ...]
    """Pr(response of a visit | state), by response and state; None is impossible."""
    transitions: tuple[tuple[Factors, ...], ...] = ()
    """Pr(state | state the season before), by state before and after; none for a single season."""
    response: str = "binary"
    """Kind of response that the data must have."""
    kind: Literal["states", "detected animals", "counted animals", "counts", "community"] = "states"
    """What is hidden at a site, and what visits tell of it: the table here, or a law of their own."""
    links: Mapping[str, str] = field(default_factory=dict)
    """Link of parameters that are not probabilities."""
    units: Mapping[str, str] = field(default_factory=dict)
    """Their unit."""
    choices: tuple[tuple[str, str], ...] = ()
    """Pairs of parameters that are a multinomial logit: Pr = exp η / (1 + exp η₁ + exp η₂) each, the base the rest."""

    @property
    def is_dynamic(self) -> bool:
        """Whether states change between seasons."""
        return bool(self.transitions)


def _first(name: str) -> Factors:
    return ((name, True),)


def _not(name: str) -> Factors:
    return ((name, False),)


_USED = (_not("psi"), _first("psi"))
_SEEN = (((), _not("p")), (None, _first("p")))
_BREEDING = (_not("psi"), _first("psi") + _not("breeding"), _first("psi") + _first("breeding"))
_SEEN_WITH_YOUNG = (
    ((), _not("p1"), _not("p2")),
    (None, _first("p1"), _first("p2") + _not("delta")),
    (None, None, _first("p2") + _first("delta")),
)
_NEXT = (
    _not("psi_next"),
    _first("psi_next") + _not("breeding_next"),
    _first("psi_next") + _first("breeding_next"),
)

SINGLE = Structure(
    states=("absent", "used"),
    homes={"psi": "site", "p": "visit"},
    initial=_USED,
    outcomes=_SEEN,
)
COMMUNITY = replace(SINGLE, kind="community")
DYNAMIC = Structure(
    states=("absent", "used"),
    homes={"psi": "site", "gamma": "transition", "epsilon": "transition", "p": "visit"},
    initial=_USED,
    outcomes=_SEEN,
    transitions=((_not("gamma"), _first("gamma")), (_first("epsilon"), _not("epsilon"))),
)
MULTISTATE = Structure(
    states=("absent", "used", "breeding"),
    homes={"psi": "site", "breeding": "site", "p1": "visit", "p2": "visit", "delta": "visit"},
    initial=_BREEDING,
    outcomes=_SEEN_WITH_YOUNG,
    response="state",
)
DYNAMIC_MULTISTATE = Structure(
    states=("absent", "used", "breeding"),
    homes={
        "psi": "site",
        "breeding": "site",
        "psi_next": "state",
        "breeding_next": "state",
        "p1": "visit",
        "p2": "visit",
        "delta": "visit",
    },
    initial=_BREEDING,
    outcomes=_SEEN_WITH_YOUNG,
    transitions=(_NEXT, _NEXT, _NEXT),
    response="state",
)

# The same by multinomial logits: of a pair, either parameter as it is, and the complement of the first for the base.
_CHOSEN = (_not("psi"), _first("psi"), _first("breeding"))
_CHOSEN_NEXT = (_not("psi_next"), _first("psi_next"), _first("breeding_next"))
_SEEN_AS = (
    ((), _not("p1"), _not("p2")),
    (None, _first("p1"), _first("p2")),
    (None, None, _first("delta")),
)
MULTINOMIAL = replace(MULTISTATE, initial=_CHOSEN, outcomes=_SEEN_AS, choices=(("psi", "breeding"), ("p2", "delta")))
DYNAMIC_MULTINOMIAL = replace(
    DYNAMIC_MULTISTATE,
    initial=_CHOSEN,
    outcomes=_SEEN_AS,
    transitions=(_CHOSEN_NEXT, _CHOSEN_NEXT, _CHOSEN_NEXT),
    choices=(("psi", "breeding"), ("psi_next", "breeding_next"), ("p2", "delta")),
)

# A visit to a used site sees the species truly, or takes another one for it. The last two are visits without mistakes.
_MISTAKEN = Either((_first("p"), _not("p") + _first("p10")))
_UNCONFIRMED = Either((_first("p") + _not("b"), _not("p") + _first("p10")))
_MISSED = (_not("p10"), _not("p") + _not("p10"))
_CERTAIN = (((), _not("p")), (None, _first("p")))
FALSE_POSITIVE = Structure(
    states=("absent", "used"),
    homes={"psi": "site", "p": "visit", "p10": "visit"},
    initial=_USED,
    outcomes=(_MISSED, (_first("p10"), _MISTAKEN), *_CERTAIN),
)
FALSE_POSITIVE_CONFIRMED = replace(
    FALSE_POSITIVE,
    homes={"psi": "site", "p": "visit", "p10": "visit", "b": "visit"},
    outcomes=(_MISSED, (_first("p10"), _UNCONFIRMED), (None, _first("p") + _first("b")), *_CERTAIN),
    response="state",
)

# The hidden state is a number of animals; what visits tell of it is no table.
_ANIMALS = {"abundance": "animals"}
ROYLE_NICHOLS = Structure(
    states=("absent", "used"),
    homes={"abundance": "site", "r": "visit"},
    initial=(),
    outcomes=(),
    kind="detected animals",
    links={"abundance": "log"},
    units=_ANIMALS,
)
NMIXTURE = replace(ROYLE_NICHOLS, homes={"abundance": "site", "p": "visit"}, response="count", kind="counted animals")
NMIXTURE_NEGBIN = replace(
    NMIXTURE,
    homes={"abundance": "site", "size": "site", "p": "visit"},
    links={"abundance": "log", "size": "log"},
)
COUNTS = Structure(
    states=("absent", "used"),
    homes={"psi": "site", "rate": "visit"},
    initial=_USED,
    outcomes=(),
    response="count",
    kind="counts",
    links={"rate": "log"},
    units={"rate": "1/effort"},
)
