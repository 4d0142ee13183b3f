from __future__ import annotations

import warnings

import numpy as np
import xarray as xr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from leopardpop.data.detection_history import DetectionHistory
from leopardpop.data.readers.unmarked import read_unmarked
from leopardpop.errors import DataWarning
from tests.data.detection_strategies import detection_histories

slow = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def quietly(function, *args, **keywords):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)  # nothing detected, a covariate missing
        return function(*args, **keywords)


@slow
@given(history=detection_histories())
def test_the_dataset_makes_the_same_history_again(history):
    assert DetectionHistory.from_dataset(history.dataset) == history
    order = history.dataset["y"].dims[::-1]
    again = DetectionHistory.from_dataset(history.dataset.transpose(*order))
    assert again == history
    assert again.data_hash == history.data_hash


@slow
@given(history=detection_histories())
def test_netcdf_gives_the_same_history_again(history, tmp_path_factory):
    path = tmp_path_factory.mktemp("nc") / "history.nc"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", xr.SerializationWarning)  # "Elev (m)" comes back as a data variable
        history.dataset.to_netcdf(path, engine="h5netcdf")
    with xr.open_dataset(path, engine="h5netcdf") as stored:
        assert DetectionHistory.from_dataset(stored.load()) == history


@slow
@given(history=detection_histories(several_species=False))
def test_unmarked_files_make_the_same_history_again(history, tmp_path_factory):
    path = history.to_unmarked(tmp_path_factory.mktemp("unmarked") / "history.csv")
    again = quietly(read_unmarked, path)
    xr.testing.assert_identical(again.dataset, history.dataset)
    assert again.data_hash == history.data_hash


def retabled(history, visits):
    """Make a history from the long tables of another one."""
    data = history.dataset
    sites = history.sites.rename(columns={"easting": "x", "northing": "y"})
    covariates = [name for name in visits.columns if name in data.data_vars and name != "y"]
    return quietly(
        DetectionHistory.from_tables,
        visits,
        sites,
        visit_covariates=covariates,
        seasons=list(history.seasons),
        response=history.response,
        effort_unit=history.effort_unit,
        crs="local",
    )


def nothing(values):
    """Whether nothing is known of a covariate: then a table cannot say whether it is text or a number."""
    return bool((values.isnull() | (values == "")).all())


@slow
@given(history=detection_histories(), seed=st.integers(0, 99))
def test_long_tables_make_the_same_data_again(history, seed):
    visits = history.visits
    if "effort" in visits:
        visits["effort"] = visits["effort"].fillna(1.0)
    shuffled = visits.sample(frac=1, random_state=seed)
    again, mixed = retabled(history, visits), retabled(history, shuffled)
    assert again.data_hash == mixed.data_hash
    assert again.dataset["site"].values.tolist() == history.dataset["site"].values.tolist()
    xr.testing.assert_identical(again.dataset["y"].variable, history.dataset["y"].variable)
    for name in history.dataset.data_vars:
        if name not in ("y", "effort") and not nothing(history.dataset[name]):
            assert again.dataset[name].variable.identical(history.dataset[name].variable), name


@slow
@given(history=detection_histories())
def test_the_arrays_and_the_tables_tell_the_same(history):
    arrays, y = history.arrays(), history.dataset["y"].values
    assert np.array_equal(np.where(arrays.y < 0, np.nan, arrays.y), y, equal_nan=True)
    assert np.array_equal(arrays.value, arrays.y[..., arrays.site, arrays.season, arrays.visit])
    assert len(arrays.site) == history.n_visits == arrays.visited.sum() == len(arrays.visit_covariates)
    assert (arrays.value > 0).sum() == history.n_detections == history.summary()["detections"].sum()
    assert arrays.n_visits.sum() == history.n_visits
    assert np.array_equal(sum(arrays.tally(v) for v in range(41)), (arrays.y >= 0).sum(axis=-1))
    assert list(arrays.visit_covariates["site"]) == [arrays.sites[i] for i in arrays.site]
    assert list(arrays.visit_covariates["visit"]) == (arrays.visit + 1).tolist()
    assert len(arrays.season_covariates) == len(arrays.sites) * len(arrays.seasons)
    assert np.all(arrays.effort[~arrays.visited] == 0)


@slow
@given(history=detection_histories())
def test_seasons_and_species_come_apart(history):
    chosen = [name for name in history.seasons if name not in history.species]
    parts = [history[season] for season in chosen]
    if len(chosen) == len(history.seasons):
        assert sum(part.n_detections for part in parts) == history.n_detections
        assert sum(part.n_visits for part in parts) == history.n_visits
    for part in parts:
        assert part.seasons in [(season,) for season in chosen]
        assert repr(part)
        assert part._repr_html_()
