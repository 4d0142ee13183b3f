"""How many leopards? The bundled, synthetic survey from records to a report, in ten lines.

Run it from anywhere: ``python how_many_leopards.py``. It writes ``report.html`` into the current folder.
"""

import leopardpop as lp

survey = lp.load_example("amur_leopard", seed=1)
history = survey.capture_history(
    species="Panthera pardus", start="2024-02-01", end="2024-05-02", occasion="7D", flank="left"
)
mask = lp.Mask.around(history, buffer=60_000, spacing=2_000, habitat=survey.layers["habitat"])
mask = mask.with_covariates(snow=survey.layers["snow"])
model = lp.SCR(density="~ snow", detection=lp.HalfNormal(lambda0="~ sex", sigma="~ sex"), classes="sex")

if __name__ == "__main__":
    fit = model.fit(history, mask, seed=1)
    print(fit)
    population = fit.population()
    print(population)
    print("P(30 <= N <= 50 | data) =", population.probability(30, 50))
    fit.report("report.html")
