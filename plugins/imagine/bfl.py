"""The HTTP API of FLUX.1 [pro] and its like: a request, its state until it ends, the picture. When it is asked: `remote.py`.

As documented at docs.bfl.ai in 2026: the reply to a request names the address to ask for its state; a picture can be fetched for ten
minutes, from an address that must not be given the key.
"""

from __future__ import annotations

import asyncio
import base64
from dataclasses import dataclass
from typing import Any

import httpx
from pydantic import BaseModel, ValidationError

from bot import later
from plugins.imagine.config import Server

HOSTS = {"": "https://api.bfl.ai/v1", "eu": "https://api.eu.bfl.ai/v1", "us": "https://api.us.bfl.ai/v1"}

DONE = "Ready"
FAILED = {"Error", "Failed", "Task not found"}
MODERATED = {
    "Request Moderated": later("The server does not draw this: its check refused the words. Nothing was drawn."),
    "Content Moderated": later("The server drew this and withholds it: its check refused the picture."),
}
"""States that nothing follows. Any other is one on the way."""

PATIENCE = 600.0
"""Seconds until a request is given up; a picture's address lasts as long."""

PAUSES = (0.5, 1.0, 2.0)
"""Seconds between two looks; the last one goes on."""

TRIES = 4
"""How often a request is made that the server was too busy to take; and how often a picture is fetched."""

LARGEST = 25 << 20
"""Bytes of a picture."""


class ServerRefusedError(Exception):
    """The server says no, or makes no sense; the text tells the operator why."""


class ModeratedError(Exception):
    """The server's own check says no; the text tells the person."""


class Submitted(BaseModel):
    """The reply to a request; `cost` in the server's credits."""

    id: str
    polling_url: str
    cost: float | None = None


class _Sample(BaseModel):
    sample: str


class _State(BaseModel):
    status: str
    result: _Sample | None = None
    details: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Ordered:
    """What is asked for: words, size in pixels, seed, and a picture to begin with, b"" for none."""

    prompt: str
    width: int
    height: int
    seed: int
    reference: bytes = b""


def base(server: Server) -> str:
    """Where the server answers."""
    return str(server.url or HOSTS[server.region]).rstrip("/")


def body(server: Server, ordered: Ordered) -> dict[str, Any]:
    """The request."""
    asked = {"prompt": ordered.prompt, "width": ordered.width, "height": ordered.height, "seed": ordered.seed, "output_format": "png"}
    if ordered.reference:
        edits = "kontext" in server.model or "flux-2" in server.model
        asked["input_image" if edits else "image_prompt"] = base64.b64encode(ordered.reference).decode()
    return {**asked, "safety_tolerance": server.tolerance}


class Client:
    """One conversation with the server. `pace` scales its pauses."""

    def __init__(self, server: Server, key: str, http: httpx.AsyncClient, pace: float = 1.0) -> None:
        self._server = server
        self._key = {"x-key": key}
        self._http = http
        self._pace = pace

    async def draw(self, ordered: Ordered) -> tuple[bytes, float | None]:
        """A picture's file, and what it cost. Raises ServerRefusedError and ModeratedError."""
        submitted = await self._submit(ordered)
        address = self._checked(submitted.polling_url)
        async with asyncio.timeout(PATIENCE * self._pace):
            return await self._fetch(await self._sample(address)), submitted.cost

    async def _submit(self, ordered: Ordered) -> Submitted:
        """Only what was surely not taken is asked again: the other way somebody pays twice."""
        url = f"{base(self._server)}/{self._server.model}"
        for number in range(TRIES):
            try:
                answer = await self._http.post(url, json=body(self._server, ordered), headers=self._key)
            except httpx.ConnectError as error:
                raise ServerRefusedError(f"{url} cannot be reached ({error}); check the network, `region` and `url`") from error
            except httpx.TransportError as error:
                raise ServerRefusedError(f"{url} broke off ({type(error).__name__}); the picture may be paid for") from error
            if answer.status_code != 429 or number == TRIES - 1:
                break
            await asyncio.sleep(2.0**number * self._pace)
        if not answer.is_success:
            raise ServerRefusedError(_refusal(answer))
        try:
            return Submitted.model_validate_json(answer.content)
        except ValidationError as error:
            raise ServerRefusedError(f"{url}: expected an id and a polling_url, found {answer.text[:200]!r}") from error

    def _checked(self, address: str) -> str:
        """The address to ask for the state, if it is one of the server's own: it is given the key."""
        there, ours = httpx.URL(address), httpx.URL(base(self._server))
        family = ours.host.removeprefix("api.").removeprefix("eu.").removeprefix("us.")
        if there.scheme != ours.scheme or not (there.host == ours.host or there.host.endswith(f".{family}")):
            raise ServerRefusedError(f"{ours.host} says to ask at {there.host}, which is given no key")
        return address

    async def _sample(self, address: str) -> str:
        look = 0
        while True:
            await asyncio.sleep(PAUSES[min(look, len(PAUSES) - 1)] * self._pace)
            look += 1
            try:
                answer = await self._http.get(address, headers=self._key)
            except httpx.TransportError:
                continue
            if answer.status_code == 429 or answer.status_code >= 500:
                continue
            state = self._state(answer)
            if state.status == DONE and state.result is not None:
                return state.result.sample
            if said := MODERATED.get(state.status):
                raise ModeratedError(said)
            if state.status in FAILED or state.status == DONE:
                raise ServerRefusedError(f"{address} ends with {state.status}: {state.details or 'no details'}")

    def _state(self, answer: httpx.Response) -> _State:
        try:
            return _State.model_validate_json(answer.content)
        except ValidationError as error:
            if answer.status_code == 404:
                return _State(status="Task not found")
            raise ServerRefusedError(_refusal(answer)) from error

    async def _fetch(self, sample: str) -> bytes:
        """The file, at once and without the key."""
        fault = ""
        for number in range(TRIES):
            try:
                async with self._http.stream("GET", sample, follow_redirects=True) as answer:
                    if answer.is_success:
                        return await _bounded(answer)
                    fault = f"answers {answer.status_code}"
                    if answer.status_code < 500:
                        break
            except httpx.TransportError as error:
                fault = f"broke off ({type(error).__name__})"
            await asyncio.sleep(2.0**number / 2 * self._pace)
        raise ServerRefusedError(f"the picture could not be fetched: {httpx.URL(sample).host} {fault}")


async def _bounded(answer: httpx.Response) -> bytes:
    content = bytearray()
    async for piece in answer.aiter_bytes():
        content += piece
        if len(content) > LARGEST:
            raise ServerRefusedError(f"the picture has more than {LARGEST >> 20} MiB")
    return bytes(content)


def _refusal(answer: httpx.Response) -> str:
    said = " ".join(answer.text[:300].split())
    match answer.status_code:
        case 401 | 403:
            return f"{answer.url.host} refuses the key ({answer.status_code}); check the environment variable that `key` names"
        case 402:
            return f"{answer.url.host} has no credits left for this key"
        case 404:
            return f"{answer.url} answers 404; check `model` and `url`: {said}"
        case 429:
            return f"{answer.url.host} is asked for too much at once; lower `concurrency`"
        case status:
            return f"{answer.url} answers {status}: {said}"
