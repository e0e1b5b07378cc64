"""The Streamlit page, led as a visitor leads it; its files are read by other people's libraries."""

from __future__ import annotations

import io
import sys
import tomllib
import wave
from pathlib import Path

import mido
import numpy as np
import pretty_midi
import pytest

import kantor
from kantor.errors import MissingExtraError, ScoreError, UnknownNameError
from kantor.score import Meter, Part, Score
from kantor.studio.finished import MOST_GIVEN, finished, given_in
from kantor.studio.presets import PRESETS
from kantor.theory import parse_key, parse_scale, tonic

testing = pytest.importorskip("streamlit.testing.v1", reason="Streamlit is not installed")

from kantor.studio.streamlit_page import BARS, SCALES, TONICS, Settings, settings_of, start_of  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
STEPS = {"major": (0, 2, 4, 5, 7, 9, 11), "minor": (0, 2, 3, 5, 7, 8, 10, 11), "pentatonic": (0, 2, 4, 7, 9)}


@pytest.fixture
def page():
    """The page as it opens."""
    return testing.AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=300).run()


def press(page, label):
    next(button for button in page.button if button.label == label).click().run()
    return page


def made(page):
    assert not page.exception
    assert [error.value for error in page.error] == []
    return page.session_state["made"]


def tune(bars=2):
    """A line of quarters in D major, on a flute."""
    rows = [(480 * at, 480, (62, 66, 69, 74)[at % 4], 80, 0) for at in range(4 * bars)]
    return Score.from_notes(rows, parts=(Part("Flute", 73),), meters=(Meter(0, 4, 4),))


def starts_of(data):
    """(seconds, pitch) of each note, as pretty_midi reads them."""
    notes = [note for part in pretty_midi.PrettyMIDI(io.BytesIO(data)).instruments for note in part.notes]
    return sorted((round(note.start, 3), note.pitch) for note in notes)


def assert_to_be_heard(wav, seconds):
    with wave.open(io.BytesIO(wav)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (44_100, 2, 2)
        samples = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2").astype(float) / 2**15
        assert file.getnframes() / 44_100 > seconds
    loud = np.abs(samples[: len(samples) // 8 * 8].reshape(8, -1)).max(1)
    assert (loud[:6] > 0.02).all()  # throughout; the rest may be the last note dying away


def test_it_opens_as_seed_002_has_it(page):
    assert not page.exception
    assert page.selectbox(key="model").value == "roll"
    assert {"chorale", "jsb", "melody", "notes"} <= set(page.selectbox(key="model").options)
    temperature, bars = page.slider(key="temperature"), page.slider(key="bars")
    assert (temperature.min, temperature.max, temperature.value) == (0.3, 1.5, 0.8)
    assert (bars.min, bars.max, bars.value) == (4, 32, 16)
    assert page.selectbox(key="tonic").value == "C"
    assert set("CDEFGAB") < set(page.selectbox(key="tonic").options)
    assert page.selectbox(key="scale").options == ["major", "minor", "pentatonic"]
    assert len([button for button in page.button if button.label != "Compose"]) >= 5


def test_it_composes_what_the_controls_say(page):
    page.slider(key="bars").set_value(4)
    page.slider(key="tempo").set_value(160)
    page.slider(key="temperature").set_value(1.1)
    page.selectbox(key="tonic").set_value("A")
    page.selectbox(key="scale").set_value("pentatonic")
    page.selectbox(key="meter").set_value("4/4")
    page.selectbox(key="instrument").set_value("harpsichord")
    page.number_input(key="seed").set_value(4)
    first = made(press(page, "Compose"))
    assert first.piece.recipe["options"]["temperature"] == 1.1
    notes = starts_of(first.midi)
    assert {pitch % 12 for _, pitch in notes} <= {(9 + step) % 12 for step in STEPS["pentatonic"]}
    assert max(start for start, _ in notes) < (4 + 1) * 4 * 60 / 160
    file = mido.MidiFile(file=io.BytesIO(first.midi))
    assert {message.program for message in file if message.type == "program_change"} == {6}
    again = made(press(page, "Compose"))
    assert again.midi == first.midi
    page.number_input(key="seed").set_value(5)
    assert made(press(page, "Compose")).midi != first.midi


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.name)
def test_every_preset_makes_midi_sound_and_a_picture(page, preset):
    done = made(press(page, preset.name))
    assert page.selectbox(key="model").value == preset.start.model
    assert {button.label for button in page.get("download_button")} == {"Download MIDI", "Download WAV"}
    asked = done.piece.recipe["options"]
    assert (asked["temperature"], asked["bars"]) == (preset.start.temperature, preset.start.bars)
    notes = starts_of(done.midi)
    assert len(notes) == len(done.piece.score) > preset.start.bars
    file = mido.MidiFile(file=io.BytesIO(done.midi))
    sounding = [message for message in file if message.type == "note_on" and message.velocity]
    assert len(sounding) == len(notes)
    programs = {message.program for message in file if message.type == "program_change"}
    assert programs == set(preset.start.instruments)
    assert_to_be_heard(done.wav, file.length)
    assert done.picture.startswith(b"\x89PNG")


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.name)
def test_the_controls_hold_whatever_a_preset_asks_for(preset):
    """A preset with something that no control shows would sound otherwise here than in the studio."""
    aside = {"instruments", "ahead"}
    assert start_of(settings_of(preset.start)).model_dump(exclude=aside) == preset.start.model_dump(exclude=aside)
    assert len(set(preset.start.instruments)) <= 1


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("name", TONICS)
def test_every_key_is_one_of_twelve(name, scale):
    start = start_of(Settings(tonic=name, scale=scale))
    spelt = start.rules[0].removeprefix("in-key=") if start.rules else start.key
    root = TONICS.index(name)
    assert parse_scale(spelt) == {(root + step) % 12 for step in STEPS[scale]}
    if scale != "pentatonic":
        assert start.in_key
        assert settings_of(start) == Settings(tonic=name, scale=scale)
    assert tonic(parse_key(start.key)) == root


def test_an_upload_is_gone_on_from(page):
    given = tune()
    page.file_uploader[0].set_value(("tune.mid", kantor.io.encode(given, ".mid"), "audio/midi")).run()
    assert page.selectbox(key="tonic").disabled
    page.slider(key="bars").set_value(BARS[0])
    done = made(press(page, "Compose"))
    before, after = starts_of(kantor.io.encode(given, ".mid")), starts_of(done.midi)
    assert after[: len(before)] == before
    added = after[len(before) :]
    assert added
    assert min(start for start, _ in added) >= 4.0  # two bars at 120 quarters a minute
    assert max(start for start, _ in added) < 4.0 + BARS[0] * 2
    assert_to_be_heard(done.wav, after[-1][0])


def test_an_upload_is_read_once_however_often_a_slider_moves(page, monkeypatch):
    from kantor.studio import streamlit_page

    read = []

    def reading(data, name):
        read.append(name)
        return given_in(data, name)

    monkeypatch.setattr(streamlit_page, "given_in", reading)
    data = kantor.io.encode(tune(), ".mid")
    for name, content in (("tune.mid", data), ("bad.mid", b"no MIDI")):
        page.file_uploader[0].set_value((name, content, "audio/midi")).run()
        said = [[each.value for each in (*page.caption, *page.error)]]
        for bars in (5, 6):
            page.slider(key="bars").set_value(bars).run()
            said.append([each.value for each in (*page.caption, *page.error)])
        assert said[0] == said[1] == said[2]
    assert read == ["tune.mid", "bad.mid"]


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.mid", b"MThd, and then nothing of the kind"),
        ("b.mid", b""),
        ("c.musicxml", b"<score-partwise><part>"),
        ("d.mxl", b"PK\x03\x04"),
        ("e.mid", kantor.io.encode(Score.from_notes([]), ".mid")),
        ("f.csv", b"\xff\xfe\x00"),
    ],
)
def test_a_bad_upload_gets_one_sentence(page, name, data):
    page.file_uploader[0].set_value((name, data, "application/octet-stream")).run()
    assert not page.exception
    (said,) = (error.value for error in page.error)
    assert said
    assert "\n" not in said
    assert "/tmp" not in said
    assert next(button for button in page.button if button.label == "Compose").disabled
    press(page, PRESETS[0].name)  # one click still is no piece: there is something that it should go on from
    assert "made" not in page.session_state
    page.file_uploader[0].set_value(None).run()
    assert not page.error


