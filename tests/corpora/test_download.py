import hashlib
import io
import re
import shutil
import subprocess
import sys
import threading
import urllib.error
import urllib.request
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kantor import registry
from kantor.corpora import _download
from kantor.corpora._download import Source, fetch, fetch_folder
from kantor.errors import FileFormatError, InputError, OptionError, OutputError

DATA = bytes(range(256)) * 1000  # 256 kB


def source(server, data=DATA, name="music.bin", known=True):
    """A source on ``server``, which has ``data`` under its name."""
    server.files[f"/{name}"] = data
    checksum = hashlib.sha256(data).hexdigest() if known else None
    return Source(f"{server.address}/{name}", "Free for all.", len(data), checksum)


def zipped(**files):
    with zipfile.ZipFile(buffer := io.BytesIO(), "w") as archive:
        for name, text in files.items():
            archive.writestr(f"set/{name}.mid", text)
    return buffer.getvalue()


def names(folder):
    return sorted(path.name for path in folder.iterdir() if path.suffix != ".lock")


# ---- whole ----


def test_a_file_comes_whole_and_once(server, cache):
    wanted = source(server)
    place = fetch(wanted)
    assert place == cache / "music.bin"
    assert place.read_bytes() == DATA
    assert fetch(wanted) == place
    assert len(server.asked) == 1
    assert names(cache) == ["music.bin"]


@pytest.mark.parametrize("known", [True, False])
def test_later_uses_do_not_touch_the_network(server, cache, monkeypatch, known):
    fetch(source(server, known=known))
    folder = fetch_folder(source(server, zipped(a="one"), "set.zip", known), {".mid": "music"}, limit_bytes=100)
    monkeypatch.setattr(urllib.request.OpenerDirector, "open", lambda *args, **kwargs: pytest.fail("it was touched"))
    assert fetch(source(server, known=known)).read_bytes() == DATA
    again = fetch_folder(source(server, zipped(a="one"), "set.zip", known), {".mid": "music"}, limit_bytes=100)
    assert again == folder


def test_the_licence_is_shown_before_the_first_byte(server, cache, capsys, monkeypatch):
    def refuse(*args):
        raise urllib.error.URLError("not now")

    monkeypatch.setattr(_download, "_open", refuse)
    with pytest.raises(InputError):
        fetch(source(server))
    said = capsys.readouterr()
    assert said.out == ""
    assert "Licence: Free for all." in said.err
    assert "(0.3 MB) from 127.0.0.1" in said.err


def test_a_file_that_is_there_is_fetched_in_silence(server, cache, capsys):
    fetch(source(server))
    capsys.readouterr()
    fetch(source(server))
    assert capsys.readouterr() == ("", "")


def test_a_damaged_file_is_fetched_again(server, cache):
    place = fetch(source(server))
    place.write_bytes(DATA[:-1] + b"x")
    assert fetch(source(server)).read_bytes() == DATA


def test_a_server_that_says_no_length_is_enough(server, cache):
    server.says_length = False
    assert fetch(source(server)).read_bytes() == DATA


def test_an_empty_file_is_a_file(server, cache):
    assert fetch(source(server, b"")).read_bytes() == b""


# ---- cut short ----


def test_what_was_cut_short_goes_on_where_it_stopped(server, cache):
    server.cuts = [100_000]
    with pytest.raises(
        InputError, match=r"expected 0\.3 MB of 'music\.bin', got 0\.1 MB .* try the same command again"
    ):
        fetch(source(server))
    assert names(cache) == ["music.bin.part", "music.bin.part.json"]
    assert fetch(source(server)).read_bytes() == DATA
    assert server.asked[1][1]["range"] == "bytes=100000-"
    assert server.asked[1][1]["if-range"] == '"first"'
    assert server.sent_bytes == len(DATA)
    assert names(cache) == ["music.bin"]


@given(cuts=st.lists(st.integers(0, 3000), max_size=6), data=st.binary(min_size=1, max_size=5000), known=st.booleans())
def test_however_often_it_is_cut_nothing_comes_twice(running_server, tmp_path_factory, cuts, data, known):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KANTOR_CACHE", str(tmp_path_factory.mktemp("cache")))
        patch.setenv("no_proxy", "*")
        server = running_server.fresh()
        server.cuts = list(cuts)
        for _ in range(len(cuts) + 1):
            try:
                place = fetch(source(server, data, known=known), progress=False)
            except InputError:
                continue
            assert place.read_bytes() == data
            assert server.sent_bytes == len(data)
            return
        pytest.fail("it never became whole")


