"""Tickets: one event for one route, kept until it has its outcome, with a journal of what was done. Running them is in `bot/router/`."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from pydantic import BaseModel, ConfigDict, Field
from redis.asyncio import Redis

from bot.choices import Level
from bot.messages import Message
from bot.store.connection import blocking, guarded
from bot.store.digests import digest
from bot.store.edits import Heard, note, origin
from bot.store.keys import Keys
from bot.store.promptly import promptly
from bot.store.quotas import NOTHING, Charge, charged, exhausted
from bot.store.scripts import Scripts

LEASE = 3.0
"""Seconds a ticket stays with a router that has gone silent."""

MOST_CRASHES = 3
"""Routers that may die of a ticket before it ends in an apology."""

DECIDED = 3600
"""Seconds after which an event that is heard once more may be judged anew, but for the tickets that it has already."""

REMEMBERED = 86_400
"""Seconds for which a repeated event is recognised after its ticket is done."""

DELETED = float(1 << 53)
"""The version of a message that is deleted: behind all edits, which have times, and finite, as what is backed up has to be."""


class Body(BaseModel):
    """What a ticket says: the message, the route that takes it, and how things stood when it was accepted.

    `args` are the route's validated arguments, `settings` the plugin's effective ones; `refusal` is a reply decided
    by the core, in which case no handler runs, and `choices` the answers that buttons below it give; one that `asks`
    wants a reply; `quiet` says that no status line is wanted there, `level` what the sender may do there, and `retention`
    for how many days a conversation is remembered there.
    """

    model_config = ConfigDict(frozen=True)

    plugin: str
    route: str
    version: str
    message: Message
    args: dict[str, object] = Field(default_factory=dict)
    settings: dict[str, object] = Field(default_factory=dict)
    refusal: str | None = None
    choices: tuple[str, ...] = ()
    asks: bool = False
    ordered: bool = False
    quiet: bool = False
    level: Level = "member"
    retention: int = 30

    @property
    def id(self) -> str:
        """The same event on the same route is the same ticket, whoever saw it."""
        return ticket_id(self.message.address.connector, self.message.event, self.plugin, self.route)


def ticket_id(connector: str, event: str, plugin: str, route: str) -> str:
    """The id of the ticket that this event has, or would have, for this route."""
    return digest(connector, event, plugin, route)


def event_id(connector: str, event: str) -> str:
    """The id of what stands among tickets for the event itself: that it was decided what becomes of it."""
    return digest(connector, event)


@dataclass(frozen=True, slots=True)
class Ticket:
    """A ticket in the hands of this router.

    `at` is when it was accepted, in seconds; `fence` proves the hold on it; `attempts` counts this run.
    """

    id: str
    fence: int
    attempts: int
    body: Body
    at: float

    @property
    def ref(self) -> str:
        """Short enough to type, long enough to find in the log."""
        return self.id[:10]

    @property
    def crashed_too_often(self) -> bool:
        """True when three routers have died while running it."""
        return self.attempts > MOST_CRASHES


class Superseded(Exception):  # noqa: N818  an outcome, not a fault
    """Another router holds the ticket by now; this run stops without a trace."""


class Decided(Exception):  # noqa: N818  an outcome, not a fault
    """What becomes of this event was decided before, or by a newer one; nothing was written."""


class StaleSettings(Exception):  # noqa: N818  an outcome, not a fault
    """The server's settings changed since they were cached; nothing was written."""


@dataclass(frozen=True, slots=True)
class Supposed:
    """A value as it was read before, b"" for none: what follows from it is written only where it is still so."""

    key: str
    value: bytes


Write = Sequence[str | bytes | int]
"""A Redis command that takes effect together with a journal entry, or APPEND or CHOOSE (see ticket_record.lua)."""