def test_what_a_model_cannot_go_on_from_is_said(page):
    rows = [(480 * at, 480, 50 + 4 * voice, 80, voice) for at in range(8) for voice in range(6)]
    six = Score.from_notes(rows, parts=(Part(),) * 6, meters=(Meter(0, 4, 4),))
    page.file_uploader[0].set_value(("six.mid", kantor.io.encode(six, ".mid"), "audio/midi")).run()
    page.selectbox(key="model").set_value("chorale")
    press(page, "Compose")
    assert not page.exception
    (said,) = (error.value for error in page.error)
    assert "at most 4 notes at once" in said
    assert "made" not in page.session_state


def test_of_long_music_the_end_is_gone_on_from():
    whole = tune(MOST_GIVEN + 6)
    score, said = given_in(kantor.io.encode(whole, ".mid"), "long.mid")
    assert (len(score.bars), len(score)) == (MOST_GIVEN, 4 * MOST_GIVEN)
    assert str(MOST_GIVEN) in said
    assert score.notes["pitch"].tolist() == whole.notes["pitch"][-4 * MOST_GIVEN :].tolist()


def test_music_without_notes_is_refused():
    drums = Score.from_notes([(0, 480, 36, 80, 0)], parts=(Part("Drums", 0, True),))
    with pytest.raises(ScoreError, match="without any"):
        given_in(kantor.io.encode(drums, ".mid"), "drums.mid")


def test_silence_is_a_piece_too_and_said():
    """Where no note may sound a roll keeps its rests."""
    start = start_of(Settings(bars=4)).model_copy(update={"rules": ["polyphony=0"]})
    done = finished(start)
    assert starts_of(done.midi) == []
    assert any("nothing sounds" in remark for remark in done.piece.remarks)


def test_a_model_is_asked_for_by_name_never_by_path():
    with pytest.raises(UnknownNameError, match="model"):
        finished(start_of(Settings(model=str(ROOT / "src/kantor/bundles/roll"))))


def test_nothing_is_told_to_anybody():
    config = tomllib.loads((ROOT / ".streamlit/config.toml").read_text(encoding="utf-8"))
    assert config["browser"]["gatherUsageStats"] is False


def test_streamlit_cloud_installs_the_extra():
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if line and not line.startswith("#")] == [".[streamlit]"]
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    assert [name for name in extras["streamlit"] if name.startswith("streamlit")]


def test_without_streamlit_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "streamlit", None)
    monkeypatch.delitem(sys.modules, "kantor.studio.streamlit_page")
    with pytest.raises(MissingExtraError, match=r"kantor\[streamlit\]"):
        __import__("kantor.studio.streamlit_page")
