"""Several workers on one queue: what each serves, one more, and one after the other replaced under load."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from bot.config import Config, load
from bot.errors import ConfigError
from bot.plugins import Loaded, Plugins, chosen
from bot.store.queue import Finished, Update
from bot.testing import wait_until
from tests.worker.conftest import Jobs, Log, Start
from tests.worker.drill import Beat, Done, Plugin, Sing

Serving = Callable[..., Awaitable[None]]


def pid_of(update: Update) -> int:
    assert isinstance(update, Finished), update
    return Done.model_validate_json(update.result).pid


async def test_one_more_worker_serves_what_no_other_does(jobs: Jobs, start: Start, serving: Serving) -> None:
    drums = start(models=["drum"])
    await serving(1)
    assert await jobs.queue.served() == {"beat", "beat:drum"}
    await jobs.submit(Sing(name="song"))
    await jobs.submit(Beat(name="beat"))
    assert pid_of(await jobs.ended("beat")) == drums.pid
    choir = start(models=["choir"])
    assert pid_of(await jobs.ended("song")) == choir.pid


def test_a_model_that_nobody_brings_is_a_sentence(tmp_path: Path) -> None:
    def config(name: str) -> Config:
        (tmp_path / "bot.toml").write_text(f'[worker]\nmodels = ["{name}"]\n')
        return load(tmp_path / "bot.toml")

    plugins = Plugins([Loaded("drill", Plugin(), version="1")], "model")
    [(plugin, model)] = chosen(config("choir"), plugins)
    assert (plugin, model.name) == ("drill", "choir")
    with pytest.raises(ConfigError, match=r"bot.toml:2: worker.models: expected models .* \(absent, choir, .*\), found flute"):
        chosen(config("flute"), plugins)


async def test_a_rolling_restart_loses_nothing_and_does_nothing_twice(jobs: Jobs, start: Start, log: Log, serving: Serving) -> None:
    old = [start(8.0), start(8.0)]
    await serving(2)
    names: list[str] = []
    over = asyncio.Event()

    async def ask(tenant: str) -> None:
        while not over.is_set():
            name = f"{tenant}{len(names)}"
            names.append(name)
            await jobs.submit(Beat(name=name, steps=8), tenant=tenant)
            assert isinstance(await jobs.ended(name), Finished)

    asking = [asyncio.create_task(ask(tenant)) for tenant in "abcdef"]
    for process in old:
        start(8.0)
        await serving(3)
        process.terminate()
        assert await asyncio.to_thread(process.wait, 30) == 0
    over.set()
    await asyncio.gather(*asking)
    assert sorted(log.names("start")) == sorted(log.names("end")) == sorted(names)


@pytest.mark.alone
async def test_what_does_not_end_in_time_is_handed_over_at_once(jobs: Jobs, start: Start, log: Log, serving: Serving) -> None:
    hold = jobs.hold("1")
    workers = {process.pid: process for process in (start(8.0, drain=0.2), start(8.0, drain=0.2))}
    await serving(2)
    await jobs.submit(Beat(name="1", hold=str(hold)))
    [(_, pid)] = await wait_until(log.runs)
    told = time.monotonic()
    workers[pid].terminate()
    await wait_until(lambda: len(log.runs()) == 2)
    took = time.monotonic() - told
    assert workers[pid].wait(10) == 0
    hold.unlink()
    assert pid_of(await jobs.ended("1")) != pid
    assert 0.2 <= took < 2.0, "nobody waits for a lease of eight seconds"
