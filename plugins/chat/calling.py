"""What a model writes when it wants a tool called, in the forms of Llama 3.1 and of Hermes. OpenAI's form: `openai.py`."""

from __future__ import annotations

import json
import re
from typing import Any

from pydantic_core import from_json

from bot import Call

TAG = "<tool_call>"

TAGGED = re.compile(rf"{TAG}\s*(\{{.*?\}})\s*</tool_call>", re.DOTALL)


def called(text: str) -> tuple[Call, ...]:
    """The calls that an answer consists of; none where it is words. Whether there are such tools is seen when they are called."""
    found = (_call(said) for said in TAGGED.findall(text) or [text.strip()])
    return tuple(call for call in found if call is not None)


def may_be_call(text: str) -> bool:
    """True while it cannot be told yet whether the answer is for people to read."""
    return text.startswith("{") or text.startswith(TAG) or TAG.startswith(text)


ROOM = 32
"""Levels of JSON that may lie around the arguments of a call, in a job and in what is kept of it; pydantic reads 200 together."""


def sendable(found: dict[str, Any]) -> bool:
    """Whether it can go to where tools are called: `json` reads lone surrogates, and levels so deep that nobody reads them after it."""
    try:
        from_json(ROOM * "[" + json.dumps(found) + ROOM * "]")
    except (ValueError, RecursionError):
        return False
    return True


def _call(said: str) -> Call | None:
    """Llama's one object, whose arguments are called parameters (https://www.llama.com/docs/model-cards-and-prompt-formats/llama3_1)."""
    try:
        found, _ = json.JSONDecoder().raw_decode(said)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or not isinstance(found.get("name"), str) or not sendable(found):
        return None
    arguments = found.get("parameters", found.get("arguments"))
    return Call(name=found["name"], arguments=arguments) if isinstance(arguments, dict) else None
