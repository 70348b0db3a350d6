"""Whatever is done to the queue in whatever order, it does what a few lines of Python say: one outcome per job, nobody counted twice.

Who is served first is compared in `test_queue_policy.py`.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Sequence
from typing import Any, ClassVar, TypeVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from redis.asyncio import Redis

from bot.errors import Busy, JobCancelled, JobFailed
from bot.store.connection import connect
from bot.store.keys import Keys
from bot.store.queue import MOST_CRASHES, Depth, Queue
from bot.store.shifts import Begun, Offer, Shift
from tests.hands import Say
from tests.store.machine import MOST, Claimed, Hand, Known, Turn, World, agree

T = TypeVar("T")

MODELS, TENANTS, PEOPLE = ("m1", "m2"), ("a", "b"), ("p", "q")
DEPTH = Depth(server=5, person=3)
LONG = 1_000.0
"""Seconds of a lease that ends only when a rule says so."""

JOBS = st.tuples(st.sampled_from(["say:m1", "say:m2"]), st.sampled_from(TENANTS), st.sampled_from(PEOPLE), st.sampled_from(["high", "low"]))
"""What is wanted, by whom, in which voice: only those of one voice run together."""

AT = st.integers(0, 999)
"""Which of those that there are: what is drawn may not depend on whom the server's clock favoured."""

OF_WORK = ("jobs:", "jobs-of:", "out:j", "depth", "leases", "deadlines", "tenants:", "persons:")
"""Keys that only work which is under way may have."""

PROFILES = {"quick": (60, 50), "long": (1_500, 80)}
"""Examples, and steps of each; HYPOTHESIS_PROFILE chooses."""


