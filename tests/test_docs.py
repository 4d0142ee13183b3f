"""The documentation's code runs, page by page, in the order in which a reader meets it."""

import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parent.parent / "docs"
NOT_RUN = "<!-- not run"
BLOCK = re.compile(r"(<!-- not run[^>]*-->\n)?^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
SHOWN = re.compile(r"^```\{code-block\} text\n:caption: (\S+\.csv)\n(.*?)^```", re.MULTILINE | re.DOTALL)
PAGES = sorted(
    path for path in DOCS.rglob("*.md") if "_build" not in path.parts and BLOCK.search(path.read_text("utf-8"))
)

CAPTURES = "individual,station,occasion\nF1,A03,1\nF1,A01,1\nM2,A01,1\nM2,A03,1\nF1,A01,1\n"
STATIONS = "station,x,y,days\nA01,521999,4084815,11\nA02,512055,4079034,14\nA03,518210,4081777,9\n"
SECR_CAPTURES = "# session id occasion station\n" + "".join(
    f"stoats F{n} {occasion} {station}\n"
    for n in range(9)
    for occasion, station in ((n % 5 + 1, f"{n % 3}-{n % 4}"), ((n + 2) % 5 + 1, f"{(n + 1) % 3}-{n % 4}"))
)
SECR_TRAPS = "# station x y\n" + "".join(f"{i}-{j} {250 * i} {250 * j}\n" for i in range(4) for j in range(4))


@pytest.fixture
def page_folder(tmp_path, monkeypatch, request):
    """The files that the pages talk about, and no other; of the first page those that it shows."""
    shown = tables_of(request.getfixturevalue("page")) if "page" in request.fixturenames else {}
    files = {
        "captures.csv": CAPTURES,
        "stations.csv": STATIONS,
        "captures.txt": SECR_CAPTURES,
        "traps.txt": SECR_TRAPS,
    }
    for name, text in (files | shown).items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_tables_of_the_first_page_are_shown():
    if DOCS.exists():
        assert set(tables_of(DOCS / "start.md")) == {"captures.csv", "stations.csv"}


def tables_of(page):
    """Tables that a page shows, by the name of the file above them."""
    return dict(SHOWN.findall(page.read_text("utf-8")))


@pytest.mark.filterwarnings("ignore::leopardpop.errors.LeopardpopWarning")  # the pages' tiny tables deserve them
@pytest.mark.parametrize(
    "page",
    [
        pytest.param(page, marks=pytest.mark.verification if page.stem == "comparing" else (), id=page.stem)
        for page in PAGES
    ],
)
def test_the_code_of_the_page_runs(page, page_folder):
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("agg")
    namespace = {"__name__": "page"}
    for skipped, code in BLOCK.findall(page.read_text(encoding="utf-8")):
        if not skipped:
            exec(compile(code, page.name, "exec"), namespace)


def test_pages_were_found():
    assert PAGES or not DOCS.exists()


def test_pages_need_no_network():
    """Equations are MathML, and nothing is fetched from elsewhere when a page is read."""
    conf = (DOCS / "conf.py").read_text(encoding="utf-8")
    assert 'html_math_renderer = "mathml"' in conf
    assert not re.search(r"mathjax|https?://|\bcdn\b", conf)


def test_the_number_of_published_fits_is_that_of_the_list():
    from leopardpop.checks.known.secr_fits import FITS

    for page, words in (("evidence.md", "there are {} published fits"), ("paper/paper.md", "estimates of {} fits")):
        assert words.format(len(FITS)) in (DOCS / page).read_text(encoding="utf-8"), page
