"""The configuration: where it comes from, and what is said when it is wrong."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import pytest
from pydantic import BaseModel, Field, SecretStr, ValidationError

from bot import doctor
from bot.cli.connecting import platforms
from bot.config import Config, load
from bot.errors import ConfigError
from bot.faults import Source, positions
from bot.locales import Locales
from bot.log import secrets_of, setup
from bot.plugins import load as load_plugins
from bot.store.connection import connect
from bot.store.hearsay import Hearsay
from bot.store.keys import Keys

pytestmark = pytest.mark.usefixtures("bare_environment")


def written(folder: Path, text: str) -> Path:
    path = folder / "bot.toml"
    path.write_text(text, encoding="utf-8")
    return path


def faults(path: Path) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(path)
    return [fault.replace(f"{path}", "bot.toml") for fault in caught.value.faults]


def test_the_shipped_file_works_as_it_is() -> None:
    config = load(Path("config/bot.toml"))
    assert list(config.plugins) == ["admin", "chat", "imagine", "transcribe"]
    assert (config.web.host, config.web.port, config.redis.url) == ("127.0.0.1", 8484, None)


def test_an_empty_file_is_a_configuration(tmp_path: Path) -> None:
    assert load(written(tmp_path, "")).plugins == {}


def test_the_environment_wins_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOBNOB_WEB__PORT", "9000")
    config = load(written(tmp_path, '[web]\nport = 8000\nhost = "0.0.0.0"'))
    assert (config.web.port, config.web.host) == (9000, "0.0.0.0")


def test_an_empty_variable_is_as_good_as_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOBNOB_REDIS__URL", "")
    assert load(written(tmp_path, "")).redis.url is None


def test_the_environment_can_switch_a_plugin_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOBNOB_PLUGINS__CHAT__MODEL", "large")
    assert load(written(tmp_path, "")).plugins["chat"].options == {"model": "large"}


def test_the_variable_names_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOBNOB_CONFIG", str(written(tmp_path, "[web]\nport = 1234")))
    assert load().web.port == 1234


def test_relative_paths_in_the_file_are_counted_from_the_file(tmp_path: Path) -> None:
    config = load(written(tmp_path, 'data_dir = "state"\n[plugins.mine]\npath = "../mine"'))
    assert config.data_dir == tmp_path / "state"
    assert config.plugins["mine"].path == tmp_path / "../mine"
    assert config.models_dir == tmp_path / "state/models"


def test_a_token_may_stand_in_a_file_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("from-the-file\n")
    config = load(written(tmp_path, '[connectors.discord]\ntoken_file = "secret"'))
    assert config.connectors.discord.token == SecretStr("from-the-file")
    assert "from-the-file" in secrets_of(config)


def test_a_file_without_a_token_yet_connects_nothing_and_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "secret").write_text("\n")
    config = load(
        written(tmp_path, '[connectors.discord]\ntoken_file = "secret"\n[connectors.telegram]\ntoken_file = "secret"\ntoken = "t"')
    )
    assert config.connectors.discord.token is None and config.connectors.telegram.token == SecretStr("t")
    setup(config.log, process="router")

    async def connected() -> list[str]:
        return [one.name for one in platforms(config, Hearsay(connect("redis://127.0.0.1:9"), Keys(), config.talking), Locales().of)]

    assert asyncio.run(connected()) == ["telegram"]
    told = capsys.readouterr().err
    assert "not connected: the file for its token is empty" in told and str(tmp_path / "secret") in told and "telegram" not in told
    assert [(one.state, one.found) for one in doctor.discord(config)] == [("note", f"not connected: {tmp_path / 'secret'} is empty")]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('token_file = "gone"', "the file in `token_file` cannot be read: No such file or directory"),
        ('token_file = "bot.toml"\ntoken = "hush"', "expected `token` or `token_file`, found both"),
        ('token_file = "gone"\ntoken = "hush"', "gone"),
        ('token = "hush"\nshards = 2\nshard_ids = [9]', "found [9] with `shards` = 2"),
        ('token = "hush"\nproxy = {url = "hush"}', "expected text"),
        ('token = "hush"\nshards = {hush = "hush"}', "found a table"),
        ('token = "hush"\nshards = [{hush = "hush"}]', "found a list of tables"),
        ('api_url = "discord.com"', "expected https:// or http:// and a host"),
        ("shards = 2\nshard_ids = [1, 2]", "expected `shard_ids` from 0 to `shards` - 1, found [1, 2] with `shards` = 2"),
        ('gateway_url = "https://gateway.discord.gg"', "expected wss:// or ws:// and a host"),
    ],
)
def test_a_wrong_platform_is_named(tmp_path: Path, text: str, fault: str) -> None:
    found = faults(written(tmp_path, f"[connectors.discord]\n{text}"))
    assert len(found) == 1
    assert found[0].startswith("bot.toml:")
    assert fault in found[0]
    assert "hush" not in found[0] and "{" not in found[0], "a token beside it is not repeated"


def test_relative_paths_in_the_environment_are_counted_from_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOBNOB_DATA_DIR", "state")
    assert load(written(tmp_path, "")).data_dir == tmp_path / "state"


def test_a_missing_file_is_named() -> None:
    assert faults(Path("/nowhere")) == ["bot.toml: expected a configuration file that can be read, found: No such file or directory"]


def test_without_any_file_the_next_step_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("bot.config.__file__", str(tmp_path / "bot/config.py"))
    with pytest.raises(ConfigError, match=r"copy config/bot\.example\.toml there, or name a file with --config"):
        load()


def test_a_syntax_error_names_its_line(tmp_path: Path) -> None:
    assert faults(written(tmp_path, "[web]\nport =\n")) == ["bot.toml:2: Invalid value: this is not TOML: 'port ='"]


def test_an_unclosed_list_names_the_end(tmp_path: Path) -> None:
    (fault,) = faults(written(tmp_path, "[web]\nport = [1,\n"))
    assert fault.startswith("bot.toml:2: Invalid value")


def test_a_file_in_another_encoding_names_the_byte(tmp_path: Path) -> None:
    path = tmp_path / "bot.toml"
    path.write_bytes(b"[web]\n# caf\xe9\n")
    assert faults(path) == ["bot.toml:2: expected UTF-8 text, found the byte 0xe9"]


def test_every_fault_is_named_at_once_with_its_line(tmp_path: Path) -> None:
    text = """\