def test_a_server_that_cannot_go_on_begins_again(server, cache):
    server.cuts, server.ranges = [100_000], False
    with pytest.raises(InputError):
        fetch(source(server))
    assert fetch(source(server)).read_bytes() == DATA
    assert server.sent_bytes == len(DATA) + 100_000


@pytest.mark.parametrize("known", [True, False])
def test_a_file_that_changed_meanwhile_begins_again(server, cache, known):
    server.cuts = [100_000]
    with pytest.raises(InputError):
        fetch(source(server, DATA[::-1], known=known))
    server.tag = '"second"'
    assert fetch(source(server, known=known)).read_bytes() == DATA


def test_two_halves_of_different_files_are_found_out_by_the_checksum(server, cache):
    server.cuts, server.tag = [100_000], None  # no way to ask whether it is the same
    with pytest.raises(InputError, match=r"got 0\.1 MB"):
        fetch(source(server, DATA[::-1]))
    with pytest.raises(InputError, match="the file is removed"):
        fetch(source(server))
    assert fetch(source(server)).read_bytes() == DATA


@pytest.mark.parametrize("tag", [None, 'W/"weak"'])
def test_without_checksum_and_entity_tag_nothing_is_pieced_together(server, cache, tag):
    server.cuts, server.tag = [100_000], tag
    with pytest.raises(InputError):
        fetch(source(server, DATA[::-1], known=False))
    assert fetch(source(server, known=False)).read_bytes() == DATA
    assert "range" not in server.asked[1][1]


def test_a_part_that_was_not_asked_for_is_not_taken(server, cache):
    server.cuts, server.first_half = [100_000], True
    with pytest.raises(InputError):
        fetch(source(server))
    assert fetch(source(server)).read_bytes() == DATA


def test_a_part_longer_than_the_file_begins_again(server, cache):
    server.cuts = [100_000]
    with pytest.raises(InputError):
        fetch(source(server))
    (cache / "music.bin.part").write_bytes(b"x" * (len(DATA) + 1))
    assert fetch(source(server)).read_bytes() == DATA


def test_a_part_that_nobody_knows_begins_again(server, cache):
    cache.mkdir(parents=True)
    (cache / "music.bin.part").write_bytes(b"x" * 10)
    assert fetch(source(server)).read_bytes() == DATA
    (cache / "music.bin").unlink()
    (cache / "music.bin.part").write_bytes(b"x" * 10)
    (cache / "music.bin.part.json").write_text("[not json")
    assert fetch(source(server)).read_bytes() == DATA


def test_a_part_of_another_place_begins_again(server, cache, monkeypatch):
    server.cuts = [100_000]
    with pytest.raises(InputError):
        fetch(source(server))
    server.files["/copy/music.bin"] = DATA
    monkeypatch.setenv("KANTOR_MIRROR", f"{server.address}/copy/")
    assert fetch(source(server)).read_bytes() == DATA
    assert server.asked[-1][0] == "/copy/music.bin"
    assert "range" not in server.asked[-1][1]


def test_a_server_that_falls_silent_is_an_error(server, cache, monkeypatch):
    monkeypatch.setattr(_download, "_TIMEOUT_SECONDS", 0.05)
    server.hangs = True
    with pytest.raises(InputError, match="got: timed out; try again"):
        fetch(source(server))


# ---- wrong ----


def test_a_wrong_checksum_removes_the_file(server, cache):
    wanted = source(server)
    server.files["/music.bin"] = DATA[::-1]
    with pytest.raises(InputError, match=rf"SHA-256 {wanted.sha256}, got [0-9a-f]{{64}} from .*; the file is removed"):
        fetch(wanted)
    assert names(cache) == []


def test_what_is_not_there_is_one_sentence(server, cache):
    wanted = source(server)
    server.files.clear()
    with pytest.raises(InputError, match=r"expected 'music\.bin' at http.*, got: 404 Not Found; try .* KANTOR_MIRROR"):
        fetch(wanted)
    assert names(cache) == []


