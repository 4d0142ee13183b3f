"""Effective draws of N per second against data augmentation as a PyMC user would write it by hand.

Both baselines see the same counts (animal x station, occasions added up) in the same rectangle. Their compilation is
left out of their time; ours includes everything. M is large enough that psi stays below 0.9.
"""

from __future__ import annotations

import time
from pathlib import Path

import arviz as az
import numpy as np
import pandas as pd
import pymc as pm
import pytensor.tensor as pt
import pytest

import leopardpop as lp
from tests.benchmarks.surveys import load_dataset

M_PER_ANIMAL = 3


def counts_of(history: lp.CaptureHistory) -> np.ndarray:
    """Animal x station counts over all occasions."""
    return history.to_array().sum("occasion").to_numpy()


def augmented(history: lp.CaptureHistory, mask: lp.Mask, *, summed: bool) -> pm.Model:
    """M animals uniform in the rectangle, each real with probability psi; z sampled or summed out."""
    seen = counts_of(history)
    n, size = len(seen), M_PER_ANIMAL * len(seen)
    y = np.vstack([seen, np.zeros((size - n, seen.shape[1]))])
    table = history.stations
    stations, occasions = (
        table[["x", "y"]].to_numpy(float),
        int(history.effort.groupby("station")["effort"].sum().iloc[0]),
    )
    half = mask.spacing / 2
    low = np.array([mask.x.min() - half, mask.y.min() - half])
    high = np.array([mask.x.max() + half, mask.y.max() + half])
    start = np.vstack([seen @ stations / seen.sum(1)[:, None], np.full((size - n, 2), (low + high) / 2)])
    with pm.Model() as model:
        psi = pm.Uniform("psi")
        lambda0 = pm.LogNormal("lambda0", np.log(0.3), 1.5)
        sigma = pm.LogNormal("sigma", np.log(38.0), 0.83)
        centre = pm.Uniform("centre", low, high, shape=(size, 2), initval=np.clip(start, low + 1, high - 1))
        d2 = ((centre[:, None, :] - stations[None]) ** 2).sum(-1)
        mean = occasions * lambda0 * pt.exp(-d2 / (2 * sigma**2))
        if summed:
            captures = (y * pt.log(mean)).sum(1) - mean.sum(1)
            none = pt.log1p(-psi)
            real = pt.log(psi) + captures
            pm.Potential("capture", pt.concatenate([real[:n], pt.logaddexp(real[n:], none)]).sum())
            pm.Deterministic("N", n + pt.sigmoid(real[n:] - none).sum())
        else:
            z = pm.Bernoulli("z", psi, shape=size, initval=np.r_[np.ones(n), np.arange(size - n) % 2].astype(int))
            pm.Poisson("y", mean * z[:, None], observed=y)
            pm.Deterministic("N", z.sum())
    return model


def effective_per_second(model: pm.Model, *, tune: int, draws: int) -> tuple[float, float, float]:
    """Effective draws of N per second of sampling, the mean of N, and the largest mean of psi."""
    with model:
        started = time.perf_counter()
        tree = pm.sample(
            draws, tune=tune, chains=2, cores=2, random_seed=1, progressbar=False, nuts_sampler="pymc",
            compute_convergence_checks=False,
        )  # fmt: skip
        total = time.perf_counter() - started
    seconds = float(tree["posterior"].attrs.get("sampling_time", total))
    ess = float(az.ess(tree["posterior"]["N"].to_dataset(name="N"))["N"])
    return ess / seconds, float(tree["posterior"]["N"].mean()), float(tree["posterior"]["psi"].mean())


@pytest.mark.verification
@pytest.mark.timeout(1800)
@pytest.mark.filterwarnings("ignore")
def test_effective_draws_against_data_augmentation(shared: Path) -> None:
    multi, mask = load_dataset(shared, "captdata")
    history = as_counts(multi)
    model = lp.SCR()
    model.fit(history, mask, engine="laplace", seed=0)
    started = time.perf_counter()
    fit = model.fit(history, mask, engine="laplace", seed=1)
    ours = fit.data_tree.attrs["importance_ess"] / (time.perf_counter() - started)
    by_hand, mean_summed, psi = effective_per_second(augmented(history, mask, summed=True), tune=500, draws=500)
    latent, mean_latent, _ = effective_per_second(augmented(history, mask, summed=False), tune=200, draws=200)
    mean = float(fit.posterior["N"].mean())
    assert psi < 0.9
    assert abs(mean_summed / mean - 1) < 0.15, (mean_summed, mean)
    assert abs(mean_latent / mean - 1) < 0.25, (mean_latent, mean)
    found = f"effective draws of N per second: {ours:.0f}; z summed out {by_hand:.1f}; z sampled {latent:.2f}"
    assert ours / by_hand >= 50, found
    assert ours / latent >= 300, found


def as_counts(history: lp.CaptureHistory) -> lp.CaptureHistory:
    """The same detections as counts over one occasion with five units of effort."""
    found = history.detections.groupby(["individual", "station"], as_index=False)["count"].sum()
    stations = history.stations[["station", "x", "y"]].assign(effort=5.0)
    captures = found.assign(occasion="1")
    return lp.CaptureHistory.from_tables(pd.DataFrame(captures), stations, effort="effort", detector="count")
