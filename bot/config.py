"""The operator's choices: `config/bot.toml` and the environment as one typed Config. A plugin's own choices are checked in `plugins.py`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from dotenv import dotenv_values
from platformdirs import user_data_path
from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, EnvSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from bot.addresses import Web
from bot.allowing import AdmissionTable, QuotasTable
from bot.catalogue import Use
from bot.errors import ConfigError
from bot.faults import ENVIRONMENT, Source, read, unknown
from bot.queueing import QueueTable
from bot.tables import ConnectorsTable, Folder, RedisTable, Table, TalkingTable, WorkerTable
from bot.writing import settle

CHOICE = f"{ENVIRONMENT}CONFIG"
"""Names the configuration file when no option does."""

USUAL = Path("config/bot.toml")

DOTENV = ".env"  # beside the configuration file: environment variables that the shell did not set, secrets above all


class WebTable(Table):
    """The pages: rooms in the browser."""

    host: str = "127.0.0.1"
    """The address to listen on. `0.0.0.0` lets other machines in: put a server with TLS in front."""

    port: int = Field(default=8484, ge=0, le=65535)
    """The port to listen on; 0 takes any that is free."""

    names: frozenset[str] = frozenset()
    """Host names that browsers may use beside this machine's addresses, for a server with TLS in front: `["chat.example.org"]`."""

    contents: bool = False
    """Whether the operator's page of traces shows what was said to the bot. It is kept for an hour then, beside the path of the message."""

    address: Web | None = None
    """Where browsers elsewhere find the pages, over TLS: links from chats lead there. Unset: to this machine alone."""


class ObserveTable(Table):
    """What monitoring sees of a router and a worker: figures, health, traces. They say nothing of what people said, nor who they are."""

    host: str = "127.0.0.1"
    """The address on which `/metrics` (for Prometheus), `/healthz` and `/readyz` are served, to everybody who reaches it."""

    router_port: int | None = Field(default=None, ge=0, le=65535)
    """The port on which a router serves them; 0 takes any that is free. Unset: none."""

    worker_port: int | None = Field(default=None, ge=0, le=65535)
    """The port on which a worker serves them. Several workers on one machine each need their own: `HOBNOB_OBSERVE__WORKER_PORT`."""

    traces: Web | None = None
    """Where traces go, as OTLP over HTTP: `http://127.0.0.1:4318`. It needs the extra `traces` (`pip install 'hobnob[traces]'`)."""

    traces_share: float = Field(default=1.0, ge=0.0, le=1.0)
    """The part of all messages that is traced."""


class ModelsTable(Table):
    """Where the models' weights come from and go to."""

    dir: Folder | None = None
    """The folder of the weights. Unset: `models` in the data directory."""

    use: Use | None = None
    """What the bot is for: `private` (people you know), `public` (everybody, free of charge) or `commercial`. Models whose
    licence does not allow it are refused; those that not every use is allowed for are refused until this is said."""

    endpoint: str | None = None
    """The address of the model hub, for those who use a mirror of their own. Unset: the public one."""

    token: SecretStr | None = None
    """An access token of the model hub, for repositories that ask one to accept their terms. Unset: the public hub is shown what its own
    tools know, `HF_TOKEN` before what `hf auth login` has kept."""

    trusted_hub: str | None = None
    """The address of the hub that `token` is for: no other one is shown it. Unset: the public one."""

    proxy: SecretStr | None = None
    """The HTTP proxy for downloads: `http://user:password@host:3128`. Unset: what the environment says (`HTTPS_PROXY`)."""


class LogTable(Table):
    """What is written to the log."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    """The least important lines that are written."""

    format: Literal["auto", "console", "json"] = "auto"
    """`console` for people, `json` for programs, `auto` for `console` in a terminal and `json` elsewhere."""


class PluginTable(BaseModel):
    """One plugin that is to be loaded. Keys beside these are the plugin's own; see its README."""

    model_config = ConfigDict(extra="allow", frozen=True, use_attribute_docstrings=True)

    path: Folder | None = None
    """The plugin's folder, for one that is not installed as a package."""

    sha256: str | None = None
    """The fingerprint of its files: a plugin that has another one is not run, and the fault says which. `"?"` has it said for once."""

    defaults: dict[str, Any] = {}
    """What servers start with instead of the plugin's own defaults."""

    locked: frozenset[str] = frozenset()
    """Settings that no server may change."""

    enabled: bool = True
    """Whether it is on where nobody has switched it."""

    switchable: bool = True
    """Whether servers may switch it on and off."""

    @property
    def options(self) -> dict[str, Any]:
        """What is meant for the plugin's Config."""
        return dict(self.model_extra or {})


class Environment(EnvSettingsSource):
    """The environment variables; one that should be JSON and is not becomes a fault of its key, beside all the others."""

    def decode_complex_value(self, field_name: str, field: FieldInfo, value: Any) -> Any:
        """The value of a table or list, or the text as it is for validation to refuse."""
        try:
            return super().decode_complex_value(field_name, field, value)
        except ValueError:
            return value