def test_no_network_is_one_sentence(nobody, cache):
    with pytest.raises(InputError, match=r"expected 'music\.bin' at http.*, got: connection refused; try again"):
        fetch(Source(f"{nobody}/music.bin", "Free.", 10, "0" * 64))


def test_a_host_that_does_not_exist_is_one_sentence(cache, monkeypatch):
    monkeypatch.setenv("no_proxy", "*")
    with pytest.raises(InputError, match=r"expected 'music\.bin' at http://nowhere\.invalid/music\.bin, got: "):
        fetch(Source("http://nowhere.invalid/music.bin", "Free.", 10, "0" * 64))


def test_a_server_without_end_is_left(server, cache):
    server.says_length = False
    wanted = source(server)
    server.files["/music.bin"] = DATA * 3
    with pytest.raises(InputError, match=r"got: more than 0\.[56] MB"):
        fetch(wanted)


def test_an_encrypted_address_leads_to_no_other():
    handler, request = _download._StayEncrypted(), urllib.request.Request("https://there.invalid/a")
    with pytest.raises(urllib.error.URLError, match="not encrypted"):
        handler.redirect_request(request, None, 302, "Found", {}, "http://elsewhere.invalid/a")
    followed = handler.redirect_request(request, None, 302, "Found", {}, "https://elsewhere.invalid/a")
    assert followed.full_url == "https://elsewhere.invalid/a"


# ---- trust on first use ----


def test_the_first_use_is_recorded_and_said(server, cache, capsys):
    place = fetch(source(server, known=False))
    assert "Nobody publishes its checksum" in capsys.readouterr().err
    assert names(cache) == ["music.bin", "music.bin.sha256"]
    if tool := shutil.which("sha256sum"):
        subprocess.run([tool, "--strict", "-c", "music.bin.sha256"], cwd=place.parent, check=True, capture_output=True)


def test_a_file_that_changed_since_its_first_use_is_refused(server, cache):
    place = fetch(source(server, known=False))
    place.write_bytes(DATA[::-1])
    with pytest.raises(InputError, match="recorded at its first use, got another; try deleting it"):
        fetch(source(server, known=False))
    place.unlink()
    assert fetch(source(server, known=False)).read_bytes() == DATA


def test_the_record_outlives_the_file(server, cache):
    fetch(source(server, known=False)).unlink()
    with pytest.raises(InputError, match=r"not the file that was first used; it is removed: .* delete '.*\.sha256'"):
        fetch(source(server, DATA[::-1], known=False))
    assert names(cache) == ["music.bin.sha256"]
    (cache / "music.bin.sha256").unlink()
    assert fetch(source(server, DATA[::-1], known=False)).read_bytes() == DATA[::-1]


def test_a_file_without_a_record_is_not_trusted(server, cache):
    place = fetch(source(server, known=False))
    (cache / "music.bin.sha256").unlink()
    place.write_bytes(b"put there by somebody")
    assert fetch(source(server, known=False)).read_bytes() == DATA


def test_what_is_vetted_and_refused_is_neither_kept_nor_recorded(server, cache):
    def refuse(path):
        raise FileFormatError(f"{path.stat().st_size} bytes that are no music")

    with pytest.raises(FileFormatError, match="256000 bytes"):
        fetch(source(server, known=False), vet=refuse)
    assert names(cache) == []


def test_every_corpus_is_known_by_its_checksum_or_comes_encrypted():
    modules = [sys.modules[registry.part("corpora", name).__module__] for name in registry.names("corpora")]
    sources = {module.__name__: (module.SOURCE, module.LICENCE) for module in modules if hasattr(module, "SOURCE")}
    assert {"kantor.corpora.jsb", "kantor.corpora.lakh", "kantor.corpora.maestro"} <= sources.keys()
    for file, licence in sources.values():
        assert file.licence == licence
        assert re.fullmatch("[0-9a-f]{64}", file.sha256) if file.sha256 else file.url.startswith("https://")


# ---- the disk ----


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no device that is always full")
def test_a_full_disk_is_one_sentence(server, cache):
    cache.mkdir(parents=True)
    (cache / "music.bin.part").symlink_to("/dev/full")
    with pytest.raises(OutputError, match="got: no space left on device; try another folder by KANTOR_CACHE"):
        fetch(source(server))


