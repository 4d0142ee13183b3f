# mypy: disable-error-code="no-untyped-def, untyped-decorator, no-untyped-call, call-arg, var-annotated, unreachable"
"""Elementary functions that vectorise inside compiled loops: the exponential, and quotients that are one at zero.

The quotient −log(1 − e)/e is a polynomial in e: through the Chebyshev nodes of 0 to 1/2, 0.3 or 0.05 with as many terms
as double precision needs; on lines where e is small, as on most, four terms of the power series.
"""

from __future__ import annotations

from functools import partial
from hashlib import sha256
from importlib.resources import files
from typing import Any

import numba as nb
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

__all__ = [
    "add_hazard",
    "compiled",
    "exp",
    "expm1_quotient",
    "expm1_series",
    "inlined",
    "log_ratios",
    "one_minus_exp",
    "part",
]

ORDERED = {"contract", "reassoc", "nsz", "arcp"}
SOURCES = ("elementary.py", "compiled.py", "places.py", "centres.py", "batches.py")

LOG2E = 1.4426950408889634
LN2_HIGH, LN2_LOW = 0.6931471803691238, 1.9082149292705877e-10
MAGIC = 6755399441055744.0
"""1.5 · 2^52: added to a number it leaves its nearest whole number in the lowest bits."""
SMALL = 0.3
"""Up to it twelve terms of (exp(x) − 1)/x and of (1 − exp(−x))/x are exact to double precision."""
TINY_KERNEL = 2e-4
"""Up to it four terms of the power series of −log(1 − e)/e are."""
LOWEST, HIGHEST = -708.0, 708.0


def _digest() -> str:
    """A short name of the source of all compiled functions."""
    folder = files("leopardpop.models.likelihood")
    return sha256(b"".join(folder.joinpath(name).read_bytes() for name in SOURCES)).hexdigest()[:12]


DIGEST = _digest()


def _compile(function: Any, **options: Any) -> Any:
    return nb.njit(nogil=True, fastmath=ORDERED, error_model="numpy", **options)(function)


def compiled(function: Any) -> Any:
    """Compile a function at its first call, and keep the result on disk.

    What is kept goes by the name of the function, which gets that of the sources: a cache that looked at the
    function's own file alone would not see a change in what it calls.
    """
    function.__qualname__ += f"_{DIGEST}"
    return _compile(function, cache=True)


part = partial(_compile, no_cpython_wrapper=True, no_cfunc_wrapper=True)
"""Compile a function that only compiled functions call: what serves Python and the disk takes a third of the time."""
inlined = partial(_compile, inline="always")


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


@inlined
def _series_4(e):
    return ((e / 4 + 1 / 3) * e + 1 / 2) * e + 1.0


@inlined
def _polynomial_9(e):
    """−log(1 − e)/e for e ≤ 0.05, through the Chebyshev nodes; summed in pairs, which do not wait for each other."""
    e2 = e * e
    e4 = e2 * e2
    a = (1.0 + 0.49999999999999406 * e) + (0.3333333333364993 + 0.24999999935169945 * e) * e2
    b = (0.20000006638852147 + 0.16666285722901966 * e) + (0.14298501592708282 + 0.12251845587782177 * e) * e2
    c = 0.13656375168197568
    return (a + b * e4) + c * (e4 * e4)


@inlined
def _polynomial_15(e):
    """The same for e ≤ 0.3."""
    e2 = e * e
    e4 = e2 * e2
    a = (1.0 + 0.49999999999997247 * e) + (0.33333333334016774 + 0.24999999933262593 * e) * e2
    b = (0.20000003402236086 + 0.166665625908305 * e) + (0.1428778329506863 + 0.12471947915139503 * e) * e2
    c = (0.11377978488334498 + 0.08194322590609775 * e) + (0.1778067222380613 - 0.20952143659671527 * e) * e2
    d = (0.7419252359525753 - 0.8644622295293458 * e) + 0.7267425879124448 * e2
    return (a + b * e4) + (c + d * e4) * (e4 * e4)


@inlined
def _polynomial_21(e):
    """The same for e ≤ 1/2."""
    e2 = e * e
    e4 = e2 * e2
    e8 = e4 * e4
    a = (1.0 + 0.49999999999999023 * e) + (0.3333333333361931 + 0.2499999996684111 * e) * e2
    b = (0.20000002031370526 + 0.16666590679409987 * e) + (0.14287606118661553 + 0.12466842774185391 * e) * e2
    c = (0.1153620293486034 + 0.05905289935040555 * e) + (0.3928002967931491 - 1.641118843588303 * e) * e2
    d = (7.760628433535017 - 26.68059902636099 * e) + (72.58379957646765 - 151.4655282034524 * e) * e2
    g = (239.6381824056025 - 277.58570995112507 * e) + (223.12436325902686 - 111.5016083008295 * e) * e2
    f = 26.45998799395012
    return (a + b * e4) + ((c + d * e4) + (g + f * e4) * e8) * e8


@part
def log_ratios(a, lines, k, q):
    """Fill q with −log(1 − e)/e for e = a·lines[k], where 0 ≤ lines ≤ 1 and a ≤ 1/2: as many terms as a needs."""
    n = lines.shape[1]
    if a < TINY_KERNEL:
        for j in range(n):
            q[j] = _series_4(a * lines[k, j])
    elif a < 0.05:
        for j in range(n):
            q[j] = _polynomial_9(a * lines[k, j])
    elif a < 0.3:
        for j in range(n):
            q[j] = _polynomial_15(a * lines[k, j])
    else:
        for j in range(n):
            q[j] = _polynomial_21(a * lines[k, j])


@part
def add_hazard(a, lines, k, w, q, r, m, hazards, v, i):
    """Fill q[r, m] as :func:`log_ratios` does, and add w·e·q = −w log(1 − e) to hazards[v, i]."""
    n = lines.shape[1]
    if a < TINY_KERNEL:
        for j in range(n):
            e = a * lines[k, j]
            ratio = _series_4(e)
            q[r, m, j] = ratio
            hazards[v, i, j] += w * e * ratio
    elif a < 0.05:
        for j in range(n):
            e = a * lines[k, j]
            ratio = _polynomial_9(e)
            q[r, m, j] = ratio
            hazards[v, i, j] += w * e * ratio
    elif a < 0.3:
        for j in range(n):
            e = a * lines[k, j]
            ratio = _polynomial_15(e)
            q[r, m, j] = ratio
            hazards[v, i, j] += w * e * ratio
    else:
        for j in range(n):
            e = a * lines[k, j]
            ratio = _polynomial_21(e)
            q[r, m, j] = ratio
            hazards[v, i, j] += w * e * ratio
