"""Models whose work another program does, over HTTP on loopback: several jobs at once beside the device, or in turns with it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator

import pytest

from bot.config import Config
from bot.errors import ConfigError
from bot.store.queue import Broken, Finished
from bot.tables import WorkerTable
from bot.testing import wait_until
from bot.worker.app import _hands
from tests.worker.conftest import Jobs, Log, Start
from tests.worker.drill import Beat, Drum
from tests.worker.endpoint import Ask, Endpoint, Server, Share

Serving = Callable[..., Awaitable[None]]


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, log: Log) -> Iterator[Server]:
    monkeypatch.setenv("DRILL_LOG", str(log.path))
    server = Server()
    monkeypatch.setenv("DRILL_ENDPOINT", server.url)
    yield server
    server.shutdown()
    server.server_close()


async def test_jobs_of_an_endpoint_run_at_once_whatever_their_batch_and_beside_the_device(
    jobs: Jobs, start: Start, log: Log, server: Server
) -> None:
    hold = jobs.hold("all")
    start(60.0)
    await jobs.submit(Beat(name="beat", hold=str(hold)))
    await wait_until(log.runs, 30.0)
    for name in "abcd":
        await jobs.submit(Ask(name=name, hold=str(hold), key=name))
    await wait_until(lambda: server.singing == {"a", "b", "c"})
    await jobs.queue.cancel("t-b")
    await wait_until(lambda: server.singing == {"a", "c", "d"})
    assert server.hung_up == ["b"]
    hold.unlink()
    for name in ("a", "c", "d", "beat"):
        assert isinstance(await jobs.ended(name), Finished)
    assert isinstance(await jobs.ended("b"), Broken)
    assert server.most == 3
    assert "http-release endpoint" not in log.path.read_text(), "no other model is in its way"


async def test_a_worker_without_a_device_serves_endpoints_alone(jobs: Jobs, start: Start, serving: Serving, server: Server) -> None:
    start(60.0, device="remote")
    await serving(1)
    assert await jobs.queue.served() == {"ask", "ask:endpoint"}
    await jobs.submit(Ask(name="a"))
    assert isinstance(await jobs.ended("a"), Finished)


def test_a_worker_without_a_device_and_without_endpoints_is_a_sentence() -> None:
    config = Config(worker=WorkerTable(device="remote"))
    with pytest.raises(ConfigError, match=r'worker.device = "remote": expected a model whose work is done elsewhere, found drum'):
        _hands(config, [Drum()], {})
    assert [hand.kind for hand in _hands(config, [Drum(), Endpoint("")], {})] == ["remote"]


async def test_an_endpoint_that_shares_the_device_takes_turns_with_it_and_gives_its_memory_back(
    jobs: Jobs, start: Start, log: Log, serving: Serving, server: Server
) -> None:
    hold = jobs.hold("song")
    worker = start(60.0, models=["drum", "sharing"])
    await serving(1)
    await wait_until(lambda: log.names("load") == ["drum"])  # nobody waits, so it is there before it is needed
    for name in "ab":
        await jobs.submit(Share(name=name, hold=str(hold), key=name))
    await wait_until(lambda: server.singing == {"a", "b"})
    await jobs.submit(Beat(name="beat"))
    assert log.names() == [], "the device is busy"
    hold.unlink()
    assert isinstance(await jobs.ended("beat"), Finished)
    await jobs.submit(Share(name="c"))
    assert isinstance(await jobs.ended("c"), Finished)
    worker.terminate()
    worker.wait(20)
    did = [(what, name) for what, name, _ in (line.split() for line in log.path.read_text().splitlines())]
    assert sorted(did[4:6]) == [("http-sing", "a"), ("http-sing", "b")]
    assert did[:4] + did[6:] == [
        ("http-release", "sharing"),  # whatever a worker that died has left
        ("load", "drum"),
        ("unload", "drum"),
        ("http-load", "sharing"),
        ("http-release", "sharing"),
        ("load", "drum"),
        ("start", "beat"),
        ("end", "beat"),
        ("unload", "drum"),
        ("http-load", "sharing"),
        ("http-sing", "c"),
        ("http-release", "sharing"),
    ]
