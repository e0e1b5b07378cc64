"""What is kept of a rater, and what is not; how results follow from it."""

import csv
import io
import sqlite3
from collections import Counter

import numpy as np
import pytest

from kantor.errors import InputError, OptionError
from kantor.listening import sounds
from kantor.listening.answers import FILE, Answer, Answers
from kantor.listening.design import QUESTIONS, Item, Test
from kantor.listening.results import as_csv, results
from kantor.verbs._listen_report import page


def made(**more):
    items = [
        Item(f"p{n}", source, f"{source} {n}", 30.0) for n, source in enumerate(["bach", "bach", "model", "model"])
    ]
    return Test((*items, Item("t0", "bach", "first", 30.0, training=True)), headphones=(1, 2, 3), **more)


@pytest.fixture
def answers(tmp_path):
    return Answers(tmp_path / FILE, made())


def test_a_rater_comes_back_to_what_was_said(answers):
    me = answers.begin()
    assert me["order"][0] == "t0"
    answers.answer(Answer(me["rater"], "p1", "musicality", 2, 6.0))
    answers.answer(Answer(me["rater"], "p1", "musicality", 4, 1.0))  # a change of mind
    again = answers.begin(me["rater"])
    assert again["rater"] == me["rater"]
    assert again["order"] == me["order"]
    assert again["answers"] == {"p1": {"musicality": 4}}
    (kept,) = answers.answers()
    assert (kept.value, kept.heard) == (4, 6.0)


def test_somebody_unknown_is_somebody_new(answers):
    assert answers.begin("0" * 32)["rater"] != "0" * 32
    assert answers.begin("'; DROP TABLE raters; --")["answers"] == {}
    assert len(answers.raters()) == 2


def test_orders_are_a_raters_own_and_even_in_the_long_run():
    test = made()
    orders = [tuple(test.order(f"{n:032x}")) for n in range(600)]
    assert all(order[0] == "t0" and sorted(order[1:]) == ["p0", "p1", "p2", "p3"] for order in orders)
    first = Counter(order[1] for order in orders)
    assert all(100 < count < 200 for count in first.values())


def test_nothing_that_tells_a_source_is_shown():
    shown = str(made().shown())
    assert "bach 0" not in shown
    assert "model" not in shown


@pytest.mark.parametrize(
    "wrong",
    [("p9", "musicality", 3), ("p1", "beauty", 3), ("p1", "musicality", 6), ("p1", "musicality", 0), ("p1", "bach", 3)],
)
def test_an_answer_to_no_question_of_the_test_is_refused(answers, wrong):
    me = answers.begin()
    with pytest.raises(OptionError, match="expected an answer to a question of this test"):
        answers.answer(Answer(me["rater"], *wrong))
    with pytest.raises(OptionError, match="who has begun"):
        answers.answer(Answer("f" * 32, "p1", "musicality", 3))
    with pytest.raises(OptionError, match="expected a level"):
        answers.tell_level(me["rater"], "genius")
    assert answers.answers() == []


def test_only_what_is_promised_is_kept(answers, tmp_path):
    me = answers.begin()
    answers.tell_level(me["rater"], "musician")
    assert answers.tell_headphones(me["rater"], [1, 2, 1]) == 2
    database = sqlite3.connect(tmp_path / FILE)
    columns = {
        table: [row[1] for row in database.execute(f"PRAGMA table_info({table})")] for table in ("raters", "answers")
    }
    database.close()
    assert columns == {
        "raters": ["rater", "level", "headphones"],
        "answers": ["rater", "item", "question", "value", "heard"],
    }


def test_a_file_that_is_no_database_is_one_sentence(tmp_path):
    (tmp_path / FILE).write_text("not a database, but long enough to look like a file of something else" * 30)
    with pytest.raises(InputError, match="cannot be used as a database"):
        Answers(tmp_path / FILE, made())


def test_a_test_is_read_as_it_was_saved(tmp_path):
    test = made(facts={"bars": 16})
    test.save(tmp_path)
    assert Test.load(tmp_path) == test
    (tmp_path / "test.json").write_text('{"format": 99}')
    with pytest.raises(InputError, match="no listening test of this version"):
        Test.load(tmp_path)
    with pytest.raises(InputError, match="kantor listen build"):
        Test.load(tmp_path / "nowhere")


def rated(answers, good=5, poor=2, raters=6):
    """Raters who hear what is by Bach, and like it better."""
    for number in range(raters):
        me = answers.begin()["rater"]
        answers.tell_level(me, "musician" if number % 2 else "listener")
        for item in made().items:
            real = item.source == "bach"
            for question in QUESTIONS:
                most = len(question.answers)
                value = (good if real else poor) if most == 5 else (2 if real else 1)
                answers.answer(Answer(me, item.name, question.name, value, 20.0))


