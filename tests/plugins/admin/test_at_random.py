"""Fifty servers on three platforms whose admins switch, set, grant, rank and limit at random, on two routers at once, with every plugin.

After each message exactly the right handlers ran, with exactly the right settings.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from bot.choices import Change, Where
from bot.config import load as configured
from bot.messages import Message, Person
from bot.permissions import Permit
from bot.plugins import Plugins, load
from bot.quotas import Quota
from bot.router import publishing
from bot.router.onpages import OnPages
from bot.store.keys import Keys
from tests.plugins.admin.probe import Probe, loaded
from tests.plugins.admin.town import Corner, InRoom, OnTelegram, Town, town

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

LEVELS = ("guest", "member", "moderator", "admin")

ANYBODY = ("everyone", *(f"level:{level}" for level in LEVELS[:3]))

Ran = tuple[str, str, Any]
"""A plugin, what of it ran, and its setting."""


@dataclass
class Model:
    """What one server has chosen, as simply as it can be written down: by place ("" for the server), and for whom and what.

    `ben` is as whom grants and limits know Ben, the narrowest first; `free` says that nothing of Ada is counted.
    """

    begins: Mapping[str, Any]
    ben: Sequence[str]
    free: bool
    on: dict[tuple[str, str], bool] = field(default_factory=dict)
    value: dict[tuple[str, str], int] = field(default_factory=dict)
    grants: dict[tuple[str, str, str], bool] = field(default_factory=dict)
    levels: dict[str, str] = field(default_factory=dict)
    limits: dict[str, int] = field(default_factory=dict)
    used: Counter[str] = field(default_factory=Counter)

    def holds(self, what: Mapping[tuple[str, str], Any], place: str, name: str, otherwise: Any) -> Any:
        return what.get((place, name), what.get(("", name), otherwise))

    def expected(self, place: str, by: str, *routes: tuple[str, str], asked: bool = True) -> list[Ran]:
        """Which of these handlers run for somebody in a place; what they use is used then."""
        may = sorted((name, route, self._value(place, name)) for name, route in routes if self._may(place, by, name, route))
        return may if not (may and asked) or self._left(by) else []

    def _may(self, place: str, by: str, name: str, route: str) -> bool:
        return bool(self.holds(self.on, place, name, name != "three")) and (by == "Ada" or self._allowed(place, name, route))

    def _allowed(self, place: str, name: str, route: str) -> bool:
        """The narrowest place, then the narrowest grantee, then the narrowest thing of which something is said."""
        level = self.level
        kind, _, command = route.partition(":")
        things = [*[f"/{command}"] * (kind == "command"), name, "*"]
        whose = [*self.ben, f"level:{level}", "everyone"]
        said = (self.grants.get((where, who, what)) for where in (place, "") for who in whose for what in things)
        return level == "admin" or next((one for one in said if one is not None), True)

    @property
    def level(self) -> str:
        """What Ben is: the word for him, else the highest of what his role is and a member."""
        person, *roles = self.ben
        others = ["member", *(self.levels[role] for role in roles if role in self.levels)]
        return self.levels.get(person) or max(others, key=LEVELS.index)

    def _left(self, by: str) -> bool:
        """Whether something is left for one more, which is gone then."""
        whose = ["everyone"] if by == "Ada" else [*self.ben, "everyone"]
        most = next((self.limits[one] for one in whose if one in self.limits), None)
        if most is None or (by == "Ada" and self.free):
            return True
        fits = self.used[by] < most
        self.used[by] += fits
        return fits

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
        match self.chance.choice(["switch", "set", "grant", "rank", "limit"]):
            case "switch":
                self.model.on[place, name] = on = self.chance.random() < 0.5
                await self.choose(side, Change(plugin=name, where=where, on=on), "plugins", plugin=name, switch="on" if on else "off")
            case "set":
                setting = SETTINGS[name]
                self.model.value[place, name] = value = self.chance.randint(*RANGES[setting])
                change = Change(plugin=name, where=where, settings={setting: value})
                await self.choose(side, change, "settings", plugin=name, setting=setting, value=str(value))
            case "grant":
                who, what = self.chance.choice([*ANYBODY, *self.model.ben]), self.chance.choice([name, "*", f"/{COMMANDS[name]}"])
                self.model.grants[place, who, what] = allowed = self.chance.random() < 0.3
                await self.office.permit(self.asked(side), Permit(who=who, what=what, allowed=allowed, where=where))
            case "rank":
                who = self.chance.choice(self.model.ben)
                self.model.levels[who] = level = self.chance.choice(LEVELS)
                await self.office.permit(self.asked(side), Permit(who=who, level=level))
            case "limit":
                whose = self.chance.choice(["everyone", *self.model.ben])
                self.model.limits[whose] = most = self.chance.randint(0, 3)
                await self.office.limit(self.asked(side), Quota(whose=whose, measure="messages", rates=(f"{most}/day",)))

    async def choose(self, side: bool, change: Change, command: str, **options: str) -> None:
        if self.chance.random() < 0.4:
            await self.office.choose(self.asked(side), change)
        else:
            assert await self.corner.do(command, side=side, **options, where=change.where)
            self.claps = self.claps if side else {"Ada", "Ben"}

    @property
    def office(self) -> OnPages:
        return self.there.routers[-1].office

    def asked(self, side: bool) -> Message:
        return Message("", "", self.corner.address(side), Person(self.corner.id_of("Ada"), "Ada"), manages=True)

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
                self.check(side, by, *((probe, "listener:hear") for probe in PROBES), asked=False)
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
                self.check(False, by, *((probe, "reaction:clap") for probe in PROBES))

    def check(self, side: bool, by: str, *routes: tuple[str, str], asked: bool = True) -> None:
        ran = self.there.ran.pop(self.corner.tenant, [])
        found = sorted((plugin, route, settings[SETTINGS[plugin]]) for plugin, route, settings in ran if plugin in SETTINGS)
        expected = self.model.expected(str(side), by, *routes, asked=asked)
        assert found == expected, (self.corner.tenant, side, by, routes, self.model)


def model_of(corner: Corner, begins: Mapping[str, Any]) -> Model:
    ben = (f"person:{corner.id_of('Ben')}", *[f"role:{corner.role}"] * bool(corner.role))
    return Model(begins, ben, isinstance(corner, InRoom))


async def test_nothing_of_one_server_is_seen_in_another(redis: Redis, keys: Keys, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publishing, "SETTLED", 0.5)
    config = configured(Path("config/bot.toml"))

    def plugins() -> Plugins:
        ours = load(config, "front").loaded.values()
        return Plugins([*ours, *(loaded(Probe(name), enabled=name != "three") for name in PROBES)])

    begins = {name: one.settings().model_dump()[SETTINGS[name]] for name, one in plugins().loaded.items() if name in SETTINGS}
    async with town(redis, keys, tmp_path, plugins, routers=2, lease=60.0) as there:
        corners = [await there.corner(platform) for platform, number in PLATFORMS.items() for _ in range(number)]
        lives = [Life(corner, model_of(corner, begins), random.Random(f"{SEED}/{number}")) for number, corner in enumerate(corners)]
        await asyncio.gather(*(life.live() for life in lives))
