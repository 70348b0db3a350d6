"""`/imagine` on Discord and on Telegram, through the whole product: options, previews, cancel, buttons, a restart, recipes bit for bit."""

from __future__ import annotations

import io
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from PIL import Image

from bot.testing import wait_until
from plugins.imagine.recipe import Recipe, read
from tests.connectors.test_discord import CONFIG
from tests.house import House
from tests.plugins.imagine.tiny import shelved
from tests.wire import discord_server, telegram_server
from tests.wire.discord_payloads import Json
from tests.wire.discord_server import Discord, serving
from tests.wire.telegram_chats import Chat, person
from tests.wire.telegram_server import Telegram

pytestmark = pytest.mark.asyncio(loop_scope="module")

SITTER = Path(__file__).parents[1] / "data/plugins/sitter"
"""Whoever draws while the house is `holding` stops, so that a test sees what it must on any machine."""

LOADED = 120.0
"""Seconds in which everything must have started and the model must have drawn, on a machine that does other things too."""


def labels(message: Json) -> list[str]:
    return [part["label"] for row in message["components"] for part in row["components"]]


TELEGRAM = """
[connectors.telegram]
token = "{token}"
api_url = "{url}"
file_url = "{url}/file"
"""


@dataclass
class Studio:
    """A channel in which people draw, and the same bot on Telegram."""

    discord: Discord
    telegram: Telegram
    house: House
    channel: Json
    ada: Json

    async def imagine(self, prompt: str, **options: Any) -> Json:
        """The message with the pictures."""
        before = len(self.shown())
        await self.discord.call(self.channel, self.ada, "imagine", prompt=prompt, **options)
        return await self.next(before)

    async def next(self, before: int) -> Json:
        """The message that comes when so many have come, with its pictures."""
        await wait_until(lambda: len(self.shown()) > before, LOADED)
        return self.shown()[-1]

    def shown(self) -> list[Json]:
        """Those that are finished; one on its way may have a preview, and has a Cancel button."""
        return [message for message in self.discord.said(self.channel) if "Delete" in labels(message)]

    def says(self, words: str) -> bool:
        return any(words in text for text in self.discord.texts(self.channel))

    def pictures(self, message: Json) -> list[tuple[Image.Image, Recipe]]:
        files = [self.discord.world.files[one["url"].removeprefix(self.discord.url).partition("?")[0]] for one in message["attachments"]]
        made = [Image.open(io.BytesIO(content)) for content in files]
        found = [(picture, read(picture.info["hobnob"])) for picture in made]
        assert all(recipe is not None for _, recipe in found)
        return [(picture, recipe) for picture, recipe in found if recipe is not None]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def studio(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Studio]:
    folder = tmp_path_factory.mktemp("studio")
    models = shelved(folder / "models", most_steps=200)
    plugins = f'[plugins.sitter]\npath = "{SITTER}"\n[models]\ndir = "{models}"\n'
    plugins += '[plugins.imagine]\nmodels = ["tiny"]\n[plugins.imagine.defaults]\nmost_steps = 200\n'
    async with serving(Discord()) as discord, Telegram().serving() as telegram:
        guild, ada = discord.world.guild("Lounge"), discord.world.user("Ada")
        more = CONFIG.format(token=discord_server.TOKEN, url=discord.url, gateway=discord.gateway.url.rstrip("/"))
        more += TELEGRAM.format(token=telegram_server.TOKEN, url=telegram.root)
        yield Studio(discord, telegram, House(folder, more, plugins), guild["channels"][0], ada)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def open_studio(studio: Studio) -> AsyncIterator[Studio]:
    with studio.house.begin("run") as process:
        await wait_until(lambda: studio.discord.gateway.ready and studio.channel["guild_id"] in studio.discord.world.commands, LOADED)
        yield studio
        process.terminate()
        await wait_until(lambda: process.poll() is not None, LOADED)


async def test_who_cancels_is_told_so_and_gets_no_picture(open_studio: Studio) -> None:
    """Steps are seen, then what it will be like, then it is cancelled: the drawing waits for each, see `SITTER`."""
    before = len(open_studio.shown())
    with open_studio.house.holding():
        asked = await open_studio.discord.call(open_studio.channel, open_studio.ada, "imagine", prompt="a cat", steps=200, number=4)
        await wait_until(lambda: asked.original and asked.original["content"] == "1 of 200 steps.", LOADED)
        assert asked.original is not None
        assert asked.original["attachments"] == []
    await wait_until(lambda: asked.original and asked.original["attachments"], LOADED)
    assert re.match(r"\d+ of 200 steps", asked.original["content"])
    [preview] = asked.original["attachments"]
    assert preview["description"] == "How it looks so far"
    await open_studio.discord.press(asked.original, open_studio.ada, "Cancel")
    await wait_until(lambda: asked.original is not None and asked.original["content"] == "Cancelled.", LOADED)
    assert asked.original["attachments"] == []
    assert len(open_studio.shown()) == before


