"""What the room's page sends, as it is checked. What comes of it: `room.py`."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, Field

DIRECT = "@bot"
"""Where somebody is alone with the bot; elsewhere it is the name of a room, and behind a slash the thread."""

Where = Annotated[str, Field(pattern=r"^(@bot|[a-z0-9][a-z0-9-]{0,31}(/[0-9]{1,20})?)$")]
Id = Annotated[str, Field(pattern=r"^[0-9]{1,20}$")]
Nonce = Annotated[str, Field(pattern=r"^[\w-]+$", min_length=8, max_length=64)]


class Hello(BaseModel):
    """A page has opened, there. `secret` makes a tab the same person again after it was loaded anew."""

    secret: str = Field(min_length=16, max_length=128)
    name: str = Field(max_length=200)
    language: str = Field(default="", max_length=35)
    where: Where = DIRECT


class Going(BaseModel):
    """Somebody goes to another room or thread, or writes there. A room comes to be by what is said first in it."""

    where: Where


class Looking(BaseModel):
    """Somebody reads further up than the page goes."""

    where: Where
    before: Id


class Attached(BaseModel):
    """A file that was uploaded before."""

    id: str
    name: str = Field(max_length=200)
    voice: bool = False
    seconds: float = Field(default=0.0, ge=0.0, le=86_400.0)


class Saying(BaseModel):
    """Somebody presses send."""

    where: Where
    text: str
    files: list[Attached] = []
    reply_to: str = Field(default="", pattern=r"^[0-9]{0,20}$")
    nonce: Nonce


class Amending(BaseModel):
    """Somebody changes the words of their message."""

    where: Where
    id: Id
    text: str
    nonce: Nonce


class Withdrawing(BaseModel):
    """Somebody takes their message back, or puts a form away."""

    where: Where
    id: Id


class Clicking(BaseModel):
    """Somebody presses a button below a message, or has chosen from a menu, by places."""

    where: Where
    id: Id
    key: str = Field(max_length=64)
    chosen: list[Annotated[str, Field(pattern=r"^[0-9]{1,2}$")]] = Field(default=[], max_length=25)


class Filling(BaseModel):
    """Somebody has filled in a form."""

    where: Where
    id: Id
    filled: dict[str, Annotated[str, Field(max_length=4000)]] = Field(max_length=5)


class Slash(BaseModel):
    """Somebody begins a command."""

    where: Where


def options(found: Any) -> list[dict[str, Any]]:
    """The inputs of a command or a form, as plain data."""
    return [
        {
            "name": one.name,
            "about": one.description,
            "kind": one.kind,
            "required": one.required,
            "choices": list(one.choices),
            "labels": dict(one.labels),
            "least": one.least,
            "most": one.most,
        }
        for one in found
    ]
