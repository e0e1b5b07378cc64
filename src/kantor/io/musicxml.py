"""MusicXML: notes as they are written, plain (.musicxml, .xml) or zipped (.mxl).

Reading is done by music21, after a look for what makes XML and zip files dangerous; :func:`from_music21` turns any
score of music21's into ours, so its corpus comes the same way. Writing is our own, from :mod:`kantor.io.notation`: the
same bytes every time, bar by bar, with ties across bar lines, pickups, fermatas, clefs and beams.

What is read: a part is a staff; a staff that holds two voices most of the time (a closed score) becomes two parts.
Tied notes are one note; pitches are sounding ones; grace notes, chord symbols, unpitched notes and repeats are left
out.

What a page cannot say: how loud each note was (velocity is 80 throughout); time finer than 1/480 quarter; metre and
key changes inside a bar (they move to its start); a pickup longer than a bar.
"""

from __future__ import annotations

import io
import itertools
import math
import re
import warnings
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from xml.etree import ElementTree
from xml.parsers import expat

import numpy as np
from numpy.typing import NDArray

from kantor import __version__
from kantor.errors import FileFormatError, KantorError, ScoreError
from kantor.io import notation
from kantor.io.general_midi import INSTRUMENTS
from kantor.io.notation import UNMARKED_VELOCITY, Chord, NoteValue, Spelling
from kantor.io.recipes import pack, unpack
from kantor.score import NOTE, TICKS_PER_QUARTER, Key, Meter, Part, Score, Tempo

__all__ = ["SUFFIXES", "canonical", "compress", "from_music21", "read", "write"]

SUFFIXES = (".musicxml", ".xml", ".mxl")

MAX_XML_BYTES = 2**26  # once unzipped; a symphony takes 2**24
MAX_LENGTH_TICKS = TICKS_PER_QUARTER * 2**20
_MAX_DEPTH = 100  # elements within elements; MusicXML itself stays below 20
_RECIPE_FIELD, _UNKNOWN_FIELD = "kantor-recipe", "kantor-unknown"
_SOFTWARE = "Kantor"

_Element = ElementTree.Element


def read(data: bytes, name: str) -> Score:
    """The score in the bytes of a MusicXML file, zipped or not; ``name`` is what messages call it. 480 ticks a quarter.

    Raises
    ------
    FileFormatError
        If the bytes are not MusicXML, are damaged, or would grow beyond reason.
    """
    from music21.musicxml.xmlToM21 import MusicXMLImporter

    xml = _unzipped(data, name) if data[:2] == b"PK" else data
    _check_xml(xml, name)
    importer = MusicXMLImporter()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what music21 had to mend is not the reader's concern
            importer.xmlRoot = ElementTree.fromstring(xml)
            importer.xmlRootToScore(importer.xmlRoot, importer.stream)
            _restore_parts(importer.stream, importer.xmlRoot)
            return from_music21(importer.stream)
    except KantorError as error:
        raise FileFormatError(f"{name!r} is damaged: {error}") from error
    except Exception as error:  # bytes from anywhere: a parser may raise anything
        reason = " ".join(str(error).split())[:120] or type(error).__name__
        raise FileFormatError(f"{name!r} is MusicXML that makes no sense ({reason}); export it anew.") from error


def _restore_parts(stream: Any, root: _Element) -> None:
    """Put back names and programs as the file has them: music21 knows but one instrument for several programs."""
    told = {part.get("id"): part for part in root.iter("score-part")}
    for staff in stream.parts:
        for instrument in staff.getElementsByClass("Instrument"):
            if (part := told.get(instrument.partId)) is not None:
                staff.partName = part.findtext("part-name") or ""
                program = (part.findtext("midi-instrument/midi-program") or "").strip()
                if program.isdecimal():
                    instrument.midiProgram = int(program[:4]) - 1


# Before reading


