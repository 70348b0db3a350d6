"""Real worker processes that are killed, stopped, blocked and told to go."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Awaitable, Callable

import psutil
import pytest

from bot.errors import JobCancelled, JobLost, JobTimedOut
from bot.jobs import TextSoFar
from bot.store.dead import DeadList
from bot.store.queue import LEASE as DEFAULT
from bot.store.queue import Broken, Finished, Shown, Update
from bot.testing import wait_until
from bot.worker.sending import PACE
from tests.worker.conftest import LEASE, Jobs, Log, Start
from tests.worker.drill import Beat, Brief, Done, Sing

LONG = LEASE * 4
"""A lease that a warden renews in time, although others use the machine; waits for it are as long as they must be."""

PATIENCE = 60.0

Serving = Callable[..., Awaitable[None]]


def done(update: Update) -> Done:
    assert isinstance(update, Finished), update
    return Done.model_validate_json(update.result)


def warden_of(process: subprocess.Popen[bytes]) -> psutil.Process:
    [child] = psutil.Process(process.pid).children()
    return child


@pytest.mark.alone
async def test_a_killed_workers_job_runs_again_within_ten_seconds_of_default_settings(jobs: Jobs, start: Start, log: Log) -> None:
    hold = jobs.hold("1")
    first, second = start(DEFAULT), start(DEFAULT)
    await jobs.submit(Beat(name="1", hold=str(hold)))
    [(_, pid)] = await wait_until(log.runs, PATIENCE)
    victim = next(process for process in (first, second) if process.pid == pid)
    for process in (warden_of(victim), psutil.Process(victim.pid)):
        process.kill()  # the warden too, as when a machine loses power
    victim.wait(10)
    killed = time.monotonic()
    await wait_until(lambda: len(log.runs()) == 2, 15.0)
    hold.unlink()
    assert done(await jobs.ended("1", PATIENCE)).pid != pid
    assert time.monotonic() - killed < 10.0
    assert await DeadList(jobs.queue._redis, jobs.queue._keys).all() == []


@pytest.mark.alone
async def test_a_warden_gives_a_dead_workers_jobs_away_at_once(jobs: Jobs, start: Start, log: Log, serving: Serving) -> None:
    hold = jobs.hold("1")
    workers = [start(DEFAULT), start(DEFAULT)]
    await serving(2)
    await jobs.submit(Beat(name="1", hold=str(hold)))
    [(_, pid)] = await wait_until(log.runs, PATIENCE)
    killed = time.monotonic()
    next(process for process in workers if process.pid == pid).kill()
    await wait_until(lambda: len(log.runs()) == 2, DEFAULT)
    assert time.monotonic() - killed < DEFAULT / 2
    hold.unlink()
    await jobs.ended("1", PATIENCE)


async def test_a_blocked_interpreter_keeps_its_job(jobs: Jobs, start: Start, log: Log, serving: Serving) -> None:
    start(LONG), start(LONG)
    await serving(2)
    await jobs.submit(Beat(name="1", gil=LONG * 1.25))
    done(await jobs.ended("1", PATIENCE))
    assert log.names() == ["1"]


async def test_a_halted_worker_is_killed_and_its_job_runs_elsewhere(jobs: Jobs, start: Start, log: Log, serving: Serving) -> None:
    hold = jobs.hold("1")
    workers = {process.pid: process for process in (start(), start())}
    await serving(2)
    await jobs.submit(Beat(name="1", hold=str(hold)))
    [(_, pid)] = await wait_until(log.runs, PATIENCE)
    os.kill(pid, signal.SIGSTOP)
    await wait_until(lambda: len(log.runs()) == 2, PATIENCE)
    assert workers[pid].wait(PATIENCE) == -signal.SIGKILL
    hold.unlink()
    assert done(await jobs.ended("1", PATIENCE)).pid != pid


async def test_a_job_that_outlives_its_timeout_takes_its_worker_down_and_does_not_run_again(jobs: Jobs, start: Start, log: Log) -> None:
    process = start(LONG)
    await jobs.submit(Brief(name="1", gil=LONG * 10))
    end = await jobs.ended("1", PATIENCE)
    assert isinstance(end, Broken)
    assert isinstance(end.error, JobTimedOut)
    assert process.wait(PATIENCE) == -signal.SIGKILL
    assert log.names() == ["1"]


async def test_a_job_that_kills_its_workers_is_given_up(jobs: Jobs, start: Start, log: Log, serving: Serving) -> None:
    workers = [start() for _ in range(4)]
    await serving(4)
    await jobs.submit(Beat(name="1", die=True))
    end = await jobs.ended("1", PATIENCE)
    assert isinstance(end, Broken)
    assert isinstance(end.error, JobLost)
    assert [process.wait(PATIENCE) for process in workers] == [-signal.SIGKILL] * 4
    assert [one.id for one in await DeadList(jobs.queue._redis, jobs.queue._keys).all()] == ["1"]


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM])
async def test_no_warden_outlives_its_worker(start: Start, serving: Serving, end: signal.Signals) -> None:
    process = start()
    await serving(1)
    await wait_until(psutil.Process(process.pid).children, PATIENCE)
    warden = warden_of(process)
    process.send_signal(end)
    process.wait(PATIENCE)
    await wait_until(lambda: not warden.is_running(), PATIENCE)


@pytest.mark.alone  # another warden must be there before the lease lapses
async def test_a_warden_that_dies_is_replaced(jobs: Jobs, start: Start, log: Log, serving: Serving) -> None:
    hold, lease = jobs.hold("1"), LEASE * 2
    process = start(lease)
    await serving(1)
    await jobs.submit(Beat(name="1", hold=str(hold)))
    await wait_until(log.runs, PATIENCE)
    warden_of(process).kill()
    began = time.monotonic()
    await wait_until(lambda: time.monotonic() - began > lease * 2)  # longer than a lease that nobody renews
    hold.unlink()
    done(await jobs.ended("1", PATIENCE))
    assert log.names() == ["1"]


@pytest.mark.alone
async def test_a_cancelled_job_is_dropped_at_its_next_step(jobs: Jobs, start: Start, log: Log) -> None:
    hold = jobs.hold("1")
    start()
    await jobs.submit(Beat(name="1", hold=str(hold)))
    await wait_until(log.runs, PATIENCE)
    await jobs.queue.cancel("t-1")
    end = await jobs.ended("1", PATIENCE)
    assert isinstance(end, Broken)
    assert isinstance(end.error, JobCancelled)
    assert await wait_until(lambda: log.names("dropped"), 1.0) == ["1"]


async def test_late_arrivals_join_a_turn_that_has_room(jobs: Jobs, start: Start, log: Log) -> None:
    hold = jobs.hold("all")
    start()
    for number in range(1, 5):
        await jobs.submit(Sing(name=f"{number}", hold=str(hold)))
        await wait_until(lambda number=number: len(log.names()) == number, 30.0)  # type: ignore[misc]  # a default binds the loop's value
    await jobs.submit(Sing(name="5", hold=str(hold)))
    assert log.names() == ["1", "2", "3", "4"], "there is room for four"
    hold.unlink()
    beside = [done(await jobs.ended(name)).beside for name in ("1", "2", "3", "4", "5")]
    assert max(beside) == 3


@pytest.mark.alone
async def test_an_idle_worker_is_woken_while_another_is_busy(jobs: Jobs, start: Start, log: Log, serving: Serving) -> None:
    """Who is busy must not take what wakes the idle: that cost up to five seconds."""
    hold = jobs.hold("long")
    start(), start()
    await serving(2)
    await jobs.submit(Beat(name="long", hold=str(hold)))
    await wait_until(log.runs, PATIENCE)
    for number in range(8):
        began = time.monotonic()
        await jobs.submit(Beat(name=f"{number}"))
        done(await jobs.ended(f"{number}"))
        assert time.monotonic() - began < 1.0
    hold.unlink()
    await jobs.ended("long")


async def test_no_job_runs_twice_among_several_workers(jobs: Jobs, start: Start, log: Log, serving: Serving) -> None:
    start(), start()
    await serving(2)
    names = [f"{number}" for number in range(120)]
    for name in names:
        await jobs.submit((Sing if int(name) % 2 else Beat)(name=name), tenant=f"s{int(name) % 9}")
    for name in names:
        done(await jobs.ended(name))
    assert sorted(log.names()) == sorted(names)


async def test_partials_come_at_a_pace_that_people_can_read(jobs: Jobs, start: Start, log: Log) -> None:
    hold = jobs.hold("1")
    start()
    await jobs.submit(Beat(name="1", hold=str(hold)))
    shown: list[tuple[float, str]] = []
    async for update in jobs.queue.follow("1"):
        if isinstance(update, Shown) and isinstance(update.partial, TextSoFar):
            shown.append((time.monotonic(), update.partial.text))
        if len(shown) == 10:
            hold.unlink(missing_ok=True)
    counts = [int(text) for _, text in shown]
    assert counts == sorted(set(counts))
    assert shown[9][0] - shown[0][0] > 9 * PACE * 0.9


async def test_a_model_whose_weights_are_missing_is_not_served_and_says_how_to_bring_them(
    jobs: Jobs, start: Start, serving: Serving, capfd: pytest.CaptureFixture[str]
) -> None:
    start()
    await serving(1)
    assert await jobs.queue.served() >= {"beat", "beat:drum", "sing", "sing:choir"}
    assert "beat:absent" not in await jobs.queue.served()
    assert "hobnob models pull whisper-base" in await wait_until(lambda: "".join(capfd.readouterr()))


async def test_jobs_that_shared_a_turn_with_a_crash_run_alone_afterwards(jobs: Jobs, start: Start, log: Log, serving: Serving) -> None:
    hold = jobs.hold("first")
    victim = start()
    await serving(1)
    await jobs.submit(Sing(name="first", hold=str(hold)))
    await wait_until(log.runs, PATIENCE)
    await jobs.submit(Sing(name="second", hold=str(hold)))
    await wait_until(lambda: len(log.runs()) == 2, PATIENCE)
    victim.kill()
    victim.wait(10)
    hold.unlink()
    start()
    assert [done(await jobs.ended(name)).beside for name in ("first", "second")] == [0, 0]
