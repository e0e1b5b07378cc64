"""Who hears what a worker says, told apart from sockets and music: a worker of three lines takes down its orders."""

from __future__ import annotations

import asyncio
import json
import threading

import pytest

from kantor.studio import crew
from kantor.studio.crew import Report
from kantor.studio.hub import Hub, Link
from kantor.studio.messages import Started

STARTED = Started.model_construct(session="x").model_dump_json(warnings=False)


class Worker:
    def __init__(self):
        self.orders = []

    def tell(self, kind, name, what=()):
        self.orders.append((kind, name, what))


def sent(link):
    return [link.outbox.get_nowait() for _ in range(link.outbox.qsize())]


async def studio(monkeypatch, **options):
    """A hub and the only worker that it has."""
    hub, worker = Hub(workers=1, **options), Worker()
    monkeypatch.setattr(hub, "_hired", lambda: worker)
    await hub.start()
    return hub, worker


def come(hub, text=None):
    """A page that has come, and said something."""
    link = Link()
    hub.come(link)
    if text is not None:
        hub.receive(link, text)
    return link


def begin(hub, worker):
    """A page that has a piece."""
    link = come(hub, '{"type":"start"}')
    hub._deliver(worker, Report("answer", link.name, [STARTED]))
    assert sent(link) == [STARTED, None]
    return link


async def two_pages(monkeypatch):
    """A page that went, and the one that took its session up; nothing has come from the worker since."""
    hub, worker = await studio(monkeypatch)
    pages = [begin(hub, worker), Link()]
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


# -- who is not kept ---------------------------------------------------------------------------------------------------


def later(seconds):
    return asyncio.get_running_loop().time() + seconds


def test_who_begins_nothing_is_closed_and_who_has_a_piece_is_not(monkeypatch):
    async def run():
        hub, worker = await studio(monkeypatch, patience=30)
        silent, playing, chatting = come(hub), begin(hub, worker), come(hub, '{"type":"pause"}')
        hub.expire()
        assert not any(link.closed for link in (silent, playing, chatting))
        hub.expire(later(30))
        assert [sent(link)[-1][0] for link in (silent, chatting)] == [4408, 4408]
        assert not playing.closed
        assert len(hub) == 1
        assert ("forget", worker.orders[-1][1], ()) in worker.orders

    asyncio.run(run())


def test_a_session_without_a_piece_is_not_kept(monkeypatch):
    async def run():
        hub, worker = await studio(monkeypatch)
        for text in ('{"type":"pause"}', '{"type":"start","key":"H"}'):
            link = come(hub, text)
            name = link.name
            hub._deliver(worker, Report("answer", name, ['{"type":"error"}']))
            hub.leave(link)
            assert not hub.knows(name)
        link = begin(hub, worker)
        name = link.name
        hub.leave(link)
        assert hub.knows(name)

    asyncio.run(run())


def test_a_full_studio_gives_up_whose_page_has_been_away_longest(monkeypatch):
    async def run():
        hub, worker = await studio(monkeypatch, most=3)
        pages = [begin(hub, worker) for _ in range(3)]
        names = [page.name for page in pages]
        assert hub.full
        for page in (pages[1], pages[0]):
            hub.leave(page)
        assert not hub.full
        new = begin(hub, worker)
        assert [hub.knows(name) for name in names] == [True, False, True]
        assert len(hub) == 3
        come(hub, '{"type":"start"}')
        refused = come(hub, '{"type":"start"}')
        assert sent(refused)[-1][0] == 1013
        assert hub.knows(names[2])
        assert hub.knows(new.name)

    asyncio.run(run())


@pytest.mark.parametrize("how", ["taken", "broken", "garbage"])
def test_who_has_lost_its_session_opens_no_other(monkeypatch, how):
    async def run():
        hub, worker = await studio(monkeypatch)
        link = begin(hub, worker)
        name = link.name
        if how == "taken":
            come(hub, json.dumps({"type": "resume_session", "id": name}))
        else:
            hub._deliver(worker, Report(how, name, "why"))
        assert sent(link)[-1][0] in (4409, 1011, 4400)
        before, told = len(hub), len(worker.orders)
        hub.receive(link, '{"type":"start"}')
        assert (len(hub), len(worker.orders)) == (before, told)
        hub.leave(link)
        assert len(hub) == before

    asyncio.run(run())


def test_workers_that_end_at_once_are_hired_again_ever_later(monkeypatch):
    async def run():
        hub, worker = await studio(monkeypatch)
        pauses = []
        monkeypatch.setattr(hub._loop, "call_later", lambda pause, does: pauses.append(pause) or does())
        for _ in range(9):
            hub._deliver(worker, Report("gone", "", ""))
        assert pauses == [1, 2, 4, 8, 16, 32, 60, 60, 60]
        hub._deliver(worker, Report("told", "x", []))  # one that has worked
        hub._deliver(worker, Report("gone", "", ""))
        assert pauses[-1] == 0
        assert len(hub._crew) == 1

    asyncio.run(run())


def test_without_a_worker_nobody_can_begin(monkeypatch):
    async def run():
        hub, worker = await studio(monkeypatch)
        lost = begin(hub, worker)
        hub._deliver(worker, Report("gone", "", ""))
        assert sent(lost)[-1][0] == 1011
        assert sent(come(hub, '{"type":"start"}'))[-1][0] == 1013

    asyncio.run(run())


def test_a_worker_that_dies_leaves_nobody_waiting():
    gone = threading.Event()
    worker = crew.Worker(lambda _, report: gone.set() if report.kind == "gone" else None)
    worker._life.kill()
    assert gone.wait(60)
    worker._writer.join(60)
    assert not worker._writer.is_alive()
    worker.stop()
