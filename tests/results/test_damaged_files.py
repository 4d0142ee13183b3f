"""A file of a fit that was damaged, cut, killed or made by a stranger is refused, or it is the fit that was saved."""

from __future__ import annotations

import contextlib
import itertools
import os
import random
import signal
import subprocess
import sys
import textwrap
import time
import tracemalloc
import warnings

import h5py
import numpy as np
import pytest

import leopardpop as lp
from leopardpop.errors import DataError
from tests.results import made


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    path = made.fit("null").save(tmp_path_factory.mktemp("saved") / "fit.nc")
    return path, path.read_bytes()


def refused_or_the_same(path) -> bool:
    """Whether a file was refused; what was read must be what was saved, to the last bit."""
    try:
        again = lp.load_fit(path)
    except DataError:
        return True
    assert again.data_tree.identical(made.fit("null").data_tree)
    return False


# -- damage -----------------------------------------------------------------------------------------------------------
def test_cut_anywhere(saved, tmp_path):
    path, content = tmp_path / "cut.nc", saved[1]
    for share in np.linspace(0.0, 0.999, 25):
        path.write_bytes(content[: int(share * len(content))])
        assert refused_or_the_same(path)


@pytest.mark.parametrize("seed", range(4))
def test_bytes_that_were_flipped(saved, tmp_path, seed):
    chance, refused = random.Random(seed), 0
    for _ in range(12):
        content = bytearray(saved[1])
        for _ in range(chance.choice((1, 1, 30))):
            content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
        (tmp_path / "flipped.nc").write_bytes(bytes(content))
        refused += refused_or_the_same(tmp_path / "flipped.nc")
    assert refused >= 3


def test_one_digit_that_changed_is_found(saved, tmp_path):
    path = tmp_path / "changed.nc"
    path.write_bytes(saved[1])
    with h5py.File(path, "r+") as file:
        file["posterior/D"][0, 0] = np.nextafter(file["posterior/D"][0, 0], np.inf)
    with pytest.raises(DataError, match="/posterior differs from what") as caught:
        lp.load_fit(path)
    assert caught.value.offenders == ["/posterior"]


def test_a_file_without_a_seal(saved, tmp_path):
    path = tmp_path / "bare.nc"
    path.write_bytes(saved[1])
    with h5py.File(path, "r+") as file:
        for name in [name for name in file.attrs if name.startswith("seal_json")]:
            del file.attrs[name]
    with pytest.raises(DataError, match="has no seal"):
        lp.load_fit(path)


def test_what_others_add_does_not_break_it(saved, tmp_path):
    path = tmp_path / "more.nc"
    path.write_bytes(saved[1])
    with h5py.File(path, "r+") as file:
        file.create_group("notes_of_mine").attrs["read_by"] = "me"
    assert lp.load_fit(path).posterior.identical(made.fit("null").posterior)


# -- strangers --------------------------------------------------------------------------------------------------------
def test_a_file_that_points_elsewhere(saved, tmp_path):
    secret = tmp_path / "secret.h5"
    with h5py.File(secret, "w") as file:
        file["salary"] = np.arange(3.0)
    makers = {
        "points to": lambda file: file.__setitem__("posterior/more", h5py.ExternalLink(str(secret), "/salary")),
        "posterior/soft": lambda file: file.__setitem__("posterior/soft", h5py.SoftLink("/posterior/D")),
        "kept in other files": lambda file: file.create_virtual_dataset("posterior/virtual", _elsewhere(secret)),
    }
    for words, make in makers.items():
        path = tmp_path / "pointing.nc"
        path.write_bytes(saved[1])
        with h5py.File(path, "r+") as file:
            make(file)
        with pytest.raises(DataError, match=words):
            lp.load_fit(path)


def _elsewhere(path):
    layout = h5py.VirtualLayout(shape=(3,), dtype="f8")
    layout[:] = h5py.VirtualSource(str(path), "salary", shape=(3,))
    return layout


def test_a_file_that_would_fill_the_memory(saved, tmp_path):
    path = tmp_path / "bomb.nc"
    path.write_bytes(saved[1])
    with h5py.File(path, "r+") as file:
        file.create_dataset("posterior/bomb", shape=(10**6, 10**6), dtype="f8", chunks=(1000, 1000), fillvalue=1.0)
    tracemalloc.start()
    with pytest.raises(DataError, match=r"declares 8,000 GB in .* MB"):
        lp.load_fit(path)
    assert tracemalloc.get_traced_memory()[1] < 20e6
    tracemalloc.stop()


def test_a_file_of_very_many_objects(saved, tmp_path):
    path = tmp_path / "many.nc"
    path.write_bytes(saved[1])
    with h5py.File(path, "r+") as file:
        for i in range(5_001):
            file[f"many/{i}"] = 0.0
    with pytest.raises(DataError, match="more than 5,000 objects"):
        lp.load_fit(path)


