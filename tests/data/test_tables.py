from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leopardpop.data.tables import label, load_table, read_table
from leopardpop.errors import DataError, DataWarning

ROWS = [("F1", "007", "12.5"), ("M2", "Mine", "-3")]


def write(folder: Path, text: str | bytes, name: str = "captures.csv") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def table(separator: str, end: str = "\n", decimal: str = ".") -> str:
    rows = [("individual", "station", "x"), *((i, k, x.replace(".", decimal)) for i, k, x in ROWS)]
    return end.join(separator.join(row) for row in rows) + end


@pytest.mark.parametrize("separator", [",", ";", "\t", " ", "  "])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_separators_and_line_ends(tmp_path, separator, end):
    found = read_table(write(tmp_path, table(separator, end)), required=["individual", "station", "x"])
    assert found["station"].tolist() == ["007", "Mine"]
    assert found["x"].tolist() == [12.5, -3.0]
    assert found.index.tolist() == [2, 3]
    assert found.index.name == "line"


@pytest.mark.parametrize("separator", [";", "\t", " "])
def test_decimal_commas_where_commas_do_not_separate(tmp_path, separator):
    found = read_table(write(tmp_path, table(separator, decimal=",")), required=["x"])
    assert found["x"].tolist() == [12.5, -3.0]


def test_a_decimal_comma_in_a_comma_file_is_a_row_that_is_too_long(tmp_path):
    with pytest.raises(DataError, match=r"captures\.csv line 2 has more cells than the header.*decimal comma"):
        read_table(write(tmp_path, table(",", decimal=",")))


@pytest.mark.parametrize(
    "encoded",
    [
        "\ufeffstation,x\nPeña,1\n".encode(),
        "station,x\nPeña,1\n".encode("latin-1"),
        "station,x\nPeña,1\n".encode("utf-16"),
        "station,x\nPeña,1\n".encode(),
    ],
    ids=["bom", "latin-1", "utf-16", "utf-8"],
)
def test_encodings(tmp_path, encoded):
    assert read_table(write(tmp_path, encoded), required=["station"])["station"].tolist() == ["Peña"]


def test_bytes_that_are_no_windows_text_are_read_as_latin_1(tmp_path):
    assert read_table(write(tmp_path, b"station,x\nA\x81,1\n"))["station"].tolist() == ["A\x81"]


@pytest.mark.parametrize("text", ["", "\n\n", "\ufeff", " \r\n"])
def test_an_empty_file_is_refused(tmp_path, text):
    with pytest.raises(DataError, match=r"captures\.csv is empty"):
        read_table(write(tmp_path, text))


def test_a_header_alone_is_a_table_without_rows(tmp_path):
    found = read_table(write(tmp_path, "individual,station,x"), required=["individual", "x"])
    assert found.columns.tolist() == ["individual", "station", "x"]
    assert len(found) == 0


@pytest.mark.parametrize("head", [b"PK\x03\x04rest", b"\xd0\xcf\x11\xe0rest", b"a,b\n\x00\x01"])
def test_spreadsheets_and_binary_files_are_refused(tmp_path, head):
    with pytest.raises(DataError, match=r"Save .* as CSV"):
        read_table(write(tmp_path, head))


def test_a_missing_file_offers_the_nearest(tmp_path):
    write(tmp_path, table(","))
    with pytest.raises(DataError, match=r"there is no file .*Did you mean 'captures\.csv'\?"):
        read_table(tmp_path / "capture.csv")


def test_a_separator_that_is_not_known_is_said(tmp_path):
    message = r"no column 'individual'; its columns are 'individual\|station\|x'.*separated by"
    with pytest.raises(DataError, match=message):
        read_table(write(tmp_path, table("|")), required=["individual"])


def test_a_missing_column_offers_the_column_map(tmp_path):
    path = write(tmp_path, "Individual_ID,station,x\n1,A,2\n")
    with pytest.raises(DataError, match=r"columns=\{'captures': \{'Individual_ID': 'individual'\}\}") as error:
        read_table(path, required=["individual"])
    assert error.value.offenders == ["individual"]
    found = read_table(path, required=["individual"], columns={"Individual_ID": "individual"})
    assert found["individual"].tolist() == ["1"]


def test_the_case_of_our_names_does_not_matter(tmp_path):
    found = read_table(write(tmp_path, "Individual, STATION ,x\n1,A,2\n"), required=["individual", "station"])
    assert found.columns.tolist() == ["individual", "station", "x"]


def test_a_key_of_the_column_map_must_exist():
    frame = pd.DataFrame({"ID": ["a"], "x": [1]})
    with pytest.raises(DataError, match=r"columns= names 'Id2'.*Did you mean 'ID'\?"):
        read_table(frame, columns={"Id2": "individual"})


def test_two_columns_of_one_name_are_refused(tmp_path):
    with pytest.raises(DataError, match="two columns 'x'"):
        read_table(write(tmp_path, "station,x,x\nA,1,2\n"))
    with pytest.raises(DataError, match="two columns 'station'"):
        read_table(pd.DataFrame({"ID": ["a"], "station": ["b"]}), columns={"ID": "station"})


@pytest.mark.parametrize(
    ("cell", "found"),
    [("abc", "x is 'abc'"), ("", "x is missing"), ("NA", "x is missing"), ("inf", "x is 'inf'"), ("1_0", "x is '1_0'")],
)
def test_what_is_no_number_is_named_with_its_line(tmp_path, cell, found):
    path = write(tmp_path, f"station,x\nA,1\n\nB,{cell}\nC,{cell}\n")
    with pytest.raises(DataError, match=rf"captures\.csv line 4: {found} \(2 rows in all\)") as error:
        read_table(path, required=["station", "x"])
    assert error.value.offenders["line"].tolist() == [4, 5]
    assert error.value.offenders["source"].tolist() == ["captures.csv", "captures.csv"]


