"""Words for sex, flank, life stage and nobody: read alike, and said where they cannot be read."""

import pandas as pd
import pytest

import leopardpop as lp
from leopardpop.data.vocabulary import flank_of, is_nothing
from leopardpop.errors import DataError, DataWarning

STATIONS = pd.DataFrame({"station": ["A", "B"], "x": [0, 3_000], "y": [0, 500]})
DEPLOYMENTS = pd.DataFrame({"station": ["A", "B"], "start": "2024-02-01 12:00", "end": "2024-02-11 12:00"})
CAMERAS = pd.DataFrame(
    {"Station": ["A", "B"], "utm_x": [0, 3_000], "utm_y": [0, 500], "Setup_date": "2024-02-01"}
).assign(Retrieval_date="2024-02-11")


def records(**columns):
    n = max(len(values) for values in columns.values())
    times = [f"2024-02-03 2{i}:00:00" for i in range(n)]
    return pd.DataFrame({"timestamp": times, "station": "A", "species": "Panthera pardus"} | columns)


def from_survey(table):
    return lp.Survey(stations=STATIONS, deployments=DEPLOYMENTS, records=table)


def from_tables(table):
    return lp.read_records(table, DEPLOYMENTS, STATIONS)


def from_camtrapr(table):
    return lp.read_camtrapr(table.rename(columns={"timestamp": "DateTimeOriginal"}), CAMERAS)


READERS = (from_survey, from_tables, from_camtrapr)


@pytest.mark.parametrize("read", READERS)
class TestEveryReader:
    @pytest.mark.parametrize(
        ("column", "word", "meant", "read_as"),
        [("sex", "femal", "female", None), ("flank", "lft", "left", None), ("life_stage", "Adlt", "adult", "adlt")],
    )
    def test_a_word_that_cannot_be_read_is_said(self, read, column, word, meant, read_as):
        what = column.replace("_", " ")
        match = rf"records row 1: {what} is '{word}', .* \(2 rows with such words\).*Did you mean '{meant}'\?"
        with pytest.warns(DataWarning, match=match):
            survey = read(records(**{column: [meant, word, word, None]}))
        assert survey.records[column].tolist()[1:] == [read_as, read_as, None]

    @pytest.mark.parametrize("word", ["?", "-", "???", "unknown", "NA", "n/a", "Unidentified"])
    def test_words_for_nobody_are_no_animal_and_no_stage(self, read, word):
        survey = read(records(individual=["F1", word], sex=["F", word], flank=["L", word], life_stage=["adult", word]))
        known = survey.records[["individual", "sex", "flank", "life_stage"]]
        assert known.iloc[0].tolist() == ["F1", "F", "left", "adult"]
        assert known.iloc[1].isna().all()
        assert survey.capture_history().individuals["individual"].tolist() == ["F1"]
        assert survey.audit["action"].tolist() == ["kept", "kept"]
        said = "" if word in ("NA", "n/a") else f"individual '{word}' is no identity"
        assert survey.audit["reason"].tolist()[1].removeprefix("individual 'n/a' is no identity") == said

    def test_one_spelling(self, read):
        survey = read(records(sex=["♀", "M"], flank=["Left flank", "l/r"], life_stage=["Sub-adult", "Cubs"]))
        assert survey.records["sex"].tolist() == ["F", "M"]
        assert survey.records["flank"].tolist() == ["left", "both"]
        assert survey.records["life_stage"].tolist() == ["subadult", "cub"]


def test_a_file_is_named_with_its_line(tmp_path):
    path = tmp_path / "records.csv"
    path.write_text("timestamp,station,sex\n2024-02-03 21:00,A,f\n2024-02-04 21:00,A,mal\n")
    with pytest.warns(DataWarning, match=r"records\.csv line 3: sex is 'mal', read as unknown \(1 row.*'male'\?"):
        lp.read_records(path, DEPLOYMENTS, STATIONS)


def test_no_word_is_read_by_its_first_letter():
    assert [flank_of(word) for word in ("lower back", "body", "rump", "left?", "", "L and R")] == [
        *(None, None, None, "left", None, "both")
    ]
    assert not is_nothing("F07")
    assert not is_nothing("♂")


@pytest.mark.parametrize("word", ["?", "unknown"])
def test_captures_of_nobody(word):
    captures = pd.DataFrame({"individual": ["F1", word], "station": "A", "occasion": [1, 2]})
    with pytest.raises(DataError, match=r"captures row 1: individual is .*, which stands for nobody"):
        lp.CaptureHistory.from_tables(captures=captures, stations=STATIONS)


@pytest.mark.parametrize("word", ["未知", "不明", "Неизвестно", "desconocido", "inconnue", "미상"])
def test_not_known_in_other_languages(word):
    assert is_nothing(word)