# -- killed -----------------------------------------------------------------------------------------------------------
SCRIPT = """
import os, signal, sys
import leopardpop as lp, xarray as xr
from pathlib import Path
moment, source, target = sys.argv[1:]
fit = lp.load_fit(source)
write, replace = xr.DataTree.to_netcdf, Path.replace
kill = lambda: os.kill(os.getpid(), signal.SIGKILL)

def half(self, name, **options):
    write(self, name, **options)
    content = Path(name).read_bytes()
    Path(name).write_bytes(content[: int(float(moment) * len(content))])
    kill()

def moving(self, to):
    if moment == "after":
        replace(self, to)
    kill()

if moment in ("before", "after"):
    Path.replace = moving
else:
    xr.DataTree.to_netcdf = half
fit.save(target)
"""


@pytest.mark.parametrize(
    "moment", ["0.6", *(pytest.param(each, marks=pytest.mark.verification) for each in ("before", "after"))]
)
def test_killed_while_it_is_saved(saved, tmp_path, moment):
    """What stood there stands there still, or the new file does; whatever lies beside it is no fit by its name."""
    target = made.fit("snow").save(tmp_path / "fit.nc")
    before = target.read_bytes()
    process = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", SCRIPT, moment, str(saved[0]), str(target)], check=False
    )
    assert process.returncode == -signal.SIGKILL
    if moment == "after":
        assert lp.load_fit(target) == made.fit("null")
    else:
        assert target.read_bytes() == before
    assert [each.name for each in tmp_path.glob("*.nc")] == ["fit.nc"]
    for left in tmp_path.glob(".fit.nc.*.part"):
        assert moment in ("before", "1.0") or refused_or_the_same(left)


needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="a child that is killed needs fork")


def child(work) -> int:
    """Process that does the work and ends; its own copy of everything, so that it can be killed."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of fork beside threads, which have ended
        pid = os.fork()
    if pid == 0:
        with contextlib.suppress(BaseException):
            work()
        os._exit(0)
    return pid


@needs_fork
def test_killed_at_any_array_that_is_written(saved, tmp_path):
    """HDF5 writes as it likes: what lies there after the k-th array is refused, and the older file is whole."""
    target = tmp_path / "fit.nc"
    target.write_bytes(saved[1])
    fit, create, killed = made.fit("snow"), h5py.Group.create_dataset, 0
    for k in (1, 2, 5, 10, 20, 30, 40, 50, 60, 10_000):

        def dies(self, *args, k=k, count=itertools.count(), **options):  # noqa: B008 (a child has its own)
            if next(count) == k:
                self.file.flush()
                os.kill(os.getpid(), signal.SIGKILL)
            return create(self, *args, **options)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(h5py.Group, "create_dataset", dies)
            pid = child(lambda: fit.save(target))
        if os.WIFSIGNALED(os.waitpid(pid, 0)[1]):
            killed += 1
            assert target.read_bytes() == saved[1]
            for left in tmp_path.glob(".fit.nc.*.part"):
                with pytest.raises(DataError):
                    lp.load_fit(left)
        assert [each.name for each in tmp_path.glob("*.nc")] == ["fit.nc"]
    assert killed >= 5
    assert lp.load_fit(target) == fit, "the last one was not killed"


@needs_fork
@pytest.mark.parametrize("delay", [0.0, 0.1, 0.4, 1.0])
def test_killed_while_laplace_computes_or_saves(saved, tmp_path, delay):
    target = tmp_path / "fit.nc"
    target.write_bytes(saved[1])
    made.history("null"), made.mask()

    def work():
        for seed in itertools.count(1):  # fits and saves without end: the kill comes in one or the other
            made.quiet(lambda s=seed: lp.SCR().fit(made.history("null"), made.mask(), seed=s)).save(target)

    pid = child(work)
    time.sleep(delay)
    assert os.waitpid(pid, os.WNOHANG) == (0, 0)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    assert lp.load_fit(target).model == lp.SCR()
    assert [each.name for each in tmp_path.glob("*.nc")] == ["fit.nc"]


def test_killed_while_it_samples(tmp_path):
    """Nothing is under the name of the fit before there is one."""
    script = textwrap.dedent("""
        import sys
        from tests.results import made
        fit = made.model("null").fit(
            made.history("null"), made.mask(), engine="nuts", draws=100_000, chains=2, seed=1, cores=1
        )
        fit.save(sys.argv[1])
    """)
    target = tmp_path / "fit.nc"
    process = subprocess.Popen([sys.executable, "-W", "ignore", "-c", script, str(target)], start_new_session=True)
    time.sleep(4.0)
    assert process.poll() is None
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert list(tmp_path.iterdir()) == []
