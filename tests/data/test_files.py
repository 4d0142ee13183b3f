"""Text files: encodings that are mixed, cells over several lines, sizes that no survey has."""

import os

import pandas as pd
import pytest

from leopardpop.data import file_bounds
from leopardpop.data.files import read_text_table
from leopardpop.errors import DataError, DataWarning


def write(folder, content, name="table.csv"):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_a_file_half_utf8_half_windows_keeps_both_halves(tmp_path):
    path = write(tmp_path, b"name,n\n" + "Öland".encode() + b",1\n" + "Öland".encode("cp1252") + b",2\n\x81,3\n")
    assert read_text_table(path, "t").frame["name"].tolist() == ["Öland", "Öland", "\x81"]


@pytest.mark.parametrize("encoding, word", [("cp1251", "Ключ"), ("gb18030", "汪清"), ("cp1253", "Λεοπάρδαλη")])
def test_another_alphabet_is_not_taken_for_western_europe_without_a_word(tmp_path, encoding, word):
    path = write(tmp_path, "name,n\nBär,1\n".encode("cp1252") + f"{word},2\n".encode(encoding))
    with pytest.warns(DataWarning, match=r"table.csv line 3: the file is not UTF-8; it was read as Windows-1252"):
        read_text_table(path, "t")


def test_words_of_western_europe_are_read_as_windows_writes_them(tmp_path):
    words = ["Öland", "créée", "Übergröße", "naïve", "œuvre", "l’été"]
    path = write(tmp_path, ("name\n" + "\n".join(words) + "\n").encode("cp1252"))
    path.write_bytes(path.read_bytes() + "汪清\n".encode())  # UTF-8 in the same file says what it is itself
    assert read_text_table(path, "t").frame["name"].tolist() == [*words, "汪清"]


def test_a_file_that_only_promises_utf16(tmp_path):
    with pytest.raises(DataError, match="begins as UTF-16 but is not"):
        read_text_table(write(tmp_path, b"\xff\xfea,b\n1,2\n3"), "t")


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_row_stands_on_the_line_where_it_begins(tmp_path, end):
    text = end.join(["a,b", "1,x", '2,"two', 'lines, and ""quotes"""', "", "3,y", ""])
    table = read_text_table(write(tmp_path, text), "t")
    assert table.frame["a"].tolist() == ["1", "2", "3"]
    assert table.lines.tolist() == [2, 3, 6]
    assert table.frame["b"][1] == f'two{end}lines, and "quotes"'


def test_wanted_columns_only_and_no_row_is_lost_with_the_others(tmp_path):
    path = write(tmp_path, "a,b,c\n1,2,3\n,,note\n,,\n4,5,6\n")
    table = read_text_table(path, "t", columns={"b", "a", "z"})
    pd.testing.assert_frame_equal(table.frame, pd.DataFrame({"a": ["1", "", "4"], "b": ["2", "", "5"]}, dtype=object))
    assert table.lines.tolist() == [2, 3, 5]


def test_a_continuation_may_repeat_the_header_or_not(tmp_path):
    for text in ("a,b\n1,2\n", "1,2\n"):
        table = read_text_table(write(tmp_path, text), "t", header=["a", "b"])
        assert table.frame.to_dict("list") == {"a": ["1"], "b": ["2"]}
    assert table.lines.tolist() == [1]


def test_a_header_and_nothing_else(tmp_path):
    table = read_text_table(write(tmp_path, "a,b\n"), "t")
    assert table.frame.shape == (0, 2)
    assert table.lines.tolist() == []


@pytest.mark.parametrize("row", ["1,2,3", "1,2,3,4"])
def test_a_row_that_is_too_long(tmp_path, row):
    with pytest.raises(DataError, match=r"has more cells than the header|cannot be read as a table with 2 columns"):
        read_text_table(write(tmp_path, f"a,b\n1,2\n{row}\n"), "t")
    with pytest.raises(DataError, match="line 2 has more cells than the header"):
        read_text_table(write(tmp_path, f"a,b\n{row}\n1,2\n"), "t")


def test_what_the_parser_stumbles_over_is_told_by_line_with_the_remedy(tmp_path):
    with pytest.raises(DataError, match=r"line 3 has 6 cells, and the header 3\. Remove what is too much"):
        read_text_table(write(tmp_path, "a,b,c\n1,2,3\n1,2,3,4,5,6\n"), "t")
    with pytest.raises(DataError, match=r'a quotation mark \("\) that opens on line 4 is never closed'):
        read_text_table(write(tmp_path, 'a,b,c\n1,2,3\n1,2,3\n1,"2,3\n4,5,6\n'), "t")


