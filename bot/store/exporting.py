"""What is kept of one server, for its admins to take along. Of a person: `personal.py`; of everything: `dump.py`."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any, cast

from pydantic import BaseModel
from redis.asyncio import Redis

from bot.store.connection import guarded
from bot.store.conversations import Conversations
from bot.store.keys import Keys
from bot.store.servers import MOST_DEEDS, Choices, Servers, deed_json


class Exported(BaseModel):
    """A server's choices, by channel where they differ; who changed what, newest first; what plugins keep; what was said where."""

    server: str
    choices: Choices
    channels: dict[str, Choices]
    audit: list[Any]
    data: list[Any]
    conversations: dict[str, list[Any]]

    @property
    def anything(self) -> bool:
        """Whether there is anything at all."""
        return bool(self.choices != Choices() or self.channels or self.audit or self.data or self.conversations)


@guarded
async def exported(redis: Redis, keys: Keys, server: str) -> Exported:
    """Collects it."""
    chosen = await Servers(redis, keys).get(server)
    deeds = await Servers(redis, keys).deeds(server, MOST_DEEDS)
    return Exported(
        server=server,
        choices=chosen.choices,
        channels=dict(chosen.channels),
        audit=[json.loads(deed_json.dump_json(deed)) for deed in deeds],
        data=[one async for one in _data(redis, keys, server)],
        conversations={name: turns async for name, turns in _turns(redis, keys, server)},
    )


async def _data(redis: Redis, keys: Keys, server: str) -> AsyncIterator[dict[str, Any]]:
    indexes = [keys.data_index("server", server), *await _names(redis, keys.data_index("chat", f"{_literal(server)}/*"))]
    head = len(keys.data("", "", "", "").partition(":data:")[0]) + len(":data:")
    for index in indexes:
        for name in cast("set[bytes]", await redis.smembers(index)):
            if (value := await redis.get(name)) is not None:
                yield {"name": name.decode()[head:], "value": json.loads(value)}


async def _turns(redis: Redis, keys: Keys, server: str) -> AsyncIterator[tuple[str, list[Any]]]:
    head = keys.turns("")
    for name in await _names(redis, f"{head}{_literal(server)}/*"):
        conversation = name.removeprefix(head)
        turns = await Conversations(redis, keys).turns(conversation, 1 << 40)
        yield conversation, [json.loads(turn.model_dump_json(exclude={"offset"})) for turn in turns]


async def _names(redis: Redis, pattern: str) -> list[str]:
    return sorted({cast("bytes", name).decode() async for name in redis.scan_iter(pattern, count=1000)})


def _literal(server: str) -> str:
    """No name of a server is a pattern."""
    return "".join(f"\\{letter}" if letter in "*?[]\\^" else letter for letter in server)