def _unzipped(data: bytes, name: str) -> bytes:
    """The score inside a zipped file, never more than MAX_XML_BYTES of it."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            inside = _score_inside(archive)
            if inside is None:
                raise FileFormatError(f"{name!r} is a zip file without a score inside; is it an .mxl?")
            return _limited(archive, inside, name)
    except (zipfile.BadZipFile, zlib.error, EOFError, KeyError, OSError, ValueError, RuntimeError) as error:
        if isinstance(error, KantorError):
            raise
        raise FileFormatError(f"{name!r} is a damaged zip file ({error}); was it copied whole?") from error


def _score_inside(archive: zipfile.ZipFile) -> str | None:
    names = archive.namelist()
    if "META-INF/container.xml" in names:
        container = _limited(archive, "META-INF/container.xml", "META-INF/container.xml")
        found = re.search(rb"<rootfile\b[^>]*\bfull-path\s*=\s*[\"']([^\"']+)[\"']", container)
        if found and found[1].decode("utf-8", "replace") in names:
            return found[1].decode("utf-8", "replace")
    scores = (n for n in names if n.lower().endswith((".xml", ".musicxml")) and not n.startswith("META-INF/"))
    return next(scores, None)


def _limited(archive: zipfile.ZipFile, inside: str, name: str) -> bytes:
    with archive.open(inside) as file:
        data = file.read(MAX_XML_BYTES + 1)
    if len(data) > MAX_XML_BYTES:
        raise FileFormatError(f"{name!r} unzips to more than {MAX_XML_BYTES} bytes, so it is no score.")
    return data


def _check_xml(xml: bytes, name: str) -> None:
    """Refuse what is no well-formed MusicXML, and entities: a few lines of them grow to gigabytes."""
    depth = 0

    def refuse_entity(*_: object) -> None:
        raise FileFormatError(f"{name!r} defines XML entities, which scores need not and attacks do; export it anew.")

    def enter(tag: str, _: object) -> None:
        nonlocal depth
        if depth == 0 and tag == "score-timewise":
            raise FileFormatError(
                f"{name!r} is MusicXML ordered by time, expected by part; export it as score-partwise."
            )
        if depth == 0 and tag != "score-partwise":
            raise FileFormatError(f"{name!r} is not MusicXML: its root is <{tag[:40]}>, expected <score-partwise>.")
        depth += 1
        if depth > _MAX_DEPTH:
            raise FileFormatError(f"{name!r} nests elements {depth} deep, so it is no score.")

    def leave(_: str) -> None:
        nonlocal depth
        depth -= 1

    parser = expat.ParserCreate()
    parser.EntityDeclHandler, parser.StartElementHandler, parser.EndElementHandler = refuse_entity, enter, leave
    try:
        parser.Parse(xml, True)
    except (expat.ExpatError, ValueError, LookupError) as error:
        if isinstance(error, KantorError):
            raise
        raise FileFormatError(f"{name!r} is not well-formed XML ({error}); was it copied whole?") from error


# music21 -> Score


@dataclass
class _Staff:
    """What one music21 part holds: note rows [onset, end, pitch, voice], events, bars."""

    rows: list[list[int]] = field(default_factory=list)
    tied: dict[tuple[int, int], list[int]] = field(default_factory=dict)  # (pitch, end) -> rows that go on
    tempi: dict[int, Tempo] = field(default_factory=dict)
    meters: dict[int, Meter] = field(default_factory=dict)
    keys: dict[int, Key] = field(default_factory=dict)
    fermatas: set[int] = field(default_factory=set)
    barlines: list[int] = field(default_factory=list)
    length: int = 0
    bars_in_voices: int = 0
    bars_sounding: int = 0


def from_music21(stream: Any) -> Score:
    """The score in a music21 stream (Score, Part, or Opus, which gives its first): sounding pitches, 480 ticks to a
    quarter.

    Raises
    ------
    ScoreError
        If there is no part in it, or it has no sensible length.
    """
    if "Opus" in stream.classes:
        stream = next(iter(stream.scores), stream)
    staves = list(getattr(stream, "parts", ())) or ([stream] if "Part" in stream.classes else [])
    if not staves:
        raise ScoreError("expected a music21 score with at least one part, got none.")
    metadata = getattr(stream, "metadata", None)
    ours = any(name.startswith(_SOFTWARE) for name in getattr(metadata, "software", None) or ())
    read_staves = [_read_staff(staff) for staff in staves]
    parts, notes = _parts_and_notes(staves, read_staves, ours=ours)
    first = read_staves[0]
    known: dict[str, Any] = {
        name: tuple(next((events for s in read_staves if (events := getattr(s, name))), {}).values())
        for name in ("tempi", "meters", "keys")
    }
    if "meter" in _own_field(metadata, _UNKNOWN_FIELD).split():
        known["meters"] = ()
    score = Score(
        notes,
        parts=parts,
        fermatas=tuple(tick for staff in read_staves for tick in staff.fermatas),
        length_ticks=max(staff.length for staff in read_staves),
        title=_title(metadata),
        recipe=unpack(_own_field(metadata, _RECIPE_FIELD)),
        **known,
    )
    if score.length_ticks > MAX_LENGTH_TICKS:
        raise ScoreError(f"expected at most {MAX_LENGTH_TICKS} ticks of music, got {score.length_ticks}.")
    return _with_bars(score, first.barlines)


def _read_staff(staff: Any) -> _Staff:
    result = _Staff()
    measures = list(staff.getElementsByClass("Measure"))
    if not measures:
        staff = staff.makeNotation()
        measures = list(staff.getElementsByClass("Measure"))
    transposes = staff.atSoundingPitch is False  # else an instrument's usual transposition says nothing of this part
    transposition = 0
    for element in staff.getElementsByClass("Instrument") if transposes else ():
        transposition = _semitones(element)
    for measure in measures:
        at = measure.offset
        result.barlines.append(_ticks(at))
        sounding = len(result.rows)
        lanes = 0
        for element in measure.elements:
            if "Voice" in element.classes:
                for inner in element.elements:
                    _read_element(inner, at + element.offset + inner.offset, lanes, transposition, result)
                lanes += 1
            elif transposes and "Instrument" in element.classes:
                transposition = _semitones(element)
            else:
                _read_element(element, at + element.offset, 0, transposition, result)
        result.bars_in_voices += lanes > 1
        result.bars_sounding += len(result.rows) > sounding
        result.length = max(result.length, _ticks(at + measure.duration.quarterLength))
    return result


def _read_element(element: Any, at: Any, lane: int, transposition: int, staff: _Staff) -> None:
    """Add one element of a measure, ``at`` quarters from the start."""
    classes = element.classes
    tick = _ticks(at)
    if "GeneralNote" in classes:
        if element.duration.isGrace or "Harmony" in classes:
            return
        if any("Fermata" in expression.classes for expression in element.expressions):
            staff.fermatas.add(tick)
        end = _ticks(at + element.duration.quarterLength)
        for note in element.notes if "Chord" in classes else (element,) if "Note" in classes else ():
            _read_note(note, tick, end, lane, transposition, staff)
    elif "MetronomeMark" in classes:
        plain = element.number is not None and element.referent.quarterLength == 1
        speed = element.number if plain else element.getQuarterBPM()
        if speed and math.isfinite(speed) and speed > 0:
            staff.tempi[tick] = Tempo(tick, round(float(speed), 6))
    elif "TimeSignature" in classes:
        if element.denominator in (1, 2, 4, 8, 16, 32, 64) and 1 <= element.numerator <= 64:
            staff.meters[tick] = Meter(tick, element.numerator, element.denominator)
    elif "KeySignature" in classes and element.sharps is not None and abs(element.sharps) <= 7:
        mode = getattr(element, "mode", None)
        staff.keys[tick] = Key(tick, element.sharps, mode if mode in ("major", "minor") else "")


def _read_note(note: Any, tick: int, end: int, lane: int, transposition: int, staff: _Staff) -> None:
    pitch = round(note.pitch.ps) + transposition
    if not 0 <= pitch <= 127 or end <= tick:
        return
    tie = note.tie.type if note.tie is not None else ""
    waiting = staff.tied.get((pitch, tick), []) if tie in ("stop", "continue") else []
    if waiting:  # a tie may lead from one voice into another; its own voice comes first
        row = next((r for r in waiting if staff.rows[r][3] == lane), waiting[0])
        waiting.remove(row)
        staff.rows[row][1] = end
    else:
        row = len(staff.rows)
        staff.rows.append([tick, end, pitch, lane])
    if tie in ("start", "continue"):
        staff.tied.setdefault((pitch, end), []).append(row)


def _parts_and_notes(
    staves: Sequence[Any], read_staves: Sequence[_Staff], *, ours: bool
) -> tuple[tuple[Part, ...], NDArray[np.void]]:
    """The parts, and all notes (N,); a closed score's staff becomes a part for each voice, unless the file is ours."""
    parts: list[Part] = []
    rows: list[tuple[int, int, int, int, int]] = []
    for staff, found in zip(staves, read_staves, strict=True):
        part = _part(staff)
        lanes = sorted({row[3] for row in found.rows})
        if ours or len(lanes) < 2 or 2 * found.bars_in_voices < found.bars_sounding:
            place = dict.fromkeys(lanes, len(parts))
            parts.append(part)
        else:
            place = {lane: len(parts) + index for index, lane in enumerate(lanes)}
            parts += [Part(f"{part.name} {i + 1}".strip(), part.program, part.is_drum) for i in range(len(lanes))]
        rows += [(on, end - on, pitch, UNMARKED_VELOCITY, place[lane]) for on, end, pitch, lane in found.rows]
    return tuple(parts), np.array(rows, dtype=NOTE)


