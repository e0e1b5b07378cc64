"""Who hears what a worker says, told apart from sockets and music: a worker of three lines takes down its orders."""

from __future__ import annotations

import asyncio
import json

from kantor.studio.crew import Report
from kantor.studio.hub import Hub, Link


class Worker:
    def __init__(self):
        self.orders = []

    def tell(self, kind, name, what=()):
        self.orders.append((kind, name, what))


def sent(link):
    return [link.outbox.get_nowait() for _ in range(link.outbox.qsize())]


async def two_pages(monkeypatch):
    """A page that went, and the one that took its session up; nothing has come from the worker since."""
    hub, worker = Hub(workers=1), Worker()
    monkeypatch.setattr(hub, "_hired", lambda: worker)
    await hub.start()
    pages = [Link(), Link()]
    hub.come(pages[0])
    hub.receive(pages[0], '{"type":"start"}')
    name = pages[0].name
    hub.leave(pages[0])
    hub.come(pages[1])
    hub.receive(pages[1], json.dumps({"type": "resume_session", "id": name}))
    return hub, worker, name, pages


def test_what_was_said_to_a_page_that_went_is_not_for_the_next(monkeypatch):
    async def run():
        hub, worker, name, (_, again) = await two_pages(monkeypatch)
        hub._deliver(worker, Report("told", name, ["late notes"]))
        hub._deliver(worker, Report("connected", name, []))
        hub._deliver(worker, Report("answer", name, ["welcome back"]))
        assert sent(again) == ["welcome back", None]

    asyncio.run(run())


def test_of_two_pages_that_come_at_once_the_last_hears_its_own_welcome(monkeypatch):
    async def run():
        hub, worker, name, (_, first) = await two_pages(monkeypatch)
        second = Link()
        hub.come(second)
        hub.receive(second, json.dumps({"type": "resume_session", "id": name}))
        assert sent(first)[-1][0] == 4409
        for kind, text in (("connected", []), ("answer", ["to the first"]), ("connected", []), ("answer", ["hers"])):
            hub._deliver(worker, Report(kind, name, text))
        assert (sent(first), sent(second)) == ([], ["hers", None])

    asyncio.run(run())


def test_a_worker_is_told_in_order_who_is_there(monkeypatch):
    async def run():
        _, worker, name, _ = await two_pages(monkeypatch)
        assert [kind for kind, _, _ in worker.orders] == ["receive", "connect", "connect", "receive"]
        assert [what for kind, _, what in worker.orders if kind == "connect"] == [(False,), (True,)]
        assert {told for _, told, _ in worker.orders} == {name}

    asyncio.run(run())
