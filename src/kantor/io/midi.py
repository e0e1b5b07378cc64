"""Standard MIDI files: notes as they are played.

Reading is done by symusic; a file that it refuses is given to mido, which is slower and more patient. A track becomes
a part; one that uses several channels or programs (a type-0 file) becomes a part for each. What MIDI lets a file say
but music does not (a beat of value 1/3, eighteen flats, no time at all between two beats) is dropped.

What a Score knows and MIDI has no event for is kept in markers, so that a file of ours reads back equal to
:func:`canonical` of what was written:

- ``fermata`` at every fermata;
- ``kantor:`` and the recipe, as :mod:`~kantor.io.recipes` packs it;
- ``kantor-score:`` and a JSON object of what readers could not guess: title, length, silent parts and the like.

A pickup is written as editors do: a short metre for as long as it lasts, then the true one. Any file whose first metre
lasts one bar and is shorter than its second is read so.
"""

from __future__ import annotations

import io
import json
import math
import re
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from kantor.errors import FileFormatError, ScoreError
from kantor.io.notation import disjoint
from kantor.io.recipes import pack, unpack
from kantor.score import NOTE, Key, Meter, Part, Score, Tempo

__all__ = ["SUFFIXES", "canonical", "read", "write"]

SUFFIXES = (".mid", ".midi", ".kar")

MAX_LENGTH_TICKS = 2**31 - 1  # symusic counts in 32 bits
MAX_LENGTH_QUARTERS = 2**20  # six days at 120: a damaged delta time, not music
_MICROSECONDS = 60_000_000  # in a minute
_RECIPE, _UNSAID, _FERMATA = "kantor:", "kantor-score:", "fermata"

_COLUMNS = ("onset", "duration", "pitch", "velocity")

# a metre whose beat is shorter than 1/64, damaged surely: symusic would wrap it round to a plausible one
_SMALL_BEAT = re.compile(rb"\xff\x58\x04.[\x07-\xff]", re.DOTALL)

_Event = TypeVar("_Event", Tempo, Meter, Key)


@dataclass
class _Contents:
    """What both readers give: the file as it is, before anything is understood."""

    ticks_per_quarter: int
    tracks: list[tuple[Part, NDArray[np.void]]] = field(default_factory=list)
    tempi: list[tuple[int, int]] = field(default_factory=list)  # tick, microseconds per quarter
    meters: list[tuple[int, int, int]] = field(default_factory=list)
    keys: list[tuple[int, int, str]] = field(default_factory=list)
    markers: list[tuple[int, str]] = field(default_factory=list)


def read(data: bytes, name: str) -> Score:
    """The score in the bytes of a MIDI file; ``name`` is what messages call it. Ticks stay the file's own.

    Raises
    ------
    FileFormatError
        If neither reader makes sense of the bytes.
    """
    data = _unwrapped(data, name)
    division = int.from_bytes(data[12:14], "big")
    if division == 0:
        raise FileFormatError(
            f"{name!r} says that a quarter note has 0 ticks, so its notes have no time; export it anew."
        )
    try:
        contents = _read_with_mido(data, name) if _SMALL_BEAT.search(data) else _read_with_symusic(data)
    except FileFormatError:
        raise
    except Exception:  # noqa: BLE001  bytes from anywhere: a parser may raise anything
        contents = _read_with_mido(data, name)
    if division >= 0x8000:
        _count_in_seconds(contents, division)
    _check_lengths(contents, name)
    return _understood(contents, name)


