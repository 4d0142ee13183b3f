from __future__ import annotations

import pandas as pd
import pytest

from leopardpop.data.history import history_from_parts
from leopardpop.data.parts import SessionParts
from leopardpop.data.readers.secr import read_secr
from leopardpop.errors import DataError, DataWarning
from tests.data import history_tables as tables

TRAPS = "A 0 0\nB 2000 500\nC 4000 0\n"
CAPTURES = "1 F1 1 A\n1 F1 3 B\n1 M1 2 B\n"


@pytest.fixture
def read(tmp_path):
    """Write texts as files and read them."""

    def _read(captures=CAPTURES, traps=TRAPS, *, suffix="txt", encoding="utf-8", **options):
        (tmp_path / f"captures.{suffix}").write_text(captures, encoding=encoding)
        texts = {"traps": traps} if isinstance(traps, str) else traps
        for name, text in texts.items():
            (tmp_path / f"{name}.{suffix}").write_text(text, encoding=encoding)
        files = [tmp_path / f"{name}.{suffix}" for name in texts]
        given = files[0] if isinstance(traps, str) else dict(zip(texts, files, strict=True))
        return read_secr(tmp_path / f"captures.{suffix}", options.pop("files", given), **options)

    return _read


def test_the_plain_case(read):
    history = read()
    assert history.detections["station"].tolist() == ["A", "B", "B"]
    assert history.detections["occasion"].tolist() == ["1", "3", "2"]
    assert (history.detector, history.effort_unit, history.n_occasions) == ("proximity", "occasion", {"1": 3})
    assert history == tables.one_session(occasions=3)
    assert history.audit.empty


@pytest.mark.parametrize(
    "captures",
    [
        "# Capture histories exported from 'x'\n\n# Session ID Occasion Detector\n" + CAPTURES + "\n\n",
        CAPTURES.replace("\n", "   # wet night\n"),
        "; a comment of DENSITY\n" + CAPTURES,
        "  " + CAPTURES.replace(" ", "\t  "),
        "Session ID Occasion Detector\n" + CAPTURES,
        CAPTURES.replace("\n", "\r\n"),
        "\ufeff" + CAPTURES,
        CAPTURES.replace(" ", ","),
        '"Session","ID","Occasion","Detector"\n' + CAPTURES.replace(" ", ", "),
        CAPTURES.replace(" ", ";"),
        CAPTURES.replace("A", '"A"'),
    ],
    ids=[
        "header",
        "comments",
        "semicolon",
        "blanks",
        "names",
        "crlf",
        "bom",
        "csv",
        "csv-names",
        "semicolons",
        "quotes",
    ],
)
def test_forms_of_a_capture_file(read, captures):
    assert read(captures) == read()


@pytest.mark.parametrize(
    "traps",
    [
        "# Detector locations\n# Detector x y\n" + TRAPS,
        "Detector x y\n" + TRAPS,
        '"Detector","x","y"\n' + TRAPS.replace(" ", ","),
        TRAPS.replace("\n", " # on a ridge\n"),
        TRAPS.replace("\n", " 111\n"),
        TRAPS.replace("\n", " 1 1 1\n"),
        TRAPS.replace(" ", ",").replace("\n", ",1,1,1\n"),
    ],
    ids=["header", "names", "csv", "comments", "usage string", "usage numbers", "usage csv"],
)
def test_forms_of_a_trap_file(read, traps):
    assert read(traps=traps) == read()


def test_usage(read):
    assert read(traps="A 0 0 110\nB 9 9 011\n").effort["effort"].tolist() == [1, 1, 0, 0, 1, 1]
    numbers = read(traps="A 0 0 7 3.5 0\nB 9 9 7 7 2\n", effort_unit="days")
    assert numbers.effort["effort"].tolist() == [7, 3.5, 0, 7, 7, 2]
    assert numbers.effort_unit == "day"


def test_one_word_of_usage_is_a_string_of_occasions_or_a_number(read):
    captures, traps = "1 F1 1 A\n", "A 0 0 101\nB 9 9 100\n"
    assert read(captures, traps).n_occasions == {"1": 3}
    number = read(captures, traps, binary_usage=False)
    assert number.effort["effort"].tolist() == [101, 100]
    assert read(captures, "A 0 0 101\nB 9 9 98\n").effort["effort"].tolist() == [101, 98]


