"""What the operator chooses. Nothing of a connector differs from server to server."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, SecretStr


class Config(BaseModel):
    """An account of its own for the bot, on any homeserver."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    homeserver: str
    """Its address, such as `https://matrix.example.org`."""

    user: str = Field(pattern="^@[^:]+:.+$")
    """The bot's account, such as `@hobnob:example.org`."""

    token: SecretStr
    """An access token of it, which `matrix-commander --login password` or Element's settings show."""

    edit_interval: float = Field(default=1.0, ge=0)
    """Seconds between two changes to a message; a homeserver that is yours may take more."""
