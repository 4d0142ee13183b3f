"""Two flanks: animals of which some are known from the left side only and some from the right side only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from leopardpop.errors import ModelError
from leopardpop.models.scr import SCR, need_poisson

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    import pymc as pm
    import xarray as xr

    from leopardpop.data.history import CaptureHistory
    from leopardpop.data.mask import Mask
    from leopardpop.models.simulation import Simulation
    from leopardpop.results.flank_fit import TwoFlankFit

    type Masks = Mask | Mapping[str, Mask]

__all__ = ["TwoFlanks"]


@dataclass(frozen=True, kw_only=True)
class TwoFlanks:
    r"""Spatial capture-recapture where a left-flank and a right-flank identity may be the same animal.

    Coats differ between the sides, so an animal that never showed both in one event is in the data as a left identity,
    a right one, or both. With :math:`R_{lr}` the likelihood of l and r as one animal over that as two,

    .. math::
        L = e^{-\Lambda} \prod_B A_i \prod_l U_l \prod_r V_r \sum_m \prod_{(l,r) \in m} R_{lr} / (n_B!\, n_L!\, n_R!)

    with the sum over all partial matchings m, computed exactly. Each event shows left, right or both with chances that
    may differ between stations but not with where the animal lives; they cancel. On an occasion of a proximity or
    multi-catch detector an animal shows one of the three, so that a left and a right identity at the same station and
    occasion are two animals; choose short occasions, or counts. Identities of different sex (column ``sex``) are two.

    Parameters
    ----------
    model
        The model of density and detection.

    Raises
    ------
    ModelError
        If ``model`` is no SCR model, its N is binomial, its counts are negative binomial, or it has ghosts.

    References
    ----------
    Augustine BC et al. (2018) Spatial capture-recapture with partial identity: an application to camera traps.
    Annals of Applied Statistics 12, 67-95. doi:10.1214/17-AOAS1091

    Examples
    --------
    >>> TwoFlanks(model=SCR(density="~ 1")).model.density.D
    '~ 1'
    """

    model: SCR = field(default_factory=SCR)

    def __post_init__(self) -> None:
        """Check the model."""
        if not isinstance(self.model, SCR):
            raise ModelError(
                f"model={self.model!r}: give the model of one animal, such as lp.TwoFlanks(model=lp.SCR())"
            )
        need_poisson(self.model)
        if self.model.counts == "negbin":
            raise ModelError(
                'counts="negbin" with two flanks: in a burst the photographs of the left and of the right flank come '
                "together, so that they are not independent of each other. Leave counts out, or use "
                'detector="proximity".',
                offenders=["counts"],
            )
        if self.model.ghosts:
            raise ModelError(
                "ghosts=True with two flanks: it leaves out animals detected once, and with two flanks nobody knows "
                "which they are. Fit one flank (flank='left') with ghosts, or leave ghosts out.",
                offenders=["ghosts"],
            )

    def parameters(self, history: CaptureHistory, mask: Masks) -> pd.DataFrame:
        """Table of all coefficients before any fit: as :meth:`SCR.parameters`, since flanks add none.

        Parameters
        ----------
        history
            History with flanks.
        mask
            One mask, or one a session.

        Returns
        -------
        pandas.DataFrame
        """
        return self.model.parameters(history, mask)

    def log_likelihood(
        self, history: CaptureHistory, mask: Masks, *, parameters: Mapping[str, float] | pd.Series
    ) -> float:
        """Log-likelihood given which flank each event showed.

        Parameters
        ----------
        history
            History with flanks.
        mask
            One mask, or one a session.
        parameters
            As for :meth:`SCR.log_likelihood`.

        Returns
        -------
        float
            With −log n_B! n_L! n_R!. Where each identity is known from one flank and none from the other it is that of
            :class:`SCR`.
        """
        from leopardpop.models.describe import theta_of

        problem = self._problem(history, mask)
        return float(problem.log_likelihood(theta_of(problem, parameters)))

    def simulate(
        self,
        history: CaptureHistory,
        mask: Masks,
        *,
        parameters: Mapping[str, float] | pd.Series,
        both: float = 0.7,
        paired: str | None = None,
        seed: int | np.random.Generator | None = None,
    ) -> Simulation:
        """Draw a population, a survey of it, and the flanks that each event shows.

        Parameters
        ----------
        history
            Supplies stations, effort, occasions and detector.
        mask
            One mask, or one a session.
        parameters
            As for :meth:`SCR.log_likelihood`.
        both
            Chance that an event at a station with two cameras shows both flanks; else each one alike.
        paired
            Column of the stations that is true where there are two cameras; None: at all of them.
        seed
            Seed or generator.

        Returns
        -------
        Simulation
            Animals that never showed both are "S01/L" and "S01/R" in its history.
        """
        from leopardpop.models.flank_simulation import simulate_flanks

        return simulate_flanks(self.model, history, mask, parameters=parameters, both=both, paired=paired, seed=seed)

    def build(self, history: CaptureHistory, mask: Masks) -> pm.Model:
        """Build the model as a plain :class:`pymc.Model`.

        All of it is a graph but for the sum over who is who: that is one operation with its gradient, worked out in
        NumPy, so that samplers need a backend that runs it (PyMC's own, not JAX).

        Parameters
        ----------
        history
            History with flanks.
        mask
            One mask, or one a session.

        Returns
        -------
        pymc.Model
            Variables as of :meth:`SCR.build`; hand what was sampled to :meth:`from_posterior`.
        """
        from leopardpop.models.graph import build_model

        return build_model(self._problem(history, mask))

    def fit(
        self,
        history: CaptureHistory,
        mask: Masks,
        *,
        engine: Literal["auto", "laplace", "nuts"] = "auto",
        draws: int = 1000,
        chains: int = 4,
        seed: int | np.random.Generator | None = None,
        **options: Any,
    ) -> TwoFlankFit:
        """Compute the posterior, with a matching drawn for every draw.

        Parameters
        ----------
        history
            History with flanks: ``survey.capture_history(flank="each")``.
        mask
            One mask, or one a session.
        engine
            ``"laplace"``: importance sampling around the mode, with a certificate; ``"nuts"``: PyMC's sampler;
            ``"auto"``: the first, and the second if its certificate fails.
        draws, chains
            Size of the sample.
        seed
            Seed or generator.
        **options
            Of the engine, as for :meth:`SCR.fit`.

        Returns
        -------
        TwoFlankFit
            Posterior of N over parameters and matchings, and the chance of each pair.

        Raises
        ------
        ModelError
            If no flank is known, too many identities may be the same, or there is no such option.
        FitError
            If no mode can be found.

        Warns
        -----
        ConvergenceWarning
            If the draws cannot be trusted.
        """
        from leopardpop.results.fitting import fit_model

        options = {"engine": engine, "draws": draws, "chains": chains, "seed": seed, **options}
        fit: Any = fit_model(self, history, mask, **options)
        return fit  # type: ignore[no-any-return]

    def from_posterior(self, tree: xr.DataTree, history: CaptureHistory, mask: Masks) -> TwoFlankFit:
        """Make a fit of draws that were made elsewhere, for instance by ``pm.sample`` of :meth:`build`.

        Parameters
        ----------
        tree
            DataTree with a group ``posterior`` that has the ``*_beta`` variables of this model.
        history
            The history that the model was built with.
        mask
            The mask that the model was built with.

        Returns
        -------
        TwoFlankFit
            As from :meth:`fit`; matchings are drawn anew.
        """
        from leopardpop.results.fitting import fit_from_tree

        fit: Any = fit_from_tree(self, tree, history, mask)
        return fit  # type: ignore[no-any-return]

    def _problem(self, history: CaptureHistory, mask: Masks) -> Any:
        from leopardpop.models.flank_problem import FlankProblem

        return FlankProblem(self.model, history, mask)
