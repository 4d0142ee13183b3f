"""Made-up land: smooth random surfaces for habitat, snow, prey."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from leopardpop.design.parameters import check_levels
from leopardpop.errors import ModelError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["GaussianField", "gaussian_field"]

WAVES = 600
BLOCK = 4_096
"""Points that are evaluated together: memory stays small on any map."""


@dataclass(frozen=True, eq=False)
class GaussianField:
    """A surface that is smooth and random, as a function of x and y in metres; made by :func:`gaussian_field`."""

    waves: NDArray[np.float64]
    """Wave vectors, (W, 2), 1/m."""
    phase: NDArray[np.float64]
    """Phases, (W,)."""
    mean: float
    sd: float

    def __call__(self, x: Any, y: Any) -> NDArray[np.float64]:
        """Values at points, any shape."""
        shape = np.shape(x)
        points = np.column_stack([np.ravel(x), np.ravel(y)]).astype(float)
        parts = [self._at(points[i : i + BLOCK]) for i in range(0, len(points), BLOCK)]
        return np.concatenate(parts).reshape(shape) if parts else np.empty(shape)

    def _at(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        size = self.sd * np.sqrt(2 / len(self.phase))
        return np.asarray(self.mean + size * np.cos(points @ self.waves.T + self.phase).sum(1))


def gaussian_field(
    length: float,
    *,
    mean: float = 0.0,
    sd: float = 1.0,
    covariance: Literal["squared_exponential", "matern32"] = "matern32",
    seed: int | np.random.Generator | None = 1,
) -> GaussianField:
    r"""A random surface, for a covariate of an invented landscape.

    A sum of 600 random waves whose vectors are drawn from the spectral density of the covariance; with d the distance
    and ℓ the length it is :math:`\sigma^2 e^{-d^2 / 2\ell^2}` or
    :math:`\sigma^2 (1 + \sqrt3 d / \ell) e^{-\sqrt3 d / \ell}`.

    Parameters
    ----------
    length
        Length scale ℓ, m.
    mean, sd
        Of the surface.
    covariance
        "squared_exponential": very smooth; "matern32": rougher.
    seed
        Seed or generator.

    Returns
    -------
    GaussianField
        A function of x and y, for :meth:`Mask.with_covariates`; it can be pickled.

    Raises
    ------
    ModelError
        For a length or sd that is not above 0, or another covariance.

    References
    ----------
    Rahimi A, Recht B (2007) Random features for large-scale kernel machines. Advances in Neural Information Processing
    Systems 20.

    Examples
    --------
    >>> import leopardpop as lp, pandas as pd
    >>> cells = pd.DataFrame({"x": [1000, 3000], "y": [0, 0]})
    >>> mask = lp.Mask.from_table(cells, cell_area=4).with_covariates(prey=gaussian_field(5_000, seed=2))
    >>> mask.covariates.columns.tolist()
    ['prey']
    """
    (scale,), (spread,) = check_levels("length", length), check_levels("sd", sd)
    if covariance not in ("squared_exponential", "matern32"):
        raise ModelError(f'covariance={covariance!r}: it is "squared_exponential" or "matern32".')
    rng = np.random.default_rng(seed)
    waves = rng.normal(size=(WAVES, 2)) / scale
    if covariance == "matern32":  # waves of a multivariate t with 3 degrees of freedom
        waves /= np.sqrt(rng.chisquare(3, WAVES) / 3)[:, None]
    return GaussianField(waves, rng.uniform(0, 2 * np.pi, WAVES), float(mean), spread)
