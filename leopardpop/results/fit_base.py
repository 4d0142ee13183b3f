"""What every posterior of this library can do, whatever its model."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from leopardpop.errors import ModelError
from leopardpop.results.diagnostics import is_trusted
from leopardpop.results.findings import Finding, findings_from_json, findings_table
from leopardpop.results.storage import save_fit
from leopardpop.results.summary import summary_table

if TYPE_CHECKING:
    from concurrent.futures import Executor

    import numpy as np
    import pandas as pd
    import xarray as xr

    from leopardpop.checks.model_check import ModelCheck
    from leopardpop.checks.sensitivity_result import Sensitivity
    from leopardpop.inference.laplace import LaplaceDraws
    from leopardpop.models.likelihood.terms import Floats

__all__ = ["BaseFit"]


class BaseFit(ABC):
    """A posterior with its diagnostics: what :class:`Fit` and :class:`OccupancyFit` share.

    Everything is in :attr:`data_tree`; the other attributes are read from it.

    Parameters
    ----------
    data_tree
        The draws and where they came from.
    problem
        The model with its data, if it is at hand.
    laplace
        Result of the engine "laplace", with its raw draws.
    components
        Classes of one's own that the model may be made of.
    """

    _elsewhere: ClassVar[Mapping[str, str]] = {}
    """What other fits have and this one has not -> what to ask instead."""

    def __init__(
        self,
        data_tree: xr.DataTree,
        *,
        problem: Any = None,
        laplace: LaplaceDraws | None = None,
        components: Iterable[type] = (),
    ) -> None:
        self._tree = data_tree
        self._components = tuple(components)
        self.laplace = laplace
        if problem is not None:
            self.__dict__.update(self._known_from(problem))

    def __getattr__(self, name: str) -> Any:
        """Say what to ask instead of what other fits have."""
        kind = type(self).__name__
        if name in self._elsewhere:
            raise AttributeError(f"{kind} has no {name}(): {self._elsewhere[name]}.", name=name, obj=self)
        raise AttributeError(f"{kind!r} object has no attribute {name!r}", name=name, obj=self)

    @staticmethod
    @abstractmethod
    def _known_from(problem: Any) -> dict[str, Any]:
        """Attributes that need not be read from the tree where the model and its data are at hand."""

    @cached_property
    @abstractmethod
    def problem(self) -> Any:
        """The model with its data, ready to be evaluated."""

    # -- what it is made of -------------------------------------------------------------------------------------------
    @property
    def data_tree(self) -> xr.DataTree:
        """Groups posterior, log_likelihood, log_prior, sample_stats, observed_data and constant_data."""
        return self._tree

    @property
    def posterior(self) -> xr.Dataset:
        """Draws (chain, draw, ...) of the parameters, and of the number of animals where there is one."""
        return self._tree["posterior"].to_dataset()

    @property
    def engine(self) -> str:
        """Engine of the draws: "laplace", "nuts", or "external" for draws that were made elsewhere."""
        return str(self._tree.attrs["engine"])

    @property
    def seed(self) -> int:
        """Seed of the draws: the same one gives them again."""
        return int(self._tree.attrs["seed"])

    @property
    def data_hash(self) -> str:
        """Fingerprint of the history."""
        return str(self._tree.attrs["data_hash"])

    def _audit(self) -> pd.DataFrame:
        """What happened to the records of the history, from the tree."""
        import json

        import pandas as pd

        records = json.loads(str(self._tree.attrs["audit_json"]))
        return pd.DataFrame(records, columns=["source", "line", "action", "reason"])

    def _need_positions(self) -> None:
        if self._tree.attrs.get("coordinates") == "hidden":
            raise ModelError(
                "the positions were removed from this file before it was shared (coordinates='hidden'), and this needs "
                "them: ask its owner for the exact file. Posterior, summary, diagnostics, loo and compare work."
            )

    @cached_property
    def theta(self) -> Floats:
        """Draws of the engine's coefficients (chain, draw, P): link scale, standardised covariates."""
        from leopardpop.results.coefficients import theta_of_posterior

        return theta_of_posterior(self.problem, self.posterior)

    # -- can it be trusted --------------------------------------------------------------------------------------------
    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """What was looked at, one record a quantity."""
        return findings_from_json(str(self._tree.attrs["diagnostics_json"]))

    @property
    def trusted(self) -> bool:
        """Whether these draws are the posterior, as far as can be told: no diagnostic of the engine failed.

        It is said of the computation alone. A posterior of thin data, even of none, can be computed well, and then
        rests on the priors: that is told by the other rows of :meth:`diagnostics`.
        """
        return is_trusted(self.findings)

    def diagnostics(self) -> pd.DataFrame:
        """Table of everything that decides whether the fit can be trusted.

        Returns
        -------
        pandas.DataFrame
            Columns quantity, value, limit, verdict ("ok", "note", "warn", "fail") and advice, in words.
        """
        return findings_table(self.findings)

    def check(self, *, replicates: int | None = None, seed: int | np.random.Generator | None = None) -> ModelCheck:
        """Could the model have made these data? Goodness of fit, by replicates of the survey.

        Parameters
        ----------
        replicates
            Number of replicates, 99 or more; None: 999, fewer where that would take long.
        seed
            Seed or generator; None: one that follows from the fit's, so that the answer is the same each time.

        Returns
        -------
        ModelCheck
            ``table()`` with a verdict in words for each statistic, ``plot()``, ``residuals`` in space and time.

        Raises
        ------
        ModelError
            For too few replicates, or a fit whose positions were removed.

        Notes
        -----
        One draw θ* from the posterior, and the centres or states given θ* and the data, are taken for the truth; a
        statistic T(y, θ*) of the survey is ranked among T(y_rep, θ*) of replicates. This *sampled posterior* p-value is
        uniform if the model is right. The classical posterior predictive one, an average over draws, is not: the same
        data fit the model and judge it, so that it stays near one half and misses faults.

        References
        ----------
        Gosselin (2011) A new calibrated Bayesian internal goodness-of-fit method, doi:10.1371/journal.pone.0014770
        """
        from leopardpop.checks.check import check_fit

        return check_fit(self, replicates=replicates, seed=seed)

    # -- results ------------------------------------------------------------------------------------------------------
    def summary(self) -> pd.DataFrame:
        """Posterior of every parameter on its natural scale.

        Returns
        -------
        pandas.DataFrame
            One row a scalar ("psi", "sigma[M]", "D[snow]", "N"); columns mean, median, sd, eti95_lb, eti95_ub (95 %,
            equal tails), ess, r_hat and unit. After "laplace" ess is that of the importance weights and r_hat NaN.
        """
        return summary_table(self.posterior, self.importance_ess)

    @property
    def importance_ess(self) -> float | None:
        """Independent draws that the importance weights are worth; None for Markov chains."""
        value = self._tree.attrs.get("importance_ess")
        return None if value is None else float(value)

    def _loo(self, part: str, *, refit: bool) -> Any:
        """Leave-one-out of one part of the log-likelihood, which has one value a unit (animal, site ...)."""
        from leopardpop.checks.leave_out import leave_out

        return leave_out(self, part, refit=refit)

    def kfold(self, folds: int = 5, *, blocks: str | None = None) -> Any:
        """Blocked cross-validation: how well the survey foresees what is met in another part of the land.

        Stations (sites) are cut into compact blocks; each is foreseen by the posterior that does not know it. Harder
        than :meth:`loo`, where neighbours tell the answer.

        Parameters
        ----------
        folds
            Number of blocks of nearly equal numbers of places.
        blocks
            Column of the stations or sites that has the blocks instead, such as a valley.

        Returns
        -------
        arviz_stats.ELPDDataLOOKFold
            ``elpd``, ``se`` over blocks, ``elpd_i`` and ``pareto_k`` of the draws by block (``fold``). Results of
            several models with the same blocks go to :func:`arviz.compare`.

        Raises
        ------
        ModelError, DataError
            For blocks that there are not, places without coordinates, and coefficients that one block alone tells.

        Warns
        -----
        ConvergenceWarning
            If the posterior without a block could not be drawn from.

        References
        ----------
        Roberts et al. (2017) Cross-validation strategies for data with temporal, spatial, hierarchical, or phylogenetic
        structure. Ecography 40, 913-929. doi:10.1111/ecog.02881
        """
        from leopardpop.checks.kfold import kfold

        return kfold(self, folds, blocks)

    def sensitivity(
        self,
        *,
        refit: bool = True,
        seconds: float | None = 60.0,
        executor: Executor | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> Sensitivity:
        """What the answer hangs on: priors, mask, detection function, occasions, each animal, each station or site.

        Where the Pareto k of the weights allows it, the draws are reweighted to the posterior of the other assumption
        or of the data without an animal; elsewhere the model is fitted again. The number is the realised N of
        ``fit.population()``, of each session by itself; for occupancy the share of sites used, where priors and sites
        are tried.

        Parameters
        ----------
        refit
            Whether to fit again where weights cannot answer; False takes a second or two, and
            ``result.unanswered`` says what is missing.
        seconds
            Time for refits: none is begun after it. None: no limit.
        executor
            As of :mod:`concurrent.futures`: runs refits side by side. The results are the same.
        progress
            Called with the refits done and all of them.

        Returns
        -------
        Sensitivity
            ``table()``, ``summary()``, ``priors``, ``unanswered``, ``plot()``.

        References
        ----------
        Kallioinen N, Paananen T, Bürkner PC, Vehtari A (2024) Detecting and diagnosing prior and likelihood sensitivity
        with power-scaling. Statistics and Computing 34, 57. doi:10.1007/s11222-023-10366-5
        """
        from leopardpop.checks.sensitivity import sensitivity

        return sensitivity(self, refit=refit, seconds=seconds, executor=executor, progress=progress)

    def predict(self, parameter: str, table: pd.DataFrame) -> xr.DataArray:
        """Values of a parameter at new covariates.

        Parameters
        ----------
        parameter
            "D", "sigma", "psi", "p" ...
        table
            One row a prediction, with the variables of the parameter's formula.

        Returns
        -------
        xarray.DataArray
            (chain, draw, row), natural scale.
        """
        from leopardpop.results.predict import predict

        return predict(self, parameter, table)

    # -- for people ---------------------------------------------------------------------------------------------------
    def save(self, path: str | os.PathLike[str], *, coordinates: Literal["exact", "hidden"] = "exact") -> Path:
        """Write the fit to a NetCDF file; :func:`leopardpop.load_fit` reads it.

        The file is complete or not there at all: it is written beside its place and moved. In it the attribute
        ``coordinates`` of the tree is called ``coordinates_are``, for the conventions of NetCDF take the other name.

        Parameters
        ----------
        path
            File to write, ``.nc``; one that exists is replaced.
        coordinates
            "exact", for its owner; "hidden", to share: positions of stations, cells and sites, their names and the
            audit are removed, and with them maps, regions and further fits.

        Returns
        -------
        pathlib.Path
            The file.
        """
        return save_fit(self, path, coordinates=coordinates)

    def report(
        self, path: str | os.PathLike[str], coordinates: Literal["hidden", "exact"] = "hidden", **options: Any
    ) -> Path:
        """Write a report.

        Parameters
        ----------
        path
            File to write, ``.html`` or ``.md``.
        coordinates
            "hidden": no position of a camera, a site or an animal can be read from it; "exact".
        **options
            As :func:`leopardpop.report.write_report`.

        Returns
        -------
        pathlib.Path
            The file.
        """
        from leopardpop.report import write_report

        return Path(write_report(self, path, coordinates=coordinates, **options))

    def cite(self) -> str:
        """References of what was used, as BibTeX."""
        from leopardpop.report import cite

        return str(cite(self))

    def __repr__(self) -> str:
        """Show the result."""
        return self._text()

    def _repr_html_(self) -> str:
        return self._html()

    @abstractmethod
    def _text(self) -> str:
        """The result as text."""

    @abstractmethod
    def _html(self) -> str:
        """The result as a table for notebooks."""

    __hash__ = None  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        """Tell whether two fits hold the same."""
        return isinstance(other, BaseFit) and bool(self._tree.identical(other._tree))
