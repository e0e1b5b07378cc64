"""MusicXML: the round trip, how things are written, what is refused."""

import io
import random
import zipfile
from contextlib import suppress

import pytest
from hypothesis import given, settings

from kantor.errors import FileFormatError, KantorError, ScoreError
from kantor.io import musicxml, notation
from kantor.score import Key, Meter, Part, Score, Tempo
from strategies import scores

BODY = "<part-list><score-part id='P1'><part-name>A</part-name></score-part></part-list><part id='P1'>{}</part>"
BILLION_LAUGHS = b'<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><score-partwise>&b;</score-partwise>'


def piece(*measures: str, divisions: int = 1) -> bytes:
    attributes = f"<attributes><divisions>{divisions}</divisions></attributes>"
    bars = [
        f"<measure number='{i}'>{'' if i > 1 else attributes}{bar}</measure>"
        for i, bar in enumerate(measures, 1)
    ]  # fmt: skip
    return f"<score-partwise>{BODY.format(''.join(bars))}</score-partwise>".encode()


def note(step: str, ticks: int, *, voice: int = 1, more: str = "", first: str = "") -> str:
    pitch = f"<pitch><step>{step}</step><octave>4</octave></pitch>"
    return f"<note>{first}{pitch}<duration>{ticks}</duration><voice>{voice}</voice>{more}</note>"


@given(scores(monophonic=False))
@settings(max_examples=40)
def test_a_score_reads_back_equal(score):
    data = musicxml.write(score)
    assert musicxml.canonical(score) == score
    assert musicxml.read(data, "x.xml") == score
    assert musicxml.write(score) == data


@given(scores(max_parts=1, max_frames=12))
@settings(max_examples=15)
def test_time_between_the_sixteenths_reads_back(score):
    bent = score.replace(notes=score.notes, ticks_per_quarter=7 * 480)  # seven times as fast: 17 1/7 ticks a note
    canonical = musicxml.canonical(bent)
    assert canonical.ticks_per_quarter == 480
    assert musicxml.read(musicxml.write(bent), "x.xml") == canonical


def test_what_music_is_made_of_reads_back():
    score = Score.from_notes(
        [
            (0, 480, 60, 80, 0),
            (480, 3000, 62, 80, 0),
            (3480, 360, 64, 80, 0),
            (0, 3840, 48, 80, 1),
            (160, 160, 67, 80, 2),
        ],
        parts=(Part("Flöte & Oboe", 73), Part("Bass", 43), Part("Clarinet in B-flat", 71), Part("Drums", 0, True)),
        meters=(Meter(0, 3, 4), Meter(1920, 6, 8)),
        keys=(Key(0, -3, "minor"), Key(1920, 7, "major")),
        tempi=(Tempo(0, 97.3), Tempo(720, 60.0)),
        fermatas=(960, 3840 + 120),
        anacrusis_ticks=480,
        length_ticks=6 * 720,
        title="Größe <1>",
        recipe='{"seed": 1, "text": "<&>"}',
    )  # fmt: skip
    assert musicxml.read(musicxml.write(score), "x.xml") == musicxml.canonical(score) == score
    assert musicxml.read(musicxml.compress(musicxml.write(score)), "x.mxl") == score


@pytest.mark.parametrize("program", [0, 1, 5, 56, 60, 71, 127])
def test_an_instruments_usual_transposition_moves_nothing(program):
    score = Score.from_notes([(0, 1920, 60, 80, 0)], parts=(Part("Horn", program),))
    assert musicxml.read(musicxml.write(score), "x.xml") == score


def test_bars_that_a_repeat_cuts_read_back():
    starts = (0, 480, 2400, 3840, 4320, 6240)
    score = Score.from_notes(
        [(0, 480, 60, 80, 0), (480, 7200, 62, 80, 0)],
        meters=(Meter(0, 4, 4),),
        anacrusis_ticks=480,
        barlines=starts,
    )
    assert musicxml.read(musicxml.write(score), "x.xml") == score
    numbers = [line for line in musicxml.write(score).decode().splitlines() if "<measure" in line]
    assert [number.split('"')[1] for number in numbers] == ["0", "1", "2", "2X1", "3", "4"]


