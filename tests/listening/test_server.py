"""The page of a listening test, over a socket and in a real browser."""

import http.client
import json
import socket
import sqlite3
import struct
import threading

import numpy as np
import pytest

from kantor.errors import InputError, OptionError
from kantor.listening.answers import FILE
from kantor.listening.design import Item, Test
from kantor.listening.server import Server
from kantor.listening.sounds import RATE, tones
from kantor.render.audio import encode


@pytest.fixture
def folder(tmp_path):
    """A test of two pieces and one to try it out, half a second each."""
    items = [Item("aa11", "bach", "bwv 1", 0.5), Item("bb22", "model", "take 1", 0.5)]
    items.append(Item("cc33", "bach", "bwv 2", 0.5, training=True))
    (tmp_path / "audio").mkdir()
    for number, item in enumerate(items):
        wave = 0.1 * np.sin(2 * np.pi * (220 + 110 * number) * np.arange(RATE // 2) / RATE)
        (tmp_path / "audio" / f"{item.name}.mp3").write_bytes(encode(wave.astype(np.float32)[:, None], RATE, ".mp3"))
    (tmp_path / "audio" / "tones1.wav").write_bytes(encode(tones(2, 3), RATE, ".wav"))
    Test(tuple(items), least_seconds=0.2, headphones=(2,)).save(tmp_path)
    return tmp_path


@pytest.fixture
def server(folder):
    with Server(folder, port=0) as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield running
        running.shutdown()
        thread.join()


class Client:
    def __init__(self, server):
        self.place = server.server_address[:2]

    def __call__(self, method, path, body=None, **headers):
        connection = http.client.HTTPConnection(*self.place, timeout=30)
        try:
            connection.request(method, path, body, headers)
            reply = connection.getresponse()
            return reply.status, dict(reply.getheaders()), reply.read()
        finally:
            connection.close()

    def post(self, path, said):
        status, _, data = self("POST", path, json.dumps(said), **{"Content-Type": "application/json"})
        return status, json.loads(data)


def test_what_the_page_is_told_says_nothing_of_sources(server):
    ask = Client(server)
    status, headers, data = ask("GET", "/api/test")
    assert status == 200
    assert b"bwv" not in data
    assert b"model" not in data
    assert "default-src 'self'" in headers["Content-Security-Policy"]
    for path in ("/", "/page.js", "/page.css"):
        assert ask("GET", path)[0] == 200


def test_sounds_come_whole_and_in_parts_and_nothing_else_comes(server, folder):
    ask = Client(server)
    whole = (folder / "audio" / "aa11.mp3").read_bytes()
    assert ask("GET", "/sound/aa11")[2] == whole
    status, headers, part = ask("GET", "/sound/aa11", Range="bytes=10-19")
    assert (status, part, headers["Content-Range"]) == (206, whole[10:20], f"bytes 10-19/{len(whole)}")
    assert ask("GET", "/sound/aa11", Range=f"bytes={len(whole) - 5}-")[2] == whole[-5:]
    for path in (
        "/sound/../test.json",
        "/sound/%2e%2e/test",
        "/test.json",
        "/answers.sqlite",
        "/sound/zz99",
        "/sound/",
    ):
        assert ask("GET", path)[0] == 404


def test_answers_are_kept_and_strange_ones_are_not(server):
    ask = Client(server)
    me = ask.post("/api/begin", {})[1]["rater"]
    said = {"rater": me, "item": "aa11", "question": "musicality", "value": 4, "heard": 0.5}
    assert ask.post("/api/answer", said) == (200, {"kept": True})
    strange = [{"value": 9}, {"value": "4"}, {"value": None}, {"item": "no"}, {"rater": "no"}, {"heard": "long"}]
    for wrong in (*({**said, **one} for one in strange), {}, {"rater": me}):
        assert ask.post("/api/answer", wrong)[0] == 400
    assert len(server.answers.answers()) == 1


def test_a_page_from_elsewhere_cannot_post(server):
    ask = Client(server)
    for headers in ({"Content-Type": "text/plain"}, {"Content-Type": "application/x-www-form-urlencoded"}, {}):
        assert ask("POST", "/api/begin", "{}", **headers)[0] == 400
    big = json.dumps({"rater": "x" * 10_000})
    assert ask("POST", "/api/begin", big, **{"Content-Type": "application/json"})[0] == 413
    assert ask("POST", "/api/begin", "[1]", **{"Content-Type": "application/json"})[0] == 400
    assert server.answers.raters() == []


def finished():
    """Wait until every request has been seen to."""
    for thread in threading.enumerate():
        if "process_request_thread" in thread.name:
            thread.join(60)
            assert not thread.is_alive()


@pytest.mark.parametrize("size", ["9" * 5000, "-1", "+2", "1_0", "²", "", "two", "1000000"])
def test_a_size_that_is_none_is_answered_and_not_written_down(server, capsys, size):
    ask = Client(server)
    headers = {"Content-Type": "application/json", "Content-Length": size.encode("latin-1")}
    status, _, data = ask("POST", "/api/begin", None, **headers)
    assert status == 400
    assert "expected an answer as JSON" in json.loads(data)["error"]
    finished()
    assert capsys.readouterr().err == ""


def test_half_a_letter_is_answered_too(server):
    ask = Client(server)
    me = ask.post("/api/begin", {})[1]["rater"]
    status, said = ask.post("/api/level", {"rater": me, "level": "\ud800"})
    assert (status, said["error"][-4:]) == (400, "'\ud800'.")


def test_a_listener_who_closes_the_page_is_not_written_down(server, folder, capsys):
    (folder / "audio" / "aa11.mp3").write_bytes(bytes(30_000_000))  # more than a socket holds
    with socket.create_connection(server.server_address[:2]) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.sendall(b"GET /sound/aa11 HTTP/1.1\r\nHost: x\r\n\r\n")
        assert connection.recv(12) == b"HTTP/1.1 200"
    finished()
    assert capsys.readouterr().err == ""
    assert Client(server)("GET", "/")[0] == 200


def test_a_folder_without_a_test_and_a_port_that_is_taken_are_one_sentence(server, tmp_path):
    with pytest.raises(InputError, match="kantor listen build"):
        Server(tmp_path / "nowhere")
    with pytest.raises(OptionError, match="try another --port"):
        Server(server.sounds.parent, port=server.server_address[1])


def test_many_raters_answer_at_once(server):
    ask = Client(server)

    def rate():
        me = ask.post("/api/begin", {})[1]["rater"]
        for item in ("aa11", "bb22"):
            said = {"rater": me, "item": item, "question": "coherence", "value": 3, "heard": 1}
            assert ask.post("/api/answer", said)[0] == 200

    threads = [threading.Thread(target=rate) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(server.answers.answers()) == 16


def answer(page):
    """Hear the piece that is shown for as long as is asked, and answer all questions."""
    page.wait_for_selector("input[name=musicality]", state="attached")
    page.evaluate("document.querySelector('audio').play().then(() => true)")
    page.wait_for_selector("fieldset:enabled")
    for question, value in (("musicality", 4), ("coherence", 3), ("creativity", 5), ("bach", 2)):
        page.click(f"input[name={question}][value='{value}']")


def test_a_rater_goes_through_the_whole_test_and_may_leave_in_between(server, folder, page):
    page.goto(server.url)
    page.click("input[name=level][value=musician]")
    page.click("#start")
    page.click("input[name=tone][value='2']")
    page.click("#next")
    page.wait_for_selector("h2:has-text('To try it out')")
    assert page.evaluate("document.querySelector('fieldset').disabled"), "questions are open before anything was heard"
    answer(page)
    page.click("#next")
    page.wait_for_selector("h2:has-text('Piece 1 of 2')")
    answer(page)
    page.wait_for_selector("#next:enabled")
    page.goto("about:blank")  # the window is closed in the middle
    page.goto(server.url)
    page.wait_for_selector("h2:has-text('Welcome back')")
    page.click("#start")
    page.wait_for_selector("h2:has-text('Piece 2 of 2')")
    answer(page)
    page.click("#next")
    page.wait_for_selector("h2:has-text('Thank you!')")
    (rater,) = server.answers.raters()
    assert (rater.level, rater.headphones) == ("musician", 1)
    said = server.answers.answers()
    assert {(one.item, one.question) for one in said} == {
        (item, question)
        for item in ("aa11", "bb22", "cc33")
        for question in ("musicality", "coherence", "creativity", "bach")
    }
    assert {one.value for one in said if one.question == "creativity"} == {5}
    assert all(one.heard >= 0.2 for one in said)
    database = sqlite3.connect(folder / FILE)
    assert database.execute("SELECT count(*) FROM answers").fetchone() == (12,)
    database.close()


def test_the_page_fits_every_window_and_has_a_name_for_every_field(server, page):
    page.goto(server.url)
    page.click("#start")
    page.click("#skip")
    page.wait_for_selector("input[name=musicality]", state="attached")
    for width in (360, 800, 1400):
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme="dark" if width == 800 else "light")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), width
    unnamed = "[...document.querySelectorAll('input')].filter((one) => !one.getAttribute('aria-label')).length"
    assert page.evaluate(unnamed) == 0
    assert page.evaluate("document.querySelectorAll('fieldset > legend').length") == 4
