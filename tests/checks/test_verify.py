"""``lp.verify`` and ``leopardpop verify``: known answers are asked again, and a wrong one is told."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import leopardpop as lp
from leopardpop.checks.known.answer import Answer, Question, near
from leopardpop.checks.known.published import questions as published
from leopardpop.checks.known.written import questions as written
from leopardpop.checks.verify import shared_folder
from leopardpop.cli.app import app
from leopardpop.errors import DataError, ModelError


def run(*arguments: str, **environment: str):
    return CliRunner().invoke(app, ["verify", *arguments], env={"COLUMNS": "200", **environment})


@pytest.fixture(scope="module")
def without_data():
    return lp.verify(quick=True, shared="")


def test_everything_that_needs_no_data_holds(without_data):
    table = without_data.table()
    assert without_data.holds
    assert set(table["verdict"]) == {"holds"}
    assert {"written out", "quadrature"} == set(table["source"])
    assert (table["difference"] == table["found"] - table["expected"]).all()
    assert "Set LEOPARDPOP_SHARED" in str(without_data)


@pytest.mark.parametrize(
    "found, holds", [(2.0, True), (2.0 - 0.1, True), (2.0 + 0.3, True), (1.8, False), (2.4, False), (math.nan, False)]
)
def test_an_answer_has_two_sides(found, holds):
    assert Answer("two", 2.0, found, 0.1 + 1e-12, 0.3 + 1e-12).holds is holds


def broken(quick: bool) -> list[Answer]:
    raise ModelError("the model is gone")


@pytest.mark.parametrize(
    "question, verdict, told",
    [
        (Question("s", "q", lambda quick: [near("one", 1.0, 1.5, 0.1)]), "DIFFERS", "0 of 1 answer hold"),
        (Question("s", "q", broken), "fails", "the model is gone"),
    ],
)
def test_what_is_wrong_is_told_and_ends_with_1(monkeypatch, question, verdict, told):
    monkeypatch.setattr("leopardpop.checks.verify.written", lambda: [question])
    found = lp.verify(shared="")
    assert not found.holds
    assert found.table()["verdict"].tolist() == [verdict]
    assert told in str(found)
    assert "DIFFERS from the one that was tested" in str(found)
    monkeypatch.setenv("LEOPARDPOP_SHARED", "")
    result = run("--shared", "")
    assert result.exit_code == 1


def test_a_wrong_likelihood_is_found(monkeypatch):
    """The formulas are not the library's: a millionth more hazard in one of the two is seen by every detector."""
    from leopardpop.checks.known import written as module

    true = module._hazards()
    monkeypatch.setattr(module, "_hazards", lambda: [1.000001 * each for each in true])
    (capture,) = [each for each in written() if each.name.startswith("one station")]
    assert not any(answer.holds for answer in capture.ask(True))


def test_data_that_are_not_there_are_told_and_do_not_fail(tmp_path, monkeypatch):
    (tmp_path / "data").mkdir()
    (tmp_path / "reference").mkdir()
    monkeypatch.setattr("leopardpop.checks.verify.written", list)
    found = lp.verify(quick=True, shared=tmp_path)
    assert found.holds
    assert set(found.table()["verdict"]) == {"not asked"}
    assert "captdata is not there" in str(found)


def test_where_the_data_are_looked_for(tmp_path, monkeypatch):
    monkeypatch.delenv("LEOPARDPOP_SHARED", raising=False)
    inner = tmp_path / "project"
    inner.mkdir()
    monkeypatch.chdir(inner)
    assert shared_folder() is None
    for name in ("data", "reference"):
        (tmp_path / "shared" / name).mkdir(parents=True)
    assert shared_folder().resolve() == (tmp_path / "shared").resolve()
    monkeypatch.setenv("LEOPARDPOP_SHARED", str(tmp_path / "elsewhere"))
    with pytest.raises(DataError, match=r"elsewhere has no data/ and reference/"):
        shared_folder()


def test_the_command_prints_the_table_and_writes_it(monkeypatch, tmp_path):
    monkeypatch.setattr("leopardpop.checks.verify.written", lambda: written()[:3])
    result = run("--quick", "--shared", "", "--csv", str(tmp_path / "found.csv"))
    assert result.exit_code == 0, result.output
    assert "holds     log-likelihood, multi: expected -7.28653488, found -7.28653488" in result.output
    table = pd.read_csv(tmp_path / "found.csv")
    assert len(table) == 5
    assert np.allclose(table["expected"], table["found"], atol=1e-9)


def test_a_folder_without_data_is_an_error():
    result = run("--shared", "/nowhere")
    assert result.exit_code == 1
    assert "has no data/ and reference/" in result.output


def test_published_answers_at_their_estimates(shared):
    """Two surveys of each kind; all of them are held by the tests of the models."""
    chosen = {"stoat-dna HN", "gsm-blackbear sex null", "weta occSS null", "salamanders, Royle-Nichols"}
    asked = [each for each in published(shared) if each.name in chosen]
    assert {each.name for each in asked} == chosen
    for question in asked:
        assert question.needs is not None
        assert question.needs.is_dir()
        assert all(answer.holds for answer in question.ask(True)), question.name


@pytest.mark.verification
def test_every_answer_holds(shared):
    found = lp.verify(shared=shared)
    assert found.holds, str(found)
    assert len(found.table()) > 200
    assert not any(found.table()["verdict"] == "not asked")


def test_html_has_the_table(without_data):
    html = without_data._repr_html_()
    assert "<table" in html
    assert "used after three years" in html
