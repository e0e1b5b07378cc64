"""A test takes the place of another one whole, or not at all."""

import shutil

import pytest

from kantor.errors import OutputError
from kantor.listening import folder as rooms
from kantor.listening.folder import replacing


def contents(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def write(folder, what):
    for name in ("audio/a.mp3", "scores/a.mid", "test.json"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(what)


@pytest.fixture
def old(tmp_path):
    """A test that has been answered, and whose results have been written beside it."""
    write(tmp_path / "test", "old")
    for name in ("answers.sqlite", "answers.sqlite-journal", "results.csv", "audio/b.mp3"):
        (tmp_path / "test" / name).write_text("old")
    return tmp_path / "test"


def test_a_new_test_replaces_all_of_the_old_one_and_nothing_else(old):
    with replacing(old) as made:
        write(made, "new")
        assert (old / "answers.sqlite").read_text() == "old"
    new = dict.fromkeys(("audio/a.mp3", "scores/a.mid", "test.json"), b"new")
    assert contents(old) == {**new, "results.csv": b"old"}
    assert list(old.parent.iterdir()) == [old]


@pytest.mark.parametrize("kind", ["absent", "empty", "linked"])
def test_a_new_test_needs_no_old_one(tmp_path, kind):
    place = tmp_path / "some" / "test"
    if kind != "absent":
        place.mkdir(parents=True)
    if kind == "linked":
        (tmp_path / "link").symlink_to(place)
        place = tmp_path / "link"
    with replacing(place) as made:
        write(made, "new")
    assert contents(place).keys() == {"audio/a.mp3", "scores/a.mid", "test.json"}
    assert place.is_symlink() == (kind == "linked")
    assert [path.name for path in (tmp_path / "some").iterdir()] == ["test"]


@pytest.mark.parametrize(
    ("error", "raised"), [(KeyboardInterrupt(), KeyboardInterrupt), (OSError(28, "No space left"), OutputError)]
)
def test_who_is_interrupted_while_writing_leaves_the_old_one(old, error, raised):
    def halfway(folder):
        (folder / "audio").mkdir()
        raise error

    before = contents(old.parent)
    with pytest.raises(raised), replacing(old) as made:
        halfway(made)
    assert contents(old.parent) == before
    assert list(old.parent.iterdir()) == [old]


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("last", range(1, 9))
def test_a_move_that_fails_takes_back_those_before_it(old, monkeypatch, last, late):
    """Eight moves: five files and folders of the old test, three of the new one."""
    before, moves = contents(old.parent), []

    def move(start, end):
        moves.append(start)
        if len(moves) == last and late:
            shutil.move(start, end)
        if len(moves) == last:
            raise OSError(5, "Input/output error")
        shutil.move(start, end)

    monkeypatch.setattr(rooms, "_move", move)
    with pytest.raises(OutputError, match="cannot be written: input/output error"), replacing(old) as made:
        write(made, "new")
    assert contents(old.parent) == before
    assert list(old.parent.iterdir()) == [old]


def test_what_cannot_be_moved_back_is_not_removed(old, monkeypatch):
    moves = []

    def move(start, end):
        moves.append(start)
        if len(moves) > 4:
            raise OSError(5, "Input/output error")
        shutil.move(start, end)

    monkeypatch.setattr(rooms, "_move", move)
    with pytest.raises(OutputError), replacing(old) as made:
        write(made, "new")
    assert "old" in [path.read_text() for path in old.parent.rglob("answers.sqlite")]


def test_a_place_that_cannot_be_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(OutputError, match="try another folder"), replacing(tmp_path / "file" / "test"):
        pass
