"""`leopardpop init` and `check` on a folder of each format: what is found, what is said, and that it can be read."""

import tomllib

import pandas as pd
import pytest
from typer.testing import CliRunner

from leopardpop.cli.analysis import read_analysis
from leopardpop.cli.app import app
from leopardpop.cli.check import check_source
from leopardpop.cli.init import write_analysis
from leopardpop.cli.run import read_inputs
from leopardpop.errors import DataError
from tests.cli.test_init_records import IMAGES
from tests.data.test_camtrapr import CAMERAS, RECORDS
from tests.data.test_wildlife_insights import DEPLOYMENTS

PLACES = [("A", 131.2134, 43.1122), ("B", 131.2512, 43.1297), ("C", 131.2233, 43.1523)]
SEEN = [("A", 3, 21, "F01"), ("B", 5, 4, "F01"), ("C", 9, 2, "M01"), ("A", 12, 23, "M01"), ("B", 14, 1, "F02")]

PLAIN = {
    "records": "station,timestamp,species,individual\n"
    + "".join(f"{s},2024-02-{d:02d} {h:02d}:14:00,Panthera pardus,{who}\n" for s, d, h, who in SEEN),
    "deployments": "station,start,end\n" + "".join(f"{s},2024-02-01,2024-03-02\n" for s, _, _ in PLACES),
    "stations": "station,longitude,latitude\n" + "".join(f"{s},{x},{y}\n" for s, x, y in PLACES),
}
OTHER_NAMES = {
    "photos 2024": "Site;When;ID\n" + "".join(f"{s};{d:02d}/02/2024 {h:02d}:14;{who}\n" for s, d, h, who in SEEN),
    "cameras": "Site;lon;lat;from;to\n"
    + "".join(f"{s};{x};{y};01/02/2024;{25 + i}/02/2024\n" for i, (s, x, y) in enumerate(PLACES)),
    "camera problems": "Site;from;to\nA;20/02/2024;22/02/2024\n",
}
SPACECAP = {
    "captures": "LOC_ID,ANIMAL_ID,SO\n1,1,1\n2,1,3\n2,2,2\n3,2,3\n",
    "traps": "LOC_ID,X_Coord,Y_Coord,1,2,3\n1,0,0,1,1,1\n2,2000,500,1,1,1\n3,1000,1500,0,1,1\n",
    "statespace": "X_COORD,Y_COORD,HABITAT\n"
    + "".join(f"{x},{y},{int(x < 5000)}\n" for x in range(-4000, 7000, 500) for y in range(-4000, 6500, 500)),
}
OSCR = {
    "edf": "session,ID,occ,trap,sex\n1,F1,1,A,F\n1,F1,3,B,F\n1,M1,2,B,M\n1,M1,2,C,M\n",
    "tdf": "trap,X,Y,1,2,3\nA,0,0,1,1,1\nB,2000,500,1,1,1\nC,1000,1500,0,1,1\n",
}
FORMATS = {
    "plain": (PLAIN, "records", 3),
    "other names": (OTHER_NAMES, "records", 3),
    "camtrapR": ({"recordTable": RECORDS, "camtraps": CAMERAS}, "camtrapr", 2),
    "Wildlife Insights": ({"deployments": DEPLOYMENTS, "images": IMAGES}, "wildlife_insights", 2),
    "SPACECAP": (SPACECAP, "spacecap", 2),
    "oSCR": (OSCR, "oscr", 2),
    "tables": (
        {
            "captures": "session,id,trap,occasion\n1,F1,A,1\n1,F1,B,2\n1,M1,B,3\n",
            "traps": "session,trap,x,y\n*,A,0,0\n*,B,2000,500\n",
            "individuals": "id,sex\nF1,F\nM1,M\n",
        },
        "tables",
        2,
    ),
}

pytestmark = pytest.mark.filterwarnings("ignore::leopardpop.errors.LeopardpopWarning")


def write(folder, tables):
    for name, text in tables.items():
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    return folder


def invoke(*arguments):
    return CliRunner().invoke(app, list(map(str, arguments)))


