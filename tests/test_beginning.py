"""`hobnob init` and `hobnob import`: what they ask, show and write."""

from __future__ import annotations

import asyncio
import json
import os
import traceback
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from dotenv import dotenv_values
from typer.testing import CliRunner

from bot import discovery
from bot.cli import app
from bot.cli.beginning import init
from bot.cli.checking import write
from bot.cli.coming import Brought, Endpoint, astrbot, llmcord, put
from bot.cli.listing import access
from bot.cli.wizard import Wizard
from bot.config import load, sound
from bot.editing import Draft
from bot.errors import ConfigError, PullError, UserError
from bot.writing import write_both
from tests.pull.shelf import serving
from tests.wire.telegram_server import TOKEN, Telegram

HUGE = "llama-3.1-8b"

TOML = """# What this bot is.

[plugins.admin]  # for admins
[plugins.chat]
max_batch = 4  # this machine is small
"""


@pytest.fixture
def file(tmp_path: Path, bare_environment: None) -> Path:
    file = tmp_path / "bot.toml"
    file.write_text(TOML)
    return file


def test_a_draft_keeps_comments_and_shows_no_secret(file: Path) -> None:
    draft = Draft(file)
    draft.set(("plugins", "chat", "models"), ["small"])
    draft.set(("connectors", "discord", "shards"), 2)
    draft.set(("connectors", "telegram", "late_after"), 60.0)
    draft.secret("HOBNOB_MODELS__TOKEN", "very secret")
    shown = draft.shown()
    assert "very secret" not in shown
    assert "HOBNOB_MODELS__TOKEN is set (not shown)" in shown
    assert '+models = ["small"]' in shown
    assert file.read_text() == TOML
    draft.write()
    assert all(line in file.read_text().splitlines() for line in TOML.splitlines())
    assert load(file).plugins["chat"].options == {"max_batch": 4, "models": ["small"]}
    assert (file.parent / ".env").stat().st_mode & 0o777 == 0o600
    assert forget(file) == {"HOBNOB_MODELS__TOKEN": "very secret"}


def test_a_draft_shows_nothing_hidden_that_stood_there_before(file: Path) -> None:
    file.write_text('[connectors.discord]\ntoken = "discord secret"\nshards = 1\n\n[plugins.x]\nsize = 1\nkeys = [\n  "list secret",\n]\n')
    draft = Draft(file)
    draft.set(("connectors", "discord", "shards"), 2)
    draft.drop(("plugins", "x"))
    shown = draft.shown().splitlines()
    assert {"-shards = 1", "+shards = 2", "-[plugins.x]", "-size = 1", "-keys = ["} < set(shown)
    assert not any(word in line for line in shown for word in ("discord secret", "list secret", "token")), shown


def test_secrets_are_their_owners_alone_and_nothing_is_left_where_the_rest_cannot_be_written(file: Path) -> None:
    secrets = file.parent / ".env"
    secrets.write_text("OTHER='1'\n")
    secrets.chmod(0o644)
    draft = Draft(file)
    draft.secret("SOME_KEY", "x")
    draft.set(("plugins", "chat", "max_batch"), 2)
    blocked = file.parent / ".bot.toml.next"  # as where the folder is read-only
    blocked.mkdir()
    with pytest.raises(ConfigError, match=r"bot.toml cannot be written: "):
        draft.write()
    assert (file.read_text(), secrets.read_text()) == (TOML, "OTHER='1'\n")
    blocked.rmdir()
    draft.write()
    assert secrets.stat().st_mode & 0o777 == 0o600
    assert forget(file) == {"OTHER": "1", "SOME_KEY": "x"}


