"""What is no path and no table is refused by every reader, in words."""

import inspect

import pandas as pd
import pytest

import leopardpop as lp
from leopardpop.errors import DataError

READERS = sorted(name for name in lp.__all__ if name.startswith("read_"))


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize("value", [None, 42, 3.5, b"x", ["a"], {}, pd.DataFrame({"a": [1]}), "", "a\x00b"])
def test_arguments_of_readers(name, value):
    reader = getattr(lp, name)
    needed = [each for each in inspect.signature(reader).parameters.values() if each.default is each.empty]
    with pytest.raises(DataError):
        reader(*(value for _ in needed))


@pytest.mark.parametrize("traps", [42, [None], {"1": None}, b"traps.txt"])
def test_traps_of_secr(tmp_path, traps):
    captures = tmp_path / "captures.txt"
    captures.write_text("1 F1 1 A\n")
    with pytest.raises(DataError, match=r"traps.*is a (int|NoneType|bytes); the path of a file is needed"):
        lp.read_secr(captures, traps)


def test_the_argument_is_named():
    with pytest.raises(DataError, match="captures= is a NoneType; the path of a file is needed"):
        lp.read_secr(None, None)
    with pytest.raises(DataError, match="path= is a int; a folder, a zip or a dict of tables is needed"):
        lp.read_wildlife_insights(42)