def write(score: Score) -> bytes:
    """The bytes of a type-1 MIDI file that reads back as ``canonical(score)``: one track a part, the same every time.

    Raises
    ------
    ScoreError
        If the score has more ticks a quarter, or altogether, than MIDI can count.
    """
    import symusic

    score = canonical(score)
    if score.ticks_per_quarter > 0x7FFF or score.length_ticks > MAX_LENGTH_TICKS:
        raise ScoreError(f"MIDI counts to {0x7FFF} ticks a quarter and {MAX_LENGTH_TICKS} in all; use a coarser grid.")
    file = symusic.Score(score.ticks_per_quarter)
    for index, part in enumerate(score.parts):
        notes = score.notes[score.notes["part"] == index]
        track = symusic.Track(name=part.name, program=part.program, is_drum=part.is_drum)
        columns = [notes[k].astype(t) for k, t in zip(_COLUMNS, ("i4", "i4", "i1", "i1"), strict=True)]
        track.notes = symusic.Note.from_numpy(*columns)
        file.tracks.append(track)
    if not score.parts:  # a file needs one track for its events
        file.tracks.append(symusic.Track())
    for tempo in score.tempi:
        file.tempos.append(symusic.Tempo(tempo.tick, mspq=_microseconds(tempo)))
    for meter in _written_meters(score):
        file.time_signatures.append(symusic.TimeSignature(meter.tick, meter.numerator, meter.denominator))
    for key in score.keys:
        file.key_signatures.append(symusic.KeySignature(key.tick, key.fifths, int(key.mode == "minor")))
    for tick, text in _written_markers(score):
        file.markers.append(symusic.TextMeta(tick, text))
    return bytes(file.dumps_midi())


def canonical(score: Score) -> Score:
    """What a MIDI file can hold of ``score``.

    A note ends at the latest where its part plays the same pitch again, and lasts at least one tick; velocity is at
    least 1. One tempo, metre and key hold at a time; tempi are whole microseconds a quarter; metres and keys stay
    within what MIDI can say.
    """
    tempi = (Tempo(t.tick, _quarters_per_minute(_microseconds(t))) for t in score.tempi if t.quarters_per_minute > 0)
    meters = (m for m in score.meters if _is_meter(m.numerator, m.denominator))
    keys = (Key(k.tick, k.fifths, k.mode if k.mode in ("major", "minor") else "") for k in score.keys)
    return score.replace(
        notes=disjoint(score.notes),
        parts=tuple(replace(p, name=_text(p.name).replace("\0", "")) for p in score.parts),
        tempi=_one_at_a_time(tempi),
        meters=_one_at_a_time(meters),
        keys=_one_at_a_time(k for k in keys if abs(k.fifths) <= 7),
        fermatas=tuple(tick for tick in score.fermatas if tick >= 0),
        title=_text(score.title),
        recipe=_text(score.recipe),
    )


# Reading


def _unwrapped(data: bytes, name: str) -> bytes:
    """``data`` from its MThd on: a RIFF file (.rmi) carries a MIDI file inside."""
    if not data:
        raise FileFormatError(f"{name!r} is empty, expected MIDI data; was it copied whole?")
    if data[:4] == b"RIFF" and (at := data.find(b"MThd", 0, 4096)) > 0:
        data = data[at:]
    if data[:4] != b"MThd":
        raise FileFormatError(f"{name!r} is not a MIDI file: it begins with {data[:4]!r}, expected b'MThd'.")
    if len(data) < 14:
        raise FileFormatError(f"{name!r} is cut off within its first 14 bytes; was it copied whole?")
    if b"MTrk" not in data[14:]:
        raise FileFormatError(f"{name!r} is a MIDI header without any track; was it copied whole?")
    return data


def _read_with_symusic(data: bytes) -> _Contents:
    import symusic

    file = symusic.Score.from_midi(data)
    contents = _Contents(file.ticks_per_quarter)
    for track in file.tracks:
        columns = track.notes.numpy()
        notes = np.zeros(len(columns["time"]), dtype=NOTE)
        for column, source in zip(_COLUMNS, ("time", "duration", "pitch", "velocity"), strict=True):
            notes[column] = columns[source]
        contents.tracks.append((Part(_text(track.name), track.program, track.is_drum), notes))
    contents.tempi = [(t.time, t.mspq) for t in file.tempos]
    contents.meters = [(m.time, m.numerator, m.denominator) for m in file.time_signatures]
    contents.keys = [(k.time, k.key, "minor" if k.tonality else "major") for k in file.key_signatures]
    contents.markers = [(m.time, _text(m.text)) for m in file.markers]
    return contents


