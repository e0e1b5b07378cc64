"""Sound: a score played on a SoundFont, as samples or as a WAV, MP3 or OGG file.

Nothing has to be installed for it: midirenderer plays the notes, and the last SoundFont looked for comes inside the
pretty_midi package. Where FluidSynth is installed with its Python binding pyfluidsynth, it plays instead: it also knows
compressed SoundFonts (SF3).

Samples are float32 of shape (samples, 2), left and right, within -1..1. A score sounds for exactly
``score.seconds + TAIL_SECONDS``: the tail lets the last note ring. The loudest sample is at -1 dB, whatever the score
and the SoundFont; a score without notes is silence.
"""

from __future__ import annotations

import io
import math
import os
import tempfile
import zlib
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kantor.errors import FileFormatError, OptionError, ScoreError, UnknownNameError
from kantor.render.instruments import on_program, program_of
from kantor.score import Score

__all__ = ["ENGINES", "SAMPLE_RATES", "TAIL_SECONDS", "check", "encode", "find_soundfont", "played_on", "sound"]

TAIL_SECONDS = 2.0
FADE_SECONDS = 0.010
PEAK = 10 ** (-1 / 20)
MAX_SECONDS = 3600.0

#: Every rate an MP3 can have, in Hz.
SAMPLE_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)
ENGINES = ("midirenderer", "fluidsynth")
FORMATS = {".wav": ("WAV", "PCM_16"), ".mp3": ("MP3", None), ".ogg": ("OGG", "VORBIS")}

SYSTEM_FOLDERS = ("/usr/share/sounds/sf2", "/usr/share/soundfonts", "/usr/local/share/soundfonts", "/usr/share/sf2")
#: General MIDI SoundFonts as Linux distributions name them, best known first; others may hold a single instrument.
SYSTEM_NAMES = ("default-GM.sf2", "default.sf2", "FluidR3_GM.sf2", "MuseScore_General.sf2", "TimGM6mb.sf2")


def sound(
    score: Score,
    *,
    soundfont: str | Path | None = None,
    instrument: str | int | None = None,
    sample_rate: int = 44100,
    engine: str | None = None,
) -> NDArray[np.float32]:
    """``score`` as stereo samples.

    Parameters
    ----------
    soundfont    a SoundFont file; without one see :func:`find_soundfont`.
    instrument   General MIDI name or program number for every part but drums; without one each part keeps its own.
    sample_rate  in Hz, one of :data:`SAMPLE_RATES`.
    engine       one of :data:`ENGINES`; without one FluidSynth where it is installed, else midirenderer.

    Returns
    -------
    (round((score.seconds + TAIL_SECONDS) * sample_rate), 2) samples within -1..1.

    Raises
    ------
    ScoreError
        If the score lasts longer than an hour.
    FileFormatError
        If there is no SoundFont, or it cannot be read.
    OptionError
        If the rate, the engine or the instrument is not known.
    """
    check(soundfont, instrument, sample_rate)
    if score.seconds > MAX_SECONDS:
        raise ScoreError(f"expected at most an hour of music to play, got {score.seconds / 3600:.1f} hours; cut it.")
    if instrument is not None:
        score = played_on(score, instrument)
    length = round((score.seconds + TAIL_SECONDS) * sample_rate)
    if not len(score):
        return np.zeros((length, 2), dtype=np.float32)
    midi, font = _midi_with_tail(score), _checked(find_soundfont(soundfont))
    if _engine(engine) == "fluidsynth":
        samples = _play_fluidsynth(midi, font, sample_rate, length)
    else:
        samples = _play_midirenderer(midi, font, sample_rate)
    return _finish(samples, length, sample_rate)


def check(soundfont: str | Path | None, instrument: str | int | None, sample_rate: int) -> None:
    """Refuse what :func:`sound` could not do with these, as it would."""
    if sample_rate not in SAMPLE_RATES:
        rates = ", ".join(map(str, SAMPLE_RATES))
        raise OptionError(f"expected a sample rate of {rates} Hz, got {sample_rate}; 44100 is the usual one.")
    if instrument is not None:
        program_of(instrument)
    _checked(find_soundfont(soundfont))


