"""Opening a Camtrap DP: folders, archives, inline tables; nothing outside the package, nothing without bound."""

import gzip
import io
import json
import os
import zipfile

import pandas as pd
import pytest

import leopardpop as lp
from leopardpop.data.readers import camtrap_dp_stores
from leopardpop.errors import DataError
from tests.data.camtrap_packages import DEPLOYMENTS, HOME, OBSERVATIONS, descriptor, resource, write_package


def described(folder, **resources):
    """A package whose resources are changed: name -> what differs."""
    listed = [resource(name) | resources.get(name, {}) for name in ("deployments", "media", "observations")]
    return write_package(folder, description=descriptor(resources=listed))


def zipped(folder, prefix="", method=zipfile.ZIP_DEFLATED):
    path = folder.parent / "package.zip"
    with zipfile.ZipFile(path, "w", method) as archive:
        for file in sorted(folder.iterdir()):
            archive.write(file, prefix + file.name)
    return path


@pytest.fixture
def package(tmp_path):
    return write_package(tmp_path / "package")


@pytest.fixture
def expected(package):
    return lp.read_camtrap_dp(package)


def assert_same(survey, expected):
    pd.testing.assert_frame_equal(survey.records, expected.records)
    pd.testing.assert_frame_equal(survey.deployments, expected.deployments)
    pd.testing.assert_frame_equal(survey.stations, expected.stations)
    pd.testing.assert_frame_equal(survey.audit, expected.audit)


class TestForms:
    @pytest.mark.parametrize("prefix", ["", "export/", "a/b/"])
    def test_zip(self, package, expected, prefix):
        assert_same(lp.read_camtrap_dp(zipped(package, prefix)), expected)

    def test_descriptor_and_text_path(self, package, expected):
        assert_same(lp.read_camtrap_dp(str(package / "datapackage.json")), expected)

    def test_gzip(self, tmp_path, expected):
        folder = described(tmp_path / "gz", observations={"path": "data/observations.csv.gz"})
        (folder / "data").mkdir()
        (folder / "data" / "observations.csv.gz").write_bytes(gzip.compress(OBSERVATIONS.encode()))
        (folder / "observations.csv").unlink()
        assert_same(lp.read_camtrap_dp(folder), expected)

    @pytest.mark.parametrize("header", [True, False])
    def test_a_table_in_two_files(self, tmp_path, expected, header):
        folder = described(tmp_path / "parts", observations={"path": ["one.csv", "two.csv"]})
        first, *rows = OBSERVATIONS.splitlines(keepends=True)
        (folder / "one.csv").write_text(first + "".join(rows[:2]))
        (folder / "two.csv").write_text((first if header else "") + "".join(rows[2:]))
        survey = lp.read_camtrap_dp(folder)
        pd.testing.assert_frame_equal(
            survey.records.drop(columns=["source", "line"]), expected.records.drop(columns=["source", "line"])
        )
        assert survey.records["source"].tolist() == ["one.csv", "two.csv"]
        assert survey.records["line"].tolist() == [2, 3 if header else 2]
        assert len(survey.audit) == 6

    @pytest.mark.parametrize("orient", ["records", "split"])
    def test_tables_within_the_descriptor(self, tmp_path, expected, orient):
        frame = pd.read_csv(io.StringIO(DEPLOYMENTS))
        rows = frame.to_dict("records") if orient == "records" else [list(frame), *frame.to_numpy(object).tolist()]
        about = descriptor()
        about["resources"][0] = {"name": "deployments", "data": rows}
        survey = lp.read_camtrap_dp(write_package(tmp_path / "inline", description=about))
        pd.testing.assert_frame_equal(survey.records, expected.records)
        assert survey.deployments["line"].tolist() == [1, 2, 3]

    def test_schema_with_its_own_missing_values_and_dialect(self, tmp_path, expected):
        folder = described(tmp_path / "own", deployments={"dialect": {"delimiter": "|"}})
        (folder / "deployments.csv").write_text(DEPLOYMENTS.replace(",", "|"))
        assert_same(lp.read_camtrap_dp(folder), expected)
        folder = described(tmp_path / "words", observations={"schema": {"missingValues": ["", "keine"]}})
        (folder / "observations.csv").write_text(OBSERVATIONS.replace(",juvenile,,,", ",keine,keine,keine,"))
        assert lp.read_camtrap_dp(folder).records["life_stage"].tolist() == ["adult", None]

    def test_encodings(self, tmp_path):
        text = OBSERVATIONS.replace("F01", "Гром")
        for encoding, stated in (("utf-8", {}), ("utf-16", {}), ("utf-8-sig", {}), ("cp1251", {"encoding": "cp1251"})):
            folder = described(tmp_path / encoding, observations=stated)
            (folder / "observations.csv").write_bytes(text.encode(encoding))
            assert lp.read_camtrap_dp(folder).records["individual"][0] == "Гром"

    def test_media_are_not_needed(self, package, expected):
        (package / "media.csv").unlink()
        assert_same(lp.read_camtrap_dp(package), expected)