def _read_with_mido(data: bytes, name: str) -> _Contents:
    import mido

    try:
        file = mido.MidiFile(file=io.BytesIO(data), clip=True)
    except EOFError as error:
        raise FileFormatError(f"{name!r} ends in the middle of a track; was it copied whole?") from error
    except Exception as error:
        reason = str(error).rstrip(".") or type(error).__name__
        raise FileFormatError(
            f"{name!r} is damaged: no reader makes sense of it ({reason}); export it anew."
        ) from error
    contents = _Contents(int.from_bytes(data[12:14], "big"))
    for track in file.tracks:
        _read_track(track, contents)
    contents.markers.sort(key=lambda marker: marker[0])  # tracks came one after the other
    return contents


def _read_track(track: Iterable[Any], contents: _Contents) -> None:
    """Add one track of mido's, a part for each channel and program; a note off ends the oldest note of its pitch."""
    name, tick = "", 0
    programs = [0] * 16
    sounding: dict[tuple[int, int], deque[tuple[int, int, int]]] = {}
    rows: dict[tuple[int, int], list[tuple[int, ...]]] = {}
    for message in track:
        tick += message.time
        if message.is_meta:
            name = _read_meta(message, tick, contents) or name
        elif message.type == "program_change":
            programs[message.channel] = message.program
        elif message.type in ("note_on", "note_off"):
            waiting = sounding.setdefault((message.channel, message.note), deque())
            if message.type == "note_on" and message.velocity:
                waiting.append((tick, message.velocity, programs[message.channel]))
            elif waiting:
                onset, velocity, program = waiting.popleft()
                row = (onset, tick - onset, message.note, velocity, 0)
                rows.setdefault((message.channel, program), []).append(row)
    for channel, program in sorted(rows):
        notes = np.array(rows[channel, program], dtype=NOTE)
        contents.tracks.append((Part(name, program, is_drum=channel == 9), notes))


def _read_meta(message: Any, tick: int, contents: _Contents) -> str:
    """Add one meta event; gives the track's name, where it is that."""
    if message.type == "set_tempo":
        contents.tempi.append((tick, message.tempo))
    elif message.type == "time_signature":
        contents.meters.append((tick, message.numerator, message.denominator))
    elif message.type == "key_signature":
        tonic, minor = message.key.removesuffix("m"), message.key.endswith("m")
        fifths = "FCGDAEB".index(tonic[0]) - 1 + 7 * (tonic.count("#") - tonic.count("b")) - 3 * minor
        contents.keys.append((tick, fifths, "minor" if minor else "major"))
    elif message.type == "marker":
        contents.markers.append((tick, _utf8(message.text)))
    return _utf8(message.name) if message.type == "track_name" else ""


def _count_in_seconds(contents: _Contents, division: int) -> None:
    """A file in frames of a second (SMPTE): with a second to the quarter, its ticks need no tempo but 60."""
    frames, ticks_per_frame = 0x100 - (division >> 8), division & 0xFF
    contents.ticks_per_quarter = max(1, (30 if frames == 29 else frames) * ticks_per_frame)
    contents.tempi = [(0, 1_001_000 if frames == 29 else 1_000_000)]  # 29: television's 29.97 frames a second


def _check_lengths(contents: _Contents, name: str) -> None:
    limit = min(MAX_LENGTH_TICKS, MAX_LENGTH_QUARTERS * contents.ticks_per_quarter)
    for _, notes in contents.tracks:
        ends = notes["onset"] + notes["duration"]
        if len(notes) and (min(notes["onset"].min(), notes["duration"].min()) < 0 or ends.max() > limit):
            raise FileFormatError(
                f"{name!r} has notes beyond {limit} ticks, so it is damaged or no music; export it anew."
            )
    contents.tempi = [event for event in contents.tempi if 0 <= event[0] <= limit]
    contents.meters = [event for event in contents.meters if 0 <= event[0] <= limit]
    contents.keys = [event for event in contents.keys if 0 <= event[0] <= limit]
    contents.markers = [event for event in contents.markers if 0 <= event[0] <= limit]


