"""What the documentation shows works, and what it names is there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import pytest
from redis.asyncio import Redis
from typer.main import get_command

import bot
from bot import Address, Called, Clicked, Context, Fired, Message, NoArgs, Person, Text, testing, typed_command
from bot.cli import app
from bot.config import load as load_config
from bot.plugins import Half, Plugins
from bot.plugins import load as load_plugins
from bot.store.keys import Keys
from bot.testing import ScriptedActs, wait_until
from bot.testing.platform import Platform
from tests.router.world import Fate, router
from tools import reference

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
CHINESE = (ROOT / "README.zh-CN.md").read_text(encoding="utf-8")
PLUGINS = (ROOT / "docs/plugins.md").read_text(encoding="utf-8")

ROOM, ADA = Address("room", "lounge", "main"), Person("ada", "Ada")


def blocks(page: str, language: str) -> list[str]:
    """The fenced blocks of one language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)


# The README's plugin -----------------------------------------------------------------------------------------------------


def written(folder: Path) -> Path:
    """Does what the README says, in this folder; returns the configuration."""
    manifest, table = blocks(README, "toml")
    (code,) = blocks(README, "python")
    home = folder / "my/dice"
    home.mkdir(parents=True)
    (home / "plugin.toml").write_text(manifest)
    (home / "front.py").write_text(code)
    (folder / "config").mkdir()
    (folder / "config/bot.toml").write_text(table)
    return folder / "config/bot.toml"


async def said(url: str, keys: Keys, plugins: Plugins, text: str) -> list[str]:
    """What a room shows in the end when Ada says this."""
    platform, trigger = Platform(), typed_command(text)
    assert trigger is not None
    async with router(url, keys, plugins, platform, Fate()) as made:
        await made.deliver(Message("1", "1", ROOM, ADA, (Text(text),), trigger))
        await wait_until(lambda: platform.shown(ROOM) and not platform.busy() and not made.runner.held)
    return platform.shown(ROOM)


async def test_the_plugin_in_the_readme_works(tmp_path: Path, redis_url: str, redis: Redis, keys: Keys) -> None:
    plugins = load_plugins(load_config(written(tmp_path)), "front")

    assert await said(redis_url, keys, plugins, "/roll --sides 2") in (["Ada rolls a 1."], ["Ada rolls a 2."])


async def test_the_plugin_in_the_readme_refuses_what_it_cannot_roll(tmp_path: Path, redis_url: str, redis: Redis, keys: Keys) -> None:
    plugins = load_plugins(load_config(written(tmp_path)), "front")

    (answer,) = await said(redis_url, keys, plugins, "/roll --sides 1")

    assert answer.startswith("sides: input should be greater than or equal to 2")


def test_the_plugin_in_the_readme_has_twenty_lines() -> None:
    (code,) = blocks(README, "python")
    assert len(code.splitlines()) <= 20


# The examples of the page on plugins --------------------------------------------------------------------------------------

NAMED = re.findall(r"`([\w/]+\.py)`[^`\n]*:\n\n```python\n(.*?)^```$", PLUGINS, re.DOTALL | re.MULTILINE)
"""(file, code) of the examples that say which file they are."""

UNNAMED = [code for code in blocks(PLUGINS, "python") if code not in {code for _, code in NAMED}]


def plugin(folder: Path, name: str, **files: str) -> Path:
    """A plugin of these modules; returns a configuration that has it."""
    home = folder / name
    home.mkdir()
    for part, code in files.items():
        (home / f"{part}.py").write_text(code)
    (home / "plugin.toml").write_text('summary = "From the page."\napi = 1\nlicence = "Apache-2.0"\n')
    (folder / "bot.toml").write_text(f'[plugins.{name}]\npath = "{name}"\n')
    return folder / "bot.toml"


@pytest.mark.parametrize("code", UNNAMED)
def test_every_example_loads(tmp_path: Path, code: str) -> None:
    half: Half = "model" if "def register_models" in code else "front"
    assert load_plugins(load_config(plugin(tmp_path, "example", **{half: code})), half).loaded


def test_the_job_of_your_own_loads_in_both_halves_and_its_tests_pass(tmp_path: Path) -> None:
    parts = {Path(file).stem: code for file, code in NAMED if file.startswith("shout/")}
    config = load_config(plugin(tmp_path, "shout", **parts))
    (tmp_path / "test_shout.py").write_text(dict(NAMED)["test_shout.py"])

    ((_, model),) = load_plugins(config, "model").collect("register_models")
    ((_, route),) = load_plugins(config, "front").collect("register_routes")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_shout.py"]
    path = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=tmp_path, env=path, capture_output=True, text=True, timeout=60, check=False)

    assert (model.name, route.name) == ("voice", "shout")
    assert "2 passed" in done.stdout, done.stdout + done.stderr


async def test_the_reminder_fires_and_its_button_takes_it_back(tmp_path: Path, redis_url: str, redis: Redis, keys: Keys) -> None:
    (code,) = (code for code in UNNAMED if "class Reminder" in code)
    plugins = load_plugins(load_config(plugin(tmp_path, "reminders", front=code)), "front")
    platform = Platform()
    async with router(redis_url, keys, plugins, platform, Fate()) as made:
        for number in ("1", "2"):
            await made.deliver(Message(number, number, ROOM, ADA, trigger=Called("remind", text="tea --minutes 1")))
        await wait_until(lambda: len(platform.shown(ROOM)) == 2 and not made.runner.held)
        (key,) = platform.chats[ROOM]["1"].keys
        await made.deliver(Message("3", "3", ROOM, ADA, trigger=Clicked(key.id)))
        await wait_until(lambda: "tea: forgotten." in platform.shown(ROOM) and not made.runner.held)
        (left,) = cast("list[bytes]", await redis.zrange(keys.firings_due(), 0, -1))
        await made.deliver(Message("4", "4", ROOM, ADA, trigger=Fired(left.decode())))
        await wait_until(lambda: "Ada, tea!" in platform.shown(ROOM) and not made.runner.held)


