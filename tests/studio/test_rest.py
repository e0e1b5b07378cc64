"""The REST routes do what the verbs do, and say in one sentence what they cannot."""

import io as streams
import json

import music21
import numpy as np
import pytest
import soundfile
import symusic

from kantor import io
from kantor.io.packing import pack_score
from kantor.render.audio import find_soundfont
from kantor.rules import faults
from kantor.sampling.guard import asked
from kantor.score import Part, Score
from kantor.studio import desk
from kantor.studio.messages import ScoreJson
from kantor.studio.scores import json_of, score_of
from kantor.verbs.generate import generate

HOME = "http://127.0.0.1"


def ask(client, route, status=200, **body):
    answer = client.post(f"/api/{route}", json=body)
    assert answer.status_code == status, answer.text[:300]
    return answer.json()


def sentence(answer):
    assert set(answer) == {"error"}
    assert 10 < len(answer["error"]) < 1000
    return answer["error"]


@pytest.fixture(scope="module")
def chorale():
    return generate("chorale", bars=4, meter="4/4", pickup=0.0, seed=2)[0].score


@pytest.fixture(scope="module")
def sent(chorale):
    return json_of(chorale).model_dump()


def test_generating_is_what_the_verb_does(client, chorale):
    pieces = ask(client, "generate", bars=4, meter="4/4", pickup=0.0, seed=2)["pieces"]
    assert score_of(ScoreJson(**pieces[0]["score"])) == chorale


def test_a_recipe_makes_the_piece_again(client, chorale):
    piece = ask(client, "replay", recipe=chorale.recipe)
    assert score_of(ScoreJson(**piece["score"])) == chorale


def test_the_first_bars_stay_when_it_goes_on(client, chorale, sent):
    piece = ask(client, "continue", score=sent, bars=2, seed=1)["pieces"][0]
    score = score_of(ScoreJson(**piece["score"]))
    assert score.notes[: len(chorale)].tolist() == chorale.notes.tolist()
    assert score.length_ticks == chorale.length_ticks + 2 * 1920


def test_a_line_is_set_for_four_voices(client, chorale):
    line = chorale.replace(notes=chorale.notes[chorale.notes["part"] == 0], parts=chorale.parts[:1], recipe="")
    piece = ask(client, "harmonize", score=json_of(line).model_dump(), sweeps=4, seed=1)["pieces"][0]
    score = score_of(ScoreJson(**piece["score"]))
    assert len(score.parts) == 4
    assert score.notes[score.notes["part"] == 0].tolist() == line.notes.tolist()


def test_locked_notes_and_all_that_is_not_selected_stay(client, chorale, sent):
    alto = [n for n, note in enumerate(sent["notes"]) if note["part"] == 1 and 1920 <= note["onset"] < 5760]
    locked = alto[1:3]
    select = [{"voices": [1, 2], "start": 1920, "end": 5760}]
    pieces = ask(client, "infill", score=sent, select=select, locked=locked, sweeps=4, seed=1, count=2)["pieces"]
    for piece in pieces:
        notes = score_of(ScoreJson(**piece["score"])).notes.tolist()
        for at in locked:
            assert chorale.notes[at].tolist() in notes
        outside = [
            row for row in chorale.notes.tolist() if row[4] in (0, 3) or row[0] + row[1] <= 1920 or row[0] >= 5760
        ]
        assert all(row in notes for row in outside)
        again = ask(client, "replay", recipe=piece["score"]["recipe"])
        assert again["score"] == piece["score"]
    assert pieces[0]["score"]["notes"] != pieces[1]["score"]["notes"]


def test_variations_are_so_many_takes(client):
    body = {"model": "melody", "bars": 2, "seed": 1}
    pieces = ask(client, "variations", verb="generate", body=body, count=3)["pieces"]
    assert len({json.dumps(piece["score"]["notes"]) for piece in pieces}) == 3


def test_faults_are_those_of_the_rules(client):
    rows = [(0, 480, 72, 80, 0), (0, 480, 65, 80, 1), (0, 480, 60, 80, 2), (0, 480, 53, 80, 3)]
    rows += [(480, 480, 74, 80, 0), (480, 480, 67, 80, 1), (480, 480, 62, 80, 2), (480, 480, 55, 80, 3)]
    score = Score.from_notes(rows)
    found = ask(client, "check", score=json_of(score).model_dump(), rules=["no-parallels", "fermata"])
    expected = faults(score, {one.name: one.rule for one in asked(["no-parallels"])})
    assert [(fault["tick"], tuple(fault["voices"])) for fault in found["faults"]] == [
        (fault.tick, fault.voices) for fault in expected
    ]
    assert {score.notes[at]["onset"] for fault in found["faults"] for at in fault["notes"]} == {480}
    assert [skipped["rule"] for skipped in found["skipped"]] == ["fermata"]


