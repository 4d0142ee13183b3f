"""`leopardpop check`: exit codes, counts that add up, tables, and what is shown."""

import json

import pandas as pd
import pytest
from typer.testing import CliRunner

from leopardpop.cli import check
from leopardpop.cli.app import app
from leopardpop.cli.check import check_source, write_tables
from leopardpop.cli.check_record import effort_lines, silent_table, survey_record
from leopardpop.data.survey import Survey
from leopardpop.errors import DataError

LEOPARD = "Panthera pardus"
STATIONS = pd.DataFrame({"station": ["A", "B"], "x": [0.0, 3_000], "y": [0.0, 400]})
DEPLOYMENTS = pd.DataFrame({"station": ["A", "B"], "start": "2024-02-01", "end": ["2024-02-11", "2024-02-06"]})
EXAMPLE = """
[data]
reader = "example"
seed = 1
species = "Panthera pardus"
start = 2024-02-01
end = 2024-05-02
flank = "left"
[mask]
buffer = 25000
"""
TABLES = "[data]\nreader = 'tables'\ncaptures = 'c.csv'\nstations = 's.csv'\n[mask]\nbuffer = 1\n"


def survey(times=("2024-02-02 21:00",), **changes):
    records = {"timestamp": list(times), "station": "A", "species": LEOPARD, "individual": "F01", "sex": "F"}
    tables = {"stations": STATIONS, "deployments": DEPLOYMENTS, "records": pd.DataFrame(records)}
    return Survey(**tables | changes)


def checked(made):
    return check._read("package", {"survey": lambda scope: made})


def invoke(*arguments):
    return CliRunner().invoke(app, ["check", *map(str, arguments)])


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def shown(found, capsys):
    check.print_checked(found, [])
    return capsys.readouterr().out


def test_nothing_is_0_something_to_look_at_1_something_to_fix_2():
    assert checked(survey()).exit_code == 0
    twins = STATIONS.assign(x=0.0, y=0.0)
    assert checked(survey(stations=twins)).exit_code == 1
    assert checked(survey(["2024-03-01"])).exit_code == 2


def test_a_clean_survey_is_said_to_be(capsys):
    out = shown(checked(survey()), capsys)
    assert "Nothing to fix, nothing to look at." in out
    assert "MUST FIX" not in out
    assert "FOR THE RECORD" in out


def test_findings_are_numbered_through_and_counted(capsys):
    both = survey(["2024-03-01", "2024-02-02 21:00"], stations=STATIONS.assign(x=0.0, y=0.0))
    out = shown(checked(both), capsys)
    assert "MUST FIX (1): a fit would be impossible or wrong\n1  station A" in out
    assert "SHOULD LOOK (1)\n2  stations A, B" in out
    assert "1 to fix, 1 to look at." in out


def test_many_alike_are_cut_on_the_screen_and_whole_in_the_table(capsys, tmp_path):
    n = 12
    names = [f"S{i}" for i in range(n)]
    stations = pd.DataFrame({"station": names, "x": [3_001.0 * i for i in range(n)], "y": [17.0] * n})
    records = pd.DataFrame({"timestamp": "2025-01-01", "station": names, "species": LEOPARD, "individual": names})
    cameras = pd.DataFrame({"station": names, "start": "2024-02-01", "end": "2024-02-06"})
    found = checked(Survey(stations=stations, deployments=cameras, records=records))
    out = shown(found, capsys)
    assert "MUST FIX (12)" in out
    assert "… and 7 findings more like these" in out
    (path,) = write_tables(found, tmp_path)
    assert (pd.read_csv(path)["severity"] == "must fix").sum() == n