def _understood(contents: _Contents, name: str) -> Score:
    sounding = [(part, notes) for part, notes in contents.tracks if len(notes)]
    for index, (_, notes) in enumerate(sounding):
        notes["part"] = index
        np.clip(notes["duration"], 1, None, out=notes["duration"])
        np.clip(notes["velocity"], 1, 127, out=notes["velocity"])
    unsaid = _read_unsaid(contents)
    parts = [part for part, _ in sounding]
    moved = list(range(len(parts)))
    for index, part in unsaid.get("silent", ()):
        parts.insert(index, part)
        moved = [i + (i >= index) for i in moved]
    notes = np.concatenate([notes for _, notes in sounding]) if sounding else np.empty(0, dtype=NOTE)
    notes["part"] = np.array(moved, dtype=NOTE["part"])[notes["part"]]
    keys = (Key(tick, fifths, mode) for tick, fifths, mode in contents.keys if abs(fifths) <= 7)
    meters = _one_at_a_time(Meter(*row) for row in contents.meters if _is_meter(*row[1:]))
    meters, anacrusis = _folded_pickup(meters, contents.ticks_per_quarter, unsaid.get("anacrusis"))
    modeless = set(unsaid.get("modeless", ()))
    return Score(
        notes,
        parts=tuple(parts),
        ticks_per_quarter=contents.ticks_per_quarter,
        tempi=_one_at_a_time(Tempo(tick, _quarters_per_minute(us)) for tick, us in contents.tempi if us > 0),
        meters=meters,
        keys=tuple(replace(k, mode="") if k.tick in modeless else k for k in _one_at_a_time(keys)),
        fermatas=tuple(tick for tick, text in contents.markers if text == _FERMATA),
        anacrusis_ticks=anacrusis,
        barlines=tuple(unsaid.get("barlines", ())),
        length_ticks=unsaid.get("length", 0),
        title=unsaid.get("title", ""),
        recipe=_read_recipe(contents.markers),
    )


def _read_recipe(markers: Iterable[tuple[int, str]]) -> str:
    return next((unpack(text.removeprefix(_RECIPE)) for _, text in markers if text.startswith(_RECIPE)), "")


def _read_unsaid(contents: _Contents) -> dict[str, Any]:
    """What our own marker adds, each item only if it makes sense: a file may have been edited since."""
    text = next((text for _, text in contents.markers if text.startswith(_UNSAID)), _UNSAID + "{}")
    try:
        found = json.loads(text.removeprefix(_UNSAID))
    except (ValueError, RecursionError):
        return {}
    limit = min(MAX_LENGTH_TICKS, MAX_LENGTH_QUARTERS * contents.ticks_per_quarter)
    sense: dict[str, Callable[[Any], bool]] = {
        "title": lambda value: isinstance(value, str),
        "anacrusis": lambda value: _is_tick(value, limit),
        "length": lambda value: _is_tick(value, limit),
        "barlines": lambda value: isinstance(value, list) and all(_is_tick(tick, limit) for tick in value),
        "modeless": lambda value: isinstance(value, list) and all(_is_tick(tick, limit) for tick in value),
        "silent": lambda value: isinstance(value, list) and all(_is_silent_part(row) for row in value),
    }
    if not isinstance(found, dict):
        return {}
    unsaid = {item: found[item] for item, holds in sense.items() if item in found and holds(found[item])}
    if "silent" in unsaid:
        unsaid["silent"] = [(row[0], Part(_text(row[1]), row[2], row[3])) for row in unsaid["silent"]]
    return unsaid | ({"title": _text(unsaid["title"])} if "title" in unsaid else {})


def _is_tick(value: Any, limit: int) -> bool:
    return type(value) is int and 0 <= value <= limit


