"""Who may open the pages: links that work once, and the sessions they become. Cookies and pages are in `bot/web/`."""

from __future__ import annotations

import hashlib
import secrets
import time
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError
from redis.asyncio import Redis

from bot.messages import Message
from bot.store.connection import guarded
from bot.store.keys import Keys

INVITED = 86_400
"""Seconds a link works."""

SOON = 600
"""Seconds a link works that stands in a chat."""

KEPT = 30 * 86_400
"""Seconds a session lasts after its last use."""

SEATED = 2 * 3600
"""Seconds for which an admin may change a server from its page; what the platform said of them is as old as their link."""

SERVED = 60
"""Seconds for which pages count as served after their router last said so."""

Role = Literal["guest", "admin", "operator"]
"""Who somebody is to the pages: a guest of the room, an admin of servers, or who runs the bot."""


class Seat(BaseModel):
    """A place at the page of one server, until then (seconds since 1970). `message` says who asked for it and where, not what was said."""

    model_config = ConfigDict(frozen=True)

    message: Message
    until: float


class Visitor(BaseModel):
    """Who a link or a session is for; an admin has a seat for each server."""

    model_config = ConfigDict(frozen=True)

    role: Role = "guest"
    seats: tuple[Seat, ...] = ()

    def seat(self, tenant: str) -> Message | None:
        """By which message somebody sits at the page of this server, None when they do not, or not any more."""
        return next((one.message for one in self.seats if one.message.address.tenant == tenant and one.until > time.time()), None)

    def lasts(self) -> int:
        """Seconds that a session of theirs is kept."""
        return KEPT if self.role != "admin" else round(max((one.until for one in self.seats), default=0.0) - time.time())


GUEST = Visitor()
OPERATOR = Visitor(role="operator")


def admin(message: Message) -> Visitor:
    """Who asked for the page of their server."""
    return Visitor(role="admin", seats=(Seat(message=message, until=time.time() + SEATED),))


class Sessions:
    """Links and sessions. Redis sees only their hashes: who reads it can enter nowhere."""

    def __init__(self, redis: Redis, keys: Keys) -> None:
        self._redis = redis
        self._keys = keys

    @guarded
    async def serve(self, address: str) -> None:
        """Says where the pages are; whoever serves them says it again within `SERVED` seconds."""
        await self._redis.set(self._keys.pages(), address, ex=SERVED)

    @guarded
    async def served(self) -> str | None:
        """Where the pages are, None where nobody serves any."""
        found: Any = await self._redis.get(self._keys.pages())
        return None if found is None else str(found, "utf-8")

    @guarded
    async def unserve(self, address: str) -> None:
        """The pages there are no longer served; somebody else's still are."""
        if await self.served() == address:
            await self._redis.delete(self._keys.pages())

    @guarded
    async def invite(self, visitor: Visitor = GUEST, lasts: int = INVITED) -> str:
        """A new token, which `redeem` takes once within so many seconds."""
        token = secrets.token_urlsafe(24)
        await self._redis.set(self._keys.invite(_hash(token)), visitor.model_dump_json(), ex=lasts)
        return token

    async def link(self, address: str, visitor: Visitor = GUEST, lasts: int = INVITED) -> str:
        """A link to the pages at this address, with a new token."""
        return f"{address}/enter?token={await self.invite(visitor, lasts)}"

    @guarded
    async def invited(self, token: str) -> Visitor | None:
        """Whom the token is for; None when it is unknown, used or too old."""
        return _read(await self._redis.get(self._keys.invite(_hash(token))))

    @guarded
    async def redeem(self, token: str, secret: str = "") -> str | None:
        """Makes a session of a token and returns the session's secret; None when the token is unknown, used or too old.

        An admin who has a session (`secret`) keeps what it was for.
        """
        visitor = _read(await self._redis.getdel(self._keys.invite(_hash(token))))  # of two at once only one is given it
        if visitor is None:
            return None
        if visitor.role == "admin" and (known := await self.visitor(secret)) is not None:
            tenants = {seat.message.address.tenant for seat in visitor.seats}
            others = [seat for seat in known.seats if seat.message.address.tenant not in tenants]
            visitor = visitor.model_copy(update={"seats": (*visitor.seats, *others)})
            await self.end(secret)
        return await self.begin(visitor)

    @guarded
    async def begin(self, visitor: Visitor) -> str:
        """A new session; its secret."""
        secret = secrets.token_urlsafe(32)
        await self._redis.set(self._keys.session(_hash(secret)), visitor.model_dump_json(), ex=max(1, visitor.lasts()))
        return secret

    @guarded
    async def visitor(self, secret: str) -> Visitor | None:
        """Whose session it is, None where it has ended; using it makes it last longer, but for an admin's."""
        if not secret:
            return None
        name = self._keys.session(_hash(secret))
        found = _read(await self._redis.get(name))
        if found is not None and found.role != "admin":
            await self._redis.expire(name, KEPT)
        return found

    @guarded
    async def end(self, secret: str) -> None:
        """The session opens nothing any more."""
        await self._redis.delete(self._keys.session(_hash(secret)))

    @guarded
    async def protect(self, hash: str) -> None:
        """The operator has a password from now on; only its hash comes here. "" takes it away."""
        if hash:
            await self._redis.set(self._keys.password(), hash)
        else:
            await self._redis.delete(self._keys.password())

    @guarded
    async def password(self) -> str:
        """The hash of the operator's password, "" where there is none."""
        found: Any = await self._redis.get(self._keys.password())
        return "" if found is None else str(found, "utf-8")

    @guarded
    async def allowed(self, what: str, who: str, most: int, seconds: int) -> bool:
        """Counts a try; False when it is one too many within so many seconds, which begin with the first."""
        name = self._keys.tries(what, _hash(who))
        async with self._redis.pipeline(transaction=True) as batch:
            batch.incr(name)
            batch.expire(name, seconds, nx=True)
            count, _ = await batch.execute()
        return int(count) <= most


def _read(found: Any) -> Visitor | None:
    """What older releases left says no more than that somebody was let in."""
    if found is None:
        return None
    try:
        return GUEST if found == b"1" else Visitor.model_validate_json(found)
    except ValidationError:  # of another release: let in anew
        return None


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
