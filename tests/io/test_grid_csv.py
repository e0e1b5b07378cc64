"""Grids as text: what comes in, what goes out, what is refused."""

import numpy as np
import pytest
from hypothesis import given

from kantor.errors import FileFormatError, ScoreError
from kantor.io import grid_csv
from kantor.score import VOICES, Meter, Part, Score
from strategies import grid_score, grids

HEADER = b"note0,note1,note2,note3\n"


@given(grids())
def test_a_grid_reads_back_with_its_length(drawn):
    pitches, attacks = drawn
    data = grid_csv.write(grid_score(pitches, attacks))
    read = grid_csv.read(data, "x.csv")
    assert [part.name for part in read.parts] == list(VOICES)
    assert read.length_ticks == 120 * len(pitches)
    assert grid_csv.write(read) == data
    assert np.array_equal(np.genfromtxt(data.splitlines()[1:], delimiter=",", dtype=int).reshape(-1, 4), pitches)


def test_equal_rows_are_one_held_note():
    score = grid_csv.read(HEADER + b"60,0,0,48\n60,0,0,48\n62,0,0,0\n", "x.csv")
    assert score.notes.tolist() == [(0, 240, 60, 80, 0), (0, 240, 48, 80, 3), (240, 120, 62, 80, 0)]
    assert (score.meters, score.keys, score.tempi) == ((), (), ())


@pytest.mark.parametrize(
    "data",
    [
        b"note0\n60\n60\n",
        b"\xef\xbb\xbfnote0\r\n60\r\n60\r\n\r\n",
        b",note0\n0,60\n1,60\n",
        b'"note0"\n"60"\n"60"\n',
        b" note0 \n 60\n60 \n\n\n",
    ],
)
def test_one_melody_in_many_spellings(data):
    score = grid_csv.read(data, "x.csv")
    assert score.notes.tolist() == [(0, 240, 60, 80, 0)]
    assert score.length_ticks == 240


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "no rows"),
        (HEADER, "no rows"),
        (b"note0,note2\n60,60\n", "note0,note1"),
        (b"60,60,60,60\n60,60,60,60\n", "header"),
        (HEADER + b"60,60,60,60\n60,60,60\n", "line 3.*3 cells"),
        (HEADER + b"60,60,60,60\n\n60,60,60,60\n", "line 3.*0 cells"),
        (HEADER + b"60,60,x,60\n", "line 2, note2.*'x'"),
        (HEADER + b"60,60,60.5,60\n", "line 2, note2"),
        (HEADER + b"60,nan,60,60\n", "line 2, note1"),
        (HEADER + b"60,,60,60\n", "line 2, note1"),
        (HEADER + b"60,60,60,60\n60,60,60,128\n", "line 3, note3.*128"),
        (HEADER + b"-1,60,60,60\n", "line 2, note0.*-1"),
        (HEADER + b"9" * 9999 + b",60,60,60\n", "line 2, note0"),
        (b"\xff\xfe\x00", "comma-separated"),
        (b"\0" * 10 + b"\n\0", "header"),
    ],
)
def test_what_is_no_grid_is_refused_where_it_goes_wrong(data, says):
    with pytest.raises(FileFormatError, match=says) as raised:
        grid_csv.read(data, "x.csv")
    assert "x.csv" in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("rows", "more", "says"),
    [
        ([(0, 100, 60, 80, 0)], {}, "sixteenths"),
        ([(0, 480, 60, 80, 0), (240, 480, 64, 80, 0)], {}, "two notes at once"),
        ([(0, 480, 60, 80, 4)], {}, "1 to 4 voices, got 5"),
        ([], {}, "got 0"),
        ([], {"parts": (Part(),)}, "no length"),
        ([(0, 480, 0, 80, 0)], {}, "pitch 0"),
    ],
)
def test_what_a_grid_cannot_hold_is_refused(rows, more, says):
    with pytest.raises(ScoreError, match=says):
        grid_csv.write(Score.from_notes(rows, **more))


def test_other_resolutions_fall_on_the_grid_too():
    score = Score.from_notes([(0, 6, 60, 80, 0), (6, 18, 62, 80, 0)], ticks_per_quarter=24, meters=(Meter(0, 4, 4),))
    assert grid_csv.write(score) == b"note0\n60\n62\n62\n62\n"


def test_a_recipe_belongs_to_its_bytes_only():
    beside = grid_csv.write_recipe('{"ü": 1}', b"abc")
    assert grid_csv.read_recipe(beside, b"abc") == '{"ü": 1}'
    assert grid_csv.read_recipe(beside, b"abd") == ""
    for damaged in (b"", b"[]", b"{}", b"\xff", b'{"csv_sha256": 3, "recipe": 4}'):
        assert grid_csv.read_recipe(damaged, b"abc") == ""


def test_the_published_grids_read_back(shared_data):
    paths = sorted((shared_data / "jsb" / "valid").glob("*.csv"))
    assert paths
    for path in paths[:20]:
        data = path.read_bytes()
        written = grid_csv.write(grid_csv.read(data, path.name))
        assert written.split() == data.split()
