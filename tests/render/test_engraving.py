from __future__ import annotations

import xml.etree.ElementTree as ET
from concurrent.futures import ThreadPoolExecutor

import pytest

from kantor.errors import ScoreError
from kantor.io import musicxml
from kantor.render import engraving
from kantor.score import VOICES, Key, Meter, Part, Score, Tempo

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


def staves(pages):
    """How many staves each bar has."""
    measures = [group for page in pages for group in ET.fromstring(page).iter(f"{SVG}g") if is_a(group, "measure")]
    return [sum(is_a(inner, "staff") for inner in measure.iter(f"{SVG}g")) for measure in measures]


def is_a(group, kind):
    return kind in group.get("class", "").split()


def test_a_part_without_a_note_has_no_staff_and_the_others_keep_their_names():
    parts = (Part("Soprano"), Part("Alto"), Part("Drums", 0, is_drum=True), Part("Bass"))
    notes = [(480 * n, 480, 60 + n % 5, 80, part) for n in range(16) for part in (1, 3)]
    page = engraving.engrave(Score.from_notes(notes, parts=parts, meters=(Meter(0, 4, 4),)))
    assert staves(page) == [2] * 4
    words = "".join(ET.fromstring(page[0]).itertext())
    assert "Alto" in words
    assert "Bass" in words
    assert "Soprano" not in words


def continued(bars):
    """Four voices for four bars, then one part alone; a key, a pickup and a fermata beside them."""
    notes = [(480 * n, 480, 72 - 5 * voice, 80, voice) for n in range(17) for voice in range(4)]
    notes += [(480 * n, 480, 60 + n % 7, 80, 4) for n in range(17, 17 + 4 * bars)]
    parts = (*(Part(name) for name in VOICES), Part("continuation"))
    known = {"meters": (Meter(0, 4, 4),), "keys": (Key(0, -3, "minor"),), "tempi": (Tempo(0, 80),)}
    return Score.from_notes(notes, parts=parts, anacrusis_ticks=480, fermatas=(480 * 16,), **known)


def test_staves_that_rest_for_whole_systems_are_left_out_of_them():
    score = continued(40)
    pages = engraving.engrave(score)
    assert len(staves(pages)) == len(score.bars)
    assert staves(pages)[0] == 5
    assert staves(pages)[-20:] == [1] * 20
    assert len(engraved(pages, "note")) == len(score)
    assert len(engraved(pages, "fermata")) == 4
    started = [note for moment in engraving.timemap(score) for note in moment.get("on", ())]
    assert sorted(started) == sorted(engraved(pages, "note"))


@pytest.mark.parametrize("length", [0, 480 * 120])
def test_bars_of_silence_stay_on_the_page(length):
    notes = [(480 * n + 1920 * 30 * (n > 8), 480, 60, 80, n % 2) for n in range(32)]
    score = Score.from_notes(notes, parts=(Part("a"), Part("b")), meters=(Meter(0, 4, 4),), length_ticks=length)
    assert staves(engraving.engrave(score)) == [2] * len(score.bars)


def test_days_of_music_are_refused():
    with pytest.raises(ScoreError, match="20000 quarters"):
        engraving.engrave(Score.from_notes([(2**39, 480, 60, 80, 0)]))


def test_engraving_says_nothing(piece, capfd):
    engraving.engrave(piece)
    assert capfd.readouterr() == ("", "")


def test_a_score_that_fills_no_page_is_told_so():
    with pytest.raises(ScoreError, match="expected a score that fills a page, got one without parts"):
        engraving.engrave(Score.from_notes([]))


def test_a_thread_engraves_what_the_first_one_does(chorale):
    pages = engraving.engrave(chorale)
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(engraving.engrave, chorale).result() == pages
