"""What every table of the configuration is, and the tables of the chat platforms. The other tables: `config.py`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, SecretStr, model_validator

Folder = Annotated[Path, AfterValidator(lambda path: path.expanduser().absolute())]


class Table(BaseModel):
    """A table of the configuration: unknown keys are faults, docstrings become the reference."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


def _address(*schemes: str) -> AfterValidator:
    def check(url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme not in schemes or not parts.hostname:
            raise ValueError(f"expected {' or '.join(f'{scheme}://' for scheme in schemes)} and a host")
        return url.rstrip("/")

    return AfterValidator(check)


Web = Annotated[str, _address("https", "http")]
Socket = Annotated[str, _address("wss", "ws")]


class PlatformTable(Table):
    """A chat platform. It is connected when there is a token."""

    token: SecretStr | None = None
    """The bot's token. Unset: this platform is not connected."""

    token_file: Folder | None = None
    """A file that holds the token and nothing else, instead of `token`."""

    proxy: SecretStr | None = None
    """The HTTP proxy to this platform: `http://user:password@host:3128`. Unset: none."""

    @model_validator(mode="before")
    @classmethod
    def _from_file(cls, given: Any) -> Any:
        if not isinstance(given, dict) or not (file := given.get("token_file")):
            return given
        if given.get("token"):
            raise ValueError("expected `token` or `token_file`, found both")
        try:
            token = Path(file).expanduser().read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError, TypeError) as error:
            raise ValueError(f"the file in `token_file` cannot be read: {getattr(error, 'strerror', None) or error}") from error
        if not token:
            raise ValueError(f"the file in `token_file` is empty: {file}")
        return {**given, "token": token}


class DiscordTable(PlatformTable):
    """Discord. It is connected when there is a token."""

    api_url: Web = "https://discord.com/api/v10"
    """Where its API is."""

    gateway_url: Socket = "wss://gateway.discord.gg"
    """Where its gateway is, from which events come."""

    cdn_url: Web = "https://cdn.discordapp.com"
    """Where its files are."""


class TelegramTable(PlatformTable):
    """Telegram. It is connected when there is a token."""

    api_url: Web = "https://api.telegram.org"
    """Where its API is, for those who run a Bot API server of their own."""

    file_url: Web = "https://api.telegram.org/file"
    """Where its files are."""


class ConnectorsTable(Table):
    """The chat platforms."""

    discord: DiscordTable = DiscordTable()
    telegram: TelegramTable = TelegramTable()
