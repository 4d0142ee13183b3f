"""Fixtures of the whole test suite."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parent.parent


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Workers for the whole suite: one a processor, up to four; none for a few files, nor where times are taken."""
    whole = config.args == config.getini("testpaths") or config.args == [str(config.rootpath)]
    if not whole or "not benchmark" not in (config.getoption("markexpr") or ""):
        return 0
    return min(os.cpu_count() or 1, 4)


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
