"""Peaks of a log posterior: a trust-region quasi-Newton search on the exact gradient, with NumPy alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from leopardpop.errors import FitError
from leopardpop.inference.target import Counter, Target

__all__ = ["Mode", "ModeSearch", "difference_hessian", "find_modes"]

Vector = NDArray[np.float64]
Gradient = Callable[[Vector], tuple[float, Vector]]

_TOLERANCE = 1e-15  # expected gain of a further step, in units of log posterior
_STEP = 3e-4  # of the differences, in posterior sds
_LONGEST_STEP = 0.01  # of the differences, against the size of the coordinates: sds on a plateau are endless
_CONVERGED = 1e-4  # distance to the mode in posterior sds at which a search counts as finished
_FLAT = 1e3  # a posterior sd that much longer than the way walked is a plateau, not a peak
_SINGULAR = 1e-8  # smallest eigenvalue of the Hessian scaled to unit diagonal
_WORST = -10.0  # a step that loses more than ten times what it should gain teaches nothing about the curvature here
_NEGLIGIBLE = 30.0  # a peak that much lower than another one holds none of the posterior
_NOISE = 1e-10  # relative rounding error of a log posterior that is a sum of many terms


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Mode:
    """A local maximum of a log posterior of P coordinates."""

    theta: Vector
    """Where it is, (P,)."""
    value: float
    """Log posterior there."""
    gradient: Vector
    """Gradient there, (P,)."""
    hessian: Vector
    """Second derivatives of *minus* the log posterior, (P, P), by central differences of the gradient."""
    start: Vector
    """Where the search began, (P,)."""
    converged: bool
    """Whether the gradient vanishes to within 1e-4 posterior sds."""
    problems: tuple[str, ...]
    """What is wrong with it, in words: not converged, flat along a coordinate, singular Hessian."""

    @property
    def covariance(self) -> Vector:
        """Inverse Hessian (P, P); directions without curvature get a long but finite axis."""
        root = inverse_root(self.hessian)
        return root @ root.T

    @property
    def log_mass(self) -> float:
        """Laplace's approximation to the log of the posterior mass around the mode, up to a constant."""
        return self.value + float(np.linalg.slogdet(inverse_root(self.hessian))[1])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ModeSearch:
    """All distinct modes that were found, the highest first, and what they cost."""

    modes: tuple[Mode, ...]
    n_values: int
    n_gradients: int

    @property
    def best(self) -> Mode:
        """The highest mode."""
        return self.modes[0]


def find_modes(target: Target, *, starts: Sequence[Vector] | None = None, max_iterations: int = 200) -> ModeSearch:
    """Find the maxima of a log posterior from several starts.

    The starts are ranked by value and the best one is followed to its peak; the others are followed, with the
    curvature of the peaks already known, only until they arrive at one of them.

    Parameters
    ----------
    target
        Log posterior with an exact gradient.
    starts
        Points (P,) to begin from, ``target.starts()`` by default.
    max_iterations
        Limit on the steps of one search.

    Returns
    -------
    ModeSearch
        Distinct modes with Hessians, the highest first.

    Raises
    ------
    FitError
        If the log posterior is finite at no start.

    References
    ----------
    Nocedal & Wright (2006), Numerical Optimization, chapters 4 and 6, https://doi.org/10.1007/978-0-387-40065-5

    Examples
    --------
    >>> import numpy as np
    >>> from leopardpop.inference.target import FunctionTarget
    >>> def f(x):
    ...     return -float(np.cosh(x[0] - 3.0)), -np.sinh(x - 3.0)
    >>> target = FunctionTarget(names=("x",), function=lambda x: f(x)[0], function_and_gradient=f)
    >>> found = find_modes(target)
    >>> found.best.theta.round(6), found.best.hessian.round(6)
    (array([3.]), array([[1.]]))
    """
    counter = Counter(target)
    modes: list[Mode] = []
    for start in _ranked(counter, target.starts() if starts is None else starts):
        found = _climb(counter, start, modes, max_iterations)
        if found is not None and not any(_same(known, found.theta, found.value) for known in modes):
            modes.append(found)
    modes.sort(key=lambda mode: -mode.value)
    return ModeSearch(modes=tuple(modes), n_values=counter.n_values, n_gradients=counter.n_gradients)