class TestVersions:
    @pytest.mark.parametrize("version", ["1.0", "1.0.1", "1.0.2", "1.0.17"])
    def test_all_of_1_0(self, tmp_path, version):
        about = json.dumps(descriptor()).replace("1.0.1", version)
        assert (
            lp.read_camtrap_dp(write_package(tmp_path, description=about)).notes[0].startswith(f"Camtrap DP {version}:")
        )

    @pytest.mark.parametrize(
        "version, advice",
        [("0.1.6", "Export it again as Camtrap DP 1.0"), ("1.0-rc.1", "Export it"), ("2.0", "Versions 1.0.x")],
    )
    def test_no_other(self, tmp_path, version, advice):
        about = json.dumps(descriptor()).replace("1.0.1", version)
        with pytest.raises(DataError, match=f"datapackage.json: this is Camtrap DP {version}. {advice}"):
            lp.read_camtrap_dp(write_package(tmp_path, description=about))

    def test_by_the_schemas_if_the_profile_says_nothing(self, tmp_path):
        about = json.dumps(descriptor(profile="data-package"))
        assert "Camtrap DP 1.0.1:" in lp.read_camtrap_dp(write_package(tmp_path, description=about)).notes[0]
        with pytest.raises(DataError, match=r"this is Camtrap DP 0\.1\.6"):
            lp.read_camtrap_dp(write_package(tmp_path, description=about.replace("1.0.1", "0.1.6")))

    def test_unknown(self, tmp_path):
        about = json.dumps(descriptor(profile=None)).replace(HOME, "https://example.org/")
        assert "of no stated version" in lp.read_camtrap_dp(write_package(tmp_path, description=about)).notes[0]


class TestMissing:
    def test_nothing_there(self, tmp_path, package):
        with pytest.raises(DataError, match=r"There is no package '.*pakage'.*Did you mean 'package'"):
            lp.read_camtrap_dp(tmp_path / "pakage")
        with pytest.raises(DataError, match=r"is no data package. Give the folder"):
            lp.read_camtrap_dp(package / "deployments.csv")
        with pytest.raises(DataError, match=r"is an address. Download the package first"):
            lp.read_camtrap_dp("https://example.org/package.zip")
        with pytest.raises(DataError, match=r"must be the path of a folder"):
            lp.read_camtrap_dp(None)

    def test_no_descriptor(self, package):
        (package / "datapackage.json").unlink()
        with pytest.raises(
            DataError, match=r"package has no datapackage.json; it has 'deployments.csv', 'media.csv', 'obs"
        ):
            lp.read_camtrap_dp(package)

    def test_no_file(self, package):
        (package / "observations.csv").rename(package / "observation.csv")
        with pytest.raises(DataError, match=r"has no file 'observations.csv'.*Did you mean 'observation.csv'"):
            lp.read_camtrap_dp(package)

    @pytest.mark.parametrize(
        "about, message",
        [
            ("{", "is no JSON"),
            ("[" * 100_000, "is no JSON"),
            ("[]", "holds a list"),
            ("{}", "has no list of resources"),
            ('{"resources": [1]}', "has no list of resources"),
            ('{"resources": [{"name": "a"}, {"name": "a"}]}', "has two resources 'a'"),
            ('{"resources": [{"name": "deployment"}]}', "has no resource 'deployments'.*Did you mean 'deployment'"),
            ('{"resources": [{"name": "deployments"}]}', "has neither a path nor data"),
            ('{"resources": [{"name": "deployments", "path": 3}]}', "the path of resource 'deployments' is '3'"),
            ('{"resources": [{"name": "deployments", "path": []}]}', "the path of resource"),
            ('{"resources": [{"name": "deployments", "data": "a,b"}]}', "are no list of rows"),
            ('{"resources": [{"name": "deployments", "data": [["a", "b"], [1]]}]}', "1 cells in row 1"),
        ],
    )
    def test_descriptors_that_describe_nothing(self, tmp_path, about, message):
        with pytest.raises(DataError, match=message):
            lp.read_camtrap_dp(write_package(tmp_path, description=about))


