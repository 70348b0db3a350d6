"""A server that goes on under another id takes along what was chosen, remembered, kept and scheduled for it. Who notices: a connector."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import cast

from redis.asyncio import Redis

from bot.messages import Address
from bot.store.connection import guarded
from bot.store.keys import Keys
from bot.store.schedules import outline
from bot.store.scripts import Scripts


class Moving:
    """Moves everything at once; what the new id has chosen already stays as it is."""

    def __init__(self, redis: Redis, keys: Keys) -> None:
        self._redis = redis
        self._keys = keys
        self._move = Scripts(redis)("server_move")

    @guarded
    async def move(self, old: Address, new: Address) -> None:
        """A second time it takes along what has come under the old id since."""
        keys = self._keys
        pairs = [(named(old.tenant), named(new.tenant)) for named in (keys.server, keys.audit, keys.heard, keys.applicant)]
        pairs += [(named(old.conversation), named(new.conversation)) for named in (keys.turns, keys.turns_meta)]
        scopes = (("server", old.tenant, new.tenant), ("chat", old.conversation, new.conversation))
        pairs += [(keys.data_index(scope, one), keys.data_index(scope, other)) for scope, one, other in scopes]
        owners = [keys.owned(scope, owner) for scope, *both in scopes for owner in both]
        found = cast("dict[bytes, bytes]", await self._redis.hgetall(keys.firings()))
        firings = [word for firing in _moved(found, old, new) for word in firing]
        await self._move(keys=[*(name for pair in pairs for name in pair), keys.firings()], args=[*owners, *firings])
        await self._redis.hdel(keys.present(old.connector), old.server)  # of the new one the connector tells


def _moved(firings: dict[bytes, bytes], old: Address, new: Address) -> Iterator[tuple[bytes, bytes, str]]:
    """What fires in the server, as it is and as it is to be, by id."""
    for id, found in firings.items():
        told = outline(found)
        if (told.connector, told.server) == (old.connector, old.server):
            firing = json.loads(found)  # all of it: another release's may have what this one does not know
            yield id, found, json.dumps({**firing, "address": {**firing["address"], "server": new.server}})
