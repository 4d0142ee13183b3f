"""Spatial capture-recapture of a closed population."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from leopardpop.components.classes import Mixture
from leopardpop.components.counts import check_counts
from leopardpop.components.density import LogLinear
from leopardpop.components.detection import DetectionFunction, HalfNormal
from leopardpop.errors import ModelError
from leopardpop.models.ghosts import check_ghosts

if TYPE_CHECKING:
    import pandas as pd
    import pymc as pm
    import xarray as xr

    from leopardpop.data.history import CaptureHistory
    from leopardpop.data.mask import Mask
    from leopardpop.models.distance import LeastCost
    from leopardpop.models.simulation import Simulation
    from leopardpop.results.fit import Fit
    from leopardpop.results.maximum import MaximumLikelihood

    type Masks = Mask | Mapping[str, Mask]

__all__ = ["SCR"]


@dataclass(frozen=True, kw_only=True)
class SCR:
    r"""Spatial capture-recapture model of a closed population.

    Activity centres form a Poisson process of intensity D(x); an animal centred at x is detected at station k with
    hazard λ_k(x) per unit of effort. With a(x) the area of a cell,

    .. math::
        \log L = \sum_i \log \sum_x D(x)\,a(x)\,\Pr(w_i \mid x) - \Lambda - \log n!,
        \qquad \Lambda = \sum_x D(x)\,a(x)\,\{1 - p_0(x)\}

    by session; sessions are independent given the parameters. The model is a record: it does nothing until it meets
    data, and it can be compared, printed and reused.

    Parameters
    ----------
    density
        Formula of log D over the cells, or :class:`LogLinear`.
    detection
        Detection function with the formulas of its parameters. They may name columns of the stations, ``session``,
        the column of the classes, ``occasion`` (factor), ``trend`` (number of the occasion, from 0), covariates by
        occasion or by station and occasion, and whether the animal was captured before: ``b`` (on any earlier
        occasion), ``bk`` (at this station), ``B`` and ``Bk`` (on the occasion before). Never detected animals are
        naive. Formulas, that of density included, may have random effects: ``"~ 1 + (1 | session)"``,
        ``"~ (1 | station)"``, by any column of stations or cells that names groups; the sd between groups is the
        parameter ``sigma_sd_session``.
    classes
        Column of the individuals that splits the population in classes (``"sex"``); may be missing for some animals.
        The classes of sex are F and M even if no animal, or only one sex, is known.
        Its share is estimated (``pmix``) and it can be used in the formulas of the detection function.
        :class:`Mixture` for two classes that nobody saw, which formulas name ``h2``.
    distance
        :class:`LeastCost`: the way over land that resists and around barriers; None: the straight line.
    counts
        Of the detector ``"count"``: ``"poisson"``, or ``"negbin"`` where photographs come in bursts: the count over
        effort T has mean Tλ and variance Tλ(1 + λ/size).
    size
        Formula of the size of the negative binomial, per unit of effort, over what all classes of animals share; its
        link is the log. The Poisson law has no size.
    ghosts
        Whether some of the animals that were detected once may be *ghosts*, misread identities of others. They are
        then left out, and an animal counts if it is detected twice or more: N, density and σ are those of all animals
        still. ``fit.singletons()`` tells how many would be expected.
    distribution
        Of the number of animals: ``"poisson"``; ``"binomial"`` for :meth:`maximum_likelihood` and
        :meth:`log_likelihood` only.
    priors
        By parameter (natural scale at the reference) or coefficient (link scale), see :mod:`leopardpop.priors`.
        Defaults depend on the design alone.

    Raises
    ------
    ModelError
        If the parts do not fit together.

    References
    ----------
    Borchers DL, Efford MG (2008) Spatially explicit maximum likelihood methods for capture-recapture studies.
    Biometrics 64, 377-385. doi:10.1111/j.1541-0420.2007.00927.x

    Kodi AR, Howard J, Borchers DL, et al. (2024) Ghostbusting: reducing bias due to identification errors in spatial
    capture-recapture histories. Methods in Ecology and Evolution 15, 1060-1070. doi:10.1111/2041-210X.14326
    (``ghosts``).

    Examples
    --------
    >>> model = SCR(density="~ snow", detection=HalfNormal(sigma="~ sex"), classes="sex")
    >>> model.detection.sigma
    '~ sex'
    """

    density: str | LogLinear = field(default_factory=LogLinear)
    detection: DetectionFunction = field(default_factory=HalfNormal)
    classes: str | Mixture | None = None
    distance: LeastCost | None = None
    counts: Literal["poisson", "negbin"] = "poisson"
    size: str = "~ 1"
    ghosts: bool = False
    distribution: Literal["poisson", "binomial"] = "poisson"
    priors: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        """Check the parts; turn a formula of density into a component."""
        if isinstance(self.density, str):
            object.__setattr__(self, "density", LogLinear(D=self.density))
        if not isinstance(self.density, LogLinear):
            raise ModelError(f'density={self.density!r}: give a formula such as "~ snow", or lp.LogLinear(D=...)')
        if isinstance(self.detection, type) or not isinstance(self.detection, DetectionFunction):
            raise ModelError(f"detection={self.detection!r}: give a detection function such as lp.HalfNormal()")
        names = [p.name for p in self.detection.parameters()]
        if "sigma" not in names or "D" in names or len(names) < 2:
            raise ModelError(
                f"{type(self.detection).__name__} has the parameters {names}: a detection function needs 'sigma' and a "
                "baseline, and none of them may be called 'D'"
            )
        if not isinstance(self.classes, str | Mixture | None):
            raise ModelError(
                f'classes={self.classes!r}: name a column of the individuals, such as "sex", or give lp.Mixture(2)'
            )
        if self.distance is not None and not hasattr(self.distance, "table"):
            raise ModelError(f'distance={self.distance!r}: give lp.LeastCost(resistance="ruggedness"), or leave it out')
        check_counts(self)
        check_ghosts(self)
        if self.distribution not in {"poisson", "binomial"}:
            raise ModelError(f'distribution={self.distribution!r}: it is "poisson" or "binomial"')

    def parameters(self, history: CaptureHistory, mask: Masks) -> pd.DataFrame:
        """Table of all coefficients before any fit.

        Parameters
        ----------
        history
            Capture history; its captures are not looked at, but for the levels of ``classes``.
        mask
            One mask, or one a session.

        Returns
        -------
        pandas.DataFrame
            Columns name, coefficient, link, unit, prior; one row a coefficient.
        """
        from leopardpop.models.describe import parameter_table

        return parameter_table(self._problem(history, mask))

    def log_likelihood(
        self, history: CaptureHistory, mask: Masks, *, parameters: Mapping[str, float] | pd.Series
    ) -> float:
        """Log-likelihood, with every constant.

        Parameters
        ----------
        history
            Capture history.
        mask
            One mask, or one a session.
        parameters
            Natural-scale values by parameter (at the reference) and link-scale values by coefficient
            (``"sigma[sex[M]]"``; left out: 0); or a Series of link-scale coefficients with all labels.

        Returns
        -------
        float
            Animals are labelled: −log n! is included, secr's multinomial term is not. With ``distribution="binomial"``
            N is the real number D times the area of the mask, and the value −inf where fewer than were detected.
        """
        from leopardpop.models.describe import theta_of

        problem = self._problem(history, mask, ordered=False)
        return float(problem.log_likelihood(theta_of(problem, parameters)))

    def simulate(
        self,
        history: CaptureHistory,
        mask: Masks,
        *,
        parameters: Mapping[str, float] | pd.Series,
        seed: int | np.random.Generator | None = None,
    ) -> Simulation:
        """Draw a population and a survey of it with the design of ``history``; its captures are ignored.

        Parameters
        ----------
        history
            Supplies stations, effort, occasions and detector.
        mask
            One mask, or one a session.
        parameters
            As for :meth:`log_likelihood`.
        seed
            Seed or generator.

        Returns
        -------
        Simulation
            ``.history`` (a :class:`CaptureHistory`), ``.mask`` and ``.truth``.
        """
        from leopardpop.models.simulation import simulate

        return simulate(self, history, mask, parameters=parameters, seed=seed)

    def build(self, history: CaptureHistory, mask: Masks) -> pm.Model:
        """Build the model as a plain :class:`pymc.Model`.

        Parameters
        ----------
        history
            Capture history.
        mask
            One mask, or one a session.

        Returns
        -------
        pymc.Model
            Variables are named as in the posterior (``D``, ``sigma``, ``sigma_beta`` ...), so that further terms can be
            added; sample it with any sampler and hand the result to :meth:`from_posterior`.

        Raises
        ------
        ModelError
            For a model that has no posterior here (binomial N).
        """
        from leopardpop.models.graph import build_model

        need_poisson(self)
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
    ) -> Fit:
        """Compute the posterior.

        Parameters
        ----------
        history
            Capture history.
        mask
            One mask, or one a session.
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
            ``min_ess`` and ``min_raw`` (least effective and raw draws), ``threads``, ``progress`` of the engine
            ``"laplace"``. ``folder`` of the engine ``"nuts"``: where blocks of a hundred draws are kept as they are
            finished, so that a run that was killed goes on where it was, with the draws that it would have had; any
            other option is passed on to :func:`pymc.sample`.

        Returns
        -------
        Fit
            The posterior with its diagnostics.

        Raises
        ------
        ModelError
            For a model that has no posterior here (binomial N), or an option that there is not.
        FitError
            If no mode can be found.
        """
        from leopardpop.results.fitting import fit_model

        return fit_model(self, history, mask, engine=engine, draws=draws, chains=chains, seed=seed, **options)

    def maximum_likelihood(
        self, history: CaptureHistory, mask: Masks, *, conditional: bool = False
    ) -> MaximumLikelihood:
        """Fit by maximum likelihood: the number to set beside other packages'.

        Parameters
        ----------
        history
            Capture history.
        mask
            One mask, or one a session.
        conditional
            Condition on the number of detected animals; density is then derived, and its formula must be ``"~ 1"``.

        Returns
        -------
        MaximumLikelihood
            Estimates on the natural and link scales, log-likelihood, AIC and AICc.
        """
        from leopardpop.results.maximum import maximise

        return maximise(self, history, mask, conditional=conditional)

    def from_posterior(self, tree: xr.DataTree, history: CaptureHistory, mask: Masks) -> Fit:
        """Make a fit of draws that were made elsewhere, for instance by ``pm.sample`` of :meth:`build`.

        Parameters
        ----------
        tree
            DataTree with a group ``posterior`` that has the ``*_beta`` variables of this model.
        history
            The capture history that the model was built with.
        mask
            The mask that the model was built with.

        Returns
        -------
        Fit
            As from :meth:`fit`.
        """
        from leopardpop.results.fitting import fit_from_tree

        return fit_from_tree(self, tree, history, mask)

    def _repr_html_(self) -> str:
        from leopardpop.models.describe import model_html

        return model_html(self)

    def _problem(self, history: CaptureHistory, mask: Masks, *, ordered: bool = True) -> Any:
        from leopardpop.models.problem import Problem

        return Problem(self, history, mask, ordered=ordered)


def need_poisson(model: SCR) -> None:
    """Refuse a model that has no posterior here.

    Raises
    ------
    ModelError
        For a binomial N.
    """
    if model.distribution == "binomial":
        raise ModelError(
            'distribution="binomial" is for maximum_likelihood only: realised N under Poisson N is already the '
            "finite-population posterior. Leave distribution out."
        )
