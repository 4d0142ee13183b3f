"""A community of species: spOccupancy's posterior under its priors, and intervals over many simulated communities."""

from __future__ import annotations

import json
from math import lgamma
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

import leopardpop as lp

pytestmark = [
    pytest.mark.verification,
    pytest.mark.filterwarnings("ignore::leopardpop.errors.DataWarning"),
    pytest.mark.filterwarnings("ignore::leopardpop.errors.SparseDataWarning"),
    pytest.mark.filterwarnings("ignore::leopardpop.errors.ConvergenceWarning"),
]

WIDE = 2.72**0.5
SHAPE = 0.1
COMMUNITIES = 20


class VarianceInverseGamma:
    """Prior of an sd whose square is inverse-gamma(0.1, 0.1)."""

    def create_variable(self, name: str) -> Any:
        import pymc as pm
        import pytensor.tensor as pt

        constant = SHAPE * np.log(SHAPE) - lgamma(SHAPE) + np.log(2.0)

        def logp(x: Any) -> Any:
            inside = constant - (2.0 * SHAPE + 1.0) * pt.log(x) - SHAPE / x**2
            return pt.switch(x > 0, inside, -np.inf)

        return pm.CustomDist(name, logp=logp)


def birds(shared: Path) -> lp.DetectionHistory:
    """Hubbard Brook with covariates scaled as R does."""
    folder = shared / "data" / "hbef2015"

    def scaled(table: pd.DataFrame) -> Any:
        values = table.to_numpy(float)
        return (values - np.nanmean(values)) / np.nanstd(values, ddof=1)

    sites = pd.read_csv(folder / "sites.csv")[["site", "elevation"]]
    sites["elevation"] = scaled(sites[["elevation"]])[:, 0]
    of_visits = {n: scaled(pd.read_csv(folder / f"detcov_{n}.csv").drop(columns="site")) for n in ("day", "tod")}
    return lp.DetectionHistory.from_tables(pd.read_csv(folder / "y_all_species.csv"), sites, visit_covariates=of_visits)


def priors() -> dict[str, Any]:
    """Those that the reference was made with: means N(0, 2.72) on the logit scale, variances as above."""
    found: dict[str, Any] = {}
    for parameter, slopes in (("psi", ["elevation", "I(elevation ** 2)"]), ("p", ["day", "tod", "I(day ** 2)"])):
        found[parameter] = lp.Prior("LogitNormal", mu=0, sigma=WIDE)
        found[f"{parameter}_sd_species"] = VarianceInverseGamma()
        for slope in slopes:
            found[f"{parameter}[{slope}]"] = lp.Prior("Normal", mu=0, sigma=WIDE)
            found[f"{parameter}_sd_species_{slope}"] = VarianceInverseGamma()
    return found


def test_posterior_means_of_spoccupancy(shared: Path) -> None:
    """msPGOcc: means of the community's coefficients and of the variances between species within 0.15 sd."""
    stored = json.loads((shared / "reference" / "spoccupancy_hbef2015.json").read_text())
    reference = next(fit for fit in stored if fit["label"].startswith("msPGOcc"))["posterior"]
    model = lp.CommunityOccupancy(psi="~ elevation + I(elevation**2)", p="~ day + tod + I(day**2)", priors=priors())
    posterior = model.fit(birds(shared), engine="nuts", draws=700, seed=1).posterior
    for parameter, means, variances in (
        ("psi", "beta.comm.samples", "tau.sq.beta.samples"),
        ("p", "alpha.comm.samples", "tau.sq.alpha.samples"),
    ):
        beta = posterior[f"{parameter}_beta"].values.reshape(-1, len(reference[means])).T
        sds = [n for n in posterior if str(n).startswith(f"{parameter}_sd_") and not str(n).endswith("_beta")]
        squares = [posterior[name].values.ravel() ** 2 for name in sds]
        for draws, known in zip([*beta, *squares], [*reference[means], *reference[variances]], strict=True):
            assert abs(draws.mean() - known["mean"]) < 0.15 * known["sd"], (parameter, known["par"])


def design(species: int = 8) -> lp.DetectionHistory:
    return lp.DetectionHistory.from_tables({f"s{k}": np.ones((50, 5)) for k in range(species)})


def test_coverage_over_communities() -> None:
    """Truth drawn from the prior: intervals of the community, of its species, and of the number of species at sites."""
    rng, model, inside, sites = np.random.default_rng(5), lp.CommunityOccupancy(), [], []
    for seed in range(COMMUNITIES):
        truth = {"psi": expit(rng.normal(0, 1.5)), "p": expit(rng.normal(-1, 1.5))}
        truth |= {"psi_sd_species": abs(rng.normal(0, 1.0)), "p_sd_species": abs(rng.normal(0, 0.5))}
        sim = model.simulate(design(), parameters=truth, seed=seed)
        fit = model.fit(sim.history, engine="laplace", draws=250, seed=seed)
        table = fit.summary()
        known = truth | {
            f"psi_effect[{g}]": sim.truth.coefficients[f"psi[{g}]"] for g in fit.posterior["psi_level"].values
        }
        inside += [table.loc[k, "eti95_lb"] <= known[k] <= table.loc[k, "eti95_ub"] for k in known]
        rich, used = fit.richness().table(), sim.truth.z.isel(season=0).sum("species").values
        sites.append(np.mean((rich["eti95_lb"].to_numpy() <= used) & (used <= rich["eti95_ub"].to_numpy())))
    assert 0.90 < np.mean(inside) < 0.99, np.mean(inside)
    assert np.mean(sites) > 0.92, np.mean(sites)


def test_engines_agree() -> None:
    """Importance sampling species by species, and chains in coordinates that suit each species."""
    truth = {"psi": 0.4, "p": 0.3, "psi_sd_species": 1.0, "p_sd_species": 0.4}
    history = lp.CommunityOccupancy().simulate(design(10), parameters=truth, seed=2).history
    fast = lp.CommunityOccupancy().fit(history, engine="laplace", draws=4000, seed=1, min_ess=6000)
    slow = lp.CommunityOccupancy().fit(history, engine="nuts", draws=1000, seed=1)
    one, other = fast.summary(), slow.summary()
    assert ((one["mean"] - other["mean"]) / other["sd"]).abs().max() < 0.1
    assert (one["sd"] / other["sd"] - 1.0).abs().max() < 0.12
