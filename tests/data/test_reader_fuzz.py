"""Whatever the files hold: a result, or an error of ours; and every row that was read is in the audit once."""

from __future__ import annotations

import json
import os
import warnings
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import leopardpop as lp
from leopardpop.errors import LeopardpopError, LeopardpopWarning
from tests.data import test_camtrapr, test_history_readers, test_records, test_wildlife_insights

QUICK = settings(
    max_examples=int(os.environ.get("LEOPARDPOP_FUZZ", "20")),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)

CELLS = [
    *(
        "",
        " ",
        "NA",
        "nan",
        "None",
        "0",
        "1",
        "-1",
        "1.5",
        "1,5",
        "1e400",
        "inf",
        "-0",
        "0x10",
        "A",
        "Ä",
        "now",
        "today",
    ),
    *("2024-02-01", "2024-02-30", "01/02/2024", "31/12/2024", "2024-02-01 25:00", "9999-12-31", "0001-01-01", "39905"),
    *("2024-02-01T00:00:00Z", "2024-02-01T00:00:00+09:00", "1970-01-01 00:00", "24:00", "1:0:0 0:0:0", "+", "-"),
    *('"', "'", '""', "=1+1", "#REF!", "\t", ";", "/", "\u2028", "\ufeff", "1e9", "131.0", "43.0", "181", "é" * 50),
    *(
        "2024-02-01 00:00:00.123456789",
        "2024-02",
        "2024",
        "12:00",
        "d1",
        "B",
        "F1",
        "leopard",
        "true",
        "99999999999999999999",
    ),
]


def tables(*texts: str):
    """Good tables with a few cells, lines or characters changed."""
    return st.tuples(*(damaged(text) for text in texts))


@st.composite
def damaged(draw, text: str) -> bytes:
    lines = [line.split(",") for line in text.splitlines()]
    for _ in range(draw(st.integers(0, 3))):
        row = draw(st.integers(0, len(lines) - 1))
        change = draw(st.sampled_from(["cell", "cell", "cell", "cell", "remove", "repeat", "short", "long"]))
        column = draw(st.integers(0, max(len(lines[row]) - 1, 0)))
        if change == "cell" and lines[row]:
            lines[row][column] = draw(st.sampled_from(CELLS) | st.text(max_size=5))
        elif change == "remove" and len(lines) > 1:
            del lines[row]
        elif change == "repeat":
            lines.insert(row, list(lines[row]))
        elif change == "short":
            lines[row] = lines[row][:column]
        elif change == "long":
            lines[row] = [*lines[row], "x"]
    separator = draw(st.sampled_from([",", ",", ",", ";", "\t"]))
    end = draw(st.sampled_from(["\n", "\n", "\r\n", "\r"]))
    encoding = draw(st.sampled_from(["utf-8", "utf-8", "utf-8-sig", "utf-16", "latin-1"]))
    data = end.join(separator.join(line) for line in lines).encode(encoding, errors="replace")
    cut = draw(st.sampled_from([0, 0, 0, 0, 1, 7]))
    return data[: len(data) - cut] if cut else data


def write(folder: str, names: tuple[str, ...], contents: tuple[bytes, ...]) -> list[Path]:
    paths = [Path(folder, name) for name in names]
    for path, content in zip(paths, contents, strict=True):
        path.write_bytes(content)
    return paths


