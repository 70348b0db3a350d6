"""Servers on Discord, on Telegram and in our own rooms, behind the same routers, as those who are in them use them.

Ada and Eve look after a server, Ben is in it. Each act returns when all that follows from it is done.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, cast

import discord as library
import pytest
from discord.gateway import DiscordWebSocket
from discord.http import Route
from redis.asyncio import Redis

from bot.allowing import UNLIMITED, AdmissionTable, Allowed
from bot.connector import Connector, Deliver, Limits
from bot.connectors.discord.connector import DiscordConnector
from bot.connectors.room import RoomConnector, address
from bot.connectors.telegram import Account, TelegramConnector
from bot.connectors.telegram.styled import JOINER
from bot.membership import Joined, Left, Present
from bot.messages import Address, Message, Person, Text
from bot.plugins import Plugins
from bot.replies import Reply
from bot.router import app
from bot.router.app import Router
from bot.router.delivery import Line
from bot.router.journal import Journal
from bot.router.runner import Runner
from bot.router.table import Entry
from bot.store.hearsay import Hearsay
from bot.store.house import HouseRules
from bot.store.keys import Keys
from bot.store.places import BOT, Arrival, Draft, Place, RoomMessage, mentioned, newcomer
from bot.store.rooms import Rooms
from bot.store.tickets import LEASE
from bot.testing import wait_until
from tests.connectors.on_discord import access
from tests.plugins.admin.hall import pressable
from tests.wire.discord_interactions import Interaction
from tests.wire.discord_payloads import EPHEMERAL, EVERYTHING, MANAGE_GUILD, Json
from tests.wire.discord_server import Discord, serving
from tests.wire.telegram_chats import Chat, person
from tests.wire.telegram_server import TOKEN, Telegram

PATIENCE = 120.0

PEOPLE = ("Ada", "Eve", "Ben")

FASTER = 50.0
"""How much faster time passes for what the platforms take and for our pace, and how much longer they wait: here nothing is about time."""

LIVES = " comes or goes"
"""Behind the name of a server: how often the bot was let in and taken out."""

FORGED = "0123456789abcdef01234567"
"""What no button is called."""

OPEN = Allowed(AdmissionTable(servers="open", direct="open"), UNLIMITED)


class Recorder(Runner):
    """Keeps which handlers ran for each server, and with which settings."""

    def __init__(self, *parts: Any, ran: dict[str, list[tuple[str, str, dict[str, object]]]]) -> None:
        super().__init__(*parts)
        self.ran = ran

    async def _handled(self, entry: Entry, journal: Journal, line: Line) -> Reply | None:
        body = journal.ticket.body
        self.ran.setdefault(body.message.address.tenant, []).append((entry.plugin, entry.id, body.settings))
        return await super()._handled(entry, journal, line)


def watching(kind: type[Any], heard: dict[str, set[str]]) -> type[Any]:
    """The connector, which keeps by server what it has handed over; of what every router hears in our own rooms, what one has taken."""

    class Watching(kind):  # type: ignore[misc]  # whichever it is
        async def run(self, deliver: Deliver) -> None:
            async def noted(message: Message) -> None:
                await deliver(message)
                tenant = message.address.tenant
                came = isinstance(message.trigger, Joined | Left | Present)
                heard[f"{tenant}{LIVES}" if came else tenant].add(message.event)

            await super().run(deliver if kind is RoomConnector else noted)

        async def _hand_over(self, arrival: Arrival, deliver: Deliver) -> None:
            await super()._hand_over(arrival, deliver)
            heard[address(arrival.place).tenant].add(arrival.id)

        def limits(self, to: Address) -> Limits:
            found: Limits = super().limits(to)
            most, seconds = found.budget
            return replace(found, rate=found.rate * FASTER, budget=(most, seconds / FASTER), edit_interval=found.edit_interval / FASTER)

    return Watching


@dataclass
class Town:
    """All of it. `ran` is by server what handlers did, `heard` the events that its connector has handed over: to whichever router."""

    redis: Redis
    keys: Keys
    discord: Discord
    telegram: Telegram
    rooms: Rooms
    house: HouseRules
    routers: list[Router] = field(default_factory=list)
    heard: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    ran: dict[str, list[tuple[str, str, dict[str, object]]]] = field(default_factory=dict)

    def connectors(self) -> list[Connector]:
        """Those of one router."""
        kinds = {
            DiscordConnector: (access(self.discord),),
            TelegramConnector: (Account(TOKEN, self.telegram.root, f"{self.telegram.root}/file", wait=5), Hearsay(self.redis, self.keys)),
            RoomConnector: (self.rooms,),
        }
        return [watching(kind, self.heard)(*given) for kind, given in kinds.items()]

    async def settled(self, tenant: str) -> None:
        """Returns when every ticket of a server has ended, whichever router has it."""
        name = f'"server":"{Address.of(tenant).server}"'.encode()

        async def quiet() -> bool:
            if any(one.body.message.address.tenant == tenant for each in self.routers for one in each.runner.held):
                return False
            running = cast("list[bytes]", await self.redis.zrange(self.keys.ticket_leases(), 0, -1))
            async with self.redis.pipeline(transaction=False) as batch:
                for id in running:
                    batch.hget(self.keys.ticket(id.decode()), "body")
                return not any(name in (body or b"") for body in await batch.execute())

        await wait_until(quiet, PATIENCE)

    async def corner(self, platform: str) -> Corner:
        """A new server."""
        match platform:
            case "discord":
                return await OnDiscord.of(self, self.discord.world.guild(f"Guild {self.discord.world.id()}"))
            case "telegram":
                return await OnTelegram.of(self, -1000000000000 - self.telegram.chats.next_id())
            case _:
                return await InRoom.of(self, f"room-{self.discord.world.id()}")


@dataclass
class Corner(ABC):
    """One server. `side` is another channel of it, or a topic."""

    town: Town
    tenant: str
    people: Mapping[str, Any]
    """Ada, Eve and Ben, as the platform has them."""
    mention: str
    """What calls the bot."""
    sides: bool = field(default=True, init=False)
    """Whether it has one."""
    reacts: bool = field(default=True, init=False)
    """Whether people put signs on messages there."""
    role: str = field(default="", init=False)
    """That which Ben has and admins have not, by its id; "" for none."""

    def id_of(self, name: str) -> str:
        """How the platform knows somebody."""
        found = self.people[name]
        return found.id if isinstance(found, Person) else str(found["id"])

    def pickable(self, name: str) -> str:
        """What is sent for what people see so in a menu of all that there is; where they type it, the name."""
        return name

    async def after(self, act: Awaitable[Any], tenant: str = "") -> str:
        """What the bot says or changes, wherever somebody of it can see that."""
        tenant = tenant or self.tenant
        before, heard = await self.shown(), len(self.town.heard[tenant])
        await act
        await wait_until(lambda: len(self.town.heard[tenant]) > heard, PATIENCE)
        await self.town.settled(tenant.removesuffix(LIVES))
        return "\n".join(text for id, text in (await self.shown()).items() if before.get(id) != text)

    @abstractmethod
    def address(self, side: bool) -> Address:
        """Where that is, as the bot knows it."""

    @abstractmethod
    async def shown(self) -> dict[str, str]:
        """All that the bot says, by a name for each message."""

    @abstractmethod
    async def say(self, text: str, by: str = "Ben", *, side: bool = False) -> str:
        """Somebody says something to everybody."""

    @abstractmethod
    async def do(self, command: str, by: str = "Ada", *, side: bool = False, **options: str) -> str:
        """Somebody uses a command, whatever is listed."""

    @abstractmethod
    async def press(self, label: str, by: str = "Ada", *, side: bool = False) -> str:
        """Somebody presses the newest button of this label, or chooses that from a menu."""

    @abstractmethod
    async def open(self, label: str, by: str = "Ada") -> Any:
        """Somebody presses a button that asks for something; what asks."""

    @abstractmethod
    async def fill(self, asked: Any, value: str = "", by: str = "Ada", **values: str) -> str:
        """They answer it, where it asks for one thing or for several; of what is picked, its id where they choose that from a menu."""

    @abstractmethod
    async def forge(self, by: str = "Ben") -> str:
        """Somebody presses a button that the bot has never made, below its newest message."""

    @abstractmethod
    async def demote(self, name: str) -> None:
        """Somebody does not look after it any more."""

    async def clap(self, by: str = "Ben") -> str:
        """Somebody puts a sign on the bot's newest message outside of topics."""
        raise AssertionError("nobody does that there")

    async def complete(self, command: str, option: str, text: str) -> list[str]:
        """What is offered to Ben while he types."""
        raise AssertionError("nobody is helped there")

    async def remove(self) -> None:
        """The bot is taken out of it."""
        raise AssertionError("it cannot be")


