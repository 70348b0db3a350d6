"""Things that happened, for whoever observes them. What is done about them: `observe` of a plugin."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened. `name` is dotted ("ticket.finished"), `at` is seconds since 1970.

    `ref` is the correlation id that follows a message to its reply; `facts` holds ids and numbers, never what people said.
    """

    name: str
    at: float
    ref: str = ""
    server: str = ""
    plugin: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)
