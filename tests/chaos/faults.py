"""What goes wrong with our processes, their store and the way to it, in an order that follows from a seed; and how long it takes until
others have taken over. What goes wrong with chat platforms: `platforms.py`."""

from __future__ import annotations

import asyncio
import random
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import cast

import psutil
from redis.asyncio import Redis
from redis.exceptions import RedisError

from bot.store.keys import Keys
from bot.testing import wait_until
from tests.chaos.house import CLOCKS, House
from tests.chaos.platforms import Kinds, Platforms
from tests.chaos.proxy import Pair, Proxy

EVERY = 0.5
"""Seconds between two faults, on average."""

GENTLY = 3.0
"""The same where nothing but restarts happens."""

RESTARTS = ("router told to stop", "worker told to stop", "store told to stop")

QUIET = 16
"""Faults between two deaths that are left alone, so that it can be seen how long it takes until others have taken over."""

CALM = 5.0
"""Seconds in which those that died before are up again."""

PATIENCE = 60.0
"""Seconds in which all are there, and one of them has something to do."""

LAPSED = 9.0
"""Seconds after which nobody counts any more who said nothing meanwhile."""

LONGEST = 30.0
"""Seconds after which nobody is going to take over any more."""


@dataclass
class Recovery:
    """Seconds from the death of a process until what it held is in other hands, where no other fault came between."""

    router: list[float] = field(default_factory=list)
    worker: list[float] = field(default_factory=list)


