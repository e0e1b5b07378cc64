"""What a notebook gets to see and hear of a piece."""

import io
import re
import sys
from base64 import b64decode
from html.parser import HTMLParser
from xml.etree import ElementTree

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

import kantor
from kantor.errors import OptionError, ScoreError
from kantor.io import midi
from kantor.render.audio import TAIL_SECONDS
from kantor.render.engraving import engrave
from kantor.render.pianoroll import draw
from kantor.score import Meter, Part, Score, Tempo
from kantor.verbs import _showing
from kantor.verbs.piece import Piece
from strategies import grid_score, scores

RECIPE = {"model": "chorale", "hash": "0", "seed": 3, "take": 2, "verb": "generate"}


def chorale(bars=2, **known):
    """Four voices, two sixteenths to a note."""
    rng = np.random.default_rng(1)
    pitches = np.array([72, 65, 60, 48]) + rng.integers(-5, 6, (8 * bars, 4)).repeat(2, axis=0)
    attacks = np.arange(16 * bars)[:, None] % 2 == np.zeros(4)
    return grid_score(pitches, attacks, meters=(Meter(0, 4, 4),), tempi=(Tempo(0, 120),), **known)


def performance(count=60):
    """Notes anywhere in time."""
    rng = np.random.default_rng(2)
    onsets, lengths = np.sort(rng.integers(0, 200 * count, count)), rng.integers(50, 900, count)
    rows = zip(onsets, lengths, rng.integers(40, 80, count), strict=True)
    return Score.from_notes([(*map(int, row), 80, 0) for row in rows])


def piece(score, **known):
    return Piece(score, **{"recipe": RECIPE, "nats_per_note": 0.351, "notes_decided": 9, **known})


