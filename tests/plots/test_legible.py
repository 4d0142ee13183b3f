"""Figures as a reader meets them in a column: no text on another, none cut off, none too pale, lines told apart."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Bbox

import leopardpop as lp
from leopardpop.plots.style import ACCENT, DASHES, INK, PALETTE, SOFT, line_styles, new_axes
from tests.plots import test_comparison, test_population, test_visit_plots
from tests.results import made

pytestmark = pytest.mark.verification
HAIR = 1.5
"""Points that boxes of text may share: the box of a line has room above and below its letters."""

# Machado, Oliveira & Fernandes (2009), severity 1, for linear RGB
BLINDNESS = {
    "protan": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deutan": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
}
XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])


def boxes(figure: Figure) -> list[tuple[Text, Bbox]]:
    """Visible texts and the room they take, px; of the tick labels those that are within their axis."""
    figure.draw_without_rendering()
    hidden = set()
    for ax in figure.axes:
        for axis in (ax.xaxis, ax.yaxis):
            shown = {id(tick) for tick in axis._update_ticks()} if ax.axison and axis.get_visible() else set()
            for tick in (*axis.majorTicks, *axis.minorTicks):
                if id(tick) not in shown:
                    hidden |= {id(tick.label1), id(tick.label2)}
        if not ax.axison:
            hidden |= {id(ax.xaxis.label), id(ax.yaxis.label)}
    texts = [t for t in figure.findobj(Text) if t.get_visible() and t.get_text().strip() and id(t) not in hidden]
    return [(text, text.get_window_extent()) for text in dict.fromkeys(texts)]


def clashes(figure: Figure) -> list[str]:
    """Pairs of texts that lie on each other."""
    hair = HAIR * figure.dpi / 72
    pairs = itertools.combinations(boxes(figure), 2)
    found = []
    for (one, a), (other, b) in pairs:
        width, height = min(a.x1, b.x1) - max(a.x0, b.x0), min(a.y1, b.y1) - max(a.y0, b.y0)
        if width > hair and height > hair:
            found.append(f"{one.get_text()!r} and {other.get_text()!r}")
    return found


def cut_off(figure: Figure) -> list[str]:
    """Texts that leave the paper."""
    paper = figure.bbox.padded(1)
    return [t.get_text() for t, b in boxes(figure) if not (paper.contains(*b.min) and paper.contains(*b.max))]


def linear(color: object) -> np.ndarray:
    rgb = np.array(to_rgb(color))
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def contrast(color: object, ground: object = "white") -> float:
    """Contrast of the Web Content Accessibility Guidelines: 1 to 21."""
    light, dark = sorted((float(XYZ[1] @ linear(c)) for c in (color, ground)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def lab(rgb: np.ndarray) -> np.ndarray:
    """CIELAB of linear RGB under daylight."""
    t = XYZ @ np.clip(rgb, 0, 1) / [0.9505, 1.0, 1.089]
    f = np.where(t > (6 / 29) ** 3, np.cbrt(t), t / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


HISTORIES = {
    "map": lambda h: h.plot.map(),
    "counts": lambda h: h.plot.counts(),
    "recaptures": lambda h: h.plot.recaptures(),
}
FITS = {
    "population": lambda f: f.plot.population(),
    "density": lambda f: f.plot.density(),
    "exceeds": lambda f: f.plot.density(exceeds=0.01),
    "detection": lambda f: f.plot.detection(),
    "survey": lambda f: f.plot.survey(),
    "centres": lambda f: f.plot.centres(),
}


def legible(figure: Figure) -> None:
    assert clashes(figure) == []
    assert cut_off(figure) == []
    assert [t.get_text() for t, _ in boxes(figure) if t.get_fontsize() < 7] == []


@pytest.mark.parametrize("kind", ["sex", "snow", "years"])
@pytest.mark.parametrize("name", FITS)
def test_texts_of_a_fit_can_be_read(kind, name):
    legible(FITS[name](made.fit(kind)).figure)


@pytest.mark.parametrize("kind", ["null", "sex", "years"])
@pytest.mark.parametrize("name", HISTORIES)
def test_texts_of_a_history_can_be_read(kind, name):
    legible(HISTORIES[name](made.history(kind)).figure)


@pytest.mark.parametrize("name", ["calendar", "map", "activity", "accumulation"])
def test_texts_of_a_survey_can_be_read(name):
    options = {"species": "Panthera pardus"} if name == "accumulation" else {}
    legible(getattr(lp.load_example("amur_leopard", seed=1).plot, name)(**options).figure)


OTHERS = {
    "claim": lambda: test_population.chosen().plot.population(claim=(30, 40)),
    "effect": lambda: made.fit("snow").plot.effect("D", "snow"),
    "effects": lambda: made.fit("snow").plot.effects(),
    "check": lambda: made.fit("sex").check(replicates=99).plot(),
    "residuals": lambda: made.fit("sex").check(replicates=99).plot_residuals(),
    "comparison": lambda: lp.plot_comparison(test_comparison.fits()),
    "visits": lambda: test_visit_plots.history().plot.history(),
    "sites": lambda: test_visit_plots.history().plot.map(),
}


@pytest.mark.parametrize("name", OTHERS)
def test_texts_of_other_figures_can_be_read(name):
    legible(made.quiet(OTHERS[name]).figure)


def test_the_checker_sees_what_is_wrong():
    (ax,) = new_axes(None, width=85, height=50)
    ax.text(0.5, 0.5, "one")
    ax.text(0.51, 0.5, "other")
    ax.text(-1, 0.8, "outside").set_in_layout(False)
    assert clashes(ax.figure) == ["'one' and 'other'"]
    assert cut_off(ax.figure) == ["outside"]


@pytest.mark.parametrize("color", [INK, SOFT])
def test_type_is_dark_enough_on_white(color):
    assert contrast(color) >= 4.5


@pytest.mark.parametrize("kind", BLINDNESS)
def test_the_colours_of_lines_are_told_apart_by_the_colour_blind(kind):
    seen = [lab(np.array(BLINDNESS[kind]) @ linear(color)) for color in PALETTE[:4]]
    assert min(np.linalg.norm(a - b) for a, b in itertools.combinations(seen, 2)) > 10
    ink = lab(np.array(BLINDNESS[kind]) @ linear(INK))
    assert np.linalg.norm(ink - lab(np.array(BLINDNESS[kind]) @ linear(ACCENT))) > 25


def test_lines_are_told_apart_in_grey_by_their_dashes():
    styles = line_styles(4)
    assert len({str(dashes) for _, dashes in styles}) == 4 == len(DASHES)
    assert min(contrast(color) for color, _ in styles) > 1.9