def difference_hessian(gradient: Gradient, theta: Vector, root: Vector) -> Vector:
    """Second derivatives of minus the log posterior by central differences of its gradient.

    The differences are taken along the columns of ``root``, so that each step is the same small part of a posterior
    sd: the error is about 1e-8 relative to the curvature in *every* direction, however correlated the posterior.

    Parameters
    ----------
    gradient
        ``theta -> (log posterior, gradient (P,))``.
    theta
        Point (P,).
    root
        Square root (P, P) of an approximate covariance.

    Returns
    -------
    ndarray
        Symmetric (P, P); NaN where ``root`` is singular, since there is no scale to take differences on.
    """
    try:
        inverse = np.linalg.inv(root)
    except np.linalg.LinAlgError:  # the search ended where the curvature is 0 or infinite to all digits
        return np.full_like(root, np.nan)
    steps = np.minimum(_STEP, _LONGEST_STEP * (1.0 + np.abs(theta).max()) / np.abs(root).max(axis=0))
    white = np.stack(
        [root.T @ _difference(gradient, theta, column, step) for column, step in zip(root.T, steps, strict=True)]
    )
    hessian: Vector = inverse.T @ (0.5 * (white + white.T)) @ inverse
    return hessian


def inverse_root(hessian: Vector) -> Vector:
    """Square root (P, P) of the inverse of a Hessian, with axes no longer than 1e4 of its shortest one.

    Eigenvalues that are negative or zero count by their size: they come from a saddle or a plateau.
    """
    scale = np.sqrt(np.maximum(np.abs(np.diag(hessian)), 1e-300))
    values, vectors = np.linalg.eigh(hessian / np.outer(scale, scale))
    lengths = np.maximum(np.abs(values), 1e-8)
    root: Vector = vectors / np.sqrt(lengths) / scale[:, None]
    return root


@dataclass(frozen=True, slots=True, eq=False)
class _Point:
    """A point of the search; ``value`` and ``slope`` are those of *minus* the log posterior."""

    theta: Vector
    value: float
    slope: Vector


def _at(counter: Counter, theta: Vector) -> _Point:
    value, gradient = counter.gradient(theta)
    return _Point(theta, -value, -gradient)


def _ranked(counter: Counter, starts: Sequence[Vector]) -> list[Vector]:
    """Distinct starts with a finite value, the best first."""
    points = np.unique(np.atleast_2d(np.array(starts, dtype=float)), axis=0)
    values = np.array([counter.value(point) for point in points])
    usable = np.flatnonzero(np.isfinite(values))
    if not usable.size:
        raise FitError(
            f"The log posterior is not finite at any of {len(points)} starting points; check the priors and data.",
            offenders=points,
        )
    return [points[i] for i in usable[np.argsort(-values[usable], kind="stable")]]


def _climb(counter: Counter, start: Vector, known: list[Mode], max_iterations: int) -> Mode | None:
    """Find the mode above ``start``; None when the way leads to a mode that is known, or nowhere."""
    point = _at(counter, start)
    if not np.isfinite(point.value):
        return None
    curvature = known[0].hessian if known else _forward_hessian(counter, point)

    def arrived(at: _Point) -> bool:
        return any(_same(mode, at.theta, -at.value) for mode in known)

    point, curvature, stopped = _descend(counter, point, curvature, arrived, max_iterations)
    if stopped or (known and -point.value < max(mode.value for mode in known) - _NEGLIGIBLE):
        return None
    return _finish(counter, point, curvature, start, max_iterations)


def _same(mode: Mode, theta: Vector, value: float) -> bool:
    """Whether a point lies on the peak of ``mode``: within one sd, and as high as the parabola says."""
    away = theta - mode.theta
    half = 0.5 * float(away @ mode.hessian @ away)
    return half < 0.5 and abs(mode.value - value - half) < 0.25


