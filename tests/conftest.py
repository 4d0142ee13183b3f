"""Fixtures of the whole test suite."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real data sets and published fits; LEOPARDPOP_SHARED names it, by default ../shared."""
    folder = Path(os.environ.get("LEOPARDPOP_SHARED", PROJECT.parent / "shared"))
    if not (folder / "reference").is_dir():
        reason = f"no shared data at {folder}: set LEOPARDPOP_SHARED to the folder that holds data/ and reference/"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return folder
