"""What becomes of the bot's place in a server: it is let in, taken out, told where it is. What is said there: `messages.py`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True)
class Moved:
    """The server goes on under another id, `server`, and everything that was chosen and remembered for it goes along."""

    server: str
    kind: Literal["moved"] = field(default="moved", kw_only=True)


@dataclass(frozen=True, slots=True)
class Joined:
    """The bot is in this server; for a direct address, it can be spoken to alone. Nobody said anything.

    `note` is what its people have to know about that, where the platform has something to say; in one that is `new`, the bot says hello.
    """

    note: str = ""
    new: bool = False
    kind: Literal["joined"] = field(default="joined", kw_only=True)


@dataclass(frozen=True, slots=True)
class Left:
    """The bot is no longer in this server; what is kept for it is forgotten after a while, unless it comes back."""

    kind: Literal["left"] = field(default="left", kw_only=True)


@dataclass(frozen=True, slots=True)
class Present:
    """The platform has said which servers the bot is in; it may have left others while nobody was connected."""

    kind: Literal["present"] = field(default="present", kw_only=True)