def test_covariates_of_traps(read):
    traps = "# Detector x y / lure snow\nA 0 0 111 / yes 1.5\nB 9 9 111/ no NA\nC 20 20 111 /no 3\n"
    stations = read(traps=traps).stations
    assert stations["lure"].tolist() == ["yes", "no", "no"]
    assert stations["snow"].fillna(-1).tolist() == [1.5, -1, 3]
    bare = read(traps=traps.split("\n", 1)[1]).stations
    assert bare.columns.tolist()[4:] == ["covariate1", "covariate2"]
    named = read(traps=traps.split("\n", 1)[1], trapcovnames=["bait", "depth"]).stations
    assert named.columns.tolist()[4:] == ["bait", "depth"]


def test_covariates_of_animals(read):
    captures = "# Session ID Occasion Detector sex kg\n1 F1 1 A NA 40\n1 F1 3 B F 40\n1 M1 2 B M NA\n"
    individuals = read(captures).individuals
    assert individuals["sex"].tolist() == ["F", "M"]
    assert individuals["kg"].fillna(-1).tolist() == [40, -1]
    bare = captures.split("\n", 1)[1]
    assert read(bare, covnames=["sex", "kg"]) == read(captures)
    unnamed = read(bare)
    assert "sex" not in unnamed.individuals
    assert unnamed.audit["reason"].tolist() == [
        "2 columns of captures have no name and are not used; covnames= can name them"
    ]


def test_captures_by_coordinates(read):
    captures = "1 F1 1 0 0\n1 F1 3 2000.001 500\n1 M1 2 2000 500\n"
    assert read(captures) == read()
    assert read(captures, fmt="XY") == read()
    with pytest.raises(
        DataError, match=r"captures\.txt line 2: no station is at x = 2000\.5, y = 500; 'B' is 0\.5 m away"
    ):
        read(captures.replace("2000.001", "2000.5"))


def test_coordinates_and_labels_are_told_apart(read):
    assert read("1 F1 1 10\n", "10 0 0\n20 10 20\n").detections["station"].tolist() == ["10"]
    assert read("1 F1 1 10 20\n", "10 0 0\n20 10 20\n", fmt="XY").detections["station"].tolist() == ["20"]


def test_a_negative_occasion_is_a_death(read):
    history = read(CAPTURES.replace("F1 1 A", "F2 -1 A"))
    assert history.arrays("1").exposure.tolist() == [1, 3, 3]
    assert history.detections["died"].tolist() == [1, 0, 0]
    with pytest.raises(DataError, match=r"captures\.txt line 2: animal 'F1' was detected after it died"):
        read(CAPTURES.replace("F1 1 A", "F1 -1 A"))


def test_repeated_rows_are_counts(read):
    assert read(CAPTURES + CAPTURES, detector="count").detections["count"].tolist() == [2, 2, 2]
    with pytest.raises(DataError, match=r"3 repeated rows \(first: captures\.txt line 1"):
        read(CAPTURES + CAPTURES)


def test_sessions(read):
    captures = "b F1 1 A\nb F1 3 B\na F1 2 A\nc NONE 5 A\n"
    shared = read(captures)
    assert shared.sessions == ("b", "a", "c")
    assert shared.n_occasions == {"b": 3, "a": 2, "c": 5}
    assert shared["c"].n_individuals == 0
    own = read(captures, {"a": TRAPS, "b": TRAPS, "c": "Z 1 1\nY 50 50\n"})
    assert own.sessions == ("a", "b", "c")
    assert own.arrays("c").stations == ("Z", "Y")
    assert own.data_hash != shared.data_hash


def test_a_file_for_each_session_in_order(read, tmp_path):
    captures = "b F1 1 A\na F1 2 A\n"
    for name in ("one", "two"):
        (tmp_path / f"{name}.txt").write_text(TRAPS if name == "one" else "A 7 7\n")
    history = read(captures, files=[tmp_path / "one.txt", tmp_path / "two.txt"])
    assert history.stations["x"].tolist() == [0, 2000, 4000, 7]
    with pytest.raises(DataError, match=r"1 file of stations for 2 sessions in captures\.txt: 'b', 'a'"):
        read(captures, files=[tmp_path / "one.txt"])


