"""Exports of Wildlife Insights, written by hand."""

from __future__ import annotations

import zipfile

import pandas as pd
import pytest

import leopardpop as lp
from leopardpop.data.readers.wildlife_insights_taxa import what_it_is
from leopardpop.errors import DataError, DataWarning

DEPLOYMENTS = (
    "project_id,deployment_id,placename,longitude,latitude,start_date,end_date,bait_type,feature_type,camera_id,"
    "camera_functioning\n"
    "7,d1,L012,131.0,43.0,2024-02-01 00:00:00,2024-02-20 00:00:00,None,Trail game,c1,Camera Functioning\n"
    "7,d2,L012,131.0,43.0,2024-02-01 00:00:00,2024-02-20 00:00:00,None,Trail game,c2,Camera Functioning\n"
    "7,d3,W003,131.1,43.1,2024-02-01 00:00:00,2024-02-20 00:00:00,None,Road dirt,c3,Camera Functioning\n"
)
HEADER = (
    "project_id,deployment_id,image_id,filename,location,is_blank,identified_by,wi_taxon_id,class,order,family,genus,"
    "species,common_name,uncertainty,timestamp,age,sex,animal_recognizable,individual_id,number_of_objects,"
    "individual_animal_notes,behavior,highlighted,markings,cv_confidence,license,fuzzed\n"
)
CAT = "Mammalia,Carnivora,Felidae,Panthera,pardus,Leopard"


def image(deployment="d1", name="i1", blank="0", taxon=CAT, time="2024-02-03 21:14:09", **cells):
    row = {
        "age": "",
        "sex": "",
        "individual_id": "",
        "number_of_objects": "1",
        "cv_confidence": "",
        "fuzzed": "",
    } | cells
    return (
        f"7,{deployment},{name},{name}.JPG,gs://b/{name}.JPG,{blank},me,t,{taxon},,{time},{row['age']},{row['sex']},,"
        f"{row['individual_id']},{row['number_of_objects']},,,0,,{row['cv_confidence']},CC-BY,{row['fuzzed']}\n"
    )


IMAGES = HEADER + "".join(
    [
        image(individual_id="F1", sex="Female", age="Adult"),
        image(name="i2", blank="1", taxon=",,,,,Blank"),
        image(name="i3", taxon="Mammalia,Primates,Hominidae,Homo,sapiens,Human"),
        image(name="i4", taxon="No CV Result,No CV Result,,,,No CV Result"),
        image(name="i5", taxon=",,,,,Vehicle"),
        image(
            "d3", "i6", individual_id="M1", sex="Male", age="Unknown", time="2024-02-20 23:00:00", number_of_objects="2"
        ),
        image("d2", "i7", taxon="Mammalia,Carnivora,Felidae,,,Cat family", cv_confidence="0.87"),
        image("d2", "i8", taxon="Aves,,,,,Bird"),
    ]
)


@pytest.fixture
def export(tmp_path):
    """Write an export into a folder."""

    def _export(images=IMAGES, deployments=DEPLOYMENTS, **more):
        files = {
            "images": images,
            "deployments": deployments,
            "projects": "project_id\n7\n",
            "cameras": "camera_id\nc1\n",
        }
        for name, text in (files | more).items():
            if text is not None:
                (tmp_path / f"{name}.csv").write_text(text, encoding="utf-8")
        return tmp_path

    return _export


def test_an_export(export):
    survey = lp.read_wildlife_insights(export())
    assert survey.audit[["line", "action", "reason"]].to_numpy().tolist() == [
        [2, "kept", ""],
        [3, "dropped", "blank image"],
        [4, "dropped", "a person"],
        [5, "dropped", "not identified"],
        [6, "dropped", "no animal: Vehicle"],
        [7, "kept", ""],
        [8, "kept", ""],
        [9, "kept", ""],
    ]
    records = survey.records
    assert records["species"].tolist() == ["Panthera pardus", "Panthera pardus", "Felidae", "Aves"]
    assert records["station"].tolist() == ["L012", "W003", "L012", "L012"]
    assert records["sex"].tolist() == ["F", "M", None, None]
    assert records["life_stage"].tolist() == ["adult", None, None, None]
    assert records["count"].tolist() == [1, 2, 1, 1]
    assert records["media"].tolist() == ["i1", "i6", "i7", "i8"]
    assert records["classification_probability"].isna().tolist() == [True, True, False, True]
    assert records["line"].tolist() == [2, 7, 8, 9]
    assert survey.stations[["station", "bait_type", "feature_type"]].to_numpy().tolist() == [
        ["L012", "None", "Trail game"],
        ["W003", "None", "Road dirt"],
    ]
    assert survey.deployments["camera"].tolist() == ["c1", "c2", "c3"]
    assert (survey.crs, survey.tz) == ("EPSG:32652", None)
    assert survey.notes[:2] == (
        "Wildlife Insights: 3 deployments, projected to EPSG:32652, 4 records used of 8",
        "A start that is a date, or all of whose kind are written at 00:00:00, is taken at 00:00, an end at 24:00.",
    )


