"""The posterior of a model, as a person holds it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from leopardpop.errors import ModelError
from leopardpop.results.diagnostics import is_trusted
from leopardpop.results.findings import Finding, findings_from_json, findings_table
from leopardpop.results.fit_text import fit_html, fit_text
from leopardpop.results.model_json import model_from_json
from leopardpop.results.storage import save_fit
from leopardpop.results.summary import summary_table

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from leopardpop.data.history import CaptureHistory
    from leopardpop.data.mask import Mask
    from leopardpop.inference.laplace import LaplaceDraws
    from leopardpop.models.likelihood.terms import Floats
    from leopardpop.models.problem import Problem
    from leopardpop.models.scr import SCR

__all__ = ["Fit"]


class Fit:
    """A posterior with its diagnostics; made by :meth:`SCR.fit`, :meth:`SCR.from_posterior` or :func:`load_fit`.

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

    Examples
    --------
    >>> import pandas as pd
    >>> import leopardpop as lp
    >>> axis = range(0, 6_000, 1_500)
    >>> stations = pd.DataFrame([(f"{x}-{y}", x, y) for x in axis for y in axis], columns=["station", "x", "y"])
    >>> design = lp.CaptureHistory.from_tables(None, stations, occasions=10)
    >>> mask = lp.Mask.around(design, buffer=4_500, spacing=600)
    >>> sim = lp.SCR().simulate(design, mask, parameters={"D": 0.4, "lambda0": 0.2, "sigma": 1_000}, seed=2)
    >>> fit = lp.SCR().fit(sim.history, mask, seed=1)
    >>> fit.engine, fit.trusted, fit.summary().index.tolist()
    ('laplace', True, ['D', 'lambda0', 'sigma', 'E_N', 'N'])
    """

    def __init__(
        self,
        data_tree: xr.DataTree,
        *,
        problem: Problem | None = None,
        laplace: LaplaceDraws | None = None,
        components: Iterable[type] = (),
    ) -> None:
        self._tree = data_tree
        self._components = tuple(components)
        self.laplace = laplace
        if problem is not None:
            self.__dict__.update(problem=problem, model=problem.model, history=problem.history, masks=problem.masks)

    # -- what it is made of -------------------------------------------------------------------------------------------
    @property
    def data_tree(self) -> xr.DataTree:
        """Groups posterior, log_likelihood, log_prior, sample_stats, observed_data and constant_data."""
        return self._tree

    @property
    def posterior(self) -> xr.Dataset:
        """Draws (chain, draw, ...) of the parameters and of the number of animals."""
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
        """Fingerprint of the capture history."""
        return str(self._tree.attrs["data_hash"])

    @cached_property
    def model(self) -> SCR:
        """The model."""
        return model_from_json(str(self._tree.attrs["model_json"]), self._components)

    @cached_property
    def history(self) -> CaptureHistory:
        """The capture history."""
        import json

        import pandas as pd

        from leopardpop.data.history import CaptureHistory

        records = json.loads(str(self._tree.attrs["audit_json"]))
        audit = pd.DataFrame(records, columns=["source", "line", "action", "reason"])
        return CaptureHistory.from_dataset(self._tree["observed_data"].to_dataset(), audit)

    @cached_property
    def masks(self) -> dict[str, Mask]:
        """Mask of each session."""
        from leopardpop.results.stored_masks import masks_of

        self._need_positions()
        return masks_of(self._tree["constant_data"].to_dataset())

    @property
    def mask(self) -> Mask | dict[str, Mask]:
        """The mask where one serves all sessions, else that of each session."""
        first, *others = self.masks.values()
        return first if all(mask == first for mask in others) else dict(self.masks)

    @cached_property
    def problem(self) -> Problem:
        """The model with its data, ready to be evaluated."""
        from leopardpop.models.problem import Problem

        self._need_positions()
        return Problem(self.model, self.history, self.masks)

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
        """Whether these draws are the posterior, as far as can be told: no diagnostic failed."""
        return is_trusted(self.findings)

    def diagnostics(self) -> pd.DataFrame:
        """Table of everything that decides whether the fit can be trusted.

        Returns
        -------
        pandas.DataFrame
            Columns quantity, value, limit, verdict ("ok", "note", "warn", "fail") and advice, in words.
        """
        return findings_table(self.findings)

    # -- results ------------------------------------------------------------------------------------------------------
    def summary(self) -> pd.DataFrame:
        """Posterior of every parameter on its natural scale.

        Returns
        -------
        pandas.DataFrame
            One row a scalar ("D", "sigma[M]", "D[snow]", "N"); columns mean, median, sd, eti95_lb, eti95_ub (95 %,
            equal tails), ess, r_hat and unit. After "laplace" ess is that of the importance weights and r_hat NaN.
        """
        return summary_table(self.posterior, self._importance_ess)

    @property
    def _importance_ess(self) -> float | None:
        value = self._tree.attrs.get("importance_ess")
        return None if value is None else float(value)

    def loo(self) -> Any:
        """Leave-one-animal-out predictive density of the histories, given that the animal is detected.

        Returns
        -------
        arviz.ELPDData
            As :func:`arviz.loo` with ``var_name="capture"``.

        References
        ----------
        Vehtari, Gelman & Gabry (2017), https://doi.org/10.1007/s11222-016-9696-4
        """
        import arviz as az

        if not self._tree["log_likelihood"].sizes["individual"]:
            raise ModelError("no animal was detected: there is none to leave out.")
        ess, draws = self._importance_ess, self.posterior.sizes["chain"] * self.posterior.sizes["draw"]
        reff = None if ess is None else min(1.0, ess / draws)
        return az.loo(self._tree, var_name="capture", pointwise=True, reff=reff)

    def population(self, regions: Any = None, by: str | None = None) -> Any:
        """Number of animals, in the mask or by region.

        Parameters
        ----------
        regions
            GeoDataFrame, polygon or path of a vector file; None: the whole mask.
        by
            Column of the regions that names them.

        Returns
        -------
        Population
            Expected and realised numbers, drawn jointly over the regions.
        """
        from leopardpop.results.population import population

        return population(self, regions=regions, by=by)

    def density_surface(
        self,
        *,
        quantiles: Sequence[float] = (0.025, 0.5, 0.975),
        exceeds: float | Sequence[float] | None = None,
        draws: int = 400,
    ) -> xr.Dataset:
        """Density of animals by cell.

        Parameters
        ----------
        quantiles
            Quantiles of D.
        exceeds
            Densities, animals per km², that D is compared with; None for none.
        draws
            Draws, evenly spread, that ``realised``, ``undetected`` and ``pdot`` are averaged over; those of D use all.

        Returns
        -------
        xarray.Dataset
            ``D_mean``, ``D_sd``, ``D_quantile`` (per km²), ``D_cv``, ``realised``, ``undetected`` (animals), ``pdot``
            and, with ``exceeds``, ``exceedance``, over ``cell``.
        """
        from leopardpop.results.surface import density_surface

        return density_surface(self, quantiles=quantiles, exceeds=exceeds, draws=draws)

    def activity_centres(self, *, draws: int = 200) -> xr.Dataset:
        """Where each detected animal's activity centre is likely to be.

        Parameters
        ----------
        draws
            Draws, evenly spread, that the probabilities are averaged over; they vary little from draw to draw.

        Returns
        -------
        xarray.Dataset
            ``probability (individual, cell)``, ``mean_x``, ``mean_y``, ``sd`` (m) and, with classes,
            ``class_probability``; see :func:`leopardpop.results.centres.activity_centres`.
        """
        from leopardpop.results.centres import activity_centres

        return activity_centres(self, draws=draws)

    def predict(self, parameter: str, table: pd.DataFrame) -> xr.DataArray:
        """Values of a parameter at new covariates.

        Parameters
        ----------
        parameter
            "D", "sigma" ...
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
    @property
    def plot(self) -> Any:
        """Figures of this fit: ``fit.plot.population()``, ``.density()``, ``.detection()``."""
        from leopardpop.plots.accessor import FitPlots

        return FitPlots(self)

    def report(
        self, path: str | os.PathLike[str], coordinates: Literal["hidden", "exact"] = "hidden", **options: Any
    ) -> Path:
        """Write a report.

        Parameters
        ----------
        path
            File to write, ``.html``.
        coordinates
            "hidden": no position of a camera or an animal can be read from it; "exact".
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

    def save(self, path: str | os.PathLike[str], *, coordinates: Literal["exact", "hidden"] = "exact") -> Path:
        """Write the fit to a NetCDF file; :func:`leopardpop.load_fit` reads it.

        The file is complete or not there at all: it is written beside its place and moved.

        Parameters
        ----------
        path
            File to write, ``.nc``; one that exists is replaced.
        coordinates
            "exact", for its owner; "hidden", to share: positions of stations and cells, names of stations and the audit
            are removed, and with them maps, activity centres, regions and further fits.

        Returns
        -------
        pathlib.Path
            The file.
        """
        return save_fit(self, path, coordinates=coordinates)

    def __repr__(self) -> str:
        """Show the result."""
        return fit_text(self)

    def _repr_html_(self) -> str:
        return fit_html(self)

    def __eq__(self, other: object) -> bool:
        """Tell whether two fits hold the same."""
        return isinstance(other, Fit) and bool(self._tree.identical(other._tree))

    __hash__ = None  # type: ignore[assignment]
