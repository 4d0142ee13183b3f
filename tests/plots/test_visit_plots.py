"""Figures of the raw detection history."""

from __future__ import annotations

import io
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from matplotlib.path import Path

import leopardpop as lp
from leopardpop.errors import DataError, ModelError
from leopardpop.plots.visit_colors import classes, color_map, labels

NAN = np.nan
Y = pd.DataFrame({"site": ["a $1$", "b", "c"], "1": [0, 0, 1], "2": [0, 2, NAN], "3": [NAN, NAN, 0], "4": [1, 0, 2]})
SITES = pd.DataFrame({"site": ["a $1$", "b", "c"], "x": [500_000, 509_000, 504_000], "y": [4.8e6, 4.8e6, 4.807e6]})


def history(**changes) -> lp.DetectionHistory:
    options = {"y": Y, "sites": SITES, "response": "state", "seasons": ["2021", "2022"], "crs": "EPSG:32652"} | changes
    return lp.DetectionHistory.from_tables(**options)


def drawn(figure) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue()


def test_the_raster_has_a_row_a_site_and_a_column_a_visit():
    ax = history().plot.history()
    image = np.ma.filled(ax.images[0].get_array().astype(float), np.nan)
    expected = [[0, 0, NAN, 1], [0, 2, NAN, 0], [1, NAN, 0, 2]]
    assert np.array_equal(image, expected, equal_nan=True)
    hatched = ax.patches[0].get_path()
    assert len(hatched.vertices) % 3 == 0  # three cells without a visit, none beside another
    assert ax.patches[0].get_hatch()
    assert [tick.get_text() for tick in ax.get_yticklabels()] == [r"a \$1\$", "b", "c"]
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["2021", "2022"]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == [
        "not seen",
        "seen",
        "seen with young",
        "no visit",
    ]
    assert ax.figure.caption.startswith("Raw detection history: 9 visits to 3 sites in 2 seasons, 4 detections.")
    assert len(drawn(ax.figure)) > 5_000


def test_cells_that_follow_each_other_are_hatched_in_one_piece():
    ax = history(y=[[0, NAN, NAN, 1]], sites=None, seasons=1).plot.history()
    path = ax.patches[0].get_path()
    corners = path.vertices[path.codes != Path.CLOSEPOLY]
    assert corners[:, 0].min() == 0.5
    assert corners[:, 0].max() == 2.5


def test_sites_with_most_detections_on_top():
    ax = history().plot.history(order="detections")
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["c", r"a \$1\$", "b"]
    with pytest.raises(DataError, match=r"order='detection' is not known.*Did you mean 'detections'"):
        history().plot.history(order="detection")


def test_a_panel_a_species():
    both = history(y={"tiger": Y, "leopard": Y})
    axes = both.plot.history()
    assert [ax.get_title() for ax in axes] == ["tiger", "leopard"]
    assert both.plot.history(species="tiger").images[0].get_array().shape == (3, 4)
    assert len(drawn(axes.figure)) > 5_000
    maps = both.plot.map()
    assert [ax.get_title() for ax in maps] == ["tiger 2021", "tiger 2022", "leopard 2021", "leopard 2022"]


def test_counts_have_a_colour_each_or_ranges():
    few = history(y=[[0, 1, 3, NAN]], sites=None, response="count")
    assert labels(few) == ["0 counted", "1", "2", "3"]
    many = history(y=[[0, 1, 70, 500]], sites=None, response="count")
    levels = classes(many, np.array([0, 1, 70, 500, NAN]))
    assert levels[0] == 0
    assert np.all(np.diff(levels[:4]) > 0)
    assert levels[3] == len(labels(many)) - 1 == color_map(many).N - 1
    assert np.isnan(levels[4])


def luminance(color) -> float:
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in color[:3]]
    return float(np.dot([0.2126, 0.7152, 0.0722], linear))


@pytest.mark.parametrize("response", ["state", "count"])
def test_colours_are_told_apart_in_grey(response):
    colors = color_map(history(response=response))
    shades = [luminance(colors(i)) for i in range(colors.N)]
    assert all(one > 1.5 * other for one, other in pairwise(shades))


def test_the_map_has_a_symbol_for_the_most_that_was_seen():
    axes = history().plot.map()
    assert [ax.get_title() for ax in axes] == ["2021", "2022"]
    groups = [[len(group.get_offsets()) for group in ax.collections] for ax in axes]
    assert groups == [[1, 1, 1, 0], [1, 1, 1, 0]]  # not seen, seen, with young, not visited
    assert axes[0].get_legend() is None
    assert "a site without a detection may still be used" in axes.figure.caption
    one = history()["2022"].plot.map(coordinates="exact")
    assert one.get_xlabel() == "Easting (km)"
    assert len(drawn(one.figure)) > 5_000


def test_a_site_without_visits_is_a_cross():
    ax = history(y=[[0, 1], [NAN, NAN]], sites=SITES[:2], seasons=1).plot.map()
    assert len(ax.collections[-1].get_offsets()) == 1
    assert "no visit" in [text.get_text() for text in ax.get_legend().get_texts()]


def test_what_cannot_be_drawn():
    with pytest.raises(DataError, match=r"the sites have no positions\. Give x and y"):
        history(sites=None).plot.map()
    with pytest.raises(ModelError, match="coordinates='yes'"):
        history().plot.map(coordinates="yes")
    assert repr(history().plot) == "Figures: history(), map()"


def test_many_sites_have_no_names():
    y = np.zeros((80, 3))
    y[0, 0] = 1
    ax = history(y=y, sites=None, seasons=1).plot.history()
    assert ax.get_ylabel() == "80 sites"
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["1", "2", "3"]