def test_a_drum_before_the_voices_does_not_shift_their_names(client):
    lines = [(72, 74), (65, 67), (60, 62), (53, 55)]
    rows = [(at * 480, 480, pitch, 80, part) for part, line in enumerate(lines, 1) for at, pitch in enumerate(line)]
    parts = [Part("drums", is_drum=True), *(Part(name) for name in ("first", "second", "third", "fourth"))]
    score = Score.from_notes([(0, 120, 38, 80, 0), *rows], parts=tuple(parts))
    [fault] = ask(client, "check", score=json_of(score).model_dump(), rules=["no-parallels"])["faults"]
    assert fault["text"] == "no-parallels in bar 1 (first, second, third, fourth)"


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_fault_names_the_notes_that_sound_there(client, seed):
    score = generate("chorale", bars=16, seed=seed, temperature=2.0, rules=["none"])[0].score
    found = ask(client, "check", score=json_of(score).model_dump())
    assert found["total"] == len(found["faults"]) > 0
    sixteenth = score.ticks_per_quarter // 4
    for fault in found["faults"]:
        sounding = [
            at
            for at, (onset, duration, _, _, part) in enumerate(score.notes.tolist())
            if onset <= fault["tick"] + sixteenth // 2 and onset + duration > fault["tick"] and part in fault["voices"]
        ]
        assert fault["notes"] == sounding
        assert f"in bar {score.bar_number(fault['tick'])} (" in fault["text"]


def test_of_very_many_faults_the_first_thousand_are_told(client):
    rows = [(480 * at, 480, 48 + 12 * voice + at % 2, 80, 3 - voice) for at in range(1200) for voice in range(4)]
    found = ask(client, "check", score=json_of(Score.from_notes(rows)).model_dump(), rules=["no-parallels"])
    ticks = [fault["tick"] for fault in found["faults"]]
    assert len(ticks) == 1000 < found["total"]
    assert ticks == sorted(ticks)


@pytest.mark.parametrize("model", ["chorale", "roll", "notes", "events"])
def test_surprise_is_told_of_every_note_and_choices_agree_with_it(client, model, sent):
    nats = ask(client, "surprise", score=sent, model=model)["nats"]
    assert len(nats) == len(sent["notes"])
    assert sum(one is None for one in nats) <= 1
    at = next(n for n, one in enumerate(nats) if one is not None and sent["notes"][n]["onset"] > 1920)
    told = ask(client, "choices", score=sent, model=model, note=at)
    assert told["nats"] == pytest.approx(nats[at], abs=1e-3)
    chances = [choice["probability"] for choice in told["choices"]]
    assert chances == sorted(chances, reverse=True)
    assert sum(chances) <= 1 + 1e-6


def test_where_a_frame_decides_four_notes_each_has_its_own_surprise(client, sent):
    """On the plain grid no class is out of the question, so a choice is as likely as its note is surprising."""
    nats = ask(client, "surprise", score=sent, model="jsb")["nats"]
    chord = [at for at, note in enumerate(sent["notes"]) if note["onset"] == sent["notes"][-1]["onset"]]
    known = [at for at in chord if nats[at] is not None]
    assert len({nats[at] for at in known}) == len(known) > 1
    for at in known:
        told = ask(client, "choices", score=sent, model="jsb", note=at)
        assert told["nats"] == pytest.approx(nats[at], abs=1e-3)
        chances = {choice["pitch"]: choice["probability"] for choice in told["choices"]}
        if sent["notes"][at]["pitch"] in chances:
            assert chances[sent["notes"][at]["pitch"]] == pytest.approx(np.exp(-nats[at]), abs=1e-3)


def test_surprise_of_an_order_of_notes_is_in_that_order(client, sent):
    straight = ask(client, "surprise", score=sent)["nats"]
    turned = {**sent, "notes": sent["notes"][::-1]}
    assert ask(client, "surprise", score=turned)["nats"] == straight[::-1]


def test_engraved_notes_are_those_of_the_score(client, sent):
    page = ask(client, "engrave", score=sent)
    assert sorted(page["notes"].values()) == list(range(len(sent["notes"])))
    for identity in page["notes"]:
        assert any(f'id="{identity}"' in svg for svg in page["pages"])
    first = [moment for moment in page["timemap"] if moment["tick"] == 0]
    beginning = {n for n, note in enumerate(sent["notes"]) if note["onset"] == 0}
    assert {page["notes"][identity] for identity in first[0]["on"]} == beginning


