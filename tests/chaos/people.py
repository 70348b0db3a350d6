"""People who go on talking whatever happens. Where: `venues.py`. What they have seen in the end: `verdict.py`."""

from __future__ import annotations

import asyncio
import math
import random
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from bot.errors import StoreError
from bot.store.places import Place, newcomer
from bot.store.rooms import Rooms
from tests.chaos.chats import OnDiscord, OnTelegram
from tests.chaos.venues import InRoom, Shown, Venue
from tests.wire.discord_server import Discord
from tests.wire.telegram_chats import person
from tests.wire.telegram_server import Telegram

MOST_OPEN = 3
"""Questions of one person without an answer; as many as may wait."""

PACE = 1.5
"""Seconds between two questions of a person, on average, unless they are so many that this would be too much."""

IMPATIENT = 0.04
"""The share of questions that are cancelled as soon as it can be done."""

BEHIND = 2.0
"""Seconds for which the store may put off writing to its file while an fsync takes long (`appendfsync everysec`), before it is killed."""

CALM = {"tell": 3, "aside": 2, "long": 1}
"""What people say when nothing goes wrong, by how often."""

ROUGH = {name: 40 * often for name, often in CALM.items()} | {"/relay": 50, "picture": 6, "memory": 4, "raise": 2}
ROUGH |= {"device": 1, "poison": 1, "stuck": 1, "huge": 1}
"""And what goes wrong by words: a picture that is none, no memory, a plugin's fault, a lost device, a worker's death, a lock that is
kept for longer than a lease, thirty million letters."""


@dataclass
class Said:
    """What a person said. `text` comes back as the answer; `ordered`: after the answers to what was said before."""

    id: str
    text: str
    at: float
    impatient: bool = False

    @property
    def ordered(self) -> bool:
        return self.text.startswith(("tell", "long"))

    def unwritten(self, kills: Sequence[float]) -> bool:
        """Whether the store may have died before it had this in its file."""
        return any(self.at - 0.1 <= kill <= self.at + BEHIND for kill in kills)


@dataclass(eq=False)
class Talker:
    """One person in one place, whose questions are numbered."""

    venue: Venue
    name: str
    rng: random.Random
    kinds: dict[str, int] = field(default_factory=lambda: CALM)
    said: list[Said] = field(default_factory=list)
    open: dict[str, Said] = field(default_factory=dict)
    waits: list[float] = field(default_factory=list)
    """Seconds from question to answer."""
    cancelled: int = 0
    quiet: asyncio.Event = field(default_factory=asyncio.Event)
    pace: float = PACE
    waiting: asyncio.Event = field(default_factory=asyncio.Event)
    """Whether there is a question without an answer."""
    _pressing: set[asyncio.Task[None]] = field(default_factory=set)

    async def talk(self) -> None:
        """Until `quiet`. What the store does not take is said again, with the same nonce."""
        while not await self._quiet_within(self.rng.expovariate(1 / self.pace)):
            if sum(not self.venue.excused(id) for id in self.open) < MOST_OPEN:
                await self._say(f"{self.name} {len(self.said)} and some words more")
        await asyncio.gather(*self._pressing, return_exceptions=True)

    async def _quiet_within(self, seconds: float) -> bool:
        with suppress(TimeoutError):
            await asyncio.wait_for(self.quiet.wait(), seconds)
        return self.quiet.is_set()

    async def _say(self, words: str) -> None:
        [kind] = self.rng.choices(list(self.kinds), list(self.kinds.values()))
        text, back = (f"{kind} {words}", f"{kind} {words}{self.venue.mention}")
        if kind == "/relay":
            text, back = f"/relay aside {words}", f"aside {words}"
        nonce, impatient = f"{self.name} {len(self.said)}", self.rng.random() < IMPATIENT and self.kinds is not CALM
        while True:
            try:
                id = await self.venue.say(self.name, text, nonce)
            except StoreError:
                await asyncio.sleep(0.2)
            else:
                said = Said(id, back, time.time(), impatient)
                self.said.append(said)
                self.open[id] = said
                self.waiting.set()
                return

    def see(self, message: Shown) -> None:
        """A message of the bot, as often as it changes."""
        first = message.text.partition("\n")[0]  # what a command is told in its channel replies to nothing
        said = self.open.get(message.asked) or next((one for one in self.open.values() if one.text == first), None)
        if said is None:
            return
        if not message.busy:
            del self.open[said.id]
            self.waits.append(time.time() - said.at)
            if not self.open:
                self.waiting.clear()
        elif said.impatient:
            said.impatient = False
            self.cancelled += 1
            self._pressing.add(task := asyncio.create_task(self._cancel(message)))
            task.add_done_callback(self._pressing.discard)

    async def _cancel(self, line: Shown) -> None:
        with suppress(StoreError):  # what is lost is pressed again, by those who still want to
            await self.venue.cancel(self.name, line)


