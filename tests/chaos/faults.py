"""What goes wrong, in an order that follows from a seed, and how long it takes until others have taken over."""

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

from redis.asyncio import Redis
from redis.exceptions import RedisError

from bot.store.keys import Keys
from tests.chaos.house import House
from tests.chaos.proxy import Pair, Proxy

EVERY = 0.5
"""Seconds between two faults, on average."""

QUIET = 16
"""Faults between two deaths that are left alone, so that it can be seen how long it takes until others have taken over."""

CALM = 5.0
"""Seconds in which those that died before are up again."""

LONGEST = 30.0
"""Seconds after which nobody is going to take over any more."""


@dataclass
class Recovery:
    """Seconds from the death of a process until what it held is in other hands, where no other fault came between."""

    router: list[float] = field(default_factory=list)
    worker: list[float] = field(default_factory=list)


class Faults:
    """All that can go wrong, one thing beside the other. Methods say whether there was anything that it could happen to."""

    def __init__(self, house: House, proxy: Proxy, admin: Redis, keys: Keys, seed: int) -> None:
        self.counts: Counter[str] = Counter()
        self.recovery = Recovery()
        self.store_kills: list[float] = []
        """When, in seconds since 1970."""
        self._house = house
        self._proxy = proxy
        self._admin = admin
        self._keys = keys
        self._rng = random.Random(f"{seed} faults")
        self._under_way: set[asyncio.Task[None]] = set()
        self._store = asyncio.Lock()
        self._kinds: dict[str, tuple[int, Callable[[], Awaitable[bool]]]] = {
            "worker killed": (2, lambda: self._kill("worker")),
            "worker and warden killed": (1, lambda: self._kill("worker", warden=True)),
            "worker halted": (2, lambda: self._halt("worker")),
            "router killed": (2, lambda: self._kill("router")),
            "router halted": (2, lambda: self._halt("router")),
            "store killed": (2, self._store_killed),
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

    async def happen(self, until: float) -> None:
        """One after the other, until this moment of the monotonic clock."""
        names, weights = list(self._kinds), [weight for weight, _ in self._kinds.values()]
        number = 0
        while time.monotonic() < until:
            await asyncio.sleep(self._rng.expovariate(1 / EVERY))
            number += 1
            if number % QUIET == 0:
                await self._observed(self._rng.choice(("router", "worker")), warden=self._rng.random() < 0.5)
                continue
            [name] = self._rng.choices(names, weights)
            self._under_way.add(task := asyncio.create_task(self._do(name)))
            task.add_done_callback(self._under_way.discard)
        await asyncio.gather(*self._under_way)

    async def _do(self, name: str) -> None:
        with suppress(RedisError, OSError):
            if await self._kinds[name][1]():
                self.counts[name] += 1

    async def _observed(self, kind: str, *, warden: bool) -> None:
        """Waits until all is well, kills one, and sees how long the others take."""
        await asyncio.gather(*self._under_way)
        self._proxy.heal()
        await asyncio.sleep(CALM)
        victim = await self._busy(kind)
        if victim is None:
            return
        began = time.monotonic()
        self._house.kill(victim, warden=warden)
        self.counts[f"{kind} and warden killed" if kind == "worker" and warden else f"{kind} killed"] += 1
        held = await self._held(kind, victim.pid)
        while held and time.monotonic() < began + LONGEST:
            await asyncio.sleep(0.02)
            held &= await self._held(kind, victim.pid)
        (self.recovery.router if kind == "router" else self.recovery.worker).append(time.monotonic() - began)

    async def _busy(self, kind: str) -> subprocess.Popen[bytes] | None:
        """One that holds something, as soon as there is one."""
        deadline = time.monotonic() + 20.0
        while time.monotonic() < deadline:
            with suppress(RedisError, OSError):
                for process in self._house.living(kind):
                    if await self._held(kind, process.pid):
                        return process
            await asyncio.sleep(0.02)
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

    async def _halt(self, kind: str) -> bool:
        """For longer than a ticket's lease, or a moment; others go wrong meanwhile."""
        victim, seconds = self._one(kind), self._rng.choice((0.5, 2.0, 5.0, 10.0))
        if victim is None:
            return False
        victim.send_signal(signal.SIGSTOP)
        asyncio.get_running_loop().call_later(seconds, _go_on, victim)
        return True

    async def _store_killed(self) -> bool:
        assert self._house.store is not None
        away = self._rng.choice((0.0, 0.5, 2.0, 6.0))
        async with self._store:
            self._house.store.kill()
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