@pytest.mark.parametrize("way", ["form", "bytes"])
def test_what_is_saved_is_read_again(client, chorale, sent, way):
    data = client.post("/api/save/mid", json={"score": sent})
    assert data.headers["content-type"] == "audio/midi"
    assert "attachment" in data.headers["content-disposition"]
    if way == "form":
        answer = client.post("/api/read", files={"file": ("piece.mid", data.content)})
    else:
        answer = client.post("/api/read?name=piece.mid", content=data.content)
    again = score_of(ScoreJson(**answer.json()["score"]))
    assert again.notes.tolist() == chorale.notes.tolist()
    assert again.recipe == chorale.recipe


def test_others_read_what_is_saved(client, chorale, sent):
    pitches = sorted(chorale.notes["pitch"].tolist())
    midi = symusic.Score.from_midi(client.post("/api/save/mid", json={"score": sent}).content)
    assert sorted(note.pitch for track in midi.tracks for note in track.notes) == pitches
    xml = client.post("/api/save/musicxml", json={"score": sent}).content
    read = music21.converter.parseData(xml, format="musicxml").stripTies()
    assert sorted(note.pitch.midi for note in read.flatten().notes) == pitches
    sound, rate = soundfile.read(streams.BytesIO(client.post("/api/save/wav", json={"score": sent}).content))
    assert rate == 44100
    assert len(sound) == round((chorale.seconds + 2) * rate)
    assert np.abs(sound).max() > 0.5
    assert client.post("/api/save/svg", json={"score": sent}).content.startswith(b"<svg")
    assert client.post("/api/save/csv", json={"score": sent}).content == io.encode(chorale, ".csv")


def test_every_preset_begins(client):
    from kantor.studio.messages import client_message
    from kantor.studio.session import Session

    presets = client.get("/api/presets").json()
    assert len(presets) >= 5
    assert len({preset["name"] for preset in presets}) == len(presets)
    assert {"roll", "notes"} <= {preset["start"]["model"] for preset in presets}
    for preset in presets:
        told = Session("name").receive(client_message.validate_json(json.dumps(preset["start"])))
        assert [message.type for message in told] == ["started"], (preset["name"], told)


def test_there_is_a_list_of_everything(client):
    models = {model["name"]: model for model in client.get("/api/models").json()}
    assert models["chorale-infill"]["fills"]
    assert not models["chorale"]["fills"]
    assert {rule["name"] for rule in client.get("/api/rules").json() if rule["by_default"]} == {
        "no-parallels",
        "no-crossing",
        "range",
    }
    assert len(client.get("/api/instruments").json()) == 128
    assert client.get("/api/status").json()["room"] <= 1000


def test_the_soundfont_is_served_and_kept(client):
    answer = client.get("/soundfont")
    assert answer.content == find_soundfont().read_bytes()
    again = client.get("/soundfont", headers={"If-None-Match": answer.headers["etag"]})
    assert again.status_code == 304


# -- what cannot be done -----------------------------------------------------------------------------------------------


def test_what_is_not_there_is_404(client):
    assert "nobody" in sentence(ask(client, "generate", 404, model="nobody"))
    assert "passwd" in sentence(ask(client, "generate", 404, model="/etc/passwd"))
    sentence(client.get("/api/nothing").json())
    assert client.get("/api/nothing").status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        {"bars": 10_000},
        {"bars": "four"},
        {"temperature": -1},
        {"count": 1000},
        {"nonsense": 1},
        {"seed": -1},
        {"rules": "no-parallels"},
    ],
)
def test_another_shape_is_422(client, body):
    sentence(ask(client, "generate", 422, **body))


@pytest.mark.parametrize(
    ("route", "body"),
    [
        ("generate", {"key": "H"}),
        ("generate", {"rules": ["nonsense"]}),
        ("generate", {"meter": "4/5"}),
        ("generate", {"model": "chorale-infill"}),
        ("continue", {"score": {"notes": []}}),
        ("harmonize", {"score": {"notes": []}}),
        ("infill", {"score": {"notes": []}, "select": [{}]}),
        ("choices", {"score": {"notes": []}, "note": 0}),
        ("surprise", {"score": {"notes": [{"part": 0, "pitch": 5, "onset": 0, "duration": 480}]}}),
        ("check", {"score": {"notes": []}, "rules": ["nonsense"]}),
        ("replay", {"recipe": "nonsense"}),
        ("save/wav", {"score": {"notes": []}, "instrument": "nonsense"}),
    ],
)
def test_what_cannot_be_followed_is_400(client, route, body):
    sentence(ask(client, route, 400, **body))


