"""OpenAI's chat protocol over HTTP: one request, its streamed answer, and what its refusals mean. When it is asked: `remote.py`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import httpx
from pydantic import BaseModel, ValidationError

from bot import Generate, Turn
from plugins.chat.prompt import leading, merged, part

TRIES = 4
BUSY = {408, 429, 500, 502, 503, 504}
"""Answers after which the same request may do: those of servers that are full, starting, or behind a proxy that is."""

LONGEST_PAUSE = 20.0
"""Seconds between two tries, whatever the server asks for: somebody waits."""

SILENCE = 120.0
"""Seconds without a word after which a server is given up; a long prompt on a slow machine takes that long to read."""


class _Delta(BaseModel):
    content: str | None = None


class _Choice(BaseModel):
    delta: _Delta = _Delta()
    finish_reason: str | None = None


class _Usage(BaseModel):
    prompt_tokens: int = 0
    completion_tokens: int = 0


class _Chunk(BaseModel):
    choices: tuple[_Choice, ...] = ()
    usage: _Usage | None = None


@dataclass(slots=True)
class Written:
    """An answer as it grows; the token counts are the server's, or the number of its pieces."""

    text: str = ""
    finish: Literal["stop", "length"] = "stop"
    prompt_tokens: int = 0
    tokens: int = 0


class ServerRefusedError(Exception):
    """The server says no, or says nothing; the text tells the operator why."""


def messages(turns: Sequence[Turn]) -> list[dict[str, str]]:
    """Turns as the protocol has them; persons' words begin with their names."""
    first = leading(turns)
    persona = [{"role": "system", "content": "\n".join(turn.text.strip() for turn in first)}] if first else []
    return [*persona, *({"role": each.role, "content": each.text} for each in merged(part(turn) for turn in turns[len(first) :]))]


def body(job: Generate, model: str) -> dict[str, Any]:
    """The request; only what every server knows, and what the job asks for."""
    asked: dict[str, Any] = {"model": model, "messages": messages(job.turns), "stream": True, "stream_options": {"include_usage": True}}
    asked |= {"max_tokens": job.max_tokens, "temperature": job.temperature, "top_p": job.top_p}
    return asked | ({"stop": list(job.stop)} if job.stop else {}) | ({"seed": job.seed} if job.seed is not None else {})


async def stream(client: httpx.AsyncClient, asked: dict[str, Any]) -> AsyncGenerator[Written]:
    """The answer, again after each piece. Tried again until the first piece; raises ServerRefusedError."""
    written = Written()
    for number in range(1, TRIES + 1):
        pause = min(2.0 ** (number - 2), LONGEST_PAUSE)
        try:
            async with client.stream("POST", "chat/completions", json=asked) as answer:
                if answer.is_success:
                    async for chunk in _chunks(answer):
                        if _grown(written, chunk):
                            yield written
                    yield written
                    return
                await answer.aread()
                if answer.status_code not in BUSY or number == TRIES:
                    raise ServerRefusedError(_refusal(answer))
                pause = _asked_for(answer, pause)
        except httpx.TransportError as error:
            if written.text or number == TRIES:
                raise ServerRefusedError(f"{client.base_url} broke off ({type(error).__name__}: {error}); is it running?") from error
        await asyncio.sleep(pause)


async def _chunks(answer: httpx.Response) -> AsyncIterator[_Chunk]:
    """The events of the stream (https://html.spec.whatwg.org/multipage/server-sent-events.html), as far as the protocol uses them."""
    async for line in answer.aiter_lines():
        if not line.startswith("data:"):
            continue
        data = line.removeprefix("data:").strip()
        if data == "[DONE]":
            return
        try:
            yield _Chunk.model_validate_json(data)
        except ValidationError as error:
            raise ServerRefusedError(f"expected a piece of an answer, found {data[:200]!r}") from error


def _grown(written: Written, chunk: _Chunk) -> bool:
    new = "".join(choice.delta.content or "" for choice in chunk.choices[:1])
    written.text += new
    written.tokens += bool(new)
    if any(choice.finish_reason == "length" for choice in chunk.choices[:1]):
        written.finish = "length"
    if chunk.usage:
        written.prompt_tokens, written.tokens = chunk.usage.prompt_tokens, chunk.usage.completion_tokens
    return bool(new)


def _asked_for(answer: httpx.Response, pause: float) -> float:
    """How long the server wants to be left alone."""
    try:
        return min(max(float(answer.headers.get("Retry-After", pause)), 0.0), LONGEST_PAUSE)
    except ValueError:  # a date
        return pause


def _refusal(answer: httpx.Response) -> str:
    said = " ".join(answer.text[:300].split())
    match answer.status_code:
        case 401 | 403:
            return f"{answer.url} refuses the key ({answer.status_code}); check the environment variable that `key` names"
        case 404:
            return f"{answer.url} answers 404; check `url`, which ends with the version (/v1), and `model`: {said}"
        case status:
            return f"{answer.url} answers {status}: {said}"