class TestOutside:
    @pytest.mark.parametrize(
        "path, where",
        [
            ("../secret.csv", "outside the package"),
            ("/etc/passwd", "outside the package"),
            ("data/../../secret.csv", "outside the package"),
            ("~/secret.csv", "outside the package"),
            ("..\\secret.csv", "outside the package"),
            ("C:\\secret.csv", "outside the package"),
            ("file:///etc/passwd", "the network"),
            ("https://example.org/observations.csv", "the network"),
            ("HTTP://example.org/observations.csv", "the network"),
            ("//host/share.csv", "outside the package"),
            ("obs\x00.csv", "outside the package"),
        ],
    )
    @pytest.mark.parametrize("form", ["folder", "zip"])
    def test_refused(self, tmp_path, path, where, form):
        (tmp_path / "secret.csv").write_text(OBSERVATIONS)
        folder = described(tmp_path / "package", observations={"path": path})
        with pytest.raises(DataError, match=f"points to {where}|points {where}"):
            lp.read_camtrap_dp(folder if form == "folder" else zipped(folder))

    def test_links(self, tmp_path, package):
        (tmp_path / "secret.csv").write_text(OBSERVATIONS)
        (package / "observations.csv").unlink()
        (package / "observations.csv").symlink_to(tmp_path / "secret.csv")
        with pytest.raises(DataError, match=r"is a link that leads out of the package"):
            lp.read_camtrap_dp(package)

    def test_a_name_that_no_file_can_have(self, tmp_path):
        folder = described(tmp_path / "package", observations={"path": "x" * 5000})
        with pytest.raises(DataError, match=r"cannot be opened|has no file"):
            lp.read_camtrap_dp(folder)