@dataclass
class OnDiscord(Corner):
    """A guild."""

    discord: Discord
    guild: Json
    channels: list[Json]
    admins: set[str] = field(default_factory=lambda: {"Ada", "Eve"})

    @classmethod
    async def of(cls, town: Town, guild: Json) -> OnDiscord:
        world, tenant = town.discord.world, f"discord/{guild['id']}"
        channels = [world.channel(guild, name) for name in ("hall", "side")]
        people = {name: world.user(name) for name in PEOPLE}
        world.join(guild, *people.values())
        world.role(guild, "Admins", people["Ada"], people["Eve"])["permissions"] = str(int(EVERYTHING) | MANAGE_GUILD)
        made = cls(town, tenant, people, f"<@{world.bot['id']}>", town.discord, guild, channels)
        made.role = world.role(guild, "Singers", people["Ben"])["id"]
        await made.after(town.discord.let_in_as(guild), f"{tenant}{LIVES}")
        return made

    def pickable(self, name: str) -> str:
        users = [{"id": one["id"], "name": who} for who, one in self.people.items()]
        return next(str(one["id"]) for one in (*self.channels, *self.guild["roles"], *users) if one["name"] == name)

    def address(self, side: bool) -> Address:
        return Address("discord", self.guild["id"], self.channels[side]["id"])

    async def shown(self) -> dict[str, str]:
        return {one["id"]: one["content"] for channel in self.channels for one in self.discord.said(channel)}

    async def say(self, text: str, by: str = "Ben", *, side: bool = False) -> str:
        return await self.after(self.discord.say(self.channels[side], self.people[by], text))

    async def do(self, command: str, by: str = "Ada", *, side: bool = False, **options: str) -> str:
        given = [{"name": name, "type": 3, "value": value} for name, value in options.items()]
        data = {"id": "1", "name": command, "type": 1, "options": given}
        return await self.after(self._interact(2, by, data, self.channels[side]))

    async def press(self, label: str, by: str = "Ada", *, side: bool = False) -> str:
        return await self.after(self._press(label, by, self.channels[side]))

    async def open(self, label: str, by: str = "Ada") -> Interaction:
        opened: list[Interaction] = []

        async def act() -> None:
            opened.append(await self._press(label, by, self.channels[0]))

        await self.after(act())
        await wait_until(lambda: opened[0].modal is not None)
        return opened[0]

    async def fill(self, asked: Any, value: str = "", by: str = "Ada", **values: str) -> str:
        filled = values or {"value": value}
        return await self.after(self.discord.fill(asked, self.people[by], permissions=self._permissions(by), **filled))

    async def forge(self, by: str = "Ben") -> str:
        data = {"custom_id": FORGED, "component_type": 2, "id": 1}
        return await self.after(self._interact(3, by, data, self.channels[0], self.discord.said(self.channels[0])[-1]))

    async def demote(self, name: str) -> None:
        self.admins.discard(name)

    async def clap(self, by: str = "Ben") -> str:
        message = [one for one in self.discord.said(self.channels[0]) if not one["flags"] & EPHEMERAL][-1]
        return await self.after(self.discord.react(message, self.people[by], "👏"))

    async def complete(self, command: str, option: str, text: str) -> list[str]:
        made: list[Interaction] = []

        async def act() -> None:
            given = [{"name": option, "type": 3, "value": text, "focused": True}]
            data = {"id": "1", "name": command, "type": 1, "options": given}
            made.append(await self._interact(4, "Ben", data, self.channels[0]))

        await self.after(act())
        return [choice["name"] for choice in made[0].choices]

    async def remove(self) -> None:
        await self.after(self.discord.shut_out(self.guild), f"{self.tenant}{LIVES}")

    def _permissions(self, by: str) -> str:
        return str(MANAGE_GUILD if by in self.admins else 0)

    async def _interact(self, kind: int, by: str, data: Json, channel: Json, message: Json | None = None) -> Interaction:
        return await self.discord.interactions.make(kind, channel, self.people[by], data, message, permissions=self._permissions(by))

    async def _press(self, label: str, by: str, channel: Json) -> Interaction:
        for message in reversed(self.discord.said(channel)):
            for part in (part for row in message["components"] for part in row["components"]):
                values = [one["value"] for one in part.get("options", ()) if one["label"] == label]
                if values or part.get("label") == label:
                    data = {"custom_id": part["custom_id"], "component_type": part["type"], "id": 1} | (
                        {"values": values} if values else {}
                    )
                    return await self._interact(3, by, data, channel, message)
        raise AssertionError(f"no button {label!r} below {self.discord.texts(channel)}")