def test_velocity_is_what_a_page_cannot_say():
    score = Score.from_notes([(0, 1920, 60, 33, 0)])
    assert musicxml.read(musicxml.write(score), "x.xml").notes["velocity"].tolist() == [notation.UNMARKED_VELOCITY]


def test_a_closed_score_becomes_two_parts():
    bar = note("C", 4) + "<backup><duration>4</duration></backup>" + note("A", 4, voice=2)
    score = musicxml.read(piece(bar, bar), "x.xml")
    assert [part.name for part in score.parts] == ["A 1", "A 2"]
    assert score.notes[["onset", "pitch", "part"]].tolist() == [(0, 60, 0), (0, 69, 1), (1920, 60, 0), (1920, 69, 1)]


def test_a_rare_second_voice_stays_in_its_part():
    two = note("C", 4) + "<backup><duration>4</duration></backup>" + note("A", 4, voice=2)
    score = musicxml.read(piece(two, note("C", 4), note("D", 4)), "x.xml")
    assert len(score.parts) == 1
    assert len(score) == 4


def test_ties_chords_graces_and_transposition_are_understood():
    tie = ["<tie type='start'/>", "<tie type='stop'/>"]
    chord = note("E", 2) + note("G", 2, first="<chord/>")
    grace = "<note><grace/><pitch><step>B</step><octave>4</octave></pitch><voice>1</voice></note>"
    transpose = "<attributes><transpose><chromatic>-2</chromatic></transpose></attributes>"
    first = transpose + grace + chord + note("C", 2, more=tie[0])
    score = musicxml.read(piece(first, note("C", 4, more=tie[1])), "x.xml")
    assert score.notes[["onset", "duration", "pitch"]].tolist() == [(0, 960, 62), (0, 960, 65), (960, 2880, 58)]


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "well-formed"),
        (b"\0\1\2\3", "well-formed"),
        (b"<html></html>", "root is <html>"),
        (b"<score-timewise/>", "ordered by time"),
        (b"<score-partwise>", "well-formed"),
        (b"<score-partwise/>", "x.xml"),
        (BILLION_LAUGHS, "entities"),
        (BILLION_LAUGHS.decode().encode("utf-16"), "entities"),
        (b"<score-partwise>" + b"<a>" * 200 + b"</a>" * 200 + b"</score-partwise>", "deep"),
        (piece(note("C", 4), divisions=0), "x.xml"),
        (piece(note("C", 2**40)), "x.xml"),
        (b"PK\3\4 and no more", "zip"),
    ],
)
def test_what_is_no_music_is_refused_in_one_sentence(data, says):
    with pytest.raises(FileFormatError, match=says) as raised:
        musicxml.read(data, "x.xml")
    assert "x.xml" in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_zip_bomb_is_refused(monkeypatch):
    monkeypatch.setattr(musicxml, "MAX_XML_BYTES", 10_000)
    with pytest.raises(FileFormatError, match="10000"):
        musicxml.read(musicxml.compress(b" " * 20_000), "x.mxl")


def test_a_zip_without_a_score_is_refused():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("readme.txt", "no music here")
    with pytest.raises(FileFormatError, match="without a score"):
        musicxml.read(file.getvalue(), "x.mxl")


def test_what_has_no_parts_or_no_length_is_not_written():
    with pytest.raises(ScoreError, match="parts"):
        musicxml.write(Score.from_notes([]))
    with pytest.raises(ScoreError, match="length"):
        musicxml.write(Score.from_notes([], parts=(Part(),)))


def test_damaged_files_give_a_score_or_one_sentence():
    score = Score.from_notes([(i * 240, 240, 60 + i, 80, 0) for i in range(12)], meters=(Meter(0, 3, 4),))
    plain = musicxml.write(score)
    chance = random.Random(0)
    for whole in [plain] * 40 + [musicxml.compress(plain)] * 40:
        data = bytearray(whole)
        for _ in range(chance.randint(1, 3)):
            data[chance.randrange(len(data))] = chance.randrange(32, 127)
        with suppress(KantorError):
            musicxml.read(bytes(data), "x.xml")
