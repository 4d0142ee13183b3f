"""Occupancy beside biolith (NumPyro on JAX), each in an environment of its own, in one run on one machine.

``LEOPARDPOP_BIOLITH`` names a Python that has biolith; without it uv makes an environment, which needs a network.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import leopardpop as lp
from tests.benchmarks.test_occupancy import SEVEN, ovenbird
from tests.benchmarks.yardstick import best

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(1200)]

PACKAGES = ("biolith==0.1.0", "pytest")  # its modules import pytest, which it does not ask for


def _call(*command: str, seconds: int = 600) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    return subprocess.run(command, capture_output=True, text=True, timeout=seconds, env=clean, check=False)


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A Python with biolith, or a reason why there is none."""
    if given := os.environ.get("LEOPARDPOP_BIOLITH"):
        return given
    uv, place = shutil.which("uv"), tmp_path_factory.mktemp("biolith") / "env"
    if uv is None:
        pytest.skip("no uv to make an environment for biolith with")
    made = str(place / "bin" / "python")
    for command in (
        [uv, "venv", "--python", sys.executable, str(place)],
        [uv, "pip", "install", "--python", made, *PACKAGES],
    ):
        done = _call(*command)
        if done.returncode:
            pytest.skip(f"biolith could not be installed: {done.stderr.strip().splitlines()[-1]}")
    return made


def test_effective_draws_a_second(shared: Path, python: str, tmp_path: Path) -> None:
    """Of the worst coefficient, each in a warm process: at least ten times biolith's 4,000 draws of two chains."""
    history = ovenbird(shared)
    data = history.dataset
    elevation = data["elevation"].values
    visits = [np.ones_like(data["day"].values), data["day"].values, data["tod"].values, data["day"].values ** 2]
    place = tmp_path / "arrays.npz"
    np.savez(
        place,
        site_covs=np.stack([elevation, elevation**2], -1),
        obs_covs=np.stack(visits[1:], -1).reshape(len(elevation), 1, -1, 3),
        obs=data["y"].values.reshape(1, len(elevation), 1, -1),
    )
    done = _call(python, str(Path(__file__).with_name("biolith_run.py")), str(place))
    assert done.returncode == 0, done.stderr[-2000:]
    theirs = json.loads(done.stdout.strip().splitlines()[-1])

    fits = []
    SEVEN.fit(history, engine="laplace", seed=0)
    seconds = best(lambda: fits.append(SEVEN.fit(history, engine="laplace", seed=1)), 3)
    ours = fits[0].data_tree.attrs["importance_ess"] / seconds
    call, alone = theirs["ess"] / theirs["seconds"], theirs["ess"] / theirs["of_draws"]
    assert _apart(fits[0], theirs["means"]) < 0.4  # the same posterior but for their narrower priors
    assert ours >= 10 * call, f"{ours:.0f} a second, biolith {call:.0f}, {alone:.0f} without compilation and warm-up"


def _apart(fit: lp.OccupancyFit, means: dict[str, list[float]]) -> float:
    """Largest difference of a posterior mean, in posterior sds."""
    theirs = np.concatenate([np.ravel(means[name]) for name in sorted(means)])  # alpha is detection, beta occupancy
    found = [fit.posterior[f"{name}_beta"].stack(sample=("chain", "draw")).values for name in ("p", "psi")]
    ours = np.concatenate(found)
    return float((np.abs(ours.mean(1) - theirs) / ours.std(1)).max())