@pytest.mark.parametrize("moves", range(5))
def test_a_change_of_both_files_that_is_cut_off_comes_whole_or_not_at_all(file: Path, monkeypatch: pytest.MonkeyPatch, moves: int) -> None:
    """The process is ended before the next file is moved to where it belongs."""
    draft, move, left = Draft(file), os.replace, iter(range(moves))
    draft.secret("SOME_KEY", "x")
    draft.set(("plugins", "chat", "max_batch"), 2)

    def cut(*paths: Path) -> None:
        if next(left, None) is None:
            raise KeyboardInterrupt
        move(*paths)

    with monkeypatch.context() as patched, suppress(KeyboardInterrupt):
        patched.setattr(os, "replace", cut)
        draft.write()
    sound(file)
    found = (file.read_text(), forget(file))
    assert found == ((draft.text, {"SOME_KEY": "x"}) if moves >= 2 else (TOML, {}))


def test_the_first_of_two_files_is_as_it_was_where_the_second_refuses(tmp_path: Path) -> None:
    file, secrets = tmp_path / "bot.toml", tmp_path / "secrets"
    file.write_text("before")
    secrets.mkdir()
    with pytest.raises(ConfigError, match="cannot be written: "):
        write_both(file, "after", secrets, "hidden")
    assert file.read_text() == "before"
    assert {one.name for one in tmp_path.iterdir()} == {"bot.toml", "secrets"}


def test_a_plugin_that_is_switched_off_and_on_again_is_as_it_was(file: Path) -> None:
    draft = Draft(file)
    for on in (False, True):
        (draft.table if on else draft.drop)(("plugins", "chat"))
        assert draft.changed is not on
    draft.drop(("plugins", "chat"))
    draft.set(("plugins", "chat", "models"), ["small"])
    draft.write()
    assert load(file).plugins["chat"].options == {"max_batch": 4, "models": ["small"]}


def test_a_draft_with_a_fault_writes_nothing(file: Path) -> None:
    draft = Draft(file)
    draft.set(("web", "prot"), 1)
    draft.secret("SOME_KEY", "x")
    with pytest.raises(ConfigError, match=r"bot.toml:\d+: web.prot"):
        draft.write()
    assert file.read_text() == TOML
    assert sorted(path.name for path in file.parent.iterdir()) == ["bot.toml"]


@pytest.mark.parametrize("value", ["two\nlines", "a'quote"])
def test_a_secret_that_could_become_another_line_is_refused(file: Path, value: str) -> None:
    with pytest.raises(ConfigError, match="expected a value of one line"):
        Draft(file).secret("SOME_KEY", value)


