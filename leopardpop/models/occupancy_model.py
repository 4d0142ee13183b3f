"""What all occupancy models can do with a detection history."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from leopardpop.components.formula_syntax import nearest
from leopardpop.errors import ModelError
from leopardpop.models.states.structure import Structure
from leopardpop.models.states.tables import check_mask_absent

if TYPE_CHECKING:
    import pandas as pd
    import pymc as pm
    import xarray as xr

    from leopardpop.data.detection_history import DetectionHistory
    from leopardpop.models.states.problem import OccupancyProblem
    from leopardpop.models.states.simulation import OccupancySimulation
    from leopardpop.results.occupancy_fit import OccupancyFit
    from leopardpop.results.occupancy_maximum import OccupancyMaximum

__all__ = ["OccupancyModel"]

LINKS = ("logit", "probit", "cloglog")


@dataclass(frozen=True, kw_only=True)
class OccupancyModel(ABC):
    """What all occupancy models can do; use :class:`Occupancy` or one of its relatives.

    Formulas may have random effects, ``"~ snow + (1 | valley)"`` or ``"~ snow + (snow | valley)"``: see
    :mod:`leopardpop.components.random_effects`. Their sd is the parameter ``psi_sd_valley`` (``psi_sd_valley_snow``).
    And a spatial effect, ``"~ snow + gp(x, y)"``, a smooth surface over the positions of the sites with the parameters
    ``psi_sd_gp`` and ``psi_length_gp`` (km): see :mod:`leopardpop.components.hsgp`.

    And offsets, ``"~ snow + offset(np.log(effort))"``, which are added to the linear predictor as they are. The
    reference of a parameter, and so its value in summaries and its prior, is where they are 0: an effort of one unit.
    Default priors of intercepts are those of a mean visit.

    Parameters
    ----------
    link
        Link of all probabilities: ``"logit"``, ``"probit"`` or ``"cloglog"``.
    priors
        By parameter (natural scale at the reference: covariates at their mean, factors at their first level) or
        coefficient (link scale), see :mod:`leopardpop.priors`.
    """

    link: Literal["logit", "probit", "cloglog"] = "logit"
    priors: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        """Check what can be checked without data."""
        if self.link not in LINKS:
            raise ModelError(
                f"link={self.link!r}: it is one of {', '.join(LINKS)}.{nearest(str(self.link), LINKS)}",
                offenders=[self.link],
            )
        for name in self.structure.homes:
            formula = getattr(self, name)
            if not isinstance(formula, str):
                raise ModelError(f'{name}={formula!r}: give a formula such as "~ 1" or "~ elevation".')

    @property
    @abstractmethod
    def structure(self) -> Structure:
        """Which probabilities multiply where."""

    def parameters(self, history: DetectionHistory, mask: None = None) -> pd.DataFrame:
        """Table of all coefficients before any fit.

        Parameters
        ----------
        history
            Detection history; what was detected is not looked at.
        mask
            Occupancy has none: leave it out.

        Returns
        -------
        pandas.DataFrame
            Columns name, coefficient, link, unit, prior; one row a coefficient.
        """
        from leopardpop.models.describe import parameter_table

        return parameter_table(self._problem(history, mask, design_only=True))

    def log_likelihood(
        self, history: DetectionHistory, mask: None = None, *, parameters: Mapping[str, float] | pd.Series
    ) -> float:
        """Log-likelihood of the visits as supplied, with every constant.

        Parameters
        ----------
        history
            Detection history.
        mask
            Occupancy has none: leave it out.
        parameters
            Natural-scale values by parameter (at the reference) and link-scale values by coefficient
            (``"psi[elevation]"``; left out: 0); or a Series of link-scale coefficients with all labels.

        Returns
        -------
        float
        """
        from leopardpop.models.describe import theta_of

        problem = self._problem(history, mask)
        return problem.log_likelihood(theta_of(problem, parameters))

    def simulate(
        self,
        history: DetectionHistory,
        mask: None = None,
        *,
        parameters: Mapping[str, float] | pd.Series,
        seed: int | np.random.Generator | None = None,
    ) -> OccupancySimulation:
        """Draw the states of the sites and what visits see; what ``history`` detected is ignored.

        Parameters
        ----------
        history
            Supplies sites, seasons, visits and covariates.
        mask
            Occupancy has none: leave it out.
        parameters
            As for :meth:`log_likelihood`.
        seed
            Seed or generator.

        Returns
        -------
        OccupancySimulation
            ``.history`` (a :class:`DetectionHistory`) and ``.truth``.
        """
        from leopardpop.models.states.simulation import simulate

        return simulate(self._problem(history, mask, design_only=True), parameters=parameters, seed=seed)

    def build(self, history: DetectionHistory, mask: None = None) -> pm.Model:
        """Build the model as a plain :class:`pymc.Model`.

        Parameters
        ----------
        history
            Detection history.
        mask
            Occupancy has none: leave it out.

        Returns
        -------
        pymc.Model
            Variables are named as in the posterior (``psi``, ``psi_beta`` ...); states are summed over. Sample it with
            any sampler and hand the result to :meth:`from_posterior`.
        """
        model: pm.Model = self._problem(history, mask).graph()
        return model

    def fit(
        self,
        history: DetectionHistory,
        mask: None = None,
        *,
        engine: Literal["auto", "laplace", "nuts"] = "auto",
        draws: int = 1000,
        chains: int = 4,
        seed: int | np.random.Generator | None = None,
        **options: Any,
    ) -> OccupancyFit:
        """Compute the posterior.

        Parameters
        ----------
        history
            Detection history.
        mask
            Occupancy has none: leave it out.
        engine
            ``"laplace"``: importance sampling around the mode, with a certificate; ``"nuts"``: PyMC's sampler;
            ``"auto"``: the first, and the second if its certificate fails.
        draws
            Draws per chain.
        chains
            Number of chains.
        seed
            Seed or generator.
        **options
            As for :meth:`SCR.fit`.

        Returns
        -------
        OccupancyFit
            The posterior with its diagnostics.

        Raises
        ------
        DataError
            If the history is not of the kind that the model is for.
        ModelError
            For a formula that cannot be read, or an option that there is not.
        FitError
            If no mode can be found.
        """
        from leopardpop.results.fitting import fit_occupancy

        check_mask_absent(mask)
        return fit_occupancy(self, history, engine=engine, draws=draws, chains=chains, seed=seed, **options)

    def maximum_likelihood(self, history: DetectionHistory, mask: None = None) -> OccupancyMaximum:
        """Fit by maximum likelihood: the number to set beside other packages'.

        Parameters
        ----------
        history
            Detection history.
        mask
            Occupancy has none: leave it out.

        Returns
        -------
        OccupancyMaximum
            Estimates on the natural and link scales, log-likelihood, AIC and AICc (by the number of sites).

        Raises
        ------
        FitError
            If the likelihood has no maximum inside of the range of the parameters.
        """
        from leopardpop.results.occupancy_maximum import maximise_occupancy

        return maximise_occupancy(self._problem(history, mask))

    def from_posterior(self, tree: xr.DataTree, history: DetectionHistory, mask: None = None) -> OccupancyFit:
        """Make a fit of draws that were made elsewhere, for instance by ``pm.sample`` of :meth:`build`.

        Parameters
        ----------
        tree
            DataTree with a group ``posterior`` that has the ``*_beta`` variables of this model.
        history
            The detection history that the model was built with.
        mask
            Occupancy has none: leave it out.

        Returns
        -------
        OccupancyFit
            As from :meth:`fit`.
        """
        from leopardpop.results.fitting import occupancy_from_tree

        check_mask_absent(mask)
        return occupancy_from_tree(self, tree, history)

    def _repr_html_(self) -> str:
        from leopardpop.models.describe import occupancy_html

        return occupancy_html(self)

    def _problem(self, history: DetectionHistory, mask: None, *, design_only: bool = False) -> OccupancyProblem:
        from leopardpop.models.states.kinds import occupancy_problem

        check_mask_absent(mask)
        return occupancy_problem(self, history, design_only=design_only)