class Machine(RuleBasedStateMachine):
    """The scripts on a real server and the world as it must be."""

    url: ClassVar[str]
    count: ClassVar[int] = 0

    def __init__(self) -> None:
        super().__init__()
        Machine.count += 1
        self.runner = asyncio.Runner()
        self.redis: Redis = connect(self.url)
        self.keys = Keys(f"test-machine-{os.getpid()}-{Machine.count}")
        self.queue = Queue(self.redis, self.keys, depth=DEPTH, lease=LONG)
        self.world = World()
        self.claims: list[Claimed] = []
        self.tickets: list[str] = []
        self.number = 0
        self.hands = [self._hand(f"w{at}", models) for at, models in enumerate((MODELS, MODELS[:1], MODELS))]

    def _hand(self, name: str, models: tuple[str, ...]) -> Hand:
        return Hand(Shift(self.redis, self.keys, name, [Offer(model, [f"say:{model}"]) for model in models], lease=LONG), models)

    def do(self, what: Awaitable[T]) -> T:
        async def done() -> T:
            return await what

        return self.runner.run(done())

    def ask(self, *command: str | int) -> Any:
        return self.do(self.redis.execute_command(*command))  # type: ignore[no-untyped-call]

    @rule(jobs=st.lists(JOBS, min_size=1, max_size=4), same_ticket=st.booleans())
    def submit(self, jobs: list[tuple[str, str, str, str]], same_ticket: bool) -> None:
        for want, tenant, person, voice in jobs:
            if not same_ticket or not self.tickets:
                self.tickets.append(f"t{len(self.tickets)}")
            self.number += 1
            self._submit(f"j{self.number}", Known(want, tenant, person, voice, self.tickets[-1]))

    @rule(at=AT)
    def submit_again(self, at: int) -> None:
        """As a router does that was cut off."""
        if (id := pick(sorted(self.world.jobs), at)) is None:
            return
        self._submit(id, self.world.jobs[id])

    def _submit(self, id: str, job: Known) -> None:
        found, known, depth = self._submitted(id, job), self.world.jobs.get(id), self.world.depth()
        if known is not None and known.state != "gone":
            assert found == "ok"
        elif job.ticket in self.world.cancelled:
            assert found == "cancelled"
        elif depth[job.tenant] >= DEPTH.server or depth[f"{job.tenant}|{job.person}"] >= DEPTH.person:
            assert found == "busy"
        else:
            assert found == "ok"
            self.world.jobs[id] = job

    def _submitted(self, id: str, job: Known) -> str:
        model = job.want.partition(":")[2]
        say = Say(model=model, voice=job.voice)
        try:
            self.do(self.queue.submit(say, id=id, ticket=job.ticket, tenant=job.tenant, person=job.person))
        except Busy:
            return "busy"
        except JobCancelled:
            return "cancelled"
        return "ok"

    @rule(at=AT, ends=st.booleans())
    def cancel(self, at: int, ends: bool) -> None:
        """A person has had enough of a ticket, or it has ended."""
        if (ticket := pick(sorted({job.ticket for job in self.world.jobs.values()}), at)) is None:
            return
        self.do(self.queue.drop(ticket) if ends else self.queue.cancel(ticket))
        self.world.cancelled.add(ticket)
        for id in self.world.of(ticket):
            job = self.world.jobs[id]
            if job.state in ("waiting", "running"):
                job.close("broken")
            if ends and job.state == "done" and job.charged:
                job.state = "gone"
            elif ends and job.state == "done":
                del self.world.jobs[id]

    @rule(at=AT)
    def wait_too_long(self, at: int) -> None:
        if (id := pick(self.world.waiting(), at)) is None:
            return
        self.ask("ZADD", f"{self.keys.prefix}:deadlines", 1, id)
        assert self.do(self.queue.reap()) == 1
        self.world.jobs[id].close("broken")

    @rule()
    def reap(self) -> None:
        """Nobody is dead."""
        assert self.do(self.queue.reap()) == 0

    @rule()
    def forget_scripts(self) -> None:
        self.do(self.redis.script_flush())

    @rule(at=AT)
    def claim(self, at: int) -> None:
        if (hand := pick([hand for hand in self.hands if hand.turn is None], at)) is None:
            return
        begun = self.do(hand.shift.claim(hand.offers()))
        if hand.parked is not None and begun.model == hand.parked.model:
            self._admitted(hand, hand.parked, begun)
            hand.turn, hand.parked = hand.parked, None
            self.do(hand.shift.resume(hand.turn.claims))
        elif begun.claims:
            hand.turn = Turn(begun.model, [])
            self._admitted(hand, hand.turn, begun)
        else:
            assert begun.model == ""
            assert not self.world.waiting(*(f"say:{model}" for model in hand.models)), "somebody waits, and this worker does nothing"

    @rule(at=AT)
    def join(self, at: int) -> None:
        if (hand := pick([hand for hand in self.hands if hand.room], at)) is None:
            return
        assert hand.turn is not None
        offers = [Offer(model, [f"say:{model}"], hand.room if model == hand.turn.model else MOST) for model in hand.models]
        begun = self.do(hand.shift.claim(offers, joined=hand.turn.model, batch=hand.turn.claims[0].batch))
        self._admitted(hand, hand.turn, begun)

    def _admitted(self, hand: Hand, turn: Turn, begun: Begun) -> None:
        """What was claimed may run beside what runs."""
        for claim in begun.claims:
            job = self.world.jobs[claim.id]
            assert (job.state, job.want, claim.fence, claim.alone) == ("waiting", f"say:{turn.model}", job.fence + 1, job.alone)
            job.state, job.fence, job.charged = "running", claim.fence, True
            turn.claims.append(claim)
            self.claims.append(Claimed(claim, hand))
        assert len(turn.claims) <= MOST
        assert len({claim.batch for claim in turn.claims}) <= 1
        assert len(turn.claims) == 1 or not any(claim.alone for claim in turn.claims)

    @rule(at=AT, what=st.sampled_from(["emit", "finish", "fail", "hand back"]))
    def write(self, at: int, what: str) -> None:
        """With any claim that was ever given: only the last of a job that runs has any effect."""
        if (claimed := pick(self.claims, at)) is None:
            return
        claim, shift, job = claimed.claim, claimed.hand.shift, self.world.jobs.get(claimed.claim.id)
        current = self.world.current(claim)
        match what:
            case "emit":
                assert self.do(shift.emit_all([(claim, "{}")])) == [current]
                return
            case "finish":
                assert self.do(shift.finish(claim, "{}", 1.0)) == current
            case "fail":
                assert self.do(shift.fail(claim, JobFailed("on purpose"), 1.0)) == current
            case _:
                self.do(shift.hand_back([claim]))
        claimed.hand.forget(claim)
        if current and job is not None and what == "hand back":
            job.queue_again()
        elif current and job is not None:
            job.charged = False
            job.close("finished" if what == "finish" else "broken")
        elif what != "hand back" and job is not None and job.state in ("done", "gone") and job.fence == claim.fence + 1:
            job.charged = False  # cancelled: it pays when its worker tells what it took

    @rule(which=st.integers(0, 2))
    def renew(self, which: int) -> None:
        assert not self.do(self.hands[which].shift.renew())

    @rule(at=AT)
    def park_or_resume(self, at: int) -> None:
        if (hand := pick([hand for hand in self.hands if (hand.turn is None) != (hand.parked is None)], at)) is None:
            return
        if hand.turn is not None:
            hand.turn.since = time.time()
            self.do(hand.shift.park(hand.turn.claims))
            hand.turn, hand.parked = None, hand.turn
        elif hand.parked is not None:
            hand.turn, hand.parked = hand.parked, None
            self.do(hand.shift.resume(hand.turn.claims))

    @rule(at=AT)
    def run_too_long(self, at: int) -> None:
        """A job that is parked does not run."""
        if (claimed := pick([one for one in self.claims if self.world.current(one.claim)], at)) is None:
            return
        parked = claimed.hand.parked is not None and claimed.claim in claimed.hand.parked.claims
        self.ask("HSET", self.keys.job(claimed.claim.id), "until", 1 if not parked else 10**15)
        assert self.do(claimed.hand.shift.renew()) == (not parked)
        if not parked:
            self.world.jobs[claimed.claim.id].close("broken")

    @rule(at=AT, times=st.integers(2, 5))
    def kill_one_after_the_other(self, at: int, times: int) -> None:
        """As a job does that no worker survives."""
        for _ in range(times):
            self.claim(at)
            self.crash(at, wakes=False)

    @rule(at=AT, wakes=st.booleans())
    def crash(self, at: int, wakes: bool) -> None:
        """The leases of all that a worker holds lapse. One that wakes again does not know it."""
        if (hand := pick([one.hand for one in self.claims if self.world.current(one.claim)], at)) is None:
            return
        held = [one.claim for one in self.claims if one.hand is hand and self.world.current(one.claim)]
        for claim in held:
            self.ask("ZADD", f"{self.keys.prefix}:leases:jobs", 1, claim.id)
        assert self.do(self.queue.reap()) == len(held)
        for job, id in [(self.world.jobs[claim.id], claim.id) for claim in held]:
            job.crashes += job.alone
            job.charged = False
            if job.crashes == MOST_CRASHES:
                job.close("broken")
                self.world.dead.add(id)
            else:
                job.queue_again()
                job.alone = True
        if not wakes:
            self.hands = [one for one in self.hands if one is not hand] + [self._hand(f"w{len(self.claims)}", hand.models)]

    @rule(at=AT)
    def take_turns(self, at: int) -> None:
        """As a worker does when another model is due."""
        self.claim(at)
        self.park_or_resume(at)
        self.claim(at)

    @invariant()
    def all_is_as_it_must_be(self) -> None:
        """Jobs, lines, counters and leases."""
        self.do(agree(self.redis, self.keys, self.world, [(f"say:{model}", tenant) for model in MODELS for tenant in TENANTS], PEOPLE))

    def teardown(self) -> None:
        try:
            self._one_outcome_each()
            for ticket in self.tickets:
                self.do(self.queue.drop(ticket))
            left = [key.decode() for key in self.do(self._all())]
            assert not [key for key in left if self.ask("TTL", key) == -1]
            assert not [
                key for key in left if any(f":{kind}" in key for kind in ("jobs:", "out:j", "depth", "leases", "deadlines", "tenants"))
            ]
        finally:
            self.do(self._tidy())
            self.runner.close()

    def _one_outcome_each(self) -> None:
        for id, job in self.world.jobs.items():
            assert self.ask("HGET", self.keys.job(id), "state").decode() == job.state
            entries: Any = self.do(self.redis.xrange(self.keys.out(id)))
            states = [entry[b"state"].decode() for _, entry in entries]
            ends = [state for state in states if state in ("finished", "broken")]
            assert ends == ([job.ended] if job.state == "done" else []), id
            assert not ends or states[-1] == ends[0], "something was said after the end"

    async def _all(self) -> list[bytes]:
        return [key async for key in self.redis.scan_iter(f"{self.keys.prefix}:*", count=1000)]

    async def _tidy(self) -> None:
        if found := await self._all():
            await self.redis.delete(*found)
        await self.queue.close()
        await self.redis.aclose()


def pick(options: Sequence[T], at: int) -> T | None:
    """One of these, or None where there are none."""
    return options[at % len(options)] if options else None


def test_whatever_is_done_in_whatever_order_the_queue_does_what_it_must(redis_url: str) -> None:
    Machine.url = redis_url
    examples, steps = PROFILES[os.environ.get("HYPOTHESIS_PROFILE", "quick")]
    checks = list(HealthCheck)
    run_state_machine_as_test(
        Machine, settings=settings(max_examples=examples, stateful_step_count=steps, deadline=None, suppress_health_check=checks)
    )
