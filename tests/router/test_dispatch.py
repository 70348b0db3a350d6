"""From a message to what people see: which route takes it, what is refused and how, and what a failing plugin harms."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Literal

import pytest
from pydantic import BaseModel, Field
from redis.asyncio import Redis

from bot import Action, Button, Command, Context, Event, Listener, NoArgs, Reaction, Refusal, Refused, Reply, Route, Schedule, hookimpl
from bot.errors import ConnectorError, PluginError
from bot.messages import Address, Attachment, Blob, Called, Clicked, Deleted, Image, Message, Person, Quote, Reacted, Said, Text, Trigger
from bot.plugins import Loaded, Plugins
from bot.router import app
from bot.router.acts import LONGEST_CHAIN
from bot.router.app import Router, running
from bot.router.remembering import NOTICE
from bot.store.keys import Keys
from bot.store.plugindata import BUTTON_TTL
from bot.store.servers import Choices, Server, Servers
from bot.tables import Talking
from bot.testing import wait_until
from bot.testing.platform import Platform
from bot.turns import Turn

ROOM = Address("room", "lounge", "main")
ADA, BEN = Person("ada", "Ada"), Person("ben", "Ben")


class Paint(BaseModel):
    """Arguments with rules."""

    what: str = Field(min_length=2)
    size: Literal["small", "large"] = "small"
    copies: int = Field(default=1, ge=1, le=4)


class Again(BaseModel):
    """What a button carries."""

    number: int


class Tone(BaseModel):
    """Settings."""

    tone: str = "calm"


@dataclass
class Painter:
    """A plugin with a route of every kind."""

    seen: list[str] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    hold: asyncio.Event = field(default_factory=asyncio.Event)

    @hookimpl
    def register_routes(self) -> Iterable[Route]:
        return [
            Command("paint", "Paints.", Paint, self.paint),
            Command("later", "Paints later.", NoArgs, self.later),
            Command("fail", "Fails.", NoArgs, self.fail),
            Command("file", "Answers with a file that cannot be sent.", NoArgs, self.file),
            Command("old", "Answers with a file that is gone.", NoArgs, self.old),
            Command("nothing", "Answers with nothing.", NoArgs, self.nothing),
            Command("wait", "Waits.", NoArgs, self.wait),
            Listener("hear", lambda message: "paint" in message.text, self.hear),
            Listener("broken", self.broken, self.hear),
            Listener("echo", lambda message: message.text.startswith("loop"), self.loop),
            Listener("recall", lambda message: message.addressed, self.recall),
            Action("again", Again, self.again),
            Action("away", Again, self.away),
            Reaction("liked", "❤", self.liked),
            Schedule("due", Again, self.due),
        ]

    def broken(self, message: Message) -> bool:
        raise RuntimeError("a predicate")

    @hookimpl
    def admit(self, message: Message) -> Refusal | None:
        match message.text:
            case "paint nothing rude":
                return Refusal("Be kind.")
            case "paint silently":
                return Refusal()
        return None

    @hookimpl
    def observe(self, event: Event) -> None:
        self.events.append(event)

    @hookimpl
    def lifespan(self) -> AbstractAsyncContextManager[None]:
        @asynccontextmanager
        async def life() -> AsyncIterator[None]:
            self.seen.append("entered")
            yield
            self.seen.append("left")

        return life()

    async def paint(self, ctx: Context, args: Paint) -> Reply:
        if args.what == "war":
            raise Refused("No war here.")
        keys = [Button("Again", "again", {"number": 7}), Button("Delete", "away", {"number": 7})]
        return Reply(f"{args.copies} {args.size} {args.what}, {ctx.settings.tone}", buttons=keys)

    async def again(self, ctx: Context, args: Again) -> str:
        return f"{ctx.person.name} wants number {args.number} again"

    async def away(self, ctx: Context, args: Again) -> None:
        await ctx.remove()

    async def later(self, ctx: Context, args: NoArgs) -> str:
        await ctx.schedule("due", Again(number=3), ctx.now - timedelta(seconds=1))
        return "Later."

    async def due(self, ctx: Context, args: Again) -> str:
        return f"number {args.number} is due for {ctx.person.name}"

    async def fail(self, ctx: Context, args: NoArgs) -> str:
        raise RuntimeError("a secret")

    async def file(self, ctx: Context, args: NoArgs) -> Reply:
        return Reply("Look", Image(Attachment("a", "image/png", 1)))

    async def old(self, ctx: Context, args: NoArgs) -> Reply:
        return Reply("Look", Image(Blob("gone", "image/png", 1)))

    async def nothing(self, ctx: Context, args: NoArgs) -> str:
        return "  "

    async def wait(self, ctx: Context, args: NoArgs) -> str:
        await self.hold.wait()
        return "At last."

    async def recall(self, ctx: Context) -> str:
        turns = await ctx.conversation.turns(1000)
        return f"{ctx.address.thread}: " + ", ".join(f"{turn.name} {turn.text}" for turn in turns)

    async def hear(self, ctx: Context) -> str:
        if ctx.message.text.startswith("slowly"):
            await self.hold.wait()
        return f"heard {ctx.message.text}"

    async def liked(self, ctx: Context) -> str:
        assert ctx.message.reply_to is not None
        return f"{ctx.person.name} likes {ctx.message.reply_to.id}"

    async def loop(self, ctx: Context) -> None:
        self.seen.append(ctx.message.text)
        await ctx.forward(replace(ctx.message, parts=(Text(ctx.message.text + "!"),)))


class Stage:
    """A router, its platform and its one plugin."""

    def __init__(self, router: Router, platform: Platform, painter: Painter, servers: Servers) -> None:
        self.router = router
        self.platform = platform
        self.painter = painter
        self.servers = servers
        self.count = 0

    async def say(
        self, text: str = "", trigger: Trigger | None = None, sender: Person = ADA, address: Address = ROOM, quote: str = ""
    ) -> list[str]:
        """What has been added to the chat when all tickets have ended."""
        self.count += 1
        parts = (Text(text),) if text else ()
        reply_to = Quote(quote, BEN) if quote else None
        before = len(self.platform.shown(address))
        await self.router.deliver(
            Message(str(self.count), str(self.count), address, sender, parts, trigger or Said(), me="bot", reply_to=reply_to)
        )
        await self.quiet()
        return self.platform.shown(address)[before:]

    async def call(self, command: str, text: str = "", **options: object) -> list[str]:
        return await self.say("", Called(command, options, text))

    async def quiet(self) -> None:
        await wait_until(lambda: not self.router.runner.held)

    async def choose(self, choices: Choices, channel: str = "") -> None:
        server = Server(channels={channel: choices}) if channel else Server(choices=choices)
        await self.servers.put(ROOM.tenant, server)


@pytest.fixture
async def stage(redis: Redis, keys: Keys) -> AsyncIterator[Stage]:
    painter, platform = Painter(), Platform()
    plugins = Plugins([Loaded("painter", painter, settings=Tone, version="1")])
    router = app.build(redis, keys, plugins, [platform], lease=0.6)
    async with running(router, plugins):
        yield Stage(router, platform, painter, Servers(redis, keys))


# Commands ----------------------------------------------------------------------------------------------------------------


async def test_a_command_runs_with_its_arguments_typed_or_native(stage: Stage) -> None:
    assert await stage.call("paint", "a red cat --size large --copies 2") == ["2 large a red cat, calm"]
    assert await stage.call("paint", what="a cat", copies=3) == ["3 small a cat, calm"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "/paint <what>. Reply to this message with it."),
        ("a cat --copies 9", "copies: input should be less than or equal to 4"),
        ("a cat --copies many", "copies: input should be a valid integer"),
        ("a cat --size huge", "size: input should be 'small' or 'large'"),
        ("a cat --colour red", "There is no option --colour. Expected: <what> [--size] [--copies]"),
        ("x --copies 0", "what: string should have at least 2 characters; copies: input should be greater than or equal to 1"),
    ],
)
async def test_a_wrong_argument_names_its_field(stage: Stage, text: str, expected: str) -> None:
    [answer] = await stage.call("paint", text)
    assert answer.startswith(expected)


async def test_an_unknown_command_is_told_which_there_are(stage: Stage) -> None:
    expected = "There is no command /sing here. There is /cancel, /fail, /file, /later, /nothing, /old, /paint, /wait."
    assert await stage.call("sing", "la la") == [expected]


async def test_an_unknown_command_of_any_length_is_a_short_sentence(stage: Stage) -> None:
    [answer] = await stage.call("x" * 100_000)
    assert len(answer) < 160


async def test_what_the_person_must_know_is_sent_as_it_is(stage: Stage) -> None:
    assert await stage.call("paint", "war") == ["No war here."]


async def test_a_handler_that_fails_apologises_without_telling_why(stage: Stage) -> None:
    [answer] = await stage.call("fail")
    assert "Reference: " in answer
    assert "secret" not in answer
    assert await stage.call("paint", "a cat") == ["1 small a cat, calm"]


async def test_a_reply_that_cannot_be_sent_is_an_apology_once(stage: Stage) -> None:
    [answer] = await stage.call("file")
    assert "Reference: " in answer


async def test_a_reply_whose_file_is_gone_says_so(stage: Stage) -> None:
    [answer] = await stage.call("old")
    assert "Reference" not in answer
    assert "again" in answer


async def test_an_empty_reply_is_the_plugins_fault_not_silence(stage: Stage) -> None:
    [answer] = await stage.call("nothing")
    assert "Reference: " in answer


# Listeners, buttons, reactions, schedules --------------------------------------------------------------------------------


async def test_every_listener_that_wants_a_message_gets_it_and_a_broken_predicate_harms_nobody(stage: Stage) -> None:
    assert await stage.say("let us paint") == ["heard let us paint"]
    assert await stage.say("let us sing") == []


async def test_a_message_that_comes_twice_is_answered_once(stage: Stage) -> None:
    message = Message("m", "e", ROOM, ADA, (Text("paint"),), me="bot")
    await asyncio.gather(*(stage.router.deliver(message) for _ in range(5)))
    await stage.quiet()
    await stage.router.deliver(message)
    await stage.quiet()
    assert stage.platform.shown(ROOM) == ["heard paint"]


async def test_an_edited_message_is_another_event(stage: Stage) -> None:
    message = Message("m", "m.0", ROOM, ADA, (Text("paint one"),), Said(0), me="bot")
    for one in (message, replace(message, event="m.1", parts=(Text("paint two"),), trigger=Said(1))):
        await stage.router.deliver(one)
        await stage.quiet()
    assert stage.platform.shown(ROOM) == ["heard paint one", "heard paint two"]


async def test_what_was_asked_in_an_edited_or_deleted_message_is_withdrawn(stage: Stage, redis: Redis, keys: Keys) -> None:
    turns = keys.turns(ROOM.conversation)
    asked = Message("m", "m.0", ROOM, ADA, (Text("slowly paint"),), me="bot")
    for newer in (replace(asked, event="m.1", trigger=Said(1, "m.0")), replace(asked, event="gone", trigger=Deleted("m.1"))):
        assert isinstance(newer.trigger, Said | Deleted)
        stage.painter.hold.clear()
        await stage.router.deliver(replace(asked, event=newer.trigger.replaces))
        [ticket] = stage.router.runner.held
        for who in ("m", "n"):
            await redis.rpush(turns, b"0 " + Turn(role="person", parts=(Text(who),), message=who).model_dump_json().encode())
        await stage.router.deliver(replace(newer, parts=()))
        assert await redis.exists(f"{keys.prefix}:cancelled:{ticket.id}")
        left = [str(entry).split(" ", 1)[1][:-1] for entry in await redis.lrange(turns, 0, -1)]
        assert {Turn.model_validate_json(json).text for json in left} == {"n"}
        stage.painter.hold.set()
        await stage.quiet()
    await redis.delete(turns)


async def test_a_button_works_each_time_it_is_clicked_and_as_long_again(stage: Stage, redis: Redis, keys: Keys) -> None:
    await stage.call("paint", "a cat")
    [post] = stage.platform.chats[ROOM].values()
    button = post.keys[0].id
    for _ in range(2):
        assert BUTTON_TTL - 60 < await redis.ttl(keys.button(button)) <= BUTTON_TTL
        await redis.expire(keys.button(button), 60)  # as its time passes
        assert await stage.say("", Clicked(button), BEN) == ["Ben wants number 7 again"]
    await redis.delete(keys.button(button))
    assert await stage.say("", Clicked(button), BEN) == ["This button is too old to work."]


async def test_a_button_can_take_its_own_message_away_and_no_other(stage: Stage) -> None:
    await stage.call("paint", "a cat")
    [(id, post)] = stage.platform.chats[ROOM].items()
    click = Message("c", "c", ROOM, BEN, trigger=Clicked(post.keys[1].id), me="bot", reply_to=Quote(id, BEN))
    await stage.router.deliver(click)
    await stage.quiet()
    assert stage.platform.shown(ROOM) == ["1 small a cat, calm"]
    await stage.router.deliver(replace(click, event="d", reply_to=Quote(id, Person("bot", "Hobnob", bot=True))))
    await stage.quiet()
    assert stage.platform.shown(ROOM) == []


async def test_a_forged_button_is_told_that_it_is_too_old(stage: Stage) -> None:
    assert await stage.say("", Clicked("forged")) == ["This button is too old to work."]


async def test_a_reaction_reaches_its_route(stage: Stage) -> None:
    assert await stage.say("", Reacted("❤"), quote="17") == ["Ada likes 17"]
    assert await stage.say("", Reacted("👎"), quote="17") == []


async def test_a_schedule_fires_once_for_the_person_who_made_it(stage: Stage) -> None:
    await stage.call("later")
    await wait_until(lambda: len(stage.platform.shown(ROOM)) == 2)
    await stage.quiet()
    assert stage.platform.shown(ROOM) == ["Later.", "number 3 is due for Ada"]


async def test_messages_that_forward_each_other_come_to_an_end(stage: Stage) -> None:
    await stage.say("loop")
    await wait_until(lambda: any("Reference" in text for text in stage.platform.shown(ROOM)))
    assert stage.painter.seen[1:] == ["loop" + "!" * number for number in range(LONGEST_CHAIN + 1)]


# The gate ----------------------------------------------------------------------------------------------------------------


async def test_a_plugin_that_is_off_is_not_called_from_the_next_message_on(stage: Stage) -> None:
    await stage.call("paint", "a cat")
    [post] = stage.platform.chats[ROOM].values()
    await stage.choose(Choices(plugins={"painter": False}))
    off = ["painter is switched off here. An admin of this server can switch it on."]
    assert await stage.say("paint") == []
    assert await stage.call("paint", "a cat") == off
    assert await stage.say("", Clicked(post.keys[0].id)) == off
    assert await stage.say("", Reacted("❤"), quote="17") == []
    assert await stage.call("sing") == ["There is no command /sing here. There is /cancel."]
    await stage.choose(Choices(plugins={"painter": True}))
    assert await stage.say("paint") == ["heard paint"]


async def test_a_channel_may_differ_from_its_server(stage: Stage) -> None:
    await stage.choose(Choices(plugins={"painter": False}), "main")
    other = replace(ROOM, channel="studio")
    assert await stage.say("paint") == []
    assert await stage.say("paint", address=other) == ["heard paint"]


async def test_settings_take_effect_at_the_next_message(stage: Stage) -> None:
    await stage.call("paint", "a cat")
    await stage.choose(Choices(settings={"painter": {"tone": "wild"}}))
    assert await stage.call("paint", "a cat") == ["1 small a cat, wild"]


async def test_settings_that_the_plugin_no_longer_takes_are_its_defaults(stage: Stage) -> None:
    await stage.choose(Choices(settings={"painter": {"tone": {"no": "text"}}}))
    assert await stage.call("paint", "a cat") == ["1 small a cat, calm"]


async def test_another_server_sees_nothing_of_a_choice(stage: Stage) -> None:
    await stage.choose(Choices(plugins={"painter": False}))
    assert await stage.say("paint", address=Address("room", "kitchen", "main")) == ["heard paint"]


async def test_a_plugin_may_refuse_a_message_with_words_or_without(stage: Stage) -> None:
    assert await stage.say("paint nothing rude") == ["Be kind."]
    assert await stage.say("paint silently") == []


async def test_an_unknown_command_that_may_be_another_bots_stays_unanswered(stage: Stage) -> None:
    assert await stage.say("", Called("dance", shared=True)) == []
    [told] = await stage.say("", Called("dance"))
    assert told.startswith("There is no command /dance here.")
    assert await stage.say("", Called("wait", shared=True, text="x")) != []


# What a place counts as spoken to the bot -----------------------------------------------------------------------------------


async def test_a_place_that_wants_it_is_followed_silently_and_told_once(stage: Stage, redis: Redis, keys: Keys) -> None:
    await stage.say("ask me")  # an older view of the choices is in memory
    await stage.choose(Choices(talking=Talking(follows=True)))
    assert await stage.say("tea is ready", sender=BEN) == [NOTICE]
    assert await stage.say("with milk", sender=BEN) == []
    mention = (Text("@Hobnob what is ready?"),)
    await stage.router.deliver(Message("q", "q", ROOM, ADA, mention, me="bot", mentions=(Person("bot", "Hobnob"),)))
    await stage.quiet()
    assert stage.platform.shown(ROOM)[-1] == ": Ben tea is ready, Ben with milk"
    await redis.delete(keys.turns(ROOM.conversation), keys.turns_meta(ROOM.conversation))


async def test_a_question_begins_a_thread_where_a_place_wants_that(stage: Stage) -> None:
    await stage.choose(Choices(talking=Talking(threads=True, words=("bot",))))
    await stage.say("what now, bot?")
    [(_, id, title)] = [call for call in stage.platform.calls if call[0] == "thread"]
    assert title == "what now, bot?"
    assert stage.platform.shown(replace(ROOM, thread=id)) == [f"{id}:"]
    stage.platform.faults.append(ConnectorError("no threads any more"))
    assert await stage.say("and now, bot?") == [":"]


# Cancelling --------------------------------------------------------------------------------------------------------------


async def test_only_the_person_who_asked_and_admins_may_cancel(stage: Stage, redis: Redis, keys: Keys) -> None:
    await stage.router.deliver(Message("w", "w", ROOM, ADA, trigger=Called("wait"), me="bot"))
    [ticket] = stage.router.runner.held
    click = Message("c", "c", ROOM, BEN, trigger=Clicked(f"cancel.{ticket.id}"), me="bot")
    await stage.router.deliver(click)
    await wait_until(lambda: stage.platform.shown(ROOM) == ["Only the person who asked and the admins of this server can do this."])
    assert not await redis.exists(f"{keys.prefix}:cancelled:{ticket.id}")
    await stage.router.deliver(replace(click, event="d", manages=True))
    assert await redis.exists(f"{keys.prefix}:cancelled:{ticket.id}")
    stage.painter.hold.set()
    await stage.quiet()
    assert stage.platform.shown(ROOM)[-1] == "At last."


async def test_cancelling_what_has_ended_is_nothing(stage: Stage) -> None:
    assert await stage.say("", Clicked("cancel.0123456789abcdef")) == []


# The rest ----------------------------------------------------------------------------------------------------------------


async def test_plugins_are_told_when_a_ticket_has_ended(stage: Stage) -> None:
    await stage.say("paint")
    await wait_until(lambda: stage.painter.events)
    [event] = stage.painter.events
    assert (event.name, event.server, event.plugin) == ("ticket.finished", ROOM.tenant, "painter")
    assert event.facts["seconds"] >= 0


async def test_a_flood_is_answered_to_the_last_message(stage: Stage) -> None:
    messages = [Message(f"{n}", f"f{n}", ROOM, ADA, (Text(f"paint {n}"),), me="bot") for n in range(500)]
    await asyncio.gather(*(stage.router.deliver(message) for message in messages))
    await wait_until(lambda: not stage.router.runner.held, 30.0)
    assert sorted(stage.platform.shown(ROOM)) == sorted(f"heard paint {n}" for n in range(500))


async def test_a_stop_hands_back_what_still_runs_and_the_next_router_ends_it(redis: Redis, keys: Keys) -> None:
    platform = Platform()

    async def one_life(painter: Painter, until: Callable[[], object], say: bool) -> None:
        plugins = Plugins([Loaded("painter", painter, settings=Tone, version="1")])
        router = app.build(redis, keys, plugins, [replace(platform)])
        async with running(router, plugins):
            if say:
                await router.deliver(Message("w", "w", ROOM, ADA, trigger=Called("wait"), me="bot"))
            await wait_until(until)
        assert painter.seen == ["entered", "left"]

    await one_life(Painter(), lambda: True, say=True)
    assert platform.shown(ROOM) == []
    free = Painter()
    free.hold.set()
    await one_life(free, lambda: platform.shown(ROOM) == ["At last."], say=False)


def test_two_connectors_of_one_name_are_a_fault_that_names_it(redis: Redis, keys: Keys) -> None:
    with pytest.raises(PluginError, match="room"):
        app.build(redis, keys, Plugins([]), [Platform(), Platform()])
