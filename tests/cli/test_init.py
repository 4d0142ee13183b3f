import tomllib

import pytest

from leopardpop.cli.analysis import read_analysis
from leopardpop.cli.columns import read_table
from leopardpop.cli.init import analysis_text, write_analysis
from leopardpop.cli.run import read_inputs
from leopardpop.errors import DataError


def write(folder, **tables):
    for name, text in tables.items():
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    return folder


CAPTURES = "Session,ID,occasion,trapID\n1,4,1,23\n1,4,1,23\n1,5,1,36\n"
STATIONS = "Session,ID,x,y,Effort\n1,23,0,0,11\n1,36,0,2000,9\n2,7,5000,0,9\n"


def test_it_finds_tables_columns_sessions_and_masks(tmp_path):
    write(tmp_path, captures=CAPTURES, traps=STATIONS, mask_1="x,y,elev\n0,0,1\n", mask_2="x,y,elev\n0,0,1\n")
    table = tomllib.loads(analysis_text(tmp_path))
    assert table["data"]["captures"] == "captures.csv"
    assert table["data"]["stations"] == "traps.csv"
    assert table["data"]["effort"] == "Effort"
    assert table["data"]["detector"] == "count"
    assert table["data"]["columns"] == {
        "captures": {"Session": "session", "ID": "individual", "trapID": "station"},
        "stations": {"Session": "session", "ID": "station"},
    }
    assert table["mask"] == {"files": {"1": "mask_1.csv", "2": "mask_2.csv"}}


def test_it_guesses_a_mask_from_the_layout(tmp_path):
    write(
        tmp_path, captures="individual,station,occasion\nF1,a,1\n", stations="station,x,y\na,0,0\nb,0,4000\nc,0,8000\n"
    )
    table = tomllib.loads(analysis_text(tmp_path))
    sigma = (4000 / 4 * 8000 / 2) ** 0.5
    assert 4 * sigma <= table["mask"]["buffer"] <= 4.4 * sigma
    assert table["mask"]["spacing"] <= 0.6 * sigma
    assert table["data"]["detector"] == "proximity"
    assert "columns" not in table["data"]


def test_one_mask_of_several_is_taken_and_the_others_named(tmp_path):
    write(tmp_path, captures=CAPTURES, traps=STATIONS, mask_a="x,y\n0,0\n", mask_b="x,y\n0,0\n")
    text = analysis_text(tmp_path)
    assert tomllib.loads(text)["mask"] == {"file": "mask_a.csv"}
    assert "# also found: mask_b.csv" in text


def test_it_never_writes_over_a_file(tmp_path):
    write(tmp_path, captures=CAPTURES, traps=STATIONS)
    written = write_analysis(tmp_path)
    before = written.read_text(encoding="utf-8")
    with pytest.raises(DataError, match="exists and is left as it is"):
        write_analysis(tmp_path)
    assert written.read_text(encoding="utf-8") == before


@pytest.mark.parametrize(
    ("tables", "message"),
    [
        ({"stations": "station,x,y\na,0,0\n"}, r"no table of captures .* It has: stations.csv"),
        ({"captures": "individual,station,occasion\n"}, r"no table of stations"),
        ({}, r"no table of captures .* no file"),
    ],
)
def test_a_missing_table_is_named(tmp_path, tables, message):
    with pytest.raises(DataError, match=message):
        write_analysis(write(tmp_path, **tables))


@pytest.mark.parametrize(
    ("bytes_", "role"),
    [
        (b"\xef\xbb\xbfindividual;station;occasion\r\nF1;a;1\r\n", "captures"),
        ("individual\tstation\toccasion\nJosé\ta\t1\n".encode("latin-1"), "captures"),
        (b"animal_id,sex\nF1,F\n", "individuals"),
        (b"x,y,elev\n0,0,1\n", "mask"),
        (b"Trap ID,Easting,Northing\na,0,0\n", "stations"),
        (b"a,b\n1,2\n", ""),
    ],
)
def test_tables_are_recognised_whatever_wrote_them(tmp_path, bytes_, role):
    (tmp_path / "table.csv").write_bytes(bytes_)
    assert read_table(tmp_path / "table.csv").role == role


def test_its_file_for_the_real_example_is_right(shared):
    table = tomllib.loads(analysis_text(shared / "data" / "snow-leopard-workflow-example"))
    assert table["data"]["columns"]["captures"] == {"Session": "session", "ID": "individual", "trapID": "station"}
    assert sorted(table["mask"]["files"]) == ["1", "2", "3", "4", "5"]


def test_the_text_files_of_secr_are_recognised(tmp_path):
    (tmp_path / "stoatcapt.txt").write_text("# Session ID Occasion Detector\nstoats 1 1 A1\n")
    (tmp_path / "stoattrap.txt").write_text("# Detector x y\nA1 0 0\nA2 0 400\n")
    table = tomllib.loads(analysis_text(tmp_path))
    assert table["mask"]["spacing"] < 0.6 * (400 / 4 * 400 / 2) ** 0.5
    data = table["data"]
    assert (data["reader"], data["captures"], data["traps"]) == ("secr", "stoatcapt.txt", "stoattrap.txt")


@pytest.mark.filterwarnings("ignore::leopardpop.errors.LeopardpopWarning")
def test_what_it_writes_can_be_read(tmp_path):
    write(tmp_path, captures=CAPTURES, traps=STATIONS.replace("2,7,5000,0,9\n", ""))
    inputs = read_inputs(read_analysis(write_analysis(tmp_path)), lambda step: None)
    assert (inputs.history.n_individuals, inputs.history.n_detections) == (2, 3)
    assert inputs.mask.n_cells > 100