class TestShortRows:
    whole = "station,species,comment\nA,lynx,x\nB,wolf,y\n"

    @pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
    def test_a_file_that_ends_in_the_middle_of_a_row(self, tmp_path, end, encoding):
        cut = self.whole.replace("A", "Ä") + "C,Panthe"
        path = write(tmp_path, cut.replace("\n", end).encode(encoding))
        with pytest.raises(
            DataError, match=r"table.csv line 4 has 2 cells, the header 3, and the file ends there"
        ) as error:
            read_text_table(path, "t")
        assert error.value.offenders == [4]

    def test_a_row_in_between(self, tmp_path):
        path = write(tmp_path, 'station,species,comment\nA,"a\nb",\nB\nC,"1,2",x\nD,"3,4"\n')
        with pytest.warns(DataWarning, match=r"line 4 has 1 cell, the header 3 \(2 such rows\)"):
            table = read_text_table(path, "t")
        assert table.frame["comment"].tolist() == ["", "", "x", ""]

    def test_with_tabs_and_blanks(self, tmp_path):
        with pytest.warns(DataWarning, match="line 3 has 2 cells, the header 3:"):
            read_text_table(write(tmp_path, "a\tb\tc\n1\t2\t3\n1\t2\n"), "t")
        with pytest.raises(DataError, match="line 3 has 2 cells, the header 3, and"):
            read_text_table(write(tmp_path, 'a b c\n1 "2 x" 3\n1  "2 x"'), "t")

    @pytest.mark.parametrize(
        "text",
        [
            whole.rstrip("\n"),  # no line end after the last row
            whole + "C,,\n",
            whole + 'C,wolf,""',
            "a,b,\n1,2\n",  # a header that ends with a separator
            'a,b\n5" lens,\n6" lens,\n',  # quotes that are inches
            "a,b\n1,2\n\n",
            "a b\n1 2\n",
        ],
    )
    def test_whole_files(self, tmp_path, text):
        assert len(read_text_table(write(tmp_path, text), "t").frame) >= 1

    def test_a_part_without_a_header(self, tmp_path):
        with pytest.raises(DataError, match="line 2 has 1 cell, the header 2, and"):
            read_text_table(write(tmp_path, "1,2\n3"), "t", header=["a", "b"])


def test_a_folder_is_no_file(tmp_path):
    (tmp_path / "records.csv").mkdir()
    with pytest.raises(DataError, match=r"captures: '.*records\.csv' is a folder") as error:
        read_text_table(tmp_path / "records.csv", "captures")
    assert "Did you mean" not in str(error.value)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(DataError, match="pipe' is no ordinary file"):
        read_text_table(tmp_path / "pipe", "captures")


class TestBounds:
    def test_bytes(self, tmp_path, monkeypatch):
        monkeypatch.setattr(file_bounds, "MOST_BYTES", 10)
        with pytest.raises(DataError, match=r"table.csv has 0.0 GB; at most 0.0 GB are read. Split it"):
            read_text_table(write(tmp_path, "a,b\n1,2\n3,4\n"), "t")

    def test_ten_gigabytes_of_nothing(self, tmp_path):
        path = tmp_path / "hollow.csv"
        with path.open("wb") as file:
            file.write(b"a,b\n" + b"1,2\n" * (1 << 18))
            file.truncate(10_000_000_000)
        with pytest.raises(DataError, match=r"hollow.csv has 10.0 GB"):
            read_text_table(path, "t")

    def test_a_header_without_an_end(self, tmp_path):
        with pytest.raises(DataError, match="line 1 has no end"):
            read_text_table(write(tmp_path, "a," * (1 << 20)), "t")

    def test_columns(self, tmp_path):
        with pytest.raises(DataError, match="has 150,000 columns; at most 100,000 are read"):
            read_text_table(write(tmp_path, ",".join(f"{i:x}" for i in range(150_000)) + "\n"), "t")

    def test_cells(self, tmp_path, monkeypatch):
        monkeypatch.setattr(file_bounds, "MOST_CELLS", 1000)
        with pytest.raises(DataError, match="has 1,001 lines and 2 columns that are read; at most 1,000 cells are"):
            read_text_table(write(tmp_path, "a,b\n" + "\n" * 1000), "t")
