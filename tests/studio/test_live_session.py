"""A live session without a socket: what the page is told is the music, whatever is done to it."""

import json

import numpy as np
import pytest

from kantor.representations.chorale import Chorale
from kantor.sampling.asking import settled
from kantor.score import Score
from kantor.studio.engine import Engine
from kantor.studio.messages import client_message
from kantor.studio.scores import json_of, score_of
from kantor.studio.session import Session
from kantor.verbs.generate import generate
from kantor.verbs.live import Performance
from kantor.verbs.replay import replay


class Page:
    """A page that believes what it is told: notes by id, cut and dropped as the messages say."""

    def __init__(self, session):
        self.session, self.notes, self.until, self.branch = session, {}, 0, 0
        self.heard, self.done, self.started = [], None, None

    def say(self, kind, **fields):
        return self.take(self.session.receive(client_message.validate_json(json.dumps({"type": kind, **fields}))))

    def listen(self):
        while self.session.wants:
            self.take(settled(self.session.model, self.session.working()))
        return self

    def take(self, messages):
        for message in messages:
            self.heard.append(message)
            if message.type == "started":
                self.started = message
            elif message.type == "taken_back":
                kept = {number: note for number, note in self.notes.items() if note["onset"] < message.to}
                for note in kept.values():
                    note["duration"] = min(note["duration"], message.to - note["onset"])
                self.notes, self.until, self.branch, self.done = kept, min(self.until, message.to), message.branch, None
            elif message.type == "notes":
                assert message.branch == self.branch
                for note in message.notes:
                    self.notes[note.id] = note.model_dump()
                self.until = message.until
            elif message.type == "done":
                self.done = message
        return messages

    def play_to_the_end(self):
        for _ in range(200):
            self.listen()
            if self.done:
                return self
            self.say("played", tick=self.until, scheduled=self.until)
        raise AssertionError("the piece does not end")

    def rows(self):
        fields = ("onset", "duration", "pitch", "velocity", "part")
        return sorted(tuple(note[field] for field in fields) for note in self.notes.values())


def errors(messages):
    return [message.text for message in messages if message.type == "error"]


def begun(**fields):
    page = Page(Session("name"))
    assert not errors(page.say("start", **{"bars": 4, "seed": 3, "meter": "4/4", "pickup": 0, **fields}))
    return page


@pytest.mark.parametrize("model", ["chorale", "roll", "notes", "melody", "events"])
def test_what_the_page_was_told_is_the_piece(model):
    page = begun(model=model).play_to_the_end()
    assert page.rows() == sorted(score_of(page.done.score).notes.tolist())
    assert all(note["nats"] is not None and note["nats"] >= 0 for note in page.notes.values())


def test_music_is_composed_a_few_bars_ahead_and_no_farther():
    page = begun(bars=32, ahead=2).listen()
    bars = [bar.start for bar in page.started.bars]
    assert page.until == bars[3]  # the one that plays, and two
    page.say("played", tick=bars[5] + 1)
    assert page.listen().until == bars[8]


def test_nothing_is_composed_while_it_rests():
    page = begun(bars=32)
    page.say("pause")
    assert not page.session.wants
    page.say("resume")
    page.session.connected = False
    assert not page.session.wants
    page.session.connected, page.session.congested = True, True
    assert not page.session.wants


def test_a_slider_acts_from_the_first_beat_that_is_not_scheduled():
    page = begun(bars=16).listen()
    page.say("played", tick=500, scheduled=1000)
    before = [row for row in page.rows() if row[0] < 1440]
    page.say("turn", temperature=0.5)
    assert page.until == 1440  # the beat behind tick 1000
    page.listen()
    assert [row[0::2] for row in page.rows() if row[0] < 1440] == [row[0::2] for row in before]


def test_whatever_was_done_the_recipe_makes_the_same_piece():
    page = begun(bars=6).listen()
    page.say("played", tick=1920, scheduled=2000)
    page.say("turn", temperature=1.3, key="Gm", rules=["no-direct"])
    page.listen()
    page.say("back", bars=1)
    page.listen()
    page.say("branch")
    page.say("turn", density=6)
    page.play_to_the_end()
    assert page.rows() == sorted(score_of(page.done.score).notes.tolist())
    assert replay(score_of(page.done.score)).score == score_of(page.done.score)


