"""Fifty servers on three platforms whose admins switch, set and grant at random, on two routers at once, with every plugin.

After each message exactly the right handlers ran, with exactly the right settings.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from bot.choices import Change, Where
from bot.config import load as configured
from bot.messages import Message, Person
from bot.plugins import Plugins, load
from bot.router import publishing
from bot.store.keys import Keys
from tests.plugins.admin.probe import Probe, loaded
from tests.plugins.admin.town import Corner, OnTelegram, Town, town

SEED = 7
STEPS = 3
PLATFORMS = {"discord": 21, "room": 21, "telegram": 8}
"""How many servers there are of each; Telegram takes twenty messages a minute from a group."""

PROBES = ("one", "two", "three")

SETTINGS = {"chat": "context_tokens", "imagine": "most_steps", "transcribe": "longest", **dict.fromkeys(PROBES, "number")}
"""Of each plugin the setting that is changed."""

RANGES = {"context_tokens": (100, 9_000), "most_steps": (1, 200), "longest": (10, 900), "number": (0, 99)}

COMMANDS = {"chat": "reset", "imagine": "recipe", "transcribe": "transcribe", **{name: name for name in PROBES}}
"""Of each plugin a command that needs no model."""

Ran = tuple[str, str, Any]
"""A plugin, what of it ran, and its setting."""


@dataclass
class Model:
    """What one server has chosen, as simply as it can be written down: by place ("" for the server) and plugin."""

    begins: Mapping[str, Any]
    on: dict[tuple[str, str], bool] = field(default_factory=dict)
    value: dict[tuple[str, str], int] = field(default_factory=dict)
    denied: dict[tuple[str, str], bool] = field(default_factory=dict)

    def holds(self, what: Mapping[tuple[str, str], Any], place: str, name: str, otherwise: Any) -> Any:
        return what.get((place, name), what.get(("", name), otherwise))

    def expected(self, place: str, by: str, *routes: tuple[str, str]) -> list[Ran]:
        """Which of these handlers run for somebody in a place."""
        return sorted((name, route, self._value(place, name)) for name, route in routes if self._may(place, by, name))

    def _may(self, place: str, by: str, name: str) -> bool:
        denied = by == "Ben" and self.holds(self.denied, place, name, False)
        return not denied and bool(self.holds(self.on, place, name, name != "three"))

    def _value(self, place: str, name: str) -> Any:
        return self.holds(self.value, place, name, self.begins[name])


@dataclass
class Life:
    """One server's admin and members, who know nothing of the other servers."""

    corner: Corner
    model: Model
    chance: random.Random
    pressable: set[tuple[bool, str]] = field(default_factory=set)
    """Where there is a button of which probe."""
    claps: set[str] = field(default_factory=set)
    """Who has put no sign yet on the bot's newest message outside of the side."""

    @property
    def there(self) -> Town:
        return self.corner.town

    async def live(self) -> None:
        for _ in range(STEPS):
            side = self.corner.sides and self.chance.random() < 0.5
            await self.change(side)
            for _ in range(2):
                await self.speak(side, self.chance.choice(["Ada", "Ben"]))

    async def change(self, side: bool) -> None:
        """In the chat, or on the page of the server, which another router serves."""
        name, where = self.chance.choice(list(SETTINGS)), self.where(side)
        place = "" if where == "server" else str(side)
        match self.chance.choice(["switch", "set", "deny"]):
            case "switch":
                self.model.on[place, name] = on = self.chance.random() < 0.5
                await self.choose(side, Change(plugin=name, where=where, on=on), "plugins", plugin=name, switch="on" if on else "off")
            case "set":
                setting = SETTINGS[name]
                self.model.value[place, name] = value = self.chance.randint(*RANGES[setting])
                change = Change(plugin=name, where=where, settings={setting: value})
                await self.choose(side, change, "settings", plugin=name, setting=setting, value=str(value))
            case "deny":
                self.model.denied[place, name] = denied = self.chance.random() < 0.7
                said = {"do": "deny" if denied else "allow", "what": name, "who": "everyone", "where": where}
                assert "Saved." in await self.corner.do("permissions", side=side, **said)
                self.claps = self.claps if side else {"Ada", "Ben"}

    async def choose(self, side: bool, change: Change, command: str, **options: str) -> None:
        if self.chance.random() < 0.4:
            asked = Message("", "", self.corner.address(side), self.ada, manages=True)
            await self.there.routers[-1].office.choose(asked, change)
        else:
            assert await self.corner.do(command, side=side, **options, where=change.where)
            self.claps = self.claps if side else {"Ada", "Ben"}

    @property
    def ada(self) -> Person:
        found = self.corner.people["Ada"]
        return found if isinstance(found, Person) else Person(str(found["id"]), "Ada")

    def where(self, side: bool) -> Where:
        """For the server or for this place; in a forum General is a part of all topics."""
        own: Where = "thread" if isinstance(self.corner, OnTelegram) else "channel"
        narrow = self.corner.sides and (side or own == "channel")
        return self.chance.choice(["server", own]) if narrow else "server"

    async def speak(self, side: bool, by: str) -> None:
        """A message of some kind, and what must come of it."""
        name = self.chance.choice(list(COMMANDS))
        pressable = [probe for where, probe in sorted(self.pressable) if where == side]
        kinds = ["hear", "call", "mention", *["clap"] * (self.corner.reacts and by in self.claps), *["press"] * bool(pressable)]
        match self.chance.choice(kinds):
            case "hear":
                await self.corner.say("hear", by, side=side)
                self.check(side, self.unasked(by), *((probe, "listener:hear") for probe in PROBES))
            case "mention":
                await self.corner.say(self.corner.mention, by, side=side)
                self.check(side, by, ("chat", "listener:said"))
            case "call":
                told = await self.corner.do(COMMANDS[name], by, side=side)
                self.check(side, by, (name, f"command:{COMMANDS[name]}"))
                self.pressable |= {(side, name)} if told == "Probed." else set()
            case "press":
                name = self.chance.choice(pressable)
                await self.corner.press(f"Press {name}", by, side=side)
                self.check(side, by, (name, "action:press"))
            case "clap":
                await self.corner.clap(by)
                self.claps.discard(by)
                self.check(False, self.unasked(by), *((probe, "reaction:clap") for probe in PROBES))

    def unasked(self, by: str) -> str:
        """Telegram does not say of whom wants nothing of the bot that they look after the group."""
        return "Ben" if isinstance(self.corner, OnTelegram) else by

    def check(self, side: bool, by: str, *routes: tuple[str, str]) -> None:
        ran = self.there.ran.pop(self.corner.tenant, [])
        found = sorted((plugin, route, settings[SETTINGS[plugin]]) for plugin, route, settings in ran if plugin in SETTINGS)
        assert found == self.model.expected(str(side), by, *routes), (self.corner.tenant, side, by, routes)


async def test_nothing_of_one_server_is_seen_in_another(redis: Redis, keys: Keys, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publishing, "SETTLED", 0.5)
    config = configured(Path("config/bot.toml"))

    def plugins() -> Plugins:
        ours = load(config, "front").loaded.values()
        return Plugins([*ours, *(loaded(Probe(name), enabled=name != "three") for name in PROBES)])

    begins = {name: one.settings().model_dump()[SETTINGS[name]] for name, one in plugins().loaded.items() if name in SETTINGS}
    async with town(redis, keys, tmp_path, plugins, routers=2) as there:
        corners = [await there.corner(platform) for platform, number in PLATFORMS.items() for _ in range(number)]
        lives = [Life(corner, Model(begins), random.Random(f"{SEED}/{number}")) for number, corner in enumerate(corners)]
        await asyncio.gather(*(life.live() for life in lives))