def _part(staff: Any) -> Part:
    instrument = next(iter(staff.getElementsByClass("Instrument")), None)
    name = _one_line(staff.partName or "")
    program = getattr(instrument, "midiProgram", None) or 0
    return Part(name, program if 0 <= program <= 127 else 0, getattr(instrument, "midiChannel", None) == 9)


def _semitones(instrument: Any) -> int:
    """How far the instrument sounds from what is written."""
    return round(instrument.transposition.chromatic.semitones) if instrument.transposition is not None else 0


def _with_bars(score: Score, starts: Sequence[int]) -> Score:
    """``score`` with the pickup and bar lines that its bars ``starts`` show."""
    starts = sorted({0, *(start for start in starts if start < max(score.length_ticks, 1))})
    meter = score.meters[0] if score.meters else Meter(0, 4, 4)
    pickup = starts[1] if len(starts) > 1 and starts[1] < score.meter_ticks(meter) else 0
    score = score.replace(anacrusis_ticks=pickup, barlines=())
    return score if score.bars["start"].tolist() == starts else score.replace(barlines=tuple(starts))


def _title(metadata: Any) -> str:
    """The title; music21 gives a file's name to a piece that has none, which is not one."""
    title = _one_line(getattr(metadata, "title", None) or getattr(metadata, "movementName", None) or "")
    return "" if title.lower().endswith((*SUFFIXES, ".krn")) else title


