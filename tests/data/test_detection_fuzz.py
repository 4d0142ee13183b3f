"""Whatever comes in, a history or an error of ours comes out."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from leopardpop.data.detection_history import DetectionHistory
from leopardpop.data.readers.unmarked import read_unmarked
from leopardpop.errors import DataWarning, LeopardpopError
from tests.data.history_strategies import labels

fuzz = settings(
    max_examples=70, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)

cells = st.one_of(
    st.sampled_from(
        [0, 1, 2, 3, "0", "1", "", "NA", "-", ".", "1,5", "TRUE", None, np.nan, np.inf, -1, 0.5, True, 10**20]
    ),
    st.sampled_from([pd.Timestamp("2024-01-01"), "2024-01-01", "a", b"a", (1, 2), 1e300, "1e400", "1_000", " ", "\n"]),
    labels,
)
headers = st.sampled_from(
    ["site", "Site", "season", "species", "visit", "y", "Y", "x", "effort", "v1", "v2", "y.1", "state"]
)
columns = st.lists(st.one_of(headers, headers, labels), min_size=0, max_size=5)


@st.composite
def frames(draw: st.DrawFn) -> pd.DataFrame:
    names, n = draw(columns), draw(st.integers(0, 4))
    rows = [[draw(cells) for _ in names] for _ in range(n)]
    return pd.DataFrame(rows, columns=names, dtype=object)


sources = st.one_of(frames(), frames(), st.lists(st.lists(cells, max_size=3), max_size=3), cells)
seasons = st.one_of(
    st.just(1), st.integers(-1, 3), st.lists(labels, max_size=2), st.dictionaries(labels, st.integers(-1, 3))
)


def survives(function, *args, **keywords) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        try:
            history = function(*args, **keywords)
        except LeopardpopError as error:
            assert str(error)  # noqa: PT017 (a message is all that is asked of it)
        else:
            assert repr(history)
            assert history.arrays().y.shape[-1] == history.dataset.sizes["visit"]


@fuzz
@given(
    y=st.one_of(sources, st.dictionaries(labels, sources, max_size=2)),
    sites=st.one_of(st.none(), frames()),
    covariates=st.one_of(
        st.none(), frames(), st.lists(headers, max_size=2), st.dictionaries(headers, sources, max_size=2)
    ),
    response=st.sampled_from([None, "binary", "count", "state", "x"]),
    seasons=seasons,
    visits=st.one_of(st.none(), st.none(), st.lists(headers, max_size=3)),
)
def test_tables(y, sites, covariates, response, seasons, visits):
    survives(
        DetectionHistory.from_tables,
        y,
        sites,
        visit_covariates=covariates,
        response=response,
        seasons=seasons,
        visits=visits,
        crs="local",
    )


GOOD = {
    "y": pd.DataFrame({"site": ["a", "b", "c"], "v1": [0, 1, None], "v2": [0, None, 1]}),
    "sites": pd.DataFrame(
        {"site": ["a", "b", "c"], "x": [0, 5, 9], "y": [0, 5, 1], "snow": [1.5, 2, 3], "rock": list("ppq")}
    ),
    "effort": pd.DataFrame({"site": ["a", "b", "c"], "v1": [7, 7, 0], "v2": [7, 0, 3]}),
    "wind": pd.DataFrame({"site": ["a", "b", "c"], "v1": [1.5, 2, 3], "v2": ["NA", 2, None]}),
}
places = st.tuples(st.sampled_from(sorted(GOOD)), st.integers(0, 2), st.integers(0, 4), cells)


@fuzz
@given(
    faults=st.lists(places, max_size=2),
    response=st.sampled_from([None, "count", "state"]),
    on_zero_effort=st.sampled_from(["raise", "drop", "keep"]),
)
def test_good_tables_with_a_few_bad_cells(faults, response, on_zero_effort):
    tables = {name: table.astype(object).copy() for name, table in GOOD.items()}
    for name, row, column, value in faults:
        tables[name].iat[row, column % tables[name].shape[1]] = value
    survives(
        DetectionHistory.from_tables,
        tables["y"],
        tables["sites"],
        visit_covariates={name: tables[name] for name in ("effort", "wind")},
        response=response,
        on_zero_effort=on_zero_effort,
        crs="local",
    )


text = st.one_of(
    st.text(max_size=60),
    st.lists(
        st.sampled_from(
            ["site", "y.1", "y.2", "wind.1", "snow", "0", "1", "NA", "a", '"', ",", ";", "\n", "\r\n", "\t"]
        )
    ).map("".join),
    st.lists(st.sampled_from(["a", "0", "1", "NA", "2.5", "x y"]), min_size=8, max_size=8).map(
        lambda words: f"site,y.1,y.2,snow\n{','.join(words[:4])}\n{','.join(words[4:])}\n"
    ),
)


@fuzz
@given(
    content=text.map(lambda words: words.encode("utf-8", "surrogatepass")),
    facts=st.one_of(st.none(), st.text(max_size=20)),
)
def test_files(content, facts, tmp_path_factory):
    path = tmp_path_factory.mktemp("fuzz") / "table.csv"
    path.write_bytes(content)
    if facts is not None:
        path.with_name("table.csv.json").write_bytes(facts.encode("utf-8", "surrogatepass"))
    survives(read_unmarked, path)
    survives(DetectionHistory.from_tables, path)
