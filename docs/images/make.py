"""Make the README's picture: density, its uncertainty, and the posterior of N of the bundled, synthetic survey."""

from __future__ import annotations

from pathlib import Path

from matplotlib.figure import Figure

import leopardpop as lp


def main() -> None:
    """Fit the bundled survey and write ``amur.png`` beside this file."""
    survey = lp.load_example("amur_leopard", seed=1)
    history = survey.capture_history(
        species="Panthera pardus", start="2024-02-01", end="2024-05-02", occasion="7D", flank="left"
    )
    mask = lp.Mask.around(history, buffer=60_000, spacing=2_000, habitat=survey.layers["habitat"])
    mask = mask.with_covariates(snow=survey.layers["snow"])
    model = lp.SCR(density="~ snow", detection=lp.HalfNormal(lambda0="~ sex", sigma="~ sex"), classes="sex")
    fit = model.fit(history, mask, seed=1)
    figure = Figure(figsize=(10.5, 5.9), layout="constrained", dpi=110)
    axes = figure.subplots(1, 3, width_ratios=[1, 1, 1.1])
    fit.plot.density(ax=axes[:2])
    fit.plot.population(ax=axes[2], claim=(30, 50), truth=survey.truth.N)
    figure.savefig(Path(__file__).with_name("amur.png"))


if __name__ == "__main__":
    main()
