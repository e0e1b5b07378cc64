"""A listening test from pieces to results, by the verbs and the command line."""

import json
import shutil

import numpy as np
import pytest
import soundfile

from kantor import io
from kantor.cli import app
from kantor.errors import InputError, KantorError, OptionError
from kantor.listening.answers import FILE, Answer, Answers
from kantor.listening.design import Item, Test
from kantor.listening.sounds import loudness
from kantor.render import audio
from kantor.score import VOICES, Key, Meter, Part, Score
from kantor.verbs.listen import build, results


def hymn(shift, bars=4):
    lines = ([72, 74, 76, 74], [67, 67, 67, 67], [64, 62, 60, 62], [48, 55, 48, 43])
    rows = [
        (480 * place, 480, pitch + shift, 40 + 10 * shift, voice)
        for voice, line in enumerate(lines)
        for place, pitch in enumerate(line * bars)
    ]
    known = {"meters": (Meter(0, 4, 4),), "keys": (Key(0, 0, "major"),)}
    return Score.from_notes(rows, parts=tuple(Part(name, 19 * (shift % 2)) for name in VOICES), **known)


@pytest.fixture(scope="module")
def music(tmp_path_factory):
    folder = tmp_path_factory.mktemp("listen") / "music"
    for shift in range(4):
        io.save(hymn(shift, bars=6 if shift == 3 else 2), folder / f"{shift}.mid")
    return folder


@pytest.fixture(scope="module")
def test(music):
    """A test of two pieces of a folder and two random ones, of two bars; nobody has answered but in the last of all."""
    made = build(music.parent / "test", [str(music), "random"], pieces=4, bars=2, seed=1)
    assert made["sources"] == {str(music): 2, "random": 2}
    return music.parent / "test"


def test_pieces_are_equally_loud_and_their_names_tell_nothing(test):
    known = Test.load(test)
    assert len(known.training) == 2
    levels = []
    for item in known.items:
        samples, rate = soundfile.read(test / "audio" / f"{item.name}.mp3", dtype="float32", always_2d=True)
        assert len(samples) / rate == pytest.approx(item.seconds, abs=0.1)
        levels.append(loudness(samples))
    assert max(levels) / min(levels) < 1.02
    assert not [item for item in known.items if "music" in item.name or "random" in item.name]
    assert "bach" not in {question.name for question in known.questions}  # nobody can be Bach here


def test_the_same_seed_is_the_same_test_and_whole_pieces_come_first(test, music, tmp_path):
    build(tmp_path / "again", [str(music), "random"], pieces=4, bars=2, seed=1)
    first, second = Test.load(test), Test.load(tmp_path / "again")
    assert first == second
    one = first.items[0].name
    assert (test / "audio" / f"{one}.mp3").read_bytes() == (tmp_path / "again" / "audio" / f"{one}.mp3").read_bytes()
    scores = [io.load(test / "scores" / f"{item.name}.mid") for item in first.items if item.source == str(music)]
    assert [len(score.bars) for score in scores] == [2, 2, 2]  # the one of six bars is left where it is


def test_a_test_is_not_thrown_away_without_being_asked(test, music, tmp_path):
    with pytest.raises(OptionError, match="perhaps with answers"):
        build(test, [str(music)], pieces=2, bars=2)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear")
    with pytest.raises(OptionError, match="has other things in it"):
        build(tmp_path / "mine", [str(music)], pieces=2, bars=2)
    with pytest.raises(InputError, match="expected 9 pieces of about 2 bars"):
        build(tmp_path / "new", [str(music)], pieces=7, bars=2)
    with pytest.raises(OptionError, match="sources that differ"):
        build(tmp_path / "new", ["random", "random"], pieces=2)
    assert not (tmp_path / "new").exists()


