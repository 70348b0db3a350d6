"""Menus of however many choices: a platform takes 25 in one, and few menus below a message. What is in them: whoever makes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bot import Choice, Select

MOST = 25
"""Choices of one."""

MOST_MENUS = 4
"""Below one message, which has a row for buttons besides [Discord]; what does not fit is said in words."""


def menus(action: str, name: str, choices: Sequence[Choice], placeholder: str, payload: Mapping[str, Any] | None = None) -> list[Select]:
    """As many as it takes."""
    pages = [tuple(choices[at : at + MOST]) for at in range(0, min(len(choices), MOST * MOST_MENUS), MOST)]
    return [Select(action, name, page, payload or {}, placeholder) for page in pages]
