"""Make the pictures of the documentation from the bundled, synthetic survey."""

from __future__ import annotations

from pathlib import Path

from matplotlib.figure import Figure

import leopardpop as lp

SPECIES = "Panthera pardus"


def main() -> None:
    """Write ``amur.png``, ``survey.png`` and ``calendar.png`` beside this file."""
    survey = lp.load_example("amur_leopard", seed=1)
    draw_survey(survey)
    draw_fit(survey)


def draw_survey(survey: lp.Survey) -> None:
    """What is looked at before a fit."""
    figure = Figure(figsize=(10.5, 3.9), layout="constrained", dpi=110)
    axes = figure.subplots(1, 3, width_ratios=[0.9, 1.05, 1.05])
    survey.plot.map(axes[0], species=SPECIES)
    survey.plot.activity(axes[1], species=SPECIES)
    survey.plot.accumulation(axes[2], species=SPECIES, by="effort")
    figure.savefig(Path(__file__).with_name("survey.png"))
    survey.plot.calendar(species=SPECIES).figure.savefig(Path(__file__).with_name("calendar.png"), dpi=110)


def draw_fit(survey: lp.Survey) -> None:
    """Density, its uncertainty, and the posterior of N."""
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
