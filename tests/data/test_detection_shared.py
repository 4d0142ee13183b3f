"""Real detection histories: what is read is what the tables hold, counted again with nothing but the csv module."""

from __future__ import annotations

import csv
import json
import warnings

import numpy as np
import pandas as pd
import pytest

from leopardpop.data.detection_history import DetectionHistory
from leopardpop.errors import DataError, DataWarning

make = DetectionHistory.from_tables


def counted(path, columns, keep=lambda row: True):
    """Sites, visits made, detections, and sites with a detection, of a wide table."""
    with path.open(newline="", encoding="utf-8") as file:
        rows = [[row[name] for name in columns] for row in csv.DictReader(file) if keep(row)]
    made = [[float(cell) for cell in row if cell not in ("", "NA")] for row in rows]
    visited = [row for row in made if row]
    return {
        "sites": len(rows),
        "visits": sum(map(len, made)),
        "detections": sum(value > 0 for row in made for value in row),
        "naive": sum(any(value > 0 for value in row) for row in visited) / len(visited),
    }


def said(history):
    return {
        "sites": history.n_sites,
        "visits": history.n_visits,
        "detections": history.n_detections,
        "naive": float(history.naive_occupancy.values.item()),
    }


def visits(n, prefix="y"):
    return [f"{prefix}{j + 1}" for j in range(n)]


def meta(folder):
    return json.loads((folder / "meta.json").read_text())


def test_hbef2015_with_its_species(shared):
    folder = shared / "data" / "hbef2015"
    covariates = {name: folder / f"detcov_{name}.csv" for name in ("day", "tod")}
    history = make(folder / "y_all_species.csv", folder / "sites.csv", visit_covariates=covariates, crs="EPSG:26919")
    assert list(history.species) == meta(folder)["species"]
    assert history.dataset["y"].shape == (12, meta(folder)["n_sites"], 1, meta(folder)["n_occasions"])
    for species in history.species:
        found = counted(folder / "y_all_species.csv", visits(3), lambda row, name=species: row["species"] == name)
        assert said(history[species]) == found
    table = pd.read_csv(folder / "y_all_species.csv", dtype={"site": str})
    one = make({name: rows.drop(columns="species") for name, rows in table.groupby("species")})
    assert np.array_equal(one.dataset["y"], history.dataset["y"], equal_nan=True)
    days = pd.read_csv(folder / "detcov_day.csv").set_index("site")
    assert np.array_equal(history.dataset["day"].values[:, 0], days.to_numpy(), equal_nan=True)
    assert history.sites["elevation"].iloc[0] == 475.268005371094
    assert history.sites["easting"].iloc[0] == 279999.999999999


def test_salamanders(shared):
    folder = shared / "data" / "salamanders"
    history = make(folder / "y.csv")
    assert said(history) == counted(folder / "y.csv", visits(5))
    assert (history.n_sites, history.dataset.sizes["visit"]) == (39, 5)
    assert said(history)["naive"] == 18 / 39  # MacKenzie et al. 2006, p. 99


def test_frogs(shared):
    folder = shared / "data" / "frogs_pcru"
    names = meta(folder)["covariate_names"]
    covariates = {name: folder / f"obscov_{i}_{name}.csv" for i, name in enumerate(names, 1)}
    history = make(folder / "y.csv", visit_covariates=covariates)
    assert said(history) == counted(folder / "y.csv", visits(3))
    assert history.n_sites == meta(folder)["n_sites"]
    assert history.missing_covariates.empty
    wind = pd.read_csv(folder / "obscov_2_Wind.csv").set_index("site").to_numpy()
    assert np.array_equal(history.dataset["Wind"].values[:, 0], wind, equal_nan=True)
    states = make(folder / "y_ms3.csv", response="state")
    assert said(states) == counted(folder / "y_ms3.csv", visits(3))
    index = make(folder / "calling_index.csv", response="count")
    assert said(index) == counted(folder / "calling_index.csv", visits(3))
    assert states.summary()["sites_breeding"].item() == counted_state(folder / "y_ms3.csv", "2")
    with pytest.raises(DataError, match="which may be counts or states"):
        make(folder / "y_ms3.csv")


def counted_state(path, state):
    with path.open(newline="") as file:
        return sum(
            state in row.values() for row in ({k: v for k, v in r.items() if k != "site"} for r in csv.DictReader(file))
        )


def test_grand_skinks_over_five_seasons(shared):
    path = shared / "data" / "grandskinks" / "grandskinks.csv"
    columns = [f"{season}{j}" for season in "ABCDE" for j in (1, 2, 3)]
    history = make(path, visits=columns, seasons=list("ABCDE"))
    assert history.n_sites == meta(path.parent)["n_sites"] == 338
    for season in "ABCDE":
        found = counted(path, [f"{season}{j}" for j in (1, 2, 3)])
        assert said(history[season]) == found
    assert said(history["A"]) == {"sites": 338, "visits": 488, "detections": 99, "naive": 94 / 297}
    assert history.sites["habitat"].tolist() == pd.read_csv(path)["habitat"].tolist()
    with pytest.raises(DataError, match=r"16 columns of visits, which cannot be 5 seasons.*some are no visits"):
        make(path, seasons=5)
    with pytest.raises(DataError, match=r"line 2: y in column 'habitat' is 'Pasture'.*which columns are: visits="):
        make(path)


