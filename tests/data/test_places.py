"""Places that are swapped, in degrees where metres are meant, or rounded: found in every reader."""

import json

import numpy as np
import pandas as pd
import pyproj
import pytest

import leopardpop as lp
from leopardpop.data.readers.degrees import spatial_box, swapped_rows
from leopardpop.errors import DataError

from .camtrap_packages import DEPLOYMENTS, OBSERVATIONS, changed, descriptor, write_package

LONGITUDE = [131.213, 131.224, 131.235, 131.246]
LATITUDE = [43.11, 43.1213, 43.1324, 43.1435]


def tables(longitude=LONGITUDE, latitude=LATITUDE, **more):
    names = [f"S{i}" for i in range(len(longitude))]
    stations = pd.DataFrame({"station": names, "longitude": longitude, "latitude": latitude})
    deployments = pd.DataFrame({"station": names, "start": "2024-02-01", "end": "2024-02-11"})
    records = pd.DataFrame({"timestamp": ["2024-02-03 21:00"], "station": names[:1], "individual": "F01"})
    return lp.read_records(records, deployments, stations, **more)


def found_at(survey, where):
    """Return the only problem of a place."""
    problems = survey.problems()
    (row,) = problems[problems["where"].str.startswith(where)].to_dict("records")
    return row


def rectangle(west, south, east, north):
    return {"type": "Polygon", "coordinates": [[[west, south], [east, south], [east, north], [west, north]]]}


