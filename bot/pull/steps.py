"""What a pull is given and what it tells meanwhile. Who shows it: `bars.py` in a terminal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Access:
    """How to reach the outside; an empty field leaves it to the environment and the libraries' own settings.

    `endpoint` and `token` are the model hub's; `proxy` is a URL for both kinds of source. Who is `anonymous` shows no token at all.
    """

    endpoint: str = ""
    token: str = ""
    proxy: str = ""
    anonymous: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """How far a model has come: `doing` is a phrase for people, `done` of `total` are bytes (0 of 0: nobody knows)."""

    model: str
    doing: str
    done: int = 0
    total: int = 0


Tell = Callable[[Step], None]

Noted = Callable[[str, int, int], None]
"""Is called with what is being done, the bytes done and the bytes in all; a Step without the model's name."""

Arrived = Callable[[int], None]
"""Is called with the bytes of one file that are here."""


def counting(noted: Noted, before: int, total: int) -> Arrived:
    """Turns one file's bytes into those of the whole download."""
    return lambda here: noted("downloading", before + here, total)


def silent(step: Step) -> None:
    """Tells nobody."""
