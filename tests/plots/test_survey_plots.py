"""Figures of a survey show what its tables say."""

import io
from functools import cache

import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.figure import Figure
from matplotlib.text import Text

import leopardpop as lp
from leopardpop.data.effort import Running
from leopardpop.data.occasions import DAY
from leopardpop.errors import DataError, ModelError
from leopardpop.plots.accumulation import effort_until
from leopardpop.plots.activity import GRID, night_of
from leopardpop.plots.circular import concentration, day_density
from leopardpop.plots.daylight import sun_hours
from leopardpop.plots.survey_stations import moves_of, residents_of, station_days

LEOPARD = "Panthera pardus"
STATIONS = pd.DataFrame({"station": ["A", "B", "C"], "x": [0.0, 6_000, 6_000], "y": [0.0, 0, 8_000]})
DEPLOYMENTS = pd.DataFrame(
    {"station": ["A", "B", "C"], "start": "2024-02-01", "end": ["2024-02-11", "2024-02-06", "2024-02-06"]}
)
RECORDS = pd.DataFrame(
    [
        ("2024-02-02 21:00", "A", LEOPARD, "F01", "adult"),
        ("2024-02-02 21:10", "A", LEOPARD, "F01", "adult"),
        ("2024-02-03 21:00", "B", LEOPARD, "F01", "adult"),
        ("2024-02-04 21:00", "A", LEOPARD, "F01", "adult"),
        ("2024-02-05 03:00", "B", LEOPARD, "M01", "adult"),
        ("2024-02-05 03:00", "B", LEOPARD, "K01", "juvenile"),
        ("2024-02-05 12:00", "A", "Sus scrofa", None, None),
    ],
    columns=["timestamp", "station", "species", "individual", "life_stage"],
)


def survey(**changes):
    return lp.Survey(**{"stations": STATIONS, "deployments": DEPLOYMENTS, "records": RECORDS} | changes)


@cache
def example():
    return lp.load_example("amur_leopard", seed=1)


def off_for_good(station):
    return pd.DataFrame({"station": [station], "start": [None], "end": [None]})


FIGURES = {
    "map": lambda s: s.plot.map(species=LEOPARD),
    "records": lambda s: s.plot.map(species=LEOPARD, size="records", coordinates="exact"),
    "activity": lambda s: s.plot.activity(species=LEOPARD),
    "activity of four": lambda s: s.plot.activity(),
    "clock": lambda s: s.plot.activity(species=LEOPARD, kind="polar"),
    "accumulation": lambda s: s.plot.accumulation(species=LEOPARD),
    "by effort": lambda s: s.plot.accumulation(species=LEOPARD, by="effort"),
}


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_can_go_to_print(name):
    ax = FIGURES[name](example())
    figure = ax.figure
    figure.savefig(io.BytesIO(), format="png")
    assert figure.get_figwidth() * 25.4 == pytest.approx(85)
    texts = [text for text in figure.findobj(Text) if text.get_visible() and text.get_text().strip()]
    assert all(text.get_fontsize() >= 7 for text in texts)
    assert "Synthetic" in figure.caption
    assert figure.alt_text != figure.caption
    inside = figure.get_window_extent()
    legend = ax.get_legend()
    if legend is not None:
        box = legend.get_window_extent()
        assert box.x0 >= inside.x0 - 1
        assert box.x1 <= inside.x1 + 1
        assert box.y0 >= inside.y0 - 1


@pytest.mark.parametrize("name", [name for name in FIGURES if name != "clock"])
def test_a_figure_can_be_drawn_on_axes_that_are_given(name):
    ax = Figure().subplots()
    options = {"map": "map", "records": "map", "activity of four": "activity", "by effort": "accumulation"}
    assert getattr(example().plot, options.get(name, name))(ax, species=LEOPARD) is ax


