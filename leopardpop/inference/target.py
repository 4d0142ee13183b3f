"""What an engine needs to know of a log posterior."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

__all__ = ["BatchTarget", "Counter", "FunctionTarget", "Target", "batch_values"]

Vector = NDArray[np.float64]


class Target(Protocol):
    """A log posterior on an unbounded space of P coordinates, up to a constant.

    Its methods are called from several threads at once.
    """

    @property
    def names(self) -> tuple[str, ...]:
        """Labels of the coordinates, length P."""
        ...

    def value(self, theta: Vector) -> float:
        """Log posterior at ``theta`` (P,); -inf or NaN outside the support."""
        ...

    def gradient(self, theta: Vector) -> tuple[float, Vector]:
        """Log posterior at ``theta`` (P,) and its exact gradient (P,)."""
        ...

    def starts(self) -> list[Vector]:
        """Points (P,) from which the search for the mode begins; five or more find more modes than one."""
        ...


@runtime_checkable
class BatchTarget(Protocol):
    """A target that evaluates many points in one call faster than one by one."""

    def batch_value(self, thetas: Vector) -> Vector:
        """Log posterior (S,) at the rows of ``thetas`` (S, P)."""
        ...


@dataclass(frozen=True, kw_only=True)
class FunctionTarget:
    """A target made of plain functions.

    Parameters
    ----------
    names
        Labels of the P coordinates.
    function
        ``theta (P,) -> float``.
    function_and_gradient
        ``theta (P,) -> (float, (P,))``.
    start_points
        Where the search for the mode begins; zeros when empty.

    Examples
    --------
    >>> import numpy as np
    >>> def f(x):
    ...     return -0.5 * float(x @ x), -x
    >>> normal = FunctionTarget(names=("x",), function=lambda x: f(x)[0], function_and_gradient=f)
    >>> normal.value(np.array([2.0])), normal.starts()
    (-2.0, [array([0.])])
    """

    names: tuple[str, ...]
    function: Callable[[Vector], float]
    function_and_gradient: Callable[[Vector], tuple[float, Vector]]
    start_points: Sequence[Vector] = field(default=())

    def value(self, theta: Vector) -> float:
        """Log posterior at ``theta``."""
        return self.function(theta)

    def gradient(self, theta: Vector) -> tuple[float, Vector]:
        """Log posterior at ``theta`` and its gradient."""
        return self.function_and_gradient(theta)

    def starts(self) -> list[Vector]:
        """Return the given start points, or zeros."""
        return list(self.start_points) or [np.zeros(len(self.names))]


@dataclass
class Counter:
    """A target seen through a counter of evaluations; anything that is not finite is -inf (or a NaN gradient)."""

    target: Target
    n_values: int = 0
    n_gradients: int = 0

    def value(self, theta: Vector) -> float:
        """Log posterior, -inf where it is NaN."""
        self.n_values += 1
        with np.errstate(all="ignore"):
            return _clean(self.target.value(theta))

    def gradient(self, theta: Vector) -> tuple[float, Vector]:
        """Log posterior and gradient; a gradient that is not finite makes the point unusable (-inf)."""
        self.n_gradients += 1
        with np.errstate(all="ignore"):
            value, slope = self.target.gradient(theta)
        slope = np.asarray(slope, dtype=float)
        return (_clean(value) if np.isfinite(slope).all() else -np.inf), slope


def batch_values(target: Target, thetas: Vector) -> Vector:
    """Log posterior (S,) at the rows of ``thetas`` (S, P), -inf where it is NaN."""
    with np.errstate(all="ignore"):  # far draws overflow on purpose
        if isinstance(target, BatchTarget):
            found = np.array(target.batch_value(thetas), dtype=float)
            return np.where(np.isnan(found), -np.inf, found)
        return np.fromiter((_clean(target.value(theta)) for theta in thetas), float, len(thetas))


def _clean(value: float) -> float:
    return float(value) if value == value else -np.inf