def test_stepping_back_leaves_what_came_before():
    page = begun(bars=8).listen()
    page.say("played", tick=3 * 1920 - 10)
    page.listen()
    kept = [row for row in page.rows() if row[0] + row[1] <= 1920]
    page.say("back", bars=2)
    assert page.until == 1920
    page.play_to_the_end()
    assert [row for row in page.rows() if row[0] + row[1] <= 1920] == kept


def test_a_prompt_stays_as_it_is():
    given = generate("chorale", bars=2, meter="4/4", pickup=0, seed=1)[0].score
    page = Page(Session("name"))
    page.say("start", bars=2, seed=4, prompt=json_of(given).model_dump())
    page.play_to_the_end()
    played = score_of(page.done.score)
    assert page.rows() == sorted(played.notes.tolist())
    before = played.notes[played.notes["onset"] < given.length_ticks]
    assert before.tolist() == given.notes.tolist()
    assert played.length_ticks == given.length_ticks + 2 * 1920
    assert page.started.given_until == given.length_ticks
    assert replay(played).score == played


def test_a_page_that_comes_again_has_it_all():
    page = begun(bars=8).listen()
    page.say("played", tick=1920, scheduled=1920)
    page.listen()
    there = page.rows()
    other = Page(page.session)
    other.say("resume_session", id="name")
    assert other.started.resumed
    assert other.rows() == there
    same = Page(page.session)
    same.branch, same.notes = page.branch, {number: dict(note) for number, note in page.notes.items()}
    same.say("resume_session", id="name", since=1920, branch=page.branch)
    assert same.rows() == there


def twin(page):
    """Another page that has what this one has."""
    other = Page(page.session)
    other.branch, other.until, other.notes = page.branch, page.until, {n: dict(note) for n, note in page.notes.items()}
    return other


def test_a_page_that_missed_branches_keeps_what_none_of_them_took_back():
    page = begun(bars=16).listen()
    page.say("played", tick=3 * 1920 + 5, scheduled=3 * 1920 + 5)
    lost = twin(page.listen())
    page.say("back", bars=2)  # to the third bar
    page.listen()
    page.say("played", tick=4 * 1920, scheduled=4 * 1920)
    page.say("turn", temperature=0.7)
    page.listen()
    told = lost.say("resume_session", id="name", since=lost.until, branch=lost.branch)
    cuts = [message.to for message in page.heard if message.type == "taken_back"]
    assert len(cuts) == 2
    assert [message.to for message in told if message.type == "taken_back"] == [min(cuts)] == [2 * 1920]
    assert (lost.rows(), lost.branch, lost.until) == (page.rows(), page.branch, page.until)


def test_a_playhead_of_music_that_is_void_moves_nothing():
    page = begun(bars=32).listen()
    until, branch = page.until, page.branch
    page.say("branch", tick=1920)
    page.listen()
    page.say("played", tick=30 * 1920, branch=branch)
    assert not page.session.wants
    assert page.until == until
    page.say("played", tick=3 * 1920, branch=page.branch)
    assert page.listen().until == 6 * 1920


@pytest.mark.parametrize("model", ["chorale", "roll", "notes", "events", "jsb"])
def test_news_are_the_end_of_the_score_whatever_is_taken_back(model):
    piece, random, before = Performance(model, bars=6, meter="4/4", pickup=0, seed=5), np.random.default_rng(1), 0
    for _ in range(40):
        if random.random() < 0.3:
            piece.branch(int(random.integers(0, piece.now + 1)))
            before = min(before, piece.now)
        piece.advance(piece.length, int(random.integers(1, 40)))
        before, piece.voided = min(before, before if piece.voided is None else piece.voided), None
        notes, told = piece.since(before)
        whole, surprises = piece.score.notes, piece.surprises()
        assert notes.tolist() == whole[whole["onset"] + whole["duration"] >= before].tolist()
        for onset, _, pitch, *_ in notes[notes["onset"] >= before].tolist():
            assert told.get((onset, pitch)) == surprises.get((onset, pitch))
        before = piece.now


