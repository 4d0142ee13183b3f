"""Run biolith on arrays of a file and print its effective draws and seconds; for an interpreter that has biolith.

Usage: python biolith_run.py arrays.npz. The fit is run with two numbers of draws: their difference is what draws alone
take, without compilation and warm-up.
"""

import json
import sys
import time

import numpy as np

FEW, MANY, CHAINS = 500, 4000, 2


def run(arrays: dict, samples: int) -> tuple[float, dict]:
    """Seconds of a fit, and its draws by coefficient, (chain, draw) each."""
    import numpyro
    from biolith.models import occu
    from biolith.utils import fit

    numpyro.set_host_device_count(CHAINS)
    began = time.perf_counter()
    result = fit(occu, **arrays, num_samples=samples, num_warmup=500, num_chains=CHAINS, random_seed=1)
    seconds = time.perf_counter() - began
    draws = result.mcmc.get_samples(group_by_chain=True)
    return seconds, {name: np.asarray(values) for name, values in draws.items() if name.startswith(("beta", "alpha"))}


def smallest(draws: dict) -> float:
    """Smallest effective number of draws over the coefficients."""
    from numpyro.diagnostics import effective_sample_size

    flat = [values.reshape(*values.shape[:2], -1) for values in draws.values()]
    return float(min(effective_sample_size(values).min() for values in flat))


def main() -> None:
    """Fit, after a fit that starts JAX, twice and tell."""
    arrays = dict(np.load(sys.argv[1]))
    run(arrays, FEW)
    short, _ = run(arrays, FEW)
    long, draws = run(arrays, MANY)
    middle = {name: np.asarray(values).mean((0, 1)).ravel().tolist() for name, values in draws.items()}
    ess = smallest(draws)
    told = {"seconds": long, "of_draws": (long - short) * MANY / (MANY - FEW), "ess": ess, "means": middle}
    sys.stdout.write(json.dumps(told) + "\n")


if __name__ == "__main__":
    main()
