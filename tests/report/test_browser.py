"""The page in a real browser: it renders, prints, asks for nothing, and names of strangers stay text."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

import leopardpop as lp
from tests.results import made

BROWSER = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
)
pytestmark = pytest.mark.skipif(BROWSER is None, reason="there is no Chromium on this machine")
HOSTILE = '<img src=x onerror=document.title="taken">'


def browse(tmp_path: Path, page: Path, *options: str) -> subprocess.CompletedProcess:
    """Open a page without a network; what its console says is on standard error."""
    own = [f"--user-data-dir={tmp_path / 'profile'}", "--headless=new", "--no-sandbox", "--disable-gpu"]
    own += ["--disable-dev-shm-usage", "--enable-logging=stderr", "--host-resolver-rules=MAP * ~NOTFOUND"]
    command = [str(BROWSER), *own, *options, page.resolve().as_uri()]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)


@pytest.fixture(scope="module")
def page(tmp_path_factory) -> Path:
    """A report of a survey whose stations are named by an attacker."""
    history = made.history("null")
    detections = history.detections[["individual", "station", "occasion", "count"]]
    rename = {str(name): f"{HOSTILE}{i}" for i, name in enumerate(history.stations["station"])}
    hostile = lp.CaptureHistory.from_tables(
        detections.assign(station=detections["station"].map(rename)),
        made.stations("1").drop(columns="session").replace({"station": rename}),
        occasions=6,
        effort_unit="day",
    )
    fit = made.quiet(lambda: lp.SCR().fit(hostile, made.mask(), seed=1, draws=300))
    folder = tmp_path_factory.mktemp("page")
    return made.quiet(lambda: fit.report(folder / "report.html", coordinates="exact", note=HOSTILE))


def test_it_renders_without_a_word_in_the_console(page, tmp_path):
    opened = browse(tmp_path, page, "--dump-dom", "--virtual-time-budget=5000")
    assert "How many animals" in opened.stdout
    assert opened.stdout.count("<figure") >= 3
    assert "onerror" in opened.stdout  # the names are there, as text
    assert "<title>taken" not in opened.stdout
    assert "<img src=x" not in opened.stdout
    console = [line for line in opened.stderr.splitlines() if ":CONSOLE" in line]
    assert console == []


def test_it_asks_for_nothing(page, tmp_path):
    log = tmp_path / "net.json"
    browse(tmp_path, page, "--dump-dom", f"--log-net-log={log}")
    assert asked_for(log) == set()
    curious = tmp_path / "curious.html"  # an eye outside would be seen
    curious.write_text('<!DOCTYPE html><title>eye</title><img src="https://example.org/eye.png">', encoding="utf-8")
    browse(tmp_path, curious, "--dump-dom", f"--log-net-log={log}")
    assert asked_for(log) == {"https://example.org/eye.png"}


def asked_for(log: Path) -> set[str]:
    """Addresses that a page asked for, without those of the browser itself."""
    asked = set(re.findall(r'"url":"(https?://[^"]*)"', log.read_text(encoding="utf-8")))
    return {url for url in asked if "google" not in url and "gvt1" not in url}


def test_it_prints(page, tmp_path):
    target = tmp_path / "report.pdf"
    browse(tmp_path, page, f"--print-to-pdf={target}")
    content = target.read_bytes()
    assert content.startswith(b"%PDF")
    assert len(re.findall(rb"/Type\s*/Page\b", content)) >= 3