def attempt(read):
    """What is read, or None if it is refused in our words; any other exception is a fault."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LeopardpopWarning)
        try:
            return read()
        except LeopardpopError:
            return None


def check_audit(survey) -> None:
    if survey is None:
        return
    audit = survey.audit
    assert not audit.duplicated(["source", "line"]).any()
    assert set(audit["action"]) <= {"kept", "merged", "dropped"}
    assert (audit["action"] == "kept").sum() == len(survey.records)
    kept = audit[audit["action"] == "kept"]
    assert kept["line"].tolist() == survey.records["line"].tolist()
    assert (audit.loc[audit["action"] != "kept", "reason"] != "").all()


FORMATS = st.sampled_from(["%d/%m/%Y", "%m/%d/%Y", None, "%Y-%d-%m", "%d/%m/%Y %H:%M", "%", "%j", ""])
ZONES = st.sampled_from([None, None, "UTC+10:00", "Europe/Madrid", "Mars/Base"])


@QUICK
@given(tables(test_camtrapr.RECORDS, test_camtrapr.CAMERAS), FORMATS, ZONES)
def test_camtrapr_tables(contents, date_format, tz):
    with TemporaryDirectory() as folder:
        paths = write(folder, ("records.csv", "cameras.csv"), contents)
        check_audit(attempt(lambda: lp.read_camtrapr(*paths, date_format=date_format, tz=tz)))


@QUICK
@given(damaged("Station,camera,timeshift,sign\nA,,1:0:0 0:0:0,-\nB,,0:0:0 12:0:0,+\n"), ZONES)
def test_time_shifts(content, tz):
    with TemporaryDirectory() as folder:
        names = ("records.csv", "cameras.csv", "shifts.csv")
        good = (test_camtrapr.RECORDS.encode(), test_camtrapr.CAMERAS.encode())
        records, cameras, shifts = write(folder, names, (*good, content))
        options = {"date_format": "%d/%m/%Y", "tz": tz, "time_shifts": shifts}
        check_audit(attempt(lambda: lp.read_camtrapr(records, cameras, **options)))


@QUICK
@given(
    tables(
        test_records.RECORDS,
        test_records.DEPLOYMENTS,
        test_records.STATIONS,
        "deployment,station,start,end\nd1,,2024-02-05,2024-02-06\n,A,,\n",
    ),
    FORMATS,
    ZONES,
)
def test_plain_tables(contents, date_format, tz):
    with TemporaryDirectory() as folder:
        names = ("records.csv", "deployments.csv", "stations.csv", "failures.csv")
        *paths, failures = write(folder, names, contents)
        options = {"date_format": date_format, "tz": tz, "failures": failures}
        check_audit(attempt(lambda: lp.read_records(*paths, **options)))


@QUICK
@given(tables(test_wildlife_insights.DEPLOYMENTS, test_wildlife_insights.IMAGES, test_wildlife_insights.IMAGES), ZONES)
def test_exports_of_wildlife_insights(contents, tz):
    with TemporaryDirectory() as folder:
        write(folder, ("deployments.csv", "images_1.csv", "images_2.csv"), contents)
        check_audit(attempt(lambda: lp.read_wildlife_insights(folder, tz=tz)))


@QUICK
@given(tables(test_history_readers.EDF, test_history_readers.TDF), st.sampled_from(["proximity", "count", "multi"]))
def test_oscr(contents, detector):
    with TemporaryDirectory() as folder:
        edf, tdf = write(folder, ("edf.csv", "tdf.csv"), contents)
        attempt(lambda: lp.read_oscr(edf, tdf, detector=detector))


@QUICK
@given(tables(test_history_readers.CAPTURES, test_history_readers.TRAPS, test_history_readers.CELLS))
def test_spacecap(contents):
    with TemporaryDirectory() as folder:
        paths = write(folder, ("captures.csv", "traps.csv", "cells.csv"), contents)
        attempt(lambda: lp.read_spacecap(*paths))


@QUICK
@given(tables("; possums\n1 F1 1 A\n1 F1 3 B\n", "A 0 0\nB 30 0\n"))
def test_density(contents):
    with TemporaryDirectory() as folder:
        paths = write(folder, ("captures.txt", "traps.txt"), contents)
        attempt(lambda: lp.read_density(*paths))


SECR_META = {
    "captures.txt": {
        "detector": "proximity",
        "effort_unit": "day",
        "crs": "",
        "traps": {"1": "traps.txt"},
        "noncapt": "NONE",
        "text": ["sex"],
        "flanks": {"1": [["F1", "A", 1, 1, 0, 0]]},
    },
    "traps.txt": {
        "occasions": ["a", "b", "c"],
        "text": ["lure"],
        "occasion_start": ["2024-02-01T12:00", "2024-02-02T12:00", "2024-02-03T12:00"],
        "varying": {"rain": [1.0, None, 2.5], "bait": [["x", "y", None], ["x", "x", "x"]]},
    },
}
SECR_BODY = {
    "captures.txt": "# Session ID Occasion Detector sex\n1 F1 1 A F\n1 F1 3 B F\n",
    "traps.txt": "# Detector x y / lure\nA 0 0 1 1 1 / no\nB 2000 500 1 0 1 / yes\n",
}
WRONG = [
    *(None, True, 5, -1, 1.5, 10**30, float("nan"), float("inf"), "", "x", "2024-02-01", "../traps.txt", "/", "Mars:1"),
    *([], [1], ["x"], ["x", "x", "x"], [["x"]], [None], [[]], [[1, 2], [3]], ["2024-13-01"] * 3, ["9999-12-31"] * 3),
    *({}, {"1": 5}, {"1": []}, {"1": [1]}, {"1": [["F1"]]}, {"1": "x"}, {"": [1, 2, 3]}, {"1": {"1": 1}}),
    *({"1": [["F1", "A", 1, 10**30, 0, 0]]}, {"1": [[[], "A", 1, 0, 0, 0]]}, {"1": ["x", 1, None]}, {"x": [1, 2, 3]}),
    *({"1": [["F1", "A", 1, 9, 9, 9]]}, {"rain": [{}, {}, {}]}, {"rain": [1, 2, 3, 4]}, {"2": "traps.txt"}),
]


def write_secr_with(folder: str, file: str, key: str | None, value: object) -> Path:
    """Files as ``to_secr`` writes them, with one key of a comment changed."""
    for name, body in SECR_BODY.items():
        meta = SECR_META[name] | ({key: value} if name == file and key is not None else {})
        Path(folder, name).write_text(f"# leopardpop: {json.dumps(meta)}\n{body}", encoding="utf-8")
    return Path(folder, "captures.txt")


@pytest.mark.parametrize("file", SECR_META)
@pytest.mark.parametrize("value", WRONG, ids=repr)
def test_each_key_of_the_comment_in_files_of_secr_with_each_wrong_value(tmp_path, file, value):
    for key in SECR_META[file]:
        attempt(lambda key=key: lp.read_secr(write_secr_with(str(tmp_path), file, key, value)))


@QUICK
@given(st.sampled_from(sorted(SECR_META)), st.data())
def test_the_comment_in_files_of_secr(file, data):
    leaf = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.sampled_from(WRONG)
    value = data.draw(st.recursive(leaf, lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=3), inner)))
    with TemporaryDirectory() as folder:
        captures = write_secr_with(folder, file, data.draw(st.sampled_from(sorted(SECR_META[file]))), value)
        attempt(lambda: lp.read_secr(captures))


@QUICK
@given(st.sampled_from(sorted(SECR_META)), st.data())
def test_damaged_characters_of_that_comment(file, data):
    with TemporaryDirectory() as folder:
        captures = write_secr_with(folder, file, None, None)
        content = Path(folder, file).read_bytes()
        at = data.draw(st.integers(0, content.index(b"\n") - 1))
        byte = bytes([data.draw(st.integers(0, 255))])
        Path(folder, file).write_bytes(content[:at] + byte + content[at + 1 :])
        attempt(lambda: lp.read_secr(captures))


def test_what_is_damaged_here_is_read_when_it_is_whole(tmp_path):
    """Else the mutants would show nothing but one and the same refusal."""
    texts = {"edf": test_history_readers.EDF, "tdf": test_history_readers.TDF}
    texts |= {"captures": test_history_readers.CAPTURES, "traps": test_history_readers.TRAPS}
    texts |= {"cells": test_history_readers.CELLS}
    file = dict(zip(texts, write(str(tmp_path), tuple(texts), tuple(map(str.encode, texts.values()))), strict=True))
    assert lp.read_oscr(file["edf"], file["tdf"]).n_detections == 3
    history, mask = lp.read_spacecap(file["captures"], file["traps"], file["cells"])
    assert (history.n_detections, len(mask.table)) == (3, 3)
    history = lp.read_secr(write_secr_with(str(tmp_path), "traps.txt", None, None))
    assert (history.n_detections, history.effort["effort"].sum()) == (2, 5)
    assert history.detections["left"].tolist() == [1, 0]
    assert history.occasion_covariates["rain"].fillna(-1).tolist() == [1.0, -1, 2.5]


@QUICK
@given(st.binary(max_size=300), st.binary(max_size=300))
def test_bytes_of_no_meaning(one, other):
    with TemporaryDirectory() as folder:
        paths = write(folder, ("a.csv", "b.csv"), (one, other))
        for read in (lp.read_camtrapr, lp.read_records, lp.read_oscr, lp.read_spacecap, lp.read_density):
            attempt(lambda read=read: read(*paths))
        attempt(lambda: lp.read_wildlife_insights({"deployments": paths[0], "images": paths[1]}))
        Path(folder, "export.zip").write_bytes(b"PK\x03\x04" + one)
        attempt(lambda: lp.read_wildlife_insights(Path(folder, "export.zip")))
