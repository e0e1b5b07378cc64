import gzip
import io
import os
import re
import struct
import tarfile
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kantor.corpora import _unpack
from kantor.corpora._unpack import unpack
from kantor.errors import FileFormatError, OutputError

KEEP = {".mid": "music", ".csv": "tables"}


def zipped(files):
    with zipfile.ZipFile(buffer := io.BytesIO(), "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def tarred(files, links=()):
    with tarfile.open(fileobj=(buffer := io.BytesIO()), mode="w:gz") as archive:
        for name, target in links:
            member = tarfile.TarInfo(name)
            member.type, member.linkname = tarfile.SYMTYPE, target
            archive.addfile(member)
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return buffer.getvalue()


both = pytest.mark.parametrize("pack", [zipped, tarred])


def emptied(data, place, limit_bytes=10**6):
    """What comes out of an archive: path below the new folder -> contents."""
    (place / "archive").write_bytes(data)
    unpack(place / "archive", place / "out", KEEP, name="set.zip", limit_bytes=limit_bytes)
    files = [path for path in (place / "out").rglob("*") if path.is_file()]
    return {path.relative_to(place / "out").as_posix(): path.read_bytes() for path in files}


def assert_refused(data, place, match, limit_bytes=10**6):
    with pytest.raises(FileFormatError, match=match):
        emptied(data, place, limit_bytes)
    assert [path.name for path in place.iterdir()] == ["archive"]


@both
def test_each_kind_of_file_goes_to_its_folder(pack, tmp_path):
    files = {
        "set/1/a.mid": b"one",
        "set/B.MID": b"two",
        "set/list.csv": b"three",
        "set/readme.txt": b"",
        "set/mid": b"",
    }
    out = emptied(pack(files), tmp_path)
    assert out == {"music/set/1/a.mid": b"one", "music/set/B.MID": b"two", "tables/set/list.csv": b"three"}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["archive", "out"]


@both
@pytest.mark.parametrize(
    "path", ["../evil.mid", "set/../../evil.mid", "/evil.mid", "..\\evil.mid", "\\evil.mid", "../x.txt"]
)
def test_a_path_that_leads_out_is_refused_with_the_whole_archive(pack, tmp_path, path):
    (tmp_path / "inner").mkdir()
    assert_refused(
        pack({"set/good.mid": b"good", path: b"evil"}), tmp_path / "inner", "which leads out of it; nothing of"
    )
    assert [path.name for path in tmp_path.iterdir()] == ["inner"]


parts = st.sampled_from(["..", ".", "", "a", "b.mid", "C:", "a\\..", "~", "x\udcff", "ä"])


@given(path=st.lists(parts, min_size=1, max_size=5).map("/".join))
def test_no_path_leaves_the_folder(path):
    leaves = path.startswith(("/", "\\")) or ".." in re.split(r"[/\\]", path)
    try:
        inside = _unpack._inside(path, "set.zip")
    except FileFormatError:
        assert leaves
        return
    assert not leaves
    assert os.path.normpath(f"/folder/{inside}").startswith("/folder")
    inside.encode()  # a name that can be written down
    assert not set(inside) & set('<>:"|?*\\')


def test_links_and_what_lies_behind_them_stay_inside(tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (tmp_path / "place").mkdir()
    links = [("set/way", str(elsewhere)), ("set/a.mid", "/etc/passwd")]
    out = emptied(tarred({"set/way/b.mid": b"one"}, links), tmp_path / "place")
    assert out == {"music/set/way/b.mid": b"one"}
    assert not list(elsewhere.iterdir())


def test_a_link_in_a_zip_is_no_file(tmp_path):
    with zipfile.ZipFile(buffer := io.BytesIO(), "w") as archive:
        link = zipfile.ZipInfo("set/a.mid")
        link.create_system, link.external_attr = 3, 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
    assert emptied(buffer.getvalue(), tmp_path) == {}


@both
def test_more_than_may_come_out_is_refused(pack, tmp_path):
    bomb = pack({"set/a.mid": bytes(2_000_000), "set/b.mid": b"one"})
    assert len(bomb) < 20_000
    assert_refused(bomb, tmp_path, "expected no more than 1 MB in 'set.zip', got an archive that holds more")


def test_what_is_passed_over_counts_as_well(tmp_path):
    assert_refused(tarred({"set/a.bin": bytes(2_000_000)}), tmp_path, "holds more")


def test_a_zip_that_lies_about_its_size_is_damaged(tmp_path):
    data = bytearray(zipped({"set/a.mid": bytes(100_000)}))
    for signature, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        struct.pack_into("<I", data, data.index(signature) + offset, 10)
    assert_refused(bytes(data), tmp_path, "expected a whole archive in 'set.zip', got a damaged one")


def test_a_file_full_of_holes_is_passed_over(tmp_path):
    member = tarfile.TarInfo("set/a.mid")
    member.pax_headers = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": str(10**7)}
    holes = b"0\n".ljust(512, b"\0")
    member.size = len(holes)
    with tarfile.open(fileobj=(buffer := io.BytesIO()), mode="w:gz", format=tarfile.PAX_FORMAT) as archive:
        archive.addfile(member, io.BytesIO(holes))
    assert emptied(buffer.getvalue(), tmp_path) == {}


@both
@pytest.mark.parametrize("part", [0.1, 0.5, 0.9, 0.99])
def test_a_cut_archive_is_said_to_be_damaged(pack, tmp_path, part):
    data = pack({f"set/{i}.mid": os.urandom(5000) for i in range(10)})
    assert_refused(data[: int(len(data) * part)], tmp_path, "expected a whole archive in 'set.zip', got a damaged one")


@both
def test_flipped_bytes_are_said_to_be_damage_and_nothing_else(pack, tmp_path):
    data = pack({f"set/{i}.mid": os.urandom(50) for i in range(5)})
    for at in range(2, len(data), 7):
        place = tmp_path / str(at)
        place.mkdir()
        try:
            emptied(data[:at] + bytes([data[at] ^ 255]) + data[at + 1 :], place)
        except FileFormatError:
            assert not (place / "out").exists()


@pytest.mark.parametrize("data", [b"", b"<html>Please log in</html>", gzip.compress(b"no tar at all")])
def test_something_else_is_no_archive(tmp_path, data):
    assert_refused(data, tmp_path, "expected a .*archive|expected a zip or a tar.gz in 'set.zip', got something else")


def test_names_are_such_as_every_system_has(tmp_path):
    out = emptied(tarred({'set/Who? What: "Ah".mid': b"one", "set/caf\udce9.mid": b"two"}), tmp_path)
    assert out == {"music/set/Who_ What_ _Ah_.mid": b"one", "music/set/caf\N{REPLACEMENT CHARACTER}.mid": b"two"}


def test_names_that_become_the_same_are_kept_apart(tmp_path):
    out = emptied(tarred({"set/a?.mid": b"one", "set/a*.mid": b"two"}), tmp_path)
    assert out == {"music/set/a_.mid": b"one", "music/set/a_~.mid": b"two"}


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path):
    (tmp_path / "archive").write_bytes(zipped({"a.mid": b""}))
    with pytest.raises(OutputError, match=r"expected to unpack 'set\.zip' into .*; try another folder by KANTOR_CACHE"):
        unpack(tmp_path / "archive", tmp_path / "absent" / "out", KEEP, name="set.zip", limit_bytes=100)


def test_a_full_disk_leaves_nothing_behind(tmp_path, monkeypatch):
    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(_unpack, "_write", full)
    (tmp_path / "archive").write_bytes(zipped({"a.mid": b""}))
    with pytest.raises(OutputError, match="got: no space left on device; try"):
        unpack(tmp_path / "archive", tmp_path / "out", KEEP, name="set.zip", limit_bytes=100)
    assert [path.name for path in Path(tmp_path).iterdir()] == ["archive"]
