"""What mido and pretty_midi hear in our MIDI files, and what we hear in files of others."""

import io
import warnings

import mido
import numpy as np
import pretty_midi
import pytest
from hypothesis import given, settings

from kantor.io import load, midi
from strategies import scores


@given(scores(monophonic=False))
@settings(max_examples=15)
def test_pretty_midi_hears_the_same_seconds(score):
    heard = pretty_midi.PrettyMIDI(io.BytesIO(midi.write(score)))
    theirs = sorted((n.start, n.end, n.pitch, n.velocity) for part in heard.instruments for n in part.notes)
    onsets, ends = score.notes["onset"], score.notes["onset"] + score.notes["duration"]
    seconds = zip(score.ticks_to_seconds(onsets), score.ticks_to_seconds(ends), strict=True)
    rest = zip(score.notes["pitch"], score.notes["velocity"], strict=True)
    ours = sorted((*times, *other) for times, other in zip(seconds, rest, strict=True))
    assert len(theirs) == len(ours)
    if ours:
        assert np.allclose(sorted(n[0] for n in theirs), sorted(n[0] for n in ours), atol=1e-4)
        assert np.allclose(sorted(n[1] for n in theirs), sorted(n[1] for n in ours), atol=1e-4)
        assert sorted(n[2:] for n in theirs) == sorted(n[2:] for n in ours)


@given(scores(monophonic=False))
@settings(max_examples=15)
def test_mido_reads_the_same_ticks(score):
    file = mido.MidiFile(file=io.BytesIO(midi.write(score)))
    heard = []
    for part, track in enumerate(file.tracks):
        tick, sounding = 0, {}
        for message in track:
            tick += message.time
            if message.type == "note_on" and message.velocity:
                sounding[message.note] = (tick, message.velocity)
            elif message.type in ("note_on", "note_off"):
                onset, velocity = sounding.pop(message.note)
                heard.append((onset, tick - onset, message.note, velocity, part))
    assert sorted(heard) == sorted(score.notes.tolist())


def test_files_of_music21s_own_tests_are_read(shared_data):
    paths = sorted((shared_data / "midi-primitives").glob("*.mid"))
    assert paths
    for path in paths:
        score = load(path)
        heard = mido.MidiFile(path, clip=True)
        strokes = sum(m.type == "note_on" and m.velocity > 0 for track in heard.tracks for m in track)
        assert len(score) == strokes, path.name
        assert midi.read(midi.write(score), "x.mid") == midi.canonical(score)


@pytest.mark.parametrize("folder", ["classical-piano", "asap", "pop909"])
def test_files_of_the_shared_folders_are_read(shared_data, folder):
    paths = sorted((shared_data / folder).rglob("*.mid"))[::97][:8]
    assert paths
    for path in paths:
        score = load(path)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what pretty_midi thinks of the file is not asked
            heard = pretty_midi.PrettyMIDI(str(path))
        assert len(score) == pytest.approx(sum(len(part.notes) for part in heard.instruments), rel=0.01)
        assert midi.read(midi.write(score), "x.mid") == midi.canonical(score)