class TestSwapped:
    def test_one_row_of_a_package(self, tmp_path):
        wrong = changed(DEPLOYMENTS, 4, "43.20,131.40", "43.20,31.40").replace("131.30", "31.30")
        wrong = changed(wrong, 4, "43.20,31.40", "31.40,43.20")
        with pytest.raises(
            DataError, match=r"deployments\.csv line 4: latitude 31\.4, longitude 43\.2 is far .*swapped"
        ):
            lp.read_camtrap_dp(write_package(tmp_path / "p", deployments=wrong))

    def test_one_row_of_tables_names_its_line(self, tmp_path):
        path = tmp_path / "stations.csv"
        path.write_text("station,lon,lat\nA,31.213,43.11\nB,43.12,31.224\nC,31.235,43.13\n")
        deployments = pd.DataFrame({"station": list("ABC"), "start": "2024-02-01", "end": "2024-02-11"})
        records = pd.DataFrame({"timestamp": ["2024-02-03 21:00"], "station": "A"})
        with pytest.raises(DataError, match=r"stations\.csv line 3: .*Swap latitude and longitude there"):
            lp.read_records(records, deployments, path)

    def test_one_of_two_stations(self):
        with pytest.raises(DataError, match=r"row 1: latitude 51\.1, longitude 4\.1 is far .*swapped"):
            tables([51.2, 4.1], [4.2, 51.1])

    def test_all_rows_of_a_package_by_its_area(self, tmp_path):
        north = DEPLOYMENTS.replace("131.", "31.")
        other = north.replace("43.10,31.30", "31.30,43.10").replace("43.20,31.40", "31.40,43.20")
        about = json.loads(json.dumps(descriptor(spatial=rectangle(31.3, 43.1, 31.4, 43.2))))
        assert lp.read_camtrap_dp(write_package(tmp_path / "right", north, description=about)).crs == "EPSG:32636"
        with pytest.raises(DataError, match=r"deployments\.csv line 2: .*\(spatial\).*3 rows in all"):
            lp.read_camtrap_dp(write_package(tmp_path / "wrong", other, description=about))

    @pytest.mark.parametrize("spatial", [None, 3, [], {}, {"coordinates": "x"}, {"coordinates": [["a", "b"], [1]]}])
    def test_an_area_that_says_nothing(self, tmp_path, spatial):
        assert spatial_box(spatial) is None
        assert len(lp.read_camtrap_dp(write_package(tmp_path, description=descriptor(spatial=spatial))).stations) == 2

    def test_the_area_of_a_collection(self):
        feature = {"type": "Feature", "geometry": rectangle(1, 2, 3, 4)}
        low, high = spatial_box({"features": [feature, {"geometry": {"coordinates": [7.5, -1.0]}}]})
        assert (low.tolist(), high.tolist()) == ([1.0, -1.0], [7.5, 4.0])

    @pytest.mark.parametrize(
        ("longitude", "latitude"),
        [
            ([31.2, 31.3, 31.4], [31.1, 31.2, 31.3]),  # too much alike to tell
            ([25.5, 34.0, 30.0, 31.2, 27.0, 31.0], [29.2, 28.0, 31.0, 30.1, 31.0, 27.2]),  # Egypt, across the diagonal
            ([88.0, 120.0, 118.0], [45.0, 46.0, 44.0]),
            ([0.0, 4.7, 4.8, 4.9], [0.0, 51.2, 51.3, 51.1]),
            ([5.0], [51.0]),
        ],
    )
    def test_what_is_not_swapped(self, longitude, latitude):
        assert not swapped_rows(np.array(longitude), np.array(latitude)).any()

    def test_a_station_with_many_rows_does_not_outvote_the_others(self):
        longitude, latitude = np.array([4.7, 4.8, 4.9, *[51.2] * 9]), np.array([51.2, 51.3, 51.1, *[4.75] * 9])
        assert np.flatnonzero(swapped_rows(longitude, latitude)).tolist() == list(range(3, 12))

    def test_a_station_at_zero_or_with_a_wrong_sign_is_read_and_found(self):
        zero = tables([*LONGITUDE, 0.0], [*LATITUDE, 0.0])
        assert zero.crs == "EPSG:32652"  # of the others
        assert "its coordinates are 0" in found_at(zero, "station S4")["found"]
        south = tables([*LONGITUDE, 131.2], [*LATITUDE, -43.1])
        assert "of the other sign" in found_at(south, "station S4")["found"]

    @pytest.mark.parametrize("n", [1, 2, 3])
    def test_a_station_at_zero_among_few(self, n):
        zero = tables([*LONGITUDE[:n], 0.0], [*LATITUDE[:n], 0.0])
        assert zero.crs == "EPSG:32652"
        found = found_at(zero, f"station S{n}")
        assert (found["severity"], found["fix"]) == ("must fix", "fill them in")
        assert "its coordinates are 0" in found["found"]

    def test_several_at_zero_do_not_outvote_the_others(self):
        zero = tables([0.0, 0.0, LONGITUDE[0]], [0.0, 0.0, LATITUDE[0]])
        assert zero.crs == "EPSG:32652"
        for name in ("station S0", "station S1"):
            assert "its coordinates are 0" in found_at(zero, f"{name} (")["found"]

    def test_a_grid_of_its_own_may_begin_at_zero(self):
        near = pd.DataFrame({"station": ["A", "B", "C"], "x": [0.0, 3000, 6000], "y": [0.0, 200, 100]})
        far = near.assign(x=[0.0, 500_000, 503_000], y=[0.0, 4_700_000, 4_701_000])
        deployments = pd.DataFrame({"station": list("ABC"), "start": "2024-02-01", "end": "2024-02-11"})
        records = pd.DataFrame({"timestamp": ["2024-02-03 21:00"], "station": ["B"], "individual": "F01"})
        assert lp.read_records(records, deployments, near).problems().empty
        assert "its coordinates are 0" in found_at(lp.read_records(records, deployments, far), "station A")["found"]


class TestPoles:
    LONGITUDE, LATITUDE = (10.11, 100.21, -100.31), (89.91, 89.81, 89.71)

    def test_they_have_no_zone_and_a_system_is_named(self):
        with pytest.raises(DataError, match=r"Latitude 89\.81 .* beyond the UTM zones.*crs=\"EPSG:32661\".*swapped\?"):
            tables(self.LONGITUDE, self.LATITUDE)
        with pytest.raises(DataError, match=r"Latitude -89\.81 .*EPSG:32761"):
            tables(self.LONGITUDE, [-latitude for latitude in self.LATITUDE])

    def test_with_it_they_are_where_they_are(self):
        survey = tables(self.LONGITUDE, self.LATITUDE, crs="EPSG:32661")
        one, other = survey.stations[["x", "y"]].to_numpy()[:2]
        metres = pyproj.Geod(ellps="WGS84").inv(10.11, 89.91, 100.21, 89.81)[2]
        assert np.hypot(*(one - other)) == pytest.approx(metres, rel=0.007)  # the scale at the pole is 0.994


