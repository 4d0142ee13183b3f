"""The catalogue of errors has everything that a fit or a survey may say, and nothing that it cannot."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import leopardpop as lp
from leopardpop.data.survey_problems import FINDERS

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "errors.md"
ROW = re.compile(r'(?:quantity=|\b_?finding\(|_row\(|_note\()\s*f?"([^"]+)"')
PLACES = (*(ROOT / "leopardpop" / "results").glob("*.py"), ROOT / "leopardpop" / "inference" / "convergence.py")
DERIVED = {"ESS of the bulk, smallest", "ESS of the tails, smallest", "meaning of abundance", "law of abundance"}

pytestmark = pytest.mark.skipif(not PAGE.exists(), reason="the documentation is not part of the wheel")


def quantities() -> set[str]:
    """What rows of diagnostics are called in the source, up to what is filled in."""
    found = {name for path in PLACES for name in ROW.findall(path.read_text(encoding="utf-8"))}
    return {part for name in found for part in [re.split(r"\{[^}]*\}", name)[0].strip()] if part}


def test_every_row_of_a_fit_is_on_the_page():
    text = PAGE.read_text(encoding="utf-8")
    found = quantities()
    assert len(found) > 40
    assert sorted(name for name in found if f"`{name}" not in text) == []


def test_every_row_on_the_page_is_of_a_fit():
    section = PAGE.read_text(encoding="utf-8").split("## What a fit tells")[1].split("## What a survey")[0]
    named = {
        name
        for line in section.splitlines()
        if line.startswith("| `")
        for name in re.findall(r"`([^`]+)`", line.split(" | ")[0])
    }
    source = "".join(path.read_text(encoding="utf-8") for path in PLACES)
    assert sorted(name for name in named - DERIVED if name not in source) == []


def test_every_problem_of_a_survey_is_on_the_page():
    section = PAGE.read_text(encoding="utf-8").split("## What a survey may have wrong")[1]
    named = {name for line in section.splitlines() for name in re.findall(r"`([a-z_]+)`", line.split(" | ")[0])}
    assert named == {find.__name__ for find in FINDERS}


def test_every_class_is_described():
    classes = [each for each in vars(lp.errors).values() if isinstance(each, type)]
    assert all(each.__doc__ for each in classes)
    assert ".. automodule:: leopardpop.errors" in PAGE.read_text(encoding="utf-8")