def _own_field(metadata: Any, name: str) -> str:
    """A miscellaneous field of the file's, as text."""
    values = metadata.getCustom(name) if metadata is not None else ()
    return str(values[0]) if values else ""


def _ticks(quarters: Any) -> int:
    return round(quarters * TICKS_PER_QUARTER)


# Score -> MusicXML


def canonical(score: Score) -> Score:
    """What a MusicXML file can hold of ``score``: 480 ticks a quarter, every velocity 80, notes of one part and pitch
    that follow one another; one tempo, metre and key at a time, the latter two from bar lines on.
    """
    score = _at_480(score)
    bars = score.bars
    notes = notation.disjoint(score.notes)
    notes["velocity"] = UNMARKED_VELOCITY
    meters = _at_bars([m for m in score.meters if 1 <= m.numerator <= 64 and 1 <= m.denominator <= 64], bars)
    meters = {0: meters.pop(min(meters)), **meters} if meters else {}
    keys = _at_bars([k for k in score.keys if abs(k.fifths) <= 7], bars)
    tempi = {t.tick: round(t.quarters_per_minute, 6) for t in score.tempi if 0 <= t.tick < score.length_ticks}
    score = score.replace(
        notes=notes,
        parts=tuple(Part(_one_line(p.name), p.program, p.is_drum) for p in score.parts),
        tempi=tuple(Tempo(tick, speed) for tick, speed in tempi.items() if 0 < speed < 1e9),
        meters=tuple(Meter(tick, m.numerator, m.denominator) for tick, m in meters.items()),
        keys=tuple(Key(tick, k.fifths, k.mode if k.mode in ("major", "minor") else "") for tick, k in keys.items()),
        fermatas=tuple(tick for tick in score.fermatas if 0 <= tick < score.length_ticks),
        title=_one_line(score.title),
    )
    return _with_bars(score, bars["start"].tolist())


