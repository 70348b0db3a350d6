"""Choices of a server as plugins see and change them: who may, what is refused, and what others notice."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field
from redis.asyncio import Redis

from bot import Changed, Chosen, Command, Context, Listener, NoArgs, Reply, Route, UserError, Where, hookimpl
from bot.choices import Change
from bot.discovery import Manifest
from bot.membership import Joined, Left
from bot.messages import Address, Called, Message, Person, Said, Text
from bot.plugins import Loaded, Plugins
from bot.router import app
from bot.router.app import Router, running
from bot.store.keys import Keys
from bot.store.servers import Choices, Server, Servers
from bot.tables import Talking, TalkingTable
from bot.testing import wait_until
from bot.testing.platform import Platform

ROOM = Address("room", "lounge", "main")
SIDE = Address("room", "lounge", "side")
TOPIC = Address("room", "lounge", "side", "topic")
ELSEWHERE = Address("room", "attic", "main")
ADA, BEN = Person("ada", "Ada"), Person("ben", "Ben")


class Tone(BaseModel):
    """Settings with rules."""

    model_config = ConfigDict(extra="forbid")

    tone: str = Field(default="calm", title="Tone", min_length=2)
    loud: int = Field(default=1, title="Loudness", ge=0, le=11)
    key: str = "c"


class Picks(BaseModel):
    """Settings that are picked, and a list that is not."""

    place: str | None = Field(default=None, json_schema_extra={"picks": "channel"})
    lead: int = Field(default=0, json_schema_extra={"picks": "role"})
    roles: list[str] = Field(default=[], json_schema_extra={"picks": "role"})


@dataclass
class Hall(Platform):
    """A platform that knows what is there."""

    picks: bool = False

    async def known(self, to: Address, kind: Literal["channel", "role", "person"]) -> Mapping[str, str]:
        return {"channel": {"side": "Side"}, "role": {"5": "Tenor"}}.get(kind, {})


class Horns(BaseModel):
    """What a band has."""

    horns: tuple[str, ...] = ("tuba", "cornet")


class Playing(BaseModel):
    """What a server chooses of it."""

    horn: str = Field(default="", json_schema_extra={"among": "horns"})
    loud: bool = False


class Singer:
    """Says how it sounds here, and lets an admin change that."""

    @hookimpl
    def register_routes(self) -> Iterable[Route]:
        return [Listener("sing", lambda message: message.text == "sing", self.sing), Command("tune", "Tunes.", Change, self.tune)]

    async def sing(self, ctx: Context) -> str:
        return f"{ctx.settings.tone} {ctx.settings.loud}"

    async def tune(self, ctx: Context, args: Change) -> str:
        found = await ctx.choices.change(args)
        return f"tuned to {found.setting('tone').value}"


@dataclass
class Boss:
    """Does with choices what a test wants."""

    script: list[Change] = field(default_factory=list)
    seen: list[Chosen] = field(default_factory=list)

    @hookimpl
    def register_routes(self) -> Iterable[Route]:
        return [Command("do", "Does.", NoArgs, self.do), Command("look", "Looks.", NoArgs, self.look)]

    async def do(self, ctx: Context, args: NoArgs) -> Reply | str:
        try:
            self.seen = [await ctx.choices.change(self.script[0])]
        except Changed as error:
            self.seen = [error.now]
            return f"changed: {error}"
        return "done"

    async def look(self, ctx: Context, args: NoArgs) -> str:
        self.seen = await ctx.choices.all()
        return "\n".join(f"{deed.name}: {deed.plugin}: {deed.told}" for deed in await ctx.choices.deeds()) or "nothing"


@dataclass
class Stage:
    """A router on a platform, and its boss."""

    router: Router
    platform: Platform
    boss: Boss
    servers: Servers
    count: int = 0

    async def say(self, message: Message) -> str:
        self.count += 1
        before = len(self.platform.shown(message.address))
        await self.router.deliver(replace(message, id=str(self.count), event=str(self.count)))
        await wait_until(lambda: not self.router.runner.held)
        return "\n".join(self.platform.shown(message.address)[before:])

    async def sing(self, place: Address = ROOM) -> str:
        return await self.say(Message("", "", place, BEN, (Text("sing"),), Said()))

    async def do(self, change: Change, place: Address = ROOM, by: Person = ADA, manages: bool = True) -> str:
        self.boss.script = [change]
        return await self.say(Message("", "", place, by, trigger=Called("do"), manages=manages))

    async def look(self, place: Address = ROOM, manages: bool = True) -> str:
        return await self.say(Message("", "", place, ADA, trigger=Called("look"), manages=manages))

    def chosen(self, plugin: str) -> Chosen:
        return next(one for one in self.boss.seen if one.plugin == plugin)


ADMINISTERS = Manifest(summary="Rules.", api=1, licence="Apache-2.0", rights=frozenset({"administration"}))


def plugins(boss: Boss) -> Plugins:
    singer = Loaded("singer", Singer(), settings=Tone, version="1", defaults={"loud": 3}, locked=frozenset({"key"}))
    band = Loaded("band", object(), settings=Playing, version="1", config=Horns())
    choir = Loaded("choir", object(), settings=Picks, version="1")
    fixed = Loaded("fixed", object(), version="1", switchable=False)
    return Plugins([singer, fixed, Loaded("boss", boss, ADMINISTERS, version="1"), Loaded("off", object(), enabled=False), choir, band])


@pytest.fixture
async def stage(redis: Redis, keys: Keys) -> AsyncIterator[Stage]:
    boss = Boss()
    loaded, platform = plugins(boss), Hall()
    async with running(app.build(redis, keys, loaded, [platform], talking=TalkingTable(words=("hob",))), loaded) as router:
        yield Stage(router, platform, boss, Servers(redis, keys))


async def test_what_an_admin_saves_holds_from_the_next_message_on_and_for_this_place_alone(stage: Stage) -> None:
    assert await stage.sing() == "calm 3"
    assert await stage.do(Change(plugin="singer", settings={"tone": "warm"})) == "done"
    assert await stage.do(Change(plugin="singer", where="channel", settings={"tone": "cold", "loud": "7"}), SIDE) == "done"
    assert await stage.do(Change(plugin="singer", where="thread", settings={"loud": 9}), TOPIC) == "done"
    assert [await stage.sing(place) for place in (ROOM, SIDE, TOPIC, ELSEWHERE)] == ["warm 3", "cold 7", "cold 9", "calm 3"]


async def test_it_is_seen_who_chose_what(stage: Stage) -> None:
    await stage.do(Change(plugin="singer", settings={"tone": "warm"}))
    await stage.do(Change(plugin="singer", where="thread", settings={"loud": 9}), TOPIC)
    await stage.look(TOPIC)
    found = stage.chosen("singer")
    assert [(one.name, one.value, one.origin, one.locked) for one in found.settings] == [
        ("tone", "warm", "server", False),
        ("loud", 9, "thread", False),
        ("key", "c", "plugin", True),
    ]
    assert found.shape["properties"]["loud"]["maximum"] == 11
    await stage.look(ELSEWHERE)
    assert stage.chosen("singer").setting("loud").origin == "operator"
    assert [(one.plugin, one.on, one.locked) for one in stage.boss.seen] == [
        ("singer", True, False),
        ("fixed", True, True),
        ("boss", True, True),
        ("off", False, False),
        ("choir", True, False),
        ("band", True, False),
        ("hobnob", True, True),
    ]


async def test_a_setting_that_is_one_of_what_the_operator_lists_is_offered_as_that_and_nothing_else_is_saved(stage: Stage) -> None:
    await stage.look()
    assert stage.chosen("band").shape["properties"]["horn"]["enum"] == ["tuba", "cornet"]
    assert await stage.do(Change(plugin="band", settings={"horn": "tubba"})) == "Horn: there is no “tubba” here. There is: tuba, cornet."
    assert await stage.do(Change(plugin="band", settings={"horn": "cornet"})) == "done"
    assert await stage.do(Change(plugin="band", settings={"horn": ""})) == "done"
    await stage.servers.put(ROOM.tenant, Server(choices=Choices(settings={"band": {"horn": "gone"}})))
    assert await stage.do(Change(plugin="band", settings={"loud": True})) == "done", "it keeps nothing else from changing"
    assert await stage.do(Change(plugin="band", settings={"horn": "gone", "loud": False})) == "done", "and may stay as it is"


async def test_what_is_reset_is_again_what_it_was_before(stage: Stage) -> None:
    await stage.do(Change(plugin="singer", settings={"tone": "warm", "loud": 5}))
    await stage.do(Change(plugin="singer", settings={"tone": None}))
    assert await stage.sing() == "calm 5"
    await stage.do(Change(plugin="singer", everything=True))
    assert await stage.sing() == "calm 3"
    assert (await stage.servers.get(ROOM.tenant)).choices == Choices()


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (Change(plugin="singer", settings={"loud": 12}), "Loudness: input should be less than or equal to 11."),
        (Change(plugin="singer", settings={"tune": 1}), "singer has no setting tune. There is: tone, loud, key."),
        (Change(plugin="singer", settings={"key": "d"}), "key cannot be changed by a server. Whoever runs this bot decides that."),
        (Change(plugin="fixed", on=False), "fixed cannot be switched by a server. Whoever runs this bot decides that."),
        (Change(plugin="boss", on=False), "boss cannot be switched by a server. Whoever runs this bot decides that."),
        (Change(plugin="hobnob", settings={"log": [1]}), "Log: input should be a valid string."),
        (Change(plugin="nobody", on=False), "There is no plugin nobody here."),
        (Change(plugin="singer", where="thread", on=False), "This is no thread, so nothing can be chosen for it."),
    ],
)
async def test_what_is_wrong_is_named_and_nothing_is_saved(stage: Stage, change: Change, told: str) -> None:
    assert await stage.do(change) == told
    assert await stage.servers.get(ROOM.tenant) == Server()


async def test_what_is_picked_is_there_also_in_optional_fields_and_numbers_and_a_list_is_typed(stage: Stage) -> None:
    assert (await stage.do(Change(plugin="choir", settings={"place": "cellar"}))).startswith("I know no channel “cellar” here.")
    for lead in (6, "6"):
        assert await stage.do(Change(plugin="choir", settings={"lead": lead})) == "I know no role “6” here (there is: Tenor)."
    assert await stage.servers.get(ROOM.tenant) == Server()
    assert await stage.do(Change(plugin="choir", settings={"place": "Side", "lead": "Tenor", "roles": ["5"]})) == "done"
    await stage.look()
    assert [(one.value, one.label) for one in stage.chosen("choir").settings] == [("side", "Side"), (5, "Tenor"), (["5"], "")]


async def test_only_admins_change_anything_and_a_refusal_says_who_they_are(stage: Stage) -> None:
    told = await stage.do(Change(plugin="singer", on=False), manages=False)
    assert told == "Only the admins of this server can change its settings, and you are a member here. Ask one of them."
    assert "and you are a member here" in await stage.look(manages=False)
    assert await stage.sing() == "calm 3"


async def test_a_plugin_changes_its_own_settings_and_no_others(stage: Stage) -> None:
    async def tune(change: Change) -> str:
        return await stage.say(Message("", "", ROOM, ADA, trigger=Called("tune", change.model_dump(mode="json")), manages=True))

    assert await tune(Change(settings={"tone": "warm"})) == "tuned to warm"
    assert await tune(Change(plugin="off", on=True)) == "The plugin singer may see and change its own settings alone."


async def test_a_second_admin_sees_the_change_of_the_first_and_confirms(stage: Stage) -> None:
    await stage.look()
    seen = stage.chosen("singer").seen
    await stage.do(Change(plugin="singer", settings={"loud": 5}, seen=seen), by=BEN)
    told = await stage.do(Change(plugin="singer", settings={"tone": "warm"}, seen=seen))
    assert (
        told == "changed: Ben has changed singer meanwhile (loud: not chosen → 5). Nothing was saved: look at it as it is now, and confirm."
    )
    assert await stage.sing() == "calm 5"
    await stage.do(Change(plugin="singer", settings={"tone": "warm"}, seen=stage.boss.seen[0].seen))
    assert await stage.sing() == "warm 5"


async def test_a_change_of_another_plugin_is_in_nobodys_way(stage: Stage) -> None:
    await stage.look()
    seen = stage.chosen("singer").seen
    await stage.do(Change(plugin="off", on=True), by=BEN)
    assert await stage.do(Change(plugin="singer", settings={"tone": "warm"}, seen=seen)) == "done"


async def test_the_core_has_settings_too(stage: Stage) -> None:
    await stage.do(Change(plugin="hobnob", where="channel", settings={"listens": True, "quiet": True}), SIDE)
    server = await stage.servers.get(ROOM.tenant)
    assert server.channels["side"] == Choices(talking=Talking(listens=True), quiet=True)
    await stage.look(SIDE)
    assert [one.value for one in stage.chosen("hobnob").settings] == [True, ["hob"], False, False, 30, "", True, ""]
    await stage.do(Change(plugin="hobnob", where="channel", settings={"listens": None, "quiet": None}), SIDE)
    assert await stage.servers.get(ROOM.tenant) == Server(version=2)


async def test_what_was_chosen_for_a_plugin_that_is_gone_is_kept_until_somebody_resets_it(stage: Stage) -> None:
    await stage.servers.put(ROOM.tenant, Server(choices=Choices(plugins={"gone": True}, settings={"gone": {"colour": "red"}})))
    await stage.do(Change(plugin="singer", settings={"tone": "warm"}))
    await stage.look()
    found = stage.chosen("gone")
    assert (found.on, found.installed, found.setting("colour").value) == (False, False, "red")
    assert "is not installed here" in await stage.do(Change(plugin="gone", settings={"colour": "blue"}))
    await stage.do(Change(plugin="gone", everything=True))
    assert (await stage.servers.get(ROOM.tenant)).choices == Choices(settings={"singer": {"tone": "warm"}})


async def test_the_log_says_who_changed_what_and_stays_with_its_server(stage: Stage) -> None:
    await stage.do(Change(plugin="singer", settings={"tone": "warm"}))
    await stage.do(Change(plugin="singer", on=False), by=BEN)
    assert await stage.look() == "Ben: singer: switched off\nAda: singer: tone: not chosen → warm"
    assert await stage.look(ELSEWHERE) == "nothing"


async def test_nothing_is_saved_for_a_server_that_the_bot_has_left(stage: Stage, redis: Redis, keys: Keys) -> None:
    await stage.do(Change(plugin="singer", settings={"tone": "warm"}))
    await stage.router.deliver(Message("", "left", ROOM, ADA, trigger=Left()))
    assert await stage.do(Change(plugin="singer", on=False)) == "I am not in this server any more, so nothing was saved."
    assert [0 < await redis.ttl(key) <= 30 * 86_400 for key in (keys.server(ROOM.tenant), keys.audit(ROOM.tenant))] == [True, True]
    await stage.router.deliver(Message("", "joined", ROOM, ADA, trigger=Joined()))
    assert [await redis.ttl(key) for key in (keys.server(ROOM.tenant), keys.audit(ROOM.tenant))] == [-1, -1]
    assert await stage.sing() == "warm 3"


async def test_two_who_change_different_things_at_once_lose_nothing(stage: Stage) -> None:
    servers, where = stage.servers, ROOM
    everything: list[tuple[Where, dict[str, object]]] = [("server", {"tone": "warm"}), ("server", {"loud": 5}), ("channel", {"loud": 6})]

    async def tune(number: int) -> None:
        place, values = everything[number]
        call = Called("tune", Change(where=place, settings=values).model_dump(mode="json"))
        await stage.router.deliver(Message(f"t{number}", f"t{number}", where, ADA, trigger=call, manages=True))

    for number in range(3):  # their tickets run at the same time
        await tune(number)
    await wait_until(lambda: not stage.router.runner.held)
    server = await servers.get(where.tenant)
    assert (server.choices.settings, server.channels["main"].settings) == ({"singer": {"tone": "warm", "loud": 5}}, {"singer": {"loud": 6}})


async def test_what_the_platform_withholds_is_said_and_the_choice_is_kept(stage: Stage) -> None:
    stage.platform.withholds = "Privacy mode is on."
    await stage.do(Change(plugin="hobnob", settings={"quiet": True}))
    assert not stage.boss.seen[0].warnings
    await stage.do(Change(plugin="hobnob", settings={"listens": True}))
    assert stage.boss.seen[0].warnings == ("Privacy mode is on.",)
    assert (await stage.servers.get(ROOM.tenant)).choices.talking == Talking(listens=True)


def test_a_setting_that_is_not_there_is_a_sentence() -> None:
    found = Chosen("singer", "", True, "operator", False, (), {}, "")
    with pytest.raises(UserError, match="singer has no setting tone"):
        found.setting("tone")