@dataclass
class OnTelegram(Corner):
    """A forum, whose administrator the bot is. What is for one person alone comes to their own chat, or into the click's answer."""

    telegram: Telegram
    chat: Chat
    topic: int

    @classmethod
    async def of(cls, town: Town, id: int) -> OnTelegram:
        chats = town.telegram.chats
        chat, people = chats.group(id, "Group", forum=True), {name: person(chats.next_id(), name) for name in PEOPLE}
        chat.bot, topic = "left", chats.topic(chat, "side")
        chat.members |= {people["Ada"]["id"]: "administrator", people["Eve"]["id"]: "administrator", people["Ben"]["id"]: "member"}
        for one in people.values():
            chats.direct(one)
        made = cls(town, f"telegram/{id}", people, f"@{town.telegram.bot['username']}", town.telegram, chat, topic)
        made.role = "member"
        await made.after(made._act(lambda: chats.promote(chat, "administrator")), f"telegram/{id}{LIVES}")
        return made

    def address(self, side: bool) -> Address:
        return Address("telegram", str(self.chat.id), "main", str(self.topic) if side else "")

    async def shown(self) -> dict[str, str]:
        said = {f"{one['chat']['id']}/{one['message_id']}": _words(one) for chat in self._chats() for one in chat.mine}
        return said | {id: str(answer.get("text", "")) for id, answer in self.telegram.methods.answered.items() if answer.get("text")}

    def _chats(self) -> list[Chat]:
        return [self.chat, *(self.telegram.chats.direct(one) for one in self.people.values())]

    async def say(self, text: str, by: str = "Ben", *, side: bool = False) -> str:
        return await self.after(self._act(lambda: self.telegram.chats.say(self.chat, self.people[by], text, topic=self.topic * side)))

    async def do(self, command: str, by: str = "Ada", *, side: bool = False, **options: str) -> str:
        return await self.say(typed(f"{command}{self.mention}", options), by, side=side)

    async def press(self, label: str, by: str = "Ada", *, side: bool = False) -> str:
        here = [one for one in self.chat.mine if bool(one.get("is_topic_message")) == side]
        for message in (*reversed(here), *(one for chat in self._chats()[1:] for one in reversed(chat.mine))):
            keys = [key["text"] for row in message.get("reply_markup", {}).get("inline_keyboard", []) for key in row]
            if label in keys:
                chat = self.telegram.chats.chats[message["chat"]["id"]]
                act = partial(self.telegram.chats.click, chat, self.people[by], message, label)
                return await self.after(self._act(act), f"telegram/{chat.id}")
        raise AssertionError(f"no button {label!r} below {self.chat.said}")

    async def open(self, label: str, by: str = "Ada") -> Json:
        await self.press(label, by)
        return [one for one in self.chat.mine if "reply to this message" in _words(one)][-1]

    async def fill(self, asked: Any, value: str = "", by: str = "Ada", **values: str) -> str:
        said = "\n".join(f"{name}: {one}" for name, one in values.items()) or value
        return await self.after(self._act(lambda: self.telegram.chats.say(self.chat, self.people[by], said, reply_to=asked)))

    async def forge(self, by: str = "Ben") -> str:
        message = self.chat.mine[-1]
        forged = {**message, "reply_markup": {"inline_keyboard": [[{"text": "Forged", "callback_data": FORGED}]]}}
        return await self.after(self._act(lambda: self.telegram.chats.click(self.chat, self.people[by], forged, "Forged")))

    async def demote(self, name: str) -> None:
        self.chat.members[self.people[name]["id"]] = "member"

    async def clap(self, by: str = "Ben") -> str:
        message = [one for one in self.chat.mine if not one.get("is_topic_message")][-1]
        return await self.after(self._act(lambda: self.telegram.chats.react(self.chat, self.people[by], message, "👏")))

    async def remove(self) -> None:
        await self.after(self._act(lambda: self.telegram.chats.promote(self.chat, "left")), f"{self.tenant}{LIVES}")

    async def _act(self, act: Callable[[], object]) -> None:
        act()


