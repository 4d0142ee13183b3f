"""Nothing that tables say is lost without a word."""

from __future__ import annotations

import pandas as pd
import pytest

import leopardpop as lp
from leopardpop.data.files import read_text_table
from leopardpop.errors import DataError, DataWarning
from tests.data.camtrap_packages import COLUMNS, DEPLOYMENTS, MEDIA, write_package

TIMES = "2024-02-03T21:00:00+10:00,2024-02-03T21:00:30+10:00"


def package(tmp_path, *rows):
    lines = "".join(f"o{i},a1,{media},{event},{TIMES},{rest}\n" for i, (media, event, rest) in enumerate(rows))
    return lp.read_camtrap_dp(write_package(tmp_path / "p", DEPLOYMENTS, COLUMNS + lines, MEDIA))


def test_media_that_agree_fill_their_event(tmp_path):
    survey = package(
        tmp_path,
        ("", "e1", "event,animal,Panthera,1,,,,"),
        ("m1", "e1", "media,animal,Panthera pardus,1,adult,,F1,flank:left"),
        ("m2", "e1", "media,animal,Panthera pardus,1,,female,F1,flank:left"),
    )
    found = survey.records[["species", "individual", "sex", "life_stage", "flank"]]
    assert found.to_numpy().tolist() == [["Panthera pardus", "F1", "F", "adult", "left"]]


def test_media_of_two_animals_are_told(tmp_path):
    with pytest.warns(DataWarning, match=r"line 3 says individualID 'F1', lifeStage 'adult'.*2 rows"):
        survey = package(
            tmp_path,
            ("", "e1", "event,animal,Panthera pardus,1,,,,"),
            ("m1", "e1", "media,animal,Panthera pardus,1,adult,,F1,"),
            ("m2", "e1", "media,animal,Panthera pardus,1,juvenile,,K1,"),
        )
    assert survey.records["individual"].isna().all()
    assert "individualID 'K1'" in survey.audit["reason"][2]


def test_media_of_another_event_are_told(tmp_path):
    with pytest.warns(DataWarning, match="line 3 says.*individualID 'F2'"):
        package(
            tmp_path,
            ("", "e1", "event,animal,Panthera pardus,1,,,F1,"),
            ("m1", "e2", "media,animal,Panthera pardus,1,,,F2,"),
        )


def test_a_row_far_wider_than_the_header(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("a,b\n1,2\n3,4" + "," * 3_000_000 + "\n")
    with pytest.raises(DataError, match=r"t\.csv line 3 has 3,000,002 cells, but the header has 2"):
        read_text_table(path, "records")
    path.write_text('a,b\n1,"' + "," * 1_000 + '"\n')
    assert read_text_table(path, "records").frame["b"].tolist() == ["," * 1_000]


def test_the_advice_for_a_misspelt_species_pools():
    stations = pd.DataFrame({"station": ["A", "B"], "x": [0.0, 900.0], "y": [0.0, 100.0]})
    deployments = pd.DataFrame({"station": ["A", "B"], "start": "2024-02-01", "end": "2024-02-11"})
    records = pd.DataFrame({"station": ["A", "B"], "timestamp": "2024-02-03 21:00", "individual": ["F1", "F2"]}).assign(
        species=["Panthera pardus", "Pantera pardus"]
    )
    survey = lp.read_records(records, deployments, stations)
    advice = {"Panthera pardus": ["Panthera pardus", "Pantera pardus"]}
    with pytest.warns(DataWarning) as told:
        survey.detection_history(species="Panthera pardus")
    assert any(f"species={advice}" in str(warning.message) for warning in told)
    assert survey.detection_history(species=advice).species == ("Panthera pardus",)
    assert survey.capture_history(species=advice).n_individuals == 2


def test_events_that_end_before_they_start(tmp_path):
    times = "2024-02-03T21:00:00+10:00,2024-02-03T20:00:00+10:00"
    row = f"o1,a1,,e1,{times},event,animal,Panthera pardus,1,,,F1,\n"
    with pytest.warns(DataWarning, match=r"line 2: eventEnd \(.*T20:00.*is before eventStart .*in 1 row"):
        survey = lp.read_camtrap_dp(write_package(tmp_path / "p", DEPLOYMENTS, COLUMNS + row, MEDIA))
    assert str(survey.records["timestamp"].iloc[0]).startswith("2024-02-03 21:00")


def test_failures_of_a_deployment_at_another_station(tmp_path):
    folder = write_package(tmp_path / "p")
    known = lp.read_camtrap_dp(folder).deployments[["deployment", "station"]]
    other = known["station"][known["station"] != known["station"].iloc[0]].iloc[0]
    row = {"deployment": known["deployment"].iloc[0], "station": other, "start": "2024-02-05T00:00:00+10:00"}
    failures = pd.DataFrame([row | {"end": "2024-02-06T00:00:00+10:00"}])
    with pytest.raises(DataError, match="is not at station"):
        lp.read_camtrap_dp(folder, failures=failures)
