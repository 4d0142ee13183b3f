"""`leopardpop init` on the tables of camtrapR and on an export of Wildlife Insights."""

from __future__ import annotations

import tomllib
import zipfile

import pytest

from leopardpop.cli.analysis import read_analysis
from leopardpop.cli.init import write_analysis
from leopardpop.cli.run import read_inputs
from tests.data.test_camtrapr import CAMERAS, RECORDS
from tests.data.test_wildlife_insights import DEPLOYMENTS, HEADER, image

IMAGES = HEADER + image(individual_id="F1", sex="Female") + image("d3", "i2", individual_id="M1", sex="Male")


def write(folder, **tables):
    for name, text in tables.items():
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    return folder


def read(folder):
    """The analysis file that init writes; the inputs that it leads to."""
    text = write_analysis(folder).read_text(encoding="utf-8")
    folder = folder if folder.is_dir() else folder.parent
    inputs = read_inputs(read_analysis(folder / "analysis.toml"), lambda text: None)
    return text, inputs


def test_the_tables_of_camtrapr_run_as_they_are(tmp_path):
    text, inputs = read(write(tmp_path, recordTable=RECORDS, camtraps=CAMERAS))
    data = tomllib.loads(text)["data"]
    assert [data[name] for name in ("reader", "records", "cameras")] == ["camtrapr", "recordTable.csv", "camtraps.csv"]
    assert data["date_format"] == "%d/%m/%Y"
    assert data["species"] == "cat"
    assert "# 1 failure of cameras: read with the other tables" in text
    assert inputs.history.n_individuals == 2


def test_dates_that_can_be_read_in_two_ways_are_said(tmp_path):
    cameras = CAMERAS.replace("14/05", "11/05").replace("16/05", "12/05")
    text = write_analysis(write(tmp_path, records=RECORDS, cameras=cameras)).read_text(encoding="utf-8")
    assert 'date_format = "%d/%m/%Y"' in text
    assert "%m/%d/%Y would fit, too: check" in text


def test_dates_in_iso_need_no_format(tmp_path):
    cameras = "Station,longitude,latitude,Setup_date,Retrieval_date\nA,117.1,5.1,2009-04-02,2009-05-14\n"
    cameras += "B,117.2,5.2,2009-04-02,2009-05-16\n"
    text, inputs = read(write(tmp_path, records=RECORDS, cameras=cameras))
    assert "date_format" not in text
    assert inputs.history.crs == "EPSG:32650"


def test_seasons_are_sessions(tmp_path):
    header, *rows = CAMERAS.splitlines()
    first = [f"{row},2009" for row in rows]
    second = [f"{row.replace('2009', '2010')},2010" for row in rows]
    cameras = "\n".join([f"{header},session", *first, *second, ""])
    later = RECORDS.splitlines()[1].replace("2009", "2010")
    text, inputs = read(write(tmp_path, records=f"{RECORDS}{later}\n", cameras=cameras))
    assert 'sessions = "session"' in text
    assert inputs.history.sessions == ("2009", "2010")


def test_tables_that_belong_together_are_found(tmp_path):
    more = f"{CAMERAS}Z,523000,616000,03/04/2009,16/05/2009,,\n"
    other = RECORDS.replace("\nA,", "\nZ,").replace("Individual,", "").replace(",1,", ",").replace(",2,", ",")
    text, _ = read(write(tmp_path, a_records=other, cameras_1=CAMERAS, cameras_2=more, z_records=RECORDS))
    assert 'records = "z_records.csv"' in text
    assert "# also found: a_records.csv, cameras_2.csv" in text


@pytest.mark.parametrize("packed", [False, True])
def test_an_export_of_wildlife_insights(tmp_path, packed):
    folder = tmp_path / "export"
    folder.mkdir()
    write(folder, deployments=DEPLOYMENTS, images_1=IMAGES)
    path = folder
    if packed:
        path = tmp_path / "export.zip"
        with zipfile.ZipFile(path, "w") as archive:
            for file in sorted(folder.iterdir()):
                archive.write(file, f"wi/{file.name}")
    text, inputs = read(path)
    data = tomllib.loads(text)["data"]
    assert (data["reader"], data["path"]) == ("wildlife_insights", "export.zip" if packed else ".")
    assert data["species"] == "Panthera pardus"
    assert inputs.history.n_individuals == 2


def test_the_sample_of_camtrapr(tmp_path, shared):
    folder = shared / "data" / "camtrapr-sample"
    for name in ("recordTableIndividualSample.csv", "camtraps.csv", "recordTableSample.csv"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    text = write_analysis(tmp_path).read_text(encoding="utf-8")
    assert 'records = "recordTableIndividualSample.csv"' in text
    assert "# in it: LeopardCat 21 (3 animals)" in text
