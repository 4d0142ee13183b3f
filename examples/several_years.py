"""Three years of one area: density by year from spatial capture-recapture, and whether it fell.

The years are simulated at the stations of the bundled survey, a third fewer animals each year; an analysis of real
years begins at ``survey.capture_history(sessions=...)`` or at tables with a column "session".
"""

import numpy as np
import pandas as pd

import leopardpop as lp

YEARS = ("2022", "2023", "2024")

survey = lp.load_example("amur_leopard", seed=1)
stations = survey.stations[["station", "x", "y"]]
design = lp.CaptureHistory.from_tables(
    captures=None,
    stations=pd.concat([stations.assign(session=year) for year in YEARS]),
    occasions=dict.fromkeys(YEARS, 90),
)
mask = lp.Mask.around(design, buffer=25_000, spacing=2_500)
model = lp.SCR(density="~ session", detection=lp.HalfNormal(lambda0="~ 1", sigma="~ 1"))
TRUTH = {
    "D": 0.005,
    "D[session[2023]]": np.log(2 / 3),
    "D[session[2024]]": np.log(4 / 9),
    "lambda0": 0.01,
    "sigma": 5_000,
}

if __name__ == "__main__":
    history = model.simulate(design, mask, parameters=TRUTH, seed=3).history
    print(history)
    fit = model.fit(history, mask, seed=1)
    print(fit)
    print(fit.population())
    animals = fit.population().expected  # E[N] of each year, draw by draw
    change = animals.sel(session="2024") / animals.sel(session="2022")
    print(f"2024 to 2022: {float(change.median()):.2f} times as many; P(fewer) = {float((change < 1).mean()):.3f}")