class People:
    """Everybody, with an order of their own that follows from the seed."""

    def __init__(self, seed: int, kinds: dict[str, int] = CALM, rate: float = math.inf) -> None:
        """`rate` is the most that all of them say together in a second, on average."""
        self.talkers: list[Talker] = []
        self._seed = seed
        self._kinds = kinds
        self._rate = rate

    def in_rooms(self, rooms: Rooms, count: int) -> None:
        """Two in each room, each with a conversation of their own with the bot beside it."""
        for number in range(count):
            both = {f"{name}{number}": newcomer(f"{name}{number}", f"{self._seed}{name}{number}") for name in ("Ada", "Bob")}
            self._meet(InRoom(rooms, Place(f"room{number}"), both), *both)
            for name, one in both.items():
                self._meet(InRoom(rooms, Place(f"room{number}", one.id), both), name)

    def on_discord(self, discord: Discord, channels: int, guilds: int = 1) -> None:
        """Two in each channel; these are spread over the guilds."""
        homes = [discord.world.guild(f"Lounge {number}") for number in range(guilds)]
        for number in range(channels):
            both = {f"{name}{number}": discord.world.user(f"{name}{number}") for name in ("Cat", "Dan")}
            self._meet(OnDiscord(discord, discord.world.channel(homes[number % guilds], f"talk-{number}"), both), *both)

    def on_telegram(self, telegram: Telegram, groups: int) -> None:
        """Two in each group, each of whom speaks to the bot alone, too."""
        for number in range(groups):
            both = {f"{name}{number}": person(1000 + telegram.chats.next_id(), f"{name}{number}") for name in ("Eve", "Fay")}
            self._meet(OnTelegram(telegram, telegram.chats.group(-1_000_000_000_100 - number, f"Lounge {number}"), both), *both)
            for name, one in both.items():
                self._meet(OnTelegram(telegram, telegram.chats.direct(one), both), name)

    def _meet(self, venue: Venue, *names: str) -> None:
        rngs = {name: random.Random(f"{self._seed}{venue.name}{name}") for name in names}
        self.talkers += [Talker(venue, name, rng, self._kinds) for name, rng in rngs.items()]

    def look(self) -> list[asyncio.Task[None]]:
        """Everybody sees what comes, until these are cancelled."""
        return [asyncio.create_task(talker.venue.look(talker.see, talker.waiting)) for talker in self.talkers]

    def talk(self) -> list[asyncio.Task[None]]:
        """Everybody talks, until `hush`."""
        for talker in self.talkers:
            talker.pace = max(PACE, len(self.talkers) / self._rate)
        return [asyncio.create_task(talker.talk()) for talker in self.talkers]

    def hush(self) -> None:
        """Nobody says anything more."""
        for talker in self.talkers:
            talker.quiet.set()

    @property
    def by_platform(self) -> Counter[str]:
        """How much was said on each."""
        found = Counter[str]()
        for talker in self.talkers:
            found[talker.venue.conversation.partition("/")[0]] += len(talker.said)
        return found

    @property
    def accepted(self) -> int:
        return sum(len(talker.said) for talker in self.talkers)

    def open(self, kills: Sequence[float]) -> int:
        """Questions without an answer, but for those that the store may have died with, and those that nobody has to answer."""
        return sum(
            not said.unwritten(kills) and not talker.venue.excused(id) for talker in self.talkers for id, said in talker.open.items()
        )