def encode(samples: NDArray[np.float32], sample_rate: int, suffix: str = ".wav") -> bytes:
    """The bytes of a ``.wav`` (16 bit), ``.mp3`` or ``.ogg`` (Vorbis) file; the same samples give the same bytes.

    Parameters
    ----------
    samples      (samples, channels) within -1..1.
    sample_rate  in Hz.
    """
    import soundfile

    if suffix not in FORMATS:
        raise UnknownNameError("sound format", suffix, FORMATS)
    container, subtype = FORMATS[suffix]
    buffer = io.BytesIO()
    with soundfile.SoundFile(
        buffer, "w", samplerate=sample_rate, channels=samples.shape[1], format=container, subtype=subtype
    ) as file:
        # libsndfile's Vorbis encoder overflows its stack on minutes given at once
        for start in range(0, len(samples), 1 << 16):
            file.write(samples[start : start + (1 << 16)])
    return _with_fixed_serial(buffer.getvalue()) if suffix == ".ogg" else buffer.getvalue()


def find_soundfont(soundfont: str | Path | None = None) -> Path:
    """The SoundFont to play on: the one asked for, else the environment's, else the system's, else pretty_midi's.

    Without an argument, the file that ``KANTOR_SOUNDFONT`` names, then a General MIDI SoundFont in the folders where
    Linux distributions keep them, then TimGM6mb.sf2 inside the installed pretty_midi package (GPL-2; used where it is,
    never copied).

    Raises
    ------
    FileFormatError
        If the file that was named does not exist, or none was named and none is found.
    """
    for named, origin in ((soundfont, "soundfont"), (os.environ.get("KANTOR_SOUNDFONT"), "KANTOR_SOUNDFONT")):
        if named:
            if not Path(named).is_file():
                raise FileFormatError(f"no SoundFont at {named} (from {origin}); name an existing .sf2 file.")
            return Path(named)
    for candidate in _installed_soundfonts():
        if candidate.is_file():
            return candidate
    raise FileFormatError(
        "no SoundFont found; name one with KANTOR_SOUNDFONT, or reinstall pretty_midi, which has one."
    )


def _installed_soundfonts() -> Iterator[Path]:
    for folder in SYSTEM_FOLDERS:
        yield from (Path(folder, name) for name in SYSTEM_NAMES)
    package = find_spec("pretty_midi")
    for place in (package and package.submodule_search_locations) or ():
        yield Path(place, "TimGM6mb.sf2")


def played_on(score: Score, instrument: str | int) -> Score:
    """The score with every part but drums on ``instrument``, a General MIDI name or program number."""
    program = program_of(instrument)
    return score.replace(parts=tuple(on_program(part, program) for part in score.parts))


def _midi_with_tail(score: Score) -> bytes:
    """MIDI bytes that end a tail, and a little more, after the score: a player stops where its file does.

    What lasts so long is one more track, which holds nothing but its end.
    """
    from kantor.io import midi

    data = midi.write(score)
    quarters_per_minute = score.tempi[-1].quarters_per_minute if score.tempi else 120.0
    tail_ticks = math.ceil((TAIL_SECONDS + 0.5) * quarters_per_minute / 60 * score.ticks_per_quarter)
    event = _variable_length(score.length_ticks + tail_ticks) + b"\xff\x2f\x00"
    tracks = int.from_bytes(data[10:12], "big") + 1
    return data[:10] + tracks.to_bytes(2, "big") + data[12:] + b"MTrk" + len(event).to_bytes(4, "big") + event


def _variable_length(ticks: int) -> bytes:
    """A delta time as MIDI files have it: seven bits a byte, the highest first, all but the last marked."""
    digits = [ticks & 0x7F]
    while ticks := ticks >> 7:
        digits.append(0x80 | ticks & 0x7F)
    return bytes(reversed(digits))


def _engine(name: str | None) -> str:
    if name is None:
        try:
            import fluidsynth
        except (ImportError, OSError):
            return "midirenderer"
        # another package on PyPI has taken the module's name
        return "fluidsynth" if hasattr(fluidsynth, "Synth") else "midirenderer"
    if name not in ENGINES:
        raise UnknownNameError("sound engine", name, ENGINES)
    return name


def _play_midirenderer(midi: bytes, soundfont: Path, sample_rate: int) -> NDArray[np.float32]:
    import midirenderer
    import soundfile

    try:
        wave = midirenderer.render_wave_from(soundfont.read_bytes(), midi)
    except (RuntimeError, ValueError, OSError) as error:
        raise _bad_soundfont(soundfont, str(error)) from error
    except BaseException as error:
        if type(error).__name__ != "PanicException":  # how a fault inside the Rust library arrives; it has no module
            raise
        raise _bad_soundfont(soundfont, "it is damaged inside") from error
    samples, rate = soundfile.read(io.BytesIO(wave), dtype="float32", always_2d=True)
    return _resample(samples, rate, sample_rate)


