"""Engraved scores: MusicXML set by verovio as SVG pages, and the times at which its notes sound.

Pages are drawn black on white, whatever the reader's theme, and the same score gives the same bytes. Identifiers of
notes are the same in :func:`engrave` and :func:`timemap`, so a page can be lit up while it plays.

Only staves with music are drawn, as printed scores have it: a part without a note has none, and a part that rests for
long has none in the systems where it does.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray

from kantor.errors import ScoreError
from kantor.score import BAR, Score

__all__ = ["Placed", "engrave", "engrave_placed", "timemap"]

#: verovio's units are tenths of a millimetre at scale 100: A4 paper.
PAGE_WIDTH, PAGE_HEIGHT = 2100, 2970
MAX_QUARTERS = 20_000
_MEI, _XML_ID = "{http://www.music-encoding.org/ns/mei}", "{http://www.w3.org/XML/1998/namespace}id"
LONG_REST = 8  # quarters: shorter rests hardly ever fill a system
_OPTIONS = {
    "pageWidth": PAGE_WIDTH,
    "pageHeight": PAGE_HEIGHT,
    "adjustPageHeight": True,
    "pageMarginTop": 80,
    "pageMarginBottom": 80,
    "pageMarginLeft": 80,
    "pageMarginRight": 80,
    "scale": 60,
    "breaks": "auto",
    "condense": "encoded",
    "condenseFirstPage": True,
    "condenseTempoPages": True,
    "footer": "none",
    "staffLineWidth": 0.25,
    "xmlIdSeed": 1,
}


class Placed(NamedTuple):
    """An engraved note: its id in the SVG, its onset in ticks of the score, its part and MIDI pitch."""

    identity: str
    onset: int
    part: int
    pitch: int


def engrave(score: Score) -> list[str]:
    """``score`` as engraved pages, each a whole SVG document on a white ground.

    Raises
    ------
    ScoreError
        If the score is longer than 20,000 quarters, or cannot be engraved.
    """
    return _pages(_loaded(score))


def engrave_placed(score: Score) -> tuple[list[str], list[Placed]]:
    """The pages of :func:`engrave`, and where each note of the score is in them; of tied notes the first alone.

    Raises
    ------
    ScoreError
        As :func:`engrave`.
    """
    toolkit = _loaded(score)
    pages = _pages(toolkit)
    sounding = np.unique(score.notes["part"]).tolist() or list(range(len(score.parts)))
    staff_of: dict[str, int] = {}
    for staff in ElementTree.fromstring(toolkit.getMEI()).iter(f"{_MEI}staff"):
        for note in staff.iter(f"{_MEI}note"):
            staff_of[note.get(_XML_ID, "")] = int(staff.get("n", "1")) - 1
    toolkit.renderToMIDI()  # the pitches come from it
    placed = []
    for moment in toolkit.renderToTimemap({}):
        onset = round(moment["qstamp"] * score.ticks_per_quarter)
        for identity in moment.get("on", ()):
            pitch = int(toolkit.getMIDIValuesForElement(identity)["pitch"])
            placed.append(Placed(identity, onset, sounding[staff_of[identity]], pitch))
    return pages, placed


def _pages(toolkit: Any) -> list[str]:
    pages = [toolkit.renderToSVG(page) for page in range(1, toolkit.getPageCount() + 1)]
    if "".join(pages).count('class="system"') == 1:
        # a line or less: the page ends where the music does (verovio would leave longer pieces ragged)
        toolkit.setOptions({"adjustPageWidth": True})
        toolkit.redoLayout()
        pages = [toolkit.renderToSVG(1)]
    return [_on_white(page) for page in pages]


def timemap(score: Score) -> list[dict[str, Any]]:
    """When the engraved notes start and stop, in order of time.

    Returns
    -------
    One record a moment: ``tstamp`` milliseconds, ``qstamp`` quarters, ``on`` and ``off`` the ids of notes in the SVG,
    ``measureOn`` the id of a bar that starts there, ``tempo`` quarters a minute; only those that apply.

    Raises
    ------
    ScoreError
        If the score is longer than 20,000 quarters, or cannot be engraved.
    """
    toolkit = _loaded(score)
    toolkit.renderToMIDI()  # the times come from it
    moments: list[dict[str, Any]] = toolkit.renderToTimemap({"includeMeasures": True})
    return moments


def _loaded(score: Score) -> Any:
    import verovio

    from kantor.io import musicxml

    if score.length_ticks > MAX_QUARTERS * score.ticks_per_quarter:
        quarters = score.length_ticks // score.ticks_per_quarter
        raise ScoreError(f"expected at most {MAX_QUARTERS} quarters of music to engrave, got {quarters}; cut it.")
    if not score.parts or not score.length_ticks:
        lacking = "parts" if not score.parts else "length"
        raise ScoreError(f"expected a score that fills a page, got one without {lacking}; give it notes, or a rest.")
    verovio.enableLog(verovio.LOG_OFF)
    toolkit = verovio.toolkit()
    # verovio remembers where its fonts are for the thread that imported it alone
    toolkit.setResourcePath(str(Path(verovio.__file__).parent / "data"))
    toolkit.setOptions({**_OPTIONS, "header": "auto" if score.title else "none"})
    heard = _heard(score)
    loaded = toolkit.loadData(musicxml.write(heard).decode())
    if loaded and _rests_long(heard):  # MusicXML cannot ask for it
        loaded = toolkit.loadData(toolkit.getMEI().replace("<scoreDef", '<scoreDef optimize="true"', 1))
    if not loaded:
        raise ScoreError(f"expected a score that can be engraved, got one of {len(score)} notes that verovio refuses.")
    return toolkit


def _heard(score: Score) -> Score:
    """The score without the parts that have no note; one without any note keeps them all."""
    sounding = np.unique(score.notes["part"])
    if len(sounding) in (0, len(score.parts)):
        return score
    notes = score.notes.copy()
    notes["part"] = np.searchsorted(sounding, notes["part"])
    return score.replace(notes=notes, parts=tuple(score.parts[part] for part in sounding))


def _rests_long(score: Score) -> bool:
    """Whether some part is silent for :data:`LONG_REST` quarters on end, and no bar is: verovio would drop it."""
    if _silent(score.notes, score.bars).any():
        return False
    starts = np.arange(0, score.length_ticks, LONG_REST * score.ticks_per_quarter)
    spans = np.zeros(len(starts), dtype=BAR)
    spans["start"], spans["length"] = starts, LONG_REST * score.ticks_per_quarter
    lines = (score.notes[score.notes["part"] == part] for part in range(len(score.parts)))
    return any(bool(_silent(line, spans).any()) for line in lines)


def _silent(notes: NDArray[np.void], spans: NDArray[np.void]) -> NDArray[np.bool_]:
    """(spans,) whether none of the notes, sorted by onset, sounds within a span, of dtype BAR."""
    until = np.append(0, np.maximum.accumulate(notes["onset"] + notes["duration"]))
    begun = np.searchsorted(notes["onset"], spans["start"] + spans["length"])
    silent: NDArray[np.bool_] = until[begun] <= spans["start"]
    return silent


def _on_white(svg: str) -> str:
    """The page with a white ground, and with a view box so that it can be scaled."""
    opening = re.search(r'<svg width="([\d.]+)px" height="([\d.]+)px"', svg)
    if opening is None:
        raise ScoreError("expected an SVG page from verovio, got something else; is another verovio installed?")
    width, height = opening.groups()
    tag_end = svg.index(">", opening.end())
    ground = f'<rect width="{width}" height="{height}" style="fill:white;stroke:none"/>'
    return f'{svg[:tag_end]} viewBox="0 0 {width} {height}" style="color:black">{ground}{svg[tag_end + 1 :]}'
