from __future__ import annotations

import warnings

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from leopardpop.data.history import CaptureHistory
from leopardpop.data.readers.secr import read_secr
from leopardpop.errors import DataWarning
from tests.data.history_strategies import histories

slow = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@slow
@given(history=histories())
def test_the_arrays_and_the_tables_tell_the_same(history):
    dense = [history.to_array(session) for session in history.sessions]
    assert sum(int(array.sum()) for array in dense) == history.n_detections == history.detections["count"].sum()
    assert [array.shape[0] for array in dense] == [len(history.arrays(s).individuals) for s in history.sessions]
    stations = sum(int((array.sum("occasion") > 0).sum()) for array in dense)
    assert history.n_spatial_recaptures == stations - history.n_individuals
    for session in history.sessions:
        arrays = history.arrays(session)
        assert np.all(arrays.effort[arrays.station, arrays.occasion] > 0)
        assert np.all(arrays.occasion < arrays.exposure[arrays.individual])
        assert history[session].arrays(session).xy.tolist() == arrays.xy.tolist()


def from_long_tables(history, seed=None):
    """Make a history from the long tables of another one, rows shuffled if there is a seed."""
    tables = [history.detections, history.stations, history.effort, history.individuals]
    if seed is not None:
        tables = [table.sample(frac=1, random_state=seed) for table in tables]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)  # stations that are never on
        return CaptureHistory.from_tables(
            *tables,
            detector=history.detector,
            occasions=history.occasions,
            effort_unit=history.effort_unit,
            crs="local",
        )


def without_crs(history):
    return CaptureHistory(history.dataset.assign_attrs(crs=""))


@slow
@given(history=histories())
def test_long_tables_make_the_same_history_again(history):
    assert from_long_tables(history) == without_crs(history)


@slow
@given(history=histories(), seed=st.integers(0, 99))
def test_the_hash_does_not_depend_on_the_order_of_rows(history, seed):
    assert from_long_tables(history, seed=seed).data_hash == without_crs(history).data_hash


@slow
@given(history=histories())
def test_secr_files_make_the_same_history_again(history, tmp_path_factory):
    folder = history.to_secr(tmp_path_factory.mktemp("secr"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)  # stations that are never on
        again = read_secr(folder / "captures.txt")
    assert again == history
    assert again.data_hash == history.data_hash