def write(score: Score) -> bytes:
    """The bytes of a MusicXML 4.0 file that reads back as ``canonical(score)``: the same every time.

    A score of unknown metre is written in 4/4, and says that this was not known.

    Raises
    ------
    ScoreError
        If the score has no parts or no length.
    """
    score = canonical(score)
    if not score.parts or not score.length_ticks:
        lacking = "parts" if not score.parts else "length"
        raise ScoreError(f"a score without {lacking} cannot be written as MusicXML; save it as MIDI instead.")
    root = _Element("score-partwise", version="4.0")
    _write_head(root, score)
    cuts = _fermata_cuts(score)
    for index in range(len(score.parts)):
        _write_part(root, score, index, cuts)
    ElementTree.indent(root, " ")
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="utf-8") + b"\n"


def compress(xml: bytes) -> bytes:
    """The bytes of an .mxl file that holds ``xml``, without a date."""
    container = b'<container><rootfiles><rootfile full-path="score.musicxml"/></rootfiles></container>'
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in (("META-INF/container.xml", container), ("score.musicxml", xml)):
            info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, data)
    return file.getvalue()


def _at_480(score: Score) -> Score:
    """``score`` at 480 ticks a quarter, rounded where its own are no fraction of them."""
    scale = score.ticks_per_quarter
    if scale == TICKS_PER_QUARTER:
        return score

    def moved(tick: int) -> int:
        return (2 * int(tick) * TICKS_PER_QUARTER + scale) // (2 * scale)

    notes = score.notes.copy()
    ends = np.array([moved(tick) for tick in notes["onset"] + notes["duration"]], dtype=np.int64)
    notes["onset"] = [moved(tick) for tick in notes["onset"]]
    notes["duration"] = np.maximum(ends - notes["onset"], 1)
    return score.replace(
        notes=notes,
        ticks_per_quarter=TICKS_PER_QUARTER,
        tempi=tuple(Tempo(moved(t.tick), t.quarters_per_minute) for t in score.tempi),
        meters=tuple(Meter(moved(m.tick), m.numerator, m.denominator) for m in score.meters),
        keys=tuple(Key(moved(k.tick), k.fifths, k.mode) for k in score.keys),
        fermatas=tuple(moved(tick) for tick in score.fermatas),
        anacrusis_ticks=moved(score.anacrusis_ticks),
        barlines=tuple(moved(tick) for tick in score.barlines),
        length_ticks=moved(score.length_ticks),
    )


def _at_bars(events: Iterable[Any], bars: NDArray[np.void]) -> dict[int, Any]:
    """Events by the start of the bar they fall into; of several in one bar the last, beyond the end none."""
    end = int(bars["start"][-1] + bars["length"][-1])
    starts = bars["start"]
    return {int(starts[np.searchsorted(starts, e.tick, "right") - 1]): e for e in events if 0 <= e.tick < end}


def _fermata_cuts(score: Score) -> dict[int, set[int]]:
    """Where a part must write a new tied note so that a fermata can stand there: part -> ticks."""
    cuts: dict[int, set[int]] = {}
    onsets, ends = score.notes["onset"], score.notes["onset"] + score.notes["duration"]
    for tick in score.fermatas:
        if not (onsets == tick).any():
            sounding = score.notes["part"][(onsets < tick) & (ends > tick)]
            cuts.setdefault(int(sounding.min(initial=len(score.parts) - 1)) if len(sounding) else 0, set()).add(tick)
    return cuts


def _write_head(root: _Element, score: Score) -> None:
    if score.title:
        _add(_add(root, "work"), "work-title", score.title)
    identification = _add(root, "identification")
    _add(_add(identification, "encoding"), "software", f"{_SOFTWARE} {__version__}")
    unknown = "" if score.meters else "meter"
    fields = [(_RECIPE_FIELD, pack(score.recipe) if score.recipe else ""), (_UNKNOWN_FIELD, unknown)]
    if any(text for _, text in fields):
        miscellaneous = _add(identification, "miscellaneous")
        for name, text in fields:
            if text:
                _add(miscellaneous, "miscellaneous-field", text, name=name)
    listing = _add(root, "part-list")
    if len(score.parts) > 1:
        group = _add(listing, "part-group", type="start", number="1")
        _add(group, "group-symbol", "bracket")
    for index, part in enumerate(score.parts):
        identity = f"P{index + 1}"
        entry = _add(listing, "score-part", id=identity)
        _add(entry, "part-name", part.name)
        _add(_add(entry, "score-instrument", id=f"{identity}-I1"), "instrument-name", _instrument(part))
        sound = _add(entry, "midi-instrument", id=f"{identity}-I1")
        melodic = index % 15
        _add(sound, "midi-channel", 10 if part.is_drum else melodic + 1 + (melodic >= 9))
        _add(sound, "midi-program", part.program + 1)
    if len(score.parts) > 1:
        _add(listing, "part-group", type="stop", number="1")