def _descend(
    counter: Counter, point: _Point, curvature: Vector, arrived: Callable[[_Point], bool], max_iterations: int
) -> tuple[_Point, Vector, bool]:
    """Trust-region descent with secant updates; the flag says that ``arrived`` stopped it."""
    radius = np.sqrt(len(point.theta))
    for _ in range(max_iterations):
        if arrived(point):
            return point, curvature, True
        step, gain = _trust_step(curvature, point.slope, radius)
        if gain < _TOLERANCE or radius < 1e-14:
            break
        new = _at(counter, point.theta + step)
        ratio = (point.value - new.value) / gain
        if ratio > _WORST:
            curvature = _secant(curvature, step, new.slope - point.slope)
        radius = _next_radius(radius, float(np.linalg.norm(step)), ratio)
        if _better(new, point, gain):
            point = new
    return point, curvature, False


def _trust_step(curvature: Vector, slope: Vector, radius: float) -> tuple[Vector, float]:
    """Best step of the quadratic model within ``radius``, and the gain that the model expects."""
    size = max(float(np.abs(slope).max()), 1e-280)  # the step is the same in any unit; this one cannot overflow
    values, vectors = np.linalg.eigh(curvature / size)
    along = vectors.T @ (slope / size)
    smallest = 1e-10 * max(float(np.abs(values).max()), float(np.linalg.norm(along)) / radius)
    shift = max(0.0, smallest - float(values[0]))
    length = np.linalg.norm(along / (values + shift))
    for _ in range(60):  # Newton on 1/length, which is nearly linear in the shift
        if length <= 1.001 * radius:
            break
        fall = float((along**2 / (values + shift) ** 3).sum()) / length**2
        shift += (length - radius) / radius / fall
        length = np.linalg.norm(along / (values + shift))
    parts = -along / (values + shift)
    return vectors @ parts, size * float(-(along @ parts) - 0.5 * (values @ parts**2))


def _secant(curvature: Vector, step: Vector, change: Vector) -> Vector:
    """BFGS update, or the symmetric rank-one update where the curvature along the step is not positive."""
    product = curvature @ step
    bend, model, rest = float(step @ change), float(step @ product), change - product
    with np.errstate(all="ignore"):
        if bend > 1e-12 * float(step @ step) and model > 0:
            updated = curvature + np.outer(change, change) / bend - np.outer(product, product) / model
        else:
            updated = curvature + np.outer(rest, rest) / float(step @ rest)
    small = np.abs(updated).max() < 1e8 * (np.abs(curvature).max() + np.abs(change).max() / np.abs(step).max())
    return updated if small else curvature  # not where the denominator vanishes or a product overflows


def _next_radius(radius: float, length: float, ratio: float) -> float:
    if not ratio >= 0.25:  # NaN and -inf too
        return 0.25 * length
    return 2.5 * radius if ratio > 0.75 and length > 0.8 * radius else radius


def _better(new: _Point, old: _Point, gain: float) -> bool:
    """Whether a step is kept; where values are equal to within rounding the slope decides."""
    if old.value - new.value > 1e-4 * gain:
        return True
    noise = _NOISE * (1.0 + abs(old.value))
    return new.value - old.value < noise and gain < noise and bool(np.abs(new.slope).max() < np.abs(old.slope).max())


def _forward_hessian(counter: Counter, point: _Point) -> Vector:
    """Rough curvature at a start from P more gradients; unit curvature where they are not finite."""
    size = len(point.theta)
    curvature = np.empty((size, size))
    for j, unit in enumerate(np.eye(size)):
        near = _at(counter, point.theta + 1e-4 * unit)
        curvature[j] = (near.slope - point.slope) / 1e-4 if np.isfinite(near.value) else unit
    return 0.5 * (curvature + curvature.T)


