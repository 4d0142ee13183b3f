"""One prior: a named distribution that can be evaluated, drawn from, saved, and made a PyMC variable."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

import numpy as np

from leopardpop.components.formula_syntax import nearest
from leopardpop.errors import PriorError
from leopardpop.priors.normals import (
    CLogLogNormal,
    HalfNormal,
    LogitNormal,
    LogNormal,
    Normal,
    StudentT,
    TruncatedNormal,
)
from leopardpop.priors.positives import Exponential, Gamma, InverseGamma, Uniform
from leopardpop.priors.shares import Beta, Dirichlet

if TYPE_CHECKING:
    from leopardpop.priors.density import Density

__all__ = ["Prior", "from_range", "is_prior"]

_DENSITIES: dict[str, type[Density]] = {
    density.__name__: density
    for density in (
        Beta, CLogLogNormal, Dirichlet, Exponential, Gamma, HalfNormal, InverseGamma, LogNormal, LogitNormal, Normal,
        StudentT, TruncatedNormal, Uniform,
    )
}  # fmt: skip


@dataclass(frozen=True, init=False, repr=False)
class Prior:
    """Prior distribution of one parameter or coefficient.

    Parameters
    ----------
    distribution
        ``"Normal"``, ``"LogNormal"``, ``"HalfNormal"``, ``"TruncatedNormal"``, ``"StudentT"``, ``"Gamma"``,
        ``"InverseGamma"``, ``"Exponential"``, ``"Uniform"``, ``"Beta"``, ``"LogitNormal"``, ``"Dirichlet"``; or
        ``"CLogLogNormal"``: a probability whose hazard, -log(1 - x), is log-normal.
    **parameters
        As PyMC names them: ``mu``, ``sigma``, ``alpha``, ``beta``, ``nu``, ``lam``, ``lower``, ``upper``, ``a``.

    Raises
    ------
    PriorError
        An unknown distribution, a wrong or missing parameter, an impossible value.

    Examples
    --------
    >>> prior = Prior("LogNormal", mu=0, sigma=1)
    >>> prior
    Prior("LogNormal", mu=0, sigma=1)
    >>> float(prior.quantile(0.5))
    1.0
    """

    density: Density

    def __init__(self, distribution: str, /, **parameters: float | Sequence[float]) -> None:
        if distribution not in _DENSITIES:
            raise PriorError(
                f"unknown distribution {distribution!r}.{nearest(str(distribution), _DENSITIES)} "
                f"Known: {', '.join(_DENSITIES)}.",
                offenders=[distribution],
            )
        object.__setattr__(self, "density", _make(distribution, parameters))

    @property
    def distribution(self) -> str:
        """Name of the distribution."""
        return type(self.density).__name__

    @property
    def parameters(self) -> dict[str, Any]:
        """Parameters by name."""
        return {each.name: getattr(self.density, each.name) for each in fields(self.density)}

    def __repr__(self) -> str:
        given = "".join(f", {name}={_number(value)}" for name, value in self._told().items())
        return f'Prior("{self.distribution}"{given})'

    def __str__(self) -> str:
        """Short form for tables, with four digits."""
        given = ", ".join(f"{name}={_number(value, digits=4)}" for name, value in self._told().items())
        return f"{self.distribution}({given})"

    def _told(self) -> dict[str, Any]:
        """Return the parameters without bounds at infinity, which are the default."""
        return {name: value for name, value in self.parameters.items() if value not in (-math.inf, math.inf)}

    def logpdf(self, x: Any) -> Any:
        """Return the log density.

        Parameters
        ----------
        x
            Values of any shape; for a Dirichlet (..., classes).

        Returns
        -------
        float or ndarray
            -inf outside of the support.
        """
        return self.density.logpdf(x)

    def logpdf_derivative(self, x: Any) -> Any:
        """Return the derivative of the log density.

        Parameters
        ----------
        x
            Values of any shape.

        Returns
        -------
        float or ndarray
            d log p / dx, 0 outside of the support (where the log density is -inf).
        """
        return self.density.derivative(x)

    def quantile(self, q: Any) -> Any:
        """Return quantiles.

        Parameters
        ----------
        q
            Probabilities of any shape.

        Returns
        -------
        float or ndarray
        """
        return self.density.quantile(np.asarray(q, float))[()]

    def draw(self, rng: np.random.Generator, size: int | tuple[int, ...] | None = None) -> Any:
        """Draw random values.

        Parameters
        ----------
        rng
            Source of chance.
        size
            Shape of the result; None for one number.

        Returns
        -------
        float or ndarray
        """
        return self.density.draw(rng, size)

    @property
    def mean(self) -> Any:
        """Mean, infinite or NaN where there is none."""
        return self.density.moments()[0]

    @property
    def sd(self) -> Any:
        """Standard deviation, infinite or NaN where there is none."""
        return self.density.moments()[1]

    def create_variable(self, name: str) -> Any:
        """Create the PyMC variable, inside of a model context.

        Parameters
        ----------
        name
            Name of the variable. A CLogLogNormal is a Normal called ``{name}_cloglog`` and a Deterministic.

        Returns
        -------
        pytensor.tensor.TensorVariable
        """
        import pymc as pm

        # PyTensor makes float32 of a Python float such as 2.0, and its logarithm is then wrong in the eighth digit.
        values = {key: np.asarray(value, np.float64) for key, value in self._told().items()}
        if self.distribution == "CLogLogNormal":
            hazard = pm.math.exp(pm.Normal(f"{name}_cloglog", **values))
            return pm.Deterministic(name, -pm.math.expm1(-hazard))
        return getattr(pm, self.distribution)(name, **values)

    def shift_log(self, delta: float) -> Prior:
        """Multiply by exp(delta): for a change of unit.

        Parameters
        ----------
        delta
            Added to mu of a LogNormal, or of a CLogLogNormal (whose hazard is multiplied).

        Returns
        -------
        Prior

        Raises
        ------
        PriorError
            For any other distribution.
        """
        if self.distribution not in ("LogNormal", "CLogLogNormal"):
            raise PriorError(f"only a LogNormal or CLogLogNormal can change its unit, not {self!r}.", offenders=[self])
        given = self.parameters
        return Prior(self.distribution, mu=given["mu"] + delta, sigma=given["sigma"])

    def to_dict(self) -> dict[str, dict[str, Any]]:
        """Return a form for JSON and TOML: ``{"Normal": {"mu": 0.0, "sigma": 1.0}}``."""
        return {self.distribution: {k: list(v) if isinstance(v, tuple) else v for k, v in self._told().items()}}

    @classmethod
    def from_dict(cls, record: Any) -> Prior:
        """Make a prior of what :meth:`to_dict` gave.

        Parameters
        ----------
        record
            One distribution -> its parameters.

        Returns
        -------
        Prior
            The same prior.

        Raises
        ------
        PriorError
            If it is no such record.
        """
        if not (isinstance(record, Mapping) and len(record) == 1):
            raise PriorError(f"expected {{'Normal': {{'mu': 0, 'sigma': 1}}}} or the like, found {record!r}.")
        name, parameters = next(iter(record.items()))
        if not isinstance(parameters, Mapping):
            raise PriorError(f"{name}: expected its parameters, as in {{'mu': 0, 'sigma': 1}}; found {parameters!r}.")
        return cls(name, **parameters)


def is_prior(candidate: Any) -> bool:
    """Tell whether something can serve as a prior: anything with ``create_variable(name)``.

    Parameters
    ----------
    candidate
        Any object.

    Returns
    -------
    bool

    Examples
    --------
    >>> is_prior(Prior("Normal", mu=0, sigma=1)), is_prior(0.5)
    (True, False)
    """
    return not isinstance(candidate, type) and callable(getattr(candidate, "create_variable", None))


def from_range(lower: float, upper: float, *, mass: float = 0.9) -> Prior:
    """Log-normal prior with a given probability between two values, and equal tails.

    Parameters
    ----------
    lower, upper
        The range, on the natural scale of the parameter.
    mass
        Probability of the range.

    Returns
    -------
    Prior

    Raises
    ------
    PriorError
        Unless 0 < lower < upper and 0 < mass < 1.

    Examples
    --------
    >>> from_range(30, 50).quantile([0.05, 0.95]).round(6)
    array([30., 50.])
    """
    if not (0 < lower < upper < math.inf and 0 < mass < 1):
        raise PriorError(
            f"from_range({lower}, {upper}, mass={mass}): give 0 < lower < upper and a mass between 0 and 1."
        )
    sigma = math.log(upper / lower) / (2 * NormalDist().inv_cdf(0.5 + 0.5 * mass))
    return Prior("LogNormal", mu=0.5 * math.log(lower * upper), sigma=sigma)


def _make(distribution: str, given: Mapping[str, Any]) -> Density:
    kind = _DENSITIES[distribution]
    known = {each.name: each.default is MISSING for each in fields(kind)}
    example = f'Prior("{distribution}", {", ".join(f"{name}=..." for name in known)})'
    for name in given:
        if name not in known:
            raise PriorError(
                f"{distribution} has no parameter {name!r}.{nearest(name, known)} Write {example}.", offenders=[name]
            )
    missing = [name for name, needed in known.items() if needed and name not in given]
    if missing:
        raise PriorError(f"{distribution} needs {' and '.join(missing)}. Write {example}.", offenders=missing)
    return kind(**{name: _value(distribution, name, value) for name, value in given.items()})


def _value(distribution: str, name: str, value: Any) -> Any:
    try:
        return tuple(float(v) for v in value) if name == "a" else float(value)
    except (TypeError, ValueError):
        raise PriorError(f"{distribution}: {name}={value!r} is not a number.", offenders=[value]) from None


def _number(value: float | tuple[float, ...], digits: int | None = None) -> str:
    if isinstance(value, tuple):
        return f"({', '.join(_number(v, digits) for v in value)})"
    if digits is not None:
        return f"{value:.{digits}g}"
    return repr(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