def _instrument(part: Part) -> str:
    return "drum kit" if part.is_drum else INSTRUMENTS[part.program]


@dataclass(frozen=True)
class _Bar:
    """One bar, and what holds in it."""

    number: str
    start: int
    end: int
    offset: int  # ticks of its metrical bar that are missing before it
    meter: Meter
    key: Key
    new_meter: bool
    new_key: bool
    keys: tuple[Key, ...]  # of the whole piece

    @property
    def full(self) -> int:
        """Length of a whole bar of its metre in ticks."""
        return self.meter.numerator * 4 * TICKS_PER_QUARTER // self.meter.denominator

    def spell(self, pitch: int, onset: int) -> Spelling:
        """The spelling of a note here that began at ``onset``: a tie across a change of key keeps its letter."""
        key = next((key for key in reversed(self.keys) if key.tick <= onset), Key(0, 0))
        return notation.spell(pitch, key.fifths, key.mode)

    def position(self, tick: int) -> int:
        """How far into its metrical bar ``tick`` is."""
        return tick - self.start + self.offset


def _bars(score: Score) -> list[_Bar]:
    meters = {m.tick: m for m in score.meters or (Meter(0, 4, 4),)}
    keys = {k.tick: k for k in score.keys}
    meter, key = meters[0], Key(0, 0)
    bars, number, extra = [], 0, 0
    for start, length, offset in score.bars.tolist():
        meter, key = meters.get(start, meter), keys.get(start, key)
        number, extra = (number, extra + 1) if offset else (number + 1, 0)
        name = f"{number}X{extra}" if extra and number else str(number)
        bars.append(_Bar(name, start, start + length, offset, meter, key, start in meters, start in keys, score.keys))
    return bars


def _write_part(root: _Element, score: Score, index: int, cuts: dict[int, set[int]]) -> None:
    part = _add(root, "part", id=f"P{index + 1}")
    notes = score.notes[score.notes["part"] == index]
    lines = notation.voices(notes) or [[]]
    bars = _bars(score)
    places: list[list[list[Chord]]] = [_by_bar(line, bars) for line in lines]
    for at, bar in enumerate(bars):
        measure = _add(part, "measure", number=bar.number, **({"implicit": "yes"} if bar.offset else {}))
        _write_attributes(measure, bar, notes, score.parts[index].name, first=at == 0)
        if index == 0:
            _write_tempi(measure, bar, score.tempi)
        chords = [place[at] for place in places]
        _write_bar(measure, bar, chords, cuts.get(index, set()), _fermatas_here(score, index, bar))
        if at == len(bars) - 1:
            _add(_add(measure, "barline", location="right"), "bar-style", "light-heavy")


def _by_bar(line: list[Chord], bars: Sequence[_Bar]) -> list[list[Chord]]:
    """The chords of a voice that sound in each bar."""
    starts = [bar.start for bar in bars]
    places: list[list[Chord]] = [[] for _ in bars]
    for chord in line:
        first = int(np.searchsorted(starts, chord.onset, "right")) - 1
        last = int(np.searchsorted(starts, chord.end, "left")) - 1
        for at in range(first, last + 1):
            places[at].append(chord)
    return places


def _fermatas_here(score: Score, index: int, bar: _Bar) -> dict[int, bool]:
    """Fermatas of the bar: tick -> whether the rest of this part bears it, since nothing sounds anywhere."""
    onsets, ends = score.notes["onset"], score.notes["onset"] + score.notes["duration"]
    here = [tick for tick in score.fermatas if bar.start <= tick < bar.end]
    return {tick: index == 0 and not ((onsets <= tick) & (ends > tick)).any() for tick in here}


