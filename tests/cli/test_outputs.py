import warnings

import pytest
from typer.testing import CliRunner

from leopardpop.cli.app import app
from leopardpop.cli.outputs import check_folder, results_folder
from leopardpop.cli.run import collect_warnings
from leopardpop.errors import DataError, DataWarning
from tests.results import made


def test_a_new_or_empty_folder_may_be_used(tmp_path):
    check_folder(tmp_path / "new", overwrite=False)
    check_folder(tmp_path, overwrite=False)


def test_an_earlier_run_is_replaced_only_when_asked(tmp_path):
    (tmp_path / "analysis.toml").touch()
    with pytest.raises(DataError, match="pass --overwrite"):
        check_folder(tmp_path, overwrite=False)
    check_folder(tmp_path, overwrite=True)


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_folder_of_something_else_is_never_used(tmp_path, overwrite):
    (tmp_path / "thesis.doc").touch()
    with pytest.raises(DataError, match="was not written by leopardpop"):
        check_folder(tmp_path, overwrite=overwrite)
    with pytest.raises(DataError, match="is a file"):
        check_folder(tmp_path / "thesis.doc", overwrite=overwrite)


def test_files_appear_together_and_others_stay(tmp_path):
    target = tmp_path / "deep" / "results"
    with results_folder(target) as new:
        (new / "null").mkdir()
        (new / "null" / "fit.nc").write_text("1")
        (new / "summary.csv").write_text("1")
        assert not target.exists()
    (target / "notes.txt").write_text("mine")
    with results_folder(target) as new:
        (new / "summary.csv").write_text("2")
    found = {str(path.relative_to(target)): path.read_text() for path in target.rglob("*") if path.is_file()}
    assert found == {"null/fit.nc": "1", "summary.csv": "2", "notes.txt": "mine"}
    assert [path.name for path in target.parent.iterdir()] == ["results"]


def fail_half_way(target):
    with results_folder(target) as new:
        (new / "summary.csv").write_text("1")
        raise ValueError("half way")


def test_a_run_that_fails_leaves_nothing(tmp_path):
    with pytest.raises(ValueError, match="half way"):
        fail_half_way(tmp_path / "results")
    assert not list(tmp_path.iterdir())


def warn_twice_and_of_something_else():
    with collect_warnings() as warned:
        for _ in range(2):
            warnings.warn("3 records were merged", DataWarning, stacklevel=1)
        warnings.warn("not ours", RuntimeWarning, stacklevel=1)
    return warned


def test_warnings_of_the_library_are_collected_once_and_others_go_on():
    with pytest.warns(RuntimeWarning, match="not ours"):
        warned = warn_twice_and_of_something_else()
    assert warned.notes == [("DataWarning", "3 records were merged")]


def test_a_saved_fit_is_reported(tmp_path):
    made.fit("null").save(tmp_path / "fit.nc")
    result = CliRunner().invoke(app, ["report", str(tmp_path / "fit.nc"), "--title", "How many here?"])
    assert result.exit_code == 0, result.output
    assert "How many here?" in (tmp_path / "report.html").read_text(encoding="utf-8")
    result = CliRunner().invoke(app, ["report", str(tmp_path / "none.nc")])
    assert result.exit_code == 1
    assert "error: " in result.output
    result = CliRunner().invoke(app, ["report", str(tmp_path / "fit.nc"), "--output", str(tmp_path / "no" / "a.md")])
    assert "there is no folder" in result.output
