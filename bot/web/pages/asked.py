"""What the page of a server sends when somebody does something there. What becomes of it: `server.py`."""

from __future__ import annotations

from pydantic import BaseModel, Field, JsonValue

from bot.choices import Where


class Opening(BaseModel):
    """Somebody looks at a server, "" for the first that they may."""

    server: str = Field(default="", max_length=300)


class Switching(BaseModel):
    """Switches a plugin, None gives the switch back; `seen` is how it stood on the page."""

    server: str = Field(max_length=300)
    plugin: str = Field(max_length=100)
    where: Where = "server"
    on: bool | None
    seen: str = Field(max_length=64)
    nonce: str = ""


class Stopping(BaseModel):
    """Cancels what came to a plugin before it was switched off."""

    server: str = Field(max_length=300)
    plugin: str = Field(max_length=100)
    where: Where = "server"
    nonce: str = ""


class Saving(BaseModel):
    """Saves settings by name, None resets one."""

    server: str = Field(max_length=300)
    plugin: str = Field(max_length=100)
    where: Where = "server"
    settings: dict[str, JsonValue] = Field(max_length=200)
    seen: str = Field(max_length=64)
    nonce: str = ""


class Granting(BaseModel):
    """Says who may do what, or what somebody is."""

    server: str = Field(max_length=300)
    permit: dict[str, JsonValue] = Field(max_length=10)
    person: str = Field(default="", max_length=100)
    """What somebody is called whom it is about, who is looked for then."""
    nonce: str = ""


class Limiting(BaseModel):
    """Says how much somebody may use; no rates take a limit back."""

    server: str = Field(max_length=300)
    quota: dict[str, JsonValue] = Field(max_length=10)
    person: str = Field(default="", max_length=100)
    nonce: str = ""