def _play_fluidsynth(midi: bytes, soundfont: Path, sample_rate: int, length: int) -> NDArray[np.float32]:
    import fluidsynth

    synth = fluidsynth.Synth(gain=0.2, samplerate=float(sample_rate))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "score.mid")
        file.write_bytes(midi)
        try:
            if synth.sfload(str(soundfont)) < 0:
                raise _bad_soundfont(soundfont, "FluidSynth refuses it")
            synth.play_midi_file(str(file))
            samples = np.asarray(synth.get_samples(length)).reshape(-1, 2)
        finally:
            synth.delete()
    return (samples / 32768).astype(np.float32)


def _checked(soundfont: Path) -> Path:
    """The SoundFont itself, if it begins as one: FluidSynth is noisy about others."""
    try:
        with soundfont.open("rb") as file:
            start = file.read(12)
    except OSError as error:
        raise _bad_soundfont(soundfont, str(error.strerror).lower()) from error
    if start[:4] != b"RIFF" or start[8:] != b"sfbk":
        raise _bad_soundfont(soundfont, "it does not begin like one")
    return soundfont


def _bad_soundfont(soundfont: Path, reason: str) -> FileFormatError:
    if "SoundFont3" in reason:
        return FileFormatError(
            f"{soundfont} is a compressed SoundFont (SF3), which needs FluidSynth; name an .sf2 file, or install "
            "FluidSynth and pyfluidsynth."
        )
    return FileFormatError(f"{soundfont} cannot be used as a SoundFont ({reason}); name a working .sf2 file.")


def _resample(samples: NDArray[np.float32], rate: int, wanted: int, taps: int = 64) -> NDArray[np.float32]:
    """``samples`` (N, channels) at ``rate`` Hz, at ``wanted`` Hz: a polyphase windowed sinc (Kaiser, beta 9).

    Output sample k stands at input time k * down / up; all k with the same remainder share one set of weights.
    """
    if rate == wanted:
        return samples
    divisor = math.gcd(rate, wanted)
    up, down = wanted // divisor, rate // divisor
    cutoff = 0.92 * min(1.0, wanted / rate)  # of the input's Nyquist frequency: the filter needs room to fall
    length = -(-len(samples) * up // down)
    half = math.ceil(taps / 2 / cutoff)
    padded = np.pad(samples.T, ((0, 0), (half, half)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * half, axis=1)
    resampled = np.empty((length, samples.shape[1]), dtype=np.float32)
    for phase in range(min(up, length)):
        first, fraction = divmod(phase * down, up)
        at = np.arange(-half, half) + 1 - fraction / up
        weights = cutoff * np.sinc(cutoff * at) * np.i0(9.0 * np.sqrt(np.clip(1 - (at / half) ** 2, 0, 1))) / np.i0(9.0)
        count = len(range(phase, length, up))
        chosen = windows[:, first + 1 :: down][:, :count]
        resampled[phase::up] = np.einsum("ckt,t->kc", chosen, weights.astype(np.float32))
    return resampled


def _finish(samples: NDArray[np.float32], length: int, sample_rate: int) -> NDArray[np.float32]:
    """Exactly ``length`` samples, the loudest at -1 dB, the last ten milliseconds faded out."""
    finished = np.zeros((length, 2), dtype=np.float32)
    finished[: len(samples)] = samples[:length]
    if loudest := float(np.abs(finished).max(initial=0.0)):
        finished *= PEAK / loudest
    fade = min(round(FADE_SECONDS * sample_rate), length)
    finished[length - fade :] *= np.linspace(1.0, 0.0, fade, dtype=np.float32)[:, None]
    return finished


_REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


def _with_fixed_serial(ogg: bytes) -> bytes:
    """An Ogg stream whose serial number, which libsndfile draws at random, is 1 (RFC 3533, section 6)."""
    pages = bytearray(ogg)
    at = 0
    while at < len(pages):
        segments = pages[at + 26]
        end = at + 27 + segments + sum(pages[at + 27 : at + 27 + segments])
        pages[at + 14 : at + 18] = (1).to_bytes(4, "little")
        pages[at + 22 : at + 26] = bytes(4)
        # Ogg's checksum is zlib's with every bit order reversed and no inversion at either end
        checksum = zlib.crc32(pages[at:end].translate(_REVERSED), 0xFFFFFFFF) ^ 0xFFFFFFFF
        pages[at + 22 : at + 26] = checksum.to_bytes(4, "little").translate(_REVERSED)[::-1]
        at = end
    return bytes(pages)
