"""What holds in every server: who owns the bot, who and what is shut out; and the codes by which somebody becomes an owner."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import WatchError

from bot.choices import Deed
from bot.house import Door, Order, Policy, Rules
from bot.store.connection import guarded
from bot.store.keys import Keys
from bot.store.servers import MOST_DEEDS, deed_json
from bot.store.tickets import Write

CODE = 86_400
"""Seconds for which a code works."""

LETTERS = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
"""Those that nobody takes for one another; twelve of them are 59 bits, which nobody guesses in a day."""


class HouseRules:
    """Reads and changes the rules."""

    def __init__(self, redis: Redis, keys: Keys) -> None:
        self._redis = redis
        self._keys = keys

    @guarded
    async def get(self) -> Rules:
        """The rules; a house without an owner has version 0 and none."""
        version, json = await self._redis.hmget(self._keys.house(), ["version", "json"])
        rules = Rules() if json is None else Rules.model_validate_json(json)
        return rules.model_copy(update={"version": int(version or 0)})

    def changing(self, rules: Rules, deed: Deed) -> list[Write]:
        """The writes that replace the rules of `rules.version`; a ticket's journal refuses them with StaleSettings when that has passed."""
        return [["CHOOSE", self._keys.house(), rules.version, _json(rules)], *self.noting(deed)]

    def noting(self, deed: Deed) -> list[Write]:
        """The writes that say in the owners' log what one of them did."""
        log = self._keys.house_audit()
        return [["LPUSH", log, deed_json.dump_json(deed)], ["LTRIM", log, 0, MOST_DEEDS - 1]]

    def redeeming(self, code: str) -> list[Write]:
        """The write that uses up a code."""
        return [["DEL", self._keys.claim(_hash(code))]]

    @guarded
    async def offered(self, code: str) -> bool:
        """Whether the code works."""
        return bool(await self._redis.exists(self._keys.claim(_hash(code))))

    @guarded
    async def offer(self) -> str:
        """A new code. Redis sees only its hash: who reads it can claim nothing."""
        drawn = [secrets.choice(LETTERS) for _ in range(12)]
        code = "-".join("".join(drawn[at : at + 4]) for at in (0, 4, 8))
        await self._redis.set(self._keys.claim(_hash(code)), "1", ex=CODE)
        return code

    @guarded
    async def disown(self, owner: str) -> bool:
        """Somebody is no owner any more, because nothing of them is to be kept; False for who was none."""

        def without(rules: Rules) -> Rules:
            return rules.model_copy(update={"owners": {id: one for id, one in rules.owners.items() if id != owner}})

        return await self._edit(without)

    @guarded
    async def bar(self, order: Order, deed: Deed) -> None:
        """Shuts something out everywhere or lets it in again, where no ticket does."""
        await self._edit(order.applied, self.noting(deed))

    @guarded
    async def open(self, door: Door, policy: Policy, deed: Deed) -> None:
        """Changes who may use the bot that did not before, where no ticket does."""
        await self._edit(lambda rules: rules.model_copy(update={"policies": {**rules.policies, door: policy}}), self.noting(deed))

    async def _edit(self, edit: Callable[[Rules], Rules], writes: Sequence[Write] = ()) -> bool:
        """Edits the newest rules until no change of somebody else comes between; False where there was nothing to change."""
        while True:
            rules = await self.get()
            if (changed := edit(rules)) == rules:
                return False
            async with self._redis.pipeline(transaction=True) as batch:
                await batch.watch(self._keys.house())
                if int(await batch.hget(self._keys.house(), "version") or 0) != rules.version:
                    continue
                batch.multi()  # type: ignore[no-untyped-call]  # redis-py left it bare
                batch.hset(self._keys.house(), "json", _json(changed))
                batch.hincrby(self._keys.house(), "version", 1)
                for write in writes:
                    batch.execute_command(*write)
                with suppress(WatchError):
                    await batch.execute()
                    return True

    @guarded
    async def deeds(self, most: int) -> list[Deed]:
        """The newest entries of the owners' log, newest first."""
        found: Any = await self._redis.lrange(self._keys.house_audit(), 0, most - 1)
        return [deed_json.validate_json(one) for one in found]


def _json(rules: Rules) -> str:
    return rules.model_dump_json(exclude_defaults=True, exclude={"version"})  # what an older router does not know, it refuses


def _hash(code: str) -> str:
    return hashlib.sha256("".join(letter for letter in code.upper() if letter.isalnum()).encode()).hexdigest()
