"""The house rules that no linter knows."""

import ast
import re
import statistics
import subprocess
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "leopardpop"
SOURCES = sorted(PACKAGE.rglob("*.py"))
TEXTS = {".cff", ".cfg", ".css", ".html", ".md", ".py", ".toml", ".txt", ".yaml", ".yml", ""}

pytestmark = pytest.mark.skipif(not SOURCES, reason="run against an installed wheel, without the sources")


def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [ROOT / name for name in listed.splitlines() if (ROOT / name).suffix in TEXTS and (ROOT / name).is_file()]


def functions() -> list[tuple[str, ast.FunctionDef]]:
    return [
        (f"{path.relative_to(ROOT)}:{node.lineno} {node.name}", node)
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef)
    ]


def body_lines(node: ast.FunctionDef) -> int:
    body = node.body[1:] if ast.get_docstring(node) else node.body
    return body[-1].end_lineno - body[0].lineno + 1 if body else 0


def parameters(node: ast.FunctionDef) -> int:
    return len(node.args.posonlyargs) + len(node.args.args) + len(node.args.kwonlyargs)


def test_functions_are_short():
    lengths = sorted(body_lines(node) for _, node in functions())
    assert statistics.median(lengths) <= 8
    assert lengths[int(0.95 * (len(lengths) - 1))] <= 40


def test_modules_are_short():
    long = {
        str(path.relative_to(ROOT)): n for path in SOURCES if (n := path.read_text(encoding="utf-8").count("\n")) > 400
    }
    assert not long


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_library_code_has_no(path):
    faults = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Assert):
            faults.append(f"{node.lineno}: assert")
        elif isinstance(node, ast.Call) and getattr(node.func, "id", "") == "print":
            faults.append(f"{node.lineno}: print")
        elif isinstance(node, ast.ExceptHandler) and all(isinstance(line, ast.Pass) for line in node.body):
            faults.append(f"{node.lineno}: swallowed exception")
        elif isinstance(node, ast.Raise) and "NotImplementedError" in ast.unparse(node):
            faults.append(f"{node.lineno}: NotImplementedError")
    assert not faults


def test_nothing_is_left_for_later():
    mark = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X)\b")
    assert not [str(path) for path in tracked() if mark.search(path.read_text(encoding="utf-8"))]


def test_no_file_names_a_machine():
    pattern = re.compile(r"/(wo" r"rk|ro" r"ot|ho" r"me)/\w|[.]lib" r"rary|https?://[\w.:-]*(simple|pypi)/")
    faults = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in tracked()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if pattern.search(line)
    ]
    assert not faults


def test_the_readme_and_the_server_run_the_same_command():
    command = "pip install uv && uv run pytest"
    assert command in (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert command in (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_version_is_one():
    version = re.search(r'"(.+)"', (PACKAGE / "_version.py").read_text(encoding="utf-8").split("=", 1)[1])[1]
    assert f"version: {version}" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"## {version}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_every_exemption_from_warnings_is_explained():
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    block = text[text.index("filterwarnings = [") :]
    lines = block[: block.index("\n]")].splitlines()[1:]
    exempt = [n for n, line in enumerate(lines) if line.strip().startswith('"ignore')]
    assert all("#" in lines[n] or lines[n - 1].strip().startswith("#") for n in exempt)


def test_the_settings_are_strict():
    table = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
    assert table["mypy"]["strict"]
    assert table["pytest"]["ini_options"]["filterwarnings"][0] == "error"
    assert table["pytest"]["ini_options"]["xfail_strict"]


def test_the_wheel_has_the_package_and_nothing_else(tmp_path):
    built = subprocess.run(
        ["uv", "build", "--wheel", "--quiet", "--out-dir", str(tmp_path), str(ROOT)], capture_output=True, text=True
    )
    assert built.returncode == 0, built.stderr
    (wheel,) = tmp_path.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    packaged = {name for name in names if ".dist-info/" not in name}
    assert packaged == {
        str(path.relative_to(ROOT)) for path in PACKAGE.rglob("*") if path.is_file() and "__pycache__" not in path.parts
    }
    assert "leopardpop/py.typed" in packaged
    assert any(name.endswith("licenses/LICENSE") for name in names)


def test_linear_algebra_has_one_thread_in_tests():
    """Sums in another order are other numbers; the tests compare to the last digits."""
    import numpy as np
    from threadpoolctl import threadpool_info

    assert np.ones((2, 2)) @ np.ones(2) is not None
    assert {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"} == {1}


def test_numbers_are_written_in_one_place():
    """Digits, thousands and percent signs of what people read belong to ``words``: two homes would drift apart."""
    faces = ("cli", "report", "plots", "results")
    written = re.compile(r"\{[^{}]*:(?:[+,.\d]*%|,\.\d+[fg])\}")
    faults = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in SOURCES
        if path.relative_to(PACKAGE).parts[0] in faces
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if written.search(line)
    ]
    assert not faults