def _is_silent_part(row: Any) -> bool:
    if not isinstance(row, list) or [type(value) for value in row] != [int, str, int, bool]:
        return False
    return 0 <= row[0] < 2**15 and 0 <= row[2] <= 127


def _folded_pickup(
    meters: tuple[Meter, ...], ticks_per_quarter: int, told: int | None
) -> tuple[tuple[Meter, ...], int]:
    """The metres without the short one that stands for a pickup, and the length of the pickup in ticks."""
    if len(meters) > 1 and meters[0].tick == 0:
        first, second = (m.numerator * 4 * ticks_per_quarter / m.denominator for m in meters[:2])
        if meters[1].tick == first < second and told in (None, first):
            return (replace(meters[1], tick=0), *meters[2:]), int(first)
    return meters, told or 0


# Writing


def _written_meters(score: Score) -> tuple[Meter, ...]:
    """The metres, with a short one for the pickup where there is a note value for it."""
    pickup = score.anacrusis_ticks
    if not pickup or not score.meters or score.meters[0].tick:
        return score.meters
    true, *later = score.meters
    if pickup >= score.meter_ticks(true) or (later and later[0].tick <= pickup):
        return score.meters
    for denominator in (d for d in (1, 2, 4, 8, 16, 32, 64) if d >= true.denominator):
        numerator, rest = divmod(pickup * denominator, 4 * score.ticks_per_quarter)
        if not rest and 1 <= numerator <= 64:
            return (Meter(0, numerator, denominator), replace(true, tick=pickup), *later)
    return score.meters


def _written_markers(score: Score) -> list[tuple[int, str]]:
    markers = [(0, _RECIPE + pack(score.recipe))] if score.recipe else []
    if unsaid := _unsaid(score):
        markers.append((0, _UNSAID + json.dumps(unsaid)))
    return markers + [(tick, _FERMATA) for tick in score.fermatas]


def _unsaid(score: Score) -> dict[str, Any]:
    """What the reader would not find by itself."""
    sounding = set(score.notes["part"].tolist())
    silent = [[i, p.name, p.program, p.is_drum] for i, p in enumerate(score.parts) if i not in sounding]
    said = _folded_pickup(_written_meters(score), score.ticks_per_quarter, None)
    end = int((score.notes["onset"] + score.notes["duration"]).max(initial=0))
    items = {
        "title": score.title,
        "anacrusis": score.anacrusis_ticks if said != (score.meters, score.anacrusis_ticks) else None,
        "length": score.length_ticks if score.length_ticks > end else None,
        "barlines": list(score.barlines),
        "modeless": [key.tick for key in score.keys if not key.mode],
        "silent": silent,
    }
    return {item: value for item, value in items.items() if value not in ("", None, [])}


# Units and text


def _one_at_a_time(events: Iterable[_Event]) -> tuple[_Event, ...]:
    """The events in order of time; of several at one tick the last."""
    last = {event.tick: event for event in events}
    return tuple(last[tick] for tick in sorted(last))


def _is_meter(numerator: int, denominator: int) -> bool:
    return 1 <= numerator <= 64 and denominator in (1, 2, 4, 8, 16, 32, 64)


def _microseconds(tempo: Tempo) -> int:
    if not math.isfinite(tempo.quarters_per_minute) or tempo.quarters_per_minute <= 0:
        return 0xFFFFFF
    return max(round(min(_MICROSECONDS / tempo.quarters_per_minute, 0xFFFFFF)), 1)  # 24 bits in a file


def _quarters_per_minute(microseconds: int) -> float:
    """The plainest number that a file with ``microseconds`` a quarter may have meant: 97, not 97.00003."""
    exact = _MICROSECONDS / microseconds
    for digits in range(4):
        plain = round(exact, digits)
        if plain > 0 and round(_MICROSECONDS / plain) == microseconds:
            return plain
    return exact


def _text(text: str) -> str:
    """``text`` without the halves of characters that cannot be written."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _utf8(text: str) -> str:
    """What mido read as Latin-1, if it is UTF-8 after all."""
    try:
        return text.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return text
