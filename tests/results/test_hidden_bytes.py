"""What is shared without positions: no coordinate is in its bytes, in any form in which one is written down."""

from __future__ import annotations

import base64
import re
import struct
import zlib
from functools import cache

import h5py
import numpy as np
import pandas as pd
import pytest

import leopardpop as lp
from tests.results import made

CRS = "EPSG:32652"
KINDS = ("scr", "sites")


@cache
def places() -> np.ndarray:
    """Stations, (25, 2), at distances from each other that are no round numbers."""
    rng = np.random.default_rng(8)
    table = made.stations("1")
    return table[["x", "y"]].to_numpy() + rng.uniform(-200, 200, (len(table), 2))


@cache
def fit(kind: str):
    table = pd.DataFrame({"station": [f"Lair {i}" for i in range(25)], "x": places()[:, 0], "y": places()[:, 1]})
    if kind == "sites":
        model = lp.Occupancy(psi="~ easting")
        design = lp.DetectionHistory.from_tables(np.ones((25, 6)), table.rename(columns={"station": "site"}), crs=CRS)
        truth = {"psi": 0.6, "psi[easting]": 1e-4, "p": 0.4}
        return made.quiet(lambda: model.fit(model.simulate(design, parameters=truth, seed=1).history, seed=1, draws=50))
    model = lp.SCR(density="~ x")
    design = lp.CaptureHistory.from_tables(None, table, occasions=6, effort_unit="day", crs=CRS)
    mask = lp.Mask.around(design, buffer=4_000, spacing=800)
    sim = model.simulate(design, mask, parameters=made.TRUTH | {"D[x]": 1e-5}, seed=1)
    return made.quiet(lambda: model.fit(sim.history, mask, seed=1, draws=50))


@cache
def needles() -> list[bytes]:
    """Coordinates in metres and degrees as numbers of eight and four bytes, and as text to a metre."""
    import pyproj

    to_degrees = pyproj.Transformer.from_crs(CRS, "EPSG:4326", always_xy=True)
    degrees = np.column_stack(to_degrees.transform(*places().T))
    numbers = [*places().ravel(), *degrees.ravel()]
    forms = [struct.pack(kind, number) for number in numbers for kind in ("<d", ">d", "<f", ">f")]
    texts = [f"{cut(x):.0f}" for x in places().ravel() for cut in (np.round, np.floor)]
    texts += [f"{x / 1000:.3f}" for x in places().ravel()] + [f"{x:,.0f}" for x in places().ravel()]
    texts += [f"{x:.5f}" for x in degrees.ravel()]
    return [*forms, *(text.encode() for text in texts)]


def found(content: bytes) -> list[bytes]:
    return [needle for needle in needles() if needle in content]


def unpacked(path) -> bytes:
    """A file with all that is packed in it: arrays and attributes of HDF5."""
    parts = [path.read_bytes()]

    def visit(_name, item):
        parts.extend(repr(value).encode() for value in item.attrs.values())
        if isinstance(item, h5py.Dataset):
            values = item[()]
            parts.append(values.tobytes() if values.dtype.kind != "O" else repr(values.tolist()).encode())

    with h5py.File(path, "r") as file:
        parts.extend(str(value).encode() for value in file.attrs.values())
        file.visititems(visit)
    return b"\n".join(parts)


@pytest.mark.parametrize("kind", KINDS)
def test_no_coordinate_is_in_the_bytes_of_a_hidden_copy(kind, tmp_path):
    exact = found(unpacked(fit(kind).save(tmp_path / "exact.nc")))
    assert len(exact) >= 50, "the search finds what is there"
    assert found(unpacked(fit(kind).save(tmp_path / "shared.nc", coordinates="hidden"))) == []


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_in_a_hidden_copy_goes_with_the_places(kind, tmp_path):
    """Not moved, not turned, not scaled: no array over stations or sites is a line through their coordinates."""
    shared = lp.load_fit(fit(kind).save(tmp_path / "shared.nc", coordinates="hidden")).data_tree
    n, checked = len(places()), 0
    for node in shared.children.values():
        for variable in node.to_dataset().variables.values():
            if n not in variable.shape or variable.dtype.kind != "f":
                continue
            rows = np.moveaxis(variable.values, variable.shape.index(n), 0).reshape(n, -1)
            rows = rows[:, np.isfinite(rows).all(0) & (np.ptp(rows, axis=0) > 0)]
            for row, place in ((row, place) for row in rows.T[:200] for place in places().T):
                checked += 1
                assert abs(np.corrcoef(row, place)[0, 1]) < 0.8
    assert checked > (100 if kind == "sites" else -1)


def test_the_outline_of_the_mask_is_not_in_a_hidden_copy(tmp_path):
    """A mask made around stations is a union of discs, and its edge tells where they stand."""
    shared = lp.load_fit(fit("scr").save(tmp_path / "shared.nc", coordinates="hidden")).data_tree["constant_data"]
    assert np.isnan(shared["x"]).all()
    assert np.isnan(shared["y"]).all()
    over_cells = [name for name, variable in shared.data_vars.items() if "cell" in variable.dims]
    known = {"x", "y", "area"}
    assert {n for n in over_cells if shared[n].dtype.kind == "f" and np.ptp(shared[n].values) > 0} <= known
    corners = fit("scr").mask.table[["x", "y"]].to_numpy()[[0, -1]].ravel()
    content = unpacked(tmp_path / "shared.nc")
    assert not [x for x in corners for kind in ("<d", ">d", "<f", ">f") if struct.pack(kind, x) in content]


@pytest.mark.verification
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["report.html", "report.md"])
def test_no_coordinate_is_in_a_report(kind, name, tmp_path):
    fit(kind).report(tmp_path / name)
    pieces = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    text = (tmp_path / name).read_text(encoding="utf-8")
    pieces += [base64.b64decode(each) for each in re.findall(r"base64,([A-Za-z0-9+/=]+)", text)]
    assert len(pieces) > 2
    pieces += [inflated(piece) for piece in pieces if piece.startswith(b"\x89PNG")]
    assert [hit for piece in pieces for hit in found(piece)] == []
    assert not re.search(r"Lair \d|32652", text)


def inflated(png: bytes) -> bytes:
    """Pixels of a PNG."""
    at, data = 8, b""
    while at < len(png):
        size = int.from_bytes(png[at : at + 4], "big")
        data += png[at + 8 : at + 8 + size] if png[at + 4 : at + 8] == b"IDAT" else b""
        at += size + 12
    return zlib.decompress(data)
