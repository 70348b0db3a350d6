"""The queue's scripts serve exactly whom the plain policy serves that the simulation runs."""

from __future__ import annotations

import asyncio
import copy
from collections import defaultdict
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from redis.asyncio import Redis

from bot.store.connection import connect
from bot.store.keys import Keys
from bot.store.policy import ABSENT, Pool, Queued
from bot.store.queue import Depth, Queue
from bot.store.shifts import Claim, Offer, Shift
from tests.hands import Say
from tests.reference import Reference

T = TypeVar("T")

POOLS = (frozenset({"m1", "m2"}), frozenset({"m1"}))
TENANTS = st.sampled_from(["a", "b", "c"])
SECONDS = st.sampled_from([0.1, 0.5, 1.0, 3.0, 9.0, 30.0])


@dataclass
class Hand:
    """A worker and what it holds."""

    shift: Shift
    models: frozenset[str]
    resident: str | None = None
    held: tuple[Claim, Queued, float] | None = None

    def offers(self) -> list[Offer]:
        return [Offer(model, [f"say:{model}"], 1, model == self.resident) for model in sorted(self.models)]


class Both(RuleBasedStateMachine):
    """Everything is done to the queue on a real server and to the policy, and both must serve the same."""

    url: ClassVar[str]
    count: ClassVar[int] = 0

    def __init__(self) -> None:
        super().__init__()
        Both.count += 1
        self.runner = asyncio.Runner()
        self.redis: Redis = connect(self.url)
        self.keys = Keys(f"test-policy-{Both.count}")
        self.queue = Queue(self.redis, self.keys, depth=Depth(10_000, 10_000))
        self.policy = Reference()
        self.waiting: dict[str, Queued] = {}
        self.number = 0
        self.hands = [
            Hand(Shift(self.redis, self.keys, f"w{at}", [Offer(model, [f"say:{model}"]) for model in sorted(models)]), models)
            for at, models in enumerate([*POOLS, POOLS[0]])
        ]

    def do(self, what: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(what)

    def ask(self, *command: str | int) -> Any:
        return self.do(self.redis.execute_command(*command))  # type: ignore[no-untyped-call]

    @rule(model=st.sampled_from(["m1", "m2"]), tenant=TENANTS, person=st.sampled_from(["p", "q"]), times=st.integers(1, 4))
    def submit(self, model: str, tenant: str, person: str, times: int) -> None:
        for _ in range(times):
            self.number += 1
            self._submit(str(self.number), model, tenant, person)

    def _submit(self, id: str, model: str, tenant: str, person: str) -> None:
        self.do(self.queue.submit(Say(model=model), id=id, ticket=f"t{id}", tenant=tenant, person=person))
        at = self.ask("HGET", self.keys.job(id), "at")
        self.waiting[id] = Queued(model, tenant, person, int(at), id)
        self.policy.submit(self.waiting[id])

    @rule(which=st.integers(0, 2))
    def claim(self, which: int) -> None:
        hand = self.hands[which]
        if hand.held:
            return
        before = self._micros() - 1000
        begun = self.do(hand.shift.claim(hand.offers()))
        found = begun.claims[0].id if begun.claims else None
        for now in (before, self._micros()):  # whose people have waited longest may change in between
            policy = copy.deepcopy(self.policy)
            expected = policy.claim(hand.models, hand.resident, now)
            if found == (expected and expected.id):
                break
        assert found == (expected and expected.id)
        if expected is None:
            return
        charged = self.policy.cost.get(expected.model, 1.0)
        self.policy, hand.resident = policy, begun.model
        hand.held = begun.claims[0], self.waiting.pop(expected.id), charged

    def _micros(self) -> int:
        seconds, micros = self.ask("TIME")
        return int(seconds) * 1_000_000 + int(micros)

    @rule(which=st.integers(0, 2), seconds=SECONDS)
    def finish(self, which: int, seconds: float) -> None:
        hand = self.hands[which]
        if hand.held:
            claim, job, charged = hand.held
            hand.held = None
            assert self.do(hand.shift.finish(claim, "{}", seconds))
            self.policy.settle(hand.models, job, seconds, charged)

    @rule(which=st.integers(0, 2))
    def hand_back(self, which: int) -> None:
        hand = self.hands[which]
        if hand.held:
            claim, job, charged = hand.held
            hand.held = None
            self.do(hand.shift.hand_back([claim]))
            self.policy.charge(self.policy.pools[hand.models], job, -charged)
            self.waiting[job.id] = job
            self.policy.put_back(job)

    @rule(which=st.integers(0, 2), seconds=SECONDS)
    def load(self, which: int, seconds: float) -> None:
        hand = self.hands[which]
        if hand.held:
            claim, job, _ = hand.held
            [offer] = [offer for offer in hand.offers() if offer.model == job.model]
            self.do(hand.shift.loaded(offer, seconds, [claim]))
            self.policy.loaded(hand.models, job, seconds)

    @precondition(lambda self: self.waiting)
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        job = self.waiting.pop(data.draw(st.sampled_from(sorted(self.waiting))))
        self.do(self.queue.cancel(f"t{job.id}"))
        self.policy.withdraw(job)

    @rule(tenant=TENANTS, weight=st.sampled_from([0.5, 1.0, 3.0]))
    def weigh(self, tenant: str, weight: float) -> None:
        self.policy.weights[tenant] = weight
        self.do(self.queue.weigh(self.policy.weights))

    @invariant()
    def nothing_waits_in_one_and_not_in_the_other(self) -> None:
        depth = self.ask("HGETALL", f"{self.keys.prefix}:depth")
        assert sum(int(count) for name, count in depth.items() if b"|" not in name) == len(self.waiting)

    @invariant()
    def the_accounts_are_the_same(self) -> None:
        for hand in self.hands:
            pool, name = self.policy.pools[hand.models], f"{self.keys.prefix}:credit:{hand.shift.pool}"
            assert self._accounts(name) == pytest.approx(pool.servers, abs=1e-4)
            assert self._accounts(f"{self.keys.prefix}:spent:{hand.shift.pool}") == pytest.approx(dict(pool.spent), abs=1e-4)
            for tenant in "abc":
                assert self._accounts(f"{name}:{tenant}") == pytest.approx(pool.people[tenant], abs=1e-4)

    def _accounts(self, key: str) -> dict[str, float]:
        return {name.decode(): float(score) for name, score in self.ask("ZRANGE", key, 0, -1, "WITHSCORES")}

    def teardown(self) -> None:
        self.do(self._tidy())
        self.runner.close()

    async def _tidy(self) -> None:
        found = [key async for key in self.redis.scan_iter(f"{self.keys.prefix}:*")]
        if found:
            await self.redis.delete(*found)
        await self.queue.close()
        await self.redis.aclose()


def test_the_scripts_serve_whom_the_policy_serves(redis_url: str) -> None:
    Both.url = redis_url
    few = settings(max_examples=60, stateful_step_count=60, deadline=None, suppress_health_check=list(HealthCheck))
    run_state_machine_as_test(Both, settings=few)


@pytest.mark.parametrize("more", [0, 1])
async def test_debts_of_many_who_are_away_are_repaid_in_the_end(redis: Redis, keys: Keys, more: int) -> None:
    """As many of a server's people and of servers; who waits owes what they owed."""
    models, queue = frozenset({"m1"}), Queue(redis, keys)
    shift = Shift(redis, keys, "w", [Offer("m1", ["say:m1"])])
    away = {f"away-{number}": -float(number % 20) - 0.5 for number in range(ABSENT + more)}
    policy, pool = Reference(), Pool({**away, "here": -3.0}, defaultdict(dict, here={**away, "ann": -3.0}))
    policy.pools[models] = pool
    both = {f"{keys.prefix}:credit:{shift.pool}": pool.servers, f"{keys.prefix}:credit:{shift.pool}:here": pool.people["here"]}
    for name, accounts in both.items():
        await redis.zadd(name, dict(accounts))
        await redis.expire(name, 60)
    policy.submit(Queued("m1", "here", "ann", 0))
    await queue.submit(Say(model="m1"), id="1", ticket="t1", tenant="here", person="ann")

    begun = await shift.claim([Offer("m1", ["say:m1"])])
    assert policy.claim(models, None, 1) and begun.claims
    for name, accounts in zip(both, (pool.servers, pool.people["here"]), strict=True):
        rows: Any = await redis.zrange(name, 0, -1, withscores=True)
        found = {member.decode(): score for member, score in rows}
        assert found == pytest.approx(accounts, abs=1e-4)
        assert len(found) == 1 + (ABSENT if not more else sum(debt < -8.0 for debt in away.values()))
    await shift.finish(begun.claims[0], "{}", 1.0)
    await queue.close()