def test_results_are_what_was_said(answers):
    rated(answers)
    found = results(made(), answers.raters(), answers.answers())
    assert (found["raters"], found["complete"], found["answers"]) == (6, 6, 6 * 4 * 4)
    assert found["levels"] == {"listener": 3, "musician": 3}
    bach, model = found["sources"]
    assert (bach["overall"]["mean"], bach["target"]) == (5, True)
    assert (model["overall"]["mean"], model["target"]) == (2, False)
    assert found["agreement"]["musicality"] == 1
    (everything,) = found["told"]
    assert (everything["right"], everything["answers"], everything["accuracy"]) == (24, 24, 1)
    assert everything["p"] == pytest.approx(1 / 3)  # of six ways to choose two of four pieces, one is right, one wrong
    assert bach["yes"]["bach"] == {"share": 1, "interval": [1, 1], "answers": 12}
    assert model["yes"]["bach"]["share"] == 0
    (apart,) = [one for one in found["differences"] if one["question"] == "musicality"]
    assert apart["difference"] == 3
    assert apart["p_raters"] == pytest.approx(2 / 2**6)
    assert apart["p"] == pytest.approx(1 / 3)  # two pieces against two: no test by pieces can be surer
    assert {one["item"] for one in found["items"]} == {"p0", "p1", "p2", "p3"}
    assert found["items"][0]["means"]["bach"] == 1


def test_what_was_hardly_heard_is_not_counted(answers):
    me = answers.begin()["rater"]
    answers.answer(Answer(me, "p0", "musicality", 5, 0.5))
    found = results(made(), answers.raters(), answers.answers())
    assert (found["raters"], found["answers"]) == (0, 0)
    assert found["sources"][0]["overall"]["mean"] is None


def test_nobody_yet_is_no_error(answers):
    found = results(made(), answers.raters(), answers.answers())
    assert found["raters"] == 0
    assert found["told"] == []
    assert found["sources"][0]["yes"]["bach"] == {"share": None, "interval": None, "answers": 0}


def test_five_raters_who_never_hear_bach_have_most_answers_right_and_tell_nothing(tmp_path):
    sources = ["bach"] * 5 + ["model"] * 10 + ["random"] * 5
    test = Test(tuple(Item(f"p{n}", source, f"{source} {n}", 30.0) for n, source in enumerate(sources)))
    store = Answers(tmp_path / FILE, test)
    for _ in range(5):
        me = store.begin()["rater"]
        for item in test.items:
            store.answer(Answer(me, item.name, "bach", 1, 20.0))
    (found,) = results(test, store.raters(), store.answers())["told"]
    assert (found["right"], found["answers"]) == (75, 100)
    assert (found["accuracy"], found["interval"], found["p"]) == (0.5, [0.5, 0.5], 1)


def test_one_rater_gives_differences_without_a_p(answers):
    rated(answers, raters=1)
    found = results(made(), answers.raters(), answers.answers())
    assert found["differences"]
    for one in found["differences"]:
        assert one["difference"] == 3
        assert one["p_pieces"] == pytest.approx(1 / 3)
        assert one["p"] is one["p_raters"] is None
    assert "Differences" in page(found, "0")


def test_before_any_piece_of_another_is_answered_nobody_has_told_bach(answers):
    me = answers.begin()["rater"]
    answers.answer(Answer(me, "p0", "bach", 2, 20.0))
    found = results(made(), answers.raters(), answers.answers())
    assert found["told"] == []
    assert found["sources"][0]["yes"]["bach"]["share"] == 1
    assert "Which is Bach?" in page(found, "0")


def test_the_report_says_what_guessing_gives(answers):
    rated(answers)
    said = page(results(made(), answers.raters(), answers.answers()), "0")
    assert "100.0% (100.0% … 100.0%); guessing: 50 %" in said
    assert "half of the answers" not in said


def test_who_only_reads_makes_no_file_and_changes_none(answers, tmp_path):
    rated(answers, raters=1)
    before = (tmp_path / FILE).read_bytes()
    reading = Answers(tmp_path / FILE, made(), reading=True)
    assert (reading.raters(), reading.answers()) == (answers.raters(), answers.answers())
    with pytest.raises(InputError, match="readonly"):
        reading.begin()
    assert (tmp_path / FILE).read_bytes() == before
    with pytest.raises(InputError, match="unable to open"):
        Answers(tmp_path / "none # at? all.sqlite", made(), reading=True).raters()
    assert [file.name for file in tmp_path.iterdir()] == [FILE]


def test_every_answer_is_a_row_of_the_table(answers):
    rated(answers, raters=2)
    rows = list(csv.DictReader(io.StringIO(as_csv(made(), answers.raters(), answers.answers()))))
    assert len(rows) == 2 * 5 * 4
    assert {row["rater"] for row in rows} == {"1", "2"}
    assert sum(row["training"] == "1" for row in rows) == 2 * 4


def test_pieces_become_equally_loud_whatever_they_were():
    at = np.arange(sounds.RATE) / sounds.RATE
    quiet = (0.02 * np.sin(880 * at)).astype(np.float32)[:, None]
    loud = np.concatenate([(0.9 * np.sin(660 * at)), np.zeros(sounds.RATE)]).astype(np.float32)[:, None]
    levels = [sounds.loudness(one) for one in sounds.alike([quiet, loud])]
    assert levels[0] == pytest.approx(levels[1], rel=1e-3)
    assert levels[0] > 0.03
    silent = sounds.alike([np.zeros((100, 1), np.float32)])[0]
    assert not silent.any()


def test_over_loudspeakers_the_tone_in_opposite_phase_cancels():
    tone = sounds.tones(softest=1, opposite=2)
    third = len(tone) // 3
    in_the_air = [float(np.abs(tone[n * third : (n + 1) * third].mean(axis=1)).max()) for n in range(3)]
    on_the_ear = [float(np.abs(tone[n * third : (n + 1) * third, 0]).max()) for n in range(3)]
    assert np.argmin(on_the_ear) == 0
    assert np.argmin(in_the_air) == 1
    assert in_the_air[1] == pytest.approx(0, abs=1e-9)