async def test_a_slash_command_becomes_a_picture_that_says_how_it_was_drawn(open_studio: Studio) -> None:
    message = await open_studio.imagine("a red circle", seed=7, size="128x64", steps=3)
    [(picture, recipe)] = open_studio.pictures(message)
    assert (picture.size, recipe.prompt, recipe.seed, recipe.steps, recipe.model) == ((128, 64), "a red circle", 7, 3, "tiny")
    assert f"`{recipe.id}`" in message["content"]
    assert message["attachments"][0]["description"] == "Drawn by a machine: a red circle"
    assert labels(message) == ["Again", "Vary", "Edit prompt", "Delete"]


async def test_a_recipe_draws_the_same_to_the_last_bit(open_studio: Studio) -> None:
    message = await open_studio.imagine("a house", number=3)
    for picture, recipe in open_studio.pictures(message)[1:]:
        before = len(open_studio.shown())
        await open_studio.discord.call(open_studio.channel, open_studio.ada, "recipe", id=recipe.id)
        again = await open_studio.next(before)
        [(repeated, _)] = open_studio.pictures(again)
        assert repeated.tobytes() == picture.tobytes()
        assert "The same picture, bit for bit." in again["content"]


async def test_buttons_draw_again_vary_edit_and_delete(open_studio: Studio) -> None:
    first = await open_studio.imagine("a blue cat", seed=1)
    before = len(open_studio.shown())
    await open_studio.discord.press(first, open_studio.ada, "Again")
    [(other, again)] = open_studio.pictures(await open_studio.next(before))
    await open_studio.discord.press(first, open_studio.ada, "Vary")
    [(_, varied)] = open_studio.pictures(await open_studio.next(before + 1))
    opened = await open_studio.discord.press(first, open_studio.ada, "Edit prompt")
    await wait_until(lambda: opened.modal is not None, LOADED)
    await open_studio.discord.fill(opened, open_studio.ada, prompt="a green dog")
    [(_, edited)] = open_studio.pictures(await open_studio.next(before + 2))
    [(picture, recipe)] = open_studio.pictures(first)
    assert (again.prompt, again.seed != recipe.seed, other.tobytes() != picture.tobytes()) == ("a blue cat", True, True)
    assert (varied.prompt, varied.strength, len(varied.reference)) == ("a blue cat", 0.6, 64)
    assert (edited.prompt, edited.seed, edited.width) == ("a green dog", 1, recipe.width)
    await open_studio.discord.press(first, open_studio.ada, "Delete")
    await wait_until(lambda: first["id"] not in [message["id"] for message in open_studio.discord.said(open_studio.channel)], LOADED)


async def test_the_buttons_of_several_pictures_follow_them_on_telegram(open_studio: Studio) -> None:
    chats, ada = open_studio.telegram.chats, person(11, "Ada")
    chat = chats.direct(ada)
    chats.say(chat, ada, "/imagine a blue dog --number 3 --size 64x64 --steps 2 --seed 5")
    keys = await wait_until(lambda: keyboards(chat, "Vary 2"), LOADED)
    chats.click(chat, ada, keys[0], "Vary 2")
    [varied] = await wait_until(lambda: keyboards(chat, "Vary"), LOADED)
    assert "photo" in varied
    assert [len([one for one in chat.mine if "photo" in one]), len(chat.mine)] == [4, 5]
    chats.click(chat, ada, keys[0], "Delete")
    await wait_until(lambda: chat.mine == [varied], LOADED)


def keyboards(chat: Chat, label: str) -> list[Json]:
    """The messages below which there is such a button."""
    rows = [(message, message.get("reply_markup", {}).get("inline_keyboard", [])) for message in chat.mine]
    return [message for message, keys in rows if any(key["text"] == label for row in keys for key in row)]


async def test_what_cannot_be_drawn_is_said_in_a_sentence(open_studio: Studio) -> None:
    refused: dict[str, dict[str, Any]] = {
        "expected words that say what to draw": {"prompt": "\u200b"},
        "size: expected": {"prompt": "a cat", "size": "9x9"},
    }
    for said, options in refused.items():
        await open_studio.discord.call(open_studio.channel, open_studio.ada, "imagine", **options)
        await wait_until(partial(open_studio.says, said), LOADED)
    assert open_studio.discord.violations == []


async def test_buttons_and_recipes_outlive_a_restart(open_studio: Studio, studio: Studio) -> None:
    """The last test of the file: it starts everything anew."""
    first = await open_studio.imagine("a square", seed=3)
    [(picture, recipe)] = open_studio.pictures(first)
    for name in ("router", "worker"):
        studio.house.family[name].kill()
    before = len(studio.shown())
    await wait_until(lambda: not studio.discord.gateway.ready, LOADED)
    await wait_until(lambda: studio.discord.gateway.ready, LOADED)
    await studio.discord.press(first, studio.ada, "Again")
    await studio.next(before)
    await studio.discord.call(studio.channel, studio.ada, "recipe", id=recipe.id)
    [(repeated, _)] = studio.pictures(await studio.next(before + 1))
    assert repeated.tobytes() == picture.tobytes()
