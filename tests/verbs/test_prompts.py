"""What a composition begins with: a file, its first notes, or a fragment from a folder."""

import numpy as np
import pytest

from kantor import io
from kantor.errors import FileFormatError, InputError, OptionError
from kantor.score import Meter, Part, Score
from kantor.verbs._prompts import FRAGMENT, first_notes, prompted


def tune(count=8, pitch=60, **known):
    rows = [(480 + 240 * n, 240 + 10 * (n % 2), pitch + n % 12, 80, 0) for n in range(count)]
    return Score.from_notes(rows, parts=(Part("Piano"),), meters=(Meter(0, 4, 4),), **known)


def rng(seed=0):
    return np.random.default_rng(seed)


def test_a_score_is_taken_as_it_is_or_its_first_notes():
    score = tune()
    assert prompted(score, None, rng()) is score
    some = prompted(score, 3, rng())
    assert some.notes.tolist() == score.notes[:3].tolist()
    assert some.length_ticks == 480 + 2 * 240 + 240  # with the silence before them, up to the last one's end
    assert prompted(score, 100, rng()).notes.tolist() == score.notes.tolist()


def test_notes_from_within_a_piece_begin_at_once():
    part = first_notes(tune(), 2, 5)
    assert part.notes[["onset", "duration", "pitch"]].tolist() == [(0, 250, 65), (240, 240, 66)]
    assert part.length_ticks == 480


def test_drums_are_no_notes_of_a_fragment():
    parts = (Part("Piano"), Part("Drums", 0, is_drum=True))
    rows = [(240 * n, 240, 60 + n, 80, 0) for n in range(8)] + [(240 * n, 120, 38, 80, 1) for n in range(8)]
    score = Score.from_notes(rows, parts=parts)
    assert first_notes(score, 3).notes["pitch"].tolist() == [60, 61, 62]
    assert first_notes(score, 3, 5).notes["pitch"].tolist() == [65, 66, 67]


def test_a_file_is_read(tmp_path):
    io.save(tune(), tmp_path / "a.mid")
    assert prompted(tmp_path / "a.mid", None, rng()).notes.tolist() == tune().notes.tolist()
    assert len(prompted(str(tmp_path / "a.mid"), 4, rng())) == 4
    with pytest.raises(FileFormatError, match="no file"):
        prompted(tmp_path / "none.mid", None, rng())


@pytest.fixture
def folder(tmp_path):
    for n in range(4):
        io.save(tune(250, 40 + 12 * n), tmp_path / "music" / f"{n}" / "piece.mid")
    (tmp_path / "music" / "notes.txt").write_text("no music")
    (tmp_path / "music" / "broken.mid").write_bytes(b"MThd no more")
    io.save(Score.from_notes([], parts=(Part(),), length_ticks=480), tmp_path / "music" / "silent.mid")
    return tmp_path / "music"


def test_a_fragment_is_so_many_notes_of_anywhere_in_any_file(folder):
    found = [prompted(f"random:{folder}", 10, rng(seed)) for seed in range(40)]
    assert {len(fragment) for fragment in found} == {10}
    assert len({(fragment.notes["pitch"].min() - 40) // 12 for fragment in found}) == 4
    assert len({str(fragment.notes.tolist()) for fragment in found}) > 20
    again = [prompted(f"random:{folder}", 10, rng(seed)) for seed in range(40)]
    assert found == again


def test_a_fragment_has_a_hundred_notes_unless_told_or_the_piece_is_shorter(folder, tmp_path):
    assert len(prompted(f"random:{folder}", None, rng())) == FRAGMENT == 100
    io.save(tune(20), tmp_path / "short" / "a.mid")
    assert len(prompted(f"random:{tmp_path / 'short'}", None, rng())) == 20


def test_a_folder_without_music_is_refused(tmp_path):
    (tmp_path / "notes.txt").write_text("no music")
    (tmp_path / "broken.mid").write_bytes(b"MThd no more")
    with pytest.raises(InputError, match=r"expected music in '.*' to begin with, got no file with notes"):
        prompted(f"random:{tmp_path}", None, rng())
    with pytest.raises(InputError, match=r"a folder of music after 'random:', found none at '.*none'"):
        prompted(f"random:{tmp_path / 'none'}", None, rng())
    with pytest.raises(InputError, match="a folder of music after 'random:'"):
        prompted("random:", None, rng())


@pytest.mark.parametrize("count", [0, -3])
def test_fewer_notes_than_one_are_refused(count):
    with pytest.raises(OptionError, match=rf"--prompt-notes of 1 or more, got {count}; leave out the prompt"):
        prompted(tune(), count, rng())