def test_weta_with_observers(shared):
    path = shared / "data" / "weta" / "weta.csv"
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    observers = table[["site", *visits(5, "ObsD")]]
    history = make(
        table[["site", "Browsed", *visits(5, "D")]], visits=visits(5, "D"), visit_covariates={"observer": observers}
    )
    assert said(history) == counted(path, visits(5, "D"))
    assert (history.n_sites, said(history)["naive"]) == (72, 35 / 72)  # MacKenzie et al. 2006, p. 116
    assert history.sites["Browsed"].sum() == (table["Browsed"] == "TRUE").sum()
    assert history.missing_covariates.empty
    assert history.visits.query("site == '1'")["observer"].tolist() == ["A", "C", "B", "C", None]


def test_woodthrush_counts(shared):
    folder = shared / "data" / "woodthrush"
    counts, seen = make(folder / "counts.csv", response="count"), make(folder / "y.csv")
    assert said(counts) == said(seen) == counted(folder / "counts.csv", visits(11))
    assert counts.summary()["total"].item() == pd.read_csv(folder / "counts.csv")[visits(11)].to_numpy().sum()
    assert counts.n_sites == meta(folder)["n_sites"]


def test_amazon_ocelots_with_effort(shared):
    folder = shared / "data" / "amazon-ocelot-occupancy"
    info = meta(folder)["info"]
    columns = visits(10, "V")
    y = pd.read_csv(folder / "y.csv")[columns]  # its labels differ in case from those of the covariates: rows match
    sites = pd.read_csv(folder / "site_covariates.csv").rename(columns={"Trap": "site", "Site": "area"})
    history = make(y, sites, visit_covariates={"effort": folder / "effort_days.csv"}, effort_unit="days")
    assert said(history) == {
        "sites": info["sites"],
        "visits": info["site_occasions"],
        "detections": info["detections"],
        "naive": info["naive_occupancy"],
    }
    assert said(history) == counted(folder / "y.csv", columns)
    with (folder / "effort_days.csv").open(newline="") as file:
        days = sum(float(cell) for row in csv.DictReader(file) for cell in row.values())
    assert history.dataset["effort"].sum() == history.arrays().effort.sum() == days
    assert len(history.audit) == 0
    with pytest.raises(DataError, match=r"y\.csv line 377: site 'CFn1' is not in the site table.*Did you mean 'CFN1'"):
        make(folder / "y.csv", sites, visits=columns, columns={"y": {"trap": "site", "site": "reserve"}})


def test_simulated_false_positives(shared):
    folder = shared / "data" / "occufp_sim"
    history = make(folder / "y.csv", folder / "sitecovs.csv", visit_covariates={"METH": folder / "obscov_METH.csv"})
    assert said(history) == counted(folder / "y.csv", visits(10))
    assert history.dataset["METH"].values[0, 0].tolist() == [0] * 5 + [1] * 5
    assert history.sites["habitat"].sum() == pd.read_csv(folder / "sitecovs.csv")["habitat"].sum()


@pytest.mark.parametrize("name", ["salamanders", "weta", "woodthrush", "grandskinks"])
def test_they_go_to_unmarked_and_back(shared, name, tmp_path):
    from leopardpop.data.readers.unmarked import read_unmarked

    paths = {"weta": "weta.csv", "grandskinks": "grandskinks.csv", "woodthrush": "counts.csv"}
    path = shared / "data" / name / paths.get(name, "y.csv")
    options = {"weta": {"visits": visits(5, "D")}, "woodthrush": {"response": "count"}}
    options["grandskinks"] = {"visits": [f"{s}{j}" for s in "ABCDE" for j in (1, 2, 3)], "seasons": list("ABCDE")}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)  # observers are missing where there was no visit
        history = make(path, **options.get(name, {}))
        assert read_unmarked(history.to_unmarked(tmp_path / "t.csv")) == history


def test_a_table_that_unmarked_made(tmp_path):
    """As csvToUMF wants it: row names of R, NA, covariates of sites before those of visits."""
    from leopardpop.data.readers.unmarked import read_unmarked

    path = tmp_path / "wide.csv"
    path.write_text(
        '"","site","y.1","y.2","y.3","elev","date.1","date.2","date.3","obs.1","obs.2","obs.3"\n'
        '"1",101,0,1,NA,0.25,-1.5,2,NA,"A","B",NA\n"2",102,0,0,3,1,0,1,2,"B","B","C"\n'
    )
    history = read_unmarked(path, response="count")
    assert history.arrays().y[:, 0].tolist() == [[0, 1, -1], [0, 0, 3]]
    assert history.sites.to_dict("list") == {"site": ["101", "102"], "elev": [0.25, 1]}
    assert history.visits["obs"].tolist() == ["A", "B", None, "B", "B", "C"]
    seasons = tmp_path / "seasons.csv"
    seasons.write_text("y.1,y.2,y.3,y.4,snow.1,snow.2,wind.1,wind.2,wind.3,wind.4\n0,1,0,0,10,20,1,2,3,4\n")
    two = read_unmarked(seasons, seasons=2, effort_unit="hour")
    assert two.dataset["snow"].dims == ("site", "season")
    assert two.dataset["wind"].values.tolist() == [[[1, 2], [3, 4]]]
    assert two.effort_unit == "hour"