def test_the_record_adds_up():
    audit = pd.DataFrame(
        [("obs.csv", i, "kept", "") for i in range(1)]
        + [("obs.csv", i, "merged", "media row of the same event") for i in range(5)]
        + [("obs.csv", i, "dropped", f"reason {i}") for i in range(10)]
        + [("obs.csv", 99, "dropped", "")],
        columns=["source", "line", "action", "reason"],
    )
    words = survey_record(survey(audit=audit))["records"]
    assert words.startswith("17 = 1 used\n+ 5 media row of the same event\n+ 1 reason")
    assert words.endswith("\n+ 3 for 3 other reasons\n+ 1 unexplained")
    assert words.count("\n") == 10
    numbers = [int(part.split()[0]) for part in words.split("=")[1].split("+")]
    assert sum(numbers) == len(audit)


def test_the_record_of_a_survey():
    record = survey_record(survey())
    assert record["time"] == "1 Feb 2024 to 11 Feb 2024, tz = camera clock"
    assert record["effort"] == "15.0 camera-days, 15.0 station-days; 0 failures, 0 overlapping deployments"
    assert record["stations"] == ("2; nearest pair 3 km, median nearest distance 3 km (σ of a leopard: 3 to 7 km)")
    assert record["animals"] == "1 identity in 1 record; 1 species: Panthera pardus 1"
    assert record["cubs"] == "no record of young; life stage known in 0 of 1, sex in 1"


def test_silent_cameras_are_listed_only_where_no_failures_are_given(tmp_path):
    long = DEPLOYMENTS.assign(end="2024-03-02")
    off = pd.DataFrame({"station": ["A"], "start": ["2024-02-04"], "end": ["2024-02-05"]})
    assert silent_table(survey(deployments=long, failures=off)) is None
    written = write_tables(checked(survey(deployments=long)), tmp_path)
    assert [path.name for path in written] == ["problems.csv", "silent.csv"]
    assert pd.read_csv(written[1])["days"].tolist() == pytest.approx([28.125, 30.0])


def test_a_table_of_the_users_is_not_written_over(tmp_path):
    found = checked(survey(["2024-03-01"]))
    (path,) = write_tables(found, tmp_path)
    assert write_tables(found, tmp_path) == [path]
    path.write_text("my own\n", encoding="utf-8")
    with pytest.raises(DataError, match="exists and is another table"):
        write_tables(found, tmp_path)


def test_an_analysis_file(here):
    (here / "analysis.toml").write_text(EXAMPLE, encoding="utf-8")
    result = invoke("analysis.toml")
    assert result.exit_code == 1
    assert "240 deployments, 120 stations, 971 records used of 971" in result.output
    assert "history   23 animals, 117 detections, 94 recaptures" in result.output
    assert (here / "problems.csv").exists()
    assert invoke(".").output == result.output  # a folder with an analysis file


def test_json(here):
    (here / "analysis.toml").write_text(EXAMPLE, encoding="utf-8")
    result = invoke("analysis.toml", "--json")
    content = json.loads(result.output)
    assert content["exit_code"] == result.exit_code == 1
    assert sum(content["counts"].values()) == len(content["problems"])
    assert not (here / "problems.csv").exists()
    assert json.loads(invoke("analysis.toml", "--json", "--output", ".").output)["tables"] == ["problems.csv"]


def test_data_that_cannot_be_read_are_to_be_fixed(here):
    (here / "analysis.toml").write_text(TABLES, encoding="utf-8")
    result = invoke("analysis.toml")
    assert result.exit_code == 2
    assert "could not be read" in result.output
    assert "there is no file" in result.output


def test_a_history_alone_can_be_checked(here):
    (here / "analysis.toml").write_text(TABLES, encoding="utf-8")
    (here / "c.csv").write_text("individual,station,occasion\nF1,A,1\nF1,B,2\n", encoding="utf-8")
    (here / "s.csv").write_text("station,x,y\nA,0,0\nB,0,2000\n", encoding="utf-8")
    result = invoke("analysis.toml")
    assert result.exit_code == 0
    assert "1 animal, 2 detections, 1 recapture, 1 animal at several stations" in result.output
    assert "there is no effort to show" in invoke("analysis.toml", "--effort").output