data_dir = 5
[web]
port = 70000
prot = 1
[log]
level = "loud"
[plugins.chat]
locked = "all"
[weeb]
"""
    found = faults(written(tmp_path, text))
    assert "bot.toml:1: data_dir: expected a path in quotes, found 5" in found
    assert "bot.toml:3: web.port: expected less than or equal to 65535, found 70000" in found
    assert "bot.toml:4: web.prot: there is no such key (did you mean 'port'?); allowed here: address, contents, host, names, port" in found
    assert "bot.toml:6: log.level: expected 'debug', 'info', 'warning' or 'error', found 'loud'" in found
    assert "bot.toml:8: plugins.chat.locked: expected a list, found 'all'" in found
    assert any(fault.startswith("bot.toml:9: weeb: there is no such key (did you mean 'web'?)") for fault in found)
    assert len(found) == 6


def test_a_fault_in_the_environment_names_the_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOBNOB_WEB__PORT", "many")
    monkeypatch.setenv("HOBNOB_WEB__PROT", "1")
    monkeypatch.setenv("HOBNOB_WEEB__PORT", "1")
    found = faults(written(tmp_path, "[web]\nport = 1"))
    assert "environment variable HOBNOB_WEB__PORT: web.port: expected a whole number, found 'many'" in found
    assert any(fault.startswith("environment variable HOBNOB_WEB__PROT: web.prot: there is no such key") for fault in found)
    assert any(fault.startswith("environment variable HOBNOB_WEEB__PORT: there is no such key") for fault in found)


def test_a_list_in_the_environment_is_json(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOBNOB_PLUGINS__CHAT__LOCKED", '["model"]')
    assert load(written(tmp_path, "")).plugins["chat"].locked == {"model"}
    monkeypatch.setenv("HOBNOB_PLUGINS__CHAT__LOCKED", "model")
    assert faults(written(tmp_path, "")) == [
        "environment variable HOBNOB_PLUGINS__CHAT__LOCKED: plugins.chat.locked: expected a list, found 'model'"
    ]


def test_a_secret_is_never_repeated(tmp_path: Path) -> None:
    (fault,) = faults(written(tmp_path, "[models]\ntoken = 98765"))
    assert fault == "bot.toml:2: models.token: expected text in quotes"
    assert "hunter2" not in repr(load(written(tmp_path, '[redis]\nurl = "redis://:hunter2@host"')))


@pytest.mark.parametrize(
    "url",
    [
        "http://me:hunter2@host",
        "redis://me:hunter2@host:99999",
        "redis://me:hunter2@host:x",
        "redis://me:hunter2@host/x",
        "redis+sentinel://me:hunter2@host",
        "redis+sentinel://me:hunter2@host,/main",
        "redis+sentinel://me:hunter2@host:0,other/main",
        "redis+sentinel://me:hunter2@host/main/x",
        "redis://",
        "host",
    ],
)
def test_an_address_that_is_no_redis_is_refused_without_its_password(tmp_path: Path, url: str) -> None:
    (fault,) = faults(written(tmp_path, f'[redis]\nurl = "{url}"'))
    assert fault == (
        "bot.toml:2: redis.url: expected redis://HOST:PORT/NUMBER, rediss://… for TLS, "
        "redis+sentinel://HOST:PORT,HOST:PORT/SERVICE/NUMBER, or unix:///PATH"
    )


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("redis://me:hunter2@host/0?bogus=1", "an address with redis:// has no option 'bogus'; it may have db"),
        ("redis://me:hunter2@host?ssl_ca_certs=/ca.pem", "an address with redis:// has no option 'ssl_ca_certs'; it may have db"),
        (
            "redis+sentinel://host/main?db=1",
            "an address with redis+sentinel:// has no option 'db'; it may have sentinel_username, sentinel_password",
        ),
        ("unix:///run/redis.sock?db=one", "expected a number behind db="),
    ],
)
def test_an_option_that_a_redis_address_has_not_is_named(tmp_path: Path, url: str, said: str) -> None:
    assert faults(written(tmp_path, f'[redis]\nurl = "{url}"')) == [f"bot.toml:2: redis.url: {said}"]


@pytest.mark.parametrize(
    "url",
    [
        *("redis://host", "rediss://me:word@host:6380/2?ssl_ca_certs=/ca.pem", "redis://[::1]:6379/", "unix:///run/redis.sock?db=1"),
        "redis+sentinel://me:word@host:26379,other,[::1]:5000/main/2?sentinel_password=word",
    ],
)
def test_an_address_that_is_a_redis_is_taken(tmp_path: Path, url: str) -> None:
    assert load(written(tmp_path, f'[redis]\nurl = "{url}"')).redis_url == url


def test_a_device_that_does_not_exist_is_refused_with_those_that_do(tmp_path: Path) -> None:
    assert load(written(tmp_path, '[worker]\ndevice = "cuda:1"')).worker.device == "cuda:1"
    assert faults(written(tmp_path, '[worker]\ndevice = "gpu"')) == [
        "bot.toml:2: worker.device: expected 'auto', 'cpu', 'mps', 'remote', 'cuda' or 'cuda:' and a number, found 'gpu'"
    ]


def test_a_secret_within_a_list_is_not_repeated_either() -> None:
    class Keyring(BaseModel):
        keys: dict[str, list[Annotated[SecretStr, Field(min_length=9)]]]

    with pytest.raises(ValidationError) as caught:
        Keyring.model_validate({"keys": {"front": ["hunter22"]}})
    (fault,) = Source(Path("bot.toml"), {}, {}).faults(caught.value, Keyring)
    assert fault.startswith("bot.toml: keys.front.0: ")
    assert "hunter22" not in fault


def test_lines_are_found_below_dotted_and_quoted_keys_and_after_long_texts() -> None:
    text = 'a.b = 1\n"c d" = 2\n[e]\nf = """\n[not]\nnot = 3\n"""\ng = { h = 4 }\n[[i]]\nj = 5\n'
    assert positions(text) == {("a", "b"): 1, ("c d",): 2, ("e",): 3, ("e", "f"): 4, ("e", "g"): 8, ("i",): 9, ("i", "j"): 10}


def test_a_key_within_an_inline_table_is_found_at_its_table(tmp_path: Path) -> None:
    assert faults(written(tmp_path, "\nweb = { port = -1 }")) == ["bot.toml:2: web.port: expected greater than or equal to 0, found -1"]


def test_the_embedded_store_is_used_when_no_url_is_set(tmp_path: Path) -> None:
    assert load(written(tmp_path, f'data_dir = "{tmp_path}"')).redis_url.startswith("unix://")
    assert load(written(tmp_path, '[redis]\nurl = "redis://there"')).redis_url == "redis://there"


def test_a_configuration_cannot_be_changed(tmp_path: Path) -> None:
    config = load(written(tmp_path, ""))
    with pytest.raises(ValueError, match="frozen"):
        config.web = Config.model_fields["web"].default  # type: ignore[misc]


def test_the_example_is_fresh() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tools.config_reference", "--check"], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr


def test_the_example_names_every_key_with_its_default(tmp_path: Path) -> None:
    lines = [line.removeprefix("# ") for line in Path("config/bot.example.toml").read_text().splitlines() if "(unset)" not in line]
    of_all = ("defaults = {}", "locked = []", "enabled = true", "switchable = true")
    given = [line for line in lines if re.match(r"[a-z_]+ = |\[(?!plugins\.NAME)", line) and line not in of_all]
    example = load(written(tmp_path, "\n".join(given)))
    standard = load(written(tmp_path, ""))
    for name in ("redis", "web", "models", "worker", "log", "data_dir"):
        assert getattr(example, name) == getattr(standard, name)
    assert {"chat", "imagine", "transcribe"} <= set(example.plugins)
    assert load_plugins(example, "front").loaded
