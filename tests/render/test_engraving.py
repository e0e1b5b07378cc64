from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from kantor.errors import ScoreError
from kantor.io import musicxml
from kantor.render import engraving
from kantor.score import Meter, Part, Score

SVG = "{http://www.w3.org/2000/svg}"


def engraved(pages, kind):
    """Identifiers of the engraved elements of one class."""
    groups = [group for page in pages for group in ET.fromstring(page).iter(f"{SVG}g")]
    return [group.get("id") for group in groups if kind in group.get("class", "").split()]


def test_every_note_is_engraved_once_for_every_tie(piece):
    pages = engraving.engrave(piece)
    written = list(ET.fromstring(musicxml.write(piece)).iter("note"))
    sounding = [note for note in written if note.find("rest") is None]
    begun = [note for note in sounding if "stop" not in {tie.get("type") for tie in note.iter("tie")}]
    assert len(begun) == len(piece)
    assert len(engraved(pages, "note")) == len(sounding)


def test_every_bar_is_engraved(piece):
    assert len(engraved(engraving.engrave(piece), "measure")) == len(piece.bars)


def test_fermatas_are_engraved(chorale):
    assert len(engraved(engraving.engrave(chorale), "fermata")) >= len(chorale.fermatas)


def test_the_title_is_engraved(chorale):
    assert chorale.title in "".join(ET.fromstring(engraving.engrave(chorale)[0]).itertext())


def test_a_page_is_black_on_white_and_can_be_scaled(chorale):
    (page,) = engraving.engrave(chorale)
    root = ET.fromstring(page)
    ground = root[0]
    assert ground.tag == f"{SVG}rect"
    assert "fill:white" in ground.get("style")
    assert "color:black" in root.get("style")
    assert root.get("viewBox") == f"0 0 {ground.get('width')} {ground.get('height')}"
    assert "<text" not in page or "font-family" in page


def test_a_page_is_the_same_every_time(piece):
    assert engraving.engrave(piece) == engraving.engrave(piece)


def test_a_short_piece_has_a_narrow_page_and_a_long_one_the_full_width():
    pages = []
    for quarters in (4, 48):
        score = Score.from_notes([(q * 480, 480, 60, 80, 0) for q in range(quarters)])
        pages.append(engraving.engrave(score)[0])
    short, long = (float(ET.fromstring(page).get("width").removesuffix("px")) for page in pages)
    assert short < 0.7 * long


def test_a_long_piece_fills_pages():
    notes = [(quarter * 480, 480, 60 + part, 80, part) for quarter in range(400) for part in range(4)]
    score = Score.from_notes(notes, parts=(Part(),) * 4, meters=(Meter(0, 4, 4),))
    pages = engraving.engrave(score)
    assert len(pages) > 1
    assert len(engraved(pages, "measure")) == 100
    assert len(set(engraved(pages, "note"))) == 1600


def test_the_timemap_names_every_note_on_the_page(chorale):
    moments = engraving.timemap(chorale)
    started = [note for moment in moments for note in moment.get("on", ())]
    assert set(started) <= set(engraved(engraving.engrave(chorale), "note"))
    times = [moment["tstamp"] for moment in moments]
    assert times == sorted(times)
    assert times[-1] == pytest.approx(1000 * chorale.seconds, rel=0.01)
    onsets = {moment["qstamp"] for moment in moments if moment.get("on")}
    assert {onset / 480 for onset in chorale.notes["onset"].tolist()} <= onsets


def test_a_score_without_notes_is_engraved():
    assert engraving.engrave(Score.from_notes([], parts=(Part("Soprano"),), length_ticks=1920))


def test_days_of_music_are_refused():
    with pytest.raises(ScoreError, match="20000 quarters"):
        engraving.engrave(Score.from_notes([(2**39, 480, 60, 80, 0)]))


def test_engraving_says_nothing(piece, capfd):
    engraving.engrave(piece)
    assert capfd.readouterr() == ("", "")
