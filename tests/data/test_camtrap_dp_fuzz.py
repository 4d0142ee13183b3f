"""Camtrap DP, spoilt at random: a result or an error of ours, and an audit that adds up."""

import io
import json
import warnings
import zipfile

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import leopardpop as lp
from leopardpop.errors import LeopardpopError, LeopardpopWarning
from tests.data.camtrap_packages import DEPLOYMENTS, MEDIA, OBSERVATIONS, descriptor, write_package

FUZZ = settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
OWN = {"crs": "EPSG:32652", "tz": "UTC+10:00", "own_clock": None, "types": {}}
TEXTS = {
    "deployments.csv": DEPLOYMENTS,
    "observations.csv": OBSERVATIONS,
    "media.csv": MEDIA + "m1,a1,timeLapse,2024-02-03T21:00:00+10:00,x/1.jpg,false,image/jpeg\n",
    "datapackage.json": json.dumps(descriptor(leopardpop=OWN)),
}
CELLS = st.sampled_from(
    [
        *(
            "",
            "NA",
            "nan",
            "-1",
            "0",
            "1e400",
            "inf",
            "1,5",
            "43°12'",
            "animal",
            "event",
            "media",
            "a1",
            "left",
            "flank:",
        ),
        *(
            "2024-02-30",
            "1970-01-01T00:00:00Z",
            "2024-02-05",
            "2024-02-05T12:00:00+99:99",
            "9999-12-31T23:59:59Z",
            "|:|",
        ),
        *('"', "\x00", "\ufeff", "Ω", "A" * 300, "=1+1", "'", "\\", "\r"),
    ]
)
OWN_TAGS = st.builds(
    "leopardpop.{}:{}".format,
    st.sampled_from(
        ["camera", "timestamp_ns", "timestamp", "start_ns", "end_ns", "line", "count", "deployment", "score", ""]
    ),
    st.sampled_from(["", "x", "-5", "1e30", "nan", "1", "%FF", "a1", "999999999"]),
)


def read(folder, **keywords):
    """Read a package: None if it is refused in our words; otherwise every row is in the audit once."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LeopardpopWarning)
        try:
            survey = lp.read_camtrap_dp(folder, **keywords)
        except LeopardpopError:
            return None
    assert set(survey.audit["action"]) <= {"kept", "merged", "dropped"}
    assert (survey.audit["action"] == "kept").sum() == len(survey.records)
    assert not survey.audit.duplicated(["source", "line"]).any()
    assert (survey.audit.loc[survey.audit["action"] != "kept", "reason"] != "").all()
    return survey


@st.composite
def spoilt_cells(draw):
    """A table with some cells replaced, rows doubled and columns left out."""
    name = draw(st.sampled_from(["deployments.csv", "observations.csv"]))
    rows = [line.split(",") for line in TEXTS[name].splitlines()]
    for _ in range(draw(st.integers(1, 4))):
        row = draw(st.integers(0, len(rows) - 1))
        rows[row][draw(st.integers(0, len(rows[row]) - 1))] = draw(CELLS)
    rows += [rows[i] for i in draw(st.lists(st.integers(1, len(rows) - 1), max_size=2))]
    gone = draw(st.none() | st.integers(0, len(rows[0]) - 1))
    kept = [[cell for i, cell in enumerate(row) if i != gone] for row in rows]
    return name, draw(st.sampled_from(["\n", "\r\n"])).join(map(",".join, kept)), len(rows) - 1


@FUZZ
@given(spoilt=spoilt_cells(), keywords=st.sampled_from([{}, {"tz": "Asia/Vladivostok"}, {"level": "media"}]))
def test_cells(spoilt, keywords, tmp_path_factory):
    name, text, n_rows = spoilt
    texts = TEXTS | {name: text}
    folder = write_package(
        tmp_path_factory.mktemp("cells"), *list(texts.values())[:3], description=texts["datapackage.json"]
    )
    survey = read(folder, **keywords)
    plain = '"' not in text and "\r" not in text.replace("\r\n", "")  # else rows may have become one, or two
    if survey is not None and plain and name == "observations.csv":
        assert len(survey.audit) == n_rows


@FUZZ
@given(tags=st.lists(OWN_TAGS, min_size=1, max_size=4), table=st.sampled_from(["deployments.csv", "observations.csv"]))
def test_tags_of_ours(tags, table, tmp_path_factory):
    texts = dict(TEXTS)
    if table == "observations.csv":
        texts[table] = texts[table].replace("F01,flank:left\n", f"F01,{' | '.join(tags)}\n")
    else:
        texts[table] = texts[table].replace("cameraID\n", "deploymentTags\n").replace(",c1", "," + " | ".join(tags))
    *tables, about = texts.values()
    about = json.dumps(descriptor(leopardpop=OWN | {"types": {"records.score": "int64", "deployments.score": "bool"}}))
    survey = read(write_package(tmp_path_factory.mktemp("tags"), *tables, description=about))
    assert survey is None or len(survey.audit) == 6


@FUZZ
@given(data=st.data())
def test_bytes(data, tmp_path_factory):
    name = data.draw(st.sampled_from(sorted(TEXTS)))
    content = bytearray(TEXTS[name].encode())
    for _ in range(data.draw(st.integers(1, 5))):
        at = data.draw(st.integers(0, len(content) - 1))
        piece = data.draw(st.binary(max_size=3))
        content[at : at + data.draw(st.integers(0, 3))] = piece
    folder = write_package(
        tmp_path_factory.mktemp("bytes"), *list(TEXTS.values())[:3], description=TEXTS["datapackage.json"]
    )
    (folder / name).write_bytes(content)
    read(folder)


@FUZZ
@given(data=st.data())
def test_archives(data, tmp_path_factory):
    buffer = io.BytesIO()
    with zipfile.ZipFile(
        buffer, "w", data.draw(st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED]))
    ) as archive:
        for name, text in TEXTS.items():
            archive.writestr(name, text)
    content = bytearray(buffer.getvalue())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(content) - 1))
        content[at] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.mktemp("zip") / "package.zip"
    path.write_bytes(content[: data.draw(st.just(len(content)) | st.integers(0, len(content)))])
    read(path)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.floats()
    | st.integers()
    | st.text(max_size=5)
    | st.sampled_from(["a", "deployments.csv"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["name", "path", "data", "schema"]), inner)
    ),
    max_leaves=5,
)


@FUZZ
@given(data=st.data())
def test_descriptors(data, tmp_path_factory):
    about = descriptor(leopardpop=dict(OWN))
    for _ in range(data.draw(st.integers(1, 3))):
        places = [about, about["leopardpop"], *about["resources"]]
        place = data.draw(st.sampled_from(range(len(places))))
        keys = ["profile", "name", "path", "data", "schema", "encoding", "dialect", "compression", "crs", "tz", "types"]
        key = data.draw(st.sampled_from([*keys, "own_clock", "leopardpop2"]))
        places[place][key] = data.draw(JSON)
    text = json.dumps(about)
    read(write_package(tmp_path_factory.mktemp("json"), *list(TEXTS.values())[:3], description=text))


@FUZZ
@given(rows=st.lists(st.tuples(CELLS, CELLS, CELLS, CELLS), max_size=3))
def test_failures(rows, tmp_path_factory):
    folder = tmp_path_factory.mktemp("failures")
    table = folder / "failures.csv"
    table.write_text("\n".join(["deployment,station,start,end", *map(",".join, rows)]) + "\n", encoding="utf-8")
    read(write_package(folder / "package"), failures=table)