def _write_attributes(measure: _Element, bar: _Bar, notes: NDArray[np.void], name: str, *, first: bool) -> None:
    if not (first or bar.new_key or bar.new_meter):
        return
    attributes = _add(measure, "attributes")
    if first:
        _add(attributes, "divisions", TICKS_PER_QUARTER)
    if bar.new_key:
        key = _add(attributes, "key")
        _add(key, "fifths", bar.key.fifths)
        if bar.key.mode:
            _add(key, "mode", bar.key.mode)
    if bar.new_meter:
        time = _add(attributes, "time")
        _add(time, "beats", bar.meter.numerator)
        _add(time, "beat-type", bar.meter.denominator)
    if first:
        sign, line, octave = _clef(notes, name)
        clef = _add(attributes, "clef")
        _add(clef, "sign", sign)
        _add(clef, "line", line)
        if octave:
            _add(clef, "clef-octave-change", octave)


def _clef(notes: NDArray[np.void], name: str) -> tuple[str, int, int]:
    """Sign, line and octave of the clef that suits the notes; a tenor sings from the treble clef an octave low."""
    middle = float(np.median(notes["pitch"])) if len(notes) else 60.0
    if "tenor" in name.lower() and 48 <= middle < 67:
        return "G", 2, -1
    if not len(notes):
        return ("F", 4, 0) if "bass" in name.lower() else ("G", 2, 0)
    return ("G", 2, 0) if middle >= 59 else ("F", 4, 0)


def _write_tempi(measure: _Element, bar: _Bar, tempi: Iterable[Tempo]) -> None:
    for tempo in tempi:
        if bar.start <= tempo.tick < bar.end:
            direction = _add(measure, "direction", placement="above")
            metronome = _add(_add(direction, "direction-type"), "metronome")
            _add(metronome, "beat-unit", "quarter")
            _add(metronome, "per-minute", f"{tempo.quarters_per_minute:.15g}")
            if tempo.tick > bar.start:
                _add(direction, "offset", tempo.tick - bar.start)
            _add(direction, "sound", tempo=f"{tempo.quarters_per_minute:.15g}")


@dataclass(frozen=True)
class _Segment:
    """One written note, chord or rest (no pitches)."""

    start: int
    ticks: int
    pitches: tuple[int, ...]
    onset: int  # where the sounding note began, whose tied part this may be
    tied_on: bool

    @property
    def tied_from(self) -> bool:
        """Whether a tie leads here."""
        return bool(self.pitches) and self.start > self.onset


def _write_bar(
    measure: _Element, bar: _Bar, voices: Sequence[list[Chord]], cuts: set[int], fermatas: dict[int, bool]
) -> None:
    """All voices of one part in one bar; voices after the first only where they sound."""
    written = [list(_segments(chords, bar, cuts)) for chords in voices]
    marked = _accidentals(written, bar)
    for voice, segments in enumerate(written):
        if voice and not voices[voice]:
            continue
        if voice:
            _add(_add(measure, "backup"), "duration", bar.end - bar.start)
        values = [notation.note_value(s.ticks) for s in segments]
        rows = [(bar.position(s.start), value, bool(s.pitches)) for s, value in zip(segments, values, strict=True)]
        for segment, value, beams in zip(segments, values, notation.beams(rows, bar.meter), strict=True):
            if voice and not segment.pitches:
                _add(_add(measure, "forward"), "duration", segment.ticks)
                continue
            fermata = fermatas.get(segment.start) if not voice or segment.pitches else None
            held = fermata is not None and (bool(segment.pitches) or fermata)
            names = [bar.spell(pitch, segment.onset) for pitch in segment.pitches]
            shown = [(voice, segment.start, pitch) in marked for pitch in segment.pitches]
            spelled = list(zip(names, shown, strict=True))
            whole_bar = not segment.pitches and segment.ticks == bar.full == bar.end - bar.start
            value = None if whole_bar else value  # a rest of a whole bar has no value, whatever the metre
            _write_segment(measure, segment, value, spelled, voice + 1, beams, fermata=held, whole_bar=whole_bar)