def test_occasions(read):
    assert read(occasions=5).n_occasions == {"1": 5}
    assert read(traps=TRAPS.replace("\n", " 11111\n")).n_occasions == {"1": 5}
    with pytest.raises(DataError, match="usage for 5 occasions, but occasions= says 4"):
        read(traps=TRAPS.replace("\n", " 11111\n"), occasions=4)
    with pytest.raises(DataError, match=r"captures\.txt line 2: occasion '3' is not one of the 2 occasions"):
        read(occasions=2)


def test_detections_without_usage(read):
    traps = "A 0 0 111\nB 2000 500 110\n"
    with pytest.raises(DataError, match=r"station 'B' has 1 detection on .*\(first: 3, captures\.txt line 2\)"):
        read(traps=traps)
    with pytest.warns(DataWarning, match="dropped"):
        assert read(traps=traps, on_zero_effort="drop").n_detections == 2


@pytest.mark.parametrize(
    ("captures", "traps", "message"),
    [
        ("1 F1 1\n", TRAPS, r"captures\.txt line 1: session, animal, occasion and station are needed; found '1 F1 1'"),
        ("1 F1 1 A\n1 F1 x A\n", TRAPS, r"captures\.txt line 2: occasion is 'x'"),
        ("1 F1 0 A\n", TRAPS, "occasion is '0'"),
        ("1 F1 1 Q\n", TRAPS, r"captures\.txt line 1: station 'Q' is not in the station table"),
        (CAPTURES, "A 0\n", r"traps\.txt line 1: a label, x and y are needed; found 'A 0'"),
        (CAPTURES, "A 0 0\nB 1x 0\n", r"traps\.txt line 2: x is '1x'"),
        (CAPTURES, TRAPS + "A 9 9\n", "station 'A' occurs more than once"),
        (CAPTURES, "A 0 0 111\nB 9 9 11\n", "usage for 2 occasions, line 1 for 3"),
        (CAPTURES, "A 0 0 111\nB 9 9 -1 1 1\n", r"traps\.txt line 2 has usage for 3 occasions, line 1 for 1"),
        (CAPTURES, "A 0 0 1 1 1\nB 9 9 1 -1 1\n", r"traps\.txt line 2: effort on occasion '2' is '-1'"),
        (CAPTURES, "A 0 0 / 1 2\nB 9 9 / 1\n", r"traps\.txt line 2 has 1 covariates after the slash, line 1 has 2"),
        (CAPTURES, "# Detector x y / one\nA 0 0 / 1 2\n", "has 2 covariates after the slash, but 1 names: one"),
        ("# only a comment\n", TRAPS, r"captures\.txt has no rows of data"),
        ("", TRAPS, r"captures\.txt is empty: there is nothing to read in it\. Was it (?!.*header)"),
        ("# leopardpop: {broken\n", TRAPS, "is damaged"),
        ("# Session ID Occasion Detector sex\n1 F1 1 A F\n1 F1 3 B M\n", TRAPS, "line 3: sex of animal 'F1' is 'M'"),
        (CAPTURES, "# polyID x y\n1 0 0\n1 0 9\n1 9 9\n", "corners of polygons.*cannot be read"),
        (CAPTURES, "1 0 0\n1 0 9\n1 9 9\n1 9 0\n", "corners of polygons.*cannot be read"),
        ("1 T1 1 83.1 20.5\n", TRAPS, "no station is at x = 83.1.*telemetry data of secr cannot be read"),
    ],
)  # fmt: skip
def test_files_that_cannot_be_understood(read, captures, traps, message):
    with pytest.raises(DataError, match=message):
        read(captures, traps)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"detector": "single"}, "use detector='multi'"),
        ({"detector": "polygon"}, "detector='polygon' cannot be read"),
        ({"detector": "binary"}, "detector='binary' is not known"),
        ({"fmt": "xy"}, "fmt='xy' is not known"),
        ({"files": None}, "does not say where its stations are"),
        ({"files": {"2": "traps.txt"}}, "there is no file"),
    ],
)
def test_options(read, options, message):
    with pytest.raises(DataError, match=message):
        read(**options)


def test_what_is_written_is_read_back(tmp_path):
    history = tables.make()
    folder = history.to_secr(tmp_path / "new" / "folder")
    assert sorted(path.name for path in folder.iterdir()) == ["captures.txt", "traps_2022.txt", "traps_2023.txt"]
    again = read_secr(folder / "captures.txt")
    assert again == history
    assert again == read_secr(folder / "captures.txt", {s: folder / f"traps_{s}.txt" for s in history.sessions})
    one = history["2022"].to_secr(tmp_path / "one")
    assert read_secr(one / "captures.txt", one / "traps.txt") == history["2022"]


