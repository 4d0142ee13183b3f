"""Real surveys as library objects."""

from __future__ import annotations

from pathlib import Path

import leopardpop as lp
from tests.reference.datasets import library_history, library_masks, read_layout_a


def load_dataset(shared: Path, name: str) -> tuple[lp.CaptureHistory, lp.Mask | dict[str, lp.Mask]]:
    """History and mask of a survey in the shared folder."""
    survey = read_layout_a(shared / "data" / name)
    return library_history(survey), library_masks(survey)
