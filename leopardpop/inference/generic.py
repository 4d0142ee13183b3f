"""Laplace with importance sampling for any smooth PyMC model."""

from __future__ import annotations

import threading
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from leopardpop._version import __version__
from leopardpop.errors import ConvergenceWarning, ModelError
from leopardpop.inference.laplace import LaplaceDraws, laplace_draws

if TYPE_CHECKING:
    import pymc as pm
    import xarray as xr

__all__ = ["PyMCTarget", "laplace"]

Vector = NDArray[np.float64]

_STARTS = 5


class PyMCTarget:
    """The log posterior of a PyMC model on its unconstrained space.

    Parameters
    ----------
    model
        Model whose free variables are all continuous.
    compile_mode
        PyTensor mode. The default compiles in a second or less; "NUMBA" takes from ten seconds to over a minute and
        pays only where one evaluation takes much longer than a millisecond.

    Raises
    ------
    ModelError
        If a free variable is discrete, or there is none.
    """

    def __init__(self, model: pm.Model, *, compile_mode: str = "FAST_COMPILE") -> None:
        _check(model)
        self.model, self.compile_mode = model, compile_mode
        self._point = model.initial_point(random_seed=0)
        self._inputs = model.value_vars
        self.names = tuple(name for var in self._inputs for name in _element_names(model, var, self._point[var.name]))
        self._value, self._gradient = self._compiled()
        self._lock = threading.Lock()  # a compiled function keeps its arguments in itself

    def value(self, theta: Vector) -> float:
        """Log posterior at ``theta`` (P,), with the Jacobian of the transforms."""
        with self._lock:
            return float(self._value(np.ascontiguousarray(theta)))

    def gradient(self, theta: Vector) -> tuple[float, Vector]:
        """Log posterior and its gradient (P,)."""
        with self._lock:
            value, slope = self._gradient(np.ascontiguousarray(theta))
        return float(value), np.array(slope)

    def starts(self) -> list[Vector]:
        """The model's initial point and others around it."""
        centre = np.concatenate([np.ravel(self._point[var.name]) for var in self._inputs]).astype(float)
        jitter = np.random.default_rng(0).uniform(-1.0, 1.0, (_STARTS - 1, len(centre)))
        return [centre, *(centre + jitter)]

    def point(self, theta: Vector) -> dict[str, NDArray[Any]]:
        """Values by name of the (transformed) variables at ``theta`` (P,)."""
        point, begin = {}, 0
        for var in self._inputs:
            like = np.asarray(self._point[var.name])
            point[var.name] = theta[begin : begin + like.size].reshape(like.shape).astype(like.dtype)
            begin += like.size
        return point

    def variables(self, thetas: Vector) -> dict[str, NDArray[Any]]:
        """Free variables and deterministics on their natural scale at the rows of ``thetas`` (S, P): (S, ...) each."""
        from pymc.util import get_default_varnames

        wanted = get_default_varnames(self.model.unobserved_value_vars, include_transformed=False)
        function = self.model.compile_fn(
            wanted, inputs=self._inputs, on_unused_input="ignore", point_fn=False, mode=self.compile_mode
        )
        rows = [function(*self.point(theta).values()) for theta in thetas]
        return {var.name: np.stack([row[i] for row in rows]) for i, var in enumerate(wanted)}

    def _compiled(self) -> tuple[Any, Any]:
        import pytensor.tensor as pt
        from pymc.pytensorf import compile as compile_function
        from pymc.pytensorf import join_nonshared_inputs

        (logp,), joined = join_nonshared_inputs(
            point=self._point, inputs=self._inputs, outputs=[self.model.logp()], make_inputs_shared=False
        )
        value = compile_function([joined], logp, mode=self.compile_mode)
        gradient = compile_function([joined], [logp, pt.grad(logp, joined)], mode=self.compile_mode)
        value.trust_input = gradient.trust_input = True
        return value, gradient


def laplace(
    pm_model: pm.Model,
    *,
    draws: int = 1000,
    chains: int = 4,
    seed: int | np.random.Generator | None = None,
    compile_mode: str = "FAST_COMPILE",
) -> xr.DataTree:
    """Draw from the posterior of any smooth PyMC model, in seconds and with a certificate.

    Parameters
    ----------
    pm_model
        A `pymc.Model` with continuous free variables only; constraints, deterministics, potentials and several
        likelihoods are fine.
    draws, chains
        Size of the sample.
    seed
        Seed or generator.
    compile_mode
        PyTensor mode; see `PyMCTarget`.

    Returns
    -------
    xarray.DataTree
        As `pymc.sample` gives it: posterior (free variables and deterministics), sample_stats (``lp`` and
        ``log_weight`` by chain and draw; attributes ``pareto_k``, ``importance_ess``, …), log_likelihood, log_prior,
        observed_data, constant_data.

    Raises
    ------
    ModelError
        If a free variable is discrete.
    FitError
        If the log posterior is not finite where the search begins.

    Warns
    -----
    ConvergenceWarning
        If the certificate does not hold: then sample with NUTS.

    References
    ----------
    Vehtari et al. (2024), Journal of Machine Learning Research 25(72)

    Examples
    --------
    >>> import pymc as pm
    >>> with pm.Model() as model:
    ...     rate = pm.Gamma("rate", 2, 1)
    ...     count = pm.Poisson("count", rate, observed=[3, 5, 4])
    >>> tree = laplace(model, seed=1)
    >>> round(float(tree["posterior"]["rate"].mean()), 1)  # (2 + 12) / (1 + 3) = 3.5
    3.5
    >>> sorted(tree.children)
    ['log_likelihood', 'log_prior', 'observed_data', 'posterior', 'sample_stats']
    """
    target = PyMCTarget(pm_model, compile_mode=compile_mode)
    fit = laplace_draws(target, draws=draws, chains=chains, seed=seed, threads=1)
    if not fit.trusted:
        message = f"The Laplace draws are not the posterior: {'; '.join(fit.problems)}. Sample this model with NUTS."
        warnings.warn(message, ConvergenceWarning, stacklevel=2)
    return _tree(target, fit)