class TestArchives:
    @pytest.mark.parametrize("share", [0.2, 0.6, 0.99])
    def test_truncated(self, package, share):
        path = zipped(package)
        content = path.read_bytes()
        path.write_bytes(content[: int(share * len(content))])
        with pytest.raises(DataError, match=r"package.zip is no complete zip archive .*cut off"):
            lp.read_camtrap_dp(path)

    def test_damaged(self, package):
        path = zipped(package, method=zipfile.ZIP_STORED)
        content = bytearray(path.read_bytes())
        at = content.find(b"Panthera")
        content[at : at + 8] = b"Pantheta"
        path.write_bytes(content)
        with pytest.raises(DataError, match=r"package.zip: 'observations.csv' cannot be unpacked \(Bad CRC"):
            lp.read_camtrap_dp(path)

    def test_without_a_package_or_with_two(self, tmp_path):
        path = tmp_path / "other.zip"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("readme.txt", "hello")
        with pytest.raises(DataError, match=r"other.zip has no datapackage.json; it has 'readme.txt'"):
            lp.read_camtrap_dp(path)
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("a/datapackage.json", "{}")
            archive.writestr("b/datapackage.json", "{}")
        with pytest.raises(DataError, match=r"holds several packages"):
            lp.read_camtrap_dp(path)

    def test_bomb(self, package, monkeypatch):
        monkeypatch.setattr(camtrap_dp_stores, "FLOOR", 1 << 20)
        (package / "observations.csv").write_bytes(OBSERVATIONS.encode() + b"\n" * (30 << 20))
        path = zipped(package)
        assert path.stat().st_size < 1 << 20
        with pytest.raises(
            DataError, match=r"'observations.csv' unpacks to more than .* which no table of records does"
        ):
            lp.read_camtrap_dp(path)

    def test_bomb_that_claims_to_be_small(self, package, monkeypatch):
        """The size in the header is a lie: Python stops at the size claimed, and the checksum is wrong."""
        monkeypatch.setattr(camtrap_dp_stores, "FLOOR", 1 << 20)
        (package / "observations.csv").write_bytes(OBSERVATIONS.encode() + b"\n" * (30 << 20))
        path = zipped(package)
        size = (package / "observations.csv").stat().st_size
        content = path.read_bytes().replace(size.to_bytes(4, "little"), (1000).to_bytes(4, "little"))
        path.write_bytes(content)
        with pytest.raises(DataError, match=r"unpacks to more than|cannot be unpacked"):
            lp.read_camtrap_dp(path)

    def test_ten_gigabytes_claimed(self, package):
        path = zipped(package)
        with zipfile.ZipFile(path) as archive:
            size = archive.getinfo("observations.csv").file_size
        content = path.read_bytes().replace(size.to_bytes(4, "little"), (4_294_967_290).to_bytes(4, "little"))
        path.write_bytes(content)
        with pytest.raises(DataError, match=r"'observations.csv' unpacks to more than"):
            lp.read_camtrap_dp(path)

    def test_gzip_bomb_and_damage(self, tmp_path, monkeypatch):
        monkeypatch.setattr(camtrap_dp_stores, "FLOOR", 1 << 20)
        folder = described(tmp_path / "package", observations={"path": "observations.csv.gz"})
        file = folder / "observations.csv.gz"
        file.write_bytes(gzip.compress(OBSERVATIONS.encode() + b"\n" * (30 << 20)))
        with pytest.raises(DataError, match=r"unpacks to more than"):
            lp.read_camtrap_dp(folder)
        file.write_bytes(gzip.compress(OBSERVATIONS.encode())[:-20])
        with pytest.raises(DataError, match=r"cannot be unpacked"):
            lp.read_camtrap_dp(folder)
        file.write_text("no gzip")
        with pytest.raises(DataError, match=r"cannot be unpacked"):
            lp.read_camtrap_dp(folder)

    def test_password(self, package):
        path = zipped(package)
        content = bytearray(path.read_bytes())
        for mark, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
            at = -1
            while (at := content.find(mark, at + 1)) >= 0:
                content[at + flags] |= 1
        path.write_bytes(content)
        with pytest.raises(DataError, match=r"needs a password"):
            lp.read_camtrap_dp(path)

    def test_nothing_is_left_behind(self, package, tmp_path, monkeypatch):
        scratch = tmp_path / "scratch"
        scratch.mkdir()
        monkeypatch.setattr("tempfile.tempdir", str(scratch))
        lp.read_camtrap_dp(zipped(package))
        assert list(scratch.iterdir()) == []


@pytest.mark.parametrize(
    ("make", "what"), [(os.mkfifo, r"no ordinary file \(a pipe or a device\)"), (os.mkdir, "a folder")]
)
def test_a_table_that_is_no_file(tmp_path, make, what):
    folder = write_package(tmp_path / "package")
    (folder / "deployments.csv").unlink()
    make(folder / "deployments.csv")
    with pytest.raises(DataError, match=f"package: 'deployments.csv' is {what}. Put the table there"):
        lp.read_camtrap_dp(folder)