class TestDegreesForMetres:
    """x and y that are longitude and latitude."""

    STATIONS = pd.DataFrame({"station": ["A", "B"], "x": [131.2, 131.3], "y": [43.1, 43.2]})
    DEPLOYMENTS = pd.DataFrame({"station": ["A", "B"], "start": "2024-02-01", "end": "2024-02-11"})
    RECORDS = pd.DataFrame({"timestamp": ["2024-02-03 21:00"], "station": ["A"], "individual": ["F01"]})

    @pytest.mark.parametrize("n", [1, 2])
    def test_one_decimal_is_refused(self, n):
        few = {"stations": self.STATIONS[:n], "deployments": self.DEPLOYMENTS[:n], "records": self.RECORDS}
        for make in (lp.Survey, lp.read_records):
            with pytest.raises(DataError, match="look like degrees of longitude and latitude"):
                make(**few)

    def test_a_history_is_refused(self):
        captures = pd.DataFrame({"individual": ["F01"], "station": ["A"], "occasion": [1]})
        with pytest.raises(DataError, match="look like degrees"):
            lp.CaptureHistory.from_tables(captures=captures, stations=self.STATIONS)

    @pytest.mark.parametrize(("x", "y"), [([131, 132], [43, 44]), ([663.0, 671.5], [4762.7, 4765.0])])
    def test_whole_degrees_and_kilometres_are_a_problem(self, x, y):
        stations = self.STATIONS.assign(x=x, y=y)
        survey = lp.Survey(stations=stations, deployments=self.DEPLOYMENTS, records=self.RECORDS)
        found = found_at(survey, "stations")
        assert found["severity"] == "must fix"
        assert "degrees, or kilometres?" in found["fix"]


class TestRounded:
    LONGITUDE, LATITUDE = [131.1, 131.2, 131.3, 131.4, 131.5, 131.6, 131.7, 131.8], [43.1, 43.2] * 4

    def test_tables_keep_the_degrees_that_they_were_given(self):
        survey = tables(self.LONGITUDE, self.LATITUDE)
        assert survey.stations["longitude"].tolist() == self.LONGITUDE
        found = found_at(survey, "stations")
        assert found["severity"] == "should look"
        assert found["found"] == "coordinates have 1 decimal of a degree: they are good to about 11 km"

    def test_degrees_are_no_covariates(self):
        history = tables(self.LONGITUDE, self.LATITUDE).capture_history(occasion_start="00:00")
        assert not {"longitude", "latitude"} & set(history.stations.columns)

    def test_rounded_before_they_were_projected(self):
        x, y = (np.round(each) for each in tables(self.LONGITUDE, self.LATITUDE).stations[["x", "y"]].to_numpy().T)
        names = [f"S{i}" for i in range(8)]
        survey = lp.Survey(
            stations=pd.DataFrame({"station": names, "x": x, "y": y}),
            deployments=pd.DataFrame({"station": names, "start": "2024-02-01", "end": "2024-02-11"}),
            records=pd.DataFrame({"timestamp": ["2024-02-03 21:00"], "station": "S0", "individual": "F01"}),
            crs="EPSG:32652",
        )
        assert "1 decimal of a degree" in found_at(survey, "stations")["found"]


