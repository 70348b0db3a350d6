"""OpenAI's chat protocol over HTTP: one request, its streamed answer, and what its refusals mean. When it is asked: `remote.py`."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import httpx
from pydantic import BaseModel, ValidationError

from bot import Call, Generate, Turn
from plugins.chat.calling import sendable
from plugins.chat.forms import Part
from plugins.chat.prompt import asked, leading, merged, nameless, part

TRIES = 4
BUSY = {408, 429, 500, 502, 503, 504}
"""Answers after which the same request may do: those of servers that are full, starting, or behind a proxy that is."""

LONGEST_PAUSE = 20.0
"""Seconds between two tries, whatever the server asks for: somebody waits."""

SILENCE = 120.0
"""Seconds without a word after which a server is given up; a long prompt on a slow machine takes that long to read."""


class _Asked(BaseModel):
    name: str = ""
    arguments: str | None = None


class _Called(BaseModel):
    index: int = 0
    id: str | None = None
    function: _Asked = _Asked()


class _Delta(BaseModel):
    content: str | None = None
    tool_calls: tuple[_Called, ...] | None = None


class _Choice(BaseModel):
    delta: _Delta = _Delta()
    finish_reason: str | None = None


class _Usage(BaseModel):
    prompt_tokens: int = 0
    completion_tokens: int = 0


class _Fault(BaseModel):
    message: str = ""
    code: int | str | None = None


class _Chunk(BaseModel):
    choices: tuple[_Choice, ...] = ()
    usage: _Usage | None = None
    error: _Fault | str | None = None


@dataclass(slots=True)
class Written:
    """An answer as it grows, or the tools it wants called; the token counts are the server's, or the number of its pieces."""

    text: str = ""
    finish: Literal["stop", "length"] = "stop"
    prompt_tokens: int = 0
    tokens: int = 0
    asked: dict[int, Call] = field(default_factory=dict)
    given: dict[int, str] = field(default_factory=dict)

    @property
    def calls(self) -> tuple[Call, ...]:
        """The tools; arguments that are no JSON, or that cannot be sent, are none, which the tool then says."""
        return tuple(call.model_copy(update={"arguments": _arguments(self.given[index])}) for index, call in sorted(self.asked.items()))


class ServerRefusedError(Exception):
    """The server says no, or says nothing; the text tells the operator why."""


class NoSystemError(ServerRefusedError):
    """The model's template knows no system message."""


class _BrokenOffError(Exception):
    """A stream that ends before its answer does, or a fault in its midst that may pass."""


GO_ON = "Go on exactly where you stopped. Repeat nothing."
"""Some servers go on with an answer that stands last, others do not: asked in words, all do."""


NO_SYSTEM = re.compile(r"system role|role.{0,20}system|roles must alternate", re.IGNORECASE)
"""What templates raise at a system message: Gemma's “System role not supported”, Mistral 7B's “Conversation roles must alternate …”."""


def messages(turns: Sequence[Turn], *, folded: bool = False) -> list[dict[str, Any]]:
    """Turns as the protocol has them; persons' words begin with their names.

    Where the model takes no system message, what it would say is `folded` into the head of the first of a person.
    """
    first = leading(turns)
    rest = turns[len(first) :]
    head, parts = nameless(Part("system", "\n".join(turn.text.strip() for turn in first)), [part(turn, calling=True) for turn in rest])
    calls = [turn.call for turn in rest if turn.role == "tool"]
    said = [_message(each) for each in merged(asked(parts))]
    for message, id in zip((message for message in said if message["role"] == "tool"), calls, strict=True):
        message["tool_call_id"] = id
    return [*_headed(head.text, said, folded=folded), *([{"role": "user", "content": GO_ON}] if begun(turns) else [])]


def _headed(head: str, said: list[dict[str, Any]], *, folded: bool) -> list[dict[str, Any]]:
    if not head or not folded:
        return [*([{"role": "system", "content": head}] if head else []), *said]
    if not said or said[0]["role"] != "user":
        return [{"role": "user", "content": head}, *said]
    return [{"role": "user", "content": f"{head}\n\n{said[0]['content']}"}, *said[1:]]


def begun(turns: Sequence[Turn]) -> str:
    """The beginning of the answer, where the turns end with it."""
    return turns[-1].text.strip() if turns and turns[-1].role == "bot" and not turns[-1].calls else ""


def _message(each: Part) -> dict[str, Any]:
    if not each.calls:
        return {"role": each.role, "content": each.text}
    calls = [(call.id, {"name": call.name, "arguments": json.dumps(call.arguments)}) for call in each.calls]
    return {"role": "assistant", "content": "", "tool_calls": [{"id": id, "type": "function", "function": called} for id, called in calls]}