def test_the_last_day_counts(export):
    history = lp.read_wildlife_insights(export()).capture_history(
        species="Panthera pardus", occasion="20D", occasion_start="00:00"
    )
    assert history.effort["effort"].tolist() == [20.0, 20.0]  # 1 to 20 February, of two cameras at L012 the union
    assert history.n_detections == 2  # M1 at 23:00 of the last day
    noon = lp.read_wildlife_insights(export(), start_time="12:00", end_time="12:00")
    with pytest.raises(DataError, match="while no camera was on"):
        noon.capture_history(species="Panthera pardus", occasion="20D")


def test_times_of_day_of_deployments_are_kept(export):
    deployments = DEPLOYMENTS.replace("2024-02-20 00:00:00,None,Road", "2024-02-20 23:30:00,None,Road")
    ends = lp.read_wildlife_insights(export(deployments=deployments)).deployments["end"]
    assert [str(end) for end in ends] == ["2024-02-20 00:00:00", "2024-02-20 00:00:00", "2024-02-20 23:30:00"]


def test_several_files_of_images_that_overlap(export):
    rows = IMAGES.splitlines(keepends=True)
    folder = export(images=None, images_1="".join(rows[:5]), images_2=HEADER + "".join(rows[4:]))
    survey = lp.read_wildlife_insights(folder)
    assert survey.audit["source"].tolist() == ["images_1.csv"] * 4 + ["images_2.csv"] * 5
    assert survey.audit["action"].value_counts().to_dict() == {"dropped": 5, "kept": 4}
    again = export(images=None, images_1="".join(rows[:2]), images_2=HEADER + "".join(rows[1:]))
    audit = lp.read_wildlife_insights(again).audit
    assert audit[audit["action"] == "merged"].to_numpy().tolist() == [
        ["images_2.csv", 2, "merged", "the same in every column as images_1.csv line 2"]
    ]


def test_a_zip_and_a_dict_of_tables(export, tmp_path):
    folder = export()
    with zipfile.ZipFile(tmp_path / "export.zip", "w") as archive:
        for name in ("images.csv", "deployments.csv"):
            archive.write(folder / name, f"wildlife-insights_1/{name}")
        archive.writestr("__MACOSX/images.csv", "nothing")
    plain = lp.read_wildlife_insights(folder)
    for source in (
        folder / "export.zip",
        {"deployments": folder / "deployments.csv", "images": [folder / "images.csv"]},
        {"deployments": folder / "deployments.csv", "images": folder / "images.csv"},
    ):
        survey = lp.read_wildlife_insights(source)
        pd.testing.assert_frame_equal(survey.records, plain.records)
        pd.testing.assert_frame_equal(survey.audit, plain.audit)


def test_sequences(export):
    header = (
        "project_id,deployment_id,sequence_id,is_blank,genus,species,start_time,end_time,group_size,age,individual_id\n"
    )
    rows = "7,d1,s1,0,Panthera,pardus,2024-02-03 21:14:09,2024-02-03 21:15:00,3,Juvenile,\n7,d3,s2,1,,,,,,,\n"
    records = lp.read_wildlife_insights(export(images=None, sequences=header + rows)).records
    assert records[["event", "count", "life_stage", "species"]].to_numpy().tolist() == [
        ["s1", 3, "juvenile", "Panthera pardus"]
    ]
    with pytest.raises(DataError, match=r"sequences\.csv line 2: its deployment has images as well"):
        lp.read_wildlife_insights(export(sequences=header + rows))


def test_without_placename_each_deployment_is_a_station(export):
    folder = export(deployments=DEPLOYMENTS.replace("placename", "where"))
    with pytest.warns(DataWarning, match="no column 'placename': each deployment is taken for a station"):
        assert lp.read_wildlife_insights(folder).stations["station"].tolist() == ["d1", "d2", "d3"]
    assert lp.read_wildlife_insights(folder, station="where").stations["station"].tolist() == ["L012", "W003"]


def test_what_the_export_says_of_itself(export):
    folder = export(deployments=DEPLOYMENTS.replace("c3,Camera Functioning", "c3,Vandalism/Theft"))
    with pytest.warns(DataWarning, match="1 deployment had a camera that failed"):
        lp.read_wildlife_insights(folder)
    folder = export(images=HEADER + image(fuzzed="true"))
    with pytest.warns(DataWarning, match="positions of some records were blurred"):
        lp.read_wildlife_insights(folder)


