"""Engraved scores: MusicXML set by verovio as SVG pages, and the times at which its notes sound.

Pages are drawn black on white, whatever the reader's theme, and the same score gives the same bytes. Identifiers of
notes are the same in :func:`engrave` and :func:`timemap`, so a page can be lit up while it plays.
"""

from __future__ import annotations

import re
from typing import Any

from kantor.errors import ScoreError
from kantor.score import Score

__all__ = ["engrave", "timemap"]

#: verovio's units are tenths of a millimetre at scale 100: A4 paper.
PAGE_WIDTH, PAGE_HEIGHT = 2100, 2970
MAX_QUARTERS = 20_000
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
    "footer": "none",
    "staffLineWidth": 0.25,
    "xmlIdSeed": 1,
}


def engrave(score: Score) -> list[str]:
    """``score`` as engraved pages, each a whole SVG document on a white ground.

    Raises
    ------
    ScoreError
        If the score is longer than 20,000 quarters, or cannot be engraved.
    """
    toolkit = _loaded(score)
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
    verovio.enableLog(verovio.LOG_OFF)
    toolkit = verovio.toolkit()
    toolkit.setOptions({**_OPTIONS, "header": "auto" if score.title else "none"})
    if not toolkit.loadData(musicxml.write(score).decode()):
        raise ScoreError(f"expected a score that can be engraved, got one of {len(score)} notes that verovio refuses.")
    return toolkit


def _on_white(svg: str) -> str:
    """The page with a white ground, and with a view box so that it can be scaled."""
    opening = re.search(r'<svg width="([\d.]+)px" height="([\d.]+)px"', svg)
    if opening is None:
        raise ScoreError("expected an SVG page from verovio, got something else; is another verovio installed?")
    width, height = opening.groups()
    tag_end = svg.index(">", opening.end())
    ground = f'<rect width="{width}" height="{height}" style="fill:white;stroke:none"/>'
    return f'{svg[:tag_end]} viewBox="0 0 {width} {height}" style="color:black">{ground}{svg[tag_end + 1 :]}'
