r"""Animals that were detected once, left out of the data: what is counted are animals with two detections or more.

Of an identity that was seen once nobody can tell whether it is an animal of its own or another one misread: a *ghost*.
An animal centred at x is not counted with probability

.. math::
    p_0(x) + p_1(x) = e^{-H(x)} \{1 + S(x)\}, \qquad S = \frac{p_1}{p_0} =
    \begin{cases}
        \sum_k T_k \lambda_k = H & \text{count} \\
        \sum_k \sum_s (e^{T_{ks} \lambda_k} - 1) & \text{proximity} \\
        \sum_s (e^{H_s} - 1) & \text{multi}
    \end{cases}

so that :math:`H - \log(1 + S)` takes the place of H wherever animals that are not in the data are meant.

On a lattice the exponentials of proximity detectors are power series of the kernel e = e_x e_y, of which each power is
again a product of two functions of one coordinate: Tλ = Te for a hazard, and (1 − e)^(−T) for a probability.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from leopardpop.data.arrays import SessionArrays
    from leopardpop.models.likelihood.terms import Floats, Ints

__all__ = ["KernelSeries", "Singles", "singles_of"]

MOST_TERMS = 60
NEGLIGIBLE = 1e-17


class Singles(NamedTuple):
    """What an animal that is detected once needs, in a session."""

    detector: str
    station: Ints
    """Station of each pair of a station and an effort, at proximity detectors, (U,)."""
    effort: Floats
    """T of each pair, (U,)."""
    number: Floats
    """Occasions on which the station had this effort, (U,)."""

    @property
    def of_pairs(self) -> bool:
        """Whether S is a sum over stations and efforts, not over the void vectors."""
        return self.detector == "proximity"

    def odds(self, times: Floats, hazards: Floats) -> Floats:
        """S from the void vectors, (J,), where it is a sum over these."""
        return np.asarray(times @ (hazards if self.detector == "count" else np.expm1(hazards)))

    def slopes(self, times: Floats, hazards: Floats) -> Floats:
        """Derivatives of that S with respect to each H_v, (V, J)."""
        return times[:, None] * (np.ones_like(hazards) if self.detector == "count" else np.exp(hazards))

    def odds_of_pairs(self, hazard: Floats) -> Floats:
        """S from the hazards of all stations at some cells (K, B), (B,)."""
        return np.asarray(self.number @ np.expm1(self.effort[:, None] * hazard[self.station]))

    def slopes_of_pairs(self, hazard: Floats) -> Floats:
        """Derivatives of that S with respect to each log λ, (K, B)."""
        expected = self.effort[:, None] * hazard[self.station]
        result = np.zeros_like(hazard)
        np.add.at(result, self.station, self.number[:, None] * expected * np.exp(expected))
        return result


def singles_of(data: SessionArrays, detector: str) -> Singles:
    """Stations with their distinct efforts.

    Parameters
    ----------
    data
        The session's arrays.
    detector
        ``"count"``, ``"proximity"`` or ``"multi"``.
    """
    station, occasion = np.nonzero(data.effort if detector == "proximity" else data.effort[:0])
    pairs = np.column_stack([station, data.effort[station, occasion]])
    distinct, number = np.unique(pairs, axis=0, return_counts=True)
    return Singles(detector, distinct[:, 0].astype(np.intp), distinct[:, 1].copy(), number.astype(float))


class KernelSeries:
    """S of proximity detectors as a power series of the kernel, Σ_m Σ_k c_mk e_k^m.

    Parameters
    ----------
    singles
        Stations with their efforts.
    n_stations
        Number of stations K.
    is_probability
        Whether the kernel is a probability, λ = −log(1 − e), or the hazard itself.
    """

    def __init__(self, singles: Singles, n_stations: int, *, is_probability: bool) -> None:
        power = np.arange(1, MOST_TERMS + 1)[:, None]
        with np.errstate(over="ignore"):
            factor = (singles.effort + (power - 1.0 if is_probability else 0.0)) / power
            terms = singles.number * np.cumprod(factor, axis=0)
        self.coefficient = np.zeros((MOST_TERMS, n_stations))
        for row, term in zip(self.coefficient, terms, strict=True):
            row += np.bincount(singles.station, weights=term, minlength=n_stations)

    def n_terms(self, log_base: Floats) -> int:
        """Terms that matter for kernels up to exp(b); 0 if they are more than are kept."""
        with np.errstate(over="ignore", invalid="ignore"):
            largest = (self.coefficient * np.exp(np.arange(1, MOST_TERMS + 1)[:, None] * log_base)).max(1)
        if not np.isfinite(largest).all():
            return 0
        needed = int(np.flatnonzero(largest > NEGLIGIBLE * largest[0]).max(initial=0)) + 1
        return needed if needed < MOST_TERMS else 0

    def odds(self, along_x: Floats, along_y: Floats, n_terms: int) -> Floats:
        """S on the lattice (L,) from the kernels along x (K, nx) and y (K, ny)."""
        result = np.zeros((along_x.shape[1], along_y.shape[1]))
        left, right = np.ones_like(along_x), np.ones_like(along_y)
        for coefficient in self.coefficient[:n_terms]:
            left *= along_x
            right *= along_y
            result += (coefficient[:, None] * left).T @ right
        return result.reshape(-1)

    def slopes(
        self, along: tuple[Floats, Floats], squares: tuple[Floats, Floats], cotangent: Floats, n_terms: int
    ) -> tuple[Floats, Floats]:
        """Derivatives with respect to b_k and to p_k = 1/2σ_k², (K,) each, given those with respect to S, (L,)."""
        (along_x, along_y), (square_x, square_y) = along, squares
        table = cotangent.reshape(along_x.shape[1], along_y.shape[1])
        left, right = np.ones_like(along_x), np.ones_like(along_y)
        base, bent = np.zeros(len(along_x)), np.zeros(len(along_x))
        for m, coefficient in enumerate(self.coefficient[:n_terms], start=1):
            left *= along_x
            right *= along_y
            row, across = left * (right @ table.T), left * ((right * square_y) @ table.T)
            base += m * coefficient * row.sum(1)
            bent -= m * coefficient * ((row * square_x).sum(1) + across.sum(1))
        return base, bent