def test_records_without_effort_are_no_error_if_the_analysis_says_what_to_do(here, monkeypatch):
    import leopardpop as lp

    late = survey(["2024-02-02 21:00", "2024-03-01"])
    monkeypatch.setattr(lp, "load_example", lambda name="": late)
    text = "[data]\nreader = 'example'\n{}[mask]\nbuffer = 1\n"
    for setting, code in (("", 2), ("on_zero_effort = 'drop'\n", 1)):
        (here / "analysis.toml").write_text(text.format(setting), encoding="utf-8")
        assert check_source(here / "analysis.toml").exit_code == code


def test_no_such_file(here):
    result = invoke("nowhere")
    assert result.exit_code == 4
    assert "there is no nowhere" in result.output


def test_who_ran_when():
    off = pd.DataFrame({"station": ["A"], "start": ["2024-02-04"], "end": ["2024-02-06"]})
    lines = effort_lines(survey(failures=off), width=40)
    assert lines[0].endswith("1 Feb 2024, a column is 1 day")
    assert lines[1].split() == ["A", "███xx█████", "8", "d"]
    assert lines[2].split() == ["B", "█████·····", "5", "d"]
    half = survey(deployments=DEPLOYMENTS.assign(start="2024-02-01 12:00"))
    assert effort_lines(half, width=40)[2].split()[1] == "▒████·····"
    assert "a column is 14 days" in effort_lines(survey(deployments=DEPLOYMENTS.assign(end="2024-06-01")), width=25)[0]


def test_the_official_example_of_camtrap_dp(shared, here):
    result = invoke(shared / "data" / "camtrapdp-example")
    assert result.exit_code == 2
    words = " ".join(result.output.split())
    assert "Camtrap DP 1.0.2: 4 deployments" in words
    assert "occupancy is possible, capture-recapture is not" in words
    assert "1 deployment on both sides of 28 March 2021 (change to summer time)" in words
    assert "30 May 2020 to 18 Apr 2021, tz = camera clock" in words
    assert "73.4 camera-days" in words
    assert "+ 0 unexplained" in words
    table = pd.read_csv(here / "problems.csv")
    assert table["severity"].tolist() == ["must fix", "should look", "should look", "note"]


def test_the_sample_of_camtrapr_has_no_record_during_a_failure(shared, here):
    folder = (shared / "data" / "camtrapr-sample").as_posix()
    lines = [
        "[data]",
        'reader = "camtrapr"',
        f'records = "{folder}/recordTableSample.csv"',
        f'cameras = "{folder}/camtraps.csv"',
        'tz = "Asia/Kuala_Lumpur"',
        'crs = "EPSG:32650"',
        'date_format = "%d/%m/%Y"',
        "[mask]",
        "buffer = 5000",
    ]
    (here / "analysis.toml").write_text("\n".join(lines), encoding="utf-8")
    result = invoke("analysis.toml")
    assert result.exit_code == 2
    assert "2009-05-12 02:32" in result.output  # said in a note: the first day of a problem given by dates
    assert "during a failure" not in result.output
    assert "39 = 39 used + 0 unexplained" in result.output


def test_what_is_among_the_problems_is_not_said_again(monkeypatch, here):
    import leopardpop as lp

    rows = [("2024-02-02", "F01", "both", LEOPARD), ("2024-02-03", "L1", "left", LEOPARD)]
    rows += [("2024-02-04", "R1", "right", LEOPARD), ("2024-02-05", "F01", "both", "Pantera pardus")]
    table = pd.DataFrame(rows, columns=["timestamp", "individual", "flank", "species"]).assign(station="A")
    monkeypatch.setattr(lp, "load_example", lambda name="": survey(records=table))
    text = f"[data]\nreader = 'example'\nspecies = '{LEOPARD}'\n[mask]\nbuffer = 1\n"
    (here / "analysis.toml").write_text(text, encoding="utf-8")
    found = check_source(here / "analysis.toml").found
    assert sorted(kind for kind, _ in found) == ["one_flank", "species_alike"]


