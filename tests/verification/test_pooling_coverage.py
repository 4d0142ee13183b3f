"""Coverage of partial pooling over parks, with truths from the prior."""

from __future__ import annotations

import numpy as np
import pytest

from tests.verification.parks import PARKS, PRIORS, fitted, sigma_by_park, simulated

REPLICATES = 40


@pytest.mark.verification
@pytest.mark.timeout(600)
def test_coverage() -> None:
    """With truths from the prior 95 % intervals hold 92-98.5 % of σ of each park, of their sd and of N; none fails."""
    rng = np.random.default_rng(20_261_123)
    inside: dict[str, list[float]] = {"sigma": [], "sd": [], "N": [], "mean": []}
    animals, failed, error = [], 0, []
    for _ in range(REPLICATES):
        truth = {name: float(prior.draw(rng)) for name, prior in PRIORS.items()}
        truth["sigma_sd_session"] = abs(0.25 * rng.standard_normal())
        made = simulated(truth, int(rng.integers(2**31)))
        fit = fitted(made.history, engine="laplace", draws=250, seed=1)
        failed += not fit.trusted
        labels = [f"sigma[1|session[{s}]]" for s in made.history.sessions]
        deviations = made.truth.coefficients[labels].to_numpy()
        draws = sigma_by_park(fit)
        low, high = np.quantile(draws, [0.025, 0.975], axis=0)
        here = np.log(truth["sigma"]) + deviations
        inside["sigma"] += ((low < here) & (here < high)).tolist()
        for name, values, known in (
            ("sd", fit.posterior["sigma_sd_session"], truth["sigma_sd_session"]),
            ("mean", fit.posterior["sigma"], truth["sigma"]),
        ):
            inside[name].append(float(values.quantile(0.025)) < known < float(values.quantile(0.975)))
        ends = fit.posterior["N"].quantile([0.025, 0.975], ("chain", "draw")).values
        inside["N"] += ((ends[0] <= made.truth.N.to_numpy()) & (made.truth.N.to_numpy() <= ends[1])).tolist()
        animals.append(made.history.n_individuals / PARKS)
        error.append(np.mean(draws.mean(0) - here))
    assert 9 < np.mean(animals) < 16
    assert failed <= 1
    assert abs(np.mean(error)) < 3.5 * np.std(error) / np.sqrt(REPLICATES)
    for name, count in (
        ("sigma", PARKS * REPLICATES),
        ("N", PARKS * REPLICATES),
        ("sd", REPLICATES),
        ("mean", REPLICATES),
    ):
        assert len(inside[name]) == count
        slack = 3.0 * np.sqrt(0.95 * 0.05 / count) + 0.005
        assert 0.95 - slack < np.mean(inside[name]), name
    assert np.mean(inside["sigma"]) < 0.985
