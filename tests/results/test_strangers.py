"""A stranger can seal a file as well as we do: what is in it is refused in our words, or it is a fit that works.

Damage is in test_damaged_files; here the seal is right and the content is not.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
import time
import tracemalloc
from functools import cache

import h5py
import numpy as np
import pytest
import xarray as xr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import leopardpop as lp
from leopardpop.errors import DataError, LeopardpopError
from leopardpop.results import storage
from leopardpop.results.storage import _for_file
from tests.results import made

QUICK = settings(
    max_examples=int(os.environ.get("LEOPARDPOP_FUZZ", "25")),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
HOSTILE = (
    *("", "x", "null", "[]", "{}", "5", "NaN", "true", "[[1]]", '[{"a": 1}]', '{"family": 5}', '{"family": ["SCR"]}'),
    *('{"family": "SCR"}', '{"family": "os.system"}', "os.system", "../../etc/passwd", "file:///etc/passwd", "a\tb"),
    *("<script>alert(1)</script>", "http://127.0.0.1:9/x", "9" * 5_000, "[" * 20_000, '{"a":' * 20_000, "x" * 70_000),
    *(5, -1, 1e308),
)
USED = ("model_json", "diagnostics_json", "audit_json", "options_json", "seed", "crs", "coordinates", "pareto_k")


@cache
def few_draws() -> xr.DataTree:
    """The tree of a fit with a few draws only, so that many can be written."""
    tree = made.fit("null").data_tree
    groups = {name: node.to_dataset() for name, node in tree.children.items()}
    cut = {name: data.isel(draw=slice(0, 20)) if "draw" in data.dims else data for name, data in groups.items()}
    copy = xr.DataTree.from_dict(cut)
    copy.attrs = dict(tree.attrs)
    return copy


def small() -> xr.DataTree:
    return few_draws().copy()


def sealed(tree: xr.DataTree, path):
    """Written as a fit is, seal included."""
    _for_file(tree).to_netcdf(path, engine="h5netcdf")
    return path


def load(given):
    """What is read of a path or a tree, once looked at; None if it is refused in our words."""
    try:
        fit = storage._checked(given, "fit.nc", ()) if isinstance(given, xr.DataTree) else lp.load_fit(given)
        _ = fit.findings, fit.seed, fit.trusted, fit.model, fit.history
    except LeopardpopError as error:
        return None if len(str(error)) < 7_000 else pytest.fail("a message without end")
    assert "<script" not in fit._repr_html_()
    return fit


def with_attr(name, value):
    tree = small()
    tree.attrs = {**tree.attrs, name: value}
    return tree


def test_what_is_changed_here_is_a_fit_when_it_is_not(tmp_path):
    assert load(sealed(small(), tmp_path / "fit.nc")) is not None


@pytest.mark.parametrize("name", USED)
def test_hostile_attributes(name):
    found = [load(with_attr(name, value)) for value in HOSTILE]
    if name.endswith("_json"):
        assert sum(fit is None for fit in found) >= 15


@pytest.mark.parametrize("name", ["model_json", "diagnostics_json", "audit_json"])
def test_json_that_is_deep_is_refused(name, tmp_path):
    with pytest.raises(DataError, match=r"fit.nc is damaged \(RecursionError"):
        lp.load_fit(sealed(with_attr(name, "[" * 200_000), tmp_path / "fit.nc"))


def with_detections(name, value):
    tree = small()
    data = tree["observed_data"].to_dataset()
    tree["observed_data"] = xr.DataTree(
        data.assign({name: data[name].copy(data=np.full_like(data[name].values, value))})
    )
    return tree


@pytest.mark.parametrize("name", ["n_occasions", "detection_station", "detection_occasion", "detection_individual"])
def test_positions_beyond_the_tables_are_refused(name):
    with pytest.raises(DataError, match=f"{name} has 1000000000000 at position 0"):
        storage._checked(with_detections(name, 10**12), "fit.nc", ())


def test_a_family_that_is_none_is_refused():
    text = json.dumps({**json.loads(small().attrs["model_json"]), "family": "os"})
    with pytest.raises(DataError, match="'os' is no family of models"):
        storage._checked(with_attr("model_json", text), "fit.nc", ())


def test_no_diagnostics_is_no_trust():
    with pytest.raises(DataError, match="no diagnostics"):
        storage._checked(with_attr("diagnostics_json", "[]"), "fit.nc", ())


def test_options_that_a_file_has_elsewhere_are_refused():
    with pytest.raises(DataError, match="options_json are not those of a fit"):
        storage._checked(with_attr("options_json", '{"draws": {"a": 1}}'), "fit.nc", ())


LEAF = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(HOSTILE[:18])
JSON = st.recursive(LEAF, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner))


def places(record, path=()):
    """Every place in nested JSON."""
    yield path
    items = record.items() if isinstance(record, dict) else enumerate(record) if isinstance(record, list) else ()
    for key, value in items:
        yield from places(value, (*path, key))


def replaced(record, path, value):
    if not path:
        return value
    copy = record.copy()
    copy[path[0]] = replaced(record[path[0]], path[1:], value)
    return copy


@QUICK
@given(st.data())
def test_any_place_of_the_model_or_of_the_diagnostics(data):
    name = data.draw(st.sampled_from(["model_json", "diagnostics_json"]))
    record = json.loads(made.fit("null").data_tree.attrs[name])
    path = data.draw(st.sampled_from(list(places(record))))
    changed = json.dumps(replaced(record, path, data.draw(JSON)))
    load(with_attr(name, changed))


@QUICK
@given(st.data())
def test_arrays_that_are_gone_or_of_another_kind(data):
    tree = small()
    groups = {name: node.to_dataset() for name, node in tree.children.items()}
    name = data.draw(st.sampled_from(sorted(groups)))
    variable = data.draw(st.sampled_from(sorted(map(str, groups[name].variables))))
    change = data.draw(st.sampled_from(["gone", "text", "nan", "huge", "short", "group"]))
    if change == "group":
        del groups[name]
    elif change == "short":
        dims = groups[name].variables[variable].dims
        groups[name] = groups[name].isel({dims[0]: slice(0, 1)}) if dims else groups[name]
    elif change == "gone":
        groups[name] = groups[name].drop_vars(variable)
    else:
        value = {"text": "<b>", "nan": np.nan, "huge": 1e300}[change]
        old = groups[name].variables[variable]
        groups[name] = groups[name].assign({variable: (old.dims, np.full(old.shape, value))})
    changed = xr.DataTree.from_dict(groups)
    changed.attrs = dict(tree.attrs)
    load(changed)


def test_other_files_that_are_deep(tmp_path):
    """Calibrations, folders of runs and TOML: nesting without end is told as damage, as any other is."""
    from leopardpop.cli.analysis import parse_analysis
    from leopardpop.runs import open_folder

    deep = tmp_path / "about.json"
    deep.write_text("[" * 100_000)
    with pytest.raises(DataError, match="holds no calibration"):
        lp.Calibration.load(deep)
    with pytest.raises(DataError, match="it is not of a run"):
        open_folder(tmp_path, {})
    with pytest.raises(DataError, match="is not TOML"):
        parse_analysis("a=" + "[" * 100_000, tmp_path / "analysis.toml")


# -- links, cycles, memory --------------------------------------------------------------------------------------------
def test_groups_in_circles_and_depths_that_nobody_looks_into(tmp_path):
    """Six names of a group in itself are 1.7 million paths eight steps long."""
    path, secret = tmp_path / "fit.nc", tmp_path / "secret.h5"
    with h5py.File(secret, "w") as file:
        file["salary"] = np.arange(3.0)
    for make in (_circle, lambda file: _deep(file, secret)):
        with h5py.File(sealed(small(), path), "r+") as file:
            make(file)
        began = time.perf_counter()
        with pytest.raises(DataError, match="lies deeper than any group of a fit"):
            lp.load_fit(path)
        assert time.perf_counter() - began < 5.0


def _circle(file):
    group = file.create_group("circle")
    for i in range(6):
        group[str(i)] = group


def _deep(file, secret):
    file.create_group("/".join("g" * 12))["far"] = h5py.ExternalLink(str(secret), "/salary")


def test_very_many_groups(tmp_path):
    with h5py.File(sealed(small(), tmp_path / "fit.nc"), "r+") as file:
        for i in range(5_001):
            file.create_group(f"many/{i}")
    with pytest.raises(DataError, match="more than 5,000 objects"):
        lp.load_fit(tmp_path / "fit.nc")


@pytest.mark.verification
def test_memory_is_bounded_by_the_size_of_the_file(tmp_path):
    """Zeros, packed a thousand to one, within what a file may declare: the bound of the docs holds for what is read."""
    tree = small()
    tree["more"] = xr.DataTree(xr.Dataset({"zeros": ("i", np.zeros(11_000_000))}))
    packed = {"/more": {"zeros": {"zlib": True, "complevel": 9}}}
    _for_file(tree).to_netcdf(tmp_path / "fit.nc", engine="h5netcdf", encoding=packed)
    size = (tmp_path / "fit.nc").stat().st_size
    assert size < 1e6
    tracemalloc.start()
    load(tmp_path / "fit.nc")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3 * (200 * size + 100e6)


# -- nothing is opened, asked or run ----------------------------------------------------------------------------------
WATCHED = textwrap.dedent("""
    import sys
    import leopardpop as lp
    from tests.results import test_strangers as ours
    folder, seen = sys.argv[1], []
    lp.load_fit(f"{folder}/good.nc")._repr_html_()
    lp.load_fit(f"{folder}/good.nc").model  # so that everything of ours has been imported

    def watch(event, arguments):
        if event.split(".")[0] in ("socket", "subprocess", "os", "shutil", "urllib", "ctypes", "pickle", "exec"):
            if event not in ("os.listdir", "os.scandir") and event != "exec":
                seen.append((event, str(arguments)[:200]))
        if event == "open" and not str(arguments[0]).startswith(folder):
            seen.append((event, str(arguments)[:200]))
        if event == "import" and "stranger" in str(arguments[0]):
            seen.append((event, str(arguments)[:200]))

    sys.addaudithook(watch)
    import pathlib
    for path in sorted(pathlib.Path(folder).glob("bad*.nc")):
        ours.load(path)
    own = [s for s in seen if not (s[0] == "open" and s[1].split("'")[1].endswith((".py", ".pyc")))]
    assert not own, own
