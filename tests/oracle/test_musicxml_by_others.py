"""What music21 and verovio read in our MusicXML files, asked in their own ways."""

import json

import music21
import pytest
import verovio
from hypothesis import given, settings

from kantor.io import musicxml
from kantor.score import TICKS_PER_QUARTER, Key, Meter, Part, Score
from strategies import scores


@given(scores(metered=True))
@settings(max_examples=12)
def test_music21_reads_the_same_music(score):
    read = music21.converter.parseData(musicxml.write(score).decode(), format="musicxml")
    assert [part.partName for part in read.parts] == [part.name for part in score.parts]
    heard, fermatas = [], set()
    for index, part in enumerate(read.parts):
        assert len(part.getElementsByClass("Measure")) == len(score.bars)
        flat = part.stripTies(matchByPitch=False).flatten()  # by pitch, F and F natural differ to it
        for note in flat.notes:
            heard.append((round(note.offset * 480), round(note.quarterLength * 480), note.pitch.midi, index))
    for element in read.recurse().notesAndRests:
        if any(isinstance(mark, music21.expressions.Fermata) for mark in element.expressions):
            fermatas.add(round(element.getOffsetInHierarchy(read) * TICKS_PER_QUARTER))
    assert sorted(heard) == sorted(score.notes[["onset", "duration", "pitch", "part"]].tolist())
    assert fermatas == set(score.fermatas)
    times = read.parts[0].recurse().getElementsByClass("TimeSignature")
    assert [time.ratioString for time in times] == [str(meter) for meter in score.meters]
    keys = read.parts[0].recurse().getElementsByClass("KeySignature")
    assert [key.sharps for key in keys] == [key.fifths for key in score.keys]
    if score.anacrusis_ticks and len(score.bars) > 1:
        first = read.parts[0].getElementsByClass("Measure")[0]
        assert first.number == 0
        assert first.duration.quarterLength * 480 == score.anacrusis_ticks


def test_verovio_draws_every_note_at_its_time():
    score = Score.from_notes(
        [(0, 480, 60, 80, 0), (480, 240, 61, 80, 0), (720, 1680, 62, 80, 0), (0, 2400, 48, 80, 1)],
        parts=(Part("Soprano"), Part("Bass")),
        meters=(Meter(0, 4, 4),),
        keys=(Key(0, 2, "major"),),
        anacrusis_ticks=480,
    )
    toolkit = verovio.toolkit()
    assert toolkit.loadData(musicxml.write(score).decode())
    timemap = json.loads(toolkit.renderToTimemap()) if isinstance(toolkit.renderToTimemap(), str) else (
        toolkit.renderToTimemap()
    )  # fmt: skip
    starts = sorted({event["qstamp"] for event in timemap if event.get("on")})
    assert {0.0, 1.0, 1.5} <= set(starts)
    assert timemap[-1]["qstamp"] == pytest.approx(score.length_ticks / TICKS_PER_QUARTER)


@pytest.mark.parametrize("name", ["bach/bwv66.6", "bach/bwv269", "bach/bwv1.6", "bach/bwv101.7"])
def test_a_chorale_of_the_corpus_is_what_music21_says(name):
    stream = music21.corpus.parse(name)
    score = musicxml.from_music21(stream)
    theirs = []
    for index, part in enumerate(stream.parts):
        for note in part.stripTies(matchByPitch=False).flatten().notes:
            theirs.append((round(note.offset * 480), round(note.quarterLength * 480), note.pitch.midi, index))
    assert sorted(theirs) == sorted(score.notes[["onset", "duration", "pitch", "part"]].tolist())
    assert score.length_ticks == round(stream.duration.quarterLength * 480)
    measures = stream.parts[0].getElementsByClass("Measure")
    assert [round(m.offset * 480) for m in measures] == score.bars["start"].tolist()
    assert musicxml.read(musicxml.write(score), name) == score
