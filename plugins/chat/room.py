"""How much of a conversation, and of one text, fits what the model is shown. Who cuts what does not fit: `prompt.py`, in the worker."""

from __future__ import annotations

from collections.abc import Iterable

from bot import Turn, estimate_tokens
from plugins.chat.config import Served
from plugins.chat.settings import Settings

SHARE = 5
"""The summary may take a fifth of what the turns may."""

LEAST = 64
"""Tokens that are always shown, whatever the persona takes."""


def room(settings: Settings, model: Served) -> int:
    """The most tokens of a conversation, and of one question: as many as the server chose, and as the window has room for.

    Persona, tools and the summary are shown beside them. Where another program runs the model, its window is not known here.
    """
    left = _left(settings, model, estimate_tokens(settings.persona))
    if left is None:
        return settings.context_tokens
    beside = left // 2 if settings.tools and model.tools else 0  # more of them the worker leaves out
    return min(settings.context_tokens, max(LEAST, (left - beside) * SHARE // (SHARE + 1)))


def space(settings: Settings, model: Served, task: Iterable[Turn]) -> int:
    """The most tokens of a text that a task is about; `task` is what the model is shown of it without one."""
    left = _left(settings, model, sum(estimate_tokens(f"{turn.name}: {turn.text}") for turn in task))
    return settings.context_tokens if left is None else min(settings.context_tokens, max(LEAST, left))


def _left(settings: Settings, model: Served, told: int) -> int | None:
    """What the window leaves beside an answer and what the model is `told`, which is cut to half of it."""
    if model.window is None:
        return None
    shown = model.window - min(settings.max_tokens, model.window // 2)
    return shown - min(told, shown // 2)
