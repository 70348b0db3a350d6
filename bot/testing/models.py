"""Models that say what a test has scripted, on the real queue. A Context without a queue: `ScriptedActs`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from redis.asyncio import Redis

from bot.errors import JobError
from bot.jobs import Job
from bot.messages import Blob
from bot.store.blobs import Blobs
from bot.store.connection import guarded
from bot.store.keys import Keys
from bot.store.shifts import Claim, Offer, Shift
from bot.testing.acts import Scripted
from bot.testing.fate import Fate

LOOK = 0.02
"""Seconds between two looks which models jobs ask for."""


def kinds() -> dict[str, type[Job[Any]]]:
    """Every kind of job that anybody has declared, by its name."""
    found: dict[str, type[Job[Any]]] = {}
    left: list[type[Job[Any]]] = [Job]
    while left:
        job = left.pop()
        left += job.__subclasses__()
        found |= {job.kind: job} if hasattr(job, "kind") else {}
    return found


class Hesitation:
    """Answers stop after their second partial, for as long as it lasts."""

    def __init__(self) -> None:
        self.over = asyncio.Event()
        self._one = False

    def exists(self) -> bool:
        """Whether one has stopped."""
        return self._one

    async def after(self, partials: int) -> None:
        """So many have been shown."""
        if partials == 2:
            self._one = True
            await self.over.wait()


class Models:
    """A worker in the test's own process, which serves every kind, and every model that a job asks for: `jobs` are those it was given."""

    def __init__(self, redis: Redis, keys: Keys, fate: Fate) -> None:
        self.jobs: list[Job[Any]] = []
        self._redis = redis
        self._keys = keys
        self._fate = fate
        self._script: list[Scripted] = []
        self._rule: Callable[[Job[Any]], Scripted] | None = None
        self._fault: AssertionError | None = None
        self._going = asyncio.Event()
        self._going.set()
        self._hesitation: Hesitation | None = None
        self._kinds = kinds()
        self._wants = set(self._kinds)
        self._shift = Shift(redis, keys, "scripted", [self._offer], lease=600.0)

    def answer(self, *script: Scripted) -> None:
        """What the next jobs come back with, in order: a Result, a JobError, or a tuple with the Partials that come before it."""
        self._script += script

    def always(self, rule: Callable[[Job[Any]], Scripted]) -> None:
        """What every job comes back with for which nothing is scripted."""
        self._rule = rule

    async def keep(self, content: bytes, mime: str, name: str = "") -> Blob:
        """The bytes of a result, as a model keeps them."""
        return await Blobs(self._redis, self._keys).put(content, mime, name)

    def halt(self) -> None:
        """Jobs wait in line from now on."""
        self._going.clear()

    def go_on(self) -> None:
        """They do no longer."""
        self._going.set()

    @contextmanager
    def hesitating(self) -> Iterator[Hesitation]:
        """Answers stop in their midst meanwhile."""
        self._hesitation = hesitation = Hesitation()
        try:
            yield hesitation
        finally:
            hesitation.over.set()
            self._hesitation = None

    def check(self) -> None:
        """AssertionError when a job came for which nothing is scripted."""
        if self._fault:
            raise self._fault

    async def work(self) -> None:
        """Until cancelled. What goes wrong is met by `check`."""
        try:
            await self._work()
        except Exception as fault:
            self._fault = AssertionError(f"the scripted models failed: {type(fault).__name__}: {fault}")
            self._fault.__cause__ = fault

    @property
    def _offer(self) -> Offer:
        return Offer("scripted", sorted(self._wants), 4)

    async def _work(self) -> None:
        await self._shift.renew()
        while True:
            await self._going.wait()
            for claim in (await self._shift.claim([self._offer])).claims:
                await self._run(claim)
            await self._shift.wait(sorted(self._wants), LOOK)
            self._wants |= await self._named()

    @guarded
    async def _named(self) -> set[str]:
        asked = self._keys.work("")
        return {key.decode().removeprefix(asked) async for key in self._redis.scan_iter(f"{asked}*", count=1000)}

    async def _run(self, claim: Claim) -> None:
        job = self._kinds[claim.body["kind"]].model_validate(claim.body["job"])
        self.jobs.append(job)
        self._fate.strikes(f"while the job {job.kind!r} runs")
        try:
            *partials, outcome = self._next(job)
            for shown, partial in enumerate(partials, 1):
                await self._shift.emit_all([(claim, partial.model_dump_json())])
                if self._hesitation is not None:
                    await self._hesitation.after(shown)
            if isinstance(outcome, JobError):
                await self._shift.fail(claim, outcome, 0.01)
                return
            assert isinstance(outcome, job.result_type()), f"expected a {job.result_type().__name__} for {job!r}, found {outcome!r}"
            await self._shift.finish(claim, outcome.model_dump_json(), 0.01)
        except AssertionError as fault:
            self._fault = fault

    def _next(self, job: Job[Any]) -> tuple[Any, ...]:
        assert self._script or self._rule, f"no answer is scripted for {job!r}: call room.models.answer(…) before"
        entry = self._script.pop(0) if self._script else self._rule(job) if self._rule else None
        return entry if isinstance(entry, tuple) else (entry,)