class Seen(HTMLParser):
    """The tags, the files and the words of a piece of HTML, whose tags are closed as they were opened."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.files, self.words, self._open = [], [], "", []
        self.feed(html)
        assert not self._open

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        if tag not in ("img", "br"):
            self._open.append(tag)
        if source := dict(attributes).get("src"):
            kind, data = source.removeprefix("data:").split(";base64,")
            self.files.append((kind, b64decode(data, validate=True)))

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        self.words += data

    @property
    def kinds(self):
        return [kind for kind, _ in self.files]


def seen(shown):
    return Seen(shown._repr_html_())


# -- the whole -------------------------------------------------------------------------------------------------------


def test_a_notebook_shows_player_page_and_roll():
    score = chorale()
    shown = seen(piece(score))
    assert shown.kinds == ["audio/ogg", "image/svg+xml", "image/png"]
    (_, ogg), (_, svg), (_, png) = shown.files
    samples, rate = soundfile.read(io.BytesIO(ogg), always_2d=True)
    assert (rate, samples.shape) == (22050, (round((score.seconds + TAIL_SECONDS) * 22050), 1))
    assert np.abs(samples).max() > 0.1
    assert svg.decode() == engrave(score)[0]
    assert ElementTree.fromstring(svg).tag == "{http://www.w3.org/2000/svg}svg"
    assert png == draw(score, "png")
    assert Image.open(io.BytesIO(png)).width == 1200
    assert shown.words == "chorale, seed 3, take 2, 0.35 nats a note"


def test_a_notebook_shows_a_score_as_it_shows_a_piece():
    score = chorale()
    shown = seen(score)
    assert shown.files == seen(piece(score)).files
    assert shown.words == f"{len(score)} notes"
    assert seen(score.replace(title="Ach <Gott>")).words == f"Ach <Gott>, {len(score)} notes"


def test_a_score_names_no_method_that_it_does_not_have():
    for score in (chorale(64), performance()):
        words = seen(score.replace(tempi=(Tempo(0, 20),))).words
        assert "kantor.render.render writes" in words
        assert not [name for name in re.findall(r"(\w+)\(\)", words) if not hasattr(score, name)]


def test_a_score_of_nothing_shows_itself_too():
    assert "0 notes" in seen(Score.from_notes([])).words


def test_what_is_shown_is_the_same_each_time_and_has_no_identifiers_to_mix_up():
    html = piece(chorale())._repr_html_()
    assert html == piece(chorale())._repr_html_()
    assert " id=" not in html
    assert "<svg" not in html


def test_there_is_one_way_to_show_a_piece():
    others = [f"_repr_{kind}_" for kind in ("svg", "png", "jpeg", "markdown", "latex", "javascript", "mimebundle")]
    assert not [name for name in others if hasattr(Piece, name)]


def test_sixteen_dense_bars_stay_below_one_and_a_half_megabytes():
    assert len(piece(chorale(16))._repr_html_()) < 1_500_000


def test_without_a_soundfont_the_rest_is_shown(monkeypatch):
    monkeypatch.setenv("KANTOR_SOUNDFONT", "nowhere.sf2")
    shown = seen(piece(chorale()))
    assert shown.kinds == ["image/svg+xml", "image/png"]
    assert "audio" not in shown.tags
    assert "No sound: no SoundFont at nowhere.sf2" in shown.words


@pytest.mark.parametrize("absent", [("midirenderer", "fluidsynth"), ("soundfile",)])
def test_without_a_synthesiser_the_rest_is_shown(monkeypatch, absent):
    for name in absent:
        monkeypatch.setitem(sys.modules, name, None)
    shown = seen(piece(chorale()))
    assert shown.kinds == ["image/svg+xml", "image/png"]
    assert "No sound: " in shown.words


def test_where_nothing_can_be_drawn_the_player_stays(monkeypatch):
    for name in ("verovio", "matplotlib"):
        monkeypatch.setitem(sys.modules, name, None)
    shown = seen(piece(chorale()))
    assert shown.kinds == ["audio/ogg"]
    assert "No page: " in shown.words
    assert "No piano roll: " in shown.words


def test_a_performance_shows_its_roll_alone_and_says_so():
    shown = seen(piece(performance()))
    assert shown.kinds == ["audio/ogg", "image/png"]
    assert "No page: the notes lie between the beats" in shown.words
    assert len(piece(performance()).score_pages().svg) >= 1


def test_of_a_long_piece_the_bars_of_the_first_seconds_are_shown(monkeypatch):
    monkeypatch.setattr(_showing, "SECONDS", 11.0)
    score = chorale(32)  # bars of two seconds
    shown = seen(piece(score))
    assert "Shown are the first 0:10 of 1:04 minutes; audio(), score_pages() and roll() give all of it." in shown.words
    samples, _ = soundfile.read(io.BytesIO(shown.files[0][1]))
    assert len(samples) == round((10 + TAIL_SECONDS) * 22050)
    assert shown.files[-1] == ("image/png", draw(score.cut(0, 5 * 1920), "png"))


@pytest.mark.parametrize("room", [0, 200_000, 400_000])
def test_pages_are_shown_as_long_as_they_are_small_and_the_first_always(monkeypatch, room):
    monkeypatch.setenv("KANTOR_SOUNDFONT", "none")
    monkeypatch.setattr(_showing, "PAGE_BYTES", room)
    shown = seen(piece(chorale(40)))
    sizes = [len(data) for kind, data in shown.files if kind == "image/svg+xml"]
    all_sizes = [len(page.encode()) for page in engrave(chorale(40))]
    assert sizes == all_sizes[: len(sizes)]
    assert len(sizes) == 1 or sum(sizes) <= room
    assert sum(all_sizes[: len(sizes) + 1]) > room
    assert "The score goes on; score_pages() shows all its pages." in shown.words


def test_the_beginning_ends_with_a_bar_and_of_one_endless_bar_anywhere():
    slow = chorale(80).replace(tempi=(Tempo(0, 119),))
    assert _showing._beginning(slow).length_ticks == 59 * 1920
    drone = Score.from_notes([(0, 480 * 1000, 60, 80, 0)], barlines=(0,))
    assert _showing._beginning(drone).length_ticks == 240 * 480


def test_words_of_others_are_words_and_no_tags():
    remarks = ("<script>alert(1)</script> & more",)
    shown = seen(piece(chorale(), recipe={"model": "<b>x</b>"}, remarks=remarks))
    assert {"script", "style"}.isdisjoint(shown.tags)
    assert shown.words == "<b>x</b>, 0.35 nats a note<script>alert(1)</script> & more"


@pytest.mark.parametrize(
    "score",
    [
        Score.from_notes([]),
        Score.from_notes([], length_ticks=1920),
        Score.from_notes([(0, 0, 60, 80, 0)]),
        Score.from_notes([(0, 1, 60, 80, 0)], ticks_per_quarter=1),
        Score.from_notes([(0, 480, 36, 80, 0)], parts=(Part("", 0, True),)),
        Score.from_notes([(0, 480, pitch, 80, part) for part in range(20) for pitch in range(30, 90, 3)]),
    ],
    ids=["nothing", "silence", "no length", "one tick", "drum", "clusters"],
)
def test_odd_scores_show_something(score):
    assert "image/png" in seen(piece(score, recipe={}, notes_decided=0)).kinds


@pytest.mark.parametrize("name", ["chpn-p15", "mz_330_2", "deb_clai"])
def test_piano_music_shows_pages_without_a_thicket_of_ties(shared_data, monkeypatch, name):
    monkeypatch.setenv("KANTOR_SOUNDFONT", "none")
    score = midi.read((shared_data / "classical-piano" / f"{name}.mid").read_bytes(), name)
    score = score.cut(0, int(score.bars["start"][16]))
    shown = Seen(_showing.whole(score))
    assert shown.kinds[0] == "image/svg+xml"
    page = shown.files[0][1].decode()
    assert 0 < page.count('class="tie') < page.count('class="note') / 4


def test_a_performance_by_a_pianist_is_known_as_one(shared_data):
    folder = shared_data / "asap" / "Bach" / "Prelude" / "bwv_893"
    played, scored = folder / "Levitsky04M.mid", folder / "midi_score.mid"
    assert not _showing.is_notatable(midi.read(played.read_bytes(), played.name))
    assert _showing.is_notatable(midi.read(scored.read_bytes(), scored.name))


# -- each by itself --------------------------------------------------------------------------------------------------


def test_audio_is_a_player_whose_options_are_those_of_sound():
    audio = piece(chorale(1)).audio(sample_rate=16000, instrument="church organ")
    assert seen(audio).kinds == ["audio/ogg"]
    assert seen(audio).files[0][1] == audio.data
    assert soundfile.read(io.BytesIO(audio.data))[1] == 16000
    with pytest.raises(OptionError):
        piece(chorale(1)).audio(instrument="kazoo")


def test_score_pages_are_all_of_them_and_full_ones_are_equally_wide():
    score = chorale(40)
    pages = piece(score).score_pages()
    assert pages.svg == tuple(engrave(score))
    html = pages._repr_html_()
    assert Seen(html).kinds == ["image/svg+xml"] * len(pages.svg)
    assert html.count("width:900px") == len(pages.svg) > 1
    assert "width:900px" not in piece(chorale(1)).score_pages()._repr_html_()


def test_a_roll_is_a_picture():
    assert piece(chorale()).roll()._repr_png_() == draw(chorale(), "png")


def test_what_is_too_long_to_show_is_refused_by_each():
    endless = Score.from_notes([(0, 480 * 50_000, 60, 80, 0)])
    with pytest.raises(ScoreError, match="to draw"):
        piece(endless).roll()
    with pytest.raises(ScoreError, match="to engrave"):
        piece(endless).score_pages()


def test_notes_and_their_data_frame_are_those_of_the_score():
    score = chorale()
    assert piece(score).notes is score.notes
    frame = piece(score).to_pandas()
    assert np.array_equal(kantor.Score.from_notes(frame).notes, score.notes)


def test_as_text_a_piece_is_a_line():
    assert repr(piece(chorale())) == "<Piece: chorale, seed 3, take 2, 0.35 nats a note, 64 notes, 4 s>"
    assert repr([piece(chorale(), recipe={}, notes_decided=0)]) == "[<Piece: 64 notes, 4 s>]"


# -- what a page can hold --------------------------------------------------------------------------------------------


@given(score=scores(monophonic=False), times=st.integers(1, 20))
def test_what_lies_on_sixteenths_is_written_as_it_is(score, times):
    assert _showing.is_notatable(score)
    assert np.array_equal(_showing.written(score).notes, score.notes)
    assert np.array_equal(_showing.written(score.at(48 * times)).notes, score.notes)


def test_triplets_and_32nds_are_written_as_they_are():
    rows = [(0, 160), (160, 160), (320, 160), (480, 80), (560, 80), (640, 80), (720, 60), (780, 180)]
    score = Score.from_notes([(*row, 60, 80, 0) for row in rows])
    assert _showing.written(score) == score


def test_a_note_that_ends_a_tick_early_is_written_to_its_end():
    score = chorale()
    early = score.notes.copy()
    early["duration"] -= 1
    assert np.array_equal(_showing.written(score.replace(notes=early)).notes, score.notes)
    assert _showing.is_notatable(score.replace(notes=early))


@given(ticks=st.lists(st.integers(0, 10_000), min_size=1), resolution=st.sampled_from([96, 480, 1024]))
def test_every_note_goes_to_the_nearest_place_and_stays_there(ticks, resolution):
    score = Score.from_notes([(tick, 700, 60, 80, 0) for tick in ticks], ticks_per_quarter=resolution)
    places = np.unique([*range(0, 60_000, 60), *range(0, 60_000, 80)])
    written = _showing.written(score)
    moved = np.abs(np.sort(written.notes["onset"]) - score.at(480).notes["onset"])
    assert moved.tolist() == [np.abs(places - tick).min() for tick in score.at(480).notes["onset"]]
    assert set(written.notes["onset"].tolist()) <= set(places.tolist())
    assert (written.notes["duration"] >= 60).all()
    assert np.array_equal(_showing.written(written).notes, written.notes)


def test_a_tempo_that_follows_every_note_is_written_once():
    tempi = tuple(Tempo(480 * quarter, 60 + quarter) for quarter in range(8))
    assert _showing.written(chorale(2).replace(tempi=tempi)).tempi == tempi[:1]
    assert _showing.written(chorale(2).replace(tempi=tempi[:2])).tempi == tempi[:2]


# -- files -----------------------------------------------------------------------------------------------------------


def test_a_piece_is_not_saved_over_a_file_unless_it_is_told_to(tmp_path):
    made = piece(chorale())
    made.save(tmp_path / "a.mid")
    (tmp_path / "a.csv").write_text("precious")
    with pytest.raises(OptionError, match=r"'.*a\.csv' that exist already; try another name, or --force \(in Python"):
        made.save(tmp_path / "b.mid", tmp_path / "a.csv")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.csv", "a.mid"]
    assert (tmp_path / "a.csv").read_text() == "precious"
    assert made.save(tmp_path / "a.mid", tmp_path / "a.csv", force=True) == [tmp_path / "a.mid", tmp_path / "a.csv"]
    assert (tmp_path / "a.csv").read_text().startswith("note0,")


def test_what_cannot_be_saved_is_refused_before_the_first_file(tmp_path):
    with pytest.raises(OptionError, match=r"expected an output ending in"):
        piece(chorale()).save(tmp_path / "a.mid", tmp_path / "a.xyz")
    assert not any(tmp_path.iterdir())
