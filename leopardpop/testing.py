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

NATURAL = {"log": 0.3, "logit": 0.3, "cloglog": 0.3, "identity": 0.3}


def check_detection(
    detection: DetectionFunction, *, parameters: dict[str, float] | None = None, rtol: float = 1e-6
) -> None:
    """Check that a detection function can be used by every engine.

    It must keep the shape of what it is given, be finite from 0 m to far beyond the scale, fall with distance, give
    the same on PyTensor variables as on NumPy arrays, and have the slopes that it says it has.

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
    distance = np.concatenate([[0.0], np.geomspace(1.0, 30 * values.get("sigma", 1000.0), 40)])
    columns = {name: np.full((2, 1), value) for name, value in values.items()}
    d2 = np.broadcast_to(distance**2, (2, len(distance)))
    log_hazard = np.asarray(detection.log_hazard(d2, **columns))
    _require(log_hazard.shape == d2.shape, detection, f"log_hazard has shape {log_hazard.shape}, not {d2.shape}")
    _require(bool(np.isfinite(log_hazard).all()), detection, "log_hazard is not finite at every distance")
    _require(bool((np.diff(log_hazard[0]) <= 1e-12).all()), detection, "log_hazard rises with distance")
    _check_slopes(detection, d2, columns, rtol)
    _check_graph(detection, d2, columns, log_hazard, rtol)


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
