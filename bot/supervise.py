"""Runs the embedded Valkey, a router and a worker: restarts what dies, leaves nothing behind. What these do: `cli/processes.py`."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import structlog

from bot import guard
from bot.config import CHOICE, Config
from bot.errors import StoreError
from bot.exits import AWAY, BLOCKED, FAULT, LOST
from bot.locking import lock
from bot.store import embedded

SHORTEST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
"""Seconds before something that died is started again; doubled each time."""

STEADY = 60.0
"""Seconds of life after which the pause is short again."""

WHY = {LOST: "a worker lost its device", BLOCKED: "a plugin blocked the router, which goes on without it"}

ROUTER, WORKER, BRING = "router", "worker", "bring"

STORE, WORKERS = 0, 1
"""Levels of the guard: the store goes last."""

log = structlog.get_logger(__name__)


class Guard:
    """Our end of the process that ends the others. `held` is a lock that stays held until it has done so; they get `grace` seconds."""

    def __init__(self, held: int, grace: float = guard.GRACE) -> None:
        command = [sys.executable, "-I", "-S", guard.__file__, str(grace)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, text=True, start_new_session=True, pass_fds=(held,))

    def watch(self, level: int, pid: int) -> None:
        """From now on it ends this process."""
        self._say(f"watch {level} {pid}")

    def forget(self, pid: int) -> None:
        """The process is gone already."""
        self._say(f"forget {pid}")

    def _say(self, line: str) -> None:
        assert self._process.stdin is not None
        try:
            print(line, file=self._process.stdin, flush=True)
        except BrokenPipeError:  # somebody killed it: the children are still ours to end
            log.error("the guard is gone; a kill -9 would leave processes behind until the next start")

    async def end(self) -> None:
        """Has it end everything, and waits for that."""
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        await asyncio.to_thread(self._process.wait)


class Instance:
    """What runs in one data directory. In `develop`ment a process that cannot start waits for what is wrong to be changed."""

    def __init__(self, config: Config, guard_: Guard, environ: Mapping[str, str], develop: bool = False) -> None:
        self.link: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        """What the router announces when it is ready for the first time."""
        self.failed: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        """The exit code of a child that will not come up."""
        self.again: asyncio.Future[list[str]] = asyncio.get_running_loop().create_future()
        """The models to bring, once somebody who changed the configuration wants everything started anew."""
        self._config = config
        self._guard = guard_
        self._environ = {**os.environ, **environ, CHOICE: str(config.source.path.resolve())}
        self._develop = develop
        self._changed = {name: asyncio.Event() for name in (ROUTER, WORKER)}
        self._processes: dict[str, asyncio.subprocess.Process] = {}

    async def keep_store(self, process: subprocess.Popen[bytes]) -> None:
        """Starts the embedded Valkey again when it dies, and as often as it takes."""
        pause, running = Pause(), process
        while True:
            self._guard.watch(STORE, running.pid)
            code = await asyncio.to_thread(running.wait)
            self._guard.forget(running.pid)
            log.error("the embedded Valkey died", code=code)
            running = await self._store_again(pause)

    async def _store_again(self, pause: Pause) -> subprocess.Popen[bytes]:
        while True:
            await pause.after()
            try:
                return await asyncio.to_thread(embedded.start, self._config.data_dir)
            except (StoreError, OSError) as error:  # a full disk, say; without a store nothing else can go on
                log.error("the embedded Valkey does not start", fault=str(error), seconds=pause.seconds)

    async def keep(self, name: str, options: Sequence[str] = ()) -> None:
        """Runs `hobnob NAME` again and again, until it says that the operator must act.

        One that has been at work before is tried again all the same: a store without room, say, may find some.
        """
        pause, worked, changed = Pause(), False, self._changed[name]
        while True:
            began = time.monotonic()
            changed.clear()
            code = await self._run_once(name, options)
            worked = worked or time.monotonic() - began > STEADY
            if code in (FAULT, AWAY) and self._develop:
                log.error("this does not start; it is tried again when it has changed", name=name)
                await changed.wait()
            if changed.is_set():
                continue
            if code in (FAULT, AWAY) and not worked:
                if not self.failed.done():
                    self.failed.set_result(code)
                return
            what = WHY.get(code, "a process died")
            log.error(f"{what} and is started again", name=name, code=code, seconds=pause.seconds)
            await pause.after()

    def renew(self, name: str) -> None:
        """Ends a process and starts it again at once, because what it runs has changed. What it was at work on goes on."""
        self._changed[name].set()
        if (process := self._processes.get(name)) is not None:
            process.terminate()

    async def bring(self, models: Sequence[str]) -> None:
        """Runs `hobnob bring` until these models are here; a worker that runs already then begins anew."""
        while await self._run_once(BRING, models):
            log.error("not all models are here; they are tried again", seconds=LONGEST_PAUSE)
            await asyncio.sleep(LONGEST_PAUSE)
        self.renew(WORKER)

    async def _run_once(self, name: str, options: Sequence[str]) -> int:
        reading, writing = os.pipe()
        try:
            process = await asyncio.create_subprocess_exec(
                *(
                    sys.executable,
                    "-m",
                    "bot.cli",
                    name,
                    "--patience",
                    str(embedded.START_SECONDS),
                    *options,
                    *(("--announce", str(writing)) if name == ROUTER else ()),
                ),
                env=self._environ,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
                pass_fds=(writing,),
            )
        except BaseException:
            os.close(reading)
            raise
        finally:
            os.close(writing)
        self._guard.watch(WORKERS, process.pid)
        self._processes[name] = process
        hearing = asyncio.create_task(self._hear(reading))
        try:
            code = await process.wait()
        finally:
            hearing.cancel()
        del self._processes[name]
        self._guard.forget(process.pid)
        return code

    async def _hear(self, reading: int) -> None:
        """Takes what a router announces: that it is ready, of which only the first counts, and that everything is to begin anew."""
        stream = asyncio.StreamReader()
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(stream), os.fdopen(reading, "rb")
        )
        try:
            async for line in stream:
                said = json.loads(line)
                if "link" in said and not self.link.done():
                    self.link.set_result(said["link"])
                if "again" in said and not self.again.done():
                    self.again.set_result(said["again"])
        finally:
            transport.close()

    def kill(self) -> None:
        """Ends router and worker now, for somebody who asks twice; nothing is lost, it only takes longer to go on."""
        for process in self._processes.values():
            with contextlib.suppress(ProcessLookupError):
                process.kill()


class Pause:
    """How long to wait before the next start."""

    def __init__(self) -> None:
        self.seconds = SHORTEST_PAUSE
        self._began = time.monotonic()

    async def after(self) -> None:
        """Waits, longer each time, unless what died had been steady."""
        if time.monotonic() - self._began > STEADY:
            self.seconds = SHORTEST_PAUSE
        await asyncio.sleep(self.seconds)
        self.seconds = min(self.seconds * 2, LONGEST_PAUSE)
        self._began = time.monotonic()


@asynccontextmanager
async def running(
    config: Config,
    *,
    pages: bool = True,
    environ: Mapping[str, str] | None = None,
    develop: bool = False,
    bring: Sequence[str] = (),
    wait: bool = False,
) -> AsyncIterator[Instance]:
    """All that an installation needs, in this data directory; at the end all of it is stopped, the store last.

    Meanwhile it brings the models `bring`; the worker waits for them where it is to `wait`, and else begins anew when they are here.
    Raises StoreError when it runs already, or the embedded Valkey does not start.
    """
    with lock(config.data_dir) as held:
        guard_ = Guard(held.fileno(), guard.GRACE + config.worker.drain)
        instance = Instance(config, guard_, environ or {}, develop)
        tasks: list[asyncio.Task[None]] = []
        try:
            if config.redis.url is None:
                await asyncio.to_thread(embedded.stop, config.data_dir)  # two servers must never write one append-only file
            tasks.append(asyncio.create_task(instance.keep(ROUTER, [] if pages else ["--no-pages"])))
            bringing = asyncio.create_task(instance.bring(bring) if bring else asyncio.sleep(0))
            tasks += [bringing, asyncio.create_task(_after(bringing if wait else None, instance.keep(WORKER)))]
            if config.redis.url is None:  # while the others import what they need
                store = await asyncio.to_thread(embedded.start, config.data_dir)
                tasks.append(asyncio.create_task(instance.keep_store(store)))
            yield instance
        finally:
            for task in tasks:
                task.cancel()
            await guard_.end()
            instance.kill()
            await asyncio.gather(*tasks, return_exceptions=True)


async def _after(first: asyncio.Task[None] | None, then: Coroutine[Any, Any, None]) -> None:
    try:
        if first is not None:
            await asyncio.wait([first])
        await then
    finally:
        then.close()


class Stop:
    """Set by the first signal to stop; a second one calls `hurry`."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.hurry: Callable[[], None] = lambda: None

    def ask(self) -> None:
        """A signal came."""
        if self.asked.is_set():
            self.hurry()
        self.asked.set()


@contextmanager
def stopping() -> Iterator[Stop]:
    """Listens for SIGINT, SIGTERM and SIGHUP while the block runs."""
    loop, stop = asyncio.get_running_loop(), Stop()
    signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    for one in signals:
        loop.add_signal_handler(one, stop.ask)
    try:
        yield stop
    finally:
        for one in signals:
            loop.remove_signal_handler(one)
