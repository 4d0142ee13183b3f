"""Effects: a parameter along one covariate, and all coefficients beside their priors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from leopardpop.errors import ModelError
from leopardpop.models.describe import effort_unit_of
from leopardpop.models.states.problem import OccupancyProblem
from leopardpop.plots.derived import captioned
from leopardpop.plots.style import COLUMN, FAINT, PALETTE, SOFT, describe, legend_below, new_axes, plain, styled
from leopardpop.words import counted, rounded

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    type Floats = NDArray[np.float64]

__all__ = ["effect_figure", "effects_figure", "is_probability", "worded"]

WORDS = {
    "psi": "Pr(used), ψ",
    "breeding": "Pr(breeding | used), R",
    "gamma": "Pr(colonised), γ",
    "epsilon": "Pr(left), ε",
    "psi_next": "Pr(used next season), ψ′",
    "breeding_next": "Pr(breeding | used next season), R′",
    "p": "Pr(seen on a visit), p",
    "p1": "Pr(seen | used), p₁",
    "p2": "Pr(seen | breeding), p₂",
    "delta": "Pr(young seen), δ",
    "p10": "Pr(mistake), p₁₀",
    "abundance": "Animals per site, λ",
    "r": "Pr(one animal is seen), r",
    "rate": "Count per unit of effort",
}


OTHERWISE = {
    "counted animals": {"p": "Pr(one animal is counted), p"},
    "mistakes": {"p": "Pr(truly seen on a visit), p"},
}
"""Where a parameter means something else."""


AMOUNTS = {
    "D": ("Animals per 100 km²", 100.0),
    "sigma": ("σ (km)", 0.001),
}
"""Parameters that are amounts: label, and what they are multiplied with."""
PRIOR_DRAWS = 4000
ROW = 6.0
"""Height of a coefficient, mm."""


def worded(fit: Any, parameter: str) -> str:
    """What a parameter of an occupancy model is, for an axis; its name alone for a category of a multinomial logit."""
    structure = fit.model.structure
    if any(parameter in pair for pair in structure.choices):
        return parameter
    kind = "mistakes" if "p10" in structure.homes else structure.kind
    return (WORDS | OTHERWISE.get(kind, {})).get(parameter, parameter)


def is_probability(fit: Any, parameter: str) -> bool:
    """Whether a parameter of an occupancy model ends at 1."""
    return parameter not in fit.model.structure.links


@styled
def effect_figure(
    fit: Any, parameter: str, variable: str, *, at: Any, span: Any, ax: Any, species: str | None = None
) -> Axes:
    """Draw a parameter along one covariate; see :meth:`FitPlots.effect`."""
    own = {} if species is None else {"species": species}
    table = fit.effect(parameter, variable, at=at, span=span, **own)
    label, factor, top = _label(fit, parameter)
    bounds = ["mean", "median", "eti95_lb", "eti95_ub"]
    table[bounds] = factor * table[bounds]
    axes: Axes = new_axes(ax, width=COLUMN, height=60)[0]
    if isinstance(table[variable].iloc[0], str):
        _points(axes, table, variable)
    else:
        _curve(axes, table, variable)
    axes.set_xlabel(plain(variable))
    axes.set_ylabel(label)
    axes.set_ylim(0, top)
    held = "".join(f", {name} = {value}" for name, value in (own | dict(at or {})).items())
    text = f"{label} along {plain(variable)}: median and 95 % interval, other covariates at their reference"
    text += f"{plain(held)}. "
    text += f"Dashed: outside of what the {_ground(fit, parameter)} have. " if table["extrapolated"].any() else ""
    low, high = rounded(float(table["median"].min())), rounded(float(table["median"].max()))
    describe(axes, captioned(fit.history, text), f"{parameter} between {low} and {high} along {plain(variable)}.")
    return axes


def _label(fit: Any, parameter: str) -> tuple[str, float, float | None]:
    """Label of an axis with its unit, what values are multiplied with, and where the axis ends."""
    if _is_of_sites(fit):
        return worded(fit, parameter), 1.0, 1.0 if is_probability(fit, parameter) else None
    if parameter in AMOUNTS:
        return *AMOUNTS[parameter], None
    unit = effort_unit_of(fit.problem.layout[parameter].unit, fit.history.effort_unit)
    return parameter + (f" ({unit})" if unit else ""), 1.0, None


def _is_of_sites(fit: Any) -> bool:
    return isinstance(fit.problem, OccupancyProblem)


def _ground(fit: Any, parameter: str) -> str:
    """What the covariates of a parameter belong to."""
    return "sites" if _is_of_sites(fit) else "cells of the mask" if parameter == "D" else "stations"


def _curve(ax: Axes, table: Any, variable: str) -> None:
    inside = ~table["extrapolated"].to_numpy()
    x, median = table[variable].to_numpy(float), table["median"].to_numpy()
    ax.fill_between(x, table["eti95_lb"], table["eti95_ub"], color=PALETTE[0], alpha=0.2, linewidth=0)
    ax.plot(x, np.where(inside, median, np.nan), color=PALETTE[0])
    if not inside.all():
        ax.plot(x, np.where(inside, np.nan, median), color=PALETTE[0], linestyle=(0, (3, 2)))
    ax.set_xlim(x.min(), x.max())


def _points(ax: Axes, table: Any, variable: str) -> None:
    place = np.arange(len(table))
    ax.vlines(place, table["eti95_lb"], table["eti95_ub"], color=PALETTE[0])
    ax.plot(place, table["median"], "o", color=PALETTE[0], markersize=4)
    ax.set_xticks(place, [plain(level) for level in table[variable]])
    ax.set_xlim(-0.5, len(table) - 0.5)


# -- all of them ------------------------------------------------------------------------------------------------------
@styled
def effects_figure(fit: Any, *, ax: Any = None) -> Axes:
    """Draw the coefficients of all covariates and factors beside their priors.

    Parameters
    ----------
    fit
        A fit.
    ax
        Axes to draw on; None: a new figure.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ModelError
        If the model has no covariate.
    """
    terms = [term for term in fit.problem.priors.terms if not term.natural]
    if not terms:
        raise ModelError("The model has no covariates and no factors: there are no effects to draw.")
    rng = np.random.default_rng(0)
    theta = np.asarray(fit.theta, float).reshape(-1, fit.theta.shape[-1])
    axes: Axes = new_axes(ax, width=COLUMN, height=22 + ROW * len(terms))[0]
    for row, term in enumerate(terms):
        prior = _scale(fit, term) * np.asarray(term.prior.draw(rng, PRIOR_DRAWS), float)
        low, high = np.quantile(prior, [0.025, 0.975])
        axes.hlines(row, low, high, color=FAINT, linewidth=6)
        parameter = fit.problem.layout[term.parameter]  # of a mixture theta holds a logarithm of the ordered one
        draws = parameter.coefficients(theta)[:, term.position - parameter.place.start]
        lower, median, upper = np.quantile(draws, [0.025, 0.5, 0.975])
        axes.hlines(row, lower, upper, color=PALETTE[0], linewidth=1.4)
        axes.plot([median], [row], "o", color=PALETTE[0], markersize=3.5)
    axes.axvline(0.0, color=SOFT, linewidth=0.6, linestyle=(0, (1, 2)))
    axes.set_yticks(range(len(terms)), [_named(fit, term) for term in terms])
    axes.set_ylim(len(terms) - 0.4, -0.6)
    axes.set_xlabel("Effect on the scale of the link")
    legend_below(axes, _handles(), columns=2, gap=2.6)
    text = f"{counted(len(terms), 'effect')} on the scale of the link (log or logit): posterior median and 95 % "
    text += (
        "interval, and in grey the 95 % interval of the prior. Effects of covariates are for one sd of the covariate, "
    )
    text += "those of factors are differences from the first level."
    describe(axes, captioned(fit.history, text), f"Intervals of {counted(len(terms), 'effect')}, with their priors.")
    return axes


def _scale(fit: Any, term: Any) -> float:
    """Sd of the covariate: what a coefficient is multiplied with."""
    parameter = fit.problem.layout[term.parameter]
    return float(parameter.design.scale[term.position - parameter.place.start])


def _named(fit: Any, term: Any) -> str:
    """``"D: snow (sd 5.2)"``; of a factor the level."""
    name, scale = term.label.removeprefix(f"{term.parameter}[").removesuffix("]"), _scale(fit, term)
    return f"{term.parameter}: {plain(name)}" + (f" (sd {rounded(scale)})" if scale != 1.0 else "")


def _handles() -> list[Any]:
    from matplotlib.lines import Line2D

    return [
        Line2D([], [], color=PALETTE[0], marker="o", markersize=3.5, linewidth=1.4, label="posterior"),
        Line2D([], [], color=FAINT, linewidth=6, label="prior"),
    ]
