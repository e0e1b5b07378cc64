"""The live socket: sessions, limits, and who may use it."""

import json

import pytest
from fastapi.testclient import TestClient
from starlette.testclient import WebSocketDenialResponse
from starlette.websockets import WebSocketDisconnect

from kantor.studio.app import Settings, create

HOME, LIVE = "http://127.0.0.1", "ws://127.0.0.1/api/live"


def told(socket, kind):
    """Messages up to the first of a kind."""
    heard = []
    while not heard or heard[-1]["type"] != kind:
        heard.append(json.loads(socket.receive_text()))
    return heard


def play(socket):
    heard = []
    while not heard or heard[-1]["type"] != "done":
        heard.append(json.loads(socket.receive_text()))
        if heard[-1]["type"] == "notes":
            socket.send_json({"type": "played", "tick": heard[-1]["until"]})
    return heard


def test_a_piece_is_composed_to_its_end(client):
    with client.websocket_connect(LIVE) as socket:
        socket.send_json({"type": "start", "bars": 4, "seed": 1})
        heard = play(socket)
    assert heard[0]["type"] == "started"
    numbers = {note["id"] for message in heard if message["type"] == "notes" for note in message["notes"]}
    assert len(numbers) >= len(heard[-1]["score"]["notes"])


def test_a_session_is_taken_up_again(client):
    with client.websocket_connect(LIVE) as socket:
        socket.send_json({"type": "start", "bars": 4, "seed": 1})
        name = told(socket, "started")[-1]["session"]
    with client.websocket_connect(f"{LIVE}?session={name}") as socket:
        socket.send_json({"type": "resume_session", "id": name})
        assert told(socket, "notes")[0]["resumed"]
        assert play(socket)[-1]["type"] == "done"


def test_only_the_last_page_has_a_session(client):
    with client.websocket_connect(LIVE) as first:
        first.send_json({"type": "start", "bars": 4})
        name = told(first, "started")[-1]["session"]
        with client.websocket_connect(LIVE) as second:
            second.send_json({"type": "resume_session", "id": name})
            told(second, "started")
            with pytest.raises(WebSocketDisconnect) as closed:
                told(first, "never")
    assert closed.value.code == 4409


@pytest.mark.parametrize(
    ("text", "code"), [("nonsense", 4400), ('{"type":"dance"}', 4400), ('{"type":"resume_session","id":"x"}', 4404)]
)
def test_what_is_no_message_closes_it_with_a_reason(client, text, code):
    with client.websocket_connect(LIVE) as socket:
        socket.send_text(text)
        with pytest.raises(WebSocketDisconnect) as closed:
            socket.receive_text()
    assert closed.value.code == code
    assert closed.value.reason


def test_bytes_close_it_too(client):
    with client.websocket_connect(LIVE) as socket:
        socket.send_bytes(b"\x00\x01")
        with pytest.raises(WebSocketDisconnect) as closed:
            socket.receive_text()
    assert closed.value.code == 4400


@pytest.mark.parametrize("headers", [{"Origin": "http://evil.example"}, {"Host": "evil.example"}, {"Origin": "null"}])
def test_another_site_is_refused(client, headers):
    with pytest.raises(WebSocketDenialResponse) as denied, client.websocket_connect(LIVE, headers=headers):
        pass
    assert denied.value.status_code == 403


def test_a_full_studio_says_when_to_come_again(tmp_path):
    settings = Settings(threads=True, workers=1, warm=(), most=2, static=tmp_path)
    with TestClient(create(settings), base_url=HOME) as full:  # noqa: SIM117
        with full.websocket_connect(LIVE) as one, full.websocket_connect(LIVE):
            one.send_json({"type": "start", "bars": 4})
            name = told(one, "started")[-1]["session"]
            assert full.get("/api/status").json()["room"] == 0
            with pytest.raises(WebSocketDenialResponse) as denied, full.websocket_connect(LIVE):
                pass
            assert denied.value.status_code == 503
            assert int(denied.value.headers["retry-after"]) > 0
            with full.websocket_connect(f"{LIVE}?session={name}") as again:
                again.send_json({"type": "resume_session", "id": name})
                told(again, "started")


def test_a_session_nobody_comes_back_to_is_forgotten(tmp_path):
    settings = Settings(threads=True, workers=1, warm=(), keep=0.2, static=tmp_path)
    with TestClient(create(settings), base_url=HOME) as running:
        with running.websocket_connect(LIVE) as socket:
            socket.send_json({"type": "start", "bars": 4})
            name = told(socket, "started")[-1]["session"]
        while running.get("/api/status").json()["sessions"]:
            pass
        with running.websocket_connect(LIVE) as socket:
            socket.send_json({"type": "resume_session", "id": name})
            with pytest.raises(WebSocketDisconnect) as closed:
                socket.receive_text()
    assert closed.value.code == 4404
