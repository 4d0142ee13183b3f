"""How often a detector counts an animal that passes: alone each time, or in bursts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leopardpop.components.detection import DetectionParameter
from leopardpop.components.formula_syntax import nearest
from leopardpop.components.random_effects import formula_names
from leopardpop.errors import ModelError

if TYPE_CHECKING:
    from leopardpop.models.scr import SCR

__all__ = ["COUNTS", "SIZE", "check_counts", "check_size", "parameters_of"]

COUNTS = ("poisson", "negbin")
SIZE = "size"
"""Name of the size of the negative binomial, per unit of effort."""


def check_counts(model: SCR) -> None:
    """Check what can be checked of ``counts`` and ``size`` without data.

    Raises
    ------
    ModelError
        For another distribution, a size that is not used, or one whose name is taken.
    """
    if model.counts not in COUNTS:
        raise ModelError(
            f"counts={model.counts!r}: it is one of {', '.join(COUNTS)}.{nearest(str(model.counts), COUNTS)}",
            offenders=[model.counts],
        )
    if model.counts == "poisson" and model.size != "~ 1":
        raise ModelError(f'size={model.size!r}: a Poisson law has no size. Give counts="negbin", or leave it out.')
    if model.counts == "negbin" and SIZE in {p.name for p in model.detection.parameters()}:
        raise ModelError(
            f"{type(model.detection).__name__} has a parameter {SIZE!r}, which is the name of the size of negative-"
            "binomial counts. Rename it.",
            offenders=[SIZE],
        )


def parameters_of(model: SCR) -> list[DetectionParameter]:
    """Parameters of the detection function, and the size of negative-binomial counts."""
    of_size = [DetectionParameter(SIZE, model.size, "log", "1/effort")] if model.counts == "negbin" else []
    return [*model.detection.parameters(), *of_size]


def check_size(model: SCR, detector: str, column: str | None) -> None:
    """Check ``counts`` and ``size`` against the data.

    Raises
    ------
    ModelError
        If the detector does not count, or the size differs between classes of animals.
    """
    if model.counts == "poisson":
        return
    if detector != "count":
        raise ModelError(
            f'counts="negbin" is for the detector "count", and this history has {detector!r}, which says whether an '
            "animal was detected on an occasion and not how often. Leave counts out, or make the history with "
            'detector="count".',
            offenders=[detector],
        )
    if column is not None and column in formula_names(model.size, SIZE):
        raise ModelError(
            f"formula {model.size!r} of {SIZE!r}: it names the classes, {column!r}, and all classes have the same "
            "size. Name columns of the stations, or session.",
            offenders=[column],
        )