def test_what_is_told_costs_the_same_at_the_end_as_at_the_beginning(monkeypatch):
    read = []
    plain = Chorale.decode
    monkeypatch.setattr(
        Chorale, "decode", lambda self, values, plan: read.append(len(values)) or plain(self, values, plan)
    )
    page = begun(bars=24, temperature=0.8)
    monkeypatch.setattr(page.session.performance, "_cadence", lambda: True)
    page.play_to_the_end()
    bar = 16 * 4
    assert len(read) > 24
    assert max(read[:-1]) < 8 * bar  # the last is the whole piece, for its score
    assert read[-1] == 24 * bar


def test_what_cannot_be_followed_is_answered_and_changes_nothing():
    page = begun(bars=4).listen()
    there = page.rows()
    for turn in ({"rules": ["nonsense"]}, {"key": "H"}, {"soft": ["stepwise"], "rules": ["cadence=odd"]}):
        assert errors(page.say("turn", **turn))
    assert page.rows() == there
    fresh = Page(Session("other"))
    assert errors(fresh.say("back"))
    for wrong in ({"model": "nobody"}, {"model": "/etc"}, {"key": "H"}, {"meter": "4/5"}, {"model": "chorale-infill"}):
        assert errors(fresh.say("start", **wrong)), wrong
    empty = json_of(Score.from_notes([]))
    assert errors(fresh.say("start", prompt=empty.model_dump()))


def test_a_prompt_is_bounded():
    many = Score.from_notes([(at, 1, 60, 80, 0) for at in range(20_001)])
    bars = Score.from_notes([(0, 480 * 4 * 2001, 60, 80, 0)])
    for score in (many, bars):
        sent = {"type": "start", "prompt": json_of(score).model_dump()}
        told = Engine().receive("name", json.dumps(sent)).what
        assert [json.loads(text)["type"] for text in told] == ["error"]


def test_a_chorale_ends_on_its_tonic():
    page = begun(bars=4, key="C major").play_to_the_end()
    last = max(row[0] + row[1] for row in page.rows())
    assert {row[2] % 12 for row in page.rows() if row[0] + row[1] == last} <= {0, 4, 7}


def test_who_has_least_is_served_first():
    engine = Engine()
    for name in ("one", "two"):
        engine.receive(name, json.dumps({"type": "start", "bars": 16, "seed": 1, "meter": "4/4", "pickup": 0}))
    told = {"one": 0, "two": 0}
    while reports := engine.work():
        for report in reports:
            told[report.name] += len(report.what)
        assert abs(told["one"] - told["two"]) <= 2
    assert told["one"] == told["two"] > 0


@pytest.mark.parametrize("text", ["", "nonsense", "[]", "7", '{"type":"dance"}', '{"bars":3}', b"\xff\xfe", "null"])
def test_garbage_ends_a_session_with_a_reason(text):
    engine = Engine()
    engine.receive("one", '{"type":"start","bars":4}')
    report = engine.receive("one", text)
    assert report.kind == "garbage"
    assert 0 < len(report.what.encode()) <= 123
    assert len(engine) == 0


@pytest.mark.parametrize("field", ['"bars":10000', '"bars":0', '"bars":"4"', '"temprature":1', '"temperature":-1'])
def test_a_wrong_field_is_answered(field):
    report = Engine().receive("one", f'{{"type":"start",{field}}}')
    assert report.kind == "answer"
    assert json.loads(report.what[0])["type"] == "error"


def test_who_claims_to_be_far_ahead_starves_nobody():
    engine, until = Engine(), 0
    for name in ("liar", "honest"):
        engine.receive(name, json.dumps({"type": "start", "bars": 64, "seed": 1, "meter": "4/4", "pickup": 0}))
    engine.receive("liar", json.dumps({"type": "played", "tick": 60 * 1920}))
    served = []
    for _ in range(20):
        for report in engine.work():
            served.append(report.name)
            if report.name == "honest":
                for message in map(json.loads, report.what):
                    until = message.get("until", until)
                engine.receive("honest", json.dumps({"type": "played", "tick": until}))
    assert served.count("honest") >= 9