def _segments(chords: Sequence[Chord], bar: _Bar, cuts: set[int]) -> Iterator[_Segment]:
    """One voice of one bar as note values, silence included."""
    at = bar.start
    for chord in [*chords, Chord(bar.end, bar.end, ())]:
        start, end = max(chord.onset, bar.start), min(chord.end, bar.end)
        yield from _pieces(Chord(at, start, ()), at, start, bar, cuts)
        yield from _pieces(chord, start, end, bar, cuts)
        at = max(at, end)


def _pieces(chord: Chord, start: int, end: int, bar: _Bar, cuts: set[int]) -> Iterator[_Segment]:
    """``chord`` from ``start`` to ``end``, within one bar, as tied note values."""
    whole_rest = not chord.pitches and (start, end) == (bar.start, bar.end)
    edges = [start, *sorted(cut for cut in cuts if start < cut < end), end]
    for left, right in itertools.pairwise(edges):
        at = left
        lengths = [right - left] if whole_rest and len(edges) == 2 else notation.split(bar.position(left), right - left)
        for ticks in lengths if right > left else ():
            yield _Segment(at, ticks, chord.pitches, chord.onset, bool(chord.pitches) and at + ticks < chord.end)
            at += ticks


def _accidentals(written: Sequence[Sequence[_Segment]], bar: _Bar) -> set[tuple[int, int, int]]:
    """Which notes of the bar bear an accidental: (voice, start, pitch)."""
    places = [
        (segment.start, voice, pitch, segment)
        for voice, segments in enumerate(written)
        for segment in segments
        for pitch in segment.pitches
    ]
    places.sort(key=lambda place: place[:3])
    spelled = [(bar.spell(pitch, segment.onset), segment.tied_from) for _, _, pitch, segment in places]
    shown = notation.accidentals(spelled, bar.key.fifths)
    return {(voice, start, pitch) for (start, voice, pitch, _), show in zip(places, shown, strict=True) if show}


_SIGNS = {-2: "flat-flat", -1: "flat", 0: "natural", 1: "sharp", 2: "double-sharp"}


def _write_segment(
    measure: _Element,
    segment: _Segment,
    value: NoteValue | None,
    spelled: Sequence[tuple[Spelling, bool]],
    voice: int,
    beams: tuple[str, ...],
    *,
    fermata: bool,
    whole_bar: bool,
) -> None:
    """The <note> elements of one chord or rest, children in the order that the schema asks."""
    for index, (spelling, show) in enumerate(spelled or [(None, False)]):
        note = _add(measure, "note")
        if index:
            _add(note, "chord")
        _write_pitch(note, spelling, whole_bar=whole_bar)
        _add(note, "duration", segment.ticks)
        ties = [kind for kind, there in (("stop", segment.tied_from), ("start", segment.tied_on)) if there]
        for kind in ties:
            _add(note, "tie", type=kind)
        _add(note, "voice", voice)
        if value is not None:
            _add(note, "type", value.name)
            for _ in range(value.dots):
                _add(note, "dot")
        if spelling is not None and show and spelling.alter in _SIGNS:
            _add(note, "accidental", _SIGNS[spelling.alter])
        if value is not None and value.triplet:
            ratio = _add(note, "time-modification")
            _add(ratio, "actual-notes", 3)
            _add(ratio, "normal-notes", 2)
        for level, kind in enumerate(beams if not index else (), start=1):
            _add(note, "beam", kind, number=str(level))
        if ties or (fermata and not index):
            notations = _add(note, "notations")
            for kind in ties:
                _add(notations, "tied", type=kind)
            if fermata and not index:
                _add(notations, "fermata", type="upright")


def _write_pitch(note: _Element, spelling: Spelling | None, *, whole_bar: bool) -> None:
    if spelling is None:
        _add(note, "rest", **({"measure": "yes"} if whole_bar else {}))
        return
    pitch = _add(note, "pitch")
    _add(pitch, "step", spelling.step)
    if spelling.alter:
        _add(pitch, "alter", spelling.alter)
    _add(pitch, "octave", spelling.octave)


def _add(parent: _Element, tag: str, text: str | int = "", **attributes: str) -> _Element:
    element = ElementTree.SubElement(parent, tag, attributes)
    if text != "":
        element.text = str(text)
    return element


def _one_line(text: str) -> str:
    """``text`` in one line, without the characters that XML forbids."""
    allowed = re.sub(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "", text)
    return " ".join(allowed.split())