def _difference(gradient: Gradient, theta: Vector, direction: Vector, step: float) -> Vector:
    """Return the derivative of minus the gradient along ``direction``, one-sided at the edge of the support."""
    (up, high), (down, low) = gradient(theta + step * direction), gradient(theta - step * direction)
    if np.isfinite(up) and np.isfinite(down):
        return (low - high) / (2.0 * step)
    centre = gradient(theta)[1]
    if np.isfinite(up):
        return (centre - high) / step
    return (low - centre) / step if np.isfinite(down) else np.zeros_like(theta)


def _finish(counter: Counter, point: _Point, curvature: Vector, start: Vector, max_iterations: int) -> Mode:
    """Newton steps with the exact Hessian, until the gradient vanishes; walks off a saddle if it sits on one."""
    hessian = curvature
    for _ in range(6):
        exact = difference_hessian(counter.gradient, point.theta, inverse_root(hessian))
        if not np.isfinite(exact).all():  # the search ended where the gradient overflows: it did not converge
            break
        hessian = exact
        saddle = np.linalg.eigvalsh(hessian)[0] < -1e-6 * np.abs(hessian).max()
        before = _distance(point, hessian)
        if saddle or before > 0.1:  # the search stuck: again, with the exact curvature
            point = _off_saddle(counter, point, hessian) if saddle else point
            point, hessian, _ = _descend(counter, point, hessian, _never, max_iterations)
            continue
        point = _newton(counter, point, hessian)
        if before < 1e-3:  # the Hessian changes by about that fraction of itself over the step
            break
    distance = _distance(point, hessian)
    return Mode(
        theta=point.theta,
        value=-point.value,
        gradient=-point.slope,
        hessian=hessian,
        start=start,
        converged=bool(distance < _CONVERGED),
        problems=tuple(_problems(counter.target.names, point.theta - start, hessian, distance)),
    )


def _never(point: _Point) -> bool:
    return False


def _newton(counter: Counter, point: _Point, hessian: Vector) -> _Point:
    root = inverse_root(hessian)
    step = -root @ (root.T @ point.slope)
    if np.linalg.norm(root.T @ point.slope) < 1e-9:
        return point
    new = _at(counter, point.theta + step)
    closer = np.isfinite(new.value) and _distance(new, hessian) < _distance(point, hessian)
    return new if closer else point


def _distance(point: _Point, hessian: Vector) -> float:
    """Distance to the mode in posterior sds, as the Hessian sees it."""
    return float(np.linalg.norm(inverse_root(hessian).T @ point.slope))


def _off_saddle(counter: Counter, point: _Point, hessian: Vector) -> _Point:
    """Return the lower of two points on either side of a saddle."""
    values, vectors = np.linalg.eigh(hessian)
    step = vectors[:, 0] * min(0.5, 1.0 / np.sqrt(-values[0]))
    sides = [_at(counter, point.theta + sign * step) for sign in (1.0, -1.0)]
    best = min(sides, key=lambda side: side.value)
    return best if best.value < point.value else point


def _problems(names: tuple[str, ...], walked: Vector, hessian: Vector, distance: float) -> list[str]:
    """Say what is wrong with a mode, one sentence each."""
    found = []
    if not distance < _CONVERGED:
        found.append(f"the search for the mode stopped {distance:.2g} posterior sds away from it")
    values, vectors = np.linalg.eigh(hessian)
    longest = 1.0 / np.sqrt(max(values[0], 1e-300))
    if values[0] <= 0 or longest > _FLAT * (1.0 + np.abs(walked).max()):
        name = names[int(np.abs(vectors[:, 0]).argmax())]
        found.append(f"the log posterior is flat along {name!r}: it is at a bound, or neither data nor prior sets it")
        return found
    scale = np.sqrt(np.diag(hessian))
    values, vectors = np.linalg.eigh(hessian / np.outer(scale, scale))
    if values[0] < _SINGULAR:
        involved = [names[j] for j in np.argsort(-np.abs(vectors[:, 0]))[:2]]
        found.append(f"the Hessian is singular: {involved[0]!r} and {involved[-1]!r} cannot be told apart")
    return found