def test_too_little_room_is_said_before_anything_is_written(server, cache, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(10, 10, 1000))
    with pytest.raises(OutputError, match=r"expected 0\.3 MB free for 'music\.bin' in .*, got 0\.0 MB; try another"):
        fetch(source(server))
    assert names(cache) == []


def test_a_cache_that_cannot_be_written_is_one_sentence(server, cache):
    cache.parent.write_text("a file where the folder should be")
    with pytest.raises(OutputError, match=r"expected to keep 'music\.bin' in .*; try another folder by KANTOR_CACHE"):
        fetch(source(server))


def test_one_waits_for_another(server, cache, monkeypatch):
    fcntl = pytest.importorskip("fcntl")
    waiting, said = threading.Event(), _download._say
    monkeypatch.setattr(_download, "_say", lambda text: (said(text), waiting.set() if "Waiting" in text else None))
    cache.mkdir(parents=True)
    found = []
    with (cache / "music.bin.lock").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        other = threading.Thread(target=lambda: found.append(fetch(source(server))))
        other.start()
        assert waiting.wait(60)
        other.join(0.1)  # time enough for one that does not wait
        assert other.is_alive()
        (cache / "music.bin").write_bytes(DATA)  # the first one is done
    other.join()
    assert found == [cache / "music.bin"]
    assert server.asked == []


# ---- elsewhere ----


def test_a_mirror_stands_in_for_the_server(server, nobody, cache, monkeypatch):
    wanted = source(server)
    monkeypatch.setenv("KANTOR_MIRROR", server.address)
    assert fetch(Source(f"{nobody}/deep/down/music.bin", "Free.", 1, wanted.sha256)).read_bytes() == DATA


@pytest.mark.parametrize("written", [str, Path.as_uri])
def test_a_mirror_may_be_a_folder(nobody, cache, tmp_path, monkeypatch, written):
    (tmp_path / "stick").mkdir()
    (tmp_path / "stick" / "music box.bin").write_bytes(DATA)
    monkeypatch.setenv("KANTOR_MIRROR", written(tmp_path / "stick"))
    wanted = Source(f"{nobody}/music%20box.bin", "Free.", len(DATA), hashlib.sha256(DATA).hexdigest())
    assert fetch(wanted).read_bytes() == DATA
    assert (tmp_path / "stick" / "music box.bin").read_bytes() == DATA
    (tmp_path / "stick" / "music box.bin").unlink()
    (cache / "music box.bin").unlink()
    with pytest.raises(InputError, match=r"got: .*no such file"):
        fetch(wanted)


@pytest.mark.parametrize("mirror", ["ftp://there.invalid", "no/such/folder", "https:"])
def test_what_is_no_mirror_is_refused(cache, monkeypatch, mirror):
    monkeypatch.setenv("KANTOR_MIRROR", mirror)
    with pytest.raises((OptionError, InputError), match="KANTOR_MIRROR"):
        fetch(Source("https://there.invalid/music.bin", "Free.", 1, "0" * 64))


# ---- folders ----


def test_an_archive_becomes_a_folder_once(server, cache):
    wanted = source(server, zipped(a="one", b="two"), "set-1.zip")
    folder = fetch_folder(wanted, {".mid": "music"}, limit_bytes=100)
    assert folder == cache / "set-1"
    assert (folder / "music" / "set" / "a.mid").read_text() == "one"
    assert names(cache) == ["set-1"]
    assert fetch_folder(wanted, {".mid": "music"}, limit_bytes=100) == folder
    assert len(server.asked) == 1


def test_an_archive_that_is_refused_is_not_kept(server, cache):
    wanted = source(server, zipped(a="one" * 100), "set-1.zip", known=False)
    with pytest.raises(FileFormatError, match="holds more"):
        fetch_folder(wanted, {".mid": "music"}, limit_bytes=100)
    assert names(cache) == []


def test_an_archive_for_which_there_is_no_room_is_not_fetched_twice(server, cache, monkeypatch):
    def full(*args, **kwargs):
        raise OutputError("no space left on device")

    wanted = source(server, zipped(a="one"), "set-1.zip")
    with monkeypatch.context() as patch:
        patch.setattr(_download, "unpack", full)
        with pytest.raises(OutputError, match="no space"):
            fetch_folder(wanted, {".mid": "music"}, limit_bytes=100)
    assert fetch_folder(wanted, {".mid": "music"}, limit_bytes=100).is_dir()
    assert len(server.asked) == 1
