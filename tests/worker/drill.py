"""A worker process for tests, with models that wait, hold the interpreter or die on demand; each run is a line in a log."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any, ClassVar

from pydantic import SecretStr

from bot.config import Config
from bot.hookspecs import hookimpl
from bot.jobs import Job, Result, TextSoFar
from bot.models import Batch, Memory, Model, Placement, Work
from bot.plugins import Loaded, Plugins
from bot.store.keys import Keys
from bot.tables import RedisTable
from bot.worker import app

STEP = 0.005


class Done(Result):
    """Who did it, and with which others in the same turn."""

    pid: int
    beside: int = 0


class Beat(Job[Done]):
    """Runs alone for `steps`, and while the file `hold` exists; `gil` seconds of it with the interpreter locked; `die` ends the process.

    `fault` is raised as a model library would, while `hold` exists; `needs` parts of a memory of two.
    """

    kind: ClassVar[str] = "beat"
    timeout: ClassVar[float] = 60.0
    deadline: ClassVar[float] = 60.0

    name: str
    hold: str = ""
    steps: int = 0
    gil: float = 0.0
    die: bool = False
    fault: str = ""
    needs: int = 0


class Brief(Beat):
    """May run for less than a second."""

    kind: ClassVar[str] = "brief"
    timeout: ClassVar[float] = 0.6


class Sing(Beat):
    """Runs with others."""

    kind: ClassVar[str] = "sing"


def note(what: str, name: str) -> None:
    """One line of the log that tests read."""
    with Path(os.environ["DRILL_LOG"]).open("a") as log:
        log.write(f"{what} {name} {os.getpid()}\n")


class Drill(Model[Beat, Done]):
    """What the models have in common."""

    def memory(self) -> Memory:
        return Memory(1)

    def load(self, placement: Placement) -> None:
        note("load", self.name)

    def unload(self) -> None:
        note("unload", self.name)

    def begin(self, work: Work[Beat, Done]) -> None:
        note("start", work.job.name)
        if work.job.die:
            os.kill(os.getpid(), signal.SIGKILL)
        if work.job.gil:
            ctypes.PyDLL(None).usleep(round(work.job.gil * 1e6))  # unlike CDLL, it keeps the interpreter locked
        if work.job.fault and Path(work.job.hold).exists():
            raise RuntimeError(work.job.fault)


def goes_on(work: Work[Beat, Done], done: int) -> bool:
    """After so many steps."""
    return not work.cancelled and (done < work.job.steps or bool(work.job.hold and Path(work.job.hold).exists()))


class Drum(Drill):
    """One job at a time."""

    name = "drum"
    job = Beat

    def run(self, batch: Batch[Beat, Done]) -> None:
        for work in batch:
            self.begin(work)
            count = 0
            while goes_on(work, count):
                count += 1
                work.emit(TextSoFar(text=f"{count}"))
                time.sleep(STEP)
            note("dropped" if work.cancelled else "end", work.job.name)
            work.finish(Done(pid=os.getpid()))


class Whistle(Drum):
    """The same for those in a hurry."""

    name = "whistle"
    job = Brief


class Choir(Drill):
    """Up to four at a time, which come and go."""

    name = "choir"
    job = Sing
    max_batch = 4

    def run(self, batch: Batch[Beat, Done]) -> None:
        active = list(batch)
        for work in active:
            self.begin(work)
        while active:
            for work in batch.join(self.max_batch - len(active)):
                self.begin(work)
                active.append(work)
            if sum(work.job.needs for work in active) > 2:
                raise RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB.")
            for work in [work for work in active if work.cancelled or not (work.job.hold and Path(work.job.hold).exists())]:
                note("dropped" if work.cancelled else "end", work.job.name)
                work.finish(Done(pid=os.getpid(), beside=len(active) - 1))
                active.remove(work)
            time.sleep(STEP)


class Absent(Drum):
    """Its weights were never brought."""

    name = "absent"
    weights = "whisper-base"


class Plugin:
    """Serves all of them."""

    @hookimpl
    def register_models(self) -> Iterable[Model[Any, Any]]:
        return [Drum(), Whistle(), Choir(), Absent(), *elsewhere()]


def elsewhere() -> list[Model[Any, Any]]:
    """The models of an endpoint, where there is one."""
    from tests.worker.endpoint import Endpoint, Sharing

    url = os.environ.get("DRILL_ENDPOINT")
    return [Endpoint(url), Sharing(url)] if url else []


def main(url: str, prefix: str, lease: str) -> int:
    """Works until it is told to stop."""
    plugins = Plugins([Loaded("drill", Plugin(), version="1")], "model")
    config = Config(redis=RedisTable(url=SecretStr(url)), data_dir=Path(os.environ["DRILL_LOG"]).parent)
    return app.main(config, plugins, keys=Keys(prefix), lease=float(lease))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