@dataclass
class InRoom(Corner):
    """A room of our own: owners look after it, nobody reacts there, and it has no other channel."""

    place: Place

    @classmethod
    async def of(cls, town: Town, name: str) -> InRoom:
        people = {who: newcomer(who, f"{name} {who}") for who in PEOPLE}
        made = cls(town, f"room/{name}", people, "@Hobnob", Place(name))
        made.sides = made.reacts = False
        for who in ("Ada", "Eve"):
            await made.say(f"/claim {await town.house.offer()}", who)
        await town.rooms.people.join(name, people["Ben"])
        return made

    def address(self, side: bool) -> Address:
        return Address("room", self.place.room, "main")

    async def shown(self) -> dict[str, str]:
        return {one.id: one.text for one in await self.town.rooms.history(self.place) if one.head.author.bot}

    async def say(self, text: str, by: str = "Ben", *, side: bool = False) -> str:
        draft = Draft(self.people[by], (Text(text),), mentioned(text, [*self.people.values(), BOT]))
        return await self.after(self.town.rooms.say(self.place, draft))

    async def do(self, command: str, by: str = "Ada", *, side: bool = False, **options: str) -> str:
        return await self.say(typed(command, options), by)

    async def press(self, label: str, by: str = "Ada", *, side: bool = False) -> str:
        for message in reversed(await self.town.rooms.history(self.place)):
            for id, chosen in pressable(message.body, label):
                return await self.after(self.town.rooms.click(self.place, message.id, id, self.people[by], chosen))
        raise AssertionError(f"no button {label!r} below {list((await self.shown()).values())}")

    async def open(self, label: str, by: str = "Ada") -> RoomMessage:
        await self.press(label, by)
        return [one for one in await self.town.rooms.history(self.place) if one.body.form is not None][-1]

    async def fill(self, asked: Any, value: str = "", by: str = "Ada", **values: str) -> str:
        ids = {one.name: {label: id for id, label in one.labels.items()} for one in asked.body.form.inputs}
        filled = {name: ids[name].get(one, one) for name, one in (values or {"value": value}).items()}
        return await self.after(self.town.rooms.click(self.place, asked.id, asked.body.fills, self.people[by], filled=filled))

    async def forge(self, by: str = "Ben") -> str:
        return await self.after(self.town.rooms.click(self.place, list(await self.shown())[-1], FORGED, self.people[by]))

    async def demote(self, name: str) -> None:
        await self.town.house.disown(f"room/{self.people[name].id}")