def test_the_page_on_plugins_names_nothing_that_is_not_there() -> None:
    ctx: object = Context(Message("1", "1", ROOM, ADA), NoArgs(), datetime.now(UTC), "", ScriptedActs())
    assert {name for name in re.findall(r"`(?:await )?ctx\.(\w+)", PLUGINS) if not hasattr(ctx, name)} == set()
    words = set(re.findall(r"`([A-Z][a-z]\w+)(?:\(.*?\))?`", PLUGINS)) - {"Plugin", "Settings", "Config", "None"}
    assert {name for name in words if name not in bot.__all__ and name not in testing.__all__} == set()


def test_the_reference_is_as_the_code_says_and_says_all_that_ctx_can_do() -> None:
    """`python -m tools.reference` writes it anew."""
    page = reference.page()
    assert reference.TARGET.read_text(encoding="utf-8") == page
    ctx = Context(Message("1", "1", ROOM, ADA), NoArgs(), datetime.now(UTC), "", ScriptedActs())
    said = page.partition("### Context\n")[2].partition("\n### ")[0]
    assert {name for name in dir(ctx) if not name.startswith("_") and not re.search(rf"`(async )?{name}\b", said)} == set()


# The Chinese README ------------------------------------------------------------------------------------------------------


def shape(page: str) -> list[str]:
    """What both languages share, in order: levels of headings, code, images, tables, links, and what stands in backticks."""
    code = r"^```.*?^```$"
    words = re.sub(code, "", page, flags=re.DOTALL | re.MULTILINE)
    targets = [target for target in re.findall(r"\]\(([^)]+)\)", words) if not target.startswith("README")]
    levels = re.findall(r"^#+ ", page, re.MULTILINE)
    rows = re.findall(r"^\|", page, re.MULTILINE)
    return [*levels, *re.findall(code, page, re.DOTALL | re.MULTILINE), *targets, *rows, *sorted(re.findall(r"`[^`\n]+`", words))]


def test_both_readmes_have_the_same_headings_code_pictures_and_links() -> None:
    assert shape(CHINESE) == shape(README)


def test_the_readmes_lead_to_each_other() -> None:
    assert "](README.zh-CN.md)" in README
    assert "](README.md)" in CHINESE


# What is named is there --------------------------------------------------------------------------------------------------

PAGES = ("README.md", "README.zh-CN.md", "CHANGELOG.md", *sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md")))


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_somewhere(page: str) -> None:
    place = ROOT / page
    links = re.findall(r"\]\(([^)#]+)[^)]*\)", place.read_text(encoding="utf-8"))
    assert [link for link in links if not link.startswith("https://") and not (place.parent / link).exists()] == []


@pytest.mark.parametrize("page", ["README.md", "docs/architecture.md", "docs/decisions.md"])
def test_every_path_that_is_named_exists(page: str) -> None:
    quoted = re.findall(r"`([\w.*<>/-]+)`", (ROOT / page).read_text(encoding="utf-8"))
    paths = {word for word in quoted if re.match(r"(bot|plugins|tests|tools|config|docs|deploy)/", word)}
    paths = {re.sub("<name>", "*", path) for path in paths}
    assert sorted(path for path in paths if not any(ROOT.glob(path))) == []


def test_each_file_has_its_place_in_the_architecture() -> None:
    (tree,) = [block for block in blocks((ROOT / "docs/architecture.md").read_text(encoding="utf-8"), "") if block.startswith("bot/  ")]
    folder, named = "", []
    for line in tree.splitlines():
        first = line.split()[0] if line else ""
        folder = first if first.endswith("/") else folder
        named += [folder + first] if first.endswith(".py") else []
    written = (path.relative_to(ROOT).as_posix() for path in (ROOT / "bot").rglob("*.py") if not path.name.startswith("__"))
    assert sorted(named) == sorted(written)


def test_every_command_that_is_named_exists() -> None:
    pages = "".join((ROOT / page).read_text(encoding="utf-8") for page in PAGES)
    known = names_of(get_command(app))
    named = re.findall(r"(?:^|`)hobnob ((?:[a-z]+ ?)+)", pages, re.MULTILINE)
    assert {words.strip() for words in named if not any((words + " ").startswith(f"{name} ") for name in known)} == set()


def names_of(command: object, prefix: str = "") -> set[str]:
    """The commands and those below them, as they are typed."""
    found: dict[str, object] = getattr(command, "commands", {})
    return {full for name, one in found.items() for full in (f"{prefix}{name}", *names_of(one, f"{prefix}{name} "))}


def test_the_make_targets_that_are_named_exist() -> None:
    makefile = (ROOT / "Makefile").read_text()
    named = set(re.findall(r"make ([a-z-]+)", "".join(f"{page}\n" for page in blocks(README, "sh"))))
    assert named
    assert {name for name in named if f"\n{name}:" not in makefile} == set()