def _check(model: pm.Model) -> None:
    discrete = [var.name for var in model.discrete_value_vars]
    if discrete:
        names = ", ".join(repr(name) for name in discrete)
        raise ModelError(
            f"laplace needs continuous unknowns, and {names} takes whole numbers: sum over it in the likelihood, "
            "or sample the model with pymc.sample.",
            offenders=discrete,
        )
    if not model.free_RVs:
        raise ModelError("The model has no free variable: there is nothing to draw.")


def _element_names(model: pm.Model, var: Any, value: Any) -> list[str]:
    """Labels of the elements of a value variable, by the name of its random variable."""
    name, shape = model.values_to_rvs[var].name, np.shape(value)
    return [f"{name}[{','.join(map(str, where))}]" if where else name for where in np.ndindex(shape)]


def _tree(target: PyMCTarget, fit: LaplaceDraws) -> xr.DataTree:
    """All groups, computed once for each distinct raw draw and then repeated as resampling asks."""
    import xarray as xr

    used, where = np.unique(fit.index, return_inverse=True)
    rows = xr.DataArray(where.reshape(fit.index.shape), dims=("chain", "draw"))
    posterior = _dataset(target.model, target.variables(fit.raw[used]), ["raw"])
    chains, draws = (np.arange(size) for size in fit.index.shape)
    groups = {"posterior": posterior, "sample_stats": _sample_stats(fit), **_log_densities(target, posterior)}
    for name, data in groups.items():
        repeated = data.drop_vars("raw").isel(raw=rows) if "raw" in data.dims else data
        groups[name] = repeated.assign_coords(chain=chains, draw=draws)
    groups |= {name: data for name, data in _data(target.model).items() if data.data_vars}
    library = {"inference_library": "leopardpop", "inference_library_version": __version__}
    return xr.DataTree.from_dict({name: data.assign_attrs(library) for name, data in groups.items()})


def _log_densities(target: PyMCTarget, posterior: xr.Dataset) -> dict[str, xr.Dataset]:
    """Log likelihood and log prior of each variable, at the rows of ``posterior``."""
    from pymc.stats import compute_log_likelihood, compute_log_prior

    options: dict[str, Any] = {
        "sample_dims": ["raw"],
        "progressbar": False,
        "extend_inferencedata": False,
        "model": target.model,
    }
    options["compile_kwargs"] = {"mode": target.compile_mode}
    found = {}
    if target.model.observed_RVs:
        found["log_likelihood"] = compute_log_likelihood({"posterior": posterior}, **options).drop_attrs()
    return found | {"log_prior": compute_log_prior({"posterior": posterior}, **options).drop_attrs()}


def _sample_stats(fit: LaplaceDraws) -> xr.Dataset:
    import xarray as xr

    dims = ("chain", "draw")
    attrs = {"pareto_k": fit.pareto_k, "importance_ess": fit.importance_ess, "n_evaluations": fit.n_evaluations}
    attrs |= {"n_gradients": fit.n_gradients, "n_raw": len(fit.raw), "seconds": fit.seconds}
    return xr.Dataset({"lp": (dims, fit.lp), "log_weight": (dims, fit.log_weight)}, attrs=attrs)


def _data(model: pm.Model) -> dict[str, xr.Dataset]:
    from pymc.backends.arviz import find_constants, find_observations

    return {
        "observed_data": _dataset(model, find_observations(model), []),
        "constant_data": _dataset(model, find_constants(model), []),
    }


def _dataset(model: pm.Model, values: dict[str, Any], sample_dims: list[str]) -> xr.Dataset:
    """Arrays with the dims and coords that the model gives them."""
    from arviz_base import dict_to_dataset
    from pymc.backends.arviz import coords_and_dims_for_inferencedata

    coords, dims = coords_and_dims_for_inferencedata(model)
    data: xr.Dataset = dict_to_dataset(values, coords=coords, dims=dims, sample_dims=sample_dims)
    return data.drop_attrs()
