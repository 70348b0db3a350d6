"""Menus, forms and completions: what people choose, fill in and type reaches the plugin, also where a platform has none of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Literal, cast

import pytest
from pydantic import BaseModel, Field
from redis.asyncio import Redis

from bot import (
    Action,
    Button,
    Choice,
    Command,
    Completing,
    Context,
    Filling,
    Form,
    NoArgs,
    Option,
    Reply,
    Route,
    Select,
    Suggesting,
    hookimpl,
)
from bot.connector import Limits
from bot.locales import Locales
from bot.messages import Address, Attachment, Called, Clicked, Image, Message, Person, Quote, Said, Text, Trigger, Typing
from bot.plugins import Loaded, Plugins
from bot.router import app, completing
from bot.router.filling import Forms, question, read
from bot.router.offers import offer
from bot.store.keys import Keys
from bot.store.plugindata import PluginData, Pressed
from bot.store.servers import Choices, Server, Servers
from bot.testing import wait_until
from bot.testing.platform import Platform

ROOM = Address("room", "lounge", "main")
ADA, BOT = Person("ada", "Ada"), Person("bot", "Hobnob", bot=True)


class Paint(BaseModel):
    """What is painted."""

    what: str = Field(default="a cat", min_length=2, description="What to paint.")
    copies: int = Field(default=1, ge=1, le=4, description="How many.")
    style: Literal["oil", "ink"] = Field(default="oil", description="How.")
    colours: list[str] = []


class Asked(BaseModel):
    """A command that helps."""

    city: str = Field(description="Where.")


STYLES = (Choice("Oil", "oil", chosen=True), Choice("Ink", "ink"))
COLOURS = (Choice("Red", "red", chosen=True), Choice("Blue", "blue"), Choice("Green", "green", chosen=True))
FORM = Form.of("Edit it", Paint, {"what": "a cat", "copies": 2}, only=["what", "copies"])


@dataclass
class Panel:
    """A plugin that asks in every way."""

    settings: list[object] = field(default_factory=list)

    @hookimpl
    def register_routes(self) -> Iterable[Route]:
        return [
            Command("panel", "Shows it.", NoArgs, self.panel),
            Command("go", "Goes.", Asked, self.go, completions={"city": self.city}),
            Action("paint", Paint, self.paint),
        ]

    async def panel(self, ctx: Context, args: NoArgs) -> Reply:
        kept = {"what": "a cat", "copies": 2}
        return Reply(
            "A panel.",
            buttons=[
                Select("paint", "style", STYLES, kept, placeholder="How"),
                Select("paint", "colours", COLOURS, kept, least=0, most=3),
                Button("Edit", "paint", {**kept, "style": "ink"}, FORM),
            ],
        )

    async def paint(self, ctx: Context, args: Paint) -> Reply:
        return Reply(f"{args.copies} {args.what}, {args.style}, {args.colours}", instead=True)

    async def go(self, ctx: Context, args: Asked) -> str:
        return args.city

    async def city(self, asked: Completing) -> Sequence[str | Choice]:
        self.settings.append(asked.settings)
        if asked.text == "slow":
            await asyncio.Event().wait()
        return [Choice("Lisbon", "LIS"), f"{asked.text}burg", *map(str, range(40))]


@dataclass
class Modern(Platform):
    """A platform with menus, forms and completions."""

    most: Limits = field(default_factory=lambda: Limits(text=200, file=1000, edit_interval=0.0, menus=True))
    opened: list[Form] = field(default_factory=list)
    suggested: list[Sequence[Choice]] = field(default_factory=list)

    async def open_form(self, message: Message, form: Form) -> None:
        self.opened.append(form)

    async def suggest(self, message: Message, choices: Sequence[Choice]) -> None:
        self.suggested.append(choices)


@dataclass
class Chat:
    """Ada in a room with a panel."""

    router: app.Router
    platform: Platform
    count: int = 0

    async def does(self, trigger: Trigger, text: str = "") -> None:
        self.count += 1
        id = f"{self.count + 100}"
        parts = (Text(text),) if text else ()
        about = None if isinstance(trigger, Typing) or not self.platform.chats else Quote("1", BOT, (Text(self.platform.shown(ROOM)[-1]),))
        await self.router.deliver(Message(id, id, ROOM, ADA, parts, trigger, me="bot", reply_to=about))
        await wait_until(lambda: not self.router.runner.held)

    def keys(self) -> dict[str, str]:
        return {key.label: key.id for post in self.platform.chats[ROOM].values() for key in post.keys}


class Unpicked:
    """Offers a form as it is."""

    async def offered(self, form: Form, message: Message) -> Form:
        return form


@asynccontextmanager
async def chat(redis: Redis, keys: Keys, platform: Platform) -> AsyncIterator[Chat]:
    made = app.build(redis, keys, Plugins([Loaded("p", Panel())]), [platform])
    one = Chat(made, platform)
    yield one
    await made.endings.close()
    await made.stores.queue.close()


async def test_what_is_chosen_and_filled_in_reaches_the_action(redis: Redis, keys: Keys) -> None:
    platform = Modern()
    assert isinstance(platform, Filling)
    async with chat(redis, keys, platform) as ada:
        await ada.does(Called("panel"))
        [post] = platform.chats[ROOM].values()
        style, colours = post.menus
        assert (style.placeholder, (colours.least, colours.most)) == ("How", (0, 3))
        assert style.choices == (Choice("Oil", "0", chosen=True), Choice("Ink", "1"))
        await ada.does(Clicked(style.id, ("1",)))
        assert platform.shown(ROOM) == ["2 a cat, ink, []"]
        await ada.does(Clicked(colours.id, ("1", "0")))
        assert platform.shown(ROOM) == ["2 a cat, oil, ['red', 'blue']"]
        edit = post.keys[0].id
        await ada.does(Clicked(edit))
        assert platform.opened == [FORM]
        await ada.does(Clicked(edit, filled={"what": "a dog", "copies": ""}))
        assert platform.shown(ROOM) == ["1 a dog, ink, []"]


async def test_what_no_button_offers_is_refused_and_told_to_the_admins(redis: Redis, keys: Keys) -> None:
    platform = Modern()
    async with chat(redis, keys, platform) as ada:
        await ada.does(Called("panel"))
        [post] = platform.chats[ROOM].values()
        style, edit = post.menus[0].id, post.keys[0].id
        forged = (
            Clicked(style, ("1", "7")),
            Clicked(style, ("never offered",)),
            Clicked(f"{style}.2"),
            Clicked(edit, filled={"what": "a dog", "style": "not asked for"}),
        )
        for click in forged:
            await ada.does(click)
        assert platform.shown(ROOM) == ["A panel.", *["This button does not offer that, so nothing was done."] * len(forged)]
        [deed] = await Servers(redis, keys).deeds(ROOM.tenant, 9)
        assert deed.line == "Ada: chose what a button of mine does not offer: that is forged"


async def test_what_is_filled_in_wrongly_is_told_by_the_field(redis: Redis, keys: Keys) -> None:
    platform = Modern()
    async with chat(redis, keys, platform) as ada:
        await ada.does(Called("panel"))
        [post] = platform.chats[ROOM].values()
        await ada.does(Clicked(post.keys[0].id, filled={"what": "a dog", "copies": "nine"}))
        assert platform.shown(ROOM)[-1].startswith("copies: input should be a valid integer")


async def test_without_menus_each_choice_is_a_button_and_a_form_is_filled_in_by_a_reply(redis: Redis, keys: Keys) -> None:
    platform = Platform()
    async with chat(redis, keys, platform) as ada:
        await ada.does(Called("panel"))
        pressed = ada.keys()
        assert list(pressed) == ["✓ Oil", "Ink", "✓ Red", "Blue", "✓ Green", "Edit"]
        await ada.does(Clicked(pressed["Ink"]))
        assert platform.shown(ROOM) == ["2 a cat, ink, []"]
        await ada.does(Clicked(pressed["Blue"]))
        assert platform.shown(ROOM) == ["2 a cat, oil, ['red', 'blue', 'green']"]
        await ada.does(Clicked(pressed["✓ Red"]))
        assert platform.shown(ROOM) == ["2 a cat, oil, ['green']"]
        await ada.does(Clicked(pressed["Edit"]))
        assert platform.shown(ROOM)[-1] == question(FORM)
        await ada.does(Said(), "copies: 3\nwhat: a very\nlong dog")
        assert platform.shown(ROOM)[0] == "3 a very\nlong dog, ink, []"


async def test_what_a_reply_fills_in_is_about_the_message_whose_button_was_pressed(redis: Redis, keys: Keys) -> None:
    """The question that is replied to has no picture, which an action may begin with."""
    store = PluginData(redis, keys)
    filling = Forms({}, store, cast(Any, Unpicked()))
    await store.keep_buttons({"b": Pressed("p", "paint", {}, "1", FORM)})
    picture = Quote("1", BOT, (Image(Attachment("cat", "image/png", 5)),))
    asked = await filling.opened(Message("2", "2", ROOM, ADA, (), Clicked("b"), me="bot", reply_to=picture), FORM, "b")
    reply = Message("4", "4", ROOM, ADA, (Text("a dog"),), Said(), me="bot", reply_to=Quote("3", BOT, (Text(asked),)))
    resumed = await filling.resumed(reply)
    assert (resumed.trigger, resumed.reply_to) == (Clicked("b", filled={"what": "a dog"}), replace(picture, id="3"))


def test_a_reply_to_a_form_is_read_by_lines_and_may_name_nothing() -> None:
    assert read(FORM, "```\nwhat: a dog\ncopies: 3\n```") == {"what": "a dog", "copies": "3"}
    assert read(FORM, "a dog: large") == {"what": "a dog: large"}
    assert read(FORM, "copies:") == {"copies": ""}


def test_a_form_of_one_input_asks_for_it_alone() -> None:
    asked = question(Form("Edit the prompt", (Option("prompt", "What to paint."),), {"prompt": "a cat"}))
    assert asked == "Edit the prompt: reply to this message with it. What to paint.\n```\na cat\n```"


@pytest.mark.parametrize("count", [0, 6])
def test_a_form_has_one_to_five_inputs(count: int) -> None:
    with pytest.raises(ValueError, match="a form has 1 to 5 inputs"):
        Form("Too much", tuple(Option(f"o{number}", "x") for number in range(count)))


async def test_who_types_is_helped_by_the_plugin_where_it_is_on(redis: Redis, keys: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(completing, "PATIENCE", 0.05)
    platform = Modern()
    assert isinstance(platform, Suggesting)
    async with chat(redis, keys, platform) as ada:
        for command, option, text in (("go", "city", "Ham"), ("go", "city", "slow"), ("nothing", "city", "x"), ("panel", "city", "x")):
            await ada.does(Typing(command, option, text))
        assert [len(choices) for choices in platform.suggested] == [25, 0, 0, 0]
        assert platform.suggested[0][:2] == [Choice("Lisbon", "LIS"), Choice("Hamburg", "Hamburg")]
        await Servers(redis, keys).put(ROOM.tenant, Server(choices=Choices(plugins={"p": False})))
        ada.router.dispatch._gate.forget(ROOM)
        await ada.does(Typing("go", "city", "Ham"))
        assert platform.suggested[-1] == []


def test_choices_that_are_too_many_for_a_list_are_searched() -> None:
    words = [f"colour {number}" for number in range(60)] + ["red", "dark red"]
    assert [choice.value for choice in completing.matching(words, "RED")] == ["red", "dark red"]
    assert len(completing.matching(words, "")) == 25
    many = Command("paint", "Paints.", _many(), Panel().panel)
    assert [one.completes for one in offer(many, "panel", Locales()).options] == [True]


def _many() -> type[BaseModel]:
    class Many(BaseModel):
        """More choices than a platform lists."""

        colour: Literal[tuple(f"colour {number}" for number in range(26))]  # type: ignore[valid-type]

    return Many
