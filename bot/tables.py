"""What every table of the configuration is, and the tables of Redis, workers and the chat platforms. The other tables: `config.py`."""

from __future__ import annotations

import re
from datetime import time
from pathlib import Path
from typing import Annotated, Any, Self

from babel import Locale, UnknownLocaleError
from pydantic import AfterValidator, BaseModel, ByteSize, ConfigDict, Field, SecretStr, model_validator

from bot.addresses import RedisUrl, Socket, Web
from bot.connector import Needs
from bot.translation import tr

Folder = Annotated[Path, AfterValidator(lambda path: path.expanduser().absolute())]


class Table(BaseModel):
    """A table of the configuration: unknown keys are faults, docstrings become the reference."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


def _filled(given: Any, key: str, *, empty: bool = False) -> Any:
    """A table whose secret `key` may be in a file, which `key_file` names; where that may be `empty`, it is as if it was not named."""
    if not isinstance(given, dict) or not (file := given.get(f"{key}_file")):
        return given
    try:
        content = Path(file).expanduser().read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError, TypeError) as error:
        why = getattr(error, "strerror", None) or error
        raise ValueError(f"the file in `{key}_file` cannot be read: {why}: {file}") from error
    if not content and empty:
        return given
    if given.get(key):
        raise ValueError(f"expected `{key}` or `{key}_file`, found both")
    if not content:
        raise ValueError(f"the file in `{key}_file` is empty: {file}")
    return {**given, key: content}


class RedisTable(Table):
    """Where everything that must survive is kept."""

    url: RedisUrl | None = None
    """A Redis 7 or Valkey 8 server, or newer: `redis://user:password@host:6379/0`, `rediss://…` for TLS, `unix:///path`,
    `redis+sentinel://user:password@host:26379,host:26379/SERVICE/0` behind Sentinels, `rediss+sentinel://…` where these and the servers
    speak TLS.
    Unset: a Valkey of our own in the data directory, which `hobnob run` starts."""

    url_file: Folder | None = None
    """A file that holds the address and nothing else, instead of `url`."""

    @model_validator(mode="before")
    @classmethod
    def _from_file(cls, given: Any) -> Any:
        return _filled(given, "url")


def _spoken(tag: str) -> str:
    try:
        return str(Locale.parse(tag, sep="-")).replace("_", "-") if tag else ""
    except (UnknownLocaleError, ValueError):
        raise ValueError(tr("expected the tag of a language: en, zh-Hans")) from None


Spoken = Annotated[str, AfterValidator(_spoken)]


class Talking(Table):
    """When people speak to the bot, beside mentions, replies and direct messages."""

    listens: Annotated[bool, Needs("every_message")] = False
    """It answers everything that is not said to another human."""

    words: Annotated[tuple[str, ...], Needs("every_message")] = ()
    """Words that call it, wherever they stand: `["computer"]`."""

    follows: Annotated[bool, Needs("every_message")] = False
    """It remembers what is not said to it, so that it knows what people talk about. Each chat is told once."""

    threads: bool = False
    """Every question begins a thread of its own, in which nobody needs to mention it."""

    retention: int = Field(default=30, ge=1, le=30)
    """Days for which a conversation is remembered after its last turn."""

    language: Spoken = ""
    """The language of its own words, `zh-Hans` for instance. Empty: that of whoever reads, as their platform says. What somebody has
    chosen with `/language` goes before it; in which language a model answers is its own affair."""


class TalkingTable(Talking):
    """When people speak to the bot, beside mentions, replies and direct messages; servers may choose otherwise."""

    places: dict[str, Talking] = Field(default_factory=dict)
    """The same for single places: `"discord/SERVER" = { words = ["hob"] }`, `"discord/SERVER/CHANNEL" = { listens = true }`, and for
    threads and topics: `"telegram/GROUP/TOPIC" = { listens = true }`."""

    messages: int = Field(default=3, ge=1, le=20)
    """Messages that a long answer may fill; a longer one comes as a file, below its beginning."""

    def of(self, tenant: str, channel: str, thread: str = "") -> Talking:
        """What holds in a thread or channel: what is set for it, else for its channel, its server, or all."""
        found = Talking(**{name: getattr(self, name) for name in Talking.model_fields})
        for place in self.chosen(tenant, channel, thread):
            found = found.model_copy(update=self.places[place].model_dump(exclude_unset=True))
        return found

    def chosen(self, tenant: str, channel: str, thread: str = "") -> tuple[str, ...]:
        """Which of these places something is set for, the widest first: the same for most threads."""
        around = (tenant, f"{tenant}/{channel}", f"{tenant}/{thread}" if thread else "")
        return tuple(place for place in around if place in self.places)


class PlatformTable(Table):
    """A chat platform. It is connected when there is a token."""

    token: SecretStr | None = None
    """The bot's token. Unset: this platform is not connected."""

    token_file: Folder | None = None
    """A file that holds the token and nothing else, instead of `token`. Empty: this platform is not connected, and the log says so."""

    proxy: SecretStr | None = None
    """The HTTP proxy to this platform: `http://user:password@host:3128`. Unset: none."""

    @model_validator(mode="before")
    @classmethod
    def _from_file(cls, given: Any) -> Any:
        return _filled(given, "token", empty=True)

    @property
    def unwritten(self) -> Path | None:
        """The file that is to have the token, where it is empty."""
        return self.token_file if self.token is None else None


