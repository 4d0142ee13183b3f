"""Fresh processes: import, a whole fit, peak memory; all as ratios in one run."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.benchmarks.yardstick import yardstick

MEASURE = """
import json, resource, time
start = time.perf_counter()
{body}
seconds, used = time.perf_counter() - start, [resource.getrusage(who) for who in (0, resource.RUSAGE_CHILDREN)]
from tests.benchmarks.processor import peak_mebibytes
processor = sum(each.ru_utime + each.ru_stime for each in used)
print(json.dumps(dict(seconds=min(seconds, processor), mib=peak_mebibytes())))
"""
SURVEY = """
import numpy as np, pandas as pd, warnings
import leopardpop as lp
line = np.arange(8) * 3000.0
x, y = (a.ravel() for a in np.meshgrid(line, line))
stations = pd.DataFrame(dict(station=[f"K{{i}}" for i in range(64)], x=x, y=y))
design = lp.CaptureHistory.from_tables(None, stations, detector="proximity", occasions=8)
mask = lp.Mask.around(design, buffer=8000, spacing=1000)
model = lp.SCR(detection=lp.{detection}())
truth = dict(D=0.1, {baseline}=0.1, sigma=2000.0)
history = model.simulate(design, mask, parameters=truth, seed=1).history
fit = model.fit(history, mask, seed=1)
assert fit.engine == "laplace", fit.engine
fit.population().summary()
"""
EXAMPLE = """
import leopardpop as lp
survey = lp.load_example("amur_leopard", seed=1)
dates = dict(start="2024-02-01", end="2024-05-02", occasion="7D")
history = survey.capture_history(species="Panthera pardus", flank="left", **dates)
mask = lp.Mask.around(history, buffer=60_000, spacing=2_000, habitat=survey.layers["habitat"])
mask = mask.with_covariates(snow=survey.layers["snow"])
model = lp.SCR(density="~ snow", detection=lp.HalfNormal(lambda0="~ sex", sigma="~ sex"), classes="sex")
fit = model.fit(history, mask, seed=1)
"""
REFERENCE_YARDSTICK = 0.13
"""Seconds of the yardstick on the machine for which the limits in seconds were written (a quiet 2-core one)."""


def fresh(body: str) -> dict[str, float]:
    """Run a script in a fresh process; seconds and peak memory in MiB.

    The seconds are the processor's where they are fewer than those on the wall: there others were at work.
    """
    script = MEASURE.format(body=body)
    here = Path(__file__).parents[2]  # the script asks the tests how much memory it had
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=here)
    result: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return result


@pytest.mark.benchmark
@pytest.mark.parametrize(
    ("detection", "baseline", "limit"),
    [("HalfNormal", "lambda0", 3.0), ("ProbabilityHalfNormal", "g0", 10.0), ("Exponential", "lambda0", 10.0)],
)
def test_a_fresh_process_answers_in_seconds(detection: str, baseline: str, limit: float) -> None:
    """Import, data, fit and N: limits in seconds of a quiet machine, carried to this one by the yardstick."""
    body = SURVEY.format(detection=detection, baseline=baseline)
    fresh(body)
    seconds = min(fresh(body)["seconds"] for _ in range(3))
    allowed = limit * max(1.0, yardstick() / REFERENCE_YARDSTICK)
    assert seconds <= allowed, f"{seconds:.1f} s, {allowed:.1f} s allowed"


@pytest.mark.benchmark
def test_a_fresh_process_samples_within_a_minute() -> None:
    """NUTS from import to N, three parameters."""
    body = SURVEY.format(detection="HalfNormal", baseline="lambda0")
    body = body.replace("model.fit(history, mask, seed=1)", 'model.fit(history, mask, engine="nuts", seed=1)')
    seconds = fresh(body.replace('assert fit.engine == "laplace"', 'assert fit.engine == "nuts"'))["seconds"]
    allowed = 60.0 * max(1.0, yardstick() / REFERENCE_YARDSTICK)
    assert seconds <= allowed, f"{seconds:.1f} s, {allowed:.1f} s allowed"


@pytest.mark.verification
def test_the_example_fits_in_a_gigabyte() -> None:
    assert fresh(EXAMPLE)["mib"] <= 1024