def body(job: Generate, model: str, *, folded: bool = False) -> dict[str, Any]:
    """The request; only what every server knows, and what the job asks for. `folded`: see `messages`."""
    request: dict[str, Any] = {"model": model, "messages": messages(job.turns, folded=folded), "stream": True}
    request |= {"stream_options": {"include_usage": True}, "max_tokens": job.max_tokens, "temperature": job.temperature, "top_p": job.top_p}
    if job.tools:
        request["tools"] = [{"type": "function", "function": tool.model_dump()} for tool in job.tools]
    return request | ({"stop": list(job.stop)} if job.stop else {}) | ({"seed": job.seed} if job.seed is not None else {})


async def stream(client: httpx.AsyncClient, request: dict[str, Any], begun: str = "") -> AsyncGenerator[Written]:
    """The answer behind what was begun, again after each piece. Tried again until the first piece.

    Raises ServerRefusedError; NoSystemError where the model may take the same without a system message.
    """
    written = Written(begun)
    for number in range(1, TRIES + 1):
        pause = min(2.0 ** (number - 2), LONGEST_PAUSE)
        try:
            async with client.stream("POST", "chat/completions", json=request) as answer:
                if answer.is_success:
                    async for chunk in _chunks(answer):
                        if _grown(written, chunk):
                            yield written
                    yield written
                    return
                await answer.aread()
                if request["messages"][0]["role"] == "system" and NO_SYSTEM.search(answer.text):
                    raise NoSystemError(_refusal(answer))
                if answer.status_code not in BUSY or number == TRIES:
                    raise ServerRefusedError(_refusal(answer))
                pause = _asked_for(answer, pause)
        except (httpx.TransportError, _BrokenOffError) as error:
            if written.text != begun or number == TRIES:
                said = f"{type(error).__name__}: {error}" if isinstance(error, httpx.TransportError) else str(error)
                raise ServerRefusedError(f"{client.base_url} broke off ({said}); is it running?") from error
            written = Written(begun)
        await asyncio.sleep(pause)


async def _chunks(answer: httpx.Response) -> AsyncIterator[_Chunk]:
    """The events of the stream (https://html.spec.whatwg.org/multipage/server-sent-events.html), as far as the protocol uses them.

    The status of a stream stands before its answer: what goes wrong later comes as an event `error`, of vLLM with [DONE] behind it, or as
    an end without [DONE] and without a reason to finish.
    """
    finished = False
    async for line in answer.aiter_lines():
        if not line.startswith("data:"):
            continue
        data = line.removeprefix("data:").strip()
        if data == "[DONE]":
            return
        try:
            chunk = _Chunk.model_validate_json(data)
        except ValidationError as error:
            raise ServerRefusedError(f"expected a piece of an answer, found {data[:200]!r}") from error
        if chunk.error:
            raise _fault(answer, chunk.error)
        finished = finished or any(choice.finish_reason for choice in chunk.choices[:1])
        yield chunk
    if not finished:
        raise _BrokenOffError("its stream ended before the answer did")


def _fault(answer: httpx.Response, error: _Fault | str) -> Exception:
    """In the midst of an answer; by its code whether it may pass."""
    fault = _Fault(message=error) if isinstance(error, str) else error
    said = f"in the midst of an answer: {fault.code or 'error'}, {' '.join(fault.message[:300].split())}"
    return _BrokenOffError(said) if str(fault.code) in map(str, BUSY) else ServerRefusedError(f"{answer.url} says {said}")


def _grown(written: Written, chunk: _Chunk) -> bool:
    new = "".join(choice.delta.content or "" for choice in chunk.choices[:1])
    apart = written.text and not written.tokens and not (written.text[-1:].isspace() or new[:1].isspace() or new[:1] in ".,;:!?)")
    written.text += f" {new}" if new and apart else new
    for called in (called for choice in chunk.choices[:1] for called in choice.delta.tool_calls or ()):
        written.given[called.index] = written.given.get(called.index, "") + (called.function.arguments or "")
        if called.function.name:
            written.asked[called.index] = Call(name=called.function.name, id=called.id or "")
    written.tokens += bool(new)
    if any(choice.finish_reason == "length" for choice in chunk.choices[:1]):
        written.finish = "length"
    if chunk.usage:
        written.prompt_tokens, written.tokens = chunk.usage.prompt_tokens, chunk.usage.completion_tokens
    return bool(new)


def _arguments(given: str) -> dict[str, Any]:
    try:
        found = json.loads(given or "{}")
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) and sendable(found) else {}


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