def test_failures_come_in_a_table(export):
    failures = pd.DataFrame({"deployment": ["d3"], "start": ["2024-02-10"], "end": ["2024-02-15"]})
    survey = lp.read_wildlife_insights(export(), failures=failures)
    effort = survey.capture_history(species="Panthera pardus", occasion="20D", occasion_start="00:00").effort
    assert effort["effort"].tolist() == [20.0, 15.0]


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ({"is_blank": "True", "genus": "Panthera", "species": "pardus"}, (None, "blank image")),
        ({"class": "Blank"}, (None, "blank image")),
        ({"genus": "Panthera"}, ("Panthera", "")),
        ({"genus": "Panthera", "species": "Panthera pardus"}, ("Panthera pardus", "")),
        ({"class": "Mammalia", "order": "Carnivora"}, ("Carnivora", "")),
        ({"class": "Mammalia", "common_name": "Mammal"}, ("Mammalia", "")),
        ({"class": "", "common_name": "Human-Camera Trapper"}, (None, "a person")),
        ({"class": "CV Needed", "genus": ""}, (None, "not identified")),
        ({"class": "", "genus": "", "common_name": ""}, (None, "not identified")),
        ({"class": "", "genus": "", "common_name": "Animal"}, (None, "not identified")),
        ({"class": "", "genus": "", "common_name": "Misfire"}, (None, "no animal: Misfire")),
        ({"common_name": "Leopard"}, ("Leopard", "")),
        ({}, (None, "not identified")),
    ],
)
def test_what_an_image_shows(kind, expected):
    assert what_it_is(kind) == expected


@pytest.mark.parametrize(
    ("changes", "options", "message"),
    [
        (
            {"images": IMAGES.replace("7,d1,i1", "7,d9,i1")},
            {},
            r"images\.csv line 2: deployment_id 'd9' is not in deployments\.csv",
        ),
        (
            {"images": IMAGES.replace("2024-02-03 21:14:09", "3.2.2024", 1)},
            {},
            r"images\.csv line 2: timestamp is '3\.2\.2024'",
        ),
        ({"images": IMAGES.replace("2024-02-03 21:14:09", "", 1)}, {}, r"images\.csv line 2: timestamp is missing"),
        (
            {"images": IMAGES.replace("deployment_id", "deploy")},
            {},
            r"images\.csv has no column 'deployment_id'.*Is it 'deploy'",
        ),
        ({"images": None}, {}, r"has no table of images \(or sequences\), such as images\.csv\. It has 'cameras\.csv'"),
        ({"deployments": None}, {}, r"has no table of deployments, such as deployments\.csv"),
        (
            {"deployments": DEPLOYMENTS.replace("7,d2", "7,d1")},
            {},
            r"deployments\.csv line 3: deployment_id 'd1' is that of",
        ),
        (
            {"deployments": DEPLOYMENTS.replace("2024-02-20", "2024-01-20")},
            {},
            r"line 2: end_date .* is not after start_date",
        ),
        ({"deployments": DEPLOYMENTS.replace("131.1,43.1", "43.1,131.1")}, {}, r"line 4: latitude is '131\.1'.*swap"),
        ({"deployments": DEPLOYMENTS.replace("131.0,43.0", "131.0,", 1)}, {}, r"line 2: latitude is missing"),
        (
            {"deployments": DEPLOYMENTS.replace("d2,L012,131.0", "d2,L012,131.2")},
            {},
            r"line 3: station 'L012' is 16,\d\d\d m from",
        ),
        ({"images": IMAGES.replace(",F1,1,", ",F1,-1,")}, {}, r"images\.csv line 2: number_of_objects is '-1'"),
        ({}, {"station": "platz"}, r"columns= names 'platz', which deployments\.csv does not have"),
        ({}, {"crs": "EPSG:4326"}, r"distances are needed in metres"),
    ],
)
def test_bad_input(export, changes, options, message):
    with pytest.raises(DataError, match=message):
        lp.read_wildlife_insights(export(**changes), **options)


def test_bad_archives(export, tmp_path):
    folder = export()
    with zipfile.ZipFile(tmp_path / "export.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(folder / "images.csv", "images.csv")
        archive.write(folder / "deployments.csv", "deployments.csv")
    whole = (tmp_path / "export.zip").read_bytes()
    (tmp_path / "cut.zip").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match=r"cut\.zip is no complete zip archive.*Was the download cut off"):
        lp.read_wildlife_insights(tmp_path / "cut.zip")
    with pytest.raises(DataError, match=r"There is no export .*Did you mean 'export\.zip'"):
        lp.read_wildlife_insights(tmp_path / "exprt.zip")
    with pytest.raises(DataError, match=r"images\.csv is one table; give the folder"):
        lp.read_wildlife_insights(folder / "images.csv")
    with pytest.raises(DataError, match=r"path= has 'picture'; tables are"):
        lp.read_wildlife_insights({"picture": "images.csv"})
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="empty has no table of deployments"):
        lp.read_wildlife_insights(tmp_path / "empty")
