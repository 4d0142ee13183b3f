"""Maps: cells, outlines, scale bars, trees."""

import numpy as np
import pandas as pd
import pytest
import shapely
from matplotlib.collections import PathCollection
from matplotlib.figure import Figure
from scipy.sparse.csgraph import minimum_spanning_tree
from scipy.spatial.distance import pdist, squareform

import leopardpop as lp
from leopardpop.plots.ground import cells_of, draw_lines, frame_of, nice_length, outline
from leopardpop.plots.survey_map import alike
from leopardpop.plots.trees import shortest_tree, spatial_recaptures
from tests.results import made

IRREGULAR = pd.DataFrame(
    {"x": [0.0, 1000.0, 2500.0, 2400.0], "y": [0.0, 900.0, 100.0, 2000.0], "area": [1.0, 1, 0.25, 4]}
)


def square(table) -> float:
    """Length of the outline of a table of cells, by going around every cell."""
    padded = np.pad(np.asarray(table, bool), 1)
    return sum(int((padded & ~np.roll(padded, step, axis)).sum()) for axis in (0, 1) for step in (1, -1))


@pytest.mark.parametrize("seed", range(5))
def test_the_outline_goes_around_every_cell(seed):
    table = np.random.default_rng(seed).random((7, 9)) < 0.5
    segments = outline(table)
    assert len(segments) == square(table)
    assert np.allclose(np.hypot(*(segments[:, 0] - segments[:, 1]).T), 1.0)


def test_cells_of_a_lattice_are_where_they_were():
    mask = made.mask()
    cells = cells_of(mask)
    values = np.arange(mask.n_cells, dtype=float)
    table = cells.grid(values)
    assert np.isfinite(table).sum() == mask.n_cells
    row, column = np.unravel_index(np.nanargmax(table), table.shape)
    assert mask.x.min() + column * mask.spacing == pytest.approx(mask.x[-1])
    assert mask.y.min() + row * mask.spacing == pytest.approx(mask.y[-1])


def test_cells_without_a_lattice_are_squares_of_their_area():
    mask = lp.Mask.from_table(IRREGULAR)
    cells = cells_of(mask)
    assert cells.column is None
    corners = cells.squares(frame_of(mask.x, mask.y)) * frame_of(mask.x, mask.y).scale
    areas = [shapely.Polygon(each).area / 1e6 for each in corners]
    assert areas == pytest.approx(mask.area.tolist())


def test_a_survey_on_irregular_cells_is_drawn():
    stations = pd.DataFrame({"station": list("ABC"), "x": [0, 1000, 2000], "y": [0, 500, 100]})
    history = lp.CaptureHistory.from_tables(None, stations, occasions=2)
    ax = history.plot.map(mask=lp.Mask.from_table(IRREGULAR))
    assert ax.figure.alt_text == "Map of 3 stations and the stations of 0 animals."


def test_frames_are_alike_and_keep_their_middle():
    frames = alike([frame_of([0, 1000], [0, 1000]), frame_of([0, 5000], [0, 3000])])
    assert {(f.width, f.height) for f in frames} == {(5000, 3000)}
    assert (frames[0].west + frames[0].east) / 2 == 500


@pytest.mark.parametrize("metres", [0.7, 3.0, 49.9, 50.0, 123_456.0])
def test_the_scale_bar_is_a_round_length_that_fits(metres):
    length = nice_length(metres)
    assert length <= metres < 2.6 * length
    assert round(length / 10 ** np.floor(np.log10(length))) in (1, 2, 5)


@pytest.mark.parametrize("seed", range(5))
def test_the_tree_is_the_shortest(seed):
    xy = np.random.default_rng(seed).normal(size=(12, 2))
    edges = shortest_tree(xy)
    total = sum(np.hypot(*(xy[a] - xy[b])) for a, b in edges)
    assert total == pytest.approx(minimum_spanning_tree(squareform(pdist(xy))).sum())
    assert len({point for edge in edges for point in edge}) == len(xy)


def test_a_tree_of_one_station_has_no_line():
    assert shortest_tree(np.zeros((1, 2))) == []


def test_spatial_recaptures_are_as_many_as_the_history_says():
    history = made.history("sex")
    lengths = spatial_recaptures(history.arrays("1"))
    assert sum(map(len, lengths)) == history.n_spatial_recaptures
    assert min(float(each.min()) for each in lengths if len(each)) >= made.GAP


def never_on() -> lp.CaptureHistory:
    stations = pd.DataFrame({"station": list("ABCD"), "x": [0, 2000, 4000, 6000], "y": 0, "days": [30, 20, 10, 0]})
    captures = pd.DataFrame({"individual": ["F1", "F1", "M1"], "station": ["A", "C", "C"], "occasion": 1})
    return lp.CaptureHistory.from_tables(captures, stations, "days", effort_unit="day", crs="EPSG:32652")


@pytest.mark.filterwarnings("ignore:.*never on")
def test_stations_are_sized_by_effort_and_hollow_where_never_on():
    ax = never_on().plot.map()
    on, off, animals = (c for c in ax.collections if isinstance(c, PathCollection))
    sizes = on.get_sizes()
    assert sizes / sizes[0] == pytest.approx([1, 2 / 3, 1 / 3])
    assert off.get_offsets().tolist() == [[6.0, 0.0]]
    assert off.get_facecolor()[0].tolist() == [1, 1, 1, 1]
    assert len(animals.get_offsets()) == 3
    assert "1 never on are hollow" in ax.figure.caption


@pytest.mark.filterwarnings("ignore:.*never on")
def test_animals_at_one_station_stand_beside_each_other():
    *_, animals = (c for c in never_on().plot.map().collections if isinstance(c, PathCollection))
    places = np.asarray(animals.get_offsets())
    assert len(np.unique(places.round(9), axis=0)) == 3
    assert places[0].tolist() == [0.0, 0.0]  # alone at its station, in the middle of it


@pytest.mark.filterwarnings("ignore:.*never on")
def test_north_is_claimed_only_where_the_system_is_known():
    def has_north(history):
        return "N" in [text.get_text() for text in history.plot.map().texts]

    assert has_north(never_on())
    assert not has_north(made.history("null"))


def test_a_border_is_drawn_within_the_map():
    figure = Figure()
    ax = figure.subplots()
    border = shapely.MultiLineString([[(0, 0), (9000, 9000)], [(0, 5000), (9000, 5000)]])
    draw_lines(ax, [border, shapely.box(1000, 1000, 2000, 2000)], None, frame_of([0, 4000], [0, 4000]), colors="k")
    (lines,) = ax.collections
    assert len(lines.get_segments()) == 3
    assert lines.get_clip_box() is not None
