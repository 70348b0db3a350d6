"""What authors of plugins are given: new projects whose tests pass, rooms to test in, and crashes at every step."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import get_args

import pytest
from typer.testing import CliRunner

from bot.cli import app
from bot.cli.scaffolding import Kind
from bot.errors import UserError

DICE = """
import random
from datetime import timedelta

from bot import Action, Button, Choice, Command, Context, File, Form, Listener, NoArgs, Option, Reaction, Reply, Schedule, Select, hookimpl
from pydantic import BaseModel


class Number(BaseModel):
    number: int = 0


class Plugin:
    @hookimpl
    def register_routes(self):
        yield Command("roll", "Rolls.", NoArgs, self.roll)
        yield Command("cheat", "Rolls, and cannot be replayed.", NoArgs, self.cheat)
        yield Command("tea", "Reminds.", NoArgs, self.tea)
        yield Command("panel", "Offers.", NoArgs, self.panel)
        yield Action("take", Number, self.take)
        yield Schedule("ready", NoArgs, self.ready)
        yield Reaction("liked", "👍", self.liked)
        yield Listener("files", lambda message: any(isinstance(part, File) for part in message.parts), self.file)

    async def roll(self, ctx: Context, args: NoArgs) -> Reply:
        await ctx.reply("Rolling …")
        return Reply(f"{ctx.random.randint(1, 6)}")

    async def cheat(self, ctx: Context, args: NoArgs) -> Reply:
        await ctx.reply("Rolling …")
        return Reply(f"{random.random()}")

    async def tea(self, ctx: Context, args: NoArgs) -> Reply:
        await ctx.schedule("ready", NoArgs(), ctx.now + timedelta(minutes=5))
        return Reply("In five minutes.")

    async def ready(self, ctx: Context, payload: NoArgs) -> Reply:
        return Reply(f"Tea is ready at {ctx.now:%H:%M}.")

    async def panel(self, ctx: Context, args: NoArgs) -> Reply:
        form = Form("How many?", (Option("number", "A number.", kind="integer"),))
        menu = Select("take", "number", (Choice("One", "1"), Choice("Two", "2")))
        return Reply("Choose.", buttons=[Button("Other", "take", form=form), menu])

    async def take(self, ctx: Context, payload: Number) -> Reply:
        return Reply(f"You took {payload.number}.")

    async def liked(self, ctx: Context) -> Reply:
        return Reply(f"{ctx.person.name} likes it.")

    async def file(self, ctx: Context) -> Reply:
        (part,) = [part for part in ctx.message.parts if isinstance(part, File)]
        return Reply(f"{part.source.name}: {(await ctx.read(part.source)).decode()}")
"""

TESTS = """
import pytest


async def test_a_roll_can_be_replayed(crash_anywhere):
    async def rolls(room):
        await room.say("/roll")

    await crash_anywhere(rolls)


async def test_a_cheat_cannot(crash_anywhere):
    async def cheats(room):
        await room.say("/cheat")

    with pytest.raises(AssertionError, match="the handler ended otherwise than without a stop"):
        await crash_anywhere(cheats)


async def test_time_passes(room):
    (said,) = await room.say("/tea")
    assert said == "In five minutes."
    assert await room.later(299) == []
    (ready,) = await room.later(2)
    assert ready.startswith("Tea is ready at ")


async def test_people_choose_fill_in_react_and_upload(room):
    (panel,) = await room.say("/panel")
    assert panel.buttons == ["Other", "One", "Two"]
    assert await room.choose("Two", on=panel) == ["You took 2."]
    assert await room.fill("Other", number=7) == ["You took 7."]
    assert await room.react("👍", panel, by="Ben") == ["Ben likes it."]
    assert await room.say(files={"note.bin": b"hello"}) == ["note.bin: hello"]
    with pytest.raises(AssertionError, match="expected a button 'Nothing', found 'Other'"):
        await room.click("Nothing")


async def test_rooms_do_not_meet(room):
    await room.say("/roll")
    assert room.elsewhere("kitchen").messages == []


@pytest.mark.hobnob(platform="discord")
async def test_discord_takes_two_thousand_characters(room):
    from bot import Reply  # noqa

    with pytest.raises(AssertionError, match="expected"):
        await room.click("x")
    assert room.house.platform.limits(room.address).text == 2000


@pytest.mark.parametrize("number", range(94))
async def test_many(room, number):
    (first, second) = await room.say("/roll", by=f"P{number}")
    assert first == "Rolling …" and second in "123456"
"""

SETTINGS = """[pytest]
addopts = -p bot.testing.fixtures -p no:simcord -p no:cacheprovider
asyncio_mode = auto
asyncio_default_fixture_loop_scope = function
hobnob_plugins = dice=dice
filterwarnings = error
"""


def ran(folder: Path, *words: str, environ: Mapping[str, str] | None = None) -> str:
    """The end of what pytest says there."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:simcord", *words]
    done = subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()[-1]


@pytest.mark.parametrize("kind", get_args(Kind))
def test_a_new_project_passes_its_tests(tmp_path: Path, kind: str) -> None:
    made = CliRunner().invoke(app, ["plugins", "new", "my-party", "--with", kind, "--into", str(tmp_path)])
    assert made.exit_code == 0, made.output
    assert " passed in " in ran(tmp_path / "my-party")


def test_a_project_for_which_there_is_no_room_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "file").touch()
    for name, said in (("Party!", "expected a name"), ("chat", "installed already"), ("taken", "is there already")):
        made = CliRunner().invoke(app, ["plugins", "new", name, "--into", str(tmp_path)])
        assert isinstance(made.exception, UserError)
        assert said in str(made.exception)


@pytest.mark.alone
def test_a_hundred_tests_take_a_few_seconds(tmp_path: Path) -> None:
    (tmp_path / "dice").mkdir()
    (tmp_path / "dice" / "plugin.toml").write_text('summary = "Dice."\napi = 1\nlicence = "x"\n')
    (tmp_path / "dice" / "front.py").write_text(DICE)
    (tmp_path / "test_dice.py").write_text(TESTS)
    (tmp_path / "pytest.ini").write_text(SETTINGS.replace("addopts =", "addopts = -p pytest_asyncio.plugin"))
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"  # as where an author works: ours are more, and some import a lot
    assert ran(tmp_path, "--collect-only", environ=environ).startswith("100 tests collected"), "compiled from now on"
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    said = ran(tmp_path, environ=environ)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert said.startswith("100 passed in "), said
    assert after.ru_utime - before.ru_utime < 5.0, "seconds of a processor, with the start of pytest"