class Faults:
    """All that can go wrong, one thing beside the other. Methods say whether there was anything that it could happen to."""

    def __init__(self, house: House, proxy: Proxy, admin: Redis, keys: Keys, seed: int, platforms: Platforms, *, gentle: bool) -> None:
        """`gentle`: processes are told to stop, and nothing else happens."""
        self.counts: Counter[str] = Counter()
        self.recovery = Recovery()
        self.store_kills: list[float] = []
        """When, in seconds since 1970."""
        self._house = house
        self._proxy = proxy
        self._platforms = platforms
        self._admin = admin
        self._keys = keys
        self._gentle = gentle
        self._rng = random.Random(f"{seed} faults")
        self._under_way: set[asyncio.Task[None]] = set()
        self._store = asyncio.Lock()
        self._kinds: Kinds = platforms.kinds | {
            "worker killed": (2, lambda: self._kill("worker")),
            "worker and warden killed": (1, lambda: self._kill("worker", warden=True)),
            "worker halted": (2, lambda: self._halt("worker")),
            "router killed": (2, lambda: self._kill("router")),
            "router halted": (2, lambda: self._halt("router")),
            "router told to stop": (2, lambda: self._stop("router")),
            "worker told to stop": (2, lambda: self._stop("worker")),
            "weights unreadable": (1, self._weights),
            "store full": (2, self._store_full),
            "store's disk full": (2, self._disk_full),
            "store demoted": (2, self._store_demoted),
            "store's clock set": (2 if CLOCKS else 0, self._clock),
            "store told to stop": (1, lambda: self._store_away(signal.SIGTERM)),
            "store killed": (2, lambda: self._store_away(signal.SIGKILL)),
            "store halted": (2, self._store_halted),
            "clients killed": (5, self._clients_killed),
            "scripts flushed": (5, self._scripts_flushed),
            "requests lost": (8, lambda: self._trouble("lose request")),
            "replies lost": (8, lambda: self._trouble("lose reply")),
            "connections cut": (6, lambda: self._hit(Pair.cut)),
            "connections half closed": (6, lambda: self._hit(lambda pair: pair.client.write_eof())),
            "connections silent": (3, lambda: self._trouble("silence")),
            "network slow": (5, self._slow),
        }

    async def happen(self, until: float, least: int = 0) -> None:
        """One after the other, until this moment of the monotonic clock, and until there were so many."""
        names = [name for name in self._kinds if name in RESTARTS or not self._gentle]
        weights = [self._kinds[name][0] for name in names]
        number = 0
        while time.monotonic() < until or self.counts.total() < least:
            await asyncio.sleep(self._rng.expovariate(1 / (GENTLY if self._gentle else EVERY)))
            number += 1
            if number % QUIET == 0 and not self._gentle:
                await self._observed(self._rng.choice(("router", "worker")), warden=self._rng.random() < 0.5)
                continue
            [name] = self._rng.choices(names, weights)
            self._under_way.add(task := asyncio.create_task(self._do(name)))
            task.add_done_callback(self._under_way.discard)
        await asyncio.gather(*self._under_way)
        self._heal()

    def _heal(self) -> None:
        self._proxy.heal()
        self._platforms.heal()

    async def _do(self, name: str) -> None:
        with suppress(RedisError, OSError):
            if await self._kinds[name][1]():
                self.counts[name] += 1

    async def _observed(self, kind: str, *, warden: bool) -> None:
        """Waits until all is well, kills one, and sees how long the others take."""
        await asyncio.gather(*self._under_way)
        self._heal()
        await asyncio.sleep(CALM)
        try:
            await wait_until(lambda: self._all_there(kind), PATIENCE)
            victim = cast("subprocess.Popen[bytes]", await wait_until(lambda: self._busy(kind), PATIENCE))
        except AssertionError:  # a machine on which they do not come up shows nothing
            return
        began = time.monotonic()
        self._house.kill(victim, warden=warden)
        self.counts[f"{kind} and warden killed" if kind == "worker" and warden else f"{kind} killed"] += 1
        held = await self._held(kind, victim.pid)
        while held and time.monotonic() < began + LONGEST:
            await asyncio.sleep(0.02)
            held &= await self._held(kind, victim.pid)
        (self.recovery.router if kind == "router" else self.recovery.worker).append(time.monotonic() - began)

    async def _all_there(self, kind: str) -> bool:
        """Whether all are at work: what died before is not counted among them any more."""
        living = self._house.living(kind)
        with suppress(RedisError, OSError, psutil.Error):
            steady = all(time.time() - psutil.Process(process.pid).create_time() > LAPSED for process in living)
            seconds, _ = await self._admin.time()
            there = self._keys.routers() if kind == "router" else self._keys.workers()
            return steady and len(living) == 2 == await self._admin.zcount(there, seconds * 1000, "+inf")
        return False

    async def _busy(self, kind: str) -> subprocess.Popen[bytes] | None:
        """One that holds something."""
        with suppress(RedisError, OSError):
            for process in self._house.living(kind):
                if await self._held(kind, process.pid):
                    return process
        return None

    async def _held(self, kind: str, pid: int) -> set[bytes]:
        """The tickets or jobs that run in a process."""
        leases, key = (self._keys.ticket_leases(), "ticket") if kind == "router" else (f"{self._keys.prefix}:leases:jobs", "job")
        held: set[bytes] = set()
        for id in cast("list[bytes]", await self._admin.zrange(leases, 0, -1)):
            owner = cast("bytes | None", await self._admin.hget(f"{self._keys.prefix}:{key}:{id.decode()}", "owner"))
            if owner and str(pid) in owner.decode().replace(".", ":").split(":"):
                held.add(id)
        return held

    def _one(self, kind: str) -> subprocess.Popen[bytes] | None:
        living = self._house.living(kind)
        return self._rng.choice(living) if living else None

    async def _kill(self, kind: str, *, warden: bool = False) -> bool:
        victim = self._one(kind)
        if victim is not None:
            self._house.kill(victim, warden=warden)
        return victim is not None

    async def _stop(self, kind: str) -> bool:
        """As a new release does."""
        victim = self._one(kind)
        if victim is not None:
            victim.send_signal(signal.SIGTERM)
        return victim is not None

    async def _weights(self) -> bool:
        """A worker that begins anew meanwhile cannot load its model."""
        self._house.broken.touch()
        await self._kill("worker")
        await asyncio.sleep(6.0)
        self._house.broken.unlink()
        return True

    async def _halt(self, kind: str) -> bool:
        """For longer than a ticket's lease, or a moment; others go wrong meanwhile."""
        victim, seconds = self._one(kind), self._rng.choice((0.5, 2.0, 5.0, 10.0))
        if victim is None:
            return False
        victim.send_signal(signal.SIGSTOP)
        asyncio.get_running_loop().call_later(seconds, _go_on, victim)
        return True

    async def _store_away(self, how: signal.Signals) -> bool:
        assert self._house.store is not None
        away = self._rng.choice((0.0, 0.5, 2.0, 6.0))
        async with self._store:
            self._house.store.send_signal(how)
            if how == signal.SIGKILL:
                self.store_kills.append(time.time())
            await asyncio.to_thread(self._house.store.wait)
            await asyncio.sleep(away)
            await self._house.start_store()
        return True

    async def _store_halted(self) -> bool:
        away = self._rng.choice((0.2, 1.0, 4.0))
        async with self._store:
            assert self._house.store is not None
            self._house.store.send_signal(signal.SIGSTOP)
            try:
                await asyncio.sleep(away)
            finally:
                self._house.store.send_signal(signal.SIGCONT)
        return True

    async def _store_full(self) -> bool:
        return await self._refusing(lambda: self._admin.config_set("maxmemory", "1mb"), lambda: self._admin.config_set("maxmemory", "0"))

    async def _store_demoted(self) -> bool:
        """To a replica of nobody: it answers READONLY, as after a failover."""
        return await self._refusing(lambda: self._admin.replicaof("127.0.0.1", "1"), lambda: self._admin.replicaof("NO", "ONE"))

    async def _disk_full(self) -> bool:
        """It can write nothing to its file, and says so."""

        async def limit(most: int) -> None:
            assert self._house.store is not None
            psutil.Process(self._house.store.pid).rlimit(psutil.RLIMIT_FSIZE, (most, psutil.RLIM_INFINITY))

        return await self._refusing(lambda: limit(1), lambda: limit(psutil.RLIM_INFINITY))

    async def _refusing(self, begin: Callable[[], Awaitable[object]], end: Callable[[], Awaitable[object]]) -> bool:
        """Nobody kills it meanwhile: what it could not write down would be gone."""
        async with self._store:
            try:
                await begin()
                await asyncio.sleep(self._rng.choice((0.5, 2.0, 4.0)))
            finally:
                await wait_until(lambda: self._done(end), LONGEST)
        return True

    async def _done(self, what: Callable[[], Awaitable[object]]) -> bool:
        with suppress(RedisError, OSError):
            await what()
            return True
        return False

    async def _clock(self) -> bool:
        self._house.clock(self._rng.choice((-3600, 0, 3600)))
        return True

    async def _clients_killed(self) -> bool:
        return bool(await self._admin.client_kill_filter(_type="normal", skipme=True))

    async def _scripts_flushed(self) -> bool:
        return bool(await self._admin.script_flush())

    async def _trouble(self, trouble: str) -> bool:
        return await self._hit(lambda pair: setattr(pair, "trouble", trouble))

    async def _hit(self, what: Callable[[Pair], None]) -> bool:
        return self._proxy.hit(what, self._rng.choice((0.0, 0.3, 1.0))) > 0

    async def _slow(self) -> bool:
        self._proxy.delay = self._rng.choice((0.02, 0.1, 0.5))
        try:
            await asyncio.sleep(self._rng.choice((0.5, 2.0)))
        finally:
            self._proxy.delay = 0.0
        return True


def _go_on(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        process.send_signal(signal.SIGCONT)