def typed(command: str, options: dict[str, str]) -> str:
    """A command as people type it."""
    return " ".join([f"/{command}", *(f'--{name} "{value}"' for name, value in options.items())])


def _words(message: Json) -> str:
    return str(message.get("text", message.get("caption", ""))).replace(JOINER, "")


@asynccontextmanager
async def town(
    redis: Redis, keys: Keys, folder: Path, plugins: Callable[[], Plugins], routers: int = 1, lease: float = LEASE
) -> AsyncIterator[Town]:
    """A town with so many routers, the first of which receives from Discord and Telegram; each has plugins of its own. With a long
    `lease` no busy machine makes one take for dead what another works on, and do it again.
    """
    async with AsyncExitStack() as stack:
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        for owner, name in ((Route, "BASE"), (DiscordWebSocket, "DEFAULT_GATEWAY"), (library.Asset, "BASE")):
            patch.setattr(owner, name, getattr(owner, name))  # discord.py has one Discord for a process; this puts it back
        discord = await stack.enter_async_context(serving(Discord()))
        discord.limiter.scale, discord.interactions.scale = FASTER, 1 / FASTER
        telegram = await stack.enter_async_context(Telegram().serving())
        rooms = Rooms(redis, keys, folder)
        stack.push_async_callback(rooms.close)
        made = Town(redis, keys, discord, telegram, rooms, HouseRules(redis, keys))
        for _ in range(routers):
            loaded = plugins()
            router = app.build(redis, keys, loaded, made.connectors(), allowed=OPEN, lease=lease, run=partial(Recorder, ran=made.ran))
            made.routers.append(await stack.enter_async_context(app.running(router, loaded)))
            await wait_until(lambda: discord.gateway.ready and telegram.polled, PATIENCE)
        yield made
