"""The NumPy likelihood with its gradient as one PyTensor operation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytensor.tensor as pt
from pytensor.graph.basic import Apply
from pytensor.graph.op import Op

if TYPE_CHECKING:
    from leopardpop.models.problem import Problem
    from leopardpop.models.states.problem import OccupancyProblem

__all__ = ["IdentitiesOp", "LikelihoodOp"]


class LikelihoodOp(Op):
    """theta (P,) to (log-likelihood, gradient (P,)).

    Parameters
    ----------
    problem
        The model with its data.
    posterior
        Whether it is the log posterior of theta instead.
    """

    __props__ = ()

    def __init__(self, problem: Problem | OccupancyProblem, *, posterior: bool = False) -> None:
        self.problem = problem
        self._function = problem.gradient if posterior else problem.log_likelihood_gradient

    def make_node(self, theta: Any) -> Apply[Any, Any]:
        """Declare the types."""
        theta = pt.as_tensor_variable(theta)
        return Apply(self, [theta], [pt.dscalar(), pt.dvector()])

    def perform(self, node: Any, inputs: Any, output_storage: Any) -> None:
        """Evaluate; outside of the domain −inf with a zero gradient."""
        value, gradient = self._function(np.asarray(inputs[0], float))
        fine = bool(np.isfinite(value) and np.isfinite(gradient).all())
        output_storage[0][0] = np.asarray(value if fine else -np.inf)
        output_storage[1][0] = gradient if fine else np.zeros_like(gradient)

    def pullback(self, inputs: Any, outputs: Any, cotangents: Any) -> list[Any]:
        """Gradient of the value; the gradient itself is not differentiated further."""
        return [cotangents[0] * outputs[1]]


class IdentitiesOp(Op):
    """Log sums of the histories of two flanks (h,) to (their log-likelihood over who is who, its gradient (h,)).

    Parameters
    ----------
    session
        :class:`leopardpop.models.flank_problem.FlankSession`.
    """

    __props__ = ()

    def __init__(self, session: Any) -> None:
        self.session = session

    def make_node(self, log_history: Any) -> Apply[Any, Any]:
        """Declare the types."""
        return Apply(self, [pt.as_tensor_variable(log_history)], [pt.dscalar(), pt.dvector()])

    def perform(self, node: Any, inputs: Any, output_storage: Any) -> None:
        """Evaluate; outside of the domain −inf with a zero gradient."""
        log_history = np.asarray(inputs[0], float)
        fine = bool(np.isfinite(log_history).all())
        output_storage[0][0] = np.asarray(self.session.log_identities(log_history))
        output_storage[1][0] = self.session.times_of(log_history) if fine else np.zeros_like(log_history)

    def pullback(self, inputs: Any, outputs: Any, cotangents: Any) -> list[Any]:
        """Gradient of the value; the gradient itself is not differentiated further."""
        return [cotangents[0] * outputs[1]]
