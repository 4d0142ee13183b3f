"""The raw detection history: a row a site, a column a visit."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.patches import PathPatch
from matplotlib.path import Path
from numpy.typing import NDArray

from leopardpop.data.names import did_you_mean, listed
from leopardpop.errors import DataError
from leopardpop.plots.style import INK, PAGE, SMALL, describe, legend_under, new_axes, panels_of, plain, styled
from leopardpop.plots.visit_colors import HATCH, classes, color_map, handles
from leopardpop.words import counted

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from leopardpop.data.detection_history import DetectionHistory
    from leopardpop.plots.style import Panels

__all__ = ["MOST_PANELS", "visit_raster"]

MOST_PANELS = 12
MOST_NAMES = 60
"""Sites up to which their names are written."""
ORDERS = ("site", "detections")
Order = Literal["site", "detections"]


@styled
def visit_raster(
    history: DetectionHistory, *, order: Order = "site", species: str | None = None, ax: Any = None
) -> Axes | Panels:
    """Draw each visit to each site in the colour of what was seen; hatched where there was no visit.

    Parameters
    ----------
    history
        The detection history.
    order
        "site": as in the history; "detections": sites with most of them on top.
    species
        Label of one species; None: a panel each, at most 12.
    ax
        Axes to draw on, one a species; None: a new figure.

    Returns
    -------
    matplotlib Axes or array of Axes

    Raises
    ------
    DataError
        If the order or the species is unknown.

    Examples
    --------
    >>> import leopardpop as lp
    >>> history = lp.DetectionHistory.from_tables([[0, 1, float("nan")], [0, 0, 0]])
    >>> visit_raster(history).figure.alt_text
    'Raster of 5 visits to 2 sites, with 1 detection.'
    """
    if order not in ORDERS:
        hint = did_you_mean(str(order), ORDERS)
        raise DataError(f"order={order!r} is not known; choose one of {listed(ORDERS)}.{hint}")
    chosen = history.select(species=species)
    several = "species" in chosen.dataset.dims
    shown = [chosen.select(species=name) for name in chosen.species[:MOST_PANELS]] if several else [chosen]
    axes = _axes(ax, len(shown), history.n_sites)
    for each, one in zip(axes, shown, strict=False):
        _panel(each, one, order, color_map(history), title=one.species[0] if len(shown) > 1 else "")
    axes = axes[: len(shown)]
    missing = bool(np.isnan(history.dataset["y"].values).any())
    legend_under(axes, handles(history, missing=missing), own=ax is None, gap=2.6)
    describe(axes, _caption(chosen, len(shown), order), _alt(chosen))
    return axes[0] if len(axes) == 1 else panels_of(axes)


def _axes(ax: Any, n: int, n_sites: int) -> list[Any]:
    if ax is not None:
        return new_axes(ax, width=PAGE, height=PAGE, shape=(1, n))
    columns = min(n, 4)
    rows = -(-n // columns)
    tall = 3.1 * max(n_sites, 8) if n_sites <= MOST_NAMES else float(np.clip(0.6 * n_sites, 120, 200))
    axes = new_axes(None, width=PAGE, height=min(tall / rows**0.5, 210 / rows) * rows + 20, shape=(rows, columns))
    for spare in axes[n:]:
        spare.set_axis_off()
    return axes


def _panel(ax: Axes, history: DetectionHistory, order: Order, colors: Any, *, title: str) -> None:
    y = history.dataset["y"].values
    rows = np.arange(len(y)) if order == "site" else np.argsort(-(y > 0).sum(axis=(1, 2)), kind="stable")
    table, starts = _columns(classes(history, y[rows]))
    ax.imshow(table, cmap=colors, vmin=-0.5, vmax=colors.N - 0.5, aspect="auto", interpolation="nearest", zorder=1)
    _hatch(ax, np.isnan(table))
    _lines(ax, table.shape, starts)
    _ticks(ax, history, starts, rows)
    if title:
        ax.set_title(plain(title))


def _columns(y: NDArray[np.float64]) -> tuple[NDArray[np.float64], list[int]]:
    """Return visits of all seasons beside each other, and where seasons begin; visits that no site had are left out."""
    made = ~np.isnan(y).all(axis=0)
    lengths = [max(1, int(np.flatnonzero(row).max(initial=-1)) + 1) for row in made]
    table = np.concatenate([y[:, t, :length] for t, length in enumerate(lengths)], axis=1)
    return table, np.cumsum([0, *lengths]).tolist()


def _hatch(ax: Axes, missing: NDArray[np.bool_]) -> None:
    """Hatch the cells without a visit, those that follow each other in one piece."""
    if not missing.any():
        return
    change = np.diff(np.pad(missing, ((0, 0), (1, 1))).astype(int), axis=1)
    row, start = np.nonzero(change == 1)
    end = np.nonzero(change == -1)[1]
    left, right, low, high = start - 0.5, end - 0.5, row - 0.5, row + 0.5
    corners = np.stack([(left, low), (right, low), (right, high), (left, high)]).transpose(2, 0, 1)
    ax.add_patch(PathPatch(Path.make_compound_path_from_polys(corners), zorder=2, **HATCH))


def _lines(ax: Axes, shape: tuple[int, ...], starts: list[int]) -> None:
    """Draw white lines between cells if they are large enough, and dark ones between seasons."""
    n, columns = shape
    across = [[(-0.5, i - 0.5), (columns - 0.5, i - 0.5)] for i in range(1, n)] if n <= MOST_NAMES else []
    up = [[(j - 0.5, -0.5), (j - 0.5, n - 0.5)] for j in range(1, columns)] if columns <= MOST_NAMES else []
    ax.add_collection(LineCollection(across + up, colors="white", linewidths=0.7, zorder=3), autolim=False)
    seasons = [[(s - 0.5, -0.5), (s - 0.5, n - 0.5)] for s in starts[1:-1]]
    ax.add_collection(LineCollection(seasons, colors=INK, linewidths=0.9, zorder=4), autolim=False)


def _ticks(ax: Axes, history: DetectionHistory, starts: list[int], rows: NDArray[np.intp]) -> None:
    names = history.dataset["site"].values
    if len(names) <= MOST_NAMES:
        ax.set_yticks(range(len(names)), [plain(names[i], 18) for i in rows], fontsize=SMALL)
        ax.set_ylabel("Site")
    else:
        ax.set_yticks([])
        ax.set_ylabel(f"{len(names):,} sites")
    if len(history.seasons) > 1:
        middles = [(one + other - 1) / 2 for one, other in pairwise(starts)]
        ax.set_xticks(middles, [plain(name, 12) for name in history.seasons])
        ax.set_xlabel("Season; a column a visit")
    else:
        step = max(1, -(-starts[-1] // 12))
        ax.set_xticks(range(0, starts[-1], step), [str(j + 1) for j in range(0, starts[-1], step)])
        ax.set_xlabel("Visit")
    ax.tick_params(length=0)


# -- words ------------------------------------------------------------------------------------------------------------
def _caption(history: DetectionHistory, n_panels: int, order: Order) -> str:
    text = f"Raw detection history: {counted(history.n_visits, 'visit')} to {counted(history.n_sites, 'site')}"
    text += f" in {counted(len(history.seasons), 'season')}" if len(history.seasons) > 1 else ""
    text += f", {counted(history.n_detections, 'detection')}. A row is a site, a column a visit"
    text += "; sites with most detections are on top. " if order == "detections" else ". "
    if len(history.species) > n_panels:
        text += f"The first {n_panels} of {len(history.species)} species. "
    return text.strip()


def _alt(history: DetectionHistory) -> str:
    seen = counted(history.n_detections, "detection")
    return f"Raster of {counted(history.n_visits, 'visit')} to {counted(history.n_sites, 'site')}, with {seen}."
