from __future__ import annotations

import io
import logging
import re
from pathlib import Path

import numpy as np
import pytest
import scipy.signal
import soundfile

from kantor.errors import FileFormatError, OptionError, ScoreError, UnknownNameError
from kantor.render import audio, instruments
from kantor.score import Part, Score, Tempo

RATE = 22050


def played(score, **options):
    return audio.sound(score, **{"sample_rate": RATE, "engine": "midirenderer", **options})


@pytest.fixture(scope="module")
def heard(piece):
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("KANTOR_SOUNDFONT", raising=False)
        patch.setattr(audio, "SYSTEM_FOLDERS", ())
        return played(piece)


def test_a_piece_sounds_as_long_as_it_is_and_a_tail(piece, heard):
    assert heard.shape == (round((piece.seconds + audio.TAIL_SECONDS) * RATE), 2)
    assert heard.dtype == np.float32


def test_a_piece_is_heard_and_never_clipped(heard):
    assert np.abs(heard).max() == pytest.approx(10 ** (-1 / 20), abs=1e-3)
    assert np.sqrt(np.mean(heard**2)) > 0.01
    assert not heard[-1].any()


def test_the_last_note_rings_after_the_end(chorale):
    samples = played(chorale)
    after = samples[round(chorale.seconds * RATE) :][: RATE // 4]
    assert np.abs(after).max() > 1e-3


def test_every_onset_has_the_pitch_that_is_written(piece, heard):
    samples = heard.mean(axis=1)
    onsets = piece.ticks_to_seconds(piece.notes["onset"])
    found = [_has_pitch(samples, at, pitch) for at, pitch in zip(onsets, piece.notes["pitch"], strict=True)]
    assert all(found), piece.notes[~np.array(found)]


def test_the_ear_of_these_tests_seldom_hears_a_pitch_that_is_not_written(piece, heard):
    samples = heard.mean(axis=1)
    end = piece.notes["onset"] + piece.notes["duration"]
    found = []
    for note in piece.notes:
        sounding = piece.notes["pitch"][(piece.notes["onset"] <= note["onset"]) & (end > note["onset"])]
        for wrong in (note["pitch"] + 1, note["pitch"] - 1, note["pitch"] + 6):
            # harmonics of what sounds: octave, twelfth, double octave, third above it
            if not {int(wrong - p) % 12 for p in sounding} & {0, 7, 4}:
                found.append(_has_pitch(samples, float(piece.ticks_to_seconds(note["onset"])), wrong))
    assert np.mean(found) < 0.3  # what rang before, and high harmonics


def _has_pitch(samples, at, pitch, window=0.35):
    """Does one of the first harmonics stand out from its surroundings just after ``at`` seconds?"""
    start = round((at + 0.03) * RATE)
    excerpt = samples[start : start + round(window * RATE)]
    spectrum = np.abs(np.fft.rfft(excerpt * np.hanning(len(excerpt)), 1 << 16))
    hertz = np.fft.rfftfreq(1 << 16, 1 / RATE)
    fundamental = 440 * 2 ** ((pitch - 69) / 12)
    for harmonic in (1, 2, 3, 4):
        cents = 1200 * np.log2(np.maximum(hertz, 1) / (fundamental * harmonic))
        near, around = np.abs(cents) < 30, (np.abs(cents) > 70) & (np.abs(cents) < 130)
        wide_enough = fundamental * harmonic * 0.04 > 2 / window  # the window tells semitones apart
        if wide_enough and spectrum[near].max() > 4 * np.median(spectrum[around]) > 0:
            peak = hertz[near][spectrum[near].argmax()]
            if spectrum[near].max() > spectrum[around].max() and abs(peak - fundamental * harmonic) < 0.02 * peak:
                return True
    return False


def test_the_sound_is_the_same_every_time(chorale):
    assert np.array_equal(played(chorale), played(chorale))


def test_an_instrument_is_given_to_all_parts_but_drums():
    parts = (Part("Melody"), Part("Drums", is_drum=True))
    score = Score.from_notes([(0, 480, 60, 80, 0), (0, 480, 38, 80, 1)], parts=parts)
    changed = audio.played_on(score, 19)
    assert [part.program for part in changed.parts] == [19, 0]
    assert not np.array_equal(played(score), played(score, instrument="church organ"))


def test_a_score_without_notes_is_silence():
    samples = played(Score.from_notes([], length_ticks=960))
    assert samples.shape == (round((1 + audio.TAIL_SECONDS) * RATE), 2)
    assert not samples.any()


def test_an_hour_is_the_limit():
    with pytest.raises(ScoreError, match="at most an hour"):
        played(Score.from_notes([(2**39, 480, 60, 80, 0)]))


def test_the_tail_lasts_at_every_tempo():
    for tempo in (20, 300):
        score = Score.from_notes([(0, 480, 60, 80, 0)], tempi=(Tempo(0, tempo),), parts=(Part("Choir", 52),))
        samples = played(score)
        assert len(samples) == round((60 / tempo + audio.TAIL_SECONDS) * RATE)
        assert np.abs(samples[round(60 / tempo * RATE) :][: RATE // 10]).max() > 1e-3


@pytest.mark.parametrize(("rate", "wanted"), [(48000, 44100), (48000, 8000), (22050, 48000), (48000, 48000)])
def test_resampling_is_a_polyphase_filter(rate, wanted):
    time = np.arange(rate) / rate
    tone = np.stack([np.sin(2 * np.pi * 440 * time), np.cos(2 * np.pi * 1234 * time)], axis=1).astype(np.float32)
    ours = audio._resample(tone, rate, wanted)
    exact = np.arange(wanted) / wanted
    expected = np.stack([np.sin(2 * np.pi * 440 * exact), np.cos(2 * np.pi * 1234 * exact)], axis=1)
    assert ours.shape == (wanted, 2)
    inner = slice(wanted // 10, -wanted // 10)
    assert np.abs(ours - expected)[inner].max() < 2e-3
    theirs = scipy.signal.resample_poly(tone, wanted, rate, axis=0)
    assert np.abs(ours - theirs)[inner].max() < 5e-3


def test_resampling_removes_what_the_new_rate_cannot_hold():
    tone = np.sin(2 * np.pi * 7000 * np.arange(48000) / 48000).astype(np.float32)[:, None]
    assert np.abs(audio._resample(tone, 48000, 8000)[800:-800]).max() < 1e-3


@pytest.mark.parametrize("suffix", [".wav", ".ogg", ".mp3"])
def test_files_hold_the_sound_and_are_the_same_every_time(chorale, suffix):
    samples = played(chorale)
    data = audio.encode(samples, RATE, suffix)
    assert data == audio.encode(samples, RATE, suffix)
    decoded, rate = soundfile.read(io.BytesIO(data), always_2d=True)
    assert rate == RATE
    assert 0.5 < np.abs(decoded).max() < 1
    if suffix != ".mp3":  # MP3 comes in frames of 576 samples
        assert decoded.shape == samples.shape
    if suffix == ".wav":
        assert np.abs(decoded - samples).max() < 2**-14


def test_a_wav_file_has_sixteen_bits(chorale):
    information = soundfile.info(io.BytesIO(audio.encode(played(chorale), RATE, ".wav")))
    assert (information.subtype, information.channels) == ("PCM_16", 2)


def test_options_that_are_not_known_are_refused(chorale):
    with pytest.raises(OptionError, match="44100 is the usual one"):
        audio.sound(chorale, sample_rate=44000)
    with pytest.raises(UnknownNameError, match="midirenderer"):
        audio.sound(chorale, engine="timidity")
    with pytest.raises(UnknownNameError, match=r"\.ogg"):
        audio.encode(np.zeros((10, 2), np.float32), RATE, ".flac")


def test_soundfonts_are_looked_for_in_order(tmp_path, monkeypatch):
    packaged = audio.find_soundfont()
    assert packaged.name == "TimGM6mb.sf2"
    for name in ("system/FluidR3_GM.sf2", "environment.sf2", "argument.sf2"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"RIFF")
    monkeypatch.setattr(audio, "SYSTEM_FOLDERS", (str(tmp_path / "absent"), str(tmp_path / "system")))
    assert audio.find_soundfont().name == "FluidR3_GM.sf2"
    monkeypatch.setenv("KANTOR_SOUNDFONT", str(tmp_path / "environment.sf2"))
    assert audio.find_soundfont().name == "environment.sf2"
    assert audio.find_soundfont(tmp_path / "argument.sf2").name == "argument.sf2"


def test_a_soundfont_that_is_not_there_is_an_error(tmp_path, monkeypatch):
    with pytest.raises(FileFormatError, match="no SoundFont at"):
        audio.find_soundfont(tmp_path / "absent.sf2")
    monkeypatch.setenv("KANTOR_SOUNDFONT", "absent.sf2")
    with pytest.raises(FileFormatError, match="KANTOR_SOUNDFONT"):
        audio.find_soundfont()
    monkeypatch.delenv("KANTOR_SOUNDFONT")
    monkeypatch.setattr(audio, "_installed_soundfonts", lambda: iter(()))
    with pytest.raises(FileFormatError, match="no SoundFont found"):
        audio.find_soundfont()


@pytest.mark.parametrize("content", [b"", b"not a SoundFont", b"RIFF\x10\0\0\0sfbkLIST", bytes(1000)])
def test_a_soundfont_that_is_none_is_an_error(tmp_path, chorale, content):
    (tmp_path / "bad.sf2").write_bytes(content)
    with pytest.raises(FileFormatError, match="cannot be used as a SoundFont"):
        played(chorale, soundfont=tmp_path / "bad.sf2")


def test_a_damaged_soundfont_is_an_error_or_plays(tmp_path, capfd):
    whole = audio.find_soundfont().read_bytes()
    score = Score.from_notes([(0, 480, 60, 80, 0)])
    for cut in (100, 5000, len(whole) // 2, len(whole) - 1000):
        (tmp_path / "cut.sf2").write_bytes(whole[:cut])
        with pytest.raises(FileFormatError):
            played(score, soundfont=tmp_path / "cut.sf2")
    assert "panicked" not in capfd.readouterr().err


class PanicException(BaseException):
    """As a fault inside the player's library arrives."""


@pytest.mark.parametrize(("raised", "seen"), [(PanicException, FileFormatError), (KeyboardInterrupt,) * 2])
def test_a_soundfont_that_makes_the_player_panic_is_an_error(chorale, monkeypatch, raised, seen):
    def render_wave_from(soundfont, midi):
        raise raised("index out of bounds")

    monkeypatch.setattr("midirenderer.render_wave_from", render_wave_from)
    with pytest.raises(seen):
        played(chorale)


def test_a_compressed_soundfont_is_explained(tmp_path):
    assert "needs FluidSynth" in str(audio._bad_soundfont(tmp_path, "SoundFont3 is not yet supported"))


@pytest.mark.parametrize(
    ("name", "program"),
    [("church organ", 19), ("Church  Organ", 19), ("choir aahs", 52), ("harpsichord", 6), ("piano", 0), ("aahs", 52),
     ("organ", 19), ("kalim", 108), ("0", 0), (127, 127), ("viola", 41), ("gunshot", 127)],
)  # fmt: skip
def test_instruments_are_found_by_name_part_of_a_name_or_number(name, program):
    assert instruments.program_of(name) == program


def test_there_are_128_instruments_of_different_names():
    assert len(set(instruments.INSTRUMENTS)) == len(instruments.INSTRUMENTS) == 128
    assert set(instruments.EVERYDAY.values()) <= set(instruments.INSTRUMENTS)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("harpsicord", "no instrument named 'harpsicord'; try 'harpsichord', "),
        ("Trumpett", "no instrument named 'Trumpett'; try 'trumpet', 'muted trumpet', "),
        ("lead", "8 instruments have 'lead' in their name; try 'square lead', 'sawtooth lead', 'calliope lead';"),
        ("", "no instrument named ''; docs/instruments.md"),
        ("zzzz", "no instrument named 'zzzz'; docs/instruments.md"),
    ],
)
def test_an_instrument_that_is_not_known_is_refused_with_three_to_choose_from(name, said):
    with pytest.raises(OptionError) as raised:
        instruments.program_of(name)
    told = str(raised.value)
    assert told.startswith(said)
    assert told.endswith("; docs/instruments.md lists all 128.")
    assert len(told) < 160
    known = {*instruments.INSTRUMENTS, *instruments.EVERYDAY}
    assert sum(f"'{other}'" in told for other in known) <= 3


def test_the_page_of_instruments_lists_them_all_by_number():
    page = (Path(__file__).resolve().parents[2] / "docs" / "instruments.md").read_text(encoding="utf-8")
    listed = re.findall(r"[|,] (\d+) ([a-z][^,|]*?) *(?=[,|])", page)
    assert listed == [(str(number), name) for number, name in enumerate(instruments.INSTRUMENTS)]
    words = dict(re.findall(r"^\| ([a-z]+) \| ([a-z0-9 ]+) \|$", page, re.MULTILINE))
    assert words == {"family": "instruments", "word": "instrument", **instruments.EVERYDAY}


def test_a_number_that_no_instrument_has_is_refused():
    for number in (128, -1, "200"):
        with pytest.raises(OptionError, match=r"0\.\.127"):
            instruments.program_of(number)


def test_sound_says_nothing(chorale, capfd, caplog):
    with caplog.at_level(logging.DEBUG):
        played(chorale)
    assert capfd.readouterr() == ("", "")
