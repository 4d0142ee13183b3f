"""Bad tables of visits: what, where, what was found, what to do, and the rows at fault."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from leopardpop.data.detection_history import DetectionHistory
from leopardpop.data.readers.unmarked import read_unmarked
from leopardpop.errors import DataError

NAN = np.nan
Y = pd.DataFrame({"site": ["ridge", "river", "pass"], "v1": [0, 1, NAN], "v2": [0, 0, 1]})
SITES = pd.DataFrame(
    {"site": ["ridge", "river", "pass"], "x": [0, 9000, 4000], "y": [0, 500, 7000], "snow": [12.0, 3, 8]}
)
LONG = pd.DataFrame({"site": ["a", "a"], "visit": [1, 2], "y": [0, 1]})


def refused(message: str, **changes) -> DataError:
    """Check that the tables are refused with a message, and return the error."""
    arguments = {"y": Y, "sites": SITES, "crs": "local"} | changes
    with pytest.raises(DataError, match=message) as error:
        DetectionHistory.from_tables(**arguments)
    return error.value


# -- responses --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("value", "found"),
    [(0.5, "'0.5'"), (-1, "'-1'"), ("seen", "'seen'"), (np.inf, "'inf'"), ("1,5", "'1,5'")],
)
def test_y_is_no_whole_number(value, found):
    y = Y.astype(object)
    y.loc[1, "v2"] = value
    error = refused(rf"y row 1: y in column 'v2' is {found}\. A whole number is needed, at least 0", y=y)
    assert error.offenders["line"].tolist() == [1]


def test_y_in_a_file_is_named_by_line_and_column(tmp_path):
    (tmp_path / "y.csv").write_text("site,v1,v2\nridge,0,1\nriver,0,maybe\n")
    refused(r"y\.csv line 3: y in column 'v2' is 'maybe'", y=tmp_path / "y.csv", sites=None)


def test_a_column_that_is_no_visit():
    y = Y.assign(forest=["old", "young", "old"])
    refused(r"column 'forest' is 'old'.* If it is no visit, say which columns are: visits=\[\.\.\.\]", y=y, sites=None)
    refused(r"visits= names the column 'v3' of y, which does not exist.*Did you mean 'v[12]'", y=y, visits=["v1", "v3"])
    refused(r"visits= names the column 'v1' of y, twice", y=y, visits=["v1", "v1"])
    refused(r"visits='v1': give a list", y=y, visits="v1")


def test_counts_and_states_must_be_said():
    y = Y.assign(v1=[0, 2, 1])
    refused(
        r'y has values up to 2, which may be counts or states. Say which: response="count", or response="state"', y=y
    )
    refused(r"y row 1: y in column 'v1' is 2. A binary response can be 0 or 1: correct it", y=y, response="binary")
    refused(r"is 3. A state response can be 0, 1 \(seen\) or 2", y=Y.assign(v1=[0, 3, 1]), response="state")
    refused(r"response='states' is not known.*Did you mean 'state'", response="states")


def test_nothing_was_visited():
    refused("y has no visit: every cell is blank", y=Y.assign(v1=NAN, v2=NAN))
    refused("y has no columns of visits", y=Y[["site"]], sites=None)
    refused("y has no rows", y=Y.iloc[:0], sites=None)


@pytest.mark.parametrize("y", [5, None, [[]], [1, 2], [[0, 1], [0]], "no.csv", {}, [[[[0]]]], {"a": 3}])
def test_y_is_nothing_that_can_be_read(y):
    refused("y|no file", y=y, sites=None)


def test_empty_and_binary_files(tmp_path):
    (tmp_path / "y.csv").write_text("")
    refused(r"y\.csv is empty", y=tmp_path / "y.csv")
    (tmp_path / "y.csv").write_bytes(b"PK\x03\x04....")
    refused(r"y\.csv is a spreadsheet or an archive", y=tmp_path / "y.csv")


# -- sites ------------------------------------------------------------------------------------------------------------
def test_an_unknown_site_and_the_nearest_name():
    error = refused(
        r"y row 1: site 'rivr' is not in the site table\. Correct it\. Did you mean 'river'\?",
        y=Y.assign(site=["ridge", "rivr", "pass"]),
    )
    assert error.offenders["site"].tolist() == ["rivr"]
    refused(
        "effort row 0: site 'rige' is not in the sites of y", visit_covariates={"effort": Y.replace("ridge", "rige")}
    )


def test_a_site_twice():
    refused(
        r"y row 0: site 'a' has more than one row for the same site \(2 rows",
        y=Y.assign(site=["a", "b", "a"]),
        sites=None,
    )
    refused(
        r"sites row 1: site 'river' occurs more than once \(2 rows",
        sites=pd.concat([SITES, SITES[1:2]], ignore_index=True),
    )
    refused(r"more than one row for the same visit", y=LONG.assign(visit=1), sites=None)
    refused(r"row 0: site is missing", y=Y.assign(site=[None, "a", "b"]), sites=None)
    by_season = pd.concat([Y, Y.iloc[:1]]).assign(season="1")
    refused(r"site 'ridge' has more than one row for the same season", y=by_season, sites=None)


def test_rows_that_cannot_be_matched():
    refused(r"y has 2 rows and sites 3, and y has no column 'site'", y=[[0, 1], [0, 0]])
    no_labels = SITES[["snow"]]
    refused(
        r"sites has 3 rows and y 2 sites, and sites has no column 'site' to match them by", y=Y[:2], sites=no_labels
    )
    refused(r"wind has 2 rows and y 3, and wind has no column 'site'", visit_covariates={"wind": [[1, 2], [3, 4]]})
    refused(r"y has a row for each visit, but no column 'site'", y=LONG.drop(columns="site"), sites=None)


def test_positions():
    refused(r"sites row 1: x is 'east'. A number is needed", sites=SITES.assign(x=[0, "east", 3]))
    refused(r"sites have easting only. Give both", sites=SITES[["site", "x"]])
    degrees = SITES.assign(x=[131.12, 131.23, 131.34], y=[43.12, 43.23, 43.31])
    refused("look like degrees of longitude and latitude", sites=degrees, crs=None)
    refused("counts in units of", crs="EPSG:4326")


def test_covariates_of_sites():
    refused(r"sites row 2: snow is 'deep', but most of its values are numbers", sites=SITES.assign(snow=[1, 2, "deep"]))
    refused(r"'snow' is infinite at site 'ridge'", sites=SITES.assign(snow=[np.inf, 1, 2]))
    refused(
        r"site covariate 'state' has a name that means something else", sites=SITES.rename(columns={"snow": "state"})
    )
    refused(r"covariate 'snow/m' has a name that a file cannot hold", sites=SITES.rename(columns={"snow": "snow/m"}))
    refused(r"'snow' is in both the covariates of sites", visit_covariates={"snow": [[1, 2]] * 3})
    twice = pd.concat([SITES, SITES.assign(snow=1)]).assign(season="1")
    refused("site 'ridge' occurs more than once in season '1'", sites=twice)


def test_a_site_that_moves():
    sites = pd.DataFrame({"site": ["a", "a"], "season": [1, 2], "x": [0, 50], "y": [0, 0]})
    refused(r"x of site 'a' is not what it is in an earlier row", y=[[0, 1]], seasons=2, sites=sites)


# -- seasons ----------------------------------------------------------------------------------------------------------
def test_columns_and_seasons():
    refused(r"y has 2 columns of visits, which cannot be 3 seasons of equal length", seasons=3)
    refused(r"seasons= has 2 \+ 2 visits, but y has 2 columns of visits", seasons={"2021": 2, "2022": 2})
    refused(r"seasons=0 is not possible", seasons=0)
    refused(r"season 'a' occurs more than once", seasons=["a", "a"])
    refused(r"seasons='2021': give a number", seasons="2021")
    y = Y.assign(season=["2021", "2022", "2021"])
    refused(r"seasons=3, but y has 2 in its column", y=y, seasons=3, sites=None)
    refused(r"y has the season '2022', which seasons= does not have", y=y, seasons=["2021", "2023"], sites=None)
    refused(r"y has no column 'season', but seasons= has 2", y=LONG, seasons=2, sites=None)


@pytest.mark.parametrize("visit", [0, 1.5, "2024-03-01", 10**12])
def test_visits_are_numbered(visit):
    refused(r"y row 0: visit is ", y=LONG.astype(object).assign(visit=[visit, 2]), sites=None)


# -- covariates of visits ---------------------------------------------------------------------------------------------
def test_wide_covariates():
    refused(r"wind has 3 columns of visits, but y has 2", visit_covariates={"wind": Y.assign(v3=1)})
    refused(r"effort row 0: effort in column 'v1' is '-3' \(3 rows in all\)\. A number is needed, at least 0",
            visit_covariates={"effort": Y.assign(v1=-3)})  # fmt: skip
    wind = Y.assign(v1=[1.5, "calm", 2], v2=[1, 2, 3])
    refused(
        r"wind row 1: wind is 'calm' in column 'v1', but most of its values are numbers",
        visit_covariates={"wind": wind},
    )
    refused(r"visit_covariates= needs a dict", visit_covariates=["wind"])
    refused(r"visit covariate 'season' has a name that means something else", visit_covariates={"season": Y})
    refused(r"columns= has 'efort'; it can have 'y', 'sites'", columns={"efort": {}})


def test_long_covariates():
    refused(r"names 'wnd', which is not a column of y; they are 'wind'. Did you mean 'wind'",
            y=LONG.assign(wind=1), sites=None, visit_covariates=["wnd"])  # fmt: skip
    table = pd.DataFrame({"site": ["ridge", "ridge"], "visit": [1, 1], "wind": [1, 2]})
    refused(r"wind of site 'ridge' is not what an earlier row says of the visit", visit_covariates=table)
    refused(r"visit 3 does not exist in y, which has 2", visit_covariates=table.assign(visit=[1, 3]))
    refused(r"visit_covariates has no columns 'site' and 'visit'", visit_covariates=table[["site", "wind"]])
    refused(r"elevation of site 'a' is not what it is in an earlier row",
            y=LONG.assign(elevation=[1, 2]), sites=None, visit_covariates=[])  # fmt: skip


# -- species ----------------------------------------------------------------------------------------------------------
def test_species():
    refused(r"species 'b' has no row for site 'pass', which other species have", y={"a": Y, "b": Y[:2]})
    refused(r"the tables of 'a' and 'b' differ in their columns of visits", y={"a": Y, "b": Y.drop(columns="v2")})
    refused(r"y\['a'\] has a column 'species', too", y={"a": Y.assign(species="a")})


# -- xarray -----------------------------------------------------------------------------------------------------------
def test_datasets():
    y = xr.DataArray([[0.0, 1.0], [NAN, 0.0]], dims=["site", "visit"], coords={"site": ["a", "b"]})

    def bad(message, data):
        with pytest.raises(DataError, match=message):
            DetectionHistory.from_dataset(data)

    data = xr.Dataset({"y": y})
    bad("it has no variable 'y', only 'z'", data.rename(y="z"))
    bad("y has the dimension 'time'", data.rename(visit="time"))
    bad("y has no dimension 'visit'", data.isel(visit=0))
    bad(r"y is 0.5 at site 'a', season '1', visit 2; a binary response can be 0 or 1", data * 0.5)
    bad("y has values that are no numbers", data.astype(str) + "?")
    bad("site 'a' occurs more than once", data.assign_coords(site=["a", "a"]))
    bad("a site has no label", data.assign_coords(site=["a", ""]))
    bad("'trait' has the dimension 'species'", data.assign_coords(trait=("species", [1, 2])))
    bad("effort is -1 at site 'a'", data.assign(effort=y * 0 - 1))
    bad(r"effort is 0 at site 'a', season '1', visit 1 \(3 in all\), where y is 0", data.assign(effort=y.fillna(0) * 0))
    bad("'effort' has values that are no numbers", data.assign(effort=y.astype(str)))
    bad("northing is missing at site 'b'", data.assign_coords(easting=("site", [0, 9]), northing=("site", [1, NAN])))
    bad("y is empty", data.isel(site=slice(0)))


# -- unmarked ---------------------------------------------------------------------------------------------------------
def test_files_of_unmarked(tmp_path):
    path = tmp_path / "birds.csv"

    def bad(message, text, facts=None, **options):
        path.write_text(text)
        (tmp_path / "birds.csv.json").unlink(missing_ok=True)
        if facts is not None:
            (tmp_path / "birds.csv.json").write_text(facts)
        with pytest.raises(DataError, match=message):
            read_unmarked(path, **options)

    good = "site,y.1,y.2\na,0,1\n"
    bad("birds.csv has no columns y.1, y.2", "site,v1,v2\na,0,1\n")
    bad("birds.csv has no columns y.1, y.2", "site,y.1,y.3\na,0,1\n")
    bad("birds.csv has no rows", "site,y.1,y.2\n")
    bad("birds.csv line 2: y in column 'y.2' is 'x'", "site,y.1,y.2\na,0,x\n")
    bad("birds.csv line 2: site 'a' occurs more than once", good + "a,0,0\n")
    bad("cannot be 3 seasons", good, seasons=3)
    bad("birds.csv.json cannot be read as JSON", good, facts="{")
    bad("birds.csv.json was not written by to_unmarked: 'response' is missing or wrong", good, facts="[]")
    bad("site covariate 'state' has a name", "site,y.1,state\na,1,5\n")


def test_what_unmarked_would_misread(tmp_path):
    def bad(message, history):
        with pytest.raises(DataError, match=message):
            history.to_unmarked(tmp_path / "birds.csv")

    make = DetectionHistory.from_tables
    bad("unmarked would take the covariate of sites 'gfc.30' for one visit",
        make(Y, pd.DataFrame({"site": Y["site"], "gfc.30": 1})))  # fmt: skip
    bad(
        "unmarked would take the covariate 'y.1x' for detections", make(Y, pd.DataFrame({"site": Y["site"], "y.1x": 1}))
    )
    bad(r"has one species, here are 'a', 'b'. Write history\['a'\]", make({"a": Y, "b": Y}))
