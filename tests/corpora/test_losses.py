"""What is lost is counted: by mido's messages, added up here by hand."""

import io
from collections import Counter

import mido
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kantor.corpora import Losses, losses


def data(*tracks, ticks=480):
    file = io.BytesIO()
    mido.MidiFile(ticks_per_beat=ticks, tracks=[mido.MidiTrack(messages) for messages in tracks]).save(file=file)
    return file.getvalue()


def on(pitch, time=0, channel=0):
    return mido.Message("note_on", note=pitch, velocity=64, time=time, channel=channel)


def off(pitch, time=0, channel=0):
    return mido.Message("note_off", note=pitch, time=time, channel=channel)


keys = st.tuples(st.booleans(), st.sampled_from([0, 60, 61, 127]), st.integers(0, 200), st.sampled_from([0, 9, 15]))


@given(st.lists(st.lists(keys, max_size=30), min_size=1, max_size=3), st.integers(0, 100_000))
def test_never_ending_notes_are_those_begun_less_those_ended(tracks, silence):
    expected = 0
    for events in tracks:
        sounding = Counter()
        for begins, pitch, _, channel in events:
            sounding[pitch, channel] = max(0, sounding[pitch, channel] + (1 if begins else -1))
        expected += sum(sounding.values())
    made = [
        [
            *((on if begins else off)(pitch, time, channel) for begins, pitch, time, channel in events),
            mido.MetaMessage("end_of_track", time=silence),
        ]
        for events in tracks
    ]
    assert losses(data(*made)).never_ending == expected


def test_a_key_struck_often_and_never_let_go_counts_as_often():
    assert losses(data([on(60, 1) for _ in range(100)])).never_ending == 100


def test_notes_without_length_and_tempi_of_nothing_are_counted():
    slow, stopped = (mido.MetaMessage("set_tempo", tempo=tempo) for tempo in (1_000_000, 0))
    made = data([slow, stopped, on(60), off(60), on(62), off(62, 10)], [stopped, on(60), off(60)])
    assert losses(made) == Losses(never_ending=0, no_length=2, no_tempo=2)


def test_nothing_is_lost_of_what_is_whole():
    assert losses(data([on(60), off(60, 480)])) == Losses()


def test_a_file_that_the_fast_reader_refuses_is_given_to_the_patient_one(monkeypatch):
    import symusic

    whole = data([on(60), on(62), off(62, 480)])
    fast, seen = symusic.Score.from_midi, []

    class Strict:
        @staticmethod
        def from_midi(read):
            seen.append(read)
            if len(seen) == 1:
                raise RuntimeError("not as I like it")
            return fast(read)

    monkeypatch.setattr(symusic, "Score", Strict)
    assert losses(whole) == Losses(never_ending=1)


@pytest.mark.parametrize("nonsense", [b"", b"MThd", b"this is no music", b"MThd\0\0\0\6\0\1\0\1\1\xe0MTrk\0\0"])
def test_of_what_cannot_be_read_nothing_is_known(nonsense):
    assert losses(nonsense) is None


def test_a_file_of_very_many_tracks_is_not_blown_up():
    assert losses(data(*([on(60)] for _ in range(20_000)))).never_ending == 0  # beyond what is looked into


def test_a_file_inside_another_is_found():
    assert losses(b"RIFF\0\0\0\0RMIDdata\0\0\0\0" + data([on(60)])).never_ending == 1
