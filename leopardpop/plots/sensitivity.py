"""Figure 6, right half: a tornado of what moves the number of animals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from leopardpop.checks.sensitivity_result import short
from leopardpop.plots.style import (
    ACCENT,
    COLUMN,
    INK,
    PALETTE,
    SMALL,
    SOFT,
    describe,
    legend_below,
    new_axes,
    plain,
    styled,
)
from leopardpop.words import counted, decimal

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from leopardpop.checks.sensitivity_result import Effect, Sensitivity

__all__ = ["sensitivity_figure"]

FILLS = {"ok": ("#a6cbe3", ""), "note": (PALETTE[1], "////"), "warn": (ACCENT, "xxxx")}
MEANINGS = {"ok": "no more than usual", "note": "worth a word", "warn": "say it with the answer"}
NAMES = ("animal", "station", "site")
SHOWN_OF_MANY = 5
"""Animals and stations each: the others move it less."""


@styled
def sensitivity_figure(found: Sensitivity, *, most: int = 20, ax: Any = None) -> Axes:
    """Draw the change of the median by each assumption, animal and station, in per cent of it.

    Parameters
    ----------
    found
        Result of ``fit.sensitivity()``.
    most
        Most bars.
    ax
        Axes to draw on; None: a new figure.

    Returns
    -------
    matplotlib Axes
    """
    effects = _chosen(found, most)
    (axes,) = new_axes(ax, width=1.5 * COLUMN, height=18 + 4.6 * max(len(effects), 3))
    places = np.arange(len(effects))[::-1]
    for place, effect in zip(places, effects, strict=True):
        _bar(axes, float(place), effect)
    _dress(axes, found, effects, places)
    _legend(axes, effects)
    describe(axes, _caption(found, effects), _alt_text(found, effects))
    return axes


def _chosen(found: Sensitivity, most: int) -> list[Effect]:
    """One bar a change, the strongest first; of animals and stations those that move it most."""
    known = [effect for effect in found.effects if np.isfinite(effect.sds)]
    ordered = sorted(known, key=lambda effect: -abs(effect.sds))
    seen: dict[str, int] = {}
    chosen = []
    for effect in ordered:
        seen[effect.kind] = seen.get(effect.kind, 0) + 1
        if effect.kind not in NAMES or seen[effect.kind] <= SHOWN_OF_MANY:
            chosen.append(effect)
    return chosen[: max(1, most)]


def _bar(axes: Axes, place: float, effect: Effect) -> None:
    color, hatch = FILLS[effect.verdict]
    axes.barh(place, effect.percent, height=0.72, color=color, hatch=hatch, edgecolor=INK, linewidth=0.4, zorder=2)
    if effect.how == "refit":
        spread = abs(effect.percent / effect.sds) if effect.sds else 0.0
        axes.errorbar(
            effect.percent, place, xerr=effect.error * spread, color=INK, linewidth=0.7, capsize=1.5, zorder=3
        )


def _dress(axes: Axes, found: Sensitivity, effects: list[Effect], places: Any) -> None:
    axes.axvline(0.0, color=INK, linewidth=0.6, zorder=1)
    axes.set_yticks(places, [plain(short(effect), most=46) for effect in effects])
    axes.set_ylim(-0.7, len(effects) - 0.3)
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel(f"Change of the median of {found.quantity.replace(' (%)', '')}, %")
    largest = max((abs(effect.percent) for effect in effects), default=1.0)
    axes.set_xlim(-1.12 * max(largest, 0.5), 1.12 * max(largest, 0.5))
    margin = axes.get_yaxis_transform()
    axes.text(1.02, 1.0, "k", transform=axes.transAxes, fontsize=SMALL, color=SOFT, ha="left", va="bottom")
    for place, effect in zip(places, effects, strict=True):
        axes.text(1.02, place, _margin(effect), transform=margin, fontsize=SMALL, color=SOFT, ha="left", va="center")


def _margin(effect: Effect) -> str:
    if effect.how in ("refit", "exact"):
        return effect.how
    return decimal(effect.pareto_k) if np.isfinite(effect.pareto_k) else "–"


def _legend(axes: Axes, effects: list[Effect]) -> None:
    lights = [light for light in FILLS if any(effect.verdict == light for effect in effects)]
    handles: list[Any] = [
        Patch(facecolor=FILLS[light][0], hatch=FILLS[light][1], edgecolor=INK, linewidth=0.4, label=MEANINGS[light])
        for light in lights
    ]
    if any(effect.how == "refit" for effect in effects):
        handles.append(Line2D([], [], color=INK, linewidth=0.7, label="Monte Carlo error of a refit"))
    legend_below(axes, handles, columns=2, gap=2.2)


def _caption(found: Sensitivity, effects: list[Effect]) -> str:
    missing = len({(e.kind, e.subject, e.change) for e in found.effects if e.verdict == "open"})
    unit = "one animal's record or one station"
    if any(effect.kind == "site" for effect in found.effects):
        unit = "one site"
    more = f" {counted(missing, 'change')} could not be answered." if missing else ""
    return (
        f"What moves {found.quantity}: change of the posterior median by other assumptions, and by leaving out {unit} "
        "(the strongest of each). Right: Pareto k of the weights that gave the answer, "
        f"or that the model was fitted again.{more}"
    )


def _alt_text(found: Sensitivity, effects: list[Effect]) -> str:
    if not effects:
        return "An empty figure: no change could be answered."
    return f"Horizontal bars, the longest on top. {found.words(effects[0])}."
