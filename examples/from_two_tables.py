"""From two tables to a population: the smallest survey one can write down, and what the fit says about it.

Ten stations in a row, four animals: far too little, and the diagnostics say so.
"""

import pandas as pd

import leopardpop as lp

stations = pd.DataFrame({"station": [f"K{i}" for i in range(10)], "x": [2_000.0 * i for i in range(10)], "y": 0.0})
captures = pd.DataFrame(
    [
        ("F1", "K1", 1),
        ("F1", "K2", 3),
        ("F2", "K4", 2),
        ("M1", "K6", 1),
        ("M1", "K8", 2),
        ("M1", "K7", 5),
        ("F3", "K9", 4),
    ],
    columns=["individual", "station", "occasion"],
)

if __name__ == "__main__":
    history = lp.CaptureHistory.from_tables(captures, stations, detector="proximity", occasions=5)
    mask = lp.Mask.around(history, buffer=12_000, spacing=1_000)
    fit = lp.SCR(priors=lp.priors.PriorSet({"sigma": lp.Prior("LogNormal", mu=7.6, sigma=0.4)})).fit(
        history, mask, seed=1
    )
    print(history)
    print(fit)
    print(fit.population())