def contents(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def answered(test, tmp_path):
    """The test as somebody has answered it."""
    folder = tmp_path / "answered" / "test"
    shutil.copytree(test, folder)
    known = Test.load(folder)
    answers = Answers(folder / FILE, known)
    answers.answer(Answer(answers.begin()["rater"], known.items[0].name, "musicality", 5, 99.0))
    return folder


@pytest.mark.parametrize(
    ("sources", "wrong"),
    [
        (["random"], {"instrument": "kazoo of tin"}),
        (["random"], {"soundfont": "nowhere.sf2"}),
        (["random"], {"seed": -1}),
        (["random", "no such model"], {}),
        (["random", "runs/nowhere"], {}),
        (["random", "MUSIC"], {"pieces": 20}),
        (["random", "random"], {}),
        (["random"], {"bars": 0}),
    ],
)
def test_what_is_wrong_is_told_before_anything_is_composed_and_the_answers_stay(answered, music, sources, wrong):
    before, done = contents(answered.parent), []
    named = [str(music) if source == "MUSIC" else source for source in sources]
    with pytest.raises(KantorError):
        build(answered, named, **{"pieces": 2, "bars": 2, "force": True, "advance": done.append, **wrong})
    assert done == []
    assert contents(answered.parent) == before


@pytest.fixture
def quick(monkeypatch):
    """Every piece is a tenth of a second of one tone."""
    tone = np.sin(np.arange(4410) / 20).astype(np.float32)[:, None]
    monkeypatch.setattr(audio, "sound", lambda score, **options: np.repeat(tone, 2, axis=1))


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("step", ["sound", "encode"])
def test_who_interrupts_a_build_can_begin_again_and_the_answers_stay(answered, music, tmp_path, monkeypatch, step):
    before, calls, real = contents(answered.parent), [], getattr(audio, step)

    def interrupted(*args, **options):
        calls.append(step)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return real(*args, **options)

    for folder in (answered, tmp_path / "fresh" / "test"):
        calls.clear()
        with monkeypatch.context() as patch:
            patch.setattr(audio, step, interrupted)
            with pytest.raises(KeyboardInterrupt):
                build(folder, [str(music)], pieces=1, bars=2, force=folder == answered)
    assert contents(answered.parent) == before
    assert list(answered.parent.iterdir()) == [answered]
    build(tmp_path / "fresh" / "test", [str(music)], pieces=1, bars=2)
    assert [path.name for path in (tmp_path / "fresh").iterdir()] == ["test"]


@pytest.mark.usefixtures("quick")
def test_a_new_test_begins_without_answers_and_leaves_what_is_not_its_own(answered, music):
    old = Test.load(answered)
    (answered / "results.csv").write_text("mine")
    build(answered, [str(music)], pieces=1, bars=2, seed=5, force=True)
    new = Test.load(answered)
    sounds = {f"{item.name}.mp3" for item in new.items} | {"tones1.wav", "tones2.wav", "tones3.wav"}
    assert new != old
    assert {path.name for path in answered.iterdir()} == {"audio", "scores", "test.json", "results.csv"}
    assert {path.name for path in (answered / "audio").iterdir()} == sounds
    assert results(answered)["raters"] == 0


def test_where_nobody_has_answered_results_say_so_and_make_no_file(test, tmp_path):
    before = contents(test)
    found = results(test, [tmp_path / "all.html", tmp_path / "all.csv"])
    assert (found["raters"], found["answers"]) == (0, 0)
    assert found["remarks"] == [f"nobody has answered yet; to ask people: kantor listen serve {test}"]
    assert "Nobody has answered yet" in (tmp_path / "all.html").read_text()
    assert len((tmp_path / "all.csv").read_text().splitlines()) == 1
    assert contents(test) == before


def test_an_output_given_twice_is_refused(answered, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for twice in (["all.csv", "all.csv"], ["all.html", tmp_path / "all.html"]):
        with pytest.raises(OptionError, match="expected every output once"):
            results(answered, twice)
    with pytest.raises(OptionError, match="expected a seed of 0 or more"):
        results(answered, ["all.csv"], seed=-1)
    assert not list(tmp_path.glob("all.*"))


@pytest.mark.parametrize("heard", [1, 4])
def test_which_is_bach_is_printed_however_little_is_known(tmp_path, capsys, heard):
    items = tuple(Item(f"p{n}", source, "", 9.0) for n, source in enumerate(["bach", "bach", "chorale", "chorale"]))
    known = Test(items)
    known.save(tmp_path)
    answers = Answers(tmp_path / FILE, known)
    me = answers.begin()["rater"]
    for item in items[:heard]:
        answers.answer(Answer(me, item.name, "bach", 2, 9.0))
    app(["listen", "results", str(tmp_path)], standalone_mode=False)
    assert ("which is Bach" in capsys.readouterr().out) == (heard == 4)


def test_results_are_printed_and_written(test, tmp_path, capsys):
    known = Test.load(test)
    answers = Answers(test / FILE, known)
    random = np.random.default_rng(0)
    for _ in range(5):
        me = answers.begin()["rater"]
        for item in known.items:
            for question in known.questions:
                answers.answer(Answer(me, item.name, question.name, int(random.integers(1, 6)), 99.0))
    found = results(test, [tmp_path / "all.csv", tmp_path / "all.html"])
    assert found["complete"] == 5
    assert len((tmp_path / "all.csv").read_text().splitlines()) == 1 + 5 * 6 * 3
    page = (tmp_path / "all.html").read_text()
    assert "How good is it?" in page
    assert "Which is Bach?" not in page
    app(["listen", "results", str(test), "--json"], standalone_mode=False)
    assert json.loads(capsys.readouterr().out) == json.loads(json.dumps({**found, "files": []}))
    app(["listen", "results", str(test)], standalone_mode=False)
    assert "5, 5 to the end" in capsys.readouterr().out
    with pytest.raises(OptionError, match="expected a report ending in"):
        results(test, [tmp_path / "all.txt"])
    with pytest.raises(InputError, match="kantor listen build"):
        results(tmp_path / "nowhere")
