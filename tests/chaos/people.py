"""People who go on talking whatever happens, and what they have seen in the end."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from itertools import pairwise

from bot.errors import StoreError
from bot.messages import Person, Text
from bot.store.conversations import Conversations
from bot.store.places import BOT, Draft, Place, RoomMessage, newcomer
from bot.store.rooms import MOST_MESSAGES, Rooms

MOST_OPEN = 3
"""Questions of one person without an answer; as many as may wait."""

PACE = 1.5
"""Seconds between two questions of a person, on average."""

BEHIND = 2.0
"""Seconds for which the store may put off writing to its file while an fsync takes long (`appendfsync everysec`), before it is killed."""


@dataclass
class Said:
    """What a person said. `text` comes back as the answer; `ordered`: after the answers to what was said before."""

    id: str
    text: str
    at: float

    @property
    def ordered(self) -> bool:
        return not self.text.startswith("aside")

    def unwritten(self, kills: Sequence[float]) -> bool:
        """Whether the store may have died before it had this in its file."""
        return any(self.at - 0.1 <= kill <= self.at + BEHIND for kill in kills)


@dataclass
class Verdict:
    """What stands in all places in the end, counted."""

    counts: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def count(self, what: str, message: str = "") -> None:
        """One more; with a message, it should not have been."""
        self.counts[what] += 1
        if message:
            self.wrong.append(f"{what}: {message}")


@dataclass(eq=False)
class Talker:
    """One person in one place, whose questions are numbered."""

    place: Place
    person: Person
    rng: random.Random
    said: list[Said] = field(default_factory=list)
    open: set[str] = field(default_factory=set)
    waits: list[float] = field(default_factory=list)
    """Seconds from question to answer."""
    quiet: bool = False

    async def talk(self, rooms: Rooms) -> None:
        """Until `quiet`. What the store does not take is said again, with the same nonce."""
        while not self.quiet:
            await asyncio.sleep(self.rng.expovariate(1 / PACE))
            if len(self.open) < MOST_OPEN:
                await self._say(rooms, f"{self.rng.choice(KINDS)} {self.person.name} {len(self.said)} and some words more")

    async def _say(self, rooms: Rooms, text: str) -> None:
        nonce = f"{len(self.said)}"
        while True:
            try:
                id = await rooms.say(self.place, Draft(self.person, (Text(text),)), nonce)
            except StoreError:
                await asyncio.sleep(0.2)
            else:
                self.said.append(Said(id, text, time.time()))
                self.open.add(id)
                return

    async def look(self, rooms: Rooms) -> None:
        """Sees the answers come, for ever."""
        while True:
            try:
                async with aclosing(rooms.watch(self.place)) as changes:
                    async for some in changes:
                        for change in some:
                            if isinstance(change, RoomMessage):
                                self._see(change)
            except StoreError:
                await asyncio.sleep(0.2)

    def _see(self, message: RoomMessage) -> None:
        asked = message.head.reply_to
        if not message.body.busy and asked in self.open:
            self.open.discard(asked)
            self.waits += [time.time() - said.at for said in self.said if said.id == asked]


KINDS = ("tell", "tell", "tell", "aside", "aside", "long")


class People:
    """Two in a room, each with a conversation of their own with the bot beside it."""

    def __init__(self, rooms: int, seed: int) -> None:
        self.talkers: list[Talker] = []
        for number in range(rooms):
            both = [newcomer(f"{name}{number}", f"{seed}{name}{number}") for name in ("Ada", "Bob")]
            places = [Place(f"room{number}"), *(Place(f"room{number}", person.id) for person in both)]
            self.talkers += [Talker(place, person, random.Random(f"{seed}{place}{person.name}")) for place in places[:1] for person in both]
            self.talkers += [Talker(place, person, random.Random(f"{seed}{place}")) for place, person in zip(places[1:], both, strict=True)]

    @property
    def accepted(self) -> int:
        return sum(len(talker.said) for talker in self.talkers)

    def open(self, kills: Sequence[float]) -> int:
        """Questions without an answer, but for those that the store may have died with."""
        return sum(said.id in talker.open and not said.unwritten(kills) for talker in self.talkers for said in talker.said)

    async def verdict(self, rooms: Rooms, conversations: Conversations, kills: Sequence[float]) -> Verdict:
        """Reads everything, once nothing happens any more; `kills` are when the store was killed."""
        verdict = Verdict()
        for place in {talker.place: None for talker in self.talkers}:
            said = sorted((said for talker in self.talkers if talker.place == place for said in talker.said), key=lambda one: int(one.id))
            _judge(verdict, place, said, await rooms.history(place, MOST_MESSAGES), kills)
            turns = await conversations.turns(_address(place), 1_000_000)
            expected = [part for one in said if one.ordered for part in ((one.id, "person"), (one.id, "bot"))]
            _judge_turns(verdict, place, expected, [(turn.message, turn.role) for turn in turns])
        return verdict


def _address(place: Place) -> str:
    from bot.connectors.room import address

    return address(place).conversation


def _judge(verdict: Verdict, place: Place, said: list[Said], history: list[RoomMessage], kills: Sequence[float]) -> None:
    ids = {one.text: one.id for one in said}
    first = int(history[0].id) if len(history) == MOST_MESSAGES else 0  # a room forgets what is further back
    verdict.counts["further back than a room remembers"] += sum(int(one.id) < first for one in said)
    said = [one for one in said if int(one.id) >= first]
    answers: dict[str, list[RoomMessage]] = {one.id: [] for one in said}
    for message in history:
        if message.head.author.id == BOT.id:  # later parts reply to nothing, but say what they are parts of
            asked = message.head.reply_to or ids.get(message.text.partition("\n")[0], "")
            if not asked or int(asked) >= first:
                answers.setdefault(asked, []).append(message)
    kept = {message.id for message in history}
    order: list[int] = []
    for one in [one for one in said if one.id in kept]:
        found = answers.pop(one.id)
        _judge_one(verdict, f"{place.key} {one.id} {one.text!r}", one, found)
        if one.ordered and found:
            order.append(int(found[0].id))
    verdict.counts["reordered"] += (bad := sum(after < before for before, after in pairwise(order)))
    if bad:
        verdict.wrong.append(f"reordered: {bad} answers in {place.key}")
    for one in [one for one in said if one.id not in kept and one.unwritten(kills) and not answers[one.id]]:
        del answers[one.id]  # the question itself is not in the room any more
        verdict.count("gone with the store's last two seconds")
    for asked, found in answers.items():
        verdict.count("without a question", f"{place.key} {asked}: {[message.text[:40] for message in found]}")


def _judge_one(verdict: Verdict, what: str, said: Said, found: list[RoomMessage]) -> None:
    lines = [message for message in found if message.body.busy]
    final = [message for message in found if not message.body.busy]
    verdict.counts["orphan status lines"] += len(lines)
    whole = "\n".join(message.text for message in final)
    parts = 2 if said.text.startswith("long") and not any(message.body.fault for message in final) else 1
    if not final:
        verdict.count("lost", f"{what}: {[message.text[:40] for message in found]}")
    elif any(message.body.fault for message in final):
        verdict.count(f"told: {final[0].text[:60].split(' reference')[0]}")
    if len(final) > parts:
        again = len({message.text for message in final}) == parts
        verdict.count("repeated later parts" if again and parts > 1 else "doubled", f"{what}: {[message.text[:40] for message in final]}")
    elif final and parts == len(final) and not any(message.body.fault for message in final):
        right = whole.count(said.text) == (17_000 // len(said.text) if parts == 2 else 1)
        verdict.count("answered" if right else "wrong answers", "" if right else f"{what}: {whole[:80]!r}")
    elif final and len(final) < parts:
        verdict.count("cut short", f"{what}: {len(final)} of {parts} parts")


def _judge_turns(verdict: Verdict, place: Place, expected: list[tuple[str, str]], found: list[tuple[str, str]]) -> None:
    """What is remembered: in order, nothing twice; the answer to a question is missing where the person was told why."""
    remembered = iter(expected)
    for turn in found:
        if turn not in remembered:
            verdict.count("wrong turns", f"{place.key} {turn}")
            return
