"""Synthetic log posteriors with exact gradients and known answers."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from leopardpop.inference.target import FunctionTarget

Gradient = Callable[[np.ndarray], tuple[float, np.ndarray]]


def target(f: Gradient, size: int, starts: object = None, seed: int = 0) -> FunctionTarget:
    points = np.random.default_rng(seed).normal(size=(5, size)) if starts is None else np.asarray(starts, dtype=float)
    names = tuple(f"x[{j}]" for j in range(size))
    return FunctionTarget(names=names, function=lambda x: f(x)[0], function_and_gradient=f, start_points=list(points))


def gaussian(size: int = 3, condition: float = 100.0) -> tuple[FunctionTarget, np.ndarray, np.ndarray]:
    """A normal law, its mean and its precision; eigenvalues span ``condition``."""
    rng = np.random.default_rng(7)
    axes = np.linalg.qr(rng.normal(size=(size, size)))[0]
    precision = (axes * np.geomspace(1.0, condition, size)) @ axes.T
    mean = rng.normal(size=size)

    def f(x: np.ndarray) -> tuple[float, np.ndarray]:
        slope = precision @ (x - mean)
        return -0.5 * float((x - mean) @ slope), -slope

    return target(f, size), mean, precision


def student(size: int = 3, df: float = 3.0) -> FunctionTarget:
    def f(x: np.ndarray) -> tuple[float, np.ndarray]:
        q = 1.0 + float(x @ x) / df
        return -0.5 * (df + size) * float(np.log(q)), -(df + size) * x / df / q

    return target(f, size)


def log_gamma(shapes: tuple[float, ...], mix: np.ndarray | None = None) -> FunctionTarget:
    """x = mix @ log(gamma draws): skewed, the more the smaller the shape."""
    a = np.array(shapes)
    inverse = np.eye(len(a)) if mix is None else np.linalg.inv(mix)

    def f(x: np.ndarray) -> tuple[float, np.ndarray]:
        y = inverse @ x
        return float(a @ y - np.exp(y).sum()), inverse.T @ (a - np.exp(y))

    return target(f, len(a))


def banana(bend: float = 1.0, size: int = 2) -> FunctionTarget:
    """x0 standard normal, x1 given x0 normal around bend (x0² - 1)."""

    def f(x: np.ndarray) -> tuple[float, np.ndarray]:
        off = x[1] - bend * (x[0] ** 2 - 1.0)
        slope = -x.copy()
        slope[0] += 2.0 * bend * x[0] * off
        slope[1] = -off
        return -0.5 * float(x[0] ** 2 + off**2 + x[2:] @ x[2:]), slope

    return target(f, size)


def bimodal(apart: float = 6.0, share: float = 0.3, size: int = 2) -> FunctionTarget:
    """A standard normal, and with ``share`` another of half its scale, ``apart`` along the first axis."""
    other = np.eye(size)[0] * apart

    def f(x: np.ndarray) -> tuple[float, np.ndarray]:
        z = (x - other) / 0.5
        logs = np.log([1.0 - share, share / 0.5**size]) - 0.5 * np.array([x @ x, z @ z])
        value = np.logaddexp(*logs)
        near, far = np.exp(logs - value)
        return float(value), -near * x - far * z / 0.5

    starts = np.zeros((6, size))
    starts[:, 0] = np.linspace(-1.0, 7.0, 6)
    return target(f, size, starts)


def quartic(size: int = 2) -> FunctionTarget:
    """exp(-sum x^4): the Hessian vanishes at the mode."""
    return target(lambda x: (-float((x**4).sum()), -4.0 * x**3), size)


def ridge() -> FunctionTarget:
    """Only x0 + x1 is known, but for a prior 1e5 times wider."""

    def f(x: np.ndarray) -> tuple[float, np.ndarray]:
        total = x.sum()
        return -0.5 * float(total**2 + 1e-10 * (x @ x)), -total - 1e-10 * x

    return target(f, 2)


def plateau() -> FunctionTarget:
    """The likelihood of a success observed once, without prior: it grows for ever along x0."""

    def f(x: np.ndarray) -> tuple[float, np.ndarray]:
        return -float(np.log1p(np.exp(-x[0]))) - 0.5 * x[1] ** 2, np.array([1.0 / (1.0 + np.exp(x[0])), -x[1]])

    return target(f, 2)


def half_line() -> FunctionTarget:
    """A gamma law on its natural scale, NaN and -inf outside: shape 5, mode 4."""

    def f(x: np.ndarray) -> tuple[float, np.ndarray]:
        if x[0] < -1.0:
            return np.nan, np.full(1, np.nan)
        if x[0] <= 0.0:
            return -np.inf, np.zeros(1)
        return float(4.0 * np.log(x[0]) - x[0]), 4.0 / x - 1.0

    return target(f, 1, [[1.0], [-0.5], [-3.0], [20.0], [0.01]])