class TestMap:
    def test_symbols_stand_for_effort(self):
        ax = survey(failures=off_for_good("C")).plot.map(species=LEOPARD)
        on, never, _ = (c for c in ax.collections if isinstance(c, PathCollection))
        assert on.get_offsets().tolist() == [[0, 0], [6, 0]]  # km
        area = on.get_sizes()
        assert area[0] / area[1] == pytest.approx(10 / 5)
        assert never.get_offsets().tolist() == [[6, 8]]
        labels = [text.get_text() for text in ax.get_legend().get_texts()]
        assert labels == [
            *("10 station-days (largest)", "recorded: 2 stations", "never on"),
            *("moves of one animal", "animal at one station"),
        ]

    def test_where_the_species_was_is_seen(self):
        figures = {name: survey().plot.map(species=name, moves=False) for name in (LEOPARD, "Sus scrofa")}
        grey, blue = (c for c in figures["Sus scrofa"].collections if isinstance(c, PathCollection))
        assert blue.get_offsets().tolist() == [[0, 0]]
        assert grey.get_offsets().tolist() == [[6, 0], [6, 8]]
        assert blue.get_facecolor().tolist() != grey.get_facecolor().tolist()
        assert blue.get_edgecolor().tolist() != grey.get_edgecolor().tolist()  # told apart without colours, too
        assert "1 station with records of Sus scrofa" in figures["Sus scrofa"].figure.caption
        assert figures[LEOPARD].figure.alt_text == "Map of 3 stations, Panthera pardus at 2 of them."
        with pytest.raises(DataError, match="there is no record of Panthera"):
            survey().plot.map(species="Panthera")

    def test_where_it_was_while_nothing_was_on(self):
        ax = survey(failures=off_for_good("A")).plot.map(species=LEOPARD, moves=False)
        on, off, never = (c.get_offsets().tolist() for c in ax.collections if isinstance(c, PathCollection))
        assert (on, off, never) == ([[6, 8]], [[6, 0]], [[0, 0]])

    def test_animals_at_one_station_are_seen(self):
        assert residents_of(survey(), LEOPARD) == {"M01": 1}  # the cub is not counted
        more = pd.concat([RECORDS, RECORDS.iloc[[4]].assign(individual="M02")])
        ax = survey(records=more).plot.map(species=LEOPARD)
        *_, dots = (c for c in ax.collections if isinstance(c, PathCollection))
        places = np.asarray(dots.get_offsets())
        assert places.mean(axis=0) == pytest.approx([6, 0])
        assert np.hypot(*(places[0] - places[1])) > 0
        assert "Diamonds: 2 animals that were at one station only" in ax.figure.caption

    def test_symbols_stand_for_records(self):
        ax = survey().plot.map(species=LEOPARD, size="records", moves=False)
        some, none = (c for c in ax.collections if isinstance(c, PathCollection))
        # A: F01 twice (21:10 belongs to 21:00); B: F01, M01 and the cub
        assert some.get_sizes()[1] / some.get_sizes()[0] == pytest.approx(3 / 2)
        assert none.get_offsets().tolist() == [[6, 8]]
        assert not [c for c in ax.collections if isinstance(c, LineCollection)]

    def test_moves(self):
        more = pd.concat([RECORDS, RECORDS.iloc[[4]].assign(station="C", timestamp="2024-02-05 09:00")])
        moves = moves_of(survey(records=more), LEOPARD)
        assert {name: pairs.tolist() for name, pairs in moves.items()} == {"F01": [[0, 1]], "M01": [[1, 2]]}
        ax = survey(records=more).plot.map(species=LEOPARD)
        lines = [c.get_segments() for c in ax.collections if isinstance(c, LineCollection)]
        assert [[line.tolist() for line in each] for each in lines] == [[[[0, 0], [6, 0]]], [[[6, 0], [6, 8]]]]

    def test_cubs_do_not_move(self):
        more = pd.concat([RECORDS, RECORDS.iloc[[5]].assign(station="C", timestamp="2024-02-05 09:00")])
        assert "K01" not in moves_of(survey(records=more), LEOPARD)

    def test_without_identities_there_are_no_moves(self):
        assert moves_of(survey(records=RECORDS.assign(individual=None))) == {}
        assert survey(records=RECORDS.assign(individual=None)).plot.map().figure.alt_text == (
            "Map of 3 stations, animals at 2 of them."
        )

    def test_station_days_leave_out_failures(self):
        off = pd.DataFrame({"station": ["A"], "start": ["2024-02-02"], "end": ["2024-02-03 12:00"]})
        assert station_days(survey(failures=off)).tolist() == [8.5, 5, 5]

    def test_no_coordinates_unless_asked_for(self):
        assert not example().plot.map(species=LEOPARD).axison
        assert example().plot.map(species=LEOPARD, coordinates="exact").get_xlabel() == "Easting (km)"

    @pytest.mark.parametrize("option", [{"size": "area"}, {"coordinates": "some"}])
    def test_unknown_options(self, option):
        with pytest.raises(ModelError, match="it is"):
            survey().plot.map(**option)


