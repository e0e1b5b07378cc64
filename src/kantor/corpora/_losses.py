"""What a MIDI file holds and its Score does not show: notes that never end or have no length, tempi of nothing.

A note that begins and never ends (its note-off is missing: a recording that was cut, an editor's slip) has no
duration, and no reader of MIDI gives it one: it is left out. Nor do readers say so. Here it is found by closing what
is open: each track is read a second time with note-offs for all keys before its end, and the notes that come in
addition are those.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any

__all__ = ["Losses", "losses"]

_MAX_BYTES = 2**26
_END_OF_TRACK = b"\xff\x2f\x00"
_LET_GO = b"\x00".join(bytes((0x80 | channel, pitch, 0)) for channel in range(16) for pitch in range(128))


@dataclass(frozen=True)
class Losses:
    """Notes that never end, which are left out; that have no length, which last a tick; tempi of 0, passed over."""

    never_ending: int = 0
    no_length: int = 0
    no_tempo: int = 0


def losses(data: bytes) -> Losses | None:
    """What is lost of the bytes of a MIDI file; None where no reader tells."""
    data = data[max(data.find(b"MThd", 0, 4096), 0) :]  # a RIFF file has it further in
    try:
        return _lost(data)
    except Exception:  # noqa: BLE001  bytes from anywhere: a parser may raise anything
        pass
    try:
        return _lost(_mended(data))
    except Exception:  # noqa: BLE001
        return None


def _lost(data: bytes) -> Losses:
    file = _parsed(data)
    return Losses(
        _never_ending(data, _count(file)),
        sum(int((track.notes.numpy()["duration"] <= 0).sum()) for track in file.tracks),
        sum(tempo.mspq <= 0 for tempo in file.tempos),
    )


def _never_ending(data: bytes, ending: int) -> int:
    """How many notes come to ``ending`` once all keys are let go as often as that helps, and memory allows."""
    found, times = 0, 1
    while data.count(b"MTrk") * len(_LET_GO) * times <= _MAX_BYTES:
        more = _count(_parsed(_closed(data, times))) - ending
        if more <= found:
            break
        found, times = more, times * 2
    return found


def _closed(data: bytes, times: int) -> bytes:
    """The file with note-offs for every key of every channel, ``times`` over, at the end of each track."""
    at = 8 + int.from_bytes(data[4:8], "big")
    pieces = [data[:at]]
    while at + 8 <= len(data):
        kind, size = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "big")
        body = data[at + 8 : at + 8 + size]
        if kind == b"MTrk" and body.endswith(_END_OF_TRACK):
            # the time before the end of the track now comes before the first note-off
            body = body[:-3] + b"\x00".join([_LET_GO] * times + [_END_OF_TRACK])
        pieces += [kind, len(body).to_bytes(4, "big"), body]
        at += 8 + size
    return b"".join(pieces)


def _mended(data: bytes) -> bytes:
    """The file as the patient reader understands and writes it, for one that the fast reader refuses."""
    import mido

    mended = io.BytesIO()
    mido.MidiFile(file=io.BytesIO(data), clip=True).save(file=mended)
    return mended.getvalue()


def _parsed(data: bytes) -> Any:
    import symusic

    return symusic.Score.from_midi(data)


def _count(file: Any) -> int:
    return sum(len(track.notes) for track in file.tracks)
