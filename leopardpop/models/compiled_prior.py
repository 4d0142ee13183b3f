"""Density of priors that are known only by the PyMC variable that they create."""

from __future__ import annotations

from typing import Any

from leopardpop.priors import Prior

__all__ = ["CompiledPrior", "as_density"]


def as_density(prior: Any) -> Any:
    """A prior with ``logpdf``; anything that only makes a PyMC variable is compiled."""
    return prior if isinstance(prior, Prior) else CompiledPrior(prior)


class CompiledPrior:
    """Density of a prior that is known only by the PyMC variable that it creates.

    Parameters
    ----------
    source
        An object with ``create_variable(name)`` for a scalar variable.
    """

    def __init__(self, source: Any) -> None:
        from threading import Lock

        import pymc as pm
        import pytensor
        import pytensor.tensor as pt

        self.source, self._lock = source, Lock()
        with pm.Model():
            variable = source.create_variable("x")
            point = pt.dscalar("point")
            density = pm.logp(variable, point)
            self._functions = [
                pytensor.function([point], out, mode="FAST_COMPILE") for out in (density, pt.grad(density, point))
            ]

    def logpdf(self, x: float) -> float:
        """Log density at x."""
        with self._lock:
            return float(self._functions[0](x))

    def logpdf_derivative(self, x: float) -> float:
        """Derivative of the log density at x."""
        with self._lock:
            return float(self._functions[1](x))

    def create_variable(self, name: str) -> Any:
        """Create the PyMC variable."""
        return self.source.create_variable(name)

    def __repr__(self) -> str:
        """Show the source."""
        return repr(self.source)
