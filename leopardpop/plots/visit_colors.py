"""Colours of what was seen on a visit: told apart by those who see no red, and on a copier."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.colors import ListedColormap, to_hex
from matplotlib.patches import Patch

from leopardpop.plots.style import SOFT

if TYPE_CHECKING:
    from leopardpop.data.detection_history import DetectionHistory

__all__ = ["HATCH", "NOT_SEEN", "STATES", "classes", "color_map", "handles", "labels"]

NOT_SEEN, SEEN, YOUNG = "#e4ebf1", "#56a0d3", "#8c2d04"
"""Each darker than the one before."""
STATES = ("not seen", "seen", "seen with young")
HATCH: dict[str, Any] = {"facecolor": "white", "edgecolor": "#b5b5b5", "hatch": "//////", "linewidth": 0}
MOST_CLASSES = 6


def labels(history: DetectionHistory) -> list[str]:
    """Return what each colour stands for.

    Parameters
    ----------
    history
        The detection history.
    """
    if history.response == "state":
        return list(STATES)
    if history.response == "binary":
        return list(STATES[:2])
    limits = _limits(history)
    words = [f"{low}" if high == low else f"{low} to {high}" for low, high in limits]
    return ["0 counted", *words]


def _limits(history: DetectionHistory) -> list[tuple[int, int]]:
    """Return the first and last count of each colour: one a number while they suffice, else growing ranges."""
    highest = max(1, int(np.nanmax(history.dataset["y"].values, initial=0)))
    if highest < MOST_CLASSES:
        return [(n, n) for n in range(1, highest + 1)]
    edges = np.unique(np.rint(np.geomspace(1, highest + 1, MOST_CLASSES)).astype(int))
    return [(int(low), int(high) - 1) for low, high in pairwise(edges)]


def classes(history: DetectionHistory, y: Any) -> Any:
    """Return the number of the colour of each response; NaN without a visit."""
    if history.response != "count":
        return y
    starts = np.array([0, *(low for low, _ in _limits(history))], dtype=float)
    return np.where(np.isnan(y), np.nan, np.searchsorted(starts, y, side="right") - 1.0)


def color_map(history: DetectionHistory) -> ListedColormap:
    """Return the colours, from not seen on."""
    if history.response != "count":
        return ListedColormap([NOT_SEEN, SEEN, YOUNG][: len(labels(history))])
    from matplotlib import colormaps

    shades = colormaps["cividis_r"](np.linspace(0.25, 1.0, len(labels(history)) - 1))
    return ListedColormap([NOT_SEEN, *map(to_hex, shades)])


def handles(history: DetectionHistory, *, missing: bool) -> list[Patch]:
    """Return the entries of a legend."""
    colors = color_map(history)
    found = [
        Patch(facecolor=colors(i), edgecolor=SOFT, linewidth=0.3, label=word) for i, word in enumerate(labels(history))
    ]
    return found + ([Patch(label="no visit", **HATCH)] if missing else [])