class TestActivity:
    def test_a_curve_is_a_density(self):
        ax = example().plot.activity(species=LEOPARD)
        x, y = ax.lines[0].get_data()
        assert x.tolist() == GRID.tolist()
        assert np.trapezoid(y, x) == pytest.approx(1, abs=1e-6)
        assert y[0] == pytest.approx(y[-1])  # midnight is midnight
        bars = [each.get_height() for each in ax.containers[0]]
        assert len(bars) == 24
        assert sum(bars) == pytest.approx(1)

    def test_records_of_one_visit_count_once(self):
        ax = survey().plot.activity(species=LEOPARD)
        # 21:00 (with 21:10), 21:00, 21:00 and, of two animals, 03:00 twice
        assert ax.lines[0].get_label() == "Panthera pardus (n = 5)"
        heights = np.array([each.get_height() for each in ax.containers[0]])
        assert heights[21] == pytest.approx(3 / 5)
        assert heights[3] == pytest.approx(2 / 5)
        assert survey().plot.activity(species=LEOPARD, independence=0).lines[0].get_label().endswith("(n = 6)")

    def test_few_records_have_no_curve(self):
        ax = survey().plot.activity(species=LEOPARD)
        assert ax.lines[0].get_linestyle() == "None"
        assert sorted(ax.lines[0].get_xdata().astype(int)) == [3, 3, 21, 21, 21]  # a mark for each, seen in the legend
        assert 0 < ax.lines[0].get_ydata().min() <= ax.lines[0].get_ydata().max() < ax.get_ylim()[1]
        assert "fewer than 10 records" in ax.figure.caption

    def test_the_peak_is_where_the_records_are(self):
        rng = np.random.default_rng(1)
        hours = (23.5 + rng.normal(0, 1, 400)) % 24
        assert GRID[day_density(hours, GRID).argmax()] % 24 == pytest.approx(23.5, abs=0.4)

    def test_against_a_sum_by_hand(self):
        hours = np.array([1.0, 7.0, 20.0])
        kappa = concentration(2 * np.pi * hours / 24)
        from scipy.special import i0

        expected = np.mean([np.exp(kappa * np.cos(2 * np.pi * (5.0 - h) / 24)) for h in hours]) / (24 * i0(kappa))
        assert day_density(hours, [5.0])[0] == pytest.approx(expected)

    def test_the_kernel_narrows_with_more_records(self):
        rng = np.random.default_rng(1)
        angles = rng.vonmises(0, 3, 4000)
        # Taylor's rule: κ of the kernel grows as n to the power 2/5
        ratio = concentration(np.tile(angles, 32)) / concentration(angles)
        assert ratio == pytest.approx(32**0.4, rel=1e-6)

    def test_records_at_one_time_are_no_trouble(self):
        assert np.isfinite(day_density(np.full(50, 12.0), GRID)).all()

    def test_sunrise(self):
        # Vladivostok, 20 March 2024, UTC+10: 7:15 and 19:24 by the almanac
        rise, sets = sun_hours(131.9, 43.1, [80], 10.0)
        assert rise[0] == pytest.approx(7.25, abs=0.1)
        assert sets[0] == pytest.approx(19.4, abs=0.1)
        # London, midsummer, UTC+1: 4:43 and 21:21
        rise, sets = sun_hours(-0.12, 51.5, [172], 1.0)
        assert rise[0] == pytest.approx(4.72, abs=0.1)
        assert sets[0] == pytest.approx(21.36, abs=0.1)
        assert np.isnan(sun_hours(25.0, 80.0, [172], 2.0)[0][0])

    def test_the_night_is_that_of_the_place(self):
        early, late, first, last = night_of(example())
        assert 5.5 < early < late < 9  # May and January
        assert 17.5 < first < last < 21.5
        assert night_of(survey()) is None
        assert "not shaded" in survey().plot.activity(species=LEOPARD).figure.caption

    def test_axes_of_the_other_kind(self):
        with pytest.raises(ModelError, match='kind="polar" needs polar axes'):
            survey().plot.activity(Figure().subplots(), species=LEOPARD, kind="polar")
        given = Figure().add_subplot(projection="polar")
        assert survey().plot.activity(given, species=LEOPARD, kind="polar") is given
        with pytest.raises(ModelError, match="needs plain axes"):
            survey().plot.activity(given, species=LEOPARD)
        with pytest.raises(ModelError, match="it is"):
            survey().plot.activity(species=LEOPARD, kind="rose")

    def test_nothing_recorded(self):
        with pytest.raises(DataError, match="no record"):
            survey(records=RECORDS.iloc[:0]).plot.activity()


class TestAccumulation:
    def test_steps_are_first_records(self):
        line = survey().plot.accumulation(species=LEOPARD).lines[0]
        days, n = line.get_data()
        assert n.tolist() == [0, 1, 2, 2]  # the cub is no animal of the population
        start = pd.Timestamp("2024-02-01")
        assert (days - days[0]).tolist() == pytest.approx(
            [(pd.Timestamp(t) - start) / pd.Timedelta("1D") for t in (start, "2024-02-02 21:00", "2024-02-05 03:00")]
            + [10]
        )

    def test_by_effort(self):
        line = survey().plot.accumulation(species=LEOPARD, by="effort").lines[0]
        assert line.get_xdata().tolist() == pytest.approx([0, 3 * 1.875, 3 * 4.125, 20])

    def test_effort_until(self):
        on = Running(np.array([0, 0]), np.array([0, 6 * DAY]), np.array([4 * DAY, 8 * DAY]))
        assert effort_until(on, np.array([-DAY, 5 * DAY, 7 * DAY, 99 * DAY])).tolist() == [0, 4, 5, 6]

    def test_unknown_axis(self):
        with pytest.raises(ModelError, match="it is"):
            survey().plot.accumulation(species=LEOPARD, by="week")

    def test_no_identities(self):
        with pytest.raises(DataError, match="individual is empty"):
            survey(records=RECORDS.assign(individual=None)).plot.accumulation(species=LEOPARD)