def test_a_failure_is_no_finding_and_the_folder_of_the_tables_is_made(here):
    (here / "analysis.toml").write_text(EXAMPLE, encoding="utf-8")
    assert invoke("analysis.toml", "--output", "new/tables").exit_code == 1
    assert (here / "new" / "tables" / "problems.csv").is_file()
    (here / "occupied").write_text("a file", encoding="utf-8")
    assert invoke("analysis.toml", "--output", "occupied").exit_code == 4


@pytest.mark.parametrize(
    ("found", "fix", "words"),
    [
        ("'a' 3, 'b' 1. The same species?", "then say so: x", "'a' 3, 'b' 1. The same species? Then say so: x."),
        ("at once", "identity or clock?", "at once: identity or clock?"),
        ("two.", "correct one.", "two. Correct one."),
        ("alone", "", "alone"),
    ],
)
def test_sentences_end_once(found, fix, words):
    assert check._sentence(check.Problem("note", "here", found, fix)) == words


def test_numbers_are_said_once_in_the_headline():
    made = survey(notes=["tables: 2 deployments, projected to EPSG:32652, 1 record used of 1"])
    line = "tables: 2 deployments, projected to EPSG:32652, 2 stations, 1 record used of 1"
    assert check._headline(checked(made)) == line


@pytest.mark.parametrize(("occasion", "said"), [("1h", True), ("7D", False), ("1D", False)])
def test_needlessly_short_occasions_are_noted(here, occasion, said):
    text = EXAMPLE.replace("[mask]", f'occasion = "{occasion}"\n[mask]')
    (here / "analysis.toml").write_text(text, encoding="utf-8")
    told = [problem for kind, problem in check_source(here / "analysis.toml").found if kind == "occasions"]
    assert bool(told) == said
    if said:  # 91 days of 24 hours
        assert told[0].found == "120 × 2,184 occasions are a table of 262,080 cells"
        assert 'occasion = "7D"' in told[0].fix


def test_a_survey_that_is_large_by_days_is_said_to_be():
    n = 200
    names = [f"S{i}" for i in range(n)]
    stations = pd.DataFrame({"station": names, "x": [2_001.0 * i for i in range(n)], "y": 17.0})
    cameras = pd.DataFrame({"station": names, "start": "2020-01-01", "end": "2024-01-01"})
    records = pd.DataFrame({"timestamp": "2021-01-01", "station": names[:1], "species": LEOPARD})
    made = Survey(stations=stations, deployments=cameras, records=records)
    words = survey_record(made)["occasions"]
    assert words == '200 stations × 1,461 days are 292,200 cells: with occasion = "7D" 41,743'
    assert "occasions" not in survey_record(survey())


def test_an_error_that_nobody_foresaw(tmp_path, monkeypatch):
    def broken(source):
        raise KeyError("effort")

    monkeypatch.setattr("leopardpop.cli.check.check_source", broken)
    result = CliRunner().invoke(app, ["check", str(tmp_path)])
    assert result.exit_code == 4
    assert "error: this should not have happened (KeyError: 'effort')" in result.output
    assert "leopardpop --debug" in result.output
    raised = CliRunner().invoke(app, ["--debug", "check", str(tmp_path)])
    assert isinstance(raised.exception, KeyError)


def test_where_a_foreseen_error_came_from(tmp_path):
    plain = CliRunner().invoke(app, ["check", str(tmp_path / "no")])
    assert (plain.exit_code, "error: there is no" in plain.output) == (4, True)
    raised = CliRunner().invoke(app, ["--debug", "check", str(tmp_path / "no")])
    assert isinstance(raised.exception, DataError)