@pytest.mark.parametrize("name", FORMATS)
def test_the_whole_way(tmp_path, monkeypatch, name):
    """Check of the folder, init, check of the file, and what a fit would read."""
    monkeypatch.chdir(tmp_path)
    tables, reader, n = FORMATS[name]
    folder = tmp_path / "data"
    folder.mkdir()
    before = invoke("check", write(folder, tables))
    assert before.exit_code in (0, 1), before.output
    assert f'read as  "{reader}"' in before.output.replace("read as   ", "read as  ")
    assert f"leopardpop init {folder}" in " ".join(before.output.split())
    data = tomllib.loads(write_analysis(folder).read_text(encoding="utf-8"))["data"]
    assert data["reader"] == reader
    after = invoke("check", folder / "analysis.toml")
    assert after.exit_code in (0, 1), after.output
    inputs = read_inputs(read_analysis(folder / "analysis.toml"), lambda step: None)
    assert inputs.history.n_individuals == n
    assert inputs.mask.n_cells > 20


def test_other_names_of_tables_and_columns(tmp_path):
    text = write_analysis(write(tmp_path, OTHER_NAMES)).read_text(encoding="utf-8")
    data = tomllib.loads(text)["data"]
    assert [data[role] for role in ("records", "deployments", "failures")] == [
        "photos 2024.csv",
        "cameras.csv",
        "camera problems.csv",
    ]
    assert data["columns"]["records"] == {"Site": "station", "When": "timestamp", "ID": "individual"}
    assert data["columns"]["deployments"]["Site"] == "station"
    assert data["date_format"] == "%d/%m/%Y"
    assert check_source(tmp_path / "analysis.toml").survey.failures["station"].tolist() == ["A"]


def test_dates_that_fit_two_formats_are_to_be_looked_at(tmp_path):
    records = "station,timestamp,species,individual\nA,03/02/2024 21:14,cat,F01\nB,05/02/2024 04:14,cat,F02\n"
    deployments = "station,start,end\n" + "".join(f"{s},01/02/2024,02/03/2024\n" for s, _, _ in PLACES)
    checked = check_source(write(tmp_path, PLAIN | {"records": records, "deployments": deployments}))
    (doubt,) = (problem for kind, problem in checked.found if kind == "doubt")
    assert doubt.where == "dates"
    assert "%d/%m/%Y" in doubt.found
    assert 'date_format = "' in doubt.fix
    assert checked.exit_code == 1


def test_a_known_folder_that_cannot_be_read_is_to_be_fixed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    wrong = PLAIN["deployments"].replace("B,2024-02-01", "B,2024-05-01")
    result = invoke("check", write(tmp_path, PLAIN | {"deployments": wrong}))
    assert result.exit_code == 2
    assert "deployments.csv line 3" in result.output
    assert "datapackage" not in result.output


def test_a_folder_of_something_else_could_not_be_checked(tmp_path):
    (tmp_path / "notes.csv").write_text("a,b\n1,2\n")
    result = invoke("check", tmp_path)
    assert result.exit_code == 4
    assert "Known are, by their columns: a Camtrap DP" in result.output
    single = invoke("check", tmp_path / "notes.csv")
    assert (single.exit_code, "Give the folder that it is in" in single.output) == (4, True)


def test_one_table_of_stations_serves_all_sessions(tmp_path):
    captures = "session,id,trap,occasion\n1,F1,A,1\n2,F1,B,2\n"
    write(tmp_path, {"captures": captures, "traps": "session,trap,x,y\n*,A,0,0\n*,B,2000,500\n"})
    inputs = read_inputs(read_analysis(write_analysis(tmp_path)), lambda step: None)
    assert inputs.history.sessions == ("1", "2")


@pytest.mark.parametrize("name", ["gsm-blackbear", "captdata", "ovenCH", "secr-text", "camtrapr-sample"])
def test_real_folders(shared, name):
    checked = check_source(shared / "data" / name)
    assert checked.exit_code < 2
    assert checked.history is not None or isinstance(checked.survey.records, pd.DataFrame)


def test_nothing_is_no_table(tmp_path):
    with pytest.raises(DataError, match="no file"):
        write_analysis(tmp_path)
