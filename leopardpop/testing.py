"""Help for those who write components of their own.

For example:

>>> import leopardpop as lp
>>> lp.testing.check_detection(lp.HalfNormal())
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from leopardpop.components.link import link
from leopardpop.errors import ModelError

if TYPE_CHECKING:
    from leopardpop.components.detection import DetectionFunction

__all__ = ["check_detection"]

NEAR = 30.0
"""Distance up to which slopes are compared with differences, in scales: beyond it these have no digits left."""
FARTHEST, LEAST_FALL = 200.0, 3.0
"""Distance up to which is looked, in scales, and how much the log hazard falls at least on the way."""
LOW = {"log": 0.01, "logit": 1e-4, "cloglog": 1e-4}
"""Baselines at which a probability is its own hazard."""
NATURAL = {"log": 0.3, "logit": 0.3, "cloglog": 0.3, "identity": 0.3}


def check_detection(
    detection: DetectionFunction, *, parameters: dict[str, float] | None = None, rtol: float = 1e-6
) -> None:
    """Check that a detection function can be used by every engine.

    It must return the *log* of the hazard: twice the λ0 adds log 2, and so does twice the g0 where both are small. It
    must fall with distance, and far; not depend on whether metres or kilometres are counted; keep the shape of what it
    is given; be finite from 0 m to 200 times the scale; give the same on PyTensor variables as on NumPy arrays; and
    have the slopes that it says it has.

    Parameters
    ----------
    detection
        The detection function.
    parameters
        Natural-scale values to check it at; by default sigma is 1,000 m, a shape 4 and everything else 0.3.
    rtol
        Relative tolerance of slopes and of the comparison between NumPy and PyTensor.

    Raises
    ------
    ModelError
        Naming the first thing that does not hold.

    Examples
    --------
    >>> from leopardpop import HalfNormal
    >>> check_detection(HalfNormal())
    """
    values = _values(detection, parameters)
    distance = np.concatenate([[0.0], np.geomspace(1.0, FARTHEST * values.get("sigma", 1000.0), 50)])
    columns = {name: np.full((2, 1), value) for name, value in values.items()}
    d2 = np.broadcast_to(distance**2, (2, len(distance)))
    log_hazard = np.asarray(detection.log_hazard(d2, **columns))
    _require(log_hazard.shape == d2.shape, detection, f"log_hazard has shape {log_hazard.shape}, not {d2.shape}")
    _require(bool(np.isfinite(log_hazard).all()), detection, "log_hazard is not finite at every distance")
    _require(bool((np.diff(log_hazard[0]) <= 1e-12).all()), detection, "log_hazard rises with distance")
    _check_log(detection, d2, columns, log_hazard)
    _check_units(detection, d2, columns, log_hazard)
    near = distance <= NEAR * values.get("sigma", 1000.0)
    _check_slopes(detection, d2[:, near], columns, rtol)
    _check_graph(detection, d2, columns, log_hazard, rtol)


def _check_log(
    detection: DetectionFunction, d2: np.ndarray, columns: dict[str, np.ndarray], log_hazard: np.ndarray
) -> None:
    """Whether it is a log: by what twice the baseline adds, and by how far it falls."""
    for p in detection.parameters():
        if p.unit != "1/effort" or p.link not in LOW:
            continue
        low = {**columns, p.name: np.full((2, 1), LOW[p.link])}
        twice = {**columns, p.name: np.full((2, 1), 2.0 * LOW[p.link])}
        added = np.asarray(detection.log_hazard(d2, **twice)) - np.asarray(detection.log_hazard(d2, **low))
        _require(
            bool(np.allclose(added, np.log(2.0), atol=1e-3)),
            detection,
            f"twice the {p.name} adds {float(added.flat[0]):.3g} to log_hazard, not log 2 = 0.693. Does it return the "
            "log of the hazard? And is the hazard in proportion to it?",
        )
    fallen = float(log_hazard[0, 0] - log_hazard[0, -1])
    _require(
        fallen > LEAST_FALL,
        detection,
        f"log_hazard falls by {fallen:.3g} only over {FARTHEST:g} times the scale: an animal is detected everywhere",
    )


def _check_units(
    detection: DetectionFunction, d2: np.ndarray, columns: dict[str, np.ndarray], log_hazard: np.ndarray
) -> None:
    """Whether everything in metres is used as a length."""
    lengths = {p.name for p in detection.parameters() if p.unit == "m"}
    scaled = {name: value * (1000.0 if name in lengths else 1.0) for name, value in columns.items()}
    found = np.asarray(detection.log_hazard(d2 * 1e6, **scaled))
    some = ", ".join(sorted(lengths)) or "no parameter"
    _require(
        not lengths or bool(np.allclose(found, log_hazard, rtol=1e-6, atol=1e-6)),
        detection,
        f"log_hazard is another where distances and {some} are counted in millimetres: it must depend on their ratios, "
        "such as d2 / sigma**2",
    )


def _values(detection: DetectionFunction, given: dict[str, float] | None) -> dict[str, float]:
    values = {}
    for p in detection.parameters():
        link(p.link)
        values[p.name] = {"sigma": 1000.0, "z": 4.0}.get(p.name, NATURAL[p.link])
    unknown = set(given or {}) - set(values)
    _require(not unknown, detection, f"it has no parameter {sorted(unknown)}")
    return values | (given or {})


def _check_slopes(detection: DetectionFunction, d2: np.ndarray, columns: dict[str, np.ndarray], rtol: float) -> None:
    step = 1e-4
    slopes = detection.log_slopes(d2, **columns)
    _require(set(slopes) == set(columns), detection, f"log_slopes has {sorted(slopes)}, not {sorted(columns)}")
    for name, slope in slopes.items():
        up, down = (
            detection.log_hazard(d2, **{**columns, name: columns[name] * np.exp(sign * step)}) for sign in (1, -1)
        )
        error = np.abs(np.broadcast_to(slope, d2.shape) - (up - down) / (2 * step))
        allowed = max(rtol, 1e-6) * (1.0 + np.abs(slope))
        _require(bool((error <= 10 * allowed).all()), detection, f"log_slopes[{name!r}] is not the slope of log_hazard")


def _check_graph(
    detection: DetectionFunction, d2: np.ndarray, columns: dict[str, np.ndarray], expected: np.ndarray, rtol: float
) -> None:
    import pytensor.tensor as pt

    try:
        graph = detection.log_hazard(pt.as_tensor(d2), **{name: pt.as_tensor(v) for name, v in columns.items()})
    except (TypeError, AttributeError, ValueError) as error:
        raise ModelError(
            f"{type(detection).__name__}: log_hazard does not work on PyTensor variables ({error}); "
            "use NumPy functions such as np.exp and np.log, and no if on values"
        ) from error
    found = graph.eval(mode="FAST_COMPILE")
    _require(bool(np.allclose(found, expected, rtol=rtol, atol=rtol)), detection, "PyTensor and NumPy differ")


def _require(holds: bool, detection: DetectionFunction, message: str) -> None:
    if not holds:
        raise ModelError(f"{type(detection).__name__}: {message}")
