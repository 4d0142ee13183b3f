# mypy: disable-error-code="no-untyped-def, untyped-decorator, no-untyped-call, call-arg, var-annotated, unreachable"
"""Elementary functions that vectorise inside compiled loops: the exponential, and quotients that are one at zero."""

from __future__ import annotations

from functools import partial
from hashlib import sha256
from importlib.resources import files
from typing import Any

import numba as nb
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

__all__ = ["compiled", "exp", "expm1_quotient", "expm1_series", "inlined", "one_minus_exp"]

ORDERED = {"contract", "reassoc", "nsz", "arcp"}
SOURCES = ("elementary.py", "compiled.py", "batches.py")

LOG2E = 1.4426950408889634
LN2_HIGH, LN2_LOW = 0.6931471803691238, 1.9082149292705877e-10
MAGIC = 6755399441055744.0
"""1.5 · 2^52: added to a number it leaves its nearest whole number in the lowest bits."""
SMALL = 0.3
LOWEST, HIGHEST = -708.0, 708.0


def _digest() -> str:
    """A short name of the source of all compiled functions."""
    folder = files("leopardpop.models.likelihood")
    return sha256(b"".join(folder.joinpath(name).read_bytes() for name in SOURCES)).hexdigest()[:12]


DIGEST = _digest()


def compiled(function: Any, **options: Any) -> Any:
    """Compile a function at its first call, and keep the result on disk.

    What is kept goes by the name of the function, which gets that of the sources: a cache that looked at the
    function's own file alone would not see a change in what it calls.
    """
    function.__qualname__ += f"_{DIGEST}"
    return nb.njit(cache=True, nogil=True, fastmath=ORDERED, error_model="numpy", **options)(function)


inlined = partial(compiled, inline="always")


@intrinsic
def _bits(typingctx: Any, x: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.bitcast(args[0], ir.IntType(64))

    return types.int64(types.float64), codegen


@intrinsic
def _from_bits(typingctx: Any, x: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.bitcast(args[0], ir.DoubleType())

    return types.float64(types.int64), codegen


@intrinsic
def _fma(typingctx: Any, a: Any, b: Any, c: Any) -> Any:
    """a·b + c in one rounding, which no compiler reorders."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.fma(*args)

    return types.float64(types.float64, types.float64, types.float64), codegen


@inlined
def exp(x):
    """exp(x) for −708 ≤ x ≤ 708, to 1e-15 of itself; beyond it stays at the value there."""
    x = min(max(x, LOWEST), HIGHEST)
    shifted = _fma(x, LOG2E, MAGIC)
    n = shifted - MAGIC
    r = _fma(-n, LN2_LOW, _fma(-n, LN2_HIGH, x))
    p = (((((r / 479001600 + 1 / 39916800) * r + 1 / 3628800) * r + 1 / 362880) * r + 1 / 40320) * r + 1 / 5040) * r
    p = (((((p + 1 / 720) * r + 1 / 120) * r + 1 / 24) * r + 1 / 6) * r + 1 / 2) * r + 1.0
    return (p * r + 1.0) * _from_bits((_bits(shifted) + 1023) << 52)


@inlined
def one_minus_exp(h, silent):
    """(1 − exp(−h))/h for h ≥ 0, given silent = exp(−h): one at zero."""
    p = 1.0 - h / 9 * (1.0 - h / 10 * (1.0 - h / 11 * (1.0 - h / 12)))
    p = 1.0 - h / 5 * (1.0 - h / 6 * (1.0 - h / 7 * (1.0 - h / 8 * p)))
    small = 1.0 - h / 2 * (1.0 - h / 3 * (1.0 - h / 4 * p))
    return small if h < SMALL else (1.0 - silent) / h


@inlined
def expm1_series(x):
    """(exp(x) − 1)/x for 0 ≤ x ≤ 0.3."""
    p = 1.0 + x / 9 * (1.0 + x / 10 * (1.0 + x / 11 * (1.0 + x / 12)))
    p = 1.0 + x / 5 * (1.0 + x / 6 * (1.0 + x / 7 * (1.0 + x / 8 * p)))
    return 1.0 + x / 2 * (1.0 + x / 3 * (1.0 + x / 4 * p))


@inlined
def expm1_quotient(x):
    """(exp(x) − 1)/x for 0 ≤ x ≤ 708: one at zero."""
    small = expm1_series(x)
    return small if x < SMALL else (exp(x) - 1.0) / x
