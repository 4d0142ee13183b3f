"""Everything public, found by looking: a new name cannot escape these tests."""

import importlib
import inspect
import os
import pkgutil
import re
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

import leopardpop as lp
from leopardpop import errors

HEAVY = (
    "arviz",
    "formulae",
    "geopandas",
    "h5netcdf",
    "matplotlib",
    "numba",
    "pandas",
    "pymc",
    "pytensor",
    "scipy",
    "xarray",
)
OBJECTS = {name: getattr(lp, name) for name in lp.__all__ if name != "__version__"}
CALLABLES = {name: value for name, value in OBJECTS.items() if callable(value)}
ERRORS = [
    value for value in vars(errors).values() if inspect.isclass(value) and issubclass(value, (Exception, Warning))
]


def methods(of: type) -> dict[str, object]:
    """Public methods and properties that this library wrote."""
    found = {name: inspect.getattr_static(of, name) for name in dir(of) if not name.startswith("_")}
    own = {}
    for name, member in found.items():
        function = getattr(member, "fget", None) or getattr(member, "func", None) or getattr(member, "__func__", member)
        if inspect.isfunction(function) and function.__module__.startswith("leopardpop"):
            own[name] = function
    return own


METHODS = {
    f"{name}.{method}": function
    for name, value in OBJECTS.items()
    if inspect.isclass(value)
    for method, function in methods(value).items()
}


def test_the_public_names_are_sorted_and_unique():
    names = [name for name in lp.__all__ if name != "__version__"]
    assert len(set(names)) == len(names)
    assert set(names) <= set(dir(lp))


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'HalfNorml'"):
        lp.HalfNorml  # noqa: B018


@pytest.mark.parametrize("name", sorted(OBJECTS))
def test_it_has_a_docstring_with_an_example(name):
    text = inspect.getdoc(OBJECTS[name])
    assert text, name
    is_error = inspect.isclass(OBJECTS[name]) and issubclass(OBJECTS[name], (Exception, Warning))
    assert is_error or ">>> " in text, f"{name}: no example"


@pytest.mark.parametrize("name", sorted(METHODS))
def test_every_method_has_a_docstring(name):
    assert inspect.getdoc(METHODS[name]), name


def parameters(function) -> list[str]:
    skipped = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    signature = inspect.signature(function)
    return [p.name for p in signature.parameters.values() if p.name not in ("self", "cls") and p.kind not in skipped]


def docstrings(name: str) -> str:
    """The docstring; for a method also those of its class and of what it overrides, for a dataclass of its fields."""
    value = {**CALLABLES, **METHODS}[name]
    if inspect.isclass(value):
        fields = re.findall(r'^    (\w+): [^\n]+\n    """', inspect.getsource(value), re.MULTILINE)
        return "\n".join([inspect.getdoc(value) or "", *fields])
    owner, _, method = name.partition(".")
    if not method:
        return inspect.getdoc(value) or ""
    above = [vars(base)[method] for base in inspect.getmro(OBJECTS[owner]) if method in vars(base)]
    return "\n".join(inspect.getdoc(each) or "" for each in (value, OBJECTS[owner], *above))


@pytest.mark.parametrize("name", sorted({**CALLABLES, **METHODS}))
def test_every_parameter_is_in_the_docstring(name):
    text = docstrings(name)
    names = parameters({**CALLABLES, **METHODS}[name])
    undocumented = [p for p in names if not re.search(rf"^\s*(\w+, )*\*{{0,2}}{p}\b", text, re.MULTILINE)]
    assert not undocumented, f"{name}: {undocumented}"


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: error.__name__)
def test_every_error_is_public_and_explained(error):
    assert error.__name__ in errors.__all__
    assert error.__doc__
    assert error.__doc__ != (error.__mro__[1].__doc__ or "")
    assert issubclass(error, (errors.LeopardpopError, errors.LeopardpopWarning))
    assert getattr(lp.errors, error.__name__) is error


def test_errors_are_also_the_builtin_ones():
    assert issubclass(errors.DataError, ValueError)
    assert issubclass(errors.ModelError, ValueError)
    assert issubclass(errors.PriorError, errors.ModelError)
    assert issubclass(errors.FitError, RuntimeError)
    assert issubclass(errors.LeopardpopWarning, UserWarning)


def test_offenders_travel_with_the_error():
    with pytest.raises(errors.DataError) as caught:
        raise errors.DataError("what, where", offenders=[1, 2])
    assert caught.value.offenders == [1, 2]


def test_every_module_imports_and_says_what_it_is_for():
    silent = []
    for module in pkgutil.walk_packages(lp.__path__, "leopardpop."):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of other libraries; whether ours warns is the other tests' concern
            loaded = importlib.import_module(module.name)
        if not loaded.__doc__:
            silent.append(module.name)
    assert not silent


def python(code: str) -> str:
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True)
    return result.stdout


def test_import_brings_in_nothing_heavy():
    loaded = python(f"import leopardpop, sys; print([name for name in {HEAVY} if name in sys.modules])")
    assert loaded.strip() == "[]"


def test_the_command_lines_help_brings_in_nothing_heavy():
    code = f"import leopardpop.cli.app, sys; print([name for name in {HEAVY} if name in sys.modules])"
    assert python(code).strip() == "[]"


CLOCK = """
import subprocess, sys, time
def seconds(code):
    before = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True)
    return time.perf_counter() - before
best = {code: min(seconds(code) for _ in range(4)) for code in ("import numpy", "import numpy, leopardpop")}
print(best["import numpy, leopardpop"] - best["import numpy"], best["import numpy"])
"""


def test_import_is_light_beside_numpy():
    extra, numpy = map(float, python(CLOCK).split())
    assert extra <= max(0.3, numpy), f"leopardpop adds {extra:.2f} s to numpy's {numpy:.2f} s"


@pytest.mark.parametrize("name", ["__version__"])
def test_the_version_is_that_of_the_metadata(name):
    from importlib.metadata import version

    assert getattr(lp, name) == version("leopardpop")


def test_the_reference_lists_every_public_name():
    page = Path(__file__).parent.parent / "docs" / "reference" / "index.md"
    if not page.exists():
        assert "site-packages" in os.fspath(lp.__file__), "docs/reference/index.md is missing"
        pytest.skip("the documentation is not part of the wheel")
    listed = re.findall(r"^(?: {3}|\| \[`)(\w+)(?:$|`)", page.read_text(encoding="utf-8"), re.MULTILINE)
    missing = [name for name in OBJECTS if name not in listed]
    assert not missing
