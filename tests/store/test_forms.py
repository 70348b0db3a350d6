"""What earlier releases kept, as `hobnob backup` wrote it down then: each is brought forward, and today's code reads all of it.

A release leaves its own file in `tests/data/forms/`, by its version; one that is there is never changed.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from redis.asyncio import Redis

from bot.store.conversations import Conversations
from bot.store.dump import Dump, Record
from bot.store.house import HouseRules
from bot.store.keys import Keys
from bot.store.plugindata import PluginData
from bot.store.schedules import Schedules
from bot.store.schema import form, migrate, newest
from bot.store.servers import Servers

FORMS = Path(__file__).parents[1] / "data/forms"


@pytest.mark.parametrize("release", sorted(path.stem for path in FORMS.glob("*.jsonl")))
async def test_what_a_release_kept_is_brought_forward_and_read(redis: Redis, keys: Keys, release: str) -> None:
    lines = (FORMS / f"{release}.jsonl").read_text(encoding="utf-8").splitlines()
    await Dump(redis, keys).write([Record.model_validate_json(line) for line in lines])
    await migrate(redis, keys)
    assert await form(redis, keys) == newest()

    server = await Servers(redis, keys).get("discord/1")
    assert server.choices.plugins == {"imagine": True} and server.choices.settings["chat"] == {"model": "a-model"}
    assert server.layer("2").quiet is True and server.levels == {"role:7": "admin"}
    assert [deed.name for deed in await Servers(redis, keys).deeds("discord/1", 10)] == ["Ann"]
    rules = await HouseRules(redis, keys).get()
    assert rules.owners["discord/9"].name == "Olga"
    assert rules.barred["person"] == {"discord/8": "Ben"}
    turns = await Conversations(redis, keys).turns("discord/1/2/", 1000)
    assert [(turn.role, turn.text) for turn in turns] == [("person", "What is this?"), ("bot", "A test.")]
    assert await PluginData(redis, keys).load("notes", "server", "discord/1", "k") == b'"kept"'
    button = await PluginData(redis, keys).button("0123456789abcdef01234567")
    assert button is not None and (button.plugin, button.action, button.payload) == ("imagine", "again", {"seed": 3})
    firing = await Schedules(redis, keys).find("f1")
    assert firing is not None and (firing.plugin, firing.address.channel) == ("remind", "2")