""")


@pytest.mark.verification
def test_no_name_is_imported_no_file_opened_and_no_host_asked(tmp_path):
    good = json.loads(made.fit("null").data_tree.attrs["model_json"])
    (tmp_path / "stranger.py").write_text("raise SystemExit(3)\n")
    changes = [
        {"family": "stranger"},
        {"family": "stranger.Model"},
        {"detection": {"component": "stranger.Kernel", "fields": {}}},
        {"detection": {"component": "HalfNormal", "fields": {"lambda0": "~ np.load('/etc/passwd')"}}},
        {"detection": {"component": "HalfNormal", "fields": {"sigma": "~ __import__('stranger').x"}}},
        {"density": {"component": "LogLinear", "fields": {"D": "~ open('/etc/passwd').read()"}}},
        {"priors": {"foreign": {}, "priors": {"D": {"stranger": {"mu": 0}}}}},
        {"priors": {"foreign": {}, "priors": {"D": {"sample": {"mu": "http://127.0.0.1:9/"}}}}},
        {"distance": {"component": "stranger", "resistance": "~ x", "barriers": None, "landscape": None}},
    ]
    for i, change in enumerate(changes):
        sealed(with_attr("model_json", json.dumps({**good, **change})), tmp_path / f"bad{i}.nc")
    sealed(with_attr("crs", "http://127.0.0.1:9/crs"), tmp_path / "bad_crs.nc")
    sealed(small(), tmp_path / "good.nc")
    paths = os.pathsep.join([str(tmp_path), *sys.path])
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", WATCHED, str(tmp_path)],
        env={**os.environ, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2_000:]