def test_what_the_file_beside_says_holds_unless_the_shell_says_otherwise(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (file.parent / ".env").write_text("HOBNOB_WEB__PORT='9001'\nHOBNOB_LOG__LEVEL=debug\n")
    monkeypatch.setenv("HOBNOB_WEB__PORT", "9002")
    monkeypatch.setenv("HOBNOB_LOG__LEVEL", "x")
    monkeypatch.delenv("HOBNOB_LOG__LEVEL")
    config = load(file)
    monkeypatch.delenv("HOBNOB_LOG__LEVEL")
    assert (config.web.port, config.log.level) == (9002, "debug")


async def test_a_hub_that_refuses_leaves_nothing_behind_and_no_token_goes_to_another_than_its_own(file: Path) -> None:
    await asyncio.to_thread(file.write_text, f'{TOML}[models]\ntoken = "stored"\ndir = "{file.parent / "models"}"\n')
    wizard = Wizard(load(file))
    with serving() as shelf:
        wizard.hub(shelf.url, "")
        with pytest.raises(PullError):
            await wizard.choose([HUGE])
        assert [asked.authorization for asked in shelf.asked] == [""]
        assert not wizard.draft.changed
        shelf.put_repository("a/b", {"model.safetensors": b"x"}, large=("model.safetensors",))
        shelf.files[shelf.asked[0].path] = shelf.files["/api/models/a/b/revision/main"]
        wizard.hub(shelf.url, "typed")
        await wizard.choose([HUGE])
        assert {asked.authorization for asked in shelf.asked[1:]} == {"Bearer typed"}
        shown = await wizard.shown()
        assert {f'+endpoint = "{shelf.url}"', f'+trusted_hub = "{shelf.url}"'} <= set(shown.splitlines())
        assert "HOBNOB_MODELS__TOKEN is set (not shown)" in shown


@pytest.mark.parametrize(
    ("keys", "token"), [("", "stored"), ('endpoint = "https://mirror.test"', ""), ('trusted_hub = "https://mirror.test"', "")]
)
def test_a_token_is_shown_to_no_hub_but_the_one_that_it_is_for(file: Path, keys: str, token: str) -> None:
    """Whoever has written the address of another one later, and however."""
    file.write_text(f'[models]\ntoken = "stored"\n{keys}\n')
    shown = access(load(file))
    assert (shown.token, shown.anonymous) == (token, not token)
    file.write_text('[models]\ntoken = "stored"\nendpoint = "https://mirror.test/"\ntrusted_hub = "https://Mirror.test"\n')
    assert access(load(file)).token == "stored"


def test_what_a_start_would_refuse_never_takes_the_place_of_what_was_there(file: Path) -> None:
    draft = Draft(file)
    draft.set(("plugins", "chat", "max_batsch"), 2)  # which only the plugin knows
    draft.secret("SOME_KEY", "x")
    before = file.stat()
    with pytest.raises(ConfigError, match=rf"{file}:\d+: plugins.chat.max_batsch"):
        asyncio.run(write(draft))
    after = file.stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert [path.name for path in file.parent.iterdir()] == ["bot.toml"]


@pytest.mark.parametrize(("token", "proxy"), [("tök-hidden", ""), ("1:a", "me:hidden@10.0.0.1:3128"), ("1:a", "http://me:hidden@[x")])
async def test_what_cannot_be_used_as_it_is_written_is_refused_without_its_words(file: Path, token: str, proxy: str) -> None:
    with pytest.raises(ConfigError) as refused:
        await Wizard(load(file)).connect("discord", token, proxy)
    assert "hidden" not in "".join(traceback.format_exception(refused.value))


def forget(file: Path) -> dict[str, str | None]:
    """What stands beside a configuration; reading that has put it into the environment."""
    found = dotenv_values(file.parent / ".env")
    for name in found:
        os.environ.pop(name, None)
    return found


async def test_init_checks_a_token_shows_what_it_would_write_and_writes_it(file: Path) -> None:
    async with Telegram().serving() as telegram:
        telegram.bot |= {"can_read_all_group_messages": False}
        await asyncio.to_thread(file.write_text, f'{TOML}[connectors.telegram]\napi_url = "{telegram.root}"\n')
        said = ["", "1:wrong", TOKEN, "private", "en", *["y"] * (len(discovery.installed()) + 3)]  # as many as this machine asks
        done = await asyncio.to_thread(CliRunner().invoke, app, ["init", "--config", str(file)], input="\n".join(said) + "\n")
    assert "Telegram refuses the token" in done.output
    assert "This is @hobnob_bot. By this link it gets in:\nhttps://t.me/hobnob_bot" in done.output
    assert "/setprivacy" in done.output
    assert TOKEN not in done.output
    assert "HOBNOB_CONNECTORS__TELEGRAM__TOKEN is set (not shown)" in done.output
    assert done.exit_code == 0, done.output
    config = load(file)
    assert forget(file)["HOBNOB_CONNECTORS__TELEGRAM__TOKEN"] == TOKEN
    assert (config.models.use, set(config.plugins)) == ("private", set(discovery.installed()))


@pytest.mark.parametrize("words", [["init"], ["import", "llmcord", "old.yaml"]], ids=["init", "import"])
def test_where_nobody_answers_it_says_what_to_do_without_questions(file: Path, monkeypatch: pytest.MonkeyPatch, words: list[str]) -> None:
    monkeypatch.chdir(file.parent)
    Path("old.yaml").write_text(LLMCORD)
    done = CliRunner().invoke(app, [*words, "--config", str(file)], input="")
    assert isinstance(done.exception, UserError), done.output
    for named in (str(file), str(file.parent / ".env"), "HOBNOB_CONNECTORS__DISCORD__TOKEN=", "`hobnob run`", "`hobnob check`"):
        assert named in str(done.exception)
    monkeypatch.setattr("sys.stdin", None)  # closed
    with pytest.raises(UserError, match="nobody answers here, and nothing was changed"):
        init(file)
    assert (file.read_text(), (file.parent / ".env").exists()) == (TOML, False)


LLMCORD = """
bot_token: discord-token
system_prompt: |
  You are a pirate.
providers:
  ollama: {base_url: "http://localhost:11434/v1"}
  openai: {base_url: "https://api.openai.com/v1", api_key: "sk-secret"}
models:
  openai/gpt-4.1: {temperature: 1.0}
  ollama/llama3.3:
  nowhere/x:
permissions: {users: {admin_ids: [1]}}
"""

ASTRBOT = {
    "platform": [
        {"id": "tg", "type": "telegram", "enable": True, "telegram_token": "telegram-token"},
        {"id": "qq", "type": "aiocqhttp", "enable": True},
    ],
    "provider": [
        {"id": "ds", "type": "openai_chat_completion", "enable": True, "key": ["sk-2"], "api_base": "https://api.deepseek.com/v1"}
        | {"model_config": {"model": "deepseek-chat"}},
        {"id": "dify", "type": "dify", "enable": True},
    ],
    "persona": [{"name": "cat", "prompt": "You are a cat."}],
    "provider_settings": {"default_personality": "cat"},
}


def test_import_takes_over_what_llmcord_had(file: Path) -> None:
    source = file.parent / "config.yaml"
    source.write_text(LLMCORD)
    done = CliRunner().invoke(app, ["import", "llmcord", str(source), "--config", str(file)], input="y\n")
    assert "sk-secret" not in done.output
    assert "discord-token" not in done.output
    assert "Left behind: the model nowhere/x" in done.output
    assert "Left behind: the permissions" in done.output
    chat = load(file).plugins["chat"]
    assert forget(file) == {"HOBNOB_CONNECTORS__DISCORD__TOKEN": "discord-token", "GPT_4_1_KEY": "sk-secret"}
    assert chat.options["models"] == ["gpt-4.1", "llama3.3"]
    assert chat.options["servers"]["gpt-4.1"] == {"url": "https://api.openai.com/v1", "model": "gpt-4.1", "key": "GPT_4_1_KEY"}
    assert chat.defaults == {"persona": "You are a pirate."}


def test_import_of_llmcord_leaves_behind_what_it_cannot_take_and_says_so() -> None:
    """As its example is filled in: with places for date and time, models of old and new forms, and what nobody has filled in."""
    given: dict[str, Any] = {
        "bot_token": "YOUR_BOT_TOKEN_HERE",
        "permissions": {"users": {"admin_ids": [], "allowed_ids": [], "blocked_ids": []}, "roles": None},
        "providers": {
            "openai": {"base_url": "https://api.openai.com/v1", "api_key": "sk-1"},
            "azure": {"base_url": "https://x.openai.azure.com/openai", "api_key": "sk-2", "extra_query": {"api-version": "1"}},
            "here": {"base_url": "http://my-ip:MyPort/v1"},
            "ollama": {"base_url": "http://localhost:11434/v1", "api_key": None},
        },
        "models": ["openai/4o-mini", "openai/4o.mini", "azure/gpt-5", "here/x", "ollama/llama4:vision", 7],
        "system_prompt": "Today is {date}, {time}.",
    }
    found = llmcord(given)
    assert (found.tokens, found.persona) == ({}, "Today is {date}, {time}.")
    assert [(one.name, one.model, one.key) for one in found.endpoints] == [
        ("4o-mini", "4o-mini", "sk-1"),
        ("4o.mini", "4o.mini", "sk-1"),
        ("gpt-5", "gpt-5", "sk-2"),
        ("llama4", "llama4", ""),
    ]
    assert found.left == [
        "the meaning of {date} and {time} in the persona, which stand there as they are now",
        "what azure/gpt-5 is asked with besides, by extra_query",
        "the address http://my-ip:MyPort/v1, which is none of http or https",
        "the model 7, whose provider has no address",
    ]
    assert [one.model for one in llmcord({**given, "models": None, "model": "ollama/x"}).endpoints] == ["x"]
    assert llmcord({"providers": "none", "permissions": "none"}) == Brought()


def test_two_models_whose_names_are_alike_keep_their_own_keys(file: Path) -> None:
    draft = Draft(file)
    put(Brought(endpoints=[Endpoint("4o-mini", "https://a.test", "x", "1"), Endpoint("4o.mini", "https://b.test", "x", "2")]), draft, [])
    put(Brought(endpoints=[Endpoint("held", "https://c.test", "x", "$THEIR_KEY")]), draft, [])
    assert draft.set_secrets == {"MODEL_4O_MINI_KEY": "1", "MODEL_4O_MINI_2_KEY": "2"}
    assert 'key = "THEIR_KEY"' in draft.text


def test_import_of_astrbot_begins_with_the_model_that_answers_usually() -> None:
    """As its fourth release writes: sources and models apart, personas in its database, one proxy for all."""
    source = {"id": "ds", "type": "openai_chat_completion", "provider_type": "chat_completion", "key": ["sk-1"], "api_base": ""}
    found = astrbot(
        {
            "platform": [
                {"id": "a", "type": "telegram", "telegram_token": "1:x", "telegram_api_base_url": "https://tg.test/bot"},
                {"id": "b", "type": "telegram", "telegram_token": "2:x"},
                {"id": "c", "type": "discord", "discord_token": "your_bot_token"},
                {"id": "d", "type": "lark", "enable": False},
            ],
            "provider_sources": [source, {**source, "id": "glm", "type": "zhipu_chat_completion", "api_base": "https://glm.test/v4/"}],
            "provider": [
                {"id": "one", "provider_source_id": "ds", "model": "first"},
                {"id": "two", "provider_source_id": "glm", "model": "glm-4"},
                {"id": "three", "provider_source_id": "nowhere", "model": "x"},
            ],
            "provider_settings": {"default_provider_id": "two", "default_personality": "cat"},
            "http_proxy": "http://127.0.0.1:7890",
            "persona": [],
        }
    )
    assert (found.tokens, found.servers) == ({"telegram": "1:x"}, {"telegram": "https://tg.test"})
    assert found.proxies == {"telegram": "http://127.0.0.1:7890"}
    assert [(one.name, one.url) for one in found.endpoints] == [("glm-4", "https://glm.test/v4"), ("first", "https://api.openai.com/v1")]
    assert [words.partition(",")[0].partition(":")[0] for words in found.left] == [
        "the platform b",
        "the persona cat",
        "the provider three",
    ]
    assert astrbot({"platform": {}, "provider": [None, 1], "provider_settings": []}) == Brought()


def test_import_takes_over_what_astrbot_had(file: Path) -> None:
    source = file.parent / "cmd_config.json"
    source.write_text(json.dumps(ASTRBOT), encoding="utf-8-sig")
    done = CliRunner().invoke(app, ["import", "astrbot", str(source), "--config", str(file)], input="y\n")
    assert "Left behind: the platform qq" in done.output
    assert "Left behind: the provider dify" in done.output
    chat = load(file).plugins["chat"]
    assert forget(file) == {"HOBNOB_CONNECTORS__TELEGRAM__TOKEN": "telegram-token", "DEEPSEEK_CHAT_KEY": "sk-2"}
    assert chat.options["models"] == ["deepseek-chat"]
    assert chat.defaults == {"persona": "You are a cat."}


@pytest.mark.parametrize(
    ("kind", "text"),
    [("llmcord", "- a list"), ("astrbot", "{broken"), ("llmcord", "a: ["), ("llmcord", "{platform: []}"), ("astrbot", "{}")],
)
def test_a_file_that_is_something_else_is_refused_with_a_sentence(file: Path, kind: str, text: str) -> None:
    source = file.parent / "other"
    source.write_text(text)
    done = CliRunner().invoke(app, ["import", kind, str(source), "--config", str(file)], input="y\n")
    assert isinstance(done.exception, ConfigError)
    assert str(source) in str(done.exception)
    assert file.read_text() == TOML