class Tickets:
    """Accepts, leases, journals and finishes tickets. `owner` names this router's process."""

    def __init__(self, redis: Redis, keys: Keys, owner: str, *, lease: float = LEASE) -> None:
        self._redis = redis
        self._keys = keys
        self._owner = owner
        self._lease = round(lease * 1000)
        self._renewed = 0.0
        script = Scripts(redis)
        self._accept = script("ticket_accept", "quota_common")
        self._claim = script("ticket_claim")
        self._renew = script("ticket_renew")
        self._record = script("ticket_record")
        self._finish = script("ticket_finish")
        self._release = script("ticket_release")

    @guarded
    async def accept(
        self,
        bodies: Sequence[Body],
        settings_version: int,
        at: float,
        charge: Charge = NOTHING,
        supposed: Supposed | None = None,
        *,
        event: str = "",
    ) -> list[Ticket]:
        """Writes the tickets of one event, "" for that of the first, and returns those to run now; the others are known or wait in line.

        `at` is this moment in seconds. Raises Decided for an event that was heard before and for an edit when a newer one was `heard`,
        StaleSettings when `settings_version` is not the server's (`Server.stamp`) or what is `supposed` is not so any more, and Exhausted
        when what is to be charged goes too far; nothing is written then.
        """
        first, address = bodies[0].message, bodies[0].message.address
        event = event or first.event
        args: list[str | bytes | float] = [self._keys.prefix, self._owner, self._lease, settings_version]
        args += [supposed.value if supposed else b"", DECIDED, event, *charged(self._keys, [charge])]
        for body in bodies:
            line = address.conversation if body.ordered else ""
            args += [body.id, address.connector, line, body.model_dump_json(), int(body.id in charge.of)]
        keys = [self._keys.server(address.tenant), self._keys.ticket_leases(), self._keys.house()]
        keys += [self._keys.ticket(event_id(address.connector, event)), self._versions(first)]
        keys += [supposed.key] if supposed else []
        head, *states = await self._accept(keys=keys, args=args)
        if head == b"decided":
            raise Decided
        if head == b"stale":
            raise StaleSettings
        if head == b"over":
            raise exhausted([charge], *states)
        return [Ticket(body.id, 1, 1, body, at) for body, state in zip(bodies, states, strict=True) if state == 1]

    @guarded
    async def claim(self, connector: str) -> Ticket | None:
        """The oldest ticket that is ready on this connector: the next in its line, or one whose router died."""
        keys = [self._keys.ticket_ready(connector), self._keys.ticket_leases()]
        found = await self._claim(keys=keys, args=[self._keys.prefix, self._owner, self._lease])
        if found is None:
            return None
        id, fence, attempts, body, at = found
        return Ticket(id.decode(), fence, attempts, Body.model_validate_json(body), int(at) / 1000)

    @guarded
    async def asked(self, id: str) -> Message | None:
        """What this ticket is for, or None when it has ended."""
        body = await self._redis.hget(self._keys.ticket(id), "body")
        return None if body is None else Body.model_validate_json(body).message

    @guarded
    async def unended(self, ids: Sequence[str]) -> list[str]:
        """Which of these tickets are there and have not ended."""
        async with self._redis.pipeline(transaction=False) as batch:
            for id in ids:
                batch.hexists(self._keys.ticket(id), "body")
            return [id for id, there in zip(ids, await batch.execute(), strict=True) if there]

    @guarded
    async def heard(self, message: Message, version: float) -> Heard:
        """Notes an edit, or `DELETED`; what is known of the message's other versions, whichever router heard of them."""
        decided = self._keys.ticket(event_id(message.address.connector, message.event))
        return await note(self._redis, self._versions(message), message.event, version, decided, REMEMBERED)

    def _versions(self, message: Message) -> str:
        """One key for all: an edit may begin the thread where a message is answered, and what takes it back speaks to nobody."""
        return self._keys.versions(origin(message).conversation, message.id)

    @guarded
    async def under_way(self, tenant: str) -> dict[str, Body]:
        """The tickets of a server, "" for all servers, that run, or wait in the line of their conversation, by id."""
        ids = dict.fromkeys(cast("list[bytes]", await self._redis.zrange(self._keys.ticket_leases(), 0, -1)))
        async for line in self._redis.scan_iter(self._keys.line(f"{tenant}/*" if tenant else "*"), count=1000):
            ids |= dict.fromkeys(cast("list[bytes]", await self._redis.lrange(line, 0, -1)))
        found: dict[str, Body] = {}
        for id in ids:
            body = await self._redis.hget(self._keys.ticket(id.decode()), "body")
            read = None if body is None else Body.model_validate_json(body)
            if read is not None and tenant in ("", read.message.address.tenant):
                found[id.decode()] = read
        return found

    @guarded
    async def known(self, ids: Sequence[str]) -> bool:
        """Whether one of these tickets was written within a day; it may have ended."""
        return bool(ids and await self._redis.exists(*(self._keys.ticket(id) for id in ids)))

    @guarded
    async def wait(self, connectors: Sequence[str], seconds: float) -> None:
        """Returns when a ticket becomes ready on one of the connectors, or after `seconds`."""
        await blocking(self._redis.blpop([self._keys.ticket_wake(name) for name in connectors], timeout=seconds))

    @guarded
    async def renew(self, held: Sequence[Ticket]) -> list[Ticket]:
        """Extends the leases; returns those tickets whose hold is another's by now. See `promptly` for a silent connection."""
        args: list[str | int] = [self._keys.prefix, self._lease]
        for ticket in held:
            args += [ticket.id, ticket.fence]

        async def renewed() -> tuple[float, list[bytes]]:
            return time.monotonic(), await self._renew(keys=[self._keys.ticket_leases()], args=args)

        self._renewed, lost = await promptly(self._redis, renewed, self._lease / 1000)
        gone = set(lost)
        return [ticket for ticket in held if ticket.id.encode() in gone]

    def holds(self, since: float) -> bool:
        """False when the lease of a ticket that was taken at `since` (monotonic) may have lapsed: we were halted, or Redis is away."""
        return time.monotonic() - max(since, self._renewed) < self._lease / 1000

    @guarded
    async def reap(self) -> int:
        """Makes the tickets of dead routers ready for any other; returns how many."""
        return int(await self._release(keys=[self._keys.ticket_leases()], args=[self._keys.prefix, "", self._lease]))

    @guarded
    async def hand_back(self, ticket: Ticket) -> None:
        """Gives a ticket up without counting it as a crash; another router takes it at once."""
        await self._release(keys=[self._keys.ticket_leases()], args=[self._keys.prefix, ticket.id, ticket.fence])

    @guarded
    async def recall(self, ticket: Ticket) -> dict[str, bytes]:
        """The journal as it stands; empty on a first run."""
        if ticket.attempts <= 1 and ticket.fence == 1:
            return {}
        found = cast("dict[bytes, bytes]", await self._redis.hgetall(self._keys.journal(ticket.id)))
        return {field.decode(): value for field, value in found.items()}

    @guarded
    async def record(self, ticket: Ticket, field: str, value: bytes, writes: Sequence[Write] = ()) -> bytes:
        """Journals an effect and applies its writes, at once and only once; returns what the journal holds.

        Raises Superseded when the ticket is no longer ours, StaleSettings when one of the writes is a CHOOSE that came too late.
        """
        args: list[str | bytes | int] = [ticket.fence, field, value]
        for write in writes:
            args += [len(write), *write]
        state, *held = await self._record(keys=[self._keys.ticket(ticket.id), self._keys.journal(ticket.id)], args=args)
        if state == b"lost":
            raise Superseded
        if state == b"stale":
            raise StaleSettings
        result: bytes = held[0]
        return result

    @guarded
    async def finish(self, ticket: Ticket) -> bool:
        """Ends the ticket and lets the next of its conversation run; False when it was no longer ours."""
        keys = [self._keys.ticket(ticket.id), self._keys.journal(ticket.id), self._keys.ticket_leases()]
        return bool(await self._finish(keys=keys, args=[self._keys.prefix, ticket.id, ticket.fence, REMEMBERED]))
