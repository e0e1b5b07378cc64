"""Work beside the server: read there, ended when it takes too long, and nobody else's loss."""

from __future__ import annotations

import asyncio
import contextlib
import os

import pytest

from kantor.studio.pool import Pool, Refused, Sent, run
from kantor.studio.rest import SHAPES, routes


def polite():
    """How nice a process is that lets live notes go first."""
    return str(min(os.nice(0) + 10, 19)).encode()


@contextlib.asynccontextmanager
async def working(tmp_path, jobs, **options):
    """A pool of processes, and so many jobs in it that do not end by themselves; each has been begun."""
    pool, begun = Pool(max(jobs, 1), desk="waiting_desk", **options), []
    try:
        for number in range(jobs):
            path = tmp_path / f"job-{number}"
            os.mkfifo(path)
            task = asyncio.create_task(pool.run("until", str(path)))
            gate = await asyncio.to_thread(path.open, "wb", 0)  # opens when the other side does: the job runs
            begun.append((task, gate, asyncio.get_running_loop().time()))
        yield pool, begun
    finally:
        pool.stop()
        for task, gate, _ in begun:
            gate.close()
            await asyncio.gather(task, return_exceptions=True)


def test_what_takes_too_long_is_ended_and_nothing_else(tmp_path):
    async def scene():
        async with working(tmp_path, 2) as (pool, ((late, _, since), (other, gate, _))):
            pool.expire(since + pool.deadline)
            assert (await late)[0] == 503
            assert not other.done()
            gate.write(b"music")
            gate.close()
            assert await other == b"music"
            assert await pool.run("niceness") == polite()  # and there is a process for the next

    asyncio.run(scene())


def test_a_pool_that_stops_ends_what_runs(tmp_path):
    async def scene():
        async with working(tmp_path, 1) as (pool, ((job, _, _),)):
            waiting = asyncio.create_task(pool.run("niceness"))
            await asyncio.sleep(0)
            pool.stop()
            assert (await job).status == 503
            assert (await waiting).status == 503

    asyncio.run(scene())


def test_a_process_that_falls_is_one_sentence_and_another_follows():
    async def scene():
        pool = Pool(desk="waiting_desk")
        try:
            assert (await pool.run("falls")).status == 503
            assert await pool.run("niceness") == polite()
        finally:
            pool.stop()

    asyncio.run(scene())


def test_what_waits_for_its_turn_too_long_is_told_so(tmp_path):
    async def scene():
        async with working(tmp_path, 1, deadline=0.01) as (pool, _):
            assert (await pool.run("niceness")).status == 503

    asyncio.run(scene())


def test_a_defect_is_one_sentence_and_in_the_log(caplog):
    assert run("waiting_desk", "defect", ()) == Refused(500, run("waiting_desk", "defect", ()).text)
    assert "ZeroDivisionError" in caplog.text


@pytest.mark.parametrize(
    "text", [b"", b"{", b"\xff", b'{"score":{"notes":1}}', b"[" * 100_000, b'{"recipe":"\\ud800"}']
)
def test_bodies_are_read_where_the_work_is_done(text):
    answer = run("waiting_desk", "until", (Sent("Replay", text),))
    assert answer.status == 422
    assert "expected" in answer.text


def test_the_server_reads_no_body_itself():
    """No route has a body that FastAPI would parse: ten megabytes of JSON hold the event loop for half a second."""
    found = [route for route in routes(None, None, None).routes if "POST" in route.methods]
    assert {route.path for route in found} == {*SHAPES, "/api/read"}
    assert all(route.body_field is None for route in found)
