"""Sexes of a capture history: one spelling each, whoever wrote them."""

import warnings

import pandas as pd
import pytest

import leopardpop as lp
from leopardpop.data.history import history_from_parts
from leopardpop.data.parts import SessionParts
from leopardpop.errors import DataWarning

STATIONS = pd.DataFrame({"station": ["A", "B"], "x": [0, 2000], "y": [0, 500]})


def history(sexes, column="sex"):
    names = [f"I{i}" for i in range(len(sexes))]
    captures = pd.DataFrame({"individual": names, "station": "A", "occasion": 1})
    individuals = pd.DataFrame({"individual": names, column: sexes})
    return lp.CaptureHistory.from_tables(captures, STATIONS, individuals=individuals, occasions=2)


def read(sexes, column="sex"):
    return [None if pd.isna(word) else word for word in history(sexes, column).individuals[column]]


def test_every_spelling_is_one_class():
    assert read(["F", "f", "Female", "female", " FEMALE ", "♀"]) == ["F"] * 6
    assert read(["M", "m", "Male", "male", "MALE", "♂"]) == ["M"] * 6


def test_words_for_not_knowing_are_missing():
    assert read(["F", "NA", "", "unknown", "Unknown", "?", None]) == ["F", *[None] * 6]


def test_other_labels_and_columns_are_kept():
    assert read(["F", "m", "castrate"]) == ["F", "M", "castrate"]
    assert read(["f", "Female"], column="group") == ["f", "Female"]
    assert read([1, 2]) == [1.0, 2.0]


def test_the_audit_says_what_was_read():
    audit = history(["F", "female", "female", "?"]).audit
    assert audit["reason"].tolist() == ["sex 'female' of 2 animals: read as F", "sex '?' of 1 animal: not known"]
    assert history(["F", "M", None]).audit.empty


def test_a_word_that_is_nearly_a_sex_is_told():
    with pytest.warns(DataWarning, match=r"sex 'femal' is kept as a class of its own. Did you mean 'female'\?"):
        assert read(["F", "femal"]) == ["F", "femal"]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert read(["F", "cub"]) == ["F", "cub"]


def test_sessions_of_other_teams_agree():
    def part(session, name, sex):
        return SessionParts(
            session=session, individuals=[name], stations=["A", "B"], xy=[[0, 0], [2000, 500]], effort=[[1, 1], [1, 1]],
            individual=[0], station=[1], occasion=[0], individual_covariates=pd.DataFrame({"sex": [sex]}),
        )  # fmt: skip

    both = history_from_parts([part("1", "X", "Female"), part("2", "Y", "f")], detector="proximity")
    assert set(both.individuals["sex"]) == {"F"}