def test_what_is_written_can_be_read_by_secr(tmp_path):
    folder = tables.make(captures=tables.captures().iloc[:4]).to_secr(tmp_path)
    rows = [line.split() for line in (folder / "captures.txt").read_text().splitlines() if not line.startswith("#")]
    assert rows == [
        ["2022", "F1", "1", "A", "NA", "NA"],
        ["2022", "F1", "1", "B", "NA", "NA"],
        ["2022", "F1", "3", "A", "NA", "NA"],
        ["2022", "M1", "-3", "B", "M", "60"],
        ["2023", "NONE", "2", "A"],
    ]
    lines = (folder / "traps_2022.txt").read_text().splitlines()
    assert lines[1:] == [
        "# Detector x y / snow lure",
        "A 0 0 7 7 7 / 10 yes",
        "B 2000 500 3.5 7 7 / 12.5 no",
        "C 4000 0 0 7 1 / 9 NA",
    ]


def test_options_override_what_is_noted(tmp_path):
    folder = tables.make().to_secr(tmp_path)
    history = read_secr(folder / "captures.txt", detector="count", effort_unit="hour")
    assert (history.detector, history.effort_unit) == ("count", "hour")


def test_sessions_whose_labels_are_no_file_names(tmp_path):
    stations = pd.DataFrame({"station": ["A", "B"], "x": [0, 2000], "y": [0, 500]})
    history = tables.CaptureHistory.from_tables(None, {"wet/dry": stations, "Wet/dry": stations}, occasions=2)
    folder = history.to_secr(tmp_path)
    assert sorted(path.name for path in folder.iterdir()) == ["captures.txt", "traps_1.txt", "traps_2.txt"]
    assert read_secr(folder / "captures.txt") == history


def test_starts_of_occasions_are_kept(tmp_path):
    part = SessionParts(
        session="1", individuals=["NONE"], stations=["A"], xy=[[0, 0]], effort=[[1, 1]], individual=[0], station=[0],
        occasion=[1], occasion_start=pd.date_range("2024-02-01 12:00", periods=2, freq="7D").to_numpy(),
    )  # fmt: skip
    history = history_from_parts([part], detector="proximity", crs="EPSG:32652")
    again = read_secr(history.to_secr(tmp_path) / "captures.txt")
    assert again == history
    assert again.crs == "EPSG:32652"


def test_a_removal_that_the_format_cannot_say(tmp_path):
    part = SessionParts(
        session="1", individuals=["F1"], stations=["A"], xy=[[0, 0]], effort=[[1, 1]], individual=[0], station=[0],
        occasion=[0], exposure=[2], removed=[True],
    )  # fmt: skip
    with pytest.raises(DataError, match="removed on an occasion without a detection"):
        history_from_parts([part], detector="proximity").to_secr(tmp_path / "none")
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(
    ("meta", "message"),
    [
        (
            '{"occasions": 5}',
            r"traps.txt line 1: in the comment '# leopardpop: …' the key 'occasions' is 5, not a list",
        ),
        ('{"occasion_start": ["x"]}', r"line 1.*the key 'occasion_start' is \[\"x\"\], not a list of times"),
        ('{"text": null}', r"line 1.*the key 'text' is null, not a list of names of columns.*or write the files again"),
        ('{"occasions": ["a", "b"]}', r"traps.txt has usage for 3 occasions, but its comment .* names 2"),
        ('{"occasion_start": ["2024-02-01"]}', r"traps.txt: the comment .* has 1 values of 'occasion_start' for 3 st"),
        ('{"varying": {"rain": [1, 2]}}', r"traps.txt: the comment .* has 2 values of 'rain' for 3 stations and 3 occ"),
        ("[1]", r"traps.txt line 1: the line '# leopardpop: …' holds \[1\], not an object"),
        ("{", r"traps.txt line 1: the line '# leopardpop: …' is damaged"),
        ("[" * 200_000, r"traps.txt line 1: the line '# leopardpop: …' is damaged"),
    ],
)
def test_a_damaged_comment_of_ours_names_line_and_key(read, meta, message):
    with pytest.raises(DataError, match=message):
        read(traps=f"# leopardpop: {meta}\n" + TRAPS.replace("\n", " 1 1 1\n"))
