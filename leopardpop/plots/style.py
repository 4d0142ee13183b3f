"""The look of all figures: widths of journals, type that can be read in print, colours that survive a copier."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache, wraps
from io import BytesIO
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.transforms import ScaledTranslation

from leopardpop.errors import ModelError

__all__ = [
    "ACCENT",
    "COLUMN",
    "FAINT",
    "INK",
    "PAGE",
    "PALETTE",
    "SMALL",
    "SOFT",
    "FigureAxes",
    "Panels",
    "describe",
    "figure_of",
    "legend_below",
    "legend_under",
    "line_styles",
    "new_axes",
    "panels_of",
    "plain",
    "styled",
]

COLUMN, PAGE = 85.0, 170.0
"""Widths of a column and of a page, mm."""
MM = 1 / 25.4
DPI = 200
SIZE, SMALL = 7.5, 7.0
"""Sizes of type, points: nothing is smaller than the second."""
INK, SOFT, FAINT = "#1a1a1a", "#6b6b6b", "#dcdcdc"
PALETTE = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#999999")
"""Okabe & Ito (2008), without the yellow and the black."""
ACCENT = "#D55E00"
DASHES: tuple[Any, ...] = ("-", (0, (4, 1.6)), (0, (1.2, 1.4)), (0, (5, 1.4, 1.2, 1.4)))
FONT = "DejaVu Sans"  # ships with matplotlib: the same everywhere
OWN = {
    "font.family": FONT,
    "font.size": SIZE,
    "axes.labelsize": SIZE,
    "axes.titlesize": SIZE,
    "axes.linewidth": 0.6,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.labelsize": SMALL,
    "ytick.labelsize": SMALL,
    "legend.fontsize": SMALL,
    "legend.frameon": False,
    "legend.handlelength": 1.8,
    "legend.columnspacing": 1.2,
    "lines.linewidth": 1.2,
    "hatch.linewidth": 0.5,
    "figure.facecolor": "white",
    "mathtext.fontset": "dejavusans",
}
GROUPS = frozenset(
    {"axes", "errorbar", "figure", "font", "grid", "hatch", "image", "legend", "lines", "markers", "mathtext"}
    | {"patch", "scatter", "text", "xaxis", "xtick", "yaxis", "ytick"}
)
TICKS: dict[str, Any] = {"width": 0.6, "length": 2.5, "pad": 2.0, "labelsize": SMALL, "colors": INK}


def styled[**P, R](function: Callable[P, R]) -> Callable[P, R]:
    """Draw in the house style, whatever the user's settings are, and leave those as they were."""

    @wraps(function)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        with matplotlib.rc_context(_settings()):
            return function(*args, **kwargs)

    return wrapper


@cache
def _settings() -> Any:
    default = matplotlib.rcParamsDefault
    return {key: value for key, value in default.items() if key.split(".")[0] in GROUPS} | OWN


class FigureAxes(Axes):
    """Axes that a notebook shows as their figure, without pyplot."""

    def _repr_png_(self) -> bytes:
        return _png(figure_of(self))


class Panels(np.ndarray[Any, np.dtype[np.object_]]):
    """The axes of a figure with several panels: an array of them, with their ``figure``."""

    @property
    def figure(self) -> Figure:
        """The figure of the panels."""
        first: Any = self.flat[0]
        return figure_of(first)

    def _repr_png_(self) -> bytes:
        return _png(self.figure)


def _png(figure: Figure) -> bytes:
    buffer = BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue()


def figure_of(ax: Axes) -> Figure:
    """Figure that axes belong to."""
    figure: Any = ax.figure
    return figure.figure if not isinstance(figure, Figure) else figure


