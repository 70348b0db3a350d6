"""What plugins keep through `ctx.store` per server, chat or person, and the payloads behind buttons. Types are the plugin's affair."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from pydantic import TypeAdapter
from redis.asyncio import Redis

from bot.forms import Form, Select
from bot.messages import Quote
from bot.store.connection import guarded
from bot.store.exchanging import answered
from bot.store.keys import Keys
from bot.store.scripts import Scripts
from bot.store.tickets import Write

BUTTON_TTL = 30 * 86_400
"""Seconds a button keeps working after it was sent or pressed last: as long as a conversation is remembered."""


NO_BUTTON = json.dumps(["", "", {}, ""])
"""What is kept of a button that was forgotten with its person: that it does nothing any more."""

FILLING_TTL = 3600
"""Seconds for which somebody may reply with what a form lacks."""

quote_json: TypeAdapter[Quote | None] = TypeAdapter(Quote | None)

asks_json: TypeAdapter[Form | Select | None] = TypeAdapter(Form | Select | None)


@dataclass(frozen=True, slots=True)
class Pressed:
    """What a button was made with; `version` is the plugin's when it was, and `asks` what it wants to know of who presses it."""

    plugin: str
    action: str
    payload: Mapping[str, Any]
    version: str
    asks: Form | Select | None = None
    person: str = ""
    """For whom it was made, as CONNECTOR/ID."""


class PluginData:
    """Reads plugins' own data and buttons, and says which writes change them."""

    def __init__(self, redis: Redis, keys: Keys) -> None:
        self._redis = redis
        self._keys = keys
        self._load = Scripts(redis)("data_load")

    @guarded
    async def load(self, plugin: str, scope: str, owner: str, key: str) -> bytes | None:
        """The stored value, or None. `owner` is the server, conversation or person that `scope` speaks of."""
        return cast("bytes | None", await self._load(keys=[self._keys.data(plugin, scope, owner, key)]))

    def where(self, plugin: str, scope: str, owner: str, key: str) -> str:
        """The name of the key in Redis that has it."""
        return self._keys.data(plugin, scope, owner, key)

    def saving(self, plugin: str, scope: str, owner: str, key: str, value: bytes | None, ttl: float | None) -> list[Write]:
        """The writes that store or remove a value, and keep the index of what exists for this owner."""
        name, index = self._keys.data(plugin, scope, owner, key), self._keys.data_index(scope, owner)
        if value is None:
            return [["DEL", name], ["SREM", index, name]]
        lifetime: Write = ["PX", round(ttl * 1000)] if ttl is not None else []
        return [["SET", name, value, *lifetime], ["SADD", index, name]]

    @guarded
    async def keep_buttons(self, buttons: Mapping[str, Pressed]) -> None:
        """Remembers what buttons do, by their ids; the same id again changes nothing that matters."""
        await answered(self._redis, [("SET", self._keys.button(id), _content(button), "EX", BUTTON_TTL) for id, button in buttons.items()])

    @guarded
    async def button(self, id: str) -> Pressed | None:
        """What the button does, which is being pressed, or None when it is unknown or too old."""
        found = await self._redis.getex(self._keys.button(id), ex=BUTTON_TTL)
        if found is None:
            return None
        plugin, action, payload, version, *asks = json.loads(found)
        return Pressed(plugin, action, payload, version, asks_json.validate_python(asks[0]) if asks else None)

    @guarded
    async def fill(self, conversation: str, person: str, button: str, below: Quote | None = None) -> None:
        """The person is asked there for what this button's form lacks; it stands `below` that message."""
        kept = f"{button}\n{quote_json.dump_json(below).decode()}"
        await self._redis.set(self._keys.filling(conversation, person), kept, ex=FILLING_TTL)

    @guarded
    async def filling(self, conversation: str, person: str) -> tuple[str, Quote | None]:
        """The button that the person was asked for last, "" for none, and the message that it stands below."""
        found = cast("bytes", await self._redis.get(self._keys.filling(conversation, person)) or b"")
        button, _, below = found.decode().partition("\n")  # a release before kept the button alone
        return button, quote_json.validate_json(below) if below else None


def _content(button: Pressed) -> str:
    asks = asks_json.dump_python(button.asks, mode="json")
    return json.dumps([button.plugin, button.action, button.payload, button.version, asks, button.person])