class TestDegreesAsTheyAreWritten:
    """Every reader reads decimal commas, and says what to write for degrees and minutes."""

    @pytest.mark.parametrize(
        ("word", "advice"),
        [
            ("131°06'00\"E", r"in degrees and minutes\. Write decimal degrees: 131\.100000"),
            ("131 6.5 W", r"Write decimal degrees: -131\.108333"),
            ("131.1E", r"Write decimal degrees, a number alone: 131\.1\."),
            ("604000", "Degrees are needed, not metres"),
            ("", "longitude is missing"),
        ],
    )
    def test_what_to_write(self, word, advice):
        with pytest.raises(DataError, match=advice):
            tables([word, "131.2"], [43.1, 43.2])

    def test_decimal_commas_of_a_data_frame(self):
        survey = tables(["131,213", "131,3"], ["43,11", "43,2"])
        assert survey.stations[["longitude", "latitude"]].to_numpy().tolist() == [[131.213, 43.11], [131.3, 43.2]]
        x = pd.DataFrame({"station": ["A", "B"], "x": ["500,5", "900"], "y": ["-0,25", "4000"]})
        deployments = pd.DataFrame({"station": ["A", "B"], "start": "2024-02-01", "end": "2024-02-11"})
        records = pd.DataFrame({"timestamp": ["2024-02-03 21:00"], "station": "A", "classification_probability": "0,7"})
        survey = lp.read_records(records, deployments, x)
        assert survey.stations[["x", "y"]].to_numpy().tolist() == [[500.5, -0.25], [900.0, 4000.0]]
        assert survey.records["classification_probability"].tolist() == [0.7]

    def test_a_comma_that_may_part_thousands_is_not_guessed(self):
        x = pd.DataFrame({"station": ["A"], "x": ["604,000"], "y": ["4,700,000"]})
        deployments = pd.DataFrame({"station": ["A"], "start": "2024-02-01", "end": "2024-02-11"})
        with pytest.raises(DataError, match=r"x is '604,000'\. A number is needed\. Write numbers without separators"):
            lp.read_records(pd.DataFrame({"timestamp": ["2024-02-03 21:00"], "station": "A"}), deployments, x)

    def test_a_decimal_comma_of_a_share(self, tmp_path):
        header, *rows = OBSERVATIONS.splitlines()
        text = "\n".join([f"{header},classificationProbability", *(f'{row},"0,7"' for row in rows), ""])
        survey = lp.read_camtrap_dp(write_package(tmp_path, observations=text))
        assert survey.records["classification_probability"].tolist() == [0.7, 0.7]


class TestWideSurveys:
    """Places that no UTM zone holds: from 88° to 120° E is Mongolia."""

    LONGITUDE, LATITUDE = [88.0, 88.3, 104.0, 104.2, 119.7, 120.0], [46.0, 46.1, 45.9, 46.2, 46.1, 45.8]

    def test_areas_are_exact_and_distances_nearly(self):
        survey = tables(self.LONGITUDE, self.LATITUDE)
        assert survey.crs == "+proj=laea +lat_0=46 +lon_0=104.1 +datum=WGS84 +units=m +no_defs"
        x, y = survey.stations[["x", "y"]].to_numpy().T
        ellipsoid = pyproj.Geod(ellps="WGS84")
        for i, j in ((0, 1), (2, 3), (4, 5)):
            true = ellipsoid.inv(self.LONGITUDE[i], self.LATITUDE[i], self.LONGITUDE[j], self.LATITUDE[j])[2]
            assert np.hypot(x[i] - x[j], y[i] - y[j]) == pytest.approx(true, rel=0.006)

    def test_a_history_and_a_package(self, tmp_path):
        survey = tables(self.LONGITUDE, self.LATITUDE, tz="UTC+08:00")
        history = survey.capture_history(occasion_start="00:00")
        assert len(history.stations) == 6
        again = lp.read_camtrap_dp(survey.to_camtrap_dp(tmp_path))
        assert again.crs == survey.crs
        assert again.stations[["x", "y"]].equals(survey.stations[["x", "y"]])

    def test_one_far_station_changes_no_zone(self):
        assert tables([*LONGITUDE, 88.0], [*LATITUDE, 46.0]).crs == "EPSG:32652"
