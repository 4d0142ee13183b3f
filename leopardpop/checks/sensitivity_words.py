"""Sensitivity in plain words: which number, by how much, and why."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from leopardpop.words import counted, decimal, whole

if TYPE_CHECKING:
    from leopardpop.checks.sensitivity_result import Effect

__all__ = ["Limits", "limits_of", "moved", "sentence", "verdict_of"]

type Light = Literal["ok", "note", "warn", "open"]


class Limits(NamedTuple):
    """Posterior sds of N from which a change counts."""

    note: float
    warn: float


ASSUMPTION, OBSERVATION = Limits(0.1, 0.25), Limits(0.5, 1.0)
"""What somebody chose; what somebody saw: without one of n animals N moves by about sd/√n in any survey."""
FEW = 20
WORDS = {
    "buffer": "a buffer of {words}",
    "mesh": "{words}",
    "detection": "{words}",
    "occasions": "occasions {words}",
    "prior": "the prior of {subject}, {words},",
    "animal": "leaving out the record of {subject}",
    "station": "leaving out station {subject}",
    "site": "leaving out site {subject}",
}


def limits_of(kind: str) -> Limits:
    """Limits of a kind of change."""
    return OBSERVATION if kind in ("animal", "station", "site") else ASSUMPTION


def verdict_of(kind: str, sds: float) -> Light:
    """Light of a change: "ok", "note" or "warn"; "open" without an answer."""
    if not np.isfinite(sds):
        return "open"
    limits = limits_of(kind)
    return "warn" if abs(sds) > limits.warn else "note" if abs(sds) > limits.note else "ok"


def moved(effect: Effect) -> str:
    """By how much: "+9 % (0.6 sd)"."""
    sign = "−" if effect.percent < 0 else "+"
    size = abs(effect.percent)
    shown = decimal(size, 1) if size < 0.95 else whole(size)
    shown = shown if float(shown.replace(",", "")) else "0"
    return f"{sign if shown != '0' else ''}{shown} % ({decimal(abs(effect.sds), 2)} sd)"


def sentence(effect: Effect, quantity: str, facts: Any) -> str:
    """One change in a sentence.

    Parameters
    ----------
    effect
        The change.
    quantity
        What is moved, such as "N".
    facts
        Function from a prior's label to what little there is on it in the data, or "".
    """
    what = WORDS[effect.kind].format(subject=effect.subject, words=effect.change)
    if effect.about:
        what = f"{what} ({effect.about})"
    if effect.verdict == "open":
        return f"{what}: not answered, {effect.reason}"
    if effect.how == "exact":
        return f"{what} changes nothing: counts add up"
    why = facts(effect.subject) if effect.kind == "prior" and effect.verdict != "ok" else ""
    where = f" of {effect.place}" if effect.place else ""
    return f"{what} moves {quantity}{where} by {moved(effect)}{': ' + why if why else ''}"


def facts_of(history: Any) -> Any:
    """What there is in a capture history on a parameter, where it is little: a function of its label."""
    return partial(_fact, history.n_spatial_recaptures, history.n_recaptures, history.n_individuals)


def no_fact(label: str) -> str:
    """Nothing to say of a parameter."""
    return ""


def _fact(n_spatial: int, n_recaptures: int, n_animals: int, label: str) -> str:
    parameter = label.partition("[")[0]
    if parameter == "sigma":
        return _only(n_spatial, "spatial recapture")
    if parameter in ("lambda0", "g0", "z", "size"):
        return _only(n_recaptures, "recapture")
    return _only(n_animals, "animal") if parameter in ("D", "N", "pmix") else ""


def _only(n: int, noun: str) -> str:
    """So few that a prior counts, or "" where it is not for want of them."""
    if n >= FEW:
        return ""
    return f"only {counted(n, noun)}" if n else f"no {noun}"