class Config(BaseSettings):
    """Everything an operator chooses. The environment (`HOBNOB_WEB__PORT`) wins over the file."""

    model_config = SettingsConfigDict(
        env_prefix=ENVIRONMENT,
        env_nested_delimiter="__",
        env_ignore_empty=True,
        extra="forbid",
        frozen=True,
        use_attribute_docstrings=True,
        nested_model_default_partial_update=True,
    )

    data_dir: Folder = Field(default_factory=lambda: user_data_path("hobnob", appauthor=False))
    """Where conversations, rooms, models and files are kept. Unset: the usual place of this system (`~/.local/share/hobnob` on Linux)."""

    redis: RedisTable = RedisTable()
    web: WebTable = WebTable()
    models: ModelsTable = ModelsTable()
    worker: WorkerTable = WorkerTable()
    queue: QueueTable = QueueTable()
    talking: TalkingTable = TalkingTable()
    admission: AdmissionTable = AdmissionTable()
    quotas: QuotasTable = QuotasTable()
    connectors: ConnectorsTable = ConnectorsTable()
    log: LogTable = LogTable()
    observe: ObserveTable = ObserveTable()
    plugins: dict[str, PluginTable] = {}
    """The plugins to load, by name. Only those that have a table here are imported."""

    _source: Source = PrivateAttr()

    @classmethod
    def settings_customise_sources(
        cls, settings_cls: type[BaseSettings], init_settings: PydanticBaseSettingsSource, *_: Any, **__: Any
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment before the file, and nothing else: the `.env` beside that is in the environment by now."""
        return Environment(settings_cls), init_settings

    @property
    def source(self) -> Source:
        """Where each key stands, for faults that are found later."""
        return self._source

    @property
    def models_dir(self) -> Path:
        """The folder of the models' weights."""
        return self.models.dir or self.data_dir / "models"

    @property
    def files_dir(self) -> Path:
        """The folder of the files that people share in rooms."""
        return self.data_dir / "files"

    @property
    def redis_url(self) -> str:
        """The server in `redis.url`, or the socket of the embedded Valkey."""
        from bot.store.embedded import socket_url

        return self.redis.url.get_secret_value() if self.redis.url else socket_url(self.data_dir)


def load(path: Path | None = None) -> Config:
    """Reads `path`, else the file that HOBNOB_CONFIG names, else `config/bot.toml`. Raises ConfigError with every fault."""
    config, faults = sound(path)
    if config is None or faults:
        raise ConfigError(*faults)
    return config


def sound(path: Path | None = None) -> tuple[Config | None, list[str]]:
    """What is right of that file, as if the tables with faults were not there, and every fault.

    There is no Config where the environment has the fault. Raises ConfigError for a file that cannot be read.
    """
    path = path or _found(os.environ)
    settle(path, path.parent / DOTENV)
    for name, value in dotenv_values(path.parent / DOTENV, interpolate=False).items():
        os.environ.setdefault(name, value or "")  # for the processes that this one starts, too
    environ = {name: value for name, value in os.environ.items() if name.startswith(ENVIRONMENT) and value}
    document, source = read(path, environ)
    document = _rooted(document, source.path.parent)
    faults = _unknown_variables(environ, source)
    config: Config | None
    try:
        config = Config(**document)
    except ValidationError as error:
        faults += source.faults(error, Config)
        config = _without(document, error)
    if config is not None:
        config._source = source
    return config, faults


def _without(document: dict[str, Any], error: ValidationError) -> Config | None:
    for at in (tuple(map(str, found["loc"])) for found in error.errors()):
        table, key = (document.get("plugins"), at[1]) if at[0] == "plugins" and at[1:] else (document, at[0])
        if isinstance(table, dict):
            table.pop(key, None)
    try:
        return Config(**document)
    except ValidationError:
        return None


def _found(environ: Mapping[str, str]) -> Path:
    if chosen := environ.get(CHOICE):
        return Path(chosen)
    beside = Path(__file__).parents[1] / USUAL
    for usual in (USUAL, beside):
        if usual.is_file():
            return usual
    raise ConfigError(f"expected {USUAL} in {Path.cwd()}, found none: copy config/bot.example.toml there, or name a file with --config")


def _rooted(document: dict[str, Any], folder: Path) -> dict[str, Any]:
    """The document with its relative paths counted from the file's folder, so that it means the same wherever the command runs."""

    def root(table: object, key: str) -> None:
        if isinstance(table, dict) and isinstance(table.get(key), str):
            table[key] = folder.resolve() / Path(table[key]).expanduser()

    root(document, "data_dir")
    root(document.get("models"), "dir")
    root(document.get("redis"), "url_file")
    for tables, key in (("plugins", "path"), ("connectors", "token_file")):
        found = document.get(tables)
        for table in found.values() if isinstance(found, dict) else ():
            root(table, key)
    return document


def _unknown_variables(environ: Mapping[str, str], source: Source) -> list[str]:
    """Faults of variables that no table takes; the tables themselves find those within."""
    first = {name: name.removeprefix(ENVIRONMENT).split("__")[0].lower() for name in environ if name != CHOICE}
    return [
        f"environment variable {name}: {unknown(word, Config.model_fields)}"
        for name, word in first.items()
        if word not in Config.model_fields
    ]
