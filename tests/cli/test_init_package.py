"""`leopardpop init`, `check` and `fit --script` on a Camtrap DP package."""

import json
import tomllib
import zipfile

import pytest
from typer.testing import CliRunner

from leopardpop.cli.analysis import read_analysis
from leopardpop.cli.app import app
from leopardpop.cli.init import write_analysis
from leopardpop.cli.run import read_inputs

DEPLOYMENTS = """\
deploymentID,locationID,latitude,longitude,deploymentStart,deploymentEnd,cameraID
a,A,43.10321,131.20123,2024-02-01T08:00:00+10:00,2024-03-01T16:00:00+10:00,c1
b,B,43.10852,131.24871,2024-02-01T09:00:00+10:00,2024-03-01T15:00:00+10:00,c2
c,C,43.14123,131.22412,2024-02-01T10:00:00+10:00,2024-03-01T14:00:00+10:00,c3
"""
OBSERVATIONS = """\
observationID,deploymentID,mediaID,eventID,eventStart,eventEnd,observationLevel,observationType,scientificName,count,\
lifeStage,sex,individualID,observationTags
1,a,,e1,2024-02-01T09:00:00+10:00,2024-02-01T09:00:00+10:00,event,animal,Panthera pardus,1,adult,female,F1,flank:both
2,b,,e2,2024-02-14T03:00:00+10:00,2024-02-14T03:00:00+10:00,event,animal,Panthera pardus,1,adult,female,F1,flank:left
3,b,,e3,2024-02-16T03:00:00+10:00,2024-02-16T03:00:00+10:00,event,animal,Panthera pardus,1,adult,male,L1,flank:left
4,c,,e4,2024-02-18T03:00:00+10:00,2024-02-18T03:00:00+10:00,event,animal,Panthera pardus,1,adult,male,L2,flank:left
5,c,,e5,2024-02-20T03:00:00+10:00,2024-02-20T03:00:00+10:00,event,animal,Panthera pardus,1,adult,male,R1,flank:right
6,c,,e6,2024-02-20T13:00:00+10:00,2024-02-20T13:00:00+10:00,event,animal,Sus scrofa,3,,,,
7,c,,e7,2024-02-27T13:00:00+10:00,2024-02-27T13:00:00+10:00,event,blank,,,,,,
"""
MEDIA = "mediaID,deploymentID,timestamp,filePath,filePublic,fileMediatype\n"
RESOURCES = {"deployments": DEPLOYMENTS, "observations": OBSERVATIONS, "media": MEDIA}
PROFILE = "https://raw.githubusercontent.com/tdwg/camtrap-dp/1.0.2/camtrap-dp-profile.json"


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A folder with a small package."""
    folder = tmp_path / "export"
    folder.mkdir()
    for name, text in RESOURCES.items():
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    resources = [{"name": name, "path": f"{name}.csv", "profile": "tabular-data-resource"} for name in RESOURCES]
    descriptor = {"profile": PROFILE, "name": "small", "resources": resources}
    (folder / "datapackage.json").write_text(json.dumps(descriptor), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return folder


def invoke(*arguments):
    return CliRunner().invoke(app, list(map(str, arguments)))


def test_it_knows_species_dates_and_flank(package):
    path = write_analysis(package)
    assert path == package / "analysis.toml"
    text = path.read_text(encoding="utf-8")
    assert "# in it: Panthera pardus 5 (4 animals), Sus scrofa 1\n" in text
    table = tomllib.loads(text)
    assert table["data"] == {
        "reader": "camtrap_dp",
        "path": ".",
        "species": "Panthera pardus",
        "start": table["data"]["start"],
        "end": table["data"]["end"],
        "occasion": "7D",
        "flank": "left",  # L1 and L2 against R1
        "on_zero_effort": "raise",
    }
    # noon of 31 January is before the first start, noon of 2 March after the last end
    assert (str(table["data"]["start"]), str(table["data"]["end"])) == ("2024-01-31", "2024-03-02")
    assert table["mask"]["spacing"] < table["mask"]["buffer"]


@pytest.mark.parametrize("how", ["folder", "datapackage.json", "zip"])
def test_what_it_writes_can_be_read(package, how):
    source = package if how == "folder" else package / how
    if how == "zip":
        source = package.parent / "export.zip"
        with zipfile.ZipFile(source, "w") as archive:
            for path in package.iterdir():
                archive.write(path, path.name)
    written = write_analysis(source)
    assert written.parent == (package.parent if how == "zip" else package)
    inputs = read_inputs(read_analysis(written), lambda step: None)
    assert inputs.history.individuals["individual"].tolist() == ["F1", "L1", "L2"]
    assert (inputs.history.audit["action"] == "kept").sum() == 4  # the record of the first morning is in
    assert inputs.mask.n_cells > 20


def test_no_identities_are_said(package):
    path = package / "observations.csv"
    path.write_text(
        OBSERVATIONS.replace(",F1,", ",,").replace(",L1,", ",,").replace(",L2,", ",,").replace(",R1,", ",,")
    )
    text = write_analysis(package).read_text(encoding="utf-8")
    assert "no animal is identified" in text
    assert '# flank = "left"' in text


def test_check_of_the_package_and_of_its_analysis(package):
    result = invoke("check", package)
    assert result.exit_code == 1
    assert "export     Camtrap DP 1.0.2: 3 deployments" in result.output
    assert "7 = 6 used" in result.output
    assert "2 animals known from the left flank only, 1 from the right only" in result.output
    write_analysis(package)
    assert "3 animals, 4 detections, 1 recapture" in invoke("check", package / "analysis.toml").output


def test_check_of_a_package_that_cannot_be_read(package):
    path = package / "deployments.csv"
    path.write_text(DEPLOYMENTS.replace("2024-03-01T16", "2023-03-01T16"), encoding="utf-8")
    result = invoke("check", package)
    assert result.exit_code == 2
    assert "MUST FIX (1)" in result.output
    assert "deployments.csv" in result.output
    assert "leopardpop check" in result.output.splitlines()[0]


def test_the_same_as_python(package):
    write_analysis(package)
    result = invoke("fit", package / "analysis.toml", "--script")
    assert result.exit_code == 0
    assert 'survey = lp.read_camtrap_dp(path=".")' in result.output
    assert 'history = survey.capture_history(\n    species="Panthera pardus",\n    start="2024-01-31",' in result.output
