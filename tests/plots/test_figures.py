"""What every figure owes its reader, whatever it shows."""

import io
import subprocess
import sys
from functools import cache

import matplotlib
import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text

import leopardpop as lp
from leopardpop.errors import ModelError
from leopardpop.plots.style import FigureAxes, Panels, describe, new_axes, plain
from tests.results import made

FIGURES = ("population", "density", "detection", "survey", "centres")
KINDS = ("null", "sex", "snow", "years")


def drawn(kind: str, name: str):
    return getattr(made.fit(kind).plot, name)()


@cache
def shown(kind: str, name: str) -> Figure:
    """A figure to look at, drawn once."""
    return drawn(kind, name).figure


def png(figure: Figure) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()


def visible_texts(figure: Figure) -> list[Text]:
    figure.draw_without_rendering()
    return [text for text in figure.findobj(Text) if text.get_visible() and text.get_text().strip()]


@pytest.mark.parametrize("name", FIGURES)
@pytest.mark.parametrize("kind", KINDS)
def test_a_figure_can_go_to_print(kind, name):
    figure = shown(kind, name)
    assert figure.get_figwidth() * 25.4 == pytest.approx(85) or figure.get_figwidth() * 25.4 == pytest.approx(170)
    assert all(text.get_fontsize() >= 7 for text in visible_texts(figure))
    for ax in figure.axes:
        numbered = ax.axison and [label for label in ax.get_xticklabels() if label.get_visible() and label.get_text()]
        assert ax.get_xlabel() or not numbered
        assert not ax.get_title() or kind == "years"


@pytest.mark.parametrize("name", FIGURES)
@pytest.mark.parametrize("kind", KINDS)
def test_the_caption_says_how_many_animals_it_rests_on(kind, name):
    figure = shown(kind, name)
    n = made.fit(kind).history.n_individuals
    assert f"{n} animals" in figure.caption
    assert figure.alt_text
    assert figure.alt_text != figure.caption


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_leaves_nothing_behind(name):
    import matplotlib.pyplot as plt

    before = dict(matplotlib.rcParams)
    drawn("sex", name)
    assert plt.get_fignums() == []
    assert dict(matplotlib.rcParams) == before


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_is_the_same_twice_and_under_any_settings(name):
    first = png(drawn("sex", name).figure)
    loud = {
        "font.size": 20,
        "axes.facecolor": "black",
        "xtick.labelsize": 22,
        "lines.linewidth": 9,
        "text.color": "red",
    }
    with matplotlib.rc_context(loud):
        second = png(drawn("sex", name).figure)
    assert first == second


@pytest.mark.parametrize(
    ("name", "panels"), [("population", 1), ("density", 2), ("detection", 1), ("survey", 1), ("centres", 1)]
)
def test_a_figure_can_be_drawn_on_axes_that_are_given(name, panels):
    figure = Figure(figsize=(7, 4))
    given = figure.subplots(1, panels)
    result = getattr(made.fit("sex").plot, name)(ax=given)
    assert list(np.ravel(result)) == list(np.ravel(given))
    assert figure.caption
    assert png(figure)


def test_the_wrong_number_of_axes_is_refused():
    with pytest.raises(ModelError, match="2 panels, 3 axes"):
        made.fit("snow").plot.density(ax=Figure().subplots(1, 3))


def test_one_axes_gets_the_mean_of_density_beside_the_posterior_of_n():
    figure = Figure(figsize=(7, 3), layout="constrained")
    left, right = figure.subplots(1, 2)
    made.fit("snow").plot.population(left)
    assert made.fit("snow").plot.density(right) is right
    assert "coefficient of variation" not in right.caption
    assert len(figure.axes) == 3  # and one colour bar
    assert png(figure)


def test_figures_share_a_figure_and_their_captions():
    figure = Figure(figsize=(7, 3))
    left, right = figure.subplots(1, 2)
    made.fit("null").plot.population(left)
    made.fit("null").plot.detection(right)
    assert left.caption in figure.caption
    assert right.caption in figure.caption


def test_sessions_have_a_panel_each():
    fit = made.fit("years")
    assert len(fit.plot.population()) == 2
    assert fit.plot.density().shape == (4,)
    assert len(fit.plot.survey()) == 2
    assert isinstance(fit.plot.survey(session="2022"), Axes)
    assert fit.plot.density(session="2021").shape == (2,)
    assert isinstance(fit.plot.detection(session="2021"), Axes)


@pytest.mark.parametrize("name", ["density", "survey", "centres"])
def test_coordinates_are_on_the_axes_only_where_exact_ones_are_asked_for(name):
    hidden = getattr(made.fit("snow").plot, name)().figure
    exact = getattr(made.fit("snow").plot, name)(coordinates="exact").figure
    west = f"{made.WEST / 1000:.0f}"[:3]
    assert not [t for t in visible_texts(hidden) if t.get_text().startswith(west)]
    assert "Easting (km)" in [t.get_text() for t in visible_texts(exact)]
    with pytest.raises(ModelError, match="hidden"):
        getattr(made.fit("snow").plot, name)(coordinates="some")


@pytest.mark.parametrize("name", FIGURES)
def test_nothing_that_was_caught_is_a_figure_too(name):
    fit = made.quiet(lambda: lp.SCR().fit(made.without_captures(), made.mask(), seed=1, draws=100))
    figure = getattr(fit.plot, name)().figure
    assert "0 animals" in figure.caption
    assert png(figure)


HOSTILE = ("$x^{", "_hidden", "<b>&", "雪豹\n2022")


def test_labels_of_the_users_do_no_harm():
    tables = [made.stations("1").assign(session=label) for label in HOSTILE]
    captures = pd.DataFrame(
        [(s, "F1", tables[0]["station"][k], k + 1) for s in HOSTILE[:3] for k in range(3)],
        columns=["session", "individual", "station", "occasion"],
    )
    animals = pd.DataFrame({"session": HOSTILE[:3], "individual": "F1", "sex": ["$a_", "_b", "$a_"]})
    history = lp.CaptureHistory.from_tables(captures, pd.concat(tables), individuals=animals, occasions=6)
    model = lp.SCR(detection=lp.HalfNormal(sigma="~ sex"), classes="sex")
    fit = made.quiet(lambda: model.fit(history, made.mask(), seed=1, draws=100))
    for name in FIGURES:
        assert png(getattr(fit.plot, name)().figure)
    assert png(history.plot.counts(column="sex").figure)
    assert png(history.plot.recaptures(column="sex").figure)


def test_plain_text_has_no_markup_and_an_end():
    assert plain("a$b$c") == r"a\$b\$c"
    assert plain("two\nlines\t") == "two lines"
    assert len(plain("x" * 99)) == 32
    assert plain("雪") == "\ufffd"


def test_a_notebook_shows_the_figure():
    for axes in (made.fit("null").plot.population(), made.fit("snow").plot.density()):
        assert isinstance(axes, (FigureAxes, Panels))
        assert axes._repr_png_().startswith(b"\x89PNG")


def test_descriptions_of_a_panel_drawn_anew_are_replaced():
    (ax,) = new_axes(None, width=85, height=50)
    describe(ax, "one", "first")
    describe(ax, "two", "second")
    assert (ax.figure.caption, ax.figure.alt_text) == ("two", "second")


def test_asking_for_the_figures_does_not_load_matplotlib():
    code = (
        "import sys; from leopardpop.plots.accessor import FitPlots; FitPlots(None).population; "
        "print('matplotlib' in sys.modules)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    assert result.stdout.strip() == "False"
