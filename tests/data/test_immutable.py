"""Surveys cannot be changed: not by setting, deleting or through a copy."""

import copy

import pytest

import leopardpop as lp


@pytest.fixture(scope="module")
def survey():
    return lp.load_example("amur_leopard", seed=1)


@pytest.mark.parametrize("name", ["crs", "clock", "_stations", "nonsense"])
def test_nothing_can_be_set_or_deleted(survey, name):
    with pytest.raises(AttributeError, match=f"immutable: '{name}' cannot be deleted"):
        delattr(survey, name)
    with pytest.raises(AttributeError, match=f"immutable: '{name}' cannot be set"):
        setattr(survey, name, 1)


def test_a_copy_is_the_survey(survey):
    assert copy.copy(survey) is survey  # its truth has maps that Python cannot copy
    assert copy.deepcopy({"one": survey})["one"] is survey