@pytest.mark.parametrize(
    "options", [{"prompt": "/etc/passwd"}, {"bars": 10**6}, {"novelty": True}, {"best_of": 200}, {"bars": "many"}]
)
def test_a_strangers_recipe_names_no_file_and_no_endless_work(client, chorale, options):
    recipe = json.loads(chorale.recipe)
    recipe["options"].update(options)
    sentence(ask(client, "replay", 400, recipe=json.dumps(recipe)))


def test_a_strangers_recipe_takes_back_no_more_than_can_be_composed(client, chorale):
    recipe = {**json.loads(chorale.recipe), "verb": "live"}
    steps = 4 * 16 * 4
    recipe["options"] = {"bars": 4, "meter": "4/4", "pickup": 0.0, "steps": steps, "changes": []}
    ask(client, "replay", 200, recipe=json.dumps(recipe))
    once = {"at": steps, "to": 0}  # all of it, again and again
    for changes in ([once] * 1000, [once] * 6000, [{"at": 10**9, "to": 10**9}], [{"at": "many", "to": 0}], 7):
        recipe["options"]["changes"] = changes
        sentence(ask(client, "replay", 400, recipe=json.dumps(recipe)))


def test_music_in_a_strangers_recipe_is_measured(client, chorale, monkeypatch):
    long = chorale.replace(length_ticks=480 * 40_001, recipe="")
    bars = Score.from_notes([(0, 480 * 4 * 1001, 60, 80, 0)])
    made = json.loads(chorale.recipe)
    recipes = [
        json.dumps({**made, "verb": verb, "options": {}, "prompt": pack_score(prompt)})
        for verb, prompt in (("continue", long), ("infill", bars), ("continue", chorale))
    ]
    for recipe in recipes[:2]:
        assert "cut it" in sentence(ask(client, "replay", 400, recipe=recipe))
    monkeypatch.setattr(desk, "MAX_GIVEN", 1000)
    assert "cut it" in sentence(ask(client, "replay", 400, recipe=recipes[2]))


@pytest.mark.parametrize("headers", [{"content-type": "text/plain"}, {"content-type": ""}])
def test_a_body_of_another_kind_is_422(client, headers):
    answer = client.post("/api/generate", content=b'{"bars":2}', headers=headers)
    assert answer.status_code == 422
    sentence(answer.json())


def test_a_large_upload_is_413(client):
    sentence(client.post("/api/read?name=a.mid", content=b"x" * (10 * 2**20 + 2**17)).json())
    assert client.post("/api/read?name=a.mid", content=b"x" * (10 * 2**20 + 2**17)).status_code == 413
    assert client.post("/api/read?name=a.mid", content=b"x" * (10 * 2**20 + 10)).status_code == 413


@pytest.mark.parametrize("name", ["a.mid", "a.musicxml", "a.csv", "a.txt", "", "../../x.mid", "a." + "b" * 190])
def test_a_file_that_is_none_gets_one_sentence(client, name):
    answer = client.post("/api/read", params={"name": name}, content=b"\x00\x01nonsense\xff")
    assert answer.status_code == 400
    assert "/tmp" not in sentence(answer.json())


@pytest.mark.parametrize(("tempo", "status"), [(5e-324, 422), (0.01, 200), (100_000, 200)])
@pytest.mark.parametrize("kind", ["mid", "musicxml"])
def test_a_tempo_that_is_hardly_one_is_refused_and_a_slow_one_saved(client, sent, kind, tempo, status):
    score = {**sent, "recipe": "", "tempi": [{"tick": 0, "quarters_per_minute": tempo}]}
    assert client.post(f"/api/save/{kind}", json={"score": score}).status_code == status


def test_a_form_without_a_file_is_422(client):
    assert client.post("/api/read", files={"other": ("a.mid", b"x")}).status_code == 422


def test_a_page_of_another_site_is_refused(client):
    assert client.get("/api/models", headers={"Origin": "http://evil.example"}).status_code == 403
    assert client.get("/api/models", headers={"Host": "evil.example"}).status_code == 403
    assert client.get("/api/models", headers={"Origin": HOME}).status_code == 200


def test_nothing_is_taken_from_elsewhere(client):
    for route in ("/", "/docs", "/docs/begin.js", "/api/presets"):
        answer = client.get(route)
        assert "default-src 'self'" in answer.headers["content-security-policy"]
        assert "https://" not in answer.text.replace("https://spec.openapis.org", "")


def test_without_a_built_page_it_says_so(client):
    answer = client.get("/")
    assert answer.status_code == 503
    assert "has not been built" in answer.text
