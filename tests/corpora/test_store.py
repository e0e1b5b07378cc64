import contextlib
import pickle
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kantor.corpora._store import cache_dir, facts, read_scores, write_scores
from kantor.errors import FileFormatError
from kantor.score import Key, Meter, Part, Score, Tempo

ticks = st.integers(0, 9600)
rows = st.tuples(ticks, ticks, st.integers(0, 127), st.integers(1, 127), st.integers(0, 1))
scores = st.builds(
    Score.from_notes,
    st.lists(rows, max_size=8),
    parts=st.just((Part("Soprano"), Part("Pauken", 47, True))),
    tempi=st.lists(st.builds(Tempo, ticks, st.floats(1, 400)), max_size=2).map(tuple),
    meters=st.lists(st.builds(Meter, ticks, st.integers(1, 12), st.sampled_from([2, 4, 8])), max_size=2).map(tuple),
    keys=st.lists(st.builds(Key, ticks, st.integers(-7, 7), st.sampled_from(["major", "minor", ""])), max_size=2).map(
        tuple
    ),
    fermatas=st.lists(ticks, max_size=3).map(tuple),
    barlines=st.lists(ticks, max_size=3).map(tuple),
    anacrusis_ticks=ticks,
    length_ticks=ticks,
    title=st.text(max_size=8),
)


@given(kept=st.dictionaries(st.text(max_size=5), scores, max_size=3))
def test_scores_come_back_as_they_were(tmp_path_factory, kept):
    path = tmp_path_factory.mktemp("store") / "some.npz"
    write_scores(path, kept)
    back = read_scores(path)
    assert back == kept
    assert list(back) == list(kept)
    assert [facts(score) for score in back.values()] == [facts(score) for score in kept.values()]


def test_a_damaged_file_is_said_to_be_one(tmp_path):
    path = tmp_path / "some.npz"
    write_scores(path, {"a": Score.from_notes([(0, 1, 60, 64, 0)])})
    whole = path.read_bytes()
    for damaged in (b"", whole[: len(whole) // 2], b"not an archive", pickle.dumps({"a": 1})):
        path.write_bytes(damaged)
        with pytest.raises(FileFormatError, match="try deleting it"):
            read_scores(path)
    for at in range(30, len(whole) - 100, 60):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 255]) + whole[at + 1 :])
        with contextlib.suppress(FileFormatError):  # and nothing else
            read_scores(path)


def test_another_archive_and_objects_are_refused(tmp_path):
    path = tmp_path / "some.npz"
    np.savez(path, other=np.zeros(3))
    with pytest.raises(FileFormatError):
        read_scores(path)
    np.savez(path, notes=np.array([object()], dtype=object), facts=np.zeros(1, np.uint8))
    with pytest.raises(FileFormatError):
        read_scores(path)


def test_writing_leaves_nothing_half_done(tmp_path, monkeypatch):
    monkeypatch.setattr(Path, "replace", lambda *paths: (_ for _ in ()).throw(OSError("full")))
    with pytest.raises(OSError, match="full"):
        write_scores(tmp_path / "some.npz", {})
    monkeypatch.undo()
    with pytest.raises(OSError):
        write_scores(tmp_path / "absent" / "some.npz", {})
    write_scores(tmp_path / "some.npz", {})
    assert [place.name for place in tmp_path.iterdir()] == ["some.npz"]


def test_the_cache_lies_where_it_is_asked_to(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    monkeypatch.setenv("KANTOR_CACHE", str(tmp_path / "ours"))
    assert cache_dir() == tmp_path / "ours"
    monkeypatch.delenv("KANTOR_CACHE")
    assert cache_dir() == tmp_path / "xdg" / "kantor"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    assert cache_dir() == tmp_path / ".cache" / "kantor"