def new_axes(
    ax: Any, *, width: float, height: float, shape: tuple[int, int] = (1, 1), **options: Any
) -> list[FigureAxes | Axes]:
    """Return the axes that were given, or make a figure of the wanted size in mm with its axes.

    Parameters
    ----------
    ax
        None, axes, or a sequence of axes, one a panel.
    width, height
        Size of a new figure, mm.
    shape
        Rows and columns of panels.
    **options
        For :meth:`matplotlib.figure.Figure.subplots`.

    Returns
    -------
    list of Axes
        Row by row.

    Raises
    ------
    ModelError
        If the number of axes is not that of the panels.
    """
    if ax is None:
        figure = Figure(figsize=(width * MM, height * MM), dpi=DPI, layout="constrained", facecolor="white")
        made = figure.subplots(*shape, squeeze=False, subplot_kw={"axes_class": FigureAxes}, **options)
        axes = list(made.flat)
    else:
        axes = [ax] if isinstance(ax, Axes) else list(np.ravel(np.asarray(ax, object)))
        if len(axes) != shape[0] * shape[1]:
            raise ModelError(f"ax: this figure has {shape[0] * shape[1]} panels, {len(axes)} axes were given.")
    for each in axes:
        _dress(each)
    return axes


def _dress(ax: Axes) -> None:
    """Put axes, which may be the user's, into the house style: what is made later would not know it."""
    ax.tick_params(which="both", **TICKS)
    ax.spines[["top", "right"]].set_visible(False)
    for spine in ax.spines.values():
        spine.set(linewidth=0.6, edgecolor=INK)
    for axis in (ax.xaxis, ax.yaxis):
        axis.label.set(fontsize=SIZE, color=INK, fontfamily=FONT)


def panels_of(axes: Sequence[Axes]) -> Panels:
    """Put axes into an array that knows their figure."""
    array = np.empty(len(axes), object)
    array[:] = axes
    return array.view(Panels)


def describe(axes: Axes | Sequence[Axes], caption: str, alt_text: str) -> None:
    """Attach what goes under a figure, and what it shows in words, to its axes and to the figure.

    Parameters
    ----------
    axes
        The panels that this is about.
    caption, alt_text
        Texts. A figure with several drawings has those of all, one after the other.
    """
    first: Any = axes if isinstance(axes, Axes) else axes[0]
    first.caption, first.alt_text = caption, alt_text
    figure: Any = figure_of(first)
    for name in ("caption", "alt_text"):
        texts = [getattr(each, name) for each in figure.axes if hasattr(each, name)]
        setattr(figure, name, " ".join(dict.fromkeys(texts)))


def legend_below(ax: Axes, handles: Sequence[Any], *, columns: int, gap: float = 0.0) -> None:
    """Put a legend under the axes (under their labels, if ``gap`` is the room for them in lines of type)."""
    anchor = ScaledTranslation(0, -gap * 1.4 * SMALL / 72, figure_of(ax).dpi_scale_trans)
    ax.legend(
        handles=handles,
        loc="upper center",
        bbox_to_anchor=(0.5, 0.0),
        bbox_transform=ax.transAxes + anchor,
        ncols=columns,
        borderaxespad=0.3,
    )


def legend_under(axes: Sequence[Axes], handles: Sequence[Any], *, own: bool, gap: float = 0.0) -> None:
    """Put one legend under maps: of the figure where it is our own with several panels, else of the axes."""
    if own and len(axes) > 1:
        figure_of(axes[0]).legend(handles=handles, loc="outside lower center", ncols=len(handles))
    else:
        legend_below(axes[len(axes) // 2], handles, columns=2, gap=gap)


def line_styles(n: int) -> list[tuple[str, Any]]:
    """Colour and dashes of n lines: told apart by either."""
    return [(PALETTE[i % len(PALETTE)], DASHES[i % len(DASHES)]) for i in range(n)]


def plain(text: object, most: int = 32) -> str:
    r"""Text of the user's, safe to draw: no mathematics, no control characters, nothing that the font lacks.

    Parameters
    ----------
    text
        A label.
    most
        Longer ones are cut.

    Examples
    --------
    >>> plain("cost $5"), plain("a" * 40, most=5), plain("名")
    ('cost \\$5', 'aaaa…', '�')
    """
    letters = " ".join(str(text).split())
    letters = letters if len(letters) <= most else f"{letters[: most - 1]}…"
    return "".join(c if ord(c) in _glyphs() else "\ufffd" for c in letters).replace("$", r"\$")


@cache
def _glyphs() -> frozenset[int]:
    from matplotlib import font_manager

    return frozenset(font_manager.get_font(font_manager.findfont(FONT)).get_charmap())