@pytest.mark.parametrize("value", [np.nan, np.inf, "one", None, pd.NA])
def test_what_is_no_number_in_a_dataframe_is_named_with_its_row(value):
    frame = pd.DataFrame({"x": [1.0, value]}, index=["first", "second"], dtype=object)
    with pytest.raises(DataError, match="captures row second: x is"):
        read_table(frame, required=["x"])


def test_a_missing_label_is_named_with_its_line(tmp_path):
    with pytest.raises(DataError, match=r"captures\.csv line 3: station is missing"):
        read_table(write(tmp_path, "station,x\nA,1\n,2\n"))


def test_a_short_row_misses_its_last_cells(tmp_path):
    with pytest.warns(DataWarning, match="line 3 has 2 cells"), pytest.raises(DataError, match=r"line 3: y is missing"):
        read_table(write(tmp_path, "station,x,y\nA,1,2\nB,1\n"), required=["x", "y"])


def test_a_row_far_too_long_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"cannot be read as a table with 2 columns separated by commas.*line 3"):
        read_table(write(tmp_path, "station,x\nA,1\nB,1,2,3,4\n"))


def test_trailing_separators_row_names_and_excel_hints_do_no_harm(tmp_path):
    assert read_table(write(tmp_path, "station,x,\nA,1,\n"))["x"].tolist() == [1.0]
    assert read_table(write(tmp_path, "station,x\nA,1,\n"))["x"].tolist() == [1.0]
    assert read_table(write(tmp_path, '"","station","x"\n"1","A",1\n')).columns.tolist() == ["station", "x"]
    assert read_table(write(tmp_path, "sep=;\nstation;x\nA;1\n"))["x"].tolist() == [1.0]


def test_quoted_cells_keep_their_separators(tmp_path):
    assert read_table(write(tmp_path, 'station,x\n"Mine, old",1\n'))["station"].tolist() == ["Mine, old"]
    assert read_table(write(tmp_path, 'station x\n"Old mine" 1\n'))["station"].tolist() == ["Old mine"]


def test_labels_of_a_dataframe_are_text():
    frame = pd.DataFrame({"station": [1.0, 2.0], "session": [2022, 2023], "individual": pd.Categorical(["a", "b"])})
    found = read_table(frame)
    assert found.iloc[0].to_dict() == {"station": "1", "session": "2022", "individual": "a"}


def test_the_na_of_a_label_is_a_label(tmp_path):
    assert read_table(write(tmp_path, "station,x\nNA,1\n"))["station"].tolist() == ["NA"]


def test_covariates_are_numbers_or_text_with_none(tmp_path):
    found = read_table(write(tmp_path, "station,snow,lure,code\nA,1.5,no,1\nB,NA,,x\n"))
    assert np.array_equal(found["snow"], [1.5, np.nan], equal_nan=True)
    assert found["lure"].tolist() == ["no", None]
    assert found["code"].tolist() == ["1", "x"]


def test_text_numbers_of_a_dataframe_stay_text():
    assert read_table(pd.DataFrame({"code": ["1", "2"]}))["code"].tolist() == ["1", "2"]


def test_the_source_is_not_changed():
    frame = pd.DataFrame({"Station": ["A "], "x": [1]})
    before = frame.copy()
    read_table(frame, required=["station"])
    pd.testing.assert_frame_equal(frame, before)


def test_what_is_no_table_is_refused():
    with pytest.raises(DataError, match="captures is a list; a DataFrame or the path of a file is needed"):
        load_table([1, 2], "captures")  # type: ignore[arg-type]


def test_dates_as_labels():
    assert label(pd.Timestamp("2024-03-02")) == "2024-03-02"
    assert label(pd.Timestamp("2024-03-02 12:30")) == "2024-03-02 12:30:00"


def test_a_large_file_needs_neither_long_nor_much(tmp_path):
    n = 200_000
    rows = pd.DataFrame({"individual": np.arange(n) % 999, "station": np.arange(n) % 77, "count": 1})
    rows.to_csv(tmp_path / "captures.csv", index=False)
    read = load_table(tmp_path / "captures.csv", "captures")
    labels = read.labels("individual")
    assert len(labels.names) == 999
    assert read.numbers("count").sum() == n
    # Equal cells share one object: memory grows with what is different, not with the file.
    assert len({id(cell) for cell in read.frame["individual"][:20_000]}) < 20_000


cells = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), min_size=1, max_size=8).filter(
    lambda text: text == text.strip() and "\x85" not in text
)


@settings(max_examples=60, deadline=None)
@given(rows=st.lists(st.tuples(cells, st.floats(-1e9, 1e9)), min_size=1, max_size=6), separator=st.sampled_from(",;\t"))
def test_what_pandas_writes_is_read_back(tmp_path_factory, rows, separator):
    path = tmp_path_factory.mktemp("tables") / "t.csv"
    frame = pd.DataFrame(rows, columns=["station", "x"])
    frame.to_csv(path, index=False, sep=separator, quoting=2)
    found = read_table(path, required=["station", "x"])
    assert found["station"].tolist() == frame["station"].tolist()
    assert found["x"].tolist() == frame["x"].tolist()