class DiscordTable(PlatformTable):
    """Discord. It is connected when there is a token."""

    api_url: Web = "https://discord.com/api/v10"
    """Where its API is."""

    gateway_url: Socket = "wss://gateway.discord.gg"
    """Where its gateway is, from which events come."""

    cdn_url: Web = "https://cdn.discordapp.com"
    """Where its files are."""

    shards: int = Field(default=0, ge=0)
    """Connections of the whole bot; 0 takes as many as Discord recommends."""

    shard_ids: tuple[int, ...] = ()
    """Which of these this router has, where several share them: `[0, 1, 2, 3]`. Unset: all, and of several routers one receives."""

    catch_up: float = Field(default=3600.0, ge=0.0, le=86_000.0)
    """Seconds up to which, when the bot connects anew, it looks into the history of channels for mentions and replies that came while no
    router was connected; 0: they are lost."""

    late_after: float = Field(default=600.0, ge=1.0)
    """Seconds after which a message that was found so gets no answer any more; its channel is told so, once."""

    @model_validator(mode="after")
    def _shards_exist(self) -> Self:
        if self.shard_ids and not all(0 <= id < self.shards for id in self.shard_ids):
            raise ValueError(f"expected `shard_ids` from 0 to `shards` - 1, found {list(self.shard_ids)} with `shards` = {self.shards}")
        return self


class TelegramTable(PlatformTable):
    """Telegram. It is connected when there is a token."""

    api_url: Web = "https://api.telegram.org"
    """Where its API is, for those who run a Bot API server of their own."""

    file_url: Web = "https://api.telegram.org/file"
    """Where its files are."""

    webhook_url: Web | None = None
    """The address that Telegram brings updates to, served by a TLS server of yours that passes it on to `webhook_port` of any router:
    `https://bot.example.org/telegram`. Unset: one router asks Telegram for updates, which needs no address."""

    webhook_host: str = "127.0.0.1"
    """The address to listen on for them."""

    webhook_port: int = Field(default=8485, ge=1, le=65535)
    """The port to listen on for them."""

    late_after: float = Field(default=600.0, ge=1.0)
    """Seconds after which a message that waited for the bot, while it did not run, gets no answer any more; its chat is told so, once."""


class ConnectorsTable(Table):
    """The chat platforms."""

    discord: DiscordTable = DiscordTable()
    telegram: TelegramTable = TelegramTable()


def _device(name: str) -> str:
    if not re.fullmatch(r"auto|cpu|mps|remote|cuda(:\d+)?", name):
        raise ValueError("expected 'auto', 'cpu', 'mps', 'remote', 'cuda' or 'cuda:' and a number")
    return name


def _span(words: str) -> str:
    try:
        begin, end = (time.fromisoformat(word) for word in words.split("-"))
    except ValueError as error:
        raise ValueError('expected two times of day, "22:00-07:00"') from error
    if begin == end:
        raise ValueError("expected two different times of day")
    return words


Span = Annotated[str, AfterValidator(_span)]

Device = Annotated[str, AfterValidator(_device)]


class WorkerTable(Table):
    """The process that runs the models."""

    name: str | None = Field(default=None, pattern=r"^[^\s*|]+$")
    """What `hobnob workers` calls it. Unset: the machine's name and the device. Workers of one name are paused and drained together."""

    quiet_hours: tuple[Span, ...] = ()
    """Times of day at which the device is the operator's own, on the worker's clock: `["22:00-07:00"]`. The models leave its memory within
    10 seconds, whoever asks is told when they are back, and `hobnob resume` ends them early."""

    device: Device = "auto"
    """`auto` (an NVIDIA GPU where there is one, else `cpu`), `cpu`, `mps`, `cuda` or `cuda:1`; `remote` for a worker that serves only
    models whose work is done elsewhere. Any other worker serves these beside those of its device."""

    threads: int = Field(default=0, ge=0, le=1024)
    """CPU threads of a model; 0 takes as many as there are cores."""

    memory: ByteSize | None = Field(default=None, gt=0)
    """The most of the device's memory that models may fill: `"10GB"` leaves the rest to other programs; which models stay is decided within
    it. Unset: four fifths of what is free when the worker starts, which is the most in any case."""

    models: frozenset[str] = frozenset()
    """The models that this worker serves, by name: `["whisper-base"]`. Empty: all that the plugins bring. Several workers on one Redis may
    serve different ones; one more is found by itself."""

    idle_unload: float = Field(default=1800.0, ge=0.0, le=604_800.0)
    """Seconds after which a model that nobody uses leaves the memory, of the device and of the host; 0: never. The next to ask waits for it
    to be loaded, which half an hour of silence is worth: meanwhile the operator's own programs have the memory."""

    max_drain: float = Field(default=10.0, ge=0.0, le=3600.0)
    """Seconds for which a model goes on once another one is due; what it has not finished then goes on in its next turn."""

    drain: float = Field(default=5.0, ge=0.0, le=3600.0)
    """Seconds that the running jobs get to end in when the worker is told to stop; then they are handed to the next worker, where
    they begin anew. Less than what the system waits before it kills (Docker 10 s, systemd 90 s), more where answers take long."""
