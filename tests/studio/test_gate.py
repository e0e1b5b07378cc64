"""What comes before every route: bodies that do not come, and what a page may load."""

from __future__ import annotations

import asyncio
import json

import pytest

from kantor.studio.gate import MAX_BODY, MAX_HELD, Gate

HEADERS = [(b"host", b"localhost")]


async def never():
    """The rest of a body that does not come."""
    await asyncio.Event().wait()


class Asked:
    """A request by hand, and what was answered."""

    def __init__(self, length, path="/api/check"):
        headers = [*HEADERS, (b"content-length", str(length).encode())]
        self.scope = {"type": "http", "method": "POST", "path": path, "headers": headers}
        self.said = []

    async def say(self, message):
        self.said.append(message)

    @property
    def status(self):
        return self.said[0]["status"]

    @property
    def headers(self):
        return dict(self.said[0]["headers"])


async def unreached(*_):
    raise AssertionError("this was to be refused")


def test_a_body_that_does_not_come_is_not_waited_for():
    async def run():
        asked = Asked(100)
        await Gate(unreached, reading=0.01)(asked.scope, never, asked.say)
        assert asked.status == 408
        assert "0.01 s" in json.loads(asked.said[1]["body"])["error"]

    asyncio.run(run())


def test_no_more_bodies_are_taken_in_than_there_is_room_for():
    async def run():
        gate = Gate(unreached)
        size = MAX_BODY
        waiting = [Asked(size) for _ in range(MAX_HELD // size)]
        tasks = [asyncio.create_task(gate(one.scope, never, one.say)) for one in waiting]
        await asyncio.sleep(0)
        more = Asked(1)
        await gate(more.scope, never, more.say)
        assert more.status == 503
        assert int(more.headers[b"retry-after"]) > 0
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert gate._held == 0

    asyncio.run(run())


@pytest.mark.parametrize("length", [MAX_BODY + 1, "many", -1, "9" * 5000])
def test_a_body_that_is_too_large_is_refused_before_it_comes(length):
    async def run():
        asked = Asked(length)
        await Gate(unreached)(asked.scope, never, asked.say)
        assert asked.status == 413

    asyncio.run(run())


def test_a_page_loads_and_says_nothing_but_its_files(client):
    policies = {}
    for path in ("/", "/api/presets", "/docs"):
        answer = client.get(path)
        text = answer.headers["content-security-policy"]
        policies[path] = dict(part.split(" ", 1) for part in text.split("; "))
    for path in ("/", "/api/presets"):
        assert "unsafe-inline" not in str(policies[path])
        assert not any(source in str(policies[path]) for source in ("blob:", "data:", "http", "*"))
    loose = {name for name in policies["/"] if policies["/docs"][name] != policies["/"][name]}
    assert loose == {"style-src", "img-src"}
    assert policies["/"]["frame-ancestors"] == "'self'"
